/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page: the chooser, the program beside the log, the keys. */

const $ = (id) => document.getElementById(id);

const KEYS = [
	["j k ↓ ↑", "next, previous line"],
	["[ ]", "the same instruction, the last time and the next"],
	["{ }", "the same source line, the last time and the next"],
	["n p", "next, previous error"],
	["u", "up the path: the step that this one follows on"],
	["0 … 9", "go to where r0 … r9 was set, and show where it comes from"],
	["b", "back to where you came from"],
	["Enter", "open or close a loop, or lines that are folded"],
	["m", "pin this step; with a second one the two are compared"],
	["c", "take the pins off"],
	["a", "all lines, or loops folded"],
	["w", "why it failed: open or close"],
	["i", "instructions in the program: show or hide"],
	["/", "find in the log; Enter for the next one"],
	["g G", "first, last line"],
	["?", "this list"],
];

const STATE_REG = /\b(R(?:10|[0-9]))(?=[_=])/; /* "R1_w=3" */

/* How much a count is of the largest one, from 0 to 1: tenfold is much, and so is the first of ten. */
function heat(count, max) {
	return max > 1 ? Math.log(count + 1) / Math.log(max + 1) : 0;
}

/* Source lines and instructions, each with how often it was executed. */
class ProgramPanel {
	constructor(box, log, pick) {
		this.log = log;
		this.pick = pick;
		this.insns = !log.sources.length;
		this.toggle = button("instructions", "", () => this.setInsns(!this.insns));
		this.toggle.hidden = !log.sources.length;
		box.replaceChildren(element("div", "head", element("b", "", "Program"), this.toggle));
		this.list = new List(box, "Program", (e, i) => this.fill(e, i), (i, e) => this.click(i, e));
		this.counts = log.sourceInsns.map((insns) =>
			insns.reduce((sum, i) => sum + log.insns[i][2], 0));
		this.max = Math.max(1, ...this.counts.slice(0, 50000));
		this.build();
	}

	setInsns(insns) {
		const source = this.source;

		this.insns = insns;
		this.build();
		this.mark(source, -1);
	}

	/* Source lines by file and line, each with its instructions; those without one come last. */
	build() {
		const log = this.log, order = log.sources.map((_, i) => i);
		const first = log.sourceInsns.map((insns) => Math.min(...insns.map((i) => log.index(i))));
		const byIndex = (a, b) => log.index(a) - log.index(b);

		order.sort((a, b) => {
			const x = log.sources[a], y = log.sources[b];

			if (x[2] && y[2])
				return x[1] < y[1] ? -1 : x[1] > y[1] ? 1 : x[2] - y[2];
			return x[2] || y[2] ? (x[2] ? -1 : 1) : first[a] - first[b];
		});
		this.items = [];
		for (const source of order) {
			if (!log.sourceInsns[source].length)
				continue;
			this.addGap(source);
			this.items.push({source});
			if (this.insns)
				for (const insn of [...log.sourceInsns[source]].sort(byIndex))
					this.items.push({source, insn});
		}
		if (this.insns)
			for (const insn of log.insns.map((_, i) => i).filter((i) =>
				log.insns[i][1] < 0).sort(byIndex))
				this.items.push({source: -1, insn});
		this.toggle.setAttribute("aria-pressed", String(this.insns));
		this.list.reset(this.items.length);
	}

	/* A file's name above its lines; dots where lines are missing. */
	addGap(source) {
		const s = this.log.sources[source], last = this.items[this.items.length - 1];
		const before = last && last.source >= 0 ? this.log.sources[last.source] : null;

		if (s[1] && (!before || before[1] !== s[1]))
			this.items.push({source: -1, file: s[1]});
		else if (before && s[2] > before[2] + 1)
			this.items.push({source: -1, file: "⋯"});
	}

	fill(row, i) {
		const item = this.items[i], log = this.log;

		if (item.file !== undefined) {
			row.classList.add("file");
			row.append(item.file);
			return;
		}
		const isInsn = item.insn !== undefined;
		const count = isInsn ? log.insns[item.insn][2] : this.counts[item.source];

		row.classList.add(isInsn ? "insn" : "source");
		this.heat(row, count, isInsn ? log.maxCount : this.max);
		if (isInsn)
			row.append(element("span", "index", String(log.index(item.insn))),
				element("span", "text", log.insnText(item.insn)));
		else
			row.append(element("span", "index", String(log.sources[item.source][2] || "")),
				element("span", "text", log.sources[item.source][3] || "(no source line)"));
		row.title = row.lastChild.textContent;
		row.classList.toggle("here", item.source >= 0 && item.source === this.source ||
			isInsn && item.insn === this.insn);
	}

	heat(row, count, max) {
		const bar = element("span", "heat"), number = element("span", "count", String(count));

		bar.style.width = Math.round(heat(count, max) * 100) + "%";
		number.title = "executed " + count + " times";
		row.append(number, element("span", "bar", bar));
	}

	click(i, event) {
		const item = this.items[i];

		if (item.file === undefined)
			this.pick(item, event.shiftKey);
	}

	/* Shows what belongs to the selected line of the log. */
	mark(source, insn) {
		let i = -1;

		this.source = source;
		this.insn = insn;
		if (insn >= 0 && this.insns)
			i = this.items.findIndex((item) => item.insn === insn);
		if (i < 0 && source >= 0)
			i = this.items.findIndex((item) => item.source === source);
		if (i >= 0)
			this.list.show(i);
		this.list.refresh();
	}
}

class View {
	constructor(log, nth) {
		this.log = log;
		this.nth = nth;
		this.row = -1;
		this.item = -1;
		this.pins = [];
		this.back = [];
		this.outline = new Outline(log);
		$("log").replaceChildren();
		this.list = new List($("log"), "Log", (e, i) => this.fill(e, i), (i, e) => this.click(i, e));
		this.program = new ProgramPanel($("program"), log, (item, back) => this.pickProgram(item,
			back));
		this.state = new StatePanel($("state"), log, (row) => this.go(row),
			(cell, step) => this.focusCell(cell, step));
		this.showAbout();
		this.list.reset(this.outline.n);
	}

	/* --- the list --- */

	fill(e, i) {
		const which = this.outline.which[i];

		e.style.setProperty("--depth", Math.min(this.outline.depth[i], 8));
		switch (this.outline.what[i]) {
		case ITEM_ROW: this.fillRow(e, which); return;
		case ITEM_LOOP: this.fillLoop(e, which); return;
		case ITEM_OMITTED: this.fillOmitted(e, which); return;
		case ITEM_END:
			e.classList.add("fold");
			e.append(element("span", "number"), "└ end of the loop");
			return;
		default: this.fillGroup(e, which);
		}
	}

	fillLoop(e, which) {
		const loop = this.log.loops[which], closed = this.outline.loops[which] === LOOP_CLOSED;

		e.classList.add("fold");
		e.append(element("span", "number"), (closed ? "▸ " : "▾ ") + loop.count +
			" × a loop, " + (loop.end - loop.start) + " lines");
	}

	fillOmitted(e, which) {
		const loop = this.log.loops[which];

		e.classList.add("fold");
		e.append(element("span", "number"), "▸ " + (loop.count - 2) + " more iterations, " +
			(loop.lastStart - loop.firstEnd) + " lines");
	}

	fillGroup(e, row) {
		const n = this.outline.groupEnd(row) - row;

		e.classList.add("fold", "quiet");
		e.append(element("span", "number", String(this.log.lineNumber(row))),
			(this.outline.open.has(row) ? "▾ " : "▸ ") + n + " lines of " +
			(this.log.kinds[row] === "m" ? "precision tracking" : "listings"));
	}

	fillRow(e, row) {
		const log = this.log, kind = log.kinds[row], insn = log.rowInsn[row];

		e.classList.add("k-" + kind);
		e.append(element("span", "number", String(log.lineNumber(row))));
		if (this.pins.includes(row))
			e.classList.add("pinned");
		if (row === this.row)
			e.classList.add("selected");
		if (insn < 0) {
			e.append(element("span", "text", ...this.tokens(log.line(row),
				"tpcr".includes(kind) ? STATE_REG : /$^/)));
			return;
		}
		this.fillInsn(e, row, insn);
	}

	fillInsn(e, row, insn) {
		const log = this.log, bar = element("span", "heat"), step = log.stepOfRow(row);
		const source = log.insns[insn][1];

		bar.style.width = Math.round(heat(log.insns[insn][2], log.maxCount) * 100) + "%";
		e.style.setProperty("--frame", Math.min(log.stepFrame[step] ?? 0, 8));
		e.append(element("span", "bar", bar), element("span", "insn", ...this.tokens(
			log.string(log.text[row]), /\b([rw](?:10|[0-9]))\b/)));
		if (log.behind[row])
			e.append(element("span", "behind", ...this.tokens(log.string(log.behind[row]),
				STATE_REG)));
		if (row === log.at)
			e.classList.add("failed");
		if (insn === this.insn)
			e.classList.add("same");
		else if (source >= 0 && source === this.source)
			e.classList.add("related");
	}

	/* Text in which registers can be clicked. */
	tokens(text, what) {
		return text.split(what).map((part, i) => {
			if (i % 2 === 0)
				return part;
			const e = element("span", "reg", part);

			e.dataset.reg = part.slice(1);
			return e;
		});
	}

	click(i, event) {
		const reg = event.target.dataset.reg;

		if (this.outline.what[i] !== ITEM_ROW) {
			this.selectItem(i);
			this.toggle(i);
			return;
		}
		this.select(this.outline.which[i]);
		if (reg !== undefined)
			this.followReg(Number(reg), event.target.textContent.startsWith("R"));
		else if (narrow() && event.detail > 1)
			showTab("state");
	}

	toggle(i) {
		if (!this.outline.toggle(i))
			return;
		this.list.reset(this.outline.n);
		this.list.select(Math.min(i, this.outline.n - 1));
		this.list.show(this.list.selected);
	}

	/* --- selecting --- */

	selectItem(i) {
		if (!this.outline.n)
			return;
		i = Math.min(Math.max(i, 0), this.outline.n - 1);
		if (this.outline.what[i] === ITEM_ROW) {
			this.select(this.outline.which[i]);
			return;
		}
		this.item = i;
		this.row = this.outline.rowOf(i);
		this.mark();
		this.list.select(i);
		this.list.show(i);
		if (this.outline.what[i] !== ITEM_GROUP)
			this.state.showLoop(this.log.loops[this.outline.which[i]]);
	}

	select(row, origin) {
		const before = this.outline.n;

		if (row < 0 || row >= this.log.rows)
			return;
		this.item = this.outline.reveal(row);
		if (this.outline.n !== before)
			this.list.reset(this.outline.n);
		this.row = row;
		this.mark();
		this.list.select(this.item);
		this.list.show(this.item);
		this.state.showRow(row, origin, this.pins);
		rememberPlace(this.nth, this.log.lineNumber(row));
	}

	mark() {
		this.source = this.log.sourceOfRow(this.row);
		this.insn = this.log.rowInsn[this.row] ?? -1;
		this.program.mark(this.source, this.insn);
	}

	/* To a row from another place, to which `b` leads back. */
	go(row, origin) {
		if (this.row >= 0 && row !== this.row)
			this.back.push(this.row);
		if (narrow())
			showTab("log");
		this.select(row, origin);
	}

	goBack() {
		if (this.back.length)
			this.select(this.back.pop());
	}

	/* --- where a register comes from --- */

	/* A register in the selected line: as it was before it, or what the line makes of it. */
	followReg(number, after) {
		const log = this.log, step = log.stepOfRow(this.row);
		let from = step;

		if (step < 0)
			return;
		if (!after && log.stepRow[step] === this.row && log.before(step) >= 0) {
			const frame = log.kinds[this.row] === "i" ? log.stepFrame[step] : 0;
			const entry = log.state(step).get(frame * FRAME + number);

			if (!entry || entry.set !== step)
				from = log.before(step);
		}
		this.focusCell(log.stepFrame[log.kinds[this.row] === "i" ? step : from] * FRAME + number,
			from);
	}

	/* Goes to where a cell's value, as it is behind a step, was set. */
	focusCell(cell, step) {
		const log = this.log;
		let entry, chain, to;

		if (step < 0)
			step = log.before(log.stepOfRow(this.row));
		if (step < 0)
			return;
		step = log.settled(step);
		entry = log.state(step).get(cell);
		chain = log.origin(step, cell);
		to = chain.find((part) => part.step >= 0 && log.stepRow[part.step] !== this.row);
		this.go(to ? log.stepRow[to.step] : this.row,
			{cell, value: log.value(entry) || "(no value)", chain});
	}

	/* --- other ways to move --- */

	pickProgram(item, back) {
		const insns = item.insn !== undefined ? [item.insn] : this.log.sourceInsns[item.source];
		const rows = insns.flatMap((i) => this.log.insnRows[i]).sort((a, b) => a - b);

		this.goAmong(rows, back ? -1 : 1);
	}

	/* The nearest row of some, in a direction; from the end on from the start. */
	goAmong(rows, direction) {
		const next = direction > 0 ? rows.find((row) => row > this.row)
			: rows.findLast((row) => row < this.row);

		if (rows.length)
			this.go(next ?? rows[direction > 0 ? 0 : rows.length - 1]);
	}

	goSame(direction) {
		if (this.insn >= 0)
			this.goAmong(this.log.insnRows[this.insn], direction);
	}

	goSameSource(direction) {
		if (this.source >= 0)
			this.pickProgram({source: this.source}, direction < 0);
	}

	goUp() {
		const step = this.log.before(this.log.stepOfRow(this.row));

		if (step >= 0)
			this.go(this.log.stepRow[step]);
	}

	find(text, direction) {
		const log = this.log, words = text.toLowerCase();

		for (let i = 1; words && i <= log.rows; i++) {
			const row = (this.row + direction * i + 2 * log.rows) % log.rows;

			if (log.line(row).toLowerCase().includes(words)) {
				this.go(row);
				return;
			}
		}
	}

	pin() {
		if (this.pins.includes(this.row))
			this.pins = this.pins.filter((row) => row !== this.row);
		else if (this.row >= 0)
			this.pins = [...this.pins, this.row].slice(-2);
		this.select(this.row);
	}

	unpin() {
		this.pins = [];
		this.select(this.row);
	}

	setAll(all) {
		this.outline.all = all;
		this.outline.build();
		this.list.reset(this.outline.n);
		$("all").setAttribute("aria-pressed", String(all));
		this.select(this.row);
	}

	/* --- the explanation --- */

	/*
	 * "12: (07) r1 += 3" leads to that line of the log. The path is left out, but for its title,
	 * since the log shows it. What the kernel (7.3) or the catalogue explains has a place of its own.
	 */
	showAbout() {
		const about = $("about"), why = this.log.why, lines = [], said = [];
		let to = lines, skip = false;

		for (const line of this.log.about.trimEnd().split("\n")) {
			if (skip && line.startsWith("    "))
				continue;
			skip = /^ {2}(path|executed) since /.test(line) ||
				why && /^ {2}(Reason \(.*\)|What to do):$/.test(line);
			if (/^Verification failed: /.test(line))
				to = said;
			else if (/^ {2}(processed|verification time|stack depth) /.test(line))
				to = lines;
			if (!skip)
				to.push(line);
			else if (/ since /.test(line))
				to.push(line.replace(/:$/, ""));
		}
		about.replaceChildren();
		for (const part of lines.filter((l) => l).join("\n").split(/(\b\d+: \()/)) {
			const row = this.log.links.get(parseInt(part, 10));

			if (/^\d+: \($/.test(part) && row !== undefined)
				about.append(button(part.slice(0, -3), "link", () => this.go(row)), ": (");
			else
				about.append(part);
		}
		$("reason").replaceChildren();
		if (why)
			this.showReason(why);
		if (said.length)
			$("reason").append(element("pre", "", said.join("\n").trimEnd()));
	}

	showReason(why) {
		$("reason").append(element("p", "", element("b", "", why.class), " ",
			element("code", "dim", why.id)), element("p", "", why.reason));
		if (why.remedies.length)
			$("reason").append(element("ul", "", ...why.remedies.map((r) =>
				element("li", "", r))));
	}

	start(line) {
		const log = this.log;
		let row = log.at;

		if (line)
			row = log.rowOfLine(line);
		else if (row < 0 && log.errors.length)
			row = log.errors[0];
		else if (row < 0)
			row = Math.max(log.kinds.indexOf("i"), 0);
		if (log.rows)
			this.select(row);
	}
}

/* --- the page --- */

let view, meta, placeTimer;

function narrow() {
	return matchMedia("(max-width: 760px)").matches;
}

function showTab(name) {
	document.body.dataset.tab = name;
	for (const b of $("tabs").children)
		b.setAttribute("aria-pressed", String(b.dataset.tab === name));
	if (view)
		for (const list of [view.list, view.program.list])
			list.refresh();
}

/* The address leads to the line. Not for each line that is passed: browsers count these calls. */
function rememberPlace(nth, line) {
	clearTimeout(placeTimer);
	placeTimer = setTimeout(() => history.replaceState(null, "",
		"#log=" + (nth + 1) + "&line=" + line), 300);
}

function openLog(nth, line) {
	const entry = meta[nth], verdict = $("verdict");

	view = undefined;
	$("logs").value = String(nth);
	verdict.className = entry.outcome;
	$("why").firstElementChild.textContent = entry.outcome === "failed" ? "Why it failed" : "Result";
	verdict.textContent = {passed: "✓ passed", failed: "✗ " + entry.headline,
		cut: "– the log ends before the error", empty: "– no verifier log"}[entry.outcome];
	view = new View(new Log(JSON.parse($("data" + nth).textContent), entry), nth);
	$("all").setAttribute("aria-pressed", "false");
	view.start(line);
}

function fromAddress() {
	const m = /^#log=(\d+)(?:&line=(\d+))?$/.exec(location.hash);
	const failed = meta.findIndex((entry) => entry.outcome === "failed");

	if (m && meta[m[1] - 1])
		openLog(m[1] - 1, Number(m[2]));
	else
		openLog(Math.max(failed, 0));
}

const ACTIONS = {
	j: () => view.selectItem(view.item + 1), k: () => view.selectItem(view.item - 1),
	ArrowDown: () => view.selectItem(view.item + 1),
	ArrowUp: () => view.selectItem(view.item - 1),
	PageDown: () => view.selectItem(view.item + 20), PageUp: () => view.selectItem(view.item - 20),
	g: () => view.selectItem(0), G: () => view.selectItem(view.outline.n - 1),
	Home: () => view.selectItem(0), End: () => view.selectItem(view.outline.n - 1),
	"]": () => view.goSame(1), "[": () => view.goSame(-1),
	"}": () => view.goSameSource(1), "{": () => view.goSameSource(-1),
	n: () => view.goAmong(view.log.errors, 1), p: () => view.goAmong(view.log.errors, -1),
	u: () => view.goUp(), b: () => view.goBack(), Backspace: () => view.goBack(),
	m: () => view.pin(), c: () => view.unpin(), a: () => view.setAll(!view.outline.all),
	Enter: () => view.toggle(view.item),
	i: () => view.program.setInsns(!view.program.insns),
	w: () => { $("why").open = !$("why").open; },
	"/": () => $("find").focus(),
	"?": () => $("keys").showModal(),
};

function onKey(e) {
	const target = e.target.closest("input, select, textarea, dialog");
	const pressed = e.target.closest("button, summary");

	if (!view || e.ctrlKey || e.altKey || e.metaKey || target)
		return;
	if (pressed && (e.key === "Enter" || e.key === " "))
		return;
	/* A panel that has room to scroll takes these keys itself. */
	if (e.target.closest("#state, #why") && /^(Arrow|Page|Home|End)/.test(e.key))
		return;
	if (/^[0-9]$/.test(e.key))
		view.followReg(Number(e.key));
	else if (ACTIONS[e.key])
		ACTIONS[e.key]();
	else
		return;
	e.preventDefault();
}

function onFindKey(e) {
	if (e.key === "Enter")
		view.find(e.target.value, e.shiftKey ? -1 : 1);
	else if (e.key === "Escape")
		view.list.box.focus();
	else
		return;
	e.preventDefault();
}

function setUp() {
	const keys = element("dl", "");

	meta = JSON.parse($("index").textContent);
	meta.forEach((entry, i) => {
		const sign = {passed: "✓ ", failed: "✗ "}[entry.outcome] || "– ";
		const file = entry.file === "-" ? "standard input" : entry.file.replace(/.*\//, "");
		const option = element("option", "", sign + (entry.name || file));

		option.value = String(i);
		$("logs").append(option);
	});
	for (const [key, what] of KEYS)
		keys.append(element("dt", "", key), element("dd", "", what));
	$("keys").append(element("h2", "", "Keys"), keys,
		button("close", "", () => $("keys").close()));
	$("logs").addEventListener("change", (e) => openLog(Number(e.target.value)));
	$("pin").addEventListener("click", () => view.pin());
	$("all").addEventListener("click", () => view.setAll(!view.outline.all));
	$("help").addEventListener("click", () => $("keys").showModal());
	$("find").addEventListener("keydown", onFindKey);
	$("tabs").addEventListener("click", (e) => e.target.dataset.tab && showTab(e.target.dataset.tab));
	document.addEventListener("keydown", onKey);
	showTab("log");
	if (meta.length)
		fromAddress();
	if (view)
		view.list.box.focus({preventScroll: true});
}

setUp();
