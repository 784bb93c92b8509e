/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/db/db_schema.h"
#include "common/err.h"
#include "common/log.h"
#include <errno.h>

static const char *const version_1[] = {
	core_schema_v1,
	shop_schema_v1,
	inventory_schema_v1,
	NULL,
};

static const char *const version_2[] = {
	keeping_schema_v2,
	NULL,
};

static const char *const version_3[] = {
	books_schema_v3,   core_schema_v3, links_schema_v3, plan_schema_v3, promo_schema_v3,
	rollout_schema_v3, NULL,
};

static const char *const version_4[] = {
	incidents_schema_v4, keys_schema_v4, places_schema_v4,
	sensors_schema_v4,   tags_schema_v4, NULL,
};

static const char *const version_5[] = {
	keeping_schema_v5,
	sensors_schema_v5,
	bonds_schema_v5,
	NULL,
};

static const char *const *const versions[] = {
	version_1, version_2, version_3, version_4, version_5,
};

const struct db_schema db_schema_current = {
	.n_versions = ARRAY_SIZE(versions),
	.versions = versions,
};

/* meta holds single numbers. `id` marks the file as ours. */
static const char meta_schema[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO meta VALUES('schema', 0), ('rev', 0),"
	" ('epoch', (random() & 0x3fffffffffffffff) + 1);";

static int read_number(struct sql *s, const char *text, int64_t *ret)
{
	struct sql_stmt *q = sql_prepare(s, text);
	int r = sql_step(q);

	if (r < 0)
		return r;
	if (r == 0)
		return -ENOENT;
	*ret = sql_col_i64(q, 0);
	sql_reset(q);
	return 0;
}

static int apply(struct sql *s, const struct db_schema *schema, int64_t from)
{
	for (size_t v = (size_t) from; v < schema->n_versions; v++) {
		for (const char *const *text = schema->versions[v]; *text; text++) {
			int r = sql_exec(s, *text);

			if (r < 0)
				return log_errno(
					"db", r,
					"version=%zu error=\"%s\" msg=\"migration failed\"", v + 1,
					sql_error(s));
		}
	}
	struct sql_stmt *q = sql_prepare(s, "UPDATE meta SET value = ? WHERE key = 'schema'");

	sql_bind_i64(q, 1, (int64_t) schema->n_versions);
	return sql_run(q);
}

static int migrate_in_transaction(struct sql *s, const struct db_schema *schema)
{
	int64_t tables = 0, has_meta = 0, version = 0;
	int r = read_number(s, "SELECT count(*) FROM sqlite_schema", &tables);

	if (r < 0)
		return r;
	r = read_number(s, "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'", &has_meta);
	if (r < 0)
		return r;
	if (tables > 0 && !has_meta)
		return log_errno("db", -ERR_CORRUPT,
				 "msg=\"gondola.db is another program's file\"");
	if (!has_meta) {
		r = sql_exec(s, meta_schema);
		if (r < 0)
			return r;
	}
	r = read_number(s, "SELECT value FROM meta WHERE key = 'schema'", &version);
	if (r < 0)
		return r == -ENOENT ? -ERR_CORRUPT : r;
	if (version < 0 || (uint64_t) version > schema->n_versions)
		return -ERR_VERSION;
	if ((uint64_t) version == schema->n_versions)
		return 0;
	log_info("db", "from=%d to=%zu msg=migrating", (int) version, schema->n_versions);
	return apply(s, schema, version);
}

int db_schema_migrate(struct sql *s, const struct db_schema *schema)
{
	int r = sql_begin(s);

	if (r < 0)
		return r;
	r = migrate_in_transaction(s, schema);
	if (r < 0) {
		sql_rollback(s);
		return r;
	}
	return sql_commit(s);
}
