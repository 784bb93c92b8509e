/* SPDX-License-Identifier: Apache-2.0 */
#include "common/clock.h"
#include "common/gtin.h"
#include "controller/db/db.h"
#include "controller/fleet/fleet.h"
#include "controller/inventory/inventory_internal.h"
#include <stdio.h>
#include <string.h>

/* Works without the shop's tables, too: then no product has a name. */
static void look_up(struct inventory *inv, uint64_t gtin, struct inv_name *n)
{
	char text[GTIN_STR_MAX];
	struct sql_stmt *q;

	free(n->name);
	*n = (struct inv_name){.round = inv->round};
	if (!gtin || !inv->app->db || !inv->app->shop)
		return;
	q = sql_prepare(db_reader(inv->app->db),
			"SELECT p.id, p.name FROM product_aliases a"
			" JOIN products p ON p.id = a.product_id"
			" WHERE a.store_id = 1 AND a.kind = 'gtin' AND a.value = ?");
	if (!q)
		return;
	sql_bind_text(q, 1, gtin_format(gtin, text));
	if (sql_step(q) <= 0)
		return;
	n->product_id = sql_col_i64(q, 0);
	n->name = strdup(sql_col_text(q, 1) ? sql_col_text(q, 1) : "");
	sql_reset(q);
}

const struct inv_name *inventory_name(struct inventory *inv, uint32_t product)
{
	static const struct inv_name none;

	if (product >= inv->n_names) {
		uint32_t n = inv->state->products.n;
		struct inv_name *grown = realloc(inv->names, n * sizeof(*grown));

		if (!grown)
			return &none;
		memset(grown + inv->n_names, 0, (n - inv->n_names) * sizeof(*grown));
		inv->names = grown;
		inv->n_names = n;
	}
	if (inv->names[product].round != inv->round)
		look_up(inv, inv->state->products.v[product].gtin, &inv->names[product]);
	return &inv->names[product];
}

void inventory_names_done(struct inventory *inv)
{
	for (uint32_t i = 0; i < inv->n_names; i++)
		free(inv->names[i].name);
	free(inv->names);
}

int inventory_products_of(struct inventory *inv, int64_t product_id, uint32_t *ret, size_t max)
{
	struct sql_stmt *q;
	size_t n = 0;
	int r;

	if (!inv->app->db || !inv->app->shop)
		return 0;
	q = sql_prepare(db_reader(inv->app->db), "SELECT value FROM product_aliases"
						 " WHERE product_id = ? AND kind = 'gtin'");
	if (!q)
		return 0;
	sql_bind_i64(q, 1, product_id);
	while ((r = sql_step(q)) > 0) {
		const char *text = sql_col_text(q, 0);
		uint64_t gtin;
		uint32_t p;

		if (!text || gtin_parse(text, strlen(text), &gtin) < 0)
			continue;
		p = inv_state_find_product(inv->state, gtin);
		if (p != INV_NONE && n < max)
			ret[n++] = p;
	}
	return r < 0 ? r : (int) n;
}

/* --- words -------------------------------------------------------------------------------------
 */

json_t *inventory_place_json(const struct inventory *inv, uint32_t place)
{
	const struct inv_place *p = inventory_place(inv, place);

	if (!place)
		return json_null();
	return json_pack("{s:I,s:s?}", "id", (json_int_t) place, "name", p ? p->name : NULL);
}

json_t *inventory_place_id_json(uint32_t place)
{
	return place ? json_integer(place) : json_null();
}

json_t *inventory_product_id_json(const struct inv_name *name)
{
	return name->product_id ? json_integer(name->product_id) : json_null();
}

json_t *inventory_gtin_json(uint64_t gtin)
{
	char text[GTIN_STR_MAX];

	return gtin ? json_string(gtin_format(gtin, text)) : json_null();
}

json_t *inventory_time_json(int64_t at_us)
{
	char text[CLOCK_RFC3339_MAX];

	return at_us ? json_string(clock_rfc3339(at_us, text)) : json_null();
}

json_t *inventory_agent_json(struct inventory *inv, uint64_t agent)
{
	const char *name =
		inv->app->fleet ? fleet_agent_name(inv->app->fleet, (int64_t) agent) : "";
	char text[32];

	if (*name)
		return json_string(name);
	snprintf(text, sizeof(text), "agent %llu", (unsigned long long) agent);
	return json_string(text);
}
