#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# `ktstr-gdb log --format` as its readers see it: Vim and Emacs find the places, the schema of SARIF
# 2.1.0 accepts the document, and GitHub's own library writes the same commands. TAP.
#   KTSTR_GDB=FILE   the tool (build/ktstr-gdb)
# The schema and that library are packages of npm, kept in ${XDG_CACHE_HOME:-~/.cache}/ktstr-gdb/.
set -u
cd "$(dirname "$0")/../.." || exit 1
tool=$(realpath "${KTSTR_GDB:-build/ktstr-gdb}")
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/ktstr-gdb/log-formats
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

n=0
check() { # WHAT COMMAND...: success, and not a word
	what=$1
	shift
	n=$((n + 1))
	if "$@" >"$dir/out" 2>&1 && ! [ -s "$dir/out" ]; then
		echo "ok $n - log --format: $what"
	else
		echo "not ok $n - log --format: $what"
		sed 's/^/# /' "$dir/out" | head -n 20
	fi
}

skip() { # WHAT WHY
	n=$((n + 1))
	echo "ok $n - log --format: $1 # SKIP $2"
}

# --- logs: of real kernels, one in strings of JSON, and one that wants to be taken for places ---

mkdir "$dir/logs"
cp tests/logparse/errors/*.log tests/logparse/logs/*.stderr "$dir/logs"
cd "$dir/logs" || exit 1
{ # lines as Docker keeps them
	printf '%s\n' '{"log":"starting\n","stream":"stdout"}'
	jq -Rc '{log: (. + "\n"), stream: "stderr"}' 6.12_bad_bounds.log
} >json-lines.log
real=$(ls)
# shellcheck disable=SC2086
"$tool" log --format gcc $real >gcc || exit 1
# Where each is, by what --json and grep(1) say.
for log in $real; do
	"$tool" log --json "$log" | jq -r '.programs[] | select(.verdict == "failed") |
		[(.last.at.source | if .line then "\(.file) \(.line)" else "-" end), .error] | @tsv' |
		while IFS="$(printf '\t')" read -r place error; do
			[ "$place" != - ] || place="$log $(grep -nF "$error" "$log" | sed -n '$s/:.*//p')"
			echo "$place"
		done
done >places
printf '%s\n' '0: R1=ctx() R10=fp0' '; x" 1: "y @ other.c:5: error: other.c:7' \
	'0: (61) r0 = *(u32 *)(r7 +0)  "other.c"1: note' \
	'R7 is "other.c":9: bad' 'other.c:1:1: error: no' '"other.c", line 3: no' 'In file included from other.c:1:' \
	'processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0' >hostile.log
printf 'nothing\n' >empty.log
"$tool" log --format gcc hostile.log >hostile.gcc || exit 1

# --- editors ---

# The entries that name a place: "FILE LINE TEXT".
vim_reads() { # FILE
	vim -es -u NONE -i NONE -c "cfile $1" -c 'call writefile(map(filter(getqflist(), "v:val.valid"),
		"bufname(v:val.bufnr) . \" \" . v:val.lnum . \" \" . trim(v:val.text)"), "read")' -c 'qa!' </dev/null
	cat read
}
vim_places() {
	vim_reads gcc | sed -n 's/^\([^ ]* [0-9]*\) error: .*/\1/p' | diff places -
	[ "$(vim_reads gcc | wc -l)" = "$(wc -l <gcc)" ] || echo "Vim does not read each line"
}
cat >places.el <<'END'
(require 'compile)
(with-temp-buffer
  (insert-file-contents (pop command-line-args-left))
  (compilation-mode)
  (let ((inhibit-read-only t))
    (compilation-parse-errors (point-min) (point-max)))
  (goto-char (point-min))
  (while (not (eobp))
    (let ((message (get-text-property (point) 'compilation-message)))
      (when message
        (let ((loc (compilation--message->loc message)))
          (princ (format "%s %s %s\n" (caar (compilation--loc->file-struct loc))
                         (compilation--loc->line loc) (compilation--message->type message))))))
    (forward-line 1)))
END
emacs_reads() { # FILE: "FILE LINE TYPE", where type 2 is an error and 0 a note
	emacs -Q --batch -l places.el "$1"
}
emacs_places() {
	emacs_reads gcc | sed -n 's/ 2$//p' | diff places -
	[ "$(emacs_reads gcc | wc -l)" = "$(wc -l <gcc)" ] || echo "Emacs does not read each line"
}
check 'there are places in the source and in logs' sh -c 'grep -q "^bad.bpf.c " places && grep -q "\.log " places'
# The first line of that file is another.
line=$(grep -n '^14: ' 6.12_bad_bounds.log | sed -n '$s/:.*//p')
check 'the line of a string of JSON' grep -q "^json-lines.log:$((line + 1)):1: note: insn 14: " gcc
if vim --version 2>/dev/null | grep -q '+eval' && vim --version | grep -q '+quickfix'; then
	check 'Vim finds each place' vim_places
	check 'Vim takes no text of a log for a place' sh -c "! grep -v '^hostile.log '" <<-END
		$(vim_reads hostile.gcc)
	END
else
	skip 'Vim finds each place' 'no vim with +eval and +quickfix'
	skip 'Vim takes no text of a log for a place' 'no vim with +eval and +quickfix'
fi
if command -v emacs >/dev/null; then
	check 'Emacs finds each place' emacs_places
	check 'Emacs takes no text of a log for a place' sh -c "! grep -v '^hostile.log '" <<-END
		$(emacs_reads hostile.gcc)
	END
else
	skip 'Emacs finds each place' 'no emacs'
	skip 'Emacs takes no text of a log for a place' 'no emacs'
fi

# --- where the sources are: the kernel says only "bad.bpf.c" ---

finds() { # FILE-AS-IT-IS-TOLD ROOT
	got=$("$tool" log --format gcc --source-root "$2" "$dir/logs/6.12_bad_bounds.log" 2>&1 |
		sed -n '1s/:53:1: error: .*//p')
	[ "$got" = "$1" ] || echo "below $2: $got, not $1"
}
finds_here() {
	(cd tree && finds "$@")
}
mkdir -p tree/src/deep tree/.git other/a other/b none
touch tree/src/deep/bad.bpf.c tree/src/deep/not-bad.bpf.c tree/.git/bad.bpf.c other/a/bad.bpf.c other/b/bad.bpf.c
ln -s ../src tree/again
check 'a source file below a folder' finds tree/src/deep/bad.bpf.c tree
check 'below this one' finds_here src/deep/bad.bpf.c .
check 'of two with that name, none' finds bad.bpf.c other
check 'of none with that name, none' finds bad.bpf.c none
check 'an absolute path' finds "$dir/logs/tree/src/deep/bad.bpf.c" "$dir/logs/tree/"
"$tool" log --format gcc --source-root no-such-folder empty.log >nothing 2>told
check 'a folder that is not there' sh -c "[ $? = 3 ] && ! [ -s nothing ] || echo exit status or output
	grep -qx 'ktstr-gdb: --source-root: no-such-folder: .*No such file or directory' told || cat told"

# --- SARIF and GitHub ---

# Installs the packages once; prints why it cannot.
packages() {
	node --version >/dev/null 2>&1 || { echo 'no node' && return 1; }
	[ -d "$cache" ] && return
	mkdir -p "${cache%/*}" || return 1
	new=$(mktemp -d "$cache.XXXXXX") || return 1
	if timeout 120 npm install --prefix "$new" --silent --no-audit --no-fund --ignore-scripts \
		@microsoft/jest-sarif@1.0.0-beta.0 @actions/core@1.10.1 >"$dir/npm" 2>&1 </dev/null &&
		mv -T "$new" "$cache" 2>/dev/null; then
		return
	fi
	rm -rf "$new"
	[ -d "$cache" ] && return # another one was faster
	echo "npm cannot install them: $(tail -n 1 "$dir/npm")"
	return 1
}

cat >sarif.js <<'END'
const fs = require('fs'), modules = process.argv[2] + '/node_modules/';
const Ajv = require(modules + 'ajv');
const ajv = new Ajv({schemaId: 'auto', allErrors: true, unknownFormats: 'ignore'});
ajv.addMetaSchema(require(modules + 'ajv/lib/refs/json-schema-draft-04.json'));
const valid = ajv.compile(JSON.parse(fs.readFileSync(modules +
	'@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json')));
for (const file of process.argv.slice(3))
	if (!valid(JSON.parse(fs.readFileSync(file))))
		for (const e of valid.errors.slice(0, 5))
			console.log(file + e.dataPath + ' ' + e.message);
END
cat >github.js <<'END'
// What the runner makes of each line, written again by @actions/core, has to be that line.
const {issueCommand} = require(process.argv[2] + '/node_modules/@actions/core/lib/command.js');
const data = s => s.replace(/%0D/g, '\r').replace(/%0A/g, '\n').replace(/%25/g, '%');
const property = s => data(s.replace(/%3A/g, ':').replace(/%2C/g, ','));
for (const line of require('fs').readFileSync(0, 'utf8').split('\n').slice(0, -1)) {
	const end = line.indexOf('::', 2), head = line.slice(2, end), space = head.indexOf(' ');
	const properties = {};
	for (const p of head.slice(space + 1).split(','))
		properties[p.split('=', 1)[0]] = property(p.slice(p.indexOf('=') + 1));
	issueCommand(head.slice(0, space), properties, data(line.slice(end + 2)));
}
END
broken_is_seen() { # FILTER: a document that jq made wrong is refused
	jq "$1" all.sarif >broken.sarif
	[ -n "$(node sarif.js "$cache" broken.sarif)" ] || echo "$1 is not noticed"
}
same_commands() {
	cp hostile.log 'a,b:c%0A.log'
	# shellcheck disable=SC2086
	"$tool" log --format github $real hostile.log 'a,b:c%0A.log' >commands
	[ "$(wc -l <commands)" -gt 20 ] || echo "there are $(wc -l <commands) commands"
	node github.js "$cache" <commands | diff commands -
}
# shellcheck disable=SC2086
"$tool" log --format sarif $real hostile.log empty.log >all.sarif || exit 1
"$tool" log --format sarif <hostile.log >stdin.sarif || exit 1
"$tool" log --format sarif empty.log >empty.sarif || exit 1
"$tool" log --format sarif "$OLDPWD"/tests/logparse/collapse_logs/7.3_*.zst >zst.sarif || exit 1
{ "$tool" log --format sarif empty.log no-such-file 2>/dev/null; } >missing.sarif
[ "$(jq '.runs[0].results | length' all.sarif)" -gt 20 ] || echo "Bail out! few results"
if why=$(packages); then
	check 'the schema accepts SARIF documents' node sarif.js "$cache" ./*.sarif
	check 'and sees a wrong level' broken_is_seen '.runs[0].results[0].level = "bad"'
	check 'and sees a missing message' broken_is_seen 'del(.runs[0].results[0].message)'
	check 'and sees a URI that is none' broken_is_seen \
		'.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri = "a b"'
	check 'commands as @actions/core writes them' same_commands
else
	for what in 'the schema accepts SARIF documents' 'and sees a wrong level' 'and sees a missing message' \
		'and sees a URI that is none' 'commands as @actions/core writes them'; do
		skip "$what" "$why"
	done
fi
check 'rules are those of the results' jq '.runs[0] | .tool.driver.rules as $rules |
	(.results | map(.ruleId == $rules[.ruleIndex].id) | all) and
	([.results[].ruleId] | unique) == ([$rules[].id] | sort) | if . then empty else "differ" end' all.sarif
echo "1..$n"
