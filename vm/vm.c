// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/io.h"
#include "vm/accel.h"
#include "vm/channel.h"
#include "vm/console.h"
#include "vm/event.h"
#include "vm/kernel.h"
#include "vm/life.h"
#include "vm/objects.h"
#include "vm/process.h"
#include "vm/qemu.h"
#include "vm/vm.h"
#include "vm/warm.h"

#define TICK_MS 200

#define INITRD "initrd.cpio" /* as in vm/qemu.c */
#define WORK   "work.cpio"

/* The guest uses one of them: virtio if its kernel has that, else the serial port. */
enum { CHANNEL_SERIAL, CHANNEL_VIRTIO, N_CHANNELS };
static const char *const socket_names[N_CHANNELS] = {"frames.sock", "bulk.sock"};

struct vm {
	struct vm_config config;
	struct vm_guard guard;
	struct kt_process qemu;
	pid_t pid;
	const char *accel;
	struct vm_channel channels[N_CHANNELS];
	size_t heard;       /* the one on which init has spoken */
	struct kt_buf text; /* of the last event */
	char *console_path, *gdb_target;
	char *unpacked; /* the kernel's image, where that was packed */
	struct vm_life life;
	struct vm_warm warm;
	bool is_warm; /* its initramfs is without its work, which is in a file of its own */
	bool waited;  /* init has said that it waits */
	bool init_started, ended;
	int wait_status; /* QEMU's, once ended */
};

static void report_progress(const struct vm *vm, const char *stage)
{
	if (vm->config.progress)
		vm->config.progress(vm->config.progress_arg, stage);
}

static struct kt_error *watch_process(void *arg, int pidfd)
{
	struct vm *vm = arg;

	return vm_guard_watch(&vm->guard, pidfd);
}

static struct kt_error *no_qemu(const struct vm_machine *machine, struct kt_error *err)
{
	return kt_error_errno(err) == ENOENT
		       ? kt_error_hint(err, "apt install %s, or --qemu BIN", machine->package)
		       : err;
}

static struct kt_error *listen_to_guest(struct vm *vm)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < N_CHANNELS && !err; i++)
		err = vm_channel_listen(&vm->channels[i], vm->guard.dir, socket_names[i]);
	return err;
}

/* Again for each start of QEMU: another accelerator has other limits. */
static struct kt_error *check_topology(const struct vm *vm)
{
	struct vm_topology_limits limits;

	if (!vm->config.topology)
		return NULL;
	vm_topology_limits(vm->accel, &limits);
	return vm_topology_check(vm->config.topology, vm->config.memory_mib, &limits);
}

/* The initramfs gets the work, too: the guest does not wait for it. */
static struct kt_error *join_work(struct vm *vm)
{
	_cleanup_free_ char *initrd = vm_guard_path(&vm->guard, INITRD);
	_cleanup_free_ char *work = vm_guard_path(&vm->guard, WORK);
	struct kt_error *err = initrd && work ? kt_append_file(initrd, work) : kt_error_no_memory();

	vm->is_warm = false;
	return err;
}

static struct kt_error *choose_start(struct vm *vm)
{
	_cleanup_free_ char *initrd = vm_guard_path(&vm->guard, INITRD);
	struct kt_error *err = initrd ? vm_warm_choose(&vm->warm, &vm->guard, &vm->config,
						       vm->accel, initrd)
				      : kt_error_no_memory();

	if (!err && vm->warm.how == VM_START_BOOT)
		err = join_work(vm);
	return err;
}

static struct kt_error *launch_qemu(struct vm *vm)
{
	_cleanup_free_ char *log_path = vm_guard_path(&vm->guard, "qemu.log");
	_cleanup_(vm_argv_deinit) struct vm_argv argv = {0};
	_cleanup_close_ int log_fd = -1;
	struct kt_error *err;

	err = check_topology(vm);
	if (!err)
		err = listen_to_guest(vm);
	if (!err && vm->is_warm)
		err = choose_start(vm);
	if (!err)
		err = vm_qemu_write_config(&vm->guard, &vm->config, vm->warm.how);
	if (!err)
		err = vm_qemu_argv(&vm->guard, &vm->config, vm->accel, vm->warm.how, &argv);
	if (err)
		return err;
	if (!log_path)
		return kt_error_no_memory();
	unlink(vm->console_path);
	log_fd = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0)
		return kt_error_os(errno, "cannot write %s", log_path);
	err = kt_process_start(argv.v.data, log_fd, vm->config.keep, watch_process, vm, &vm->qemu);
	if (err)
		return no_qemu(vm->config.machine, err);
	vm->pid = vm->qemu.pid;
	vm_life_begin(&vm->life, kt_now_ns());
	return NULL;
}

static void stop_qemu(struct vm *vm)
{
	kt_process_kill(&vm->qemu);
	vm_monitor_close(&vm->warm.monitor);
	for (size_t i = 0; i < N_CHANNELS; i++)
		vm_channel_close(&vm->channels[i]);
	vm->ended = vm->waited = false;
}

static struct kt_error *restore(struct vm *vm)
{
	_cleanup_free_ char *work = vm_guard_path(&vm->guard, WORK);

	return work ? vm_warm_restore(&vm->warm, &vm->channels[CHANNEL_VIRTIO], work)
		    : kt_error_no_memory();
}

/* A snapshot that does not live is removed, and the guest is booted, and kept once more. */
static struct kt_error *start_qemu(struct vm *vm)
{
	struct kt_error *err = launch_qemu(vm);

	if (err || vm->warm.how != VM_START_RESTORE)
		return err;
	report_progress(vm, "restoring the guest");
	err = restore(vm);
	if (!err || kt_error_code(err) == KT_ERROR_CANCELLED)
		return err;
	report_progress(vm, kt_error_message(err));
	kt_error_destroy(err);
	vm_warm_discard(&vm->warm);
	stop_qemu(vm);
	return launch_qemu(vm);
}

/* After a guest that was restored, or waited, came to nothing. */
static struct kt_error *start_over(struct vm *vm)
{
	struct kt_error *err = NULL;

	report_progress(vm, "booting the guest again");
	if (vm->warm.how == VM_START_RESTORE)
		vm_warm_discard(&vm->warm);
	else
		err = join_work(vm);
	stop_qemu(vm);
	vm->warm.how = VM_START_BOOT;
	return err ? err : start_qemu(vm);
}

/* Its kernel has no virtio's console, and the serial port is too slow for more than words. */
static struct kt_error *start_without_virtio(struct vm *vm)
{
	struct kt_error *err;

	report_progress(vm, "booting the guest again: its kernel lacks virtio's console");
	vm_warm_never(&vm->warm);
	err = join_work(vm);
	stop_qemu(vm);
	return err ? err : start_qemu(vm);
}

/* The guest waits for its work. */
static struct kt_error *give_work(struct vm *vm)
{
	_cleanup_free_ char *work = vm_guard_path(&vm->guard, WORK);

	if (!work)
		return kt_error_no_memory();
	if (vm->heard == CHANNEL_SERIAL)
		return start_without_virtio(vm);
	vm->waited = true;
	if (!vm_warm_keep(&vm->warm, &vm->config))
		return start_over(vm);
	return vm_warm_send(&vm->warm, &vm->channels[CHANNEL_VIRTIO], work);
}

static bool may_start_over(const struct vm *vm)
{
	return !vm->init_started && vm->is_warm && (vm->warm.how == VM_START_RESTORE || vm->waited);
}

static struct kt_error *write_initramfs(struct vm *vm, const struct vm_load *load)
{
	_cleanup_free_ char *path = vm_guard_path(&vm->guard, INITRD);
	_cleanup_free_ char *work = vm_guard_path(&vm->guard, WORK);
	struct vm_initramfs initramfs = {
		.machine = vm->config.machine,
		.load = load,
		.cancel_fd = vm->config.cancel_fd,
	};
	_cleanup_free_ void *file = NULL;
	struct kt_error *err;

	if (!path || !work)
		return kt_error_no_memory();
	err = vm_machine_init(vm->config.machine, &initramfs.init, &initramfs.init_size, &file);
	if (err || !vm->is_warm)
		return err ? err : vm_initramfs_write(&initramfs, path);
	err = vm_initramfs_write_base(&initramfs, path);
	return err ? err : vm_initramfs_write_work(&initramfs, work);
}

/* QEMU can unpack some images for aarch64, and none for riscv64: it gets an unpacked one. */
static struct kt_error *unpack_kernel(struct vm *vm)
{
	struct kt_error *err;

	vm->unpacked = vm_guard_path(&vm->guard, "kernel");
	if (!vm->unpacked)
		return kt_error_no_memory();
	err = vm_kernel_unpack(vm->config.kernel, vm->unpacked);
	if (!err)
		vm->config.kernel = vm->unpacked;
	return err;
}

static struct kt_error *prepare(struct vm *vm, const struct vm_load *load, bool packed)
{
	struct kt_error *err;

	err = vm_guard_init(&vm->guard);
	if (err)
		return err;
	vm->console_path = vm_guard_path(&vm->guard, "console.log");
	vm->gdb_target = vm_qemu_gdb_target(&vm->guard, &vm->config);
	if (!vm->console_path || !vm->gdb_target)
		return kt_error_no_memory();
	err = packed ? unpack_kernel(vm) : NULL;
	vm->is_warm = !load->scheduler && vm_warm_open(&vm->warm, &vm->config);
	return err ? err : write_initramfs(vm, load);
}

static struct kt_error *check_topology_machine(const struct vm_config *config,
					       const struct vm_machine *machine)
{
	struct kt_error *err;

	if (!config->topology || machine == vm_machine_x86_64)
		return NULL;
	err = kt_error_new(KT_ERROR_UNSUPPORTED,
			   "topology %s is for x86_64 guests, and this kernel is for %s",
			   config->topology->name, machine->arch);
	return kt_error_hint(err, "--smp N says how many CPUs it gets");
}

static const char *default_accel(const struct vm_machine *machine)
{
	return vm_machine_is_host(machine) ? vm_default_accel() : "tcg";
}

struct kt_error *vm_start(const struct vm_config *config, const struct vm_load *load,
			  struct vm **ret)
{
	struct vm_kernel kernel;
	struct kt_error *err;
	struct vm *vm;

	err = vm_kernel_recognise(config->kernel, &kernel);
	if (!err)
		err = check_topology_machine(config, kernel.machine);
	if (!err)
		err = vm_objects_check(load, kernel.machine);
	if (err)
		return err;
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return kt_error_no_memory();
	vm->config = *config;
	vm->config.machine = kernel.machine;
	vm->guard = (struct vm_guard)VM_GUARD_INIT;
	vm->qemu.pidfd = -1;
	vm->warm = (struct vm_warm)VM_WARM_INIT;
	for (size_t i = 0; i < N_CHANNELS; i++)
		vm->channels[i] = (struct vm_channel)VM_CHANNEL_INIT;
	vm->accel = config->accel ? config->accel : default_accel(kernel.machine);
	err = prepare(vm, load, kernel.packed);
	if (!err)
		err = start_qemu(vm);
	if (err)
		vm_destroy(vm);
	else
		*ret = vm;
	return err;
}

void vm_destroy(struct vm *vm)
{
	if (!vm)
		return;
	stop_qemu(vm);
	vm_warm_deinit(&vm->warm);
	vm_guard_deinit(&vm->guard);
	kt_buf_deinit(&vm->text);
	free(vm->console_path);
	free(vm->unpacked);
	free(vm->gdb_target);
	free(vm);
}

/* From KVM, the default, to TCG. */
static struct kt_error *fall_back(struct vm *vm, const char *why)
{
	_cleanup_(kt_buf_deinit) struct kt_buf stage = KT_BUF_INIT;

	kt_buf_printf(&stage, "%s: booting again with TCG", why);
	if (!stage.failed)
		report_progress(vm, stage.data);
	stop_qemu(vm);
	vm->accel = "tcg";
	return start_qemu(vm);
}

/* QEMU has not connected yet, or has closed all channels. */
static bool hung_up(const struct vm *vm)
{
	for (size_t i = 0; i < N_CHANNELS; i++)
		if (vm->channels[i].fd >= 0)
			return false;
	return true;
}

static bool can_fall_back(const struct vm *vm)
{
	return !vm->config.accel && !vm->init_started && strcmp(vm->accel, "tcg");
}

/* The CPU time of QEMU and its vCPUs; 0: QEMU is gone. */
static int64_t cpu_ns(const struct vm *vm)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(vm->pid, &clock) || clock_gettime(clock, &ts))
		return 0;
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* Not under TCG, which hangs no guest: there the caller's deadline is enough. */
static struct kt_error *check_alive(struct vm *vm)
{
	struct vm_life_sign sign = {
		.now_ns = kt_now_ns(),
		.cpu_ns = cpu_ns(vm),
		.console = vm_console_size(vm->console_path),
		.connected = !hung_up(vm),
	};

	if (may_start_over(vm) && !kt_deadline_left_ms(vm->warm.due_ns))
		return start_over(vm);
	if (vm->init_started || vm->ended || !strncmp(vm->accel, "tcg", 3) ||
	    !vm_life_is_over(&vm->life, &sign))
		return NULL;
	if (can_fall_back(vm)) {
		if (!sign.console)
			vm_remember_kvm_hangs();
		return fall_back(vm, "no sign of life from the guest under KVM");
	}
	return kt_error_hint(kt_error_new(KT_ERROR_NOT_READY,
					  "the guest shows no sign of life with accel %s: %s for "
					  "%.0f seconds",
					  vm->accel,
					  sign.console ? "its console is silent"
						       : "nothing on its console",
					  (double)(sign.now_ns - vm->life.since_ns) / 1e9),
			     "--accel tcg always works, only slower");
}

/*
 * With -no-reboot QEMU exits with status 0 when the guest resets. After a SIGTERM it does so, too:
 *
 *	qemu-system-x86_64: terminating on signal 15 from pid 1234 (bash)
 */
static bool guest_reset(const struct vm *vm, const char *qemu_words)
{
	return vm->wait_status == 0 && vm_console_size(vm->console_path) &&
	       !strstr(qemu_words, ": terminating on signal");
}

static struct kt_error *end_event(struct vm *vm, struct vm_event *ret)
{
	_cleanup_free_ char *words = vm_qemu_words(&vm->guard);
	_cleanup_free_ char *death = NULL;

	if (!words)
		return kt_error_no_memory();
	ret->status = vm->wait_status;
	ret->type = VM_EVENT_QEMU_EXITED;
	ret->text = vm_event_text(&vm->text, words, strlen(words));
	if (!guest_reset(vm, words))
		return NULL;
	death = vm_console_death(vm->console_path);
	ret->type = VM_EVENT_GUEST_DIED;
	ret->len = death ? strlen(death) : 0;
	ret->text = death ? vm_event_text(&vm->text, death, strlen(death))
			  : "it reset without a word on its console";
	return NULL;
}

static struct kt_error *wait_for_bytes(struct vm *vm, int64_t deadline_ns)
{
	struct pollfd fds[2 + N_CHANNELS] = {
		{vm->qemu.pidfd, POLLIN, 0},
		{vm->config.cancel_fd, POLLIN, 0},
	};
	int left = kt_deadline_left_ms(deadline_ns);
	struct kt_error *err = NULL;

	if (!left)
		return kt_error_new(KT_ERROR_TIMEOUT, "%s (accel %s)",
				    vm->init_started ? "the guest took too long"
						     : "the guest did not come up in time",
				    vm->accel);
	for (size_t i = 0; i < N_CHANNELS; i++)
		fds[2 + i] = (struct pollfd){vm_channel_poll_fd(&vm->channels[i]), POLLIN, 0};
	if (poll(fds, 2 + N_CHANNELS, left < TICK_MS ? left : TICK_MS) < 0 && errno != EINTR)
		return kt_error_os(errno, "poll");
	if (fds[1].revents)
		return kt_error_new(KT_ERROR_CANCELLED, "cancelled");
	for (size_t i = 0; i < N_CHANNELS && !err; i++)
		if (fds[2 + i].revents)
			err = vm_channel_receive(&vm->channels[i]);
	/* Its last frames are still in the socket: they are given before the end. */
	if (fds[0].revents && kt_process_ended(&vm->qemu, &vm->wait_status))
		vm->ended = true;
	return err ? err : check_alive(vm);
}

/* QEMU has ended, and its last frame has been given. */
static struct kt_error *at_end(struct vm *vm, struct vm_event *ret, bool *again)
{
	if (may_start_over(vm)) {
		*again = true;
		return start_over(vm);
	}
	*again = vm->wait_status != 0 && can_fall_back(vm);
	if (!*again)
		return end_event(vm, ret);
	return fall_back(vm, "KVM does not run this guest");
}

/* The next event, without waiting. False: there is none. */
static bool take_event(struct vm *vm, struct vm_event *ret)
{
	struct kt_frame frame;

	for (size_t i = 0; i < N_CHANNELS; i++) {
		while (kt_frame_decoder_next(&vm->channels[i].decoder, &frame)) {
			if (!vm_event_from_frame(&frame, &vm->text, ret)) {
				/* The CRC does not cover the type, which must be damaged. */
				vm->channels[i].decoder.bad_frames++;
				continue;
			}
			vm->init_started |= ret->type == VM_EVENT_INIT_STARTED;
			vm->heard = i;
			return true;
		}
	}
	return false;
}

/* A guest that was restored begins its work before all else. */
static bool is_out_of_place(const struct vm *vm, const struct vm_event *event)
{
	return may_start_over(vm) && event->type != VM_EVENT_INIT_STARTED;
}

struct kt_error *vm_next_event(struct vm *vm, int64_t deadline_ns, struct vm_event *ret)
{
	struct vm_event event = {0};
	struct kt_error *err = NULL;
	bool found = false;

	while (!err && !found) {
		found = take_event(vm, &event);
		if (found && is_out_of_place(vm, &event)) {
			found = false;
			err = start_over(vm);
			continue;
		}
		if (found && event.type == VM_EVENT_WAITING) {
			found = false;
			err = vm->is_warm ? give_work(vm) : NULL;
			continue;
		}
		if (found)
			break;
		if (vm->ended && hung_up(vm)) {
			bool again;

			err = at_end(vm, &event, &again);
			found = !again;
		} else {
			err = wait_for_bytes(vm, deadline_ns);
		}
	}
	if (!err)
		*ret = event;
	return err;
}

struct kt_error *vm_send_command(struct vm *vm, enum kt_command command)
{
	uint8_t byte = (uint8_t)command;

	return vm_channel_send(&vm->channels[vm->heard], KT_FRAME_COMMAND, &byte, 1);
}

void vm_damage(const struct vm *vm, uint64_t *bad_frames_ret, uint64_t *skipped_bytes_ret)
{
	const struct kt_frame_decoder *decoder = &vm->channels[vm->heard].decoder;

	*bad_frames_ret = decoder->bad_frames;
	*skipped_bytes_ret = decoder->skipped_bytes;
}

const char *vm_gdb_target(const struct vm *vm)
{
	return vm->gdb_target;
}

const struct vm_config *vm_config(const struct vm *vm)
{
	return &vm->config;
}

const char *vm_accel(const struct vm *vm)
{
	return vm->accel;
}

bool vm_was_restored(const struct vm *vm)
{
	return vm->warm.how == VM_START_RESTORE;
}

const char *vm_dir(const struct vm *vm)
{
	return vm->guard.dir;
}

pid_t vm_pid(const struct vm *vm)
{
	return vm->pid;
}

char *vm_console_tail(const struct vm *vm, unsigned lines)
{
	return vm_console_read_tail(vm->console_path, lines);
}

char *vm_console_line(const struct vm *vm, const char *prefix)
{
	return vm_console_last_line(vm->console_path, prefix);
}

struct kt_error *vm_keep(struct vm *vm)
{
	struct kt_error *err;

	if (!vm->config.keep)
		return kt_error_new(KT_ERROR_USAGE, "this guest was not started to be kept");
	err = vm_guard_release(&vm->guard);
	if (err)
		return err;
	close(vm->qemu.pidfd);
	vm->qemu = (struct kt_process){0, -1};
	return NULL;
}
