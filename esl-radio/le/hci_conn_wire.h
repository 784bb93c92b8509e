/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The part of the Host Controller Interface that connections need (Core Specification 5.4, Vol 4
 * Part E 7): scanning, connecting through a train's subevent or to an advertiser, encrypting, and
 * data. Like hci_wire.h it serves both ends: a host encodes commands and decodes events, a virtual
 * controller the other way round. Addresses are in the order of the packets, least significant byte
 * first.
 */
#pragma once

#include "esl-radio/hci_wire.h"

#define HCI_ADDR_BYTES 6
#define HCI_KEY_BYTES  16
#define HCI_DATA_MAX   251 /**< longest data of one link layer packet */

enum hci_conn_opcode {
	HCI_DISCONNECT = 0x0406,
	HCI_READ_RSSI = 0x1405,
	HCI_LE_READ_BUFFER_SIZE = 0x2002,
	HCI_LE_SET_RANDOM_ADDRESS = 0x2005,
	HCI_LE_CREATE_CONNECTION_CANCEL = 0x200e,
	HCI_LE_READ_ACCEPT_LIST_SIZE = 0x200f,
	HCI_LE_CLEAR_ACCEPT_LIST = 0x2010,
	HCI_LE_ADD_TO_ACCEPT_LIST = 0x2011,
	HCI_LE_REMOVE_FROM_ACCEPT_LIST = 0x2012,
	HCI_LE_CONNECTION_UPDATE = 0x2013,
	HCI_LE_READ_REMOTE_FEATURES = 0x2016,
	HCI_LE_ENABLE_ENCRYPTION = 0x2019,
	HCI_LE_LTK_REPLY = 0x201a,
	HCI_LE_LTK_NEGATIVE_REPLY = 0x201b,
	HCI_LE_SET_DATA_LENGTH = 0x2022,
	HCI_LE_SET_PHY = 0x2032,
	HCI_LE_SET_EXT_SCAN_PARAMS = 0x2041,
	HCI_LE_SET_EXT_SCAN_ENABLE = 0x2042,
	HCI_LE_EXT_CREATE_CONNECTION = 0x2043,
};

enum hci_conn_event {
	HCI_EVT_DISCONNECTION_COMPLETE = 0x05,
	HCI_EVT_ENCRYPTION_CHANGE = 0x08,
	HCI_EVT_COMPLETED_PACKETS = 0x13,
	HCI_EVT_ENCRYPTION_REFRESH = 0x30,
};

enum hci_le_conn_event {
	HCI_LE_CONNECTION_COMPLETE = 0x01,
	HCI_LE_CONNECTION_UPDATED = 0x03,
	HCI_LE_REMOTE_FEATURES = 0x04,
	HCI_LE_LTK_REQUEST = 0x05,
	HCI_LE_ENHANCED_CONNECTION_COMPLETE = 0x0a,
	HCI_LE_EXT_ADV_REPORT = 0x0d,
};

#define HCI_ERR_AUTHENTICATION   0x05
#define HCI_ERR_PIN_MISSING      0x06 /**< the other end has no key for this link */
#define HCI_ERR_REMOTE_ENDED     0x13
#define HCI_ERR_LOCAL_ENDED      0x16
#define HCI_ERR_CONNECTION_LIMIT 0x09
#define HCI_ERR_MIC              0x3d

/* --- commands --------------------------------------------------------------------------------- */

struct hci_disconnect {
	uint16_t handle;
	uint8_t reason;
};
void hci_put_disconnect(struct buf *out, const struct hci_disconnect *c);
void hci_get_disconnect(struct wire *w, struct hci_disconnect *ret);

struct hci_ext_scan {
	uint16_t interval, window; /**< 0.625 ms, on the 1M PHY */
	bool active;
};
void hci_put_ext_scan_params(struct buf *out, const struct hci_ext_scan *c);
/** -ERR_RANGE sticks for other PHYs than 1M. */
void hci_get_ext_scan_params(struct wire *w, struct hci_ext_scan *ret);

struct hci_scan_enable {
	bool enable;
	uint8_t filter; /**< 0 = every advertisement is reported, 1 = duplicates are not */
};
void hci_put_ext_scan_enable(struct buf *out, const struct hci_scan_enable *c);
void hci_get_ext_scan_enable(struct wire *w, struct hci_scan_enable *ret);

/** LE Set Random Address: the one that connections with own_type 1 show. */
void hci_put_set_random_address(struct buf *out, const uint8_t addr[HCI_ADDR_BYTES]);
void hci_get_set_random_address(struct wire *w, uint8_t ret[HCI_ADDR_BYTES]);

/** LE Add Device To Filter Accept List, and its opposite. */
struct hci_accept {
	uint8_t peer_type; /**< 0 public, 1 random */
	uint8_t peer[HCI_ADDR_BYTES];
};
void hci_put_accept(struct buf *out, bool add, const struct hci_accept *c);
void hci_get_accept(struct wire *w, struct hci_accept *ret);

/** LE Extended Create Connection v2, on the 1M PHY. */
struct hci_create_connection {
	bool listed;        /**< whoever of the accept list advertises; `peer` means nothing */
	uint8_t adv_handle; /**< of the train, 0xff = an ordinary connection */
	uint8_t subevent;   /**< 0xff likewise */
	uint8_t own_type;   /**< 0 public, 1 random */
	uint8_t peer_type;  /**< 0 public, 1 random */
	uint8_t peer[HCI_ADDR_BYTES];
	uint16_t scan_interval, scan_window; /**< 0.625 ms */
	uint16_t interval_min, interval_max; /**< 1.25 ms */
	uint16_t latency;
	uint16_t timeout; /**< 10 ms */
};
void hci_put_create_connection(struct buf *out, const struct hci_create_connection *c);
void hci_get_create_connection(struct wire *w, struct hci_create_connection *ret);

/** Of the first version: no train, and the 1M PHY among those asked for. */
void hci_get_create_connection_v1(struct wire *w, struct hci_create_connection *ret);

struct hci_connection_update {
	uint16_t handle;
	uint16_t interval_min, interval_max; /**< 1.25 ms */
	uint16_t latency;
	uint16_t timeout; /**< 10 ms */
};
void hci_get_connection_update(struct wire *w, struct hci_connection_update *ret);

struct hci_enable_encryption {
	uint16_t handle;
	uint64_t random;            /**< 0 with LE Secure Connections */
	uint16_t ediv;              /**< 0 likewise */
	uint8_t ltk[HCI_KEY_BYTES]; /**< least significant byte first */
};
void hci_put_enable_encryption(struct buf *out, const struct hci_enable_encryption *c);
void hci_get_enable_encryption(struct wire *w, struct hci_enable_encryption *ret);

/** LE Periodic Advertising Set Info Transfer. */
struct hci_set_info_transfer {
	uint16_t handle;
	uint16_t service_data;
	uint8_t adv_handle;
};
void hci_put_set_info_transfer(struct buf *out, const struct hci_set_info_transfer *c);
void hci_get_set_info_transfer(struct wire *w, struct hci_set_info_transfer *ret);

struct hci_data_length {
	uint16_t handle;
	uint16_t octets, time_us;
};
void hci_put_data_length(struct buf *out, const struct hci_data_length *c);
void hci_get_data_length(struct wire *w, struct hci_data_length *ret);

#define HCI_PHY_1M 0x01
#define HCI_PHY_2M 0x02
struct hci_set_phy {
	uint16_t handle;
	uint8_t tx, rx; /**< bits of those that are welcome */
};
void hci_put_set_phy(struct buf *out, const struct hci_set_phy *c);
void hci_get_set_phy(struct wire *w, struct hci_set_phy *ret);

/** Return parameters of LE Read Buffer Size. */
struct hci_buffer_size {
	uint16_t len; /**< of one packet's data; 0 = the controller has none of its own for LE */
	uint8_t packets;
};
/** -ERR_BADMSG if they are too short. */
int hci_read_buffer_size(const uint8_t *more, size_t len, struct hci_buffer_size *ret) _must_check_;

/* --- events ----------------------------------------------------------------------------------- */

struct hci_connection_complete {
	uint8_t status;
	uint16_t handle;
	uint8_t role; /**< 0 = central */
	uint8_t peer_type;
	uint8_t peer[HCI_ADDR_BYTES];
	uint16_t interval; /**< 1.25 ms */
	uint16_t latency, timeout;
};
/** The enhanced form, version 1: version 2 is left to kernels' masks (facts of the train driver).
 */
void hci_put_connection_complete(struct buf *out, const struct hci_connection_complete *e);
/** `v2`: two more bytes follow. */
void hci_get_connection_complete(struct wire *w, bool v2, struct hci_connection_complete *ret);

/** The longest interval asked for is what became of it. */
void hci_put_connection_updated(struct buf *out, const struct hci_connection_update *c);
void hci_put_remote_features(struct buf *out, uint16_t handle, uint64_t features);

struct hci_disconnection {
	uint8_t status;
	uint16_t handle;
	uint8_t reason;
};
void hci_put_disconnection(struct buf *out, const struct hci_disconnection *e);
void hci_get_disconnection(struct wire *w, struct hci_disconnection *ret);

struct hci_encryption_change {
	uint8_t status;
	uint16_t handle;
	bool enabled;
};
void hci_put_encryption_change(struct buf *out, const struct hci_encryption_change *e);
/** An encrypted link has a new key: `enabled` counts for nothing. */
void hci_put_encryption_refresh(struct buf *out, const struct hci_encryption_change *e);
void hci_get_encryption_change(struct wire *w, struct hci_encryption_change *ret);

struct hci_completed_packets {
	uint16_t handle;
	uint16_t count;
};
/** One handle. */
void hci_put_completed_packets(struct buf *out, const struct hci_completed_packets *e);
/** Yields how many follow, each to be read by the next. */
size_t hci_get_completed_packets(struct wire *w);
void hci_get_completed(struct wire *w, struct hci_completed_packets *ret);

/** One advertisement. */
struct hci_adv_report {
	uint16_t type; /**< bit 0 connectable, bit 4 legacy; bits 5-6 0 = complete */
	uint8_t addr_type;
	uint8_t addr[HCI_ADDR_BYTES];
	int8_t rssi; /**< dBm; 127 = unknown */
	uint8_t len;
	const uint8_t *data; /**< borrowed */
	bool extended;       /**< to be put: it came on a second channel, and has a set ... */
	uint8_t sid;         /**< ... of this number */
};
#define HCI_ADV_CONNECTABLE   0x0001
#define HCI_ADV_SCANNABLE     0x0002
#define HCI_ADV_SCAN_RESPONSE 0x0008
#define HCI_ADV_LEGACY        0x0010
/** -ERR_TOO_LARGE if it would pass HCI_PARAMS_MAX. */
int hci_put_adv_report(struct buf *out, const struct hci_adv_report *r) _must_check_;
size_t hci_get_adv_reports(struct wire *w);
void hci_get_adv_report(struct wire *w, struct hci_adv_report *ret);

/* --- data ------------------------------------------------------------------------------------- */

#define HCI_PB_FIRST_HOST       0 /**< start of a frame, host to controller */
#define HCI_PB_CONTINUING       1
#define HCI_PB_FIRST_CONTROLLER 2 /**< start of a frame, controller to host */

struct hci_acl {
	uint16_t handle;
	uint8_t boundary;
	const uint8_t *data; /**< borrowed */
	size_t len;
};
void hci_put_acl(struct buf *out, const struct hci_acl *p);
/** From an h4_packet of type H4_ACL, whose five bytes of header start at `packet`. */
void hci_get_acl(const uint8_t *packet, struct hci_acl *ret);
