/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/hci_port.h"

#include "common/err.h"
#include "sim/hci_basics.h"
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CREDITS                  1
#define EVT_DATA_BUFFER_OVERFLOW 0x1a
#define HOST_QUEUE_MAX           (1u << 20)
#define CORE_VERSION_5_4         0x0d
#define COMPANY_UNASSIGNED       0xffff
#define DEFAULT_EVENT_MASK       UINT64_C(0x00001fffffffffff)
#define DEFAULT_LE_MASK          UINT64_C(0x1f)

void reply_u8(struct hci_reply *p, uint8_t v)
{
	p->more[p->more_len++] = v;
}

void reply_u16(struct hci_reply *p, uint16_t v)
{
	reply_u8(p, (uint8_t) v);
	reply_u8(p, (uint8_t) (v >> 8));
}

void reply_u64(struct hci_reply *p, uint64_t v)
{
	for (int i = 0; i < 64; i += 8)
		reply_u8(p, (uint8_t) (v >> i));
}

/* --- to the host ------------------------------------------------------------------------------ */

void hci_port_reset(struct hci_port *p)
{
	p->event_mask = DEFAULT_EVENT_MASK;
	p->le_event_mask = DEFAULT_LE_MASK;
}

void hci_port_drop(struct hci_port *p)
{
	net_conn_free(p->host);
	p->host = NULL;
	buf_clear(&p->in);
}

bool hci_port_wants(const struct hci_port *p, uint8_t le_event)
{
	return p->host && (p->event_mask & HCI_MASK_LE_META) &&
	       (p->le_event_mask & HCI_LE_MASK(le_event));
}

/** Answers to commands and Number Of Completed Packets come whatever the mask says (Vol 4 Part E
 * 7.3.1). */
static bool wanted(const struct hci_port *p, const struct h4_packet *packet)
{
	if (packet->type != H4_EVENT)
		return true;
	switch (packet->event) {
	case HCI_EVT_COMMAND_COMPLETE:
	case HCI_EVT_COMMAND_STATUS:
	case HCI_EVT_COMPLETED_PACKETS:
		return true;
	case HCI_EVT_LE_META:
		return packet->len > 0 && hci_port_wants(p, packet->params[0]);
	default:
		return p->event_mask & HCI_MASK(packet->event);
	}
}

static void send_bytes(struct hci_port *p, const uint8_t *data, size_t len)
{
	if (p->host && len > 0 && net_conn_send(p->host, data, len) < 0)
		hci_port_drop(p);
}

void hci_port_send(struct hci_port *p, const struct buf *packets)
{
	size_t from = 0, at = 0;

	if (!p->host || (buf_ok(packets) && packets->len == 0))
		return;
	if (!buf_ok(packets)) {
		hci_port_drop(p);
		return;
	}
	while (p->host && at < packets->len) {
		struct h4_packet one;
		int n = h4_next(packets->data + at, packets->len - at, &one);

		assert(n > 0); /* a controller says nothing malformed */
		if (wanted(p, &one)) {
			hci_capture(p, true, packets->data + at, (size_t) n);
		} else {
			send_bytes(p, packets->data + from, at - from);
			from = at + (size_t) n;
		}
		at += (size_t) n;
	}
	send_bytes(p, packets->data + from, at - from);
}

void hci_port_overflow(struct hci_port *p)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, H4_EVENT);
	buf_put_u8(&b, EVT_DATA_BUFFER_OVERFLOW);
	buf_put_u8(&b, 1);
	buf_put_u8(&b, 1); /* of a link's data */
	hci_port_send(p, &b);
}

/* --- commands that are the same for every controller -------------------------------------------
 */

static void cmd_event_mask(void *port, struct wire *w, struct hci_reply *ret)
{
	struct hci_port *p = port;

	(void) ret;
	p->event_mask = wire_get_u64le(w);
}

static void cmd_le_event_mask(void *port, struct wire *w, struct hci_reply *ret)
{
	struct hci_port *p = port;

	(void) ret;
	p->le_event_mask = wire_get_u64le(w);
}

static void cmd_local_version(void *port, struct wire *w, struct hci_reply *ret)
{
	(void) port;
	(void) w;
	reply_u8(ret, CORE_VERSION_5_4);
	reply_u16(ret, 0);
	reply_u8(ret, CORE_VERSION_5_4);
	reply_u16(ret, COMPANY_UNASSIGNED);
	reply_u16(ret, 0);
}

static void cmd_local_features(void *port, struct wire *w, struct hci_reply *ret)
{
	(void) port;
	(void) w;
	/* LE supported by the controller (bit 38), BR/EDR not supported (bit 37). */
	reply_u64(ret, UINT64_C(3) << 37);
}

static void cmd_buffer_size(void *port, struct wire *w, struct hci_reply *ret)
{
	(void) port;
	(void) w;
	reply_u16(ret, HCI_PORT_DATA);
	reply_u8(ret, HCI_PORT_BUFFERS);
}

static void cmd_local_commands(void *port, struct wire *w, struct hci_reply *ret);

static const struct hci_port_command common[] = {
	{HCI_SET_EVENT_MASK, cmd_event_mask, false},
	{HCI_LE_SET_EVENT_MASK, cmd_le_event_mask, false},
	{HCI_READ_LOCAL_VERSION, cmd_local_version, false},
	{HCI_READ_LOCAL_COMMANDS, cmd_local_commands, false},
	{HCI_READ_LOCAL_FEATURES, cmd_local_features, false},
	{HCI_LE_READ_BUFFER_SIZE, cmd_buffer_size, false},
};

static void cmd_local_commands(void *port, struct wire *w, struct hci_reply *ret)
{
	const struct hci_port *p = port;

	(void) w;
	hci_basics_commands(ret->more);
	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		hci_commands_add(ret->more, common[i].opcode);
	for (size_t i = 0; i < p->ops->n_commands; i++)
		hci_commands_add(ret->more, p->ops->commands[i].opcode);
	ret->more_len = HCI_COMMANDS_BYTES;
}

/* --- commands --------------------------------------------------------------------------------- */

static const struct hci_port_command *command_find(const struct hci_port_command *list, size_t n,
						   uint16_t opcode)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].opcode == opcode)
			return &list[i];
	return NULL;
}

static void send_status(struct hci_port *p, uint16_t opcode, uint8_t status)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	hci_put_command_status(&out, &(struct hci_command_status){.status = status,
								  .credits = CREDITS,
								  .opcode = opcode});
	hci_port_send(p, &out);
}

/** A command that means nothing to this controller, or one it does not know. */
static void basic_command(struct hci_port *p, uint16_t opcode, struct wire *w)
{
	_cleanup_buf_ struct buf out = BUF_INIT, more = BUF_INIT;

	if (!hci_basics_answer(opcode, w, &more)) {
		send_status(p, opcode, HCI_ERR_UNKNOWN_COMMAND);
		return;
	}
	hci_put_command_complete(&out, &(struct hci_command_complete){.credits = CREDITS,
								      .opcode = opcode,
								      .more = more.data,
								      .more_len = more.len});
	hci_port_send(p, &out);
}

static void send_complete(struct hci_port *p, uint16_t opcode, const struct hci_reply *reply)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	hci_put_command_complete(&out, &(struct hci_command_complete){.credits = CREDITS,
								      .opcode = opcode,
								      .status = reply->status,
								      .more = reply->more,
								      .more_len = reply->more_len});
	hci_port_send(p, &out);
}

static void host_command(struct hci_port *p, const struct h4_packet *packet)
{
	const struct hci_port_command *c =
		command_find(p->ops->commands, p->ops->n_commands, packet->opcode);
	void *whose = c ? p->controller : p;
	struct hci_reply reply = {0};
	struct wire w;

	wire_init(&w, packet->params, packet->len);
	if (!c)
		c = command_find(common, ARRAY_SIZE(common), packet->opcode);
	if (!c) {
		basic_command(p, packet->opcode, &w);
		return;
	}
	c->fn(whose, &w, &reply);
	if (wire_finish(&w) < 0 && reply.status == HCI_OK)
		reply.status = HCI_ERR_INVALID_PARAMETERS;
	if (c->status)
		send_status(p, packet->opcode, reply.status);
	else
		send_complete(p, packet->opcode, &reply);
	if (reply.status == HCI_OK && reply.after.len > 0)
		hci_port_send(p, &reply.after);
	buf_done(&reply.after);
}

/* --- the host's byte stream ------------------------------------------------------------------- */

static void host_packet(struct hci_port *p, const struct h4_packet *packet)
{
	struct hci_acl acl;

	if (packet->type == H4_COMMAND) {
		host_command(p, packet);
	} else if (packet->type == H4_ACL) {
		hci_get_acl(p->in.data, &acl);
		p->ops->data(p->controller, &acl);
	}
}

static void host_data(void *user, const uint8_t *data, size_t len)
{
	struct hci_port *p = user;

	buf_put(&p->in, data, len);
	while (p->host && p->in.len > 0) {
		struct h4_packet packet;
		int n = buf_ok(&p->in) ? h4_next(p->in.data, p->in.len, &packet) : p->in.err;

		if (n == 0)
			return;
		if (n < 0) {
			/* A controller that lost the framing says so once; the host must start
			 * over. */
			_cleanup_buf_ struct buf out = BUF_INIT;

			hci_put_hardware_error(&out, 0);
			hci_port_send(p, &out);
			hci_port_drop(p);
			return;
		}
		hci_capture(p, false, p->in.data, (size_t) n);
		host_packet(p, &packet);
		if (p->host)
			buf_consume(&p->in, (size_t) n);
	}
}

static void host_closed(void *user, int err)
{
	(void) err;
	hci_port_drop(user);
}

int hci_port_attach(struct hci_port *p, int fd)
{
	static const struct net_conn_callbacks cb = {.data = host_data, .closed = host_closed};

	if (p->host) {
		close(fd);
		return -EBUSY;
	}
	return net_conn_new(p->loop, fd, false, HOST_QUEUE_MAX, &cb, p, &p->host);
}

static void host_accept(void *user, int fd)
{
	ignore_result(hci_port_attach(user, fd));
}

int hci_port_listen(struct hci_port *p, const char *path)
{
	return net_listen_unix(p->loop, path, SOCK_STREAM, host_accept, p, &p->listener);
}

/* --- life ------------------------------------------------------------------------------------- */

void hci_port_init(struct hci_port *p, struct loop *loop, const struct hci_port_ops *ops,
		   void *controller)
{
	*p = (struct hci_port){
		.loop = loop, .clock = loop_clock(loop), .ops = ops, .controller = controller};
	buf_init(&p->in, 0);
	hci_port_reset(p);
}

void hci_port_done(struct hci_port *p)
{
	net_listener_free(p->listener);
	net_conn_free(p->host);
	buf_done(&p->in);
	if (p->capture)
		(void) fclose(p->capture);
}
