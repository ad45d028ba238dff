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
	printf 'Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: a <a@b>\nDescription: a kernel\n%s' \
		"$2" "${deb_version:-1.0}" "$3" >"$1/DEBIAN/control"
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

# --- archives of Ubuntu and Fedora, that this host's apt and dnf are configured for ---

# Keys that sign: one that the host knows, and one that it does not.
key() {
	mkdir -m 700 -p "$work/gpg-$1"
	GNUPGHOME=$work/gpg-$1 gpg --batch --quiet --passphrase '' --quick-gen-key "$1 <a@b>" rsa2048 sign never 2>"$work/log" &&
		GNUPGHOME=$work/gpg-$1 gpg --armor --export >"$work/$1.asc"
	[ -s "$work/$1.asc" ]
}

# fetched SPEC IMAGE MODULES: it is fetched, and is that image with the modules of that root, or "" for none.
fetched() {
	run fetch-kernel --json "$1"
	check "$form: $1 is fetched" test "$status" = 0
	[ "$status" = 0 ] || { told && return; }
	check "$form: $1: its image" cmp "$2" "$(jq -r '.kernels[0].image' "$work/out")"
	[ -z "$3" ] || check "$form: $1: its modules" equal "$(jq -r '.kernels[0].modules' "$work/out")"
}

# ubuntu_kernel VERSION POCKET IMAGE: linux-image, linux-modules and linux-modules-extra, and what is the
# newest of the pocket.
ubuntu_kernel() {
	root "$work/ubuntu-image" '' ''
	mkdir -p "$work/ubuntu-image/boot" "$work/pool/$2"
	cp "$3" "$work/ubuntu-image/boot/vmlinuz-$1-generic"
	root "$work/ubuntu-modules" '' "lib/modules/$1-generic"
	mkdir -p "$work/ubuntu-extra/lib/modules/$1-generic/kernel"
	mv "$work/ubuntu-modules/lib/modules/$1-generic/kernel/lib" "$work/ubuntu-extra/lib/modules/$1-generic/kernel/lib"
	mkdir "$work/ubuntu-meta"
	deb_version=$(echo "$1" | tr - .)
	deb "$work/ubuntu-image" "linux-image-$1-generic" "Depends: linux-modules-$1-generic
" -Zzstd
	deb "$work/ubuntu-modules" "linux-modules-$1-generic" '' -Zzstd
	deb "$work/ubuntu-extra" "linux-modules-extra-$1-generic" '' -Zzstd
	deb "$work/ubuntu-meta" linux-image-generic "Depends: linux-image-$1-generic
" -Zzstd
	mv "$work"/linux-*-generic.deb "$work/pool/$2/"
	deb_version=
	rm -r "$work"/ubuntu-image "$work"/ubuntu-modules "$work"/ubuntu-extra "$work"/ubuntu-meta
}

# pocket SUITE: its lists, signed.
pocket() {
	mkdir -p "$work/archive/dists/$1/main/binary-amd64"
	(cd "$work/archive" && apt-ftparchive packages "pool/$1" >"dists/$1/main/binary-amd64/Packages" &&
		apt-ftparchive -o APT::FTPArchive::Release::Origin=Ubuntu -o "APT::FTPArchive::Release::Suite=$1" \
			-o "APT::FTPArchive::Release::Codename=$1" -o APT::FTPArchive::Release::Architectures=amd64 \
			-o APT::FTPArchive::Release::Components=main release "dists/$1" >"$work/Release" &&
		mv "$work/Release" "dists/$1/Release" &&
		GNUPGHOME=$work/gpg-known gpg --batch --yes --clearsign -o "dists/$1/InRelease" "dists/$1/Release")
}

# ubuntu_host SOURCES: apt as on a host that has these lists.
ubuntu_host() {
	printf '%s\n' "$1" >"$work/host/etc/apt/sources.list"
	apt-get update >"$work/log" 2>&1
}
ubuntu() {
	mkdir -p "$work/archive" "$work/host/etc/apt/preferences.d" "$work/host/var/lib/apt/lists/partial" \
		"$work/host/var/lib/dpkg" "$work/host/var/cache/apt/archives/partial"
	: >"$work/host/var/lib/dpkg/status"
	ln -s "$work/pool" "$work/archive/pool"
	ubuntu_kernel 6.8.0-31 noble "$other"
	ubuntu_kernel 6.8.0-45 noble-updates "$kernel"
	pocket noble 2>"$work/log" && pocket noble-updates 2>"$work/log"
	cat >"$work/apt.conf" <<S
Dir "$work/host";
Dir::State::status "$work/host/var/lib/dpkg/status";
Dir::Etc::parts "-";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
S
	export APT_CONFIG="$work/apt.conf"
	line="deb [signed-by=$work/known.asc] file:$work/archive"
	says_of "$form: apt has no list of it" 3 \
		'ubuntu:noble: .*cannot be fetched here: apt has no package list of it for amd64.*download its package linux-image' \
		ubuntu:noble
	check "$form: apt reads the archive" ubuntu_host "$line noble main
$line noble-updates main"
	says_of "$form: an architecture that apt has no list for" 3 'no package list of it for arm64' \
		ubuntu:noble:generic-arm64
	says_of "$form: a series that is not there" 3 'suite noble has no kernel 6.11 for generic; it has 6.8' ubuntu:noble/6.11
	says_of "$form: a flavour that is not there" 3 'suite noble has no package linux-image-virtual' ubuntu:noble:virtual
	fetched ubuntu:noble "$kernel" modules
	fetched ubuntu:noble/6.8 "$kernel" modules
	check "$form: no script of its packages ran" test ! -e "$work/ran"
	# The older one is all there is where apt has no list of the updates.
	rm -r "$work"/cache/ktstr-gdb/kernels/ubuntu-noble-generic
	check "$form: apt reads one suite" ubuntu_host "$line noble main"
	fetched ubuntu:noble "$other" modules
	# A suite that apt is not configured for is looked for where it has another one.
	says_of "$form: a suite that is not there" 3 'cannot read the package list of suite plucky' ubuntu:plucky
	says_of "$form: debug info" 3 'dbg is for kernels of Debian' --refresh --dbg ubuntu:noble
	# apt's own sources name another key: what it had read is not enough.
	sed -i "s/known.asc/other.asc/" "$work/host/etc/apt/sources.list"
	says_of "$form: an archive that another key signed" 3 'cannot read the package list of suite noble' \
		--refresh ubuntu:noble
	unset APT_CONFIG
}
form='Ubuntu, by apt'
if need dpkg-deb apt-get apt-cache apt-ftparchive gpg flock; then
	key known && key other && ubuntu
fi

# fedora_repo KEY: the packages above and an older kernel, signed by that key.
fedora_repo() {
	for rpm in "$work"/repo/*.rpm; do
		GNUPGHOME=$work/gpg-$1 rpmsign --define "_gpg_name $1 <a@b>" --define '__gpg /usr/bin/gpg' --addsign "$rpm" </dev/null
	done >"$work/log" 2>&1
	createrepo_c -q "$work/repo" >>"$work/log" 2>&1
}
fedora() {
	mkdir -p "$work/repo" "$work/repos.d" "$work/bin" "$work/old-rpm/lib/modules/6.1.0-1.fc43.x86_64"
	printf '#!/bin/sh\nexec %s --setopt=reposdir=%s "$@"\n' "$(command -v dnf)" "$work/repos.d" >"$work/bin/dnf"
	chmod 755 "$work/bin/dnf"
	PATH=$work/bin:$PATH
	for part in core modules-core; do
		cp "$work/rpms/kernel-$part.rpm" "$work/repo/kernel-$part-6.12-1.x86_64.rpm"
	done
	cp "$other" "$work/old-rpm/lib/modules/6.1.0-1.fc43.x86_64/vmlinuz"
	cat >"$work/old.spec" <<S
Name: kernel
Version: 6.1.0
Release: 1
Summary: a kernel
License: GPL
%define __os_install_post %{nil}
AutoReqProv: no
%description
An older one.
%package core
Summary: its image
%description core
The image.
%files core
/lib/modules/6.1.0-1.fc43.x86_64/vmlinuz
S
	rpmbuild -bb --quiet --define "_topdir $work/rpmtop" --define "_rpmdir $work/repo" \
		--define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' --buildroot "$work/old-rpm" \
		--nocheck --noclean "$work/old.spec" >"$work/log" 2>&1 || :
	says_of "$form: dnf has no repository of it" 3 \
		'fedora:43: .*cannot be fetched here: dnf has no repository of it.*download its package kernel-core' fedora:43
	cat >"$work/repos.d/fedora.repo" <<S
[fedora]
name=Fedora \$releasever
baseurl=file://$work/repo
gpgcheck=1
gpgkey=file://$work/known.asc
[other]
name=of somebody else
baseurl=file://$work/nothing-here
S
	createrepo_c -q "$work/repo" >"$work/log" 2>&1
	says_of "$form: packages that are not signed" 3 'kernel-core-6.12-1 is not signed by a key of its repository' fedora:43
	fedora_repo other
	says_of "$form: packages that another key signed" 3 'kernel-core-6.12-1 is not signed by a key' fedora:43
	fedora_repo known
	fetched fedora:43 "$kernel" modules
	check "$form: no script of its packages ran" test ! -e "$work/ran"
	fetched fedora:43/6.1 "$other" ''
	says_of "$form: a series that is not there" 3 'Fedora 43 has no package kernel-core of 6.9 for x86_64' fedora:43/6.9
}
form='Fedora, by dnf'
if need rpmbuild dnf createrepo_c rpmsign rpm2cpio cpio gpg flock; then
	if [ ! -s "$work/rpms/kernel-core.rpm" ]; then
		skip "$form" 'there are no packages to fetch'
	else
		[ -s "$work/known.asc" ] || { key known && key other; }
		fedora
	fi
fi
for home in "$work"/gpg-*; do
	[ ! -d "$home" ] || GNUPGHOME=$home gpgconf --kill gpg-agent
done

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

printf 'ADBd\1\2\3' >"$work/new.apk"
says_of 'a package of apk 3' 3 'new.apk: not a kernel: a package in the format of apk 3; take it apart with apk 3 \(apk extract' \
	"$work/new.apk"

# --- a unified kernel image, made as systemd-stub(7) says ---

form='a UKI'
stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
uki() {
	objcopy --add-section .osrel=/etc/os-release --change-section-vma .osrel=0x20000 \
		--add-section .uname="$work/uname" --change-section-vma .uname=0x30000 \
		--add-section .linux="$1" --change-section-vma .linux=0x2000000 \
		--add-section .initrd="$work/initrd" --change-section-vma .initrd=0x6000000 "$stub" "$2" 2>"$work/log"
}
if [ ! -e "$stub" ]; then
	skip "$form" 'there is no stub of systemd (systemd-boot-efi)'
elif need objcopy; then
	printf %s "$release" >"$work/uname"
	head -c 5000 /dev/zero >"$work/initrd"
	check "$form: is made" uki "$kernel" "$work/linux.efi"
	run fetch-kernel --json "$work/linux.efi"
	check "$form: its kernel" cmp "$kernel" "$(jq -r '.kernels[0].image' "$work/out")"
	check "$form: its release, and where it is from" jq -e --arg r "$release" --arg f "$work/linux.efi" \
		'.kernels[0] | .release == $r and .source == $f and .modules == null' "$work/out"
	form='a UKI, and its modules by a package'
	[ ! -e "$work/linux-modules.deb" ] || found "$work/linux.efi" "$work/linux-modules.deb"
	uki /etc/passwd "$work/no.efi"
	says_of "a UKI without a kernel" 3 'no.efi: not a kernel: a unified kernel image without a kernel' "$work/no.efi"
	says_of "another EFI program" 3 'not a kernel: an EFI program' "$stub"
fi

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
	if [ -e "$work/linux.efi" ]; then
		table "$work/linux.efi" "$work/uki.csv"
		check 'and so does that of a UKI' cmp "$work/bare.csv" "$work/uki.csv"
	fi
	check 'and that is a table' test "$(wc -l <"$work/bare.csv")" -gt 5
fi
plan
