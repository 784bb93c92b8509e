/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the access point's own network is doing, from the kernel by netlink (libnl): interfaces and
 * their operational state, first global address, and, where there is nl80211, channel and signal of
 * the Wi-Fi. Events keep the table current; losing some (ENOBUFS) means asking for all again.
 *
 * The parsers take any bytes: they are fuzzed, and run without a socket in tests.
 */
#pragma once

#include "common/loop.h"
#include "common/proto.h"

#define NETWATCH_MAX PROTO_MAX_INTERFACES

struct netwatch_row {
	int index; /**< 0 = free */
	struct proto_health_interface h;
	bool address_v6; /**< the address shown is IPv6: an IPv4 one takes its place */
};

struct netwatch_table {
	struct netwatch_row rows[NETWATCH_MAX];
	unsigned int overflow; /**< interfaces there was no row for */
};

/** Takes route netlink messages (link and address, new and gone). Returns how many rows changed in
 * a way worth telling. Malformed ones are passed over. */
int netwatch_parse_route(struct netwatch_table *t, const void *data, size_t len);
/** Takes nl80211 answers (interfaces and stations) of the family `family`. */
int netwatch_parse_wifi(struct netwatch_table *t, uint16_t family, const void *data, size_t len);

struct netwatch;

/** `changed` is called after something changed. A kernel without route netlink is an error; one
 * without nl80211 is not. */
int netwatch_new(struct loop *loop, loop_fn changed, void *user,
		 struct netwatch **ret) _must_check_;
void netwatch_free(struct netwatch *n);
DEFINE_CLEANUP(struct netwatch *, netwatch_free)
/** Asks for fresh Wi-Fi figures; they come with a later turn of the loop. */
void netwatch_poll(struct netwatch *n);
/** Fills at most `max` rows, loopback left out. */
size_t netwatch_health(const struct netwatch *n, struct proto_health_interface *rows, size_t max);
