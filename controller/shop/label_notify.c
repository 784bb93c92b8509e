/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/label_notify.h"
#include "controller/shop/desired.h"
#include "controller/shop/label.h"
#include "controller/shop/shop_internal.h"

#define NOTIFY_MAX 256

void label_notify(struct shop *s, uint64_t addr)
{
	struct label l;

	if (!s->app->events || label_load(db_reader(s->app->db), addr, &l) < 0)
		return;
	events_publish(s->app->events, "label",
		       label_json(&l, desired_agent(s->desired, l.agent_id),
				  clock_real_us(s->app->clock)));
}

void label_notify_product(struct shop *s, int64_t product_id)
{
	struct sql_stmt *q = sql_prepare(db_reader(s->app->db),
					 "SELECT addr FROM labels WHERE product_id = ? LIMIT ?");
	uint64_t addrs[NOTIFY_MAX];
	size_t n = 0;

	sql_bind_i64(q, 1, product_id);
	sql_bind_i64(q, 2, NOTIFY_MAX);
	while (n < NOTIFY_MAX && sql_step(q) > 0)
		addrs[n++] = (uint64_t) sql_col_i64(q, 0);
	sql_reset(q);
	for (size_t i = 0; i < n; i++)
		label_notify(s, addrs[i]);
}
