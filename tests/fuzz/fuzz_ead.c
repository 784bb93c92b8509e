/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted advertising data: 24 bytes of key material, then what came by air. */
#include "esl-radio/ead.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t plain[EAD_PLAIN_MAX], again[EAD_PLAIN_MAX], ad[EAD_PLAIN_MAX + EAD_OVERHEAD];
	uint8_t wire[EAD_WIRE_KEY_BYTES];
	struct ead_key k;
	int n;

	if (size < EAD_WIRE_KEY_BYTES)
		return 0;
	ead_key_from_wire(data, &k);
	ead_key_to_wire(&k, wire);
	assert(memcmp(wire, data, sizeof(wire)) == 0);
	data += EAD_WIRE_KEY_BYTES;
	size -= EAD_WIRE_KEY_BYTES;
	n = ead_open(&k, data, size, plain, sizeof(plain));
	if (n >= 0) { /* it cannot be told from one we would have made */
		assert(ead_seal(&k, data + 2, plain, (size_t) n, ad, sizeof(ad)) ==
		       n + EAD_OVERHEAD);
		assert(memcmp(ad, data, (size_t) n + EAD_OVERHEAD) == 0);
	}
	if (size < EAD_RAND_BYTES)
		return 0;
	n = ead_seal(&k, data, data + EAD_RAND_BYTES, size - EAD_RAND_BYTES, ad, sizeof(ad));
	if (n < 0)
		return 0;
	assert(ead_open(&k, ad, (size_t) n, again, sizeof(again)) == n - EAD_OVERHEAD);
	assert(memcmp(again, data + EAD_RAND_BYTES, size - EAD_RAND_BYTES) == 0);
	return 0;
}
