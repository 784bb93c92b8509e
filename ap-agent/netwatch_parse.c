/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/netwatch.h"
#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/nl80211.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

/* --- rows ------------------------------------------------------------------------------------- */

static struct netwatch_row *row_find(struct netwatch_table *t, int index)
{
	for (size_t i = 0; index > 0 && i < NETWATCH_MAX; i++)
		if (t->rows[i].index == index)
			return &t->rows[i];
	return NULL;
}

static struct netwatch_row *row_get(struct netwatch_table *t, int index)
{
	struct netwatch_row *row = row_find(t, index);

	for (size_t i = 0; !row && index > 0 && i < NETWATCH_MAX; i++) {
		if (t->rows[i].index == 0) {
			row = &t->rows[i];
			row->index = index;
		}
	}
	if (!row)
		t->overflow++;
	return row;
}

/* --- route ------------------------------------------------------------------------------------ */

static bool carries(const struct ifinfomsg *info, struct nlattr *const *attrs)
{
	uint8_t state = IF_OPER_UNKNOWN;

	if (attrs[IFLA_OPERSTATE] && nla_len(attrs[IFLA_OPERSTATE]) >= 1)
		state = nla_get_u8(attrs[IFLA_OPERSTATE]);
	if (state == IF_OPER_UNKNOWN) /* drivers that do not say */
		return (info->ifi_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
	return state == IF_OPER_UP;
}

static int take_link(struct netwatch_table *t, struct nlmsghdr *h)
{
	struct nlattr *attrs[IFLA_MAX + 1];

	if (nlmsg_parse(h, sizeof(struct ifinfomsg), attrs, IFLA_MAX, NULL) < 0)
		return 0;

	const struct ifinfomsg *info = nlmsg_data(h);

	if (info->ifi_flags & IFF_LOOPBACK)
		return 0;
	if (h->nlmsg_type == RTM_DELLINK) {
		struct netwatch_row *gone = row_find(t, info->ifi_index);

		if (!gone)
			return 0;
		memset(gone, 0, sizeof(*gone));
		return 1;
	}

	struct netwatch_row *row = row_get(t, info->ifi_index);

	if (!row)
		return 0;

	struct proto_health_interface before = row->h;

	if (attrs[IFLA_IFNAME])
		nla_strlcpy(row->h.name, attrs[IFLA_IFNAME], sizeof(row->h.name));
	row->h.up = carries(info, attrs);
	if (!row->h.up)
		row->h.signal_dbm = 0;
	return before.up != row->h.up || strcmp(before.name, row->h.name) != 0;
}

static int take_address(struct netwatch_table *t, struct nlmsghdr *h)
{
	struct nlattr *attrs[IFA_MAX + 1];
	char text[INET6_ADDRSTRLEN];

	if (nlmsg_parse(h, sizeof(struct ifaddrmsg), attrs, IFA_MAX, NULL) < 0)
		return 0;

	const struct ifaddrmsg *info = nlmsg_data(h);
	struct nlattr *a = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	bool v6 = info->ifa_family == AF_INET6;
	struct netwatch_row *row = row_find(t, (int) info->ifa_index);

	if (!row || !a || info->ifa_scope != RT_SCOPE_UNIVERSE ||
	    (!v6 && info->ifa_family != AF_INET) || nla_len(a) != (v6 ? 16 : 4) ||
	    !inet_ntop(info->ifa_family, nla_data(a), text, sizeof(text)))
		return 0;
	if (h->nlmsg_type == RTM_DELADDR) {
		if (strcmp(row->h.address, text) != 0)
			return 0;
		row->h.address[0] = '\0';
		row->address_v6 = false;
		return 1;
	}
	/* The first one stays; an IPv4 one, which people know, takes the place of an IPv6 one. */
	if (row->h.address[0] && !(row->address_v6 && !v6))
		return 0;
	snprintf(row->h.address, sizeof(row->h.address), "%s", text);
	row->address_v6 = v6;
	return 1;
}

int netwatch_parse_route(struct netwatch_table *t, const void *data, size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *) data;
	int left = (int) MIN(len, (size_t) INT32_MAX);
	int changed = 0;

	for (; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
		switch (h->nlmsg_type) {
		case RTM_NEWLINK:
		case RTM_DELLINK:
			changed += take_link(t, h);
			break;
		case RTM_NEWADDR:
		case RTM_DELADDR:
			changed += take_address(t, h);
			break;
		default:
			break;
		}
	}
	return changed;
}

/* --- Wi-Fi ------------------------------------------------------------------------------------ */

static int take_station(struct netwatch_row *row, struct nlattr *info)
{
	struct nlattr *attrs[NL80211_STA_INFO_MAX + 1];
	struct nlattr *signal;

	if (nla_parse_nested(attrs, NL80211_STA_INFO_MAX, info, NULL) < 0)
		return 0;
	signal = attrs[NL80211_STA_INFO_SIGNAL_AVG] ? attrs[NL80211_STA_INFO_SIGNAL_AVG]
						    : attrs[NL80211_STA_INFO_SIGNAL];
	if (!signal || nla_len(signal) < 1)
		return 0;
	row->h.signal_dbm = (int8_t) nla_get_u8(signal);
	return 0; /* it moves all the time: not worth a report of its own */
}

static int take_wifi(struct netwatch_table *t, struct nlmsghdr *h)
{
	struct nlattr *attrs[NL80211_ATTR_MAX + 1];

	if (nlmsg_datalen(h) < (int) GENL_HDRLEN ||
	    nlmsg_parse(h, GENL_HDRLEN, attrs, NL80211_ATTR_MAX, NULL) < 0 ||
	    !attrs[NL80211_ATTR_IFINDEX] || nla_len(attrs[NL80211_ATTR_IFINDEX]) < 4)
		return 0;

	const struct genlmsghdr *g = nlmsg_data(h);
	struct netwatch_row *row = row_find(t, (int) nla_get_u32(attrs[NL80211_ATTR_IFINDEX]));

	if (!row)
		return 0;
	if (g->cmd == NL80211_CMD_NEW_STATION && attrs[NL80211_ATTR_STA_INFO])
		return take_station(row, attrs[NL80211_ATTR_STA_INFO]);
	if (g->cmd != NL80211_CMD_NEW_INTERFACE)
		return 0;

	uint32_t before = row->h.frequency_mhz;

	row->h.wireless = true;
	row->h.frequency_mhz = 0;
	if (attrs[NL80211_ATTR_WIPHY_FREQ] && nla_len(attrs[NL80211_ATTR_WIPHY_FREQ]) >= 4)
		row->h.frequency_mhz = nla_get_u32(attrs[NL80211_ATTR_WIPHY_FREQ]);
	return before != row->h.frequency_mhz;
}

int netwatch_parse_wifi(struct netwatch_table *t, uint16_t family, const void *data, size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *) data;
	int left = (int) MIN(len, (size_t) INT32_MAX);
	int changed = 0;

	for (; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
		if (h->nlmsg_type == family)
			changed += take_wifi(t, h);
	return changed;
}
