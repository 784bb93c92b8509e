/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * From what agents say of themselves to incidents. What is wrong in a report opens one, perhaps
 * only when it lasts; what has been missing from the reports for a while closes it. What is already
 * known is written again only when its evidence changed, and not often.
 *
 * Runs on the loop thread; what is open is remembered, so that a healthy report costs nothing.
 */
#pragma once

#include "controller/fleet/fleet_internal.h"

struct fleet_incidents;

int fleet_incidents_new(struct app *app, struct fleet_incidents **ret) _must_check_;
void fleet_incidents_free(struct fleet_incidents *f);
/** A report came: a->health. */
void fleet_incidents_health(struct fleet_incidents *f, const struct agent *a);
/** Call every few seconds for each agent that is not revoked. */
void fleet_incidents_watch(struct fleet_incidents *f, const struct agent *a);
/** Nothing of this agent is open any more. */
void fleet_incidents_revoked(struct fleet_incidents *f, const struct agent *a);
