#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The recipes for CI, as runners run them: the steps are read out of the files that readers copy, action.yml and
# examples/ci/, and run with the variables and files that a runner gives. Only `apt-get update`, `apt-get install`
# and `git clone` are played: what they bring is there.
. "$(dirname "$0")/lib"
make --no-print-directory -s bpf >"$work/make.log" 2>&1 || skip_all "no BPF objects: $(tail -n 1 "$work/make.log")"
kernel trixie
kernel bookworm
kernels='debian:bookworm debian:trixie'
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}
# The truth: the line of the program that has to be rejected in which it does what it must not.
line=$(awk '/rejected_null_unchecked/ { inside = 1 } inside && /[*]n [+]= 1/ { print NR; exit }' tests/bpf/reject.bpf.c)
unset KTSTR_GDB BASELINE FAIL_ON SOURCE_ROOT GITHUB_ACTIONS KERNELS OBJECTS REPORT MAKEFLAGS MAKELEVEL

# --- YAML: as much of it as these files have ---

# steps FILE DIR: of each step, what it has as "run", "uses" and "name" is in DIR/NN.run and so on, the lines
# "KEY: VALUE" below its "env" and "with" in DIR/NN.env and DIR/NN.with. DIR/00.env is that of the job;
# DIR/inputs has the defaults of an action.
steps() {
	mkdir "$2"
	touch "$2/00.env" "$2/inputs"
	awk -v to="$2" '
		function plain(text) {
			sub(/ +#.*/, "", text)
			return text ~ /^\047.*\047$/ ? substr(text, 2, length(text) - 2) : text
		}
		function put(what, text) { print text >(sprintf("%s/%02d.%s", to, n, what)) }
		{ indent = match($0, /[^ ]/) - 1 }
		block && (indent < 0 || indent > at) {
			if (!strip)
				strip = indent
			put("run", substr($0, strip + 1))
			next
		}
		{ block = 0 }
		indent < 0 || /^ *#/ { next }
		/^ *- / && inside {
			n++
			indent += 2
		}
		map && indent <= at { map = "" }
		{
			line = $0
			sub(/^ *(- )?/, "", line)
			key = text = line
			sub(/:.*/, "", key)
			sub(/^[^:]*: ?/, "", text)
		}
		map { put(map, key ": " plain(text)); next }
		key ~ /^(env|with)$/ { map = key; at = indent; next }
		key == "run" && text == "|" { block = 1; at = indent; strip = 0; next }
		key == "steps" { inside = 1; next }
		n && key ~ /^(name|uses|run)$/ { put(key, plain(text)); next }
		indent == 0 { section = key }
		indent == 2 { input = key }
		section == "inputs" && key == "default" { print input ": " plain(text) >(to "/inputs") }' "$1"
}

# list FILE SECTION: prints the items of a list of a job of GitLab, or the lines of a map.
list() {
	awk -v section="  $2:" '
		/^  [a-z]/ { inside = $0 == section }
		inside && /^    / { sub(/^    (- )?/, ""); sub(/ +# .*/, ""); print }' "$1"
}

steps action.yml "$work/action"
steps examples/ci/github.yml "$work/github"

# as_yq FILE FILTER READ...: a parser of YAML finds the same steps.
as_yq() {
	file=$1 filter=$2
	shift 2
	yq -c "$filter | [.[] | .run // empty | sub(\"\\n+\$\"; \"\")]" "$file" >"$work/yq" 2>/dev/null || return 2
	for read; do
		jq -Rs 'sub("\n+$"; "")' "$read"
	done | jq -sc . | diff - "$work/yq"
}
for file in action.yml examples/ci/github.yml; do
	filter=.runs.steps dir=$work/action
	[ $file = action.yml ] || filter=.jobs.load.steps dir=$work/github
	name="a parser of YAML reads the same steps in $file"
	if ! [ "$(yq -r .name $file 2>/dev/null)" ]; then
		skip "$name" 'there is no yq'
	else
		check "$name" as_yq $file $filter "$dir"/*.run
	fi
done
check 'each step of the action is there' test "$(cat "$work"/action/*.name | tr '\n' ,)" = \
	'KVM,Build ktstr-gdb,Fetch kernels,Load,'

# --- a runner, and somebody's project ---

mkdir "$work/bin"
cat >"$work/bin/apt-get" <<END
#!/bin/sh
case \$1 in
update | install) echo "apt-get \$*" >>"$work/played" ;;
*) PATH=${PATH} exec apt-get "\$@" ;;
esac
END
cat >"$work/bin/git" <<END
#!/bin/sh
[ "\$1" = clone ] || PATH=${PATH} exec git "\$@"
echo "git \$*" >>"$work/played"
for to; do :; done
ln -sfn "$here" "\$to"
END
chmod +x "$work/bin/apt-get" "$work/bin/git"

# project OBJECT...: one that make "builds", with its sources beside.
project() {
	project=$work/project
	rm -rf "$project"
	mkdir -p "$project/src" "$project/.cache"
	ln -s "$cache/ktstr-gdb" "$project/.cache/"
	{
		printf 'all:\n\tmkdir -p build\n'
		for object; do
			cp "tests/bpf/$object.bpf.c" "$project/src/"
			printf '\tcp "%s" build/\n' "$here/build/bpf/$object.bpf.o"
		done
	} >"$project/Makefile"
}

# exported FILE SEPARATOR: its lines, as variables.
exported() {
	while IFS= read -r l; do
		export "${l%%"$2"*}=$(expression "${l#*"$2"}")"
	done <"$1"
}

# expression TEXT: what stands for an input, or a variable of the job, is replaced by it.
expression() {
	case $1 in
	'${{ inputs.'*)
		input=${1#*.}
		sed -n "s/^${input% \}\}}: //p" "$work/given" "$work/action/inputs" | head -n 1
		;;
	'${{ env.'*) eval "printf '%s\n' \"\$$(expr "$1" : '.*[.]\([A-Z_]*\) }}')\"" ;;
	*) printf '%s\n' "$1" ;;
	esac
}

# step BASE SHELL...: runs it; what it says is added to $work/said.
step() {
	base=$1
	shift
	(
		PATH=$work/bin:$PATH
		RUNNER_TEMP=$work/temp GITHUB_ACTIONS=true GITHUB_ACTION_PATH=$here GITHUB_WORKSPACE=$project
		GITHUB_STEP_SUMMARY=$work/summary GITHUB_OUTPUT=$work/output GITHUB_ENV=$work/environment
		export PATH RUNNER_TEMP GITHUB_ACTIONS GITHUB_ACTION_PATH GITHUB_WORKSPACE
		export GITHUB_STEP_SUMMARY GITHUB_OUTPUT GITHUB_ENV
		exported "$work/job.env" ': '
		exported "$work/environment" =
		[ ! -e "$base.env" ] || exported "$base.env" ': '
		cd "$project" && exec timeout 300 "$@" "$base.run"
	) >>"$work/said" 2>&1 </dev/null
}

# action: its steps, with the inputs of $work/given. The first that fails ends it.
action() {
	for run in "$work"/action/*.run; do
		step "${run%.run}" bash --noprofile --norc -eo pipefail
		status=$?
		[ $status = 0 ] || return $status
	done
}

# job [INPUT...]: the workflow, with these inputs instead of its own. Sets $status.
job() {
	rm -rf "$work/temp"
	mkdir "$work/temp"
	for file in summary output environment said played given; do
		: >"$work/$file"
	done
	{ cat "$work/github/00.env" && echo "KERNELS: $kernels"; } >"$work/job.env"
	for base in "$work"/github/*.name "$work"/github/*.uses; do
		echo "${base%.*}"
	done | sort -u >"$work/steps"
	status=0
	while read -r base && [ $status = 0 ]; do
		if [ -e "$base.run" ]; then
			step "$base" sh -e
			status=$?
		elif grep -q '/ktstr-gdb@' "$base.uses"; then
			printf '%s\n' "$@" >"$work/given"
			(
				exported "$work/job.env" ': '
				while IFS= read -r l; do
					echo "${l%%: *}: $(expression "${l#*: }")"
				done <"$base.with"
			) >>"$work/given"
			action
		fi
	done <"$work/steps"
}

# --- what is written ---

# rows FILE: of each program that is loaded its row in the table of FILE, as `collect` has its numbers.
"$tool" collect build/bpf/demo.bpf.o --kernel debian:bookworm --kernel debian:trixie --csv \
	-o prog_name,verified_insns >"$work/csv" 2>"$work/csv.err" </dev/null
rows() {
	awk -F , 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		{ n[$at["prog_name"]] = n[$at["prog_name"]] " " $at["verified_insns"] " |" }
		END { for (p in n) print "| `demo.bpf.o` | `" p "` |" n[p] }' "$work/csv" >"$work/rows"
	[ "$(wc -l <"$work/rows")" = 6 ] || { cat "$work/csv" && return 1; }
	grep -q . "$1" && ! grep -vxFf "$1" "$work/rows"
}

# junit FILE TESTS FAILURES
junit() {
	if command -v xmllint >/dev/null; then
		xmllint --noout "$1" || return
		[ "$(xmllint --xpath 'sum(//testsuite/@tests)' "$1")" = "$2" ] || return
		[ "$(xmllint --xpath 'count(//testcase)' "$1")" = "$2" ] || return
		[ "$(xmllint --xpath 'sum(//testsuite/@failures)' "$1")" = "$3" ] || return
	fi
	[ "$(grep -c '<testcase ' "$1")" = "$2" ] && [ "$(grep -c '<failure ' "$1")" = "$3" ] || return
	[ "$3" = 0 ] || grep -q "<failure message=\"reject.bpf.c:$line: R0 invalid mem access" "$1"
}

# sarif FILE RESULTS
sarif() {
	jq -e --argjson n "$2" --argjson line "$line" '.version == "2.1.0" and (.runs[0].results | length) == $n and
		all(.runs[0].results[]; .ruleId == "null-check" and (.locations[0].physicalLocation |
			.artifactLocation.uri == "src/reject.bpf.c" and .region.startLine == $line))' "$1"
}

# good NAME DIR, bad NAME DIR: what is in DIR after all was loaded, and after one program was not.
good() {
	check "$1: the summary has each number" rows "$2/summary.md"
	check "$1: and says that all is well" grep -qx '### BPF programs on 2 kernels: all 6 loaded' "$2/summary.md"
	check "$1: JUnit has a case a program and kernel" junit "$2/junit.xml" 12 0
	check "$1: SARIF has no result" sarif "$2/sarif.json" 0
	# With `result` of each apart, since that is a document of its own.
	jq '.runs[].result |= {}' "$2/result.json" >"$work/kernels.json"
	keys kernels "$work/kernels.json"
}
bad() {
	check "$1: the summary has each number" rows "$2/summary.md"
	check "$1: and what failed on both kernels" grep -qx \
		'| `reject.bpf.o` | `rejected_null_unchecked` | ✗ | ✗ |' "$2/summary.md"
	check "$1: and why" sh -c "grep -q '^<details>.*reject.bpf.c:$line: R0 invalid' '$2/summary.md' &&
		grep -q 'What to do:' '$2/summary.md'"
	check "$1: JUnit has both failures, with their place" junit "$2/junit.xml" 16 2
	check "$1: SARIF has one result, at its line" sarif "$2/sarif.json" 1
}
ended() {
	[ "$status" = "$1" ] || { echo "wanted $1" && tail -n 12 "$work/said" && return 1; }
}

# --- GitHub ---

project demo
job
check 'GitHub: what loads passes' ended 0
report=$project/ktstr-gdb-report
good GitHub "$report"
check 'GitHub: the job shows the summary' cmp "$report/summary.md" "$work/summary"
check 'GitHub: no annotation' test -s "$report/summary.md" -a "$(grep -c '^::error' "$work/said")" = 0
check 'GitHub: the packages were asked for' grep -q '^apt-get install .*libbpf-dev' "$work/played"
check 'GitHub: the outputs are files, and the key of the cache has the week' sh -c "cd '$project' &&
	ls \$(sed -n 's/^\\(result\\|junit\\|sarif\\)=//p' '$work/output') && grep -qx 'week=20[0-9][0-9]-[0-5][0-9]' '$work/output'"
job
check 'GitHub, again: the baseline is there, and nothing changed' sh -c "[ $status = 0 ] &&
	[ \$(grep -c '^### Since the baseline, on .*: nothing changed\$' '$work/summary') = 2 ]"
# That the baseline had less is made, and not waited for.
jq '(.runs[].result.programs[] | select(.name == "checksum_payload") | .verified_insns) = 5000' "$report/result.json" \
	>"$work/less" && cp "$work/less" "$report/result.json"
job
check 'GitHub: what costs much more than the baseline fails' ended 1
check 'GitHub: and the summary has it' sh -c "grep -q '^| .checksum_payload. | 5000 | 10508 | 5508 | 110.2 | changed |\$' \
	'$work/summary'"
cp "$work/less" "$report/result.json"
job 'fail-on: '
check 'GitHub: unless nothing is to fail' ended 0
cp "$work/less" "$report/result.json"
job 'fail-on: delta_pct > 200'
check 'GitHub: or not so little' ended 0

project demo reject
job
check 'GitHub: what is rejected fails the job' ended 1
bad GitHub "$report"
check 'GitHub: the job shows the summary' cmp "$report/summary.md" "$work/summary"
check 'GitHub: one annotation, with file and line' sh -c "[ \$(grep -c '^::error' '$work/said') = 1 ] &&
	grep -q '^::error file=src/reject.bpf.c,line=$line,title=rejected_null_unchecked%3A null-check::' '$work/said'"
job 'kernels: debian:bookworm' 'args: --name accepted'
check 'GitHub: arguments are those of collect' ended 0
check 'GitHub: and one kernel is enough' junit "$report/junit.xml" 1 0
job 'kernels: debian:bookworm'
check 'GitHub: the kernel of an old log names no file; the annotation does' grep -q \
	"^::error file=src/reject.bpf.c,line=$line," "$work/said"
job "kernels: $project/no-such-kernel"
check 'GitHub: a kernel that is not there is an error of its own' ended 3
check 'GitHub: the summary says so' grep -q '<summary>.*no-such-kernel</code> could not be tried' "$work/summary"
check 'GitHub: JUnit, too' grep -q '<error message="this kernel could not be tried">' "$report/junit.xml"
check 'GitHub: and an annotation' grep -q '^::error title=.*no-such-kernel could not be tried::' "$work/said"

# --- GitLab ---

# gitlab: the scripts of its job, as its runner joins them.
gitlab() {
	: >"$work/said"
	{
		echo 'set -eo pipefail'
		echo "export CI_PROJECT_DIR='$project' CI_SERVER_URL=https://gitlab.invalid CI=true"
		list examples/ci/gitlab.yml variables | sed 's/^\([A-Z_]*\): \(.*\)$/export \1="\2"/'
		echo "export KERNELS='$kernels'"
		list examples/ci/gitlab.yml before_script
		list examples/ci/gitlab.yml script
	} >"$work/gitlab.sh"
	(cd "$project" && PATH=$work/bin:$PATH timeout 300 bash "$work/gitlab.sh") >"$work/said" 2>&1 </dev/null
	status=$?
}
# reported DIR: what the recipe names as its report is there.
reported() {
	sed -n 's/^ *junit: //p' examples/ci/gitlab.yml | (cd "$project" && xargs ls)
}
project demo
: >"$work/played"
gitlab
check 'GitLab: what loads passes' ended 0
good GitLab "$project/report"
check 'GitLab: the report is where the recipe says' reported
check 'GitLab: the tool was cloned from where the recipe says' grep -q \
	'^git clone .* https://gitlab.invalid/OWNER/ktstr-gdb.git ktstr-gdb$' "$work/played"
project demo reject
gitlab
check 'GitLab: what is rejected fails the job' ended 1
bad GitLab "$project/report"
check 'GitLab: no commands of GitHub' test "$(grep -c '^::' "$work/said")" = 0

# --- make ---

# made: "make check-bpf" in the project, whose Makefile includes ours.
made() {
	(
		cd "$project" && make all && echo "include $here/examples/ci/Makefile" >>Makefile &&
			timeout 300 make check-bpf KTSTR_GDB_DIR="$here" KTSTR_GDB="$tool"
	) >"$work/said" 2>&1 </dev/null
	status=$?
}
project demo
made
check 'make: what loads passes' ended 0
good make "$project/report"
project demo reject
made
check 'make: what is rejected is an error' ended 2
bad make "$project/report"

# --- names and messages that want to be more than that ---

cat >"$work/bin/liar" <<END
#!/bin/sh
[ "\$1" = collect ] || exec "$tool" "\$@"
for to; do :; done
cp "$work/lies.json" "\$to"
echo ::error::printed
echo ::error::printed >&2
exit 1
END
chmod +x "$work/bin/liar"
jq -n '("a|b`c</pre>&]]>\u0001\u001b[31m\uffff\n::error::named\n") as $lie | {schema: "ktstr-gdb.programs.v1",
	kernel: {release: $lie}, programs: [], failed: [range(2) | {order: ., object: $lie, name: "\($lie)\(.)",
	class: $lie, message: $lie, file: $lie, line: 1, log: (if . == 0 then null else $lie end)}]}' >"$work/lies.json"
(
	cd "$work" && GITHUB_ACTIONS=true KTSTR_GDB=$work/bin/liar "$here/examples/ci/objects" lies x.bpf.o --kernel x
) >"$work/said" 2>&1
status=$?
check 'lies: the exit status is that of collect' ended 1
# As a runner reads it: after "stop-commands" no line is one, until the token.
awk 'token == "" && /^::stop-commands::/ { token = "::" substr($0, 18) "::"; next }
	$0 == token { token = ""; next }
	token == "" && /^::/' "$work/said" >"$work/commands"
check 'lies: no command of GitHub but ours' test "$(wc -l <"$work/commands"):$(grep -c '^::error file=a|b' \
	"$work/commands")" = 2:2
if command -v xmllint >/dev/null; then
	check 'lies: JUnit is well-formed' xmllint --noout "$work/lies/junit.xml"
else
	skip 'lies: JUnit is well-formed' 'there is no xmllint'
fi
check 'lies: a program is a row of three cells' test "$(sed 's/[\]|//g' "$work/lies/summary.md" |
	grep -c '^| [^|]* | [^|]* | ✗ |$')" = 2
check 'lies: no element of HTML is closed by them' test "$(sed 's/`[^`]*`//g' "$work/lies/summary.md" |
	grep -o '</pre>' | wc -l)" = 2
check 'lies: their logs stay where logs are' test "$(ls "$work/lies/logs" | wc -l)" = 2
plan
