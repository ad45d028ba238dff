// SPDX-License-Identifier: LGPL-2.1-or-later
/* Types one by one, as they are: bpftool's raw format, and the same as JSON. */
#include <bpf/btf.h>

#include "btf/btf_checked.h"
#include "util/buf.h"

static const char *const kinds[] = {
	"UNKNOWN", "INT",     "PTR",      "ARRAY",    "STRUCT",   "UNION",  "ENUM",
	"FWD",     "TYPEDEF", "VOLATILE", "CONST",    "RESTRICT", "FUNC",   "FUNC_PROTO",
	"VAR",     "DATASEC", "FLOAT",    "DECL_TAG", "TYPE_TAG", "ENUM64",
};

/* Where a type goes, in either form. Lists are a line each in text, behind a tab. */
struct raw {
	const struct btf *btf;
	bool json;
	struct kt_buf out;
};

static const char *kind_name(const struct btf_type *t)
{
	unsigned int kind = btf_kind(t);

	return kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[kind] : kinds[0];
}

/* A C identifier, as a rule. What is not ASCII, or controls a terminal, is not shown as it is. */
static void put_text(struct raw *r, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p < ' ' || *p >= 0x7f)
			kt_buf_printf(&r->out, r->json ? "\\ufffd" : "\\x%02x", *p);
		else if (r->json && (*p == '"' || *p == '\\'))
			kt_buf_printf(&r->out, "\\%c", *p);
		else
			kt_buf_appendc(&r->out, (char)*p);
	}
}

static const char *name_at(const struct raw *r, uint32_t offset)
{
	const char *name = offset ? btf__str_by_offset(r->btf, offset) : "(anon)";

	return name ? name : "(invalid)";
}

static void put_uint(struct raw *r, const char *key, uint64_t value)
{
	kt_buf_printf(&r->out, r->json ? ", \"%s\": %llu" : " %s=%llu", key,
		      (unsigned long long)value);
}

static void put_word(struct raw *r, const char *key, const char *value)
{
	kt_buf_printf(&r->out, r->json ? ", \"%s\": \"%s\"" : " %s=%s", key, value);
}

/* The elements of a list; "name": the first key of each, if it has one. */
static void begin_list(struct raw *r, const char *key)
{
	if (r->json)
		kt_buf_printf(&r->out, ", \"%s\": [", key);
}

static void begin_named(struct raw *r, uint32_t i, uint32_t name)
{
	kt_buf_appends(&r->out, !r->json ? "\n\t'" : i ? ", {\"name\": \"" : "{\"name\": \"");
	put_text(r, name_at(r, name));
	kt_buf_appendc(&r->out, r->json ? '"' : '\'');
}

static void end_element(struct raw *r)
{
	if (r->json)
		kt_buf_appendc(&r->out, '}');
}

static void end_list(struct raw *r)
{
	if (r->json)
		kt_buf_appendc(&r->out, ']');
}

static void put_int(struct raw *r, const struct btf_type *t)
{
	uint8_t encoding = btf_int_encoding(t);

	put_uint(r, "size", t->size);
	put_uint(r, "bits_offset", btf_int_offset(t));
	put_uint(r, "nr_bits", btf_int_bits(t));
	put_word(r, "encoding",
		 !encoding                    ? "(none)"
		 : encoding == BTF_INT_SIGNED ? "SIGNED"
		 : encoding == BTF_INT_CHAR   ? "CHAR"
		 : encoding == BTF_INT_BOOL   ? "BOOL"
					      : "UNKN");
}

static void put_struct(struct raw *r, const struct btf_type *t)
{
	put_uint(r, "size", t->size);
	put_uint(r, "vlen", btf_vlen(t));
	begin_list(r, "members");
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		uint32_t bits = btf_member_bitfield_size(t, i);

		begin_named(r, i, btf_members(t)[i].name_off);
		put_uint(r, "type_id", btf_members(t)[i].type);
		put_uint(r, "bits_offset", btf_member_bit_offset(t, i));
		if (bits)
			put_uint(r, "bitfield_size", bits);
		end_element(r);
	}
	end_list(r);
}

/* An enumerator of 32 or 64 bits; in text those of 64 have C's suffix. */
static void put_enumerator(struct raw *r, const struct btf_type *t, uint64_t value, bool wide)
{
	const char *suffix = r->json || !wide ? "" : btf_kflag(t) ? "LL" : "ULL";

	kt_buf_appends(&r->out, r->json ? ", \"val\": " : " val=");
	if (btf_kflag(t))
		kt_buf_printf(&r->out, "%lld%s", (long long)value, suffix);
	else
		kt_buf_printf(&r->out, "%llu%s", (unsigned long long)value, suffix);
	end_element(r);
}

static void put_enum(struct raw *r, const struct btf_type *t)
{
	put_word(r, "encoding", btf_kflag(t) ? "SIGNED" : "UNSIGNED");
	put_uint(r, "size", t->size);
	put_uint(r, "vlen", btf_vlen(t));
	begin_list(r, "values");
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		int32_t value;

		if (btf_is_enum64(t)) {
			begin_named(r, i, btf_enum64(t)[i].name_off);
			put_enumerator(r, t, btf_enum64_value(&btf_enum64(t)[i]), true);
			continue;
		}
		value = btf_enum(t)[i].val;
		begin_named(r, i, btf_enum(t)[i].name_off);
		put_enumerator(r, t, btf_kflag(t) ? (uint64_t)value : (uint32_t)value, false);
	}
	end_list(r);
}

static void put_proto(struct raw *r, const struct btf_type *t)
{
	put_uint(r, "ret_type_id", t->type);
	put_uint(r, "vlen", btf_vlen(t));
	begin_list(r, "params");
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		begin_named(r, i, btf_params(t)[i].name_off);
		put_uint(r, "type_id", btf_params(t)[i].type);
		end_element(r);
	}
	end_list(r);
}

static void put_section(struct raw *r, const struct btf_type *t)
{
	put_uint(r, "size", t->size);
	put_uint(r, "vlen", btf_vlen(t));
	begin_list(r, "vars");
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_var_secinfo *info = &btf_var_secinfos(t)[i];
		const struct btf_type *var = btf__type_by_id(r->btf, info->type);

		if (r->json)
			kt_buf_printf(&r->out, "%s{\"type_id\": %u", i ? ", " : "", info->type);
		else
			kt_buf_printf(&r->out, "\n\ttype_id=%u", info->type);
		put_uint(r, "offset", info->offset);
		put_uint(r, "size", info->size);
		if (!r->json && var) {
			kt_buf_printf(&r->out, " (%s '", kind_name(var));
			put_text(r, name_at(r, var->name_off));
			kt_buf_appends(&r->out, "')");
		}
		end_element(r);
	}
	end_list(r);
}

static void put_var(struct raw *r, const struct btf_type *t)
{
	static const char *const linkages[] = {"static", "global", "extern"};
	uint32_t linkage = btf_var(t)->linkage;

	put_uint(r, "type_id", t->type);
	if (!r->json)
		kt_buf_appendc(&r->out, ','); /* only here */
	put_word(r, "linkage", linkage < 3 ? linkages[linkage] : "(unknown)");
}

static void put_func(struct raw *r, const struct btf_type *t)
{
	static const char *const linkages[] = {"static", "global", "extern"};

	put_uint(r, "type_id", t->type);
	put_word(r, "linkage", btf_vlen(t) < 3 ? linkages[btf_vlen(t)] : "(unknown)");
}

static void put_tag(struct raw *r, const struct btf_type *t)
{
	put_uint(r, "type_id", t->type);
	kt_buf_printf(&r->out, r->json ? ", \"component_idx\": %d" : " component_idx=%d",
		      btf_decl_tag(t)->component_idx);
}

static void put_array(struct raw *r, const struct btf_type *t)
{
	put_uint(r, "type_id", btf_array(t)->type);
	put_uint(r, "index_type_id", btf_array(t)->index_type);
	put_uint(r, "nr_elems", btf_array(t)->nelems);
}

static void put_type(struct raw *r, uint32_t id, const struct btf_type *t)
{
	kt_buf_printf(&r->out,
		      r->json ? "{\"id\": %u, \"kind\": \"%s\", \"name\": \"" : "[%u] %s '", id,
		      kind_name(t));
	put_text(r, name_at(r, t->name_off));
	kt_buf_appendc(&r->out, r->json ? '"' : '\'');
	switch (btf_kind(t)) {
	case BTF_KIND_INT: put_int(r, t); break;
	case BTF_KIND_PTR:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_TYPE_TAG: put_uint(r, "type_id", t->type); break;
	case BTF_KIND_ARRAY: put_array(r, t); break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: put_struct(r, t); break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64: put_enum(r, t); break;
	case BTF_KIND_FWD: put_word(r, "fwd_kind", btf_kflag(t) ? "union" : "struct"); break;
	case BTF_KIND_FUNC: put_func(r, t); break;
	case BTF_KIND_FUNC_PROTO: put_proto(r, t); break;
	case BTF_KIND_VAR: put_var(r, t); break;
	case BTF_KIND_DATASEC: put_section(r, t); break;
	case BTF_KIND_FLOAT: put_uint(r, "size", t->size); break;
	case BTF_KIND_DECL_TAG: put_tag(r, t); break;
	default: break;
	}
	if (r->json)
		kt_buf_appendc(&r->out, '}');
}

struct kt_error *btf_as_raw(const struct btf *btf, bool json, char **ret)
{
	const struct btf *base = btf__base_btf(btf);
	uint32_t first = base ? btf__type_cnt(base) : 1;
	struct raw r = {.btf = btf, .json = json, .out = KT_BUF_INIT};

	if (json)
		kt_buf_appends(&r.out, "{\"types\": [\n");
	for (uint32_t id = first; id < btf__type_cnt(btf); id++) {
		put_type(&r, id, btf__type_by_id(btf, id));
		kt_buf_appends(&r.out, json && id + 1 < btf__type_cnt(btf) ? ",\n" : "\n");
	}
	if (json)
		kt_buf_appends(&r.out, "]}\n");
	return kt_buf_finish(&r.out, ret);
}
