/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside of a label on a link. Every procedure is a chain of small steps, each begun by the answer
 * to the one before:
 *
 *     esl_peer.c          the link: connecting, securing, jobs, the end
 *     esl_peer_find.c     services, characteristics and their switches, where they are not known
 *     esl_peer_recall.c   what is known of an earlier link, and whether it still holds
 *     esl_peer_identity.c what model it is
 *     esl_peer_work.c     what is read and written, the control point, Update Complete
 *     esl_peer_image.c    a picture by object transfer
 */
#pragma once

#include "esl-radio/le/att_client.h"
#include "esl-radio/le/esl_peer.h"
#include "esl-radio/le/l2cap_channel.h"
#include "esl-radio/le/ots_wire.h"
#include "esl-radio/le/smp_central.h"

/** Characteristics we use, in the order of the table of esl_peer_find.c. */
enum chr {
	CHR_ADDRESS,
	CHR_TRAIN_KEY,
	CHR_RESPONSE_KEY,
	CHR_TIME,
	CHR_DISPLAYS,
	CHR_IMAGES,
	CHR_SENSORS,
	CHR_LEDS,
	CHR_CONTROL,
	CHR_OTS_FEATURE,
	CHR_OBJECT_SIZE,
	CHR_OBJECT_TYPE,
	CHR_OACP,
	CHR_OLCP,
	CHR_CHANGED,
	CHR_COUNT
};

struct chr_found {
	uint16_t value;   /**< handle; 0 = the label has none */
	uint16_t end;     /**< of its service */
	uint16_t turn_on; /**< handle of its switch; 0 = it has none */
	bool on;          /**< it was turned on over this link */
};

struct esl_peer {
	struct loop *loop;
	struct le_central *central;
	struct le_link *link; /**< NULL when it is over */
	struct le_connect how;
	struct esl_bond bond;
	struct esl_peer_callbacks cb;
	void *user;
	struct att_client att;
	struct smp_central smp;
	struct l2cap_channel channel;
	struct loop_timer *deadline;
	uint8_t signal_id;
	bool secured, ready;
	bool bond_kept;  /**< while pairing goes on */
	bool told_to_go; /**< its going is no loss */
	bool sent_away;  /**< and it did not go by itself */

	/* the job under way */
	esl_link_done_fn done;
	void *done_user;
	struct esl_link_result res;

	/* steps */
	unsigned int at;   /**< service, characteristic or write under way */
	uint16_t from, to; /**< handles still to be looked at */
	struct chr_found chr[CHR_COUNT];
	/* what was remembered of it */
	struct esl_kind kind;
	uint8_t hash[ESL_KIND_HASH_BYTES];
	bool has_hash;                 /**< the label has said it, at the beginning of this link */
	bool recalled;                 /**< chr comes from an earlier link */
	unsigned int to_turn, turning; /**< switches, a bit each; the one being written */
	void (*turned)(struct esl_peer *p);
	att_done_fn asked_by;       /**< of the attribute request under way */
	struct buf value;           /**< long value being read or written */
	size_t value_at, piece_len; /**< of it, and of the piece under way */
	void (*value_read)(struct esl_peer *p, int err);
	uint16_t value_handle;
	att_done_fn written; /**< of a long write */
	struct esl_link_config config;
	uint8_t adv_handle;
	uint8_t sync_tries;
	uint8_t esl_id;
	/* a picture being sent */
	struct buf picture;
	size_t picture_at; /**< handed to the channel so far */
	struct ots_resume resume;
	bool checking; /**< all is sent: its checksum decides */
	uint8_t image;
	uint8_t tlv[ESL_TLV_MAX];
	uint8_t tlv_len;
	void (*identified)(struct esl_peer *p);
	bool choosing;                                     /**< the first object, for its type */
	void (*control_next)(struct esl_peer *p, int err); /**< instead of the job's end */
	bool tlv_written; /**< the control point has answered the write */
	bool truncate;
	bool may_announce; /**< the object is chosen and its beginning known */
	bool trusting;     /**< switches of object transfer are taken to be on still */
};

/* esl_peer.c */
/** Begins a job: its answer will go to `done`. -EBUSY, -ERR_STATE. */
int peer_begin(struct esl_peer *p, int64_t patience_us, esl_link_done_fn done,
	       void *user) _must_check_;
/** Ends it. */
void peer_finish(struct esl_peer *p, int err);
/** The label does not keep to the protocol: ends the link, and the job with it. */
void peer_fail(struct esl_peer *p, int err);
/** Sends a request; a failure to do so ends the link. */
void peer_ask(struct esl_peer *p, const struct att_pdu *pdu, att_done_fn done);
/** Writes a value, in pieces where it is longer than a packet. */
void peer_write(struct esl_peer *p, enum chr chr, const void *data, size_t len, att_done_fn done);
/** Reads a whole value into p->value; `read` gets -ENOENT where the label has no such thing. */
void peer_read(struct esl_peer *p, enum chr chr, void (*read)(struct esl_peer *p, int err));
/** The next identifier of a signal. */
uint8_t peer_signal_id(struct esl_peer *p);
/** Sends a signal; `id` 0 = the next one. */
void peer_signal(struct esl_peer *p, const struct l2cap_signal *s);

/* esl_peer_find.c */
/** Looks for everything, then ends the job of connecting. */
void peer_find(struct esl_peer *p);

/** What is written into a switch: 1 notify, 2 indicate, 0 there is none. */
uint16_t peer_switch_value(enum chr chr);

/* esl_peer_recall.c */
/** Takes what is remembered if it still holds, or looks for everything; ends the job of connecting.
 */
void peer_recall(struct esl_peer *p);
/** All was found: it is remembered under the hash that the label has given. */
void peer_learn_handles(struct esl_peer *p);
/** The same for what was read of the label into p->res. */
void peer_learn_facts(struct esl_peer *p);
/** Puts what is remembered of the label into p->res; false if it must be read. */
bool peer_recall_facts(struct esl_peer *p);
/** What is remembered was wrong. */
void peer_forget_kind(struct esl_peer *p);
/** An error that may mean so. */
void peer_doubt(struct esl_peer *p, const struct att_pdu *error);
/** Writes those switches (a bit for each enum chr) that were not written over this link; an error
 * ends the job, else `then`. */
void peer_turn_on(struct esl_peer *p, unsigned int which, void (*then)(struct esl_peer *p));
/** They were off at the beginning of the link, and should not have been. */
void peer_switches_forgotten(struct esl_peer *p);

/* esl_peer_identity.c */
/** Reads what tells the label's model into p->res.identity; then `next`. */
void peer_identify(struct esl_peer *p, void (*next)(struct esl_peer *p));
/** The answer to the choice of its first object. */
void peer_identify_chosen(struct esl_peer *p, const struct ots_control *c);

/* esl_peer_work.c */
void peer_control_value(struct esl_peer *p, const uint8_t *data, size_t len);

/* esl_peer_image.c */
/** The link is over: says how far a picture had come. */
void peer_picture_lost(struct esl_peer *p);
void peer_transfer_value(struct esl_peer *p, enum chr chr, const uint8_t *data, size_t len);
void peer_write_object_control(struct esl_peer *p, enum chr chr, const struct ots_control *c);
/** Object transfer did not answer, though it should be switched on. */
void peer_transfer_silent(struct esl_peer *p);
extern const struct l2cap_channel_io peer_channel_io;
