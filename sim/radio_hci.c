/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/hci_basics.h"
#include "sim/radio_links.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CREDITS            1
#define CORE_VERSION_5_4   0x0d
#define COMPANY_UNASSIGNED 0xffff
#define DEFAULT_EVENT_MASK UINT64_C(0x00001fffffffffff)
#define DEFAULT_LE_MASK    UINT64_C(0x1f)
#define MAX_ADV_HANDLE     0xef

void radio_host_reset(struct sim_radio *r)
{
	radio_channels_reset(&r->channels);
	r->hs = (struct host_state){.event_mask = DEFAULT_EVENT_MASK,
				    .le_event_mask = DEFAULT_LE_MASK};
}

static void host_gone(struct sim_radio *r)
{
	net_conn_free(r->host);
	r->host = NULL;
	buf_clear(&r->in);
}

/* A buffer may hold several packets. */
static void radio_capture_all(struct sim_radio *r, const struct buf *packets)
{
	struct h4_packet p;

	for (size_t at = 0; buf_ok(packets) && at < packets->len;) {
		int n = h4_next(packets->data + at, packets->len - at, &p);

		if (n <= 0)
			return;
		radio_capture(r, true, packets->data + at, (size_t) n);
		at += (size_t) n;
	}
}

void radio_host_send(struct sim_radio *r, const struct buf *packets)
{
	if (!r->host)
		return;
	radio_capture_all(r, packets);
	if (!buf_ok(packets) || net_conn_send(r->host, packets->data, packets->len) < 0)
		host_gone(r);
}

bool radio_host_wants(const struct sim_radio *r, uint8_t le_event)
{
	return r->host && (r->hs.event_mask & HCI_MASK_LE_META) &&
	       (r->hs.le_event_mask & HCI_LE_MASK(le_event));
}

void sim_radio_power_cycle(struct sim_radio *r)
{
	host_gone(r);
	train_stop(r);
	radio_links_reset(r->links);
	radio_host_reset(r);
}

/* --- commands --------------------------------------------------------------------------------- */

/** What one command yields: a status, and return parameters after it. */
struct reply {
	uint8_t status;
	uint8_t more[64];
	size_t more_len;
	struct buf after; /**< events that follow the answer */
};

typedef void (*command_fn)(struct sim_radio *r, struct wire *w, struct reply *ret);

static void reply_u8(struct reply *p, uint8_t v)
{
	p->more[p->more_len++] = v;
}

static void reply_u16(struct reply *p, uint16_t v)
{
	reply_u8(p, (uint8_t) v);
	reply_u8(p, (uint8_t) (v >> 8));
}

static void reply_u64(struct reply *p, uint64_t v)
{
	for (int i = 0; i < 64; i += 8)
		reply_u8(p, (uint8_t) (v >> i));
}

static void cmd_reset(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	(void) w;
	(void) ret;
	train_stop(r);
	radio_links_reset(r->links);
	radio_host_reset(r);
}

static void cmd_event_mask(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	(void) ret;
	r->hs.event_mask = wire_get_u64le(w);
}

static void cmd_le_event_mask(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	(void) ret;
	r->hs.le_event_mask = wire_get_u64le(w);
}

static void cmd_local_version(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	(void) r;
	(void) w;
	reply_u8(ret, CORE_VERSION_5_4);
	reply_u16(ret, 0);
	reply_u8(ret, CORE_VERSION_5_4);
	reply_u16(ret, COMPANY_UNASSIGNED);
	reply_u16(ret, 0);
}

static void cmd_local_features(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	(void) r;
	(void) w;
	/* LE supported by the controller (bit 38), BR/EDR not supported (bit 37). */
	reply_u64(ret, UINT64_C(3) << 37);
}

void radio_address(const struct sim_radio *r, uint8_t ret[7])
{
	static const uint8_t head[6] = {0, 0xc0, 0xd0, 0xda, 0xa0, 0x01};

	memcpy(ret, head, sizeof head);
	ret[6] = r->index;
}

static void cmd_bd_addr(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	uint8_t addr[7];

	(void) w;
	radio_address(r, addr);
	for (size_t i = sizeof addr; i > 1; i--)
		reply_u8(ret, addr[i - 1]);
}

/** A host that names them twice within a second is turned away, as the standard allows. */
static void cmd_channels(struct sim_radio *r, struct wire *w, struct reply *ret)
{
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

static void cmd_le_features(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	(void) r;
	(void) w;
	reply_u64(ret, UINT64_C(1) << HCI_LE_FEATURE_ENCRYPTION |
			       UINT64_C(1) << HCI_LE_FEATURE_DATA_LENGTH |
			       UINT64_C(1) << HCI_LE_FEATURE_EXT_ADV |
			       UINT64_C(1) << HCI_LE_FEATURE_PERIODIC_ADV |
			       UINT64_C(1) << HCI_LE_FEATURE_PAST_SENDER |
			       UINT64_C(1) << HCI_LE_FEATURE_PAWR_ADVERTISER);
}

static void cmd_adv_params(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	struct hci_ext_adv_params p;

	hci_get_ext_adv_params(w, &p);
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
	reply_u8(ret, (uint8_t) (p.tx_power == 127 ? 8 : p.tx_power));
}

static bool known_set(const struct sim_radio *r, uint8_t handle, struct reply *ret)
{
	if (r->hs.have_set && r->hs.handle == handle)
		return true;
	ret->status = HCI_ERR_UNKNOWN_ADVERTISER;
	return false;
}

static void cmd_random_address(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	struct hci_random_address p;

	hci_get_adv_random_address(w, &p);
	if (wire_ok(w))
		(void) known_set(r, p.handle, ret);
}

static void cmd_adv_data(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	struct hci_adv_data p;

	hci_get_ext_adv_data(w, &p);
	if (wire_ok(w))
		(void) known_set(r, p.handle, ret);
}

static void cmd_pa_data(struct sim_radio *r, struct wire *w, struct reply *ret)
{
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

static void cmd_adv_enable(struct sim_radio *r, struct wire *w, struct reply *ret)
{
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
static void remove_set(struct sim_radio *r, struct reply *ret)
{
	if (r->hs.adv_enabled || r->hs.pa_enabled)
		ret->status = HCI_ERR_COMMAND_DISALLOWED;
	else
		r->hs.have_set = r->hs.have_pa_params = false;
}

static void cmd_remove_set(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	uint8_t handle = wire_get_u8(w);

	if (wire_ok(w) && known_set(r, handle, ret))
		remove_set(r, ret);
}

static void cmd_clear_sets(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	(void) w;
	remove_set(r, ret);
}

static void cmd_pa_params(struct sim_radio *r, struct wire *w, struct reply *ret)
{
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

static void cmd_pa_enable(struct sim_radio *r, struct wire *w, struct reply *ret)
{
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

static void cmd_subevent_data(struct sim_radio *r, struct wire *w, struct reply *ret)
{
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

static void cmd_info_transfer(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	struct hci_set_info_transfer p;

	hci_get_set_info_transfer(w, &p);
	reply_u16(ret, p.handle);
	if (wire_ok(w) && known_set(r, p.adv_handle, ret))
		ret->status = radio_links_transfer(r->links, &p);
}

static void cmd_buffer_size(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	(void) r;
	(void) w;
	reply_u16(ret, RADIO_LINK_DATA);
	reply_u8(ret, RADIO_LINK_BUFFERS);
}

static void cmd_scan_params(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	struct hci_ext_scan p;

	(void) ret;
	hci_get_ext_scan_params(w, &p);
	if (wire_ok(w))
		radio_links_scan_kind(r->links, p.active);
}

static void cmd_scan_enable(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	struct hci_scan_enable p;

	hci_get_ext_scan_enable(w, &p);
	if (wire_ok(w))
		ret->status = radio_links_scan(r->links, p.enable);
}

static void cmd_create_connection(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	struct hci_create_connection p;

	hci_get_create_connection(w, &p);
	if (wire_ok(w) && (p.subevent == 0xff || known_set(r, p.adv_handle, ret)))
		ret->status = radio_links_create(r->links, &p);
}

/** The first version, which kernels use: it has no train. */
static void cmd_create_connection_v1(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	struct hci_create_connection p;

	hci_get_create_connection_v1(w, &p);
	if (wire_ok(w))
		ret->status = radio_links_create(r->links, &p);
}

/** What the label's link layer can do: encryption and longer packets. */
static void cmd_remote_features(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	uint16_t handle = wire_get_u16le(w);

	ret->status = radio_links_check(r->links, handle);
	if (wire_ok(w) && ret->status == HCI_OK)
		hci_put_remote_features(&ret->after, handle,
					UINT64_C(1) << HCI_LE_FEATURE_ENCRYPTION |
						UINT64_C(1) << HCI_LE_FEATURE_DATA_LENGTH);
}

static void cmd_connection_update(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	struct hci_connection_update p;

	hci_get_connection_update(w, &p);
	ret->status = radio_links_check(r->links, p.handle);
	if (wire_ok(w) && ret->status == HCI_OK)
		hci_put_connection_updated(&ret->after, &p);
}

static void cmd_rssi(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	uint16_t handle = wire_get_u16le(w);

	reply_u16(ret, handle);
	reply_u8(ret, (uint8_t) -60);
	ret->status = radio_links_check(r->links, handle);
}

static void cmd_create_cancel(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	(void) w;
	ret->status = radio_links_cancel(r->links);
}

static void cmd_disconnect(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	struct hci_disconnect p;

	hci_get_disconnect(w, &p);
	if (wire_ok(w))
		ret->status = radio_links_disconnect(r->links, &p);
}

static void cmd_enable_encryption(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	struct hci_enable_encryption p;

	hci_get_enable_encryption(w, &p);
	if (wire_ok(w))
		ret->status = radio_links_encrypt(r->links, &p);
}

static void cmd_data_length(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	struct hci_data_length p;

	hci_get_data_length(w, &p);
	if (wire_ok(w))
		ret->status = radio_links_length(r->links, &p);
	reply_u16(ret, p.handle);
}

static void cmd_set_phy(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	struct hci_set_phy p;

	hci_get_set_phy(w, &p);
	if (wire_ok(w))
		ret->status = radio_links_phy(r->links, &p);
}

static void cmd_local_commands(struct sim_radio *r, struct wire *w, struct reply *ret);

static const struct {
	uint16_t opcode;
	command_fn fn;
	bool status; /**< answered with Command Status: what comes of it is an event of its own */
} commands[] = {
	{HCI_SET_EVENT_MASK, cmd_event_mask, false},
	{HCI_RESET, cmd_reset, false},
	{HCI_READ_LOCAL_VERSION, cmd_local_version, false},
	{HCI_READ_LOCAL_COMMANDS, cmd_local_commands, false},
	{HCI_READ_LOCAL_FEATURES, cmd_local_features, false},
	{HCI_READ_BD_ADDR, cmd_bd_addr, false},
	{HCI_LE_SET_EVENT_MASK, cmd_le_event_mask, false},
	{HCI_LE_READ_LOCAL_FEATURES, cmd_le_features, false},
	{HCI_LE_SET_HOST_CHANNEL_CLASSIFICATION, cmd_channels, false},
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
	{HCI_LE_READ_BUFFER_SIZE, cmd_buffer_size, false},
	{HCI_LE_CREATE_CONNECTION_CANCEL, cmd_create_cancel, false},
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

static void cmd_local_commands(struct sim_radio *r, struct wire *w, struct reply *ret)
{
	(void) r;
	(void) w;
	hci_basics_commands(ret->more);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		hci_commands_add(ret->more, commands[i].opcode);
	ret->more_len = HCI_COMMANDS_BYTES;
}

static command_fn command_find(uint16_t opcode, bool *ret_status)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].opcode == opcode) {
			*ret_status = commands[i].status;
			return commands[i].fn;
		}
	}
	*ret_status = true;
	return NULL;
}

static void send_status(struct sim_radio *r, uint16_t opcode, uint8_t status)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	hci_put_command_status(&out, &(struct hci_command_status){.status = status,
								  .credits = CREDITS,
								  .opcode = opcode});
	radio_host_send(r, &out);
}

/** A command that means nothing to this controller, or one it does not know. */
static void basic_command(struct sim_radio *r, uint16_t opcode, struct wire *w)
{
	_cleanup_buf_ struct buf out = BUF_INIT, more = BUF_INIT;

	if (!hci_basics_answer(opcode, w, &more)) {
		send_status(r, opcode, HCI_ERR_UNKNOWN_COMMAND);
		return;
	}
	hci_put_command_complete(&out, &(struct hci_command_complete){.credits = CREDITS,
								      .opcode = opcode,
								      .more = more.data,
								      .more_len = more.len});
	radio_host_send(r, &out);
}

static void host_command(struct sim_radio *r, const struct h4_packet *p)
{
	bool by_status;
	command_fn fn = command_find(p->opcode, &by_status);
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct reply reply = {0};
	struct wire w;

	wire_init(&w, p->params, p->len);
	if (!fn) {
		basic_command(r, p->opcode, &w);
		return;
	}
	fn(r, &w, &reply);
	if (wire_finish(&w) < 0 && reply.status == HCI_OK)
		reply.status = HCI_ERR_INVALID_PARAMETERS;
	if (by_status) {
		send_status(r, p->opcode, reply.status);
		if (reply.status == HCI_OK && reply.after.len > 0)
			radio_host_send(r, &reply.after);
		buf_done(&reply.after);
		return;
	}
	hci_put_command_complete(&out, &(struct hci_command_complete){.credits = CREDITS,
								      .opcode = p->opcode,
								      .status = reply.status,
								      .more = reply.more,
								      .more_len = reply.more_len});
	radio_host_send(r, &out);
}

/* --- the host's byte stream ------------------------------------------------------------------- */

static void host_data(void *user, const uint8_t *data, size_t len)
{
	struct sim_radio *r = user;

	buf_put(&r->in, data, len);
	while (r->host && r->in.len > 0) {
		struct h4_packet p;
		int n = buf_ok(&r->in) ? h4_next(r->in.data, r->in.len, &p) : r->in.err;

		if (n == 0)
			return;
		if (n < 0) {
			/* A controller that lost the framing says so once; the host must start
			 * over. */
			_cleanup_buf_ struct buf out = BUF_INIT;

			hci_put_hardware_error(&out, 0);
			radio_host_send(r, &out);
			if (r->host)
				host_gone(r);
			return;
		}
		radio_capture(r, false, r->in.data, (size_t) n);
		if (p.type == H4_COMMAND)
			host_command(r, &p);
		if (p.type == H4_ACL && r->host) {
			struct hci_acl acl;

			hci_get_acl(r->in.data, &acl);
			radio_links_data(r->links, &acl);
		}
		if (r->host)
			buf_consume(&r->in, (size_t) n);
	}
}

static void host_closed(void *user, int err)
{
	(void) err;
	host_gone(user);
}

int sim_radio_attach(struct sim_radio *r, int fd)
{
	static const struct net_conn_callbacks cb = {.data = host_data, .closed = host_closed};

	if (r->host) {
		close(fd);
		return -EBUSY;
	}
	return net_conn_new(r->loop, fd, false, HOST_QUEUE_MAX, &cb, r, &r->host);
}

static void host_accept(void *user, int fd)
{
	(void) !sim_radio_attach(user, fd);
}

int sim_radio_listen(struct sim_radio *r, const char *path)
{
	return net_listen_unix(r->loop, path, SOCK_STREAM, host_accept, r, &r->listener);
}
