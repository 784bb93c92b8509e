/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A shop for the label engine in virtual time: the engine with its real drivers on UNIX sockets,
 * the simulated radio and labels behind them, and an owner that keeps blobs and hands out pictures.
 */
#pragma once

#include "common/loop.h"
#include "esl-radio/engine.h"
#include "sim/radio.h"

#define WORLD_LABELS  1024
#define WORLD_BLOBS   2048
#define WORLD_IMAGES  2000
#define WORLD_REPORTS 4096
#define WORLD_START   (INT64_C(1000) * US_PER_SEC)
#define WORLD_UTC     (INT64_C(1790000000) * US_PER_SEC)

struct world_blob {
	char key[24];
	uint8_t *data;
	size_t len;
};

struct world {
	struct loop *loop;
	struct sim_radio *radio;
	struct esl_engine *engine;
	struct esl_engine_config cfg;
	char dir[32], hci[80];
	struct world_blob blobs[WORLD_BLOBS];
	size_t n_blobs;
	struct esl_report reports[WORLD_REPORTS]; /**< a ring */
	size_t n_reports;
	unsigned int n_labels;
	unsigned int saves, asked;
	unsigned int kill_at; /**< this save is the last: the power goes; 0 = never */
	bool kill_after;      /**< after it was kept */
	bool killed;
	bool save_fails, no_images;
	bool up;
	uint8_t (*names)[IMAGE_HASH_BYTES]; /**< of the first label's pictures, by number */
};

/** A small label in black and white with three slots and a light. */
extern const struct sim_label_model world_small;

/** A shop with n labels of that model; the train is running and the clock is known. */
void world_open(struct world *w, unsigned int labels, const struct sim_label_model *model,
		double loss, uint64_t seed);
/** The same with another train than the default. */
void world_open_train(struct world *w, unsigned int labels, const struct sim_label_model *model,
		      double loss, uint64_t seed, const struct esl_train *train);
void world_close(struct world *w);
/** Starts an engine from the blobs there are. */
void world_start(struct world *w);
/** Ends the engine and starts a new one from its blobs. */
void world_restart(struct world *w);
/** Runs until the save of kill_at, or for so long. */
void world_run_to_kill(struct world *w, int64_t us);
/** A life whose power goes at its n-th save, before or after that was kept. False when it had
 * fewer. */
typedef bool (*world_life_fn)(unsigned int n, bool after);
/** Ends a life at each save there is; yields how often. */
unsigned int world_end_at_each_save(world_life_fn life);
void world_run(struct world *w, int64_t us);
int64_t world_now(const struct world *w);
/** UTC of the virtual clock. */
int64_t world_utc(const struct world *w);
void world_addr(unsigned int i, uint8_t addr[ESL_ADDR_BYTES]);
/** A picture numbered n that fits the label; yields its name. */
void world_image(const struct world *w, unsigned int i, uint32_t n,
		 uint8_t ret_hash[IMAGE_HASH_BYTES]);
void world_want(struct world *w, unsigned int i, uint32_t picture);
void world_want_two(struct world *w, unsigned int i, uint32_t now, uint32_t later,
		    int64_t later_utc_us);
void world_adopt_all(struct world *w);
struct sim_label_view world_view(const struct world *w, unsigned int i);
/** True if the panel shows that picture. */
bool world_shows(const struct world *w, unsigned int i, uint32_t picture);
/** How many labels show it. */
unsigned int world_showing(const struct world *w, uint32_t picture);
/** Wishes for it on every label; all show it within that time. */
void world_show_all(struct world *w, uint32_t picture, int64_t at_most_us);
/** Wishes for it on label i; within a minute that shows it, and it is confirmed. */
void world_show(struct world *w, unsigned int i, uint32_t picture);
/** Index after the last report so far; pass it to world_find() to look only at later ones. */
size_t world_mark(const struct world *w);
/** First report since `mark` of that kind about label i (and picture, 0 = any); NULL if none. */
const struct esl_report *world_find(const struct world *w, size_t mark, unsigned int i,
				    enum esl_report_kind kind, uint32_t picture);
/** Runs until such a report with at least that grade has come; the time it took, or -1. */
int64_t world_await(struct world *w, size_t mark, unsigned int i, enum esl_report_kind kind,
		    enum esl_grade grade, uint32_t picture, int64_t at_most_us);
