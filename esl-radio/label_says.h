/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a label says of itself, out of the values of its characteristics, whichever driver has read
 * them (ESLS 1.0 3, DIS 1.1, OTS 1.0). Each takes a value as it came, empty where there was none,
 * and leaves alone what it does not say. Pure.
 */
#pragma once

#include "esl-radio/esl_link.h"

/** Display Information. */
void label_says_displays(struct esl_link_result *r, const uint8_t *data, size_t len);
/** Image Information. */
void label_says_images(struct esl_link_result *r, const uint8_t *data, size_t len);
/** LED Information. */
void label_says_leds(struct esl_link_result *r, const uint8_t *data, size_t len);
/** Sensor Information: what it measures. */
void label_says_sensors(struct esl_link_result *r, const uint8_t *data, size_t len);
/** The answer to Read Sensor Data of the n-th of them, in r->tlv. */
void label_says_reading(struct esl_link_result *r, unsigned int n);
/** Model Number String. */
void label_says_model(struct pixel_identity *id, const uint8_t *data, size_t len);
/** PnP ID. */
void label_says_pnp(struct pixel_identity *id, const uint8_t *data, size_t len);
/** Object Type, of its first image. */
void label_says_type(struct pixel_identity *id, const uint8_t *data, size_t len);
