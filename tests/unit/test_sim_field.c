/* SPDX-License-Identifier: Apache-2.0 */
/* A reader amid tags that lie and walk: what Gen2's settings do to what is read, in virtual time.
 */
#include "tests/unit/sim_reader_fixture.h"

#include "sim/field.h"
#include <string.h>

#define TAGS 400

/** What a client asks of the air protocol. */
struct gen2_wish {
	uint8_t session;
	uint16_t population;
	uint32_t transit_ms;
	uint16_t mode;
	bool single_target;
	uint16_t power; /**< index; 0 = as it is */
	uint16_t sensitivity;
};

struct rig {
	struct fixture f;
	struct sim_world *world;
	struct sim_floor *floor;
	struct sim_field *field;
	size_t reads[TAGS];
	size_t per_antenna[5];
	size_t total;
	int phases, first_phase;
	int64_t last_us;
};

/** Four antennas on the south wall of a hall of 12 x 8 m that look north, and tags before them. */
static void rig_begin(struct rig *g, unsigned int tags, bool free_space)
{
	memset(g, 0, sizeof *g);
	fixture_begin(&g->f);
	assert_int_equal(sim_world_new(loop_clock(g->f.loop), 5, &g->world), 0);
	assert_int_equal(sim_world_add_place(g->world, "floor", "sales-floor"), 1);
	assert_int_equal(sim_world_add_place(g->world, "door", "exit"), 2);
	for (uint16_t i = 1; i <= 4; i++)
		assert_int_equal(sim_world_add_antenna(g->world, "r", i), i - 1);
	for (unsigned int i = 0; i < tags; i++) {
		uint8_t bytes[12] = {0x30, [9] = 1, (uint8_t) (i >> 8), (uint8_t) i};
		struct epc epc;

		assert_int_equal(epc_set(&epc, bytes, 96), 0);
		assert_int_equal(sim_world_add_item(g->world, &epc, 1), i);
	}
	assert_int_equal(sim_world_seal(g->world), 0);
	assert_int_equal(sim_floor_new(g->f.loop, g->world, &g->floor), 0);
	if (!free_space)
		g->floor->room = (struct rf_room){.seed = 5,
						  .x1 = 12,
						  .y1 = 8,
						  .height = 3,
						  .exponent = 2.2,
						  .reflection = 0.3,
						  .shadow_db = 3};
	rf_room_furnish(&g->floor->room);
	g->floor->places[1] = (struct floor_rect){.set = true, .x0 = 1, .y0 = 1, .x1 = 11, .y1 = 3};
	g->floor->places[2] = (struct floor_rect){.set = true, .x0 = 1, .y0 = 5, .x1 = 3, .y1 = 7};
	for (unsigned int i = 0; i < 4; i++) {
		g->floor->antennas[i] = (struct rf_antenna){.at = {1.5 + 3.0 * i, 0, 1.2},
							    .boresight = {0, 1, 0},
							    .gain_dbi = 6,
							    .beam_deg = 70,
							    .id = i};
		g->floor->antenna_set[i] = true;
	}
	assert_int_equal(sim_floor_start(g->floor), 0);
	assert_int_equal(
		sim_field_new(g->f.loop, g->floor, g->f.reader,
			      &(struct sim_field_config){.dwell_us = 100 * US_PER_MS, .seed = 5},
			      &g->field),
		0);
}

static void rig_end(struct rig *g)
{
	sim_field_free(g->field);
	sim_floor_free(g->floor);
	sim_world_free(g->world);
	fixture_end(&g->f);
}

/** Starts an inventory on the first `antennas` antennas with these settings. */
static void rig_inventory(struct rig *g, size_t antennas, const struct gen2_wish *w)
{
	struct rospec_wish wish = plain_wish;
	struct llrp_elem *e, *conf, *command;
	struct llrp_msg *m;

	(void) rospec_op(&g->f, LLRP_DELETE_ROSPEC, 0);
	wish.n_antennas = antennas == 4 ? 1 : antennas;
	for (size_t i = 0; antennas < 4 && i < antennas; i++)
		wish.antennas[i] = (uint16_t) (i + 1);
	m = add_rospec(&g->f, &wish);
	e = llrp_find(llrp_find(llrp_root(m), LLRP_P_ROSPEC), LLRP_P_AISPEC);
	conf = llrp_add(llrp_find(e, LLRP_P_INVENTORY_PARAMETER_SPEC),
			LLRP_P_ANTENNA_CONFIGURATION);
	if (w->sensitivity)
		llrp_set(llrp_add(conf, LLRP_P_RF_RECEIVER), "ReceiverSensitivity", w->sensitivity);
	if (w->power) {
		e = llrp_add(conf, LLRP_P_RF_TRANSMITTER);
		llrp_set(e, "HopTableID", 1);
		llrp_set(e, "TransmitPower", w->power);
	}
	command = llrp_add(conf, LLRP_P_C1G2_INVENTORY_COMMAND);
	llrp_set(command, "TagInventoryStateAware", w->single_target);
	llrp_set(llrp_add(command, LLRP_P_C1G2_RF_CONTROL), "ModeIndex", w->mode);
	e = llrp_add(command, LLRP_P_C1G2_SINGULATION_CONTROL);
	llrp_set(e, "Session", w->session);
	llrp_set(e, "TagPopulation", w->population);
	llrp_set(e, "TagTransitTime", w->transit_ms);
	if (w->single_target)
		(void) llrp_add(e, LLRP_P_C1G2_STATE_AWARE_SINGULATION_ACTION);
	assert_int_equal(status_of(&g->f, m), LLRP_M_SUCCESS);
	assert_int_equal(rospec_op(&g->f, LLRP_ENABLE_ROSPEC, 1), LLRP_M_SUCCESS);
}

static void note_tag(struct rig *g, const struct llrp_elem *e)
{
	size_t len;
	const uint8_t *epc = llrp_get_bytes(llrp_find(e, LLRP_P_EPC_96), "EPC", &len);
	uint64_t at_us = llrp_get(llrp_find(e, LLRP_P_FIRST_SEEN_UTC), "Microseconds");

	assert_int_equal(len, 12);
	g->reads[epc[10] << 8 | epc[11]]++;
	g->per_antenna[llrp_get(llrp_find(e, LLRP_P_ANTENNA_ID), "AntennaID")]++;
	g->total++;
	/* The air is told in order. */
	assert_true((int64_t) at_us >= g->last_us);
	g->last_us = (int64_t) at_us;
}

/** Lets time pass and counts the reads in it; forgets those of before. */
static void rig_listen(struct rig *g, int64_t us)
{
	memset(g->reads, 0, sizeof g->reads);
	memset(g->per_antenna, 0, sizeof g->per_antenna);
	g->total = 0;
	for (int64_t end = g->f.now_us + us; g->f.now_us < end;) {
		struct llrp_msg *m;

		pass(&g->f, MIN(end - g->f.now_us, 200 * US_PER_MS));
		while ((m = take(&g->f))) {
			const struct llrp_elem *e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);

			for (; e; e = llrp_find_next(e))
				note_tag(g, e);
			llrp_msg_free(m);
		}
	}
}

static size_t tags_read(const struct rig *g)
{
	size_t n = 0;

	for (size_t i = 0; i < TAGS; i++)
		n += g->reads[i] > 0;
	return n;
}

static void session_1_single_target_reads_a_tag_again_when_its_flag_has_fallen(void **state)
{
	static struct rig g;
	double interval_s;

	(void) state;
	rig_begin(&g, 1, true);
	rig_inventory(&g, 1, &(struct gen2_wish){.session = 1, .single_target = true});
	rig_listen(&g, 60 * US_PER_SEC);
	/* Once per persistence of the tag, at most 10 ms late, and not once more. */
	interval_s = (double) g.floor->items[0].gen2.s1_s;
	assert_in_range(g.total, 60 / (interval_s + 0.15), 60 / interval_s + 1);
	rig_end(&g);
}

static void session_2_single_target_reads_once_while_there_is_power(void **state)
{
	static struct rig g;

	(void) state;
	rig_begin(&g, 1, true);
	rig_inventory(&g, 1, &(struct gen2_wish){.session = 2, .single_target = true});
	rig_listen(&g, 120 * US_PER_SEC);
	assert_int_equal(g.total, 1);
	assert_int_equal(rospec_op(&g.f, LLRP_STOP_ROSPEC, 1), LLRP_M_SUCCESS);
	rig_listen(&g, 61 * US_PER_SEC); /* in the dark longer than any tag remembers */
	assert_int_equal(rospec_op(&g.f, LLRP_START_ROSPEC, 1), LLRP_M_SUCCESS);
	rig_listen(&g, 60 * US_PER_SEC);
	assert_int_equal(g.total, 1);
	rig_end(&g);
}

static void dual_target_and_session_0_read_on_and_on(void **state)
{
	static struct rig g;

	(void) state;
	rig_begin(&g, 1, true);
	for (uint8_t session = 0; session < 4; session++) {
		rig_inventory(&g, 1, &(struct gen2_wish){.session = session, .mode = 2});
		rig_listen(&g, 10 * US_PER_SEC);
		assert_true(g.total > 500);
	}
	/* In session 0, each carrier of 100 ms or less begins anew. */
	rig_inventory(&g, 1, &(struct gen2_wish){.session = 0, .single_target = true, .mode = 2});
	rig_listen(&g, 10 * US_PER_SEC);
	assert_in_range(g.total, 95, 210);
	rig_end(&g);
}

static void more_tags_share_the_same_air(void **state)
{
	static struct rig g;
	size_t few_total, few_each;

	(void) state;
	rig_begin(&g, 10, true);
	rig_inventory(&g, 1, &(struct gen2_wish){.session = 2, .mode = 2, .population = 16});
	rig_listen(&g, 20 * US_PER_SEC);
	few_total = g.total;
	few_each = g.total / MAX(tags_read(&g), (size_t) 1);
	rig_end(&g);
	rig_begin(&g, TAGS, true);
	rig_inventory(&g, 1, &(struct gen2_wish){.session = 2, .mode = 2, .population = 256});
	rig_listen(&g, 20 * US_PER_SEC);
	assert_true(tags_read(&g) > 100);
	/* The reader is busy all the time either way; each tag gets its share of that. */
	assert_in_range(g.total, few_total / 2, few_total * 2);
	assert_true(g.total / tags_read(&g) < few_each / 5);
	rig_end(&g);
}

static void faster_modes_read_more_and_slow_ones_hear_farther(void **state)
{
	static struct rig g;
	size_t fast, slow;

	(void) state;
	rig_begin(&g, 100, false);
	rig_inventory(&g, 4, &(struct gen2_wish){.session = 0, .mode = 0});
	rig_listen(&g, 10 * US_PER_SEC);
	fast = g.total;
	rig_inventory(&g, 4, &(struct gen2_wish){.session = 0, .mode = 3});
	rig_listen(&g, 10 * US_PER_SEC);
	slow = g.total;
	assert_true(fast > 5 * slow && slow > 0);
	/* Less power wakes fewer; a deaf receiver hears fewer. */
	rig_inventory(&g, 4, &(struct gen2_wish){.session = 0, .mode = 2});
	rig_listen(&g, 10 * US_PER_SEC);
	slow = tags_read(&g);
	rig_inventory(&g, 4, &(struct gen2_wish){.session = 0, .mode = 2, .power = 1});
	rig_listen(&g, 10 * US_PER_SEC);
	assert_true(tags_read(&g) < slow / 2);
	rig_inventory(&g, 4, &(struct gen2_wish){.session = 0, .mode = 2, .sensitivity = 11});
	rig_listen(&g, 10 * US_PER_SEC);
	assert_true(tags_read(&g) < slow);
	rig_end(&g);
}

static void antennas_take_turns_and_a_short_transit_makes_them_quicker(void **state)
{
	static struct rig g;
	struct sim_field_stats slow, quick;

	(void) state;
	rig_begin(&g, 40, true);
	rig_inventory(&g, 4, &(struct gen2_wish){.session = 0, .mode = 2});
	rig_listen(&g, 10 * US_PER_SEC);
	for (int i = 1; i <= 4; i++)
		assert_true(g.per_antenna[i] > g.total / 20);
	sim_field_get_stats(g.field, &slow);
	rig_inventory(&g, 4, &(struct gen2_wish){.session = 0, .mode = 2, .transit_ms = 80});
	rig_listen(&g, 1 * US_PER_SEC);
	for (int i = 1; i <= 4; i++)
		assert_true(g.per_antenna[i] > 0);
	sim_field_get_stats(g.field, &quick);
	assert_true(quick.in_range == slow.in_range && quick.in_range > 40);
	rig_end(&g);
}

static void one_reader_quietens_a_tag_for_another(void **state)
{
	static struct rig g;

	(void) state;
	rig_begin(&g, 1, true);
	/* Whoever read it, its flag is the tag's own. */
	gen2_tag_power(&g.floor->items[0].gen2, clock_real_us(loop_clock(g.f.loop)),
		       clock_real_us(loop_clock(g.f.loop)) + US_PER_SEC);
	gen2_tag_toggle(&g.floor->items[0].gen2, 2, clock_real_us(loop_clock(g.f.loop)));
	rig_inventory(&g, 1, &(struct gen2_wish){.session = 2, .single_target = true});
	rig_listen(&g, 10 * US_PER_SEC);
	assert_int_equal(g.total, 0);
	rig_end(&g);
}

static void a_tag_that_walks_by_is_read_by_one_antenna_after_the_other(void **state)
{
	static struct rig g;
	size_t half[5];

	(void) state;
	rig_begin(&g, 1, true);
	g.floor->room.x0 = -20;
	g.floor->places[1] =
		(struct floor_rect){.set = true, .x0 = 0, .y0 = 2, .x1 = 0.1, .y1 = 2.1};
	g.floor->places[2] =
		(struct floor_rect){.set = true, .x0 = 12, .y0 = 2, .x1 = 12.1, .y1 = 2.1};
	(void) sim_world_move(g.world, 0, SIM_NOWHERE);
	(void) sim_world_move(g.world, 0, 1);
	g.floor->items[0].tag.axis = (struct rf_vec){0, 0, 1};
	assert_true(sim_floor_walk(g.floor, 0, 2, 1.2, 0) > 0);
	rig_inventory(&g, 4, &(struct gen2_wish){.session = 0, .mode = 1, .transit_ms = 100});
	rig_listen(&g, 5 * US_PER_SEC);
	memcpy(half, g.per_antenna, sizeof half);
	assert_true(half[1] > 2 * half[4]);
	rig_listen(&g, 5 * US_PER_SEC);
	assert_true(g.per_antenna[4] > 2 * g.per_antenna[1]);
	assert_null(sim_floor_walk_of(g.floor, 0));
	assert_int_equal(g.world->items[0].place, 2);
	rig_end(&g);
}

static void what_is_stolen_passes_the_exits_antennas_and_is_gone(void **state)
{
	static struct rig g;
	int64_t strongest_us[5] = {0}, last_us[5] = {0};
	int64_t peak[5] = {-128, -128, -128, -128, -128};
	struct llrp_msg *m;

	(void) state;
	rig_begin(&g, 1, false);
	/* Antennas 1 and 2 look down on the inner and the outer side of the exit. */
	g.floor->places[2] = (struct floor_rect){.set = true, .x0 = 11, .y0 = 1, .x1 = 15, .y1 = 3};
	g.floor->has_outside = true;
	g.floor->outside = (struct floor_point){30, 2};
	for (unsigned int i = 0; i < 2; i++) {
		g.floor->antennas[i].at = (struct rf_vec){11.5 + 3.0 * i, 2, 2.6};
		g.floor->antennas[i].boresight = (struct rf_vec){0, 0, -1};
	}
	g.floor->items[0].tag.at = (struct rf_vec){2, 2, 1};
	g.floor->items[0].tag.axis = (struct rf_vec){0, 1, 0};
	assert_true(sim_floor_walk(g.floor, 0, SIM_NOWHERE, 1.2, SIM_STOLEN) > 0);
	rig_inventory(&g, 2, &(struct gen2_wish){.session = 0, .mode = 1, .transit_ms = 100});
	for (int i = 0; i < 300; i++) {
		pass(&g.f, 100 * US_PER_MS);
		while ((m = take(&g.f))) {
			const struct llrp_elem *e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
			uint64_t a = llrp_get(llrp_find(e, LLRP_P_ANTENNA_ID), "AntennaID");
			int64_t at_us = (int64_t) llrp_get(llrp_find(e, LLRP_P_FIRST_SEEN_UTC),
							   "Microseconds");

			int64_t rssi = llrp_get_signed(llrp_find(e, LLRP_P_PEAK_RSSI), "PeakRSSI");

			if (rssi > peak[a]) {
				peak[a] = rssi;
				strongest_us[a] = at_us;
			}
			last_us[a] = at_us;
			llrp_msg_free(m);
		}
	}
	/* Three metres apart, at 1.2 m/s: the strongest reads are a good second apart. */
	assert_true(strongest_us[1] > 0 && strongest_us[1] + US_PER_SEC < strongest_us[2]);
	assert_int_equal(g.world->items[0].left, SIM_STOLEN);
	assert_true(last_us[2] < clock_real_us(loop_clock(g.f.loop)) - US_PER_SEC);
	rig_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			session_1_single_target_reads_a_tag_again_when_its_flag_has_fallen),
		cmocka_unit_test(session_2_single_target_reads_once_while_there_is_power),
		cmocka_unit_test(dual_target_and_session_0_read_on_and_on),
		cmocka_unit_test(more_tags_share_the_same_air),
		cmocka_unit_test(faster_modes_read_more_and_slow_ones_hear_farther),
		cmocka_unit_test(antennas_take_turns_and_a_short_transit_makes_them_quicker),
		cmocka_unit_test(one_reader_quietens_a_tag_for_another),
		cmocka_unit_test(a_tag_that_walks_by_is_read_by_one_antenna_after_the_other),
		cmocka_unit_test(what_is_stolen_passes_the_exits_antennas_and_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
