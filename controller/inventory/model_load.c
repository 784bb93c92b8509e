/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "controller/inventory/model.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX 1000000u

static bool is_wanted(const struct model_walks *w, int64_t id)
{
	for (size_t i = 0; i < w->n_wanted; i++)
		if (w->wanted[i] == id)
			return true;
	return w->n_wanted == 0;
}

static int load_walks(struct sql *s, struct model_walks *w)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT id, place_id, started, ended FROM walks"
					    " WHERE ended IS NOT NULL ORDER BY id LIMIT ?");
	int r;

	w->walks = calloc(WALK_KEPT, sizeof(*w->walks));
	w->ids = calloc(WALK_KEPT, sizeof(*w->ids));
	if (!w->walks || !w->ids)
		return -ENOMEM;
	sql_bind_i64(q, 1, WALK_KEPT);
	while ((r = sql_step(q)) > 0) {
		if (!is_wanted(w, sql_col_i64(q, 0)))
			continue;
		w->ids[w->n] = sql_col_i64(q, 0);
		w->walks[w->n++] = (struct place_live_walk){
			.place = (uint32_t) sql_col_i64(q, 1),
			.from_us = sql_col_i64(q, 2),
			.to_us = sql_col_i64(q, 3),
		};
	}
	if (r == 0 && w->n_wanted && w->n != w->n_wanted)
		r = -ENOENT;
	return r;
}

/* Index of an antenna in the list, made on first sight. */
static int antenna_index(struct model_walks *w, int64_t agent, const char *reader, uint16_t number)
{
	struct place_live_antenna *a;

	for (size_t i = 0; i < w->n_antennas; i++)
		if (w->antennas[i].agent == (uint64_t) agent && w->antennas[i].number == number &&
		    strcmp(w->antennas[i].reader, reader) == 0)
			return (int) i;
	if (w->n_antennas == PLACE_LIVE_MAX_ANTENNAS) {
		w->too_many = true;
		return -ERR_RANGE;
	}
	a = &w->antennas[w->n_antennas];
	*a = (struct place_live_antenna){.agent = (uint64_t) agent, .number = number};
	memcpy(a->reader, reader, strnlen(reader, sizeof(a->reader) - 1));
	return (int) w->n_antennas++;
}

static int add_event(struct model_walks *w, size_t *cap, const struct place_live_event *e)
{
	if (w->n_events == EVENTS_MAX)
		return 0;
	if (w->n_events == *cap) {
		size_t more = *cap ? *cap * 2 : 1024;
		struct place_live_event *grown = reallocarray(w->events, more, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		w->events = grown;
		*cap = more;
	}
	w->events[w->n_events++] = *e;
	return 0;
}

/* Events of one walk; how many there were. */
static int load_told(struct sql *s, struct model_walks *w, size_t walk, size_t *cap)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT at, agent_id, reader, antenna, present, rssi_cdbm, rate_mhz"
			       " FROM walk_told WHERE walk_id = ? ORDER BY at, id");
	size_t before = w->n_events;
	int r;

	sql_bind_i64(q, 1, w->ids[walk]);
	while ((r = sql_step(q)) > 0) {
		int a = antenna_index(w, sql_col_i64(q, 1), sql_col_text(q, 2),
				      (uint16_t) sql_col_i64(q, 3));
		struct place_live_event e = {
			.at_us = sql_col_i64(q, 0),
			.antenna = (uint16_t) MAX(a, 0),
			.told = {.present = sql_col_i64(q, 4) != 0,
				 .rssi_cdbm = (int16_t) sql_col_i64(q, 5),
				 .rate_mhz = (uint16_t) sql_col_i64(q, 6)},
		};

		r = a < 0 ? a : add_event(w, cap, &e);
		if (r < 0) {
			sql_reset(q);
			return r;
		}
	}
	w->walks[walk].n = w->n_events - before;
	return r;
}

int model_walks_load(struct sql *s, struct model_walks *w)
{
	size_t cap = 0, at = 0;
	int r = load_walks(s, w);

	for (size_t i = 0; i < w->n && !r; i++)
		r = load_told(s, w, i, &cap);
	for (size_t i = 0; i < w->n && !r; i++) {
		w->walks[i].events = w->events + at;
		at += w->walks[i].n;
	}
	return r;
}

void model_walks_done(struct model_walks *w)
{
	free(w->walks);
	free(w->ids);
	free(w->events);
	w->walks = NULL;
	w->ids = NULL;
	w->events = NULL;
}
