/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of a visit, shared by visit.c and visit_images.c only. */
#pragma once

#include "esl-radio/engine.h"
#include "esl-radio/visit.h"

/* visit.c */
/** Something was asked for over the link with that outcome; a refusal ends the visit. The
 * completion comes to visit_step_done(), whatever happens. */
void visit_began(struct esl_visit *v, enum esl_visit_step step, int r);
/** Does what comes next. */
void visit_advance(struct esl_visit *v);
/** The visit failed: tried again at once a few times, then ever more rarely. */
void visit_fail(struct esl_visit *v, int err, const char *text);
/** Completion of every request. */
void visit_step_done(void *user, int err, const struct esl_link_result *res);

/* visit_images.c */
/** Starts what the next image needs. False if there is nothing more to upload now. */
bool visit_next_upload(struct esl_visit *v);
void visit_image_written(struct esl_visit *v);
/** Has the label take back whatever timed change it holds; the next step is its answer. */
void visit_clear_pending(struct esl_visit *v, uint8_t slot);
/** The control point answered the delete. */
void visit_pending_cleared(struct esl_visit *v, const struct esl_link_result *res);
