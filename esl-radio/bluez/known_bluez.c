/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels that bluetoothd has been bonded with for us. Its keys are its own; what is remembered here
 * is that there was one, so that a label that must be paired anew is known to have been reset, and
 * is said to be until it was configured again, whatever is killed in between.
 */
#include "esl-radio/bluez/link_impl.h"

#include "common/err.h"
#include "common/hex.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOB_VERSION 0x80 /* lower ones are keys of our own central */
#define BLOB_BYTES   3
#define KNOWN_MAX    32768u
#define NAME_BYTES   (sizeof(ESL_LINK_KEEPS) + 2 * ESL_ADDR_BYTES)

/** Where that address is, or would be. */
static size_t place_of(const struct bluez_known *n, const uint8_t *addr)
{
	size_t low = 0, high = n->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (memcmp(n->labels[mid].addr, addr, ESL_ADDR_BYTES) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct bluez_known_label *bluez_known_find(const struct bluez_known *n, const uint8_t *addr)
{
	size_t i = place_of(n, addr);

	return i < n->count && memcmp(n->labels[i].addr, addr, ESL_ADDR_BYTES) == 0 ? &n->labels[i]
										    : NULL;
}

static struct bluez_known_label *add(struct bluez_known *n, const uint8_t *addr)
{
	size_t i = place_of(n, addr);

	if (n->count == n->cap) {
		size_t cap = n->cap + MAX(n->cap / 16, (size_t) 16);
		struct bluez_known_label *more =
			n->count < KNOWN_MAX ? reallocarray(n->labels, cap, sizeof(*more)) : NULL;

		if (!more)
			return NULL;
		n->labels = more;
		n->cap = cap;
	}
	memmove(&n->labels[i + 1], &n->labels[i], (n->count - i) * sizeof(*n->labels));
	n->count++;
	n->labels[i] = (struct bluez_known_label){.random = true};
	memcpy(n->labels[i].addr, addr, ESL_ADDR_BYTES);
	return &n->labels[i];
}

int bluez_known_keep(struct bluez_link *k, const uint8_t *addr, bool random, bool reset)
{
	struct bluez_known_label *l = bluez_known_find(&k->known, addr);
	const uint8_t blob[BLOB_BYTES] = {BLOB_VERSION, random, reset};
	char name[NAME_BYTES];
	int r;

	if (l && l->random == random && l->reset == reset)
		return 0;
	memcpy(name, ESL_LINK_KEEPS, sizeof(ESL_LINK_KEEPS));
	(void) hex_encode(addr, ESL_ADDR_BYTES, name + strlen(ESL_LINK_KEEPS));
	r = k->cb.save(k->user, name, blob, sizeof(blob)); /* first: it is tried again otherwise */
	if (r == 0 && !l)
		l = add(&k->known, addr);
	if (r == 0 && !l)
		r = -ENOMEM;
	if (r == 0) {
		l->random = random;
		l->reset = reset;
	}
	return r;
}

/* A key of our own central is worth nothing here, but tells that there was a bond. */
int bluez_known_restore(struct bluez_known *n, const char *key, const void *data, size_t len)
{
	const char *hex = key + strlen(ESL_LINK_KEEPS);
	const uint8_t *blob = data;
	uint8_t addr[ESL_ADDR_BYTES];
	struct bluez_known_label *l;

	if (strlen(hex) != 2 * ESL_ADDR_BYTES || hex_decode(hex, addr, sizeof(addr)) < 0)
		return 0; /* no label's */
	if (len < 2)
		return -ERR_BADMSG;
	l = bluez_known_find(n, addr);
	if (!l)
		l = add(n, addr);
	if (!l)
		return -ENOMEM;
	l->random = blob[1] != 0;
	l->reset = blob[0] == BLOB_VERSION && len == BLOB_BYTES && blob[2] != 0;
	return 0;
}

void bluez_known_free(struct bluez_known *n)
{
	free(n->labels);
	*n = (struct bluez_known){.count = 0};
}
