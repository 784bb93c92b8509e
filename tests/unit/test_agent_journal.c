/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: numbering, acknowledgement, sudden ends, full flash, and what an upload takes of it.
 */
#include "ap-agent/sighting.h"
#include "ap-agent/upload.h"
#include "common/err.h"
#include "tests/unit/agent_journal_rig.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void entries_are_durable_after_200_ms_and_numbered_from_1(void **state)
{
	struct fixture *f = *state;

	add(f, JOURNAL_SIGHTINGS, "a");
	add(f, JOURNAL_LABELS, "b");
	add(f, JOURNAL_SIGHTINGS, "c");
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).n, 0);
	loop_run_until(f->loop, 1000000 + JOURNAL_FLUSH_US + 1000);
	assert_int_equal(f->committed, 1u << JOURNAL_SIGHTINGS | 1u << JOURNAL_LABELS);

	struct seen s = look(f, JOURNAL_SIGHTINGS);

	assert_int_equal(s.n, 2);
	assert_int_equal(s.first, 1);
	assert_string_equal(s.text, "a");
	assert_int_equal(look(f, JOURNAL_LABELS).first, 1);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 2);
}

static void a_full_batch_does_not_wait(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < JOURNAL_BATCH; i++)
		add(f, JOURNAL_SIGHTINGS, "x");
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).n, JOURNAL_BATCH);
}

static void acknowledged_entries_go_and_numbers_are_never_used_again(void **state)
{
	struct fixture *f = *state;
	uint8_t id[PROTO_JOURNAL_ID_BYTES];

	memcpy(id, journal_id(f->journal), sizeof(id));
	for (int i = 0; i < 3; i++)
		add(f, JOURNAL_SIGHTINGS, "x");
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(journal_ack(f->journal, JOURNAL_SIGHTINGS, 2), 0);
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).first, 3);
	assert_int_equal(journal_ack(f->journal, JOURNAL_SIGHTINGS, 3), 0);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 0);
	close_files(f);
	open_files(f);
	assert_memory_equal(id, journal_id(f->journal), sizeof(id));
	add(f, JOURNAL_SIGHTINGS, "y");
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).first, 4);
}

static void an_ack_of_what_was_never_given_is_refused(void **state)
{
	struct fixture *f = *state;

	add(f, JOURNAL_SIGHTINGS, "x");
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(journal_ack(f->journal, JOURNAL_SIGHTINGS, 2), -ERR_RANGE);
	assert_int_equal(journal_ack(f->journal, JOURNAL_SIGHTINGS, UINT64_MAX), -ERR_RANGE);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 1);
	/* an old one changes nothing */
	assert_int_equal(journal_ack(f->journal, JOURNAL_SIGHTINGS, 0), 0);
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).n, 1);
}

/* The child writes, acknowledges, leaves something uncommitted, and is killed without closing. */
static void a_kill_loses_only_what_was_not_committed(void **state)
{
	struct fixture *f = *state;
	int status;

	close_files(f);

	pid_t child = fork();

	if (child == 0) {
		open_files(f);
		for (int i = 0; i < 5; i++)
			add(f, JOURNAL_SIGHTINGS, "x");
		if (journal_flush(f->journal) < 0 ||
		    journal_ack(f->journal, JOURNAL_SIGHTINGS, 2) < 0)
			_exit(1);
		add(f, JOURNAL_SIGHTINGS, "lost");
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	open_files(f);

	struct seen s = look(f, JOURNAL_SIGHTINGS);

	assert_int_equal(s.first, 3);
	assert_int_equal(s.last, 5);
	add(f, JOURNAL_SIGHTINGS, "next");
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).last, 6);
}

static void limit_pages(struct fixture *f, int pages)
{
	char text[64];

	snprintf(text, sizeof(text), "PRAGMA max_page_count=%d", pages);
	assert_int_equal(sql_exec(store_sql(f->store), text), 0);
}

static void full_flash_holds_entries_drops_the_oldest_and_recovers_without_a_gap(void **state)
{
	struct fixture *f = *state;
	char body[JOURNAL_MAX_BODY] = {0};
	int64_t now = 1000000;
	size_t total = 0;

	memset(body, 'z', sizeof(body));
	limit_pages(f, 1); /* SQLite rounds it up to the present size */
	while (journal_error(f->journal) == 0 && total < 1000) {
		snprintf(body, sizeof(body), "%06zu", total++);
		(void) journal_add(f->journal, JOURNAL_SIGHTINGS, true, body, sizeof(body));
		(void) journal_flush(f->journal);
	}
	assert_int_equal(journal_error(f->journal), -ENOSPC);

	uint64_t kept = journal_depth(f->journal, JOURNAL_SIGHTINGS);

	for (size_t i = 0; i < JOURNAL_MAX_WAITING + 10; i++) {
		snprintf(body, sizeof(body), "%06zu", total++);
		(void) journal_add(f->journal, JOURNAL_SIGHTINGS, true, body, 16);
	}
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), kept);
	assert_true(journal_dropped(f->journal) >= 10);

	limit_pages(f, 100000);
	loop_run_until(f->loop, now + 5000000);
	assert_int_equal(journal_error(f->journal), 0);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS),
			 total - journal_dropped(f->journal));

	struct seen s = look(f, JOURNAL_SIGHTINGS);

	assert_int_equal(s.last - s.first + 1, s.n);
	assert_int_equal(s.last, total - journal_dropped(f->journal));
}

static void instants_wait_for_the_clock_and_are_converted_when_read(void **state)
{
	struct fixture *f = *state;
	int64_t skew = 1700000000000000 - 1000000;

	(void) journal_add(f->journal, JOURNAL_SIGHTINGS, false, "x", 1);
	assert_int_equal(journal_flush(f->journal), 0);
	/* nothing better than the own clock */
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).delta, skew);
	assert_true(timebase_sample(&f->tb, 1000000, 1000200, 1800000000000000));
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).delta, 1800000000000000 - 1000100);
	/* another boot: its monotonic clock means nothing here */
	f->tb.boot = 78;
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).delta, skew);
}

static void a_sighting_row_survives_its_own_form(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct sighting_row in = {.reader = "dock-1", .antenna = 3, .s = {.kind = SIGHTING_GONE}};
	struct sighting_row out;

	(void) state;
	assert_int_equal(epc_from_hex("303435fc8803d056d15b963f", &in.s.epc), 0);
	in.s.first_us = -5;
	in.s.last_us = 123456789;
	in.s.count = 4000000000u;
	in.s.rssi_cdbm = INT16_MIN;
	in.s.peak_cdbm = -4550;
	in.s.rate_mhz = 65535;
	assert_int_equal(sighting_encode(&in, &b), 0);
	assert_int_equal(sighting_decode(b.data, b.len, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	for (size_t cut = 0; cut < b.len; cut++)
		assert_true(sighting_decode(b.data, cut, &out) < 0);
}

static void an_upload_names_each_antenna_once_and_numbers_from_the_first(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf body = BUF_INIT;
	struct proto_sightings m;
	uint64_t first;
	size_t n;

	for (uint16_t i = 0; i < 6; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		struct sighting_row row = {
			.reader = "dock",
			.antenna = (uint16_t) (1 + i % 2),
			.s = {.kind = SIGHTING_APPEAR, .first_us = i, .last_us = i}};

		assert_int_equal(epc_from_hex("3034", &row.s.epc), 0);
		assert_int_equal(sighting_encode(&row, &b), 0);
		(void) journal_add(f->journal, JOURNAL_SIGHTINGS, false, b.data, b.len);
	}
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(journal_ack(f->journal, JOURNAL_SIGHTINGS, 1), 0);
	assert_true(timebase_sample(&f->tb, 1000000, 1000000, 1800000000000000));
	assert_int_equal(upload_build(f->journal, JOURNAL_SIGHTINGS, 3, 4, &body, &first, &n), 0);
	assert_int_equal(first, 2);
	assert_int_equal(n, 4);
	assert_int_equal(proto_sightings_decode(body.data, body.len, &m, NULL), 0);
	assert_int_equal(m.first_seq, 2);
	assert_int_equal(m.n, 4);
	assert_int_equal(m.n_sources, 2);
	assert_int_equal(m.sightings[0].first_us, 1 + 1800000000000000 - 1000000);
	assert_memory_equal(m.journal_id, journal_id(f->journal), sizeof(m.journal_id));
	proto_sightings_done(&m);
}

static void a_damaged_entry_is_named_when_it_is_the_first(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf body = BUF_INIT;
	uint64_t first;
	size_t n;

	add(f, JOURNAL_SIGHTINGS, "not a sighting");
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(upload_build(f->journal, JOURNAL_SIGHTINGS, 3, 4, &body, &first, &n),
			 -ERR_CORRUPT);
	assert_int_equal(first, 1);
}

static void starting_over_gives_a_new_journal_id_and_numbers_from_1(void **state)
{
	struct fixture *f = *state;
	uint8_t id[PROTO_JOURNAL_ID_BYTES];

	memcpy(id, journal_id(f->journal), sizeof(id));
	add(f, JOURNAL_SIGHTINGS, "x");
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(store_start_over(f->store), 0);
	assert_int_equal(journal_reload(f->journal), 0);
	assert_memory_not_equal(id, journal_id(f->journal), sizeof(id));
	add(f, JOURNAL_SIGHTINGS, "y");
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).first, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(entries_are_durable_after_200_ms_and_numbered_from_1),
		T(a_full_batch_does_not_wait),
		T(acknowledged_entries_go_and_numbers_are_never_used_again),
		T(an_ack_of_what_was_never_given_is_refused),
		T(a_kill_loses_only_what_was_not_committed),
		T(full_flash_holds_entries_drops_the_oldest_and_recovers_without_a_gap),
		T(instants_wait_for_the_clock_and_are_converted_when_read),
		T(a_sighting_row_survives_its_own_form),
		T(an_upload_names_each_antenna_once_and_numbers_from_the_first),
		T(a_damaged_entry_is_named_when_it_is_the_first),
		T(starting_over_gives_a_new_journal_id_and_numbers_from_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
