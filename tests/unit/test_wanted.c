/* SPDX-License-Identifier: Apache-2.0 */
/* From a price to the picture that an agent is told to show, and back: wanted, sent, shown. */
#include "common/clock.h"
#include "common/hex.h"
#include "tests/unit/test_label_env.h"
#include <stdio.h>
#include <string.h>

#define ADDR  UINT64_C(0xC0FFEE000001)
#define LABEL "/api/v1/labels/C0FFEE000001"
#define GTIN  "4006381333931"

static void link_label(struct env *e, int64_t product)
{
	char body[64];

	snprintf(body, sizeof body, "{\"product_id\":%d}", (int) product);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", body), 200);
}

static void heard_label_is_adopted_and_says_that_it_is_not_linked(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_desired d;

	env_new_label(e, &ap, ADDR);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "state"), "unlinked");
	assert_string_equal(env_text(e, "agent"), "ap-one");
	assert_int_equal(strlen(env_text(e, "wanted.image")), 64);
	env_desired(e, 1, 0, &d);
	assert_true(d.full);
	assert_int_equal(d.n_labels, 1);
	assert_int_equal(d.labels[0].n, 1);
	proto_desired_done(&d);
	env_desired(e, 2, 0, &d);
	assert_int_equal(d.n_labels, 0);
	proto_desired_done(&d);
}

static void price_change_reaches_the_waiting_agent(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_desired d;
	char uri[120], path[120];
	uint64_t rev;
	int64_t product = env_new_product(e, GTIN, "Pencil", "1.99");

	env_new_label(e, &ap, ADDR);
	link_label(e, product);
	env_desired(e, 1, 0, &d);
	rev = d.rev;
	proto_desired_done(&d);
	snprintf(uri, sizeof uri, "/agent/v1/desired?epoch=%llu&after=%llu&wait=30",
		 (unsigned long long) db_epoch(e->app.db), (unsigned long long) rev);
	env_agent(e, 1, "GET", uri, NULL, 0);
	assert_false(e->answered);
	/* two answers: the price's own, then the poll's */
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes",
				  "{\"gtin\":\"" GTIN "\",\"price_minor\":249}"),
			 200);
	assert_int_equal(proto_desired_decode(e->body, e->len, &d, NULL), 0);
	assert_false(d.full);
	assert_int_equal(d.n_labels, 1);
	assert_true(d.rev > rev);
	assert_int_equal(d.labels[0].n, 1);
	strcpy(path, "/agent/v1/images/");
	hex_encode(d.labels[0].timeline[0].image, 32, path + strlen(path));
	proto_desired_done(&d);
	env_agent(e, 1, "GET", path, NULL, 0);
	assert_int_equal(e->status, 200);
	assert_memory_equal(e->body, "GLI1", 4);
}

static void same_price_again_sends_nothing(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_desired d;
	uint64_t rev;
	int64_t product = env_new_product(e, GTIN, "Pencil", "1.99");

	env_new_label(e, &ap, ADDR);
	link_label(e, product);
	env_desired(e, 1, 0, &d);
	rev = d.rev;
	proto_desired_done(&d);
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes",
				  "{\"gtin\":\"" GTIN "\",\"price_minor\":199}"),
			 201);
	env_desired(e, 1, rev, &d);
	assert_int_equal(d.n_labels, 0);
	proto_desired_done(&d);
	assert_int_equal(env_number(e, "SELECT count(*) FROM labels WHERE stale <> done"), 0);
}

static void future_price_is_a_timeline_entry_and_comes_into_force(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_desired d;
	char body[160], from[CLOCK_RFC3339_MAX];
	int64_t product = env_new_product(e, GTIN, "Pencil", "1.99"), at = 0;
	uint64_t rev;

	env_new_label(e, &ap, ADDR);
	link_label(e, product);
	at = clock_real_us(e->app.clock) + 600 * US_PER_SEC;
	snprintf(body, sizeof body, "{\"product_id\":%d,\"price\":\"0.99\",\"from\":\"%s\"}",
		 (int) product, clock_rfc3339(at, from));
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes", body), 201);
	env_desired(e, 1, 0, &d);
	rev = d.rev;
	assert_int_equal(d.labels[0].n, 2);
	assert_int_equal(d.labels[0].timeline[1].from_us, at);
	proto_desired_done(&d);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_int_equal(env_int(e, "wanted.price_minor"), 199);
	assert_int_equal(env_int(e, "ahead.0.price_minor"), 99);
	env_advance(e, 601 * US_PER_SEC);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_int_equal(env_int(e, "wanted.price_minor"), 99);
	/* the agent has the timeline already: nothing new for it */
	env_desired(e, 1, rev, &d);
	assert_int_equal(d.n_labels, 0);
	proto_desired_done(&d);
	assert_int_equal(env_number(e, "SELECT count(*) FROM wanted"), 1);
}

static void acknowledged_price_survives_a_crash_before_its_picture(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	int64_t product = env_new_product(e, GTIN, "Pencil", "1.99");
	char before[80];

	env_new_label(e, &ap, ADDR);
	link_label(e, product);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	strcpy(before, env_text(e, "wanted.image"));
	/* what a kill between the price's commit and the drawing leaves behind */
	assert_int_equal(env_sql(e, "INSERT INTO prices(product_id, price_minor, currency, from_at,"
				    " at, who) SELECT 1, 777, 'EUR', max(from_at), max(at), 'eve'"
				    " FROM prices; UPDATE labels SET stale = stale + 1"),
			 0);
	env_restart(e);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_int_equal(env_int(e, "wanted.price_minor"), 777);
	assert_string_not_equal(env_text(e, "wanted.image"), before);
}

static void wanted_sent_and_shown_are_three_facts(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_label_report r;
	struct proto_desired d;
	uint8_t image[IMAGE_HASH_BYTES];
	int64_t product = env_new_product(e, GTIN, "Pencil", "1.99"), now;

	env_new_label(e, &ap, ADDR);
	link_label(e, product);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "state"), "pending");
	env_desired(e, 1, 0, &d);
	memcpy(image, d.labels[0].timeline[0].image, sizeof image);
	now = clock_real_us(e->app.clock);
	r = env_report(ADDR, LABEL_STAGED, now);
	memcpy(r.image, image, sizeof image);
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "state"), "sending");
	assert_string_equal(env_text(e, "sent.image"), "");
	r.kind = LABEL_SENT;
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "state"), "sending");
	assert_int_equal(strlen(env_text(e, "sent.image")), 64);
	r.kind = LABEL_SHOWN;
	r.grade = EVIDENCE_ACKNOWLEDGED;
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "state"), "shown");
	assert_string_equal(env_text(e, "shown.grade"), "acknowledged");
	r.grade = EVIDENCE_CONFIRMED;
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "shown.grade"), "confirmed");
	assert_int_equal(env_number(e, "SELECT count(*) FROM display_ledger WHERE kind = 'shown'"),
			 2);
	assert_int_equal(
		env_number(e, "SELECT price_minor FROM display_ledger WHERE kind = 'shown'"), 199);
	proto_desired_done(&d);
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes",
				  "{\"product_id\":1,\"price_minor\":5}"),
			 201);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "state"), "pending");
	assert_string_equal(env_text(e, "shown.grade"), "confirmed");
}

static void error_and_loss_have_words(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_label_report r = env_report(ADDR, LABEL_ERROR, ENV_START_US);
	int64_t product = env_new_product(e, GTIN, "Pencil", "1.99");

	env_new_label(e, &ap, ADDR);
	link_label(e, product);
	r.error = ERR_PEER;
	strcpy(r.text, "The label refused the picture.");
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "state"), "error");
	assert_string_equal(env_text(e, "reason"), "The label refused the picture.");
	r.kind = LABEL_LOST;
	strcpy(r.text, "Not heard for an hour.");
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "state"), "lost");
	assert_string_equal(env_text(e, "reason"), "Not heard for an hour.");
	r.kind = LABEL_STATUS;
	r.battery_mv = 2950;
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_not_equal(env_text(e, "state"), "lost");
	assert_int_equal(env_int(e, "battery_mv"), 2950);
}

static void product_name_change_draws_anew(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	char before[80];
	int64_t product = env_new_product(e, GTIN, "Pencil", "1.99");

	env_new_label(e, &ap, ADDR);
	link_label(e, product);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	strcpy(before, env_text(e, "wanted.image"));
	assert_int_equal(env_call(e, "PATCH", "/api/v1/products/1", "{\"name\":\"Red pencil\"}"),
			 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_not_equal(env_text(e, "wanted.image"), before);
	strcpy(before, env_text(e, "wanted.image"));
	assert_int_equal(env_call(e, "PATCH", "/api/v1/products/1", "{\"category\":\"Office\"}"),
			 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "wanted.image"), before);
}

static void unlinking_takes_the_price_off(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	int64_t product = env_new_product(e, GTIN, "Pencil", "1.99");

	env_new_label(e, &ap, ADDR);
	link_label(e, product);
	assert_int_equal(env_call(e, "DELETE", LABEL "/link", NULL), 204);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "state"), "unlinked");
	assert_int_equal(env_int(e, "wanted.price_minor"), -1);
}

#define t(f) cmocka_unit_test_setup_teardown(f, env_setup, env_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(heard_label_is_adopted_and_says_that_it_is_not_linked),
		t(price_change_reaches_the_waiting_agent),
		t(same_price_again_sends_nothing),
		t(future_price_is_a_timeline_entry_and_comes_into_force),
		t(acknowledged_price_survives_a_crash_before_its_picture),
		t(wanted_sent_and_shown_are_three_facts),
		t(error_and_loss_have_words),
		t(product_name_change_draws_anew),
		t(unlinking_takes_the_price_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
