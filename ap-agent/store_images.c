/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures by hash; the least recently used go first. */
#include "ap-agent/store_impl.h"
#include "common/err.h"
#include "common/log.h"
#include <errno.h>
#include <string.h>

static int image_drop(struct store *s, const void *hash, size_t bytes)
{
	struct sql_stmt *q = sql_prepare(s->sql, "DELETE FROM image WHERE hash = ?1");

	sql_bind_blob(q, 1, hash, IMAGE_HASH_BYTES);

	int r = sql_run(q);

	if (r >= 0 && sql_changes(s->sql) > 0)
		s->image_bytes -= MIN(s->image_bytes, (uint64_t) bytes);
	return r;
}

/* One write per hit would wear the flash; a hit among the newest 64 changes nothing that matters.
 */
static void image_touch(struct store *s, const void *hash, int64_t used)
{
	if (s->image_clock - used < 64)
		return;

	struct sql_stmt *q = sql_prepare(s->sql, "UPDATE image SET used = ?2 WHERE hash = ?1");

	sql_bind_blob(q, 1, hash, IMAGE_HASH_BYTES);
	sql_bind_i64(q, 2, ++s->image_clock);
	if (sql_run(q) < 0) /* only the order of eviction is at stake */
		log_debug("store", "msg=\"cannot mark a picture as used\"");
}

int store_image_get(struct store *s, const uint8_t hash[IMAGE_HASH_BYTES], struct buf *out)
{
	struct sql_stmt *q = sql_prepare(s->sql, "SELECT data, used FROM image WHERE hash = ?1");
	uint8_t found[IMAGE_HASH_BYTES];

	sql_bind_blob(q, 1, hash, IMAGE_HASH_BYTES);

	int r = sql_step(q);

	if (r <= 0) {
		sql_reset(q);
		return r < 0 ? r : -ENOENT;
	}

	size_t len;
	const void *data = sql_col_blob(q, 0, &len);
	int64_t used = sql_col_i64(q, 1);

	image_hash(data, len, found);
	if (memcmp(found, hash, sizeof(found)) == 0)
		buf_put(out, data, len);
	else
		r = -ERR_CORRUPT;
	sql_reset(q);
	if (r < 0) {
		(void) image_drop(s, hash, len);
		return r;
	}
	image_touch(s, hash, used);
	return out->err;
}

static int image_make_room(struct store *s, size_t len)
{
	while (s->image_bytes + len > s->image_bound && s->image_bytes > 0) {
		struct sql_stmt *q = sql_prepare(
			s->sql, "SELECT hash, length(data) FROM image ORDER BY used LIMIT 1");
		uint8_t hash[IMAGE_HASH_BYTES];
		size_t n = 0;
		int r = sql_step(q);
		const void *blob = r > 0 ? sql_col_blob(q, 0, &n) : NULL;
		size_t bytes = r > 0 ? (size_t) sql_col_i64(q, 1) : 0;

		if (blob && n == sizeof(hash))
			memcpy(hash, blob, sizeof(hash));
		sql_reset(q);
		if (!blob || n != sizeof(hash))
			return r < 0 ? r : -ERR_CORRUPT;
		r = image_drop(s, hash, bytes);
		if (r < 0)
			return r;
	}
	return 0;
}

int store_image_put(struct store *s, const uint8_t hash[IMAGE_HASH_BYTES], const void *data,
		    size_t len)
{
	if (len > s->image_bound)
		return -ERR_TOO_LARGE;

	int r = image_make_room(s, len);

	if (r < 0)
		return r;

	struct sql_stmt *q =
		sql_prepare(s->sql, "INSERT INTO image VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING");

	sql_bind_blob(q, 1, hash, IMAGE_HASH_BYTES);
	sql_bind_i64(q, 2, ++s->image_clock);
	sql_bind_blob(q, 3, data, len);
	r = sql_run(q);
	if (r >= 0 && sql_changes(s->sql) > 0)
		s->image_bytes += len;
	return r < 0 ? r : 0;
}

uint64_t store_image_bytes(const struct store *s)
{
	return s->image_bytes;
}
