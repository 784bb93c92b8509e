/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated store's day: goods come, are carried about, sold and stolen, in virtual time. */
#include "tests/unit/test_common.h"

#include "sim/day.h"
#include "sim/goods.h"
#include "sim/truth.h"
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#define ITEMS 200
#define SPEED 1.1
#define HOUR  (INT64_C(3600) * US_PER_SEC)
#define GTINS "09506000134352,09506000134369"

enum {
	FLOOR = 1,
	SHELVES,
	FITTING,
	BACK,
	RECEIVING,
	TILL,
	EXIT,
	PLACES
};

struct rig {
	struct loop *loop;
	struct sim_world *world;
	struct sim_floor *floor;
	struct sim_day *day;
	struct sim_truth_sources sources;
	int64_t now_us;
};

static const struct {
	const char *name, *kind;
	double x, y, w, h;
} places[PLACES] = {
	[FLOOR] = {"Floor", "sales-floor", 0, 0, 8, 8},
	[SHELVES] = {"Shelves", "sales-floor", 8, 0, 4, 8},
	[FITTING] = {"Fitting", "fitting-room", 0, 8, 3, 3},
	[BACK] = {"Back", "back-room", 3, 8, 6, 4},
	[RECEIVING] = {"Receiving", "receiving", 9, 8, 3, 4},
	[TILL] = {"Till", "other", 10, 3, 1.5, 1.5},
	[EXIT] = {"Exit", "exit", 12, 3, 2, 2},
};

static void begin(struct rig *g, const struct sim_day_config *cfg)
{
	char diag[256] = "";
	const struct sim_goods goods = {.gtins = GTINS, .items = ITEMS, .prefix_digits = 7};

	memset(g, 0, sizeof *g);
	g->now_us = US_PER_SEC;
	assert_int_equal(loop_new_virtual(g->now_us, 2000 * US_PER_SEC, &g->loop), 0);
	assert_int_equal(sim_world_new(loop_clock(g->loop), cfg->seed, &g->world), 0);
	for (int i = 1; i < PLACES; i++)
		assert_int_equal(sim_world_add_place(g->world, places[i].name, places[i].kind), i);
	assert_int_equal(sim_goods_place(g->world, &goods, diag, sizeof diag), 0);
	assert_int_equal(sim_world_seal(g->world), 0);
	assert_int_equal(sim_floor_new(g->loop, g->world, &g->floor), 0);
	g->floor->room =
		(struct rf_room){.seed = cfg->seed, .x1 = 14, .y1 = 12, .height = 3, .exponent = 2};
	for (int i = 1; i < PLACES; i++)
		g->floor->places[i] = (struct floor_rect){.set = true,
							  .x0 = places[i].x,
							  .y0 = places[i].y,
							  .x1 = places[i].x + places[i].w,
							  .y1 = places[i].y + places[i].h};
	g->floor->places[BACK].has_door = true;
	g->floor->places[BACK].door = (struct floor_point){6, 8};
	g->floor->has_dock = true;
	g->floor->dock = (struct floor_point){16, 10};
	assert_int_equal(sim_floor_start(g->floor), 0);
	assert_int_equal(sim_day_new(g->loop, g->floor, cfg, &g->day), 0);
	g->sources =
		(struct sim_truth_sources){.world = g->world, .floor = g->floor, .day = g->day};
}

static void end(struct rig *g)
{
	sim_day_free(g->day);
	sim_floor_free(g->floor);
	sim_world_free(g->world);
	loop_free(g->loop);
}

static void pass(struct rig *g, int64_t us)
{
	g->now_us += us;
	loop_run_until(g->loop, g->now_us);
}

static const struct sim_day_config busy_day = {.deliveries_per_h = 6,
					       .delivery_items = 5,
					       .put_away_min = 3,
					       .replenish_per_h = 60,
					       .customers_per_h = 120,
					       .thefts_per_h = 10,
					       .try_on = 0.4,
					       .buy = 0.4,
					       .misplace = 0.3,
					       .speed = SPEED,
					       .till = "Till",
					       .seed = 9};

/** Each item stands in exactly one place's list, the one that it names. */
static void assert_whole(const struct sim_world *w)
{
	uint32_t listed = 0;

	for (uint32_t p = 0; p < w->n_places; p++) {
		listed += w->places[p].n_items;
		for (uint32_t i = 0; i < w->places[p].n_items; i++) {
			assert_int_equal(w->items[w->places[p].items[i]].place, p);
			assert_int_equal(w->items[w->places[p].items[i]].slot, i);
		}
	}
	assert_int_equal(listed, w->n_items);
}

static unsigned int passages_of(const struct sim_world *w, enum sim_passage_kind kind)
{
	const struct sim_passage *p;
	unsigned int n = 0;

	for (uint64_t i = 0; (p = sim_world_passage_at(w, i)); i++)
		n += p->kind == kind;
	return n;
}

static unsigned int events_of(const struct sim_day *d, enum sim_event_kind kind, int64_t before_us)
{
	const struct sim_event *e;
	unsigned int n = 0;

	for (uint64_t i = 0; (e = sim_day_event(d, i)); i++)
		n += e->kind == kind && e->end_us <= before_us;
	return n;
}

static void a_day_neither_loses_nor_doubles_an_item(void **state)
{
	static struct rig g;
	unsigned int left = 0, sold, stolen, arrived;
	int64_t now_us;

	(void) state;
	begin(&g, &busy_day);
	for (int quarter = 0; quarter < 16; quarter++) {
		pass(&g, HOUR / 4);
		assert_whole(g.world);
	}
	now_us = clock_real_us(loop_clock(g.loop));
	for (uint32_t i = 0; i < g.world->n_items; i++) {
		left += g.world->items[i].left > 0;
		/* Who left for good is nowhere, and not in the air either. */
		if (g.world->items[i].left) {
			assert_int_equal(g.world->items[i].place, SIM_NOWHERE);
			assert_false(g.floor->items[i].here);
		}
	}
	sold = passages_of(g.world, SIM_SOLD);
	stolen = passages_of(g.world, SIM_STOLEN);
	arrived = passages_of(g.world, SIM_ARRIVED);
	assert_int_equal(left, sold + stolen);
	assert_int_equal(g.world->n_items, ITEMS + arrived);
	assert_int_equal(sold, events_of(g.day, SIM_EVENT_CARRIED_OUT, now_us - FLOOR_STEP_US));
	assert_int_equal(stolen, events_of(g.day, SIM_EVENT_STOLEN, now_us - FLOOR_STEP_US));
	assert_int_equal(arrived, events_of(g.day, SIM_EVENT_DELIVERED, INT64_MAX));
	assert_in_range(arrived, 60, 180); /* 6 x 5 x 4 h */
	assert_in_range(stolen, 20, 65);
	assert_true(sold > 100);
	end(&g);
}

static void every_kind_of_event_happens_with_its_way_and_its_time(void **state)
{
	static struct rig g;
	const struct sim_event *e;
	uint64_t n = 0;

	(void) state;
	begin(&g, &busy_day);
	pass(&g, 4 * HOUR);
	for (int kind = 0; kind < SIM_EVENT_KINDS; kind++) {
		assert_true(*sim_event_name((enum sim_event_kind) kind));
		assert_true(events_of(g.day, (enum sim_event_kind) kind, INT64_MAX) > 5);
	}
	for (; (e = sim_day_event(g.day, n)); n++) {
		double metres = 0;

		for (size_t i = 0; i + 1 < e->n_points; i++)
			metres += hypot(e->points[i + 1].x - e->points[i].x,
					e->points[i + 1].y - e->points[i].y);
		assert_true(fabs(metres / SPEED - (double) (e->end_us - e->start_us) / 1e6) < 1e-3);
		/* Thieves and customers go out through the exit. */
		if (e->to == SIM_NOWHERE) {
			const struct floor_point *door = &e->points[e->n_points - 2];

			assert_int_equal(sim_floor_place_at(g.floor, door->x, door->y), EXIT);
			assert_int_equal(sim_floor_place_at(g.floor, door[1].x, door[1].y),
					 -ENOENT);
		}
	}
	assert_true(n == sim_day_events(g.day));
	end(&g);
}

static void every_move_belongs_to_an_event(void **state)
{
	static struct rig g;
	const struct sim_move *m;
	unsigned int moves = 0;

	(void) state;
	begin(&g, &busy_day);
	pass(&g, HOUR);
	for (uint64_t i = 0; (m = sim_world_move_at(g.world, i)); i++, moves++) {
		const struct sim_event *e;
		bool told = false;

		for (uint64_t n = 0; !told && (e = sim_day_event(g.day, n)); n++)
			told = e->item == m->item && m->at_us >= e->start_us &&
			       m->at_us <= e->end_us + 2 * FLOOR_STEP_US;
		assert_true(told);
	}
	assert_true(moves > 100);
	end(&g);
}

static void an_item_is_in_the_places_that_it_is_carried_through(void **state)
{
	static struct rig g;
	static const uint32_t way[] = {FLOOR, SHELVES, EXIT, SIM_NOWHERE};
	struct sim_day_config quiet = busy_day;
	const struct sim_move *m;
	uint32_t item;
	size_t n = 0;

	(void) state;
	quiet.deliveries_per_h = quiet.customers_per_h = 0;
	quiet.thefts_per_h = quiet.replenish_per_h = 0;
	begin(&g, &quiet);
	item = g.world->places[BACK].items[0];
	assert_true(sim_floor_walk(g.floor, item, SIM_NOWHERE, 1, SIM_STOLEN) > 0);
	assert_int_equal(sim_floor_walk(g.floor, item, FLOOR, 1, 0), -EBUSY);
	pass(&g, 60 * US_PER_SEC);
	for (uint64_t i = 0; (m = sim_world_move_at(g.world, i)); i++) {
		assert_true(n < ARRAY_SIZE(way));
		assert_int_equal(m->item, item);
		assert_int_equal(m->to, way[n++]);
	}
	assert_int_equal(g.world->items[item].left, SIM_STOLEN);
	assert_int_equal(n, ARRAY_SIZE(way));
	end(&g);
}

static void the_same_seed_gives_the_same_day(void **state)
{
	static struct rig a, b;
	const struct sim_event *e, *x;

	(void) state;
	begin(&a, &busy_day);
	begin(&b, &busy_day);
	pass(&a, HOUR);
	for (int i = 0; i < 3600; i++)
		pass(&b, US_PER_SEC);
	assert_true(sim_day_events(a.day) == sim_day_events(b.day));
	for (uint64_t n = 0; (e = sim_day_event(a.day, n)); n++) {
		x = sim_day_event(b.day, n);
		assert_int_equal(e->kind, x->kind);
		assert_int_equal(e->item, x->item);
		assert_true(e->end_us == x->end_us);
	}
	end(&b);
	end(&a);
}

static json_t *ask(struct rig *g, const char *line)
{
	struct buf out = BUF_INIT;
	json_t *o;

	sim_truth_answer(&g->sources, loop_clock(g->loop), line, strlen(line), &out);
	assert_true(buf_ok(&out));
	o = json_loadb((const char *) out.data, out.len, 0, NULL);
	assert_non_null(o);
	buf_done(&out);
	return o;
}

static void the_truth_port_tells_the_day_and_sends_items_on_foot(void **state)
{
	static struct rig g;
	json_t *o, *e;
	char hex[EPC_HEX_MAX], line[256];

	(void) state;
	begin(&g, &busy_day);
	o = ask(&g, "{\"op\":\"plan\"}");
	assert_int_equal(json_array_size(json_object_get(o, "places")), PLACES - 1);
	json_decref(o);
	pass(&g, HOUR / 2);
	o = ask(&g, "{\"op\":\"events\",\"since\":0}");
	assert_int_equal(json_array_size(json_object_get(o, "events")), sim_day_events(g.day));
	e = json_array_get(json_object_get(o, "events"), 0);
	assert_non_null(json_string_value(json_object_get(e, "what")));
	assert_true(json_is_array(json_object_get(e, "path")));
	json_decref(o);
	(void) epc_to_hex(&g.world->items[g.world->places[BACK].items[0]].epc, hex);
	(void) snprintf(line, sizeof line,
			"{\"op\":\"walk\",\"epc\":\"%s\",\"place\":\"Fitting\",\"speed\":2}", hex);
	o = ask(&g, line);
	assert_string_equal(json_string_value(json_object_get(o, "to")), "Fitting");
	json_decref(o);
	pass(&g, US_PER_SEC);
	(void) snprintf(line, sizeof line, "{\"op\":\"where\",\"epc\":\"%s\"}", hex);
	o = ask(&g, line);
	e = json_object_get(o, "velocity");
	assert_true(fabs(hypot(json_number_value(json_array_get(e, 0)),
			       json_number_value(json_array_get(e, 1))) -
			 2) < 1e-6);
	json_decref(o);
	pass(&g, 30 * US_PER_SEC);
	o = ask(&g, line);
	assert_string_equal(json_string_value(json_object_get(o, "place")), "Fitting");
	assert_true(json_is_null(json_object_get(o, "walking")));
	json_decref(o);
	(void) snprintf(line, sizeof line,
			"{\"op\":\"walk\",\"epc\":\"%s\",\"place\":\"Floor\",\"how\":\"sold\"}",
			hex);
	o = ask(&g, line);
	assert_non_null(json_object_get(o, "error"));
	json_decref(o);
	end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_neither_loses_nor_doubles_an_item),
		cmocka_unit_test(every_kind_of_event_happens_with_its_way_and_its_time),
		cmocka_unit_test(every_move_belongs_to_an_event),
		cmocka_unit_test(an_item_is_in_the_places_that_it_is_carried_through),
		cmocka_unit_test(the_same_seed_gives_the_same_day),
		cmocka_unit_test(the_truth_port_tells_the_day_and_sends_items_on_foot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
