/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * How long it will take to bring pictures into labels and to tell the labels when to show them, at
 * one access point, and what it is that takes so long. Pure arithmetic over what is known before:
 * the train, who is in which group, how much of what is said to each label gets lost, how large the
 * pictures are and how many connections run at once. doc/esl.md has the same formulae in words;
 * tests/sim/test_esl_forecast.c holds them against the simulated air.
 */
#pragma once

#include "esl-radio/esl.h"

struct esl_forecast_label {
	uint8_t group;
	uint32_t bytes; /**< of the picture it needs first; 0 = it holds it */
	double loss;    /**< chance that a packet is lost, each way; negative = the common one */
};

struct esl_forecast_facts {
	struct esl_train train; /**< zero fields = the default train */
	unsigned int links;     /**< connections at once; 0 = 4 */
	double loss;            /**< common chance that a packet is lost, each way */
	unsigned int others;    /**< labels that take no part, and are kept alive meanwhile */
	const struct esl_forecast_label *labels;
	size_t n;
};

/** What the time goes for. */
enum esl_forecast_limit {
	ESL_LIMIT_NOTHING,     /**< there is nothing to do */
	ESL_LIMIT_CONNECTIONS, /**< a connection's own time: its calls, its keys, its questions */
	ESL_LIMIT_AIR,         /**< the pictures' bytes */
	ESL_LIMIT_GROUP,       /**< commands to the fullest group */
};

struct esl_forecast {
	int64_t stage_us;   /**< until the last picture is on its label */
	int64_t flip_us;    /**< from then until the last label has said that it will flip */
	int64_t picture_us; /**< of stage_us, for one picture; 0 = there is none to send */
	size_t pictures;
	uint64_t bytes;
	unsigned int group;      /**< the fullest one */
	unsigned int group_size; /**< labels in it that take part */
	unsigned int events;     /**< of the train, until the last label has answered */
	unsigned int per_packet; /**< commands in a packet: the packing bound */
	double sends;            /**< commands sent for each that takes effect */
	double keep_alive;       /**< share of the packets' room that keeping labels alive takes */
	enum esl_forecast_limit limit;
	char why[ESL_TEXT_MAX + 96]; /**< sentences for a person */
};

void esl_forecast_make(const struct esl_forecast_facts *f, struct esl_forecast *ret);
/** Chance of loss each way of a label of whose commands that share stays without an answer. */
double esl_forecast_loss(double unanswered);
/** "90 s", "12 min" or "3.5 h" */
const char *esl_forecast_span(int64_t us, char to[24]);
