/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/picture_keep.h"
#include "common/log.h"
#include "controller/shop/shop_internal.h"
#include <errno.h>
#include <string.h>

#define DAY_US   (INT64_C(86400) * US_PER_SEC)
#define FIRST_US (INT64_C(900) * US_PER_SEC)
#define PAUSE_US US_PER_SEC
#define AT_ONCE  256

struct picture_keep {
	struct shop_job job; /* first */
	struct shop *shop;
	struct loop_timer *timer;
	bool stopped;
	/* the job's, while it runs */
	struct buf in_use; /* hashes, in order */
	struct image_sweep sweep;
	int err;
};

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, IMAGE_HASH_BYTES);
}

static bool in_use(void *user, const uint8_t hash[IMAGE_HASH_BYTES])
{
	const struct picture_keep *k = user;

	return bsearch(hash, k->in_use.data, k->in_use.len / IMAGE_HASH_BYTES, IMAGE_HASH_BYTES,
		       compare) != NULL;
}

/* Whatever comes into use after this was put into the store just before, and stays for that. */
static int read_in_use(struct picture_keep *k, struct sql *s)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT image FROM wanted UNION SELECT staged_image FROM labels"
		   " UNION SELECT sent_image FROM labels UNION SELECT shown_image FROM labels"
		   " ORDER BY 1");
	int r;

	buf_clear(&k->in_use);
	while ((r = sql_step(q)) > 0) {
		size_t len;
		const void *hash = sql_col_blob(q, 0, &len);

		if (hash && len == IMAGE_HASH_BYTES)
			buf_put(&k->in_use, hash, len);
	}
	return r < 0 ? r : k->in_use.err;
}

static void look_work(struct shop_job *job, struct shop_slot *slot)
{
	struct picture_keep *k = (struct picture_keep *) job;

	k->err = read_in_use(k, slot->sql);
	if (k->err == 0)
		k->err = image_store_sweep(k->shop->images, &k->sweep, AT_ONCE);
}

static void look_done(struct shop_job *job)
{
	struct picture_keep *k = (struct picture_keep *) job;

	if (k->err < 0)
		log_write(LOG_WARN, "keep", k->err, "msg=\"pictures were not looked through\"");
	else if (k->sweep.over && k->sweep.dropped > 0)
		log_notice("keep", "seen=%zu dropped=%zu msg=\"pictures of no use any more\"",
			   k->sweep.seen, k->sweep.dropped);
	if (k->stopped)
		return;
	loop_timer_start(k->timer, k->err < 0 || k->sweep.over ? DAY_US : PAUSE_US);
}

static void look(void *user)
{
	struct picture_keep *k = user;
	struct shop *shop = k->shop;

	if (shop->app->config->keep_pictures_days == 0) /* for ever */
		return;
	if (k->err < 0 || k->sweep.over)
		k->sweep = (struct image_sweep){.in_use = in_use, .user = k};
	k->sweep.now_us = clock_real_us(shop->app->clock);
	k->sweep.keep_us = shop->app->config->keep_pictures_days * DAY_US;
	shop_work_submit(shop->work, &k->job, false);
}

int picture_keep_new(struct shop *shop, struct picture_keep **ret)
{
	struct picture_keep *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return -ENOMEM;
	k->shop = shop;
	k->job.work = look_work;
	k->job.done = look_done;
	k->sweep.over = true;
	buf_init(&k->in_use, SIZE_MAX);
	r = loop_timer_new(shop->app->loop, look, k, &k->timer);
	if (r < 0) {
		free(k);
		return r;
	}
	loop_timer_start(k->timer, FIRST_US);
	*ret = k;
	return 0;
}

void picture_keep_stop(struct picture_keep *k)
{
	if (!k)
		return;
	k->stopped = true;
	loop_timer_stop(k->timer);
}

void picture_keep_free(struct picture_keep *k)
{
	if (!k)
		return;
	loop_timer_free(k->timer);
	buf_done(&k->in_use);
	free(k);
}
