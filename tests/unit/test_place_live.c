/* SPDX-License-Identifier: Apache-2.0 */
/* The place model that lives on sightings: what it learns, what it keeps, what it lets in. */
#include "tests/unit/test_common.h"

#include "common/buf.h"
#include "common/err.h"
#include "controller/inventory/place_live.h"
#include "controller/inventory/place_live_internal.h"
#include <math.h>
#include <string.h>

#define PLACES 3
#define LENGTH 120 /* seconds of a walk */
#define EVENTS (LENGTH * 2)

/* Three places, each next to one of three antennas. */
struct hall {
	struct place_live_antenna antennas[PLACES];
	struct place_live_event events[PLACES][EVENTS];
	struct place_live_walk walks[PLACES];
	struct place_live *model;
	struct place_live_score score;
	const char *why;
};

static struct hall hall;
static uint32_t seed;

static int noise(int spread)
{
	seed = seed * 1664525u + 1013904223u;
	return (int) (seed >> 16) % (2 * spread + 1) - spread;
}

static void make_hall(struct hall *h, int spread)
{
	memset(h, 0, sizeof(*h));
	seed = 7;
	for (unsigned int a = 0; a < PLACES; a++) {
		h->antennas[a].agent = 5;
		h->antennas[a].number = (uint16_t) (a + 1);
		strcpy(h->antennas[a].reader, "dock");
	}
	for (unsigned int p = 0; p < PLACES; p++) {
		for (int i = 0; i < EVENTS; i++) {
			unsigned int a = (unsigned int) i % PLACES;
			int far = (int) (a > p ? a - p : p - a);

			h->events[p][i] = (struct place_live_event){
				.at_us = 1000000000LL * (p + 1) + i * 500000LL,
				.antenna = (uint16_t) a,
				.told = {.present = far < 2,
					 .rssi_cdbm =
						 (int16_t) (-4500 - 1200 * far + noise(spread)),
					 .rate_mhz = (uint16_t) (6000 - 2000 * far)},
			};
		}
		h->walks[p] = (struct place_live_walk){.place = 10 + p,
						       .from_us = h->events[p][0].at_us,
						       .to_us = h->events[p][0].at_us +
								LENGTH * US_PER_SEC,
						       .events = h->events[p],
						       .n = EVENTS};
	}
}

static int fit(struct hall *h, size_t walks)
{
	return place_live_fit(h->antennas, PLACES, h->walks, walks, &h->model, &h->score, &h->why);
}

static int drop_hall(void **state)
{
	(void) state;
	place_live_free(hall.model);
	hall.model = NULL;
	return 0;
}

/* What the antennas say of an item that stands in the middle of a place. */
static void say(unsigned int place, struct place_live_evidence *ev)
{
	for (unsigned int a = 0; a < PLACES; a++)
		ev[a] = hall.events[place][a].told;
}

static void item_at_each_place_is_named_there(void **state)
{
	(void) state;
	make_hall(&hall, 300);
	assert_int_equal(fit(&hall, PLACES), 0);
	assert_true((double) hall.score.right / (double) hall.score.looks > 0.9);
	assert_int_equal(hall.score.real_moves, PLACES * 4 - 1);
	for (unsigned int p = 0; p < PLACES; p++) {
		struct place_live_evidence ev[PLACES];
		float odds[PLACES] = {1.0f / 3, 1.0f / 3, 1.0f / 3}, opinion[PLACES];
		int named;

		say(p, ev);
		place_live_opinion(hall.model, ev, opinion);
		place_live_pass(hall.model, odds, opinion, 5 * US_PER_SEC);
		named = place_live_name(hall.model, odds, PLACE_LIVE_NONE);
		assert_int_equal(hall.model->places[named], 10 + p);
		assert_true(place_live_confidence(hall.model, odds, named) > 0.7f);
	}
}

static void move_is_claimed_only_when_it_is_much_likelier(void **state)
{
	struct place_live_evidence ev[PLACES];
	float odds[PLACES] = {0.98f, 0.01f, 0.01f}, opinion[PLACES];
	int64_t took_us = 0;
	int named = 0;

	(void) state;
	make_hall(&hall, 300);
	assert_int_equal(fit(&hall, PLACES), 0);
	say(2, ev);
	place_live_opinion(hall.model, ev, opinion);
	while (named == 0 && took_us < 60 * US_PER_SEC) {
		place_live_pass(hall.model, odds, opinion, 250 * US_PER_MS);
		named = place_live_name(hall.model, odds, named);
		took_us += 250 * US_PER_MS;
	}
	assert_int_equal(named, 2);
	assert_in_range(took_us, 500 * US_PER_MS, 5 * US_PER_SEC);
}

static void memory_keeps_the_likeliest_places_and_the_time(void **state)
{
	float odds[PLACES] = {0.2f, 0.7f, 0.1f}, back[PLACES];
	struct place_live_memory mem;

	(void) state;
	make_hall(&hall, 300);
	assert_int_equal(fit(&hall, PLACES), 0);
	place_live_keep(hall.model, odds, 7000000000000000, &mem);
	assert_int_equal(mem.place[0], 2);
	place_live_recall(hall.model, &mem, 1, 0.5f, back);
	for (unsigned int p = 0; p < PLACES; p++)
		assert_true(fabsf(back[p] - odds[p]) < 0.01f);
	assert_int_equal(place_live_since(&mem, 7000000000000000 + 1500000), 1500000);
	assert_int_equal(place_live_since(&mem, 7000000000000000 - 5000000), 0); /* set back */
	memset(&mem, 0, sizeof(mem));
	assert_int_equal(place_live_since(&mem, 7000000000000000), 0);
	place_live_recall(hall.model, &mem, 2, 0.8f, back);
	assert_true(fabsf(back[2] - 0.8f) < 0.001f && fabsf(back[0] - 0.1f) < 0.001f);
}

static void stored_model_names_the_same_places(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct place_live *back = NULL;

	(void) state;
	make_hall(&hall, 800);
	assert_int_equal(fit(&hall, PLACES), 0);
	assert_int_equal(place_live_write(hall.model, &b), 0);
	assert_int_equal(place_live_read(b.data, b.len, &back), 0);
	assert_int_equal(back->places[2], 12);
	assert_int_equal(place_live_antenna(back, 5, "dock", 3), 2);
	assert_int_equal(place_live_antenna(back, 6, "dock", 3), PLACE_LIVE_NONE);
	for (int i = 0; i + PLACES < EVENTS; i += PLACES) {
		struct place_live_evidence ev[PLACES];
		float one[PLACES], two[PLACES];

		for (int a = 0; a < PLACES; a++)
			ev[a] = hall.events[1][i + a].told;
		place_live_opinion(hall.model, ev, one);
		place_live_opinion(back, ev, two);
		assert_memory_equal(one, two, sizeof(one));
	}
	place_live_free(back);
}

static void damaged_model_is_refused(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct place_live *back = NULL;

	(void) state;
	make_hall(&hall, 300);
	assert_int_equal(fit(&hall, PLACES), 0);
	assert_int_equal(place_live_write(hall.model, &b), 0);
	for (size_t n = 0; n < b.len; n++)
		assert_true(place_live_read(b.data, n, &back) < 0);
	b.data[1] = 9; /* the version */
	assert_int_equal(place_live_read(b.data, b.len, &back), -ERR_VERSION);
	b.data[1] = PLACE_LIVE_VERSION;
	memset(b.data + b.len - 4, 0xff, 4); /* no number */
	assert_int_equal(place_live_read(b.data, b.len, &back), -ERR_RANGE);
}

static void too_little_is_refused_with_the_reason(void **state)
{
	(void) state;
	make_hall(&hall, 300);
	assert_int_equal(fit(&hall, 1), -ERR_RANGE);
	assert_non_null(strstr(hall.why, "two places"));
	hall.walks[1].to_us = hall.walks[1].from_us + 5 * US_PER_SEC;
	assert_int_equal(fit(&hall, PLACES), -ERR_RANGE);
	assert_non_null(strstr(hall.why, "20 seconds"));
	make_hall(&hall, 300);
	hall.walks[2].n = 3;
	assert_int_equal(fit(&hall, PLACES), -ERR_RANGE);
	make_hall(&hall, 300);
	hall.events[0][9].antenna = 99;
	assert_int_equal(fit(&hall, PLACES), -ERR_RANGE);
	assert_int_equal(
		place_live_fit(hall.antennas, 0, hall.walks, PLACES, &hall.model, NULL, &hall.why),
		-ERR_RANGE);
	assert_null(hall.model);
}

static void places_that_sound_alike_are_not_claimed_with_confidence(void **state)
{
	double right, sure = 0, looks = 0;

	(void) state;
	make_hall(&hall, 300);
	/* The second place is walked where the first is. */
	for (int i = 0; i < EVENTS; i++)
		hall.events[1][i].told = hall.events[0][i].told;
	assert_int_equal(fit(&hall, PLACES), 0);
	for (int t = 0; t < 10; t++) {
		sure += (t + 0.5) / 10 * hall.score.sure[t];
		looks += hall.score.sure[t];
	}
	right = (double) hall.score.right / (double) hall.score.looks;
	assert_true(right < 0.85);
	assert_true(fabs(sure / looks - right) < 0.15);
}

int main(void)
{
#define WITH_HALL(test) cmocka_unit_test_teardown(test, drop_hall)
	const struct CMUnitTest tests[] = {
		WITH_HALL(item_at_each_place_is_named_there),
		WITH_HALL(move_is_claimed_only_when_it_is_much_likelier),
		WITH_HALL(memory_keeps_the_likeliest_places_and_the_time),
		WITH_HALL(stored_model_names_the_same_places),
		WITH_HALL(damaged_model_is_refused),
		WITH_HALL(too_little_is_refused_with_the_reason),
		WITH_HALL(places_that_sound_alike_are_not_claimed_with_confidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
