/* SPDX-License-Identifier: Apache-2.0 */
/* A recording or a model file may be anything: it is read in bounds, and what comes out of it can
 * be played, judged and written again. */
#include "common/buf.h"
#include "controller/inventory/door.h"
#include "controller/inventory/place_model.h"
#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_trace(const uint8_t *data, size_t size)
{
	static const struct door_group from = {2, {1, 2}}, to = {2, {3, 4}};
	struct door_verdict v, back;
	struct trace t;

	if (trace_parse(data, size, NULL, NULL, &t) < 0)
		return;
	if (t.n == 0)
		abort();
	for (size_t i = 0; i < t.n; i++)
		if (t.reads[i].reader >= t.n_readers || t.reads[i].phase > 4095 ||
		    (i > 0 && t.reads[i].at_us < t.reads[i - 1].at_us))
			abort();
	door_judge(t.reads, t.n, &from, &to, &v);
	door_judge(t.reads, t.n, &to, &from, &back);
	if (!isfinite(v.score) || (v.direction && v.direction == back.direction))
		abort();
	trace_done(&t);
}

static void check_model(const uint8_t *data, size_t size)
{
	struct place_track track = {0};
	struct buf text, again;
	struct place_model *m;
	unsigned int line;

	if (place_model_read((const char *) data, size, &m, &line) < 0)
		return;
	for (unsigned int i = 0; i < 8; i++) {
		int place = place_track_read(m, &track, (int) (i % m->n_antennas), -60,
					     (int64_t) i * US_PER_SEC);

		if (place < 0 || (unsigned int) place >= m->n_places)
			abort();
	}
	buf_init(&text, 0);
	buf_init(&again, 0);
	place_model_write(m, &text);
	place_model_free(m);
	/* What was written is read back to the same. */
	if (place_model_read((const char *) text.data, text.len, &m, &line) < 0)
		abort();
	place_model_write(m, &again);
	if (again.len != text.len || memcmp(again.data, text.data, text.len) != 0)
		abort();
	place_model_free(m);
	buf_done(&text);
	buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_trace(data, size);
	check_model(data, size);
	return 0;
}
