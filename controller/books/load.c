/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/books/load.h"
#include "common/err.h"
#include "common/gtin.h"
#include <errno.h>
#include <string.h>

#define TEXT_BYTES 65536
#define NO_PRODUCT UINT32_MAX

struct load_text {
	struct load_text *next;
	size_t used, cap;
	char data[];
};

static const char *keep(struct load *l, const char *text)
{
	size_t n = text ? strlen(text) + 1 : 1;
	struct load_text *t = l->text;

	if (!t || t->cap - t->used < n) {
		size_t cap = MAX(n, (size_t) TEXT_BYTES);

		t = malloc(sizeof *t + cap);
		if (!t)
			return NULL;
		*t = (struct load_text){.next = l->text, .cap = cap};
		l->text = t;
	}
	t->used += n;
	return memcpy(t->data + t->used - n, text ? text : "", n);
}

void load_text_free(struct load_text *t)
{
	while (t) {
		struct load_text *next = t->next;

		free(t);
		t = next;
	}
}

struct load_text *load_take_text(struct load *l)
{
	return TAKE_PTR(l->text);
}

/* Room for one more of an array that grows by doubling. */
#define MORE(l, v, n, cap)                                                                         \
	({                                                                                         \
		bool ok_ = true;                                                                   \
		if ((l)->n == (l)->cap) {                                                          \
			size_t cap_ = (l)->cap ? (l)->cap * 2 : 1024;                              \
			void *more_ = reallocarray((l)->v, cap_, sizeof *(l)->v);                  \
			ok_ = more_ != NULL;                                                       \
			if (ok_) {                                                                 \
				(l)->v = more_;                                                    \
				(l)->cap = cap_;                                                   \
			}                                                                          \
		}                                                                                  \
		ok_;                                                                               \
	})

/* --- products ----------------------------------------------------------------------------------
 */

static int load_products(struct load *l)
{
	struct sql_stmt *q = sql_prepare(l->sql, "SELECT id, gtin, name, folded FROM products"
						 " WHERE id >= ? AND id <= ? ORDER BY id");
	int r;

	sql_bind_i64(q, 1, l->only);
	sql_bind_i64(q, 2, l->only ? l->only : INT64_MAX);
	while ((r = sql_step(q)) > 0) {
		struct load_product *p;

		if (!MORE(l, products, n_products, cap_products)) {
			sql_reset(q);
			return -ENOMEM;
		}
		p = &l->products[l->n_products++];
		*p = (struct load_product){.id = sql_col_i64(q, 0),
					   .gtin = (uint64_t) sql_col_i64(q, 1),
					   .name = keep(l, sql_col_text(q, 2)),
					   .folded = keep(l, sql_col_text(q, 3))};
		if (!p->name || !p->folded) {
			sql_reset(q);
			return -ENOMEM;
		}
	}
	return r;
}

static uint32_t product_at(const struct load *l, int64_t id)
{
	size_t low = 0, high = l->n_products;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->products[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->n_products && l->products[low].id == id ? (uint32_t) low : NO_PRODUCT;
}

/* The table's order is that of the numbers: 14 digits each. */
static int load_aliases(struct load *l)
{
	struct sql_stmt *q = sql_prepare(l->sql, "SELECT value, product_id FROM product_aliases"
						 " WHERE store_id = 1 AND kind = 'gtin'"
						 " AND (?1 = 0 OR product_id = ?1) ORDER BY value");
	int r;

	sql_bind_i64(q, 1, l->only);
	while ((r = sql_step(q)) > 0) {
		const char *text = sql_col_text(q, 0);
		uint32_t product = product_at(l, sql_col_i64(q, 1));
		uint64_t gtin;

		if (product == NO_PRODUCT || !text || gtin_parse(text, strlen(text), &gtin) < 0)
			continue;
		if (!MORE(l, aliases, n_aliases, cap_aliases)) {
			sql_reset(q);
			return -ENOMEM;
		}
		l->aliases[l->n_aliases].gtin = gtin;
		l->aliases[l->n_aliases++].product = product;
		l->products[product].n_gtins++;
	}
	return r;
}

/* Each product's numbers side by side. */
static int spread_aliases(struct load *l)
{
	size_t at = 0;

	l->gtins = calloc(l->n_aliases + 1, sizeof *l->gtins);
	if (!l->gtins)
		return -ENOMEM;
	for (size_t i = 0; i < l->n_products; i++) {
		l->products[i].gtins = l->gtins + at;
		at += l->products[i].n_gtins;
		l->products[i].n_gtins = 0;
	}
	for (size_t i = 0; i < l->n_aliases; i++) {
		struct load_product *p = &l->products[l->aliases[i].product];

		p->gtins[p->n_gtins++] = l->aliases[i].gtin;
	}
	return 0;
}

static uint32_t product_of(const struct load *l, uint64_t gtin)
{
	size_t low = 0, high = l->n_aliases;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->aliases[mid].gtin < gtin)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->n_aliases && l->aliases[low].gtin == gtin ? l->aliases[low].product
								  : NO_PRODUCT;
}

/* --- books -------------------------------------------------------------------------------------
 */

static int load_books(struct load *l)
{
	struct sql_stmt *q = sql_prepare(
		l->sql, "SELECT product_id, place_id, quantity, as_of, book_id FROM book_now"
			" WHERE product_id >= ? AND product_id <= ? ORDER BY product_id, place_id");
	struct {
		struct rec_book *rows;
		size_t n, cap;
	} a = {NULL, 0, 0};
	int r;

	sql_bind_i64(q, 1, l->only);
	sql_bind_i64(q, 2, l->only ? l->only : INT64_MAX);
	while ((r = sql_step(q)) > 0) {
		uint32_t product = product_at(l, sql_col_i64(q, 0));

		if (product == NO_PRODUCT)
			continue;
		if (!MORE(&a, rows, n, cap)) {
			sql_reset(q);
			r = -ENOMEM;
			break;
		}
		a.rows[a.n++] = (struct rec_book){.place = (uint32_t) sql_col_i64(q, 1),
						  .quantity = sql_col_i64(q, 2),
						  .as_of_us = sql_col_i64(q, 3),
						  .id = sql_col_i64(q, 4)};
		l->products[product].n_books++;
	}
	l->rows = a.rows;
	for (size_t i = 0, at = 0; r == 0 && i < l->n_products; i++) {
		l->products[i].books = l->rows + at;
		at += l->products[i].n_books;
	}
	return r;
}

/* --- items -------------------------------------------------------------------------------------
 */

/* Sorts the scan by product, strangers last: a counting sort, since products are numbered. */
static int sort_scan(struct load *l)
{
	struct scan *s = l->scan;
	_cleanup_free_ uint32_t *product = calloc(s->n + 1, sizeof *product);
	_cleanup_free_ size_t *start = calloc(l->n_products + 2, sizeof *start);
	struct scan_item *sorted = calloc(s->n + 1, sizeof *sorted);

	if (!product || !start || !sorted) {
		free(sorted);
		return -ENOMEM;
	}
	for (size_t i = 0; i < s->n; i++) {
		uint32_t p = s->v[i].gtin ? product_of(l, s->v[i].gtin) : NO_PRODUCT;

		product[i] = MIN(p, (uint32_t) l->n_products);
		start[product[i] + 1]++;
	}
	for (size_t i = 0; i <= l->n_products; i++)
		start[i + 1] += start[i];
	for (size_t i = 0; i < l->n_products; i++) {
		l->products[i].items = sorted + start[i];
		l->products[i].n_items = start[i + 1] - start[i];
	}
	l->strangers = sorted + start[l->n_products];
	l->n_strangers = s->n - start[l->n_products];
	for (size_t i = 0; i < s->n; i++)
		sorted[start[product[i]]++] = s->v[i];
	free(s->v);
	s->v = sorted;
	s->cap = s->n + 1;
	return 0;
}

static int index_items(struct scan *s, struct load_index *ret)
{
	size_t size = 1024;

	while (size < s->n * 2)
		size *= 2;
	free(ret->slots);
	*ret = (struct load_index){.scan = s, .slots = calloc(size, sizeof *ret->slots)};
	if (!ret->slots)
		return -ENOMEM;
	ret->mask = size - 1;
	for (size_t i = 0; i < s->n; i++) {
		size_t at = (size_t) s->v[i].item.key & ret->mask;

		while (ret->slots[at])
			at = (at + 1) & ret->mask;
		ret->slots[at] = (uint32_t) i + 1;
	}
	return 0;
}

static struct rec_item *find(const struct load_index *ix, uint64_t key)
{
	size_t at = (size_t) key & ix->mask;

	for (; ix->slots[at]; at = (at + 1) & ix->mask) {
		struct rec_item *it = &ix->scan->v[ix->slots[at] - 1].item;

		if (it->key == key)
			return it;
	}
	return NULL;
}

/* The EPC of a row, in two columns. */
static uint64_t key_at(const struct load *l, struct sql_stmt *q, int column, struct epc *ret)
{
	size_t len;
	const void *bits = sql_col_blob(q, column, &len);
	int64_t n = sql_col_i64(q, column + 1);

	if (!bits || n <= 0 || (size_t) n > len * 8 || epc_set(ret, bits, (size_t) n) < 0)
		return 0;
	return books_key_of(l->books, ret);
}

static void apply(struct rec_item *it, int64_t quantity, int64_t at_us, int64_t line)
{
	it->ever_sold |= quantity > 0;
	if (at_us < it->till_us)
		return;
	it->sold = quantity > 0;
	it->returned = quantity < 0;
	it->till_us = at_us;
	it->sale_ref = line;
}

/* What the tills said of each EPC last, oldest first so that the last word stays. Sales before
 * these, but after a product's book, are applied with its events. */
static int apply_tills(struct load *l)
{
	struct sql_stmt *q =
		sql_prepare(l->sql, "SELECT epc, epc_bits, quantity, at, id FROM sale_lines"
				    " WHERE epc IS NOT NULL AND at > ? ORDER BY at, id");
	struct epc epc;
	int r;

	sql_bind_i64(q, 1, l->now_us - BOOKS_LOOK_BACK_US);
	while ((r = sql_step(q)) > 0) {
		struct rec_item *it = find(&l->index, key_at(l, q, 0, &epc));

		if (it)
			apply(it, sql_col_i64(q, 2), sql_col_i64(q, 3), sql_col_i64(q, 4));
	}
	return r;
}

/* EPCs of received deliveries that no reader ever heard join their product's items. */
static int add_never_heard(struct load *l)
{
	struct sql_stmt *q = sql_prepare(
		l->sql, "SELECT e.epc, e.epc_bits, n.gtin, max(d.closed) FROM deliveries d"
			" JOIN delivery_lines n ON n.delivery_id = d.id"
			" JOIN delivery_epcs e ON e.line_id = n.id"
			" WHERE d.state = 'received' AND d.closed > ? GROUP BY e.epc, n.gtin");
	struct scan *s = l->scan;
	struct epc epc;
	int r;

	sql_bind_i64(q, 1, l->now_us - BOOKS_LOOK_BACK_US);
	while ((r = sql_step(q)) > 0) {
		uint64_t key = key_at(l, q, 0, &epc);
		struct scan_item *v;

		if (!key || find(&l->index, key))
			continue;
		if (!MORE(s, v, n, cap)) {
			sql_reset(q);
			return -ENOMEM;
		}
		v = &s->v[s->n];
		*v = (struct scan_item){.gtin = (uint64_t) sql_col_i64(q, 2),
					.item = {.key = key,
						 .id = UINT32_MAX,
						 .never_heard = true,
						 .last_us = sql_col_i64(q, 3)}};
		if (product_of(l, v->gtin) == NO_PRODUCT)
			continue;
		v->epc = s->with_epcs ? scan_keep_epc(s, &epc) : 0;
		s->n++;
	}
	return r;
}

static int load_items(struct load *l)
{
	int r = index_items(l->scan, &l->index);

	if (r == 0)
		r = add_never_heard(l);
	if (r == 0)
		r = sort_scan(l);
	if (r == 0)
		r = index_items(l->scan, &l->index);
	return r == 0 ? apply_tills(l) : r;
}

static int load_open(struct load *l)
{
	struct sql_stmt *q = sql_prepare(
		l->sql, "SELECT n.gtin, sum(n.quantity) FROM deliveries d JOIN delivery_lines n"
			" ON n.delivery_id = d.id WHERE d.state = 'announced' GROUP BY n.gtin");
	int r;

	while ((r = sql_step(q)) > 0) {
		uint32_t p = product_of(l, (uint64_t) sql_col_i64(q, 0));

		if (p != NO_PRODUCT)
			l->products[p].open += sql_col_i64(q, 1);
	}
	return r;
}

int load_all(struct load *l)
{
	/* One instant for all, and one lock instead of one for each of tens of thousands reads. */
	int r = sql_exec(l->sql, "BEGIN");

	l->reading = r == 0;
	if (r == 0)
		r = load_products(l);
	if (r == 0)
		r = load_aliases(l);
	if (r == 0)
		r = spread_aliases(l);
	if (r == 0)
		r = load_books(l);
	if (r == 0)
		r = load_items(l);
	return r == 0 ? load_open(l) : r;
}

/* --- one product -------------------------------------------------------------------------------
 */

static int add_event(struct load *l, const struct rec_event *e)
{
	if (!MORE(l, events, n_events, cap_events))
		return -ENOMEM;
	l->events[l->n_events++] = *e;
	return 0;
}

static int load_sales(struct load *l, uint64_t gtin, int64_t since_us)
{
	struct sql_stmt *q =
		sql_prepare(l->sql, "SELECT id, at, quantity, epc, epc_bits FROM sale_lines"
				    " WHERE gtin = ? AND at > ? ORDER BY at, id");
	struct epc epc;
	struct rec_item *it;
	int r = 0, e = 0;

	sql_bind_i64(q, 1, (int64_t) gtin);
	sql_bind_i64(q, 2, since_us);
	while (e == 0 && (r = sql_step(q)) > 0) {
		int64_t quantity = sql_col_i64(q, 2);
		struct rec_event ev = {.at_us = sql_col_i64(q, 1),
				       .quantity = quantity < 0 ? -quantity : quantity,
				       .ref = sql_col_i64(q, 0),
				       .kind = quantity < 0 ? REC_RETURN : REC_SALE};

		if (!sql_col_is_null(q, 3))
			ev.key = key_at(l, q, 3, &epc);
		it = ev.key ? find(&l->index, ev.key) : NULL;
		if (it)
			apply(it, quantity, ev.at_us, ev.ref);
		/* Sold by GTIN and brought back by EPC: takes a sale by GTIN back. */
		if (it && ev.kind == REC_RETURN && !it->ever_sold)
			ev.key = 0;
		e = add_event(l, &ev);
	}
	if (e < 0)
		sql_reset(q);
	return r < 0 ? r : e;
}

static int load_receipts(struct load *l, uint64_t gtin, int64_t since_us)
{
	struct sql_stmt *q =
		sql_prepare(l->sql, "SELECT id, at, quantity, place_id FROM delivery_receipts"
				    " WHERE gtin = ? AND at > ?");
	int r = 0, e = 0;

	sql_bind_i64(q, 1, (int64_t) gtin);
	sql_bind_i64(q, 2, since_us);
	while (e == 0 && (r = sql_step(q)) > 0) {
		struct rec_event ev = {.at_us = sql_col_i64(q, 1),
				       .quantity = sql_col_i64(q, 2),
				       .ref = sql_col_i64(q, 0),
				       .place = (uint32_t) sql_col_i64(q, 3),
				       .kind = REC_DELIVERY};

		e = ev.quantity ? add_event(l, &ev) : 0;
	}
	if (e < 0)
		sql_reset(q);
	return r < 0 ? r : e;
}

static int by_time(const void *a, const void *b)
{
	const struct rec_event *x = a, *y = b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return (x->ref > y->ref) - (x->ref < y->ref);
}

static int64_t oldest_book(const struct load_product *p)
{
	int64_t as_of_us = INT64_MAX;

	for (size_t i = 0; i < p->n_books; i++)
		as_of_us = MIN(as_of_us, p->books[i].as_of_us);
	return as_of_us;
}

int load_input(struct load *l, const struct load_product *p, struct rec_input *ret)
{
	int64_t since_us = oldest_book(p);
	int r = 0;

	l->n_events = 0;
	for (size_t i = 0; p->n_books && i < p->n_gtins && r == 0; i++) {
		r = load_sales(l, p->gtins[i], since_us);
		if (r == 0)
			r = load_receipts(l, p->gtins[i], since_us);
	}
	if (r < 0)
		return r;
	if (l->n_events)
		qsort(l->events, l->n_events, sizeof *l->events, by_time);
	if (l->cap_items < p->n_items || !l->items) {
		free(l->items);
		l->cap_items = p->n_items + 64;
		l->items = calloc(l->cap_items, sizeof *l->items);
		if (!l->items)
			return -ENOMEM;
	}
	for (size_t i = 0; i < p->n_items; i++)
		l->items[i] = p->items[i].item;
	*ret = (struct rec_input){.now_us = l->now_us,
				  .grace_us = l->books->grace_us,
				  .look_back_us = BOOKS_LOOK_BACK_US,
				  .books = p->books,
				  .n_books = p->n_books,
				  .events = l->events,
				  .n_events = l->n_events,
				  .items = l->items,
				  .n_items = p->n_items,
				  .open = p->open};
	return 0;
}

void load_done(struct load *l)
{
	if (l->reading)
		sql_rollback(l->sql);
	free(l->index.slots);
	free(l->products);
	free(l->aliases);
	free(l->gtins);
	free(l->rows);
	free(l->events);
	free(l->items);
	load_text_free(l->text);
}
