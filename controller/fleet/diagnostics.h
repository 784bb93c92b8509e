/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * GET /api/v1/diagnostics: what somebody who helps from afar needs to see, in one JSON document,
 * and nothing that opens a door or names a person. Everything in it is named here one by one; what
 * is added to the configuration or the database later is left out until somebody adds it on
 * purpose.
 */
#pragma once

#include "controller/http/http.h"

extern const struct http_route diagnostics_routes[];
