/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A connection to one label, step by step (visit.c, visit_images.c), and who gets the next one,
 * when (pump.c).
 */
#pragma once

#include "esl-radio/esl_link.h"
#include "esl-radio/label.h"

struct loop_timer;
struct esl_engine;

enum esl_visit_step {
	ESL_STEP_CONNECT,
	ESL_STEP_INFO,
	ESL_STEP_CONFIGURE,
	ESL_STEP_CLEAR_PENDING,
	ESL_STEP_SET_TIME,
	ESL_STEP_WAIT_IMAGE,
	ESL_STEP_WAIT_TRAIN,
	ESL_STEP_WRITE,
	ESL_STEP_COMPLETE,
	ESL_STEP_CLOSE,
};

struct esl_visit {
	struct esl_engine *e;
	struct esl_label *label; /**< NULL = this link is free */
	enum esl_visit_step step;
	bool by_advert;
	bool listening;  /**< one of several that wait for an advertisement */
	bool configure;  /**< address, keys and clock, still to be given */
	bool info;       /**< display information, still to be read */
	bool time;       /**< clock, still to be set */
	bool rekeyed;    /**< its keys are new: the owner is to hear of them */
	bool connected;  /**< the label is there */
	bool left;       /**< it was told to go, and went */
	bool advertises; /**< it was heard to, while it was called */
	bool broken;     /**< the connection was lost while nothing was asked */
	bool busy;       /**< a completion is outstanding */
	uint8_t slot;
	uint8_t new_gen;
	uint8_t key_gen;       /**< of the train key that is being given */
	int64_t time_asked_us; /**< when the clock's value was read that is being written */
	unsigned int writes;
	struct esl_link_result readings; /**< told when the visit is over */
	unsigned int time_tries, clear_tries;
	uint8_t hash[IMAGE_HASH_BYTES]; /**< being written */
	struct loop_timer *timer;       /**< patience while waiting for an image, or the train */
};

/** Connects; the visit must be free. `listening`: others that advertise are called meanwhile. */
void esl_visit_begin(struct esl_visit *v, struct esl_label *l, bool by_advert, bool listening);
int esl_visits_init(struct esl_engine *e) _must_check_;
void esl_visits_done(struct esl_engine *e);
/** pump.c: how much it needs a connection, whatever pictures are here. *ret_by_advert: as one that
 * advertises. May yield a queue of enum esl_visit_queue. */
unsigned int esl_visit_need(const struct esl_engine *e, const struct esl_label *l,
			    bool *ret_by_advert);
/** pump.c: uses free links for whoever needs one most; drops labels that are to be forgotten. Runs
 * from the pump timer alone, so that no label goes away under somebody's feet. */
void esl_visits_pump(struct esl_engine *e);
void esl_visit_image_here(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES]);
void esl_visit_lost(struct esl_engine *e, struct esl_label *l);
/** The label is going away: its visit ends without it. */
void esl_visits_detach(struct esl_engine *e, struct esl_label *l);

/** The label of this visit has been reached, or will not be: another may be called. */
void esl_visit_called(struct esl_visit *v);
/** More labels advertise than there are links: visits are kept short. */
bool esl_visits_hurry(const struct esl_engine *e);

/* --- pump.c: when a subevent comes ------------------------------------------------------------ */

/** The controller asked for data from subevent `start` on; an answer came in that subevent. */
void esl_beat_requested(struct esl_engine *e, uint8_t start);
void esl_beat_heard(struct esl_engine *e, uint8_t subevent);
/** How long until a call can go out in that group's subevent. */
int64_t esl_beat_wait(const struct esl_engine *e, uint8_t group);
