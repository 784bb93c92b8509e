/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The light on a label, as both sides of the link and the radio speak of it: a colour is a set of
 * its red, green and blue parts, and an LED says in one octet (ESLS 1.0, LED Information) which
 * parts it has and whether it can have them apart.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum led_colour {
	LED_NONE = 0,
	LED_RED = 1,
	LED_GREEN = 2,
	LED_BLUE = 4,
	LED_WHITE = 7,
};

#define LED_COLOUR_MAX       7
/** A person finds a label within this time, or asks again. */
#define LED_FLASH_MAX_S      60
/**
 * What the battery pays for. A flash at its longest lights the LED (5 mA) a fifth of 60 s:
 * 60 mA s = 0.017 mAh. Ten an hour and sixty a day, each day, would take 1 mAh a day from a coin
 * cell of 600 mAh, which is the most a storm of calls may cost; two a day over five years, what
 * people need, come to a tenth of the cell.
 */
#define LED_FLASHES_PER_HOUR 10
#define LED_FLASHES_PER_DAY  60

/** True if an LED with this information octet can show the colour. */
static inline bool led_shows(uint8_t info, uint8_t colour)
{
	uint8_t parts = (uint8_t) (((info & 0x03) ? LED_RED : 0) | ((info & 0x0c) ? LED_GREEN : 0) |
				   ((info & 0x30) ? LED_BLUE : 0));

	switch (info >> 6) {
	case 0: /* each part by itself */
		return colour && (parts & colour) == colour;
	case 1: /* one colour, this one */
		return colour && parts == colour;
	default:
		return false;
	}
}
