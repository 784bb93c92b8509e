/* SPDX-License-Identifier: Apache-2.0 */
/** @file Shared by the handlers of /api/v1/labels. */
#pragma once

#include "controller/shop/label.h"
#include "controller/shop/shop_internal.h"

/** Loads the label that the path names; replies and returns false if there is none. */
bool label_api_load(struct http_request *rq, struct app *app, struct label *ret);
