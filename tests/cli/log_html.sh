#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The page of `ktstr-gdb log --html` in headless Chromium: does its script run under its own policy,
# is the state at a step what the kernel itself says of it later, does a click on a register lead to
# where it was set, how much of a long log is drawn, does hostile text stay text. TAP.
#   KTSTR_GDB=FILE   the tool (build/ktstr-gdb)
#   KEEP=DIR         where the screenshots are left for a person to look at
set -u
cd "$(dirname "$0")/../.." || exit 1
tool=${KTSTR_GDB:-build/ktstr-gdb}
CC=${CC:-cc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
logs=tests/logparse

n=0
check() { # WHAT COMMAND...: success, and not a word
	what=$1
	shift
	n=$((n + 1))
	if "$@" >"$dir/out" 2>&1 && ! [ -s "$dir/out" ]; then
		echo "ok $n - log --html: $what"
	else
		echo "not ok $n - log --html: $what"
		sed 's/^/# /' "$dir/out" | head -n 20
	fi
}

page() { # NAME LOG...: the page of some logs, as $dir/NAME.html
	name=$1
	shift
	"$tool" log --html "$dir/$name.html" "$@" || exit 1
}

# A log of more than 100,000 lines: a loop, whose last iteration is the one that fails.
long_log() {
	awk 'BEGIN {
		print "0: R1=ctx() R10=fp0"
		print "0: (b7) r1 = 0                        ; R1_w=0"
		for (i = 1; i <= 21000; i++) {
			print "; for (i = 0; i < n; i++) @ long.bpf.c:7"
			print "1: (07) r1 += 1                       ; R1_w=" i
			print "2: (bf) r2 = r1                       ; R1_w=" i " R2_w=" i
			print "3: (67) r2 <<= 2                      ; R2_w=" i * 4
			print "4: (a5) if r1 < 0x5208 goto pc-4      ; R1_w=" i
		}
		print "5: (61) r0 = *(u32 *)(r2 +0)"
		print "R2 invalid mem access '\''scalar'\''"
		print "processed 84002 insns (limit 1000000) max_states_per_insn 0 total_states 1 " \
			"peak_states 1 mark_read 0"
	}'
}

hostile_log() {
	printf '0: R1=ctx() R10=fp0\n'
	printf '; </script><script>document.title = "evil"</script> @ a.c:1\n'
	printf '0: (b7) r1 = 0 ; R1_w=<img/src=x/onerror=document.title="evil">\n'
	printf '; <!--<script> \000\033[31m \377 ]]>\n'
	printf '1: (61) r0 = *(u32 *)(r1 +0)\n'
	printf "R1 invalid mem access '<b>scalar</b>'\n"
	printf 'processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0\n'
}

page bad $logs/errors/6.12_bad_bounds.log
page frames $logs/collapse_logs/6.1_fe_subprog.log.zst
page branches $logs/collapse_logs/6.12_xdp_parse.log.zst
page loop $logs/collapse_logs/6.12_tp_loop1.log.zst
long_log >"$dir/long.log"
page long "$dir/long.log"
hostile_log >"$dir/<b> & hostile.log"
page hostile "$dir/<b> & hostile.log"
page several $logs/errors/6.12_bad_bounds.log $logs/logs/6.12_fe_subprog.4.log \
	$logs/errors/7.3_bad_uninit.log

# --- without a browser ---

hash_of() { # TAG
	awk -v tag="$1" 'index($0, "<" tag ">") == 1 {on = 1; sub("^<" tag ">", "")}
		index($0, "</" tag ">") == 1 {on = 0}
		on {print}' "$dir/bad.html" | openssl dgst -sha256 -binary | base64
}
named() { # TAG: whether the policy names the hash of what is in it
	hash=$(hash_of "$1")
	grep -qF "$1-src 'sha256-$hash'" "$dir/bad.html" ||
		echo "its hash is $hash, which the policy does not name"
}
needs_nothing() {
	grep -nE '(src|href|action|srcset|style)="' "$dir/bad.html"
	grep -nE 'url\(|@import|https?:' "$dir/bad.html"
	return 0
}
scripts() { # the data, the index and the script, whatever the log says
	found=$(grep -c '<script' "$dir/hostile.html")
	[ "$found" = 3 ] || echo "$found scripts"
}

to_stdout() {
	"$tool" log --html - $logs/errors/6.12_bad_bounds.log | cmp - "$dir/bad.html"
}
fails() { # STATUS WORDS ARG...: nothing is written
	status=$1
	words=$2
	shift 2
	"$tool" log --html "$dir/none.html" "$@" >"$dir/said" 2>&1
	[ $? = "$status" ] || echo "another exit status"
	grep -qF "$words" "$dir/said" || cat "$dir/said"
	[ ! -e "$dir/none.html" ] || echo "it has written a page"
}
unwrapped() { # the kernel's lines, without what a logger put before them
	sed 's/^/2026-11-29T10:00:00Z loader[7]: /' $logs/errors/6.12_bad_bounds.log |
		"$tool" log --html - | grep -c '"14: (7b) \*(u64 \*)(r6 +0) = r1"' | grep -v '^1$'
	return 0
}

tests=33
if ! command -v chromium >/dev/null || ! echo 'int main(void){return 0;}' |
	$CC -x c - -lz -o "$dir/try" 2>/dev/null; then
	browser=no
	tests=9
fi
echo "1..$tests"
if command -v openssl >/dev/null; then
	check "the policy names the style sheet" named style
	check "the policy names the script" named script
else
	n=2
	echo "ok 1 - log --html: the policy names the style sheet # SKIP no openssl"
	echo "ok 2 - log --html: the policy names the script # SKIP no openssl"
fi
check "it needs nothing but itself" needs_nothing
check "hostile text adds no script" scripts
check "\"-\" is standard output" to_stdout
check "no page without a log" fails 3 "no log of a program that matches" --program 'x*' \
	$logs/errors/6.12_bad_bounds.log
check "no page beside a document" fails 2 "one of them" --json $logs/errors/6.12_bad_bounds.log
check "what a logger put before the lines is not in it" unwrapped
if [ "${browser:-yes}" = no ]; then
	echo "ok 9 - log --html: in a browser # SKIP no chromium, or no zlib to read pictures with"
	echo "# NOTHING OF THE PAGE WAS LOOKED AT: apt-get install chromium" >&2
	exit 0
fi

# --- in Chromium ---

# chrome DARK WIDTH ARG...: in Blink's words 0 is dark and 1 is light
chrome() {
	profile=$(mktemp -d "$dir/profile.XXXXXX")
	scheme=$1
	width=$2
	shift 2
	timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--hide-scrollbars --user-data-dir="$profile" --virtual-time-budget=2000 \
		--blink-settings=preferredColorScheme="$scheme" --window-size="$width,900" "$@" \
		2>"$dir/chrome.log"
	status=$?
	rm -rf "$profile"
	return $status
}

# As in tests/cli/html.sh: a copy without the policy and with one more script, in a frame.
probe() { # DARK WIDTH PAGE SCRIPT: what that leaves in #probe
	sed -e '/Content-Security-Policy/d' -e '/<\/body>/d' -e '/<\/html>/d' "$dir/$3.html" \
		>"$dir/probe.html"
	cat >>"$dir/probe.html" <<-END
		<script>
		var d = document, say = function (x) {parent.postMessage(String(x), "*")};
		var key = function (k, e) {(e || d.body).dispatchEvent(
			new KeyboardEvent("keydown", {key: k, bubbles: true, cancelable: true}))};
		var line = function () {return view.log.lineNumber(view.row)};
		var rowOf = function (text) {
			for (var r = 0; r < view.log.rows; r++)
				if (view.log.line(r).replace(/ +/g, " ").startsWith(text)) return r;
			throw text};
		var drawn = function (row) {
			return [].find.call(d.querySelectorAll("#log .row:not([hidden])"), function (e) {
				return e.item === view.outline.place[row]})};
		/* "R1=scalar(umax=3,var_off=(0x0; 0x3)) fp-8=0": what the kernel says, by name. */
		var said = function (text) {
			var frame = Number((/^\s*frame(\d+):/.exec(text) || [0, 0])[1]), out = {}, m;
			var re = /\b(R\d+|fp-\d+)(?:_[a-zA-Z]+)?=((?:[^\s()]|\((?:[^()]|\([^()]*\))*\))+)/g;
			while ((m = re.exec(text))) out[m[1]] = m[2].replace(/^P/, "");
			return {frame: frame, values: out}};
		var have = function (state, frame) {
			var out = {};
			state.forEach(function (entry, cell) {
				if (cellFrame(cell) === frame)
					out[cellName(cell)] = view.log.value(entry).replace(/^P/, "")});
			return out};
		try {
			$4
		} catch (e) {say("error: " + e)}
		</script></body></html>
	END
	printf '<!DOCTYPE html><pre id="probe"></pre><script>window.addEventListener("message",
		function(e) {document.getElementById("probe").textContent += e.data + "\\n"})</script>
		<iframe src="probe.html" width="%s" height="800" style="border: 0"></iframe>\n' "$2" \
		>"$dir/frame.html"
	chrome "$1" 1300 --allow-file-access-from-files --dump-dom "file://$dir/frame.html" |
		sed -n '/<pre id="probe">/,/<\/pre>/p' | sed 's/.*<pre id="probe">//; s/<\/pre>.*//' |
		grep -v '^$'
}
says() { # DARK WIDTH PAGE SCRIPT WORDS
	said=$(probe "$1" "$2" "$3" "$4" | tr '\n' ' ')
	[ "$said" = "$5 " ] || echo "it says \"$said\", not \"$5\""
}

runs() {
	chrome 1 1200 --dump-dom "file://$dir/bad.html" >"$dir/dom"
	grep -q '<option value="0">✗ 6.12_bad_bounds.log</option>' "$dir/dom" || echo "no chooser"
	grep -q 'class="failed">✗ invalid access to map value' "$dir/dom" || echo "no verdict"
	grep -q 'aria-selected="true"' "$dir/dom" || echo "nothing is selected"
}
check "its script runs under its own policy" runs
refuses() {
	sed 's,</body>,<script>document.title = "evil"</script><style>h1 {color: red}</style></body>,' \
		"$dir/bad.html" >"$dir/evil.html"
	chrome 1 1200 --dump-dom "file://$dir/evil.html" | grep -q '<title>evil' && echo "it ran"
	return 0
}
check "a script that is not its own does not run" refuses
stays_text() {
	chrome 1 1200 --dump-dom "file://$dir/hostile.html" >"$dir/dom"
	grep -q '<title>evil' "$dir/dom" && echo "a script of the log ran"
	grep -qE '<img|<b>scalar' "$dir/dom" && echo "the log is HTML"
	grep -q '&lt;/script&gt;&lt;script&gt;document.title' "$dir/dom" || echo "it is not shown"
	return 0
}
check "hostile text stays text, also without a policy's help" says 1 1200 hostile \
	'say(d.title.indexOf("evil")); say(d.querySelectorAll("img, #log b, #about b").length);
	say(view.log.line(1))' \
	'-1 0 ; &lt;/script&gt;&lt;script&gt;document.title = "evil"&lt;/script&gt; @ a.c:1'
check "hostile text stays text" stays_text

# Truth from elsewhere: the kernel prints the whole state of the calling function at a call, and that
# of a branch which is taken up; only what the jump tests may differ from the state before it.
check "state: as the kernel says it of a caller" says 1 1200 frames \
	'var all = 0, bad = [], log = view.log;
	for (var r = 1; r < log.rows; r++) {
		if (log.line(r - 1) !== "caller:") continue;
		var want = said(log.line(r)), step = log.stepOfRow(r);
		var got = have(log.state(step), want.frame);
		for (var name in want.values) {
			all++;
			if (got[name] !== want.values[name])
				bad.push(log.lineNumber(r) + name + "=" + got[name])}}
	say(all); say(bad.length ? bad.slice(0, 3) : "none differs")' \
	"86 none differs"
check "state: as the kernel says it of a branch" says 1 1200 branches \
	'var all = 0, bad = 0, wrong = 0, log = view.log;
	for (var r = 0; r < log.rows; r++) {
		if (log.kinds[r] !== "p") continue;
		var want = said(log.line(r)), step = log.stepOfRow(r), jump = log.before(step);
		var tested = log.line(log.stepRow[jump]).match(/\b[rw]\d+/g).map(function (x) {
			return "R" + x.slice(1)});
		var got = have(log.state(jump), 0), now = have(log.state(step), 0);
		for (var name in want.values) {
			all++;
			wrong += now[name] !== want.values[name];
			bad += got[name] !== want.values[name] && tested.indexOf(name) < 0}}
	say(all); say(bad); say(wrong)' \
	"2182 1 0"

# --- moving ---

check "it begins at the instruction that failed" says 1 1200 bad \
	'say(view.log.line(view.row)); say(d.querySelector("#log .selected").textContent.slice(0, 30));
	say(d.querySelectorAll("#state .state tr").length)' \
	"14: (7b) *(u64 *)(r6 +0) = r1 3314: (7b) *(u64 *)(r6 +0) = r 5"
check "a click on a register leads to where it was set" says 1 1200 bad \
	'var reg = [].find.call(drawn(view.row).querySelectorAll(".reg"), function (e) {
		return e.textContent === "r6"});
	reg.click(); say(view.log.line(view.row).slice(0, 17));
	d.querySelectorAll(".origin .link")[1].click(); say(view.log.line(view.row).slice(0, 15));
	key("b"); key("b"); say(view.log.line(view.row).slice(0, 8))' \
	"12: (0f) r6 += r0 7: (bf) r6 = r0 14: (7b)"
check "a register in the table of the state, too" says 1 1200 bad \
	'[].find.call(d.querySelectorAll("#state .cell"), function (e) {
		return e.textContent === "fp-8"}).click();
	say(view.log.line(view.row).slice(0, 31))' \
	"1: (63) *(u32 *)(r10 -4) = r1 ;"
check "a value is followed through a call and its copies" says 1 1200 frames \
	'view.select(rowOf("24: (bc) w6 = w1")); key("6");
	say([].map.call(d.querySelectorAll(".origin li"), function (e) {
		return e.textContent.replace(/ at line \d+/, "")}).join(", "))' \
	"R6 in frame 1 copied 24: (bc) w6 = w1, R1 in frame 1 passed by the call 4: (85) call pc+19, R1 copied 3: (bc) w1 = w8, R8 a constant 1: (b4) w8 = 0"
check "what the text says of an instruction leads to it" says 1 1200 bad \
	'd.querySelector("#about .link").click(); say(view.log.line(view.row).slice(0, 8));
	d.querySelectorAll("#about .link")[1].click(); say(view.log.line(view.row).slice(0, 8))' \
	"14: (7b) 12: (0f)"
check "keys" says 1 1200 loop \
	'view.select(rowOf("2: (bf) r3 = r2")); var first = line();
	key("j"); say(line() - first); key("k"); say(line() - first);
	key("]"); say(view.log.line(view.row).slice(0, 15)); say(line() > first);
	key("["); say(line() - first); key("j"); key("u"); say(line() - first);
	key("?"); say(d.getElementById("keys").open); d.querySelector("#keys button").click();
	key("/"); say(d.activeElement.id); d.activeElement.value = "exit";
	key("Enter", d.activeElement); say(view.log.line(view.row)); key("G");
	say(view.log.line(view.row).slice(0, 9))' \
	"1 0 2: (bf) r3 = r2 true 0 0 true find 15: (95) exit processed"
check "errors: next, previous" says 1 1200 bad \
	'view.select(0); key("n"); say(line()); key("n"); say(line()); key("p"); say(line())' \
	"33 34 33"
check "a loop is folded, and its values are a table" says 1 1200 loop \
	'var i = view.outline.what.indexOf(ITEM_LOOP), n = view.outline.n;
	say(n < 60); view.selectItem(i);
	var rows = d.querySelectorAll(".iterations tr"), text = function (tr) {
		return [].map.call(tr.children, function (e) {return e.textContent}).join(",")};
	say(text(rows[0])); say(text(rows[2])); say(text(rows[rows.length - 1]));
	key("Enter"); say(view.outline.n < n); key("Enter"); say(view.outline.n === n);
	key("a"); say(view.outline.n === view.log.rows)' \
	"true #,R1,R2,R3 2,3,0,0 100,297,0x2b11e45b43,0x2b11e45b43 true true true"
check "two steps are compared" says 1 1200 loop \
	'view.select(rowOf("2: (bf) r3 = r2")); key("m"); key("]"); key("m"); key("G");
	say([].map.call(d.querySelectorAll(".compare .changed"), function (e) {
		return e.firstChild.textContent}).join());
	say(d.querySelectorAll("#log .pinned").length > 0); key("c");
	say(d.querySelectorAll(".compare").length)' \
	"R1 true 0"
check "a source line and its instructions" says 1 1200 bad \
	'[].find.call(d.querySelectorAll("#program .source"), function (e) {
		return e.textContent.indexOf("v[i] = 1") >= 0}).click();
	say(view.log.line(view.row).slice(0, 8)); key("}"); say(view.log.line(view.row).slice(0, 8));
	say(d.querySelectorAll("#program .here").length);
	key("i"); say(d.querySelectorAll("#program .insn:not([hidden])").length)' \
	"11: (67) 12: (0f) 1 14"
check "several logs" says 1 1200 several \
	'var logs = d.getElementById("logs"), choose = function (i) {
		logs.value = i; logs.dispatchEvent(new Event("change"));
		say(d.getElementById("verdict").textContent.slice(0, 12))};
	say(logs.options.length); choose("1"); choose("2"); choose("0")' \
	"3 ✓ passed ✗ R8 !read_o ✗ invalid ac"

# --- how much is drawn ---

check "of 105,000 lines what can be seen is drawn" says 1 1200 long \
	'say(view.log.rows); key("a"); say(view.outline.n === view.log.rows);
	var most = 0, box = view.list.box;
	for (var i = 0; i < 50; i++) {
		box.scrollTop = i * 41777; view.list.draw();
		most = Math.max(most, d.querySelectorAll("*").length)}
	say(most < 900); say(drawn(Math.floor(box.scrollTop / 20) + 5) !== undefined);
	view.select(50001); view.list.draw(); say(view.log.value(view.log.state(view.log.stepOfRow(50001)).get(1)));
	say(drawn(50001).classList.contains("selected"))' \
	"105005 true true true 10000 true"

# --- looks ---

for width in 375 1200; do
	check "no scrolling sideways at $width px" says 1 $width several \
		'say(innerWidth); say(d.documentElement.scrollWidth <= innerWidth);
		say(d.documentElement.scrollHeight <= innerHeight);
		var out = [].filter.call(d.querySelectorAll("header *, #why *, #tabs *, #state *"),
			function (e) {var r = e.getBoundingClientRect();
			return r.right > innerWidth + 1 && !e.closest(".scroll, .list, select")});
		say(out.length ? out[0].outerHTML.slice(0, 99) : "nothing is cut");' \
		"$width true true nothing is cut"
done
# WCAG 2.1, 1.4.3: at least 4.5 to 1, of text as it is seen.
contrast='function lum(c) {var v = c.match(/[0-9.]+/g).slice(0, 3).map(function (x) {
		x /= 255; return x <= .03928 ? x / 12.92 : Math.pow((x + .055) / 1.055, 2.4)});
		return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]}
	function back(e) {for (; e; e = e.parentElement) {var b = getComputedStyle(e).backgroundColor;
		if (b !== "rgba(0, 0, 0, 0)") return b} return "rgb(255, 255, 255)"}
	var bad = [], seen = 0;
	function look() {
		d.querySelectorAll("header *, #why *, #program *, #log *, #state *").forEach(function (e) {
			if (![].some.call(e.childNodes, function (c) {return c.nodeType === 3 && c.data.trim()}))
				return;
			var a = lum(getComputedStyle(e).color), b = lum(back(e));
			var c = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
			seen++;
			if (c < 4.5) bad.push(e.tagName + "." + e.className + " in " +
				e.parentElement.className + " " + c.toFixed(2))})}
	look(); key("6"); look(); key("m"); key("u"); look(); openLog(1); look();
	view.selectItem(view.outline.what.indexOf(ITEM_LOOP)); look();
	say(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
	say(seen > 300); say(bad.length ? bad.slice(0, 5).join(", ") : "legible")'
page both $logs/errors/6.12_bad_bounds.log $logs/collapse_logs/6.1_kp_bpf_loop.log.zst \
	$logs/collapse_logs/6.12_tp_loop1.log.zst
check "light: contrast" says 1 1200 both "$contrast" "light true legible"
check "dark: contrast" says 0 1200 both "$contrast" "dark true legible"

# --- screenshots ---

$CC -O2 -o "$dir/png_colors" tests/cli/png_colors.c -lz || exit 1
picture() { # NAME DARK WIDTH BACKGROUND FAILED SELECTED
	chrome "$2" "$3" --screenshot="$dir/$1.png" "file://$dir/bad.html" >/dev/null
	[ -z "${KEEP:-}" ] || cp "$dir/$1.png" "$KEEP/"
	# shellcheck disable=SC2046
	set -- $("$dir/png_colors" "$dir/$1.png" "$4" "$5" "$6") "$3"
	[ "${1:-}" = "$7" ] || echo "it is $1 pixels wide, not $7"
	# Mostly background; the error and what is selected are to be seen; text is smoothed.
	[ "$4" -gt $(($1 * $2 / 4)) ] || echo "$4 of $(($1 * $2)) pixels are background"
	[ "$5" -gt 3000 ] || echo "$5 pixels say that something failed"
	[ "$6" -gt 3000 ] || echo "$6 pixels say what is selected"
	[ "$3" -gt 100 ] || echo "$3 colours: is there any text?"
}
check "looks: light" picture light 1 1200 ffffff fde7e7 cfe3f8
check "looks: dark" picture dark 0 1200 11151a 421b1d 1a3856
check "looks: narrow" picture narrow 0 500 11151a 421b1d 1a3856
