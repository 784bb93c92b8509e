/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/http/http_route.h"
#include <string.h>

/* Number of {} when the path fits the pattern, -1 otherwise. */
static int match(const char *pattern, const struct http_uri *uri, const char *args[HTTP_ARGS_MAX])
{
	size_t i = 0;
	int n_args = 0;

	/* Only the root itself may end in a slash. */
	if (uri->trailing_slash && uri->n_segments > 0)
		return -1;
	while (*pattern == '/' && pattern[1]) {
		const char *start = pattern + 1;
		size_t len = strcspn(start, "/");

		if (i == uri->n_segments)
			return -1;
		if (len == 2 && !memcmp(start, "{}", 2)) {
			if (n_args == HTTP_ARGS_MAX)
				return -1;
			args[n_args++] = uri->segments[i];
		} else if (strlen(uri->segments[i]) != len ||
			   memcmp(uri->segments[i], start, len)) {
			return -1;
		}
		i++;
		pattern = start + len;
	}
	return i == uri->n_segments ? n_args : -1;
}

const struct http_route *http_route_find(const struct http_routes *routes,
					 enum http_listener listener, enum http_method method,
					 const struct http_uri *uri,
					 const char *args[HTTP_ARGS_MAX], unsigned int *ret_allow)
{
	const struct http_route *best = NULL;
	const char *found[HTTP_ARGS_MAX];
	int best_args = HTTP_ARGS_MAX + 1;

	*ret_allow = 0;
	for (size_t t = 0; t < routes->n; t++) {
		for (const struct http_route *r = routes->tables[t]; r->path; r++) {
			int n;

			if (r->listener != listener)
				continue;
			n = match(r->path, uri, found);
			if (n < 0)
				continue;
			*ret_allow |= 1u << r->method;
			if (r->method == method && n < best_args) {
				best = r;
				best_args = n;
				memcpy(args, found, sizeof(found[0]) * (size_t) n);
			}
		}
	}
	return best;
}
