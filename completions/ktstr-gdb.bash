# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion for bash: `ktstr-gdb complete` knows what may stand there.

_ktstr_gdb() {
	local -a words=()
	local line word last glued=0 candidate typed
	# bash cuts words at "=" and ":", too. Here they are one word again, up to the cursor.
	line=${COMP_LINE:0:COMP_POINT}
	local i
	for ((i = 1; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if ((i > 1 && (glued || ${#word} > 0))) && [[ $word == [=:]* || $glued == 1 ]]; then
			last=$((${#words[@]} - 1))
			words[last]+=$word
		else
			words+=("$word")
		fi
		glued=0
		[[ $word == *[=:] ]] && [[ $line != *' ' || $i -lt $COMP_CWORD ]] && glued=1
	done
	typed=${words[${#words[@]} - 1]}
	COMPREPLY=()
	while IFS=$'\t' read -r candidate _; do
		case $candidate in
		:files) compopt -o default -o filenames 2>/dev/null ;;
		:dirs)
			compopt -o filenames 2>/dev/null
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]}")
			;;
		:nospace) compopt -o nospace 2>/dev/null ;;
		*) COMPREPLY+=("$candidate") ;;
		esac
	done < <("${COMP_WORDS[0]}" complete "${words[@]}" 2>/dev/null)
	# What stands before the last "=" or ":" is a word of its own for bash.
	if [[ $typed == *[=:]* && ${COMP_WORDBREAKS} == *[=:]* ]]; then
		local front=${typed%"${typed##*[=:]}"}
		for i in "${!COMPREPLY[@]}"; do
			COMPREPLY[i]=${COMPREPLY[i]#"$front"}
		done
	fi
}

complete -F _ktstr_gdb ktstr-gdb
