/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The product's engine for OpenEPaperLink labels against a simulated access point, in virtual time:
 * requests and the feed go through a twin of the seam, without a socket, so that hours pass in a
 * moment. The truth is asked of the simulator.
 */
#pragma once

#include "common/loop.h"
#include "esl-radio/esl.h"
#include "sim/oepl.h"

#define WORLD_LABELS 400
#define WORLD_APS    3 /* besides the first one */
#define WORLD_UTC_US INT64_C(1780000000000000)

/** What the engine has told of a label. */
struct told {
	unsigned int seen, associated, sent, shown, errors, lost, status;
	uint8_t image[IMAGE_HASH_BYTES]; /**< of the last SHOWN */
	enum esl_grade grade;
	int64_t shown_at_us, sent_at_us;
	uint16_t width, height, battery_mv;
	uint8_t display_type;
	int16_t temperature_cc;
	int8_t rssi_dbm;
	enum esl_led led;
	char error[ESL_TEXT_MAX], led_text[ESL_TEXT_MAX], lost_text[ESL_TEXT_MAX];
};

struct oepl_world {
	struct loop *loop;
	struct sim_oepl *ap;                /**< the first one */
	struct sim_oepl *others[WORLD_APS]; /**< and more of them */
	size_t n_others;
	struct esl_engine *engine;
	struct told told[WORLD_LABELS];
	uint8_t addrs[WORLD_LABELS][ESL_ADDR_BYTES];
	size_t n_labels;
	unsigned int strangers; /**< reports of labels that there are not */
	unsigned int ups, downs;
	char radio_text[ESL_TEXT_MAX];
	bool withhold; /**< answers no picture */
	struct {
		uint8_t hash[IMAGE_HASH_BYTES];
		struct buf data;
	} pictures[WORLD_LABELS + 64];
	size_t n_pictures;
	struct {
		char key[64];
		struct buf data;
	} kept[WORLD_LABELS + 8];
	size_t n_kept;
	unsigned int listens; /**< times the feed was opened */
	/** Requests to one path, which go astray. */
	struct {
		const char *path;
		unsigned int lose; /**< so many more get no answer */
		bool fail;         /**< and all of them an error of the server's */
		unsigned int asked;
	} astray;
	int64_t latency_us;
};

void world_start(struct oepl_world *w, const struct sim_oepl_config *cfg);
/** And more access points, each with labels of its own; those of the first one come first. */
void world_start_many(struct oepl_world *w, const struct sim_oepl_config *cfg, size_t n);
/** Label i as it is, wherever it is. */
void world_view(const struct oepl_world *w, unsigned int i, struct sim_oepl_view *ret);
void world_stop(struct oepl_world *w);
/** The engine dies, and another one takes over with what was kept. */
void world_kill(struct oepl_world *w);
void world_run(struct oepl_world *w, int64_t seconds);
int64_t world_utc(const struct oepl_world *w);
/** A picture for the labels of this world, different for each number; its hash. */
void world_picture(struct oepl_world *w, unsigned int number, uint8_t ret[IMAGE_HASH_BYTES]);
/** Wishes picture `number` for label i from an instant on (0 = at once). */
void world_want(struct oepl_world *w, unsigned int i, unsigned int number, int64_t from_us);
/** Picture `first` + i for each label i below n. */
void world_want_all(struct oepl_world *w, unsigned int n, unsigned int first);
/** And another one later. */
void world_want_two(struct oepl_world *w, unsigned int i, unsigned int first, unsigned int second,
		    int64_t from_us);
/** The panel has it, bit by bit. */
bool world_shows(struct oepl_world *w, unsigned int i, unsigned int number);
/** The engine says so. */
bool world_told(struct oepl_world *w, unsigned int i, unsigned int number);
/** So many of them have what world_want_all() wished, and are told to. */
unsigned int world_showing(struct oepl_world *w, unsigned int n, unsigned int first);
void world_addr(const struct oepl_world *w, unsigned int i, uint8_t ret[ESL_ADDR_BYTES]);
