/* SPDX-License-Identifier: Apache-2.0 */
/* How long evidence is kept, in virtual time. */
#include "tests/unit/test_label_env.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/image.h"
#include "controller/keeping/retention.h"
#include "controller/shop/shop_internal.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_US  (INT64_C(86400) * US_PER_SEC)
#define HOUR_US (INT64_C(3600) * US_PER_SEC)

static struct retention *keeper;

static int setup(void **state)
{
	struct env *e;
	int r = env_setup(state);

	if (r < 0)
		return r;
	e = *state;
	e->config.keep_ledger_days = 1000;
	e->config.keep_audit_days = 0;
	e->config.keep_books_days = 1000;
	e->config.keep_links_days = 1000;
	e->config.keep_sales_days = 1000;
	e->config.keep_deliveries_days = 1000;
	e->config.keep_pictures_days = 100;
	e->config.keep_export_dir = "";
	return retention_new(&e->app, &keeper);
}

static int teardown(void **state)
{
	retention_free(keeper);
	keeper = NULL;
	return env_teardown(state);
}

/** A row a day, from so many days ago on. */
static void fill_ledger(struct env *e, int days)
{
	char text[512];

	(void) snprintf(
		text, sizeof(text),
		"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		" INSERT INTO display_ledger(addr, at, received, kind, price_minor, currency)"
		" SELECT 12, t, t, 'shown', i, 'EUR' FROM"
		" (SELECT i, %" PRId64 " + i * 86400000000 AS t FROM n)",
		days - 1, clock_real_us(e->app.clock) - days * DAY_US);
	assert_int_equal(env_sql(e, text), 0);
}

static void pass_hours(struct env *e, int hours)
{
	for (int i = 0; i < hours; i++)
		for (int k = 0; k < 6; k++)
			env_advance(e, HOUR_US / 6);
}

static int64_t oldest_days(struct env *e)
{
	return (clock_real_us(e->app.clock) -
		env_number(e, "SELECT min(received) FROM display_ledger")) /
	       DAY_US;
}

static void what_is_older_than_allowed_goes_and_the_trail_says_so(void **state)
{
	struct env *e = *state;

	fill_ledger(e, 1300);
	pass_hours(e, 24);
	assert_int_equal(oldest_days(e), 1000);
	assert_int_equal(env_number(e, "SELECT max(price_minor) FROM display_ledger"), 1299);
	assert_true(env_number(e, "SELECT count(*) FROM audit WHERE action = 'keep.drop'"
				  " AND object = 'display_ledger' AND who = 'gondolad'") > 0);
}

static void zero_days_is_for_ever(void **state)
{
	struct env *e = *state;

	e->config.keep_ledger_days = 0;
	fill_ledger(e, 1300);
	pass_hours(e, 24);
	assert_int_equal(env_number(e, "SELECT count(*) FROM display_ledger"), 1300);
}

static void a_clock_that_jumps_ahead_costs_a_month_and_not_everything(void **state)
{
	struct env *e = *state;

	fill_ledger(e, 900);
	pass_hours(e, 3);
	assert_int_equal(env_number(e, "SELECT count(*) FROM display_ledger"), 900);
	env_set_clock(e, clock_real_us(e->app.clock) + 10000 * DAY_US);
	for (int i = 0; i < 12 && env_number(e, "SELECT count(*) FROM display_ledger") == 900; i++)
		env_advance(e, HOUR_US / 6);
	assert_in_range(env_number(e, "SELECT count(*) FROM display_ledger"), 869, 871);
}

static void the_database_refuses_to_drop_what_is_kept_longer(void **state)
{
	struct env *e = *state;

	fill_ledger(e, 1300);
	assert_true(env_sql(e, "DELETE FROM display_ledger WHERE id = 1") < 0);
	pass_hours(e, 24);
	assert_true(env_sql(e, "DELETE FROM display_ledger") < 0);
	assert_true(env_sql(e, "UPDATE display_ledger SET price_minor = 1") < 0);
	assert_true(env_sql(e, "DELETE FROM audit") < 0);
	assert_true(env_sql(e, "UPDATE audit SET who = 'nobody'") < 0);
	assert_true(env_sql(e, "UPDATE kept_since SET before = 0") < 0);
	assert_int_equal(oldest_days(e), 1000);
}

/** The first line stays in `first`. */
static size_t lines_of(const char *path, char *first, size_t len)
{
	FILE *f = fopen(path, "r");
	char line[1024];
	size_t n = 0;

	while (f && fgets(n ? line : first, n ? (int) sizeof(line) : (int) len, f))
		n++;
	if (f)
		(void) fclose(f);
	return n;
}

static void what_goes_is_in_a_file_of_its_year_before(void **state)
{
	struct env *e = *state;
	char dir[128], path[192], first[512] = "";
	int64_t from_us = clock_real_us(e->app.clock) - 1030 * DAY_US;
	size_t n = 0;

	(void) snprintf(dir, sizeof(dir), "%s/kept", e->dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	e->config.keep_export_dir = dir;
	fill_ledger(e, 1030);
	pass_hours(e, 24);
	assert_int_equal(oldest_days(e), 1000);
	for (int64_t year = 1970; year < 2100; year++) {
		char when[CLOCK_RFC3339_MAX];
		size_t here;

		(void) snprintf(path, sizeof(path), "%s/display_ledger-%" PRId64 ".jsonl", dir,
				year);
		here = lines_of(path, first, sizeof(first));
		if (here && n == 0) { /* the oldest */
			assert_non_null(strstr(first, "\"label\":\"00000000000C\""));
			assert_non_null(strstr(first, "\"price_minor\":0,\"currency\":\"EUR\""));
			assert_non_null(strstr(first, clock_rfc3339(from_us, when)));
		}
		n += here;
	}
	assert_int_equal(n, 1030 - env_number(e, "SELECT count(*) FROM display_ledger"));
}

static void without_its_file_nothing_goes(void **state)
{
	struct env *e = *state;
	char dir[128];

	(void) snprintf(dir, sizeof(dir), "%s/not-there", e->dir);
	e->config.keep_export_dir = dir;
	fill_ledger(e, 1030);
	pass_hours(e, 6);
	assert_int_equal(env_number(e, "SELECT count(*) FROM display_ledger"), 1030);
	assert_int_equal(mkdir(dir, 0700), 0);
	pass_hours(e, 18);
	assert_int_equal(oldest_days(e), 1000);
}

static void the_book_figure_that_holds_stays_however_old_it_is(void **state)
{
	struct env *e = *state;
	char text[1024];
	int64_t old_us = clock_real_us(e->app.clock) - 2000 * DAY_US;

	(void) snprintf(text, sizeof(text),
			"INSERT INTO products(id, name, folded, created, changed)"
			" VALUES(1, 'Milk', 'milk', 1, 1), (2, 'Tea', 'tea', 1, 1);"
			"INSERT INTO book_stock(id, product_id, quantity, as_of, at, who, source)"
			" VALUES(1, 1, 5, 1, %1$" PRId64 ", 'anna', 'set'),"
			" (2, 2, 6, 1, %1$" PRId64 ", 'anna', 'set'),"
			" (3, 1, 7, 2, %1$" PRId64 ", 'anna', 'set');"
			"INSERT INTO book_now VALUES(1, 0, 3, 7, 2), (2, 0, 2, 6, 1)",
			old_us);
	assert_int_equal(env_sql(e, text), 0);
	pass_hours(e, 4);
	assert_int_equal(env_number(e, "SELECT count(*) FROM book_stock WHERE id = 1"), 0);
	assert_int_equal(env_number(e, "SELECT count(*) FROM book_stock"), 2);
}

static void what_proves_what_a_label_shows_stays_however_old_it_is(void **state)
{
	struct env *e = *state;
	char text[1024];
	int64_t old_us = clock_real_us(e->app.clock) - 2000 * DAY_US;

	(void) snprintf(text, sizeof(text),
			"INSERT INTO labels(addr, last_seen, created, shown_image)"
			" VALUES(1, 1, 1, x'aa'), (2, 1, 1, x'aa');"
			"UPDATE labels SET retired_at = 1 WHERE addr = 2;"
			"INSERT INTO display_ledger(id, addr, at, received, kind, image) VALUES"
			"(1, 1, 1, %1$" PRId64 ", 'shown', x'bb'),"
			"(2, 1, 1, %1$" PRId64 ", 'staged', x'aa'),"
			"(3, 1, 1, %1$" PRId64 ", 'shown', x'aa'),"
			"(4, 1, 1, %1$" PRId64 ", 'shown', x'aa')," /* on better evidence */
			"(5, 1, 1, %1$" PRId64 ", 'lost', NULL),"
			"(6, 2, 1, %1$" PRId64 ", 'shown', x'aa')",
			old_us);
	assert_int_equal(env_sql(e, text), 0);
	fill_ledger(e, 1030);
	pass_hours(e, 48);
	assert_int_equal(
		env_number(e, "SELECT group_concat(id) = '4' FROM display_ledger WHERE id < 7"), 1);
	/* It held up nothing of what came after. */
	assert_int_equal(clock_real_us(e->app.clock) / DAY_US -
				 env_number(e, "SELECT min(received) FROM display_ledger"
					       " WHERE id > 6") /
					 DAY_US,
			 1000);
	/* The label shows something else now. */
	(void) snprintf(text, sizeof(text),
			"INSERT INTO display_ledger(addr, at, received, kind, image)"
			" VALUES(1, 1, %" PRId64 ", 'shown', x'cc');"
			"UPDATE labels SET shown_image = x'cc' WHERE addr = 1",
			clock_real_us(e->app.clock));
	assert_int_equal(env_sql(e, text), 0);
	pass_hours(e, 2);
	assert_int_equal(env_number(e, "SELECT count(*) FROM display_ledger WHERE id = 4"), 0);
}

static void a_link_goes_when_it_is_no_longer_the_label_s(void **state)
{
	struct env *e = *state;
	char text[1024];

	(void) snprintf(text, sizeof(text),
			"INSERT INTO products(id, name, folded, created, changed)"
			" VALUES(1, 'Milk', 'milk', 1, 1);"
			"INSERT INTO label_links(id, at, who, addr, to_product, cause, undo_of)"
			" VALUES(1, %1$" PRId64 ", 'anna', 1, 1, 'link', NULL),"
			"(2, %1$" PRId64 ", 'anna', 2, 1, 'link', NULL),"
			"(3, %1$" PRId64 ", 'anna', 1, NULL, 'undo', 1),"
			"(4, %2$" PRId64 ", 'anna', 1, 1, 'link', NULL)",
			clock_real_us(e->app.clock) - 2000 * DAY_US,
			clock_real_us(e->app.clock) - 10 * DAY_US);
	assert_int_equal(env_sql(e, text), 0);
	assert_true(env_sql(e, "DELETE FROM label_links WHERE id = 1") < 0);
	pass_hours(e, 48);
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_links"), 2);
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_links WHERE id IN (2, 4)"), 2);
}

/** Milk was counted long ago and Tea yesterday; of each was sold and delivered between. */
static void fill_books(struct env *e)
{
	char text[2048];
	int64_t now_us = clock_real_us(e->app.clock);

	(void) snprintf(
		text, sizeof(text),
		"INSERT INTO products(id, name, folded, created, changed)"
		" VALUES(1, 'Milk', 'milk', 1, 1), (2, 'Tea', 'tea', 1, 1);"
		"INSERT INTO product_aliases(kind, value, scanned, product_id)"
		" VALUES('gtin', '00000000000017', '', 1), ('gtin', '00000000000024', '', 2);"
		"INSERT INTO book_stock(id, product_id, quantity, as_of, at, who, source)"
		" VALUES(1, 1, 5, 1, 1, 'anna', 'set'), (2, 2, 5, %2$" PRId64 ", %2$" PRId64
		", 'anna', 'set');"
		"INSERT INTO book_now VALUES(1, 0, 1, 5, 1), (2, 0, 2, 5, %2$" PRId64 ");"
		"INSERT INTO sales(id, till, number, at, received, who, digest)"
		" VALUES(1, '1', 'a', %1$" PRId64 ", %1$" PRId64 ", 'till', x'00'),"
		"(2, '1', 'b', %1$" PRId64 ", %1$" PRId64 ", 'till', x'00'),"
		"(3, '1', 'c', %2$" PRId64 ", %2$" PRId64 ", 'till', x'00');"
		"INSERT INTO sale_lines(sale_id, gtin, epc, quantity, at)"
		" VALUES(1, 17, NULL, 1, %1$" PRId64 "), (1, 24, NULL, 1, %1$" PRId64 "),"
		"(2, 24, x'30', 2, %1$" PRId64 "), (3, 24, NULL, 1, %2$" PRId64 ");"
		"INSERT INTO deliveries(id, reference, state, created, created_by, closed, "
		"closed_by)"
		" VALUES(1, 'open', 'announced', %1$" PRId64 ", 'anna', NULL, NULL),"
		"(2, 'milk', 'received', %1$" PRId64 ", 'anna', %1$" PRId64 ", 'anna'),"
		"(3, 'tea', 'received', %1$" PRId64 ", 'anna', %1$" PRId64 ", 'anna'),"
		"(4, 'late', 'received', %1$" PRId64 ", 'anna', %2$" PRId64 ", 'anna');"
		"INSERT INTO delivery_lines(id, delivery_id, gtin, quantity)"
		" VALUES(1, 1, 24, 1), (2, 2, 17, 1), (3, 3, 24, 1), (4, 4, 24, 1);"
		"INSERT INTO delivery_epcs VALUES(3, x'30', 8);"
		"INSERT INTO delivery_receipts(delivery_id, gtin, quantity, at, who)"
		" VALUES(2, 17, 1, %1$" PRId64 ", 'anna'), (3, 24, 1, %1$" PRId64 ", 'anna'),"
		"(4, 24, 1, %2$" PRId64 ", 'anna')",
		now_us - 1500 * DAY_US, now_us - DAY_US);
	assert_int_equal(env_sql(e, text), 0);
}

static void sales_and_deliveries_stay_while_a_figure_counts_them(void **state)
{
	struct env *e = *state;
	char dir[128], path[192], line[1024] = "";

	(void) snprintf(dir, sizeof(dir), "%s/kept", e->dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	e->config.keep_export_dir = dir;
	fill_books(e);
	assert_true(env_sql(e, "DELETE FROM sale_lines") < 0);
	assert_true(env_sql(e, "DELETE FROM deliveries") < 0);
	pass_hours(e, 48);
	assert_int_equal(
		env_number(e, "SELECT group_concat(id, '') FROM (SELECT id FROM sales ORDER BY 1)"),
		13);
	assert_int_equal(env_number(e, "SELECT count(*) FROM sale_lines"), 3);
	assert_int_equal(
		env_number(
			e,
			"SELECT group_concat(id, '') FROM (SELECT id FROM deliveries ORDER BY 1)"),
		124);
	assert_int_equal(env_number(e, "SELECT count(*) FROM delivery_lines"), 3);
	assert_int_equal(env_number(e, "SELECT count(*) FROM delivery_receipts"), 2);
	assert_int_equal(env_number(e, "SELECT count(*) FROM delivery_epcs"), 0);
	for (int year = 1970; year < 2100; year++) {
		(void) snprintf(path, sizeof(path), "%s/deliveries-%d.jsonl", dir, year);
		(void) lines_of(path, line, sizeof(line));
	}
	assert_non_null(strstr(line, "\"reference\":\"tea\""));
	assert_non_null(strstr(line, "\"lines\":[{\"gtin\":\"00000000000024\",\"quantity\":1,"
				     "\"epcs\":[\"30\"]}]"));
	/* Milk is counted anew: nothing holds them any more. */
	assert_int_equal(env_sql(e, "UPDATE book_now SET as_of = 4000000000000000"), 0);
	pass_hours(e, 3);
	assert_int_equal(
		env_number(e, "SELECT group_concat(id, '') FROM (SELECT id FROM sales ORDER BY 1)"),
		3);
	assert_int_equal(
		env_number(
			e,
			"SELECT group_concat(id, '') FROM (SELECT id FROM deliveries ORDER BY 1)"),
		14);
}

/** So many rows of one day. */
static void fill_day(struct env *e, int rows)
{
	char text[512];

	(void) snprintf(text, sizeof(text),
			"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
			"%d) INSERT INTO display_ledger(addr, at, received, kind)"
			" SELECT 12, t, t, 'seen' FROM (SELECT %" PRId64 " + i AS t FROM n)",
			rows, clock_real_us(e->app.clock) - 1100 * DAY_US);
	assert_int_equal(env_sql(e, text), 0);
}

static void the_trail_tells_what_went_before_the_file_could_not_be_written(void **state)
{
	struct env *e = *state;
	char dir[128], away[128];

	(void) snprintf(dir, sizeof(dir), "%s/kept", e->dir);
	(void) snprintf(away, sizeof(away), "%s/away", e->dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	e->config.keep_export_dir = dir;
	fill_day(e, 500);
	env_advance(e, HOUR_US / 6); /* the first look */
	assert_int_equal(env_number(e, "SELECT count(*) FROM display_ledger"), 300);
	assert_int_equal(rename(dir, away), 0);
	pass_hours(e, 1);
	assert_int_equal(env_number(e, "SELECT count(*) FROM display_ledger"), 300);
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit WHERE action = 'keep.drop'"), 1);
}

static void half_a_line_of_a_crash_spoils_no_line_after_it(void **state)
{
	struct env *e = *state;
	static const char torn[] = "{\"id\":1}\n{\"id\":2,\"la";
	char path[192], line[1024];
	size_t n = 0;
	FILE *f;

	(void) snprintf(path, sizeof(path), "%s/torn.jsonl", e->dir);
	assert_int_equal(file_append_lines(path, torn, strlen(torn), 0600), 0);
	assert_int_equal(file_append_lines(path, "{\"id\":2}\n{\"id\":3}\n", 18, 0600), 0);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char want[16];

		(void) snprintf(want, sizeof(want), "{\"id\":%zu}\n", ++n);
		assert_string_equal(line, want);
	}
	(void) fclose(f);
	assert_int_equal(n, 3);
	/* A first line that is torn, and longer than is looked at in one go. */
	memset(line, 'x', sizeof(line));
	assert_int_equal(unlink(path), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(file_append_lines(path, line, sizeof(line), 0600), 0);
	assert_int_equal(file_append_lines(path, "1\n", 2, 0600), 0);
	assert_int_equal(lines_of(path, line, sizeof(line)), 1);
	assert_string_equal(line, "1\n");
}

static void what_does_not_fit_into_the_file_leaves_nothing_there(void **state)
{
	struct env *e = *state;
	struct rlimit full = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY}, none;
	char path[192], line[16];
	int r;

	(void) snprintf(path, sizeof(path), "%s/full.jsonl", e->dir);
	assert_int_equal(file_append_lines(path, "1\n", 2, 0600), 0);
	(void) signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &none), 0);
	full.rlim_max = none.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	r = file_append_lines(path, "2\n3\n4\n5\n6\n7\n", 12, 0600);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(lines_of(path, line, sizeof(line)), 1);
}

/* --- pictures ----------------------------------------------------------------------------------
 */

static void put(struct env *e, const char *text, uint8_t *ret_hash)
{
	struct image_store_item it = {.data = (const uint8_t *) text, .len = strlen(text)};

	image_hash(it.data, it.len, it.hash);
	memcpy(ret_hash, it.hash, IMAGE_HASH_BYTES);
	assert_int_equal(image_store_put(e->app.shop->images, &it, 1, clock_real_us(e->app.clock)),
			 0);
}

static bool is_kept(struct env *e, const uint8_t *hash)
{
	struct buf b = BUF_INIT;
	int r = image_store_get(e->app.shop->images, hash, &b);

	buf_done(&b);
	assert_true(r == 0 || r == -ENOENT);
	return r == 0;
}

static void pass_days(struct env *e, int days)
{
	for (int i = 0; i < days; i++)
		env_advance(e, DAY_US + 60 * US_PER_SEC);
}

static void a_picture_goes_when_no_label_used_it_for_so_long(void **state)
{
	struct env *e = *state;
	uint8_t shown[IMAGE_HASH_BYTES], left[IMAGE_HASH_BYTES];
	char text[256] =
		"INSERT INTO labels(addr, last_seen, created, shown_image) VALUES(7, 1, 1, x'";

	put(e, "shown", shown);
	put(e, "left", left);
	hex_encode(shown, sizeof(shown), text + strlen(text));
	strcat(text, "')");
	assert_int_equal(env_sql(e, text), 0);
	pass_days(e, 60);
	assert_true(is_kept(e, left));
	/* wished for again meanwhile: the time begins anew */
	put(e, "left", left);
	pass_days(e, 60);
	assert_true(is_kept(e, left));
	pass_days(e, 60);
	assert_false(is_kept(e, left));
	assert_true(is_kept(e, shown));
	/* the label shows something else now */
	assert_int_equal(env_sql(e, "UPDATE labels SET shown_image = NULL"), 0);
	pass_days(e, 60);
	assert_true(is_kept(e, shown));
	pass_days(e, 60);
	assert_false(is_kept(e, shown));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_older_than_allowed_goes_and_the_trail_says_so),
		T(zero_days_is_for_ever),
		T(a_clock_that_jumps_ahead_costs_a_month_and_not_everything),
		T(the_database_refuses_to_drop_what_is_kept_longer),
		T(what_goes_is_in_a_file_of_its_year_before),
		T(without_its_file_nothing_goes),
		T(the_book_figure_that_holds_stays_however_old_it_is),
		T(what_proves_what_a_label_shows_stays_however_old_it_is),
		T(a_link_goes_when_it_is_no_longer_the_label_s),
		T(sales_and_deliveries_stay_while_a_figure_counts_them),
		T(the_trail_tells_what_went_before_the_file_could_not_be_written),
		T(half_a_line_of_a_crash_spoils_no_line_after_it),
		T(what_does_not_fit_into_the_file_leaves_nothing_there),
		T(a_picture_goes_when_no_label_used_it_for_so_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
