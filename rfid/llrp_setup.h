/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The messages with which a session configures a reader, derived from what the reader says it can
 * do: transmit power is an index into its table, the hop table has an id of its own, the RF mode
 * must be one it lists. Each builder appends one frame.
 */
#pragma once

#include "rfid/llrp_codec.h"
#include "rfid/rfid.h"

#define LLRP_SETUP_MAX_POWERS 256
#define LLRP_SETUP_OURS       0x40000000u /**< set in every ROSpecID of ours */
#define LLRP_SETUP_MAX_MODES  64

struct gen2_profile;

/** What of GET_READER_CAPABILITIES_RESPONSE matters for an inventory. */
struct llrp_caps {
	uint16_t antennas;
	uint32_t vendor; /**< IANA private enterprise number */
	uint32_t model;
	char firmware[32];
	bool utc;             /**< it has a clock, else uptimes only */
	bool holding;         /**< knows HoldEventsAndReportsUponReconnect */
	bool buffer_warning;  /**< can warn before its report buffer overflows */
	uint16_t sensitivity; /**< index of the most sensitive receiver setting; 0 = no table */
	bool hopping;
	uint16_t hop_table;
	size_t n_channels; /**< of the hop table, or fixed ones; ChannelIndex counts them from 1 */
	uint32_t khz[RFID_MAX_CHANNELS];
	size_t n_modes;
	struct {
		uint16_t id;
		uint8_t m; /**< MValue: FM0, Miller 2, 4, 8 */
	} modes[LLRP_SETUP_MAX_MODES];
	size_t n_powers;
	struct {
		uint16_t index;
		int16_t cdbm; /**< 1/100 dBm */
	} powers[LLRP_SETUP_MAX_POWERS];
};

/** -ERR_BADMSG without the general device capabilities; the rest may be absent. */
int llrp_caps_parse(struct llrp_msg *m, struct llrp_caps *ret) _must_check_;
/** Index of the level nearest to the wanted power (0 = highest); 0 if the table is empty. */
uint16_t llrp_caps_power_index(const struct llrp_caps *caps, int16_t wanted_cdbm);
/** The reader's mode that suits the profile best; false if it lists none. */
bool llrp_caps_mode(const struct llrp_caps *caps, const struct gen2_profile *profile,
		    uint16_t *ret_mode);
/** "Impinj, model 2001002, firmware 5.14". Returns buf. */
const char *llrp_caps_describe(const struct llrp_caps *caps, char *buf, size_t size);

/** A message of no fields, or with one: the id of the ROSpec or AccessSpec (0 = all). */
int llrp_setup_plain(struct buf *out, uint16_t type, uint32_t id, uint32_t spec) _must_check_;
int llrp_setup_get_capabilities(struct buf *out, uint32_t id) _must_check_;
int llrp_setup_enable_extensions(struct buf *out, uint32_t id) _must_check_;
/** Keepalive, and unless `reduced` the events, and holding of reports while we are away. */
int llrp_setup_config(struct buf *out, uint32_t id, const struct llrp_caps *caps,
		      uint32_t keepalive_ms, bool reduced) _must_check_;
/** The inventory. `extended` asks for phase, Doppler and fine RSSI; `reduced` leaves power, session
 * and mode as they are in the reader. Its id is made from all that it says, so that it is known
 * again; with message id 0 in `id` the result is the same. */
int llrp_setup_add_rospec(struct buf *out, uint32_t id, const struct llrp_caps *caps,
			  const struct rfid_reader_config *cfg, bool extended, bool reduced,
			  uint32_t *ret_rospec) _must_check_;
