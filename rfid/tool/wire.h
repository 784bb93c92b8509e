/* SPDX-License-Identifier: Apache-2.0 */
/** @file A connection to one reader for a program that may wait: made or awaited, with TLS or not.
 */
#pragma once

#include "common/tls.h"
#include "rfid/rfid.h"

struct tool_wire {
	int fd;
	struct tls_stream *tls;
	struct tls_identity *identity;
};

/** Connects to cfg->host, or waits for its call; says on stdout what happened, on stderr what
 * failed. */
int tool_wire_open(struct tool_wire *w, const struct rfid_reader_config *cfg);
void tool_wire_close(struct tool_wire *w);
/** All of it, waiting for room. */
int tool_wire_send(struct tool_wire *w, const uint8_t *data, size_t len);
/** Bytes, 0 at the end, -EAGAIN when there are none now. */
long tool_wire_recv(struct tool_wire *w, uint8_t *data, size_t size);
/** Is there something that poll() does not tell of? */
bool tool_wire_pending(const struct tool_wire *w);
