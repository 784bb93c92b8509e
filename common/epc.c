/* SPDX-License-Identifier: Apache-2.0 */
#include "common/epc.h"
#include "common/err.h"
#include "common/gtin.h"
#include "common/hex.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SGTIN96_HEADER 0x30
#define SGTIN96_BITS   96
#define SERIAL_BITS    38

/* TDS 2.3 table 14-2: bits and digits of prefix and item reference by partition value. */
static const struct {
	unsigned int prefix_bits, prefix_digits, item_bits, item_digits;
} partitions[7] = {
	{40, 12, 4, 1}, {37, 11, 7, 2}, {34, 10, 10, 3}, {30, 9, 14, 4},
	{27, 8, 17, 5}, {24, 7, 20, 6}, {20, 6, 24, 7},
};

static const uint64_t powers[15] = {
	UINT64_C(1),
	UINT64_C(10),
	UINT64_C(100),
	UINT64_C(1000),
	UINT64_C(10000),
	UINT64_C(100000),
	UINT64_C(1000000),
	UINT64_C(10000000),
	UINT64_C(100000000),
	UINT64_C(1000000000),
	UINT64_C(10000000000),
	UINT64_C(100000000000),
	UINT64_C(1000000000000),
	UINT64_C(10000000000000),
	UINT64_C(100000000000000),
};

bool epc_equal(const struct epc *a, const struct epc *b)
{
	return a->bits == b->bits && memcmp(a->data, b->data, epc_bytes(a)) == 0;
}

int epc_set(struct epc *e, const uint8_t *data, size_t bits)
{
	size_t n = (bits + 7) / 8;

	if (bits > EPC_MAX_BITS)
		return -ERR_RANGE;
	memset(e, 0, sizeof(*e));
	e->bits = (uint16_t) bits;
	if (n)
		memcpy(e->data, data, n);
	if (bits % 8)
		e->data[n - 1] &= (uint8_t) (0xff << (8 - bits % 8));
	return 0;
}

const char *epc_to_hex(const struct epc *e, char buf[EPC_HEX_MAX])
{
	return hex_encode(e->data, epc_bytes(e), buf);
}

int epc_from_hex(const char *text, struct epc *ret_epc)
{
	size_t digits = strlen(text);
	uint8_t data[EPC_MAX_BYTES];

	if (digits == 0 || digits % 2)
		return -ERR_SYNTAX;
	if (digits / 2 > sizeof(data))
		return -ERR_RANGE;
	int r = hex_decode(text, data, digits / 2);

	return r < 0 ? r : epc_set(ret_epc, data, digits * 4);
}

static uint64_t get_bits(const uint8_t *data, unsigned int at, unsigned int n)
{
	uint64_t v = 0;

	for (unsigned int i = at; i < at + n; i++)
		v = v << 1 | (data[i / 8] >> (7 - i % 8) & 1u);
	return v;
}

static void put_bits(uint8_t *data, unsigned int *at, unsigned int n, uint64_t v)
{
	for (unsigned int i = 0; i < n; i++, (*at)++)
		if (v >> (n - 1 - i) & 1u)
			data[*at / 8] |= (uint8_t) (0x80u >> *at % 8);
}

int sgtin96_decode(const struct epc *e, struct sgtin *ret)
{
	if (e->bits != SGTIN96_BITS || e->data[0] != SGTIN96_HEADER)
		return -ERR_VERSION;
	unsigned int partition = (unsigned int) get_bits(e->data, 11, 3);

	if (partition >= ARRAY_SIZE(partitions))
		return -ERR_RANGE;
	unsigned int pb = partitions[partition].prefix_bits, ib = partitions[partition].item_bits;
	unsigned int pd = partitions[partition].prefix_digits;
	unsigned int id = partitions[partition].item_digits;
	uint64_t prefix = get_bits(e->data, 14, pb), item = get_bits(e->data, 14 + pb, ib);

	if (prefix >= powers[pd] || item >= powers[id])
		return -ERR_RANGE;
	/* The item reference begins with the indicator digit, which leads the GTIN (TDS 7.3.1). */
	uint64_t indicator = item / powers[id - 1], rest = item % powers[id - 1];
	uint64_t body = indicator * powers[12] + prefix * powers[id - 1] + rest;

	*ret = (struct sgtin){
		.gtin = body * 10 + gtin_check_digit(body),
		.serial = get_bits(e->data, 14 + pb + ib, SERIAL_BITS),
		.filter = (unsigned int) get_bits(e->data, 8, 3),
		.prefix_digits = pd,
	};
	return 0;
}

int sgtin96_encode(const struct sgtin *s, struct epc *ret)
{
	if (s->serial >> SERIAL_BITS || s->filter > 7 || s->prefix_digits < 6 ||
	    s->prefix_digits > 12 || s->gtin >= powers[14])
		return -ERR_RANGE;
	uint64_t body = s->gtin / 10;

	if (gtin_check_digit(body) != s->gtin % 10)
		return -ERR_CHECK_DIGIT;
	unsigned int partition = 12 - s->prefix_digits;
	unsigned int id = partitions[partition].item_digits, at = 0;
	uint64_t indicator = body / powers[12], rest = body % powers[12];
	struct epc e = {.bits = SGTIN96_BITS};

	put_bits(e.data, &at, 8, SGTIN96_HEADER);
	put_bits(e.data, &at, 3, s->filter);
	put_bits(e.data, &at, 3, partition);
	put_bits(e.data, &at, partitions[partition].prefix_bits, rest / powers[id - 1]);
	put_bits(e.data, &at, partitions[partition].item_bits,
		 indicator * powers[id - 1] + rest % powers[id - 1]);
	put_bits(e.data, &at, SERIAL_BITS, s->serial);
	*ret = e;
	return 0;
}

const char *sgtin_uri(const struct sgtin *s, char buf[SGTIN_URI_MAX])
{
	int pd = (int) s->prefix_digits, id = 13 - pd;
	uint64_t body = s->gtin / 10, indicator = body / powers[12], rest = body % powers[12];
	uint64_t prefix = rest / powers[id - 1];
	uint64_t item = indicator * powers[id - 1] + rest % powers[id - 1];

	snprintf(buf, SGTIN_URI_MAX, "urn:epc:id:sgtin:%0*" PRIu64 ".%0*" PRIu64 ".%" PRIu64, pd,
		 prefix, id, item, s->serial);
	return buf;
}
