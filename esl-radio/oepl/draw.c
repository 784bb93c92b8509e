/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures made into what an access point takes, on the work pool: a large one packed, unpacked and
 * compared costs tenths of a second on a small processor, and the loop has other things to do. One
 * for each access point at most, which cannot take them any faster.
 */
#include "esl-radio/oepl/oepl.h"

#include "common/buf.h"
#include "esl-radio/oepl/pixels.h"
#include <errno.h>
#include <string.h>

/* For its label; then another one may have the place. */
#define WAITS_US (INT64_C(10) * US_PER_SEC)

struct oepl_draw {
	struct oepl_ap *ap; /* NULL: the engine has gone meanwhile */
	uint8_t addr[ESL_ADDR_BYTES];
	struct image im;
	struct oepl_type type;
	uint16_t version;
	/* what comes of it */
	struct oepl_sending made;
	struct buf jpeg;
	int err;
	bool done;
	int64_t done_us;
};

static void draw_free(struct oepl_draw *d)
{
	image_done(&d->im);
	buf_done(&d->jpeg);
	free(d);
}

/** On the pool: nothing here but what is the drawing's own. */
static void work(void *user)
{
	struct oepl_draw *d = user;
	_cleanup_buf_ struct buf planes = BUF_INIT;

	d->err = oepl_jpeg(&d->im, &d->type, &d->jpeg);
	if (d->err == 0 && oepl_is_plain(&d->type, d->version) &&
	    oepl_planes(&d->im, &d->type, &planes) == 0) {
		oepl_hash(planes.data, planes.len, d->made.hash);
		d->made.hash_known = d->made.exact = true;
	}
}

static void worked(void *user)
{
	struct oepl_draw *d = user;

	if (!d->ap) {
		draw_free(d);
		return;
	}
	d->done = true;
	d->done_us = oepl_now(d->ap->o);
	oepl_pump_soon(d->ap->o);
}

static int begin(struct oepl *o, const struct oepl_label *l, const uint8_t *hash)
{
	struct oepl_draw *d;
	struct image im = {0};
	int r = oepl_picture_get(o, hash, &im);

	if (r < 0)
		return r;
	d = calloc(1, sizeof(*d));
	if (!d) {
		image_done(&im);
		return -ENOMEM;
	}
	d->ap = l->ap;
	d->im = im;
	d->type = *oepl_type_of(o, l);
	d->version = l->rec.version;
	d->err = -ENOMEM;
	memcpy(d->addr, l->addr, sizeof(d->addr));
	memcpy(d->made.image, hash, sizeof(d->made.image));
	r = loop_work(o->loop, work, worked, d);
	if (r < 0) {
		draw_free(d);
		return r;
	}
	l->ap->draw = d;
	return -EAGAIN;
}

/** Is it this picture, for a label of this kind? */
static bool is_for(const struct oepl_draw *d, const struct oepl *o, const struct oepl_label *l,
		   const uint8_t *hash)
{
	return memcmp(d->addr, l->addr, sizeof(d->addr)) == 0 &&
	       memcmp(d->made.image, hash, sizeof(d->made.image)) == 0 &&
	       d->version == l->rec.version &&
	       memcmp(&d->type, oepl_type_of(o, l), sizeof(d->type)) == 0;
}

int oepl_draw_take(struct oepl *o, struct oepl_label *l, const uint8_t hash[IMAGE_HASH_BYTES],
		   struct buf *ret_jpeg, struct oepl_sending *ret_made)
{
	struct oepl_draw *d = l->ap->draw;
	bool mine;
	int r;

	if (!d)
		return begin(o, l, hash);
	mine = is_for(d, o, l, hash);
	if (!d->done || (!mine && oepl_now(o) - d->done_us < WAITS_US &&
			 memcmp(d->addr, l->addr, sizeof(d->addr)) != 0))
		return -EAGAIN;
	l->ap->draw = NULL;
	r = d->err;
	if (mine && r == 0) {
		*ret_made = d->made;
		*ret_jpeg = d->jpeg;
		d->jpeg = BUF_INIT;
	}
	draw_free(d);
	return mine ? r : begin(o, l, hash);
}

void oepl_draw_drop(struct oepl_ap *ap)
{
	struct oepl_draw *d = ap->draw;

	ap->draw = NULL;
	if (!d)
		return;
	d->ap = NULL;
	if (d->done)
		draw_free(d);
}
