/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU-seconds per million sightings ingested over mutual TLS with durable acknowledgement, at 1 %
 * and 10 % transitions, beside the same rows upserted into SQLite (WAL, FULL, prepared, 1,000 rows
 * a commit) in the same run. A real gondolad process is fed by closed-loop clients in this one,
 * each an agent with a certificate of the store's authority; its CPU time is what the kernel
 * accounts to it. The SQLite figure is the CPU time of the thread that does the upserts.
 */
#include "common/clock.h"
#include "common/err.h"
#include "common/sql.h"
#include "tests/bench/agents.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define CLIENTS    16
#define ITEMS      100000
#define PER_CLIENT (ITEMS / CLIENTS)
#define BATCHES    75 /* of each client in a measured phase */

/* What SQLite is given afterwards. */
struct row {
	uint8_t epc[12];
	uint8_t kind;
	uint16_t rate;
	int16_t rssi;
	uint32_t count;
	int64_t last_us;
};

struct worker {
	struct client *c;
	int per_mille; /* transitions */
	double worst_ms;
	size_t n_rows;
	uint8_t present[PER_CLIENT];
	struct row rows[BATCHES * BATCH];
};

static struct client clients[CLIENTS];
static struct worker workers[CLIENTS];

static void send_batch(struct worker *w, size_t n)
{
	double ms;

	for (size_t i = 0; i < n; i++) {
		const struct proto_sighting *s = &w->c->sightings[i];
		struct row *row = &w->rows[w->n_rows++];

		*row = (struct row){
			.kind = s->kind,
			.rate = s->rate_mhz,
			.rssi = s->rssi_cdbm,
			.count = s->count,
			.last_us = s->last_us,
		};
		memcpy(row->epc, s->epc.data, sizeof(row->epc));
	}
	ms = post(w->c, n);
	w->worst_ms = MAX(w->worst_ms, ms);
}

static void *all_appear(void *arg)
{
	struct worker *w = arg;

	connect_client(w->c, bench_ports.agents);
	for (int item = 0; item < PER_CLIENT;) {
		int64_t now_us = clock_real_us(clock_system());
		size_t n = 0;

		for (; n < BATCH && item < PER_CLIENT; n++, item++) {
			sight(w->c, n, item, SIGHTING_APPEAR, now_us);
			w->present[item] = 1;
		}
		send_batch(w, n);
	}
	return NULL;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned int *seed = &w->c->seed;

	for (int b = 0; b < BATCHES; b++) {
		int64_t now_us = clock_real_us(clock_system());

		for (size_t i = 0; i < BATCH; i++) {
			int item = (int) (rand_r(seed) % PER_CLIENT);
			bool flip = (int) (rand_r(seed) % 1000) < w->per_mille;

			/* An item that is gone is not heard until it appears again. */
			while (!flip && !w->present[item])
				item = (item + 1) % PER_CLIENT;
			if (flip)
				w->present[item] = !w->present[item];
			sight(w->c, i, item,
			      !flip              ? SIGHTING_REFRESH
			      : w->present[item] ? SIGHTING_APPEAR
						 : SIGHTING_GONE,
			      now_us);
		}
		send_batch(w, BATCH);
	}
	return NULL;
}

static void run_all(void *(*fn)(void *) )
{
	pthread_t threads[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		workers[i].n_rows = 0;
	for (int i = 0; i < CLIENTS; i++)
		check(-pthread_create(&threads[i], NULL, fn, &workers[i]), "thread");
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(threads[i], NULL);
}

/* --- the same rows into SQLite -----------------------------------------------------------------
 */

static void upsert(struct sql *s, const struct row *row)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO seen(epc, kind, last, count, rssi, rate) VALUES(?, ?, ?, ?, ?, ?)"
		   " ON CONFLICT(epc) DO UPDATE SET kind = excluded.kind, last = excluded.last,"
		   " count = count + excluded.count, rssi = excluded.rssi, rate = excluded.rate");

	sql_bind_blob(q, 1, row->epc, sizeof(row->epc));
	sql_bind_i64(q, 2, row->kind);
	sql_bind_i64(q, 3, row->last_us);
	sql_bind_i64(q, 4, row->count);
	sql_bind_i64(q, 5, row->rssi);
	sql_bind_i64(q, 6, row->rate);
	check(sql_run(q), "upsert");
}

/* What the clients have just sent, batch by batch. CPU-seconds. */
static double upsert_all(struct sql *s)
{
	double cpu = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
	bool more = true;

	for (size_t at = 0; more; at += BATCH) {
		more = false;
		for (int i = 0; i < CLIENTS; i++) {
			const struct worker *w = &workers[i];

			if (at >= w->n_rows)
				continue;
			more = true;
			check(sql_begin(s), "begin");
			for (size_t k = at; k < MIN(at + BATCH, w->n_rows); k++)
				upsert(s, &w->rows[k]);
			check(sql_commit(s), "commit");
		}
	}
	return cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
}

static struct sql *open_rows(void)
{
	char path[128];
	struct sql *s;

	snprintf(path, sizeof(path), "%s/rows.db", bench_dir);
	check(sql_open(path, 0, &s), "rows.db");
	check(sql_exec(s, "CREATE TABLE seen(epc BLOB PRIMARY KEY, kind INT, last INT, count INT,"
			  " rssi INT, rate INT) WITHOUT ROWID"),
	      "table");
	return s;
}

static void phase(clockid_t daemon_cpu, struct sql *s, int per_mille)
{
	double cpu, sqlite, wall = cpu_seconds(CLOCK_MONOTONIC), worst = 0;
	double millions = (double) CLIENTS * BATCHES * BATCH / 1e6;
	int percent = per_mille / 10;

	for (int i = 0; i < CLIENTS; i++) {
		workers[i].per_mille = per_mille;
		workers[i].worst_ms = 0;
	}
	cpu = cpu_seconds(daemon_cpu);
	run_all(work);
	cpu = (cpu_seconds(daemon_cpu) - cpu) / millions;
	wall = cpu_seconds(CLOCK_MONOTONIC) - wall;
	for (int i = 0; i < CLIENTS; i++)
		worst = MAX(worst, workers[i].worst_ms);
	sqlite = upsert_all(s) / millions;
	printf("bench ingest_mtls_durable_%dpct %.3f CPU-s/M\n", percent, cpu);
	printf("bench ingest_sqlite_upsert_%dpct %.3f CPU-s/M\n", percent, sqlite);
	printf("bench ingest_%dpct_vs_sqlite %.4f ratio\n", percent, cpu / sqlite);
	printf("bench ingest_mtls_durable_%dpct_rate %.2f M/s\n", percent, millions / wall);
	printf("bench ingest_mtls_durable_%dpct_slowest_ack %.1f ms\n", percent, worst);
	fflush(stdout);
}

int main(void)
{
	clockid_t daemon_cpu;
	struct sql *s;
	pid_t pid;

	(void) signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < CLIENTS; i++)
		workers[i].c = &clients[i];
	make_store(clients, CLIENTS);
	pid = start_daemon();
	check(-clock_getcpuclockid(pid, &daemon_cpu), "CPU clock");
	printf("# %d agents, closed loop, %d sightings a batch, %d items, mutual TLS on loopback, "
	       "the clients share the cores\n"
	       "# SQLite: WAL, synchronous=FULL, prepared upsert of the same rows, %d a commit\n",
	       CLIENTS, BATCH, ITEMS, BATCH);
	run_all(all_appear);
	s = open_rows();
	(void) upsert_all(s);
	phase(daemon_cpu, s, 10);
	phase(daemon_cpu, s, 100);
	sql_close(s);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	clean_up();
	return 0;
}
