/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto_impl.h"
#include <errno.h>
#include <string.h>

void pp_begin(struct buf *out, size_t pairs, uint64_t caps)
{
	cbor_put_map(out, pairs + 2);
	cbor_put_uint(out, KEY_VERSION);
	cbor_put_uint(out, PROTO_VERSION);
	cbor_put_uint(out, KEY_CAPS);
	cbor_put_uint(out, caps);
}

void pp_put_u(struct buf *out, unsigned int key, uint64_t v)
{
	cbor_put_uint(out, key);
	cbor_put_uint(out, v);
}

void pp_put_i(struct buf *out, unsigned int key, int64_t v)
{
	cbor_put_uint(out, key);
	cbor_put_int(out, v);
}

void pp_put_b(struct buf *out, unsigned int key, const void *data, size_t n)
{
	cbor_put_uint(out, key);
	cbor_put_bytes(out, data, n);
}

void pp_put_t(struct buf *out, unsigned int key, const char *text)
{
	cbor_put_uint(out, key);
	cbor_put_text(out, text);
}

void pp_put_flag(struct buf *out, unsigned int key, bool v)
{
	cbor_put_uint(out, key);
	cbor_put_bool(out, v);
}

void pp_put_array(struct buf *out, unsigned int key, size_t n)
{
	cbor_put_uint(out, key);
	cbor_put_array(out, n);
}

/* --- reading a map by its keys ---------------------------------------------------------------- */

struct pp_pairs pp_open_pairs(struct cbor_reader *r)
{
	return (struct pp_pairs){.r = r, .left = cbor_get_map(r, 64)};
}

struct pp_pairs pp_open_message(struct cbor_reader *r, const void *data, size_t len,
				uint64_t *ret_caps)
{
	struct pp_pairs p;

	cbor_reader_init(r, data, len);
	p = pp_open_pairs(r);
	p.caps = ret_caps;
	return p;
}

static void read_version(struct cbor_reader *r)
{
	if (cbor_get_uint(r, UINT64_MAX) != PROTO_VERSION)
		cbor_reader_fail(r, -ERR_VERSION);
}

bool pp_next_pair(struct pp_pairs *p, unsigned int *ret_key, unsigned int n_keys)
{
	while (p->left && cbor_reader_ok(p->r)) {
		uint64_t key = cbor_get_uint(p->r, UINT64_MAX);

		p->left--;
		if (key >= n_keys) {
			cbor_skip(p->r);
			continue;
		}
		if (p->seen & KEY_BIT(key)) {
			cbor_reader_fail(p->r, -ERR_BADMSG);
			return false;
		}
		p->seen |= KEY_BIT(key);
		if (p->caps && key == KEY_VERSION) {
			read_version(p->r);
			continue;
		}
		if (p->caps && key == KEY_CAPS) {
			*p->caps = cbor_get_uint(p->r, UINT64_MAX);
			continue;
		}
		*ret_key = (unsigned int) key;
		return cbor_reader_ok(p->r);
	}
	return false;
}

void pp_require(struct pp_pairs *p, uint64_t keys)
{
	if (p->caps)
		keys |= KEY_BIT(KEY_VERSION);
	if (cbor_reader_ok(p->r) && (p->seen & keys) != keys)
		cbor_reader_fail(p->r, -ERR_BADMSG);
}

size_t pp_get_b(struct cbor_reader *r, void *to, size_t cap)
{
	size_t n = 0;
	const uint8_t *data = cbor_get_bytes(r, cap, &n);

	if (!data)
		return 0;
	if (n)
		memcpy(to, data, n);
	return n;
}

int pp_finish(struct cbor_reader *r, size_t *ret_at)
{
	int err = cbor_reader_finish(r);

	if (ret_at)
		*ret_at = err < 0 ? r->at : 0;
	return err;
}

/* An array of n zeroed structs; NULL with a sticky error when memory is short. */
void *pp_new_array(struct cbor_reader *r, size_t n, size_t size)
{
	void *p = n ? calloc(n, size) : NULL;

	if (n && !p)
		cbor_reader_fail(r, -ENOMEM);
	return p;
}

void pp_expect_array(struct cbor_reader *r, size_t n)
{
	if (cbor_get_array(r, n) != n)
		cbor_reader_fail(r, -ERR_BADMSG);
}

int16_t pp_get_i16(struct cbor_reader *r)
{
	int64_t v = cbor_get_i64(r);

	if (v < INT16_MIN || v > INT16_MAX) {
		cbor_reader_fail(r, -ERR_RANGE);
		return 0;
	}
	return (int16_t) v;
}

int8_t pp_get_i8(struct cbor_reader *r)
{
	int16_t v = pp_get_i16(r);

	if (v < INT8_MIN || v > INT8_MAX) {
		cbor_reader_fail(r, -ERR_RANGE);
		return 0;
	}
	return (int8_t) v;
}

/* A batch must be able to number its entries, and to name each one's antenna. */
void pp_check_batch(struct cbor_reader *r, uint64_t first_seq, size_t n)
{
	if (cbor_reader_ok(r) && (first_seq == 0 || first_seq > INT64_MAX - n))
		cbor_reader_fail(r, -ERR_RANGE);
}
