// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * PID 1 of a guest of odd shape (odd.sh). It does what odd.do=WORD,WORD... on its kernel command
 * line says, and then what comes as lines over the third serial port. "odd: WORD done" on the
 * console follows each; "odd: failed: ..." says why one cannot be done.
 *
 *   truth         runs the init of tests/truth, /truth
 *   online:MIB    waits until there is so much memory
 *   hold:FILE     has a copy of the file in memory, and maps the file itself
 *   huge          has a page of 1 GiB (hugepages=), and keeps writing to it
 *   modules       loads what is in /modules, in the order of its names; kvm-amd with kvm_amd.npt=
 *                 of the command line as its parameter
 *   kexec         boots /next with /next.initrd and /next.cmdline
 *   crash         has that as the crash kernel (crashkernel=)
 *   panic:CPU     panics there
 *   nested:FILE   a KVM guest on each CPU that never leaves user mode of KVM's. It is no whole
 * system: the image of a kernel (an ELF file), mapped as that kernel maps itself
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/kexec.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define HUGE_SHIFT 30
#define MIB        ((size_t)1 << 20)

static char cmdline[4096];

/* PID 1 must not exit. */
static void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("odd: failed: ");
	vprintf(fmt, ap);
	printf(": %s\n", strerror(errno));
	fflush(stdout);
	va_end(ap);
	for (;;)
		pause();
}

/* A child that lives on. */
static int leave(void)
{
	int pid = fork();

	if (pid < 0)
		die("fork");
	return pid;
}

/* The child has done what the parent waits for: it closed its end. */
static void wait_for(int pipe_fds[2])
{
	char byte;

	close(pipe_fds[1]);
	if (read(pipe_fds[0], &byte, 1) != 1)
		die("a child");
	close(pipe_fds[0]);
}

static void done(int pipe_fds[2])
{
	if (write(pipe_fds[1], "", 1) != 1)
		die("done");
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("CPU %d", cpu);
}

static void *memory(size_t size, int flags)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1,
			0);

	if (at == MAP_FAILED)
		die("%zu bytes of memory", size);
	return at;
}

static void *map_file(const char *path, size_t *size_ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *at;

	if (fd < 0 || fstat(fd, &st))
		die("%s", path);
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (at == MAP_FAILED)
		die("%s", path);
	close(fd);
	*size_ret = (size_t)st.st_size;
	return at;
}

static void do_truth(const char *arg)
{
	(void)arg;
	if (leave())
		return;
	execl("/truth", "/truth", NULL);
	die("/truth");
}

static void do_online(const char *arg)
{
	unsigned long wanted = strtoul(arg, NULL, 10) * 1024, there = 0;

	for (;; usleep(20000)) {
		FILE *f = fopen("/proc/meminfo", "re");

		if (!f || fscanf(f, "MemTotal: %lu kB", &there) != 1)
			die("/proc/meminfo");
		fclose(f);
		if (there >= wanted)
			return;
	}
}

static void do_hold(const char *arg)
{
	size_t size;
	void *file = map_file(arg, &size), *copy = memory(size, 0);

	memcpy(copy, file, size);
}

static void do_huge(const char *arg)
{
	int fds[2];
	char *at;

	(void)arg;
	if (pipe(fds))
		die("pipe");
	if (leave()) {
		wait_for(fds);
		return;
	}
	at = memory((size_t)1 << HUGE_SHIFT, MAP_HUGETLB | HUGE_SHIFT << MAP_HUGE_SHIFT);
	*at = 1;
	done(fds);
	for (size_t i = 0;; i++, usleep(1000))
		at[i * 4096 % ((size_t)1 << HUGE_SHIFT)]++;
}

static const char *word_of(const char *name)
{
	static char value[64];
	const char *at = strstr(cmdline, name);

	value[0] = '\0';
	if (at)
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + strlen(name), " \n"),
			 at + strlen(name));
	return at ? value : NULL;
}

static void do_modules(const char *arg)
{
	glob_t files;

	(void)arg;
	if (glob("/modules/*", 0, NULL, &files))
		die("/modules");
	for (size_t i = 0; i < files.gl_pathc; i++) {
		int fd = open(files.gl_pathv[i], O_RDONLY | O_CLOEXEC);
		const char *npt = word_of("kvm_amd.npt=");
		char options[80] = "";

		if (npt && strstr(files.gl_pathv[i], "kvm-amd"))
			snprintf(options, sizeof(options), "npt=%s", npt);
		if (fd < 0 || syscall(SYS_finit_module, fd, options, 0))
			die("%s", files.gl_pathv[i]);
		close(fd);
	}
	globfree(&files);
}

static void load_next(unsigned long flags)
{
	int kernel = open("/next", O_RDONLY | O_CLOEXEC),
	    initrd = open("/next.initrd", O_RDONLY | O_CLOEXEC);
	FILE *f = fopen("/next.cmdline", "re");
	char line[2048];

	if (kernel < 0 || initrd < 0 || !f || !fgets(line, sizeof(line), f))
		die("/next");
	line[strcspn(line, "\n")] = '\0';
	if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1, line, flags))
		die("kexec_file_load");
	close(kernel);
	close(initrd);
	fclose(f);
}

static void do_kexec(const char *arg)
{
	(void)arg;
	load_next(0);
	reboot(RB_KEXEC);
	die("kexec");
}

static void do_crash(const char *arg)
{
	(void)arg;
	load_next(KEXEC_FILE_ON_CRASH);
}

static void do_panic(const char *arg)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	run_on((int)strtol(arg, NULL, 10));
	if (fd < 0 || write(fd, "c", 1) < 0)
		die("sysrq");
}

/* --- a nested guest --- */

/* The image is at the address that its link address says, less this; tables and code are below it.
 */
#define LINK_BASE  UINT64_C(0xffffffff80000000)
#define NESTED_LEN (128 * MIB)
#define TABLES     0x10000
#define PAGE_2M    ((uint64_t)2 * MIB)

enum { PRESENT = 1, WRITE = 2, LARGE = 0x80 };
#define NX (UINT64_C(1) << 63)

/*
 * Copies the image to where it lies; each 2 MiB may what the kernel allows itself: text, read-only
 * data, data. Flags of sections do not tell: .rodata is writable in the file.
 */
static uint64_t place_image(const char *path, char *ram, uint64_t *pages, uint64_t *text_ret)
{
	size_t size;
	const char *file = map_file(path, &size);
	const Elf64_Ehdr *ehdr = (const void *)file;
	const Elf64_Phdr *phdrs = (const void *)(file + ehdr->e_phoff);
	const Elf64_Shdr *shdrs = (const void *)(file + ehdr->e_shoff);
	const char *names = file + shdrs[ehdr->e_shstrndx].sh_offset;
	uint64_t text = 0, constants = 0, data = 0, end = 0;

	for (int i = 0; i < ehdr->e_phnum; i++) {
		uint64_t to = phdrs[i].p_vaddr - LINK_BASE;

		if (phdrs[i].p_type == PT_LOAD && to < NESTED_LEN - phdrs[i].p_memsz)
			memcpy(ram + to, file + phdrs[i].p_offset, phdrs[i].p_filesz);
	}
	for (int i = 0; i < ehdr->e_shnum; i++) {
		const char *name = names + shdrs[i].sh_name;
		uint64_t at = shdrs[i].sh_addr - LINK_BASE;

		text = strcmp(name, ".text") ? text : at;
		constants = strcmp(name, ".rodata") ? constants : at;
		data = strcmp(name, ".data") ? data : at;
		end = strcmp(name, ".bss") ? end : at + shdrs[i].sh_size;
	}
	for (uint64_t at = text; at < end; at += PAGE_2M)
		pages[at / PAGE_2M] = at | PRESENT | LARGE | (at < constants ? 0 : NX) |
				      (at < data ? 0 : WRITE);
	*text_ret = LINK_BASE + text;
	munmap((void *)(uintptr_t)file, size);
	return end - text;
}

/*
 * Under shadow paging, only pages that were touched are mapped. So it reads a byte of each, and
 * then is busy: 1: mov (%rsi),%al; add $4096,%rsi; dec %rcx; jnz 1b; 2: jmp 2b
 */
static const char code[] = "\x8a\x06\x48\x81\xc6\x00\x10\x00\x00\x48\xff\xc9\x75\xf2\xeb\xfe";

static void run_nested(const char *path)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, vcpu;
	char *ram = memory(NESTED_LEN, 0);
	uint64_t *tables = (uint64_t *)(void *)(ram + TABLES), start;
	struct kvm_userspace_memory_region region = {.memory_size = NESTED_LEN,
						     .userspace_addr = (uintptr_t)ram};
	struct kvm_regs regs = {.rflags = 2};
	struct kvm_sregs sregs;
	struct kvm_run *run;

	if (kvm < 0)
		die("/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0UL);
	if (vm < 0 || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region))
		die("a VM");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0UL);
	run = mmap(NULL, (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0UL), PROT_READ | PROT_WRITE,
		   MAP_SHARED, vcpu, 0);
	if (vcpu < 0 || run == MAP_FAILED || ioctl(vcpu, KVM_GET_SREGS, &sregs))
		die("a vCPU");
	/* Four levels, each one page, of which the last entries lead to the image. */
	regs.rcx = place_image(path, ram, tables + 2 * 512, &start) / 4096;
	tables[511] = (TABLES + 4096) | PRESENT | WRITE;
	tables[512 + 510] = (TABLES + 2 * 4096) | PRESENT | WRITE;
	memcpy(ram + (start - LINK_BASE), code, sizeof(code) - 1);
	sregs.cr3 = TABLES;
	sregs.cr4 |= 1 << 5; /* PAE */
	sregs.cr0 = 0x80050033;
	sregs.efer = 1 << 0 | 1 << 8 | 1 << 10 | 1 << 11; /* SCE, LME, LMA, NXE */
	sregs.cs = (struct kvm_segment){
		.limit = ~0U, .selector = 0x10, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
	sregs.ss = (struct kvm_segment){
		.limit = ~0U, .selector = 0x18, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss;
	regs.rip = regs.rsi = start;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) || ioctl(vcpu, KVM_SET_REGS, &regs))
		die("registers");
	for (;;) {
		if (ioctl(vcpu, KVM_RUN, 0UL) && errno != EINTR)
			die("KVM_RUN");
		if (run->exit_reason != KVM_EXIT_INTR)
			die("the nested guest left for reason %u", run->exit_reason);
	}
}

static void do_nested(const char *arg)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);

	for (int cpu = 0; cpu < cpus; cpu++) {
		if (leave())
			continue;
		run_on(cpu);
		run_nested(arg);
	}
}

/* --- */

static const struct {
	const char *word;
	void (*run)(const char *arg);
} commands[] = {
	{"truth", do_truth}, {"online", do_online},   {"hold", do_hold},
	{"huge", do_huge},   {"modules", do_modules}, {"kexec", do_kexec},
	{"crash", do_crash}, {"panic", do_panic},     {"nested", do_nested},
};

static void run(char *word)
{
	char *arg = strchr(word, ':');

	if (arg)
		*arg++ = '\0';
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].word, word))
			continue;
		commands[i].run(arg ? arg : "");
		printf("odd: %s done\n", word);
		fflush(stdout);
		return;
	}
	if (*word)
		die("unknown word \"%s\"", word);
}

int main(void)
{
	static char words[1024], line[256];
	const char *wanted;
	FILE *f, *orders;
	struct termios tio;
	int fd;

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	fd = open("/dev/console", O_RDWR);
	for (int i = 0; fd >= 0 && i < 3; i++)
		dup2(fd, i);
	f = fopen("/proc/cmdline", "re");
	if (!f || !fgets(cmdline, sizeof(cmdline), f))
		die("/proc/cmdline");
	fclose(f);
	wanted = strstr(cmdline, "odd.do=");
	if (wanted)
		snprintf(words, sizeof(words), "%.*s", (int)strcspn(wanted + 7, " \n"), wanted + 7);
	for (char *save, *w = strtok_r(words, ",", &save); w; w = strtok_r(NULL, ",", &save))
		run(w);
	printf("odd: ready\n");
	fflush(stdout);
	fd = open("/dev/ttyS2", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && !tcgetattr(fd, &tio)) {
		cfmakeraw(&tio);
		tcsetattr(fd, TCSANOW, &tio);
		orders = fdopen(fd, "r");
		while (orders && fgets(line, sizeof(line), orders)) {
			line[strcspn(line, "\r\n")] = '\0';
			run(line);
		}
	}
	for (;;)
		pause();
}
