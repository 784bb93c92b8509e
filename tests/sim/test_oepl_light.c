/* SPDX-License-Identifier: Apache-2.0 */
/* The light of labels of an OpenEPaperLink access point, which listen only when they call. */
#include "common/led.h"
#include "esl-radio/esl_ops.h"
#include "tests/sim/oepl_fixture.h"
#include <string.h>

static void flash(unsigned int i, unsigned int number, int64_t seconds)
{
	struct esl_want want = {.n = 1, .flash_colour = LED_GREEN};

	world_addr(&w, i, want.addr);
	world_picture(&w, number, want.timeline[0].image);
	want.flash_until_us = world_utc(&w) + seconds * US_PER_SEC;
	assert_int_equal(esl_engine_want(w.engine, &want), 0);
}

static void a_label_with_a_light_blinks_when_it_calls(void **state)
{
	struct sim_oepl_config cfg = five;
	struct sim_oepl_view v;
	uint64_t shown;
	bool lit = false;

	(void) state;
	cfg.type = 0x33;
	cfg.loss = 0;
	world_start(&w, &cfg);
	world_want_all(&w, 5, 130);
	world_run(&w, 900);
	assert_int_equal(world_showing(&w, 5, 130), 5);
	shown = w.told[0].shown;
	flash(0, 130, 60);
	for (unsigned int s = 0; s < 60; s++) {
		world_run(&w, 1);
		sim_oepl_get(w.ap, 0, &v);
		lit |= v.led_colour == 0x1c;
	}
	assert_true(lit);
	assert_int_equal(w.told[0].led, ESL_LED_ON);
	/* Its record has the command where the picture was: that is no other picture. */
	world_run(&w, 900);
	assert_true(world_shows(&w, 0, 130));
	assert_int_equal(w.told[0].shown, shown);
	sim_oepl_get(w.ap, 0, &v);
	assert_int_equal(v.redraws, 1);
}

static void a_light_that_comes_too_late_is_said_to_have_failed(void **state)
{
	struct sim_oepl_config cfg = five;
	struct sim_oepl_view v;

	(void) state;
	cfg.type = 0x33;
	cfg.loss = 0;
	world_start(&w, &cfg);
	world_want_all(&w, 5, 130);
	world_run(&w, 900);
	sim_oepl_hide_tag(w.ap, 0, true);
	flash(0, 130, 30);
	world_run(&w, 120);
	assert_int_equal(w.told[0].led, ESL_LED_FAILED);
	assert_non_null(strstr(w.told[0].led_text, "did not call in time"));
	sim_oepl_hide_tag(w.ap, 0, false);
	for (unsigned int s = 0; s < 120; s++) {
		world_run(&w, 1);
		sim_oepl_get(w.ap, 0, &v);
		assert_int_equal(v.led_colour, 0);
	}
}

static void a_light_called_off_before_the_label_called_never_blinks(void **state)
{
	struct sim_oepl_config cfg = five;
	struct esl_want want = {.n = 1, .flash_colour = LED_GREEN};
	struct sim_oepl_view v;

	(void) state;
	cfg.type = 0x33;
	cfg.loss = 0;
	world_start(&w, &cfg);
	world_want_all(&w, 5, 130);
	world_run(&w, 900);
	sim_oepl_hide_tag(w.ap, 0, true);
	flash(0, 130, 60);
	world_run(&w, 5);
	world_addr(&w, 0, want.addr);
	world_picture(&w, 130, want.timeline[0].image);
	want.flash_until_us = world_utc(&w) + 55 * US_PER_SEC;
	want.flash_colour = LED_NONE;
	assert_int_equal(esl_engine_want(w.engine, &want), 0);
	world_run(&w, 5);
	assert_int_equal(w.told[0].led, ESL_LED_OFF);
	sim_oepl_hide_tag(w.ap, 0, false);
	for (unsigned int s = 0; s < 120; s++) {
		world_run(&w, 1);
		sim_oepl_get(w.ap, 0, &v);
		assert_int_equal(v.led_colour, 0);
	}
}

static void a_label_without_a_light_says_so(void **state)
{
	(void) state;
	world_want_all(&w, 5, 130);
	world_run(&w, 600);
	flash(0, 130, 60);
	world_run(&w, 10);
	assert_int_equal(w.told[0].led, ESL_LED_FAILED);
}

/** Label 0, which has a light, blinks as often as it may within an hour. */
static void spend_the_hour(void)
{
	struct sim_oepl_config cfg = five;

	cfg.type = 0x33;
	cfg.loss = 0;
	world_start(&w, &cfg);
	world_want_all(&w, 5, 130);
	world_run(&w, 900);
	for (unsigned int n = 0; n < LED_FLASHES_PER_HOUR; n++) {
		w.told[0].led = ESL_LED_NONE;
		flash(0, 130, 60);
		world_run(&w, 90);
		assert_int_equal(w.told[0].led, ESL_LED_ON);
	}
}

static void a_light_costs_battery_and_has_a_budget(void **state)
{
	(void) state;
	spend_the_hour();
	flash(0, 130, 60);
	world_run(&w, 5);
	assert_int_equal(w.told[0].led, ESL_LED_FAILED);
	assert_non_null(strstr(w.told[0].led_text, "often enough"));
	world_run(&w, HOUR);
	flash(0, 130, 60);
	world_run(&w, 90);
	assert_int_equal(w.told[0].led, ESL_LED_ON);
}

static void a_restart_gives_no_budget_back(void **state)
{
	(void) state;
	spend_the_hour();
	world_kill(&w);
	world_want_all(&w, 5, 130);
	world_run(&w, 60);
	flash(0, 130, 60);
	world_run(&w, 90);
	assert_int_equal(w.told[0].led, ESL_LED_FAILED);
	assert_non_null(strstr(w.told[0].led_text, "often enough"));
}

static void a_light_asked_for_twice_is_paid_for_once(void **state)
{
	(void) state;
	spend_the_hour();
	world_run(&w, HOUR);
	w.astray.path = "/led_flash";
	for (unsigned int n = 0; n < LED_FLASHES_PER_HOUR; n++) {
		w.told[0].led = ESL_LED_NONE;
		w.astray.lose = 1;
		flash(0, 130, 60);
		world_run(&w, 90);
		assert_int_equal(w.told[0].led, ESL_LED_ON);
	}
	assert_int_equal(w.astray.asked, 2 * LED_FLASHES_PER_HOUR);
}

static void a_light_of_a_label_without_a_picture_is_taken_back_too(void **state)
{
	struct sim_oepl_config cfg = five;
	struct esl_want want = {.flash_colour = LED_GREEN};
	struct sim_oepl_view v;

	(void) state;
	cfg.type = 0x33;
	cfg.loss = 0;
	world_start(&w, &cfg);
	world_addr(&w, 0, want.addr);
	assert_int_equal(esl_engine_want(w.engine, &want), 0);
	world_run(&w, 300);
	sim_oepl_hide_tag(w.ap, 0, true);
	want.flash_until_us = world_utc(&w) + 30 * US_PER_SEC;
	assert_int_equal(esl_engine_want(w.engine, &want), 0);
	world_run(&w, 120);
	assert_int_equal(w.told[0].led, ESL_LED_FAILED);
	sim_oepl_hide_tag(w.ap, 0, false);
	for (unsigned int s = 0; s < 120; s++) {
		world_run(&w, 1);
		sim_oepl_get(w.ap, 0, &v);
		assert_int_equal(v.led_colour, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		own_world(a_label_with_a_light_blinks_when_it_calls),
		own_world(a_light_that_comes_too_late_is_said_to_have_failed),
		own_world(a_light_called_off_before_the_label_called_never_blinks),
		five_labels(a_label_without_a_light_says_so),
		own_world(a_light_costs_battery_and_has_a_budget),
		own_world(a_restart_gives_no_budget_back),
		own_world(a_light_asked_for_twice_is_paid_for_once),
		own_world(a_light_of_a_label_without_a_picture_is_taken_back_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
