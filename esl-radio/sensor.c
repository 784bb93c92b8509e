/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of a label's sensors, asked for in the train: by somebody, who waits for them until an
 * instant, or by the clock, once in a period. What a sensor measures is said by its Sensor
 * Information; here it is a number and some bytes. A read waits for room that no price and no light
 * needs, and is given up after a while rather than asked for ever.
 */
#include "esl-radio/sensor.h"
#include "esl-radio/engine.h"
#include "esl-radio/packer.h"
#include "esl-radio/report.h"
#include "esl-radio/timebase.h"
#include "esl-radio/wake.h"

#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TRIES_MAX     10
#define LONGEST_PAUSE 32 /* s */

static uint8_t lowest(uint8_t asked)
{
	uint8_t i = 0;

	while (!(asked & 1u << i))
		i++;
	return i;
}

static uint8_t all_of(const struct esl_label *l)
{
	return (uint8_t) ((1u << MIN(l->n_sensors, ESL_SENSORS_MAX)) - 1);
}

static void settle(struct esl_label *l, uint8_t sensor)
{
	l->sensors_asked &= (uint8_t) ~(1u << sensor);
	l->sensors_told &= (uint8_t) ~(1u << sensor);
	l->sensor_tries = 0;
	l->sensor_again_s = 0;
}

/** No value: whoever waits is told; what only the clock asked for comes at its next turn. */
static void give_up(struct esl_engine *e, struct esl_label *l, uint8_t sensor, const char *text)
{
	bool told = l->sensors_told & 1u << sensor;

	settle(l, sensor);
	if (told)
		esl_report_sensor(e, l, sensor, NULL, 0, l->sensors_until_us, text);
}

/* --- what it measures ------------------------------------------------------------------------- */

/** Labels do not all answer at once after a restart of the access point. */
static int64_t spread(const struct esl_label *l, int64_t period_us)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < sizeof(l->addr); i++)
		h = (h ^ l->addr[i]) * 16777619u;
	return (int64_t) ((double) h / UINT32_MAX * (double) period_us);
}

void esl_sensors_learn(struct esl_engine *e, struct esl_label *l, const struct esl_link_result *r)
{
	l->n_sensors = (uint8_t) MIN(r->n_sensors, ESL_SENSORS_MAX);
	l->battery_sensor = l->temperature_sensor = ESL_NO_SENSOR;
	for (int8_t i = 0; i < l->n_sensors; i++) {
		const struct sensor_id *id = &r->sensors[i].id;

		if (!id->vendor && id->number == SENSOR_PROPERTY_VOLTAGE)
			l->battery_sensor = i;
		else if (!id->vendor && id->number == SENSOR_PROPERTY_TEMPERATURE)
			l->temperature_sensor = i;
	}
	l->sensors_asked &= all_of(l);
	l->sensors_told &= all_of(l);
	l->sensor_due_s =
		esl_seconds(esl_now(e) + e->sensor_period_us); /* it has just been asked */
}

/** Every later report carries it. */
static void understand(struct esl_label *l, uint8_t sensor, const uint8_t *data, size_t len)
{
	int32_t value;

	if (len != 2)
		return;
	value = data[0] | data[1] << 8;
	if ((int8_t) sensor == l->battery_sensor)
		l->battery_mv = sensor_millivolts((uint16_t) value);
	else if ((int8_t) sensor == l->temperature_sensor)
		l->temperature_cc = (int16_t) value;
}

/* --- asking ----------------------------------------------------------------------------------- */

void esl_sensors_want(struct esl_engine *e, struct esl_label *l, uint8_t sensors,
		      int64_t until_utc_us)
{
	if (until_utc_us == l->sensors_until_us)
		return;
	l->sensors_asked &= (uint8_t) ~l->sensors_told;
	l->sensors_told = 0;
	l->sensors_until_us = until_utc_us;
	if (until_utc_us && !(e->time.utc_known && esl_utc(e) >= until_utc_us)) {
		l->sensors_told = sensors;
		l->sensors_asked |= sensors;
		l->sensor_tries = 0;
		l->sensor_again_s = 0;
	}
	esl_reconsider(e, l);
}

void esl_sensors_period(struct esl_engine *e, int64_t period_s)
{
	int64_t period_us = MAX(period_s, 0) * US_PER_SEC;
	struct esl_label *l;

	if (period_us == e->sensor_period_us)
		return;
	e->sensor_period_us = period_us;
	ESL_LABELS_FOREACH(e, i, l)
	l->sensor_due_s = esl_seconds(esl_now(e) + spread(l, period_us));
	esl_reconsider_all(e);
}

static bool listens(const struct esl_label *l)
{
	return l->configured && l->wanted && !l->forgetting && l->phase == ESL_PHASE_SYNCED;
}

void esl_sensors_due(struct esl_engine *e, struct esl_label *l)
{
	if (l->sensors_told && e->time.utc_known && esl_utc(e) >= l->sensors_until_us)
		while (l->sensors_told)
			give_up(e, l, lowest(l->sensors_told),
				"The label could not be reached in time.");
	if (!e->sensor_period_us || !l->n_sensors || esl_now(e) < l->sensor_due_s * US_PER_SEC ||
	    !listens(l))
		return;
	l->sensors_asked |= all_of(l);
	l->sensor_due_s = esl_seconds(esl_now(e) + e->sensor_period_us);
}

int64_t esl_sensors_wake(const struct esl_engine *e, const struct esl_label *l)
{
	int64_t now_us = esl_now(e), wake_us = ESL_NEVER;

	if (l->sensors_told && e->time.utc_known)
		wake_us = esl_mono_of_utc(e, l->sensors_until_us);
	if (l->sensors_asked && l->sensor_again_s * US_PER_SEC > now_us)
		wake_us = MIN(wake_us, l->sensor_again_s * US_PER_SEC);
	if (e->sensor_period_us && l->n_sensors && l->sensor_due_s * US_PER_SEC > now_us)
		wake_us = MIN(wake_us, l->sensor_due_s * US_PER_SEC);
	return wake_us;
}

bool esl_sensor_plan(const struct esl_engine *e, const struct esl_label *l, struct esl_cmd *ret)
{
	if (!l->sensors_asked || esl_now(e) < l->sensor_again_s * US_PER_SEC)
		return false;
	*ret = (struct esl_cmd){
		.op = ESL_OP_READ_SENSOR, .esl_id = l->id, .index = lowest(l->sensors_asked)};
	return true;
}

bool esl_sensor_sent(struct esl_engine *e, struct esl_label *l, const struct esl_cmd *c)
{
	if (l->sensor_tries++ < TRIES_MAX)
		return true;
	give_up(e, l, c->index, "The label did not answer.");
	esl_reconsider(e, l);
	return false;
}

static void refused(struct esl_engine *e, struct esl_label *l, uint8_t sensor, uint8_t code)
{
	char text[ESL_TEXT_MAX];

	switch (esl_reaction_to(ESL_KIND_SENSOR, code)) {
	case ESL_REACT_AGAIN:
		return; /* the tries are counted */
	case ESL_REACT_LATER:
		l->sensor_again_s = esl_seconds(esl_now(e)) +
				    (uint32_t) MIN(1 << MIN(l->sensor_tries, 8), LONGEST_PAUSE);
		if (l->sensor_tries < TRIES_MAX)
			return;
		break;
	default:
		break;
	}
	if (code == ESL_ERR_BATTERY)
		(void) snprintf(text, sizeof(text),
				"The label's battery is too low to measure anything.");
	else
		(void) snprintf(text, sizeof(text), "The label gives no value: it says \"%s\".",
				esl_error_name(code));
	give_up(e, l, sensor, text);
}

void esl_sensor_answered(struct esl_engine *e, struct esl_label *l, const struct esl_cmd_brief *cmd,
			 const struct esl_rsp *r)
{
	int64_t until_us;

	if (cmd->image >= ESL_SENSORS_MAX || !(l->sensors_asked & 1u << cmd->image))
		return;
	if (r->tag == ESL_RSP_ERROR) {
		refused(e, l, cmd->image, r->error);
		return;
	}
	until_us = l->sensors_told & 1u << cmd->image ? l->sensors_until_us : 0;
	understand(l, cmd->image, r->raw, r->raw_len);
	settle(l, cmd->image);
	esl_report_sensor(e, l, cmd->image, r->raw, r->raw_len, until_us, NULL);
}
