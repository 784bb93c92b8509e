/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the files of this room share among themselves. */
#pragma once

#include "controller/rollout/rollout.h"
#include "controller/rollout/step.h"

/** Takes a step now: after a person's word. */
void rollouts_step_now(struct rollouts *r);
/** The access points that answer, for a step. */
void rollouts_online(struct app *app, struct scan_online *ret);
/** Tells browsers how a rollout stands. */
void rollouts_publish(struct app *app, int64_t id);

void rollout_api_list(struct http_request *rq, struct app *app);
void rollout_api_get(struct http_request *rq, struct app *app);
void rollout_api_labels(struct http_request *rq, struct app *app);
void rollout_api_create(struct http_request *rq, struct app *app);
void rollout_api_preview(struct http_request *rq, struct app *app);
void rollout_api_pause(struct http_request *rq, struct app *app);
void rollout_api_resume(struct http_request *rq, struct app *app);
void rollout_api_cancel(struct http_request *rq, struct app *app);
void rollout_api_rollback(struct http_request *rq, struct app *app);

/** The id in the path; replies 404 and returns false if it is none. */
bool rollout_api_id(struct http_request *rq, int64_t *ret);
