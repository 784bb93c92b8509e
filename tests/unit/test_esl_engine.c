/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine does about labels that answer with errors, wrongly, or not at all, and the
 * clock's long run. */
#include "common/err.h"
#include "tests/unit/esl_fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define DAY  (INT64_C(86400) * US_PER_SEC)
#define HOUR (INT64_C(3600) * US_PER_SEC)

static struct fake f;

static void expect(const struct esl_cmd *c, uint8_t op)
{
	assert_non_null(c);
	assert_int_equal(c->op, op);
	assert_int_equal(c->esl_id, f.id);
}

/** Joins, uploads picture n and displays it; yields its slot. */
static uint8_t show(uint32_t n)
{
	const struct esl_cmd *c;
	uint8_t slot;

	fake_want(&f, n);
	if (f.link->op)
		fake_visit(&f, 1);
	c = fake_request(&f);
	expect(c, ESL_OP_DISPLAY_IMAGE);
	slot = c->image;
	fake_display_state(&f, slot);
	return slot;
}

static void confirm(void)
{
	fake_run(&f, 3 * US_PER_SEC);
	expect(fake_request(&f), ESL_OP_PING);
	fake_basic_state(&f, ESL_STATE_SYNCHRONIZED);
	assert_int_equal(fake_last(&f, ESL_SHOWN)->grade, ESL_GRADE_CONFIRMED);
}

static void unanswered_command_is_repeated_every_interval(void **state)
{
	(void) state;
	fake_open(&f);
	fake_join(&f);
	fake_want(&f, 1);
	fake_visit(&f, 1);
	for (int i = 0; i < 5; i++)
		expect(fake_request(&f), ESL_OP_DISPLAY_IMAGE);
	fake_display_state(&f, f.link->index);
	assert_null(fake_request(&f));
	assert_int_equal(fake_last(&f, ESL_SHOWN)->grade, ESL_GRADE_ACKNOWLEDGED);
	confirm();
	assert_null(fake_request(&f));
	fake_close(&f);
}

static void command_is_tried_while_the_visit_ends(void **state)
{
	(void) state;
	fake_open(&f);
	fake_join(&f);
	fake_want(&f, 1);
	fake_done(&f, FAKE_CONNECT, 0, NULL);
	assert_null(fake_request(&f)); /* the label is connected, and deaf */
	fake_done(&f, FAKE_WRITE_IMAGE, 0, NULL);
	assert_int_equal(f.link->op, FAKE_UPDATE_COMPLETE);
	expect(fake_request(&f), ESL_OP_DISPLAY_IMAGE);
	fake_done(&f, FAKE_UPDATE_COMPLETE, 0, NULL);
	fake_display_state(&f, f.link->index);
	fake_run(&f, ESL_REDRAW_BW_US);
	assert_non_null(fake_last(&f, ESL_SHOWN));
	fake_close(&f);
}

static void acknowledged_picture_is_not_called_shown_while_it_is_drawn(void **state)
{
	(void) state;
	fake_open(&f);
	fake_join(&f);
	fake_want(&f, 1);
	fake_done(&f, FAKE_CONNECT, 0, NULL);
	fake_done(&f, FAKE_WRITE_IMAGE, 0, NULL);
	fake_done(&f, FAKE_UPDATE_COMPLETE, 0, NULL);
	expect(fake_request(&f), ESL_OP_DISPLAY_IMAGE);
	fake_display_state(&f, f.link->index);
	fake_run(&f, ESL_REDRAW_BW_US - 10 * US_PER_MS);
	assert_null(fake_last(&f, ESL_SHOWN));
	fake_run(&f, 20 * US_PER_MS);
	assert_int_equal(fake_last(&f, ESL_SHOWN)->grade, ESL_GRADE_ACKNOWLEDGED);
	fake_close(&f);
}

static void wrong_image_in_the_answer_is_not_believed(void **state)
{
	const struct esl_cmd *c;

	(void) state;
	fake_open(&f);
	fake_join(&f);
	fake_want(&f, 1);
	fake_visit(&f, 1);
	c = fake_request(&f);
	expect(c, ESL_OP_DISPLAY_IMAGE);
	fake_display_state(&f, c->image ^ 1);
	assert_null(fake_last(&f, ESL_SHOWN));
	expect(fake_request(&f), ESL_OP_DISPLAY_IMAGE);
	fake_close(&f);
}

static void forged_answer_is_not_believed(void **state)
{
	struct esl_stats stats;

	(void) state;
	fake_open(&f);
	fake_join(&f);
	fake_want(&f, 1);
	fake_visit(&f, 1);
	expect(fake_request(&f), ESL_OP_DISPLAY_IMAGE);
	f.response_key.key[0] ^= 1;
	fake_display_state(&f, f.link->index);
	assert_null(fake_last(&f, ESL_SHOWN));
	esl_engine_get_stats(f.engine, &stats);
	assert_int_equal(stats.decrypt_failures, 1);
	fake_close(&f);
}

static void lost_picture_is_uploaded_again(void **state)
{
	static const uint8_t codes[] = {ESL_ERR_IMAGE_NOT_AVAILABLE, ESL_ERR_INVALID_IMAGE_INDEX,
					ESL_ERR_INVALID_PARAMETER};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		fake_open(&f);
		fake_join(&f);
		fake_want(&f, 1);
		fake_visit(&f, 1);
		expect(fake_request(&f), ESL_OP_DISPLAY_IMAGE);
		fake_error(&f, codes[i]);
		assert_int_equal(fake_last(&f, ESL_ERROR)->error, ERR_PEER);
		assert_true(fake_last(&f, ESL_ERROR)->text[0] != '\0');
		assert_int_equal(f.link->op, FAKE_CONNECT);
		fake_done(&f, FAKE_CONNECT, 0, NULL);
		if (i > 0) { /* it has other slots than it said: ask again */
			struct esl_link_result info = {
				.n_displays = 1,
				.displays = {{32, 8, DISPLAY_BLACK_WHITE}},
				.max_image_index = 0,
			};

			fake_done(&f, FAKE_READ_INFO, 0, &info);
		}
		fake_done(&f, FAKE_WRITE_IMAGE, 0, NULL);
		assert_int_equal(f.link->index, 0);
		fake_done(&f, FAKE_UPDATE_COMPLETE, 0, NULL);
		expect(fake_request(&f), ESL_OP_DISPLAY_IMAGE);
		fake_display_state(&f, 0);
		fake_run(&f, ESL_REDRAW_BW_US);
		assert_non_null(fake_last(&f, ESL_SHOWN));
		fake_close(&f);
	}
}

static void empty_battery_is_left_in_peace(void **state)
{
	(void) state;
	fake_open(&f);
	fake_join(&f);
	fake_want(&f, 1);
	fake_visit(&f, 1);
	expect(fake_request(&f), ESL_OP_DISPLAY_IMAGE);
	fake_error(&f, ESL_ERR_BATTERY);
	assert_non_null(strstr(fake_last(&f, ESL_ERROR)->text, "battery"));
	for (int i = 0; i < 100; i++)
		assert_null(fake_request(&f));
	fake_run(&f, 600 * US_PER_SEC);
	expect(fake_request(&f), ESL_OP_DISPLAY_IMAGE);
	fake_close(&f);
}

static void busy_label_is_told_again_at_once(void **state)
{
	(void) state;
	fake_open(&f);
	fake_join(&f);
	fake_want(&f, 1);
	fake_visit(&f, 1);
	expect(fake_request(&f), ESL_OP_DISPLAY_IMAGE);
	fake_error(&f, ESL_ERR_RETRY);
	assert_null(fake_last(&f, ESL_ERROR));
	expect(fake_request(&f), ESL_OP_DISPLAY_IMAGE);
	fake_close(&f);
}

/** Joins, shows picture 1 and has picture 2 acknowledged for an instant ahead. */
static const struct esl_cmd *stage(int64_t ahead_us)
{
	const struct esl_cmd *c;

	fake_open(&f);
	fake_join(&f);
	(void) show(1);
	confirm();
	fake_want_two(&f, 1, 2, fake_utc(&f) + ahead_us);
	fake_visit(&f, 1);
	c = fake_request(&f);
	expect(c, ESL_OP_DISPLAY_TIMED);
	return c;
}

static void timed_command_carries_the_exact_label_time(void **state)
{
	const struct esl_cmd *c = stage(600 * US_PER_SEC);
	int64_t at_us = esl_mono_of_utc(f.engine, f.engine->wakes[0]->wishes[1].from_us);
	int64_t label_ms = f.link->config.abs_ms + (at_us - f.link->config_us) / US_PER_MS;

	(void) state;
	assert_in_range(c->abs_ms, label_ms, label_ms + 1);
	fake_close(&f);
}

static void full_queue_is_emptied_first(void **state)
{
	const struct esl_cmd *c = stage(600 * US_PER_SEC);
	uint32_t abs_ms = c->abs_ms;

	(void) state;
	fake_error(&f, ESL_ERR_QUEUE_FULL);
	c = fake_request(&f);
	expect(c, ESL_OP_DISPLAY_TIMED);
	assert_int_equal(c->abs_ms, 0);
	/* One maker's label answers so to a delete with nothing pending, another's with its state.
	 */
	fake_error(&f, ESL_ERR_INVALID_PARAMETER);
	c = fake_request(&f);
	expect(c, ESL_OP_DISPLAY_TIMED);
	assert_int_equal(c->abs_ms, abs_ms);
	fake_display_state(&f, 0);
	assert_null(fake_request(&f));
	fake_close(&f);
}

static void other_instant_is_deleted_before_it_is_set(void **state)
{
	const struct esl_cmd *c = stage(600 * US_PER_SEC);
	uint32_t first = c->abs_ms;

	(void) state;
	fake_display_state(&f, 0);
	fake_want_two(&f, 1, 2, fake_utc(&f) + 900 * US_PER_SEC);
	c = fake_request(&f);
	expect(c, ESL_OP_DISPLAY_TIMED);
	assert_int_equal(c->abs_ms, 0);
	fake_display_state(&f, 0);
	c = fake_request(&f);
	expect(c, ESL_OP_DISPLAY_TIMED);
	assert_true(c->abs_ms > first);
	fake_close(&f);
}

static void implausible_time_has_the_clock_set(void **state)
{
	const struct esl_cmd *c = stage(600 * US_PER_SEC);

	(void) state;
	expect(c, ESL_OP_DISPLAY_TIMED);
	fake_error(&f, ESL_ERR_IMPLAUSIBLE_TIME);
	assert_null(fake_request(&f));
	fake_done(&f, FAKE_CONNECT, 0, NULL);
	fake_done(&f, FAKE_SET_TIME, 0, NULL);
	fake_done(&f, FAKE_UPDATE_COMPLETE, 0, NULL);
	c = fake_request(&f);
	expect(c, ESL_OP_DISPLAY_TIMED);
	assert_true(c->abs_ms != 0);
	fake_close(&f);
}

static void change_too_near_is_flipped_by_hand(void **state)
{
	const struct esl_cmd *c;
	int64_t at_utc;

	(void) state;
	fake_open(&f);
	fake_join(&f);
	(void) show(1);
	confirm();
	at_utc = fake_utc(&f) + 4 * US_PER_SEC;
	fake_want_two(&f, 1, 2, at_utc);
	fake_visit(&f, 1);
	do {
		c = fake_request(&f);
		assert_true(c || fake_utc(&f) < at_utc);
		assert_true(!c || fake_utc(&f) >= at_utc);
	} while (!c);
	expect(c, ESL_OP_DISPLAY_IMAGE);
	fake_close(&f);
}

static void unacknowledged_change_is_flipped_by_hand(void **state)
{
	const struct esl_cmd *c = stage(20 * US_PER_SEC);
	int64_t until = fake_utc(&f) + 19 * US_PER_SEC;

	(void) state;
	while (fake_utc(&f) < until)
		c = fake_request(&f);
	fake_run(&f, 2 * US_PER_SEC);
	c = fake_request(&f);
	expect(c, ESL_OP_DISPLAY_IMAGE);
	assert_true(fake_last(&f, ESL_SHOWN)->at_us < until);
	fake_close(&f);
}

static void acknowledged_change_is_reported_at_its_instant(void **state)
{
	int64_t at_utc;

	(void) state;
	(void) stage(60 * US_PER_SEC);
	/* Its instant, and what the panel takes to draw it. */
	at_utc = f.engine->wakes[0]->wishes[1].from_us + ESL_REDRAW_BW_US;
	fake_display_state(&f, 0);
	fake_run(&f, at_utc - fake_utc(&f) - US_PER_MS);
	assert_true(fake_last(&f, ESL_SHOWN)->at_us < at_utc - US_PER_SEC);
	fake_run(&f, 3 * US_PER_MS);
	assert_in_range(fake_last(&f, ESL_SHOWN)->at_us, at_utc - US_PER_MS, at_utc + US_PER_MS);
	assert_int_equal(fake_last(&f, ESL_SHOWN)->grade, ESL_GRADE_ACKNOWLEDGED);
	confirm();
	fake_close(&f);
}

static void ping_that_finds_nothing_pending_sends_it_again(void **state)
{
	const struct esl_cmd *c = stage(3600 * US_PER_SEC);
	uint32_t abs_ms = c->abs_ms;

	(void) state;
	fake_display_state(&f, 0);
	fake_run(&f, 6 * 60 * US_PER_SEC);
	expect(fake_request(&f), ESL_OP_PING);
	fake_basic_state(&f, ESL_STATE_SYNCHRONIZED); /* it has restarted and forgotten */
	c = fake_request(&f);
	expect(c, ESL_OP_DISPLAY_TIMED);
	assert_int_equal(c->abs_ms, abs_ms);
	fake_close(&f);
}

static void unknown_pending_change_is_deleted(void **state)
{
	const struct esl_cmd *c;

	(void) state;
	fake_open(&f);
	fake_join(&f);
	(void) show(1);
	fake_run(&f, 3 * US_PER_SEC);
	expect(fake_request(&f), ESL_OP_PING);
	fake_basic_state(&f, ESL_STATE_SYNCHRONIZED | ESL_STATE_PENDING_DISPLAY);
	c = fake_request(&f);
	expect(c, ESL_OP_DISPLAY_TIMED);
	assert_int_equal(c->abs_ms, 0);
	fake_close(&f);
}

static void service_needed_is_answered_and_shown_again(void **state)
{
	(void) state;
	fake_open(&f);
	fake_join(&f);
	(void) show(1);
	fake_run(&f, 3 * US_PER_SEC);
	expect(fake_request(&f), ESL_OP_PING);
	fake_basic_state(&f, ESL_STATE_SYNCHRONIZED | ESL_STATE_SERVICE_NEEDED);
	assert_non_null(strstr(fake_last(&f, ESL_ERROR)->text, "service"));
	assert_int_equal(fake_last(&f, ESL_SHOWN)->grade, ESL_GRADE_ACKNOWLEDGED);
	expect(fake_request(&f), ESL_OP_DISPLAY_IMAGE);
	fake_display_state(&f, f.link->index);
	expect(fake_request(&f), ESL_OP_SERVICE_RESET);
	fake_basic_state(&f, ESL_STATE_SYNCHRONIZED);
	confirm();
	fake_close(&f);
}

static void nothing_is_flipped_without_a_clock(void **state)
{
	const struct esl_cmd *c;
	struct esl_want w = {.addr = {0xc0, 0xff, 0xee, 0, 0, 1}, .n = 1};

	(void) state;
	fake_open(&f);
	fake_join(&f);
	f.engine->time.utc_known = false;
	fake_image(1, w.timeline[0].image);
	w.timeline[0].from_us = fake_utc(&f) - US_PER_SEC; /* as far as this clock knows */
	assert_int_equal(esl_engine_want(f.engine, &w), 0);
	fake_run(&f, US_PER_MS);
	fake_visit(&f, 1); /* it is staged, which is harmless */
	for (int i = 0; i < 10; i++)
		assert_null(fake_request(&f));
	esl_engine_set_utc(f.engine, 0, 0);
	c = fake_request(&f);
	expect(c, ESL_OP_DISPLAY_IMAGE);
	fake_close(&f);
}

static void clock_is_moved_before_it_wraps(void **state)
{
	struct esl_label *l;
	const struct esl_cmd *c;

	(void) state;
	fake_open(&f);
	fake_join(&f);
	(void) show(1);
	confirm();
	l = f.engine->wakes[0];
	for (int day = 0; day < 100; day++) {
		fake_run(&f, DAY);
		esl_engine_set_utc(f.engine, 0, 0);
		fake_run(&f, US_PER_MS);
		if (f.link->op == FAKE_CONNECT) {
			uint32_t before = esl_label_time(f.engine, l, esl_now(f.engine));

			fake_done(&f, FAKE_CONNECT, 0, NULL);
			fake_done(&f, FAKE_SET_TIME, 0, NULL);
			assert_true(f.link->abs_ms < before);
			fake_done(&f, FAKE_UPDATE_COMPLETE, 0, NULL);
		}
		c = fake_request(&f);
		if (c)
			fake_basic_state(&f, ESL_STATE_SYNCHRONIZED);
		assert_true(esl_label_time_known(f.engine, l));
		assert_true(esl_label_time(f.engine, l, esl_now(f.engine)) < 44u * 86400u * 1000u);
	}
	fake_close(&f);
}

static void old_clock_is_set_before_a_promotion(void **state)
{
	(void) state;
	fake_open(&f);
	fake_join(&f);
	(void) show(1);
	confirm();
	(void) show(2);
	confirm();
	fake_run(&f, 3 * DAY);
	/* Both pictures are on the label: nothing but its clock is a reason to visit it. */
	fake_want_two(&f, 2, 1, fake_utc(&f) + DAY);
	assert_int_equal(f.link->op, 0);
	expect(fake_request(&f), ESL_OP_DISPLAY_TIMED);
	fake_display_state(&f, 0);
	fake_run(&f, DAY - 4 * HOUR - 60 * US_PER_SEC);
	assert_int_equal(f.link->op, 0);
	fake_run(&f, 120 * US_PER_SEC);
	fake_done(&f, FAKE_CONNECT, 0, NULL);
	fake_done(&f, FAKE_SET_TIME, 0, NULL);
	fake_done(&f, FAKE_UPDATE_COMPLETE, 0, NULL);
	assert_int_equal(f.link->op, 0);
	fake_close(&f);
}

static void advertise(void)
{
	f.link->cb.advert(f.link->user, fake_addr, -50, true, 3000);
	fake_run(&f, US_PER_MS);
}

static void label_that_advertises_waits_for_no_failed_call(void **state)
{
	unsigned int visits = 0;

	(void) state;
	fake_open(&f);
	fake_join(&f);
	fake_run(&f, 10 * US_PER_SEC);
	fake_want(&f, 1);
	for (int failed = 0; failed < 8; failed++) { /* the last ones far apart */
		for (int s = 0; s < 60 && !f.link->op; s++)
			fake_run(&f, US_PER_SEC);
		assert_int_not_equal(f.link->subevent, ESL_ADVERTISING);
		fake_done(&f, FAKE_CONNECT, -ETIMEDOUT, NULL);
	}
	assert_int_equal(f.link->op, FAKE_NOTHING);
	advertise();
	assert_int_equal(f.link->op, FAKE_CONNECT);
	assert_int_equal(f.link->subevent, ESL_ADVERTISING);

	/* Whoever advertises for ever and is never reached is tried once a minute. */
	for (int s = 0; s < 1200; s++) {
		if (f.link->op == FAKE_CONNECT) {
			fake_done(&f, FAKE_CONNECT, -ETIMEDOUT, NULL);
			visits++;
		}
		advertise();
		fake_run(&f, 500 * US_PER_MS);
	}
	assert_in_range(visits, 8, 14);
	fake_close(&f);
}

/** It advertises and is brought back; how long it was kept after it was told of the train. */
static int64_t told_to_let_go(void)
{
	int64_t told_us;

	fake_run(&f, 4 * US_PER_SEC);
	advertise();
	fake_done(&f, FAKE_CONNECT, 0, NULL);
	fake_done(&f, FAKE_CONFIGURE, 0, NULL);
	told_us = clock_mono_us(loop_clock(f.loop));
	ead_key_from_wire(f.link->config.response_key, &f.response_key);
	while (f.link->op == 0)
		fake_run(&f, 10 * US_PER_MS);
	told_us = clock_mono_us(loop_clock(f.loop)) - told_us;
	fake_done(&f, FAKE_UPDATE_COMPLETE, 0, NULL);
	return told_us;
}

static void label_is_let_go_when_it_has_heard_the_train(void **state)
{
	(void) state;
	fake_open(&f);
	fake_join(&f); /* with an answer, so that it is known when the train comes by */
	fake_run(&f, f.engine->interval_us * 20 - 4 * US_PER_SEC + 500 * US_PER_MS);
	assert_in_range(told_to_let_go(), 300 * US_PER_MS, f.engine->interval_us);
	/* It says nothing and comes back: perhaps it needs longer. */
	assert_true(told_to_let_go() >= f.engine->interval_us);
	assert_int_equal(fake_request(&f)->op, ESL_OP_PING);
	fake_basic_state(&f, ESL_STATE_SYNCHRONIZED);
	assert_false(esl_label_find(f.engine, fake_addr)->hasty);
	fake_close(&f);
}

static void label_heard_to_advertise_is_not_called_again(void **state)
{
	(void) state;
	fake_open(&f);
	fake_join(&f);
	fake_run(&f, 10 * US_PER_SEC);
	fake_want(&f, 1);
	assert_int_equal(f.link->op, FAKE_CONNECT);
	advertise();
	fake_done(&f, FAKE_CONNECT, -ETIMEDOUT, NULL);
	assert_int_equal(f.link->op, FAKE_NOTHING);
	advertise();
	assert_int_equal(f.link->op, FAKE_CONNECT);
	assert_int_equal(f.link->subevent, ESL_ADVERTISING);
	fake_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unanswered_command_is_repeated_every_interval),
		cmocka_unit_test(command_is_tried_while_the_visit_ends),
		cmocka_unit_test(acknowledged_picture_is_not_called_shown_while_it_is_drawn),
		cmocka_unit_test(wrong_image_in_the_answer_is_not_believed),
		cmocka_unit_test(forged_answer_is_not_believed),
		cmocka_unit_test(lost_picture_is_uploaded_again),
		cmocka_unit_test(empty_battery_is_left_in_peace),
		cmocka_unit_test(busy_label_is_told_again_at_once),
		cmocka_unit_test(timed_command_carries_the_exact_label_time),
		cmocka_unit_test(full_queue_is_emptied_first),
		cmocka_unit_test(other_instant_is_deleted_before_it_is_set),
		cmocka_unit_test(implausible_time_has_the_clock_set),
		cmocka_unit_test(change_too_near_is_flipped_by_hand),
		cmocka_unit_test(unacknowledged_change_is_flipped_by_hand),
		cmocka_unit_test(acknowledged_change_is_reported_at_its_instant),
		cmocka_unit_test(ping_that_finds_nothing_pending_sends_it_again),
		cmocka_unit_test(unknown_pending_change_is_deleted),
		cmocka_unit_test(service_needed_is_answered_and_shown_again),
		cmocka_unit_test(nothing_is_flipped_without_a_clock),
		cmocka_unit_test(clock_is_moved_before_it_wraps),
		cmocka_unit_test(old_clock_is_set_before_a_promotion),
		cmocka_unit_test(label_that_advertises_waits_for_no_failed_call),
		cmocka_unit_test(label_is_let_go_when_it_has_heard_the_train),
		cmocka_unit_test(label_heard_to_advertise_is_not_called_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
