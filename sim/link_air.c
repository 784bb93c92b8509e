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

int64_t air_exchange_us(const struct link_air *a, size_t down, size_t up)
{
	size_t octets = a->octets ? a->octets : AIR_OCTETS_LEAST;
	int64_t us = 0;

	do {
		size_t d = down < octets ? down : octets, u = up < octets ? up : octets;

		us += air_packet_us(a, d) + AIR_GAP_US + air_packet_us(a, u) + AIR_GAP_US;
		down -= d;
		up -= u;
	} while (down > 0 || up > 0);
	return us;
}
