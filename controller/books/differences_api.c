/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/differences: all products, and what belongs to none. */
#include "common/gtin.h"
#include "controller/books/difference_json.h"
#include "controller/shop/product.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- objects -----------------------------------------------------------------------------------
 */

json_t *difference_reason_json(enum rec_reason code, const char *text)
{
	return json_pack("{s:s,s:s}", "code", rec_reason_str(code), "text", text);
}

static json_t *number(bool known, int64_t n)
{
	return known ? json_integer(n) : json_null();
}

static const char *place_text(const struct view_row *row, const struct view_place *p,
			      int64_t now_us, char buf[REASON_TEXT_MAX])
{
	int64_t d = p->r.f.difference;

	if (p->r.reason == REC_MATCHING)
		return "Seen and expected agree here.";
	if (p->r.reason != REC_MISPLACED)
		return reason_text(row, now_us, buf);
	snprintf(buf, REASON_TEXT_MAX, "%lld %s here, and elsewhere the other way round.",
		 (long long) (d < 0 ? -d : d), d < 0 ? "too few" : "too many");
	return buf;
}

static json_t *place_json(const struct books *b, const struct view_row *row,
			  const struct view_place *p, int64_t now_us)
{
	char text[REASON_TEXT_MAX];

	return json_pack("{s:o,s:o,s:o,s:I,s:I,s:I,s:o}", "place_id", books_place_id_json(p->place),
			 "place", books_place_name_json(b, p->place), "book",
			 number(p->r.has_book, p->r.f.book), "expected",
			 (json_int_t) p->r.f.expected, "seen", (json_int_t) p->r.f.seen,
			 "difference", (json_int_t) p->r.f.difference, "reason",
			 difference_reason_json(p->r.reason, place_text(row, p, now_us, text)));
}

static json_t *places_json(const struct books *b, const struct view_row *row,
			   const struct books_view *v)
{
	json_t *list = json_array();

	for (uint32_t i = 0; row->by_place && i < row->n_places; i++)
		json_array_append_new(list,
				      place_json(b, row, &v->places[row->places + i], v->made_us));
	return list;
}

json_t *difference_json(const struct books *b, const struct view_row *row,
			const struct view_place *place, const struct books_view *v)
{
	const struct rec_figures *f = place ? &place->r.f : &row->f;
	bool known = place ? true : row->has_book;
	char gtin[GTIN_STR_MAX], text[REASON_TEXT_MAX];
	json_t *o = json_pack(
		"{s:o,s:o,s:s?,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:o,s:I,s:o,s:o}", "product_id",
		number(row->product_id != 0, row->product_id), "gtin",
		row->gtin ? json_string(gtin_format(row->gtin, gtin)) : json_null(), "name",
		row->name, "place_id", books_place_id_json(place ? place->place : 0), "place",
		books_place_name_json(b, place ? place->place : 0), "book",
		number(place ? place->r.has_book : known, f->book), "sold", json_integer(f->sold),
		"returned", json_integer(f->returned), "delivered", json_integer(f->delivered),
		"expected", number(known, f->expected), "seen", (json_int_t) f->seen, "difference",
		number(known, f->difference), "missing", (json_int_t) (place ? 0 : row->missing),
		"as_of", books_time_json(place ? place->r.as_of_us : row->as_of_us), "last_seen",
		books_time_json(row->last_seen_us));

	json_object_set_new(
		o, "reason",
		place ? difference_reason_json(place->r.reason,
					       place_text(row, place, v->made_us, text))
		      : difference_reason_json(row->reason, reason_text(row, v->made_us, text)));
	if (!place)
		json_object_set_new(o, "places", places_json(b, row, v));
	return o;
}

static json_t *summary_json(const struct books_view *v)
{
	json_t *reasons = json_object();
	json_int_t foreign = 0;

	for (size_t i = 0; i < REC_PRESENT; i++)
		json_object_set_new(reasons, rec_reason_str(i), json_integer(v->reasons[i]));
	for (size_t i = v->n_rows; i-- > 0 && v->rows[i].reason == REC_FOREIGN;)
		foreign += v->rows[i].f.seen;
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o}", "products",
			 (json_int_t) v->products, "matching",
			 (json_int_t) v->reasons[REC_MATCHING], "missing",
			 (json_int_t) (v->reasons[REC_MISSING] + v->reasons[REC_LEFT_UNSOLD]),
			 "missing_items", (json_int_t) v->missing_items, "surplus",
			 (json_int_t) v->reasons[REC_SURPLUS], "untagged",
			 (json_int_t) v->reasons[REC_UNTAGGED], "unknown",
			 (json_int_t) v->reasons[REC_UNKNOWN_PRODUCT], "foreign", foreign, "as_of",
			 books_time_json(v->made_us), "reasons", reasons);
}

/* --- the list ----------------------------------------------------------------------------------
 */

struct query {
	struct http_request *rq;
	struct books *books;
	struct list_page page;
	struct product_query words;
	bool has_words;
	int64_t product_id, place;
	int reason; /* -1 = any */
	bool strangers;
};

static void query_free(struct query *q)
{
	product_query_done(&q->words);
	free(q);
}

/* The place's own row if one place is asked for; false if there is none. */
static bool at_place(const struct query *q, const struct view_row *row, const struct books_view *v,
		     const struct view_place **ret)
{
	*ret = NULL;
	if (!q->place)
		return true;
	for (uint32_t i = 0; i < row->n_places; i++) {
		const struct view_place *p = &v->places[row->places + i];

		if (p->place != (uint32_t) q->place)
			continue;
		if (row->by_place)
			*ret = p;
		return row->by_place || !row->product_id;
	}
	return false;
}

static bool passes(const struct query *q, const struct view_row *row, const struct books_view *v,
		   const struct view_place **ret_place)
{
	if ((q->strangers && row->product_id) ||
	    (q->product_id && row->product_id != q->product_id) || !at_place(q, row, v, ret_place))
		return false;
	if (q->reason >= 0 && (*ret_place ? (*ret_place)->r.reason : row->reason) != q->reason)
		return false;
	return !q->has_words || product_query_match(&q->words, row->folded, row->gtin);
}

static size_t first_after(const struct books_view *v, int64_t cursor)
{
	size_t low = 0, high = v->n_rows;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (v->rows[mid].cursor <= cursor)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static json_t *stranger_json(const struct books *b, const struct view_row *row,
			     const struct books_view *v)
{
	char gtin[GTIN_STR_MAX], text[REASON_TEXT_MAX];
	json_t *places = json_array();

	for (uint32_t i = 0; i < row->n_places; i++) {
		const struct view_place *p = &v->places[row->places + i];

		json_array_append_new(places, json_pack("{s:o,s:o,s:I}", "place_id",
							books_place_id_json(p->place), "place",
							books_place_name_json(b, p->place), "count",
							(json_int_t) p->count));
	}
	return json_pack("{s:s,s:o,s:s?,s:I,s:o,s:o,s:o}", "kind",
			 row->gtin ? "unknown" : "foreign", "gtin",
			 row->gtin ? json_string(gtin_format(row->gtin, gtin)) : json_null(),
			 "scheme", row->name, "count", (json_int_t) row->f.seen, "places", places,
			 "last_seen", books_time_json(row->last_seen_us), "reason",
			 difference_reason_json(row->reason, reason_text(row, v->made_us, text)));
}

static void reply_page(struct query *q, const struct books_view *v)
{
	json_t *items = json_array();
	const struct view_place *place;
	int64_t last = 0, next = 0;
	char cursor[24];

	for (size_t i = first_after(v, q->page.after); i < v->n_rows; i++) {
		const struct view_row *row = &v->rows[i];

		if (!passes(q, row, v, &place))
			continue;
		if ((int64_t) json_array_size(items) == q->page.limit) {
			next = last;
			break;
		}
		last = row->cursor;
		json_array_append_new(items, q->strangers
						     ? stranger_json(q->books, row, v)
						     : difference_json(q->books, row, place, v));
	}
	snprintf(cursor, sizeof cursor, "%lld", (long long) next);
	http_reply_json(q->rq, 200,
			json_pack("{s:o,s:o,s:o}", "items", items, "next",
				  next ? json_string(cursor) : json_null(), "summary",
				  summary_json(v)));
}

static void on_view(void *user, const struct books_view *v, int err)
{
	struct query *q = user;

	if (err < 0)
		http_reply_err(q->rq, err, "Differences");
	else
		reply_page(q, v);
	query_free(q);
}

static bool read_reason(struct http_request *rq, int *ret)
{
	const char *text = http_query(rq, "reason");

	*ret = -1;
	if (!text || !*text)
		return true;
	for (int i = 0; i < REC_PRESENT; i++)
		if (strcmp(text, rec_reason_str((enum rec_reason) i)) == 0) {
			*ret = i;
			return true;
		}
	http_problem(rq, 400, "bad-reason", "There is no such reason.");
	return false;
}

static void begin(struct http_request *rq, struct app *app, bool strangers)
{
	const char *text = http_query(rq, "q");
	struct query *q = calloc(1, sizeof *q);

	if (!q) {
		http_reply_err(rq, -ENOMEM, "Differences");
		return;
	}
	q->rq = rq;
	q->books = app->books;
	q->strangers = strangers;
	q->has_words = text && *text;
	if (!list_page_read(rq, &q->page) ||
	    !http_query_int(rq, "product_id", 0, 0, INT64_MAX, &q->product_id) ||
	    !http_query_int(rq, "place_id", 0, 0, UINT32_MAX, &q->place) ||
	    !read_reason(rq, &q->reason)) {
		query_free(q);
		return;
	}
	if (product_query_parse(text ? text : "", &q->words) < 0) {
		http_problem(rq, 400, "bad-query", "Search for at most %d words of plain text.",
			     SEARCH_MAX_WORDS);
		query_free(q);
		return;
	}
	books_view_get(app->books, on_view, q);
}

void differences_list(struct http_request *rq, struct app *app)
{
	begin(rq, app, false);
}

void differences_strangers(struct http_request *rq, struct app *app)
{
	begin(rq, app, true);
}
