/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the RFID half of an agent costs: eight simulated readers of four antennas each, in a process
 * of their own, report 5,000 tags at 2,000 reads a second over TCP; here the agent's own readers,
 * presence filter and journal (SQLite, on the disk of the temporary directory) take them in real
 * time. Everything of the agent but its talk with the controller.
 */
#include "ap-agent/readers.h"
#include "ap-agent/store.h"
#include "common/log.h"
#include "sim/reader.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READERS     8
#define ANTENNAS    4
#define TAGS        5000
#define READS_PER_S 2000
#define FEED_US     (20 * US_PER_MS)
#define WARM_UP_US  (8 * US_PER_SEC)
#define MEASURE_US  (15 * US_PER_SEC)
#define FLOOD_US    (8 * US_PER_SEC)
#define FLOOD_READS 2000
#define BACKLOG     (256u << 10)

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* --- the readers' process --------------------------------------------------------------------- */

struct field {
	struct loop *loop;
	struct sim_reader *readers[READERS];
	struct loop_timer *timer;
	uint32_t next;
	struct loop_io *word;
	bool flood;
};

/** Each tag belongs to one antenna, and one in five of its reads comes from the next one. */
static void feed_some(struct field *f, int reads)
{
	for (int i = 0; i < reads; i++) {
		uint32_t n = f->next++, tag = n % TAGS;
		uint32_t port = (tag + (n % 5 == 0)) % (READERS * ANTENNAS);
		const uint8_t bytes[12] = {0x30, [10] = (uint8_t) (tag >> 8), (uint8_t) tag};
		struct epc epc;
		struct sim_tag_read read = {.epc = &epc,
					    .antenna = (uint16_t) (1 + port % ANTENNAS),
					    .rssi_dbm = (int8_t) (-50 - (int) (n * 7 % 11)),
					    .channel = 1,
					    .at_us = clock_real_us(loop_clock(f->loop))};

		if (epc_set(&epc, bytes, 96) == 0)
			sim_reader_feed(f->readers[port / ANTENNAS], &read, 1);
	}
}

static void feed(void *user)
{
	struct field *f = user;
	size_t backlog = 0;

	for (size_t i = 0; i < READERS; i++)
		backlog += sim_reader_backlog(f->readers[i]);
	if (!f->flood)
		feed_some(f, READS_PER_S * FEED_US / US_PER_SEC);
	else if (backlog < BACKLOG)
		feed_some(f, FLOOD_READS);
	loop_timer_start(f->timer, f->flood ? 0 : FEED_US);
}

/** The parent says when the readers shall report as fast as they can. */
static void on_word(void *user, unsigned int events)
{
	struct field *f = user;

	(void) events;
	f->flood = true;
	loop_io_free(f->word);
	f->word = NULL;
}

static void run_field(int to_parent, int from_parent)
{
	struct field f = {0};
	uint16_t ports[READERS];

	(void) prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (loop_new(&f.loop) < 0 || loop_timer_new(f.loop, feed, &f, &f.timer) < 0 ||
	    loop_io_new(f.loop, from_parent, LOOP_READ, on_word, &f, &f.word) < 0)
		_exit(1);
	for (size_t i = 0; i < READERS; i++) {
		const struct sim_reader_config cfg = {.name = "r", .n_antennas = ANTENNAS};

		if (sim_reader_new(f.loop, &cfg, &f.readers[i]) < 0 ||
		    sim_reader_listen(f.readers[i], 0) < 0)
			_exit(1);
		ports[i] = sim_reader_port(f.readers[i]);
	}
	if (write(to_parent, ports, sizeof(ports)) != (ssize_t) sizeof(ports))
		_exit(1);
	loop_timer_start(f.timer, FEED_US);
	loop_run(f.loop);
	_exit(0);
}

/* --- the agent's ------------------------------------------------------------------------------ */

struct agent {
	struct loop *loop;
	struct timebase tb;
	struct store *store;
	struct journal *journal;
	struct readers *readers;
	char dir[64], path[96];
};

static void on_durable(void *user, unsigned int streams)
{
	(void) user;
	(void) streams;
}

static int agent_up(struct agent *a, const uint16_t ports[READERS])
{
	static const struct store_config store;
	struct proto_desired_reader wishes[READERS] = {0};
	int r = -EIO;

	strcpy(a->dir, "/tmp/bench-readers-XXXXXX");
	if (!mkdtemp(a->dir))
		return -errno;
	snprintf(a->path, sizeof(a->path), "%s/agent.db", a->dir);
	r = loop_new(&a->loop);
	if (r == 0)
		r = store_open(a->path, &store, &a->store);
	if (r < 0)
		return r;
	timebase_init(&a->tb, loop_clock(a->loop), 1);
	r = journal_new(a->loop, a->store, &a->tb, on_durable, NULL, &a->journal);
	if (r == 0)
		r = readers_new(a->loop, a->journal, &a->tb, NULL, NULL, &a->readers);
	if (r < 0)
		return r;
	readers_remember(a->readers, a->store);
	for (size_t i = 0; i < READERS; i++) {
		snprintf(wishes[i].name, sizeof(wishes[i].name), "r%zu", i);
		snprintf(wishes[i].host, sizeof(wishes[i].host), "127.0.0.1");
		wishes[i].port = ports[i];
		wishes[i].session = 1;
	}
	readers_want(a->readers, wishes, READERS);
	return 0;
}

static void agent_down(struct agent *a)
{
	char path[128];

	readers_free(a->readers);
	journal_free(a->journal);
	store_close(a->store);
	loop_free(a->loop);
	snprintf(path, sizeof(path), "%s-wal", a->path);
	(void) unlink(path);
	(void) unlink(a->path);
	(void) rmdir(a->dir);
}

static void run_for(struct agent *a, int64_t us)
{
	const struct clock *c = loop_clock(a->loop);

	for (int64_t end_us = clock_mono_us(c) + us; clock_mono_us(c) < end_us;)
		loop_run_once(a->loop, 50);
}

static void totals(const struct agent *a, uint64_t *ret_reports, uint64_t *ret_sightings)
{
	static struct proto_health_reader rows[READERS];
	size_t n = readers_health(a->readers, rows, READERS);

	*ret_reports = *ret_sightings = 0;
	for (size_t i = 0; i < n; i++) {
		*ret_reports += rows[i].handed_on;
		*ret_sightings += rows[i].sightings;
	}
}

static int measure(struct agent *a)
{
	uint64_t reports, sightings, reports_after, sightings_after;
	const struct clock *c = loop_clock(a->loop);
	int64_t start_us;
	double start_cpu, cpu, s;

	run_for(a, WARM_UP_US);
	totals(a, &reports, &sightings);
	start_us = clock_mono_us(c);
	start_cpu = cpu_s();
	run_for(a, MEASURE_US);
	cpu = cpu_s() - start_cpu;
	s = (double) (clock_mono_us(c) - start_us) / US_PER_SEC;
	totals(a, &reports_after, &sightings_after);
	printf("# %d readers of %d antennas, %d tags, real time, %.1f s\n", READERS, ANTENNAS, TAGS,
	       s);
	printf("bench agent_rfid_tags_in_view %llu tags\n",
	       (unsigned long long) readers_tags_in_view(a->readers));
	printf("bench agent_rfid_reads %.0f reads/s\n", (double) (reports_after - reports) / s);
	printf("bench agent_rfid_sightings %.1f sightings/s\n",
	       (double) (sightings_after - sightings) / s);
	printf("bench agent_rfid_cpu %.2f %%\n", 100 * cpu / s);
	return 0;
}

static int measure_flood(struct agent *a, int to_field)
{
	uint64_t reports, sightings, reports_after, sightings_after;
	double cpu;

	if (write(to_field, "f", 1) != 1)
		return -errno;
	run_for(a, FLOOD_US / 4);
	totals(a, &reports, &sightings);
	cpu = cpu_s();
	run_for(a, FLOOD_US);
	cpu = cpu_s() - cpu;
	totals(a, &reports_after, &sightings_after);
	printf("# the same, as fast as it goes: %llu reports, %llu sightings, %.2f s of CPU\n",
	       (unsigned long long) (reports_after - reports),
	       (unsigned long long) (sightings_after - sightings), cpu);
	printf("bench agent_rfid_socket_to_sighting %.0f reports/cpu-s\n",
	       (double) (reports_after - reports) / cpu);
	return 0;
}

int main(void)
{
	struct agent a = {0};
	uint16_t ports[READERS];
	int pipes[2], words[2], r;
	pid_t child;

	log_set_level(LOG_WARN);
	if (pipe(pipes) < 0 || pipe(words) < 0)
		return 1;
	child = fork();
	if (child == 0)
		run_field(pipes[1], words[0]);
	if (child < 0 || read(pipes[0], ports, sizeof(ports)) != (ssize_t) sizeof(ports))
		return 1;
	r = agent_up(&a, ports);
	if (r == 0)
		r = measure(&a);
	if (r == 0)
		r = measure_flood(&a, words[1]);
	agent_down(&a);
	(void) kill(child, SIGKILL);
	(void) waitpid(child, NULL, 0);
	return r < 0;
}
