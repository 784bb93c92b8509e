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
	};

	return cmocka_run_group_tests_name("label_flash", tests, NULL, NULL);
}
