/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/air.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define DWELL_US     (50 * US_PER_MS)
#define MAX_LAG_US   (2 * US_PER_SEC)
#define BATCH        256
#define NEAR_DBM     -42.0
#define RANGE_DB     22.0 /**< nearest to farthest item of a place */
#define CROSS_DBM    -66.0
#define FADING_DB    3.0
#define MARGIN_DB    6.0
#define HOP_CHANNELS 50
#define HOP_DWELL_US (200 * US_PER_MS)

struct sim_air {
	struct loop *loop;
	const struct clock *clock;
	struct sim_world *world;
	struct sim_reader *reader;
	struct sim_air_config cfg;
	struct sim_rng rng;
	struct loop_timer *timer;
	uint16_t antennas[SIM_READER_MAX_ANTENNAS];
	size_t n_antennas, turn;
	int64_t turn_end_us; /**< monotonic */
	uint16_t channel;
	int64_t hop_us;
	struct sim_tag_read batch[BATCH];
	size_t n_batch;
};

static int by_time(const void *a, const void *b)
{
	const struct sim_tag_read *x = a, *y = b;

	return (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

static void batch_flush(struct sim_air *a)
{
	qsort(a->batch, a->n_batch, sizeof a->batch[0], by_time);
	sim_reader_feed(a->reader, a->batch, a->n_batch);
	a->n_batch = 0;
}

/** Where an item lies as that antenna sees it stays put as long as the item does. */
static double mean_rssi(const struct sim_air *a, uint32_t item, uint32_t antenna, bool covered)
{
	const struct sim_item *it = &a->world->items[item];
	double place = sim_hash_unit(item, antenna, (uint64_t) it->since_us);

	return covered ? NEAR_DBM - RANGE_DB * place : CROSS_DBM - RANGE_DB / 3 * place;
}

/**
 * A passive tag answers if the reader's field wakes it: the way there counts once, the way there
 * and back is what the signal strength shows. The farthest item of a place has MARGIN_DB to spare
 * at full power.
 */
static bool tag_wakes(double mean_dbm, double power_db, double fading_db)
{
	return MARGIN_DB + (mean_dbm - (NEAR_DBM - RANGE_DB)) / 2 + power_db + fading_db / 2 >= 0;
}

static void read_one(struct sim_air *a, uint32_t item, uint32_t antenna, bool covered,
		     int64_t start_us)
{
	double mean_dbm = mean_rssi(a, item, antenna, covered);
	double fading_db = FADING_DB * sim_rng_normal(&a->rng);
	double power_db = sim_reader_power_db(a->reader, a->world->antennas[antenna].number);
	struct sim_tag_read *t;

	if (!tag_wakes(mean_dbm, power_db, fading_db))
		return;
	t = &a->batch[a->n_batch++];
	*t = (struct sim_tag_read){
		.epc = &a->world->items[item].epc,
		.antenna = a->world->antennas[antenna].number,
		.rssi_dbm = (int8_t) lround(mean_dbm + fading_db + power_db),
		.channel = a->channel,
		.phase = (uint16_t) sim_rng_below(&a->rng, 4096),
		.doppler = (int16_t) (sim_rng_normal(&a->rng) * 16),
		.at_us = start_us + sim_rng_below(&a->rng, DWELL_US),
	};
	/* What came in the middle of the turn was not there before. */
	t->at_us = MAX(t->at_us, a->world->items[item].since_us);
	sim_world_note_read(a->world, item, antenna, t->at_us);
	if (a->n_batch == BATCH)
		batch_flush(a);
}

/** Items of one place, each with `mean` expected reads in this turn: Poisson, drawn all at once. */
static void read_place(struct sim_air *a, uint32_t place, uint32_t antenna, bool covered,
		       double mean, int64_t start_us)
{
	const struct sim_place *p = &a->world->places[place];
	uint32_t n = sim_rng_poisson(&a->rng, mean * p->n_items);

	while (n--)
		read_one(a, p->items[sim_rng_below(&a->rng, p->n_items)], antenna, covered,
			 start_us);
}

/** Places that the reader's other antennas cover and this one does not: a weak tag gets through. */
static void read_neighbours(struct sim_air *a, uint32_t antenna, double mean, int64_t start_us)
{
	const struct sim_world *w = a->world;
	bool done[SIM_MAX_PLACES] = {false};

	for (uint32_t i = 0; i < w->n_antennas; i++) {
		const struct sim_antenna *other = &w->antennas[i];

		if (i == antenna || strcmp(other->reader, w->antennas[antenna].reader))
			continue;
		for (uint32_t k = 0; k < other->n_places; k++) {
			uint32_t place = other->places[k];

			if (done[place] || sim_world_covers(w, antenna, place))
				continue;
			done[place] = true;
			read_place(a, place, antenna, false, mean, start_us);
		}
	}
}

/** One antenna's turn, told at its end. */
static void turn(struct sim_air *a)
{
	int antenna =
		sim_world_find_antenna(a->world, sim_reader_name(a->reader), a->antennas[a->turn]);
	double mean = a->cfg.reads_per_s * (double) a->n_antennas * DWELL_US / US_PER_SEC;
	int64_t lag_us = clock_mono_us(a->clock) - a->turn_end_us;
	int64_t start_us = clock_real_us(a->clock) - lag_us - DWELL_US;

	a->turn = (a->turn + 1) % a->n_antennas;
	a->hop_us += DWELL_US;
	if (a->hop_us >= HOP_DWELL_US) {
		a->hop_us = 0;
		a->channel = (uint16_t) (1 + a->channel % HOP_CHANNELS);
	}
	if (antenna < 0)
		return;
	for (uint32_t i = 0; i < a->world->antennas[antenna].n_places; i++)
		read_place(a, a->world->antennas[antenna].places[i], (uint32_t) antenna, true, mean,
			   start_us);
	if (a->cfg.cross > 0)
		read_neighbours(a, (uint32_t) antenna, mean * a->cfg.cross, start_us);
	batch_flush(a);
}

static void turn_due(void *user)
{
	struct sim_air *a = user;
	int64_t now_us = clock_mono_us(a->clock);

	if (now_us - a->turn_end_us > MAX_LAG_US)
		a->turn_end_us = now_us;
	/* A feed may end the inventory, and with it this loop. */
	while (a->n_antennas > 0 && a->turn_end_us <= now_us) {
		turn(a);
		a->turn_end_us += DWELL_US;
	}
	if (a->n_antennas > 0)
		loop_timer_start(a->timer, a->turn_end_us - now_us);
}

static void inventory(void *user, const uint16_t *antennas, size_t n)
{
	struct sim_air *a = user;

	a->n_antennas = n;
	a->turn = 0;
	memcpy(a->antennas, antennas, n * sizeof *antennas);
	if (n == 0) {
		loop_timer_stop(a->timer);
		return;
	}
	a->turn_end_us = clock_mono_us(a->clock) + DWELL_US;
	loop_timer_start(a->timer, DWELL_US);
}

int sim_air_new(struct loop *loop, struct sim_world *world, struct sim_reader *reader,
		const struct sim_air_config *cfg, struct sim_air **ret)
{
	struct sim_air *a = calloc(1, sizeof *a);
	char stream[SIM_NAME_MAX + 8];
	int r;

	if (!a)
		return -ENOMEM;
	a->loop = loop;
	a->clock = loop_clock(loop);
	a->world = world;
	a->reader = reader;
	a->cfg = *cfg;
	a->channel = 1;
	(void) snprintf(stream, sizeof stream, "air-%s", sim_reader_name(reader));
	sim_rng_init(&a->rng, cfg->seed, stream);
	r = loop_timer_new(loop, turn_due, a, &a->timer);
	if (r < 0) {
		free(a);
		return r;
	}
	sim_reader_set_source(reader,
			      &(struct sim_reader_source){.inventory = inventory, .user = a});
	*ret = a;
	return 0;
}

void sim_air_free(struct sim_air *a)
{
	if (!a)
		return;
	sim_reader_set_source(a->reader, &(struct sim_reader_source){0});
	loop_timer_free(a->timer);
	free(a);
}
