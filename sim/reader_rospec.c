/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/reader_impl.h"

#include <errno.h>
#include <string.h>

enum start_trigger {
	START_NULL,
	START_IMMEDIATE,
	START_PERIODIC,
	START_GPI
};
enum stop_trigger {
	STOP_NULL,
	STOP_DURATION,
	STOP_GPI
};
enum ai_stop {
	AI_STOP_NULL,
	AI_STOP_DURATION,
	AI_STOP_GPI,
	AI_STOP_OBSERVATION
};
enum rospec_event {
	ROSPEC_EVENT_START,
	ROSPEC_EVENT_END
};

static const struct refusal no_such_rospec = {LLRP_M_FIELD_ERROR, 0, 0, LLRP_A_INVALID,
					      "no ROSpec has that id"};

static struct rospec *rospec_find(struct sim_reader *r, uint32_t id)
{
	for (unsigned int i = 0; i < r->n_rospecs; i++) {
		if (r->rospecs[i].id == id)
			return &r->rospecs[i];
	}
	return NULL;
}

struct rospec *rospec_active(struct sim_reader *r)
{
	return r->active ? rospec_find(r, r->active) : NULL;
}

static const struct llrp_elem *start_trigger(const struct rospec *s)
{
	return llrp_find(llrp_find(s->elem, LLRP_P_RO_BOUNDARY_SPEC), LLRP_P_ROSPEC_START_TRIGGER);
}

static const struct llrp_elem *stop_trigger(const struct rospec *s)
{
	return llrp_find(llrp_find(s->elem, LLRP_P_RO_BOUNDARY_SPEC), LLRP_P_ROSPEC_STOP_TRIGGER);
}

/* --- running ---------------------------------------------------------------------------------- */

static void notify(struct sim_reader *r, uint32_t id, enum rospec_event event)
{
	struct llrp_msg *m;
	struct llrp_elem *e;

	if (!r->client || r->holding || !r->set.notify[EVENT_ROSPEC])
		return;
	e = llrp_add(reader_event(r, &m), LLRP_P_ROSPEC_EVENT);
	if (!m)
		return;
	llrp_set(e, "EventType", event);
	llrp_set(e, "ROSpecID", id);
	reader_event_send(r, m);
}

static void tell_source(struct sim_reader *r, const struct llrp_elem *aispec)
{
	uint16_t antennas[SIM_READER_MAX_ANTENNAS];
	size_t n = 0, given = 0;

	if (aispec)
		(void) llrp_get_bytes(aispec, "AntennaIDs", &given);
	for (size_t i = 0; i < given && n < ARRAY_SIZE(antennas); i++) {
		uint16_t a = (uint16_t) llrp_get_at(aispec, "AntennaIDs", i);

		if (a != 0)
			antennas[n++] = a;
	}
	/* Antenna 0, or an empty list, stands for all of them. */
	if (aispec && n == 0) {
		for (; n < r->cfg.n_antennas; n++)
			antennas[n] = (uint16_t) (n + 1);
	}
	if (r->source.inventory)
		r->source.inventory(r->source.user, antennas, n);
}

static void aispec_begin(struct sim_reader *r, struct rospec *s)
{
	const struct llrp_elem *stop = llrp_find(s->aispec, LLRP_P_AISPEC_STOP_TRIGGER);
	const struct llrp_elem *tags = llrp_find(stop, LLRP_P_TAG_OBSERVATION_TRIGGER);
	const struct llrp_elem *antenna =
		llrp_find(llrp_find(s->aispec, LLRP_P_INVENTORY_PARAMETER_SPEC),
			  LLRP_P_ANTENNA_CONFIGURATION);
	uint64_t type = llrp_get(stop, "AISpecStopTriggerType");
	uint64_t ms = type == AI_STOP_DURATION      ? llrp_get(stop, "DurationTrigger")
		      : type == AI_STOP_OBSERVATION ? llrp_get(tags, "Timeout")
						    : 0;

	memcpy(r->active_antennas, r->set.antennas, sizeof r->active_antennas);
	for (; antenna; antenna = llrp_find_next(antenna))
		antenna_config_take(r, antenna, r->active_antennas);
	s->inventory_spec = (uint16_t) llrp_get(
		llrp_find(s->aispec, LLRP_P_INVENTORY_PARAMETER_SPEC), "InventoryParameterSpecID");
	s->observed = 0;
	if (ms > 0)
		loop_timer_start(r->spec_timer, (int64_t) ms * US_PER_MS);
	else
		loop_timer_stop(r->spec_timer);
	tell_source(r, s->aispec);
}

static void rospec_begin(struct sim_reader *r, struct rospec *s)
{
	const struct llrp_elem *report = llrp_find(s->elem, LLRP_P_RO_REPORT_SPEC);
	const struct llrp_elem *stop = stop_trigger(s);

	s->state = ROSPEC_ACTIVE;
	r->active = s->id;
	if (report)
		report_spec_read(report, r->cfg.impinj, &r->active_report);
	else
		r->active_report = r->set.report;
	report_begin(r);
	s->aispec = llrp_find(s->elem, LLRP_P_AISPEC);
	s->spec_index = 1;
	if (llrp_get(stop, "ROSpecStopTriggerType") == STOP_DURATION)
		loop_timer_start(r->rospec_timer,
				 (int64_t) llrp_get(stop, "DurationTriggerValue") * US_PER_MS);
	notify(r, s->id, ROSPEC_EVENT_START);
	aispec_begin(r, s);
}

/** Ends the active ROSpec; `report`: what waited is still reported. */
static void rospec_end(struct sim_reader *r, struct rospec *s, bool report)
{
	const struct llrp_elem *start = start_trigger(s);

	loop_timer_stop(r->spec_timer);
	loop_timer_stop(r->rospec_timer);
	s->state = ROSPEC_INACTIVE;
	s->aispec = NULL;
	tell_source(r, NULL);
	if (report && r->active_report.trigger != 0)
		report_flush(r, false);
	r->active = 0;
	notify(r, s->id, ROSPEC_EVENT_END);
	if (llrp_get(start, "ROSpecStartTriggerType") == START_PERIODIC) {
		const struct llrp_elem *p = llrp_find(start, LLRP_P_PERIODIC_TRIGGER_VALUE);

		loop_timer_start(r->rospec_timer,
				 MAX((int64_t) llrp_get(p, "Period"), INT64_C(10)) * US_PER_MS);
	}
}

/** The running AISpec is over: on to the next, or the ROSpec is over too. */
static void aispec_end(struct sim_reader *r, struct rospec *s)
{
	if (r->active_report.trigger == 1)
		report_flush(r, false);
	if (!s->aispec)
		return;
	s->aispec = llrp_find_next(s->aispec);
	s->spec_index++;
	if (s->aispec)
		aispec_begin(r, s);
	else
		rospec_end(r, s, true);
}

static void spec_due(void *user)
{
	struct sim_reader *r = user;
	struct rospec *s = rospec_active(r);

	if (s)
		aispec_end(r, s);
}

/** The duration of the active ROSpec is over, or a periodic one is due again. */
static void rospec_due(void *user)
{
	struct sim_reader *r = user;
	struct rospec *s = rospec_active(r);

	if (s) {
		rospec_end(r, s, true);
		return;
	}
	for (unsigned int i = 0; i < r->n_rospecs; i++) {
		s = &r->rospecs[i];
		if (s->state == ROSPEC_INACTIVE &&
		    llrp_get(start_trigger(s), "ROSpecStartTriggerType") == START_PERIODIC) {
			rospec_begin(r, s);
			return;
		}
	}
}

void rospec_observed(struct sim_reader *r)
{
	struct rospec *s = rospec_active(r);
	const struct llrp_elem *stop, *tags;

	if (!s)
		return;
	s->observed++;
	stop = llrp_find(s->aispec, LLRP_P_AISPEC_STOP_TRIGGER);
	tags = llrp_find(stop, LLRP_P_TAG_OBSERVATION_TRIGGER);
	if (tags && llrp_get(stop, "AISpecStopTriggerType") == AI_STOP_OBSERVATION &&
	    llrp_get(tags, "TriggerType") == 0 && s->observed >= llrp_get(tags, "NumberOfTags"))
		aispec_end(r, s);
}

int rospec_timers_new(struct sim_reader *r)
{
	int e = loop_timer_new(r->loop, spec_due, r, &r->spec_timer);

	return e < 0 ? e : loop_timer_new(r->loop, rospec_due, r, &r->rospec_timer);
}

/* --- adding ----------------------------------------------------------------------------------- */

static struct refusal check_aispec(const struct sim_reader *r, const struct llrp_elem *e)
{
	const struct llrp_elem *p = llrp_find(e, LLRP_P_INVENTORY_PARAMETER_SPEC);
	const struct llrp_elem *stop = llrp_find(e, LLRP_P_AISPEC_STOP_TRIGGER);
	size_t n;

	(void) llrp_get_bytes(e, "AntennaIDs", &n);
	for (size_t i = 0; i < n; i++) {
		if (llrp_get_at(e, "AntennaIDs", i) > r->cfg.n_antennas)
			return refuse_field(LLRP_P_AISPEC, 0, LLRP_A_OUT_OF_RANGE,
					    "no such antenna");
	}
	if (llrp_get(stop, "AISpecStopTriggerType") > AI_STOP_OBSERVATION)
		return refuse_field(LLRP_P_AISPEC_STOP_TRIGGER, 0, LLRP_A_INVALID,
				    "unknown stop trigger");
	if (llrp_get(p, "InventoryParameterSpecID") == 0)
		return refuse_field(LLRP_P_INVENTORY_PARAMETER_SPEC, 0, LLRP_A_INVALID,
				    "0 is no InventoryParameterSpecID");
	if (llrp_get(p, "ProtocolID") != 1)
		return refuse_field(LLRP_P_INVENTORY_PARAMETER_SPEC, 1, LLRP_A_INVALID,
				    "the only air protocol is EPCglobal Class 1 Gen 2");
	p = llrp_find(p, LLRP_P_ANTENNA_CONFIGURATION);
	for (; p; p = llrp_find_next(p)) {
		struct refusal no = antenna_config_check(r, p);

		if (no.code)
			return no;
	}
	return (struct refusal){0};
}

static struct refusal check_rospec(struct sim_reader *r, const struct llrp_elem *e)
{
	const struct llrp_elem *boundary = llrp_find(e, LLRP_P_RO_BOUNDARY_SPEC);
	const struct llrp_elem *ai = llrp_find(e, LLRP_P_AISPEC);
	struct refusal no = {0};
	uint64_t id = llrp_get(e, "ROSpecID");

	if (id == 0)
		return refuse_field(LLRP_P_ROSPEC, 0, LLRP_A_INVALID, "0 is no ROSpecID");
	if (rospec_find(r, (uint32_t) id))
		return refuse_field(LLRP_P_ROSPEC, 0, LLRP_A_INVALID,
				    "a ROSpec with that id exists");
	if (llrp_get(e, "CurrentState") != ROSPEC_DISABLED)
		return refuse_field(LLRP_P_ROSPEC, 2, LLRP_A_INVALID,
				    "a ROSpec is added in the disabled state");
	if (llrp_get(e, "Priority") > 0)
		return refuse_field(LLRP_P_ROSPEC, 1, LLRP_A_OUT_OF_RANGE,
				    "this reader has one priority, 0");
	if (llrp_get(llrp_find(boundary, LLRP_P_ROSPEC_START_TRIGGER), "ROSpecStartTriggerType") >
	    START_GPI)
		return refuse_field(LLRP_P_ROSPEC_START_TRIGGER, 0, LLRP_A_INVALID,
				    "unknown start trigger");
	if (llrp_get(llrp_find(boundary, LLRP_P_ROSPEC_STOP_TRIGGER), "ROSpecStopTriggerType") >
	    STOP_GPI)
		return refuse_field(LLRP_P_ROSPEC_STOP_TRIGGER, 0, LLRP_A_INVALID,
				    "unknown stop trigger");
	if (!ai)
		return (struct refusal){LLRP_M_PARAMETER_ERROR, LLRP_P_RF_SURVEY_SPEC, -1,
					LLRP_M_UNSUPPORTED_PARAMETER,
					"this reader makes no surveys"};
	for (; !no.code && ai; ai = llrp_find_next(ai))
		no = check_aispec(r, ai);
	return no.code ? no : report_spec_check(llrp_find(e, LLRP_P_RO_REPORT_SPEC));
}

struct refusal rospec_add(struct sim_reader *r, struct llrp_msg *m, const uint8_t *frame,
			  size_t len, bool *ret_taken)
{
	struct llrp_elem *e = llrp_find(llrp_root(m), LLRP_P_ROSPEC);
	struct refusal no = check_rospec(r, e);
	struct rospec *s;

	if (no.code)
		return no;
	if (r->n_rospecs == READER_MAX_ROSPECS || len - LLRP_HEADER_BYTES > READER_MAX_SPEC_BYTES)
		return (struct refusal){LLRP_M_OVERFLOW_PARAMETER, LLRP_P_ROSPEC, -1, 0,
					"no room for another ROSpec"};
	s = &r->rospecs[r->n_rospecs];
	*s = (struct rospec){.id = (uint32_t) llrp_get(e, "ROSpecID"), .msg = m, .elem = e};
	s->raw_len = len - LLRP_HEADER_BYTES;
	s->raw = malloc(s->raw_len);
	if (!s->raw)
		return (struct refusal){LLRP_R_DEVICE_ERROR, 0, -1, 0, "out of memory"};
	memcpy(s->raw, frame + LLRP_HEADER_BYTES, s->raw_len);
	r->n_rospecs++;
	*ret_taken = true;
	return (struct refusal){0};
}

/* --- states (LLRP 1.0.1, 6.2) -------------------------------------------------------------------
 */

static void rospec_remove(struct sim_reader *r, struct rospec *s)
{
	size_t i = (size_t) (s - r->rospecs);

	if (s->state == ROSPEC_ACTIVE)
		rospec_end(r, s, true);
	llrp_msg_free(s->msg);
	free(s->raw);
	r->n_rospecs--;
	memmove(s, s + 1, (r->n_rospecs - i) * sizeof *s);
	/* A periodic one that went leaves its timer behind; it finds nothing to start. */
}

void rospec_delete_all(struct sim_reader *r)
{
	while (r->n_rospecs > 0)
		rospec_remove(r, &r->rospecs[r->n_rospecs - 1]);
}

struct refusal rospec_delete(struct sim_reader *r, uint32_t id)
{
	struct rospec *s = rospec_find(r, id);

	if (id == 0) {
		rospec_delete_all(r);
		return (struct refusal){0};
	}
	if (!s)
		return no_such_rospec;
	rospec_remove(r, s);
	return (struct refusal){0};
}

static void enable_one(struct sim_reader *r, struct rospec *s)
{
	const struct llrp_elem *start = start_trigger(s);

	if (s->state != ROSPEC_DISABLED)
		return;
	s->state = ROSPEC_INACTIVE;
	switch (llrp_get(start, "ROSpecStartTriggerType")) {
	case START_IMMEDIATE:
		if (!r->active)
			rospec_begin(r, s);
		break;
	case START_PERIODIC:
		loop_timer_start(r->rospec_timer,
				 (int64_t) llrp_get(llrp_find(start, LLRP_P_PERIODIC_TRIGGER_VALUE),
						    "Offset") *
					 US_PER_MS);
		break;
	default:
		break;
	}
}

struct refusal rospec_enable(struct sim_reader *r, uint32_t id)
{
	struct rospec *s = rospec_find(r, id);

	if (id != 0 && !s)
		return no_such_rospec;
	for (unsigned int i = 0; i < r->n_rospecs; i++) {
		if (id == 0 || r->rospecs[i].id == id)
			enable_one(r, &r->rospecs[i]);
	}
	return (struct refusal){0};
}

struct refusal rospec_disable(struct sim_reader *r, uint32_t id)
{
	if (id != 0 && !rospec_find(r, id))
		return no_such_rospec;
	for (unsigned int i = 0; i < r->n_rospecs; i++) {
		struct rospec *s = &r->rospecs[i];

		if (id != 0 && s->id != id)
			continue;
		if (s->state == ROSPEC_ACTIVE)
			rospec_end(r, s, true);
		s->state = ROSPEC_DISABLED;
	}
	return (struct refusal){0};
}

struct refusal rospec_start(struct sim_reader *r, uint32_t id)
{
	struct rospec *s = rospec_find(r, id);

	if (!s)
		return no_such_rospec;
	if (s->state == ROSPEC_DISABLED)
		return refuse_field(0, 0, LLRP_A_INVALID, "that ROSpec is disabled");
	if (r->active && r->active != id)
		return (struct refusal){LLRP_R_DEVICE_ERROR, 0, -1, 0, "another ROSpec is active"};
	if (s->state == ROSPEC_INACTIVE)
		rospec_begin(r, s);
	return (struct refusal){0};
}

struct refusal rospec_stop(struct sim_reader *r, uint32_t id)
{
	struct rospec *s = rospec_find(r, id);

	if (!s)
		return no_such_rospec;
	if (s->state == ROSPEC_DISABLED)
		return refuse_field(0, 0, LLRP_A_INVALID, "that ROSpec is disabled");
	if (s->state == ROSPEC_ACTIVE)
		rospec_end(r, s, true);
	return (struct refusal){0};
}
