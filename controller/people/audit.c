/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/people/audit.h"
#include "common/clock.h"
#include "controller/app.h"
#include "controller/db/db.h"
#include "controller/http/list.h"
#include <string.h>

#define PREFIX_MAX 64

/* What the list is narrowed to: ?who and ?object exactly, ?action exactly or, ending in a point,
 * all that begins so ("label." is everything about labels). NULL = any. */
struct audit_filter {
	const char *who, *object, *action;
	char above[PREFIX_MAX]; /* the first word after all that begin so */
};

#define ROWS                                                                                       \
	"SELECT id, at, who, action, object, detail FROM audit WHERE id < ?1"                      \
	" AND (?3 IS NULL OR who = ?3)"                                                            \
	" AND (?5 IS NULL OR action = ?5 OR (?6 IS NOT NULL AND action >= ?5 AND action < ?6))"
#define NEWEST " ORDER BY id DESC LIMIT ?2"

/* The history of one thing is asked for often and found by its index. */
static const char of_all[] = ROWS NEWEST;
static const char of_object[] = ROWS " AND object = ?4" NEWEST;

static const char *word(const struct http_request *rq, const char *name)
{
	const char *text = http_query(rq, name);

	return text && *text ? text : NULL;
}

/* False when the action cannot be one: then nothing matches. */
static bool filter_read(const struct http_request *rq, struct audit_filter *ret)
{
	size_t n;

	*ret = (struct audit_filter){
		.who = word(rq, "who"), .object = word(rq, "object"), .action = word(rq, "action")};
	n = ret->action ? strlen(ret->action) : 0;
	if (n >= sizeof ret->above)
		return false;
	if (n > 0 && ret->action[n - 1] == '.') {
		memcpy(ret->above, ret->action, n + 1);
		ret->above[n - 1]++; /* '/' follows '.' */
	}
	return true;
}

static void bind_filter(struct sql_stmt *q, const struct audit_filter *f)
{
	sql_bind_text(q, 3, f->who);
	sql_bind_text(q, 4, f->object);
	sql_bind_text(q, 5, f->action);
	sql_bind_text(q, 6, *f->above ? f->above : NULL);
}

static void get_audit(struct http_request *rq, struct app *app)
{
	struct audit_filter filter;
	struct list_page page;
	struct sql_stmt *q;
	char when[CLOCK_RFC3339_MAX];
	int64_t last = 0, n = 0;
	json_t *items;
	int r;

	if (!list_page_read(rq, &page))
		return;
	items = json_array();
	if (!filter_read(rq, &filter)) {
		list_reply(rq, items, 0);
		return;
	}
	q = sql_prepare(db_reader(app->db), filter.object ? of_object : of_all);
	sql_bind_i64(q, 1, page.after ? page.after : INT64_MAX);
	sql_bind_i64(q, 2, page.limit + 1);
	bind_filter(q, &filter);
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
