/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One LLRP connection as a client, without IO: bytes from the reader go in with
 * llrp_session_feed(), bytes for it come out of a callback, time comes from the injected clock. The
 * order of things:
 *
 *     connection event -> (version) -> capabilities -> (vendor extensions) -> configuration ->
 * what runs there? -> delete what others left -> add, enable, start our ROSpec -> reports and
 * keepalives ... -> stop, delete, close
 *
 * An inventory of ours that still runs, since an earlier connection ended without stopping it, is
 * not touched: the reader hands over what it held, and goes on. It is known by its ROSpecID, which
 * is made from all that it says.
 *
 * Nothing is sent before the reader's connection event says success (LLRP 1.0.1, clause 9). Each
 * request waits for the response of its type and message id; a reader that refuses a setting gets a
 * reduced one, a reader that refuses to inventory costs the connection. ERROR_MESSAGE is never
 * answered. Silence for three keepalive periods ends the connection.
 *
 * A session object serves one reader over any number of connections: llrp_session_connected()
 * begins a new one. When llrp_session_feed() or llrp_session_tick() return a negative code, the
 * connection is to be dropped; llrp_session_text() says why in a sentence. Callbacks may free the
 * session.
 */
#pragma once

#include "common/clock.h"
#include "rfid/rfid.h"

#define LLRP_RESPONSE_TIMEOUT_US  (10 * US_PER_SEC)
#define LLRP_STOP_TIMEOUT_US      (1 * US_PER_SEC) /**< per step of stopping */
#define LLRP_START_GRACE_US       (5 * US_PER_SEC) /**< for signs of inventory if START is refused */
#define LLRP_AUDIT_US             (300 * US_PER_SEC) /**< between two looks at how it is set */
#define LLRP_AUDIT_FIRST_US       (30 * US_PER_SEC)  /**< after the inventory began to run */
#define LLRP_AUDIT_VERIFY_US      (2 * US_PER_SEC)   /**< after something was mended */
#define LLRP_ACCESS_TIMEOUT_US    (5 * US_PER_SEC)
#define LLRP_MISSED_KEEPALIVES    3
#define LLRP_MAX_INCIDENTS        20 /**< a minute; of more only the number is told */
#define LLRP_DEFAULT_KEEPALIVE_MS 10000u

struct llrp_session;

struct llrp_session_callbacks {
	/** Bytes for the reader; borrowed for the call. */
	void (*send)(void *user, const uint8_t *data, size_t len);
	/** NEGOTIATING, CONFIGURING, RUNNING, STOPPING; IDLE when a stop has completed. May be
	 * NULL. */
	void (*state)(void *user, enum rfid_reader_state state);
	void (*reads)(void *user, const struct rfid_read *reads, size_t n);
	void (*incident)(void *user, const char *text); /**< may be NULL */
};

/** Copies cfg. -ERR_RANGE for more antennas than RFID_MAX_ANTENNAS or a session beyond 3,
 * -ERR_CONFIG for an unknown profile. */
int llrp_session_new(const struct rfid_reader_config *cfg, const struct clock *clock,
		     const struct llrp_session_callbacks *cb, void *user,
		     struct llrp_session **ret) _must_check_;
void llrp_session_free(struct llrp_session *s);
DEFINE_CLEANUP(struct llrp_session *, llrp_session_free)

/** A new connection stands; forgets everything about the one before, except statistics. */
void llrp_session_connected(struct llrp_session *s);
/** Takes bytes as they came. 0; -ERR_CLOSED when a stop has completed or the reader closed; else
 * what was wrong with them. After a negative code the session takes nothing until the next
 * connection. */
int llrp_session_feed(struct llrp_session *s, const uint8_t *data, size_t len) _must_check_;
/** Does what is due. 0, or a negative code as above. */
int llrp_session_tick(struct llrp_session *s) _must_check_;
/** Monotonic instant at which llrp_session_tick() wants to be called, INT64_MAX = never. */
int64_t llrp_session_deadline(const struct llrp_session *s);
/** Begins to stop, delete and close. 0, or -ERR_STATE when there is nothing to wait for (no
 * connection event yet, or failed): just drop the connection. */
int llrp_session_stop(struct llrp_session *s) _must_check_;
/** Begins to close, and leaves the inventory to a reader that holds reports; else stops it. As
 * llrp_session_stop(). */
int llrp_session_leave(struct llrp_session *s) _must_check_;
/** As rfid_reader_access(). */
int llrp_session_access(struct llrp_session *s, const struct rfid_access *access, rfid_access_fn fn,
			void *user) _must_check_;
/** Gives up the operation that is asked, if any: the connection is gone. */
void llrp_session_access_end(struct llrp_session *s, int err, const char *text);
/** The reason of the last failure, or "". */
const char *llrp_session_text(const struct llrp_session *s);
/** Fills all but `reconnects`. */
void llrp_session_get_stats(const struct llrp_session *s, struct rfid_reader_stats *ret);
