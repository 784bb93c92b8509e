/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is remembered of a label with its bond, and what becomes of a label that does things wrong
 * over a link: over the real HCI path, in virtual time. A wrong memory costs one search for its
 * services, never a wrong picture; a label in trouble is shown or named.
 */
#include "tests/sim/esl_world.h"

#include "esl-radio/le/ots_wire.h"
#include "sim/radio_impl.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE   (60 * US_PER_SEC)
#define SEARCHES 3u /* for one service each */

static struct world w;

static struct sim_label *label(void)
{
	return sim_radio_label(w.radio, 0);
}

/** Searches for a service since it was asked last. */
static unsigned int searches(void)
{
	static unsigned int before;
	unsigned int now = w.radio->labels[0]->bond.searches, n = now - before;

	before = now;
	return n;
}

static void show(uint32_t picture)
{
	world_show(&w, 0, picture);
}

static void open_one(const struct sim_label_model *m)
{
	world_open(&w, 1, m, 0, 41);
	world_adopt_all(&w);
	show(1);
	(void) searches();
}

/* --- memory ----------------------------------------------------------------------------------- */

static void later_visits_search_for_nothing(void **state)
{
	struct sim_label_model nrf = world_small;
	size_t mark;

	(void) state;
	nrf.personality = SIM_PERSONALITY_NRF;
	for (int i = 0; i < 2; i++) {
		open_one(i ? &nrf : &world_small);
		show(2);
		show(3);
		assert_int_equal(searches(), 0);
		/* The day's reading of its sensors is from the same memory. */
		mark = world_mark(&w);
		world_run(&w, 25 * 60 * MINUTE);
		show(4);
		assert_int_equal(searches(), 0);
		assert_non_null(world_find(&w, mark, 0, ESL_STATUS, 0));
		world_close(&w);
	}
}

static void memory_outlives_the_agent(void **state)
{
	(void) state;
	open_one(&world_small);
	world_restart(&w);
	world_run(&w, 10 * US_PER_SEC);
	show(2);
	assert_int_equal(searches(), 0);
	world_close(&w);
}

/** Shortens, spoils or takes away what is remembered in the bond's blob. */
static void change_bond(size_t len, uint8_t version, bool spoil)
{
	unsigned int found = 0;

	for (size_t i = 0; i < w.n_blobs; i++) {
		struct world_blob *b = &w.blobs[i];

		if (strcmp(b->key, "bond:c0ffee010001") != 0)
			continue;
		assert_int_equal(b->data[0], 3);
		assert_true(b->len > len + 40);
		b->data[0] = version;
		if (spoil)
			b->data[b->len - 1] ^= 0x55, b->len -= 2;
		else
			b->len = len;
		found++;
	}
	assert_int_equal(found, 1);
}

/** Is it written down that the label forgets what was switched on? */
static bool known_to_forget(void)
{
	for (size_t i = 0; i < w.n_blobs; i++)
		if (strcmp(w.blobs[i].key, "bond:c0ffee010001") == 0)
			return w.blobs[i].data[3 + LE_KEY_BYTES + ESL_ADDR_BYTES + 1] & 2;
	return false;
}

static void bonds_of_before_cost_one_search(void **state)
{
	const size_t second = 3 + LE_KEY_BYTES + ESL_ADDR_BYTES;

	(void) state;
	for (int spoil = 0; spoil < 2; spoil++) {
		open_one(&world_small);
		change_bond(second, spoil ? 3 : 2, spoil);
		world_restart(&w);
		world_run(&w, 10 * US_PER_SEC);
		show(2);
		assert_int_equal(searches(), SEARCHES);
		show(3);
		assert_int_equal(searches(), 0);
		world_close(&w);
	}
}

static void another_firmware_costs_one_search(void **state)
{
	(void) state;
	open_one(&world_small);
	sim_label_set_firmware(label(), 11);
	show(2);
	assert_int_equal(searches(), SEARCHES);
	show(3);
	assert_int_equal(searches(), 0);
	assert_int_equal(w.engine->stats.upload_failures, 0);
	world_close(&w);
}

static void change_under_an_open_link_ends_it(void **state)
{
	(void) state;
	open_one(&world_small);
	world_want(&w, 0, 2);
	for (int i = 0; i < 10000 && w.engine->visits[0].step != ESL_STEP_WRITE; i++)
		world_run(&w, US_PER_MS);
	assert_int_equal(w.engine->visits[0].step, ESL_STEP_WRITE);
	sim_label_set_firmware(label(), 40);
	world_run(&w, MINUTE);
	assert_true(world_shows(&w, 0, 2));
	assert_int_equal(w.engine->failures[ESL_STEP_WRITE], 1);
	assert_int_equal(searches(), SEARCHES);
	show(3);
	assert_int_equal(searches(), 0);
	world_close(&w);
}

static void label_without_a_hash_is_searched_at_every_visit(void **state)
{
	struct sim_label_model m = world_small;

	(void) state;
	m.no_database_hash = true;
	open_one(&m);
	show(2);
	assert_int_equal(searches(), SEARCHES - 1); /* nobody asks for Service Changed then */
	sim_label_set_firmware(label(), 7);
	show(3);
	assert_int_equal(searches(), SEARCHES - 1);
	world_close(&w);
}

static void hash_that_lies_costs_a_visit_and_one_search(void **state)
{
	(void) state;
	world_open(&w, 1, &world_small, 0, 41);
	sim_label_make_trouble(label(), SIM_TROUBLE_HASH, 1000);
	world_adopt_all(&w);
	show(1);
	(void) searches();
	/* It holds its tongue about the change, too. */
	sim_label_set_firmware(label(), 60);
	w.radio->labels[0]->bond.handle_shift = 60;
	show(2);
	assert_int_equal(searches(), SEARCHES);
	assert_int_equal(w.engine->failures[ESL_STEP_WRITE], 1);
	show(3);
	assert_int_equal(searches(), 0);
	world_close(&w);
}

static void label_that_forgets_its_switches_is_noticed_once(void **state)
{
	struct sim_label_model m = world_small;

	(void) state;
	open_one(&m);
	assert_false(known_to_forget());
	world_close(&w);
	m.forgets_switches = true;
	world_open(&w, 1, &m, 0, 41);
	world_adopt_all(&w);
	assert_false(known_to_forget()); /* they were written over that same link */
	(void) searches();
	show(1);
	assert_true(known_to_forget());
	show(2);
	show(3);
	assert_int_equal(searches(), 0);
	assert_int_equal(w.engine->stats.upload_failures, 0);
	assert_true(known_to_forget());
	world_restart(&w);
	world_run(&w, 10 * US_PER_SEC);
	show(5);
	assert_int_equal(searches(), 0);
	world_close(&w);
}

/* --- trouble ---------------------------------------------------------------------------------- */

/** Trouble n times over with the next picture: shown in the end, and told if it lasts. */
static void check_trouble(const struct sim_label_model *m, enum sim_trouble what, unsigned int n,
			  bool told)
{
	size_t mark;

	open_one(m);
	mark = world_mark(&w);
	sim_label_make_trouble(label(), what, n);
	world_want(&w, 0, 2);
	assert_true(world_await(&w, mark, 0, ESL_SHOWN, ESL_GRADE_CONFIRMED, 2, 10 * MINUTE) >= 0);
	assert_true(world_shows(&w, 0, 2));
	assert_int_equal(world_find(&w, mark, 0, ESL_ERROR, 0) != NULL, told);
	world_close(&w);
}

static void object_that_cannot_be_written_is_tried_again_and_told(void **state)
{
	(void) state;
	for (int what = SIM_TROUBLE_LOCKED; what <= SIM_TROUBLE_FULL; what++) {
		check_trouble(&world_small, (enum sim_trouble) what, 2, false);
		check_trouble(&world_small, (enum sim_trouble) what, 6, true);
	}
}

static void label_that_never_takes_a_picture_keeps_the_old_one_and_is_named(void **state)
{
	size_t mark;

	(void) state;
	open_one(&world_small);
	mark = world_mark(&w);
	sim_label_make_trouble(label(), SIM_TROUBLE_FULL, 100000);
	world_want(&w, 0, 2);
	world_run(&w, 30 * MINUTE);
	assert_non_null(world_find(&w, mark, 0, ESL_ERROR, 0));
	assert_true(world_shows(&w, 0, 1));
	sim_label_make_trouble(label(), SIM_TROUBLE_FULL, 0);
	world_run(&w, 5 * MINUTE);
	assert_true(world_shows(&w, 0, 2));
	world_close(&w);
}

static void size_that_cannot_be_starts_the_picture_over(void **state)
{
	struct sim_label_model m = world_small;

	(void) state;
	m.personality = SIM_PERSONALITY_NRF;
	m.width = 296;
	m.height = 128;
	open_one(&m);
	sim_label_make_trouble(label(), SIM_TROUBLE_SIZE, 1000);
	sim_radio_set_drop(w.radio, 0.02);
	for (uint32_t i = 2; i < 20; i++) {
		world_want(&w, 0, i);
		for (int s = 0; s < 600 && !world_shows(&w, 0, i); s++)
			world_run(&w, US_PER_SEC);
		assert_true(world_shows(&w, 0, i));
	}
	assert_true(w.engine->failures[ESL_STEP_WRITE] > 0);
	world_close(&w);
}

/** A label that joins with its keys in pieces, and does so wrong the first n times. */
static void join_in_pieces(enum sim_trouble what, unsigned int n, bool told)
{
	struct sim_label_model m = world_small;

	m.att_mtu = 23;
	world_open(&w, 1, &m, 0, 43);
	sim_label_make_trouble(label(), what, n);
	world_want(&w, 0, 1);
	for (int s = 0; s < 600 && !world_shows(&w, 0, 1); s++)
		world_run(&w, US_PER_SEC);
	assert_true(world_shows(&w, 0, 1));
	assert_true(w.engine->stats.upload_failures > 0);
	assert_int_equal(world_find(&w, 0, 0, ESL_ERROR, 0) != NULL, told);
	world_close(&w);
}

static void broken_long_write_is_taken_back_and_made_again(void **state)
{
	(void) state;
	join_in_pieces(SIM_TROUBLE_ECHO, 1, false);
	join_in_pieces(SIM_TROUBLE_ECHO, 5, true);
	join_in_pieces(SIM_TROUBLE_PREPARE, 2, false);
	join_in_pieces(SIM_TROUBLE_PREPARE, 6, true);
}

static void values_of_the_wrong_length_end_in_a_name_or_a_picture(void **state)
{
	(void) state;
	world_open(&w, 1, &world_small, 0, 44);
	sim_label_make_trouble(label(), SIM_TROUBLE_VALUE, 12);
	world_want(&w, 0, 1);
	world_run(&w, 20 * MINUTE);
	assert_true(world_shows(&w, 0, 1));
	world_close(&w);
	world_open(&w, 1, &world_small, 0, 45);
	sim_label_make_trouble(label(), SIM_TROUBLE_VALUE, 100000);
	world_want(&w, 0, 1);
	world_run(&w, 20 * MINUTE);
	assert_false(world_view(&w, 0).frame);
	assert_non_null(world_find(&w, 0, 0, ESL_ERROR, 0));
	world_close(&w);
}

/* --- power ------------------------------------------------------------------------------------ */

/** The agent dies at its n-th save while a label joins. False when it had fewer. */
static bool join_and_die(unsigned int n, bool after)
{
	bool killed;

	world_open(&w, 2, &world_small, 0, 46);
	w.kill_at = w.saves + n;
	w.kill_after = after;
	world_want(&w, 0, 1);
	world_want(&w, 1, 1);
	world_run_to_kill(&w, 30 * US_PER_SEC);
	killed = w.killed;
	world_restart(&w);
	world_want(&w, 0, 2);
	world_want(&w, 1, 2);
	for (int s = 0; s < 3 * 3600 && !(world_shows(&w, 0, 2) && world_shows(&w, 1, 2)); s += 5)
		world_run(&w, 5 * US_PER_SEC);
	assert_true(world_shows(&w, 0, 2));
	assert_true(world_shows(&w, 1, 2));
	world_close(&w);
	return killed;
}

static void agent_may_die_anywhere_between_bond_and_keys(void **state)
{
	unsigned int kills;

	(void) state;
	kills = world_end_at_each_save(join_and_die);
	printf("# %u deaths while two labels join, at each save, before it and after it\n", kills);
	assert_true(kills > 10);
}

static void label_may_lose_its_power_anywhere_between_bond_and_keys(void **state)
{
	unsigned int steps = 0;

	(void) state;
	for (int64_t after_us = 0; after_us < 900 * US_PER_MS; after_us += 15 * US_PER_MS) {
		world_open(&w, 1, &world_small, 0, 47);
		world_want(&w, 0, 1);
		for (int ms = 0; ms < 20000 && !w.radio->labels[0]->station.link; ms++)
			world_run(&w, US_PER_MS);
		world_run(&w, after_us);
		sim_label_reboot(label(), world_now(&w));
		if (w.radio->labels[0]->station.link) {
			sim_radio_set_drop(w.radio, 1); /* it says no more on this link */
			world_run(&w, 20 * US_PER_MS);
			sim_radio_set_drop(w.radio, 0);
			steps++;
		}
		for (int s = 0; s < 3600 && !world_shows(&w, 0, 1); s++)
			world_run(&w, US_PER_SEC);
		assert_true(world_shows(&w, 0, 1));
		world_close(&w);
	}
	printf("# cut at %u connection events of one joining\n", steps);
	assert_true(steps > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(later_visits_search_for_nothing),
		cmocka_unit_test(memory_outlives_the_agent),
		cmocka_unit_test(bonds_of_before_cost_one_search),
		cmocka_unit_test(another_firmware_costs_one_search),
		cmocka_unit_test(change_under_an_open_link_ends_it),
		cmocka_unit_test(label_without_a_hash_is_searched_at_every_visit),
		cmocka_unit_test(hash_that_lies_costs_a_visit_and_one_search),
		cmocka_unit_test(label_that_forgets_its_switches_is_noticed_once),
		cmocka_unit_test(object_that_cannot_be_written_is_tried_again_and_told),
		cmocka_unit_test(label_that_never_takes_a_picture_keeps_the_old_one_and_is_named),
		cmocka_unit_test(size_that_cannot_be_starts_the_picture_over),
		cmocka_unit_test(broken_long_write_is_taken_back_and_made_again),
		cmocka_unit_test(values_of_the_wrong_length_end_in_a_name_or_a_picture),
		cmocka_unit_test(agent_may_die_anywhere_between_bond_and_keys),
		cmocka_unit_test(label_may_lose_its_power_anywhere_between_bond_and_keys),
	};

	return cmocka_run_group_tests_name("esl_remember", tests, NULL, NULL);
}
