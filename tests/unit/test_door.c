/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "controller/inventory/door.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define READS 120

static struct trace_read reads[READS];
static const struct door_group left = {2, {1, 2}}, right = {2, {3, 4}};

/* A tag carried from x = 0 to x = 1.2 m (or back), read by antennas at both ends in turn. */
static void carry(bool forward)
{
	for (unsigned int i = 0; i < READS; i++) {
		double u = (double) i / (READS - 1), x = forward ? 1.2 * u : 1.2 - 1.2 * u;
		unsigned int a = 1 + i % 4;
		double d = a <= 2 ? x + 0.5 : 1.7 - x;

		reads[i] = (struct trace_read){
			.at_us = 1000000 + (int64_t) i * 25000,
			.antenna = (uint16_t) a,
			.rssi_dbm = (float) (-50 - 20 * log10(d)),
			.channel = (int16_t) (i / 20),
			/* Nearer is further round, with half turns lost. */
			.phase = (int16_t) ((unsigned int) (100000 - d / 0.0819 * 2048) % 2048),
			.doppler = (a <= 2) == forward ? -40.0f : 40.0f,
		};
	}
}

static struct door_verdict judge(const struct door_group *from, const struct door_group *to)
{
	struct door_verdict v;

	door_judge(reads, READS, from, to, &v);
	return v;
}

static void a_passage_has_its_direction(void **state)
{
	(void) state;
	carry(true);
	assert_int_equal(judge(&left, &right).direction, DOOR_FORWARD);
	carry(false);
	assert_int_equal(judge(&left, &right).direction, DOOR_BACKWARD);
	assert_true(judge(&left, &right).confidence > 0.9f);
}

static void the_opposite_question_has_the_opposite_answer(void **state)
{
	struct door_verdict a, b;

	(void) state;
	carry(true);
	a = judge(&left, &right);
	b = judge(&right, &left);
	assert_int_equal(b.direction, -a.direction);
	assert_true(fabsf(a.score + b.score) < 1e-3f);
	assert_true(a.witness[DOOR_LOUD_TIME] > 0.0f);
	assert_true(a.witness[DOOR_TREND] > 0.0f);
	assert_true(a.witness[DOOR_PHASE] > 0.0f);
	assert_true(a.witness[DOOR_DOPPLER] > 0.0f);
}

static void what_a_recording_lacks_does_not_count(void **state)
{
	struct door_verdict v;

	(void) state;
	carry(true);
	for (int i = 0; i < READS; i++) {
		reads[i].phase = reads[i].channel = -1;
		reads[i].doppler = TRACE_NO_DOPPLER;
	}
	v = judge(&left, &right);
	assert_true(v.witness[DOOR_PHASE] == 0.0f);
	assert_true(v.witness[DOOR_DOPPLER] == 0.0f);
	assert_int_equal(v.direction, DOOR_FORWARD);
	for (int i = 0; i < READS; i++)
		reads[i].rssi_dbm = TRACE_NO_RSSI;
	v = judge(&left, &right);
	assert_true(v.witness[DOOR_TREND] == 0.0f);
	assert_true(isfinite(v.score));
}

/* Walked below two antennas a metre apart that read 120 times a second; what is behind the walker
 * is hidden by the body, so that each antenna hears much more of the coming than of the going. */
static size_t walk_below(struct trace_read *to, size_t room, bool forward)
{
	size_t n = 0;

	for (int i = 0; i < 1200 && n < room; i++) {
		unsigned int a = 1 + i / 12 % 2;
		double x = (forward ? 1 : -1) * (-6 + 0.01 * i), from = x - (a == 1 ? -0.5 : 0.5);
		double d = sqrt(from * from + 1.6 * 1.6);
		bool behind = forward ? from > 0 : from < 0;
		double rssi = -35 - 40 * log10(d) - (behind ? 16 * fabs(from) / d : 0);

		if (rssi < -72)
			continue;
		to[n++] = (struct trace_read){
			.at_us = 1000000 + (int64_t) i * 8333,
			.antenna = (uint16_t) a,
			.rssi_dbm = (float) rssi,
			.channel = (int16_t) (i / 24 % 50),
			.phase = (int16_t) ((unsigned int) (400000 - d / 0.0819 * 2048) % 2048),
			.doppler = TRACE_NO_DOPPLER,
		};
	}
	return n;
}

static void many_reads_do_not_let_one_witness_outvote_the_rest(void **state)
{
	static const struct door_group first = {1, {1}}, second = {1, {2}};
	static struct trace_read many[1200];
	struct door_verdict v;
	size_t n;

	(void) state;
	n = walk_below(many, ARRAY_SIZE(many), true);
	assert_true(n > 400);
	door_judge(many, n, &first, &second, &v);
	assert_int_equal(v.direction, DOOR_FORWARD);
	n = walk_below(many, ARRAY_SIZE(many), false);
	door_judge(many, n, &first, &second, &v);
	assert_int_equal(v.direction, DOOR_BACKWARD);
}

static void one_side_alone_gives_no_answer(void **state)
{
	static const struct door_group far = {1, {9}};
	struct door_verdict v;

	(void) state;
	carry(true);
	v = judge(&left, &far);
	assert_int_equal(v.direction, DOOR_UNKNOWN);
	assert_true(v.confidence == 0.5f);
	door_judge(reads, 0, &left, &right, &v);
	assert_int_equal(v.direction, DOOR_UNKNOWN);
	for (int i = 0; i < READS; i++)
		reads[i].at_us = 5;
	assert_int_equal(judge(&left, &right).direction, DOOR_UNKNOWN);
}

static void groups_are_lists_of_antennas(void **state)
{
	static const char *const bad[] = {"", ",", "1,", "a", "1;2", "-1", "70000", "1 2"};
	struct door_group g;

	(void) state;
	assert_int_equal(door_group_parse("1,12", &g), 0);
	assert_int_equal(g.n, 2);
	assert_true(door_group_has(&g, 12));
	assert_false(door_group_has(&g, 2));
	assert_int_equal(door_group_parse("3,3", &g), -EEXIST);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(door_group_parse(bad[i], &g) < 0);
	assert_int_equal(door_group_parse("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", &g),
			 -ERR_RANGE);
}

/* Where a recorded carry starts and ends; false if the line is none. */
static bool carried(const char *line, unsigned int *number, double at[4])
{
	const char *c = strrchr(line, '-') ? line : NULL;
	unsigned int path;

	if (!c || sscanf(line, "movetest1-%u, %u", number, &path) != 2)
		return false;
	c = strstr(line, "line,");
	return c && sscanf(c, "line, %lf, %lf, %lf, %lf", &at[0], &at[1], &at[2], &at[3]) == 4;
}

static void recorded_carries_go_the_right_way(void **state)
{
	static const struct door_group up = {2, {2, 3}}, down = {2, {1, 4}}, east = {2, {3, 4}},
				       west = {2, {1, 2}};
	const char *dir = getenv("GONDOLA_DATA"), *must = getenv("REQUIRE_DATA");
	char file[512], line[256];
	unsigned int number, judged = 0;
	double at[4];
	FILE *truth;

	(void) state;
	snprintf(file, sizeof(file), "%s/rfid-traces/lines/LineMetadata.csv", dir ? dir : "");
	truth = fopen(file, "r");
	if (!truth && must && must[0] == '1')
		fail_msg("%s is missing", file);
	if (!truth)
		skip();
	while (fgets(line, sizeof(line), truth)) {
		struct door_verdict there, back;
		struct trace t;
		bool across = false;

		if (!carried(line, &number, at))
			continue;
		across = number > 16;
		snprintf(file, sizeof(file), "%s/rfid-traces/lines/MoveTest1-%u.csv", dir, number);
		assert_int_equal(trace_load(file, NULL, NULL, &t), 0);
		door_judge(t.reads, t.n, across ? &east : &up, across ? &west : &down, &there);
		door_judge(t.reads, t.n, across ? &west : &down, across ? &east : &up, &back);
		trace_done(&t);
		assert_int_equal(there.direction, (across ? at[2] < at[0] : at[3] < at[1])
							  ? DOOR_FORWARD
							  : DOOR_BACKWARD);
		assert_int_equal(back.direction, -there.direction);
		judged++;
	}
	fclose(truth);
	assert_int_equal(judged, 32);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_passage_has_its_direction),
		cmocka_unit_test(the_opposite_question_has_the_opposite_answer),
		cmocka_unit_test(what_a_recording_lacks_does_not_count),
		cmocka_unit_test(many_reads_do_not_let_one_witness_outvote_the_rest),
		cmocka_unit_test(one_side_alone_gives_no_answer),
		cmocka_unit_test(groups_are_lists_of_antennas),
		cmocka_unit_test(recorded_carries_go_the_right_way),
	};

	return cmocka_run_group_tests_name("door", tests, NULL, NULL);
}
