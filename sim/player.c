/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/player.h"

#include <errno.h>
#include <inttypes.h>

#define BATCH       256
#define DRAIN_US    (20 * US_PER_MS)
#define BUSY_BYTES  (1u << 20) /**< of unread reports: at high speed the client sets the pace */
#define PROGRESS_US (5 * US_PER_SEC)

struct sim_player {
	struct loop *loop;
	const struct clock *clock;
	struct sim_reader *reader;
	const struct replay *trace;
	struct sim_player_config cfg;
	loop_fn done;
	void *user;
	struct loop_timer *timer;
	bool antennas[SIM_READER_MAX_ANTENNAS + 1];
	bool running, started, finished;
	size_t next;
	uint64_t played, skipped;
	int64_t start_us;  /**< monotonic instant of the first row of this round */
	int64_t offset_us; /**< real minus monotonic clock, fixed at the start */
	int64_t pause_us;  /**< monotonic instant at which the inventory stopped */
	int64_t told_us;
};

static int64_t row_due_us(const struct sim_player *p, size_t i)
{
	int64_t since_us = p->trace->rows[i].at_us - p->trace->rows[0].at_us;

	return p->start_us + (int64_t) ((double) since_us / p->cfg.speed);
}

static void progress(struct sim_player *p, int64_t now_us, bool always)
{
	if (!p->cfg.progress || (!always && now_us - p->told_us < PROGRESS_US))
		return;
	p->told_us = now_us;
	(void) fprintf(p->cfg.progress, "played %" PRIu64 " reads, row %zu of %zu\n", p->played,
		       p->next, p->trace->n);
	(void) fflush(p->cfg.progress);
}

static void play_due(struct sim_player *p, int64_t now_us)
{
	while (p->running && p->next < p->trace->n && row_due_us(p, p->next) <= now_us &&
	       sim_reader_backlog(p->reader) < BUSY_BYTES) {
		struct sim_tag_read batch[BATCH];
		size_t n = 0;

		for (; n < BATCH && p->next < p->trace->n && row_due_us(p, p->next) <= now_us;
		     p->next++) {
			const struct replay_row *row = &p->trace->rows[p->next];

			if (!p->antennas[row->antenna]) {
				p->skipped++;
				continue;
			}
			batch[n++] = (struct sim_tag_read){
				.epc = &row->epc,
				.antenna = row->antenna,
				.rssi_dbm = row->rssi_dbm,
				.channel = row->channel,
				.phase = row->phase,
				.doppler = row->doppler,
				.at_us = p->cfg.no_rebase ? row->at_us
							  : row_due_us(p, p->next) + p->offset_us,
			};
		}
		p->played += n;
		sim_reader_feed(p->reader, batch, n);
	}
}

/** Everything is played: again from the start, or wait until the client has it all. */
static void play_end(struct sim_player *p, int64_t now_us)
{
	if (p->cfg.loop && p->trace->n > 0) {
		p->start_us = MAX(row_due_us(p, p->trace->n - 1) + DRAIN_US, now_us);
		p->next = 0;
		loop_timer_start(p->timer, p->start_us - now_us);
		return;
	}
	sim_reader_flush(p->reader);
	if (sim_reader_backlog(p->reader) > 0) {
		loop_timer_start(p->timer, DRAIN_US);
		return;
	}
	if (p->finished)
		return;
	p->finished = true;
	progress(p, now_us, true);
	p->done(p->user);
}

static void player_due(void *user)
{
	struct sim_player *p = user;
	int64_t now_us = clock_mono_us(p->clock);

	play_due(p, now_us);
	progress(p, now_us, false);
	if (p->next == p->trace->n)
		play_end(p, now_us);
	else if (p->running)
		loop_timer_start(p->timer, MAX(row_due_us(p, p->next) - now_us, US_PER_MS));
}

static void inventory(void *user, const uint16_t *antennas, size_t n)
{
	struct sim_player *p = user;
	int64_t now_us = clock_mono_us(p->clock);

	for (size_t i = 0; i <= SIM_READER_MAX_ANTENNAS; i++)
		p->antennas[i] = false;
	for (size_t i = 0; i < n; i++)
		p->antennas[antennas[i]] = true;
	if (n == 0) {
		p->running = false;
		p->pause_us = now_us;
		if (p->next < p->trace->n)
			loop_timer_stop(p->timer);
		return;
	}
	if (!p->started) {
		p->started = true;
		p->told_us = now_us;
		p->start_us = now_us;
		p->offset_us = clock_real_us(p->clock) - now_us;
	} else if (!p->running) {
		p->start_us += now_us - p->pause_us;
	}
	p->running = true;
	if (!p->finished)
		loop_timer_start(p->timer, 0);
}

int sim_player_new(struct loop *loop, struct sim_reader *reader, const struct replay *trace,
		   const struct sim_player_config *cfg, loop_fn done, void *user,
		   struct sim_player **ret)
{
	struct sim_player *p = calloc(1, sizeof *p);
	int r;

	if (!p)
		return -ENOMEM;
	p->loop = loop;
	p->clock = loop_clock(loop);
	p->reader = reader;
	p->trace = trace;
	p->cfg = *cfg;
	p->done = done;
	p->user = user;
	r = loop_timer_new(loop, player_due, p, &p->timer);
	if (r < 0) {
		free(p);
		return r;
	}
	sim_reader_set_source(reader,
			      &(struct sim_reader_source){.inventory = inventory, .user = p});
	*ret = p;
	return 0;
}

void sim_player_free(struct sim_player *p)
{
	if (!p)
		return;
	sim_reader_set_source(p->reader, &(struct sim_reader_source){0});
	loop_timer_free(p->timer);
	free(p);
}

uint64_t sim_player_played(const struct sim_player *p)
{
	return p->played;
}
