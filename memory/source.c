// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbrsp/client.h"
#include "memory/source.h"
#include "util/cleanup.h"

static struct kt_error *stub_registers(void *context, size_t first, size_t end,
				       const char *const *names, size_t n_names,
				       uint64_t **values_ret, size_t *n_cpus_ret)
{
	struct rsp_client *client = context;
	_cleanup_free_ uint64_t *values = NULL;
	const struct rsp_thread *threads;
	struct kt_error *err;
	size_t n;

	err = rsp_client_threads(client, &threads, &n);
	if (err)
		return err;
	if (end > n)
		end = n;
	if (first > end)
		first = end;
	values = calloc((end - first) * n_names + 1, sizeof(*values));
	if (!values)
		return kt_error_no_memory();
	err = rsp_client_registers(client, threads + first, end - first, names, n_names, values);
	if (err)
		return err;
	*values_ret = kt_take_ptr(values);
	*n_cpus_ret = n;
	return NULL;
}

static struct kt_error *stub_select(void *context, size_t cpu)
{
	struct rsp_client *client = context;
	const struct rsp_thread *threads;
	struct kt_error *err;
	size_t n;

	err = rsp_client_threads(client, &threads, &n);
	if (err)
		return err;
	return rsp_client_select(client, &threads[cpu < n ? cpu : 0]);
}

/* stopped_ns_ret NULL: the guest stands. Else it runs, and is stopped for this alone. */
static struct kt_error *read_or_glance(struct rsp_client *client, enum rsp_space space,
				       struct gmem_read *reads, size_t count,
				       int64_t *stopped_ns_ret)
{
	_cleanup_free_ struct rsp_read *pieces = malloc((count + 1) * sizeof(*pieces));
	struct kt_error *err;

	if (!pieces)
		return kt_error_no_memory();
	for (size_t i = 0; i < count; i++)
		pieces[i] = (struct rsp_read){
			.addr = reads[i].addr, .len = reads[i].len, .buf = reads[i].buf};
	err = stopped_ns_ret ? rsp_client_glance(client, space, pieces, count, stopped_ns_ret)
			     : rsp_client_read(client, space, pieces, count);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		reads[i].fault = pieces[i].fault;
	return NULL;
}

struct kt_error *source_glance(struct rsp_client *client, struct gmem_read *reads, size_t count,
			       int64_t *stopped_ns_ret)
{
	return read_or_glance(client, RSP_PHYSICAL, reads, count, stopped_ns_ret);
}

static struct kt_error *stub_read_virtual(void *context, struct gmem_read *reads, size_t count)
{
	return read_or_glance(context, RSP_VIRTUAL, reads, count, NULL);
}

static struct kt_error *stub_read_physical(void *context, struct gmem_read *reads, size_t count)
{
	return read_or_glance(context, RSP_PHYSICAL, reads, count, NULL);
}

static struct kt_error *stub_monitor(void *context, const char *command, char **ret)
{
	return rsp_client_monitor(context, command, ret);
}

/* The string that HMP's qom-get prints of a property, in quotes: "/objects/sev0"; NULL: none. */
static char *property(const struct source *source, const char *object, const char *name)
{
	_cleanup_free_ char *command = NULL, *text = NULL;
	char *end;

	if (asprintf(&command, "qom-get %s %s", object, name) < 0) {
		command = NULL;
		return NULL;
	}
	kt_error_destroy(source->monitor(source->context, command, &text));
	end = text && text[0] == '"' ? strchr(text + 1, '"') : NULL;
	return end && end > text + 1 ? strndup(text + 1, (size_t)(end - text) - 1) : NULL;
}

static bool is_path(const char *text)
{
	return text[strspn(text,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.-")] ==
	       '\0';
}

/*
 * Since QEMU 6.0, the machine of a confidential guest has a link to an object of one of the types
 * "sev-guest", "sev-snp-guest", "tdx-guest", "s390-pv-guest", "pef-guest". With an older QEMU, a
 * confidential guest looks like one that does not run yet.
 */
struct kt_error *source_explain(const struct source *source, struct kt_error *err)
{
	_cleanup_free_ char *object = NULL, *kind = NULL;
	enum kt_error_code code = err ? kt_error_code(err) : KT_ERROR_CANCELLED;

	if (!source->monitor || (code != KT_ERROR_NOT_READY && code != KT_ERROR_FAULT &&
				 code != KT_ERROR_MISMATCH && code != KT_ERROR_PROTOCOL))
		return err;
	object = property(source, "/machine", "confidential-guest-support");
	if (!object || !is_path(object))
		return err;
	kind = property(source, object, "type");
	kt_error_destroy(err);
	err = kt_error_new(
		KT_ERROR_UNSUPPORTED,
		"this is a confidential guest (%s): nobody outside may read its registers "
		"or its memory",
		kind && is_path(kind) ? kind : object);
	return kt_error_hint(err, "bpftool and veristat inside the guest can tell");
}

struct source source_from_stub(struct rsp_client *client)
{
	return (struct source){
		.context = client,
		.registers = stub_registers,
		.select = stub_select,
		.read_virtual = stub_read_virtual,
		.read_physical = rsp_client_has_physical(client) ? stub_read_physical : NULL,
		.monitor = stub_monitor,
	};
}
