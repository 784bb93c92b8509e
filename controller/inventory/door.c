/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/door.h"
#include "common/err.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <string.h>

/* What each witness usually says, and what it is worth: logistic regression over recorded carries,
 * each judged by the weights fitted on the others. */
static const struct {
	float usual;
	float worth;
} witnesses[DOOR_WITNESSES] = {
	[DOOR_LOUD_TIME] = {0.243f, 0.53f}, [DOOR_READ_TIME] = {0.0864f, 0.57f},
	[DOOR_TREND] = {16.2f, 0.54f},      [DOOR_PHASE] = {1.505f, 0.58f},
	[DOOR_DOPPLER] = {0.214f, 0.85f},
};

#define SURE_ENOUGH   0.02f
#define LOUD_POWER    0.15f /* of ten, per dB: a weight that grows faster than power does */
#define TREND_READS   4
#define WINDOWS       4     /* the speed is judged in quarters of the passage */
#define PAIR_S        0.12f /* reads further apart may hide a turn of the phase */
#define PAIR_BACK     4
#define HALF_TURN     2048.0f /* the reader's phase is ambiguous by half a turn */
#define TURN_M        0.0819f /* a quarter wave: distance for half a turn, there and back */
#define SPEED_USUAL   0.6f    /* m/s towards an antenna */
#define SPEED_STEPS   32      /* of 0.05 m/s either way */
#define SPEED_STEP    0.05f
#define PAIR_TRUST    0.5f
#define SUREST        2.0f /* log odds that one window of one antenna may have */
#define DOPPLER_USUAL 50.0f
#define REFERENCE_DBM (-60.0f)

const char *door_direction_str(enum door_direction d)
{
	return d == DOOR_FORWARD ? "forward" : d == DOOR_BACKWARD ? "backward" : "unknown";
}

bool door_group_has(const struct door_group *g, unsigned int antenna)
{
	for (unsigned int i = 0; i < g->n; i++)
		if (g->antennas[i] == antenna)
			return true;
	return false;
}

int door_group_parse(const char *text, struct door_group *ret)
{
	*ret = (struct door_group){0};
	for (const char *s = text;; s++) {
		char *end;
		unsigned long v;

		if (!isdigit((unsigned char) *s))
			return -ERR_SYNTAX;
		v = strtoul(s, &end, 10);
		if (v > UINT16_MAX || ret->n == DOOR_MAX_ANTENNAS)
			return -ERR_RANGE;
		if (door_group_has(ret, (unsigned int) v))
			return -EEXIST;
		ret->antennas[ret->n++] = (uint16_t) v;
		s = end;
		if (!*s)
			return 0;
		if (*s != ',')
			return -ERR_SYNTAX;
	}
}

/* A passage on a time axis from 0 to 1. */
struct passage {
	const struct trace_read *reads;
	size_t n;
	const struct door_group *from, *to;
	double start_us, length_us;
};

static float side(const struct passage *p, const struct trace_read *r)
{
	if (door_group_has(p->to, r->antenna))
		return 1.0f;
	return door_group_has(p->from, r->antenna) ? -1.0f : 0.0f;
}

static float when(const struct passage *p, const struct trace_read *r)
{
	return (float) (((double) r->at_us - p->start_us) / p->length_us);
}

/* Mean time of the group ahead less that of the group behind. */
static float mean_time(const struct passage *p, float power)
{
	double sum[2] = {0}, weight[2] = {0};

	for (size_t i = 0; i < p->n; i++) {
		const struct trace_read *r = &p->reads[i];
		float s = side(p, r), level = r->rssi_dbm;

		if (s == 0.0f || (power > 0.0f && level <= TRACE_NO_RSSI))
			continue;
		double w = power > 0.0f ? pow(10, (double) ((level - REFERENCE_DBM) * power)) : 1;

		weight[s > 0.0f] += w;
		sum[s > 0.0f] += w * (double) when(p, r);
	}
	if (weight[0] <= 0 || weight[1] <= 0)
		return 0;
	return (float) (sum[1] / weight[1] - sum[0] / weight[0]);
}

/* Slope of one antenna's level over the passage, dB. */
static float slope(const struct passage *p, unsigned int antenna)
{
	double n = 0, t = 0, l = 0, tt = 0, tl = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct trace_read *r = &p->reads[i];

		if (r->antenna != antenna || r->rssi_dbm <= TRACE_NO_RSSI)
			continue;
		double u = (double) when(p, r) - 0.5, v = (double) (r->rssi_dbm - REFERENCE_DBM);

		n += 1;
		t += u;
		l += v;
		tt += u * u;
		tl += u * v;
	}
	if (n < TREND_READS || tt - t * t / n < 1e-9)
		return 0;
	return (float) ((tl - t * l / n) / (tt - t * t / n));
}

static float trend(const struct passage *p)
{
	float sum = 0;

	for (unsigned int i = 0; i < p->to->n; i++)
		sum += slope(p, p->to->antennas[i]);
	for (unsigned int i = 0; i < p->from->n; i++)
		sum -= slope(p, p->from->antennas[i]);
	return sum;
}

/* How well each speed fits the turn of the phase between the latest read and earlier ones. */
static void add_pairs(const struct trace_read *const *last, unsigned int n, float *fit)
{
	const struct trace_read *r = last[n - 1];

	for (unsigned int i = 0; i + 1 < n; i++) {
		float dt = (float) (r->at_us - last[i]->at_us) / 1e6f;
		float turns = (float) (r->phase - last[i]->phase) / HALF_TURN;

		if (r->channel != last[i]->channel || dt <= 0.0f || dt >= PAIR_S)
			continue;
		for (int k = -SPEED_STEPS; k <= SPEED_STEPS; k++) {
			float v = (float) k * SPEED_STEP;

			fit[k + SPEED_STEPS] +=
				PAIR_TRUST * cosf(2.0f * (float) M_PI * (turns - v * dt / TURN_M));
		}
	}
}

/* Log odds that one antenna is approached in one window. */
static float approached(const struct passage *p, unsigned int antenna, unsigned int window)
{
	const struct trace_read *last[PAIR_BACK + 1];
	float fit[2 * SPEED_STEPS + 1], ahead = 0, back = 0;
	unsigned int n = 0;

	for (int k = -SPEED_STEPS; k <= SPEED_STEPS; k++) {
		float v = (float) k * SPEED_STEP / SPEED_USUAL;

		fit[k + SPEED_STEPS] = -0.5f * v * v;
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct trace_read *r = &p->reads[i];
		unsigned int w = MIN((unsigned int) (when(p, r) * WINDOWS), WINDOWS - 1u);

		if (r->antenna != antenna || w != window)
			continue;
		if (n == PAIR_BACK + 1) {
			memmove(last, last + 1, PAIR_BACK * sizeof(last[0]));
			n--;
		}
		last[n++] = r;
		if (r->phase >= 0 && r->channel >= 0)
			add_pairs(last, n, fit);
	}
	for (unsigned int k = 1; k <= SPEED_STEPS; k++) {
		ahead += expf(fit[SPEED_STEPS + k] - fit[SPEED_STEPS]);
		back += expf(fit[SPEED_STEPS - k] - fit[SPEED_STEPS]);
	}
	/* Pairs are not as independent as they are many: a busy reader would drown all else. */
	return fmaxf(-SUREST, fminf(SUREST, logf(fmaxf(ahead, 1e-30f) / fmaxf(back, 1e-30f))));
}

static float phase(const struct passage *p)
{
	float sum = 0;

	for (unsigned int w = 0; w < WINDOWS; w++) {
		for (unsigned int i = 0; i < p->to->n; i++)
			sum += approached(p, p->to->antennas[i], w);
		for (unsigned int i = 0; i < p->from->n; i++)
			sum -= approached(p, p->from->antennas[i], w);
	}
	return sum;
}

/* The estimate has long tails, and strong reads are better ones. */
static float doppler(const struct passage *p)
{
	double sum = 0, weight = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct trace_read *r = &p->reads[i];
		float s = side(p, r);

		if (s == 0.0f || r->doppler <= TRACE_NO_DOPPLER)
			continue;
		double d = (double) (r->doppler / DOPPLER_USUAL), w = 1;

		if (r->rssi_dbm > TRACE_NO_RSSI)
			w = pow(10, (double) ((r->rssi_dbm - REFERENCE_DBM) / 40.0f));
		sum += (double) s * w * d / (1 + d * d);
		weight += w * w;
	}
	return weight > 0 ? (float) (sum / sqrt(weight)) : 0;
}

void door_judge(const struct trace_read *reads, size_t n, const struct door_group *from,
		const struct door_group *to, struct door_verdict *ret)
{
	struct passage p = {.reads = reads, .n = n, .from = from, .to = to};
	size_t heard[2] = {0};

	*ret = (struct door_verdict){.confidence = 0.5f};
	for (size_t i = 0; i < n; i++) {
		float s = side(&p, &reads[i]);

		if (s != 0.0f)
			heard[s > 0.0f]++;
	}
	if (heard[0] < DOOR_MIN_READS || heard[1] < DOOR_MIN_READS ||
	    reads[n - 1].at_us <= reads[0].at_us)
		return;
	p.start_us = (double) reads[0].at_us;
	p.length_us = (double) (reads[n - 1].at_us - reads[0].at_us);
	ret->witness[DOOR_LOUD_TIME] = mean_time(&p, LOUD_POWER);
	ret->witness[DOOR_READ_TIME] = mean_time(&p, 0);
	ret->witness[DOOR_TREND] = trend(&p);
	ret->witness[DOOR_PHASE] = phase(&p);
	ret->witness[DOOR_DOPPLER] = doppler(&p);
	for (unsigned int i = 0; i < DOOR_WITNESSES; i++) {
		ret->witness[i] /= witnesses[i].usual;
		ret->score += witnesses[i].worth * ret->witness[i];
	}
	if (fabsf(ret->score) >= SURE_ENOUGH)
		ret->direction = ret->score > 0 ? DOOR_FORWARD : DOOR_BACKWARD;
	ret->confidence = 1.0f / (1.0f + expf(-fabsf(ret->score)));
}
