/* SPDX-License-Identifier: Apache-2.0 */
/* Place belief, in virtual time: who hears an item, and where it is said to be. */
#include "tests/unit/test_common.h"

#include "controller/inventory/belief.h"
#include <math.h>

#define SEC US_PER_SEC
#define T0  (INT64_C(1000000) * SEC)

enum {
	FLOOR = 1,
	BACK = 2,
	EXIT = 3
};

static struct belief_evidence heard(uint32_t place, int rssi_dbm, int rate, int64_t first_us,
				    int64_t last_us)
{
	return (struct belief_evidence){
		.place = place,
		.present = true,
		.rssi_cdbm = (int16_t) (100 * rssi_dbm),
		.rate_mhz = (uint16_t) rate,
		.first_us = first_us,
		.last_us = last_us,
	};
}

static bool judge(struct belief *b, const struct belief_evidence *ev, size_t n, int64_t now_us)
{
	return belief_judge(belief_defaults(), b, ev, n, now_us);
}

static void first_read_gives_a_place(void **state)
{
	(void) state;
	struct belief b = {0};
	struct belief_evidence ev = heard(FLOOR, -55, 0, T0, T0);

	assert_true(judge(&b, &ev, 1, T0));
	assert_int_equal(b.place, FLOOR);
	assert_int_equal(b.state, BELIEF_PRESENT);
	assert_int_equal(b.cause, CAUSE_FIRST_SEEN);
	assert_true(b.confidence > 900);
	assert_false(judge(&b, &ev, 1, T0 + SEC));
}

static void six_db_or_half_of_the_reads_halve_the_weight(void **state)
{
	(void) state;
	struct belief_evidence a = heard(FLOOR, -50, 4000, T0, T0 + 10 * SEC);
	struct belief_evidence weak = heard(FLOOR, -56, 4000, T0, T0 + 10 * SEC);
	struct belief_evidence rare = heard(FLOOR, -50, 2000, T0, T0 + 10 * SEC);
	float w = belief_weight(belief_defaults(), &a, T0 + 10 * SEC);

	assert_true(fabsf(w - 4.0f) < 0.01f);
	assert_true(fabsf(belief_weight(belief_defaults(), &weak, T0 + 10 * SEC) - 2.0f) < 0.01f);
	assert_true(fabsf(belief_weight(belief_defaults(), &rare, T0 + 10 * SEC) - 2.0f) < 0.01f);
}

static void weak_neighbour_does_not_move_an_item(void **state)
{
	(void) state;
	struct belief b = {0};
	struct belief_evidence ev[2] = {heard(FLOOR, -55, 5000, T0, T0),
					heard(BACK, -67, 1250, T0, T0)};

	judge(&b, ev, 1, T0);
	for (int i = 1; i < 600; i++) {
		ev[0].last_us = ev[1].last_us = T0 + i * SEC;
		ev[1].present = i % 3 != 0;
		ev[1].first_us = T0 + (i - i % 3) * SEC;
		assert_false(judge(&b, ev, 2, T0 + i * SEC));
	}
	assert_int_equal(b.place, FLOOR);
	assert_true(b.confidence > 600);
}

static void gone_here_and_as_strong_there_moves_at_once(void **state)
{
	(void) state;
	struct belief b = {0};
	struct belief_evidence ev[2] = {heard(FLOOR, -55, 5000, T0, T0)};

	judge(&b, ev, 1, T0);
	ev[0].last_us = T0 + 60 * SEC;
	ev[1] = heard(BACK, -58, 3000, T0 + 61 * SEC, T0 + 61 * SEC);
	assert_false(judge(&b, ev, 2, T0 + 61 * SEC));
	ev[0].present = false;
	assert_true(judge(&b, ev, 2, T0 + 62 * SEC));
	assert_int_equal(b.place, BACK);
	assert_int_equal(b.cause, CAUSE_LEFT);
	/* It has been there since it was first heard there. */
	assert_true(b.since_us == T0 + 61 * SEC);
}

static void false_gone_beside_a_weak_neighbour_is_doubted(void **state)
{
	(void) state;
	struct belief b = {0};
	struct belief_evidence ev[2] = {heard(FLOOR, -55, 5000, T0, T0),
					heard(BACK, -70, 1250, T0, T0)};

	judge(&b, ev, 1, T0);
	ev[0].last_us = ev[1].last_us = T0 + 60 * SEC;
	ev[0].present = false;
	assert_false(judge(&b, ev, 2, T0 + 61 * SEC));
	assert_true(b.due_us == T0 + 60 * SEC + belief_defaults()->doubt_us);
	/* It is heard again in time: nothing happened. */
	ev[0].present = true;
	assert_false(judge(&b, ev, 2, T0 + 62 * SEC));
	assert_true(b.due_us == BELIEF_NEVER);
	/* It is not: it moves when the doubt is over. */
	ev[0].present = false;
	assert_true(judge(&b, ev, 2, T0 + 60 * SEC + belief_defaults()->doubt_us));
	assert_int_equal(b.place, BACK);
}

static void strong_appearance_need_not_wait(void **state)
{
	(void) state;
	struct belief b = {0};
	struct belief_evidence ev[2] = {heard(FLOOR, -64, 5000, T0, T0)};

	judge(&b, ev, 1, T0);
	ev[0].last_us = T0 + 30 * SEC;
	ev[1] = heard(BACK, -46, 0, T0 + 30 * SEC, T0 + 30 * SEC);
	assert_false(judge(&b, ev, 2, T0 + 30 * SEC));
	assert_true(b.due_us == T0 + 30 * SEC + belief_defaults()->hold_us);
	assert_true(judge(&b, ev, 2, b.due_us));
	assert_int_equal(b.place, BACK);
	assert_int_equal(b.cause, CAUSE_STRONGER);
}

static void antennas_of_one_place_add_up(void **state)
{
	(void) state;
	struct belief b = {0};
	struct belief_evidence ev[3] = {
		heard(FLOOR, -60, 4000, T0, T0 + SEC),
		heard(BACK, -58, 4000, T0, T0 + SEC),
		heard(FLOOR, -60, 4000, T0, T0 + SEC),
	};

	judge(&b, ev, 3, T0 + SEC);
	assert_int_equal(b.place, FLOOR);
}

static void antenna_without_a_place_has_no_vote(void **state)
{
	(void) state;
	struct belief b = {0};
	struct belief_evidence ev[2] = {heard(BELIEF_NO_PLACE, -40, 9000, T0, T0),
					heard(EXIT, -70, 500, T0, T0)};

	judge(&b, ev, 1, T0);
	assert_int_equal(b.state, BELIEF_PRESENT);
	assert_int_equal(b.place, BELIEF_NO_PLACE);
	assert_int_equal(b.confidence, 0);
	judge(&b, ev, 2, T0);
	assert_int_equal(b.place, EXIT);
}

static void nobody_hears_it_it_is_gone_after_the_grace(void **state)
{
	(void) state;
	struct belief b = {0};
	struct belief_evidence ev = heard(FLOOR, -55, 5000, T0, T0);
	int64_t grace_us = belief_defaults()->grace_us;
	uint16_t before;

	judge(&b, &ev, 1, T0);
	before = b.confidence;
	ev.present = false;
	assert_false(judge(&b, &ev, 1, T0 + 2 * SEC));
	assert_true(b.due_us == T0 + grace_us);
	judge(&b, &ev, 1, T0 + grace_us - SEC);
	assert_true(b.confidence < before);
	assert_true(judge(&b, &ev, 1, T0 + grace_us));
	assert_int_equal(b.state, BELIEF_GONE);
	assert_int_equal(b.place, FLOOR);
	assert_int_equal(b.confidence, 0);
	/* It comes back where it was. */
	ev = heard(FLOOR, -55, 0, T0 + 90 * SEC, T0 + 90 * SEC);
	assert_true(judge(&b, &ev, 1, T0 + 90 * SEC));
	assert_int_equal(b.cause, CAUSE_RETURNED);
}

static void away_agent_loses_its_item_to_whoever_hears_it(void **state)
{
	(void) state;
	struct belief b = {0};
	struct belief_evidence ev[2] = {heard(FLOOR, -50, 5000, T0, T0)};

	judge(&b, ev, 1, T0);
	/* Alone, it keeps it. */
	assert_false(judge(&b, ev, 1, T0 + 3600 * SEC));
	assert_int_equal(b.place, FLOOR);
	assert_true(b.confidence > 500);
	ev[1] = heard(BACK, -58, 3000, T0 + 3600 * SEC, T0 + 3600 * SEC);
	assert_false(judge(&b, ev, 2, T0 + 3600 * SEC));
	assert_true(judge(&b, ev, 2, T0 + 3601 * SEC));
	assert_int_equal(b.place, BACK);
}

static void antenna_given_to_another_place_takes_its_items_along(void **state)
{
	(void) state;
	struct belief b = {0};
	struct belief_evidence ev = heard(FLOOR, -50, 5000, T0, T0);

	judge(&b, &ev, 1, T0);
	ev.place = BACK;
	assert_true(judge(&b, &ev, 1, T0 + SEC));
	assert_int_equal(b.place, BACK);
	assert_int_equal(b.cause, CAUSE_ANTENNA);
}

static void events_of_one_item_have_distinct_times(void **state)
{
	(void) state;
	struct belief b = {0};
	struct belief_evidence ev = heard(FLOOR, -50, 5000, T0, T0);
	int64_t since_us;

	judge(&b, &ev, 1, T0);
	since_us = b.since_us;
	ev.place = BACK;
	judge(&b, &ev, 1, T0);
	assert_true(b.since_us > since_us);
}

static void strange_values_are_survived(void **state)
{
	(void) state;
	struct belief b = {0};
	struct belief_evidence ev[3] = {
		heard(FLOOR, -320, 0, 0, 0),
		heard(BACK, 320, 65535, 0, T0 * 4),
		{.place = EXIT, .present = true, .rssi_cdbm = INT16_MIN},
	};

	judge(&b, ev, 3, T0);
	assert_int_equal(b.place, BACK);
	judge(&b, ev, 0, T0);
	assert_int_equal(b.state, BELIEF_GONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_read_gives_a_place),
		cmocka_unit_test(six_db_or_half_of_the_reads_halve_the_weight),
		cmocka_unit_test(weak_neighbour_does_not_move_an_item),
		cmocka_unit_test(gone_here_and_as_strong_there_moves_at_once),
		cmocka_unit_test(false_gone_beside_a_weak_neighbour_is_doubted),
		cmocka_unit_test(strong_appearance_need_not_wait),
		cmocka_unit_test(antennas_of_one_place_add_up),
		cmocka_unit_test(antenna_without_a_place_has_no_vote),
		cmocka_unit_test(nobody_hears_it_it_is_gone_after_the_grace),
		cmocka_unit_test(away_agent_loses_its_item_to_whoever_hears_it),
		cmocka_unit_test(antenna_given_to_another_place_takes_its_items_along),
		cmocka_unit_test(events_of_one_item_have_distinct_times),
		cmocka_unit_test(strange_values_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
