/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/keeping/retention.h"
#include "common/err.h"
#include "common/log.h"
#include "controller/app.h"
#include "controller/app_config.h"
#include "controller/db/db.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_US    (INT64_C(86400) * US_PER_SEC)
#define FIRST_US  (INT64_C(600) * US_PER_SEC)
#define LOOK_US   (INT64_C(3600) * US_PER_SEC)
#define PAUSE_US  US_PER_SEC
#define AT_ONCE   200
/** A clock that jumps ahead must not cost more than this. */
#define STRIDE_US (30 * DAY_US)

#define TIME(column) "strftime('%Y-%m-%dT%H:%M:%fZ', " column " / 1000000.0, 'unixepoch')"

/* What is read: number, instant, year and the row for the file, from a number on. What is dropped
 * is dropped by the same words, and by the instant. */
static const struct kept {
	const char *name, *oldest, *read, *drop;
	size_t days; /* offset in struct app_config */
} kept[] = {
	{"display_ledger", "SELECT received FROM display_ledger ORDER BY id LIMIT 1",
	 "SELECT id, received, strftime('%Y', received / 1000000, 'unixepoch'), json_object("
	 "'id', id, 'label', printf('%012X', addr), 'at', " TIME("at") ", 'received', " TIME(
		 "received") ", 'agent', agent_id, 'kind', kind, 'image', lower(hex(image)),"
			     " 'grade', grade, 'price_minor', price_minor, 'currency', currency,"
			     " 'text', text) FROM display_ledger WHERE id > ? ORDER BY id LIMIT ?",
	 "DELETE FROM display_ledger WHERE id > ? AND id <= ? AND received < ?",
	 offsetof(struct app_config, keep_ledger_days)},
	{"audit", "SELECT at FROM audit ORDER BY id LIMIT 1",
	 "SELECT id, at, strftime('%Y', at / 1000000, 'unixepoch'), json_object('id', id, "
	 "'at', " TIME("at") ", 'who', who, 'action', action, 'object', object, 'detail', detail)"
			     " FROM audit WHERE id > ? ORDER BY id LIMIT ?",
	 "DELETE FROM audit WHERE id > ? AND id <= ? AND at < ?",
	 offsetof(struct app_config, keep_audit_days)},
	{"label_flashes", "SELECT at FROM label_flashes ORDER BY id LIMIT 1",
	 "SELECT id, at, strftime('%Y', at / 1000000, 'unixepoch'), json_object('id', id,"
	 " 'at', " TIME("at") ", 'who', who, 'label', printf('%012X', addr), 'colour', colour,"
			      " 'until', " TIME("until") ") FROM label_flashes WHERE id > ?"
							 " ORDER BY id LIMIT ?",
	 "DELETE FROM label_flashes WHERE id > ? AND id <= ? AND at < ?",
	 offsetof(struct app_config, keep_audit_days)},
	{"label_reads", "SELECT at FROM label_reads ORDER BY id LIMIT 1",
	 "SELECT id, at, strftime('%Y', at / 1000000, 'unixepoch'), json_object('id', id,"
	 " 'at', " TIME("at") ", 'who', who, 'label', printf('%012X', addr), 'sensor', n,"
			      " 'until', " TIME("until") ") FROM label_reads WHERE id > ?"
							 " ORDER BY id LIMIT ?",
	 "DELETE FROM label_reads WHERE id > ? AND id <= ? AND at < ?",
	 offsetof(struct app_config, keep_audit_days)},
	/* The figure that holds stays, however old it is. */
	{"book_stock",
	 "SELECT at FROM book_stock b WHERE NOT EXISTS"
	 " (SELECT 1 FROM book_now n WHERE n.book_id = b.id) ORDER BY id LIMIT 1",
	 "SELECT id, at, strftime('%Y', at / 1000000, 'unixepoch'), json_object('id', id,"
	 " 'product_id', product_id, 'place_id', place_id, 'quantity', quantity, 'as_of', " TIME(
		 "as_of") ", 'at', " TIME("at") ", 'who', who, 'source', source, 'reason', reason)"
						" FROM book_stock b WHERE id > ? AND NOT EXISTS"
						" (SELECT 1 FROM book_now n WHERE n.book_id = b.id)"
						" ORDER BY id LIMIT ?",
	 "DELETE FROM book_stock WHERE id > ? AND id <= ? AND at < ? AND NOT EXISTS"
	 " (SELECT 1 FROM book_now n WHERE n.book_id = book_stock.id)",
	 offsetof(struct app_config, keep_books_days)},
};

struct retention {
	struct app *app;
	struct sql *reader; /* the pool's, while busy */
	struct loop_timer *timer;
	bool busy, stopping;
	size_t table;
	int64_t now_us, before_us, from_id, to_id;
	size_t n, dropped;
	int err;
};

static int64_t kept_days(const struct retention *r)
{
	int64_t days;

	memcpy(&days, (const char *) r->app->config + kept[r->table].days, sizeof(days));
	return days;
}

/* --- on the pool: what is past its time, and its file --------------------------------------------
 */

struct export
{
	const char *dir;
	char year[8];
	FILE *file;
};

static int export_close(struct export *x)
{
	int r = 0;

	if (!x->file)
		return 0;
	if (fflush(x->file) != 0 || fdatasync(fileno(x->file)) < 0)
		r = -errno;
	if (fclose(x->file) != 0 && r == 0)
		r = -errno;
	x->file = NULL;
	return r;
}

/* A name that a power cut takes back would take its rows with it. */
static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0 || fsync(fd) < 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r;
}

static int export_open(struct export *x, const char *table, const char *year)
{
	_cleanup_free_ char *path = NULL;
	int r = export_close(x), fd;

	if (r < 0)
		return r;
	if (asprintf(&path, "%s/%s-%s.jsonl", x->dir, table, year) < 0)
		return -ENOMEM;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	x->file = fdopen(fd, "a");
	if (!x->file) {
		r = -errno;
		close(fd);
		return r;
	}
	snprintf(x->year, sizeof(x->year), "%s", year);
	return sync_dir(x->dir);
}

static int export_row(struct export *x, const char *table, const char *year, const char *row)
{
	int r = 0;

	if (!*x->dir)
		return 0;
	if (!year || !row)
		return -ERR_CORRUPT;
	if (!x->file || strcmp(x->year, year) != 0)
		r = export_open(x, table, year);
	if (r == 0 && fprintf(x->file, "%s\n", row) < 0)
		r = -EIO;
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
	const struct kept *k = &kept[r->table];
	int64_t oldest_us, before_us = 0;
	int e = read_instant(r->reader, k->oldest, NULL, &oldest_us);

	if (e <= 0)
		return e;
	e = read_instant(r->reader, "SELECT before FROM kept_since WHERE name = ?", k->name,
			 &before_us);
	r->before_us =
		MIN(r->now_us - kept_days(r) * DAY_US, MAX(before_us, oldest_us) + STRIDE_US);
	return e < 0 ? e : oldest_us < r->before_us;
}

static int read_rows(struct retention *r, struct export *x)
{
	struct sql_stmt *q = sql_prepare(r->reader, kept[r->table].read);
	int e;

	sql_bind_i64(q, 1, r->from_id);
	sql_bind_i64(q, 2, AT_ONCE);
	while ((e = sql_step(q)) > 0) {
		if (sql_col_i64(q, 1) >= r->before_us)
			break;
		e = export_row(x, kept[r->table].name, sql_col_text(q, 2), sql_col_text(q, 3));
		if (e < 0)
			break;
		r->to_id = sql_col_i64(q, 0);
		r->n++;
	}
	sql_reset(q);
	return MIN(e, 0);
}

static void look_work(void *user)
{
	struct retention *r = user;
	struct export x = {.dir = r->app->config->keep_export_dir};

	r->n = 0;
	r->err = r->from_id ? 1 : find_before(r);
	if (r->err > 0)
		r->err = read_rows(r, &x);

	int e = export_close(&x);

	if (r->err == 0)
		r->err = e;
}

/* --- on the writer -------------------------------------------------------------------------------
 */

static int drop_rows(struct sql *s, void *arg)
{
	struct retention *r = arg;
	struct sql_stmt *q =
		sql_prepare(s, "INSERT INTO kept_since(name, before) VALUES(?1, ?2)"
			       " ON CONFLICT(name) DO UPDATE SET before = max(before, ?2)");
	int e;

	sql_bind_text(q, 1, kept[r->table].name);
	sql_bind_i64(q, 2, r->before_us);
	e = sql_run(q);
	if (e < 0)
		return e;
	q = sql_prepare(s, kept[r->table].drop);
	sql_bind_i64(q, 1, r->from_id);
	sql_bind_i64(q, 2, r->to_id);
	sql_bind_i64(q, 3, r->before_us);
	e = sql_run(q);
	/* A figure that was replaced meanwhile has not been written to the file. */
	return e < 0 || (size_t) sql_changes(s) == r->n ? e : -EAGAIN;
}

static int note_dropped(struct sql *s, void *arg)
{
	struct retention *r = arg;
	char detail[96], when[CLOCK_RFC3339_MAX];

	(void) snprintf(detail, sizeof(detail), "%zu rows from before %s", r->dropped,
			clock_rfc3339(r->before_us, when));
	return db_audit(s, "gondolad", "keep.drop", kept[r->table].name, detail);
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
	r->table = (r->table + 1) % ARRAY_SIZE(kept);
	rest(r, r->table ? PAUSE_US : LOOK_US);
}

static void gave_up(struct retention *r, int err)
{
	log_write(LOG_WARN, "keep", err, "table=%s msg=\"nothing was dropped\"",
		  kept[r->table].name);
	next_table(r);
}

static void on_noted(void *arg, int err)
{
	struct retention *r = arg;

	if (err < 0)
		log_write(LOG_WARN, "keep", err, "table=%s rows=%zu msg=\"dropped, not noted\"",
			  kept[r->table].name, r->dropped);
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
	if (r->n == AT_ONCE)
		rest(r, PAUSE_US);
	else if (r->dropped == 0)
		next_table(r);
	else if ((err = db_write(r->app->db, note_dropped, on_noted, r)) < 0)
		on_noted(r, err);
}

static void on_looked(void *user)
{
	struct retention *r = user;
	int err = r->err;

	if (err < 0)
		gave_up(r, err);
	else if (r->stopping)
		rest(r, 0);
	else if (r->n == 0)
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
