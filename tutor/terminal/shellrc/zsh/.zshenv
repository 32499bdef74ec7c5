# Read by zsh because ZDOTDIR points here. Reads the learner's own .zshenv as zsh would have; .zshrc
# beside this file does the rest. The environment that is taken here: see ../bash.sh. The learner's
# ZDOTDIR, where they have one, is in TUTOR_ZDOTDIR.

__tutor_folder=$ZDOTDIR
__tutor_key=$TUTOR_MARK_KEY
__tutor_path=$TUTOR_PATH
__tutor_own_rc=$TUTOR_OWN_RC
__tutor_editor=$TUTOR_LAST_EDITOR
typeset -gA __tutor_keep
for __tutor_name in ${=TUTOR_KEEP}; do
    __tutor_keep[$__tutor_name]=${(P)__tutor_name-__tutor_unset}
done
if [[ -n ${TUTOR_ZDOTDIR+set} ]]; then
    export ZDOTDIR=$TUTOR_ZDOTDIR
else
    unset ZDOTDIR
fi
unset TUTOR_MARK_KEY TUTOR_PATH TUTOR_KEEP TUTOR_OWN_RC TUTOR_LAST_EDITOR TUTOR_ZDOTDIR
unset __tutor_name

if [[ $__tutor_own_rc == 1 && -r ${ZDOTDIR:-$HOME}/.zshenv ]]; then
    . "${ZDOTDIR:-$HOME}/.zshenv"
fi

# It may have set ZDOTDIR; .zshrc gives it back.
[[ -z ${ZDOTDIR+set} ]] || __tutor_zdotdir=$ZDOTDIR
ZDOTDIR=$__tutor_folder
