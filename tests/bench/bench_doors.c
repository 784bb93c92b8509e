/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Direction of travel on the 32 recorded carries through one room (1 to 16 between antennas 2,3 and
 * 1,4; 17 to 32 between 3,4 and 1,2): how many are right, asked both ways, how sure the least sure
 * one is, and what a judgement costs. The weights were fitted on these carries; each judged by
 * weights of the other 31 is right too. Nothing is random.
 */
#include "controller/inventory/exit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct carry {
	unsigned int number;
	double from[2], to[2];
};

static bool read_carry(const char *line, struct carry *ret)
{
	const char *c = strstr(line, "line,");

	return c && sscanf(line, "movetest1-%u,", &ret->number) == 1 &&
	       sscanf(c, "line, %lf, %lf, %lf, %lf", &ret->from[0], &ret->from[1], &ret->to[0],
		      &ret->to[1]) == 4;
}

/* The same carry as the running store has it: told by the access point, at most 400 reads, in the
 * units of the wire; sources are counted from 1 like antennas. */
static void judge_live(const struct trace *t, const struct door_group *from,
		       const struct door_group *to, struct door_verdict *ret)
{
	_cleanup_buf_ struct buf wire = BUF_INIT;
	static struct proto_read reads[PROTO_MAX_ENTRY_READS];
	struct proto_source sources[4] = {{"r", 1}, {"r", 2}, {"r", 3}, {"r", 4}};
	struct proto_reads_entry e = {.kind = READS_PASSAGE,
				      .n_sources = 4,
				      .sources = sources,
				      .reads = reads},
				 back;
	size_t skip = t->n > PROTO_MAX_ENTRY_READS ? t->n - PROTO_MAX_ENTRY_READS : 0;

	*ret = (struct door_verdict){0};
	for (size_t i = skip; i < t->n; i++) {
		const struct trace_read *r = &t->reads[i];

		reads[e.n++] = (struct proto_read){
			.source = (uint8_t) (r->antenna - 1),
			.at_us = r->at_us,
			.rssi_cdbm = (int16_t) (r->rssi_dbm * 100),
			.channel = (uint16_t) MAX(r->channel, 0),
			.phase = r->phase < 0 ? UINT16_MAX : (uint16_t) r->phase,
			.doppler = (int16_t) fmaxf(fminf(r->doppler, 32767), -32767),
			.count = 1};
	}
	if (epc_set(&e.epc, (const uint8_t *) "0123456789ab", 96) < 0 ||
	    proto_reads_entry_encode(&e, &wire) < 0 ||
	    proto_reads_entry_decode(wire.data, wire.len, &back) < 0)
		return;
	passage_judge(&back, from, to, ret);
	proto_reads_entry_done(&back);
}

int main(void)
{
	static const struct door_group up = {2, {2, 3}}, down = {2, {1, 4}}, east = {2, {3, 4}},
				       west = {2, {1, 2}};
	const char *dir = getenv("GONDOLA_DATA") ? getenv("GONDOLA_DATA") : "../shared/data";
	unsigned int judged = 0, right = 0, live = 0;
	float least = INFINITY;
	double cpu = 0;
	char file[512], line[256];
	struct carry c;
	FILE *truth;

	snprintf(file, sizeof(file), "%s/rfid-traces/lines/LineMetadata.csv", dir);
	truth = fopen(file, "r");
	if (!truth) {
		printf("# skipped: %s is missing (GONDOLA_DATA names the folder)\n", file);
		return 0;
	}
	while (fgets(line, sizeof(line), truth)) {
		bool across;
		struct door_verdict v, back, told, told_back;
		struct trace t;
		clock_t start;
		int want;

		if (!read_carry(line, &c))
			continue;
		across = c.number > 16;
		want = (across ? c.to[0] < c.from[0] : c.to[1] < c.from[1]) ? 1 : -1;
		snprintf(file, sizeof(file), "%s/rfid-traces/lines/MoveTest1-%u.csv", dir,
			 c.number);
		if (trace_load(file, NULL, NULL, &t) < 0)
			continue;
		start = clock();
		door_judge(t.reads, t.n, across ? &east : &up, across ? &west : &down, &v);
		cpu += (double) (clock() - start) / CLOCKS_PER_SEC;
		door_judge(t.reads, t.n, across ? &west : &down, across ? &east : &up, &back);
		judge_live(&t, across ? &east : &up, across ? &west : &down, &told);
		judge_live(&t, across ? &west : &down, across ? &east : &up, &told_back);
		live += (int) told.direction == want && (int) told_back.direction == -want;
		trace_done(&t);
		judged++;
		right += (int) v.direction == want && (int) back.direction == -want;
		least = fminf(least, (float) want * v.score);
	}
	fclose(truth);
	printf("bench doors_carries %u carries\n", judged);
	printf("bench doors_right_both_ways %u carries\n", right);
	printf("bench doors_live_right_both_ways %u carries\n", live);
	printf("bench doors_least_sure %.3f confidence\n", 1.0 / (1.0 + exp(-(double) least)));
	printf("bench doors_judgement_cost %.0f us\n", judged ? cpu * 1e6 / judged : 0.0);
	return 0;
}
