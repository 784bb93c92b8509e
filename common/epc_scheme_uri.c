/* SPDX-License-Identifier: Apache-2.0 */
/** @file Identities as URIs: pure identity, tag, GS1 Digital Link; and back. */
#include "common/epc_impl.h"

#include "common/err.h"
#include <stdio.h>
#include <string.h>

#define PURE         "urn:epc:id:"
#define TAG          "urn:epc:tag:"
#define LINK         "https://id.gs1.org"
#define NO_EXTENSION "0" /* of a GLN */

/* What a URN may not hold as it is (TDS 2.3, annexes A and G). */
static const char urn_escaped[] = "\"#%&/<>?";

/* --- writing ---------------------------------------------------------------------------------- */

struct text {
	char *buf;
	size_t size, len;
};

static void put_char(struct text *t, char c)
{
	if (t->len < t->size)
		t->buf[t->len] = c;
	t->len++;
}

static void put(struct text *t, const char *s)
{
	while (*s)
		put_char(t, *s++);
}

static void put_escaped_char(struct text *t, char c)
{
	static const char digits[] = "0123456789ABCDEF";

	put_char(t, '%');
	put_char(t, digits[(unsigned char) c >> 4]);
	put_char(t, digits[c & 15]);
}

static void put_urn(struct text *t, const char *s)
{
	for (; *s; s++)
		if (strchr(urn_escaped, *s))
			put_escaped_char(t, *s);
		else
			put_char(t, *s);
}

/** A path segment: all but the unreserved characters of RFC 3986 are escaped. */
static void put_segment(struct text *t, const char *s)
{
	for (; *s; s++)
		if ((epc_in_charset(*s, EPC_CHARS_82) && !strchr("!\"%&'()*+,/:;<=>?", *s)))
			put_char(t, *s);
		else
			put_escaped_char(t, *s);
}

static int finish(struct text *t)
{
	if (t->len >= t->size)
		return -ERR_TOO_LARGE;
	t->buf[t->len] = 0;
	return 0;
}

/** Prefix, reference and serial with dots, as both URNs end. */
static int put_fields(struct text *t, const struct epc_id *id)
{
	const struct epc_family *f = epc_layout(id->scheme)->family;
	char prefix[13], ref[EPC_KEY_MAX + 1], extra[8] = "";

	if (f->name == epc_gid) {
		put(t, id->key);
	} else {
		if (!id->prefix_digits)
			return -ERR_STATE;
		epc_split(id, prefix, ref);
		put(t, prefix);
		put_char(t, '.');
		put_urn(t, ref);
		if (f->extra) {
			const char *x = id->key + f->digits;

			snprintf(extra, sizeof(extra), ".%.2s.%.2s", x, x + 2);
			put(t, extra);
		}
	}
	if (f->serial_max) {
		put_char(t, '.');
		put_urn(t, id->serial);
	}
	return finish(t);
}

int epc_id_uri(const struct epc_id *id, char *buf, size_t size)
{
	struct text t = {buf, size, 0};
	int r = epc_id_check(id);

	if (r < 0)
		return r;
	put(&t, PURE);
	put(&t, epc_layout(id->scheme)->family->name);
	put_char(&t, ':');
	return put_fields(&t, id);
}

int epc_tag_uri(const struct epc_id *id, char *buf, size_t size)
{
	const struct epc_layout *l = epc_layout(id->scheme);
	struct text t = {buf, size, 0};
	int r = epc_id_check(id);

	if (r < 0)
		return r;
	if (l->plus)
		return -ERR_STATE;
	put(&t, TAG);
	put(&t, l->name);
	put_char(&t, ':');
	if (l->family->name != epc_gid) {
		put_char(&t, (char) ('0' + id->filter));
		put_char(&t, '.');
	}
	return put_fields(&t, id);
}

int epc_digital_link(const struct epc_id *id, char *buf, size_t size)
{
	struct text t = {buf, size, 0};
	const struct epc_family *f;
	int r = epc_id_check(id);

	if (r < 0)
		return r;
	f = epc_layout(id->scheme)->family;
	if (!f->ai)
		return -ERR_STATE;
	put(&t, LINK "/");
	put(&t, f->ai);
	put_char(&t, '/');
	put_segment(&t, id->key);
	/* A GLN of its own has the extension 0 on a tag, and none in a link. */
	bool none = strcmp(f->ai, "414") == 0 && strcmp(id->serial, NO_EXTENSION) == 0;

	if (f->serial_max && !none) {
		if (f->serial_ai) {
			put_char(&t, '/');
			put(&t, f->serial_ai);
			put_char(&t, '/');
		}
		put_segment(&t, id->serial);
	}
	if (id->date_ai) {
		char query[24];

		snprintf(query, sizeof(query), "?%02u=%.6s", id->date_ai, id->date);
		put(&t, query);
	}
	return finish(&t);
}

/* --- reading ---------------------------------------------------------------------------------- */

static int hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/** n characters at `s` without their escapes, at most max of them. In a URN some must have been
 * escaped. */
static int unescape(const char *s, size_t n, bool urn, char *ret, size_t max)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++, len++) {
		char c = s[i];

		if (c == '%') {
			int high = i + 2 < n ? hex_value(s[i + 1]) : -1;
			int low = i + 2 < n ? hex_value(s[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -ERR_SYNTAX;
			c = (char) (high << 4 | low);
			i += 2;
		} else if (urn && strchr(urn_escaped, c)) {
			return -ERR_SYNTAX;
		}
		if (len >= max)
			return -ERR_RANGE;
		if (c == 0)
			return -ERR_SYNTAX;
		ret[len] = c;
	}
	ret[len] = 0;
	return 0;
}

/** The part up to a dot, which is stepped over; the last part has the rest. */
static int next_part(const char **at, bool last, char *ret, size_t max)
{
	size_t n = last ? strlen(*at) : strcspn(*at, ".");
	const char *part = *at;

	if (!last && part[n] != '.')
		return -ERR_SYNTAX;
	*at += n + !last;
	return unescape(part, n, true, ret, max);
}

static int parse_fields(const char *at, struct epc_id *id)
{
	const struct epc_family *f = epc_layout(id->scheme)->family;
	char prefix[13], ref[EPC_KEY_MAX + 1], piece[3] = "", total[3] = "", extra[8];
	bool gid = f->name == epc_gid;
	int r = next_part(&at, false, prefix, gid ? 9 : 12);

	if (r == 0)
		r = next_part(&at, f->serial_max == 0, ref, EPC_KEY_MAX);
	if (r == 0 && f->extra)
		r = next_part(&at, false, piece, 2);
	if (r == 0 && f->extra)
		r = next_part(&at, false, total, 2);
	if (r == 0 && f->serial_max)
		r = next_part(&at, true, id->serial, EPC_SERIAL_MAX);
	if (r < 0)
		return r;
	if (gid) {
		snprintf(id->key, sizeof(id->key), "%s.%.8s", prefix, ref);
		return strlen(ref) > 8 ? -ERR_RANGE : 0;
	}
	if (!epc_all_in(prefix, EPC_CHARS_DIGITS))
		return -ERR_SYNTAX;
	snprintf(extra, sizeof(extra), "%s%s", piece, total);
	return epc_join(id, prefix, ref, extra);
}

static int parse_tag(const char *at, struct epc_id *id)
{
	size_t n = strcspn(at, ":");

	for (int s = EPC_SCHEME_NONE + 1; s < EPC_SCHEME_COUNT; s++) {
		const struct epc_layout *l = epc_layout((enum epc_scheme) s);

		if (l->plus || strlen(l->name) != n || memcmp(l->name, at, n) != 0 || !at[n])
			continue;
		id->scheme = (enum epc_scheme) s;
		at += n + 1;
		if (l->family->name != epc_gid) {
			if (at[0] < '0' || at[0] > '7' || at[1] != '.')
				return -ERR_SYNTAX;
			id->filter = (uint8_t) (at[0] - '0');
			at += 2;
		}
		int r = parse_fields(at, id);

		return r < 0 ? r : epc_id_check(id);
	}
	return -ERR_SYNTAX;
}

/** The first scheme of the family that can hold it; the short ones come first in the table. */
static int parse_pure(const char *at, struct epc_id *id)
{
	size_t n = strcspn(at, ":");
	int r = -ERR_SYNTAX;

	for (int s = EPC_SCHEME_NONE + 1; s < EPC_SCHEME_COUNT && at[n]; s++) {
		const struct epc_layout *l = epc_layout((enum epc_scheme) s);

		if (l->plus || strlen(l->family->name) != n || memcmp(l->family->name, at, n) != 0)
			continue;
		*id = (struct epc_id){.scheme = (enum epc_scheme) s};
		r = parse_fields(at + n + 1, id);
		if (r == 0)
			r = epc_id_check(id);
		if (r == 0)
			return 0;
	}
	return r;
}

/** One segment of a path, which it steps over with the slash before it. */
static bool next_segment(const char **at, const char **ret, size_t *ret_n)
{
	if (**at != '/')
		return false;
	*ret = *at + 1;
	*ret_n = strcspn(*ret, "/?#");
	*at = *ret + *ret_n;
	return true;
}

static bool is_ai(const char *s, size_t n, const char *ai)
{
	return ai && strlen(ai) == n && memcmp(s, ai, n) == 0;
}

/** A date among the query's parameters. */
static int parse_query(const char *at, struct epc_id *id)
{
	if (*at != '?')
		return 0;
	do {
		size_t n = strcspn(++at, "=&;#");
		unsigned int ai = 0;

		for (size_t i = 0; i < n && i < 4 && epc_in_charset(at[i], EPC_CHARS_DIGITS); i++)
			ai = ai * 10 + (unsigned int) (at[i] - '0');
		if (at[n] == '=' && n == (ai < 100 ? 2 : 4) && epc_date_type((uint16_t) ai) >= 0) {
			if (strcspn(at + n + 1, "&;#") != 6 || id->date_ai)
				return -ERR_SYNTAX;
			id->date_ai = (uint16_t) ai;
			memcpy(id->date, at + n + 1, 6);
			id->scheme = EPC_DSGTIN_PLUS;
		}
		at += strcspn(at, "&;#");
	} while (*at == '&' || *at == ';');
	return 0;
}

/** Key, and serial if there is one: `at` is behind the key's segment. */
static int parse_value(const char *at, const char *key, size_t n, struct epc_id *id)
{
	const struct epc_family *f = epc_layout(id->scheme)->family;
	char value[EPC_KEY_MAX + EPC_SERIAL_MAX + 1];
	size_t digits = f->digits ? (size_t) f->digits + f->extra : EPC_KEY_MAX;
	const char *s;
	int r = unescape(key, n, false, value, sizeof(value) - 1);

	if (r < 0)
		return r;
	snprintf(id->key, sizeof(id->key), "%.*s", (int) digits, value);
	if (strlen(value) > digits) { /* GRAI, GDTI, GCN: the serial follows at once */
		if (f->serial_ai || !f->serial_max || strlen(value) - digits > EPC_SERIAL_MAX)
			return -ERR_RANGE;
		snprintf(id->serial, sizeof(id->serial), "%.20s", value + digits);
	}
	if (next_segment(&at, &s, &n)) {
		if (!is_ai(s, n, f->serial_ai) || !next_segment(&at, &s, &n))
			return -ERR_SYNTAX;
		r = unescape(s, n, false, id->serial, EPC_SERIAL_MAX);
	} else if (strcmp(f->ai, "414") == 0) {
		snprintf(id->serial, sizeof(id->serial), NO_EXTENSION);
	}
	if (r == 0 && *at == '/')
		r = -ERR_SYNTAX;
	if (r == 0 && id->scheme == EPC_SGTIN_PLUS)
		r = parse_query(at, id);
	return r < 0 ? r : epc_id_check(id);
}

static int parse_link(const char *at, struct epc_id *id)
{
	const char *s, *key;
	size_t n, key_n;

	at += strcspn(at, "/?#"); /* the domain */
	/* What stands before the key's application identifier is a place of the domain's own. */
	while (next_segment(&at, &s, &n)) {
		for (int i = EPC_SCHEME_NONE + 1; i < EPC_SCHEME_COUNT; i++) {
			const struct epc_layout *l = epc_layout((enum epc_scheme) i);
			const char *behind = at;

			if (!l->plus || l->dated || !is_ai(s, n, l->family->ai) ||
			    !next_segment(&behind, &key, &key_n))
				continue;
			*id = (struct epc_id){.scheme = (enum epc_scheme) i};
			return parse_value(behind, key, key_n, id);
		}
	}
	return -ERR_SYNTAX;
}

int epc_id_parse(const char *uri, struct epc_id *ret)
{
	struct epc_id id = {0};
	int r = -ERR_SYNTAX;

	if (strncmp(uri, PURE, strlen(PURE)) == 0)
		r = parse_pure(uri + strlen(PURE), &id);
	else if (strncmp(uri, TAG, strlen(TAG)) == 0)
		r = parse_tag(uri + strlen(TAG), &id);
	else if (strncmp(uri, "https://", 8) == 0)
		r = parse_link(uri + 8, &id);
	else if (strncmp(uri, "http://", 7) == 0)
		r = parse_link(uri + 7, &id);
	if (r == 0)
		*ret = id;
	return r;
}
