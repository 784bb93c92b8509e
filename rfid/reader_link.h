/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The connection to one reader: made by us, or awaited from it; with TLS or without. Names are
 * resolved on the work pool. One connection at a time: while one stands, another one that comes in
 * is closed at once.
 *
 * The link tries once per reader_link_open(); when to try again is the owner's business. Callbacks
 * may close or free the link.
 */
#pragma once

#include "common/tls.h"
#include "rfid/rfid.h"

/** To resolve, connect and shake hands; there is none for a reader that is to call. */
#define READER_LINK_TIMEOUT_US (10 * US_PER_SEC)

struct reader_link;

struct reader_link_callbacks {
	/** The connection stands. */
	void (*up)(void *user);
	/** 0 to go on, or why to hang up; then `down` follows. */
	int (*data)(void *user, const uint8_t *data, size_t len);
	/** The attempt failed or the connection ended; the link is closed. */
	void (*down)(void *user, int err, const char *text);
	/** A caller that is not welcome; may be NULL. */
	void (*refused)(void *user, const char *text);
};

/** Borrows the strings of cfg, and all that it points to. */
int reader_link_new(struct loop *loop, const struct rfid_reader_config *cfg,
		    const struct reader_link_callbacks *cb, void *user,
		    struct reader_link **ret) _must_check_;
void reader_link_free(struct reader_link *l);
/** Connects, or begins to wait for the reader's call. Only while closed. */
void reader_link_open(struct reader_link *l);
/** Hangs up and listens no more. No callback follows. */
void reader_link_close(struct reader_link *l);
bool reader_link_is_up(const struct reader_link *l);
/** Is there a socket, connected or on its way? */
bool reader_link_is_open(const struct reader_link *l);
/** Queues; what the kernel does not take shows as `down` later. */
void reader_link_send(struct reader_link *l, const uint8_t *data, size_t len);
/** The port that a reader can call; 0 = none. */
uint16_t reader_link_port(const struct reader_link *l);
/** Its pin, "" without TLS or not known yet. */
const char *reader_link_peer(const struct reader_link *l);
