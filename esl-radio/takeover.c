/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels that another machine looked after until now: an access point that died, or one that a
 * label was carried away from. What that one kept of them is given to esl_engine_take_over().
 *
 * What counts is the bond, with which the label lets us in although it has never met us: it lost
 * the other's train, advertises, and is visited as any label that lost its way. Such a visit gives
 * it new keys of ours, our time and our train, so that none of the other's keys is used on. What
 * the other knew of its pictures may have been overtaken by what it did last, and nobody can say
 * by how much: no slot is trusted, what is wished for is written anew and shown anew, and a timed
 * change that it may have been given is taken back before its clock is set to ours.
 */
#include "esl-radio/engine.h"
#include "esl-radio/keys.h"
#include "esl-radio/label.h"
#include "esl-radio/packer.h"
#include "esl-radio/persist.h"
#include "esl-radio/wake.h"

#include "common/err.h"
#include "common/hex.h"
#include <errno.h>
#include <string.h>

/** A number the label answers to already, in the emptiest group that has it free. */
static void keep_id(struct esl_engine *e, struct esl_label *l)
{
	int best = -1;

	for (unsigned int g = 0; g < e->train.subevents; g++)
		if (!(e->groups[g].used[l->id / 8] & 1u << l->id % 8) &&
		    (best < 0 || e->groups[g].n < e->groups[best].n))
			best = (int) g;
	if (best >= 0)
		ignore_result(esl_label_place(e, l, (uint8_t) best, l->id));
}

static int take_label(struct esl_engine *e, const char *key, const void *data, size_t len)
{
	uint8_t addr[ESL_ADDR_BYTES];
	struct esl_label *l;
	int r;

	if (hex_decode(key, addr, sizeof(addr)) < 0)
		return -ERR_SYNTAX;
	l = esl_label_find(e, addr);
	if (l && l->forgetting) /* it was ours once, and comes back */
		esl_label_drop(e, l);
	else if (l)
		return -EEXIST;
	r = esl_restore_label(e, key, data, len);
	if (r < 0)
		return r;
	l = esl_label_find(e, addr);
	esl_keys_given(e, l, e->key_gen);
	l->configured = l->rekeying = l->forgetting = false;
	l->phase = ESL_PHASE_WAITING;
	l->time_gen = 0;
	esl_label_forget_slots(l);
	l->queue_known = false;
	l->pending = (struct esl_pending){.state = ESL_PENDING_FOREIGN, .at_us = ESL_NEVER};
	if (!l->has_address && l->id <= ESL_ID_MAX)
		keep_id(e, l);
	/* Nothing would answer to what takes it back; and who has to pair has forgotten it. */
	if (!l->has_address || memcmp(e->adopted, addr, sizeof(addr)) != 0)
		l->pending.state = ESL_PENDING_NONE;
	r = esl_save_label(e, l);
	if (r < 0) {
		esl_label_drop(e, l);
		return r;
	}
	esl_reconsider(e, l);
	return 0;
}

static int take_bond(struct esl_engine *e, const char *key, const void *data, size_t len)
{
	int r = e->link && e->link->ops->adopt ? e->link->ops->adopt(e->link, key, data, len)
					       : -ENOTSUP;

	if (r == 0 && hex_decode(key + strlen(ESL_LINK_KEEPS), e->adopted, sizeof(e->adopted)) < 0)
		memset(e->adopted, 0, sizeof(e->adopted));
	return r;
}

int esl_take_over(struct esl_engine *e, const char *key, const void *data, size_t len)
{
	if (!e->started)
		return -ERR_STATE;
	if (strncmp(key, ESL_LINK_KEEPS, strlen(ESL_LINK_KEEPS)) == 0)
		return take_bond(e, key, data, len);
	if (strcmp(key, "train") == 0 || strchr(key, ':'))
		return -ENOTSUP;
	return take_label(e, key, data, len);
}

bool esl_knows(const struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES])
{
	const struct esl_label *l = esl_label_find(e, addr);

	return l && !l->forgetting;
}
