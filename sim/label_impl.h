/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside of a label, shared by label.c (life: states, clock, panel) and label_command.c (what the
 * commands of ESLS 1.0 do). Nobody else includes it.
 */
#pragma once

#include "sim/label.h"

#define NEVER   INT64_MAX
#define NO_SLOT 0xff

struct label_slot {
	uint8_t *data; /**< serial form of common/image.h; NULL = empty */
	size_t len;
	uint8_t hash[IMAGE_HASH_BYTES];
};

/** A timed command waits in RAM until the label's clock reaches abs_ms. */
struct label_pending {
	bool set;
	uint32_t abs_ms;
	int64_t due_us;
	uint8_t slot;               /**< display */
	struct esl_led_pattern led; /**< LED */
};

struct label_led {
	bool active;
	uint8_t color;
	int64_t until_us; /**< NEVER = steady */
	struct label_pending pending;
};

struct sim_label {
	uint8_t addr[SIM_LABEL_ADDR_BYTES];
	struct sim_label_model model;
	struct sim_rng rng;
	sim_label_fn fn;
	void *user;

	enum esl_label_state state;
	bool bonded, has_address, has_keys, has_time, service_needed;
	uint8_t group, id;
	struct ead_key response_key, train_key;
	uint32_t clock_base_ms; /**< its absolute time at clock_base_us */
	int64_t clock_base_us;
	int64_t last_packet_us; /**< watchdog: last packet that decrypted, or entry of the state */
	int64_t unassociate_at_us; /**< NEVER unless told to forget its access point */

	struct label_slot slots[SIM_LABEL_MAX_SLOTS];
	uint8_t current;     /**< slot last commanded to be shown, or NO_SLOT */
	uint8_t next_redraw; /**< slot to draw after the present redraw, or NO_SLOT */
	struct label_slot
		drawing; /**< picture on its way to the panel while redraw_end_us is set */
	int64_t redraw_end_us;
	int64_t redraw_started_us;
	struct label_slot frame; /**< what the panel shows */
	int64_t shown_at_us;
	uint32_t redraws;
	uint32_t writes;

	struct label_pending display;
	struct label_led leds[SIM_LABEL_MAX_LEDS];
	unsigned int trouble[SIM_TROUBLE_COUNT]; /**< so many times still */
	uint8_t refused_op, refusal;
	unsigned int refusals; /**< so many more commands refused_op are answered `refusal` */
	bool taken;            /**< bonded with another access point */
	uint16_t battery_mv;
	int16_t temperature_cc;
};

/* label.c */
uint32_t label_clock_ms(const struct sim_label *l, int64_t now_us);
/** Instant at which the label's clock has advanced by delay_ms. */
int64_t label_clock_due_us(const struct sim_label *l, uint32_t delay_ms, int64_t now_us);
void label_set_state(struct sim_label *l, enum esl_label_state state, int64_t now_us);
/** Starts a redraw of that slot, or lines it up behind the present one. */
void label_draw(struct sim_label *l, uint8_t slot, int64_t now_us);
void label_forget_access_point(struct sim_label *l, int64_t now_us);
void label_factory_reset(struct sim_label *l, int64_t now_us);
uint16_t label_basic_state(const struct sim_label *l);

/* label_command.c */
/** Carries out one command; false = it owes no answer. */
bool label_execute(struct sim_label *l, const struct esl_cmd *c, bool connected,
		   struct esl_rsp *ret, int64_t now_us);
void label_led_start(struct sim_label *l, unsigned int led, const struct esl_led_pattern *p,
		     int64_t now_us);
