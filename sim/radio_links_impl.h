/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of the connections of the virtual controller: radio_links.c (links and how they are
 * made) and radio_adverts.c (scanning) only. */
#pragma once

#include "esl-radio/le/l2cap_wire.h"
#include "sim/label_host.h"
#include "sim/link_air.h"
#include "sim/radio_links.h"

#define ADVERT_INTERVAL_US US_PER_SEC
#define ADVERT_TICK_US     (50 * US_PER_MS)

enum link_state {
	LINK_FREE,
	LINK_UP,
	LINK_ENDING, /* the host or the label said so; goes with the next event */
};

/** A packet of data on its way. */
struct packet {
	struct packet *next;
	bool first;
	size_t len;
	uint8_t data[];
};

struct packet_list {
	struct packet *first, **end;
};

struct one_link {
	struct radio_links *k;
	enum link_state state;
	uint8_t reason;
	size_t label;
	struct label_host *host;
	struct packet_list down, up; /* to the label, to the access point */
	struct buf frame;            /* being put together at the label */
	struct link_air air;
	int64_t interval_us, next_us;   /* of its connection events */
	unsigned int length_in, phy_in; /* events until longer packets or the faster PHY hold */
	bool encrypted, synced;
	unsigned int encrypt_in; /* events until the procedure ends; 0 = none runs */
	bool key_matches;
	uint8_t central[LE_ADDR_BYTES];
	struct loop_timer *event;
};

/** The connection being made. */
struct attempt {
	bool active;
	size_t label;
	bool known; /* the address is one of ours */
	bool will_succeed, by_advert;
	uint8_t central[LE_ADDR_BYTES]; /* who the host says it is */
	int64_t interval_us;
};

struct radio_links {
	struct sim_radio *r;
	struct sim_rng rng;
	struct one_link links[RADIO_LINKS_MAX];
	struct label_bond *bonds; /* per label */
	struct attempt attempt;
	struct loop_timer *attempt_timer, *advert_timer;
	bool scanning, active;
};

static inline int64_t links_now_us(const struct radio_links *k)
{
	return clock_mono_us(k->r->clock);
}

/** The link of a label, NULL if it has none. */
struct one_link *radio_link_of(struct radio_links *k, size_t label);
/* radio_adverts.c */
void radio_advert_tick(void *user);
