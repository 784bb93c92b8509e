/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated reader: any bytes from a client are answered or cost the connection; what it sends
 * is always a row of whole, valid messages, also what it reports of the tags it then works on. A
 * tag lies before its antenna, so that whatever it is told of the air protocol is played as well.
 */
#include "rfid/llrp_codec.h"
#include "sim/field.h"
#include "sim/tags.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sent(const uint8_t *data, size_t len)
{
	while (len > 0) {
		struct llrp_header h;
		struct llrp_msg *m;

		if (llrp_header_decode(data, len, &h) < 0 || h.length > len)
			abort();
		/* An answer to another version carries that version. */
		if (h.version == LLRP_VERSION_1) {
			if (llrp_msg_decode(data, h.length, &m, NULL) < 0)
				abort();
			if (llrp_msg_validate(m, NULL) < 0)
				abort();
			llrp_msg_free(m);
		}
		data += h.length;
		len -= h.length;
	}
}

/** A hall with one antenna and one tag. */
struct hall {
	struct sim_world *world;
	struct sim_floor *floor;
	struct sim_field *field;
};

static void hall_build(struct hall *h, struct loop *loop, struct sim_reader *reader,
		       const struct epc *epc)
{
	if (sim_world_new(loop_clock(loop), 1, &h->world) < 0 ||
	    sim_world_add_place(h->world, "hall", "other") < 0 ||
	    sim_world_add_antenna(h->world, "fuzz", 1) < 0 ||
	    sim_world_add_item(h->world, epc, 1) < 0 || sim_world_seal(h->world) < 0 ||
	    sim_floor_new(loop, h->world, &h->floor) < 0)
		abort();
	h->floor->places[1] = (struct floor_rect){.set = true, .x1 = 1, .y1 = 1};
	h->floor->antennas[0] = (struct rf_antenna){
		.at = {0, 0, 2}, .boresight = {0, 0, -1}, .gain_dbi = 6, .beam_deg = 70};
	h->floor->antenna_set[0] = true;
	if (sim_floor_start(h->floor) < 0 ||
	    sim_field_new(loop, h->floor, reader,
			  &(struct sim_field_config){.dwell_us = 100 * US_PER_MS}, &h->field) < 0)
		abort();
}

static void hall_free(struct hall *h)
{
	sim_field_free(h->field);
	sim_floor_free(h->floor);
	sim_world_free(h->world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t sent[1 << 18];
	static const uint8_t epc_bytes_of_tag[12] = {0x30, 0x34};
	struct sim_tags *tags = sim_tags_new();
	struct sim_reader *reader;
	struct epc epc;
	struct sim_tag_read read = {.epc = &epc, .antenna = 1, .rssi_dbm = -50};
	struct hall hall = {0};
	struct loop *loop;
	size_t n_sent = 0;
	ssize_t n;
	int fds[2];

	if (size > 65536 || !tags || epc_set(&epc, epc_bytes_of_tag, 96) < 0 ||
	    loop_new_virtual(0, US_PER_SEC, &loop) < 0) {
		sim_tags_free(tags);
		return 0;
	}
	if (sim_reader_new(loop,
			   &(struct sim_reader_config){
				   .name = "fuzz", .n_antennas = 4, .impinj = true, .version = 2},
			   &reader) < 0)
		abort();
	sim_reader_set_tags(reader, tags);
	hall_build(&hall, loop, reader, &epc);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		abort();
	if (sim_reader_attach(reader, fds[0]) < 0)
		abort();
	if (write(fds[1], data, size) < 0)
		size = 0;
	loop_run_until(loop, US_PER_SEC);
	for (int i = 0; i < 3; i++)
		sim_reader_feed(reader, &read, 1);
	sim_reader_flush(reader);
	while (n_sent < sizeof sent &&
	       (n = recv(fds[1], sent + n_sent, sizeof sent - n_sent, MSG_DONTWAIT)) > 0)
		n_sent += (size_t) n;
	if (n_sent < sizeof sent / 2)
		check_sent(sent, n_sent);
	hall_free(&hall);
	sim_reader_free(reader);
	sim_tags_free(tags);
	close(fds[1]);
	loop_free(loop);
	return 0;
}
