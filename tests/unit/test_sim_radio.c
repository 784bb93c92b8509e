/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual controller in virtual time: a host of ours on the H4 stream, real packets between it
 * and the labels, on the train and on links.
 */
#include "tests/unit/test_common.h"

#include "esl-radio/le/att_wire.h"
#include "esl-radio/le/hci_conn_wire.h"
#include "esl-radio/le/l2cap_wire.h"
#include "sim/radio.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INTERVAL_US (1560 * US_PER_MS)
#define SUB_US      (60 * US_PER_MS)
#define SUBEVENTS   26
#define GROUP       3

struct fixture {
	struct loop *loop;
	struct sim_radio *radio;
	int host; /**< our end */
	int64_t now_us;

	uint8_t in[65536];
	size_t in_len;
	/* What the host heard last. */
	uint8_t status;
	uint16_t completed;
	unsigned int requests, requested_subevents;
	int64_t request_us[SUBEVENTS];
	unsigned int reports, heard, unheard;
	int64_t report_us;
	uint8_t answer[SIM_LABEL_ANSWER_MAX];
	uint8_t answer_len, answer_slot;
	unsigned int hardware_errors;
	bool host_closed;

	/* What the host sends whenever it is asked for GROUP. */
	uint8_t data[ESL_AD_MAX + EAD_OVERHEAD];
	uint8_t data_len, slots;
	int64_t delay_us; /**< it dawdles that long before it answers */
	int64_t owed_us;  /**< 0 = nothing owed */

	/* Links. */
	unsigned int connections, failures, disconnections, adverts, encrypted, refused;
	uint16_t handle, credits;
	uint8_t reason;
	int64_t connected_us;
	uint8_t frame[256]; /**< last data from a label */
	size_t frame_len;
	uint8_t response_key[EAD_WIRE_KEY_BYTES], train_key[EAD_WIRE_KEY_BYTES];
};

static struct sim_label_model model = {.width = 64,
				       .height = 32,
				       .type = DISPLAY_BLACK_WHITE,
				       .slots = 4,
				       .leds = 1,
				       .redraw_us = 800 * US_PER_MS};

/* --- our host --------------------------------------------------------------------------------- */

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
		return;
	}
	f->connections++;
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

/** Lets virtual time pass in steps of a millisecond, so that we hear things when they happen. */
static void pass(struct fixture *f, int64_t us)
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

static uint8_t command(struct fixture *f, struct buf *b)
{
	f->completed = 0;
	host_send(f, b);
	pass(f, 2 * US_PER_MS);
	assert_int_not_equal(f->completed, 0);
	return f->status;
}

static void train_start(struct fixture *f)
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
	hci_put_mask(&b, HCI_SET_EVENT_MASK, HCI_MASK_LE_META);
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

/** Brings label `number` into the train as (GROUP, id = number), with a picture in slot 0. */
static void commission(struct fixture *f, uint8_t number)
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

/** Asks for a connection to label `number`; yields the command's status. */
static uint8_t connect_to(struct fixture *f, uint8_t number, uint8_t subevent)
{
	struct hci_create_connection c = {.adv_handle = subevent == 0xff ? 0xff : 0,
					  .subevent = subevent,
					  .peer_type = 1,
					  .interval_min = 12,
					  .interval_max = 12,
					  .peer = {number, 0, 0, 0xee, 0xff, 0xc0}};
	struct buf b = BUF_INIT;

	hci_put_create_connection(&b, &c);
	return command(f, &b);
}

static void say(struct fixture *f, uint16_t cid, const char *bytes, size_t len)
{
	struct buf frame = BUF_INIT, b = BUF_INIT;

	l2cap_put_header(&frame, cid, len);
	buf_put(&frame, bytes, len);
	hci_put_acl(&b,
		    &(struct hci_acl){.handle = f->handle, .data = frame.data, .len = frame.len});
	buf_done(&frame);
	host_send(f, &b);
}

/** What the host sends from now on: one Ping for each id listed. */
static void ping(struct fixture *f, const uint8_t *ids, size_t n)
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

static void begin_with(struct fixture *f, double loss, unsigned int labels)
{
	struct sim_radio_config cfg = {.name = "ap", .loss = loss, .seed = 11};
	int fds[2];

	memset(f, 0, sizeof *f);
	for (size_t i = 0; i < sizeof f->train_key; i++) {
		f->train_key[i] = (uint8_t) (i * 7);
		f->response_key[i] = (uint8_t) (i * 13 + 1);
	}
	f->now_us = US_PER_SEC;
	assert_int_equal(loop_new_virtual(f->now_us, 1000 * US_PER_SEC, &f->loop), 0);
	assert_int_equal(sim_radio_new(f->loop, &cfg, &f->radio), 0);
	assert_int_equal(sim_radio_add_labels(f->radio, &model, labels), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(sim_radio_attach(f->radio, fds[0]), 0);
	f->host = fds[1];
}

static void begin(struct fixture *f, unsigned int labels)
{
	begin_with(f, 0, labels);
	train_start(f);
}

static void end(struct fixture *f)
{
	sim_radio_free(f->radio);
	close(f->host);
	loop_free(f->loop);
}

/* --- the tests -------------------------------------------------------------------------------- */

static void every_subevent_is_asked_for_once_a_round_and_ahead_of_time(void **state)
{
	static struct fixture f;
	unsigned int before;
	int64_t at_us;

	(void) state;
	begin(&f, 1);
	pass(&f, INTERVAL_US);
	before = f.requested_subevents;
	pass(&f, 10 * INTERVAL_US);
	assert_in_range(f.requested_subevents - before, 10 * SUBEVENTS - 4, 10 * SUBEVENTS + 4);
	at_us = sim_radio_next_occurrence_us(f.radio, GROUP);
	pass(&f, at_us - f.now_us);
	assert_true(at_us - f.request_us[GROUP] >= 2 * SUB_US - US_PER_MS);
	assert_true(at_us - f.request_us[GROUP] <= 6 * SUB_US);
	assert_true(sim_radio_next_occurrence_us(f.radio, GROUP) == at_us + INTERVAL_US ||
		    sim_radio_next_occurrence_us(f.radio, GROUP) == at_us);
	end(&f);
}

static void data_is_sent_once_and_answered_in_its_slot_and_window(void **state)
{
	static struct fixture f;
	const uint8_t ids[] = {40, 1, 2};
	uint8_t plain[EAD_PLAIN_MAX];
	struct ead_key key;
	int64_t at_us;

	(void) state;
	begin(&f, 2);
	commission(&f, 1);
	ping(&f, ids, sizeof ids);
	while (f.reports == 0)
		pass(&f, US_PER_MS);
	f.data_len = 0;
	at_us = sim_radio_next_occurrence_us(f.radio, GROUP) - INTERVAL_US;
	/* Label 1 answers in slot 1; nobody is 40, and label 2 does not belong here yet. */
	assert_int_equal(f.heard, 1);
	assert_int_equal(f.unheard, 2);
	assert_int_equal(f.answer_slot, 1);
	/* The window closes 42.5 ms + 23 x 0.75 ms after the packet. */
	assert_in_range(f.report_us - at_us, 59 * US_PER_MS, 62 * US_PER_MS);
	ead_key_from_wire(f.response_key, &key);
	assert_int_equal(ead_open(&key, f.answer, f.answer_len, plain, sizeof plain), 5);
	assert_int_equal(plain[2], ESL_RSP_BASIC_STATE);
	assert_true(plain[3] & ESL_STATE_SYNCHRONIZED);
	pass(&f, 3 * INTERVAL_US);
	assert_int_equal(f.reports, 1);
	end(&f);
}

static void late_data_is_refused_and_not_sent(void **state)
{
	static struct fixture f;
	const uint8_t id = 1;
	struct sim_radio_stats st;

	(void) state;
	begin(&f, 1);
	commission(&f, 1);
	ping(&f, &id, 1);
	f.delay_us = 8 * SUB_US;
	f.status = HCI_OK;
	pass(&f, 2 * INTERVAL_US);
	assert_int_equal(f.status, HCI_ERR_TOO_LATE);
	assert_int_equal(f.reports, 0);
	sim_radio_get_stats(f.radio, &st);
	assert_true(st.late >= 1);
	f.delay_us = SUB_US;
	pass(&f, 2 * INTERVAL_US);
	assert_true(f.reports >= 1);
	end(&f);
}

static void unasked_data_is_too_early_and_a_wrong_subevent_invalid(void **state)
{
	static struct fixture f;
	struct hci_subevent_data d = {.subevent = 10, .slot_count = 1};
	struct buf b = BUF_INIT;

	(void) state;
	begin(&f, 1);
	pass(&f, sim_radio_next_occurrence_us(f.radio, 0) + 10 * US_PER_MS - f.now_us);
	assert_int_equal(hci_put_subevent_data(&b, 0, &d, 1), 0);
	assert_int_equal(command(&f, &b), HCI_ERR_TOO_EARLY);
	d.subevent = SUBEVENTS;
	assert_int_equal(hci_put_subevent_data(&b, 0, &d, 1), 0);
	assert_int_equal(command(&f, &b), HCI_ERR_INVALID_PARAMETERS);
	d.subevent = 2;
	d.slot_start = 20;
	d.slot_count = 4;
	assert_int_equal(hci_put_subevent_data(&b, 0, &d, 1), 0);
	assert_int_equal(command(&f, &b), HCI_ERR_INVALID_PARAMETERS);
	end(&f);
}

static void commands_out_of_order_get_their_status(void **state)
{
	static struct fixture f;
	struct hci_pa_params pa = {.interval_min = 1248,
				   .interval_max = 1248,
				   .subevents = 26,
				   .subevent_interval = 48,
				   .response_delay = 34,
				   .response_spacing = 7,
				   .response_slots = 23};
	struct hci_ext_adv_params adv = {.interval_min = 0xa0, .interval_max = 0xa0};
	struct hci_adv_enable on = {.enable = true};
	struct buf b = BUF_INIT;

	(void) state;
	begin_with(&f, 0, 1);
	hci_put_pa_params(&b, &pa);
	assert_int_equal(command(&f, &b), HCI_ERR_UNKNOWN_ADVERTISER);
	hci_put_ext_adv_params(&b, &adv);
	assert_int_equal(command(&f, &b), HCI_OK);
	hci_put_pa_enable(&b, &on);
	assert_int_equal(command(&f, &b), HCI_ERR_COMMAND_DISALLOWED);
	/* 23 slots of 0.875 ms do not fit behind a delay of 42.5 ms in 60 ms. */
	hci_put_pa_params(&b, &pa);
	assert_int_equal(command(&f, &b), HCI_ERR_INVALID_PARAMETERS);
	hci_put_command(&b, 0x20ff, NULL, 0);
	assert_int_equal(command(&f, &b), HCI_ERR_UNKNOWN_COMMAND);
	hci_put_command(&b, HCI_SET_EVENT_MASK, "abc", 3);
	assert_int_equal(command(&f, &b), HCI_ERR_INVALID_PARAMETERS);
	end(&f);
}

static void garbage_costs_the_host_its_connection_only(void **state)
{
	static struct fixture f;
	int fds[2];
	struct sim_radio_stats st;

	(void) state;
	begin(&f, 1);
	assert_int_equal(write(f.host, "\x77garbage", 8), 8);
	pass(&f, 5 * US_PER_MS);
	assert_int_equal(f.hardware_errors, 1);
	assert_true(f.host_closed);
	close(f.host);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(sim_radio_attach(f.radio, fds[0]), 0);
	f.host = fds[1];
	sim_radio_get_stats(f.radio, &st);
	assert_true(st.train_running);
	train_start(&f);
	pass(&f, INTERVAL_US);
	assert_true(f.requests > 0);
	end(&f);
}

static void a_power_cycle_cuts_the_host_off_and_stops_the_train(void **state)
{
	static struct fixture f;
	struct sim_radio_stats st;
	int fds[2];

	(void) state;
	begin(&f, 1);
	commission(&f, 1);
	sim_radio_power_cycle(f.radio);
	pass(&f, US_PER_MS);
	assert_true(f.host_closed);
	sim_radio_get_stats(f.radio, &st);
	assert_false(st.train_running);
	close(f.host);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(sim_radio_attach(f.radio, fds[0]), 0);
	f.host = fds[1];
	train_start(&f);
	/* A new train is not the one the label followed. */
	pass(&f, 7 * INTERVAL_US);
	assert_int_equal(sim_label_state(sim_radio_label(f.radio, 0)), ESL_UNSYNCHRONIZED);
	end(&f);
}

static void loss_is_drawn_each_way(void **state)
{
	static struct fixture f;
	const uint8_t id = 1;
	struct sim_radio_stats st;

	(void) state;
	begin_with(&f, 0, 1);
	train_start(&f);
	commission(&f, 1);
	sim_radio_set_loss(f.radio, 0.25);
	ping(&f, &id, 1);
	pass(&f, 400 * INTERVAL_US);
	sim_radio_get_stats(f.radio, &st);
	assert_in_range(st.packets, 395, 401);
	assert_in_range(st.packets_lost, 70, 130);
	assert_in_range(st.responses_lost, 45, 105);
	assert_int_equal(f.heard, st.packets - st.packets_lost - st.responses_lost);
	end(&f);
}

static void labels_lose_a_train_that_stops_and_are_unsynchronized(void **state)
{
	static struct fixture f;
	struct buf b = BUF_INIT;

	(void) state;
	begin(&f, 1);
	commission(&f, 1);
	hci_put_command(&b, HCI_RESET, NULL, 0);
	assert_int_equal(command(&f, &b), HCI_OK);
	pass(&f, 5 * INTERVAL_US);
	assert_int_equal(sim_label_state(sim_radio_label(f.radio, 0)), ESL_SYNCHRONIZED);
	pass(&f, 2 * INTERVAL_US);
	assert_int_equal(sim_label_state(sim_radio_label(f.radio, 0)), ESL_UNSYNCHRONIZED);
	end(&f);
}

static void connecting_waits_for_the_subevent_and_makes_the_label_deaf(void **state)
{
	static struct fixture f;
	const uint8_t id = 1;
	struct buf b = BUF_INIT;
	int64_t at_us;

	(void) state;
	begin(&f, 1);
	commission(&f, 1);
	at_us = sim_radio_next_occurrence_us(f.radio, GROUP);
	assert_int_equal(connect_to(&f, 1, GROUP), HCI_OK);
	pass(&f, 2 * INTERVAL_US);
	assert_int_equal(f.connections, 1);
	assert_in_range(f.connected_us - at_us, 15 * US_PER_MS, 20 * US_PER_MS);
	ping(&f, &id, 1);
	pass(&f, 2 * INTERVAL_US);
	assert_int_equal(f.heard, 0);
	assert_true(f.unheard > 0);
	hci_put_disconnect(&b, &(struct hci_disconnect){.handle = f.handle, .reason = 0x13});
	assert_int_equal(command(&f, &b), HCI_OK);
	pass(&f, 2 * INTERVAL_US);
	assert_int_equal(f.disconnections, 1);
	assert_int_equal(f.reason, HCI_ERR_LOCAL_ENDED);
	assert_true(f.heard > 0);
	end(&f);
}

static void a_call_into_the_wrong_subevent_is_not_answered(void **state)
{
	static struct fixture f;

	(void) state;
	begin(&f, 1);
	commission(&f, 1);
	assert_int_equal(connect_to(&f, 1, GROUP + 1), HCI_OK);
	assert_int_equal(connect_to(&f, 1, GROUP), HCI_ERR_COMMAND_DISALLOWED);
	pass(&f, 2 * INTERVAL_US);
	assert_int_equal(f.connections, 0);
	assert_int_equal(f.failures, 1);
	end(&f);
}

static void a_label_that_is_not_there_is_called_until_the_host_gives_up(void **state)
{
	static struct fixture f;
	struct buf b = BUF_INIT;

	(void) state;
	begin(&f, 1);
	assert_int_equal(connect_to(&f, 77, 0xff), HCI_OK);
	pass(&f, 30 * US_PER_SEC);
	assert_int_equal(f.connections + f.failures, 0);
	hci_put_command(&b, HCI_LE_CREATE_CONNECTION_CANCEL, NULL, 0);
	assert_int_equal(command(&f, &b), HCI_OK);
	pass(&f, 10 * US_PER_MS);
	assert_int_equal(f.failures, 1);
	hci_put_command(&b, HCI_LE_CREATE_CONNECTION_CANCEL, NULL, 0);
	assert_int_equal(command(&f, &b), HCI_ERR_COMMAND_DISALLOWED);
	end(&f);
}

static void there_are_eight_links_and_no_more(void **state)
{
	static struct fixture f;

	(void) state;
	begin(&f, 10);
	for (uint8_t i = 1; i <= 8; i++) {
		assert_int_equal(connect_to(&f, i, 0xff), HCI_OK);
		pass(&f, 3 * US_PER_SEC);
		assert_int_equal(f.connections, i);
	}
	assert_int_equal(connect_to(&f, 9, 0xff), HCI_ERR_CONNECTION_LIMIT);
	end(&f);
}

static void only_labels_without_a_train_advertise_about_once_a_second(void **state)
{
	static struct fixture f;
	struct buf b = BUF_INIT;

	(void) state;
	begin(&f, 3);
	commission(&f, 1);
	hci_put_ext_scan_enable(&b, &(struct hci_scan_enable){.enable = true});
	assert_int_equal(command(&f, &b), HCI_OK);
	f.adverts = 0;
	pass(&f, 20 * US_PER_SEC);
	assert_in_range(f.adverts, 34, 44);
	hci_put_ext_scan_enable(&b, &(struct hci_scan_enable){.enable = false});
	assert_int_equal(command(&f, &b), HCI_OK);
	f.adverts = 0;
	pass(&f, 5 * US_PER_SEC);
	assert_int_equal(f.adverts, 0);
	end(&f);
}

static void the_label_answers_data_and_buffers_come_back(void **state)
{
	static struct fixture f;
	struct buf b = BUF_INIT;
	struct att_pdu p;

	(void) state;
	begin(&f, 1);
	assert_int_equal(connect_to(&f, 1, 0xff), HCI_OK);
	pass(&f, 3 * US_PER_SEC);
	say(&f, ATT_CID, "\x02\xf7\x00", 3);
	pass(&f, 50 * US_PER_MS);
	assert_int_equal(f.credits, 1);
	assert_int_equal(att_decode(f.frame + 4, f.frame_len - 4, &p), 0);
	assert_int_equal(p.op, ATT_MTU_RSP);
	assert_int_equal(p.mtu, 247);
	/* A key it was never given is not its key, and without one its service stays shut. */
	hci_put_enable_encryption(&b, &(struct hci_enable_encryption){.handle = f.handle});
	assert_int_equal(command(&f, &b), HCI_OK);
	pass(&f, 200 * US_PER_MS);
	assert_int_equal(f.refused, 1);
	say(&f, ATT_CID, "\x0a\x19\x00", 3);
	pass(&f, 50 * US_PER_MS);
	assert_int_equal(att_decode(f.frame + 4, f.frame_len - 4, &p), 0);
	assert_int_equal(p.op, ATT_ERROR_RSP);
	assert_int_equal(p.error, ATT_ERR_ENCRYPTION);
	assert_int_equal(f.encrypted, 0);
	end(&f);
}

static void a_reset_ends_links_without_a_word(void **state)
{
	static struct fixture f;
	struct buf b = BUF_INIT;

	(void) state;
	begin(&f, 1);
	assert_int_equal(connect_to(&f, 1, 0xff), HCI_OK);
	pass(&f, 3 * US_PER_SEC);
	hci_put_command(&b, HCI_RESET, NULL, 0);
	assert_int_equal(command(&f, &b), HCI_OK);
	pass(&f, 3 * US_PER_SEC);
	assert_int_equal(f.disconnections, 0);
	hci_put_disconnect(&b, &(struct hci_disconnect){.handle = f.handle, .reason = 0x13});
	assert_int_equal(command(&f, &b), HCI_ERR_UNKNOWN_CONNECTION);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_subevent_is_asked_for_once_a_round_and_ahead_of_time),
		cmocka_unit_test(data_is_sent_once_and_answered_in_its_slot_and_window),
		cmocka_unit_test(late_data_is_refused_and_not_sent),
		cmocka_unit_test(unasked_data_is_too_early_and_a_wrong_subevent_invalid),
		cmocka_unit_test(commands_out_of_order_get_their_status),
		cmocka_unit_test(garbage_costs_the_host_its_connection_only),
		cmocka_unit_test(a_power_cycle_cuts_the_host_off_and_stops_the_train),
		cmocka_unit_test(loss_is_drawn_each_way),
		cmocka_unit_test(labels_lose_a_train_that_stops_and_are_unsynchronized),
		cmocka_unit_test(connecting_waits_for_the_subevent_and_makes_the_label_deaf),
		cmocka_unit_test(a_call_into_the_wrong_subevent_is_not_answered),
		cmocka_unit_test(a_label_that_is_not_there_is_called_until_the_host_gives_up),
		cmocka_unit_test(there_are_eight_links_and_no_more),
		cmocka_unit_test(only_labels_without_a_train_advertise_about_once_a_second),
		cmocka_unit_test(the_label_answers_data_and_buffers_come_back),
		cmocka_unit_test(a_reset_ends_links_without_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
