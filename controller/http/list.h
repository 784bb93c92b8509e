/* SPDX-License-Identifier: Apache-2.0 */
/** @file Cursor pages: what every list of the API shares. */
#pragma once

#include "controller/http/http.h"

#define LIST_DEFAULT 100
#define LIST_MAX     1000

struct list_page {
	int64_t limit;
	int64_t after; /**< id of the last item of the page before; 0 = from the start */
};

/** Reads ?limit and ?after (a numeric cursor). Replies 400 and returns false if they are wrong. */
bool list_page_read(struct http_request *rq, struct list_page *ret);
/** Replies {items, next}; `next` is the id to go on after, 0 = that was all. Takes `items` over. */
void list_reply(struct http_request *rq, json_t *items, int64_t next);
/** Likewise, with how many items all pages have together; `total` below 0 = not counted. */
void list_reply_total(struct http_request *rq, json_t *items, int64_t next, int64_t total);
