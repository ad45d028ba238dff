# SPDX-License-Identifier: LGPL-2.1-or-later
# The kernel's own selftests: see tests/selftests/run. Included from the top; uses its CC, Q and msg.
# SELFTESTS_SUITES: other Debian suites than trixie, trixie-backports and sid.

build/selftests/expect: tests/selftests/expect.c tests/selftests/selftests.mk
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 -g -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes \
		-Wstrict-prototypes -Wvla -Wformat=2 -o $@ $< $$(pkg-config --cflags --libs libbpf jansson)

selftests: all build/selftests/expect build/sched/extract-btf
	$(Q)tests/selftests/run $(SELFTESTS_SUITES)

.PHONY: selftests
