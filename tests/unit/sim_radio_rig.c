/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sim_radio_rig.h"

#include "esl-radio/le/l2cap_wire.h"
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sim_label_model model = {.width = 64,
				       .height = 32,
				       .type = DISPLAY_BLACK_WHITE,
				       .slots = 4,
				       .leds = 1,
				       .redraw_us = 800 * US_PER_MS};

static void host_send(struct fixture *f, struct buf *b)
{
	assert_true(buf_ok(b));
	assert_int_equal(write(f->host, b->data, b->len), b->len);
	buf_done(b);
}

static void host_answer_request(struct fixture *f)
{
	struct buf b = BUF_INIT;
	struct hci_subevent_data d = {.subevent = GROUP,
				      .slot_start = 0,
				      .slot_count = f->slots,
				      .len = f->data_len,
				      .data = f->data};

	f->owed_us = 0;
	assert_int_equal(hci_put_subevent_data(&b, 0, &d, 1), 0);
	host_send(f, &b);
}

static void on_connection(struct fixture *f, const struct hci_connection_complete *c)
{
	if (c->status != HCI_OK) {
		f->failures++;
		f->failure = c->status;
		return;
	}
	f->connections++;
	memcpy(f->peer, c->peer, sizeof(f->peer));
	f->handle = c->handle;
	f->connected_us = f->now_us;
}

static void on_adverts(struct fixture *f, struct wire *w)
{
	struct hci_adv_report r;
	size_t n = hci_get_adv_reports(w);

	while (n--) {
		hci_get_adv_report(w, &r);
		assert_int_equal(r.len, 7);
		f->adverts++;
	}
}

static void host_le_event(struct fixture *f, struct wire *w)
{
	struct hci_connection_complete complete;
	struct hci_data_request q;
	struct hci_response_report p;

	switch (hci_get_le_event(w)) {
	case HCI_LE_PA_SUBEVENT_DATA_REQUEST:
		hci_get_data_request(w, &q);
		f->requests++;
		f->requested_subevents += q.count;
		for (unsigned int i = 0; i < q.count; i++) {
			unsigned int s = (q.start + i) % SUBEVENTS;

			f->request_us[s] = f->now_us;
			if (s == GROUP && f->data_len > 0)
				f->owed_us = f->now_us + f->delay_us;
		}
		break;
	case HCI_LE_PA_RESPONSE_REPORT:
		hci_get_response_report(w, &p);
		f->reports++;
		f->report_us = f->now_us;
		assert_int_equal(p.subevent, GROUP);
		for (unsigned int i = 0; i < p.n; i++) {
			struct hci_response r;

			hci_get_response(w, &r);
			if (r.status != HCI_RESPONSE_COMPLETE) {
				f->unheard++;
				continue;
			}
			f->heard++;
			f->answer_slot = r.slot;
			f->answer_len = r.len;
			memcpy(f->answer, r.data, r.len);
		}
		break;
	case HCI_LE_ENHANCED_CONNECTION_COMPLETE:
		hci_get_connection_complete(w, false, &complete);
		on_connection(f, &complete);
		break;
	case HCI_LE_EXT_ADV_REPORT:
		on_adverts(f, w);
		break;
	default:
		fail_msg("an LE event nobody asked for");
	}
	assert_int_equal(wire_finish(w), 0);
}

static void on_link_event(struct fixture *f, uint8_t code, struct wire *w)
{
	struct hci_completed_packets done;
	struct hci_encryption_change change;
	struct hci_disconnection gone;

	switch (code) {
	case HCI_EVT_COMPLETED_PACKETS:
		assert_int_equal(hci_get_completed_packets(w), 1);
		hci_get_completed(w, &done);
		f->credits = (uint16_t) (f->credits + done.count);
		break;
	case HCI_EVT_ENCRYPTION_CHANGE:
		hci_get_encryption_change(w, &change);
		f->encrypted += change.enabled;
		f->refused += change.status == HCI_ERR_PIN_MISSING;
		break;
	case HCI_EVT_DISCONNECTION_COMPLETE:
		hci_get_disconnection(w, &gone);
		f->disconnections++;
		f->reason = gone.reason;
		break;
	default:
		f->hardware_errors++;
	}
}

static void host_packet(struct fixture *f, const struct h4_packet *p)
{
	struct hci_command_complete c;
	struct hci_command_status s;
	struct wire w;

	if (p->type == H4_ACL) {
		assert_true(p->len <= sizeof(f->frame));
		memcpy(f->frame, p->params, p->len);
		f->frame_len = p->len;
		return;
	}
	assert_int_equal(p->type, H4_EVENT);
	wire_init(&w, p->params, p->len);
	if (p->event == HCI_EVT_COMMAND_COMPLETE) {
		hci_get_command_complete(&w, &c);
		assert_int_equal(c.credits, 1);
		f->status = c.status;
		f->completed = c.opcode;
	} else if (p->event == HCI_EVT_COMMAND_STATUS) {
		hci_get_command_status(&w, &s);
		f->status = s.status;
		f->completed = s.opcode;
	} else if (p->event == HCI_EVT_LE_META) {
		host_le_event(f, &w);
	} else {
		on_link_event(f, p->event, &w);
	}
}

static void host_read(struct fixture *f)
{
	ssize_t n = recv(f->host, f->in + f->in_len, sizeof f->in - f->in_len, MSG_DONTWAIT);
	struct h4_packet p;
	int used;

	if (n == 0)
		f->host_closed = true;
	if (n > 0)
		f->in_len += (size_t) n;
	while ((used = h4_next(f->in, f->in_len, &p)) > 0) {
		host_packet(f, &p);
		f->in_len -= (size_t) used;
		memmove(f->in, f->in + used, f->in_len);
	}
	assert_int_equal(used, 0);
}

void pass(struct fixture *f, int64_t us)
{
	int64_t end_us = f->now_us + us;

	for (;;) {
		loop_run_until(f->loop, f->now_us);
		host_read(f);
		if (f->owed_us && f->owed_us <= f->now_us) {
			host_answer_request(f);
			continue;
		}
		if (f->now_us >= end_us)
			break;
		f->now_us += MIN(US_PER_MS, end_us - f->now_us);
	}
}

uint8_t command(struct fixture *f, struct buf *b)
{
	f->completed = 0;
	host_send(f, b);
	pass(f, 2 * US_PER_MS);
	assert_int_not_equal(f->completed, 0);
	return f->status;
}

void host_start_train(struct fixture *f)
{
	struct hci_ext_adv_params adv = {.interval_min = 0xa0,
					 .interval_max = 0xa0,
					 .channels = 7,
					 .primary_phy = 1,
					 .secondary_phy = 2};
	struct hci_pa_params pa = {.interval_min = 1248,
				   .interval_max = 1248,
				   .subevents = SUBEVENTS,
				   .subevent_interval = 48,
				   .response_delay = 34,
				   .response_spacing = 6,
				   .response_slots = 23};
	struct hci_adv_enable on = {.enable = true};
	struct buf b = BUF_INIT;

	hci_put_command(&b, HCI_RESET, NULL, 0);
	assert_int_equal(command(f, &b), HCI_OK);
	hci_put_mask(&b, HCI_SET_EVENT_MASK,
		     HCI_MASK_LE_META | HCI_MASK_HARDWARE_ERROR |
			     HCI_MASK(HCI_EVT_DISCONNECTION_COMPLETE) |
			     HCI_MASK(HCI_EVT_ENCRYPTION_CHANGE));
	assert_int_equal(command(f, &b), HCI_OK);
	hci_put_mask(&b, HCI_LE_SET_EVENT_MASK,
		     HCI_LE_MASK(HCI_LE_PA_SUBEVENT_DATA_REQUEST) |
			     HCI_LE_MASK(HCI_LE_PA_RESPONSE_REPORT) |
			     HCI_LE_MASK(HCI_LE_ENHANCED_CONNECTION_COMPLETE) |
			     HCI_LE_MASK(HCI_LE_EXT_ADV_REPORT));
	assert_int_equal(command(f, &b), HCI_OK);
	hci_put_ext_adv_params(&b, &adv);
	assert_int_equal(command(f, &b), HCI_OK);
	hci_put_pa_params(&b, &pa);
	assert_int_equal(command(f, &b), HCI_OK);
	hci_put_pa_enable(&b, &on);
	assert_int_equal(command(f, &b), HCI_OK);
	hci_put_ext_adv_enable(&b, &on);
	assert_int_equal(command(f, &b), HCI_OK);
}

static void picture(unsigned int mark, struct buf *out)
{
	struct image im;

	assert_int_equal(image_init(&im, 64, 32, DISPLAY_BLACK_WHITE), 0);
	image_set(&im, 0, mark, 1, true);
	image_encode(&im, out);
	image_done(&im);
}

void commission(struct fixture *f, uint8_t number)
{
	struct sim_label *l = sim_radio_label(f->radio, number - 1u);
	struct buf b = BUF_INIT;

	sim_label_connected(l, f->now_us);
	assert_int_equal(sim_label_configure(l, esl_address(GROUP, number), f->response_key,
					     f->train_key, 1000000, f->now_us),
			 0);
	picture(number, &b);
	assert_int_equal(sim_label_write_image(l, 0, b.data, b.len, f->now_us), 0);
	buf_done(&b);
	assert_int_equal(sim_radio_sync_label(f->radio, number - 1u), 0);
	assert_int_equal(sim_label_update_complete(l, true, f->now_us), 0);
	sim_radio_touched(f->radio, number - 1u);
}

/* --- links ------------------------------------------------------------------------------------ */

uint8_t connect_to(struct fixture *f, uint8_t number, uint8_t subevent)
{
	struct hci_create_connection c = {.adv_handle = subevent == 0xff ? 0xff : 0,
					  .subevent = subevent,
					  .peer_type = 1,
					  .interval_min = 12,
					  .interval_max = 12,
					  .timeout = 300,
					  .peer = {number, 0, 0, 0xee, 0xff, 0xc0}};
	struct buf b = BUF_INIT;

	hci_put_create_connection(&b, &c);
	return command(f, &b);
}

void say(struct fixture *f, uint16_t cid, const char *bytes, size_t len)
{
	struct buf frame = BUF_INIT, b = BUF_INIT;

	l2cap_put_header(&frame, cid, len);
	buf_put(&frame, bytes, len);
	hci_put_acl(&b,
		    &(struct hci_acl){.handle = f->handle, .data = frame.data, .len = frame.len});
	buf_done(&frame);
	host_send(f, &b);
}

void ping(struct fixture *f, const uint8_t *ids, size_t n)
{
	static uint8_t randomizer;
	uint8_t ad[ESL_AD_MAX], rand[EAD_RAND_BYTES] = {randomizer++};
	struct esl_packet p;
	struct ead_key key;
	int len;

	esl_packet_init(&p, GROUP);
	for (size_t i = 0; i < n; i++)
		assert_true(esl_packet_add(&p, &(struct esl_cmd){.op = ESL_OP_PING,
								 .esl_id = ids[i]}) >= 0);
	len = esl_ad_encode(p.data, p.len, ad, sizeof ad);
	assert_true(len > 0);
	ead_key_from_wire(f->train_key, &key);
	len = ead_seal(&key, rand, ad, (size_t) len, f->data, sizeof f->data);
	assert_true(len > 0);
	f->data_len = (uint8_t) len;
	f->slots = (uint8_t) n;
}

static void air_open(struct fixture *f, double loss, unsigned int labels)
{
	struct sim_radio_config cfg = {.name = "ap", .loss = loss, .seed = 11};
	int fds[2];

	for (size_t i = 0; i < sizeof f->train_key; i++) {
		f->train_key[i] = (uint8_t) (i * 7);
		f->response_key[i] = (uint8_t) (i * 13 + 1);
	}
	assert_int_equal(sim_radio_new(f->loop, &cfg, &f->radio), 0);
	assert_int_equal(sim_radio_add_labels(f->radio, &model, labels), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(sim_radio_attach(f->radio, fds[0]), 0);
	f->host = fds[1];
}

void air_begin_with(struct fixture *f, double loss, unsigned int labels)
{
	memset(f, 0, sizeof *f);
	f->now_us = US_PER_SEC;
	assert_int_equal(loop_new_virtual(f->now_us, 1000 * US_PER_SEC, &f->loop), 0);
	air_open(f, loss, labels);
}

void air_begin_beside(struct fixture *f, const struct fixture *other, unsigned int labels)
{
	memset(f, 0, sizeof *f);
	f->now_us = other->now_us;
	f->loop = other->loop;
	air_open(f, 0, labels);
	host_start_train(f);
}

void air_begin(struct fixture *f, unsigned int labels)
{
	air_begin_with(f, 0, labels);
	host_start_train(f);
}

void air_end_beside(struct fixture *f)
{
	sim_radio_free(f->radio);
	close(f->host);
}

void air_end(struct fixture *f)
{
	air_end_beside(f);
	loop_free(f->loop);
}
