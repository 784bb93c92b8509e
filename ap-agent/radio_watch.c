/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/radio_watch.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Of what is usual, learned over minutes when it is more and over hours when it is less: a fault
 * must not become what is usual while somebody is on the way to mend it. */
#define LEARN_MORE_US (300.0f * (float) US_PER_SEC)
#define LEARN_LESS_US (6 * 3600.0f * (float) US_PER_SEC)
#define OF_LATE_US    (60.0f * (float) US_PER_SEC)
/* An antenna that reads less than this is in no position to be missed. */
#define QUIET_RATE    0.05f
#define SILENT_GAPS   30
/* Others read within this while one is silent. */
#define OTHERS_US     (30 * US_PER_SEC)
/* Interference: less than this much of what is usual, on most of the antennas. */
#define LOW_SHARE     0.35f

void radio_watch_init(struct radio_watch *w, const uint16_t *wanted, size_t n)
{
	*w = (struct radio_watch){0};
	for (size_t i = 0; i < n; i++)
		if (wanted[i] >= 1 && wanted[i] <= RFID_MAX_ANTENNAS)
			w->wanted |= 1u << (wanted[i] - 1);
}

void radio_watch_read(struct radio_watch *w, uint16_t antenna, unsigned int count, int64_t now_us)
{
	if (antenna < 1 || antenna > RFID_MAX_ANTENNAS)
		return;
	w->antennas[antenna - 1].reads += count;
	w->antennas[antenna - 1].last_us = now_us;
}

void radio_watch_running(struct radio_watch *w, bool running, int64_t now_us)
{
	if (w->running && !running) {
		memmove(w->losses + 1, w->losses, sizeof(w->losses) - sizeof(w->losses[0]));
		w->losses[0] = now_us;
		w->n_losses = MIN(w->n_losses + 1, (size_t) RADIO_WATCH_LOSSES);
	}
	if (!w->running && running)
		w->running_us = w->ticked_us = now_us;
	w->running = running;
	w->low_us = 0;
}

/** Weight of a stretch of time in an average over `span`. */
static float weight(int64_t us, float span)
{
	return MIN((float) us / span, 1.0f);
}

static float total(const struct radio_watch *w, bool usual)
{
	float sum = 0;

	for (size_t i = 0; i < RFID_MAX_ANTENNAS; i++)
		sum += usual ? w->antennas[i].usual : w->antennas[i].now;
	return sum;
}

/** Most of the antennas that usually read still do, but all together read too little. */
static bool is_low(const struct radio_watch *w, int64_t now_us)
{
	int usual = 0, reading = 0;

	for (size_t i = 0; i < RFID_MAX_ANTENNAS; i++) {
		if (w->antennas[i].usual < QUIET_RATE)
			continue;
		usual++;
		reading += now_us - w->antennas[i].last_us < RADIO_WATCH_SILENT_US;
	}
	return usual > 0 && 2 * reading > usual && total(w, true) > 4 * QUIET_RATE &&
	       total(w, false) < LOW_SHARE * total(w, true);
}

void radio_watch_tick(struct radio_watch *w, const struct rfid_reader_stats *stats, int64_t now_us)
{
	int64_t us = now_us - w->ticked_us;

	if (stats->drifts > w->drifts)
		w->drift_us = now_us;
	if (stats->exceptions > w->exceptions)
		w->exception_us = now_us;
	w->drifts = stats->drifts;
	w->exceptions = stats->exceptions;
	if (!w->running || us <= 0)
		return;
	w->ticked_us = now_us;
	for (size_t i = 0; i < RFID_MAX_ANTENNAS; i++) {
		float rate = (float) w->antennas[i].reads * (float) US_PER_SEC / (float) us;
		float *now = &w->antennas[i].now, *usual = &w->antennas[i].usual;

		w->antennas[i].reads = 0;
		*now += weight(us, OF_LATE_US) * (rate - *now);
		*usual +=
			weight(us, *now > *usual ? LEARN_MORE_US : LEARN_LESS_US) * (*now - *usual);
	}
	if (!is_low(w, now_us))
		w->low_us = 0;
	else if (w->low_us == 0)
		w->low_us = now_us;
}

/* --- what is wrong ---------------------------------------------------------------------------- */

struct finding {
	struct proto_trouble *list;
	size_t n, max;
};

static void _printf_(5, 6) found(struct finding *f, const char *code, uint16_t antenna,
				 int64_t since_us, const char *fmt, ...)
{
	struct proto_trouble *t = &f->list[f->n];
	va_list ap;

	if (f->n == f->max)
		return;
	f->n++;
	*t = (struct proto_trouble){.antenna = antenna, .since_us = since_us};
	snprintf(t->code, sizeof(t->code), "%s", code);
	va_start(ap, fmt);
	vsnprintf(t->text, sizeof(t->text), fmt, ap);
	va_end(ap);
}

/** When any antenna but this one was last read at. */
static int64_t others_last_us(const struct radio_watch *w, size_t but)
{
	int64_t last_us = 0;

	for (size_t i = 0; i < RFID_MAX_ANTENNAS; i++)
		if (i != but)
			last_us = MAX(last_us, w->antennas[i].last_us);
	return last_us;
}

static void look_at_antenna(const struct radio_watch *w, size_t i, int64_t now_us,
			    struct finding *f)
{
	float usual = w->antennas[i].usual;
	int64_t last_us = w->antennas[i].last_us, since_us = MAX(last_us, w->running_us);
	int64_t wait_us = RADIO_WATCH_NEVER_US;

	if (last_us && usual >= QUIET_RATE)
		wait_us = MAX(RADIO_WATCH_SILENT_US,
			      (int64_t) (SILENT_GAPS * (float) US_PER_SEC / usual));
	else if (last_us || !(w->wanted & 1u << i))
		return; /* hardly ever read, or nobody said that there is one */
	if (now_us - since_us < wait_us || now_us - others_last_us(w, i) > OTHERS_US)
		return;
	if (last_us)
		found(f, "silent-antenna", (uint16_t) (i + 1), last_us,
		      "antenna %zu reads nothing, usually %.1f reads a second; others of this "
		      "reader "
		      "do",
		      i + 1, (double) usual);
	else
		found(f, "silent-antenna", (uint16_t) (i + 1), w->running_us,
		      "antenna %zu has never read anything, while others of this reader do", i + 1);
}

size_t radio_watch_troubles(const struct radio_watch *w, const struct rfid_reader_stats *stats,
			    int64_t now_us, struct proto_trouble *ret, size_t max)
{
	struct finding f = {.list = ret, .max = max};
	const int64_t oldest_us =
		w->n_losses == RADIO_WATCH_LOSSES ? w->losses[RADIO_WATCH_LOSSES - 1] : INT64_MIN;

	if (oldest_us != INT64_MIN && now_us - oldest_us < RADIO_WATCH_LOSS_US)
		found(&f, "failing-reader", 0, oldest_us,
		      "the inventory ended %d times within %lld minutes", RADIO_WATCH_LOSSES,
		      (long long) ((now_us - oldest_us) / (60 * US_PER_SEC) + 1));
	else if (w->exception_us && now_us - w->exception_us < RADIO_WATCH_DRIFT_US)
		found(&f, "failing-reader", 0, w->exception_us,
		      "the reader reported %llu faults of its own",
		      (unsigned long long) w->exceptions);
	for (size_t i = 0; w->running && i < RFID_MAX_ANTENNAS; i++) {
		if (stats->antennas_off & 1u << i)
			found(&f, "antenna-off", (uint16_t) (i + 1), 0,
			      "the reader says that nothing is connected to antenna %zu", i + 1);
		else
			look_at_antenna(w, i, now_us, &f);
	}
	if (w->running && w->low_us && now_us - w->low_us >= RADIO_WATCH_LOW_US)
		found(&f, "interference", 0, w->low_us,
		      "%.1f reads a second over all antennas, usually %.1f",
		      (double) total(w, false), (double) total(w, true));
	if (w->drift_us && now_us - w->drift_us < RADIO_WATCH_DRIFT_US)
		found(&f, "drifted", 0, w->drift_us,
		      "%llu times the inventory in the reader was not as this agent had set it",
		      (unsigned long long) w->drifts);
	return f.n;
}
