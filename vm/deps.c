// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "vm/deps.h"
#include "vm/process.h"

#define LIST_TIMEOUT_MS 10000 /* for the dynamic loader to list the libraries */
#define SCRIPT_DEPTH    4     /* the kernel's own limit for an interpreter of an interpreter */

static void elf_endp(Elf **elf)
{
	elf_end(*elf);
}

static void list_deinit(struct kt_path_list *list)
{
	kt_vec_for_each (&list->v, p)
		free(*p);
	kt_vec_free(&list->v);
}

void kt_deps_deinit(struct kt_deps *deps)
{
	list_deinit(&deps->files);
	list_deinit(&deps->lib_dirs);
}

/* A search, and where its findings go. */
struct search {
	uint16_t machine; /* the guest's, EM_* */
	int cancel_fd;
	struct kt_deps *deps;
};

/* Adds a copy of the first len bytes of path, unless it is there. */
static struct kt_error *add_once(struct kt_path_list *list, const char *path, size_t len)
{
	_cleanup_free_ char *copy = strndup(path, len);

	if (!copy)
		return kt_error_no_memory();
	kt_vec_for_each (&list->v, it)
		if (!strcmp(*it, copy))
			return NULL;
	if (!kt_vec_push(&list->v, copy))
		return kt_error_no_memory();
	copy = NULL;
	return NULL;
}

static struct kt_error *add_library(struct kt_deps *deps, const char *path, size_t len)
{
	const char *slash = memrchr(path, '/', len);
	struct kt_error *err;

	err = add_once(&deps->files, path, len);
	if (!err)
		err = add_once(&deps->lib_dirs, path, (size_t)(slash - path));
	return err;
}

/*
 * One line of the loader's list (glibc 2.36):
 *
 *	linux-vdso.so.1 (0x00007ffd2b5f2000)
 *	libbpf.so.1 => /lib/x86_64-linux-gnu/libbpf.so.1 (0x00007f1c1a2b3000)
 *	/lib64/ld-linux-x86-64.so.2 (0x00007f1c1a4c2000)
 *	libfoo.so.1 => not found
 */
static struct kt_error *parse_list_line(const char *line, const char *binary, struct kt_deps *deps)
{
	const char *name = line + strspn(line, " \t");
	const char *arrow = strstr(name, " => ");
	const char *path = arrow ? arrow + 4 : name;
	const char *end = strstr(path, " (0x");

	if (arrow && !strncmp(path, "not found", 9))
		return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND,
						  "%s: its shared library %.*s is not found",
						  binary, (int)(arrow - name), name),
				     "install the library, or set LD_LIBRARY_PATH to where it is");
	if (path[0] != '/')
		return NULL;
	return add_library(deps, path, end ? (size_t)(end - path) : strlen(path));
}

/*
 * The loader's last words (glibc 2.36):
 *
 *	/x/a: error while loading shared libraries: libb.so: cannot open shared object file: ...
 */
static struct kt_error *loader_failed(const char *binary, const char *interp, const char *words)
{
	size_t len = strlen(binary);

	if (!words)
		return kt_error_new(KT_ERROR_FORMAT, "%s: %s cannot load it: truncated, or damaged",
				    binary, interp);
	if (!strncmp(words, binary, len) && !strncmp(words + len, ": ", 2))
		words += len + 2;
	return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND, "%s: %s: %s", binary, interp, words),
			     "install the library, or set LD_LIBRARY_PATH to where it is");
}

static struct kt_error *list_libraries(const struct search *search, const char *interp,
				       const char *binary)
{
	const char *argv[] = {interp, "--list", binary, NULL};
	_cleanup_free_ char *output = NULL;
	struct kt_error *err;
	char *line, *rest, *last = NULL;
	int status;

	err = kt_process_output(argv, kt_deadline_ms(LIST_TIMEOUT_MS), search->cancel_fd, &output,
				&status);
	if (err)
		return kt_error_wrap(err, "%s: cannot list its shared libraries", binary);
	for (rest = output; (line = strsep(&rest, "\n"));) {
		last = *line ? line : last;
		err = parse_list_line(line, binary, search->deps);
		if (err)
			return err;
	}
	if (status == 0)
		return NULL;
	return loader_failed(binary, interp, last);
}

/* The PT_INTERP of an ELF file, or NULL for a static one. */
static struct kt_error *elf_interpreter(int fd, const char *path, uint16_t machine, char **ret)
{
	_cleanup_(elf_endp) Elf *elf = NULL;
	size_t n = 0, size;
	GElf_Ehdr ehdr;
	GElf_Phdr phdr;
	char *raw;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || !gelf_getehdr(elf, &ehdr) || elf_getphdrnum(elf, &n))
		return kt_error_new(KT_ERROR_FORMAT, "%s: not a sound ELF file: %s", path,
				    elf_errmsg(-1));
	if (ehdr.e_machine == EM_BPF)
		return kt_error_hint(kt_error_new(KT_ERROR_FORMAT, "%s: a BPF object, no program",
						  path),
				     "give it to --object");
	if (ehdr.e_machine != machine)
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "%s: a program for another machine (ELF type %u, the guest's "
				    "is %u)",
				    path, ehdr.e_machine, machine);
	if (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN)
		return kt_error_new(KT_ERROR_FORMAT, "%s: an ELF file, but no program", path);
	raw = elf_rawfile(elf, &size);
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, (int)i, &phdr) || phdr.p_type != PT_INTERP)
			continue;
		if (!raw || phdr.p_offset > size || phdr.p_filesz > size - phdr.p_offset)
			return kt_error_new(KT_ERROR_FORMAT, "%s: truncated ELF file", path);
		*ret = strndup(raw + phdr.p_offset, phdr.p_filesz);
		return *ret ? NULL : kt_error_no_memory();
	}
	*ret = NULL;
	return NULL;
}

static struct kt_error *add_elf(const struct search *search, int fd, const char *path)
{
	_cleanup_free_ char *interp = NULL;
	struct kt_error *err;

	err = elf_interpreter(fd, path, search->machine, &interp);
	if (err || !interp)
		return err;
	if (access(interp, X_OK))
		return kt_error_os(errno, "%s: its dynamic loader %s", path, interp);
	err = add_once(&search->deps->files, interp, strlen(interp));
	if (!err)
		err = list_libraries(search, interp, path);
	return err;
}

static struct kt_error *open_program(const char *path, int *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return kt_error_os(errno, "cannot run %s", path);
	if (S_ISDIR(st.st_mode))
		return kt_error_os(EISDIR, "cannot run %s", path);
	if (!S_ISREG(st.st_mode))
		return kt_error_new(KT_ERROR_FORMAT, "cannot run %s: not a regular file", path);
	*ret = kt_take_fd(&fd);
	return NULL;
}

/* Checked last: if a file is no program at all, that is the better error. */
static struct kt_error *check_executable(int fd, const char *path)
{
	struct stat st;

	if (!fstat(fd, &st) && (st.st_mode & 0111))
		return NULL;
	return kt_error_hint(kt_error_os(EACCES, "cannot run %s: it is not executable", path),
			     "chmod +x %s", path);
}

/* The program in "#! /bin/sh -e", as the kernel reads it; NULL without one. */
static char *script_interpreter(const char *head)
{
	const char *begin = head + 2 + strspn(head + 2, " \t");
	size_t len = strcspn(begin, " \t\n");

	return len ? strndup(begin, len) : NULL;
}

static struct kt_error *add_program(const struct search *search, const char *path, unsigned depth)
{
	char head[256] = "";
	_cleanup_free_ char *interp = NULL;
	_cleanup_close_ int fd = -1;
	struct kt_error *err;
	ssize_t n;

	err = open_program(path, &fd);
	if (!err)
		err = add_once(&search->deps->files, path, strlen(path));
	if (err)
		return err;
	n = pread(fd, head, sizeof(head) - 1, 0);
	if (n < 0)
		return kt_error_os(errno, "cannot run %s", path);
	if (n >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG)) {
		err = add_elf(search, fd, path);
		return err ? err : check_executable(fd, path);
	}
	if (strncmp(head, "#!", 2) || !(interp = script_interpreter(head)))
		return kt_error_new(KT_ERROR_FORMAT, "%s: neither an ELF program nor a script",
				    path);
	if (depth >= SCRIPT_DEPTH)
		return kt_error_os(ELOOP, "cannot run %s", path);
	err = check_executable(fd, path);
	if (err)
		return err;
	return kt_error_wrap(add_program(search, interp, depth + 1), "%s: its interpreter", path);
}

struct kt_error *kt_deps_find(const char *path, uint16_t machine, int cancel_fd,
			      struct kt_deps *ret)
{
	_cleanup_free_ char *absolute = NULL;
	struct kt_deps deps = {0};
	const struct search search = {machine, cancel_fd, &deps};
	struct kt_error *err;

	/* Not "/proc/self/cwd/..." and no "..": the guest gets the same path. */
	absolute = realpath(path, NULL);
	if (!absolute)
		return kt_error_os(errno, "cannot run %s", path);
	err = add_program(&search, absolute, 0);
	if (err)
		kt_deps_deinit(&deps);
	else
		*ret = deps;
	return err;
}
