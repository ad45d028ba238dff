#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A stock kernel, packed by the distributions' own tools as they pack kernels: what is found in each
# package is the image and the modules that went in. KTSTR_BOOT=no: without the guest. TAP.
. "$(dirname "$0")/../guest/lib"
kernel trixie
release=$(cat "${kernel%/*}/release")
all_modules=${kernel%/*}/modules
[ -d "$all_modules/kernel" ] || skip_all "no modules of $release"
# Enough to boot with, and few enough to be packed a dozen times.
modules=$work/modules
mkdir -p "$modules/kernel"
(cd "$all_modules" && cp modules.builtin modules.order "$modules" && cp -r --parents kernel/drivers/char kernel/drivers/virtio kernel/lib "$modules")
other=$(vm/fetch-kernel bookworm 2>/dev/null) || other=$kernel
boot_cache=${XDG_CACHE_HOME:-$HOME/.cache}
export XDG_CACHE_HOME="$work/cache"
mkdir "$work/cache" "$work/tmp"
export TMPDIR="$work/tmp"

need() {
	for tool_needed; do
		command -v "$tool_needed" >/dev/null || { skip "$form" "there is no $tool_needed"; return 1; }
	done
}

# equal MODULES-DIR: it has the kernel's modules, and no others.
equal() {
	diff -r "$modules/kernel" "$1/kernel" >"$work/differs" || { head -n 3 "$work/differs" && return 1; }
}

# found SPEC...: one kernel is found, that of the test.
found() {
	run fetch-kernel --json "$@"
	check "$form: found" test "$status" = 0
	[ "$status" = 0 ] || { told && return; }
	check "$form: one kernel, by its release" jq -e --arg r "$release" \
		'.kernels | length == 1 and .[0].release == $r and .[0].name == $r' "$work/out"
	keys fetched
	check "$form: its image" cmp "$kernel" "$(jq -r '.kernels[0].image' "$work/out")"
	check "$form: its modules" equal "$(jq -r '.kernels[0].modules' "$work/out")"
}

# says_of FORM STATUS PATTERN SPEC...
says_of() {
	says_what=$1 says_status=$2 says_words=$3
	shift 3
	run fetch-kernel "$@"
	says "$says_what" "$says_status" "$says_words"
}

# A root in a vendor's layout: root DIR IMAGE-PLACE MODULES-PLACE, either may be "".
root() {
	mkdir -p "$1"
	[ -z "$2" ] || { mkdir -p "$1/$(dirname "$2")" && cp "$kernel" "$1/$2"; }
	[ -z "$3" ] || { mkdir -p "$1/$3" && cp -r "$modules/." "$1/$3/"; }
}

# --- Debian and Ubuntu ---

deb() {
	mkdir -p "$1/DEBIAN"
	printf 'Package: %s\nVersion: 1.0\nArchitecture: amd64\nMaintainer: a <a@b>\nDescription: a kernel\n%s' \
		"$2" "$3" >"$1/DEBIAN/control"
	printf '#!/bin/sh\ntouch %s/ran\n' "$work" >"$1/DEBIAN/preinst"
	chmod 755 "$1/DEBIAN/preinst"
	dpkg-deb --root-owner-group -z1 $4 -b "$1" "$work/$2.deb" >"$work/log" 2>&1
}
form='a .deb'
if need dpkg-deb; then
	root "$work/deb" "boot/vmlinuz-$release" "lib/modules/$release"
	deb "$work/deb" linux-image-full '' -Zxz
	found "$work/linux-image-full.deb"
	first=$(jq -r '.kernels[0].image' "$work/out")
	check "$form: taken out once" test "$first" = "$("$tool" fetch-kernel "$work/linux-image-full.deb")"
	check "$form: no script of it ran" test ! -e "$work/ran"
	form='Ubuntu: image and modules apart, zstd'
	mv "$work/deb/lib" "$work/lib" && mkdir "$work/deb-modules" && mv "$work/lib" "$work/deb-modules/lib"
	deb "$work/deb" linux-image-unsigned '' -Zzstd
	deb "$work/deb-modules" linux-modules '' -Zzstd
	found "$work/linux-image-unsigned.deb" "$work/linux-modules.deb"
	says_of "$form: modules without an image" 3 "linux-modules.deb: it has the modules of .*but no image; give" \
		"$work/linux-modules.deb"
	mkdir "$work/meta"
	deb "$work/meta" linux-image-amd64 'Depends: linux-image-6.1.0-50-amd64 (= 6.1.170-3), linux-base
' -Zxz
	says_of 'a meta package says what it depends on' 3 \
		'linux-image-amd64.deb: no kernel in it: it depends on linux-image-6.1.0-50-amd64; give that' \
		"$work/linux-image-amd64.deb"
	head -c 300000 "$work/linux-image-full.deb" >"$work/short.deb"
	says_of 'a .deb that was cut off' 3 'short.deb: .*damaged, or cut off' "$work/short.deb"
	check 'of what fails nothing stays' sh -c '! ls -A "$1" | grep tmp' _ "$work/cache/ktstr-gdb/kernels"
fi

# --- Fedora and RHEL: %ghost in /boot, kernel-core and kernel-modules-core apart ---

form='an .rpm'
if need rpmbuild; then
	root "$work/rpm" "lib/modules/$release/vmlinuz" "lib/modules/$release"
	: >"$work/rpm/lib/modules/$release/modules.order"
	mkdir -p "$work/rpm/boot" && : >"$work/rpm/boot/vmlinuz-$release"
	cat >"$work/kernel.spec" <<S
Name: kernel
Version: 6.12
Release: 1
Summary: a kernel
License: GPL
Requires: kernel-core-uname-r = 6.12
%define __os_install_post %{nil}
%define _binary_payload w3.zstdio
AutoReqProv: no
%description
All of it.
%package core
Summary: its image
%description core
The image.
%package modules-core
Summary: its modules
%description modules-core
The modules.
%files
%files core
%ghost /boot/vmlinuz-$release
/lib/modules/$release/vmlinuz
/lib/modules/$release/modules.*
%files modules-core
/lib/modules/$release/kernel
%pre core
touch $work/ran
S
	rpmbuild -bb --quiet --define "_topdir $work/rpmtop" --define "_rpmdir $work/rpms" \
		--define '_build_name_fmt %%{NAME}.rpm' --buildroot "$work/rpm" --nocheck --noclean \
		"$work/kernel.spec" >"$work/log" 2>&1 || :
	if [ -s "$work/rpms/kernel-core.rpm" ]; then
		found "$work/rpms/kernel-core.rpm" "$work/rpms/kernel-modules-core.rpm"
		form='the .rpms of a folder, by a glob'
		found "$work/rpms/kernel-*core.rpm"
		says_of 'the meta package of Fedora' 3 'kernel.rpm: no kernel in it: it depends on kernel-core-uname-r' \
			"$work/rpms/kernel.rpm"
	else
		not_ok "$form" "$(tail -n 5 "$work/log")"
	fi
fi

# --- Arch ---

form='a .pkg.tar.zst'
if need makepkg bsdtar fakeroot setpriv; then
	root "$work/arch/root" "usr/lib/modules/$release/vmlinuz" "usr/lib/modules/$release"
	cat >"$work/arch/PKGBUILD" <<S
pkgname=linux
pkgver=6.12
pkgrel=1
pkgdesc='a kernel'
arch=(x86_64)
license=(GPL)
options=(!strip !zipman)
package() { cp -r "\$startdir/root/." "\$pkgdir/"; }
S
	# makepkg -d asks no pacman, but wants one to be there.
	chmod 755 "$work" && chown -R 65534:65534 "$work/arch" 2>/dev/null
	(cd "$work/arch" && HOME=$work/arch PKGEXT=.pkg.tar.zst PACMAN=true TMPDIR=/tmp \
		setpriv --reuid=65534 --regid=65534 --clear-groups makepkg -d >"$work/log" 2>&1 </dev/null) || :
	package=$(ls "$work"/arch/*.pkg.tar.zst 2>/dev/null | head -n 1)
	if [ -n "$package" ]; then
		found "$package"
	else
		not_ok "$form" "$(tail -n 5 "$work/log")"
	fi
	rm -rf "$work/arch/pkg" "$work/arch/src"
fi

# --- Alpine: three streams of gzip, the first two without the end of a tar ---

form='an .apk'
root "$work/apk" boot/vmlinuz-lts "lib/modules/$release"
printf 'pkgname = linux-lts\npkgver = 6.12-r0\n' >"$work/.PKGINFO"
echo signature >"$work/.SIGN.RSA.key"
tar -C "$work" -b1 -cf - .SIGN.RSA.key | head -c -1024 | gzip -1 >"$work/linux-lts.apk"
tar -C "$work" -b1 -cf - .PKGINFO | head -c -1024 | gzip -1 >>"$work/linux-lts.apk"
tar -C "$work/apk" -cf - boot lib | gzip -1 >>"$work/linux-lts.apk"
found "$work/linux-lts.apk"
printf 'pkgname = linux-virtual\ndepend = linux-lts=6.12\n' >"$work/.PKGINFO"
tar -C "$work" -cf - .PKGINFO | gzip >"$work/meta.apk"
says_of 'a meta package of Alpine' 3 'meta.apk: no kernel in it: it depends on linux-lts; give' "$work/meta.apk"

# --- container images: an older kernel below, taken away above ---

form='an OCI image layout'
if need umoci skopeo; then
	mkdir -p "$work/lower/boot" "$work/upper/boot" "$work/lower/usr/lib/modules/6.1.0/kernel" \
		"$work/upper/usr/lib/modules"
	cp "$other" "$work/lower/boot/vmlinuz-old"
	cp "$other" "$work/lower/boot/vmlinuz-$release"
	: >"$work/lower/usr/lib/modules/6.1.0/kernel/old.ko"
	root "$work/upper" "boot/vmlinuz-$release" "usr/lib/modules/$release"
	: >"$work/upper/boot/.wh.vmlinuz-old"
	: >"$work/upper/usr/lib/modules/.wh.6.1.0"
	tar -C "$work/lower" -cf "$work/lower.tar" .
	tar -C "$work/upper" -cf "$work/upper.tar" .
	umoci init --layout "$work/oci" && umoci new --image "$work/oci:k" &&
		umoci raw add-layer --image "$work/oci:k" "$work/lower.tar" &&
		umoci raw add-layer --image "$work/oci:k" "$work/upper.tar"
	found "$work/oci"
	form='an OCI image in a tar'
	skopeo --insecure-policy copy -q "oci:$work/oci:k" "oci-archive:$work/oci.tar" && found "$work/oci.tar"
	form='what docker save writes'
	skopeo --insecure-policy copy -q "oci:$work/oci:k" "docker-archive:$work/docker.tar:k:1" &&
		found "$work/docker.tar"
	form='the same, compressed'
	gzip -1 <"$work/docker.tar" >"$work/docker.tar.gz" && found "$work/docker.tar.gz"
	rm -f "$work/oci/blobs/sha256/$(ls -S "$work/oci/blobs/sha256" | head -n 1)"
	rm -rf "$work"/cache/ktstr-gdb/kernels/container-*
	says_of 'a layer that is not there' 3 'oci: blobs/sha256/[0-9a-f]*: no such file' "$work/oci"
fi

# --- directories ---

form='a root directory'
root "$work/root" "boot/vmlinuz-$release" "usr/lib/modules/$release"
ln -s "vmlinuz-$release" "$work/root/boot/vmlinuz"
ln -s usr/lib "$work/root/lib"
form='its /boot'
found "$work/root/boot"
form='a root directory'
ln -s "$other" "$work/root/boot/vmlinuz-outside"
found "$work/root"
form='a build tree'
root "$work/build" arch/x86/boot/bzImage ''
cp -r "$modules/kernel" "$work/build/kernel"
: >"$work/build/modules.order"
found "$work/build"
form='the tar of a root'
tar -C "$work/root" -cf "$work/root.tar" . && found "$work/root.tar"
mkdir "$work/empty"
says_of 'a directory without a kernel' 3 'empty: no kernel in this directory' "$work/empty"
says_of 'a program' 3 '/bin/ls: not a kernel: an ELF program for' /bin/ls
gzip </etc/passwd >"$work/text.gz"
says_of 'a compressed text' 3 'text.gz: not a kernel: a file compressed by gzip' "$work/text.gz"

# --- one of them is booted: the same table as with the bare image ---

if [ "${KTSTR_BOOT:-}" = no ]; then
	skip 'the kernel of a package boots' 'KTSTR_BOOT=no'
elif make --no-print-directory -s bpf; then
	# Without the time that the verifier took.
	table() {
		XDG_CACHE_HOME=$boot_cache "$tool" collect --accel tcg --kernel "$1" \
			--object build/bpf/demo.bpf.o --csv 2>"$work/err" | cut -d, -f1-3,5- >"$2"
		[ ! -s "$work/err" ] || cat "$work/err"
	}
	table "$kernel" "$work/bare.csv"
	table "$work/linux-image-full.deb" "$work/deb.csv"
	check 'the kernel of a .deb loads what the bare image does' cmp "$work/bare.csv" "$work/deb.csv"
	check 'and that is a table' test "$(wc -l <"$work/bare.csv")" -gt 5
fi
plan
