/* SPDX-License-Identifier: Apache-2.0 */
/** @file Tells browsers what a label is now. Loop thread, after the commit. */
#pragma once

#include "controller/shop/shop.h"

void label_notify(struct shop *s, uint64_t addr);
/** Every label linked to a product, at most a few hundred. */
void label_notify_product(struct shop *s, int64_t product_id);
