/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/http/list.h"
#include <stdio.h>

bool list_page_read(struct http_request *rq, struct list_page *ret)
{
	return http_query_int(rq, "limit", LIST_DEFAULT, 1, LIST_MAX, &ret->limit) &&
	       http_query_int(rq, "after", 0, 0, INT64_MAX, &ret->after);
}

void list_reply_total(struct http_request *rq, json_t *items, int64_t next, int64_t total)
{
	char cursor[24];

	snprintf(cursor, sizeof(cursor), "%lld", (long long) next);
	http_reply_json(rq, 200,
			json_pack("{s:o,s:o,s:o*}", "items", items, "next",
				  next ? json_string(cursor) : json_null(), "total",
				  total < 0 ? NULL : json_integer(total)));
}

void list_reply(struct http_request *rq, json_t *items, int64_t next)
{
	list_reply_total(rq, items, next, -1);
}
