/* SPDX-License-Identifier: Apache-2.0 */
/* The network watch: netlink messages made by hand, and a real kernel in a namespace where one may
 * be made. */
#include "ap-agent/netwatch.h"
#include "common/err.h"
#include "tests/unit/test_common.h"
#include <arpa/inet.h>
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

static int feed(struct netwatch_table *t, struct nl_msg *m)
{
	struct nlmsghdr *h = nlmsg_hdr(m);
	int n = netwatch_parse_route(t, h, h->nlmsg_len);

	n += netwatch_parse_wifi(t, FAMILY, h, h->nlmsg_len);
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
	if (IP("link", "set", "gv1", "down") != 0)
		return 5;
	for (int i = 0; i < 50 && row.up; i++) {
		loop_run_once(loop, 100);
		(void) find_row(n, "gv0", &row);
	}
	for (int i = 0; i < 5; i++) /* the report of it follows in a tenth of a second */
		loop_run_once(loop, 100);
	if (row.up || changes < 1)
		return 6;
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
		cmocka_unit_test(cut_messages_change_nothing),
		cmocka_unit_test(a_real_link_is_followed_up_and_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
