/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/books/scan.h"
#include "common/epc_scheme.h"
#include <string.h>

#define SLICE       20000
#define OF_ONE_GTIN 100000
#define OTHER_SCHEME                                                                               \
	20000 /* items looked at for those whose scheme the inventory does not count               \
	       */

static bool grow(struct scan *s)
{
	size_t cap = s->cap ? s->cap * 2 : 1024;
	struct scan_item *v = reallocarray(s->v, cap, sizeof *v);

	if (!v) {
		s->oom = true;
		return false;
	}
	s->v = v;
	s->cap = cap;
	return true;
}

uint32_t scan_keep_epc(struct scan *s, const struct epc *epc)
{
	if (s->n_epcs == s->cap_epcs) {
		uint32_t cap = s->cap_epcs ? s->cap_epcs * 2 : 256;
		struct epc *epcs = reallocarray(s->epcs, cap, sizeof *epcs);

		if (!epcs) {
			s->oom = true;
			return 0;
		}
		s->epcs = epcs;
		s->cap_epcs = cap;
	}
	s->epcs[s->n_epcs] = *epc;
	return s->n_epcs++;
}

static bool is_exit(const struct scan *s, uint32_t place)
{
	const char *kind = "";

	return place && inventory_place_name(s->books->app->inventory, place, &kind) &&
	       strcmp(kind, "exit") == 0;
}

static void add(void *user, const struct inventory_item *item)
{
	struct scan *s = user;
	struct scan_item *v;

	if (s->oom || (s->only && item->gtin != s->only) || (s->n == s->cap && !grow(s)))
		return;
	v = &s->v[s->n++];
	*v = (struct scan_item){
		.gtin = item->gtin,
		.epc = s->with_epcs ? scan_keep_epc(s, &item->epc) : 0,
		.class = item->gtin ? EPC_CLASS_GS1 : (uint8_t) epc_classify(&item->epc, NULL),
		.item = {.key = books_key_of(s->books, &item->epc),
			 .id = item->number,
			 .place = item->place,
			 .present = item->present,
			 .at_exit = !item->present && is_exit(s, item->place),
			 .last_us = item->last_seen_us},
	};
}

bool scan_slice(struct scan *s)
{
	s->next = inventory_walk(s->books->app->inventory, s->next, SLICE, add, s);
	return s->next == 0 || s->oom;
}

void scan_gtin(struct scan *s, uint64_t gtin)
{
	s->only = gtin;
	inventory_walk_gtin(s->books->app->inventory, gtin, OF_ONE_GTIN, add, s);
	inventory_walk_gtin(s->books->app->inventory, 0, OTHER_SCHEME, add, s);
}

void scan_done(struct scan *s)
{
	free(s->v);
	free(s->epcs);
	s->v = NULL;
	s->epcs = NULL;
	s->n = s->cap = 0;
	s->n_epcs = s->cap_epcs = 0;
}
