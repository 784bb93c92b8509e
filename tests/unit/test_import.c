/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/import_rows.h"
#include "tests/unit/test_label_env.h"
#include <stdio.h>
#include <string.h>

static const char *const csv_type[] = {"Content-Type", "text/csv", NULL};

static unsigned int import(struct env *e, const char *query, const char *text)
{
	char uri[80];

	snprintf(uri, sizeof uri, "/api/v1/products/import%s", query);
	return env_call_as(e, PERM_ALL, "POST", uri, csv_type, text, strlen(text));
}

/* The file must have exactly this one error. */
static void one_error(const char *text, size_t len, uint64_t line, unsigned int column,
		      const char *code)
{
	struct currency eur;
	struct import_set set;

	assert_true(currency_find("EUR", &eur));
	assert_int_equal(import_parse(text, len, &eur, &set), 0);
	assert_int_equal(set.sheet.error_count, 1);
	assert_string_equal(set.sheet.errors[0].code, code);
	assert_int_equal(set.sheet.errors[0].line, line);
	assert_int_equal(set.sheet.errors[0].column, column);
	import_set_done(&set);
}
#define ONE_ERROR(text, line, column, code) one_error(text, sizeof(text) - 1, line, column, code)

static void bad_rows_are_named_by_line_and_column(void **state)
{
	(void) state;
	ONE_ERROR("gtin,name\n4006381333932,x\n", 2, 1, "bad-check-digit");
	ONE_ERROR("gtin,name\n4006381333931,x\n4006381333931,y\n", 3, 1, "duplicate-gtin");
	ONE_ERROR("gtin,name\n4006381333931,x\n04006381333931,y\n", 3, 1, "duplicate-gtin");
	ONE_ERROR("name,price,gtin\nx,-1.00,4006381333931\n", 2, 2, "negative-price");
	ONE_ERROR("gtin,name\n4006381333931,\xff\n", 2, 2, "bad-utf8");
	ONE_ERROR("gtin,name\n4006381333931,\xc0\xaf\n", 2, 2, "bad-utf8");
	ONE_ERROR("gtin,name\n4006381333931, \n", 2, 2, "missing-name");
	ONE_ERROR("gtin,name\n4006381333931\n", 2, 0, "bad-column-count");
	ONE_ERROR("gtin,name\n4.00638E+12,x\n", 2, 1, "bad-gtin");
	ONE_ERROR("gtin,name\n,x\n", 2, 1, "bad-gtin");
	ONE_ERROR("gtin;name;price\n4006381333931;x;1,234\n", 2, 3, "ambiguous-number");
	ONE_ERROR("gtin;name;price\n4006381333931;x;cheap\n", 2, 3, "bad-number");
	ONE_ERROR("gtin,name,price,currency\n4006381333931,x,1,USD\n", 2, 4, "wrong-currency");
	ONE_ERROR("gtin,name,content\n4006381333931,x,1\n", 2, 3, "bad-content");
	ONE_ERROR("gtin,name,content,unit\n4006381333931,x,1,oz\n", 2, 4, "bad-unit");
	ONE_ERROR("gtin,name\n4006381333931,a\x01"
		  "b\n",
		  2, 2, "bad-character");
	ONE_ERROR("gtin,name\n4006381333931,a\0b\n", 2, 2, "bad-character");
	ONE_ERROR("gtin,name\n4006381333931,\"a\n", 2, 2, "bad-quote");
	ONE_ERROR("gtin,name\r4006381333931,a\r", 1, 2, "bad-line-end");
	ONE_ERROR("gtin,name,gtin\n", 1, 3, "duplicate-column");
	ONE_ERROR("gtin,name,pirce\n", 1, 3, "unknown-column");
	ONE_ERROR("name\nx\n", 1, 0, "missing-column");
	ONE_ERROR("", 1, 0, "missing-column");
}

static void only_the_first_thousand_errors_are_kept(void **state)
{
	struct buf b = BUF_INIT;
	struct currency eur;
	struct import_set set;

	(void) state;
	buf_put_str(&b, "gtin,name\n");
	for (int i = 0; i < 3000; i++)
		buf_put_str(&b, "1,x\n");
	assert_true(currency_find("EUR", &eur));
	assert_int_equal(import_parse(b.data, b.len, &eur, &set), 0);
	assert_int_equal(set.sheet.n_errors, CSV_SHEET_MAX_ERRORS);
	assert_int_equal(set.sheet.error_count, 3000);
	import_set_done(&set);
	buf_done(&b);
}

static void import_creates_updates_and_leaves_alone(void **state)
{
	struct env *e = *state;

	assert_int_equal(import(e, "",
				"gtin;name;price;content;unit\r\n"
				"4006381333931;Stift;1,99;6;pc\r\n"
				"5901234123457;\"Žluťoučký; \"\"kůň\"\"\";12,50;;\r\n"),
			 200);
	assert_int_equal(env_int(e, "created"), 2);
	assert_int_equal(env_int(e, "prices_changed"), 2);
	assert_int_equal(env_call(e, "GET", "/api/v1/products/by-gtin/4006381333931", NULL), 200);
	assert_int_equal(env_int(e, "price_minor"), 199);
	assert_int_equal(env_int(e, "unit_price.minor"), 33);
	assert_int_equal(import(e, "", "name,gtin\nStift,4006381333931\nKůň,5901234123457\n"), 200);
	assert_int_equal(env_int(e, "unchanged"), 1);
	assert_int_equal(env_int(e, "updated"), 1);
	assert_int_equal(env_int(e, "prices_changed"), 0);
	assert_int_equal(env_call(e, "GET", "/api/v1/products/by-gtin/4006381333931", NULL), 200);
	assert_string_equal(env_text(e, "content"), "6");
	assert_int_equal(
		env_number(e, "SELECT count(*) FROM audit WHERE action = 'products.import'"), 2);
}

static void one_bad_row_changes_nothing(void **state)
{
	struct env *e = *state;

	assert_int_equal(import(e, "", "gtin,name\n4006381333931,a\n4006381333932,b\n"), 422);
	assert_string_equal(env_text(e, "code"), "bad-rows");
	assert_int_equal(env_int(e, "error_count"), 1);
	assert_int_equal(env_int(e, "errors.0.line"), 3);
	assert_int_equal(env_int(e, "errors.0.column"), 1);
	assert_int_equal(env_number(e, "SELECT count(*) FROM products"), 0);
}

static void dry_run_counts_and_changes_nothing(void **state)
{
	struct env *e = *state;

	assert_int_equal(import(e, "?dry_run=1", "gtin,name,price\n4006381333931,a,1\n"), 200);
	assert_int_equal(env_int(e, "created"), 1);
	assert_int_equal(env_number(e, "SELECT count(*) FROM products"), 0);
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit"), 0);
	assert_int_equal(import(e, "?dry_run=1", "gtin,name\n1,a\n"), 422);
}

static void prices_in_a_file_need_the_permission(void **state)
{
	static const char text[] = "gtin,name,price\n4006381333931,a,1\n";
	struct env *e = *state;

	assert_int_equal(env_call_as(e, PERM_PRODUCTS | PERM_VIEW, "POST",
				     "/api/v1/products/import", csv_type, text, sizeof text - 1),
			 403);
	assert_int_equal(env_number(e, "SELECT count(*) FROM products"), 0);
}

static void import_draws_the_labels_it_concerns(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_desired d;
	uint64_t rev;

	env_new_label(e, &ap, 42);
	env_new_product(e, "4006381333931", "Pencil", "1.99");
	assert_int_equal(env_call(e, "PUT", "/api/v1/labels/00000000002A/link",
				  "{\"gtin\":\"4006381333931\"}"),
			 200);
	env_desired(e, 1, 0, &d);
	rev = d.rev;
	proto_desired_done(&d);
	assert_int_equal(import(e, "", "gtin,name,price\n4006381333931,Pencil,2.49\n"), 200);
	env_desired(e, 1, rev, &d);
	assert_int_equal(d.n_labels, 1);
	proto_desired_done(&d);
}

static void real_catalogue_is_taken(void **state)
{
	const char *dir = getenv("GONDOLA_DATA");
	char path[512];
	FILE *f;
	char *text;
	size_t len;
	struct env *e = *state;

	snprintf(path, sizeof path, "%s/catalogue/products-20k.csv", dir ? dir : "");
	f = fopen(path, "rb");
	if (!f) {
		assert_null(getenv("REQUIRE_DATA"));
		skip();
	}
	text = malloc(1 << 20);
	len = fread(text, 1, 1 << 20, f);
	fclose(f);
	assert_int_equal(
		env_call_as(e, PERM_ALL, "POST", "/api/v1/products/import", csv_type, text, len),
		200);
	free(text);
	assert_int_equal(env_int(e, "created"), 20000);
	assert_int_equal(env_call(e, "GET", "/api/v1/products?q=chocolat%20noir&limit=5", NULL),
			 200);
	assert_true(strlen(env_text(e, "items.4.name")) > 0);
}

#define t(f) cmocka_unit_test_setup_teardown(f, env_setup, env_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_rows_are_named_by_line_and_column),
		cmocka_unit_test(only_the_first_thousand_errors_are_kept),
		t(import_creates_updates_and_leaves_alone),
		t(one_bad_row_changes_nothing),
		t(dry_run_counts_and_changes_nothing),
		t(prices_in_a_file_need_the_permission),
		t(import_draws_the_labels_it_concerns),
		t(real_catalogue_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
