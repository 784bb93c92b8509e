/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rollout/draft.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/gtin.h"
#include "controller/shop/product_text.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MAX_AHEAD_US (INT64_C(366) * 86400 * US_PER_SEC)
#define TIMEOUT_MAX_S      (7 * 86400)
#define SETTLE_MAX_S       86400
#define LEAD_MAX_S         3600
#define TIMEOUT_DEFAULT_S  3600
#define SETTLE_DEFAULT_S   120
#define STAGED_DEFAULT     95
#define FAILED_DEFAULT     5

void draft_init(struct draft *d)
{
	*d = (struct draft){.rules = {.staged_percent = STAGED_DEFAULT,
				      .timeout_us = TIMEOUT_DEFAULT_S * US_PER_SEC,
				      .failed_percent = FAILED_DEFAULT,
				      .settle_us = SETTLE_DEFAULT_S * US_PER_SEC},
			    .errors = json_array()};
	rollout_plan_default(&d->plan);
}

void draft_done(struct draft *d)
{
	free(d->changes);
	free(d->products);
	json_decref(d->errors);
	*d = (struct draft){.n = 0};
}

void draft_error(struct draft *d, const char *code, const char *detail, const char *pointer, ...)
{
	char at[120];
	va_list ap;

	if (++d->error_count > ROLLOUT_ERRORS_MAX)
		return;
	va_start(ap, pointer);
	vsnprintf(at, sizeof at, pointer, ap);
	va_end(ap);
	json_array_append_new(d->errors, json_pack("{s:s,s:s,s:s}", "pointer", at, "code", code,
						   "detail", detail));
}

/* --- texts and numbers -------------------------------------------------------------------------
 */

static bool is_there(const json_t *v)
{
	return v && !json_is_null(v);
}

static void read_text(struct draft *d, const json_t *v, const char *pointer, size_t max, char *to)
{
	char clean[PRODUCT_TEXT_MAX + 1];
	size_t at;

	if (!json_is_string(v) || json_string_length(v) > max ||
	    product_text_clean(json_string_value(v), json_string_length(v), clean, &at) < 0)
		draft_error(d, "too-long", "Text without control characters, and not that long.",
			    "%s", pointer);
	else
		memcpy(to, clean, strlen(clean) + 1); /* cleaning does not lengthen */
}

static void read_percent(struct draft *d, const json_t *v, const char *pointer, double least,
			 double *to)
{
	if (!is_there(v))
		return;
	if (!json_is_number(v) || json_number_value(v) < least || json_number_value(v) > 100)
		draft_error(d, "bad-number", "A percentage, at most 100.", "%s", pointer);
	else
		*to = json_number_value(v);
}

static void read_seconds(struct draft *d, const json_t *v, const char *pointer, int64_t least,
			 int64_t most, int64_t *to_us)
{
	if (!is_there(v))
		return;
	if (!json_is_integer(v) || json_integer_value(v) < least || json_integer_value(v) > most)
		draft_error(d, "bad-number", "A number of seconds within bounds.", "%s", pointer);
	else
		*to_us = json_integer_value(v) * US_PER_SEC;
}

static const json_t *read_object(struct draft *d, const json_t *body, const char *name)
{
	const json_t *v = json_object_get(body, name);

	if (!is_there(v))
		return NULL;
	if (!json_is_object(v))
		draft_error(d, "bad-value", "An object.", "/%s", name);
	return json_is_object(v) ? v : NULL;
}

static void read_rules(struct draft *d, const json_t *body)
{
	const json_t *gate = read_object(d, body, "gate"), *halt = read_object(d, body, "halt");

	read_percent(d, json_object_get(gate, "staged_percent"), "/gate/staged_percent", 0,
		     &d->rules.staged_percent);
	read_seconds(d, json_object_get(gate, "timeout_s"), "/gate/timeout_s", 1, TIMEOUT_MAX_S,
		     &d->rules.timeout_us);
	read_percent(d, json_object_get(halt, "failed_percent"), "/halt/failed_percent", 0,
		     &d->rules.failed_percent);
	read_seconds(d, json_object_get(body, "settle_s"), "/settle_s", 1, SETTLE_MAX_S,
		     &d->rules.settle_us);
	read_seconds(d, json_object_get(body, "lead_s"), "/lead_s", 1, LEAD_MAX_S,
		     &d->rules.lead_us);
}

static void read_waves(struct draft *d, const json_t *waves)
{
	double before = 0;
	const json_t *w;
	size_t i;

	if (!is_there(waves))
		return;
	if (!json_is_array(waves) || json_array_size(waves) == 0 ||
	    json_array_size(waves) > ROLLOUT_WAVES_MAX) {
		draft_error(d, "bad-waves", "A list of one to ten waves.", "/waves");
		return;
	}
	d->plan.n_waves = (int64_t) json_array_size(waves);
	json_array_foreach((json_t *) waves, i, w)
	{
		double percent = json_number_value(json_object_get(w, "percent"));

		if (!(percent > before) || percent > 100)
			draft_error(d, "bad-waves",
				    "Percentages rise from wave to wave, up to 100.",
				    "/waves/%zu/percent", i);
		d->plan.percents[i] = before = percent;
	}
	if (before != 100)
		draft_error(d, "bad-waves", "The last wave has 100 percent.", "/waves/%zu/percent",
			    json_array_size(waves) - 1);
}

static void read_start(struct draft *d, const json_t *v, int64_t now_us)
{
	int64_t us;

	if (!is_there(v))
		return;
	if (!json_is_string(v) || clock_parse_rfc3339(json_string_value(v), &us) < 0 ||
	    us > now_us + START_MAX_AHEAD_US)
		draft_error(d, "bad-time", "An RFC 3339 instant, at most a year ahead.", "/start");
	else
		d->start_us = us > now_us ? us : 0;
}

/* --- changes -----------------------------------------------------------------------------------
 */

static void read_price(struct draft *d, const json_t *o, const struct currency *cur, size_t i,
		       struct draft_change *c)
{
	const json_t *minor = json_object_get(o, "price_minor"),
		     *text = json_object_get(o, "price");
	int r = -ERR_SYNTAX;

	if (json_is_integer(minor) && !text) {
		c->price_minor = json_integer_value(minor);
		r = c->price_minor < 0 || c->price_minor > PRICE_MAX_MINOR ? -ERR_RANGE : 0;
	} else if (json_is_string(text) && !minor) {
		r = price_parse(json_string_value(text), json_string_length(text), cur,
				&c->price_minor);
	}
	if (r == -ERR_RANGE)
		draft_error(d, "negative-price", "A price is not negative, nor beyond all shelves.",
			    "/changes/%zu", i);
	else if (r == -ERR_CONFLICT)
		draft_error(d, "ambiguous-number", "That price may be read in two ways.",
			    "/changes/%zu/price", i);
	else if (r < 0)
		draft_error(d, "bad-number", "Either price_minor or price, a price.",
			    "/changes/%zu", i);
}

static void read_change(struct draft *d, const json_t *o, const struct currency *cur, size_t i)
{
	const json_t *id = json_object_get(o, "product_id"), *gtin = json_object_get(o, "gtin");
	struct draft_change *c = &d->changes[d->n++];

	*c = (struct draft_change){.index = i};
	if (json_is_integer(id) && json_integer_value(id) > 0 && !gtin) {
		c->product_id = json_integer_value(id);
	} else if (json_is_string(gtin) && !id) {
		if (gtin_parse(json_string_value(gtin), json_string_length(gtin), &c->gtin) < 0)
			draft_error(d, "bad-check-digit", "That is not a GTIN.",
				    "/changes/%zu/gtin", i);
	} else {
		draft_error(d, "no-such-product", "Give either product_id or gtin.", "/changes/%zu",
			    i);
	}
	read_price(d, o, cur, i, c);
}

static int read_changes(struct draft *d, const json_t *changes, const struct currency *cur)
{
	size_t n = json_array_size(changes), i;
	const json_t *o;

	if (n == 0 || n > ROLLOUT_CHANGES_MAX) {
		draft_error(d, "bad-changes", "A list of 1 to 20000 changes.", "/changes");
		return 0;
	}
	d->changes = calloc(n, sizeof *d->changes);
	d->products = calloc(n, sizeof *d->products);
	if (!d->changes || !d->products)
		return -ENOMEM;
	json_array_foreach((json_t *) changes, i, o)
	{
		read_change(d, o, cur, i);
	}
	return 0;
}

int draft_parse(struct draft *d, const json_t *body, const struct currency *cur, int64_t now_us,
		bool must_have_name)
{
	const json_t *name = json_object_get(body, "name"),
		     *reason = json_object_get(body, "reason"),
		     *currency = json_object_get(body, "currency");

	if (!d->errors)
		return -ENOMEM;
	memcpy(d->currency, cur->code, sizeof d->currency);
	if (must_have_name || is_there(name))
		read_text(d, name, "/name", ROLLOUT_NAME_MAX, d->name);
	if (must_have_name && !d->name[0] && d->error_count == 0)
		draft_error(d, "missing-name", "A rollout has a name.", "/name");
	if (is_there(reason))
		read_text(d, reason, "/reason", PRICE_REASON_MAX, d->why);
	if (is_there(currency) &&
	    (!json_is_string(currency) || strcmp(json_string_value(currency), cur->code) != 0))
		draft_error(d, "wrong-currency", "That is not this store's currency.", "/currency");
	read_start(d, json_object_get(body, "start"), now_us);
	read_rules(d, body);
	read_waves(d, json_object_get(body, "waves"));
	return read_changes(d, json_object_get(body, "changes"), cur);
}
