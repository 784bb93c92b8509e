/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Passwords: argon2id on the work pool, a few at a time, so that neither the loop nor the rendering
 * of labels waits for people who sign in. Hashes carry their parameters.
 */
#pragma once

#include "common/loop.h"

#define PASSWORD_MIN      10
#define PASSWORD_MAX      256
#define PASSWORD_HASH_MAX 128

struct passwords;

int passwords_new(struct loop *l, struct passwords **ret) _must_check_;
/** Waits for what runs; what is queued is called back with -ERR_CLOSED. */
void passwords_free(struct passwords *p);

/** err: 0 = right, -ERR_AUTH = wrong. */
typedef void (*password_done)(void *user, int err, const char *hash);
/** Checks against a stored hash; NULL = nobody's: takes as long and fails. -EAGAIN if too many wait
 * (done is not called). */
int passwords_verify(struct passwords *p, const char *hash, const char *password,
		     password_done done, void *user) _must_check_;
/** Hashes a new password; done gets the hash. */
int passwords_hash(struct passwords *p, const char *password, password_done done,
		   void *user) _must_check_;

/** At once, for the first start and the local reset. */
int password_hash_now(const char *password, char ret_hash[PASSWORD_HASH_MAX]) _must_check_;
/** 20 random characters of an alphabet without look-alikes: 99 bits. */
#define PASSWORD_RANDOM_LEN 20
void password_random(char ret[PASSWORD_RANDOM_LEN + 1]);
