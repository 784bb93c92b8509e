/* SPDX-License-Identifier: Apache-2.0 */
/* The floor plan by its doors: drawn and stored as a whole, or refused with all that is wrong. */
#include "tests/unit/test_controller.h"

#include "common/proto.h"
#include "controller/inventory/inventory.h"

#include <stdio.h>
#include <string.h>

#define PLAN "/api/v1/plan"

static struct test_controller t;
static unsigned int status;
static json_t *json;

/* `etag` NULL = without If-Match. */
static void ask(const char *method, const char *uri, const char *etag, const char *body)
{
	const char *headers[] = {"Content-Type", "application/json", etag ? "If-Match" : NULL, etag,
				 NULL};
	struct http_injection in = {.listener = HTTP_PUBLIC,
				    .method = method,
				    .uri = uri,
				    .headers = headers,
				    .body = body,
				    .body_len = body ? strlen(body) : 0,
				    .who = &test_admin};
	struct test_reply r = test_request(&t, &in);

	status = r.status;
	json_decref(json);
	json = r.len ? json_loadb(r.body, r.len, 0, NULL) : NULL;
	test_reply_done(&r);
}

static void put(const char *etag, const char *body)
{
	ask("PUT", PLAN, etag, body);
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static const json_t *nth(const char *list, size_t i)
{
	return json_array_get(json_object_get(json, list), i);
}

static int add_readers(struct sql *s, void *arg)
{
	(void) arg;
	return sql_exec(s, "INSERT INTO agents(name, key_hash, created) VALUES('ap', x'01', 1);"
			   "INSERT INTO readers(agent_id, name, host, port, antennas, session,"
			   " power_cdbm) VALUES(1, 'dock', 'h', 5084, '1,3', 1, 0)");
}

/* Two places, and a reader with the antennas 1 and 3. */
static int setup(void **state)
{
	(void) state;
	test_controller_init(&t);
	t.config.inventory_checkpoint_s = 3600;
	t.config.inventory_max_items = 1000;
	test_controller_start_db(&t);
	test_controller_start_http(&t);
	assert_int_equal(inventory_new(&t.app, &t.app.inventory), 0);
	http_add_routes(t.app.http, inventory_routes);
	assert_int_equal(test_write(&t, add_readers, NULL), 0);
	ask("POST", "/api/v1/places", NULL, "{\"name\":\"Floor\",\"kind\":\"sales-floor\"}");
	ask("POST", "/api/v1/places", NULL, "{\"name\":\"Back\",\"kind\":\"back-room\"}");
	assert_int_equal(status, 201);
	return 0;
}

static int teardown(void **state)
{
	(void) state;
	json_decref(json);
	json = NULL;
	http_server_stop(t.app.http);
	inventory_free(t.app.inventory);
	test_controller_done(&t);
	return 0;
}

static const char good[] =
	"{\"width_m\":20,\"height_m\":12.5,\"places\":[{\"place_id\":1,\"place\":\"whatever\","
	"\"x\":0,\"y\":0,\"w\":12.5,\"h\":12.5},{\"place_id\":2,\"x\":12.5,\"y\":0,\"w\":7.5,"
	"\"h\":4}],\"antennas\":[{\"agent_id\":1,\"reader\":\"dock\",\"antenna\":3,\"x\":20,"
	"\"y\":12.5}]}";

static void a_plan_comes_back_as_it_was_drawn(void **state)
{
	(void) state;
	ask("GET", PLAN, NULL, NULL);
	assert_int_equal(status, 200);
	assert_string_equal(text(json, "etag"), "0");
	put("0", good);
	assert_int_equal(status, 200);
	ask("GET", PLAN, NULL, NULL);
	assert_string_equal(text(json, "etag"), "1");
	assert_true(json_number_value(json_object_get(json, "height_m")) == 12.5);
	assert_string_equal(text(nth("places", 0), "place"), "Floor");
	assert_string_equal(text(nth("places", 1), "kind"), "back-room");
	assert_true(json_number_value(json_object_get(nth("places", 1), "w")) == 7.5);
	assert_int_equal(json_integer_value(json_object_get(nth("antennas", 0), "antenna")), 3);
	assert_true(json_is_null(json_object_get(nth("antennas", 0), "place_id")));
	ask("PUT", "/api/v1/antennas/1/dock/3", NULL, "{\"place_id\":2}");
	assert_int_equal(status, 200);
	ask("GET", PLAN, NULL, NULL);
	assert_int_equal(json_integer_value(json_object_get(nth("antennas", 0), "place_id")), 2);
}

static void who_edits_an_older_plan_is_told(void **state)
{
	(void) state;
	put(NULL, good);
	assert_int_equal(status, 428);
	put("\"0\"", good);
	assert_int_equal(status, 200);
	put("0", good);
	assert_int_equal(status, 412);
	put("1x", good);
	assert_int_equal(status, 412);
	put("", good);
	assert_int_equal(status, 412);
	put("*", good);
	assert_int_equal(status, 200);
	assert_string_equal(text(json, "etag"), "2");
}

static void expect_wrong(const char *body, const char *pointer, const char *code)
{
	const json_t *errors, *e;
	size_t i;

	put("*", body);
	if (status != 422)
		fail_msg("%u for %s", status, body);
	errors = json_object_get(json, "errors");
	json_array_foreach(errors, i, e) if (strcmp(text(e, "pointer"), pointer) == 0 &&
					     strcmp(text(e, "code"), code) == 0) return;
	fail_msg("no %s at %s for %s", code, pointer, body);
}

#define FLOOR(places, antennas)                                                                    \
	"{\"width_m\":10,\"height_m\":10,\"places\":[" places "],\"antennas\":[" antennas "]}"
#define PLACE(id, x, y, w, h)                                                                      \
	"{\"place_id\":" id ",\"x\":" x ",\"y\":" y ",\"w\":" w ",\"h\":" h "}"
#define ANTENNA(agent, reader, n, x, y)                                                            \
	"{\"agent_id\":" agent ",\"reader\":" reader ",\"antenna\":" n ",\"x\":" x ",\"y\":" y "}"

static void every_error_is_told_by_its_pointer(void **state)
{
	(void) state;
	expect_wrong("{}", "/width_m", "bad-number");
	expect_wrong("{\"width_m\":0,\"height_m\":5}", "/width_m", "outside");
	expect_wrong("{\"width_m\":5,\"height_m\":1e30}", "/height_m", "outside");
	expect_wrong("{\"width_m\":\"5\",\"height_m\":5}", "/width_m", "bad-number");
	expect_wrong("{\"width_m\":5,\"height_m\":5}", "/places", "bad-list");
	expect_wrong("{\"width_m\":5,\"height_m\":5,\"places\":[]}", "/antennas", "bad-list");
	expect_wrong(FLOOR("7", ""), "/places/0/place_id", "no-such-place");
	expect_wrong(FLOOR(PLACE("9", "0", "0", "1", "1"), ""), "/places/0/place_id",
		     "no-such-place");
	expect_wrong(FLOOR(PLACE("4294967297", "0", "0", "1", "1"), ""), "/places/0/place_id",
		     "no-such-place");
	expect_wrong(FLOOR(PLACE("1", "0", "0", "1", "1") "," PLACE("1", "2", "2", "1", "1"), ""),
		     "/places/1/place_id", "duplicate-place");
	expect_wrong(FLOOR(PLACE("1", "-1", "0", "1", "1"), ""), "/places/0/x", "outside");
	expect_wrong(FLOOR(PLACE("1", "5", "0", "5.1", "1"), ""), "/places/0/w", "outside");
	expect_wrong(FLOOR(PLACE("1", "10", "0", "1", "1"), ""), "/places/0/x", "outside");
	expect_wrong(FLOOR(PLACE("1", "0", "0", "1", "0"), ""), "/places/0/h", "outside");
	expect_wrong(FLOOR(PLACE("1", "0", "0", "1", "null"), ""), "/places/0/h", "bad-number");
	expect_wrong(FLOOR("", ANTENNA("1", "\"dock\"", "2", "1", "1")), "/antennas/0",
		     "no-such-antenna");
	expect_wrong(FLOOR("", ANTENNA("2", "\"dock\"", "1", "1", "1")), "/antennas/0",
		     "no-such-antenna");
	expect_wrong(FLOOR("", ANTENNA("1", "5", "1", "1", "1")), "/antennas/0", "bad-antenna");
	expect_wrong(FLOOR("", ANTENNA("1", "\"dock\"", "65536", "1", "1")), "/antennas/0",
		     "bad-antenna");
	expect_wrong(FLOOR("", ANTENNA("1", "\"dock\"", "1", "1", "1") "," ANTENNA("1", "\"dock\"",
										   "1", "1", "1")),
		     "/antennas/1", "duplicate-antenna");
	expect_wrong(FLOOR("", ANTENNA("1", "\"dock\"", "1", "11", "1")), "/antennas/0/x",
		     "outside");
	put("*", "{\"width_m\":1e999}");
	assert_int_equal(status, 400);
	ask("GET", PLAN, NULL, NULL);
	assert_string_equal(text(json, "etag"), "0"); /* none of it has changed anything */
}

static void a_removed_place_leaves_the_plan(void **state)
{
	(void) state;
	put("*", good);
	ask("DELETE", "/api/v1/places/2", NULL, NULL);
	assert_int_equal(status, 204);
	ask("GET", PLAN, NULL, NULL);
	assert_int_equal(json_array_size(json_object_get(json, "places")), 1);
}

static void too_many_places_are_not_even_looked_at(void **state)
{
	struct buf body = BUF_INIT;

	(void) state;
	buf_put_str(&body, "{\"width_m\":10,\"height_m\":10,\"antennas\":[],\"places\":[0");
	for (int i = 0; i < 500; i++)
		buf_put_str(&body, ",0");
	buf_put_str(&body, "]}");
	buf_put_u8(&body, 0);
	expect_wrong((const char *) body.data, "/places", "bad-list");
	assert_int_equal(json_array_size(json_object_get(json, "errors")), 1);
	buf_done(&body);
}

static void an_antenna_its_reader_does_not_have_gets_no_place(void **state)
{
	(void) state;
	ask("PUT", "/api/v1/antennas/1/dock/2", NULL, "{\"place_id\":1}");
	assert_int_equal(status, 422);
	assert_string_equal(text(json, "code"), "no-such-antenna");
	ask("PUT", "/api/v1/antennas/1/dock/2", NULL, "{\"place_id\":null}");
	assert_int_equal(status, 200);
	ask("PUT", "/api/v1/antennas/1/dock/1", NULL, "{\"place_id\":1}");
	assert_int_equal(status, 200);
	/* a reader nobody has described may have what the protocol allows */
	ask("PUT", "/api/v1/antennas/1/gate/32", NULL, "{\"place_id\":1}");
	assert_int_equal(status, 200);
	ask("PUT", "/api/v1/antennas/1/gate/33", NULL, "{\"place_id\":1}");
	assert_int_equal(status, 422);
}

static void sight(const char *epc, uint16_t antenna)
{
	static uint64_t seq;
	struct proto_source source = {"dock", antenna};
	struct proto_sighting s = {.kind = SIGHTING_APPEAR,
				   .first_us = clock_real_us(t.app.clock),
				   .last_us = clock_real_us(t.app.clock),
				   .count = 3,
				   .rssi_cdbm = -5500,
				   .peak_cdbm = -5400};
	struct proto_sightings m = {
		.first_seq = ++seq, .n_sources = 1, .sources = &source, .n = 1, .sightings = &s};
	const struct http_who agent = {.user = "", .perms = PERM_AGENT, .agent_id = 1};
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct http_injection in = {.listener = HTTP_AGENTS,
				    .method = "POST",
				    .uri = "/agent/v1/sightings",
				    .who = &agent};
	struct test_reply r;

	assert_int_equal(epc_from_hex(epc, &s.epc), 0);
	assert_int_equal(proto_sightings_encode(&m, &b), 0);
	in.body = b.data;
	in.body_len = b.len;
	r = test_request(&t, &in);
	assert_int_equal(r.status, 200);
	test_reply_done(&r);
}

static int64_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void stock_is_counted_by_place(void **state)
{
	(void) state;
	ask("PUT", "/api/v1/antennas/1/dock/1", NULL, "{\"place_id\":1}");
	sight("303435fc8803d056d15b963f", 1);
	sight("303435fc8803d056d15b9640", 1); /* the same product */
	sight("303435fc8803d096d15b9640", 1); /* another */
	sight("303435fc8803d096d15b9641", 3); /* heard where no place is named */
	ask("GET", PLAN "/stock", NULL, NULL);
	assert_int_equal(status, 200);
	assert_int_equal(number(nth("places", 0), "items"), 3);
	assert_int_equal(number(nth("places", 0), "products"), 2);
	assert_int_equal(number(nth("places", 1), "items"), 0);
	assert_true(json_is_null(json_object_get(nth("places", 2), "place_id")));
	assert_int_equal(number(nth("places", 2), "items"), 1);
	ask("GET", PLAN "/stock?product_id=77", NULL, NULL);
	assert_int_equal(number(nth("places", 0), "items"), 0);
	ask("GET", PLAN "/stock?product_id=x", NULL, NULL);
	assert_int_equal(status, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_plan_comes_back_as_it_was_drawn, setup, teardown),
		cmocka_unit_test_setup_teardown(who_edits_an_older_plan_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(every_error_is_told_by_its_pointer, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_removed_place_leaves_the_plan, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_places_are_not_even_looked_at, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_antenna_its_reader_does_not_have_gets_no_place,
						setup, teardown),
		cmocka_unit_test_setup_teardown(stock_is_counted_by_place, setup, teardown),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
