/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/forecast.h"

#include "common/clock.h"
#include "esl-radio/engine.h"
#include <math.h>
#include <stdio.h>

/** A connection without its picture, nothing lost: keys, attributes, the object's channel, Update
 * Complete. At intervals of 15 ms these are some seven exchanges, as its attributes are known from
 * an earlier one. */
#define SESSION_US         100000.0
/** One byte of a picture over a connection by itself, and when connections share the radio. */
#define BYTE_ALONE_US      12.0
#define BYTE_SHARED_US     10.0
/** Of the labels that wait, one whose subevent comes soon is called: an interval over this. */
#define CALLS_PER_INTERVAL 16.0
/** Calls are made one after the other, and a controller is not ready for the next at once. */
#define CALLS_MOST         17.0
/** Every label is asked for a sign of life this often. */
#define PING_US            (20.0 * 60 * 1e6)
#define TIMED_BYTES        8u
#define PING_BYTES         2u

double esl_forecast_loss(double unanswered)
{
	return unanswered <= 0 ? 0 : 1 - sqrt(1 - fmin(unanswered, 0.99));
}

const char *esl_forecast_span(int64_t us, char to[24])
{
	int64_t s = (us + US_PER_SEC / 2) / US_PER_SEC;

	if (s < 120)
		(void) snprintf(to, 24, "%d s", (int) s);
	else if (s < 2 * 3600)
		(void) snprintf(to, 24, "%d min", (int) ((s + 30) / 60));
	else
		(void) snprintf(to, 24, "%.1f h", (double) s / 3600);
	return to;
}

static double loss_of(const struct esl_forecast_facts *f, const struct esl_forecast_label *l)
{
	return fmin(fmax(l->loss < 0 ? f->loss : l->loss, 0), 0.9);
}

/** Three ways of being slow at once: near one, not that alone. */
static double together(double a, double b, double c)
{
	return cbrt(a * a * a + b * b * b + c * c * c);
}

static void forecast_staging(const struct esl_forecast_facts *f, const struct esl_train *t,
			     struct esl_forecast *ret)
{
	double interval_us = t->interval * 1250.0, alone_us = 0, air_us = 0, calls_us = 0;
	unsigned int links = f->links ? f->links : 4;

	for (size_t i = 0; i < f->n; i++) {
		const struct esl_forecast_label *l = &f->labels[i];
		double clear = pow(1 - loss_of(f, l), 2), bytes = l->bytes;

		if (l->bytes == 0)
			continue;
		ret->pictures++;
		ret->bytes += l->bytes;
		/* What is lost comes an event later, and sometimes costs the whole call. */
		alone_us +=
			(interval_us / CALLS_PER_INTERVAL + SESSION_US + bytes * BYTE_ALONE_US) /
			(clear * clear);
		calls_us += interval_us / CALLS_MOST / (clear * clear);
		air_us += bytes * BYTE_SHARED_US / (clear * clear);
	}
	if (ret->pictures == 0)
		return;
	alone_us /= links;
	ret->limit = fmax(alone_us, calls_us) > air_us ? ESL_LIMIT_CONNECTIONS : ESL_LIMIT_AIR;
	ret->stage_us = (int64_t) together(alone_us, calls_us, air_us);
	ret->picture_us = ret->stage_us / (int64_t) ret->pictures;
}

/** Train events until the last of some labels has answered, as one label more comes into account.
 */
struct group_load {
	unsigned int n;
	double sends; /**< commands that go out */
	double worst; /**< chance that one exchange fails */
};

static void forecast_flip(const struct esl_forecast_facts *f, const struct esl_train *t,
			  struct esl_forecast *ret)
{
	struct group_load load[ESL_GROUPS_MAX] = {{0}};
	unsigned int groups = 0;
	double sends = 0, events = 0, last;

	for (size_t i = 0; i < f->n; i++) {
		struct group_load *g = &load[f->labels[i].group % ESL_GROUPS_MAX];
		double loss = loss_of(f, &f->labels[i]);

		/* A command whose answer alone is lost is found out by a question in spare room. */
		g->n++;
		g->sends += 1 / (1 - loss);
		sends += 1 / (1 - loss);
		g->worst = fmax(g->worst, 1 - pow(1 - loss, 2));
	}
	for (unsigned int g = 0; g < ESL_GROUPS_MAX; g++)
		groups += load[g].n > 0;
	for (unsigned int g = 0; g < ESL_GROUPS_MAX; g++) {
		if (load[g].n == 0)
			continue;
		/* The unluckiest of those in the last packets has to be told again and again. */
		last = load[g].worst > 0 ? log(MIN(load[g].n, ret->per_packet) * (double) groups) /
						   -log(load[g].worst)
					 : 0;
		last += ceil(load[g].sends / ret->per_packet);
		if (last <= events)
			continue;
		events = last;
		ret->group = g;
		ret->group_size = load[g].n;
	}
	ret->sends = f->n ? sends / (double) f->n : 1;
	ret->events = (unsigned int) ceil(events);
	ret->flip_us = (int64_t) (events * t->interval * 1250.0);
	if (ret->limit == ESL_LIMIT_NOTHING && f->n > 0)
		ret->limit = ESL_LIMIT_GROUP;
}

static void say_why(const struct esl_train *t, struct esl_forecast *ret)
{
	char stage[24], flip[24];
	size_t n = 0;

	if (ret->pictures)
		n = (size_t) snprintf(ret->why, sizeof(ret->why),
				      "%zu pictures, %.0f ms each, limited by %s: %s. ",
				      ret->pictures, (double) ret->picture_us / 1e3,
				      ret->limit == ESL_LIMIT_AIR ? "their bytes on the air"
								  : "the connections' own time",
				      esl_forecast_span(ret->stage_us, stage));
	if (ret->group_size && n < sizeof(ret->why))
		(void) snprintf(ret->why + n, sizeof(ret->why) - n,
				"%u labels in the fullest group, %u commands to a packet, %.2f "
				"sends to a label, one packet in %.2f s: %s to tell them all.",
				ret->group_size, ret->per_packet, ret->sends,
				t->interval * 1250.0 / 1e6, esl_forecast_span(ret->flip_us, flip));
}

void esl_forecast_make(const struct esl_forecast_facts *f, struct esl_forecast *ret)
{
	struct esl_train t = f->train;
	double pings;

	esl_train_defaults(&t);
	*ret = (struct esl_forecast){
		.per_packet = MIN((unsigned int) ESL_COMMANDS_MAX / TIMED_BYTES, t.response_slots)};
	pings = ((double) f->n + f->others) * (t.interval * 1250.0) / PING_US;
	ret->keep_alive = pings * PING_BYTES / (t.subevents * (double) ESL_COMMANDS_MAX);
	forecast_staging(f, &t, ret);
	forecast_flip(f, &t, ret);
	say_why(&t, ret);
}
