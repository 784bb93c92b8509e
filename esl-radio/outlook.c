/* SPDX-License-Identifier: Apache-2.0 */
/* The forecast of forecast.c for the labels there are, with what is known of each. */
#include "esl-radio/engine.h"
#include "esl-radio/forecast.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t picture_bytes(const struct esl_label *l)
{
	return (uint32_t) ((l->width + 7u) / 8u * l->height * image_planes(l->display_type));
}

int esl_outlook(const struct esl_engine *e, struct esl_outlook *ret)
{
	struct esl_forecast_label *labels = calloc(MAX(e->n_labels, 1u), sizeof(*labels));
	struct esl_forecast_facts facts = {
		.train = e->train, .links = e->max_links, .labels = labels};
	const struct esl_label *l;
	struct esl_forecast forecast;

	if (!labels)
		return -ENOMEM;
	ESL_LABELS_FOREACH(e, i, l)
	{
		if (!l->configured || !l->has_address || l->forgetting)
			continue;
		if (l->phase != ESL_PHASE_SYNCED) {
			facts.others++; /* nobody can say when it comes back */
			continue;
		}
		labels[facts.n++] = (struct esl_forecast_label){
			.group = l->group,
			.bytes = picture_bytes(l),
			.loss = esl_forecast_loss(l->unanswered / 65536.0)};
	}
	esl_forecast_make(&facts, &forecast);
	free(labels);
	*ret = (struct esl_outlook){
		.labels = (uint32_t) facts.n,
		.picture_ms = (uint32_t) (forecast.picture_us / US_PER_MS),
		.stage_s = (uint32_t) (forecast.stage_us / US_PER_SEC),
		.flip_s = (uint32_t) ((forecast.flip_us + US_PER_SEC - 1) / US_PER_SEC)};
	(void) snprintf(ret->why, sizeof(ret->why), "%s", forecast.why);
	return 0;
}
