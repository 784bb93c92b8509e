/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's parsers of outside bytes: netlink messages (route and Wi-Fi), journal rows, problem
 * bodies. The first byte chooses. */
#include "ap-agent/joincode.h"
#include "ap-agent/netwatch.h"
#include "ap-agent/problem.h"
#include "ap-agent/sighting.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the kernel says, what comes of it must be fit to be told, and to be hopped on. */
static void look_at(const struct netwatch_table *t)
{
	struct proto_health h = {0}, back;
	struct channels_wifi list[NETWATCH_WIFI_MAX];
	_cleanup_buf_ struct buf b = BUF_INIT;

	h.n_interfaces = netwatch_table_health(t, 0, h.interfaces, PROTO_MAX_INTERFACES);
	if (proto_health_encode(&h, &b) < 0 || proto_health_decode(b.data, b.len, &back, NULL) < 0)
		abort();
	if (__builtin_popcountll(channels_plan(
		    list, netwatch_table_wifi(t, list, NETWATCH_WIFI_MAX))) < CHANNELS_LEAST)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netwatch_table table = {0};
	struct sighting_row row;
	struct joincode code;
	char text[256], word[PROBLEM_CODE_MAX];

	if (size < 1)
		return 0;

	/* Netlink messages are read in place: the kernel hands them over aligned. */
	size_t len = size - 1;
	_cleanup_free_ uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		return 0;
	memcpy(copy, data + 1, len);
	switch (data[0] % 5) {
	case 0:
		(void) netwatch_parse_route(&table, copy, len);
		break;
	case 1:
		(void) netwatch_parse_route(&table, copy, len);
		(void) netwatch_parse_wifi(&table, 31, copy, len, NULL);
		(void) netwatch_parse_wired(&table, 21, copy, len);
		look_at(&table);
		break;
	case 2:
		if (sighting_decode(copy, len, &row) < 0)
			break;
		break;
	case 3:
		(void) problem_code(copy, len, word);
		break;
	default:
		len = MIN(len, sizeof(text) - 1);
		memcpy(text, copy, len);
		text[len] = '\0';
		if (joincode_parse(text, &code) < 0)
			break;
	}
	return 0;
}
