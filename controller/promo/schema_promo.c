/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of promotions. A promotion says what it wants in wall time; its occurrences are instants,
 * with the terms that hold in them. An occurrence that has begun is evidence and only its end may
 * still move; those ahead are made from the promotion. Who belongs to a promotion is kept as
 * intervals, so that what an offer was at any past instant can still be said when a product has
 * left its brand since. Triggers keep those intervals: no way of writing a product can forget it.
 */
#include "controller/db/db_schema.h"

#define CHOSEN                                                                                     \
	"(select_kind = 'brand' AND select_text = NEW.brand) OR (select_kind = 'category'"         \
	" AND select_text = NEW.category)"

const char promo_schema_v3[] =
	"CREATE TABLE promotions("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" name TEXT NOT NULL,"
	" percent_milli INTEGER," /* thousandths of a percent */
	" price_minor INTEGER,"
	" currency TEXT NOT NULL,"
	" select_kind TEXT NOT NULL," /* list, brand, category */
	" select_text TEXT NOT NULL DEFAULT '',"
	" zone TEXT NOT NULL,"
	" start_wall TEXT NOT NULL,"
	" end_wall TEXT NOT NULL,"
	" recurrence TEXT NOT NULL DEFAULT '',"
	" state TEXT NOT NULL," /* draft, scheduled, cancelled: running and ended follow from time
				 */
	" complete INTEGER NOT NULL DEFAULT 0," /* all occurrences are written */
	" created INTEGER NOT NULL,"
	" who TEXT NOT NULL,"
	" cancelled_at INTEGER,"
	" cancelled_by TEXT NOT NULL DEFAULT '',"
	" cancel_reason TEXT NOT NULL DEFAULT '',"
	" rev INTEGER NOT NULL DEFAULT 1,"
	" CHECK((percent_milli IS NULL) <> (price_minor IS NULL)));"
	"CREATE INDEX promotions_live ON promotions(select_kind, select_text)"
	" WHERE state = 'scheduled';"

	/* The products of a promotion that chooses by list. */
	"CREATE TABLE promotion_list("
	" promotion_id INTEGER NOT NULL REFERENCES promotions(id),"
	" product_id INTEGER NOT NULL REFERENCES products(id),"
	" PRIMARY KEY(promotion_id, product_id)) WITHOUT ROWID;"

	/* Which products it has been for, from when to when; of any promotion that was scheduled.
	 */
	"CREATE TABLE promotion_members("
	" id INTEGER PRIMARY KEY,"
	" promotion_id INTEGER NOT NULL REFERENCES promotions(id),"
	" product_id INTEGER NOT NULL REFERENCES products(id),"
	" from_at INTEGER NOT NULL,"
	" to_at INTEGER);" /* NULL = still */
	"CREATE INDEX promotion_members_by_product ON promotion_members(product_id, promotion_id);"
	"CREATE UNIQUE INDEX promotion_members_now ON promotion_members(promotion_id, product_id)"
	" WHERE to_at IS NULL;"

	"CREATE TABLE promotion_occurrences("
	" id INTEGER PRIMARY KEY,"
	" promotion_id INTEGER NOT NULL REFERENCES promotions(id),"
	" start_wall TEXT NOT NULL,"
	" end_wall TEXT NOT NULL,"
	" zone TEXT NOT NULL,"
	" start_at INTEGER NOT NULL,"
	" end_at INTEGER NOT NULL,"
	" percent_milli INTEGER,"
	" price_minor INTEGER,"
	" currency TEXT NOT NULL);"
	"CREATE INDEX promotion_occurrences_by_promotion"
	" ON promotion_occurrences(promotion_id, end_at);"
	"CREATE INDEX promotion_occurrences_by_start ON promotion_occurrences(start_at);"
	"CREATE INDEX promotion_occurrences_by_end ON promotion_occurrences(end_at);"

	"CREATE TRIGGER products_join_promotions AFTER INSERT ON products BEGIN"
	" INSERT INTO promotion_members(promotion_id, product_id, from_at)"
	"  SELECT id, NEW.id, NEW.created FROM promotions WHERE state = 'scheduled' AND (" CHOSEN
	"); END;"
	"CREATE TRIGGER products_change_promotions AFTER UPDATE OF brand, category ON products"
	" WHEN OLD.brand <> NEW.brand OR OLD.category <> NEW.category BEGIN"
	" UPDATE promotion_members SET to_at = max(from_at, NEW.changed)"
	"  WHERE product_id = NEW.id AND to_at IS NULL AND promotion_id IN (SELECT id FROM"
	"  promotions WHERE state = 'scheduled' AND select_kind <> 'list' AND NOT (" CHOSEN "));"
	" INSERT INTO promotion_members(promotion_id, product_id, from_at)"
	"  SELECT id, NEW.id, NEW.changed FROM promotions WHERE state = 'scheduled' AND (" CHOSEN
	") AND NOT EXISTS (SELECT 1 FROM promotion_members m WHERE m.promotion_id = promotions.id"
	"  AND m.product_id = NEW.id AND m.to_at IS NULL); END;"

	/* Which rows of the price ledger take another one back. */
	"CREATE TABLE price_undos("
	" price_id INTEGER PRIMARY KEY REFERENCES prices(id),"
	" undo_of INTEGER NOT NULL UNIQUE REFERENCES prices(id));" DB_APPEND_ONLY("price_undos");
