/* SPDX-License-Identifier: Apache-2.0 */
/** @file GET /api/v1/audit: who did what, newest first. Rows are written by db_audit(). */
#pragma once

#include "controller/http/http.h"

extern const struct http_route audit_routes[];
