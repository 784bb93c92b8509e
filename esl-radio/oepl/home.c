/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who serves a label. Access points that hear of each other show the labels of their neighbours as
 * "external"; those that do not each believe that a label which has moved is still theirs, until
 * kingdom come. The one that hears it call is right. A label is one label wherever it calls.
 */
#include "esl-radio/oepl/oepl.h"

#include "common/err.h"
#include <string.h>

#define CLOCK_SET_S   INT64_C(1600000000) /* an access point that knows the date is past this */
#define CLOCK_SLACK_S 120
#define TIDY_AGAIN_US (INT64_C(15) * US_PER_SEC)

/** A label that nobody wants is not worth a write. */
static void keep(struct oepl *o, const struct oepl_label *l)
{
	if (l->wanted || l->forgetting)
		oepl_save(o, l);
}

struct oepl_ap *oepl_home_by_id(struct oepl *o, uint32_t id)
{
	for (size_t i = 0; i < o->n_aps; i++)
		if (o->aps[i].id == id)
			return &o->aps[i];
	return NULL;
}

/** What is queued for it there would be shown when it comes back one day. */
static void take_back(struct oepl_label *l, const struct oepl_ap *ap)
{
	if (l->sending.state == OEPL_SENDING_NONE && l->flash.state != OEPL_FLASH_SENT)
		return;
	l->sending = (struct oepl_sending){0};
	if (ap)
		l->stale |= (uint8_t) (1u << ap->number);
}

void oepl_home_leave(struct oepl *o, struct oepl_label *l)
{
	take_back(l, l->ap);
	l->ap = NULL;
	l->present = false;
	keep(o, l);
}

/** Both say that it is theirs. */
static bool is_rightful(const struct oepl_ap *ap, struct oepl_label *l,
			const struct oepl_record *rec)
{
	bool called = l->rival == ap->number + 1 && rec->lastseen_s != l->rival_s;

	l->rival = (uint8_t) (ap->number + 1);
	l->rival_s = rec->lastseen_s;
	if (called)
		return true;
	/* Neither has heard it while we looked: whose record is newer, if both know the date. */
	return !l->called && l->rec.lastseen_s > CLOCK_SET_S &&
	       rec->lastseen_s > l->rec.lastseen_s + CLOCK_SLACK_S;
}

/** Another one than before. What the label shows it shows still, whatever this one's record says of
 * former times; unless this one has handed it something since, or it started anew. */
static void move_in(struct oepl_ap *ap, struct oepl_label *l, const struct oepl_record *rec)
{
	struct oepl_shown *s = &l->shown;
	int64_t handed_us = rec->updatelast_s * US_PER_SEC;
	bool dated = rec->updatelast_s > CLOCK_SET_S;

	take_back(l, oepl_home_by_id(ap->o, l->home));
	if (s->known && rec->wakeup < OEPL_WOKE_BY_BOOT &&
	    (!rec->updatelast_s || (dated && handed_us < s->since_utc_us)))
		memcpy(s->hash, rec->hash, sizeof(s->hash));
	else
		*s = (struct oepl_shown){0};
}

bool oepl_home_take(struct oepl_ap *ap, struct oepl_label *l, const struct oepl_record *rec)
{
	if (rec->external) {
		l->elsewhere = true;
		if (l->ap == ap)
			oepl_home_leave(ap->o, l);
		return false;
	}
	if (l->ap == ap) {
		l->called |= rec->lastseen_s != l->rec.lastseen_s;
		return true;
	}
	if (l->ap && !is_rightful(ap, l, rec))
		return false;
	if (l->home && l->home != ap->id)
		move_in(ap, l, rec);
	l->ap = ap;
	l->home = ap->id;
	l->elsewhere = l->called = false;
	l->rival = 0;
	l->present = false;
	keep(ap->o, l);
	return true;
}

bool oepl_home_is_nowhere(const struct oepl *o, const struct oepl_label *l)
{
	bool asked = false;

	for (size_t i = 0; i < o->n_aps; i++) {
		const struct oepl_ap *ap = &o->aps[i];

		if (ap->up && !ap->syncs)
			return false; /* it may be there */
		if (!ap->up && !ap->silent)
			return false;
		asked |= ap->up;
	}
	return asked && !l->ap;
}

bool oepl_home_tidy(struct oepl_ap *ap)
{
	struct oepl_label *l, *next;

	HASH_ITER (hh, ap->o->labels, l, next) {
		if (!(l->stale & 1u << ap->number) || oepl_now(ap->o) < l->tidy_us)
			continue;
		l->tidy_us = oepl_now(ap->o) + TIDY_AGAIN_US;
		oepl_send_clear(ap, OEPL_JOB_TIDY, l);
		return true;
	}
	return false;
}

void oepl_home_tidied(struct oepl_ap *ap, struct oepl_label *l, const struct oepl_reply *reply)
{
	/* 400: it does not know the label any more, which is as good. */
	if (reply->status != 200 && reply->status != 400)
		return;
	l->stale &= (uint8_t) ~(1u << ap->number);
	keep(ap->o, l);
}
