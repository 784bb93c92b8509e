/* SPDX-License-Identifier: Apache-2.0 */
/* The engine tells the controller which channels to keep to, and packets fly on these alone. */
#include "tests/sim/esl_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BESIDE_SIX  (ESL_CHANNELS_ALL & ~(UINT64_C(0x7ff) << 11)) /* Wi-Fi channel 6 */
#define BESIDE_ONE  (ESL_CHANNELS_ALL & ~UINT64_C(0x3ff))
#define INTERVAL_US (1560 * US_PER_MS)

static const struct sim_label_model model = {.width = 296,
					     .height = 128,
					     .type = DISPLAY_BLACK_WHITE,
					     .slots = 3,
					     .leds = 1,
					     .personality = SIM_PERSONALITY_SL,
					     .redraw_us = US_PER_SEC};
static struct world w;

static struct sim_radio_stats stats(void)
{
	struct sim_radio_stats st;

	sim_radio_get_stats(w.radio, &st);
	return st;
}

static struct esl_radio_view view(void)
{
	struct esl_radio_view v;

	esl_engine_get_view(w.engine, &v);
	return v;
}

/* The sample data of Core 5.4 Vol 6 Part C 3.1: access address 8E89BED6. */
static void channel_selection_gives_the_published_sequence(void **state)
{
	static const uint8_t all[] = {25, 20, 6, 21}, nine[] = {23, 9, 34};
	struct radio_channels c;

	(void) state;
	radio_channels_init(&c, 0x8e89 ^ 0xbed6);
	for (uint16_t i = 0; i < sizeof(all); i++)
		assert_int_equal(radio_channels_select(&c, i), all[i]);
	assert_true(radio_channels_classify(&c, UINT64_C(0x1e00e00600)));
	for (uint16_t i = 0; i < sizeof(nine); i++)
		assert_int_equal(radio_channels_select(&c, (uint16_t) (6 + i)), nine[i]);
	assert_false(radio_channels_classify(&c, 1));
	assert_false(radio_channels_classify(&c, UINT64_C(1) << 37 | 3));
}

static void the_controller_is_told_and_keeps_to_it(void **state)
{
	struct sim_radio_stats before, after;

	(void) state;
	world_open(&w, 40, &model, 0, 7);
	world_adopt_all(&w);
	assert_int_equal(stats().channels, ESL_CHANNELS_ALL);
	assert_true(view().channels_known);
	esl_engine_set_channels(w.engine, BESIDE_SIX);
	world_run(&w, 2 * US_PER_SEC);
	assert_int_equal(stats().channels, BESIDE_SIX);
	assert_int_equal(view().channels, BESIDE_SIX);
	before = stats();
	for (unsigned int i = 0; i < 40; i++)
		world_want(&w, i, 1);
	world_run(&w, 60 * US_PER_SEC);
	after = stats();
	for (unsigned int i = 0; i < ESL_DATA_CHANNELS; i++) {
		bool used = BESIDE_SIX >> i & 1;

		assert_int_equal(after.channel_sent[i] > before.channel_sent[i], used);
	}
	world_close(&w);
}

/* The simulated controller turns away what comes within a second. */
static void changes_in_a_hurry_are_told_a_second_apart_and_the_last_one_holds(void **state)
{
	(void) state;
	world_open(&w, 1, &model, 0, 7);
	world_run(&w, 2 * US_PER_SEC);
	esl_engine_set_channels(w.engine, BESIDE_SIX);
	world_run(&w, 100 * US_PER_MS);
	assert_int_equal(stats().channels, BESIDE_SIX);
	esl_engine_set_channels(w.engine, ESL_CHANNELS_ALL);
	esl_engine_set_channels(w.engine, BESIDE_ONE);
	world_run(&w, 500 * US_PER_MS);
	assert_int_equal(stats().channels, BESIDE_SIX);
	world_run(&w, US_PER_SEC);
	assert_int_equal(stats().channels, BESIDE_ONE);
	assert_int_equal(view().channels_refused, 0);
	esl_engine_set_channels(w.engine, 1); /* no hopping with one */
	world_run(&w, 2 * US_PER_SEC);
	assert_int_equal(stats().channels, BESIDE_ONE);
	world_close(&w);
}

static void a_controller_that_was_reset_is_told_again(void **state)
{
	uint32_t armed;

	(void) state;
	world_open(&w, 1, &model, 0, 7);
	esl_engine_set_channels(w.engine, BESIDE_ONE);
	world_run(&w, 3 * US_PER_SEC);
	armed = view().armed;
	sim_radio_power_cycle(w.radio);
	assert_int_equal(stats().channels, ESL_CHANNELS_ALL);
	world_run(&w, 10 * US_PER_SEC);
	assert_int_equal(stats().channels, BESIDE_ONE);
	assert_int_equal(view().armed, armed + 1);
	assert_true(view().armed_us > 0);
	world_close(&w);
}

static void the_view_tells_the_train_and_its_labels(void **state)
{
	struct esl_radio_view v;
	uint32_t labels = 0, heard = 0;

	(void) state;
	world_open(&w, 40, &model, 0, 7);
	world_adopt_all(&w);
	for (unsigned int i = 0; i < 40; i++)
		world_want(&w, i, 1);
	world_run(&w, 120 * US_PER_SEC);
	v = view();
	assert_string_equal(v.driver, "h4");
	assert_string_equal(v.controller, "maker ffff, Bluetooth 5.4, firmware 0000");
	assert_int_equal(v.train.interval, 1248);
	assert_int_equal(v.capacity, 26 * 255);
	assert_int_equal(v.groups, 26);
	for (unsigned int g = 0; g < v.groups; g++)
		labels += v.group[g];
	for (unsigned int i = 0; i < ESL_SIGNAL_STEPS; i++)
		heard += v.signal[i];
	assert_int_equal(labels, 40);
	assert_int_equal(heard, 40);
	assert_int_equal(v.waiting, 0);
	world_close(&w);
}

/* Half of what flies under channel 6 is destroyed: nothing of that is left with the map. */
static void beside_a_wifi_the_map_saves_the_packets(void **state)
{
	struct radio_wifi six = {2437, 20, 0.5};
	uint64_t before, without, with;

	(void) state;
	world_open(&w, 200, &model, 0, 7);
	world_adopt_all(&w);
	assert_int_equal(sim_radio_set_wifi(w.radio, &six, 1), 0);
	before = stats().jammed;
	for (unsigned int i = 0; i < 200; i++)
		world_want(&w, i, 1);
	world_run(&w, 300 * US_PER_SEC);
	without = stats().jammed - before;
	esl_engine_set_channels(w.engine, BESIDE_SIX);
	world_run(&w, 2 * US_PER_SEC);
	before = stats().jammed;
	for (unsigned int i = 0; i < 200; i++)
		world_want(&w, i, 2);
	world_run(&w, 300 * US_PER_SEC);
	with = stats().jammed - before;
	assert_true(without > 100);
	assert_int_equal(with, 0);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(channel_selection_gives_the_published_sequence),
		cmocka_unit_test(the_controller_is_told_and_keeps_to_it),
		cmocka_unit_test(changes_in_a_hurry_are_told_a_second_apart_and_the_last_one_holds),
		cmocka_unit_test(a_controller_that_was_reset_is_told_again),
		cmocka_unit_test(the_view_tells_the_train_and_its_labels),
		cmocka_unit_test(beside_a_wifi_the_map_saves_the_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
