/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Reading what a label measures, for who asks (sensor.c).
 */
#pragma once

#include "esl-radio/label.h"
#include "esl-radio/packer.h"

struct esl_engine;

/** What it measures, as it said on a visit. */
void esl_sensors_learn(struct esl_engine *e, struct esl_label *l, const struct esl_link_result *r);
/** A wish came, or came again: the sensors of a bit each, until that instant (UTC); 0 = none. */
void esl_sensors_want(struct esl_engine *e, struct esl_label *l, uint8_t sensors,
		      int64_t until_utc_us);
/** esl_engine_set_sensor_period(). */
void esl_sensors_period(struct esl_engine *e, int64_t period_s);
/** Begins what the clock asks for, gives up what is over. */
void esl_sensors_due(struct esl_engine *e, struct esl_label *l);
int64_t esl_sensors_wake(const struct esl_engine *e, const struct esl_label *l);
bool esl_sensor_plan(const struct esl_engine *e, const struct esl_label *l, struct esl_cmd *ret);
/** False if it was asked often enough. */
bool esl_sensor_sent(struct esl_engine *e, struct esl_label *l, const struct esl_cmd *c);
void esl_sensor_answered(struct esl_engine *e, struct esl_label *l, const struct esl_cmd_brief *cmd,
			 const struct esl_rsp *r);
