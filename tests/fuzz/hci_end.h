/* SPDX-License-Identifier: Apache-2.0 */
/** @file The host's end of a simulated controller's byte stream, for the targets that play with
 * one. */
#pragma once

#include "esl-radio/hci_wire.h"
#include <stdlib.h>
#include <sys/socket.h>

/** What an input frees is watched to its end and not much longer: the default keeps the memory of
 * thousands, whose fresh pages cost more than the inputs do. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=8";
}

/** fds[0] is for the simulator, which owns it; fds[1] is ours. */
static inline void hci_end_open(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		abort();
}

/** Reads what has come, which must be well-formed. */
static inline void hci_end_check(int fd)
{
	static uint8_t in[1 << 17];
	ssize_t n = recv(fd, in, sizeof(in), MSG_DONTWAIT);

	for (size_t at = 0; n > 0 && at < (size_t) n;) {
		struct h4_packet p;
		int used = h4_next(in + at, (size_t) n - at, &p);

		if (used < 0 || (used > 0 && p.type != H4_EVENT && p.type != H4_ACL))
			abort();
		if (used == 0)
			return;
		at += (size_t) used;
	}
}
