/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual controller, its links and the labels at their ends: any commands and data, in any
 * order. Input is a row of pieces `[time][length][bytes]` of the H4 stream, after each of which
 * time >> 1 hundredths of a second pass. The first label is bonded: its key is 00 01 ... 0f as HCI
 * has it. What comes back must be well-formed.
 */
#include "common/wire.h"
#include "sim/radio_impl.h"
#include "tests/fuzz/hci_end.h"
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A second of a train and a link costs more than all that an input says. So much passes at most
 * between its pieces, and so much behind them: more than a label takes to draw, and than a link
 * lasts that breaks by chance. */
#define BETWEEN_US (3 * US_PER_SEC)
#define BEHIND_US  (2 * US_PER_SEC)

static void play(struct loop *loop, struct wire *w, int host)
{
	int64_t now_us = 0, left_us = BETWEEN_US;

	for (int i = 0; i < 200 && wire_left(w) > 2; i++) {
		uint8_t to = wire_get_u8(w);
		size_t stated = wire_get_u8(w), len = MIN(stated, wire_left(w));
		const uint8_t *bytes = wire_get_bytes(w, len);
		int64_t us;

		if (bytes && send(host, bytes, len, MSG_NOSIGNAL) < 0)
			continue;
		us = MIN((to >> 1) * 10 * US_PER_MS, left_us);
		left_us -= us;
		now_us += us;
		loop_run_until(loop, now_us);
		hci_end_check(host);
	}
	loop_run_until(loop, now_us + BEHIND_US);
	hci_end_check(host);
}

/** No input guesses what a pairing would have agreed. */
static void bond(struct sim_radio *radio)
{
	struct label_bond *b = &radio->labels[0]->bond;

	b->has_key = true;
	for (size_t i = 0; i < sizeof(b->ltk); i++)
		b->ltk[i] = (uint8_t) (sizeof(b->ltk) - 1 - i);
	radio_address(radio, b->central);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sim_label_model model = {.width = 8,
						     .height = 8,
						     .type = DISPLAY_BLACK_WHITE,
						     .slots = 2,
						     .leds = 1,
						     .redraw_us = 800 * US_PER_MS};
	int host[2];
	struct sim_radio *radio;
	struct loop *loop;
	struct wire w;

	if (loop_new_virtual(0, US_PER_SEC, &loop) < 0)
		return 0;
	if (sim_radio_new(loop,
			  &(struct sim_radio_config){
				  .name = "fuzz", .loss = 0.1, .drop = 0.005, .advert_ms = 100},
			  &radio) < 0 ||
	    sim_radio_add_labels(radio, &model, 2) < 0)
		abort();
	bond(radio);
	hci_end_open(host);
	if (sim_radio_attach(radio, host[0]) < 0)
		abort();
	wire_init(&w, data, size);
	play(loop, &w, host[1]);
	sim_radio_free(radio);
	close(host[1]);
	loop_free(loop);
	return 0;
}
