// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vm/event.h"
#include "util/cursor.h"

const char *vm_event_text(struct kt_buf *buf, const void *text, size_t len)
{
	kt_buf_deinit(buf);
	*buf = (struct kt_buf)KT_BUF_INIT;
	kt_buf_append(buf, text, len);
	return buf->failed ? "" : buf->data;
}

static const struct {
	enum kt_phase phase;
	enum vm_event_type type;
} phases[] = {
	{KT_PHASE_WAITING, VM_EVENT_WAITING},
	{KT_PHASE_INIT_STARTED, VM_EVENT_INIT_STARTED},
	{KT_PHASE_PAYLOAD_STARTED, VM_EVENT_PAYLOAD_STARTED},
	{KT_PHASE_SCHED_DIED, VM_EVENT_SCHED_DIED},
	{KT_PHASE_SCHED_NOT_ATTACHED, VM_EVENT_NOT_ATTACHED},
	{KT_PHASE_SCHED_ATTACHED, VM_EVENT_ATTACHED},
	{KT_PHASE_WORKLOAD_DISPATCHED, VM_EVENT_DISPATCHED},
	{KT_PHASE_READY, VM_EVENT_READY},
	{KT_PHASE_WORKLOAD_STALLED, VM_EVENT_STALLED},
	{KT_PHASE_STOPPING, VM_EVENT_STOPPING},
	{KT_PHASE_HOST_TOO_SLOW, VM_EVENT_TOO_SLOW},
};

/* Without control characters: it becomes part of a sentence. */
static const char *line_text(struct kt_buf *buf, const void *text, size_t len)
{
	const char *line = vm_event_text(buf, text, len);

	for (size_t i = 0; i < buf->len; i++)
		if ((unsigned char)buf->data[i] < ' ' || buf->data[i] == 127)
			buf->data[i] = '?';
	return line;
}

static bool lifecycle_event(const struct kt_frame *frame, struct kt_buf *text, struct vm_event *ret)
{
	for (size_t i = 0; frame->len && i < sizeof(phases) / sizeof(*phases); i++) {
		if (frame->payload[0] != phases[i].phase)
			continue;
		ret->type = phases[i].type;
		ret->text = line_text(text, frame->payload + 1, frame->len - 1);
		return true;
	}
	return false;
}

static bool program_event(const struct kt_frame *frame, struct vm_event *ret)
{
	if (!kt_prog_record_decode(frame->payload, frame->len, &ret->program))
		return false;
	ret->type = VM_EVENT_PROGRAM;
	return true;
}

static bool output_event(const struct kt_frame *frame, struct vm_event *ret)
{
	if (!frame->len)
		return false;
	ret->type = VM_EVENT_OUTPUT;
	ret->stream = frame->payload[0];
	ret->data = frame->payload + 1;
	ret->len = frame->len - 1;
	return true;
}

static bool number_event(const struct kt_frame *frame, enum vm_event_type type,
			 struct vm_event *ret)
{
	if (frame->len != 4)
		return false;
	ret->type = type;
	ret->status = (int)kt_load_uint(frame->payload, 4, false);
	return true;
}

bool vm_event_from_frame(const struct kt_frame *frame, struct kt_buf *text, struct vm_event *ret)
{
	struct vm_event event = {0};
	bool known = false;

	switch (frame->type) {
	case KT_FRAME_LIFECYCLE: known = lifecycle_event(frame, text, &event); break;
	case KT_FRAME_PROG: known = program_event(frame, &event); break;
	case KT_FRAME_OUTPUT: known = output_event(frame, &event); break;
	case KT_FRAME_EXIT: known = number_event(frame, VM_EVENT_EXIT, &event); break;
	case KT_FRAME_SCHED_EXIT: known = number_event(frame, VM_EVENT_SCHED_EXIT, &event); break;
	case KT_FRAME_LEFT: known = number_event(frame, VM_EVENT_LEFT_OUT, &event); break;
	case KT_FRAME_SCHED_LOG:
		event.type = VM_EVENT_SCHED_LOG;
		event.data = frame->payload;
		event.len = frame->len;
		known = true;
		break;
	default: break;
	}
	if (known)
		*ret = event;
	return known;
}
