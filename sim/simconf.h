/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * sim.conf: the schema of a simulated store and its checked values. Strings are borrowed from the
 * parsed file, which the structure keeps.
 */
#pragma once

#include "common/conf.h"
#include "sim/day.h"
#include "sim/floor.h"
#include "sim/goods.h"
#include "sim/label.h"
#include "sim/oepl.h"
#include "sim/radio_channels.h"
#include "sim/reader.h"

#define SIM_MAX_RADIOS  16
#define SIM_MAX_READERS 16
#define SIM_MAX_PANELS  8
#define SIM_MAX_OEPLS   8
#define SIM_MAX_GUESTS  8

struct simconf_panel {
	struct sim_label_model model;
	unsigned int labels;
};

struct simconf_radio {
	const char *name, *hci, *capture;
	const char *hears; /**< names of radios, separated by commas */
	unsigned int max_links, advert_ms;
	double loss, drop;
	struct radio_wifi wifi;
	struct simconf_panel panels[SIM_MAX_PANELS];
	size_t n_panels;
};

/** A label whose host is somebody else's. */
struct simconf_guest {
	const char *name, *hci, *capture;
	size_t radio; /**< its number */
};

struct simconf_oepl {
	struct sim_oepl_config ap;
	uint16_t port;
};

struct simconf_reader {
	struct sim_reader_config reader;
	uint16_t port, call_port;
	double reads_per_s, cross;
};

struct simconf_place {
	const char *name, *kind, *reader, *antennas;
	struct floor_rect rect;
	double wall_db;
};

struct simconf_antenna {
	const char *name, *reader;
	uint16_t number;
	struct rf_antenna antenna;
};

/** What a store with a ground plan has beside places and antennas. */
struct simconf_room {
	struct rf_room rf; /**< without its faces, walls and furniture */
	double sensitivity_dbm;
	int64_t dwell_us;
	bool has_dock, has_outside;
	struct floor_point dock, outside;
};

struct simconf {
	struct conf *conf;
	uint64_t seed;
	uint16_t truth_port;
	struct simconf_radio radios[SIM_MAX_RADIOS];
	size_t n_radios;
	struct simconf_guest guests[SIM_MAX_GUESTS];
	size_t n_guests;
	struct simconf_oepl oepls[SIM_MAX_OEPLS];
	size_t n_oepls;
	struct simconf_reader readers[SIM_MAX_READERS];
	size_t n_readers;
	struct simconf_place places[SIM_MAX_PLACES];
	size_t n_places;
	struct simconf_antenna antennas[SIM_MAX_ANTENNAS];
	size_t n_antennas; /**< with a position; 0 = the store has no ground plan */
	struct simconf_room room;
	struct sim_day_config day;
	struct sim_goods goods;
	double move_every_s;
};

extern const struct conf_row simconf_schema[];

/** On failure `diag` holds one line that says what is wrong and where. */
int simconf_load(const char *file, struct simconf **ret, char *diag, size_t diag_len) _must_check_;
void simconf_free(struct simconf *c);
DEFINE_CLEANUP(struct simconf *, simconf_free)
