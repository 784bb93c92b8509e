/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The join code a person carries from the controller to the access point:
 *
 *     GJ1-<secret, 16 base32 digits>-<32 hex digits>
 *
 * The last part is the first half of the SHA-256 of the store CA's certificate (DER). It makes the
 * very first contact authenticated: the agent talks to nobody who cannot show that CA.
 */
#pragma once

#include "common/util.h"
#include <stdint.h>

#define JOINCODE_SECRET_DIGITS     16
#define JOINCODE_FINGERPRINT_BYTES 16
#define JOINCODE_TEXT_MAX          64

struct joincode {
	char text[JOINCODE_TEXT_MAX]; /**< as sent: trimmed, upper-case secret, lower-case hex */
	uint8_t fingerprint[JOINCODE_FINGERPRINT_BYTES];
};

/** Tolerates white space around it and either case. -ERR_SYNTAX for anything else. */
int joincode_parse(const char *text, struct joincode *ret) _must_check_;
/** Reads it from a file's first line. -errno when there is none. */
int joincode_read_file(const char *path, struct joincode *ret) _must_check_;
