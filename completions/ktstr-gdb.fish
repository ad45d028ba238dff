# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion for fish: `ktstr-gdb complete` knows what may stand there.

function __ktstr_gdb_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] complete $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path $current
            case ':dirs'
                __fish_complete_directories $current
            case ':nospace'
            case '*'
                echo $line
        end
    end
end

complete -c ktstr-gdb -f -a '(__ktstr_gdb_complete)'
