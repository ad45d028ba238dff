# SPDX-License-Identifier: LGPL-2.1-or-later
# docs/json.md as a man page: awk -v date=DATE -v version=VERSION -f json.awk docs/json.md
BEGIN {
	begun = 1
	print ".\\\" SPDX-License-Identifier: LGPL-2.1-or-later"
	printf ".TH KTSTR-GDB.JSON 5 %s \"ktstr-gdb %s\" \"ktstr-gdb\"\n", date, version
	print ".SH NAME\nktstr\\-gdb.json \\- the JSON documents of ktstr\\-gdb\n.SH DESCRIPTION"
}
# Plain text: no links, `words` and **words** bold.
function plain(s,    out, bold) {
	gsub(/\\\|/, "|", s)
	while (match(s, /\[[^]]*\]\([^)]*\)/)) {
		out = substr(s, RSTART + 1, RLENGTH - 1)
		sub(/\]\(.*/, "", out)
		s = substr(s, 1, RSTART - 1) out substr(s, RSTART + RLENGTH)
	}
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	out = ""
	bold = 0
	while (match(s, /`|\*\*/)) {
		bold = !bold
		out = out substr(s, 1, RSTART - 1) (bold ? "\\fB" : "\\fR")
		s = substr(s, RSTART + RLENGTH)
	}
	out = out s
	return out
}
# The same, in lines that are not too long; bold words stay whole.
function put(s,    n, words, i, line) {
	n = split(s, words, " ")
	line = ""
	for (i = 1; i <= n; i++) {
		if (line != "" && length(line) + length(words[i]) > 66) {
			flush_line(line)
			line = ""
		}
		line = line (line == "" ? "" : " ") words[i]
	}
	if (line != "")
		flush_line(line)
}
function flush_line(line) {
	if (line ~ /^[.']/)
		line = "\\&" line
	print line
}
/^# / { next }
/^```/ {
	code = !code
	print code ? ".PP\n.EX" : ".EE"
	next
}
code {
	gsub(/\\/, "\\e")
	gsub(/-/, "\\-")
	print (/^[.']/ ? "\\&" : "") $0
	next
}
/^##+ / {
	sub(/^##+ /, "")
	print (in_sections++ ? "" : ".SH DOCUMENTS\n") ".SS " plain($0)
	begun = 1
	next
}
/^\|[-| ]*$/ { next }
/^\| (key|schema|value) / { next }
/^\|/ {
	gsub(/\\\|/, "\001")
	n = split($0, cell, / *\| */)
	for (i = 1; i <= n; i++)
		gsub(/\001/, "|", cell[i])
	print ".TP\n" plain(cell[2])
	if (n > 4)
		put(plain(cell[3] ": " (cell[4] == "" ? "-" : cell[4]) (cell[5] == "" || cell[5] == "-" ? "" : ". " cell[5])))
	else
		put(plain(cell[3] == "" ? "-" : cell[3]))
	listed = 1
	begun = 0
	next
}
/^- / {
	print ".IP \\(bu 2"
	put(plain(substr($0, 3)))
	begun = wants = listed = 0
	next
}
/^$/ {
	wants = 1
	next
}
{
	if ((wants || listed) && !begun)
		print ".PP"
	wants = begun = listed = 0
	put(plain($0))
}
