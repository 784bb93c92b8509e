/* SPDX-License-Identifier: Apache-2.0 */
/* Which data channels are left to the labels beside a Wi-Fi. */
#include "ap-agent/channels.h"
#include "common/util.h"
#include "tests/unit/test_common.h"

#define WIFI(mhz, width) ((struct channels_wifi){(mhz), (width), CHANNELS_BUSY_UNKNOWN})

/** Bits from..to. */
static uint64_t span(unsigned int from, unsigned int to)
{
	uint64_t map = 0;

	for (unsigned int i = from; i <= to; i++)
		map |= UINT64_C(1) << i;
	return map;
}

static unsigned int count(uint64_t map)
{
	return (unsigned int) __builtin_popcountll(map);
}

static void data_channels_step_over_the_advertising_channel_in_their_middle(void **state)
{
	(void) state;
	assert_int_equal(channels_mhz(0), 2404);
	assert_int_equal(channels_mhz(10), 2424);
	assert_int_equal(channels_mhz(11), 2428);
	assert_int_equal(channels_mhz(36), 2478);
}

static void each_wifi_channel_takes_the_channels_under_its_main_lobe(void **state)
{
	static const struct {
		uint32_t mhz, width;
		unsigned int from, to; /**< avoided */
	} rows[] = {
		{2412, 20, 0, 9},   {2417, 20, 1, 11},  {2437, 20, 11, 21}, {2462, 20, 23, 33},
		{2472, 20, 28, 36}, {2484, 20, 34, 36}, {2437, 0, 11, 21},
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct channels_wifi w = WIFI(rows[i].mhz, rows[i].width);

		assert_int_equal(channels_plan(&w, 1),
				 CHANNELS_ALL & ~span(rows[i].from, rows[i].to));
	}
}

static void no_wifi_or_one_in_another_band_leaves_all(void **state)
{
	static const uint32_t elsewhere[] = {0, 5180, 5955, 58320, 2399, 2501, UINT32_MAX};

	(void) state;
	assert_int_equal(channels_plan(NULL, 0), CHANNELS_ALL);
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
		struct channels_wifi w = WIFI(elsewhere[i], 80);

		assert_int_equal(channels_plan(&w, 1), CHANNELS_ALL);
	}
}

/* Channels 3 to 37 MHz wide: 19 are covered, the outermost two come back. */
static void wide_wifi_gives_back_its_edges(void **state)
{
	struct channels_wifi w = WIFI(2422, 40);
	uint64_t map = channels_plan(&w, 1);

	(void) state;
	assert_int_equal(count(map), CHANNELS_LEAST);
	assert_int_equal(map & span(19, 36), span(19, 36));
	assert_true(map & UINT64_C(1) << 18);
	assert_false(map & span(3, 16));
}

static void two_networks_keep_twenty_channels(void **state)
{
	struct channels_wifi w[] = {WIFI(2412, 20), WIFI(2462, 20)};
	uint64_t map = channels_plan(w, 2);

	(void) state;
	assert_int_equal(count(map), CHANNELS_LEAST);
	assert_int_equal(map & span(10, 22), span(10, 22));
	assert_int_equal(map & span(34, 36), span(34, 36));
	/* the middle of each stays free of us */
	assert_false(map & (span(2, 6) | span(26, 30)));
}

static void an_idle_network_gives_way_to_a_busy_one(void **state)
{
	struct channels_wifi w[] = {WIFI(2412, 20), WIFI(2462, 20)};
	uint64_t map;

	(void) state;
	w[0].busy_percent = 2;
	w[1].busy_percent = 90;
	map = channels_plan(w, 2);
	assert_int_equal(count(map & span(23, 33)), 0);
	assert_int_equal(count(map & span(0, 9)), 4);
	w[0].busy_percent = 200; /* from a kernel that counts badly */
	assert_int_equal(count(channels_plan(w, 2)), CHANNELS_LEAST);
}

static void a_full_band_still_keeps_twenty(void **state)
{
	struct channels_wifi w[14];

	(void) state;
	for (unsigned int i = 0; i < 13; i++)
		w[i] = WIFI(2412 + 5 * i, 40);
	w[13] = WIFI(2484, 20);
	assert_int_equal(count(channels_plan(w, 14)), CHANNELS_LEAST);
}

static void any_wifi_leaves_a_usable_map(void **state)
{
	(void) state;
	for (uint32_t mhz = 2390; mhz < 2510; mhz++) {
		for (uint32_t width = 0; width <= 320; width += 5) {
			struct channels_wifi w[] = {WIFI(mhz, width), WIFI(4900 - mhz, width)};
			uint64_t map = channels_plan(w, 2);

			assert_true(count(map) >= CHANNELS_LEAST);
			assert_int_equal(map & ~CHANNELS_ALL, 0);
		}
	}
}

static void what_is_disturbed_is_left_at_once_and_taken_back_later(void **state)
{
	struct channels_wifi six = WIFI(2437, 20), eleven = WIFI(2462, 20);
	struct channels c;
	int64_t again;

	(void) state;
	channels_init(&c);
	assert_true(channels_update(&c, &six, 1, 1000, &again));
	assert_int_equal(c.map, CHANNELS_ALL & ~span(11, 21));
	assert_int_equal(again, CHANNELS_NEVER);
	/* It moves: 26 are clear now, 15 of them were before and the others must wait; too few. */
	assert_true(channels_update(&c, &eleven, 1, 2000, &again));
	assert_int_equal(c.map, CHANNELS_ALL & ~span(23, 33));
	/* It goes: its channels are clear, but only for a moment yet. */
	assert_false(channels_update(&c, NULL, 0, 3000, &again));
	assert_int_equal(again, 3000 + CHANNELS_HOLD_US);
	assert_false(channels_update(&c, NULL, 0, again - 1, &again));
	assert_true(channels_update(&c, NULL, 0, again, &again));
	assert_int_equal(c.map, CHANNELS_ALL);
	assert_int_equal(again, CHANNELS_NEVER);
}

static void a_network_that_comes_and_goes_is_avoided_all_the_while(void **state)
{
	struct channels_wifi one = WIFI(2412, 20);
	struct channels c;
	int64_t again, now = 0;

	(void) state;
	channels_init(&c);
	for (int i = 0; i < 20; i++) {
		channels_update(&c, &one, i & 1, now, &again);
		if (i > 1)
			assert_int_equal(c.map, CHANNELS_ALL & ~span(0, 9));
		now += CHANNELS_HOLD_US / 2;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_channels_step_over_the_advertising_channel_in_their_middle),
		cmocka_unit_test(each_wifi_channel_takes_the_channels_under_its_main_lobe),
		cmocka_unit_test(no_wifi_or_one_in_another_band_leaves_all),
		cmocka_unit_test(wide_wifi_gives_back_its_edges),
		cmocka_unit_test(two_networks_keep_twenty_channels),
		cmocka_unit_test(an_idle_network_gives_way_to_a_busy_one),
		cmocka_unit_test(a_full_band_still_keeps_twenty),
		cmocka_unit_test(any_wifi_leaves_a_usable_map),
		cmocka_unit_test(what_is_disturbed_is_left_at_once_and_taken_back_later),
		cmocka_unit_test(a_network_that_comes_and_goes_is_avoided_all_the_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
