/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/guest_host.h"

#include "esl-radio/le/hci_conn_wire.h"
#include "esl-radio/le/l2cap_wire.h"
#include "sim/label_host.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define ADV_HANDLE    3
#define PACKET_DATA   251
#define BUFFERS       12
#define RESET_MASK    UINT64_C(0x3fffffffffffffff)
#define LE_MASK       UINT64_C(0x1ffffffffff) /* up to bit 40: the newest forms of all events */
#define MAX_PACKETS   256
#define EXT_RESPONSE  0x2038
#define PAST_DEFAULTS 0x205d
#define RESPONSE_DATA 0x2083
#define SUBEVENTS     0x2084

struct guest_host {
	struct loop *loop;
	int fd;
	struct loop_io *io;
	struct loop_timer *timer;
	struct sim_label *label;
	struct label_bond bond;
	struct label_host *host; /**< of the link; NULL = none */
	uint8_t addr[SIM_LABEL_ADDR_BYTES];
	uint8_t in[16384];
	size_t in_len;
	struct buf commands; /**< that wait for the one before them */
	bool busy;
	uint16_t handle;
	struct buf frame; /**< being put together */
	struct buf out;   /**< packets that wait for a buffer */
	unsigned int buffers;
	bool in_step, advertising;
	uint16_t sync;
	struct guest_host_counts counts;
};

static int64_t now_us(const struct guest_host *h)
{
	return clock_mono_us(loop_clock(h->loop));
}

/* --- to the controller ------------------------------------------------------------------------ */

static void write_all(struct guest_host *h, const uint8_t *data, size_t len)
{
	assert_int_equal(send(h->fd, data, len, MSG_NOSIGNAL), len);
}

/** One command at a time, as a controller with one credit wants it. */
static void commands_go(struct guest_host *h)
{
	struct h4_packet p;
	int n;

	if (h->busy || h->commands.len == 0)
		return;
	n = h4_next(h->commands.data, h->commands.len, &p);
	assert_true(n > 0);
	write_all(h, h->commands.data, (size_t) n);
	buf_consume(&h->commands, (size_t) n);
	h->busy = true;
}

static void command(struct guest_host *h, uint16_t opcode, const void *params, size_t len)
{
	hci_put_command(&h->commands, opcode, params, (uint8_t) len);
	commands_go(h);
}

static void data_go(struct guest_host *h)
{
	while (h->buffers > 0 && h->out.len > 0) {
		struct h4_packet p;
		int n = h4_next(h->out.data, h->out.len, &p);

		assert_true(n > 0);
		write_all(h, h->out.data, (size_t) n);
		buf_consume(&h->out, (size_t) n);
		h->buffers--;
		h->counts.packets_sent++;
	}
}

static void advertise(struct guest_host *h, bool on)
{
	const uint8_t enable[6] = {on, 1, ADV_HANDLE};

	if (h->advertising == on)
		return;
	h->advertising = on;
	command(h, HCI_LE_SET_EXT_ADV_ENABLE, enable, sizeof(enable));
}

static void set_up(struct guest_host *h)
{
	static const uint8_t data[] = {2, 0x01, 0x06, 3, 0x03, 0x57, 0x18};
	static const uint8_t past[] = {2, 0, 0, 0x90, 0x01, 0}; /* with reports, lost after 4 s */
	struct hci_ext_adv_params p = {.handle = ADV_HANDLE,
				       .properties = 0x13, /* legacy, connectable, scannable */
				       .interval_min = 160,
				       .interval_max = 320,
				       .channels = 7,
				       .own_addr_type = 1,
				       .tx_power = 127,
				       .primary_phy = 1,
				       .secondary_phy = 1};
	struct hci_adv_data d = {.handle = ADV_HANDLE, .operation = 3, .len = sizeof(data)};
	struct hci_random_address a = {.handle = ADV_HANDLE};

	h->buffers = BUFFERS;
	h->advertising = h->in_step = false;
	memcpy(d.data, data, sizeof(data));
	for (size_t i = 0; i < sizeof(h->addr); i++)
		a.addr[i] = h->addr[sizeof(h->addr) - 1 - i];
	hci_put_command(&h->commands, HCI_RESET, NULL, 0);
	hci_put_mask(&h->commands, HCI_SET_EVENT_MASK, RESET_MASK);
	hci_put_mask(&h->commands, HCI_LE_SET_EVENT_MASK, LE_MASK);
	hci_put_command(&h->commands, PAST_DEFAULTS, past, sizeof(past));
	hci_put_ext_adv_params(&h->commands, &p);
	hci_put_adv_random_address(&h->commands, &a);
	hci_put_ext_adv_data(&h->commands, &d);
	commands_go(h);
	advertise(h, true);
}

/* --- the label -------------------------------------------------------------------------------- */

static void arm(struct guest_host *h)
{
	int64_t next_us = sim_label_next_us(h->label);

	loop_timer_stop(h->timer);
	if (next_us != INT64_MAX)
		loop_timer_start(h->timer, MAX(next_us - now_us(h), INT64_C(0)));
}

static void label_due(void *user)
{
	struct guest_host *h = user;

	sim_label_advance(h->label, now_us(h));
	arm(h);
}

static void on_label(void *user, struct sim_label *l, enum sim_label_event event, int64_t at_us)
{
	struct guest_host *h = user;
	enum esl_label_state state = sim_label_state(l);
	uint8_t listen[6] = {(uint8_t) h->sync, (uint8_t) (h->sync >> 8), 0, 0, 1};

	(void) at_us;
	if (event != SIM_LABEL_STATE_CHANGED)
		return;
	if (state == ESL_UNASSOCIATED)
		h->bond.has_key = false;
	advertise(h, !h->host && (state == ESL_UNASSOCIATED || state == ESL_UNSYNCHRONIZED));
	listen[5] = sim_label_group(l);
	if (state == ESL_SYNCHRONIZED)
		command(h, SUBEVENTS, listen, sizeof(listen));
}

/* --- its link --------------------------------------------------------------------------------- */

static void host_frame(void *user, uint16_t cid, const uint8_t *data, size_t len)
{
	struct guest_host *h = user;
	_cleanup_buf_ struct buf b = BUF_INIT;

	l2cap_put_header(&b, cid, len);
	buf_put(&b, data, len);
	for (size_t at = 0; at < b.len; at += PACKET_DATA)
		hci_put_acl(&h->out, &(struct hci_acl){
					     .handle = h->handle,
					     .boundary = at ? HCI_PB_CONTINUING : HCI_PB_FIRST_HOST,
					     .data = b.data + at,
					     .len = MIN(b.len - at, (size_t) PACKET_DATA)});
	data_go(h);
}

static void host_end(void *user)
{
	struct guest_host *h = user;
	const uint8_t params[3] = {(uint8_t) h->handle, (uint8_t) (h->handle >> 8), 0x13};

	command(h, HCI_DISCONNECT, params, sizeof(params));
}

static bool host_in_range(void *user)
{
	struct guest_host *h = user;

	return h->in_step;
}

static const struct label_host_io host_io = {host_frame, host_end, host_in_range};

static void on_connection(struct guest_host *h, struct wire *w)
{
	struct hci_connection_complete c;
	uint8_t central[7];
	uint16_t sync;

	hci_get_connection_complete(w, true, &c);
	sync = (uint16_t) (w->base[w->len - 2] | w->base[w->len - 1] << 8);
	assert_int_equal(c.status, HCI_OK);
	assert_int_equal(c.role, 1);
	assert_null(h->host);
	h->counts.connections++;
	h->counts.through_train += sync != 0xffff;
	h->handle = c.handle;
	h->buffers = BUFFERS;
	h->advertising = false;
	buf_clear(&h->out);
	buf_clear(&h->frame);
	central[0] = c.peer_type;
	for (size_t i = 0; i < HCI_ADDR_BYTES; i++)
		central[1 + i] = c.peer[HCI_ADDR_BYTES - 1 - i];
	assert_int_equal(label_host_new(h->label, &h->bond, central, 5, &host_io, h, &h->host), 0);
}

static void link_over(struct guest_host *h)
{
	label_host_free(h->host);
	h->host = NULL;
	buf_clear(&h->out);
	sim_label_link_lost(h->label, now_us(h));
	/* It was told to forget its access point over the link, perhaps. */
	on_label(h, h->label, SIM_LABEL_STATE_CHANGED, 0);
}

static void on_data(struct guest_host *h, const struct hci_acl *a)
{
	size_t len;

	if (!h->host || a->handle != h->handle)
		return;
	if (a->boundary != HCI_PB_CONTINUING)
		buf_clear(&h->frame);
	buf_put(&h->frame, a->data, a->len);
	if (h->frame.len < L2CAP_HEADER)
		return;
	len = (size_t) (h->frame.data[0] | h->frame.data[1] << 8);
	if (h->frame.len != L2CAP_HEADER + len)
		return;
	label_host_frame(h->host, (uint16_t) (h->frame.data[2] | h->frame.data[3] << 8),
			 h->frame.data + L2CAP_HEADER, len, now_us(h));
}

static void on_key_request(struct guest_host *h, struct wire *w)
{
	uint16_t handle = wire_get_u16le(w);
	uint8_t params[2 + HCI_KEY_BYTES] = {(uint8_t) handle, (uint8_t) (handle >> 8)};

	wire_skip(w, 10);
	h->counts.key_requests++;
	for (size_t i = 0; i < HCI_KEY_BYTES; i++)
		params[2 + i] = h->bond.ltk[HCI_KEY_BYTES - 1 - i];
	if (h->bond.has_key)
		command(h, HCI_LE_LTK_REPLY, params, sizeof(params));
	else
		command(h, HCI_LE_LTK_NEGATIVE_REPLY, params, 2);
}

/* --- the train -------------------------------------------------------------------------------- */

static void on_transfer(struct guest_host *h, struct wire *w)
{
	uint8_t status = wire_get_u8(w);

	wire_skip(w, 2 + 2);
	h->sync = wire_get_u16le(w);
	wire_skip(w, 1 + 1 + HCI_ADDR_BYTES + 1 + 2 + 1 + 4);
	h->counts.transfers++;
	h->in_step = status == HCI_OK;
}

static void on_report(struct guest_host *h, struct wire *w)
{
	uint8_t answer[SIM_LABEL_ANSWER_MAX], params[8 + SIM_LABEL_ANSWER_MAX];
	uint8_t subevent, status, len;
	const uint8_t *data;
	unsigned int slot;
	uint16_t event;
	int n;

	wire_skip(w, 2 + 3);
	event = wire_get_u16le(w);
	subevent = wire_get_u8(w);
	status = wire_get_u8(w);
	len = wire_get_u8(w);
	data = wire_get_bytes(w, len);
	h->counts.reports++;
	h->counts.lost += status == 0xff;
	if (status != 0 || h->host || len == 0)
		return;
	n = sim_label_packet(h->label, data, len, answer, &slot, now_us(h));
	if (n <= 0)
		return;
	memcpy(params,
	       (uint8_t[]){(uint8_t) h->sync, (uint8_t) (h->sync >> 8), (uint8_t) event,
			   (uint8_t) (event >> 8), subevent, subevent, (uint8_t) slot, (uint8_t) n},
	       8);
	memcpy(params + 8, answer, (size_t) n);
	h->counts.responses++;
	command(h, RESPONSE_DATA, params, 8 + (size_t) n);
}

/* --- events ----------------------------------------------------------------------------------- */

static void on_le_event(struct guest_host *h, struct wire *w)
{
	switch (hci_get_le_event(w)) {
	case HCI_LE_ENHANCED_CONNECTION_COMPLETE_V2:
		on_connection(h, w);
		break;
	case HCI_LE_LTK_REQUEST:
		on_key_request(h, w);
		break;
	case HCI_LE_PAST_RECEIVED_V2:
		on_transfer(h, w);
		break;
	case HCI_LE_PA_REPORT_V2:
		on_report(h, w);
		break;
	case 0x10: /* sync lost */
		wire_skip(w, 2);
		h->in_step = false;
		h->counts.sync_losses++;
		sim_label_sync_lost(h->label, now_us(h));
		break;
	case 0x12: /* the advertising set has ended: there is a link */
	case HCI_LE_CONNECTION_UPDATED:
		wire_skip(w, wire_left(w));
		break;
	default:
		fail_msg("an LE event nobody expects");
	}
	assert_int_equal(wire_finish(w), 0);
}

static void on_event(struct guest_host *h, uint8_t code, struct wire *w)
{
	struct hci_command_complete done;
	struct hci_completed_packets n;

	switch (code) {
	case HCI_EVT_COMMAND_COMPLETE:
		hci_get_command_complete(w, &done);
		if (done.opcode == RESPONSE_DATA)
			h->counts.refused += done.status != HCI_OK;
		else
			assert_int_equal(done.status, HCI_OK);
		h->busy = false;
		break;
	case HCI_EVT_COMMAND_STATUS:
		h->busy = false;
		break;
	case HCI_EVT_COMPLETED_PACKETS:
		assert_int_equal(hci_get_completed_packets(w), 1);
		hci_get_completed(w, &n);
		h->buffers += n.count;
		h->counts.packets_done += n.count;
		assert_true(h->buffers <= BUFFERS);
		data_go(h);
		break;
	case HCI_EVT_ENCRYPTION_CHANGE:
		h->counts.encryptions++;
		label_host_encrypted(h->host, now_us(h));
		break;
	case HCI_EVT_DISCONNECTION_COMPLETE:
		h->counts.disconnections++;
		link_over(h);
		break;
	case HCI_EVT_LE_META:
		on_le_event(h, w);
		break;
	default:
		fail_msg("an event nobody expects");
	}
	commands_go(h);
}

static void readable(void *user, unsigned int events)
{
	struct guest_host *h = user;
	ssize_t n = recv(h->fd, h->in + h->in_len, sizeof(h->in) - h->in_len, MSG_DONTWAIT);
	int used;
	struct h4_packet p;

	(void) events;
	assert_true(n > 0);
	h->in_len += (size_t) n;
	while ((used = h4_next(h->in, h->in_len, &p)) > 0) {
		struct hci_acl a;
		struct wire w;

		wire_init(&w, p.params, p.len);
		if (p.type == H4_EVENT) {
			on_event(h, p.event, &w);
		} else {
			hci_get_acl(h->in, &a);
			on_data(h, &a);
		}
		h->in_len -= (size_t) used;
		memmove(h->in, h->in + used, h->in_len);
	}
	assert_int_equal(used, 0);
	arm(h);
}

/* --- life ------------------------------------------------------------------------------------- */

void guest_host_open(struct loop *loop, struct sim_guest *g,
		     const uint8_t addr[SIM_LABEL_ADDR_BYTES], const struct sim_label_model *model,
		     struct guest_host **ret)
{
	struct guest_host *h = calloc(1, sizeof(*h));
	int ends[2];

	assert_non_null(h);
	h->loop = loop;
	memcpy(h->addr, addr, sizeof(h->addr));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	h->fd = ends[1];
	assert_int_equal(sim_guest_attach(g, ends[0]), 0);
	assert_int_equal(loop_timer_new(loop, label_due, h, &h->timer), 0);
	assert_int_equal(loop_io_new(loop, h->fd, LOOP_READ, readable, h, &h->io), 0);
	assert_int_equal(sim_label_new(addr, model, 11, on_label, h, &h->label), 0);
	set_up(h);
	*ret = h;
}

void guest_host_close(struct guest_host *h)
{
	if (!h)
		return;
	label_host_free(h->host);
	label_bond_drop_kept(&h->bond);
	loop_io_free(h->io);
	loop_timer_free(h->timer);
	close(h->fd);
	sim_label_free(h->label);
	buf_done(&h->commands);
	buf_done(&h->frame);
	buf_done(&h->out);
	free(h);
}

void guest_host_reboot(struct guest_host *h)
{
	label_host_free(h->host);
	h->host = NULL;
	buf_clear(&h->out);
	buf_clear(&h->commands);
	set_up(h);
	sim_label_reboot(h->label, now_us(h));
	arm(h);
}

struct sim_label *guest_host_label(const struct guest_host *h)
{
	return h->label;
}

void guest_host_get(const struct guest_host *h, struct guest_host_counts *ret)
{
	*ret = h->counts;
}
