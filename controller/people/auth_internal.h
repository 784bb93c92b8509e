/* SPDX-License-Identifier: Apache-2.0 */
/** @file What auth.c (sessions), auth_http.c (signing in) and users.c share. */
#pragma once

#include "controller/people/auth.h"
#include "controller/people/auth_password.h"
#include "controller/people/auth_throttle.h"

#define SESSION_IDLE_US  (12 * 3600 * US_PER_SEC)
#define SESSION_MAX_US   (7 * 24 * 3600 * US_PER_SEC)
#define SESSION_TOUCH_US (300 * US_PER_SEC)
#define SESSION_COOKIE   "__Host-gondola"
#define USER_NAME_MAX    64
#define SESSION_BYTES    32

struct auth {
	struct app *app;
	struct passwords *passwords;
	struct throttle *by_user, *by_address;
	struct loop_timer *tidy;
	/* What http_who points at until the request has copied it. */
	char who_name[USER_NAME_MAX + 1];
	uint8_t who_session[32];
};

/** Hash of a session token, as the database knows it. */
void auth_token_hash(const uint8_t token[SESSION_BYTES], uint8_t ret_hash[32]);
/** The address to charge: IPv6 by its /64. */
void auth_address_key(const char *remote, char *buf, size_t cap);
