/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What LLRP 1.0.1 looks like on the wire, as data. One table (llrp_table.c) names every message and
 * parameter, its fields by kind and its sub-parameters in the normative order; decoder, encoder,
 * builder and validator (llrp_codec.h) are small interpreters of it. To teach the codec a new
 * parameter, add a row; nothing else changes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LLRP_VERSION_1    1u
#define LLRP_HEADER_BYTES 10u
#define LLRP_MAX_FRAME_BYTES                                                                       \
	(1u << 20)               /**< longest message accepted; the length field allows 4 GiB */
#define LLRP_MAX_DEPTH     8u    /**< the deepest legal nesting is 7 */
#define LLRP_CUSTOM        1023u /**< type number of custom messages and parameters */
#define LLRP_VENDOR_IMPINJ 25882u

enum llrp_message_type {
	LLRP_GET_READER_CAPABILITIES = 1,
	LLRP_GET_READER_CONFIG = 2,
	LLRP_SET_READER_CONFIG = 3,
	LLRP_CLOSE_CONNECTION_RESPONSE = 4,
	LLRP_GET_READER_CAPABILITIES_RESPONSE = 11,
	LLRP_GET_READER_CONFIG_RESPONSE = 12,
	LLRP_SET_READER_CONFIG_RESPONSE = 13,
	LLRP_CLOSE_CONNECTION = 14,
	LLRP_ADD_ROSPEC = 20,
	LLRP_DELETE_ROSPEC = 21,
	LLRP_START_ROSPEC = 22,
	LLRP_STOP_ROSPEC = 23,
	LLRP_ENABLE_ROSPEC = 24,
	LLRP_DISABLE_ROSPEC = 25,
	LLRP_GET_ROSPECS = 26,
	LLRP_ADD_ROSPEC_RESPONSE = 30,
	LLRP_DELETE_ROSPEC_RESPONSE = 31,
	LLRP_START_ROSPEC_RESPONSE = 32,
	LLRP_STOP_ROSPEC_RESPONSE = 33,
	LLRP_ENABLE_ROSPEC_RESPONSE = 34,
	LLRP_DISABLE_ROSPEC_RESPONSE = 35,
	LLRP_GET_ROSPECS_RESPONSE = 36,
	LLRP_ADD_ACCESSSPEC = 40,
	LLRP_DELETE_ACCESSSPEC = 41,
	LLRP_ENABLE_ACCESSSPEC = 42,
	LLRP_DISABLE_ACCESSSPEC = 43,
	LLRP_GET_ACCESSSPECS = 44,
	LLRP_CLIENT_REQUEST_OP = 45,
	LLRP_ADD_ACCESSSPEC_RESPONSE = 50,
	LLRP_DELETE_ACCESSSPEC_RESPONSE = 51,
	LLRP_ENABLE_ACCESSSPEC_RESPONSE = 52,
	LLRP_DISABLE_ACCESSSPEC_RESPONSE = 53,
	LLRP_GET_ACCESSSPECS_RESPONSE = 54,
	LLRP_CLIENT_REQUEST_OP_RESPONSE = 55,
	LLRP_GET_REPORT = 60,
	LLRP_RO_ACCESS_REPORT = 61,
	LLRP_KEEPALIVE = 62,
	LLRP_READER_EVENT_NOTIFICATION = 63,
	LLRP_ENABLE_EVENTS_AND_REPORTS = 64,
	LLRP_KEEPALIVE_ACK = 72,
	LLRP_ERROR_MESSAGE = 100,
	LLRP_CUSTOM_MESSAGE = 1023,
};

enum llrp_parameter_type {
	/* TV encoded, fixed length */
	LLRP_P_ANTENNA_ID = 1,
	LLRP_P_FIRST_SEEN_UTC = 2,
	LLRP_P_FIRST_SEEN_UPTIME = 3,
	LLRP_P_LAST_SEEN_UTC = 4,
	LLRP_P_LAST_SEEN_UPTIME = 5,
	LLRP_P_PEAK_RSSI = 6,
	LLRP_P_CHANNEL_INDEX = 7,
	LLRP_P_TAG_SEEN_COUNT = 8,
	LLRP_P_ROSPEC_ID = 9,
	LLRP_P_INVENTORY_PARAMETER_SPEC_ID = 10,
	LLRP_P_C1G2_CRC = 11,
	LLRP_P_C1G2_PC = 12,
	LLRP_P_EPC_96 = 13,
	LLRP_P_SPEC_INDEX = 14,
	LLRP_P_CLIENT_REQUEST_OPSPEC_RESULT = 15,
	LLRP_P_ACCESSSPEC_ID = 16,
	LLRP_P_OPSPEC_ID = 17,
	LLRP_P_C1G2_SINGULATION_DETAILS = 18,
	LLRP_P_C1G2_XPC_W1 =
		19, /**< from 1.1; read, since a TV parameter cannot be skipped unknown */
	LLRP_P_C1G2_XPC_W2 = 20,
	LLRP_P_TV_LIMIT = 128,
	/* TLV encoded */
	LLRP_P_UTC_TIMESTAMP = 128,
	LLRP_P_UPTIME = 129,
	LLRP_P_GENERAL_DEVICE_CAPABILITIES = 137,
	LLRP_P_RECEIVE_SENSITIVITY_TABLE_ENTRY = 139,
	LLRP_P_PER_ANTENNA_AIR_PROTOCOL = 140,
	LLRP_P_GPIO_CAPABILITIES = 141,
	LLRP_P_LLRP_CAPABILITIES = 142,
	LLRP_P_REGULATORY_CAPABILITIES = 143,
	LLRP_P_UHF_BAND_CAPABILITIES = 144,
	LLRP_P_TRANSMIT_POWER_LEVEL_TABLE_ENTRY = 145,
	LLRP_P_FREQUENCY_INFORMATION = 146,
	LLRP_P_FREQUENCY_HOP_TABLE = 147,
	LLRP_P_FIXED_FREQUENCY_TABLE = 148,
	LLRP_P_PER_ANTENNA_RECEIVE_SENSITIVITY_RANGE = 149,
	LLRP_P_ROSPEC = 177,
	LLRP_P_RO_BOUNDARY_SPEC = 178,
	LLRP_P_ROSPEC_START_TRIGGER = 179,
	LLRP_P_PERIODIC_TRIGGER_VALUE = 180,
	LLRP_P_GPI_TRIGGER_VALUE = 181,
	LLRP_P_ROSPEC_STOP_TRIGGER = 182,
	LLRP_P_AISPEC = 183,
	LLRP_P_AISPEC_STOP_TRIGGER = 184,
	LLRP_P_TAG_OBSERVATION_TRIGGER = 185,
	LLRP_P_INVENTORY_PARAMETER_SPEC = 186,
	LLRP_P_RF_SURVEY_SPEC = 187,
	LLRP_P_RF_SURVEY_SPEC_STOP_TRIGGER = 188,
	LLRP_P_ACCESSSPEC = 207,
	LLRP_P_ACCESSSPEC_STOP_TRIGGER = 208,
	LLRP_P_ACCESS_COMMAND = 209,
	LLRP_P_CLIENT_REQUEST_OPSPEC = 210,
	LLRP_P_CLIENT_REQUEST_RESPONSE = 211,
	LLRP_P_LLRP_CONFIGURATION_STATE_VALUE = 217,
	LLRP_P_IDENTIFICATION = 218,
	LLRP_P_GPO_WRITE_DATA = 219,
	LLRP_P_KEEPALIVE_SPEC = 220,
	LLRP_P_ANTENNA_PROPERTIES = 221,
	LLRP_P_ANTENNA_CONFIGURATION = 222,
	LLRP_P_RF_RECEIVER = 223,
	LLRP_P_RF_TRANSMITTER = 224,
	LLRP_P_GPI_PORT_CURRENT_STATE = 225,
	LLRP_P_EVENTS_AND_REPORTS = 226,
	LLRP_P_RO_REPORT_SPEC = 237,
	LLRP_P_TAG_REPORT_CONTENT_SELECTOR = 238,
	LLRP_P_ACCESS_REPORT_SPEC = 239,
	LLRP_P_TAG_REPORT_DATA = 240,
	LLRP_P_EPC_DATA = 241,
	LLRP_P_RF_SURVEY_REPORT_DATA = 242,
	LLRP_P_FREQUENCY_RSSI_LEVEL_ENTRY = 243,
	LLRP_P_READER_EVENT_NOTIFICATION_SPEC = 244,
	LLRP_P_EVENT_NOTIFICATION_STATE = 245,
	LLRP_P_READER_EVENT_NOTIFICATION_DATA = 246,
	LLRP_P_HOPPING_EVENT = 247,
	LLRP_P_GPI_EVENT = 248,
	LLRP_P_ROSPEC_EVENT = 249,
	LLRP_P_REPORT_BUFFER_LEVEL_WARNING_EVENT = 250,
	LLRP_P_REPORT_BUFFER_OVERFLOW_ERROR_EVENT = 251,
	LLRP_P_READER_EXCEPTION_EVENT = 252,
	LLRP_P_RF_SURVEY_EVENT = 253,
	LLRP_P_AISPEC_EVENT = 254,
	LLRP_P_ANTENNA_EVENT = 255,
	LLRP_P_CONNECTION_ATTEMPT_EVENT = 256,
	LLRP_P_CONNECTION_CLOSE_EVENT = 257,
	LLRP_P_LLRP_STATUS = 287,
	LLRP_P_FIELD_ERROR = 288,
	LLRP_P_PARAMETER_ERROR = 289,
	LLRP_P_C1G2_LLRP_CAPABILITIES = 327,
	LLRP_P_C1G2_UHF_RF_MODE_TABLE = 328,
	LLRP_P_C1G2_UHF_RF_MODE_TABLE_ENTRY = 329,
	LLRP_P_C1G2_INVENTORY_COMMAND = 330,
	LLRP_P_C1G2_FILTER = 331,
	LLRP_P_C1G2_TAG_INVENTORY_MASK = 332,
	LLRP_P_C1G2_STATE_AWARE_FILTER_ACTION = 333,
	LLRP_P_C1G2_STATE_UNAWARE_FILTER_ACTION = 334,
	LLRP_P_C1G2_RF_CONTROL = 335,
	LLRP_P_C1G2_SINGULATION_CONTROL = 336,
	LLRP_P_C1G2_STATE_AWARE_SINGULATION_ACTION = 337,
	LLRP_P_C1G2_TAG_SPEC = 338,
	LLRP_P_C1G2_TARGET_TAG = 339,
	LLRP_P_C1G2_READ = 341,
	LLRP_P_C1G2_WRITE = 342,
	LLRP_P_C1G2_KILL = 343,
	LLRP_P_C1G2_LOCK = 344,
	LLRP_P_C1G2_LOCK_PAYLOAD = 345,
	LLRP_P_C1G2_BLOCK_ERASE = 346,
	LLRP_P_C1G2_BLOCK_WRITE = 347,
	LLRP_P_C1G2_EPC_MEMORY_SELECTOR = 348,
	LLRP_P_C1G2_READ_RESULT = 349,
	LLRP_P_C1G2_WRITE_RESULT = 350,
	LLRP_P_C1G2_KILL_RESULT = 351,
	LLRP_P_C1G2_LOCK_RESULT = 352,
	LLRP_P_C1G2_BLOCK_ERASE_RESULT = 353,
	LLRP_P_C1G2_BLOCK_WRITE_RESULT = 354,
	LLRP_P_CUSTOM = 1023,
};

/** Custom parameters of vendor 25882 that the table knows; others are kept verbatim. */
enum llrp_impinj_subtype {
	LLRP_IMPINJ_REQUESTED_DATA = 21,
	LLRP_IMPINJ_INVENTORY_SEARCH_MODE = 23,
	LLRP_IMPINJ_TAG_REPORT_CONTENT_SELECTOR = 50,
	LLRP_IMPINJ_ENABLE_SERIALIZED_TID = 51,
	LLRP_IMPINJ_ENABLE_RF_PHASE_ANGLE = 52,
	LLRP_IMPINJ_ENABLE_PEAK_RSSI = 53,
	LLRP_IMPINJ_SERIALIZED_TID = 55,
	LLRP_IMPINJ_RF_PHASE_ANGLE = 56,
	LLRP_IMPINJ_PEAK_RSSI = 57,
	LLRP_IMPINJ_ENABLE_RF_DOPPLER = 67,
	LLRP_IMPINJ_RF_DOPPLER = 68,
	/* as subtypes of CUSTOM_MESSAGE */
	LLRP_IMPINJ_MSG_ENABLE_EXTENSIONS = 21,
	LLRP_IMPINJ_MSG_ENABLE_EXTENSIONS_RESPONSE = 22,
};

/** LLRPStatus codes (LLRP 1.0.1, clause 14). */
enum llrp_status {
	LLRP_M_SUCCESS = 0,
	LLRP_M_PARAMETER_ERROR = 100,
	LLRP_M_FIELD_ERROR = 101,
	LLRP_M_UNEXPECTED_PARAMETER = 102,
	LLRP_M_MISSING_PARAMETER = 103,
	LLRP_M_DUPLICATE_PARAMETER = 104,
	LLRP_M_OVERFLOW_PARAMETER = 105,
	LLRP_M_OVERFLOW_FIELD = 106,
	LLRP_M_UNKNOWN_PARAMETER = 107,
	LLRP_M_UNKNOWN_FIELD = 108,
	LLRP_M_UNSUPPORTED_MESSAGE = 109,
	LLRP_M_UNSUPPORTED_VERSION = 110,
	LLRP_M_UNSUPPORTED_PARAMETER = 111,
	LLRP_P_STATUS_PARAMETER_ERROR = 200,
	LLRP_P_STATUS_FIELD_ERROR = 201,
	LLRP_P_STATUS_UNEXPECTED_PARAMETER = 202,
	LLRP_P_STATUS_MISSING_PARAMETER = 203,
	LLRP_P_STATUS_DUPLICATE_PARAMETER = 204,
	LLRP_A_INVALID = 300,
	LLRP_A_OUT_OF_RANGE = 301,
	LLRP_R_DEVICE_ERROR = 401,
};

/** How a field is written. Bit kinds pack MSB first and together fill whole octets. */
enum llrp_field_kind {
	LLRP_BITS, /**< 1 to 8 bits; a nameless one is reserved (zero when sent, ignored when read)
		    */
	LLRP_U8,
	LLRP_U16,
	LLRP_U32,
	LLRP_U64,
	LLRP_S8,
	LLRP_S16,
	LLRP_U96,      /**< 12 octets */
	LLRP_BITARRAY, /**< u16 count of bits, then the bits, padded to an octet */
	LLRP_U8V,      /**< u16 count, then octets */
	LLRP_U16V,     /**< u16 count, then that many u16 */
	LLRP_U32V,     /**< u16 count, then that many u32 */
	LLRP_UTF8,     /**< u16 count of octets, then text */
	LLRP_REST,     /**< everything to the end of the element */
};

struct llrp_field {
	uint8_t kind;     /**< enum llrp_field_kind */
	uint8_t bits;     /**< LLRP_BITS: how many */
	const char *name; /**< NULL = reserved */
};

#define LLRP_MAX_CHOICES 8

/** One place in the order of sub-parameters: which types may stand there, and how often. */
struct llrp_slot {
	uint16_t types[LLRP_MAX_CHOICES]; /**< zero-terminated if shorter */
	bool required;
	bool many;
};

/** One message or parameter. */
struct llrp_type {
	const char *name;
	uint16_t num;
	bool message;
	uint32_t vendor; /**< custom parameters: vendor and subtype come before the fields */
	uint32_t subtype;
	uint8_t n_fields;
	uint8_t n_slots;
	const struct llrp_field *fields;
	const struct llrp_slot *slots;
};

/** Every row, for tests and tools: messages, then parameters, then customs; NULL past the end. */
const struct llrp_type *llrp_type_at(size_t i);
/** NULL for a message type that 1.0.1 does not have. */
const struct llrp_type *llrp_message_type(uint16_t num);
/** NULL when unknown. LLRP_P_CUSTOM yields the generic row (vendor, subtype, rest). */
const struct llrp_type *llrp_parameter_type(uint16_t num);
/** The row of a custom parameter whose content is known, or NULL. */
const struct llrp_type *llrp_custom_type(uint32_t vendor, uint32_t subtype);
/** Octets of a TV parameter's value, or 0 if that type is unknown. */
size_t llrp_tv_bytes(uint16_t num);
/** Index of a field by name, or -1. */
int llrp_field_index(const struct llrp_type *t, const char *name);
/** Index of the first slot that admits the parameter, or -1. */
int llrp_slot_index(const struct llrp_type *t, uint16_t num);
/** Octets that the fixed fields take; variable ones count with their length prefix only. */
size_t llrp_fields_min_bytes(const struct llrp_type *t);
/** Words for an LLRPStatus code. Never NULL. */
const char *llrp_status_str(uint16_t code);
