/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/shop_internal.h"

void shop_op_init(struct shop_op *op, struct http_request *rq, struct app *app)
{
	const struct http_who *who = http_who(rq);

	op->rq = rq;
	op->shop = app->shop;
	op->user_id = who->user_id;
	auth_who_text(who, op->who);
}

bool shop_arg_id(struct http_request *rq, size_t i, int64_t *ret)
{
	const char *text = http_arg(rq, i);
	int64_t v = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9' || v > INT64_MAX / 10 - 1) {
			http_problem(rq, 404, "not-found", "There is no such thing.");
			return false;
		}
		v = v * 10 + (*p - '0');
	}
	*ret = v;
	return true;
}
