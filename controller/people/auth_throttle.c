/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/people/auth_throttle.h"
#include <errno.h>
#include <sodium.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Keys come from strangers: the table is indexed by a keyed hash that they cannot aim. */
struct entry {
	uint64_t id;
	unsigned int failures;
	int64_t last_us;
	int64_t until_us;
	UT_hash_handle hh;
};

struct throttle {
	struct throttle_rule rule;
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct entry *entries; /* oldest charge first */
};

int throttle_new(const struct throttle_rule *rule, struct throttle **ret)
{
	struct throttle *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->rule = *rule;
	crypto_shorthash_keygen(t->key);
	*ret = t;
	return 0;
}

void throttle_free(struct throttle *t)
{
	struct entry *e, *next;

	if (!t)
		return;
	HASH_ITER (hh, t->entries, e, next) {
		HASH_DEL(t->entries, e);
		free(e);
	}
	free(t);
}

static struct entry *find(struct throttle *t, const char *key, uint64_t *ret_id)
{
	struct entry *e;

	_Static_assert(crypto_shorthash_BYTES == sizeof(*ret_id), "hash fills the id");
	crypto_shorthash((unsigned char *) ret_id, (const unsigned char *) key, strlen(key),
			 t->key);
	HASH_FIND(hh, t->entries, ret_id, sizeof(*ret_id), e);
	return e;
}

int64_t throttle_wait_us(struct throttle *t, const char *key, int64_t now_us)
{
	uint64_t id;
	const struct entry *e = find(t, key, &id);

	return e && e->until_us > now_us ? e->until_us - now_us : 0;
}

void throttle_charge(struct throttle *t, const char *key, int64_t now_us)
{
	uint64_t id;
	struct entry *e = find(t, key, &id);
	unsigned int over;
	int64_t wait;

	if (e) {
		HASH_DEL(t->entries, e);
		if (now_us - e->last_us > t->rule.forget_us)
			e->failures = 0;
	} else if (HASH_COUNT(t->entries) >= t->rule.max_entries) {
		e = t->entries;
		HASH_DEL(t->entries, e);
		memset(e, 0, sizeof(*e));
	} else {
		e = calloc(1, sizeof(*e));
		if (!e)
			return;
	}
	e->id = id;
	e->last_us = now_us;
	e->failures++;
	if (e->failures > t->rule.free_failures) {
		over = MIN(e->failures - t->rule.free_failures - 1, 30u);
		wait = t->rule.base_us << over;
		e->until_us = now_us + MIN(wait, t->rule.max_us);
	}
	HASH_ADD(hh, t->entries, id, sizeof(e->id), e);
	if (!e->hh.tbl)
		free(e);
}

void throttle_refund(struct throttle *t, const char *key)
{
	uint64_t id;
	struct entry *e = find(t, key, &id);

	if (!e)
		return;
	if (e->failures > 0)
		e->failures--;
	e->until_us = 0;
}

void throttle_forgive(struct throttle *t, const char *key)
{
	uint64_t id;
	struct entry *e = find(t, key, &id);

	if (!e)
		return;
	HASH_DEL(t->entries, e);
	free(e);
}

size_t throttle_size(const struct throttle *t)
{
	return HASH_COUNT(t->entries);
}
