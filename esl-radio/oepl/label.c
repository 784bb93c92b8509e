/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/oepl/oepl.h"

#include "common/err.h"
#include "esl-radio/oepl/pixels.h"
#include <errno.h>
#include <string.h>

#define STATUS_AGAIN_US (INT64_C(600) * US_PER_SEC)
#define LOST_S          900
#define AWAIT_US        (INT64_C(150) * US_PER_SEC)
#define LOST_SLACK_S    300

/* --- when it calls ---------------------------------------------------------------------------- */

int64_t oepl_interval_s(const struct oepl_label *l)
{
	int64_t s = l->rec.nextcheckin_s - l->rec.lastseen_s;

	if (!l->rec.lastseen_s || !l->rec.nextcheckin_s || s <= OEPL_AWAKE_S)
		return OEPL_AWAKE_S;
	return s;
}

int64_t oepl_not_before(const struct oepl *o, const struct oepl_label *l)
{
	int64_t s = oepl_interval_s(l);

	if (!l->heard_us)
		return oepl_now(o);
	/* A sleeper's clock runs as it likes; 5 % is what such an oscillator may be off. */
	s = s <= OEPL_AWAKE_S ? OEPL_POLL_S : s - s / 20;
	return MAX(l->heard_us + s * US_PER_SEC, oepl_now(o));
}

bool oepl_is_lost(const struct oepl *o, const struct oepl_label *l)
{
	int64_t patience_s = MAX(OEPL_PATIENCE * oepl_interval_s(l) + LOST_SLACK_S, LOST_S);

	if (l->rec.nextcheckin_s == OEPL_SLEEPS_S)
		return true;
	return l->heard_us && oepl_now(o) - l->heard_us > patience_s * US_PER_SEC;
}

bool oepl_is_awaited(const struct oepl *o, const struct oepl_label *l)
{
	if (l->sending.state != OEPL_SENDING_NONE || l->flash.state == OEPL_FLASH_SENT)
		return true;
	return l->wanted && l->shown.known && l->shown.exact &&
	       l->shown.grade < ESL_GRADE_CONFIRMED && oepl_now(o) - l->shown.drawn_us < AWAIT_US;
}

/** The access point's clock, learned from what it says it heard when. */
static int64_t instant_of(struct oepl_ap *ap, int64_t ap_s)
{
	const struct oepl *o = ap->o;

	if (!ap_s)
		return 0;
	if (!ap->zero_known || ap->zero_us + ap_s * US_PER_SEC > oepl_now(o) + US_PER_SEC) {
		ap->zero_us = oepl_now(o) - ap_s * US_PER_SEC;
		ap->zero_known = true;
	}
	return MIN(ap->zero_us + ap_s * US_PER_SEC, oepl_now(o));
}

/* --- who it is -------------------------------------------------------------------------------- */

/** A record that noise on the air made up: such a label never calls a second time, or is of a type
 * that there is not. */
static bool is_real(const struct oepl *o, const struct oepl_label *l)
{
	return oepl_type_of(o, l) && l->rec.rssi_dbm != 0 &&
	       (l->rec.updatecount > 0 || l->rec.lastseen_s != l->first_seen_s);
}

void oepl_label_meet(struct oepl *o, struct oepl_label *l)
{
	const struct oepl_type *t = oepl_type_of(o, l);
	uint8_t display;

	if (!t)
		return;
	display = oepl_display_type(t);
	if (l->width != t->width || l->height != t->height || l->display_type != display) {
		l->width = t->width;
		l->height = t->height;
		l->display_type = display;
		l->associated = false;
	}
	if (!l->wanted) {
		if (is_real(o, l) && !oepl_is_lost(o, l))
			oepl_tell_seen(o, l);
	} else if (!l->associated) {
		l->associated = true;
		oepl_tell_associated(o, l);
		oepl_save(o, l);
	}
}

/* --- what it shows ---------------------------------------------------------------------------- */

/** What it showed it shows no longer. */
static void lose_picture(struct oepl *o, struct oepl_label *l, const char *why)
{
	uint8_t image[IMAGE_HASH_BYTES];

	memcpy(image, l->shown.image, sizeof(image));
	l->shown = (struct oepl_shown){0};
	oepl_save(o, l);
	oepl_tell_error(o, l, ERR_CONFLICT, why, image);
}

static void check_shown(struct oepl *o, struct oepl_label *l, const struct oepl_record *old)
{
	struct oepl_shown *s = &l->shown;
	bool called = old->lastseen_s && l->rec.lastseen_s != old->lastseen_s;

	if (!s->known)
		return;
	if (called && l->rec.wakeup >= OEPL_WOKE_BY_BOOT) {
		lose_picture(o, l, "The label restarted and lost its picture; it is sent again.");
		return;
	}
	if (l->rec.pending == 0 && memcmp(l->rec.hash, s->hash, sizeof(s->hash)) != 0) {
		if (l->sending.state == OEPL_SENDING_NONE)
			lose_picture(o, l,
				     "The access point has another picture for this label than the "
				     "one sent from here; it is sent again.");
		return;
	}
	if (called && s->exact && s->told && s->grade < ESL_GRADE_CONFIRMED &&
	    l->heard_us >= s->drawn_us && l->rec.pending == 0) {
		s->grade = ESL_GRADE_CONFIRMED;
		oepl_save(o, l);
		oepl_tell_shown(o, l);
	}
}

/* --- records ---------------------------------------------------------------------------------- */

static struct oepl_label *label_of(struct oepl *o, const struct oepl_record *rec)
{
	const uint8_t *addr = rec->mac + OEPL_MAC_BYTES - ESL_ADDR_BYTES;
	struct oepl_label *l = rec->external ? oepl_find(o, addr) : oepl_find_or_add(o, addr);

	if (!l)
		return NULL;
	if (!l->has_mac) {
		memcpy(l->mac, rec->mac, sizeof(l->mac));
		l->has_mac = true;
	}
	/* Two labels that differ in the first two bytes alone: only one of them can be ours. */
	return memcmp(l->mac, rec->mac, sizeof(l->mac)) == 0 ? l : NULL;
}

static void take_record(struct oepl_ap *ap, struct oepl_label *l, const struct oepl_record *rec)
{
	struct oepl *o = ap->o;

	if (!l->present)
		l->first_seen_s = rec->lastseen_s;
	if (l->present && l->rec.hw_type != rec->hw_type)
		l->associated = false;
	l->rec = *rec;
	l->present = true;
	l->gen = ap->gen;
	l->rec_us = oepl_now(o);
	l->heard_us = instant_of(ap, rec->lastseen_s);
	if (l->lost_told && !oepl_is_lost(o, l)) {
		l->lost_told = false;
		oepl_tell_status(o, l);
	}
	oepl_label_meet(o, l);
}

void oepl_record_came(void *user, const struct oepl_record *rec)
{
	struct oepl_ap *ap = user;
	struct oepl *o = ap->o;
	struct oepl_label *l = label_of(o, rec);
	struct oepl_record old = {0};

	if (!l || !oepl_home_take(ap, l, rec))
		return;
	if (l->present)
		old = l->rec;
	take_record(ap, l, rec);
	if (l->wanted) {
		oepl_flash_evidence(o, l);
		oepl_send_evidence(o, l);
		check_shown(o, l, &old);
	}
	oepl_pump_soon(o);
}

void oepl_label_tick(struct oepl *o, struct oepl_label *l)
{
	if (!l->wanted)
		return;
	oepl_send_tick(o, l);
	oepl_flash_tick(o, l);
	if (l->shown.known && !l->shown.told && oepl_now(o) >= l->shown.drawn_us) {
		l->shown.told = true;
		oepl_tell_shown(o, l);
		oepl_save(o, l);
	}
	if (!l->lost_told && l->ap && l->ap->up && oepl_is_lost(o, l)) {
		l->lost_told = true;
		oepl_tell_lost(o, l);
	}
	if (l->associated && l->heard_us && oepl_now(o) - l->heard_us < STATUS_AGAIN_US &&
	    (!l->told_status_us || oepl_now(o) - l->told_status_us >= STATUS_AGAIN_US))
		oepl_tell_status(o, l);
}
