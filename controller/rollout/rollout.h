/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Rollouts: price changes that go out in waves of whole products, a small one first. Each wave's
 * pictures are put onto the labels unseen (held.h), its prices get one instant in one write when
 * enough of them are there, and the next wave waits until the labels have said what they show. Too
 * many failures halt it; the old pictures stay on the labels until the rollout is closed, so that
 * going back is one more flip.
 *
 *     api*.c draft*.c     what people ask for, checked; preview
 *     rollout.c           the driver: when to look, on the loop thread
 *     step.c              one step of all rollouts, one write
 *     scan.c label_step.c what each label has come to
 *     machine.c           what to do next (pure); forecast.c plan.c likewise
 *     change.c            what is done to ledger, products and labels
 *     held.c              what shop/wanted_draw.c asks: the picture to keep
 *
 * Nothing is kept in memory that a restart would need.
 */
#pragma once

#include "controller/app.h"
#include "controller/http/http.h"

struct rollouts;

/** Needs app->loop, clock, db, shop; events may be NULL. Registers app_on_labels_reported(). */
int rollouts_new(struct app *app, struct rollouts **ret) _must_check_;
/** Finishes what is under way. NULL-safe. */
void rollouts_free(struct rollouts *r);

extern const struct http_route rollout_routes[];
