/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures on their way to a label. They are asked for when a label's turn comes, and a few are
 * kept after use, because labels of one product often want the same one.
 */
#include "esl-radio/images.h"
#include "esl-radio/engine.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define ASK_AGAIN_US (INT64_C(30) * US_PER_SEC)
#define LATE_US      (INT64_C(5) * US_PER_SEC)
#define CACHE_BYTES  (128u * 1024)
#define ASKED_MAX    256

static struct esl_image *find(const struct esl_engine *e, const uint8_t *hash)
{
	struct esl_image *im;

	TAILQ_FOREACH(im, &e->images, link)
	if (memcmp(im->hash, hash, IMAGE_HASH_BYTES) == 0)
		return im;
	return NULL;
}

static void drop(struct esl_engine *e, struct esl_image *im)
{
	TAILQ_REMOVE(&e->images, im, link);
	e->image_bytes -= im->len;
	free(im->data);
	free(im);
}

static bool in_use(const struct esl_engine *e, const struct esl_image *im)
{
	for (unsigned int i = 0; i < ESL_VISITS_MAX; i++)
		if (e->visits[i].label &&
		    memcmp(e->visits[i].hash, im->hash, IMAGE_HASH_BYTES) == 0)
			return true;
	return false;
}

/** Lets go of what was not used for longest, down to what the cache may hold. */
static void trim(struct esl_engine *e)
{
	struct esl_image *im = TAILQ_LAST(&e->images, esl_image_list);

	while (im && e->image_bytes > CACHE_BYTES) {
		struct esl_image *before = TAILQ_PREV(im, esl_image_list, link);

		if (!im->asked && !in_use(e, im))
			drop(e, im);
		im = before;
	}
}

static struct esl_image *ask(struct esl_engine *e, const uint8_t *hash)
{
	struct esl_image *im;
	struct esl_image *oldest = NULL;
	unsigned int waiting = 0;

	TAILQ_FOREACH(im, &e->images, link)
	{
		if (im->asked && ++waiting)
			oldest = im;
	}
	if (waiting >= ASKED_MAX)
		drop(e, oldest); /* nobody answered; whoever still needs it asks again */
	im = calloc(1, sizeof(*im));
	if (!im)
		return NULL;
	memcpy(im->hash, hash, IMAGE_HASH_BYTES);
	im->asked = true;
	im->asked_us = esl_now(e) - ASK_AGAIN_US;
	TAILQ_INSERT_HEAD(&e->images, im, link);
	return im;
}

struct esl_image *esl_image_get(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES])
{
	struct esl_image *im = find(e, hash);

	if (im && !im->asked) {
		TAILQ_REMOVE(&e->images, im, link);
		TAILQ_INSERT_HEAD(&e->images, im, link);
		return im;
	}
	if (!im)
		im = ask(e, hash);
	if (im && esl_now(e) - im->asked_us >= ASK_AGAIN_US) {
		uint8_t copy[IMAGE_HASH_BYTES];

		memcpy(copy, hash, sizeof(copy));
		im->asked_us = esl_now(e);
		if (e->cb.need_image)
			e->cb.need_image(e->user, copy);
		/* The owner may have answered at once. */
		im = find(e, copy);
		if (im && !im->asked)
			return im;
	}
	return NULL;
}

struct esl_image *esl_image_peek(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES])
{
	struct esl_image *im = find(e, hash);

	return im && !im->asked ? im : NULL;
}

int esl_image_for(const struct esl_engine *e, const struct esl_label *l, const struct esl_image *im,
		  struct buf *ret)
{
	const struct pixel_model *m = pixel_table_at(e->pixels, l->pixels);
	struct image picture;
	int r = m ? image_decode(im->data, im->len, &picture) : -ENOTSUP;

	if (r < 0)
		return r;
	r = pixel_encode(m, &picture, ret);
	image_done(&picture);
	return r;
}

bool esl_image_is_late(const struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES])
{
	const struct esl_image *im = find(e, hash);

	return im && im->asked && esl_now(e) - im->asked_us > LATE_US;
}

int esl_image_put(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES], const void *data,
		  size_t len)
{
	struct esl_image *im = find(e, hash);
	uint8_t actual[IMAGE_HASH_BYTES];
	struct image picture;
	int r;

	if (!im || !im->asked)
		return 0; /* nobody asked, or it came twice */
	image_hash(data, len, actual);
	if (memcmp(actual, hash, IMAGE_HASH_BYTES) != 0)
		return -ERR_CORRUPT;
	r = image_decode(data, len, &picture);
	if (r < 0)
		return r;
	im->width = picture.width;
	im->height = picture.height;
	im->type = picture.type;
	image_done(&picture);
	im->data = malloc(len);
	if (!im->data)
		return -ENOMEM;
	memcpy(im->data, data, len);
	im->len = len;
	im->asked = false;
	e->image_bytes += len;
	TAILQ_REMOVE(&e->images, im, link);
	TAILQ_INSERT_HEAD(&e->images, im, link);
	trim(e);
	return 0;
}

void esl_images_done(struct esl_engine *e)
{
	struct esl_image *im;

	while ((im = TAILQ_FIRST(&e->images)))
		drop(e, im);
}
