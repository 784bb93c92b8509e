/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/label_impl.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define UNASSOCIATE_DELAY_US (750 * US_PER_MS)
#define LOWEST_DRAW_MV       2000
#define LED_STEP_US          (2 * US_PER_MS)
/** Mesh device properties of the two sensors: temperature (1/100 degree) and input voltage (1/64
 * V). */
#define SENSORS              2u

static void answer_error(struct esl_rsp *ret, uint8_t error)
{
	*ret = (struct esl_rsp){.tag = ESL_RSP_ERROR, .error = error};
}

static void answer_display(const struct sim_label *l, const struct esl_cmd *c, uint8_t image,
			   struct esl_rsp *ret)
{
	(void) l;
	*ret = (struct esl_rsp){.tag = ESL_RSP_DISPLAY_STATE, .index = c->index, .image = image};
}

static void answer_basic(const struct sim_label *l, struct esl_rsp *ret)
{
	*ret = (struct esl_rsp){.tag = ESL_RSP_BASIC_STATE, .basic = label_basic_state(l)};
}

/** 0, or the error for a display and image index that cannot be shown. */
static uint8_t check_image(const struct sim_label *l, const struct esl_cmd *c)
{
	if (c->index != 0)
		return ESL_ERR_INVALID_PARAMETER;
	if (c->image >= l->model.slots)
		return l->model.personality == SIM_PERSONALITY_NRF ? ESL_ERR_INVALID_PARAMETER
								   : ESL_ERR_INVALID_IMAGE_INDEX;
	if (!l->slots[c->image].data)
		return ESL_ERR_IMAGE_NOT_AVAILABLE;
	if (l->battery_mv < LOWEST_DRAW_MV)
		return ESL_ERR_BATTERY;
	return 0;
}

/**
 * The rules of a timed command (see label.h): the delay counts modulo 2^32, one entry per display
 * or LED, the same instant replaces, another is Queue Full. Yields 0 or the error.
 */
static uint8_t pending_put(const struct sim_label *l, struct label_pending *p, uint32_t abs_ms,
			   int64_t now_us)
{
	uint32_t delay_ms = abs_ms - label_clock_ms(l, now_us);

	if (delay_ms > ESL_MAX_DELAY_MS)
		return ESL_ERR_IMPLAUSIBLE_TIME;
	if (p->set && p->abs_ms != abs_ms)
		return ESL_ERR_QUEUE_FULL;
	p->set = true;
	p->abs_ms = abs_ms;
	p->due_us = label_clock_due_us(l, delay_ms, now_us);
	return 0;
}

/** Absolute time 0 takes the pending entry back. Yields 0 or the error. */
static uint8_t pending_delete(const struct sim_label *l, struct label_pending *p)
{
	if (!p->set && l->model.personality == SIM_PERSONALITY_SL)
		return ESL_ERR_INVALID_PARAMETER;
	p->set = false;
	return 0;
}

static void do_display(struct sim_label *l, const struct esl_cmd *c, struct esl_rsp *ret,
		       int64_t now_us)
{
	uint8_t error = check_image(l, c);

	if (error) {
		answer_error(ret, error);
		return;
	}
	label_draw(l, c->image, now_us);
	answer_display(l, c, c->image, ret);
}

static void do_refresh(struct sim_label *l, const struct esl_cmd *c, struct esl_rsp *ret,
		       int64_t now_us)
{
	if (c->index != 0) {
		answer_error(ret, ESL_ERR_INVALID_PARAMETER);
	} else if (l->current == NO_SLOT || !l->slots[l->current].data) {
		answer_error(ret, ESL_ERR_IMAGE_NOT_AVAILABLE);
	} else {
		/* Reads the slot again: a picture overwritten meanwhile becomes visible. */
		label_draw(l, l->current, now_us);
		answer_display(l, c, l->current, ret);
	}
}

static void do_display_timed(struct sim_label *l, const struct esl_cmd *c, struct esl_rsp *ret,
			     int64_t now_us)
{
	uint8_t error;

	if (c->index == 0 && c->abs_ms == 0) {
		error = pending_delete(l, &l->display);
	} else {
		error = check_image(l, c);
		if (!error)
			error = pending_put(l, &l->display, c->abs_ms, now_us);
		if (!error)
			l->display.slot = c->image;
	}
	if (error)
		answer_error(ret, error);
	else
		answer_display(l, c, c->image, ret);
}

/* --- LED -------------------------------------------------------------------------------------- */

static unsigned int pattern_bits(const struct esl_led_pattern *p, unsigned int *ret_on)
{
	unsigned int bits = 0, on = 0;

	for (unsigned int i = 0; i < 8 * ESL_LED_PATTERN; i++) {
		bool bit = p->pattern[i / 8] & (0x80 >> i % 8);

		if (bit)
			on++;
		if (bit || bits)
			bits++;
	}
	*ret_on = on;
	return bits;
}

void label_led_start(struct sim_label *l, unsigned int led, const struct esl_led_pattern *p,
		     int64_t now_us)
{
	struct label_led *d = &l->leds[led];
	unsigned int on, bits = pattern_bits(p, &on);
	int64_t cycle_us = (on * p->on_period + (bits - on) * p->off_period) * LED_STEP_US;
	uint16_t value = p->repeats >> 1;

	d->active = p->repeats != 0;
	d->color = p->color;
	if (p->repeats == 1)
		d->until_us = NEVER;
	else if (p->repeats & 1)
		d->until_us = now_us + value * US_PER_SEC;
	else
		d->until_us = now_us + value * cycle_us;
}

static bool led_valid(const struct sim_label *l, const struct esl_cmd *c)
{
	if (c->index >= l->model.leds)
		return false;
	/* Off and steady on need no pattern; everything else needs both periods. */
	return c->led.repeats <= 1 || (c->led.on_period && c->led.off_period);
}

static void do_led(struct sim_label *l, const struct esl_cmd *c, struct esl_rsp *ret,
		   int64_t now_us)
{
	uint8_t error = 0;

	if (c->op == ESL_OP_LED_TIMED && c->index < l->model.leds && c->abs_ms == 0) {
		error = pending_delete(l, &l->leds[c->index].pending);
	} else if (!led_valid(l, c)) {
		error = ESL_ERR_INVALID_PARAMETER;
	} else if (c->op == ESL_OP_LED_TIMED) {
		error = pending_put(l, &l->leds[c->index].pending, c->abs_ms, now_us);
		if (!error)
			l->leds[c->index].pending.led = c->led;
	} else {
		label_led_start(l, c->index, &c->led, now_us);
	}
	if (error)
		answer_error(ret, error);
	else
		*ret = (struct esl_rsp){.tag = ESL_RSP_LED_STATE, .index = c->index};
}

/* --- the rest --------------------------------------------------------------------------------- */

static void do_sensor(const struct sim_label *l, const struct esl_cmd *c, struct esl_rsp *ret)
{
	uint16_t value = c->index == 0 ? (uint16_t) l->temperature_cc
				       : (uint16_t) (l->battery_mv * 64u / 1000u);

	if (c->index >= SENSORS) {
		answer_error(ret, ESL_ERR_INVALID_PARAMETER);
		return;
	}
	*ret = (struct esl_rsp){.tag = ESL_RSP_SENSOR_VALUE,
				.index = c->index,
				.raw = {(uint8_t) value, (uint8_t) (value >> 8)},
				.raw_len = 2};
}

static void do_unassociate(struct sim_label *l, const struct esl_cmd *c, struct esl_rsp *ret,
			   int64_t now_us)
{
	if (c->esl_id == ESL_ID_BROADCAST && l->model.personality == SIM_PERSONALITY_NRF) {
		answer_error(ret, ESL_ERR_INVALID_PARAMETER);
		return;
	}
	l->unassociate_at_us = now_us + UNASSOCIATE_DELAY_US;
	answer_basic(l, ret);
}

static bool refused(struct sim_label *l, const struct esl_cmd *c)
{
	if (l->refusals == 0 || c->op != l->refused_op ||
	    (c->op == ESL_OP_DISPLAY_TIMED && c->abs_ms == 0))
		return false;
	l->refusals--;
	return true;
}

bool label_execute(struct sim_label *l, const struct esl_cmd *c, bool connected,
		   struct esl_rsp *ret, int64_t now_us)
{
	if (refused(l, c)) {
		answer_error(ret, l->refusal);
		return true;
	}
	switch (c->op) {
	case ESL_OP_PING:
		answer_basic(l, ret);
		return true;
	case ESL_OP_UNASSOCIATE:
		do_unassociate(l, c, ret, now_us);
		return true;
	case ESL_OP_SERVICE_RESET:
		l->service_needed = false;
		answer_basic(l, ret);
		return true;
	case ESL_OP_FACTORY_RESET:
		if (connected) {
			label_factory_reset(l, now_us);
			return false;
		}
		answer_error(ret, ESL_ERR_INVALID_STATE);
		return true;
	case ESL_OP_UPDATE_COMPLETE:
		/* Connected, the link handles it before it comes here. */
		answer_error(ret, ESL_ERR_INVALID_STATE);
		return true;
	case ESL_OP_READ_SENSOR:
		do_sensor(l, c, ret);
		return true;
	case ESL_OP_REFRESH_DISPLAY:
		do_refresh(l, c, ret, now_us);
		return true;
	case ESL_OP_DISPLAY_IMAGE:
		do_display(l, c, ret, now_us);
		return true;
	case ESL_OP_DISPLAY_TIMED:
		do_display_timed(l, c, ret, now_us);
		return true;
	case ESL_OP_LED_CONTROL:
	case ESL_OP_LED_TIMED:
		do_led(l, c, ret, now_us);
		return true;
	default:
		answer_error(ret, ESL_ERR_INVALID_OPCODE);
		return true;
	}
}

int sim_label_control_point(struct sim_label *l, const uint8_t *tlv, size_t len,
			    uint8_t ret_answer[ESL_PACKET_MAX], int64_t now_us)
{
	struct esl_rsp rsp;
	struct esl_cmd cmd;
	struct wire w;

	sim_label_advance(l, now_us);
	wire_init(&w, tlv, len);
	esl_cmd_decode(&w, &cmd);
	if (wire_finish(&w) < 0)
		return -ERR_BADMSG;
	if (l->has_address && cmd.esl_id != l->id)
		answer_error(&rsp, ESL_ERR_INVALID_PARAMETER);
	else if (!label_execute(l, &cmd, true, &rsp, now_us))
		return 0;
	return esl_rsp_encode(&rsp, ret_answer, ESL_PACKET_MAX);
}

/* --- packets of the train --------------------------------------------------------------------- */

/** The TLVs a label answers in one response slot. */
struct answers {
	uint8_t data[ESL_PACKET_MAX];
	size_t len, last; /**< `last`: where the newest answer starts */
	bool full;
};

/** Appends; what no longer fits is replaced by Error "Capacity Limit", and that ends it. */
static void answers_add(struct answers *a, const struct esl_rsp *rsp)
{
	struct esl_rsp full;
	int n;

	if (a->full)
		return;
	n = esl_rsp_encode(rsp, a->data + a->len, sizeof a->data - a->len);
	if (n < 0) {
		answer_error(&full, ESL_ERR_CAPACITY);
		a->full = true;
		n = esl_rsp_encode(&full, a->data + a->len, sizeof a->data - a->len);
		if (n < 0) {
			a->len = a->last;
			n = esl_rsp_encode(&full, a->data + a->len, sizeof a->data - a->len);
		}
		if (n < 0)
			return;
	}
	a->last = a->len;
	a->len += (size_t) n;
}

/** Carries out a plain packet. Yields the slot to answer in, or -1. */
static int packet_execute(struct sim_label *l, const uint8_t *payload, size_t len,
			  struct answers *answers, int64_t now_us)
{
	struct wire w;
	int slot = -1;

	wire_init(&w, payload, len);
	if ((wire_get_u8(&w) & 0x7f) != l->group)
		return -1;
	for (int i = 0; wire_left(&w) > 0; i++) {
		struct esl_rsp rsp;
		struct esl_cmd cmd;

		esl_cmd_decode(&w, &cmd);
		if (!wire_ok(&w))
			break;
		if (cmd.esl_id == ESL_ID_BROADCAST) {
			(void) label_execute(l, &cmd, false, &rsp, now_us);
		} else if (cmd.esl_id == l->id) {
			if (label_execute(l, &cmd, false, &rsp, now_us))
				answers_add(answers, &rsp);
			slot = i;
		}
	}
	return answers->len > 0 ? slot : -1;
}

static int answer_seal(struct sim_label *l, const struct answers *answers, uint8_t *ret_answer)
{
	uint8_t plain[ESL_AD_MAX], rand[EAD_RAND_BYTES];
	int n = esl_ad_encode(answers->data, answers->len, plain, sizeof plain);

	if (n < 0)
		return n;
	sim_rng_bytes(&l->rng, rand, sizeof rand);
	rand[EAD_RAND_BYTES - 1] |= 0x80; /* direction: label to access point */
	return ead_seal(&l->response_key, rand, plain, (size_t) n, ret_answer,
			SIM_LABEL_ANSWER_MAX);
}

void sim_label_air_init(struct sim_label_air *a, const uint8_t *ad, size_t len)
{
	a->ad = ad;
	a->len = len;
	a->tried = false;
}

/** Which labels it speaks to. */
static void air_read(struct sim_label_air *a)
{
	struct wire w;

	a->broadcast = false;
	memset(a->called, 0, sizeof a->called);
	wire_init(&w, a->payload, a->payload_len);
	(void) wire_get_u8(&w);
	while (wire_left(&w) > 0) {
		struct esl_cmd cmd;

		esl_cmd_decode(&w, &cmd);
		if (!wire_ok(&w))
			return;
		a->broadcast |= cmd.esl_id == ESL_ID_BROADCAST;
		a->called[cmd.esl_id / 8] |= (uint8_t) (1u << cmd.esl_id % 8);
	}
}

static void air_open(struct sim_label_air *a, const struct ead_key *key)
{
	if (a->tried && memcmp(&a->key, key, sizeof a->key) == 0)
		return;
	a->tried = true;
	a->key = *key;
	a->n = ead_open(key, a->ad, a->len, a->plain, sizeof a->plain);
	a->payload = NULL;
	if (a->n >= 0 && esl_ad_find(a->plain, (size_t) a->n, &a->payload, &a->payload_len) < 0)
		a->payload = NULL;
	if (a->payload)
		air_read(a);
}

int sim_label_hear(struct sim_label *l, struct sim_label_air *a,
		   uint8_t ret_answer[SIM_LABEL_ANSWER_MAX], unsigned int *ret_slot, int64_t now_us)
{
	struct answers answers = {0};
	int slot;

	sim_label_advance(l, now_us);
	if (l->state != ESL_SYNCHRONIZED)
		return 0;
	air_open(a, &l->train_key);
	if (a->n < 0)
		return 0;
	l->last_packet_us = now_us;
	if (!a->payload || (!a->broadcast && !(a->called[l->id / 8] & 1u << l->id % 8)))
		return 0;
	slot = packet_execute(l, a->payload, a->payload_len, &answers, now_us);
	sim_label_advance(l, now_us);
	if (slot < 0)
		return 0;
	*ret_slot = (unsigned int) slot;
	return answer_seal(l, &answers, ret_answer);
}

int sim_label_packet(struct sim_label *l, const uint8_t *ad, size_t len,
		     uint8_t ret_answer[SIM_LABEL_ANSWER_MAX], unsigned int *ret_slot,
		     int64_t now_us)
{
	struct sim_label_air a;

	sim_label_air_init(&a, ad, len);
	return sim_label_hear(l, &a, ret_answer, ret_slot, now_us);
}
