/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on the memory of tags: the product's reader against a simulated one, in virtual time.
 */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "rfid/rfid.h"
#include "sim/reader.h"
#include "sim/tags.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define STEP_US (5 * US_PER_MS)
#define TAGS    5

struct world {
	struct loop *loop;
	struct sim_reader *sim;
	struct sim_tags *tags;
	struct rfid_reader *reader;
	int64_t now_us;
	struct epc born[TAGS];
	size_t in_field; /**< tags from the first that are there */
	struct epc seen[TAGS];
	size_t n_seen;
	unsigned int answers;
	struct rfid_access_result result;
};

static void on_reads(void *user, const struct rfid_read *reads, size_t n)
{
	struct world *w = user;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < w->n_seen && !epc_equal(&w->seen[k], &reads[i].epc))
			k++;
		if (k == w->n_seen && k < TAGS)
			w->seen[w->n_seen++] = reads[i].epc;
	}
}

static void on_result(void *user, const struct rfid_access_result *result)
{
	struct world *w = user;

	w->answers++;
	w->result = *result;
}

static void pass(struct world *w, int64_t us)
{
	for (int64_t end_us = w->now_us + us; w->now_us < end_us;) {
		w->now_us += STEP_US;
		loop_run_until(w->loop, w->now_us);
		for (size_t i = 0; i < w->in_field; i++) {
			struct sim_tag_read read = {.epc = &w->born[i],
						    .antenna = (uint16_t) (1 + i % 2),
						    .rssi_dbm = -50,
						    .at_us = clock_real_us(loop_clock(w->loop))};

			sim_reader_feed(w->sim, &read, 1);
		}
	}
}

static void begin(struct world *w)
{
	static const struct rfid_reader_callbacks cb = {.reads = on_reads};
	struct sim_reader_config sim = {.name = "r", .n_antennas = 2};
	struct rfid_reader_config cfg = {.host = "127.0.0.1"};

	memset(w, 0, sizeof(*w));
	w->now_us = US_PER_SEC;
	w->in_field = TAGS;
	for (uint8_t i = 0; i < TAGS; i++) {
		const uint8_t bytes[12] = {0x30, 0x34, [11] = i};

		assert_int_equal(epc_set(&w->born[i], bytes, 96), 0);
	}
	assert_int_equal(loop_new_virtual(w->now_us, INT64_C(1800000000) * US_PER_SEC, &w->loop),
			 0);
	assert_int_equal(sim_reader_new(w->loop, &sim, &w->sim), 0);
	w->tags = sim_tags_new();
	assert_non_null(w->tags);
	sim_reader_set_tags(w->sim, w->tags);
	assert_int_equal(sim_reader_listen(w->sim, 0), 0);
	cfg.port = sim_reader_port(w->sim);
	assert_int_equal(rfid_reader_new(w->loop, &cfg, &cb, w, &w->reader), 0);
	pass(w, US_PER_SEC);
	assert_int_equal(rfid_reader_state(w->reader), RFID_READER_RUNNING);
}

static void end(struct world *w)
{
	rfid_reader_free(w->reader);
	sim_reader_free(w->sim);
	sim_tags_free(w->tags);
	loop_free(w->loop);
}

/** Asks and waits for the answer. */
static const struct rfid_access_result *ask(struct world *w, const struct rfid_access *a)
{
	unsigned int before = w->answers;

	assert_int_equal(rfid_reader_access(w->reader, a, on_result, w), 0);
	pass(w, 6 * US_PER_SEC);
	assert_int_equal(w->answers, before + 1);
	return &w->result;
}

static bool sees(const struct world *w, const struct epc *epc)
{
	for (size_t i = 0; i < w->n_seen; i++)
		if (epc_equal(&w->seen[i], epc))
			return true;
	return false;
}

static void the_tid_of_a_named_tag_is_read(void **state)
{
	struct rfid_access a = {.n_ops = 1, .ops = {{.kind = RFID_OP_READ, .bank = RFID_BANK_TID}}};
	const struct rfid_access_result *r;
	struct world w;

	(void) state;
	begin(&w);
	a.tag = w.born[3];
	r = ask(&w, &a);
	assert_int_equal(r->err, 0);
	assert_true(epc_equal(&r->tag, &w.born[3]));
	assert_int_equal(r->antenna, 2);
	assert_true(r->ops[0].done);
	assert_int_equal(r->ops[0].code, 0);
	assert_int_equal(r->ops[0].n_words, SIM_TAG_TID_WORDS);
	assert_memory_equal(r->ops[0].words, sim_tags_get(w.tags, &w.born[3])->tid,
			    2 * SIM_TAG_TID_WORDS);
	end(&w);
}

static void user_memory_is_written_and_read_back_in_one_go(void **state)
{
	struct rfid_access a = {.n_ops = 2,
				.ops = {{.kind = RFID_OP_WRITE,
					 .bank = RFID_BANK_USER,
					 .pointer = 4,
					 .n_words = 2,
					 .words = {0xcafe, 0xbabe}},
					{.kind = RFID_OP_READ,
					 .bank = RFID_BANK_USER,
					 .pointer = 3,
					 .n_words = 3}}};
	const struct rfid_access_result *r;
	struct world w;

	(void) state;
	begin(&w);
	r = ask(&w, &a);
	assert_int_equal(r->err, 0);
	assert_int_equal(r->ops[0].n_words, 2);
	assert_int_equal(r->ops[1].words[0], 0);
	assert_int_equal(r->ops[1].words[1], 0xcafe);
	assert_int_equal(r->ops[1].words[2], 0xbabe);
	/* What follows a failed operation is not reached, and says so. */
	a.ops[0].pointer = SIM_TAG_USER_WORDS;
	r = ask(&w, &a);
	assert_string_equal(r->ops[0].words_of, "beyond the tag's memory");
	assert_false(r->ops[1].done);
	end(&w);
}

static void a_commissioned_tag_is_seen_under_its_new_epc(void **state)
{
	static const uint16_t lengths[] = {96, 128};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		const uint8_t bytes[16] = {0xe2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
		struct rfid_access a;
		struct epc now;
		struct world w;

		begin(&w);
		assert_true(sees(&w, &w.born[1]));
		assert_int_equal(epc_set(&now, bytes, lengths[i]), 0);
		assert_int_equal(rfid_access_write_epc(&w.born[1], &now, &a), 0);
		assert_int_equal(ask(&w, &a)->ops[0].code, 0);
		w.n_seen = 0;
		pass(&w, 100 * US_PER_MS);
		assert_int_equal(w.n_seen, TAGS);
		assert_false(sees(&w, &w.born[1]));
		assert_true(sees(&w, &now));
		end(&w);
	}
}

static void odd_epcs_cannot_be_written(void **state)
{
	const uint8_t bytes[12] = {1};
	struct rfid_access a;
	struct epc none = {0}, tag, odd;

	(void) state;
	assert_int_equal(epc_set(&tag, bytes, 96), 0);
	assert_int_equal(epc_set(&odd, bytes, 90), 0);
	assert_int_equal(rfid_access_write_epc(&none, &tag, &a), -ERR_RANGE);
	assert_int_equal(rfid_access_write_epc(&tag, &odd, &a), -ERR_RANGE);
}

static void a_lock_holds_against_all_but_the_password(void **state)
{
	struct rfid_access password = {.n_ops = 1,
				       .ops = {{.kind = RFID_OP_WRITE,
						.bank = RFID_BANK_RESERVED,
						.pointer = 2,
						.n_words = 2,
						.words = {0x1234, 0x5678}}}};
	struct rfid_access lock = {.password = 0x12345678,
				   .n_ops = 1,
				   .ops = {{.kind = RFID_OP_LOCK,
					    .field = RFID_LOCK_EPC,
					    .how = RFID_LOCK_WITH_PASSWORD}}};
	struct rfid_access write;
	struct world w;

	(void) state;
	begin(&w);
	password.tag = lock.tag = w.born[0];
	assert_int_equal(rfid_access_write_epc(&w.born[0], &w.born[1], &write), 0);
	write.ops[0].words[5] = 0x7777;
	assert_int_equal(ask(&w, &password)->ops[0].code, 0);
	lock.password = 1;
	assert_string_equal(ask(&w, &lock)->ops[0].words_of, "the tag refuses");
	lock.password = 0x12345678;
	assert_int_equal(ask(&w, &lock)->ops[0].code, 0);
	assert_string_equal(ask(&w, &write)->ops[0].words_of, "the memory is locked");
	assert_int_equal(w.result.ops[0].n_words, 0);
	write.password = 0x12345678;
	assert_int_equal(ask(&w, &write)->ops[0].code, 0);
	end(&w);
}

static void a_tag_that_is_not_there_is_told_in_time(void **state)
{
	struct rfid_access a = {.timeout_us = 2 * US_PER_SEC,
				.n_ops = 1,
				.ops = {{.kind = RFID_OP_READ, .bank = RFID_BANK_TID}}};
	struct world w;

	(void) state;
	begin(&w);
	a.tag = w.born[4];
	w.in_field = 4;
	assert_int_equal(rfid_reader_access(w.reader, &a, on_result, &w), 0);
	assert_int_equal(rfid_reader_access(w.reader, &a, on_result, &w), -EBUSY);
	pass(&w, 1900 * US_PER_MS);
	assert_int_equal(w.answers, 0);
	pass(&w, 200 * US_PER_MS);
	assert_int_equal(w.answers, 1);
	assert_int_equal(w.result.err, -ETIMEDOUT);
	/* The reader was told to forget it: the tag that comes late is left alone. */
	w.in_field = TAGS;
	pass(&w, US_PER_SEC);
	assert_int_equal(w.answers, 1);
	assert_int_equal(rfid_reader_state(w.reader), RFID_READER_RUNNING);
	assert_int_equal(ask(&w, &a)->err, 0);
	end(&w);
}

static void what_the_reader_refuses_or_takes_with_it_is_told(void **state)
{
	struct rfid_access a = {
		.antenna = 9, .n_ops = 1, .ops = {{.kind = RFID_OP_READ, .bank = RFID_BANK_TID}}};
	struct world w;

	(void) state;
	begin(&w);
	assert_int_equal(ask(&w, &a)->err, -ERR_PEER);
	a.antenna = 0;
	w.in_field = 0;
	assert_int_equal(rfid_reader_access(w.reader, &a, on_result, &w), 0);
	pass(&w, 100 * US_PER_MS);
	assert_int_equal(sim_reader_set_unplugged(w.sim, true), 0);
	pass(&w, 100 * US_PER_MS);
	assert_int_equal(w.answers, 2);
	assert_int_equal(w.result.err, -ERR_CLOSED);
	assert_int_equal(rfid_reader_access(w.reader, &a, on_result, &w), -ERR_STATE);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tid_of_a_named_tag_is_read),
		cmocka_unit_test(user_memory_is_written_and_read_back_in_one_go),
		cmocka_unit_test(a_commissioned_tag_is_seen_under_its_new_epc),
		cmocka_unit_test(odd_epcs_cannot_be_written),
		cmocka_unit_test(a_lock_holds_against_all_but_the_password),
		cmocka_unit_test(a_tag_that_is_not_there_is_told_in_time),
		cmocka_unit_test(what_the_reader_refuses_or_takes_with_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
