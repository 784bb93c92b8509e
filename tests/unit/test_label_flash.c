/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a label by its light: the wish, its end, its budget and what the access point says. */
#include "tests/unit/test_label_env.h"
#include <stdio.h>
#include <string.h>

#define ADDR  UINT64_C(0xC0FFEE000001)
#define LABEL "/api/v1/labels/C0FFEE000001"
#define FLASH LABEL "/flash"

#define HOUR_US (INT64_C(3600) * US_PER_SEC)

static void a_flash_is_a_wish_with_an_end(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_desired d;

	env_new_label(e, &ap, ADDR);
	assert_int_equal(env_call(e, "POST", FLASH, "{\"seconds\":20,\"colour\":\"blue\"}"), 202);
	assert_int_equal(env_int(e, "seconds"), 20);
	env_desired(e, 1, 0, &d);
	assert_int_equal(d.n_labels, 1);
	assert_int_equal(d.labels[0].flash_colour, LED_BLUE);
	assert_true(d.labels[0].flash_until_us > ENV_START_US &&
		    d.labels[0].flash_until_us <= ENV_START_US + 21 * US_PER_SEC);
	proto_desired_done(&d);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "flash.state"), "asked");
	env_advance(e, 21 * US_PER_SEC);
	env_desired(e, 1, 0, &d);
	assert_true(d.labels[0].flash_until_us == 0);
	proto_desired_done(&d);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "flash.state"), "over");
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit WHERE action = 'label.flash'"),
			 1);
}

static void a_waiting_agent_hears_of_a_flash_at_once(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_desired d;
	char uri[160];

	env_new_label(e, &ap, ADDR);
	env_desired(e, 1, 0, &d);
	snprintf(uri, sizeof uri, "/agent/v1/desired?epoch=%llu&after=%llu&wait=30",
		 (unsigned long long) d.epoch, (unsigned long long) d.rev);
	proto_desired_done(&d);
	env_agent(e, 1, "GET", uri, NULL, 0);
	assert_false(e->answered);
	/* the poll's answer comes right after that of the call */
	ignore_result(env_call(e, "POST", FLASH, "{}"));
	env_settle(e);
	assert_int_equal(proto_desired_decode(e->body, e->len, &d, NULL), 0);
	assert_int_equal(d.n_labels, 1);
	assert_int_equal(d.labels[0].flash_colour, LED_GREEN);
	proto_desired_done(&d);
}

static void bad_flashes_are_refused(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	env_new_label(e, &ap, ADDR);
	assert_int_equal(env_call(e, "POST", FLASH, "{\"seconds\":0}"), 422);
	assert_int_equal(env_call(e, "POST", FLASH, "{\"seconds\":61}"), 422);
	assert_int_equal(env_call(e, "POST", FLASH, "{\"seconds\":\"5\"}"), 422);
	assert_int_equal(env_call(e, "POST", FLASH, "{\"colour\":\"pink\"}"), 422);
	assert_int_equal(env_call(e, "POST", FLASH, "{\"colour\":1}"), 422);
	assert_int_equal(env_call(e, "POST", FLASH, "[]"), 400);
	assert_int_equal(env_call(e, "POST", "/api/v1/labels/x/flash", "{}"), 404);
	assert_int_equal(env_call(e, "POST", "/api/v1/labels/C0FFEE0000AA/flash", "{}"), 404);
	assert_int_equal(env_sql(e, "UPDATE labels SET agent_id = NULL"), 0);
	assert_int_equal(env_call(e, "POST", FLASH, "{}"), 409);
	assert_string_equal(env_text(e, "code"), "no-access-point");
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_flashes"), 0);
}

static void a_label_without_that_light_says_so(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_label_report r = env_report(ADDR, LABEL_STATUS, ENV_START_US);

	env_new_label(e, &ap, ADDR);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "leds"), "");
	r.has_leds = true;
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "POST", FLASH, "{}"), 409);
	assert_string_equal(env_text(e, "code"), "no-led");
	assert_string_equal(env_text(e, "detail"), "This label has no LED.");
	r.n_leds = 1;
	r.leds[0] = 0x43; /* one colour, red */
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "POST", FLASH, "{\"colour\":\"white\"}"), 409);
	assert_non_null(strstr(env_text(e, "detail"), "it can be red"));
	assert_int_equal(env_call(e, "POST", FLASH, "{\"colour\":\"red\"}"), 202);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "leds.0"), "red");
}

static void what_became_of_it_is_told(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_label_report r = env_report(ADDR, LABEL_STATUS, ENV_START_US);

	env_new_label(e, &ap, ADDR);
	assert_int_equal(env_call(e, "POST", FLASH, "{\"colour\":\"green\"}"), 202);
	r.led = LED_REPORT_ON;
	r.led_colour = LED_GREEN;
	r.led_until_us = env_number(e, "SELECT flash_until FROM labels");
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "flash.state"), "on");
	assert_int_equal(env_call(e, "GET", LABEL "/history", NULL), 200);
	assert_string_equal(env_text(e, "items.0.kind"), "flash");
	/* a word on an older flash does not change the present one */
	assert_int_equal(env_call(e, "POST", FLASH, "{\"seconds\":60}"), 202);
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "flash.state"), "asked");
	r.led = LED_REPORT_FAILED;
	r.led_until_us = env_number(e, "SELECT flash_until FROM labels");
	strcpy(r.text, "The label did not answer.");
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "flash.state"), "failed");
	assert_string_equal(env_text(e, "flash.reason"), "The label did not answer.");
	assert_string_equal(env_text(e, "state"), "unlinked");
}

static void a_storm_of_flashes_is_refused_until_the_budget_is_back(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	env_new_label(e, &ap, ADDR);
	env_new_label(e, &ap, ADDR + 1);
	for (int i = 0; i < LED_FLASHES_PER_HOUR; i++)
		assert_int_equal(env_call(e, "POST", FLASH, "{\"seconds\":1}"), 202);
	assert_int_equal(env_call(e, "POST", FLASH, "{\"seconds\":1}"), 429);
	assert_string_equal(env_text(e, "code"), "battery-budget");
	/* another label has a battery of its own */
	assert_int_equal(env_call(e, "POST", "/api/v1/labels/C0FFEE000002/flash", "{}"), 202);
	env_advance(e, HOUR_US - 10 * US_PER_SEC);
	assert_int_equal(env_call(e, "POST", FLASH, "{}"), 429);
	env_advance(e, 11 * US_PER_SEC);
	assert_int_equal(env_call(e, "POST", FLASH, "{}"), 202);
	for (int i = 0; i < LED_FLASHES_PER_DAY - LED_FLASHES_PER_HOUR - 1; i++) {
		env_advance(e, HOUR_US / 8);
		assert_int_equal(env_call(e, "POST", FLASH, "{}"), 202);
	}
	env_advance(e, HOUR_US);
	assert_int_equal(env_call(e, "POST", FLASH, "{}"), 429);
	env_restart(e);
	assert_int_equal(env_call(e, "POST", FLASH, "{}"), 429);
	env_advance(e, 24 * HOUR_US);
	assert_int_equal(env_call(e, "POST", FLASH, "{}"), 202);
}

#define PICK "/api/v1/labels/pick"

/** How many items the last answer has. */
static size_t answered_items(struct env *e)
{
	json_t *body = env_json(e);
	size_t n = json_array_size(json_object_get(body, "items"));

	json_decref(body);
	return n;
}

static void several_labels_blink_with_one_row_of_audit(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_desired d;
	int blue = 0;

	for (unsigned int i = 0; i < 3; i++)
		env_new_label(e, &ap, ADDR + i);
	assert_int_equal(env_call(e, "POST", PICK,
				  "{\"labels\":[\"C0FFEE000001\",\"C0FFEE000002\","
				  "\"C0FFEE000001\",\"C0FFEE0000AA\"],\"colour\":\"blue\","
				  "\"seconds\":60}"),
			 202);
	assert_string_equal(env_text(e, "items.0.label"), "C0FFEE000001");
	assert_string_not_equal(env_text(e, "items.0.until"), "");
	assert_string_equal(env_text(e, "items.1.colour"), "blue");
	assert_string_equal(env_text(e, "items.2.refused.code"), "no-such-label");
	assert_int_equal(answered_items(e), 3);
	env_desired(e, 1, 0, &d);
	assert_int_equal(d.n_labels, 3);
	for (size_t i = 0; i < d.n_labels; i++)
		blue += d.labels[i].flash_colour == LED_BLUE;
	assert_int_equal(blue, 2);
	proto_desired_done(&d);
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit WHERE action LIKE 'label.%'"),
			 1);
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit WHERE action = 'label.pick'"
				       " AND detail = 'blue, 60 s, 2 of 3: C0FFEE000001"
				       " C0FFEE000002'"),
			 1);
}

static void labels_are_picked_by_the_products_they_show(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	env_new_product(e, "4006381333931", "Pencil", "1");
	env_new_product(e, "5901234123457", "Eraser", "2");
	for (unsigned int i = 0; i < 2; i++)
		env_new_label(e, &ap, ADDR + i);
	assert_int_equal(env_sql(e, "UPDATE labels SET product_id = 1"), 0);
	assert_int_equal(env_call(e, "POST", PICK,
				  "{\"gtins\":[\"4006381333931\",\"4006381333931\","
				  "\"5901234123457\",\"96385074\"]}"),
			 202);
	assert_int_equal(answered_items(e), 4);
	assert_string_equal(env_text(e, "items.1.label"), "C0FFEE000002");
	assert_string_equal(env_text(e, "items.1.gtin"), "04006381333931");
	assert_string_equal(env_text(e, "items.2.refused.code"), "no-label");
	assert_string_equal(env_text(e, "items.3.refused.code"), "no-such-product");
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_flashes"), 2);
}

static void a_storm_of_picks_is_refused_label_by_label(void **state)
{
	static const char both[] = "{\"labels\":[\"C0FFEE000001\",\"C0FFEE000002\"]}";
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	env_new_label(e, &ap, ADDR);
	env_new_label(e, &ap, ADDR + 1);
	assert_int_equal(env_call(e, "POST", FLASH, "{}"), 202);
	for (int i = 0; i < LED_FLASHES_PER_HOUR - 1; i++)
		assert_int_equal(env_call(e, "POST", PICK, both), 202);
	/* the first has spent its budget, the second has one flash left */
	assert_int_equal(env_call(e, "POST", PICK, both), 202);
	assert_string_equal(env_text(e, "items.0.refused.code"), "battery-budget");
	assert_string_not_equal(env_text(e, "items.1.until"), "");
	assert_int_equal(env_call(e, "POST", PICK, both), 429);
	assert_string_equal(env_text(e, "code"), "battery-budget");
	assert_string_equal(env_text(e, "errors.1.label"), "C0FFEE000002");
	assert_string_equal(env_text(e, "errors.1.pointer"), "/labels/1");
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_flashes"),
			 2 * LED_FLASHES_PER_HOUR);
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit WHERE action = 'label.pick'"),
			 LED_FLASHES_PER_HOUR);
	env_advance(e, HOUR_US + US_PER_SEC);
	assert_int_equal(env_call(e, "POST", PICK, both), 202);
	assert_string_not_equal(env_text(e, "items.0.until"), "");
}

static void a_pick_sent_twice_with_one_key_blinks_once(void **state)
{
	static const char *const headers[] = {"Content-Type", "application/json", "Idempotency-Key",
					      "pick-1", NULL};
	static const char body[] = "{\"labels\":[\"C0FFEE000001\"]}";
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	env_new_label(e, &ap, ADDR);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			env_call_as(e, PERM_LABELS, "POST", PICK, headers, body, sizeof body - 1),
			202);
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_flashes"), 1);
}

static void bad_picks_are_refused(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	char many[4096] = "{\"labels\":[\"C0FFEE000001\"";

	env_new_label(e, &ap, ADDR);
	assert_int_equal(env_call(e, "POST", PICK, "{}"), 422);
	assert_int_equal(env_call(e, "POST", PICK, "{\"labels\":[]}"), 422);
	assert_int_equal(env_call(e, "POST", PICK, "{\"labels\":[1]}"), 422);
	assert_int_equal(env_call(e, "POST", PICK, "{\"gtins\":[\"4006381333932\"]}"), 422);
	assert_int_equal(env_call(e, "POST", PICK,
				  "{\"labels\":[\"C0FFEE000001\"],\"gtins\":[\"96385074\"]}"),
			 422);
	assert_int_equal(
		env_call(e, "POST", PICK, "{\"labels\":[\"C0FFEE000001\"],\"seconds\":61}"), 422);
	for (int i = 0; i < 100; i++)
		strcat(many, ",\"C0FFEE000001\"");
	strcat(many, "]}");
	assert_int_equal(env_call(e, "POST", PICK, many), 422);
	assert_string_equal(env_text(e, "code"), "bad-list");
	assert_int_equal(env_call(e, "POST", PICK, "{\"labels\":[\"C0FFEE0000AA\"]}"), 409);
	assert_string_equal(env_text(e, "code"), "none-blinks");
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_flashes"), 0);
}

static void a_stopped_pick_is_called_off_on_the_air(void **state)
{
	static const char both[] = "{\"labels\":[\"C0FFEE000001\",\"C0FFEE000002\"]}";
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_label_report r = env_report(ADDR, LABEL_STATUS, ENV_START_US);
	struct proto_desired d;

	env_new_label(e, &ap, ADDR);
	env_new_label(e, &ap, ADDR + 1);
	assert_int_equal(env_call(e, "POST", PICK, both), 202);
	r.led = LED_REPORT_ON;
	r.led_colour = LED_GREEN;
	r.led_until_us = env_number(e, "SELECT max(flash_until) FROM labels");
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "POST", PICK "/stop", both), 200);
	assert_string_not_equal(env_text(e, "items.0.until"), "");
	assert_string_equal(env_text(e, "items.1.until"), "");
	env_desired(e, 1, 0, &d);
	for (size_t i = 0; i < 2; i++) { /* nothing may blink until then */
		assert_true(d.labels[i].flash_until_us == r.led_until_us);
		assert_int_equal(d.labels[i].flash_colour, LED_NONE);
	}
	proto_desired_done(&d);
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit"
				       " WHERE action = 'label.pick-stop'"),
			 1);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "flash.state"), "stopping");
	assert_string_equal(env_text(e, "flash.colour"), "green");
	/* what it said before it heard of that, and once more */
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "flash.state"), "stopping");
	r.led = LED_REPORT_NONE;
	r.led_off_us = r.led_until_us;
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "flash.state"), "off");
	assert_int_equal(env_call(e, "GET", LABEL "/history", NULL), 200);
	assert_string_equal(env_text(e, "items.0.kind"), "flash-off");
	/* a new one begins anew */
	assert_int_equal(env_call(e, "POST", FLASH, "{\"seconds\":50,\"colour\":\"red\"}"), 202);
	env_desired(e, 1, 0, &d);
	assert_int_equal(d.labels[1].flash_colour, LED_RED);
	proto_desired_done(&d);
}

static void a_light_that_will_not_go_out_says_why(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_label_report r = env_report(ADDR, LABEL_STATUS, ENV_START_US);

	env_new_label(e, &ap, ADDR);
	assert_int_equal(env_call(e, "POST", FLASH, "{}"), 202);
	assert_int_equal(env_call(e, "POST", PICK "/stop", "{\"labels\":[\"C0FFEE000001\"]}"), 200);
	r.led_off_us = env_number(e, "SELECT flash_until FROM labels");
	strcpy(r.text, "It will not.");
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "flash.state"), "stopping");
	assert_string_equal(env_text(e, "flash.reason"), "It will not.");
	env_advance(e, 31 * US_PER_SEC);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "flash.state"), "over");
}

static void the_budget_is_told_with_when_there_is_more(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	char first[CLOCK_RFC3339_MAX];

	env_new_label(e, &ap, ADDR);
	assert_int_equal(env_call(e, "POST", FLASH, "{\"seconds\":1}"), 202);
	clock_rfc3339(env_number(e, "SELECT at FROM label_flashes") + HOUR_US, first);
	env_advance(e, HOUR_US / 2);
	for (int i = 1; i < LED_FLASHES_PER_HOUR; i++)
		assert_int_equal(env_call(e, "POST", FLASH, "{\"seconds\":1}"), 202);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_int_equal(env_int(e, "budget.flashes.hour"), LED_FLASHES_PER_HOUR);
	assert_int_equal(env_int(e, "budget.flashes.per_hour"), LED_FLASHES_PER_HOUR);
	assert_int_equal(env_int(e, "budget.flashes.per_day"), LED_FLASHES_PER_DAY);
	assert_string_equal(env_text(e, "budget.flashes.free_at"), first);
	assert_int_equal(env_int(e, "budget.readings.day"), 0);
	env_restart(e);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_int_equal(env_int(e, "budget.flashes.hour"), LED_FLASHES_PER_HOUR);
	env_advance(e, HOUR_US / 2 + US_PER_SEC);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_int_equal(env_int(e, "budget.flashes.hour"), LED_FLASHES_PER_HOUR - 1);
	assert_int_equal(env_int(e, "budget.flashes.day"), LED_FLASHES_PER_HOUR);
	assert_string_equal(env_text(e, "budget.flashes.free_at"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_flash_is_a_wish_with_an_end, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(a_waiting_agent_hears_of_a_flash_at_once, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(bad_flashes_are_refused, env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(a_label_without_that_light_says_so, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(what_became_of_it_is_told, env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(
			a_storm_of_flashes_is_refused_until_the_budget_is_back, env_setup,
			env_teardown),
		cmocka_unit_test_setup_teardown(several_labels_blink_with_one_row_of_audit,
						env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(labels_are_picked_by_the_products_they_show,
						env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(a_storm_of_picks_is_refused_label_by_label,
						env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(a_pick_sent_twice_with_one_key_blinks_once,
						env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(bad_picks_are_refused, env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(a_stopped_pick_is_called_off_on_the_air, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(a_light_that_will_not_go_out_says_why, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(the_budget_is_told_with_when_there_is_more,
						env_setup, env_teardown),
	};

	return cmocka_run_group_tests_name("label_flash", tests, NULL, NULL);
}
