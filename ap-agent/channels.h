/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Which of Bluetooth's 37 data channels the label radio should use beside the access point's own
 * Wi-Fi. Pure arithmetic on megahertz and a caller's clock.
 *
 * The policy. A Wi-Fi transmission of 20 MHz has its main lobe 11 MHz to each side of the centre,
 * one of 40 MHz has 21; a data channel is 2 MHz wide. Channels that touch a main lobe are avoided.
 * At least CHANNELS_LEAST stay in use, or hopping would not help any more and a new disturbance
 * could silence all: when fewer are clear, disturbed ones come back, those first that are least
 * covered and whose Wi-Fi is least busy, among equals those that widen the widest clear part.
 *
 * What is newly disturbed is left at once; what became clear is used again only after it has been
 * so for CHANNELS_HOLD_US, so that an access point that looks for its channel does not take the
 * labels along.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHANNELS_COUNT   37
#define CHANNELS_ALL     ((UINT64_C(1) << CHANNELS_COUNT) - 1)
#define CHANNELS_LEAST   20
#define CHANNELS_HOLD_US (INT64_C(30) * 1000000)
#define CHANNELS_NEVER   INT64_MAX

#define CHANNELS_BUSY_UNKNOWN 100

/** A Wi-Fi that sends; of other bands than 2.4 GHz nothing follows. */
struct channels_wifi {
	uint32_t centre_mhz;  /**< of all of its width */
	uint32_t width_mhz;   /**< 0 = 20 */
	uint8_t busy_percent; /**< share of the time the channel is taken */
};

/** Centre of data channel 0 to 36. */
unsigned int channels_mhz(unsigned int channel);
/** The map for these, bit n = data channel n may be used; never fewer than CHANNELS_LEAST. */
uint64_t channels_plan(const struct channels_wifi *wifi, size_t n);

/** A plan with memory. */
struct channels {
	uint64_t map;     /**< to be used now */
	uint64_t wanted;  /**< what the last plan said ... */
	int64_t since_us; /**< ... and since when it does */
};

void channels_init(struct channels *c);
/** Plans anew. True if `map` changed. *ret_again_us: call again then if nothing changes before
 * (CHANNELS_NEVER = no need). */
bool channels_update(struct channels *c, const struct channels_wifi *wifi, size_t n, int64_t now_us,
		     int64_t *ret_again_us);
