/* SPDX-License-Identifier: Apache-2.0 */
/* Rollouts over a shelf of labels, in virtual time: from the request to the last label. */
#include "tests/unit/rollout_shop.h"

static struct shelf shelf;

static void open_shelf(void **state, size_t n)
{
	shelf_open(&shelf, *state, n);
}

static void held_picture_is_wanted_and_not_shown(void **state)
{
	struct label l;
	int64_t id;

	open_shelf(state, 4);
	id = shelf_start(&shelf, 4, TWO_WAVES);
	assert_string_equal(shelf_state(&shelf, id), "staging");
	assert_string_equal(env_text(shelf.e, "waves.0.state"), "staging");
	assert_string_equal(env_text(shelf.e, "waves.1.state"), "waiting");
	l = shelf_label(&shelf, 0);
	assert_int_equal(l.n_wanted, 2);
	assert_non_null(shelf_held(&l));
	assert_int_equal(shelf_held(&l)->price_minor, 150);
	assert_int_equal(shelf_price(&shelf, 0), 100);
	l = shelf_label(&shelf, 1);
	assert_int_equal(l.n_wanted, 1); /* its wave has not begun */
	assert_int_equal(env_call(shelf.e, "GET", "/api/v1/labels/C0FFEE000001", NULL), 200);
	assert_int_equal(env_int(shelf.e, "ahead.0.price_minor"), 150);
	assert_null(strstr(shelf.e->body, "9999"));
	assert_non_null(strstr(shelf.e->body, "\"held\":true"));
	assert_int_equal(env_call(shelf.e, "GET", "/api/v1/labels/C0FFEE000001/history", NULL),
			 200);
	assert_string_equal(env_text(shelf.e, "items.0.kind"), "held");
	assert_null(strstr(shelf.e->body, "9999"));
}

static void rollout_goes_out_wave_by_wave(void **state)
{
	int64_t id;

	open_shelf(state, 4);
	id = shelf_settle_first(&shelf);
	assert_int_equal(shelf_price(&shelf, 0), 150);
	assert_int_equal(shelf_price(&shelf, 1), 100);
	shelf_show(&shelf, 0, EVIDENCE_CONFIRMED);
	shelf_pass(&shelf, 3 * SECOND);
	assert_int_equal(shelf_count(&shelf, id, "shown"), 1);
	assert_string_equal(env_text(shelf.e, "state"), "settling");
	shelf_pass(&shelf, 2 * MINUTE);
	assert_string_equal(shelf_state(&shelf, id), "staging");
	assert_int_equal(env_int(shelf.e, "wave"), 2);
	assert_string_equal(env_text(shelf.e, "waves.0.state"), "settled");
	for (size_t i = 1; i < 4; i++)
		shelf_stage(&shelf, i);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "flipping");
	shelf_pass(&shelf, 11 * SECOND);
	for (size_t i = 1; i < 4; i++) {
		assert_int_equal(shelf_price(&shelf, i), 150);
		shelf_show(&shelf, i, EVIDENCE_CONFIRMED);
	}
	shelf_pass(&shelf, 2 * MINUTE + 5 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "done");
	assert_int_equal(env_int(shelf.e, "total"), 4);
	assert_int_equal(env_int(shelf.e, "shown"), 4);
	assert_int_equal(env_int(shelf.e, "failed"), 0);
	for (size_t i = 0; i < 4; i++) {
		struct label l = shelf_label(&shelf, i);

		assert_null(shelf_held(&l)); /* closed: the old picture may go */
		assert_int_equal(l.n_wanted, 1);
	}
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM prices WHERE price_minor = 150"),
			 4);
}

static void all_prices_of_a_wave_have_one_instant(void **state)
{
	int64_t id;

	open_shelf(state, 4);
	id = shelf_start(&shelf, 4, "\"waves\":[{\"percent\":100}],");
	for (size_t i = 0; i < 4; i++)
		shelf_stage(&shelf, i);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "flipping");
	assert_int_equal(env_number(shelf.e, "SELECT count(DISTINCT from_at) FROM prices"
					     " WHERE price_minor = 150"),
			 1);
	for (size_t i = 0; i < 4; i++) {
		struct label l = shelf_label(&shelf, i);

		assert_int_equal(l.n_wanted, 3); /* old, new at its instant, old to go back to */
		assert_int_equal(l.wanted[2].from_us, PROTO_HOLD_US);
		assert_memory_equal(l.wanted[0].image, l.wanted[2].image, IMAGE_HASH_BYTES);
	}
}

static void failed_canary_halts_and_goes_back(void **state)
{
	char text[400];
	int64_t id;

	open_shelf(state, 4);
	id = shelf_settle_first(&shelf);
	shelf_report(&shelf, 0, LABEL_LOST, NULL, 0);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "halted");
	assert_non_null(strstr(env_text(shelf.e, "reason"), "1 of 1 labels failed"));
	assert_string_equal(shelf_label_state(&shelf, id, 0, text), "failed: It is silent.");
	assert_int_equal(shelf_say(&shelf, id, "rollback", "{\"reason\":\"wrong list\"}"), 200);
	assert_string_equal(shelf_state(&shelf, id), "rolling-back");
	assert_non_null(strstr(env_text(shelf.e, "reason"), "wrong list"));
	shelf_pass(&shelf, 11 * SECOND);
	assert_int_equal(shelf_price(&shelf, 0), 100);
	shelf_show(&shelf, 0, EVIDENCE_ACKNOWLEDGED);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "rolled-back");
	assert_int_equal(env_int(shelf.e, "rolled_back"), 1);
	assert_string_equal(shelf_label_state(&shelf, id, 0, text), "rolled-back: ");
	/* undone as new changes: the ledger has both */
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM prices WHERE product_id = 1"),
			 3);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(shelf_price(&shelf, i), 100);
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM prices WHERE product_id > 1"),
			 3);
}

static void label_that_says_nothing_fails_at_the_end_of_its_time(void **state)
{
	char text[400];
	int64_t id;

	open_shelf(state, 4);
	id = shelf_settle_first(&shelf);
	shelf_pass(&shelf, 100 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "settling");
	shelf_pass(&shelf, 30 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "halted");
	assert_non_null(strstr(shelf_label_state(&shelf, id, 0, text), "in time"));
	/* it answers after all, and a person lets it go on */
	shelf_show(&shelf, 0, EVIDENCE_CONFIRMED);
	shelf_pass(&shelf, 3 * SECOND);
	assert_int_equal(shelf_say(&shelf, id, "resume", NULL), 200);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "staging");
	assert_int_equal(env_int(shelf.e, "wave"), 2);
}

static void resumed_after_a_halt_the_failures_are_accepted(void **state)
{
	int64_t id;

	open_shelf(state, 4);
	id = shelf_settle_first(&shelf);
	shelf_report(&shelf, 0, LABEL_LOST, NULL, 0);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "halted");
	assert_int_equal(shelf_say(&shelf, id, "resume", NULL), 200);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "settling");
	shelf_pass(&shelf, 2 * MINUTE);
	assert_string_equal(shelf_state(&shelf, id), "staging");
	assert_int_equal(env_int(shelf.e, "failed"), 1);
}

static void gate_that_stays_shut_halts(void **state)
{
	int64_t id;

	open_shelf(state, 4);
	id = shelf_start(&shelf, 4, TWO_WAVES "\"gate\":{\"timeout_s\":60},");
	for (int i = 0; i < 50; i += 10)
		shelf_pass(&shelf, 10 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "staging");
	shelf_pass(&shelf, 15 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "halted");
	assert_non_null(strstr(env_text(shelf.e, "reason"), "0 of 1 labels have the new picture"));
	assert_non_null(strstr(env_text(shelf.e, "reason"), "ap-one"));
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM prices WHERE price_minor = 150"),
			 0);
	assert_int_equal(shelf_say(&shelf, id, "resume", NULL), 200);
	shelf_stage(&shelf, 0);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "flipping");
}

static void access_point_that_is_away_keeps_the_gate_shut(void **state)
{
	char text[400];
	int64_t id;

	open_shelf(state, 4);
	id = shelf_start(&shelf, 4, TWO_WAVES);
	shelf_stage(&shelf, 0);
	/* nobody polls for minutes before the step is taken */
	assert_int_equal(shelf_say(&shelf, id, "pause", NULL), 200);
	env_advance(shelf.e, 10 * MINUTE);
	assert_int_equal(shelf_say(&shelf, id, "resume", NULL), 200);
	env_advance(shelf.e, MINUTE);
	assert_string_equal(shelf_state(&shelf, id), "staging");
	assert_non_null(strstr(shelf_label_state(&shelf, id, 0, text), "staged"));
	shelf_pass(&shelf, 3 * SECOND); /* it is back */
	assert_string_equal(shelf_state(&shelf, id), "flipping");
}

static void pause_holds_in_every_state(void **state)
{
	int64_t id;

	open_shelf(state, 4);
	id = shelf_start(&shelf, 4, TWO_WAVES);
	assert_int_equal(shelf_say(&shelf, id, "pause", "{\"reason\":\"lunch\"}"), 200);
	shelf_stage(&shelf, 0);
	shelf_pass(&shelf, 5 * MINUTE);
	assert_string_equal(shelf_state(&shelf, id), "paused");
	assert_string_equal(env_text(shelf.e, "reason"), "Paused by manager: lunch");
	assert_string_equal(env_text(shelf.e, "forecast.finish"), "");
	assert_true(strlen(env_text(shelf.e, "first_forecast.finish")) > 0);
	assert_int_equal(env_int(shelf.e, "staged"), 1); /* what is known goes on */
	assert_int_equal(shelf_price(&shelf, 0), 100);
	assert_int_equal(shelf_say(&shelf, id, "pause", NULL), 409);
	assert_string_equal(env_text(shelf.e, "code"), "wrong-state");
	assert_int_equal(shelf_say(&shelf, id, "resume", NULL), 200);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "flipping");
	assert_int_equal(shelf_say(&shelf, id, "pause", NULL), 200);
	shelf_pass(&shelf, MINUTE);
	assert_string_equal(shelf_state(&shelf, id), "paused");
	assert_int_equal(shelf_price(&shelf, 0), 150); /* what has its instant, happens */
	shelf_show(&shelf, 0, EVIDENCE_CONFIRMED);
	shelf_pass(&shelf, 10 * MINUTE);
	assert_string_equal(shelf_state(&shelf, id), "paused");
	assert_int_equal(env_int(shelf.e, "shown"), 1);
	assert_int_equal(shelf_say(&shelf, id, "resume", NULL), 200);
	shelf_pass(&shelf, 3 * SECOND);
	assert_int_equal(shelf_count(&shelf, id, "wave"), 2);
	assert_int_equal(shelf_say(&shelf, id, "resume", NULL), 409);
}

static void scheduled_rollout_waits_for_its_start(void **state)
{
	char more[128], at[CLOCK_RFC3339_MAX];
	int64_t id;

	open_shelf(state, 4);
	snprintf(more, sizeof more, TWO_WAVES "\"start\":\"%s\",",
		 clock_rfc3339(clock_real_us(shelf.e->app.clock) + 10 * MINUTE, at));
	id = shelf_start(&shelf, 4, more);
	shelf_pass(&shelf, 5 * MINUTE);
	assert_string_equal(shelf_state(&shelf, id), "scheduled");
	assert_int_equal(shelf_say(&shelf, id, "pause", NULL), 200);
	shelf_pass(&shelf, 6 * MINUTE);
	assert_string_equal(shelf_state(&shelf, id), "paused");
	assert_int_equal(shelf_say(&shelf, id, "resume", NULL), 200);
	shelf_pass(&shelf, SECOND);
	assert_string_equal(shelf_state(&shelf, id), "staging");
}

static void cancelled_before_its_flip_leaves_nothing_behind(void **state)
{
	struct label l;
	char text[400];
	int64_t id;

	open_shelf(state, 4);
	id = shelf_start(&shelf, 4, TWO_WAVES);
	shelf_stage(&shelf, 0);
	assert_int_equal(shelf_say(&shelf, id, "cancel", NULL), 200);
	assert_string_equal(env_text(shelf.e, "state"), "cancelled");
	shelf_pass(&shelf, MINUTE);
	l = shelf_label(&shelf, 0);
	assert_int_equal(l.n_wanted, 1);
	assert_int_equal(shelf_price(&shelf, 0), 100);
	assert_non_null(strstr(shelf_label_state(&shelf, id, 0, text), "cancelled"));
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM prices WHERE price_minor = 150"),
			 0);
	assert_int_equal(shelf_say(&shelf, id, "resume", NULL), 409);
	assert_int_equal(shelf_say(&shelf, id, "rollback", NULL), 409);
	shelf_start(&shelf, 4, TWO_WAVES); /* the products are free again */
}

static void cancelled_later_keeps_what_has_flipped(void **state)
{
	struct label l;
	int64_t id;

	open_shelf(state, 4);
	id = shelf_settle_first(&shelf);
	assert_int_equal(shelf_say(&shelf, id, "cancel", NULL), 200);
	shelf_pass(&shelf, 10 * MINUTE);
	assert_int_equal(shelf_price(&shelf, 0), 150);
	l = shelf_label(&shelf, 0);
	assert_null(shelf_held(&l));
	assert_int_equal(shelf_price(&shelf, 1), 100);
}

static void rollback_during_the_flip_comes_after_it(void **state)
{
	int64_t id, flip, back;

	open_shelf(state, 4);
	id = shelf_flip_first(&shelf);
	assert_int_equal(shelf_say(&shelf, id, "rollback", NULL), 200);
	flip = env_number(shelf.e, "SELECT from_at FROM prices WHERE price_minor = 150");
	back = env_number(shelf.e, "SELECT max(from_at) FROM prices WHERE product_id = 1");
	assert_true(back > flip);
	shelf_pass(&shelf, 3 * MINUTE);
	assert_int_equal(shelf_price(&shelf, 0), 100);
	assert_string_equal(shelf_state(&shelf, id), "rolled-back");
}

static void rollback_before_any_flip_only_lets_go(void **state)
{
	struct label l;
	int64_t id;

	open_shelf(state, 4);
	id = shelf_start(&shelf, 4, TWO_WAVES);
	assert_int_equal(shelf_say(&shelf, id, "rollback", NULL), 200);
	shelf_pass(&shelf, 30 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "rolled-back");
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM prices"), 4);
	l = shelf_label(&shelf, 0);
	assert_null(shelf_held(&l));
}

/* --- being killed ----------------------------------------------------------------------------- */

static void restart_goes_on_from_every_state(void **state)
{
	int64_t id;

	open_shelf(state, 4);
	id = shelf_start(&shelf, 4, TWO_WAVES);
	env_restart(shelf.e);
	assert_string_equal(shelf_state(&shelf, id), "staging");
	shelf_stage(&shelf, 0);
	shelf_stage(&shelf, 0); /* an access point that starts anew says it again */
	assert_int_equal(
		env_number(shelf.e, "SELECT count(*) FROM display_ledger WHERE kind = 'staged'"),
		1);
	env_restart(shelf.e);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "flipping");
	env_restart(shelf.e);
	shelf_pass(&shelf, 11 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "settling");
	env_restart(shelf.e);
	shelf_report(&shelf, 0, LABEL_LOST, NULL, 0);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "halted");
	env_restart(shelf.e);
	assert_string_equal(shelf_state(&shelf, id), "halted");
	assert_int_equal(shelf_say(&shelf, id, "rollback", NULL), 200);
	env_restart(shelf.e);
	assert_string_equal(shelf_state(&shelf, id), "rolling-back");
	shelf_pass(&shelf, 11 * SECOND);
	shelf_show(&shelf, 0, EVIDENCE_CONFIRMED);
	env_restart(shelf.e);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "rolled-back");
	assert_int_equal(shelf_price(&shelf, 0), 100);
}

static void write_that_fails_leaves_nothing_half_done(void **state)
{
	int64_t id;

	open_shelf(state, 4);
	id = shelf_start(&shelf, 4, "\"waves\":[{\"percent\":100}],");
	/* the third price of the wave cannot be written */
	assert_int_equal(env_sql(shelf.e, "CREATE TRIGGER broken BEFORE INSERT ON prices"
					  " WHEN NEW.product_id = 3 BEGIN"
					  " SELECT RAISE(ABORT, 'no'); END"),
			 0);
	for (size_t i = 0; i < 4; i++)
		shelf_stage(&shelf, i);
	shelf_pass(&shelf, 5 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "staging");
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM prices WHERE price_minor = 150"),
			 0);
	assert_int_equal(env_sql(shelf.e, "DROP TRIGGER broken"), 0);
	shelf_pass(&shelf, 5 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "flipping");
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM prices WHERE price_minor = 150"),
			 4);
}

/* --- any mixture ------------------------------------------------------------------------------ */

enum habit {
	GOOD,
	SLOW,
	SILENT,
	DEAF_AFTER_FLIP
};

static uint64_t seed;

static unsigned int dice(unsigned int sides)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned int) (seed >> 33) % sides;
}

/* What a label does in two seconds. */
static void live(size_t i, enum habit habit)
{
	struct label l = shelf_label(&shelf, i);
	const struct label_wish *held = shelf_held(&l),
				*now = label_wish_at(&l, clock_real_us(shelf.e->app.clock));

	if (l.lost || habit == SILENT || (habit == SLOW && dice(20)))
		return;
	if (held && !held->staged_us && dice(3) == 0)
		shelf_report(&shelf, i, LABEL_STAGED, held->image, 0);
	if (!now || (l.shown.at_us && memcmp(l.shown.image, now->image, IMAGE_HASH_BYTES) == 0))
		return;
	if (habit == DEAF_AFTER_FLIP && now->price_minor == 150)
		shelf_report(&shelf, i, LABEL_LOST, NULL, 0);
	else if (dice(3) == 0)
		shelf_show(&shelf, i, dice(2) ? EVIDENCE_ACKNOWLEDGED : EVIDENCE_CONFIRMED);
}

/* What must be true at any instant. */
static void check_rules(int64_t id)
{
	/* the ledger has exactly the prices of flipped products, each wave at one instant */
	assert_int_equal(
		env_number(shelf.e, "SELECT count(*) FROM prices WHERE price_minor = 150"),
		env_number(shelf.e, "SELECT count(*) FROM rollout_products WHERE flip_price > 0"));
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM (SELECT 1 FROM rollout_products"
					     " WHERE flip_at > 0 GROUP BY wave"
					     " HAVING count(DISTINCT flip_at) > 1)"),
			 0);
	/* a wave begins when the one before has settled */
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM rollout_waves a JOIN"
					     " rollout_waves b ON b.n = a.n + 1 WHERE"
					     " a.state = 'waiting' AND b.state <> 'waiting'"),
			 0);
	/* nothing is held once it is over */
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM rollouts r JOIN"
					     " rollout_products p ON p.rollout_id = r.id WHERE"
					     " r.finished IS NOT NULL AND (p.hold OR p.open)"),
			 0);
	shelf_get(&shelf, id);
	assert_true(env_int(shelf.e, "shown") <= env_int(shelf.e, "flipped"));
	assert_true(env_int(shelf.e, "flipped") <= env_int(shelf.e, "total"));
}

static void meddle(int64_t id)
{
	const char *state = shelf_state(&shelf, id);

	if (dice(15) == 0)
		env_restart(shelf.e);
	else if (strcmp(state, "halted") == 0 && dice(5) == 0)
		assert_int_equal(shelf_say(&shelf, id, dice(2) ? "resume" : "rollback", NULL), 200);
	else if (strcmp(state, "paused") == 0 && dice(4) == 0)
		assert_int_equal(shelf_say(&shelf, id, "resume", NULL), 200);
	else if (dice(30) == 0)
		(void) shelf_say(&shelf, id, "pause", NULL);
}

static void check_mixture(void **state, uint64_t with_seed)
{
	enum habit habits[8];
	int64_t id;

	seed = with_seed;
	print_message("# seed %d\n", (int) seed);
	open_shelf(state, 8);
	for (size_t i = 0; i < 8; i++)
		habits[i] = dice(3) ? GOOD : 1 + dice(3);
	id = shelf_start(&shelf, 8,
			 "\"waves\":[{\"percent\":12},{\"percent\":50},{\"percent\":100}],"
			 "\"settle_s\":30,\"gate\":{\"staged_percent\":60,\"timeout_s\":60},"
			 "\"halt\":{\"failed_percent\":30},");
	for (int t = 0; t < 600; t++) {
		for (size_t i = 0; i < 8; i++)
			live(i, habits[i]);
		shelf_pass(&shelf, 2 * SECOND);
		check_rules(id);
		if (env_number(shelf.e, "SELECT finished IS NOT NULL FROM rollouts"))
			break;
		meddle(id);
	}
	shelf_pass(&shelf, 20 * SECOND);
	shelf_get(&shelf, id);
	if (strcmp(env_text(shelf.e, "state"), "halted") == 0)
		return; /* nobody came */
	assert_true(strcmp(env_text(shelf.e, "state"), "done") == 0 ||
		    strcmp(env_text(shelf.e, "state"), "rolled-back") == 0);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(shelf_price(&shelf, i),
				 strcmp(shelf_state(&shelf, id), "done") == 0 ? 150 : 100);
}

static void rules_hold_whatever_labels_and_people_do(void **state)
{
	check_mixture(state, 1);
}

static void rules_hold_with_other_dice(void **state)
{
	check_mixture(state, 4);
}

static void rules_hold_with_a_third_throw(void **state)
{
	check_mixture(state, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, env_setup, env_teardown)
		T(held_picture_is_wanted_and_not_shown),
		T(rollout_goes_out_wave_by_wave),
		T(all_prices_of_a_wave_have_one_instant),
		T(failed_canary_halts_and_goes_back),
		T(label_that_says_nothing_fails_at_the_end_of_its_time),
		T(resumed_after_a_halt_the_failures_are_accepted),
		T(gate_that_stays_shut_halts),
		T(access_point_that_is_away_keeps_the_gate_shut),
		T(pause_holds_in_every_state),
		T(scheduled_rollout_waits_for_its_start),
		T(cancelled_before_its_flip_leaves_nothing_behind),
		T(cancelled_later_keeps_what_has_flipped),
		T(rollback_during_the_flip_comes_after_it),
		T(rollback_before_any_flip_only_lets_go),
		T(restart_goes_on_from_every_state),
		T(write_that_fails_leaves_nothing_half_done),
		T(rules_hold_whatever_labels_and_people_do),
		T(rules_hold_with_other_dice),
		T(rules_hold_with_a_third_throw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
