/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The script of `ktstr-gdb log --html`, first part: a log as data. Each page has a copy of all parts,
 * one behind the other. render/log_page_data.h says what the data are, logparse/steps.h what a step is.
 *
 * Text of a log goes into the page as text (textContent), and never as HTML.
 */
"use strict";

const SET = 0, SHOWN = 1, LOST = 2, GONE = 3;
const REFS = 11, FLAG = 12, FRAME = 1024;

/* A state is put together from an earlier one. So many steps apart, one is kept. */
const KEEP_EVERY = 128, KEEP_RECENT = 32;

function cellFrame(cell) {
	return Math.floor(cell / FRAME);
}

function cellName(cell) {
	const n = cell % FRAME;

	if (n < REFS)
		return "R" + n;
	if (n === REFS)
		return "refs";
	return n === FLAG ? "flags" : "fp-" + (n - FLAG) * 8;
}

/* Of "fp-16", or "fp[0]-16" in another frame, the cell; of any other text -1. */
function slotCell(frame, text, offset) {
	const m = /^fp(?:\[(\d+)\])?(0|-\d+)$/.exec(text);
	const at = m ? Number(m[2]) + offset : 0;

	if (m && m[1] !== undefined)
		frame = Number(m[1]);
	return at < 0 && at >= -8000 ? frame * FRAME + FLAG + Math.floor((-at - 1) / 8) + 1 : -1;
}

class Log {
	constructor(data, meta) {
		this.meta = meta;
		this.strings = data.strings;
		this.kinds = data.kinds;
		this.text = Int32Array.from(data.text);
		this.behind = Int32Array.from(data.behind);
		this.insns = data.insns;
		this.sources = data.sources;
		this.loops = [];
		this.about = data.about;
		this.why = data.why;
		this.at = data.at;
		this.dropped = data.dropped;
		this.links = new Map(data.links);
		for (let i = 0; i < data.loops.length; i += 5)
			this.loops.push({start: data.loops[i], firstEnd: data.loops[i + 1],
				lastStart: data.loops[i + 2], end: data.loops[i + 3],
				count: data.loops[i + 4]});
		this.readSteps(data.steps, data.changes);
		this.readProgram();
		this.kept = new Map();
		this.recent = [];
	}

	get rows() {
		return this.kinds.length;
	}

	readSteps(steps, changes) {
		const n = steps.length / 4;
		let row = 0, change = 0;

		this.stepRow = new Int32Array(n);
		this.stepBack = new Int32Array(n);
		this.stepFrame = new Uint8Array(n);
		this.stepChange = new Int32Array(n + 1);
		this.changes = Int32Array.from(changes);
		for (let i = 0; i < n; i++) {
			row += steps[4 * i];
			this.stepRow[i] = row;
			this.stepBack[i] = steps[4 * i + 1];
			this.stepFrame[i] = Math.min(steps[4 * i + 2], 255);
			change += steps[4 * i + 3];
			this.stepChange[i + 1] = change;
		}
	}

	/* Which instruction a row is, and all rows of an instruction and of a source line. */
	readProgram() {
		const ofText = new Map();

		this.maxCount = 1;
		this.insns.forEach((insn, i) => {
			ofText.set(insn[0], i);
			this.maxCount = Math.max(this.maxCount, insn[2]);
		});
		this.rowInsn = new Int32Array(this.rows).fill(-1);
		this.insnRows = this.insns.map(() => []);
		for (let row = 0; row < this.rows; row++) {
			if (this.kinds[row] !== "i")
				continue;
			const insn = ofText.get(this.text[row]);

			this.rowInsn[row] = insn;
			this.insnRows[insn].push(row);
		}
		this.sourceOfText = new Map(this.sources.map((s, i) => [s[0], i]));
		this.sourceInsns = this.sources.map(() => []);
		this.insns.forEach((insn, i) => {
			if (insn[1] >= 0)
				this.sourceInsns[insn[1]].push(i);
		});
		this.errors = [];
		for (let row = 0; row < this.rows; row++)
			if (this.kinds[row] === "e" && this.kinds[row - 1] !== "e")
				this.errors.push(row);
		if (this.at >= 0 && !this.errors.includes(this.at))
			this.errors.push(this.at);
		this.errors.sort((a, b) => a - b);
	}

	string(id) {
		return this.strings[id];
	}

	/* A row as the log has it, and its number there, from 1. */
	line(row) {
		const behind = this.behind[row];

		if (this.kinds[row] === "d")
			return this.dropped[1] + " lines are left out here: the page would be too " +
				"large. ktstr-gdb log has them.";
		return this.string(this.text[row]) + (behind ? " " + this.string(behind) : "");
	}

	lineNumber(row) {
		return row + 1 + (this.dropped && row > this.dropped[0] ? this.dropped[1] - 1 : 0);
	}

	rowOfLine(line) {
		let row = line - 1;

		if (this.dropped && row > this.dropped[0])
			row = Math.max(row - this.dropped[1] + 1, this.dropped[0]);
		return Math.min(Math.max(row, 0), this.rows - 1);
	}

	index(insn) {
		return parseInt(this.string(this.insns[insn][0]), 10);
	}

	/* "(07) r1 += 3" */
	insnText(insn) {
		return this.string(this.insns[insn][0]).replace(/^\d+:\s*/, "");
	}

	sourceOfRow(row) {
		const insn = this.rowInsn[row];

		if (insn >= 0)
			return this.insns[insn][1];
		return this.kinds[row] === "s" ? this.sourceOfText.get(this.text[row]) ?? -1 : -1;
	}

	/* --- steps --- */

	/* The last step that is not behind a row; -1: there is none. */
	stepOfRow(row) {
		let low = 0, high = this.stepRow.length;

		while (low < high) {
			const middle = (low + high) >> 1;

			if (this.stepRow[middle] <= row)
				low = middle + 1;
			else
				high = middle;
		}
		return low - 1;
	}

	before(step) {
		return step >= 0 && this.stepBack[step] ? step - this.stepBack[step] : -1;
	}

	kindOfStep(step) {
		return this.kinds[this.stepRow[step]];
	}

	insnOfStep(step) {
		return step < 0 ? -1 : this.rowInsn[this.stepRow[step]];
	}

	/*
	 * Behind a step: a Map from cells to {value, set, at}. `set` is the step that gave it its value,
	 * or -1; `at` the last one at which the log said something new about it. Not to be changed.
	 */
	state(step) {
		const chain = [];
		let from = step, state;

		for (; from >= 0 && !this.kept.has(from); from = this.before(from))
			chain.push(from);
		if (!chain.length)
			return step < 0 ? new Map() : this.kept.get(step);
		state = from < 0 ? new Map() : new Map(this.kept.get(from));
		for (let i = chain.length - 1; i >= 0; i--) {
			this.apply(state, chain[i]);
			if (i && i % KEEP_EVERY === 0)
				this.kept.set(chain[i], new Map(state));
		}
		this.kept.set(step, state);
		this.recent.push(step);
		if (this.recent.length > KEEP_RECENT)
			this.kept.delete(this.recent.shift());
		return state;
	}

	apply(state, step) {
		const limit = (this.stepFrame[step] + 1) * FRAME, before = this.before(step);

		if (before >= 0 && this.stepFrame[before] > this.stepFrame[step])
			for (const cell of [...state.keys()])
				if (cell >= limit)
					state.delete(cell);
		for (let i = this.stepChange[step]; i < this.stepChange[step + 1]; i++) {
			const code = this.changes[2 * i], cell = code >> 2, how = code & 3;
			const old = state.get(cell);

			if (how === GONE)
				state.delete(cell);
			else if (how === SHOWN)
				state.set(cell, {value: this.changes[2 * i + 1],
					set: old ? old.set : -1, at: step});
			else
				state.set(cell, {value: how === LOST ? 0 : this.changes[2 * i + 1],
					set: step, at: step});
		}
	}

	/*
	 * Some kernels print what an instruction did some lines behind it, so the state before the next
	 * one is what counts.
	 */
	settled(step) {
		for (let next = step + 1; next < this.stepRow.length; next++) {
			if (this.before(next) !== step || !"tcr".includes(this.kindOfStep(next)))
				break;
			step = next;
		}
		return step;
	}

	value(entry) {
		if (!entry)
			return "";
		return entry.value ? this.string(entry.value) : "?";
	}

	/* The first instruction of the log or of a function that is looked at by itself? */
	isStart(step) {
		return step < 0 || this.before(step) < 0;
	}

	/* --- where a value comes from --- */

	/*
	 * What a cell had from where, from the state behind a step backwards: a list of {step, cell,
	 * how, others}, the last one first. `others`: cells that took part, as they were before it.
	 */
	origin(step, cell) {
		const out = [];

		for (let n = 0; n < 32; n++) {
			const entry = this.state(step).get(cell);
			let link;

			if (!entry || entry.set < 0) {
				out.push({step: entry ? entry.at : -1, cell, others: [],
					how: this.nowhere(entry, cell)});
				break;
			}
			link = this.link(entry.set, cell);
			out.push({step: link.at ?? entry.set, cell, how: link.how, others: link.others});
			if (link.next === undefined)
				break;
			cell = link.next;
			step = link.before;
		}
		return out;
	}

	nowhere(entry, cell) {
		if (!entry)
			return "has no value";
		if (cell % FRAME === 10)
			return "the frame pointer";
		return this.isStart(entry.at) && !this.dropped ? "as it came in"
			: "set before what there is of the log";
	}

	/*
	 * How one step made a cell's value. `next`: the cell it came from, behind step `before`. `at`:
	 * the step to show for it, if it is another one.
	 */
	link(step, cell) {
		const kind = this.kindOfStep(step), before = this.before(step);
		const frame = cellFrame(cell);

		if (kind === "c") {
			const call = this.insnOfStep(before);

			if (call < 0 || !/ call pc/.test(this.insnText(call)) || frame < 1)
				return {how: "made for the callback", others: []};
			return {how: "passed by the call", others: [], at: before,
				next: cell - FRAME, before: this.before(before)};
		}
		if (kind === "r")
			return before >= 0 && this.insnOfStep(before) >= 0
				? {how: "returned", others: [], at: before,
					next: (frame + 1) * FRAME, before}
				: {how: "the result of the call", others: []};
		if (kind !== "i")
			return {how: "said here", others: []};
		return this.linkInsn(this.insnText(this.insnOfStep(step)), cell, before);
	}

	linkInsn(text, cell, before) {
		const frame = cellFrame(cell), state = this.state(before);
		const reg = (name) => frame * FRAME + Number(name);
		const store = /^\(..\) \*\(u\d+ \*\)\(r\d+ [+-]?\d+\) = (?:r(\d+)|(-?\d+|0x[0-9a-f]+))/
			.exec(text);
		let m = /^\(..\) call (\S+)/.exec(text);

		if (m)
			return {others: [], how: (cell % FRAME === 0 ? "the result of "
				: cell % FRAME < REFS ? "taken away by " : "written by ") + m[1]};
		if (store && cell % FRAME > FLAG)
			return store[1] ? {how: "stored", others: [], next: reg(store[1]), before}
				: {how: "a constant", others: []};
		m = /^\(..\) [rw](\d+) (\S*=) (.*)$/.exec(text);
		if (!m)
			return {how: "set", others: []};
		if (m[2] !== "=")
			return {how: "altered", next: cell, before,
				others: (/^[rw](\d+)/.exec(m[3]) || []).slice(1).map(reg)};
		return this.linkMove(m[3], cell, before, state, reg);
	}

	/* The right side of "r1 = ..." */
	linkMove(from, cell, before, state, reg) {
		const frame = cellFrame(cell);
		let m = /^[rw](\d+)$/.exec(from), slot;

		if (m)
			return {how: "copied", others: [], next: reg(m[1]), before};
		m = /^\*\([us]\d+ \*\)\(r(\d+) ([+-]\d+)\)/.exec(from);
		if (m) {
			slot = slotCell(frame, this.value(state.get(reg(m[1]))), Number(m[2]));
			return slot >= 0 && state.has(slot)
				? {how: "loaded from the stack", others: [], next: slot, before}
				: {how: "loaded through", others: [reg(m[1])]};
		}
		m = /[rw](\d+)$/.exec(from);
		if (m)
			return {how: "made from", others: [], next: reg(m[1]), before};
		return {how: "a constant", others: []};
	}

	/* Where a loop's first instruction was executed, as steps. */
	iterations(loop) {
		let row = loop.start, frame;
		const out = [];

		while (row < loop.end && this.rowInsn[row] < 0)
			row++;
		if (row === loop.end)
			return out;
		frame = this.stepFrame[this.stepOfRow(row)];
		for (const r of this.insnRows[this.rowInsn[row]]) {
			const step = r >= row && r < loop.end ? this.stepOfRow(r) : -1;

			if (step >= 0 && this.stepFrame[step] === frame)
				out.push(step);
		}
		return out;
	}
}
