/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The web page's files. A path names a file below web_root or nothing: segments are decoded and
 * free of "." and "..", and what they lead to must still lie below web_root after every link is
 * followed.
 */
#pragma once

#include "controller/http/http.h"

/** Fallback handler: a file, else index.html for addresses of the page's own router, else 404. */
void static_get(struct http_request *rq, struct app *app);
