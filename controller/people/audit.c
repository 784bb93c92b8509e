/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/people/audit.h"
#include "common/clock.h"
#include "controller/app.h"
#include "controller/db/db.h"
#include "controller/http/list.h"

static void get_audit(struct http_request *rq, struct app *app)
{
	struct list_page page;
	struct sql_stmt *q;
	char when[CLOCK_RFC3339_MAX];
	int64_t last = 0, n = 0;
	json_t *items;
	int r;

	if (!list_page_read(rq, &page))
		return;
	items = json_array();
	q = sql_prepare(db_reader(app->db), "SELECT id, at, who, action, object, detail FROM audit"
					    " WHERE id < ? ORDER BY id DESC LIMIT ?");
	sql_bind_i64(q, 1, page.after ? page.after : INT64_MAX);
	sql_bind_i64(q, 2, page.limit + 1);
	while ((r = sql_step(q)) > 0 && n < page.limit) {
		last = sql_col_i64(q, 0);
		json_array_append_new(
			items, json_pack("{s:I,s:s,s:s,s:s,s:s,s:s}", "id", (json_int_t) last, "at",
					 clock_rfc3339(sql_col_i64(q, 1), when), "who",
					 sql_col_text(q, 2), "action", sql_col_text(q, 3), "object",
					 sql_col_text(q, 4), "detail", sql_col_text(q, 5)));
		n++;
	}
	if (r < 0) {
		json_decref(items);
		http_reply_err(rq, r, "Audit");
		return;
	}
	sql_reset(q);
	list_reply(rq, items, r > 0 ? last : 0);
}

const struct http_route audit_routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/audit", PERM_AUDIT, 0, get_audit},
	{.path = NULL},
};
