/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/label_impl.h"

#include "common/err.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LOW_BATTERY_MV 2200

int sim_label_new(const uint8_t addr[SIM_LABEL_ADDR_BYTES], const struct sim_label_model *model,
		  uint64_t seed, sim_label_fn fn, void *user, struct sim_label **ret)
{
	struct sim_label *l;
	char stream[32];

	if (model->slots < 1 || model->slots > SIM_LABEL_MAX_SLOTS ||
	    model->leds > SIM_LABEL_MAX_LEDS || !image_planes(model->type))
		return -ERR_RANGE;
	l = calloc(1, sizeof *l);
	if (!l)
		return -ENOMEM;
	memcpy(l->addr, addr, sizeof l->addr);
	l->model = *model;
	(void) snprintf(stream, sizeof stream, "label-%02x%02x%02x%02x", addr[2], addr[3], addr[4],
			addr[5]);
	sim_rng_init(&l->rng, seed, stream);
	l->fn = fn;
	l->user = user;
	l->current = l->next_redraw = NO_SLOT;
	l->redraw_end_us = l->unassociate_at_us = NEVER;
	l->battery_mv = (uint16_t) (2800 + sim_rng_below(&l->rng, 300));
	l->temperature_cc = (int16_t) (1900 + sim_rng_below(&l->rng, 400));
	*ret = l;
	return 0;
}

static void slot_clear(struct label_slot *s)
{
	free(s->data);
	*s = (struct label_slot){0};
}

void sim_label_free(struct sim_label *l)
{
	if (!l)
		return;
	for (unsigned int i = 0; i < SIM_LABEL_MAX_SLOTS; i++)
		slot_clear(&l->slots[i]);
	slot_clear(&l->drawing);
	slot_clear(&l->frame);
	free(l);
}

/* --- the label's own clock -------------------------------------------------------------------- */

/** Its clock's rate as it counts: 1 is right. */
static double clock_rate(const struct sim_label *l)
{
	double ppm = l->model.clock_ppm;

	if (l->model.corrects_clock)
		ppm = fmax(fmin(ppm, SIM_LABEL_RESIDUAL_PPM), -SIM_LABEL_RESIDUAL_PPM);
	return 1.0 + ppm * 1e-6;
}

uint32_t label_clock_ms(const struct sim_label *l, int64_t now_us)
{
	double elapsed_ms = (double) (now_us - l->clock_base_us) / (double) US_PER_MS;

	/* Modulo 2^32 as the label counts; a double holds 285,000 years of microseconds. */
	return l->clock_base_ms + (uint32_t) (uint64_t) floor(elapsed_ms * clock_rate(l));
}

int64_t label_clock_due_us(const struct sim_label *l, uint32_t delay_ms, int64_t now_us)
{
	double real_us = (double) delay_ms * (double) US_PER_MS / clock_rate(l);

	return now_us + (int64_t) real_us;
}

/* --- states ----------------------------------------------------------------------------------- */

static void label_tell(struct sim_label *l, enum sim_label_event event, int64_t at_us)
{
	if (l->fn)
		l->fn(l->user, l, event, at_us);
}

void label_set_state(struct sim_label *l, enum esl_label_state state, int64_t now_us)
{
	l->last_packet_us = now_us;
	if (l->state == state)
		return;
	l->state = state;
	label_tell(l, SIM_LABEL_STATE_CHANGED, now_us);
}

static void pending_clear(struct sim_label *l)
{
	l->display.set = false;
	for (unsigned int i = 0; i < l->model.leds; i++)
		l->leds[i].pending.set = false;
}

void label_forget_access_point(struct sim_label *l, int64_t now_us)
{
	pending_clear(l);
	l->bonded = l->has_address = l->has_keys = l->has_time = false;
	l->unassociate_at_us = NEVER;
	label_set_state(l, ESL_UNASSOCIATED, now_us);
}

void label_factory_reset(struct sim_label *l, int64_t now_us)
{
	for (unsigned int i = 0; i < l->model.slots; i++)
		slot_clear(&l->slots[i]);
	l->current = l->next_redraw = NO_SLOT;
	l->service_needed = false;
	label_forget_access_point(l, now_us);
}

uint16_t label_basic_state(const struct sim_label *l)
{
	uint16_t s = 0;

	if (l->service_needed || l->battery_mv < LOW_BATTERY_MV)
		s |= ESL_STATE_SERVICE_NEEDED;
	if (l->state == ESL_SYNCHRONIZED)
		s |= ESL_STATE_SYNCHRONIZED;
	for (unsigned int i = 0; i < l->model.leds; i++) {
		if (l->leds[i].active)
			s |= ESL_STATE_ACTIVE_LED;
		if (l->leds[i].pending.set)
			s |= ESL_STATE_PENDING_LED;
	}
	if (l->display.set)
		s |= ESL_STATE_PENDING_DISPLAY;
	return s;
}

/* --- the panel -------------------------------------------------------------------------------- */

static int slot_set(struct label_slot *s, const uint8_t *data, size_t len, const uint8_t *hash)
{
	uint8_t *copy = malloc(len);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, len);
	free(s->data);
	s->data = copy;
	s->len = len;
	memcpy(s->hash, hash, IMAGE_HASH_BYTES);
	return 0;
}

void label_draw(struct sim_label *l, uint8_t slot, int64_t now_us)
{
	const struct label_slot *s = &l->slots[slot];
	double stretch = 0.75 + 0.5 * sim_rng_unit(&l->rng);

	l->current = slot;
	if (l->redraw_end_us != NEVER) {
		l->next_redraw = slot;
		return;
	}
	l->next_redraw = NO_SLOT;
	if (!s->data || slot_set(&l->drawing, s->data, s->len, s->hash) < 0)
		return;
	l->redraw_started_us = now_us;
	l->redraw_end_us = now_us + (int64_t) ((double) l->model.redraw_us * stretch);
	label_tell(l, SIM_LABEL_REDRAW_STARTED, now_us);
}

static void redraw_end(struct sim_label *l)
{
	int64_t at_us = l->redraw_end_us;

	slot_clear(&l->frame);
	l->frame = l->drawing;
	l->drawing = (struct label_slot){0};
	l->redraw_end_us = NEVER;
	l->shown_at_us = at_us;
	l->redraws++;
	label_tell(l, SIM_LABEL_REDRAW_ENDED, at_us);
	if (l->next_redraw != NO_SLOT)
		label_draw(l, l->next_redraw, at_us);
}

/* --- time passes ------------------------------------------------------------------------------ */

static int64_t watchdog_us(const struct sim_label *l)
{
	return l->state == ESL_SYNCHRONIZED || (l->state == ESL_UNSYNCHRONIZED && l->bonded)
		       ? l->last_packet_us + SIM_LABEL_WATCHDOG_US
		       : NEVER;
}

int64_t sim_label_next_us(const struct sim_label *l)
{
	int64_t next = MIN(l->redraw_end_us, l->unassociate_at_us);

	next = MIN(next, watchdog_us(l));
	if (l->display.set)
		next = MIN(next, l->display.due_us);
	for (unsigned int i = 0; i < l->model.leds; i++) {
		if (l->leds[i].pending.set)
			next = MIN(next, l->leds[i].pending.due_us);
		if (l->leds[i].active)
			next = MIN(next, l->leds[i].until_us);
	}
	return next;
}

static void leds_advance(struct sim_label *l, int64_t at_us)
{
	for (unsigned int i = 0; i < l->model.leds; i++) {
		struct label_led *led = &l->leds[i];

		if (led->active && led->until_us <= at_us)
			led->active = false;
		if (led->pending.set && led->pending.due_us <= at_us) {
			led->pending.set = false;
			label_led_start(l, i, &led->pending.led, led->pending.due_us);
		}
	}
}

void sim_label_advance(struct sim_label *l, int64_t now_us)
{
	for (int64_t at_us; (at_us = sim_label_next_us(l)) <= now_us;) {
		if (l->redraw_end_us <= at_us)
			redraw_end(l);
		if (l->display.set && l->display.due_us <= at_us) {
			l->display.set = false;
			label_draw(l, l->display.slot, at_us);
		}
		leds_advance(l, at_us);
		if (l->unassociate_at_us <= at_us)
			label_forget_access_point(l, at_us);
		if (watchdog_us(l) <= at_us) {
			if (l->state == ESL_SYNCHRONIZED)
				label_set_state(l, ESL_UNSYNCHRONIZED, at_us);
			else
				label_forget_access_point(l, at_us);
		}
	}
}

/* --- connected -------------------------------------------------------------------------------- */

static bool configured(const struct sim_label *l)
{
	return l->has_address && l->has_keys && l->has_time;
}

void sim_label_connected(struct sim_label *l, int64_t now_us)
{
	sim_label_advance(l, now_us);
	label_set_state(l, l->bonded ? ESL_UPDATING : ESL_CONFIGURING, now_us);
	l->bonded = true;
}

void sim_label_link_lost(struct sim_label *l, int64_t now_us)
{
	sim_label_advance(l, now_us);
	if (l->state != ESL_CONFIGURING && l->state != ESL_UPDATING)
		return;
	if (l->has_address && l->has_keys)
		label_set_state(l, ESL_UNSYNCHRONIZED, now_us);
	else
		label_forget_access_point(l, now_us);
}

int sim_label_configure(struct sim_label *l, uint16_t address, const uint8_t *response_key,
			const uint8_t *train_key, uint32_t abs_ms, int64_t now_us)
{
	if (esl_address_id(address) == ESL_ID_BROADCAST)
		return -ERR_RANGE;
	sim_label_advance(l, now_us);
	l->group = esl_address_group(address);
	l->id = esl_address_id(address);
	ead_key_from_wire(response_key, &l->response_key);
	ead_key_from_wire(train_key, &l->train_key);
	l->has_address = l->has_keys = true;
	sim_label_set_time(l, abs_ms, now_us);
	return 0;
}

static void pending_recompute(const struct sim_label *l, struct label_pending *p, int64_t now_us)
{
	uint32_t delay_ms = p->abs_ms - label_clock_ms(l, now_us);

	if (p->set)
		p->due_us = delay_ms > ESL_MAX_DELAY_MS ? now_us
							: label_clock_due_us(l, delay_ms, now_us);
}

void sim_label_set_time(struct sim_label *l, uint32_t abs_ms, int64_t now_us)
{
	sim_label_advance(l, now_us);
	l->clock_base_ms = abs_ms;
	l->clock_base_us = now_us;
	l->has_time = true;
	pending_recompute(l, &l->display, now_us);
	for (unsigned int i = 0; i < l->model.leds; i++)
		pending_recompute(l, &l->leds[i].pending, now_us);
	sim_label_advance(l, now_us);
}

int sim_label_write_image(struct sim_label *l, unsigned int slot, const uint8_t *data, size_t len,
			  int64_t now_us)
{
	uint8_t hash[IMAGE_HASH_BYTES];
	struct image im;
	bool fits;
	int r;

	sim_label_advance(l, now_us);
	if (slot >= l->model.slots)
		return -ERR_RANGE;
	r = image_decode(data, len, &im);
	if (r < 0)
		return r == -ENOMEM ? r : -ERR_BADMSG;
	fits = im.width == l->model.width && im.height == l->model.height &&
	       im.type == l->model.type;
	image_done(&im);
	if (!fits)
		return -ERR_BADMSG;
	image_hash(data, len, hash);
	l->writes++;
	return slot_set(&l->slots[slot], data, len, hash);
}

void sim_label_clear_image(struct sim_label *l, unsigned int slot, int64_t now_us)
{
	sim_label_advance(l, now_us);
	if (slot < l->model.slots)
		slot_clear(&l->slots[slot]);
}

int sim_label_update_complete(struct sim_label *l, bool in_range_of_train, int64_t now_us)
{
	sim_label_advance(l, now_us);
	if (l->state != ESL_CONFIGURING && l->state != ESL_UPDATING)
		return -ERR_STATE;
	if (!configured(l) || !in_range_of_train)
		return -ERR_STATE;
	label_set_state(l, ESL_SYNCHRONIZED, now_us);
	return 0;
}

/* --- accidents and views ---------------------------------------------------------------------- */

void sim_label_sync_lost(struct sim_label *l, int64_t now_us)
{
	sim_label_advance(l, now_us);
	if (l->state == ESL_SYNCHRONIZED)
		label_set_state(l, ESL_UNSYNCHRONIZED, now_us);
}

void sim_label_reboot(struct sim_label *l, int64_t now_us)
{
	sim_label_advance(l, now_us);
	pending_clear(l);
	for (unsigned int i = 0; i < l->model.leds; i++)
		l->leds[i].active = false;
	/* A panel that loses power while it redraws keeps the old picture in this model. */
	slot_clear(&l->drawing);
	l->redraw_end_us = l->unassociate_at_us = NEVER;
	l->next_redraw = NO_SLOT;
	l->has_time = false;
	l->service_needed = true;
	if (l->bonded && l->has_address && l->has_keys)
		label_set_state(l, ESL_UNSYNCHRONIZED, now_us);
	else
		label_forget_access_point(l, now_us);
}

void sim_label_set_battery(struct sim_label *l, uint16_t millivolts)
{
	l->battery_mv = millivolts;
}

enum esl_label_state sim_label_state(const struct sim_label *l)
{
	return l->state;
}

void sim_label_factory_reset(struct sim_label *l, int64_t now_us)
{
	sim_label_advance(l, now_us);
	label_factory_reset(l, now_us);
}

void sim_label_set_taken(struct sim_label *l, bool taken)
{
	l->taken = taken;
}

bool sim_label_is_taken(const struct sim_label *l)
{
	return l->taken;
}

void sim_label_refuse(struct sim_label *l, uint8_t op, uint8_t error, unsigned int n)
{
	l->refused_op = op;
	l->refusal = error;
	l->refusals = n;
}

uint8_t sim_label_group(const struct sim_label *l)
{
	return l->group;
}

void sim_label_make_trouble(struct sim_label *l, enum sim_trouble what, unsigned int n)
{
	l->trouble[what] = n;
}

bool sim_label_trouble(struct sim_label *l, enum sim_trouble what)
{
	if (l->trouble[what] == 0)
		return false;
	l->trouble[what]--;
	return true;
}

void sim_label_set_firmware(struct sim_label *l, uint16_t handle_shift)
{
	l->model.handle_shift = handle_shift;
}

void sim_label_get(const struct sim_label *l, struct sim_label_view *ret)
{
	*ret = (struct sim_label_view){
		.model = l->model,
		.state = l->state,
		.bonded = l->bonded,
		.advertising = l->state == ESL_UNASSOCIATED || l->state == ESL_UNSYNCHRONIZED,
		.pending_display = l->display.set,
		.redrawing = l->redraw_end_us != NEVER,
		.has_image = l->current != NO_SLOT,
		.group = l->group,
		.id = l->id,
		.slot = l->current,
		.basic_state = label_basic_state(l),
		.battery_mv = l->battery_mv,
		.temperature_cc = l->temperature_cc,
		.frame = l->frame.data,
		.frame_len = l->frame.len,
		.shown_at_us = l->shown_at_us,
		.redraw_started_us = l->redraw_started_us,
		.redraws = l->redraws,
		.writes = l->writes,
	};
	ret->pending_led = ret->basic_state & ESL_STATE_PENDING_LED;
	ret->led_active = ret->basic_state & ESL_STATE_ACTIVE_LED;
	for (unsigned int i = 0; i < l->model.leds; i++)
		if (l->leds[i].active) {
			ret->led_color = l->leds[i].color;
			ret->led_until_us = l->leds[i].until_us;
		}
	memcpy(ret->addr, l->addr, sizeof ret->addr);
	memcpy(ret->frame_hash, l->frame.hash, IMAGE_HASH_BYTES);
	for (unsigned int i = 0; i < l->model.slots; i++) {
		ret->slot_filled[i] = l->slots[i].data != NULL;
		ret->slot_len[i] = l->slots[i].len;
		memcpy(ret->slot_hash[i], l->slots[i].hash, IMAGE_HASH_BYTES);
	}
}
