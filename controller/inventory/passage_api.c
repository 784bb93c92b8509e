/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/passages: who passed which door, and what became of it. */
#include "common/epc_scheme.h"
#include "common/err.h"
#include "controller/db/db.h"
#include "controller/http/list.h"
#include "controller/inventory/exit.h"
#include <string.h>

#define SELECT_PASSAGE                                                                             \
	"SELECT p.id, p.door_id, d.name, p.place_id, p.epc, p.epc_bits, p.gtin, p.began, p.at,"    \
	" p.direction, p.confidence, p.reads, p.state, p.due, p.note, p.body, pr.id, pr.name"      \
	" FROM passages p LEFT JOIN doors d ON d.id = p.door_id"                                   \
	" LEFT JOIN product_aliases a ON p.gtin > 0 AND a.store_id = 1 AND a.kind = 'gtin'"        \
	" AND a.value = printf('%014d', p.gtin) LEFT JOIN products pr ON pr.id = a.product_id"

static json_t *product_json(struct sql_stmt *q, uint64_t gtin)
{
	if (sql_col_is_null(q, 16))
		return json_null();
	return json_pack("{s:I,s:o,s:s?}", "id", (json_int_t) sql_col_i64(q, 16), "gtin",
			 inventory_gtin_json(gtin), "name", sql_col_text(q, 17));
}

static json_t *passage_json(struct inventory *inv, struct sql_stmt *q)
{
	uint64_t gtin = (uint64_t) sql_col_i64(q, 6);
	char hex[EPC_HEX_MAX] = "";
	struct epc epc;
	size_t len;
	const void *data = sql_col_blob(q, 4, &len);
	json_t *door = json_null();

	if (len <= EPC_MAX_BYTES && epc_set(&epc, data, (size_t) sql_col_i64(q, 5)) == 0)
		epc_to_hex(&epc, hex);
	if (!sql_col_is_null(q, 2))
		door = json_pack("{s:I,s:s}", "id", (json_int_t) sql_col_i64(q, 1), "name",
				 sql_col_text(q, 2));
	return json_pack("{s:I,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:s,s:f,s:I,s:s,s:o,s:s}", "id",
			 (json_int_t) sql_col_i64(q, 0), "door", door, "place",
			 inventory_place_json(inv, (uint32_t) sql_col_i64(q, 3)), "epc", hex,
			 "gtin", inventory_gtin_json(gtin), "product", product_json(q, gtin),
			 "began", inventory_time_json(sql_col_i64(q, 7)), "at",
			 inventory_time_json(sql_col_i64(q, 8)), "direction", sql_col_text(q, 9),
			 "confidence", sql_col_f64(q, 10), "reads", (json_int_t) sql_col_i64(q, 11),
			 "state", sql_col_text(q, 12), "due",
			 inventory_time_json(sql_col_i64(q, 13)), "note", sql_col_text(q, 14));
}

void passages_list(struct http_request *rq, struct app *app)
{
	const char *state = http_query(rq, "state");
	int64_t door, last = 0, n = 0;
	struct list_page page;
	struct sql_stmt *q;
	json_t *items;

	if (!list_page_read(rq, &page) || !http_query_int(rq, "door_id", 0, 0, INT64_MAX, &door))
		return;
	q = sql_prepare(db_reader(app->db),
			SELECT_PASSAGE " WHERE (?1 = 0 OR p.id < ?1) AND (?2 = 0 OR p.door_id = ?2)"
				       " AND (?3 IS NULL OR p.state = ?3)"
				       " ORDER BY p.id DESC LIMIT ?4");
	sql_bind_i64(q, 1, page.after);
	sql_bind_i64(q, 2, door);
	if (state)
		sql_bind_text(q, 3, state);
	sql_bind_i64(q, 4, page.limit);
	items = json_array();
	while (sql_step(q) > 0) {
		last = sql_col_i64(q, 0);
		n++;
		json_array_append_new(items, passage_json(app->inventory, q));
	}
	list_reply(rq, items, n == page.limit ? last : 0);
}

/* The side of a source, as the door is now. */
static const char *side_of(struct sql *s, int64_t door, const struct proto_source *src)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT side FROM door_antennas WHERE door_id = ?"
					    " AND reader = ? AND antenna = ?");
	const char *side = "";

	sql_bind_i64(q, 1, door);
	sql_bind_text(q, 2, src->reader);
	sql_bind_i64(q, 3, src->antenna);
	if (sql_step(q) > 0)
		side = strcmp(sql_col_text(q, 0), "inner") == 0 ? "inner" : "outer";
	sql_reset(q);
	return side;
}

/* For a chart: [milliseconds since the first, source, dBm or null]. */
static void add_reads(json_t *to, struct sql *s, int64_t door, const struct proto_reads_entry *e)
{
	json_t *sources = json_array(), *reads = json_array();

	for (size_t i = 0; i < e->n_sources; i++)
		json_array_append_new(sources,
				      json_pack("{s:s,s:i,s:s}", "reader", e->sources[i].reader,
						"antenna", (int) e->sources[i].antenna, "side",
						side_of(s, door, &e->sources[i])));
	for (size_t i = 0; i < e->n; i++) {
		const struct proto_read *r = &e->reads[i];

		json_array_append_new(
			reads,
			json_pack("[I,i,o]",
				  (json_int_t) ((r->at_us - e->reads[0].at_us) / US_PER_MS),
				  (int) r->source,
				  r->rssi_cdbm == INT16_MIN ? json_null()
							    : json_real(r->rssi_cdbm / 100.0)));
	}
	json_object_set_new(to, "sources", sources);
	json_object_set_new(to, "chart", reads);
}

void passages_show(struct http_request *rq, struct app *app)
{
	struct sql *s = db_reader(app->db);
	struct proto_reads_entry e = {0};
	struct sql_stmt *q;
	const void *body;
	int64_t id, door;
	json_t *reply;
	size_t len;

	if (!http_arg_id(rq, 0, &id))
		return;
	q = sql_prepare(s, SELECT_PASSAGE " WHERE p.id = ?");
	sql_bind_i64(q, 1, id);
	if (sql_step(q) <= 0) {
		http_problem(rq, 404, "no-such-passage", "There is no such passage.");
		return;
	}
	reply = passage_json(app->inventory, q);
	door = sql_col_i64(q, 1);
	body = sql_col_is_null(q, 15) ? NULL : sql_col_blob(q, 15, &len);
	if (body && proto_reads_entry_decode(body, len, &e) < 0)
		e = (struct proto_reads_entry){0};
	sql_reset(q);
	add_reads(reply, s, door, &e);
	proto_reads_entry_done(&e);
	http_reply_json(rq, 200, reply);
}
