/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a label's sensors say: a number for the device properties of the Bluetooth Mesh model that
 * labels are known to have, with its unit. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SENSORS_MAX     8  /**< of a label we make use of */
#define SENSOR_DATA_MAX 16 /**< bytes of a value */

/**
 * How often somebody may ask a label for a value. An answer costs next to nothing, a sensor that
 * measures for a second at 1 mA costs 0.3 uAh: a hundred a day, each day, would take 50 mAh of a
 * coin cell of 600 mAh in five years, which is the most that a program may cost that asks all the
 * time. What is read by the clock, and on visits that are made anyway, comes on top.
 */
#define SENSOR_READS_PER_HOUR 20
#define SENSOR_READS_PER_DAY  100

/* Device properties that say how the label itself does. */
#define SENSOR_PROPERTY_TEMPERATURE 0x0054 /**< 1/100 degree Celsius */
#define SENSOR_PROPERTY_VOLTAGE     0x0059 /**< 1/64 V */

/** The highest number means "not known", as 0 does for a battery. */
static inline uint16_t sensor_millivolts(uint16_t value)
{
	uint32_t mv = value * 1000u / 64u;

	return value == UINT16_MAX ? 0 : (uint16_t) (mv < UINT16_MAX ? mv : UINT16_MAX);
}

/** What a label calls a sensor: a device property, or a maker's company (high half) and code. */
struct sensor_id {
	bool vendor;
	uint32_t number;
};

/** One sensor's value as it came. */
struct sensor_reading {
	struct sensor_id id;
	uint8_t len;
	uint8_t data[SENSOR_DATA_MAX];
};

struct sensor_value {
	const char *name, *unit; /**< static storage */
	double number;
};

/** False for a property we do not know, one of another length, and the value that says "not known":
 * then the bytes are all there is. */
bool sensor_decode(const struct sensor_reading *r, struct sensor_value *ret);
/** What a sensor measures, also when it gave no value; NULL for one we do not know. */
const char *sensor_name(const struct sensor_id *id, const char **ret_unit);
