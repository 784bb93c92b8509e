/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Is the inventory still as we set it? Somebody with another program, or a reader that loses its
 * mind, may have stopped or replaced it while the connection stands. The reader is asked what runs
 * there every few minutes; what is not ours is replaced, and told.
 */
#include "rfid/llrp_session_impl.h"

#include "common/err.h"

#define ROSPEC_ACTIVE 2

bool llrp_session_finds_ours(const struct llrp_session *s, struct llrp_msg *rospecs)
{
	const struct llrp_elem *e = llrp_find(llrp_root(rospecs), LLRP_P_ROSPEC);

	return e && !llrp_find_next(e) && llrp_get(e, "CurrentState") == ROSPEC_ACTIVE &&
	       llrp_get(e, "ROSpecID") == s->rospec;
}

void llrp_session_audit_tick(struct llrp_session *s)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	if (s->step != LLRP_STEP_RUN || s->freed || clock_mono_us(s->clock) < s->audit_us)
		return;
	s->audit_us = clock_mono_us(s->clock) + LLRP_AUDIT_US;
	s->audit_id = s->next_id++;
	if (llrp_setup_plain(&out, LLRP_GET_ROSPECS, s->audit_id, 0) == 0)
		llrp_session_send(s, &out);
}

int llrp_session_audit_response(struct llrp_session *s, struct llrp_msg *m)
{
	/* A reader that cannot say is believed to do as it was told. */
	if (llrp_msg_id(m) != s->audit_id || llrp_msg_status(m, NULL, 0) != LLRP_M_SUCCESS ||
	    llrp_session_finds_ours(s, m))
		return 0;
	s->stats.drifts++;
	llrp_session_incident(
		s, llrp_find(llrp_root(m), LLRP_P_ROSPEC)
			   ? "another inventory, or a stopped one, was found in place of ours"
			   : "our inventory was gone from the reader");
	if (s->freed)
		return 0;
	llrp_session_access_end(s, -ERR_STATE, "the inventory had to be set up again");
	s->resumed = s->active = s->start_refused = false;
	return llrp_session_begin_step(s, LLRP_STEP_DELETE_ACCESS);
}
