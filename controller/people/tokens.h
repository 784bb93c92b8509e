/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Tokens for machines: `Authorization: Bearer gt_...`. A token has a name, permissions out of those
 * of the person who makes it, and an end. It is shown once; the database has its hash. What it may
 * do is looked up in every request: a maker who lost a permission has lost it for his tokens, too,
 * and with the maker they go. A token makes no further tokens and has no session.
 */
#pragma once

#include "controller/app.h"
#include "controller/http/http.h"

#define TOKEN_PREFIX "gt_"

/** What a request with an Authorization header may do; like auth_identify(). `ret->user` is
 * "token:NAME". The buffers are the caller's and hold until the request has copied them. */
int token_identify(struct app *app, const char *authorization, char *name, size_t name_len,
		   uint8_t hash[32], struct http_who *ret) _must_check_;
/** Is the token of this hash still good? */
bool token_alive(struct app *app, const uint8_t hash[32]);

/** /api/v1/tokens and /api/v1/sessions. */
extern const struct http_route token_routes[];
extern const struct http_route session_routes[];
