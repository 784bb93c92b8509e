/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's controller beside the access point's, in one air: any commands and data from both
 * hosts, in any order. Input is a row of pieces `[to][length][bytes]` of H4 streams: bit 0 of `to`
 * says whether it is for the access point's, the rest how many hundredths of a second pass after
 * it. Unless its first byte is odd, a train runs already and the guest is connected, in step, and
 * listening. What comes back must be well-formed.
 */
#include "common/wire.h"
#include "esl-radio/le/hci_conn_wire.h"
#include "sim/guest.h"
#include "tests/fuzz/hci_end.h"
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A second of a train and a link costs more than all that an input says. So much passes at most
 * between its pieces, and so much behind them: more than a lost train is waited for. */
#define BETWEEN_US (1500 * US_PER_MS)
#define BEHIND_US  (600 * US_PER_MS)
#define CALL_US    (300 * US_PER_MS) /* until it is connected, or has heard the train, as a rule */

struct air {
	struct loop *loop;
	struct sim_radio *radio;
	struct sim_guest *guest;
	int host[2]; /**< the guest's, the access point's */
	int64_t now_us;
};

static void pass(struct air *a, int64_t us)
{
	a->now_us += us;
	loop_run_until(a->loop, a->now_us);
	hci_end_check(a->host[0]);
	hci_end_check(a->host[1]);
}

static void say(struct air *a, int to, const uint8_t *bytes, size_t len)
{
	ignore_result(send(a->host[to], bytes, len, MSG_NOSIGNAL));
}

static void say_all(struct air *a, int to, struct buf *b)
{
	say(a, to, b->data, b->len);
	buf_done(b);
	pass(a, 10 * US_PER_MS);
}

/** A train with four subevents runs; the guest advertises and takes every timing. */
static void set_up(struct air *a)
{
	static const uint8_t past[] = {2, 0, 0, 50, 0, 0}, enable[] = {1, 1, 0, 0, 0, 0};
	static const struct hci_adv_enable on = {.enable = true};
	struct hci_ext_adv_params p = {.interval_min = 160, .interval_max = 160};
	struct hci_pa_params pa = {.interval_min = 160,
				   .interval_max = 160,
				   .subevents = 4,
				   .subevent_interval = 40,
				   .response_delay = 5,
				   .response_spacing = 8,
				   .response_slots = 10};
	struct buf b = BUF_INIT;

	hci_put_mask(&b, HCI_SET_EVENT_MASK, UINT64_MAX);
	hci_put_mask(&b, HCI_LE_SET_EVENT_MASK, UINT64_MAX);
	hci_put_ext_adv_params(&b, &p);
	hci_put_pa_params(&b, &pa);
	hci_put_pa_enable(&b, &on);
	hci_put_ext_adv_enable(&b, &on);
	say_all(a, 1, &b);
	p.properties = 0x13;
	hci_put_mask(&b, HCI_SET_EVENT_MASK, UINT64_MAX);
	hci_put_mask(&b, HCI_LE_SET_EVENT_MASK, UINT64_MAX);
	hci_put_command(&b, 0x205d, past, sizeof(past));
	hci_put_ext_adv_params(&b, &p);
	hci_put_command(&b, HCI_LE_SET_EXT_ADV_ENABLE, enable, sizeof(enable));
	say_all(a, 0, &b);
}

static void connect_them(struct air *a)
{
	static const uint8_t subevents[] = {1, 0, 0, 0, 2, 1, 2};
	struct hci_create_connection c = {.adv_handle = 0xff,
					  .subevent = 0xff,
					  .interval_min = 24,
					  .interval_max = 24,
					  .timeout = 300};
	uint8_t addr[HCI_ADDR_BYTES];
	struct buf b = BUF_INIT;

	sim_guest_address(a->guest, addr);
	for (size_t i = 0; i < sizeof(addr); i++)
		c.peer[i] = addr[sizeof(addr) - 1 - i];
	hci_put_create_connection(&b, &c);
	say_all(a, 1, &b);
	pass(a, CALL_US);
	hci_put_set_info_transfer(&b, &(struct hci_set_info_transfer){.handle = 0x40});
	say_all(a, 1, &b);
	pass(a, CALL_US);
	hci_put_command(&b, 0x2084, subevents, sizeof(subevents));
	say_all(a, 0, &b);
}

static void play(struct air *a, struct wire *w)
{
	int64_t left_us = BETWEEN_US;

	if (!(wire_get_u8(w) & 1)) {
		set_up(a);
		connect_them(a);
	}
	for (int i = 0; i < 200 && wire_left(w) > 2; i++) {
		uint8_t to = wire_get_u8(w);
		size_t stated = wire_get_u8(w), len = MIN(stated, wire_left(w));
		const uint8_t *bytes = wire_get_bytes(w, len);

		int64_t us = MIN((to >> 1) * 10 * US_PER_MS, left_us);

		if (bytes)
			say(a, to & 1, bytes, len);
		pass(a, us);
		left_us -= us;
	}
	pass(a, BEHIND_US);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sim_radio_config cfg = {.name = "fuzz", .loss = 0.1, .drop = 0.005};
	struct air a = {0};
	int pair[2][2];
	struct wire w;

	if (loop_new_virtual(0, US_PER_SEC, &a.loop) < 0)
		return 0;
	if (sim_radio_new(a.loop, &cfg, &a.radio) < 0 || sim_guest_new(a.radio, &a.guest) < 0)
		abort();
	for (int i = 0; i < 2; i++) {
		hci_end_open(pair[i]);
		a.host[i] = pair[i][1];
	}
	if (sim_guest_attach(a.guest, pair[0][0]) < 0 || sim_radio_attach(a.radio, pair[1][0]) < 0)
		abort();
	wire_init(&w, data, size);
	play(&a, &w);
	sim_guest_free(a.guest);
	sim_radio_free(a.radio);
	close(a.host[0]);
	close(a.host[1]);
	loop_free(a.loop);
	return 0;
}
