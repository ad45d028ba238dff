// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hide TARGET KERNEL IDR ID: takes the object with that ID out of an IDR of the guest's kernel, as
 * a rootkit does: its slot gets a null pointer. Prints the slot's address and what was in it.
 * hide TARGET put ADDRESS VALUE: writes eight bytes, as they were printed.
 *
 * The slot is found with the house's own reader; the write is a packet that the house does not
 * have.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gdbrsp/client.h"
#include "memory/guest.h"
#include "util/cursor.h"

#define SLOT_BITS 6 /* XA_CHUNK_SHIFT of an x86_64 kernel */

static const struct kfacts_want *wants(const char *idr, size_t *n_ret)
{
	static struct kfacts_want all[4];

	all[0] = (struct kfacts_want){.kind = KFACTS_SYMBOL, .name = idr};
	all[1] = (struct kfacts_want){
		.kind = KFACTS_MEMBER, .name = "idr", .path = "idr_rt.xa_head"};
	all[2] = (struct kfacts_want){.kind = KFACTS_MEMBER, .name = "xa_node", .path = "shift"};
	all[3] = (struct kfacts_want){.kind = KFACTS_MEMBER, .name = "xa_node", .path = "slots"};
	*n_ret = 4;
	return all;
}

static void die(struct kt_error *err)
{
	if (!err)
		return;
	fprintf(stderr, "hide: %s\n", kt_error_message(err));
	exit(3);
}

static uint64_t load(struct guest *guest, gaddr_t addr, size_t len)
{
	struct gmem_batch batch = {0};
	uint8_t bytes[8];

	gmem_batch_add(&batch, addr, bytes, len);
	die(guest_read(guest, &batch));
	if (gmem_batch_fault(&batch, 0, 1))
		die(kt_error_new(KT_ERROR_FAULT, "0x%" PRIx64 " is not mapped", addr));
	gmem_batch_deinit(&batch);
	return kt_load_uint(bytes, len, false);
}

/* The address of the slot; *value_ret: what is in it. */
static gaddr_t find_slot(struct guest *guest, const char *idr, uint64_t id, uint64_t *value_ret)
{
	struct kfacts_member head, shift, slots;
	gaddr_t at;

	guest_symbol(guest, idr, &at);
	kfacts_member(guest_facts(guest), "idr", "idr_rt.xa_head", &head);
	kfacts_member(guest_facts(guest), "xa_node", "shift", &shift);
	kfacts_member(guest_facts(guest), "xa_node", "slots", &slots);
	at += head.offset;
	*value_ret = load(guest, at, 8);
	while ((*value_ret & 3) == 2) {
		gaddr_t node = *value_ret - 2;
		uint64_t by = load(guest, node + shift.offset, 1);

		at = node + slots.offset + 8 * (id >> by & ((1 << SLOT_BITS) - 1));
		*value_ret = load(guest, at, 8);
	}
	return at;
}

/* --- the write --- */

static int dial(const char *target)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strncmp(target, "unix:", 5) == 0)
		target += 5;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", target);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		perror(target);
		exit(3);
	}
	return fd;
}

/* Sends a packet, and waits for OK. A stop reply may come before it. */
static void ask(int fd, const char *payload)
{
	char packet[128], said[4096];
	unsigned int sum = 0;
	size_t len = 0;
	int n;

	for (const char *p = payload; *p; p++)
		sum += (unsigned char)*p;
	n = snprintf(packet, sizeof(packet), "+$%s#%02x", payload, sum & 0xff);
	if (write(fd, packet, (size_t)n) != n)
		exit(3);
	for (;;) {
		ssize_t got = read(fd, said + len, sizeof(said) - 1 - len);

		if (got <= 0)
			exit(3);
		len += (size_t)got;
		said[len] = '\0';
		if (strstr(said, "$OK#9a"))
			break;
		if (strstr(said, "$E")) {
			fprintf(stderr, "hide: %s: %s\n", payload, said);
			exit(3);
		}
	}
}

static void put(const char *target, gaddr_t addr, uint64_t value)
{
	char payload[64];
	int fd = dial(target);
	int n = snprintf(payload, sizeof(payload), "M%" PRIx64 ",8:", addr);

	for (int i = 0; i < 8; i++)
		n += snprintf(payload + n, sizeof(payload) - (size_t)n, "%02x",
			      (unsigned int)(value >> 8 * i & 0xff));
	ask(fd, payload);
	ask(fd, "D;1");
	if (write(fd, "+", 1) != 1)
		exit(3);
	close(fd);
}

static void hide(const char *target, const char *kernel, const char *idr, uint64_t id)
{
	const struct rsp_options options = {.cancel_fd = -1};
	struct rsp_client *client;
	struct rsp_target parsed;
	struct kfacts *facts;
	struct source source;
	struct guest *guest;
	uint64_t value;
	gaddr_t at;
	size_t n;
	const struct kfacts_want *all = wants(idr, &n);

	die(kfacts_load(&(struct kfacts_sources){.image = kernel}, all, n, NULL, &facts, NULL));
	die(rsp_target_parse(target, &parsed));
	die(rsp_client_connect(&parsed, &options, &client));
	source = source_from_stub(client);
	die(guest_create(&source, facts, NULL, &guest));
	at = find_slot(guest, idr, id, &value);
	guest_destroy(guest);
	die(rsp_client_detach(client));
	rsp_client_destroy(client);
	kfacts_destroy(facts);
	free(parsed.text);
	if (!value)
		die(kt_error_new(KT_ERROR_NOT_FOUND, "%s has no %" PRIu64, idr, id));
	put(target, at, 0);
	printf("0x%" PRIx64 " 0x%" PRIx64 "\n", at, value);
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[2], "put") == 0)
		put(argv[1], strtoull(argv[3], NULL, 0), strtoull(argv[4], NULL, 0));
	else if (argc == 5)
		hide(argv[1], argv[2], argv[3], strtoull(argv[4], NULL, 0));
	else
		return 2;
	return 0;
}
