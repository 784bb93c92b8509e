/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/agent_link_rig.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void cb_desired(void *user, const struct proto_desired *d)
{
	struct fixture *f = user;

	f->desired++;
	f->last_rev = d->rev;
}

static void cb_clock(void *user)
{
	((struct fixture *) user)->clocks++;
}

static void cb_health(void *user, struct proto_health *h)
{
	((struct fixture *) user)->healths++;
	snprintf(h->version, sizeof(h->version), "1");
}

static void cb_linked(void *user)
{
	((struct fixture *) user)->linked++;
}

static void cb_revoked(void *user)
{
	((struct fixture *) user)->revoked++;
}

static void cb_none(void *user)
{
	(void) user;
}

static void kick(void *user, unsigned int streams)
{
	struct fixture *f = user;

	if (f->link)
		link_kick(f->link, streams);
}

int setup(void **state)
{
	static const struct link_callbacks cb = {.desired = cb_desired,
						 .clock = cb_clock,
						 .health = cb_health,
						 .linked = cb_linked,
						 .revoked = cb_revoked,
						 .renewed = cb_none};
	static const struct store_config store_cfg;
	struct fixture *f = calloc(1, sizeof(*f));
	char path[96];

	strcpy(f->dir, "/tmp/agent-link-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(path, sizeof(path), "%s/agent.db", f->dir);
	f->now = 1000000;
	assert_int_equal(loop_new_virtual(f->now, START_REAL, &f->loop), 0);
	timebase_init(&f->tb, loop_clock(f->loop), 5);
	assert_int_equal(store_open(path, &store_cfg, &f->store), 0);
	assert_int_equal(journal_new(f->loop, f->store, &f->tb, kick, f, &f->journal), 0);
	assert_int_equal(identity_open(f->dir, &f->identity), 0);
	assert_int_equal(trust_new(&f->tb, &f->trust), 0);
	assert_int_equal(http_client_new(f->loop, NULL, &f->http), 0);

	const struct link_config cfg = {.http = f->http,
					.journal = f->journal,
					.tb = &f->tb,
					.identity = f->identity,
					.trust = f->trust,
					.name = "ap-1",
					.version = "1",
					.caps = 3,
					.epoch = 7,
					.rev = 10,
					.seed = 42};

	assert_int_equal(link_new(f->loop, &cfg, &cb, f, &f->link), 0);
	*state = f;
	return 0;
}

int teardown(void **state)
{
	static const char *const files[] = {"agent.db", "agent.db-wal", "key.pem"};
	struct fixture *f = *state;
	char path[128];

	link_free(f->link);
	f->link = NULL;
	journal_free(f->journal);
	http_client_free(f->http);
	trust_free(f->trust);
	identity_free(f->identity);
	store_close(f->store);
	loop_free(f->loop);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, files[i]);
		unlink(path);
	}
	rmdir(f->dir);
	free(f);
	return 0;
}

void run(struct fixture *f, int64_t us)
{
	f->now += us;
	loop_run_until(f->loop, f->now);
}

int64_t server_now(const struct fixture *f)
{
	return clock_real_us(loop_clock(f->loop)) + SERVER_AHEAD;
}

void answer_health(struct fixture *f)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_health_response m = {.server_time_us = server_now(f)};
	struct http_call *call = fake_http_find(f->http, "/agent/v1/health");

	assert_non_null(call);
	assert_int_equal(proto_health_response_encode(&m, &b), 0);
	fake_http_reply(call, 200, b.data, b.len);
}

void answer_desired(struct fixture *f, uint64_t epoch, uint64_t rev, bool full)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_desired m = {
		.epoch = epoch, .rev = rev, .full = full, .server_time_us = server_now(f)};
	struct http_call *call = fake_http_find(f->http, "/agent/v1/desired");

	assert_non_null(call);
	assert_int_equal(proto_desired_encode(&m, &b), 0);
	fake_http_reply(call, 200, b.data, b.len);
}

void answer_ack(struct fixture *f, const char *path, uint64_t acked)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_ack m = {.acked = acked, .server_time_us = server_now(f)};
	struct http_call *call = fake_http_find(f->http, path);

	assert_non_null(call);
	assert_int_equal(proto_ack_encode(&m, &b), 0);
	fake_http_reply(call, 200, b.data, b.len);
}

void add_sighting(struct fixture *f)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct sighting_row row = {.reader = "dock", .antenna = 1, .s = {.kind = 1}};
	int64_t mono = clock_mono_us(loop_clock(f->loop));

	row.s.first_us = row.s.last_us = mono;
	assert_int_equal(epc_from_hex("3034257bf7194e4000001a85", &row.s.epc), 0);
	assert_int_equal(sighting_encode(&row, &b), 0);
	assert_int_equal(journal_add(f->journal, JOURNAL_SIGHTINGS, false, b.data, b.len), 0);
}

void bring_up(struct fixture *f)
{
	link_start(f->link);
	run(f, 1000);
	answer_health(f);
	answer_desired(f, 7, 10, false);
	run(f, 2000000);
	assert_true(link_online(f->link));
	assert_int_equal(f->linked, 1);
}
