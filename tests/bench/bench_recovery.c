/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A million items: how long the loop is held up by a checkpoint while sightings keep coming, and
 * how long a start takes that finds the checkpoint and a million transitions after it. The process
 * that made them ends without closing anything.
 */
#include "common/err.h"
#include "controller/inventory/inv_engine.h"
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ITEMS 1000000
#define BATCH 1000

static char dir[64] = "/tmp/gondola-bench-XXXXXX";
static struct loop *loop;
static struct inv_engine *engine;
static bool answered;
static uint64_t seq = 1;

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "bench_recovery: %s: %s (%d)\n", what, err_str(r), r);
	_exit(1);
}

static double seconds(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static uint32_t place_of(void *user _unused_, const struct inv_antenna *a _unused_)
{
	return 1;
}

static void open_engine(void)
{
	char journal[96], snapshot[96];
	struct inv_engine_config cfg = {
		.journal_dir = journal,
		.snapshot_dir = snapshot,
		.checkpoint_us = 3600 * US_PER_SEC,
		.place_of = place_of,
	};

	snprintf(journal, sizeof(journal), "%s/journal", dir);
	snprintf(snapshot, sizeof(snapshot), "%s/snapshot", dir);
	check(loop_new(&loop), "loop");
	check(inv_engine_open(loop, &cfg, &engine), "engine");
}

static void on_answer(void *user _unused_, int err, uint64_t acked _unused_)
{
	check(err, "sightings");
	answered = true;
}

static void hand_in(int first, enum sighting_kind kind)
{
	static struct epc epcs[BATCH];
	static struct inv_sighting s[BATCH];
	struct proto_source source = {"bench", 1};
	struct inv_batch b = {
		.agent = 1,
		.journal_id = {1},
		.first_seq = seq,
		.n_sources = 1,
		.sources = &source,
		.n = BATCH,
		.sightings = s,
	};
	int64_t now_us = clock_real_us(clock_system());

	for (int i = 0; i < BATCH; i++) {
		struct sgtin tag = {.gtin = 4006381333931,
				    .serial = (uint64_t) ((first + i) % ITEMS),
				    .prefix_digits = 7};

		check(sgtin96_encode(&tag, &epcs[i]), "EPC");
		s[i] = (struct inv_sighting){
			.epc = epcs[i].data,
			.bits = epcs[i].bits,
			.kind = (uint8_t) kind,
			.count = 5,
			.rssi_cdbm = -5500,
			.peak_cdbm = -5400,
			.rate_mhz = 5000,
			.first_us = now_us - US_PER_SEC,
			.last_us = now_us,
		};
	}
	seq += BATCH;
	answered = false;
	inv_engine_sightings(engine, &b, on_answer, NULL);
}

static void wait_answer(void)
{
	while (!answered)
		loop_run_once(loop, 100);
}

static void all(enum sighting_kind kind)
{
	for (int first = 0; first < ITEMS; first += BATCH) {
		hand_in(first, kind);
		wait_answer();
	}
}

/* Turns of the loop while a checkpoint is taken, with a batch of refreshes as soon as the one
 * before is acknowledged. */
static void checkpoint(const char *name)
{
	struct inv_engine_stats stats;
	double longest = 0, longest_cpu = 0, began = seconds(CLOCK_MONOTONIC);
	double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	uint64_t before;

	inv_engine_stats(engine, &stats);
	before = stats.checkpoints;
	for (int turn = 0; stats.checkpoints == before; turn++) {
		double at = seconds(CLOCK_MONOTONIC), at_cpu = seconds(CLOCK_THREAD_CPUTIME_ID);

		if (!turn)
			inv_engine_checkpoint(engine);
		if (answered)
			hand_in(turn % 1000 * BATCH, SIGHTING_REFRESH);
		loop_run_once(loop, 0);
		at = seconds(CLOCK_MONOTONIC) - at;
		at_cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - at_cpu;
		longest = MAX(longest, at);
		longest_cpu = MAX(longest_cpu, at_cpu);
		(void) usleep(500);
		inv_engine_stats(engine, &stats);
	}
	wait_answer();
	printf("bench checkpoint_1M_%s_loop_stall %.1f ms\n", name, longest * 1e3);
	printf("bench checkpoint_1M_%s_loop_stall_cpu %.1f ms\n", name, longest_cpu * 1e3);
	printf("bench checkpoint_1M_%s_wall %.2f s\n", name, seconds(CLOCK_MONOTONIC) - began);
	printf("bench checkpoint_1M_%s_cpu %.2f CPU-s\n", name,
	       seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	fflush(stdout);
}

static void live_and_crash(void)
{
	open_engine();
	all(SIGHTING_APPEAR);
	checkpoint("first");
	checkpoint("later");
	checkpoint("again");
	all(SIGHTING_GONE);
	_exit(0);
}

static void clean_up(void)
{
	static const char *const files[] = {"journal/data.mdb",
					    "journal/lock.mdb",
					    "snapshot/data.mdb",
					    "snapshot/lock.mdb",
					    "journal",
					    "snapshot",
					    "."};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		(void) remove(path);
	}
	(void) rmdir(dir);
}

int main(void)
{
	double wall, cpu;
	int status;
	pid_t pid;

	if (!mkdtemp(dir))
		return 1;
	printf("# %d items, one antenna, %d sightings a batch, in one process without HTTP\n",
	       ITEMS, BATCH);
	fflush(stdout);
	pid = fork();
	if (!pid)
		live_and_crash();
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		return 1;
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	open_engine();
	printf("bench restart_1M_items_1M_transitions %.2f s\n", seconds(CLOCK_MONOTONIC) - wall);
	seq = 1u << 30;
	hand_in(0, SIGHTING_APPEAR);
	wait_answer();
	printf("bench restart_to_first_ack %.2f s\n", seconds(CLOCK_MONOTONIC) - wall);
	printf("bench restart_cpu %.2f CPU-s\n", seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	inv_engine_close(engine);
	loop_free(loop);
	clean_up();
	return 0;
}
