/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/day.h"

#include "sim/goods.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TICK_US     (500 * US_PER_MS)
#define TICKS_PER_H 7200.0
#define TRY_LEAST_S 60
#define TRY_MORE_S  300
#define PAY_LEAST_S 20
#define PAY_MORE_S  70
#define TRIES       12
#define MAX_ERRANDS 5000
#define KNOWN_GTINS 1000

/** Whom an errand waits for, or what for. */
enum stage {
	COMING,   /**< walks in from the dock */
	RECEIVED, /**< lies till it is put away */
	CARRYING, /**< to where it will stay */
	TO_FITTING,
	TRYING,
	TO_TILL,
	PAYING,
	LEAVING
};

struct errand {
	uint32_t item, home;
	enum stage stage;
	int64_t due_us; /**< of what takes time without walking */
};

struct sim_day {
	struct loop *loop;
	const struct clock *clock;
	struct sim_floor *floor;
	struct sim_world *world;
	struct sim_day_config cfg;
	struct sim_rng rng;
	struct loop_timer *tick;
	struct errand *errands;
	size_t n_errands;
	struct sim_event *events;
	uint64_t n_events;
	uint64_t gtins[KNOWN_GTINS];
	uint32_t n_gtins;
	int till;
};

const char *sim_event_name(enum sim_event_kind k)
{
	static const char *const names[SIM_EVENT_KINDS] = {
		"delivered", "put-away",  "replenished", "taken",       "tried-on",
		"returned",  "misplaced", "sold",        "carried-out", "stolen"};

	return k < SIM_EVENT_KINDS ? names[k] : "";
}

/* --- events ----------------------------------------------------------------------------------- */

static struct sim_event *note(struct sim_day *d, enum sim_event_kind kind, uint32_t item,
			      uint32_t from, uint32_t to)
{
	struct sim_event *e = &d->events[d->n_events++ % SIM_MAX_EVENTS];
	int64_t now_us = clock_real_us(d->clock);

	*e = (struct sim_event){.kind = kind,
				.item = item,
				.from = from,
				.to = to,
				.start_us = now_us,
				.end_us = now_us};
	return e;
}

/** Sends an item on its way and writes that down. */
static bool send(struct sim_day *d, enum sim_event_kind kind, uint32_t item, uint32_t to,
		 enum sim_passage_kind how)
{
	uint32_t from = d->world->items[item].place;
	const struct floor_walk *w;
	struct sim_event *e;

	if (sim_floor_walk(d->floor, item, to, d->cfg.speed, how) < 0)
		return false;
	w = sim_floor_walk_of(d->floor, item);
	e = note(d, kind, item, from, to);
	e->start_us = w->start_us;
	e->end_us = w->end_us;
	e->n_points = w->n_points;
	memcpy(e->points, w->points, sizeof e->points);
	return true;
}

/* --- places and items ------------------------------------------------------------------------- */

static bool is_kind(const struct sim_day *d, uint32_t place, const char *kind)
{
	return d->floor->places[place].set && !strcmp(d->world->places[place].kind, kind);
}

/** One of the places of that kind, all equally likely; SIM_NOWHERE if there is none. */
static uint32_t some_place(struct sim_day *d, const char *kind)
{
	uint32_t found = SIM_NOWHERE, n = 0;

	for (uint32_t i = 1; i < d->world->n_places; i++) {
		if (is_kind(d, i, kind) && sim_rng_below(&d->rng, ++n) == 0)
			found = i;
	}
	return found;
}

/** Anywhere that customers get to, but where it belongs. */
static uint32_t wrong_place(struct sim_day *d, uint32_t home)
{
	static const char *const kinds[] = {"sales-floor", "fitting-room", "other"};
	uint32_t found = SIM_NOWHERE, n = 0;

	for (uint32_t i = 1; i < d->world->n_places; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			if (i != home && is_kind(d, i, kinds[k]) &&
			    sim_rng_below(&d->rng, ++n) == 0)
				found = i;
		}
	}
	return found;
}

static bool busy(const struct sim_day *d, uint32_t item)
{
	if (sim_floor_walk_of(d->floor, item))
		return true;
	for (size_t i = 0; i < d->n_errands; i++) {
		if (d->errands[i].item == item)
			return true;
	}
	return false;
}

/** An item that lies in a place of that kind and that nobody has in hand, or -ENOENT. */
static int some_item(struct sim_day *d, const char *kind)
{
	for (int tries = 0; tries < TRIES; tries++) {
		uint32_t place = some_place(d, kind), item;
		const struct sim_place *p = &d->world->places[place];

		if (place == SIM_NOWHERE || p->n_items == 0)
			continue;
		item = p->items[sim_rng_below(&d->rng, p->n_items)];
		if (!busy(d, item))
			return (int) item;
	}
	return -ENOENT;
}

/* --- errands ---------------------------------------------------------------------------------- */

static void errand_add(struct sim_day *d, uint32_t item, uint32_t home, enum stage stage)
{
	if (d->n_errands < MAX_ERRANDS)
		d->errands[d->n_errands++] =
			(struct errand){.item = item, .home = home, .stage = stage};
}

static int64_t later(struct sim_day *d, double least_s, double more_s)
{
	return clock_real_us(d->clock) +
	       (int64_t) ((least_s + more_s * sim_rng_unit(&d->rng)) * US_PER_SEC);
}

static bool carry(struct sim_day *d, struct errand *e, enum sim_event_kind kind, uint32_t to,
		  enum stage stage)
{
	e->stage = stage;
	return to != SIM_NOWHERE && send(d, kind, e->item, to, 0);
}

/** Where the customer leaves what is not bought. */
static bool put_back(struct sim_day *d, struct errand *e)
{
	uint32_t wrong =
		sim_rng_chance(&d->rng, d->cfg.misplace) ? wrong_place(d, e->home) : SIM_NOWHERE;

	return wrong != SIM_NOWHERE ? carry(d, e, SIM_EVENT_MISPLACED, wrong, CARRYING)
				    : carry(d, e, SIM_EVENT_RETURNED, e->home, CARRYING);
}

/** The customer has made up his mind. */
static bool decided(struct sim_day *d, struct errand *e)
{
	if (!sim_rng_chance(&d->rng, d->cfg.buy))
		return put_back(d, e);
	return carry(d, e, SIM_EVENT_TAKEN, (uint32_t) d->till, TO_TILL);
}

static bool leave(struct sim_day *d, struct errand *e)
{
	uint32_t at = d->world->items[e->item].place;

	(void) note(d, SIM_EVENT_SOLD, e->item, at, at);
	e->stage = LEAVING;
	return send(d, SIM_EVENT_CARRIED_OUT, e->item, SIM_NOWHERE, SIM_SOLD);
}

/** A walk is over. False ends the errand. */
static bool walked(struct sim_day *d, struct errand *e)
{
	switch (e->stage) {
	case COMING:
		e->stage = RECEIVED;
		e->due_us = later(d, 0, 2 * 60 * d->cfg.put_away_min);
		return true;
	case TO_FITTING:
		e->stage = TRYING;
		e->due_us = later(d, TRY_LEAST_S, TRY_MORE_S);
		return true;
	case TO_TILL:
		e->stage = PAYING;
		e->due_us = later(d, PAY_LEAST_S, PAY_MORE_S);
		return true;
	default:
		return false;
	}
}

/** What took time is over. False ends the errand. */
static bool waited(struct sim_day *d, struct errand *e)
{
	switch (e->stage) {
	case RECEIVED:
		return carry(d, e, SIM_EVENT_PUT_AWAY, some_place(d, "back-room"), CARRYING);
	case TRYING:
		return decided(d, e);
	case PAYING:
		return leave(d, e);
	default:
		return true;
	}
}

static void errand_end(struct sim_day *d, size_t i)
{
	d->errands[i] = d->errands[--d->n_errands];
}

static void on_arrived(void *user, const struct floor_walk *w)
{
	struct sim_day *d = user;

	for (size_t i = 0; i < d->n_errands; i++) {
		if (d->errands[i].item != w->item)
			continue;
		if (!walked(d, &d->errands[i]))
			errand_end(d, i);
		return;
	}
}

static bool waits(enum stage s)
{
	return s == RECEIVED || s == TRYING || s == PAYING;
}

static void errands_due(struct sim_day *d)
{
	int64_t now_us = clock_real_us(d->clock);

	for (size_t i = 0; i < d->n_errands;) {
		struct errand *e = &d->errands[i];

		if (waits(e->stage) && d->world->items[e->item].left) {
			errand_end(d, i); /* somebody else's doing */
		} else if (waits(e->stage) && now_us >= e->due_us && !waited(d, e)) {
			errand_end(d, i);
		} else if (!waits(e->stage) && !sim_floor_walk_of(d->floor, e->item)) {
			errand_end(d, i); /* it was taken out of their hands */
		} else {
			i++;
		}
	}
}

/* --- what begins ------------------------------------------------------------------------------ */

static void delivery(struct sim_day *d)
{
	uint32_t receiving = some_place(d, "receiving");

	for (uint32_t i = 0; i < d->cfg.delivery_items && d->n_errands < MAX_ERRANDS; i++) {
		char gtin[24];
		int item;

		(void) snprintf(gtin, sizeof gtin, "%014llu",
				(unsigned long long) d->gtins[sim_rng_below(&d->rng, d->n_gtins)]);
		item = sim_goods_arrive(d->world, gtin,
					d->floor->has_dock ? SIM_NOWHERE : receiving, receiving);
		if (item < 0)
			return;
		errand_add(d, (uint32_t) item, receiving, COMING);
		if (d->floor->has_dock &&
		    send(d, SIM_EVENT_DELIVERED, (uint32_t) item, receiving, 0))
			continue;
		(void) note(d, SIM_EVENT_DELIVERED, (uint32_t) item, SIM_NOWHERE, receiving);
		(void) walked(d, &d->errands[d->n_errands - 1]);
	}
}

static void replenishment(struct sim_day *d)
{
	int item = some_item(d, "back-room");

	if (item >= 0 &&
	    send(d, SIM_EVENT_REPLENISHED, (uint32_t) item, some_place(d, "sales-floor"), 0))
		errand_add(d, (uint32_t) item, SIM_NOWHERE, CARRYING);
}

static void customer(struct sim_day *d)
{
	int item = some_item(d, "sales-floor");
	uint32_t fitting = sim_rng_chance(&d->rng, d->cfg.try_on) ? some_place(d, "fitting-room")
								  : SIM_NOWHERE;
	struct errand *e;

	if (item < 0 || d->n_errands == MAX_ERRANDS)
		return;
	errand_add(d, (uint32_t) item, d->world->items[item].place, TO_FITTING);
	e = &d->errands[d->n_errands - 1];
	if (!(fitting != SIM_NOWHERE ? carry(d, e, SIM_EVENT_TRIED_ON, fitting, TO_FITTING)
				     : decided(d, e)))
		errand_end(d, d->n_errands - 1);
}

static void thief(struct sim_day *d)
{
	int item = some_item(d, "sales-floor");

	if (item >= 0 && send(d, SIM_EVENT_STOLEN, (uint32_t) item, SIM_NOWHERE, SIM_STOLEN))
		errand_add(d, (uint32_t) item, SIM_NOWHERE, LEAVING);
}

static void on_tick(void *user)
{
	struct sim_day *d = user;
	const struct {
		double per_h;
		void (*begin)(struct sim_day *d);
	} rates[] = {
		{d->n_gtins ? d->cfg.deliveries_per_h : 0, delivery},
		{d->cfg.replenish_per_h, replenishment},
		{d->cfg.customers_per_h, customer},
		{d->cfg.thefts_per_h, thief},
	};

	errands_due(d);
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		uint32_t n = sim_rng_poisson(&d->rng, rates[i].per_h / TICKS_PER_H);

		while (n-- > 0)
			rates[i].begin(d);
	}
	loop_timer_start(d->tick, TICK_US);
}

bool sim_day_happens(const struct sim_day_config *cfg)
{
	return cfg->deliveries_per_h > 0 || cfg->replenish_per_h > 0 || cfg->customers_per_h > 0 ||
	       cfg->thefts_per_h > 0;
}

/* --- life ------------------------------------------------------------------------------------- */

/** Deliveries bring what the store had at the start. */
static void learn_gtins(struct sim_day *d)
{
	for (uint32_t i = 0; i < d->world->n_items && d->n_gtins < KNOWN_GTINS; i++) {
		struct sgtin s;
		bool known = false;

		if (sgtin96_decode(&d->world->items[i].epc, &s) < 0)
			continue;
		for (uint32_t k = 0; !known && k < d->n_gtins; k++)
			known = d->gtins[k] == s.gtin;
		if (!known)
			d->gtins[d->n_gtins++] = s.gtin;
	}
}

int sim_day_new(struct loop *loop, struct sim_floor *floor, const struct sim_day_config *cfg,
		struct sim_day **ret)
{
	struct sim_day *d = calloc(1, sizeof *d);
	int r;

	if (!d)
		return -ENOMEM;
	d->loop = loop;
	d->clock = loop_clock(loop);
	d->floor = floor;
	d->world = floor->world;
	d->cfg = *cfg;
	sim_rng_init(&d->rng, cfg->seed, "day");
	d->events = calloc(SIM_MAX_EVENTS, sizeof *d->events);
	d->errands = calloc(MAX_ERRANDS, sizeof *d->errands);
	d->till = cfg->till && *cfg->till ? sim_world_find_place(d->world, cfg->till) : -ENOENT;
	if (d->till < 0)
		d->till = (int) some_place(d, "exit");
	learn_gtins(d);
	r = d->events && d->errands ? loop_timer_new(loop, on_tick, d, &d->tick) : -ENOMEM;
	if (r < 0) {
		sim_day_free(d);
		return r;
	}
	floor->arrived = on_arrived;
	floor->arrived_user = d;
	loop_timer_start(d->tick, TICK_US);
	*ret = d;
	return 0;
}

void sim_day_free(struct sim_day *d)
{
	if (!d)
		return;
	if (d->floor->arrived_user == d)
		d->floor->arrived = NULL;
	if (d->tick)
		loop_timer_free(d->tick);
	free(d->events);
	free(d->errands);
	free(d);
}

uint64_t sim_day_events(const struct sim_day *d)
{
	return d->n_events;
}

uint64_t sim_day_oldest(const struct sim_day *d)
{
	return d->n_events > SIM_MAX_EVENTS ? d->n_events - SIM_MAX_EVENTS : 0;
}

const struct sim_event *sim_day_event(const struct sim_day *d, uint64_t n)
{
	return n >= sim_day_oldest(d) && n < d->n_events ? &d->events[n % SIM_MAX_EVENTS] : NULL;
}
