/* SPDX-License-Identifier: Apache-2.0 */
/* The ground plan and the store's day in sim.conf: positions, antennas, the room, the rates. */
#include "sim/simconf_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAR_M      1000.0
#define MOST_PER_H 100000.0

/** "x,y", or nothing: yields whether there is one. */
static int read_point(const struct simconf_reading *rd, const char *section, const char *title,
		      const char *key, bool *ret_set, struct floor_point *ret)
{
	const char *text = conf_str(rd->conf, section, title, key);
	struct floor_point p = {0};
	char *end = NULL;

	*ret_set = false;
	if (!*text)
		return 0;
	p.x = strtod(text, &end);
	if (end != text && *end == ',') {
		text = end + 1;
		p.y = strtod(text, &end);
		if (end != text && !*end && fabs(p.x) <= FAR_M && fabs(p.y) <= FAR_M) {
			*ret = p;
			*ret_set = true;
			return 0;
		}
	}
	return simconf_wrong(rd, "%s%s%s%s: %s: must be \"x,y\" in metres", section,
			     title ? " \"" : "", title ? title : "", title ? "\"" : "", key);
}

int simconf_read_plan(const struct simconf_reading *rd, const char *title, struct simconf_place *to)
{
	double x = 0, y = 0, w = 0, h = 0;
	int r = simconf_number(rd, "place", title, "x", -FAR_M, FAR_M, &x);

	if (r == 0)
		r = simconf_number(rd, "place", title, "y", -FAR_M, FAR_M, &y);
	if (r == 0)
		r = simconf_number(rd, "place", title, "w", 0, FAR_M, &w);
	if (r == 0)
		r = simconf_number(rd, "place", title, "h", 0, FAR_M, &h);
	if (r == 0)
		r = simconf_number(rd, "place", title, "wall_db", 0, 100, &to->wall_db);
	if (r == 0)
		r = read_point(rd, "place", title, "door", &to->rect.has_door, &to->rect.door);
	if (r == 0 && (w > 0) != (h > 0))
		r = simconf_wrong(rd, "place \"%s\": %s: a place has both w and h, or neither",
				  title, w > 0 ? "h" : "w");
	if (r < 0)
		return r;
	to->rect.set = w > 0;
	to->rect.x0 = x;
	to->rect.y0 = y;
	to->rect.x1 = x + w;
	to->rect.y1 = y + h;
	return 0;
}

/** Numbers of a section, each with its bounds, as a table. */
struct number_row {
	const char *key;
	double min, max, *to;
};

static int read_numbers(const struct simconf_reading *rd, const char *section, const char *title,
			const struct number_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = simconf_number(rd, section, title, rows[i].key, rows[i].min, rows[i].max,
				       rows[i].to);

		if (r < 0)
			return r;
	}
	return 0;
}

static int antenna_belongs(const struct simconf_reading *rd, const char *title,
			   const struct simconf_antenna *a)
{
	const struct simconf *c = rd->to;

	for (const struct simconf_antenna *b = c->antennas; b < a; b++) {
		if (b->number == a->number && !strcmp(b->reader, a->reader))
			return simconf_wrong(rd,
					     "antenna \"%s\": number: antenna \"%s\" is that one",
					     title, b->name);
	}
	for (size_t i = 0; i < c->n_readers; i++) {
		if (strcmp(c->readers[i].reader.name, a->reader))
			continue;
		if (a->number > c->readers[i].reader.n_antennas)
			return simconf_wrong(rd, "antenna \"%s\": number: reader \"%s\" has %u",
					     title, a->reader, c->readers[i].reader.n_antennas);
		return 0;
	}
	return simconf_wrong(rd, "antenna \"%s\": reader: there is no reader \"%s\"", title,
			     a->reader);
}

static int read_antenna(const struct simconf_reading *rd, const char *title,
			struct simconf_antenna *to)
{
	double direction = 0, tilt = 0;
	struct rf_antenna *a = &to->antenna;
	const struct number_row rows[] = {
		{"x", -FAR_M, FAR_M, &a->at.x},
		{"y", -FAR_M, FAR_M, &a->at.y},
		{"z", 0, 100, &a->at.z},
		{"direction", -360, 360, &direction},
		{"tilt", -90, 90, &tilt},
		{"gain_dbi", -20, 20, &a->gain_dbi},
		{"beam_deg", 5, 170, &a->beam_deg},
		{"cable_db", 0, 30, &a->cable_db},
	};
	int r;

	to->name = title;
	to->reader = conf_str(rd->conf, "antenna", title, "reader");
	to->number = (uint16_t) conf_int(rd->conf, "antenna", title, "number");
	r = antenna_belongs(rd, title, to);
	if (r == 0)
		r = read_numbers(rd, "antenna", title, rows, ARRAY_SIZE(rows));
	direction *= M_PI / 180;
	tilt *= M_PI / 180;
	a->boresight =
		(struct rf_vec){cos(tilt) * cos(direction), cos(tilt) * sin(direction), -sin(tilt)};
	return r;
}

static int read_room(const struct simconf_reading *rd)
{
	struct simconf_room *to = &rd->to->room;
	const char *region = conf_str(rd->conf, "room", NULL, "region");
	const struct number_row rows[] = {
		{"height", 1.5, 50, &to->rf.height},
		{"exponent", 1, 6, &to->rf.exponent},
		{"reflection", 0, 1, &to->rf.reflection},
		{"shadow_db", 0, 20, &to->rf.shadow_db},
		{"people", 0, 1, &to->rf.people},
		{"sensitivity_dbm", -40, 20, &to->sensitivity_dbm},
	};
	int r = read_numbers(rd, "room", NULL, rows, ARRAY_SIZE(rows));

	if (r == 0)
		r = read_point(rd, "room", NULL, "dock", &to->has_dock, &to->dock);
	if (r == 0)
		r = read_point(rd, "room", NULL, "outside", &to->has_outside, &to->outside);
	if (r < 0)
		return r;
	to->dwell_us = conf_int(rd->conf, "room", NULL, "dwell_ms") * US_PER_MS;
	if (!strcmp(region, "etsi"))
		to->rf.region = RF_ETSI;
	else if (strcmp(region, "fcc"))
		return simconf_wrong(rd, "room: region: '%s' is not fcc or etsi", region);
	for (size_t i = 0; i < rd->to->n_readers; i++)
		rd->to->readers[i].reader.region = to->rf.region;
	to->rf.seed = rd->to->seed;
	return 0;
}

static const char *place_of_kind(const struct simconf *c, const char *kind)
{
	for (size_t i = 0; i < c->n_places; i++) {
		if (c->places[i].rect.set && !strcmp(c->places[i].kind, kind))
			return c->places[i].name;
	}
	return NULL;
}

/** What happens in a day needs places for it. */
static int check_day(const struct simconf_reading *rd)
{
	const struct simconf *c = rd->to;
	const struct sim_day_config *d = &c->day;
	const struct {
		const char *key, *kind;
		double rate;
	} needs[] = {
		{"deliveries_per_h", "receiving", d->deliveries_per_h},
		{"deliveries_per_h", "back-room", d->deliveries_per_h},
		{"replenish_per_h", "back-room", d->replenish_per_h},
		{"replenish_per_h", "sales-floor", d->replenish_per_h},
		{"customers_per_h", "sales-floor", d->customers_per_h},
		{"customers_per_h", "exit", d->customers_per_h},
		{"thefts_per_h", "sales-floor", d->thefts_per_h},
		{"thefts_per_h", "exit", d->thefts_per_h},
		{"try_on", "fitting-room", d->customers_per_h * d->try_on},
	};

	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		if (needs[i].rate > 0 && !place_of_kind(c, needs[i].kind))
			return simconf_wrong(rd,
					     "day: %s: needs a place of kind %s with x, y, w, h",
					     needs[i].key, needs[i].kind);
	}
	for (size_t i = 0; *d->till && i < c->n_places; i++) {
		if (c->places[i].rect.set && !strcmp(c->places[i].name, d->till))
			return 0;
	}
	return *d->till ? simconf_wrong(rd, "day: till: no place \"%s\" with x, y, w, h", d->till)
			: 0;
}

static int read_day(const struct simconf_reading *rd)
{
	struct sim_day_config *d = &rd->to->day;
	const struct number_row rows[] = {
		{"deliveries_per_h", 0, MOST_PER_H, &d->deliveries_per_h},
		{"put_away_min", 0, 1440, &d->put_away_min},
		{"replenish_per_h", 0, MOST_PER_H, &d->replenish_per_h},
		{"customers_per_h", 0, MOST_PER_H, &d->customers_per_h},
		{"try_on", 0, 1, &d->try_on},
		{"buy", 0, 1, &d->buy},
		{"misplace", 0, 1, &d->misplace},
		{"thefts_per_h", 0, MOST_PER_H, &d->thefts_per_h},
		{"speed", 0.1, 20, &d->speed},
	};
	int r = read_numbers(rd, "day", NULL, rows, ARRAY_SIZE(rows));

	d->delivery_items = (uint32_t) conf_int(rd->conf, "day", NULL, "delivery_items");
	d->till = conf_str(rd->conf, "day", NULL, "till");
	d->seed = rd->to->seed;
	return r < 0 ? r : check_day(rd);
}

int simconf_read_floor(const struct simconf_reading *rd)
{
	struct simconf *to = rd->to;
	size_t n = conf_count(rd->conf, "antenna");
	bool planned = false;
	int r = 0;

	if (n > SIM_MAX_ANTENNAS)
		return simconf_wrong(rd, "at most %d antennas", SIM_MAX_ANTENNAS);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = read_antenna(rd, conf_title(rd->conf, "antenna", i), &to->antennas[i]);
		to->antennas[i].antenna.id = (uint32_t) i;
	}
	to->n_antennas = n;
	for (size_t i = 0; i < to->n_places; i++)
		planned = planned || to->places[i].rect.set;
	if (r == 0 && n > 0 && !planned)
		r = simconf_wrong(rd, "antenna \"%s\": x: no place has x, y, w, h for it to see",
				  to->antennas[0].name);
	if (r == 0)
		r = read_room(rd);
	return r < 0 ? r : read_day(rd);
}
