/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels that come back by advertisement beside those that are called through the train: the ones
 * must not keep the others waiting, whichever are many. In virtual time, over real HCI packets.
 */
#include "tests/sim/esl_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LOSS 0.02

/** Labels from `first` on lose power for a moment: they advertise. */
static void reboot_from(struct world *w, unsigned int first)
{
	for (unsigned int i = first; i < w->n_labels; i++) {
		sim_label_reboot(sim_radio_label(w->radio, i), world_now(w));
		sim_radio_touched(w->radio, i);
	}
}

static unsigned int synced_from(const struct world *w, unsigned int first)
{
	unsigned int n = 0;

	for (unsigned int i = first; i < w->n_labels; i++)
		n += world_view(w, i).state == ESL_SYNCHRONIZED && sim_radio_in_sync(w->radio, i);
	return n;
}

/** Seconds until all labels from `first` on listen to the train. */
static double await_synced_from(struct world *w, unsigned int first, double at_most_s)
{
	int64_t start_us = world_now(w);

	while (synced_from(w, first) < w->n_labels - first &&
	       (double) (world_now(w) - start_us) < at_most_s * 1e6)
		world_run(w, 100 * US_PER_MS);
	assert_int_equal(synced_from(w, first), w->n_labels - first);
	return (double) (world_now(w) - start_us) / 1e6;
}

/** Seconds until the first n labels show that picture, all wished for at once. */
static double show(struct world *w, unsigned int n, uint32_t picture, double at_most_s)
{
	int64_t start_us = world_now(w);
	unsigned int shown = 0;

	for (unsigned int i = 0; i < n; i++)
		world_want(w, i, picture);
	while (shown < n && (double) (world_now(w) - start_us) < at_most_s * 1e6) {
		world_run(w, 100 * US_PER_MS);
		shown = 0;
		for (unsigned int i = 0; i < n; i++)
			shown += world_shows(w, i, picture);
	}
	assert_int_equal(shown, n);
	return (double) (world_now(w) - start_us) / 1e6;
}

static void prices_are_shown_while_many_labels_come_back(void **state)
{
	static struct world w;
	double price_s = 0, back_s;
	int64_t start_us;

	(void) state;
	world_open(&w, 160, &world_small, LOSS, 31);
	world_adopt_all(&w);
	show(&w, w.n_labels, 1, 600);
	reboot_from(&w, 20);
	start_us = world_now(&w);
	world_run(&w, 3 * US_PER_SEC);
	for (unsigned int i = 0; i < 8; i++) {
		size_t mark = world_mark(&w);
		int64_t took_us;

		world_want(&w, i, 2);
		took_us = world_await(&w, mark, i, ESL_SHOWN, ESL_GRADE_ACKNOWLEDGED, 2,
				      60 * US_PER_SEC);
		assert_true(took_us >= 0);
		price_s = MAX(price_s, (double) took_us / 1e6);
	}
	assert_true(synced_from(&w, 20) < w.n_labels - 20); /* it was busy all the while */
	(void) await_synced_from(&w, 20, 600);
	back_s = (double) (world_now(&w) - start_us) / 1e6;
	printf("# 140 labels come back in %.0f s; prices meanwhile are shown after at most %.1f s "
	       "(loss 2 %%, 4 links, seed 31)\n",
	       back_s, price_s);
	assert_true(price_s < 15);
	assert_true(back_s < 120);
	world_close(&w);
}

static void labels_heard_and_not_reached_leave_links_to_the_others(void **state)
{
	static struct world w;
	double alone_s, beside_s;

	(void) state;
	world_open(&w, 128, &world_small, LOSS, 32);
	world_adopt_all(&w);
	show(&w, w.n_labels, 1, 600);
	alone_s = show(&w, 120, 2, 600);
	for (unsigned int i = 120; i < w.n_labels; i++)
		sim_radio_set_label_loss(w.radio, i, 1, 0.97);
	world_run(&w, 120 * US_PER_SEC);
	beside_s = show(&w, 120, 3, 600);
	printf("# 120 pictures take %.0f s, and %.0f s while 8 labels are heard now and then and "
	       "never reached (loss 2 %%, 4 links, seed 32)\n",
	       alone_s, beside_s);
	assert_true(beside_s < 1.7 * alone_s);
	world_close(&w);
}

static void calls_in_vain_do_not_keep_labels_from_coming_back(void **state)
{
	static struct world w;
	double back_s;

	(void) state;
	world_open(&w, 120, &world_small, LOSS, 33);
	world_adopt_all(&w);
	show(&w, w.n_labels, 1, 600);
	for (unsigned int i = 0; i < 100; i++) {
		sim_radio_set_label_loss(w.radio, i, 1, 1);
		world_want(&w, i, 2);
	}
	world_run(&w, 5 * US_PER_SEC);
	reboot_from(&w, 100);
	back_s = await_synced_from(&w, 100, 600);
	printf("# 20 labels come back in %.0f s beside 100 that are called in vain (loss 2 %%, 4 "
	       "links, seed 33)\n",
	       back_s);
	assert_true(back_s < 60);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prices_are_shown_while_many_labels_come_back),
		cmocka_unit_test(labels_heard_and_not_reached_leave_links_to_the_others),
		cmocka_unit_test(calls_in_vain_do_not_keep_labels_from_coming_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
