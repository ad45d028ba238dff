#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The table of the seed in docs/architecture.md: what it names is there, and tested there. TAP.
set -u
cd "$(dirname "$0")/.." || exit 1
table=$(mktemp)
trap 'rm -f "$table"' EXIT
sed -n '/^## The seed/,/^## [^T]/p' docs/architecture.md |
	sed -n 's/^| \(`.*`\) | \(.*\) | `\(.*\)` | \(.*\) |$/\1|\2|\3|\4/p' | tr -d '`' >"$table"
echo "1..$(($(wc -l <"$table") + 1))"

n=0
# line SEED HERE FILE TESTS
line() {
	here=$2
	[ "$here" = 'the same' ] && here=$1
	for name in $(echo "$here" | sed 's/struct //; s/enum //; s/,/ /g'); do
		grep -qw "$name" "$3" || echo "$name is not in $3"
	done
	for t in $(echo "$4" | sed 's/,/ /g'); do
		[ -s "$t" ] || echo "$t is not there"
	done
	# A test names the thing, or (the value of a name is what is used) its text.
	for t in $(echo "$4" | sed 's/,/ /g'); do
		for name in $(echo "$here" | sed 's/struct //; s/enum //; s/,/ /g; s/_DIR_ENV/_DIR/'); do
			grep -qF "$name" "$t" 2>/dev/null && return
		done
	done
	case $4 in *.sh*) ;; *) echo "no test of $1 names it" ;; esac
}
while IFS='|' read -r seed here file tests; do
	n=$((n + 1))
	why=$(line "$seed" "$here" "$file" "$tests")
	if [ -z "$why" ]; then
		echo "ok $n - seed: $seed"
	else
		echo "not ok $n - seed: $seed"
		echo "$why" | sed 's/^/# /'
	fi
done <"$table"

# Those that the seed document names, one a line; it is not a part of this repository.
n=$((n + 1))
missing=
for name in VerifierStats ProgStats DiffRow collect_verifier_output format_verifier_output \
	format_verifier_diff extract_verifier_log parse_verifier_stats normalize_verifier_line \
	detect_cycle collapse_cycles build_b_map build_diff_rows SCHED_OUTPUT_START SCHED_OUTPUT_END \
	parse_sched_output VerifierCellRecord VerifierVmResult AttachOutcome build_nextest_args \
	classify_run_outcome read_cell_records write_cell_record render_instruction_count_tables \
	render_result_table KTSTR_VERIFIER_RESULT_DIR_ENV MSG_TYPE_SCHED_LOG; do
	cut -d'|' -f1 "$table" | grep -qw "$name" || missing="$missing $name"
done
if [ -z "$missing" ]; then
	echo "ok $n - seed: nothing is missing"
else
	echo "not ok $n - seed: nothing is missing"
	echo "#$missing"
fi
