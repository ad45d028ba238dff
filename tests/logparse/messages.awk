# SPDX-License-Identifier: LGPL-2.1-or-later
# Prints the error messages that the kernel's C sources print into a verifier's log, one a line:
# "FILE:LINE<TAB>MESSAGE", in which numbers stand for %d and %x, and R1 for %s.
#
#	awk -f messages.awk kernel/bpf/*.c ...
#
# What counts is verbose(), bpf_log() and verifier_bug(), by these rules:
#
# - It is an error if the block that the call stands in fails behind it, or what follows that block:
#   it returns a negative number, false, an error's variable or pointer, or jumps to a label. What only
#   prints goes on. verifier_bug() is an error everywhere, and so is what verbose_invalid_...() prints.
# - It is none inside of an if that asks for the log level: that is for debugging.
# - It is none in functions that print state, of which the names begin with print_, verbose_ or dump_.
# - Calls in a row, until one prints a newline, are one message, if nothing leads away between them.
# - A message has a word of its own, of three letters or more. One that ends in ":" or "..." only
#   says what comes next.

function blank_comments(t,    out, i, j) {
	out = ""
	while ((i = index(t, "/*"))) {
		j = index(substr(t, i), "*/")
		if (!j)
			break
		c = substr(t, i, j + 1)
		gsub(/[^\n]/, " ", c)
		out = out substr(t, 1, i - 1) c
		t = substr(t, i + j + 1)
	}
	return out t
}

# Reads a call's arguments, from its "(" on. Sets format to its string literals, arg_end behind its ")".
function read_call(t, at,    depth, i, c, string) {
	format = ""
	string = 0
	depth = 0
	commas = 0
	format_over = 0
	for (i = at; i <= length(t); i++) {
		c = substr(t, i, 1)
		if (string) {
			if (c == "\\") {
				if (!format_over)
					format = format c substr(t, i + 1, 1)
				i++
			} else if (c == "\"")
				string = 0
			else if (!format_over)
				format = format c
		} else if (c == "\"")
			string = 1
		else if (c == "'")
			i += substr(t, i + 1, 1) == "\\" ? 3 : 2
		else if (c == "(")
			depth++
		else if (c == ")" && --depth == 0)
			break
		else if (c == "," && depth == 1 && format != "")
			format_over = 1
	}
	arg_end = i + 1
}

# What stands behind a place: to the end of its block, and a little behind that, of the same function.
function rest_of_block(t, at,    depth, end, i, c, string) {
	depth = 0
	end = at + 2500
	for (i = at; i <= length(t) && i < end; i++) {
		c = substr(t, i, 1)
		if (string) {
			if (c == "\\")
				i++
			else if (c == "\"")
				string = 0
		} else if (c == "\"")
			string = 1
		else if (c == "{")
			depth++
		else if (c == "}") {
			if (substr(t, i - 1, 1) == "\n" || --depth < -2)
				break
			if (depth < 0 && end > i + 300)
				end = i + 300
		}
	}
	return substr(t, at, i - at)
}

function fails(rest) {
	return rest ~ /return (-|false|NULL|ERR_PTR|PTR_ERR|err|ret|__)/ || rest ~ /goto [a-z_]+;/ ||
		rest ~ /(err|ret|rc) = -E/ || rest ~ /return [^;]*(-E[A-Z]|err)/
}

# Does one of the ifs around a call, whose text before it this is, ask for the log level?
function is_debug(before,    depth, i, c, head, head_end, levels) {
	head_end = length(before)
	for (i = head_end; i > 0 && levels < 3; i--) {
		c = substr(before, i, 1)
		if (c == "}" && i < head_end) {
			if (!depth && !levels && head_end == length(before))
				head_end = 0
			depth++
		} else if (c == "{" && depth)
			depth--
		if ((c == "{" && !depth) || (c == ";" && !depth && head_end)) {
			head = substr(before, i + 1, head_end - i)
			if (head_end && head ~ /log.?(\.|->)?level|BPF_LOG_LEVEL|log_level/)
				return 1
			head_end = c == "{" ? i - 1 : 0
			levels += c == "{"
		}
	}
	return 0
}

# The function that a place is in: of the last line that begins with a letter and has a "(".
function function_of(t,    lines, n, i) {
	n = split(t, lines, "\n")
	for (i = n; i > 0 && i > n - 1500; i--)
		if (lines[i] ~ /^[a-z].*\(/ && lines[i] !~ /[;:]$/) {
			match(lines[i], /[a-z_0-9]+\(/)
			return substr(lines[i], RSTART, RLENGTH - 1)
		}
	return ""
}

function sample(f) {
	gsub(/\\n/, "\n", f)
	gsub(/\\t/, "\t", f)
	gsub(/\\"/, "\"", f)
	gsub(/%%/, "\001", f)
	gsub(/%#[0-9]*l*x/, "0x1f", f)
	gsub(/%[-+ 0-9]*[lzh]*x/, "1f", f)
	gsub(/%[-+ 0-9]*[lzh]*[dui]/, "1", f)
	gsub(/%[-+ 0-9.*]*s/, "R1", f)
	gsub(/%[-+0-9.*]*c/, "c", f)
	gsub(/%p[A-Za-z]*/, "1f", f)
	gsub(/\001/, "%", f)
	return f
}

function emit(line, text,    words, lines, n, i) {
	n = split(sample(text), lines, "\n")
	for (i = 1; i <= n; i++) {
		words = lines[i]
		gsub(/R1|1f/, "", words)
		if (words ~ /[A-Za-z][A-Za-z][A-Za-z]/ && words !~ /(:|\.\.\.) *$/)
			print name ":" line "\t" lines[i]
	}
}

function finish() {
	if (open != "" && open_bad)
		emit(open_line, open)
	open = ""
	open_bad = 0
}

function read_file(t,    at, line, behind, call, between, text) {
	t = blank_comments(t)
	at = 1
	line = 1
	open = ""
	while (match(substr(t, at), /(^|[^a-z_0-9])(verbose|bpf_log|bpf_verifier_log_write|verifier_bug|verifier_bug_if)\(/)) {
		start = at + RSTART - 1
		between = substr(t, at, RSTART)
		call = substr(t, start, RLENGTH)
		gsub(/[^a-z_]/, "", call)
		line += gsub(/\n/, "\n", between)
		if (open != "" && (between ~ /return|goto|break;|continue;|\n}/ || length(between) > 700))
			finish()
		read_call(t, start + RLENGTH - 1)
		text = format
		behind = rest_of_block(t, arg_end)
		before = substr(t, start > 60000 ? start - 60000 : 1, start > 60000 ? 60000 : start - 1)
		in_function = function_of(before)
		bad = fails(behind) && !is_debug(substr(before, length(before) - 1500)) &&
			in_function !~ /^(print_|verbose_|dump_)/ || in_function ~ /^verbose_invalid/
		if (call ~ /^verifier_bug/) {
			finish()
			if (text != "")
				emit(line, "verifier bug: " text)
		} else if (text != "") {
			if (open == "")
				open_line = line
			open = open text
			open_bad = open_bad || bad
			if (text ~ /\\n$/)
				finish()
		}
		skipped = substr(t, start + 1, arg_end - start - 1)
		line += gsub(/\n/, "\n", skipped)
		at = arg_end
	}
	finish()
}

FNR == 1 && NR > 1 { read_file(whole); whole = "" }
FNR == 1 { name = FILENAME; sub(/.*\/kernel\/bpf\//, "", name) }
{ whole = whole $0 "\n" }
END { read_file(whole) }
