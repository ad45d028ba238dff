/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What came of the user's own loader, `--run`. It passed if it loaded something and was not cut
 * off, did not fail, and none of its programs was rejected.
 */
#ifndef KT_CLI_LOADER_H
#define KT_CLI_LOADER_H

#include "cli/boot.h"

/*
 * Prints on stderr what the loader printed: as it is (raw), or its last lines, with verifier
 * logs collapsed. What the user saw already, as it came, is not printed again: then `live` is set.
 */
void cli_loader_show_output(const struct vm_results *results, bool live, bool raw);

/*
 * After the guest was read: sets run->payload and run->loader. Of load the limits count. Programs
 * whose last load failed, by the logs that the loader printed, and that are not in the guest, are
 * those that were rejected. KT_ERROR_NO_MEMORY.
 */
struct kt_error *cli_loader_judge(struct cli_run *run, const struct vm_load *load);

/*
 * Prints for each rejected program what led to it (on stderr for CSV; JSON has the output), and
 * on stderr why the loader did not pass. Gives the exit status of printing.
 */
int cli_loader_show(const struct cli_run *run, const struct cli_output *output);

/* Prints only why the loader did not pass, if it did not. */
void cli_loader_tell(const struct cli_run *run);

/* How long a guest may take at most by its own limits, in milliseconds; 0: as long as any. */
int64_t cli_loader_limit_ms(const struct vm_load *load);

void cli_loader_deinit(struct cli_loader *loader);

#endif
