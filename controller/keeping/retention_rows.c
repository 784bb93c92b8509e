/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/keeping/retention_rows.h"
#include "controller/app_config.h"

#define DAYS(key) offsetof(struct app_config, key)

#define TIME(column) "strftime('%Y-%m-%dT%H:%M:%fZ', " column " / 1000000.0, 'unixepoch')"
#define YEAR(column) "strftime('%Y', " column " / 1000000, 'unixepoch')"
#define LABEL        "printf('%012X', addr)"
#define GTIN         "iif(gtin, printf('%014d', gtin), NULL)"
#define OF_NEXT      " WHERE t.id > ?1 ORDER BY t.id LIMIT ?2"
#define THOSE        " t.id > ?1 AND t.id <= ?2 AND "

/* The last word on what a label shows now: it is how the present price is proven. */
#define PROVES_THE_PRESENT                                                                         \
	"(t.kind = 'shown' AND EXISTS (SELECT 1 FROM labels b WHERE b.addr = t.addr"               \
	" AND b.retired_at IS NULL AND b.shown_image = t.image)"                                   \
	" AND NOT EXISTS (SELECT 1 FROM display_ledger n WHERE n.addr = t.addr AND n.id > t.id"    \
	" AND n.kind = 'shown'))"

/* The figure that holds. */
#define HOLDS "EXISTS (SELECT 1 FROM book_now n WHERE n.book_id = t.id)"

/* Happened after a figure that holds, and what is expected is reckoned with it. */
#define COUNTS(table, key)                                                                         \
	"EXISTS (SELECT 1 FROM " table " n JOIN product_aliases a ON a.store_id = 1"               \
	" AND a.kind = 'gtin' AND a.value = printf('%014d', n.gtin)"                               \
	" JOIN book_now b ON b.product_id = a.product_id"                                          \
	" WHERE n." key " = t.id AND n.at > b.as_of)"
#define SALE_COUNTS     COUNTS("sale_lines", "sale_id")
#define DELIVERY_COUNTS COUNTS("delivery_receipts", "delivery_id")

/* The present link of a label; and a row that another one takes back goes after that one. */
#define LINK_STAYS                                                                                 \
	"(EXISTS (SELECT 1 FROM label_links u WHERE u.undo_of = t.id)"                             \
	" OR (t.to_product IS NOT NULL AND NOT EXISTS (SELECT 1 FROM label_links n"                \
	" WHERE n.addr = t.addr AND n.id > t.id)))"

#define OLD_SALES                                                                                  \
	" (SELECT t.id FROM sales t WHERE" THOSE "t.received < ?3 AND NOT " SALE_COUNTS ")"
#define OLD_DELIVERIES                                                                             \
	" (SELECT t.id FROM deliveries t WHERE" THOSE "t.closed < ?3 AND NOT " DELIVERY_COUNTS ")"

/* clang-format off */
const struct kept kept_tables[] = {
	{.name = "display_ledger",
	 .oldest = "SELECT received FROM display_ledger ORDER BY id LIMIT 1",
	 .read = "SELECT id, received < ?3, " YEAR("received") ", json_object('id', id, 'label', "
		 LABEL ", 'at', " TIME("at") ", 'received', " TIME("received") ", 'agent', agent_id,"
		 " 'kind', kind, 'image', lower(hex(image)), 'grade', grade, 'price_minor',"
		 " price_minor, 'currency', currency, 'text', text), "
		 PROVES_THE_PRESENT " FROM display_ledger t" OF_NEXT,
	 .drop = "DELETE FROM display_ledger AS t WHERE" THOSE
		 "t.received < ?3 AND NOT " PROVES_THE_PRESENT,
	 .at_once = 200,
	 .days = DAYS(keep_ledger_days)},
	{.name = "audit",
	 .oldest = "SELECT at FROM audit ORDER BY id LIMIT 1",
	 .read = "SELECT id, at < ?3, " YEAR("at") ", json_object('id', id, 'at', " TIME("at")
		 ", 'who', who, 'action', action, 'object', object, 'detail', detail), 0"
		 " FROM audit t" OF_NEXT,
	 .drop = "DELETE FROM audit AS t WHERE" THOSE "t.at < ?3",
	 .at_once = 200,
	 .days = DAYS(keep_audit_days)},
	{.name = "label_flashes",
	 .oldest = "SELECT at FROM label_flashes ORDER BY id LIMIT 1",
	 .read = "SELECT id, at < ?3, " YEAR("at") ", json_object('id', id, 'at', " TIME("at")
		 ", 'who', who, 'label', " LABEL ", 'colour', colour, 'until', " TIME("until")
		 "), 0 FROM label_flashes t" OF_NEXT,
	 .drop = "DELETE FROM label_flashes AS t WHERE" THOSE "t.at < ?3",
	 .at_once = 200,
	 .days = DAYS(keep_audit_days)},
	{.name = "label_reads",
	 .oldest = "SELECT at FROM label_reads ORDER BY id LIMIT 1",
	 .read = "SELECT id, at < ?3, " YEAR("at") ", json_object('id', id, 'at', " TIME("at")
		 ", 'who', who, 'label', " LABEL ", 'sensor', n, 'until', " TIME("until")
		 "), 0 FROM label_reads t" OF_NEXT,
	 .drop = "DELETE FROM label_reads AS t WHERE" THOSE "t.at < ?3",
	 .at_once = 200,
	 .days = DAYS(keep_audit_days)},
	{.name = "label_links",
	 .oldest = "SELECT at FROM label_links ORDER BY id LIMIT 1",
	 .read = "SELECT id, at < ?3, " YEAR("at") ", json_object('id', id, 'at', " TIME("at")
		 ", 'who', who, 'label', " LABEL ", 'from_product', from_product, 'to_product',"
		 " to_product, 'cause', cause, 'batch', batch, 'undo_of', undo_of), "
		 LINK_STAYS " FROM label_links t" OF_NEXT,
	 .drop = "DELETE FROM label_links AS t WHERE" THOSE "t.at < ?3 AND NOT " LINK_STAYS,
	 .at_once = 200,
	 .days = DAYS(keep_links_days)},
	{.name = "book_stock",
	 .oldest = "SELECT at FROM book_stock ORDER BY id LIMIT 1",
	 .read = "SELECT id, at < ?3, " YEAR("at") ", json_object('id', id, 'product_id',"
		 " product_id, 'place_id', place_id, 'quantity', quantity, 'as_of', " TIME("as_of")
		 ", 'at', " TIME("at") ", 'who', who, 'source', source, 'reason', reason), "
		 HOLDS " FROM book_stock t" OF_NEXT,
	 .drop = "DELETE FROM book_stock AS t WHERE" THOSE "t.at < ?3 AND NOT " HOLDS,
	 .at_once = 200,
	 .days = DAYS(keep_books_days)},
	{.name = "sales",
	 .oldest = "SELECT received FROM sales ORDER BY id LIMIT 1",
	 .read = "SELECT id, received < ?3, " YEAR("received") ", json_object('id', id, 'till', till,"
		 " 'number', number, 'at', " TIME("at") ", 'received', " TIME("received")
		 ", 'who', who, 'lines', json((SELECT json_group_array(json_object('gtin', " GTIN
		 ", 'epc', lower(hex(epc)), 'quantity', quantity)) FROM sale_lines"
		 " WHERE sale_id = t.id))), "
		 SALE_COUNTS " FROM sales t" OF_NEXT,
	 .parts = {"DELETE FROM sale_lines WHERE sale_id IN" OLD_SALES},
	 .drop = "DELETE FROM sales WHERE id IN" OLD_SALES,
	 .at_once = 50,
	 .days = DAYS(keep_sales_days)},
	/* One that is open stays; `created` is in order, and never later than `closed`. */
	{.name = "deliveries",
	 .oldest = "SELECT created FROM deliveries ORDER BY id LIMIT 1",
	 .read = "SELECT id, created < ?3, " YEAR("created") ", json_object('id', id, 'reference',"
		 " reference, 'supplier', supplier, 'place_id', place_id, 'expected_at', "
		 TIME("expected_at") ", 'state', state, 'created', " TIME("created")
		 ", 'created_by', created_by, 'closed', " TIME("closed") ", 'closed_by', closed_by,"
		 " 'lines', json((SELECT json_group_array(json_object('gtin', " GTIN
		 ", 'quantity', quantity, 'epcs', json((SELECT json_group_array(lower(hex(epc)))"
		 " FROM delivery_epcs WHERE line_id = n.id)))) FROM delivery_lines n"
		 " WHERE delivery_id = t.id)), 'receipts', json((SELECT json_group_array("
		 "json_object('gtin', " GTIN ", 'quantity', quantity, 'place_id', place_id, 'at', "
		 TIME("at") ", 'who', who)) FROM delivery_receipts WHERE delivery_id = t.id))), "
		 "t.closed IS NULL OR t.closed >= ?3 OR " DELIVERY_COUNTS " FROM deliveries t" OF_NEXT,
	 .parts = {"DELETE FROM delivery_epcs WHERE line_id IN (SELECT id FROM delivery_lines"
		   " WHERE delivery_id IN" OLD_DELIVERIES ")",
		   "DELETE FROM delivery_lines WHERE delivery_id IN" OLD_DELIVERIES,
		   "DELETE FROM delivery_receipts WHERE delivery_id IN" OLD_DELIVERIES},
	 .drop = "DELETE FROM deliveries WHERE id IN" OLD_DELIVERIES,
	 .at_once = 1, /* of up to 20,000 EPCs */
	 .days = DAYS(keep_deliveries_days)},
};
/* clang-format on */

const size_t kept_tables_n = ARRAY_SIZE(kept_tables);
