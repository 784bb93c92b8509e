/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/inv_snapshot.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/wire.h"
#include "controller/inventory/inv_history.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>

enum {
	TABLE_META,
	TABLE_IMAGE,
	TABLE_BY_ITEM,
	TABLE_BY_TIME,
	TABLE_COUNT
};
static const char *const tables[TABLE_COUNT] = {"meta", "image", "events-by-item",
						"events-by-time"};

struct inv_snapshot {
	struct lmdb_env *env;
	uint8_t identity[INV_IDENTITY_BYTES];
	struct loop_async *async;
	inv_snapshot_done_fn done;
	void *user;
	bool busy; /* loop thread's view */
	bool started;
	pthread_t thread;

	/* The thread's while `writing`. */
	struct inv_image image;
	INV_ARRAY(struct inv_change) events;

	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool writing;
	bool written;
	int result;
	bool stop;
};

#define IDENTITY_KEY LMDB_VAL("identity", 8)

int inv_snapshot_open(const char *dir, uint64_t max_bytes,
		      const uint8_t identity[INV_IDENTITY_BYTES], struct inv_snapshot **ret)
{
	struct lmdb_config cfg = {
		.dir = dir, .tables = tables, .n_tables = TABLE_COUNT, .max_bytes = max_bytes};
	struct inv_snapshot *s = calloc(1, sizeof(*s));
	struct lmdb_txn t;
	struct lmdb_val val;
	int r;

	if (!s)
		return -ENOMEM;
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->cond, NULL);
	memcpy(s->identity, identity, INV_IDENTITY_BYTES);
	r = lmdb_open(&cfg, &s->env);
	if (!r) {
		lmdb_begin_read(s->env, &t);
		if (lmdb_get(&t, TABLE_META, IDENTITY_KEY, &val) &&
		    (val.len != INV_IDENTITY_BYTES ||
		     memcmp(val.data, identity, INV_IDENTITY_BYTES) != 0))
			t.err = -ERR_CORRUPT;
		r = t.err;
		lmdb_abort(&t);
	}
	if (r) {
		inv_snapshot_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

uint64_t inv_snapshot_bytes(struct inv_snapshot *s)
{
	return lmdb_used_bytes(s->env);
}

int inv_snapshot_copy(struct inv_snapshot *s, int fd)
{
	return lmdb_copy(s->env, fd);
}

int inv_snapshot_load(struct inv_snapshot *s, struct inv_state *st, uint64_t *ret_cover)
{
	struct inv_image_loader l = {.st = st};
	struct lmdb_cursor c;
	struct lmdb_txn t;
	bool more, any = false;
	int r = 0;

	lmdb_begin_read(s->env, &t);
	lmdb_cursor_open(&t, TABLE_IMAGE, &c);
	for (more = lmdb_cursor_first(&c); more && !r; more = !r && lmdb_cursor_next(&c)) {
		any = true;
		r = inv_image_load(&l, c.val.data, c.val.len);
	}
	lmdb_cursor_close(&c);
	if (!r)
		r = t.err;
	lmdb_abort(&t);
	if (!r && any)
		r = inv_image_loaded(&l);
	if (!r)
		*ret_cover = l.cover;
	return r;
}

/* --- writing -----------------------------------------------------------------------------------
 */

/* Sections of a new image get keys after all of the old one's, so that both can be there at once.
 */
static uint64_t newest_key(struct lmdb_txn *t)
{
	struct lmdb_cursor c;
	uint64_t key = 0;

	lmdb_cursor_open(t, TABLE_IMAGE, &c);
	if (lmdb_cursor_last(&c)) {
		struct wire w;

		wire_init(&w, c.key.data, c.key.len);
		key = wire_get_u64be(&w);
	}
	lmdb_cursor_close(&c);
	return key;
}

static void drop_upto(struct lmdb_txn *t, uint64_t last)
{
	struct lmdb_cursor c;

	lmdb_cursor_open(t, TABLE_IMAGE, &c);
	while (lmdb_cursor_first(&c)) {
		struct wire w;

		wire_init(&w, c.key.data, c.key.len);
		if (wire_get_u64be(&w) > last)
			break;
		lmdb_cursor_del(&c);
	}
	lmdb_cursor_close(&c);
}

static int write_image(struct inv_snapshot *s)
{
	struct buf section = BUF_INIT;
	struct lmdb_txn t;
	uint64_t old;
	int r;

	lmdb_begin_write(s->env, &t);
	lmdb_put(&t, TABLE_META, IDENTITY_KEY, LMDB_VAL(s->identity, INV_IDENTITY_BYTES));
	old = newest_key(&t);
	for (size_t i = 0; i < inv_image_sections(&s->image) && !t.err; i++) {
		uint64_t number = old + 1 + i;
		uint8_t key[8];

		for (int b = 0; b < 8; b++)
			key[b] = (uint8_t) (number >> (56 - 8 * b));
		buf_clear(&section);
		r = inv_image_encode(&s->image, i, &section);
		if (r && !t.err)
			t.err = r;
		lmdb_append(&t, TABLE_IMAGE, LMDB_VAL(key, sizeof(key)),
			    LMDB_VAL(section.data, section.len));
	}
	buf_done(&section);
	drop_upto(&t, old);
	inv_history_write(&t, TABLE_BY_ITEM, TABLE_BY_TIME, s->events.v, s->events.n,
			  s->image.taken_us);
	FAULT_POINT("ctl.snapshot.before_commit");
	r = lmdb_commit(&t);
	FAULT_POINT("ctl.snapshot.after_commit");
	return r;
}

static void *writer(void *arg)
{
	struct inv_snapshot *s = arg;

	pthread_mutex_lock(&s->mutex);
	for (;;) {
		int r;

		while (!s->stop && !s->writing)
			pthread_cond_wait(&s->cond, &s->mutex);
		if (!s->writing)
			break;
		pthread_mutex_unlock(&s->mutex);
		r = write_image(s);
		pthread_mutex_lock(&s->mutex);
		s->writing = false;
		s->written = true;
		s->result = r;
		loop_async_send(s->async);
	}
	pthread_mutex_unlock(&s->mutex);
	return NULL;
}

static void on_async(void *user)
{
	struct inv_snapshot *s = user;
	bool written;
	int r;

	pthread_mutex_lock(&s->mutex);
	written = s->written;
	r = s->result;
	s->written = false;
	pthread_mutex_unlock(&s->mutex);
	if (!written)
		return;
	s->busy = false;
	s->done(s->user, s->image.cover, r);
}

int inv_snapshot_start(struct inv_snapshot *s, struct loop *loop, inv_snapshot_done_fn done,
		       void *user)
{
	int r = loop_async_new(loop, on_async, s, &s->async);

	if (r)
		return r;
	s->done = done;
	s->user = user;
	r = -pthread_create(&s->thread, NULL, writer, s);
	s->started = !r;
	return r;
}

bool inv_snapshot_busy(const struct inv_snapshot *s)
{
	return s->busy;
}

int inv_snapshot_write(struct inv_snapshot *s, const struct inv_state *st, uint64_t cover,
		       const struct inv_change *events, size_t n, int64_t now_us)
{
	int r;

	if (s->busy)
		return -EBUSY;
	r = inv_image_take(&s->image, st, cover, now_us);
	if (r)
		return r;
	if (s->events.cap < n) {
		void *grown = realloc(s->events.v, n * sizeof(*events));

		if (!grown)
			return -ENOMEM;
		s->events.v = grown;
		s->events.cap = (uint32_t) n;
	}
	if (n)
		memcpy(s->events.v, events, n * sizeof(*events));
	s->events.n = (uint32_t) n;
	pthread_mutex_lock(&s->mutex);
	s->busy = true;
	s->writing = true;
	pthread_cond_signal(&s->cond);
	pthread_mutex_unlock(&s->mutex);
	return 0;
}

size_t inv_snapshot_events(struct inv_snapshot *s, uint32_t item, int64_t before_us,
			   struct inv_change *ret, size_t max)
{
	struct lmdb_txn t;
	size_t n;

	lmdb_begin_read(s->env, &t);
	n = inv_history_read(&t, TABLE_BY_ITEM, item, before_us, ret, max);
	if (t.err)
		log_write(LOG_WARN, "inventory", t.err, "msg=\"reading the event log\"");
	lmdb_abort(&t);
	return n;
}

void inv_snapshot_close(struct inv_snapshot *s)
{
	if (!s)
		return;
	if (s->started) {
		pthread_mutex_lock(&s->mutex);
		s->stop = true;
		pthread_cond_signal(&s->cond);
		pthread_mutex_unlock(&s->mutex);
		pthread_join(s->thread, NULL);
	}
	loop_async_free(s->async);
	lmdb_close(s->env);
	inv_image_done(&s->image);
	free(s->events.v);
	pthread_cond_destroy(&s->cond);
	pthread_mutex_destroy(&s->mutex);
	free(s);
}
