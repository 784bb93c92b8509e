/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader and presence halves of the product against the simulated readers and goods, over real
 * TCP and in virtual time: what a shop's minutes look like in a fraction of a second.
 */
#include "tests/unit/test_common.h"

#include "rfid/rfid.h"
#include "sim/air.h"
#include "sim/player.h"
#include <stdio.h>
#include <string.h>

#define ITEMS 30

struct seen {
	int64_t appeared_us[3]; /**< per antenna, of the last APPEAR; 0 = none or gone since */
	unsigned int appears[3];
};

struct shop {
	struct loop *loop;
	struct sim_world *world;
	struct sim_reader *sim;
	struct sim_air *air;
	struct rfid_reader *reader;
	struct presence *presence;
	struct seen seen[ITEMS];
	int64_t now_us;
	uint64_t reads, with_phase, wrong_antenna;
	struct rfid_read last;
	unsigned int lost;
};

static void on_state(void *user, enum rfid_reader_state state, int err, const char *text)
{
	struct shop *s = user;

	(void) err;
	(void) text;
	if (state == RFID_READER_WAITING)
		s->lost++;
}

static void on_reads(void *user, const struct rfid_read *reads, size_t n)
{
	struct shop *s = user;

	for (size_t i = 0; i < n; i++) {
		s->reads += reads[i].count;
		s->with_phase += reads[i].phase != UINT16_MAX;
		s->wrong_antenna += reads[i].antenna < 1 || reads[i].antenna > 2;
		s->last = reads[i];
		if (s->presence)
			(void) presence_read(s->presence, reads[i].antenna, &reads[i]);
	}
}

static void on_sighting(void *user, const struct presence_sighting *g)
{
	struct shop *s = user;
	int item = sim_world_find_item(s->world, g->epc);

	assert_true(item >= 0 && g->source < 3);
	if (g->kind == PRESENCE_APPEAR) {
		s->seen[item].appeared_us[g->source] = g->first_us;
		s->seen[item].appears[g->source]++;
	} else if (g->kind == PRESENCE_GONE) {
		s->seen[item].appeared_us[g->source] = 0;
	}
}

static void pass(struct shop *s, int64_t us)
{
	for (int64_t end_us = s->now_us + us; s->now_us < end_us;) {
		s->now_us = MIN(s->now_us + 50 * US_PER_MS, end_us);
		loop_run_until(s->loop, s->now_us);
		if (s->presence)
			presence_tick(s->presence, clock_real_us(loop_clock(s->loop)));
	}
}

static void build_world(struct shop *s)
{
	assert_int_equal(sim_world_new(loop_clock(s->loop), 5, &s->world), 0);
	for (uint16_t i = 1; i <= 2; i++) {
		char name[16];

		assert_int_equal(sim_world_add_antenna(s->world, "r", i), i - 1);
		(void) snprintf(name, sizeof name, "place %u", i);
		assert_int_equal(sim_world_add_place(s->world, name, "other"), i);
		assert_int_equal(sim_world_cover(s->world, i - 1u, i), 0);
	}
	for (uint8_t i = 0; i < ITEMS; i++) {
		const uint8_t bytes[12] = {0x30, 0x34, i};
		struct epc epc;

		assert_int_equal(epc_set(&epc, bytes, 96), 0);
		assert_int_equal(sim_world_add_item(s->world, &epc, 1 + i % 2u), i);
	}
	assert_int_equal(sim_world_seal(s->world), 0);
}

static void connect_reader(struct shop *s)
{
	static const struct rfid_reader_callbacks cb = {.state = on_state, .reads = on_reads};
	struct rfid_reader_config cfg = {.name = "r",
					 .host = "127.0.0.1",
					 .port = sim_reader_port(s->sim),
					 .session = 1,
					 .keepalive_ms = 2000};

	assert_int_equal(rfid_reader_new(s->loop, &cfg, &cb, s, &s->reader), 0);
}

static void begin(struct shop *s, const struct sim_reader_config *cfg, double cross)
{
	struct sim_air_config air = {.reads_per_s = 5, .cross = cross, .seed = 5};
	struct presence_config presence = {0};

	memset(s, 0, sizeof *s);
	s->now_us = US_PER_SEC;
	assert_int_equal(loop_new_virtual(s->now_us, INT64_C(1800000000) * US_PER_SEC, &s->loop),
			 0);
	build_world(s);
	assert_int_equal(sim_reader_new(s->loop, cfg, &s->sim), 0);
	assert_int_equal(sim_air_new(s->loop, s->world, s->sim, &air, &s->air), 0);
	assert_int_equal(sim_reader_listen(s->sim, 0), 0);
	assert_int_equal(presence_new(&presence, on_sighting, s, &s->presence), 0);
	connect_reader(s);
	pass(s, 2 * US_PER_SEC);
	assert_int_equal(rfid_reader_state(s->reader), RFID_READER_RUNNING);
}

static void end(struct shop *s)
{
	rfid_reader_free(s->reader);
	presence_free(s->presence);
	sim_air_free(s->air);
	sim_reader_free(s->sim);
	sim_world_free(s->world);
	loop_free(s->loop);
}

static const struct sim_reader_config plain = {.name = "r", .n_antennas = 2};

static void every_read_of_the_air_arrives(void **state)
{
	static struct shop s;
	uint64_t in_air = 0;

	(void) state;
	begin(&s, &plain, 0.05);
	pass(&s, 60 * US_PER_SEC);
	for (uint32_t i = 0; i < ITEMS; i++)
		in_air += sim_world_reads(s.world, i, 0) + sim_world_reads(s.world, i, 1);
	assert_true(in_air > 8000);
	/* The last turn may still be under way. */
	assert_in_range(in_air - s.reads, 0, 20);
	assert_int_equal(s.wrong_antenna, 0);
	assert_int_equal(presence_tags(s.presence), ITEMS);
	end(&s);
}

static void fields_left_out_are_carried_forward(void **state)
{
	static struct shop s;
	uint64_t in_air = 0;

	(void) state;
	begin(&s, &(struct sim_reader_config){.name = "r", .n_antennas = 2, .carry_forward = true},
	      0);
	pass(&s, 30 * US_PER_SEC);
	for (uint32_t i = 0; i < ITEMS; i++) {
		in_air += sim_world_reads(s.world, i, 0) + sim_world_reads(s.world, i, 1);
		/* Without stray reads each item may only ever appear at its own antenna. */
		assert_int_equal(s.seen[i].appears[2 - i % 2], 0);
		assert_true(s.seen[i].appears[1 + i % 2] > 0);
	}
	assert_in_range(in_air - s.reads, 0, 20);
	assert_int_equal(s.wrong_antenna, 0);
	end(&s);
}

static void a_moved_item_appears_where_it_is_with_its_first_read(void **state)
{
	static struct shop s;

	(void) state;
	begin(&s, &plain, 0);
	pass(&s, 20 * US_PER_SEC);
	for (uint32_t i = 0; i < ITEMS; i += 2) {
		assert_true(s.seen[i].appeared_us[1] > 0);
		(void) sim_world_move(s.world, i, 2);
	}
	pass(&s, 3 * US_PER_SEC);
	for (uint32_t i = 0; i < ITEMS; i += 2) {
		int64_t first_us = s.world->items[i].first_read_us;

		assert_true(first_us > 0);
		assert_true(s.seen[i].appeared_us[2] == first_us);
	}
	pass(&s, 30 * US_PER_SEC);
	for (uint32_t i = 0; i < ITEMS; i += 2)
		assert_true(s.seen[i].appeared_us[1] == 0);
	end(&s);
}

static void a_reader_unplugged_in_a_message_is_taken_back(void **state)
{
	static struct shop s;
	uint64_t before;

	(void) state;
	begin(&s, &plain, 0);
	assert_int_equal(sim_reader_set_unplugged(s.sim, true), 0);
	pass(&s, 20 * US_PER_SEC);
	assert_true(s.lost >= 1);
	assert_int_not_equal(rfid_reader_state(s.reader), RFID_READER_RUNNING);
	assert_int_equal(sim_reader_set_unplugged(s.sim, false), 0);
	before = s.reads;
	pass(&s, 40 * US_PER_SEC);
	assert_int_equal(rfid_reader_state(s.reader), RFID_READER_RUNNING);
	assert_true(s.reads > before + 500);
	end(&s);
}

static void a_mute_reader_is_given_up_and_taken_back(void **state)
{
	static struct shop s;
	uint64_t before;

	(void) state;
	begin(&s, &plain, 0);
	sim_reader_set_frozen(s.sim, true);
	pass(&s, 15 * US_PER_SEC);
	assert_true(s.lost >= 1);
	sim_reader_set_frozen(s.sim, false);
	before = s.reads;
	pass(&s, 60 * US_PER_SEC);
	assert_int_equal(rfid_reader_state(s.reader), RFID_READER_RUNNING);
	assert_true(s.reads > before + 500);
	end(&s);
}

static void note_done(void *user)
{
	(*(int *) user)++;
}

static void a_trace_arrives_whole_with_phase_and_doppler(void **state)
{
	static const char csv[] =
		"timestamp,epc,antenna,rssi,phase_angle,channel_index,doppler_frequency\n"
		"1000.0,303435fc8803d056d15b963f,1,-45,2388,23,-78\n"
		"1000.5,303435fc8803d056d15b963f,2,-72,1312,23,54\n";
	static struct shop s;
	struct sim_player *player;
	struct replay trace;
	int done = 0;

	(void) state;
	memset(&s, 0, sizeof s);
	s.now_us = US_PER_SEC;
	assert_int_equal(loop_new_virtual(s.now_us, INT64_C(1800000000) * US_PER_SEC, &s.loop), 0);
	assert_int_equal(replay_parse(csv, sizeof csv - 1, NULL, NULL, &trace), 0);
	assert_int_equal(sim_reader_new(s.loop,
					&(struct sim_reader_config){
						.name = "r", .n_antennas = 4, .impinj = true},
					&s.sim),
			 0);
	assert_int_equal(sim_player_new(s.loop, s.sim, &trace,
					&(struct sim_player_config){.speed = 1}, note_done, &done,
					&player),
			 0);
	assert_int_equal(sim_reader_listen(s.sim, 0), 0);
	connect_reader(&s);
	pass(&s, 5 * US_PER_SEC);
	assert_int_equal(done, 1);
	assert_int_equal(s.reads, 2);
	assert_int_equal(s.with_phase, 2);
	assert_int_equal(s.last.antenna, 2);
	assert_int_equal(s.last.phase, 1312);
	assert_int_equal(s.last.doppler, 54);
	assert_int_equal(s.last.rssi_cdbm, -7200);
	assert_int_equal(s.last.channel, 23);
	rfid_reader_free(s.reader);
	sim_player_free(player);
	sim_reader_free(s.sim);
	replay_done(&trace);
	loop_free(s.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_read_of_the_air_arrives),
		cmocka_unit_test(fields_left_out_are_carried_forward),
		cmocka_unit_test(a_moved_item_appears_where_it_is_with_its_first_read),
		cmocka_unit_test(a_reader_unplugged_in_a_message_is_taken_back),
		cmocka_unit_test(a_mute_reader_is_given_up_and_taken_back),
		cmocka_unit_test(a_trace_arrives_whole_with_phase_and_doppler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
