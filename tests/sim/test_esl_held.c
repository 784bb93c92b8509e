/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures that a rollout keeps on labels without showing them: a date that never comes, labels
 * with one to four slots, and going back without an upload. */
#include "common/err.h"
#include "common/proto.h"
#include "tests/sim/esl_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE (INT64_C(60) * US_PER_SEC)
#define HELD   PROTO_HOLD_US
#define LONG   (INT64_C(26) * 60 * MINUTE)

static struct world w;

struct step {
	uint32_t picture;
	int64_t from_us;
};

static void want(unsigned int i, const struct step *steps, size_t n)
{
	struct esl_want want = {.n = n};

	world_addr(i, want.addr);
	for (size_t k = 0; k < n; k++) {
		world_image(&w, i, steps[k].picture, want.timeline[k].image);
		want.timeline[k].from_us = steps[k].from_us;
	}
	assert_int_equal(esl_engine_want(w.engine, &want), 0);
}

#define WANT(i, ...)                                                                               \
	want(i, (struct step[]){__VA_ARGS__},                                                      \
	     sizeof((struct step[]){__VA_ARGS__}) / sizeof(struct step))

static void open_shop(unsigned int labels, uint8_t slots, enum sim_personality p, double loss)
{
	struct sim_label_model m = {.width = 64,
				    .height = 32,
				    .type = DISPLAY_BLACK_WHITE,
				    .slots = slots,
				    .personality = p,
				    .redraw_us = 800 * US_PER_MS};

	world_open(&w, labels, &m, loss, 17);
	world_adopt_all(&w);
	for (unsigned int i = 0; i < labels; i++)
		world_want(&w, i, 1);
	world_run(&w, MINUTE);
	for (unsigned int i = 0; i < labels; i++)
		assert_true(world_shows(&w, i, 1));
}

/* Pictures written into labels, as the simulator counts them. */
static uint32_t uploads(void)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < w.n_labels; i++)
		n += world_view(&w, i).writes;
	return n;
}

static bool is_on_label(unsigned int i, uint32_t picture)
{
	struct sim_label_view v = world_view(&w, i);
	uint8_t name[IMAGE_HASH_BYTES];

	world_image(&w, i, picture, name);
	for (unsigned int s = 0; s < v.model.slots; s++)
		if (v.slot_filled[s] && memcmp(v.slot_hash[s], name, sizeof name) == 0)
			return true;
	return false;
}

static void held_picture_is_staged_and_never_shown(void **state)
{
	size_t mark;
	uint32_t redraws;

	(void) state;
	for (uint8_t slots = 2; slots <= 4; slots++) {
		open_shop(3, slots, SIM_PERSONALITY_SL, 0.02);
		mark = world_mark(&w);
		redraws = world_view(&w, 1).redraws;
		WANT(1, {1, 1}, {2, HELD});
		world_run(&w, MINUTE);
		assert_non_null(world_find(&w, mark, 1, ESL_STAGED, 2));
		assert_true(is_on_label(1, 2));
		world_run(&w, LONG);
		assert_true(world_shows(&w, 1, 1));
		assert_int_equal(world_view(&w, 1).redraws, redraws);
		assert_false(world_view(&w, 1).pending_display);
		assert_null(world_find(&w, mark, 1, ESL_SENT, 2));
		world_close(&w);
	}
}

static void what_waits_in_a_slot_is_said_again_after_an_association(void **state)
{
	size_t mark;

	(void) state;
	open_shop(3, 4, SIM_PERSONALITY_SL, 0.02);
	WANT(1, {1, 1}, {2, HELD});
	world_run(&w, MINUTE);
	mark = world_mark(&w);
	esl_engine_tell(w.engine);
	assert_true(world_find(&w, mark, 1, ESL_STAGED, 2) >
		    world_find(&w, mark, 1, ESL_ASSOCIATED, 0));
	assert_null(world_find(&w, mark, 0, ESL_STAGED, 0));
	/* The label comes back by itself: its clock is gone, its slots are not. */
	mark = world_mark(&w);
	sim_label_reboot(sim_radio_label(w.radio, 1), clock_mono_us(loop_clock(w.loop)));
	sim_radio_touched(w.radio, 1);
	world_run(&w, 2 * MINUTE);
	assert_non_null(world_find(&w, mark, 1, ESL_ASSOCIATED, 0));
	assert_true(world_find(&w, mark, 1, ESL_STAGED, 2) >
		    world_find(&w, mark, 1, ESL_ASSOCIATED, 0));
	world_close(&w);
}

static void check_there_and_back(uint8_t slots, enum sim_personality p, double loss)
{
	uint32_t before;
	int64_t at_us;
	size_t mark;

	open_shop(6, slots, p, loss);
	for (unsigned int i = 0; i < 6; i++)
		WANT(i, {1, 1}, {2, HELD});
	world_run(&w, MINUTE);
	before = uploads();
	at_us = world_utc(&w) + 30 * US_PER_SEC;
	for (unsigned int i = 0; i < 6; i++)
		WANT(i, {1, 1}, {2, at_us}, {1, HELD});
	world_run(&w, MINUTE);
	for (unsigned int i = 0; i < 6; i++) {
		assert_true(world_shows(&w, i, 2));
		WANT(i, {2, at_us}, {1, HELD});
	}
	world_run(&w, 10 * MINUTE);
	for (unsigned int i = 0; i < 6; i++)
		assert_true(is_on_label(i, 1));
	mark = world_mark(&w);
	at_us = world_utc(&w) + 30 * US_PER_SEC;
	for (unsigned int i = 0; i < 6; i++)
		WANT(i, {2, 1}, {1, at_us});
	world_run(&w, MINUTE);
	for (unsigned int i = 0; i < 6; i++) {
		assert_true(world_shows(&w, i, 1));
		assert_non_null(world_find(&w, mark, i, ESL_SHOWN, 1));
	}
	assert_int_equal(uploads(), before);
	world_close(&w);
}

static void flip_and_rollback_upload_nothing(void **state)
{
	(void) state;
	check_there_and_back(2, SIM_PERSONALITY_SL, 0);
	check_there_and_back(2, SIM_PERSONALITY_NRF, 0.05);
	check_there_and_back(3, SIM_PERSONALITY_SL, 0.05);
	check_there_and_back(4, SIM_PERSONALITY_NRF, 0);
}

static void restart_keeps_what_is_held(void **state)
{
	uint32_t before;
	size_t mark;

	(void) state;
	open_shop(3, 2, SIM_PERSONALITY_SL, 0);
	WANT(0, {1, 1}, {2, HELD});
	world_run(&w, MINUTE);
	before = uploads();
	mark = world_mark(&w);
	world_restart(&w);
	WANT(0, {1, 1}, {2, HELD});
	world_run(&w, 5 * MINUTE);
	assert_int_equal(uploads(), before);
	assert_non_null(
		world_find(&w, mark, 0, ESL_STAGED, 2)); /* said again to who may not know */
	assert_true(world_shows(&w, 0, 1));
	world_close(&w);
}

static void wish_for_what_a_slot_still_holds_is_reported_staged(void **state)
{
	uint32_t before;
	size_t mark;

	(void) state;
	open_shop(2, 3, SIM_PERSONALITY_SL, 0);
	WANT(0, {1, 1}, {2, HELD});
	world_run(&w, MINUTE);
	before = uploads();
	WANT(0, {1, 1}); /* called off */
	world_run(&w, MINUTE);
	mark = world_mark(&w);
	WANT(0, {1, 1}, {2, HELD}); /* and begun anew */
	world_run(&w, US_PER_SEC);
	assert_non_null(world_find(&w, mark, 0, ESL_STAGED, 2));
	assert_int_equal(uploads(), before);
	world_close(&w);
}

static void label_with_one_slot_flips_by_upload(void **state)
{
	uint32_t before;
	int64_t at_us;
	size_t mark;

	(void) state;
	open_shop(1, 1, SIM_PERSONALITY_SL, 0);
	mark = world_mark(&w);
	before = uploads();
	WANT(0, {1, 1}, {2, HELD});
	world_run(&w, 10 * MINUTE);
	assert_null(world_find(&w, mark, 0, ESL_STAGED, 2));
	assert_int_equal(uploads(), before);
	assert_true(world_shows(&w, 0, 1));
	at_us = world_utc(&w) + 20 * US_PER_SEC;
	WANT(0, {1, 1}, {2, at_us}, {1, HELD});
	world_run(&w, 19 * US_PER_SEC);
	assert_true(world_shows(&w, 0, 1));
	world_run(&w, MINUTE);
	assert_true(world_shows(&w, 0, 2));
	assert_int_equal(uploads(), before + 1);
	world_run(&w, 10 * MINUTE); /* and the old one does not come back by itself */
	assert_true(world_shows(&w, 0, 2));
	assert_int_equal(uploads(), before + 1);
	world_close(&w);
}

static void price_with_a_date_comes_before_what_is_held(void **state)
{
	int64_t at_us;

	(void) state;
	open_shop(2, 2, SIM_PERSONALITY_SL, 0);
	at_us = world_utc(&w) + 60 * MINUTE;
	WANT(0, {1, 1}, {3, at_us}, {2, HELD}); /* two slots: shown, and the dated one */
	world_run(&w, 10 * MINUTE);
	assert_true(is_on_label(0, 3));
	assert_false(is_on_label(0, 2));
	world_run(&w, at_us + MINUTE - world_utc(&w));
	assert_true(world_shows(&w, 0, 3));
	WANT(0, {3, at_us}, {2, HELD});
	world_run(&w, MINUTE);
	assert_true(is_on_label(0, 2));
	assert_true(world_shows(&w, 0, 3));
	world_close(&w);
}

static void flip_that_is_called_off_is_taken_back(void **state)
{
	int64_t at_us;

	(void) state;
	open_shop(2, 2, SIM_PERSONALITY_NRF, 0.02);
	at_us = world_utc(&w) + 10 * MINUTE;
	WANT(0, {1, 1}, {2, at_us});
	world_run(&w, MINUTE);
	assert_true(world_view(&w, 0).pending_display);
	WANT(0, {1, 1}, {2, HELD});
	world_run(&w, MINUTE);
	assert_false(world_view(&w, 0).pending_display);
	world_run(&w, LONG);
	assert_true(world_shows(&w, 0, 1));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held_picture_is_staged_and_never_shown),
		cmocka_unit_test(what_waits_in_a_slot_is_said_again_after_an_association),
		cmocka_unit_test(flip_and_rollback_upload_nothing),
		cmocka_unit_test(restart_keeps_what_is_held),
		cmocka_unit_test(wish_for_what_a_slot_still_holds_is_reported_staged),
		cmocka_unit_test(label_with_one_slot_flips_by_upload),
		cmocka_unit_test(price_with_a_date_comes_before_what_is_held),
		cmocka_unit_test(flip_that_is_called_off_is_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
