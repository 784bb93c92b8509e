/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * For machines: /healthz (the loop turns), /readyz (writes succeed), /metrics (Prometheus text, no
 * series per item, label, person or address).
 */
#pragma once

#include "controller/http/http.h"

extern const struct http_route metrics_routes[];

/** Appends the text of /metrics. */
void metrics_write(struct app *app, struct buf *b);
