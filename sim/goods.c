/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/goods.h"

#include "common/err.h"
#include "common/gtin.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_PRODUCTS  200000u
#define ARRIVALS_FROM 1000000u /* serials of what comes later */

struct gtin_list {
	uint64_t *v;
	uint32_t n, cap, limit;
};

static int list_add(struct gtin_list *l, uint64_t gtin)
{
	if (l->n == l->cap) {
		uint32_t cap = l->cap ? l->cap * 2 : 256;
		uint64_t *v = realloc(l->v, cap * sizeof *v);

		if (!v)
			return -ENOMEM;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = gtin;
	return 0;
}

static int gtins_from_text(const char *text, struct gtin_list *l, char *diag, size_t diag_len)
{
	while (*text && l->n < l->limit) {
		size_t len = strcspn(text, ", ");
		uint64_t gtin;
		int r;

		if (len > 0) {
			r = gtin_parse(text, len, &gtin);
			if (r == 0)
				r = list_add(l, gtin);
			if (r < 0) {
				(void) snprintf(diag, diag_len, "goods: gtins: '%.*s': %s",
						(int) MIN(len, (size_t) 20), text, err_str(r));
				return r;
			}
		}
		text += len + strspn(text + len, ", ");
	}
	return 0;
}

/** Which column of a header line is called "gtin"; -1 = none. */
static int gtin_column(const char *line)
{
	for (int column = 0;; column++) {
		size_t len = strcspn(line, ",;\t\r\n");

		if (len == 4 && !strncmp(line, "gtin", 4))
			return column;
		if (!line[len] || line[len] == '\r' || line[len] == '\n')
			return -1;
		line += len + 1;
	}
}

/** Skips to the n-th field. A quoted field may hold delimiters; the gtin column needs no quotes. */
static const char *csv_field(const char *p, int n)
{
	for (bool quoted = false; n > 0 && *p; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (!quoted && strchr(",;\t", *p))
			n--;
	}
	return p + (*p == '"');
}

static int gtins_from_file(const char *file, struct gtin_list *l, char *diag, size_t diag_len)
{
	FILE *f = fopen(file, "re");
	char *line = NULL;
	size_t cap = 0;
	int column = -1, r = 0, number = 0;

	if (!f) {
		r = -errno;
		(void) snprintf(diag, diag_len, "goods: products: %s: %s", file, strerror(-r));
		return r;
	}
	while (r == 0 && l->n < l->limit && getline(&line, &cap, f) >= 0) {
		const char *start = line + (strncmp(line, "\xEF\xBB\xBF", 3) ? 0 : 3);
		const char *field;
		uint64_t gtin;

		if (number++ == 0) {
			column = gtin_column(start);
			if (column < 0)
				r = -ERR_SYNTAX;
			continue;
		}
		field = csv_field(line, column);
		/* A product list is real data: a number that is none has no tags, that is all. */
		if (gtin_parse(field, strcspn(field, "\",;\t\r\n"), &gtin) == 0)
			r = list_add(l, gtin);
	}
	if (r < 0)
		(void) snprintf(diag, diag_len, "goods: products: %s: line %d: %s", file, number,
				column < 0 ? "no column called gtin" : err_str(r));
	free(line);
	(void) fclose(f);
	return r;
}

static int place_items(struct sim_world *w, const struct sim_goods *g, const struct gtin_list *l,
		       uint32_t fixed_place)
{
	for (uint32_t i = 0; i < g->items; i++) {
		struct sgtin s = {.gtin = l->v[i % l->n],
				  .serial = i / l->n + 1,
				  .filter = 1,
				  .prefix_digits = g->prefix_digits};
		uint32_t place = fixed_place;
		struct epc epc;
		int r;

		if (place == SIM_NOWHERE && w->n_places > 1)
			place = 1 + i % (w->n_places - 1);
		r = sgtin96_encode(&s, &epc);
		if (r == 0)
			r = sim_world_add_item(w, &epc, place);
		/* The same GTIN twice in a list would repeat its EPCs. */
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

int sim_goods_place(struct sim_world *w, const struct sim_goods *g, char *diag, size_t diag_len)
{
	struct gtin_list l = {.limit = g->max_products ? g->max_products : MAX_PRODUCTS};
	int place = SIM_NOWHERE, r = 0;

	w->prefix_digits = g->prefix_digits;
	if (g->items == 0)
		return 0;
	if (g->start && *g->start) {
		place = sim_world_find_place(w, g->start);
		if (place < 0) {
			(void) snprintf(diag, diag_len, "start: no place '%s'", g->start);
			return -ERR_CONFIG;
		}
	}
	if (g->gtins && *g->gtins)
		r = gtins_from_text(g->gtins, &l, diag, diag_len);
	else if (g->products && *g->products)
		r = gtins_from_file(g->products, &l, diag, diag_len);
	if (r == 0 && l.n == 0) {
		(void) snprintf(diag, diag_len,
				"goods: items wanted, but neither gtins nor products");
		r = -ERR_CONFIG;
	} else if (r == 0) {
		r = place_items(w, g, &l, (uint32_t) place);
		if (r < 0)
			(void) snprintf(diag, diag_len, "goods: %s", err_str(r));
	}
	free(l.v);
	return r;
}

int sim_goods_arrive(struct sim_world *w, const char *gtin, uint32_t at, uint32_t place)
{
	struct sgtin s = {.filter = 1, .prefix_digits = w->prefix_digits ? w->prefix_digits : 7};
	struct epc epc;
	int r = gtin_parse(gtin, strlen(gtin), &s.gtin);

	if (r < 0)
		return r;
	s.serial = ARRIVALS_FROM + w->n_passages;
	r = sgtin96_encode(&s, &epc);
	if (r < 0)
		return r;
	r = sim_world_add_item(w, &epc, at);
	if (r >= 0)
		sim_world_note_passage(w, (uint32_t) r, place, SIM_ARRIVED);
	return r;
}
