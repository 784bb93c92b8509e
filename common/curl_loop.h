/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * libcurl's multi interface on the loop seam: transfers go on while the loop turns, nothing blocks,
 * and each ends in one call of `done`. What a transfer is, TLS or not, is its owner's business; an
 * owner includes <curl/curl.h> through this header.
 */
#pragma once

#include "common/loop.h"
#include <curl/curl.h>

struct curl_loop;

/** A transfer ended; its owner removes it now or later (a CURLOPT_CONNECT_ONLY one keeps its socket
 * until then) and cleans it up. `mine` is what curl_loop_add() was given. Other transfers may be
 * removed here, the curl_loop may not be freed. */
typedef void (*curl_loop_fn)(void *user, void *mine, CURLcode result);

/** `keep`: idle connections kept for another transfer. */
int curl_loop_new(struct loop *loop, long keep, curl_loop_fn done, void *user,
		  struct curl_loop **ret) _must_check_;
/** All transfers must have been removed. NULL-safe. */
void curl_loop_free(struct curl_loop *c);
/** Starts a transfer. `done` never comes from inside this call. Sets CURLOPT_PRIVATE. */
int curl_loop_add(struct curl_loop *c, CURL *easy, void *mine) _must_check_;
/** Lets go of a transfer, without `done` if it has not ended. */
void curl_loop_remove(struct curl_loop *c, CURL *easy);
/** Our code for curl's. */
int curl_loop_error(CURLcode code);
