/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The 37 data channels of a simulated label radio: which of them the host left in use, which one a
 * packet flies on (channel selection algorithm #2, Core 5.4 Vol 6 Part B 4.5.8.3), and the Wi-Fi
 * that jams some of them. A subevent's answers fly on the subevent's channel; every event of a
 * connection takes the next one. A new map is in force at once, where a real controller first tells
 * everybody.
 */
#pragma once

#include "sim/rng.h"
#include <stdbool.h>
#include <stdint.h>

#define RADIO_DATA_CHANNELS 37
#define RADIO_WIFI_MAX      4

/** A Wi-Fi transmitter near by. */
struct radio_wifi {
	uint16_t mhz, width_mhz; /**< centre and width; width 20 or 40 */
	double loss;             /**< share of the packets that fly on its channels it destroys */
};

struct radio_channels {
	uint64_t map; /**< in use */
	uint16_t identifier;
	uint16_t events; /**< of connections */
	uint8_t now;     /**< channel of the packet in the air */
	struct radio_wifi wifi[RADIO_WIFI_MAX];
	unsigned int n_wifi;
	uint64_t sent[RADIO_DATA_CHANNELS]; /**< packets and answers that flew on each */
	uint64_t jammed;                    /**< of these, destroyed by Wi-Fi */
};

void radio_channels_init(struct radio_channels *c, uint16_t identifier);
/** After a reset: every channel. */
void radio_channels_reset(struct radio_channels *c);
/** False, and nothing changes, for a map that no hopping can use. */
bool radio_channels_classify(struct radio_channels *c, uint64_t map);
/** Channel of an event, by its number. */
uint8_t radio_channels_select(const struct radio_channels *c, uint16_t counter);
void radio_channels_hop(struct radio_channels *c, uint16_t counter);
/** One packet flies on the present channel; true if Wi-Fi destroyed it. */
bool radio_channels_fly(struct radio_channels *c, struct sim_rng *rng);
uint16_t radio_channel_mhz(uint8_t channel);
