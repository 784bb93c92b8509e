/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Sockets of the simulated store: listeners (TCP on loopback, UNIX stream, UNIX sequenced packets)
 * and connections with a bounded queue of outgoing bytes. What a peer sends wrong costs its own
 * connection and nothing else: the owner frees the net_conn, the listener stays.
 */
#pragma once

#include "common/loop.h"
#include "common/tls.h"

struct net_listener;
struct net_conn;
struct net_dial;

/** Hands over a connected, non-blocking descriptor; the callee owns it. */
typedef void (*net_accept_fn)(void *user, int fd);

/** Listens on 127.0.0.1; port 0 = any free one. */
int net_listen_tcp(struct loop *loop, uint16_t port, net_accept_fn fn, void *user,
		   struct net_listener **ret) _must_check_;
/** Listens on a path (an old socket there is replaced). `type`: SOCK_STREAM or SOCK_SEQPACKET. */
int net_listen_unix(struct loop *loop, const char *path, int type, net_accept_fn fn, void *user,
		    struct net_listener **ret) _must_check_;
uint16_t net_listener_port(const struct net_listener *l);
/** Stops listening and removes a UNIX path. NULL-safe. */
void net_listener_free(struct net_listener *l);

struct net_conn_callbacks {
	/** Bytes, or one whole message when packets; borrowed. May free the connection. */
	void (*data)(void *user, const uint8_t *data, size_t len);
	/** The peer is gone (err 0) or the socket failed; the owner frees the connection now or
	 * later. Called once. */
	void (*closed)(void *user, int err);
};

/** Takes fd over, also on failure. `packets`: message boundaries matter. */
int net_conn_new(struct loop *loop, int fd, bool packets, size_t max_queue,
		 const struct net_conn_callbacks *cb, void *user,
		 struct net_conn **ret) _must_check_;
/** From here on TLS, whose stream (on the same descriptor) is taken over. */
void net_conn_secure(struct net_conn *c, struct tls_stream *tls);
/** Connects to 127.0.0.1; hands over the descriptor like a listener does, or -1. */
int net_dial_tcp(struct loop *loop, uint16_t port, net_accept_fn fn, void *user,
		 struct net_dial **ret) _must_check_;
/** Gives up. NULL-safe. */
void net_dial_free(struct net_dial *d);
/** Queues all of it or nothing: -ENOBUFS when the peer does not read, -ERR_CLOSED after the end. */
int net_conn_send(struct net_conn *c, const void *data, size_t len) _must_check_;
/** Bytes not yet taken by the kernel. */
size_t net_conn_queued(const struct net_conn *c);
/** Writes what the kernel takes at once, then closes. NULL-safe. */
void net_conn_free(struct net_conn *c);
