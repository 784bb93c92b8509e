/* SPDX-License-Identifier: Apache-2.0 */
/* The radio channel of the simulated store against what physics says of it. */
#include "tests/unit/test_common.h"

#include "sim/rf.h"
#include <math.h>

#define PI 3.14159265358979

static const struct rf_antenna plain_antenna = {
	.boresight = {1, 0, 0}, .gain_dbi = 6, .beam_deg = 70, .id = 3};
static const struct rf_antenna hung_antenna = {
	.at = {0, 0, 2}, .boresight = {1, 0, 0}, .gain_dbi = 6, .beam_deg = 70, .id = 3};

static struct rf_tag tag_at(double x, double y, double z)
{
	return (struct rf_tag){.at = {x, y, z}, .axis = {0, 0, 1}, .sensitivity_dbm = -20};
}

static struct rf_room hall(void)
{
	struct rf_room room = {.seed = 11,
			       .x0 = -1,
			       .y0 = -3,
			       .x1 = 9,
			       .y1 = 4,
			       .height = 3.2,
			       .exponent = 2.2,
			       .reflection = 0.4};

	rf_room_furnish(&room);
	return room;
}

static void free_space_takes_20_db_a_decade_one_way_and_40_both(void **state)
{
	struct rf_room room = rf_free_space();
	struct rf_tag one = tag_at(1, 0, 0), ten = tag_at(10, 0, 0);
	struct rf_link a = rf_link_on(&room, &plain_antenna, &one, 1);
	struct rf_link b = rf_link_on(&room, &plain_antenna, &ten, 1);

	(void) state;
	assert_true(fabs(a.tag_db - b.tag_db - 20) < 0.01);
	assert_true(fabs(a.rssi_db - b.rssi_db - 40) < 0.01);
	/* Friis at 902.75 MHz and 1 m: 31.55 dB; 6 dBi, a dipole, circular to linear. */
	assert_true(fabs(a.tag_db - (6 + 2.15 - 3 - 31.55)) < 0.05);
	room.exponent = 3;
	b = rf_link_on(&room, &plain_antenna, &ten, 1);
	assert_true(fabs(a.tag_db - b.tag_db - 30) < 0.01);
}

static void the_beam_is_half_at_its_edge_and_20_db_less_behind(void **state)
{
	struct rf_vec edge = {cos(35 * PI / 180), sin(35 * PI / 180), 0};
	struct rf_vec behind = {-1, 0, 0}, ahead = {2, 0, 0};

	(void) state;
	assert_true(fabs(rf_antenna_gain_dbi(&plain_antenna, &ahead) - 6) < 1e-9);
	assert_true(fabs(rf_antenna_gain_dbi(&plain_antenna, &edge) - (6 - 3.01)) < 0.02);
	assert_true(fabs(rf_antenna_gain_dbi(&plain_antenna, &behind) - (6 - 20)) < 1e-9);
}

static void a_tag_is_20_db_deafer_along_its_axis(void **state)
{
	struct rf_room room = rf_free_space(), reflecting = hall();
	struct rf_tag across = tag_at(3, 0, 0), along = across;
	double lost;

	(void) state;
	assert_true(rf_dipole(&across.axis, &across.at) > 0.999);
	assert_true(rf_dipole(&across.axis, &across.axis) < 1e-6);
	along.axis = (struct rf_vec){1, 0, 0};
	lost = rf_link_on(&room, &plain_antenna, &across, 1).tag_db -
	       rf_link_on(&room, &plain_antenna, &along, 1).tag_db;
	assert_true(fabs(lost - 20) < 0.1);
	/* In a room, what comes off the walls reaches it still. */
	lost = rf_link_on(&reflecting, &plain_antenna, &across, 1).tag_db -
	       rf_link_on(&reflecting, &plain_antenna, &along, 1).tag_db;
	assert_true(lost < 15);
}

/** Standard deviation of a channel's fading over `n` steps of that tag away from the antenna. */
static double spread(const struct rf_room *room, struct rf_tag tag, double step_m, int n)
{
	double sum = 0, squares = 0;

	for (int i = 0; i < n; i++) {
		float fade[RF_MAX_CHANNELS];
		double db;

		rf_fading_db(room, &hung_antenna, &tag, fade);
		db = (double) fade[6];
		sum += db;
		squares += db * db;
		tag.at.x += step_m;
	}
	return sqrt(fmax(squares / n - sum / n * (sum / n), 0));
}

static void fading_stands_still_with_the_tag_and_changes_as_it_moves(void **state)
{
	struct rf_room room = hall(), space = rf_free_space();
	struct rf_tag tag = tag_at(5, 0.5, 1.2), near = tag;
	double here;

	(void) state;
	assert_true(spread(&room, tag, 0, 50) < 1e-4);
	/* Over a metre, free space hardly changes; the room does, by decibels. */
	assert_true(spread(&space, tag, 0.02, 50) < 0.1);
	assert_true(spread(&room, tag, 0.02, 50) > 0.6);
	/* Coherent in place: two millimetres are nothing, two decimetres are another place. */
	here = rf_link_on(&room, &hung_antenna, &tag, 7).tag_db;
	near.at.y += 0.002;
	assert_true(fabs(rf_link_on(&room, &hung_antenna, &near, 7).tag_db - here) < 0.5);
}

static void a_tag_has_a_level_of_its_own_on_each_channel(void **state)
{
	struct rf_room room = hall(), space = rf_free_space();
	struct rf_tag tag = tag_at(5, 0.5, 1.2);
	float fade[RF_MAX_CHANNELS], flat[RF_MAX_CHANNELS];
	float lowest = 1e9F, highest = -1e9F;

	(void) state;
	rf_fading_db(&room, &hung_antenna, &tag, fade);
	rf_fading_db(&space, &hung_antenna, &tag, flat);
	for (unsigned int c = 1; c <= RF_MAX_CHANNELS; c++) {
		double mean = rf_mean_tag_db(&room, &hung_antenna, &tag);
		struct rf_link l = rf_link_on(&room, &hung_antenna, &tag, c);

		/* The list for all channels and the link for one are the same field. */
		assert_true(fabs(mean + (double) fade[c - 1] - l.tag_db) < 1e-3);
		assert_true(fabs((double) (flat[c - 1] - flat[0])) < 1e-3);
		lowest = fminf(lowest, fade[c - 1]);
		highest = fmaxf(highest, fade[c - 1]);
	}
	assert_true(highest - lowest > 1.0F);
}

static void phase_turns_twice_a_wavelength_and_by_the_frequency(void **state)
{
	struct rf_room room = rf_free_space();
	struct rf_tag tag = tag_at(2, 0, 0);
	double wave_m = 299.792458 / rf_channel_mhz(RF_FCC, 9), first, turned;

	(void) state;
	first = rf_link_on(&room, &plain_antenna, &tag, 9).turns;
	tag.at.x += wave_m / 8;
	turned = rf_link_on(&room, &plain_antenna, &tag, 9).turns - first;
	assert_true(fabs(turned - floor(turned) - 0.75) < 1e-6); /* a quarter behind */
	/* Half a wavelength on, all looks as before: distances repeat. */
	tag.at.x += wave_m * 3 / 8;
	turned = rf_link_on(&room, &plain_antenna, &tag, 9).turns - first;
	assert_true(fabs(turned - round(turned)) < 1e-6);
	assert_int_equal(rf_phase_steps(0.25), 1024);
	assert_int_equal(rf_phase_steps(-0.25), 3072);
	assert_int_equal(rf_phase_steps(0.99999), 0);
}

static void doppler_has_the_sign_of_coming_and_the_size_of_twice_the_speed(void **state)
{
	struct rf_room room = rf_free_space();
	struct rf_tag tag = tag_at(4, 0, 0);
	double shift;

	(void) state;
	tag.velocity = (struct rf_vec){1, 0, 0};
	shift = rf_doppler_16hz(rf_link_on(&room, &plain_antenna, &tag, 1).radial_m, 902.75);
	/* 2 v / wavelength = 6.02 Hz */
	assert_true(fabs(shift + 16 * 6.0224) < 0.1);
	tag.velocity = (struct rf_vec){0, 1, 0};
	assert_true(fabs(rf_link_on(&room, &plain_antenna, &tag, 1).radial_m) < 1e-9);
}

static void walls_people_and_bodies_take_their_share(void **state)
{
	struct rf_room room = rf_free_space();
	struct rf_tag tag = tag_at(4, 0, 0);
	double clear = rf_mean_tag_db(&room, &plain_antenna, &tag);
	unsigned int shadowed = 0;

	(void) state;
	tag.velocity = (struct rf_vec){1, 0, 0};
	tag.carried = true; /* away from the antenna: the body is between */
	assert_true(rf_mean_tag_db(&room, &plain_antenna, &tag) < clear - 5);
	tag.velocity.x = -1;
	assert_true(fabs(rf_mean_tag_db(&room, &plain_antenna, &tag) - clear) < 1e-9);
	room.walls[room.n_walls++] = (struct rf_walls){3, -1, 5, 1, 12};
	assert_true(fabs(rf_mean_tag_db(&room, &plain_antenna, &tag) - (clear - 12)) < 1e-9);
	room.people = 0.2;
	for (int i = 0; i < 1000; i++)
		shadowed += rf_people_db(&room, &plain_antenna, &tag.at, i * 7000000LL) > 0;
	assert_in_range(shadowed, 150, 250);
}

static void channels_are_those_of_the_region(void **state)
{
	bool seen[RF_MAX_CHANNELS] = {false};

	(void) state;
	assert_int_equal(rf_channels(RF_FCC), 50);
	assert_int_equal(rf_channels(RF_ETSI), 4);
	for (unsigned int c = 1; c <= 50; c++) {
		double step = (rf_channel_mhz(RF_FCC, c) - 902.75) / 0.5;

		assert_true(fabs(step - round(step)) < 1e-9 && step > -0.5 && step < 49.5);
		assert_false(seen[lround(step)]);
		seen[lround(step)] = true;
	}
	assert_true(fabs(rf_channel_mhz(RF_ETSI, 1) - 865.7) < 1e-9);
	assert_true(fabs(rf_channel_mhz(RF_ETSI, 4) - 867.5) < 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(free_space_takes_20_db_a_decade_one_way_and_40_both),
		cmocka_unit_test(the_beam_is_half_at_its_edge_and_20_db_less_behind),
		cmocka_unit_test(a_tag_is_20_db_deafer_along_its_axis),
		cmocka_unit_test(fading_stands_still_with_the_tag_and_changes_as_it_moves),
		cmocka_unit_test(a_tag_has_a_level_of_its_own_on_each_channel),
		cmocka_unit_test(phase_turns_twice_a_wavelength_and_by_the_frequency),
		cmocka_unit_test(doppler_has_the_sign_of_coming_and_the_size_of_twice_the_speed),
		cmocka_unit_test(walls_people_and_bodies_take_their_share),
		cmocka_unit_test(channels_are_those_of_the_region),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
