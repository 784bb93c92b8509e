/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/oepl/oepl.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define ASK_AGAIN_US (INT64_C(30) * US_PER_SEC)

static struct oepl_picture *find(struct oepl *o, const uint8_t *hash)
{
	for (size_t i = 0; i < OEPL_PICTURES; i++)
		if (o->pictures[i].used && memcmp(o->pictures[i].hash, hash, IMAGE_HASH_BYTES) == 0)
			return &o->pictures[i];
	return NULL;
}

static void drop(struct oepl_picture *p)
{
	free(p->data);
	*p = (struct oepl_picture){0};
}

/** A free place, or that of the one used longest ago; NULL while all are waited for. */
static struct oepl_picture *place(struct oepl *o)
{
	struct oepl_picture *best = NULL;

	for (size_t i = 0; i < OEPL_PICTURES; i++) {
		struct oepl_picture *p = &o->pictures[i];

		if (!p->used)
			return p;
		if ((p->data || oepl_now(o) - p->at_us >= ASK_AGAIN_US) &&
		    (!best || p->at_us < best->at_us))
			best = p;
	}
	if (best)
		drop(best);
	return best;
}

int oepl_picture_get(struct oepl *o, const uint8_t hash[IMAGE_HASH_BYTES], struct image *ret)
{
	struct oepl_picture *p = find(o, hash);

	if (!p) {
		p = place(o);
		if (!p)
			return -EAGAIN;
		p->used = true;
		memcpy(p->hash, hash, IMAGE_HASH_BYTES);
		p->at_us = oepl_now(o) - ASK_AGAIN_US;
	}
	if (!p->data && oepl_now(o) - p->at_us >= ASK_AGAIN_US) {
		p->at_us = oepl_now(o);
		o->cb.need_image(o->user, hash); /* may answer at once */
		p = find(o, hash);
	}
	if (!p || !p->data)
		return -EAGAIN;
	p->at_us = oepl_now(o);
	return image_decode(p->data, p->len, ret);
}

int oepl_picture_put(struct oepl *o, const uint8_t hash[IMAGE_HASH_BYTES], const void *data,
		     size_t len)
{
	struct oepl_picture *p = find(o, hash);
	uint8_t own[IMAGE_HASH_BYTES];

	if (!p || p->data)
		return 0; /* nobody asked */
	if (len > IMAGE_MAX_BYTES)
		return -ERR_TOO_LARGE;
	image_hash(data, len, own);
	if (memcmp(own, hash, sizeof(own)) != 0)
		return -ERR_CORRUPT;
	p->data = malloc(len ? len : 1);
	if (!p->data)
		return -ENOMEM;
	memcpy(p->data, data, len);
	p->len = len;
	p->at_us = oepl_now(o);
	return 0;
}

void oepl_pictures_done(struct oepl *o)
{
	for (size_t i = 0; i < OEPL_PICTURES; i++)
		drop(&o->pictures[i]);
}
