/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/keeping/backup.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/file.h"
#include "common/log.h"
#include "config.h"
#include "controller/app_config.h"
#include "controller/db/db.h"
#include "controller/inventory/inventory.h"
#include "controller/keeping/backup_pack.h"
#include "controller/people/auth.h"
#include "controller/shop/shop.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct backup {
	struct app *app;
	bool running;
	bool closing;
};

/* One backup. The pool has it until `done`. */
struct job {
	struct app *app;
	struct http_request *rq;
	char passphrase[SEAL_PASSPHRASE_MAX + 1];
	char who[AUTH_WHO_MAX];
	char *dir; /* for the copies, one at a time */
	struct sql *db;
	int out; /* the sealed file, without a name */
	int64_t at_us;
	uint64_t size, plain;
	int err;
	const char *what; /* part that failed */
};

static void job_free(struct job *j)
{
	if (!j)
		return;
	if (j->out >= 0)
		close(j->out);
	if (j->db)
		sql_close(j->db);
	if (j->dir)
		ignore_result(file_remove_tree(j->dir));
	free(j->dir);
	sodium_memzero(j, sizeof(*j));
	free(j);
}
DEFINE_CLEANUP(struct job *, job_free)

/* --- on the pool --------------------------------------------------------------------------- */

static int copy_lmdb(const struct job *j, enum backup_part part, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), r = -EINVAL;

	if (fd < 0)
		return -errno;
	if (part == BACKUP_IMAGES)
		r = shop_copy_images(j->app->shop, fd);
	else if (part == BACKUP_JOURNAL)
		r = inventory_copy_journal(j->app->inventory, fd);
	else if (part == BACKUP_SNAPSHOT)
		r = inventory_copy_snapshot(j->app->inventory, fd);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

static int pack_copy(struct job *j, struct backup_pack *p, enum backup_part part)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (asprintf(&path, "%s/copy", j->dir) < 0)
		return -ENOMEM;
	r = part == BACKUP_DB ? sql_copy(j->db, path) : copy_lmdb(j, part, path);
	FAULT_POINT("ctl.backup.copied");
	if (r == 0)
		r = backup_pack_file(p, part, path);
	(void) unlink(path);
	return r;
}

static int pack_key(struct job *j, struct backup_pack *p, enum backup_part part)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s", j->app->config->state_dir, backup_names[part]) < 0)
		return -ENOMEM;
	return backup_pack_file(p, part, path);
}

static json_t *describe(const struct job *j)
{
	struct sql_stmt *q = sql_prepare(j->db, "SELECT value FROM meta WHERE key = 'schema'");
	char when[CLOCK_RFC3339_MAX], epoch[24];
	int64_t schema = sql_step(q) > 0 ? sql_col_i64(q, 0) : 0;

	sql_reset(q);
	snprintf(epoch, sizeof(epoch), "%llu", (unsigned long long) db_epoch(j->app->db));
	return json_pack("{s:i,s:s,s:I,s:s,s:s,s:s}", "format", BACKUP_FORMAT, "version",
			 PACKAGE_VERSION, "schema", (json_int_t) schema, "epoch", epoch, "at",
			 clock_rfc3339(j->at_us, when), "store", j->app->config->store_name);
}

static int make(struct job *j)
{
	struct backup_pack p;
	struct stat st;
	int r;

	j->what = "passphrase";
	r = backup_pack_begin(j->out, j->passphrase, &p);
	sodium_memzero(j->passphrase, sizeof(j->passphrase));
	if (r < 0)
		return r;
	for (enum backup_part part = 0; part < BACKUP_PARTS && r == 0; part++) {
		j->what = backup_names[part];
		r = part <= BACKUP_SNAPSHOT ? pack_copy(j, &p, part) : pack_key(j, &p, part);
	}
	if (r == 0) {
		j->what = "manifest";
		r = backup_pack_end(&p, describe(j));
	}
	FAULT_POINT("ctl.backup.sealed");
	if (r == 0 && fstat(j->out, &st) < 0)
		r = -errno;
	if (r == 0)
		j->size = (uint64_t) st.st_size;
	j->plain = p.bytes;
	backup_pack_done(&p);
	return r;
}

static void work(void *arg)
{
	struct job *j = arg;

	j->err = make(j);
}

/* --- on the loop --------------------------------------------------------------------------- */

static int write_audit(struct sql *s, void *arg)
{
	const struct job *j = arg;
	char detail[48];

	snprintf(detail, sizeof(detail), "%llu bytes", (unsigned long long) j->size);
	return db_audit(s, j->who, "backup.create", "store", detail);
}

/* The keys leave the store only with a trace of who took them. */
static void audited(void *arg, int err)
{
	_cleanup_(job_freep) struct job *j = arg;
	char name[96], when[CLOCK_RFC3339_MAX];

	if (err < 0) {
		http_reply_err(j->rq, err, "The backup could not be noted");
		return;
	}
	clock_rfc3339(j->at_us, when);
	when[10] = '\0';
	snprintf(name, sizeof(name), "attachment; filename=\"gondola-%s.backup\"", when);
	http_set_header(j->rq, "Content-Disposition", name);
	http_reply_file(j->rq, 200, "application/octet-stream", j->out, j->size);
	j->out = -1;
}

static void made(void *arg)
{
	struct job *j = arg;
	struct app *app = j->app;
	int r = j->err;

	/* The folder goes first: the next backup may want one of that name. */
	ignore_result(file_remove_tree(j->dir));
	free(TAKE_PTR(j->dir));
	app->backup->running = false;
	log_write(r < 0 ? LOG_ERR : LOG_NOTICE, "backup", r,
		  "ms=%lld bytes=%llu plain=%llu part=%s msg=\"backup %s\"",
		  (long long) ((clock_real_us(app->clock) - j->at_us) / US_PER_MS),
		  (unsigned long long) j->size, (unsigned long long) j->plain, j->what,
		  r < 0 ? "failed" : "made");
	if (r == 0)
		r = db_write(app->db, write_audit, audited, j);
	if (r < 0) {
		http_reply_err(j->rq, r, "The backup could not be made");
		job_free(j);
	}
}

static int open_out(struct job *j)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&j->dir, "%s/backup.tmp", j->app->config->state_dir) < 0) {
		j->dir = NULL;
		return -ENOMEM;
	}
	ignore_result(file_remove_tree(j->dir));
	if (mkdir(j->dir, 0700) < 0)
		return -errno;
	if (asprintf(&path, "%s/sealed", j->dir) < 0)
		return -ENOMEM;
	j->out = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (j->out < 0)
		return -errno;
	return unlink(path) < 0 ? -errno : 0;
}

static void start(struct http_request *rq, struct app *app, const char *passphrase)
{
	_cleanup_(job_freep) struct job *j = calloc(1, sizeof(*j));
	int r;

	if (!j) {
		http_reply_err(rq, -ENOMEM, "The backup could not be made");
		return;
	}
	j->out = -1;
	j->app = app;
	j->rq = rq;
	j->at_us = clock_real_us(app->clock);
	auth_who_text(http_who(rq), j->who);
	snprintf(j->passphrase, sizeof(j->passphrase), "%s", passphrase);
	r = open_out(j);
	if (r == 0)
		r = db_open_reader(app->db, &j->db);
	app->backup->running = true;
	if (r == 0)
		r = loop_work(app->loop, work, made, j);
	if (r < 0) {
		app->backup->running = false;
		http_reply_err(rq, r, "The backup could not be made");
		return;
	}
	j = NULL;
}

static void post_backup(struct http_request *rq, struct app *app)
{
	const char *passphrase = NULL;
	json_t *body;

	if (app->backup->running || app->backup->closing) {
		http_problem(rq, 409, "backup-running", "Another backup is under way.");
		return;
	}
	body = http_json(rq);
	if (!body)
		return;
	if (json_unpack(body, "{s:s}", "passphrase", &passphrase) < 0 ||
	    strlen(passphrase) < SEAL_PASSPHRASE_MIN || strlen(passphrase) > SEAL_PASSPHRASE_MAX)
		http_problem(rq, 422, "bad-passphrase", "A passphrase has %d to %d bytes.",
			     SEAL_PASSPHRASE_MIN, SEAL_PASSPHRASE_MAX);
	else
		start(rq, app, passphrase);
	json_decref(body);
}

int backup_new(struct app *app, struct backup **ret)
{
	_cleanup_free_ char *left = NULL;
	struct backup *b = calloc(1, sizeof(*b));

	if (!b || asprintf(&left, "%s/backup.tmp", app->config->state_dir) < 0) {
		left = NULL;
		free(b);
		return -ENOMEM;
	}
	ignore_result(file_remove_tree(left));
	b->app = app;
	*ret = b;
	return 0;
}

void backup_free(struct backup *b)
{
	if (!b)
		return;
	b->closing = true;
	while (b->running)
		loop_run_once(b->app->loop, 100);
	db_drain(b->app->db); /* its answer, while there is somebody to give it to */
	free(b);
}

const struct http_route backup_routes[] = {
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/backup", PERM_BACKUP, 4096, post_backup},
	{.path = NULL},
};
