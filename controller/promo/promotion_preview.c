/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/v1/promotions/preview: what a promotion would do, before anything is done. */
#include "common/clock.h"
#include "common/err.h"
#include "common/gtin.h"
#include "controller/promo/offer_book.h"
#include "controller/promo/promo_internal.h"
#include "controller/promo/promotion_json.h"
#include "controller/shop/product.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PRODUCTS_MAX  20000 /* looked at one by one; the counts are of all */
#define CONFLICTS_MAX 100
#define SAMPLE_MAX    20

struct preview {
	struct shop_job job;
	struct http_request *rq;
	struct shop *shop;
	struct promotion p;
	int64_t now_us;
	int err;
	json_t *answer;
	/* while it is made */
	struct occurrence o[PROMOTION_SHOWN];
	int n_o;
	int64_t at_us; /* when it begins to show */
	json_t *conflicts, *sample;
	int64_t no_price, not_lower, not_real, in_conflict;
};

static json_t *or_null(bool has, int64_t v)
{
	return has ? json_integer(v) : json_null();
}

static json_t *gtin_json(uint64_t gtin)
{
	char text[GTIN_STR_MAX];

	return gtin ? json_string(gtin_format(gtin, text)) : json_null();
}

static void add_sample(struct preview *v, const struct product *p, const struct price_step *regular,
		       bool reduced, int64_t promo, bool has_prior, int64_t prior)
{
	if (json_array_size(v->sample) >= SAMPLE_MAX)
		return;
	json_array_append_new(
		v->sample,
		json_pack("{s:I,s:o,s:s,s:o,s:o,s:o,s:o,s:I}", "product_id", (json_int_t) p->id,
			  "gtin", gtin_json(p->gtin), "name", p->name, "regular_minor",
			  or_null(regular, regular ? regular->price_minor : 0), "promo_minor",
			  or_null(regular, promo), "was_minor",
			  or_null(reduced, regular ? regular->price_minor : 0), "prior_minor",
			  or_null(reduced && has_prior, prior), "labels", (json_int_t) p->labels));
}

static int name_of(struct sql *s, int64_t id, char *buf, size_t len)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT name FROM promotions WHERE id = ?");
	int r;

	sql_bind_i64(q, 1, id);
	r = sql_step(q);
	snprintf(buf, len, "%s", r > 0 ? sql_col_text(q, 0) : "");
	sql_reset(q);
	return r < 0 ? r : 0;
}

/* The instant from which both would hold; INT64_MAX = never. */
static int64_t meets(const struct preview *v, const struct offer_span *span)
{
	for (int i = 0; i < v->n_o; i++)
		if (span->start_us < v->o[i].end_us && span->end_us > v->o[i].start_us)
			return MAX(MAX(span->start_us, v->o[i].start_us), v->now_us);
	return INT64_MAX;
}

static int add_conflict(struct preview *v, struct sql *s, const struct product *p,
			const struct offer_book *b, const struct offer_span *span, int64_t at_us)
{
	const struct price_step *regular = offer_book_regular(b, at_us);
	struct offer_span mine = {.percent_milli = v->p.percent_milli,
				  .price_minor = v->p.price_minor};
	char name[PROMOTION_NAME_MAX + 1], detail[200], text[WALLTIME_TEXT_MAX] = "";
	struct walltime from;
	bool lower = regular && offer_promo_price(&mine, regular->price_minor) <
					offer_promo_price(span, regular->price_minor);
	int r = name_of(s, span->promotion_id, name, sizeof name);

	if (r < 0 || json_array_size(v->conflicts) >= CONFLICTS_MAX)
		return r;
	if (walltime_at(at_us, v->p.zone, &from) == 0)
		walltime_format(&from, text);
	snprintf(detail, sizeof detail, "From %s both hold; %s shows, because it is %s.", text,
		 lower ? "this promotion" : "the other promotion", lower ? "lower" : "not higher");
	json_array_append_new(v->conflicts, json_pack("{s:I,s:s,s:I,s:o,s:s}", "promotion_id",
						      (json_int_t) span->promotion_id, "name", name,
						      "product_id", (json_int_t) p->id, "gtin",
						      gtin_json(p->gtin), "detail", detail));
	return 0;
}

static int find_conflicts(struct preview *v, struct sql *s, const struct product *p,
			  const struct offer_book *b)
{
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < b->n_spans && r == 0; i++) {
		const struct offer_span *span = &b->spans[i];
		int64_t at = span->promotion_id == v->p.id ? INT64_MAX : meets(v, span);
		bool same = i > 0 && any && span[-1].promotion_id == span->promotion_id;

		if (at == INT64_MAX || same)
			continue;
		any = true;
		r = add_conflict(v, s, p, b, span, at);
	}
	v->in_conflict += any;
	return r;
}

static int look_at(struct preview *v, struct sql *s, int64_t product_id)
{
	struct offer_span mine = {.percent_milli = v->p.percent_milli,
				  .price_minor = v->p.price_minor};
	const struct price_step *regular;
	struct product p;
	struct offer_book b;
	int64_t promo = 0, prior = 0;
	bool reduced, has_prior;
	int r = product_load(s, product_id, v->now_us, &p);

	if (r == 0)
		r = offer_book_load(s, product_id, v->at_us - OFFER_PRIOR_US,
				    v->o[v->n_o - 1].end_us, &b);
	if (r < 0)
		return r;
	regular = offer_book_regular(&b, v->at_us);
	if (regular)
		promo = offer_promo_price(&mine, regular->price_minor);
	reduced = regular && promo < regular->price_minor;
	has_prior = offer_book_lowest(&b, v->at_us - OFFER_PRIOR_US, v->at_us, &prior);
	v->no_price += !regular;
	v->not_lower += regular && !reduced;
	v->not_real += reduced && has_prior && promo >= prior;
	add_sample(v, &p, regular, reduced, promo, has_prior, prior);
	r = find_conflicts(v, s, &p, &b);
	offer_book_done(&b);
	return r;
}

static int look_at_all(struct preview *v, struct sql *s)
{
	int64_t ids[256], after = 0;
	int n = 0;

	for (int64_t seen = 0; seen < PRODUCTS_MAX; seen += n) {
		n = promotion_chosen(s, &v->p, after, ARRAY_SIZE(ids), ids);
		if (n <= 0)
			break;
		for (int i = 0; i < n; i++) {
			int r = look_at(v, s, ids[i]);

			if (r < 0)
				return r;
		}
		after = ids[n - 1];
	}
	return n < 0 ? n : 0;
}

static void warn_of_prices(const struct preview *v, json_t *w)
{
	if (v->no_price)
		promotion_warn(w, "no-price",
			       "%lld products have no price yet; it does nothing for them.",
			       (long long) v->no_price);
	if (v->not_lower)
		promotion_warn(w, "not-lower",
			       "For %lld products it is not below the regular price, which goes on"
			       " showing.",
			       (long long) v->not_lower);
	if (v->not_real)
		promotion_warn(w, "no-real-reduction",
			       "%lld products were as cheap or cheaper within the 30 days before;"
			       " the label says so.",
			       (long long) v->not_real);
	if (v->in_conflict)
		promotion_warn(w, "conflict",
			       "%lld products are in another promotion at the same time; the lower"
			       " price shows.",
			       (long long) v->in_conflict);
}

static void warn_of_time(const struct preview *v, json_t *w)
{
	if (v->o[0].start_us < v->now_us)
		promotion_warn(w, "begins-at-once", "Its start has passed: it begins at once.");
	else if (v->o[0].start_us - v->now_us < INT64_C(3600) * US_PER_SEC)
		promotion_warn(w, "short-notice",
			       "It begins within the hour: not every label may have its picture"
			       " by then.");
	if (v->n_o > 1 && v->o[1].start_us - v->o[0].end_us < OFFER_PRIOR_US)
		promotion_warn(w, "repeats-within-30-days",
			       "It comes again within 30 days: from the second time on, the lowest"
			       " price of the 30 days before is its own.");
}

static int make_answer(struct preview *v, struct sql *s)
{
	int64_t products = 0, labels = 0;
	json_t *occurrences, *warnings;
	int r;

	v->n_o = promotion_upcoming(&v->p, v->now_us, PROMOTION_SHOWN, v->o);
	if (v->n_o <= 0)
		return v->n_o < 0 ? v->n_o : -ERR_RANGE;
	v->at_us = MAX(v->o[0].start_us, v->now_us);
	v->conflicts = json_array();
	v->sample = json_array();
	r = promotion_count(s, &v->p, &products, &labels);
	if (r == 0)
		r = look_at_all(v, s);
	if (r == 0)
		r = promotion_occurrences_json(&v->p, v->now_us, &occurrences);
	if (r < 0) {
		json_decref(v->conflicts);
		json_decref(v->sample);
		return r;
	}
	warnings = json_array();
	if (products == 0)
		promotion_warn(warnings, "no-products", "It is for no product at present.");
	else if (labels == 0)
		promotion_warn(warnings, "no-labels", "None of its products is on a label.");
	warn_of_time(v, warnings);
	warn_of_prices(v, warnings);
	promotion_warn_plain(&v->p, occurrences, warnings);
	v->answer = json_pack("{s:I,s:I,s:o,s:o,s:o,s:o}", "products", (json_int_t) products,
			      "labels", (json_int_t) labels, "occurrences", occurrences, "warnings",
			      warnings, "conflicts", v->conflicts, "sample", v->sample);
	return v->answer ? 0 : -ENOMEM;
}

static void preview_work(struct shop_job *job, struct shop_slot *slot)
{
	struct preview *v = (struct preview *) job;

	v->err = make_answer(v, slot->sql);
}

static void preview_done(struct shop_job *job)
{
	struct preview *v = (struct preview *) job;

	if (v->err < 0)
		http_reply_err(v->rq, v->err, "Preview");
	else
		http_reply_json(v->rq, 200, v->answer);
	promotion_done(&v->p);
	free(v);
}

/* An existing promotion's id, so that it is not in conflict with itself; a name need not be there
 * yet. */
static void take_extras(json_t *body, struct promotion *p)
{
	json_t *id = json_object_get(body, "id");

	if (json_is_integer(id)) {
		p->id = json_integer_value(id);
		json_object_del(body, "id");
	}
	if (json_is_null(json_object_get(body, "name")) || !json_object_get(body, "name") ||
	    (json_is_string(json_object_get(body, "name")) &&
	     !json_string_length(json_object_get(body, "name"))))
		json_object_set_new(body, "name", json_string("-"));
}

void promotion_api_preview(struct http_request *rq, struct app *app)
{
	struct promotion_reading reading = {.sql = db_reader(app->db),
					    .currency = app->shop->currency,
					    .now_us = clock_real_us(app->clock)};
	struct preview *v = calloc(1, sizeof *v);
	json_t *body = v ? http_json(rq) : NULL;
	int r;

	if (!v)
		http_reply_err(rq, -ENOMEM, "Preview");
	if (!body) {
		free(v);
		return;
	}
	v->job = (struct shop_job){.work = preview_work, .done = preview_done};
	v->rq = rq;
	v->shop = app->shop;
	v->now_us = reading.now_us;
	promotion_init(&v->p, app);
	take_extras(body, &v->p);
	r = promotion_read_whole(&reading, body, &v->p);
	json_decref(body);
	if (r < 0) {
		json_decref(reading.errors);
		http_reply_err(rq, r, "Preview");
	} else if (promotion_reply_faults(rq, &reading)) {
		shop_work_submit(app->shop->work, &v->job, false);
		return;
	}
	promotion_done(&v->p);
	free(v);
}
