/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A WebSocket over a connected socket: asks for it, answers pings, puts messages together from
 * frames. A message is text of at most OEPL_MESSAGE_MAX bytes; anything else a server sends costs
 * it the connection.
 */
#pragma once

#include "common/loop.h"

struct ws;

struct ws_callbacks {
	void (*up)(void *user);
	void (*message)(void *user, const uint8_t *text, size_t len);
	/** Once; ws_free() then, or later. */
	void (*down)(void *user, int err);
};

/** The descriptor stays the caller's and must outlive the ws. */
int ws_new(struct loop *loop, int fd, const char *host, const char *path,
	   const struct ws_callbacks *cb, void *user, struct ws **ret) _must_check_;
/** Callbacks may call it. NULL-safe. */
void ws_free(struct ws *w);
