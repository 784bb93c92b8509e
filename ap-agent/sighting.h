/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A sighting as the journal stores it: a CBOR array of its own, with the reader's name in it, so
 * that an entry keeps its meaning when the configuration changes before it is sent. The first
 * element is the version of this form.
 */
#pragma once

#include "common/buf.h"
#include "common/proto.h"

struct sighting_row {
	char reader[PROTO_NAME_MAX];
	uint16_t antenna;
	struct proto_sighting s; /**< source is unused */
};

int sighting_encode(const struct sighting_row *row, struct buf *out) _must_check_;
int sighting_decode(const void *data, size_t len, struct sighting_row *ret) _must_check_;
