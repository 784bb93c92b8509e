/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/place_model.h"
#include "controller/inventory/place_model_internal.h"
#include "controller/inventory/place_model_play.h"
#include <errno.h>
#include <math.h>

static void count(struct place_play *play, int truth, int named)
{
	struct place_score *s = play->score;
	const struct place_model *m = play->model;
	float sure = place_track_confidence(m, &play->track);
	unsigned int tenth = MIN((unsigned int) (sure * 10.0f), 9u);

	s->reads++;
	s->right += named == truth;
	s->confusion[truth][named == PLACE_MODEL_NONE ? (int) m->n_places : named]++;
	s->sure[tenth]++;
	s->sure_right[tenth] += named == truth;
	if (named == PLACE_MODEL_NONE)
		return;
	s->moves += play->named != PLACE_MODEL_NONE && named != play->named;
	play->named = named;
	/* How the odds of the truth would have done at each trial exponent. */
	for (unsigned int i = 0; i < PLACE_MODEL_TEMPERS; i++) {
		float total = 0, g = place_temper(i);

		for (unsigned int p = 0; p < m->n_places; p++)
			total += powf(play->track.odds[p], g);
		s->log_loss[i] += (double) (logf(total) - g * logf(play->track.odds[truth]));
	}
}

void place_play_begin(struct place_play *play, struct place_score *score)
{
	*play = (struct place_play){.score = score, .named = PLACE_MODEL_NONE};
}

void place_play_part(struct place_play *play, const struct place_model *m,
		     const struct place_walk *walk, size_t from, size_t to)
{
	const struct trace *t = &walk->trace;
	int truth = place_model_place(m, walk->place);
	int64_t shift;

	if (from >= to || truth == PLACE_MODEL_NONE)
		return;
	play->model = m;
	shift = play->played ? play->end_us + PLACE_GAP_US - t->reads[from].at_us : 0;
	for (size_t i = from; i < to; i++) {
		const struct trace_read *r = &t->reads[i];

		play->end_us = r->at_us + shift;
		count(play, truth,
		      place_track_read(m, &play->track, place_read_antenna(m, t, r), r->rssi_dbm,
				       play->end_us));
	}
	play->played = true;
	play->score->parts++;
}

int place_model_score(const struct place_model *m, const struct place_walk *walks, size_t n,
		      bool joined, struct place_score *ret)
{
	struct place_play play;

	*ret = (struct place_score){.n_walks = n};
	for (size_t i = 0; i < n; i++)
		if (place_model_place(m, walks[i].place) == PLACE_MODEL_NONE)
			return -ENOENT;
	place_play_begin(&play, ret);
	for (unsigned int part = 0; joined && part < PLACE_PARTS; part++)
		for (size_t i = 0; i < n; i++)
			place_play_part(&play, m, &walks[i],
					place_part_start(walks[i].trace.n, part),
					place_part_start(walks[i].trace.n, part + 1));
	for (size_t i = 0; !joined && i < n; i++) {
		place_play_begin(&play, ret);
		place_play_part(&play, m, &walks[i], 0, walks[i].trace.n);
	}
	return 0;
}
