/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_label_env.h"
#include "controller/promo/promo.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* fontconfig keeps its last pattern for the life of the process. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig";
}

static void start(struct env *e)
{
	e->app.loop = e->loop;
	e->app.clock = loop_clock(e->loop);
	e->app.config = &e->config;
	assert_int_equal(db_open(e->loop, e->dir, &e->app.db), 0);
	assert_int_equal(http_server_new(&e->app, &e->app.http), 0);
	assert_int_equal(shop_new(&e->app, &e->app.shop), 0);
	http_add_routes(e->app.http, shop_routes);
	assert_int_equal(rollouts_new(&e->app, &e->app.rollouts), 0);
	http_add_routes(e->app.http, rollout_routes);
	http_add_routes(e->app.http, promo_routes);
}

static void stop(struct env *e)
{
	db_drain(e->app.db);
	http_server_stop(e->app.http);
	rollouts_free(e->app.rollouts);
	shop_free(e->app.shop);
	http_server_free(e->app.http);
	db_close(e->app.db);
	memset(&e->app, 0, sizeof e->app);
}

int env_setup(void **state)
{
	struct env *e = calloc(1, sizeof *e);

	strcpy(e->dir, "/tmp/gondola-shop-XXXXXX");
	if (!mkdtemp(e->dir) || loop_new_virtual(0, ENV_START_US, &e->loop) < 0)
		return -1;
	e->config = (struct app_config){.state_dir = e->dir,
					.store_name = "Test",
					.store_zone = "UTC",
					.currency = "EUR",
					.labels_adopt_auto = true};
	start(e);
	env_settle(e);
	*state = e;
	return env_sql(e, "INSERT INTO agents(name, key_hash, created)"
			  " VALUES('ap-one', x'01', 0), ('ap-two', x'02', 0)");
}

static void remove_dir(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *f;
	char name[512];

	while (d && (f = readdir(d))) {
		if (f->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, f->d_name);
		if (unlink(name) < 0)
			remove_dir(name);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

int env_teardown(void **state)
{
	struct env *e = *state;

	stop(e);
	loop_free(e->loop);
	remove_dir(e->dir);
	free(e->body);
	free(e);
	return 0;
}

void env_restart(struct env *e)
{
	stop(e);
	start(e);
	env_settle(e);
}

void env_settle(struct env *e)
{
	for (int i = 0; i < 24; i++) {
		loop_run_once(e->loop, 0);
		db_drain(e->app.db);
	}
}

void env_advance(struct env *e, int64_t us)
{
	loop_run_until(e->loop, clock_mono_us(e->app.clock) + us);
	env_settle(e);
}

void env_set_clock(struct env *e, int64_t real_us)
{
	/* the virtual loop's clock is a fake one, of which the plain clock is the first part */
	struct clock_fake *f = (struct clock_fake *) (uintptr_t) loop_clock(e->loop);

	f->now_real_us = real_us;
}

static void on_answer(void *user, unsigned int status, const char *body, size_t len)
{
	struct env *e = user;

	e->answered = true;
	e->status = status;
	free(e->body);
	e->body = calloc(1, len + 1);
	e->len = len;
	if (len)
		memcpy(e->body, body, len);
}

static void inject(struct env *e, struct http_injection *in)
{
	e->answered = false;
	e->status = 0;
	in->done = on_answer;
	in->user = e;
	assert_int_equal(http_inject(e->app.http, in), 0);
	env_settle(e);
}

unsigned int env_call_as(struct env *e, unsigned int perms, const char *method, const char *uri,
			 const char *const *headers, const void *body, size_t len)
{
	static const char *const json[] = {"Content-Type", "application/json", NULL};
	struct http_who who = {.user_id = 7,
			       .user = "manager",
			       .perms = perms | PERM_SIGNED_IN,
			       .session = (const uint8_t *) "0123456789abcdef0123456789abcdef"};
	struct http_injection in = {.listener = HTTP_PUBLIC,
				    .method = method,
				    .uri = uri,
				    .headers = headers ? headers : json,
				    .body = body,
				    .body_len = len,
				    .who = &who};

	inject(e, &in);
	assert_true(e->answered);
	return e->status;
}

unsigned int env_call(struct env *e, const char *method, const char *uri, const char *json)
{
	return env_call_as(e, PERM_ALL, method, uri, NULL, json, json ? strlen(json) : 0);
}

void env_agent(struct env *e, int64_t agent_id, const char *method, const char *uri,
	       const void *body, size_t len)
{
	static const char *const cbor[] = {"Content-Type", PROTO_CONTENT_TYPE, NULL};
	struct http_who who = {.user = "", .perms = PERM_AGENT, .agent_id = agent_id};
	struct http_injection in = {.listener = HTTP_AGENTS,
				    .method = method,
				    .uri = uri,
				    .headers = cbor,
				    .body = body,
				    .body_len = len,
				    .who = &who};

	inject(e, &in);
}

json_t *env_json(struct env *e)
{
	json_t *o = json_loadb(e->body, e->len, 0, NULL);

	assert_non_null(o);
	return o;
}

static json_t *member(json_t *o, const char *path)
{
	char part[32];

	while (o && *path) {
		size_t n = strcspn(path, ".");

		snprintf(part, sizeof part, "%.*s", (int) n, path);
		o = json_is_array(o) ? json_array_get(o, (size_t) atoi(part))
				     : json_object_get(o, part);
		path += n;
		path += *path == '.';
	}
	return o;
}

const char *env_text(struct env *e, const char *path)
{
	static char text[512];
	json_t *o = env_json(e), *v = member(o, path);

	snprintf(text, sizeof text, "%s", json_is_string(v) ? json_string_value(v) : "");
	json_decref(o);
	return text;
}

int64_t env_int(struct env *e, const char *path)
{
	json_t *o = env_json(e), *v = member(o, path);
	int64_t n = json_is_integer(v) ? json_integer_value(v) : -1;

	json_decref(o);
	return n;
}

struct sql_op {
	const char *text;
	int result;
};

static int run_sql(struct sql *s, void *arg)
{
	struct sql_op *op = arg;

	op->result = sql_exec(s, op->text);
	return op->result;
}

int env_sql(struct env *e, const char *text)
{
	struct sql_op op = {.text = text};

	assert_int_equal(db_write(e->app.db, run_sql, NULL, &op), 0);
	db_drain(e->app.db);
	return op.result;
}

int64_t env_number(struct env *e, const char *text)
{
	struct sql *s;
	struct sql_stmt *q;
	int64_t v = -1;

	assert_int_equal(db_open_reader(e->app.db, &s), 0);
	q = sql_prepare(s, text);
	if (sql_step(q) > 0)
		v = sql_col_i64(q, 0);
	sql_reset(q);
	sql_close(s);
	return v;
}

struct proto_label_report env_report(uint64_t addr, enum label_report_kind kind, int64_t at_us)
{
	struct proto_label_report r = {
		.kind = (uint8_t) kind, .at_us = at_us, .temperature_cc = INT16_MIN};

	label_addr_bytes(addr, r.addr);
	return r;
}

unsigned int env_send(struct env *e, struct env_reports *from, struct proto_label_report *reports,
		      size_t n)
{
	struct proto_label_reports m = {
		.first_seq = from->next_seq + 1, .n = n, .reports = reports};
	struct buf b = BUF_INIT;

	memset(m.journal_id, 7, sizeof m.journal_id);
	assert_int_equal(proto_label_reports_encode(&m, &b), 0);
	env_agent(e, from->agent_id, "POST", "/agent/v1/labels", b.data, b.len);
	buf_done(&b);
	if (e->status == 200)
		from->next_seq += n;
	return e->status;
}

void env_new_label(struct env *e, struct env_reports *from, uint64_t addr)
{
	struct proto_label_report r[2] = {env_report(addr, LABEL_SEEN, ENV_START_US),
					  env_report(addr, LABEL_ASSOCIATED, ENV_START_US)};

	r[1].width = 296;
	r[1].height = 128;
	r[1].display_type = DISPLAY_BLACK_WHITE;
	r[1].slots = 3;
	r[1].has_keys = true;
	memset(r[1].response_key, 0xa5, PROTO_KEY_BYTES);
	memset(r[1].train_key, 0x5a, PROTO_KEY_BYTES);
	assert_int_equal(env_send(e, from, r, 2), 200);
}

int64_t env_new_product(struct env *e, const char *gtin, const char *name, const char *price)
{
	char body[256];
	int64_t id;

	snprintf(body, sizeof body, "{\"gtin\":\"%s\",\"name\":\"%s\"}", gtin, name);
	assert_int_equal(env_call(e, "POST", "/api/v1/products", body), 201);
	id = env_int(e, "id");
	snprintf(body, sizeof body, "{\"product_id\":%d,\"price\":\"%s\"}", (int) id, price);
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes", body), 201);
	return id;
}

void env_desired(struct env *e, int64_t agent_id, uint64_t after, struct proto_desired *ret)
{
	char uri[120];

	snprintf(uri, sizeof uri, "/agent/v1/desired?epoch=%llu&after=%llu",
		 (unsigned long long) db_epoch(e->app.db), (unsigned long long) after);
	env_agent(e, agent_id, "GET", uri, NULL, 0);
	assert_int_equal(e->status, 200);
	assert_int_equal(proto_desired_decode(e->body, e->len, ret, NULL), 0);
}
