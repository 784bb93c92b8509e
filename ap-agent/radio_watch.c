/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/radio_watch.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Of what is usual, learned over minutes when it is more and over hours when it is less: a fault
 * must not become what is usual while somebody is on the way to mend it. */
#define LEARN_MORE_US  (300.0f * (float) US_PER_SEC)
#define LEARN_LESS_US  (6 * 3600.0f * (float) US_PER_SEC)
#define OF_LATE_US     (60.0f * (float) US_PER_SEC)
/* An antenna that reads less than this is in no position to be missed. */
#define QUIET_RATE     0.05f
#define SILENT_GAPS    30
/* Others read within this while one is silent. */
#define OTHERS_US      (30 * US_PER_SEC)
#define CHANNELS_NAMED 8u
#define RSSI_MEAN      32.0f /* reads */
/* A channel fails that reads less than this much of its share, when that share would be at least so
 * many reads: chance alone does that to one of 50 channels once in hours, and not for minutes. */
#define CHANNEL_LOW    0.25f
#define CHANNEL_READS  20.0f
/* Interference: less than this much of what is usual, on most of the antennas. */
#define LOW_SHARE      0.35f

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

void radio_watch_channel(struct radio_watch *w, uint16_t channel, unsigned int count,
			 int16_t rssi_cdbm)
{
	float dbm = (float) rssi_cdbm / 100.0f, *mean;

	if (channel < 1 || channel > RFID_MAX_CHANNELS)
		return;
	w->channels[channel - 1].reads += count;
	mean = &w->channels[channel - 1].rssi;
	if (rssi_cdbm != INT16_MIN)
		*mean += *mean == 0 ? dbm : (dbm - *mean) / RSSI_MEAN;
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

/** Share of the reads that the channel usually has: of what was learned, which need not add up. */
static float usual_share(const struct radio_watch *w, size_t i)
{
	float sum = 0;

	for (size_t k = 0; k < RFID_MAX_CHANNELS; k++)
		sum += w->channels[k].usual;
	return sum > 0 ? w->channels[i].usual / sum : 0;
}

static bool channel_is_low(const struct radio_watch *w, size_t i)
{
	float expected = usual_share(w, i) * w->of_late;

	return expected >= CHANNEL_READS && w->channels[i].of_late < CHANNEL_LOW * expected;
}

static void learn_channel(struct radio_watch *w, size_t i, int64_t us)
{
	float share = w->of_late > 0 ? w->channels[i].of_late / w->of_late : 0;
	float *usual = &w->channels[i].usual;
	bool less = share < *usual;
	float span = less ? LEARN_LESS_US : LEARN_MORE_US;

	/* At first everything is news. */
	span = MIN(span, MAX((float) w->learned_us, OF_LATE_US));
	if (less && w->learned_us >= RADIO_WATCH_LEARN_US)
		span = LEARN_LESS_US;
	*usual += weight(us, span) * (share - *usual);
	if (w->channels[i].rssi != 0)
		w->channels[i].usual_rssi +=
			(w->channels[i].usual_rssi == 0 ? 1 : weight(us, LEARN_MORE_US)) *
			(w->channels[i].rssi - w->channels[i].usual_rssi);
}

/* Of each channel the share of all reads: customers and deliveries change how much is read, and on
 * all channels alike. */
static void tick_channels(struct radio_watch *w, int64_t us, int64_t now_us)
{
	float keep = 1 - weight(us, OF_LATE_US);

	w->of_late = 0;
	for (size_t i = 0; i < RFID_MAX_CHANNELS; i++) {
		w->channels[i].of_late =
			keep * w->channels[i].of_late + (float) w->channels[i].reads;
		w->of_late += w->channels[i].of_late;
		w->channels[i].reads = 0;
	}
	if (w->of_late < CHANNEL_READS)
		return; /* too little to say or learn anything */
	for (size_t i = 0; i < RFID_MAX_CHANNELS; i++) {
		if (w->learned_us < RADIO_WATCH_LEARN_US || !channel_is_low(w, i))
			w->channels[i].failing_us = 0;
		else if (w->channels[i].failing_us == 0)
			w->channels[i].failing_us = now_us;
		learn_channel(w, i, us);
	}
	w->learned_us += us;
}

static void watch_stats(struct radio_watch *w, const struct rfid_reader_stats *stats,
			int64_t now_us)
{
	if (stats->drifts > w->drifts)
		w->drift_us = now_us;
	if (stats->exceptions > w->exceptions)
		w->exception_us = now_us;
	if (stats->ledger.warnings > w->warnings || stats->ledger.overflows > w->overflows) {
		bool recent = w->buffer_us && now_us - w->buffer_us < RADIO_WATCH_BUFFER_US;

		w->overflowed = (recent && w->overflowed) || stats->ledger.overflows > w->overflows;
		w->buffer_us = now_us;
	}
	w->drifts = stats->drifts;
	w->exceptions = stats->exceptions;
	w->warnings = stats->ledger.warnings;
	w->overflows = stats->ledger.overflows;
}

void radio_watch_tick(struct radio_watch *w, const struct rfid_reader_stats *stats, int64_t now_us)
{
	int64_t us = now_us - w->ticked_us;

	watch_stats(w, stats, now_us);
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
	tick_channels(w, us, now_us);
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

static bool channel_fails(const struct radio_watch *w, size_t i, int64_t now_us)
{
	return w->channels[i].failing_us &&
	       now_us - w->channels[i].failing_us >= RADIO_WATCH_LOW_US;
}

/** "910.75 and 919.25 MHz", as many as there is room for. */
static void name_channels(const struct radio_watch *w, const struct rfid_reader_stats *stats,
			  int64_t now_us, char *buf, size_t cap)
{
	size_t len = 0, told = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < RFID_MAX_CHANNELS; i++) {
		int n = 0;

		if (!channel_fails(w, i, now_us))
			continue;
		if (told++ >= CHANNELS_NAMED)
			continue;
		if (i < stats->n_channels)
			n = snprintf(buf + len, cap - len, "%s%.2f", len ? ", " : "",
				     stats->khz[i] / 1000.0);
		else
			n = snprintf(buf + len, cap - len, "%s#%zu", len ? ", " : "", i + 1);
		len = MIN(len + (size_t) MAX(n, 0), cap - 1);
	}
	if (told > CHANNELS_NAMED)
		snprintf(buf + len, cap - len, " and %zu more", told - CHANNELS_NAMED);
}

/** Some channels fail and others do not: a transmitter there, not a weak reader. */
static void look_at_channels(const struct radio_watch *w, const struct rfid_reader_stats *stats,
			     int64_t now_us, struct finding *f)
{
	size_t n = 0, used = 0;
	float share = 0, left = 0;
	int64_t since_us = INT64_MAX;
	char names[120];

	for (size_t i = 0; i < RFID_MAX_CHANNELS; i++) {
		used += w->channels[i].usual > 0;
		if (!channel_fails(w, i, now_us))
			continue;
		n++;
		share += usual_share(w, i);
		left += w->channels[i].of_late;
		since_us = MIN(since_us, w->channels[i].failing_us);
	}
	if (n == 0 || w->of_late <= 0 || share <= 0 || share >= 1)
		return;
	name_channels(w, stats, now_us, names, sizeof(names));
	/* What they would read beside the others, had nothing come between. */
	float expected = share * (w->of_late - left) / (1 - share);
	float lost = expected > left ? expected - left : 0;

	found(f, "interference", 0, since_us,
	      "%zu of %zu channels (%s MHz) read %.0f %% of what they usually do, while the others "
	      "read on; %.0f %% of all reads are lost",
	      n, used, names, expected > 0 ? (double) (100 * left / expected) : 0.0,
	      (double) (100 * lost / (lost + w->of_late)));
}

static void look_at_settings(const struct radio_watch *w, const struct rfid_reader_stats *stats,
			     int64_t now_us, struct finding *f)
{
	if (w->buffer_us && now_us - w->buffer_us < RADIO_WATCH_BUFFER_US)
		found(f, "reader-buffer", 0, w->buffer_us,
		      w->overflowed ? "the reader's report buffer overflowed: reads were lost "
				      "(%llu so far; %llu warnings)"
				    : "the reader's report buffer was nearly full (%llu overflows "
				      "so far; %llu warnings)",
		      (unsigned long long) w->overflows, (unsigned long long) w->warnings);
	if (w->drift_us && now_us - w->drift_us < RADIO_WATCH_DRIFT_US)
		found(f, "drifted", 0, w->drift_us, "found %.150s; %s (%llu so far)",
		      stats->drift[0] ? stats->drift : "another inventory",
		      stats->drift_mended ? "set right again" : "being set right",
		      (unsigned long long) w->drifts);
}

void radio_watch_antenna(const struct radio_watch *w, const struct rfid_reader_stats *stats,
			 uint16_t n, struct proto_health_antenna *ret)
{
	*ret = (struct proto_health_antenna){.antenna = n};
	if (n < 1 || n > RFID_MAX_ANTENNAS)
		return;
	ret->usual_mhz = (uint32_t) (w->antennas[n - 1].usual * 1000);
	ret->now_mhz = w->running ? (uint32_t) (w->antennas[n - 1].now * 1000) : 0;
	ret->last_us = w->antennas[n - 1].last_us;
	ret->off = stats->antennas_off >> (n - 1) & 1;
}

bool radio_watch_channel_health(const struct radio_watch *w, const struct rfid_reader_stats *stats,
				uint16_t n, int64_t now_us, struct proto_health_channel *ret)
{
	size_t i = (size_t) n - 1;

	if (n < 1 || n > RFID_MAX_CHANNELS || w->channels[i].usual <= 0)
		return false;
	*ret = (struct proto_health_channel){
		.channel = n,
		.khz = i < stats->n_channels ? stats->khz[i] : 0,
		.usual_ppm = (uint32_t) (usual_share(w, i) * 1e6f),
		.now_ppm = w->of_late > 0 ? (uint32_t) (w->channels[i].of_late / w->of_late * 1e6f)
					  : 0,
		.usual_cdbm = (int16_t) (w->channels[i].usual_rssi * 100),
		.now_cdbm = (int16_t) (w->channels[i].rssi * 100),
		.failing = channel_fails(w, i, now_us),
	};
	return true;
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
	else if (w->running)
		look_at_channels(w, stats, now_us, &f);
	look_at_settings(w, stats, now_us, &f);
	return f.n;
}
