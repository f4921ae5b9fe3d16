# Tells the terminal, and so the recording, when commands begin and end, with their exit codes and directories: OSC 133 and
# OSC 7, which other terminals know as well. For bash 4.4 or newer; source it at the end of ~/.bashrc or /etc/bash.bashrc:
#   . /etc/postern/postern.bash

if [[ $- == *i* && -z ${__postern_is_on-} && ${BASH_VERSINFO[0]} -ge 4 ]]; then
    __postern_is_on=1

    __postern_prompt() {
        local code=$? directory=${PWD//[[:cntrl:]]/}
        if [[ -n ${__postern_has_run-} ]]; then
            printf '\e]133;D;%s\a' "$code"
        fi
        __postern_has_run=
        directory=${directory//%/%25}
        printf '\e]7;file://%s%s\a\e]133;A\a' "$HOSTNAME" "${directory// /%20}"
        return "$code"
    }

    PROMPT_COMMAND="__postern_prompt${PROMPT_COMMAND:+; $PROMPT_COMMAND}"
    # The subscript is an expression: it notes that a command runs, and the value that is not there adds nothing.
    PS0='\e]133;C\a${__postern_none[__postern_has_run=1]-}'"${PS0-}"
    PS1+='\[\e]133;B\a\]'
fi
