/* SPDX-License-Identifier: Apache-2.0 */
/* The pictures of a visit: which one is missing, what keeps it from being sent, and what is known
 * of the label's slot meanwhile. */
#include "esl-radio/images.h"
#include "esl-radio/persist.h"
#include "esl-radio/plan.h"
#include "esl-radio/report.h"
#include "esl-radio/visit.h"
#include "esl-radio/visit_impl.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define IMAGE_PATIENCE_US (INT64_C(5) * US_PER_SEC)
#define IMAGE_ABSENT_US   (INT64_C(30) * US_PER_SEC)
#define WRONG_IMAGE_US    (INT64_C(600) * US_PER_SEC)
#define WRITES_PER_VISIT  ESL_SLOTS_MAX
#define CLEAR_TRIES       4

static bool fits(const struct esl_label *l, const struct esl_image *im)
{
	return im->width == l->width && im->height == l->height && im->type == l->display_type;
}

static void write_image(struct esl_visit *v, const struct esl_upload *up, struct esl_image *im)
{
	struct esl_engine *e = v->e;
	struct esl_label *l = v->label;
	struct esl_slot *slot = &l->slots[up->slot];
	_cleanup_buf_ struct buf pixels = BUF_INIT;
	int r = esl_image_for(e, l, im, &pixels);

	if (r < 0) {
		visit_fail(v, r,
			   "The picture could not be made into what the label's panel wants.");
		return;
	}
	/* From the first byte on the slot holds neither the old image nor the new one. */
	slot->held = false;
	if (l->shown_slot == up->slot) {
		l->shown_slot = ESL_NO_SLOT;
		l->grade = ESL_GRADE_NONE;
	}
	if (l->prev_slot == up->slot)
		l->prev_slot = ESL_NO_SLOT;
	if (esl_save_label(e, l) < 0) {
		visit_fail(v, -EIO,
			   "The label's state could not be stored, so no picture was sent.");
		return;
	}
	v->slot = up->slot;
	memcpy(v->hash, up->image, sizeof(v->hash));
	v->writes++;
	visit_began(v, ESL_STEP_WRITE,
		    e->link->ops->write_image(e->link, l->addr, up->slot, pixels.data, pixels.len,
					      visit_step_done, v));
}

void visit_image_written(struct esl_visit *v)
{
	struct esl_engine *e = v->e;
	struct esl_label *l = v->label;

	e->stats.uploads++;
	memcpy(l->slots[v->slot].image, v->hash, IMAGE_HASH_BYTES);
	l->slots[v->slot].held = true;
	memset(v->hash, 0, sizeof(v->hash));
	if (esl_save_label(e, l) < 0) {
		l->slots[v->slot].held = false;
		visit_fail(v, -EIO,
			   "The label's state could not be stored after a picture was sent.");
		return;
	}
	esl_report_image(e, l, ESL_STAGED, l->slots[v->slot].image);
	visit_advance(v);
}

void visit_clear_pending(struct esl_visit *v, uint8_t slot)
{
	struct esl_engine *e = v->e;
	struct esl_cmd c = {.op = ESL_OP_DISPLAY_TIMED, .esl_id = v->label->id, .image = slot};
	uint8_t tlv[ESL_TLV_MAX];
	int n = esl_cmd_encode(&c, tlv, sizeof(tlv));

	visit_began(v, ESL_STEP_CLEAR_PENDING,
		    e->link->ops->ecp(e->link, v->label->addr, tlv, (size_t) MAX(n, 0),
				      visit_step_done, v));
}

bool visit_next_upload(struct esl_visit *v)
{
	struct esl_engine *e = v->e;
	struct esl_label *l = v->label;
	struct esl_upload up;
	enum esl_urgency urgency = esl_next_upload(e, l, &up);
	struct esl_image *im;

	if (urgency == ESL_URGENCY_NONE || v->writes >= WRITES_PER_VISIT ||
	    esl_now(e) < l->visit_after_us)
		return false;
	im = esl_image_get(e, up.image);
	if (!im) {
		/* Only a price that is due now is worth an open connection. */
		if (urgency != ESL_URGENCY_FLIP)
			return false;
		if (v->step == ESL_STEP_WAIT_IMAGE && !loop_timer_active(v->timer)) {
			l->visit_after_us = esl_now(e) + IMAGE_ABSENT_US;
			l->image_absent = true;
			esl_report_error(e, l, ENODATA,
					 "The picture has not come from the controller yet.",
					 up.image);
			return false;
		}
		memcpy(v->hash, up.image, sizeof(v->hash));
		if (v->step != ESL_STEP_WAIT_IMAGE)
			loop_timer_start(v->timer, IMAGE_PATIENCE_US);
		v->step = ESL_STEP_WAIT_IMAGE;
		return true;
	}
	loop_timer_stop(v->timer);
	if (!fits(l, im) || l->pixels == ESL_NO_PIXELS) {
		l->visit_after_us = esl_now(e) + WRONG_IMAGE_US;
		l->image_absent = true;
		esl_report_error(e, l, ERR_RANGE,
				 fits(l, im)
					 ? "No description of panels fits this label; panels.conf "
					   "may have one for its model."
					 : "The picture's size or colours are not those of the "
					   "label.",
				 up.image);
		return false;
	}
	if (up.clear_pending) {
		visit_clear_pending(v, up.slot);
		return true;
	}
	write_image(v, &up, im);
	return true;
}

void visit_pending_cleared(struct esl_visit *v, const struct esl_link_result *res)
{
	enum esl_reaction reaction = ESL_REACT_DONE;
	struct esl_rsp r;
	struct wire w;

	wire_init(&w, res->tlv, MIN(res->tlv_len, sizeof(res->tlv)));
	esl_rsp_decode(&w, &r);
	if (!wire_ok(&w) || (r.tag != ESL_RSP_DISPLAY_STATE && r.tag != ESL_RSP_ERROR)) {
		visit_fail(v, -ERR_PEER, "The label would not take back a timed change.");
		return;
	}
	if (r.tag == ESL_RSP_ERROR)
		reaction = esl_reaction_to(ESL_KIND_TAKE_BACK, r.error);
	if (reaction == ESL_REACT_AGAIN && ++v->clear_tries < CLEAR_TRIES) {
		visit_advance(v); /* asks again */
		return;
	}
	if (reaction != ESL_REACT_DONE) { /* another visit, ever more rarely */
		visit_fail(v, -ERR_PEER, esl_error_sentence(r.error));
		return;
	}
	v->label->pending.state = ESL_PENDING_NONE;
	v->label->queue_known = true;
	(void) esl_save_label(v->e, v->label);
	visit_advance(v);
}
