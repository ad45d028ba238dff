// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cli/input.h"
#include "image/decompress.h"
#include "util/cleanup.h"
#include "util/resources.h"

/* What is being read. */
struct source {
	const char *path; /* for messages */
	int fd;
	char head[65536]; /* the first bytes, which tell what it is */
	size_t head_len;
	bool head_taken;
};

/*
 * Memory that grows at its end. It is never copied, since mremap() moves page tables, and it
 * doubles, since pages that were not written to take no memory.
 */
struct growing {
	char *data;
	size_t len, cap, limit;
};

#define GROWING_STEP ((size_t)16 << 20)
#define LIMIT_MAX    ((size_t)64 << 30)

/*
 * How much may be read into memory: half of what is free, because to collapse a log takes up to
 * half of its size again. The limit ends `yes | ktstr-gdb log`, and a small file that decompresses
 * to terabytes.
 */
static size_t memory_limit(void)
{
	int64_t mib = kt_available_memory_mib();
	size_t limit = mib < (int64_t)(LIMIT_MAX >> 19) ? (size_t)mib << 19 : LIMIT_MAX;

	return limit < GROWING_STEP ? GROWING_STEP : limit / GROWING_STEP * GROWING_STEP;
}

static struct kt_error *too_large(const struct source *src, const struct growing *g)
{
	return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
					  "%s has more than the %zu MiB that there is memory for",
					  src->path, g->limit >> 20),
			     "a file can be of any size if it is not compressed");
}

/* False: there is no memory for it. */
static bool growing_to(struct growing *g, size_t cap)
{
	void *data;

	if (g->cap)
		data = mremap(g->data, g->cap, cap, MREMAP_MAYMOVE);
	else
		data = mmap(NULL, cap, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (data == MAP_FAILED)
		return false;
	g->data = data;
	g->cap = cap;
	return true;
}

/* Makes room for one byte more at least. */
static struct kt_error *growing_reserve(struct growing *g, const struct source *src)
{
	size_t cap = g->cap ? g->cap * 2 : GROWING_STEP;

	if (g->len < g->cap)
		return NULL;
	if (!g->limit)
		g->limit = memory_limit();
	if (g->cap >= g->limit)
		return too_large(src, g);
	if (cap > g->limit)
		cap = g->limit;
	/* Under a limit of address space (ulimit -v), a small step may do. */
	if (!growing_to(g, cap) && !growing_to(g, g->cap + GROWING_STEP))
		return kt_error_no_memory();
	return NULL;
}

static struct kt_error *growing_append(struct growing *g, const struct source *src,
				       const char *data, size_t len)
{
	while (len) {
		struct kt_error *err = growing_reserve(g, src);
		size_t n = g->cap - g->len < len ? g->cap - g->len : len;

		if (err)
			return err;
		memcpy(g->data + g->len, data, n);
		g->len += n;
		data += n;
		len -= n;
	}
	return NULL;
}

static void growing_deinit(struct growing *g)
{
	if (g->cap)
		munmap(g->data, g->cap);
}

/* Gives the content to ret, and back what was not needed. */
static void growing_finish(struct growing *g, struct cli_input *ret)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), used = (g->len + page - 1) / page * page;

	ret->text = (struct kt_text){g->data, g->len};
	if (!g->len)
		growing_deinit(g);
	if (!g->len)
		return;
	if (used < g->cap)
		munmap(g->data + used, g->cap - used);
	ret->map = g->data;
	ret->map_len = used;
}

/* As read(2), but waits where that would not, and goes on after a signal. */
static ssize_t read_some(int fd, void *data, size_t len)
{
	for (;;) {
		ssize_t n = read(fd, data, len);
		struct pollfd wait = {.fd = fd, .events = POLLIN};

		if (n >= 0 || (errno != EINTR && errno != EAGAIN))
			return n;
		if (errno == EAGAIN)
			poll(&wait, 1, -1);
	}
}

static struct kt_error *cannot_read(const struct source *src, int errnum)
{
	if (errnum == EISDIR)
		return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED, "%s is a directory",
						  src->path),
				     "name the files in it");
	return kt_error_os(errnum, "cannot read %s", src->path);
}

/* So many bytes tell what it is, or that it is text. */
#define MAGIC_MAX 10

/* Reads what comes first. A pipe gives it piece by piece. */
static struct kt_error *read_head(struct source *src)
{
	while (src->head_len < MAGIC_MAX) {
		ssize_t n = read_some(src->fd, src->head + src->head_len,
				      sizeof(src->head) - src->head_len);

		if (n < 0)
			return cannot_read(src, errno);
		if (n == 0)
			break;
		src->head_len += (size_t)n;
	}
	return NULL;
}

/* "BZh" and a few characters are text. NULL: not compressed. */
static const char *compression(const struct source *src)
{
	const char *format = decompress_format(src->head, src->head_len);

	if (format && src->head_len < MAGIC_MAX && !strcmp(format, "bzip2"))
		return NULL;
	return format;
}

/* /proc/sys wants memory for as much as it is asked for. */
#define READ_MAX ((size_t)1 << 20)

static struct kt_error *read_plain(struct source *src, struct growing *g)
{
	struct kt_error *err = growing_append(g, src, src->head, src->head_len);
	ssize_t n;

	for (;;) {
		if (!err)
			err = growing_reserve(g, src);
		if (err)
			return err;
		n = read_some(src->fd, g->data + g->len,
			      g->cap - g->len < READ_MAX ? g->cap - g->len : READ_MAX);
		if (n < 0)
			return cannot_read(src, errno);
		if (n == 0)
			return NULL;
		g->len += (size_t)n;
	}
}

/* The bytes that were read ahead, then the file. */
static ssize_t feed(void *context, const void **ret)
{
	struct source *src = context;
	ssize_t n;

	*ret = src->head;
	if (!src->head_taken) {
		src->head_taken = true;
		return (ssize_t)src->head_len;
	}
	n = read_some(src->fd, src->head, sizeof(src->head));
	return n < 0 ? -errno : n;
}

/*
 * *damage_ret is what ended it early; what is in g until then is good, but a last block of 64 or
 * 128 KiB is lost.
 */
static struct kt_error *read_compressed(struct source *src, const char *format, struct growing *g,
					struct kt_error **damage_ret)
{
	_cleanup_(decompressor_destroyp) struct decompressor *d = NULL;
	struct kt_error *err = decompressor_create(format, feed, src, &d);
	const void *block = NULL;
	size_t len = 1;

	while (!err && len) {
		struct kt_error *damage = decompressor_next(d, &block, &len);

		if (damage) {
			*damage_ret = kt_error_wrap(damage, "%s is truncated or damaged",
						    src->path);
			return NULL;
		}
		err = growing_append(g, src, block, len);
	}
	return err;
}

/*
 * Files that are mapped. When somebody truncates one, reading the lost pages is a SIGBUS. Its
 * handler puts zeros there and sets `shrank`, so that the work ends and the user is told. (To read
 * files into memory instead would take half the time that md5sum takes for them.)
 */
static struct cli_input *mapped;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	int saved_errno = errno;
	uintptr_t at = (uintptr_t)info->si_addr;

	(void)context;
	for (struct cli_input *in = mapped; in; in = in->next) {
		uintptr_t start = (uintptr_t)in->map, page = (uintptr_t)getpagesize();
		size_t offset;

		if (at < start || at - start >= in->map_len)
			continue;
		offset = (at - start) / page * page;
		if (mmap(in->map + offset, in->map_len - offset, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			break;
		in->shrank = true;
		errno = saved_errno;
		return;
	}
	signal(sig, SIG_DFL); /* not ours: the access is tried again, and ends the process */
}

/* False: the file cannot be mapped, and has to be read. */
static bool map_file(const struct source *src, struct cli_input *ret)
{
	struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};
	off_t at = lseek(src->fd, 0, SEEK_CUR) - (off_t)src->head_len;
	struct stat st;
	void *map;

	/* Files of /proc are regular too, with size 0. Standard input may have been read in part.
	 */
	if (fstat(src->fd, &st) < 0 || !S_ISREG(st.st_mode) || at < 0 || st.st_size <= at)
		return false;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, src->fd, 0);
	if (map == MAP_FAILED)
		return false;
	madvise(map, (size_t)st.st_size, MADV_SEQUENTIAL);
	ret->map = map;
	ret->map_len = (size_t)st.st_size;
	ret->text = (struct kt_text){ret->map + at, (size_t)(st.st_size - at)};
	if (!mapped)
		sigaction(SIGBUS, &action, NULL);
	ret->next = mapped;
	mapped = ret;
	lseek(src->fd, 0, SEEK_END); /* the next reader of the same standard input finds its end */
	return true;
}

/* format NULL: not compressed. */
static struct kt_error *read_into_memory(struct source *src, const char *format,
					 struct cli_input *ret)
{
	struct growing g = {0};
	struct kt_error *err;

	err = format ? read_compressed(src, format, &g, &ret->error) : read_plain(src, &g);
	if (err)
		growing_deinit(&g);
	else
		growing_finish(&g, ret);
	return err;
}

struct kt_error *cli_input_read(const char *path, struct cli_input *ret)
{
	bool is_stdin = strcmp(path, "-") == 0;
	_cleanup_free_ struct source *src = calloc(1, sizeof(*src));
	_cleanup_close_ int opened = -1;
	struct kt_error *err;
	const char *format;

	if (!src)
		return kt_error_no_memory();
	if (!is_stdin) {
		opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (opened < 0)
			return kt_error_os(errno, "cannot open %s", path);
	}
	src->path = is_stdin ? "standard input" : path;
	src->fd = is_stdin ? STDIN_FILENO : opened;
	*ret = (struct cli_input){0};
	err = read_head(src);
	if (err)
		return err;
	format = compression(src);
	if (!format && map_file(src, ret))
		return NULL;
	return read_into_memory(src, format, ret);
}

struct kt_error *cli_input_check(const struct cli_input *input, const char *path)
{
	if (!input->shrank)
		return NULL;
	return kt_error_new(KT_ERROR_FORMAT, "%s became shorter while it was read", path);
}

void cli_input_deinit(struct cli_input *input)
{
	for (struct cli_input **link = &mapped; *link; link = &(*link)->next)
		if (*link == input) {
			*link = input->next;
			break;
		}
	if (input->map_len)
		munmap(input->map, input->map_len);
	kt_error_destroy(input->error);
	*input = (struct cli_input){0};
}
