/* SPDX-License-Identifier: Apache-2.0 */
/* A floor plan out of a request: every number checked, every place and antenna known, and all that
 * is wrong told at once by its pointer. */
#include "controller/db/db.h"
#include "controller/inventory/plan.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SLACK_M 1e-6 /* what adding up decimals may be off by */

struct check {
	struct inventory *inv;
	struct plan *plan;
	json_t *errors;
};

void plan_done(struct plan *p)
{
	free(p->places);
	free(p->antennas);
	*p = (struct plan){.width_m = 0};
}

_printf_(4, 5) static void wrong(struct check *c, const char *pointer, const char *code,
				 const char *fmt, ...)
{
	char detail[160];
	va_list ap;

	if (json_array_size(c->errors) >= PLAN_MAX_ERRORS)
		return;
	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	json_array_append_new(c->errors, json_pack("{s:s,s:s,s:s}", "pointer", pointer, "code",
						   code, "detail", detail));
}

/* A member that is a number within [min, max]; the pointer is `at` and its name. */
static bool take_number(struct check *c, const json_t *o, const char *at, const char *name,
			double min, double max, double *ret)
{
	const json_t *j = json_object_get(o, name);
	double v = json_number_value(j);
	char pointer[80];

	snprintf(pointer, sizeof(pointer), "%s/%s", at, name);
	if (!json_is_number(j) || !isfinite(v))
		wrong(c, pointer, "bad-number", "%s is a number of metres.", name);
	else if (v < min - SLACK_M || v > max + SLACK_M)
		wrong(c, pointer, "outside", "%s is between %g and %g m.", name, min, max);
	else {
		*ret = v < min ? min : v > max ? max : v;
		return true;
	}
	return false;
}

static int64_t take_id(const json_t *o, const char *name)
{
	const json_t *j = json_object_get(o, name);

	return json_is_integer(j) && json_integer_value(j) > 0 ? json_integer_value(j) : 0;
}

/* --- places ------------------------------------------------------------------------------------
 */

static void check_place(struct check *c, const json_t *o, size_t i)
{
	struct plan *p = c->plan;
	struct plan_place *to = &p->places[p->n_places];
	char at[48], pointer[80];
	double left, below;

	snprintf(at, sizeof(at), "/places/%zu", i);
	snprintf(pointer, sizeof(pointer), "%s/place_id", at);
	to->place_id = take_id(o, "place_id");
	if (!to->place_id || to->place_id > UINT32_MAX ||
	    !inventory_place(c->inv, (uint32_t) to->place_id)) {
		wrong(c, pointer, "no-such-place", "There is no such place.");
		return;
	}
	for (size_t k = 0; k < p->n_places; k++)
		if (p->places[k].place_id == to->place_id) {
			wrong(c, pointer, "duplicate-place", "This place is on the plan twice.");
			return;
		}
	p->n_places++;
	if (!take_number(c, o, at, "x", 0, p->width_m, &to->x) ||
	    !take_number(c, o, at, "y", 0, p->height_m, &to->y))
		return;
	left = p->width_m - to->x;
	below = p->height_m - to->y;
	if (left < PLAN_MIN_M || below < PLAN_MIN_M) {
		snprintf(pointer, sizeof(pointer), "%s/%s", at, left < PLAN_MIN_M ? "x" : "y");
		wrong(c, pointer, "outside", "There is no room for the place here.");
		return;
	}
	(void) take_number(c, o, at, "w", PLAN_MIN_M, left, &to->w);
	(void) take_number(c, o, at, "h", PLAN_MIN_M, below, &to->h);
}

static bool check_places(struct check *c, const json_t *list)
{
	const json_t *o;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > PLAN_MAX_PLACES) {
		wrong(c, "/places", "bad-list", "places is a list of at most %d.", PLAN_MAX_PLACES);
		return true;
	}
	c->plan->places = calloc(json_array_size(list) + 1, sizeof(*c->plan->places));
	if (!c->plan->places)
		return false;
	json_array_foreach(list, i, o) check_place(c, o, i);
	return true;
}

/* --- antennas ----------------------------------------------------------------------------------
 */

int inventory_reader_has(struct inventory *inv, int64_t agent, const char *reader, int64_t number)
{
	struct sql_stmt *q = sql_prepare(db_reader(inv->app->db), "SELECT antennas FROM readers"
								  " WHERE agent_id = ?"
								  " AND name = ?");
	const char *p;
	int has = -ENOENT;

	sql_bind_i64(q, 1, agent);
	sql_bind_text(q, 2, reader);
	if (sql_step(q) <= 0)
		return -ENOENT;
	p = sql_col_text(q, 0);
	while (p && *p) { /* "1,2,4"; empty = all it has */
		char *end;
		bool this = strtoll(p, &end, 10) == number;

		has = has > 0 || this;
		p += *end ? (size_t) (end - p) + 1 : strlen(p);
	}
	sql_reset(q);
	return has;
}

/* Heard, given a place, or of a reader that has been set up with it. */
static bool known_antenna(struct inventory *inv, const struct plan_antenna *a)
{
	if (inv_state_find_antenna(inv->state, (uint64_t) a->agent_id, a->reader, a->number) !=
	    INV_NONE)
		return true;
	for (size_t i = 0; i < inv->n_assignments; i++) {
		const struct inv_assignment *g = &inv->assignments[i];

		if (g->agent == (uint64_t) a->agent_id && g->number == a->number &&
		    strcmp(g->reader, a->reader) == 0)
			return true;
	}
	return inventory_reader_has(inv, a->agent_id, a->reader, a->number) == 1;
}

static void check_antenna(struct check *c, const json_t *o, size_t i)
{
	struct plan *p = c->plan;
	struct plan_antenna *to = &p->antennas[p->n_antennas];
	const char *reader = json_string_value(json_object_get(o, "reader"));
	int64_t number = take_id(o, "antenna");
	char at[48];

	snprintf(at, sizeof(at), "/antennas/%zu", i);
	to->agent_id = take_id(o, "agent_id");
	if (!to->agent_id || !reader || strlen(reader) >= sizeof(to->reader) || !number ||
	    number > UINT16_MAX) {
		wrong(c, at, "bad-antenna",
		      "An antenna is named by agent_id, reader and its number, antenna.");
		return;
	}
	snprintf(to->reader, sizeof(to->reader), "%s", reader);
	to->number = (uint16_t) number;
	if (!known_antenna(c->inv, to)) {
		wrong(c, at, "no-such-antenna", "No reader is known to have this antenna.");
		return;
	}
	for (size_t k = 0; k < p->n_antennas; k++)
		if (p->antennas[k].agent_id == to->agent_id &&
		    p->antennas[k].number == to->number &&
		    strcmp(p->antennas[k].reader, to->reader) == 0) {
			wrong(c, at, "duplicate-antenna", "This antenna is on the plan twice.");
			return;
		}
	p->n_antennas++;
	(void) take_number(c, o, at, "x", 0, p->width_m, &to->x);
	(void) take_number(c, o, at, "y", 0, p->height_m, &to->y);
}

static bool check_antennas(struct check *c, const json_t *list)
{
	const json_t *o;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > PLAN_MAX_ANTENNAS) {
		wrong(c, "/antennas", "bad-list", "antennas is a list of at most %d.",
		      PLAN_MAX_ANTENNAS);
		return true;
	}
	c->plan->antennas = calloc(json_array_size(list) + 1, sizeof(*c->plan->antennas));
	if (!c->plan->antennas)
		return false;
	json_array_foreach(list, i, o) check_antenna(c, o, i);
	return true;
}

bool plan_parse(struct inventory *inv, const json_t *body, struct plan *ret, json_t **ret_errors)
{
	struct check c = {.inv = inv, .plan = ret, .errors = json_array()};
	bool wide, high, floor, memory = c.errors != NULL;

	*ret = (struct plan){.width_m = 0};
	*ret_errors = NULL;
	/* without a floor nothing can be said of what is on it */
	wide = memory &&
	       take_number(&c, body, "", "width_m", PLAN_MIN_M, PLAN_MAX_M, &ret->width_m);
	high = memory &&
	       take_number(&c, body, "", "height_m", PLAN_MIN_M, PLAN_MAX_M, &ret->height_m);
	floor = wide && high;
	if (floor)
		memory = check_places(&c, json_object_get(body, "places")) &&
			 check_antennas(&c, json_object_get(body, "antennas"));
	if (memory && json_array_size(c.errors) == 0) {
		json_decref(c.errors);
		return true;
	}
	plan_done(ret);
	if (memory)
		*ret_errors = c.errors;
	else
		json_decref(c.errors);
	return false;
}
