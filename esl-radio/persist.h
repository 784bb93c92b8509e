/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What must survive a restart, as versioned blobs (persist.c), and such blobs of another machine,
 * whose labels are ours now (takeover.c).
 */
#pragma once

#include "esl-radio/label.h"

struct esl_engine;

/* A save that fails where the result is ignored costs a repetition after a restart, never a wrong
 * price. */
int esl_save_train(struct esl_engine *e);
int esl_save_label(struct esl_engine *e, const struct esl_label *l);
int esl_forget_saved(struct esl_engine *e, const struct esl_label *l);
int esl_restore_train(struct esl_engine *e, const void *data, size_t len) _must_check_;
int esl_restore_label(struct esl_engine *e, const char *key, const void *data,
		      size_t len) _must_check_;

/** esl_engine_take_over(), esl_engine_knows(). */
int esl_take_over(struct esl_engine *e, const char *key, const void *data, size_t len) _must_check_;
bool esl_knows(const struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES]);
