/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guests that a command boots itself: their options, and the result of running one. */
#ifndef KT_CLI_BOOT_H
#define KT_CLI_BOOT_H

#include "cli/globals.h"
#include "cli/show.h"
#include "collect/verifier.h"
#include "kernels/kernels.h"
#include "logparse/logs.h"
#include "model/saved.h"

/* What is booted and loaded. A command checks how many kernels and schedulers it can use. */
struct cli_boot {
	struct vm_config vm;
	struct vm_load load;
	const char *modules;     /* where the kernel's are; NULL: near its image */
	struct kt_kernels found; /* what `kernels` names: cli_boot_find_kernels() */
	KT_VEC(const char *) kernels, schedulers, objects, files, sleepable, qemu_args;
	struct cli_globals_options globals;
	struct vm_workload workload;
	bool given;           /* an option that makes sense only for a guest of ours */
	bool list_topologies; /* instead of all else */
	bool live;            /* the output of a scheduler or loader is shown as it comes */
	bool raw;             /* and is not collapsed */
	bool watch;           /* how a scheduler ends is watched, and kept: run->collected.dump */
};

/* What is loaded; and the guest, with --timeout, of which cli_guest_option() takes care. */
extern const struct cli_option cli_boot_load_options[], cli_boot_guest_options[];

struct kt_error *cli_boot_option(struct cli_boot *boot, int option, char *arg, bool *taken);

/*
 * What the settings (cli/config.h) say and no option did: the accelerator, and, if asked for, the
 * kernels. To be called once a guest is sure to be booted. Errors: those of cli_config().
 */
struct kt_error *cli_boot_settings(struct cli_boot *boot, bool kernels);

/*
 * The arguments from argv[first] on are objects, unless they are those of a loader or a scheduler.
 * Then *argc is what is left.
 */
struct kt_error *cli_boot_take_objects(struct cli_boot *boot, int *argc, char **argv, int first);

/* What is wrong with the options taken together, args being what is behind "--": KT_ERROR_USAGE. */
struct kt_error *cli_boot_check(const struct cli_boot *boot, int n_args, char **args);

/*
 * Fills boot->found with what all --kernel options name, in their order. Call it once, after
 * cli_boot_check(): it may download. Errors: those of kt_kernels_find().
 */
struct kt_error *cli_boot_find_kernels(struct cli_boot *boot);

/* How kernels are looked for by commands: with the progress line, until Ctrl-C. */
struct kt_kernels_options cli_kernels_options(void);

/* What --topology list prints. Gives the exit status. */
int cli_list_topologies(void);
void cli_boot_deinit(struct cli_boot *boot);

/* What came of a loader; see cli/loader.h. */
struct cli_loader {
	struct kt_logs rejected; /* logs of programs that were; slices of its output */
	struct kt_trials tried;  /* the same programs */
	char *reason;            /* why it did not pass, "loaded nothing ..."; NULL: it did */
};

/* One run of a guest, and its result. All zeros at first; it must stay where it is. */
struct cli_run {
	const char *what; /* that was run in it: the scheduler, or the loader; NULL: objects */
	const char *kernel, *kernel_name; /* its image; what a person calls it */
	struct cli_session session;
	struct cli_result result; /* refers to the other members */

	struct kt_collected collected; /* with a scheduler */
	char *unwatched; /* why its end cannot be watched; NULL: it can, or nobody asked */

	/* Without one. The guest still runs. */
	struct vm *vm;
	struct vm_results results;
	struct render_payload payload;
	struct cli_loader loader;
	struct kt_trials trials;
};

/*
 * Boots kernel with what boot says (and that scheduler, unless NULL), and reads it. CLI_DONE, or
 * the exit status of an error, which was printed. A test that failed is no error: cli_run_status().
 */
int cli_run_guest(const struct cli_boot *boot, const struct kt_kernel *kernel,
		  const char *scheduler, const struct cli_guest *guest, struct cli_run *run);
void cli_run_deinit(struct cli_run *run);

/* CLI_DONE or CLI_TEST_FAILED. */
int cli_run_status(const struct cli_run *run);

/* What can be compared of it; kt_saved_deinit() frees *ret. KT_ERROR_NO_MEMORY. */
struct kt_error *cli_saved(const struct cli_result *result, struct kt_saved *ret);

/* Prints the last lines of a guest's console on stderr; NULL or "": nothing. */
void cli_show_console(const char *console);

#endif
