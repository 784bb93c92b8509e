/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest's host may ask of its controller. */
#include "sim/guest_impl.h"

static void cmd_reset(void *guest, struct wire *w, struct hci_reply *ret)
{
	(void) w;
	(void) ret;
	guest_reset(guest);
}

static void cmd_bd_addr(void *guest, struct wire *w, struct hci_reply *ret)
{
	uint8_t addr[HCI_ADDR_BYTES];

	(void) w;
	sim_guest_address(guest, addr);
	for (size_t i = sizeof(addr); i > 0; i--)
		reply_u8(ret, addr[i - 1]);
}

static void cmd_le_features(void *guest, struct wire *w, struct hci_reply *ret)
{
	(void) guest;
	(void) w;
	reply_u64(ret, STATION_FEATURES);
}

/** It may look for others, and finds nobody: who stands in this air is found, and finds not. */
static void cmd_scan(void *guest, struct wire *w, struct hci_reply *ret)
{
	(void) guest;
	(void) ret;
	wire_skip(w, wire_left(w));
}

static void cmd_create_connection(void *guest, struct wire *w, struct hci_reply *ret)
{
	(void) guest;
	wire_skip(w, wire_left(w));
	ret->status = HCI_ERR_COMMAND_DISALLOWED;
}

/** Longer packets and the faster PHY are for the access point to begin. */
static void cmd_set_phy(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct hci_set_phy c;

	hci_get_set_phy(w, &c);
	if (wire_ok(w))
		(void) guest_link_known(guest, c.handle, ret);
}

static const struct hci_port_command commands[] = {
	{HCI_RESET, cmd_reset, false},
	{HCI_READ_BD_ADDR, cmd_bd_addr, false},
	{HCI_LE_READ_LOCAL_FEATURES, cmd_le_features, false},
	{HCI_LE_SET_EXT_SCAN_PARAMS, cmd_scan, false},
	{HCI_LE_SET_EXT_SCAN_ENABLE, cmd_scan, false},
	/* Kernels take the enhanced event of a connection from those only that have this one. */
	{HCI_LE_EXT_CREATE_CONNECTION, cmd_create_connection, true},
	{HCI_LE_CREATE_CONNECTION_CANCEL, cmd_create_connection, false},
	/* advertising */
	{HCI_LE_SET_RANDOM_ADDRESS, guest_cmd_random_address, false},
	{HCI_LE_SET_ADV_PARAMS, guest_cmd_adv_params, false},
	{HCI_LE_SET_ADV_DATA, guest_cmd_adv_data, false},
	{HCI_LE_SET_SCAN_RESPONSE, guest_cmd_scan_response, false},
	{HCI_LE_SET_ADV_ENABLE, guest_cmd_adv_enable, false},
	{HCI_LE_SET_ADV_RANDOM_ADDRESS, guest_cmd_set_random_address, false},
	{HCI_LE_SET_EXT_ADV_PARAMS, guest_cmd_ext_adv_params, false},
	{HCI_LE_SET_EXT_ADV_DATA, guest_cmd_ext_adv_data, false},
	{HCI_LE_SET_EXT_SCAN_RESPONSE, guest_cmd_ext_scan_response, false},
	{HCI_LE_SET_EXT_ADV_ENABLE, guest_cmd_ext_adv_enable, false},
	{HCI_LE_READ_NUMBER_OF_SETS, guest_cmd_number_of_sets, false},
	{HCI_LE_REMOVE_ADV_SET, guest_cmd_remove_set, false},
	{HCI_LE_CLEAR_ADV_SETS, guest_cmd_clear_sets, false},
	/* the link */
	{HCI_DISCONNECT, guest_cmd_disconnect, true},
	{HCI_LE_LTK_REPLY, guest_cmd_key_reply, false},
	{HCI_LE_LTK_NEGATIVE_REPLY, guest_cmd_key_negative, false},
	{HCI_LE_READ_REMOTE_FEATURES, guest_cmd_remote_features, true},
	{HCI_LE_CONNECTION_UPDATE, guest_cmd_connection_update, true},
	{HCI_LE_SET_DATA_LENGTH, guest_cmd_data_length, false},
	{HCI_LE_SET_PHY, cmd_set_phy, true},
	{HCI_READ_RSSI, guest_cmd_rssi, false},
	/* the train */
	{HCI_LE_PA_TERMINATE_SYNC, guest_cmd_terminate_sync, false},
	{HCI_LE_SET_PA_RECEIVE_ENABLE, guest_cmd_receive_enable, false},
	{HCI_LE_SET_PAST_PARAMS, guest_cmd_past_params, false},
	{HCI_LE_SET_DEFAULT_PAST_PARAMS, guest_cmd_default_past_params, false},
	{HCI_LE_SET_PA_RESPONSE_DATA, guest_cmd_response_data, false},
	{HCI_LE_SET_PA_SYNC_SUBEVENT, guest_cmd_sync_subevent, false},
};

const struct hci_port_ops guest_port_ops = {commands, ARRAY_SIZE(commands), guest_host_data};
