# SPDX-License-Identifier: LGPL-2.1-or-later
# The guest that knows the truth, and the comparer. Included from the top; uses its CC, Q, msg
# and BPF_OBJS.

TRUTH_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wconversion \
	-Wmissing-prototypes -Wstrict-prototypes -Wvla -Wformat=2
# The guest gets every object but the demo's, and one that would only keep it waiting.
TRUTH_OBJS = $(filter-out %/demo.bpf.o %/slow.bpf.o,$(BPF_OBJS)) build/bpf/apart/replace.bpf.o

TRUTH_SRCS := tests/truth/init.c tests/truth/links.c tests/truth/make_links.c tests/truth/attached.c \
	tests/truth/holders.c tests/truth/make_maps.c

build/truth/init: $(TRUTH_SRCS) tests/truth/truth.h vm/guest/libelf_static.c tests/truth/truth.mk
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TRUTH_CFLAGS) -static -o $@ $(filter %.c,$^) \
		$$(pkg-config --static --cflags --libs libbpf)

build/truth/initrd: build/truth/init $(TRUTH_OBJS) tests/truth/mkinitrd
	$(call msg,CPIO,$@)
	$(Q)tests/truth/mkinitrd $@ build/truth/init $(TRUTH_OBJS)

build/truth/compare: tests/truth/compare.c tests/truth/truth.mk
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TRUTH_CFLAGS) -o $@ $< $$(pkg-config --cflags --libs jansson)

truth: build/truth/initrd build/truth/compare

.PHONY: truth

# The same guest for other architectures, by the sysroots and flags of vm/foreign.mk. s390x is
# big-endian, and so are the objects for it.
build/truth/init-%: $(TRUTH_SRCS) tests/truth/truth.h vm/guest/libelf_static.c tests/truth/truth.mk vm/foreign.mk
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(FOREIGN_ENV) $(FOREIGN_CLANG) $(FOREIGN_CFLAGS) $(TRUTH_CFLAGS) -Wno-unused-command-line-argument \
		-static -o $@ $(filter %.c,$^) $(FOREIGN_LIBS)

# Its objects are prerequisites in vm/foreign.mk.
build/truth/initrd-%: build/truth/init-% tests/truth/mkinitrd
	$(call msg,CPIO,$@)
	$(Q)tests/truth/mkinitrd $@ $< $(filter %.bpf.o,$^)
