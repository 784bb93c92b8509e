/* SPDX-License-Identifier: Apache-2.0 */
/* Promotions by REST: what is refused, what is answered, and what the labels are told. */
#include "common/clock.h"
#include "common/hex.h"
#include "tests/unit/test_label_env.h"
#include <stdio.h>
#include <string.h>

#define ADDR  UINT64_C(0xC0FFEE000001)
#define LABEL "/api/v1/labels/C0FFEE000001"
#define GTIN  "4006381333931"
#define GTIN2 "5901234123457"
#define HOUR  (INT64_C(3600) * US_PER_SEC)
#define DAY   (24 * HOUR)

/* The test's shop opens on Wednesday 2026-11-18 at 11:06:40, in UTC. */
#define TERMS                                                                                      \
	"\"name\":\"Black Friday\",\"kind\":\"percent\",\"percent\":\"25\","                       \
	"\"select\":{\"product_ids\":[1]}"
#define PROMO "{" TERMS ",\"start\":\"2026-11-18T14:00\",\"end\":\"2026-11-18T20:00\"}"

static int64_t at(const char *text)
{
	int64_t us = 0;

	assert_int_equal(clock_parse_rfc3339(text, &us), 0);
	return us;
}

static void go_to(struct env *e, const char *text)
{
	env_advance(e, at(text) - clock_real_us(e->app.clock));
}

static unsigned int post(struct env *e, const char *body)
{
	return env_call(e, "POST", "/api/v1/promotions", body);
}

static void one_label(struct env *e)
{
	struct env_reports ap = {.agent_id = 1};

	env_new_product(e, GTIN, "Pencil", "2.00");
	env_new_label(e, &ap, ADDR);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
}

/* "200 150@14:00 200@20:00": what the label's timeline says from now on. */
static const char *timeline(struct env *e)
{
	static char text[512];
	size_t n = 0;
	json_t *o, *ahead, *w;
	size_t i;

	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	o = env_json(e);
	w = json_object_get(o, "wanted");
	n += (size_t) snprintf(text, sizeof text, "%d",
			       (int) json_integer_value(json_object_get(w, "price_minor")));
	ahead = json_object_get(o, "ahead");
	json_array_foreach(ahead, i, w)
	{
		const char *from = json_string_value(json_object_get(w, "from"));

		n += (size_t) snprintf(text + n, sizeof text - n, " %d@%.5s",
				       (int) json_integer_value(json_object_get(w, "price_minor")),
				       from ? from + 11 : "held");
	}
	json_decref(o);
	return text;
}

static const char *offer(struct env *e)
{
	static char text[80];

	assert_int_equal(env_call(e, "GET", "/api/v1/promotions/1/products", NULL), 200);
	snprintf(text, sizeof text, "%d was %d prior %d",
		 (int) env_int(e, "items.0.offer.price_minor"),
		 (int) env_int(e, "items.0.offer.was_minor"),
		 (int) env_int(e, "items.0.offer.prior_minor"));
	return text;
}

static const char *state_of(struct env *e, int id)
{
	char uri[64];

	snprintf(uri, sizeof uri, "/api/v1/promotions/%d", id);
	assert_int_equal(env_call(e, "GET", uri, NULL), 200);
	return env_text(e, "state");
}

static void price(struct env *e, const char *amount)
{
	char body[80];

	snprintf(body, sizeof body, "{\"product_id\":1,\"price\":\"%s\"}", amount);
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes", body), 201);
}

/* --- the edges --------------------------------------------------------------------------------
 */

static void pictures_of_both_edges_are_ahead_on_the_label(void **state)
{
	struct env *e = *state;
	struct proto_desired d;
	uint64_t rev;

	one_label(e);
	assert_int_equal(post(e, PROMO), 201);
	assert_string_equal(env_text(e, "state"), "scheduled");
	assert_string_equal(env_text(e, "next.start"), "2026-11-18T14:00:00.000Z");
	assert_int_equal(env_int(e, "labels"), 1);
	assert_string_equal(timeline(e), "200 150@14:00 200@20:00");
	env_desired(e, 1, 0, &d);
	rev = d.rev;
	assert_int_equal(d.labels[0].n, 3);
	/* back to the very picture from before: nothing to send twice */
	assert_memory_equal(d.labels[0].timeline[0].image, d.labels[0].timeline[2].image,
			    IMAGE_HASH_BYTES);
	proto_desired_done(&d);
	go_to(e, "2026-11-18T14:00:01Z");
	assert_string_equal(state_of(e, 1), "running");
	assert_string_equal(timeline(e), "150 200@20:00");
	assert_string_equal(offer(e), "150 was 200 prior 200");
	go_to(e, "2026-11-18T20:00:01Z");
	assert_string_equal(state_of(e, 1), "ended");
	assert_string_equal(timeline(e), "200");
	assert_string_equal(offer(e), "200 was -1 prior -1");
	env_desired(e, 1, rev, &d);
	assert_int_equal(d.n_labels, 0); /* the agent knew all of it */
	proto_desired_done(&d);
}

static void far_promotion_reaches_its_labels_in_the_last_week(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(
		post(e, "{" TERMS ",\"start\":\"2026-12-24T08:00\",\"end\":\"2026-12-24T18:00\"}"),
		201);
	assert_string_equal(timeline(e), "200");
	go_to(e, "2026-12-17T07:59:00Z");
	assert_string_equal(timeline(e), "200");
	go_to(e, "2026-12-17T08:00:01Z");
	assert_string_equal(timeline(e), "200 150@08:00");
	go_to(e, "2026-12-17T17:59:00Z");
	go_to(e, "2026-12-17T18:00:01Z");
	assert_string_equal(timeline(e), "200 150@08:00 200@18:00");
}

static void restart_in_the_middle_changes_nothing(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, PROMO), 201);
	env_restart(e);
	assert_string_equal(timeline(e), "200 150@14:00 200@20:00");
	go_to(e, "2026-11-18T15:00:00Z");
	env_restart(e);
	assert_string_equal(timeline(e), "150 200@20:00");
	assert_string_equal(state_of(e, 1), "running");
}

static void long_downtime_ends_in_what_holds_then(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(
		post(e, "{" TERMS ",\"start\":\"2026-12-24T08:00\",\"end\":\"2026-12-24T18:00\"}"),
		201);
	env_set_clock(e, at("2026-12-24T09:00:00Z"));
	env_restart(e);
	assert_string_equal(timeline(e), "150 200@18:00");
	env_set_clock(e, at("2027-02-01T09:00:00Z"));
	env_restart(e);
	assert_string_equal(timeline(e), "200");
}

static void clock_set_forward_and_back_heals_by_itself(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, "{" TERMS ",\"start\":\"2026-11-18T14:00\","
				 "\"end\":\"2026-11-18T20:00\",\"recurrence\":\"FREQ=DAILY\"}"),
			 201);
	assert_memory_equal(timeline(e), "200 150@14:00 200@20:00 150@14:00", 33);
	env_set_clock(e, at("2028-05-01T15:00:00Z"));
	env_advance(e, 400 * US_PER_SEC); /* it looks every few minutes */
	assert_memory_equal(timeline(e), "150 200@20:00 150@14:00", 23);
	env_set_clock(e, at("2026-11-18T13:00:00Z"));
	env_advance(e, 400 * US_PER_SEC);
	assert_memory_equal(timeline(e), "200 150@14:00 200@20:00 150@14:00", 33);
	go_to(e, "2026-11-19T14:30:00Z");
	assert_memory_equal(timeline(e), "150 200@20:00 150@14:00", 23);
	/* and what the jump wrote far ahead is right when that day comes */
	go_to(e, "2026-12-03T20:00:01Z");
	assert_memory_equal(timeline(e), "200 150@14:00", 13);
}

static void recurrence_goes_on_without_end(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, "{" TERMS ",\"start\":\"2026-11-20T08:00\","
				 "\"end\":\"2026-11-20T20:00\",\"recurrence\":"
				 "\"FREQ=WEEKLY;BYDAY=FR\"}"),
			 201);
	assert_string_equal(env_text(e, "occurrences.1.start_wall"), "2026-11-27T08:00");
	for (int week = 0; week < 40; week++) {
		env_advance(e, at("2026-11-20T08:00:01Z") + week * 7 * DAY -
				       clock_real_us(e->app.clock));
		assert_memory_equal(timeline(e), "150 200@20:00", 13);
		assert_string_equal(state_of(e, 1), "running");
		env_advance(e, 12 * HOUR);
		assert_memory_equal(timeline(e), "200 150@08:00", 13);
		assert_string_equal(state_of(e, 1), "scheduled");
	}
	assert_int_equal(env_number(e, "SELECT count(*) FROM promotion_occurrences"
				       " WHERE start_at > 1"),
			 40 + 8);
}

static void counted_recurrence_ends(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, "{" TERMS ",\"start\":\"2026-11-18T14:00\","
				 "\"end\":\"2026-11-18T20:00\",\"recurrence\":"
				 "\"FREQ=DAILY;COUNT=2\"}"),
			 201);
	assert_string_equal(timeline(e), "200 150@14:00 200@20:00 150@14:00 200@20:00");
	go_to(e, "2026-11-19T20:00:01Z");
	assert_string_equal(timeline(e), "200");
	assert_string_equal(state_of(e, 1), "ended");
}

static void shop_clock_decides_on_the_night_of_the_change(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, "{" TERMS ",\"zone\":\"Europe/Berlin\","
				 "\"start\":\"2027-03-28T02:30\",\"end\":\"2027-10-31T02:30\"}"),
			 201);
	assert_string_equal(env_text(e, "next.start"), "2027-03-28T01:00:00.000Z");
	assert_string_equal(env_text(e, "next.end"), "2027-10-31T01:30:00.000Z");
	assert_string_equal(env_text(e, "next.notes.0"),
			    "02:30 does not exist on 2027-03-28; it starts at 03:00");
	assert_string_equal(env_text(e, "next.notes.1"),
			    "02:30 comes twice on 2027-10-31; it ends at the second one");
	assert_string_equal(env_text(e, "warnings.0.code"), "clock-change");
	go_to(e, "2027-03-28T00:59:59Z");
	assert_string_equal(timeline(e), "200 150@01:00");
	go_to(e, "2027-03-28T01:00:00Z");
	assert_string_equal(timeline(e), "150");
	go_to(e, "2027-10-31T01:29:00Z");
	assert_string_equal(timeline(e), "150 200@01:30");
	go_to(e, "2027-10-31T01:30:00Z");
	assert_string_equal(timeline(e), "200");
}

/* --- what a price change does -----------------------------------------------------------------
 */

static void percentage_follows_the_regular_price(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, PROMO), 201);
	go_to(e, "2026-11-18T15:00:00Z");
	price(e, "3.00");
	assert_string_equal(timeline(e), "225 300@20:00");
	/* the window is anchored at the start: the rise during the promotion is not in it */
	assert_string_equal(offer(e), "225 was 300 prior 200");
	price(e, "1.00");
	assert_string_equal(timeline(e), "75 100@20:00");
	assert_string_equal(offer(e), "75 was 100 prior 200");
}

static void planned_price_in_the_middle_is_ahead_on_the_label(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, PROMO), 201);
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes",
				  "{\"product_id\":1,\"price_minor\":100,"
				  "\"from\":\"2026-11-18T16:00:00Z\"}"),
			 201);
	assert_string_equal(timeline(e), "200 150@14:00 75@16:00 100@20:00");
}

static void fixed_price_stays_unless_the_regular_one_is_lower(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, "{\"name\":\"N\",\"kind\":\"fixed\",\"price_minor\":150,"
				 "\"select\":{\"gtins\":[\"" GTIN "\"]},"
				 "\"start\":\"2026-11-18T14:00\",\"end\":\"2026-11-18T20:00\"}"),
			 201);
	assert_string_equal(env_text(e, "kind"), "fixed");
	assert_int_equal(env_int(e, "select.product_ids.0"), 1);
	go_to(e, "2026-11-18T15:00:00Z");
	price(e, "3.00");
	assert_string_equal(timeline(e), "150 300@20:00");
	assert_string_equal(offer(e), "150 was 300 prior 200");
	price(e, "1.50"); /* as low: no reduction */
	assert_string_equal(timeline(e), "150");
	assert_string_equal(offer(e), "150 was -1 prior -1");
	price(e, "1.20");
	assert_string_equal(timeline(e), "120");
	price(e, "1.80");
	assert_string_equal(offer(e), "150 was 180 prior 200");
}

static void lowest_of_two_promotions_shows(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, PROMO), 201);
	assert_int_equal(
		env_call(e, "POST", "/api/v1/promotions/preview",
			 "{\"kind\":\"fixed\",\"price\":\"1.00\",\"select\":{\"product_ids\":[1]},"
			 "\"start\":\"2026-11-18T16:00\",\"end\":\"2026-11-18T17:00\"}"),
		200);
	assert_string_equal(env_text(e, "conflicts.0.name"), "Black Friday");
	assert_string_equal(env_text(e, "conflicts.0.detail"),
			    "From 2026-11-18T16:00 both hold; this promotion shows, because it is"
			    " lower.");
	assert_int_equal(post(e, "{\"name\":\"Happy hour\",\"kind\":\"fixed\",\"price\":\"1.00\","
				 "\"select\":{\"product_ids\":[1]},"
				 "\"start\":\"2026-11-18T16:00\",\"end\":\"2026-11-18T17:00\"}"),
			 201);
	assert_string_equal(timeline(e), "200 150@14:00 100@16:00 150@17:00 200@20:00");
	go_to(e, "2026-11-18T16:30:00Z");
	/* anchored at the happy hour's own start, before which 1.50 was shown */
	assert_string_equal(offer(e), "100 was 200 prior 150");
	price(e, "1.20"); /* 25 % of it is 0.90, lower than the happy hour */
	assert_string_equal(offer(e), "90 was 120 prior 200");
}

static void prior_price_is_the_lowest_of_thirty_days_before_the_start(void **state)
{
	struct env *e = *state;

	one_label(e);
	price(e, "1.00");
	env_advance(e, DAY);
	price(e, "2.00");
	/* the fall to 1.00 ended 2026-11-19 11:06; thirty days later it is just out of sight */
	assert_int_equal(post(e, "{" TERMS ",\"start\":\"2026-12-19T10:00\","
				 "\"end\":\"2026-12-19T12:00\",\"recurrence\":"
				 "\"FREQ=DAILY;COUNT=2\"}"),
			 201);
	go_to(e, "2026-12-19T11:00:00Z");
	assert_string_equal(offer(e), "150 was 200 prior 100");
	go_to(e, "2026-12-19T11:30:00Z");
	assert_string_equal(offer(e), "150 was 200 prior 100"); /* not "30 days from today" */
	go_to(e, "2026-12-20T11:30:00Z");
	assert_string_equal(offer(e), "150 was 200 prior 150"); /* its own, of yesterday */
}

static void percentages_round_half_up(void **state)
{
	struct env *e = *state;

	one_label(e);
	price(e, "0.99");
	env_advance(e, US_PER_SEC);
	assert_int_equal(post(e, "{\"name\":\"N\",\"percent\":\"12.5\","
				 "\"select\":{\"product_ids\":[1]},"
				 "\"start\":\"2026-11-18T10:00\",\"end\":\"2026-11-18T20:00\"}"),
			 201);
	assert_string_equal(env_text(e, "percent"), "12.5");
	assert_string_equal(offer(e), "87 was 99 prior 99"); /* 86.625 */
	price(e, "1.00");
	assert_string_equal(offer(e), "88 was 100 prior 99"); /* 87.5 */
}

/* --- cancel and change ------------------------------------------------------------------------
 */

static void cancelling_a_running_promotion_goes_back_at_once(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, PROMO), 201);
	go_to(e, "2026-11-18T15:00:00Z");
	assert_string_equal(timeline(e), "150 200@20:00");
	assert_int_equal(
		env_call(e, "POST", "/api/v1/promotions/1/cancel", "{\"reason\":\"sold out\"}"),
		200);
	assert_string_equal(env_text(e, "state"), "cancelled");
	assert_string_equal(env_text(e, "cancelled.reason"), "sold out");
	assert_string_equal(timeline(e), "200");
	assert_int_equal(env_call(e, "POST", "/api/v1/promotions/1/cancel", "{}"), 409);
	assert_int_equal(env_call(e, "PATCH", "/api/v1/promotions/1", "{\"name\":\"x\"}"), 409);
	assert_int_equal(
		env_number(e, "SELECT count(*) FROM audit WHERE action LIKE 'promotion.%'"), 2);
}

static void cancelling_before_the_start_leaves_no_trace_on_labels(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, PROMO), 201);
	assert_int_equal(env_call(e, "POST", "/api/v1/promotions/1/cancel", "{}"), 200);
	assert_string_equal(timeline(e), "200");
	go_to(e, "2026-11-18T15:00:00Z");
	assert_string_equal(timeline(e), "200");
}

static void running_promotion_changes_only_name_and_end(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, PROMO), 201);
	go_to(e, "2026-11-18T15:00:00Z");
	assert_int_equal(env_call(e, "PATCH", "/api/v1/promotions/1", "{\"percent\":\"50\"}"), 409);
	assert_int_equal(
		env_call(e, "PATCH", "/api/v1/promotions/1", "{\"end\":\"2026-11-18T14:30\"}"),
		422);
	assert_int_equal(env_call(e, "PATCH", "/api/v1/promotions/1",
				  "{\"name\":\"Longer\",\"end\":\"2026-11-18T22:00\"}"),
			 200);
	assert_string_equal(env_text(e, "next.end"), "2026-11-18T22:00:00.000Z");
	assert_string_equal(timeline(e), "150 200@22:00");
	assert_int_equal(env_number(e, "SELECT count(*) FROM promotion_occurrences"), 1);
}

static void draft_does_nothing_until_it_is_scheduled(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, "{" TERMS ",\"state\":\"draft\",\"start\":\"2026-11-18T14:00\","
				 "\"end\":\"2026-11-18T20:00\"}"),
			 201);
	assert_string_equal(env_text(e, "state"), "draft");
	assert_string_equal(timeline(e), "200");
	assert_int_equal(env_call(e, "PATCH", "/api/v1/promotions/1",
				  "{\"percent\":\"50\",\"state\":\"scheduled\"}"),
			 200);
	assert_string_equal(env_text(e, "state"), "scheduled");
	assert_string_equal(timeline(e), "200 100@14:00 200@20:00");
	assert_int_equal(env_call(e, "PATCH", "/api/v1/promotions/1", "{\"state\":\"draft\"}"),
			 409);
	assert_int_equal(
		env_call(e, "PATCH", "/api/v1/promotions/1", "{\"start\":\"2026-11-18T15:00\"}"),
		200);
	assert_string_equal(timeline(e), "200 100@15:00 200@20:00");
}

static void change_of_an_old_state_is_refused(void **state)
{
	static const char *const tag[] = {"Content-Type", "application/json", "If-Match", "\"1\"",
					  NULL};
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, PROMO), 201);
	assert_string_equal(env_text(e, "etag"), "1");
	assert_int_equal(env_call_as(e, PERM_ALL, "PATCH", "/api/v1/promotions/1", tag,
				     "{\"name\":\"A\"}", 12),
			 200);
	assert_int_equal(env_call_as(e, PERM_ALL, "PATCH", "/api/v1/promotions/1", tag,
				     "{\"name\":\"B\"}", 12),
			 412);
	assert_int_equal(env_call(e, "GET", "/api/v1/promotions/1", NULL), 200);
	assert_string_equal(env_text(e, "name"), "A");
}

/* --- products that come and go ----------------------------------------------------------------
 */

static void product_that_joins_the_brand_joins_the_promotion(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, "{\"name\":\"N\",\"percent\":\"25\",\"select\":{\"brand\":"
				 "\"Acme\"},\"start\":\"2026-11-18T14:00\","
				 "\"end\":\"2026-11-18T20:00\"}"),
			 201);
	assert_int_equal(env_int(e, "products"), 0);
	assert_string_equal(env_text(e, "warnings.0.code"), "live-selection");
	assert_string_equal(timeline(e), "200");
	assert_int_equal(env_call(e, "PATCH", "/api/v1/products/1", "{\"brand\":\"Acme\"}"), 200);
	assert_string_equal(timeline(e), "200 150@14:00 200@20:00");
	go_to(e, "2026-11-18T15:00:00Z");
	assert_int_equal(env_call(e, "PATCH", "/api/v1/products/1", "{\"brand\":\"Other\"}"), 200);
	assert_string_equal(timeline(e), "200");
	env_advance(e, HOUR);
	assert_int_equal(env_call(e, "PATCH", "/api/v1/products/1", "{\"brand\":\"Acme\"}"), 200);
	assert_string_equal(timeline(e), "150 200@20:00");
	/* what was shown at 15:30 is not rewritten: the start of its second time is 16:00 */
	assert_string_equal(offer(e), "150 was 200 prior 150");
}

static void imported_product_of_the_category_is_in(void **state)
{
	static const char *const csv[] = {"Content-Type", "text/csv", NULL};
	static const char rows[] = "gtin,name,price,category\n" GTIN2 ",Ink,4.00,Office\n";
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, "{\"name\":\"N\",\"percent\":\"25\",\"select\":{\"category\":"
				 "\"Office\"},\"start\":\"2026-11-18T10:00\","
				 "\"end\":\"2026-11-18T20:00\"}"),
			 201);
	assert_int_equal(env_call_as(e, PERM_ALL, "POST", "/api/v1/products/import", csv, rows,
				     sizeof rows - 1),
			 200);
	assert_string_equal(offer(e), "300 was 400 prior -1"); /* no price before its start */
	assert_int_equal(env_call(e, "GET", "/api/v1/promotions/1", NULL), 200);
	assert_int_equal(env_int(e, "products"), 1);
}

/* --- bad input --------------------------------------------------------------------------------
 */

static void bad_promotions_are_refused_by_pointer(void **state)
{
	static const struct {
		const char *body, *pointer, *code;
	} cases[] = {
		{"{}", "/name", "missing"},
		{"{\"name\":\"\"," TERMS "}", "", ""}, /* the same field twice */
		{"{" TERMS "}", "/start", "missing"},
		{"{" TERMS ",\"start\":\"2026-11-18T14:00\",\"end\":\"2026-11-18T14:00\"}", "/end",
		 "bad-order"},
		{"{" TERMS ",\"start\":\"2026-11-18T14:00Z\",\"end\":\"2026-11-18T15:00\"}",
		 "/start", "bad-time"},
		{"{" TERMS ",\"start\":\"2026-11-18T14:00\",\"end\":\"2038-11-18T15:00\"}", "/end",
		 "bad-time"},
		{"{" TERMS ",\"start\":\"2026-11-17T14:00\",\"end\":\"2026-11-17T15:00\"}", "/end",
		 "over"},
		{"{" TERMS ",\"zone\":\"Europe/Berlin\",\"start\":\"2027-03-28T02:10\","
		 "\"end\":\"2027-03-28T02:50\"}",
		 "/end", "no-time"},
		{"{" TERMS ",\"zone\":\"Mars/Base\",\"start\":\"2027-03-28T02:10\","
		 "\"end\":\"2027-03-28T02:50\"}",
		 "/zone", "bad-zone"},
		{"{" TERMS ",\"start\":\"2026-11-18T14:00\",\"end\":\"2026-11-18T15:00\","
		 "\"recurrence\":\"FREQ=HOURLY\"}",
		 "/recurrence", "too-often"},
		{"{" TERMS ",\"start\":\"2026-11-18T14:00\",\"end\":\"2026-11-19T15:00\","
		 "\"recurrence\":\"FREQ=DAILY\"}",
		 "/recurrence", "overlaps-itself"},
		{"{" TERMS ",\"start\":\"2026-11-18T14:00\",\"end\":\"2026-11-18T15:00\","
		 "\"recurrence\":\"FREQ=WEEKLY;BYDAY=MO\"}",
		 "/recurrence", "start-not-in-recurrence"},
		{"{" TERMS ",\"start\":\"2026-11-18T14:00\",\"end\":\"2026-11-18T15:00\","
		 "\"recurrence\":\"every day\"}",
		 "/recurrence", "bad-recurrence"},
		{"{" TERMS ",\"price_minor\":5}", "/price_minor", "bad-terms"},
		{"{" TERMS ",\"currency\":\"USD\"}", "/currency", "wrong-currency"},
		{"{" TERMS ",\"rev\":1}", "/rev", "unknown-field"},
		{"{\"name\":\"x\",\"percent\":\"0\"}", "/percent", "bad-percent"},
		{"{\"name\":\"x\",\"percent\":\"100\"}", "/percent", "bad-percent"},
		{"{\"name\":\"x\",\"percent\":\"12.3456\"}", "/percent", "bad-percent"},
		{"{\"name\":\"x\",\"percent\":12}", "/percent", "bad-percent"},
		{"{\"name\":\"x\",\"price_minor\":-1}", "/price_minor", "bad-number"},
		{"{\"name\":\"x\",\"price\":\"1,234\"}", "/price", "bad-number"},
		{"{\"name\":\"x\",\"percent\":\"5\",\"select\":{}}", "/select", "bad-select"},
		{"{\"name\":\"x\",\"percent\":\"5\",\"select\":{\"brand\":\"a\",\"category\":"
		 "\"b\"}}",
		 "/select", "bad-select"},
		{"{\"name\":\"x\",\"percent\":\"5\",\"select\":{\"product_ids\":[1,99]}}",
		 "/select/product_ids/1", "no-such-product"},
		{"{\"name\":\"x\",\"percent\":\"5\",\"select\":{\"gtins\":[\"12\"]}}",
		 "/select/gtins/0", "no-such-product"},
		{"{\"name\":\"x\",\"percent\":\"5\",\"select\":{\"product_ids\":[]}}",
		 "/select/product_ids", "bad-select"},
		{"{\"name\":\"x\",\"percent\":\"5\",\"select\":{\"brand\":\"\"}}", "/select/brand",
		 "bad-select"},
	};
	struct env *e = *state;

	one_label(e);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int status = post(e, cases[i].body);

		if (!cases[i].pointer[0]) {
			assert_int_equal(status, 400);
			continue;
		}
		if (status != 422 || strcmp(env_text(e, "errors.0.pointer"), cases[i].pointer) ||
		    strcmp(env_text(e, "errors.0.code"), cases[i].code))
			fail_msg("%s: %u %s", cases[i].body, status, e->body);
	}
	assert_int_equal(env_number(e, "SELECT count(*) FROM promotions"), 0);
	assert_int_equal(env_call_as(e, PERM_VIEW, "POST", "/api/v1/promotions", NULL, PROMO,
				     sizeof PROMO - 1),
			 403);
	assert_int_equal(env_call(e, "GET", "/api/v1/promotions/7", NULL), 404);
	assert_int_equal(env_call(e, "GET", "/api/v1/promotions?state=odd", NULL), 400);
}

static void repeated_creation_is_answered_once(void **state)
{
	static const char *const key[] = {"Content-Type", "application/json", "Idempotency-Key",
					  "k1", NULL};
	struct env *e = *state;

	one_label(e);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(env_call_as(e, PERM_ALL, "POST", "/api/v1/promotions", key, PROMO,
					     sizeof PROMO - 1),
				 201);
		assert_int_equal(env_int(e, "id"), 1);
	}
	assert_int_equal(env_number(e, "SELECT count(*) FROM promotions"), 1);
}

static void lists_have_pages_and_states(void **state)
{
	struct env *e = *state;

	one_label(e);
	for (int i = 0; i < 3; i++)
		assert_int_equal(post(e, PROMO), 201);
	assert_int_equal(env_call(e, "POST", "/api/v1/promotions/2/cancel", "{}"), 200);
	assert_int_equal(env_call(e, "GET", "/api/v1/promotions?limit=2", NULL), 200);
	assert_int_equal(env_int(e, "items.0.id"), 3);
	assert_string_equal(env_text(e, "next"), "2");
	assert_int_equal(env_call(e, "GET", "/api/v1/promotions?limit=2&after=2", NULL), 200);
	assert_int_equal(env_int(e, "items.0.id"), 1);
	assert_string_equal(env_text(e, "next"), "");
	assert_int_equal(env_call(e, "GET", "/api/v1/promotions?state=cancelled", NULL), 200);
	assert_int_equal(env_int(e, "items.0.id"), 2);
	assert_int_equal(env_int(e, "items.1.id"), -1);
}

static void preview_says_what_would_happen_and_does_nothing(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(env_call(e, "POST", "/api/v1/promotions/preview", PROMO), 200);
	assert_int_equal(env_int(e, "products"), 1);
	assert_int_equal(env_int(e, "labels"), 1);
	assert_int_equal(env_int(e, "sample.0.regular_minor"), 200);
	assert_int_equal(env_int(e, "sample.0.promo_minor"), 150);
	assert_int_equal(env_int(e, "sample.0.was_minor"), 200);
	assert_int_equal(env_int(e, "sample.0.prior_minor"), 200);
	assert_string_equal(env_text(e, "warnings.0.code"), "");
	assert_int_equal(env_number(e, "SELECT count(*) FROM promotions"), 0);
	assert_string_equal(timeline(e), "200");
	price(e, "1.40");
	price(e, "2.00");
	assert_int_equal(env_call(e, "POST", "/api/v1/promotions/preview", PROMO), 200);
	assert_string_equal(env_text(e, "warnings.0.code"), "");
	env_advance(e, US_PER_SEC);
	price(e, "1.40");
	env_advance(e, US_PER_SEC);
	price(e, "2.00");
	assert_int_equal(env_call(e, "POST", "/api/v1/promotions/preview", PROMO), 200);
	assert_int_equal(env_int(e, "sample.0.prior_minor"), 140);
	assert_string_equal(env_text(e, "warnings.0.code"), "no-real-reduction");
	assert_int_equal(env_call(e, "POST", "/api/v1/promotions/preview",
				  "{\"price_minor\":500,\"select\":{\"product_ids\":[1]},"
				  "\"start\":\"2026-11-18T10:00\",\"end\":\"2026-11-18T20:00\"}"),
			 200);
	assert_string_equal(env_text(e, "warnings.0.code"), "begins-at-once");
	assert_string_equal(env_text(e, "warnings.1.code"), "not-lower");
}

static void picture_of_a_reduced_price_can_be_seen_before(void **state)
{
	struct env *e = *state;
	char plain[64];

	one_label(e);
	assert_int_equal(env_call(e, "POST", "/api/v1/templates/preview",
				  "{\"product_id\":1,\"price_minor\":150}"),
			 200);
	memcpy(plain, e->body + 40, sizeof plain);
	assert_int_equal(env_call(e, "POST", "/api/v1/templates/preview",
				  "{\"product_id\":1,\"price_minor\":150,\"was_minor\":200,"
				  "\"prior_minor\":null,\"until\":\"2026-11-28T20:00\"}"),
			 200);
	assert_memory_not_equal(plain, e->body + 40, sizeof plain);
	assert_int_equal(env_call(e, "POST", "/api/v1/templates/preview",
				  "{\"product_id\":1,\"price_minor\":150,\"was_minor\":200,"
				  "\"until\":\"2026-11-28T20:00:00Z\"}"),
			 200);
	assert_int_equal(env_call(e, "POST", "/api/v1/templates/preview",
				  "{\"product_id\":1,\"price_minor\":150,\"until\":\"soon\"}"),
			 422);
}

/* --- progress ---------------------------------------------------------------------------------
 */

static void report(struct env *e, struct env_reports *ap, enum label_report_kind kind,
		   const uint8_t image[IMAGE_HASH_BYTES], enum evidence_grade grade)
{
	struct proto_label_report r = env_report(ADDR, kind, clock_real_us(e->app.clock));

	memcpy(r.image, image, IMAGE_HASH_BYTES);
	r.grade = (uint8_t) grade;
	assert_int_equal(env_send(e, ap, &r, 1), 200);
}

static const char *progress(struct env *e)
{
	static char text[64];
	char edge[8];

	assert_int_equal(env_call(e, "GET", "/api/v1/promotions/1/progress", NULL), 200);
	snprintf(edge, sizeof edge, "%s", env_text(e, "edge"));
	assert_int_equal(env_int(e, "total"), 1);
	assert_int_equal(env_call(e, "GET", "/api/v1/promotions/1/labels", NULL), 200);
	snprintf(text, sizeof text, "%s %s", edge, env_text(e, "items.0.state"));
	return text;
}

static void progress_follows_the_label(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_desired d;

	env_new_product(e, GTIN, "Pencil", "2.00");
	env_new_label(e, &ap, ADDR);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
	assert_int_equal(post(e, PROMO), 201);
	assert_string_equal(progress(e), "start waiting");
	env_desired(e, 1, 0, &d);
	assert_string_equal(progress(e), "start waiting");
	env_advance(e, US_PER_SEC);
	report(e, &ap, LABEL_STAGED, d.labels[0].timeline[1].image, EVIDENCE_NONE);
	assert_string_equal(progress(e), "start staged");
	assert_int_equal(strlen(env_text(e, "items.0.staged_at")), 24);
	go_to(e, "2026-11-18T14:00:05Z");
	assert_string_equal(progress(e), "start staged");
	assert_string_equal(env_text(e, "items.0.reason"),
			    "The label has not answered the command to show it yet.");
	report(e, &ap, LABEL_SHOWN, d.labels[0].timeline[1].image, EVIDENCE_ACKNOWLEDGED);
	assert_string_equal(progress(e), "start flipped");
	report(e, &ap, LABEL_SHOWN, d.labels[0].timeline[1].image, EVIDENCE_CONFIRMED);
	assert_string_equal(progress(e), "start shown");
	assert_string_equal(env_text(e, "items.0.grade"), "confirmed");
	assert_int_equal(env_call(e, "GET", "/api/v1/promotions/1/labels?state=failed", NULL), 200);
	assert_string_equal(env_text(e, "items.0.label"), "");
	go_to(e, "2026-11-18T20:00:05Z");
	report(e, &ap, LABEL_SHOWN, d.labels[0].timeline[2].image, EVIDENCE_READ_BACK);
	assert_string_equal(progress(e), "end shown");
	report(e, &ap, LABEL_LOST, d.labels[0].timeline[2].image, EVIDENCE_NONE);
	assert_string_equal(progress(e), "end shown"); /* as far as anybody knows */
	proto_desired_done(&d);
}

#define T(name) cmocka_unit_test_setup_teardown(name, env_setup, env_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(pictures_of_both_edges_are_ahead_on_the_label),
		T(far_promotion_reaches_its_labels_in_the_last_week),
		T(restart_in_the_middle_changes_nothing),
		T(long_downtime_ends_in_what_holds_then),
		T(clock_set_forward_and_back_heals_by_itself),
		T(recurrence_goes_on_without_end),
		T(counted_recurrence_ends),
		T(shop_clock_decides_on_the_night_of_the_change),
		T(percentage_follows_the_regular_price),
		T(planned_price_in_the_middle_is_ahead_on_the_label),
		T(fixed_price_stays_unless_the_regular_one_is_lower),
		T(lowest_of_two_promotions_shows),
		T(prior_price_is_the_lowest_of_thirty_days_before_the_start),
		T(percentages_round_half_up),
		T(cancelling_a_running_promotion_goes_back_at_once),
		T(cancelling_before_the_start_leaves_no_trace_on_labels),
		T(running_promotion_changes_only_name_and_end),
		T(draft_does_nothing_until_it_is_scheduled),
		T(change_of_an_old_state_is_refused),
		T(product_that_joins_the_brand_joins_the_promotion),
		T(imported_product_of_the_category_is_in),
		T(bad_promotions_are_refused_by_pointer),
		T(repeated_creation_is_answered_once),
		T(lists_have_pages_and_states),
		T(preview_says_what_would_happen_and_does_nothing),
		T(picture_of_a_reduced_price_can_be_seen_before),
		T(progress_follows_the_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
