# Tells the terminal, and so the recording, when commands begin and end, with their texts, exit codes and directories:
# OSC 133 and OSC 7, which other terminals know as well. Source it at the end of ~/.zshrc or /etc/zsh/zshrc:
#   . /etc/postern/postern.zsh

if [[ -o interactive && -z ${__postern_is_on-} ]]; then
    __postern_is_on=1

    # Percent-encodes all that is not a letter, a digit or one of a few signs.
    __postern_encoded() {
        emulate -L zsh
        setopt no_multibyte extended_glob
        print -rn -- "${1//(#m)[^A-Za-z0-9\/._~-]/%${(l:2::0:)$(([##16]#MATCH))}}"
    }

    __postern_precmd() {
        local code=$?
        if [[ -n ${__postern_has_run-} ]]; then
            printf '\e]133;D;%s\a' $code
        fi
        __postern_has_run=
        printf '\e]7;file://%s%s\a\e]133;A\a' "$HOST" "$(__postern_encoded "$PWD")"
        [[ $PS1 == *133\;B* ]] || PS1+=$'%{\e]133;B\a%}'
    }

    __postern_preexec() {
        __postern_has_run=1
        printf '\e]133;C;cmdline_url=%s\a' "$(__postern_encoded "$1")"
    }

    precmd_functions=(__postern_precmd $precmd_functions)
    preexec_functions+=(__postern_preexec)
fi
