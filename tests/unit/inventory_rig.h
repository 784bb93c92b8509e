/* SPDX-License-Identifier: Apache-2.0 */
/** @file The inventory without sockets: a loop, a state directory, requests that are waited for. */
#pragma once

#include "tests/unit/test_common.h"

#include "common/err.h"
#include "common/proto.h"
#include "controller/app_config.h"
#include "controller/db/db.h"
#include "controller/http/http.h"
#include "controller/inventory/inventory_internal.h"
#include "controller/perm.h"
#include <ftw.h>
#include <stdio.h>
#include <string.h>

#define RIG_AGENT 7

struct rig {
	char dir[64];
	struct app_config config;
	struct app app;
	unsigned int status;
	json_t *json;
	char *text; /**< of the last reply that was no CBOR */
	struct proto_ack ack;
	uint64_t seq, reads_seq;
	bool done;
};

static inline void rig_start(struct rig *r)
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

static inline void rig_stop(struct rig *r)
{
	http_server_stop(r->app.http);
	inventory_free(r->app.inventory);
	http_server_free(r->app.http);
	db_close(r->app.db);
	loop_free(r->app.loop);
}

static inline int make_rig(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	strcpy(r->dir, "/tmp/gondola-inventory-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	r->seq = r->reads_seq = 1;
	rig_start(r);
	*state = r;
	return 0;
}

static inline int rig_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void) st;
	(void) type;
	(void) ftw;
	return remove(path);
}

static inline int drop_rig(void **state)
{
	struct rig *r = *state;

	rig_stop(r);
	json_decref(r->json);
	free(r->text);
	(void) nftw(r->dir, rig_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(r);
	return 0;
}

static inline void on_reply(void *user, unsigned int status, const char *body, size_t len)
{
	struct rig *r = user;

	r->status = status;
	json_decref(r->json);
	free(r->text);
	r->text = len ? strndup(body, len) : NULL;
	r->json = len ? json_loadb(body, len, 0, NULL) : NULL;
	if (status == 200 && !r->json && len)
		(void) !proto_ack_decode(body, len, &r->ack, NULL);
	r->done = true;
}

static inline void ask(struct rig *r, enum http_listener door, const char *method, const char *uri,
		       const void *body, size_t len)
{
	static const char *const as_json[] = {"Content-Type", "application/json", NULL};
	static const char *const as_cbor[] = {"Content-Type", PROTO_CONTENT_TYPE, NULL};
	struct http_who person = {.user_id = 1, .user = "eva", .perms = PERM_ALL | PERM_SIGNED_IN};
	struct http_who agent = {.user = "", .perms = PERM_AGENT, .agent_id = RIG_AGENT};
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

static inline json_t *get(struct rig *r, const char *uri)
{
	ask(r, HTTP_PUBLIC, "GET", uri, NULL, 0);
	assert_int_equal(r->status, 200);
	return r->json;
}

static inline void put(struct rig *r, const char *method, const char *uri, const char *body)
{
	ask(r, HTTP_PUBLIC, method, uri, body, body ? strlen(body) : 0);
}

/* One sighting of a tag at an antenna of reader "dock". */
static inline void sight(struct rig *r, const char *epc, uint16_t antenna, enum sighting_kind kind,
			 int16_t rssi_cdbm)
{
	struct proto_source source = {"dock", antenna};
	int64_t now_us = clock_real_us(r->app.clock);
	struct proto_sighting s = {.kind = (uint8_t) kind,
				   .first_us = now_us,
				   .last_us = now_us,
				   .count = 3,
				   .rssi_cdbm = rssi_cdbm,
				   .peak_cdbm = rssi_cdbm,
				   .rate_mhz = 5000};
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

/* Entries of raw reads, numbered from `first`. */
static inline void bring(struct rig *r, uint64_t first, struct proto_reads_entry *entries, size_t n)
{
	struct proto_reads m = {.journal_id = {2}, .first_seq = first, .n = n, .entries = entries};
	_cleanup_buf_ struct buf b = BUF_INIT;

	assert_int_equal(proto_reads_encode(&m, &b), 0);
	ask(r, HTTP_AGENTS, "POST", "/agent/v1/reads", b.data, b.len);
}

static inline const char *text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static inline int64_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static inline json_t *item(const json_t *list, size_t i)
{
	return json_array_get(json_object_get(list, "items"), i);
}

static inline int rig_exec(struct sql *s, void *arg)
{
	return sql_exec(s, arg);
}

static inline void rig_wrote(void *arg, int err)
{
	(void) arg;
	assert_int_equal(err, 0);
}

/* Some rows by hand. */
static inline void rig_sql(struct rig *r, char *text_)
{
	assert_int_equal(db_write(r->app.db, rig_exec, rig_wrote, text_), 0);
	db_drain(r->app.db);
}
