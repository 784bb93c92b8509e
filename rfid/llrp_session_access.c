/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One operation on a tag beside the running inventory:
 *
 *     add the spec -> enable it -> its result in a report (or time is up) -> delete it
 *
 * Its requests have ids of their own, so that the steps of the session are not disturbed.
 */
#include "rfid/llrp_session_impl.h"

#include "common/err.h"
#include "rfid/llrp_access.h"
#include <errno.h>
#include <stdio.h>

#define FIRST_SPEC UINT32_C(0x41000001) /* away from the small numbers of people and tools */

/** Tells the asker, and forgets the operation first: the asker may begin another one. */
static void finish(struct llrp_session *s, struct rfid_access_result *result)
{
	rfid_access_fn fn = s->access.fn;
	void *user = s->access.user;

	s->access.fn = NULL;
	if (fn && !s->freed)
		fn(user, result);
}

static int send_plain(struct llrp_session *s, uint16_t type)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	int r;

	s->access.pending_id = s->next_id++;
	r = llrp_setup_plain(&out, type, s->access.pending_id, s->access.spec);
	if (r == 0)
		llrp_session_send(s, &out);
	return r;
}

/** Takes the spec away again; the reader may have done so itself, and its answer is not awaited. */
static void clear(struct llrp_session *s)
{
	if (s->step == LLRP_STEP_RUN)
		(void) !send_plain(s, LLRP_DELETE_ACCESSSPEC);
	s->access.pending_id = 0;
}

void llrp_session_access_end(struct llrp_session *s, int err, const char *text)
{
	struct rfid_access_result result = {.err = err, .text = text};

	if (!s->access.fn)
		return;
	clear(s);
	finish(s, &result);
}

int llrp_session_access(struct llrp_session *s, const struct rfid_access *access, rfid_access_fn fn,
			void *user)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	int r;

	if (s->step != LLRP_STEP_RUN)
		return -ERR_STATE;
	if (s->access.fn)
		return -EBUSY;
	if (access->n_ops == 0 || access->n_ops > RFID_MAX_OPS)
		return -ERR_RANGE;
	s->access.spec = s->access.spec ? s->access.spec + 1 : FIRST_SPEC;
	s->access.pending_id = s->next_id++;
	r = llrp_access_add(&out, s->access.pending_id, s->access.spec, access);
	if (r < 0)
		return r;
	s->access.asked = *access;
	s->access.fn = fn;
	s->access.user = user;
	s->access.enabled = false;
	s->access.deadline_us = clock_mono_us(s->clock) +
				(access->timeout_us ? access->timeout_us : LLRP_ACCESS_TIMEOUT_US);
	llrp_session_send(s, &out);
	return 0;
}

bool llrp_session_access_response(struct llrp_session *s, struct llrp_msg *m)
{
	uint16_t type = llrp_msg_type(m), status;

	if (!s->access.fn || llrp_msg_id(m) != s->access.pending_id)
		return false;
	status = llrp_msg_status(m, NULL, 0);
	if (status != LLRP_M_SUCCESS || type == LLRP_ERROR_MESSAGE) {
		llrp_session_keep_status(s, m, status);
		llrp_session_access_end(s, -ERR_PEER, s->text);
	} else if (type == LLRP_ADD_ACCESSSPEC_RESPONSE && !s->access.enabled) {
		s->access.enabled = true;
		if (send_plain(s, LLRP_ENABLE_ACCESSSPEC) < 0)
			llrp_session_access_end(s, -ENOMEM, "out of memory");
	}
	return true;
}

void llrp_session_access_report(struct llrp_session *s, const uint8_t *frame, size_t len)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	struct rfid_access_result result;

	if (!s->access.fn || llrp_msg_decode(frame, len, &m, NULL) < 0 ||
	    !llrp_access_take(m, s->access.spec, &s->access.asked, &result))
		return;
	clear(s);
	finish(s, &result);
}

void llrp_session_access_tick(struct llrp_session *s)
{
	if (s->access.fn && clock_mono_us(s->clock) >= s->access.deadline_us)
		llrp_session_access_end(s, -ETIMEDOUT, "no such tag answered");
}
