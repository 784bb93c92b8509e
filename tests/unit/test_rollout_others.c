/* SPDX-License-Identifier: Apache-2.0 */
/* What others do while a rollout is under way: prices that change, promotions, labels that move,
 * join and leave, and slots that are taken. */
#include "tests/unit/rollout_shop.h"

static struct shelf shelf;

static void open_shelf(void **state, size_t n)
{
	shelf_open(&shelf, *state, n);
}

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
	id = shelf_settle_first(&shelf);
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
	id = shelf_flip_first(&shelf);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, env_setup, env_teardown)
		T(newer_price_before_the_flip_stands),
		T(newer_price_after_the_flip_is_not_rolled_back),
		T(newer_price_outlives_a_flip_that_has_its_instant),
		T(promotion_in_percent_is_kept_in_mind),
		T(fixed_promotion_hides_the_change),
		T(label_that_moves_must_be_staged_anew),
		T(label_joins_and_leaves_with_its_link),
		T(label_with_one_slot_is_not_waited_for),
		T(picture_that_made_room_for_a_dated_one_is_not_staged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
