/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Stands in for bluez/ots_socket.c, which needs a kernel with Bluetooth: the channel leads to the
 * label of bluez_fake.h.
 */
#pragma once

#include "esl-radio/bluez/ots_socket.h"
#include "tests/unit/bluez_fake.h"

struct ots_socket_fake {
	struct bluez_fake *bluez; /**< whose label */
	uint16_t unit;
	size_t cut_after;    /**< so many bytes have arrived: the connection breaks; 0 = never */
	bool own_random;     /**< what was said of our address */
	unsigned int opened; /**< channels */
	size_t sent;         /**< bytes, over all of them */
};

extern struct ots_socket_fake ots_fake;
