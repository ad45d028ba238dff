// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/io.h"
#include "vm/ram.h"

#define CHUNK (256u << 10) /* fits in a cache */

void vm_ram_walk_init(struct vm_ram_walk *walk, int fd, uint64_t size)
{
	*walk = (struct vm_ram_walk){.fd = fd, .size = size, .chunk = malloc(CHUNK)};
	if (!walk->chunk)
		walk->err = kt_error_no_memory();
}

struct kt_error *vm_ram_walk_deinit(struct vm_ram_walk *walk)
{
	free(walk->chunk);
	return walk->err;
}

/* Behind the hole that is at `next`. A file system that knows none has data everywhere. */
static void skip_hole(struct vm_ram_walk *walk)
{
	off_t data = lseek(walk->fd, (off_t)walk->next, SEEK_DATA), end = -1;

	if (data < 0 && errno == ENXIO) {
		walk->next = walk->size;
		return;
	}
	if (data >= 0)
		end = lseek(walk->fd, data, SEEK_HOLE);
	if (data < 0 || end < 0) {
		data = (off_t)walk->next;
		end = (off_t)walk->size;
	}
	walk->next = (uint64_t)data / VM_RAM_PAGE * VM_RAM_PAGE;
	walk->data = ((uint64_t)end + VM_RAM_PAGE - 1) / VM_RAM_PAGE * VM_RAM_PAGE;
	if (walk->data > walk->size)
		walk->data = walk->size;
}

static bool fill(struct vm_ram_walk *walk)
{
	uint64_t left;

	if (walk->next >= walk->data && walk->next < walk->size)
		skip_hole(walk);
	if (walk->next >= walk->size)
		return false;
	left = walk->data - walk->next;
	walk->at = walk->next;
	walk->done = 0;
	walk->err = kt_read_at(walk->fd, walk->chunk, left < CHUNK ? (size_t)left : CHUNK,
			       (off_t)walk->at, &walk->len);
	if (!walk->err && (!walk->len || walk->len % VM_RAM_PAGE))
		walk->err = kt_error_new(KT_ERROR_FORMAT, "the file ends too early");
	walk->next += walk->len;
	return !walk->err;
}

static bool is_zero(const char *page)
{
	return !page[0] && !memcmp(page, page + 1, VM_RAM_PAGE - 1);
}

bool vm_ram_walk_next(struct vm_ram_walk *walk, uint64_t *offset_ret, const char **data_ret,
		      size_t *len_ret)
{
	size_t begin;

	do {
		if (walk->err || (walk->done == walk->len && !fill(walk)))
			return false;
		while (walk->done < walk->len && is_zero(walk->chunk + walk->done))
			walk->done += VM_RAM_PAGE;
	} while (walk->done == walk->len);
	begin = walk->done;
	while (walk->done < walk->len && !is_zero(walk->chunk + walk->done))
		walk->done += VM_RAM_PAGE;
	*offset_ret = walk->at + begin;
	*data_ret = walk->chunk + begin;
	*len_ret = walk->done - begin;
	return true;
}

struct kt_error *vm_ram_create(uint64_t size, int *fd_ret)
{
	_cleanup_close_ int fd = memfd_create("guest", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)size))
		return kt_error_os(errno, "cannot make the guest's memory");
	*fd_ret = kt_take_fd(&fd);
	return NULL;
}

struct kt_error *vm_ram_copy(int from, int to, uint64_t size, uint64_t max)
{
	struct vm_ram_walk walk;
	struct kt_error *err = NULL;
	uint64_t offset, sum = 0;
	const char *data;
	size_t len;

	vm_ram_walk_init(&walk, from, size);
	while (!err && vm_ram_walk_next(&walk, &offset, &data, &len)) {
		sum += len;
		if (sum > max)
			err = kt_error_new(KT_ERROR_UNSUPPORTED, "it has more than %llu MB",
					   (unsigned long long)max >> 20);
		else if (pwrite(to, data, len, (off_t)offset) != (ssize_t)len)
			err = kt_error_os(errno, "cannot write the guest's memory");
	}
	if (err)
		kt_error_destroy(vm_ram_walk_deinit(&walk));
	return err ? err : vm_ram_walk_deinit(&walk);
}
