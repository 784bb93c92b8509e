/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/link_air.h"

#define HEAD_BYTES (4 + 2 + 3) /* access address, header, check sum */
#define MIC_BYTES  4

int64_t air_packet_us(const struct link_air *a, size_t n)
{
	size_t bytes = HEAD_BYTES + (a->two_mega ? 2 : 1) + n;

	if (a->encrypted && n > 0)
		bytes += MIC_BYTES;
	return (int64_t) bytes * (a->two_mega ? 4 : 8);
}

int64_t air_empty_us(const struct link_air *a)
{
	return 2 * (air_packet_us(a, 0) + AIR_GAP_US);
}

int64_t air_carry_us(const struct link_air *a, size_t n)
{
	size_t octets = a->octets ? a->octets : AIR_OCTETS_LEAST;
	int64_t us = 0;

	do {
		size_t part = n < octets ? n : octets;

		us += air_packet_us(a, part) + AIR_GAP_US + air_packet_us(a, 0) + AIR_GAP_US;
		n -= part;
	} while (n > 0);
	return us;
}
