/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A shelf for the tests of rollouts: products with labels of two access points, and labels that do
 * as they are told, or do not.
 */
#pragma once

#include "tests/unit/test_label_env.h"

#include "controller/shop/label.h"
#include <stdio.h>
#include <string.h>

#define SHELF_MAX 16
#define SECOND    US_PER_SEC
#define MINUTE    (60 * US_PER_SEC)

struct shelf {
	struct env *e;
	struct env_reports ap[2];
	size_t n; /**< products, each with one label */
	char gtin[SHELF_MAX][16];
	int64_t product[SHELF_MAX];
};

static inline uint64_t shelf_addr(size_t i)
{
	return UINT64_C(0xC0FFEE000001) + i;
}

static inline void shelf_gtin(size_t i, char gtin[16])
{
	int sum = 0;

	snprintf(gtin, 16, "4006381%05d", (int) i);
	for (int k = 0; k < 12; k++)
		sum += (gtin[k] - '0') * (k % 2 ? 3 : 1);
	gtin[12] = (char) ('0' + (10 - sum % 10) % 10);
	gtin[13] = 0;
}

/* Both access points poll: they are there, and have what is wanted. */
static inline void shelf_alive(struct shelf *s)
{
	for (int i = 0; i < 2; i++) {
		struct proto_desired d;

		env_desired(s->e, s->ap[i].agent_id, 0, &d);
		proto_desired_done(&d);
	}
}

static inline void shelf_pass(struct shelf *s, int64_t us)
{
	/* the writer thread lives in real time: give it its turn every second */
	for (int64_t t = 0; t < us; t += SECOND) {
		if (t % MINUTE == 0)
			shelf_alive(s);
		env_advance(s->e, MIN(SECOND, us - t));
	}
	shelf_alive(s);
	env_settle(s->e);
}

static inline void shelf_link(struct shelf *s, size_t label, size_t product)
{
	char uri[80], body[80], id[LABEL_ID_MAX];

	snprintf(uri, sizeof uri, "/api/v1/labels/%s/link", label_id_format(shelf_addr(label), id));
	snprintf(body, sizeof body, "{\"product_id\":%lld,\"relink\":true}",
		 (long long) s->product[product]);
	assert_int_equal(env_call(s->e, "PUT", uri, body), 200);
}

/* Product i has label i, of access point 1 and 2 by turns; it costs 1.00 and shows that. */
static inline void shelf_open(struct shelf *s, struct env *e, size_t n)
{
	*s = (struct shelf){.e = e, .ap = {{.agent_id = 1}, {.agent_id = 2}}, .n = n};
	for (size_t i = 0; i < n; i++) {
		char name[32];

		shelf_gtin(i, s->gtin[i]);
		snprintf(name, sizeof name, "Product %d", (int) i);
		s->product[i] = env_new_product(e, s->gtin[i], name, "1.00");
		env_new_label(e, &s->ap[i % 2], shelf_addr(i));
		shelf_link(s, i, i);
	}
	shelf_pass(s, SECOND);
}

static inline struct label shelf_label(struct shelf *s, size_t i)
{
	struct label l;

	assert_int_equal(label_load(db_reader(s->e->app.db), shelf_addr(i), &l), 0);
	return l;
}

static inline const struct label_wish *shelf_held(struct label *l)
{
	return l->n_wanted && l->wanted[l->n_wanted - 1].from_us == PROTO_HOLD_US
		       ? &l->wanted[l->n_wanted - 1]
		       : NULL;
}

static inline void shelf_report(struct shelf *s, size_t i, enum label_report_kind kind,
				const uint8_t *image, int grade)
{
	struct label l = shelf_label(s, i);
	struct proto_label_report r =
		env_report(shelf_addr(i), kind, clock_real_us(s->e->app.clock));

	if (image)
		memcpy(r.image, image, IMAGE_HASH_BYTES);
	r.grade = (uint8_t) grade;
	if (kind == LABEL_LOST)
		snprintf(r.text, sizeof r.text, "It is silent.");
	assert_int_equal(env_send(s->e, &s->ap[l.agent_id - 1], &r, 1), 200);
}

/* The label says that it has what it is to keep. */
static inline void shelf_stage(struct shelf *s, size_t i)
{
	struct label l = shelf_label(s, i);
	const struct label_wish *held = shelf_held(&l);

	assert_non_null(held);
	shelf_report(s, i, LABEL_STAGED, held->image, 0);
}

/* The label says that it shows what it is to show now. */
static inline void shelf_show(struct shelf *s, size_t i, int grade)
{
	struct label l = shelf_label(s, i);
	const struct label_wish *w = label_wish_at(&l, clock_real_us(s->e->app.clock));

	assert_non_null(w);
	shelf_report(s, i, LABEL_SHOWN, w->image, grade);
}

/* What the label should show now, in minor units. */
static inline int64_t shelf_price(struct shelf *s, size_t i)
{
	struct label l = shelf_label(s, i);
	const struct label_wish *w = label_wish_at(&l, clock_real_us(s->e->app.clock));

	return w && w->has_price ? w->price_minor : -1;
}

/* Body for a rollout of the first n products at 1.50; `more` is further members. */
static inline void shelf_body(const struct shelf *s, size_t n, const char *more, char *buf,
			      size_t cap)
{
	size_t at = (size_t) snprintf(buf, cap,
				      "{\"name\":\"Spring\",\"lead_s\":10,%s\"changes\":[", more);

	for (size_t i = 0; i < n; i++)
		at += (size_t) snprintf(buf + at, cap - at,
					"%s{\"gtin\":\"%s\",\"price_minor\":150}", i ? "," : "",
					s->gtin[i]);
	snprintf(buf + at, cap - at, "]}");
}

static inline int64_t shelf_start(struct shelf *s, size_t n, const char *more)
{
	char body[4096];

	shelf_body(s, n, more, body, sizeof body);
	assert_int_equal(env_call(s->e, "POST", "/api/v1/rollouts", body), 201);
	shelf_alive(s);
	env_settle(s->e);
	return env_number(s->e, "SELECT max(id) FROM rollouts");
}

static inline void shelf_get(struct shelf *s, int64_t id)
{
	char uri[64];

	snprintf(uri, sizeof uri, "/api/v1/rollouts/%lld", (long long) id);
	assert_int_equal(env_call(s->e, "GET", uri, NULL), 200);
}

static inline const char *shelf_state(struct shelf *s, int64_t id)
{
	shelf_get(s, id);
	return env_text(s->e, "state");
}

static inline int64_t shelf_count(struct shelf *s, int64_t id, const char *what)
{
	shelf_get(s, id);
	return env_int(s->e, what);
}

static inline unsigned int shelf_say(struct shelf *s, int64_t id, const char *verb,
				     const char *body)
{
	char uri[64];
	unsigned int status;

	snprintf(uri, sizeof uri, "/api/v1/rollouts/%lld/%s", (long long) id, verb);
	status = env_call(s->e, "POST", uri, body);
	env_settle(s->e);
	return status;
}

/* State of label i in the rollout. */
static inline const char *shelf_label_state(struct shelf *s, int64_t id, size_t i, char buf[400])
{
	struct sql_stmt *q;

	buf[0] = 0;
	q = sql_prepare(db_reader(s->e->app.db),
			"SELECT state || ': ' || reason FROM rollout_labels"
			" WHERE rollout_id = ? AND addr = ?");
	sql_bind_i64(q, 1, id);
	sql_bind_i64(q, 2, (int64_t) shelf_addr(i));
	if (sql_step(q) > 0)
		snprintf(buf, 400, "%s", sql_col_text(q, 0));
	sql_reset(q);
	return buf;
}

#define TWO_WAVES "\"waves\":[{\"percent\":25},{\"percent\":100}],"

/* Wave 1 is staged and has its instant. */
static inline int64_t shelf_flip_first(struct shelf *s)
{
	int64_t id = shelf_start(s, 4, TWO_WAVES);

	shelf_stage(s, 0);
	shelf_pass(s, 3 * SECOND);
	assert_string_equal(shelf_state(s, id), "flipping");
	return id;
}

/* And has flipped; whether its label says so is the caller's. */
static inline int64_t shelf_settle_first(struct shelf *s)
{
	int64_t id = shelf_flip_first(s);

	shelf_pass(s, 10 * SECOND);
	assert_string_equal(shelf_state(s, id), "settling");
	return id;
}
