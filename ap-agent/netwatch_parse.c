/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/netwatch.h"
#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

/* --- rows ------------------------------------------------------------------------------------- */

struct netwatch_row *netwatch_row_find(struct netwatch_table *t, int index)
{
	for (size_t i = 0; index > 0 && i < NETWATCH_MAX; i++)
		if (t->rows[i].index == index)
			return &t->rows[i];
	return NULL;
}

static struct netwatch_row *row_get(struct netwatch_table *t, int index)
{
	struct netwatch_row *row = netwatch_row_find(t, index);

	for (size_t i = 0; !row && index > 0 && i < NETWATCH_MAX; i++) {
		if (t->rows[i].index == 0) {
			row = &t->rows[i];
			row->index = index;
			row->h.busy_percent = PROTO_BUSY_UNKNOWN;
		}
	}
	if (!row)
		t->overflow++;
	return row;
}

/* --- text ------------------------------------------------------------------------------------- */

/** Bytes of one UTF-8 character that may be shown, 0 for what is none. */
static size_t character(const uint8_t *p, size_t left)
{
	size_t n = p[0] < 0x80                   ? 1
		   : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
		   : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
						 : 0;

	if (n == 0 || n > left || p[0] < 0x20 || p[0] == 0x7f)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if (n == 2 && p[0] == 0xc2 && p[1] < 0xa0) /* control characters */
		return 0;
	if (n == 3 && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0)))
		return 0;
	return n;
}

void netwatch_text(const void *data, int bytes, char *to, size_t cap)
{
	const uint8_t *p = data;
	size_t len = p && bytes > 0 ? MIN((size_t) bytes, cap - 1) : 0, at = 0;

	while (at < len) {
		size_t n = character(p + at, len - at);

		if (n == 0) {
			to[at++] = '?';
			continue;
		}
		memcpy(to + at, p + at, n);
		at += n;
	}
	to[at] = '\0';
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

static void note_change(struct netwatch_table *t, struct netwatch_row *row)
{
	row->changes_us[row->n_changes++ % NETWATCH_CHANGES] = t->now_us;
	row->h.changed_us = t->now_us;
}

/** The kernel counts every change, also those between two of its messages. Without a count the
 * state that is seen must do. */
static void count_changes(struct netwatch_table *t, struct netwatch_row *row,
			  struct nlattr *const *attrs, bool was_up, bool is_new)
{
	uint32_t now = row->carrier_changes;

	if (!attrs[IFLA_CARRIER_CHANGES] || nla_len(attrs[IFLA_CARRIER_CHANGES]) < 4) {
		if (!is_new && was_up != row->h.up)
			note_change(t, row);
		return;
	}
	now = nla_get_u32(attrs[IFLA_CARRIER_CHANGES]);
	for (uint32_t n = MIN(now - row->carrier_changes, (uint32_t) NETWATCH_CHANGES);
	     row->counted && n > 0; n--)
		note_change(t, row);
	row->carrier_changes = now;
	row->counted = true;
}

/** A cable that is out has no speed, a radio that is off no signal. */
static void forget_link(struct proto_health_interface *h)
{
	h->signal_dbm = 0;
	h->speed_mbps = 0;
	h->duplex = PROTO_DUPLEX_UNKNOWN;
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
		struct netwatch_row *gone = netwatch_row_find(t, info->ifi_index);

		if (!gone)
			return 0;
		memset(gone, 0, sizeof(*gone));
		return 1;
	}

	bool is_new = !netwatch_row_find(t, info->ifi_index);
	struct netwatch_row *row = row_get(t, info->ifi_index);

	if (!row)
		return 0;

	struct proto_health_interface before = row->h;

	if (attrs[IFLA_IFNAME])
		netwatch_text(nla_data(attrs[IFLA_IFNAME]),
			      (int) strnlen(nla_data(attrs[IFLA_IFNAME]),
					    (size_t) MAX(nla_len(attrs[IFLA_IFNAME]), 0)),
			      row->h.name, sizeof(row->h.name));
	row->h.up = carries(info, attrs);
	row->h.was_up |= row->h.up;
	row->h.carrier = attrs[IFLA_CARRIER] && nla_len(attrs[IFLA_CARRIER]) >= 1
				 ? nla_get_u8(attrs[IFLA_CARRIER]) != 0
				 : row->h.up;
	count_changes(t, row, attrs, before.up, is_new);
	if (!row->h.up)
		forget_link(&row->h);
	return before.up != row->h.up || before.carrier != row->h.carrier ||
	       strcmp(before.name, row->h.name) != 0;
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
	struct netwatch_row *row = netwatch_row_find(t, (int) info->ifa_index);

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

/* --- what is told of it ----------------------------------------------------------------------- */

static uint16_t changes_of_late(const struct netwatch_row *row, int64_t now_us)
{
	uint16_t n = 0;

	for (unsigned int i = 0; i < MIN(row->n_changes, (unsigned int) NETWATCH_CHANGES); i++)
		n += now_us - row->changes_us[i] < NETWATCH_STEADY_US;
	return n;
}

size_t netwatch_table_health(const struct netwatch_table *t, int64_t now_us,
			     struct proto_health_interface *rows, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < NETWATCH_MAX && count < max; i++) {
		if (!t->rows[i].index)
			continue;
		rows[count] = t->rows[i].h;
		rows[count++].changes = changes_of_late(&t->rows[i], now_us);
	}
	return count;
}
