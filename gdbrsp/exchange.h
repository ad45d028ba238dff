/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pipelined exchanges: many requests out, their replies in, in order. For the files of this
 * room only.
 *
 * Acks are left out: QEMU takes the `$` of the next request for the ack that it waits for (7.2
 * to 11.1), and a `-` would make it repeat a packet and shift all replies by one.
 */
#ifndef KT_GDBRSP_EXCHANGE_H
#define KT_GDBRSP_EXCHANGE_H

#include "gdbrsp/connection.h"
#include "gdbrsp/guardian.h"
#include "gdbrsp/packet.h"
#include "gdbrsp/types.h"

/* The largest payload taken from a stub. What we ask for stays well below it. */
#define RSP_PAYLOAD_MAX (128 * 1024)
/* Bytes asked for in one piece, whatever PacketSize a stub offers. */
#define RSP_PIECE_MAX (16 * 1024)

struct rsp_client {
	struct rsp_connection *conn;
	struct rsp_guardian *guardian;
	const struct rsp_dialer *dialer; /* to hang up; NULL: none */
	struct rsp_decoder decoder;
	struct rsp_options options;
	struct rsp_stats stats;
	char *name; /* for messages */

	size_t packet_size;
	bool synced;        /* the stub's parser and ours agree: after the first PacketSize= */
	bool heard;         /* anything that looks like the protocol has come */
	bool dirty;         /* an exchange was left in the middle: sync before the next one */
	bool dead;          /* nobody to talk to any more */
	bool detached;      /* no more requests */
	bool let_go;        /* the stub's word on the detach came */
	bool detach_sent;   /* `D` is on its way, or through */
	bool running;       /* the guest was resumed, and no stop of it is known */
	int wait_cancel_fd; /* of rsp_client_wait() */
	bool stop_came;     /* running, but this came already: */
	struct rsp_stop stop;
	bool just_stopped;  /* the guest stopped by itself, and nothing was asked since */
	bool told_running;  /* the unasked stop reply of QEMU up to 8.0 came */
	bool tells_running; /* it is such a QEMU, so that its silence means something */
	bool has_physical;
	bool physical_now; /* what the stub's memory mode is */

	struct {
		struct rsp_thread *data;
		size_t len, cap;
	} threads;
	/* Of each vCPU in threads: QEMU has fetched its registers since the guest stopped. */
	bool *fetched;
	char process[16];                /* of the first thread, as `D;` wants it */
	struct rsp_thread thread;        /* that virtual reads are to go through */
	struct rsp_thread thread_now;    /* that the stub has selected */
	struct rsp_registers *registers; /* NULL until asked for */

	char payload[RSP_PAYLOAD_MAX];
};

/* What a batch remembers of a request until its reply comes. */
struct rsp_ticket {
	size_t kind, index, offset, len; /* as the batch likes */
	size_t reply_len; /* the longest reply that is expected, to bound the flight */
};

enum rsp_turn {
	RSP_TURN_SEND, /* payload and ticket are filled in */
	/* The ticket is of a request sent earlier; payload goes out as it is, no packet around it.
	 */
	RSP_TURN_AWAIT,
	RSP_TURN_WAIT, /* nothing now, but a reply may bring more */
	RSP_TURN_DONE, /* nothing more */
};

struct rsp_reply {
	const char *data; /* the decoder's, until the next packet */
	size_t len;
};

struct rsp_batch {
	/* The next request; payload is empty, and to be appended to. */
	enum rsp_turn (*next)(struct rsp_batch *batch, struct kt_buf *payload,
			      struct rsp_ticket *ticket);
	/* The reply to it. An error ends the exchange. */
	struct kt_error *(*reply)(struct rsp_batch *batch, const struct rsp_ticket *ticket,
				  const struct rsp_reply *reply);
	size_t expected_bytes; /* of all replies, for the deadline; 0: few */
	int64_t wait_ns;       /* instead of the options' timeout; 0: that, -1: for ever */
	size_t flight_max;     /* reply bytes in flight at most; 0: as many as always fit */
	/*
	 * To give up on a stop reply, and on nothing else, leaves everything as it is: the
	 * reply can be waited for again, by RSP_TURN_AWAIT.
	 */
	bool may_give_up;
	bool leaves_stop; /* do not wait for a stop reply that is all that is missing */
};

/* Any byte stops a guest that runs (7.2 to 11.1); this one is the protocol's. It goes out bare. */
#define RSP_STOP_BYTE "\x03"

/* ticket.kind for a request whose reply is a stop reply: all others are passed over. */
#define RSP_KIND_STOP ((size_t)-1)
/* For `qRcmd`: reply() gets each "O..." packet of output, and at last the real reply. */
#define RSP_KIND_CONSOLE ((size_t)-2)

/*
 * Runs the batch to its end. Any error means that the stream is out of step: the client is
 * then dirty (or dead), and only detach is left.
 */
struct kt_error *rsp_exchange(struct rsp_client *client, struct rsp_batch *batch);

/*
 * The same from an unknown state: gets the stub's parser out of a packet that somebody left
 * unfinished, and passes over everything that comes before a reply with "PacketSize=", which
 * the batch's first request must be about. lenient: our own parser may be out of step too.
 */
struct kt_error *rsp_exchange_sync(struct rsp_client *client, struct rsp_batch *batch,
				   const struct rsp_patience *patience, bool lenient);

struct rsp_patience rsp_patience(const struct rsp_client *client, const struct rsp_batch *batch);

/* A request outside of any batch: "OK" is the reply that is wanted. */
void rsp_send(struct rsp_client *client, const char *payload, size_t len);

bool rsp_reply_is(const struct rsp_reply *reply, const char *text);

/* "E" and two hex digits; *code_ret is their value. */
bool rsp_reply_is_error(const struct rsp_reply *reply, unsigned int *code_ret);

/* A KT_ERROR_PROTOCOL that quotes (the start of) the reply. */
struct kt_error *rsp_bad_reply(const struct rsp_reply *reply, const char *to)
	__attribute__((warn_unused_result));

/*
 * Requests that put the stub where the client wants it, to go ahead of a batch's own. next
 * gives false when there is nothing (more) to change; ticket.kind is then untouched.
 */
enum rsp_prefix {
	RSP_PREFIX_MODE = 100,
	RSP_PREFIX_THREAD,
	RSP_PREFIX_FETCH,
};
bool rsp_prefix_next(struct rsp_client *client, enum rsp_space space, struct kt_buf *payload,
		     struct rsp_ticket *ticket);

/*
 * The same ahead of `p` and `P`: selects the vCPU, and has QEMU fetch its registers, once in
 * each stop. Under KVM, `p` reads QEMU's own copy of them and `P` writes to it, and that copy is
 * as old as the last request that fetched: neither handle_get_reg() nor handle_set_reg() calls
 * cpu_synchronize_state() (QEMU 7.2 to 11.1). Without this the first values after a boot are
 * those of the reset, and a written register is lost.
 */
bool rsp_prefix_registers(struct rsp_client *client, const struct rsp_thread *thread,
			  struct kt_buf *payload, struct rsp_ticket *ticket);

/* The guest runs: what was fetched is old, and which vCPU is selected after a stop is unknown. */
void rsp_forget_stop(struct rsp_client *client);
/* True: the reply was to a prefix; *err_ret is the outcome. */
bool rsp_prefix_reply(const struct rsp_ticket *ticket, const struct rsp_reply *reply,
		      struct kt_error **err_ret);

/*
 * run.c. Notes that the guest stopped, by a stop reply. KT_ERROR_CLOSED: QEMU ended;
 * KT_ERROR_PROTOCOL: it is no stop reply.
 */
struct kt_error *rsp_stop_reply(struct rsp_client *client, const struct rsp_reply *reply,
				struct rsp_stop *ret);

/* registers.c. Of a register of at most 64 bits; KT_ERROR_NOT_FOUND. */
struct kt_error *rsp_register_place(struct rsp_client *client, const char *name,
				    uint32_t *number_ret, uint32_t *bits_ret);
/* The value as the stub takes it, in the guest's byte order. The register's place is known. */
void rsp_register_bytes(const struct rsp_client *client, uint64_t value, uint32_t bits,
			uint8_t ret[8]);
void rsp_registers_destroy(struct rsp_registers *registers);

#endif
