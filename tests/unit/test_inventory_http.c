/* SPDX-License-Identifier: Apache-2.0 */
/* The inventory through its doors: sightings in by CBOR, places, stock and items out as JSON. */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "common/log.h"
#include "common/proto.h"
#include "controller/app_config.h"
#include "controller/db/db.h"
#include "controller/http/http.h"
#include "controller/inventory/inventory.h"
#include "controller/perm.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EPC1 "303435fc8803d056d15b963f"
#define EPC2 "303435fc8803d056d15b9640"

struct rig {
	char dir[64];
	struct app_config config;
	struct app app;
	unsigned int status;
	json_t *json;
	struct proto_ack ack;
	uint64_t seq;
	bool done;
};

static void start(struct rig *r)
{
	assert_int_equal(loop_new(&r->app.loop), 0);
	r->app.clock = loop_clock(r->app.loop);
	r->config = (struct app_config){
		.state_dir = r->dir, .inventory_checkpoint_s = 3600, .inventory_max_items = 10000};
	r->app.config = &r->config;
	assert_int_equal(db_open(r->app.loop, r->dir, &r->app.db), 0);
	assert_int_equal(http_server_new(&r->app, &r->app.http), 0);
	assert_int_equal(inventory_new(&r->app, &r->app.inventory), 0);
	http_add_routes(r->app.http, inventory_routes);
}

static void stop(struct rig *r)
{
	http_server_stop(r->app.http);
	inventory_free(r->app.inventory);
	http_server_free(r->app.http);
	db_close(r->app.db);
	loop_free(r->app.loop);
}

static int make_rig(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	strcpy(r->dir, "/tmp/gondola-inventory-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	r->seq = 1;
	start(r);
	*state = r;
	return 0;
}

static int drop_rig(void **state)
{
	static const char *const files[] = {
		"journal/data.mdb", "journal/lock.mdb", "snapshot/data.mdb", "snapshot/lock.mdb",
		"gondola.db",       "gondola.db-wal",   "gondola.db-shm"};
	struct rig *r = *state;
	char path[128];

	stop(r);
	json_decref(r->json);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", r->dir, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/journal", r->dir);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/snapshot", r->dir);
	rmdir(path);
	rmdir(r->dir);
	free(r);
	return 0;
}

static void on_reply(void *user, unsigned int status, const char *body, size_t len)
{
	struct rig *r = user;

	r->status = status;
	json_decref(r->json);
	r->json = len ? json_loadb(body, len, 0, NULL) : NULL;
	if (status == 200 && !r->json && len)
		assert_int_equal(proto_ack_decode(body, len, &r->ack, NULL), 0);
	r->done = true;
}

static void ask(struct rig *r, enum http_listener door, const char *method, const char *uri,
		const void *body, size_t len)
{
	static const char *const as_json[] = {"Content-Type", "application/json", NULL};
	static const char *const as_cbor[] = {"Content-Type", PROTO_CONTENT_TYPE, NULL};
	struct http_who person = {.user_id = 1, .user = "eva", .perms = PERM_ALL | PERM_SIGNED_IN};
	struct http_who agent = {.user = "", .perms = PERM_AGENT, .agent_id = 7};
	struct http_injection in = {
		.listener = door,
		.method = method,
		.uri = uri,
		.headers = door == HTTP_AGENTS ? as_cbor : as_json,
		.body = body,
		.body_len = len,
		.who = door == HTTP_AGENTS ? &agent : &person,
		.done = on_reply,
		.user = r,
	};

	r->done = false;
	assert_int_equal(http_inject(r->app.http, &in), 0);
	while (!r->done)
		loop_run_once(r->app.loop, 1000);
}

static json_t *get(struct rig *r, const char *uri)
{
	ask(r, HTTP_PUBLIC, "GET", uri, NULL, 0);
	assert_int_equal(r->status, 200);
	return r->json;
}

static void put(struct rig *r, const char *method, const char *uri, const char *body)
{
	ask(r, HTTP_PUBLIC, method, uri, body, body ? strlen(body) : 0);
}

static void sight(struct rig *r, const char *epc, uint16_t antenna, enum sighting_kind kind)
{
	struct proto_source source = {"dock", antenna};
	int64_t now_us = clock_real_us(r->app.clock);
	struct proto_sighting s = {.kind = (uint8_t) kind,
				   .first_us = now_us,
				   .last_us = now_us,
				   .count = 3,
				   .rssi_cdbm = -5500,
				   .peak_cdbm = -5400};
	struct proto_sightings m = {.journal_id = {1},
				    .first_seq = r->seq++,
				    .n_sources = 1,
				    .sources = &source,
				    .n = 1,
				    .sightings = &s};
	_cleanup_buf_ struct buf b = BUF_INIT;

	assert_int_equal(epc_from_hex(epc, &s.epc), 0);
	assert_int_equal(proto_sightings_encode(&m, &b), 0);
	ask(r, HTTP_AGENTS, "POST", "/agent/v1/sightings", b.data, b.len);
	assert_int_equal(r->status, 200);
	assert_true(r->ack.acked == m.first_seq);
}

static const char *text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void make_places(struct rig *r)
{
	put(r, "POST", "/api/v1/places", "{\"name\":\"Floor\",\"kind\":\"sales-floor\"}");
	assert_int_equal(r->status, 201);
	put(r, "POST", "/api/v1/places", "{\"name\":\"Back\",\"kind\":\"back-room\"}");
	put(r, "PUT", "/api/v1/antennas/7/dock/1", "{\"place_id\":1}");
	assert_int_equal(r->status, 200);
	put(r, "PUT", "/api/v1/antennas/7/dock/2", "{\"place_id\":2}");
}

static void read_becomes_a_stock_figure_that_explains_itself(void **state)
{
	struct rig *r = *state;
	json_t *row, *ev;

	make_places(r);
	sight(r, EPC1, 1, SIGHTING_APPEAR);
	row = json_array_get(json_object_get(get(r, "/api/v1/stock"), "items"), 0);
	assert_int_equal(json_integer_value(json_object_get(row, "total")), 1);
	assert_true(json_is_null(json_object_get(row, "product_id")));
	assert_int_equal(strlen(text(row, "gtin")), 14);
	assert_string_equal(text(json_array_get(json_object_get(row, "places"), 0), "place"),
			    "Floor");
	get(r, "/api/v1/items/" EPC1);
	assert_string_equal(text(r->json, "state"), "present");
	assert_string_equal(text(json_object_get(r->json, "place"), "name"), "Floor");
	assert_true(json_real_value(json_object_get(r->json, "confidence")) > 0.9);
	ev = json_array_get(json_object_get(r->json, "evidence"), 0);
	assert_string_equal(text(ev, "reader"), "dock");
	assert_int_equal(json_integer_value(json_object_get(ev, "reads")), 3);
	assert_true(json_real_value(json_object_get(ev, "weight")) > 0);
}

static void moved_item_tells_its_story(void **state)
{
	struct rig *r = *state;
	json_t *events;

	make_places(r);
	sight(r, EPC1, 1, SIGHTING_APPEAR);
	sight(r, EPC1, 2, SIGHTING_APPEAR);
	sight(r, EPC1, 1, SIGHTING_GONE);
	events = json_object_get(get(r, "/api/v1/items/" EPC1 "/events"), "items");
	assert_int_equal(json_array_size(events), 2);
	assert_string_equal(text(json_array_get(events, 0), "cause"), "left");
	assert_string_equal(text(json_object_get(json_array_get(events, 0), "to_place"), "name"),
			    "Back");
	get(r, "/api/v1/items?place_id=2");
	assert_int_equal(json_array_size(json_object_get(r->json, "items")), 1);
	get(r, "/api/v1/items?place_id=1");
	assert_int_equal(json_array_size(json_object_get(r->json, "items")), 0);
}

static void tags_without_a_gtin_are_listed_together(void **state)
{
	struct rig *r = *state;

	make_places(r);
	sight(r, "e28011700000020f00000001", 1, SIGHTING_APPEAR);
	sight(r, EPC1, 1, SIGHTING_APPEAR);
	get(r, "/api/v1/items?gtin=00000000000000");
	assert_int_equal(json_array_size(json_object_get(r->json, "items")), 1);
	get(r, "/api/v1/items?gtin=00000000000000&place_id=2");
	assert_int_equal(json_array_size(json_object_get(r->json, "items")), 0);
}

static void everything_is_there_after_a_restart(void **state)
{
	struct rig *r = *state;

	make_places(r);
	sight(r, EPC1, 1, SIGHTING_APPEAR);
	sight(r, EPC2, 2, SIGHTING_APPEAR);
	stop(r);
	start(r);
	get(r, "/api/v1/stock");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(r->json, "summary"), "items")),
		2);
	get(r, "/api/v1/items/" EPC2);
	assert_string_equal(text(json_object_get(r->json, "place"), "name"), "Back");
	get(r, "/api/v1/items/" EPC1 "/events");
	assert_int_equal(json_array_size(json_object_get(r->json, "items")), 1);
}

static void antennas_are_listed_heard_or_not(void **state)
{
	struct rig *r = *state;
	json_t *items;

	make_places(r);
	sight(r, EPC1, 9, SIGHTING_APPEAR);
	items = json_object_get(get(r, "/api/v1/antennas"), "items");
	assert_int_equal(json_array_size(items), 3);
	assert_true(json_is_null(json_object_get(json_array_get(items, 0), "place_id")));
	get(r, "/api/v1/stock");
	assert_int_equal(json_integer_value(
				 json_object_get(json_object_get(r->json, "summary"), "unplaced")),
			 1);
	put(r, "PUT", "/api/v1/antennas/7/dock/9", "{\"place_id\":99}");
	assert_int_equal(r->status, 422);
}

static void places_can_be_renamed_and_removed(void **state)
{
	struct rig *r = *state;

	make_places(r);
	put(r, "PATCH", "/api/v1/places/1", "{\"name\":\"Shop\"}");
	assert_int_equal(r->status, 200);
	assert_string_equal(text(r->json, "kind"), "sales-floor");
	put(r, "POST", "/api/v1/places", "{\"name\":\"shop\"}");
	assert_int_equal(r->status, 409);
	put(r, "POST", "/api/v1/places", "{\"name\":\"x\",\"kind\":\"moon\"}");
	assert_int_equal(r->status, 422);
	put(r, "DELETE", "/api/v1/places/1", NULL);
	assert_int_equal(r->status, 204);
	put(r, "DELETE", "/api/v1/places/1", NULL);
	assert_int_equal(r->status, 404);
	get(r, "/api/v1/places");
	assert_int_equal(json_array_size(json_object_get(r->json, "items")), 1);
}

static void garbage_is_refused_with_its_place(void **state)
{
	struct rig *r = *state;

	ask(r, HTTP_AGENTS, "POST", "/agent/v1/sightings", "\xa1\x00\x07", 3);
	assert_int_equal(r->status, 400);
	ask(r, HTTP_AGENTS, "POST", "/agent/v1/sightings", "hello", 5);
	assert_int_equal(r->status, 400);
	assert_string_equal(text(r->json, "code"), "bad-message");
	ask(r, HTTP_PUBLIC, "GET", "/api/v1/items/zz", NULL, 0);
	assert_int_equal(r->status, 400);
	ask(r, HTTP_PUBLIC, "GET", "/api/v1/items/" EPC1, NULL, 0);
	assert_int_equal(r->status, 404);
}

int main(void)
{
	log_set_level(LOG_ERR);
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, make_rig, drop_rig)
	const struct CMUnitTest tests[] = {
		WITH_RIG(read_becomes_a_stock_figure_that_explains_itself),
		WITH_RIG(moved_item_tells_its_story),
		WITH_RIG(tags_without_a_gtin_are_listed_together),
		WITH_RIG(everything_is_there_after_a_restart),
		WITH_RIG(antennas_are_listed_heard_or_not),
		WITH_RIG(places_can_be_renamed_and_removed),
		WITH_RIG(garbage_is_refused_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
