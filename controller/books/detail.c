/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /api/v1/differences/{id}: one product, the events behind its figures with the running sum,
 * and its items one by one. The same load and rules as the list, for one product, made anew.
 */
#include "common/err.h"
#include "common/gtin.h"
#include "controller/books/difference_json.h"
#include "controller/books/load.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LEDGER_MAX 1000
#define ITEMS_MAX  1000

struct detail {
	struct shop_job job;
	struct books *books;
	struct http_request *rq;
	int64_t product_id, now_us;
	struct scan scan;
	/* the work's */
	int err;
	struct view_row row;
	struct rec_result result;
	char *name;
	json_t *ledger, *items;
	size_t ledger_total;
};

/* --- references (pool) -------------------------------------------------------------------------
 */

/* {sale,till,at} of a sale line; null if there is none. */
static json_t *sale_json(struct sql *s, int64_t line_id)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT s.number, s.till, s.at FROM sale_lines l"
					    " JOIN sales s ON s.id = l.sale_id WHERE l.id = ?");
	json_t *o = NULL;

	sql_bind_i64(q, 1, line_id);
	if (line_id && sql_step(q) > 0)
		o = json_pack("{s:s?,s:s?,s:o}", "sale", sql_col_text(q, 0), "till",
			      sql_col_text(q, 1), "at", books_time_json(sql_col_i64(q, 2)));
	sql_reset(q);
	return o ? o : json_null();
}

/* What a person would look for: the till and its number, the delivery's reference. */
static json_t *ref_json(struct sql *s, const struct rec_event *e)
{
	struct sql_stmt *q =
		e->kind == REC_DELIVERY
			? sql_prepare(s, "SELECT d.reference FROM delivery_receipts r JOIN"
					 " deliveries d ON d.id = r.delivery_id WHERE r.id = ?")
			: sql_prepare(s, "SELECT CASE s.till WHEN '' THEN s.number ELSE s.till ||"
					 " '/' || s.number END FROM sale_lines l JOIN sales s ON"
					 " s.id = l.sale_id WHERE l.id = ?");
	json_t *o = NULL;

	sql_bind_i64(q, 1, e->ref);
	if (sql_step(q) > 0)
		o = json_string(sql_col_text(q, 0));
	sql_reset(q);
	return o ? o : json_null();
}

/* --- the ledger (pool) -------------------------------------------------------------------------
 */

static void add_entry(struct detail *d, json_t *entry)
{
	d->ledger_total++;
	json_array_insert_new(d->ledger, 0, entry);
	if (json_array_size(d->ledger) > LEDGER_MAX)
		json_array_remove(d->ledger, LEDGER_MAX);
}

static void add_book(struct detail *d, struct sql *s, const struct rec_book *b, int64_t *running)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT source, who, reason FROM book_stock WHERE id = ?");
	bool settled;

	sql_bind_i64(q, 1, b->id);
	if (sql_step(q) <= 0)
		return;
	settled = strcmp(sql_col_text(q, 0), "settle") == 0;
	*running += b->quantity;
	add_entry(d,
		  json_pack("{s:o,s:s,s:I,s:I,s:s?,s:s?,s:o,s:s?}", "at",
			    books_time_json(b->as_of_us), "kind", settled ? "adjustment" : "book",
			    "quantity", (json_int_t) b->quantity, "running", (json_int_t) *running,
			    "ref", sql_col_text(q, 0), "by", sql_col_text(q, 1), "place_id",
			    books_place_id_json(b->place), "reason", sql_col_text(q, 2)));
	sql_reset(q);
}

static void add_event(struct detail *d, struct sql *s, const struct rec_event *e, int64_t *running)
{
	static const char *const kinds[] = {"sale", "return", "delivery"};
	int64_t n = e->kind == REC_SALE ? -e->counted : e->counted;

	*running += n;
	add_entry(d, json_pack("{s:o,s:s,s:I,s:I,s:o,s:o}", "at", books_time_json(e->at_us), "kind",
			       kinds[e->kind], "quantity", (json_int_t) n, "running",
			       (json_int_t) *running, "ref", ref_json(s, e), "place_id",
			       books_place_id_json(e->place)));
}

static int by_as_of(const void *a, const void *b)
{
	const struct rec_book *x = a, *y = b;

	return (x->as_of_us > y->as_of_us) - (x->as_of_us < y->as_of_us);
}

/* Just what expected is made of, newest first: the first running figure is the expected one. */
static int make_ledger(struct detail *d, struct sql *s, const struct rec_input *in)
{
	_cleanup_free_ struct rec_book *books = calloc(in->n_books + 1, sizeof *books);
	size_t n = 0, k = 0;
	int64_t running = 0;

	if (!books)
		return -ENOMEM;
	for (size_t i = 0; i < in->n_books; i++)
		if ((in->books[i].place != 0) == d->result.by_place)
			books[n++] = in->books[i];
	qsort(books, n, sizeof *books, by_as_of);
	for (size_t i = 0; i < in->n_events; i++) {
		while (k < n && books[k].as_of_us < in->events[i].at_us)
			add_book(d, s, &books[k++], &running);
		if (in->events[i].counted)
			add_event(d, s, &in->events[i], &running);
	}
	while (k < n)
		add_book(d, s, &books[k++], &running);
	return 0;
}

/* --- the items (pool) --------------------------------------------------------------------------
 */

static const char *state_of(const struct rec_item *it)
{
	return it->never_heard ? "never-heard" : it->present ? "present" : "gone";
}

/* What a person looks for comes first: what is missing, then what is odd, then the rest. */
static int rank(const struct rec_item *it)
{
	static const uint8_t order[] = {
		REC_LEFT_UNSOLD, REC_MISSING,     REC_NOT_YET_FED, REC_SOLD_STILL_SEEN,
		REC_PRESENT,     REC_SOLD_LIKELY, REC_SOLD,        REC_GONE_BEFORE};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (order[i] == it->reason)
			return (int) i;
	return (int) ARRAY_SIZE(order);
}

static const char *item_text(enum rec_reason r)
{
	switch (r) {
	case REC_PRESENT:
		return "Seen now.";
	case REC_SOLD:
		return "Sold by its tag.";
	case REC_SOLD_LIKELY:
		return "Likely sold: last seen nearest to a sale of this product.";
	case REC_SOLD_STILL_SEEN:
		return "Sold, and still seen.";
	case REC_NOT_YET_FED:
		return "Just gone; the till may still tell of its sale.";
	case REC_LEFT_UNSOLD:
		return "Last seen at an exit, and not sold.";
	case REC_MISSING:
		return "Gone, and not sold.";
	case REC_GONE_BEFORE:
		return "Gone before the book figure, which does not expect it.";
	default:
		return "";
	}
}

static void add_item(struct detail *d, struct sql *s, const struct rec_item *it,
		     const struct scan_item *from)
{
	bool sold = it->sold || it->reason == REC_SOLD_LIKELY;
	char hex[EPC_HEX_MAX];

	json_array_append_new(
		d->items,
		json_pack("{s:s,s:s,s:o,s:o,s:o,s:o}", "epc",
			  epc_to_hex(&d->scan.epcs[from->epc], hex), "state", state_of(it),
			  "place_id", books_place_id_json(it->place), "last_seen",
			  it->never_heard ? json_null() : books_time_json(it->last_us), "sold",
			  sold ? sale_json(s, it->sale_ref) : json_null(), "reason",
			  difference_reason_json(it->reason, item_text(it->reason))));
}

static void make_items(struct detail *d, struct sql *s, const struct rec_input *in,
		       const struct load_product *p)
{
	for (int r = 0; r <= 8; r++)
		for (size_t i = 0; i < in->n_items && json_array_size(d->items) < ITEMS_MAX; i++)
			if (rank(&in->items[i]) == r)
				add_item(d, s, &in->items[i], &p->items[i]);
}

/* --- the work (pool) ---------------------------------------------------------------------------
 */

static void fill_row(struct detail *d, const struct load_product *p)
{
	view_row_fill(&d->row, p, &d->result);
	d->name = strdup(p->name);
	d->row.name = d->name;
	d->row.folded = "";
}

static void detail_work(struct shop_job *job, struct shop_slot *slot)
{
	struct detail *d = (struct detail *) job;
	struct load l = {.books = d->books,
			 .sql = slot->sql,
			 .now_us = d->now_us,
			 .only = d->product_id,
			 .scan = &d->scan};
	struct rec_input in;

	d->ledger = json_array();
	d->items = json_array();
	d->err = load_all(&l);
	if (d->err == 0 && l.n_products != 1)
		d->err = -ENOENT;
	if (d->err == 0)
		d->err = load_input(&l, l.products, &in);
	if (d->err == 0)
		d->err = reconcile(&in, &d->result);
	if (d->err == 0)
		d->err = make_ledger(d, slot->sql, &in);
	if (d->err == 0) {
		make_items(d, slot->sql, &in, l.products);
		fill_row(d, l.products);
	}
	load_done(&l);
}

/* --- the reply ---------------------------------------------------------------------------------
 */

static void name_places(const struct books *b, json_t *list)
{
	json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
	{
		json_int_t id = json_integer_value(json_object_get(o, "place_id"));

		json_object_set_new(o, "place", books_place_name_json(b, (uint32_t) id));
	}
}

static void reply(struct detail *d)
{
	struct view_place places[REC_MAX_PLACES];
	struct books_view v = {.made_us = d->now_us, .places = places};
	json_t *o;

	for (size_t i = 0; i < d->result.n_places; i++)
		places[i] = (struct view_place){.place = d->result.places[i].place,
						.count = (uint32_t) d->result.places[i].f.seen,
						.r = d->result.places[i]};
	d->row.places = 0;
	d->row.n_places = (uint32_t) d->result.n_places;
	o = difference_json(d->books, &d->row, NULL, &v);
	name_places(d->books, d->ledger);
	name_places(d->books, d->items);
	json_object_set(o, "ledger", d->ledger);
	json_object_set_new(o, "ledger_total", json_integer((json_int_t) d->ledger_total));
	json_object_set(o, "items", d->items);
	json_object_set_new(o, "items_total", json_integer((json_int_t) d->scan.n));
	http_reply_json(d->rq, 200, o);
}

static void detail_done(struct shop_job *job)
{
	struct detail *d = (struct detail *) job;

	if (d->err == -ENOENT)
		http_problem(d->rq, 404, "no-such-product", "There is no such product.");
	else if (d->err < 0 || !d->name)
		http_reply_err(d->rq, d->err < 0 ? d->err : -ENOMEM, "Difference");
	else
		reply(d);
	json_decref(d->ledger);
	json_decref(d->items);
	scan_done(&d->scan);
	free(d->name);
	free(d);
}

static int scan_product(struct detail *d)
{
	struct sql_stmt *q =
		sql_prepare(db_reader(d->books->app->db), "SELECT value FROM product_aliases"
							  " WHERE product_id = ? AND kind ="
							  " 'gtin'");
	int r;

	sql_bind_i64(q, 1, d->product_id);
	while ((r = sql_step(q)) > 0) {
		const char *text = sql_col_text(q, 0);
		uint64_t gtin;

		if (text && gtin_parse(text, strlen(text), &gtin) == 0 && gtin)
			scan_gtin(&d->scan, gtin);
	}
	return d->scan.oom ? -ENOMEM : r;
}

void differences_get(struct http_request *rq, struct app *app)
{
	struct detail *d = calloc(1, sizeof *d);
	int r;

	if (!d) {
		http_reply_err(rq, -ENOMEM, "Difference");
		return;
	}
	if (!http_arg_id(rq, 0, &d->product_id)) {
		free(d);
		return;
	}
	d->books = app->books;
	d->scan.books = app->books;
	d->scan.with_epcs = true;
	d->rq = rq;
	d->now_us = clock_real_us(app->clock);
	d->job = (struct shop_job){.work = detail_work, .done = detail_done};
	r = scan_product(d);
	if (r < 0) {
		http_reply_err(rq, r, "Difference");
		scan_done(&d->scan);
		free(d);
		return;
	}
	shop_work_submit(shop_pool(app->shop), &d->job, false);
}
