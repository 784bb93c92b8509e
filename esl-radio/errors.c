/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows when a label refuses a command: one table, so that no code of the standard, and none
 * of a maker's own, is left without an answer. What each reaction does is in answers.c (what is
 * shown), flash.c, sensor.c and visit.c. None of them waits without an end: a picture is tried ever
 * more rarely but never given up, a light until its own end, a sensor a few times.
 */
#include "esl-radio/errors.h"

#include "esl-radio/esl_wire.h"

#define LAST_CODE ESL_ERR_IMPLAUSIBLE_TIME

/* Of the codes that stand not below, and of those that no standard names. */
static const uint8_t usual[ESL_KIND_COUNT] = {
	[ESL_KIND_SHOW] = ESL_REACT_LATER,
	[ESL_KIND_TIMED] = ESL_REACT_LATER,
	[ESL_KIND_TAKE_BACK] = ESL_REACT_LATER,
	[ESL_KIND_LED] = ESL_REACT_GIVE_UP,
	[ESL_KIND_SENSOR] = ESL_REACT_GIVE_UP,
	/* Who refuses to say how it is has at least said that it is there. */
	[ESL_KIND_UPKEEP] = ESL_REACT_GIVE_UP,
	/* Left alone it drops its bond by itself. */
	[ESL_KIND_LEAVE] = ESL_REACT_GIVE_UP,
};

static const uint8_t special[ESL_KIND_COUNT][LAST_CODE + 1] = {
	[ESL_KIND_SHOW] =
		{
			[ESL_ERR_INVALID_IMAGE_INDEX] = ESL_REACT_RELEARN,
			[ESL_ERR_IMAGE_NOT_AVAILABLE] = ESL_REACT_RESTAGE,
			[ESL_ERR_INVALID_PARAMETER] = ESL_REACT_RELEARN,
			[ESL_ERR_BATTERY] = ESL_REACT_BATTERY,
			[ESL_ERR_RETRY] = ESL_REACT_AGAIN,
		},
	[ESL_KIND_TIMED] =
		{
			[ESL_ERR_INVALID_OPCODE] = ESL_REACT_BY_HAND,
			[ESL_ERR_INVALID_IMAGE_INDEX] = ESL_REACT_RELEARN,
			[ESL_ERR_IMAGE_NOT_AVAILABLE] = ESL_REACT_RESTAGE,
			[ESL_ERR_INVALID_PARAMETER] = ESL_REACT_RELEARN,
			[ESL_ERR_BATTERY] = ESL_REACT_BATTERY,
			[ESL_ERR_RETRY] = ESL_REACT_AGAIN,
			[ESL_ERR_QUEUE_FULL] = ESL_REACT_TAKE_BACK,
			[ESL_ERR_IMPLAUSIBLE_TIME] = ESL_REACT_RETIME,
		},
	[ESL_KIND_TAKE_BACK] =
		{
			/* It holds nothing, or cannot: as good as taken back. */
			[ESL_ERR_INVALID_OPCODE] = ESL_REACT_DONE,
			[ESL_ERR_INVALID_PARAMETER] = ESL_REACT_DONE,
			[ESL_ERR_BATTERY] = ESL_REACT_BATTERY,
			[ESL_ERR_RETRY] = ESL_REACT_AGAIN,
		},
	[ESL_KIND_LED] =
		{
			[ESL_ERR_UNSPECIFIED] = ESL_REACT_LATER,
			[ESL_ERR_INVALID_STATE] = ESL_REACT_LATER,
			[ESL_ERR_RESOURCES] = ESL_REACT_LATER,
			[ESL_ERR_RETRY] = ESL_REACT_AGAIN,
			[ESL_ERR_QUEUE_FULL] = ESL_REACT_LATER,
		},
	[ESL_KIND_SENSOR] =
		{
			[ESL_ERR_UNSPECIFIED] = ESL_REACT_LATER,
			[ESL_ERR_INVALID_STATE] = ESL_REACT_LATER,
			[ESL_ERR_RESOURCES] = ESL_REACT_LATER,
			[ESL_ERR_RETRY] = ESL_REACT_AGAIN,
			[ESL_ERR_QUEUE_FULL] = ESL_REACT_LATER,
		},
	[ESL_KIND_UPKEEP] =
		{
			[ESL_ERR_RETRY] = ESL_REACT_AGAIN,
		},
	[ESL_KIND_LEAVE] =
		{
			[ESL_ERR_RESOURCES] = ESL_REACT_AGAIN,
			[ESL_ERR_RETRY] = ESL_REACT_AGAIN,
		},
};

enum esl_kind esl_kind_of(uint8_t op, uint32_t abs_ms)
{
	switch (op) {
	case ESL_OP_DISPLAY_IMAGE:
	case ESL_OP_REFRESH_DISPLAY:
		return ESL_KIND_SHOW;
	case ESL_OP_DISPLAY_TIMED:
		return abs_ms ? ESL_KIND_TIMED : ESL_KIND_TAKE_BACK;
	case ESL_OP_LED_CONTROL:
	case ESL_OP_LED_TIMED:
		return ESL_KIND_LED;
	case ESL_OP_READ_SENSOR:
		return ESL_KIND_SENSOR;
	case ESL_OP_UNASSOCIATE:
		return ESL_KIND_LEAVE;
	default:
		return ESL_KIND_UPKEEP;
	}
}

enum esl_reaction esl_reaction_to(enum esl_kind kind, uint8_t code)
{
	uint8_t reaction = code <= LAST_CODE ? special[kind][code] : 0;

	return (enum esl_reaction)(reaction ? reaction : usual[kind]);
}
