/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts of a rollout: what is decided, which product goes with which wave, what is said of
 * a label, and the forecast. */
#include "tests/unit/test_common.h"

#include "common/proto.h"
#include "controller/rollout/forecast.h"
#include "controller/rollout/label_step.h"
#include "controller/rollout/machine.h"
#include "controller/rollout/plan.h"
#include <string.h>

#define NOW (INT64_C(1795000000) * US_PER_SEC)

static struct rollout_facts staging(int64_t labels, int64_t staged)
{
	return (struct rollout_facts){
		.now_us = NOW,
		.state = ROLLOUT_STAGING,
		.since_us = NOW - 60 * US_PER_SEC,
		.wave = 1,
		.n_waves = 3,
		.rules = {.staged_percent = 90,
			  .timeout_us = 600 * US_PER_SEC,
			  .failed_percent = 10,
			  .settle_us = 120 * US_PER_SEC},
		.counts = {.labels = labels,
			   .reachable = labels,
			   .stageable = labels,
			   .stageable_staged = staged},
	};
}

static enum rollout_action decide(const struct rollout_facts *f)
{
	struct rollout_decision d;

	rollout_decide(f, &d);
	return d.action;
}

static void gate_opens_when_its_share_is_staged(void **state)
{
	struct rollout_facts f = staging(20, 17);
	struct rollout_decision d;

	(void) state;
	assert_int_equal(decide(&f), ROLLOUT_WAIT);
	f.counts.stageable_staged = 18;
	rollout_decide(&f, &d);
	assert_int_equal(d.action, ROLLOUT_FLIP);
	assert_int_equal(d.at_us, NOW + rollout_lead_us(&f.rules, 20));
}

static void gate_never_rounds_down(void **state)
{
	struct rollout_facts f = staging(3, 2);

	(void) state;
	f.rules.staged_percent = 95;
	assert_int_equal(decide(&f), ROLLOUT_WAIT);
	f.counts.stageable_staged = 3;
	assert_int_equal(decide(&f), ROLLOUT_FLIP);
}

static void gate_leaves_out_who_cannot_be_reached_or_staged(void **state)
{
	struct rollout_facts f = staging(20, 18);

	(void) state;
	f.counts.reachable = 19; /* one of twenty: below the threshold of failures */
	f.counts.stageable = 18;
	assert_int_equal(decide(&f), ROLLOUT_FLIP);
	f.counts.undrawn = 1;
	assert_int_equal(decide(&f), ROLLOUT_WAIT);
}

static void gate_stays_shut_when_too_many_are_cut_off(void **state)
{
	struct rollout_facts f = staging(20, 10);
	struct rollout_decision d;

	(void) state;
	f.counts.reachable = f.counts.stageable = 10;
	assert_int_equal(decide(&f), ROLLOUT_WAIT);
	f.since_us = NOW - f.rules.timeout_us;
	rollout_decide(&f, &d);
	assert_int_equal(d.action, ROLLOUT_HALT);
	assert_non_null(strstr(d.reason, "10 of the wave's 20 labels cannot be reached"));
	f.counts.lost_before = 10; /* they were silent before: that is not the rollout's doing */
	assert_int_equal(decide(&f), ROLLOUT_FLIP);
}

static void gate_that_does_not_open_in_time_halts_with_its_numbers(void **state)
{
	struct rollout_facts f = staging(20, 17);
	struct rollout_decision d;

	(void) state;
	rollout_decide(&f, &d);
	assert_int_equal(d.look_us, f.since_us + f.rules.timeout_us);
	f.since_us = NOW - f.rules.timeout_us;
	f.slowest = "ap-two";
	rollout_decide(&f, &d);
	assert_int_equal(d.action, ROLLOUT_HALT);
	assert_string_equal(d.reason,
			    "Wave 1: after 10 min only 17 of 20 labels have the new picture; 18 are"
			    " needed to flip. Most are missing at access point ap-two.");
}

static void wave_without_labels_waits_for_nobody(void **state)
{
	struct rollout_facts f = staging(0, 0);

	(void) state;
	assert_int_equal(decide(&f), ROLLOUT_FLIP);
}

static void failures_above_the_threshold_halt(void **state)
{
	struct rollout_facts f = staging(20, 10);
	struct rollout_decision d;

	(void) state;
	f.counts.failed = 2;
	assert_int_equal(decide(&f), ROLLOUT_WAIT); /* ten percent are allowed */
	f.counts.failed = 3;
	rollout_decide(&f, &d);
	assert_int_equal(d.action, ROLLOUT_HALT);
	assert_string_equal(d.reason,
			    "Wave 1: 3 of 20 labels failed (15.0 %; up to 10 % are allowed).");
	f.counts.lost_before = 1;
	assert_int_equal(decide(&f), ROLLOUT_WAIT);
	f.counts.lost_before = 0;
	f.forgiven = 1;
	assert_int_equal(decide(&f), ROLLOUT_WAIT);
	f.state = ROLLOUT_SETTLING;
	f.flip_us = NOW - US_PER_SEC;
	f.forgiven = 0;
	assert_int_equal(decide(&f), ROLLOUT_HALT); /* at once, not after the settle time */
}

static void what_is_accepted_covers_failed_and_cut_off(void **state)
{
	struct rollout_counts c = {.labels = 20, .reachable = 12, .failed = 5, .lost_before = 2};

	(void) state;
	assert_int_equal(rollout_forgive(&c), 6);
	c.reachable = 18;
	assert_int_equal(rollout_forgive(&c), 3);
}

static void waves_follow_one_another_after_settling(void **state)
{
	struct rollout_facts f = staging(20, 20);
	struct rollout_decision d;

	(void) state;
	f.state = ROLLOUT_SCHEDULED;
	f.start_us = NOW + US_PER_SEC;
	rollout_decide(&f, &d);
	assert_int_equal(d.action, ROLLOUT_WAIT);
	assert_int_equal(d.look_us, f.start_us);
	f.start_us = NOW;
	rollout_decide(&f, &d);
	assert_int_equal(d.action, ROLLOUT_BEGIN_WAVE);
	assert_int_equal(d.wave, 1);
	f.state = ROLLOUT_FLIPPING;
	f.flip_us = NOW + 5 * US_PER_SEC;
	rollout_decide(&f, &d);
	assert_int_equal(d.action, ROLLOUT_WAIT);
	assert_int_equal(d.look_us, f.flip_us);
	f.flip_us = NOW;
	assert_int_equal(decide(&f), ROLLOUT_SETTLE);
	f.state = ROLLOUT_SETTLING;
	rollout_decide(&f, &d);
	assert_int_equal(d.action, ROLLOUT_WAIT);
	assert_int_equal(d.look_us, f.flip_us + f.rules.settle_us);
	f.flip_us = NOW - f.rules.settle_us;
	rollout_decide(&f, &d);
	assert_int_equal(d.action, ROLLOUT_BEGIN_WAVE);
	assert_int_equal(d.wave, 2);
	f.wave = 3;
	assert_int_equal(decide(&f), ROLLOUT_FINISH);
}

static void rolling_back_ends_with_the_last_label_or_with_time(void **state)
{
	struct rollout_facts f = staging(20, 20);

	(void) state;
	f.state = ROLLOUT_ROLLING_BACK;
	f.back_us = NOW + US_PER_SEC;
	f.counts.to_go_back = 5;
	f.counts.back = 5;
	assert_int_equal(decide(&f), ROLLOUT_WAIT); /* not before its instant */
	f.back_us = NOW;
	assert_int_equal(decide(&f), ROLLOUT_CLOSE_BACK);
	f.counts.back = 4;
	assert_int_equal(decide(&f), ROLLOUT_WAIT);
	f.back_us = NOW - f.rules.settle_us;
	assert_int_equal(decide(&f), ROLLOUT_CLOSE_BACK);
}

static void only_a_person_goes_on_from_a_stop(void **state)
{
	static const enum rollout_state stops[] = {ROLLOUT_PAUSED, ROLLOUT_HALTED,
						   ROLLOUT_ROLLED_BACK, ROLLOUT_DONE,
						   ROLLOUT_CANCELLED};
	struct rollout_facts f = staging(20, 20);

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(stops); i++) {
		f.state = stops[i];
		assert_int_equal(decide(&f), ROLLOUT_WAIT);
	}
}

static void each_state_allows_what_makes_sense(void **state)
{
	(void) state;
	for (int s = 0; s < ROLLOUT_STATE_COUNT; s++) {
		bool runs = s <= ROLLOUT_SETTLING;
		bool stopped = s == ROLLOUT_PAUSED || s == ROLLOUT_HALTED;
		enum rollout_state parsed;

		assert_int_equal(rollout_allows(s, ROLLOUT_PAUSE), runs);
		assert_int_equal(rollout_allows(s, ROLLOUT_RESUME), stopped);
		assert_int_equal(rollout_allows(s, ROLLOUT_CANCEL), runs || stopped);
		assert_int_equal(rollout_allows(s, ROLLOUT_ROLLBACK), runs || stopped);
		assert_int_equal(rollout_state_parse(rollout_state_text(s), &parsed), 0);
		assert_int_equal(parsed, s);
	}
}

static void lead_grows_with_the_labels(void **state)
{
	struct rollout_rules rules = {.lead_us = 0};

	(void) state;
	assert_int_equal(rollout_lead_us(&rules, 0), 15 * US_PER_SEC);
	assert_int_equal(rollout_lead_us(&rules, 5000), 35 * US_PER_SEC);
	rules.lead_us = 3 * US_PER_SEC;
	assert_int_equal(rollout_lead_us(&rules, 5000), 3 * US_PER_SEC);
}

/* --- waves ------------------------------------------------------------------------------------ */

static void canary_is_small_and_whole(void **state)
{
	struct rollout_plan_product p[100];
	struct rollout_plan plan;

	(void) state;
	for (size_t i = 0; i < 100; i++)
		p[i] = (struct rollout_plan_product){.labels = 3};
	rollout_plan_default(&plan);
	rollout_plan_waves(&plan, p, 100);
	assert_int_equal(plan.n_waves, 3);
	assert_int_equal(plan.products[0], 2);
	assert_int_equal(plan.products[1], 23);
	assert_int_equal(plan.products[2], 75);
	assert_int_equal(plan.labels[0], 6);
	assert_int_equal(p[1].wave, 1);
	assert_int_equal(p[2].wave, 2);
	assert_int_equal(p[99].wave, 3);
}

static void canary_has_a_product_at_least_with_a_label(void **state)
{
	struct rollout_plan_product p[4] = {
		{.labels = 0}, {.labels = 2}, {.labels = 1}, {.labels = 1}};
	struct rollout_plan plan;

	(void) state;
	rollout_plan_default(&plan);
	rollout_plan_waves(&plan, p, 4);
	assert_int_equal(p[1].wave, 1);
	assert_int_equal(p[0].wave, plan.n_waves); /* nothing to learn from it */
	assert_int_equal(plan.n_waves, 3);
}

static void empty_waves_are_left_out(void **state)
{
	struct rollout_plan_product p[2] = {{.labels = 9}, {.labels = 9}};
	struct rollout_plan plan;

	(void) state;
	rollout_plan_default(&plan);
	rollout_plan_waves(&plan, p, 2);
	assert_int_equal(plan.n_waves, 2);
	assert_int_equal(plan.products[0] + plan.products[1], 2);
	assert_true(plan.percents[1] == 100);
	rollout_plan_default(&plan);
	rollout_plan_waves(&plan, p, 1);
	assert_int_equal(plan.n_waves, 1);
	assert_int_equal(p[0].wave, 1);
}

static void products_without_labels_are_counted_as_products(void **state)
{
	struct rollout_plan_product p[50] = {{0}};
	struct rollout_plan plan;

	(void) state;
	rollout_plan_default(&plan);
	rollout_plan_waves(&plan, p, 50);
	assert_int_equal(plan.products[0], 1);
	assert_int_equal(plan.products[1], 12);
	assert_int_equal(plan.products[2], 37);
}

/* --- one label -------------------------------------------------------------------------------- */

static struct rollout_label_facts on_shelf(void)
{
	return (struct rollout_label_facts){
		.now_us = NOW,
		.began_us = NOW - 600 * US_PER_SEC,
		.settle_us = 120 * US_PER_SEC,
		.product = ROLLOUT_PRODUCT_STAGING,
		.adopted = true,
		.online = true,
		.agent = "ap-one",
		.lost_text = "",
		.error_text = "",
		.slots = 3,
		.pictures = 2,
		.drawn = true,
		.has_wish = true,
		.has_held = true,
		.before = {.state = ROLLOUT_LABEL_WAITING},
	};
}

static struct rollout_label_verdict judge(const struct rollout_label_facts *f)
{
	struct rollout_label_verdict v;

	rollout_label_judge(f, &v);
	return v;
}

static void label_is_staged_when_it_says_so(void **state)
{
	struct rollout_label_facts f = on_shelf();

	(void) state;
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_STAGING);
	assert_true(judge(&f).stageable);
	f.drawn = false;
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_DRAWING);
	f.held_staged_us = NOW - 5;
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_DRAWING);
	f.drawn = true;
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_STAGED);
	assert_int_equal(judge(&f).row.staged_us, NOW - 5);
}

static void label_that_needs_no_new_picture_is_staged(void **state)
{
	struct rollout_label_facts f = on_shelf();

	(void) state;
	f.has_held = false; /* a promotion hides the change */
	assert_true(judge(&f).staged);
	f = on_shelf();
	f.shows_held = true;
	assert_true(judge(&f).staged);
}

static void label_without_a_slot_to_spare_is_not_waited_for(void **state)
{
	struct rollout_label_facts f = on_shelf();

	(void) state;
	f.slots = 1;
	assert_false(judge(&f).stageable);
	assert_true(judge(&f).reachable);
	assert_non_null(strstr(judge(&f).row.reason, "room for one picture"));
	f.slots = 2;
	f.pictures = 3;
	assert_false(judge(&f).stageable);
	assert_non_null(strstr(judge(&f).row.reason, "slots are taken"));
}

static void trouble_of_before_is_not_held_against_the_rollout(void **state)
{
	struct rollout_label_facts f = on_shelf();

	(void) state;
	f.error = 5;
	f.error_us = f.began_us - 1;
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_STAGING);
	f.error_us = NOW;
	f.error_text = "It broke.";
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_FAILED);
	assert_string_equal(judge(&f).row.reason, "It broke.");
	f.error = 0;
	f.lost_us = f.began_us - 1;
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_FAILED);
	assert_true(judge(&f).lost_before);
	f.lost_us = NOW - 1;
	assert_false(judge(&f).lost_before);
}

static void silent_label_fails_when_its_time_is_over(void **state)
{
	struct rollout_label_facts f = on_shelf();

	(void) state;
	f.product = ROLLOUT_PRODUCT_FLIPPED;
	f.before.staged_us = NOW - 100;
	f.flip_us = NOW - 119 * US_PER_SEC;
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_STAGED);
	f.flip_us = NOW - 120 * US_PER_SEC;
	f.online = false;
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_FAILED);
	assert_string_equal(
		judge(&f).row.reason,
		"It has not shown the new price in time. Access point ap-one is offline.");
	f.shows_wish = true; /* late, but it does */
	f.grade = EVIDENCE_CONFIRMED;
	f.shown_since_us = NOW - 1;
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_SHOWN);
}

static void evidence_is_kept_while_the_price_holds(void **state)
{
	struct rollout_label_facts f = on_shelf();
	struct rollout_label_verdict v;

	(void) state;
	f.product = ROLLOUT_PRODUCT_FLIPPED;
	f.flip_us = NOW - US_PER_SEC;
	f.shows_wish = true;
	f.grade = EVIDENCE_ACKNOWLEDGED;
	f.shown_since_us = NOW - 1;
	v = judge(&f);
	assert_int_equal(v.row.state, ROLLOUT_LABEL_FLIPPED);
	assert_int_equal(v.row.flipped_us, NOW - 1);
	assert_int_equal(v.row.shown_us, 0);
	f.before = v.row;
	f.grade = EVIDENCE_CONFIRMED;
	v = judge(&f);
	assert_int_equal(v.row.state, ROLLOUT_LABEL_SHOWN);
	f.before = v.row;
	f.drawn = false; /* its name was corrected meanwhile */
	f.shows_wish = false;
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_SHOWN);
}

static void going_back_wants_evidence_too(void **state)
{
	struct rollout_label_facts f = on_shelf();

	(void) state;
	f.product = ROLLOUT_PRODUCT_BACK;
	f.flip_us = NOW - 300 * US_PER_SEC;
	f.back_us = NOW + 1;
	f.before = (struct rollout_label_row){.state = ROLLOUT_LABEL_SHOWN, .flipped_us = NOW - 9};
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_SHOWN);
	f.back_us = NOW;
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_SHOWN);
	assert_non_null(strstr(judge(&f).row.reason, "old price"));
	f.shows_wish = true;
	f.grade = EVIDENCE_ACKNOWLEDGED;
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_BACK);
	f.shows_wish = false;
	f.back_us = NOW - f.settle_us;
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_FAILED);
	f.back_us = f.flip_us = 0; /* its wave never flipped */
	f.before = (struct rollout_label_row){.state = ROLLOUT_LABEL_STAGED};
	assert_int_equal(judge(&f).row.state, ROLLOUT_LABEL_WAITING);
}

/* --- forecast --------------------------------------------------------------------------------- */

static struct forecast_facts three_waves(void)
{
	return (struct forecast_facts){
		.now_us = NOW,
		.n_waves = 3,
		.rules = {.settle_us = 100 * US_PER_SEC, .lead_us = 10 * US_PER_SEC},
		.waves = {{.labels = 4, .to_stage = 2},
			  {.labels = 40, .to_stage = 20},
			  {.labels = 200, .to_stage = 100}},
	};
}

static void forecast_adds_staging_lead_and_settling(void **state)
{
	struct forecast_facts f = three_waves();
	struct forecast c;

	(void) state;
	f.rate = 2;
	forecast_make(&f, &c);
	assert_int_equal(c.finish_us - NOW, (1 + 10 + 50 + 3 * 110) * US_PER_SEC);
	assert_non_null(strstr(c.why, "122 pictures"));
	assert_non_null(strstr(c.why, "measured"));
	f.rate = 0;
	forecast_make(&f, &c);
	assert_non_null(strstr(c.why, "assumed"));
	f.rate_told = 5;
	forecast_make(&f, &c);
	assert_int_equal(c.finish_us - NOW, (1 + 4 + 20 + 3 * 110) * US_PER_SEC);
	assert_non_null(strstr(c.why, "as the access points say"));
	f.rate_before = 4;
	forecast_make(&f, &c);
	assert_int_equal(c.finish_us - NOW, (1 + 5 + 25 + 3 * 110) * US_PER_SEC);
	assert_non_null(strstr(c.why, "as in the rollout before"));
	f.start_us = NOW + 3600 * US_PER_SEC;
	f.rate = 2;
	forecast_make(&f, &c);
	assert_int_equal(c.finish_us - NOW, (3600 + 391) * US_PER_SEC);
}

static void forecast_looks_ahead_from_where_it_stands(void **state)
{
	struct forecast_facts f = three_waves();
	struct forecast c;

	(void) state;
	f.rate = 2;
	f.wave = 2;
	f.flip_us = NOW - 40 * US_PER_SEC; /* settling: sixty seconds to go */
	f.waves[0].staged = 4;
	f.waves[1].staged = 40;
	forecast_make(&f, &c);
	assert_int_equal(c.finish_us - NOW, (60 + 50 + 110) * US_PER_SEC);
	assert_int_equal(forecast_staged(&c, NOW), 44);
	assert_int_equal(forecast_staged(&c, c.finish_us), 244);
	assert_int_equal(forecast_staged(&c, NOW + 85 * US_PER_SEC), 144);
}

static void forecast_survives_being_kept(void **state)
{
	struct forecast_facts f = three_waves();
	struct forecast c, d;
	char *text;

	(void) state;
	forecast_make(&f, &c);
	text = forecast_pack(&c);
	assert_non_null(text);
	assert_true(forecast_unpack(text, &d));
	assert_int_equal(d.finish_us, c.finish_us);
	assert_string_equal(d.why, c.why);
	assert_int_equal(d.n, c.n);
	assert_memory_equal(d.points, c.points, c.n * sizeof c.points[0]);
	free(text);
	assert_false(forecast_unpack("", &d));
	assert_false(forecast_unpack("[1]", &d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gate_opens_when_its_share_is_staged),
		cmocka_unit_test(gate_never_rounds_down),
		cmocka_unit_test(gate_leaves_out_who_cannot_be_reached_or_staged),
		cmocka_unit_test(gate_stays_shut_when_too_many_are_cut_off),
		cmocka_unit_test(gate_that_does_not_open_in_time_halts_with_its_numbers),
		cmocka_unit_test(wave_without_labels_waits_for_nobody),
		cmocka_unit_test(failures_above_the_threshold_halt),
		cmocka_unit_test(what_is_accepted_covers_failed_and_cut_off),
		cmocka_unit_test(waves_follow_one_another_after_settling),
		cmocka_unit_test(rolling_back_ends_with_the_last_label_or_with_time),
		cmocka_unit_test(only_a_person_goes_on_from_a_stop),
		cmocka_unit_test(each_state_allows_what_makes_sense),
		cmocka_unit_test(lead_grows_with_the_labels),
		cmocka_unit_test(canary_is_small_and_whole),
		cmocka_unit_test(canary_has_a_product_at_least_with_a_label),
		cmocka_unit_test(empty_waves_are_left_out),
		cmocka_unit_test(products_without_labels_are_counted_as_products),
		cmocka_unit_test(label_is_staged_when_it_says_so),
		cmocka_unit_test(label_that_needs_no_new_picture_is_staged),
		cmocka_unit_test(label_without_a_slot_to_spare_is_not_waited_for),
		cmocka_unit_test(trouble_of_before_is_not_held_against_the_rollout),
		cmocka_unit_test(silent_label_fails_when_its_time_is_over),
		cmocka_unit_test(evidence_is_kept_while_the_price_holds),
		cmocka_unit_test(going_back_wants_evidence_too),
		cmocka_unit_test(forecast_adds_staging_lead_and_settling),
		cmocka_unit_test(forecast_looks_ahead_from_where_it_stands),
		cmocka_unit_test(forecast_survives_being_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
