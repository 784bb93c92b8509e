/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/channels.h"
#include "common/util.h"

#define BAND_FROM_MHZ 2400
#define BAND_TO_MHZ   2500
#define LOBE_MORE_MHZ 1  /* of the main lobe beyond half the width */
#define OURS_HALF_MHZ 1  /* of a data channel */
#define WIDEST_MHZ    40 /* in this band */
#define BUSY_LEVEL    25 /* percent: smaller differences come and go */

unsigned int channels_mhz(unsigned int channel)
{
	return channel <= 10 ? 2404 + 2 * channel : 2406 + 2 * channel;
}

static unsigned int count(uint64_t map)
{
	return (unsigned int) __builtin_popcountll(map);
}

/** How much one Wi-Fi disturbs a channel; 0 = not at all. */
static unsigned int cost_of(const struct channels_wifi *w, unsigned int channel)
{
	unsigned int mhz = channels_mhz(channel);
	unsigned int width = w->width_mhz ? MIN(w->width_mhz, WIDEST_MHZ) : 20;
	unsigned int reach = width / 2 + LOBE_MORE_MHZ + OURS_HALF_MHZ, off;

	if (w->centre_mhz < BAND_FROM_MHZ || w->centre_mhz > BAND_TO_MHZ)
		return 0;
	off = mhz > w->centre_mhz ? mhz - w->centre_mhz : w->centre_mhz - mhz;
	return off < reach ? (reach - off) * (1 + MIN(w->busy_percent, 100) / BUSY_LEVEL) : 0;
}

/** Channels in a row that are set, on both sides of one that is not. */
static unsigned int run_beside(uint64_t map, unsigned int channel)
{
	unsigned int below = 0, above = 0;

	while (below < channel && map & UINT64_C(1) << (channel - 1 - below))
		below++;
	while (channel + 1 + above < CHANNELS_COUNT && map & UINT64_C(1) << (channel + 1 + above))
		above++;
	return MAX(below, above);
}

uint64_t channels_plan(const struct channels_wifi *wifi, size_t n)
{
	unsigned int cost[CHANNELS_COUNT] = {0};
	uint64_t map = 0;

	for (unsigned int i = 0; i < CHANNELS_COUNT; i++) {
		for (size_t k = 0; k < n; k++)
			cost[i] += cost_of(&wifi[k], i);
		if (cost[i] == 0)
			map |= UINT64_C(1) << i;
	}
	while (count(map) < CHANNELS_LEAST) {
		unsigned int best = CHANNELS_COUNT;

		for (unsigned int i = 0; i < CHANNELS_COUNT; i++) {
			if (map & UINT64_C(1) << i)
				continue;
			if (best == CHANNELS_COUNT || cost[i] < cost[best] ||
			    (cost[i] == cost[best] && run_beside(map, i) > run_beside(map, best)))
				best = i;
		}
		map |= UINT64_C(1) << best;
	}
	return map;
}

void channels_init(struct channels *c)
{
	*c = (struct channels){.map = CHANNELS_ALL, .wanted = CHANNELS_ALL};
}

bool channels_update(struct channels *c, const struct channels_wifi *wifi, size_t n, int64_t now_us,
		     int64_t *ret_again_us)
{
	uint64_t wanted = channels_plan(wifi, n), before = c->map;

	if (wanted != c->wanted) {
		c->wanted = wanted;
		c->since_us = now_us;
	}
	*ret_again_us = CHANNELS_NEVER;
	if (now_us - c->since_us >= CHANNELS_HOLD_US) {
		c->map = wanted;
	} else {
		/* Too few that were clear before and still are: take all that are now. */
		c->map = count(c->map & wanted) < CHANNELS_LEAST ? wanted : c->map & wanted;
		if (c->map != wanted)
			*ret_again_us = c->since_us + CHANNELS_HOLD_US;
	}
	return c->map != before;
}
