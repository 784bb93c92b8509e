/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The part of the Host Controller Interface a PAwR advertiser needs (Core Specification 5.4, Vol 4
 * Part E; H4 framing: Part A), both ways round: the host encodes commands and decodes events, a
 * virtual controller decodes commands and encodes events. Pure functions over bytes.
 *
 * Encoders append whole H4 packets to a struct buf (its sticky error tells of a lack of memory).
 * Decoders read parameters through a sticky-error cursor; check wire_finish() once afterwards.
 */
#pragma once

#include "common/buf.h"
#include "common/wire.h"

#define HCI_PARAMS_MAX        255
#define HCI_COMMAND_MAX       (4 + HCI_PARAMS_MAX) /**< H4 type, opcode, length, parameters */
#define HCI_EVENT_MAX         (3 + HCI_PARAMS_MAX)
#define HCI_ACL_MAX           1028 /**< longest ACL data we let a controller send */
#define HCI_SUBEVENTS_PER_CMD 15
#define HCI_SUBEVENT_DATA_MAX 249 /**< lone data in one Set Subevent Data command */
#define HCI_SUBEVENTS_MAX     128

enum h4_type {
	H4_COMMAND = 1,
	H4_ACL = 2,
	H4_SCO = 3,
	H4_EVENT = 4,
	H4_ISO = 5
};

enum hci_opcode {
	HCI_SET_EVENT_MASK = 0x0c01,
	HCI_RESET = 0x0c03,
	HCI_READ_LOCAL_VERSION = 0x1001,
	HCI_READ_LOCAL_COMMANDS = 0x1002,
	HCI_READ_LOCAL_FEATURES = 0x1003,
	HCI_READ_BD_ADDR = 0x1009,
	HCI_LE_SET_EVENT_MASK = 0x2001,
	HCI_LE_READ_LOCAL_FEATURES = 0x2003,
	HCI_LE_SET_HOST_CHANNEL_CLASSIFICATION = 0x2014,
	HCI_LE_SET_ADV_RANDOM_ADDRESS = 0x2035,
	HCI_LE_SET_EXT_ADV_PARAMS = 0x2036,
	HCI_LE_SET_EXT_ADV_DATA = 0x2037,
	HCI_LE_SET_EXT_ADV_ENABLE = 0x2039,
	HCI_LE_REMOVE_ADV_SET = 0x203c,
	HCI_LE_CLEAR_ADV_SETS = 0x203d,
	HCI_LE_SET_PA_DATA = 0x203f,
	HCI_LE_SET_PA_ENABLE = 0x2040,
	HCI_LE_PA_SET_INFO_TRANSFER = 0x205b,
	HCI_LE_SET_PA_SUBEVENT_DATA = 0x2082,
	HCI_LE_EXT_CREATE_CONNECTION_V2 = 0x2085,
	HCI_LE_SET_PA_PARAMS_V2 = 0x2086,
};

enum hci_event_code {
	HCI_EVT_COMMAND_COMPLETE = 0x0e,
	HCI_EVT_COMMAND_STATUS = 0x0f,
	HCI_EVT_HARDWARE_ERROR = 0x10,
	HCI_EVT_LE_META = 0x3e,
};

enum hci_le_event {
	HCI_LE_PA_SYNC_ESTABLISHED_V2 = 0x24,
	HCI_LE_PA_REPORT_V2 = 0x25,
	HCI_LE_PAST_RECEIVED_V2 = 0x26,
	HCI_LE_PA_SUBEVENT_DATA_REQUEST = 0x27,
	HCI_LE_PA_RESPONSE_REPORT = 0x28,
	HCI_LE_ENHANCED_CONNECTION_COMPLETE_V2 = 0x29,
};

enum hci_status {
	HCI_OK = 0x00,
	HCI_ERR_UNKNOWN_COMMAND = 0x01,
	HCI_ERR_UNKNOWN_CONNECTION = 0x02,
	HCI_ERR_MEMORY = 0x07,
	HCI_ERR_CONNECTION_TIMEOUT = 0x08,
	HCI_ERR_COMMAND_DISALLOWED = 0x0c,
	HCI_ERR_UNSUPPORTED = 0x11,
	HCI_ERR_INVALID_PARAMETERS = 0x12,
	HCI_ERR_UNSPECIFIED = 0x1f,
	HCI_ERR_ESTABLISH = 0x3e,
	HCI_ERR_UNKNOWN_ADVERTISER = 0x42,
	HCI_ERR_TOO_LATE = 0x46,
	HCI_ERR_TOO_EARLY = 0x47,
};
/** Text for a status of the above, for a person. Never NULL. */
const char *hci_status_name(uint8_t status);
/** Name of an opcode we use, or "HCI command". */
const char *hci_opcode_name(uint16_t opcode);

/** LE feature bits and LE event mask bits. */
#define HCI_LE_FEATURE_ENCRYPTION      0
#define HCI_LE_FEATURE_DATA_LENGTH     5
#define HCI_LE_FEATURE_EXT_ADV         12
#define HCI_LE_FEATURE_PERIODIC_ADV    13
#define HCI_LE_FEATURE_PAST_SENDER     24
#define HCI_LE_FEATURE_PAST_RECIPIENT  25
#define HCI_LE_FEATURE_PAWR_ADVERTISER 43
#define HCI_LE_FEATURE_PAWR_SCANNER    44
#define HCI_LE_MASK(subevent_code)     (UINT64_C(1) << ((subevent_code) -1))
#define HCI_MASK(event_code)           (UINT64_C(1) << ((event_code) -1))
#define HCI_MASK_LE_META               HCI_MASK(HCI_EVT_LE_META)
#define HCI_MASK_HARDWARE_ERROR        HCI_MASK(HCI_EVT_HARDWARE_ERROR)

/* --- framing ---------------------------------------------------------------------------------- */

struct h4_packet {
	uint8_t type;          /**< enum h4_type */
	uint16_t opcode;       /**< H4_COMMAND */
	uint8_t event;         /**< H4_EVENT: enum hci_event_code */
	const uint8_t *params; /**< borrowed; ACL: data after the handle and length */
	size_t len;
};

/**
 * Looks for one packet at the start of a stream. Returns the bytes it took, 0 if more are needed,
 * or -ERR_BADMSG / -ERR_TOO_LARGE, after which the stream cannot be understood any more.
 */
int h4_next(const uint8_t *data, size_t len, struct h4_packet *ret) _must_check_;

/* --- commands --------------------------------------------------------------------------------- */

/** A command without parameters, or with ones the caller encoded. */
void hci_put_command(struct buf *out, uint16_t opcode, const void *params, uint8_t len);
/** A command of one 64-bit mask (Set Event Mask, LE Set Event Mask). */
void hci_put_mask(struct buf *out, uint16_t opcode, uint64_t mask);

#define HCI_DATA_CHANNELS     37
#define HCI_DATA_CHANNELS_ALL ((UINT64_C(1) << HCI_DATA_CHANNELS) - 1)
/** LE Set Host Channel Classification: bit n = data channel n is not known to be bad. */
void hci_put_channel_map(struct buf *out, uint64_t map);
uint64_t hci_get_channel_map(struct wire *w);

struct hci_version {
	uint8_t hci;      /**< 0x0d = Core 5.4 */
	uint8_t lmp;      /**< of the link layer, the same numbers */
	uint16_t company; /**< who made it */
	uint16_t lmp_subversion;
};
/** What Read Local Version returns after its status. */
void hci_get_version(struct wire *w, struct hci_version *ret);

struct hci_ext_adv_params {
	uint8_t handle;
	uint16_t properties;   /**< 0 = non-connectable, non-scannable, undirected */
	uint32_t interval_min; /**< 0.625 ms, 24 bits */
	uint32_t interval_max;
	uint8_t channels;      /**< bit mask of 37, 38, 39 */
	uint8_t own_addr_type; /**< 0 public, 1 random */
	int8_t tx_power;       /**< dBm; 127 = no preference */
	uint8_t primary_phy;   /**< 1 = LE 1M */
	uint8_t secondary_phy; /**< 1 = LE 1M, 2 = LE 2M */
	uint8_t sid;
};
void hci_put_ext_adv_params(struct buf *out, const struct hci_ext_adv_params *p);
void hci_get_ext_adv_params(struct wire *w, struct hci_ext_adv_params *ret);

struct hci_adv_data {
	uint8_t handle;
	uint8_t operation; /**< 3 = complete */
	uint8_t len;
	uint8_t data[251];
};
void hci_put_ext_adv_data(struct buf *out, const struct hci_adv_data *p);
void hci_get_ext_adv_data(struct wire *w, struct hci_adv_data *ret);

struct hci_adv_enable {
	bool enable;
	uint8_t handle;
};
void hci_put_ext_adv_enable(struct buf *out, const struct hci_adv_enable *p);
/** Only one set at a time; -ERR_RANGE sticks otherwise. */
void hci_get_ext_adv_enable(struct wire *w, struct hci_adv_enable *ret);
void hci_put_pa_enable(struct buf *out, const struct hci_adv_enable *p);
void hci_get_pa_enable(struct wire *w, struct hci_adv_enable *ret);

struct hci_random_address {
	uint8_t handle;
	uint8_t addr[6]; /**< least significant byte first, as on the wire */
};
void hci_put_adv_random_address(struct buf *out, const struct hci_random_address *p);
void hci_get_adv_random_address(struct wire *w, struct hci_random_address *ret);

struct hci_pa_params {
	uint8_t handle;
	uint16_t interval_min; /**< 1.25 ms */
	uint16_t interval_max;
	uint16_t properties;
	uint8_t subevents;
	uint8_t subevent_interval; /**< 1.25 ms */
	uint8_t response_delay;    /**< 1.25 ms */
	uint8_t response_spacing;  /**< 0.125 ms */
	uint8_t response_slots;
};
void hci_put_pa_params(struct buf *out, const struct hci_pa_params *p);
void hci_get_pa_params(struct wire *w, struct hci_pa_params *ret);

struct hci_subevent_data {
	uint8_t subevent;
	uint8_t slot_start;
	uint8_t slot_count;
	uint8_t len;
	const uint8_t *data; /**< borrowed */
};
/** -ERR_TOO_LARGE if the command would pass HCI_PARAMS_MAX or HCI_SUBEVENTS_PER_CMD. */
int hci_put_subevent_data(struct buf *out, uint8_t handle, const struct hci_subevent_data *sets,
			  size_t n) _must_check_;
/** Yields the advertising handle and the number of sets (<= HCI_SUBEVENTS_PER_CMD) ... */
size_t hci_get_subevent_data(struct wire *w, uint8_t *ret_handle);
/** ... and then each of them. */
void hci_get_subevent_set(struct wire *w, struct hci_subevent_data *ret);

/* --- events ----------------------------------------------------------------------------------- */

struct hci_command_complete {
	uint8_t credits; /**< commands the controller takes now */
	uint16_t opcode;
	uint8_t status;      /**< first return parameter; HCI_OK if there is none */
	const uint8_t *more; /**< return parameters after the status; borrowed */
	size_t more_len;
};
void hci_put_command_complete(struct buf *out, const struct hci_command_complete *e);
void hci_get_command_complete(struct wire *w, struct hci_command_complete *ret);

struct hci_command_status {
	uint8_t status;
	uint8_t credits;
	uint16_t opcode;
};
void hci_put_command_status(struct buf *out, const struct hci_command_status *e);
void hci_get_command_status(struct wire *w, struct hci_command_status *ret);

void hci_put_hardware_error(struct buf *out, uint8_t code);

/** Reads the subevent code that starts an LE Meta event's parameters. */
static inline uint8_t hci_get_le_event(struct wire *w)
{
	return wire_get_u8(w);
}

struct hci_data_request {
	uint8_t handle;
	uint8_t start;
	uint8_t count; /**< the window may wrap past the last subevent to 0 */
};
void hci_put_data_request(struct buf *out, const struct hci_data_request *e);
void hci_get_data_request(struct wire *w, struct hci_data_request *ret);

#define HCI_RESPONSE_COMPLETE 0x00
#define HCI_RESPONSE_PARTIAL  0x01
#define HCI_RESPONSE_FAILED   0xff /**< nothing, or nothing intact, received in the slot */

struct hci_response {
	int8_t tx_power; /**< dBm; 127 = unknown */
	int8_t rssi;     /**< dBm; 127 = unknown */
	uint8_t cte;
	uint8_t slot;
	uint8_t status;
	uint8_t len;
	const uint8_t *data; /**< borrowed */
};
/** -ERR_TOO_LARGE if the event would pass HCI_PARAMS_MAX: send fewer at a time. */
int hci_put_response_report(struct buf *out, uint8_t handle, uint8_t subevent, uint8_t tx_status,
			    const struct hci_response *r, size_t n) _must_check_;

struct hci_response_report {
	uint8_t handle;
	uint8_t subevent;
	uint8_t tx_status; /**< 0 = the subevent's data was sent */
	uint8_t n;         /**< responses that follow: hci_get_response() each */
};
void hci_get_response_report(struct wire *w, struct hci_response_report *ret);
void hci_get_response(struct wire *w, struct hci_response *ret);
