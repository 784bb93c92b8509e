/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/llrp_session_impl.h"

#include "common/err.h"
#include "rfid/llrp_report.h"
#include <errno.h>
#include <stdio.h>

#define READ_BATCH 64

/* --- events ----------------------------------------------------------------------------------- */

static const char *const attempt_words[] = {
	"success",
	"a connection that the reader initiated exists already",
	"another client is connected already",
	"the reader refused the connection",
	"another client tried to connect",
};

static int on_connection_attempt(struct llrp_session *s, uint64_t status)
{
	const char *words = status < ARRAY_SIZE(attempt_words) ? attempt_words[status]
							       : "an unlisted connection status";

	if (s->step != LLRP_STEP_EVENT) {
		if (status != 0)
			llrp_session_incident(s, "%s", words);
		return 0;
	}
	if (status != 0)
		return llrp_session_fail(s, status == 1 || status == 2 ? -EBUSY : -ERR_PEER, "%s",
					 words);
	return llrp_session_begin(s);
}

static void on_rospec_event(struct llrp_session *s, const struct llrp_elem *e)
{
	if (s->rospec == 0 || llrp_get(e, "ROSpecID") != s->rospec)
		return;
	switch (llrp_get(e, "EventType")) {
	case 0:
		s->active = true;
		if (s->step == LLRP_STEP_RUN && s->start_refused) {
			s->start_refused = false;
			llrp_session_tell_state(s, RFID_READER_RUNNING);
		}
		break;
	case 1:
		if (s->step == LLRP_STEP_RUN)
			llrp_session_incident(s, "the reader ended the inventory by itself");
		break;
	case 2:
		llrp_session_incident(s, "the inventory was pre-empted by another one");
		break;
	default:
		break;
	}
}

void llrp_session_antenna(struct llrp_session *s, unsigned int antenna, bool connected)
{
	uint32_t bit = antenna >= 1 && antenna <= RFID_MAX_ANTENNAS ? 1u << (antenna - 1) : 0;

	if (connected)
		s->stats.antennas_off &= ~bit;
	else
		s->stats.antennas_off |= bit;
	llrp_session_incident(s, "antenna %u was %s", antenna,
			      connected ? "connected" : "disconnected");
}

static void on_exception(struct llrp_session *s, const struct llrp_elem *e)
{
	char text[120];
	size_t len, n = 0;
	const uint8_t *p = llrp_get_bytes(e, "Message", &len);

	for (size_t i = 0; i < len && n + 1 < sizeof(text); i++)
		text[n++] = p[i] >= 0x20 && p[i] < 0x7f ? (char) p[i] : '?';
	text[n] = '\0';
	s->stats.exceptions++;
	llrp_session_incident(s, "the reader reports an exception: %s", text);
}

/** An access point may start without a clock and get it from the network while readers run. */
static int64_t watched_real_us(struct llrp_session *s)
{
	int64_t now_us = clock_real_us(s->clock), gap_us = now_us - clock_mono_us(s->clock);

	if (llabs(gap_us - s->clock_gap_us) > LLRP_CLOCK_NOISE_US)
		llrp_normal_clock_set(&s->normal);
	s->clock_gap_us = gap_us;
	return now_us;
}

static int on_event(struct llrp_session *s, struct llrp_msg *m)
{
	const struct llrp_elem *data =
		llrp_find(llrp_root(m), LLRP_P_READER_EVENT_NOTIFICATION_DATA);
	int r = 0;

	for (const struct llrp_elem *e = data ? data->first : NULL; e && r == 0 && !s->freed;
	     e = e->next) {
		switch (e->num) {
		case LLRP_P_UTC_TIMESTAMP:
			llrp_normal_clock(&s->normal, llrp_get(e, "Microseconds"),
					  watched_real_us(s));
			break;
		case LLRP_P_UPTIME:
			llrp_normal_uptime(&s->normal, llrp_get(e, "Microseconds"),
					   watched_real_us(s));
			break;
		case LLRP_P_CONNECTION_ATTEMPT_EVENT:
			r = on_connection_attempt(s, llrp_get(e, "Status"));
			break;
		case LLRP_P_CONNECTION_CLOSE_EVENT:
			r = llrp_session_fail(s, -ERR_CLOSED, "the reader closed the connection");
			break;
		case LLRP_P_ROSPEC_EVENT:
			on_rospec_event(s, e);
			break;
		case LLRP_P_READER_EXCEPTION_EVENT:
			on_exception(s, e);
			break;
		case LLRP_P_REPORT_BUFFER_LEVEL_WARNING_EVENT:
			llrp_ledger_warning(&s->ledger);
			llrp_session_incident(
				s, "the reader's report buffer is %u %% full",
				(unsigned int) llrp_get(e, "ReportBufferPercentageFull"));
			break;
		case LLRP_P_REPORT_BUFFER_OVERFLOW_ERROR_EVENT:
			llrp_ledger_overflow(&s->ledger, clock_real_us(s->clock));
			llrp_session_incident(
				s, "the reader's report buffer overflowed: reads were lost");
			break;
		case LLRP_P_ANTENNA_EVENT:
			llrp_session_antenna(s, (unsigned int) llrp_get(e, "AntennaID"),
					     llrp_get(e, "EventType") != 0);
			break;
		default:
			break;
		}
	}
	return r;
}

/* --- frames ----------------------------------------------------------------------------------- */

static int on_report(struct llrp_session *s, const uint8_t *frame, size_t len)
{
	struct rfid_read batch[READ_BATCH];
	int64_t now_us = watched_real_us(s);
	struct llrp_report it;
	struct llrp_tag tag;
	size_t n = 0, odd = 0;
	int r;

	r = llrp_report_check(frame, len);
	if (r < 0)
		return llrp_session_bad_frame(s, r, "a malformed tag report");
	if (r == 0)
		return 0;
	llrp_ledger_frame(&s->ledger, (size_t) r);
	if (s->step < LLRP_STEP_ENABLE) {
		llrp_ledger_unclaimed(&s->ledger, (size_t) r); /* of an inventory not ours */
		return 0;
	}
	s->active = true;
	if (s->step == LLRP_STEP_RUN && s->start_refused) {
		s->start_refused = false;
		llrp_session_sign_of_life(s);
		llrp_session_tell_state(s, RFID_READER_RUNNING);
	}
	r = llrp_report_begin(&it, frame, len);
	while (r == 0 && !s->freed && llrp_report_next(&it, &tag) == 1) {
		if (llrp_normal_read(&s->normal, &tag, now_us, &batch[n]) < 0) {
			odd++;
			continue;
		}
		llrp_ledger_read(&s->ledger, &batch[n]);
		s->stats.reads++;
		if (++n == READ_BATCH) {
			s->cb.reads(s->user, batch, n);
			n = 0;
		}
	}
	if (n && !s->freed)
		s->cb.reads(s->user, batch, n);
	if (!s->freed)
		llrp_session_access_report(s, frame, len);
	llrp_ledger_strange(&s->ledger, odd);
	if (odd)
		llrp_session_incident(s, "%zu tag reports had an empty or overlong EPC", odd);
	return 0;
}

static void acknowledge(struct llrp_session *s, uint32_t id)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	if (s->step != LLRP_STEP_EVENT && llrp_setup_plain(&out, LLRP_KEEPALIVE_ACK, id, 0) == 0)
		llrp_session_send(s, &out);
}

static int on_frame(struct llrp_session *s, const struct llrp_header *h, const uint8_t *frame)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	char what[80];
	int r;

	s->stats.messages++;
	llrp_session_sign_of_life(s);
	if (s->step == LLRP_STEP_RUN)
		llrp_ledger_heard(&s->ledger, clock_real_us(s->clock),
				  h->type == LLRP_RO_ACCESS_REPORT);
	if (h->type == LLRP_RO_ACCESS_REPORT)
		return on_report(s, frame, h->length);
	if (h->type == LLRP_KEEPALIVE) {
		acknowledge(s, h->id);
		return 0;
	}
	r = llrp_msg_decode(frame, h->length, &m, NULL);
	if (r == -ERR_VERSION)
		return 0; /* a message type of a later version; nothing was asked of us */
	if (r == -ENOMEM)
		return llrp_session_fail(s, r, "out of memory");
	if (r < 0) {
		snprintf(what, sizeof(what), "a malformed message of type %u", h->type);
		return llrp_session_bad_frame(s, r, what);
	}
	if (h->type == LLRP_READER_EVENT_NOTIFICATION)
		return on_event(s, m);
	if (llrp_session_access_response(s, m))
		return 0;
	if ((h->type == LLRP_GET_ROSPECS_RESPONSE || h->type == LLRP_GET_READER_CONFIG_RESPONSE) &&
	    s->step == LLRP_STEP_RUN)
		return llrp_session_audit_response(s, m);
	if (h->type == LLRP_ERROR_MESSAGE && (h->id != s->pending_id || s->step == LLRP_STEP_RUN)) {
		llrp_session_keep_status(s, m, llrp_msg_status(m, NULL, 0));
		llrp_session_incident(s, "the reader complains: %s", s->text);
		return 0; /* never answered: LLRP 1.0.1, clause 14 */
	}
	return llrp_session_on_response(s, m);
}

/** Handles the whole frames at the start of the bytes. */
int llrp_session_take_frames(struct llrp_session *s, const uint8_t *data, size_t len,
			     size_t *ret_used)
{
	struct llrp_header h;
	size_t used = 0;
	int r;

	for (;;) {
		*ret_used = used;
		if (s->freed)
			return 0;
		r = llrp_header_decode(data + used, len - used, &h);
		if (r == -EAGAIN)
			return 0;
		if (r < 0)
			return llrp_session_bad_frame(s, r, "bytes that are not LLRP");
		if (len - used < h.length)
			return 0;
		r = on_frame(s, &h, data + used);
		if (r < 0)
			return r;
		used += h.length;
	}
}
