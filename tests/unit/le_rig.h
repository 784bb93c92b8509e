/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A controller that the test plays below a central, or below the connected seam's driver, in
 * virtual time. It holds the host to the rule that the accept list is left alone while a connection
 * is being made by it (Vol 4 Part E 7.8.16), and writes down what it is asked for: `+1` label 1 put
 * on the list, `-1` taken off, `0` the list cleared, `L` whoever of the list advertises, `C1` label
 * 1 as it advertises, `T5` through subevent 5, `X` cancelled, `N7` our random address ends in 7,
 * `D1` the link to label 1 ended, `A1` data to label 1.
 */
#pragma once

#include "tests/unit/test_common.h"

#include "esl-radio/esl_link.h"
#include "esl-radio/le/le_central.h"

#define LABELS       20
#define FIRST_HANDLE 0x40
#define PATIENCE_US  (INT64_C(10) * US_PER_SEC)
#define STRANGER     99
#define BUFFERS      8 /**< of the controller, for data */

struct caller {
	struct le_link *link;
	unsigned int answers, ends;
	int err;
};

struct rig {
	struct loop *loop;
	struct hci_host *host;
	struct le_central *central;
	struct esl_link *link; /**< instead: the driver of the seam */
	int listener, fd;
	char dir[32], path[64];
	struct buf in;
	struct caller callers[LABELS];
	unsigned int ups, downs, adverts;
	char log[256];
	/* the controller */
	uint8_t list_size;       /**< what it says */
	uint8_t places;          /**< what it has; one more is refused */
	unsigned int n_list;     /**< on its list */
	uint16_t refused_opcode; /**< that is answered with refused_status */
	uint8_t refused_status;
	bool trying, by_list; /**< an attempt is under way */
	uint8_t peer_type;    /**< of those it was last told of */
	bool deaf;            /**< it does not say that an attempt was cancelled */
};

/** Of label 0; others count up. */
extern const uint8_t label_addr[HCI_ADDR_BYTES];

void run(struct rig *r, int64_t us);
/** Takes one packet, and answers a command; false if there is none. */
bool serve_one(struct rig *r);
/** All there are. */
void serve(struct rig *r);
/** What it was asked for since the last time. */
void assert_asked(struct rig *r, const char *what);
/** The attempt is over: with a link to that label, or -1 and a status. */
void attempt_ends(struct rig *r, int label, uint8_t status);
/** That label is connected; its link ends. */
void reach(struct rig *r, int label);
void leave(struct rig *r, int label);
/** That label advertises the ESL service under an address of that type. */
void advertise(struct rig *r, uint8_t label, uint8_t addr_type);
/** The host is awaited, and its first commands are answered. */
void take_host(struct rig *r);
/** A controller with so many places on its list, below a central. */
void rig_open(struct rig *r, uint8_t places);
/** The same below the driver of the connected seam. */
void rig_open_seam(struct rig *r, uint8_t places);
void rig_close(struct rig *r);
