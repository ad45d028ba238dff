#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The packages: made in roots of Debian as docs/packaging.md says, checked by lintian and abidiff, and installed,
# used and purged in roots that have nothing else. Root, for mounts; roots are kept (tests/packages/root).
#
#   packages.sh [SUITE...]    bookworm trixie sid, the newest; RPMs, the static file and the ABI are bookworm's
#   PACKAGES_QUICK=1          without the checks that debian/rules makes itself
#   PACKAGES_MADE=DIR         DIR/SUITE has what was made before, and is only tried
. "$(dirname "$0")/../guest/lib"
suites=${*:-bookworm trixie sid}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ktstr-gdb
in_root=tests/packages/in-root
arch=$(uname -m)

[ "$(id -u)" = 0 ] || skip_all 'takes root'
mkdir -p "$cache/sysroots" "$cache/static" "$work/src" "$work/top"
# Overlays want a file system of this machine's own.
top=$(mktemp -d "$cache/roots-used.XXXXXX")
trap 'rm -rf "$top"; finish' EXIT

# --- one version ---

version=$(sed -n 's/^VERSION := //p' GNUmakefile)
same_version() {
	[ "$(sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)" = "$version" ] || echo "not debian/changelog's"
	[ "$(sed -n 's/^\([0-9][0-9.]*\).*/\1/p' NEWS | head -n 1)" = "$version" ] || echo "not the one of NEWS"
	grep -q "^KTSTRGDB_${version%.*} {" abi/libktstrgdb.map || echo "not the last node of abi/libktstrgdb.map"
}
says_nothing() {
	said=$("$@" 2>&1) && [ -z "$said" ] && return
	printf '%s\n' "$said"
	return 1
}
check "$version is the version everywhere" says_nothing same_version

# --- what is built ---

{ git ls-files 2>/dev/null | grep . || find . -name build -prune -o -type f -print; } |
	tar -cf - -T - | tar -xf - -C "$work/src"

# build SUITE TARGET...: in its root, on a copy of the sources; what was made is in $work/SUITE.
build() {
	suite=$1
	shift
	mkdir -p "$work/$suite"
	if [ "$1" != abi-check ] && [ -n "${PACKAGES_MADE:-}" ] && [ -d "$PACKAGES_MADE/$suite" ]; then
		cp "$PACKAGES_MADE/$suite"/* "$work/$suite"
		return
	fi
	# shellcheck disable=SC2016
	BINDS="$work/src:/src $work/$suite:/out $cache/sysroots:/sysroots $cache/static:/root/.cache/ktstr-gdb/static" \
		$in_root "$(tests/packages/root "$suite")" "$top/$suite" sh -euc '
		[ -d /build ] || cp -a /src /build
		cd /build
		export KTSTR_SYSROOTS=/sysroots SOURCE_DATE_EPOCH='"$epoch"' DEB_BUILD_OPTIONS='"${PACKAGES_QUICK:+nocheck}"'
		make "$@"
		[ ! -d build/dist ] || cp -a build/dist/. /out' sh "$@" >"$work/$suite.log" 2>&1 && return
	tail -n 30 "$work/$suite.log"
	return 1
}
epoch=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y GNUmakefile)

four_packages() {
	for p in ktstr-gdb_${version}_amd64 libktstrgdb0_${version}_amd64 libktstrgdb-dev_${version}_amd64 \
		ktstr-gdb-inits_${version}_all; do
		[ -s "$work/$suite/$p.deb" ] || echo "no $p.deb"
	done
}

# In the suite's root, with its packages in /debs.
in_suite() { # SUITE[-plain] COMMAND...
	kind=$1
	shift
	plain=''
	[ "${kind%-plain}" = "$kind" ] || plain=--plain
	# shellcheck disable=SC2086
	BINDS="$work/${kind%-plain}:/debs $work/src:/src ${guest:+$guest:/guest} $cache/archives:/var/cache/apt/archives" \
		$in_root "$(tests/packages/root $plain "${kind%-plain}")" "$top/$kind" "$@"
}

lintian_finds_nothing() {
	in_suite "$suite" sh -c 'lintian --allow-root --fail-on error --tag-display-limit 0 /debs/*.changes'
}

# QEMU and what disassembles are recommended. Which libraries are linked in is the suite's matter: not every
# suite's libarchive.a links.
wants() {
	dpkg-deb -f "$work/$suite/ktstr-gdb_${version}_amd64.deb" Depends Recommends >"$work/wants"
	grep -q '^Depends: .*libc6 (>= .*libsmartcols1 (>=' "$work/wants" &&
		grep -q '^Recommends: qemu-system-x86, libcapstone[0-9]' "$work/wants" &&
		! grep -qE 'clang|-dev\b' "$work/wants" && return
	cat "$work/wants"
	return 1
}

machines_of_inits() {
	dpkg-deb -x "$work/$suite/ktstr-gdb-inits_${version}_all.deb" "$work/inits"
	for i in "$work"/inits/usr/libexec/ktstr-gdb/ktstr-init-*; do
		readelf -hlW "$i" >"$work/elf" || return
		! grep -q INTERP "$work/elf" || return
		sed -n "s|^ *Machine: *|${i##*/ktstr-init-} |p" "$work/elf"
	done >"$work/machines"
	rm -rf "$work/inits"
	for line in 'aarch64 AArch64' 'ppc64le PowerPC64' 'riscv64 RISC-V' 's390x IBM S/390'; do
		grep -qx "$line" "$work/machines" || echo "not there: $line"
	done
}

# --- installed, used, purged ---

# All files but what dpkg, apt and ld.so write for themselves.
files() {
	in_suite "$1" find / -xdev \( -path /proc -o -path /dev -o -path /debs -o -path /src -o -path /guest -o \
		-path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache -o -path /var/log -o -path /tmp -o \
		-path /root/.cache \) -prune -o -printf '%p %y\n' | sort
}

apt='apt-get -q -y -o Dpkg::Use-Pty=0 --no-install-recommends'
# --no-download of apt does not know packages by their files.
apt_offline="$apt -o Acquire::http::Proxy=http://127.0.0.1:9 -o Acquire::https::Proxy=http://127.0.0.1:9"
debs='$(ls /debs/*.deb | grep -v dbgsym)'
fetch_dependencies() {
	in_suite "$suite-plain" sh -c "$apt --download-only install $debs"
}

# From the package to the programs of a guest that runs: at most ten seconds.
first_attach() {
	began=$(date +%s%N)
	in_suite "$suite-plain" sh -c "$apt_offline install /debs/ktstr-gdb_*.deb >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
		ktstr-gdb attach unix:/guest/gdb.sock --vmlinux /guest/vmlinuz --json" >"$work/attach.json" || {
		head -n 20 "$work/attach.json"
		return 1
	}
	took=$((($(date +%s%N) - began) / 1000000))
	echo "# $suite: from the package to the first attach: $took ms" >>"$work/times"
	[ $took -le 10000 ] || echo "$took ms"
}

# The guest's own kernel said which programs there are.
programs_as_guest_says() {
	build/truth/compare --min-programs 20 --min-types 6 "$guest/truth.json" "$1"
}

installs_all() {
	in_suite "$suite-plain" sh -c "$apt_offline install $debs" >"$work/log" 2>&1 || cat "$work/log"
	[ "$(in_suite "$suite-plain" ktstr-gdb --version)" = "ktstr-gdb $version" ] || echo "another version"
	in_suite "$suite-plain" sh -c 'cd /usr/libexec/ktstr-gdb && ls' >"$work/there"
	for f in apt-root dnf-root fetch-kernel ktstr-init-aarch64 ktstr-init-ppc64le ktstr-init-riscv64 ktstr-init-s390x; do
		grep -qx "$f" "$work/there" || echo "no $f"
	done
	in_suite "$suite-plain" ktstr-gdb fetch-kernel --help >"$work/log" 2>&1 || cat "$work/log"
}

purges() {
	in_suite "$suite-plain" sh -c "dpkg --purge ktstr-gdb ktstr-gdb-inits libktstrgdb0 libktstrgdb-dev &&
		apt-get -q -y autoremove --purge" >"$work/log" 2>&1 || cat "$work/log"
	files "$suite-plain" | diff "$work/before" -
}

# What the tool says of each log of the tests, in short.
tool_of_logs() {
	for f in tests/logparse/logs/*.stderr; do
		build/ktstr-gdb log "$f" | md5sum
	done
}

# Another project: only the packages, and pkg-config.
links() {
	# shellcheck disable=SC2016
	in_suite "$suite" sh -euc 'dpkg -i /debs/libktstrgdb0_*.deb /debs/libktstrgdb-dev_*.deb >/dev/null
		cc -Wall -Werror /src/examples/collapse.c -o /tmp/collapse $(pkg-config --cflags --libs libktstrgdb)
		readelf -d /tmp/collapse | grep -q "NEEDED.*libktstrgdb.so.0"
		for f in /src/tests/logparse/logs/*.stderr; do
			/tmp/collapse <"$f" | md5sum
		done
		dpkg --purge libktstrgdb-dev libktstrgdb0 >/dev/null' >"$work/got" || return
	tool_of_logs | diff - "$work/got"
}

# --- other packages, of bookworm ---

# Debian's rpm wants to be told that it is meant.
rpm_is_whole() {
	in_suite bookworm sh -euc 'cd /debs && mkdir -p /tmp/r && for p in ktstr-gdb libktstrgdb libktstrgdb-devel; do
			rpm -qp --qf "%{version}\n" $p-[0-9]*.x86_64.rpm
			rpm --force-debian --root /tmp/r --nodeps -i $p-[0-9]*.x86_64.rpm
		done
		find /tmp/r/usr -type f -o -type l | sed "s|^/tmp/r||" | grep -v /.build-id/ | sort >/debs/rpm.files
		/tmp/r/usr/bin/ktstr-gdb --version
		rpm --force-debian --root /tmp/r -e ktstr-gdb libktstrgdb libktstrgdb-devel
		find /tmp/r \( -path "*/lib/rpm*" -o -name .rpmdb \) -prune -o -type f -print' >"$work/rpm.said" 2>&1
	printf '%s\n%s\n%s\nktstr-gdb %s\n' "$version" "$version" "$version" "$version" | diff - "$work/rpm.said"
	# The same as Debian's packages, but for where documents and libraries are.
	for p in ktstr-gdb libktstrgdb0 libktstrgdb-dev; do
		dpkg-deb -c "$work/bookworm/${p}_${version}_amd64.deb"
	done | sed -n 's|^[-l].* \./\(usr/[^ ]*\).*|/\1|p' >"$work/deb.files"
	for list in "$work/deb.files" "$work/bookworm/rpm.files"; do
		grep -vE '^/usr/share/(doc|lintian|licenses)/' "$list" |
			sed "s|/lib64/|/lib/|; s|/lib/$arch-linux-gnu/|/lib/|; s|\.gz$||" | sort >"$list.plain"
	done
	diff "$work/deb.files.plain" "$work/bookworm/rpm.files.plain"
}

static=$work/ktstr-gdb-$version-linux-$arch
static_needs_nothing() {
	tar -xJf "$work/bookworm/ktstr-gdb-$version-linux-$arch.tar.xz" -C "$work" || return
	[ "$(find "$static" -name 'ktstr-gdb' -type f -perm -u+x | wc -l)" = 1 ] || find "$static" -type f
	readelf -ldW "$static/bin/ktstr-gdb" | grep -E 'INTERP|NEEDED'
	return 0
}

static_runs() { # SUITE
	# shellcheck disable=SC2086
	BINDS="$static:/opt/ktstr $work/src:/src ${guest:+$guest:/guest}" $in_root \
		"$(tests/packages/root --plain "$1")" "$top/$1-static" sh -euc '
		/opt/ktstr/bin/ktstr-gdb --version
		for f in /src/tests/logparse/logs/*.stderr; do
			/opt/ktstr/bin/ktstr-gdb log "$f" | md5sum
		done' >"$work/got" || return
	{
		echo "ktstr-gdb $version"
		tool_of_logs
	} | diff - "$work/got"
}

static_attaches() { # SUITE
	# shellcheck disable=SC2086
	BINDS="$static:/opt/ktstr $guest:/guest" $in_root "$(tests/packages/root --plain "$1")" "$top/$1-static" \
		/opt/ktstr/bin/ktstr-gdb attach unix:/guest/gdb.sock --vmlinux /guest/vmlinuz --json \
		>"$work/attach.json" || return
	programs_as_guest_says "$work/attach.json"
}

# --- all that, suite by suite ---

mkdir -p "$cache/archives/partial"
guest=''
kernel bookworm
boot packages --kernel "$kernel" --gdb unix
guest=$dir
cp "$kernel" "$guest/vmlinuz"

for suite in $suites; do
	if ! root=$(tests/packages/root "$suite" 2>"$work/err") ||
		! root=$(tests/packages/root --plain "$suite" 2>"$work/err"); then
		skip "$suite: packages" "$(tail -n 1 "$work/err")"
		continue
	fi
	check "$suite: dpkg-buildpackage makes the packages" build "$suite" deb
	check "$suite: four of them" says_nothing four_packages
	check "$suite: lintian finds no error" lintian_finds_nothing
	check "$suite: they depend on what they need" wants
	check "$suite: inits are of their architectures, and static" says_nothing machines_of_inits
	check "$suite: a program is linked with the library's packages" links
	check "$suite: what they depend on is to be had" fetch_dependencies
	files "$suite-plain" >"$work/before"
	check "$suite: from the package to a guest's programs in 10 seconds" says_nothing first_attach
	check "$suite: they are those that the guest's kernel has" programs_as_guest_says "$work/attach.json"
	check "$suite: the others are installed, too" says_nothing installs_all
	check "$suite: purged, nothing is left" says_nothing purges
done
case " $suites " in *' bookworm '*)
	check "the library's ABI is the one that is kept" build bookworm abi-check
	check "rpmbuild makes RPMs" build bookworm rpm RPM_FLAGS=--nodeps
	check "they have the files of Debian's packages, and leave none" says_nothing rpm_is_whole
	check "the static file is built" build bookworm static
	check "it needs no other file" says_nothing static_needs_nothing
	for suite in bullseye sid; do
		if ! root=$(tests/packages/root --plain "$suite" 2>"$work/err"); then
			skip "$suite: the static file" "$(tail -n 1 "$work/err")"
			continue
		fi
		check "$suite: the static file reads logs as the tool does" static_runs "$suite"
		check "$suite: the static file shows a guest's programs" static_attaches "$suite"
	done
	;;
esac
alive
cat "$work/times" 2>/dev/null
plan
