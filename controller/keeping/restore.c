/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/keeping/restore.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/file.h"
#include "common/log.h"
#include "common/sql.h"
#include "controller/db/db_schema.h"
#include "controller/keeping/backup_pack.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a store consists of; the database's companions go with it. */
static const char *const entries[] = {
	"gondola.db", "gondola.db-wal", "gondola.db-shm", "ca",
	"journal",    "snapshot",       "images",         "escrow.key",
};

static char *join(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Moves one entry if it is there. */
static int move_entry(const char *from_dir, const char *to_dir, const char *name)
{
	_cleanup_free_ char *from = join(from_dir, name), *to = join(to_dir, name);

	if (!from || !to)
		return -ENOMEM;
	if (!exists(from))
		return 0;
	return rename(from, to) < 0 ? -errno : 0;
}

static int move_all(const char *from_dir, const char *to_dir)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(entries) && r == 0; i++) {
		r = move_entry(from_dir, to_dir, entries[i]);
		FAULT_POINT("ctl.restore.moving");
	}
	if (r == 0)
		r = file_sync_dir(to_dir);
	return r < 0 ? r : file_sync_dir(from_dir);
}

static int rename_durable(const char *state_dir, const char *from, const char *to)
{
	return rename(from, to) < 0 ? -errno : file_sync_dir(state_dir);
}

int restore_resume(const char *state_dir)
{
	_cleanup_free_ char *fresh = join(state_dir, "restore.new");
	_cleanup_free_ char *ready = join(state_dir, "restore.ready");
	_cleanup_free_ char *in = join(state_dir, "restore.in");
	_cleanup_free_ char *replaced = join(state_dir, "replaced");
	int r;

	if (!fresh || !ready || !in || !replaced)
		return -ENOMEM;
	r = file_remove_tree(fresh);
	if (r == 0 && exists(ready)) {
		if (mkdir(replaced, 0700) < 0 && errno != EEXIST)
			return -errno;
		r = move_all(state_dir, replaced);
		if (r == 0)
			r = rename_durable(state_dir, ready, in);
		FAULT_POINT("ctl.restore.moved_away");
	}
	if (r == 0 && exists(in)) {
		r = move_all(in, state_dir);
		FAULT_POINT("ctl.restore.moved_in");
		if (r == 0 && rmdir(in) < 0)
			r = -errno;
		if (r == 0)
			r = file_sync_dir(state_dir);
	}
	return r;
}

/* --- the successor ------------------------------------------------------------------------- */

/* Ids that were given out after the backup must not come back with another meaning. */
static const char succeed[] =
	"UPDATE meta SET value = (random() & 0x3fffffffffffffff) + 1 WHERE key = 'epoch';"
	"DELETE FROM sessions;"
	"DELETE FROM join_codes;"
	"UPDATE sqlite_sequence SET seq = seq + 1000000;";

static int check_database(struct sql *s)
{
	struct sql_stmt *q = sql_prepare(s, "PRAGMA quick_check(1)");
	int r = sql_step(q);

	if (r <= 0 || strcmp(sql_col_text(q, 0), "ok") != 0)
		return r < 0 ? r : -ERR_CORRUPT;
	sql_reset(q);
	q = sql_prepare(s, "SELECT value FROM meta WHERE key = 'schema'");
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ERR_CORRUPT;
	r = (uint64_t) sql_col_i64(q, 0) > db_schema_current.n_versions ? -ERR_VERSION : 0;
	sql_reset(q);
	return r;
}

static int write_successor(struct sql *s, const char *about, int64_t now_us)
{
	struct sql_stmt *q;
	int r = sql_begin(s);

	if (r < 0)
		return r;
	r = sql_exec(s, succeed);
	if (r == 0) {
		q = sql_prepare(s, "INSERT INTO audit(at, who, action, object, detail)"
				   " VALUES(?, 'local', 'backup.restore', 'store', ?)");
		sql_bind_i64(q, 1, now_us);
		sql_bind_text(q, 2, about);
		r = sql_run(q);
	}
	if (r == 0)
		r = sql_commit(s);
	if (r < 0)
		sql_rollback(s);
	return r;
}

static int make_successor(const char *dir, const char *about, int64_t now_us)
{
	_cleanup_(sql_closep) struct sql *s = NULL;
	_cleanup_free_ char *path = join(dir, backup_names[BACKUP_DB]);
	int r;

	if (!path)
		return -ENOMEM;
	r = sql_open(path, 0, &s);
	if (r == 0)
		r = check_database(s);
	return r < 0 ? r : write_successor(s, about, now_us);
}

static char *describe(const json_t *manifest)
{
	const char *at = json_string_value(json_object_get(manifest, "at"));
	const char *version = json_string_value(json_object_get(manifest, "version"));
	const char *store = json_string_value(json_object_get(manifest, "store"));
	char *text;

	return asprintf(&text, "backup of %s, made %s by version %s", store ? store : "?",
			at ? at : "?", version ? version : "?") < 0
		       ? NULL
		       : text;
}

static int sync_tree(const char *dir)
{
	static const char *const subs[] = {"ca", "journal", "snapshot", "images"};
	int r = file_sync_dir(dir);

	for (size_t i = 0; i < ARRAY_SIZE(subs) && r == 0; i++) {
		_cleanup_free_ char *sub = join(dir, subs[i]);

		r = sub ? file_sync_dir(sub) : -ENOMEM;
	}
	return r;
}

static int prepare(int fd, const char *passphrase, const char *dir, int64_t now_us,
		   char **ret_about)
{
	_cleanup_free_ char *about = NULL;
	json_t *manifest = NULL;
	int r = backup_unpack(fd, passphrase, dir, &manifest);

	if (r < 0)
		return r;
	FAULT_POINT("ctl.restore.unpacked");
	about = describe(manifest);
	json_decref(manifest);
	if (!about)
		return -ENOMEM;
	r = make_successor(dir, about, now_us);
	if (r == 0)
		r = sync_tree(dir);
	if (r == 0)
		*ret_about = TAKE_PTR(about);
	return r;
}

int restore_from(int fd, const char *passphrase, const char *state_dir, int64_t now_us,
		 char **ret_about)
{
	_cleanup_free_ char *fresh = join(state_dir, "restore.new");
	_cleanup_free_ char *ready = join(state_dir, "restore.ready");
	_cleanup_free_ char *replaced = join(state_dir, "replaced");
	int r;

	if (!fresh || !ready || !replaced)
		return -ENOMEM;
	r = restore_resume(state_dir);
	if (r < 0)
		return r;
	if (mkdir(fresh, 0700) < 0)
		return -errno;
	r = prepare(fd, passphrase, fresh, now_us, ret_about);
	if (r == 0)
		r = file_remove_tree(replaced);
	if (r < 0) {
		ignore_result(file_remove_tree(fresh));
		return r;
	}
	FAULT_POINT("ctl.restore.prepared");
	r = rename_durable(state_dir, fresh, ready);
	return r < 0 ? r : restore_resume(state_dir);
}
