/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What came of attaching a program to something harmless, and of running it once. The guest's init
 * finds it out, the host shows it.
 */
#ifndef KT_MODEL_ATTACH_H
#define KT_MODEL_ATTACH_H

enum kt_attach {
	KT_ATTACH_UNASKED,  /* nobody asked */
	KT_ATTACH_DONE,     /* it was attached, and detached again */
	KT_ATTACH_REFUSED,  /* libbpf or the kernel did not attach it */
	KT_ATTACH_NO_PLACE, /* init knows nothing harmless that its type could be attached to */
	KT_N_ATTACH,
};

enum kt_test_run {
	KT_TEST_RUN_NONE, /* nobody asked, or BPF_PROG_TEST_RUN does not run its type */
	KT_TEST_RUN_DONE,
	KT_TEST_RUN_REFUSED,
	KT_N_TEST_RUN,
};

#endif
