/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/le_rig.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

const uint8_t label_addr[HCI_ADDR_BYTES] = {0xc0, 0xff, 0xee, 0, 0, 0};

/* --- the host's side -------------------------------------------------------------------------- */

static void on_up(void *user)
{
	((struct rig *) user)->ups++;
}

static void on_down(void *user, int err, const char *text)
{
	(void) err;
	(void) text;
	((struct rig *) user)->downs++;
}

static void on_advert(void *user, const struct hci_adv_report *r)
{
	(void) user;
	(void) r;
	fail_msg("nobody advertised");
}

static const struct le_central_callbacks central_cb = {on_up, on_down, on_advert};

static void on_label_advert(void *user, const uint8_t addr[ESL_ADDR_BYTES], int8_t rssi_dbm,
			    bool bonded, uint16_t battery_mv)
{
	struct rig *r = user;

	(void) rssi_dbm;
	(void) battery_mv;
	assert_memory_equal(addr, label_addr, 5);
	assert_false(bonded);
	r->adverts++;
}

static int on_random(void *user, void *to, size_t n)
{
	(void) user;
	memset(to, 7, n);
	return 0;
}

static const struct esl_link_callbacks seam_cb = {
	.up = on_up, .down = on_down, .advert = on_label_advert, .random = on_random};

/* --- the controller --------------------------------------------------------------------------- */

void run(struct rig *r, int64_t us)
{
	loop_run_until(r->loop, clock_mono_us(loop_clock(r->loop)) + us);
}

static void say(struct rig *r, struct buf *b)
{
	assert_true(buf_ok(b));
	assert_int_equal(send(r->fd, b->data, b->len, MSG_NOSIGNAL), b->len);
	buf_done(b);
}

static void note(struct rig *r, const char *what, int n)
{
	size_t len = strlen(r->log);

	(void) snprintf(r->log + len, sizeof(r->log) - len, n < 0 ? "%s%s" : "%s%s%d",
			len ? " " : "", what, n);
	assert_true(strlen(r->log) + 1 < sizeof(r->log));
}

void assert_asked(struct rig *r, const char *what)
{
	assert_string_equal(r->log, what);
	r->log[0] = '\0';
}

void attempt_ends(struct rig *r, int label, uint8_t status)
{
	struct hci_connection_complete e = {.status = status, .peer_type = 1};
	struct buf b = BUF_INIT;

	r->trying = r->by_list = false;
	if (label >= 0) {
		e.handle = (uint16_t) (FIRST_HANDLE + label);
		for (size_t i = 0; i < HCI_ADDR_BYTES; i++)
			e.peer[i] = label_addr[HCI_ADDR_BYTES - 1 - i];
		e.peer[0] = (uint8_t) label;
	}
	hci_put_connection_complete(&b, &e);
	say(r, &b);
}

static uint8_t list_status(struct rig *r, uint16_t opcode, struct wire *w)
{
	struct hci_accept a;

	assert_false(r->by_list);
	if (opcode == HCI_LE_CLEAR_ACCEPT_LIST) {
		note(r, "0", -1);
		r->n_list = 0;
		return HCI_OK;
	}
	hci_get_accept(w, &a);
	r->peer_type = a.peer_type;
	note(r, opcode == HCI_LE_ADD_TO_ACCEPT_LIST ? "+" : "-", a.peer[0]);
	if (opcode == HCI_LE_REMOVE_FROM_ACCEPT_LIST)
		r->n_list--;
	else if (r->n_list == r->places)
		return HCI_ERR_MEMORY;
	else
		r->n_list++;
	return HCI_OK;
}

static uint8_t create_status(struct rig *r, struct wire *w)
{
	struct hci_create_connection c;

	hci_get_create_connection(w, &c);
	assert_int_equal(wire_finish(w), 0);
	assert_false(r->trying);
	if (c.listed) {
		assert_int_equal(c.subevent, 0xff);
		note(r, "L", -1);
	} else if (c.subevent == 0xff) {
		note(r, "C", c.peer[0]);
	} else {
		note(r, "T", c.subevent);
	}
	r->trying = r->refused_opcode != HCI_LE_EXT_CREATE_CONNECTION_V2;
	r->by_list = r->trying && c.listed;
	return HCI_OK;
}

static uint8_t status_of(struct rig *r, const struct h4_packet *p)
{
	uint8_t status = HCI_OK;
	struct wire w;

	wire_init(&w, p->params, p->len);
	switch (p->opcode) {
	case HCI_LE_CLEAR_ACCEPT_LIST:
	case HCI_LE_ADD_TO_ACCEPT_LIST:
	case HCI_LE_REMOVE_FROM_ACCEPT_LIST:
		status = list_status(r, p->opcode, &w);
		break;
	case HCI_LE_EXT_CREATE_CONNECTION_V2:
		status = create_status(r, &w);
		break;
	case HCI_LE_CREATE_CONNECTION_CANCEL:
		note(r, "X", -1);
		status = r->trying ? HCI_OK : HCI_ERR_COMMAND_DISALLOWED;
		break;
	case HCI_LE_SET_RANDOM_ADDRESS:
		note(r, "N", wire_get_u8(&w));
		break;
	case HCI_DISCONNECT:
		note(r, "D", wire_get_u16le(&w) - FIRST_HANDLE);
		break;
	}
	return p->opcode == r->refused_opcode ? r->refused_status : status;
}

static void answer(struct rig *r, const struct h4_packet *p)
{
	static const uint8_t address[HCI_ADDR_BYTES] = {1, 0, 0, 0, 0, 0},
			     features[8] = {0, 0x30, 0, 0, 0, 0x08}, buffers[3] = {251, 0, BUFFERS};
	struct hci_command_complete c = {.credits = 1, .opcode = p->opcode};
	struct hci_command_status s = {.credits = 1, .opcode = p->opcode};
	struct buf b = BUF_INIT;

	c.status = s.status = status_of(r, p);
	if (p->opcode == HCI_LE_READ_LOCAL_FEATURES) {
		c.more = features;
		c.more_len = sizeof(features);
	} else if (p->opcode == HCI_LE_READ_BUFFER_SIZE) {
		c.more = buffers;
		c.more_len = sizeof(buffers);
	} else if (p->opcode == HCI_READ_BD_ADDR) {
		c.more = address;
		c.more_len = sizeof(address);
	} else if (p->opcode == HCI_LE_READ_ACCEPT_LIST_SIZE) {
		c.more = &r->list_size;
		c.more_len = 1;
	}
	if (p->opcode == HCI_LE_EXT_CREATE_CONNECTION_V2 || p->opcode == HCI_DISCONNECT ||
	    p->opcode == HCI_LE_SET_PHY)
		hci_put_command_status(&b, &s);
	else
		hci_put_command_complete(&b, &c);
	say(r, &b);
	if (p->opcode == HCI_LE_CREATE_CONNECTION_CANCEL && c.status == HCI_OK && !r->deaf)
		attempt_ends(r, -1, HCI_ERR_UNKNOWN_CONNECTION);
}

bool serve_one(struct rig *r)
{
	uint8_t taken[HCI_COMMAND_MAX], chunk[1024];
	struct h4_packet p;
	ssize_t got;
	int n;

	run(r, US_PER_MS);
	got = recv(r->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (got > 0)
		buf_put(&r->in, chunk, (size_t) got);
	n = h4_next(r->in.data, r->in.len, &p);
	assert_true(n >= 0);
	if (n == 0)
		return false;
	if (p.type == H4_ACL) {
		note(r, "A", r->in.data[1] - FIRST_HANDLE);
		buf_consume(&r->in, (size_t) n);
		return true;
	}
	memcpy(taken, r->in.data, (size_t) n);
	buf_consume(&r->in, (size_t) n);
	assert_int_equal(h4_next(taken, (size_t) n, &p), n);
	answer(r, &p);
	return true;
}

void serve(struct rig *r)
{
	while (serve_one(r))
		;
}

void reach(struct rig *r, int label)
{
	attempt_ends(r, label, HCI_OK);
	serve(r);
}

void leave(struct rig *r, int label)
{
	struct hci_disconnection e = {.handle = (uint16_t) (FIRST_HANDLE + label), .reason = 0x13};
	struct buf b = BUF_INIT;

	hci_put_disconnection(&b, &e);
	say(r, &b);
	serve(r);
}

void advertise(struct rig *r, uint8_t label, uint8_t addr_type)
{
	static const uint8_t data[] = {3, 0x03, 0x57, 0x18};
	struct hci_adv_report a = {.type = HCI_ADV_CONNECTABLE | HCI_ADV_LEGACY,
				   .addr_type = addr_type,
				   .len = sizeof(data),
				   .data = data};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < HCI_ADDR_BYTES; i++)
		a.addr[i] = label_addr[HCI_ADDR_BYTES - 1 - i];
	a.addr[0] = label;
	assert_int_equal(hci_put_adv_report(&b, &a), 0);
	say(r, &b);
	serve(r);
}

/* --- life ------------------------------------------------------------------------------------- */

void take_host(struct rig *r)
{
	if (r->fd >= 0)
		close(r->fd);
	buf_clear(&r->in);
	r->fd = -1;
	for (int i = 0; i < 100 && r->fd < 0; i++) {
		run(r, 100 * US_PER_MS);
		r->fd = accept(r->listener, NULL, NULL);
	}
	assert_true(r->fd >= 0);
	r->n_list = 0;
	r->trying = r->by_list = false;
	serve(r);
}

static void open_below(struct rig *r, uint8_t places, bool seam)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char address[80];

	memset(r, 0, sizeof(*r));
	r->fd = -1;
	r->list_size = r->places = places;
	(void) snprintf(r->dir, sizeof(r->dir), "/tmp/calls-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	(void) snprintf(r->path, sizeof(r->path), "%s/hci", r->dir);
	(void) snprintf(address, sizeof(address), "unix:%s", r->path);
	(void) snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", r->path);
	r->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(r->listener >= 0);
	assert_int_equal(bind(r->listener, (struct sockaddr *) &sa, sizeof(sa)), 0);
	assert_int_equal(listen(r->listener, 4), 0);
	assert_int_equal(loop_new_virtual(US_PER_SEC, 0, &r->loop), 0);
	assert_int_equal(hci_host_new(r->loop, address, &r->host), 0);
	if (seam) {
		assert_int_equal(esl_link_le_over(r->loop, r->host, &r->link), 0);
		assert_int_equal(r->link->ops->start(r->link, &seam_cb, r), 0);
	} else {
		assert_int_equal(le_central_new(r->loop, r->host, &central_cb, r, &r->central), 0);
	}
	hci_host_start(r->host);
	take_host(r);
	assert_int_equal(r->ups, 1);
	assert_asked(r, "");
}

void rig_open(struct rig *r, uint8_t places)
{
	open_below(r, places, false);
}

void rig_open_seam(struct rig *r, uint8_t places)
{
	open_below(r, places, true);
}

void rig_close(struct rig *r)
{
	if (r->link)
		r->link->ops->free(r->link);
	le_central_free(r->central);
	hci_host_unref(r->host);
	loop_free(r->loop);
	close(r->listener);
	close(r->fd);
	buf_done(&r->in);
	unlink(r->path);
	rmdir(r->dir);
}
