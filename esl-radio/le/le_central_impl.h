/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of the connections of a central, shared by le_central.c, le_calls.c and le_data.c
 * only. */
#pragma once

#include "esl-radio/le/l2cap_wire.h"
#include "esl-radio/le/le_central.h"

#define HEADER_BYTES L2CAP_HEADER

enum link_state {
	LINK_FREE,
	LINK_WAITING,    /**< for its turn */
	LINK_CONNECTING, /**< the controller tries */
	LINK_UP,
	LINK_CLOSING,
};

struct le_link {
	struct le_central *c;
	enum link_state state;
	struct le_connect how;
	struct le_link_callbacks cb;
	void *user;
	uint64_t order;     /**< of the requests */
	hci_done_fn synced; /**< waits for the transfer of the train's timing */
	void *synced_user;
	uint16_t handle;
	int64_t left_us; /**< patience left, while it is listened for */
	bool given_up;   /**< while the controller tried */
	struct buf out;  /**< frames that wait, headers included */
	size_t out_left; /**< of the frame that is being sent */
	bool out_begun;
	unsigned int in_flight; /**< packets the controller has */
	struct buf in;          /**< frame being received */
	size_t in_len;          /**< its length, header included; 0 = none begun */
};

struct le_central {
	struct hci_driver driver;
	struct hci_host *host;
	struct loop *loop;
	struct le_central_callbacks cb;
	void *user;
	struct loop_timer *patience; /**< of the connection being made */
	bool up, scan_wanted, scanning;
	uint8_t address[HCI_ADDR_BYTES];
	uint8_t random[HCI_ADDR_BYTES]; /**< the controller shows as our random address */
	bool random_set, naming;        /**< it is known; it is being set */
	struct hci_buffer_size buffers;
	unsigned int in_flight;
	unsigned int turn; /**< whose data goes next */
	uint64_t orders;
	/* le_calls.c: */
	bool listing, cancelling; /**< whoever of the list advertises is connected; no more */
	int64_t listing_since_us;
	bool list_doubted; /**< the controller did not take what it was told */
	struct hci_accept listed[LE_CALLS_MAX];
	unsigned int n_listed, list_max;
	unsigned int links_max, links_kept; /**< of le_central_calls() */
	unsigned int links_able;            /**< as many as the controller has shown to have */
	struct le_link links[LE_PLACES];
};

/* le_central.c */
/** Queues a command; without memory the controller is started over, which tells everybody. */
void le_command(struct le_central *c, const struct buf *b, hci_done_fn done, void *user);
/** The one that came first of those in that state. */
struct le_link *le_link_in(struct le_central *c, enum link_state state);
/** There will be no link: the place is free before the owner hears of it. */
void le_link_failed(struct le_link *l, int err);
/** Has the controller connect to this one, or to whoever of the accept list advertises. */
void le_create(struct le_central *c, const struct le_link *l, bool listed, hci_done_fn done);
/** Tells those whose time is over, then le_begin_next(). From the loop alone. */
void le_next_connection(struct le_central *c);
/** Has the controller connect to whose turn it is, if it is free. */
void le_begin_next(struct le_central *c);

/* le_calls.c */
/** The controller came or went: its list is empty. */
void le_calls_reset(struct le_central *c);
/** How long is its list? */
void le_calls_ask(struct le_central *c);
/** Those whose time is over are told. */
void le_calls_expire(struct le_central *c);
/** Whose turn it is; NULL = nobody's now. */
struct le_link *le_calls_next(struct le_central *c);
/** The controller has refused one more for having as many links as it can: those who wait go on
 * waiting, for one of them to end. */
bool le_calls_limited(struct le_central *c, uint8_t status);
/** Listens for everybody who advertises and is waited for under the same name as this one. False if
 * it is called through the train, or the controller has no list. */
bool le_calls_begin(struct le_central *c, struct le_link *l);
/** The attempt is over: whom it reached, or NULL. */
struct le_link *le_calls_end(struct le_central *c, const struct hci_connection_complete *e);
/** A new one waits: it may be more urgent than those who are listened for. */
void le_calls_make_way(struct le_central *c, const struct le_link *l);
/** Gives the attempt up, whichever it is: the end of the attempt is an event of its own. */
void le_cancel_connection(struct le_central *c);
/** The same, if everybody is listened for. */
void le_calls_cancel(struct le_central *c);

/* le_data.c */
/** A link that is up or closing; NULL for any other handle. */
struct le_link *le_link_by_handle(struct le_central *c, uint16_t handle);
/** Sends one packet of each link in turn while the controller has buffers. */
void le_data_pump(struct le_central *c);
void le_data_in(struct le_central *c, const struct hci_acl *a);
/** The controller has sent packets: Number Of Completed Packets. */
void le_data_sent(struct le_central *c, struct wire *w);
