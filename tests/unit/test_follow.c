/* SPDX-License-Identifier: Apache-2.0 */
/* Raw reads of a few tags: which are told, in which pieces, and what happens where there is no
 * room.
 */
#include "ap-agent/follow.h"
#include "ap-agent/upload.h"
#include "tests/unit/test_common.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TAG   "303435fc8803d056d15b963f"
#define OTHER "303435fc8803d056d15b9640"

struct fixture {
	char dir[64], path[96];
	struct loop *loop;
	const struct clock *clock;
	struct timebase tb;
	struct store *store;
	struct journal *journal;
	struct follow *follow;
	struct proto_watch watch;
};

static int setup(void **state)
{
	const struct store_config cfg = {.max_mib = 0};
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/agent-follow-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/agent.db", f->dir);
	assert_int_equal(loop_new_virtual(1000000, 1700000000000000, &f->loop), 0);
	f->clock = loop_clock(f->loop);
	timebase_init(&f->tb, f->clock, 77);
	assert_int_equal(store_open(f->path, &cfg, &f->store), 0);
	assert_int_equal(journal_new(f->loop, f->store, &f->tb, NULL, NULL, &f->journal), 0);
	assert_int_equal(follow_new(f->loop, f->journal, &f->tb, &f->follow), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[128];

	follow_free(f->follow);
	journal_free(f->journal);
	store_close(f->store);
	loop_free(f->loop);
	snprintf(path, sizeof(path), "%s-wal", f->path);
	unlink(path);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void carry(struct fixture *f, const char *epc)
{
	struct proto_follow *w = &f->watch.follow[f->watch.n_follow++];

	w->walk = 5;
	w->until_us = INT64_MAX;
	assert_int_equal(epc_from_hex(epc, &w->epc), 0);
	follow_want(f->follow, &f->watch);
}

/* Antennas 1 and 2 inside, 3 outside. */
static void hang_door(struct fixture *f)
{
	struct proto_door *d = &f->watch.doors[f->watch.n_doors++];

	d->door = 9;
	d->n = 3;
	for (size_t i = 0; i < 3; i++) {
		strcpy(d->antennas[i].reader, "gate");
		d->antennas[i].antenna = (uint16_t) (i + 1);
		d->antennas[i].side = i < 2 ? DOOR_INNER : DOOR_OUTER;
	}
	follow_want(f->follow, &f->watch);
}

static void read_tag(struct fixture *f, const char *epc, const char *reader, uint16_t antenna)
{
	struct rfid_read r = {.antenna = antenna,
			      .count = 1,
			      .rssi_cdbm = -5000,
			      .phase = 7,
			      .channel = 3,
			      .doppler = -8};

	assert_int_equal(epc_from_hex(epc, &r.epc), 0);
	r.first_us = r.last_us = clock_mono_us(f->clock);
	follow_read(f->follow, reader, &r);
}

static void pass_time(struct fixture *f, int64_t us)
{
	loop_run_until(f->loop, clock_mono_us(f->clock) + us);
}

/* What is owed, as the controller would read it. Release with proto_reads_done(). */
static struct proto_reads owed(struct fixture *f)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_reads m = {0};
	uint64_t first;
	size_t n;

	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(upload_build(f->journal, JOURNAL_READS, 0, 1000, &b, &first, &n), 0);
	if (n)
		assert_int_equal(proto_reads_decode(b.data, b.len, &m, NULL), 0);
	return m;
}

static void every_read_of_a_carried_tag_is_told_in_order(void **state)
{
	struct fixture *f = *state;
	struct proto_reads m;
	size_t n = 0;
	int64_t last_us = 0;

	carry(f, TAG);
	for (int i = 0; i < 250; i++) {
		read_tag(f, TAG, i % 2 ? "dock" : "gate", (uint16_t) (1 + i % 4));
		read_tag(f, OTHER, "dock", 1);
		pass_time(f, 5000);
	}
	pass_time(f, 2 * US_PER_SEC);
	m = owed(f);
	for (size_t i = 0; i < m.n; i++) {
		assert_int_equal(m.entries[i].kind, READS_WALK);
		assert_int_equal(m.entries[i].subject, 5);
		for (size_t k = 0; k < m.entries[i].n; k++, n++) {
			const struct proto_read *r = &m.entries[i].reads[k];

			assert_true(r->at_us > last_us);
			last_us = r->at_us;
			assert_int_equal(m.entries[i].sources[r->source].antenna, 1 + n % 4);
			assert_string_equal(m.entries[i].sources[r->source].reader,
					    n % 2 ? "dock" : "gate");
		}
	}
	assert_int_equal(n, 250);
	assert_true(m.n < 20); /* in pieces, not read by read */
	proto_reads_done(&m);
}

static void passage_is_told_once_after_two_seconds_of_silence(void **state)
{
	struct fixture *f = *state;
	struct proto_reads m;

	hang_door(f);
	for (int i = 0; i < 30; i++) {
		read_tag(f, TAG, "gate", i < 15 ? 1 : 3);
		pass_time(f, 50000);
	}
	pass_time(f, US_PER_SEC);
	m = owed(f);
	assert_int_equal(m.n, 0);
	pass_time(f, 2 * US_PER_SEC);
	m = owed(f);
	assert_int_equal(m.n, 1);
	assert_int_equal(m.entries[0].kind, READS_PASSAGE);
	assert_int_equal(m.entries[0].subject, 9);
	assert_int_equal(m.entries[0].n, 30);
	assert_int_equal(m.entries[0].reads[0].doppler, -8);
	assert_int_equal(follow_open(f->follow, NULL), 0);
	proto_reads_done(&m);
}

static void tag_that_one_side_hears_passes_no_door(void **state)
{
	struct fixture *f = *state;
	struct proto_reads m;

	hang_door(f);
	for (int i = 0; i < 30; i++)
		read_tag(f, TAG, "gate", 1);
	read_tag(f, TAG, "gate", 3); /* a stray read */
	read_tag(f, OTHER, "dock", 1);
	pass_time(f, 5 * US_PER_SEC);
	m = owed(f);
	assert_int_equal(m.n, 0);
}

static void goods_beside_the_door_keep_their_last_reads_alone(void **state)
{
	struct fixture *f = *state;
	struct proto_reads m;
	size_t held;

	hang_door(f);
	for (int i = 0; i < 5000; i++) {
		read_tag(f, TAG, "gate", (uint16_t) (1 + i % 3));
		pass_time(f, 100000);
	}
	assert_int_equal(follow_open(f->follow, &held), 1);
	assert_true(held <= PROTO_MAX_ENTRY_READS);
	m = owed(f);
	assert_int_equal(m.n, 0);
	for (int i = 0; i < 20; i++)
		read_tag(f, TAG, "gate", 3); /* and off it goes */
	pass_time(f, 3 * US_PER_SEC);
	m = owed(f);
	assert_int_equal(m.n, 1);
	assert_int_equal(m.entries[0].n, PROTO_MAX_ENTRY_READS);
	assert_int_equal(m.entries[0].reads[PROTO_MAX_ENTRY_READS - 1].source, 2);
	proto_reads_done(&m);
}

static void crowd_at_the_door_is_bounded_and_counted(void **state)
{
	struct fixture *f = *state;
	char epc[25];
	size_t held;

	hang_door(f);
	for (unsigned int round = 0; round < 100; round++)
		for (unsigned int i = 0; i < FOLLOW_TAGS + 10; i++) {
			snprintf(epc, sizeof(epc), "3034%020x", i);
			read_tag(f, epc, "gate", (uint16_t) (1 + round % 3));
		}
	assert_int_equal(follow_open(f->follow, &held), FOLLOW_TAGS);
	assert_true(held <= FOLLOW_READS);
	assert_int_equal(follow_dropped(f->follow), 10 * 100);
}

static void stopped_reader_makes_no_passages(void **state)
{
	struct fixture *f = *state;
	struct proto_reads m;

	hang_door(f);
	for (int i = 0; i < 30; i++)
		read_tag(f, TAG, "gate", i < 15 ? 1 : 3);
	follow_blind(f->follow, "gate");
	pass_time(f, 5 * US_PER_SEC);
	m = owed(f);
	assert_int_equal(m.n, 0);
}

static void what_finds_no_room_is_counted_and_told(void **state)
{
	struct fixture *f = *state;
	uint64_t first;
	size_t n;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_reads m;

	carry(f, TAG);
	for (unsigned int i = 0; i < (FOLLOW_OWED + 3) * FOLLOW_CHUNK; i++) {
		read_tag(f, TAG, "dock", 1);
		if (i % FOLLOW_CHUNK == 0)
			assert_int_equal(journal_flush(f->journal), 0);
	}
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(journal_depth(f->journal, JOURNAL_READS), FOLLOW_OWED);
	assert_int_equal(follow_dropped(f->follow), 3 * FOLLOW_CHUNK);
	/* The controller is back: what comes next says how much is missing. */
	assert_int_equal(journal_ack(f->journal, JOURNAL_READS, FOLLOW_OWED), 0);
	read_tag(f, TAG, "dock", 1);
	pass_time(f, US_PER_SEC);
	assert_int_equal(upload_build(f->journal, JOURNAL_READS, 0, 10, &b, &first, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(proto_reads_decode(b.data, b.len, &m, NULL), 0);
	assert_int_equal(m.entries[0].dropped, 3 * FOLLOW_CHUNK);
	proto_reads_done(&m);
}

static void body_holds_no_more_reads_than_the_protocol_allows(void **state)
{
	struct fixture *f = *state;
	struct proto_reads m;
	size_t reads = 0;

	carry(f, TAG);
	for (unsigned int i = 0; i < 60 * FOLLOW_CHUNK; i++)
		read_tag(f, TAG, "dock", 1);
	m = owed(f);
	for (size_t i = 0; i < m.n; i++)
		reads += m.entries[i].n;
	assert_true(m.n > 10 && m.n <= UPLOAD_MAX_READS);
	assert_true(reads <= PROTO_MAX_READS);
	proto_reads_done(&m);
}

static void walk_that_is_over_is_followed_no_more(void **state)
{
	struct fixture *f = *state;
	struct proto_reads m;

	assert_true(timebase_sample(&f->tb, 1000000, 1000001, clock_real_us(f->clock)));
	carry(f, TAG);
	f->watch.follow[0].until_us = clock_real_us(f->clock) + US_PER_SEC;
	follow_want(f->follow, &f->watch);
	read_tag(f, TAG, "dock", 1);
	pass_time(f, 3 * US_PER_SEC);
	read_tag(f, TAG, "dock", 1);
	pass_time(f, 3 * US_PER_SEC);
	m = owed(f);
	assert_int_equal(m.n, 1);
	assert_int_equal(m.entries[0].n, 1);
	proto_reads_done(&m);
}

int main(void)
{
#define WITH_FOLLOW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_FOLLOW(every_read_of_a_carried_tag_is_told_in_order),
		WITH_FOLLOW(passage_is_told_once_after_two_seconds_of_silence),
		WITH_FOLLOW(tag_that_one_side_hears_passes_no_door),
		WITH_FOLLOW(goods_beside_the_door_keep_their_last_reads_alone),
		WITH_FOLLOW(crowd_at_the_door_is_bounded_and_counted),
		WITH_FOLLOW(stopped_reader_makes_no_passages),
		WITH_FOLLOW(what_finds_no_room_is_counted_and_told),
		WITH_FOLLOW(body_holds_no_more_reads_than_the_protocol_allows),
		WITH_FOLLOW(walk_that_is_over_is_followed_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
