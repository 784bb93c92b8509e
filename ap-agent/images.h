/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Label pictures by hash: from the cache on flash, or from the controller, a few at a time. A
 * picture is believed when its bytes hash to its name; nothing else is handed on or kept. Who needs
 * one asks again when nothing came, so that a failure here is only logged.
 */
#pragma once

#include "ap-agent/http_client.h"
#include "ap-agent/store.h"

struct images;

typedef void (*images_fn)(void *user, const uint8_t hash[IMAGE_HASH_BYTES], const void *data,
			  size_t len);

int images_new(struct loop *loop, struct http_client *http, struct store *store, images_fn ready,
	       void *user, struct images **ret) _must_check_;
void images_free(struct images *im);
DEFINE_CLEANUP(struct images *, images_free)
/** Calls ready at once when it is in the cache, or later when it was fetched. */
void images_want(struct images *im, const uint8_t hash[IMAGE_HASH_BYTES]);
/** Whether the controller may be asked. Starts off. */
void images_online(struct images *im, bool online);
