/* SPDX-License-Identifier: Apache-2.0 */
/** @file A shop with one product on one label, and words for what its promotions do. */
#pragma once

#include "common/clock.h"
#include "tests/unit/test_label_env.h"
#include <stdio.h>
#include <string.h>

#define ADDR  UINT64_C(0xC0FFEE000001)
#define LABEL "/api/v1/labels/C0FFEE000001"
#define GTIN  "4006381333931"
#define GTIN2 "5901234123457"
#define HOUR  (INT64_C(3600) * US_PER_SEC)
#define DAY   (24 * HOUR)

/* The test's shop opens on Wednesday 2026-11-18 at 11:06:40, in UTC. */
#define TERMS                                                                                      \
	"\"name\":\"Black Friday\",\"kind\":\"percent\",\"percent\":\"25\","                       \
	"\"select\":{\"product_ids\":[1]}"
#define PROMO "{" TERMS ",\"start\":\"2026-11-18T14:00\",\"end\":\"2026-11-18T20:00\"}"

static inline int64_t at(const char *text)
{
	int64_t us = 0;

	assert_int_equal(clock_parse_rfc3339(text, &us), 0);
	return us;
}

static inline void go_to(struct env *e, const char *text)
{
	env_advance(e, at(text) - clock_real_us(e->app.clock));
}

static inline unsigned int post(struct env *e, const char *body)
{
	return env_call(e, "POST", "/api/v1/promotions", body);
}

static inline void one_label(struct env *e)
{
	struct env_reports ap = {.agent_id = 1};

	env_new_product(e, GTIN, "Pencil", "2.00");
	env_new_label(e, &ap, ADDR);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
}

/* "200 150@14:00 200@20:00": what the label's timeline says from now on. */
static inline const char *timeline(struct env *e)
{
	static char text[512];
	size_t n = 0;
	json_t *o, *ahead, *w;
	size_t i;

	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	o = env_json(e);
	w = json_object_get(o, "wanted");
	n += (size_t) snprintf(text, sizeof text, "%d",
			       (int) json_integer_value(json_object_get(w, "price_minor")));
	ahead = json_object_get(o, "ahead");
	json_array_foreach(ahead, i, w)
	{
		const char *from = json_string_value(json_object_get(w, "from"));

		n += (size_t) snprintf(text + n, sizeof text - n, " %d@%.5s",
				       (int) json_integer_value(json_object_get(w, "price_minor")),
				       from ? from + 11 : "held");
	}
	json_decref(o);
	return text;
}

static inline const char *offer(struct env *e)
{
	static char text[80];

	assert_int_equal(env_call(e, "GET", "/api/v1/promotions/1/products", NULL), 200);
	snprintf(text, sizeof text, "%d was %d prior %d",
		 (int) env_int(e, "items.0.offer.price_minor"),
		 (int) env_int(e, "items.0.offer.was_minor"),
		 (int) env_int(e, "items.0.offer.prior_minor"));
	return text;
}

static inline const char *state_of(struct env *e, int id)
{
	char uri[64];

	snprintf(uri, sizeof uri, "/api/v1/promotions/%d", id);
	assert_int_equal(env_call(e, "GET", uri, NULL), 200);
	return env_text(e, "state");
}

static inline void price(struct env *e, const char *amount)
{
	char body[80];

	snprintf(body, sizeof body, "{\"product_id\":1,\"price\":\"%s\"}", amount);
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes", body), 201);
}
