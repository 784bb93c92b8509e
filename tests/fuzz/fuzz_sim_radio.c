/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual controller, its links and the labels at their ends: any commands and data, in any
 * order. Input is a row of pieces `[time][length][bytes]` of the H4 stream, after each of which
 * time >> 1 hundredths of a second pass. What comes back must be well-formed.
 */
#include "common/wire.h"
#include "esl-radio/hci_wire.h"
#include "sim/radio.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void host_check(int fd)
{
	static uint8_t in[1 << 17];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof in && (n = recv(fd, in + len, sizeof in - len, MSG_DONTWAIT)) > 0)
		len += (size_t) n;
	for (size_t at = 0; at < len;) {
		struct h4_packet p;
		int used = h4_next(in + at, len - at, &p);

		if (used < 0 || (used > 0 && p.type != H4_EVENT && p.type != H4_ACL))
			abort();
		if (used == 0)
			return;
		at += (size_t) used;
	}
}

/** fds[0] is for the simulator, which owns it; fds[1] is ours. */
static void open_pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		abort();
}

static void play(struct loop *loop, struct wire *w, int host)
{
	int64_t now_us = 0;

	for (int i = 0; i < 200 && wire_left(w) > 2; i++) {
		uint8_t to = wire_get_u8(w);
		size_t stated = wire_get_u8(w), len = MIN(stated, wire_left(w));
		const uint8_t *bytes = wire_get_bytes(w, len);

		if (bytes && send(host, bytes, len, MSG_NOSIGNAL) < 0)
			continue;
		now_us += (to >> 1) * 10 * US_PER_MS;
		loop_run_until(loop, now_us);
		host_check(host);
	}
	loop_run_until(loop, now_us + 20 * US_PER_SEC);
	host_check(host);
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
			  &(struct sim_radio_config){.name = "fuzz", .loss = 0.1, .drop = 0.005},
			  &radio) < 0 ||
	    sim_radio_add_labels(radio, &model, 2) < 0)
		abort();
	open_pair(host);
	if (sim_radio_attach(radio, host[0]) < 0)
		abort();
	wire_init(&w, data, size);
	play(loop, &w, host[1]);
	sim_radio_free(radio);
	close(host[1]);
	loop_free(loop);
	return 0;
}
