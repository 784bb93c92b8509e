/* SPDX-License-Identifier: Apache-2.0 */
/* Promotions by REST: change and cancel, what is refused, previews, progress. */
#include "tests/unit/promo_shop.h"

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
				  "{\"name\":\"Longer\",\"kind\":\"percent\",\"percent\":"
				  "\"25.0\",\"select\":{\"product_ids\":[1]},\"start\":"
				  "\"2026-11-18T14:00\",\"end\":\"2026-11-18T22:00\"}"),
			 200); /* what it repeats is no change */
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
		T(cancelling_a_running_promotion_goes_back_at_once),
		T(cancelling_before_the_start_leaves_no_trace_on_labels),
		T(running_promotion_changes_only_name_and_end),
		T(draft_does_nothing_until_it_is_scheduled),
		T(change_of_an_old_state_is_refused),
		T(bad_promotions_are_refused_by_pointer),
		T(repeated_creation_is_answered_once),
		T(lists_have_pages_and_states),
		T(preview_says_what_would_happen_and_does_nothing),
		T(picture_of_a_reduced_price_can_be_seen_before),
		T(progress_follows_the_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
