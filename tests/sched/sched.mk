# SPDX-License-Identifier: LGPL-2.1-or-later
# A scheduler, good and bad, for the guest. Included from the top; uses its CC, CLANG, Q, msg,
# ARCH, and what the tool links with. Needs the newest stock kernel that has sched_ext: a
# vmlinux.h is made of it.

SCHED_SUITE  ?= trixie-backports
SCHED_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE -I. -Ibuild/sched -Wall -Wextra -Wshadow \
	-Wmissing-prototypes -Wstrict-prototypes -Wvla -Wformat=2
# Not everyone's PATH has it.
BPFTOOL ?= $(firstword $(shell command -v bpftool) $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)

$(B)/sched/extract-btf: tests/sched/extract-btf.c $(B)/libhouse.a
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -o $@ $^ $(PKG_LIBS)

# What fetch-kernel could not do it has said. Half a file is worse than none. Made once: any of
# these kernels does.
build/sched/vmlinux.h: | $(B)/sched/extract-btf
	$(call msg,VMLINUX,$@)
	@mkdir -p $(@D)
	$(Q)kernel=$$(vm/fetch-kernel $(SCHED_SUITE)) && $| "$$kernel" >$@.btf && \
		$(BPFTOOL) btf dump file $@.btf format c >$@.part || \
		{ echo "sched: no types of a kernel of $(SCHED_SUITE)" >&2; rm -f $@.*; exit 1; }
	$(Q)grep -q '^struct sched_ext_ops {' $@.part || \
		{ echo "sched: the kernel of $(SCHED_SUITE) has no sched_ext" >&2; rm -f $@.*; exit 1; }
	$(Q)rm -f $@.btf && mv $@.part $@

# The kernel's own structures have unnamed members of a named type (-fms-extensions). Linking
# drops the DWARF, which describes half the kernel.
build/sched/%.bpf.o: tests/sched/%.bpf.c build/sched/vmlinux.h tests/sched/sched.mk
	$(call msg,BPF,$@)
	$(Q)$(CLANG) -O2 -g -Wall -fms-extensions -Wno-microsoft-anon-tag -target bpf -mcpu=v3 \
		-D__TARGET_ARCH_x86 -Ibuild/sched -I/usr/include/$(ARCH)-linux-gnu -c -o $@.part $<
	$(Q)$(BPFTOOL) gen object $@ $@.part && rm $@.part

build/sched/%.skel.h: build/sched/%.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@.part && mv $@.part $@

build/sched/scx_fix: tests/sched/scx_fix.c tests/sched/flood.c tests/sched/spy.c build/sched/scx_fix.skel.h \
		$(wildcard tests/sched/*.h) tests/sched/sched.mk
	$(call msg,LINK,$@)
	$(Q)$(CC) $(SCHED_CFLAGS) -o $@ $(filter %.c,$^) $$(pkg-config --cflags --libs libbpf)

build/sched/check-flood: tests/sched/check-flood.c tests/sched/flood.h tests/sched/sched.mk
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SCHED_CFLAGS) -o $@ $<

sched: build/sched/scx_fix build/sched/check-flood

.PHONY: sched

# A guest of its own, with a scheduler that keeps its tasks, and tells what sysfs says.
build/sched/hold_init: tests/sched/hold_init.c tests/sched/sched.mk
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SCHED_CFLAGS) -static -o $@ $<

build/sched/hold.initrd: build/sched/hold_init build/sched/scx_fix tests/truth/mkinitrd
	$(call msg,CPIO,$@)
	$(Q)MKINITRD_PROGRAM="$(CURDIR)/build/sched/scx_fix" tests/truth/mkinitrd $@ $< build/sched/scx_fix

sched: build/sched/hold.initrd
