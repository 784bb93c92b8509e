/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/csv.h"
#include <errno.h>
#include <string.h>

static const char *const codes[CSV_FAULT_COUNT] = {
	"", "bad-quote", "bad-character", "bad-line-end", "too-long", "bad-column-count",
};

const char *csv_fault_code(enum csv_fault fault)
{
	return (unsigned int) fault < CSV_FAULT_COUNT ? codes[fault] : "";
}

static char find_delimiter(const uint8_t *p, size_t len)
{
	static const char kinds[] = {',', ';', '\t'};
	size_t count[3] = {0}, best = 0;
	bool quoted = false;

	for (size_t i = 0; i < len && (quoted || p[i] != '\n'); i++) {
		if (p[i] == '"')
			quoted = !quoted;
		for (size_t k = 0; !quoted && k < 3; k++)
			count[k] += p[i] == (uint8_t) kinds[k];
	}
	for (size_t k = 1; k < 3; k++)
		if (count[k] > count[best])
			best = k;
	return kinds[best];
}

void csv_init(struct csv *c, const void *data, size_t len)
{
	*c = (struct csv){.data = data, .len = len, .next_line = 1};
	buf_init(&c->unquoted, 0);
	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		c->pos = 3;
	c->delimiter = find_delimiter(c->data + c->pos, len - c->pos);
}

void csv_done(struct csv *c)
{
	buf_done(&c->unquoted);
}

static void fail(struct csv *c, enum csv_fault fault)
{
	if (c->fault)
		return;
	c->fault = fault;
	c->fault_line = c->next_line;
	c->fault_column = (unsigned int) c->n + 1;
}

/* What may follow a field. Moves past it; true = the record goes on. */
static bool end_field(struct csv *c)
{
	uint8_t ch;

	if (c->pos >= c->len)
		return false;
	ch = c->data[c->pos];
	if (ch == (uint8_t) c->delimiter) {
		c->pos++;
		return true;
	}
	if (ch == '\r' && c->pos + 1 < c->len && c->data[c->pos + 1] == '\n')
		c->pos++;
	c->pos++;
	c->next_line++;
	return false;
}

static bool at_end(const struct csv *c, size_t i)
{
	return i >= c->len || c->data[i] == '\n' || c->data[i] == (uint8_t) c->delimiter ||
	       (c->data[i] == '\r' && (i + 1 == c->len || c->data[i + 1] == '\n'));
}

/* After a fault: the rest of the line is not worth reading. */
static void skip_line(struct csv *c)
{
	const uint8_t *nl =
		c->pos < c->len ? memchr(c->data + c->pos, '\n', c->len - c->pos) : NULL;

	c->pos = nl ? (size_t) (nl - c->data) + 1 : c->len;
	c->next_line++;
}

static void add_field(struct csv *c, const char *text, size_t len)
{
	if (len > CSV_MAX_FIELD)
		fail(c, CSV_TOO_LONG);
	else if (c->n == CSV_MAX_COLUMNS)
		fail(c, CSV_TOO_MANY_COLUMNS);
	else
		c->fields[c->n++] = (struct csv_field){.text = text, .len = len};
}

static void read_plain(struct csv *c)
{
	size_t start = c->pos, i = start;

	for (; !at_end(c, i); i++) {
		if (c->data[i] == '"')
			fail(c, CSV_BAD_QUOTE);
		else if (c->data[i] == '\r')
			fail(c, CSV_BAD_LINE_END);
		else if (c->data[i] == 0)
			fail(c, CSV_BAD_CHARACTER);
		if (c->fault)
			break;
	}
	c->pos = i;
	if (!c->fault)
		add_field(c, (const char *) c->data + start, i - start);
}

/* Finds the closing quote; counts the lines inside. The field's text is [start, *end). */
static bool find_close(struct csv *c, size_t start, size_t *ret_end, bool *ret_doubled)
{
	*ret_doubled = false;
	for (size_t i = start; i < c->len; i++) {
		if (c->data[i] == '"') {
			if (i + 1 < c->len && c->data[i + 1] == '"') {
				*ret_doubled = true;
				i++;
				continue;
			}
			*ret_end = i;
			return true;
		}
		if (c->data[i] == 0 || i - start > 2 * CSV_MAX_FIELD) {
			fail(c, c->data[i] ? CSV_TOO_LONG : CSV_BAD_CHARACTER);
			c->pos = i;
			return false;
		}
		c->next_line += c->data[i] == '\n';
	}
	fail(c, CSV_BAD_QUOTE);
	return false;
}

static void read_quoted(struct csv *c)
{
	uint64_t line = c->next_line;
	size_t start = c->pos + 1, end = 0, at = c->unquoted.len;
	bool doubled;

	if (!find_close(c, start, &end, &doubled)) {
		if (c->fault ==
		    CSV_BAD_QUOTE) { /* it never closes: nothing after it can be trusted */
			c->fault_line = line;
			c->pos = c->len;
		}
		return;
	}
	c->pos = end + 1;
	if (!at_end(c, c->pos)) {
		fail(c, CSV_BAD_QUOTE);
		return;
	}
	if (!doubled) {
		add_field(c, (const char *) c->data + start, end - start);
		return;
	}
	for (size_t i = start; i < end; i++) {
		buf_put_u8(&c->unquoted, c->data[i]);
		i += c->data[i] == '"';
	}
	/* the buffer may move while the record grows: the offset is turned into an address later */
	add_field(c, NULL, c->unquoted.len - at);
}

static void resolve(struct csv *c)
{
	const char *p = (const char *) c->unquoted.data;

	for (size_t i = 0; i < c->n; i++) {
		if (c->fields[i].text)
			continue;
		c->fields[i].text = p;
		p += c->fields[i].len;
	}
}

static bool empty_line(const struct csv *c)
{
	return c->n == 1 && c->fields[0].len == 0 && c->fields[0].text &&
	       !(c->fields[0].text > (const char *) c->data && c->fields[0].text[-1] == '"');
}

int csv_next(struct csv *c)
{
	do {
		c->n = 0;
		c->fault = CSV_OK;
		buf_clear(&c->unquoted);
		c->line = c->next_line;
		if (c->pos >= c->len)
			return 0;
		do {
			if (c->pos < c->len && c->data[c->pos] == '"')
				read_quoted(c);
			else
				read_plain(c);
		} while (!c->fault && end_field(c));
		if (!buf_ok(&c->unquoted))
			return c->unquoted.err;
		if (c->fault) {
			skip_line(c);
			return 1;
		}
	} while (empty_line(c));
	resolve(c);
	return 1;
}
