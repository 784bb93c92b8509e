/* SPDX-License-Identifier: Apache-2.0 */
/* The history of links: by hand, by list, taken back, and a broken label's product on another. */
#include "tests/unit/test_label_env.h"
#include <stdio.h>
#include <string.h>

#define ADDR   UINT64_C(0xC0FFEE000001)
#define LABEL  "/api/v1/labels/C0FFEE000001"
#define LABEL2 "/api/v1/labels/C0FFEE000002"
#define LINKS  "/api/v1/labels/links"

static const char *const csv_type[] = {"Content-Type", "text/csv", NULL};

static unsigned int import(struct env *e, const char *query, const char *text)
{
	char uri[80];

	snprintf(uri, sizeof uri, LINKS "/import%s", query);
	return env_call_as(e, PERM_ALL, "POST", uri, csv_type, text, strlen(text));
}

static unsigned int undo(struct env *e, int64_t id, const char *body)
{
	char uri[80];

	snprintf(uri, sizeof uri, LINKS "/%lld/undo", (long long) id);
	return env_call(e, "POST", uri, body);
}

/* Three labels of access point 1 and two products, 1 and 2. */
static void shop_of_three(struct env *e, struct env_reports *ap)
{
	for (uint64_t i = 0; i < 3; i++)
		env_new_label(e, ap, ADDR + i);
	env_new_product(e, "4006381333931", "Pencil", "1");
	env_new_product(e, "5901234123457", "Eraser", "2");
}

static void every_change_of_a_link_leaves_a_row(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	shop_of_three(e, &ap);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":2,\"relink\":true}"),
			 200);
	assert_int_equal(env_call(e, "DELETE", LABEL "/link", NULL), 204);
	assert_int_equal(env_call(e, "GET", LINKS, NULL), 200);
	assert_string_equal(env_text(e, "items.0.cause"), "unlink");
	assert_string_equal(env_text(e, "items.0.from.name"), "Eraser");
	assert_string_equal(env_text(e, "items.0.to"), "");
	assert_string_equal(env_text(e, "items.0.by"), "manager");
	assert_string_equal(env_text(e, "items.1.from.gtin"), "04006381333931");
	assert_string_equal(env_text(e, "items.1.to.name"), "Eraser");
	assert_string_equal(env_text(e, "items.2.label"), "C0FFEE000001");
	assert_string_equal(env_text(e, "items.3.label"), "");
	assert_int_equal(env_call(e, "GET", LINKS "?limit=2", NULL), 200);
	assert_string_equal(env_text(e, "next"), "2");
	assert_int_equal(env_call(e, "GET", LINKS "?limit=2&after=2", NULL), 200);
	assert_int_equal(env_int(e, "items.0.id"), 1);
	assert_string_equal(env_text(e, "next"), "");
	assert_int_equal(env_call(e, "GET", LINKS "?label=C0FFEE000002", NULL), 200);
	assert_string_equal(env_text(e, "items.0.label"), "");
	assert_int_equal(env_call(e, "GET", LINKS "?label=bad", NULL), 400);
	assert_int_equal(env_call(e, "GET", LINKS "?product_id=2", NULL), 200);
	assert_int_equal(env_int(e, "items.1.id"), 2);
}

static void links_cannot_be_rewritten(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	shop_of_three(e, &ap);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
	assert_true(env_sql(e, "UPDATE label_links SET to_product = 2") < 0);
	assert_true(env_sql(e, "DELETE FROM label_links") < 0);
	assert_int_equal(env_number(e, "SELECT to_product FROM label_links"), 1);
}

static void a_link_is_taken_back_by_one_more_row(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	shop_of_three(e, &ap);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":2,\"relink\":true}"),
			 200);
	assert_int_equal(undo(e, 1, NULL), 409);
	assert_string_equal(env_text(e, "code"), "superseded");
	assert_int_equal(undo(e, 2, NULL), 201);
	assert_string_equal(env_text(e, "to.name"), "Pencil");
	assert_int_equal(env_int(e, "undo_of"), 2);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "product.name"), "Pencil");
	assert_int_equal(undo(e, 2, NULL), 409);
	assert_int_equal(undo(e, 77, NULL), 404);
	assert_int_equal(env_call(e, "POST", LINKS "/x/undo", NULL), 404);
	assert_int_equal(undo(e, 3, "{\"batch\":3}"), 422);
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit"
				       " WHERE action = 'label.link-undo'"),
			 1);
	assert_int_equal(env_call(e, "GET", LINKS, NULL), 200);
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_links"), 3);
}

static void a_list_of_links_is_taken_as_a_whole(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	const char *list = "GTIN;Label\n4006381333931;c0:ff:ee:00:00:01\n"
			   "5901234123457;C0FFEE000002\n";

	shop_of_three(e, &ap);
	assert_int_equal(import(e, "?dry_run=1", list), 200);
	assert_int_equal(env_int(e, "linked"), 2);
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_links"), 0);
	assert_int_equal(import(e, "", list), 200);
	assert_int_equal(env_int(e, "rows"), 2);
	assert_int_equal(env_call(e, "GET", LABEL2, NULL), 200);
	assert_string_equal(env_text(e, "product.name"), "Eraser");
	assert_int_equal(import(e, "", list), 200);
	assert_int_equal(env_int(e, "unchanged"), 2);
	assert_int_equal(env_number(e, "SELECT count(DISTINCT batch) FROM label_links"), 1);
	assert_int_equal(undo(e, 1, "{\"batch\":true}"), 201);
	assert_int_equal(env_int(e, "labels"), 2);
	assert_int_equal(env_number(e, "SELECT count(*) FROM labels WHERE product_id > 0"), 0);
}

static void a_bad_list_links_nothing_and_says_where(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	shop_of_three(e, &ap);
	assert_int_equal(env_call(e, "PUT", LABEL2 "/link", "{\"product_id\":1}"), 200);
	assert_int_equal(import(e, "",
				"label,gtin\nC0FFEE000001,4006381333931\n"
				"C0FFEE000002,5901234123457\nC0FFEE0000,4006381333931\n"
				"C0FFEE000001,4006381333931\nC0FFEE0000FF,4006381333930\n"
				"C0FFEE000003,0000000000017\nC0FFEE000003\n"),
			 422);
	assert_int_equal(env_int(e, "error_count"), 7);
	assert_int_equal(env_int(e, "errors.0.line"), 3);
	assert_int_equal(env_int(e, "errors.0.column"), 1);
	assert_string_equal(env_text(e, "errors.0.code"), "already-linked");
	assert_string_equal(env_text(e, "errors.1.code"), "bad-label");
	assert_string_equal(env_text(e, "errors.2.code"), "duplicate-label");
	assert_string_equal(env_text(e, "errors.3.code"), "no-such-label");
	assert_string_equal(env_text(e, "errors.4.code"), "bad-check-digit");
	assert_int_equal(env_int(e, "errors.4.column"), 2);
	assert_string_equal(env_text(e, "errors.5.code"), "no-such-product");
	assert_string_equal(env_text(e, "errors.6.code"), "bad-column-count");
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_links"), 1);
	assert_int_equal(import(e, "", "label,price\n"), 422);
	assert_int_equal(import(e, "", ""), 422);
	assert_int_equal(import(e, "?relink=2", "label,gtin\n"), 400);
	assert_int_equal(env_call(e, "POST", LINKS "/import", "{}"), 415);
	assert_int_equal(import(e, "?relink=1", "label,gtin\nC0FFEE000002,5901234123457\n"), 200);
	assert_int_equal(env_int(e, "relinked"), 1);
}

static void the_first_of_two_lists_wins(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	shop_of_three(e, &ap);
	assert_int_equal(import(e, "", "label,gtin\nC0FFEE000003,4006381333931\n"), 200);
	assert_int_equal(import(e, "", "label,gtin\nC0FFEE000003,5901234123457\n"), 422);
	assert_int_equal(env_number(e, "SELECT product_id FROM labels WHERE addr ="
				       " 0xC0FFEE000003"),
			 1);
}

static void replacing_moves_the_product_and_retires_the_old(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_label_report seen = env_report(ADDR, LABEL_SEEN, ENV_START_US);
	struct proto_desired d;
	uint64_t rev;

	shop_of_three(e, &ap);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
	env_desired(e, 1, 0, &d);
	rev = d.rev;
	proto_desired_done(&d);
	assert_int_equal(env_call(e, "POST", LABEL "/replace", "{\"by\":\"C0FFEE000002\"}"), 200);
	assert_string_equal(env_text(e, "id"), "C0FFEE000002");
	assert_string_equal(env_text(e, "product.name"), "Pencil");
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "product"), "");
	assert_string_equal(env_text(e, "agent"), "");
	assert_string_equal(env_text(e, "retired.replaced_by"), "C0FFEE000002");
	env_desired(e, 1, rev, &d);
	assert_int_equal(d.n_labels, 2);
	assert_true(d.labels[0].forget != d.labels[1].forget);
	proto_desired_done(&d);
	/* it advertises, but nobody takes it in */
	assert_int_equal(env_send(e, &ap, &seen, 1), 200);
	assert_int_equal(env_number(e, "SELECT count(*) FROM labels WHERE addr = 0xC0FFEE000001"
				       " AND agent_id IS NOT NULL"),
			 0);
	/* taking either row back takes both back */
	assert_int_equal(undo(e, 2, NULL), 201);
	assert_int_equal(env_int(e, "labels"), 2);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "product.name"), "Pencil");
	assert_string_equal(env_text(e, "agent"), "ap-one");
	assert_string_equal(env_text(e, "retired"), "");
	assert_int_equal(env_call(e, "GET", LABEL2, NULL), 200);
	assert_string_equal(env_text(e, "product"), "");
}

static void replacing_is_refused_with_clear_words(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	shop_of_three(e, &ap);
	assert_int_equal(env_call(e, "POST", LABEL "/replace", "{\"by\":\"C0FFEE000002\"}"), 409);
	assert_string_equal(env_text(e, "code"), "not-linked");
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
	assert_int_equal(env_call(e, "PUT", LABEL2 "/link", "{\"product_id\":2}"), 200);
	assert_int_equal(env_call(e, "POST", LABEL "/replace", "{\"by\":\"C0FFEE000002\"}"), 409);
	assert_string_equal(env_text(e, "code"), "already-linked");
	assert_int_equal(
		env_call(e, "POST", LABEL "/replace", "{\"by\":\"C0FFEE000002\",\"force\":true}"),
		409);
	assert_int_equal(env_call(e, "POST", LABEL "/replace", "{\"by\":\"C0FFEE000001\"}"), 422);
	assert_int_equal(env_call(e, "POST", LABEL "/replace", "{\"by\":\"C0FFEE0000AA\"}"), 422);
	assert_string_equal(env_text(e, "code"), "no-such-label");
	assert_int_equal(env_call(e, "POST", LABEL "/replace", "{\"by\":7}"), 422);
	assert_int_equal(
		env_call(e, "POST", LABEL "/replace", "{\"by\":\"C0FFEE000003\",\"force\":1}"),
		422);
	assert_int_equal(env_call(e, "POST", "/api/v1/labels/C0FFEE0000AA/replace",
				  "{\"by\":\"C0FFEE000003\"}"),
			 404);
	assert_int_equal(env_sql(e, "UPDATE labels SET width = 400 WHERE addr = 0xC0FFEE000003"),
			 0);
	assert_int_equal(env_call(e, "POST", LABEL "/replace", "{\"by\":\"C0FFEE000003\"}"), 409);
	assert_string_equal(env_text(e, "code"), "other-size");
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_links"), 2);
	assert_int_equal(
		env_call(e, "POST", LABEL "/replace", "{\"by\":\"C0FFEE000003\",\"force\":true}"),
		200);
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_links"), 4);
	/* a retired label is used again only when somebody insists */
	assert_int_equal(env_sql(e, "UPDATE labels SET width = (SELECT width FROM labels"
				    " WHERE addr = 0xC0FFEE000001) WHERE addr = 0xC0FFEE000003"),
			 0);
	assert_int_equal(env_call(e, "POST", "/api/v1/labels/C0FFEE000003/replace",
				  "{\"by\":\"C0FFEE000001\"}"),
			 409);
	assert_string_equal(env_text(e, "code"), "retired");
}

static void a_label_that_has_not_told_its_size_may_take_a_place(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_label_report seen = env_report(ADDR + 1, LABEL_SEEN, ENV_START_US);

	e->config.labels_adopt_auto = false;
	env_new_label(e, &ap, ADDR);
	assert_int_equal(env_send(e, &ap, &seen, 1), 200);
	env_new_product(e, "4006381333931", "Pencil", "1");
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
	assert_int_equal(env_call(e, "POST", LABEL "/replace", "{\"by\":\"C0FFEE000002\"}"), 200);
	assert_string_equal(env_text(e, "agent"), "ap-one");
}

static void linking_gives_no_label_to_a_revoked_agent(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	shop_of_three(e, &ap);
	assert_int_equal(env_sql(e, "UPDATE agents SET revoked = 5 WHERE id = 1;"
				    "UPDATE labels SET agent_id = NULL"),
			 0);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
	assert_string_equal(env_text(e, "agent"), "");
}

static void the_same_key_replaces_once(void **state)
{
	static const char *const headers[] = {"Content-Type", "application/json", "Idempotency-Key",
					      "k1", NULL};
	static const char body[] = "{\"by\":\"C0FFEE000002\"}";
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	shop_of_three(e, &ap);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(env_call_as(e, PERM_ALL, "POST", LABEL "/replace", headers, body,
					     strlen(body)),
				 200);
		assert_string_equal(env_text(e, "id"), "C0FFEE000002");
	}
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_links"), 3);
}

static void twenty_thousand_links_are_one_write(void **state)
{
	struct env *e = *state;
	struct buf list = BUF_INIT;

	env_new_product(e, "4006381333931", "Pencil", "1");
	assert_int_equal(env_sql(e, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
				    " FROM n WHERE i < 20000) INSERT INTO labels(addr, last_seen,"
				    " created) SELECT i, 1, 1 FROM n"),
			 0);
	buf_put_str(&list, "label,gtin\n");
	for (unsigned int i = 1; i <= 20000; i++)
		buf_printf(&list, "%012X,4006381333931\n", i);
	buf_put_u8(&list, 0);
	assert_true(buf_ok(&list));
	assert_int_equal(import(e, "", (const char *) list.data), 200);
	assert_int_equal(env_int(e, "linked"), 20000);
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_links WHERE batch = 1"), 20000);
	buf_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_change_of_a_link_leaves_a_row, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(links_cannot_be_rewritten, env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(a_link_is_taken_back_by_one_more_row, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(a_list_of_links_is_taken_as_a_whole, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(a_bad_list_links_nothing_and_says_where, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(the_first_of_two_lists_wins, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(replacing_moves_the_product_and_retires_the_old,
						env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(replacing_is_refused_with_clear_words, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(a_label_that_has_not_told_its_size_may_take_a_place,
						env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(linking_gives_no_label_to_a_revoked_agent,
						env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(the_same_key_replaces_once, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(twenty_thousand_links_are_one_write, env_setup,
						env_teardown),
	};

	return cmocka_run_group_tests_name("label_links", tests, NULL, NULL);
}
