/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "common/fault.h"
#include "controller/db/lmdb_env.h"
#include "controller/shop/image_store.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/** So often at most it is noted that a picture is of use. */
#define NOTE_US (INT64_C(86400) * US_PER_SEC)

enum {
	PICTURES,
	USED,
	TABLES
};

struct image_store {
	struct lmdb_env *env;
};

int image_store_open(const char *state_dir, struct image_store **ret)
{
	static const char *const tables[TABLES] = {"image", "used"};
	_cleanup_free_ char *dir = NULL;
	struct lmdb_config cfg = {.tables = tables, .n_tables = TABLES};
	struct image_store *st = calloc(1, sizeof *st);
	int r;

	if (!st || asprintf(&dir, "%s/images", state_dir) < 0) {
		free(st);
		return -ENOMEM;
	}
	cfg.dir = dir;
	r = lmdb_open(&cfg, &st->env);
	if (r < 0) {
		free(st);
		return r;
	}
	*ret = st;
	return 0;
}

void image_store_close(struct image_store *st)
{
	if (!st)
		return;
	lmdb_close(st->env);
	free(st);
}

int image_store_copy(struct image_store *st, int fd)
{
	return lmdb_copy(st->env, fd);
}

/* Bytes that are not what their name says are replaced, not kept. */
static bool holds(struct lmdb_txn *t, const struct image_store_item *item)
{
	struct lmdb_val have;

	return lmdb_get(t, PICTURES, LMDB_VAL(item->hash, IMAGE_HASH_BYTES), &have) &&
	       have.len == item->len && memcmp(have.data, item->data, have.len) == 0;
}

/* 0 = nobody noted it yet: written by a version before this one. */
static int64_t used_at(struct lmdb_txn *t, const uint8_t *hash)
{
	struct lmdb_val v;
	int64_t us = 0;

	if (lmdb_get(t, USED, LMDB_VAL(hash, IMAGE_HASH_BYTES), &v) && v.len == sizeof(us))
		memcpy(&us, v.data, sizeof(us));
	return us;
}

static void note_used(struct lmdb_txn *t, const uint8_t *hash, int64_t now_us)
{
	lmdb_put(t, USED, LMDB_VAL(hash, IMAGE_HASH_BYTES), LMDB_VAL(&now_us, sizeof(now_us)));
}

int image_store_put(struct image_store *st, const struct image_store_item *items, size_t n,
		    int64_t now_us)
{
	struct lmdb_txn t;
	size_t missing = 0;
	int r;

	lmdb_begin_read(st->env, &t);
	for (size_t i = 0; i < n; i++)
		missing += !holds(&t, &items[i]) || now_us - used_at(&t, items[i].hash) > NOTE_US;
	r = t.err;
	lmdb_abort(&t);
	if (r < 0 || missing == 0)
		return r;
	lmdb_begin_write(st->env, &t);
	for (size_t i = 0; i < n; i++) {
		struct lmdb_val key = LMDB_VAL(items[i].hash, IMAGE_HASH_BYTES);

		if (!holds(&t, &items[i]))
			lmdb_put(&t, PICTURES, key, LMDB_VAL(items[i].data, items[i].len));
		note_used(&t, items[i].hash, now_us);
	}
	FAULT_POINT("ctl.images.before_commit");
	r = lmdb_commit(&t);
	FAULT_POINT("ctl.images.after_commit");
	return r;
}

/* The first key after this one; zero after the last of all. */
static void step_on(uint8_t key[IMAGE_HASH_BYTES])
{
	for (size_t i = IMAGE_HASH_BYTES; i-- > 0;)
		if (++key[i] != 0)
			return;
}

/* Returns true if something has to be written for this one. */
static bool look_at(struct lmdb_txn *t, struct image_sweep *w, struct lmdb_cursor *c)
{
	int64_t us = used_at(t, w->next);

	if (us == 0 || w->in_use(w->user, w->next)) {
		if (us != 0 && w->now_us - us <= w->keep_us / 8)
			return false;
		note_used(t, w->next, w->now_us);
		return true;
	}
	if (w->now_us - us <= w->keep_us)
		return false;
	lmdb_del(t, USED, LMDB_VAL(w->next, IMAGE_HASH_BYTES));
	lmdb_cursor_del(c);
	w->dropped++;
	return true;
}

int image_store_sweep(struct image_store *st, struct image_sweep *w, size_t max)
{
	struct lmdb_cursor c;
	struct lmdb_txn t;
	bool changed = false;
	int r;

	lmdb_begin_write(st->env, &t);
	lmdb_cursor_open(&t, PICTURES, &c);
	for (size_t i = 0; i < max && t.err == 0; i++) {
		w->over = !lmdb_cursor_seek(&c, LMDB_VAL(w->next, IMAGE_HASH_BYTES)) ||
			  c.key.len != IMAGE_HASH_BYTES;
		if (w->over)
			break;
		memcpy(w->next, c.key.data, IMAGE_HASH_BYTES);
		changed |= look_at(&t, w, &c);
		w->seen++;
		step_on(w->next);
	}
	lmdb_cursor_close(&c);
	if (changed || t.err < 0)
		return lmdb_commit(&t);
	r = t.err;
	lmdb_abort(&t);
	return r;
}

int image_store_get(struct image_store *st, const uint8_t hash[IMAGE_HASH_BYTES], struct buf *out)
{
	struct lmdb_txn t;
	struct lmdb_val v;
	uint8_t is[IMAGE_HASH_BYTES];
	int r;

	lmdb_begin_read(st->env, &t);
	if (lmdb_get(&t, PICTURES, LMDB_VAL(hash, IMAGE_HASH_BYTES), &v)) {
		image_hash(v.data, v.len, is);
		r = memcmp(is, hash, sizeof is) == 0 ? 0 : -ERR_CORRUPT;
		if (r == 0) {
			buf_put(out, v.data, v.len);
			r = out->err;
		}
	} else {
		r = t.err < 0 ? t.err : -ENOENT;
	}
	lmdb_abort(&t);
	return r;
}
