/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two lists cross between the threads under one mutex: writes on their way in, finished writes on
 * their way out. The writer takes all that wait (up to a bound in number and time), runs each in a
 * savepoint, commits once, and hands the group back; the loop is woken to run the `done` functions.
 */
#include "controller/db/db.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/log.h"
#include "controller/db/db_schema.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* A group ends when it has this many writes or has taken this long: nobody waits for a long queue.
 */
#define GROUP_MAX    512
#define GROUP_MAX_US (20 * US_PER_MS)

struct write {
	struct write *next;
	db_write_fn fn;
	db_done_fn done;
	void *arg;
	int err;
};

struct write_list {
	struct write *first;
	struct write **tail;
};

struct db {
	struct loop *loop;
	const struct clock *clock;
	char *path;
	struct sql *reader;
	struct sql *writer; /* the writer thread's */
	uint64_t epoch;
	struct loop_async *wake;
	pthread_t thread;
	bool has_thread;

	pthread_mutex_t lock;
	pthread_cond_t more; /* for the writer: there is work, or stop */
	pthread_cond_t idle; /* for db_drain(): a group is through */
	struct write_list in;
	struct write_list out;
	size_t pending; /* queued or being written */
	bool stop;
	struct db_stats stats;
};

static void list_init(struct write_list *l)
{
	l->first = NULL;
	l->tail = &l->first;
}

static void list_append(struct write_list *l, struct write *w)
{
	w->next = NULL;
	*l->tail = w;
	l->tail = &w->next;
}

static struct write *list_pop(struct write_list *l)
{
	struct write *w = l->first;

	if (w) {
		l->first = w->next;
		if (!l->first)
			l->tail = &l->first;
	}
	return w;
}

/* --- the writer thread --------------------------------------------------------------------- */

/* Runs one write in its savepoint. Returns nonzero when the transaction itself is gone: SQLite may
 * roll everything back on a full disk, and then there is no savepoint left to return to. */
static int run_write(struct sql *s, struct write *w)
{
	int r = sql_exec(s, "SAVEPOINT w");

	if (r < 0)
		return r;
	w->err = w->fn(s, w->arg);
	if (w->err > 0)
		w->err = 0;
	if (w->err == 0)
		return sql_exec(s, "RELEASE w");
	if (sql_exec(s, "ROLLBACK TO w") < 0 || sql_exec(s, "RELEASE w") < 0)
		return w->err;
	return 0;
}

static int stamp_clock(struct db *d)
{
	struct sql_stmt *q = sql_prepare(d->writer, "UPDATE temp.clock SET us = ?");

	sql_bind_i64(q, 1, clock_real_us(d->clock));
	return sql_run(q);
}

/* Writes as much of `in` as belongs in one group, and moves it to `out`, each with its result. */
static void write_group(struct db *d, struct write_list *in, struct write_list *out)
{
	int64_t start = clock_mono_us(d->clock), took;
	size_t n = 0;
	int r = sql_begin(d->writer);

	if (r == 0)
		r = stamp_clock(d);
	while (in->first && n < GROUP_MAX) {
		struct write *w = list_pop(in);

		n++;
		w->err = 0;
		if (r == 0)
			r = run_write(d->writer, w);
		list_append(out, w);
		if (r < 0 || clock_mono_us(d->clock) - start > GROUP_MAX_US)
			break;
	}
	if (r == 0) {
		FAULT_POINT("ctl.db.before_commit");
		r = sql_commit(d->writer);
		FAULT_POINT("ctl.db.after_commit");
	}
	if (r < 0) {
		log_write(LOG_ERR, "db", r, "writes=%zu error=\"%s\" msg=\"group not written\"", n,
			  sql_error(d->writer));
		sql_rollback(d->writer);
		for (struct write *w = out->first; w; w = w->next)
			w->err = w->err ? w->err : r;
	}
	took = clock_mono_us(d->clock) - start;
	pthread_mutex_lock(&d->lock);
	d->stats.commits++;
	d->stats.writes += n;
	d->stats.commit_us += took;
	d->stats.max_group_us = MAX(d->stats.max_group_us, took);
	d->stats.last_err = r;
	for (struct write *w = out->first; w; w = w->next) {
		d->stats.failed += w->err < 0;
		/* A write that the disk refused may leave a group that commits, without it. */
		if (w->err == -ENOSPC || w->err == -EROFS || w->err == -EIO)
			d->stats.last_err = w->err;
	}
	pthread_mutex_unlock(&d->lock);
}

static void hand_back(struct db *d, struct write_list *group)
{
	struct write *w;
	size_t n = 0;

	pthread_mutex_lock(&d->lock);
	while ((w = list_pop(group))) {
		list_append(&d->out, w);
		n++;
	}
	d->pending -= n;
	pthread_cond_broadcast(&d->idle);
	pthread_mutex_unlock(&d->lock);
	loop_async_send(d->wake);
}

static void *writer_main(void *arg)
{
	struct db *d = arg;
	struct write_list in, group;

	list_init(&in);
	list_init(&group);
	for (;;) {
		pthread_mutex_lock(&d->lock);
		while (!d->in.first && !d->stop)
			pthread_cond_wait(&d->more, &d->lock);
		if (!d->in.first) {
			pthread_mutex_unlock(&d->lock);
			return NULL;
		}
		in = d->in;
		list_init(&d->in);
		pthread_mutex_unlock(&d->lock);
		while (in.first) {
			write_group(d, &in, &group);
			hand_back(d, &group);
		}
	}
}

/* --- the loop thread ----------------------------------------------------------------------- */

static void run_done(void *user)
{
	struct db *d = user;
	struct write_list out;
	struct write *w;

	pthread_mutex_lock(&d->lock);
	out = d->out;
	list_init(&d->out);
	pthread_mutex_unlock(&d->lock);
	if (out.first)
		FAULT_POINT("ctl.db.before_done");
	/* The list was moved by value: its tail pointed into d when it was empty, and pop never
	 * uses it. */
	while ((w = out.first)) {
		out.first = w->next;
		if (w->done)
			w->done(w->arg, w->err);
		free(w);
	}
}

int db_write(struct db *d, db_write_fn fn, db_done_fn done, void *arg)
{
	struct write *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->fn = fn;
	w->done = done;
	w->arg = arg;
	pthread_mutex_lock(&d->lock);
	list_append(&d->in, w);
	d->pending++;
	pthread_cond_signal(&d->more);
	pthread_mutex_unlock(&d->lock);
	return 0;
}

void db_drain(struct db *d)
{
	bool more;

	do {
		pthread_mutex_lock(&d->lock);
		while (d->pending > 0)
			pthread_cond_wait(&d->idle, &d->lock);
		pthread_mutex_unlock(&d->lock);
		run_done(d);
		/* A done function may have queued another write. */
		pthread_mutex_lock(&d->lock);
		more = d->pending > 0 || d->out.first;
		pthread_mutex_unlock(&d->lock);
	} while (more);
}

struct sql *db_reader(struct db *d)
{
	return d->reader;
}

int db_open_reader(struct db *d, struct sql **ret)
{
	return sql_open(d->path, SQL_READONLY, ret);
}

uint64_t db_epoch(const struct db *d)
{
	return d->epoch;
}

void db_stats(struct db *d, struct db_stats *ret)
{
	pthread_mutex_lock(&d->lock);
	*ret = d->stats;
	ret->queued = d->pending;
	pthread_mutex_unlock(&d->lock);
}

/* --- inside a write ------------------------------------------------------------------------ */

int db_next_rev(struct sql *s, uint64_t *ret_rev)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE meta SET value = value + 1 WHERE key = 'rev' RETURNING value");
	int r = sql_step(q);

	if (r < 0)
		return r;
	if (r == 0)
		return -ERR_CORRUPT;
	*ret_rev = (uint64_t) sql_col_i64(q, 0);
	/* RETURNING rows are all made before the first one is handed out: stepping on is safe. */
	r = sql_step(q);
	return r < 0 ? r : 0;
}

int db_now_us(struct sql *s, int64_t *ret_us)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT us FROM temp.clock");
	int r = sql_step(q);

	if (r <= 0)
		return r < 0 ? r : -ERR_CORRUPT;
	*ret_us = sql_col_i64(q, 0);
	sql_reset(q);
	return 0;
}

int db_audit(struct sql *s, const char *who, const char *action, const char *object,
	     const char *detail)
{
	struct sql_stmt *q = sql_prepare(s, "INSERT INTO audit(at, who, action, object, detail)"
					    " VALUES((SELECT us FROM temp.clock), ?, ?, ?, ?)");

	sql_bind_text(q, 1, who);
	sql_bind_text(q, 2, action);
	sql_bind_text(q, 3, object);
	sql_bind_text(q, 4, detail ? detail : "");
	return sql_run(q);
}

/* --- open and close ------------------------------------------------------------------------ */

static int open_connections(struct db *d)
{
	int r = sql_open(d->path, 0, &d->writer);
	struct sql_stmt *q;

	if (r < 0)
		return r;
	/* A local password reset may hold the write lock for a moment. */
	r = sql_exec(d->writer, "PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY;"
				"CREATE TEMP TABLE clock(us INTEGER NOT NULL);"
				"INSERT INTO temp.clock VALUES(0)");
	if (r < 0)
		return r;
	r = db_schema_migrate(d->writer, &db_schema_current);
	if (r < 0)
		return r;
	r = sql_open(d->path, SQL_READONLY, &d->reader);
	if (r < 0)
		return r;
	q = sql_prepare(d->reader, "SELECT value FROM meta WHERE key = 'epoch'");
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ERR_CORRUPT;
	d->epoch = (uint64_t) sql_col_i64(q, 0);
	sql_reset(q);
	return 0;
}

int db_open(struct loop *loop, const char *dir, struct db **ret)
{
	struct db *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->loop = loop;
	d->clock = loop_clock(loop);
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->more, NULL);
	pthread_cond_init(&d->idle, NULL);
	list_init(&d->in);
	list_init(&d->out);
	r = asprintf(&d->path, "%s/gondola.db", dir) < 0 ? -ENOMEM : 0;
	if (r == 0)
		r = open_connections(d);
	if (r == 0)
		r = loop_async_new(loop, run_done, d, &d->wake);
	if (r == 0) {
		r = -pthread_create(&d->thread, NULL, writer_main, d);
		d->has_thread = r == 0;
	}
	if (r < 0) {
		db_close(d);
		return r;
	}
	*ret = d;
	return 0;
}

void db_close(struct db *d)
{
	if (!d)
		return;
	if (d->has_thread) {
		db_drain(d);
		pthread_mutex_lock(&d->lock);
		d->stop = true;
		pthread_cond_signal(&d->more);
		pthread_mutex_unlock(&d->lock);
		pthread_join(d->thread, NULL);
	}
	loop_async_free(d->wake);
	if (d->reader)
		sql_close(d->reader);
	if (d->writer)
		sql_close(d->writer);
	pthread_cond_destroy(&d->idle);
	pthread_cond_destroy(&d->more);
	pthread_mutex_destroy(&d->lock);
	free(d->path);
	free(d);
}
