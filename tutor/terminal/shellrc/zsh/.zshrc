# Reads the learner's own .zshrc, then makes zsh say where its commands begin and end: the sequences
# are described in tutor/terminal/marks.py. Functions come first, so that no alias gets into them.

__tutor_encode() {
    emulate -L zsh -o no_multibyte
    local LC_ALL=C text=${1[1,16384]} encoded= byte
    for byte in ${(s::)text}; do
        [[ $byte == [a-zA-Z0-9/:_.,=@+-] ]] || builtin printf -v byte '%%%02X' $(( #byte & 255 ))
        encoded+=$byte
    done
    REPLY=$encoded
}

__tutor_started() {
    local REPLY
    __tutor_encode "$1"
    builtin printf '\e]133;C;cmdline_url=%s;k=%s\a' "$REPLY" "$__tutor_key"
}

__tutor_ended() {
    local code=$?
    builtin printf '\e]133;D;%s;k=%s\a\e]133;A;k=%s\a' "$code" "$__tutor_key" "$__tutor_key"
    return $code
}

__tutor_prompt() {
    local mark=$'%{\e]133;B;k='$__tutor_key$'\a%}'
    [[ $PS1 == *"$mark"* ]] || PS1=$PS1$mark
}

# /etc/zshrc of macOS has put the history beside this file.
[[ $HISTFILE != $__tutor_folder/* ]] || HISTFILE=${__tutor_zdotdir:-$HOME}/${HISTFILE:t}
if [[ -n ${__tutor_zdotdir+set} ]]; then
    export ZDOTDIR=$__tutor_zdotdir
else
    unset ZDOTDIR
fi

if [[ $__tutor_own_rc == 1 ]]; then
    # Ctrl+C ends the learner's file, as it would, and not this one.
    {
        [[ ! -r ${ZDOTDIR:-$HOME}/.zshrc ]] || . "${ZDOTDIR:-$HOME}/.zshrc"
    } always {
        TRY_BLOCK_INTERRUPT=0
    }
else
    unset HISTFILE RPS1
    setopt interactive_comments
fi

for __tutor_name in ${(k)__tutor_keep}; do
    if [[ $__tutor_keep[$__tutor_name] == __tutor_unset ]]; then
        unset $__tutor_name
    else
        export "$__tutor_name=$__tutor_keep[$__tutor_name]"
    fi
done
[[ -z $__tutor_path ]] || PATH=$__tutor_path:$PATH
if [[ -n $__tutor_editor && -z $EDITOR ]]; then
    export EDITOR=${VISUAL:-$__tutor_editor}
    export KUBE_EDITOR=${KUBE_EDITOR:-$EDITOR}
fi
if [[ $__tutor_own_rc != 1 || $PS1 == '%m%# ' ]]; then
    PS1='%(!.#.$) '
fi
unset __tutor_folder __tutor_keep __tutor_name __tutor_path __tutor_own_rc __tutor_editor
unset __tutor_zdotdir

typeset -ga precmd_functions preexec_functions
precmd_functions=(__tutor_ended $precmd_functions __tutor_prompt)
preexec_functions+=(__tutor_started)
