/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/field.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_LAG_US     (2 * US_PER_SEC)
#define HOP_US         (200 * US_PER_MS)  /* FCC: at most 400 ms on a channel in 20 s */
#define ETSI_STAY_US   (3900 * US_PER_MS) /* EN 302 208: at most 4 s */
#define IDLE_US        (20 * US_PER_MS)   /* how often nothing is looked at again */
#define LEAST_DWELL_US (10 * US_PER_MS)
#define HIGHEST_DBM    30.0
#define FADES_UP_DB    12.0
#define FADE_STEP_DB   0.25
#define WALK_RANGE_M   25.0
#define RSSI_NOISE_DB  0.4
#define PHASE_NOISE    25.0  /* steps; about two degrees */
#define DOPPLER_NOISE  900.0 /* 1/16 Hz; readers judge it from one short answer, with long tails */
#define UNHEARD        0.5   /* share of the answers lost at the receiver's floor ... */
#define UNHEARD_DB     2.0   /* ... which falls by e in so many decibels above it */
#define BATCH          256
#define SPEAKS_DBM     -6.0 /* what the tag takes less than it sends back, see sim/rf.h */

/** An item at rest that the antenna wakes on some channel. */
struct near {
	uint32_t item, version;
	float mean_db;
	int8_t fade[RF_MAX_CHANNELS]; /**< in FADE_STEP_DB */
};

struct port {
	uint32_t antenna; /**< as the world counts */
	bool listed;
	struct near *near;
	size_t n, cap;
};

struct lit {
	uint32_t item;
	float tag_db; /**< gain to its chip on this carrier; walkers: when last looked at */
};

struct sim_field {
	struct loop *loop;
	const struct clock *clock;
	struct sim_floor *floor;
	struct sim_reader *reader;
	struct sim_field_config cfg;
	struct sim_rng rng;
	struct loop_timer *timer;
	struct port ports[SIM_READER_MAX_ANTENNAS];
	uint16_t antennas[SIM_READER_MAX_ANTENNAS];
	size_t n_antennas, turn;
	struct port *port; /**< whose turn it is */
	struct sim_reader_air air;
	const struct gen2_mode *mode;
	struct gen2_times times;
	double air_us;                    /**< UTC; how far the air was played */
	int64_t dwell_end_us, hop_end_us; /**< UTC */
	unsigned int channel;             /**< from 1 */
	bool half_turn;                   /**< of phase, undecided anew for each carrier */
	bool target_b;
	bool silent;     /**< no tag hears this carrier, or none is heard */
	struct lit *lit; /**< items at rest that the carrier wakes */
	size_t n_lit, cap_lit;
	struct gen2_round round;
	struct sim_tag_read batch[BATCH];
	size_t n_batch;
	struct sim_field_stats stats;
};

static void batch_flush(struct sim_field *f)
{
	size_t n = f->n_batch;

	f->n_batch = 0;
	sim_reader_feed(f->reader, f->batch, n);
}

/* --- who is near ------------------------------------------------------------------------------ */

static const struct rf_antenna *antenna_of(const struct sim_field *f, const struct port *p)
{
	return &f->floor->antennas[p->antenna];
}

/** Takes an item at rest into an antenna's list, if it can wake it at all. */
static void near_add(struct sim_field *f, struct port *p, uint32_t item)
{
	const struct rf_room *room = &f->floor->room;
	const struct floor_item *it = &f->floor->items[item];
	double mean = rf_mean_tag_db(room, antenna_of(f, p), &it->tag), best = -100;
	double needed = it->tag.sensitivity_dbm - HIGHEST_DBM;
	float fade[RF_MAX_CHANNELS];
	struct near *n;

	if (mean + FADES_UP_DB < needed)
		return;
	rf_fading_db(room, antenna_of(f, p), &it->tag, fade);
	for (unsigned int c = 0; c < rf_channels(room->region); c++)
		best = MAX(best, (double) fade[c]);
	if (mean + best < needed)
		return;
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 64;
		struct near *near = realloc(p->near, cap * sizeof *near);

		if (!near)
			return;
		p->near = near;
		p->cap = cap;
	}
	n = &p->near[p->n++];
	*n = (struct near){.item = item, .version = it->version, .mean_db = (float) mean};
	for (unsigned int c = 0; c < rf_channels(room->region); c++)
		n->fade[c] =
			(int8_t) lround(MAX(MIN((double) fade[c] / FADE_STEP_DB, 127.0), -128.0));
}

static void port_list(struct sim_field *f, struct port *p)
{
	p->listed = true;
	for (uint32_t i = 0; i < f->floor->n_items; i++) {
		if (f->floor->items[i].here && !f->floor->items[i].walk)
			near_add(f, p, i);
	}
}

static void item_rests(void *user, uint32_t item)
{
	struct sim_field *f = user;

	for (size_t i = 0; i < SIM_READER_MAX_ANTENNAS; i++) {
		if (f->ports[i].listed)
			near_add(f, &f->ports[i], item);
	}
}

/* --- a carrier -------------------------------------------------------------------------------- */

static int lit_add(struct sim_field *f, uint32_t item, double tag_db)
{
	if (f->n_lit == f->cap_lit) {
		size_t cap = f->cap_lit ? f->cap_lit * 2 : 256;
		struct lit *lit = realloc(f->lit, cap * sizeof *lit);

		if (!lit)
			return -ENOMEM;
		f->lit = lit;
		f->cap_lit = cap;
	}
	f->lit[f->n_lit++] = (struct lit){item, (float) tag_db};
	return 0;
}

static int64_t carrier_end(const struct sim_field *f)
{
	return MIN(f->dwell_end_us, f->hop_end_us);
}

/** The carrier comes on: which of the items at rest wake? */
static void carrier_on(struct sim_field *f)
{
	struct sim_floor *fl = f->floor;
	struct port *p = f->port;
	int64_t at_us = (int64_t) f->air_us;

	f->n_lit = 0;
	f->half_turn = sim_rng_chance(&f->rng, 0.5);
	gen2_round_clear(&f->round);
	/* A cable is off, or somebody else drowns the channel: nothing gets out, or nothing back.
	 */
	f->silent = !p || !sim_reader_hears(f->reader, fl->world->antennas[p->antenna].number,
					    (uint16_t) f->channel);
	for (size_t i = 0; !f->silent && i < p->n; i++) {
		const struct near *n = &p->near[i];
		struct floor_item *it = &fl->items[n->item];
		double db;

		if (it->version != n->version || !it->here) {
			p->near[i--] = p->near[--p->n]; /* it was taken up */
			continue;
		}
		db = (double) n->mean_db + n->fade[f->channel - 1] * FADE_STEP_DB;
		if (f->air.power_dbm + db < it->tag.sensitivity_dbm)
			continue;
		db -= rf_people_db(&fl->room, antenna_of(f, p), &it->tag.at, at_us);
		if (f->air.power_dbm + db < it->tag.sensitivity_dbm || lit_add(f, n->item, db) < 0)
			continue;
		gen2_tag_power(&it->gen2, at_us, carrier_end(f));
		gen2_tag_blink(&it->gen2);
	}
}

/** The next antenna's turn. */
static void turn_begin(struct sim_field *f)
{
	const struct sim_world *w = f->floor->world;
	uint16_t number = f->antennas[f->turn];
	int64_t dwell_us = f->cfg.dwell_us;
	int antenna = sim_world_find_antenna(w, sim_reader_name(f->reader), number);

	f->turn = (f->turn + 1) % f->n_antennas;
	sim_reader_get_air(f->reader, number, &f->air);
	f->mode = gen2_mode_find(f->air.mode);
	f->times = gen2_times(f->mode, 96);
	f->target_b = f->air.target_b;
	/* All antennas have their turn while a tag passes. */
	if (f->air.transit_ms > 0)
		dwell_us = MIN(dwell_us,
			       (int64_t) f->air.transit_ms * US_PER_MS / (int64_t) f->n_antennas);
	f->dwell_end_us = (int64_t) f->air_us + MAX(dwell_us, LEAST_DWELL_US);
	f->port = NULL;
	if (antenna >= 0 && f->floor->antenna_set[antenna]) {
		f->port = &f->ports[number - 1];
		f->port->antenna = (uint32_t) antenna;
		if (!f->port->listed)
			port_list(f, f->port);
	}
}

static void hop(struct sim_field *f)
{
	bool etsi = f->floor->room.region == RF_ETSI;

	f->channel = 1 + f->channel % rf_channels(f->floor->room.region);
	f->hop_end_us = (int64_t) f->air_us + (etsi ? ETSI_STAY_US : HOP_US);
}

/* --- rounds ----------------------------------------------------------------------------------- */

/** Takes part unless its flag says no, or the reader cannot hear it. */
static void take_part(struct sim_field *f, uint32_t item, double tag_db, int64_t *falls_us)
{
	struct floor_item *it = &f->floor->items[item];
	int64_t at_us = (int64_t) f->air_us;
	double rssi = f->air.power_dbm + 2 * tag_db + SPEAKS_DBM;

	if (rssi < f->mode->floor_dbm + f->air.deaf_db)
		return;
	if (gen2_tag_is_b(&it->gen2, f->air.session, at_us) != f->target_b) {
		*falls_us = MIN(*falls_us, gen2_tag_falls_us(&it->gen2, f->air.session, at_us));
		return;
	}
	(void) !gen2_round_add(&f->round, &(struct gen2_entry){item, (float) rssi});
}

/** An item that walks is looked at where it is now. */
static void walker_takes_part(struct sim_field *f, const struct floor_walk *w, int64_t *falls_us)
{
	struct sim_floor *fl = f->floor;
	const struct rf_antenna *a = antenna_of(f, f->port);
	int64_t at_us = (int64_t) f->air_us;
	struct rf_tag tag;
	double db;

	if (!sim_floor_tag_at(fl, w->item, at_us, &tag) ||
	    hypot(tag.at.x - a->at.x, tag.at.y - a->at.y) > WALK_RANGE_M)
		return;
	db = rf_link_on(&fl->room, a, &tag, f->channel).tag_db -
	     rf_people_db(&fl->room, a, &tag.at, at_us);
	if (f->air.power_dbm + db < tag.sensitivity_dbm)
		return;
	gen2_tag_power(&fl->items[w->item].gen2, at_us, at_us + IDLE_US);
	take_part(f, w->item, db, falls_us);
}

/** Yields when a tag that keeps quiet now will not any more, at the latest. */
static int64_t gather(struct sim_field *f)
{
	int64_t falls_us = GEN2_FOREVER;

	gen2_round_clear(&f->round);
	if (f->silent)
		return falls_us;
	for (size_t i = 0; i < f->n_lit; i++) {
		const struct floor_item *it = &f->floor->items[f->lit[i].item];

		/* It may have been taken up since the carrier came on. */
		if (!it->walk && it->here)
			take_part(f, f->lit[i].item, (double) f->lit[i].tag_db, &falls_us);
	}
	for (uint32_t i = 0; i < f->floor->n_walks; i++)
		walker_takes_part(f, &f->floor->walks[i], &falls_us);
	return falls_us;
}

/** A round, or a pause when nobody would answer one. */
static void round_begin(struct sim_field *f)
{
	int64_t falls_us = gather(f);

	if (f->round.n == 0 && f->air.dual_target) {
		f->target_b = !f->target_b;
		falls_us = gather(f);
	}
	if (f->round.n == 0) {
		int64_t now_us = (int64_t) f->air_us;

		f->air_us = (double) MIN(MIN(now_us + IDLE_US, carrier_end(f)),
					 MAX(falls_us, now_us + US_PER_MS));
		return;
	}
	f->stats.rounds++;
	gen2_round_begin(&f->round, f->air.population);
	f->air_us += f->times.query;
}

static bool understood(struct sim_field *f, double rssi_dbm)
{
	double above = rssi_dbm - (f->mode->floor_dbm + f->air.deaf_db);

	return above >= 0 && !sim_rng_chance(&f->rng, UNHEARD * exp(-above / UNHEARD_DB));
}

static int16_t doppler(struct sim_field *f, double radial_m)
{
	double mhz = rf_channel_mhz(f->floor->room.region, f->channel);
	double shift = rf_doppler_16hz(radial_m, mhz) +
		       DOPPLER_NOISE * sim_rng_normal(&f->rng) * sim_rng_exponential(&f->rng, 1);

	return (int16_t) MAX(MIN(shift, (double) INT16_MAX), (double) INT16_MIN);
}

/** A lone tag answered. */
static void singled(struct sim_field *f, const struct gen2_entry *e)
{
	struct sim_floor *fl = f->floor;
	const struct rf_antenna *a = antenna_of(f, f->port);
	int64_t at_us = (int64_t) f->air_us;
	struct rf_link link;
	struct rf_tag tag;
	double rssi, phase;

	f->stats.singles++;
	if (!sim_floor_tag_at(fl, e->tag, at_us, &tag))
		return;
	link = rf_link_on(&fl->room, a, &tag, f->channel);
	rssi = f->air.power_dbm + link.rssi_db - 2 * rf_people_db(&fl->room, a, &tag.at, at_us) +
	       RSSI_NOISE_DB * sim_rng_normal(&f->rng);
	if (!understood(f, rssi)) {
		f->stats.unheard++;
		gen2_round_keep(&f->round, e);
		return;
	}
	gen2_tag_toggle(&fl->items[e->tag].gen2, f->air.session, at_us);
	phase = link.turns + (f->half_turn ? 0.5 : 0) +
		PHASE_NOISE / RF_PHASE_TURN * sim_rng_normal(&f->rng);
	f->batch[f->n_batch++] = (struct sim_tag_read){
		.epc = &fl->world->items[e->tag].epc,
		.antenna = fl->world->antennas[f->port->antenna].number,
		.rssi_dbm = (int8_t) lround(MAX(MIN(rssi, 20.0), -120.0)),
		.rssi_cdbm = (int16_t) lround(MAX(MIN(rssi, 20.0), -120.0) * 100),
		.channel = (uint16_t) f->channel,
		.phase = rf_phase_steps(phase),
		.doppler = doppler(f, link.radial_m),
		.at_us = at_us,
	};
	sim_world_note_read(fl->world, e->tag, f->port->antenna, at_us);
	if (f->n_batch == BATCH)
		batch_flush(f);
}

static void slot(struct sim_field *f)
{
	struct gen2_entry e;

	f->stats.slots++;
	switch (gen2_round_step(&f->round, &f->rng, &e)) {
	case GEN2_EMPTY:
		f->air_us += f->times.empty;
		break;
	case GEN2_COLLISION:
		f->stats.collisions++;
		f->air_us += f->times.collision;
		break;
	case GEN2_SINGLE:
		singled(f,
			&e); /* told with the instant at which it began, never ahead of the clock */
		f->air_us += f->times.single;
		break;
	case GEN2_FRAME:
		f->air_us += f->times.adjust;
		break;
	case GEN2_OVER:
		if (f->air.dual_target)
			f->target_b = !f->target_b;
		break;
	}
}

/* --- time ------------------------------------------------------------------------------------- */

/** Plays the air up to an instant. */
static void play(struct sim_field *f, int64_t until_us)
{
	while (f->n_antennas > 0 && f->air_us < (double) until_us) {
		bool turn = f->air_us >= (double) f->dwell_end_us;
		bool other = f->air_us >= (double) f->hop_end_us;

		if (turn)
			turn_begin(f);
		if (other)
			hop(f);
		if (turn || other)
			carrier_on(f);
		if (f->round.running)
			slot(f);
		else
			round_begin(f);
	}
	batch_flush(f);
}

static void slice_due(void *user)
{
	struct sim_field *f = user;
	int64_t now_us = clock_real_us(f->clock);
	int64_t lag_us = now_us - FIELD_SLICE_US - (int64_t) f->air_us;

	f->stats.lag_us = MAX(f->stats.lag_us, lag_us);
	if (lag_us > MAX_LAG_US || lag_us < -MAX_LAG_US)
		f->air_us = (double) (now_us - FIELD_SLICE_US);
	/* A feed may end the inventory, and with it this play. */
	play(f, now_us);
	if (f->n_antennas > 0)
		loop_timer_start(f->timer, FIELD_SLICE_US);
}

static void inventory(void *user, const uint16_t *antennas, size_t n)
{
	struct sim_field *f = user;

	f->n_antennas = n;
	f->turn = 0;
	f->n_batch = 0;
	memcpy(f->antennas, antennas, n * sizeof *antennas);
	gen2_round_clear(&f->round);
	if (n == 0) {
		loop_timer_stop(f->timer);
		return;
	}
	f->air_us = (double) clock_real_us(f->clock);
	f->dwell_end_us = 0;
	loop_timer_start(f->timer, FIELD_SLICE_US);
}

/* --- life ------------------------------------------------------------------------------------- */

int sim_field_new(struct loop *loop, struct sim_floor *floor, struct sim_reader *reader,
		  const struct sim_field_config *cfg, struct sim_field **ret)
{
	struct sim_field *f = calloc(1, sizeof *f);
	char stream[SIM_NAME_MAX + 8];
	int r;

	if (!f)
		return -ENOMEM;
	f->loop = loop;
	f->clock = loop_clock(loop);
	f->floor = floor;
	f->reader = reader;
	f->cfg = *cfg;
	(void) snprintf(stream, sizeof stream, "field-%s", sim_reader_name(reader));
	sim_rng_init(&f->rng, cfg->seed, stream);
	/* Readers do not hop together. */
	f->channel = 1 + sim_rng_below(&f->rng, rf_channels(floor->room.region));
	r = loop_timer_new(loop, slice_due, f, &f->timer);
	if (r == 0)
		r = sim_floor_watch(floor, &(struct floor_watcher){item_rests, f});
	if (r < 0) {
		if (f->timer)
			loop_timer_free(f->timer);
		free(f);
		return r;
	}
	sim_reader_set_source(reader,
			      &(struct sim_reader_source){.inventory = inventory, .user = f});
	*ret = f;
	return 0;
}

void sim_field_get_stats(const struct sim_field *f, struct sim_field_stats *ret)
{
	*ret = f->stats;
	ret->in_range = 0;
	for (size_t i = 0; i < SIM_READER_MAX_ANTENNAS; i++)
		ret->in_range += f->ports[i].n;
}

void sim_field_free(struct sim_field *f)
{
	if (!f)
		return;
	sim_floor_unwatch(f->floor, f);
	sim_reader_set_source(f->reader, &(struct sim_reader_source){0});
	for (size_t i = 0; i < SIM_READER_MAX_ANTENNAS; i++)
		free(f->ports[i].near);
	gen2_round_done(&f->round);
	loop_timer_free(f->timer);
	free(f->lit);
	free(f);
}
