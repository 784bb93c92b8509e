/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The front door of the promotions' room: the routes. What the shelf shows at an instant is asked
 * of offer.h, wall times of walltime.h; promotion.h has the map of the rest.
 */
#pragma once

#include "controller/app.h"
#include "controller/http/http.h"

extern const struct http_route promo_routes[];
