# SPDX-License-Identifier: LGPL-2.1-or-later
# debian/libktstrgdb0.symbols of abi/libktstrgdb.map: a node's symbols came with that minor release.
BEGIN {
	print "libktstrgdb.so.0 libktstrgdb0 #MINVER#"
	print "* Build-Depends-Package: libktstrgdb-dev"
}
/^KTSTRGDB_/ { node = $1; since = substr(node, 10) ".0"; print " " node "@" node " " since }
/^\t[a-z]/ { sub(/;$/, "", $1); print " " $1 "@" node " " since }
