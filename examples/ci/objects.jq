# SPDX-License-Identifier: LGPL-2.1-or-later
# The forms that `objects` gives a result of `ktstr-gdb collect --save`; $form says which.

# --- texts ---

# XML has no other control characters, not even escaped.
def xml: [explode[] | if . < 32 and (. != 9 and . != 10) or (. >= 65534 and . <= 65535) then 63 else . end] |
	implode | @html;
# In Markdown, a table too. A name may have any character.
def code: "`" + (gsub("[\r\n]"; " ") | gsub("`"; "\u0027") | gsub("\\|"; "\\|")) + "`";
# In a line of HTML, in which Markdown is nothing.
def html_code: "<code>" + (gsub("[\r\n]"; " ") | @html) + "</code>";
def escaped: gsub("%"; "%25") | gsub("\r"; "%0D") | gsub("\n"; "%0A");
def property: escaped | gsub(":"; "%3A") | gsub(","; "%2C");

# --- a failed program ---

def place: if .file and .line then "\(.file):\(.line)" else null end;
def title: (if place then place + ": " else "" end) + (.message // "it was not loaded") +
	(if .class then " [\(.class)]" else "" end);
# "" is the object itself.
def program: if (.name // "") == "" then "the object" else .name end;

def failures: [.runs[] | .name as $kernel | .result.failed[]? | . + {kernel: $kernel}];

# [failure, ...] to the same, each with the file of its log and what `log --last` says of it.
def with_texts: [., $ARGS.named.told[0]] | transpose | map(.[0] + {log_file: .[1].log, text: .[1].text});

# Those with the same error on several kernels are one, which has the log of the kernel that says most.
def errors: with_texts | to_entries | map(.value + {at: .key}) | group_by([.object, .name, .file, .line, .message]) |
	map({at: map(.at) | min, kernels: map(.kernel) | join(", ")} as $all |
		(map(select((.file // "") as $f | .line as $l | (.log // "") | contains(" @ \($f):\($l)"))) + .)[0] + $all) |
	sort_by(.at);

# --- forms ---

# A result of one kernel is that of several. null is no result at all.
def normal:
	($ARGS.named.kernels | split("\n") | map(select(. != ""))) as $given |
	if . == null then
		{schema: "ktstr-gdb.kernels.v1", runs: [($given | if . == [] then ["no kernel"] else . end)[] |
			{kernel: ., name: ., exit_status: $ARGS.named.status, messages: $ARGS.named.messages, result: null}]}
	elif has("runs") then .
	else {schema: "ktstr-gdb.kernels.v1", runs: [{kernel: ($given[0] // .kernel.release), name: .kernel.release,
		exit_status: $ARGS.named.status, messages: $ARGS.named.messages, result: .}]}
	end;

def testcase:
	"    <testcase classname=\"\(.object | xml)\" name=\"\(program | xml)\" time=\"\(
		(.verification_time_us // 0) / 1000000)\"" +
	(if .failed and .attach then
		">\n      <failure message=\"not attached: \(.attach_place // .attach | xml)\"/>\n    </testcase>"
	elif .failed then
		(if place then " file=\"\(.file | xml)\" line=\"\(.line)\"" else "" end) +
		">\n      <failure message=\"\(title | xml)\">\(.text | xml)</failure>\n    </testcase>"
	else "/>" end);

def junit:
	(failures | with_texts) as $failed |
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
	"<testsuites>",
	(.runs[] | .name as $kernel |
		([(.result.programs[]? | . + {failed: (.attach != null and .attach != "attached")}),
			($failed[] | select(.kernel == $kernel) | . + {failed: true})] | sort_by(.order)) as $cases |
		([$cases[] | select(.failed)] | length) as $failures |
		(if .result == null then 1 else 0 end) as $errors |
		"  <testsuite name=\"\($kernel | xml)\" tests=\"\(($cases | length) + $errors)\" " +
			"failures=\"\($failures)\" errors=\"\($errors)\">",
		($cases[] | testcase),
		(if $errors == 1 then
			"    <testcase classname=\"kernel\" name=\"\($kernel | xml)\">",
			"      <error message=\"this kernel could not be tried\">\(.messages | xml)</error>",
			"    </testcase>"
		else empty end),
		"  </testsuite>"),
	"</testsuites>";

# Kernels that could not be tried for the same reason are one.
def untried: [.runs[] | select(.result == null)] | group_by(.messages)[] |
	{name: map(.name) | join(", "), messages: .[0].messages | rtrimstr("\n")};

# The programs in the order in which they come first.
def rows: reduce (.runs[] | [.result.programs[]?, .result.failed[]?] | sort_by(.order)[] | {object, program: program}) as $p
	([]; if index($p) then . else . + [$p] end);

def cell($row):
	if .result == null then "?"
	elif any(.result.failed[]?; .object == $row.object and program == $row.program) then "✗"
	else ([.result.programs[]? | select(.object == $row.object and .name == $row.program) | .verified_insns // "?"] |
		if . == [] then "" else .[0] | tostring end)
	end;

def markdown:
	. as $all | rows as $rows | failures as $failed |
	([untried]) as $untried |
	([$failed[] | [.object, .name]] | unique | length) as $bad |
	([.runs[] | select(.result) | .exit_status] | any(. != 0)) as $other |
	"### BPF programs on \(.runs | length) kernel\(if (.runs | length) == 1 then "" else "s" end): " +
		(if $bad > 0 then "\($bad) of \($rows | length) rejected"
			elif ($untried | length) > 0 then "not all could be tried"
			elif $other then "all \($rows | length) loaded, but not all is well; see the log of the job"
			else "all \($rows | length) loaded" end),
	"",
	(if $rows == [] then empty else
		"| object | program | " + ([.runs[].name | code] | join(" | ")) + " |",
		"|---|---|" + ([.runs[] | "--:|"] | add),
		($rows[] | . as $row | "| \(.object | code) | \(.program | code) | " + ([$all.runs[] | cell($row)] | join(" | ")) + " |"),
		"",
		"A number is `verified_insns`, what the verifier processed. ✗: not loaded." +
			(if ($untried | length) > 0 then " ?: not tried." else "" end),
		""
	end),
	($failed | errors | .[:50][] |
		"<details><summary>\(program | html_code) on \(.kernels | html_code): \(title | html_code)</summary>",
		"",
		"<pre>\(.text[:12000] | @html)</pre>",
		"</details>",
		""),
	($untried[] |
		"<details><summary>\(.name | html_code) could not be tried</summary>",
		"",
		"<pre>\(.messages[:4000] | @html)</pre>",
		"</details>",
		"");

def changes:
	([.rows[] | select(.status != "unchanged")]) as $rows |
	"### Since the baseline, on \($ARGS.named.kernel | code): " +
		(if $rows == [] then "nothing changed" else "\($rows | length) of \(.rows | length) programs changed" end),
	"",
	(if $rows == [] then empty else
		"| program | before | now | delta | % | |",
		"|---|--:|--:|--:|--:|---|",
		($rows[] | "| \(.name | code) | \(.a // "") | \(.b // "") | \(.delta // "") | \(
			if .delta_pct == null then "" else .delta_pct * 10 | round / 10 end) | \(.status) |"),
		""
	end),
	(if $ARGS.named.messages == "" then empty else "<pre>\($ARGS.named.messages | @html)</pre>", "" end);

if $form == "normal" then normal
elif $form == "failures" then failures[] | {kernel, object, program: program, place: place, log} | tojson
elif $form == "errors" then failures | errors[] | {log: .log_file, kernels, annotation:
	("::error " + (if place then "file=\(.file | property),line=\(.line)," else "" end) +
	"title=\("\(.object): \(program)" | property)::\("\(.message // "it was not loaded")\nOn \(.kernels)" | escaped)")} | tojson
elif $form == "untried" then untried |
	"::error title=\("\(.name) could not be tried" | property)::\(.messages | escaped)"
elif $form == "junit" then junit
elif $form == "markdown" then markdown
elif $form == "pairs" then .runs as $after | $ARGS.named.before[0].runs as $before |
	$after[] | select(.result) | . as $now |
	([$before[] | select(.result and (.kernel == $now.kernel or .name == $now.name or
		(($before | length) == 1 and ($after | length) == 1)))][0] // empty) |
	{kernel: $now.name, before: .result, after: $now.result} | tojson
elif $form == "changes" then changes
else error("no such form: \($form)") end
