/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of labels is told until the controller has it, and asked for before a label that is
 * not known is visited. */
#include "ap-agent/escrow.h"
#include "common/err.h"
#include "tests/unit/test_agent_fake_http.h"
#include "tests/unit/test_common.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LABEL "C0FFEE000001"
#define BOND  "bond:c0ffee000001"

struct fixture {
	char dir[64], path[96];
	struct loop *loop;
	struct store *store;
	struct http_client *http;
	struct escrow *escrow;
	unsigned int taken, released;
	char last_taken[STORE_NAME_MAX];
	int take_says;
	struct proto_escrow m; /**< the last message that was sent */
};

static const uint8_t addr_1[LABEL_ADDR_BYTES] = {0xc0, 0xff, 0xee, 0, 0, 1};

static int on_take(void *user, const char *key, const void *data, size_t len)
{
	struct fixture *f = user;

	assert_non_null(data);
	assert_true(len > 0);
	f->taken++;
	snprintf(f->last_taken, sizeof(f->last_taken), "%s", key);
	return f->take_says;
}

static void on_let_go(void *user, const struct proto_desired_label *wish)
{
	struct fixture *f = user;

	f->released++;
	assert_false(escrow_hold(f->escrow, wish->addr));
}

static void open_files(struct fixture *f)
{
	static const struct escrow_callbacks cb = {.take = on_take, .let_go = on_let_go};
	const struct store_config store = {.max_mib = 0};
	struct escrow_config cfg;

	assert_int_equal(store_open(f->path, &store, &f->store), 0);
	cfg = (struct escrow_config){.http = f->http, .store = f->store};
	assert_int_equal(escrow_new(f->loop, &cfg, &cb, f, &f->escrow), 0);
	escrow_online(f->escrow, true);
}

static void close_files(struct fixture *f)
{
	escrow_free(f->escrow);
	store_close(f->store);
}

static int setup(void **state)
{
	static const struct http_client_config http = {.base_url = "https://controller"};
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/escrow-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/agent.db", f->dir);
	assert_int_equal(loop_new_virtual(1000000, 1700000000000000, &f->loop), 0);
	assert_int_equal(http_client_new(f->loop, &http, &f->http), 0);
	open_files(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const more[] = {"", "-wal", ".key"};
	struct fixture *f = *state;
	char path[128];

	close_files(f);
	http_client_free(f->http);
	loop_free(f->loop);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		snprintf(path, sizeof(path), "%s%s", f->path, more[i]);
		unlink(path);
	}
	rmdir(f->dir);
	free(f);
	return 0;
}

static void run(struct fixture *f, int64_t us)
{
	loop_run_until(f->loop, clock_mono_us(loop_clock(f->loop)) + us);
}

static void keep(struct fixture *f, const char *key, const char *what)
{
	assert_int_equal(store_blob_set(f->store, key, what, strlen(what)), 0);
}

/** Labels that would have to be paired anew. */
static uint32_t to_pair(struct fixture *f)
{
	uint32_t n;

	assert_int_equal(store_escrow_bonds_owed(f->store, &n), 0);
	return n;
}

/** The message that is on its way; NULL if there is none. */
static struct http_call *sent(struct fixture *f)
{
	struct http_call *call;

	escrow_tick(f->escrow);
	call = fake_http_find(f->http, "/agent/v1/escrow");
	if (call)
		assert_int_equal(proto_escrow_decode(call->body.data, call->body.len, &f->m, NULL),
				 0);
	return call;
}

static void acknowledge(struct http_call *call, uint64_t n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct proto_ack ack = {.acked = n};

	assert_int_equal(proto_ack_encode(&ack, &b), 0);
	fake_http_reply(call, 200, b.data, b.len);
}

static void what_changes_is_owed_until_it_is_acknowledged(void **state)
{
	struct fixture *f = *state;
	struct http_call *call;

	assert_null(sent(f));
	keep(f, LABEL, "address and key");
	keep(f, BOND, "bond");
	keep(f, "train", "is nobody else's affair");
	keep(f, "bond:self", "neither");
	assert_int_equal(store_escrow_owed(f->store), 2);
	assert_int_equal(to_pair(f), 1);
	call = sent(f);
	assert_non_null(call);
	assert_string_equal(call->method, "POST");
	assert_int_equal(f->m.n, 2);
	assert_int_equal(f->m.list[0].kind, ESCROW_BOND);
	assert_memory_equal(f->m.list[0].addr, addr_1, sizeof(addr_1));
	assert_memory_equal(f->m.list[0].data, "bond", 4);
	assert_int_equal(f->m.list[1].kind, ESCROW_LABEL);
	/* The label changes while the message is on its way. */
	keep(f, LABEL, "another key");
	acknowledge(call, 2);
	assert_int_equal(store_escrow_owed(f->store), 1);
	assert_int_equal(to_pair(f), 0);
	call = sent(f);
	assert_int_equal(f->m.n, 1);
	assert_memory_equal(f->m.list[0].data, "another key", 11);
	acknowledge(call, 1);
	assert_int_equal(store_escrow_owed(f->store), 0);
	assert_null(sent(f));
}

static void what_is_owed_outlives_a_restart_and_a_refusal(void **state)
{
	struct fixture *f = *state;
	struct http_call *call;

	keep(f, BOND, "bond");
	call = sent(f);
	fake_http_fail(call, -ERR_CLOSED);
	assert_null(sent(f)); /* not at once */
	run(f, 40 * US_PER_SEC);
	call = sent(f);
	acknowledge(call, 7); /* not what was sent */
	assert_int_equal(store_escrow_owed(f->store), 1);
	close_files(f);
	open_files(f);
	assert_int_equal(store_escrow_owed(f->store), 1);
	acknowledge(sent(f), 1);
	close_files(f);
	open_files(f);
	assert_null(sent(f));
	/* What is forgotten is owed as well. */
	assert_int_equal(store_blob_set(f->store, BOND, NULL, 0), 0);
	assert_int_equal(store_escrow_owed(f->store), 1);
	assert_int_equal(to_pair(f), 0); /* but nobody is left to pair */
	call = sent(f);
	assert_int_equal(f->m.list[0].len, 0);
	acknowledge(call, 1);
}

static void a_controller_without_escrow_is_asked_again_after_a_while(void **state)
{
	struct fixture *f = *state;

	keep(f, BOND, "bond");
	fake_http_reply(sent(f), 404, NULL, 0);
	run(f, 120 * US_PER_SEC);
	assert_null(sent(f));
	run(f, 600 * US_PER_SEC);
	assert_non_null(sent(f));
}

static void another_database_is_told_everything(void **state)
{
	struct fixture *f = *state;

	keep(f, BOND, "bond");
	keep(f, LABEL, "label");
	acknowledge(sent(f), 2);
	escrow_again(f->escrow);
	assert_int_equal(store_escrow_owed(f->store), 2);
	assert_non_null(sent(f));
	assert_int_equal(f->m.n, 2);
}

static void blobs_of_before_there_was_escrow_are_owed(void **state)
{
	struct fixture *f = *state;

	keep(f, BOND, "bond");
	keep(f, LABEL, "label");
	keep(f, "train", "train");
	assert_int_equal(sql_exec(store_sql(f->store), "DROP TABLE owed; PRAGMA user_version = 3;"),
			 0);
	close_files(f);
	open_files(f);
	assert_int_equal(store_escrow_owed(f->store), 2);
}

/* --- asking ----------------------------------------------------------------------------------- */

static void wish_for(struct fixture *f)
{
	struct proto_desired_label label = {.rev = 1};
	const struct proto_desired d = {.epoch = 1, .rev = 1, .n_labels = 1, .labels = &label};

	memcpy(label.addr, addr_1, sizeof(addr_1));
	assert_int_equal(store_desired_put(f->store, &d, NULL, NULL), 0);
}

static struct http_call *asked(struct fixture *f)
{
	run(f, US_PER_MS);
	return fake_http_find(f->http, "/agent/v1/escrow?machine=");
}

static void answer(struct http_call *call, const struct proto_escrow *m)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	assert_int_equal(proto_escrow_encode(m, &b), 0);
	fake_http_reply(call, 200, b.data, b.len);
}

static struct proto_escrow_entry entry(uint8_t last, uint8_t kind)
{
	struct proto_escrow_entry e = {.kind = kind, .len = 3, .data = "abc"};

	memcpy(e.addr, addr_1, sizeof(addr_1));
	e.addr[5] = last;
	return e;
}

static void an_unknown_label_waits_for_what_another_machine_told(void **state)
{
	struct fixture *f = *state;
	static struct proto_escrow m;
	struct http_call *call;

	wish_for(f);
	assert_true(escrow_hold(f->escrow, addr_1));
	call = asked(f);
	assert_non_null(call);
	assert_string_equal(call->method, "GET");
	assert_null(strstr(call->path, "after="));
	m = (struct proto_escrow){.n = 2, .more = true};
	m.list[0] = entry(1, ESCROW_BOND);
	m.list[1] = entry(1, ESCROW_LABEL);
	answer(call, &m);
	assert_int_equal(f->taken, 2);
	assert_string_equal(f->last_taken, LABEL);
	assert_int_equal(f->released, 0);
	call = asked(f);
	assert_non_null(strstr(call->path, "&after=c0ffee000001"));
	m = (struct proto_escrow){.n = 1};
	m.list[0] = entry(2, ESCROW_BOND);
	answer(call, &m);
	assert_string_equal(f->last_taken, "bond:c0ffee000002");
	assert_int_equal(f->released, 1);
	assert_null(asked(f));
}

static void a_label_that_comes_during_an_answer_is_asked_about_as_well(void **state)
{
	struct fixture *f = *state;
	static const struct proto_escrow nothing;

	wish_for(f);
	assert_true(escrow_hold(f->escrow, addr_1));
	assert_non_null(asked(f));
	assert_true(escrow_hold(f->escrow, addr_1));
	answer(asked(f), &nothing);
	assert_int_equal(f->released, 0);
	answer(asked(f), &nothing);
	assert_true(f->released > 0);
}

static void nobody_waits_for_ever(void **state)
{
	struct fixture *f = *state;

	wish_for(f);
	assert_true(escrow_hold(f->escrow, addr_1));
	fake_http_fail(asked(f), -ERR_CLOSED);
	run(f, 50 * US_PER_SEC);
	assert_int_equal(f->released, 0);
	run(f, 20 * US_PER_SEC);
	assert_int_equal(f->released, 1);
	/* An answer that comes later is still of use. */
	assert_non_null(asked(f));
}

static void an_older_controller_has_nothing_to_say(void **state)
{
	struct fixture *f = *state;

	wish_for(f);
	assert_true(escrow_hold(f->escrow, addr_1));
	fake_http_reply(asked(f), 404, NULL, 0);
	assert_int_equal(f->released, 1);
	assert_int_equal(f->taken, 0);
	assert_null(asked(f));
}

static void what_is_of_no_use_keeps_nothing_back(void **state)
{
	struct fixture *f = *state;
	static struct proto_escrow m = {.n = 1};

	wish_for(f);
	f->take_says = -ERR_VERSION;
	m.list[0] = entry(1, ESCROW_BOND);
	assert_true(escrow_hold(f->escrow, addr_1));
	answer(asked(f), &m);
	assert_int_equal(f->released, 1);
}

/* --- the message ------------------------------------------------------------------------------ */

static void the_message_survives_the_link(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	static struct proto_escrow m = {.caps = 3, .machine = {1, 2, 3}, .more = true, .n = 2},
				   back;

	(void) state;
	m.list[0] = entry(1, ESCROW_BOND);
	m.list[1] = entry(2, ESCROW_LABEL);
	m.list[1].len = 0;
	memset(m.list[1].data, 0, sizeof(m.list[1].data));
	assert_int_equal(proto_escrow_encode(&m, &b), 0);
	assert_int_equal(proto_escrow_decode(b.data, b.len, &back, NULL), 0);
	assert_memory_equal(&back, &m, sizeof(m));
	for (size_t n = 0; n < b.len; n++)
		assert_true(proto_escrow_decode(b.data, n, &back, NULL) < 0);
}

static void an_entry_of_no_kind_or_too_long_is_refused(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	static struct proto_escrow m = {.n = 1}, back;

	(void) state;
	m.list[0] = entry(1, 0);
	assert_int_equal(proto_escrow_encode(&m, &b), 0);
	assert_true(proto_escrow_decode(b.data, b.len, &back, NULL) < 0);
	m.list[0] = entry(1, ESCROW_KIND_COUNT);
	buf_clear(&b);
	assert_int_equal(proto_escrow_encode(&m, &b), 0);
	assert_true(proto_escrow_decode(b.data, b.len, &back, NULL) < 0);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_changes_is_owed_until_it_is_acknowledged),
		TEST(what_is_owed_outlives_a_restart_and_a_refusal),
		TEST(a_controller_without_escrow_is_asked_again_after_a_while),
		TEST(another_database_is_told_everything),
		TEST(blobs_of_before_there_was_escrow_are_owed),
		TEST(an_unknown_label_waits_for_what_another_machine_told),
		TEST(a_label_that_comes_during_an_answer_is_asked_about_as_well),
		TEST(nobody_waits_for_ever),
		TEST(an_older_controller_has_nothing_to_say),
		TEST(what_is_of_no_use_keeps_nothing_back),
		cmocka_unit_test(the_message_survives_the_link),
		cmocka_unit_test(an_entry_of_no_kind_or_too_long_is_refused),
	};

	return cmocka_run_group_tests_name("escrow", tests, NULL, NULL);
}
