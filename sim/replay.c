/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/replay.h"

#include "common/buf.h"
#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_COLUMNS 32
#define MAX_FIELD   160
#define MAX_SECONDS INT64_C(253402300799) /**< the end of the year 9999 */
#define MAX_FILE    (1u << 30)

enum column {
	COL_TIME,
	COL_ANTENNA,
	COL_RSSI,
	COL_EPC,
	COL_PHASE,
	COL_CHANNEL,
	COL_DOPPLER,
	COL_COUNT
};
static const char *const column_names[COL_COUNT] = {
	"timestamp", "antenna", "rssi", "epc", "phase_angle", "channel_index", "doppler_frequency",
};

/** One line cut into fields, which are borrowed and without quotes or spaces around them. */
struct fields {
	const char *v[MAX_COLUMNS];
	size_t len[MAX_COLUMNS];
	size_t n;
};

static void field_trim(const char **v, size_t *len)
{
	while (*len > 0 && (**v == ' ' || **v == '"')) {
		(*v)++;
		(*len)--;
	}
	while (*len > 0 && ((*v)[*len - 1] == ' ' || (*v)[*len - 1] == '"'))
		(*len)--;
}

static int fields_cut(const char *line, size_t len, struct fields *ret)
{
	size_t at = 0;

	ret->n = 0;
	for (;;) {
		const char *comma = memchr(line + at, ',', len - at);
		size_t n = comma ? (size_t) (comma - line) - at : len - at;

		if (ret->n == MAX_COLUMNS)
			return -ERR_TOO_LARGE;
		ret->v[ret->n] = line + at;
		ret->len[ret->n] = n;
		field_trim(&ret->v[ret->n], &ret->len[ret->n]);
		ret->n++;
		if (!comma)
			return 0;
		at += n + 1;
	}
}

/** Which field holds which column; -1 = none. */
static int header_read(const char *line, size_t len, int columns[COL_COUNT])
{
	struct fields f;

	for (int c = 0; c < COL_COUNT; c++)
		columns[c] = -1;
	if (fields_cut(line, len, &f) < 0)
		return -ERR_SYNTAX;
	for (size_t i = 0; i < f.n; i++) {
		for (int c = 0; c < COL_COUNT; c++) {
			if (columns[c] < 0 && f.len[i] == strlen(column_names[c]) &&
			    !memcmp(f.v[i], column_names[c], f.len[i]))
				columns[c] = (int) i;
		}
	}
	return columns[COL_TIME] < 0 || columns[COL_EPC] < 0 ? -ERR_SYNTAX : 0;
}

/* --- values ----------------------------------------------------------------------------------- */

/** Decimal seconds; digits past the microsecond are dropped. */
static int parse_time(const char *p, size_t len, int64_t *ret_us)
{
	int64_t seconds = 0, fraction = 0, scale = US_PER_SEC;
	size_t i = 0;

	for (; i < len && p[i] >= '0' && p[i] <= '9'; i++) {
		seconds = seconds * 10 + (p[i] - '0');
		if (seconds > MAX_SECONDS)
			return -ERR_RANGE;
	}
	if (i == 0)
		return -ERR_SYNTAX;
	if (i < len && p[i] == '.') {
		for (i++; i < len && p[i] >= '0' && p[i] <= '9'; i++) {
			scale /= 10;
			fraction += (p[i] - '0') * scale;
		}
	}
	if (i != len)
		return -ERR_SYNTAX;
	*ret_us = seconds * US_PER_SEC + fraction;
	return 0;
}

/** An integer, also printed with a fraction of zeros ("12.0"). */
static int parse_int(const char *p, size_t len, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = len > 0 && *p == '-';
	int64_t v = 0;
	size_t i = negative;

	for (; i < len && p[i] >= '0' && p[i] <= '9'; i++) {
		v = v * 10 + (p[i] - '0');
		if (v > INT32_MAX)
			return -ERR_RANGE;
	}
	if (i == negative)
		return -ERR_SYNTAX;
	if (i < len && p[i] == '.') {
		while (++i < len && p[i] == '0')
			;
	}
	if (i != len)
		return -ERR_SYNTAX;
	v = negative ? -v : v;
	if (v < min || v > max)
		return -ERR_RANGE;
	*ret = v;
	return 0;
}

static int parse_epc(const char *p, size_t len, struct epc *ret)
{
	char text[MAX_FIELD];

	if (len >= 3 && p[0] == 'b' && p[1] == '\'' && p[len - 1] == '\'') {
		p += 2;
		len -= 3;
	}
	if (len == 0 || len >= sizeof text)
		return -ERR_SYNTAX;
	memcpy(text, p, len);
	text[len] = '\0';
	return epc_from_hex(text, ret);
}

/** Reads one optional integer column; absent or empty keeps the default. */
static int column_int(const struct fields *f, int column, int64_t min, int64_t max, int64_t def,
		      int64_t *ret)
{
	*ret = def;
	if (column < 0 || (size_t) column >= f->n || f->len[column] == 0)
		return 0;
	return parse_int(f->v[column], f->len[column], min, max, ret);
}

/** NULL, or why the row cannot be used. */
static const char *row_read(const struct fields *f, const int columns[COL_COUNT],
			    struct replay_row *ret)
{
	int64_t antenna, rssi, phase, channel, doppler;

	if ((size_t) columns[COL_TIME] >= f->n || (size_t) columns[COL_EPC] >= f->n)
		return "too few columns";
	if (parse_time(f->v[columns[COL_TIME]], f->len[columns[COL_TIME]], &ret->at_us) < 0)
		return "timestamp is not a number of seconds";
	if (parse_epc(f->v[columns[COL_EPC]], f->len[columns[COL_EPC]], &ret->epc) < 0)
		return "epc is not hexadecimal";
	if (column_int(f, columns[COL_ANTENNA], 1, 32, 1, &antenna) < 0)
		return "antenna is not a number from 1 to 32";
	if (column_int(f, columns[COL_RSSI], -128, 127, -60, &rssi) < 0)
		return "rssi is not a number of dBm";
	if (column_int(f, columns[COL_PHASE], 0, 4095, 0, &phase) < 0)
		return "phase_angle is not a number from 0 to 4095";
	if (column_int(f, columns[COL_CHANNEL], 0, 65535, 1, &channel) < 0)
		return "channel_index is not a number";
	if (column_int(f, columns[COL_DOPPLER], INT16_MIN, INT16_MAX, 0, &doppler) < 0)
		return "doppler_frequency is out of range";
	ret->antenna = (uint16_t) antenna;
	ret->rssi_dbm = (int8_t) rssi;
	ret->phase = (uint16_t) phase;
	ret->channel = (uint16_t) channel;
	ret->doppler = (int16_t) doppler;
	return NULL;
}

/* --- the table -------------------------------------------------------------------------------- */

static int row_add(struct replay *r, const struct replay_row *row)
{
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 256;
		struct replay_row *rows;

		if (cap > REPLAY_MAX_ROWS)
			return -ERR_TOO_LARGE;
		rows = realloc(r->rows, cap * sizeof *rows);
		if (!rows)
			return -ENOMEM;
		r->rows = rows;
		r->cap = cap;
	}
	r->rows[r->n++] = *row;
	return 0;
}

/** Merge sort, since equal times must keep their order. */
static int rows_sort(struct replay *r)
{
	struct replay_row *from = r->rows, *to = malloc(MAX(r->n, (size_t) 1) * sizeof *to);

	if (!to)
		return -ENOMEM;
	for (size_t width = 1; width < r->n; width *= 2) {
		struct replay_row *swap = from;

		for (size_t lo = 0; lo < r->n; lo += 2 * width) {
			size_t mid = MIN(lo + width, r->n), hi = MIN(lo + 2 * width, r->n);
			size_t a = lo, b = mid;

			for (size_t k = lo; k < hi; k++) {
				bool left = a < mid && (b >= hi || from[a].at_us <= from[b].at_us);

				to[k] = from[left ? a++ : b++];
			}
		}
		from = to;
		to = swap;
	}
	free(to);
	r->rows = from;
	r->cap = r->n;
	return 0;
}

static int line_take(struct replay *r, const char *line, size_t len, size_t number,
		     const int columns[COL_COUNT], replay_bad_fn bad, void *user)
{
	struct replay_row row = {0};
	struct fields f;
	const char *why =
		fields_cut(line, len, &f) < 0 ? "too many columns" : row_read(&f, columns, &row);

	if (!why) {
		r->max_antenna = MAX(r->max_antenna, row.antenna);
		return row_add(r, &row);
	}
	r->bad++;
	if (bad)
		bad(user, number, why);
	return 0;
}

int replay_parse(const char *text, size_t len, replay_bad_fn bad, void *user, struct replay *ret)
{
	struct replay r = {.max_antenna = 1};
	int columns[COL_COUNT];
	bool have_header = false;
	size_t number = 0;
	int e = 0;

	if (len >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) {
		text += 3;
		len -= 3;
	}
	while (e == 0 && len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t) (end - text) : len, line_len = n;

		number++;
		if (line_len > 0 && text[line_len - 1] == '\r')
			line_len--;
		if (!have_header)
			e = header_read(text, line_len, columns);
		else if (line_len > 0)
			e = line_take(&r, text, line_len, number, columns, bad, user);
		have_header = true;
		text += end ? n + 1 : n;
		len -= end ? n + 1 : n;
	}
	if (e == 0 && !have_header)
		e = -ERR_SYNTAX;
	if (e == 0)
		e = rows_sort(&r);
	if (e < 0) {
		replay_done(&r);
		return e;
	}
	*ret = r;
	return 0;
}

int replay_load(const char *file, replay_bad_fn bad, void *user, struct replay *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	FILE *f = fopen(file, "re");
	int e = 0;

	if (!f)
		return -errno;
	buf_init(&text, MAX_FILE);
	for (;;) {
		char chunk[65536];
		size_t n = fread(chunk, 1, sizeof chunk, f);

		if (n == 0)
			break;
		buf_put(&text, chunk, n);
	}
	if (ferror(f))
		e = -EIO;
	(void) fclose(f);
	if (e == 0 && !buf_ok(&text))
		e = text.err;
	return e < 0 ? e : replay_parse((const char *) text.data, text.len, bad, user, ret);
}

void replay_done(struct replay *r)
{
	free(r->rows);
	*r = (struct replay){0};
}
