/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * How long a link's packets are on the air (Core Specification 5.4, Vol 6 Part B 2.1 and 4.5): what
 * data length and PHY cost or spare. Pure functions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AIR_OCTETS_LEAST 27
#define AIR_OCTETS_MOST  251
#define AIR_GAP_US       150 /**< between two packets */

struct link_air {
	uint16_t octets; /**< longest data of one packet; 0 = AIR_OCTETS_LEAST */
	bool two_mega;   /**< on the 2M PHY */
	bool encrypted;  /**< four bytes more each */
};

/** One packet with n octets of data. */
int64_t air_packet_us(const struct link_air *a, size_t n);
/** A packet each way, down to where another may begin: in as many packets as the data length needs,
 * with the gaps. Where there is no data an empty packet stands for it. */
int64_t air_exchange_us(const struct link_air *a, size_t down, size_t up);
