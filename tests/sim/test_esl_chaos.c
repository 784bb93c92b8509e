/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links that break at random and labels whose attributes move, on a bad radio, with hundreds of
 * labels: every label ends up with the picture that is wished for, none ever draws another, and
 * what the engine believes of a slot is what the label holds there. Virtual time; the seeds are
 * printed.
 */
#include "tests/sim/esl_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LABELS  300u
#define ROUNDS  3u
#define PATIENT (INT64_C(3600) * US_PER_SEC)

static const struct sim_label_model sl = {
	.width = 128,
	.height = 64,
	.type = DISPLAY_BLACK_WHITE,
	.slots = 3,
	.leds = 1,
	.personality = SIM_PERSONALITY_SL,
	.redraw_us = US_PER_SEC,
	.clock_ppm = 20,
};
static const struct sim_label_model nrf = {
	.width = 200,
	.height = 200,
	.type = DISPLAY_BLACK_WHITE,
	.slots = 3,
	.leds = 1,
	.personality = SIM_PERSONALITY_NRF,
	.redraw_us = US_PER_SEC,
	.clock_ppm = -20,
};

/** What was drawn, looked at as it begins. */
struct watch {
	struct world *w;
	unsigned int round;
	uint64_t drawn, wrong, firmwares;
};

/** Every label has pictures of its own: one that is another's would be noticed. */
static uint32_t picture(unsigned int label, unsigned int round)
{
	return 1 + label * ROUNDS + round;
}

static void on_event(void *user, size_t i, enum sim_label_event event)
{
	struct watch *x = user;
	bool right = false;

	if (event != SIM_LABEL_REDRAW_ENDED)
		return;
	for (unsigned int r = 0; r <= x->round; r++)
		right |= world_shows(x->w, (unsigned int) i, picture((unsigned int) i, r));
	x->drawn++;
	x->wrong += !right;
}

/** What the engine takes for granted must be so. */
static void slots_are_as_believed(const struct world *w)
{
	for (unsigned int i = 0; i < LABELS; i++) {
		struct sim_label_view v = world_view(w, i);
		uint8_t addr[ESL_ADDR_BYTES];
		const struct esl_label *l;

		world_addr(i, addr);
		l = esl_label_find(w->engine, addr);
		assert_non_null(l);
		for (unsigned int s = 0; s < l->n_slots; s++) {
			if (!l->slots[s].held)
				continue;
			assert_true(v.slot_filled[s]);
			assert_memory_equal(l->slots[s].image, v.slot_hash[s], IMAGE_HASH_BYTES);
		}
	}
}

static unsigned int showing(const struct world *w, unsigned int round)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < LABELS; i++)
		n += world_shows(w, i, picture(i, round));
	return n;
}

/** What is remembered of some label is wrong from now on, whatever is going on with it. */
static void new_firmware(struct world *w, struct watch *x)
{
	unsigned int i = (unsigned int) (x->firmwares * 7 % LABELS);

	x->firmwares++;
	sim_label_set_firmware(sim_radio_label(w->radio, i), (uint16_t) (1 + x->firmwares % 50));
}

/** One after the other the rounds are wished for, while links break. */
static void storm(struct world *w, struct watch *x, double drop)
{
	sim_radio_watch(w->radio, on_event, x);
	sim_radio_set_drop(w->radio, drop);
	for (x->round = 0; x->round < ROUNDS; x->round++) {
		int64_t start_us = world_now(w);

		for (unsigned int i = 0; i < LABELS; i++)
			world_want(w, i, picture(i, x->round));
		while (showing(w, x->round) < LABELS && world_now(w) - start_us < PATIENT) {
			world_run(w, 5 * US_PER_SEC);
			new_firmware(w, x);
			slots_are_as_believed(w);
		}
		assert_int_equal(showing(w, x->round), LABELS);
		printf("# round %u: all shown after %.0f s\n", x->round,
		       (double) (world_now(w) - start_us) / 1e6);
	}
	assert_int_equal(x->wrong, 0);
	assert_true(x->drawn >= (uint64_t) LABELS * ROUNDS);
}

static void every_step_failed(const struct world *w)
{
	const uint32_t *f = w->engine->failures;
	struct sim_radio_stats air;

	sim_radio_get_stats(w->radio, &air);
	printf("# links broken %u; failed: connect %u, info %u, configure %u, write %u, complete "
	       "%u; "
	       "resumed %u of %u uploads\n",
	       (unsigned int) air.links_dropped, f[ESL_STEP_CONNECT], f[ESL_STEP_INFO],
	       f[ESL_STEP_CONFIGURE], f[ESL_STEP_WRITE], f[ESL_STEP_COMPLETE],
	       (unsigned int) w->engine->stats.resumed, (unsigned int) w->engine->stats.uploads);
	assert_true(air.links_dropped > LABELS / 2);
	assert_true(f[ESL_STEP_CONNECT] > 0 && f[ESL_STEP_WRITE] > 0 && f[ESL_STEP_INFO] > 0);
	assert_true(f[ESL_STEP_CONFIGURE] > 0 && f[ESL_STEP_COMPLETE] > 0);
}

static void run(const struct sim_label_model *model, uint64_t seed, bool may_resume)
{
	static struct world w;
	struct watch x = {.w = &w};

	printf("# seed %u, 5 %% of packets lost, 3 %% of connection events break the link\n",
	       (unsigned int) seed);
	world_open(&w, LABELS, model, 0.05, seed);
	sim_radio_set_drop(w.radio, 0.03); /* also while they join */
	for (unsigned int i = 0; i < LABELS; i++)
		world_want(&w, i, 0);
	for (int s = 0; s < 3600 && w.engine->stats.synced < LABELS; s += 10) {
		world_run(&w, 10 * US_PER_SEC);
		esl_engine_get_stats(w.engine, &w.engine->stats);
	}
	assert_int_equal(w.engine->stats.synced, LABELS);
	storm(&w, &x, 0.03);
	every_step_failed(&w);
	if (may_resume)
		assert_true(w.engine->stats.resumed > 0);
	else
		assert_int_equal(w.engine->stats.resumed, 0);
	world_close(&w);
}

static void three_hundred_labels_survive_links_that_break(void **state)
{
	(void) state;
	run(&sl, 31, false);
}

static void broken_uploads_go_on_where_the_label_can_prove_what_it_has(void **state)
{
	(void) state;
	run(&nrf, 32, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_hundred_labels_survive_links_that_break),
		cmocka_unit_test(broken_uploads_go_on_where_the_label_can_prove_what_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
