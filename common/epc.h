/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Electronic Product Codes: a bit string of up to 496 bits as a Gen2 tag carries it, and the
 * schemes of the GS1 EPC Tag Data Standard that name a product (SGTIN-96: TDS 2.3, 14.6.1).
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

#define EPC_MAX_BITS  496
#define EPC_MAX_BYTES 62
#define EPC_HEX_MAX   (2 * EPC_MAX_BYTES + 1)

struct epc {
	uint16_t bits; /**< length; bytes beyond are zero */
	uint8_t data[EPC_MAX_BYTES];
};

static inline size_t epc_bytes(const struct epc *e)
{
	return (size_t) (e->bits + 7) / 8;
}
bool epc_equal(const struct epc *a, const struct epc *b);
/** From bits as received (MSB first). -ERR_RANGE past EPC_MAX_BITS. Bits past the end are cleared.
 */
int epc_set(struct epc *e, const uint8_t *data, size_t bits) _must_check_;
/** Lower-case hex, whole bytes. Returns buf. */
const char *epc_to_hex(const struct epc *e, char buf[EPC_HEX_MAX]);
/** From an even number of hex digits, either case. -ERR_SYNTAX or -ERR_RANGE. */
int epc_from_hex(const char *text, struct epc *ret_epc) _must_check_;

struct sgtin {
	uint64_t gtin; /**< 14 digits, check digit included */
	uint64_t serial;
	unsigned int filter;        /**< 0-7 */
	unsigned int prefix_digits; /**< length of the GS1 company prefix, 6-12 */
};

/** -ERR_VERSION if it is not an SGTIN-96 at all; -ERR_RANGE for partition 7 or digits that
 * overflow. */
int sgtin96_decode(const struct epc *e, struct sgtin *ret) _must_check_;
/** -ERR_RANGE for serial >= 2^38, filter > 7, prefix digits outside 6-12; -ERR_CHECK_DIGIT. */
int sgtin96_encode(const struct sgtin *s, struct epc *ret) _must_check_;
#define SGTIN_URI_MAX 64
/** Pure identity URI, "urn:epc:id:sgtin:PREFIX.ITEM.SERIAL". Returns buf. */
const char *sgtin_uri(const struct sgtin *s, char buf[SGTIN_URI_MAX]);
