/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets and routes: whatever parses is clean UTF-8 inside the store, without dot
 * segments. */
#include "controller/http/http_route.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_route routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/", PERM_NONE, 0, NULL},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/products/{}", PERM_NONE, 0, NULL},
	{HTTP_PUBLIC, HTTP_PUT, "/api/v1/antennas/{}/{}/{}", PERM_NONE, 0, NULL},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/products/import", PERM_NONE, 0, NULL},
	{.path = NULL},
};

static void check_text(const struct http_uri *u, const char *text)
{
	if (text < u->store || text + strlen(text) >= u->store + sizeof(u->store))
		abort();
	for (; *text; text++)
		if ((unsigned char) *text < 0x20 || *text == 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct http_routes all = {.tables = {routes}, .n = 1};
	const char *args[HTTP_ARGS_MAX];
	struct http_uri *u = malloc(sizeof(*u));
	char *raw = malloc(size + 1);
	unsigned int allow;

	if (u && raw) {
		memcpy(raw, data, size);
		raw[size] = '\0';
		if (http_uri_parse(u, raw) == 0) {
			for (size_t i = 0; i < u->n_segments; i++) {
				check_text(u, u->segments[i]);
				if (!u->segments[i][0] || !strcmp(u->segments[i], ".."))
					abort();
			}
			for (size_t i = 0; i < u->n_query; i++) {
				check_text(u, u->query[i].name);
				check_text(u, u->query[i].value);
			}
			(void) http_route_find(&all, HTTP_PUBLIC, HTTP_GET, u, args, &allow);
			(void) http_route_find(&all, HTTP_PUBLIC, HTTP_PUT, u, args, &allow);
		}
	}
	free(raw);
	free(u);
	return 0;
}
