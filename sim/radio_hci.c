/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/radio_links.h"

#include <string.h>

#define MAX_ADV_HANDLE 0xef

void radio_host_reset(struct sim_radio *r)
{
	radio_channels_reset(&r->channels);
	hci_port_reset(&r->port);
	r->hs = (struct host_state){0};
}

bool radio_host_wants(const struct sim_radio *r, uint8_t le_event)
{
	return hci_port_wants(&r->port, le_event);
}

void sim_radio_power_cycle(struct sim_radio *r)
{
	hci_port_drop(&r->port);
	train_stop(r);
	radio_links_reset(r->links);
	radio_host_reset(r);
}

void sim_radio_replace(struct sim_radio *r)
{
	sim_radio_power_cycle(r);
	r->machine++;
}

/* --- commands --------------------------------------------------------------------------------- */

static void cmd_reset(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	(void) w;
	(void) ret;
	train_stop(r);
	radio_links_reset(r->links);
	radio_host_reset(r);
}

void radio_address(const struct sim_radio *r, uint8_t ret[7])
{
	static const uint8_t head[6] = {0, 0xc0, 0xd0, 0xda, 0xa0, 0x01};

	memcpy(ret, head, sizeof head);
	ret[5] = (uint8_t) (head[5] + r->machine);
	ret[6] = r->index;
}

void radio_own_address(const struct sim_radio *r, uint8_t type, uint8_t ret[7])
{
	radio_address(r, ret);
	if (!(type & 1))
		return;
	ret[0] = 1;
	memcpy(ret + 1, r->hs.random, HCI_ADDR_BYTES);
}

static void cmd_bd_addr(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	uint8_t addr[7];

	(void) w;
	radio_address(r, addr);
	for (size_t i = sizeof addr; i > 1; i--)
		reply_u8(ret, addr[i - 1]);
}

/** A host that names them twice within a second is turned away, as the standard allows. */
static void cmd_channels(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	uint64_t map = hci_get_channel_map(w);
	int64_t now_us = clock_mono_us(r->clock);

	if (!wire_ok(w))
		return;
	if (r->hs.classified && now_us - r->hs.classified_us < US_PER_SEC)
		ret->status = HCI_ERR_COMMAND_DISALLOWED;
	else if (!radio_channels_classify(&r->channels, map))
		ret->status = HCI_ERR_INVALID_PARAMETERS;
	if (ret->status)
		return;
	r->hs.classified = true;
	r->hs.classified_us = now_us;
}

static void cmd_le_features(void *user, struct wire *w, struct hci_reply *ret)
{
	(void) user;
	(void) w;
	reply_u64(ret, RADIO_FEATURES);
}

static void cmd_adv_params(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct hci_ext_adv_params p;

	hci_get_ext_adv_params(w, &p);
	reply_u8(ret, (uint8_t) (p.tx_power == 127 ? 8 : p.tx_power));
	if (!wire_ok(w))
		return;
	if (p.handle > MAX_ADV_HANDLE || p.interval_min < 0x20 || p.interval_max < p.interval_min)
		ret->status = HCI_ERR_INVALID_PARAMETERS;
	else if (r->hs.have_set && r->hs.handle != p.handle)
		ret->status = HCI_ERR_MEMORY; /* one advertising set is all there is */
	else if (r->hs.adv_enabled)
		ret->status = HCI_ERR_COMMAND_DISALLOWED;
	if (ret->status)
		return;
	r->hs.have_set = true;
	r->hs.handle = p.handle;
	r->hs.sid = p.sid;
	r->hs.own_type = p.own_addr_type;
}

static bool known_set(const struct sim_radio *r, uint8_t handle, struct hci_reply *ret)
{
	if (r->hs.have_set && r->hs.handle == handle)
		return true;
	ret->status = HCI_ERR_UNKNOWN_ADVERTISER;
	return false;
}

static void cmd_random_address(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct hci_random_address p;

	hci_get_adv_random_address(w, &p);
	if (wire_ok(w))
		(void) known_set(r, p.handle, ret);
}

/** The host's own random address; not while it is in use. */
static void cmd_set_random(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	uint8_t addr[HCI_ADDR_BYTES];

	hci_get_set_random_address(w, addr);
	if (!wire_ok(w))
		return;
	if (!radio_links_idle(r->links)) {
		ret->status = HCI_ERR_COMMAND_DISALLOWED;
		return;
	}
	for (size_t i = 0; i < HCI_ADDR_BYTES; i++)
		r->hs.random[i] = addr[HCI_ADDR_BYTES - 1 - i];
}

static void cmd_adv_data(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct hci_adv_data p;

	hci_get_ext_adv_data(w, &p);
	if (wire_ok(w))
		(void) known_set(r, p.handle, ret);
}

static void cmd_pa_data(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	uint8_t handle = wire_get_u8(w);

	wire_skip(w, wire_left(w));
	if (wire_ok(w))
		(void) known_set(r, handle, ret);
}

/** The train runs once both the set and its periodic advertising were enabled. */
static void train_follow(struct sim_radio *r)
{
	if (!r->hs.pa_enabled)
		train_stop(r);
	else if (r->hs.adv_enabled && !r->train.running)
		train_start(r, &r->hs.pa);
}

static void cmd_adv_enable(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct wire all = *w;
	struct hci_adv_enable p;

	if (wire_left(w) == 2 && wire_get_u8(&all) == 0 && wire_get_u8(&all) == 0) {
		wire_skip(w, 2); /* every set there is */
		r->hs.adv_enabled = false;
		return;
	}
	hci_get_ext_adv_enable(w, &p);
	if (!wire_ok(w) || !known_set(r, p.handle, ret))
		return;
	r->hs.adv_enabled = p.enable;
	train_follow(r);
}

/** A set that still does something is not taken away (Vol 4 Part E 7.8.59, 7.8.60). */
static void remove_set(struct sim_radio *r, struct hci_reply *ret)
{
	if (r->hs.adv_enabled || r->hs.pa_enabled)
		ret->status = HCI_ERR_COMMAND_DISALLOWED;
	else
		r->hs.have_set = r->hs.have_pa_params = false;
}

static void cmd_remove_set(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	uint8_t handle = wire_get_u8(w);

	if (wire_ok(w) && known_set(r, handle, ret))
		remove_set(r, ret);
}

static void cmd_clear_sets(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	(void) w;
	remove_set(r, ret);
}

static void cmd_pa_params(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct hci_pa_params p;

	hci_get_pa_params(w, &p);
	reply_u8(ret, p.handle);
	if (!wire_ok(w) || !known_set(r, p.handle, ret))
		return;
	if (r->hs.pa_enabled)
		ret->status = HCI_ERR_COMMAND_DISALLOWED;
	else if (train_check(&p) < 0)
		ret->status = HCI_ERR_INVALID_PARAMETERS;
	if (ret->status)
		return;
	r->hs.pa = p;
	r->hs.have_pa_params = true;
}

static void cmd_pa_enable(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct hci_adv_enable p;

	hci_get_pa_enable(w, &p);
	if (!wire_ok(w) || !known_set(r, p.handle, ret))
		return;
	if (p.enable && !r->hs.have_pa_params) {
		ret->status = HCI_ERR_COMMAND_DISALLOWED;
		return;
	}
	r->hs.pa_enabled = p.enable;
	train_follow(r);
}

static void cmd_subevent_data(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	uint8_t handle;
	size_t n = hci_get_subevent_data(w, &handle);

	reply_u8(ret, handle);
	if (!wire_ok(w) || !known_set(r, handle, ret))
		return;
	if (!r->train.running) {
		ret->status = HCI_ERR_COMMAND_DISALLOWED;
		return;
	}
	/* The first set that cannot be taken ends the command; those before it stay. */
	while (n-- && ret->status == HCI_OK) {
		struct hci_subevent_data d;

		hci_get_subevent_set(w, &d);
		if (!wire_ok(w))
			return;
		ret->status = train_set_data(r, &d);
	}
	if (ret->status)
		wire_skip(w, wire_left(w));
}

/* --- connections: sim/radio_links.h does what the parameters say -------------------------------
 */

static void cmd_info_transfer(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct hci_set_info_transfer p;

	hci_get_set_info_transfer(w, &p);
	reply_u16(ret, p.handle);
	if (!wire_ok(w) || !known_set(r, p.adv_handle, ret))
		return;
	ret->status =
		r->train.running ? radio_links_transfer(r->links, &p) : HCI_ERR_COMMAND_DISALLOWED;
}

static void cmd_scan_params(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct hci_ext_scan p;

	(void) ret;
	hci_get_ext_scan_params(w, &p);
	if (wire_ok(w))
		radio_links_scan_kind(r->links, p.active);
}

static void cmd_scan_enable(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct hci_scan_enable p;

	hci_get_ext_scan_enable(w, &p);
	if (wire_ok(w))
		ret->status = radio_links_scan(r->links, p.enable);
}

static void cmd_create_connection(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct hci_create_connection p;

	hci_get_create_connection(w, &p);
	if (wire_ok(w) && (p.subevent == 0xff || known_set(r, p.adv_handle, ret)))
		ret->status = radio_links_create(r->links, &p);
}

/** The first version, which kernels use: it has no train. */
static void cmd_create_connection_v1(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct hci_create_connection p;

	hci_get_create_connection_v1(w, &p);
	if (wire_ok(w))
		ret->status = radio_links_create(r->links, &p);
}

static void cmd_accept_size(void *user, struct wire *w, struct hci_reply *ret)
{
	(void) user;
	(void) w;
	reply_u8(ret, RADIO_ACCEPT_MAX);
}

static void cmd_accept_clear(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;

	(void) w;
	ret->status = radio_links_accept_nobody(r->links);
}

static void accept(struct sim_radio *r, bool add, struct wire *w, struct hci_reply *ret)
{
	struct hci_accept p;

	hci_get_accept(w, &p);
	if (wire_ok(w))
		ret->status = radio_links_accept(r->links, add, &p);
}

static void cmd_accept_add(void *user, struct wire *w, struct hci_reply *ret)
{
	accept(user, true, w, ret);
}

static void cmd_accept_remove(void *user, struct wire *w, struct hci_reply *ret)
{
	accept(user, false, w, ret);
}

/** What the station's link layer can do. */
static void cmd_remote_features(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	uint16_t handle = wire_get_u16le(w);

	ret->status = radio_links_check(r->links, handle);
	if (wire_ok(w) && ret->status == HCI_OK)
		hci_put_remote_features(&ret->after, handle,
					radio_links_features(r->links, handle));
}

static void cmd_connection_update(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct hci_connection_update p;

	hci_get_connection_update(w, &p);
	if (wire_ok(w))
		ret->status = radio_links_update(r->links, &p);
	if (wire_ok(w) && ret->status == HCI_OK)
		hci_put_connection_updated(&ret->after, &p);
}

static void cmd_rssi(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	uint16_t handle = wire_get_u16le(w);

	reply_u16(ret, handle);
	reply_u8(ret, (uint8_t) -60);
	ret->status = radio_links_check(r->links, handle);
}

static void cmd_create_cancel(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	(void) w;
	ret->status = radio_links_cancel(r->links);
}

static void cmd_disconnect(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct hci_disconnect p;

	hci_get_disconnect(w, &p);
	if (wire_ok(w))
		ret->status = radio_links_disconnect(r->links, &p);
}

static void cmd_enable_encryption(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct hci_enable_encryption p;

	hci_get_enable_encryption(w, &p);
	if (wire_ok(w))
		ret->status = radio_links_encrypt(r->links, &p);
}

static void cmd_data_length(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct hci_data_length p;

	hci_get_data_length(w, &p);
	if (wire_ok(w))
		ret->status = radio_links_length(r->links, &p);
	reply_u16(ret, p.handle);
}

static void cmd_set_phy(void *user, struct wire *w, struct hci_reply *ret)
{
	struct sim_radio *r = user;
	struct hci_set_phy p;

	hci_get_set_phy(w, &p);
	if (wire_ok(w))
		ret->status = radio_links_phy(r->links, &p);
}

static const struct hci_port_command commands[] = {
	{HCI_RESET, cmd_reset, false},
	{HCI_READ_BD_ADDR, cmd_bd_addr, false},
	{HCI_LE_READ_LOCAL_FEATURES, cmd_le_features, false},
	{HCI_LE_SET_HOST_CHANNEL_CLASSIFICATION, cmd_channels, false},
	{HCI_LE_SET_RANDOM_ADDRESS, cmd_set_random, false},
	{HCI_LE_SET_ADV_RANDOM_ADDRESS, cmd_random_address, false},
	{HCI_LE_SET_EXT_ADV_PARAMS, cmd_adv_params, false},
	{HCI_LE_SET_EXT_ADV_DATA, cmd_adv_data, false},
	{HCI_LE_SET_EXT_ADV_ENABLE, cmd_adv_enable, false},
	{HCI_LE_REMOVE_ADV_SET, cmd_remove_set, false},
	{HCI_LE_CLEAR_ADV_SETS, cmd_clear_sets, false},
	{HCI_LE_SET_PA_DATA, cmd_pa_data, false},
	{HCI_LE_SET_PA_ENABLE, cmd_pa_enable, false},
	{HCI_LE_PA_SET_INFO_TRANSFER, cmd_info_transfer, false},
	{HCI_LE_SET_PA_SUBEVENT_DATA, cmd_subevent_data, false},
	{HCI_LE_SET_PA_PARAMS_V2, cmd_pa_params, false},
	{HCI_DISCONNECT, cmd_disconnect, true},
	{HCI_LE_CREATE_CONNECTION_CANCEL, cmd_create_cancel, false},
	{HCI_LE_READ_ACCEPT_LIST_SIZE, cmd_accept_size, false},
	{HCI_LE_CLEAR_ACCEPT_LIST, cmd_accept_clear, false},
	{HCI_LE_ADD_TO_ACCEPT_LIST, cmd_accept_add, false},
	{HCI_LE_REMOVE_FROM_ACCEPT_LIST, cmd_accept_remove, false},
	{HCI_LE_ENABLE_ENCRYPTION, cmd_enable_encryption, true},
	{HCI_LE_SET_DATA_LENGTH, cmd_data_length, false},
	{HCI_LE_SET_PHY, cmd_set_phy, true},
	{HCI_LE_SET_EXT_SCAN_PARAMS, cmd_scan_params, false},
	{HCI_LE_SET_EXT_SCAN_ENABLE, cmd_scan_enable, false},
	{HCI_LE_EXT_CREATE_CONNECTION_V2, cmd_create_connection, true},
	{HCI_LE_EXT_CREATE_CONNECTION, cmd_create_connection_v1, true},
	{HCI_LE_READ_REMOTE_FEATURES, cmd_remote_features, true},
	{HCI_LE_CONNECTION_UPDATE, cmd_connection_update, true},
	{HCI_READ_RSSI, cmd_rssi, false},
};

static void host_acl(void *user, const struct hci_acl *a)
{
	struct sim_radio *r = user;

	radio_links_data(r->links, a);
}

const struct hci_port_ops radio_port_ops = {commands, ARRAY_SIZE(commands), host_acl};

int sim_radio_attach(struct sim_radio *r, int fd)
{
	return hci_port_attach(&r->port, fd);
}

int sim_radio_listen(struct sim_radio *r, const char *path)
{
	return hci_port_listen(&r->port, path);
}

int sim_radio_capture(struct sim_radio *r, const char *path)
{
	return hci_port_capture(&r->port, path);
}
