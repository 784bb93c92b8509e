/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/hci_wire.h"

#include "common/err.h"
#include <errno.h>

static const struct {
	uint8_t status;
	const char *name;
} status_names[] = {
	{HCI_OK, "Success"},
	{HCI_ERR_UNKNOWN_COMMAND, "Unknown HCI Command"},
	{HCI_ERR_UNKNOWN_CONNECTION, "Unknown Connection Identifier"},
	{HCI_ERR_MEMORY, "Memory Capacity Exceeded"},
	{HCI_ERR_CONNECTION_TIMEOUT, "Connection Timeout"},
	{HCI_ERR_COMMAND_DISALLOWED, "Command Disallowed"},
	{HCI_ERR_UNSUPPORTED, "Unsupported Feature or Parameter Value"},
	{HCI_ERR_INVALID_PARAMETERS, "Invalid HCI Command Parameters"},
	{HCI_ERR_UNSPECIFIED, "Unspecified Error"},
	{HCI_ERR_ESTABLISH, "Connection Failed to be Established"},
	{HCI_ERR_UNKNOWN_ADVERTISER, "Unknown Advertising Identifier"},
	{HCI_ERR_TOO_LATE, "Too Late"},
	{HCI_ERR_TOO_EARLY, "Too Early"},
};

static const struct {
	uint16_t opcode;
	const char *name;
} opcode_names[] = {
	{HCI_SET_EVENT_MASK, "Set Event Mask"},
	{HCI_RESET, "Reset"},
	{HCI_READ_LOCAL_VERSION, "Read Local Version"},
	{HCI_READ_LOCAL_COMMANDS, "Read Local Commands"},
	{HCI_READ_LOCAL_FEATURES, "Read Local Features"},
	{HCI_READ_BD_ADDR, "Read BD_ADDR"},
	{HCI_LE_SET_EVENT_MASK, "LE Set Event Mask"},
	{HCI_LE_READ_LOCAL_FEATURES, "LE Read Local Features"},
	{HCI_LE_SET_HOST_CHANNEL_CLASSIFICATION, "LE Set Host Channel Classification"},
	{HCI_LE_SET_ADV_RANDOM_ADDRESS, "LE Set Advertising Set Random Address"},
	{HCI_LE_SET_EXT_ADV_PARAMS, "LE Set Extended Advertising Parameters"},
	{HCI_LE_SET_EXT_ADV_DATA, "LE Set Extended Advertising Data"},
	{HCI_LE_SET_EXT_ADV_ENABLE, "LE Set Extended Advertising Enable"},
	{HCI_LE_REMOVE_ADV_SET, "LE Remove Advertising Set"},
	{HCI_LE_CLEAR_ADV_SETS, "LE Clear Advertising Sets"},
	{HCI_LE_SET_PA_DATA, "LE Set Periodic Advertising Data"},
	{HCI_LE_SET_PA_ENABLE, "LE Set Periodic Advertising Enable"},
	{HCI_LE_PA_SET_INFO_TRANSFER, "LE Periodic Advertising Set Info Transfer"},
	{HCI_LE_SET_PA_SUBEVENT_DATA, "LE Set Periodic Advertising Subevent Data"},
	{HCI_LE_EXT_CREATE_CONNECTION_V2, "LE Extended Create Connection v2"},
	{HCI_LE_SET_PA_PARAMS_V2, "LE Set Periodic Advertising Parameters v2"},
};

const char *hci_status_name(uint8_t status)
{
	for (size_t i = 0; i < ARRAY_SIZE(status_names); i++)
		if (status_names[i].status == status)
			return status_names[i].name;
	return "controller error";
}

const char *hci_opcode_name(uint16_t opcode)
{
	for (size_t i = 0; i < ARRAY_SIZE(opcode_names); i++)
		if (opcode_names[i].opcode == opcode)
			return opcode_names[i].name;
	return "HCI command";
}

/* --- framing ---------------------------------------------------------------------------------- */

/** Bytes of the type and header, 0 for a type nobody may send us. */
static size_t h4_header_len(uint8_t type)
{
	switch (type) {
	case H4_COMMAND:
	case H4_SCO:
		return 4;
	case H4_ACL:
	case H4_ISO:
		return 5;
	case H4_EVENT:
		return 3;
	}
	return 0;
}

int h4_next(const uint8_t *data, size_t len, struct h4_packet *ret)
{
	struct h4_packet p = {0};
	size_t header;

	if (len == 0)
		return 0;
	p.type = data[0];
	header = h4_header_len(p.type);
	if (header == 0)
		return -ERR_BADMSG;
	if (len < header)
		return 0;
	switch (p.type) {
	case H4_EVENT:
		p.event = data[1];
		p.len = data[2];
		break;
	case H4_COMMAND:
		p.opcode = (uint16_t) (data[1] | data[2] << 8);
		p.len = data[3];
		break;
	case H4_SCO:
		p.len = data[3];
		break;
	default:
		p.len = (size_t) (data[3] | data[4] << 8);
		if (p.type == H4_ISO)
			p.len &= 0x3fff;
		break;
	}
	if (p.len > HCI_ACL_MAX)
		return -ERR_TOO_LARGE;
	if (len < header + p.len)
		return 0;
	p.params = data + header;
	*ret = p;
	return (int) (header + p.len);
}

/** Starts a packet; the length byte is patched by end_packet(). Returns where the packet began. */
static size_t begin_command(struct buf *out, uint16_t opcode)
{
	size_t at = out->len;

	buf_put_u8(out, H4_COMMAND);
	buf_put_u16le(out, opcode);
	buf_put_u8(out, 0);
	return at + 3;
}

static size_t begin_event(struct buf *out, uint8_t code)
{
	size_t at = out->len;

	buf_put_u8(out, H4_EVENT);
	buf_put_u8(out, code);
	buf_put_u8(out, 0);
	return at + 2;
}

static size_t begin_le_event(struct buf *out, uint8_t subevent)
{
	size_t at = begin_event(out, HCI_EVT_LE_META);

	buf_put_u8(out, subevent);
	return at;
}

static void end_packet(struct buf *out, size_t length_at)
{
	if (buf_ok(out))
		out->data[length_at] = (uint8_t) (out->len - length_at - 1);
}

/* --- commands --------------------------------------------------------------------------------- */

static void put_u24le(struct buf *out, uint32_t v)
{
	buf_put_u8(out, (uint8_t) v);
	buf_put_u16le(out, (uint16_t) (v >> 8));
}

static uint32_t get_u24le(struct wire *w)
{
	uint32_t low = wire_get_u8(w);

	return low | (uint32_t) wire_get_u16le(w) << 8;
}

void hci_put_command(struct buf *out, uint16_t opcode, const void *params, uint8_t len)
{
	size_t at = begin_command(out, opcode);

	if (len)
		buf_put(out, params, len);
	end_packet(out, at);
}

void hci_put_mask(struct buf *out, uint16_t opcode, uint64_t mask)
{
	size_t at = begin_command(out, opcode);

	buf_put_u64le(out, mask);
	end_packet(out, at);
}

void hci_put_channel_map(struct buf *out, uint64_t map)
{
	size_t at = begin_command(out, HCI_LE_SET_HOST_CHANNEL_CLASSIFICATION);

	map &= HCI_DATA_CHANNELS_ALL;
	buf_put_u32le(out, (uint32_t) map);
	buf_put_u8(out, (uint8_t) (map >> 32));
	end_packet(out, at);
}

uint64_t hci_get_channel_map(struct wire *w)
{
	uint64_t low = wire_get_u32le(w);

	return low | (uint64_t) wire_get_u8(w) << 32;
}

void hci_get_version(struct wire *w, struct hci_version *ret)
{
	ret->hci = wire_get_u8(w);
	wire_skip(w, 2); /* revision */
	ret->lmp = wire_get_u8(w);
	ret->company = wire_get_u16le(w);
	ret->lmp_subversion = wire_get_u16le(w);
}

void hci_put_ext_adv_params(struct buf *out, const struct hci_ext_adv_params *p)
{
	static const uint8_t no_peer[7];
	size_t at = begin_command(out, HCI_LE_SET_EXT_ADV_PARAMS);

	buf_put_u8(out, p->handle);
	buf_put_u16le(out, p->properties);
	put_u24le(out, p->interval_min);
	put_u24le(out, p->interval_max);
	buf_put_u8(out, p->channels);
	buf_put_u8(out, p->own_addr_type);
	buf_put(out, no_peer, sizeof(no_peer));
	buf_put_u8(out, 0); /* filter policy: none */
	buf_put_u8(out, (uint8_t) p->tx_power);
	buf_put_u8(out, p->primary_phy);
	buf_put_u8(out, 0); /* secondary max skip */
	buf_put_u8(out, p->secondary_phy);
	buf_put_u8(out, p->sid);
	buf_put_u8(out, 0); /* no scan request notifications */
	end_packet(out, at);
}

void hci_get_ext_adv_params(struct wire *w, struct hci_ext_adv_params *ret)
{
	ret->handle = wire_get_u8(w);
	ret->properties = wire_get_u16le(w);
	ret->interval_min = get_u24le(w);
	ret->interval_max = get_u24le(w);
	ret->channels = wire_get_u8(w);
	ret->own_addr_type = wire_get_u8(w);
	wire_skip(w, 8); /* peer address type and address, filter policy */
	ret->tx_power = (int8_t) wire_get_u8(w);
	ret->primary_phy = wire_get_u8(w);
	wire_skip(w, 1);
	ret->secondary_phy = wire_get_u8(w);
	ret->sid = wire_get_u8(w);
	wire_skip(w, 1);
}

void hci_put_ext_adv_data(struct buf *out, const struct hci_adv_data *p)
{
	size_t at = begin_command(out, HCI_LE_SET_EXT_ADV_DATA);
	uint8_t len = (uint8_t) MIN(p->len, sizeof(p->data));

	buf_put_u8(out, p->handle);
	buf_put_u8(out, p->operation);
	buf_put_u8(out, 1); /* fragmentation: the controller should not */
	buf_put_u8(out, len);
	buf_put(out, p->data, len);
	end_packet(out, at);
}

void hci_get_ext_adv_data(struct wire *w, struct hci_adv_data *ret)
{
	ret->handle = wire_get_u8(w);
	ret->operation = wire_get_u8(w);
	wire_skip(w, 1);
	ret->len = wire_get_u8(w);
	if (ret->len > sizeof(ret->data)) {
		wire_fail(w, -ERR_TOO_LARGE);
		ret->len = 0;
	}
	wire_copy(w, ret->data, ret->len);
}

void hci_put_ext_adv_enable(struct buf *out, const struct hci_adv_enable *p)
{
	size_t at = begin_command(out, HCI_LE_SET_EXT_ADV_ENABLE);

	buf_put_u8(out, p->enable);
	buf_put_u8(out, 1); /* sets */
	buf_put_u8(out, p->handle);
	buf_put_u16le(out, 0); /* duration: no end */
	buf_put_u8(out, 0);    /* events: no limit */
	end_packet(out, at);
}

void hci_get_ext_adv_enable(struct wire *w, struct hci_adv_enable *ret)
{
	ret->enable = wire_get_u8(w) != 0;
	if (wire_get_u8(w) != 1)
		wire_fail(w, -ERR_RANGE);
	ret->handle = wire_get_u8(w);
	wire_skip(w, 3);
}

void hci_put_pa_enable(struct buf *out, const struct hci_adv_enable *p)
{
	size_t at = begin_command(out, HCI_LE_SET_PA_ENABLE);

	buf_put_u8(out, p->enable);
	buf_put_u8(out, p->handle);
	end_packet(out, at);
}

void hci_get_pa_enable(struct wire *w, struct hci_adv_enable *ret)
{
	ret->enable = (wire_get_u8(w) & 1) != 0;
	ret->handle = wire_get_u8(w);
}

void hci_put_adv_random_address(struct buf *out, const struct hci_random_address *p)
{
	size_t at = begin_command(out, HCI_LE_SET_ADV_RANDOM_ADDRESS);

	buf_put_u8(out, p->handle);
	buf_put(out, p->addr, sizeof(p->addr));
	end_packet(out, at);
}

void hci_get_adv_random_address(struct wire *w, struct hci_random_address *ret)
{
	ret->handle = wire_get_u8(w);
	wire_copy(w, ret->addr, sizeof(ret->addr));
}

void hci_put_pa_params(struct buf *out, const struct hci_pa_params *p)
{
	size_t at = begin_command(out, HCI_LE_SET_PA_PARAMS_V2);

	buf_put_u8(out, p->handle);
	buf_put_u16le(out, p->interval_min);
	buf_put_u16le(out, p->interval_max);
	buf_put_u16le(out, p->properties);
	buf_put_u8(out, p->subevents);
	buf_put_u8(out, p->subevent_interval);
	buf_put_u8(out, p->response_delay);
	buf_put_u8(out, p->response_spacing);
	buf_put_u8(out, p->response_slots);
	end_packet(out, at);
}

void hci_get_pa_params(struct wire *w, struct hci_pa_params *ret)
{
	ret->handle = wire_get_u8(w);
	ret->interval_min = wire_get_u16le(w);
	ret->interval_max = wire_get_u16le(w);
	ret->properties = wire_get_u16le(w);
	ret->subevents = wire_get_u8(w);
	ret->subevent_interval = wire_get_u8(w);
	ret->response_delay = wire_get_u8(w);
	ret->response_spacing = wire_get_u8(w);
	ret->response_slots = wire_get_u8(w);
}

int hci_put_subevent_data(struct buf *out, uint8_t handle, const struct hci_subevent_data *sets,
			  size_t n)
{
	size_t total = 2;
	size_t at;

	for (size_t i = 0; i < n; i++)
		total += 4u + sets[i].len;
	if (n > HCI_SUBEVENTS_PER_CMD || total > HCI_PARAMS_MAX)
		return -ERR_TOO_LARGE;
	at = begin_command(out, HCI_LE_SET_PA_SUBEVENT_DATA);
	buf_put_u8(out, handle);
	buf_put_u8(out, (uint8_t) n);
	for (size_t i = 0; i < n; i++) {
		buf_put_u8(out, sets[i].subevent);
		buf_put_u8(out, sets[i].slot_start);
		buf_put_u8(out, sets[i].slot_count);
		buf_put_u8(out, sets[i].len);
		buf_put(out, sets[i].data, sets[i].len);
	}
	end_packet(out, at);
	return 0;
}

size_t hci_get_subevent_data(struct wire *w, uint8_t *ret_handle)
{
	size_t n;

	*ret_handle = wire_get_u8(w);
	n = wire_get_u8(w);
	if (n > HCI_SUBEVENTS_PER_CMD)
		wire_fail(w, -ERR_RANGE);
	return wire_ok(w) ? n : 0;
}

void hci_get_subevent_set(struct wire *w, struct hci_subevent_data *ret)
{
	ret->subevent = wire_get_u8(w);
	ret->slot_start = wire_get_u8(w);
	ret->slot_count = wire_get_u8(w);
	ret->len = wire_get_u8(w);
	ret->data = wire_get_bytes(w, ret->len);
	if (!ret->data)
		ret->len = 0;
}

/* --- events ----------------------------------------------------------------------------------- */

void hci_put_command_complete(struct buf *out, const struct hci_command_complete *e)
{
	size_t at = begin_event(out, HCI_EVT_COMMAND_COMPLETE);

	buf_put_u8(out, e->credits);
	buf_put_u16le(out, e->opcode);
	buf_put_u8(out, e->status);
	if (e->more_len)
		buf_put(out, e->more, MIN(e->more_len, (size_t) HCI_PARAMS_MAX - 4));
	end_packet(out, at);
}

void hci_get_command_complete(struct wire *w, struct hci_command_complete *ret)
{
	ret->credits = wire_get_u8(w);
	ret->opcode = wire_get_u16le(w);
	ret->status = wire_left(w) ? wire_get_u8(w) : HCI_OK;
	ret->more_len = wire_left(w);
	ret->more = ret->more_len ? wire_get_bytes(w, ret->more_len) : NULL;
}

void hci_put_command_status(struct buf *out, const struct hci_command_status *e)
{
	size_t at = begin_event(out, HCI_EVT_COMMAND_STATUS);

	buf_put_u8(out, e->status);
	buf_put_u8(out, e->credits);
	buf_put_u16le(out, e->opcode);
	end_packet(out, at);
}

void hci_get_command_status(struct wire *w, struct hci_command_status *ret)
{
	ret->status = wire_get_u8(w);
	ret->credits = wire_get_u8(w);
	ret->opcode = wire_get_u16le(w);
}

void hci_put_hardware_error(struct buf *out, uint8_t code)
{
	size_t at = begin_event(out, HCI_EVT_HARDWARE_ERROR);

	buf_put_u8(out, code);
	end_packet(out, at);
}

void hci_put_data_request(struct buf *out, const struct hci_data_request *e)
{
	size_t at = begin_le_event(out, HCI_LE_PA_SUBEVENT_DATA_REQUEST);

	buf_put_u8(out, e->handle);
	buf_put_u8(out, e->start);
	buf_put_u8(out, e->count);
	end_packet(out, at);
}

void hci_get_data_request(struct wire *w, struct hci_data_request *ret)
{
	ret->handle = wire_get_u8(w);
	ret->start = wire_get_u8(w);
	ret->count = wire_get_u8(w);
	if (ret->start >= HCI_SUBEVENTS_MAX || ret->count > HCI_SUBEVENTS_MAX)
		wire_fail(w, -ERR_RANGE);
}

int hci_put_response_report(struct buf *out, uint8_t handle, uint8_t subevent, uint8_t tx_status,
			    const struct hci_response *r, size_t n)
{
	size_t total = 5;
	size_t at;

	for (size_t i = 0; i < n; i++)
		total += 6u + r[i].len;
	if (total > HCI_PARAMS_MAX)
		return -ERR_TOO_LARGE;
	at = begin_le_event(out, HCI_LE_PA_RESPONSE_REPORT);
	buf_put_u8(out, handle);
	buf_put_u8(out, subevent);
	buf_put_u8(out, tx_status);
	buf_put_u8(out, (uint8_t) n);
	for (size_t i = 0; i < n; i++) {
		buf_put_u8(out, (uint8_t) r[i].tx_power);
		buf_put_u8(out, (uint8_t) r[i].rssi);
		buf_put_u8(out, r[i].cte);
		buf_put_u8(out, r[i].slot);
		buf_put_u8(out, r[i].status);
		buf_put_u8(out, r[i].len);
		if (r[i].len)
			buf_put(out, r[i].data, r[i].len);
	}
	end_packet(out, at);
	return 0;
}

void hci_get_response_report(struct wire *w, struct hci_response_report *ret)
{
	ret->handle = wire_get_u8(w);
	ret->subevent = wire_get_u8(w);
	ret->tx_status = wire_get_u8(w);
	ret->n = wire_get_u8(w);
	if (ret->subevent >= HCI_SUBEVENTS_MAX)
		wire_fail(w, -ERR_RANGE);
	if (!wire_ok(w))
		ret->n = 0;
}

void hci_get_response(struct wire *w, struct hci_response *ret)
{
	ret->tx_power = (int8_t) wire_get_u8(w);
	ret->rssi = (int8_t) wire_get_u8(w);
	ret->cte = wire_get_u8(w);
	ret->slot = wire_get_u8(w);
	ret->status = wire_get_u8(w);
	ret->len = wire_get_u8(w);
	ret->data = wire_get_bytes(w, ret->len);
	if (!ret->data)
		ret->len = 0;
}
