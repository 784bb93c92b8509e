/* SPDX-License-Identifier: Apache-2.0 */
/* What other rooms ask of the inventory: items by the run, by GTIN, by EPC. */
#include "common/epc_scheme.h"
#include "controller/inventory/inventory_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The state engine counts products by SGTIN-96; longer schemes name a GTIN, too. */
static uint64_t gtin_of(const struct inv_state *st, const struct inv_item *it,
			const struct epc *epc)
{
	uint64_t gtin = st->products.v[it->product].gtin;
	struct epc_id id;

	return gtin || epc_decode(epc, &id) < 0 ? gtin : epc_id_gtin(&id);
}

static struct inventory_item show(const struct inv_state *st, uint32_t id)
{
	const struct inv_item *it = &st->items.v[id];
	struct inventory_item v = {
		.number = id,
		.place = it->place,
		.present = it->state == BELIEF_PRESENT,
		.since_us = it->since_us,
		.last_seen_us = inv_item_last_seen(st, id),
	};

	inv_item_epc(st, id, &v.epc);
	v.gtin = gtin_of(st, it, &v.epc);
	return v;
}

uint32_t inventory_walk(const struct inventory *inv, uint32_t from, uint32_t max,
			inventory_item_fn fn, void *user)
{
	const struct inv_state *st = inv->state;
	uint32_t id = from,
		 end = st->items.n - MIN(from, st->items.n) > max ? from + max : st->items.n;

	for (; id < end; id++) {
		struct inventory_item v = show(st, id);

		fn(user, &v);
	}
	return id < st->items.n ? id : 0;
}

uint32_t inventory_walk_gtin(const struct inventory *inv, uint64_t gtin, uint32_t max,
			     inventory_item_fn fn, void *user)
{
	const struct inv_state *st = inv->state;
	uint32_t product = inv_state_find_product(st, gtin), n = 0, id;

	if (product == INV_NONE)
		return 0;
	for (id = st->products.v[product].first_item; id != INV_NONE && n < max; n++) {
		struct inventory_item v = show(st, id);

		fn(user, &v);
		id = st->items.v[id].next_same;
	}
	return n;
}

int inventory_find(const struct inventory *inv, const struct epc *epc, struct inventory_item *ret)
{
	uint32_t id = inv_state_find(inv->state, epc);

	if (id == INV_NONE)
		return -ENOENT;
	*ret = show(inv->state, id);
	return 0;
}

const char *inventory_place_name(const struct inventory *inv, uint32_t place, const char **ret_kind)
{
	const struct inv_place *p = inventory_place(inv, place);

	if (ret_kind)
		*ret_kind = p ? p->kind : "";
	return p ? p->name : NULL;
}
