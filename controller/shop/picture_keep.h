/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Pictures that no label shows, has stored or is to show are let go of, some time after the last
 * one did (gondolad.conf: keep.pictures_days). The ledger keeps their names and prices. Once a day
 * all pictures are looked at, a few at a time on the shop's pool, where no write waits for it.
 */
#pragma once

#include "common/util.h"

struct shop;
struct picture_keep;

int picture_keep_new(struct shop *shop, struct picture_keep **ret) _must_check_;
/** No further step is begun; one may be under way until the pool is drained. NULL-safe. */
void picture_keep_stop(struct picture_keep *k);
void picture_keep_free(struct picture_keep *k);
