/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Request targets: bytes from strangers, split first and percent-decoded afterwards, so that an
 * encoded slash stays inside its segment. Knows nothing of sockets.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

#define HTTP_URI_MAX      2048
#define HTTP_SEGMENTS_MAX 12
#define HTTP_QUERY_MAX    24

struct http_uri {
	size_t n_segments;
	const char *segments[HTTP_SEGMENTS_MAX]; /**< decoded, never "", "." or ".." */
	bool trailing_slash;                     /**< the path ended in "/" (true for the root) */
	size_t n_query;
	struct {
		const char *name, *value;
	} query[HTTP_QUERY_MAX];
	char store[HTTP_URI_MAX];
};

/**
 * Splits and decodes an origin-form target ("/a/b?c=d"). -ERR_TOO_LARGE when it is too long or has
 * too many pieces; -ERR_SYNTAX for anything else that is not a plain target: bad escapes, control
 * characters, empty or dot segments, bytes that are not UTF-8.
 */
int http_uri_parse(struct http_uri *u, const char *raw) _must_check_;
/** The first query parameter of that name, or NULL. */
const char *http_uri_query(const struct http_uri *u, const char *name);
