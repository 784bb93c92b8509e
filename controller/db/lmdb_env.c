/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/db/lmdb_env.h"
#include "common/err.h"
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MAX_READERS 64

struct lmdb_env {
	MDB_env *mdb;
	MDB_dbi dbi[LMDB_MAX_TABLES];
	size_t n_tables;
	int dir_fd;            /**< holds the lock against a second process */
	_Atomic uint64_t used; /**< bytes, as of the last commit */
	pthread_mutex_t map;   /**< held by a copy, which must not see the map move */
};

/* LMDB reports a write that the file system cut short as EIO. */
static bool disk_is_full(const struct lmdb_env *e)
{
	struct statvfs vfs;

	return fstatvfs(e->dir_fd, &vfs) == 0 &&
	       (uint64_t) vfs.f_bavail * vfs.f_frsize < (1u << 20);
}

static int map_code(const struct lmdb_env *e, int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return 0;
	case MDB_NOTFOUND:
		return -ENOENT;
	case MDB_MAP_FULL:
	case EFBIG:
	case EDQUOT:
		return -ENOSPC;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
		return -ERR_CORRUPT;
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE:
		return -ERR_VERSION;
	case MDB_READERS_FULL:
		return -EAGAIN;
	case MDB_KEYEXIST:
		return -ERR_STATE;
	case EIO:
		return e && disk_is_full(e) ? -ENOSPC : -EIO;
	default:
		return rc > 0 ? -rc : -ERR_DB;
	}
}

static int lock_dir(struct lmdb_env *e, const char *dir)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	e->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->dir_fd < 0)
		return -errno;
	if (flock(e->dir_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return 0;
}

/* A read past the end of the file would end the process with SIGBUS, so its length is checked
 * against what its header promises before anything is read. */
static int check_length(struct lmdb_env *e)
{
	MDB_envinfo info;
	MDB_stat st;
	mdb_filehandle_t fd;
	struct stat file;
	uint64_t want;

	if (mdb_env_info(e->mdb, &info) || mdb_env_stat(e->mdb, &st) ||
	    mdb_env_get_fd(e->mdb, &fd) || fstat(fd, &file) < 0)
		return -ERR_DB;
	if (file.st_size == 0)
		return 0;
	want = ((uint64_t) info.me_last_pgno + 1) * st.ms_psize;
	if (want > info.me_mapsize)
		return -ERR_CORRUPT;
	if ((uint64_t) file.st_size >= want)
		return 0;
	if (want - (uint64_t) file.st_size > (uint64_t) LMDB_MAX_UNWRITTEN_PAGES * st.ms_psize)
		return -ERR_CORRUPT;
	return ftruncate(fd, (off_t) want) < 0 ? -errno : 0;
}

static int open_tables(struct lmdb_env *e, const struct lmdb_config *cfg)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(e->mdb, NULL, 0, &txn);

	if (rc)
		return map_code(e, rc);
	for (size_t i = 0; i < cfg->n_tables && !rc; i++)
		rc = mdb_dbi_open(txn, cfg->tables[i], MDB_CREATE, &e->dbi[i]);
	if (rc) {
		mdb_txn_abort(txn);
		return map_code(e, rc);
	}
	return map_code(e, mdb_txn_commit(txn));
}

static int open_env(struct lmdb_env *e, const struct lmdb_config *cfg)
{
	uint64_t max_bytes = cfg->max_bytes;
	int rc;

	if (!max_bytes)
		max_bytes = sizeof(void *) >= 8 ? UINT64_C(16) << 30 : UINT64_C(1) << 30;
	rc = mdb_env_create(&e->mdb);
	if (rc)
		return map_code(e, rc);
	rc = mdb_env_set_mapsize(e->mdb, (size_t) max_bytes);
	if (!rc)
		rc = mdb_env_set_maxdbs(e->mdb, LMDB_MAX_TABLES);
	if (!rc)
		rc = mdb_env_set_maxreaders(e->mdb, MAX_READERS);
	if (!rc)
		rc = mdb_env_open(e->mdb, cfg->dir, MDB_NOTLS, 0600);
	if (rc)
		return rc == EINVAL ? -ERR_CORRUPT : map_code(e, rc);
	return check_length(e);
}

/* Asked between transactions only: the header moves when the map grows. */
static void note_used(struct lmdb_env *e)
{
	MDB_envinfo info;
	MDB_stat st;

	if (mdb_env_info(e->mdb, &info) == 0 && mdb_env_stat(e->mdb, &st) == 0)
		e->used = ((uint64_t) info.me_last_pgno + 1) * st.ms_psize;
}

int lmdb_open(const struct lmdb_config *cfg, struct lmdb_env **ret)
{
	struct lmdb_env *e;
	int r;

	if (cfg->n_tables > LMDB_MAX_TABLES)
		return -EINVAL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	pthread_mutex_init(&e->map, NULL);
	e->dir_fd = -1;
	e->n_tables = cfg->n_tables;
	r = lock_dir(e, cfg->dir);
	if (!r)
		r = open_env(e, cfg);
	if (!r)
		r = open_tables(e, cfg);
	if (r) {
		lmdb_close(e);
		return r;
	}
	note_used(e);
	*ret = e;
	return 0;
}

void lmdb_close(struct lmdb_env *e)
{
	if (!e)
		return;
	if (e->mdb)
		mdb_env_close(e->mdb);
	if (e->dir_fd >= 0)
		close(e->dir_fd);
	pthread_mutex_destroy(&e->map);
	free(e);
}

uint64_t lmdb_used_bytes(const struct lmdb_env *e)
{
	return e->used;
}

int lmdb_grow(struct lmdb_env *e, uint64_t bytes)
{
	MDB_envinfo info;
	int r = -ERR_DB;

	pthread_mutex_lock(&e->map);
	if (mdb_env_info(e->mdb, &info) == 0)
		r = map_code(e, mdb_env_set_mapsize(e->mdb, info.me_mapsize + (size_t) bytes));
	pthread_mutex_unlock(&e->map);
	return r;
}

int lmdb_copy(struct lmdb_env *e, int fd)
{
	int rc;

	pthread_mutex_lock(&e->map);
	rc = mdb_env_copyfd2(e->mdb, fd, MDB_CP_COMPACT);
	pthread_mutex_unlock(&e->map);
	return map_code(e, rc);
}

static void begin(struct lmdb_env *e, unsigned int flags, struct lmdb_txn *t)
{
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(e->mdb, NULL, flags, &txn);

	if (rc == MDB_READERS_FULL) {
		int dead = 0;

		/* Slots of processes that were killed are found only by asking. */
		(void) mdb_reader_check(e->mdb, &dead);
		rc = mdb_txn_begin(e->mdb, NULL, flags, &txn);
	}
	*t = (struct lmdb_txn){.env = e, .txn = rc ? NULL : txn, .err = map_code(e, rc)};
}

void lmdb_begin_read(struct lmdb_env *e, struct lmdb_txn *t)
{
	begin(e, MDB_RDONLY, t);
}

void lmdb_begin_write(struct lmdb_env *e, struct lmdb_txn *t)
{
	begin(e, 0, t);
}

int lmdb_commit(struct lmdb_txn *t)
{
	if (t->err) {
		int err = t->err;

		lmdb_abort(t);
		return err;
	}
	t->err = map_code(t->env, mdb_txn_commit(t->txn));
	t->txn = NULL;
	note_used(t->env);
	return t->err;
}

void lmdb_abort(struct lmdb_txn *t)
{
	if (t->txn)
		mdb_txn_abort(t->txn);
	t->txn = NULL;
}

static void fail(struct lmdb_txn *t, int rc)
{
	if (!t->err)
		t->err = map_code(t->env, rc);
}

static bool usable(const struct lmdb_txn *t)
{
	return !t->err && t->txn;
}

static MDB_val to_mdb(struct lmdb_val v)
{
	return (MDB_val){.mv_size = v.len, .mv_data = (void *) (uintptr_t) v.data};
}

bool lmdb_get(struct lmdb_txn *t, unsigned int table, struct lmdb_val key, struct lmdb_val *ret)
{
	MDB_val k = to_mdb(key), v;
	int rc;

	if (!usable(t))
		return false;
	rc = mdb_get(t->txn, t->env->dbi[table], &k, &v);
	if (rc) {
		if (rc != MDB_NOTFOUND)
			fail(t, rc);
		return false;
	}
	*ret = LMDB_VAL(v.mv_data, v.mv_size);
	return true;
}

static void put(struct lmdb_txn *t, unsigned int table, struct lmdb_val key, struct lmdb_val val,
		unsigned int flags)
{
	MDB_val k = to_mdb(key), v = to_mdb(val);
	int rc;

	if (!usable(t))
		return;
	rc = mdb_put(t->txn, t->env->dbi[table], &k, &v, flags);
	if (rc)
		fail(t, rc);
}

void lmdb_put(struct lmdb_txn *t, unsigned int table, struct lmdb_val key, struct lmdb_val val)
{
	put(t, table, key, val, 0);
}

void lmdb_append(struct lmdb_txn *t, unsigned int table, struct lmdb_val key, struct lmdb_val val)
{
	put(t, table, key, val, MDB_APPEND);
}

void *lmdb_reserve(struct lmdb_txn *t, unsigned int table, struct lmdb_val key, size_t len)
{
	MDB_val k = to_mdb(key), v = {.mv_size = len, .mv_data = NULL};
	int rc;

	if (!usable(t))
		return NULL;
	rc = mdb_put(t->txn, t->env->dbi[table], &k, &v, MDB_RESERVE);
	if (rc) {
		fail(t, rc);
		return NULL;
	}
	return v.mv_data;
}

void lmdb_del(struct lmdb_txn *t, unsigned int table, struct lmdb_val key)
{
	MDB_val k = to_mdb(key);
	int rc;

	if (!usable(t))
		return;
	rc = mdb_del(t->txn, t->env->dbi[table], &k, NULL);
	if (rc && rc != MDB_NOTFOUND)
		fail(t, rc);
}

void lmdb_cursor_open(struct lmdb_txn *t, unsigned int table, struct lmdb_cursor *ret)
{
	MDB_cursor *cursor = NULL;

	*ret = (struct lmdb_cursor){.txn = t};
	if (!usable(t))
		return;
	int rc = mdb_cursor_open(t->txn, t->env->dbi[table], &cursor);

	if (rc)
		fail(t, rc);
	else
		ret->cursor = cursor;
}

void lmdb_cursor_close(struct lmdb_cursor *c)
{
	if (c->cursor)
		mdb_cursor_close(c->cursor);
	c->cursor = NULL;
}

static bool move(struct lmdb_cursor *c, MDB_val k, MDB_cursor_op op)
{
	MDB_val v = {0};
	int rc;

	if (!c->cursor || !usable(c->txn))
		return false;
	rc = mdb_cursor_get(c->cursor, &k, &v, op);
	if (rc) {
		if (rc != MDB_NOTFOUND)
			fail(c->txn, rc);
		return false;
	}
	c->key = LMDB_VAL(k.mv_data, k.mv_size);
	c->val = LMDB_VAL(v.mv_data, v.mv_size);
	return true;
}

bool lmdb_cursor_first(struct lmdb_cursor *c)
{
	return move(c, (MDB_val){0}, MDB_FIRST);
}

bool lmdb_cursor_last(struct lmdb_cursor *c)
{
	return move(c, (MDB_val){0}, MDB_LAST);
}

bool lmdb_cursor_next(struct lmdb_cursor *c)
{
	return move(c, (MDB_val){0}, MDB_NEXT);
}

bool lmdb_cursor_prev(struct lmdb_cursor *c)
{
	return move(c, (MDB_val){0}, MDB_PREV);
}

bool lmdb_cursor_seek(struct lmdb_cursor *c, struct lmdb_val key)
{
	return move(c, to_mdb(key), MDB_SET_RANGE);
}

void lmdb_cursor_del(struct lmdb_cursor *c)
{
	int rc;

	if (!c->cursor || !usable(c->txn))
		return;
	rc = mdb_cursor_del(c->cursor, 0);
	if (rc)
		fail(c->txn, rc);
}
