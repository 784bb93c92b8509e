/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version 2: tokens for machines. Like a session, a token is known by its hash; unlike one it has a
 * name, permissions of its own and an end that its maker chose.
 */
#include "controller/db/db_schema.h"

const char keeping_schema_v2[] =
	"CREATE TABLE tokens("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE," /* who made it */
	" name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
	" token_hash BLOB NOT NULL UNIQUE,"
	" perms TEXT NOT NULL," /* names, joined by commas: bits may be numbered anew */
	" created INTEGER NOT NULL,"
	" expires INTEGER NOT NULL,"
	" last_used INTEGER);"
	"CREATE INDEX tokens_by_user ON tokens(user_id);";

/*
 * Version 5: how long evidence is kept. Rows go when they are older than what kept_since says of
 * their table, and not before (retention.h); until then the tables are as append-only as they were,
 * and the trail of who did what is so, too.
 */
#define DROP_WHEN_OLD(table, column)                                                               \
	"CREATE TRIGGER " table "_no_delete BEFORE DELETE ON " table                               \
	" WHEN NOT EXISTS (SELECT 1 FROM kept_since WHERE name = '" table "' AND old." column      \
	" < before)"                                                                               \
	" BEGIN SELECT RAISE(ABORT, '" table " is kept longer'); END;"

const char keeping_schema_v5[] =
	"CREATE TABLE kept_since("
	" name TEXT PRIMARY KEY,"
	" before INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TRIGGER kept_since_forward BEFORE UPDATE ON kept_since WHEN new.before < old.before"
	" BEGIN SELECT RAISE(ABORT, 'what is gone is gone'); END;"
	"DROP TRIGGER display_ledger_no_delete;"
	"DROP TRIGGER book_stock_no_delete;"
	"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit"
	" BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;"
	"CREATE INDEX book_now_by_row ON book_now(book_id);" DROP_WHEN_OLD("display_ledger",
									   "received")
		DROP_WHEN_OLD("audit", "at") DROP_WHEN_OLD("book_stock", "at");
