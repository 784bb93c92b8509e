/* SPDX-License-Identifier: Apache-2.0 */
#include "common/hex.h"
#include "common/err.h"
#include <string.h>

const char *hex_encode(const void *data, size_t n, char *buf)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++) {
		buf[2 * i] = digits[p[i] >> 4];
		buf[2 * i + 1] = digits[p[i] & 15];
	}
	buf[2 * n] = 0;
	return buf;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(const char *text, void *ret_data, size_t n)
{
	uint8_t *to = ret_data;

	if (strlen(text) != 2 * n)
		return -ERR_SYNTAX;
	for (size_t i = 0; i < 2 * n; i++)
		if (digit_value(text[i]) < 0)
			return -ERR_SYNTAX;
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t) (digit_value(text[2 * i]) << 4 | digit_value(text[2 * i + 1]));
	return 0;
}
