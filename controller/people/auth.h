/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * People: users with roles, sessions by cookie, and the brake on guessing.
 *
 * A session is a random 256-bit token in the cookie __Host-gondola; the database has its hash. It
 * ends after 12 hours without use, after 7 days, at sign-out, and when its user's password changes.
 */
#pragma once

#include "controller/app.h"
#include "controller/http/http.h"

struct auth;

int auth_new(struct app *app, struct auth **ret) _must_check_;
void auth_free(struct auth *a);

/** /api/v1/session and /api/v1/users. */
extern const struct http_route auth_routes[];
extern const struct http_route users_routes[];

/** http_identify_fn of the public listener; `user` is the struct auth. */
int auth_identify(void *user, struct http_request *rq, struct http_who *ret);
/** Is this session (http_who.session) still good? For streams that outlive their request. */
bool auth_session_alive(struct auth *a, const uint8_t session[32]);
/** Name for the audit trail: the user, or "agent:7". Borrowed buffer of the caller. */
#define AUTH_WHO_MAX 72
const char *auth_who_text(const struct http_who *who, char buf[AUTH_WHO_MAX]);

/** If there are no users yet: makes `admin` and prints its password on `out`, this once. */
int auth_first_admin(struct app *app, FILE *out) _must_check_;
/** Gives a user a new password and ends his sessions, straight in the database file; a running
 * daemon notices. Prints the password on `out`. -ENOENT if there is no such user or database. */
int auth_reset_password(const char *state_dir, const char *user, int64_t now_us,
			FILE *out) _must_check_;
