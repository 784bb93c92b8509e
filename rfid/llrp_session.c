/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/llrp_session_impl.h"

#include "common/err.h"
#include "common/gen2_profile.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RX_KEEP_BYTES      65536u
#define INCIDENT_WINDOW_US (60 * US_PER_SEC)

/** What each step sends is in send_step(); this is what it gets for it. */
static const struct {
	uint16_t response;
	const char *what;
} steps[LLRP_STEP_COUNT] = {
	[LLRP_STEP_EVENT] = {0, "the connection event"},
	[LLRP_STEP_ASK_VERSION] = {LLRP_GET_SUPPORTED_VERSION_RESPONSE, "the protocol versions"},
	[LLRP_STEP_SET_VERSION] = {LLRP_SET_PROTOCOL_VERSION_RESPONSE, "the protocol version"},
	[LLRP_STEP_CAPABILITIES] = {LLRP_GET_READER_CAPABILITIES_RESPONSE, "the capabilities"},
	[LLRP_STEP_EXTENSIONS] = {LLRP_CUSTOM_MESSAGE, "enabling extensions"},
	[LLRP_STEP_CONFIG] = {LLRP_SET_READER_CONFIG_RESPONSE, "the configuration"},
	[LLRP_STEP_ROSPECS] = {LLRP_GET_ROSPECS_RESPONSE, "what runs there"},
	[LLRP_STEP_DELETE_ACCESS] = {LLRP_DELETE_ACCESSSPEC_RESPONSE, "deleting access specs"},
	[LLRP_STEP_DELETE] = {LLRP_DELETE_ROSPEC_RESPONSE, "deleting inventory specs"},
	[LLRP_STEP_ADD] = {LLRP_ADD_ROSPEC_RESPONSE, "adding the inventory"},
	[LLRP_STEP_ENABLE] = {LLRP_ENABLE_ROSPEC_RESPONSE, "enabling the inventory"},
	[LLRP_STEP_START] = {LLRP_START_ROSPEC_RESPONSE, "starting the inventory"},
	[LLRP_STEP_RUN] = {0, "a sign of life"},
	[LLRP_STEP_STOP] = {LLRP_STOP_ROSPEC_RESPONSE, "stopping the inventory"},
	[LLRP_STEP_CLEAN] = {LLRP_DELETE_ROSPEC_RESPONSE, "deleting the inventory"},
	[LLRP_STEP_CLOSE] = {LLRP_CLOSE_CONNECTION_RESPONSE, "closing"},
};

/* --- telling the owner ------------------------------------------------------------------------ */

/** Keeps the sentence and ends the connection. */
int llrp_session_fail(struct llrp_session *s, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->text, sizeof(s->text), fmt, ap);
	va_end(ap);
	s->step = LLRP_STEP_DEAD;
	s->deadline_us = INT64_MAX;
	return err;
}

/* A frame that lies costs the connection, and is counted. */
int llrp_session_bad_frame(struct llrp_session *s, int err, const char *what)
{
	s->stats.bad_frames++;
	return llrp_session_fail(s, err, "the reader sent %s", what);
}

void llrp_session_incident(struct llrp_session *s, const char *fmt, ...)
{
	char text[LLRP_SESSION_TEXT_MAX];
	unsigned int held_back;
	va_list ap;

	/* A reader with a loose cable, or a mind of its own, must not drown the others' news. */
	if (!s->cb.incident || s->freed ||
	    !log_limit_pass(&s->incidents, clock_mono_us(s->clock), INCIDENT_WINDOW_US,
			    LLRP_MAX_INCIDENTS, &held_back))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->cb.incident(s->user, text);
	if (held_back && !s->freed) {
		snprintf(text, sizeof(text), "%u more incidents were not told", held_back);
		s->cb.incident(s->user, text);
	}
}

void llrp_session_tell_state(struct llrp_session *s, enum rfid_reader_state state)
{
	if (s->cb.state && !s->freed)
		s->cb.state(s->user, state);
}

void llrp_session_send(struct llrp_session *s, struct buf *out)
{
	/* The builders write 1.0.1: what we send is the same in both versions. */
	out->data[0] = (uint8_t) ((out->data[0] & ~0x1c) | s->version << 2);
	if (!s->freed)
		s->cb.send(s->user, out->data, out->len);
}

/* --- steps ------------------------------------------------------------------------------------ */

static int build_step(struct llrp_session *s, struct buf *out)
{
	uint32_t id = s->pending_id;

	switch (s->step) {
	case LLRP_STEP_ASK_VERSION:
		return llrp_setup_plain(out, LLRP_GET_SUPPORTED_VERSION, id, 0);
	case LLRP_STEP_SET_VERSION:
		return llrp_setup_plain(out, LLRP_SET_PROTOCOL_VERSION, id, LLRP_VERSION_1_1);
	case LLRP_STEP_CAPABILITIES:
		return llrp_setup_get_capabilities(out, id);
	case LLRP_STEP_EXTENSIONS:
		return llrp_setup_enable_extensions(out, id);
	case LLRP_STEP_CONFIG:
		return llrp_setup_config(out, id, &s->caps, s->cfg.keepalive_ms, s->reduced);
	case LLRP_STEP_ROSPECS:
		return llrp_setup_plain(out, LLRP_GET_ROSPECS, id, 0);
	case LLRP_STEP_DELETE_ACCESS:
		return llrp_setup_plain(out, LLRP_DELETE_ACCESSSPEC, id, 0);
	case LLRP_STEP_DELETE:
		return llrp_setup_plain(out, LLRP_DELETE_ROSPEC, id, 0);
	case LLRP_STEP_ADD:
		return llrp_setup_add_rospec(out, id, &s->caps, &s->cfg, s->extended, s->reduced,
					     &s->rospec);
	case LLRP_STEP_ENABLE:
		return llrp_setup_plain(out, LLRP_ENABLE_ROSPEC, id, s->rospec);
	case LLRP_STEP_START:
		return llrp_setup_plain(out, LLRP_START_ROSPEC, id, s->rospec);
	case LLRP_STEP_STOP:
		return llrp_setup_plain(out, LLRP_STOP_ROSPEC, id, s->rospec);
	case LLRP_STEP_CLEAN:
		return llrp_setup_plain(out, LLRP_DELETE_ROSPEC, id, s->rospec);
	case LLRP_STEP_CLOSE:
		return llrp_setup_plain(out, LLRP_CLOSE_CONNECTION, id, 0);
	default:
		return 0;
	}
}

/** Sends the step's request and waits for its response. */
int llrp_session_begin_step(struct llrp_session *s, enum llrp_step step)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	bool stopping = step >= LLRP_STEP_STOP;
	int r;

	if (step != s->step)
		s->reduced = false;
	s->step = step;
	s->pending_id = s->next_id++;
	s->deadline_us = clock_mono_us(s->clock) +
			 (stopping ? LLRP_STOP_TIMEOUT_US : LLRP_RESPONSE_TIMEOUT_US);
	r = build_step(s, &out);
	if (r < 0)
		return llrp_session_fail(s, r, "out of memory while %s", steps[step].what);
	if (step == LLRP_STEP_CAPABILITIES)
		llrp_session_tell_state(s, RFID_READER_NEGOTIATING);
	else if (step == LLRP_STEP_CONFIG && !s->reduced)
		llrp_session_tell_state(s, RFID_READER_CONFIGURING);
	llrp_session_send(s, &out);
	return 0;
}

static int retry_reduced(struct llrp_session *s, const char *what)
{
	s->reduced = true;
	llrp_session_incident(s, "the reader refused %s (%s); trying with less", what, s->text);
	return llrp_session_begin_step(s, s->step);
}

void llrp_session_sign_of_life(struct llrp_session *s)
{
	if (s->step == LLRP_STEP_RUN && !s->start_refused)
		s->deadline_us = clock_mono_us(s->clock) +
				 LLRP_MISSED_KEEPALIVES * US_PER_MS * s->cfg.keepalive_ms;
}

static int begin_run(struct llrp_session *s)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	int r = 0;

	s->step = LLRP_STEP_RUN;
	llrp_session_sign_of_life(s);
	llrp_session_audit_begin(s);
	if (s->start_refused)
		s->deadline_us = clock_mono_us(s->clock) + LLRP_START_GRACE_US;
	llrp_ledger_running(&s->ledger, clock_real_us(s->clock), s->resumed);
	/* On a connection after the first the reader holds reports until it is told that we are
	 * ready, because we, or a client before us, asked for it. There is no response to this. */
	if (s->caps.holding) {
		r = llrp_setup_plain(&out, LLRP_ENABLE_EVENTS_AND_REPORTS, s->next_id++, 0);
		if (r < 0)
			return llrp_session_fail(s, r, "out of memory while starting");
		llrp_session_send(s, &out);
	}
	if (!s->start_refused)
		llrp_session_tell_state(s, RFID_READER_RUNNING);
	return 0;
}

static int capabilities_done(struct llrp_session *s, struct llrp_msg *m)
{
	int r = llrp_caps_parse(m, &s->caps);

	if (r < 0)
		return llrp_session_bad_frame(s, r, "capabilities that name no device");
	s->stats.antennas = s->caps.antennas;
	s->stats.n_channels = s->caps.n_channels;
	memcpy(s->stats.khz, s->caps.khz, sizeof(s->stats.khz));
	llrp_caps_describe(&s->caps, s->stats.model, sizeof(s->stats.model));
	return llrp_session_begin_step(
		s, s->caps.vendor == LLRP_VENDOR_IMPINJ ? LLRP_STEP_EXTENSIONS : LLRP_STEP_CONFIG);
}

/** Which versions the reader speaks, and which one on this connection. */
static int version_told(struct llrp_session *s, struct llrp_msg *m)
{
	uint64_t current = llrp_get(llrp_root(m), "CurrentVersion");
	uint64_t best = llrp_get(llrp_root(m), "SupportedVersion");

	s->version_asked = false;
	if (best < LLRP_VERSION_1_1) {
		s->version = LLRP_VERSION_1;
		return llrp_session_begin_step(s, LLRP_STEP_CAPABILITIES);
	}
	if (current != LLRP_VERSION_1_1)
		return llrp_session_begin_step(s, LLRP_STEP_SET_VERSION);
	s->stats.version = s->version;
	return llrp_session_begin_step(s, LLRP_STEP_CAPABILITIES);
}

/** It speaks 1.0.1, and said so in the way of readers that know of nothing else. */
static int version_refused(struct llrp_session *s)
{
	s->version_asked = false;
	s->version = LLRP_VERSION_1;
	return llrp_session_begin_step(s, LLRP_STEP_CAPABILITIES);
}

int llrp_session_begin(struct llrp_session *s)
{
	s->version = LLRP_VERSION_1;
	if (s->cfg.version < LLRP_VERSION_1_1 || s->version_taboo)
		return llrp_session_begin_step(s, LLRP_STEP_CAPABILITIES);
	s->version = LLRP_VERSION_1_1;
	s->version_asked = true;
	return llrp_session_begin_step(s, LLRP_STEP_ASK_VERSION);
}

/** No operation on tags is left over from anybody. */
static int access_cleared(struct llrp_session *s)
{
	if (!s->resumed)
		return llrp_session_begin_step(s, LLRP_STEP_DELETE);
	s->active = true;
	return begin_run(s);
}

/** The request was granted. */
static int step_done(struct llrp_session *s, struct llrp_msg *m)
{
	switch (s->step) {
	case LLRP_STEP_ASK_VERSION:
		return version_told(s, m);
	case LLRP_STEP_SET_VERSION:
		s->stats.version = s->version;
		return llrp_session_begin_step(s, LLRP_STEP_CAPABILITIES);
	case LLRP_STEP_CAPABILITIES:
		return capabilities_done(s, m);
	case LLRP_STEP_ROSPECS:
		return llrp_session_rospecs_told(s, m);
	case LLRP_STEP_DELETE_ACCESS:
		return access_cleared(s);
	case LLRP_STEP_EXTENSIONS:
		s->extended = true;
		return llrp_session_begin_step(s, LLRP_STEP_CONFIG);
	case LLRP_STEP_START:
		s->active = true;
		return begin_run(s);
	case LLRP_STEP_CLOSE:
		llrp_session_fail(s, -ERR_CLOSED, "stopped");
		llrp_session_tell_state(s, RFID_READER_IDLE);
		return -ERR_CLOSED;
	case LLRP_STEP_CONFIG:
		s->config_reduced = s->reduced;
		return llrp_session_begin_step(s, LLRP_STEP_ROSPECS);
	case LLRP_STEP_ADD:
		s->rospec_reduced = s->reduced;
		return llrp_session_begin_step(s, LLRP_STEP_ENABLE);
	case LLRP_STEP_DELETE:
	case LLRP_STEP_ENABLE:
	case LLRP_STEP_STOP:
	case LLRP_STEP_CLEAN:
		return llrp_session_begin_step(s, s->step + 1);
	default:
		return 0;
	}
}

/** The request was refused, with the reader's words in s->text. */
static int step_refused(struct llrp_session *s)
{
	char why[LLRP_SESSION_TEXT_MAX];

	switch (s->step) {
	case LLRP_STEP_EXTENSIONS: /* then without */
		return llrp_session_begin_step(s, LLRP_STEP_CONFIG);
	case LLRP_STEP_CONFIG:
		if (!s->reduced)
			return retry_reduced(s, "the event settings");
		break;
	case LLRP_STEP_ADD:
		if (!s->reduced)
			return retry_reduced(s, "the radio settings");
		break;
	case LLRP_STEP_START:
		/* With its immediate trigger the ROSpec may be active already, and some readers
		 * call that an error. Reports or its event will tell. */
		s->start_refused = !s->active;
		memcpy(s->refusal, s->text, sizeof(s->refusal));
		return begin_run(s);
	case LLRP_STEP_ASK_VERSION:
	case LLRP_STEP_SET_VERSION:
		return version_refused(s);
	case LLRP_STEP_DELETE_ACCESS: /* a reader without access specs, or with none to delete */
		return access_cleared(s);
	case LLRP_STEP_ROSPECS:
	case LLRP_STEP_DELETE:
	case LLRP_STEP_STOP:
	case LLRP_STEP_CLEAN:
		return llrp_session_begin_step(s, s->step + 1);
	case LLRP_STEP_CLOSE:
		return step_done(s, NULL);
	default:
		break;
	}
	snprintf(why, sizeof(why), "%.150s", s->text);
	return llrp_session_fail(s, -ERR_PEER, "the reader refused %s: %s", steps[s->step].what,
				 why);
}

/** Keeps the words of an LLRPStatus. */
void llrp_session_keep_status(struct llrp_session *s, struct llrp_msg *m, uint16_t status)
{
	char words[120];

	llrp_msg_status(m, words, sizeof(words));
	snprintf(s->text, sizeof(s->text), "%s%s%s (status %u)", llrp_status_str(status),
		 words[0] ? ": " : "", words, status);
}

/** LLRPStatus of the vendor's response, which the table leaves as bytes: parameter header, code. */
static uint16_t custom_status(struct llrp_msg *m)
{
	size_t len;
	const uint8_t *p = llrp_get_bytes(llrp_root(m), "Data", &len);

	if (len < 6 || (p[0] << 8 | p[1]) != LLRP_P_LLRP_STATUS)
		return UINT16_MAX;
	return (uint16_t) (p[4] << 8 | p[5]);
}

int llrp_session_on_response(struct llrp_session *s, struct llrp_msg *m)
{
	uint16_t type = llrp_msg_type(m), status;

	if (llrp_msg_id(m) != s->pending_id || s->step <= LLRP_STEP_EVENT ||
	    s->step == LLRP_STEP_RUN)
		return 0; /* late, or of another time */
	if (type != steps[s->step].response && type != LLRP_ERROR_MESSAGE)
		return 0;
	status = type == LLRP_CUSTOM_MESSAGE ? custom_status(m) : llrp_msg_status(m, NULL, 0);
	if (status == LLRP_M_SUCCESS && type != LLRP_ERROR_MESSAGE)
		return step_done(s, m);
	llrp_session_keep_status(s, m, status);
	return step_refused(s);
}

/* --- bytes in -------------------------------------------------------------------------------- */

static int feed(struct llrp_session *s, const uint8_t *data, size_t len)
{
	size_t used;
	int r;

	if (s->rx.len == 0) {
		/* The common case: frames straight from the caller's buffer. */
		r = llrp_session_take_frames(s, data, len, &used);
		if (r < 0)
			return r;
		data += used;
		len -= used;
		if (len == 0 || s->freed)
			return 0;
		buf_put(&s->rx, data, len);
	} else {
		buf_put(&s->rx, data, len);
		if (buf_ok(&s->rx)) {
			r = llrp_session_take_frames(s, s->rx.data, s->rx.len, &used);
			if (r < 0)
				return r;
			buf_consume(&s->rx, used);
			if (s->rx.len == 0 && s->rx.cap > RX_KEEP_BYTES)
				buf_done(&s->rx); /* one long message need not stay paid for */
		}
	}
	return buf_ok(&s->rx) ? 0 : llrp_session_fail(s, -ENOMEM, "out of memory");
}

/* --- the front door --------------------------------------------------------------------------- */

int llrp_session_new(const struct rfid_reader_config *cfg, const struct clock *clock,
		     const struct llrp_session_callbacks *cb, void *user, struct llrp_session **ret)
{
	struct llrp_session *s;

	if (cfg->n_antennas > RFID_MAX_ANTENNAS || cfg->session > 3)
		return -ERR_RANGE;
	if (!gen2_profile_find(cfg->profile))
		return -ERR_CONFIG;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->cfg = *cfg;
	s->cfg.profile = gen2_profile_find(cfg->profile)->name;
	s->stats.version = LLRP_VERSION_1;
	s->cfg.name = s->cfg.host = NULL; /* the owner's; not needed here */
	if (s->cfg.keepalive_ms == 0)
		s->cfg.keepalive_ms = LLRP_DEFAULT_KEEPALIVE_MS;
	s->clock = clock;
	s->cb = *cb;
	s->user = user;
	s->deadline_us = INT64_MAX;
	buf_init(&s->rx, 0);
	llrp_ledger_init(&s->ledger, cfg->heard_until_us);
	*ret = s;
	return 0;
}

static void destroy(struct llrp_session *s)
{
	buf_done(&s->rx);
	free(s);
}

void llrp_session_free(struct llrp_session *s)
{
	if (!s)
		return;
	s->freed = true;
	if (s->busy == 0)
		destroy(s);
}

static void enter(struct llrp_session *s)
{
	s->busy++;
}

/** Lets a deferred free happen; `r` is what the caller returns. */
static int leave(struct llrp_session *s, int r)
{
	s->busy--;
	if (s->freed) {
		if (s->busy == 0)
			destroy(s);
		return -ERR_CLOSED;
	}
	return r;
}

void llrp_session_connected(struct llrp_session *s)
{
	s->step = LLRP_STEP_EVENT;
	s->next_id = 1;
	s->pending_id = 0;
	s->deadline_us = clock_mono_us(s->clock) + LLRP_RESPONSE_TIMEOUT_US;
	s->version = LLRP_VERSION_1;
	s->stats.version = LLRP_VERSION_1;
	s->version_taboo |= s->version_asked;
	s->version_asked = false;
	s->reduced = s->extended = s->active = s->resumed = s->start_refused = false;
	s->rospec = 0;
	s->config_reduced = s->rospec_reduced = s->verifying = s->verify_rospec = false;
	s->stats.antennas_off = 0;
	s->caps = (struct llrp_caps){0};
	s->clock_gap_us = clock_real_us(s->clock) - clock_mono_us(s->clock);
	llrp_normal_init(&s->normal, s->cfg.n_antennas ? s->cfg.antennas[0] : 1);
	buf_clear(&s->rx);
	s->text[0] = '\0';
}

int llrp_session_feed(struct llrp_session *s, const uint8_t *data, size_t len)
{
	if (s->step == LLRP_STEP_DEAD)
		return -ERR_STATE;
	enter(s);
	return leave(s, feed(s, data, len));
}

static int overdue(struct llrp_session *s)
{
	const char *what = steps[s->step].what;

	if (s->step == LLRP_STEP_EXTENSIONS ||
	    (s->step >= LLRP_STEP_STOP && s->step < LLRP_STEP_CLOSE))
		return step_refused(s); /* then without */
	if (s->step == LLRP_STEP_CLOSE)
		return step_done(s, NULL);
	if (s->step == LLRP_STEP_RUN && s->start_refused)
		return llrp_session_fail(s, -ERR_PEER,
					 "the reader refused to start the inventory: %.120s",
					 s->refusal);
	return llrp_session_fail(s, -ETIMEDOUT, "the reader is silent; waited for %s", what);
}

int llrp_session_tick(struct llrp_session *s)
{
	if (s->step == LLRP_STEP_DEAD)
		return -ERR_STATE;
	enter(s);
	llrp_session_access_tick(s);
	llrp_session_audit_tick(s);
	if (s->freed || clock_mono_us(s->clock) < s->deadline_us)
		return leave(s, 0);
	return leave(s, overdue(s));
}

int64_t llrp_session_deadline(const struct llrp_session *s)
{
	int64_t at_us = s->deadline_us;

	if (s->access.fn)
		at_us = MIN(at_us, s->access.deadline_us);
	if (s->step == LLRP_STEP_RUN)
		at_us = MIN(at_us, s->audit_us);
	return at_us;
}

int llrp_session_stop(struct llrp_session *s)
{
	if (s->step <= LLRP_STEP_EVENT)
		return -ERR_STATE;
	if (s->step >= LLRP_STEP_STOP)
		return 0;
	enter(s);
	llrp_session_tell_state(s, RFID_READER_STOPPING);
	return leave(s, llrp_session_begin_step(s, s->resumed || s->step > LLRP_STEP_ADD
							   ? LLRP_STEP_STOP
							   : LLRP_STEP_CLOSE));
}

int llrp_session_leave(struct llrp_session *s)
{
	if (s->step != LLRP_STEP_RUN || !s->caps.holding)
		return llrp_session_stop(s);
	enter(s);
	llrp_session_tell_state(s, RFID_READER_STOPPING);
	return leave(s, llrp_session_begin_step(s, LLRP_STEP_CLOSE));
}

const char *llrp_session_text(const struct llrp_session *s)
{
	return s->text;
}

void llrp_session_get_stats(const struct llrp_session *s, struct rfid_reader_stats *ret)
{
	*ret = s->stats;
	ret->ledger = s->ledger.told;
}
