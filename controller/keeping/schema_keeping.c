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
 * and the trail of who did what is so, too. Lines of a sale, and what belongs to a delivery, go
 * with it.
 */
#define OF_SALE     "(SELECT received FROM sales WHERE id = old.sale_id)"
#define OF_DELIVERY "(SELECT closed FROM deliveries WHERE id = old.delivery_id)"
#define OF_LINE                                                                                    \
	"(SELECT d.closed FROM delivery_lines l JOIN deliveries d ON d.id = l.delivery_id"         \
	" WHERE l.id = old.line_id)"
#define DROP_OLD(table, name, written)                                                             \
	"DROP TRIGGER " table "_no_delete;" DB_DROP_WHEN_OLD(table, name, written)

/* clang-format off */
const char keeping_schema_v5[] =
	"CREATE TABLE kept_since("
	" name TEXT PRIMARY KEY,"
	" before INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TRIGGER kept_since_forward BEFORE UPDATE ON kept_since WHEN new.before < old.before"
	" BEGIN SELECT RAISE(ABORT, 'what is gone is gone'); END;"
	"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit"
	" BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;"
	"CREATE INDEX book_now_by_row ON book_now(book_id);"
	DB_DROP_WHEN_OLD("audit", "audit", "old.at")
	DB_DROP_WHEN_OLD("deliveries", "deliveries", "old.closed")
	DROP_OLD("display_ledger", "display_ledger", "old.received")
	DROP_OLD("label_links", "label_links", "old.at")
	DROP_OLD("book_stock", "book_stock", "old.at")
	DROP_OLD("sales", "sales", "old.received")
	DROP_OLD("sale_lines", "sales", OF_SALE)
	DROP_OLD("delivery_lines", "deliveries", OF_DELIVERY)
	DROP_OLD("delivery_receipts", "deliveries", OF_DELIVERY)
	DROP_OLD("delivery_epcs", "deliveries", OF_LINE);
/* clang-format on */
