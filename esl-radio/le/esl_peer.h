/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One label on a link: secures it, finds the label's services, and carries out what an access point
 * does with a label (ESLS 1.0 3, ESLP 1.0 6; OTS 1.0). Procedures are made one at a time, and each
 * has exactly one answer. Callbacks come from the loop.
 */
#pragma once

#include "esl-radio/esl_link.h"
#include "esl-radio/le/esl_kind.h"
#include "esl-radio/le/le_central.h"
#include "esl-radio/le/le_crypto.h"
#include "esl-radio/le/ots_resume.h"

/** What is kept of a label between two links. */
struct esl_bond {
	bool known;
	uint8_t addr_type;
	uint8_t ltk[LE_KEY_BYTES]; /**< most significant byte first */
	/** Who we are to the label, as it looks its bond up by that: type, 0 = the controller's
	 * public address, and a random one. */
	uint8_t own_type;
	uint8_t own[ESL_ADDR_BYTES];
};

struct esl_peer_callbacks {
	/** A new key, to be kept before anything relies on it. Returns 0 or a negative code, which
	 * ends the link. */
	int (*bonded)(void *user, const uint8_t addr[ESL_ADDR_BYTES], const struct esl_bond *bond);
	/** The label has another key or none: ours is of no use any more. */
	void (*unbonded)(void *user, const uint8_t addr[ESL_ADDR_BYTES]);
	/** The link ended while nothing was asked. Not after the label was told to go. */
	void (*lost)(void *user, const uint8_t addr[ESL_ADDR_BYTES]);
	/** Last words of every peer: it may be freed now. */
	void (*over)(void *user, const uint8_t addr[ESL_ADDR_BYTES]);
	int (*random)(void *user, void *to, size_t n);
	/** The link is made, and about to be secured; may be NULL. */
	void (*reached)(void *user, const uint8_t addr[ESL_ADDR_BYTES]);
	/** The link ended over a picture; may be NULL. */
	void (*broken_off)(void *user, const uint8_t addr[ESL_ADDR_BYTES],
			   const struct ots_partial *partial);
	/** What is to be remembered with its bond from now on; `known` false: nothing. May be
	 * NULL. */
	void (*learned)(void *user, const uint8_t addr[ESL_ADDR_BYTES],
			const struct esl_kind *kind);
};

struct esl_peer;

/** Connects, secures the link and finds the services, unless they are known; `done` gets the
 * outcome. The bond is copied.
 */
int esl_peer_new(struct loop *loop, struct le_central *central, const struct le_connect *how,
		 const struct esl_bond *bond, const struct esl_peer_callbacks *cb, void *user,
		 esl_link_done_fn done, void *done_user, struct esl_peer **ret) _must_check_;
/** What is remembered of it; before anything else. Copied. */
void esl_peer_set_kind(struct esl_peer *p, const struct esl_kind *kind);
/** The label's ESL_ID, for a label that is not configured on this link. */
void esl_peer_set_id(struct esl_peer *p, uint8_t esl_id);
/** Without a word. The central must have forgotten its link: it is away or freed. */
void esl_peer_free(struct esl_peer *p);
const uint8_t *esl_peer_addr(const struct esl_peer *p);

/* Procedures. -EBUSY while another is under way, -ERR_STATE when the link is not there. */
int esl_peer_read_info(struct esl_peer *p, esl_link_done_fn done, void *user) _must_check_;
int esl_peer_configure(struct esl_peer *p, const struct esl_link_config *c, uint8_t adv_handle,
		       esl_link_done_fn done, void *user) _must_check_;
int esl_peer_set_time(struct esl_peer *p, uint32_t abs_ms, esl_link_done_fn done,
		      void *user) _must_check_;
int esl_peer_control(struct esl_peer *p, const uint8_t *tlv, size_t len, esl_link_done_fn done,
		     void *user) _must_check_;
/** The picture is copied. `kept`: of an earlier attempt, NULL if there was none; what the label has
 * of it is not sent again if it can prove by a checksum that it has it. */
int esl_peer_write_image(struct esl_peer *p, uint8_t index, const void *data, size_t len,
			 const struct ots_partial *kept, esl_link_done_fn done,
			 void *user) _must_check_;
/** Update Complete, with which the label goes; the train's timing is handed over before. */
int esl_peer_update_complete(struct esl_peer *p, uint8_t adv_handle, esl_link_done_fn done,
			     void *user) _must_check_;
/** Ends the link, and whatever is under way. */
int esl_peer_close(struct esl_peer *p, esl_link_done_fn done, void *user) _must_check_;
