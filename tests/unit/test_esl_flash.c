/* SPDX-License-Identifier: Apache-2.0 */
/* A label's light, answer by answer: what a label may say to a flash, and when. */
#include "esl-radio/flash.h"
#include "esl-radio/wake.h"
#include "tests/unit/esl_fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct fake f;

static void open_with(uint8_t led)
{
	fake_open(&f);
	f.n_leds = led ? 1 : 0;
	f.led = led;
	fake_join(&f);
}

static void flash(int64_t seconds, uint8_t colour)
{
	struct esl_want w = {.flash_until_us = fake_utc(&f) + seconds * US_PER_SEC,
			     .flash_colour = colour};

	memcpy(w.addr, fake_addr, sizeof(w.addr));
	assert_int_equal(esl_engine_want(f.engine, &w), 0);
	fake_run(&f, US_PER_MS);
}

static void led_state(void)
{
	struct esl_rsp r = {.tag = ESL_RSP_LED_STATE, .index = 0};

	fake_answer(&f, &r);
}

static const struct esl_report *last_light(void)
{
	for (size_t i = f.n_reports; i-- > 0;)
		if (f.reports[i].led != ESL_LED_NONE)
			return &f.reports[i];
	return NULL;
}

static void command_blinks_for_the_seconds_that_are_left(void **state)
{
	const struct esl_cmd *c;

	(void) state;
	open_with(0x3f);
	flash(30, LED_RED | LED_BLUE);
	c = fake_request(&f);
	assert_non_null(c);
	assert_int_equal(c->op, ESL_OP_LED_CONTROL);
	assert_int_equal(c->led.color, 0xc0 | 0x30 | 0x03);
	assert_int_equal(c->led.repeats & 1, 1);
	assert_in_range(c->led.repeats >> 1, 27, 29);
	assert_true(c->led.on_period > 0 && c->led.off_period > 0);
	fake_run(&f, 10 * US_PER_SEC); /* no answer: said again, for less */
	c = fake_request(&f);
	assert_non_null(c);
	assert_in_range(c->led.repeats >> 1, 13, 19);
	led_state();
	assert_int_equal(last_light()->led, ESL_LED_ON);
	assert_null(fake_request(&f));
	fake_close(&f);
}

static void answer_to_an_older_flash_does_not_end_the_newer(void **state)
{
	(void) state;
	open_with(0x3f);
	flash(30, LED_RED);
	assert_int_equal(fake_request(&f)->op, ESL_OP_LED_CONTROL);
	flash(40, LED_GREEN);
	led_state();
	assert_null(last_light());
	assert_int_equal(fake_request(&f)->led.color, 0xc0 | 0x0c);
	led_state();
	assert_int_equal(last_light()->led_colour, LED_GREEN);
	fake_close(&f);
}

static void led_of_one_colour_shows_no_other(void **state)
{
	(void) state;
	open_with(0x43);
	flash(30, LED_GREEN);
	assert_null(fake_request(&f));
	assert_int_equal(last_light()->led, ESL_LED_FAILED);
	assert_string_equal(last_light()->text, "The label has no LED of that colour.");
	flash(31, LED_RED);
	assert_int_equal(fake_request(&f)->op, ESL_OP_LED_CONTROL);
	fake_close(&f);
}

static void refusal_is_told_and_holds_nothing_up(void **state)
{
	static const uint8_t codes[] = {ESL_ERR_BATTERY, ESL_ERR_INVALID_PARAMETER,
					ESL_ERR_INVALID_OPCODE, 0xf1};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		open_with(0x3f);
		flash(30, LED_GREEN);
		assert_int_equal(fake_request(&f)->op, ESL_OP_LED_CONTROL);
		fake_error(&f, codes[i]);
		assert_int_equal(last_light()->led, ESL_LED_FAILED);
		assert_true(last_light()->text[0] != '\0');
		assert_null(fake_last(&f, ESL_ERROR));
		assert_null(fake_request(&f));
		fake_want(&f, 1); /* a price right after it */
		fake_visit(&f, 1);
		assert_int_equal(fake_request(&f)->op, ESL_OP_DISPLAY_IMAGE);
		fake_close(&f);
	}
}

static void retry_means_say_it_again(void **state)
{
	(void) state;
	open_with(0x3f);
	flash(30, LED_GREEN);
	assert_int_equal(fake_request(&f)->op, ESL_OP_LED_CONTROL);
	fake_error(&f, ESL_ERR_RETRY);
	assert_null(last_light());
	assert_int_equal(fake_request(&f)->op, ESL_OP_LED_CONTROL);
	fake_close(&f);
}

static void flash_taken_back_is_not_sent(void **state)
{
	(void) state;
	open_with(0x3f);
	flash(30, LED_GREEN);
	fake_want(&f, 0);
	assert_null(fake_request(&f));
	fake_close(&f);
}

/* Blinks since a moment ago, acknowledged; yields until when. */
static int64_t lit(uint8_t colour)
{
	int64_t until = fake_utc(&f) + 40 * US_PER_SEC;

	flash(40, colour);
	assert_int_equal(fake_request(&f)->op, ESL_OP_LED_CONTROL);
	led_state();
	assert_int_equal(last_light()->led, ESL_LED_ON);
	f.n_reports = 0;
	return until;
}

static void call_off(int64_t until)
{
	struct esl_want w = {.flash_until_us = until};

	memcpy(w.addr, fake_addr, sizeof(w.addr));
	assert_int_equal(esl_engine_want(f.engine, &w), 0);
	fake_run(&f, US_PER_MS);
}

static void light_that_was_called_off_is_told_so_until_it_says_yes(void **state)
{
	int64_t until;

	(void) state;
	open_with(0x3f);
	until = lit(LED_RED);
	call_off(until);
	for (int i = 0; i < 3; i++) {
		const struct esl_cmd *c = fake_request(&f);

		assert_int_equal(c->op, ESL_OP_LED_CONTROL);
		assert_int_equal(c->led.repeats, 0);
		assert_true(c->led.on_period > 0 && c->led.off_period > 0);
	}
	assert_null(last_light());
	led_state();
	assert_int_equal(last_light()->led, ESL_LED_OFF);
	assert_true(last_light()->led_until_us == until);
	assert_null(fake_request(&f));
	fake_close(&f);
}

static void silent_label_is_told_no_longer_than_it_would_blink(void **state)
{
	int64_t until;

	(void) state;
	open_with(0x3f);
	until = lit(LED_RED);
	call_off(until);
	fake_run(&f, until - fake_utc(&f));
	assert_null(fake_request(&f));
	fake_close(&f);
}

static void flash_that_never_began_is_off_at_once(void **state)
{
	(void) state;
	open_with(0x3f);
	(void) lit(LED_RED); /* one before it, so that the engine knows its light */
	fake_run(&f, 50 * US_PER_SEC);
	flash(30, LED_GREEN);
	call_off(fake_utc(&f) + 29 * US_PER_SEC);
	assert_int_equal(last_light()->led, ESL_LED_OFF);
	assert_null(fake_request(&f));
	fake_close(&f);
}

static void each_refusal_of_going_out_has_an_end(void **state)
{
	(void) state;
	for (uint8_t code = 1; code <= 14; code++) {
		unsigned int told = 0;

		open_with(0x3f);
		call_off(lit(LED_RED));
		for (int i = 0; i < 40; i++) {
			const struct esl_cmd *c = fake_request(&f);

			if (!c)
				continue;
			told++;
			fake_error(&f, code);
		}
		assert_in_range(told, 1, 27); /* one for each event, at most */
		if (esl_reaction_to(ESL_KIND_LED, code) == ESL_REACT_GIVE_UP) {
			assert_int_equal(told, 1);
			assert_int_equal(last_light()->led, ESL_LED_OFF);
			assert_non_null(strstr(last_light()->text, "goes out by itself"));
		}
		assert_null(fake_last(&f, ESL_ERROR));
		fake_close(&f);
	}
}

static void other_led_takes_over_and_the_first_is_turned_off(void **state)
{
	(void) state;
	fake_open(&f);
	f.n_leds = 2; /* one red, one without a colour of its own */
	f.led = 0x43;
	fake_join(&f);
	esl_label_find(f.engine, fake_addr)->leds[1] = 0x4c;
	(void) lit(LED_RED);
	flash(50, LED_GREEN);
	assert_int_equal(fake_request(&f)->index, 1);
	fake_answer(&f, &(struct esl_rsp){.tag = ESL_RSP_LED_STATE, .index = 1});
	assert_int_equal(last_light()->led, ESL_LED_ON);
	assert_int_equal(fake_request(&f)->index, 0);
	assert_int_equal(f.radio->sets[0].cmd[0].led.repeats, 0);
	led_state();
	assert_null(fake_request(&f));
	fake_close(&f);
}

static void label_that_restarted_blinks_for_what_is_left(void **state)
{
	const struct esl_cmd *c;

	(void) state;
	open_with(0x3f);
	(void) lit(LED_RED);
	esl_label_find(f.engine, fake_addr)->ping_at_us = esl_now(f.engine);
	esl_reconsider(f.engine, esl_label_find(f.engine, fake_addr));
	assert_int_equal(fake_request(&f)->op, ESL_OP_PING);
	fake_basic_state(&f, ESL_STATE_SERVICE_NEEDED | ESL_STATE_SYNCHRONIZED);
	c = fake_request(&f);
	assert_int_equal(c->op, ESL_OP_LED_CONTROL);
	assert_in_range(c->led.repeats >> 1, 30, 37);
	assert_int_equal(esl_label_find(f.engine, fake_addr)->flash->budget.n,
			 1); /* paid for once */
	fake_close(&f);
}

static void flash_that_cannot_be_counted_is_not_sent(void **state)
{
	(void) state;
	open_with(0x3f);
	flash(40, LED_RED);
	f.save_err = -ENOSPC;
	for (int i = 0; i < 3; i++) { /* nor is it said a second time */
		assert_null(fake_request(&f));
		fake_run(&f, US_PER_SEC);
	}
	assert_int_equal(esl_label_find(f.engine, fake_addr)->flash->budget.n, 0);
	f.save_err = 0;
	assert_int_equal(fake_request(&f)->op, ESL_OP_LED_CONTROL);
	assert_int_equal(esl_label_find(f.engine, fake_addr)->flash->budget.n, 1);
	fake_close(&f);
}

static void budget_of_the_hour_and_of_the_day_come_back(void **state)
{
	const int64_t minute = 60 * US_PER_SEC;

	(void) state;
	open_with(0x3f);
	for (int n = 0; n < LED_FLASHES_PER_DAY; n++) {
		if (n == LED_FLASHES_PER_HOUR) { /* ten at once */
			flash(30, LED_RED);
			assert_int_equal(last_light()->led, ESL_LED_FAILED);
			assert_null(fake_request(&f));
			fake_run(&f, 61 * minute);
			f.n_reports = 0;
		}
		flash(31, LED_RED);
		assert_int_equal(fake_request(&f)->op, ESL_OP_LED_CONTROL);
		led_state();
		assert_int_equal(last_light()->led, ESL_LED_ON);
		fake_run(&f, n < LED_FLASHES_PER_HOUR ? US_PER_SEC : 7 * minute);
		f.n_reports = 0;
		while (fake_request(&f)) /* the ping of the hour */
			fake_basic_state(&f, ESL_STATE_SYNCHRONIZED);
	}
	fake_run(&f, 61 * minute); /* the hour has room, the day has not */
	flash(32, LED_RED);
	assert_int_equal(last_light()->led, ESL_LED_FAILED);
	fake_run(&f, 17 * 60 * minute);
	while (fake_request(&f))
		fake_basic_state(&f, ESL_STATE_SYNCHRONIZED);
	flash(33, LED_RED);
	assert_int_equal(fake_request(&f)->op, ESL_OP_LED_CONTROL);
	fake_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_blinks_for_the_seconds_that_are_left),
		cmocka_unit_test(answer_to_an_older_flash_does_not_end_the_newer),
		cmocka_unit_test(led_of_one_colour_shows_no_other),
		cmocka_unit_test(refusal_is_told_and_holds_nothing_up),
		cmocka_unit_test(retry_means_say_it_again),
		cmocka_unit_test(flash_taken_back_is_not_sent),
		cmocka_unit_test(light_that_was_called_off_is_told_so_until_it_says_yes),
		cmocka_unit_test(silent_label_is_told_no_longer_than_it_would_blink),
		cmocka_unit_test(flash_that_never_began_is_off_at_once),
		cmocka_unit_test(each_refusal_of_going_out_has_an_end),
		cmocka_unit_test(other_led_takes_over_and_the_first_is_turned_off),
		cmocka_unit_test(label_that_restarted_blinks_for_what_is_left),
		cmocka_unit_test(flash_that_cannot_be_counted_is_not_sent),
		cmocka_unit_test(budget_of_the_hour_and_of_the_day_come_back),
	};

	return cmocka_run_group_tests_name("esl_flash", tests, NULL, NULL);
}
