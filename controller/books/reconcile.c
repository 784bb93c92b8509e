/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/books/reconcile.h"
#include "controller/books/rec_match.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>

const char *rec_reason_str(enum rec_reason r)
{
	static const char *const words[REC_REASON_COUNT] = {
		[REC_NO_BOOK] = "no-book",
		[REC_UNTAGGED] = "untagged",
		[REC_LEFT_UNSOLD] = "left-unsold",
		[REC_MISSING] = "missing",
		[REC_NOT_YET_FED] = "not-yet-sold-feed",
		[REC_SOLD_STILL_SEEN] = "sold-still-seen",
		[REC_DELIVERY_OPEN] = "delivery-open",
		[REC_SURPLUS] = "surplus",
		[REC_MISPLACED] = "misplaced",
		[REC_MATCHING] = "matching",
		[REC_UNKNOWN_PRODUCT] = "unknown-product",
		[REC_FOREIGN] = "foreign",
		[REC_PRESENT] = "present",
		[REC_SOLD] = "sold",
		[REC_SOLD_LIKELY] = "sold-likely",
		[REC_GONE_BEFORE] = "gone-before-book",
	};

	return r < REC_REASON_COUNT ? words[r] : "";
}

/* What one run works with. */
struct run {
	const struct rec_input *in;
	struct rec_result *r;
	struct rec_item **gone; /* neither heard nor sold by EPC, by last sign of life */
	int64_t *as_of_us;      /* the book instant that counts for each of them */
	size_t n_gone;
	struct rec_item **by_key;
	int64_t *taken;   /* units of each event that were given an item */
	int64_t unplaced; /* units that places must still give up (below 0: receive) */
};

bool rec_book_by_place(const struct rec_book *books, size_t n, int64_t *ret_as_of_us)
{
	const struct rec_book *newest = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct rec_book *b = &books[i];

		if (!newest || b->as_of_us > newest->as_of_us ||
		    (b->as_of_us == newest->as_of_us && b->id > newest->id))
			newest = b;
	}
	*ret_as_of_us = newest ? newest->as_of_us : INT64_MAX;
	return newest && newest->place != 0;
}

/* --- places ------------------------------------------------------------------------------------
 */

static struct rec_place *place_row(struct rec_result *r, uint32_t place, bool add)
{
	for (size_t i = 0; i < r->n_places; i++)
		if (r->places[i].place == place)
			return &r->places[i];
	if (!add || r->n_places == REC_MAX_PLACES)
		return NULL;
	r->places[r->n_places] = (struct rec_place){.place = place};
	return &r->places[r->n_places++];
}

static void read_books(struct run *x)
{
	const struct rec_input *in = x->in;
	struct rec_result *r = x->r;

	r->has_book = in->n_books > 0;
	r->by_place = rec_book_by_place(in->books, in->n_books, &r->as_of_us);
	for (size_t i = 0; i < in->n_books; i++) {
		const struct rec_book *b = &in->books[i];
		struct rec_place *p;

		if ((b->place != 0) != r->by_place)
			continue; /* an older way of keeping this book */
		r->f.book += b->quantity;
		p = r->by_place ? place_row(r, b->place, true) : NULL;
		if (p) {
			p->has_book = true;
			p->as_of_us = b->as_of_us;
			p->f.book = b->quantity;
		}
	}
}

static int64_t as_of_at(const struct rec_result *r, uint32_t place)
{
	for (size_t i = 0; r->by_place && i < r->n_places; i++)
		if (r->places[i].has_book && r->places[i].place == place)
			return r->places[i].as_of_us;
	return r->as_of_us;
}

/* --- items -------------------------------------------------------------------------------------
 */

static int by_last(const void *a, const void *b)
{
	int64_t x = rec_item_last(*(struct rec_item *const *) a);
	int64_t y = rec_item_last(*(struct rec_item *const *) b);

	return (x > y) - (x < y);
}

static int by_key(const void *a, const void *b)
{
	uint64_t x = (*(struct rec_item *const *) a)->key, y = (*(struct rec_item *const *) b)->key;

	return (x > y) - (x < y);
}

static const struct rec_item *item_of(const struct run *x, uint64_t key)
{
	const struct rec_item probe = {.key = key}, *want = &probe;
	struct rec_item **found =
		bsearch(&want, x->by_key, x->in->n_items, sizeof *x->by_key, by_key);

	return found ? *found : NULL;
}

static void look_at_items(struct run *x)
{
	struct rec_result *r = x->r;

	for (size_t i = 0; i < x->in->n_items; i++) {
		struct rec_item *it = &x->in->items[i];

		x->by_key[i] = it;
		r->ever += !it->never_heard;
		if (it->present) {
			struct rec_place *p = place_row(r, it->place, true);

			it->reason = it->sold ? REC_SOLD_STILL_SEEN : REC_PRESENT;
			r->sold_seen += it->sold;
			r->f.seen++;
			if (p)
				p->f.seen++;
		} else if (it->sold) {
			it->reason = REC_SOLD;
		} else {
			it->reason = REC_GONE_BEFORE;
			x->gone[x->n_gone++] = it;
		}
	}
	qsort(x->by_key, x->in->n_items, sizeof *x->by_key, by_key);
	qsort(x->gone, x->n_gone, sizeof *x->gone, by_last);
	for (size_t i = 0; i < x->n_gone; i++)
		x->as_of_us[i] = as_of_at(r, x->gone[i]->place);
}

/* --- the ledger --------------------------------------------------------------------------------
 */

static void add_to(struct rec_figures *f, enum rec_kind kind, int64_t quantity)
{
	if (kind == REC_SALE)
		f->sold += quantity;
	else if (kind == REC_RETURN)
		f->returned += quantity;
	else
		f->delivered += quantity;
}

/* Counts what happened at a place, or at one that is not known, if no figure has it already. */
static void count(struct run *x, uint32_t place, struct rec_event *e, int64_t quantity)
{
	int64_t at_us = e->at_us;
	enum rec_kind kind = e->kind;

	struct rec_result *r = x->r;
	struct rec_place *p = r->by_place && place ? place_row(r, place, false) : NULL;

	if (quantity == 0)
		return;
	if (p && p->has_book) {
		if (at_us <= p->as_of_us)
			return;
		add_to(&p->f, kind, quantity);
	} else if (at_us <= r->as_of_us) {
		return;
	} else {
		x->unplaced += kind == REC_SALE ? quantity : -quantity;
	}
	add_to(&r->f, kind, quantity);
	e->counted += quantity;
}

static void count_events(struct run *x)
{
	for (size_t i = 0; i < x->in->n_events; i++) {
		struct rec_event *e = &x->in->events[i];
		const struct rec_item *it = e->key ? item_of(x, e->key) : NULL;

		e->counted = 0;
		count(x, it ? it->place : e->place, e, e->quantity - x->taken[i]);
	}
	for (size_t i = 0; i < x->n_gone; i++) {
		const struct rec_item *it = x->gone[i];

		if (it->reason == REC_SOLD_LIKELY)
			count(x, it->place, &x->in->events[it->event], 1);
	}
}

static void expect(struct rec_figures *f)
{
	f->expected = f->book + f->delivered + f->returned - f->sold;
	f->difference = f->seen - f->expected;
}

/* --- who is missing ----------------------------------------------------------------------------
 */

static void is_missing(struct run *x, struct rec_item *it)
{
	struct rec_result *r = x->r;
	int64_t last_us = rec_item_last(it);

	if (x->in->now_us - last_us < x->in->grace_us) {
		it->reason = REC_NOT_YET_FED;
		r->pending++;
		return;
	}
	it->reason = it->at_exit ? REC_LEFT_UNSOLD : REC_MISSING;
	r->missing++;
	r->at_exit += it->at_exit;
	if (!r->missing_since_us || last_us < r->missing_since_us)
		r->missing_since_us = last_us;
	r->missing_last_us = MAX(r->missing_last_us, last_us);
}

static void find_missing(struct run *x)
{
	struct rec_result *r = x->r;
	int64_t short_by;

	if (!r->has_book)
		return;
	for (size_t i = 0; i < x->n_gone; i++)
		if (x->gone[i]->reason == REC_GONE_BEFORE &&
		    rec_item_last(x->gone[i]) > x->as_of_us[i])
			is_missing(x, x->gone[i]);
	short_by = r->f.expected - (r->f.seen - r->sold_seen) - r->missing - r->pending;
	/* The book may know of some that went before it was written. */
	for (size_t i = x->n_gone; i-- > 0 && short_by > 0;) {
		if (x->gone[i]->reason != REC_GONE_BEFORE)
			continue;
		if (rec_item_last(x->gone[i]) < x->in->now_us - x->in->look_back_us)
			break; /* nobody knows any more whether it was sold */
		is_missing(x, x->gone[i]);
		short_by--;
	}
	r->never_heard = MAX(short_by, 0);
}

/* --- places add up -----------------------------------------------------------------------------
 */

/* The place that is short most (sign -1) or has most too many (1); NULL if none is. */
static struct rec_place *most_off(struct rec_result *r, int sign)
{
	struct rec_place *most = NULL;

	for (size_t i = 0; i < r->n_places; i++) {
		struct rec_place *p = &r->places[i];

		if (p->f.difference * sign > 0 &&
		    (!most || p->f.difference * sign > most->f.difference * sign))
			most = p;
	}
	return most;
}

static struct rec_place *largest_book(struct rec_result *r)
{
	struct rec_place *largest = &r->places[0];

	for (size_t i = 1; i < r->n_places; i++)
		if (r->places[i].has_book && r->places[i].f.book > largest->f.book)
			largest = &r->places[i];
	return largest;
}

static void settle_places(struct run *x)
{
	struct rec_result *r = x->r;
	int sign = x->unplaced > 0 ? -1 : 1;
	int64_t left = x->unplaced * -sign;

	for (size_t i = 0; i < r->n_places; i++)
		expect(&r->places[i].f);
	while (left > 0) {
		struct rec_place *p = most_off(r, sign);
		int64_t n = p ? MIN(left, p->f.difference * sign) : left;

		if (!p)
			p = largest_book(r);
		add_to(&p->f, sign < 0 ? REC_SALE : REC_DELIVERY, n);
		expect(&p->f);
		left -= n;
	}
}

static bool explain_places(struct run *x)
{
	struct rec_result *r = x->r;
	bool all_match = true;

	for (size_t i = 0; i < r->n_places; i++) {
		struct rec_place *p = &r->places[i];
		int64_t d = p->f.difference;

		p->reason = REC_MATCHING;
		if (d == 0)
			continue;
		all_match = false;
		if ((d < 0 && r->f.difference >= 0) || (d > 0 && r->f.difference <= 0))
			p->reason = REC_MISPLACED;
		else
			p->reason = r->reason;
	}
	return all_match;
}

/* --- the row -----------------------------------------------------------------------------------
 */

static enum rec_reason reason_of(const struct rec_result *r, int64_t open)
{
	int64_t d = r->f.difference;

	if (!r->has_book)
		return REC_NO_BOOK;
	if (r->missing > 0)
		return r->at_exit == r->missing ? REC_LEFT_UNSOLD : REC_MISSING;
	if (r->pending > 0 && d < 0)
		return REC_NOT_YET_FED;
	if (r->never_heard > 0)
		return REC_UNTAGGED;
	if (r->sold_seen > 0 || (d > 0 && r->unmatched > 0 && r->ever > 0))
		return REC_SOLD_STILL_SEEN;
	if (d > 0)
		return open >= d ? REC_DELIVERY_OPEN : REC_SURPLUS;
	return d < 0 ? REC_MISSING : REC_MATCHING;
}

static int work(struct run *x)
{
	struct rec_result *r = x->r;
	int e = 0;

	read_books(x);
	rec_match_returns(x->in, r->as_of_us);
	look_at_items(x);
	if (r->has_book)
		e = rec_match(x->in, r->as_of_us, x->gone, x->as_of_us, x->n_gone, x->taken,
			      &r->unmatched);
	if (e < 0)
		return e;
	count_events(x);
	expect(&r->f);
	find_missing(x);
	r->reason = (uint8_t) reason_of(r, x->in->open);
	if (r->by_place) {
		settle_places(x);
		if (!explain_places(x) && r->reason == REC_MATCHING)
			r->reason = REC_MISPLACED;
	}
	return 0;
}

int reconcile(const struct rec_input *in, struct rec_result *ret)
{
	_cleanup_free_ struct rec_item **gone = calloc(in->n_items + 1, sizeof *gone);
	_cleanup_free_ struct rec_item **keys = calloc(in->n_items + 1, sizeof *keys);
	_cleanup_free_ int64_t *as_of_us = calloc(in->n_items + 1, sizeof *as_of_us);
	_cleanup_free_ int64_t *taken = calloc(in->n_events + 1, sizeof *taken);
	struct run x = {.in = in,
			.r = ret,
			.gone = gone,
			.by_key = keys,
			.as_of_us = as_of_us,
			.taken = taken};

	if (!gone || !keys || !as_of_us || !taken)
		return -ENOMEM;
	memset(ret, 0, offsetof(struct rec_result, places)); /* rows of places are set when added */
	return work(&x);
}
