/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The seam to an OpenEPaperLink access point: requests, one at a time, and the feed of messages
 * that it sends over its WebSocket. http.c is the one that is used; tests bring a twin that asks a
 * simulated access point without a socket, so that hours pass in a moment.
 *
 * Callbacks come from the loop, never from within a call of the table.
 */
#pragma once

#include "common/loop.h"
#include "esl-radio/oepl/tagdb.h"

#define OEPL_MESSAGE_MAX (size_t)(256u << 10) /**< of the feed */

struct oepl_field {
	const char *name;
	const void *data;
	size_t len;
	const char *filename; /**< NULL = a plain field */
};

struct oepl_request {
	const char *path;                /**< from the first slash, with its query */
	const struct oepl_field *fields; /**< none: GET; else POST, multipart if one is a file */
	size_t n_fields;
	size_t max_reply;
	int64_t timeout_us;
};

struct oepl_reply {
	int err; /**< 0, or why there is no answer: the fields below are empty then */
	unsigned int status;
	const uint8_t *body; /**< borrowed for the call */
	size_t len;
};

struct oepl_net_callbacks {
	/** Exactly one for each request. */
	void (*reply)(void *user, const struct oepl_reply *reply);
	/** The feed began, or ended (it is not opened again by itself). */
	void (*feed)(void *user, bool up);
	void (*message)(void *user, const uint8_t *text, size_t len);
};

struct oepl_net;

struct oepl_net_ops {
	void (*set)(struct oepl_net *n, const struct oepl_net_callbacks *cb, void *user);
	/** Everything of the request is copied. -ERR_STATE while another is under way. */
	int (*request)(struct oepl_net *n, const struct oepl_request *req);
	/** Opens or closes the feed; closing is not told. */
	int (*listen)(struct oepl_net *n, bool on);
	void (*free)(struct oepl_net *n);
};

struct oepl_net {
	const struct oepl_net_ops *ops;
};

/** "http://HOST[:PORT]", nothing after it? 0 or -ERR_SYNTAX. */
int oepl_url_check(const char *url) _must_check_;
/** HTTP in the clear by libcurl. */
int oepl_net_http(struct loop *loop, const char *url, struct oepl_net **ret) _must_check_;
