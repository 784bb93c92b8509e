/* SPDX-License-Identifier: Apache-2.0 */
#include "common/cbor.h"
#include "common/err.h"
#include <cbor.h>
#include <string.h>

#define HEAD_MAX       9
#define SKIP_DEPTH_MAX 16

/* --- writing ---------------------------------------------------------------------------------- */

static void put_head(struct buf *b, size_t (*encode)(size_t, unsigned char *, size_t), size_t n)
{
	unsigned char head[HEAD_MAX];

	buf_put(b, head, encode(n, head, sizeof(head)));
}

void cbor_put_uint(struct buf *b, uint64_t v)
{
	unsigned char head[HEAD_MAX];

	buf_put(b, head, cbor_encode_uint(v, head, sizeof(head)));
}

void cbor_put_int(struct buf *b, int64_t v)
{
	unsigned char head[HEAD_MAX];

	if (v >= 0) {
		cbor_put_uint(b, (uint64_t) v);
		return;
	}
	/* RFC 8949 3.1: major type 1 carries -1 - v. */
	buf_put(b, head, cbor_encode_negint((uint64_t) (-1 - v), head, sizeof(head)));
}

void cbor_put_bytes(struct buf *b, const void *data, size_t n)
{
	put_head(b, cbor_encode_bytestring_start, n);
	buf_put(b, data, n);
}

void cbor_put_text(struct buf *b, const char *text)
{
	size_t n = strlen(text);

	put_head(b, cbor_encode_string_start, n);
	buf_put(b, text, n);
}

void cbor_put_array(struct buf *b, size_t n)
{
	put_head(b, cbor_encode_array_start, n);
}

void cbor_put_map(struct buf *b, size_t pairs)
{
	put_head(b, cbor_encode_map_start, pairs);
}

void cbor_put_bool(struct buf *b, bool v)
{
	unsigned char head[HEAD_MAX];

	buf_put(b, head, cbor_encode_bool(v, head, sizeof(head)));
}

void cbor_put_null(struct buf *b)
{
	unsigned char head[HEAD_MAX];

	buf_put(b, head, cbor_encode_null(head, sizeof(head)));
}

/* --- reading ---------------------------------------------------------------------------------- */

enum item_kind {
	ITEM_UINT,
	ITEM_NEGINT,
	ITEM_BYTES,
	ITEM_TEXT,
	ITEM_ARRAY,
	ITEM_MAP,
	ITEM_TAG,
	ITEM_BOOL,
	ITEM_NULL,
	ITEM_OTHER, /* floats and undefined: skipped, never asked for */
	ITEM_REFUSED
};

struct item {
	enum item_kind kind;
	uint64_t value; /* number, count or boolean */
	const uint8_t *data;
	size_t len;
};

static void take(void *ctx, enum item_kind kind, uint64_t value)
{
	struct item *it = ctx;

	it->kind = kind;
	it->value = value;
}

static void on_uint8(void *ctx, uint8_t v)
{
	take(ctx, ITEM_UINT, v);
}

static void on_uint16(void *ctx, uint16_t v)
{
	take(ctx, ITEM_UINT, v);
}

static void on_uint32(void *ctx, uint32_t v)
{
	take(ctx, ITEM_UINT, v);
}

static void on_uint64(void *ctx, uint64_t v)
{
	take(ctx, ITEM_UINT, v);
}

static void on_negint8(void *ctx, uint8_t v)
{
	take(ctx, ITEM_NEGINT, v);
}

static void on_negint16(void *ctx, uint16_t v)
{
	take(ctx, ITEM_NEGINT, v);
}

static void on_negint32(void *ctx, uint32_t v)
{
	take(ctx, ITEM_NEGINT, v);
}

static void on_negint64(void *ctx, uint64_t v)
{
	take(ctx, ITEM_NEGINT, v);
}

static void take_string(void *ctx, enum item_kind kind, cbor_data data, size_t n)
{
	struct item *it = ctx;

	it->kind = kind;
	it->data = data;
	it->len = n;
}

static void on_bytes(void *ctx, cbor_data data, size_t n)
{
	take_string(ctx, ITEM_BYTES, data, n);
}

static void on_text(void *ctx, cbor_data data, size_t n)
{
	take_string(ctx, ITEM_TEXT, data, n);
}

static void on_array(void *ctx, size_t n)
{
	take(ctx, ITEM_ARRAY, n);
}

static void on_map(void *ctx, size_t n)
{
	take(ctx, ITEM_MAP, n);
}

static void on_tag(void *ctx, uint64_t v)
{
	take(ctx, ITEM_TAG, v);
}

static void on_bool(void *ctx, bool v)
{
	take(ctx, ITEM_BOOL, v);
}

static void on_null(void *ctx)
{
	take(ctx, ITEM_NULL, 0);
}

static void on_other(void *ctx)
{
	take(ctx, ITEM_OTHER, 0);
}

static void on_float(void *ctx, float v)
{
	(void) v;
	take(ctx, ITEM_OTHER, 0);
}

static void on_double(void *ctx, double v)
{
	(void) v;
	take(ctx, ITEM_OTHER, 0);
}

static void on_indefinite(void *ctx)
{
	take(ctx, ITEM_REFUSED, 0);
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_uint8,
	.uint16 = on_uint16,
	.uint32 = on_uint32,
	.uint64 = on_uint64,
	.negint8 = on_negint8,
	.negint16 = on_negint16,
	.negint32 = on_negint32,
	.negint64 = on_negint64,
	.byte_string_start = on_indefinite,
	.byte_string = on_bytes,
	.string = on_text,
	.string_start = on_indefinite,
	.indef_array_start = on_indefinite,
	.array_start = on_array,
	.indef_map_start = on_indefinite,
	.map_start = on_map,
	.tag = on_tag,
	.float2 = on_float,
	.float4 = on_float,
	.float8 = on_double,
	.undefined = on_other,
	.null = on_null,
	.boolean = on_bool,
	.indef_break = on_indefinite,
};

void cbor_reader_init(struct cbor_reader *r, const void *data, size_t len)
{
	*r = (struct cbor_reader){.data = data, .len = len};
}

void cbor_reader_fail(struct cbor_reader *r, int err)
{
	if (r->err)
		return;
	r->err = err;
	r->at = r->pos;
}

int cbor_reader_finish(struct cbor_reader *r)
{
	if (!r->err && r->pos != r->len)
		cbor_reader_fail(r, -ERR_TRAILING);
	return r->err;
}

/* Decodes the item at the cursor without moving; yields the bytes it takes, 0 on failure. */
static size_t peek(struct cbor_reader *r, struct item *it)
{
	if (r->err)
		return 0;
	*it = (struct item){.kind = ITEM_REFUSED};
	struct cbor_decoder_result res =
		cbor_stream_decode(r->data + r->pos, r->len - r->pos, &callbacks, it);

	if (res.status == CBOR_DECODER_NEDATA)
		cbor_reader_fail(r, -ERR_TRUNCATED);
	else if (res.status == CBOR_DECODER_ERROR || it->kind == ITEM_REFUSED)
		cbor_reader_fail(r, -ERR_BADMSG);
	/* Every element takes at least one byte: a count that cannot be there is refused here. */
	else if ((it->kind == ITEM_ARRAY || it->kind == ITEM_MAP) && it->value > r->len - r->pos)
		cbor_reader_fail(r, -ERR_TRUNCATED);
	return r->err ? 0 : res.read;
}

/* Takes the next item if it is of this kind; a failure leaves the cursor on it. */
static bool next(struct cbor_reader *r, enum item_kind kind, struct item *it)
{
	size_t n = peek(r, it);

	if (!n)
		return false;
	if (it->kind != kind) {
		cbor_reader_fail(r, -ERR_BADMSG);
		return false;
	}
	r->pos += n;
	return true;
}

/* Puts the cursor back on the item, so that the error's offset is the item's. */
static void refuse(struct cbor_reader *r, size_t item_pos, int err)
{
	r->pos = item_pos;
	cbor_reader_fail(r, err);
}

uint64_t cbor_get_uint(struct cbor_reader *r, uint64_t max)
{
	size_t at = r->pos;
	struct item it;

	if (!next(r, ITEM_UINT, &it))
		return 0;
	if (it.value > max) {
		refuse(r, at, -ERR_RANGE);
		return 0;
	}
	return it.value;
}

int64_t cbor_get_i64(struct cbor_reader *r)
{
	struct item it;
	size_t n = peek(r, &it);

	if (!n)
		return 0;
	if ((it.kind != ITEM_UINT && it.kind != ITEM_NEGINT) || it.value > INT64_MAX) {
		cbor_reader_fail(r, it.kind > ITEM_NEGINT ? -ERR_BADMSG : -ERR_RANGE);
		return 0;
	}
	r->pos += n;
	return it.kind == ITEM_UINT ? (int64_t) it.value : -1 - (int64_t) it.value;
}

bool cbor_get_boolean(struct cbor_reader *r)
{
	struct item it;

	return next(r, ITEM_BOOL, &it) && it.value;
}

const uint8_t *cbor_get_bytes(struct cbor_reader *r, size_t max_len, size_t *ret_len)
{
	size_t at = r->pos;
	struct item it;

	*ret_len = 0;
	if (!next(r, ITEM_BYTES, &it))
		return NULL;
	if (it.len > max_len) {
		refuse(r, at, -ERR_TOO_LARGE);
		return NULL;
	}
	*ret_len = it.len;
	return it.data;
}

void cbor_get_bytes_exact(struct cbor_reader *r, void *to, size_t n)
{
	size_t at = r->pos, len;
	const uint8_t *p = cbor_get_bytes(r, n, &len);

	memset(to, 0, n);
	if (!p)
		return;
	if (len != n) {
		refuse(r, at, -ERR_BADMSG);
		return;
	}
	memcpy(to, p, n);
}

/* RFC 3629: shortest form only, no surrogates, nothing past U+10FFFF. */
static bool is_utf8(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint8_t c = p[i];
		size_t more = c < 0x80       ? 0
			      : c >> 5 == 6  ? 1
			      : c >> 4 == 14 ? 2
			      : c >> 3 == 30 ? 3
					     : 9;
		uint32_t v = more ? c & (0x3fu >> more) : c;

		if (more > 3 || i + more >= n)
			return false;
		for (size_t k = 1; k <= more; k++) {
			if (p[i + k] >> 6 != 2)
				return false;
			v = v << 6 | (p[i + k] & 0x3fu);
		}
		if ((more == 1 && v < 0x80) || (more == 2 && v < 0x800) ||
		    (more == 3 && v < 0x10000) || (v >= 0xd800 && v <= 0xdfff) || v > 0x10ffff)
			return false;
		i += more + 1;
	}
	return true;
}

void cbor_get_text(struct cbor_reader *r, char *buf, size_t cap)
{
	size_t at = r->pos;
	struct item it;

	buf[0] = 0;
	if (!next(r, ITEM_TEXT, &it))
		return;
	if (it.len >= cap) {
		refuse(r, at, -ERR_TOO_LARGE);
	} else if (!is_utf8(it.data, it.len) || memchr(it.data, 0, it.len)) {
		refuse(r, at, -ERR_UTF8);
	} else {
		memcpy(buf, it.data, it.len);
		buf[it.len] = 0;
	}
}

static size_t get_count(struct cbor_reader *r, enum item_kind kind, size_t max)
{
	size_t at = r->pos;
	struct item it;

	if (!next(r, kind, &it))
		return 0;
	if (it.value > max) {
		refuse(r, at, -ERR_TOO_LARGE);
		return 0;
	}
	return (size_t) it.value;
}

size_t cbor_get_array(struct cbor_reader *r, size_t max)
{
	return get_count(r, ITEM_ARRAY, max);
}

size_t cbor_get_map(struct cbor_reader *r, size_t max)
{
	return get_count(r, ITEM_MAP, max);
}

bool cbor_get_null(struct cbor_reader *r)
{
	struct item it;
	size_t n = peek(r, &it);

	if (!n || it.kind != ITEM_NULL)
		return false;
	r->pos += n;
	return true;
}

static void skip_nested(struct cbor_reader *r, unsigned int depth)
{
	struct item it;
	size_t n = peek(r, &it);

	if (!n)
		return;
	if (depth > SKIP_DEPTH_MAX) {
		cbor_reader_fail(r, -ERR_TOO_LARGE);
		return;
	}
	r->pos += n;
	uint64_t inner = it.kind == ITEM_ARRAY ? it.value
			 : it.kind == ITEM_MAP ? 2 * it.value
			 : it.kind == ITEM_TAG ? 1
					       : 0;

	for (uint64_t i = 0; i < inner && !r->err; i++)
		skip_nested(r, depth + 1);
}

void cbor_skip(struct cbor_reader *r)
{
	skip_nested(r, 0);
}
