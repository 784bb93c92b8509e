/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/inv_history.h"
#include "common/wire.h"
#include <string.h>

#define KEY_BYTES    12
#define VALUE_BYTES  13
#define DROP_AT_ONCE 20000
#define DAY_US       (24 * 3600 * US_PER_SEC)

static uint8_t *put_be(uint8_t *p, uint64_t v, int n)
{
	for (int i = n - 1; i >= 0; i--)
		*p++ = (uint8_t) (v >> 8 * i);
	return p;
}

static struct lmdb_val item_key(uint8_t key[KEY_BYTES], uint32_t item, int64_t at_us)
{
	(void) put_be(put_be(key, item, 4), (uint64_t) at_us, 8);
	return LMDB_VAL(key, KEY_BYTES);
}

static struct lmdb_val time_key(uint8_t key[KEY_BYTES], uint32_t item, int64_t at_us)
{
	(void) put_be(put_be(key, (uint64_t) at_us, 8), item, 4);
	return LMDB_VAL(key, KEY_BYTES);
}

static void drop_old(struct lmdb_txn *t, unsigned int by_item, unsigned int by_time, int64_t now_us)
{
	int64_t oldest_us = now_us - INV_HISTORY_DAYS * DAY_US;
	struct lmdb_cursor c;

	lmdb_cursor_open(t, by_time, &c);
	for (int i = 0; i < DROP_AT_ONCE && lmdb_cursor_first(&c); i++) {
		uint8_t key[KEY_BYTES];
		struct wire w;
		int64_t at_us;
		uint32_t item;

		wire_init(&w, c.key.data, c.key.len);
		at_us = (int64_t) wire_get_u64be(&w);
		item = wire_get_u32be(&w);
		if (wire_ok(&w) && at_us >= oldest_us)
			break;
		lmdb_cursor_del(&c);
		lmdb_del(t, by_item, item_key(key, item, at_us));
	}
	lmdb_cursor_close(&c);
}

void inv_history_write(struct lmdb_txn *t, unsigned int by_item, unsigned int by_time,
		       const struct inv_change *events, size_t n, int64_t now_us)
{
	for (size_t i = 0; i < n; i++) {
		const struct inv_change *c = &events[i];
		uint8_t key[KEY_BYTES], val[VALUE_BYTES];
		uint8_t *p = put_be(put_be(val, c->from, 4), c->to, 4);

		p = put_be(p, c->confidence, 2);
		p = put_be(p, c->cause, 1);
		p = put_be(p, c->from_state, 1);
		(void) put_be(p, c->to_state, 1);
		lmdb_put(t, by_item, item_key(key, c->item, c->at_us), LMDB_VAL(val, sizeof(val)));
		lmdb_put(t, by_time, time_key(key, c->item, c->at_us), LMDB_VAL("", 0));
	}
	drop_old(t, by_item, by_time, now_us);
}

static bool read_event(const struct lmdb_cursor *c, uint32_t item, struct inv_change *ret)
{
	struct inv_change e = {0};
	struct wire k, v;

	wire_init(&k, c->key.data, c->key.len);
	wire_init(&v, c->val.data, c->val.len);
	e.item = wire_get_u32be(&k);
	e.at_us = (int64_t) wire_get_u64be(&k);
	e.from = wire_get_u32be(&v);
	e.to = wire_get_u32be(&v);
	e.confidence = wire_get_u16be(&v);
	e.cause = wire_get_u8(&v);
	e.from_state = wire_get_u8(&v);
	e.to_state = wire_get_u8(&v);
	if (wire_finish(&k) || wire_finish(&v) || e.item != item)
		return false;
	*ret = e;
	return true;
}

size_t inv_history_read(struct lmdb_txn *t, unsigned int by_item, uint32_t item, int64_t before_us,
			struct inv_change *ret, size_t max)
{
	uint8_t key[KEY_BYTES];
	struct lmdb_cursor c;
	size_t n = 0;
	bool more;

	lmdb_cursor_open(t, by_item, &c);
	/* The one before the first at or after the bound; past the end that is the last of all. */
	more = lmdb_cursor_seek(&c, item_key(key, item, before_us)) ? lmdb_cursor_prev(&c)
								    : lmdb_cursor_last(&c);
	for (; more && n < max && read_event(&c, item, &ret[n]); n++)
		more = lmdb_cursor_prev(&c);
	lmdb_cursor_close(&c);
	return n;
}
