/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/floor.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define LOWEST_SHELF_M  0.3
#define HIGHEST_SHELF_M 1.8
#define CARRIED_M       1.1
#define SENSITIVITY_DB  3.0 /* how much worse the worst tag is than the best */
#define OUTSIDE_M       6.0 /* beyond the door, without an `outside` */

/* --- items at rest ---------------------------------------------------------------------------- */

static void tell_rest(struct sim_floor *f, uint32_t item)
{
	for (size_t i = 0; i < f->n_watchers; i++)
		f->watchers[i].rests(f->watchers[i].user, item);
}

/** A direction, all equally likely. */
static struct rf_vec direction(double u, double v)
{
	double z = 2 * u - 1, r = sqrt(1 - z * z);

	return (struct rf_vec){r * cos(2 * M_PI * v), r * sin(2 * M_PI * v), z};
}

static void tag_make(struct sim_floor *f, uint32_t item)
{
	struct floor_item *it = &f->items[item];
	uint64_t seed = f->room.seed;
	double unit[3];

	for (uint64_t i = 0; i < 3; i++)
		unit[i] = sim_hash_unit(seed, item, 10 + i);
	gen2_tag_init(&it->gen2, unit);
	it->tag.sensitivity_dbm =
		f->sensitivity_dbm + SENSITIVITY_DB * sim_hash_unit(seed, item, 1);
	it->tag.axis = direction(sim_hash_unit(seed, item, 2), sim_hash_unit(seed, item, 3));
}

static int items_room(struct sim_floor *f, uint32_t n)
{
	uint32_t cap = MAX(f->cap_items, 256u);
	struct floor_item *items;

	while (cap < n)
		cap *= 2;
	if (cap == f->cap_items)
		return 0;
	items = realloc(f->items, cap * sizeof *items);
	if (!items)
		return -ENOMEM;
	f->items = items;
	f->cap_items = cap;
	return 0;
}

/** Somewhere in the rectangle. */
static struct floor_point spot(const struct floor_rect *p, double u, double v)
{
	return (struct floor_point){p->x0 + (p->x1 - p->x0) * u, p->y0 + (p->y1 - p->y0) * v};
}

/** Lays it down there; how high and how turned is another chance each time. */
static void lay(struct sim_floor *f, uint32_t item, struct floor_point p)
{
	struct floor_item *it = &f->items[item];
	uint64_t seed = f->room.seed ^ item, turn = ++it->version;

	it->tag.at.x = p.x;
	it->tag.at.y = p.y;
	it->tag.at.z =
		LOWEST_SHELF_M + (HIGHEST_SHELF_M - LOWEST_SHELF_M) * sim_hash_unit(seed, turn, 6);
	it->tag.axis = direction(sim_hash_unit(seed, turn, 7), sim_hash_unit(seed, turn, 8));
	it->tag.velocity = (struct rf_vec){0};
	it->tag.carried = false;
	it->here = true;
	tell_rest(f, item);
}

static void walk_drop(struct sim_floor *f, uint32_t item)
{
	uint32_t i = f->items[item].walk;

	if (i == 0)
		return;
	f->items[item].walk = 0;
	f->walks[i - 1] = f->walks[--f->n_walks];
	if (i - 1 < f->n_walks)
		f->items[f->walks[i - 1].item].walk = i;
}

/** The world says that an item came or was moved. */
static void on_world(void *user, uint32_t item)
{
	struct sim_floor *f = user;
	uint32_t place = f->world->items[item].place;

	if (f->moving || items_room(f, item + 1) < 0)
		return;
	for (; f->n_items <= item; f->n_items++) {
		f->items[f->n_items] = (struct floor_item){0};
		tag_make(f, f->n_items);
	}
	walk_drop(f, item);
	f->items[item].version++;
	f->items[item].here = false;
	if (f->places[place].set)
		lay(f, item,
		    spot(&f->places[place],
			 sim_hash_unit(f->room.seed ^ item, f->items[item].version, 4),
			 sim_hash_unit(f->room.seed ^ item, f->items[item].version, 5)));
}

/* --- walking ---------------------------------------------------------------------------------- */

int sim_floor_place_at(const struct sim_floor *f, double x, double y)
{
	double best = INFINITY;
	int at = -ENOENT;

	for (uint32_t i = 1; i < f->world->n_places; i++) {
		const struct floor_rect *p = &f->places[i];
		double area = (p->x1 - p->x0) * (p->y1 - p->y0);

		if (!p->set || x < p->x0 || x > p->x1 || y < p->y0 || y > p->y1 || area >= best)
			continue;
		best = area;
		at = (int) i;
	}
	return at;
}

static double leg(const struct floor_point *a, const struct floor_point *b)
{
	return hypot(b->x - a->x, b->y - a->y);
}

/** Where on its way it is at that instant, and how fast it goes. */
static void walk_at(const struct floor_walk *w, int64_t at_us, struct rf_vec *ret_at,
		    struct rf_vec *ret_velocity)
{
	double left = w->speed * (double) MAX(at_us - w->start_us, 0) / US_PER_SEC;

	for (size_t i = 0; i + 1 < w->n_points; i++) {
		const struct floor_point *a = &w->points[i], *b = a + 1;
		double len = leg(a, b), share = len > 0 ? left / len : 1;

		if (share >= 1) {
			left -= len;
			continue;
		}
		*ret_at = (struct rf_vec){a->x + (b->x - a->x) * share,
					  a->y + (b->y - a->y) * share, w->height};
		*ret_velocity = (struct rf_vec){(b->x - a->x) / len * w->speed,
						(b->y - a->y) / len * w->speed, 0};
		return;
	}
	*ret_at = (struct rf_vec){w->points[w->n_points - 1].x, w->points[w->n_points - 1].y,
				  w->height};
	*ret_velocity = (struct rf_vec){0};
}

bool sim_floor_tag_at(const struct sim_floor *f, uint32_t item, int64_t at_us, struct rf_tag *ret)
{
	const struct floor_item *it;

	if (item >= f->n_items || !f->items[item].here)
		return false;
	it = &f->items[item];
	*ret = it->tag;
	if (it->walk) {
		walk_at(&f->walks[it->walk - 1], at_us, &ret->at, &ret->velocity);
		ret->carried = true;
	}
	return true;
}

const struct floor_walk *sim_floor_walk_of(const struct sim_floor *f, uint32_t item)
{
	uint32_t i = item < f->n_items ? f->items[item].walk : 0;

	return i ? &f->walks[i - 1] : NULL;
}

static void walk_end(struct sim_floor *f, const struct floor_walk *w)
{
	struct floor_item *it = &f->items[w->item];
	struct rf_vec at, still;

	walk_at(w, w->end_us, &at, &still);
	walk_drop(f, w->item);
	if (w->to == SIM_NOWHERE) {
		it->version++;
		it->here = false;
		f->moving = true;
		if (w->how)
			(void) sim_world_leave(f->world, w->item, w->how);
		else
			(void) sim_world_move(f->world, w->item, SIM_NOWHERE);
		f->moving = false;
	} else {
		f->moving = true;
		(void) sim_world_move(f->world, w->item, w->to);
		f->moving = false;
		lay(f, w->item, (struct floor_point){at.x, at.y});
	}
	if (f->arrived)
		f->arrived(f->arrived_user, w);
}

static void step_arm(struct sim_floor *f)
{
	if (f->n_walks > 0 && !loop_timer_active(f->step))
		loop_timer_start(f->step, FLOOR_STEP_US);
}

static void step_due(void *user)
{
	struct sim_floor *f = user;
	int64_t now_us = clock_real_us(f->clock);

	for (uint32_t i = 0; i < f->n_walks;) {
		struct floor_walk w = f->walks[i];
		struct rf_vec at, velocity;
		int place;

		if (now_us >= w.end_us) {
			walk_end(f, &w); /* another takes its index */
			continue;
		}
		walk_at(&w, now_us, &at, &velocity);
		place = sim_floor_place_at(f, at.x, at.y);
		if (place > 0 && (uint32_t) place != f->world->items[w.item].place) {
			f->moving = true;
			(void) sim_world_move(f->world, w.item, (uint32_t) place);
			f->moving = false;
		}
		i++;
	}
	step_arm(f);
}

static struct floor_point middle(const struct floor_rect *p)
{
	return (struct floor_point){(p->x0 + p->x1) / 2, (p->y0 + p->y1) / 2};
}

static int exit_place(const struct sim_floor *f)
{
	for (uint32_t i = 1; i < f->world->n_places; i++) {
		if (f->places[i].set && !strcmp(f->world->places[i].kind, "exit"))
			return (int) i;
	}
	return -ENOENT;
}

/** Straight on from the exit's middle, away from the middle of the store. */
static struct floor_point outside_of(const struct sim_floor *f, const struct floor_point *door)
{
	struct floor_point in = {(f->room.x0 + f->room.x1) / 2, (f->room.y0 + f->room.y1) / 2};
	double len = MAX(leg(&in, door), 0.1);

	if (f->has_outside)
		return f->outside;
	return (struct floor_point){door->x + (door->x - in.x) / len * OUTSIDE_M,
				    door->y + (door->y - in.y) / len * OUTSIDE_M};
}

static void put_point(struct floor_walk *w, struct floor_point p)
{
	if (w->n_points < FLOOR_MAX_POINTS)
		w->points[w->n_points++] = p;
}

/** The way there: out by the door, in by the other's door, or out of the store by its exit. */
static int route(const struct sim_floor *f, struct floor_walk *w)
{
	uint32_t from = f->world->items[w->item].place;
	const struct floor_item *it = &f->items[w->item];
	int leave = exit_place(f);
	double u = sim_hash_unit(f->room.seed, w->item, w->number * 2);
	double v = sim_hash_unit(f->room.seed, w->item, w->number * 2 + 1);

	if (it->here)
		put_point(w, (struct floor_point){it->tag.at.x, it->tag.at.y});
	else if (f->has_dock)
		put_point(w, f->dock);
	else if (f->places[w->to].set)
		put_point(w, middle(&f->places[w->to]));
	if (it->here && f->places[from].has_door && from != w->to)
		put_point(w, f->places[from].door);
	if (w->to == SIM_NOWHERE) {
		struct floor_point door;

		if (leave < 0)
			return -ENOENT;
		door = middle(&f->places[leave]);
		put_point(w, door);
		put_point(w, outside_of(f, &door));
	} else {
		const struct floor_rect *p = &f->places[w->to];

		if (p->has_door && from != w->to)
			put_point(w, p->door);
		put_point(w, spot(p, u, v));
	}
	return 0;
}

int64_t sim_floor_walk(struct sim_floor *f, uint32_t item, uint32_t to, double speed,
		       enum sim_passage_kind how)
{
	struct floor_walk w = {.item = item,
			       .number = f->walks_begun + 1,
			       .start_us = clock_real_us(f->clock),
			       .speed = speed,
			       .height = CARRIED_M,
			       .to = to,
			       .how = (uint8_t) how};
	double len = 0;

	if (item >= f->n_items || (to != SIM_NOWHERE && !f->places[to].set) || !(speed > 0))
		return -ENOENT;
	if (f->items[item].walk)
		return -EBUSY;
	if (route(f, &w) < 0)
		return -ENOENT;
	if (f->n_walks == f->cap_walks) {
		uint32_t cap = f->cap_walks ? f->cap_walks * 2 : 64;
		struct floor_walk *walks = realloc(f->walks, cap * sizeof *walks);

		if (!walks)
			return -ENOMEM;
		f->walks = walks;
		f->cap_walks = cap;
	}
	for (size_t i = 0; i + 1 < w.n_points; i++)
		len += leg(&w.points[i], &w.points[i + 1]);
	w.end_us = w.start_us + (int64_t) (len / speed * US_PER_SEC);
	f->walks_begun++;
	f->walks[f->n_walks++] = w;
	f->items[item].walk = f->n_walks;
	f->items[item].version++;
	f->items[item].here = true;
	step_arm(f);
	return (int64_t) w.number;
}

/* --- life ------------------------------------------------------------------------------------- */

int sim_floor_watch(struct sim_floor *f, const struct floor_watcher *w)
{
	if (f->n_watchers == FLOOR_MAX_FIELDS)
		return -ENOSPC;
	f->watchers[f->n_watchers++] = *w;
	return 0;
}

void sim_floor_unwatch(struct sim_floor *f, const void *user)
{
	for (size_t i = 0; i < f->n_watchers; i++) {
		if (f->watchers[i].user == user)
			f->watchers[i--] = f->watchers[--f->n_watchers];
	}
}

int sim_floor_new(struct loop *loop, struct sim_world *world, struct sim_floor **ret)
{
	struct sim_floor *f = calloc(1, sizeof *f);
	int r;

	if (!f)
		return -ENOMEM;
	f->loop = loop;
	f->clock = loop_clock(loop);
	f->world = world;
	f->room = rf_free_space();
	f->sensitivity_dbm = -20;
	r = loop_timer_new(loop, step_due, f, &f->step);
	if (r < 0) {
		free(f);
		return r;
	}
	*ret = f;
	return 0;
}

int sim_floor_start(struct sim_floor *f)
{
	int r = items_room(f, f->world->n_items);

	for (uint32_t i = 0; r == 0 && i < f->world->n_items; i++)
		on_world(f, i);
	sim_world_watch(f->world, on_world, f);
	return r;
}

void sim_floor_free(struct sim_floor *f)
{
	if (!f)
		return;
	sim_world_watch(f->world, NULL, NULL);
	loop_timer_free(f->step);
	free(f->items);
	free(f->walks);
	free(f);
}
