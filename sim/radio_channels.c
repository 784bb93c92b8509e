/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/radio_channels.h"

#define ALL ((UINT64_C(1) << RADIO_DATA_CHANNELS) - 1)

void radio_channels_init(struct radio_channels *c, uint16_t identifier)
{
	*c = (struct radio_channels){.map = ALL, .identifier = identifier};
}

void radio_channels_reset(struct radio_channels *c)
{
	c->map = ALL;
}

bool radio_channels_classify(struct radio_channels *c, uint64_t map)
{
	if ((map & ~ALL) || __builtin_popcountll(map) < 2)
		return false;
	c->map = map;
	return true;
}

/** Reverses the bits within each byte. */
static uint16_t permute(uint16_t v)
{
	uint16_t ret = 0;

	for (unsigned int bit = 0; bit < 16; bit++)
		if (v & 1u << bit)
			ret |= (uint16_t) (1u << ((bit & 8) | (7 - (bit & 7))));
	return ret;
}

uint8_t radio_channels_select(const struct radio_channels *c, uint16_t counter)
{
	uint16_t v = counter ^ c->identifier;
	unsigned int n = (unsigned int) __builtin_popcountll(c->map), index;
	uint8_t channel;

	for (int round = 0; round < 3; round++)
		v = (uint16_t) (permute(v) * 17 + c->identifier);
	v ^= c->identifier;
	channel = (uint8_t) (v % RADIO_DATA_CHANNELS);
	if (c->map & UINT64_C(1) << channel)
		return channel;
	index = n * v / 65536; /* into the table of those in use */
	for (channel = 0; channel < RADIO_DATA_CHANNELS; channel++)
		if ((c->map & UINT64_C(1) << channel) && index-- == 0)
			break;
	return channel;
}

void radio_channels_hop(struct radio_channels *c, uint16_t counter)
{
	c->now = radio_channels_select(c, counter);
}

uint16_t radio_channel_mhz(uint8_t channel)
{
	return (uint16_t) (channel <= 10 ? 2404 + 2 * channel : 2406 + 2 * channel);
}

bool radio_channels_fly(struct radio_channels *c, struct sim_rng *rng)
{
	int mhz = radio_channel_mhz(c->now);

	c->sent[c->now]++;
	for (unsigned int i = 0; i < c->n_wifi; i++) {
		const struct radio_wifi *w = &c->wifi[i];
		int off = mhz - w->mhz;

		/* Its main lobe, and the megahertz to each side that we need ourselves. */
		if (2 * (off < 0 ? -off : off) >= w->width_mhz + 4)
			continue;
		if (sim_rng_chance(rng, w->loss)) {
			c->jammed++;
			return true;
		}
	}
	return false;
}
