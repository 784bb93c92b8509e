/* SPDX-License-Identifier: Apache-2.0 */
/* The state engine: sightings in, places and counts out, and the records that bring it all back. */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "controller/inventory/ingest_decode.h"
#include "controller/inventory/inv_crc.h"
#include "controller/inventory/inv_image.h"
#include "tests/unit/inventory_script.h"

enum {
	FLOOR = 11,
	BACK = 12
};

struct world {
	struct inv_state *st;
	int changes;
	struct inv_change last;
	uint32_t places[4]; /* of antennas 1 to 4 */
};

static uint32_t place_of(void *user, const struct inv_antenna *a)
{
	const struct world *w = user;

	return a->number <= 4 ? w->places[a->number - 1] : BELIEF_NO_PLACE;
}

static void note(void *user, const struct inv_change *c)
{
	struct world *w = user;

	w->changes++;
	w->last = *c;
}

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_int_equal(inv_state_new(belief_defaults(), 100, &w->st), 0);
	w->st->changed = note;
	w->st->user = w;
	w->places[0] = FLOOR;
	w->places[1] = BACK;
	w->st->place_of = place_of;
	w->st->place_user = w;
	*state = w;
	return 0;
}

static int drop_world(void **state)
{
	struct world *w = *state;

	inv_state_free(w->st);
	free(w);
	return 0;
}

static uint64_t apply(struct world *w, uint64_t seq, const struct say *says, size_t n,
		      int64_t now_us)
{
	struct script sc;
	uint64_t applied = 0;

	assert_int_equal(
		inv_state_apply(w->st, script_batch(&sc, 1, seq, says, n), now_us, &applied), 0);
	return applied;
}

static uint32_t item(struct world *w, int n)
{
	struct epc e = script_epc(n);

	return inv_state_find(w->st, &e);
}

static void appearing_item_is_counted_where_it_is(void **state)
{
	struct world *w = *state;
	struct say says[] = {{1, 1, SIGHTING_APPEAR, -55, T0, 1},
			     {2, 2, SIGHTING_APPEAR, -55, T0, 1}};

	assert_true(apply(w, 1, says, 2, T0) == 2);
	assert_int_equal(inv_state_count(w->st, 0, FLOOR), 1);
	assert_int_equal(inv_state_count(w->st, 0, BACK), 1);
	assert_int_equal(w->st->products.n, 1);
	assert_true(w->st->products.v[0].gtin == 4006381333931);
	assert_int_equal(w->st->present, 2);
	assert_int_equal(w->changes, 2);
}

static void replay_is_counted_once(void **state)
{
	struct world *w = *state;
	struct say says[] = {{1, 1, SIGHTING_APPEAR, -55, T0, 3},
			     {1, 1, SIGHTING_REFRESH, -55, T0 + SEC, 5}};

	apply(w, 1, says, 2, T0 + SEC);
	assert_true(apply(w, 1, says, 2, T0 + SEC) == 2);
	assert_int_equal(w->st->evidence.v[0].reads, 8);
	/* A batch that overlaps: only its tail is new. */
	assert_true(apply(w, 2, says, 2, T0 + SEC) == 3);
	assert_int_equal(w->st->evidence.v[0].reads, 13);
	assert_true(w->st->applied == 3);
}

static void other_journal_of_the_same_agent_is_another_stream(void **state)
{
	struct world *w = *state;
	struct say says[] = {{1, 1, SIGHTING_APPEAR, -55, T0, 1}};
	struct script sc;
	uint64_t applied;

	apply(w, 9, says, 1, T0);
	(void) script_batch(&sc, 1, 1, says, 1);
	sc.batch.journal_id[0] = 8;
	assert_int_equal(inv_state_apply(w->st, &sc.batch, T0, &applied), 0);
	assert_true(applied == 1);
	assert_int_equal(w->st->evidence.v[0].reads, 2);
}

static void moved_item_is_counted_at_the_new_place_within_three_seconds(void **state)
{
	struct world *w = *state;
	struct say here[] = {{1, 1, SIGHTING_APPEAR, -55, T0, 1},
			     {1, 1, SIGHTING_REFRESH, -55, T0, 3}};
	struct say there[] = {{1, 2, SIGHTING_APPEAR, -56, T0 + 60 * SEC, 1}};
	struct say known[] = {{1, 2, SIGHTING_REFRESH, -56, T0 + 60 * SEC + SEC / 2, 3}};
	struct say left[] = {{1, 1, SIGHTING_GONE, -55, T0 + 59 * SEC, 0}};

	apply(w, 1, here, 2, T0);
	apply(w, 3, there, 1, T0 + 60 * SEC);
	apply(w, 4, known, 1, T0 + 60 * SEC + SEC / 2);
	assert_int_equal(inv_state_count(w->st, 0, FLOOR), 1);
	apply(w, 5, left, 1, T0 + 61 * SEC);
	assert_int_equal(inv_state_count(w->st, 0, FLOOR), 0);
	assert_int_equal(inv_state_count(w->st, 0, BACK), 1);
	assert_int_equal(w->last.from, FLOOR);
	assert_int_equal(w->last.to, BACK);
	assert_int_equal(w->last.cause, CAUSE_LEFT);
}

static void cross_reads_do_not_move_items_over_ten_minutes(void **state)
{
	struct world *w = *state;
	struct say first[] = {{1, 1, SIGHTING_APPEAR, -55, T0, 1}};
	uint64_t seq = 2;

	apply(w, 1, first, 1, T0);
	for (int s = 1; s < 600; s++) {
		int64_t now_us = T0 + s * SEC;
		struct say says[] = {
			{1, 2, s % 4 == 1 ? SIGHTING_APPEAR : SIGHTING_GONE, -67, now_us, 1},
			{1, 1, SIGHTING_REFRESH, s % 2 ? -52 : -58, now_us, 5},
		};

		apply(w, seq, says, 2, now_us);
		seq += 2;
		inv_state_tick(w->st, now_us);
	}
	assert_int_equal(w->changes, 1);
}

static void item_nobody_hears_leaves_the_stock(void **state)
{
	struct world *w = *state;
	struct say says[] = {{1, 1, SIGHTING_APPEAR, -55, T0, 1},
			     {1, 1, SIGHTING_GONE, -55, T0 + SEC, 4}};

	apply(w, 1, says, 2, T0 + 2 * SEC);
	inv_state_tick(w->st, T0 + 10 * SEC);
	assert_int_equal(inv_state_count(w->st, 0, FLOOR), 1);
	inv_state_tick(w->st, T0 + SEC + belief_defaults()->grace_us);
	assert_int_equal(inv_state_count(w->st, 0, FLOOR), 0);
	assert_int_equal(w->st->present, 0);
	assert_int_equal(w->last.cause, CAUSE_NOT_SEEN);
	assert_int_equal(w->st->items.v[item(w, 1)].place, FLOOR);
}

static void future_clock_of_an_agent_is_taken_as_now(void **state)
{
	struct world *w = *state;
	struct say says[] = {{1, 1, SIGHTING_APPEAR, -55, T0 + 365 * 86400 * SEC, 1},
			     {2, 1, SIGHTING_APPEAR, -55, INT64_MIN + 1, 1},
			     {3, 1, SIGHTING_APPEAR, -55, INT64_MAX, 1}};

	apply(w, 1, says, 3, T0);
	assert_true(inv_item_last_seen(w->st, item(w, 1)) == T0);
	assert_true(inv_item_last_seen(w->st, item(w, 2)) == 0);
	assert_true(inv_item_last_seen(w->st, item(w, 3)) == T0);
	assert_int_equal(inv_state_count(w->st, 0, FLOOR), 3);
}

static void evidence_its_antenna_no_longer_renews_is_over(void **state)
{
	struct world *w = *state;
	struct say both[] = {{1, 1, SIGHTING_APPEAR, -55, T0, 1},
			     {2, 1, SIGHTING_APPEAR, -55, T0, 1}};
	uint64_t seq = 3;

	apply(w, 1, both, 2, T0);
	for (int s = 60; s <= 360; s += 60) {
		struct say one[] = {{2, 1, SIGHTING_REFRESH, -55, T0 + s * SEC, 300}};

		apply(w, seq++, one, 1, T0 + s * SEC);
		for (int i = 0; i < 700; i++)
			inv_state_tick(w->st, T0 + s * SEC);
	}
	assert_int_equal(w->st->items.v[item(w, 1)].state, BELIEF_GONE);
	assert_int_equal(w->st->items.v[item(w, 2)].state, BELIEF_PRESENT);
}

static void silent_reader_keeps_its_items(void **state)
{
	struct world *w = *state;
	struct say one[] = {{1, 1, SIGHTING_APPEAR, -55, T0, 1}};

	apply(w, 1, one, 1, T0);
	for (int i = 0; i < 700; i++)
		inv_state_tick(w->st, T0 + 3600 * SEC);
	assert_int_equal(inv_state_count(w->st, 0, FLOOR), 1);
}

static void antenna_given_another_place_moves_the_count(void **state)
{
	struct world *w = *state;
	struct say one[] = {{1, 1, SIGHTING_APPEAR, -55, T0, 1}};

	apply(w, 1, one, 1, T0);
	w->places[0] = BACK;
	inv_state_remap(w->st);
	inv_state_tick(w->st, T0 + SEC);
	assert_int_equal(inv_state_count(w->st, 0, FLOOR), 0);
	assert_int_equal(inv_state_count(w->st, 0, BACK), 1);
	w->places[0] = BELIEF_NO_PLACE;
	inv_state_remap(w->st);
	inv_state_tick(w->st, T0 + 2 * SEC);
	assert_int_equal(w->st->unplaced, 1);
}

static void foreign_tags_are_counted_apart(void **state)
{
	struct world *w = *state;
	struct say says[] = {{1, 1, SIGHTING_APPEAR, -55, T0, 1},
			     {2, 1, SIGHTING_APPEAR, -55, T0, 1}};
	struct script sc;
	uint64_t applied;
	uint32_t foreign;

	(void) script_batch(&sc, 1, 1, says, 2);
	assert_int_equal(epc_from_hex("e2801160600002", &sc.epcs[0]), 0);
	sc.sightings[0].epc = sc.epcs[0].data;
	sc.sightings[0].bits = sc.epcs[0].bits;
	/* Longer than most: 160 bits. */
	assert_int_equal(epc_from_hex("00112233445566778899aabbccddeeff00112233", &sc.epcs[1]), 0);
	sc.sightings[1].epc = sc.epcs[1].data;
	sc.sightings[1].bits = sc.epcs[1].bits;
	assert_int_equal(inv_state_apply(w->st, &sc.batch, T0, &applied), 0);
	foreign = inv_state_find_product(w->st, 0);
	assert_int_equal(inv_state_count(w->st, foreign, FLOOR), 2);
	assert_int_not_equal(inv_state_find(w->st, &sc.epcs[1]), INV_NONE);
}

static void no_more_items_than_allowed(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 120; i++) {
		struct say one[] = {{i, 1, SIGHTING_APPEAR, -55, T0, 1}};

		apply(w, (uint64_t) i + 1, one, 1, T0);
	}
	assert_int_equal(w->st->items.n, 100);
	assert_true(w->st->refused == 20);
}

static void ninth_antenna_takes_the_place_of_the_oldest(void **state)
{
	struct world *w = *state;
	struct belief_evidence ev[INV_MAX_EVIDENCE];
	uint32_t ids[INV_MAX_EVIDENCE];

	for (uint64_t a = 0; a < 12; a++) {
		struct say one[] = {{1, 3, SIGHTING_APPEAR, -55, T0 + (int64_t) a, 1}};
		struct script sc;
		uint64_t applied;

		assert_int_equal(inv_state_apply(w->st, script_batch(&sc, 100 + a, 1, one, 1),
						 T0 + 100, &applied),
				 0);
	}
	assert_int_equal(inv_item_evidence(w->st, 0, ev, ids), INV_MAX_EVIDENCE);
	for (size_t i = 0; i < INV_MAX_EVIDENCE; i++)
		assert_true(ev[i].last_us >= T0 + 4);
}

/* What a fresh state, given the records, knows of the items. */
static void assert_same(const struct inv_state *a, const struct inv_state *b)
{
	assert_int_equal(a->items.n, b->items.n);
	for (uint32_t i = 0; i < a->items.n; i++) {
		const struct inv_item *x = &a->items.v[i], *y = &b->items.v[i];
		struct epc ex, ey;

		inv_item_epc(a, i, &ex);
		inv_item_epc(b, i, &ey);
		assert_true(epc_equal(&ex, &ey));
		assert_int_equal(x->place, y->place);
		assert_int_equal(x->state, y->state);
		assert_int_equal(x->cause, y->cause);
		assert_true(x->since_us == y->since_us);
	}
	assert_int_equal(a->present, b->present);
	assert_int_equal(a->unplaced, b->unplaced);
	assert_int_equal(inv_state_count(a, 0, FLOOR), inv_state_count(b, 0, FLOOR));
	assert_int_equal(inv_state_count(a, 0, BACK), inv_state_count(b, 0, BACK));
	assert_int_equal(a->streams.n, b->streams.n);
	for (uint32_t i = 0; i < a->streams.n; i++)
		assert_true(a->streams.v[i].applied == b->streams.v[i].applied);
}

static void play_a_day(struct world *w)
{
	uint32_t seed = 12345;
	uint64_t seq = 1;

	for (int step = 0; step < 2000; step++) {
		int64_t now_us = T0 + step * SEC;
		struct say says[4];

		for (int i = 0; i < 4; i++) {
			seed = seed * 1664525 + 1013904223;
			says[i] = (struct say){(int) (seed >> 8) % 50,
					       (uint16_t) (1 + (seed >> 20) % 3),
					       (uint8_t) (1 + (seed >> 24) % 3),
					       -45 - (int) (seed >> 28),
					       now_us,
					       1};
		}
		apply(w, seq, says, 4, now_us);
		seq += 4;
		inv_state_tick(w->st, now_us);
	}
}

static void records_bring_the_state_back_even_twice(void **state)
{
	struct world *w = *state;
	struct inv_state *copy;

	assert_int_equal(inv_state_new(belief_defaults(), 100, &copy), 0);
	play_a_day(w);
	inv_state_record_streams(w->st);
	assert_int_equal(inv_state_replay(copy, w->st->out.data, w->st->out.len), 0);
	assert_same(w->st, copy);
	assert_int_equal(inv_state_replay(copy, w->st->out.data, w->st->out.len), 0);
	assert_same(w->st, copy);
	inv_state_free(copy);
}

static void image_brings_the_state_back(void **state)
{
	struct world *w = *state;
	struct inv_image im = {0};
	struct inv_image_loader l = {0};
	struct inv_state *copy;

	play_a_day(w);
	assert_int_equal(inv_state_new(belief_defaults(), 100, &copy), 0);
	assert_int_equal(inv_image_take(&im, w->st, 42, T0), 0);
	l.st = copy;
	for (size_t i = 0; i < inv_image_sections(&im); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		assert_int_equal(inv_image_encode(&im, i, &b), 0);
		/* One flipped bit anywhere is noticed. */
		b.data[b.len / 2] ^= 4;
		struct inv_image_loader bad = l;
		struct inv_state *scratch;

		assert_int_equal(inv_state_new(belief_defaults(), 100, &scratch), 0);
		bad.st = scratch;
		assert_true(inv_image_load(&bad, b.data, b.len) < 0);
		inv_state_free(scratch);
		b.data[b.len / 2] ^= 4;
		assert_int_equal(inv_image_load(&l, b.data, b.len), 0);
	}
	assert_int_equal(inv_image_loaded(&l), 0);
	assert_true(l.cover == 42);
	assert_same(w->st, copy);
	inv_image_done(&im);
	inv_state_free(copy);
}

static void damaged_records_are_corrupt(void **state)
{
	struct world *w = *state;
	struct say one[] = {{1, 1, SIGHTING_APPEAR, -55, T0, 1}};
	struct inv_state *copy;

	apply(w, 1, one, 1, T0);
	for (size_t n = 1; n < w->st->out.len; n++) {
		assert_int_equal(inv_state_new(belief_defaults(), 100, &copy), 0);
		int r = inv_state_replay(copy, w->st->out.data, n);

		assert_true(r == 0 || r == -ERR_CORRUPT);
		inv_state_free(copy);
	}
	assert_int_equal(inv_state_replay(w->st, "\xff", 1), -ERR_CORRUPT);
}

static void crc_is_castagnoli(void **state)
{
	(void) state;
	/* RFC 3720 B.4: 32 bytes of zeros, 32 bytes ascending. */
	uint8_t bytes[32] = {0};

	assert_true(inv_crc32c(0, bytes, 32) == 0x8a9136aa);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = i;
	assert_true(inv_crc32c(0, bytes, 32) == 0x46dd794e);
	assert_true(inv_crc32c(inv_crc32c(0, bytes, 5), bytes + 5, 27) == 0x46dd794e);
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, drop_world)
	const struct CMUnitTest tests[] = {
		WITH_WORLD(appearing_item_is_counted_where_it_is),
		WITH_WORLD(replay_is_counted_once),
		WITH_WORLD(other_journal_of_the_same_agent_is_another_stream),
		WITH_WORLD(moved_item_is_counted_at_the_new_place_within_three_seconds),
		WITH_WORLD(cross_reads_do_not_move_items_over_ten_minutes),
		WITH_WORLD(item_nobody_hears_leaves_the_stock),
		WITH_WORLD(future_clock_of_an_agent_is_taken_as_now),
		WITH_WORLD(evidence_its_antenna_no_longer_renews_is_over),
		WITH_WORLD(silent_reader_keeps_its_items),
		WITH_WORLD(antenna_given_another_place_moves_the_count),
		WITH_WORLD(foreign_tags_are_counted_apart),
		WITH_WORLD(no_more_items_than_allowed),
		WITH_WORLD(ninth_antenna_takes_the_place_of_the_oldest),
		WITH_WORLD(records_bring_the_state_back_even_twice),
		WITH_WORLD(image_brings_the_state_back),
		WITH_WORLD(damaged_records_are_corrupt),
		cmocka_unit_test(crc_is_castagnoli),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
