/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * TLS on a connected, non-blocking socket of the caller, for protocols that are not HTTP (LLRP on
 * port 5085). Nothing here waits: -EAGAIN means, come back when the socket is ready again.
 *
 * Readers have certificates that no authority signed. Who a peer is, is said by a pin: the SHA-256
 * of its certificate (DER) in hexadecimal. Without a pin the connection is private, but with
 * whoever is at the other end; tls_stream_peer() tells which pin would name it.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

#define TLS_PIN_MAX 65 /**< 64 hexadecimal digits and a NUL */

enum tls_role {
	TLS_CLIENT, /**< whoever made the TCP connection */
	TLS_SERVER
};

/** A certificate and its key. */
struct tls_identity;
int tls_identity_load(const char *cert_path, const char *key_path,
		      struct tls_identity **ret) _must_check_;
/** A new key with a certificate signed by itself. */
int tls_identity_make(const char *name, struct tls_identity **ret) _must_check_;
void tls_identity_free(struct tls_identity *id);
DEFINE_CLEANUP(struct tls_identity *, tls_identity_free)
/** Its pin; returns buf. */
const char *tls_identity_pin(const struct tls_identity *id, char buf[TLS_PIN_MAX]);

struct tls_stream;
/** Borrows fd and identity (a client may have none). `pin`: the peer must have that one; NULL or
 * empty = anybody. -ERR_SYNTAX for a pin that is none. */
int tls_stream_new(int fd, enum tls_role role, const struct tls_identity *id, const char *pin,
		   struct tls_stream **ret) _must_check_;
/** Does not say goodbye. NULL-safe. */
void tls_stream_free(struct tls_stream *t);
DEFINE_CLEANUP(struct tls_stream *, tls_stream_free)
/** 0 when done (again and again), -EAGAIN, -ERR_AUTH for another peer than the pinned one, or
 * -ERR_TLS with a reason in tls_stream_text(). */
int tls_stream_handshake(struct tls_stream *t) _must_check_;
/** Waiting for room in the socket rather than for bytes? */
bool tls_stream_wants_write(const struct tls_stream *t);
/** Bytes, 0 at the end, -EAGAIN or another negative code. Only after the handshake, as the next. */
long tls_stream_recv(struct tls_stream *t, void *data, size_t size) _must_check_;
long tls_stream_send(struct tls_stream *t, const void *data, size_t len) _must_check_;
/** Has bytes that no readiness of the socket will tell of? */
bool tls_stream_pending(const struct tls_stream *t);
/** Says goodbye, if the socket takes it at once. */
void tls_stream_bye(struct tls_stream *t);
/** The peer's pin; "" when it showed no certificate, or not yet. */
const char *tls_stream_peer(const struct tls_stream *t);
/** Why the last call failed, in words. */
const char *tls_stream_text(const struct tls_stream *t);
