/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/netwatch.h"
#include <linux/nl80211.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <string.h>

static bool has(struct nlattr *const *attrs, int type, int bytes)
{
	return attrs[type] && nla_len(attrs[type]) >= bytes;
}

static uint32_t u32_of(struct nlattr *const *attrs, int type)
{
	return has(attrs, type, 4) ? nla_get_u32(attrs[type]) : 0;
}

/* --- network and channel ---------------------------------------------------------------------- */

static uint8_t role_of(uint32_t iftype)
{
	switch (iftype) {
	case NL80211_IFTYPE_STATION:
	case NL80211_IFTYPE_P2P_CLIENT:
		return PROTO_WIFI_STATION;
	case NL80211_IFTYPE_AP:
	case NL80211_IFTYPE_AP_VLAN:
	case NL80211_IFTYPE_P2P_GO:
		return PROTO_WIFI_AP;
	case NL80211_IFTYPE_MESH_POINT:
		return PROTO_WIFI_MESH;
	case NL80211_IFTYPE_MONITOR:
		return PROTO_WIFI_MONITOR;
	default:
		return PROTO_WIFI_OTHER;
	}
}

static uint32_t width_of(uint32_t chan_width)
{
	switch (chan_width) {
	case NL80211_CHAN_WIDTH_20_NOHT:
	case NL80211_CHAN_WIDTH_20:
		return 20;
	case NL80211_CHAN_WIDTH_40:
		return 40;
	case NL80211_CHAN_WIDTH_80:
	case NL80211_CHAN_WIDTH_80P80:
		return 80;
	case NL80211_CHAN_WIDTH_160:
		return 160;
	case NL80211_CHAN_WIDTH_320:
		return 320;
	case NL80211_CHAN_WIDTH_5:
		return 5;
	case NL80211_CHAN_WIDTH_10:
		return 10;
	default:
		return 0;
	}
}

static void take_channel(struct netwatch_row *row, struct nlattr *const *attrs)
{
	row->h.frequency_mhz = u32_of(attrs, NL80211_ATTR_WIPHY_FREQ);
	row->h.width_mhz = has(attrs, NL80211_ATTR_CHANNEL_WIDTH, 4)
				   ? width_of(u32_of(attrs, NL80211_ATTR_CHANNEL_WIDTH))
				   : 0;
	row->h.centre_mhz = u32_of(attrs, NL80211_ATTR_CENTER_FREQ1);
	if (row->h.centre_mhz == 0)
		row->h.centre_mhz = row->h.frequency_mhz;
}

static bool in_2_4_ghz(uint32_t mhz)
{
	return mhz >= 2400 && mhz < 2500;
}

/** One interface may hold several links, each on a channel of its own: that in the labels' band is
 * the one that matters, else the first. */
static void take_links(struct netwatch_row *row, struct nlattr *links)
{
	struct nlattr *link;
	int left;

	nla_for_each_nested(link, links, left)
	{
		struct nlattr *attrs[NL80211_ATTR_MAX + 1];

		if (nla_parse_nested(attrs, NL80211_ATTR_MAX, link, NULL) < 0 ||
		    u32_of(attrs, NL80211_ATTR_WIPHY_FREQ) == 0)
			continue;
		if (row->h.frequency_mhz == 0 ||
		    (!in_2_4_ghz(row->h.frequency_mhz) &&
		     in_2_4_ghz(u32_of(attrs, NL80211_ATTR_WIPHY_FREQ))))
			take_channel(row, attrs);
	}
}

static void take_interface(struct netwatch_row *row, struct nlattr *const *attrs)
{
	row->h.wireless = true;
	if (has(attrs, NL80211_ATTR_IFTYPE, 4))
		row->h.role = role_of(u32_of(attrs, NL80211_ATTR_IFTYPE));
	take_channel(row, attrs);
	if (attrs[NL80211_ATTR_MLO_LINKS])
		take_links(row, attrs[NL80211_ATTR_MLO_LINKS]);
	if (row->h.frequency_mhz == 0) {
		row->h.noise_dbm = 0;
		row->h.busy_percent = PROTO_BUSY_UNKNOWN;
	}
	/* The network of a client that its own supplicant brought there is told elsewhere. */
	if (!attrs[NL80211_ATTR_SSID] && row->h.role == PROTO_WIFI_STATION && row->h.frequency_mhz)
		return;
	netwatch_text(attrs[NL80211_ATTR_SSID] ? nla_data(attrs[NL80211_ATTR_SSID]) : NULL,
		      attrs[NL80211_ATTR_SSID] ? nla_len(attrs[NL80211_ATTR_SSID]) : 0, row->h.ssid,
		      sizeof(row->h.ssid));
}

/* --- what moves all the time: not worth a report of its own ------------------------------------
 */

static void take_station(struct netwatch_row *row, struct nlattr *info)
{
	struct nlattr *attrs[NL80211_STA_INFO_MAX + 1];
	struct nlattr *signal;

	if (nla_parse_nested(attrs, NL80211_STA_INFO_MAX, info, NULL) < 0)
		return;
	signal = attrs[NL80211_STA_INFO_SIGNAL_AVG] ? attrs[NL80211_STA_INFO_SIGNAL_AVG]
						    : attrs[NL80211_STA_INFO_SIGNAL];
	if (signal && nla_len(signal) >= 1)
		row->h.signal_dbm = (int8_t) nla_get_u8(signal);
}

static uint64_t u64_of(struct nlattr *const *attrs, int type)
{
	return has(attrs, type, 8) ? nla_get_u64(attrs[type]) : 0;
}

/** The counts run on while the channel stays; what counts is how much of them came since. */
static void take_survey(struct netwatch_row *row, struct nlattr *info)
{
	struct nlattr *attrs[NL80211_SURVEY_INFO_MAX + 1];
	uint64_t ms, busy_ms;
	uint32_t mhz;

	if (nla_parse_nested(attrs, NL80211_SURVEY_INFO_MAX, info, NULL) < 0)
		return;
	mhz = u32_of(attrs, NL80211_SURVEY_INFO_FREQUENCY);
	if (mhz == 0 || mhz != row->h.frequency_mhz)
		return;
	if (has(attrs, NL80211_SURVEY_INFO_NOISE, 1))
		row->h.noise_dbm = (int8_t) nla_get_u8(attrs[NL80211_SURVEY_INFO_NOISE]);
	ms = u64_of(attrs, NL80211_SURVEY_INFO_TIME);
	busy_ms = u64_of(attrs, NL80211_SURVEY_INFO_TIME_BUSY);
	if (row->survey_mhz == mhz && ms > row->survey_ms && busy_ms >= row->survey_busy_ms &&
	    has(attrs, NL80211_SURVEY_INFO_TIME_BUSY, 8)) {
		uint64_t span = ms - row->survey_ms;
		uint64_t busy = MIN(busy_ms - row->survey_busy_ms, span);

		row->h.busy_percent = (uint8_t) ((double) busy * 100 / (double) span);
	}
	row->survey_mhz = mhz;
	row->survey_ms = ms;
	row->survey_busy_ms = busy_ms;
}

/** Of all the networks in reach the one that the client is in; its first element is the name. */
static void take_network(struct netwatch_row *row, struct nlattr *bss)
{
	struct nlattr *attrs[NL80211_BSS_MAX + 1], *list;
	const uint8_t *p;
	int left;

	if (nla_parse_nested(attrs, NL80211_BSS_MAX, bss, NULL) < 0 ||
	    !has(attrs, NL80211_BSS_STATUS, 4) ||
	    u32_of(attrs, NL80211_BSS_STATUS) != NL80211_BSS_STATUS_ASSOCIATED)
		return;
	list = attrs[NL80211_BSS_INFORMATION_ELEMENTS] ? attrs[NL80211_BSS_INFORMATION_ELEMENTS]
						       : attrs[NL80211_BSS_BEACON_IES];
	if (!list)
		return;
	p = nla_data(list);
	for (left = nla_len(list); left >= 2 && p[1] + 2 <= left; left -= p[1] + 2, p += p[1] + 2) {
		if (p[0] == 0) {
			netwatch_text(p + 2, p[1], row->h.ssid, sizeof(row->h.ssid));
			return;
		}
	}
}

/* --- messages --------------------------------------------------------------------------------- */

static int take_wifi(struct netwatch_table *t, struct nlmsghdr *h, bool *ret_ask)
{
	struct nlattr *attrs[NL80211_ATTR_MAX + 1];
	const struct genlmsghdr *g = nlmsg_data(h);
	struct proto_health_interface before;
	struct netwatch_row *row;

	if (nlmsg_datalen(h) < (int) GENL_HDRLEN ||
	    nlmsg_parse(h, GENL_HDRLEN, attrs, NL80211_ATTR_MAX, NULL) < 0 ||
	    !has(attrs, NL80211_ATTR_IFINDEX, 4))
		return 0;
	row = netwatch_row_find(t, (int) nla_get_u32(attrs[NL80211_ATTR_IFINDEX]));
	if (!row)
		return 0;
	before = row->h;
	switch (g->cmd) {
	case NL80211_CMD_NEW_INTERFACE:
		take_interface(row, attrs);
		break;
	case NL80211_CMD_CH_SWITCH_NOTIFY:
		if (u32_of(attrs, NL80211_ATTR_WIPHY_FREQ))
			take_channel(row, attrs);
		*ret_ask = true;
		break;
	case NL80211_CMD_CONNECT:
	case NL80211_CMD_ROAM:
	case NL80211_CMD_DISCONNECT:
		if (row->h.role == PROTO_WIFI_STATION)
			row->h.ssid[0] = '\0'; /* perhaps another one now */
		*ret_ask = true;
		break;
	case NL80211_CMD_START_AP:
	case NL80211_CMD_STOP_AP:
	case NL80211_CMD_JOIN_MESH:
	case NL80211_CMD_LEAVE_MESH:
	case NL80211_CMD_SET_INTERFACE:
		*ret_ask = true;
		break;
	case NL80211_CMD_NEW_STATION:
		if (attrs[NL80211_ATTR_STA_INFO] && row->h.role != PROTO_WIFI_AP)
			take_station(row, attrs[NL80211_ATTR_STA_INFO]);
		return 0;
	case NL80211_CMD_NEW_SCAN_RESULTS:
		if (attrs[NL80211_ATTR_BSS] && row->h.role == PROTO_WIFI_STATION)
			take_network(row, attrs[NL80211_ATTR_BSS]);
		break;
	case NL80211_CMD_NEW_SURVEY_RESULTS:
		if (attrs[NL80211_ATTR_SURVEY_INFO])
			take_survey(row, attrs[NL80211_ATTR_SURVEY_INFO]);
		return 0;
	default:
		break;
	}
	return before.frequency_mhz != row->h.frequency_mhz ||
	       before.width_mhz != row->h.width_mhz || before.centre_mhz != row->h.centre_mhz ||
	       before.role != row->h.role || strcmp(before.ssid, row->h.ssid) != 0;
}

int netwatch_parse_wifi(struct netwatch_table *t, uint16_t family, const void *data, size_t len,
			bool *ret_ask)
{
	struct nlmsghdr *h = (struct nlmsghdr *) data;
	int left = (int) MIN(len, (size_t) INT32_MAX);
	int changed = 0;
	bool ask = false;

	for (; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
		if (h->nlmsg_type == family)
			changed += take_wifi(t, h, &ask);
	if (ret_ask)
		*ret_ask = ask;
	return changed;
}

size_t netwatch_table_wifi(const struct netwatch_table *t, struct channels_wifi *list, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < NETWATCH_MAX && n < max; i++) {
		const struct proto_health_interface *h = &t->rows[i].h;

		if (!t->rows[i].index || !h->wireless || h->centre_mhz == 0 ||
		    h->role == PROTO_WIFI_MONITOR)
			continue;
		list[n++] =
			(struct channels_wifi){.centre_mhz = h->centre_mhz,
					       .width_mhz = h->width_mhz,
					       .busy_percent = h->busy_percent == PROTO_BUSY_UNKNOWN
								       ? CHANNELS_BUSY_UNKNOWN
								       : h->busy_percent};
	}
	return n;
}
