/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * UTC, the clock of the loop, and the 32-bit millisecond clock of the labels (timebase.c).
 */
#pragma once

#include "esl-radio/label.h"

struct esl_engine;

struct esl_timebase {
	bool utc_known;
	int64_t utc_us; /**< UTC minus monotonic */
	int64_t uncertainty_us;
	uint8_t gen;        /**< present base, 1-255; 0 = none yet */
	bool valid[2];      /**< base[gen & 1], and the one before it */
	int64_t base_us[2]; /**< label time minus monotonic */
	/* Restored from an earlier life whose monotonic clock may have been another: */
	bool saved;
	bool saved_utc_known;
	int64_t saved_minus_utc_us[2]; /**< label time minus UTC */
	int64_t saved_real_minus_mono_us;
};

/** esl_engine_set_utc(). */
void esl_timebase_set_utc(struct esl_engine *e, int64_t offset_us, int64_t uncertainty_us);
int64_t esl_utc(const struct esl_engine *e);
/** Our clock's reading at a UTC instant. */
int64_t esl_mono_of_utc(const struct esl_engine *e, int64_t utc_us);
/** True if the label's clock is known: its time can be computed. */
bool esl_label_time_known(const struct esl_engine *e, const struct esl_label *l);
/** The label's clock at an instant of ours; never 0, which means "delete". */
uint32_t esl_label_time(const struct esl_engine *e, const struct esl_label *l, int64_t mono_us);
/** Value to write into a label's clock now, and the generation it is of. */
int esl_time_to_set(struct esl_engine *e, uint8_t *ret_gen, uint32_t *ret_ms) _must_check_;
/** True if the label's clock should be written when it is visited anyway. */
bool esl_time_is_old(const struct esl_engine *e, const struct esl_label *l);
/** When the label's clock becomes too old for the timed change ahead; ESL_NEVER if it does not. */
int64_t esl_time_fresh_by(const struct esl_engine *e, const struct esl_label *l);
/** When it must have moved to a newer base, since its count wraps. */
int64_t esl_time_must_move_by(const struct esl_engine *e, const struct esl_label *l);
/** True if setting its clock is worth a visit of its own. */
bool esl_time_must_be_set(const struct esl_engine *e, const struct esl_label *l);
/** Makes a base if there is none, a new one when the present one grows towards the wrap. True if
 * something changed that must be saved. */
bool esl_timebase_refresh(struct esl_engine *e);
