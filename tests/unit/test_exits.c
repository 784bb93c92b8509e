/* SPDX-License-Identifier: Apache-2.0 */
/* Who passed a door, which way, and what becomes of it: sold, still here, or an incident. */
#include "tests/unit/inventory_rig.h"

#include "common/log.h"
#include "controller/inventory/watch.h"
#include <math.h>

#define ITEM   "303435fc8803d056d15b963f" /* of the GTIN below */
#define TWIN   "303435fc8803d056d15b9640"
#define AGE_US (300 * US_PER_SEC)

/* An exit with antennas 1 inside and 2 outside; a floor with antenna 3; the item's product. */
static void make_store(struct rig *r)
{
	char sql[400];
	struct epc epc;

	put(r, "POST", "/api/v1/places", "{\"name\":\"Way out\",\"kind\":\"exit\"}");
	put(r, "POST", "/api/v1/places", "{\"name\":\"Floor\",\"kind\":\"sales-floor\"}");
	put(r, "PUT", "/api/v1/antennas/7/dock/3", "{\"place_id\":2}");
	put(r, "POST", "/api/v1/doors",
	    "{\"name\":\"Main door\",\"place_id\":1,\"agent_id\":7,\"inner\":[{\"reader\":\"dock\","
	    "\"antenna\":1}],\"outer\":[{\"reader\":\"dock\",\"antenna\":2}]}");
	assert_int_equal(r->status, 201);
	assert_int_equal(epc_from_hex(ITEM, &epc), 0);
	sight(r, ITEM, 3, SIGHTING_APPEAR, -5000);
	sight(r, ITEM, 3, SIGHTING_GONE, -5000);
	get(r, "/api/v1/items/" ITEM);
	snprintf(sql, sizeof(sql),
		 "INSERT INTO products(id, name, folded, created, changed)"
		 " VALUES(1, 'Blue coat', 'blue coat', 0, 0);"
		 "INSERT INTO product_aliases(product_id, kind, value, scanned)"
		 " VALUES(1, 'gtin', '%s', '')",
		 text(r->json, "gtin"));
	rig_sql(r, sql);
}

/* A passage that ended `ago_us` ago: loud at one side first, at the other after. */
static void pass(struct rig *r, const char *epc, bool outward, int64_t ago_us)
{
	enum {
		READS = 60
	};
	struct proto_read reads[READS];
	struct proto_source sources[2] = {{"dock", 1}, {"dock", 2}};
	struct proto_reads_entry e = {.kind = READS_PASSAGE,
				      .subject = 1,
				      .n_sources = 2,
				      .sources = sources,
				      .n = READS,
				      .reads = reads};
	int64_t end_us = clock_real_us(r->app.clock) - ago_us;

	assert_int_equal(epc_from_hex(epc, &e.epc), 0);
	for (int i = 0; i < READS; i++) {
		double t = (double) i / (READS - 1), side = i % 2;
		double peak = outward == (side > 0.5) ? 0.8 : 0.2;

		reads[i] = (struct proto_read){
			.source = (uint8_t) (i % 2),
			.at_us = end_us - (READS - 1 - i) * 50000LL,
			.rssi_cdbm = (int16_t) (-4500 - 2500 * fabs(t - peak)),
			.phase = UINT16_MAX,
			.doppler = INT16_MIN,
			.count = 1,
		};
	}
	bring(r, r->reads_seq++, &e, 1);
	assert_int_equal(r->status, 200);
	db_drain(r->app.db);
	for (int i = 0; i < 3; i++) { /* what is due is decided now */
		loop_run_once(r->app.loop, 10);
		db_drain(r->app.db);
	}
}

static json_t *last_passage(struct rig *r)
{
	return item(get(r, "/api/v1/passages"), 0);
}

static int64_t incidents(struct rig *r, const char *what)
{
	struct sql_stmt *q = sql_prepare(
		db_reader(r->app.db),
		"SELECT sum(closed IS NULL), sum(closed IS NOT NULL), max(why_closed), max(title)"
		" FROM incidents WHERE kind = 'exit-unsold'");
	int64_t n;

	assert_int_equal(sql_step(q), 1);
	n = sql_col_i64(q, strcmp(what, "open") ? 1 : 0);
	sql_reset(q);
	return n;
}

static void sell(struct rig *r, const char *columns, const char *values)
{
	char sql[500];

	snprintf(sql, sizeof(sql),
		 "INSERT INTO sales(till, number, at, received, who, digest)"
		 " VALUES('till 1', (SELECT count(*) FROM sales), 0, 0, 'till', x'00');"
		 "INSERT INTO sale_lines(sale_id, quantity, %s)"
		 " VALUES((SELECT max(id) FROM sales), 1, %s)",
		 columns, values);
	rig_sql(r, sql);
	inventory_sold(r->app.inventory);
	db_drain(r->app.db);
}

static void way_out_and_way_in_are_told_apart(void **state)
{
	struct rig *r = *state;
	json_t *p;

	make_store(r);
	pass(r, ITEM, true, 0);
	p = last_passage(r);
	assert_string_equal(text(p, "direction"), "out");
	assert_string_equal(text(p, "state"), "waiting");
	assert_true(json_real_value(json_object_get(p, "confidence")) > 0.7);
	assert_string_equal(text(json_object_get(p, "door"), "name"), "Main door");
	assert_string_equal(text(json_object_get(p, "product"), "name"), "Blue coat");
	pass(r, TWIN, false, 0);
	p = last_passage(r);
	assert_string_equal(text(p, "direction"), "in");
	assert_string_equal(text(p, "state"), "noted");
	get(r, "/api/v1/passages/1");
	assert_int_equal(json_array_size(json_object_get(r->json, "chart")), 60);
	assert_string_equal(text(json_array_get(json_object_get(r->json, "sources"), 1), "side"),
			    "outer");
}

static void item_that_left_unsold_is_an_incident_after_its_grace(void **state)
{
	struct rig *r = *state;

	make_store(r);
	pass(r, ITEM, true, 10 * US_PER_SEC);
	assert_int_equal(incidents(r, "open"), 0); /* the sale may still come */
	pass(r, TWIN, true, AGE_US);
	assert_int_equal(incidents(r, "open"), 1);
	assert_string_equal(text(last_passage(r), "state"), "unsold");
}

static void sale_before_or_after_explains_it(void **state)
{
	struct rig *r = *state;
	char values[100];

	make_store(r);
	sell(r, "gtin, epc, epc_bits, at", "0, x'" ITEM "', 96, 1");
	pass(r, ITEM, true, AGE_US);
	assert_int_equal(incidents(r, "open"), 0);
	assert_string_equal(text(last_passage(r), "state"), "sold");
	pass(r, TWIN, true, AGE_US);
	assert_int_equal(incidents(r, "open"), 1);
	snprintf(values, sizeof(values), "%s, %lld",
		 text(json_object_get(last_passage(r), "product"), "gtin"),
		 (long long) (clock_real_us(r->app.clock) - AGE_US - 60 * US_PER_SEC));
	sell(r, "gtin, at", values);
	assert_int_equal(incidents(r, "open"), 0);
	assert_int_equal(incidents(r, "closed"), 1);
	assert_non_null(strstr(text(last_passage(r), "note"), "till 1"));
}

static void one_unit_sold_explains_one_item(void **state)
{
	struct rig *r = *state;
	char values[100];

	make_store(r);
	get(r, "/api/v1/items/" ITEM);
	snprintf(values, sizeof(values), "%s, %lld", text(r->json, "gtin"),
		 (long long) (clock_real_us(r->app.clock) - AGE_US));
	sell(r, "gtin, at", values);
	pass(r, ITEM, true, AGE_US);
	pass(r, TWIN, true, AGE_US + US_PER_SEC);
	assert_int_equal(incidents(r, "open"), 1);
}

static void way_in_brings_an_item_back(void **state)
{
	struct rig *r = *state;

	make_store(r);
	pass(r, TWIN, true, AGE_US);
	assert_int_equal(incidents(r, "open"), 1);
	pass(r, TWIN, false, 5 * US_PER_SEC);
	assert_int_equal(incidents(r, "open"), 0);
	assert_int_equal(incidents(r, "closed"), 1);
	assert_string_equal(text(item(get(r, "/api/v1/passages"), 1), "state"), "returned");
}

static void item_heard_inside_again_did_not_leave(void **state)
{
	struct rig *r = *state;

	make_store(r);
	sight(r, ITEM, 3, SIGHTING_APPEAR, -5000);
	pass(r, ITEM, true, AGE_US); /* told late: it has been heard since */
	assert_int_equal(incidents(r, "open"), 0);
	assert_string_equal(text(last_passage(r), "state"), "stayed");
}

static void what_the_store_does_not_sell_is_nobodys_loss(void **state)
{
	struct rig *r = *state;

	make_store(r);
	pass(r, "e28011700000020f00000001", true, AGE_US);
	assert_int_equal(incidents(r, "open"), 0);
	assert_string_equal(text(last_passage(r), "state"), "stranger");
}

static void repeated_passage_counts_once(void **state)
{
	struct rig *r = *state;

	make_store(r);
	pass(r, TWIN, true, AGE_US);
	r->reads_seq--;
	pass(r, TWIN, true, AGE_US - 1000); /* the same number again: it was here */
	assert_int_equal(json_array_size(json_object_get(get(r, "/api/v1/passages"), "items")), 1);
	rig_stop(r);
	rig_start(r);
	r->reads_seq--;
	pass(r, TWIN, true, AGE_US - 1000);
	assert_int_equal(json_array_size(json_object_get(get(r, "/api/v1/passages"), "items")), 1);
	assert_int_equal(incidents(r, "open"), 1);
}

static void another_agents_door_takes_no_passages(void **state)
{
	struct rig *r = *state;

	make_store(r);
	rig_sql(r, "UPDATE doors SET agent_id = 8");
	pass(r, ITEM, true, AGE_US);
	assert_int_equal(json_array_size(json_object_get(get(r, "/api/v1/passages"), "items")), 0);
}

static void exit_without_a_door_counts_items_that_end_there(void **state)
{
	struct rig *r = *state;
	int64_t now_us = clock_real_us(r->app.clock);

	make_store(r);
	put(r, "DELETE", "/api/v1/doors/1", NULL);
	assert_int_equal(r->status, 204);
	put(r, "PUT", "/api/v1/antennas/7/dock/5", "{\"place_id\":1}");
	sight(r, TWIN, 5, SIGHTING_APPEAR, -5000);
	sight(r, TWIN, 5, SIGHTING_GONE, -5000);
	inv_state_tick(r->app.inventory->state, now_us + 60 * US_PER_SEC);
	inventory_sold(r->app.inventory);
	db_drain(r->app.db);
	assert_string_equal(text(last_passage(r), "state"), "waiting");
	assert_string_equal(text(last_passage(r), "direction"), "out");
	rig_sql(r, "UPDATE passages SET due = 1");
	inventory_sold(r->app.inventory);
	db_drain(r->app.db);
	assert_int_equal(incidents(r, "open"), 1);
	rig_stop(r); /* looked at again after a start, told once */
	rig_start(r);
	inventory_sold(r->app.inventory);
	db_drain(r->app.db);
	assert_int_equal(json_array_size(json_object_get(get(r, "/api/v1/passages"), "items")), 1);
}

static void doors_are_checked_and_told_to_their_agent(void **state)
{
	struct rig *r = *state;
	struct proto_desired m = {0};

	make_store(r);
	assert_int_equal(watch_desired(&r->app, RIG_AGENT, 0, &m), 0);
	assert_int_equal(m.watch->n_doors, 1);
	assert_int_equal(m.watch->doors[0].n, 2);
	assert_int_equal(m.watch->doors[0].antennas[1].side, DOOR_OUTER);
	proto_desired_done(&m);
	assert_int_equal(watch_desired(&r->app, 8, 0, &m), 0);
	assert_int_equal(m.watch->n_doors, 0);
	proto_desired_done(&m);
	put(r, "PATCH", "/api/v1/doors/1", "{\"grace_s\":5}");
	assert_int_equal(number(r->json, "grace_s"), 5);
	assert_int_equal(json_array_size(json_object_get(r->json, "inner")), 1);
	put(r, "POST", "/api/v1/doors",
	    "{\"name\":\"X\",\"place_id\":1,\"agent_id\":7,\"inner\":[],\"outer\":[]}");
	assert_int_equal(r->status, 422);
	put(r, "POST", "/api/v1/doors",
	    "{\"name\":\"X\",\"place_id\":1,\"agent_id\":7,\"inner\":[{\"reader\":\"dock\","
	    "\"antenna\":1}],\"outer\":[{\"reader\":\"dock\",\"antenna\":1}]}");
	assert_int_equal(r->status, 422);
	put(r, "PATCH", "/api/v1/doors/9", "{\"grace_s\":5}");
	assert_int_equal(r->status, 404);
}

int main(void)
{
	log_set_level(LOG_ERR);
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, make_rig, drop_rig)
	const struct CMUnitTest tests[] = {
		WITH_RIG(way_out_and_way_in_are_told_apart),
		WITH_RIG(item_that_left_unsold_is_an_incident_after_its_grace),
		WITH_RIG(sale_before_or_after_explains_it),
		WITH_RIG(one_unit_sold_explains_one_item),
		WITH_RIG(way_in_brings_an_item_back),
		WITH_RIG(item_heard_inside_again_did_not_leave),
		WITH_RIG(what_the_store_does_not_sell_is_nobodys_loss),
		WITH_RIG(repeated_passage_counts_once),
		WITH_RIG(another_agents_door_takes_no_passages),
		WITH_RIG(exit_without_a_door_counts_items_that_end_there),
		WITH_RIG(doors_are_checked_and_told_to_their_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
