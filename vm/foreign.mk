# SPDX-License-Identifier: LGPL-2.1-or-later
# What is built for guests of other architectures: aarch64, riscv64, s390x, ppc64le,
# loongarch64. Included from the top; uses its CLANG, Q and msg. Plain "make" needs nothing of it.
#
#   make foreign           build/ktstr-init-ARCH of each in FOREIGN; "make install" takes them along
#   make bpf-ARCH          build/bpf/ARCH/*.bpf.o
#   make truth-ARCH        build/truth/initrd-ARCH
#
# clang compiles for all of them, so that one compiler does; the headers and static libraries are
# Debian's own (vm/fetch-sysroot), and binutils-ARCH-linux-gnu links. Debian 12's lld has no s390x,
# and can't relax riscv64. For loongarch64 it takes clang and lld 17 or later, which do without binutils
# (Debian 12 has clang-19 and lld-19).

FOREIGN ?= aarch64 riscv64 s390x ppc64le $(if $(FOREIGN_CLANG_loongarch64),loongarch64)

FOREIGN_CLANG_loongarch64 := $(firstword $(foreach v,19 20 21 22 18 17,$(and $(shell command -v clang-$(v)),\
	$(shell command -v ld.lld-$(v)),clang-$(v))))
FOREIGN_LD_loongarch64 := -fuse-ld=lld

# The architecture as compilers and folders of libraries have it.
FOREIGN_TRIPLE_ppc64le := powerpc64le-linux-gnu
foreign_triple = $(or $(FOREIGN_TRIPLE_$(1)),$(1)-linux-gnu)

# In recipes, $* is the architecture.
TRIPLE = $(call foreign_triple,$*)
FOREIGN_CLANG = $(or $(FOREIGN_CLANG_$*),$(CLANG))
FOREIGN_SYSROOT = $$(vm/fetch-sysroot $*)
FOREIGN_CFLAGS = --target=$(TRIPLE) $(FOREIGN_LD_$*) --sysroot=$(FOREIGN_SYSROOT) -B $(FOREIGN_SYSROOT)/usr/lib/$(TRIPLE) \
	-idirafter $(FOREIGN_SYSROOT)/usr/include/$(TRIPLE) -L$(FOREIGN_SYSROOT)/usr/lib/$(TRIPLE)
# zlib's crc32() first: elfutils 0.196's static libelf has one of its own.
FOREIGN_LIBS = -Wl,-u,crc32 -lz $$(pkg-config --static --cflags --libs libbpf)
# What links, beside the compiler.
FOREIGN_NEEDS = $(TRIPLE)-ld
build/ktstr-init-loongarch64 build/truth/init-loongarch64: FOREIGN_NEEDS = \
	$(or $(FOREIGN_CLANG_loongarch64),clang-19-and-lld-19)
FOREIGN_ENV = command -v $(FOREIGN_NEEDS) >/dev/null || { echo "not installed: $(FOREIGN_NEEDS); \
	'tests/deps foreign' as root installs all that is needed" >&2; exit 1; }; \
	sysroot=$(FOREIGN_SYSROOT) || exit; export PKG_CONFIG_SYSROOT_DIR=$$sysroot \
	PKG_CONFIG_LIBDIR=$$sysroot/usr/lib/$(TRIPLE)/pkgconfig;

# Not what hardens the tool: some of that is for this machine only.
INIT_WARN = $(filter-out -fsanitize% -fno-sanitize% $(HARDEN),$(CFLAGS))
build/ktstr-init-%: $(INIT_SRCS) $(INIT_HEADERS) vm/foreign.mk
	$(call msg,INIT,$@)
	@mkdir -p $(@D)
	$(Q)$(FOREIGN_ENV) $(FOREIGN_CLANG) $(INIT_WRAP) $(FOREIGN_CFLAGS) $(CPPFLAGS) -O2 -s $(INIT_WARN) \
		-Wno-unused-command-line-argument -static -o $@ $(INIT_SRCS) $(FOREIGN_LIBS)

foreign: $(FOREIGN:%=build/ktstr-init-%)
.PHONY: foreign

# What a guest's init says, for tests/guest/foreign.sh.
$(B)/tests/guest/events: tests/guest/events.c $(B)/libhouse.a
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -o $@ $^ $(PKG_LIBS)

FOREIGN_BPF_s390x := -target bpfeb -D__TARGET_ARCH_s390
FOREIGN_BPF_aarch64 := -target bpfel -D__TARGET_ARCH_arm64
FOREIGN_BPF_riscv64 := -target bpfel -D__TARGET_ARCH_riscv
FOREIGN_BPF_ppc64le := -target bpfel -D__TARGET_ARCH_powerpc
FOREIGN_BPF_loongarch64 := -target bpfel -D__TARGET_ARCH_loongarch

define foreign_bpf
build/bpf/$(1)/%.bpf.o: tests/bpf/%.bpf.c $$(wildcard tests/bpf/*.h) vm/foreign.mk
	$$(call msg,BPF,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CLANG) -O2 -g -Wall $(FOREIGN_BPF_$(1)) -idirafter $$$$(vm/fetch-sysroot $(1))/usr/include/$(call foreign_triple,$(1)) \
		-c -o $$@ $$<
bpf-$(1): $$(BPF_SRCS:tests/bpf/%.c=build/bpf/$(1)/%.o)
	@:
# As in truth.mk, without the demo and what would only keep the guest waiting.
build/truth/initrd-$(1): $$(patsubst tests/bpf/%.c,build/bpf/$(1)/%.o,$$(filter-out %/demo.bpf.c %/slow.bpf.c,$$(BPF_SRCS)))
.PHONY: bpf-$(1) truth-$(1)
truth-$(1): build/truth/initrd-$(1) build/truth/compare
	@:
endef
$(foreach a,aarch64 riscv64 s390x ppc64le loongarch64,$(eval $(call foreign_bpf,$(a))))
