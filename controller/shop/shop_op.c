/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "controller/shop/shop_internal.h"
#include <stdarg.h>
#include <stdio.h>

void shop_op_init(struct shop_op *op, struct http_request *rq, struct app *app)
{
	const struct http_who *who = http_who(rq);

	op->rq = rq;
	op->shop = app->shop;
	op->user_id = who->user_id;
	auth_who_text(who, op->who);
}

int shop_refuse(struct shop_refusal *r, unsigned int status, const char *code, const char *fmt, ...)
{
	va_list ap;

	r->status = status;
	r->code = code;
	va_start(ap, fmt);
	vsnprintf(r->detail, sizeof r->detail, fmt, ap);
	va_end(ap);
	return -ERR_STATE;
}

void shop_reply_failed(const struct shop_op *op, const struct shop_refusal *why,
		       struct idempotency *again, int err, const char *what)
{
	if (err == -ERR_CONFLICT && again && again->key[0] &&
	    !idempotency_begin(op->rq, op->shop->app, again))
		return; /* the same key came twice at once: the other one's answer is there by now
			 */
	if (err == -ERR_STATE && why->status)
		http_problem(op->rq, why->status, why->code, "%s", why->detail);
	else
		http_reply_err(op->rq, err, what);
}

bool shop_arg_id(struct http_request *rq, size_t i, int64_t *ret)
{
	return http_arg_id(rq, i, ret);
}
