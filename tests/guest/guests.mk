# SPDX-License-Identifier: LGPL-2.1-or-later
# What the scripts of tests/guest and tests/kvm have in their guests, or beside them. Included from
# the top; uses its CC, Q, msg and BPF_OBJS, and what truth.mk builds.

GUEST_CFLAGS := -O2 -Wall -Wextra -D_GNU_SOURCE
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/bin/bpftool))

# Ends a command at random moments, and asks QEMU whether the guest runs again.
build/guest/killer: tests/guest/killer.c tests/guest/guests.mk
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -o $@ $<

# Takes an object out of an index of a guest's kernel. It finds the place with the tool's own reader.
build/guest/hide: tests/guest/hide.c $(B)/libhouse.a
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $^ $(PKG_LIBS)

# Asks QEMU's monitor.
build/guest/qmp: tests/guest/qmp.c tests/guest/guests.mk
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -o $@ $<

# A guest with four loaders, for a watch.
build/guest/loads: tests/guest/loads.c tests/guest/guests.mk
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -static -o $@ $<

build/guest/watch.initrd: build/guest/loads tests/truth/mkinitrd
	$(call msg,CPIO,$@)
	$(Q)tests/truth/mkinitrd $@ $<

# The same for other architectures, by the sysroots and flags of vm/foreign.mk.
build/guest/loads-%: tests/guest/loads.c tests/guest/guests.mk vm/foreign.mk
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(FOREIGN_ENV) $(CLANG) $(FOREIGN_CFLAGS) $(GUEST_CFLAGS) -Wno-unused-command-line-argument \
		-static -o $@ $<

build/guest/watch-%.initrd: build/guest/loads-% tests/truth/mkinitrd
	$(call msg,CPIO,$@)
	$(Q)tests/truth/mkinitrd $@ $<

# A guest in which the fixture's scheduler ends; of `make sched`.
build/guest/ends: tests/guest/ends.c tests/guest/guests.mk
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -static -o $@ $<

build/guest/ends.initrd: build/guest/ends build/sched/scx_fix tests/truth/mkinitrd
	$(call msg,CPIO,$@)
	$(Q)MKINITRD_PROGRAM=$(CURDIR)/build/sched/scx_fix tests/truth/mkinitrd $@ $<

# A guest of odd shape, and the kernel's ELF file out of an image for it.
build/guest/shapes: tests/guest/shapes.c tests/guest/guests.mk
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -static -o $@ $<

build/guest/shapes.initrd: build/guest/shapes build/truth/init $(TRUTH_OBJS) tests/truth/mkinitrd
	$(call msg,CPIO,$@)
	$(Q)mkdir -p $(@D)/shapes.root && cp build/truth/init $(@D)/shapes.root/truth
	$(Q)tests/truth/mkinitrd $@ build/guest/shapes $(TRUTH_OBJS)
	$(Q)bsdtar -c --format=newc --uid 0 --gid 0 -f - -C $(@D)/shapes.root . >>$@

build/guest/unpack: tests/guest/unpack.c $(B)/libhouse.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $^ $(PKG_LIBS)

# ip and tc attach programs in it.
GUEST_NET := $(wildcard /usr/sbin/ip /usr/sbin/tc)

# The guest that knows the truth, with bpftool.
build/guest/objects.initrd: build/truth/init $(TRUTH_OBJS) tests/truth/mkinitrd
	$(call msg,CPIO,$@)
	@mkdir -p $(@D)
	$(Q)MKINITRD_PROGRAM="$(BPFTOOL) $(GUEST_NET)" tests/truth/mkinitrd $@ build/truth/init $(TRUTH_OBJS)

# A guest whose programs refer to modules, which the script adds.
build/guest/modules: tests/guest/modules.c vm/guest/libelf_static.c tests/guest/guests.mk
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -static -o $@ $(filter %.c,$^) $$(pkg-config --static --cflags --libs libbpf)

build/guest/modules.initrd: build/guest/modules build/bpf/apart/modules.bpf.o tests/truth/mkinitrd
	$(call msg,CPIO,$@)
	$(Q)MKINITRD_PROGRAM="$(BPFTOOL)" tests/truth/mkinitrd $@ build/guest/modules build/bpf/apart/modules.bpf.o

guests: truth build/guest/killer build/guest/hide build/guest/qmp build/guest/watch.initrd build/guest/shapes.initrd \
	build/guest/unpack $(if $(BPFTOOL),build/guest/objects.initrd build/guest/modules.initrd)

.PHONY: guests
