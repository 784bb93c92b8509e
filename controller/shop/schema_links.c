/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which product a label belonged to, since when and by whose hand; and which labels were made to
 * blink. Both are append-only: a link that was undone is a further row, and the battery's budget is
 * counted from what is written here. Labels linked before this version get a first row each, so
 * that their history begins somewhere.
 */
#include "controller/db/db_schema.h"

const char links_schema_v3[] =
	/* Replaced labels stay, for their history; nobody takes them in until they are linked. */
	"ALTER TABLE labels ADD COLUMN retired_at INTEGER;"
	"ALTER TABLE labels ADD COLUMN replaced_by INTEGER;"
	"ALTER TABLE labels ADD COLUMN leds BLOB;" /* an octet each; NULL = not known yet */
	/* The last flash that was asked for, and what became of it (enum flash_state). */
	"ALTER TABLE labels ADD COLUMN flash_until INTEGER;"
	"ALTER TABLE labels ADD COLUMN flash_colour INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE labels ADD COLUMN flash_state INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE labels ADD COLUMN flash_text TEXT NOT NULL DEFAULT '';"

	"CREATE TABLE label_links("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" at INTEGER NOT NULL,"
	" who TEXT NOT NULL,"
	" addr INTEGER NOT NULL,"
	" from_product INTEGER REFERENCES products(id)," /* NULL = it was not linked */
	" to_product INTEGER REFERENCES products(id),"
	" cause TEXT NOT NULL," /* link, unlink, import, replace, undo, before */
	" batch INTEGER,"       /* rows written together: the id of the first of them */
	" undo_of INTEGER UNIQUE REFERENCES label_links(id));"
	"CREATE INDEX label_links_by_label ON label_links(addr, id);"
	"CREATE INDEX label_links_by_from ON label_links(from_product, id)"
	" WHERE from_product IS NOT NULL;"
	"CREATE INDEX label_links_by_to ON label_links(to_product, id) WHERE to_product IS NOT "
	"NULL;"
	"CREATE INDEX label_links_by_batch ON label_links(batch) WHERE batch IS NOT NULL;"
	"INSERT INTO label_links(at, who, addr, to_product, cause)"
	" SELECT coalesce((SELECT max(at) FROM display_ledger d WHERE d.addr = l.addr"
	" AND d.kind = 'linked'), created), '', addr, product_id, 'before'"
	" FROM labels l WHERE product_id IS NOT NULL ORDER BY 1;" DB_APPEND_ONLY("label_links")

		"CREATE TABLE label_flashes("
		" id INTEGER PRIMARY KEY AUTOINCREMENT,"
		" store_id INTEGER NOT NULL DEFAULT 1,"
		" at INTEGER NOT NULL,"
		" who TEXT NOT NULL,"
		" addr INTEGER NOT NULL,"
		" colour INTEGER NOT NULL,"
		" until INTEGER NOT NULL);"
		"CREATE INDEX label_flashes_by_label ON label_flashes(addr, at);" DB_APPEND_ONLY(
			"label_flashes");
