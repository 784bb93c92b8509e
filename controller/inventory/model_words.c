/* SPDX-License-Identifier: Apache-2.0 */
/* How well a model will do, for whoever has to decide whether to use it. */
#include "controller/inventory/model.h"
#include <stdio.h>

#define GOOD 0.85
#define FAIR 0.60

static double share(double part, double all)
{
	return all > 0 ? part / all : 0;
}

static unsigned int looks_of(const struct place_live *m, const struct place_live_score *s,
			     unsigned int place)
{
	unsigned int n = 0;

	for (unsigned int k = 0; k < m->n_places; k++)
		n += s->confusion[place][k];
	return n;
}

/* The place it is most often taken for. */
static unsigned int rival_of(const struct place_live *m, const struct place_live_score *s,
			     unsigned int place)
{
	unsigned int best = place == 0 ? 1 : 0;

	for (unsigned int k = 0; k < m->n_places; k++)
		if (k != place && s->confusion[place][k] > s->confusion[place][best])
			best = k;
	return best;
}

static json_t *places_json(const struct place_live *m, const struct place_live_score *s)
{
	json_t *list = json_array();

	for (unsigned int p = 0; p < m->n_places; p++) {
		unsigned int n = looks_of(m, s, p), rival = rival_of(m, s, p);
		double right = share(s->confusion[p][p], n);
		json_t *row = json_array(), *taken = json_null();

		for (unsigned int k = 0; k < m->n_places; k++)
			json_array_append_new(row, json_real(share(s->confusion[p][k], n)));
		if (s->confusion[p][rival])
			taken = json_pack("{s:I,s:f}", "place_id", (json_int_t) m->places[rival],
					  "share", share(s->confusion[p][rival], n));
		json_array_append_new(list, json_pack("{s:I,s:f,s:s,s:o,s:o}", "place_id",
						      (json_int_t) m->places[p], "accuracy", right,
						      "verdict",
						      right >= GOOD   ? "good"
						      : right >= FAIR ? "fair"
								      : "poor",
						      "taken_for", taken, "named", row));
	}
	return list;
}

static json_t *confidence_json(const struct place_live_score *s)
{
	json_t *list = json_array();

	for (unsigned int t = 0; t < 10; t++)
		if (s->sure[t])
			json_array_append_new(list, json_pack("{s:f,s:f,s:i,s:f}", "from", t / 10.0,
							      "to", (t + 1) / 10.0, "looks",
							      (int) s->sure[t], "right",
							      share(s->sure_right[t], s->sure[t])));
	return list;
}

static json_t *walks_json(const struct model_walks *w)
{
	json_t *list = json_array();

	for (size_t i = 0; i < w->n; i++)
		json_array_append_new(list, json_integer(w->ids[i]));
	return list;
}

static json_t *antennas_json(const struct place_live *m)
{
	json_t *list = json_array();

	for (unsigned int a = 0; a < m->n_antennas; a++)
		json_array_append_new(list, json_pack("{s:I,s:s,s:i}", "agent_id",
						      (json_int_t) m->antennas[a].agent, "reader",
						      m->antennas[a].reader, "antenna",
						      (int) m->antennas[a].number));
	return list;
}

json_t *model_outlook(const struct place_live *m, const struct place_live_score *s,
		      const struct model_walks *walks)
{
	double all = (double) s->looks;
	char words[320];

	snprintf(words, sizeof(words),
		 "Judged on quarters of the walks that it was not shown, played as one tag's life: "
		 "%.0f of 100 looks named the right place; %zu moves were claimed where %zu were "
		 "made. A tag that stays where it is does better, another day a little worse.",
		 100 * share((double) s->right, all), s->moves, s->real_moves);
	return json_pack("{s:f,s:I,s:I,s:f,s:s,s:o,s:o,s:o,s:o}", "accuracy",
			 share((double) s->right, all), "moves", (json_int_t) s->moves,
			 "real_moves", (json_int_t) s->real_moves, "seconds",
			 all * (double) PLACE_LIVE_TICK_US / 1e6, "words", words, "places",
			 places_json(m, s), "confidence", confidence_json(s), "walks",
			 walks_json(walks), "antennas", antennas_json(m));
}
