/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * HTTPS to the controller: libcurl's multi interface on the loop seam. Nothing here blocks; kept
 * connections are reused; answers are bounded in size and time. Mutual TLS, 1.2 or newer; whom to
 * believe is trust.c's business.
 *
 * Only http_client.c knows libcurl. Tests of the link put a twin of these functions in its
 * place.
 */
#pragma once

#include "ap-agent/trust.h"
#include "common/loop.h"

struct http_client;
struct http_call;

struct http_client_config {
	const char *base_url;  /**< "https://host:port", borrowed */
	const char *cert_path; /**< PEM; used once http_client_identify() was called */
	const char *key_path;
	struct trust *trust;
};

struct http_request {
	const char *method; /**< "GET" or "POST" */
	const char *path;   /**< from the first slash, copied */
	const void *body;   /**< POST, copied */
	size_t body_len;
	size_t max_reply;   /**< a longer answer is -ERR_TOO_LARGE */
	int64_t timeout_us; /**< for all of it */
};

struct http_reply {
	int err; /**< 0, or why there is no answer: the fields below are empty then */
	unsigned int status;
	const uint8_t *body; /**< borrowed for the call */
	size_t len;
	int64_t sent_mono_us; /**< just before the request went out */
	int64_t recv_mono_us; /**< when the first byte of the answer was seen */
	const char *why;      /**< a sentence for the log when err is set; never NULL */
};

typedef void (*http_fn)(void *user, const struct http_reply *reply);

/** Strings of cfg must outlive it. */
int http_client_new(struct loop *loop, const struct http_client_config *cfg,
		    struct http_client **ret) _must_check_;
/** Calls under way end without their callback. Not from inside a callback. */
void http_client_free(struct http_client *c);
/** From now on show the client certificate as it is on disk now; kept connections that showed
 * another are not used again. Strings of the configuration are read here. */
void http_client_identify(struct http_client *c, bool on);

/** Starts a request; fn is called once, never from inside this function. */
int http_client_start(struct http_client *c, const struct http_request *req, http_fn fn, void *user,
		      struct http_call **ret) _must_check_;
/** Ends it without its callback. NULL-safe; not for a call whose callback was entered. */
void http_call_cancel(struct http_call *call);
