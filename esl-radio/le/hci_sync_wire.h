/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The part of the Host Controller Interface that the listening side of PAwR needs (Core
 * Specification 5.4, Vol 4 Part E 7.7.65 and 7.8): a train's timing that is handed over (PAST), its
 * subevents, what is heard in them, and answers. As hci_wire.h it serves both ends. Addresses are
 * in the order of the packets, least significant byte first.
 */
#pragma once

#include "esl-radio/le/hci_conn_wire.h"

enum hci_sync_opcode {
	HCI_LE_PA_TERMINATE_SYNC = 0x2046,
	HCI_LE_SET_PAST_PARAMS = 0x205c,
	HCI_LE_SET_DEFAULT_PAST_PARAMS = 0x205d,
	HCI_LE_SET_PA_RESPONSE_DATA = 0x2083,
	HCI_LE_SET_PA_SYNC_SUBEVENT = 0x2084,
};

enum hci_le_sync_event {
	HCI_LE_PA_SYNC_LOST = 0x10,
};

#define HCI_SYNC_HANDLES     0x0eff /**< highest handle of a train listened to */
#define HCI_SYNC_TIMEOUT_MIN 0x000a /**< 10 ms each */
#define HCI_RESPONSE_MAX     247    /**< data in one Set Response Data command */

/* --- commands --------------------------------------------------------------------------------- */

enum hci_past_mode {
	HCI_PAST_IGNORE = 0,
	HCI_PAST_QUIET = 1,   /**< told that it was received, no reports */
	HCI_PAST_REPORTS = 2, /**< reports, duplicates too */
	HCI_PAST_ONCE = 3,    /**< reports, no duplicates */
};

struct hci_past_params {
	uint16_t handle;  /**< of the connection; not in the default's form */
	uint8_t mode;     /**< enum hci_past_mode */
	uint16_t skip;    /**< intervals that need not be listened to */
	uint16_t timeout; /**< 10 ms each: so long without a packet is a loss */
	uint8_t cte_type;
};
void hci_put_past_params(struct buf *out, const struct hci_past_params *c);
void hci_get_past_params(struct wire *w, struct hci_past_params *ret);
void hci_put_default_past_params(struct buf *out, const struct hci_past_params *c);
void hci_get_default_past_params(struct wire *w, struct hci_past_params *ret);

void hci_put_terminate_sync(struct buf *out, uint16_t sync);
uint16_t hci_get_terminate_sync(struct wire *w);

struct hci_sync_subevent {
	uint16_t sync;
	uint16_t properties; /**< bit 6: answers tell their power */
	uint8_t n;
	uint8_t subevents[HCI_SUBEVENTS_MAX];
};
void hci_put_sync_subevent(struct buf *out, const struct hci_sync_subevent *c);
/** -ERR_RANGE sticks for none, too many, or one that cannot be. */
void hci_get_sync_subevent(struct wire *w, struct hci_sync_subevent *ret);

struct hci_response_data {
	uint16_t sync;
	uint16_t event;           /**< counter of the event that is answered */
	uint8_t request_subevent; /**< where it asked */
	uint8_t subevent, slot;   /**< where the answer goes */
	uint8_t len;
	const uint8_t *data; /**< borrowed */
};
/** -ERR_TOO_LARGE for more than HCI_RESPONSE_MAX. */
int hci_put_response_data(struct buf *out, const struct hci_response_data *c) _must_check_;
void hci_get_response_data(struct wire *w, struct hci_response_data *ret);

/* --- events ----------------------------------------------------------------------------------- */

/** A train is listened to: Sync Established v2, or Sync Transfer Received v2. */
struct hci_sync {
	uint8_t status;
	uint16_t connection;   /**< Transfer Received only */
	uint16_t service_data; /**< likewise */
	uint16_t sync;
	uint8_t sid;
	uint8_t addr_type;
	uint8_t addr[HCI_ADDR_BYTES];
	uint8_t phy;
	uint16_t interval; /**< 1.25 ms */
	uint8_t accuracy;
	uint8_t subevents;
	uint8_t subevent_interval; /**< 1.25 ms */
	uint8_t response_delay;    /**< 1.25 ms */
	uint8_t response_spacing;  /**< 0.125 ms */
};
void hci_put_sync_established(struct buf *out, const struct hci_sync *e);
void hci_get_sync_established(struct wire *w, struct hci_sync *ret);
void hci_put_past_received(struct buf *out, const struct hci_sync *e);
void hci_get_past_received(struct wire *w, struct hci_sync *ret);

void hci_put_sync_lost(struct buf *out, uint16_t sync);
uint16_t hci_get_sync_lost(struct wire *w);

#define HCI_REPORT_COMPLETE 0x00
#define HCI_REPORT_MORE     0x01
#define HCI_REPORT_CUT      0x02
#define HCI_REPORT_FAILED   0xff

/** What was heard in a subevent (PA Report v2). */
struct hci_pa_report {
	uint16_t sync;
	int8_t tx_power, rssi; /**< dBm; 127 = unknown */
	uint8_t cte_type;
	uint16_t event;
	uint8_t subevent;
	uint8_t status;
	uint8_t len;
	const uint8_t *data; /**< borrowed */
};
/** -ERR_TOO_LARGE if the event would pass HCI_PARAMS_MAX. */
int hci_put_pa_report(struct buf *out, const struct hci_pa_report *e) _must_check_;
void hci_get_pa_report(struct wire *w, struct hci_pa_report *ret);
