/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/led_budget.h"

#include "common/err.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NOW_US  INT64_C(1780000000000000)
#define HOUR_US (INT64_C(3600) * US_PER_SEC)

/** So many, the last one just now, with pauses between them. */
static struct led_budget budget_of(unsigned int n, int64_t pause_us)
{
	struct led_budget b = {.n = 0};

	while (n-- > 0)
		led_budget_pay(&b, NOW_US - n * pause_us);
	return b;
}

static void hour_has_its_limit_and_the_day_another(void **state)
{
	struct led_budget b = budget_of(LED_FLASHES_PER_HOUR - 1, US_PER_SEC);

	(void) state;
	assert_false(led_budget_spent(&b, NOW_US));
	led_budget_pay(&b, NOW_US);
	assert_true(led_budget_spent(&b, NOW_US));
	assert_false(led_budget_spent(&b, NOW_US + HOUR_US));
	b = budget_of(LED_FLASHES_PER_DAY, HOUR_US / 4);
	assert_true(led_budget_spent(&b, NOW_US + HOUR_US));
	assert_false(led_budget_spent(&b, NOW_US + 10 * HOUR_US));
	led_budget_pay(&b, NOW_US + 10 * HOUR_US); /* the oldest makes room */
	assert_int_equal(b.n, LED_FLASHES_PER_DAY);
	assert_false(led_budget_spent(&b, NOW_US + 10 * HOUR_US));
}

static void flashes_of_a_clock_that_was_ahead_cost_nothing(void **state)
{
	struct led_budget b = budget_of(LED_FLASHES_PER_HOUR, US_PER_SEC);

	(void) state;
	assert_false(led_budget_spent(&b, NOW_US - HOUR_US));
}

static void those_of_the_last_day_are_kept(void **state)
{
	struct led_budget b = budget_of(30, HOUR_US), back = {.n = 7};
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct wire w;

	(void) state;
	led_budget_put(&b, NOW_US, &out);
	wire_init(&w, out.data, out.len);
	led_budget_get(&back, &w);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(back.n, 24);
	assert_int_equal(back.at_s[23], NOW_US / US_PER_SEC);
	buf_clear(&out);
	led_budget_put(&b, 0, &out); /* who does not know the time forgets nothing */
	assert_int_equal(out.data[0], 30);
	buf_clear(&out);
	led_budget_put(NULL, NOW_US, &out);
	assert_int_equal(out.len, 1);
	assert_int_equal(out.data[0], 0);
}

static void what_is_no_budget_is_refused(void **state)
{
	const uint8_t more[1 + 4 * (LED_FLASHES_PER_DAY + 1)] = {LED_FLASHES_PER_DAY + 1};
	const uint8_t less[] = {2, 0, 0, 0, 1, 0, 0};
	struct led_budget b;
	struct wire w;

	(void) state;
	wire_init(&w, more, sizeof(more));
	led_budget_get(&b, &w);
	assert_true(wire_finish(&w) < 0);
	assert_int_equal(b.n, 0);
	wire_init(&w, less, sizeof(less));
	led_budget_get(&b, &w);
	assert_true(wire_finish(&w) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hour_has_its_limit_and_the_day_another),
		cmocka_unit_test(flashes_of_a_clock_that_was_ahead_cost_nothing),
		cmocka_unit_test(those_of_the_last_day_are_kept),
		cmocka_unit_test(what_is_no_budget_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
