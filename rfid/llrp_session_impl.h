/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside a session: llrp_session.c has its life and the steps it takes, llrp_session_rx.c what it
 * makes of the messages that come in.
 */
#pragma once

#include "common/buf.h"
#include "common/log.h"
#include "rfid/llrp_audit.h"
#include "rfid/llrp_codec.h"
#include "rfid/llrp_ledger.h"
#include "rfid/llrp_normal.h"
#include "rfid/llrp_session.h"
#include "rfid/llrp_setup.h"

#define LLRP_SESSION_TEXT_MAX 192

/** What the session waits for. */
enum llrp_step {
	LLRP_STEP_DEAD,  /**< not connected, or failed */
	LLRP_STEP_EVENT, /**< the connection event */
	LLRP_STEP_ASK_VERSION,
	LLRP_STEP_SET_VERSION,
	LLRP_STEP_CAPABILITIES,
	LLRP_STEP_EXTENSIONS,
	LLRP_STEP_CONFIG,
	LLRP_STEP_ROSPECS, /**< what runs there already */
	LLRP_STEP_DELETE_ACCESS,
	LLRP_STEP_DELETE,
	LLRP_STEP_ADD,
	LLRP_STEP_ENABLE,
	LLRP_STEP_START,
	LLRP_STEP_RUN, /**< reports and keepalives */
	LLRP_STEP_STOP,
	LLRP_STEP_CLEAN,
	LLRP_STEP_CLOSE,
	LLRP_STEP_COUNT
};

struct llrp_session {
	struct rfid_reader_config cfg;
	const struct clock *clock;
	struct llrp_session_callbacks cb;
	void *user;
	struct rfid_reader_stats stats;
	struct log_limit incidents;
	struct llrp_ledger ledger;
	bool version_asked; /**< and no answer yet: a reader may hang up on the question */
	bool version_taboo; /**< one did */
	/* of this connection */
	enum llrp_step step;
	uint32_t next_id;
	uint32_t pending_id;
	int64_t deadline_us; /**< of the step's answer, or of the next sign of life */
	bool reduced;        /**< the step is being tried again with less */
	bool extended;       /**< the reader took the vendor's extensions */
	bool active;         /**< a sign that our ROSpec runs */
	bool resumed;        /**< it has since an earlier connection */
	uint8_t version;     /**< of what we send */
	uint32_t rospec;     /**< id of ours, 0 = not known yet */
	bool start_refused;
	char refusal[LLRP_SESSION_TEXT_MAX]; /**< what it said to START */
	struct {
		rfid_access_fn fn; /**< NULL = nothing is asked */
		void *user;
		struct rfid_access asked;
		uint32_t spec, pending_id;
		bool enabled;
		int64_t deadline_us;
	} access;
	int64_t audit_us; /**< when to look whether the reader is as we set it */
	uint32_t audit_id;
	bool config_reduced, rospec_reduced;  /**< what it was given is less than we would like */
	bool verifying;                       /**< something was just mended */
	bool verify_rospec;                   /**< ... by setting the inventory up again */
	char insists_rospec[LLRP_AUDIT_TEXT]; /**< what it tells whatever we set */
	char insists_config[LLRP_AUDIT_TEXT];
	struct llrp_caps caps;
	struct llrp_normal normal;
	int64_t clock_gap_us; /**< between our real and our monotonic clock, to see the first one
				 set */
	struct buf rx;
	char text[LLRP_SESSION_TEXT_MAX];
	/* callbacks may free us */
	unsigned int busy;
	bool freed;
};

/** Handles the whole frames at the start of the bytes, and says how many bytes that was. */
int llrp_session_take_frames(struct llrp_session *s, const uint8_t *data, size_t len,
			     size_t *ret_used) _must_check_;

/** Keeps the sentence and ends the connection. Returns err. */
int llrp_session_fail(struct llrp_session *s, int err, const char *fmt, ...) _printf_(3, 4);
/** A frame that lies costs the connection, and is counted. Returns err. */
int llrp_session_bad_frame(struct llrp_session *s, int err, const char *what);
void llrp_session_incident(struct llrp_session *s, const char *fmt, ...) _printf_(2, 3);
void llrp_session_tell_state(struct llrp_session *s, enum rfid_reader_state state);
/** One frame; gives it the version agreed on. */
void llrp_session_send(struct llrp_session *s, struct buf *out);
/** Puts off the watchdog. */
void llrp_session_sign_of_life(struct llrp_session *s);
/** Sends the step's request and waits for its response. */
int llrp_session_begin_step(struct llrp_session *s, enum llrp_step step) _must_check_;
/** The connection event said success. */
int llrp_session_begin(struct llrp_session *s) _must_check_;
/** The message is a response, or the ERROR_MESSAGE in place of one. */
int llrp_session_on_response(struct llrp_session *s, struct llrp_msg *m) _must_check_;
/** The inventory runs: looks are due from now on. */
void llrp_session_audit_begin(struct llrp_session *s);
int64_t llrp_session_audit_period(const struct llrp_session *s);
/** Asks from time to time how the reader is set, and mends what is not as we said. */
void llrp_session_audit_tick(struct llrp_session *s);
/** The answer to what runs there already: is it ours, whole or reduced, and running? */
int llrp_session_rospecs_told(struct llrp_session *s, struct llrp_msg *m) _must_check_;
/** The reader says that an antenna is connected, or not. */
void llrp_session_antenna(struct llrp_session *s, unsigned int antenna, bool connected);
int llrp_session_audit_response(struct llrp_session *s, struct llrp_msg *m) _must_check_;
/** A response to a request about the operation; false if it is none. */
bool llrp_session_access_response(struct llrp_session *s, struct llrp_msg *m);
/** A sound report: perhaps the result is in it. */
void llrp_session_access_report(struct llrp_session *s, const uint8_t *frame, size_t len);
void llrp_session_access_tick(struct llrp_session *s);
/** Keeps the words of an LLRPStatus as the session's text. */
void llrp_session_keep_status(struct llrp_session *s, struct llrp_msg *m, uint16_t status);
