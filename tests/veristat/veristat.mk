# SPDX-License-Identifier: LGPL-2.1-or-later
# collect and the kernel's own veristat, program by program: see tests/veristat/run. Included from the top.
# VERISTAT_SUITE: another Debian suite than trixie.

veristat: all build/sched/extract-btf
	$(Q)tests/veristat/run $(or $(VERISTAT_SUITE),trixie) >build/veristat.tap; cat build/veristat.tap; tests/total build/veristat.tap

.PHONY: veristat
