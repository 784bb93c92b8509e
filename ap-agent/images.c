/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/images.h"
#include "common/err.h"
#include "common/hex.h"
#include "common/log.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define AT_ONCE     2
#define MAX_WAITING 2048
#define TIMEOUT_US  (20 * US_PER_SEC)
/** A controller that could not be reached is asked for the same picture again. */
#define AGAIN_US    US_PER_SEC

struct fetch {
	struct images *owner;
	struct http_call *call; /**< NULL = free */
	uint8_t hash[IMAGE_HASH_BYTES];
};

struct images {
	struct loop *loop;
	struct http_client *http;
	struct store *store;
	images_fn ready;
	void *user;
	bool online;
	struct fetch fetch[AT_ONCE];
	struct buf waiting; /**< hashes, oldest first */
	struct loop_timer *next;
	int64_t rest_until_us;
	struct log_limit limit;
};

static void complain(struct images *im, const uint8_t *hash, int err, const char *text)
{
	char hex[IMAGE_HASH_HEX_MAX];
	unsigned int held;

	if (log_limit_pass(&im->limit, clock_mono_us(loop_clock(im->loop)), 60 * US_PER_SEC, 5,
			   &held))
		log_write(LOG_WARN, "images", err, "image=%s msg=\"%s\"",
			  hex_encode(hash, IMAGE_HASH_BYTES, hex), text);
}

/** It is full: whoever needs the picture asks again. */
static void wait_for(struct images *im, const uint8_t *hash)
{
	buf_put(&im->waiting, hash, IMAGE_HASH_BYTES);
	if (!buf_ok(&im->waiting))
		im->waiting.err = 0;
}

/** No answer is not the answer that there is no picture. */
static void ask_again(struct images *im, const uint8_t *hash)
{
	wait_for(im, hash);
	im->rest_until_us = clock_mono_us(loop_clock(im->loop)) + AGAIN_US;
}

static void on_image(void *user, const struct http_reply *reply)
{
	struct fetch *f = user;
	struct images *im = f->owner;
	uint8_t hash[IMAGE_HASH_BYTES];

	f->call = NULL;
	loop_timer_start(im->next, 0);
	if (reply->err < 0 || reply->status != 200 || !reply->body) {
		complain(im, f->hash, reply->err, "no picture from the controller");
		if (reply->err < 0)
			ask_again(im, f->hash);
		return;
	}
	image_hash(reply->body, reply->len, hash);
	if (memcmp(hash, f->hash, sizeof(hash)) != 0) {
		complain(im, f->hash, -ERR_CORRUPT, "the picture is not the one that was named");
		return;
	}

	int r = store_image_put(im->store, hash, reply->body, reply->len);

	if (r < 0) /* it can be shown all the same */
		complain(im, hash, r, "cannot keep a picture");
	im->ready(im->user, hash, reply->body, reply->len);
}

static int fetch_start(struct images *im, struct fetch *f)
{
	char path[96 + IMAGE_HASH_HEX_MAX] = "/agent/v1/images/";
	struct http_request req = {.method = "GET",
				   .path = path,
				   .max_reply = IMAGE_MAX_BYTES,
				   .timeout_us = TIMEOUT_US};

	hex_encode(f->hash, sizeof(f->hash), path + strlen(path));
	return http_client_start(im->http, &req, on_image, f, &f->call);
}

static void on_next(void *user)
{
	struct images *im = user;
	int64_t rest_us = im->rest_until_us - clock_mono_us(loop_clock(im->loop));

	if (rest_us > 0) {
		loop_timer_start(im->next, rest_us);
		return;
	}
	for (size_t i = 0; im->online && i < AT_ONCE && im->waiting.len; i++) {
		struct fetch *f = &im->fetch[i];

		if (f->call)
			continue;
		memcpy(f->hash, im->waiting.data, sizeof(f->hash));
		buf_consume(&im->waiting, sizeof(f->hash));

		int r = fetch_start(im, f);

		if (r < 0) {
			f->call = NULL;
			complain(im, f->hash, r, "cannot ask for a picture");
		}
	}
}

static bool under_way(const struct images *im, const uint8_t *hash)
{
	for (size_t i = 0; i < AT_ONCE; i++)
		if (im->fetch[i].call && memcmp(im->fetch[i].hash, hash, IMAGE_HASH_BYTES) == 0)
			return true;
	for (size_t at = 0; at < im->waiting.len; at += IMAGE_HASH_BYTES)
		if (memcmp(im->waiting.data + at, hash, IMAGE_HASH_BYTES) == 0)
			return true;
	return false;
}

void images_want(struct images *im, const uint8_t hash[IMAGE_HASH_BYTES])
{
	_cleanup_buf_ struct buf data = BUF_INIT;
	int r = store_image_get(im->store, hash, &data);

	if (r == 0) {
		im->ready(im->user, hash, data.data, data.len);
		return;
	}
	if (r != -ENOENT)
		complain(im, hash, r, "cannot read a kept picture");
	if (under_way(im, hash))
		return;
	wait_for(im, hash);
	loop_timer_start(im->next, 0);
}

int images_new(struct loop *loop, struct http_client *http, struct store *store, images_fn ready,
	       void *user, struct images **ret)
{
	struct images *im = calloc(1, sizeof(*im));

	if (!im)
		return -ENOMEM;
	im->loop = loop;
	im->http = http;
	im->store = store;
	im->ready = ready;
	im->user = user;
	buf_init(&im->waiting, MAX_WAITING * IMAGE_HASH_BYTES);
	for (size_t i = 0; i < AT_ONCE; i++)
		im->fetch[i].owner = im;

	int r = loop_timer_new(loop, on_next, im, &im->next);

	if (r < 0) {
		free(im);
		return r;
	}
	*ret = im;
	return 0;
}

void images_free(struct images *im)
{
	if (!im)
		return;
	for (size_t i = 0; i < AT_ONCE; i++)
		http_call_cancel(im->fetch[i].call);
	loop_timer_free(im->next);
	buf_done(&im->waiting);
	free(im);
}

void images_online(struct images *im, bool online)
{
	im->online = online;
	if (!online)
		return;
	im->rest_until_us = 0;
	loop_timer_start(im->next, 0);
}
