/* SPDX-License-Identifier: Apache-2.0 */
/** @file Addresses of readers: numeric ones, names resolved on the work pool, and listening. */
#pragma once

#include "common/loop.h"
#include <sys/socket.h>

#define READER_MAX_ADDRESSES 8

struct reader_address {
	struct sockaddr_storage storage;
	socklen_t len;
};

/** A numeric IPv4 or IPv6 address; false for anything else. */
bool reader_address_parse(const char *host, uint16_t port, struct reader_address *ret);
/** Numeric, without port. Returns buf. */
const char *reader_address_text(const struct reader_address *a, char *buf, size_t size);
/** Is the peer the one that `host` names numerically, or does host (0.0.0.0, ::) name anybody? */
bool reader_address_is(const struct reader_address *peer, const char *host);
/** A listening socket for callers of the family that `host` is of (127.0.0.1 and ::1: on loopback
 * only). Port 0 = any. */
int reader_address_listen(const char *host, uint16_t port, uint16_t *ret_port) _must_check_;

struct reader_lookup;
/** n 0: `why` says what failed. The lookup is over. */
typedef void (*reader_lookup_fn)(void *user, const struct reader_address *list, size_t n,
				 const char *why);
int reader_lookup_start(struct loop *loop, const char *host, uint16_t port, reader_lookup_fn fn,
			void *user, struct reader_lookup **ret) _must_check_;
/** fn will not be called. NULL-safe. */
void reader_lookup_cancel(struct reader_lookup *l);
