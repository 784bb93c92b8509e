/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/shows.h"

#include <errno.h>
#include <string.h>

struct sim_shows {
	const struct clock *clock;
	uint64_t next;
	struct sim_show ring[SIM_SHOWS_MAX];
};

int sim_shows_new(const struct clock *clock, struct sim_shows **ret)
{
	struct sim_shows *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	s->clock = clock;
	*ret = s;
	return 0;
}

void sim_shows_free(struct sim_shows *s)
{
	free(s);
}

void sim_shows_note(struct sim_shows *s, const uint8_t addr[SIM_LABEL_ADDR_BYTES],
		    const uint8_t hash[IMAGE_HASH_BYTES], int64_t started_us, int64_t at_us)
{
	/* Labels run on the monotonic clock; the log speaks UTC as it is now. */
	int64_t utc_us = clock_real_us(s->clock) - clock_mono_us(s->clock);
	struct sim_show *to = &s->ring[s->next++ % SIM_SHOWS_MAX];

	to->started_us = started_us + utc_us;
	to->at_us = at_us + utc_us;
	memcpy(to->addr, addr, sizeof to->addr);
	memcpy(to->hash, hash, sizeof to->hash);
}

void sim_shows_add(struct sim_shows *s, const struct sim_label *l)
{
	struct sim_label_view v;

	sim_label_get(l, &v);
	sim_shows_note(s, v.addr, v.frame_hash, v.redraw_started_us, v.shown_at_us);
}

uint64_t sim_shows_next(const struct sim_shows *s)
{
	return s->next;
}

uint64_t sim_shows_oldest(const struct sim_shows *s)
{
	return s->next > SIM_SHOWS_MAX ? s->next - SIM_SHOWS_MAX : 0;
}

const struct sim_show *sim_shows_at(const struct sim_shows *s, uint64_t number)
{
	return number >= sim_shows_oldest(s) && number < s->next ? &s->ring[number % SIM_SHOWS_MAX]
								 : NULL;
}
