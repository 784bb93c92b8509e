/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/netwatch.h"
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

/** Which interface a message is about; 0 = none of ours. */
static int device_of(struct nlattr *header)
{
	struct nlattr *attrs[ETHTOOL_A_HEADER_MAX + 1];

	if (!header || nla_parse_nested(attrs, ETHTOOL_A_HEADER_MAX, header, NULL) < 0 ||
	    !attrs[ETHTOOL_A_HEADER_DEV_INDEX] || nla_len(attrs[ETHTOOL_A_HEADER_DEV_INDEX]) < 4)
		return 0;
	return (int) nla_get_u32(attrs[ETHTOOL_A_HEADER_DEV_INDEX]);
}

static uint32_t speed_of(const struct nlattr *a)
{
	uint32_t mbps = a && nla_len(a) >= 4 ? nla_get_u32(a) : 0;

	return mbps <= INT32_MAX ? mbps : 0; /* SPEED_UNKNOWN is -1 */
}

static uint8_t duplex_of(const struct nlattr *a)
{
	uint8_t v = a && nla_len(a) >= 1 ? nla_get_u8(a) : DUPLEX_UNKNOWN;

	if (v == DUPLEX_UNKNOWN)
		return PROTO_DUPLEX_UNKNOWN;
	return v == DUPLEX_FULL ? PROTO_DUPLEX_FULL : PROTO_DUPLEX_HALF;
}

static int take_modes(struct netwatch_table *t, struct nlmsghdr *h)
{
	struct nlattr *attrs[ETHTOOL_A_LINKMODES_MAX + 1];
	const struct genlmsghdr *g = nlmsg_data(h);
	struct proto_health_interface before;
	struct netwatch_row *row;

	if (nlmsg_datalen(h) < (int) GENL_HDRLEN ||
	    (g->cmd != ETHTOOL_MSG_LINKMODES_GET_REPLY && g->cmd != ETHTOOL_MSG_LINKMODES_NTF) ||
	    nlmsg_parse(h, GENL_HDRLEN, attrs, ETHTOOL_A_LINKMODES_MAX, NULL) < 0)
		return 0;
	row = netwatch_row_find(t, device_of(attrs[ETHTOOL_A_LINKMODES_HEADER]));
	if (!row)
		return 0;
	before = row->h;
	row->h.speed_mbps = row->h.up ? speed_of(attrs[ETHTOOL_A_LINKMODES_SPEED]) : 0;
	row->h.duplex = row->h.up ? duplex_of(attrs[ETHTOOL_A_LINKMODES_DUPLEX])
				  : (uint8_t) PROTO_DUPLEX_UNKNOWN;
	return before.speed_mbps != row->h.speed_mbps || before.duplex != row->h.duplex;
}

int netwatch_parse_wired(struct netwatch_table *t, uint16_t family, const void *data, size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *) data;
	int left = (int) MIN(len, (size_t) INT32_MAX);
	int changed = 0;

	for (; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
		if (h->nlmsg_type == family)
			changed += take_modes(t, h);
	return changed;
}
