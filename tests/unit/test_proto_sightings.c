/* SPDX-License-Identifier: Apache-2.0 */
/* The agent-controller protocol: sightings, and the raw reads behind them. */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "common/proto.h"

static void sightings_survive_the_link(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_source src[] = {{"dock", 1}, {"dock", 2}};
	struct proto_sighting s[2] = {
		{.kind = SIGHTING_APPEAR,
		 .source = 0,
		 .first_us = 5,
		 .last_us = 9,
		 .count = 3,
		 .rssi_cdbm = -5512,
		 .peak_cdbm = -5000,
		 .rate_mhz = 5000},
		{.kind = SIGHTING_GONE, .source = 1, .first_us = -4, .last_us = -1, .count = 0},
	};
	struct proto_sightings m = {.caps = PROTO_CAP_RFID,
				    .journal_id = {1, 2, 3},
				    .first_seq = 77,
				    .n_sources = 2,
				    .sources = src,
				    .n = 2,
				    .sightings = s};
	struct proto_sightings back;

	assert_int_equal(epc_from_hex("303435fc8803d056d15b963f", &s[0].epc), 0);
	assert_int_equal(epc_set(&s[1].epc, (const uint8_t *) "\xab\xc0", 12), 0);
	assert_int_equal(proto_sightings_encode(&m, &b), 0);
	assert_int_equal(proto_sightings_decode(b.data, b.len, &back, NULL), 0);
	assert_int_equal(back.first_seq, 77);
	assert_int_equal(back.n, 2);
	assert_memory_equal(back.journal_id, m.journal_id, sizeof(m.journal_id));
	assert_true(epc_equal(&back.sightings[0].epc, &s[0].epc));
	assert_int_equal(back.sightings[1].epc.bits, 12);
	assert_int_equal(back.sightings[0].rssi_cdbm, -5512);
	assert_true(back.sightings[1].first_us == -4 && back.sightings[1].last_us == -1);
	assert_string_equal(back.sources[1].reader, "dock");
	proto_sightings_done(&back);
}

static void sighting_of_an_unnamed_antenna_is_refused(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_sighting s = {.kind = SIGHTING_APPEAR, .source = 1};
	struct proto_source src = {"dock", 1};
	struct proto_sightings m = {
		.first_seq = 1, .n_sources = 1, .sources = &src, .n = 1, .sightings = &s};
	struct proto_sightings back;

	assert_int_equal(proto_sightings_encode(&m, &b), 0);
	assert_int_equal(proto_sightings_decode(b.data, b.len, &back, NULL), -ERR_RANGE);
}

static void every_truncation_is_refused_and_leaks_nothing(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_source src = {"dock", 1};
	struct proto_sighting s = {.kind = SIGHTING_APPEAR};
	struct proto_sightings m = {
		.first_seq = 1, .n_sources = 1, .sources = &src, .n = 1, .sightings = &s};
	struct proto_sightings back;

	assert_int_equal(proto_sightings_encode(&m, &b), 0);
	for (size_t n = 0; n < b.len; n++)
		assert_true(proto_sightings_decode(b.data, n, &back, NULL) < 0);
}

static struct proto_reads_entry some_reads(struct proto_source *src, struct proto_read *reads)
{
	struct proto_reads_entry e = {.kind = READS_PASSAGE,
				      .subject = 4,
				      .dropped = 11,
				      .n_sources = 2,
				      .sources = src,
				      .n = 3,
				      .reads = reads};

	src[0] = (struct proto_source){"gate", 1};
	src[1] = (struct proto_source){"gate", 2};
	for (int i = 0; i < 3; i++)
		reads[i] = (struct proto_read){.source = (uint8_t) (i % 2),
					       .at_us = 1700000000000000 + i * 40000,
					       .rssi_cdbm = (int16_t) (i ? -5000 - i : INT16_MIN),
					       .channel = 3,
					       .phase = (uint16_t) (i ? 4095 : UINT16_MAX),
					       .doppler = -900,
					       .count = 2};
	assert_int_equal(epc_from_hex("303435fc8803d056d15b963f", &e.epc), 0);
	return e;
}

static void raw_reads_survive_the_link(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_source src[2];
	struct proto_read reads[3];
	struct proto_reads_entry e = some_reads(src, reads);
	struct proto_reads m = {.journal_id = {9}, .first_seq = 3, .n = 1, .entries = &e}, back;

	assert_int_equal(proto_reads_encode(&m, &b), 0);
	assert_int_equal(proto_reads_decode(b.data, b.len, &back, NULL), 0);
	assert_int_equal(back.first_seq, 3);
	assert_int_equal(back.entries[0].dropped, 11);
	assert_int_equal(back.entries[0].n, 3);
	assert_true(epc_equal(&back.entries[0].epc, &e.epc));
	for (int i = 0; i < 3; i++) {
		const struct proto_read *r = &back.entries[0].reads[i];

		assert_true(r->at_us == reads[i].at_us);
		assert_int_equal(r->source, reads[i].source);
		assert_int_equal(r->rssi_cdbm, reads[i].rssi_cdbm);
		assert_int_equal(r->phase, reads[i].phase);
		assert_int_equal(r->doppler, -900);
		assert_int_equal(r->count, 2);
	}
	assert_string_equal(back.entries[0].sources[1].reader, "gate");
	for (size_t n = 0; n < b.len; n++) {
		struct proto_reads cut;

		assert_true(proto_reads_decode(b.data, n, &cut, NULL) < 0);
	}
	proto_reads_done(&back);
}

static void raw_reads_out_of_order_or_of_no_antenna_are_refused(void **state)
{
	(void) state;
	struct proto_source src[2];
	struct proto_read reads[3];
	struct proto_reads_entry e = some_reads(src, reads), back;
	_cleanup_buf_ struct buf late = BUF_INIT, nowhere = BUF_INIT, none = BUF_INIT;

	reads[2].at_us = reads[0].at_us;
	assert_int_equal(proto_reads_entry_encode(&e, &late), 0);
	assert_int_equal(proto_reads_entry_decode(late.data, late.len, &back), -ERR_RANGE);
	reads[2].at_us = reads[1].at_us;
	reads[2].source = 2;
	assert_int_equal(proto_reads_entry_encode(&e, &nowhere), 0);
	assert_int_equal(proto_reads_entry_decode(nowhere.data, nowhere.len, &back), -ERR_RANGE);
	e.n = 0;
	assert_int_equal(proto_reads_entry_encode(&e, &none), 0);
	assert_int_equal(proto_reads_entry_decode(none.data, none.len, &back), -ERR_RANGE);
}

static void message_of_too_many_reads_is_refused(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	static struct proto_read reads[PROTO_MAX_ENTRY_READS];
	static struct proto_reads_entry entries[11];
	struct proto_source src[2];
	struct proto_reads m = {.first_seq = 1, .n = 11, .entries = entries}, back;

	for (size_t i = 0; i < 11; i++) {
		entries[i] = some_reads(src, reads);
		entries[i].n = PROTO_MAX_ENTRY_READS;
	}
	for (size_t i = 3; i < PROTO_MAX_ENTRY_READS; i++)
		reads[i].at_us = reads[2].at_us;
	assert_int_equal(proto_reads_encode(&m, &b), 0);
	assert_int_equal(proto_reads_decode(b.data, b.len, &back, NULL), -ERR_TOO_LARGE);
	m.n = 10;
	buf_clear(&b);
	assert_int_equal(proto_reads_encode(&m, &b), 0);
	assert_int_equal(proto_reads_decode(b.data, b.len, &back, NULL), 0);
	proto_reads_done(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sightings_survive_the_link),
		cmocka_unit_test(sighting_of_an_unnamed_antenna_is_refused),
		cmocka_unit_test(every_truncation_is_refused_and_leaks_nothing),
		cmocka_unit_test(raw_reads_survive_the_link),
		cmocka_unit_test(raw_reads_out_of_order_or_of_no_antenna_are_refused),
		cmocka_unit_test(message_of_too_many_reads_is_refused),
	};

	return cmocka_run_group_tests_name("proto_sightings", tests, NULL, NULL);
}
