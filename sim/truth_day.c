/* SPDX-License-Identifier: Apache-2.0 */
/* The truth port's answers about the ground plan: where things are, who walks, what happened. */
#include "sim/truth_impl.h"

#include <errno.h>
#include <string.h>

#define EVENTS_AT_ONCE 5000
#define WALKING_SPEED  1.1
#define FASTEST        20.0

static json_t *points_json(const struct floor_point *p, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("[f,f]", p[i].x, p[i].y));
	return list;
}

json_t *sim_truth_plan(const struct sim_truth_ctx *c)
{
	const struct sim_floor *f = c->s->floor;
	const struct sim_world *w = c->s->world;
	json_t *places = json_array(), *antennas = json_array();

	for (uint32_t i = 0; f && i < w->n_places; i++) {
		const struct floor_rect *p = &f->places[i];

		if (p->set)
			json_array_append_new(places,
					      json_pack("{s:s,s:s,s:f,s:f,s:f,s:f}", "name",
							w->places[i].name, "kind",
							w->places[i].kind, "x", p->x0, "y", p->y0,
							"w", p->x1 - p->x0, "h", p->y1 - p->y0));
	}
	for (uint32_t i = 0; f && i < w->n_antennas; i++) {
		const struct rf_antenna *a = &f->antennas[i];

		if (f->antenna_set[i])
			json_array_append_new(
				antennas,
				json_pack("{s:s,s:i,s:f,s:f,s:f,s:[f,f,f]}", "reader",
					  w->antennas[i].reader, "antenna", w->antennas[i].number,
					  "x", a->at.x, "y", a->at.y, "z", a->at.z, "boresight",
					  a->boresight.x, a->boresight.y, a->boresight.z));
	}
	return json_pack("{s:o,s:o}", "places", places, "antennas", antennas);
}

/** The way of an item that walks; null when it lies. */
static json_t *walk_json(const struct sim_truth_ctx *c, uint32_t item)
{
	const struct floor_walk *w = sim_floor_walk_of(c->s->floor, item);

	if (!w)
		return json_null();
	return json_pack("{s:I,s:s,s:I,s:I,s:f,s:o}", "walk", (json_int_t) w->number, "to",
			 c->s->world->places[w->to].name, "start_us", (json_int_t) w->start_us,
			 "end_us", (json_int_t) w->end_us, "speed", w->speed, "path",
			 points_json(w->points, w->n_points));
}

json_t *sim_truth_where(const struct sim_truth_ctx *c)
{
	int i = sim_truth_item_of(c);
	struct rf_tag tag;

	if (!c->s->floor)
		return sim_truth_failure("the store has no ground plan");
	if (i < 0)
		return sim_truth_failure("no such item");
	if (!sim_floor_tag_at(c->s->floor, (uint32_t) i, clock_real_us(c->clock), &tag))
		return json_pack("{s:b,s:s}", "here", 0, "place",
				 c->s->world->places[c->s->world->items[i].place].name);
	return json_pack("{s:b,s:s,s:f,s:f,s:f,s:[f,f],s:o}", "here", 1, "place",
			 c->s->world->places[c->s->world->items[i].place].name, "x", tag.at.x, "y",
			 tag.at.y, "z", tag.at.z, "velocity", tag.velocity.x, tag.velocity.y,
			 "walking", walk_json(c, (uint32_t) i));
}

json_t *sim_truth_walk(const struct sim_truth_ctx *c)
{
	const char *name = json_string_value(json_object_get(c->q, "place"));
	const char *how = json_string_value(json_object_get(c->q, "how"));
	const json_t *speed = json_object_get(c->q, "speed");
	double v = speed ? json_number_value(speed) : WALKING_SPEED;
	int i = sim_truth_item_of(c),
	    place = name ? sim_world_find_place(c->s->world, name) : -ENOENT;
	enum sim_passage_kind kind = how && !strcmp(how, "sold")     ? SIM_SOLD
				     : how && !strcmp(how, "stolen") ? SIM_STOLEN
								     : 0;
	int64_t r;

	if (!c->s->floor)
		return sim_truth_failure("the store has no ground plan");
	if (i < 0 || place < 0)
		return sim_truth_failure(i < 0 ? "no such item" : "no such place");
	if (!(v > 0 && v <= FASTEST))
		return sim_truth_failure("speed is out of range");
	if (how && (!kind || place != SIM_NOWHERE))
		return sim_truth_failure("how must be sold or stolen, and the place nowhere");
	r = sim_floor_walk(c->s->floor, (uint32_t) i, (uint32_t) place, v, kind);
	if (r < 0)
		return sim_truth_failure(r == -EBUSY ? "it walks already" : "there is no way");
	return walk_json(c, (uint32_t) i);
}

static json_t *event_json(const struct sim_truth_ctx *c, const struct sim_event *e)
{
	const struct sim_world *w = c->s->world;
	char hex[EPC_HEX_MAX];

	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:o}", "what", sim_event_name(e->kind), "epc",
			 epc_to_hex(&w->items[e->item].epc, hex), "from", w->places[e->from].name,
			 "to", w->places[e->to].name, "start_us", (json_int_t) e->start_us,
			 "end_us", (json_int_t) e->end_us, "path",
			 points_json(e->points, e->n_points));
}

json_t *sim_truth_events(const struct sim_truth_ctx *c)
{
	json_int_t since = json_integer_value(json_object_get(c->q, "since"));
	uint64_t n = since > 0 ? (uint64_t) since : 0, lost = 0;
	const struct sim_event *e;
	json_t *list;

	if (!c->s->day)
		return sim_truth_failure("nothing happens by itself in this store");
	if (n < sim_day_oldest(c->s->day)) {
		lost = sim_day_oldest(c->s->day) - n;
		n += lost;
	}
	list = json_array();
	for (; json_array_size(list) < EVENTS_AT_ONCE && (e = sim_day_event(c->s->day, n)); n++)
		json_array_append_new(list, event_json(c, e));
	return json_pack("{s:o,s:I,s:I}", "events", list, "next", (json_int_t) n, "lost",
			 (json_int_t) lost);
}
