/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A twin of ap-agent/http_client.h that talks to nobody: requests wait until the test answers them.
 * Linked in place of http_client.c.
 */
#pragma once

#include "ap-agent/http_client.h"
#include "common/buf.h"

#define FAKE_HTTP_MAX 64

struct http_call {
	struct http_client *client;
	char method[8];
	char path[256];
	struct buf body;
	int64_t sent_mono_us;
	http_fn fn;
	void *user;
};

struct http_client {
	const struct clock *clock;
	struct http_call *open[FAKE_HTTP_MAX];
	unsigned int started; /**< requests ever made */
	unsigned int cancelled;
	bool identified;
	unsigned int identifications;
	int refuse; /**< what http_client_start() returns, if not 0 */
};

/** The client that was made last. */
struct http_client *fake_http_last(void);
/** The oldest open request whose path begins so, or NULL. */
struct http_call *fake_http_find(struct http_client *c, const char *path_prefix);
/** Answers it; the call is gone then. */
void fake_http_reply(struct http_call *call, unsigned int status, const void *body, size_t len);
/** Lets it fail. */
void fake_http_fail(struct http_call *call, int err);
