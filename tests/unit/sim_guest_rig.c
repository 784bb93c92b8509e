/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sim_guest_rig.h"

#include <sys/socket.h>
#include <unistd.h>

struct guest_air f;

/* --- hosts ------------------------------------------------------------------------------------ */

void say(struct end *e, struct buf *b)
{
	assert_true(buf_ok(b));
	assert_int_equal(send(e->fd, b->data, b->len, MSG_NOSIGNAL), b->len);
	buf_done(b);
}

static void on_event(struct end *e, const struct h4_packet *p)
{
	struct event *v = &e->events[e->n++ % EVENTS];
	struct hci_command_complete done;
	struct hci_command_status status;
	struct wire w;

	v->code = p->event;
	v->le = p->event == HCI_EVT_LE_META ? p->params[0] : NO_EVENT;
	v->len = (uint8_t) p->len;
	memcpy(v->data, p->params, p->len);
	wire_init(&w, p->params, p->len);
	if (p->event == HCI_EVT_COMMAND_COMPLETE) {
		hci_get_command_complete(&w, &done);
		e->completed = done.opcode;
		e->status = done.status;
	} else if (p->event == HCI_EVT_COMMAND_STATUS) {
		hci_get_command_status(&w, &status);
		e->completed = status.opcode;
		e->status = status.status;
	}
}

static void answer_requests(struct end *e, const struct h4_packet *p)
{
	struct hci_subevent_data d = {
		.subevent = 2, .slot_count = 4, .len = f.data_len, .data = f.data};
	struct hci_data_request q;
	struct buf b = BUF_INIT;
	struct wire w;

	wire_init(&w, p->params, p->len);
	if (p->event != HCI_EVT_LE_META ||
	    hci_get_le_event(&w) != HCI_LE_PA_SUBEVENT_DATA_REQUEST || !f.has_data)
		return;
	hci_get_data_request(&w, &q);
	for (unsigned int i = 0; i < q.count; i++)
		if ((q.start + i) % SUBEVENTS == d.subevent &&
		    hci_put_subevent_data(&b, 0, &d, 1) == 0)
			say(e, &b);
}

static void hear(struct end *e)
{
	ssize_t n = recv(e->fd, e->in + e->in_len, sizeof(e->in) - e->in_len, MSG_DONTWAIT);
	struct h4_packet p;
	int used;

	e->closed |= n == 0;
	e->in_len += n > 0 ? (size_t) n : 0;
	while ((used = h4_next(e->in, e->in_len, &p)) > 0) {
		if (p.type == H4_ACL) {
			hci_get_acl(e->in, &e->acl);
			memcpy(e->acl_data, e->acl.data, e->acl.len);
			e->acls++;
		} else {
			on_event(e, &p);
			answer_requests(e, &p);
		}
		e->in_len -= (size_t) used;
		memmove(e->in, e->in + used, e->in_len);
	}
	assert_int_equal(used, 0);
}

void pass(int64_t us)
{
	for (int64_t end_us = f.now_us + us;; f.now_us += MIN(US_PER_MS, end_us - f.now_us)) {
		loop_run_until(f.loop, f.now_us);
		hear(&f.ap);
		hear(&f.label);
		if (f.second)
			hear(&f.other);
		if (f.now_us >= end_us)
			return;
	}
}

uint8_t command(struct end *e, struct buf *b)
{
	e->completed = 0;
	say(e, b);
	pass(2 * US_PER_MS);
	assert_int_not_equal(e->completed, 0);
	return e->status;
}

uint8_t ask(struct end *e, uint16_t opcode, const void *params, size_t len)
{
	struct buf b = BUF_INIT;

	hci_put_command(&b, opcode, params, (uint8_t) len);
	return command(e, &b);
}

const struct event *heard(const struct end *e, uint8_t code, uint8_t le)
{
	const struct event *ret = NULL;

	assert_true(e->n <= EVENTS);
	for (size_t i = 0; i < e->n; i++)
		if (e->events[i].code == code && e->events[i].le == le)
			ret = &e->events[i];
	return ret;
}

const struct event *heard_le(const struct end *e, uint8_t le)
{
	return heard(e, HCI_EVT_LE_META, le);
}

unsigned int heard_times(const struct end *e, uint8_t le)
{
	unsigned int n = 0;

	for (size_t i = 0; i < e->n; i++)
		n += e->events[i].le == le;
	return n;
}

void forget(struct end *e)
{
	e->n = 0;
	e->acls = 0;
}

/* --- arrangements ----------------------------------------------------------------------------- */

void set_masks(struct end *e, uint64_t le)
{
	struct buf b = BUF_INIT;

	hci_put_mask(&b, HCI_SET_EVENT_MASK, UINT64_MAX >> 2);
	assert_int_equal(command(e, &b), HCI_OK);
	hci_put_mask(&b, HCI_LE_SET_EVENT_MASK, le);
	assert_int_equal(command(e, &b), HCI_OK);
}

void attach(struct end *e, struct sim_guest *guest)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	e->fd = ends[1];
	assert_int_equal(
		guest ? sim_guest_attach(guest, ends[0]) : sim_radio_attach(f.radio, ends[0]), 0);
}

void open_air(void)
{
	memset(&f, 0, sizeof(f));
	assert_int_equal(loop_new_virtual(0, US_PER_SEC, &f.loop), 0);
	assert_int_equal(sim_radio_new(f.loop, &(struct sim_radio_config){.name = "ap", .seed = 3},
				       &f.radio),
			 0);
	assert_int_equal(sim_guest_new(f.radio, &f.guest), 0);
	attach(&f.ap, NULL);
	attach(&f.label, f.guest);
	set_masks(&f.ap, UINT64_C(0xff) << 32 | UINT64_C(0x1fff));
	set_masks(&f.label, UINT64_C(0x1ffffffffff));
}

void close_air(void)
{
	sim_guest_free(f.guest);
	sim_guest_free(f.second);
	sim_radio_free(f.radio);
	close(f.ap.fd);
	close(f.label.fd);
	if (f.second)
		close(f.other.fd);
	loop_free(f.loop);
}

void set_up(struct end *e, uint8_t handle, uint16_t properties)
{
	struct hci_ext_adv_params p = {.handle = handle,
				       .properties = properties,
				       .interval_min = 160,
				       .interval_max = 160,
				       .channels = 7,
				       .primary_phy = 1,
				       .secondary_phy = 1,
				       .sid = 5};
	struct buf b = BUF_INIT;

	hci_put_ext_adv_params(&b, &p);
	assert_int_equal(command(e, &b), HCI_OK);
}

uint8_t put_data(struct end *e, uint8_t handle, const void *data, size_t len)
{
	struct hci_adv_data d = {.handle = handle, .operation = 3, .len = (uint8_t) len};
	struct buf b = BUF_INIT;

	memcpy(d.data, data, len);
	hci_put_ext_adv_data(&b, &d);
	return command(e, &b);
}

void advertise(struct end *e)
{
	set_up(e, 1, 0x13);
	assert_int_equal(put_data(e, 1, "\x03\x03\x57\x18", 4), HCI_OK);
	assert_int_equal(ASK(e, HCI_LE_SET_EXT_ADV_ENABLE, 1, 1, 1, 0, 0, 0), HCI_OK);
}

void scan(bool active)
{
	struct buf b = BUF_INIT;

	hci_put_ext_scan_params(
		&b, &(struct hci_ext_scan){.interval = 16, .window = 16, .active = active});
	assert_int_equal(command(&f.ap, &b), HCI_OK);
	hci_put_ext_scan_enable(&b, &(struct hci_scan_enable){.enable = true});
	assert_int_equal(command(&f.ap, &b), HCI_OK);
}

void connect_to(struct sim_guest *g, uint8_t subevent)
{
	struct hci_create_connection c = {.adv_handle = subevent == 0xff ? 0xff : 0,
					  .subevent = subevent,
					  .scan_interval = 16,
					  .scan_window = 16,
					  .interval_min = 12,
					  .interval_max = 12,
					  .latency = 2,
					  .timeout = 300};
	uint8_t addr[6];
	struct buf b = BUF_INIT;

	sim_guest_address(g, addr);
	for (size_t i = 0; i < 6; i++)
		c.peer[i] = addr[5 - i];
	hci_put_create_connection(&b, &c);
	assert_int_equal(command(&f.ap, &b), HCI_OK);
	pass(3 * US_PER_SEC);
}

uint16_t connected(void)
{
	advertise(&f.label);
	connect_to(f.guest, 0xff);
	const struct event *v = heard_le(&f.ap, HCI_LE_ENHANCED_CONNECTION_COMPLETE);

	assert_non_null(v);
	assert_int_equal(v->data[1], HCI_OK);
	return (uint16_t) (v->data[2] | v->data[3] << 8);
}

void encrypt(uint16_t handle, uint8_t key)
{
	struct hci_enable_encryption c = {.handle = handle, .random = 7, .ediv = 9};
	struct buf b = BUF_INIT;

	memset(c.ltk, key, sizeof(c.ltk));
	hci_put_enable_encryption(&b, &c);
	assert_int_equal(command(&f.ap, &b), HCI_OK);
	pass(100 * US_PER_MS);
}

uint8_t reply(uint16_t handle, uint8_t key)
{
	uint8_t params[18] = {(uint8_t) handle, (uint8_t) (handle >> 8)};

	memset(params + 2, key, 16);
	return ask(&f.label, HCI_LE_LTK_REPLY, params, sizeof(params));
}

void start_train(void)
{
	struct hci_pa_params pa = {.interval_min = 640,
				   .interval_max = 640,
				   .subevents = SUBEVENTS,
				   .subevent_interval = 48,
				   .response_delay = 16,
				   .response_spacing = 16,
				   .response_slots = 4};
	struct hci_adv_enable on = {.enable = true};
	struct buf b = BUF_INIT;

	set_up(&f.ap, 0, 0);
	hci_put_pa_params(&b, &pa);
	assert_int_equal(command(&f.ap, &b), HCI_OK);
	hci_put_pa_enable(&b, &on);
	assert_int_equal(command(&f.ap, &b), HCI_OK);
	hci_put_ext_adv_enable(&b, &on);
	assert_int_equal(command(&f.ap, &b), HCI_OK);
}

void transfer(uint16_t handle)
{
	struct hci_set_info_transfer c = {.handle = handle, .service_data = 0x1234};
	struct buf b = BUF_INIT;

	hci_put_set_info_transfer(&b, &c);
	assert_int_equal(command(&f.ap, &b), HCI_OK);
	pass(2 * TRAIN_US);
}

uint16_t in_step(void)
{
	uint16_t handle;

	start_train();
	assert_int_equal(ASK(&f.label, SET_DEFAULT_PAST, 2, 0, 0, 200, 0, 0), HCI_OK);
	handle = connected();
	transfer(handle);
	assert_non_null(heard_le(&f.label, PAST_V2));
	assert_int_equal(ASK(&f.label, SET_SUBEVENTS, 1, 0, 0, 0, 1, 2), HCI_OK);
	return handle;
}

const struct event *next_report(void)
{
	unsigned int before = heard_times(&f.label, REPORT_V2);

	for (int i = 0; i < 4000; i++) {
		pass(US_PER_MS);
		if (heard_times(&f.label, REPORT_V2) > before)
			return heard_le(&f.label, REPORT_V2);
	}
	fail_msg("no report");
	return NULL;
}
