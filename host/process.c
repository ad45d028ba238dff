// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/args.h"
#include "host/process.h"
#include "host/sockets.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "util/path.h"
#include "util/stub_address.h"

#define CMDLINE_MAX    (1024 * 1024)
#define READCONFIG_MAX (256 * 1024)
#define FDS_MAX        65536
#define VMS_MAX        4096

/* What is read of one process. */
struct process {
	const struct host_proc *proc;
	char dir[PATH_MAX]; /* "/proc/PID" */
	struct kt_buf cmdline;
	KT_VEC(const char *) args; /* into cmdline */
	size_t first;              /* the first of QEMU's own, behind its name */
	bool elsewhere;            /* it has another root or mount namespace than we */
	bool other_net;            /* it has another network namespace */
	bool fds_known;
	bool kvm; /* has KVM's files open */
	uint64_t n_kvm_vcpus;
	KT_VEC(uint64_t) inodes; /* of its sockets */
	struct host_sockets sockets;
};

static void process_deinit(struct process *p)
{
	kt_buf_deinit(&p->cmdline);
	kt_vec_free(&p->args);
	kt_vec_free(&p->inodes);
	host_sockets_deinit(&p->sockets);
}

/* Whether there was memory. */
__attribute__((format(printf, 2, 3))) static bool print(char **ret, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int rc;

	va_start(ap, fmt);
	rc = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (rc < 0)
		return false;
	free(*ret);
	*ret = text;
	return true;
}

/* The target of a link in the directory; false if it cannot be read. */
static bool read_link(const char *dir, const char *name, char *target, size_t size)
{
	char path[PATH_MAX];
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return false;
	n = readlink(path, target, size - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return true;
}

/* --- is it QEMU? --- */

/*
 * A QEMU's program: "qemu-system-x86_64", RHEL's "qemu-kvm", "kvm"; also with " (deleted)" after an
 * upgrade, and as NixOS wraps it, ".qemu-system-x86_64-wrapped".
 */
static bool is_qemu(const char *program)
{
	size_t len;

	program += *program == '.';
	len = strcspn(program, " ");
	return !strncmp(program, "qemu-system-", strlen("qemu-system-")) ||
	       (len == 8 && !strncmp(program, "qemu-kvm", len)) ||
	       (len == 3 && !strncmp(program, "kvm", len));
}

/* A dynamic loader that was started by its name, as for a QEMU with libraries of its own. */
static bool is_loader(const char *program)
{
	return !strncmp(program, "ld-linux", 8) || !strncmp(program, "ld-musl", 7) ||
	       !strncmp(program, "ld64.so", 7) || !strncmp(program, "ld.so", 5);
}

/* How far behind a loader the program may stand. */
#define LOADER_ARGS_MAX 16

/* Finds where QEMU's own arguments begin. *name_ret is its program's name. */
static bool find_qemu(struct process *p, const char **name_ret, char exe[PATH_MAX])
{
	bool known = read_link(p->dir, "exe", exe, PATH_MAX);
	const char *program = known         ? kt_base_name(exe)
			      : p->args.len ? kt_base_name(p->args.data[0])
					    : "";

	*name_ret = program;
	p->first = 1;
	if (is_qemu(program))
		return true;
	if (!is_loader(program))
		return false;
	for (size_t i = 1; i < p->args.len && i < LOADER_ARGS_MAX; i++) {
		*name_ret = kt_base_name(p->args.data[i]);
		p->first = i + 1;
		if (is_qemu(*name_ret))
			return true;
	}
	return false;
}

static bool read_args(struct process *p)
{
	char path[PATH_MAX + 16];
	struct kt_error *err;

	snprintf(path, sizeof(path), "%s/cmdline", p->dir);
	err = kt_read_file(path, CMDLINE_MAX, &p->cmdline);
	kt_error_destroy(err);
	if (err || !p->cmdline.data)
		return true;
	for (size_t at = 0; at < p->cmdline.len; at += strlen(p->cmdline.data + at) + 1)
		if (!kt_vec_push(&p->args, p->cmdline.data + at))
			return false;
	return true;
}

/* "x86_64" of "qemu-system-x86_64"; this host's of "qemu-kvm". False: no memory. */
static bool read_arch(const char *name, struct vm *vm)
{
	const char *arch = strstr(name, "qemu-system-");
	struct utsname host;

	if (arch) {
		arch += strlen("qemu-system-");
		return print(&vm->arch, "%.*s", (int)strcspn(arch, "- "), arch);
	}
	return uname(&host) || print(&vm->arch, "%s", host.machine);
}

/* --- what the kernel says of it --- */

/* Lines of /proc/PID/status: "Uid:\t1000\t1000\t1000\t1000": real, effective, ... */
static bool read_uid(const char *dir, uint32_t *ret)
{
	struct kt_buf text = KT_BUF_INIT;
	char path[PATH_MAX + 16];
	struct kt_error *err;
	const char *line;
	bool found;

	snprintf(path, sizeof(path), "%s/status", dir);
	err = kt_read_file(path, READCONFIG_MAX, &text);
	kt_error_destroy(err);
	line = err || !text.data ? NULL : strstr(text.data, "\nUid:");
	found = line && sscanf(line, "\nUid: %*u %" SCNu32, ret) == 1;
	kt_buf_deinit(&text);
	return found;
}

/* "socket:[23456]", "anon_inode:kvm-vm", "anon_inode:kvm-vcpu:0" */
static bool read_fd(struct process *p, const char *target)
{
	uint64_t inode;

	if (sscanf(target, "socket:[%" SCNu64 "]", &inode) == 1)
		return kt_vec_push(&p->inodes, inode);
	p->kvm |= !strcmp(target, "anon_inode:kvm-vm");
	p->n_kvm_vcpus += !strncmp(target, "anon_inode:kvm-vcpu:", strlen("anon_inode:kvm-vcpu:"));
	return true;
}

static bool read_fds(struct process *p)
{
	char path[PATH_MAX + 16], target[PATH_MAX];
	bool ok = true;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/fd", p->dir);
	dir = opendir(path);
	if (!dir)
		return true;
	p->fds_known = true;
	for (size_t i = 0; i < FDS_MAX && ok; i++) {
		const struct dirent *entry = readdir(dir);

		if (!entry)
			break;
		if (entry->d_name[0] != '.' &&
		    read_link(path, entry->d_name, target, sizeof(target)))
			ok = read_fd(p, target);
	}
	closedir(dir);
	return ok;
}

/* Whether the process is known to have another namespace than we. */
static bool differs(const struct process *p, const char *name)
{
	char self[PATH_MAX], its[PATH_MAX], ours[PATH_MAX];

	snprintf(self, sizeof(self), "%s/self", p->proc->root);
	return read_link(p->dir, name, its, sizeof(its)) &&
	       read_link(self, name, ours, sizeof(ours)) && strcmp(its, ours) != 0;
}

/* --- paths of its own --- */

/*
 * A path of the process as this process can open it: through its root, if that is another one, and
 * from its working directory. NULL: no memory, or it cannot be told.
 */
static char *path_for_us(const struct process *p, const char *path)
{
	char cwd[PATH_MAX] = "";
	char *ret = NULL;

	if (*path != '/' && p->elsewhere)
		return print(&ret, "%s/cwd/%s", p->dir, path) ? ret : NULL;
	if (*path != '/') {
		if (!read_link(p->dir, "cwd", cwd, sizeof(cwd)) || *cwd != '/')
			return NULL;
		return print(&ret, "%s/%s", cwd[1] ? cwd : "", path) ? ret : NULL;
	}
	return print(&ret, "%s%s%s", p->elsewhere ? p->dir : "", p->elsewhere ? "/root" : "", path)
		       ? ret
		       : NULL;
}

/* For host_args_parse(). */
static struct kt_error *read_its_file(void *context, const char *path, struct kt_buf *ret)
{
	_cleanup_free_ char *ours = path_for_us(context, path);

	/* A path in /proc is another file for us than for it. */
	if (!ours || !strncmp(path, "/proc/", 6) || !strncmp(path, "/dev/", 5))
		return kt_error_new(KT_ERROR_UNSUPPORTED, "%s cannot be read", path);
	return kt_read_file(ours, READCONFIG_MAX, ret);
}

/* --- ways --- */

static bool owns(const struct process *p, uint64_t inode)
{
	kt_vec_for_each (&p->inodes, own)
		if (*own == inode)
			return true;
	return !p->fds_known && inode;
}

struct listening {
	bool there, busy;
};

/* Whether the process listens there, and has a client there. */
static struct listening look(const struct process *p, const struct host_endpoint *end)
{
	struct listening ret = {.there = !p->sockets.known};
	int port = end->port ? atoi(end->port) : 0;

	kt_vec_for_each (&p->sockets.v, socket) {
		if (end->path ? !socket->path || strcmp(socket->path, end->path) != 0
			      : socket->path || socket->port != port)
			continue;
		ret.there |= socket->listens && owns(p, socket->inode);
		ret.busy |= !socket->listens && owns(p, socket->inode);
	}
	return ret;
}

static const char *noun(enum vm_way_kind kind)
{
	return kind == VM_WAY_QMP ? "QMP monitor" : "stub";
}

/* Keeps the first reason: a VM's ways are tried in the order of their worth. */
static bool refuse(struct vm *vm, enum vm_way_kind kind, const char *at, const char *why)
{
	return vm->why || print(&vm->why, "its %s at %.200s %s", noun(kind), at, why);
}

/* *target_ret: the TARGET, NULL if there is none; then vm->why says why. False: no memory. */
static bool unix_target(const struct process *p, struct vm *vm, enum vm_way_kind kind,
			const char *path, char **target_ret)
{
	_cleanup_free_ char *ours = path_for_us(p, path);
	struct stat st;

	if (!ours)
		return refuse(vm, kind, path, "is in a directory that this user may not see");
	if (strlen(ours) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return refuse(vm, kind, ours, "has too long a path for a Unix socket (107 bytes)");
	if (stat(ours, &st))
		return refuse(vm, kind, ours,
			      errno == EACCES ? "may not be reached by this user" : "is not there");
	if (!S_ISSOCK(st.st_mode))
		return refuse(vm, kind, ours, "is no socket");
	if (faccessat(AT_FDCWD, ours, W_OK, AT_EACCESS))
		return refuse(vm, kind, ours, "may not be reached by this user");
	return print(target_ret, "%s%s", kind == VM_WAY_QMP ? "qmp:" : "unix:", ours);
}

static bool is_any_host(const char *host)
{
	static const char *const any[] = {"", "0.0.0.0", "[::]", "::", "localhost", "127.0.0.1"};

	for (size_t i = 0; i < sizeof(any) / sizeof(*any); i++)
		if (strcmp(host, any[i]) == 0)
			return true;
	return false;
}

static bool tcp_target(const struct process *p, struct vm *vm, enum vm_way_kind kind,
		       const struct host_endpoint *end, char **target_ret)
{
	bool any = is_any_host(end->host), v6 = *end->host != '[' && strchr(end->host, ':');
	const char *host = any ? kind == VM_WAY_QMP ? "localhost" : "" : end->host;
	_cleanup_free_ char *address = NULL;
	struct kt_stub_address parsed = {0};
	struct kt_error *err;

	if (!print(&address, "%s%s%s:%s", v6 && !any ? "[" : "", host, v6 && !any ? "]" : "",
		   end->port))
		return false;
	err = kt_stub_address_parse(address, &parsed);
	kt_stub_address_deinit(&parsed);
	if (err) {
		kt_error_destroy(err);
		return refuse(vm, kind, address, "has no address that can be understood");
	}
	if (p->other_net)
		return refuse(vm, kind, address,
			      "is in another network namespace; nsenter -t PID -n gets there");
	return print(target_ret, "%s%s", kind == VM_WAY_QMP ? "qmp:" : "", address);
}

static bool add_way(const struct process *p, struct vm *vm, enum vm_way_kind kind,
		    const struct host_endpoint *end)
{
	struct listening listening = look(p, end);
	struct vm_way way = {.kind = kind, .busy = listening.busy};

	if (!listening.there)
		return refuse(vm, kind, end->path ? end->path : end->port,
			      "is no more: nobody listens there");
	if (!(end->path ? unix_target(p, vm, kind, end->path, &way.target)
			: tcp_target(p, vm, kind, end, &way.target)))
		return false;
	if (!way.target)
		return true;
	if (kt_vec_push(&vm->ways, way))
		return true;
	free(way.target);
	return false;
}

/* A domain's name that can stand in a TARGET, and is nothing else there: no id and no UUID. */
static bool is_plain_name(const char *name)
{
	size_t len = strlen(name);

	return len && len < 200 && strspn(name, "0123456789") < len &&
	       strspn(name, "0123456789abcdefABCDEF-") < len &&
	       strspn(name, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "-._+@") == len;
}

/*
 * libvirt's system daemon keeps a domain's files in /var/lib/libvirt, that of a user's session in
 * the user's home. If nothing tells, a process of the user's own is the session's.
 */
static bool add_libvirt(const struct host_proc *proc, const struct host_args *args, struct vm *vm)
{
	const char *domain = vm->name && is_plain_name(vm->name) ? vm->name : vm->uuid;
	const char *file = args->libvirt_file;
	bool system = file && *file == '/' ? !strncmp(file, "/var/lib/libvirt/", 17)
					   : !vm->uid || vm->uid != proc->uid;
	struct vm_way way = {.kind = VM_WAY_LIBVIRT};

	if (!domain || (domain == vm->uuid &&
			(strlen(domain) != 36 || strspn(domain, "0123456789abcdefABCDEF-") != 36)))
		return print(&vm->why, "libvirt has its monitor, but its domain has no name");
	if (!system && vm->uid != proc->uid)
		return print(&vm->why,
			     "it is a domain of the libvirt session of another user (uid %" PRIu32
			     "); that user can read it",
			     vm->uid);
	if (!print(&way.target, "%s%s",
		   !system      ? "libvirt+qemu:///session:"
		   : !proc->uid ? "libvirt:"
				: "libvirt+qemu:///system:",
		   domain))
		return false;
	if (kt_vec_push(&vm->ways, way))
		return true;
	free(way.target);
	return false;
}

static bool add_ways(const struct process *p, const struct host_args *args, struct vm *vm)
{
	bool ok = !args->libvirt || add_libvirt(p->proc, args, vm);

	kt_vec_for_each (&args->monitors, end)
		ok = ok && add_way(p, vm, VM_WAY_QMP, end);
	kt_vec_for_each (&args->stubs, end)
		ok = ok && add_way(p, vm, VM_WAY_STUB, end);
	if (ok && vm->ways.len && vm_best_way(vm)->busy)
		return print(&vm->why, "somebody else is connected to its %s",
			     noun(vm_best_way(vm)->kind));
	if (!ok || vm->ways.len || vm->why)
		return ok;
	if (!p->args.len)
		return print(&vm->why, "its command line cannot be read");
	return print(&vm->why, "it was started without -qmp, -gdb and -s%s",
		     args->hmp ? "; in its human monitor, gdbserver "
				 "unix:PATH,server=on,wait=off starts a stub"
			       : "");
}

/* --- one VM --- */

/* The accelerator, and the vCPUs that it has. */
static bool take_accel(const struct process *p, struct host_args *args, struct vm *vm)
{
	const char *said = args->accel;
	char first[32] = "";

	if (p->fds_known && p->kvm) {
		if (p->n_kvm_vcpus)
			args->vcpus = (struct program_number){true, p->n_kvm_vcpus};
		return print(&vm->accel, "kvm");
	}
	/* Debian's kvm and RHEL's qemu-kvm have defaults of their own. */
	if (!said && p->fds_known)
		return print(&vm->accel, "tcg");
	if (!said)
		return true;
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(said, ":"), said);
	/* KVM it is not. What is left is the last choice of the list. */
	if (p->fds_known && !strcmp(first, "kvm"))
		said = kt_base_name(strchr(said, ':') ? strrchr(said, ':') + 1 : "tcg");
	return print(&vm->accel, "%s", said);
}

/* Moves what the command line says into the VM. */
static bool take_args(struct process *p, struct host_args *args, struct vm *vm)
{
	if (!take_accel(p, args, vm))
		return false;
	vm->name = kt_take_ptr(args->name);
	vm->uuid = kt_take_ptr(args->uuid);
	vm->vcpus = args->vcpus;
	vm->memory = args->memory;
	/* May be NULL: it is only for a look. */
	if (args->kernel && strncmp(args->kernel, "/proc/", 6) != 0)
		vm->image = path_for_us(p, args->kernel);
	return add_ways(p, args, vm);
}

static struct kt_error *read_vm(struct process *p, const char *name, struct vm *vm)
{
	const struct host_reader files = {.read = read_its_file, .context = p};
	struct host_args args = {0};
	char root[PATH_MAX];
	struct kt_error *err;

	if (!read_uid(p->dir, &vm->uid))
		return kt_error_new(KT_ERROR_NOT_FOUND, "process %" PRIu32 " is gone", vm->pid);
	p->elsewhere = differs(p, "ns/mnt") ||
		       (read_link(p->dir, "root", root, sizeof(root)) && strcmp(root, "/") != 0);
	p->other_net = differs(p, "ns/net");
	if (!read_arch(name, vm) || !read_fds(p) || !host_sockets_read(p->dir, &p->sockets))
		return kt_error_no_memory();
	err = host_args_parse(p->args.data + p->first,
			      p->args.len > p->first ? p->args.len - p->first : 0, &files, &args);
	if (!err && !take_args(p, &args, vm))
		err = kt_error_no_memory();
	host_args_deinit(&args);
	return err;
}

struct kt_error *host_vm_read(const struct host_proc *proc, pid_t pid, struct vm *ret)
{
	_cleanup_(process_deinit) struct process p = {.proc = proc};
	struct vm vm = {.pid = (uint32_t)pid};
	char exe[PATH_MAX] = "";
	const char *name;
	struct kt_error *err;
	struct stat st;

	if (snprintf(p.dir, sizeof(p.dir), "%s/%d", proc->root, (int)pid) >= PATH_MAX - 64)
		return kt_error_os(ENAMETOOLONG, "%s", proc->root);
	if (!read_args(&p))
		return kt_error_no_memory();
	if (!find_qemu(&p, &name, exe)) {
		if (stat(p.dir, &st))
			return kt_error_new(KT_ERROR_NOT_FOUND, "there is no process %d", (int)pid);
		return kt_error_new(KT_ERROR_UNSUPPORTED, "process %d is no QEMU: it runs %.200s",
				    (int)pid,
				    *exe         ? exe
				    : p.args.len ? p.args.data[0]
						 : "something that this user may not see");
	}
	err = read_vm(&p, name, &vm);
	if (err)
		vm_deinit(&vm);
	else
		*ret = vm;
	return err;
}

/* --- all of them --- */

static int compare_pids(const void *a, const void *b)
{
	const struct vm *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Reads the process, if it is a VM. False: no memory. */
static bool add_vm(const struct host_proc *proc, const char *name, struct vms *vms)
{
	unsigned long pid = strtoul(name, NULL, 10);
	struct kt_error *err;
	struct vm vm;
	bool ok;

	if (name[strspn(name, "0123456789")] || !pid || pid > INT_MAX)
		return true;
	err = host_vm_read(proc, (pid_t)pid, &vm);
	ok = !err || kt_error_code(err) != KT_ERROR_NO_MEMORY;
	kt_error_destroy(err);
	if (err)
		return ok;
	if (kt_vec_push(&vms->v, vm))
		return true;
	vm_deinit(&vm);
	return false;
}

struct kt_error *host_vms_read(const struct host_proc *proc, struct vms *ret)
{
	struct vms vms = {0};
	const struct dirent *entry;
	bool ok = true;
	DIR *dir = opendir(proc->root);

	if (!dir)
		return kt_error_os(errno, "cannot list the processes in %s", proc->root);
	while (ok && vms.v.len < VMS_MAX && (entry = readdir(dir)))
		ok = add_vm(proc, entry->d_name, &vms);
	closedir(dir);
	if (!ok) {
		vms_deinit(&vms);
		return kt_error_no_memory();
	}
	if (vms.v.len)
		qsort(vms.v.data, vms.v.len, sizeof(*vms.v.data), compare_pids);
	*ret = vms;
	return NULL;
}

/* --- TARGETs --- */

struct kt_error *host_vm_target(const struct host_proc *proc, pid_t pid, char **ret)
{
	_cleanup_(vm_deinit) struct vm vm = {0};
	struct kt_error *err = host_vm_read(proc, pid, &vm);
	const struct vm_way *way = err ? NULL : vm_best_way(&vm);

	if (err)
		return kt_error_hint(err, "ktstr-gdb list shows the VMs of this host");
	if (!way && vm.uid != proc->uid && proc->uid)
		return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
						  "QEMU's process %d, of another user (uid %" PRIu32
						  "), cannot be reached: %s",
						  (int)pid, vm.uid, vm.why),
				     "try as that user or as root");
	if (!way)
		return kt_error_hint(
			kt_error_new(KT_ERROR_UNSUPPORTED,
				     "QEMU's process %d cannot be reached: %s", (int)pid, vm.why),
			"QEMU's -qmp unix:PATH,server=on,wait=off makes a monitor for it");
	*ret = strdup(way->target);
	return *ret ? NULL : kt_error_no_memory();
}

#define DEFAULT_PORT 1234

/* Whether a stub may be where `qemu -s` has it. */
static bool listens_by_default(const struct host_proc *proc)
{
	struct host_sockets sockets = {0};
	char self[PATH_MAX];
	bool found = false;

	snprintf(self, sizeof(self), "%s/self", proc->root);
	if (!host_sockets_read(self, &sockets))
		return true;
	kt_vec_for_each (&sockets.v, socket)
		found |= socket->listens && !socket->path && socket->port == DEFAULT_PORT;
	found |= !sockets.known;
	host_sockets_deinit(&sockets);
	return found;
}

#define NAMED_MAX 8

/* "pid:5 (web), libvirt:db (pid 7)" */
static void name_all(const struct vms *vms, struct kt_buf *out)
{
	size_t n = 0;

	kt_vec_for_each (&vms->v, vm) {
		const struct vm_way *way = vm_best_way(vm);

		if (!way)
			continue;
		if (n++ == NAMED_MAX) {
			kt_buf_appends(out, ", ...");
			return;
		}
		kt_buf_printf(out, "%s%.120s (pid %" PRIu32 "%s%.60s)", n > 1 ? ", " : "",
			      way->target, vm->pid, vm->name ? ", " : "", vm->name ? vm->name : "");
	}
}

struct kt_error *host_vm_default(const struct host_proc *proc, char **ret, uint32_t *vm_pid_ret)
{
	_cleanup_(vms_deinit) struct vms vms = {0};
	struct kt_buf names = KT_BUF_INIT;
	const struct vm *only = NULL;
	size_t n = 0;
	struct kt_error *err;

	*vm_pid_ret = 0;
	*ret = NULL;
	if (listens_by_default(proc))
		return NULL;
	err = host_vms_read(proc, &vms);
	if (err) {
		/* Without /proc it is as without VMs. */
		kt_error_destroy(err);
		return NULL;
	}
	kt_vec_for_each (&vms.v, vm) {
		if (vm_best_way(vm)) {
			only = vm;
			n++;
		}
	}
	if (n > 1) {
		name_all(&vms, &names);
		err = kt_error_hint(
			kt_error_new(KT_ERROR_USAGE,
				     "%zu VMs run on this host; a TARGET has to say which: %s", n,
				     names.data ? names.data : ""),
			"ktstr-gdb list shows them");
		kt_buf_deinit(&names);
		return err;
	}
	if (!only)
		return NULL;
	*vm_pid_ret = only->pid;
	*ret = strdup(vm_best_way(only)->target);
	return *ret ? NULL : kt_error_no_memory();
}
