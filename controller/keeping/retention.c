/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/keeping/retention.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/file.h"
#include "common/log.h"
#include "controller/app.h"
#include "controller/app_config.h"
#include "controller/db/db.h"
#include "controller/keeping/retention_rows.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAY_US    (INT64_C(86400) * US_PER_SEC)
#define FIRST_US  (INT64_C(600) * US_PER_SEC)
#define LOOK_US   (INT64_C(3600) * US_PER_SEC)
#define PAUSE_US  US_PER_SEC
/** A clock that jumps ahead must not cost more than this. */
#define STRIDE_US (30 * DAY_US)

struct retention {
	struct app *app;
	struct sql *reader; /* the pool's, while busy */
	struct loop_timer *timer;
	bool busy, stopping;
	size_t table;
	int64_t now_us, since_us, before_us, from_id, to_id;
	size_t n, dropped;
	bool more; /* rows may follow that are old as well */
	int err;
};

static const struct kept *table_of(const struct retention *r)
{
	return &kept_tables[r->table];
}

static int64_t kept_days(const struct retention *r)
{
	int64_t days;

	memcpy(&days, (const char *) r->app->config + table_of(r)->days, sizeof(days));
	return days;
}

/* --- on the pool: what is past its time, and its file --------------------------------------------
 */

/* Rows on their way to the file of their year. */
struct lines {
	const char *dir, *table;
	char year[8];
	struct buf rows;
};

static int export_flush(struct lines *x)
{
	_cleanup_free_ char *path = NULL;
	int r = x->rows.err;

	if (r < 0 || x->rows.len == 0)
		return r;
	if (asprintf(&path, "%s/%s-%s.jsonl", x->dir, x->table, x->year) < 0)
		return -ENOMEM;
	r = file_append_lines(path, x->rows.data, x->rows.len, 0600);
	buf_clear(&x->rows);
	return r;
}

static int export_row(struct lines *x, const char *year, const char *row)
{
	int r = 0;

	if (!*x->dir)
		return 0;
	if (!year || !row)
		return -ERR_CORRUPT;
	if (strcmp(x->year, year) != 0)
		r = export_flush(x);
	(void) snprintf(x->year, sizeof(x->year), "%s", year);
	buf_put_str(&x->rows, row);
	buf_put_str(&x->rows, "\n");
	return r;
}

static int read_instant(struct sql *s, const char *text, const char *name, int64_t *ret_us)
{
	struct sql_stmt *q = sql_prepare(s, text);
	int r;

	if (name)
		sql_bind_text(q, 1, name);
	r = sql_step(q);
	if (r > 0) {
		*ret_us = sql_col_i64(q, 0);
		sql_reset(q);
	}
	return r;
}

/* The instant that the table is kept from, one stride further than before at the most. 1 = there is
 * something older. */
static int find_before(struct retention *r)
{
	int64_t oldest_us;
	int e = read_instant(r->reader, table_of(r)->oldest, NULL, &oldest_us);

	r->since_us = 0;
	if (e <= 0)
		return e;
	e = read_instant(r->reader, "SELECT before FROM kept_since WHERE name = ?",
			 table_of(r)->name, &r->since_us);
	r->before_us =
		MIN(r->now_us - kept_days(r) * DAY_US, MAX(r->since_us, oldest_us) + STRIDE_US);
	return e < 0 ? e : oldest_us < r->before_us;
}

static int read_rows(struct retention *r, struct lines *x)
{
	struct sql_stmt *q = sql_prepare(r->reader, table_of(r)->read);
	size_t seen = 0;
	int e;

	sql_bind_i64(q, 1, r->from_id);
	sql_bind_i64(q, 2, (int64_t) table_of(r)->at_once);
	sql_bind_i64(q, 3, r->before_us);
	while ((e = sql_step(q)) > 0 && sql_col_i64(q, 1)) {
		bool stays = sql_col_i64(q, 4);

		seen++;
		r->to_id = sql_col_i64(q, 0);
		if (stays)
			continue;
		e = export_row(x, sql_col_text(q, 2), sql_col_text(q, 3));
		if (e < 0)
			break;
		r->n++;
	}
	sql_reset(q);
	r->more = seen == table_of(r)->at_once;
	return MIN(e, 0);
}

static void look_work(void *user)
{
	struct retention *r = user;
	struct lines x = {.dir = r->app->config->keep_export_dir, .table = table_of(r)->name};

	r->n = 0;
	r->more = false;
	r->err = r->from_id ? 1 : find_before(r);
	if (r->err > 0)
		r->err = read_rows(r, &x);
	if (r->err == 0)
		r->err = export_flush(&x);
	buf_done(&x.rows);
}

/* --- on the writer -------------------------------------------------------------------------------
 */

static int set_before(struct sql *s, const struct retention *r)
{
	struct sql_stmt *q =
		sql_prepare(s, "INSERT INTO kept_since(name, before) VALUES(?1, ?2)"
			       " ON CONFLICT(name) DO UPDATE SET before = max(before, ?2)");

	sql_bind_text(q, 1, table_of(r)->name);
	sql_bind_i64(q, 2, r->before_us);
	return sql_run(q);
}

static int drop(struct sql *s, const struct retention *r, const char *text)
{
	struct sql_stmt *q = sql_prepare(s, text);

	sql_bind_i64(q, 1, r->from_id);
	sql_bind_i64(q, 2, r->to_id);
	sql_bind_i64(q, 3, r->before_us);
	return sql_run(q);
}

/* With the first rows that go: whatever happens after that, the trail has it. */
static int note(struct sql *s, const struct retention *r)
{
	char detail[64], when[CLOCK_RFC3339_MAX];

	(void) snprintf(detail, sizeof(detail), "rows from before %s",
			clock_rfc3339(r->before_us, when));
	return db_audit(s, "gondolad", "keep.drop", table_of(r)->name, detail);
}

static int drop_rows(struct sql *s, void *arg)
{
	struct retention *r = arg;
	const struct kept *k = table_of(r);
	int e = set_before(s, r);

	if (e < 0 || r->n == 0)
		return e;
	for (size_t i = 0; i < ARRAY_SIZE(k->parts) && k->parts[i] && e >= 0; i++)
		e = drop(s, r, k->parts[i]);
	if (e >= 0)
		e = drop(s, r, k->drop);
	/* What came to stay, or ceased to, since it was read: the file does not have it. */
	if (e >= 0 && (size_t) sql_changes(s) != r->n)
		e = -EAGAIN;
	if (e >= 0 && r->dropped == 0)
		e = note(s, r);
	return MIN(e, 0);
}

/* --- on the loop ---------------------------------------------------------------------------------
 */

static void rest(struct retention *r, int64_t us)
{
	r->busy = false;
	if (!r->stopping)
		loop_timer_start(r->timer, us);
}

/* The next table at once, the first one after an hour. */
static void next_table(struct retention *r)
{
	r->from_id = 0;
	r->dropped = 0;
	r->table = (r->table + 1) % kept_tables_n;
	rest(r, r->table ? PAUSE_US : LOOK_US);
}

static void gave_up(struct retention *r, int err)
{
	log_write(LOG_WARN, "keep", err, "table=%s dropped=%zu msg=\"no more was dropped\"",
		  table_of(r)->name, r->dropped);
	next_table(r);
}

static void on_dropped(void *arg, int err)
{
	struct retention *r = arg;

	if (err < 0) {
		gave_up(r, err);
		return;
	}
	r->from_id = r->to_id;
	r->dropped += r->n;
	if (r->more) {
		rest(r, r->n ? PAUSE_US : 0); /* rows that stay kept nobody's write waiting */
		return;
	}
	if (r->dropped)
		log_info("keep", "table=%s dropped=%zu msg=\"past its time\"", table_of(r)->name,
			 r->dropped);
	next_table(r);
}

/* Rows that stay, however old, must not hold the others' time back. */
static bool is_time_to_tell(const struct retention *r)
{
	return r->from_id == 0 && r->before_us - r->since_us >= DAY_US;
}

static void on_looked(void *user)
{
	struct retention *r = user;
	int err = r->err;

	if (err < 0)
		gave_up(r, err);
	else if (r->stopping)
		rest(r, 0);
	else if (r->n == 0 && !(r->to_id && is_time_to_tell(r)))
		on_dropped(r, 0);
	else if ((err = db_write(r->app->db, drop_rows, on_dropped, r)) < 0)
		gave_up(r, err);
}

static void look(void *user)
{
	struct retention *r = user;
	int err;

	if (kept_days(r) == 0) { /* for ever */
		next_table(r);
		return;
	}
	r->busy = true;
	r->to_id = r->from_id;
	r->now_us = clock_real_us(r->app->clock);
	err = loop_work(r->app->loop, look_work, on_looked, r);
	if (err < 0)
		gave_up(r, err);
}

int retention_new(struct app *app, struct retention **ret)
{
	struct retention *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->app = app;
	err = db_open_reader(app->db, &r->reader);
	if (err == 0)
		err = loop_timer_new(app->loop, look, r, &r->timer);
	if (err < 0) {
		retention_free(r);
		return err;
	}
	loop_timer_start(r->timer, FIRST_US);
	*ret = r;
	return 0;
}

void retention_free(struct retention *r)
{
	if (!r)
		return;
	r->stopping = true;
	while (r->busy) {
		db_drain(r->app->db);
		loop_run_once(r->app->loop, 10);
	}
	loop_timer_free(r->timer);
	sql_close(r->reader);
	free(r);
}
