/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of the connections of the virtual controller: radio_links.c (how they are made,
 * and commands), radio_link.c (one of them) and radio_adverts.c (who is heard) only. */
#pragma once

#include "sim/link_air.h"
#include "sim/radio_links.h"

#define LINK_FIRST_HANDLE    0x40
#define LINK_TIMEOUT_UNIT_US (10 * US_PER_MS)
#define ADVERT_TICK_US       (50 * US_PER_MS)

enum link_state {
	LINK_FREE,
	LINK_UP,
	LINK_ENDING, /* one end said so; goes with the next event */
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
	unsigned int n;
};

struct one_link {
	struct radio_links *k;
	enum link_state state;
	uint8_t reason, far_reason; /* why, for the access point and for the station */
	struct radio_station *station;
	struct packet_list down, up; /* to the station, to the access point */
	struct link_air air;
	int64_t interval_us, next_us; /* of its connection events */
	int64_t timeout_us, alive_us; /* nothing heard for so long ends it (0: never); heard last */
	unsigned int length_in, phy_in; /* events until longer packets or the faster PHY hold */
	bool encrypted;
	unsigned int encrypt_in; /* events until the procedure ends; 0 = none runs */
	bool key_asked;          /* the station has yet to say whether it has the key */
	uint8_t key_status;
	struct loop_timer *event;
};

/** The connection being made. */
struct attempt {
	bool active;
	uint8_t addr[7]; /* type, then most significant byte first */
	bool will_succeed, by_advert, cancelled;
	bool listed; /* whoever of the list advertises first: addr is not known before */
	uint16_t scan_interval, scan_window;
	uint8_t central[7]; /* who the host says it is */
	uint16_t latency, timeout;
	int64_t interval_us;
};

struct radio_links {
	struct sim_radio *r;
	struct sim_rng rng;
	struct one_link links[RADIO_LINKS_MAX];
	struct attempt attempt;
	struct loop_timer *attempt_timer, *advert_timer;
	uint8_t accept[RADIO_ACCEPT_MAX][7];
	unsigned int n_accept;
	bool scanning, active;
};

static inline int64_t links_now_us(const struct radio_links *k)
{
	return clock_mono_us(k->r->clock);
}

static inline uint16_t link_handle(const struct one_link *o)
{
	return (uint16_t) (LINK_FIRST_HANDLE + (o - o->k->links));
}

static inline void links_tell(struct radio_links *k, struct buf *b)
{
	hci_port_send(&k->r->port, b);
	buf_done(b);
}

/* radio_link.c */
void packet_list_init(struct packet_list *l);
void packet_list_drop(struct packet_list *l);
/** Data of the access point's host is on its way. */
void radio_link_take(struct one_link *o, const struct hci_acl *a);
/** It is no more, without a word to anybody. */
void radio_link_free(struct one_link *o);
/** Its first event comes where it is farthest from the events of the others. */
void radio_link_begin_events(struct one_link *o);
/** One connection event. */
void radio_link_event(void *user);

/* radio_adverts.c */
void radio_advert_tick(void *user);
