/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim.h"

#include "common/err.h"
#include "sim/air.h"
#include "sim/field.h"
#include "sim/guest.h"
#include "sim/oepl_web.h"
#include "sim/simconf.h"
#include "sim/tags.h"
#include "sim/truth.h"
#include "sim/vhci.h"
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WALL_M 0.3 /* beyond the outermost place or antenna */

struct sim_store {
	struct loop *loop;
	struct simconf *conf;
	struct sim_world *world;
	struct sim_tags *tags;
	struct sim_radio *radios[SIM_MAX_RADIOS];
	struct sim_vhci *adapters[SIM_MAX_RADIOS]; /**< of radios whose host is this kernel */
	size_t n_radios;
	struct sim_guest *guests[SIM_MAX_GUESTS];
	struct sim_vhci *guest_adapters[SIM_MAX_GUESTS]; /**< of guests whose host is this kernel */
	size_t n_guests;
	struct sim_reader *readers[SIM_MAX_READERS];
	struct sim_air *airs[SIM_MAX_READERS];     /**< of readers without a position */
	struct sim_field *fields[SIM_MAX_READERS]; /**< of those with one */
	size_t n_readers;
	struct sim_oepl *oepls[SIM_MAX_OEPLS];
	struct sim_oepl_web *webs[SIM_MAX_OEPLS];
	size_t n_oepls;
	struct sim_shows *shows;
	struct sim_floor *floor; /**< NULL = no ground plan */
	struct sim_day *day;
	struct sim_truth *truth;
};

/** Where building fails, says what failed. */
struct building {
	struct sim_store *s;
	char *diag;
	size_t diag_len;
};

static int failed(const struct building *b, const char *what, const char *name, int err)
{
	(void) snprintf(b->diag, b->diag_len, "%s %s: %s", what, name, err_str(err));
	return err;
}

/* --- the world -------------------------------------------------------------------------------- */

static int cover_place(const struct building *b, const struct simconf_place *p, uint32_t place)
{
	const char *text = p->antennas;

	while (*text) {
		char *end;
		long number = strtol(text, &end, 10);
		int antenna = sim_world_find_antenna(b->s->world, p->reader, (uint16_t) number);
		int r;

		if (end == text || number < 1 || number > SIM_READER_MAX_ANTENNAS || antenna < 0) {
			(void) snprintf(b->diag, b->diag_len,
					"place \"%s\": antennas: reader \"%s\" has no antenna '%s'",
					p->name, p->reader, text);
			return -ERR_CONFIG;
		}
		r = sim_world_cover(b->s->world, (uint32_t) antenna, place);
		if (r < 0)
			return failed(b, "place", p->name, r);
		text = end + strspn(end, ", ");
	}
	return 0;
}

static int build_world(const struct building *b, const struct clock *clock)
{
	const struct simconf *c = b->s->conf;
	int r = sim_world_new(clock, c->seed, &b->s->world);

	for (size_t i = 0; r == 0 && i < c->n_readers; i++) {
		const struct sim_reader_config *reader = &c->readers[i].reader;

		for (uint16_t n = 1; r >= 0 && n <= reader->n_antennas; n++)
			r = sim_world_add_antenna(b->s->world, reader->name, n);
		if (r < 0)
			return failed(b, "reader", reader->name, r);
		r = 0;
	}
	for (size_t i = 0; r == 0 && i < c->n_places; i++) {
		r = sim_world_add_place(b->s->world, c->places[i].name, c->places[i].kind);
		if (r < 0)
			return failed(b, "place", c->places[i].name, r);
		r = cover_place(b, &c->places[i], (uint32_t) r);
	}
	if (r == 0)
		r = sim_goods_place(b->s->world, &c->goods, b->diag, b->diag_len);
	return r < 0 ? r : sim_world_seal(b->s->world);
}

/* --- the ground plan -------------------------------------------------------------------------- */

/** The walls of the building go around all places and antennas. */
static void room_faces(struct rf_room *room, const struct simconf *c)
{
	room->x0 = room->y0 = INFINITY;
	room->x1 = room->y1 = -INFINITY;
	for (size_t i = 0; i < c->n_places; i++) {
		const struct floor_rect *p = &c->places[i].rect;

		if (!p->set)
			continue;
		room->x0 = MIN(room->x0, p->x0 - WALL_M);
		room->y0 = MIN(room->y0, p->y0 - WALL_M);
		room->x1 = MAX(room->x1, p->x1 + WALL_M);
		room->y1 = MAX(room->y1, p->y1 + WALL_M);
	}
	for (size_t i = 0; i < c->n_antennas; i++) {
		const struct rf_vec *at = &c->antennas[i].antenna.at;

		room->x0 = MIN(room->x0, at->x - WALL_M);
		room->y0 = MIN(room->y0, at->y - WALL_M);
		room->x1 = MAX(room->x1, at->x + WALL_M);
		room->y1 = MAX(room->y1, at->y + WALL_M);
		room->height = MAX(room->height, at->z + WALL_M);
	}
}

static void lay_plan(struct sim_floor *f, const struct simconf *c)
{
	f->room = c->room.rf;
	room_faces(&f->room, c);
	f->sensitivity_dbm = c->room.sensitivity_dbm;
	f->has_dock = c->room.has_dock;
	f->dock = c->room.dock;
	f->has_outside = c->room.has_outside;
	f->outside = c->room.outside;
	for (size_t i = 0; i < c->n_places; i++) {
		const struct simconf_place *p = &c->places[i];

		f->places[i + 1] = p->rect; /* place 0 is nowhere */
		if (p->rect.set && p->wall_db > 0 && f->room.n_walls < RF_MAX_WALLS)
			f->room.walls[f->room.n_walls++] = (struct rf_walls){
				p->rect.x0, p->rect.y0, p->rect.x1, p->rect.y1, p->wall_db};
	}
	for (size_t i = 0; i < c->n_antennas; i++) {
		int n = sim_world_find_antenna(f->world, c->antennas[i].reader,
					       c->antennas[i].number);

		if (n < 0)
			continue;
		f->antennas[n] = c->antennas[i].antenna;
		f->antenna_set[n] = true;
	}
	rf_room_furnish(&f->room);
}

static int build_floor(const struct building *b)
{
	struct sim_store *s = b->s;
	const struct simconf *c = s->conf;
	bool planned = false;
	int r;

	for (size_t i = 0; i < c->n_places; i++)
		planned = planned || c->places[i].rect.set;
	if (!planned)
		return 0;
	r = sim_floor_new(s->loop, s->world, &s->floor);
	if (r < 0)
		return failed(b, "ground", "plan", r);
	lay_plan(s->floor, c);
	r = sim_floor_start(s->floor);
	if (r == 0 && sim_day_happens(&c->day))
		r = sim_day_new(s->loop, s->floor, &c->day, &s->day);
	return r < 0 ? failed(b, "ground", "plan", r) : 0;
}

static bool has_position(const struct simconf *c, const char *reader)
{
	for (size_t i = 0; i < c->n_antennas; i++) {
		if (!strcmp(c->antennas[i].reader, reader))
			return true;
	}
	return false;
}

/** Where its reads come from: the field around its antennas, or places that it covers. */
static int build_source(const struct building *b, const struct simconf_reader *c, size_t i)
{
	struct sim_store *s = b->s;

	if (s->floor && has_position(s->conf, c->reader.name))
		return sim_field_new(s->loop, s->floor, s->readers[i],
				     &(struct sim_field_config){.dwell_us = s->conf->room.dwell_us,
								.seed = s->conf->seed},
				     &s->fields[i]);
	return sim_air_new(s->loop, s->world, s->readers[i],
			   &(struct sim_air_config){.reads_per_s = c->reads_per_s,
						    .cross = c->cross,
						    .seed = s->conf->seed},
			   &s->airs[i]);
}

/* --- what listens ----------------------------------------------------------------------------- */

static void take_host(void *user, int fd)
{
	ignore_result(sim_radio_attach(user, fd));
}

static int build_radio(const struct building *b, const struct simconf_radio *c)
{
	struct sim_store *s = b->s;
	size_t i = s->n_radios;
	struct sim_radio_config cfg = {.name = c->name,
				       .loss = c->loss,
				       .drop = c->drop,
				       .wifi = c->wifi,
				       .max_links = c->max_links,
				       .advert_ms = c->advert_ms,
				       .index = (uint8_t) i,
				       .seed = s->conf->seed,
				       .shows = s->shows};
	int r = sim_radio_new(s->loop, &cfg, &s->radios[i]);

	if (r < 0)
		return r;
	s->n_radios++;
	for (size_t k = 0; r == 0 && k < c->n_panels; k++)
		r = sim_radio_add_labels(s->radios[i], &c->panels[k].model, c->panels[k].labels);
	if (r == 0 && c->capture[0])
		r = sim_radio_capture(s->radios[i], c->capture);
	if (r == 0)
		r = strcmp(c->hci, "vhci:") == 0
			    ? sim_vhci_new(s->loop, take_host, s->radios[i], &s->adapters[i])
			    : sim_radio_listen(s->radios[i], c->hci);
	return r;
}

static void take_guest_host(void *user, int fd)
{
	ignore_result(sim_guest_attach(user, fd));
}

static int build_guest(const struct building *b, const struct simconf_guest *c)
{
	struct sim_store *s = b->s;
	size_t i = s->n_guests;
	int r = sim_guest_new(s->radios[c->radio], &s->guests[i]);

	if (r < 0)
		return r;
	s->n_guests++;
	if (c->capture[0])
		r = sim_guest_capture(s->guests[i], c->capture);
	if (r == 0)
		r = strcmp(c->hci, "vhci:") == 0 ? sim_vhci_new(s->loop, take_guest_host,
								s->guests[i], &s->guest_adapters[i])
						 : sim_guest_listen(s->guests[i], c->hci);
	return r;
}

static struct sim_radio *radio_named(const struct sim_store *s, const char *name, size_t len)
{
	for (size_t i = 0; i < s->n_radios; i++) {
		const char *have = sim_radio_name(s->radios[i]);

		if (strlen(have) == len && memcmp(have, name, len) == 0)
			return s->radios[i];
	}
	return NULL;
}

/** Whose trains disturb the radio: a list of names. */
static int build_hearing(const struct building *b, size_t i)
{
	const char *at = b->s->conf->radios[i].hears;
	int r = 0;

	while (r == 0 && *at) {
		size_t n = strcspn(at, ",");
		struct sim_radio *other = radio_named(b->s, at, n);

		r = other ? sim_radio_hear(b->s->radios[i], other) : -ENOENT;
		at += n + (at[n] == ',');
	}
	return r;
}

static int build_reader(const struct building *b, const struct simconf_reader *c)
{
	struct sim_store *s = b->s;
	size_t i = s->n_readers;
	int r = sim_reader_new(s->loop, &c->reader, &s->readers[i]);

	if (r < 0)
		return r;
	s->n_readers++;
	sim_reader_set_tags(s->readers[i], s->tags);
	r = build_source(b, c, i);
	if (r == 0)
		r = sim_reader_listen(s->readers[i], c->port);
	return r == 0 && c->call_port ? sim_reader_call(s->readers[i], c->call_port) : r;
}

static int build_oepl(const struct building *b, const struct simconf_oepl *c)
{
	struct sim_store *s = b->s;
	size_t i = s->n_oepls;
	struct sim_oepl_config cfg = c->ap;
	int r;

	cfg.index = (uint8_t) i;
	cfg.seed = s->conf->seed;
	cfg.shows = s->shows;
	r = sim_oepl_new(s->loop, &cfg, &s->oepls[i]);
	if (r < 0)
		return r;
	s->n_oepls++;
	return sim_oepl_web_new(s->loop, s->oepls[i], c->port, &s->webs[i]);
}

static int build_listeners(const struct building *b)
{
	struct sim_store *s = b->s;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->conf->n_radios; i++) {
		r = build_radio(b, &s->conf->radios[i]);
		if (r < 0)
			return failed(b, "radio", s->conf->radios[i].name, r);
	}
	for (size_t i = 0; r == 0 && i < s->conf->n_guests; i++) {
		r = build_guest(b, &s->conf->guests[i]);
		if (r < 0)
			return failed(b, "guest", s->conf->guests[i].name, r);
	}
	for (size_t i = 0; r == 0 && i < s->n_radios; i++) {
		r = build_hearing(b, i);
		if (r < 0)
			return failed(b, "what is heard by radio", s->conf->radios[i].name, r);
	}
	for (size_t i = 0; r == 0 && i < s->conf->n_oepls; i++) {
		r = build_oepl(b, &s->conf->oepls[i]);
		if (r < 0)
			return failed(b, "oepl", s->conf->oepls[i].ap.name, r);
	}
	for (size_t i = 0; r == 0 && i < s->conf->n_readers; i++) {
		r = build_reader(b, &s->conf->readers[i]);
		if (r < 0)
			return failed(b, "reader", s->conf->readers[i].reader.name, r);
	}
	r = sim_truth_new(s->loop,
			  &(struct sim_truth_sources){.world = s->world,
						      .radios = s->radios,
						      .n_radios = s->n_radios,
						      .adapters = s->adapters,
						      .readers = s->readers,
						      .oepls = s->oepls,
						      .n_oepls = s->n_oepls,
						      .shows = s->shows,
						      .floor = s->floor,
						      .day = s->day,
						      .n_readers = s->n_readers},
			  s->conf->truth_port, &s->truth);
	return r < 0 ? failed(b, "truth", "port", r) : 0;
}

/* --- life ------------------------------------------------------------------------------------- */

int sim_store_new(struct loop *loop, const char *config, char *diag, size_t diag_len,
		  struct sim_store **ret)
{
	struct sim_store *s = calloc(1, sizeof *s);
	struct building b = {.s = s, .diag = diag, .diag_len = diag_len};
	int r;

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->tags = sim_tags_new();
	r = s->tags ? simconf_load(config, &s->conf, diag, diag_len) : -ENOMEM;
	if (r == 0)
		r = build_world(&b, loop_clock(loop));
	if (r == 0)
		r = sim_shows_new(loop_clock(loop), &s->shows);
	if (r == 0)
		r = build_floor(&b);
	if (r == 0)
		r = build_listeners(&b);
	if (r == 0)
		r = sim_world_start_mover(s->world, loop, s->conf->move_every_s);
	if (r < 0) {
		sim_store_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void sim_store_free(struct sim_store *s)
{
	if (!s)
		return;
	sim_truth_free(s->truth);
	for (size_t i = 0; i < s->n_readers; i++) {
		sim_air_free(s->airs[i]);
		sim_field_free(s->fields[i]);
		sim_reader_free(s->readers[i]);
	}
	for (size_t i = 0; i < s->n_guests; i++) {
		sim_guest_free(s->guests[i]);
		sim_vhci_free(s->guest_adapters[i]);
	}
	for (size_t i = 0; i < s->n_radios; i++) {
		sim_radio_free(s->radios[i]);
		sim_vhci_free(s->adapters[i]);
	}
	for (size_t i = 0; i < s->n_oepls; i++) {
		sim_oepl_web_free(s->webs[i]);
		sim_oepl_free(s->oepls[i]);
	}
	sim_shows_free(s->shows);
	sim_day_free(s->day);
	sim_floor_free(s->floor);
	sim_world_free(s->world);
	sim_tags_free(s->tags);
	simconf_free(s->conf);
	free(s);
}

int sim_store_check(const char *config, char *diag, size_t diag_len)
{
	struct sim_store s = {0};
	struct building b = {.s = &s, .diag = diag, .diag_len = diag_len};
	int r = simconf_load(config, &s.conf, diag, diag_len);

	if (r == 0)
		r = build_world(&b, clock_system());
	sim_world_free(s.world);
	simconf_free(s.conf);
	return r;
}

static json_t *guest_json(const struct sim_store *s, size_t i)
{
	uint8_t addr[6];
	char text[2 * sizeof(addr) + 1];

	sim_guest_address(s->guests[i], addr);
	for (size_t k = 0; k < sizeof(addr); k++)
		(void) snprintf(text + 2 * k, 3, "%02X", addr[k]);
	return json_pack("{s:s,s:s}", "hci", s->conf->guests[i].hci, "address", text);
}

void sim_store_print_ready(const struct sim_store *s, FILE *out)
{
	json_t *radios = json_object(), *readers = json_object(), *pins = json_object();
	json_t *oepls = json_object(), *guests = json_object(), *all;
	char *text;

	for (size_t i = 0; i < s->n_radios; i++)
		json_object_set_new(radios, sim_radio_name(s->radios[i]),
				    json_pack("{s:s,s:i}", "hci", s->conf->radios[i].hci, "labels",
					      (int) sim_radio_labels(s->radios[i])));
	for (size_t i = 0; i < s->n_readers; i++)
		json_object_set_new(readers, sim_reader_name(s->readers[i]),
				    json_integer(sim_reader_port(s->readers[i])));
	for (size_t i = 0; i < s->n_readers; i++)
		if (*sim_reader_pin(s->readers[i]))
			json_object_set_new(pins, sim_reader_name(s->readers[i]),
					    json_string(sim_reader_pin(s->readers[i])));
	for (size_t i = 0; i < s->n_oepls; i++)
		json_object_set_new(oepls, sim_oepl_name(s->oepls[i]),
				    json_integer(sim_oepl_web_port(s->webs[i])));
	for (size_t i = 0; i < s->n_guests; i++)
		json_object_set_new(guests, s->conf->guests[i].name, guest_json(s, i));
	all = json_pack("{s:i,s:o,s:o,s:o,s:o,s:o,s:i,s:i}", "truth_port", sim_truth_port(s->truth),
			"radios", radios, "readers", readers, "pins", pins, "oepls", oepls,
			"guests", guests, "items", (int) s->world->n_items, "seed",
			(int) s->conf->seed);
	text = json_dumps(all, JSON_COMPACT);
	(void) fprintf(out, "gondola-sim ready %s\n", text ? text : "{}");
	(void) fflush(out);
	free(text);
	json_decref(all);
}
