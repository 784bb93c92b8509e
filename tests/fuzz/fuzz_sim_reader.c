/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated reader: any bytes from a client are answered or cost the connection; what it sends
 * is always a row of whole, valid messages, also what it reports of the tags it then works on. */
#include "rfid/llrp_codec.h"
#include "sim/reader.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t sent[1 << 18];
	static const uint8_t epc_bytes_of_tag[12] = {0x30, 0x34};
	struct sim_tags *tags = sim_tags_new();
	struct sim_reader *reader;
	struct epc epc;
	struct sim_tag_read read = {.epc = &epc, .antenna = 1, .rssi_dbm = -50};
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
	sim_reader_free(reader);
	sim_tags_free(tags);
	close(fds[1]);
	loop_free(loop);
	return 0;
}
