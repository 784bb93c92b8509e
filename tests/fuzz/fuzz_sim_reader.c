/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated reader: any bytes from a client are answered or cost the connection; what it sends
 * is always a row of whole, valid messages. */
#include "rfid/llrp_codec.h"
#include "sim/reader.h"
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
	struct sim_reader *reader;
	struct loop *loop;
	size_t n_sent = 0;
	ssize_t n;
	int fds[2];

	if (size > 65536 || loop_new_virtual(0, US_PER_SEC, &loop) < 0)
		return 0;
	if (sim_reader_new(
		    loop,
		    &(struct sim_reader_config){.name = "fuzz", .n_antennas = 4, .impinj = true},
		    &reader) < 0)
		abort();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		abort();
	if (sim_reader_attach(reader, fds[0]) < 0)
		abort();
	if (write(fds[1], data, size) < 0)
		size = 0;
	loop_run_until(loop, US_PER_SEC);
	while (n_sent < sizeof sent &&
	       (n = recv(fds[1], sent + n_sent, sizeof sent - n_sent, MSG_DONTWAIT)) > 0)
		n_sent += (size_t) n;
	if (n_sent < sizeof sent / 2)
		check_sent(sent, n_sent);
	sim_reader_free(reader);
	close(fds[1]);
	loop_free(loop);
	return 0;
}
