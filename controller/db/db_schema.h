/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The database's versions. A version is the list of SQL texts that lead to it from the one before;
 * version 1 is every part's first schema, one after the other. Migrations only run forward, inside
 * one transaction.
 */
#pragma once

#include "common/sql.h"

/** For tables that are evidence: the database itself refuses to change or drop a row of them. */
#define DB_APPEND_ONLY(table)                                                                      \
	"CREATE TRIGGER " table "_no_update BEFORE UPDATE ON " table                               \
	" BEGIN SELECT RAISE(ABORT, '" table " is append-only'); END;"                             \
	"CREATE TRIGGER " table "_no_delete BEFORE DELETE ON " table                               \
	" BEGIN SELECT RAISE(ABORT, '" table " is append-only'); END;"

/** For evidence that is kept for so long and no longer: the database refuses to drop a row that is
 * younger than what kept_since says of `name`, by the instant `written`, an expression over `old`
 * (keeping/retention.h). */
#define DB_DROP_WHEN_OLD(table, name, written)                                                     \
	"CREATE TRIGGER " table "_no_delete BEFORE DELETE ON " table                               \
	" WHEN NOT EXISTS (SELECT 1 FROM kept_since k WHERE k.name = '" name "' AND " written      \
	" < k.before)"                                                                             \
	" BEGIN SELECT RAISE(ABORT, '" table " is kept longer'); END;"

/** Each part's tables. */
extern const char core_schema_v1[];
extern const char shop_schema_v1[];
extern const char inventory_schema_v1[];
extern const char keeping_schema_v2[];
extern const char core_schema_v3[];
extern const char links_schema_v3[];
extern const char plan_schema_v3[];
extern const char promo_schema_v3[];
extern const char rollout_schema_v3[];
extern const char books_schema_v3[];
extern const char incidents_schema_v4[];
extern const char keys_schema_v4[];
extern const char places_schema_v4[];
extern const char sensors_schema_v4[];
extern const char tags_schema_v4[];
extern const char keeping_schema_v5[];
extern const char sensors_schema_v5[];
extern const char bonds_schema_v5[];

/** versions[i] leads to version i + 1 and ends with NULL. */
struct db_schema {
	size_t n_versions;
	const char *const *const *versions;
};
extern const struct db_schema db_schema_current;

/** Brings a database to the newest version of `schema`. -ERR_VERSION if it is newer than that;
 * -ERR_CORRUPT if it is not one of ours. */
int db_schema_migrate(struct sql *s, const struct db_schema *schema) _must_check_;
