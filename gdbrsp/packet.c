// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "gdbrsp/packet.h"

enum {
	IDLE,
	PAYLOAD,
	ESCAPE,
	REPEAT,
	CHECKSUM_HIGH,
	CHECKSUM_LOW,
};

/* The value of a hex digit plus one, so that the many zeros mean "not a digit". */
/* clang-format off */
static const uint8_t hex_value[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5,
	['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};
/* clang-format on */

static const char hex_digits[] = "0123456789abcdef";

static bool is_special(uint8_t c)
{
	return c == '$' || c == '#' || c == '}' || c == '*';
}

void rsp_packet_append(struct kt_buf *out, const void *payload, size_t len)
{
	const uint8_t *p = payload;
	uint8_t sum = 0;

	kt_buf_appendc(out, '$');
	for (size_t i = 0; i < len; i++) {
		uint8_t c = p[i];

		if (is_special(c)) {
			kt_buf_appendc(out, '}');
			sum = (uint8_t)(sum + '}');
			c ^= 0x20;
		}
		kt_buf_appendc(out, (char)c);
		sum = (uint8_t)(sum + c);
	}
	kt_buf_appendc(out, '#');
	rsp_hex_append(out, &sum, 1);
}

void rsp_decoder_init(struct rsp_decoder *d, char *payload, size_t max)
{
	*d = (struct rsp_decoder){.payload = payload, .max = max, .state = IDLE};
}

bool rsp_decoder_busy(const struct rsp_decoder *d)
{
	return d->state != IDLE;
}

static enum rsp_event fault(struct rsp_decoder *d, enum rsp_event event)
{
	d->state = IDLE;
	return event;
}

static enum rsp_event between_packets(struct rsp_decoder *d, uint8_t c)
{
	switch (c) {
	case '+': return RSP_EVENT_ACK;
	case '-': return RSP_EVENT_NAK;
	case '$':
	case '%':
		d->notification = c == '%';
		d->len = 0;
		d->sum = 0;
		d->state = PAYLOAD;
		return RSP_EVENT_NONE;
	default: return RSP_EVENT_GARBAGE;
	}
}

/* Takes the run of plain payload bytes at data, which is nearly everything; returns its length. */
static size_t plain_run(struct rsp_decoder *d, const uint8_t *data, size_t len)
{
	size_t room = d->max - d->len;
	size_t n = 0;
	uint8_t sum = d->sum;

	if (len > room)
		len = room;
	while (n < len && !is_special(data[n]))
		sum = (uint8_t)(sum + data[n++]);
	memcpy(d->payload + d->len, data, n);
	d->len += n;
	d->sum = sum;
	return n;
}

/* A byte that plain_run() did not take: a special one, or there is no room for it. */
static enum rsp_event special_byte(struct rsp_decoder *d, uint8_t c)
{
	switch (c) {
	case '#': d->state = CHECKSUM_HIGH; return RSP_EVENT_NONE;
	case '}': d->state = ESCAPE; break;
	case '*': d->state = REPEAT; break;
	case '$': return fault(d, RSP_EVENT_MALFORMED);
	default: return fault(d, RSP_EVENT_TOO_LONG);
	}
	d->sum = (uint8_t)(d->sum + c);
	return RSP_EVENT_NONE;
}

static enum rsp_event escaped_byte(struct rsp_decoder *d, uint8_t c)
{
	if (d->len == d->max)
		return fault(d, RSP_EVENT_TOO_LONG);
	d->payload[d->len++] = (char)(c ^ 0x20);
	d->sum = (uint8_t)(d->sum + c);
	d->state = PAYLOAD;
	return RSP_EVENT_NONE;
}

/* `0* ` is four zeros: the count is the byte minus 29, and `#` and `$` cannot be counts. */
static enum rsp_event repeat_byte(struct rsp_decoder *d, uint8_t c)
{
	size_t n = (size_t)c - 29;

	if (c < ' ' || c > '~' || c == '#' || c == '$' || d->len == 0)
		return fault(d, RSP_EVENT_MALFORMED);
	if (n > d->max - d->len)
		return fault(d, RSP_EVENT_TOO_LONG);
	memset(d->payload + d->len, d->payload[d->len - 1], n);
	d->len += n;
	d->sum = (uint8_t)(d->sum + c);
	d->state = PAYLOAD;
	return RSP_EVENT_NONE;
}

static enum rsp_event checksum_digit(struct rsp_decoder *d, uint8_t c)
{
	if (!hex_value[c])
		return fault(d, RSP_EVENT_MALFORMED);
	d->given = (uint8_t)(d->given << 4 | (hex_value[c] - 1));
	if (d->state == CHECKSUM_HIGH) {
		d->state = CHECKSUM_LOW;
		return RSP_EVENT_NONE;
	}
	d->state = IDLE;
	if (d->given != d->sum)
		return RSP_EVENT_BAD_CHECKSUM;
	return d->notification ? RSP_EVENT_NOTIFICATION : RSP_EVENT_PACKET;
}

static enum rsp_event push_byte(struct rsp_decoder *d, uint8_t c)
{
	switch (d->state) {
	case PAYLOAD: return special_byte(d, c);
	case ESCAPE: return escaped_byte(d, c);
	case REPEAT: return repeat_byte(d, c);
	case CHECKSUM_HIGH:
	case CHECKSUM_LOW: return checksum_digit(d, c);
	default: return between_packets(d, c);
	}
}

size_t rsp_decoder_push(struct rsp_decoder *d, const uint8_t *data, size_t len,
			enum rsp_event *event_ret)
{
	size_t pos = 0;

	*event_ret = RSP_EVENT_NONE;
	while (pos < len && *event_ret == RSP_EVENT_NONE) {
		if (d->state == PAYLOAD)
			pos += plain_run(d, data + pos, len - pos);
		if (pos < len)
			*event_ret = push_byte(d, data[pos++]);
	}
	return pos;
}

bool rsp_hex_decode(void *dst, size_t n, const char *hex)
{
	const uint8_t *p = (const uint8_t *)hex;
	uint8_t *out = dst;
	bool good = true;

	for (size_t i = 0; i < n; i++) {
		uint8_t high = hex_value[p[2 * i]];
		uint8_t low = hex_value[p[2 * i + 1]];

		good &= high && low;
		out[i] = (uint8_t)((high - 1U) << 4 | ((low - 1U) & 0xf));
	}
	return good;
}

void rsp_hex_append(struct kt_buf *out, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++) {
		kt_buf_appendc(out, hex_digits[p[i] >> 4]);
		kt_buf_appendc(out, hex_digits[p[i] & 0xf]);
	}
}
