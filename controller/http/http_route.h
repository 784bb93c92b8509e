/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Finds the route of a request among the parts' tables.
 */
#pragma once

#include "controller/http/http.h"
#include "controller/http/http_uri.h"

#define HTTP_ARGS_MAX   4
#define HTTP_TABLES_MAX 32

struct http_routes {
	const struct http_route *tables[HTTP_TABLES_MAX];
	size_t n;
};

/**
 * The route for a method and path; a literal segment is preferred to a {}. Fills args with the
 * segments that stand for {}. NULL when there is none: then *ret_allow has a bit (1u << method) for
 * every method the path does have, 0 if the path itself is unknown.
 */
const struct http_route *http_route_find(const struct http_routes *routes,
					 enum http_listener listener, enum http_method method,
					 const struct http_uri *uri,
					 const char *args[HTTP_ARGS_MAX], unsigned int *ret_allow);
