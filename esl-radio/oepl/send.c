/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/oepl/oepl.h"

#include "common/err.h"
#include "common/hex.h"
#include "esl-radio/oepl/pixels.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define AHEAD_US       (INT64_C(900) * US_PER_SEC)
#define BETWEEN_US     US_PER_SEC /* uploads: this is what its storage and processor live through */
#define QUEUE_US       (INT64_C(45) * US_PER_SEC) /* from "200" to a picture drawn and queued */
#define FETCH_MIN_S    600
#define BLOCK_BYTES    4096
#define BLOCK_AIR_US   (INT64_C(1500) * US_PER_MS)
#define CALL_AIR_US    (INT64_C(2) * US_PER_SEC)
#define HOLD_MIN_S     15
#define HOLD_MAX_S     900
#define MISFIT_HOLD_S  600
#define ASK_SOON_US    (INT64_C(3) * US_PER_SEC)
#define ASK_US         (INT64_C(10) * US_PER_SEC)
#define TIMEOUT_US     (INT64_C(20) * US_PER_SEC)
#define REDRAW_BW_US   (INT64_C(4) * US_PER_SEC)
#define REDRAW_MORE_US (INT64_C(20) * US_PER_SEC)
#define SMALL_REPLY    1024
#define QUEUED_MAX     (IMAGE_MAX_BYTES + 4096)

/* --- what should be on its way ---------------------------------------------------------------- */

static int wish_now(const struct oepl *o, const struct oepl_label *l)
{
	int now = -1;

	for (int i = 0; i < l->n_wishes; i++)
		if (l->wishes[i].from_us <= 0 ||
		    (o->utc_known && l->wishes[i].from_us <= oepl_utc(o)))
			now = i;
	return now;
}

static bool same(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, IMAGE_HASH_BYTES) == 0;
}

/** What comes next may go now, if the label is not expected before its date: what is handed over
 * is shown when the label calls. */
static bool may_go_ahead(const struct oepl *o, const struct oepl_label *l,
			 const struct oepl_wish *next)
{
	int64_t at_us = next->from_us - o->utc_us;

	if (!o->utc_known || at_us - oepl_now(o) > AHEAD_US)
		return false;
	if (l->sending.state != OEPL_SENDING_NONE && same(l->sending.image, next->image))
		return true; /* it went already */
	return l->heard_us && oepl_not_before(o, l) >= at_us;
}

const struct oepl_wish *oepl_target(const struct oepl *o, const struct oepl_label *l)
{
	int now = wish_now(o, l);

	if (now + 1 < l->n_wishes && may_go_ahead(o, l, &l->wishes[now + 1]))
		return &l->wishes[now + 1];
	return now < 0 ? NULL : &l->wishes[now];
}

/* --- steps ------------------------------------------------------------------------------------ */

static const char *mac_text(const struct oepl_label *l, char text[2 * OEPL_MAC_BYTES + 1])
{
	hex_encode(l->mac, sizeof(l->mac), text);
	for (char *p = text; *p; p++)
		if (*p >= 'a')
			*p = (char) (*p - 'a' + 'A');
	return text;
}

static void ask_path(enum oepl_job job, const struct oepl_label *l, const char *path,
		     size_t max_reply)
{
	const struct oepl_request req = {
		.path = path, .max_reply = max_reply, .timeout_us = TIMEOUT_US};

	oepl_ask(l->ap, job, l, &req);
}

static void ask_record(struct oepl *o, struct oepl_label *l)
{
	char mac[2 * OEPL_MAC_BYTES + 1], path[64];

	l->asked_us = oepl_now(o);
	(void) snprintf(path, sizeof(path), "/get_db?mac=%s", mac_text(l, mac));
	ask_path(OEPL_JOB_ASK, l, path, 65536);
}

static void ask_queued(const struct oepl_label *l)
{
	char mac[2 * OEPL_MAC_BYTES + 1], path[96];

	/* Version 0 means whatever is first in the queue. */
	(void) snprintf(path, sizeof(path), "/getdata?mac=%s&md5=0000000000000000",
			mac_text(l, mac));
	ask_path(OEPL_JOB_READ, l, path, QUEUED_MAX);
}

static void ask_kept(const struct oepl_label *l)
{
	char mac[2 * OEPL_MAC_BYTES + 1], path[64];

	(void) snprintf(path, sizeof(path), "/current/%s.raw", mac_text(l, mac));
	ask_path(OEPL_JOB_KEPT, l, path, QUEUED_MAX);
}

void oepl_send_clear(struct oepl_ap *ap, enum oepl_job job, const struct oepl_label *l)
{
	char mac[2 * OEPL_MAC_BYTES + 1];
	const struct oepl_field fields[] = {{"mac", mac_text(l, mac), sizeof(mac) - 1, NULL},
					    {"cmd", "clear", 5, NULL}};
	const struct oepl_request req = {.path = "/tag_cmd",
					 .fields = fields,
					 .n_fields = ARRAY_SIZE(fields),
					 .max_reply = SMALL_REPLY,
					 .timeout_us = TIMEOUT_US};

	oepl_ask(ap, job, l, &req);
}

static void ask_upload(const struct oepl_label *l, const struct buf *jpeg)
{
	char mac[2 * OEPL_MAC_BYTES + 1];
	const struct oepl_field fields[] = {{"mac", mac_text(l, mac), sizeof(mac) - 1, NULL},
					    {"dither", "0", 1, NULL},
					    {"rotate", "0", 1, NULL},
					    {"invert", "0", 1, NULL},
					    {"file", jpeg->data, jpeg->len, "label.jpg"}};
	const struct oepl_request req = {.path = "/imgupload",
					 .fields = fields,
					 .n_fields = ARRAY_SIZE(fields),
					 .max_reply = SMALL_REPLY,
					 .timeout_us = TIMEOUT_US};

	oepl_ask(l->ap, OEPL_JOB_UPLOAD, l, &req);
}

/* --- how it ends ------------------------------------------------------------------------------ */

static void failed(struct oepl *o, struct oepl_label *l, int code, const char *text)
{
	uint8_t image[IMAGE_HASH_BYTES];
	int64_t hold_s = (int64_t) HOLD_MIN_S << MIN(l->tries, 6);

	memcpy(image, l->sending.image, sizeof(image));
	l->sending = (struct oepl_sending){0};
	l->hold_us = oepl_now(o) + MIN(hold_s, HOLD_MAX_S) * US_PER_SEC;
	l->tries = (uint8_t) MIN(l->tries + 1, 200);
	o->stats.retries++;
	/* Once is what a radio does; twice a person may want to know. */
	if (l->tries > 1) {
		o->stats.upload_failures++;
		oepl_tell_error(o, l, code, text, image);
	}
	oepl_save(o, l);
}

/** The label has it. When it got it the access point knows to the second. */
static void arrived(struct oepl *o, struct oepl_label *l, bool exact)
{
	bool colour = l->display_type != DISPLAY_BLACK_WHITE;
	int64_t got_us = oepl_now(o), drawing_us = colour ? REDRAW_MORE_US : REDRAW_BW_US;

	if (l->ap->zero_known && l->rec.updatelast_s)
		got_us = MIN(got_us, l->ap->zero_us + (l->rec.updatelast_s + 1) * US_PER_SEC);
	l->shown = (struct oepl_shown){.known = true,
				       .exact = exact,
				       .grade = ESL_GRADE_ACKNOWLEDGED,
				       .drawn_us = got_us + drawing_us};
	l->shown.since_utc_us = l->shown.drawn_us + o->utc_us;
	memcpy(l->shown.image, l->sending.image, sizeof(l->shown.image));
	memcpy(l->shown.hash, l->rec.hash, sizeof(l->shown.hash));
	l->sending = (struct oepl_sending){0};
	l->tries = 0;
	l->hold_us = 0;
	o->stats.acks++;
	oepl_save(o, l);
}

/* --- what a record says ----------------------------------------------------------------------- */

void oepl_send_evidence(struct oepl *o, struct oepl_label *l)
{
	struct oepl_sending *s = &l->sending;
	bool grown = l->rec.updatecount != s->count_before;

	if (s->state == OEPL_SENDING_NONE)
		return;
	if (l->rec.pending) {
		if (s->state == OEPL_SENDING_TAKEN) {
			s->state = OEPL_SENDING_QUEUED;
			s->since_us = oepl_now(o);
		}
		return;
	}
	if (s->hash_known && memcmp(l->rec.hash, s->hash, sizeof(s->hash)) == 0 && grown) {
		arrived(o, l, s->exact);
		return;
	}
	if (!grown) {
		/* Queued before, now neither queued nor fetched: given up, or forgotten. */
		if (s->state == OEPL_SENDING_QUEUED && s->doubtful)
			*s = (struct oepl_sending){0}; /* it forgot it: again, at once */
		else if (s->state == OEPL_SENDING_QUEUED)
			failed(o, l, ERR_PEER,
			       "The access point gave up handing the label its picture; it is "
			       "sent again.");
		return;
	}
	if (s->hash_known) {
		/* Something else arrived: what was queued before ours, or came between. */
		s->count_before = l->rec.updatecount;
		if (s->state == OEPL_SENDING_QUEUED)
			failed(o, l, ERR_CONFLICT,
			       "The label was handed another picture than the one sent; it is sent "
			       "again.");
	}
	/* Otherwise what the access point keeps of it must tell: see next_step(). */
}

/** How long its radio is busy with one picture of this size. */
static int64_t air_us(const struct oepl_label *l)
{
	int64_t planes = l->display_type == DISPLAY_BLACK_WHITE ? 1 : 2;
	int64_t blocks = planes * l->width * l->height / 8 / BLOCK_BYTES + 1;

	return blocks * BLOCK_AIR_US + CALL_AIR_US;
}

/** Its radio serves one label at a time, in whatever order they call: a label is not late while
 * those that were waiting with it may have been served before. */
static int64_t fetch_us(const struct oepl_label *l)
{
	int64_t own_s = MAX(OEPL_PATIENCE * oepl_interval_s(l), FETCH_MIN_S);

	return own_s * US_PER_SEC + l->sending.crowd * air_us(l);
}

void oepl_send_tick(struct oepl *o, struct oepl_label *l)
{
	struct oepl_sending *s = &l->sending;
	int64_t age_us = oepl_now(o) - s->since_us;

	s->crowd = MAX(s->crowd, l->ap ? l->ap->in_flight : 0);
	if (s->state == OEPL_SENDING_NONE || !l->ap || !l->ap->up || l->rec_us < s->since_us)
		return;
	if (s->state == OEPL_SENDING_TAKEN && age_us > 2 * QUEUE_US)
		failed(o, l, ERR_PEER,
		       l->ap->storage_full
			       ? "The access point's storage is full: it draws no pictures."
			       : "The access point took the picture but did not queue it.");
	else if (s->state == OEPL_SENDING_QUEUED && age_us > fetch_us(l))
		failed(o, l, ETIMEDOUT, "The label has not fetched its picture.");
}

/* --- the next step ---------------------------------------------------------------------------- */

/** Of a picture on its way. */
static bool follow(struct oepl *o, struct oepl_label *l)
{
	struct oepl_sending *s = &l->sending;
	/* Much happens at first, then nothing until the label calls. */
	int64_t by_age_us = MIN(MAX((oepl_now(o) - s->since_us) / 4, ASK_SOON_US), ASK_US);
	int64_t wait_us = MAX(by_age_us, (int64_t) l->ap->in_flight * US_PER_SEC);
	bool stale = oepl_now(o) - s->since_us > QUEUE_US;

	if (l->rec.pending && !s->read && s->state == OEPL_SENDING_QUEUED) {
		s->read = true;
		ask_queued(l);
		return true;
	}
	if (l->rec_us >= s->since_us && !l->rec.pending && !s->hash_known && !s->kept &&
	    l->ap->config.preview &&
	    (l->rec.updatecount != s->count_before || (s->state == OEPL_SENDING_TAKEN && stale))) {
		s->kept = true;
		ask_kept(l);
		return true;
	}
	if (l->ap->feed)
		wait_us *= 6;
	if (oepl_now(o) - MAX(l->rec_us, l->asked_us) < wait_us)
		return false;
	ask_record(o, l);
	return true;
}

/** What the label has already is, by its MD5, what it should get: nothing needs to be sent. */
static bool has_already(struct oepl *o, struct oepl_label *l, const struct oepl_sending *made)
{
	if (!made->hash_known || l->rec.pending ||
	    memcmp(made->hash, l->rec.hash, sizeof(made->hash)) != 0)
		return false;
	l->sending = *made;
	arrived(o, l, made->exact);
	return true;
}

static bool begin(struct oepl *o, struct oepl_label *l, const struct oepl_wish *w)
{
	_cleanup_buf_ struct buf jpeg = BUF_INIT;
	struct oepl_sending made = {0};
	int r;

	if (oepl_now(o) < MAX(l->hold_us, l->ap->upload_us))
		return false;
	if (l->ap->config.stamps) {
		/* Nothing that comes of it can be what is meant. */
		oepl_tell_error(o, l, ERR_PEER,
				"The access point prints the time on every picture: switch that "
				"off on its own page.",
				w->image);
		return false;
	}
	r = oepl_draw_take(o, l, w->image, &jpeg, &made);
	if (r == -EAGAIN)
		return false;
	if (r < 0) {
		l->hold_us = oepl_now(o) + MISFIT_HOLD_S * US_PER_SEC;
		oepl_tell_error(o, l, r, "The picture does not fit this kind of label.", w->image);
		return false;
	}
	if (has_already(o, l, &made))
		return false;
	made.count_before = l->rec.updatecount;
	l->ap->job_sending = made;
	l->ap->upload_us = oepl_now(o) + BETWEEN_US;
	o->stats.uploads++;
	ask_upload(l, &jpeg);
	return true;
}

/** Takes back what is queued for it; not again and again from one that will not. */
static bool clear(struct oepl *o, struct oepl_label *l)
{
	if (oepl_now(o) < l->hold_us)
		return false;
	oepl_send_clear(l->ap, OEPL_JOB_CLEAR, l);
	return true;
}

/** Whatever waits there would be shown first. */
static bool clear_foreign(struct oepl *o, struct oepl_label *l)
{
	if (oepl_now(o) - l->asked_us < ASK_US)
		return false;
	l->asked_us = oepl_now(o);
	return clear(o, l);
}

bool oepl_send_work(struct oepl *o, struct oepl_label *l)
{
	const struct oepl_wish *w = oepl_target(o, l);

	if (!l->present || !oepl_type_of(o, l) || !l->rec.rssi_dbm)
		return false;
	if (l->forgetting)
		return l->sending.state != OEPL_SENDING_NONE && clear(o, l);
	if (l->sending.state != OEPL_SENDING_NONE && (!w || !same(l->sending.image, w->image)))
		return clear(o, l); /* somebody changed his mind */
	if (l->sending.state != OEPL_SENDING_NONE)
		return follow(o, l);
	if (l->flash.state == OEPL_FLASH_SENT)
		return false; /* its command is first in the queue */
	if (l->rec.pending && l->flash.queued)
		return clear_foreign(o, l); /* nobody wants it any more */
	if (!w || (l->shown.known && same(l->shown.image, w->image) && !l->rec.pending))
		return false;
	return l->rec.pending ? clear_foreign(o, l) : begin(o, l, w);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void gone(struct oepl *o, struct oepl_label *l)
{
	struct oepl_ap *ap = l->ap;

	l->sending = (struct oepl_sending){0};
	oepl_home_leave(o, l);
	oepl_tell_error(o, l, ENOENT, "The access point does not know this label.", NULL);
	ap->sync_us = MIN(ap->sync_us, oepl_now(o) + ASK_US);
}

static void uploaded(struct oepl *o, struct oepl_label *l, const struct oepl_reply *reply)
{
	if (reply->status == 409) {
		oepl_ap_refused(l->ap);
	} else if (reply->status == 200) {
		l->ap->refusals = 0;
		l->sending = l->ap->job_sending;
		l->sending.state = OEPL_SENDING_TAKEN;
		l->sending.since_us = oepl_now(o);
		oepl_tell_sent(o, l);
		oepl_save(o, l);
	} else if (reply->status == 400) {
		gone(o, l);
	} else {
		oepl_ap_refused(l->ap);
		failed(o, l, ERR_PEER, "The access point could not take the picture.");
	}
}

/** What waits for the label, compared with what it should get. */
static void read_queued(struct oepl *o, struct oepl_label *l, const struct oepl_reply *reply)
{
	struct oepl_sending *s = &l->sending;
	const struct oepl_type *t = oepl_type_of(o, l);
	uint8_t hash[OEPL_HASH_BYTES];
	struct image im;
	int r = -ENOTSUP;

	if (reply->status != 200 || s->state == OEPL_SENDING_NONE || !t)
		return; /* fetched in the meantime; its hash tells, or what is kept of it */
	oepl_hash(reply->body, reply->len, hash);
	if (s->hash_known && s->exact) {
		r = memcmp(hash, s->hash, sizeof(hash)) == 0;
	} else if (oepl_picture_get(o, s->image, &im) == 0) {
		r = oepl_same_picture(reply->body, reply->len, &im, t);
		image_done(&im);
	} else {
		s->read = false; /* again, when the picture is here */
		return;
	}
	if (r == 0) {
		failed(o, l, ERR_PEER,
		       "The access point made something else of the picture: is it short of "
		       "memory? It is sent again.");
		return;
	}
	memcpy(s->hash, hash, sizeof(hash));
	s->hash_known = true;
	s->exact = r == 1;
}

/** What the label got last, as the access point keeps it for its own pages. */
static void read_kept(struct oepl *o, struct oepl_label *l, const struct oepl_reply *reply)
{
	struct oepl_sending *s = &l->sending;
	const struct oepl_type *t = oepl_type_of(o, l);
	uint8_t hash[OEPL_HASH_BYTES];
	struct image im;
	int r;

	if (s->state == OEPL_SENDING_NONE || !t || l->rec.pending)
		return;
	oepl_hash(reply->body, reply->len, hash);
	if (reply->status != 200 || memcmp(hash, l->rec.hash, sizeof(hash)) != 0) {
		failed(o, l, ERR_PEER,
		       "Nobody can tell what the label was handed; it is sent again.");
		return;
	}
	if (oepl_picture_get(o, s->image, &im) < 0) {
		s->kept = false; /* again, when the picture is here */
		return;
	}
	r = oepl_same_picture(reply->body, reply->len, &im, t);
	image_done(&im);
	if (r > 0 || (r == -ENOTSUP && l->rec.updatecount != s->count_before))
		arrived(o, l, r > 0);
	else
		failed(o, l, ERR_CONFLICT,
		       "The label was handed another picture; it is sent again.");
}

static void cleared(struct oepl *o, struct oepl_label *l, const struct oepl_reply *reply)
{
	if (reply->status == 400) {
		gone(o, l);
		return;
	}
	if (reply->status != 200) {
		l->hold_us = oepl_now(o) + HOLD_MIN_S * US_PER_SEC;
		return;
	}
	l->rec.pending = 0;
	l->flash.queued = false;
	l->sending = (struct oepl_sending){0};
	oepl_save(o, l);
}

void oepl_send_unanswered(const struct oepl_ap *ap, struct oepl_label *l, enum oepl_job job)
{
	if (l->ap != ap)
		return;
	if (job == OEPL_JOB_READ)
		l->sending.read = false;
	else if (job == OEPL_JOB_KEPT)
		l->sending.kept = false;
}

void oepl_send_answer(struct oepl_ap *ap, struct oepl_label *l, enum oepl_job job,
		      const struct oepl_reply *reply)
{
	struct oepl *o = ap->o;
	struct oepl_page page;

	if (l->ap != ap) {
		/* It moved while we asked: what this one took for it stays there. */
		if (job == OEPL_JOB_UPLOAD && reply->status == 200) {
			l->stale |= (uint8_t) (1u << ap->number);
			oepl_save(o, l);
		}
		return;
	}
	switch (job) {
	case OEPL_JOB_ASK:
		if (reply->status == 200 &&
		    oepl_page_parse(reply->body, reply->len, oepl_record_came, ap, &page) == 0 &&
		    page.n == 0)
			gone(o, l);
		break;
	case OEPL_JOB_CLEAR:
		cleared(o, l, reply);
		break;
	case OEPL_JOB_UPLOAD:
		uploaded(o, l, reply);
		break;
	case OEPL_JOB_READ:
		read_queued(o, l, reply);
		break;
	case OEPL_JOB_KEPT:
		read_kept(o, l, reply);
		break;
	default:
		break;
	}
}
