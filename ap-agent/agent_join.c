/* SPDX-License-Identifier: Apache-2.0 */
/* What an enrolment leaves behind: the code is spent, and another store's CA means to begin anew.
 */
#include "ap-agent/agent_impl.h"
#include "common/err.h"
#include <string.h>

static void code_hash(const struct joincode *code, uint8_t hash[IMAGE_HASH_BYTES])
{
	image_hash(code->text, strlen(code->text), hash);
}

/* The code is in the unit file or the configuration and stays there: it is used once. */
bool agent_code_used(struct agent *a, const struct joincode *code)
{
	uint8_t hash[IMAGE_HASH_BYTES], old[IMAGE_HASH_BYTES];
	size_t len;

	code_hash(code, hash);
	return store_meta_get(a->store, "code", old, sizeof(old), &len) == 0 &&
	       len == sizeof(old) && memcmp(hash, old, len) == 0;
}

static void forget_label(void *user, const struct proto_desired_label *label)
{
	struct agent *a = user;

	if (a->labels)
		labels_forget(a->labels, label->addr);
}

/* Another store's CA: what we owe and know belongs to the one before. */
static int start_over(struct agent *a)
{
	int r;

	log_notice("agent", "msg=\"joined another store; forgetting the one before\"");
	r = agent_serve(a); /* labels are only let go of by a radio that works */
	if (r < 0)
		return r;
	if (a->labels) {
		r = store_desired_labels(a->store, forget_label, a);
		if (r < 0)
			return r;
	}
	readers_want(a->readers, NULL, 0);
	readers_forget(a->readers);
	r = operations_forget(a->operations);
	if (r < 0)
		return r;
	r = store_start_over(a->store);
	return r < 0 ? r : journal_reload(a->journal);
}

int agent_remember_joining(struct agent *a, const char *name)
{
	uint8_t hash[IMAGE_HASH_BYTES], old[IMAGE_HASH_BYTES];
	const struct joincode *code = &a->given;
	size_t ca_len, old_len;
	const void *ca = identity_ca(a->identity, &ca_len);
	int r;

	image_hash(ca, ca_len, hash);
	if (store_meta_get(a->store, "ca", old, sizeof(old), &old_len) == 0 &&
	    (old_len != sizeof(old) || memcmp(hash, old, sizeof(old)) != 0)) {
		r = start_over(a);
		if (r < 0)
			return r;
	}
	r = store_meta_set(a->store, "ca", hash, sizeof(hash));
	if (r >= 0)
		r = store_meta_set(a->store, "name", name, strlen(name));
	if (r >= 0) {
		code_hash(code, hash);
		r = store_meta_set(a->store, "code", hash, sizeof(hash));
	}
	return r;
}
