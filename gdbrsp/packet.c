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

/*
 * The sum of the bytes, modulo 256, eight at a time: the even and the odd bytes of a word in
 * 16-bit lanes, folded before a lane can overflow.
 */
static uint8_t byte_sum(const uint8_t *p, size_t len)
{
	static const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
	uint8_t sum = 0;

	while (len >= 8) {
		size_t words = len / 8 < 128 ? len / 8 : 128;
		uint64_t lanes = 0;

		for (size_t i = 0; i < words; i++, p += 8) {
			uint64_t word;

			memcpy(&word, p, sizeof(word));
			lanes += (word & even) + (word >> 8 & even);
		}
		sum = (uint8_t)(sum + lanes + (lanes >> 16) + (lanes >> 32) + (lanes >> 48));
		len -= words * 8;
	}
	while (len--)
		sum = (uint8_t)(sum + *p++);
	return sum;
}

/* Bytes before the first special one. Replies are hex, and memchr() is fast. */
static size_t plain_length(const uint8_t *data, size_t len)
{
	static const char specials[] = {'#', '}', '*', '$'};

	for (size_t i = 0; i < sizeof(specials); i++) {
		const uint8_t *at = memchr(data, specials[i], len);

		if (at)
			len = (size_t)(at - data);
	}
	return len;
}

void rsp_packet_append(struct kt_buf *out, const void *payload, size_t len)
{
	const uint8_t *p = payload;
	uint8_t sum = 0;

	kt_buf_appendc(out, '$');
	while (len) {
		size_t n = plain_length(p, len);

		kt_buf_append(out, p, n);
		sum = (uint8_t)(sum + byte_sum(p, n));
		if (n < len) {
			uint8_t escaped = p[n++] ^ 0x20;

			kt_buf_appendc(out, '}');
			kt_buf_appendc(out, (char)escaped);
			sum = (uint8_t)(sum + '}' + escaped);
		}
		p += n;
		len -= n;
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
	size_t n = plain_length(data, len < room ? len : room);

	memcpy(d->payload + d->len, data, n);
	d->len += n;
	d->sum = (uint8_t)(d->sum + byte_sum(data, n));
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

/* 16 digits, and the 8 bytes that they are. */
typedef uint8_t hex_digit_vec __attribute__((vector_size(16)));
typedef uint16_t hex_pair_vec __attribute__((vector_size(16)));
typedef uint8_t hex_byte_vec __attribute__((vector_size(8)));

/*
 * Most of what a stub sends is hex, and the guest stands still meanwhile: 16 digits at a time take
 * a sixth of the time. The result: 0 if all of them are digits.
 */
static uint64_t decode_16(uint8_t *out, const uint8_t *p)
{
	hex_digit_vec c, decimal, letter, is_decimal, is_letter, value, bad;
	hex_pair_vec pairs;
	hex_byte_vec bytes;
	uint64_t halves[2];

	memcpy(&c, p, sizeof(c));
	decimal = c - '0';
	letter = (c | 0x20) - 'a';
	is_decimal = (hex_digit_vec)(decimal < 10);
	is_letter = (hex_digit_vec)(letter < 6);
	value = (decimal & is_decimal) | ((letter + 10) & is_letter);
	memcpy(&pairs, &value, sizeof(pairs));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	pairs = (pairs << 4 | pairs >> 8) & 0xff;
#else
	pairs = (pairs >> 4 | pairs) & 0xff;
#endif
	bytes = __builtin_convertvector(pairs, hex_byte_vec);
	memcpy(out, &bytes, sizeof(bytes));
	bad = ~(is_decimal | is_letter);
	memcpy(halves, &bad, sizeof(halves));
	return halves[0] | halves[1];
}

bool rsp_hex_decode(void *dst, size_t n, const char *hex)
{
	const uint8_t *p = (const uint8_t *)hex;
	uint8_t *out = dst;
	unsigned int bad = 0;
	uint64_t bad_many = 0;
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		bad_many |= decode_16(out + i, p + 2 * i);
	for (; i < n; i++) {
		/* 0 for what is no digit becomes a borrow above the low byte. */
		unsigned int high = hex_value[p[2 * i]] - 1U;
		unsigned int low = hex_value[p[2 * i + 1]] - 1U;

		bad |= high | low;
		out[i] = (uint8_t)(high << 4 | (low & 0xf));
	}
	return bad <= 0xf && !bad_many;
}

void rsp_hex_append(struct kt_buf *out, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++) {
		kt_buf_appendc(out, hex_digits[p[i] >> 4]);
		kt_buf_appendc(out, hex_digits[p[i] & 0xf]);
	}
}

void rsp_hex_append_number(struct kt_buf *out, uint64_t number)
{
	char digits[16];
	size_t n = sizeof(digits);

	do {
		digits[--n] = hex_digits[number & 0xf];
		number >>= 4;
	} while (number);
	kt_buf_append(out, digits + n, sizeof(digits) - n);
}
