/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_agent_fake_http.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct http_client *last;

struct http_client *fake_http_last(void)
{
	return last;
}

int http_client_new(struct loop *loop, const struct http_client_config *cfg,
		    struct http_client **ret)
{
	struct http_client *c = calloc(1, sizeof(*c));

	(void) cfg;
	if (!c)
		return -ENOMEM;
	c->clock = loop_clock(loop);
	last = c;
	*ret = c;
	return 0;
}

static void drop(struct http_call *call)
{
	for (size_t i = 0; i < FAKE_HTTP_MAX; i++)
		if (call->client->open[i] == call)
			call->client->open[i] = NULL;
	buf_done(&call->body);
	free(call);
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < FAKE_HTTP_MAX; i++)
		if (c->open[i])
			drop(c->open[i]);
	free(c);
}

void http_client_identify(struct http_client *c, bool on)
{
	c->identified = on;
	c->identifications++;
}

int http_client_start(struct http_client *c, const struct http_request *req, http_fn fn, void *user,
		      struct http_call **ret)
{
	if (c->refuse)
		return c->refuse;
	for (size_t i = 0; i < FAKE_HTTP_MAX; i++) {
		if (c->open[i])
			continue;

		struct http_call *call = calloc(1, sizeof(*call));

		if (!call)
			return -ENOMEM;
		call->client = c;
		snprintf(call->method, sizeof(call->method), "%s", req->method);
		snprintf(call->path, sizeof(call->path), "%s", req->path);
		buf_put(&call->body, req->body, req->body_len);
		call->sent_mono_us = clock_mono_us(c->clock);
		call->fn = fn;
		call->user = user;
		c->open[i] = call;
		c->started++;
		*ret = call;
		return 0;
	}
	return -EAGAIN;
}

void http_call_cancel(struct http_call *call)
{
	if (!call)
		return;
	call->client->cancelled++;
	drop(call);
}

struct http_call *fake_http_find(struct http_client *c, const char *path_prefix)
{
	for (size_t i = 0; i < FAKE_HTTP_MAX; i++)
		if (c->open[i] && strncmp(c->open[i]->path, path_prefix, strlen(path_prefix)) == 0)
			return c->open[i];
	return NULL;
}

static void answer(struct http_call *call, const struct http_reply *reply)
{
	http_fn fn = call->fn;
	void *user = call->user;

	drop(call);
	fn(user, reply);
}

void fake_http_reply(struct http_call *call, unsigned int status, const void *body, size_t len)
{
	const struct http_reply reply = {.status = status,
					 .body = body,
					 .len = len,
					 .sent_mono_us = call->sent_mono_us,
					 .recv_mono_us = clock_mono_us(call->client->clock),
					 .why = ""};

	answer(call, &reply);
}

void fake_http_fail(struct http_call *call, int err)
{
	const struct http_reply reply = {.err = err, .why = "no way there"};

	answer(call, &reply);
}
