/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Is the reader still as we set it? Somebody with another program, or a reader that loses its mind,
 * may have stopped or changed the inventory, or its configuration, while the connection stands. It
 * is asked for both every few minutes, which disturbs nothing:
 *
 *     what runs there -> not ours, or not as we said -> set up anew, told, looked at again
 *     how it is set   -> not as we said              -> set again, told, looked at again
 *
 * What is found again right after it was mended is how this reader tells it: it is told once and
 * left as it is.
 */
#include "rfid/llrp_session_impl.h"

#include "common/err.h"
#include "rfid/llrp_audit.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ROSPEC_ACTIVE 2

/** Is our inventory there, alone and running? */
static bool finds_ours(const struct llrp_session *s, struct llrp_msg *rospecs)
{
	const struct llrp_elem *e = llrp_find(llrp_root(rospecs), LLRP_P_ROSPEC);

	return e && !llrp_find_next(e) && llrp_get(e, "CurrentState") == ROSPEC_ACTIVE &&
	       llrp_get(e, "ROSpecID") == s->rospec;
}

static struct llrp_msg *decoded(struct buf *b, int r)
{
	struct llrp_msg *m = NULL;

	if (r < 0 || llrp_msg_decode(b->data, b->len, &m, NULL) < 0)
		return NULL;
	return m;
}

/** How many settings of the ROSpec that is told are not ours, and which. */
static size_t rospec_drift(struct llrp_session *s, struct llrp_msg *rospecs, bool reduced,
			   char words[LLRP_AUDIT_TEXT])
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *wanted = NULL;
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct llrp_findings f;
	uint32_t id;
	int r = llrp_setup_add_rospec(&out, 1, &s->caps, &s->cfg, s->extended, reduced, &id);

	wanted = decoded(&out, r);
	if (!wanted)
		return 0;
	llrp_audit_rospec(llrp_find(llrp_root(wanted), LLRP_P_ROSPEC),
			  llrp_find(llrp_root(rospecs), LLRP_P_ROSPEC), &f);
	(void) llrp_audit_words(&f, &s->caps, words);
	return f.n;
}

static size_t config_drift(struct llrp_session *s, struct llrp_msg *found,
			   char words[LLRP_AUDIT_TEXT])
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *wanted = NULL;
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct llrp_findings f;

	wanted = decoded(
		&out, llrp_setup_config(&out, 1, &s->caps, s->cfg.keepalive_ms, s->config_reduced));
	if (!wanted)
		return 0;
	llrp_audit_config(llrp_root(wanted), llrp_root(found), &f);
	(void) llrp_audit_words(&f, &s->caps, words);
	return f.n;
}

/* --- asking ------------------------------------------------------------------------------------
 */

static void ask(struct llrp_session *s, uint16_t type)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	s->audit_id = s->next_id++;
	/* Of GET_READER_CONFIG: antenna 0, and with it everything, of everything. */
	if (llrp_setup_plain(&out, type, s->audit_id, 0) == 0)
		llrp_session_send(s, &out);
}

void llrp_session_audit_tick(struct llrp_session *s)
{
	if (s->step != LLRP_STEP_RUN || s->freed || clock_mono_us(s->clock) < s->audit_us)
		return;
	s->audit_us = clock_mono_us(s->clock) + llrp_session_audit_period(s);
	ask(s, LLRP_GET_ROSPECS);
}

int64_t llrp_session_audit_period(const struct llrp_session *s)
{
	return s->cfg.audit_s ? s->cfg.audit_s * US_PER_SEC : LLRP_AUDIT_US;
}

/* --- what was found ----------------------------------------------------------------------------
 */

static void note_drift(struct llrp_session *s, const char *words, bool mended)
{
	s->stats.drifts++;
	s->stats.drift_us = clock_real_us(s->clock);
	s->stats.drift_mended = mended;
	snprintf(s->stats.drift, sizeof(s->stats.drift), "%s", words);
	llrp_session_incident(s, "found %s", words);
}

/** Tells it, unless the reader is known to tell it so. True if it is to be mended. */
static bool take_drift(struct llrp_session *s, const char *words, char insists[LLRP_AUDIT_TEXT])
{
	if (!strcmp(words, insists))
		return false;
	if (s->verifying && !strcmp(words, s->stats.drift)) {
		s->verifying = false;
		snprintf(insists, LLRP_AUDIT_TEXT, "%s", words);
		llrp_session_incident(s, "the reader goes on telling %s: left so", words);
		return false;
	}
	note_drift(s, words, false);
	return true;
}

/** Looked at again soon: is it mended? */
static void verify_soon(struct llrp_session *s)
{
	s->verifying = true;
	s->audit_us = clock_mono_us(s->clock) + LLRP_AUDIT_VERIFY_US;
}

static int set_up_again(struct llrp_session *s)
{
	if (s->freed)
		return 0;
	llrp_session_access_end(s, -ERR_STATE, "the inventory had to be set up again");
	s->resumed = s->active = s->start_refused = false;
	s->verify_rospec = true;
	return llrp_session_begin_step(s, LLRP_STEP_DELETE_ACCESS);
}

static int on_rospecs(struct llrp_session *s, struct llrp_msg *m)
{
	char words[LLRP_AUDIT_TEXT];
	const char *what = llrp_find(llrp_root(m), LLRP_P_ROSPEC)
				   ? "another inventory, or a stopped one, in place of ours"
				   : "our inventory gone from the reader";

	if (!finds_ours(s, m)) {
		note_drift(s, what, false);
		return set_up_again(s);
	}
	if (rospec_drift(s, m, s->rospec_reduced, words) && take_drift(s, words, s->insists_rospec))
		return set_up_again(s);
	if (!s->freed)
		ask(s, LLRP_GET_READER_CONFIG);
	return 0;
}

static void take_antennas(struct llrp_session *s, struct llrp_msg *m)
{
	const struct llrp_elem *e = llrp_find(llrp_root(m), LLRP_P_ANTENNA_PROPERTIES);

	for (; e && !s->freed; e = llrp_find_next(e)) {
		uint64_t antenna = llrp_get(e, "AntennaID");
		bool off = !llrp_get(e, "AntennaConnected");

		if (antenna >= 1 && antenna <= RFID_MAX_ANTENNAS &&
		    off != (s->stats.antennas_off >> (antenna - 1) & 1))
			llrp_session_antenna(s, (unsigned int) antenna, !off);
	}
}

static void on_config(struct llrp_session *s, struct llrp_msg *m)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	char words[LLRP_AUDIT_TEXT];

	take_antennas(s, m);
	if (s->freed)
		return;
	if (config_drift(s, m, words) && take_drift(s, words, s->insists_config)) {
		if (!s->freed && llrp_setup_config(&out, s->next_id++, &s->caps,
						   s->cfg.keepalive_ms, s->config_reduced) == 0)
			llrp_session_send(s, &out);
		verify_soon(s);
		return;
	}
	if (s->verifying) {
		s->stats.drift_mended = true;
		s->stats.mended++;
	}
	s->verifying = false;
}

int llrp_session_audit_response(struct llrp_session *s, struct llrp_msg *m)
{
	/* A reader that cannot say is believed to do as it was told. */
	if (llrp_msg_id(m) != s->audit_id || llrp_msg_status(m, NULL, 0) != LLRP_M_SUCCESS)
		return 0;
	s->audit_id = 0;
	if (llrp_msg_type(m) == LLRP_GET_ROSPECS_RESPONSE)
		return on_rospecs(s, m);
	on_config(s, m);
	return 0;
}

void llrp_session_audit_begin(struct llrp_session *s)
{
	s->audit_us =
		clock_mono_us(s->clock) + MIN(llrp_session_audit_period(s), LLRP_AUDIT_FIRST_US);
	s->audit_id = 0;
	if (s->verify_rospec)
		verify_soon(s);
	s->verify_rospec = false;
}

int llrp_session_rospecs_told(struct llrp_session *s, struct llrp_msg *m)
{
	const struct llrp_elem *e = llrp_find(llrp_root(m), LLRP_P_ROSPEC);
	char words[LLRP_AUDIT_TEXT];
	uint32_t ours;

	for (int reduced = 0; e && reduced < 2 && !s->resumed; reduced++) {
		_cleanup_buf_ struct buf out = BUF_INIT;

		if (llrp_setup_add_rospec(&out, 0, &s->caps, &s->cfg, s->extended, reduced, &ours) <
		    0)
			return llrp_session_fail(s, -ENOMEM, "out of memory");
		s->rospec = ours;
		s->resumed = finds_ours(s, m);
		s->rospec_reduced = reduced;
	}
	if (s->resumed && rospec_drift(s, m, s->rospec_reduced, words) &&
	    strcmp(words, s->insists_rospec) != 0) {
		s->resumed = false;
		s->verify_rospec = true;
		note_drift(s, words, false);
	}
	if (!s->resumed)
		s->rospec = 0;
	/* Ours, with another configuration, is no stranger. */
	if (!s->resumed && e && !(llrp_get(e, "ROSpecID") & LLRP_SETUP_OURS))
		note_drift(s, "another client's inventory in place of ours", true);
	return s->freed ? 0 : llrp_session_begin_step(s, LLRP_STEP_DELETE_ACCESS);
}
