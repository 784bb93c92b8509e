/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version 3: the books. What an ERP, a till or a supplier said is evidence and append-only: a wrong
 * figure is mended by a newer row, never by changing an old one. book_now is the index into it: the
 * newest row of each product and place, kept by the same writes.
 */
#include "controller/db/db_schema.h"

const char books_schema_v3[] =
	"CREATE TABLE book_stock("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" product_id INTEGER NOT NULL REFERENCES products(id),"
	" place_id INTEGER NOT NULL DEFAULT 0," /* 0 = the whole store; a place may be gone */
	" quantity INTEGER NOT NULL,"
	" as_of INTEGER NOT NULL," /* the instant for which the figure holds */
	" at INTEGER NOT NULL,"    /* when it was told */
	" who TEXT NOT NULL,"
	" source TEXT NOT NULL," /* import, set, settle */
	" reason TEXT NOT NULL DEFAULT '');"
	"CREATE INDEX book_stock_by_product ON book_stock(product_id, as_of, id);" DB_APPEND_ONLY(
		"book_stock")

		"CREATE TABLE book_now("
		" product_id INTEGER NOT NULL REFERENCES products(id),"
		" place_id INTEGER NOT NULL,"
		" book_id INTEGER NOT NULL REFERENCES book_stock(id),"
		" quantity INTEGER NOT NULL,"
		" as_of INTEGER NOT NULL,"
		" PRIMARY KEY(product_id, place_id)) WITHOUT ROWID;"

		/* A sale is known by its till and the till's number for it; `digest` tells a
		   repetition from another sale under the same number. */
		"CREATE TABLE sales("
		" id INTEGER PRIMARY KEY AUTOINCREMENT,"
		" store_id INTEGER NOT NULL DEFAULT 1,"
		" till TEXT NOT NULL,"
		" number TEXT NOT NULL,"
		" at INTEGER NOT NULL,"
		" received INTEGER NOT NULL,"
		" who TEXT NOT NULL,"
		" digest BLOB NOT NULL,"
		" UNIQUE(store_id, till, number));" DB_APPEND_ONLY("sales")

	/* By GTIN and not by product: a till may sell what the catalogue learns of later. */
	"CREATE TABLE sale_lines("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" sale_id INTEGER NOT NULL REFERENCES sales(id),"
	" gtin INTEGER NOT NULL," /* 0 = a tag that names none */
	" epc BLOB,"
	" epc_bits INTEGER NOT NULL DEFAULT 0,"
	" quantity INTEGER NOT NULL CHECK(quantity <> 0)," /* negative = a return */
	" at INTEGER NOT NULL);"
	"CREATE INDEX sale_lines_by_gtin ON sale_lines(gtin, at);"
	"CREATE INDEX sale_lines_by_sale ON sale_lines(sale_id);"
	"CREATE INDEX sale_lines_of_gtin ON sale_lines(gtin, sale_id);"
	"CREATE INDEX sale_lines_with_epc ON sale_lines(at) WHERE epc IS NOT NULL;" DB_APPEND_ONLY(
		"sale_lines")

		"CREATE TABLE deliveries("
		" id INTEGER PRIMARY KEY AUTOINCREMENT,"
		" store_id INTEGER NOT NULL DEFAULT 1,"
		" reference TEXT NOT NULL,"
		" supplier TEXT NOT NULL DEFAULT '',"
		" place_id INTEGER NOT NULL DEFAULT 0,"
		" expected_at INTEGER,"
		" first_item INTEGER NOT NULL DEFAULT 0," /* items with this number or above are new
							     since */
		" state TEXT NOT NULL DEFAULT 'announced'," /* announced, received, cancelled */
		" created INTEGER NOT NULL,"
		" created_by TEXT NOT NULL,"
		" closed INTEGER,"
		" closed_by TEXT,"
		" UNIQUE(store_id, reference));"
		"CREATE INDEX deliveries_open ON deliveries(id) WHERE state = 'announced';"
		"CREATE TABLE delivery_lines("
		" id INTEGER PRIMARY KEY AUTOINCREMENT,"
		" delivery_id INTEGER NOT NULL REFERENCES deliveries(id),"
		" gtin INTEGER NOT NULL,"
		" quantity INTEGER NOT NULL CHECK(quantity >= 0));"
		"CREATE INDEX delivery_lines_by_delivery ON "
		"delivery_lines(delivery_id);" DB_APPEND_ONLY(
			"delivery_lines") "CREATE TABLE delivery_epcs("
					  " line_id INTEGER NOT NULL REFERENCES delivery_lines(id),"
					  " epc BLOB NOT NULL,"
					  " epc_bits INTEGER NOT NULL,"
					  " PRIMARY KEY(line_id, epc)) WITHOUT "
					  "ROWID;" DB_APPEND_ONLY("delivery_epcs")
	/* What really came, written once when the delivery is received. */
	"CREATE TABLE delivery_receipts("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" delivery_id INTEGER NOT NULL REFERENCES deliveries(id),"
	" gtin INTEGER NOT NULL,"
	" quantity INTEGER NOT NULL,"
	" place_id INTEGER NOT NULL DEFAULT 0,"
	" at INTEGER NOT NULL,"
	" who TEXT NOT NULL);"
	"CREATE INDEX delivery_receipts_by_gtin ON delivery_receipts(gtin, at);"
	"CREATE INDEX delivery_receipts_by_time ON delivery_receipts(at);"
	"CREATE INDEX delivery_receipts_by_delivery ON "
	"delivery_receipts(delivery_id);" DB_APPEND_ONLY("delivery_receipts");
