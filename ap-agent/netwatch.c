/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/netwatch.h"
#include "common/err.h"
#include "common/log.h"
#include <errno.h>
#include <linux/ethtool_netlink.h>
#include <linux/if_addr.h>
#include <linux/nl80211.h>
#include <linux/rtnetlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>

#define RECEIVE_BYTES 16384

/* What is being asked of the kernel: one dump at a time, a socket can do no more. */
enum stage {
	STAGE_LINKS,
	STAGE_ADDRESSES,
	STAGE_IDLE
};

/* What is asked of nl80211, one dump after the other. */
enum wifi_stage {
	WIFI_IDLE,
	WIFI_INTERFACES,
	WIFI_STATIONS, /* of each interface in turn */
	WIFI_NETWORKS,
	WIFI_SURVEYS
};

struct netwatch {
	loop_fn changed;
	void *user;
	struct loop *loop;
	const struct clock *clock;
	struct netwatch_table table;
	struct nl_sock *route;
	struct loop_io *route_io;
	enum stage stage;
	struct nl_sock *wifi; /**< NULL where the kernel has no nl80211 */
	struct loop_io *wifi_io;
	uint16_t wifi_family;
	enum wifi_stage wifi_stage;
	bool wifi_again;       /**< asked for while one was under way */
	size_t wifi_next;      /**< row that is asked about next */
	struct nl_sock *wired; /**< NULL where the kernel has no ethtool netlink */
	struct loop_io *wired_io;
	uint16_t wired_family;
	struct loop_timer *settle;
	uint8_t buf[RECEIVE_BYTES];
};

/* A burst of events (a cable, a roaming client) becomes one report. */
static void on_settled(void *user)
{
	struct netwatch *n = user;

	n->changed(n->user);
}

static void note(struct netwatch *n, int changes)
{
	if (changes > 0 && !loop_timer_active(n->settle))
		loop_timer_start(n->settle, 100 * US_PER_MS);
}

/* --- route ------------------------------------------------------------------------------------ */

static void ask_links(struct netwatch *n)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC};

	n->stage = STAGE_LINKS;
	(void) nl_send_simple(n->route, RTM_GETLINK, NLM_F_DUMP, &info, sizeof(info));
}

static void ask_addresses(struct netwatch *n)
{
	struct ifaddrmsg info = {.ifa_family = AF_UNSPEC};

	n->stage = STAGE_ADDRESSES;
	(void) nl_send_simple(n->route, RTM_GETADDR, NLM_F_DUMP, &info, sizeof(info));
}

static bool has_done(const void *data, size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *) data;
	int left = (int) len;

	for (; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return true;
	return false;
}

/* Only the kernel (port 0) is believed; any process may send to a netlink socket. Yields the
 * length, 0 for nothing now, or -errno. */
static int receive(struct netwatch *n, struct nl_sock *from)
{
	struct sockaddr_nl peer = {0};
	socklen_t peer_len = sizeof(peer);
	ssize_t len = recvfrom(nl_socket_get_fd(from), n->buf, sizeof(n->buf), MSG_DONTWAIT,
			       (struct sockaddr *) &peer, &peer_len);

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return peer.nl_pid == 0 ? (int) len : 0;
}

static void on_route(void *user, unsigned int events)
{
	struct netwatch *n = user;
	int len = receive(n, n->route), changes;

	(void) events;
	if (len == -ENOBUFS) { /* events were lost: start over */
		memset(&n->table, 0, sizeof(n->table));
		ask_links(n);
		return;
	}
	if (len <= 0)
		return;
	n->table.now_us = clock_real_us(n->clock);
	changes = netwatch_parse_route(&n->table, n->buf, (size_t) len);
	note(n, changes);
	if (n->stage == STAGE_IDLE && changes > 0)
		netwatch_poll(n); /* another speed, perhaps; another Wi-Fi interface */
	if (n->stage == STAGE_IDLE || !has_done(n->buf, (size_t) len))
		return;
	if (n->stage == STAGE_LINKS) {
		ask_addresses(n);
		return;
	}
	n->stage = STAGE_IDLE;
	netwatch_poll(n);
}

static int open_route(struct netwatch *n, struct loop *loop)
{
	n->route = nl_socket_alloc();
	if (!n->route)
		return -ENOMEM;
	nl_socket_disable_seq_check(n->route);
	if (nl_connect(n->route, NETLINK_ROUTE) < 0 || nl_socket_set_nonblocking(n->route) < 0 ||
	    nl_socket_add_memberships(n->route, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
				      RTNLGRP_IPV6_IFADDR, 0) < 0)
		return -EPROTONOSUPPORT;
	return loop_io_new(loop, nl_socket_get_fd(n->route), LOOP_READ, on_route, n, &n->route_io);
}

/* --- generic netlink: Wi-Fi and ethtool --------------------------------------------------------
 */

/** A socket of a family, listening to `groups` (a NULL ends them) of it; NULL when the kernel has
 * no such family, which is no error. */
static struct nl_sock *open_family(struct netwatch *n, const char *name, const char *const *groups,
				   void (*fn)(void *user, unsigned int events),
				   uint16_t *ret_family, struct loop_io **ret_io)
{
	struct nl_sock *s = nl_socket_alloc();
	int family, group;

	if (!s)
		return NULL;
	nl_socket_disable_seq_check(s);
	if (genl_connect(s) < 0 || (family = genl_ctrl_resolve(s, name)) < 0) {
		nl_socket_free(s);
		return NULL;
	}
	for (; *groups; groups++) {
		group = genl_ctrl_resolve_grp(s, name, *groups);
		if (group >= 0)
			(void) nl_socket_add_membership(s, group);
	}
	if (nl_socket_set_nonblocking(s) < 0 ||
	    loop_io_new(n->loop, nl_socket_get_fd(s), LOOP_READ, fn, n, ret_io) < 0) {
		nl_socket_free(s);
		return NULL;
	}
	*ret_family = (uint16_t) family;
	return s;
}

static int ask_wifi(struct netwatch *n, uint8_t cmd, int index)
{
	struct nl_msg *m = nlmsg_alloc();
	int r = -ENOMEM;

	if (m && genlmsg_put(m, NL_AUTO_PORT, NL_AUTO_SEQ, n->wifi_family, 0, NLM_F_DUMP, cmd, 0) &&
	    (index == 0 || nla_put_u32(m, NL80211_ATTR_IFINDEX, (uint32_t) index) == 0))
		r = nl_send_auto(n->wifi, m);
	nlmsg_free(m);
	return r;
}

static void ask_interfaces(struct netwatch *n)
{
	n->wifi_again = false;
	n->wifi_stage = ask_wifi(n, NL80211_CMD_GET_INTERFACE, 0) < 0 ? WIFI_IDLE : WIFI_INTERFACES;
}

/** Is there something to ask of this interface at this stage? */
static bool is_asked(const struct netwatch *n, const struct proto_health_interface *h)
{
	switch (n->wifi_stage) {
	case WIFI_STATIONS: /* signal strength has a meaning where we are somebody's client */
		return h->wireless && h->up && h->role != PROTO_WIFI_AP;
	case WIFI_NETWORKS:
		return h->wireless && h->up && h->role == PROTO_WIFI_STATION && !h->ssid[0];
	default:
		return h->wireless && h->frequency_mhz != 0;
	}
}

/** The next dump of this stage, or of the next stage. */
static void ask_next(struct netwatch *n)
{
	static const uint8_t commands[] = {[WIFI_STATIONS] = NL80211_CMD_GET_STATION,
					   [WIFI_NETWORKS] = NL80211_CMD_GET_SCAN,
					   [WIFI_SURVEYS] = NL80211_CMD_GET_SURVEY};

	for (; n->wifi_stage <= WIFI_SURVEYS; n->wifi_stage++, n->wifi_next = 0) {
		uint8_t cmd = commands[n->wifi_stage];

		while (n->wifi_next < NETWATCH_MAX) {
			const struct netwatch_row *row = &n->table.rows[n->wifi_next++];

			if (row->index && is_asked(n, &row->h) && ask_wifi(n, cmd, row->index) >= 0)
				return;
		}
	}
	n->wifi_stage = WIFI_IDLE;
	if (n->wifi_again)
		ask_interfaces(n);
}

static void poll_wifi(struct netwatch *n)
{
	if (n->wifi_stage == WIFI_IDLE)
		ask_interfaces(n);
	else
		n->wifi_again = true;
}

static void on_wifi(void *user, unsigned int events)
{
	struct netwatch *n = user;
	int len = receive(n, n->wifi);
	bool ask;

	(void) events;
	if (len == -ENOBUFS) { /* lost: the end of a dump, perhaps */
		ask_interfaces(n);
		return;
	}
	if (len <= 0)
		return;
	note(n, netwatch_parse_wifi(&n->table, n->wifi_family, n->buf, (size_t) len, &ask));
	if (ask)
		n->wifi_again = true;
	if (n->wifi_stage == WIFI_IDLE) {
		if (ask)
			ask_interfaces(n);
		return;
	}
	if (!has_done(n->buf, (size_t) len))
		return;
	if (n->wifi_stage == WIFI_INTERFACES) {
		n->wifi_stage = WIFI_STATIONS;
		n->wifi_next = 0;
	}
	ask_next(n);
}

static void poll_wired(struct netwatch *n)
{
	struct nl_msg *m = nlmsg_alloc();
	struct nlattr *header;

	if (m &&
	    genlmsg_put(m, NL_AUTO_PORT, NL_AUTO_SEQ, n->wired_family, 0, NLM_F_DUMP,
			ETHTOOL_MSG_LINKMODES_GET, ETHTOOL_GENL_VERSION) &&
	    (header = nla_nest_start(m, ETHTOOL_A_LINKMODES_HEADER | NLA_F_NESTED))) {
		nla_nest_end(m, header);
		(void) nl_send_auto(n->wired, m);
	}
	nlmsg_free(m);
}

static void on_wired(void *user, unsigned int events)
{
	struct netwatch *n = user;
	int len = receive(n, n->wired);

	(void) events;
	if (len > 0)
		note(n, netwatch_parse_wired(&n->table, n->wired_family, n->buf, (size_t) len));
}

/* A module may be loaded long after we were started. */
static void open_missing(struct netwatch *n)
{
	static const char *const wifi_groups[] = {NL80211_MULTICAST_GROUP_CONFIG,
						  NL80211_MULTICAST_GROUP_MLME, NULL};
	static const char *const wired_groups[] = {ETHTOOL_MCGRP_MONITOR_NAME, NULL};

	if (!n->wifi)
		n->wifi = open_family(n, NL80211_GENL_NAME, wifi_groups, on_wifi, &n->wifi_family,
				      &n->wifi_io);
	if (!n->wired)
		n->wired = open_family(n, ETHTOOL_GENL_NAME, wired_groups, on_wired,
				       &n->wired_family, &n->wired_io);
}

void netwatch_poll(struct netwatch *n)
{
	if (n->stage != STAGE_IDLE)
		return; /* asked at the end of it */
	open_missing(n);
	if (n->wifi)
		poll_wifi(n);
	if (n->wired)
		poll_wired(n);
}

/* --- the watch -------------------------------------------------------------------------------- */

int netwatch_new(struct loop *loop, loop_fn changed, void *user, struct netwatch **ret)
{
	_cleanup_(netwatch_freep) struct netwatch *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->changed = changed;
	n->user = user;
	n->loop = loop;
	n->clock = loop_clock(loop);

	int r = loop_timer_new(loop, on_settled, n, &n->settle);

	if (r >= 0)
		r = open_route(n, loop);
	if (r < 0)
		return r;
	ask_links(n);
	*ret = TAKE_PTR(n);
	return 0;
}

void netwatch_free(struct netwatch *n)
{
	if (!n)
		return;
	loop_io_free(n->route_io);
	loop_io_free(n->wifi_io);
	loop_io_free(n->wired_io);
	loop_timer_free(n->settle);
	nl_socket_free(n->route);
	nl_socket_free(n->wifi);
	nl_socket_free(n->wired);
	free(n);
}

size_t netwatch_health(const struct netwatch *n, struct proto_health_interface *rows, size_t max)
{
	return netwatch_table_health(&n->table, clock_real_us(n->clock), rows, max);
}

size_t netwatch_wifi(const struct netwatch *n, struct channels_wifi *list, size_t max)
{
	return netwatch_table_wifi(&n->table, list, max);
}
