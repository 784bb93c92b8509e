/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/label_ingest.h"
#include "common/err.h"
#include "common/hex.h"
#include "common/log.h"
#include "controller/fleet/fleet.h"
#include "controller/incidents/incidents.h"
#include "controller/shop/display_ledger.h"
#include "controller/shop/label.h"
#include "controller/shop/label_flash.h"
#include "controller/shop/label_sensors.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_AHEAD_US      (5 * 60 * US_PER_SEC)
/* Of a lithium coin cell: below the one it has weeks, above the other it is another cell. */
#define BATTERY_LOW_MV    2400
#define BATTERY_GOOD_MV   2600
/* An older report changes nothing that a newer one has said; but what is from the future was said
 * while our clock was wrong, and must not outweigh all that comes until then. */
#define NOT_OLDER(column) "(coalesce(" column ", 0) <= ?2 OR " column " > ?4)"

/* One report on its way into the database. */
struct entry {
	const struct proto_label_report *rep;
	uint64_t addr;
	int64_t at_us;
	char text[PROTO_TEXT_MAX];
	bool created;
	struct label label; /* as it was */
};

static bool is_zero(const uint8_t hash[IMAGE_HASH_BYTES])
{
	static const uint8_t zero[IMAGE_HASH_BYTES];

	return memcmp(hash, zero, IMAGE_HASH_BYTES) == 0;
}

static int note(struct sql *s, const struct label_ingest *in, const struct entry *e,
		const char *kind, const uint8_t *image)
{
	struct ledger_entry l = {.addr = e->addr,
				 .at_us = e->at_us,
				 .agent_id = in->agent_id,
				 .kind = kind,
				 .image = image && !is_zero(image) ? image : NULL,
				 .text = e->text};

	if (strcmp(kind, "shown") == 0)
		l.grade = e->rep->grade;
	for (size_t i = 0; l.image && i < e->label.n_wanted; i++) {
		const struct label_wish *w = &e->label.wanted[i];

		if (w->has_price && memcmp(w->image, image, IMAGE_HASH_BYTES) == 0) {
			l.has_price = true;
			l.price_minor = w->price_minor;
			l.currency = w->currency;
		}
	}
	return ledger_append(s, &l);
}

static int count_labels(struct sql *s, int64_t *ret)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT count(*) FROM labels");
	int r = sql_step(q);

	if (r <= 0)
		return r < 0 ? r : -ERR_DB;
	*ret = sql_col_i64(q, 0);
	sql_reset(q);
	return 0;
}

static int create(struct sql *s, const struct label_ingest *in, struct entry *e)
{
	struct sql_stmt *q = sql_prepare(s, "INSERT INTO labels(addr, heard_by, last_seen, created)"
					    " VALUES(?1, ?2, ?3, ?3)");
	int64_t n;
	int r = count_labels(s, &n);

	if (r < 0)
		return r;
	if (n >= LABELS_MAX)
		return -ERR_TOO_LARGE;
	sql_bind_i64(q, 1, (int64_t) e->addr);
	sql_bind_i64(q, 2, in->agent_id);
	sql_bind_i64(q, 3, e->at_us);
	r = sql_run(q);
	if (r == 0)
		r = note(s, in, e, "seen", NULL);
	e->created = true;
	return r < 0 ? r : label_load(s, e->addr, &e->label);
}

/* A battery nears its end: told once, and over when there is a new one. */
static int look_at_battery(struct sql *s, const struct label_ingest *in, const struct entry *e)
{
	char subject[40], title[80], detail[64];
	const struct incident_new n = {
		.kind = "label-battery",
		.subject = subject,
		.agent_id = in->agent_id,
		.severity = INCIDENT_NOTICE,
		.title = title,
		.next_step = "Change its battery within the next weeks; it keeps its picture and "
			     "its place meanwhile.",
		.detail = detail,
	};
	char addr[2 * LABEL_ADDR_BYTES + 1];
	int64_t id;
	int r;

	if (e->rep->battery_mv == 0 ||
	    (e->rep->battery_mv >= BATTERY_LOW_MV && e->rep->battery_mv < BATTERY_GOOD_MV))
		return 0;
	(void) hex_encode(e->rep->addr, LABEL_ADDR_BYTES, addr);
	for (char *p = addr; *p; p++)
		*p = (char) toupper((unsigned char) *p);
	snprintf(subject, sizeof(subject), "label:%s", addr);
	if (e->rep->battery_mv >= BATTERY_GOOD_MV) {
		r = incident_close(s, "label-battery", subject, in->now_us, "Its battery is good.");
	} else {
		snprintf(title, sizeof(title), "The battery of label %s is nearly empty.", addr);
		snprintf(detail, sizeof(detail), "{\"battery_mv\":%u}", e->rep->battery_mv);
		r = incident_open(s, &n, in->now_us, &id);
	}
	return MIN(r, 0);
}

/* May this agent take the label? Nobody's: yes. Another's: only when that one has lost it. */
static bool may_adopt(const struct label_ingest *in, const struct entry *e)
{
	if (!in->adopt || e->label.retired_us || e->rep->kind == LABEL_LOST ||
	    e->rep->kind == LABEL_ERROR)
		return false;
	return e->label.agent_id == 0 ||
	       (e->label.agent_id != in->agent_id && e->label.lost && e->rep->kind == LABEL_SEEN);
}

static int adopt(struct sql *s, struct label_ingest *in, struct entry *e)
{
	int r = label_assign(s, e->addr, e->label.agent_id, in->agent_id);

	if (r < 0)
		return r;
	in->assigned = true;
	if (e->label.agent_id)
		in->lost_agent = e->label.agent_id;
	e->label.agent_id = in->agent_id;
	return 0;
}

/* What every report may carry. */
static int update_common(struct sql *s, const struct label_ingest *in, const struct entry *e)
{
	const struct proto_label_report *rep = e->rep;
	bool sized = rep->width && rep->height && image_planes(rep->display_type) &&
		     (rep->width != e->label.width || rep->height != e->label.height ||
		      rep->display_type != e->label.display_type);
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE labels SET last_seen = iif(last_seen > ?10, ?2, max(last_seen, ?2)),"
		   " heard_by = ?3,"
		   " battery_mv = coalesce(?4, battery_mv), temperature_cc = coalesce(?5, "
		   "temperature_cc),"
		   " rssi_dbm = coalesce(?6, rssi_dbm), width = coalesce(?7, width),"
		   " height = coalesce(?8, height), display_type = coalesce(?9, display_type),"
		   " stale = stale + (?7 IS NOT NULL), lost_at = NULL, lost_text = '' WHERE addr = "
		   "?1");

	sql_bind_i64(q, 1, (int64_t) e->addr);
	sql_bind_i64(q, 2, e->at_us);
	sql_bind_i64(q, 3, in->agent_id);
	sql_bind_i64(q, 10, in->now_us + MAX_AHEAD_US);
	if (rep->battery_mv)
		sql_bind_i64(q, 4, rep->battery_mv);
	if (rep->temperature_cc != INT16_MIN)
		sql_bind_i64(q, 5, rep->temperature_cc);
	if (rep->rssi_dbm)
		sql_bind_i64(q, 6, rep->rssi_dbm);
	if (sized) {
		sql_bind_i64(q, 7, rep->width);
		sql_bind_i64(q, 8, rep->height);
		sql_bind_i64(q, 9, rep->display_type);
	}
	return sql_run(q);
}

static int keep_keys(struct sql *s, const struct label_ingest *in, const struct entry *e)
{
	uint8_t sealed[ESCROW_SEALED_BYTES];
	struct sql_stmt *q =
		sql_prepare(s, "INSERT INTO label_keys(addr, agent_id, sealed, at)"
			       " VALUES(?1, ?2, ?3, ?4) ON CONFLICT(addr) DO UPDATE SET"
			       " agent_id = ?2, sealed = ?3, at = ?4");

	label_escrow_seal(in->escrow, e->rep->addr, e->rep->response_key, e->rep->train_key,
			  sealed);
	sql_bind_i64(q, 1, (int64_t) e->addr);
	sql_bind_i64(q, 2, in->agent_id);
	sql_bind_blob(q, 3, sealed, sizeof sealed);
	sql_bind_i64(q, 4, in->now_us);
	return sql_run(q);
}

/* A label that was brought in anew: nobody knows what its slots hold. */
static int nothing_is_staged(struct sql *s, const struct entry *e)
{
	struct sql_stmt *q = sql_prepare(s, "UPDATE wanted SET staged_at = NULL WHERE addr = ?");

	sql_bind_i64(q, 1, (int64_t) e->addr);
	return sql_run(q);
}

/* The wishes of this picture are on the label. */
static int wish_is_staged(struct sql *s, const struct entry *e)
{
	struct sql_stmt *q =
		sql_prepare(s, "UPDATE wanted SET staged_at = ? WHERE addr = ? AND image = ?");

	sql_bind_i64(q, 1, e->at_us);
	sql_bind_i64(q, 2, (int64_t) e->addr);
	sql_bind_blob(q, 3, e->rep->image, IMAGE_HASH_BYTES);
	return sql_run(q);
}

/* An access point that starts anew says again what its labels hold: no news for the ledger. */
static bool is_known_staged(const struct entry *e)
{
	for (size_t i = 0; i < e->label.n_wanted; i++)
		if (e->label.wanted[i].staged_us &&
		    memcmp(e->label.wanted[i].image, e->rep->image, IMAGE_HASH_BYTES) == 0)
			return true;
	return false;
}

/* With fewer slots than pictures wished for and shown, what is held has made room for this one. It
 * is reported again when it is back. */
static int held_made_room(struct sql *s, const struct entry *e)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE wanted SET staged_at = NULL WHERE addr = ?1 AND from_at = ?2"
		   " AND image <> ?3 AND (SELECT count(*) FROM (SELECT image FROM wanted WHERE addr"
		   " = ?1 UNION SELECT shown_image FROM labels WHERE addr = ?1"
		   " AND shown_image IS NOT NULL)) > (SELECT slots FROM labels WHERE addr = ?1)");

	sql_bind_i64(q, 1, (int64_t) e->addr);
	sql_bind_i64(q, 2, PROTO_HOLD_US);
	sql_bind_blob(q, 3, e->rep->image, IMAGE_HASH_BYTES);
	return sql_run(q);
}

static int associated(struct sql *s, const struct label_ingest *in, const struct entry *e)
{
	struct sql_stmt *q =
		sql_prepare(s, "UPDATE labels SET slots = ?, esl_group = ?, esl_id = ?,"
			       " staged_image = NULL, staged_at = NULL, error = 0, error_text = ''"
			       " WHERE addr = ?");
	int r;

	sql_bind_i64(q, 1, e->rep->slots);
	sql_bind_i64(q, 2, e->rep->esl_group);
	sql_bind_i64(q, 3, e->rep->esl_id);
	sql_bind_i64(q, 4, (int64_t) e->addr);
	r = sql_run(q);
	if (r == 0)
		r = nothing_is_staged(s, e);
	if (r == 0 && e->rep->has_keys)
		r = keep_keys(s, in, e);
	return r < 0 ? r : note(s, in, e, "associated", NULL);
}

static int image_step(struct sql *s, const struct label_ingest *in, const struct entry *e,
		      bool sent)
{
	struct sql_stmt *q =
		sent ? sql_prepare(s, "UPDATE labels SET sent_image = ?, sent_at = ?, error = 0,"
				      " error_text = '' WHERE addr = ? AND " NOT_OLDER("sent_at"))
		     : sql_prepare(s,
				   "UPDATE labels SET staged_image = ?, staged_at = ?, error = 0,"
				   " error_text = '' WHERE addr = ?"
				   " AND " NOT_OLDER("staged_at"));
	int r;

	if (is_zero(e->rep->image))
		return 0;
	sql_bind_blob(q, 1, e->rep->image, IMAGE_HASH_BYTES);
	sql_bind_i64(q, 2, e->at_us);
	sql_bind_i64(q, 3, (int64_t) e->addr);
	sql_bind_i64(q, 4, in->now_us + MAX_AHEAD_US);
	r = sql_run(q);
	if (r == 0 && !sent)
		r = wish_is_staged(s, e);
	if (r == 0 && !sent)
		r = held_made_room(s, e);
	if (r == 0 && !sent && is_known_staged(e))
		return 0;
	return r < 0 ? r : note(s, in, e, sent ? "sent" : "staged", e->rep->image);
}

/* The same picture again only counts when the evidence is better; an older report changes nothing
 * that a newer one has said. */
static int shown(struct sql *s, const struct label_ingest *in, const struct entry *e)
{
	const struct label *l = &e->label;
	bool again = l->shown.at_us && memcmp(l->shown.image, e->rep->image, IMAGE_HASH_BYTES) == 0;
	struct sql_stmt *q;
	int r;

	if (is_zero(e->rep->image) || e->rep->grade == EVIDENCE_NONE ||
	    e->rep->grade >= EVIDENCE_GRADE_COUNT)
		return 0;
	if (again) {
		q = sql_prepare(s, "UPDATE labels SET shown_grade = max(shown_grade, ?3),"
				   " shown_at = iif(" NOT_OLDER(
					   "shown_at") ", ?2, shown_at), error = 0,"
						       " error_text = '' WHERE addr = ?1");
	} else {
		q = sql_prepare(s, "UPDATE labels SET shown_image = ?5, shown_since = ?2,"
				   " shown_grade = ?3, shown_at = ?2, error = 0, error_text = ''"
				   " WHERE addr = ?1 AND " NOT_OLDER("shown_at"));
		sql_bind_blob(q, 5, e->rep->image, IMAGE_HASH_BYTES);
	}
	sql_bind_i64(q, 1, (int64_t) e->addr);
	sql_bind_i64(q, 2, e->at_us);
	sql_bind_i64(q, 3, e->rep->grade);
	sql_bind_i64(q, 4, in->now_us + MAX_AHEAD_US);
	r = sql_run(q);
	if (r < 0 || (again && e->rep->grade <= l->grade))
		return r;
	return note(s, in, e, "shown", e->rep->image);
}

static int failed(struct sql *s, const struct label_ingest *in, const struct entry *e)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE labels SET error = ?, error_text = ?, error_at = ? WHERE addr = ?");
	int r;

	sql_bind_i64(q, 1, e->rep->error ? e->rep->error : ERR_PEER);
	sql_bind_text(q, 2, e->text);
	sql_bind_i64(q, 3, e->at_us);
	sql_bind_i64(q, 4, (int64_t) e->addr);
	r = sql_run(q);
	return r < 0 ? r : note(s, in, e, "error", e->rep->image);
}

static int lost(struct sql *s, const struct label_ingest *in, const struct entry *e)
{
	struct sql_stmt *q =
		sql_prepare(s, "UPDATE labels SET lost_at = ?, lost_text = ? WHERE addr = ?");
	int r;

	sql_bind_i64(q, 1, e->at_us);
	sql_bind_text(q, 2, e->text);
	sql_bind_i64(q, 3, (int64_t) e->addr);
	r = sql_run(q);
	return r < 0 ? r : note(s, in, e, "lost", NULL);
}

static int apply_kind(struct sql *s, struct label_ingest *in, const struct entry *e)
{
	int r;

	if (e->rep->kind == LABEL_LOST)
		return lost(s, in, e);
	r = update_common(s, in, e);
	if (r == 0)
		r = look_at_battery(s, in, e);
	if (r == 0 && e->label.lost)
		r = note(s, in, e, "found", NULL);
	if (r == 0)
		r = label_flash_reported(s, &e->label, e->rep, in->agent_id, e->at_us, e->text);
	if (r == 0)
		r = label_sensors_keep(s, e->label.addr, e->rep, e->at_us, e->text, &in->readings);
	if (r < 0)
		return r;
	switch (e->rep->kind) {
	case LABEL_ASSOCIATED:
		return associated(s, in, e);
	case LABEL_STAGED:
		return image_step(s, in, e, false);
	case LABEL_SENT:
		return image_step(s, in, e, true);
	case LABEL_SHOWN:
		return shown(s, in, e);
	case LABEL_ERROR:
		return failed(s, in, e);
	default:
		return 0;
	}
}

static int apply_one(struct sql *s, struct label_ingest *in, const struct proto_label_report *rep)
{
	struct entry e = {.rep = rep, .addr = label_addr_number(rep->addr), .at_us = rep->at_us};
	char clean[PRODUCT_TEXT_MAX + 1];
	size_t at;
	int r;

	if (e.at_us <= 0 || e.at_us > in->now_us + MAX_AHEAD_US)
		e.at_us = in->now_us;
	if (product_text_clean(rep->text, strlen(rep->text), clean, &at) == 0)
		snprintf(e.text, sizeof e.text, "%.*s", (int) sizeof e.text - 1, clean);
	r = label_load(s, e.addr, &e.label);
	if (r == -ENOENT)
		r = create(s, in, &e);
	if (r == -ERR_TOO_LARGE) {
		log_warn("label", "agent=%lld msg=\"too many labels, report dropped\"",
			 (long long) in->agent_id);
		return 0;
	}
	if (r == 0 && may_adopt(in, &e))
		r = adopt(s, in, &e);
	if (r < 0)
		return r;
	if (e.label.agent_id && e.label.agent_id != in->agent_id)
		return 0; /* another agent's label: hearing it changes nothing */
	return apply_kind(s, in, &e);
}

static int high_water(struct sql *s, const struct proto_label_reports *m, int64_t agent_id,
		      uint64_t *ret)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT acked FROM label_streams WHERE agent_id = ? AND journal_id = ?");
	int r;

	sql_bind_i64(q, 1, agent_id);
	sql_bind_blob(q, 2, m->journal_id, sizeof m->journal_id);
	r = sql_step(q);
	if (r < 0)
		return r;
	*ret = r > 0 ? (uint64_t) sql_col_i64(q, 0) : 0;
	sql_reset(q);
	return 0;
}

static int set_high_water(struct sql *s, const struct proto_label_reports *m, int64_t agent_id,
			  uint64_t acked)
{
	struct sql_stmt *q =
		sql_prepare(s, "INSERT INTO label_streams(agent_id, journal_id, acked)"
			       " VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET acked = ?3");

	sql_bind_i64(q, 1, agent_id);
	sql_bind_blob(q, 2, m->journal_id, sizeof m->journal_id);
	sql_bind_i64(q, 3, (int64_t) acked);
	return sql_run(q);
}

int label_ingest_apply(struct sql *s, const struct proto_label_reports *m, struct label_ingest *in)
{
	uint64_t mark = 0;
	int r;

	in->taken = in->dropped = 0;
	in->readings = 0;
	/* It must not take back the labels that were released when it was. */
	r = fleet_check_revoked(s, in->agent_id);
	if (r < 0)
		return r;
	if (m->n > 0 && (m->first_seq == 0 || m->first_seq > (uint64_t) INT64_MAX - m->n))
		return -ERR_RANGE;
	r = high_water(s, m, in->agent_id, &mark);
	if (r < 0)
		return r;
	if (m->n > 0 && m->first_seq > mark + 1)
		log_warn("label", "agent=%lld from=%llu to=%llu msg=\"reports are missing\"",
			 (long long) in->agent_id, (unsigned long long) mark + 1,
			 (unsigned long long) m->first_seq - 1);
	for (size_t i = 0; i < m->n; i++) {
		if (m->first_seq + i <= mark) {
			in->dropped++;
			continue;
		}
		r = apply_one(s, in, &m->reports[i]);
		if (r < 0)
			return r;
		in->taken++;
	}
	in->acked = mark;
	if (in->taken == 0)
		return 0;
	in->acked = m->first_seq + m->n - 1;
	return set_high_water(s, m, in->agent_id, in->acked);
}
