#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every example of README.md, docs/ and the man pages: what a ```sh block says is typed here, block by block, as somebody
# would type it who reads the page from its beginning. docs/testing.md has the marks that a page may have.
#
#   examples.sh [PAGE...]    only these pages
. "$(dirname "$0")/lib"
if [ $# = 0 ]; then
	make --no-print-directory -s man >"$work/make.log" 2>&1 || cat "$work/make.log" >&2
	tests/guest/manual-page build/man >build/man/examples.md
	set -- README.md docs/*.md build/man/examples.md
fi
mkdir "$work/blocks" "$work/bin" "$work/noting" "$work/pages"
# Its exit status is noted, since a pipe has that of its last command.
ln -s "$tool" "$work/bin/ktstr-gdb"
cat >"$work/noting/ktstr-gdb" <<END
#!/bin/sh
"$tool" "\$@"
status=\$?
echo \$status >>"$work/statuses"
exit \$status
END
chmod +x "$work/noting/ktstr-gdb"
PATH=$PATH:/usr/sbin:/sbin
export PATH

# --- pages: blocks and their marks ---

# Each block of a page is a file, $work/blocks/N.LANGUAGE, with N.marks, a line each, and N.place. Marks
# are HTML comments above it. What is wrong with the page itself is printed.
blocks() {
	awk -v page="$1" -v to="$work/blocks" -v n="$(ls "$work/blocks" | sed 's/[.].*//' | sort -u | wc -l)" '
		function mark(text) { marks = marks text "\n" }
		/^ *```/ && !inside {
			language = $0
			sub(/^ *```/, "", language)
			if (language !~ /^[a-z]+$/)
				print page ":" NR ": this block does not say what it is: sh is an example, text is output"
			inside = 1
			base = sprintf("%s/%04d", to, ++n)
			indent = match($0, /[^ ]/) - 1
			file = base "." (language == "" ? "none" : language)
			printf "%s", unknown
			unknown = ""
			printf "%s", marks >(base ".marks")
			print page ":" NR >(base ".place")
			printf "" >file
			marks = ""
			next
		}
		/^ *```$/ && inside {
			inside = 0
			close(file); close(base ".marks"); close(base ".place")
			next
		}
		inside {
			line = $0
			sub("^ {0," indent "}", "", line)
			print line >file
			if (language == "text" && line ~ /^[$] (sudo )?([^ ]*\/)?(ktstr-gdb|make) /)
				print page ":" NR ": this command is in a block of text: put it into one of sh"
			next
		}
		/^ *<!-- .* -->$/ {
			line = $0
			sub(/^ *<!-- /, "", line)
			sub(/ -->$/, "", line)
			if (line !~ /^(not run: .+|exit status: [0-9]+|guest: sched|Ctrl-C after: [0-9]+ s|stable|stable but for numbers)$/)
				unknown = unknown page ":" NR ": no such mark: " line "\n"
			mark(line)
			next
		}
		/[^ ]/ { marks = unknown = "" }
		END { if (inside) print page ": its last block has no end" }' "$1"
}

# marked N PREFIX: prints what follows it in a mark of that block.
marked() {
	sed -n "s/^$2: //p" "$work/blocks/$1.marks"
}
is_marked() {
	grep -qxF -- "$2" "$work/blocks/$1.marks"
}

# links PAGE: prints the links of a page that lead nowhere in this tree.
links() {
	grep -oE '\]\([^)#: ]+' "$1" | sed 's/^](//' | sort -u | while read -r link; do
		[ -e "$(dirname "$1")/$link" ] || echo "$1: no such file: $link"
	done
}

# anchors PAGE: prints the links of a page to headings that are not there. The name is made as GitHub does.
anchors() {
	grep -oE '\]\([^): ]*#[^) ]+' "$1" | sed 's/^](//' | sort -u | while IFS='#' read -r file anchor; do
		to=$1
		[ -z "$file" ] || to=$(dirname "$1")/$file
		[ -f "$to" ] || continue
		awk '/^```/ { code = !code } !code && /^#+ /' "$to" | sed -E 's/^#+ +//; s/`//g' | tr 'A-Z ' 'a-z-' |
			tr -cd 'a-z0-9_\n-' | grep -qxF -- "$anchor" || echo "$1: $to has no heading #$anchor"
	done
}

none() {
	[ ! -s "$1" ] || { cat "$1" && return 1; }
}

# --- what an example may expect to be there ---

# page PAGE: a directory, $stage, in which its examples run one after the other. It looks like a clone in
# which "make" and "make bpf" have run, with the files that the pages call the reader's.
page() {
	stage=$work/pages/$(echo "$1" | tr / -)
	mkdir "$stage"
	for file in "$here"/*; do
		ln -s "$file" "$stage/"
	done
	ln -s "$here/build/bpf/demo.bpf.o" "$stage/prog.bpf.o"
	ln -s "$here/build/bpf/reject.bpf.o" "$stage/other.bpf.o"
	ln -s "$here/examples/rejected.log" "$stage/load.log"
	ln -s "$here/build/sched/scx_fix" "$here/build/sched/scx_fix.bpf.o" "$stage/"
	printf '#!/bin/sh\ncat "%s" >&2\n' "$here/examples/rejected.log" >"$stage/my_loader"
	chmod +x "$stage/my_loader"
	[ -z "${kernel:-}" ] || ln -s "$kernel" "$stage/vmlinuz"
}

# kernels FILE: whether the kernels that an example names can be had; $lacks if not.
kernels() {
	for form in $(grep -oE '\b(debian|ubuntu|fedora):[a-z0-9.:/-]*[a-z0-9]' "$1" | sort -u); do
		grep -qxF -- "$form" "$work/had" && continue
		lacks=$(timeout 600 "$tool" fetch-kernel "$form" 2>&1 >/dev/null) || {
			lacks="$form: $(echo "$lacks" | tail -n 1)"
			return 1
		}
		echo "$form" >>"$work/had"
	done
	lacks=
}
: >"$work/had"

# at GUEST: sets $target to a guest that runs, booted when the first example asks for it; $lacks if it cannot.
at() {
	eval "target=\${target_$1:-}"
	[ -z "$target" ] || return 0
	if [ "$1" = main ]; then
		boot main --kernel "$kernel" --gdb tcp
	else
		make --no-print-directory -s sched >"$work/make.log" 2>&1 || {
			lacks="no scheduler: $(tail -n 1 "$work/make.log")"
			return 1
		}
		run collect --accel tcg --kernel debian:trixie-backports --gdb "127.0.0.1:$((10000 + $$ % 10000))" --keep \
			--run build/sched/scx_fix -- kicked 100000000
		kept=$(sed -n 's/.*to end it: kill \([0-9]*\)$/\1/p' "$work/err")
		target=$(sed -n 's/.*ktstr-gdb attach \([^ ]*\) .*/\1/p' "$work/err")
		[ -n "$target" ] || {
			lacks="no guest with a scheduler: $(tail -n 1 "$work/err")"
			return 1
		}
	fi
	eval "target_$1=\$target"
}
kept=
trap '[ -z "$kept" ] || kill "$kept"; finish' EXIT

# --- an example ---

# typed FILE: runs it as it stands there; :1234 is wherever the guest listens.
typed() {
	(cd "$stage" && PATH=$work/noting:$PATH timeout 300 sh -eu "$1" </dev/null)
}

# interrupted SECONDS FILE: the same, line by line, each ended by Ctrl-C.
interrupted() {
	while read -r line; do
		(cd "$stage" && PATH=$work/bin:$PATH && eval "timeout -s INT -k 30 $1 $line" </dev/null)
		status=$?
		[ $status = 0 ] || [ $status = 124 ] || return $status
	done <"$2"
}

# ended STATUS WANTED: did the last example end as it has to, and the tool each time that it ran? 141 is what
# it has when "head" does not want more.
ended() {
	[ "$1" = "$2" ] && ! grep -vxE "0|141|$2" "$work/statuses" >"$work/other" && return
	echo "exit status $1, of the tool: $(tr '\n' ' ' <"$work/statuses"); it should be $2"
	tail -n 11 "$work/said"
	return 1
}

# unlucky FILE: the guest died of QEMU's TCG, or this machine is too busy for what a scheduler has to do.
unlucky() {
	grep -E 'the guest crashed|no result, the host is too slow|watchdog failed to check in' "$1" | head -n 1 |
		sed 's/^/# once more: /' | grep .
}

# example N: types that block.
example() {
	place=$(cat "$work/blocks/$1.place")
	name="$place: $(grep -vE '^ *(#|$)' "$work/blocks/$1.sh" | head -n 1)"
	: >"$work/said"
	lacks=$(marked "$1" 'not run')
	[ -z "$lacks" ] || { skip "$name" "$lacks" && return; }
	kernels "$work/blocks/$1.sh" || { skip "$name" "$lacks" && return; }
	target=
	if grep -qE ':1234\b' "$work/blocks/$1.sh"; then
		guest=$(marked "$1" guest)
		at "${guest:-main}" || { skip "$name" "$lacks" && return; }
	fi
	sed -E "s/(^|[ ]):1234\\b/\\1$target/g" "$work/blocks/$1.sh" >"$work/example"
	seconds=$(marked "$1" 'Ctrl-C after')
	for _ in 1 2 3; do
		: >"$work/statuses"
		if [ -n "$seconds" ]; then
			interrupted "${seconds% s}" "$work/example" >"$work/said" 2>&1
		else
			typed "$work/example" >"$work/said" 2>&1
		fi
		status=$?
		unlucky "$work/said" || break
	done
	wanted=$(marked "$1" 'exit status')
	check "$name" ended $status "${wanted:-0}"
}

# numberless FILE: it, with N for each number, and one blank for several.
numberless() {
	sed -E 's/0x[0-9a-f]+/N/g; s/[0-9]+([.,][0-9]+)*/N/g; s/[ ─-]+/ /g; s/ $//' "$1"
}

# matches WANTED SAID: are they the same, where a line "..." stands for any lines? Prints the first piece
# that is not there.
matches() {
	awk '
		function there(at,    i) {
			for (i = 1; i <= size; i++)
				if (said[at + i - 1] != piece[i])
					return 0
			return 1
		}
		# The piece between two "..." has to be at where the last one ended, or, behind "...", anywhere.
		function find(last,    at, i) {
			for (at = free && last ? max(next_at, lines - size + 1) : next_at; at <= lines - size + 1; at++) {
				if (there(at) && (!last || at + size - 1 == lines)) {
					next_at = at + size
					size = 0
					return
				}
				if (!free)
					break
			}
			for (at = 1; !free && at < size && said[next_at] == piece[at]; at++)
				next_at++
			print "the page says:"
			for (i = free ? 1 : at; i <= size && i < (free ? 1 : at) + 4; i++)
				print "  " piece[i]
			print "what was printed there:"
			for (i = next_at; i <= lines && i < next_at + 4; i++)
				print "  " said[i]
			failed = 1
			exit 1
		}
		function max(a, b) { return a > b ? a : b }
		BEGIN { next_at = 1 }
		NR == FNR { wanted[++n] = $0; next }
		{ said[++lines] = $0 }
		END {
			if (failed)
				exit 1
			for (i = 1; i <= n; i++) {
				if (wanted[i] == "...") {
					if (size)
						find(0)
					free = 1
				} else {
					piece[++size] = wanted[i]
				}
			}
			if (size)
				find(1)
			else if (!free && next_at <= lines) {
				print "more was printed than the page says: " said[next_at]
				exit 1
			}
		}' "$1" "$2"
}

# output N: what the last example printed is what this block says, where it is marked as stable.
output() {
	if is_marked "$1" stable; then
		sed 's/[ \t]*$//' "$work/blocks/$1.text" >"$work/wanted"
		sed 's/[ \t]*$//' "$work/said" >"$work/got"
	elif is_marked "$1" 'stable but for numbers'; then
		numberless "$work/blocks/$1.text" >"$work/wanted"
		numberless "$work/said" >"$work/got"
	else
		return
	fi
	name="$(cat "$work/blocks/$1.place"): the output is as the page has it"
	[ -z "$lacks" ] || { skip "$name" "$lacks" && return; }
	check "$name" matches "$work/wanted" "$work/got"
}

# --- all pages ---

make --no-print-directory -s bpf >"$work/make.log" 2>&1 || skip_all "no BPF objects: $(tail -n 1 "$work/make.log")"
kernel trixie
for page; do
	before=$(ls "$work/blocks" | wc -l)
	blocks "$page" >"$work/wrong"
	{ links "$page"; anchors "$page"; } >>"$work/wrong"
	check "$page: its blocks say what they are, its links lead somewhere" none "$work/wrong"
	page "$page"
	ls "$work/blocks" | tail -n "+$((before + 1))" | grep -E '\.(sh|text)$' >"$work/list"
	lacks='no example is above it'
	while read -r block <&3; do
		case $block in
		*.sh) example "${block%.sh}" ;;
		*.text) output "${block%.text}" ;;
		esac
	done 3<"$work/list"
done
plan
