# SPDX-License-Identifier: LGPL-2.1-or-later
# Reads a line of sha256sum(1) and prints its hash in base64, as a Content-Security-Policy has it. Every
# build machine has these two; not every one has xxd or openssl.
function value(hex,    v, i) {
	v = 0
	for (i = 1; i <= length(hex); i++)
		v = v * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
	return v
}

# Three hex digits are two of base64. The last of the 64 is filled up with zeros.
NR == 1 && $1 ~ /^[0-9a-f]+$/ && length($1) == 64 {
	digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for (i = 1; i <= 64; i += 3) {
		v = value(substr($1 "00", i, 3))
		out = out substr(digits, int(v / 64) + 1, 1) substr(digits, v % 64 + 1, 1)
	}
	print substr(out, 1, 43) "="
}

END {
	exit !out
}
