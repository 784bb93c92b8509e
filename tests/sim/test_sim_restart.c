/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of reports when the agent dies, again and again, while a simulated reader goes on:
 * over real TCP and in virtual time. Each read has a serial number of its own, so that it can be
 * said of every single one whether it arrived.
 */
#include "tests/unit/test_common.h"

#include "rfid/rfid.h"
#include "sim/reader.h"
#include "sim/rng.h"
#include <stdio.h>
#include <string.h>

#define MAX_READS 300000u
#define MAX_GAPS  64u
#define STEP_US   (5 * US_PER_MS)
#define MARK_AGE_US                                                                                \
	(10 * US_PER_SEC) /* how old a mark on flash may be when the agent is killed               \
			   */

struct world {
	struct loop *loop;
	struct sim_reader *sim;
	struct rfid_reader *reader;
	int64_t now_us;
	bool inventory;
	uint32_t fed; /**< serial of the next read */
	int64_t at_us[MAX_READS];
	bool nobody[MAX_READS]; /**< was read while no client was connected */
	uint8_t arrived[MAX_READS];
	uint64_t twice;
	int64_t mark_us, marked_us; /**< on flash: heard until, and when that was written */
	struct rfid_gap gaps[MAX_GAPS];
	size_t n_gaps;
	char incidents[1024];
};

static void on_inventory(void *user, const uint16_t *antennas, size_t n)
{
	(void) antennas;
	((struct world *) user)->inventory = n > 0;
}

static void on_reads(void *user, const struct rfid_read *reads, size_t n)
{
	struct world *w = user;

	for (size_t i = 0; i < n; i++) {
		uint32_t serial = (uint32_t) reads[i].epc.data[8] << 24 |
				  (uint32_t) reads[i].epc.data[9] << 16 |
				  (uint32_t) reads[i].epc.data[10] << 8 | reads[i].epc.data[11];

		assert_true(serial < w->fed);
		w->twice += w->arrived[serial];
		w->arrived[serial] = 1;
		assert_int_equal(reads[i].last_us, w->at_us[serial]);
	}
}

static void on_incident(void *user, const char *text)
{
	struct world *w = user;
	size_t n = strlen(w->incidents);

	snprintf(w->incidents + n, sizeof(w->incidents) - n, "%s\n", text);
}

static void feed(struct world *w, size_t n)
{
	struct sim_reader_stats stats;

	sim_reader_get_stats(w->sim, &stats);
	for (size_t i = 0; i < n && w->inventory && w->fed < MAX_READS; i++) {
		uint32_t s = w->fed;
		const uint8_t bytes[12] = {0x30, [8] = (uint8_t) (s >> 24), (uint8_t) (s >> 16),
					   (uint8_t) (s >> 8), (uint8_t) s};
		struct epc epc;
		struct sim_tag_read read = {.epc = &epc,
					    .antenna = (uint16_t) (1 + s % 2),
					    .rssi_dbm = -60,
					    .channel = 1,
					    .at_us = clock_real_us(loop_clock(w->loop))};

		assert_int_equal(epc_set(&epc, bytes, 96), 0);
		w->at_us[s] = read.at_us;
		w->nobody[s] = !stats.connected;
		w->fed++;
		sim_reader_feed(w->sim, &read, 1);
	}
}

static void pass(struct world *w, int64_t us, size_t reads_a_step)
{
	for (int64_t end_us = w->now_us + us; w->now_us < end_us;) {
		w->now_us += STEP_US;
		loop_run_until(w->loop, w->now_us);
		feed(w, reads_a_step);
	}
	loop_run_until(w->loop, w->now_us);
}

static struct rfid_reader_stats stats_of(const struct world *w)
{
	struct rfid_reader_stats stats;

	rfid_reader_get_stats(w->reader, &stats);
	return stats;
}

/** As the agent does from time to time. */
static void write_mark(struct world *w)
{
	w->mark_us = stats_of(w).ledger.heard_until_us;
	w->marked_us = w->now_us;
}

static void start_agent(struct world *w, uint8_t version)
{
	static const struct rfid_reader_callbacks cb = {.reads = on_reads, .incident = on_incident};
	struct rfid_reader_config cfg = {.name = "r",
					 .host = "127.0.0.1",
					 .port = sim_reader_port(w->sim),
					 .session = 1,
					 .keepalive_ms = 2000,
					 .version = version,
					 .heard_until_us = w->mark_us};

	assert_int_equal(rfid_reader_new(w->loop, &cfg, &cb, w, &w->reader), 0);
}

static void await_running(struct world *w)
{
	for (int i = 0; i < 400 && rfid_reader_state(w->reader) != RFID_READER_RUNNING; i++)
		pass(w, STEP_US, 1);
	assert_int_equal(rfid_reader_state(w->reader), RFID_READER_RUNNING);
	if (w->mark_us == 0)
		write_mark(w);
}

/** Nothing is closed in order: the kernel drops the socket, and what is in it. */
static void kill_agent(struct world *w)
{
	rfid_reader_free(w->reader);
	w->reader = NULL;
}

static struct world *begin(const struct sim_reader_config *cfg, uint8_t version)
{
	struct world *w = calloc(1, sizeof(*w));
	struct sim_reader_source source = {.inventory = on_inventory, .user = w};

	assert_non_null(w);
	w->now_us = US_PER_SEC;
	assert_int_equal(loop_new_virtual(w->now_us, INT64_C(1800000000) * US_PER_SEC, &w->loop),
			 0);
	assert_int_equal(sim_reader_new(w->loop, cfg, &w->sim), 0);
	sim_reader_set_source(w->sim, &source);
	assert_int_equal(sim_reader_listen(w->sim, 0), 0);
	start_agent(w, version);
	await_running(w);
	return w;
}

static void end(struct world *w)
{
	rfid_reader_free(w->reader);
	sim_reader_free(w->sim);
	loop_free(w->loop);
	free(w);
}

static size_t missing(const struct world *w)
{
	size_t n = 0;

	for (uint32_t s = 0; s < w->fed; s++)
		n += !w->arrived[s];
	return n;
}

static bool in_a_gap(const struct world *w, int64_t at_us)
{
	for (size_t i = 0; i < w->n_gaps; i++)
		if (at_us >= w->gaps[i].from_us && at_us <= w->gaps[i].to_us)
			return true;
	return false;
}

static const struct sim_reader_config plain = {.name = "r", .n_antennas = 2};

static void a_hundred_thousand_reports_back_to_back_all_arrive(void **state)
{
	struct world *w = begin(&plain, 0);
	uint32_t before = w->fed;

	(void) state;
	feed(w, 100000);
	pass(w, US_PER_SEC, 0);
	assert_int_equal(w->fed - before, 100000);
	assert_int_equal(missing(w), 0);
	assert_int_equal(w->twice, 0);
	assert_int_equal(stats_of(w).ledger.reports, w->fed);
	assert_int_equal(stats_of(w).ledger.handed_on, w->fed);
	assert_int_equal(stats_of(w).ledger.gaps, 0);
	end(w);
}

static void a_restart_in_order_finds_every_report(void **state)
{
	struct world *w = begin(&plain, 0);
	struct rfid_ledger l;

	(void) state;
	pass(w, 5 * US_PER_SEC, 2);
	write_mark(w);
	kill_agent(w);
	pass(w, 60 * US_PER_SEC, 1);
	start_agent(w, 0);
	await_running(w);
	pass(w, 3 * US_PER_SEC, 2);
	l = stats_of(w).ledger;
	assert_int_equal(l.resumed, 1);
	assert_true(l.held >= 60 * US_PER_SEC / STEP_US - 1);
	/* The kill fell between two steps: at most those of one were in the socket. */
	assert_in_range(missing(w), 0, 2);
	assert_int_equal(w->twice, 0);
	end(w);
}

static void kill_and_look(struct world *w, struct sim_rng *rng)
{
	struct rfid_ledger l;
	uint32_t fed;

	pass(w, (int64_t) sim_rng_below(rng, 3000) * US_PER_MS + STEP_US, 2);
	if (w->now_us - w->marked_us > MARK_AGE_US / 2)
		write_mark(w);
	/* A burst that the agent never gets to see. */
	feed(w, sim_rng_below(rng, 40));
	kill_agent(w);
	fed = w->fed;
	pass(w, (int64_t) sim_rng_below(rng, 20000) * US_PER_MS + STEP_US, 1);
	assert_true(w->fed > fed); /* the reader went on by itself */
	start_agent(w, 0);
	await_running(w);
	pass(w, 100 * US_PER_MS, 1);
	l = stats_of(w).ledger;
	assert_int_equal(l.resumed, 1);
	assert_int_equal(l.reports, l.handed_on + l.strange + l.unclaimed);
	assert_int_equal(l.gaps, 1);
	/* Bounded: by the age of the mark, and a moment. */
	assert_true(l.last_gap.to_us - l.last_gap.from_us < MARK_AGE_US + US_PER_SEC);
	w->gaps[w->n_gaps++] = l.last_gap;
}

static void fifty_kills_lose_only_what_the_gaps_show(void **state)
{
	struct world *w = begin(&plain, 0);
	struct sim_rng rng;
	size_t lost = 0;

	(void) state;
	sim_rng_init(&rng, 20, "fifty kills");
	for (int i = 0; i < 50; i++)
		kill_and_look(w, &rng);
	pass(w, US_PER_SEC, 0);
	for (uint32_t s = 0; s < w->fed; s++) {
		if (w->arrived[s])
			continue;
		lost++;
		assert_false(w->nobody[s]); /* every held report arrives */
		assert_true(in_a_gap(w, w->at_us[s]));
	}
	/* The bursts did die in the socket, else the test tests nothing. */
	assert_in_range(lost, 50, 50 * 45);
	assert_int_equal(w->twice, 0);
	end(w);
}

static void a_full_buffer_is_told_and_shown_as_a_gap(void **state)
{
	struct world *w = begin(
		&(struct sim_reader_config){.name = "r", .n_antennas = 2, .held_bytes = 8192}, 0);
	struct sim_reader_stats sim;
	struct rfid_ledger l;

	(void) state;
	write_mark(w);
	kill_agent(w);
	pass(w, 5 * US_PER_SEC, 1);
	start_agent(w, 0);
	await_running(w);
	pass(w, US_PER_SEC, 0);
	sim_reader_get_stats(w->sim, &sim);
	l = stats_of(w).ledger;
	assert_true(sim.dropped > 500);
	assert_int_equal(sim.warnings, 1);
	assert_int_equal(l.warnings, 1);
	assert_int_equal(l.overflows, 1);
	assert_non_null(strstr(w->incidents, "% full"));
	assert_non_null(strstr(w->incidents, "overflowed"));
	w->gaps[w->n_gaps++] = l.last_gap;
	assert_int_equal(l.last_gap.cause, RFID_GAP_OVERFLOW);
	for (uint32_t s = 0; s < w->fed; s++)
		assert_true(w->arrived[s] || in_a_gap(w, w->at_us[s]));
	end(w);
}

static void both_versions_hold_and_resume(void **state)
{
	(void) state;
	for (uint8_t reader = 1; reader <= 2; reader++) {
		struct world *w = begin(&(struct sim_reader_config){.name = "r",
								    .n_antennas = 2,
								    .version = reader},
					2);

		assert_int_equal(stats_of(w).version, reader);
		pass(w, US_PER_SEC, 1);
		write_mark(w);
		kill_agent(w);
		pass(w, 2 * US_PER_SEC, 1);
		start_agent(w, 2);
		await_running(w);
		pass(w, US_PER_SEC, 1);
		assert_int_equal(stats_of(w).version, reader);
		assert_true(stats_of(w).ledger.held > 300);
		assert_in_range(missing(w), 0, 2);
		end(w);
	}
}

static void note(void *user)
{
	++*(unsigned int *) user;
}

static void leaving_lets_the_reader_run_and_stopping_does_not(void **state)
{
	(void) state;
	for (int leave = 0; leave < 2; leave++) {
		struct world *w = begin(&plain, 0);
		unsigned int done = 0;

		if (leave)
			rfid_reader_leave(w->reader, note, &done);
		else
			rfid_reader_stop(w->reader, note, &done);
		pass(w, US_PER_SEC, 1);
		assert_int_equal(done, 1);
		assert_int_equal(w->inventory, leave);
		end(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hundred_thousand_reports_back_to_back_all_arrive),
		cmocka_unit_test(a_restart_in_order_finds_every_report),
		cmocka_unit_test(fifty_kills_lose_only_what_the_gaps_show),
		cmocka_unit_test(a_full_buffer_is_told_and_shown_as_a_gap),
		cmocka_unit_test(both_versions_hold_and_resume),
		cmocka_unit_test(leaving_lets_the_reader_run_and_stopping_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
