/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/label_progress.h"
#include "common/clock.h"
#include "common/gtin.h"
#include "controller/shop/display_ledger.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LEDGER_DEPTH 256 /* entries of one label looked at, newest first */
#define SLOTS_MAX    16

static const char *const texts[LABEL_PROGRESS_STATE_COUNT] = {
	"waiting", "drawing", "staging", "staged", "flipped", "shown", "failed",
};

const char *label_progress_text(enum label_progress_state state)
{
	return (unsigned int) state < LABEL_PROGRESS_STATE_COUNT ? texts[state] : "";
}

int label_progress_parse(const char *text, enum label_progress_state *ret)
{
	for (int i = 0; i < LABEL_PROGRESS_STATE_COUNT; i++)
		if (strcmp(text, texts[i]) == 0) {
			*ret = (enum label_progress_state) i;
			return 0;
		}
	return -ENOENT;
}

static bool same(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, IMAGE_HASH_BYTES) == 0;
}

/* Pictures that came onto the label after the one looked for; as many as it has slots, and that one
 * has been overwritten for certain. */
struct later {
	uint8_t images[SLOTS_MAX][IMAGE_HASH_BYTES];
	size_t n;
};

static void count_later(struct later *l, const uint8_t *image)
{
	for (size_t i = 0; i < l->n; i++)
		if (same(l->images[i], image))
			return;
	if (l->n < SLOTS_MAX)
		memcpy(l->images[l->n++], image, IMAGE_HASH_BYTES);
}

/* When the picture came onto the label, where it still may be; *ret_us 0 = it is not there. A label
 * that was configured anew since has lost what it held. */
static int find_staged(struct sql *s, const struct label *l, const uint8_t *image, int64_t *ret_us)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT at, kind, image, (SELECT slots FROM labels WHERE addr = ?1)"
			       " FROM display_ledger WHERE addr = ?1 ORDER BY id DESC LIMIT ?2");
	struct later later = {.n = 0};
	const void *held;
	size_t len;
	int r;

	*ret_us = 0;
	sql_bind_i64(q, 1, (int64_t) l->addr);
	sql_bind_i64(q, 2, LEDGER_DEPTH);
	while ((r = sql_step(q)) > 0) {
		const char *kind = sql_col_text(q, 1);

		if (strcmp(kind, "associated") == 0)
			break;
		held = sql_col_blob(q, 2, &len);
		if (strcmp(kind, "staged") != 0 || !held || len != IMAGE_HASH_BYTES)
			continue;
		if (same(held, image)) {
			*ret_us = sql_col_i64(q, 0);
			break;
		}
		count_later(&later, held);
		if ((int64_t) later.n >= MAX(sql_col_i64(q, 3), 1))
			break;
	}
	sql_reset(q);
	return r < 0 ? r : 0;
}

static void say(struct label_progress *p, enum label_progress_state state, const char *reason)
{
	p->state = state;
	snprintf(p->reason, sizeof p->reason, "%s", reason ? reason : "");
}

static void say_agent(struct label_progress *p, enum label_progress_state state, const char *fmt,
		      const char *agent)
{
	char reason[LABEL_REASON_MAX];
	const char *hole = strstr(fmt, "{}");

	snprintf(reason, sizeof reason, "%.*s%s%s", (int) (hole - fmt), fmt, agent, hole + 2);
	say(p, state, reason);
}

/* It shows the picture, as far as evidence goes. */
static void say_shown(struct label_progress *p, const struct label *l)
{
	p->grade = l->grade;
	p->flipped_us = l->shown.at_us;
	if (l->grade >= EVIDENCE_CONFIRMED)
		p->shown_us = l->shown.at_us;
	say(p, l->grade >= EVIDENCE_CONFIRMED ? LABEL_PROGRESS_SHOWN : LABEL_PROGRESS_FLIPPED,
	    NULL);
}

static void say_not_drawn(struct label_progress *p, const struct label *l)
{
	if (!l->width)
		say(p, LABEL_PROGRESS_WAITING,
		    "The size of its display is not known until the label answers.");
	else if (l->stale != l->done)
		say(p, LABEL_PROGRESS_DRAWING, "Its picture is being made.");
	else
		say(p, LABEL_PROGRESS_WAITING,
		    "Its picture is made and sent in the last days before the change.");
}

/* Neither shown nor on the label. */
static void say_on_its_way(struct label_progress *p, const struct label *l,
			   struct label_agent_view agent)
{
	if (!l->agent_id)
		say(p, LABEL_PROGRESS_WAITING, "No access point takes care of this label yet.");
	else if (!agent.online)
		say_agent(p, LABEL_PROGRESS_WAITING, "Access point {} is offline.", l->agent);
	else if (agent.seen_rev < l->wanted_rev)
		say_agent(p, LABEL_PROGRESS_WAITING,
			  "Waiting for access point {} to take the picture.", l->agent);
	else
		say_agent(p, LABEL_PROGRESS_STAGING, "Access point {} is sending the picture.",
			  l->agent);
}

int label_progress_of(struct sql *s, const struct label *l, struct label_agent_view agent,
		      const struct label_goal *goal, int64_t now_us, struct label_progress *ret)
{
	bool drawing = l->stale != l->done || !goal->image, shows;
	struct label_progress p = {.grade = EVIDENCE_NONE};
	int r;

	if (goal->image) {
		r = find_staged(s, l, goal->image, &p.staged_us);
		if (r < 0)
			return r;
	}
	shows = goal->image && l->shown.at_us && l->grade > EVIDENCE_NONE &&
		same(l->shown.image, goal->image);
	if (shows && !drawing && goal->due_us <= now_us)
		say_shown(&p, l);
	else if (l->lost)
		say(&p, LABEL_PROGRESS_FAILED,
		    l->lost_text[0] ? l->lost_text : "The label has not answered for long.");
	else if (l->error)
		say(&p, LABEL_PROGRESS_FAILED,
		    l->error_text[0] ? l->error_text : "The label could not take the picture.");
	else if (drawing)
		say_not_drawn(&p, l);
	else if (shows || p.staged_us)
		say(&p, LABEL_PROGRESS_STAGED,
		    goal->due_us <= now_us
			    ? "The label has not answered the command to show it yet."
			    : NULL);
	else
		say_on_its_way(&p, l, agent);
	*ret = p;
	return 0;
}

static json_t *time_json(int64_t us)
{
	char text[CLOCK_RFC3339_MAX];

	return us ? json_string(clock_rfc3339(us, text)) : json_null();
}

static json_t *product_json_of(const struct label *l)
{
	char gtin[GTIN_STR_MAX];

	if (!l->product_id)
		return json_null();
	return json_pack("{s:I,s:o,s:s}", "id", (json_int_t) l->product_id, "gtin",
			 l->gtin ? json_string(gtin_format(l->gtin, gtin)) : json_null(), "name",
			 l->product);
}

json_t *label_progress_json(const struct label *l, const struct label_progress *p)
{
	const char *grade = ledger_grade_text(p->grade);
	char id[LABEL_ID_MAX];

	return json_pack("{s:s,s:o,s:o,s:n,s:s,s:o,s:o,s:o,s:o,s:o}", "label",
			 label_id_format(l->addr, id), "product", product_json_of(l), "agent",
			 l->agent[0] ? json_string(l->agent) : json_null(), "wave", "state",
			 label_progress_text(p->state), "reason",
			 p->reason[0] ? json_string(p->reason) : json_null(), "staged_at",
			 time_json(p->staged_us), "flipped_at", time_json(p->flipped_us),
			 "shown_at", time_json(p->shown_us), "grade",
			 grade ? json_string(grade) : json_null());
}
