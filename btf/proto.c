// SPDX-License-Identifier: LGPL-2.1-or-later
#include "btf/proto.h"
#include "util/cleanup.h"

/* bpftool's room for a prototype, with its NUL: a longer one it leaves out. */
#define PROTO_MAX 1024
/* Types within types; a guest's BTF may have a circle. */
#define MAX_DEPTH 64

struct proto {
	const struct btf *btf;
	struct kt_buf text;
	unsigned int depth;
};

static bool put_type(struct proto *p, uint32_t id);

/* Words, and behind them the name of a type. */
static bool put_named(struct proto *p, const char *before, const struct btf_type *t,
		      const char *after)
{
	const char *name = btf__name_by_offset(p->btf, t->name_off);

	if (name)
		kt_buf_printf(&p->text, "%s%s%s", before, name, after);
	return name;
}

static bool put_parameter(struct proto *p, const struct btf_param *param)
{
	const char *name = btf__name_by_offset(p->btf, param->name_off);

	if (!param->type) {
		kt_buf_appends(&p->text, "...");
		return true;
	}
	if (!name || !put_type(p, param->type))
		return false;
	kt_buf_appends(&p->text, name);
	if (!param->name_off && p->text.len && p->text.data[p->text.len - 1] == ' ')
		p->text.data[--p->text.len] = '\0';
	return true;
}

/* func: NULL for a pointer's target, which has no name. */
static bool put_function(struct proto *p, const struct btf_type *proto, const struct btf_type *func)
{
	if (!proto || !btf_is_func_proto(proto) || !put_type(p, proto->type) ||
	    (func && !put_named(p, "", func, "")))
		return false;
	kt_buf_appendc(&p->text, '(');
	for (unsigned int i = 0; i < btf_vlen(proto); i++) {
		if (i)
			kt_buf_appends(&p->text, ", ");
		if (!put_parameter(p, &btf_params(proto)[i]))
			return false;
	}
	kt_buf_appendc(&p->text, ')');
	return true;
}

static bool put_prefixed(struct proto *p, const char *prefix, uint32_t id)
{
	kt_buf_appends(&p->text, prefix);
	return put_type(p, id);
}

static bool put_followed(struct proto *p, uint32_t id, const char *after)
{
	bool ok = put_type(p, id);

	kt_buf_appends(&p->text, after);
	return ok;
}

static bool put_kind(struct proto *p, const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_FLOAT: return put_named(p, "", t, " ");
	case BTF_KIND_STRUCT: return put_named(p, "struct ", t, " ");
	case BTF_KIND_UNION: return put_named(p, "union ", t, " ");
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64: return put_named(p, "enum ", t, " ");
	case BTF_KIND_FWD: return put_named(p, btf_kflag(t) ? "union " : "struct ", t, " ");
	case BTF_KIND_PTR: return put_followed(p, t->type, "* ");
	case BTF_KIND_VOLATILE: return put_prefixed(p, "volatile ", t->type);
	case BTF_KIND_CONST: return put_prefixed(p, "const ", t->type);
	case BTF_KIND_RESTRICT: return put_prefixed(p, "restrict ", t->type);
	case BTF_KIND_FUNC_PROTO: return put_function(p, t, NULL);
	case BTF_KIND_ARRAY:
		if (!put_type(p, btf_array(t)->type))
			return false;
		kt_buf_printf(&p->text, "[%u]", btf_array(t)->nelems);
		return true;
	default: return false;
	}
}

static bool put_type(struct proto *p, uint32_t id)
{
	const struct btf_type *t = id ? btf__type_by_id(p->btf, id) : NULL;
	bool ok;

	if (!id) {
		kt_buf_appends(&p->text, "void ");
		return true;
	}
	if (!t || p->depth == MAX_DEPTH || p->text.len >= PROTO_MAX)
		return false;
	p->depth++;
	ok = put_kind(p, t);
	p->depth--;
	return ok;
}

bool btf_proto(const struct btf *btf, uint32_t id, struct kt_buf *out)
{
	const struct btf_type *func = btf__type_by_id(btf, id);
	struct proto p = {.btf = btf, .text = KT_BUF_INIT};
	bool ok = func && btf_is_func(func) &&
		  put_function(&p, btf__type_by_id(btf, func->type), func) &&
		  p.text.len < PROTO_MAX;

	if (ok)
		kt_buf_append(out, p.text.data, p.text.len);
	out->failed |= p.text.failed;
	kt_buf_deinit(&p.text);
	return ok;
}
