// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fence.h"

/* --- files, TCP, signals: Landlock --- */

/* Of later ABIs than the headers of Debian 12 have; include/uapi/linux/landlock.h. */
#define ACCESS_FS_REFER        (UINT64_C(1) << 13) /* ABI 2 */
#define ACCESS_FS_TRUNCATE     (UINT64_C(1) << 14) /* ABI 3 */
#define ACCESS_FS_IOCTL_DEV    (UINT64_C(1) << 15) /* ABI 5 */
#define ACCESS_NET_BIND_TCP    (UINT64_C(1) << 0)  /* ABI 4 */
#define ACCESS_NET_CONNECT_TCP (UINT64_C(1) << 1)  /* ABI 4 */
#define SCOPE_ABSTRACT_SOCKET  (UINT64_C(1) << 0)  /* ABI 6 */
#define SCOPE_SIGNAL           (UINT64_C(1) << 1)  /* ABI 6 */
#define RULE_NET_PORT          2

/* A kernel that does not know the later ones takes them if they are 0. */
struct ruleset {
	uint64_t fs;
	uint64_t net;    /* ABI 4 */
	uint64_t scoped; /* ABI 6 */
};

struct net_port {
	uint64_t allowed, port;
};

#define PORT_DNS 53

/* Everything that this ABI can forbid. */
static struct ruleset everything(int abi)
{
	struct ruleset set = {.fs = ACCESS_FS_REFER - 1};

	if (abi >= 2)
		set.fs |= ACCESS_FS_REFER;
	if (abi >= 3)
		set.fs |= ACCESS_FS_TRUNCATE;
	if (abi >= 4)
		set.net = ACCESS_NET_BIND_TCP | ACCESS_NET_CONNECT_TCP;
	if (abi >= 5)
		set.fs |= ACCESS_FS_IOCTL_DEV;
	if (abi >= 6)
		set.scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
	return set;
}

#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES                                                                                     \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                          \
	 LANDLOCK_ACCESS_FS_MAKE_REG | ACCESS_FS_TRUNCATE)
#define ON_A_FILE                                                                                  \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_FS_TRUNCATE)

/*
 * Errors do not matter: Landlock cannot allow a pipe (which /dev/stderr may be), but does not
 * forbid it either.
 *
 * The descriptor is never closed. A rule belongs to an inode, and some file systems make a new
 * inode each time a file is looked up that nobody has open: 9p (a share of QEMU, a drive of WSL)
 * and /proc. Without an open descriptor, a rule there would allow nothing.
 */
static void allow_place(int rules, const struct ruleset *set, const struct kt_fence_place *place)
{
	int fd = open(place->path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr beneath = {.parent_fd = fd};
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st)) {
		close(fd);
		return;
	}
	beneath.allowed_access = place->right == KT_FENCE_WRITE ? READS | WRITES : READS;
	if (!S_ISDIR(st.st_mode))
		beneath.allowed_access &= ON_A_FILE;
	beneath.allowed_access &= set->fs;
	(void)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
}

static void allow_port(int rules, uint16_t port)
{
	const struct net_port rule = {.allowed = ACCESS_NET_CONNECT_TCP, .port = port};

	(void)syscall(SYS_landlock_add_rule, rules, RULE_NET_PORT, &rule, 0);
}

/* Returns the ABI that is in force; 0: none. */
static int put_up_landlock(const struct kt_fence *fence)
{
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);
	const struct ruleset set = everything(abi);
	_cleanup_close_ int rules = -1;

	if (abi < 1)
		return 0;
	rules = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof(set), 0);
	if (rules < 0)
		return 0;
	kt_vec_for_each (&fence->places, place)
		allow_place(rules, &set, place);
	if (set.net && fence->tcp_port) {
		allow_port(rules, fence->tcp_port);
		allow_port(rules, PORT_DNS);
	}
	return syscall(SYS_landlock_restrict_self, rules, 0) ? 0 : abi;
}

/* --- everything else: seccomp --- */

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define OUR_ARCH AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define OUR_ARCH AUDIT_ARCH_S390X
#else
#define OUR_ARCH 0
#endif

/* The leak sanitizer traces the threads of its process. */
#if defined(__SANITIZE_ADDRESS__)
#define TRACES_ITSELF 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(leak_sanitizer)
#define TRACES_ITSELF 1
#endif
#endif

/* The calls of x32 have other numbers, which are not in the list below. */
#define X32_BIT 0x40000000u

/* Calls that the headers of Debian 12 do not have. Their numbers are the same everywhere. */
enum {
	CALL_FCHMODAT2 = 452,
	CALL_SETXATTRAT = 463,
	CALL_REMOVEXATTRAT = 466,
	CALL_OPEN_TREE_ATTR = 467,
	CALL_FILE_SETATTR = 469,
};

/* Calls that are not needed for reading a guest. */
/* clang-format off */
static const uint16_t forbidden[] = {
	/* start a program */
	SYS_execve, SYS_execveat,
	/* reach into another process */
#ifndef TRACES_ITSELF
	SYS_ptrace,
#endif
	SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd, SYS_setpriority,
	/* accept connections */
	SYS_listen, SYS_accept4,
#ifdef SYS_accept
	SYS_accept,
#endif
	/* change a file's owner, mode or times, which Landlock does not forbid */
	SYS_fchmod, SYS_fchmodat, CALL_FCHMODAT2, SYS_fchown, SYS_fchownat, SYS_setxattr,
	SYS_lsetxattr, SYS_fsetxattr, CALL_SETXATTRAT, SYS_removexattr, SYS_lremovexattr,
	SYS_fremovexattr, CALL_REMOVEXATTRAT, CALL_FILE_SETATTR, SYS_truncate, SYS_utimensat,
#ifdef SYS_chmod
	SYS_chmod,
#endif
#ifdef SYS_chown
	SYS_chown, SYS_lchown,
#endif
#ifdef SYS_utime
	SYS_utime, SYS_utimes, SYS_futimesat,
#endif
	SYS_open_by_handle_at,
	/* change the system, and reach young parts of the kernel, which have most bugs */
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_move_mount, SYS_open_tree,
	CALL_OPEN_TREE_ATTR, SYS_mount_setattr, SYS_fsopen, SYS_fspick, SYS_fsconfig, SYS_fsmount,
	SYS_unshare, SYS_setns, SYS_init_module, SYS_finit_module, SYS_delete_module,
	SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl, SYS_sethostname,
	SYS_setdomainname, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup,
	SYS_io_uring_enter, SYS_io_uring_register, SYS_add_key, SYS_request_key, SYS_keyctl,
	SYS_fanotify_init,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
};
/* clang-format on */

/* For the stub, and for looking up names of hosts. Without TCP, only the first is allowed. */
static const uint32_t families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

/* No multipath TCP, which Landlock does not limit. Of netlink, routes only. */
static const uint32_t protocols[] = {0, IPPROTO_TCP, IPPROTO_UDP};

/* Sending with this flag connects, past the check of connect(2) in Landlock. */
#define FASTOPEN 0x20000000u

/* These put input into the user's terminal, as if it were typed. */
static const uint32_t ioctls[] = {TIOCSTI, TIOCLINUX};

/* In a user namespace, more of the kernel can be reached. */
#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)
#ifdef __s390x__
#define CLONE_FLAGS_ARG 1
#else
#define CLONE_FLAGS_ARG 0
#endif

static const uint32_t oneself[] = {0};

/* s390x can make all socket calls through one, whose other arguments a filter cannot read. */
#ifdef SYS_socketcall
static const uint32_t socket_calls[] = {4 /* listen */, 5 /* accept */, 18 /* accept4 */};
#endif

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct filter {
	struct sock_filter code[COUNT(forbidden) * 2 + 96];
	unsigned short len;
};

static void put(struct filter *f, struct sock_filter insn)
{
	f->code[f->len++] = insn;
}

static void load(struct filter *f, size_t offset)
{
	put(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void load_call(struct filter *f)
{
	load(f, offsetof(struct seccomp_data, nr));
}

/* The lower half of an argument. */
static void load_arg(struct filter *f, unsigned int nth)
{
	size_t offset = offsetof(struct seccomp_data, args) + nth * 8;

	load(f, offset + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0));
}

static void jump(struct filter *f, uint16_t op, uint32_t value, size_t if_true, size_t if_false)
{
	put(f, (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | op | BPF_K), value,
					    (uint8_t)if_true, (uint8_t)if_false));
}

static void refuse(struct filter *f, uint32_t errnum)
{
	put(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | errnum));
}

static void refuse_call(struct filter *f, uint32_t call, uint32_t errnum)
{
	jump(f, BPF_JEQ, call, 0, 1);
	refuse(f, errnum);
}

/*
 * Refuses this call unless its nth argument is one of the values (must), or if it is (!must). The
 * accumulator has the number of the call before and after, so that checks can follow one another.
 */
static void check_arg(struct filter *f, uint32_t call, unsigned int nth, const uint32_t *values,
		      size_t n, bool must)
{
	/* load, n comparisons, the refusal, load */
	jump(f, BPF_JEQ, call, 0, n + 3);
	load_arg(f, nth);
	for (size_t i = 0; i < n; i++)
		jump(f, BPF_JEQ, values[i], n - i - 1 + must, i + 1 < n ? 0 : !must);
	refuse(f, EPERM);
	load_call(f);
}

/* Refuses this call if its nth argument has one of these bits. */
static void check_bits(struct filter *f, uint32_t call, unsigned int nth, uint32_t bits)
{
	jump(f, BPF_JEQ, call, 0, 4);
	load_arg(f, nth);
	jump(f, BPF_JSET, bits, 0, 1);
	refuse(f, EPERM);
	load_call(f);
}

static void check_sockets(struct filter *f, bool tcp)
{
	check_arg(f, SYS_socket, 0, families, tcp ? COUNT(families) : 1, true);
	check_arg(f, SYS_socket, 2, protocols, COUNT(protocols), true);
	check_bits(f, SYS_sendto, 3, FASTOPEN);
	check_bits(f, SYS_sendmsg, 2, FASTOPEN);
	check_bits(f, SYS_sendmmsg, 3, FASTOPEN);
#ifdef SYS_socketcall
	check_arg(f, SYS_socketcall, 0, socket_calls, COUNT(socket_calls), false);
#endif
}

static bool put_up_seccomp(const struct kt_fence *fence)
{
	struct filter f = {.len = 0};
	struct sock_fprog program = {.filter = f.code};

	if (!OUR_ARCH)
		return false;
	load(&f, offsetof(struct seccomp_data, arch));
	jump(&f, BPF_JEQ, OUR_ARCH, 1, 0);
	refuse(&f, EPERM);
	load_call(&f);
	if (OUR_ARCH == AUDIT_ARCH_X86_64) {
		jump(&f, BPF_JGE, X32_BIT, 0, 1);
		refuse(&f, EPERM);
	}
	for (size_t i = 0; i < COUNT(forbidden); i++)
		refuse_call(&f, forbidden[i], EPERM);
	check_sockets(&f, fence->tcp_port != 0);
	check_arg(&f, SYS_ioctl, 1, ioctls, COUNT(ioctls), false);
	check_arg(&f, SYS_prlimit64, 0, oneself, COUNT(oneself), true);
	check_bits(&f, SYS_clone, CLONE_FLAGS_ARG, NAMESPACES);
	/* Its flags are in memory, which a filter cannot read. The C library takes clone() then. */
	refuse_call(&f, SYS_clone3, ENOSYS);
	put(&f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	program.len = f.len;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

struct kt_fence_state kt_fence_put_up(const struct kt_fence *fence)
{
	struct kt_fence_state state = {0};

	/* Without it only root may do the rest. It limits what a started program can gain. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return state;
	state.landlock = put_up_landlock(fence);
	state.seccomp = put_up_seccomp(fence);
	return state;
}
