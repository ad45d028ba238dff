#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The man pages, as mandoc and man read them; and what shells complete, asked of the shells. TAP.
#   B=DIR   the build (build)
set -u
cd "$(dirname "$0")/../.." || exit 1
unset MAKEFLAGS MAKELEVEL MFLAGS
B=$(realpath "${B:-build}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export HOME="$dir" XDG_CACHE_HOME="$dir/cache" LC_ALL=C.UTF-8
mkdir -p "$dir/cache/ktstr-gdb/kernels/trixie-backports-6.18-cloud-amd64" "$dir/bin"
ln -s "$B/ktstr-gdb" "$dir/bin/ktstr-gdb"
export PATH="$dir/bin:$PATH"
n=0

# result WHAT: right if $dir/wrong is empty.
result() {
	n=$((n + 1))
	if [ -s "$dir/wrong" ]; then
		echo "not ok $n - $1"
		head -n 20 "$dir/wrong" | sed 's/^/# /'
	else
		echo "ok $n - $1"
	fi
}

skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

commands=$(ktstr-gdb --help | sed -n 's/^  ktstr-gdb \([a-z_-]*\).*/\1/p' | sort -u)

# --- pages ---

make --no-print-directory B="$B" man >"$dir/log" 2>&1 || cat "$dir/log" >"$dir/wrong"
touch "$dir/wrong"
result "make man"

if command -v mandoc >/dev/null; then
	mandoc -T lint "$B"/man/* >"$dir/wrong" 2>&1
	result "mandoc has nothing to say about them"
else
	skip "mandoc has nothing to say about them" "no mandoc here"
fi

: >"$dir/wrong"
for command in $commands prog-show sched-watch; do
	[ -s "$B/man/ktstr-gdb-$command.1" ] || echo "no page of $command"
	for section in NAME SYNOPSIS DESCRIPTION OPTIONS EXAMPLES 'EXIT STATUS' FILES 'SEE ALSO'; do
		grep -q "^\.SH $section$" "$B/man/ktstr-gdb-$command.1" || echo "$command has no $section"
	done
done >"$dir/wrong"
result "each command has a page, with each section"

# A page that another refers to is there.
cat "$B"/man/* | sed -n 's/^\.BR \(ktstr[^ ]*\|sweep.conf\|libktstrgdb\) (\([0-9]\)).*/\1.\2/p' | tr -d '\\' |
	sort -u | while read -r page; do
	[ -s "$B/man/$page" ] || echo "$page is not there"
done >"$dir/wrong"
result "each page of ours that a page names is there"

# What --help says of an option, its page says.
: >"$dir/wrong"
for command in $commands; do
	ktstr-gdb "$command" --help | grep -oE '^  (-[a-z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u |
		while read -r option; do
			grep -qF -- "$(echo "$option" | sed 's/-/\\-/g')" "$B/man/ktstr-gdb-$command.1" ||
				echo "$command: no $option"
		done
done >"$dir/wrong"
result "a page has the options of --help"

if command -v script >/dev/null && command -v man >/dev/null; then
	script -qc 'MANPAGER=cat ktstr-gdb help diff' /dev/null </dev/null >"$dir/out" 2>&1
	grep -q 'KTSTR-GDB-DIFF(1)' "$dir/out" || head -n 5 "$dir/out" >"$dir/wrong"
	result "help COMMAND shows the page on a terminal"
else
	skip "help COMMAND shows the page on a terminal" "no script or no man here"
fi
ktstr-gdb help diff | head -n 1 | grep -q '^Usage: ' || echo "no usage" >"$dir/wrong"
result "and what --help prints elsewhere"

# --- completion ---

# wants SHELL WORDS... -- OFFERED...: all that is behind -- is offered. The shell's function is asked.
wants() {
	shell=$1 && shift
	typed='' && while [ "$1" != -- ]; do typed="$typed${typed:+ }$1" && shift; done
	shift
	"offers_$shell" "$typed" >"$dir/offered" 2>"$dir/errors"
	: >"$dir/wrong"
	for word in "$@"; do
		grep -qxF -- "$word" "$dir/offered" || echo "$shell does not offer \"$word\" for \"$typed\""
	done >"$dir/wrong"
	[ ! -s "$dir/wrong" ] || cat "$dir/offered" "$dir/errors" >>"$dir/wrong"
	result "$shell completes \"$typed\""
}

# bash's own way: the words as its COMP_WORDBREAKS cuts them.
offers_bash() {
	bash --norc -c '
		source completions/ktstr-gdb.bash
		COMP_LINE=$1
		COMP_POINT=${#COMP_LINE}
		COMP_WORDS=()
		rest=$COMP_LINE
		while [[ -n $rest ]]; do
			if [[ $rest =~ ^[[:space:]]+ ]]; then
				rest=${rest#"${BASH_REMATCH[0]}"}
				blank=1
				continue
			fi
			blank=0
			[[ $rest =~ ^([=:]+|[^[:space:]=:]+) ]]
			COMP_WORDS+=("${BASH_REMATCH[0]}")
			rest=${rest#"${BASH_REMATCH[0]}"}
		done
		((blank)) && COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_ktstr_gdb
		printf "%s\n" "${COMPREPLY[@]}"' bash "ktstr-gdb $1"
}

# fish can be asked.
offers_fish() {
	fish --no-config -c "source completions/ktstr-gdb.fish; complete -C 'ktstr-gdb $1'" | cut -f 1
}

# zsh's completion runs in its line editor alone: a shell on a terminal, with Tab typed.
offers_zsh() {
	cat >"$dir/.zshrc" <<-Z
		fpath=($PWD/completions \$fpath)
		autoload -Uz compinit && compinit -u -D
		unsetopt menu_complete auto_menu list_ambiguous list_rows_first
		setopt list_packed
		LISTMAX=1000 PS1='> '
	Z
	ZDOTDIR="$dir" zsh -c '
		zmodload zsh/zpty
		zpty z "TERM=dumb zsh -i"
		zpty -w z "PS1=READY; stty columns 200 rows 200; bindkey \"^I\" list-choices"
		zpty -r z line "*READY*READY*"
		zpty -w -n z "$1"$'"'\t'"'
		zpty -w -n z $'"'\005'"'
		sleep 0.2
		while zpty -r -t z line; do print -r -- "$line"; sleep 0.3; done
		zpty -d z' zsh "ktstr-gdb $1" | tr -d '\r' | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g; s/  -- .*//; s/ *$//' |
		tr -s ' ' '\n'
}

for shell in bash fish zsh; do
	if ! command -v "$shell" >/dev/null; then
		skip "completion for $shell" "no $shell here"
		continue
	fi
	# shellcheck disable=SC2086
	wants $shell '' -- $commands
	wants $shell 'attach --s' -- --sort --system-map
	wants $shell 'prog ' -- dump show
	wants $shell 'prog show --h' -- --holders
	wants $shell 'attach --type xd' -- xdp
	wants $shell 'attach -o id,ver' -- id,verified_insns
	wants $shell 'collect -o id,sta' -- id,stack_depth
	wants $shell 'collect --topology 4n' -- 4numa-32cpu-8llc-nosmt
	[ $shell != bash ] || wants $shell 'attach --color=al' -- always
	[ $shell != bash ] || wants $shell 'collect --kernel debian:tri' -- trixie-backports/6.18:cloud-amd64
	[ $shell != fish ] || wants $shell 'attach --color=al' -- --color=always
	[ $shell != fish ] || wants $shell 'collect --kernel debian:tri' -- debian:trixie-backports/6.18:cloud-amd64
done
echo "1..$n"
