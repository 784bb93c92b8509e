/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/books/view.h"
#include "common/epc_scheme.h"
#include "controller/books/load.h"
#include <errno.h>
#include <string.h>

#define FRESH_US  US_PER_SEC         /* while goods move */
#define AGE_US    (10 * US_PER_SEC)  /* while they do not: graces pass */
#define STRANGERS (INT64_C(1) << 60) /* cursors from here on */
#define WEIGHTS   (INT64_C(1) << 20) /* differences that are told apart in the order */
#define FOREIGN   (STRANGERS + INT64_C(1000000000000000))

struct view_waiter {
	struct view_waiter *next;
	books_view_fn fn;
	void *user;
	uint64_t changes; /* what was written before it asked */
};

struct view_job {
	struct shop_job job;
	struct books *books;
	struct loop_timer *timer; /* between slices of the scan */
	struct scan scan;
	struct books_view *view;
	int err;
};

static void view_unref(struct books_view *v)
{
	if (!v || --v->refs)
		return;
	free(v->rows);
	free(v->places);
	load_text_free(v->text);
	free(v);
}

/* --- rows (pool) -------------------------------------------------------------------------------
 */

static struct view_row *add_row(struct books_view *v)
{
	if (v->n_rows == v->cap_rows) {
		size_t cap = v->cap_rows ? v->cap_rows * 2 : 1024;
		struct view_row *rows = reallocarray(v->rows, cap, sizeof *rows);

		if (!rows)
			return NULL;
		v->rows = rows;
		v->cap_rows = cap;
	}
	v->rows[v->n_rows] = (struct view_row){.places = (uint32_t) v->n_places};
	return &v->rows[v->n_rows++];
}

static int add_place(struct books_view *v, struct view_row *row, const struct view_place *p)
{
	if (v->n_places == v->cap_places) {
		size_t cap = v->cap_places ? v->cap_places * 2 : 256;
		struct view_place *places = reallocarray(v->places, cap, sizeof *places);

		if (!places)
			return -ENOMEM;
		v->places = places;
		v->cap_places = cap;
	}
	v->places[v->n_places++] = *p;
	row->n_places++;
	return 0;
}

static int64_t last_seen(const struct load_product *p)
{
	int64_t last_us = 0;

	for (size_t i = 0; i < p->n_items; i++)
		if (!p->items[i].item.never_heard)
			last_us = MAX(last_us, p->items[i].item.last_us);
	return last_us;
}

void view_row_fill(struct view_row *row, const struct load_product *p, const struct rec_result *r)
{
	row->product_id = p->id;
	row->gtin = p->gtin;
	row->name = p->name;
	row->folded = p->folded;
	row->reason = r->reason;
	row->has_book = r->has_book;
	row->by_place = r->by_place;
	row->as_of_us = r->has_book ? r->as_of_us : 0;
	row->f = r->f;
	row->missing = r->missing;
	row->at_exit = r->at_exit;
	row->pending = r->pending;
	row->sold_seen = r->sold_seen;
	row->never_heard = r->never_heard;
	row->unmatched = r->unmatched;
	row->ever = r->ever;
	row->open = p->open;
	row->missing_since_us = r->missing_since_us;
	row->missing_last_us = r->missing_last_us;
	row->last_seen_us = last_seen(p);
}

/* Those with most to look into come first, of equal ones the older product. */
static int64_t product_cursor(const struct view_row *row)
{
	int64_t d = row->has_book ? row->f.difference : 0;
	int64_t weight = MAX(d < 0 ? -d : d, row->missing);

	return (WEIGHTS - 1 - MIN(weight, WEIGHTS - 1)) << 40 |
	       (row->product_id & ((INT64_C(1) << 40) - 1));
}

static int by_cursor(const void *a, const void *b)
{
	int64_t x = ((const struct view_row *) a)->cursor;
	int64_t y = ((const struct view_row *) b)->cursor;

	return (x > y) - (x < y);
}

static int product_row(struct books_view *v, struct load *l, const struct load_product *p)
{
	struct rec_input in;
	struct rec_result r;
	struct view_row *row;
	int e = load_input(l, p, &in);

	if (e == 0)
		e = reconcile(&in, &r);
	if (e < 0)
		return e;
	if (!r.has_book && r.f.seen == 0)
		return 0; /* neither booked nor here */
	row = add_row(v);
	if (!row)
		return -ENOMEM;
	view_row_fill(row, p, &r);
	row->cursor = product_cursor(row);
	for (size_t i = 0; i < r.n_places && e == 0; i++)
		e = add_place(v, row,
			      &(struct view_place){.place = r.places[i].place,
						   .count = (uint32_t) r.places[i].f.seen,
						   .r = r.places[i]});
	v->products++;
	v->missing_items += r.missing;
	return e;
}

/* --- strangers (pool) --------------------------------------------------------------------------
 */

static int64_t stranger_cursor(const struct scan_item *s)
{
	return s->gtin ? STRANGERS + (int64_t) s->gtin : FOREIGN + s->class;
}

static int by_stranger(const void *a, const void *b)
{
	int64_t x = stranger_cursor(a), y = stranger_cursor(b);

	return (x > y) - (x < y);
}

static int count_at(struct books_view *v, struct view_row *row, uint32_t place)
{
	for (uint32_t i = 0; i < row->n_places; i++)
		if (v->places[row->places + i].place == place) {
			v->places[row->places + i].count++;
			return 0;
		}
	if (row->n_places == REC_MAX_PLACES)
		return 0;
	return add_place(v, row, &(struct view_place){.place = place, .count = 1});
}

static int stranger_rows(struct books_view *v, struct load *l)
{
	struct view_row *row = NULL;
	int e = 0;

	if (l->n_strangers)
		qsort(l->strangers, l->n_strangers, sizeof *l->strangers, by_stranger);
	for (size_t i = 0; i < l->n_strangers && e == 0; i++) {
		const struct scan_item *s = &l->strangers[i];

		if (!s->item.present)
			continue; /* whatever it was, it has left */
		if (!row || row->cursor != stranger_cursor(s)) {
			row = add_row(v);
			if (!row)
				return -ENOMEM;
			row->cursor = stranger_cursor(s);
			row->gtin = s->gtin;
			row->name = s->gtin ? NULL : epc_class_str(s->class);
			row->folded = s->gtin ? "" : row->name;
			row->reason = s->gtin ? REC_UNKNOWN_PRODUCT : REC_FOREIGN;
		}
		row->f.seen++;
		row->last_seen_us = MAX(row->last_seen_us, s->item.last_us);
		e = count_at(v, row, s->item.place);
	}
	return e;
}

/* --- making one --------------------------------------------------------------------------------
 */

static void view_work(struct shop_job *job, struct shop_slot *slot)
{
	struct view_job *j = (struct view_job *) job;
	struct books_view *v = j->view;
	struct load l = {
		.books = j->books, .sql = slot->sql, .now_us = v->made_us, .scan = &j->scan};

	j->err = load_all(&l);
	for (size_t i = 0; i < l.n_products && j->err == 0; i++)
		if (l.products[i].n_books || l.products[i].n_items)
			j->err = product_row(v, &l, &l.products[i]);
	if (j->err == 0)
		j->err = stranger_rows(v, &l);
	if (v->n_rows)
		qsort(v->rows, v->n_rows, sizeof *v->rows, by_cursor);
	for (size_t i = 0; i < v->n_rows; i++)
		v->reasons[v->rows[i].reason]++;
	v->text = load_take_text(&l);
	load_done(&l);
}

static int begin(struct books *b);

/* Answers those who asked before anything was written that this view does not know of. */
static void answer(struct books *b, const struct books_view *v, int err)
{
	struct view_waiter **at = &b->waiters, *w;

	while ((w = *at)) {
		if (err == 0 && w->changes > v->changes) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->fn(w->user, err == 0 ? v : NULL, err);
		free(w);
	}
}

static void view_made(struct shop_job *job)
{
	struct view_job *j = (struct view_job *) job;
	struct books *b = j->books;
	int r;

	b->building = NULL;
	if (j->err == 0) {
		view_unref(b->view);
		b->view = j->view;
		b->view->refs++;
	}
	answer(b, j->view, j->err);
	view_unref(j->view);
	loop_timer_free(j->timer);
	scan_done(&j->scan);
	free(j);
	r = b->waiters && !b->building ? begin(b) : 0;
	if (r < 0)
		answer(b, NULL, r);
}

static void next_slice(void *user)
{
	struct view_job *j = user;

	if (!scan_slice(&j->scan)) {
		loop_timer_start(j->timer, 0);
		return;
	}
	if (j->scan.oom) {
		j->err = -ENOMEM;
		view_made(&j->job);
		return;
	}
	shop_work_submit(shop_pool(j->books->app->shop), &j->job, false);
}

static uint64_t transitions(const struct books *b)
{
	struct inventory_stats st;

	inventory_stats(b->app->inventory, &st);
	return st.transitions;
}

static bool is_fresh(const struct books *b)
{
	const struct books_view *v = b->view;
	int64_t age_us;

	if (!v || v->changes != b->changes)
		return false;
	age_us = clock_real_us(b->app->clock) - v->made_us;
	return age_us >= 0 && age_us < (v->transitions == transitions(b) ? AGE_US : FRESH_US);
}

static int begin(struct books *b)
{
	struct view_job *j = calloc(1, sizeof *j);
	struct books_view *v = calloc(1, sizeof *v);
	int r = j && v ? loop_timer_new(b->app->loop, next_slice, j, &j->timer) : -ENOMEM;

	if (r < 0) {
		free(j);
		free(v);
		return r;
	}
	v->refs = 1;
	v->changes = b->changes;
	v->transitions = transitions(b);
	v->made_us = clock_real_us(b->app->clock);
	j->view = v;
	j->books = b;
	j->scan.books = b;
	j->job = (struct shop_job){.work = view_work, .done = view_made};
	b->building = j;
	next_slice(j);
	return 0;
}

void books_view_get(struct books *b, books_view_fn fn, void *user)
{
	struct view_waiter *w;
	int r = 0;

	if (is_fresh(b)) {
		fn(user, b->view, 0);
		return;
	}
	w = calloc(1, sizeof *w);
	if (!w) {
		fn(user, NULL, -ENOMEM);
		return;
	}
	*w = (struct view_waiter){
		.next = b->waiters, .fn = fn, .user = user, .changes = b->changes};
	b->waiters = w;
	if (!b->building)
		r = begin(b);
	if (r < 0) {
		b->waiters = w->next;
		free(w);
		fn(user, NULL, r);
	}
}

void books_view_done(struct books *b)
{
	/* A scan between two slices has nobody to wait for it any more. */
	if (b->building) {
		b->building->err = -ECANCELED;
		view_made(&b->building->job);
	}
	view_unref(b->view);
	b->view = NULL;
}
