// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Registers by name: the stub's target description gives names, sizes and numbers, and `p N`
 * reads one. QEMU 7.2 answers nothing to `p` before a description was read.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gdbrsp/client.h"
#include "gdbrsp/exchange.h"
#include "gdbrsp/target_xml.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/vec.h"

#define DOCUMENTS_MAX 16
#define DOCUMENT_MAX  (1024 * 1024)
#define REGISTERS_MAX 8192
/* Pieces of a document asked for before the end of it is known. i386-64bit.xml has 5. */
#define PIECES_AHEAD 5

/* x86: CR0.PE and CR0.PG, EFER.LMA. All three are set while a 64-bit kernel runs. */
#define CR0_PE    UINT64_C(1)
#define CR0_PG    (UINT64_C(1) << 31)
#define CR0_PE_PG (CR0_PG | CR0_PE)
#define EFER_LMA  (UINT64_C(1) << 10)

struct reg {
	char name[RSP_REGISTER_NAME_MAX];
	uint32_t number, bits;
};

struct rsp_registers {
	struct {
		struct reg *data;
		size_t len, cap;
	} regs;
	bool big_endian;
	bool seen_long_mode;
};

void rsp_registers_destroy(struct rsp_registers *registers)
{
	if (!registers)
		return;
	kt_vec_free(&registers->regs);
	free(registers);
}

static const struct reg *find_register_n(const struct rsp_registers *registers, const char *name,
					 size_t len)
{
	for (size_t i = 0; i < registers->regs.len; i++) {
		const struct reg *reg = &registers->regs.data[i];

		if (strlen(reg->name) == len && !memcmp(reg->name, name, len))
			return reg;
	}
	return NULL;
}

/* By the first of its names ("SCTLR_EL1|SCTLR") that there is. */
static const struct reg *find_register(const struct rsp_registers *registers, const char *names)
{
	for (;;) {
		size_t len = strcspn(names, "|");
		const struct reg *reg = find_register_n(registers, names, len);

		if (reg || !names[len])
			return reg;
		names += len + 1;
	}
}

/* --- the documents --- */

struct document {
	char name[2 * RSP_REGISTER_NAME_MAX];
	struct kt_buf text;
	size_t asked; /* offset of the next piece to ask for */
	size_t goal;  /* ask up to here, then see; doubles */
	bool done, missing;
	bool used; /* its registers are taken: once, or it could include itself without end */
};

struct documents {
	struct rsp_batch batch;
	size_t piece;
	struct document docs[DOCUMENTS_MAX];
	size_t count;
};

static void documents_deinit(struct documents *d)
{
	for (size_t i = 0; i < d->count; i++)
		kt_buf_deinit(&d->docs[i].text);
}

static struct document *find_document(struct documents *d, const char *name)
{
	for (size_t i = 0; i < d->count; i++) {
		if (!strcmp(d->docs[i].name, name))
			return &d->docs[i];
	}
	return NULL;
}

/* A name that cannot be asked for, or one too many, is passed over: its registers are unknown. */
static void add_document(struct documents *d, const char *name)
{
	if (d->count == DOCUMENTS_MAX || strchr(name, ':') || find_document(d, name))
		return;
	strcpy(d->docs[d->count++].name, name);
}

static enum rsp_turn documents_next(struct rsp_batch *batch, struct kt_buf *payload,
				    struct rsp_ticket *ticket)
{
	struct documents *d = (struct documents *)batch;
	bool waits = false;

	for (size_t i = 0; i < d->count; i++) {
		struct document *doc = &d->docs[i];
		if (doc->done)
			continue;
		waits = true;
		if (doc->text.len >= doc->goal) /* target.xml itself is short */
			doc->goal = doc->goal ? 2 * doc->goal : d->piece * (i ? PIECES_AHEAD : 1);
		if (doc->asked >= doc->goal)
			continue;
		ticket->index = i;
		ticket->offset = doc->asked;
		ticket->reply_len = 2 * d->piece; /* if all of it needs escapes */
		kt_buf_printf(payload, "qXfer:features:read:%s:%zx,%zx", doc->name, doc->asked,
			      d->piece);
		doc->asked += d->piece;
		return RSP_TURN_SEND;
	}
	return waits ? RSP_TURN_WAIT : RSP_TURN_DONE;
}

/* "mTEXT": more follows. "lTEXT": the last. "E00": no such document, or behind its end. */
static struct kt_error *documents_reply(struct rsp_batch *batch, const struct rsp_ticket *ticket,
					const struct rsp_reply *reply)
{
	struct documents *d = (struct documents *)batch;
	struct document *doc = &d->docs[ticket->index];
	unsigned int code;

	if (doc->done || ticket->offset != doc->text.len)
		return NULL; /* asked ahead in vain */
	if (rsp_reply_is_error(reply, &code)) {
		doc->done = doc->missing = true;
		return NULL;
	}
	if (reply->len == 0)
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "the GDB stub does not describe its registers");
	if ((reply->data[0] != 'm' && reply->data[0] != 'l') ||
	    (reply->data[0] == 'm' && reply->len == 1))
		return rsp_bad_reply(reply, "the question for its registers");
	doc->done = reply->data[0] == 'l';
	kt_buf_append(&doc->text, reply->data + 1, reply->len - 1);
	if (kt_buf_failed(&doc->text))
		return kt_error_no_memory();
	if (doc->text.len > DOCUMENT_MAX)
		return kt_error_new(KT_ERROR_PROTOCOL, "the GDB stub's '%s' has more than %d bytes",
				    doc->name, DOCUMENT_MAX);
	/* A stub may give less than was asked for: what was asked ahead is then not next. */
	if (!doc->done && reply->len - 1 != d->piece)
		doc->asked = doc->text.len;
	return NULL;
}

/* Adds what the documents that are there include; true if that was anything new. */
static bool add_includes(struct documents *d)
{
	size_t before = d->count;

	for (size_t i = 0; i < before; i++) {
		struct document *doc = &d->docs[i];
		struct rsp_xml_item item;
		size_t pos = 0;

		while (rsp_xml_next(doc->text.data, doc->text.len, &pos, &item)) {
			if (item.element == RSP_ELEMENT_INCLUDE)
				add_document(d, item.name);
		}
	}
	return d->count > before;
}

static struct kt_error *fetch_documents(struct rsp_client *client, struct documents *d)
{
	size_t piece = (client->packet_size - 5) / 2; /* QEMU's own limit (7.2) */
	struct kt_error *err;

	d->batch = (struct rsp_batch){.next = documents_next, .reply = documents_reply};
	d->piece = piece < RSP_PIECE_MAX ? piece : RSP_PIECE_MAX;
	add_document(d, "target.xml");
	/* What an x86-64 guest's target.xml includes. A guess that saves a round trip. */
	add_document(d, "i386-64bit.xml");
	do {
		err = rsp_exchange(client, &d->batch);
	} while (!err && add_includes(d));
	if (!err && d->docs[0].missing)
		err = kt_error_new(KT_ERROR_UNSUPPORTED,
				   "the GDB stub does not describe its registers");
	return err;
}

/* Registers in the order of the text, includes in their place; number_ret is the next one. */
static struct kt_error *collect(struct documents *d, struct document *doc,
				struct rsp_registers *registers, uint32_t *number)
{
	struct rsp_xml_item item;
	size_t pos = 0;

	doc->used = true;
	while (rsp_xml_next(doc->text.data, doc->text.len, &pos, &item)) {
		struct kt_error *err = NULL;

		if (item.element == RSP_ELEMENT_INCLUDE) {
			struct document *included = find_document(d, item.name);

			if (included && !included->used)
				err = collect(d, included, registers, number);
		} else {
			struct reg reg = {.bits = item.bits};

			memcpy(reg.name, item.name, sizeof(reg.name));
			reg.number = item.number >= 0 ? (uint32_t)item.number : *number;
			*number = reg.number + 1;
			if (registers->regs.len == REGISTERS_MAX)
				err = kt_error_new(KT_ERROR_PROTOCOL,
						   "the GDB stub names more than %d registers",
						   REGISTERS_MAX);
			else if (!kt_vec_push(&registers->regs, reg))
				err = kt_error_no_memory();
		}
		if (err)
			return err;
	}
	return NULL;
}

/* "<architecture>s390:64-bit</architecture>" */
static bool is_s390(const struct kt_buf *text)
{
	static const char s390[] = "<architecture>s390";

	return text->len && memmem(text->data, text->len, s390, sizeof(s390) - 1);
}

/*
 * Guests of 32 bits that QEMU has, by its name of the architecture. NULL: it is none of these.
 * Where there is a stub of 64 bits, too, a guest of 32 bits may have that.
 */
static const char *is_32bit(const struct kt_buf *text)
{
	static const struct {
		const char *architecture, *name;
	} known[] = {
		{"<architecture>i386</", "i386"},
		{"<architecture>arm</", "arm"},
		{"<architecture>iwmmxt</", "arm"},
		{"<architecture>powerpc:common</", "ppc"},
		{"<architecture>riscv:rv32</", "riscv32"},
		{"<architecture>mips</", "mips"},
	};

	for (size_t i = 0; text->len && i < sizeof(known) / sizeof(known[0]); i++)
		if (memmem(text->data, text->len, known[i].architecture,
			   strlen(known[i].architecture)))
			return known[i].name;
	return NULL;
}

static struct kt_error *unread_32bit(const char *name)
{
	return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
					  "this is a guest of 32 bits (%s), and such guests are "
					  "not read",
					  name),
			     "guests of 64-bit kernels are");
}

static struct kt_error *know_registers(struct rsp_client *client)
{
	_cleanup_(documents_deinit) struct documents d = {0};
	struct rsp_registers *registers;
	struct kt_error *err;
	uint32_t number = 0;

	if (client->registers)
		return NULL;
	err = fetch_documents(client, &d);
	if (!err && is_32bit(&d.docs[0].text))
		err = unread_32bit(is_32bit(&d.docs[0].text));
	if (err)
		return err;
	registers = calloc(1, sizeof(*registers));
	if (!registers)
		return kt_error_no_memory();
	/*
	 * Registers come in the target's byte order. Of our architectures only s390x is big-endian.
	 */
	registers->big_endian = is_s390(&d.docs[0].text);
	err = collect(&d, &d.docs[0], registers, &number);
	if (err) {
		rsp_registers_destroy(registers);
		return err;
	}
	client->registers = registers;
	return NULL;
}

/* --- the values --- */

struct value {
	const struct reg *reg;
	uint64_t *values; /* of thread t: values[t * stride] */
	size_t stride;
};

struct values {
	struct rsp_batch batch;
	struct rsp_client *client;
	const struct rsp_thread *threads;
	size_t n_threads;
	struct {
		struct value *data;
		size_t len, cap;
	} wanted;
	size_t thread, next; /* what to ask for next */
};

static enum rsp_turn values_next(struct rsp_batch *batch, struct kt_buf *payload,
				 struct rsp_ticket *ticket)
{
	struct values *v = (struct values *)batch;
	const struct value *value;

	if (v->thread == v->n_threads || v->wanted.len == 0)
		return RSP_TURN_DONE;
	if (v->next == 0 &&
	    rsp_prefix_registers(v->client, &v->threads[v->thread], payload, ticket))
		return RSP_TURN_SEND;
	value = &v->wanted.data[v->next];
	*ticket = (struct rsp_ticket){
		.index = v->next,
		.offset = v->thread * value->stride,
		.reply_len = 16,
	};
	kt_buf_printf(payload, "p%x", value->reg->number);
	if (++v->next == v->wanted.len) {
		v->next = 0;
		v->thread++;
	}
	return RSP_TURN_SEND;
}

static struct kt_error *values_reply(struct rsp_batch *batch, const struct rsp_ticket *ticket,
				     const struct rsp_reply *reply)
{
	struct values *v = (struct values *)batch;
	const struct value *value;
	struct kt_error *err;
	uint8_t bytes[8];

	if (rsp_prefix_reply(ticket, reply, &err))
		return err;
	value = &v->wanted.data[ticket->index];
	/* A width other than described: the number is another register's. */
	if (reply->len != value->reg->bits / 4 ||
	    !rsp_hex_decode(bytes, reply->len / 2, reply->data))
		return kt_error_wrap(rsp_bad_reply(reply, "a register read"), "%s",
				     value->reg->name);
	value->values[ticket->offset] = kt_load_uint(bytes, reply->len / 2,
						     v->client->registers->big_endian);
	return NULL;
}

static struct kt_error *lookup(const struct rsp_client *client, const char *name,
			       const struct reg **ret)
{
	const struct reg *reg = find_register(client->registers, name);

	if (!reg)
		return kt_error_new(KT_ERROR_NOT_FOUND, "%s has no register '%s'", client->name,
				    name);
	if (reg->bits == 0 || reg->bits > 64 || reg->bits % 8)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "register '%s' has %u bits", name,
				    reg->bits);
	*ret = reg;
	return NULL;
}

struct kt_error *rsp_register_place(struct rsp_client *client, const char *name,
				    uint32_t *number_ret, uint32_t *bits_ret)
{
	const struct reg *reg;
	struct kt_error *err = know_registers(client);

	if (!err)
		err = lookup(client, name, &reg);
	if (err)
		return err;
	*number_ret = reg->number;
	*bits_ret = reg->bits;
	return NULL;
}

void rsp_register_bytes(const struct rsp_client *client, uint64_t value, uint32_t bits,
			uint8_t ret[8])
{
	size_t len = bits / 8;

	for (size_t i = 0; i < len; i++)
		ret[client->registers->big_endian ? len - 1 - i : i] = (uint8_t)(value >> 8 * i);
}

static struct kt_error *want(struct values *v, const char *name, uint64_t *values, size_t stride)
{
	bool optional = name[0] == '?';
	const struct reg *reg;
	struct kt_error *err;

	name += optional;
	if (optional && !find_register(v->client->registers, name)) {
		for (size_t t = 0; t < v->n_threads; t++)
			values[t * stride] = 0;
		return NULL;
	}
	err = lookup(v->client, name, &reg);
	if (err)
		return err;
	return kt_vec_push(&v->wanted, (struct value){reg, values, stride}) ? NULL
									    : kt_error_no_memory();
}

/*
 * Control registers are useful only in 64-bit mode. Plausible values of CR0 and EFER also prove the
 * register numbers: those from fs_base on are the first that could be wrong.
 */
static bool needs_long_mode(const struct rsp_client *client, const char *const *names, size_t n)
{
	if (client->registers->seen_long_mode || !find_register(client->registers, "efer"))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!strncmp(names[i], "cr", 2) || !strcmp(names[i], "efer") ||
		    strstr(names[i], "s_base"))
			return true;
	}
	return false;
}

/* Where CR0 and EFER of each vCPU are: of thread t, cr0[t * stride] and efer[t * stride]. */
struct control {
	const uint64_t *cr0, *efer;
	size_t stride;
};

/*
 * A processor sets EFER.LMA when paging is turned on, and clears it when paging is turned off;
 * and paging needs protected mode (Intel SDM volume 3, 2.2.1 and 2.5; AMD APM volume 2, 3.1.7).
 */
static bool contradict(uint64_t cr0, uint64_t efer)
{
	return (efer & EFER_LMA && !(cr0 & CR0_PG)) || (cr0 & CR0_PG && !(cr0 & CR0_PE));
}

static struct kt_error *contradiction(const struct rsp_thread *thread, uint64_t cr0, uint64_t efer)
{
	struct kt_error *err = kt_error_new(
		KT_ERROR_PROTOCOL,
		"the GDB stub gives registers of vCPU %s that contradict each other: "
		"cr0 %#" PRIx64 ", efer %#" PRIx64,
		thread->id, cr0, efer);

	return kt_error_hint(err, "try again, or with another version of QEMU");
}

/* One vCPU in 64-bit mode will do: others may be off. */
static struct kt_error *check_long_mode(struct rsp_client *client, const struct control *control,
					const struct rsp_thread *threads, size_t n_threads)
{
	struct kt_error *err;

	for (size_t t = 0; t < n_threads; t++) {
		size_t i = t * control->stride;

		if ((control->cr0[i] & CR0_PE_PG) == CR0_PE_PG && control->efer[i] & EFER_LMA) {
			client->registers->seen_long_mode = true;
			return NULL;
		}
	}
	for (size_t t = 0; t < n_threads; t++) {
		size_t i = t * control->stride;

		if (contradict(control->cr0[i], control->efer[i]))
			return contradiction(&threads[t], control->cr0[i], control->efer[i]);
	}
	/* Neither firmware nor a boot loader has pages, nor a 64-bit kernel before it is in long
	 * mode. */
	for (size_t t = 0; t < n_threads; t++)
		if ((control->cr0[t * control->stride] & CR0_PE_PG) == CR0_PE_PG)
			return unread_32bit("i386");
	err = kt_error_new(KT_ERROR_NOT_READY,
			   "the guest is not in 64-bit mode yet (firmware or early boot)");
	return kt_error_hint(err, "wait until it has booted, or let --wait do it");
}

static const uint64_t *asked_for(const char *name, const char *const *names, size_t n_names,
				 const uint64_t *values)
{
	for (size_t i = 0; i < n_names; i++)
		if (!strcmp(names[i], name))
			return values + i;
	return NULL;
}

static struct kt_error *read_registers(struct rsp_client *client, struct values *v,
				       const char *const *names, size_t n_names, uint64_t *values)
{
	_cleanup_free_ uint64_t *extra = NULL;
	struct control control = {
		.cr0 = asked_for("cr0", names, n_names, values),
		.efer = asked_for("efer", names, n_names, values),
		.stride = n_names,
	};
	bool check = needs_long_mode(client, names, n_names) && v->n_threads > 0;
	struct kt_error *err = NULL;

	for (size_t i = 0; !err && i < n_names; i++)
		err = want(v, names[i], values + i, n_names);
	if (!err && check && !(control.cr0 && control.efer)) {
		extra = calloc(v->n_threads, 2 * sizeof(*extra));
		control = (struct control){extra, extra + 1, 2};
		err = extra ? want(v, "cr0", extra, 2) : kt_error_no_memory();
		if (!err)
			err = want(v, "efer", extra + 1, 2);
	}
	if (!err)
		err = rsp_exchange(client, &v->batch);
	if (!err && check)
		err = check_long_mode(client, &control, v->threads, v->n_threads);
	return err;
}

struct kt_error *rsp_client_registers(struct rsp_client *client, const struct rsp_thread *threads,
				      size_t n_threads, const char *const *names, size_t n_names,
				      uint64_t *values)
{
	struct values v = {
		.batch = {.next = values_next, .reply = values_reply},
		.client = client,
		.threads = threads,
		.n_threads = n_threads,
	};
	struct kt_error *err = know_registers(client);

	if (!err)
		err = read_registers(client, &v, names, n_names, values);
	kt_vec_free(&v.wanted);
	return kt_error_wrap(err, "cannot read registers");
}
