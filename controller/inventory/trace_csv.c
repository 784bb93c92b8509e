/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/trace_csv.h"
#include "common/err.h"
#include "common/file.h"
#include "controller/shop/csv.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>

enum column {
	COL_TIME,
	COL_READER,
	COL_ANTENNA,
	COL_RSSI,
	COL_EPC,
	COL_PHASE,
	COL_CHANNEL,
	COL_DOPPLER,
	COL_COUNT
};

static const char *const column_names[COL_COUNT] = {
	"timestamp", "reader",      "antenna",       "rssi",
	"epc",       "phase_angle", "channel_index", "doppler_frequency",
};

struct row {
	struct trace_read read;
	uint64_t epc; /* hash of its text */
};

struct parse {
	struct csv csv;
	int at[COL_COUNT]; /* field of the column, -1 = the file has none */
	struct row *rows;
	size_t n, cap;
	trace_bad_fn bad;
	void *user;
	struct trace *out;
};

static void complain(struct parse *p, uint64_t line, const char *why)
{
	p->out->bad++;
	if (p->bad)
		p->bad(p->user, line, why);
}

static int read_header(struct parse *p)
{
	int r = csv_next(&p->csv);

	for (size_t c = 0; c < COL_COUNT; c++)
		p->at[c] = -1;
	if (r < 0)
		return r;
	for (size_t i = 0; r > 0 && !p->csv.fault && i < p->csv.n; i++) {
		const struct csv_field *f = &p->csv.fields[i];

		for (size_t c = 0; c < COL_COUNT; c++)
			if (p->at[c] < 0 && f->len == strlen(column_names[c]) &&
			    strncasecmp(f->text, column_names[c], f->len) == 0)
				p->at[c] = (int) i;
	}
	if (p->at[COL_TIME] >= 0)
		return 0;
	complain(p, 1, "the header row names no column `timestamp`");
	return -ERR_SYNTAX;
}

static struct csv_field field(const struct parse *p, enum column c)
{
	struct csv_field none = {"", 0};
	struct csv_field f;

	if (p->at[c] < 0 || (size_t) p->at[c] >= p->csv.n)
		return none;
	f = p->csv.fields[p->at[c]];
	while (f.len && (*f.text == ' ' || *f.text == '\t')) {
		f.text++;
		f.len--;
	}
	while (f.len && (f.text[f.len - 1] == ' ' || f.text[f.len - 1] == '\t'))
		f.len--;
	return f;
}

/* A plain decimal number. 1 = there is one, 0 = the field is empty, -ERR_SYNTAX. */
static int number(const struct parse *p, enum column c, double min, double max, double *ret)
{
	struct csv_field f = field(p, c);
	char text[64], *end;

	if (f.len == 0)
		return 0;
	if (f.len >= sizeof(text))
		return -ERR_SYNTAX;
	memcpy(text, f.text, f.len);
	text[f.len] = 0;
	if (strspn(text, "0123456789+-.eE") != f.len)
		return -ERR_SYNTAX;
	*ret = strtod(text, &end);
	if (*end || !(*ret >= min && *ret <= max))
		return -ERR_SYNTAX;
	return 1;
}

/* EPCs are only compared: hex digits without their case and Python's b'' around them. */
static uint64_t epc_hash(struct csv_field f)
{
	uint64_t h = UINT64_C(14695981039346656037);

	if (f.len >= 3 && f.text[0] == 'b' && f.text[1] == '\'' && f.text[f.len - 1] == '\'') {
		f.text += 2;
		f.len -= 3;
	}
	for (size_t i = 0; i < f.len; i++) {
		unsigned char ch = (unsigned char) f.text[i];

		if (ch >= 'A' && ch <= 'Z')
			ch = (unsigned char) (ch + 32);
		h = (h ^ ch) * UINT64_C(1099511628211);
	}
	return h;
}

/* Index of the reader's name; -1 if there are too many or the name is too long. */
static int reader_index(struct parse *p)
{
	struct csv_field f = field(p, COL_READER);
	struct trace *t = p->out;

	if (f.len >= TRACE_NAME_CAP)
		return -1;
	for (unsigned int i = 0; i < t->n_readers; i++)
		if (strlen(t->readers[i]) == f.len && memcmp(t->readers[i], f.text, f.len) == 0)
			return (int) i;
	if (t->n_readers == TRACE_MAX_READERS)
		return -1;
	memcpy(t->readers[t->n_readers], f.text, f.len);
	t->readers[t->n_readers][f.len] = 0;
	return (int) t->n_readers++;
}

/* Reads one row. NULL, or what is wrong with it. */
static const char *read_row(struct parse *p, struct row *row)
{
	double time_s, antenna = 1, rssi = TRACE_NO_RSSI, phase = -1, channel = -1;
	double doppler = TRACE_NO_DOPPLER;
	int reader;

	if (number(p, COL_TIME, -1e11, 1e11, &time_s) <= 0)
		return "timestamp is not a number of seconds";
	if (number(p, COL_ANTENNA, 0, UINT16_MAX, &antenna) < 0)
		return "antenna is not a number";
	if (number(p, COL_RSSI, -150, 50, &rssi) < 0)
		return "rssi is not a number of dBm";
	/* These three help where they are; nonsense in them does not spoil the rest of the row. */
	if (number(p, COL_PHASE, 0, 4095, &phase) < 0)
		phase = -1;
	if (number(p, COL_CHANNEL, 0, INT16_MAX, &channel) < 0)
		channel = -1;
	if (number(p, COL_DOPPLER, -1e6, 1e6, &doppler) < 0)
		doppler = TRACE_NO_DOPPLER;
	reader = reader_index(p);
	if (reader < 0)
		return "reader name is too long or there are too many readers";
	row->epc = epc_hash(field(p, COL_EPC));
	row->read = (struct trace_read){
		.at_us = (int64_t) llround(time_s * 1e6),
		.rssi_dbm = (float) rssi,
		.doppler = (float) doppler,
		.antenna = (uint16_t) antenna,
		.channel = (int16_t) channel,
		.phase = (int16_t) phase,
		.reader = (uint8_t) reader,
	};
	return NULL;
}

static int add_row(struct parse *p, const struct row *row)
{
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 1024;
		struct row *rows;

		if (p->n >= TRACE_MAX_ROWS)
			return -ERR_TOO_LARGE;
		rows = reallocarray(p->rows, cap, sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		p->rows = rows;
		p->cap = cap;
	}
	p->rows[p->n++] = *row;
	return 0;
}

static int read_rows(struct parse *p)
{
	int r;

	while ((r = csv_next(&p->csv)) > 0) {
		struct row row;
		const char *why = p->csv.fault ? csv_fault_code(p->csv.fault) : read_row(p, &row);

		if (why) {
			complain(p, p->csv.fault ? p->csv.fault_line : p->csv.line, why);
			continue;
		}
		r = add_row(p, &row);
		if (r < 0)
			return r;
	}
	return r;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

	return (x > y) - (x < y);
}

/* The most frequent EPC; the smaller hash of two that tie, so that the answer does not depend on
 * the order of rows. */
static int carried(const struct parse *p, uint64_t *ret)
{
	_cleanup_free_ uint64_t *all = reallocarray(NULL, p->n, sizeof(*all));
	size_t best = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < p->n; i++)
		all[i] = p->rows[i].epc;
	qsort(all, p->n, sizeof(*all), by_value);
	for (size_t i = 0, run = 0; i < p->n; i++) {
		run = i && all[i] == all[i - 1] ? run + 1 : 1;
		if (run > best) {
			best = run;
			*ret = all[i];
		}
	}
	return 0;
}

struct order {
	int64_t at_us;
	size_t i;
};

static int by_time(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return (x->i > y->i) - (x->i < y->i);
}

static int keep_carried(struct parse *p)
{
	struct trace *t = p->out;
	_cleanup_free_ struct order *order = NULL;
	uint64_t tag = 0;
	int r = carried(p, &tag);

	if (r < 0)
		return r;
	order = reallocarray(NULL, p->n, sizeof(*order));
	t->reads = reallocarray(NULL, p->n, sizeof(*t->reads));
	if (!order || !t->reads)
		return -ENOMEM;
	for (size_t i = 0; i < p->n; i++)
		order[i] = (struct order){p->rows[i].read.at_us, i};
	qsort(order, p->n, sizeof(*order), by_time);
	for (size_t i = 0; i < p->n; i++) {
		const struct row *row = &p->rows[order[i].i];

		if (row->epc == tag)
			t->reads[t->n++] = row->read;
	}
	t->foreign = p->n - t->n;
	return 0;
}

static void spread_seconds(struct trace *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->reads[i].at_us % US_PER_SEC != 0)
			return;
	for (size_t from = 0, to; from < t->n; from = to) {
		for (to = from + 1; to < t->n && t->reads[to].at_us == t->reads[from].at_us;)
			to++;
		for (size_t i = to; i-- > from;)
			t->reads[i].at_us +=
				(int64_t) (i - from) * US_PER_SEC / (int64_t) (to - from);
	}
}

int trace_parse(const void *data, size_t len, trace_bad_fn bad, void *user, struct trace *ret)
{
	struct parse p = {.bad = bad, .user = user, .out = ret};
	int r;

	*ret = (struct trace){0};
	csv_init(&p.csv, data, len);
	r = read_header(&p);
	if (r >= 0)
		r = read_rows(&p);
	if (r >= 0)
		r = p.n ? keep_carried(&p) : -ENODATA;
	if (r >= 0)
		spread_seconds(ret);
	else
		trace_done(ret);
	csv_done(&p.csv);
	free(p.rows);
	return r < 0 ? r : 0;
}

int trace_load(const char *file, trace_bad_fn bad, void *user, struct trace *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read(file, TRACE_MAX_BYTES, &text, &len);

	*ret = (struct trace){0};
	return r < 0 ? r : trace_parse(text, len, bad, user, ret);
}

void trace_done(struct trace *t)
{
	free(t->reads);
	t->reads = NULL;
	t->n = 0;
}
