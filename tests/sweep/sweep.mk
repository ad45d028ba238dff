# SPDX-License-Identifier: LGPL-2.1-or-later
# What runs an engine for tests/sweep/engines.sh. Included from the top; uses its B, CC, Q, msg
# and libhouse.a.

$(B)/tests/sweep/engine: $(B)/tests/sweep/engine.o $(B)/libhouse.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)
