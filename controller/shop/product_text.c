/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/product_text.h"
#include "common/err.h"
#include <glib.h>
#include <string.h>

int product_text_clean(const char *text, size_t len, char buf[PRODUCT_TEXT_MAX + 1], size_t *ret_at)
{
	const char *end;
	size_t n = 0;

	*ret_at = 0;
	if (!g_utf8_validate_len(text, len, &end) && (size_t) (end - text) < len) {
		*ret_at = (size_t) (end - text);
		return *end ? -ERR_UTF8 : -ERR_SYNTAX;
	}
	for (size_t i = 0; i < len; i++) {
		char ch = text[i];

		if (ch == '\n' || ch == '\r' || ch == '\t')
			ch = ' ';
		if ((unsigned char) ch < 0x20 || ch == 0x7f) {
			*ret_at = i;
			return -ERR_SYNTAX;
		}
		if (ch == ' ' && (n == 0 || buf[n - 1] == ' '))
			continue;
		if (n == PRODUCT_TEXT_MAX) {
			*ret_at = i;
			return -ERR_TOO_LARGE;
		}
		buf[n++] = ch;
	}
	if (n > 0 && buf[n - 1] == ' ')
		n--;
	buf[n] = 0;
	return 0;
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char) *text >= 0x80)
			return false;
	return true;
}

static char *fold_ascii(const char *text)
{
	char *out = strdup(text);

	for (char *p = out; p && *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char) (*p + 'a' - 'A');
	return out;
}

char *product_text_fold(const char *text)
{
	char *lower, *plain, *out;
	size_t n = 0;

	if (is_ascii(text))
		return fold_ascii(text);
	lower = g_utf8_casefold(text, -1);
	plain = g_utf8_normalize(lower, -1, G_NORMALIZE_ALL); /* letters apart from their accents */
	g_free(lower);
	if (!plain)
		return NULL;
	out = malloc(strlen(plain) + 1);
	for (const char *p = plain; out && *p; p = g_utf8_next_char(p)) {
		gunichar ch = g_utf8_get_char(p);
		size_t len = (size_t) (g_utf8_next_char(p) - p);

		if (g_unichar_ismark(ch))
			continue;
		memcpy(out + n, p, len);
		n += len;
	}
	if (out)
		out[n] = 0;
	g_free(plain);
	return out;
}
