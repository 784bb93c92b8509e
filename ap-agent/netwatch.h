/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the access point's own network is doing, from the kernel by netlink (libnl): interfaces and
 * their operational state, first global address, speed and duplex of cables (ethtool), and, where
 * there is nl80211, network, channel, width, signal, noise and load of the Wi-Fi. Events keep the
 * table current; losing some (ENOBUFS) means asking for all again.
 *
 *     netwatch.c        sockets: what is asked when, and what is listened to
 *     netwatch_parse.c  links and addresses      netwatch_wired.c  speed and duplex
 *     netwatch_wifi.c   nl80211
 *
 * The parsers take any bytes: they are fuzzed, and run without a socket in tests.
 */
#pragma once

#include "ap-agent/channels.h"
#include "common/loop.h"
#include "common/proto.h"

#define NETWATCH_MAX       PROTO_MAX_INTERFACES
#define NETWATCH_CHANGES   8                  /**< of a link that are remembered ... */
#define NETWATCH_STEADY_US (600 * US_PER_SEC) /**< ... and for how long they count */
#define NETWATCH_WIFI_MAX  NETWATCH_MAX

struct netwatch_row {
	int index; /**< 0 = free */
	struct proto_health_interface h;
	bool address_v6;          /**< the address shown is IPv6: an IPv4 one takes its place */
	bool counted;             /**< carrier_changes is known */
	uint32_t carrier_changes; /**< the kernel's count */
	int64_t changes_us[NETWATCH_CHANGES]; /**< a ring */
	unsigned int n_changes;
	uint64_t survey_ms, survey_busy_ms; /**< of the channel in use, as counted last */
	uint32_t survey_mhz;
};

struct netwatch_table {
	struct netwatch_row rows[NETWATCH_MAX];
	unsigned int overflow; /**< interfaces there was no row for */
	int64_t now_us;        /**< UTC on the agent's clock; set by the caller before parsing */
};

/** Names of interfaces and networks are any bytes: what is no text in them becomes '?'. */
void netwatch_text(const void *data, int bytes, char *to, size_t cap);
struct netwatch_row *netwatch_row_find(struct netwatch_table *t, int index);
/** Takes route netlink messages (link and address, new and gone). Returns how many rows changed in
 * a way worth telling. Malformed ones are passed over. */
int netwatch_parse_route(struct netwatch_table *t, const void *data, size_t len);
/** Takes nl80211 answers and events of the family `family`. *ret_ask (may be NULL): something
 * happened of which more must be asked. */
int netwatch_parse_wifi(struct netwatch_table *t, uint16_t family, const void *data, size_t len,
			bool *ret_ask);
/** Takes ethtool answers and notifications of the family `family`: speed and duplex. */
int netwatch_parse_wired(struct netwatch_table *t, uint16_t family, const void *data, size_t len);
/** What the table knows as a health report has it; at most `max` rows, loopback left out. */
size_t netwatch_table_health(const struct netwatch_table *t, int64_t now_us,
			     struct proto_health_interface *rows, size_t max);
/** The Wi-Fi that this machine sends on, whatever the band; at most `max`. */
size_t netwatch_table_wifi(const struct netwatch_table *t, struct channels_wifi *list, size_t max);

struct netwatch;

/** `changed` is called after something changed. A kernel without route netlink is an error; one
 * without nl80211 is not. */
int netwatch_new(struct loop *loop, loop_fn changed, void *user,
		 struct netwatch **ret) _must_check_;
void netwatch_free(struct netwatch *n);
DEFINE_CLEANUP(struct netwatch *, netwatch_free)
/** Asks for fresh Wi-Fi figures; they come with a later turn of the loop. */
void netwatch_poll(struct netwatch *n);
/** netwatch_table_health() and netwatch_table_wifi() of the present table. */
size_t netwatch_health(const struct netwatch *n, struct proto_health_interface *rows, size_t max);
size_t netwatch_wifi(const struct netwatch *n, struct channels_wifi *list, size_t max);
