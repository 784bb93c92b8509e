/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of a label's sensors, asked for in the train. What a sensor measures is said by its Sensor
 * Information; here it is a number and some bytes. A read waits for room that no price and no light
 * needs, and is given up after a while rather than asked for ever.
 */
#include "esl-radio/engine.h"

#include "common/err.h"
#include <errno.h>
#include <stdio.h>

#define TRIES_MAX 10

static uint8_t lowest(uint8_t asked)
{
	uint8_t i = 0;

	while (!(asked & 1u << i))
		i++;
	return i;
}

static void settle(struct esl_label *l, uint8_t sensor)
{
	l->sensors_asked &= (uint8_t) ~(1u << sensor);
	l->sensor_tries = 0;
}

int esl_sensor_want(struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES], uint8_t sensor)
{
	struct esl_label *l = esl_label_find(e, addr);

	if (sensor >= ESL_SENSORS_MAX)
		return -ERR_RANGE;
	if (!l || l->forgetting)
		return -ENOENT;
	if (!l->sensors_asked)
		l->sensor_tries = 0;
	l->sensors_asked |= (uint8_t) (1u << sensor);
	esl_reconsider(e, l);
	return 0;
}

bool esl_sensor_plan(const struct esl_label *l, struct esl_cmd *ret)
{
	if (!l->sensors_asked)
		return false;
	*ret = (struct esl_cmd){
		.op = ESL_OP_READ_SENSOR, .esl_id = l->id, .index = lowest(l->sensors_asked)};
	return true;
}

bool esl_sensor_sent(struct esl_engine *e, struct esl_label *l, const struct esl_cmd *c)
{
	if (l->sensor_tries++ < TRIES_MAX)
		return true;
	settle(l, c->index);
	esl_report_sensor(e, l, c->index, NULL, 0, "The label did not answer.");
	esl_reconsider(e, l);
	return false;
}

void esl_sensor_answered(struct esl_engine *e, struct esl_label *l, const struct esl_cmd_brief *cmd,
			 const struct esl_rsp *r)
{
	char text[ESL_TEXT_MAX];

	if (cmd->image >= ESL_SENSORS_MAX || !(l->sensors_asked & 1u << cmd->image) ||
	    (r->tag == ESL_RSP_ERROR && r->error == ESL_ERR_RETRY))
		return;
	settle(l, cmd->image);
	if (r->tag == ESL_RSP_ERROR) {
		(void) snprintf(text, sizeof(text), "The label gives no value: it says \"%s\".",
				esl_error_name(r->error));
		esl_report_sensor(e, l, cmd->image, NULL, 0, text);
	} else {
		esl_report_sensor(e, l, cmd->image, r->raw, r->raw_len, NULL);
	}
}
