/* SPDX-License-Identifier: Apache-2.0 */
/* How long evidence is kept, in virtual time. */
#include "tests/unit/test_label_env.h"

#include "common/hex.h"
#include "common/image.h"
#include "controller/keeping/retention.h"
#include "controller/shop/shop_internal.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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
		T(a_picture_goes_when_no_label_used_it_for_so_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
