/* SPDX-License-Identifier: Apache-2.0 */
/* One step of a rollout over many labels: how long it holds the writer thread, when nothing is new,
 * when every label has just said something, and when a whole wave gets its prices. */
#include "common/clock.h"
#include "common/loop.h"
#include "controller/db/db.h"
#include "controller/rollout/step.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LABELS "20000"
#define ROUNDS 5

static const char shelf[] =
	"INSERT INTO agents(name, key_hash, created) VALUES('a', x'01', 0);"
	"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " LABELS ")"
	" INSERT INTO products(id, name, folded, created, changed) SELECT i, 'P', 'p', 0, 0 FROM n;"
	"INSERT INTO prices(product_id, price_minor, currency, from_at, at, who)"
	" SELECT id, 100, 'EUR', 0, 0, 'x' FROM products;"
	"INSERT INTO labels(addr, agent_id, width, height, slots, product_id, last_seen, created,"
	" stale, done, shown_image, shown_since, shown_grade) SELECT id, 1, 296, 128, 3, id, 0, 0, "
	"1,"
	" 1, zeroblob(32), 1, 2 FROM products;"
	"INSERT INTO wanted(addr, from_at, image) SELECT id, 0, zeroblob(32) FROM products;"
	"INSERT INTO wanted(addr, from_at, image) SELECT id, 253370764800000000,"
	" x'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff' FROM products;"
	"INSERT INTO rollouts(name, state, created, who, start_at, n_waves, wave, since,"
	" staged_percent, timeout_us, failed_percent, settle_us, lead_us, prices_seen, sample_us)"
	" VALUES('R', 'staging', 1, 'x', 1, 1, 1, 1, 100, 9000000000000000, 5, 120000000, 0,"
	" " LABELS ", 2000000);"
	"INSERT INTO rollout_waves(rollout_id, n, percent, state) VALUES(1, 1, 100, 'staging');"
	"INSERT INTO rollout_products(rollout_id, product_id, wave, price_minor, currency, "
	"old_minor,"
	" seen_price, state, hold) SELECT 1, id, 1, 150, 'EUR', 100, id, 'staging', 1 FROM "
	"products;";

struct job {
	const char *text; /* SQL, or NULL = a step */
	struct rollout_step step;
	int64_t took_us;
	int err;
};

static int work(struct sql *s, void *arg)
{
	struct job *j = arg;
	int64_t start_us = clock_mono_us(clock_system());

	j->step.online.n = 1;
	j->step.online.ids[0] = 1;
	j->err = j->text ? sql_exec(s, j->text) : rollout_step_all(s, &j->step);
	j->took_us = clock_mono_us(clock_system()) - start_us;
	return j->err;
}

static int64_t run(struct db *db, const char *text)
{
	static struct job j;

	memset(&j, 0, sizeof j);
	j.text = text;
	if (db_write(db, work, NULL, &j) < 0)
		exit(1);
	db_drain(db);
	if (j.err < 0) {
		fprintf(stderr, "bench_rollout: error %d\n", j.err);
		exit(1);
	}
	return j.took_us;
}

static int64_t best_of(struct db *db)
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < ROUNDS; i++)
		best = MIN(best, run(db, NULL));
	return best;
}

static void remove_dir(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *f;
	char name[512];

	while (d && (f = readdir(d))) {
		snprintf(name, sizeof name, "%s/%s", path, f->d_name);
		if (f->d_name[0] != '.')
			unlink(name);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

int main(void)
{
	char dir[] = "/tmp/gondola-bench-XXXXXX";
	struct loop *loop;
	struct db *db;

	if (!mkdtemp(dir) || loop_new(&loop) < 0 || db_open(loop, dir, &db) < 0)
		return 1;
	run(db, shelf);
	printf("# one rollout, one wave, %s labels of as many products\n", LABELS);
	printf("bench rollout_first_step %.1f ms\n", (double) run(db, NULL) / 1000);
	printf("bench rollout_idle_step %.1f ms\n", (double) best_of(db) / 1000);
	run(db, "UPDATE wanted SET staged_at = 5 WHERE from_at > 0 AND addr % 100 <> 0");
	printf("bench rollout_news_step %.1f ms\n", (double) run(db, NULL) / 1000);
	run(db, "UPDATE wanted SET staged_at = 5 WHERE from_at > 0");
	printf("bench rollout_flip_step %.1f ms\n", (double) run(db, NULL) / 1000);
	db_close(db);
	loop_free(loop);
	remove_dir(dir);
	return 0;
}
