/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/promo/promotion_read.h"
#include "common/err.h"
#include "common/gtin.h"
#include "controller/shop/product.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define OVERLAPS_LOOKED_AT 60

_printf_(4, 5) static void fault(struct promotion_reading *r, const char *pointer, const char *code,
				 const char *fmt, ...)
{
	char detail[256];
	va_list ap;

	if (json_array_size(r->errors) >= 20)
		return;
	va_start(ap, fmt);
	vsnprintf(detail, sizeof detail, fmt, ap);
	va_end(ap);
	json_array_append_new(r->errors, json_pack("{s:s,s:s,s:s}", "pointer", pointer, "code",
						   code, "detail", detail));
}

static json_t *given(json_t *body, const char *field)
{
	json_t *v = json_object_get(body, field);

	return json_is_null(v) ? NULL : v;
}

static void read_name(struct promotion_reading *r, json_t *body, struct promotion *p)
{
	json_t *v = json_object_get(body, "name");
	char clean[PRODUCT_TEXT_MAX + 1];
	size_t at;

	if (!v)
		return;
	r->has |= PROMOTION_HAS_NAME;
	if (!json_is_string(v) || json_string_length(v) > PROMOTION_NAME_MAX ||
	    product_text_clean(json_string_value(v), json_string_length(v), clean, &at) < 0 ||
	    !clean[0])
		fault(r, "/name", "bad-text", "A promotion has a name of at most %d bytes.",
		      PROMOTION_NAME_MAX);
	else
		snprintf(p->name, sizeof p->name, "%.*s", PROMOTION_NAME_MAX, clean);
}

/* "12.5" to 12500; 0 = it is none. */
static int64_t parse_percent(const char *text)
{
	int64_t v = 0;
	int decimals = -1;

	if (strlen(text) > 6 || !*text)
		return 0;
	for (; *text; text++) {
		if (*text == '.' && decimals < 0) {
			decimals = 0;
			continue;
		}
		if (*text < '0' || *text > '9' || decimals == 3)
			return 0;
		v = v * 10 + (*text - '0');
		decimals += decimals >= 0;
	}
	for (decimals = MAX(decimals, 0); decimals < 3; decimals++)
		v *= 10;
	return v > 0 && v < 100000 ? v : 0;
}

static void read_percent(struct promotion_reading *r, json_t *v, struct promotion *p)
{
	int64_t percent = json_is_string(v) ? parse_percent(json_string_value(v)) : 0;

	if (!percent) {
		fault(r, "/percent", "bad-percent",
		      "percent is decimal text such as \"12.5\", above 0 and below 100.");
		return;
	}
	p->percent_milli = percent;
	p->price_minor = 0;
}

static void read_price(struct promotion_reading *r, json_t *minor, json_t *text,
		       struct promotion *p)
{
	int64_t price = -1;

	if (minor && json_is_integer(minor))
		price = json_integer_value(minor);
	else if (text && json_is_string(text) &&
		 price_parse(json_string_value(text), json_string_length(text), &r->currency,
			     &price) < 0)
		price = -1;
	if (price < 0 || price > PRICE_MAX_MINOR) {
		fault(r, minor ? "/price_minor" : "/price", "bad-number",
		      "A fixed price is an amount in %s, not negative.", r->currency.code);
		return;
	}
	p->percent_milli = 0;
	p->price_minor = price;
}

static void read_terms(struct promotion_reading *r, json_t *body, struct promotion *p)
{
	json_t *kind = given(body, "kind"), *percent = given(body, "percent"),
	       *minor = given(body, "price_minor"), *text = given(body, "price"),
	       *currency = given(body, "currency");
	const char *word = json_is_string(kind) ? json_string_value(kind) : "";

	if (currency && (!json_is_string(currency) ||
			 strcmp(json_string_value(currency), r->currency.code) != 0))
		fault(r, "/currency", "wrong-currency", "This store's currency is %s.",
		      r->currency.code);
	memcpy(p->currency, r->currency.code, sizeof p->currency);
	if (!kind && !percent && !minor && !text)
		return;
	r->has |= PROMOTION_HAS_TERMS;
	if (kind && strcmp(word, "percent") != 0 && strcmp(word, "fixed") != 0)
		fault(r, "/kind", "bad-kind", "kind is percent or fixed.");
	else if ((percent != NULL) + (minor != NULL) + (text != NULL) != 1 ||
		 (kind && (strcmp(word, "percent") == 0) != (percent != NULL)))
		fault(r, percent ? "/price_minor" : "/percent", "bad-terms",
		      "Give percent for kind percent, or price_minor for kind fixed.");
	else if (percent)
		read_percent(r, percent, p);
	else
		read_price(r, minor, text, p);
}

static int by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

	return x < y ? -1 : x > y;
}

static int product_exists(struct sql *s, int64_t id)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT 1 FROM products WHERE id = ?");
	int r;

	sql_bind_i64(q, 1, id);
	r = sql_step(q);
	sql_reset(q);
	return r;
}

/* One entry of a list: 1 with its id, 0 = no such product. */
static int find_listed(struct promotion_reading *r, json_t *v, bool by_gtin, int64_t *ret_id)
{
	uint64_t gtin;
	int err;

	if (!by_gtin) {
		*ret_id = json_integer_value(v);
		return json_is_integer(v) ? product_exists(r->sql, *ret_id) : 0;
	}
	if (!json_is_string(v) ||
	    gtin_parse(json_string_value(v), json_string_length(v), &gtin) < 0)
		return 0;
	err = product_find_gtin(r->sql, gtin, ret_id);
	return err == -ENOENT ? 0 : err < 0 ? err : 1;
}

static int read_list(struct promotion_reading *r, json_t *list, bool by_gtin, struct promotion *p)
{
	const char *field = by_gtin ? "gtins" : "product_ids";
	size_t n = json_array_size(list), kept = 0;
	char pointer[64];
	int err;

	snprintf(pointer, sizeof pointer, "/select/%s", field);
	if (!json_is_array(list) || n == 0 || n > PROMOTION_LIST_MAX) {
		fault(r, pointer, "bad-select", "%s is a list of 1 to %d products.", field,
		      PROMOTION_LIST_MAX);
		return 0;
	}
	promotion_done(p);
	p->products = calloc(n, sizeof *p->products);
	if (!p->products)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		err = find_listed(r, json_array_get(list, i), by_gtin, &p->products[p->n_products]);
		if (err < 0)
			return err;
		snprintf(pointer, sizeof pointer, "/select/%s/%zu", field, i);
		if (err == 0)
			fault(r, pointer, "no-such-product", "There is no such product.");
		p->n_products += err > 0;
	}
	qsort(p->products, p->n_products, sizeof *p->products, by_id);
	for (size_t i = 0; i < p->n_products; i++)
		if (kept == 0 || p->products[kept - 1] != p->products[i])
			p->products[kept++] = p->products[i];
	p->n_products = kept;
	p->select = PROMOTION_BY_LIST;
	p->select_text[0] = 0;
	return 0;
}

static void read_group(struct promotion_reading *r, json_t *v, bool brand, struct promotion *p)
{
	char clean[PRODUCT_TEXT_MAX + 1];
	size_t at;

	if (!json_is_string(v) ||
	    product_text_clean(json_string_value(v), json_string_length(v), clean, &at) < 0 ||
	    !clean[0]) {
		fault(r, brand ? "/select/brand" : "/select/category", "bad-select",
		      "%s is the name of one, exactly as the products have it.",
		      brand ? "brand" : "category");
		return;
	}
	promotion_done(p);
	p->select = brand ? PROMOTION_BY_BRAND : PROMOTION_BY_CATEGORY;
	memcpy(p->select_text, clean, sizeof p->select_text);
}

static int read_select(struct promotion_reading *r, json_t *body, struct promotion *p)
{
	static const char *const fields[] = {"product_ids", "gtins", "brand", "category"};
	json_t *select = given(body, "select"), *found = NULL;
	size_t n = 0, which = 0;
	const char *key;
	json_t *value;

	if (!select)
		return 0;
	r->has |= PROMOTION_HAS_SELECT;
	json_object_foreach(select, key, value)
	{
		if (json_is_null(value))
			continue;
		n++;
		for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
			if (strcmp(key, fields[i]) == 0) {
				which = i;
				found = value;
			}
	}
	if (n != 1 || !found) {
		fault(r, "/select", "bad-select",
		      "Choose by exactly one of product_ids, gtins, brand, category.");
		return 0;
	}
	if (which < 2)
		return read_list(r, found, which == 1, p);
	read_group(r, found, which == 2, p);
	return 0;
}

static void read_wall(struct promotion_reading *r, json_t *body, const char *field,
		      unsigned int bit, struct walltime *ret)
{
	json_t *v = given(body, field);
	char pointer[16];
	int err;

	if (!v)
		return;
	r->has |= bit;
	err = json_is_string(v) ? walltime_parse(json_string_value(v), json_string_length(v), ret)
				: -ERR_SYNTAX;
	snprintf(pointer, sizeof pointer, "/%s", field);
	if (err == -ERR_RANGE)
		fault(r, pointer, "bad-time", "That is no day of a calendar from %d to %d.",
		      WALLTIME_MIN_YEAR, WALLTIME_MAX_YEAR);
	else if (err < 0)
		fault(r, pointer, "bad-time",
		      "%s is the time on the shop's clock, such as \"2026-11-27T08:00\".", field);
}

static void read_zone(struct promotion_reading *r, json_t *body, struct promotion *p)
{
	json_t *v = given(body, "zone");

	if (!v)
		return;
	r->has |= PROMOTION_HAS_ZONE;
	if (!json_is_string(v) || json_string_length(v) >= sizeof p->zone ||
	    !walltime_zone_known(json_string_value(v)))
		fault(r, "/zone", "bad-zone", "zone is an IANA name such as \"Europe/Berlin\".");
	else
		snprintf(p->zone, sizeof p->zone, "%s", json_string_value(v));
}

static void read_recurrence(struct promotion_reading *r, json_t *body, struct promotion *p)
{
	json_t *v = json_object_get(body, "recurrence");

	if (!v)
		return;
	r->has |= PROMOTION_HAS_RECURRENCE;
	if (!json_is_null(v) &&
	    (!json_is_string(v) || json_string_length(v) >= sizeof p->recurrence))
		fault(r, "/recurrence", "bad-recurrence",
		      "recurrence is an RRULE such as \"FREQ=WEEKLY;BYDAY=FR\".");
	else
		snprintf(p->recurrence, sizeof p->recurrence, "%s",
			 json_is_null(v) ? "" : json_string_value(v));
}

static void read_state(struct promotion_reading *r, json_t *body, struct promotion *p)
{
	json_t *v = given(body, "state");
	const char *text = json_is_string(v) ? json_string_value(v) : "";

	if (!v)
		return;
	r->has |= PROMOTION_HAS_STATE;
	if (strcmp(text, "draft") == 0)
		p->stored = PROMOTION_DRAFT;
	else if (strcmp(text, "scheduled") == 0)
		p->stored = PROMOTION_SCHEDULED;
	else
		fault(r, "/state", "bad-state", "state is draft or scheduled.");
}

static void refuse_unknown(struct promotion_reading *r, json_t *body)
{
	static const char *const known[] = {
		"name",   "kind", "percent", "price_minor", "price",      "currency",
		"select", "zone", "start",   "end",         "recurrence", "state",
	};
	const char *key;
	json_t *value;

	json_object_foreach(body, key, value)
	{
		bool ok = false;
		char pointer[64];

		for (size_t i = 0; i < ARRAY_SIZE(known) && !ok; i++)
			ok = strcmp(key, known[i]) == 0;
		snprintf(pointer, sizeof pointer, "/%.40s", key);
		if (!ok)
			fault(r, pointer, "unknown-field", "%.40s cannot be set here.", key);
	}
}

int promotion_read(struct promotion_reading *r, json_t *body, struct promotion *p)
{
	r->errors = json_array();
	r->has = 0;
	if (!r->errors)
		return -ENOMEM;
	refuse_unknown(r, body);
	read_name(r, body, p);
	read_terms(r, body, p);
	read_zone(r, body, p);
	read_wall(r, body, "start", PROMOTION_HAS_START, &p->start);
	read_wall(r, body, "end", PROMOTION_HAS_END, &p->end);
	read_recurrence(r, body, p);
	read_state(r, body, p);
	return read_select(r, body, p);
}

/* --- does it make sense? ----------------------------------------------------------------------
 */

static void fault_of_rule(struct promotion_reading *r, int err)
{
	if (err == -ERR_TOO_LARGE)
		fault(r, "/recurrence", "too-often", "A promotion comes again daily at most.");
	else if (err == -ERR_CONFLICT)
		fault(r, "/recurrence", "start-not-in-recurrence",
		      "The start is not itself a time of this recurrence.");
	else
		fault(r, "/recurrence", "bad-recurrence",
		      "Understood are FREQ (DAILY, WEEKLY, MONTHLY, YEARLY), INTERVAL, COUNT or"
		      " UNTIL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, WKST.");
}

static void check_plan(struct promotion_reading *r, struct promotion_plan *plan)
{
	struct occurrence o, before = {.end_us = INT64_MIN};
	bool any = false, ahead = false;

	/* an old rule may have many behind it: only those around now matter, and the first few */
	for (int n = 0; n < OVERLAPS_LOOKED_AT && promotion_plan_next(plan, &o);) {
		if (o.start_us < before.end_us) {
			fault(r, "/recurrence", "overlaps-itself",
			      "It would begin again before it has ended.");
			return;
		}
		any = true;
		ahead |= o.end_us > r->now_us;
		n += ahead;
		before = o;
	}
	if (!any)
		fault(r, "/end", "no-time", "Nothing is left between start and end.");
	else if (!ahead)
		fault(r, "/end", "over", "It would be over already.");
}

int promotion_check(struct promotion_reading *r, const struct promotion *p)
{
	_cleanup_(promotion_plan_freep) struct promotion_plan *plan = NULL;
	int err;

	if (json_array_size(r->errors) > 0)
		return 0;
	if (walltime_to_count(&p->end) <= walltime_to_count(&p->start)) {
		fault(r, "/end", "bad-order", "It ends after it starts.");
		return 0;
	}
	err = promotion_plan_new(p, &plan);
	if (err == -ENOMEM)
		return err;
	if (err < 0)
		fault_of_rule(r, err);
	else
		check_plan(r, plan);
	return 0;
}

int promotion_read_whole(struct promotion_reading *r, json_t *body, struct promotion *p)
{
	static const struct {
		unsigned int bit;
		const char *pointer, *detail;
	} needed[] = {
		{PROMOTION_HAS_NAME, "/name", "A promotion has a name."},
		{PROMOTION_HAS_TERMS, "/kind", "Say kind, and percent or price_minor."},
		{PROMOTION_HAS_SELECT, "/select", "Say which products it is for."},
		{PROMOTION_HAS_START, "/start", "Say when it starts."},
		{PROMOTION_HAS_END, "/end", "Say when it ends."},
	};
	int err = promotion_read(r, body, p);

	for (size_t i = 0; i < ARRAY_SIZE(needed) && err == 0; i++)
		if (!(r->has & needed[i].bit))
			fault(r, needed[i].pointer, "missing", "%s", needed[i].detail);
	return err < 0 ? err : promotion_check(r, p);
}
