/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An access point dies, with its flash and its radio; another machine gets what was kept of its
 * labels elsewhere. In virtual time: they come back as soon as they notice that their train is
 * gone, none pairs again, and none shows what nobody has proven.
 */
#include "tests/sim/esl_world.h"

#include "common/err.h"
#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/** What a machine kept, taken away with it. */
struct kept {
	struct world_blob blobs[WORLD_BLOBS];
	size_t n;
};

static void take_away(struct world *w, struct kept *to)
{
	memcpy(to->blobs, w->blobs, sizeof(to->blobs));
	to->n = w->n_blobs;
	memset(w->blobs, 0, sizeof(w->blobs));
	w->n_blobs = 0;
}

static void put_back(struct world *w, struct kept *from)
{
	memcpy(w->blobs, from->blobs, sizeof(from->blobs));
	w->n_blobs = from->n;
	from->n = 0;
}

static void throw_away(struct kept *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->blobs[i].data);
	k->n = 0;
}

/** Hands a label over: its bond, then what was known of it. Yields what became of the bond. */
static int hand_over_with(struct world *w, const struct kept *k, unsigned int i, bool with_bond)
{
	uint8_t addr[ESL_ADDR_BYTES];
	char hex[2 * ESL_ADDR_BYTES + 1], bond[32];
	int r = -ENOENT;

	world_addr(i, addr);
	for (unsigned int b = 0; b < sizeof(addr); b++)
		snprintf(hex + 2 * b, 3, "%02X", addr[b]);
	snprintf(bond, sizeof(bond), "bond:%s", hex);
	for (char *p = bond; *p; p++)
		*p = (char) tolower((unsigned char) *p);
	for (size_t n = 0; n < k->n; n++)
		if (with_bond && strcmp(k->blobs[n].key, bond) == 0)
			r = esl_engine_take_over(w->engine, bond, k->blobs[n].data,
						 k->blobs[n].len);
	for (size_t n = 0; n < k->n; n++)
		if (strcmp(k->blobs[n].key, hex) == 0)
			assert_int_equal(esl_engine_take_over(w->engine, hex, k->blobs[n].data,
							      k->blobs[n].len),
					 0);
	return r;
}

static int hand_over(struct world *w, const struct kept *k, unsigned int i)
{
	return hand_over_with(w, k, i, true);
}

static unsigned int pairings(const struct world *w)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < w->n_labels; i++)
		n += sim_radio_pairings(w->radio, i);
	return n;
}

static unsigned int synced(const struct world *w)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < w->n_labels; i++)
		n += world_view(w, i).state == ESL_SYNCHRONIZED && sim_radio_in_sync(w->radio, i);
	return n;
}

/** Until all labels listen to the train, or -1. */
static int64_t await_synced(struct world *w, int64_t at_most_us)
{
	int64_t start_us = world_now(w);

	while (synced(w) < w->n_labels && world_now(w) - start_us < at_most_us)
		world_run(w, US_PER_SEC);
	return synced(w) == w->n_labels ? world_now(w) - start_us : -1;
}

/** The machine is gone with its radio and all it kept, and another stands in its place. */
static void replace(struct world *w, struct kept *dead, int64_t away_us)
{
	esl_engine_free(w->engine);
	w->engine = NULL;
	sim_radio_replace(w->radio);
	take_away(w, dead);
	world_run(w, away_us);
	w->cfg.seed += 1000;
	world_start(w);
	world_run(w, US_PER_SEC);
}

static void a_replaced_access_point_pairs_with_none_of_its_labels(void **state)
{
	static struct world w;
	static struct kept dead;
	struct sim_radio_stats air;
	unsigned int before;
	int64_t took_us, start_us;

	(void) state;
	world_open(&w, 200, &world_small, 0.02, 11);
	world_adopt_all(&w);
	world_show_all(&w, 1, 900 * US_PER_SEC);
	before = pairings(&w);
	assert_int_equal(before, w.n_labels);
	replace(&w, &dead, 300 * US_PER_SEC);
	for (unsigned int i = 0; i < w.n_labels; i++) {
		uint8_t addr[ESL_ADDR_BYTES];

		world_addr(i, addr);
		assert_false(esl_engine_knows(w.engine, addr));
		assert_int_equal(hand_over(&w, &dead, i), 0);
		assert_true(esl_engine_knows(w.engine, addr));
		world_want(&w, i, 2);
	}
	start_us = world_now(&w);
	took_us = await_synced(&w, 3600 * US_PER_SEC);
	assert_true(took_us > 0);
	world_show_all(&w, 2, 900 * US_PER_SEC);
	printf("# 200 labels of a dead access point, 300 s after its end: all synchronized %.0f s "
	       "after the replacement started and showing what is wished %.0f s after it, with %u "
	       "pairings (2 %% loss each way, 4 links, list of 16, seed 11)\n",
	       (double) took_us / 1e6, (double) (world_now(&w) - start_us) / 1e6,
	       pairings(&w) - before);
	/* Whoever advertises first is connected: one after the other they would take 200 s. */
	assert_true(took_us < 100 * US_PER_SEC);
	sim_radio_get_stats(w.radio, &air);
	assert_int_equal(air.links_most, 4);
	assert_int_equal(pairings(&w), before);
	world_show_all(&w, 3, 900 * US_PER_SEC);
	assert_int_equal(pairings(&w), before);
	/* What was taken over is kept as its own. */
	world_restart(&w);
	world_show_all(&w, 4, 900 * US_PER_SEC);
	assert_int_equal(pairings(&w), before);
	throw_away(&dead);
	world_close(&w);
}

static void without_the_bonds_labels_come_back_when_they_have_forgotten(void **state)
{
	static struct world w;
	static struct kept dead;
	unsigned int before;
	int64_t took_us;

	(void) state;
	world_open(&w, 200, &world_small, 0.02, 11);
	world_adopt_all(&w);
	world_show_all(&w, 1, 900 * US_PER_SEC);
	before = pairings(&w);
	replace(&w, &dead, 300 * US_PER_SEC);
	for (unsigned int i = 0; i < w.n_labels; i++) {
		assert_int_equal(hand_over_with(&w, &dead, i, false), -ENOENT);
		world_want(&w, i, 2);
	}
	took_us = await_synced(&w, 4 * 3600 * US_PER_SEC);
	printf("# the same without their bonds: %.0f s, with %u pairings\n", (double) took_us / 1e6,
	       pairings(&w) - before);
	assert_true(took_us > 1800 * US_PER_SEC);
	assert_int_equal(pairings(&w), before + w.n_labels);
	/* Who pairs has kept nothing that would have to be taken back. */
	assert_int_equal(w.engine->failures[ESL_STEP_CLEAR_PENDING], 0);
	throw_away(&dead);
	world_close(&w);
}

/** The dead machine wrote other pictures after it was last heard of. */
static void what_a_slot_held_is_not_believed(void **state)
{
	static struct world w;
	static struct kept dead, old;
	size_t mark;

	(void) state;
	world_open(&w, 6, &world_small, 0, 12);
	world_adopt_all(&w);
	world_show_all(&w, 1, 900 * US_PER_SEC);
	world_show_all(&w, 2, 900 * US_PER_SEC);
	/* What is known elsewhere ends here. */
	for (size_t i = 0; i < w.n_blobs; i++) {
		old.blobs[i] = w.blobs[i];
		old.blobs[i].data = malloc(w.blobs[i].len + 1);
		assert_non_null(old.blobs[i].data);
		memcpy(old.blobs[i].data, w.blobs[i].data, w.blobs[i].len);
	}
	old.n = w.n_blobs;
	for (uint32_t n = 3; n < 9; n++)
		world_show_all(&w, n, 900 * US_PER_SEC);
	replace(&w, &dead, 120 * US_PER_SEC);
	mark = world_mark(&w);
	for (unsigned int i = 0; i < w.n_labels; i++) {
		assert_int_equal(hand_over(&w, &old, i), 0);
		world_want(&w, i, 1 + i % 2);
	}
	assert_true(await_synced(&w, 3600 * US_PER_SEC) > 0);
	for (unsigned int i = 0; i < w.n_labels; i++)
		assert_true(world_await(&w, mark, i, ESL_SHOWN, ESL_GRADE_CONFIRMED, 1 + i % 2,
					600 * US_PER_SEC) >= 0);
	for (unsigned int i = 0; i < w.n_labels; i++)
		assert_true(world_shows(&w, i, 1 + i % 2));
	assert_int_equal(pairings(&w), w.n_labels);
	throw_away(&old);
	throw_away(&dead);
	world_close(&w);
}

/** It told its labels to change at an instant that was given on its own clock. */
static void a_change_the_dead_one_ordered_does_not_come_early(void **state)
{
	static struct world w;
	static struct kept dead;

	(void) state;
	world_open(&w, 6, &world_small, 0, 13);
	world_adopt_all(&w);
	world_show_all(&w, 1, 900 * US_PER_SEC);
	for (unsigned int i = 0; i < w.n_labels; i++)
		world_want_two(&w, i, 1, 2, world_utc(&w) + 900 * US_PER_SEC);
	world_run(&w, 120 * US_PER_SEC);
	for (unsigned int i = 0; i < w.n_labels; i++)
		assert_true(world_view(&w, i).pending_display);
	replace(&w, &dead, 60 * US_PER_SEC);
	/* The new one's labels count from elsewhere: the old instant is long past by it. */
	w.engine->time.gen = 1;
	w.engine->time.valid[1] = true;
	w.engine->time.base_us[1] = INT64_C(10) * 3600 * US_PER_SEC - world_now(&w);
	for (unsigned int i = 0; i < w.n_labels; i++) {
		assert_int_equal(hand_over(&w, &dead, i), 0);
		world_want(&w, i, 1);
	}
	for (int s = 0; s < 1200; s++) {
		world_run(&w, US_PER_SEC);
		assert_int_equal(world_showing(&w, 2), 0);
	}
	assert_int_equal(synced(&w), w.n_labels);
	assert_int_equal(world_showing(&w, 1), w.n_labels);
	throw_away(&dead);
	world_close(&w);
}

/** Two machines have given out the same addresses; the labels of one are carried to the other. */
static void labels_carried_to_another_access_point_need_no_pairing(void **state)
{
	static struct world w;
	static struct kept a, b;
	struct esl_stats stats;

	(void) state;
	world_open(&w, 40, &world_small, 0, 14);
	for (unsigned int i = 0; i < 20; i++)
		world_want(&w, i, 1);
	world_run(&w, 300 * US_PER_SEC);
	replace(&w, &a, US_PER_SEC);
	for (unsigned int i = 20; i < 40; i++)
		world_want(&w, i, 1);
	world_run(&w, 300 * US_PER_SEC);
	assert_int_equal(pairings(&w), 40);
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(hand_over(&w, &a, i), 0);
	world_show_all(&w, 2, 900 * US_PER_SEC);
	assert_true(await_synced(&w, 900 * US_PER_SEC) >= 0);
	assert_int_equal(pairings(&w), 40);
	esl_engine_get_stats(w.engine, &stats);
	assert_int_equal(stats.labels, 40);
	/* And back: the first machine is given what the second one knows. */
	esl_engine_free(w.engine);
	sim_radio_replace(w.radio);
	take_away(&w, &b);
	put_back(&w, &a);
	w.cfg.seed += 1000;
	world_start(&w);
	for (unsigned int i = 20; i < 40; i++)
		assert_int_equal(hand_over(&w, &b, i), 0);
	world_show_all(&w, 3, 900 * US_PER_SEC);
	assert_int_equal(pairings(&w), 40);
	throw_away(&b);
	world_close(&w);
}

static void what_is_known_already_is_left_alone(void **state)
{
	static struct world w;
	unsigned int known = 0;
	char hex[2 * ESL_ADDR_BYTES + 1] = "C0FFEE010001";
	/* The first form of a bond did not say under which name it was made: the radio's own. */
	const uint8_t old_bond[18] = {1, 1};

	(void) state;
	world_open(&w, 2, &world_small, 0, 15);
	world_adopt_all(&w);
	for (size_t i = 0; i < w.n_blobs; i++) {
		const struct world_blob *b = &w.blobs[i];

		if (strcmp(b->key, hex) == 0)
			known += esl_engine_take_over(w.engine, hex, b->data, b->len) == -EEXIST;
	}
	assert_int_equal(known, 1);
	assert_int_equal(
		esl_engine_take_over(w.engine, "bond:c0ffee010007", old_bond, sizeof(old_bond)),
		-ENOTSUP);
	assert_int_equal(esl_engine_take_over(w.engine, "bond:self", "\1\2\3\4\5\6\7", 7),
			 -ENOTSUP);
	assert_int_equal(esl_engine_take_over(w.engine, "train", "", 0), -ENOTSUP);
	assert_true(esl_engine_take_over(w.engine, "C0FFEE010009", "\4", 1) < 0);
	assert_true(esl_engine_take_over(w.engine, "nonsense", "\4", 1) < 0);
	assert_int_equal(synced(&w), 2);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_replaced_access_point_pairs_with_none_of_its_labels),
		cmocka_unit_test(without_the_bonds_labels_come_back_when_they_have_forgotten),
		cmocka_unit_test(what_a_slot_held_is_not_believed),
		cmocka_unit_test(a_change_the_dead_one_ordered_does_not_come_early),
		cmocka_unit_test(labels_carried_to_another_access_point_need_no_pairing),
		cmocka_unit_test(what_is_known_already_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
