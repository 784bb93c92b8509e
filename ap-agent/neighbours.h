/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Keeps the label radio off the access point's own Wi-Fi: told which Wi-Fi there is, it says which
 * data channels to use, now and, when some have been clear for long enough, later (channels.h).
 */
#pragma once

#include "ap-agent/channels.h"
#include "common/loop.h"

#define NEIGHBOURS_MAX 16

struct neighbours;

typedef void (*neighbours_fn)(void *user, uint64_t map);

/** `changed` is told every new map, from neighbours_see() or the loop; CHANNELS_ALL holds before.
 */
int neighbours_new(struct loop *loop, neighbours_fn changed, void *user,
		   struct neighbours **ret) _must_check_;
void neighbours_free(struct neighbours *n);
DEFINE_CLEANUP(struct neighbours *, neighbours_free)
/** All the Wi-Fi there is; of more than NEIGHBOURS_MAX the first count. */
void neighbours_see(struct neighbours *n, const struct channels_wifi *list, size_t count);
uint64_t neighbours_map(const struct neighbours *n);
