#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The page of `ktstr-gdb report --html` in headless Chromium: does its script run under its own
# policy, what is to be seen of it, light, dark and narrow, does the keyboard get everywhere. TAP.
#   KTSTR_GDB=FILE   the tool (build/ktstr-gdb)
#   KEEP=DIR         where the screenshots are left for a person to look at
set -u
cd "$(dirname "$0")/../.." || exit 1
tool=${KTSTR_GDB:-build/ktstr-gdb}
CC=${CC:-cc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

n=0
check() { # WHAT COMMAND...: success, and not a word
	what=$1
	shift
	n=$((n + 1))
	if "$@" >"$dir/out" 2>&1 && ! [ -s "$dir/out" ]; then
		echo "ok $n - report --html: $what"
	else
		echo "not ok $n - report --html: $what"
		sed 's/^/# /' "$dir/out" | head -n 20
	fi
}

# --- a sweep: three schedulers, two kernels, three topologies ---

record() { # SCHEDULER KERNEL TOPOLOGY PASSED SKIPPED INSNS
	name=$1~$2~$3
	printf '{"scheduler": "%s", "kernel": "%s", "topology": "%s", "passed": %s, "skipped": %s,
		"reason": "<i>why</i>", "log": "%s.log", "duration_s": 3, "stats": [
		{"name": "%s_init", "verified_insns": %s},
		{"name": "a_program_whose_name_is_rather_long_enqueue", "verified_insns": %s}]}' \
		"$1" "$2" "$3" "$4" "$5" "$name" "$1" "$6" "$(($6 * 7))" >"$dir/r/$name.json"
	printf '%s\n' "log of $1 with a line that is longer than any narrow screen would have room for" \
		'--- 8x of the following 2 lines ---' 'a <b>' 'b' \
		'--- 6 identical iterations omitted ---' 'a' 'b' '--- end repeat ---' \
		'</pre><script>document.title = "evil"</script>' >"$dir/r/$name.log"
}
mkdir "$dir/r"
i=100
for s in scx_one scx_two scx_three scx_four; do
	for k in 6.12 7.0; do
		for t in 4cpu-1llc-nosmt 9cpu-3llc-nosmt 2numa-16cpu-4llc-nosmt; do
			i=$((i + 13))
			record $s $k $t true false $i
		done
	done
done
record scx_two 7.0 9cpu-3llc-nosmt false false 444
record scx_three 6.12 4cpu-1llc-nosmt false true 0
"$tool" report "$dir/r" --html "$dir/page.html" || exit 1

# --- without a browser ---

hash_of() { # TAG
	awk -v tag="$1" 'index($0, "<" tag ">") == 1 {on = 1; sub("^<" tag ">", "")}
		index($0, "</" tag ">") == 1 {on = 0}
		on {print}' "$dir/page.html" | openssl dgst -sha256 -binary | base64
}
named() { # TAG: whether the policy names the hash of what is in it
	hash=$(hash_of "$1")
	grep -qF "$1-src 'sha256-$hash'" "$dir/page.html" ||
		echo "its hash is $hash, which the policy does not name"
}

# Nothing but fragments to go to, and nothing to load.
needs_nothing() {
	grep -nE '(src|href|action|data)="[^#"]' "$dir/page.html"
	grep -nE 'url\(|@import|https?:' "$dir/page.html"
	return 0
}

tests=17
if ! command -v chromium >/dev/null || ! echo 'int main(void){return 0;}' |
	$CC -x c - -lz -o "$dir/try" 2>/dev/null; then
	browser=no
	tests=4
fi
echo "1..$tests"
if command -v openssl >/dev/null; then
	check "the policy names the style sheet" named style
	check "the policy names the script" named script
else
	n=2
	echo "ok 1 - report --html: the policy names the style sheet # SKIP no openssl"
	echo "ok 2 - report --html: the policy names the script # SKIP no openssl"
fi
check "it needs nothing but itself" needs_nothing
if [ "${browser:-yes}" = no ]; then
	echo "ok 4 - report --html: in a browser # SKIP no chromium, or no zlib to read pictures with"
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
		--blink-settings=preferredColorScheme="$scheme" --window-size="$width,1500" "$@" \
		2>"$dir/chrome.log"
	status=$?
	rm -rf "$profile"
	return $status
}

# What the page says, in a copy that lets a probe in: the policy is taken off, and a script put in.
# It is in a frame, since a window is never narrower than 500 px.
probe() { # DARK WIDTH SCRIPT: what that leaves in #probe
	sed -e '/Content-Security-Policy/d' -e '/<\/body>/d' -e '/<\/html>/d' "$dir/page.html" \
		>"$dir/probe.html"
	printf '<script>var d = document, say = function(x) {parent.postMessage(String(x), "*")};
		%s</script></body></html>\n' "$3" >>"$dir/probe.html"
	printf '<!DOCTYPE html><pre id="probe"></pre><script>window.addEventListener("message",
		function(e) {document.getElementById("probe").textContent += e.data + "\\n"})</script>
		<iframe src="probe.html" width="%s" height="1400" style="border: 0"></iframe>\n' "$2" \
		>"$dir/frame.html"
	chrome "$1" 1300 --dump-dom "file://$dir/frame.html" |
		sed -n '/<pre id="probe">/,/<\/pre>/p' | sed 's/.*<pre id="probe">//; s/<\/pre>.*//' |
		grep -v '^$'
}
says() { # DARK WIDTH SCRIPT WORDS
	said=$(probe "$1" "$2" "$3" | tr '\n' ' ')
	[ "$said" = "$4 " ] || echo "it says \"$said\", not \"$4\""
}

runs() {
	chrome 1 1200 --dump-dom "file://$dir/page.html" >"$dir/dom"
	grep -q '<title>Sweep: 1 of 24 cells failed</title>' "$dir/dom" || echo "another title"
	grep -qE '<div class="bar" id="bar" role="search">' "$dir/dom" || echo "the filter is hidden"
	grep -q '>24 of 24 cells<' "$dir/dom" || echo "it has not counted"
}
check "its script runs under its own policy, and no other" runs

# Somebody else's script does not.
refuses() {
	sed 's,</body>,<script>document.title = "evil"</script><style>h1 {color: red}</style></body>,' \
		"$dir/page.html" >"$dir/evil.html"
	chrome 1 1200 --dump-dom "file://$dir/evil.html" | grep -q '<title>Sweep: ' || echo "it ran"
}
check "a script that is not its own does not run" refuses

check "at 375 px the filter's bar hides nothing of a cell that is gone to" says 1 375 \
	'd.querySelectorAll("details.cell").forEach(function(e) {e.open = true});
	var cell = d.querySelectorAll("details.cell")[5], sum = cell.firstElementChild;
	cell.scrollIntoView(); var r = sum.getBoundingClientRect();
	say(scrollY > 100); var at = d.elementFromPoint(r.left + 5, r.top + 3);
	say(sum.contains(at) || at === cell)' \
	"true true"
for width in 375 1200; do
	check "no scrolling sideways at $width px" says 1 $width \
		'd.querySelectorAll("details").forEach(function(e) {e.open = true});
		say(innerWidth); say(d.documentElement.scrollWidth <= innerWidth);
		var out = [].filter.call(d.querySelectorAll("body *"), function(e) {
			var r = e.getBoundingClientRect();
			return r.right > innerWidth + 1 && !e.closest(".scroll, .log")});
		say(out.length ? out[0].outerHTML.slice(0, 99) : "nothing is cut")' \
		"$width true nothing is cut"
done
check "the filter shows what matches" says 1 1200 \
	'var q = d.getElementById("q"), shown = function() {
		return d.querySelectorAll("details.cell:not([hidden])").length};
	q.value = "SCX_two 7.0"; q.dispatchEvent(new Event("input")); say(shown());
	say(d.querySelectorAll("td[data-n]:not(.off)").length);
	say(d.getElementById("n").textContent);
	q.value = "nonesuch"; q.dispatchEvent(new Event("input")); say(shown());
	q.value = ""; var st = d.getElementById("st"); st.value = "k";
	st.dispatchEvent(new Event("change")); say(shown())' \
	"3 3 3 of 24 cells 0 1"
check "the keyboard gets to the filter, and out of it" says 1 1200 \
	'var q = d.getElementById("q"), key = function(e, k) {
		e.dispatchEvent(new KeyboardEvent("keydown", {key: k, bubbles: true}))};
	key(d.body, "/"); say(d.activeElement.id); q.value = "zzz";
	q.dispatchEvent(new Event("input")); key(q, "Escape"); say(q.value === "");
	say(d.querySelectorAll("details.cell[hidden]").length)' \
	"q true 0"
check "all that can be clicked can be focused" says 1 1200 \
	'var all = d.querySelectorAll("a, summary, input, select, .scroll, .log"), bad = 0;
	d.querySelectorAll("details").forEach(function(e) {e.open = true});
	all.forEach(function(e) {e.focus(); bad += d.activeElement !== e});
	say(all.length > 100); say(bad)' \
	"true 0"
check "a link opens its cell" says 1 1200 \
	'var a = d.querySelector(".failed a"), cell = d.querySelector(a.getAttribute("href"));
	say(cell.open); a.click();
	window.dispatchEvent(new Event("hashchange")); say(cell.open);
	say(d.activeElement === cell.firstElementChild);
	say(cell.querySelector(".log details summary").textContent)' \
	"false true true 8x of the following 2 lines"
# WCAG 2.1, 1.4.3: at least 4.5 to 1, of text as it is seen.
contrast='function lum(c) {var v = c.match(/[0-9.]+/g).slice(0, 3).map(function(x) {
		x /= 255; return x <= .03928 ? x / 12.92 : Math.pow((x + .055) / 1.055, 2.4)});
		return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]}
	function back(e) {for (; e; e = e.parentElement) {var b = getComputedStyle(e).backgroundColor;
		if (b !== "rgba(0, 0, 0, 0)") return b} return "rgb(255, 255, 255)"}
	var bad = [];
	d.querySelectorAll("h1, h2, h3, p, a, td, th, li, dt, dd, pre, summary, .sym, .key span, .why")
		.forEach(function(e) {var s = getComputedStyle(e);
		if (!e.textContent.trim()) return;
		var a = lum(s.color), b = lum(back(e));
		var c = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
		if (c < 4.5) bad.push(e.tagName + "." + e.className + " " + c.toFixed(2))});
	say(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
	say(bad.length ? bad.slice(0, 5).join(", ") : "legible")'
check "light: contrast" says 1 1200 "$contrast" "light legible"
check "dark: contrast" says 0 1200 "$contrast" "dark legible"

# --- screenshots ---

$CC -O2 -o "$dir/png_colors" tests/cli/png_colors.c -lz || exit 1
picture() { # NAME DARK WIDTH BACKGROUND FAILED PASSED
	chrome "$2" "$3" --screenshot="$dir/$1.png" "file://$dir/page.html" >/dev/null
	[ -z "${KEEP:-}" ] || cp "$dir/$1.png" "$KEEP/"
	# shellcheck disable=SC2046
	set -- $("$dir/png_colors" "$dir/$1.png" "$4" "$5" "$6") "$3"
	[ "${1:-}" = "$7" ] || echo "it is $1 pixels wide, not $7"
	# Mostly background; failures and successes are to be seen; text is smoothed.
	[ "$4" -gt $(($1 * $2 / 3)) ] || echo "$4 of $(($1 * $2)) pixels are background"
	[ "$5" -gt 1000 ] || echo "$5 pixels say that something failed"
	[ "$6" -gt 3000 ] || echo "$6 pixels say that something passed"
	[ "$3" -gt 100 ] || echo "$3 colours: is there any text?"
}
check "looks: light" picture light 1 1200 ffffff c62828 d6efdd
check "looks: dark" picture dark 0 1200 11151a d32f2f 17402a
check "looks: narrow" picture narrow 0 400 11151a d32f2f 17402a
