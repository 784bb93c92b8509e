/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The durable inventory: an answer means stored, a crash at any fault point loses nothing that was
 * answered and counts nothing twice, a full disk is said and survived, damage is refused.
 */
#include "tests/unit/test_common.h"

/* The event log drops what is long past, by the machine's clock. */
#define T0 (clock_real_us(clock_system()) - US_PER_SEC)

#include "common/err.h"
#include "common/fault.h"
#include "common/log.h"
#include "controller/inventory/inv_engine.h"
#include "tests/unit/inventory_script.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[64], journal[96], snapshot[96];

static int make_dirs(void **state)
{
	(void) state;
	strcpy(base, "/tmp/gondola-engine-XXXXXX");
	if (!mkdtemp(base))
		return -1;
	snprintf(journal, sizeof(journal), "%s/journal", base);
	snprintf(snapshot, sizeof(snapshot), "%s/snapshot", base);
	return 0;
}

static void drop_dir(const char *dir)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/lock.mdb", dir);
	unlink(path);
	rmdir(dir);
}

static int drop_dirs(void **state)
{
	char path[128];

	(void) state;
	drop_dir(journal);
	drop_dir(snapshot);
	snprintf(path, sizeof(path), "%s/hits", base);
	unlink(path);
	return rmdir(base);
}

struct rig {
	struct loop *loop;
	struct inv_engine *e;
	int answers;
	int err;
	uint64_t acked;
};

static uint32_t place_of(void *user, const struct inv_antenna *a)
{
	(void) user;
	return a->number == 1 ? 11 : BELIEF_NO_PLACE;
}

static int open_rig(struct rig *r, uint64_t journal_max)
{
	struct inv_engine_config cfg = {
		.journal_dir = journal,
		.snapshot_dir = snapshot,
		.journal_max_bytes = journal_max,
		.checkpoint_us = 3600 * SEC,
		.max_items = 100000,
		.place_of = place_of,
	};
	int err;

	*r = (struct rig){0};
	assert_int_equal(loop_new(&r->loop), 0);
	err = inv_engine_open(r->loop, &cfg, &r->e);
	if (err)
		loop_free(r->loop);
	return err;
}

static void close_rig(struct rig *r)
{
	inv_engine_close(r->e);
	loop_free(r->loop);
}

static void on_answer(void *user, int err, uint64_t acked)
{
	struct rig *r = user;

	r->answers++;
	r->err = err;
	r->acked = acked;
}

/* Sends a batch and waits for its answer. */
static int send(struct rig *r, uint64_t seq, const struct say *says, size_t n)
{
	struct script sc;
	int before = r->answers;

	inv_engine_sightings(r->e, script_batch(&sc, 1, seq, says, n), on_answer, r);
	while (r->answers == before)
		loop_run_once(r->loop, 1000);
	return r->err;
}

static uint32_t reads_of(struct rig *r, int n)
{
	const struct inv_state *st = inv_engine_state(r->e);
	struct epc e = script_epc(n);
	uint32_t id = inv_state_find(st, &e);

	return id == INV_NONE ? 0 : st->evidence.v[st->items.v[id].evidence].reads;
}

static struct say appear(int n)
{
	return (struct say){n, 1, SIGHTING_APPEAR, -55, T0, 1};
}

static void answered_sightings_survive_reopening(void **state)
{
	(void) state;
	struct say says[] = {appear(1), appear(2)};
	struct inv_engine_stats stats;
	struct rig r;

	assert_int_equal(open_rig(&r, 0), 0);
	assert_int_equal(send(&r, 1, says, 2), 0);
	assert_true(r.acked == 2);
	inv_engine_stats(r.e, &stats);
	assert_true(stats.commits == 1);
	/* No transition, nothing on its way: answered at once, without a commit. */
	says[0].kind = says[1].kind = SIGHTING_REFRESH;
	assert_int_equal(send(&r, 3, says, 2), 0);
	assert_true(r.acked == 4);
	inv_engine_stats(r.e, &stats);
	assert_true(stats.commits == 1);
	close_rig(&r);

	assert_int_equal(open_rig(&r, 0), 0);
	assert_int_equal(inv_engine_state(r.e)->items.n, 2);
	assert_int_equal(inv_state_count(inv_engine_state(r.e), 0, 11), 2);
	assert_int_equal(reads_of(&r, 1), 2);
	/* Both batches again: nothing is counted twice, both are acknowledged. */
	says[0].kind = says[1].kind = SIGHTING_APPEAR;
	assert_int_equal(send(&r, 1, says, 2), 0);
	assert_true(r.acked == 4);
	assert_int_equal(reads_of(&r, 1), 2);
	close_rig(&r);
}

static void many_batches_share_commits(void **state)
{
	(void) state;
	struct inv_engine_stats stats;
	struct script sc;
	struct rig r;

	assert_int_equal(open_rig(&r, 0), 0);
	for (int i = 0; i < 50; i++) {
		struct say one[] = {appear(i)};

		inv_engine_sightings(r.e, script_batch(&sc, 1, (uint64_t) i + 1, one, 1), on_answer,
				     &r);
	}
	/* Nothing is answered before the loop has heard of a commit. */
	assert_int_equal(r.answers, 0);
	while (r.answers < 50)
		loop_run_once(r.loop, 1000);
	inv_engine_stats(r.e, &stats);
	assert_true(stats.commits == 2);
	assert_true(r.acked == 50);
	close_rig(&r);
}

static void batch_without_news_waits_for_what_it_relied_on(void **state)
{
	(void) state;
	struct say says[] = {appear(1)};
	struct script sc;
	struct rig r;

	assert_int_equal(open_rig(&r, 0), 0);
	inv_engine_sightings(r.e, script_batch(&sc, 1, 1, says, 1), on_answer, &r);
	says[0].kind = SIGHTING_REFRESH;
	inv_engine_sightings(r.e, script_batch(&sc, 1, 2, says, 1), on_answer, &r);
	assert_int_equal(r.answers, 0);
	while (r.answers < 2)
		loop_run_once(r.loop, 1000);
	assert_true(r.acked == 2);
	close_rig(&r);
}

static void checkpoint_takes_over_from_the_journal(void **state)
{
	(void) state;
	struct inv_engine_stats stats;
	struct inv_change events[8];
	struct rig r;

	assert_int_equal(open_rig(&r, 0), 0);
	for (int i = 0; i < 20; i++) {
		struct say one[] = {appear(i)};

		assert_int_equal(send(&r, (uint64_t) i + 1, one, 1), 0);
		if (i == 10)
			inv_engine_checkpoint(r.e);
	}
	do {
		loop_run_once(r.loop, 100);
		inv_engine_stats(r.e, &stats);
	} while (!stats.checkpoints);
	close_rig(&r);
	assert_int_equal(open_rig(&r, 0), 0);
	assert_int_equal(inv_engine_state(r.e)->items.n, 20);
	for (int i = 0; i < 20; i++)
		assert_int_equal(reads_of(&r, i), 1);
	assert_int_equal(inv_engine_events(r.e, 3, INT64_MAX, events, 8), 1);
	assert_int_equal(events[0].to, 11);
	assert_int_equal(events[0].cause, CAUSE_FIRST_SEEN);
	close_rig(&r);
}

static void full_disk_is_refused_and_passes(void **state)
{
	(void) state;
	struct say says[SCRIPT_MAX];
	struct inv_engine_stats stats;
	uint64_t seq = 1, good = 0;
	struct rig r;
	int err = 0, item = 0;

	assert_int_equal(open_rig(&r, 160 << 10), 0);
	while (!err) {
		for (int i = 0; i < SCRIPT_MAX; i++)
			says[i] = appear(item + i);
		err = send(&r, seq, says, SCRIPT_MAX);
		if (!err) {
			good = seq += SCRIPT_MAX;
			item += SCRIPT_MAX;
		}
		assert_true(seq < 100000);
	}
	assert_int_equal(err, -ENOSPC);
	assert_true(r.acked == 0);
	/* Nothing further is applied while it lasts. */
	uint64_t applied = inv_engine_state(r.e)->applied;
	struct say more[] = {appear(99999)};

	assert_int_equal(send(&r, seq + SCRIPT_MAX, more, 1), -ENOSPC);
	assert_true(inv_engine_state(r.e)->applied == applied);
	/* A checkpoint makes room; the agent's repetition is then acknowledged and counted once. */
	inv_engine_checkpoint(r.e);
	do {
		loop_run_once(r.loop, 100);
		inv_engine_stats(r.e, &stats);
		if (stats.storage_err && stats.checkpoints)
			(void) send(&r, good, says, SCRIPT_MAX);
	} while (stats.storage_err);
	assert_int_equal(send(&r, good, says, SCRIPT_MAX), 0);
	assert_int_equal(reads_of(&r, item), 1);
	assert_int_equal(inv_engine_state(r.e)->items.n, item + SCRIPT_MAX);
	close_rig(&r);
	assert_int_equal(open_rig(&r, 0), 0);
	assert_int_equal(inv_engine_state(r.e)->items.n, item + SCRIPT_MAX);
	close_rig(&r);
}

static void damage_is_refused(void **state)
{
	(void) state;
	struct say says[SCRIPT_MAX];
	char path[128];
	struct rig r;

	for (int i = 0; i < SCRIPT_MAX; i++)
		says[i] = appear(i);
	assert_int_equal(open_rig(&r, 0), 0);
	assert_int_equal(send(&r, 1, says, SCRIPT_MAX), 0);
	close_rig(&r);
	/* A journal that is not the snapshot's. */
	drop_dir(journal);
	assert_int_equal(open_rig(&r, 0), -ERR_CORRUPT);
	/* A truncated snapshot. */
	snprintf(path, sizeof(path), "%s/data.mdb", snapshot);
	assert_int_equal(truncate(path, 5000), 0);
	assert_true(open_rig(&r, 0) < 0);
}

#ifdef ENABLE_FAULT_POINTS
/* The child sends batches until it is killed, and writes down each acknowledgement it got. */
static void child_works(int fd)
{
	struct rig r;
	uint64_t seq = 1;

	if (open_rig(&r, 0))
		_exit(3);
	for (int i = 0; i < 40; i++) {
		struct say says[3] = {appear(3 * i), appear(3 * i + 1), appear(3 * i + 2)};

		if (send(&r, seq, says, 3) || write(fd, &r.acked, sizeof(r.acked)) < 0)
			_exit(4);
		seq += 3;
		if (i % 7 == 3)
			inv_engine_checkpoint(r.e);
		loop_run_once(r.loop, i % 7 == 5 ? 20 : 0);
	}
	close_rig(&r);
	_exit(0);
}

/* Returns the highest sequence the child saw acknowledged; *ret_killed whether the fault hit. */
static uint64_t run_child(const char *fault, bool *ret_killed)
{
	uint64_t acked = 0, word;
	int pipes[2], status;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		char hits[128];

		close(pipes[0]);
		snprintf(hits, sizeof(hits), "%s/hits", base);
		setenv("GONDOLA_FAULT_LOG", hits, 1);
		setenv("GONDOLA_FAULT", fault, 1);
		child_works(pipes[1]);
	}
	close(pipes[1]);
	while (read(pipes[0], &word, sizeof(word)) == (ssize_t) sizeof(word))
		acked = word;
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*ret_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	assert_true(*ret_killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
	return acked;
}

static void crash_at_every_point_loses_nothing_answered(void **state)
{
	(void) state;
	static const char *const points[] = {
		"ctl.journal.before_commit", "ctl.journal.after_commit",
		"ctl.journal.before_ack",    "ctl.snapshot.before_commit",
		"ctl.snapshot.after_commit", "ctl.snapshot.after_trim",
	};

	for (size_t p = 0; p < ARRAY_SIZE(points); p++) {
		unsigned int hits = 0;

		for (int nth = 1; nth <= 17; nth += 4) {
			char fault[64];
			bool killed;
			uint64_t acked;
			struct rig r;

			snprintf(fault, sizeof(fault), "%s:%d", points[p],
				 strstr(points[p], "snapshot") ? (nth + 3) / 4 : nth);
			acked = run_child(fault, &killed);
			hits += killed;
			assert_int_equal(open_rig(&r, 0), 0);
			for (uint64_t i = 0; i < acked; i++)
				assert_int_equal(reads_of(&r, (int) i), 1);
			/* The agent brings everything again, as if it had seen no answer. */
			for (uint64_t i = 0; i < 40; i++) {
				struct say says[3] = {appear((int) (3 * i)),
						      appear((int) (3 * i + 1)),
						      appear((int) (3 * i + 2))};

				assert_int_equal(send(&r, 3 * i + 1, says, 3), 0);
			}
			assert_int_equal(inv_engine_state(r.e)->items.n, 120);
			for (int i = 0; i < 120; i++)
				assert_int_equal(reads_of(&r, i), 1);
			close_rig(&r);
			drop_dir(journal);
			drop_dir(snapshot);
		}
		assert_true(hits > 0);
	}
}
#endif

int main(void)
{
	log_set_level(LOG_ERR);
#define WITH_DIRS(test) cmocka_unit_test_setup_teardown(test, make_dirs, drop_dirs)
	const struct CMUnitTest tests[] = {
		WITH_DIRS(answered_sightings_survive_reopening),
		WITH_DIRS(many_batches_share_commits),
		WITH_DIRS(batch_without_news_waits_for_what_it_relied_on),
		WITH_DIRS(checkpoint_takes_over_from_the_journal),
		WITH_DIRS(full_disk_is_refused_and_passes),
		WITH_DIRS(damage_is_refused),
#ifdef ENABLE_FAULT_POINTS
		WITH_DIRS(crash_at_every_point_loses_nothing_answered),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
