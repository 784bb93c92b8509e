/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "controller/http/http_internal.h"
#include <errno.h>

void http_inject_complete(struct http_request *rq)
{
	struct http_reply *reply = &rq->reply;
	const char *body = reply->kind == REPLY_BUF ? (const char *) reply->body.data : NULL;

	for (const struct http_header *h = reply->headers; h && rq->inject.header; h = h->next)
		rq->inject.header(rq->inject.user, h->name, h->value);
	if (rq->inject.done)
		rq->inject.done(rq->inject.user, reply->status, body,
				reply->kind == REPLY_BUF ? reply->body.len : 0);
	http_request_finished(rq);
}

int http_inject(struct http_server *s, const struct http_injection *in)
{
	struct http_request *rq = http_request_new(s, in->listener, in->uri);

	if (!rq)
		return -ENOMEM;
	rq->injected = true;
	rq->inject = *in;
	rq->injecting = true;
	http_request_begin(rq, in->method);
	if (in->body_len > 0)
		(void) http_request_body(rq, in->body, in->body_len);
	http_request_dispatch(rq);
	rq->injecting = false;
	if (rq->replied)
		http_inject_complete(rq);
	return 0;
}
