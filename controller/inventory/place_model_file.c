/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text form of a model, a line a fact:
 *
 *   gondola-place-model 1
 *   filter READS_PER_S LEAVE_PER_S TRUST_PER_S MARGIN TEMPER
 *   place NAME                          one line each
 *   antenna NUMBER [READER]             one line each
 *   expert TAU_S RATES RELATIVE         two of them, each followed, place by place, by
 *   spread LOG_DET MEAN... WHITEN...    (lower triangle, row by row)
 *   end
 */
#include "common/buf.h"
#include "common/err.h"
#include "controller/inventory/place_model.h"
#include "controller/inventory/place_model_internal.h"
#include <errno.h>
#include <math.h>
#include <string.h>

void place_model_write(const struct place_model *m, struct buf *out)
{
	buf_printf(out, "gondola-place-model %d\n", PLACE_MODEL_VERSION);
	buf_printf(out, "filter %.9g %.9g %.9g %.9g %.9g\n", (double) m->reads_per_s,
		   (double) m->leave_per_s, (double) m->trust_per_s, (double) m->margin,
		   (double) m->temper);
	for (unsigned int p = 0; p < m->n_places; p++)
		buf_printf(out, "place %s\n", m->places[p]);
	for (unsigned int a = 0; a < m->n_antennas; a++)
		buf_printf(out, "antenna %u%s%s\n", m->antennas[a].number,
			   m->antennas[a].reader[0] ? " " : "", m->antennas[a].reader);
	for (unsigned int x = 0; x < PLACE_MODEL_EXPERTS; x++) {
		const struct place_expert *e = &m->experts[x];
		unsigned int d = e->gauss.dims;

		buf_printf(out, "expert %.9g %d %d\n", (double) e->tau_s, e->rates, e->relative);
		for (unsigned int p = 0; p < m->n_places; p++) {
			const float *w = e->gauss.whiten + (size_t) p * d * d;

			buf_printf(out, "spread %.9g", (double) e->gauss.log_det[p]);
			for (unsigned int i = 0; i < d; i++)
				buf_printf(out, " %.9g", (double) e->gauss.mean[p * d + i]);
			for (unsigned int i = 0; i < d; i++)
				for (unsigned int j = 0; j <= i; j++)
					buf_printf(out, " %.9g", (double) w[i * d + j]);
			buf_put_str(out, "\n");
		}
	}
	buf_put_str(out, "end\n");
}

/* Walks over the text line by line, and over a line word by word. Sticky: after the first failure
 * everything yields nothing. */
struct reader {
	const char *at, *end;
	const char *word, *line_end; /* what is left of the present line */
	unsigned int line;
	int error;
};

static void fail(struct reader *r, int error)
{
	if (r->error == 0)
		r->error = error;
}

static bool next_line(struct reader *r)
{
	const char *nl;

	if (r->error || r->at == r->end)
		return false;
	nl = memchr(r->at, '\n', (size_t) (r->end - r->at));
	if (!nl) {
		fail(r, -ERR_SYNTAX);
		return false;
	}
	r->word = r->at;
	r->line_end = nl;
	r->at = nl + 1;
	r->line++;
	return true;
}

/* Takes the word if it is next in the line. */
static bool take(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if (r->error || (size_t) (r->line_end - r->word) < n || memcmp(r->word, word, n) != 0)
		return false;
	if (r->word + n < r->line_end && r->word[n] != ' ')
		return false;
	r->word += n + (r->word + n < r->line_end);
	return true;
}

static float take_number(struct reader *r, float min, float max)
{
	size_t n = 0, left = (size_t) (r->line_end - r->word);
	char text[32], *end;
	float v;

	while (n < left && r->word[n] != ' ')
		n++;
	if (r->error || n == 0 || n >= sizeof(text)) {
		fail(r, -ERR_SYNTAX);
		return min;
	}
	memcpy(text, r->word, n);
	text[n] = 0;
	v = strtof(text, &end);
	if (strspn(text, "0123456789+-.e") != n || *end)
		fail(r, -ERR_SYNTAX);
	else if (!(v >= min && v <= max))
		fail(r, -ERR_RANGE);
	r->word += n + (n < left);
	return r->error ? min : v;
}

static void take_rest(struct reader *r, char *ret, bool may_be_empty)
{
	size_t n = (size_t) (r->line_end - r->word);

	if (n >= TRACE_NAME_CAP || (n == 0 && !may_be_empty) || memchr(r->word, 0, n)) {
		fail(r, -ERR_SYNTAX);
		return;
	}
	memcpy(ret, r->word, n);
	ret[n] = 0;
	r->word = r->line_end;
}

static void line_ends(struct reader *r)
{
	if (r->word != r->line_end)
		fail(r, -ERR_SYNTAX);
}

static void read_head(struct reader *r, struct place_model *m)
{
	if (!next_line(r) || !take(r, "gondola-place-model"))
		fail(r, -ERR_SYNTAX);
	if (!r->error && take_number(r, 0, 1e6f) != (float) PLACE_MODEL_VERSION)
		fail(r, -ERR_VERSION);
	if (!next_line(r) || !take(r, "filter"))
		fail(r, -ERR_SYNTAX);
	if (r->error)
		return;
	m->reads_per_s = take_number(r, 1e-3f, 1e5f);
	m->leave_per_s = take_number(r, 0, 1e3f);
	m->trust_per_s = take_number(r, 0, 1e3f);
	m->margin = take_number(r, 0, 1e3f);
	m->temper = take_number(r, 1e-3f, 10);
	line_ends(r);
}

static void read_place(struct reader *r, struct place_model *m)
{
	char name[TRACE_NAME_CAP] = "";

	take_rest(r, name, false);
	if (m->n_places == PLACE_MODEL_MAX_PLACES || place_model_place(m, name) >= 0)
		fail(r, -ERR_RANGE);
	else if (!r->error)
		memcpy(m->places[m->n_places++], name, sizeof(name));
}

static void read_antenna(struct reader *r, struct place_model *m)
{
	struct place_model_antenna a = {.number = (uint16_t) take_number(r, 0, UINT16_MAX)};

	take_rest(r, a.reader, true);
	if (m->n_antennas == PLACE_MODEL_MAX_ANTENNAS)
		fail(r, -ERR_RANGE);
	else if (!r->error)
		m->antennas[m->n_antennas++] = a;
}

static void read_expert(struct reader *r, struct place_model *m, struct place_expert *e)
{
	if (!take(r, "expert"))
		fail(r, -ERR_SYNTAX);
	if (r->error)
		return;
	e->tau_s = take_number(r, 1e-3f, 1e5f);
	e->rates = take_number(r, 0, 1) > 0;
	e->relative = take_number(r, 0, 1) > 0;
	line_ends(r);
	if (!r->error && place_expert_alloc(e, m->n_places, m->n_antennas) < 0)
		fail(r, -ENOMEM);
	for (unsigned int p = 0, d = e->gauss.dims; p < m->n_places && !r->error; p++) {
		if (!next_line(r) || !take(r, "spread")) {
			fail(r, -ERR_SYNTAX);
			return;
		}
		e->gauss.log_det[p] = take_number(r, -1e4f, 1e4f);
		for (unsigned int i = 0; i < d; i++)
			e->gauss.mean[p * d + i] = take_number(r, -1e4f, 1e4f);
		for (unsigned int i = 0; i < d; i++)
			for (unsigned int j = 0; j <= i; j++)
				e->gauss.whiten[((size_t) p * d + i) * d + j] =
					take_number(r, -1e4f, 1e4f);
		line_ends(r);
	}
}

static void read_all(struct reader *r, struct place_model *m)
{
	bool more;

	read_head(r, m);
	while ((more = next_line(r)) && take(r, "place"))
		read_place(r, m);
	for (; more && take(r, "antenna"); more = next_line(r))
		read_antenna(r, m);
	if (m->n_places < 2 || m->n_antennas < 1)
		fail(r, -ERR_RANGE);
	for (unsigned int x = 0; x < PLACE_MODEL_EXPERTS && !r->error; x++) {
		read_expert(r, m, &m->experts[x]);
		more = next_line(r);
	}
	if (!r->error && (!more || !take(r, "end") || r->at != r->end))
		fail(r, -ERR_SYNTAX);
}

int place_model_read(const char *text, size_t len, struct place_model **ret, unsigned int *ret_line)
{
	struct place_model *m = calloc(1, sizeof(*m));
	struct reader r = {.at = text, .end = text + len, .word = text, .line_end = text};

	if (!m)
		return -ENOMEM;
	if (len > PLACE_MODEL_MAX_BYTES)
		fail(&r, -ERR_TOO_LARGE);
	else
		read_all(&r, m);
	*ret_line = r.line;
	if (r.error) {
		place_model_free(m);
		return r.error;
	}
	*ret = m;
	return 0;
}
