/* SPDX-License-Identifier: Apache-2.0 */
/* What access points keep of their labels: who may tell it, who is handed it, and how it lies. */
#include "common/proto_escrow.h"
#include "controller/shop/label_escrow.h"
#include "tests/unit/test_label_env.h"
#include <stdio.h>
#include <string.h>

#define ADDR UINT64_C(0xC0FFEE000001)

/** One machine's word on a label. */
static void tell(struct env *e, int64_t agent, uint8_t machine, uint64_t addr, uint8_t kind,
		 const char *what)
{
	static struct proto_escrow m;
	struct buf b = BUF_INIT;
	struct proto_ack ack;

	m = (struct proto_escrow){.n = 1};
	memset(m.machine, machine, sizeof m.machine);
	label_addr_bytes(addr, m.list[0].addr);
	m.list[0].kind = kind;
	m.list[0].len = strlen(what);
	memcpy(m.list[0].data, what, strlen(what));
	assert_int_equal(proto_escrow_encode(&m, &b), 0);
	env_agent(e, agent, "POST", "/agent/v1/escrow", b.data, b.len);
	buf_done(&b);
	assert_int_equal(e->status, 200);
	assert_int_equal(proto_ack_decode((const uint8_t *) e->body, e->len, &ack, NULL), 0);
	assert_int_equal(ack.acked, 1);
}

/** What an agent's machine is handed. */
static const struct proto_escrow *ask(struct env *e, int64_t agent, uint8_t machine,
				      const char *after)
{
	static struct proto_escrow m;
	char uri[160] = "/agent/v1/escrow?machine=";

	for (int i = 0; i < PROTO_JOURNAL_ID_BYTES; i++)
		snprintf(uri + strlen(uri), 3, "%02x", machine);
	snprintf(uri + strlen(uri), 40, "%s%s", after ? "&after=" : "", after ? after : "");
	env_agent(e, agent, "GET", uri, NULL, 0);
	assert_int_equal(e->status, 200);
	assert_int_equal(proto_escrow_decode(e->body, e->len, &m, NULL), 0);
	return &m;
}

static void another_machine_in_the_same_place_is_handed_what_the_first_one_told(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	const struct proto_escrow *m;

	env_new_label(e, &ap, ADDR);
	tell(e, 1, 7, ADDR, ESCROW_LABEL, "address");
	tell(e, 1, 7, ADDR, ESCROW_BOND, "old bond");
	tell(e, 1, 7, ADDR, ESCROW_BOND, "bond");
	assert_int_equal(ask(e, 1, 7, NULL)->n, 0); /* it knows that itself */
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit WHERE action ="
				       " 'labels.escrow-handed'"),
			 0);
	m = ask(e, 1, 8, NULL);
	assert_int_equal(m->n, 2);
	assert_int_equal(m->list[0].kind, ESCROW_BOND); /* it comes first */
	assert_int_equal(m->list[0].len, 4);
	assert_memory_equal(m->list[0].data, "bond", 4);
	assert_memory_equal(m->list[1].data, "address", 7);
	assert_false(m->more);
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit WHERE action ="
				       " 'labels.escrow-handed'"),
			 1);
	/* What the new one tells takes its place; what it forgets, too. */
	tell(e, 1, 8, ADDR, ESCROW_BOND, "bond");
	assert_int_equal(ask(e, 1, 8, NULL)->n, 1);
	tell(e, 1, 7, ADDR, ESCROW_BOND, ""); /* the dead one's last word changes nothing */
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_bonds"), 2);
	tell(e, 1, 8, ADDR, ESCROW_BOND, "");
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_bonds"), 1);
}

static void only_who_looks_after_a_label_may_tell_and_ask(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1}, two = {.agent_id = 2};
	struct proto_label_report lost = env_report(ADDR, LABEL_LOST, ENV_START_US),
				  seen = env_report(ADDR, LABEL_SEEN, ENV_START_US);

	env_new_label(e, &ap, ADDR);
	tell(e, 1, 7, ADDR, ESCROW_BOND, "bond");
	tell(e, 2, 9, ADDR, ESCROW_BOND, "a lie"); /* acknowledged, and not believed */
	tell(e, 2, 9, ADDR + 5, ESCROW_BOND, "of nobody's label");
	assert_int_equal(ask(e, 2, 9, NULL)->n, 0);
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_bonds"), 1);
	/* It is carried to the other one. */
	assert_int_equal(env_send(e, &ap, &lost, 1), 200);
	assert_int_equal(env_send(e, &two, &seen, 1), 200);
	assert_int_equal(env_number(e, "SELECT agent_id FROM labels"), 2);
	assert_memory_equal(ask(e, 2, 9, NULL)->list[0].data, "bond", 4);
	assert_int_equal(ask(e, 1, 1, NULL)->n, 0);
	tell(e, 1, 7, ADDR, ESCROW_BOND, "too late");
	assert_memory_equal(ask(e, 2, 9, NULL)->list[0].data, "bond", 4);
}

static void many_labels_come_in_pages_of_whole_ones(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	const struct proto_escrow *m;
	char after[16];

	for (uint64_t i = 0; i < 40; i++) {
		env_new_label(e, &ap, ADDR + i);
		tell(e, 1, 7, ADDR + i, ESCROW_BOND, "bond");
		tell(e, 1, 7, ADDR + i, ESCROW_LABEL, "label");
	}
	m = ask(e, 1, 8, NULL);
	assert_int_equal(m->n, PROTO_MAX_ESCROW);
	assert_true(m->more);
	snprintf(after, sizeof after, "%012llx",
		 (unsigned long long) label_addr_number(m->list[m->n - 1].addr));
	m = ask(e, 1, 8, after);
	assert_int_equal(m->n, 80 - PROTO_MAX_ESCROW);
	assert_false(m->more);
}

static void what_does_not_open_hides_nothing_behind_it(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	const struct proto_escrow *m;

	for (uint64_t i = 0; i < 70; i++) {
		env_new_label(e, &ap, ADDR + i);
		tell(e, 1, 7, ADDR + i, ESCROW_BOND, "bond");
		tell(e, 1, 7, ADDR + i, ESCROW_LABEL, "label");
	}
	/* two whole pages and a label more were sealed under a key that is lost */
	assert_int_equal(env_sql(e, "UPDATE label_bonds SET sealed = randomblob(length(sealed))"
				    " WHERE addr <= 0xC0FFEE000001 + 64"),
			 0);
	m = ask(e, 1, 8, NULL);
	assert_int_equal(m->n, 10);
	assert_int_equal(label_addr_number(m->list[0].addr), ADDR + 65);
	assert_false(m->more);
}

static void what_a_machine_had_of_a_label_that_is_nobody_s_goes_with_its_word(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	env_new_label(e, &ap, ADDR);
	tell(e, 1, 7, ADDR, ESCROW_BOND, "bond");
	assert_int_equal(env_sql(e, "UPDATE labels SET agent_id = NULL"), 0);
	tell(e, 1, 7, ADDR, ESCROW_BOND, "another");
	tell(e, 2, 9, ADDR, ESCROW_BOND, "");
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_bonds"), 1);
	tell(e, 1, 7, ADDR, ESCROW_BOND, "");
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_bonds"), 0);
}

static void a_revoked_agent_tells_and_gets_nothing(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	static struct proto_escrow m = {.n = 1};
	struct buf b = BUF_INIT;

	env_new_label(e, &ap, ADDR);
	tell(e, 1, 7, ADDR, ESCROW_BOND, "bond");
	/* since the request was let in */
	assert_int_equal(env_sql(e, "UPDATE agents SET revoked = 1 WHERE id = 1"), 0);
	env_agent(e, 1, "GET", "/agent/v1/escrow?machine=00112233445566778899aabbccddeeff", NULL,
		  0);
	assert_int_equal(e->status, 403);
	label_addr_bytes(ADDR, m.list[0].addr);
	m.list[0].kind = ESCROW_BOND;
	assert_int_equal(proto_escrow_encode(&m, &b), 0);
	env_agent(e, 1, "POST", "/agent/v1/escrow", b.data, b.len);
	buf_done(&b);
	assert_int_equal(e->status, 403);
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_bonds"), 1);
}

static void it_lies_sealed_and_rows_cannot_change_places(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	env_new_label(e, &ap, ADDR);
	env_new_label(e, &ap, ADDR + 1);
	tell(e, 1, 7, ADDR, ESCROW_BOND, "the key of a bond");
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_bonds WHERE"
				       " instr(sealed, CAST('the key' AS BLOB))"),
			 0);
	env_restart(e);
	assert_int_equal(ask(e, 1, 8, NULL)->n, 1);
	assert_int_equal(env_sql(e, "UPDATE label_bonds SET addr = addr + 1"), 0);
	assert_int_equal(ask(e, 1, 8, NULL)->n, 0);
}

static void nonsense_is_refused(void **state)
{
	static const char *const queries[] = {"", "?machine=00",
					      "?machine=zz112233445566778899aabbccddeeff",
					      "?machine=00112233445566778899aabbccddeeff&after=1"};
	char uri[96];
	struct env *e = *state;

	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		snprintf(uri, sizeof uri, "/agent/v1/escrow%s", queries[i]);
		env_agent(e, 1, "GET", uri, NULL, 0);
		assert_int_equal(e->status, 400);
	}
	env_agent(e, 1, "POST", "/agent/v1/escrow", "\xa1\x00\x07", 3);
	assert_int_equal(e->status, 400);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, env_setup, env_teardown)
	const struct CMUnitTest tests[] = {
		TEST(another_machine_in_the_same_place_is_handed_what_the_first_one_told),
		TEST(only_who_looks_after_a_label_may_tell_and_ask),
		TEST(many_labels_come_in_pages_of_whole_ones),
		TEST(what_does_not_open_hides_nothing_behind_it),
		TEST(what_a_machine_had_of_a_label_that_is_nobody_s_goes_with_its_word),
		TEST(a_revoked_agent_tells_and_gets_nothing),
		TEST(it_lies_sealed_and_rows_cannot_change_places),
		TEST(nonsense_is_refused),
	};

	return cmocka_run_group_tests_name("label_bonds", tests, NULL, NULL);
}
