# SPDX-License-Identifier: LGPL-2.1-or-later
# Packages, of the tree as git has it; see docs/packaging.md. Included from the top.
#
#   make tarball    build/dist/ktstr-gdb-VERSION.tar.xz: the sources
#   make deb        build/dist/*.deb, for this machine's Debian
#   make rpm        build/dist/*.rpm
#   make static     build/dist/ktstr-gdb-VERSION-linux-ARCH.tar.xz: one file for every Linux
#   make dist       all of these
#   make abi        what the library exports now is kept from now on; needs abigail-tools
#   make abi-check  whether it still has all that is kept
#   make packages-check  all of this in roots of Debian, installed and tried; root; half an hour; SUITES=... of these only

DIST := build/dist
NAME := ktstr-gdb-$(VERSION)
TARBALL := $(DIST)/$(NAME).tar.xz
# The day of the last commit, so that the same sources make the same archive.
EPOCH = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y GNUmakefile))
TAR = tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$(EPOCH)
# What is not in git (an unpacked tarball) is all of it.
FILES = { git ls-files 2>/dev/null | grep . || find . -name build -prune -o -type f -printf '%P\n'; }

tarball: $(TARBALL)
# Whatever changed, tar sees.
$(TARBALL): FORCE
	$(call msg,TAR,$@)
	@mkdir -p $(DIST)
	$(Q)$(FILES) | $(TAR) -cJf $@.new --no-recursion --transform 's|^|$(NAME)/|' -T - && mv $@.new $@
FORCE:

# unpack DIR: the sources, where a package is made of them
unpack = rm -rf $(1) && mkdir -p $(1) && tar -xJf $(TARBALL) -C $(1)

deb: $(TARBALL)
	$(call msg,DEB,$(DIST))
	$(Q)$(call unpack,build/deb)
	$(Q)cd build/deb/$(NAME) && dpkg-buildpackage -us -uc -b $(DEB_FLAGS) >../log 2>&1 || \
		{ tail -n 30 ../log; echo "deb: the whole log is build/deb/log"; exit 1; } >&2
	$(Q)mv build/deb/*.deb build/deb/*.changes build/deb/*.buildinfo $(DIST)

RPM_DEFINES = --define '_topdir $(CURDIR)/build/rpm' --define 'source_date_epoch_from_changelog 0'
rpm: $(TARBALL)
	$(call msg,RPM,$(DIST))
	$(Q)rm -rf build/rpm && mkdir -p build/rpm/SOURCES build/rpm/SPECS && cp $(TARBALL) build/rpm/SOURCES
	$(Q)sed 's/@VERSION@/$(VERSION)/' packaging/ktstr-gdb.spec.in >build/rpm/SPECS/ktstr-gdb.spec
	$(Q)rpmbuild -ba $(RPM_DEFINES) $(RPM_FLAGS) build/rpm/SPECS/ktstr-gdb.spec >build/rpm/log 2>&1 || \
		{ tail -n 30 build/rpm/log; echo "rpm: the whole log is build/rpm/log"; exit 1; } >&2
	$(Q)mv build/rpm/RPMS/*/*.rpm build/rpm/SRPMS/*.rpm $(DIST)

STATIC_NAME := $(NAME)-linux-$(ARCH)
static:
	$(Q)$(MAKE) --no-print-directory STATIC=1 static-tarball
static-tarball: $(B)/ktstr-gdb
	$(call msg,TAR,$(DIST)/$(STATIC_NAME).tar.xz)
	$(Q)rm -rf build/static-tree && $(MAKE) --no-print-directory STATIC=1 install-tool \
		DESTDIR=$(CURDIR)/build/static-tree/ PREFIX=$(STATIC_NAME)
	$(Q)strip build/static-tree/$(STATIC_NAME)/bin/ktstr-gdb
	$(Q)cp README.md NEWS COPYING third_party/disasm/LICENSE build/static-tree/$(STATIC_NAME)/
	@mkdir -p $(DIST)
	$(Q)$(TAR) -cJf $(DIST)/$(STATIC_NAME).tar.xz -C build/static-tree $(STATIC_NAME)

dist: tarball deb rpm static
	$(Q)cd $(DIST) && sha256sum $$(ls | grep -v SHA256SUMS) >SHA256SUMS && cat SHA256SUMS

# Types, as far as public headers have them. Where the sources lie is no part of it.
ABIDW = abidw --no-show-locs --no-corpus-path --no-comp-dir-path --drop-private-types --headers-dir $(B)/abi-headers
$(B)/abi-headers: $(PUBLIC_HEADERS)
	$(Q)rm -rf $@ && for h in $^; do install -D -m 644 $$h $@/$$h || exit 1; done

abi: lib $(B)/abi-headers
	$(Q){ sed -n '/^KTSTRGDB/q; p' abi/libktstrgdb.map; cat $(B)/libktstrgdb.map; } >$(B)/kept.map && \
		mv $(B)/kept.map abi/libktstrgdb.map
	$(Q)awk -f abi/symbols.awk abi/libktstrgdb.map >debian/libktstrgdb0.symbols
	$(Q)$(ABIDW) $(B)/$(SONAME) >$(B)/kept.abi && mv $(B)/kept.abi abi/libktstrgdb.abi

# New functions are no change; a function that is gone or a type that is another one is. Both sides are what
# abidw says: given the library itself, abidiff takes every type of a file without places for a private one.
abi-check: lib $(B)/abi-headers
	$(Q)$(ABIDW) $(B)/$(SONAME) >$(B)/new.abi && abidiff --no-added-syms abi/libktstrgdb.abi $(B)/new.abi

packages-check:
	-$(Q)./tests/deps distro
	$(Q)$(MAKE) --no-print-directory all truth
	$(Q)tests/packages/packages.sh $(SUITES) >build/packages.tap; cat build/packages.tap; tests/total build/packages.tap

.PHONY: tarball deb rpm static static-tarball dist abi abi-check packages-check FORCE
