# SPDX-License-Identifier: LGPL-2.1-or-later
r"""The peer of `make bench`: gdb walks prog_idr of a running guest, through the same stub.

    gdb -nx -batch -iex 'set index-cache enabled on' -ex 'file VMLINUX' \
        -ex 'target remote TARGET' -x gdb-walk.py

VMLINUX has DWARF (a -dbg package's); from the second time on, the index cache saves gdb most of
its start. TARGET is HOST:PORT or the path of a Unix socket, without "unix:". Prints id, type, name and verified_insns of each program, a
line each with tabs between, then detaches. It reads through whatever page table the vCPU has, so
it fails, and says so, on a vCPU in user mode under page-table isolation.
"""

import re
import struct

import gdb

# Tagged pointers in an xarray (include/linux/xarray.h): the low two bits of an entry.
XA_INTERNAL = 2
XA_TAG_MASK = 3


def address_of(symbol):
    return int(gdb.parse_and_eval("(unsigned long)&%s" % symbol))


def read(address, length):
    return bytes(gdb.selected_inferior().read_memory(address, length))


def kaslr_offset():
    """Where the handler of vector 0 is, against where it was linked.

    The IDT is the one table of the kernel whose address a register tells.
    """
    registers = gdb.execute("monitor info registers", to_string=True)
    idt = int(re.search(r"IDT=\s*([0-9a-f]+)", registers).group(1), 16)
    low, _, _, _, middle, high = struct.unpack("<HHBBHI", read(idt, 12))
    return (low | middle << 16 | high << 32) - address_of("asm_exc_divide_error")


def entries(node):
    """Depth first, in order of index, which is the id."""
    if node & XA_TAG_MASK != XA_INTERNAL:
        if node:
            yield node
        return
    pointer = gdb.Value(node - XA_INTERNAL).cast(gdb.lookup_type("struct xa_node").pointer())
    slots = pointer.dereference()["slots"]
    for i in range(slots.type.range()[1] + 1):
        yield from entries(int(slots[i]))


def main():
    prog_type = gdb.lookup_type("struct bpf_prog").pointer()
    idr_type = gdb.lookup_type("struct idr").pointer()
    idr = gdb.Value(address_of("prog_idr") + kaslr_offset()).cast(idr_type).dereference()
    for entry in entries(int(idr["idr_rt"]["xa_head"])):
        prog = gdb.Value(entry).cast(prog_type).dereference()
        aux = prog["aux"].dereference()
        kind = str(prog["type"]).replace("BPF_PROG_TYPE_", "").lower()
        name = aux["name"].string()
        print("%d\t%s\t%s\t%d" % (int(aux["id"]), kind, name, int(aux["verified_insns"])))


gdb.execute("set pagination off")
try:
    main()
finally:
    # The stub leaves a guest stopped whose debugger just goes away.
    gdb.execute("detach", to_string=True)
