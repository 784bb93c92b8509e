/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/netwatch.h"
#include "common/err.h"
#include "common/log.h"
#include <errno.h>
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

struct netwatch {
	loop_fn changed;
	void *user;
	struct netwatch_table table;
	struct nl_sock *route;
	struct loop_io *route_io;
	enum stage stage;
	struct nl_sock *wifi; /**< NULL where the kernel has no nl80211 */
	struct loop_io *wifi_io;
	uint16_t family;
	size_t wifi_next; /**< row whose station is asked for next; NETWATCH_MAX = idle */
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
	int len = receive(n, n->route);

	(void) events;
	if (len == -ENOBUFS) { /* events were lost: start over */
		memset(&n->table, 0, sizeof(n->table));
		ask_links(n);
		return;
	}
	if (len <= 0)
		return;
	note(n, netwatch_parse_route(&n->table, n->buf, (size_t) len));
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

/* --- Wi-Fi ------------------------------------------------------------------------------------ */

static int ask_wifi(struct netwatch *n, uint8_t cmd, int index)
{
	struct nl_msg *m = nlmsg_alloc();
	int r = -ENOMEM;

	if (m && genlmsg_put(m, NL_AUTO_PORT, NL_AUTO_SEQ, n->family, 0, NLM_F_DUMP, cmd, 0) &&
	    (index == 0 || nla_put_u32(m, NL80211_ATTR_IFINDEX, (uint32_t) index) == 0))
		r = nl_send_auto(n->wifi, m);
	nlmsg_free(m);
	return r;
}

/* Signal strength has a meaning where we are somebody's client: one peer for each interface. */
static void ask_next_station(struct netwatch *n)
{
	while (n->wifi_next < NETWATCH_MAX) {
		const struct netwatch_row *row = &n->table.rows[n->wifi_next++];

		if (row->index && row->h.wireless && row->h.up &&
		    ask_wifi(n, NL80211_CMD_GET_STATION, row->index) >= 0)
			return;
	}
}

static void on_wifi(void *user, unsigned int events)
{
	struct netwatch *n = user;
	int len = receive(n, n->wifi);

	(void) events;
	if (len <= 0)
		return;
	note(n, netwatch_parse_wifi(&n->table, n->family, n->buf, (size_t) len));
	if (has_done(n->buf, (size_t) len))
		ask_next_station(n);
}

/* None of it is an error: a wired access point has no nl80211. */
static void open_wifi(struct netwatch *n, struct loop *loop)
{
	int family;

	n->wifi_next = NETWATCH_MAX;
	n->wifi = nl_socket_alloc();
	if (!n->wifi)
		return;
	nl_socket_disable_seq_check(n->wifi);
	if (genl_connect(n->wifi) < 0 || (family = genl_ctrl_resolve(n->wifi, "nl80211")) < 0 ||
	    nl_socket_set_nonblocking(n->wifi) < 0 ||
	    loop_io_new(loop, nl_socket_get_fd(n->wifi), LOOP_READ, on_wifi, n, &n->wifi_io) < 0) {
		nl_socket_free(n->wifi);
		n->wifi = NULL;
		return;
	}
	n->family = (uint16_t) family;
}

void netwatch_poll(struct netwatch *n)
{
	if (!n->wifi)
		return;
	n->wifi_next = 0;
	(void) ask_wifi(n, NL80211_CMD_GET_INTERFACE, 0);
}

/* --- the watch -------------------------------------------------------------------------------- */

int netwatch_new(struct loop *loop, loop_fn changed, void *user, struct netwatch **ret)
{
	_cleanup_(netwatch_freep) struct netwatch *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->changed = changed;
	n->user = user;

	int r = loop_timer_new(loop, on_settled, n, &n->settle);

	if (r >= 0)
		r = open_route(n, loop);
	if (r < 0)
		return r;
	open_wifi(n, loop);
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
	loop_timer_free(n->settle);
	nl_socket_free(n->route);
	nl_socket_free(n->wifi);
	free(n);
}

size_t netwatch_health(const struct netwatch *n, struct proto_health_interface *rows, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < NETWATCH_MAX && count < max; i++)
		if (n->table.rows[i].index)
			rows[count++] = n->table.rows[i].h;
	return count;
}
