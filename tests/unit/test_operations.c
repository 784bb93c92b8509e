/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on tags against a reader that does as the test likes: each once, also when the lights
 * go out in the middle. */
#include "ap-agent/operations.h"
#include "common/err.h"
#include "tests/unit/test_agent_twins.h"
#include "tests/unit/test_common.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define START_MONO INT64_C(5000000)
#define START_REAL INT64_C(1700000000000000)

struct fixture {
	char dir[64], path[96];
	struct loop *loop;
	struct timebase tb;
	struct store *store;
	struct journal *journal;
	struct readers *readers;
	struct operations *ops;
	int64_t now;
};

static void on_durable(void *user, unsigned int streams)
{
	(void) user;
	(void) streams;
}

static void run(struct fixture *f, int64_t us)
{
	f->now += us;
	loop_run_until(f->loop, f->now);
}

static struct rfid_reader *twin(void)
{
	return reader_twins[(readers_made - 1) % 8];
}

static void set_running(struct fixture *f, bool running)
{
	struct rfid_reader *r = twin();

	r->cb.state(r->user, running ? RFID_READER_RUNNING : RFID_READER_WAITING,
		    running ? 0 : -EIO, running ? NULL : "lost");
	run(f, US_PER_MS);
}

/** The agent comes up: the store as it is, the reader running. */
static void power_up(struct fixture *f)
{
	static const struct store_config store_cfg;
	struct proto_desired_reader w = {.name = "a", .host = "127.0.0.1", .port = 5084};
	struct operations_config cfg = {.tb = &f->tb};

	assert_int_equal(loop_new_virtual(f->now, START_REAL + f->now - START_MONO, &f->loop), 0);
	timebase_init(&f->tb, loop_clock(f->loop), 3);
	assert_int_equal(store_open(f->path, &store_cfg, &f->store), 0);
	assert_int_equal(journal_new(f->loop, f->store, &f->tb, on_durable, f, &f->journal), 0);
	assert_int_equal(readers_new(f->loop, f->journal, &f->tb, NULL, f, &f->readers), 0);
	cfg.store = f->store;
	cfg.readers = f->readers;
	assert_int_equal(operations_new(f->loop, &cfg, &f->ops), 0);
	readers_want(f->readers, &w, 1);
	run(f, US_PER_MS);
	set_running(f, true);
}

/** The lights go out: what is in memory is gone. */
static void power_down(struct fixture *f)
{
	operations_free(f->ops);
	readers_free(f->readers);
	journal_free(f->journal);
	store_close(f->store);
	loop_free(f->loop);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	readers_made = 0;
	strcpy(f->dir, "/tmp/agent-tags-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/agent.db", f->dir);
	f->now = START_MONO;
	power_up(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[112];

	power_down(f);
	snprintf(path, sizeof(path), "%s-wal", f->path);
	unlink(path);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static const struct epc old_epc = {.bits = 96, .data = {0x30, 1}};
static const struct epc new_epc = {.bits = 96, .data = {0x30, 2}};

static struct proto_operation ask(uint64_t id, enum operation_kind kind)
{
	return (struct proto_operation){.id = id,
					.kind = (uint8_t) kind,
					.reader = "a",
					.tag = old_epc,
					.epc = new_epc,
					.n_words = 2,
					.until_us = START_REAL + 3600 * US_PER_SEC};
}

static void want(struct fixture *f, struct proto_operation op)
{
	assert_int_equal(operations_want(f->ops, &op, 1), 0);
	run(f, 2 * US_PER_SEC);
}

/** The reader answers what it was asked last. */
static void answer(struct fixture *f, int err, uint8_t code)
{
	struct rfid_reader *r = twin();
	struct rfid_access_result result = {
		.err = err, .text = "no such tag answered", .antenna = 2, .n = 1};
	rfid_access_fn fn = r->answer;

	assert_non_null(fn);
	result.ops[0] = (struct rfid_op_result){.done = true,
						.code = code,
						.words_of = code ? "the memory is locked" : "done",
						.n_words = 2,
						.words = {0x3000, 0x1234}};
	r->answer = NULL;
	fn(r->answer_user, &result);
	run(f, US_PER_MS);
}

static struct proto_operation_result result_of(struct fixture *f, uint64_t id)
{
	static struct proto_operation_results m;

	(void) operations_owed(f->ops, &m);
	for (size_t i = 0; i < m.n; i++)
		if (m.list[i].id == id)
			return m.list[i];
	return (struct proto_operation_result){.state = 0};
}

static void a_read_tells_what_was_read(void **state)
{
	struct fixture *f = *state;
	struct proto_operation_result r;

	want(f, ask(1, OPERATION_READ));
	assert_int_equal(result_of(f, 1).state, OPERATION_RUNNING);
	answer(f, 0, 0);
	r = result_of(f, 1);
	assert_int_equal(r.state, OPERATION_DONE);
	assert_int_equal(r.n_words, 2);
	assert_int_equal(r.words[1], 0x1234);
	assert_int_equal(r.antenna, 2);
}

static void a_write_is_read_back_before_it_is_done(void **state)
{
	struct fixture *f = *state;

	want(f, ask(1, OPERATION_WRITE_EPC));
	assert_int_equal(twin()->asked.ops[0].kind, RFID_OP_WRITE);
	answer(f, 0, 0);
	assert_int_equal(result_of(f, 1).state, OPERATION_RUNNING);
	assert_int_equal(twin()->asked.ops[0].kind, RFID_OP_READ);
	assert_true(epc_equal(&twin()->asked.tag, &new_epc));
	answer(f, 0, 0);
	assert_int_equal(result_of(f, 1).state, OPERATION_DONE);
	assert_int_equal(twin()->accesses, 2);
}

static void a_write_that_was_refused_says_so_and_which_epc_the_tag_has(void **state)
{
	struct fixture *f = *state;

	want(f, ask(1, OPERATION_WRITE_EPC));
	answer(f, 0, 5);
	answer(f, -ETIMEDOUT, 0); /* the new one does not answer */
	assert_true(epc_equal(&twin()->asked.tag, &old_epc));
	answer(f, 0, 0);
	assert_int_equal(result_of(f, 1).state, OPERATION_FAILED);
	assert_non_null(strstr(result_of(f, 1).text, "the memory is locked"));
}

static void a_tag_that_is_gone_after_a_write_is_unknown(void **state)
{
	struct fixture *f = *state;

	want(f, ask(1, OPERATION_WRITE_EPC));
	answer(f, 0, 0);
	answer(f, -ETIMEDOUT, 0);
	answer(f, -ETIMEDOUT, 0);
	assert_int_equal(result_of(f, 1).state, OPERATION_UNKNOWN);
}

static void hear(struct fixture *f, uint16_t antenna, uint8_t last)
{
	struct rfid_read read = {.antenna = antenna,
				 .count = 1,
				 .epc = {.bits = 96, .data = {0x30, [11] = last}},
				 .first_us = START_REAL,
				 .last_us = START_REAL};

	twin()->cb.reads(twin()->user, &read, 1);
	run(f, US_PER_MS);
}

static void with_no_tag_named_the_one_in_view_is_taken_and_two_are_refused(void **state)
{
	struct fixture *f = *state;
	struct proto_operation op = ask(1, OPERATION_READ);

	op.tag.bits = 0;
	op.antenna = 2;
	for (uint64_t n = 0; n < 3; n++) {
		op.id = n + 1;
		assert_int_equal(operations_want(f->ops, &op, 1), 0);
		run(f, US_PER_MS);
		hear(f, 1, 99); /* at another antenna */
		for (uint8_t i = 0; i < n; i++)
			hear(f, 2, i);
		run(f, OPERATIONS_LOOK_US);
		if (n != 1) {
			assert_int_equal(result_of(f, op.id).state, OPERATION_FAILED);
			continue;
		}
		assert_int_equal(twin()->asked.tag.data[11], 0);
		assert_int_equal(twin()->asked.antenna, 2);
		answer(f, 0, 0);
		assert_int_equal(result_of(f, op.id).state, OPERATION_DONE);
	}
	assert_non_null(strstr(result_of(f, 3).text, "2 tags answer"));
}

static void what_was_begun_is_looked_at_after_a_power_cut_and_not_done_again(void **state)
{
	struct fixture *f = *state;

	want(f, ask(1, OPERATION_WRITE_EPC));
	power_down(f);
	power_up(f);
	assert_int_equal(result_of(f, 1).state, OPERATION_UNKNOWN);
	run(f, 2 * US_PER_SEC);
	assert_int_equal(twin()->accesses, 1);
	assert_int_equal(twin()->asked.ops[0].kind, RFID_OP_READ);
	answer(f, 0, 0);
	assert_int_equal(result_of(f, 1).state, OPERATION_DONE);
	/* Told again by the controller, it is known. */
	want(f, ask(1, OPERATION_WRITE_EPC));
	power_down(f);
	power_up(f);
	want(f, ask(1, OPERATION_WRITE_EPC));
	assert_int_equal(twin()->accesses, 0);
	assert_int_equal(result_of(f, 1).state, OPERATION_DONE);
}

static void what_was_not_begun_is_begun_after_a_power_cut(void **state)
{
	struct fixture *f = *state;

	set_running(f, false);
	want(f, ask(1, OPERATION_WRITE_EPC));
	assert_int_equal(twin()->accesses, 0);
	power_down(f);
	power_up(f);
	run(f, 2 * US_PER_SEC);
	assert_int_equal(twin()->accesses, 1);
	assert_int_equal(twin()->asked.ops[0].kind, RFID_OP_WRITE);
}

static void a_password_does_not_outlive_the_power(void **state)
{
	struct fixture *f = *state;
	struct proto_operation op = ask(1, OPERATION_WRITE_EPC);
	static char file[1 << 20];
	ssize_t n;
	int fd;

	op.password = 0xdeadbeef;
	set_running(f, false);
	want(f, op);
	power_down(f);
	fd = open(f->path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = read(fd, file, sizeof(file));
	close(fd);
	assert_true(n > 0);
	assert_null(memmem(file, (size_t) n, "\xde\xad\xbe\xef", 4));
	power_up(f);
	run(f, 2 * US_PER_SEC);
	assert_int_equal(twin()->accesses, 0);
	assert_int_equal(result_of(f, 1).state, OPERATION_FAILED);
	assert_non_null(strstr(result_of(f, 1).text, "ask again"));
}

static void a_reader_lost_in_the_middle_is_waited_for(void **state)
{
	struct fixture *f = *state;

	want(f, ask(1, OPERATION_WRITE_EPC));
	set_running(f, false);
	twin()->refuses = -ERR_STATE;
	answer(f, -ERR_CLOSED, 0);
	assert_int_equal(result_of(f, 1).state, OPERATION_UNKNOWN);
	run(f, 60 * US_PER_SEC);
	assert_int_equal(twin()->accesses, 1);
	twin()->refuses = 0;
	set_running(f, true);
	run(f, 2 * US_PER_SEC);
	answer(f, 0, 0);
	assert_int_equal(result_of(f, 1).state, OPERATION_DONE);
}

static void a_reader_that_is_away_holds_up_nobody_and_time_ends_it(void **state)
{
	struct fixture *f = *state;
	struct proto_operation op = ask(1, OPERATION_READ);

	snprintf(op.reader, sizeof(op.reader), "unknown");
	op.until_us = START_REAL + 60 * US_PER_SEC;
	want(f, op);
	want(f, ask(2, OPERATION_READ));
	answer(f, 0, 0);
	assert_int_equal(result_of(f, 2).state, OPERATION_DONE);
	run(f, 61 * US_PER_SEC);
	assert_int_equal(result_of(f, 1).state, OPERATION_FAILED);
	assert_non_null(strstr(result_of(f, 1).text, "time was over"));
}

static void a_reader_that_never_answers_ends_a_step(void **state)
{
	struct fixture *f = *state;

	want(f, ask(1, OPERATION_READ));
	run(f, 10 * US_PER_SEC);
	assert_int_equal(result_of(f, 1).state, OPERATION_FAILED);
	answer(f, 0, 0); /* too late, and taken for nothing */
	assert_int_equal(result_of(f, 1).state, OPERATION_FAILED);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_read_tells_what_was_read),
		TEST(a_write_is_read_back_before_it_is_done),
		TEST(a_write_that_was_refused_says_so_and_which_epc_the_tag_has),
		TEST(a_tag_that_is_gone_after_a_write_is_unknown),
		TEST(with_no_tag_named_the_one_in_view_is_taken_and_two_are_refused),
		TEST(what_was_begun_is_looked_at_after_a_power_cut_and_not_done_again),
		TEST(what_was_not_begun_is_begun_after_a_power_cut),
		TEST(a_password_does_not_outlive_the_power),
		TEST(a_reader_lost_in_the_middle_is_waited_for),
		TEST(a_reader_that_is_away_holds_up_nobody_and_time_ends_it),
		TEST(a_reader_that_never_answers_ends_a_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
