/* SPDX-License-Identifier: Apache-2.0 */
/* The inventory through its doors: sightings in by CBOR, places, stock and items out as JSON. */
#include "tests/unit/inventory_rig.h"

#include "common/log.h"

#define EPC1 "303435fc8803d056d15b963f"
#define EPC2 "303435fc8803d056d15b9640"

static void appear(struct rig *r, const char *epc, uint16_t antenna)
{
	sight(r, epc, antenna, SIGHTING_APPEAR, -5500);
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
	appear(r, EPC1, 1);
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
	appear(r, EPC1, 1);
	appear(r, EPC1, 2);
	sight(r, EPC1, 1, SIGHTING_GONE, -5500);
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
	appear(r, "e28011700000020f00000001", 1);
	appear(r, EPC1, 1);
	get(r, "/api/v1/items?gtin=00000000000000");
	assert_int_equal(json_array_size(json_object_get(r->json, "items")), 1);
	get(r, "/api/v1/items?gtin=00000000000000&place_id=2");
	assert_int_equal(json_array_size(json_object_get(r->json, "items")), 0);
}

static void everything_is_there_after_a_restart(void **state)
{
	struct rig *r = *state;

	make_places(r);
	appear(r, EPC1, 1);
	appear(r, EPC2, 2);
	rig_stop(r);
	rig_start(r);
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
	appear(r, EPC1, 9);
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
