/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of the connections of a central, shared by le_central.c and le_data.c only. */
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
	struct le_link links[LE_LINKS_MAX];
};

/* le_data.c */
/** A link that is up or closing; NULL for any other handle. */
struct le_link *le_link_by_handle(struct le_central *c, uint16_t handle);
/** Sends one packet of each link in turn while the controller has buffers. */
void le_data_pump(struct le_central *c);
void le_data_in(struct le_central *c, const struct hci_acl *a);
/** The controller has sent packets: Number Of Completed Packets. */
void le_data_sent(struct le_central *c, struct wire *w);
