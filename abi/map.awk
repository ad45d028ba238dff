# SPDX-License-Identifier: LGPL-2.1-or-later
# The library's version script: abi/libktstrgdb.map, which has what each release exported first, and what is new
# in the node of this release.
#   awk -v node=KTSTRGDB_0.2 -f map.awk abi/libktstrgdb.map NAMES
# NAMES has a name a line: all that the library exports. A name that it does not have any more stays
# away, and tests/library.sh says so.
function add(to, name) {
	if (!(to in text))
		nodes[++n_nodes] = to
	text[to] = text[to] "\t" name ";\n"
}

FILENAME == ARGV[1] && /^KTSTRGDB_/ { at = $1 }
FILENAME == ARGV[1] && /^\t[a-z]/ {
	sub(/;$/, "", $1)
	kept[$1] = at
	order[++n_kept] = $1
}
FILENAME == ARGV[1] { next }
{ defined[$1] = 1 }
!($1 in kept) { fresh[++n_fresh] = $1 }

END {
	for (i = 1; i <= n_kept; i++)
		if (order[i] in defined)
			add(kept[order[i]], order[i])
	for (i = 1; i <= n_fresh; i++)
		add(node, fresh[i])
	for (i = 1; i <= n_nodes; i++) {
		printf "%s {\nglobal:\n%s%s}%s;\n", nodes[i], text[nodes[i]], i == 1 ? "local:\n\t*;\n" : "", last
		last = " " nodes[i]
	}
}
