/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/place_gauss.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define RIDGE 1e-3 /* what is left where a feature never moved */

int place_sums_alloc(struct place_sums *s, unsigned int dims)
{
	s->n = 0;
	s->sum = calloc(dims, sizeof(double));
	s->outer = calloc((size_t) dims * dims, sizeof(double));
	return s->sum && s->outer ? 0 : -ENOMEM;
}

void place_sums_done(struct place_sums *s)
{
	free(s->sum);
	free(s->outer);
	*s = (struct place_sums){0};
}

void place_sums_add(struct place_sums *s, const float *x, unsigned int dims, double weight)
{
	s->n += weight;
	for (unsigned int i = 0; i < dims; i++) {
		s->sum[i] += weight * (double) x[i];
		for (unsigned int j = 0; j <= i; j++)
			s->outer[i * dims + j] += weight * (double) x[i] * (double) x[j];
	}
}

int place_gauss_alloc(struct place_gauss *g, unsigned int places, unsigned int dims)
{
	g->dims = dims;
	g->mean = calloc((size_t) places * dims, sizeof(float));
	g->whiten = calloc((size_t) places * dims * dims, sizeof(float));
	g->log_det = calloc(places, sizeof(float));
	return g->mean && g->whiten && g->log_det ? 0 : -ENOMEM;
}

void place_gauss_done(struct place_gauss *g)
{
	free(g->mean);
	free(g->whiten);
	free(g->log_det);
	*g = (struct place_gauss){0};
}

/* Covariance of one place in `ret` (d x d, lower triangle). */
static void covariance(const struct place_sums *s, unsigned int d, double *ret)
{
	for (unsigned int i = 0; i < d; i++)
		for (unsigned int j = 0; j <= i; j++)
			ret[i * d + j] =
				s->outer[i * d + j] / s->n - s->sum[i] / s->n * (s->sum[j] / s->n);
}

/* Turns a covariance into the whitening matrix (the inverse of its Cholesky factor) and the
 * logarithm of its determinant. The ridge keeps it positive. */
static float whiten(double *c, unsigned int d, float *ret)
{
	double log_det = 0;

	for (unsigned int j = 0; j < d; j++) {
		double diag = c[j * d + j];

		for (unsigned int k = 0; k < j; k++)
			diag -= c[j * d + k] * c[j * d + k];
		diag = sqrt(fmax(diag, RIDGE / 10));
		c[j * d + j] = diag;
		log_det += 2 * log(diag);
		for (unsigned int i = j + 1; i < d; i++) {
			double v = c[i * d + j];

			for (unsigned int k = 0; k < j; k++)
				v -= c[i * d + k] * c[j * d + k];
			c[i * d + j] = v / diag;
		}
	}
	for (unsigned int j = 0; j < d; j++) {
		for (unsigned int i = j; i < d; i++) {
			double v = i == j;

			for (unsigned int k = j; k < i; k++)
				v -= c[i * d + k] * (double) ret[k * d + j];
			ret[i * d + j] = (float) (v / c[i * d + i]);
		}
	}
	return (float) log_det;
}

int place_gauss_fit(struct place_gauss *g, const struct place_sums *sums, unsigned int places,
		    const struct place_gauss_taste *taste)
{
	unsigned int d = g->dims;
	_cleanup_free_ double *common = calloc((size_t) d * d, sizeof(double));
	_cleanup_free_ double *own = calloc((size_t) d * d, sizeof(double));

	if (!common || !own)
		return -ENOMEM;
	for (unsigned int p = 0; p < places; p++) {
		covariance(&sums[p], d, own);
		for (unsigned int i = 0; i < d * d; i++)
			common[i] += own[i] / (double) places;
	}
	for (unsigned int p = 0; p < places; p++) {
		covariance(&sums[p], d, own);
		for (unsigned int i = 0; i < d; i++) {
			for (unsigned int j = 0; j <= i; j++)
				own[i * d + j] = (1 - taste->common) * own[i * d + j] +
						 taste->common * common[i * d + j];
			own[i * d + i] += taste->widen * taste->widen + RIDGE;
			g->mean[p * d + i] = (float) (sums[p].sum[i] / sums[p].n);
		}
		g->log_det[p] = whiten(own, d, g->whiten + (size_t) p * d * d);
	}
	return 0;
}

void place_gauss_say(const struct place_gauss *g, unsigned int places, const float *x, float *ret)
{
	unsigned int d = g->dims;

	for (unsigned int p = 0; p < places; p++) {
		const float *mean = g->mean + (size_t) p * d;
		const float *w = g->whiten + (size_t) p * d * d;
		float far = g->log_det[p];

		for (unsigned int i = 0; i < d; i++) {
			float z = 0;

			for (unsigned int j = 0; j <= i; j++)
				z += w[i * d + j] * (x[j] - mean[j]);
			far += z * z;
		}
		ret[p] = -0.5f * far;
	}
}

void place_gauss_add(const float *said, unsigned int places, float worst, float *sum)
{
	float best = -INFINITY, total = 0;

	for (unsigned int p = 0; p < places; p++)
		best = fmaxf(best, said[p]);
	for (unsigned int p = 0; p < places; p++)
		total += expf(said[p] - best);
	for (unsigned int p = 0; p < places; p++)
		sum[p] += fmaxf(said[p] - best - logf(total), worst);
}
