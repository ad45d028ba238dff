// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>

#include "cli/btf_read.h"

struct kt_error *cli_btf_read(struct cli_session *session, uint32_t id,
			      struct btf_object *object_ret, struct kt_buf *data)
{
	struct inspect_options what = {.objects = INSPECT_BTF_DATA, .btf_id = id};

	do {
		const struct btf_data *part = &session->inspection.btf;
		struct kt_error *err;

		what.btf_offset = data->len;
		inspection_deinit(&session->inspection);
		err = cli_session_read(session, &what);
		if (err)
			return err;
		if (!data->len)
			*object_ret = part->object;
		if (part->object.size.value != object_ret->size.value ||
		    (!part->len && data->len < object_ret->size.value))
			return kt_error_new(KT_ERROR_MISMATCH,
					    "BTF object %" PRIu32 " became another one", id);
		kt_buf_append(data, part->data, part->len);
		if (kt_buf_failed(data))
			return kt_error_no_memory();
	} while (data->len < object_ret->size.value);
	return NULL;
}
