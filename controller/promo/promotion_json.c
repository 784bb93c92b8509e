/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/promo/promotion_json.h"
#include "common/clock.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *promotion_percent_text(int64_t milli, char buf[16])
{
	size_t n = (size_t) snprintf(buf, 16, "%d.%03d", (int) (milli / 1000) % 1000,
				     (int) (milli % 1000));

	while (n > 0 && buf[n - 1] == '0')
		buf[--n] = 0;
	if (n > 0 && buf[n - 1] == '.')
		buf[n - 1] = 0;
	return buf;
}

void promotion_warn(json_t *warnings, const char *code, const char *fmt, ...)
{
	char detail[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof detail, fmt, ap);
	va_end(ap);
	json_array_append_new(warnings, json_pack("{s:s,s:s}", "code", code, "detail", detail));
}

json_t *occurrence_json(const struct promotion *p, const struct occurrence *o)
{
	char start[CLOCK_RFC3339_MAX], end[CLOCK_RFC3339_MAX], note[WALLTIME_NOTE_MAX];
	char start_wall[WALLTIME_TEXT_MAX], end_wall[WALLTIME_TEXT_MAX];
	json_t *notes = json_array();

	if (walltime_note(&o->start, p->zone, WALLTIME_START, note)[0])
		json_array_append_new(notes, json_string(note));
	if (walltime_note(&o->end, p->zone, WALLTIME_END, note)[0])
		json_array_append_new(notes, json_string(note));
	return json_pack("{s:s,s:s,s:s,s:s,s:o}", "start", clock_rfc3339(o->start_us, start), "end",
			 clock_rfc3339(o->end_us, end), "start_wall",
			 walltime_format(&o->start, start_wall), "end_wall",
			 walltime_format(&o->end, end_wall), "notes", notes);
}

int promotion_occurrences_json(const struct promotion *p, int64_t now_us, json_t **ret)
{
	struct occurrence o[PROMOTION_SHOWN];
	json_t *list;
	int n = promotion_upcoming(p, now_us, PROMOTION_SHOWN, o);

	if (n == 0)
		n = promotion_upcoming(p, INT64_MIN, PROMOTION_SHOWN, o);
	if (n < 0)
		return n;
	list = json_array();
	for (int i = 0; i < n; i++)
		json_array_append_new(list, occurrence_json(p, &o[i]));
	*ret = list;
	return 0;
}

void promotion_warn_plain(const struct promotion *p, json_t *occurrences, json_t *warnings)
{
	size_t i, k;
	json_t *o, *note;

	json_array_foreach(occurrences, i, o)
	{
		json_array_foreach(json_object_get(o, "notes"), k, note)
			promotion_warn(warnings, "clock-change", "%s.", json_string_value(note));
	}
	if (p->select != PROMOTION_BY_LIST)
		promotion_warn(warnings, "live-selection",
			       "A product that comes to the %s later joins the promotion; one that"
			       " leaves it, leaves.",
			       p->select == PROMOTION_BY_BRAND ? "brand" : "category");
}

static json_t *select_json(const struct promotion *p)
{
	json_t *ids;

	if (p->select != PROMOTION_BY_LIST)
		return json_pack("{s:s}", p->select == PROMOTION_BY_BRAND ? "brand" : "category",
				 p->select_text);
	ids = json_array();
	for (size_t i = 0; i < p->n_products; i++)
		json_array_append_new(ids, json_integer(p->products[i]));
	return json_pack("{s:o}", "product_ids", ids);
}

/* The running or next occurrence as it is written, which a changed end may have moved. */
static int next_json(struct sql *s, const struct promotion *p, int64_t now_us, json_t **ret)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT start_wall, end_wall, start_at, end_at FROM promotion_occurrences"
		   " WHERE promotion_id = ? AND end_at > ? ORDER BY end_at LIMIT 1");
	struct occurrence o;
	int r;

	*ret = NULL;
	sql_bind_i64(q, 1, p->id);
	sql_bind_i64(q, 2, now_us);
	r = sql_step(q);
	if (r > 0 &&
	    walltime_parse(sql_col_text(q, 0), strlen(sql_col_text(q, 0)), &o.start) == 0 &&
	    walltime_parse(sql_col_text(q, 1), strlen(sql_col_text(q, 1)), &o.end) == 0) {
		o.start_us = sql_col_i64(q, 2);
		o.end_us = sql_col_i64(q, 3);
		*ret = occurrence_json(p, &o);
	}
	sql_reset(q);
	return r < 0 ? r : 0;
}

static json_t *or_null(json_t *v)
{
	return v ? v : json_null();
}

static json_t *pack(const struct promotion *p, enum promotion_state state)
{
	char start[WALLTIME_TEXT_MAX], end[WALLTIME_TEXT_MAX], created[CLOCK_RFC3339_MAX];
	char etag[24], percent[16], at[CLOCK_RFC3339_MAX];
	json_t *o = json_pack(
		"{s:I,s:s,s:s,s:o,s:o,s:s,s:o,s:s,s:s,s:s,s:o,s:s,s:s,s:s}", "id",
		(json_int_t) p->id, "name", p->name, "kind", p->percent_milli ? "percent" : "fixed",
		"percent",
		p->percent_milli ? json_string(promotion_percent_text(p->percent_milli, percent))
				 : json_null(),
		"price_minor", p->percent_milli ? json_null() : json_integer(p->price_minor),
		"currency", p->currency, "select", select_json(p), "zone", p->zone, "start",
		walltime_format(&p->start, start), "end", walltime_format(&p->end, end),
		"recurrence", p->recurrence[0] ? json_string(p->recurrence) : json_null(), "state",
		promotion_state_text(state), "created", clock_rfc3339(p->created_us, created), "by",
		p->who);

	snprintf(etag, sizeof etag, "%lld", (long long) p->rev);
	json_object_set_new(o, "etag", json_string(etag));
	json_object_set_new(o, "cancelled",
			    p->cancelled_us
				    ? json_pack("{s:s,s:s,s:o}", "at",
						clock_rfc3339(p->cancelled_us, at), "by",
						p->cancelled_by, "reason",
						p->cancel_reason[0] ? json_string(p->cancel_reason)
								    : json_null())
				    : json_null());
	return o;
}

int promotion_json(struct sql *s, const struct promotion *p, int64_t now_us, json_t **ret)
{
	json_t *o, *next = NULL, *occurrences = NULL, *warnings;
	int64_t products = 0, labels = 0;
	enum promotion_state state;
	int r = promotion_state_at(s, p, now_us, &state);

	if (r == 0)
		r = promotion_count(s, p, &products, &labels);
	if (r == 0 && p->stored == PROMOTION_SCHEDULED)
		r = next_json(s, p, now_us, &next);
	if (r == 0)
		r = promotion_occurrences_json(p, now_us, &occurrences);
	if (r < 0) {
		json_decref(next);
		return r;
	}
	if (p->stored == PROMOTION_DRAFT && json_array_size(occurrences) > 0)
		next = json_incref(json_array_get(occurrences, 0));
	warnings = json_array();
	promotion_warn_plain(p, occurrences, warnings);
	o = pack(p, state);
	json_object_set_new(o, "products", json_integer(products));
	json_object_set_new(o, "labels", json_integer(labels));
	json_object_set_new(o, "next", or_null(next));
	json_object_set_new(o, "occurrences", occurrences);
	json_object_set_new(o, "warnings", warnings);
	*ret = o;
	return 0;
}
