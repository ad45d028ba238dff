/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The panel beside the log: registers and stack at a step, where a value comes from, loops as tables. */

const MAX_COLUMNS = 8, MAX_ITERATIONS = 60;

class StatePanel {
	/* go(row) selects a row of the log; focus(cell) asks where a cell's value comes from. */
	constructor(box, log, go, focus) {
		this.box = box;
		this.log = log;
		this.go = go;
		this.focus = focus;
	}

	show(...parts) {
		this.box.replaceChildren(...parts.filter((p) => p));
	}

	link(row, text) {
		const b = button(text ?? "line " + this.log.lineNumber(row), "link", () => this.go(row));

		b.dataset.row = row;
		return b;
	}

	heading(text, ...more) {
		return element("h2", "", text, ...more);
	}

	/* The row as it is, in full: in the list long ones are cut. */
	rowText(row) {
		return element("p", "line", element("span", "dim", "line " +
			this.log.lineNumber(row) + "  "), this.log.line(row));
	}

	/* --- a step --- */

	showRow(row, origin, pins) {
		const log = this.log, step = log.stepOfRow(row);
		const isStep = step >= 0 && log.stepRow[step] === row;
		const before = isStep ? log.state(log.before(step)) : log.state(step);
		const after = log.state(isStep ? log.settled(step) : step);

		this.show(pins.length ? this.compare(pins, row) : null,
			this.rowText(row),
			origin ? this.originList(origin) : null,
			step < 0 ? element("p", "dim", "Nothing is executed yet.")
				: this.stateTables(before, after, step),
			isStep && log.before(step) >= 0 &&
				log.stepRow[log.before(step)] < row - 1 && log.kinds[row] === "p"
				? element("p", "dim", "This goes on behind ",
					this.link(log.stepRow[log.before(step)]), ".") : null);
	}

	cells(...states) {
		const cells = new Set();

		for (const state of states)
			for (const cell of state.keys())
				cells.add(cell);
		return [...cells].sort((a, b) => a - b);
	}

	stateTables(before, after, step) {
		const out = document.createDocumentFragment();
		const cells = this.cells(before, after);
		const frames = [...new Set(cells.map(cellFrame))].sort((a, b) => b - a);

		for (const frame of frames) {
			const table = element("table", "state");

			for (const cell of cells)
				if (cellFrame(cell) === frame)
					table.append(this.stateRow(cell, before.get(cell), after.get(cell), step));
			out.append(this.heading(frames.length > 1 ? "Frame " + frame : "State"), table);
		}
		if (!cells.length)
			out.append(element("p", "dim", "The log says nothing of registers here."));
		return out;
	}

	stateRow(cell, old, now, step) {
		const before = this.log.value(old), after = this.log.value(now);
		const row = element("tr", before === after ? "" : "changed");
		const value = element("td", "value");
		const name = button(cellName(cell), "cell", () => this.focus(cell, now ? step : -1));

		name.title = "where it was set";
		name.dataset.cell = cell;
		if (old && before !== after)
			value.append(element("del", "", before), " ");
		value.append(now ? element("span", "", after) : element("span", "dim", "no value"));
		row.append(element("th", "", name), value);
		return row;
	}

	/* --- where a value comes from --- */

	originList(origin) {
		const log = this.log, list = element("ol", "origin");

		for (const part of origin.chain) {
			const row = part.step >= 0 ? log.stepRow[part.step] : -1;
			const frame = cellFrame(part.cell);
			const li = element("li", "", element("b", "", cellName(part.cell)),
				(frame ? " in frame " + frame : "") + " " + part.how);

			if (row >= 0)
				li.append(" at ", this.link(row), " ",
					element("code", "", this.short(log.rowInsn[row] >= 0
						? log.string(log.text[row]) : log.line(row), 80)));
			for (const cell of part.others)
				li.append(" with ", button(cellName(cell), "cell", () => {
					this.go(row);
					this.focus(cell, log.before(part.step));
				}));
			list.append(li);
		}
		return element("div", "card origins", this.heading("Where " + cellName(origin.cell) +
			" comes from"), element("p", "line dim", origin.value), list);
	}

	short(text, max) {
		return text.length > max ? text.slice(0, max - 1) + "…" : text;
	}

	/* --- two steps --- */

	/* Of one pin: with the selected row. */
	compare(pins, selected) {
		const rows = pins.length > 1 ? pins : [pins[0], selected];
		const states = rows.map((row) => this.log.state(this.log.settled(
			this.log.stepOfRow(row))));
		const table = element("table", "compare");
		let same = 0;

		table.append(element("tr", "", element("th", ""),
			...rows.map((row) => element("th", "", this.link(row)))));
		for (const cell of this.cells(...states)) {
			const values = states.map((s) => s.has(cell) ? this.log.value(s.get(cell)) : "–");

			if (values[0] === values[1]) {
				same++;
				continue;
			}
			table.append(element("tr", "changed", element("th", "", this.fullName(cell)),
				...values.map((v) => element("td", "value", v))));
		}
		return element("div", "card", this.heading(pins.length > 1 ? "Two steps"
			: "The pinned step and this one"), table,
		element("p", "dim", (same === 1 ? "1 other is" : same + " others are") + " equal."));
	}

	fullName(cell) {
		return (cellFrame(cell) ? "frame" + cellFrame(cell) + " " : "") + cellName(cell);
	}

	/* --- a loop --- */

	showLoop(loop) {
		const log = this.log, steps = log.iterations(loop);
		const lines = loop.end - loop.start;

		this.show(this.heading("A loop of " + loop.count + " iterations"),
			element("p", "dim", lines + " lines, from ", this.link(loop.start), " to ",
				this.link(loop.end - 1), "."),
			steps.length ? this.iterationTable(steps) : null);
	}

	iterationTable(steps) {
		const log = this.log, half = MAX_ITERATIONS / 2, out = document.createDocumentFragment();
		const nth = steps.map((_, i) => i).filter((i) => steps.length <= MAX_ITERATIONS ||
			i < half || i >= steps.length - half);
		const states = new Map(nth.map((i) => [i, log.state(log.before(steps[i]))]));
		const cells = this.varying([...states.values()]);
		const shown = cells.slice(0, MAX_COLUMNS), table = element("table", "iterations");

		table.append(element("tr", "", element("th", "", "#"),
			...shown.map((cell) => element("th", "", this.fullName(cell)))));
		nth.forEach((i, k) => {
			if (k && i !== nth[k - 1] + 1)
				table.append(element("tr", "dim", element("td", "", "⋮")));
			table.append(element("tr", "",
				element("th", "", this.link(log.stepRow[steps[i]], String(i + 1))),
				...shown.map((cell) => this.shortCell(states.get(i).get(cell)))));
		});
		out.append(element("p", "dim", "Before instruction " +
			log.index(log.rowInsn[log.stepRow[steps[0]]]) + ", each time" +
			(cells.length > shown.length ? "; " + (cells.length - shown.length) +
				" more change" : "") + ":"));
		out.append(cells.length ? element("div", "scroll", table)
			: element("p", "dim", "Nothing that the log tells of changes."));
		return out;
	}

	shortCell(entry) {
		const td = element("td", "", this.log.value(entry) || "–");

		td.title = td.textContent;
		return td;
	}

	varying(states) {
		return this.cells(...states).filter((cell) =>
			new Set(states.map((s) => this.log.value(s.get(cell)))).size > 1);
	}
}
