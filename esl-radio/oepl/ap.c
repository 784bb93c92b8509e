/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/oepl/oepl.h"

#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CONFIG_AGAIN_US (INT64_C(600) * US_PER_SEC)
#define FIRST_SYNCS     3
#define FIRST_SYNCS_FEW 8
#define SYNC_FIRST_US   (INT64_C(5) * US_PER_SEC)
#define SYNC_FEW_US     (INT64_C(2) * US_PER_SEC)
#define SYNC_FED_US     (INT64_C(900) * US_PER_SEC)
#define SYNC_SMALL_US   (INT64_C(60) * US_PER_SEC)
#define SYNC_LARGE_US   (INT64_C(300) * US_PER_SEC)
#define GUESTS_FEW_US   (INT64_C(5) * US_PER_SEC)
#define GUESTS_SMALL_US (INT64_C(20) * US_PER_SEC)
#define SMALL           64 /* labels */
#define FEW             30 /* that fit on a few pages */
#define FEED_AGAIN_US   (INT64_C(15) * US_PER_SEC)
#define TYPE_AGAIN_US   (INT64_C(600) * US_PER_SEC)
#define RETRY_MIN_US    (US_PER_SEC / 2)
#define RETRY_MAX_US    (INT64_C(60) * US_PER_SEC)
#define REFUSED_US      (INT64_C(5) * US_PER_SEC)
#define STARVED_US      (INT64_C(60) * US_PER_SEC)
#define TIMEOUT_US      (INT64_C(15) * US_PER_SEC)
#define DUMP_TIMEOUT_US (INT64_C(60) * US_PER_SEC)
#define POS_MAX         255                        /* the firmware counts positions in eight bits */
#define STORAGE_MIN     INT64_C(31000)             /* below this it draws no pictures */
#define HUNGRY_US       (INT64_C(15) * US_PER_SEC) /* it says how it is every few seconds */
#define HEAP_MIN        INT64_C(15000)
#define CONFIG_MAX      16384
#define PAGE_MAX        (size_t)(256u << 10)
#define TYPE_MAX        65536

/* --- how it is -------------------------------------------------------------------------------- */

const char *oepl_ap_trouble(const struct oepl_ap *ap, char text[ESL_TEXT_MAX])
{
	if (ap->silent)
		return "The access point does not answer.";
	if (ap->up && ap->apstate >= 0 && ap->apstate != OEPL_AP_ONLINE) {
		(void) snprintf(text, ESL_TEXT_MAX, "The access point answers, but %s.",
				oepl_apstate_text(ap->apstate));
		return text;
	}
	if (ap->up && ap->config.stamps)
		return "The access point prints the time on every picture: switch that off there.";
	if (ap->up && ap->storage_full)
		return "The access point's storage is full: it draws no pictures.";
	return NULL;
}

static void close_feed(struct oepl_ap *ap)
{
	if (ap->feed_asked)
		(void) !ap->net->ops->listen(ap->net, false);
	ap->feed = ap->feed_asked = false;
}

/** It does not answer. Whatever it was doing is asked for again when it does. */
static void fell_silent(struct oepl_ap *ap)
{
	int64_t wait_us = RETRY_MIN_US << MIN(ap->failures, 7);

	ap->failures++;
	ap->retry_us = oepl_now(ap->o) + MIN(wait_us, RETRY_MAX_US);
	ap->syncing = false;
	ap->config_us = 0;
	/* One request may get lost; the second says it is gone. */
	if (ap->failures < 2 && ap->up)
		return;
	close_feed(ap);
	ap->up = false;
	ap->silent = true;
	ap->zero_known = false;
	oepl_tell_radio(ap->o);
}

bool oepl_ap_answered(struct oepl_ap *ap, const struct oepl_reply *reply)
{
	if (reply->err < 0) {
		fell_silent(ap);
		return false;
	}
	ap->failures = 0;
	if (reply->status >= 500)
		oepl_ap_refused(ap);
	return true;
}

void oepl_ap_refused(struct oepl_ap *ap)
{
	int64_t wait_us = REFUSED_US << MIN(ap->refusals, 5);

	ap->refusals++;
	ap->upload_us = MAX(ap->upload_us, oepl_now(ap->o) + wait_us);
}

/** It may have restarted: a picture that it took and had not queued yet is not waited for, and one
 * that is gone was not given up. */
static void may_have_forgotten(struct oepl_ap *ap)
{
	struct oepl_label *l, *next;

	HASH_ITER (hh, ap->o->labels, l, next) {
		if (l->ap != ap || l->sending.state == OEPL_SENDING_NONE)
			continue;
		l->sending.state = OEPL_SENDING_QUEUED;
		l->sending.doubtful = true;
	}
}

/** It began anew: what it had queued is gone, its clock may be another. */
static void restarted(struct oepl_ap *ap)
{
	may_have_forgotten(ap);
	ap->zero_known = false;
	ap->config_us = 0;
	ap->sync_us = 0;
	ap->syncing = false;
}

/* --- asking ----------------------------------------------------------------------------------- */

static void ask(struct oepl_ap *ap, enum oepl_job job, const char *path, size_t max_reply,
		int64_t timeout_us)
{
	const struct oepl_request req = {
		.path = path, .max_reply = max_reply, .timeout_us = timeout_us};

	oepl_ask(ap, job, NULL, &req);
}

static void ask_database(struct oepl_ap *ap)
{
	char path[64];

	if (!ap->syncing) {
		ap->syncing = true;
		ap->pos = 0;
		ap->n = 0;
		ap->gen++;
	}
	if (ap->dump) {
		ask(ap, OEPL_JOB_DUMP, "/backup_db", OEPL_JSON_MAX, DUMP_TIMEOUT_US);
		return;
	}
	(void) snprintf(path, sizeof(path), "/get_db?pos=%d", ap->pos);
	ask(ap, OEPL_JOB_PAGE, path, PAGE_MAX, TIMEOUT_US);
}

static bool ask_type(struct oepl_ap *ap)
{
	struct oepl *o = ap->o;
	struct oepl_label *l, *next;
	char path[32];

	HASH_ITER (hh, o->labels, l, next) {
		struct oepl_type_slot *slot = &o->types[l->rec.hw_type];

		/* Only of labels that were heard: noise makes up types, too. */
		if (l->ap != ap || !l->rec.rssi_dbm || slot->state == OEPL_TYPE_GOOD ||
		    slot->again_us > oepl_now(o))
			continue;
		ap->job_type = l->rec.hw_type;
		(void) snprintf(path, sizeof(path), "/tagtypes/%02X.json", ap->job_type);
		ask(ap, OEPL_JOB_TYPE, path, TYPE_MAX, TIMEOUT_US);
		return true;
	}
	return false;
}

static void mind_feed(struct oepl_ap *ap)
{
	/* While somebody listens labels may be kept awake: then only as long as it is worth it. */
	bool want = !ap->config.stopsleep || ap->in_flight > 0;

	if (!want && ap->feed_asked)
		close_feed(ap);
	if (!want || ap->feed_asked || oepl_now(ap->o) < ap->feed_us)
		return;
	ap->feed_us = oepl_now(ap->o) + FEED_AGAIN_US;
	ap->feed_asked = ap->net->ops->listen(ap->net, true) >= 0;
}

/** A label that is waited for elsewhere may have been carried here. */
static bool may_have_guests(const struct oepl_ap *ap)
{
	const struct oepl *o = ap->o;
	unsigned int missed = o->homeless;

	for (size_t i = 0; i < o->n_aps; i++)
		missed += &o->aps[i] != ap ? o->aps[i].in_flight : 0;
	return o->n_aps > 1 && missed > 0;
}

static int64_t sync_due_us(const struct oepl_ap *ap)
{
	int64_t again_us = ap->n <= FEW     ? GUESTS_FEW_US
			   : ap->n <= SMALL ? GUESTS_SMALL_US
					    : SYNC_SMALL_US;

	return may_have_guests(ap) ? MIN(ap->sync_us, ap->synced_us + again_us) : ap->sync_us;
}

bool oepl_ap_work(struct oepl_ap *ap)
{
	struct oepl *o = ap->o;

	if (oepl_now(o) < ap->retry_us)
		return true; /* nothing else either */
	if (oepl_now(o) >= ap->config_us) {
		ask(ap, OEPL_JOB_CONFIG, "/get_ap_config", CONFIG_MAX, TIMEOUT_US);
		return true;
	}
	mind_feed(ap);
	if (!ap->info_asked) {
		ap->info_asked = true;
		ask(ap, OEPL_JOB_INFO, "/sysinfo", CONFIG_MAX, TIMEOUT_US);
		return true;
	}
	if (ap->syncing || oepl_now(o) >= sync_due_us(ap)) {
		ask_database(ap);
		return true;
	}
	return ask_type(ap);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void config_came(struct oepl_ap *ap, const struct oepl_reply *reply)
{
	struct oepl_config config;

	if (reply->status != 200 || oepl_config_parse(reply->body, reply->len, &config) < 0) {
		fell_silent(ap); /* something answers, but no access point */
		return;
	}
	ap->config = config;
	ap->apstate = config.apstate;
	ap->config_us = oepl_now(ap->o) + CONFIG_AGAIN_US;
	if (!ap->up) {
		may_have_forgotten(ap);
		ap->up = true;
		ap->silent = ap->info_asked = false;
		ap->sync_us = 0;
		ap->syncs = 0;
		ap->feed_us = 0;
	}
	oepl_tell_radio(ap->o);
}

/** Nobody has this label who should have it. */
static void miss(struct oepl *o, struct oepl_label *l)
{
	if (!l->wanted && !l->forgetting && !l->stale)
		oepl_drop(o, l);
	else if (l->elsewhere && l->n_wishes)
		oepl_tell_error(o, l, ENOENT,
				"An access point that this agent does not drive serves the label.",
				NULL);
	else if (l->sending.state != OEPL_SENDING_NONE || l->n_wishes)
		oepl_tell_error(o, l, ENOENT,
				o->n_aps > 1 ? "None of the access points knows this label."
					     : "The access point does not know this label.",
				NULL);
}

/** A label is believed when it has called twice: the first looks are close together. */
static int64_t next_sync_us(const struct oepl_ap *ap)
{
	if (ap->n <= FEW && ap->syncs < FIRST_SYNCS_FEW)
		return SYNC_FEW_US;
	if (ap->syncs < FIRST_SYNCS)
		return SYNC_FIRST_US;
	if (ap->feed)
		return SYNC_FED_US;
	return ap->n <= SMALL ? SYNC_SMALL_US : SYNC_LARGE_US;
}

/** All of it was read: who was not there is not there. */
static void sync_done(struct oepl_ap *ap)
{
	struct oepl *o = ap->o;
	struct oepl_label *l, *next;

	ap->syncing = false;
	ap->n_known = ap->n;
	ap->synced_us = oepl_now(o);
	ap->sync_us = ap->synced_us + next_sync_us(ap);
	ap->syncs++;
	HASH_ITER (hh, o->labels, l, next) {
		if (l->ap == ap && l->gen != ap->gen) {
			l->sending = (struct oepl_sending){0}; /* forgotten there, too */
			oepl_home_leave(o, l);
		}
		if (oepl_home_is_nowhere(o, l))
			miss(o, l);
	}
}

static void sync_failed(struct oepl_ap *ap)
{
	ap->syncing = false;
	ap->synced_us = oepl_now(ap->o);
	ap->sync_us = ap->synced_us + SYNC_SMALL_US;
}

/* A page that does not lead forward, or past what eight bits count: the firmware would begin anew
 * from the first label, for ever. The dump has them all. */
static void page_came(struct oepl_ap *ap, const struct oepl_reply *reply)
{
	struct oepl_page page;

	if (!ap->syncing)
		return;
	if (reply->status != 200 ||
	    oepl_page_parse(reply->body, reply->len, oepl_record_came, ap, &page) < 0) {
		sync_failed(ap);
		return;
	}
	ap->n += page.n;
	if (page.next < 0) {
		sync_done(ap);
	} else if (page.next <= ap->pos || page.next > POS_MAX) {
		ap->dump = true;
	} else {
		ap->pos = page.next;
	}
}

static void dump_came(struct oepl_ap *ap, const struct oepl_reply *reply)
{
	struct oepl_page page;

	if (!ap->syncing)
		return;
	ap->n = 0;
	if (reply->status != 200 ||
	    oepl_dump_parse(reply->body, reply->len, oepl_record_came, ap, &page) < 0) {
		sync_failed(ap);
		return;
	}
	ap->n = page.n;
	ap->dump = page.n > POS_MAX;
	sync_done(ap);
}

static void info_came(struct oepl_ap *ap, const struct oepl_reply *reply)
{
	if (reply->status != 200 || oepl_info_parse(reply->body, reply->len, ap->version) < 0)
		ap->version[0] = '\0';
}

static void type_came(struct oepl_ap *ap, const struct oepl_reply *reply)
{
	struct oepl *o = ap->o;
	struct oepl_type_slot *slot = &o->types[ap->job_type];
	struct oepl_label *l, *next;

	slot->again_us = oepl_now(o) + TYPE_AGAIN_US;
	if (reply->status == 200 && oepl_type_parse(reply->body, reply->len, &slot->type) == 0)
		slot->state = OEPL_TYPE_GOOD;
	else if (slot->state != OEPL_TYPE_GOOD)
		slot->state = OEPL_TYPE_BAD;
	HASH_ITER (hh, o->labels, l, next) {
		if (!l->ap || l->rec.hw_type != ap->job_type)
			continue;
		oepl_label_meet(o, l);
		if (l->wanted && slot->state == OEPL_TYPE_BAD)
			oepl_tell_error(
				o, l, ERR_PEER,
				"The access point has no description of this kind of label.", NULL);
	}
}

void oepl_ap_answer(struct oepl_ap *ap, enum oepl_job job, const struct oepl_reply *reply)
{
	switch (job) {
	case OEPL_JOB_CONFIG:
		config_came(ap, reply);
		break;
	case OEPL_JOB_INFO:
		info_came(ap, reply);
		break;
	case OEPL_JOB_PAGE:
		page_came(ap, reply);
		break;
	case OEPL_JOB_DUMP:
		dump_came(ap, reply);
		break;
	case OEPL_JOB_TYPE:
		type_came(ap, reply);
		break;
	default:
		break;
	}
}

/* --- the feed --------------------------------------------------------------------------------- */

void oepl_ap_feed(struct oepl_ap *ap, bool up)
{
	bool was = ap->feed;

	ap->feed = up;
	if (up)
		return;
	ap->feed_asked = false;
	ap->feed_us = oepl_now(ap->o) + FEED_AGAIN_US;
	if (was)
		restarted(ap); /* perhaps: look */
	oepl_pump_soon(ap->o);
}

void oepl_ap_message(struct oepl_ap *ap, const uint8_t *text, size_t len)
{
	const struct oepl *o = ap->o;
	struct oepl_message m;

	if (oepl_message_parse(text, len, oepl_record_came, ap, &m) < 0)
		return; /* garbage proves nothing */
	if (strcasestr(m.error, "memory")) {
		ap->upload_us = MAX(ap->upload_us, oepl_now(o) + STARVED_US);
	}
	if (!m.sys)
		return;
	ap->said = m;
	if (m.currtime_s > 0) {
		ap->zero_us = oepl_now(o) - m.currtime_s * US_PER_SEC;
		ap->zero_known = true;
	}
	if (m.uptime_s >= 0) {
		if (m.uptime_s < ap->uptime_s)
			restarted(ap);
		ap->uptime_s = m.uptime_s;
	}
	if (m.heap >= 0 && m.heap < HEAP_MIN)
		ap->upload_us = MAX(ap->upload_us, oepl_now(o) + HUNGRY_US);
	if (m.storage_free >= 0)
		ap->storage_full = m.storage_free < STORAGE_MIN;
	if (m.apstate >= 0)
		ap->apstate = m.apstate;
	oepl_tell_radio(ap->o);
}
