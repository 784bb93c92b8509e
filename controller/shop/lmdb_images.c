/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "common/fault.h"
#include "controller/db/lmdb_env.h"
#include "controller/shop/image_store.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define IMAGES_MAX_BYTES (UINT64_C(4) << 30)

struct image_store {
	struct lmdb_env *env;
};

int image_store_open(const char *state_dir, struct image_store **ret)
{
	static const char *const tables[] = {"image"};
	_cleanup_free_ char *dir = NULL;
	struct lmdb_config cfg = {.tables = tables, .n_tables = 1, .max_bytes = IMAGES_MAX_BYTES};
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

	return lmdb_get(t, 0, LMDB_VAL(item->hash, IMAGE_HASH_BYTES), &have) &&
	       have.len == item->len && memcmp(have.data, item->data, have.len) == 0;
}

int image_store_put(struct image_store *st, const struct image_store_item *items, size_t n)
{
	struct lmdb_txn t;
	size_t missing = 0;
	int r;

	lmdb_begin_read(st->env, &t);
	for (size_t i = 0; i < n; i++)
		missing += !holds(&t, &items[i]);
	r = t.err;
	lmdb_abort(&t);
	if (r < 0 || missing == 0)
		return r;
	lmdb_begin_write(st->env, &t);
	for (size_t i = 0; i < n; i++) {
		struct lmdb_val key = LMDB_VAL(items[i].hash, IMAGE_HASH_BYTES);

		if (!holds(&t, &items[i]))
			lmdb_put(&t, 0, key, LMDB_VAL(items[i].data, items[i].len));
	}
	FAULT_POINT("ctl.images.before_commit");
	r = lmdb_commit(&t);
	FAULT_POINT("ctl.images.after_commit");
	return r;
}

int image_store_get(struct image_store *st, const uint8_t hash[IMAGE_HASH_BYTES], struct buf *out)
{
	struct lmdb_txn t;
	struct lmdb_val v;
	uint8_t is[IMAGE_HASH_BYTES];
	int r;

	lmdb_begin_read(st->env, &t);
	if (lmdb_get(&t, 0, LMDB_VAL(hash, IMAGE_HASH_BYTES), &v)) {
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
