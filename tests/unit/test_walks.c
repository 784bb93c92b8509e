/* SPDX-License-Identifier: Apache-2.0 */
/* A tag is carried through the store: what agents bring of it, what is learnt, and who then says
 * where things are. */
#include "tests/unit/inventory_rig.h"

#include "common/log.h"
#include "controller/inventory/trace_csv.h"
#include "controller/inventory/watch.h"

#define TAG  "303435fc8803d056d15b963f"
#define ITEM "303435fc8803d056d15b9640"

static void make_places(struct rig *r)
{
	put(r, "POST", "/api/v1/places", "{\"name\":\"Floor\",\"kind\":\"sales-floor\"}");
	put(r, "POST", "/api/v1/places", "{\"name\":\"Back\",\"kind\":\"back-room\"}");
	put(r, "PUT", "/api/v1/antennas/7/dock/1", "{\"place_id\":1}");
	put(r, "PUT", "/api/v1/antennas/7/dock/2", "{\"place_id\":2}");
}

static int64_t start_walk(struct rig *r, int place)
{
	char body[160];

	snprintf(body, sizeof(body), "{\"place_id\":%d,\"epc\":\"" TAG "\",\"seconds\":600}",
		 place);
	put(r, "POST", "/api/v1/walks", body);
	assert_int_equal(r->status, 201);
	return number(r->json, "id");
}

/* `n` reads of the carried tag, a tenth of a second apart. */
static struct proto_reads_entry entry(struct rig *r, int64_t walk, struct proto_read *reads,
				      struct proto_source *sources, size_t n)
{
	struct proto_reads_entry e = {.kind = READS_WALK,
				      .subject = (uint32_t) walk,
				      .n_sources = 2,
				      .sources = sources,
				      .n = n,
				      .reads = reads};
	int64_t now_us = clock_real_us(r->app.clock);

	assert_int_equal(epc_from_hex(TAG, &e.epc), 0);
	for (unsigned int a = 0; a < 2; a++) {
		sources[a] = (struct proto_source){.antenna = (uint16_t) (a + 1)};
		strcpy(sources[a].reader, "dock");
	}
	for (size_t i = 0; i < n; i++)
		reads[i] = (struct proto_read){.source = (uint8_t) (i % 2),
					       .at_us = now_us + (int64_t) i * 100000,
					       .rssi_cdbm = (int16_t) (-5000 - (int) i),
					       .channel = 4,
					       .phase = 100,
					       .doppler = -30,
					       .count = 1};
	return e;
}

static void live_picture_says_how_far_a_walk_has_come(void **state)
{
	struct rig *r = *state;
	struct proto_source sources[2];
	struct proto_read reads[40];
	struct proto_reads_entry e;
	json_t *antenna;
	int64_t walk;
	char uri[64];

	make_places(r);
	walk = start_walk(r, 1);
	assert_string_equal(text(r->json, "words"), "Waiting for the first read.");
	e = entry(r, walk, reads, sources, 40);
	bring(r, 1, &e, 1);
	assert_int_equal(r->status, 200);
	assert_int_equal(r->ack.acked, 1);
	snprintf(uri, sizeof(uri), "/api/v1/walks/%lld", (long long) walk);
	get(r, uri);
	assert_int_equal(number(r->json, "reads"), 40);
	assert_false(json_is_true(json_object_get(r->json, "enough")));
	assert_non_null(strstr(text(r->json, "words"), "Keep walking"));
	antenna = json_array_get(json_object_get(r->json, "antennas"), 0);
	assert_int_equal(number(antenna, "reads"), 20);
	assert_string_equal(text(antenna, "reader"), "dock");
	assert_true(json_real_value(json_object_get(antenna, "rssi_dbm")) < -50);
}

static void repeated_reads_count_once(void **state)
{
	struct rig *r = *state;
	struct proto_source sources[2];
	struct proto_read reads[10];
	struct proto_reads_entry e[2];
	int64_t walk;

	make_places(r);
	walk = start_walk(r, 1);
	e[0] = e[1] = entry(r, walk, reads, sources, 10);
	bring(r, 1, e, 1);
	bring(r, 1, e, 2); /* the answer was lost; one more came meanwhile */
	assert_int_equal(r->ack.acked, 2);
	bring(r, 1, e, 2);
	assert_int_equal(number(item(get(r, "/api/v1/walks"), 0), "reads"), 20);
	rig_stop(r);
	rig_start(r);
	bring(r, 2, e, 1);
	assert_int_equal(number(item(get(r, "/api/v1/walks"), 0), "reads"), 20);
}

static void reads_of_another_tag_belong_to_no_walk(void **state)
{
	struct rig *r = *state;
	struct proto_source sources[2];
	struct proto_read reads[10];
	struct proto_reads_entry e;
	int64_t walk;

	make_places(r);
	walk = start_walk(r, 1);
	e = entry(r, walk, reads, sources, 10);
	assert_int_equal(epc_from_hex(ITEM, &e.epc), 0);
	bring(r, 1, &e, 1);
	assert_int_equal(r->status, 200); /* or it would come again for ever */
	assert_int_equal(number(item(get(r, "/api/v1/walks"), 0), "reads"), 0);
	bring(r, 2, NULL, 0);
	assert_int_equal(r->status, 200);
	ask(r, HTTP_AGENTS, "POST", "/agent/v1/reads", "\xa1\x00\x07", 3);
	assert_int_equal(r->status, 400);
}

static void exported_walk_is_one_that_the_offline_fit_reads(void **state)
{
	struct rig *r = *state;
	struct proto_source sources[2];
	struct proto_read reads[10];
	struct proto_reads_entry e;
	struct trace t;
	int64_t walk;
	char uri[64];

	make_places(r);
	walk = start_walk(r, 1);
	e = entry(r, walk, reads, sources, 10);
	bring(r, 1, &e, 1);
	snprintf(uri, sizeof(uri), "/api/v1/walks/%lld/reads.csv", (long long) walk);
	ask(r, HTTP_PUBLIC, "GET", uri, NULL, 0);
	assert_int_equal(r->status, 200);
	assert_int_equal(trace_parse(r->text, strlen(r->text), NULL, NULL, &t), 0);
	assert_int_equal(t.n, 10);
	assert_int_equal(t.bad, 0);
	assert_true(t.reads[3].at_us == reads[3].at_us);
	assert_int_equal(t.reads[3].antenna, 2);
	assert_int_equal(t.reads[3].phase, 100);
	assert_true(t.reads[3].rssi_dbm > -50.04f && t.reads[3].rssi_dbm < -50.02f);
	assert_true(t.reads[3].doppler > -30.5f && t.reads[3].doppler < -29.5f);
	trace_done(&t);
}

static void agents_are_asked_to_follow_the_tag_until_the_walk_ends(void **state)
{
	struct rig *r = *state;
	struct proto_desired m = {0};
	uint64_t rev;
	int64_t walk;
	char uri[64];

	make_places(r);
	assert_int_equal(watch_desired(&r->app, RIG_AGENT, 0, &m), 0);
	assert_null(m.watch); /* nothing was ever asked: older stores see no difference */
	walk = start_walk(r, 1);
	assert_int_equal(watch_desired(&r->app, RIG_AGENT, 0, &m), 0);
	assert_int_equal(m.watch->n_follow, 1);
	assert_int_equal(m.watch->follow[0].walk, walk);
	assert_true(m.watch->fine);
	proto_desired_done(&m);
	rev = 1000000;
	assert_int_equal(watch_desired(&r->app, RIG_AGENT, rev, &m), 0);
	assert_null(m.watch);
	snprintf(uri, sizeof(uri), "/api/v1/walks/%lld/stop", (long long) walk);
	put(r, "POST", uri, "{}");
	assert_int_equal(r->status, 200);
	assert_false(json_is_true(json_object_get(r->json, "open")));
	assert_int_equal(watch_desired(&r->app, RIG_AGENT, 0, &m), 0);
	assert_int_equal(m.watch->n_follow, 0);
	assert_false(m.watch->fine);
	proto_desired_done(&m);
}

static void tag_is_on_one_walk_at_a_time(void **state)
{
	struct rig *r = *state;
	char uri[64];
	int64_t walk;

	make_places(r);
	walk = start_walk(r, 1);
	put(r, "POST", "/api/v1/walks", "{\"place_id\":2,\"epc\":\"" TAG "\"}");
	assert_int_equal(r->status, 409);
	snprintf(uri, sizeof(uri), "/api/v1/walks/%lld", (long long) walk);
	put(r, "DELETE", uri, NULL);
	assert_int_equal(r->status, 204);
	start_walk(r, 2);
	put(r, "POST", "/api/v1/walks", "{\"place_id\":9,\"epc\":\"" ITEM "\"}");
	assert_int_equal(r->status, 422);
	put(r, "POST", "/api/v1/walks", "{\"place_id\":1,\"epc\":\"xyz\"}");
	assert_int_equal(r->status, 422);
}

static void what_agents_tell_of_the_tag_is_kept_with_its_walk(void **state)
{
	struct rig *r = *state;

	make_places(r);
	sight(r, TAG, 2, SIGHTING_APPEAR, -6000); /* where it lay before */
	start_walk(r, 1);
	sight(r, TAG, 1, SIGHTING_APPEAR, -5000);
	sight(r, ITEM, 1, SIGHTING_APPEAR, -5000);
	sight(r, TAG, 2, SIGHTING_GONE, -6000);
	db_drain(r->app.db);
	assert_int_equal(number(item(get(r, "/api/v1/walks"), 0), "told"), 3);
}

/* Two walks as if they had taken two minutes each: at the back the antenna of the floor is heard
 * louder than that of the back, but not as loud as on the floor. */
static void make_walks(struct rig *r)
{
	static const int levels[2][2] = {{-4500, -6500}, {-5600, -6000}};
	int64_t start_us = clock_real_us(r->app.clock) - 1000 * US_PER_SEC;
	char sql[400];

	for (int w = 0; w < 2; w++) {
		snprintf(
			sql, sizeof(sql),
			"INSERT INTO walks(id, place_id, epc, epc_bits, started, until, ended, who)"
			" VALUES(%d, %d, x'303435fc8803d056d15b963f', 96, %lld, %lld, %lld, 'eva')",
			w + 1, w + 1, (long long) start_us, (long long) (start_us + 120000000),
			(long long) (start_us + 120000000));
		rig_sql(r, sql);
		for (int i = 0; i < 240; i++) {
			int level = levels[w][i % 2] + (i * 7919 % 400) - 200;

			snprintf(sql, sizeof(sql),
				 "INSERT INTO walk_told(walk_id, at, agent_id, reader, antenna,"
				 " present, rssi_cdbm, rate_mhz, key)"
				 " VALUES(%d, %lld, 7, 'dock', %d, 1, %d, 5000, '%d')",
				 w + 1, (long long) (start_us + i * 500000LL), 1 + i % 2, level, i);
			rig_sql(r, sql);
		}
	}
}

static void fitted_model_says_how_well_it_will_do(void **state)
{
	struct rig *r = *state;
	const json_t *outlook;

	make_places(r);
	put(r, "POST", "/api/v1/place-models", "{}");
	assert_int_equal(r->status, 422);
	assert_string_equal(text(r->json, "code"), "not-enough");
	make_walks(r);
	put(r, "POST", "/api/v1/place-models", "{\"walks\":[1,9]}");
	assert_int_equal(r->status, 422);
	put(r, "POST", "/api/v1/place-models", "{\"walks\":[1,2]}");
	assert_int_equal(r->status, 201);
	assert_false(json_is_true(json_object_get(r->json, "active")));
	outlook = json_object_get(r->json, "outlook");
	assert_true(json_real_value(json_object_get(outlook, "accuracy")) > 0.9);
	assert_int_equal(number(outlook, "real_moves"), 7);
	assert_int_equal(json_array_size(json_object_get(outlook, "places")), 2);
	assert_string_equal(
		text(json_object_get(json_array_get(json_object_get(outlook, "places"), 0),
				     "place"),
		     "name"),
		"Floor");
	assert_non_null(strstr(text(outlook, "words"), "of 100 looks"));
}

static const char *place_of(struct rig *r)
{
	return text(json_object_get(get(r, "/api/v1/items/" ITEM), "place"), "name");
}

static void model_in_use_places_items_and_says_so(void **state)
{
	struct rig *r = *state;
	const json_t *judged;

	make_places(r);
	make_walks(r);
	sight(r, ITEM, 1, SIGHTING_APPEAR, -5600);
	sight(r, ITEM, 2, SIGHTING_APPEAR, -6000);
	assert_string_equal(place_of(r), "Floor"); /* the louder one, by the general rules */
	assert_string_equal(text(json_object_get(r->json, "judged"), "by"), "rules");
	put(r, "POST", "/api/v1/place-models", "{}");
	assert_int_equal(r->status, 201);
	put(r, "PUT", "/api/v1/place-models/active", "{\"model_id\":1}");
	assert_int_equal(r->status, 200);
	assert_true(json_is_true(json_object_get(r->json, "active")));
	for (int i = 0; i < 50 && strcmp(place_of(r), "Back"); i++)
		inv_state_tick(r->app.inventory->state,
			       clock_real_us(r->app.clock) + i * 250 * US_PER_MS);
	assert_string_equal(place_of(r), "Back");
	judged = json_object_get(r->json, "judged");
	assert_string_equal(text(judged, "by"), "model");
	assert_non_null(strstr(text(judged, "words"), "fitted model of 20"));
	assert_string_equal(text(r->json, "cause"), "fitted-model");
	rig_stop(r); /* and it is loaded again */
	rig_start(r);
	assert_true(
		json_is_true(json_object_get(item(get(r, "/api/v1/place-models"), 0), "active")));
	assert_string_equal(place_of(r), "Back");
}

static void model_can_be_taken_back(void **state)
{
	struct rig *r = *state;

	make_places(r);
	make_walks(r);
	put(r, "POST", "/api/v1/place-models", "{}");
	put(r, "POST", "/api/v1/place-models", "{}");
	put(r, "PUT", "/api/v1/place-models/active", "{\"model_id\":2}");
	put(r, "DELETE", "/api/v1/place-models/2", NULL);
	assert_int_equal(r->status, 409);
	put(r, "PUT", "/api/v1/place-models/active", "{\"model_id\":1}");
	assert_int_equal(r->status, 200);
	put(r, "PUT", "/api/v1/place-models/active", "{\"model_id\":7}");
	assert_int_equal(r->status, 404);
	put(r, "PUT", "/api/v1/place-models/active", "{\"model_id\":null}");
	assert_int_equal(r->status, 200);
	put(r, "DELETE", "/api/v1/place-models/2", NULL);
	assert_int_equal(r->status, 204);
	put(r, "PUT", "/api/v1/place-models/active", "{\"model_id\":\"x\"}");
	assert_int_equal(r->status, 422);
	assert_false(
		json_is_true(json_object_get(item(get(r, "/api/v1/place-models"), 0), "active")));
}

static void place_that_nobody_walked_is_left_to_the_rules(void **state)
{
	struct rig *r = *state;

	make_places(r);
	make_walks(r);
	put(r, "POST", "/api/v1/places", "{\"name\":\"Yard\",\"kind\":\"other\"}");
	put(r, "PUT", "/api/v1/antennas/7/dock/3", "{\"place_id\":3}");
	put(r, "POST", "/api/v1/place-models", "{}");
	put(r, "PUT", "/api/v1/place-models/active", "{\"model_id\":1}");
	assert_non_null(
		strstr(json_string_value(json_array_get(json_object_get(r->json, "notes"), 0)),
		       "Yard was not walked"));
	sight(r, ITEM, 1, SIGHTING_APPEAR, -6500);
	sight(r, ITEM, 3, SIGHTING_APPEAR, -4500);
	for (int i = 0; i < 20; i++)
		inv_state_tick(r->app.inventory->state,
			       clock_real_us(r->app.clock) + i * 500 * US_PER_MS);
	assert_string_equal(place_of(r), "Yard");
	assert_string_equal(text(json_object_get(r->json, "judged"), "by"), "rules");
}

int main(void)
{
	log_set_level(LOG_ERR);
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, make_rig, drop_rig)
	const struct CMUnitTest tests[] = {
		WITH_RIG(live_picture_says_how_far_a_walk_has_come),
		WITH_RIG(repeated_reads_count_once),
		WITH_RIG(reads_of_another_tag_belong_to_no_walk),
		WITH_RIG(exported_walk_is_one_that_the_offline_fit_reads),
		WITH_RIG(agents_are_asked_to_follow_the_tag_until_the_walk_ends),
		WITH_RIG(tag_is_on_one_walk_at_a_time),
		WITH_RIG(what_agents_tell_of_the_tag_is_kept_with_its_walk),
		WITH_RIG(fitted_model_says_how_well_it_will_do),
		WITH_RIG(model_in_use_places_items_and_says_so),
		WITH_RIG(model_can_be_taken_back),
		WITH_RIG(place_that_nobody_walked_is_left_to_the_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
