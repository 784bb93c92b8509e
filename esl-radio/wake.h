/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Who has something to hear or to be visited for, and when the clock changes that (wake.c).
 */
#pragma once

#include "esl-radio/label.h"

struct esl_engine;

/** Something about a label changed: its queues and its wake follow, and the pump looks for work.
 * Whoever changes what esl_plan(), esl_plan_wake() or esl_visit_need() look at calls this. */
void esl_reconsider(struct esl_engine *e, struct esl_label *l);
/** Every label, since a clock or a base changed for all of them. */
void esl_reconsider_all(struct esl_engine *e);
/** Does what the clock alone has made due. */
void esl_wakes_due(struct esl_engine *e);
/** Puts it into the queue of its group; ESL_URGENCY_NONE takes it out. Appends if that changed. */
void esl_set_ready(struct esl_engine *e, struct esl_label *l, enum esl_urgency u);
void esl_set_queue(struct esl_engine *e, struct esl_label *l, unsigned int queue);
int esl_wake_add(struct esl_engine *e, struct esl_label *l) _must_check_;
void esl_wake_remove(struct esl_engine *e, struct esl_label *l);
void esl_wakes_done(struct esl_engine *e);
