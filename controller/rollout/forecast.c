/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rollout/forecast.h"
#include "common/clock.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void add_point(struct forecast *f, int64_t at_us, int64_t staged)
{
	if (f->n < FORECAST_POINTS)
		f->points[f->n++] = (struct forecast_point){at_us, staged};
}

static int64_t staging_us(int64_t pictures, double rate)
{
	return (int64_t) ceil((double) pictures / rate) * US_PER_SEC;
}

/* "90 s", "12 min" or "3.5 h" */
static const char *span(int64_t us, char buf[24])
{
	int64_t s = (us + US_PER_SEC / 2) / US_PER_SEC;

	if (s < 120)
		snprintf(buf, 24, "%d s", (int) s);
	else if (s < 2 * 3600)
		snprintf(buf, 24, "%d min", (int) ((s + 30) / 60));
	else
		snprintf(buf, 24, "%.1f h", (double) s / 3600);
	return buf;
}

static void say_why(const struct forecast_facts *f, double rate, int64_t to_stage, int64_t us,
		    int64_t waves, struct forecast *ret)
{
	char stage[24], settle[24];

	if (to_stage == 0)
		snprintf(ret->why, sizeof ret->why,
			 "All pictures are on the labels; %s to settle for each of %" PRId64
			 " wave%s to come.",
			 span(f->rules.settle_us, settle), waves, waves == 1 ? "" : "s");
	else
		snprintf(ret->why, sizeof ret->why,
			 "%" PRId64 " picture%s to send at the busiest access point, %.2g a second "
			 "(%s): %s; then %s to settle for each of %" PRId64 " wave%s.",
			 to_stage, to_stage == 1 ? "" : "s", rate,
			 f->rate > 0          ? "measured"
			 : f->rate_before > 0 ? "as in the rollout before"
			 : f->rate_told > 0   ? "as the access points say"
					      : "assumed, nothing is measured yet",
			 span(us, stage), span(f->rules.settle_us, settle), waves,
			 waves == 1 ? "" : "s");
}

/* The present wave needs no staging any more once it has its instant. */
static int64_t left_to_stage(const struct forecast_facts *f, int64_t wave)
{
	return wave == f->wave && f->flip_us ? 0 : f->waves[wave - 1].to_stage;
}

void forecast_make(const struct forecast_facts *f, struct forecast *ret)
{
	double rate = f->rate > 0          ? f->rate
		      : f->rate_before > 0 ? f->rate_before
		      : f->rate_told > 0   ? f->rate_told
					   : FORECAST_RATE_GUESS;
	int64_t at = f->wave ? f->now_us : MAX(f->now_us, f->start_us), staged = 0;
	int64_t to_stage = 0, stage_us = 0, first = MAX(f->wave, 1);

	*ret = (struct forecast){.at_us = f->now_us};
	for (int64_t w = 1; w <= f->n_waves; w++)
		staged += f->waves[w - 1].staged;
	add_point(ret, at, staged);
	for (int64_t w = first; w <= f->n_waves; w++) {
		int64_t n = left_to_stage(f, w), us = staging_us(n, rate);
		bool flipped = w == f->wave && f->flip_us;

		to_stage += n;
		stage_us += us;
		staged += flipped ? 0 : f->waves[w - 1].labels - f->waves[w - 1].staged;
		add_point(ret, at + us, staged);
		if (flipped)
			at = MAX(f->now_us, f->flip_us + f->rules.settle_us);
		else
			at += us + rollout_lead_us(&f->rules, f->waves[w - 1].labels) +
			      f->rules.settle_us;
		add_point(ret, at, staged);
	}
	ret->finish_us = at;
	say_why(f, rate, to_stage, stage_us, f->n_waves - first + 1, ret);
}

int64_t forecast_staged(const struct forecast *f, int64_t at_us)
{
	if (f->n == 0)
		return 0;
	if (at_us <= f->points[0].at_us)
		return f->points[0].staged;
	for (size_t i = 1; i < f->n; i++) {
		const struct forecast_point *a = &f->points[i - 1], *b = &f->points[i];

		if (at_us >= b->at_us)
			continue;
		return a->staged +
		       (int64_t) ((double) (b->staged - a->staged) * (double) (at_us - a->at_us) /
				  (double) (b->at_us - a->at_us));
	}
	return f->points[f->n - 1].staged;
}

char *forecast_pack(const struct forecast *f)
{
	json_t *points = json_array(), *o;
	char *text;

	for (size_t i = 0; i < f->n; i++)
		json_array_append_new(points, json_pack("[I,I]", (json_int_t) f->points[i].at_us,
							(json_int_t) f->points[i].staged));
	o = json_pack("{s:I,s:I,s:s,s:o}", "at", (json_int_t) f->at_us, "finish",
		      (json_int_t) f->finish_us, "why", f->why, "points", points);
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	return text;
}

bool forecast_unpack(const char *text, struct forecast *ret)
{
	json_t *o = text && *text ? json_loads(text, 0, NULL) : NULL, *points, *p;
	json_int_t at, finish, p_at, p_staged;
	const char *why;
	size_t i;

	*ret = (struct forecast){0};
	if (!o || json_unpack(o, "{s:I,s:I,s:s,s:o}", "at", &at, "finish", &finish, "why", &why,
			      "points", &points) < 0) {
		json_decref(o);
		return false;
	}
	ret->at_us = at;
	ret->finish_us = finish;
	snprintf(ret->why, sizeof ret->why, "%s", why);
	json_array_foreach(points, i, p)
	{
		if (json_unpack(p, "[I,I]", &p_at, &p_staged) == 0)
			add_point(ret, p_at, p_staged);
	}
	json_decref(o);
	return true;
}

json_t *forecast_json(const struct forecast *f)
{
	char at[CLOCK_RFC3339_MAX], finish[CLOCK_RFC3339_MAX];

	return json_pack("{s:s,s:s,s:s}", "at", clock_rfc3339(f->at_us, at), "finish",
			 clock_rfc3339(f->finish_us, finish), "why", f->why);
}
