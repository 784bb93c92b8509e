/* SPDX-License-Identifier: Apache-2.0 */
/* Rollouts over a shelf of labels, in virtual time: from the request to the last label. */
#include "tests/unit/rollout_shop.h"

#define TWO_WAVES "\"waves\":[{\"percent\":25},{\"percent\":100}],"

static struct shelf shelf;

static void open_shelf(void **state, size_t n)
{
	shelf_open(&shelf, *state, n);
}

/* Wave 1 is staged and has its instant. */
static int64_t flip_first(void)
{
	int64_t id = shelf_start(&shelf, 4, TWO_WAVES);

	shelf_stage(&shelf, 0);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "flipping");
	return id;
}

/* And has flipped; whether its label says so is the caller's. */
static int64_t settle_first(void)
{
	int64_t id = flip_first();

	shelf_pass(&shelf, 10 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "settling");
	return id;
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
	id = settle_first();
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
	id = settle_first();
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
	id = settle_first();
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
	id = settle_first();
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
	id = settle_first();
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
	id = flip_first();
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

/* --- somebody else ---------------------------------------------------------------------------- */

static void change_price(size_t i, int minor)
{
	char body[120];

	snprintf(body, sizeof body, "{\"gtin\":\"%s\",\"price_minor\":%d}", shelf.gtin[i], minor);
	assert_int_equal(env_call(shelf.e, "POST", "/api/v1/price-changes", body), 201);
}

static void newer_price_before_the_flip_stands(void **state)
{
	struct label l;
	char text[400];
	int64_t id;

	open_shelf(state, 4);
	id = shelf_start(&shelf, 4, "\"waves\":[{\"percent\":100}],");
	change_price(2, 77);
	shelf_pass(&shelf, 3 * SECOND);
	assert_int_equal(shelf_count(&shelf, id, "total"), 3);
	assert_int_equal(env_int(shelf.e, "products"), 3);
	assert_non_null(strstr(shelf_label_state(&shelf, id, 2, text), "Somebody changed"));
	l = shelf_label(&shelf, 2);
	assert_null(shelf_held(&l));
	for (size_t i = 0; i < 4; i++)
		if (i != 2)
			shelf_stage(&shelf, i);
	shelf_pass(&shelf, 15 * SECOND);
	assert_int_equal(shelf_price(&shelf, 1), 150);
	assert_int_equal(shelf_price(&shelf, 2), 77);
}

static void newer_price_after_the_flip_is_not_rolled_back(void **state)
{
	int64_t id;

	open_shelf(state, 4);
	id = settle_first();
	change_price(0, 88);
	assert_int_equal(shelf_say(&shelf, id, "rollback", NULL), 200);
	shelf_pass(&shelf, 3 * MINUTE);
	assert_string_equal(shelf_state(&shelf, id), "rolled-back");
	assert_int_equal(shelf_price(&shelf, 0), 88);
}

static void newer_price_outlives_a_flip_that_has_its_instant(void **state)
{
	int64_t id;

	open_shelf(state, 4);
	id = flip_first();
	change_price(0, 88);
	shelf_pass(&shelf, 3 * SECOND);
	assert_int_equal(shelf_price(&shelf, 0), 88);
	shelf_pass(&shelf, MINUTE);
	assert_int_equal(shelf_price(&shelf, 0), 88);
	assert_int_equal(shelf_count(&shelf, id, "total"), 3);
}

/* A promotion that is running when this returns. */
static void promote(size_t i, const char *what)
{
	char body[400];

	snprintf(body, sizeof body,
		 "{\"name\":\"Deal\",%s,\"select\":{\"gtins\":[\"%s\"]},"
		 "\"start\":\"2026-11-18T11:10\",\"end\":\"2026-12-24T20:00\","
		 "\"state\":\"scheduled\"}",
		 what, shelf.gtin[i]);
	assert_int_equal(env_call(shelf.e, "POST", "/api/v1/promotions", body), 201);
	shelf_pass(&shelf, 5 * MINUTE);
}

static void promotion_in_percent_is_kept_in_mind(void **state)
{
	struct label l;
	int64_t id;

	open_shelf(state, 1);
	promote(0, "\"kind\":\"percent\",\"percent\":\"10\"");
	assert_int_equal(shelf_price(&shelf, 0), 90);
	id = shelf_start(&shelf, 1, "");
	l = shelf_label(&shelf, 0);
	assert_non_null(shelf_held(&l));
	assert_int_equal(shelf_held(&l)->price_minor, 135); /* what it will show */
	shelf_stage(&shelf, 0);
	shelf_pass(&shelf, 15 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "settling");
	assert_int_equal(shelf_price(&shelf, 0), 135);
	l = shelf_label(&shelf, 0);
	assert_int_equal(shelf_held(&l)->price_minor, 90);   /* and the way back */
	assert_true(l.wanted[l.n_wanted - 2].staged_us > 0); /* the very picture that was staged */
}

static void fixed_promotion_hides_the_change(void **state)
{
	struct label l;
	int64_t id;

	open_shelf(state, 1);
	promote(0, "\"kind\":\"fixed\",\"price_minor\":50");
	assert_int_equal(shelf_price(&shelf, 0), 50);
	shelf_show(&shelf, 0, EVIDENCE_CONFIRMED);
	id = shelf_start(&shelf, 1, "");
	l = shelf_label(&shelf, 0);
	if (shelf_held(&l)) { /* only the crossed out price differs */
		assert_int_equal(shelf_held(&l)->price_minor, 50);
		shelf_stage(&shelf, 0);
	}
	shelf_pass(&shelf, 20 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "settling");
	assert_int_equal(shelf_price(&shelf, 0), 50);
	shelf_show(&shelf, 0, EVIDENCE_CONFIRMED);
	shelf_pass(&shelf, 3 * SECOND);
	assert_int_equal(shelf_count(&shelf, id, "shown"), 1);
}

static void label_that_moves_must_be_staged_anew(void **state)
{
	char text[400];
	int64_t id;

	open_shelf(state, 4);
	id = shelf_start(&shelf, 4, "\"waves\":[{\"percent\":100}],");
	for (size_t i = 0; i < 4; i++)
		shelf_stage(&shelf, i);
	assert_int_equal(shelf_say(&shelf, id, "pause", NULL), 200);
	shelf_report(&shelf, 0, LABEL_LOST, NULL, 0);
	env_new_label(shelf.e, &shelf.ap[1], shelf_addr(0)); /* the other one hears it */
	assert_int_equal(shelf_label(&shelf, 0).agent_id, 2);
	shelf_pass(&shelf, 3 * SECOND);
	assert_int_equal(shelf_say(&shelf, id, "resume", NULL), 200);
	shelf_pass(&shelf, 5 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "staging");
	assert_non_null(strstr(shelf_label_state(&shelf, id, 0, text), "ap-two is sending"));
	shelf_stage(&shelf, 0);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "flipping");
}

static void label_joins_and_leaves_with_its_link(void **state)
{
	char text[400];
	int64_t id;

	open_shelf(state, 4);
	id = shelf_start(&shelf, 3, "\"waves\":[{\"percent\":100}],");
	assert_int_equal(shelf_count(&shelf, id, "total"), 3);
	shelf_link(&shelf, 3, 0); /* a second label for product 0 */
	shelf_pass(&shelf, 3 * SECOND);
	assert_int_equal(shelf_count(&shelf, id, "total"), 4);
	shelf_stage(&shelf, 3);
	assert_int_equal(env_call(shelf.e, "DELETE", "/api/v1/labels/C0FFEE000003/link", NULL),
			 204);
	shelf_pass(&shelf, 3 * SECOND);
	assert_int_equal(shelf_count(&shelf, id, "total"), 3);
	assert_string_equal(shelf_label_state(&shelf, id, 2, text), "");
	assert_string_equal(shelf_label_state(&shelf, id, 3, text), "staged: ");
}

static void label_with_one_slot_is_not_waited_for(void **state)
{
	char text[400];
	int64_t id;

	open_shelf(state, 4);
	env_sql(shelf.e, "UPDATE labels SET slots = 1 WHERE addr = 0xC0FFEE000001");
	id = shelf_start(&shelf, 4, "\"waves\":[{\"percent\":100}],");
	for (size_t i = 1; i < 4; i++)
		shelf_stage(&shelf, i);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_state(&shelf, id), "flipping");
	assert_non_null(strstr(shelf_label_state(&shelf, id, 0, text), "room for one picture"));
	shelf_pass(&shelf, 15 * SECOND);
	shelf_show(&shelf, 0, EVIDENCE_ACKNOWLEDGED);
	shelf_pass(&shelf, 3 * SECOND);
	assert_string_equal(shelf_label_state(&shelf, id, 0, text), "flipped: ");
}

static void picture_that_made_room_for_a_dated_one_is_not_staged(void **state)
{
	char text[400], body[160], at[CLOCK_RFC3339_MAX];
	struct label l;
	int64_t id;

	open_shelf(state, 1);
	env_sql(shelf.e, "UPDATE labels SET slots = 2");
	shelf_show(&shelf, 0, EVIDENCE_CONFIRMED);
	snprintf(body, sizeof body, "{\"gtin\":\"%s\",\"price_minor\":120,\"from\":\"%s\"}",
		 shelf.gtin[0], clock_rfc3339(clock_real_us(shelf.e->app.clock) + 60 * MINUTE, at));
	assert_int_equal(env_call(shelf.e, "POST", "/api/v1/price-changes", body), 201);
	id = shelf_start(&shelf, 1, "\"gate\":{\"timeout_s\":7200},");
	assert_int_equal(shelf_say(&shelf, id, "pause", NULL), 200);
	shelf_stage(&shelf, 0);
	l = shelf_label(&shelf, 0);
	assert_int_equal(l.n_wanted, 3);
	shelf_report(&shelf, 0, LABEL_STAGED, l.wanted[1].image, 0);
	l = shelf_label(&shelf, 0);
	assert_int_equal(shelf_held(&l)->staged_us, 0);
	shelf_pass(&shelf, 20 * SECOND);
	assert_non_null(strstr(shelf_label_state(&shelf, id, 0, text), "slots are taken"));
	shelf_pass(&shelf, 61 * MINUTE); /* the planned price holds now, and there is room */
	shelf_show(&shelf, 0, EVIDENCE_CONFIRMED);
	shelf_stage(&shelf, 0);
	shelf_pass(&shelf, 20 * SECOND);
	assert_string_equal(shelf_label_state(&shelf, id, 0, text), "staged: ");
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
		T(newer_price_before_the_flip_stands),
		T(newer_price_after_the_flip_is_not_rolled_back),
		T(newer_price_outlives_a_flip_that_has_its_instant),
		T(promotion_in_percent_is_kept_in_mind),
		T(fixed_promotion_hides_the_change),
		T(label_that_moves_must_be_staged_anew),
		T(label_joins_and_leaves_with_its_link),
		T(label_with_one_slot_is_not_waited_for),
		T(picture_that_made_room_for_a_dated_one_is_not_staged),
		T(restart_goes_on_from_every_state),
		T(write_that_fails_leaves_nothing_half_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
