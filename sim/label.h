/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One electronic shelf label: states, keys, image slots, timed commands, LED and an e-paper panel
 * that takes its time. It does no I/O and has no timer: the caller passes the present instant into
 * every call, asks sim_label_next_us() when the label next does something by itself, and calls
 * sim_label_advance() then. sim/radio.c carries packets to it, sim/link.c connections.
 *
 * What the panel shows (the frame buffer) changes at the END of a redraw. Slots and the bond
 * survive a reboot; the clock, pending commands and synchronization do not (ESLS 1.0; behaviour
 * where the text leaves room: `personality`).
 */
#pragma once

#include "common/image.h"
#include "esl-radio/ead.h"
#include "esl-radio/esl_wire.h"
#include "sim/rng.h"

#define SIM_LABEL_ADDR_BYTES   6
#define SIM_LABEL_MAX_SLOTS    16
#define SIM_LABEL_MAX_LEDS     4
#define SIM_LABEL_ANSWER_MAX   (ESL_AD_MAX + EAD_OVERHEAD)
#define SIM_LABEL_WATCHDOG_US  (3600 * US_PER_SEC)
/** The beat is known to 30 us, and followed over a minute. */
#define SIM_LABEL_RESIDUAL_PPM 0.5

/** Whose reading of the specification the label follows where two known implementations differ. */
enum sim_personality {
	SIM_PERSONALITY_SL,
	SIM_PERSONALITY_NRF
};

struct sim_label_model {
	uint16_t width, height;
	uint8_t type;  /**< enum display_type */
	uint8_t slots; /**< images it can hold */
	uint8_t leds;
	enum sim_personality personality;
	int64_t redraw_us; /**< mean; each redraw takes +-25 % */
	double clock_ppm;  /**< how fast its clock runs away */
	/** Each label's own rate is drawn from clock_ppm plus or minus this (sim/radio.h). */
	double clock_spread_ppm;
	/** It measures its clock against the train's beat, and follows that: what it cannot measure
	 * away is SIM_LABEL_RESIDUAL_PPM of its error's sign. */
	bool corrects_clock;
	uint16_t att_mtu; /**< longest attribute packet it takes; 0 = 247 */
	uint8_t displays; /**< it declares so many, alike; 0 = one. Only the first is a panel. */
	bool no_image_number; /**< it has no Image Information characteristic */
	/* what a client may remember of its attributes */
	bool no_database_hash; /**< it cannot say whether its attributes are still the same */
	bool forgets_switches; /**< what was switched on is off with the next link */
	uint16_t handle_shift; /**< how far back its own services lie; another firmware, another */
};

/** Something visible happened at `at_us`, on the clock of the calls. */
enum sim_label_event {
	SIM_LABEL_STATE_CHANGED,
	SIM_LABEL_REDRAW_STARTED,
	SIM_LABEL_REDRAW_ENDED,
};
struct sim_label;
typedef void (*sim_label_fn)(void *user, struct sim_label *l, enum sim_label_event event,
			     int64_t at_us);

int sim_label_new(const uint8_t addr[SIM_LABEL_ADDR_BYTES], const struct sim_label_model *model,
		  uint64_t seed, sim_label_fn fn, void *user, struct sim_label **ret) _must_check_;
void sim_label_free(struct sim_label *l);

/** When the label next acts by itself; INT64_MAX if only others can make it act. */
int64_t sim_label_next_us(const struct sim_label *l);
/** Lets everything happen that is due up to now. Every other call does this first. */
void sim_label_advance(struct sim_label *l, int64_t now_us);

/* --- the connected side ----------------------------------------------------------------------- */

void sim_label_connected(struct sim_label *l, int64_t now_us);
/** The link ended without Update Complete. */
void sim_label_link_lost(struct sim_label *l, int64_t now_us);
/** Address (group and id), both keys and the clock. -ERR_RANGE for the broadcast id. */
int sim_label_configure(struct sim_label *l, uint16_t address, const uint8_t *response_key,
			const uint8_t *train_key, uint32_t abs_ms, int64_t now_us) _must_check_;
/** Rewrites the clock; pending commands are computed anew, and one already past runs at once. */
void sim_label_set_time(struct sim_label *l, uint32_t abs_ms, int64_t now_us);
/** -ERR_RANGE: no such slot; -ERR_BADMSG: not a picture for this panel. */
int sim_label_write_image(struct sim_label *l, unsigned int slot, const uint8_t *data, size_t len,
			  int64_t now_us) _must_check_;
/** Somebody begins to write another picture there: the slot holds none any more. */
void sim_label_clear_image(struct sim_label *l, unsigned int slot, int64_t now_us);
/** One TLV on the control point. Yields the answer's length (0 = none) or -ERR_BADMSG. */
int sim_label_control_point(struct sim_label *l, const uint8_t *tlv, size_t len,
			    uint8_t ret_answer[ESL_PACKET_MAX], int64_t now_us) _must_check_;
/** Update Complete: to Synchronized if configured and `in_range_of_train`, else -ERR_STATE. */
int sim_label_update_complete(struct sim_label *l, bool in_range_of_train,
			      int64_t now_us) _must_check_;

/** What a label may do wrong over a link. */
enum sim_trouble {
	SIM_TROUBLE_ECHO,    /**< the echo of a prepared write is another value */
	SIM_TROUBLE_PREPARE, /**< it has no room for a prepared write, but for the first one */
	SIM_TROUBLE_VALUE,   /**< of a value that is read comes only one byte */
	SIM_TROUBLE_SIZE,    /**< it says that an object is longer than anything */
	SIM_TROUBLE_LOCKED,  /**< it refuses to have an object written, for one of three reasons */
	SIM_TROUBLE_FAILED,
	SIM_TROUBLE_FULL,
	SIM_TROUBLE_HASH, /**< its database hash is the same whatever its firmware */
	SIM_TROUBLE_COUNT
};
/** It does so the next n times. */
void sim_label_make_trouble(struct sim_label *l, enum sim_trouble what, unsigned int n);
/** Is it to do so now? Then that is once less. */
bool sim_label_trouble(struct sim_label *l, enum sim_trouble what);

/** Another firmware: its services lie elsewhere. Everything else is as it was. */
void sim_label_set_firmware(struct sim_label *l, uint16_t handle_shift);

/* --- the broadcast side ----------------------------------------------------------------------- */

/** One packet as all labels of a subevent hear it. Those that hold the same key would decrypt the
 * same bytes to the same text, so that this is done once for them. */
struct sim_label_air {
	const uint8_t *ad;
	size_t len;
	bool tried;
	struct ead_key key; /**< under which it was tried */
	int n;              /**< length of `plain`, negative if the key is not its own */
	uint8_t plain[EAD_PLAIN_MAX];
	const uint8_t *payload;
	size_t payload_len;
	bool broadcast;
	uint8_t called[32]; /**< ids addressed in it, a bit each */
};

void sim_label_air_init(struct sim_label_air *a, const uint8_t *ad, size_t len);
/** As sim_label_packet(). */
int sim_label_hear(struct sim_label *l, struct sim_label_air *a,
		   uint8_t ret_answer[SIM_LABEL_ANSWER_MAX], unsigned int *ret_slot,
		   int64_t now_us) _must_check_;
/**
 * A packet arrived intact in the label's subevent. Yields the length of the encrypted answer in
 * ret_answer and its slot, or 0 when the label has nothing to say.
 */
int sim_label_packet(struct sim_label *l, const uint8_t *ad, size_t len,
		     uint8_t ret_answer[SIM_LABEL_ANSWER_MAX], unsigned int *ret_slot,
		     int64_t now_us) _must_check_;
/** The train is no longer there. */
void sim_label_sync_lost(struct sim_label *l, int64_t now_us);

/* --- accidents -------------------------------------------------------------------------------- */

/** Power-cycles the label: pending commands, clock, LED and synchronization are gone. */
void sim_label_reboot(struct sim_label *l, int64_t now_us);
void sim_label_set_battery(struct sim_label *l, uint16_t millivolts);
/** Somebody keeps its button pressed: bond, configuration and pictures are gone. */
void sim_label_factory_reset(struct sim_label *l, int64_t now_us);
/** It is bonded with another access point, and bonds with no second one. */
void sim_label_set_taken(struct sim_label *l, bool taken);
bool sim_label_is_taken(const struct sim_label *l);
/** The next n commands `op` are answered with this error and not carried out, as by a label whose
 * firmware has no room, time or power for them. Taking back a timed change is always possible. */
void sim_label_refuse(struct sim_label *l, uint8_t op, uint8_t error, unsigned int n);

/* --- looking at it ---------------------------------------------------------------------------- */

struct sim_label_view {
	uint8_t addr[SIM_LABEL_ADDR_BYTES];
	struct sim_label_model model;
	enum esl_label_state state;
	bool bonded, advertising, pending_display, pending_led, led_active, redrawing, has_image;
	uint8_t led_color; /**< of the LED that blinks, as commanded: 5-4 blue, 3-2 green, 1-0 red
			    */
	int64_t led_until_us; /**< when it goes out; INT64_MAX = it stays */
	uint8_t group, id;
	uint8_t slot; /**< last commanded, meaningful when has_image */
	uint16_t basic_state;
	uint16_t battery_mv;
	int16_t temperature_cc;
	const uint8_t
		*frame; /**< serial form of what the panel shows; NULL = never drawn; borrowed */
	size_t frame_len;
	uint8_t frame_hash[IMAGE_HASH_BYTES];
	int64_t shown_at_us;       /**< end of the redraw that made the frame; 0 = never */
	int64_t redraw_started_us; /**< of the present or last redraw; 0 = never */
	uint32_t redraws;
	uint32_t writes; /**< pictures written into its slots */
	bool slot_filled[SIM_LABEL_MAX_SLOTS];
	size_t slot_len[SIM_LABEL_MAX_SLOTS];
	uint8_t slot_hash[SIM_LABEL_MAX_SLOTS][IMAGE_HASH_BYTES];
};
void sim_label_get(const struct sim_label *l, struct sim_label_view *ret);
enum esl_label_state sim_label_state(const struct sim_label *l);
uint8_t sim_label_group(const struct sim_label *l);
