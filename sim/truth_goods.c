/* SPDX-License-Identifier: Apache-2.0 */
/* The truth port's answers about goods: where each item is, who moved, what came and went. */
#include "sim/goods.h"
#include "sim/truth_impl.h"
#include <errno.h>
#include <string.h>

#define ARRIVE_AT_ONCE 1000

static json_t *item_json(const struct sim_truth_ctx *c, uint32_t i)
{
	const struct sim_item *it = &c->s->world->items[i];
	char hex[EPC_HEX_MAX];

	return json_pack("{s:s,s:s,s:I,s:I,s:s?}", "epc", epc_to_hex(&it->epc, hex), "place",
			 c->s->world->places[it->place].name, "since_us", (json_int_t) it->since_us,
			 "first_read_us", (json_int_t) it->first_read_us, "left",
			 it->left ? sim_passage_name(it->left) : NULL);
}

int sim_truth_item_of(const struct sim_truth_ctx *c)
{
	const char *text = json_string_value(json_object_get(c->q, "epc"));
	struct epc epc;

	return text && epc_from_hex(text, &epc) == 0 ? sim_world_find_item(c->s->world, &epc)
						     : -ENOENT;
}

json_t *sim_truth_items(const struct sim_truth_ctx *c)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < c->s->world->n_items; i++)
		json_array_append_new(list, item_json(c, i));
	return json_pack("{s:o}", "items", list);
}

json_t *sim_truth_item(const struct sim_truth_ctx *c)
{
	int i = sim_truth_item_of(c);

	return i < 0 ? sim_truth_failure("no such item") : item_json(c, (uint32_t) i);
}

json_t *sim_truth_move(const struct sim_truth_ctx *c)
{
	const char *name = json_string_value(json_object_get(c->q, "place"));
	int i = sim_truth_item_of(c),
	    place = name ? sim_world_find_place(c->s->world, name) : -ENOENT;

	if (i < 0 || place < 0)
		return sim_truth_failure(i < 0 ? "no such item" : "no such place");
	return json_pack("{s:I}", "at_us",
			 (json_int_t) sim_world_move(c->s->world, (uint32_t) i, (uint32_t) place));
}

json_t *sim_truth_moves(const struct sim_truth_ctx *c)
{
	json_int_t since_us = json_integer_value(json_object_get(c->q, "since_us"));
	const struct sim_world *w = c->s->world;
	json_t *list = json_array();
	const struct sim_move *m;

	for (uint64_t i = 0; (m = sim_world_move_at(w, i)); i++) {
		char hex[EPC_HEX_MAX];

		if (m->at_us >= since_us)
			json_array_append_new(
				list,
				json_pack("{s:I,s:s,s:s,s:s}", "at_us", (json_int_t) m->at_us,
					  "epc", epc_to_hex(&w->items[m->item].epc, hex), "from",
					  w->places[m->from].name, "to", w->places[m->to].name));
	}
	return json_pack("{s:o}", "moves", list);
}

json_t *sim_truth_reads(const struct sim_truth_ctx *c)
{
	const struct sim_world *w = c->s->world;
	json_t *list = json_array();
	int i = sim_truth_item_of(c);

	if (i < 0) {
		json_decref(list);
		return sim_truth_failure("no such item");
	}
	for (uint32_t a = 0; a < w->n_antennas; a++)
		json_array_append_new(
			list, json_pack("{s:s,s:i,s:I,s:b}", "reader", w->antennas[a].reader,
					"antenna", w->antennas[a].number, "reads",
					(json_int_t) sim_world_reads(w, (uint32_t) i, a), "covers",
					sim_world_covers(w, a, w->items[i].place)));
	return json_pack("{s:s,s:I,s:I,s:o}", "place", w->places[w->items[i].place].name,
			 "since_us", (json_int_t) w->items[i].since_us, "first_read_us",
			 (json_int_t) w->items[i].first_read_us, "antennas", list);
}

json_t *sim_truth_places(const struct sim_truth_ctx *c)
{
	const struct sim_world *w = c->s->world;
	json_t *list = json_array();

	for (uint32_t i = 0; i < w->n_places; i++) {
		json_t *antennas = json_array();

		for (uint32_t a = 0; a < w->n_antennas; a++) {
			if (sim_world_covers(w, a, i))
				json_array_append_new(antennas,
						      json_pack("{s:s,s:i}", "reader",
								w->antennas[a].reader, "antenna",
								w->antennas[a].number));
		}
		json_array_append_new(list,
				      json_pack("{s:s,s:s,s:i,s:o}", "name", w->places[i].name,
						"kind", w->places[i].kind, "items",
						(int) w->places[i].n_items, "antennas", antennas));
	}
	return json_pack("{s:o}", "places", list);
}

/* --- coming and going ------------------------------------------------------------------------- */

json_t *sim_truth_leave(const struct sim_truth_ctx *c)
{
	const char *how = json_string_value(json_object_get(c->q, "how"));
	enum sim_passage_kind kind = how && !strcmp(how, "sold")     ? SIM_SOLD
				     : how && !strcmp(how, "stolen") ? SIM_STOLEN
								     : SIM_ARRIVED;
	int i = sim_truth_item_of(c);
	int64_t at_us;

	if (i < 0)
		return sim_truth_failure("no such item");
	if (kind == SIM_ARRIVED)
		return sim_truth_failure("how must be sold or stolen");
	at_us = sim_world_leave(c->s->world, (uint32_t) i, kind);
	return at_us ? json_pack("{s:I}", "at_us", (json_int_t) at_us)
		     : sim_truth_failure("it has left already");
}

json_t *sim_truth_arrive(const struct sim_truth_ctx *c)
{
	const char *name = json_string_value(json_object_get(c->q, "place"));
	const char *gtin = json_string_value(json_object_get(c->q, "gtin"));
	const json_t *n = json_object_get(c->q, "n");
	json_int_t count = n ? json_integer_value(n) : 1;
	struct sim_world *w = c->s->world;
	int place = name ? sim_world_find_place(w, name) : -ENOENT, i;
	json_t *epcs;

	if (place <= 0)
		return sim_truth_failure("no such place");
	if (count < 1 || count > ARRIVE_AT_ONCE)
		return sim_truth_failure("n is out of range");
	epcs = json_array();
	for (json_int_t k = 0; k < count; k++) {
		char hex[EPC_HEX_MAX];

		i = gtin ? sim_goods_arrive(w, gtin, (uint32_t) place, (uint32_t) place)
			 : sim_truth_item_of(c);
		if (i >= 0 && !gtin && sim_world_return(w, (uint32_t) i, (uint32_t) place) < 0)
			i = -EEXIST;
		if (i < 0) {
			json_decref(epcs);
			return sim_truth_failure("nothing can arrive so");
		}
		json_array_append_new(epcs, json_string(epc_to_hex(&w->items[i].epc, hex)));
	}
	return json_pack("{s:o,s:I}", "epcs", epcs, "at_us", (json_int_t) clock_real_us(c->clock));
}

json_t *sim_truth_passages(const struct sim_truth_ctx *c)
{
	json_int_t since_us = json_integer_value(json_object_get(c->q, "since_us"));
	const struct sim_world *w = c->s->world;
	json_t *list = json_array();
	const struct sim_passage *p;

	for (uint64_t i = 0; (p = sim_world_passage_at(w, i)); i++) {
		char hex[EPC_HEX_MAX];

		if (p->at_us >= since_us)
			json_array_append_new(
				list, json_pack("{s:I,s:s,s:s,s:s}", "at_us", (json_int_t) p->at_us,
						"epc", epc_to_hex(&w->items[p->item].epc, hex),
						"place", w->places[p->place].name, "how",
						sim_passage_name(p->kind)));
	}
	return json_pack("{s:o}", "passages", list);
}
