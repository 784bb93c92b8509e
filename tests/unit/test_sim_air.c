/* SPDX-License-Identifier: Apache-2.0 */
/* What feeds the simulated reader: the air of a store, and a recorded trace. */
#include "tests/unit/sim_reader_fixture.h"

#include "sim/air.h"
#include "sim/player.h"
#include <string.h>

static void the_air_reads_each_item_at_its_rate(void **state)
{
	struct fixture *f = *state;
	struct sim_air_config cfg = {.reads_per_s = 5, .cross = 0.1, .seed = 3};
	size_t per_antenna[5] = {0};
	struct sim_world *w;
	struct sim_air *air;
	int place;

	assert_int_equal(sim_world_new(loop_clock(f->loop), 3, &w), 0);
	for (uint16_t i = 1; i <= 2; i++)
		assert_int_equal(sim_world_add_antenna(w, "r", i), i - 1);
	place = sim_world_add_place(w, "floor", "sales-floor");
	assert_int_equal(place, 1);
	assert_int_equal(sim_world_cover(w, 0, 1), 0);
	assert_int_equal(sim_world_add_place(w, "back", "back-room"), 2);
	assert_int_equal(sim_world_cover(w, 1, 2), 0);
	assert_int_equal(sim_world_add_item(w, &f->epcs[0], 1), 0);
	assert_int_equal(sim_world_add_item(w, &f->epcs[1], 1), 1);
	assert_int_equal(sim_world_seal(w), 0);
	assert_int_equal(sim_air_new(f->loop, w, f->reader, &cfg, &air), 0);
	inventory(f, &plain_wish);
	for (int i = 0; i < 100; i++) {
		pass(f, US_PER_SEC);
		(void) drain(f, per_antenna);
	}
	/* Two items, 5 a second, 100 s; a tenth of that strays to the neighbour. */
	assert_in_range(per_antenna[1], 880, 1120);
	assert_in_range(per_antenna[2], 65, 140);
	assert_int_equal(per_antenna[3] + per_antenna[4], 0);
	assert_int_equal(sim_world_reads(w, 0, 0) + sim_world_reads(w, 1, 0), per_antenna[1]);
	assert_true(w->items[0].first_read_us > 0);
	(void) sim_world_move(w, 0, 2);
	assert_true(w->items[0].first_read_us == 0);
	memset(per_antenna, 0, sizeof per_antenna);
	for (int i = 0; i < 20; i++) {
		pass(f, US_PER_SEC);
		(void) drain(f, per_antenna);
	}
	assert_in_range(per_antenna[2], 70, 145);
	(void) sim_world_move(w, 0, SIM_NOWHERE);
	(void) sim_world_move(w, 1, SIM_NOWHERE);
	pass(f, US_PER_SEC);
	(void) drain(f, per_antenna);
	pass(f, 10 * US_PER_SEC);
	assert_int_equal(drain(f, per_antenna), 0);
	sim_air_free(air);
	sim_world_free(w);
}

static void low_power_reads_less_and_an_unknown_index_is_refused(void **state)
{
	struct fixture *f = *state;
	struct sim_air_config cfg = {.reads_per_s = 50, .seed = 3};
	size_t high[5] = {0}, low[5] = {0};
	struct sim_world *w;
	struct sim_air *air;
	struct llrp_msg *m;
	struct llrp_elem *e;

	assert_int_equal(sim_world_new(loop_clock(f->loop), 3, &w), 0);
	assert_int_equal(sim_world_add_antenna(w, "r", 1), 0);
	assert_int_equal(sim_world_add_place(w, "floor", "sales-floor"), 1);
	assert_int_equal(sim_world_cover(w, 0, 1), 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(sim_world_add_item(w, &f->epcs[i], 1), i);
	assert_int_equal(sim_world_seal(w), 0);
	assert_int_equal(sim_air_new(f->loop, w, f->reader, &cfg, &air), 0);
	inventory(f, &plain_wish);
	for (int i = 0; i < 10; i++) {
		pass(f, US_PER_SEC);
		(void) drain(f, high);
	}
	assert_int_equal(rospec_op(f, LLRP_DELETE_ROSPEC, 0), LLRP_M_SUCCESS);
	for (uint16_t power = 82; power >= 1; power -= 81) {
		m = add_rospec(f, &plain_wish);
		e = llrp_find(llrp_find(llrp_root(m), LLRP_P_ROSPEC), LLRP_P_AISPEC);
		e = llrp_find(e, LLRP_P_INVENTORY_PARAMETER_SPEC);
		e = llrp_add(llrp_add(e, LLRP_P_ANTENNA_CONFIGURATION), LLRP_P_RF_TRANSMITTER);
		llrp_set(e, "HopTableID", 1);
		llrp_set(e, "TransmitPower", power);
		assert_int_equal(status_of(f, m),
				 power > 81 ? LLRP_M_PARAMETER_ERROR : LLRP_M_SUCCESS);
		if (power == 1)
			break;
	}
	assert_int_equal(rospec_op(f, LLRP_ENABLE_ROSPEC, 1), LLRP_M_SUCCESS);
	assert_true(sim_reader_power_db(f->reader, 1) == -20.0);
	for (int i = 0; i < 10; i++) {
		pass(f, US_PER_SEC);
		(void) drain(f, low);
	}
	assert_true(high[1] > 1500);
	assert_true(low[1] < high[1] / 10);
	sim_air_free(air);
	sim_world_free(w);
}

static void note_done(void *user)
{
	(*(int *) user)++;
}

static void a_trace_is_played_at_its_pace_from_the_first_inventory_on(void **state)
{
	struct fixture *f = *state;
	static const char csv[] = "timestamp,epc,antenna\n100,30aa,1\n101.5,30aa,2\n104,30aa,1\n";
	size_t per_antenna[5] = {0};
	struct sim_player *player;
	struct replay trace;
	struct llrp_msg *m;
	const struct llrp_elem *e;
	int done = 0;

	assert_int_equal(replay_parse(csv, sizeof csv - 1, NULL, NULL, &trace), 0);
	assert_int_equal(sim_player_new(f->loop, f->reader, &trace,
					&(struct sim_player_config){.speed = 2}, note_done, &done,
					&player),
			 0);
	pass(f, 60 * US_PER_SEC);
	assert_silent(f);
	inventory(f, &plain_wish);
	pass(f, US_PER_MS);
	m = take_report(f, 1);
	e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
	/* Moved to now: the clock read 2000 s at the start. */
	assert_in_range(llrp_get(llrp_find(e, LLRP_P_FIRST_SEEN_UTC), "Microseconds"),
			2060 * US_PER_SEC, 2060 * US_PER_SEC + 5000);
	llrp_msg_free(m);
	pass(f, 740 * US_PER_MS);
	assert_silent(f);
	pass(f, 15 * US_PER_MS);
	assert_int_equal(drain(f, per_antenna), 1);
	assert_int_equal(done, 0);
	pass(f, 1300 * US_PER_MS);
	assert_int_equal(drain(f, per_antenna), 1);
	pass(f, 100 * US_PER_MS);
	assert_int_equal(done, 1);
	assert_int_equal(sim_player_played(player), 3);
	sim_player_free(player);
	replay_done(&trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(the_air_reads_each_item_at_its_rate),
		WITH_FIXTURE(low_power_reads_less_and_an_unknown_index_is_refused),
		WITH_FIXTURE(a_trace_is_played_at_its_pace_from_the_first_inventory_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
