/* SPDX-License-Identifier: Apache-2.0 */
/* The network watch: netlink messages made by hand, and a real kernel in a namespace where one may
 * be made. */
#include "ap-agent/neighbours.h"
#include "ap-agent/netwatch.h"
#include "common/err.h"
#include "tests/unit/test_common.h"
#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/nl80211.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAMILY 31
#define WIRED  21

static bool asked; /**< by the last message about Wi-Fi */

static int feed(struct netwatch_table *t, struct nl_msg *m)
{
	struct nlmsghdr *h = nlmsg_hdr(m);
	int n = netwatch_parse_route(t, h, h->nlmsg_len);

	n += netwatch_parse_wifi(t, FAMILY, h, h->nlmsg_len, &asked);
	n += netwatch_parse_wired(t, WIRED, h, h->nlmsg_len);
	nlmsg_free(m);
	return n;
}

static struct nl_msg *link_msg(int type, int index, const char *name, unsigned int flags, int oper)
{
	struct ifinfomsg info = {.ifi_index = index, .ifi_flags = flags};
	struct nl_msg *m = nlmsg_alloc_simple(type, 0);

	nlmsg_append(m, &info, sizeof(info), NLMSG_ALIGNTO);
	if (name)
		nla_put_string(m, IFLA_IFNAME, name);
	if (oper >= 0)
		nla_put_u8(m, IFLA_OPERSTATE, (uint8_t) oper);
	return m;
}

static struct nl_msg *address_msg(int type, int index, const char *text, uint8_t scope)
{
	uint8_t bytes[16];
	bool v6 = strchr(text, ':') != NULL;
	struct ifaddrmsg info = {.ifa_family = v6 ? AF_INET6 : AF_INET,
				 .ifa_scope = scope,
				 .ifa_index = (unsigned int) index};
	struct nl_msg *m = nlmsg_alloc_simple(type, 0);

	inet_pton(info.ifa_family, text, bytes);
	nlmsg_append(m, &info, sizeof(info), NLMSG_ALIGNTO);
	nla_put(m, IFA_ADDRESS, v6 ? 16 : 4, bytes);
	return m;
}

static struct nl_msg *wifi_msg(uint8_t cmd, uint32_t index)
{
	struct nl_msg *m = nlmsg_alloc();

	genlmsg_put(m, 0, 0, FAMILY, 0, 0, cmd, 0);
	nla_put_u32(m, NL80211_ATTR_IFINDEX, index);
	return m;
}

static void a_cable_that_comes_and_goes_is_seen(void **state)
{
	struct netwatch_table t = {0};

	(void) state;
	assert_int_equal(feed(&t, link_msg(RTM_NEWLINK, 2, "eth0", IFF_UP, IF_OPER_UP)), 1);
	assert_string_equal(t.rows[0].h.name, "eth0");
	assert_true(t.rows[0].h.up);
	assert_int_equal(feed(&t, link_msg(RTM_NEWLINK, 2, "eth0", IFF_UP, IF_OPER_UP)), 0);
	assert_int_equal(feed(&t, link_msg(RTM_NEWLINK, 2, "eth0", IFF_UP, IF_OPER_DOWN)), 1);
	assert_false(t.rows[0].h.up);
	/* a driver that does not say: flags decide */
	feed(&t, link_msg(RTM_NEWLINK, 2, "eth0", IFF_UP | IFF_RUNNING, IF_OPER_UNKNOWN));
	assert_true(t.rows[0].h.up);
	assert_int_equal(feed(&t, link_msg(RTM_DELLINK, 2, "eth0", 0, -1)), 1);
	assert_int_equal(t.rows[0].index, 0);
}

static void loopback_is_left_out_and_the_table_is_bounded(void **state)
{
	struct netwatch_table t = {0};

	(void) state;
	assert_int_equal(feed(&t, link_msg(RTM_NEWLINK, 1, "lo", IFF_UP | IFF_LOOPBACK, 0)), 0);
	for (int i = 0; i < NETWATCH_MAX + 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "veth%d", i);
		feed(&t, link_msg(RTM_NEWLINK, 10 + i, name, IFF_UP, IF_OPER_UP));
	}
	assert_int_equal(t.overflow, 5);
}

static void the_first_global_address_is_told_and_ipv4_is_preferred(void **state)
{
	struct netwatch_table t = {0};

	(void) state;
	feed(&t, link_msg(RTM_NEWLINK, 2, "eth0", IFF_UP, IF_OPER_UP));
	assert_int_equal(feed(&t, address_msg(RTM_NEWADDR, 2, "fe80::1", RT_SCOPE_LINK)), 0);
	assert_string_equal(t.rows[0].h.address, "");
	assert_int_equal(feed(&t, address_msg(RTM_NEWADDR, 2, "2001:db8::1", 0)), 1);
	assert_int_equal(feed(&t, address_msg(RTM_NEWADDR, 2, "192.0.2.7", 0)), 1);
	assert_int_equal(feed(&t, address_msg(RTM_NEWADDR, 2, "192.0.2.8", 0)), 0);
	assert_string_equal(t.rows[0].h.address, "192.0.2.7");
	assert_int_equal(feed(&t, address_msg(RTM_DELADDR, 2, "192.0.2.8", 0)), 0);
	assert_int_equal(feed(&t, address_msg(RTM_DELADDR, 2, "192.0.2.7", 0)), 1);
	assert_string_equal(t.rows[0].h.address, "");
	/* an interface nobody told of */
	assert_int_equal(feed(&t, address_msg(RTM_NEWADDR, 9, "192.0.2.9", 0)), 0);
}

static void wifi_channel_and_signal_are_read(void **state)
{
	struct netwatch_table t = {0};
	struct nl_msg *m;

	(void) state;
	feed(&t, link_msg(RTM_NEWLINK, 3, "wlan0", IFF_UP, IF_OPER_UP));
	m = wifi_msg(NL80211_CMD_NEW_INTERFACE, 3);
	nla_put_u32(m, NL80211_ATTR_WIPHY_FREQ, 5180);
	assert_int_equal(feed(&t, m), 1);
	assert_true(t.rows[0].h.wireless);
	assert_int_equal(t.rows[0].h.frequency_mhz, 5180);

	m = wifi_msg(NL80211_CMD_NEW_STATION, 3);

	struct nlattr *info = nla_nest_start(m, NL80211_ATTR_STA_INFO);

	nla_put_u8(m, NL80211_STA_INFO_SIGNAL, (uint8_t) -61);
	nla_nest_end(m, info);
	feed(&t, m);
	assert_int_equal(t.rows[0].h.signal_dbm, -61);

	m = wifi_msg(NL80211_CMD_NEW_INTERFACE, 99);
	assert_int_equal(feed(&t, m), 0);
}

static struct nl_msg *channel_msg(uint8_t cmd, uint32_t index, uint32_t mhz, uint32_t width,
				  uint32_t centre)
{
	struct nl_msg *m = wifi_msg(cmd, index);

	nla_put_u32(m, NL80211_ATTR_IFTYPE, NL80211_IFTYPE_AP);
	nla_put_u32(m, NL80211_ATTR_WIPHY_FREQ, mhz);
	nla_put_u32(m, NL80211_ATTR_CHANNEL_WIDTH, width);
	nla_put_u32(m, NL80211_ATTR_CENTER_FREQ1, centre);
	return m;
}

static void an_access_point_of_our_own_is_read_whole(void **state)
{
	struct netwatch_table t = {0};
	struct channels_wifi list[NETWATCH_WIFI_MAX];
	struct nl_msg *m;

	(void) state;
	feed(&t, link_msg(RTM_NEWLINK, 3, "wlan0", IFF_UP, IF_OPER_UP));
	m = channel_msg(NL80211_CMD_NEW_INTERFACE, 3, 2437, NL80211_CHAN_WIDTH_40, 2447);
	nla_put(m, NL80211_ATTR_SSID, 7,
		"L\xc3\xa4"
		"d\x00\xffn");
	assert_int_equal(feed(&t, m), 1);
	assert_int_equal(t.rows[0].h.role, PROTO_WIFI_AP);
	assert_string_equal(t.rows[0].h.ssid, "Läd??n");
	assert_int_equal(netwatch_table_wifi(&t, list, NETWATCH_WIFI_MAX), 1);
	assert_int_equal(list[0].centre_mhz, 2447);
	assert_int_equal(list[0].width_mhz, 40);
	assert_int_equal(list[0].busy_percent, CHANNELS_BUSY_UNKNOWN);
	/* the same again is no news */
	m = channel_msg(NL80211_CMD_NEW_INTERFACE, 3, 2437, NL80211_CHAN_WIDTH_40, 2447);
	nla_put(m, NL80211_ATTR_SSID, 7,
		"L\xc3\xa4"
		"d\x00\xffn");
	assert_int_equal(feed(&t, m), 0);
}

static void an_interface_of_any_name_can_be_told(void **state)
{
	struct netwatch_table t = {0};

	(void) state;
	feed(&t, link_msg(RTM_NEWLINK, 3, "w\xff\n\xc3\xa4\xe0\x80", IFF_UP, IF_OPER_UP));
	assert_string_equal(t.rows[0].h.name, "w??ä??");
}

static void a_channel_switch_is_taken_from_its_event(void **state)
{
	struct netwatch_table t = {0};
	struct channels_wifi list[NETWATCH_WIFI_MAX];

	(void) state;
	feed(&t, link_msg(RTM_NEWLINK, 3, "wlan0", IFF_UP, IF_OPER_UP));
	feed(&t, channel_msg(NL80211_CMD_NEW_INTERFACE, 3, 2412, NL80211_CHAN_WIDTH_20, 2412));
	assert_false(asked);
	assert_int_equal(feed(&t, channel_msg(NL80211_CMD_CH_SWITCH_NOTIFY, 3, 2462,
					      NL80211_CHAN_WIDTH_20_NOHT, 2462)),
			 1);
	assert_true(asked);
	assert_int_equal(netwatch_table_wifi(&t, list, NETWATCH_WIFI_MAX), 1);
	assert_int_equal(list[0].centre_mhz, 2462);
	/* it ends: what is left must be asked for */
	assert_int_equal(feed(&t, wifi_msg(NL80211_CMD_STOP_AP, 3)), 0);
	assert_true(asked);
	assert_int_equal(feed(&t, wifi_msg(NL80211_CMD_NEW_INTERFACE, 3)), 1);
	assert_int_equal(netwatch_table_wifi(&t, list, NETWATCH_WIFI_MAX), 0);
}

static void of_several_links_the_one_in_our_band_counts(void **state)
{
	static const uint32_t mhz[] = {5180, 2462, 6115};
	struct netwatch_table t = {0};
	struct nl_msg *m = wifi_msg(NL80211_CMD_NEW_INTERFACE, 3);
	struct nlattr *links, *link;

	(void) state;
	feed(&t, link_msg(RTM_NEWLINK, 3, "wlan0", IFF_UP, IF_OPER_UP));
	links = nla_nest_start(m, NL80211_ATTR_MLO_LINKS);
	for (int i = 0; i < 3; i++) {
		link = nla_nest_start(m, i + 1);
		nla_put_u32(m, NL80211_ATTR_WIPHY_FREQ, mhz[i]);
		nla_nest_end(m, link);
	}
	nla_nest_end(m, links);
	feed(&t, m);
	assert_int_equal(t.rows[0].h.frequency_mhz, 2462);
	assert_int_equal(t.rows[0].h.centre_mhz, 2462);
}

static void a_monitor_is_no_neighbour(void **state)
{
	struct netwatch_table t = {0};
	struct channels_wifi list[NETWATCH_WIFI_MAX];
	struct nl_msg *m = wifi_msg(NL80211_CMD_NEW_INTERFACE, 3);

	(void) state;
	feed(&t, link_msg(RTM_NEWLINK, 3, "mon0", IFF_UP, IF_OPER_UP));
	nla_put_u32(m, NL80211_ATTR_IFTYPE, NL80211_IFTYPE_MONITOR);
	nla_put_u32(m, NL80211_ATTR_WIPHY_FREQ, 2412);
	feed(&t, m);
	assert_int_equal(netwatch_table_wifi(&t, list, NETWATCH_WIFI_MAX), 0);
}

static struct nl_msg *survey_msg(uint32_t mhz, uint64_t ms, uint64_t busy_ms)
{
	struct nl_msg *m = wifi_msg(NL80211_CMD_NEW_SURVEY_RESULTS, 3);
	struct nlattr *info = nla_nest_start(m, NL80211_ATTR_SURVEY_INFO);

	nla_put_u32(m, NL80211_SURVEY_INFO_FREQUENCY, mhz);
	nla_put_u8(m, NL80211_SURVEY_INFO_NOISE, (uint8_t) -91);
	nla_put_u64(m, NL80211_SURVEY_INFO_TIME, ms);
	nla_put_u64(m, NL80211_SURVEY_INFO_TIME_BUSY, busy_ms);
	nla_nest_end(m, info);
	return m;
}

static void load_and_noise_come_from_the_survey_of_the_channel_in_use(void **state)
{
	struct netwatch_table t = {0};
	const struct proto_health_interface *h = &t.rows[0].h;

	(void) state;
	feed(&t, link_msg(RTM_NEWLINK, 3, "wlan0", IFF_UP, IF_OPER_UP));
	feed(&t, channel_msg(NL80211_CMD_NEW_INTERFACE, 3, 2412, NL80211_CHAN_WIDTH_20, 2412));
	feed(&t, survey_msg(2437, 1000, 900));
	assert_int_equal(h->noise_dbm, 0);
	feed(&t, survey_msg(2412, 1000, 900));
	assert_int_equal(h->noise_dbm, -91);
	assert_int_equal(h->busy_percent, PROTO_BUSY_UNKNOWN); /* nothing to compare with */
	feed(&t, survey_msg(2412, 2000, 1150));
	assert_int_equal(h->busy_percent, 25);
	feed(&t, survey_msg(2412, 500, 10)); /* counted from nought again */
	feed(&t, survey_msg(2412, 600, UINT64_MAX));
	assert_int_equal(h->busy_percent, 100);
}

static struct nl_msg *network_msg(uint32_t status, const void *elements, int len)
{
	struct nl_msg *m = wifi_msg(NL80211_CMD_NEW_SCAN_RESULTS, 3);
	struct nlattr *bss = nla_nest_start(m, NL80211_ATTR_BSS);

	nla_put_u32(m, NL80211_BSS_STATUS, status);
	nla_put(m, NL80211_BSS_INFORMATION_ELEMENTS, len, elements);
	nla_nest_end(m, bss);
	return m;
}

static struct nl_msg *station_msg(void)
{
	struct nl_msg *m = wifi_msg(NL80211_CMD_NEW_INTERFACE, 3);

	nla_put_u32(m, NL80211_ATTR_IFTYPE, NL80211_IFTYPE_STATION);
	nla_put_u32(m, NL80211_ATTR_WIPHY_FREQ, 2437);
	return m;
}

static void the_network_of_a_client_is_the_one_it_is_in(void **state)
{
	static const uint8_t other[] = {0, 2, 'n', 'o'},
			     ours[] = {1, 1, 9, 0, 4, 'S', 'h', 'o', 'p'}, lies[] = {0, 200, 'x'};
	struct netwatch_table t = {0};
	const struct proto_health_interface *h = &t.rows[0].h;

	(void) state;
	feed(&t, link_msg(RTM_NEWLINK, 3, "wlan0", IFF_UP, IF_OPER_UP));
	feed(&t, station_msg());
	feed(&t, network_msg(NL80211_BSS_STATUS_AUTHENTICATED, other, sizeof(other)));
	feed(&t, network_msg(NL80211_BSS_STATUS_ASSOCIATED, lies, sizeof(lies)));
	assert_string_equal(h->ssid, "");
	assert_int_equal(feed(&t, network_msg(NL80211_BSS_STATUS_ASSOCIATED, ours, sizeof(ours))),
			 1);
	assert_string_equal(h->ssid, "Shop");
	assert_int_equal(feed(&t, station_msg()), 0); /* and stays */
	assert_int_equal(feed(&t, wifi_msg(NL80211_CMD_DISCONNECT, 3)), 1);
	assert_true(asked);
	assert_string_equal(h->ssid, "");
}

static void the_signal_of_clients_is_not_ours(void **state)
{
	struct netwatch_table t = {0};
	struct nl_msg *m = wifi_msg(NL80211_CMD_NEW_STATION, 3);
	struct nlattr *info = nla_nest_start(m, NL80211_ATTR_STA_INFO);

	(void) state;
	nla_put_u8(m, NL80211_STA_INFO_SIGNAL, (uint8_t) -40);
	nla_nest_end(m, info);
	feed(&t, link_msg(RTM_NEWLINK, 3, "wlan0", IFF_UP, IF_OPER_UP));
	feed(&t, channel_msg(NL80211_CMD_NEW_INTERFACE, 3, 2412, NL80211_CHAN_WIDTH_20, 2412));
	feed(&t, m);
	assert_int_equal(t.rows[0].h.signal_dbm, 0);
}

static struct nl_msg *modes_msg(uint32_t index, uint32_t mbps, uint8_t duplex)
{
	struct nl_msg *m = nlmsg_alloc();
	struct nlattr *header;

	genlmsg_put(m, 0, 0, WIRED, 0, 0, ETHTOOL_MSG_LINKMODES_GET_REPLY, 0);
	header = nla_nest_start(m, ETHTOOL_A_LINKMODES_HEADER);
	nla_put_u32(m, ETHTOOL_A_HEADER_DEV_INDEX, index);
	nla_nest_end(m, header);
	nla_put_u32(m, ETHTOOL_A_LINKMODES_SPEED, mbps);
	nla_put_u8(m, ETHTOOL_A_LINKMODES_DUPLEX, duplex);
	return m;
}

static void speed_and_duplex_of_a_cable_are_read_and_go_with_it(void **state)
{
	struct netwatch_table t = {0};
	const struct proto_health_interface *h = &t.rows[0].h;

	(void) state;
	assert_int_equal(feed(&t, modes_msg(2, 1000, DUPLEX_FULL)), 0); /* nobody's */
	feed(&t, link_msg(RTM_NEWLINK, 2, "eth0", IFF_UP, IF_OPER_UP));
	assert_int_equal(feed(&t, modes_msg(2, 100, DUPLEX_HALF)), 1);
	assert_int_equal(h->speed_mbps, 100);
	assert_int_equal(h->duplex, PROTO_DUPLEX_HALF);
	assert_int_equal(feed(&t, modes_msg(2, 100, DUPLEX_HALF)), 0);
	assert_int_equal(feed(&t, modes_msg(2, UINT32_MAX, DUPLEX_UNKNOWN)), 1);
	assert_int_equal(h->speed_mbps, 0);
	feed(&t, modes_msg(2, 1000, DUPLEX_FULL));
	feed(&t, link_msg(RTM_NEWLINK, 2, "eth0", IFF_UP, IF_OPER_DOWN));
	assert_int_equal(h->speed_mbps, 0);
	assert_int_equal(h->duplex, PROTO_DUPLEX_UNKNOWN);
}

static struct nl_msg *counted_link(uint32_t changes, int oper)
{
	struct nl_msg *m = link_msg(RTM_NEWLINK, 2, "eth0", IFF_UP, oper);

	nla_put_u32(m, IFLA_CARRIER_CHANGES, changes);
	return m;
}

static void a_link_that_comes_and_goes_is_counted_for_ten_minutes(void **state)
{
	struct netwatch_table t = {.now_us = 1000 * US_PER_SEC};
	struct proto_health_interface h;

	(void) state;
	feed(&t, counted_link(40, IF_OPER_UP)); /* what was before us does not count */
	netwatch_table_health(&t, t.now_us, &h, 1);
	assert_int_equal(h.changes, 0);
	assert_true(h.was_up);
	t.now_us += US_PER_SEC;
	feed(&t, counted_link(44, IF_OPER_UP)); /* down and up twice, too fast to be told of each */
	feed(&t, counted_link(45, IF_OPER_DOWN));
	netwatch_table_health(&t, t.now_us, &h, 1);
	assert_int_equal(h.changes, 5);
	assert_int_equal(h.changed_us, 1001 * US_PER_SEC);
	assert_false(h.up);
	assert_true(h.was_up);
	feed(&t, counted_link(UINT32_MAX, IF_OPER_DOWN));
	netwatch_table_health(&t, t.now_us, &h, 1);
	assert_int_equal(h.changes, NETWATCH_CHANGES);
	netwatch_table_health(&t, t.now_us + NETWATCH_STEADY_US, &h, 1);
	assert_int_equal(h.changes, 0);
}

static void keep_map(void *user, uint64_t map)
{
	*(uint64_t *) user = map;
}

static void neighbours_give_channels_back_by_themselves(void **state)
{
	struct channels_wifi six = {2437, 20, CHANNELS_BUSY_UNKNOWN};
	uint64_t map = 0;
	struct loop *loop;
	struct neighbours *n;

	(void) state;
	assert_int_equal(loop_new_virtual(US_PER_SEC, 0, &loop), 0);
	assert_int_equal(neighbours_new(loop, keep_map, &map, &n), 0);
	neighbours_see(n, NULL, 0);
	assert_int_equal(map, 0); /* nothing new */
	neighbours_see(n, &six, 1);
	assert_int_equal(map, CHANNELS_ALL & ~(UINT64_C(0x7ff) << 11));
	neighbours_see(n, NULL, 0);
	loop_run_until(loop, US_PER_SEC + CHANNELS_HOLD_US - US_PER_SEC);
	assert_int_equal(map, CHANNELS_ALL & ~(UINT64_C(0x7ff) << 11));
	loop_run_until(loop, 2 * US_PER_SEC + CHANNELS_HOLD_US);
	assert_int_equal(map, CHANNELS_ALL);
	neighbours_free(n);
	loop_free(loop);
}

static void cut_messages_change_nothing(void **state)
{
	struct nl_msg *m = link_msg(RTM_NEWLINK, 2, "eth0", IFF_UP, IF_OPER_UP);
	struct nlmsghdr *h = nlmsg_hdr(m);

	(void) state;
	for (size_t cut = 0; cut < h->nlmsg_len; cut++) {
		struct netwatch_table t = {0};
		_cleanup_free_ uint8_t *copy = malloc(cut ? cut : 1);

		memcpy(copy, h, cut);
		assert_int_equal(netwatch_parse_route(&t, copy, cut), 0);
		assert_int_equal(t.rows[0].index, 0);
	}
	nlmsg_free(m);
}

/* --- with a kernel ---------------------------------------------------------------------------- */

static void count(void *user)
{
	++*(unsigned int *) user;
}

static int find_row(const struct netwatch *n, const char *name, struct proto_health_interface *ret)
{
	struct proto_health_interface rows[NETWATCH_MAX];
	size_t have = netwatch_health(n, rows, NETWATCH_MAX);

	for (size_t i = 0; i < have; i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*ret = rows[i];
			return 0;
		}
	}
	return -1;
}

static int ip(const char *const argv[])
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		execvp("ip", (char *const *) argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return status;
}

#define IP(...) ip((const char *const[]){"ip", __VA_ARGS__, NULL})

/* Runs in a namespace of its own; the exit status says which step failed. */
static int watch_a_veth(void)
{
	struct loop *loop;
	struct netwatch *n;
	struct proto_health_interface row = {0};
	unsigned int changes = 0;

	if (IP("link", "add", "gv0", "type", "veth", "peer", "name", "gv1") != 0)
		return 77;
	if (loop_new(&loop) < 0 || netwatch_new(loop, count, &changes, &n) < 0)
		return 1;
	for (int i = 0; i < 50 && find_row(n, "gv0", &row) < 0; i++)
		loop_run_once(loop, 100);
	if (row.name[0] == '\0' || row.up)
		return 2;
	if (IP("addr", "add", "192.0.2.1/24", "dev", "gv0") != 0 ||
	    IP("link", "set", "gv0", "up") != 0 || IP("link", "set", "gv1", "up") != 0)
		return 3;
	for (int i = 0; i < 50 && !(row.up && row.address[0]); i++) {
		loop_run_once(loop, 100);
		(void) find_row(n, "gv0", &row);
	}
	if (!row.up || strcmp(row.address, "192.0.2.1") != 0)
		return 4;
	for (int i = 0; i < 50 && !row.speed_mbps; i++) {
		loop_run_once(loop, 100);
		(void) find_row(n, "gv0", &row);
	}
	/* such a pair says 10 Gbit/s, full duplex */
	if (!row.carrier || row.speed_mbps != 10000 || row.duplex != PROTO_DUPLEX_FULL)
		return 7;
	if (IP("link", "set", "gv1", "down") != 0)
		return 5;
	for (int i = 0; i < 50 && row.up; i++) {
		loop_run_once(loop, 100);
		(void) find_row(n, "gv0", &row);
	}
	for (int i = 0; i < 5; i++) /* the report of it follows in a tenth of a second */
		loop_run_once(loop, 100);
	(void) find_row(n, "gv0", &row);
	if (row.up || row.carrier || changes < 1)
		return 6;
	if (row.speed_mbps || !row.was_up || row.changes < 2 || !row.changed_us)
		return 8;
	netwatch_free(n);
	loop_run_once(loop, 0);
	loop_free(loop);
	return 0;
}

static void a_real_link_is_followed_up_and_down(void **state)
{
	pid_t pid = fork();
	int status = 0;

	(void) state;
	if (pid == 0)
		_exit(unshare(CLONE_NEWNET) < 0 ? 77 : watch_a_veth());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cable_that_comes_and_goes_is_seen),
		cmocka_unit_test(loopback_is_left_out_and_the_table_is_bounded),
		cmocka_unit_test(the_first_global_address_is_told_and_ipv4_is_preferred),
		cmocka_unit_test(wifi_channel_and_signal_are_read),
		cmocka_unit_test(an_access_point_of_our_own_is_read_whole),
		cmocka_unit_test(an_interface_of_any_name_can_be_told),
		cmocka_unit_test(a_channel_switch_is_taken_from_its_event),
		cmocka_unit_test(of_several_links_the_one_in_our_band_counts),
		cmocka_unit_test(a_monitor_is_no_neighbour),
		cmocka_unit_test(load_and_noise_come_from_the_survey_of_the_channel_in_use),
		cmocka_unit_test(the_network_of_a_client_is_the_one_it_is_in),
		cmocka_unit_test(the_signal_of_clients_is_not_ours),
		cmocka_unit_test(speed_and_duplex_of_a_cable_are_read_and_go_with_it),
		cmocka_unit_test(a_link_that_comes_and_goes_is_counted_for_ten_minutes),
		cmocka_unit_test(neighbours_give_channels_back_by_themselves),
		cmocka_unit_test(cut_messages_change_nothing),
		cmocka_unit_test(a_real_link_is_followed_up_and_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
