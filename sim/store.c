/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim.h"

#include "common/err.h"
#include "sim/air.h"
#include "sim/simconf.h"
#include "sim/tags.h"
#include "sim/truth.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct sim_store {
	struct loop *loop;
	struct simconf *conf;
	struct sim_world *world;
	struct sim_tags *tags;
	struct sim_radio *radios[SIM_MAX_RADIOS];
	size_t n_radios;
	struct sim_reader *readers[SIM_MAX_READERS];
	struct sim_air *airs[SIM_MAX_READERS];
	size_t n_readers;
	struct sim_shows *shows;
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

/* --- what listens ----------------------------------------------------------------------------- */

static int build_radio(const struct building *b, const struct simconf_radio *c)
{
	struct sim_store *s = b->s;
	size_t i = s->n_radios;
	struct sim_radio_config cfg = {.name = c->name,
				       .loss = c->loss,
				       .drop = c->drop,
				       .wifi = c->wifi,
				       .max_links = c->max_links,
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
		r = sim_radio_listen(s->radios[i], c->hci);
	return r;
}

static int build_reader(const struct building *b, const struct simconf_reader *c)
{
	struct sim_store *s = b->s;
	size_t i = s->n_readers;
	struct sim_air_config air = {
		.reads_per_s = c->reads_per_s, .cross = c->cross, .seed = s->conf->seed};
	int r = sim_reader_new(s->loop, &c->reader, &s->readers[i]);

	if (r < 0)
		return r;
	s->n_readers++;
	sim_reader_set_tags(s->readers[i], s->tags);
	r = sim_air_new(s->loop, s->world, s->readers[i], &air, &s->airs[i]);
	if (r == 0)
		r = sim_reader_listen(s->readers[i], c->port);
	return r == 0 && c->call_port ? sim_reader_call(s->readers[i], c->call_port) : r;
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
	for (size_t i = 0; r == 0 && i < s->conf->n_readers; i++) {
		r = build_reader(b, &s->conf->readers[i]);
		if (r < 0)
			return failed(b, "reader", s->conf->readers[i].reader.name, r);
	}
	r = sim_truth_new(s->loop,
			  &(struct sim_truth_sources){.world = s->world,
						      .radios = s->radios,
						      .n_radios = s->n_radios,
						      .readers = s->readers,
						      .shows = s->shows,
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
		sim_reader_free(s->readers[i]);
	}
	for (size_t i = 0; i < s->n_radios; i++) {
		sim_radio_free(s->radios[i]);
	}
	sim_shows_free(s->shows);
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

void sim_store_print_ready(const struct sim_store *s, FILE *out)
{
	json_t *radios = json_object(), *readers = json_object(), *pins = json_object();
	json_t *all;
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
	all = json_pack("{s:i,s:o,s:o,s:o,s:i,s:i}", "truth_port", sim_truth_port(s->truth),
			"radios", radios, "readers", readers, "pins", pins, "items",
			(int) s->world->n_items, "seed", (int) s->conf->seed);
	text = json_dumps(all, JSON_COMPACT);
	(void) fprintf(out, "gondola-sim ready %s\n", text ? text : "{}");
	(void) fflush(out);
	free(text);
	json_decref(all);
}
