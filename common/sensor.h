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
