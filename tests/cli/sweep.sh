#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# ktstr-gdb sweep without a guest: what is declared, what is run, what is kept when it is killed. QEMU
# is a script here, whose guests never come up, and come to nothing in the same way each time. TAP.
. "$(dirname "$0")/../guest/lib"
mkdir "$work/bin" "$work/tmp"
export TMPDIR="$work/tmp" XDG_CACHE_HOME="$work/cache"
unset XDG_RUNTIME_DIR KTSTR_VERIFIER_RESULT_DIR
cat >"$work/bin/qemu-system-x86_64" <<'S'
#!/bin/sh
case "$*" in *-version* | *help*) exit 0 ;; esac
if [ -n "${QEMU_STARTED:-}" ]; then
	# All but the first so many stay until there is $QEMU_STARTED.over.
	echo started >>"$QEMU_STARTED"
	tries=600
	[ "$(wc -l <"$QEMU_STARTED")" -gt "$QEMU_ENDS" ] || tries=0
	while [ $tries -gt 0 ] && ! [ -e "$QEMU_STARTED.over" ]; do
		tries=$((tries - 1))
		sleep 0.1
	done
else
	sleep "0.$((2 + $$ % 3))"
fi
echo "qemu-system-x86_64: this one boots nothing" >&2
exit 1
S
chmod +x "$work/bin/qemu-system-x86_64"
PATH=$work/bin:$PATH
# Of this architecture: other tests fetch those of others into the same place.
kernel=$(ls -d "${XDG_KERNELS:-$HOME/.cache/ktstr-gdb/kernels}"/*-"$(dpkg --print-architecture)"/vmlinuz 2>/dev/null | head -n 1)
[ -n "$kernel" ] || skip_all 'no kernel image in the cache'
object=$here/build/bpf/demo.bpf.o
[ -s "$object" ] || skip_all 'no BPF object'

conf() {
	cat >"$work/sweep.conf"
}

# becomes COMMAND...: waits until it succeeds, a minute or two at most.
becomes() {
	for _ in $(seq 600); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	return 1
}

# refused NAME PATTERN: what is wrong with the file that conf had.
refused() {
	run sweep "$work/sweep.conf" --list
	says "$1" 3 "$2"
}

# --- what is wrong with a file is said, and where ---

run sweep "$work/none.conf"
says 'no such file' 3 'cannot read the sweep file .*none.conf: No such file.*sweep --help'
conf </dev/null
refused 'an empty file' 'sweep.conf: no schedulers are declared'
echo 'schedulers = ( { name = "a" ' | conf
refused 'one that breaks off' 'sweep.conf:[0-9]+: '
echo 'shedulers = ();' | conf
refused 'a setting that is none' 'sweep.conf:1: "shedulers" is no setting here; there are schedulers, kernels'
conf <<E2
schedulers = ( { scheduler = "/bin/true"; },
	{ scheduler = "/usr/bin/true"; } );
E2
refused 'a name twice' 'sweep.conf:2: there is a scheduler "true" already'
echo 'schedulers = ( { name = "a/b"; scheduler = "/bin/true"; } );' | conf
refused 'a name with a slash' 'sweep.conf:1: the name "a/b" has a "/"'
echo 'schedulers = ( { name = "a"; } );' | conf
refused 'nothing to load' 'sweep.conf:1: either scheduler = "PATH" or objects'
echo 'schedulers = ( { scheduler = "x"; cpus = [9, 4]; } );' | conf
refused 'an empty range' 'sweep.conf:1: an empty range: 9 is more than 4'
echo 'kernels = ( "debian:" );' | conf
refused 'a kernel that is none' 'sweep.conf:1: "debian:" is no kernel: debian:SUITE'
echo 'kernels = ( "debain:trixie" );' | conf
refused 'a kernel that is misspelt' 'sweep.conf:1: "debain:trixie" is no kernel: debian:SUITE, .*or a path'
echo 'topologies = ( "5cpu" );' | conf
refused 'a topology that is none' 'sweep.conf:1: "5cpu" is no topology preset'
head -c 2000000 /dev/zero | conf
refused 'a large file' 'it is too large'
head -c 500 /dev/urandom | conf
run sweep "$work/sweep.conf" --list
check 'random bytes' test "$status" = 3

# --- cells ---

conf <<E2
schedulers = (
	{ name = "any"; objects = ["$object"]; },
	{ name = "small"; objects = ["$object"]; cpus = [1, 4]; },
	{ name = "many caches"; objects = ["$object"]; llcs = [2, 0]; }
);
kernels = ( { name = "one"; image = "$kernel"; }, { name = "two"; image = "$kernel"; } );
topologies = ( "4cpu-1llc-nosmt", "4cpu-2llc-nosmt", "9cpu-3llc-nosmt", "2numa-16cpu-4llc-nosmt" );
accel = "tcg"; timeout = 100;
E2
run sweep "$work/sweep.conf" --list
check '--list: all that the limits allow' test "$(wc -l <"$work/out")" = 18
check 'and how many they do not' grep -q '6 combinations are ruled out' "$work/err"
check 'a limit on CPUs' sh -c "! grep -q 'small/.*/9cpu' '$work/out'"
check 'a limit on caches' sh -c "! grep -q 'caches/.*/4cpu-1llc' '$work/out' && grep -q 'caches/one/4cpu-2llc' '$work/out'"
run sweep "$work/sweep.conf" --list --filter 'any/two/*'
check '--filter' test "$(wc -l <"$work/out")" = 4
run sweep "$work/sweep.conf" --list --filter 'any/two/*' --filter 'verifier/small/one/4cpu-1llc*'
check '--filter again: those, too' test "$(wc -l <"$work/out")" = 5
run sweep "$work/sweep.conf" --list --scheduler small
check '--scheduler' test "$(wc -l <"$work/out")" = 4
run sweep "$work/sweep.conf" --cell verifier/any/one/none
says 'a cell that is none' 3 'has no cell "verifier/any/one/none"; --list has'

# --- sets of values for variables: cells of their own ---

# with_sets SETS: the plan that has them; the first is in line 2.
with_sets() {
	conf <<E2
schedulers = ( { name = "g"; objects = ["$globals"]; sets = (
	$1 ); }, { name = "plain"; objects = ["$globals"]; } );
kernels = ( { name = "one"; image = "$kernel"; } ); topologies = ( "4cpu-1llc-nosmt" ); accel = "tcg";
E2
}
cp "$work/sweep.conf" "$work/good.conf"
globals=$here/build/bpf/globals.bpf.o
echo '{"bound": 9}' >"$work/rodata.json"
echo 'mode = MODE_OFF' >"$work/presets"
with_sets '{ name = "n1"; set = ["bound=1", "@presets"]; }, { name = "n24"; rodata = "rodata.json"; }'
(cd / && "$tool" sweep "$work/sweep.conf" --list) >"$work/out"
printf 'verifier/%s/one/4cpu-1llc-nosmt\n' g+n1 g+n24 plain >"$work/expected"
check 'a set is a cell; files are found from the plan' cmp "$work/out" "$work/expected"
run sweep "$work/sweep.conf" --list --filter 'g+*/one/*'
check '--filter: cells with sets' test "$(wc -l <"$work/out")" = 2
with_sets '{ name = "n1"; set = ["bound=1"]; },
	{ name = "n24"; set = ["verbose=true", "bund=24"]; }'
refused 'a variable that is in no object' "sweep.conf:3: set: .*no variable 'bund'; near it: bound"
check 'that is one line' test "$(wc -l <"$work/err")" = 1
run sweep "$work/sweep.conf" --results "$work/sets" --jobs 1
says 'it is told before the first cell' 3 "sweep.conf:3: set: .*no variable 'bund'; near it: bound"
check 'and there is no record' test ! -e "$work/sets"
run sweep "$work/sweep.conf" --results "$work/sets" --cell g+n1/one/4cpu-1llc-nosmt
check 'a cell does not mind the sets of others' grep -q 'g+n1/.*: FAIL: QEMU exited with status 1' "$work/err"
run sweep "$work/sweep.conf" --results "$work/sets" --cell g+n24/one/4cpu-1llc-nosmt
check 'but its own' grep -q "g+n24/.*: FAIL: .*sweep.conf:3: set: .*no variable 'bund'" "$work/err"
check 'records are by the name of the set' test \
	"$(jq -rs '[.[].scheduler] | sort | join(" ")' "$work"/sets/*.json)" = 'g+n1 g+n24'
with_sets '{ name = "n1"; set = ["bound=4294967296"]; }'
refused 'a value that does not fit' 'sweep.conf:2: set: .*bound: .* does not fit'
with_sets '{ name = "n1"; rodata = "none.json"; }'
refused 'a file that is not there' 'sweep.conf:2: rodata: .*none.json: no such file'
with_sets '{ name = "n1"; }, { name = "n1"; }'
refused 'a set twice' 'sweep.conf:2: there is a scheduler "g\+n1" already'
globals=/nowhere.bpf.o
with_sets '{ name = "n1"; set = ["bound=1"]; }'
run sweep "$work/sweep.conf" --list
check 'an object that is not there is for its cells to tell' test "$(wc -l <"$work/out")" = 2
cp "$work/good.conf" "$work/sweep.conf"

# --- one run through ---

run sweep "$work/sweep.conf" --results "$work/through" --jobs 4
check 'cells of which nothing can be found out: exit status 3' test "$status" = 3
check 'a line a cell' test "$(grep -c ': FAIL: QEMU exited with status 1' "$work/err")" = 18
check 'the grid' grep -q '18 cells: 0 passed, 18 failed' "$work/out"
check 'a record a cell' test "$(ls "$work/through" | grep -c '\.json$')" = 18
check 'schedulers in the order of the file' grep -Eq '^TOPOLOGY +any +small +many caches$' "$work/out"
check 'a record tells who wrote it, and from which file' jq -es --arg f "$work/sweep.conf" --arg h "$(uname -n)" \
	'all(.[]; .file == $f and .host == $h and .version != null) and
	([.[] | "\(.place) \(.scheduler)"] | unique) == ["1 any", "2 small", "3 many caches"]' "$work"/through/*.json
run report "$work/through"
cp "$work/out" "$work/through.txt"
check 'report shows it again' grep -q 'any / two / 9cpu-3llc-nosmt: QEMU exited with status 1' "$work/out"
run sweep "$work/sweep.conf" --results "$work/through" --filter 'any/one/4cpu-1llc-nosmt' --json
check '--json: an object a cell' jq -es 'length == 1 and .[0].cell == "verifier/any/one/4cpu-1llc-nosmt" and
	.[0].state == "fail"' "$work/out"
keys 'sweep progress'
keys 'cell record' "$(ls "$work"/through/*.json | head -n 1)"
run sweep "$work/sweep.conf" --results "$work/retried" --filter 'any/one/4cpu-1llc-nosmt' --retries 2
check '--retries' jq -e '.attempts == 3' "$work"/retried/*.json
KTSTR_VERIFIER_RESULT_DIR=$work/env run sweep "$work/sweep.conf" --cell any/one/4cpu-1llc-nosmt
check 'a cell by its name alone, results from the environment' test -s "$(ls "$work"/env/*.json)"
check 'its exit status: it could not be found out' test "$status" = 3

# --- by an engine of others ---

if command -v parallel >/dev/null; then
	run sweep "$work/sweep.conf" --results "$work/parallel" --jobs 4 --engine parallel
	check '--engine parallel: the same exit status' test "$status" = 3
	run report "$work/parallel"
	check '--engine parallel: the same report' cmp "$work/out" "$work/through.txt"
else
	skip '--engine parallel' 'GNU parallel is not here'
fi
run sweep "$work/sweep.conf" --results "$work/none" --engine pbs
says 'an engine that is none' 2 '--engine takes local, parallel or slurm, not "pbs"'

# --- a record stays until its cell starts ---

cp -r "$work/through" "$work/again"
records() { (cd "$work/again" && sha256sum -- *.json); }
records >"$work/records"
# kept NAME: all records are those of before.
kept() {
	records >"$work/records.now"
	check "$1" cmp "$work/records" "$work/records.now"
}
env PATH=/nowhere "$tool" sweep "$work/sweep.conf" --results "$work/again" --engine slurm \
	>"$work/out" 2>"$work/err" </dev/null
status=$?
says 'an engine that is not there' 3 'sbatch is not installed'
kept 'an engine that is not there costs no record'
run sweep "$work/sweep.conf" --results "$work/again" --resume --list
check 'nor does --resume find anything to do then' test ! -s "$work/out"
cp "$work/sweep.conf" "$work/good.conf"
sed "s|\"$kernel\"|\"/nowhere/vmlinuz\"|g" "$work/good.conf" | conf
run sweep "$work/sweep.conf" --results "$work/again"
check 'no kernel: exit status 3' test "$status" = 3
check 'no kernel: it is said' grep -q '18 cells did not start; their records from before are kept' "$work/err"
kept 'a kernel that is not there costs no record'
sed "s|\"$object\"|\"/nowhere.bpf.o\"|" "$work/good.conf" | conf
run sweep "$work/sweep.conf" --results "$work/again"
check 'no scheduler: exit status 3' test "$status" = 3
kept 'a scheduler that is not there costs no record'
run sweep "$work/sweep.conf" --results "$work/none-before" --filter 'any/one/4cpu-1llc-nosmt'
check 'without a record from before, its absence is one' grep -q '"error".*cannot read /nowhere.bpf.o' \
	"$work"/none-before/*.json
# CSI as one character, U+009B: a terminal obeys it.
csi=$(printf '\302\233')
sed "s|\"$kernel\"|\"/nowhere/${csi}31m\"|g" "$work/good.conf" | conf
run sweep "$work/sweep.conf" --results "$work/csi" --filter 'any/one/4cpu-1llc-nosmt' --json
check '--json: a control character in a reason is escaped' grep -qF '\u009B31m' "$work/out"
check 'and not there as it is' sh -c "! LC_ALL=C grep -qF '$csi' '$work/out'"
check '--json: a duration has 15 digits at most' sh -c "! grep -Eq '\"duration_s\": *[0-9.]*[1-9][0-9.]{16}' '$work/out'"
cp "$work/good.conf" "$work/sweep.conf"
# The first cell is done when the QEMU of the second has started; that one ends only with its cell.
QEMU_STARTED=$work/started3 QEMU_ENDS=1 "$tool" sweep "$work/sweep.conf" --results "$work/again" \
	--jobs 1 >"$work/out" 2>"$work/err" &
pid=$!
becomes sh -c "test \"\$(wc -l <'$work/started3')\" = 2"
kill -INT $pid
wait $pid
records >"$work/records.now"
check 'Ctrl-C: cells that did not start keep their records' test "$(wc -l <"$work/records.now")" = 17
check 'the others are as they were' test "$(grep -cxFf "$work/records" "$work/records.now")" = 16
run sweep "$work/sweep.conf" --results "$work/again" --resume --list
check '--resume goes on with all that did not start' test "$(wc -l <"$work/out")" = 17
run sweep "$work/sweep.conf" --results "$work/again" --jobs 4 --resume
check 'and runs them' test "$(grep -c ': FAIL: QEMU exited with status 1' "$work/err")" = 17
records >"$work/records.now"
check 'so that no record from before is left' sh -c "! grep -qxFf '$work/records' '$work/records.now'"
check 'each at its first try' sh -c "jq -s '[.[].attempts] | unique == [1]' '$work'/again/*.json | grep -q true"

# --- a terminal ---

# The last two cells run on until the line is there.
QEMU_STARTED=$work/started QEMU_ENDS=2 TERM=xterm script -qec "stty cols 200; '$tool' sweep '$work/sweep.conf' \
	--results '$work/terminal' --jobs 2 --filter 'any/one/*'" /dev/null </dev/null >"$work/out" 2>&1 &
pid=$!
check 'a terminal: done, running, failed, left' becomes grep -aqE \
	'2 of 4 cells, 2 running, 2 failed, about [0-9]+ s left: any/one/' "$work/out"
: >"$work/started.over"
wait $pid
rm "$work/started" "$work/started.over"
QEMU_STARTED=$work/started QEMU_ENDS=2 TERM=xterm script -qec "stty cols 60; '$tool' sweep '$work/sweep.conf' \
	--results '$work/terminal' --jobs 2 --filter 'any/one/*'" /dev/null </dev/null >"$work/out" 2>&1 &
pid=$!
check 'a narrow terminal: the same' becomes grep -aq '2 of 4 cells, 2 running, 2 failed' "$work/out"
: >"$work/started.over"
wait $pid
# What is drawn over and over begins with CR and "erase the line".
tr '\r' '\n' <"$work/out" | sed -n "s/^$(printf '\033')\[K//p" | grep -a 'cells,' >"$work/drawn"
check 'and no line of progress is wider than it' sh -c \
	"test -s '$work/drawn' && awk 'length(\$0) > 59 {exit 1}' '$work/drawn'"

# --- a full disk, and kernels on which nothing can run ---

if unshare -rm true 2>/dev/null; then
	mkdir "$work/disk"
	unshare -rm sh -c "mount -t tmpfs -o size=64k none '$work/disk' && head -c 40000 /dev/zero >'$work/disk/x'
		'$tool' sweep '$work/sweep.conf' --results '$work/disk'" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	says 'a full disk' 3 'the disk of the result directory .*/disk is full: No space left on device; --results'
else
	skip 'a full disk' 'no namespace of mounts'
fi
old=$(ls -d "${XDG_KERNELS:-$HOME/.cache/ktstr-gdb/kernels}"/bookworm*-amd64/vmlinuz 2>/dev/null | head -n 1)
if [ -n "$old" ]; then
	cat >"$work/old.conf" <<E2
schedulers = ( { name = "mine"; scheduler = "/bin/true"; } );
kernels = ( { name = "old"; image = "$old"; } );
topologies = ( "4cpu-1llc-nosmt", "4cpu-2llc-nosmt" );
E2
	run sweep "$work/old.conf" --results "$work/old"
	says 'no kernel has sched_ext' 3 'no cell can run: of these kernels none has sched_ext'
	check 'that is one line' test "$(wc -l <"$work/err")" = 1
	check 'and no table' test ! -s "$work/out"
else
	skip 'no kernel has sched_ext' 'no kernel of bookworm in the cache'
fi

# --- killed at any moment, and resumed ---

moment=0
seed=$$
while [ $moment -lt 20 ]; do
	moment=$((moment + 1))
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	"$tool" sweep "$work/sweep.conf" --results "$work/killed" --jobs 4 --resume >/dev/null 2>&1 &
	pid=$!
	sleep "0.$((seed / 65536 % 900 + 100))"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
done
echo "# records after 20 kills: $(ls "$work/killed" | grep -c '\.json$') of 18"
echo "$work/killed" >"$work/pattern" # so that grep itself does not have it
# shellcheck disable=SC2317
none_left() {
	for _ in $(seq 300); do
		grep -alF -f "$work/pattern" /proc/[0-9]*/cmdline 2>/dev/null || return 0
		sleep 0.2
	done
	return 1
}
check 'what a killed sweep ran has ended with it' none_left
run sweep "$work/sweep.conf" --results "$work/killed" --jobs 4 --resume
run report "$work/killed"
check 'killed 20 times and resumed: the same report' cmp "$work/out" "$work/through.txt"
run sweep "$work/sweep.conf" --results "$work/killed" --resume
check '--resume with nothing left runs nothing' sh -c "! grep -q FAIL: '$work/err'"
check 'and has the exit status of the whole' test "$status" = 3
check 'and says so' grep -q 'nothing is left to run' "$work/err"
run sweep "$work/sweep.conf" --results "$work/killed" --resume --list
check '--resume --list: nothing is left' test ! -s "$work/out"
run sweep "$work/sweep.conf" --results "$work/killed" --filter 'nothing*'
says 'a filter that nothing matches' 3 'no cell of .*sweep.conf matches --filter "nothing\*"; --list has'
run sweep "$work/sweep.conf" --results "$work/killed" --scheduler nope
says 'a scheduler that is none' 2 'sweep.conf has no scheduler "nope"; there are any, small, many caches'
run sweep "$work/sweep.conf" --cell small/one/9cpu-3llc-nosmt
says 'a cell that is ruled out' 3 'small/one/9cpu-3llc-nosmt is ruled out by the limits'
run sweep "$work/sweep.conf" --results "$work/killed" --filter 'small/one/4cpu-1llc-nosmt'
check 'only what was swept is shown' grep -q '^1 cells\{0,1\}: 0 passed, 1 failed' "$work/out"
check 'and that there is more' grep -q '17 records of other cells in .* are not shown' "$work/err"
# The first cell is done when the QEMU of the second has started; that one ends only with its cell.
QEMU_STARTED=$work/started2 QEMU_ENDS=1 "$tool" sweep "$work/sweep.conf" --results "$work/interrupted" \
	--jobs 1 >"$work/out" 2>"$work/err" &
pid=$!
becomes sh -c "test \"\$(wc -l <'$work/started2')\" = 2"
kill -INT $pid
wait $pid
status=$?
check 'Ctrl-C: exit status 3' test "$status" = 3
check 'it is said, and how to go on' grep -q '^ktstr-gdb: cancelled; what is done is kept; --resume goes on' "$work/err"
check 'no cell that was cut off has a record' test "$(ls "$work/interrupted" | grep -c '\.json$')" = \
	"$(grep -c ': FAIL: QEMU exited' "$work/err")"
check 'what is done is kept' test "$(ls "$work/interrupted" | grep -c '\.json$')" = 1
check 'no directory of a guest is left' test -z "$(ls -A "$work/tmp")"

# A fetcher of kernels that does not end by itself, nor does what it started.
cat >"$work/bin/fetch" <<'S'
#!/bin/sh
trap 'echo >"$FETCHING.cleaned"; exit 143' TERM
sleep 1000 &
echo $! >"$FETCHING.new"
mv "$FETCHING.new" "$FETCHING"
wait
S
chmod +x "$work/bin/fetch"
sed 's|image = "[^"]*"|image = "debian:trixie"|' "$work/sweep.conf" >"$work/fetched.conf"
cp -r "$work/interrupted" "$work/fetched"
FETCHING=$work/fetching KTSTR_FETCH_KERNEL=$work/bin/fetch "$tool" sweep "$work/fetched.conf" \
	--results "$work/fetched" >"$work/out" 2>"$work/err" &
pid=$!
becomes test -s "$work/fetching"
kill -INT $pid
wait $pid
status=$?
check 'Ctrl-C while a kernel is fetched: exit status 3' test "$status" = 3
check 'it is said, and how to go on' grep -q '^ktstr-gdb: cancelled; .*--resume goes on' "$work/err"
"$tool" sweep "$work/fetched.conf" --list >"$work/all"
"$tool" sweep "$work/fetched.conf" --results "$work/fetched" --resume --list >"$work/left"
check '--resume runs all that was chosen' cmp "$work/all" "$work/left"
check 'and no result is lost' cmp "$work/fetched"/*.json "$work/interrupted"/*.json
check 'the fetcher could clean up' test -e "$work/fetching.cleaned"
check 'what it started has ended' becomes sh -c "! grep -qs '^State:.[^Z]' /proc/$(cat "$work/fetching")/status"

# --- cargo ---

cat >"$work/bin/cargo" <<'S'
#!/bin/sh
printf '%s\n' "$@" >"$CARGO_ARGS"
mkdir -p "$KTSTR_VERIFIER_RESULT_DIR"
[ "$CARGO_RECORDS" = 0 ] ||
	echo '{"scheduler": "mine", "kernel": "6.18", "topology": "4cpu-1llc-nosmt", "passed": '"$CARGO_PASSED"', "stats": [{"name": "enqueue", "verified_insns": 383}]}' \
		>"$KTSTR_VERIFIER_RESULT_DIR/one.json"
exit "$CARGO_STATUS"
S
chmod +x "$work/bin/cargo"
export CARGO_ARGS="$work/args" CARGO_PASSED=true CARGO_STATUS=0 CARGO_RECORDS=1
run sweep --nextest --results "$work/nextest" --profile ci -- --retries 2 'a b'
prints '--nextest: what the records say' 0 '^6.18 +383'
cat >"$work/args.expected" <<'A'
nextest
run
--run-ignored
all
--no-tests
pass
-E
test(/^verifier/) & !test(/^verifier::/)
--profile
ci
--retries
2
a b
A
check '--nextest: how cargo is run' cmp "$work/args" "$work/args.expected"
CARGO_PASSED=false CARGO_STATUS=100 run sweep --nextest --results "$work/nextest"
check 'a cell fails: its exit status, and no more words' sh -c "test $status = 100 && ! test -s '$work/err'"
CARGO_STATUS=101 run sweep --nextest --results "$work/nextest"
check 'no cell fails: its exit status, and why' sh -c "test $status = 101 && test -s '$work/err'"
CARGO_RECORDS=0 run sweep --nextest --results "$work/nothing"
check 'no records are no success' sh -c "test $status = 1 && grep -q 'declared' '$work/err'"
rm "$work/bin/cargo"
PATH=$work/bin:/nonexistent run sweep --nextest --results "$work/nothing" 2>/dev/null
plan
