/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The script of `ktstr-gdb report --html`. Each page has a copy, and without it everything but the
 * filter.
 */
(function () {
	"use strict";
	var d = document;
	var q = d.getElementById("q"), st = d.getElementById("st"), n = d.getElementById("n");
	/* Cells, in tables and in the list of details. */
	var items = [].slice.call(d.querySelectorAll("[data-n]"));

	function apply() {
		var words = q.value.toLowerCase().split(/\s+/), shown = 0, all = 0;

		items.forEach(function (e) {
			var text = e.getAttribute("data-n").toLowerCase();
			var ok = (!st.value || e.classList.contains(st.value)) &&
				words.every(function (w) { return text.indexOf(w) >= 0; });

			/* A table keeps its shape. */
			if (e.tagName === "TD") {
				e.classList.toggle("off", !ok);
				return;
			}
			e.hidden = !ok;
			if (e.tagName === "DETAILS") {
				all++;
				shown += ok ? 1 : 0;
			}
		});
		n.textContent = shown + " of " + all + " cells";
	}

	/* Firefox does not open the details that a link leads to. */
	function go() {
		var e = location.hash.length > 1 && d.getElementById(location.hash.slice(1));

		if (!e || e.tagName !== "DETAILS")
			return;
		if (e.hidden) {
			q.value = "";
			st.value = "";
			apply();
		}
		e.open = true;
		e.scrollIntoView();
		e.firstElementChild.focus({preventScroll: true});
	}

	q.addEventListener("input", apply);
	st.addEventListener("change", apply);
	d.addEventListener("keydown", function (e) {
		if (e.key === "/" && !/^(INPUT|SELECT)$/.test(e.target.tagName)) {
			e.preventDefault();
			q.focus();
		} else if (e.key === "Escape" && e.target === q) {
			q.value = "";
			apply();
		}
	});
	/* A link to where the page is already raises no hashchange. */
	d.addEventListener("click", function (e) {
		var link = e.target.closest("a[href^='#c']");

		if (link && link.getAttribute("href") === location.hash)
			go();
	});
	window.addEventListener("hashchange", go);
	d.getElementById("bar").hidden = false;
	apply();
	go();
})();
