/* SPDX-License-Identifier: Apache-2.0 */
/* What the planner says beside what then happens, in virtual time. */
#include "esl-radio/forecast.h"
#include "tests/bench/esl_shop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/** Stated in doc/esl.md: how far the forecast may be off. */
#define BOUND 0.15

static struct esl_forecast_label labels[32640];

static void check(const char *what, int64_t said_us, int64_t took_us)
{
	double error = (double) (said_us - took_us) / (double) took_us;

	printf("# %s: forecast %.1f s, took %.1f s, error %+.1f %%\n", what, (double) said_us / 1e6,
	       (double) took_us / 1e6, error * 100);
	assert_true(error > -BOUND && error < BOUND);
}

static struct esl_forecast ask(const struct shop *s, uint32_t bytes)
{
	struct esl_forecast_facts facts = {.train = s->cfg.train,
					   .links = s->cfg.max_links,
					   .loss = s->cfg.loss,
					   .labels = labels,
					   .n = s->cfg.labels};
	struct esl_forecast f;
	const struct esl_label *l;
	size_t n = 0;

	ESL_LABELS_FOREACH(s->engine, i, l)
	{
		labels[n++] =
			(struct esl_forecast_label){.group = l->group, .bytes = bytes, .loss = -1};
	}
	assert_int_equal(n, s->cfg.labels);
	esl_forecast_make(&facts, &f);
	printf("# %s\n", f.why);
	return f;
}

static void check_flip(const char *what, const struct esl_train *train, unsigned int n, double loss)
{
	struct shop_config cfg = {.train = *train, .labels = n, .loss = loss, .seed = 31};
	static struct shop s;
	struct esl_forecast f;
	int64_t start_us;

	shop_open(&s, &cfg);
	shop_seed(&s);
	f = ask(&s, 0);
	assert_int_equal(f.stage_us, 0);
	assert_int_equal(f.limit, ESL_LIMIT_GROUP);
	start_us = shop_now(&s);
	for (unsigned int i = 0; i < n; i++)
		shop_want(&s, i, 1, 2, shop_utc(&s) + INT64_C(3600) * US_PER_SEC);
	while (shop_acknowledged(&s) < n)
		shop_run(&s, s.engine->interval_us / 8);
	check(what, f.flip_us, shop_now(&s) - start_us);
	shop_close(&s);
}

static void flips_take_as_long_as_was_said(void **state)
{
	(void) state;
	check_flip("sl train, 1,000 labels, no loss", &shop_train_sl, 1000, 0);
	check_flip("sl train, 1,000 labels, 5 % loss", &shop_train_sl, 1000, 0.05);
	check_flip("sl train, 6,630 labels, 2 % loss", &shop_train_sl, 6630, 0.02);
	check_flip("sl train, 6,630 labels, 10 % loss", &shop_train_sl, 6630, 0.10);
	check_flip("nrf train, 5,000 labels, 2 % loss", &shop_train_nrf, 5000, 0.02);
	check_flip("nrf train, 32,640 labels, 5 % loss", &shop_train_nrf, 32640, 0.05);
}

static void check_stage(const char *what, uint16_t width, uint16_t height, uint8_t type,
			unsigned int links, double loss)
{
	struct shop_config cfg = {.train = shop_train_sl,
				  .labels = 240,
				  .max_links = links,
				  .loss = loss,
				  .seed = 33,
				  .width = width,
				  .height = height,
				  .type = type};
	static struct shop s;
	struct esl_forecast f;
	uint64_t before;
	int64_t start_us;

	shop_open(&s, &cfg);
	(void) shop_join(&s);
	shop_run(&s, 20 * US_PER_SEC);
	f = ask(&s, (width + 7u) / 8u * height * image_planes(type));
	before = s.engine->stats.uploads;
	start_us = shop_now(&s);
	for (unsigned int i = 0; i < cfg.labels; i++)
		shop_want(&s, i, 1, 2, shop_utc(&s) + INT64_C(7200) * US_PER_SEC);
	while (s.engine->stats.uploads < before + cfg.labels)
		shop_run(&s, 10 * US_PER_MS);
	check(what, f.stage_us, shop_now(&s) - start_us);
	shop_close(&s);
}

static void staging_takes_as_long_as_was_said(void **state)
{
	(void) state;
	check_stage("4,736 bytes, 1 link, 2 % loss", 296, 128, DISPLAY_BLACK_WHITE, 1, 0.02);
	check_stage("4,736 bytes, 4 links, 2 % loss", 296, 128, DISPLAY_BLACK_WHITE, 4, 0.02);
	check_stage("9,472 bytes, 4 links, 5 % loss", 296, 128, DISPLAY_RED_BLACK_WHITE, 4, 0.05);
	check_stage("9,472 bytes, 2 links, no loss", 296, 128, DISPLAY_RED_BLACK_WHITE, 2, 0);
	check_stage("30,000 bytes, 4 links, 2 % loss", 400, 300, DISPLAY_RED_BLACK_WHITE, 4, 0.02);
}

static void nothing_to_do_takes_no_time(void **state)
{
	struct esl_forecast_facts facts = {0};
	struct esl_forecast f;

	(void) state;
	esl_forecast_make(&facts, &f);
	assert_int_equal(f.stage_us, 0);
	assert_int_equal(f.flip_us, 0);
	assert_int_equal(f.limit, ESL_LIMIT_NOTHING);
	assert_string_equal(f.why, "");
}

static void fullest_group_and_bytes_are_named(void **state)
{
	struct esl_forecast_facts facts = {.labels = labels, .n = 100, .links = 8};
	struct esl_forecast even, uneven;

	(void) state;
	for (uint8_t i = 0; i < 100; i++)
		labels[i] = (struct esl_forecast_label){.group = i % 26};
	esl_forecast_make(&facts, &even);
	for (uint8_t i = 0; i < 100; i++)
		labels[i].group = i < 60 ? 7 : i % 26;
	esl_forecast_make(&facts, &uneven);
	assert_int_equal(uneven.group, 7);
	assert_true(uneven.flip_us > 5 * even.flip_us);
	for (uint8_t i = 0; i < 100; i++)
		labels[i].bytes = 100000;
	esl_forecast_make(&facts, &even);
	assert_int_equal(even.limit, ESL_LIMIT_AIR);
	assert_non_null(strstr(even.why, "bytes on the air"));
}

static void what_is_known_of_a_label_s_losses_counts(void **state)
{
	struct esl_forecast_facts facts = {.labels = labels, .n = 100};
	struct esl_forecast good, bad;

	(void) state;
	assert_true(esl_forecast_loss(0.0975) > 0.0499 && esl_forecast_loss(0.0975) < 0.0501);
	for (uint8_t i = 0; i < 100; i++)
		labels[i] = (struct esl_forecast_label){.group = 0};
	esl_forecast_make(&facts, &good);
	for (uint8_t i = 0; i < 100; i++)
		labels[i].loss = 0.5;
	esl_forecast_make(&facts, &bad);
	assert_true(bad.flip_us > 2 * good.flip_us);
}

static void outlook_says_it_for_the_labels_there_are(void **state)
{
	struct shop_config cfg = {.train = shop_train_sl, .labels = 500, .loss = 0.02, .seed = 35};
	struct esl_outlook o;
	static struct shop s;

	(void) state;
	shop_open(&s, &cfg);
	shop_seed(&s);
	shop_run(&s, 600 * US_PER_SEC);
	assert_int_equal(esl_engine_outlook(s.engine, &o), 0);
	assert_int_equal(o.labels, 500);
	assert_in_range(o.picture_ms, 80, 300);
	assert_in_range(o.flip_s, 6, 14);
	assert_true(o.why[0]);
	printf("# %s\n", o.why);
	shop_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flips_take_as_long_as_was_said),
		cmocka_unit_test(staging_takes_as_long_as_was_said),
		cmocka_unit_test(nothing_to_do_takes_no_time),
		cmocka_unit_test(fullest_group_and_bytes_are_named),
		cmocka_unit_test(what_is_known_of_a_label_s_losses_counts),
		cmocka_unit_test(outlook_says_it_for_the_labels_there_are),
	};

	return cmocka_run_group_tests_name("esl_forecast", tests, NULL, NULL);
}
