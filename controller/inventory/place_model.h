/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A fitted model of a store's places: learnt from walks (somebody carries a tag through one place
 * at a time), it names the place of a tag from its raw reads, read by read, using the past alone.
 *
 * Two experts look at each read. The quick one remembers a third of a second: how strong and how
 * often every antenna hears the tag, so that silence counts too. The calm one remembers a second
 * and a half and only compares antennas with each other: how a tag is held, or at what height,
 * moves all levels together and drops out. Each knows per place a mean and a covariance of its
 * features (drawn towards the common one, and widened by a decibel for what another day changes)
 * and yields the odds of the places. Reads follow each other far faster than what they say changes,
 * so evidence counts by the time that passed, not by the read. The odds run through a filter in
 * which a tag leaves its place once a minute; a new place is claimed when it is `margin` more
 * likely (in log odds) than the one named.
 *
 * Memory per tag is constant. Reads of antennas that the walks never met are ignored.
 */
#pragma once

#include "controller/inventory/place_gauss.h"
#include "controller/inventory/trace_csv.h"
#include <stdbool.h>

#define PLACE_MODEL_VERSION      1
#define PLACE_MODEL_MAX_PLACES   64
#define PLACE_MODEL_MAX_ANTENNAS 32
#define PLACE_MODEL_EXPERTS      2
#define PLACE_MODEL_MAX_BYTES    ((size_t) 32 << 20)
#define PLACE_MODEL_MIN_READS    80 /* of a walk, or there is nothing to learn from */
#define PLACE_MODEL_NONE         (-1)
#define PLACE_MODEL_TEMPERS      32

struct place_model_antenna {
	uint16_t number;
	char reader[TRACE_NAME_CAP]; /**< "" = of any reader: the walks met only one */
};

struct place_expert {
	float tau_s;   /**< how long it remembers */
	bool rates;    /**< also looks at how often each antenna hears the tag */
	bool relative; /**< levels against their mean over all antennas */
	struct place_gauss gauss;
};

struct place_model {
	unsigned int n_places, n_antennas;
	char places[PLACE_MODEL_MAX_PLACES][TRACE_NAME_CAP];
	struct place_model_antenna antennas[PLACE_MODEL_MAX_ANTENNAS];
	float reads_per_s; /**< of the walks, all antennas */
	float leave_per_s; /**< how often a tag leaves its place */
	float trust_per_s; /**< weight of a second of evidence */
	float margin;
	float temper; /**< makes the confidence honest: exponent on the odds */
	struct place_expert experts[PLACE_MODEL_EXPERTS];
};

/** What is remembered of one tag. Zeroed = nothing heard yet. */
struct place_track {
	bool begun;
	int named; /**< index of the place, valid once begun */
	int64_t last_us;
	float odds[PLACE_MODEL_MAX_PLACES]; /**< probability of each place */
	struct place_memory {
		float level[PLACE_MODEL_MAX_ANTENNAS];
		float level_n[PLACE_MODEL_MAX_ANTENNAS];
		float reads[PLACE_MODEL_MAX_ANTENNAS];
	} memory[PLACE_MODEL_EXPERTS];
};

/** Index of an antenna in the model; PLACE_MODEL_NONE if the walks never met it. */
int place_model_antenna(const struct place_model *m, const char *reader, unsigned int number);
int place_model_place(const struct place_model *m, const char *name);
/** Takes one read (antenna by its index, or PLACE_MODEL_NONE) and yields the place named then;
 * PLACE_MODEL_NONE as long as nothing known has been heard. Times may not run backwards; if they
 * do, no time has passed. */
int place_track_read(const struct place_model *m, struct place_track *t, int antenna,
		     float rssi_dbm, int64_t at_us);
/** How sure it is of the place named: 0..1. */
float place_track_confidence(const struct place_model *m, const struct place_track *t);

/** One walk: a carried tag and the place it was carried through. */
struct place_walk {
	const char *place;
	struct trace trace;
};

/** What a model does on walks. */
struct place_score {
	size_t reads, right, moves;
	size_t n_walks;
	size_t parts; /**< stretches played: a perfect claim makes parts - 1 moves when joined */
	/** reads by [place walked][place named]; the last column is "none yet" */
	size_t confusion[PLACE_MODEL_MAX_PLACES][PLACE_MODEL_MAX_PLACES + 1];
	/** reads and right ones by confidence in tenths */
	size_t sure[10], sure_right[10];
	double log_loss[PLACE_MODEL_TEMPERS]; /**< internal: by trial exponent, used by the fit */
};

/** Fits a model and says in *ret_left_out (may be NULL) how it does on what it was not shown: a
 * quarter of every walk is left out in turn, all quarters played joined. -ERR_RANGE: a walk too
 * short, fewer than two places, too many places or antennas; ret_why says which. */
int place_model_fit(const struct place_walk *walks, size_t n, struct place_model **ret,
		    struct place_score *ret_left_out, const char **ret_why) _must_check_;
/** Plays walks, each as its own life or joined into one. -ENOENT: the model lacks a place. */
int place_model_score(const struct place_model *m, const struct place_walk *walks, size_t n,
		      bool joined, struct place_score *ret) _must_check_;
void place_model_free(struct place_model *m);
DEFINE_CLEANUP(struct place_model *, place_model_free)

struct buf;
/** Text form; numbers are exact enough that a loaded model names the same places. */
void place_model_write(const struct place_model *m, struct buf *out);
/** -ERR_VERSION, -ERR_SYNTAX (line in *ret_line), -ERR_RANGE, -ENOMEM. */
int place_model_read(const char *text, size_t len, struct place_model **ret,
		     unsigned int *ret_line) _must_check_;
