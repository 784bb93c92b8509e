/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Connections of a central on one controller (Core Specification 5.4, Vol 4 Part E): scanning,
 * calling a label through its subevent or when it advertises, encrypting the link, and frames of
 * L2CAP both ways, cut to the controller's buffers and put together again. A driver of hci_host.h;
 * what frames mean is the business of who opened the link.
 *
 * A controller makes one connection at a time: the others wait their turn, and who is called
 * through the train goes first. Those that advertise wait together where the controller has an
 * accept list: whoever does so first is connected. Addresses are most significant byte first.
 * Callbacks come from the loop, never from within a call.
 */
#pragma once

#include "esl-radio/hci_host.h"

#define LE_LINKS_MAX   8
#define LE_CALLS_MAX   32 /**< that advertise, waited for at a time */
#define LE_PLACES      (LE_LINKS_MAX + LE_CALLS_MAX)
#define LE_FRAME_MAX   2048        /**< longest frame of L2CAP, header apart, either way */
#define LE_QUEUE_MAX   (64 * 1024) /**< bytes of frames that wait on one link */
#define LE_NO_SUBEVENT 0xff

struct le_central;
struct le_link;

struct le_central_callbacks {
	void (*up)(void *user);
	/** All links are gone already, each told by its own callback. */
	void (*down)(void *user, int err, const char *text);
	/** Somebody advertises; borrowed. */
	void (*advert)(void *user, const struct hci_adv_report *r);
};

struct le_link_callbacks {
	/** The answer to le_central_connect(), once. Not 0: there is no link, and it was freed:
	 * -ETIMEDOUT, -ERR_CLOSED when the controller went away, -ERR_PEER when it refused. */
	void (*connected)(void *user, int err);
	/** The answer to le_link_encrypt(): 0, -ERR_CRYPTO when the peer has another key or none,
	 * -ERR_PEER. */
	void (*encrypted)(void *user, int err);
	/** A frame; borrowed. */
	void (*frame)(void *user, uint16_t cid, const uint8_t *data, size_t len);
	/** It is over, and the link freed. `reason` is the controller's (Vol 1 Part F), 0 when the
	 * controller itself went away. */
	void (*closed)(void *user, uint8_t reason);
};

int le_central_new(struct loop *loop, struct hci_host *host, const struct le_central_callbacks *cb,
		   void *user, struct le_central **ret) _must_check_;
/** Links end without a callback. NULL-safe. */
void le_central_free(struct le_central *c);
bool le_central_is_up(const struct le_central *c);
/** The controller's public address, most significant byte first. */
const uint8_t *le_central_address(const struct le_central *c);
/** Listens for advertisements while on. Remembered over a controller's absence. */
void le_central_scan(struct le_central *c, bool on);

struct le_connect {
	uint8_t peer[HCI_ADDR_BYTES];
	uint8_t peer_type;           /**< 0 public, 1 random */
	uint8_t own_type;            /**< likewise: who we are to the peer */
	uint8_t own[HCI_ADDR_BYTES]; /**< our random address; not looked at for a public one */
	uint8_t adv_handle;          /**< the train's */
	uint8_t subevent;            /**< LE_NO_SUBEVENT: it advertises */
	int64_t timeout_us;          /**< patience, while it is called or listened for */
};
/** There are to be no more than `links` links from now on, the last `kept` of them for who is
 * called through the train. Yields how many that advertise may wait at a time: 1 for a controller
 * without an accept list. */
unsigned int le_central_calls(struct le_central *c, unsigned int links, unsigned int kept);
/** -ERR_STATE while the controller is away, -EBUSY with LE_PLACES links, -EEXIST for a peer that
 * has one, -ENOMEM. */
int le_central_connect(struct le_central *c, const struct le_connect *how,
		       const struct le_link_callbacks *cb, void *user,
		       struct le_link **ret) _must_check_;

/** Ends it; closed() comes when the controller says so, or connected() with -ETIMEDOUT. */
void le_link_close(struct le_link *l);
/** Encrypts with a key most significant byte first. */
int le_link_encrypt(struct le_link *l, const uint8_t ltk[HCI_KEY_BYTES]) _must_check_;
/** Queues a frame. -ERR_TOO_LARGE, -ENOBUFS past LE_QUEUE_MAX, -ERR_STATE. */
int le_link_send(struct le_link *l, uint16_t cid, const void *data, size_t len) _must_check_;
/** Hands the timing of the train to the peer (PAST); `done` gets the controller's status. */
int le_link_transfer_sync(struct le_link *l, uint8_t adv_handle, hci_done_fn done,
			  void *user) _must_check_;
