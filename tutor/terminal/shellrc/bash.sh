# Read by bash in place of ~/.bashrc (bash --rcfile). Reads the learner's own first, then makes the
# shell say where its commands begin and end: the sequences are described in tutor/terminal/marks.py.
#
# Given in the environment, and taken out of it: TUTOR_MARK_KEY; TUTOR_OWN_RC, 1 to read ~/.bashrc;
# TUTOR_PATH, folders that stand first on the PATH whatever ~/.bashrc does; TUTOR_KEEP, names of
# variables whose values ~/.bashrc must not change; TUTOR_LAST_EDITOR, an editor for when nothing
# else names one.
#
# Works in bash 3.2 (macOS): no PS0 there, so a DEBUG trap stands in. Functions are defined before
# ~/.bashrc is read, so that no alias of it gets into them.

# Ctrl+C ends what runs in ~/.bashrc, as it would; without a trap it would end this file as well.
builtin trap : INT

__tutor_key=$TUTOR_MARK_KEY
__tutor_path=$TUTOR_PATH
__tutor_keep=$TUTOR_KEEP
__tutor_own_rc=$TUTOR_OWN_RC
__tutor_editor=$TUTOR_LAST_EDITOR
unset TUTOR_MARK_KEY TUTOR_PATH TUTOR_KEEP TUTOR_OWN_RC TUTOR_LAST_EDITOR

__tutor_encode() {
    local LC_ALL=C rest=$1 done= safe byte
    rest=${rest:0:16384}
    while [[ -n $rest ]]; do
        safe=${rest%%[!a-zA-Z0-9/:_.,=@+-]*}
        done+=$safe
        rest=${rest:${#safe}}
        [[ -n $rest ]] || break
        builtin printf -v byte '%d' "'${rest:0:1}"
        # Bytes above 127 come out negative where char is signed.
        builtin printf -v byte '%%%02X' "$((byte & 255))"
        done+=$byte
        rest=${rest:1}
    done
    __tutor_encoded=$done
}

# The command line, from the history; not when the history may not have it (set +o history, a
# leading space with ignorespace, HISTIGNORE): a repeated line, which ignoredups leaves out, cannot
# be told from those.
__tutor_history() {
    local entry pattern='^ *([0-9]+)[* ] (.*)$'
    entry=$(HISTTIMEFORMAT= builtin history 1)
    [[ $entry =~ $pattern ]] || return 1
    __tutor_number=${BASH_REMATCH[1]}
    __tutor_line=${BASH_REMATCH[2]}
}

__tutor_started() {
    if __tutor_history && [[ $__tutor_number != "$__tutor_last" ]]; then
        __tutor_encode "$__tutor_line"
        builtin printf '\e]133;C;cmdline_url=%s;k=%s\a' "$__tutor_encoded" "$__tutor_key"
    else
        builtin printf '\e]133;C;k=%s\a' "$__tutor_key"
    fi
}

# First in PROMPT_COMMAND: what comes after may change $?.
__tutor_ended() {
    local status=$?
    builtin printf '\e]133;D;%s;k=%s\a\e]133;A;k=%s\a' "$status" "$__tutor_key" "$__tutor_key"
    return "$status"
}

# Last in PROMPT_COMMAND: what came before may have set PS1.
__tutor_prompt() {
    local status=$? mark='\[\e]133;B;k='$__tutor_key'\a\]'
    [[ $PS1 == *"$mark"* ]] || PS1=$PS1$mark
    __tutor_last=
    __tutor_history && __tutor_last=$__tutor_number
    __tutor_waiting=1
    return "$status"
}

__tutor_debug() {
    [[ -n $__tutor_waiting && -z $COMP_LINE && $BASH_COMMAND != __tutor_* ]] || return 0
    __tutor_waiting=
    __tutor_started
}

__tutor_saved=
for __tutor_name in $__tutor_keep; do
    if [[ -n ${!__tutor_name+set} ]]; then
        builtin printf -v __tutor_value 'export %s=%q\n' "$__tutor_name" "${!__tutor_name}"
    else
        __tutor_value="unset $__tutor_name"$'\n'
    fi
    __tutor_saved+=$__tutor_value
done

if [[ $__tutor_own_rc == 1 && -r ~/.bashrc ]]; then
    builtin trap return INT
    . ~/.bashrc
    [[ $(builtin trap -p INT) == *return* ]] && builtin trap : INT
fi

builtin eval "$__tutor_saved"
[[ -z $__tutor_path ]] || PATH=$__tutor_path:$PATH
if [[ -n $__tutor_editor && -z $EDITOR ]]; then
    export EDITOR=${VISUAL:-$__tutor_editor}
    export KUBE_EDITOR=${KUBE_EDITOR:-$EDITOR}
fi
builtin unset __tutor_editor __tutor_saved __tutor_value __tutor_name __tutor_keep __tutor_path

if [[ $__tutor_own_rc != 1 || -z $PS1 || $PS1 == '\s-\v\$ ' ]]; then
    PS1='\$ '
fi
if [[ $__tutor_own_rc != 1 ]]; then
    builtin unset HISTFILE PROMPT_COMMAND
fi

if ((BASH_VERSINFO[0] > 4 || (BASH_VERSINFO[0] == 4 && BASH_VERSINFO[1] >= 4))); then
    PS0='$(__tutor_started)'$PS0
else
    builtin eval "__tutor_traps=($(builtin trap -p DEBUG))"
    builtin trap "__tutor_debug"$'\n'"${__tutor_traps[2]-}" DEBUG
fi
if ((BASH_VERSINFO[0] > 5 || (BASH_VERSINFO[0] == 5 && BASH_VERSINFO[1] >= 1))); then
    PROMPT_COMMAND=(__tutor_ended "${PROMPT_COMMAND[@]}" __tutor_prompt)
else
    PROMPT_COMMAND="__tutor_ended"$'\n'"${PROMPT_COMMAND-}"$'\n'"__tutor_prompt"
fi
[[ $(builtin trap -p INT) != *"':'"* ]] || builtin trap - INT
