/* SPDX-License-Identifier: Apache-2.0 */
/** @file Tag bits to identity and back, by the table. */
#include "common/epc_impl.h"

#include "common/err.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WORD_BITS    16
#define DELIMITER    0xe /* more follows, not digits alone */
#define TERMINATOR   0xf
#define PREFIXED_MAX 12 /* digits of a coupon's serial */
#define COUNTED_BITS 4
#define GID_MANAGER  28
#define GID_CLASS    24
#define GID_SERIAL   36
#define PIECE_BITS   7

/* --- decoding --------------------------------------------------------------------------------- */

static int get_serial(struct epc_in *in, const struct epc_layout *l, struct epc_id *id)
{
	const struct epc_family *f = l->family;
	unsigned int n;
	uint64_t v;

	switch ((enum epc_serial) l->serial) {
	case EPC_SERIAL_NONE:
		return 0;
	case EPC_SERIAL_ZERO:
		return epc_get(in, l->serial_bits) == 0 ? 0 : -ERR_RANGE;
	case EPC_SERIAL_NUMBER:
		snprintf(id->serial, sizeof(id->serial), "%" PRIu64, epc_get(in, l->serial_bits));
		return 0;
	case EPC_SERIAL_PREFIXED:
		v = epc_get(in, l->serial_bits);
		for (n = 1; n <= PREFIXED_MAX; n++)
			if (v >= epc_power10(n) && v < 2 * epc_power10(n))
				break;
		if (n > PREFIXED_MAX)
			return -ERR_RANGE;
		snprintf(id->serial, sizeof(id->serial), "%0*" PRIu64, (int) n, v - epc_power10(n));
		return 0;
	case EPC_SERIAL_TEXT:
		return epc_get_text(in, l->serial_bits, l->serial_bits / 7, id->serial);
	case EPC_SERIAL_METHOD:
		return epc_get_method(in, f->serial_max, (enum epc_charset) f->serial_chars,
				      id->serial, &id->method);
	case EPC_SERIAL_COUNTED:
		n = (unsigned int) epc_get(in, COUNTED_BITS);
		if (n == 0 || n > f->serial_max)
			return in->bad ? -ERR_TRUNCATED : -ERR_RANGE;
		return epc_get_digits(in, n, id->serial);
	}
	return -ERR_VERSION;
}

static int get_ref(struct epc_in *in, const struct epc_layout *l, unsigned int partition, char *ret)
{
	unsigned int bits = l->ref_bits[partition], p = 12 - partition, digits;
	uint64_t v;

	if (l->ref == EPC_REF_TEXT)
		return epc_get_text(in, bits, EPC_KEY_MAX - p, ret);
	v = epc_get(in, bits);
	if (l->ref == EPC_REF_NUMBER) {
		snprintf(ret, EPC_KEY_MAX + 1, "%" PRIu64, v);
		return strlen(ret) <= l->ref_digits - p ? 0 : -ERR_RANGE;
	}
	digits = epc_ref_digits(l->family, p);
	if (v >= epc_power10(digits))
		return -ERR_RANGE;
	if (digits)
		snprintf(ret, EPC_KEY_MAX + 1, "%0*" PRIu64, (int) digits, v);
	else
		*ret = 0;
	return 0;
}

static int get_classic(struct epc_in *in, const struct epc_layout *l, struct epc_id *id)
{
	unsigned int partition;
	char prefix[24], ref[EPC_KEY_MAX + 1], extra[8] = "";
	uint64_t v;
	int r;

	id->filter = (uint8_t) epc_get(in, 3);
	partition = (unsigned int) epc_get(in, 3);
	if (partition >= EPC_PARTITIONS)
		return -ERR_RANGE;
	v = epc_get(in, epc_prefix_bits[partition]);
	if (v >= epc_power10(12 - partition))
		return -ERR_RANGE;
	snprintf(prefix, sizeof(prefix), "%0*" PRIu64, (int) (12 - partition), v);
	r = get_ref(in, l, partition, ref);
	if (r < 0)
		return r;
	if (l->family->extra) { /* piece and total */
		unsigned int piece = (unsigned int) epc_get(in, PIECE_BITS);
		unsigned int total = (unsigned int) epc_get(in, PIECE_BITS);

		if (piece > 99 || total > 99)
			return -ERR_RANGE;
		snprintf(extra, sizeof(extra), "%02u%02u", piece, total);
	}
	r = get_serial(in, l, id);
	if (r < 0)
		return r;
	return epc_join(id, prefix, ref, extra);
}

static int get_gid(struct epc_in *in, struct epc_id *id)
{
	uint64_t manager = epc_get(in, GID_MANAGER), class = epc_get(in, GID_CLASS);

	snprintf(id->key, sizeof(id->key), "%" PRIu64 ".%" PRIu64, manager, class);
	snprintf(id->serial, sizeof(id->serial), "%" PRIu64, epc_get(in, GID_SERIAL));
	return 0;
}

static int get_date(struct epc_in *in, struct epc_id *id)
{
	char text[12];
	unsigned int year, month, day;

	id->date_ai = epc_date_ai((unsigned int) epc_get(in, 4));
	year = (unsigned int) epc_get(in, 7);
	month = (unsigned int) epc_get(in, 4);
	day = (unsigned int) epc_get(in, 5);
	if (year > 99 || month > 99 || day > 99)
		return -ERR_RANGE;
	snprintf(text, sizeof(text), "%02u%02u%02u", year, month, day);
	memcpy(id->date, text, sizeof(id->date));
	return epc_date_ok(id->date_ai, id->date) ? 0 : -ERR_RANGE;
}

/** Digits, then perhaps text that does not begin with one. */
static int get_delimited(struct epc_in *in, const struct epc_layout *l, struct epc_id *id)
{
	unsigned int n = 0;

	for (;;) {
		unsigned int v = (unsigned int) epc_get(in, 4);

		if (in->bad)
			return -ERR_TRUNCATED;
		if (v == TERMINATOR)
			return 0;
		if (v == DELIMITER)
			break;
		if (v > 9 || n == EPC_KEY_MAX)
			return -ERR_RANGE;
		id->key[n++] = (char) ('0' + v);
	}
	int r = epc_get_method(in, EPC_KEY_MAX - n, (enum epc_charset) l->family->key_chars,
			       id->key + n, &id->method);

	return r < 0 ? r : epc_in_charset(id->key[n], EPC_CHARS_DIGITS) ? -ERR_SYNTAX : 0;
}

static int get_plus(struct epc_in *in, const struct epc_layout *l, struct epc_id *id)
{
	unsigned int digits = (unsigned int) l->family->digits + l->family->extra;
	int r = 0;

	id->aidc = epc_get(in, 1);
	id->filter = (uint8_t) epc_get(in, 3);
	if (l->dated)
		r = get_date(in, id);
	if (r == 0 && l->family->digits == 0)
		r = get_delimited(in, l, id);
	for (unsigned int i = 0; r == 0 && l->family->digits && i < digits; i++) {
		unsigned int v = (unsigned int) epc_get(in, 4);

		if (v > 9)
			return -ERR_RANGE;
		id->key[i] = (char) ('0' + v);
	}
	return r < 0 ? r : get_serial(in, l, id);
}

int epc_decode(const struct epc *e, struct epc_id *ret)
{
	struct epc_in in = {.data = e->data, .end = e->bits};
	struct epc_id id = {0};
	const struct epc_layout *l = NULL;
	uint8_t header = (uint8_t) epc_get(&in, 8);
	int r;

	for (int s = EPC_SCHEME_NONE + 1; s < EPC_SCHEME_COUNT && !l; s++) {
		l = epc_layout((enum epc_scheme) s);
		if (l->header == header)
			id.scheme = (enum epc_scheme) s;
		else
			l = NULL;
	}
	if (in.bad || !l)
		return -ERR_VERSION;
	r = l->family->name == epc_gid ? get_gid(&in, &id)
	    : l->plus                  ? get_plus(&in, l, &id)
				       : get_classic(&in, l, &id);
	if (in.bad)
		return -ERR_TRUNCATED;
	if (r == 0)
		r = epc_id_check(&id);
	if (r < 0)
		return r;
	r = (int) in.at;
	while (!id.aidc && in.at < in.end)
		if (epc_get(&in, 1))
			return -ERR_TRAILING;
	*ret = id;
	return r;
}

/* --- encoding (of what epc_id_check() has passed) --------------------------------------------- */

static uint64_t value_of(const char *digits)
{
	return strtoull(digits, NULL, 10);
}

static int put_serial(struct epc_out *out, const struct epc_layout *l, const struct epc_id *id)
{
	switch ((enum epc_serial) l->serial) {
	case EPC_SERIAL_NONE:
		return 0;
	case EPC_SERIAL_ZERO:
		epc_put(out, l->serial_bits, 0);
		return 0;
	case EPC_SERIAL_NUMBER:
		epc_put(out, l->serial_bits, value_of(id->serial));
		return 0;
	case EPC_SERIAL_PREFIXED:
		epc_put(out, l->serial_bits,
			epc_power10((unsigned int) strlen(id->serial)) + value_of(id->serial));
		return 0;
	case EPC_SERIAL_TEXT:
		epc_put_text(out, l->serial_bits, id->serial);
		return 0;
	case EPC_SERIAL_METHOD:
		return epc_put_method(out, id->serial, id->method);
	case EPC_SERIAL_COUNTED:
		epc_put(out, COUNTED_BITS, strlen(id->serial));
		epc_put_digits(out, id->serial);
		return 0;
	}
	return -ERR_VERSION;
}

static int put_classic(struct epc_out *out, const struct epc_layout *l, const struct epc_id *id)
{
	unsigned int partition = 12u - id->prefix_digits;
	char prefix[13], ref[EPC_KEY_MAX + 1];

	epc_split(id, prefix, ref);
	epc_put(out, 3, id->filter);
	epc_put(out, 3, partition);
	epc_put(out, epc_prefix_bits[partition], value_of(prefix));
	if (l->ref == EPC_REF_TEXT)
		epc_put_text(out, l->ref_bits[partition], ref);
	else
		epc_put(out, l->ref_bits[partition], value_of(ref));
	if (l->family->extra) {
		const char *extra = id->key + l->family->digits;

		epc_put(out, PIECE_BITS, (uint64_t) ((extra[0] - '0') * 10 + extra[1] - '0'));
		epc_put(out, PIECE_BITS, (uint64_t) ((extra[2] - '0') * 10 + extra[3] - '0'));
	}
	return put_serial(out, l, id);
}

static int put_gid(struct epc_out *out, const struct epc_id *id)
{
	epc_put(out, GID_MANAGER, value_of(id->key));
	epc_put(out, GID_CLASS, value_of(strchr(id->key, '.') + 1));
	epc_put(out, GID_SERIAL, value_of(id->serial));
	return 0;
}

static int put_plus(struct epc_out *out, const struct epc_layout *l, const struct epc_id *id)
{
	const char *key = id->key;
	int r = 0;

	epc_put(out, 1, id->aidc);
	epc_put(out, 3, id->filter);
	if (l->dated) {
		unsigned int date = (unsigned int) value_of(id->date);

		epc_put(out, 4, (uint64_t) epc_date_type(id->date_ai));
		epc_put(out, 7, date / 10000);
		epc_put(out, 4, date / 100 % 100);
		epc_put(out, 5, date % 100);
	}
	for (; epc_in_charset(*key, EPC_CHARS_DIGITS); key++)
		epc_put(out, 4, (uint64_t) (*key - '0'));
	if (l->family->digits == 0) {
		epc_put(out, 4, *key ? DELIMITER : TERMINATOR);
		r = *key ? epc_put_method(out, key, id->method) : 0;
	}
	return r < 0 ? r : put_serial(out, l, id);
}

int epc_encode(const struct epc_id *id, struct epc *ret)
{
	const struct epc_layout *l = epc_layout(id->scheme);
	struct epc e = {0};
	struct epc_out out = {.data = e.data};
	int r = epc_id_check(id);

	if (r < 0)
		return r;
	epc_put(&out, 8, l->header);
	r = l->family->name == epc_gid ? put_gid(&out, id)
	    : l->plus                  ? put_plus(&out, l, id)
				       : put_classic(&out, l, id);
	if (r < 0)
		return r;
	if (out.bad)
		return -ERR_TOO_LARGE;
	e.bits = (uint16_t) ((out.at + WORD_BITS - 1) / WORD_BITS * WORD_BITS);
	*ret = e;
	return (int) out.at;
}
