/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of any length, of which only what can be seen is drawn; and what of a log is shown. */

const ROW = 20; /* px; as --row in log.css */

function element(name, className, ...children) {
	const e = document.createElement(name);

	if (className)
		e.className = className;
	e.append(...children);
	return e;
}

function button(text, className, onclick) {
	const e = element("button", className, text);

	e.addEventListener("click", onclick);
	return e;
}

class List {
	/* fill(element, i) draws item i; pick(i, event) is called for a click on it. */
	constructor(parent, label, fill, pick) {
		this.fill = fill;
		this.n = 0;
		this.pool = [];
		this.selected = -1;
		this.room = element("div", "room");
		this.box = element("div", "list", this.room);
		this.box.tabIndex = 0;
		this.box.setAttribute("role", "listbox");
		this.box.setAttribute("aria-label", label);
		parent.append(this.box);
		this.box.addEventListener("scroll", () => this.later(), {passive: true});
		this.room.addEventListener("click", (e) => {
			const row = e.target.closest(".row");

			if (row)
				pick(row.item, e);
		});
		new ResizeObserver(() => this.draw()).observe(this.box);
	}

	later() {
		if (!this.waiting)
			this.waiting = requestAnimationFrame(() => this.draw());
	}

	/* All items are new. */
	reset(n) {
		this.n = n;
		this.room.style.height = n * ROW + "px";
		for (const row of this.pool)
			row.item = -1;
		this.draw();
	}

	draw() {
		const top = this.box.scrollTop, height = this.box.clientHeight;
		const first = Math.max(0, Math.floor(top / ROW) - 4);
		const end = Math.min(this.n, Math.ceil((top + height) / ROW) + 4);

		cancelAnimationFrame(this.waiting);
		this.waiting = 0;
		while (this.pool.length < end - first) {
			const row = element("div", "row");

			row.item = -1;
			row.setAttribute("role", "option");
			this.pool.push(row);
			this.room.append(row);
			/* Each item has its place in the pool, by its number: with another size, another. */
			for (const r of this.pool)
				r.item = -1;
		}
		for (let i = first; i < end; i++)
			this.put(this.pool[i % this.pool.length], i);
		for (const row of this.pool)
			if (row.item < first || row.item >= end) {
				row.item = -1;
				row.hidden = true;
			}
	}

	put(row, i) {
		if (row.item === i)
			return;
		row.item = i;
		row.hidden = false;
		row.className = "row";
		row.id = this.box.getAttribute("aria-label").toLowerCase() + "-" + i;
		row.replaceChildren();
		row.style.transform = "translateY(" + i * ROW + "px)";
		row.setAttribute("aria-selected", String(i === this.selected));
		this.fill(row, i);
		row.classList.toggle("selected", i === this.selected);
	}

	/* Draws anew what is seen. */
	refresh() {
		for (const row of this.pool)
			row.item = -1;
		this.draw();
	}

	select(i) {
		this.selected = i;
		this.box.setAttribute("aria-activedescendant",
			this.box.getAttribute("aria-label").toLowerCase() + "-" + i);
		this.refresh();
	}

	/* Scrolls as little as needed; from far away, so that the item is in the middle. */
	show(i) {
		const top = this.box.scrollTop, height = this.box.clientHeight, y = i * ROW;

		if (y < top - height || y > top + 2 * height)
			this.box.scrollTop = y - height / 3;
		else if (y < top + 2 * ROW)
			this.box.scrollTop = y - 2 * ROW;
		else if (y > top + height - 3 * ROW)
			this.box.scrollTop = y - height + 3 * ROW;
	}
}

const ITEM_ROW = 0, ITEM_LOOP = 1, ITEM_OMITTED = 2, ITEM_END = 3, ITEM_GROUP = 4;
const LOOP_ENDS = 0, LOOP_CLOSED = 1, LOOP_ALL = 2; /* the first and last iteration; nothing; all */

/*
 * What of a log is shown: rows, and lines that stand for a loop, for iterations that are left out and
 * for lines in a row that say nothing about the program (precision tracking, listings).
 */
class Outline {
	constructor(log) {
		this.log = log;
		this.loops = new Uint8Array(log.loops.length);
		this.open = new Set(); /* first rows of groups */
		this.all = false;
		this.build();
	}

	get n() {
		return this.what.length;
	}

	build() {
		this.what = [];
		this.which = []; /* a row; of LOOP, OMITTED and END the loop; of GROUP its first row */
		this.depth = [];
		this.place = new Int32Array(this.log.rows).fill(-1);
		if (this.all)
			for (let row = 0; row < this.log.rows; row++)
				this.addRow(row, 0);
		else
			this.addRows(0, this.log.rows, 0, 0);
	}

	add(what, which, depth) {
		this.what.push(what);
		this.which.push(which);
		this.depth.push(depth);
	}

	addRow(row, depth) {
		this.place[row] = this.what.length;
		this.add(ITEM_ROW, row, depth);
	}

	/* Loops stand in the order of their first rows, the outer one first. */
	addRows(row, to, next, depth) {
		const loops = this.log.loops;

		while (row < to) {
			while (next < loops.length && loops[next].start < row)
				next++;
			if (next < loops.length && loops[next].start === row && loops[next].end <= to &&
			    loops[next].end > row) {
				this.addLoop(next, depth);
				row = loops[next].end;
				next++;
			} else {
				row = this.addPlain(row, to, depth);
			}
		}
	}

	addLoop(i, depth) {
		const loop = this.log.loops[i];

		this.add(ITEM_LOOP, i, depth);
		if (this.loops[i] === LOOP_CLOSED)
			return;
		if (this.loops[i] === LOOP_ALL) {
			for (let row = loop.start; row < loop.end;)
				row = this.addPlain(row, loop.end, depth + 1);
		} else {
			this.addRows(loop.start, loop.firstEnd, i + 1, depth + 1);
			this.add(ITEM_OMITTED, i, depth + 1);
			this.addRows(loop.lastStart, loop.end, i + 1, depth + 1);
		}
		this.add(ITEM_END, i, depth);
	}

	groupEnd(row) {
		const kinds = this.log.kinds, kind = kinds[row];
		let end = row + 1;

		if (kind !== "m" && kind !== "l")
			return row;
		while (end < kinds.length && kinds[end] === kind)
			end++;
		return end;
	}

	/* A row, or a group that begins with it. Gives what comes next. */
	addPlain(row, to, depth) {
		let end = Math.min(this.groupEnd(row), to);

		if (this.log.kinds[row] === "b")
			return row + 1;
		if (end - row < 2) {
			this.addRow(row, depth);
			return row + 1;
		}
		this.add(ITEM_GROUP, row, depth);
		if (this.open.has(row))
			for (let r = row; r < end; r++)
				this.addRow(r, depth);
		return end;
	}

	/* The row that an item is, or begins with. */
	rowOf(i) {
		const which = this.which[i];

		switch (this.what[i]) {
		case ITEM_LOOP: return this.log.loops[which].start;
		case ITEM_OMITTED: return this.log.loops[which].firstEnd;
		case ITEM_END: return Math.max(this.log.loops[which].end - 1, 0);
		default: return which;
		}
	}

	toggle(i) {
		const which = this.which[i];

		switch (this.what[i]) {
		case ITEM_LOOP:
			this.loops[which] = this.loops[which] === LOOP_ENDS ? LOOP_CLOSED : LOOP_ENDS;
			break;
		case ITEM_OMITTED: this.loops[which] = LOOP_ALL; break;
		case ITEM_GROUP:
			if (!this.open.delete(which))
				this.open.add(which);
			break;
		default: return false;
		}
		this.build();
		return true;
	}

	/* Opens what hides a row. Gives its item. */
	reveal(row) {
		if (this.place[row] >= 0)
			return this.place[row];
		this.log.loops.forEach((loop, i) => {
			if (row < loop.start || row >= loop.end)
				return;
			if (row >= loop.firstEnd && row < loop.lastStart)
				this.loops[i] = LOOP_ALL;
			else if (this.loops[i] === LOOP_CLOSED)
				this.loops[i] = LOOP_ENDS;
		});
		this.build();
		if (this.place[row] >= 0)
			return this.place[row];
		while (row && this.log.kinds[row] === "b")
			row--;
		for (let r = row; r >= 0 && this.log.kinds[r] === this.log.kinds[row]; r--)
			this.open.add(r);
		this.build();
		return Math.max(this.place[row], 0);
	}
}
