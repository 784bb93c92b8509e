/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels that refuse, forget, lack things or belong to somebody else, over the real HCI path in
 * virtual time: each trouble is told, each has a stated back-off, and once its cause is gone the
 * label shows what is wished for.
 */
#include "tests/sim/esl_world.h"

#include "common/err.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct world w;

static struct sim_label *label(unsigned int i)
{
	return sim_radio_label(w.radio, i);
}

static struct esl_label *known(unsigned int i)
{
	uint8_t addr[ESL_ADDR_BYTES];

	world_addr(i, addr);
	return esl_label_find(w.engine, addr);
}

static unsigned int reports(size_t mark, unsigned int i, enum esl_report_kind kind,
			    const char *text)
{
	uint8_t addr[ESL_ADDR_BYTES];
	unsigned int n = 0;

	world_addr(i, addr);
	for (size_t k = mark; k < w.n_reports; k++) {
		const struct esl_report *r = &w.reports[k % WORLD_REPORTS];

		n += r->kind == kind && memcmp(r->addr, addr, sizeof(addr)) == 0 &&
		     (!text || strcmp(r->text, text) == 0);
	}
	return n;
}

static void await_shown(unsigned int i, uint32_t picture, int64_t at_most_us)
{
	size_t mark = world_mark(&w);

	assert_true(world_await(&w, mark, i, ESL_SHOWN, ESL_GRADE_CONFIRMED, picture, at_most_us) >=
		    0);
	assert_true(world_shows(&w, i, picture));
}

static void open_one(const struct sim_label_model *m)
{
	world_open(&w, 1, m, 0, 11);
	world_adopt_all(&w);
	world_show(&w, 0, 1);
}

/* --- one visit -------------------------------------------------------------------------------- */

static unsigned int links_made(void)
{
	struct sim_radio_stats s;

	sim_radio_get_stats(w.radio, &s);
	return s.links_made;
}

static void label_is_let_go_when_it_has_heard_the_train(void **state)
{
	const unsigned int n = 40;
	int64_t start_us;

	(void) state;
	world_open(&w, n, &world_small, 0, 17);
	start_us = world_now(&w);
	world_adopt_all(&w);
	printf("# %u labels joined in %.0f s of virtual time, %u links\n", n,
	       (double) (world_now(&w) - start_us) / 1e6, links_made());
	assert_int_equal(links_made(), n);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(world_view(&w, i).state, ESL_SYNCHRONIZED);
	world_close(&w);
}

/** A label that lost its way is let go likewise; one that was called through the train at once. */
static void only_a_label_that_was_out_of_step_is_kept_waiting(void **state)
{
	struct sim_radio_stats s;
	int64_t linked_us;

	(void) state;
	open_one(&world_small);
	sim_label_reboot(label(0), world_now(&w));
	sim_radio_touched(w.radio, 0);
	world_run(&w, 20 * US_PER_SEC);
	assert_int_equal(world_view(&w, 0).state, ESL_SYNCHRONIZED);
	assert_int_equal(links_made(), 3); /* it joined, it was given a picture, it came back */

	world_want(&w, 0, 2);
	do {
		world_run(&w, US_PER_MS);
	} while (links_made() == 3);
	linked_us = world_now(&w);
	do {
		world_run(&w, US_PER_MS);
		sim_radio_get_stats(w.radio, &s);
	} while (s.links > 0);
	assert_in_range(world_now(&w) - linked_us, 1, w.engine->interval_us - 1);
	world_close(&w);
}

/* --- errors of commands ----------------------------------------------------------------------- */

/** Says the error to n Display Image commands; picture 2 must come within `by_us`, told once. */
static void check_refusal(uint8_t error, unsigned int n, int64_t not_before_us, int64_t by_us,
			  unsigned int told)
{
	size_t mark;
	int64_t took_us;

	open_one(&world_small);
	mark = world_mark(&w);
	sim_label_refuse(label(0), ESL_OP_DISPLAY_IMAGE, error, n);
	world_want(&w, 0, 2);
	took_us = world_await(&w, mark, 0, ESL_SHOWN, ESL_GRADE_CONFIRMED, 2, by_us);
	printf("# error %02x said %u times: shown after %.1f s\n", error, n,
	       (double) took_us / 1e6);
	assert_true(took_us >= not_before_us);
	assert_true(world_shows(&w, 0, 2));
	assert_int_equal(reports(mark, 0, ESL_ERROR, esl_error_sentence(error)), told);
	assert_int_equal(reports(mark, 0, ESL_ERROR, NULL), told);
	world_close(&w);
}

static void label_without_resources_is_asked_ever_more_rarely_and_told_once(void **state)
{
	(void) state;
	/* 2 + 4 + 8 + 16 seconds */
	check_refusal(ESL_ERR_RESOURCES, 4, 30 * US_PER_SEC, 60 * US_PER_SEC, 1);
}

static void label_that_is_busy_for_a_moment_is_nobodys_trouble(void **state)
{
	(void) state;
	check_refusal(ESL_ERR_RETRY, 2, 0, 15 * US_PER_SEC, 0);
}

static void label_that_stays_busy_is_told_once(void **state)
{
	(void) state;
	/* at once, then 1 + 2 + 4 + 8 + 16 + 32 seconds */
	check_refusal(ESL_ERR_RETRY, 7, 60 * US_PER_SEC, 110 * US_PER_SEC, 1);
}

static void label_that_lost_a_picture_is_given_it_again(void **state)
{
	(void) state;
	check_refusal(ESL_ERR_IMAGE_NOT_AVAILABLE, 1, 0, 30 * US_PER_SEC, 1);
	check_refusal(ESL_ERR_IMAGE_NOT_AVAILABLE, 3, 6 * US_PER_SEC, 60 * US_PER_SEC, 1);
}

static void label_that_has_not_that_slot_is_asked_for_its_slots_again(void **state)
{
	(void) state;
	check_refusal(ESL_ERR_INVALID_IMAGE_INDEX, 1, 0, 30 * US_PER_SEC, 1);
	check_refusal(ESL_ERR_INVALID_PARAMETER, 1, 0, 30 * US_PER_SEC, 1);
	check_refusal(ESL_ERR_INVALID_IMAGE_INDEX, 3, 6 * US_PER_SEC, 60 * US_PER_SEC, 1);
}

static void empty_battery_waits_ten_minutes_for_a_new_one(void **state)
{
	size_t mark;

	(void) state;
	open_one(&world_small);
	mark = world_mark(&w);
	sim_label_set_battery(label(0), 1900);
	world_want(&w, 0, 2);
	world_run(&w, 300 * US_PER_SEC);
	assert_false(world_shows(&w, 0, 2));
	assert_int_equal(reports(mark, 0, ESL_ERROR, esl_error_sentence(ESL_ERR_BATTERY)), 1);
	sim_label_set_battery(label(0), 3000);
	await_shown(0, 2, 320 * US_PER_SEC);
	assert_int_equal(reports(mark, 0, ESL_ERROR, esl_error_sentence(ESL_ERR_BATTERY)), 1);
	world_close(&w);
}

/** Says the error to n timed commands for an instant ten minutes ahead. */
static void check_timed_refusal(uint8_t error, unsigned int n)
{
	int64_t at_us;
	size_t mark;

	open_one(&world_small);
	mark = world_mark(&w);
	at_us = world_utc(&w) + 600 * US_PER_SEC;
	sim_label_refuse(label(0), ESL_OP_DISPLAY_TIMED, error, n);
	world_want_two(&w, 0, 1, 2, at_us);
	world_run(&w, 300 * US_PER_SEC);
	/* The label is to do it by itself, and has been told so again. */
	assert_true(world_view(&w, 0).pending_display);
	assert_int_equal(reports(mark, 0, ESL_ERROR, NULL), 1);
	assert_int_equal(reports(mark, 0, ESL_ERROR, esl_error_sentence(error)), 1);
	world_run(&w, 299 * US_PER_SEC);
	assert_true(world_shows(&w, 0, 1));
	world_run(&w, 4 * US_PER_SEC);
	assert_true(world_shows(&w, 0, 2));
	world_close(&w);
}

static void label_with_a_full_queue_is_emptied_and_told_anew(void **state)
{
	(void) state;
	check_timed_refusal(ESL_ERR_QUEUE_FULL, 1);
	check_timed_refusal(ESL_ERR_QUEUE_FULL, 3);
}

static void queue_that_is_never_empty_is_asked_ever_more_rarely(void **state)
{
	struct sim_label_model m = world_small;

	(void) state;
	m.width = m.height = 200;
	m.personality = SIM_PERSONALITY_NRF; /* says yes to taking back what is not there */
	open_one(&m);
	sim_label_refuse(label(0), ESL_OP_DISPLAY_TIMED, ESL_ERR_QUEUE_FULL, 6);
	world_want_two(&w, 0, 1, 2, world_utc(&w) + 600 * US_PER_SEC);
	world_run(&w, 60 * US_PER_SEC); /* 2 + 4 + 8 + 16 + 32 seconds, and the upload */
	assert_false(world_view(&w, 0).pending_display);
	world_run(&w, 60 * US_PER_SEC);
	assert_true(world_view(&w, 0).pending_display);
	world_close(&w);
}

static void label_that_finds_a_time_implausible_has_its_clock_set(void **state)
{
	(void) state;
	check_timed_refusal(ESL_ERR_IMPLAUSIBLE_TIME, 1);
	check_timed_refusal(ESL_ERR_IMPLAUSIBLE_TIME, 3);
}

/* --- who it belongs to ------------------------------------------------------------------------ */

static void label_that_was_reset_by_hand_is_joined_and_filled_again(void **state)
{
	uint32_t writes;
	size_t mark;

	(void) state;
	open_one(&world_small);
	writes = world_view(&w, 0).writes;
	mark = world_mark(&w);
	sim_label_factory_reset(label(0), world_now(&w));
	assert_false(world_view(&w, 0).slot_filled[0]);
	/* A label in the train is thought of as listening for a while. */
	assert_true(world_await(&w, mark, 0, ESL_ASSOCIATED, 0, 0, 120 * US_PER_SEC) >= 0);
	await_shown(0, 1, 60 * US_PER_SEC);
	/* Its slots were empty: what it has now was sent again. */
	assert_int_equal(world_view(&w, 0).writes, writes + 1);
	world_show(&w, 0, 2);
	world_close(&w);
}

static void label_of_another_access_point_is_told_and_joined_when_it_is_free(void **state)
{
	static const char text[] =
		"The label refuses to be joined: it may belong to another access point, "
		"and must then be reset first.";
	size_t mark;

	(void) state;
	world_open(&w, 2, &world_small, 0, 12);
	mark = world_mark(&w);
	sim_label_set_taken(label(0), true);
	world_want(&w, 0, 1);
	world_want(&w, 1, 1);
	world_run(&w, 400 * US_PER_SEC);
	assert_int_equal(reports(mark, 0, ESL_ERROR, text), 1);
	assert_int_equal(reports(mark, 0, ESL_ASSOCIATED, NULL), 0);
	assert_true(world_shows(&w, 1, 1)); /* nobody else is kept waiting */
	sim_label_set_taken(label(0), false);
	await_shown(0, 1, 120 * US_PER_SEC);
	world_close(&w);
}

static void label_that_we_let_go_can_be_joined_again(void **state)
{
	uint8_t addr[ESL_ADDR_BYTES];
	size_t mark;

	(void) state;
	open_one(&world_small);
	world_addr(0, addr);
	esl_engine_forget(w.engine, addr);
	world_run(&w, 120 * US_PER_SEC);
	assert_false(world_view(&w, 0).bonded);
	assert_null(known(0));
	mark = world_mark(&w);
	world_want(&w, 0, 2);
	await_shown(0, 2, 120 * US_PER_SEC);
	assert_int_equal(reports(mark, 0, ESL_ASSOCIATED, NULL), 1);
	world_close(&w);
}

static void labels_joined_at_one_moment_get_addresses_and_keys_of_their_own(void **state)
{
	(void) state;
	world_open(&w, 8, &world_small, 0.02, 13);
	for (unsigned int i = 0; i < 8; i++)
		world_want(&w, i, i + 1);
	for (int s = 0; s < 200; s++) {
		unsigned int under_way = 0;

		world_run(&w, US_PER_SEC);
		for (unsigned int i = 0; i < 8; i++)
			under_way += world_shows(&w, i, i + 1);
		if (under_way == 8)
			break;
	}
	for (unsigned int i = 0; i < 8; i++) {
		struct sim_label_view v = world_view(&w, i);

		assert_true(world_shows(&w, i, i + 1));
		assert_int_equal(v.state, ESL_SYNCHRONIZED);
		for (unsigned int k = 0; k < i; k++) {
			assert_false(world_view(&w, k).id == v.id &&
				     world_view(&w, k).group == v.group);
			assert_memory_not_equal(known(i)->response_key, known(k)->response_key,
						ESL_KEY_BYTES);
		}
	}
	world_close(&w);
}

/* --- what it has and lacks -------------------------------------------------------------------- */

static void keys_are_written_in_pieces_where_packets_are_short(void **state)
{
	struct sim_label_model m = world_small;

	(void) state;
	m.att_mtu = 23;
	open_one(&m);
	/* Again with the keys that are given in the train, and by the other firmware. */
	assert_int_equal(esl_engine_rotate_keys(w.engine, world_utc(&w)), 0);
	world_run(&w, 60 * US_PER_SEC);
	assert_false(w.engine->rotating);
	world_show(&w, 0, 2);
	world_close(&w);
	m.personality = SIM_PERSONALITY_NRF;
	m.width = m.height = 200;
	open_one(&m);
	world_close(&w);
}

static void label_without_image_information_is_used_with_one_picture(void **state)
{
	struct sim_label_model m = world_small;

	(void) state;
	m.no_image_number = true;
	open_one(&m);
	assert_int_equal(known(0)->n_slots, 1);
	world_show(&w, 0, 2);
	world_close(&w);
}

static void label_without_a_lamp_says_so_and_shows_its_price(void **state)
{
	struct sim_label_model m = world_small;

	(void) state;
	m.leds = 0;
	open_one(&m);
	assert_true(known(0)->leds_known);
	assert_int_equal(known(0)->n_leds, 0);
	world_close(&w);
}

static void label_with_more_displays_is_used_by_its_first(void **state)
{
	struct sim_label_model m = world_small;

	(void) state;
	m.displays = 3;
	open_one(&m);
	assert_int_equal(known(0)->width, m.width);
	world_show(&w, 0, 2);
	world_close(&w);
}

static void no_label_is_ever_given_the_broadcast_address(void **state)
{
	struct esl_train train = {.interval = 1248, .subevents = 2};
	unsigned int n = 0;
	int r = 0;

	(void) state;
	world_open_train(&w, 1, &world_small, 0, 14, &train);
	for (unsigned int i = 0; i < 600 && r == 0; i++) {
		uint8_t addr[ESL_ADDR_BYTES] = {0xd0, 0, 0, 0, (uint8_t) (i >> 8), (uint8_t) i};
		struct esl_label *l;

		assert_int_equal(esl_label_add(w.engine, addr, &l), 0);
		r = esl_label_allocate(w.engine, l);
		if (r == 0) {
			assert_in_range(l->id, 0, ESL_ID_MAX);
			assert_int_not_equal(l->id, ESL_ID_BROADCAST);
			assert_true(l->group < 2);
			n++;
		} else {
			assert_int_equal(esl_label_place(w.engine, l, 0, ESL_ID_BROADCAST),
					 -ERR_RANGE);
		}
	}
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(n, 2 * 255);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(label_is_let_go_when_it_has_heard_the_train),
		cmocka_unit_test(only_a_label_that_was_out_of_step_is_kept_waiting),
		cmocka_unit_test(label_without_resources_is_asked_ever_more_rarely_and_told_once),
		cmocka_unit_test(label_that_is_busy_for_a_moment_is_nobodys_trouble),
		cmocka_unit_test(label_that_stays_busy_is_told_once),
		cmocka_unit_test(label_that_lost_a_picture_is_given_it_again),
		cmocka_unit_test(label_that_has_not_that_slot_is_asked_for_its_slots_again),
		cmocka_unit_test(empty_battery_waits_ten_minutes_for_a_new_one),
		cmocka_unit_test(label_with_a_full_queue_is_emptied_and_told_anew),
		cmocka_unit_test(queue_that_is_never_empty_is_asked_ever_more_rarely),
		cmocka_unit_test(label_that_finds_a_time_implausible_has_its_clock_set),
		cmocka_unit_test(label_that_was_reset_by_hand_is_joined_and_filled_again),
		cmocka_unit_test(label_of_another_access_point_is_told_and_joined_when_it_is_free),
		cmocka_unit_test(label_that_we_let_go_can_be_joined_again),
		cmocka_unit_test(labels_joined_at_one_moment_get_addresses_and_keys_of_their_own),
		cmocka_unit_test(keys_are_written_in_pieces_where_packets_are_short),
		cmocka_unit_test(label_without_image_information_is_used_with_one_picture),
		cmocka_unit_test(label_without_a_lamp_says_so_and_shows_its_price),
		cmocka_unit_test(label_with_more_displays_is_used_by_its_first),
		cmocka_unit_test(no_label_is_ever_given_the_broadcast_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
