/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/items...: where this one is, since when, and from which reads that is known. */
#include "common/epc_scheme.h"
#include "common/err.h"
#include "common/gtin.h"
#include "controller/http/list.h"
#include "controller/inventory/model.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOOK_AT_ONCE 100000 /* items a request looks at; the rest is on the next page */
#define EVENTS_MAX   1000

static const char *state_word(uint8_t state)
{
	return state == BELIEF_PRESENT ? "present" : "gone";
}

static json_t *product_json(struct inventory *inv, uint32_t product)
{
	const struct inv_name *name = inventory_name(inv, product);

	if (!name->product_id)
		return json_null();
	return json_pack("{s:I,s:o,s:s?}", "id", (json_int_t) name->product_id, "gtin",
			 inventory_gtin_json(inv->state->products.v[product].gtin), "name",
			 name->name);
}

/* What a tag says of itself: its scheme and identity, or in words what it is instead. */
struct tag_words {
	char uri[EPC_URI_SIZE];
	const char *scheme; /* NULL: none that is known here */
	const char *kind;
	struct epc_id id;
	bool has_uri;
};

static void tag_read(const struct epc *epc, struct tag_words *ret)
{
	*ret = (struct tag_words){.kind = epc_class_str(epc_classify(epc, NULL))};
	if (epc_decode(epc, &ret->id) < 0) {
		ret->id = (struct epc_id){0};
		return;
	}
	ret->scheme = epc_scheme_name(ret->id.scheme);
	/* A '+' tag does not say how long its prefix is; its Digital Link needs no prefix. */
	ret->has_uri = epc_id_uri(&ret->id, ret->uri, sizeof ret->uri) == 0 ||
		       epc_digital_link(&ret->id, ret->uri, sizeof ret->uri) == 0;
}

/* What list and single item share. */
static json_t *item_json(struct inventory *inv, uint32_t id, int64_t now_us)
{
	const struct inv_item *it = &inv->state->items.v[id];
	struct belief b = inv_item_belief(inv->state, id, now_us);
	char hex[EPC_HEX_MAX];
	struct tag_words tag;
	struct epc epc;

	inv_item_epc(inv->state, id, &epc);
	tag_read(&epc, &tag);
	return json_pack("{s:s,s:s?,s:s?,s:s,s:o,s:s?,s:o,s:o,s:f,s:o,s:o,s:s,s:s}", "epc",
			 epc_to_hex(&epc, hex), "uri", tag.has_uri ? tag.uri : NULL, "scheme",
			 tag.scheme, "kind", tag.kind, "gtin",
			 inventory_gtin_json(inv->state->products.v[it->product].gtin), "serial",
			 tag.id.serial[0] ? tag.id.serial : NULL, "product",
			 product_json(inv, it->product), "place",
			 inventory_place_json(inv, it->place), "confidence", b.confidence / 1000.0,
			 "since", inventory_time_json(it->since_us), "last_seen",
			 inventory_time_json(inv_item_last_seen(inv->state, id)), "state",
			 state_word(it->state), "cause", belief_cause_str(it->cause));
}

static const char *evidence_kind(const struct inv_evidence *e)
{
	return !e->present ? "gone" : e->span_ms ? "refresh" : "appear";
}

static json_t *dbm_json(int16_t cdbm)
{
	return cdbm == BELIEF_RSSI_UNKNOWN ? json_null() : json_real(cdbm / 100.0);
}

static json_t *evidence_json(struct inventory *inv, uint32_t id, int64_t now_us)
{
	const struct inv_state *st = inv->state;
	struct belief_evidence ev[INV_MAX_EVIDENCE];
	uint32_t ids[INV_MAX_EVIDENCE];
	size_t n = inv_item_evidence(st, id, ev, ids);
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		const struct inv_evidence *e = &st->evidence.v[ids[i]];
		const struct inv_antenna *a = &st->antennas.v[e->antenna];
		float weight = ev[i].present && ev[i].place
				       ? belief_weight(&st->belief, &ev[i], now_us)
				       : 0.0f;

		json_array_append_new(
			list,
			json_pack("{s:o,s:I,s:s,s:i,s:o,s:s,s:o,s:o,s:I,s:f,s:o,s:o,s:f}", "agent",
				  inventory_agent_json(inv, a->agent), "agent_id",
				  (json_int_t) a->agent, "reader", a->reader, "antenna",
				  (int) a->number, "place", inventory_place_json(inv, a->place),
				  "kind", evidence_kind(e), "rssi_dbm", dbm_json(e->rssi_cdbm),
				  "peak_dbm", dbm_json(e->peak_cdbm), "reads",
				  (json_int_t) e->reads, "rate", e->rate_mhz / 1000.0, "first",
				  inventory_time_json(ev[i].first_us), "last",
				  inventory_time_json(e->last_us), "weight",
				  (double) (int) (weight * 1000.0f) / 1000.0));
	}
	return list;
}

/* The item of the path; replies and returns INV_NONE if there is none. */
static uint32_t find_item(struct http_request *rq, struct inventory *inv)
{
	struct epc epc;
	uint32_t id;

	if (epc_from_hex(http_arg(rq, 0), &epc) < 0) {
		http_problem(rq, 400, "bad-epc", "An EPC is an even number of hex digits.");
		return INV_NONE;
	}
	id = inv_state_find(inv->state, &epc);
	if (id == INV_NONE)
		http_problem(rq, 404, "no-such-item", "No reader has heard this tag.");
	return id;
}

void items_show(struct http_request *rq, struct app *app)
{
	struct inventory *inv = app->inventory;
	int64_t now_us = clock_real_us(app->clock);
	uint32_t id = find_item(rq, inv);
	json_t *body;

	if (id == INV_NONE)
		return;
	body = item_json(inv, id, now_us);
	json_object_set_new(body, "evidence", evidence_json(inv, id, now_us));
	json_object_set_new(body, "judged", models_judge_json(inv, id));
	http_reply_json(rq, 200, body);
}

void items_events(struct http_request *rq, struct app *app)
{
	struct inventory *inv = app->inventory;
	_cleanup_free_ struct inv_change *events = NULL;
	uint32_t id = find_item(rq, inv);
	struct list_page page;
	json_t *items;
	size_t n;

	if (id == INV_NONE || !list_page_read(rq, &page))
		return;
	events = calloc(EVENTS_MAX, sizeof(*events));
	if (!events) {
		http_reply_err(rq, -ENOMEM, "Events");
		return;
	}
	/* The cursor is the instant of the last event of the page before. */
	n = inv_engine_events(inv->engine, id, page.after ? page.after : INT64_MAX, events,
			      (size_t) MIN(page.limit, EVENTS_MAX));
	items = json_array();
	for (size_t i = 0; i < n; i++) {
		const struct inv_change *c = &events[i];

		json_array_append_new(
			items,
			json_pack("{s:o,s:o,s:o,s:s,s:f,s:s}", "at", inventory_time_json(c->at_us),
				  "from_place", inventory_place_json(inv, c->from), "to_place",
				  c->to_state == BELIEF_PRESENT ? inventory_place_json(inv, c->to)
								: json_null(),
				  "state", state_word(c->to_state), "confidence",
				  c->confidence / 1000.0, "cause", belief_cause_str(c->cause)));
	}
	list_reply(rq, items, n && (int64_t) n == page.limit ? events[n - 1].at_us : 0);
}

/* --- the list ----------------------------------------------------------------------------------
 */

struct filter {
	int64_t place;
	bool by_place;
	uint32_t product; /* INV_NONE = any */
};

static bool passes(const struct filter *f, const struct inv_item *it)
{
	return !f->by_place || (it->state == BELIEF_PRESENT && it->place == f->place);
}

/* Items have dense numbers; those of a product are chained, newest first. The cursor is the number
 * of the last one plus one. */
static void list(struct http_request *rq, struct inventory *inv, const struct filter *f,
		 const struct list_page *page)
{
	const struct inv_state *st = inv->state;
	int64_t now_us = clock_real_us(inv->app->clock), next = 0;
	bool chained = f->product != INV_NONE;
	uint32_t id = chained ? st->products.v[f->product].first_item
			      : (uint32_t) MIN(page->after, (int64_t) INV_NONE);
	json_t *items = json_array();

	for (uint32_t seen = 0; id < st->items.n; seen++) {
		const struct inv_item *it = &st->items.v[id];
		bool skip = chained && page->after && (int64_t) id + 1 >= page->after;

		if ((int64_t) json_array_size(items) >= page->limit || seen >= LOOK_AT_ONCE)
			break;
		if (!skip && passes(f, it))
			json_array_append_new(items, item_json(inv, id, now_us));
		next = (int64_t) id + 1;
		id = chained ? it->next_same : id + 1;
	}
	list_reply(rq, items, id < st->items.n ? next : 0);
}

static bool read_product(struct http_request *rq, struct inventory *inv, struct filter *f)
{
	const char *text = http_query(rq, "gtin");
	int64_t product_id;
	uint64_t gtin;
	uint32_t found[1];
	int n;

	f->product = INV_NONE;
	if (!http_query_int(rq, "product_id", 0, 0, INT64_MAX, &product_id))
		return false;
	/* Only noughts: the tags that carry no GTIN, one row of the stock. */
	if (text && *text && text[strspn(text, "0")] == '\0') {
		gtin = 0;
	} else if (text && gtin_parse(text, strlen(text), &gtin) < 0) {
		http_problem(rq, 400, "bad-check-digit", "This is not a GTIN.");
		return false;
	}
	if (!text && !product_id)
		return true;
	n = product_id ? inventory_products_of(inv, product_id, found, 1) : 1;
	if (text)
		found[0] = inv_state_find_product(inv->state, gtin);
	if (n < 1 || found[0] == INV_NONE) {
		list_reply(rq, json_array(), 0);
		return false;
	}
	f->product = found[0];
	return true;
}

void items_list(struct http_request *rq, struct app *app)
{
	struct inventory *inv = app->inventory;
	struct list_page page;
	struct filter f = {0};

	f.by_place = http_query(rq, "place_id") != NULL;
	if (!list_page_read(rq, &page) ||
	    !http_query_int(rq, "place_id", 0, 0, UINT32_MAX, &f.place) ||
	    !read_product(rq, inv, &f))
		return;
	list(rq, inv, &f, &page);
}
