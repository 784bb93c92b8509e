/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/http/http_uri.h"
#include "common/err.h"
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Length of the UTF-8 sequence at s (RFC 3629: shortest form, no surrogates), or 0. */
static size_t utf8_sequence(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		return (s[1] & 0xc0) == 0x80 ? 2 : 0;
	if (s[0] >= 0xe0 && s[0] <= 0xef) {
		unsigned char low = s[0] == 0xe0 ? 0xa0 : 0x80;
		unsigned char high = s[0] == 0xed ? 0x9f : 0xbf;

		return s[1] >= low && s[1] <= high && (s[2] & 0xc0) == 0x80 ? 3 : 0;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		unsigned char low = s[0] == 0xf0 ? 0x90 : 0x80;
		unsigned char high = s[0] == 0xf4 ? 0x8f : 0xbf;

		return s[1] >= low && s[1] <= high && (s[2] & 0xc0) == 0x80 && (s[3] & 0xc0) == 0x80
			       ? 4
			       : 0;
	}
	return 0;
}

static bool text_is_clean(const char *text)
{
	const unsigned char *s = (const unsigned char *) text;

	while (*s) {
		size_t n = utf8_sequence(s);

		if (n == 0 || *s < 0x20 || *s == 0x7f)
			return false;
		s += n;
	}
	return true;
}

/* Decodes [raw, end) into *to, NUL-terminated, and moves *to behind it. Decoding never grows, so
 * the store, which is as long as the longest target, always has room. */
static int decode(const char *raw, const char *end, bool plus_is_space, char **to)
{
	char *start = *to, *p = *to;

	while (raw < end) {
		int c = (unsigned char) *raw++;

		if (c == '%') {
			if (end - raw < 2 || hex_digit(raw[0]) < 0 || hex_digit(raw[1]) < 0)
				return -ERR_SYNTAX;
			c = hex_digit(raw[0]) * 16 + hex_digit(raw[1]);
			raw += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		if (c == 0)
			return -ERR_SYNTAX;
		*p++ = (char) c;
	}
	*p++ = '\0';
	*to = p;
	return text_is_clean(start) ? 0 : -ERR_SYNTAX;
}

static int parse_path(struct http_uri *u, const char *p, const char *end, char **to)
{
	while (p < end) {
		const char *slash = memchr(p, '/', (size_t) (end - p));
		const char *stop = slash ? slash : end;
		const char *segment = *to;
		int r;

		if (u->n_segments == HTTP_SEGMENTS_MAX)
			return -ERR_TOO_LARGE;
		r = decode(p, stop, false, to);
		if (r < 0)
			return r;
		if (!*segment || !strcmp(segment, ".") || !strcmp(segment, ".."))
			return -ERR_SYNTAX;
		u->segments[u->n_segments++] = segment;
		p = slash ? slash + 1 : end;
		u->trailing_slash = slash && p == end;
	}
	return 0;
}

static int parse_query(struct http_uri *u, const char *p, const char *end, char **to)
{
	while (p < end) {
		const char *amp = memchr(p, '&', (size_t) (end - p));
		const char *stop = amp ? amp : end;
		const char *eq = memchr(p, '=', (size_t) (stop - p));
		const char *name = *to, *value;
		int r;

		if (stop == p) {
			p = stop + 1;
			continue;
		}
		if (u->n_query == HTTP_QUERY_MAX)
			return -ERR_TOO_LARGE;
		r = decode(p, eq ? eq : stop, true, to);
		if (r < 0)
			return r;
		value = *to;
		r = decode(eq ? eq + 1 : stop, stop, true, to);
		if (r < 0)
			return r;
		u->query[u->n_query].name = name;
		u->query[u->n_query].value = value;
		u->n_query++;
		p = amp ? amp + 1 : end;
	}
	return 0;
}

int http_uri_parse(struct http_uri *u, const char *raw)
{
	size_t len = strnlen(raw, HTTP_URI_MAX);
	const char *end = raw + len, *mark;
	char *to = u->store;
	int r;

	u->n_segments = 0;
	u->n_query = 0;
	u->trailing_slash = true;
	/* Each name without "=" costs one NUL that the target does not pay for. */
	if (len > HTTP_URI_MAX - HTTP_QUERY_MAX - 2)
		return -ERR_TOO_LARGE;
	if (raw[0] != '/')
		return -ERR_SYNTAX;
	mark = memchr(raw, '?', len);
	r = parse_path(u, raw + 1, mark ? mark : end, &to);
	if (r == 0 && mark)
		r = parse_query(u, mark + 1, end, &to);
	return r;
}

const char *http_uri_query(const struct http_uri *u, const char *name)
{
	for (size_t i = 0; i < u->n_query; i++)
		if (!strcmp(u->query[i].name, name))
			return u->query[i].value;
	return NULL;
}
