/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of products, prices and labels. Every row carries its store. Instants are microseconds
 * UTC, money is an integer of minor units. Two tables are append-only, and the database itself says
 * so: what a product cost and what a label showed cannot be rewritten by a later mistake of ours.
 */
#include "controller/db/db_schema.h"

const char shop_schema_v1[] =
	"CREATE TABLE products("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" gtin INTEGER," /* the first alias, for reading; NULL for goods without a number */
	" name TEXT NOT NULL,"
	" brand TEXT NOT NULL DEFAULT '',"
	" category TEXT NOT NULL DEFAULT '',"
	" content_micro INTEGER NOT NULL DEFAULT 0," /* millionths of the unit; 0 = unknown */
	" unit INTEGER NOT NULL DEFAULT 0,"          /* enum content_unit */
	" folded TEXT NOT NULL,"                     /* name and brand as search compares them */
	" rev INTEGER NOT NULL DEFAULT 1,"
	" created INTEGER NOT NULL,"
	" changed INTEGER NOT NULL);"

	/* Numbers by which people and scanners call a product: 'gtin' (14 digits); later 'plu',
	 * 'sku'.
	 */
	"CREATE TABLE product_aliases("
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" kind TEXT NOT NULL,"
	" value TEXT NOT NULL,"
	" scanned TEXT NOT NULL," /* as it came */
	" product_id INTEGER NOT NULL REFERENCES products(id),"
	" PRIMARY KEY(store_id, kind, value)) WITHOUT ROWID;"
	"CREATE INDEX product_aliases_by_product ON product_aliases(product_id);"

	/* The price ledger. In force at T: the row with the latest from_at <= T, of those the
	   newest. */
	"CREATE TABLE prices("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" product_id INTEGER NOT NULL REFERENCES products(id),"
	" price_minor INTEGER NOT NULL CHECK(price_minor >= 0),"
	" currency TEXT NOT NULL,"
	" from_at INTEGER NOT NULL,"
	" at INTEGER NOT NULL,"
	" who TEXT NOT NULL,"
	" reason TEXT NOT NULL DEFAULT '');"
	"CREATE INDEX prices_by_product ON prices(product_id, from_at, id);"
	"CREATE INDEX prices_ahead ON prices(from_at) WHERE from_at > at;" DB_APPEND_ONLY("prices")

	/* `stale` counts reasons to draw anew, `done` is the count that the wanted rows answer. */
	"CREATE TABLE labels("
	" addr INTEGER PRIMARY KEY," /* 48-bit Bluetooth address */
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" agent_id INTEGER," /* whose label it is; NULL = not adopted */
	" heard_by INTEGER," /* the agent that heard it last */
	" width INTEGER NOT NULL DEFAULT 0,"
	" height INTEGER NOT NULL DEFAULT 0,"
	" display_type INTEGER NOT NULL DEFAULT 0,"
	" slots INTEGER NOT NULL DEFAULT 0,"
	" esl_group INTEGER, esl_id INTEGER,"
	" product_id INTEGER REFERENCES products(id),"
	" battery_mv INTEGER, temperature_cc INTEGER, rssi_dbm INTEGER,"
	" last_seen INTEGER NOT NULL,"
	" created INTEGER NOT NULL,"
	" stale INTEGER NOT NULL DEFAULT 1,"
	" done INTEGER NOT NULL DEFAULT 0,"
	" template INTEGER NOT NULL DEFAULT 0,"
	" wanted_rev INTEGER NOT NULL DEFAULT 0,"
	" staged_image BLOB, staged_at INTEGER,"
	" sent_image BLOB, sent_at INTEGER,"
	" shown_image BLOB, shown_since INTEGER, shown_grade INTEGER NOT NULL DEFAULT 0,"
	" shown_at INTEGER," /* latest evidence */
	" error INTEGER NOT NULL DEFAULT 0, error_text TEXT NOT NULL DEFAULT '', error_at INTEGER,"
	" lost_at INTEGER, lost_text TEXT NOT NULL DEFAULT '');"
	"CREATE INDEX labels_by_product ON labels(product_id) WHERE product_id IS NOT NULL;"
	"CREATE INDEX labels_by_agent ON labels(agent_id, wanted_rev);"
	"CREATE INDEX labels_stale ON labels(addr) WHERE stale <> done;"

	/* What a label should show from when on, oldest first. */
	"CREATE TABLE wanted("
	" addr INTEGER NOT NULL REFERENCES labels(addr),"
	" from_at INTEGER NOT NULL,"
	" image BLOB NOT NULL,"
	" price_minor INTEGER,"
	" currency TEXT,"
	" PRIMARY KEY(addr, from_at)) WITHOUT ROWID;"

	/* Labels that an agent must let go of. */
	"CREATE TABLE labels_forgotten("
	" agent_id INTEGER NOT NULL,"
	" addr INTEGER NOT NULL,"
	" rev INTEGER NOT NULL,"
	" PRIMARY KEY(agent_id, addr)) WITHOUT ROWID;"

	/* Keys of labels, sealed: DIR/escrow.key opens them. */
	"CREATE TABLE label_keys("
	" addr INTEGER PRIMARY KEY REFERENCES labels(addr),"
	" agent_id INTEGER NOT NULL,"
	" sealed BLOB NOT NULL,"
	" at INTEGER NOT NULL);"

	/* How far each stream of label reports has been taken in. */
	"CREATE TABLE label_streams("
	" agent_id INTEGER NOT NULL,"
	" journal_id BLOB NOT NULL,"
	" acked INTEGER NOT NULL,"
	" PRIMARY KEY(agent_id, journal_id)) WITHOUT ROWID;"

	"CREATE TABLE display_ledger("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" addr INTEGER NOT NULL,"
	" at INTEGER NOT NULL,"       /* when it happened, as the agent says */
	" received INTEGER NOT NULL," /* when we wrote it */
	" agent_id INTEGER,"
	" kind TEXT NOT NULL,"
	" image BLOB,"
	" grade INTEGER NOT NULL DEFAULT 0,"
	" price_minor INTEGER,"
	" currency TEXT,"
	" text TEXT NOT NULL DEFAULT '');"
	"CREATE INDEX display_ledger_by_label ON display_ledger(addr, id);" DB_APPEND_ONLY(
		"display_ledger");
