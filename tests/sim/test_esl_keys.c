/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New keys for old, in virtual time: while labels are visited one after the other both keys work,
 * at the end the old one is refused by every label, and none is lost, whatever breaks on the way.
 */
#include "tests/sim/esl_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool hears(struct world *w, unsigned int i, const uint8_t wire[ESL_KEY_BYTES])
{
	struct sim_label *l = sim_radio_label(w->radio, i);
	struct sim_label_view v = world_view(w, i);
	struct esl_cmd ping = {.op = ESL_OP_PING, .esl_id = v.id};
	uint8_t ad[ESL_AD_MAX], sealed[ESL_AD_MAX + EAD_OVERHEAD], answer[SIM_LABEL_ANSWER_MAX];
	const uint8_t rand[EAD_RAND_BYTES] = {1, 2, 3, 4, 0x85};
	struct esl_packet p;
	struct ead_key key;
	unsigned int slot;
	int n;

	ead_key_from_wire(wire, &key);
	esl_packet_init(&p, v.group);
	assert_int_equal(esl_packet_add(&p, &ping), 0);
	n = esl_ad_encode(p.data, p.len, ad, sizeof(ad));
	n = ead_seal(&key, rand, ad, (size_t) n, sealed, sizeof(sealed));
	assert_true(n > 0);
	return sim_label_packet(l, sealed, (size_t) n, answer, &slot, world_now(w)) > 0;
}

static void open_shop(struct world *w, unsigned int labels, double loss, uint64_t seed)
{
	world_open(w, labels, &world_small, loss, seed);
	world_adopt_all(w);
}

static bool rotation_is_over(struct world *w, int64_t at_most_us)
{
	struct esl_stats stats = {.rotating = true};

	for (int64_t t = 0; stats.rotating && t < at_most_us; t += 10 * US_PER_SEC) {
		world_run(w, 10 * US_PER_SEC);
		esl_engine_get_stats(w->engine, &stats);
	}
	return !stats.rotating;
}

static void only_the_new_key_is_heard(struct world *w, const uint8_t old[ESL_KEY_BYTES])
{
	assert_memory_not_equal(w->engine->train_key_wire, old, ESL_KEY_BYTES);
	for (unsigned int i = 0; i < w->n_labels; i++) {
		assert_int_equal(world_view(w, i).state, ESL_SYNCHRONIZED);
		assert_false(hears(w, i, old));
		assert_true(hears(w, i, w->engine->train_key_wire));
	}
}

static void both_keys_work_until_every_label_has_the_new_one(void **state)
{
	static struct world w;
	uint8_t old[ESL_KEY_BYTES], response[ESL_KEY_BYTES], addr[ESL_ADDR_BYTES];
	unsigned int old_left = 0, new_there = 0;

	(void) state;
	open_shop(&w, 60, 0.02, 3);
	world_show_all(&w, 1, 600 * US_PER_SEC);
	memcpy(old, w.engine->train_key_wire, sizeof(old));
	world_addr(7, addr);
	memcpy(response, esl_label_find(w.engine, addr)->response_key, sizeof(response));
	/* Keys that are young enough stay. */
	assert_int_equal(esl_engine_rotate_keys(w.engine, world_utc(&w) - 3600 * US_PER_SEC), 0);
	assert_false(w.engine->rotating);
	assert_int_equal(esl_engine_rotate_keys(w.engine, world_utc(&w)), 0);
	assert_true(w.engine->rotating);
	world_run(&w, 5 * US_PER_SEC);
	for (unsigned int i = 0; i < w.n_labels; i++) {
		old_left += hears(&w, i, old);
		new_there += hears(&w, i, w.engine->train_key_wire);
	}
	assert_true(old_left > 0 && new_there > 0);
	printf("# after 5 s %u labels have the old key and %u the new one\n", old_left, new_there);
	/* A price in the middle of it is nobody's loss. */
	world_show_all(&w, 2, 600 * US_PER_SEC);
	assert_true(rotation_is_over(&w, 600 * US_PER_SEC));
	only_the_new_key_is_heard(&w, old);
	assert_memory_not_equal(esl_label_find(w.engine, addr)->response_key, response,
				sizeof(response));
	world_show_all(&w, 3, 600 * US_PER_SEC);
	/* And it is kept: nothing of the old one comes back. */
	world_restart(&w);
	assert_false(w.engine->rotating);
	world_show_all(&w, 4, 600 * US_PER_SEC);
	world_close(&w);
}

static void broken_links_lose_no_label(void **state)
{
	static struct world w;
	uint8_t old[ESL_KEY_BYTES];

	(void) state;
	open_shop(&w, 60, 0.05, 4);
	memcpy(old, w.engine->train_key_wire, sizeof(old));
	sim_radio_set_drop(w.radio, 0.03);
	assert_int_equal(esl_engine_rotate_keys(w.engine, world_utc(&w)), 0);
	assert_true(rotation_is_over(&w, 3600 * US_PER_SEC));
	assert_true(w.engine->failures[ESL_STEP_CONFIGURE] > 0);
	sim_radio_set_drop(w.radio, 0);
	world_show_all(&w, 2, 900 * US_PER_SEC);
	only_the_new_key_is_heard(&w, old);
	world_close(&w);
}

/** One run that loses its power at the n-th save of a rotation. False when it had fewer. */
static bool survive(unsigned int n, bool after)
{
	static struct world w;
	uint8_t old[ESL_KEY_BYTES];
	bool killed;

	open_shop(&w, 5, 0, 5);
	memcpy(old, w.engine->train_key_wire, sizeof(old));
	w.kill_at = w.saves + n;
	w.kill_after = after;
	assert_int_equal(esl_engine_rotate_keys(w.engine, world_utc(&w)),
			 n == 1 && !after ? -EIO : 0);
	world_run_to_kill(&w, 60 * US_PER_SEC);
	killed = w.killed;
	world_restart(&w);
	world_run(&w, 5 * US_PER_SEC);
	if (!w.engine->rotating && memcmp(w.engine->train_key_wire, old, sizeof(old)) == 0)
		assert_int_equal(esl_engine_rotate_keys(w.engine, world_utc(&w)), 0);
	assert_true(rotation_is_over(&w, 3600 * US_PER_SEC));
	world_show_all(&w, 1 + n, 900 * US_PER_SEC);
	only_the_new_key_is_heard(&w, old);
	world_close(&w);
	return killed;
}

static void the_power_may_go_at_any_step(void **state)
{
	unsigned int kills;

	(void) state;
	kills = world_end_at_each_save(survive);
	printf("# %u kills, at each save of a rotation of five labels, before it and after it\n",
	       kills);
	assert_true(kills > 17);
}

static void the_policy_comes_due_by_the_age_of_the_key(void **state)
{
	static struct world w;
	uint8_t old[ESL_KEY_BYTES];
	int64_t start_us;

	(void) state;
	open_shop(&w, 4, 0, 6);
	w.cfg.key_days = 1;
	world_restart(&w);
	memcpy(old, w.engine->train_key_wire, sizeof(old));
	start_us = world_now(&w);
	while (memcmp(w.engine->train_key_wire, old, sizeof(old)) == 0 &&
	       world_now(&w) - start_us < 26 * 3600 * US_PER_SEC)
		world_run(&w, 30 * US_PER_SEC);
	printf("# came due after %.1f h\n", (double) (world_now(&w) - start_us) / 3600e6);
	assert_true(world_now(&w) - start_us >= (20 * 3600) * US_PER_SEC);
	assert_true(world_now(&w) - start_us <= (24 * 3600 + 120) * US_PER_SEC);
	assert_true(rotation_is_over(&w, 3600 * US_PER_SEC));
	only_the_new_key_is_heard(&w, old);
	world_close(&w);
}

static void a_key_goes_before_its_randomizers_do(void **state)
{
	static struct world w;
	uint8_t old[ESL_KEY_BYTES];

	(void) state;
	open_shop(&w, 4, 0, 7);
	memcpy(old, w.engine->train_key_wire, sizeof(old));
	w.engine->rand_next = w.engine->rand_end = ESL_RAND_LIMIT - ESL_RAND_LIMIT / 5;
	world_run(&w, 120 * US_PER_SEC);
	assert_true(rotation_is_over(&w, 3600 * US_PER_SEC));
	only_the_new_key_is_heard(&w, old);
	assert_true(w.engine->rand_next < ESL_RAND_LIMIT / 2);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_keys_work_until_every_label_has_the_new_one),
		cmocka_unit_test(broken_links_lose_no_label),
		cmocka_unit_test(the_power_may_go_at_any_step),
		cmocka_unit_test(the_policy_comes_due_by_the_age_of_the_key),
		cmocka_unit_test(a_key_goes_before_its_randomizers_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
