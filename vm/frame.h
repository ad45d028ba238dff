/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The frames in which the guest's init speaks to the host, over a byte stream that may
 * lose its beginning or be damaged. 16 bytes little-endian, `type, length, crc32 of the
 * payload, 0`, then the payload. Pure: no I/O; used on both sides.
 */
#ifndef KT_VM_FRAME_H
#define KT_VM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/attach.h"
#include "util/buf.h"

#define KT_FRAME_HEADER 16
#define KT_FRAME_MAX    (1u << 20) /* bytes of payload that a reader accepts */

enum kt_frame_type {
	KT_FRAME_SCHED_LOG = 0x53434c47,  /* a scheduler's output, between SCHED_OUTPUT markers */
	KT_FRAME_LIFECYCLE = 0x4c494645,  /* enum kt_phase, then a reason as text */
	KT_FRAME_EXIT = 0x45584954,       /* int32: of a payload, its wait status; of a scheduler's
					   * run 0, and the last frame */
	KT_FRAME_SCHED_EXIT = 0x53434458, /* int32: the scheduler's wait status */
	KT_FRAME_PROG = 0x50524f47,       /* one program that init loaded or failed to load */
	KT_FRAME_COMMAND = 0x434d4e44,    /* host to guest: enum kt_command */
	KT_FRAME_WORK = 0x574f524b, /* host to guest: struct kt_work, once init waits for work */
	KT_FRAME_WORK_DATA = 0x57445441, /* host to guest, after WORK: the next bytes of it */
	KT_FRAME_OUTPUT = 0x4f555450,    /* a stream byte (1 stdout, 2 stderr), then its bytes */
	KT_FRAME_LEFT = 0x4c454654,      /* int32: programs that the filter did not let through */
};

enum kt_phase {
	KT_PHASE_INIT_STARTED = 1,
	KT_PHASE_PAYLOAD_STARTED = 2,
	KT_PHASE_SCHED_DIED = 3,
	KT_PHASE_SCHED_NOT_ATTACHED = 4,
	KT_PHASE_SCHED_ATTACHED = 5,
	KT_PHASE_WORKLOAD_DISPATCHED = 6,
	/* All is loaded and held: the host may read now. A scheduler's reason is "STATE OPS". */
	KT_PHASE_READY = 16,
	KT_PHASE_WORKLOAD_STALLED = 17, /* no progress under the scheduler; how much, and why */
	KT_PHASE_STOPPING = 18,         /* the scheduler is told to end from now on */
	KT_PHASE_WAITING = 19,          /* init waits for KT_FRAME_WORK */
	KT_PHASE_HOST_TOO_SLOW = 20,    /* like STALLED, but the CPUs themselves hardly ran */
};

enum kt_command {
	KT_COMMAND_GO_ON = 1, /* the host has read the guest: stop the scheduler */
	KT_COMMAND_BYE = 2,   /* the EXIT frame has arrived, and all before it: power off */
};

/* A decoded frame; payload belongs to the decoder and is good until its next call. */
struct kt_frame {
	uint32_t type; /* enum kt_frame_type, or one that a newer guest knows */
	const uint8_t *payload;
	size_t len; /* bytes of payload */
};

/* Appends a frame to out (check kt_buf_failed() there). len is at most KT_FRAME_MAX. */
void kt_frame_encode(struct kt_buf *out, uint32_t type, const void *payload, size_t len);

/*
 * A push decoder: it is fed bytes as they come and gives frames. After damage it finds the
 * next frame by its header, so that a lost or a flipped byte costs the frame it hit and no
 * other. It holds at most one frame's bytes beyond what one push brings.
 */
struct kt_frame_decoder {
	struct kt_buf buf;
	size_t pos;       /* offset in buf of what is not yet decoded */
	size_t bad_until; /* end, in buf, of a frame that was damaged: headers inside are suspect */
	unsigned suspects;
	bool ended;          /* no more will be pushed: a frame that is cut off is a damaged one */
	uint64_t bad_frames; /* frames with a wrong CRC; the caller adds those that make no sense */
	uint64_t skipped_bytes; /* garbage between frames */
};

void kt_frame_decoder_init(struct kt_frame_decoder *decoder);
void kt_frame_decoder_deinit(struct kt_frame_decoder *decoder);

/* False: no memory, and nothing was taken. */
bool kt_frame_decoder_push(struct kt_frame_decoder *decoder, const void *data, size_t len);

/* The next whole frame; false: push more. */
bool kt_frame_decoder_next(struct kt_frame_decoder *decoder, struct kt_frame *ret);

/* The payload of KT_FRAME_PROG. */
struct kt_prog_record {
	int32_t error;        /* errno of the load, 0: loaded and held */
	uint32_t id;          /* the kernel's program id, 0 when not loaded */
	uint32_t object;      /* index of the object file, in the order given */
	const char *section;  /* ELF section; empty when the object itself is bad */
	const char *name;     /* of the program; empty when the object itself is bad */
	const char *type;     /* "xdp", as libbpf_bpf_prog_type_str() has it; empty: not known */
	uint8_t attach;       /* enum kt_attach, */
	uint8_t ran;          /* enum kt_test_run: of a program that was loaded, if asked for */
	uint32_t retval;      /* of the run; one that was refused: its errno */
	const char *place;    /* what it was attached to, or why it was not */
	const char *log;      /* not NUL-terminated. Of a load that failed libbpf's words, with the
			       * kernel's log in them; of one that passed the kernel's log, between
			       * the same markers: its statistics, unless more was asked for */
	size_t log_len;       /* bytes */
	uint32_t log_dropped; /* bytes that did not fit: a line in the middle of log says so too */
};

/* The payload of KT_FRAME_WORK: what a guest gets that waited, and what it cannot know by itself.
 */
#define KT_WORK_ENTROPY 64
#define KT_WORK_MAX     (512u << 20)

struct kt_work {
	uint64_t size;        /* bytes of the archive (cpio) that come in KT_FRAME_WORK_DATA */
	uint64_t realtime_ns; /* the host's clock, since 1970 */
	uint8_t entropy[KT_WORK_ENTROPY];
};

/* Appends the payload to out. */
void kt_work_encode(struct kt_buf *out, const struct kt_work *work);

/* False: not such a payload, or more than KT_WORK_MAX bytes. */
bool kt_work_decode(const void *payload, size_t len, struct kt_work *ret);

/* Appends the payload to out. */
void kt_prog_record_encode(struct kt_buf *out, const struct kt_prog_record *record);

/* False: not such a payload. The strings point into the payload. */
bool kt_prog_record_decode(const void *payload, size_t len, struct kt_prog_record *ret);

#endif
