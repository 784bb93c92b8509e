/* SPDX-License-Identifier: Apache-2.0 */
/* Readers and labels against twins of the two rooms they run: what is asked of them, what becomes
 * of what they say. The twins are linked in place of librfid and libeslradio. */
#include "ap-agent/labels.h"
#include "ap-agent/readers.h"
#include "ap-agent/sighting.h"
#include "common/err.h"
#include "common/hex.h"
#include "tests/unit/test_agent_fake_http.h"
#include "tests/unit/test_agent_twins.h"
#include "tests/unit/test_common.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- fixture ---------------------------------------------------------------------------------- */

#define START_MONO INT64_C(5000000)
#define START_REAL INT64_C(1700000000000000)

struct fixture {
	char dir[64];
	struct loop *loop;
	struct timebase tb;
	struct store *store;
	struct journal *journal;
	struct readers *readers;
	struct http_client *http;
	struct labels *labels;
	int64_t now;
	unsigned int changes;
};

static void on_durable(void *user, unsigned int streams)
{
	(void) user;
	(void) streams;
}

static void on_change(void *user)
{
	((struct fixture *) user)->changes++;
}

static void make_labels(struct fixture *f)
{
	const struct labels_config cfg = {
		.http = f->http, .store = f->store, .journal = f->journal, .tb = &f->tb};

	assert_int_equal(labels_new(f->loop, &cfg, on_change, f, &f->labels), 0);
	assert_int_equal(labels_start(f->labels), 0);
	labels_online(f->labels, true);
}

static int setup(void **state)
{
	static const struct store_config store_cfg;
	struct fixture *f = calloc(1, sizeof(*f));
	char path[96];

	readers_made = readers_freed = suspended = resumed = 0;
	strcpy(f->dir, "/tmp/agent-glue-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(path, sizeof(path), "%s/agent.db", f->dir);
	f->now = START_MONO;
	assert_int_equal(loop_new_virtual(START_MONO, START_REAL, &f->loop), 0);
	timebase_init(&f->tb, loop_clock(f->loop), 3);
	assert_int_equal(store_open(path, &store_cfg, &f->store), 0);
	assert_int_equal(journal_new(f->loop, f->store, &f->tb, on_durable, f, &f->journal), 0);
	assert_int_equal(readers_new(f->loop, f->journal, &f->tb, on_change, f, &f->readers), 0);
	assert_int_equal(http_client_new(f->loop, NULL, &f->http), 0);
	make_labels(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[128];

	readers_free(f->readers);
	labels_free(f->labels);
	journal_free(f->journal);
	http_client_free(f->http);
	store_close(f->store);
	loop_free(f->loop);
	snprintf(path, sizeof(path), "%s/agent.db-wal", f->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/agent.db", f->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/agent.db.key", f->dir);
	unlink(path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void run(struct fixture *f, int64_t us)
{
	f->now += us;
	loop_run_until(f->loop, f->now);
}

static struct proto_desired_reader wish(const char *name, const char *host)
{
	struct proto_desired_reader w = {.port = 5084, .n_antennas = 2, .antennas = {1, 2}};

	snprintf(w.name, sizeof(w.name), "%s", name);
	snprintf(w.host, sizeof(w.host), "%s", host);
	return w;
}

static void hear(struct rfid_reader *r, uint16_t antenna)
{
	struct rfid_read read = {
		.antenna = antenna, .count = 1, .first_us = START_REAL, .last_us = START_REAL};

	r->cb.reads(r->user, &read, 1);
}

/* --- readers ---------------------------------------------------------------------------------- */

static void unchanged_readers_go_on_and_changed_ones_are_restarted(void **state)
{
	struct fixture *f = *state;
	struct proto_desired_reader list[2] = {wish("a", "10.0.0.1"), wish("b", "10.0.0.2")};

	readers_want(f->readers, list, 2);
	assert_int_equal(readers_made, 2);
	readers_want(f->readers, list, 2);
	run(f, 1000);
	assert_int_equal(readers_made, 2);

	list[1] = wish("b", "10.0.0.3");
	readers_want(f->readers, list, 2);
	assert_non_null(reader_twins[1]->stopped);
	reader_twins[1]->stopped(reader_twins[1]->stopped_user);
	assert_int_equal(readers_freed, 0); /* not from inside its own callback */
	run(f, 2000);
	assert_int_equal(readers_freed, 1);
	assert_int_equal(readers_made, 3);
	assert_string_equal(reader_twins[2]->host, "10.0.0.3");

	readers_want(f->readers, list, 1);
	reader_twins[2]->stopped(reader_twins[2]->stopped_user);
	run(f, 2000);
	assert_int_equal(readers_freed, 2);
	assert_int_equal(readers_made, 3);

	struct proto_health_reader rows[4];

	assert_int_equal(readers_health(f->readers, rows, 4), 1);
	assert_string_equal(rows[0].name, "a");
	assert_string_equal(rows[0].model, "twin");
}

static void a_lost_reader_is_suspended_at_the_antennas_it_was_heard_on(void **state)
{
	struct fixture *f = *state;
	struct proto_desired_reader list[1] = {wish("a", "10.0.0.1")};

	readers_want(f->readers, list, 1);

	struct rfid_reader *r = reader_twins[0];

	r->cb.state(r->user, RFID_READER_RUNNING, 0, NULL);
	hear(r, 2);
	r->cb.state(r->user, RFID_READER_WAITING, -ERR_CLOSED, "cable pulled");
	assert_int_equal(suspended, 1);
	assert_int_equal(last_source & 0xff, 2);

	struct proto_health_reader row;

	readers_health(f->readers, &row, 1);
	assert_string_equal(row.error, "cable pulled");
	r->cb.state(r->user, RFID_READER_CONNECTING, 0, NULL);
	assert_int_equal(suspended, 1);
	r->cb.state(r->user, RFID_READER_RUNNING, 0, NULL);
	assert_int_equal(resumed, 1);
	readers_health(f->readers, &row, 1);
	assert_string_equal(row.error, "");
	assert_int_equal(f->changes, 3);
}

static void reads_reach_the_filter_on_the_monotonic_clock(void **state)
{
	struct fixture *f = *state;
	struct proto_desired_reader list[1] = {wish("a", "10.0.0.1")};

	readers_want(f->readers, list, 1);
	hear(reader_twins[0], 1);
	assert_int_equal(last_read.first_us, START_MONO);
	hear(reader_twins[0], 0); /* no such antenna */
	hear(reader_twins[0], 200);
	assert_int_equal(last_source & 0xff, 1);
}

static bool keep_row(void *user, uint64_t seq, int64_t delta_us, const void *body, size_t len)
{
	(void) seq;
	(void) delta_us;
	return sighting_decode(body, len, user) == 0;
}

static void a_sighting_is_journaled_under_its_readers_name(void **state)
{
	struct fixture *f = *state;
	struct proto_desired_reader list[2] = {wish("a", "10.0.0.1"), wish("b", "10.0.0.2")};
	struct epc epc;
	struct presence_sighting s = {.kind = PRESENCE_GONE, .epc = &epc, .count = 7};
	struct sighting_row row;

	readers_want(f->readers, list, 2);
	hear(reader_twins[1], 2);
	assert_int_equal(epc_from_hex("303435fc8803d056d15b963f", &epc), 0);
	s.source = last_source;
	presence_twin->fn(presence_twin->user, &s);
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(journal_read(f->journal, JOURNAL_SIGHTINGS, 10, keep_row, &row), 0);
	assert_string_equal(row.reader, "b");
	assert_int_equal(row.antenna, 2);
	assert_int_equal(row.s.kind, SIGHTING_GONE);
	assert_int_equal(row.s.count, 7);
	assert_true(epc_equal(&row.s.epc, &epc));
}

static void count_stop(void *user)
{
	++*(unsigned int *) user;
}

static void stopping_waits_for_every_reader_and_tells_once(void **state)
{
	struct fixture *f = *state;
	struct proto_desired_reader list[2] = {wish("a", "10.0.0.1"), wish("b", "10.0.0.2")};
	unsigned int stops = 0;

	readers_want(f->readers, list, 2);
	readers_stop(f->readers, count_stop, &stops);
	run(f, 2000);
	assert_int_equal(stops, 0);
	assert_true(reader_twins[0]->left); /* its inventory goes on */
	reader_twins[0]->stopped(reader_twins[0]->stopped_user);
	run(f, 2000);
	assert_int_equal(stops, 0);
	reader_twins[1]->stopped(reader_twins[1]->stopped_user);
	run(f, 2000);
	assert_int_equal(stops, 1);
	assert_int_equal(readers_made, 2); /* nobody was started again */
}

static void what_was_heard_is_remembered_over_a_restart(void **state)
{
	struct fixture *f = *state;
	struct proto_desired_reader list[2] = {wish("a", "10.0.0.1"), wish("b", "10.0.0.2")};
	const int64_t heard_us = START_REAL - 5 * US_PER_SEC;

	readers_remember(f->readers, f->store);
	readers_want(f->readers, list, 2);
	assert_int_equal(reader_twins[0]->cfg.heard_until_us, 0);
	reader_twins[1]->ledger.heard_until_us = heard_us;
	run(f, 11 * US_PER_SEC);
	/* Killed: nothing more is written. */
	readers_free(f->readers);
	assert_int_equal(readers_new(f->loop, f->journal, &f->tb, on_change, f, &f->readers), 0);
	readers_remember(f->readers, f->store);
	readers_want(f->readers, list, 2);
	assert_int_equal(reader_twins[2]->cfg.heard_until_us, 0);
	assert_int_equal(reader_twins[3]->cfg.heard_until_us, heard_us);
	/* A reader that is restarted with another wish goes on from where it was. */
	reader_twins[3]->ledger.heard_until_us = heard_us + 7;
	list[1].session = 2;
	readers_want(f->readers, list, 2);
	reader_twins[3]->stopped(reader_twins[3]->stopped_user);
	run(f, 1000);
	assert_int_equal(reader_twins[4]->cfg.heard_until_us, heard_us + 7);
}

static void tell(enum presence_kind kind, uint32_t source, const char *hex)
{
	struct epc epc;
	struct presence_sighting s = {.kind = kind, .epc = &epc, .count = 1, .source = source};

	assert_int_equal(epc_from_hex(hex, &epc), 0);
	presence_twin->fn(presence_twin->user, &s);
}

static void what_was_in_view_is_back_in_the_filter_after_a_kill(void **state)
{
	struct fixture *f = *state;
	struct proto_desired_reader list[1] = {wish("a", "10.0.0.1")};

	readers_remember(f->readers, f->store);
	readers_want(f->readers, list, 1);
	hear(reader_twins[0], 2);
	tell(PRESENCE_APPEAR, last_source, "303435fc8803d056d15b963f");
	tell(PRESENCE_APPEAR, last_source, "303435fc8803d056d15b9640");
	tell(PRESENCE_REFRESH, last_source, "303435fc8803d056d15b963f");
	tell(PRESENCE_GONE, last_source, "303435fc8803d056d15b9640");
	run(f, 11 * US_PER_SEC);
	readers_free(f->readers);
	assert_int_equal(readers_new(f->loop, f->journal, &f->tb, on_change, f, &f->readers), 0);
	readers_remember(f->readers, f->store);
	restored = 0;
	readers_want(f->readers, list, 1);
	/* Not before the reader is there to tell whether it is true. */
	assert_int_equal(restored, 0);
	reader_twins[1]->cb.state(reader_twins[1]->user, RFID_READER_RUNNING, 0, NULL);
	assert_int_equal(restored, 1);
	assert_int_equal(last_source & 0xff, 2);
	/* And once only. */
	reader_twins[1]->cb.state(reader_twins[1]->user, RFID_READER_WAITING, -5, "lost");
	reader_twins[1]->cb.state(reader_twins[1]->user, RFID_READER_RUNNING, 0, NULL);
	assert_int_equal(restored, 1);
}

static void the_ledger_is_told_with_the_health(void **state)
{
	struct fixture *f = *state;
	struct proto_desired_reader list[1] = {wish("a", "10.0.0.1")};
	struct proto_health_reader row;

	readers_want(f->readers, list, 1);
	reader_twins[0]->ledger =
		(struct rfid_ledger){.reports = 9,
				     .handed_on = 7,
				     .unclaimed = 2,
				     .held = 3,
				     .gaps = 1,
				     .gaps_us = 500,
				     .last_gap = {RFID_GAP_OVERFLOW, START_REAL, START_REAL + 500}};
	assert_int_equal(readers_health(f->readers, &row, 1), 1);
	assert_int_equal(row.reports, 9);
	assert_int_equal(row.handed_on, 7);
	assert_int_equal(row.unclaimed, 2);
	assert_int_equal(row.held, 3);
	assert_string_equal(row.gap_cause, "overflow");
	assert_int_equal(row.gap_to_us - row.gap_from_us, 500);
}

/* --- labels ----------------------------------------------------------------------------------- */

static void remembered_labels_and_blobs_are_applied_before_any_controller_answers(void **state)
{
	struct fixture *f = *state;
	struct proto_desired_label label = {.addr = {1, 2, 3, 4, 5, 6}, .n = 1};
	struct proto_desired d = {.epoch = 1, .rev = 2, .n_labels = 1, .labels = &label};

	label.timeline[0].from_us = 99;
	assert_int_equal(store_desired_put(f->store, &d, NULL, NULL), 0);
	assert_int_equal(engine_twin->cb.save(engine_twin->user, "train", "x", 1), 0);
	labels_free(f->labels);
	make_labels(f);
	assert_int_equal(engine_twin->restored, 1);
	assert_int_equal(engine_twin->wants, 1);
	assert_int_equal(engine_twin->last_want.addr[5], 6);
	assert_int_equal(engine_twin->last_want.timeline[0].from_us, 99);
}

static bool keep_report(void *user, uint64_t seq, int64_t delta_us, const void *body, size_t len)
{
	struct proto_label_report *r = user;

	(void) seq;
	if (proto_label_report_decode(body, len, r) < 0)
		return false;
	r->at_us += delta_us;
	return true;
}

static void a_report_is_durable_before_the_blob_that_follows_it(void **state)
{
	struct fixture *f = *state;
	struct esl_report r = {.kind = ESL_SHOWN,
			       .grade = ESL_GRADE_ACKNOWLEDGED,
			       .at_us = START_REAL,
			       .temperature_cc = INT16_MIN,
			       .text = "ok"};
	struct proto_label_report seen = {0};

	engine_twin->cb.report(engine_twin->user, &r);
	assert_int_equal(journal_depth(f->journal, JOURNAL_LABELS), 0);
	assert_int_equal(engine_twin->cb.save(engine_twin->user, "c0ffee000001", "x", 1), 0);
	assert_int_equal(journal_depth(f->journal, JOURNAL_LABELS), 1);
	/* made before the clock was measured: corrected when it is sent */
	assert_true(timebase_sample(&f->tb, START_MONO, START_MONO, START_REAL + 60000000));
	assert_int_equal(journal_read(f->journal, JOURNAL_LABELS, 1, keep_report, &seen), 0);
	assert_int_equal(seen.kind, LABEL_SHOWN);
	assert_int_equal(seen.grade, EVIDENCE_ACKNOWLEDGED);
	assert_int_equal(seen.at_us, START_REAL + 60000000);
	assert_string_equal(seen.text, "ok");
}

static void the_engine_learns_the_clock_as_offset_to_the_real_one(void **state)
{
	struct fixture *f = *state;

	labels_clock(f->labels);
	assert_int_equal(engine_twin->clocks, 0); /* nothing to vouch for */
	assert_true(timebase_sample(&f->tb, START_MONO, START_MONO, START_REAL + 5000));
	labels_clock(f->labels);
	assert_int_equal(engine_twin->offset_us, 5000);
}

static void a_wish_for_sensors_reaches_the_engine_and_outlives_a_restart(void **state)
{
	struct fixture *f = *state;
	struct proto_desired_label label = {
		.addr = {1}, .rev = 2, .sensors_until_us = START_REAL + 7, .sensors = 5};
	struct proto_desired d = {.epoch = 1, .rev = 2, .n_labels = 1, .labels = &label};

	labels_want(f->labels, &label);
	assert_int_equal(engine_twin->last_want.sensors, 5);
	labels_set_sensor_period(f->labels, 3600);
	assert_int_equal(engine_twin->sensor_period_s, 3600);
	labels_set_sensor_period(f->labels, -1);
	assert_int_equal(engine_twin->sensor_period_s, 0);
	assert_int_equal(store_desired_put(f->store, &d, NULL, NULL), 0);
	labels_free(f->labels);
	make_labels(f);
	assert_int_equal(labels_start(f->labels), 0);
	assert_true(engine_twin->last_want.sensors_until_us == START_REAL + 7);
}

static void an_order_for_new_keys_outlives_a_restart(void **state)
{
	struct fixture *f = *state;
	struct proto_desired d = {.epoch = 1, .rev = 2, .rotate_keys_us = START_REAL};

	assert_int_equal(store_desired_put(f->store, &d, NULL, NULL), 0);
	d.rotate_keys_us = 0; /* a later answer says nothing of it */
	assert_int_equal(store_desired_put(f->store, &d, NULL, NULL), 0);
	labels_free(f->labels);
	make_labels(f);
	assert_true(timebase_sample(&f->tb, START_MONO, START_MONO, START_REAL + 5000));
	labels_clock(f->labels);
	assert_int_equal(engine_twin->rotate_before_us, START_REAL);
}

static void a_picture_is_fetched_once_checked_kept_and_handed_on(void **state)
{
	struct fixture *f = *state;
	uint8_t hash[IMAGE_HASH_BYTES];
	char path[128] = "/agent/v1/images/";

	image_hash("picture", 7, hash);
	hex_encode(hash, sizeof(hash), path + strlen(path));
	engine_twin->cb.need_image(engine_twin->user, hash);
	engine_twin->cb.need_image(engine_twin->user, hash);
	run(f, 2000);
	assert_int_equal(f->http->started, 1);
	fake_http_reply(fake_http_find(f->http, path), 200, "forgery", 7);
	assert_int_equal(engine_twin->images, 0);
	engine_twin->cb.need_image(engine_twin->user, hash);
	run(f, 2000);
	fake_http_reply(fake_http_find(f->http, path), 200, "picture", 7);
	assert_int_equal(engine_twin->images, 1);
	engine_twin->cb.need_image(engine_twin->user, hash);
	assert_int_equal(engine_twin->images, 2); /* from the cache, at once */
	assert_int_equal(f->http->started, 2);
}

static void pictures_are_asked_for_when_there_is_a_link_again(void **state)
{
	struct fixture *f = *state;
	uint8_t hash[IMAGE_HASH_BYTES];

	image_hash("picture", 7, hash);
	labels_online(f->labels, false);
	engine_twin->cb.need_image(engine_twin->user, hash);
	run(f, 2000);
	assert_int_equal(f->http->started, 0);
	labels_online(f->labels, true);
	run(f, 2000);
	assert_int_equal(f->http->started, 1);
	fake_http_reply(fake_http_find(f->http, "/agent/v1/images/"), 200, "picture", 7);
	assert_int_equal(engine_twin->images, 1);
}

static void a_picture_that_got_no_answer_is_asked_for_again_after_a_moment(void **state)
{
	struct fixture *f = *state;
	uint8_t hash[IMAGE_HASH_BYTES];

	image_hash("picture", 7, hash);
	engine_twin->cb.need_image(engine_twin->user, hash);
	run(f, 2000);
	fake_http_fail(fake_http_find(f->http, "/agent/v1/images/"), -ECONNREFUSED);
	run(f, 500 * US_PER_MS);
	assert_int_equal(f->http->started, 1);
	run(f, 600 * US_PER_MS);
	assert_int_equal(f->http->started, 2);
	fake_http_reply(fake_http_find(f->http, "/agent/v1/images/"), 200, "picture", 7);
	assert_int_equal(engine_twin->images, 1);
}

static void few_pictures_are_fetched_at_a_time_and_all_come(void **state)
{
	struct fixture *f = *state;
	unsigned int open = 0;

	for (uint8_t i = 0; i < 10; i++) {
		uint8_t hash[IMAGE_HASH_BYTES];

		image_hash(&i, 1, hash);
		engine_twin->cb.need_image(engine_twin->user, hash);
	}
	run(f, 2000);
	for (size_t i = 0; i < FAKE_HTTP_MAX; i++)
		open += f->http->open[i] != NULL;
	assert_int_equal(open, 2);
	for (unsigned int i = 0; i < 10; i++) {
		fake_http_reply(fake_http_find(f->http, "/agent/v1/images/"), 404, NULL, 0);
		run(f, 2000);
	}
	assert_int_equal(f->http->started, 10);
}

static void the_radio_state_is_told(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ struct proto_health *h = calloc(1, sizeof(*h));

	engine_twin->cb.radio(engine_twin->user, true, 0, NULL);
	labels_health(f->labels, h);
	assert_string_equal(h->radio_state, "running");
	assert_int_equal(h->labels_synced, 4);
	engine_twin->cb.radio(engine_twin->user, false, -ERR_CLOSED, "socket closed");
	labels_health(f->labels, h);
	assert_string_equal(h->radio_state, "down");
	assert_string_equal(h->radio_error, "socket closed");
	assert_int_equal(f->changes, 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(unchanged_readers_go_on_and_changed_ones_are_restarted),
		T(a_lost_reader_is_suspended_at_the_antennas_it_was_heard_on),
		T(reads_reach_the_filter_on_the_monotonic_clock),
		T(a_sighting_is_journaled_under_its_readers_name),
		T(stopping_waits_for_every_reader_and_tells_once),
		T(what_was_heard_is_remembered_over_a_restart),
		T(what_was_in_view_is_back_in_the_filter_after_a_kill),
		T(the_ledger_is_told_with_the_health),
		T(remembered_labels_and_blobs_are_applied_before_any_controller_answers),
		T(a_report_is_durable_before_the_blob_that_follows_it),
		T(the_engine_learns_the_clock_as_offset_to_the_real_one),
		T(a_wish_for_sensors_reaches_the_engine_and_outlives_a_restart),
		T(an_order_for_new_keys_outlives_a_restart),
		T(a_picture_is_fetched_once_checked_kept_and_handed_on),
		T(pictures_are_asked_for_when_there_is_a_link_again),
		T(a_picture_that_got_no_answer_is_asked_for_again_after_a_moment),
		T(few_pictures_are_fetched_at_a_time_and_all_come),
		T(the_radio_state_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
