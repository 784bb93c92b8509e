/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What agents are asked to look at beyond their daily work: tags that are carried about (walks),
 * doors, and sightings in finer steps while a fitted model places items. Part of the desired state.
 */
#pragma once

#include "common/proto.h"
#include "common/sql.h"
#include "controller/app.h"

/** Inside the write that changed a walk, a door or the model; wake the agents when it is done. */
int watch_changed(struct sql *s) _must_check_;
/** On the loop thread, after such a write. */
void watch_wake(struct app *app);
/** Adds the watch to an agent's desired state if it has changed after `after`. */
int watch_desired(struct app *app, int64_t agent_id, uint64_t after,
		  struct proto_desired *m) _must_check_;
