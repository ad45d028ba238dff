// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/cursor.h"
#include "vm/objects.h"

static struct kt_error *no_object(const char *path, const char *why)
{
	return kt_error_hint(kt_error_new(KT_ERROR_FORMAT, "%s is no BPF object: %s", path, why),
			     "clang -O2 -g -target bpf -c makes one");
}

/* A BPF program has the byte order of the machine that it runs on. */
static struct kt_error *wrong_order(const char *path, const struct vm_machine *machine)
{
	struct kt_error *err = kt_error_new(
		KT_ERROR_FORMAT,
		"%s is a %s-endian BPF object, and the kernel is for %s, which is %s-endian", path,
		machine->big_endian ? "little" : "big", machine->arch,
		machine->big_endian ? "big" : "little");

	return kt_error_hint(err, machine->big_endian ? "clang -O2 -g -target bpfeb -c makes one"
						      : "clang -O2 -g -target bpfel -c makes one");
}

/* Only what can be said before a guest is booted: libbpf in the guest reads the rest. */
struct kt_error *vm_object_check(const char *path, const struct vm_machine *machine)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	Elf64_Ehdr header = {0};
	struct kt_cursor c;
	ssize_t n;

	n = fd < 0 ? -1 : read(fd, &header, sizeof(header));
	if (n < 0)
		return kt_error_os(errno, "cannot read the object %s", path);
	if (n < (ssize_t)sizeof(header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return no_object(path, n ? "it is no ELF file" : "it is empty");
	c = kt_cursor(&header, sizeof(header), header.e_ident[EI_DATA] == ELFDATA2MSB);
	kt_cursor_seek(&c, offsetof(Elf64_Ehdr, e_machine));
	if (kt_cursor_u16(&c) != EM_BPF)
		return no_object(path, "it is made for another machine");
	if (machine && (header.e_ident[EI_DATA] == ELFDATA2MSB) != machine->big_endian)
		return wrong_order(path, machine);
	return NULL;
}

struct kt_error *vm_objects_check(const struct vm_load *load, const struct vm_machine *machine)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < load->num_objects && !err; i++)
		err = vm_object_check(load->objects[i], machine);
	return err;
}
