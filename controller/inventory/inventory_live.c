/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live events. Changes collect for a tenth of a second: a count that changed five times is told
 * once, with its last value. When a store is read for the first time thousands of items move at
 * once; counts are then told over several rounds, and of single items only the first of a round.
 */
#include "controller/http/events.h"
#include "controller/inventory/exit.h"
#include "controller/inventory/inv_impl.h"
#include "controller/inventory/inventory_internal.h"
#include <string.h>

#define FLUSH_US      (100 * US_PER_MS)
#define CELLS_A_ROUND 500
#define MOVES_A_ROUND 100

static void note_cell(struct inventory *inv, uint32_t product, uint32_t place)
{
	for (uint32_t i = 0; i < inv->n_cells && i < 64; i++) {
		struct inv_cell_ref *c = &inv->cells[inv->n_cells - 1 - i];

		if (c->product == product && c->place == place)
			return;
	}
	if (inv_grow((void **) &inv->cells, &inv->cap_cells, inv->n_cells, sizeof(*inv->cells)))
		inv->cells[inv->n_cells++] =
			(struct inv_cell_ref){.product = product, .place = place};
}

void inventory_live_note(void *user, const struct inv_change *c)
{
	struct inventory *inv = user;
	uint32_t product = inv->state->items.v[c->item].product;

	exits_note(inv, c);
	if (!inv->app->events)
		return;
	if (c->from_state == BELIEF_PRESENT)
		note_cell(inv, product, c->from);
	if (c->to_state == BELIEF_PRESENT)
		note_cell(inv, product, c->to);
	if (inv->n_moves < MOVES_A_ROUND &&
	    inv_grow((void **) &inv->moves, &inv->cap_moves, inv->n_moves, sizeof(*inv->moves)))
		inv->moves[inv->n_moves++] = *c;
	if (!loop_timer_active(inv->flush))
		loop_timer_start(inv->flush, FLUSH_US);
}

static void publish_count(struct inventory *inv, const struct inv_cell_ref *c)
{
	events_publish(inv->app->events, "stock",
		       json_pack("{s:o,s:o,s:o,s:I}", "product_id",
				 inventory_product_id_json(inventory_name(inv, c->product)), "gtin",
				 inventory_gtin_json(inv->state->products.v[c->product].gtin),
				 "place_id", inventory_place_id_json(c->place), "count",
				 (json_int_t) inv_state_count(inv->state, c->product, c->place)));
}

static void publish_move(struct inventory *inv, const struct inv_change *c)
{
	char hex[EPC_HEX_MAX];
	struct epc epc;
	uint32_t product = inv->state->items.v[c->item].product;

	inv_item_epc(inv->state, c->item, &epc);
	events_publish(
		inv->app->events, "item",
		json_pack("{s:s,s:o,s:o,s:o,s:o,s:f,s:s,s:s}", "epc", epc_to_hex(&epc, hex),
			  "product_id", inventory_product_id_json(inventory_name(inv, product)),
			  "place_id",
			  c->to_state == BELIEF_PRESENT ? inventory_place_id_json(c->to)
							: json_null(),
			  "from_place_id", inventory_place_id_json(c->from), "at",
			  inventory_time_json(c->at_us), "confidence", c->confidence / 1000.0,
			  "state", c->to_state == BELIEF_PRESENT ? "present" : "gone", "cause",
			  belief_cause_str(c->cause)));
}

static void on_flush(void *user)
{
	struct inventory *inv = user;
	uint32_t n = MIN(inv->n_cells, CELLS_A_ROUND);

	for (uint32_t i = 0; i < n; i++)
		publish_count(inv, &inv->cells[i]);
	inv->n_cells -= n;
	if (inv->n_cells)
		memmove(inv->cells, inv->cells + n, inv->n_cells * sizeof(*inv->cells));
	for (uint32_t i = 0; i < inv->n_moves; i++)
		publish_move(inv, &inv->moves[i]);
	inv->n_moves = 0;
	if (inv->n_cells)
		loop_timer_start(inv->flush, FLUSH_US);
}

int inventory_live_start(struct inventory *inv)
{
	return loop_timer_new(inv->app->loop, on_flush, inv, &inv->flush);
}

void inventory_live_done(struct inventory *inv)
{
	if (inv->flush)
		loop_timer_free(inv->flush);
	free(inv->cells);
	free(inv->moves);
}
