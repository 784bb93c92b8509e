/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The record of one label: what is known of it, what is wished for it, what it was told and when it
 * is looked at again. labels.c keeps the table of them. All instants are microseconds of the loop's
 * monotonic clock unless the name says `utc`.
 */
#pragma once

#include "esl-radio/esl.h"
#include "esl-radio/esl_link.h"
#include "esl-radio/esl_wire.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct esl_engine;
struct esl_flash;
struct esl_visit;

#define ESL_SLOTS_MAX 8 /**< image slots we make use of */
#define ESL_NEVER     INT64_MAX
#define ESL_NO_SLOT   (-1)
#define ESL_NO_SENSOR (-1)
#define ESL_NO_PIXELS 0xff /**< nobody has described what its panel wants */

/** Where we stand with a label. */
enum esl_phase {
	ESL_PHASE_WAITING, /**< not configured yet, or it advertises: waits for its advertisement */
	ESL_PHASE_SYNCED,  /**< listens in its subevent */
	ESL_PHASE_LOST,    /**< silent for long: asked rarely, and waited for */
};

/** A timed display command the label holds, or may hold. */
enum esl_pending_state {
	ESL_PENDING_NONE,
	ESL_PENDING_SENT,    /**< went out, not answered: it may be there */
	ESL_PENDING_ACKED,   /**< it is there */
	ESL_PENDING_FOREIGN, /**< one is there that we do not know: to be deleted */
};

struct esl_pending {
	int64_t at_us;   /**< the instant on our clock */
	uint32_t abs_ms; /**< the same as label time */
	uint8_t state;   /**< enum esl_pending_state */
	uint8_t slot;
};

struct esl_slot {
	bool held; /**< content is known to be `image` */
	uint8_t image[IMAGE_HASH_BYTES];
};

struct esl_wish {
	uint8_t image[IMAGE_HASH_BYTES];
	int64_t from_us; /**< UTC */
};

/** How much something matters; what matters more goes first. */
enum esl_urgency {
	ESL_URGENCY_NONE,
	ESL_URGENCY_UPKEEP, /**< keep-alive, a clock that grows old */
	ESL_URGENCY_SENSOR,
	ESL_URGENCY_LED,
	ESL_URGENCY_STAGE,
	ESL_URGENCY_FLIP,
	ESL_URGENCY_COUNT
};

/** Queues of labels for the pump, beside those of enum esl_urgency. */
enum esl_visit_queue {
	ESL_VISIT_ABSENT = ESL_URGENCY_COUNT, /**< its picture has not come, or was wrong */
	ESL_VISIT_DROP,                       /**< forgotten for good: to be freed */
	ESL_VISIT_ADVERT,                     /**< it advertises */
	ESL_VISIT_QUEUES
};

/** An answer to a display command comes before the panel has been redrawn. These are what common
 * panels take (0.3-1 s black-white, 10-18 s with a colour): nothing is called shown earlier. */
#define ESL_REDRAW_BW_US     (INT64_C(1100) * US_PER_MS)
#define ESL_REDRAW_COLOUR_US (INT64_C(18) * US_PER_SEC)

/** An access point may have 32,640 of these, so that what few labels need hangs off pointers. */
struct esl_label {
	TAILQ_ENTRY(esl_label) ready_link; /**< in esl_group.ready[ready] */
	TAILQ_ENTRY(esl_label) visit_link; /**< in esl_engine.visit_queue[queue] */
	struct esl_slot *slots;            /**< n_slots of them */
	struct esl_wish *wishes;           /**< n_wishes of them */
	struct esl_flash *flash;           /**< NULL = nobody ever wished for one */
	struct esl_visit *visit;
	const char *error_text; /**< of the last error report; static storage */
	int64_t shown_since_utc_us;
	int64_t hold_until_us;  /**< no train commands before (after an error) */
	int64_t visit_after_us; /**< no connection before (after a failure) */
	int64_t drawn_at_us; /**< when the redraw is over and SHOWN may be told; ESL_NEVER = told */
	int64_t confirm_at_us; /**< when the shown image can be confirmed by a ping */
	int64_t ping_at_us;
	int64_t heard_us;         /**< last authentic answer */
	int64_t time_set_us;      /**< when its clock was last written */
	int64_t wake_at_us;       /**< look at it again then */
	int64_t advert_us;        /**< last advertisement */
	int64_t in_step_us;       /**< told of the train, it hears it by then; 0 = not told */
	int64_t sensors_until_us; /**< UTC: whoever asked waits until then; 0 = nobody does */
	struct esl_pending pending;
	uint32_t wake_index; /**< in esl_engine.wakes */
	/* Whole seconds, rounded up: a store has many labels, and these need no more. */
	uint32_t error_reported_s; /**< 0 = never */
	uint32_t status_reported_s;
	uint32_t sensor_due_s;   /**< its sensors are read again then, whoever asks */
	uint32_t sensor_again_s; /**< not asked before, after an error */
	uint8_t addr[ESL_ADDR_BYTES];
	uint16_t width, height;
	uint16_t time_lag_ms; /**< its clock is behind the base by this: writing it took time */
	int16_t temperature_cc;
	uint16_t battery_mv;
	uint16_t info_day;   /**< UTC day on which its information was read */
	uint16_t hold_s;     /**< present back-off after errors */
	uint16_t unanswered; /**< share of late of its commands without an answer, of 65536 */
	uint8_t response_key[ESL_KEY_BYTES];
	uint8_t sent_image[8]; /**< head of the image last reported SENT */
	uint8_t leds[ESL_LEDS_MAX];
	uint8_t group, id;
	uint8_t pixels;    /**< index of its description in esl_engine.pixels; ESL_NO_PIXELS */
	uint8_t phase;     /**< enum esl_phase */
	uint8_t ready : 4; /**< enum esl_urgency of the queue it is in */
	uint8_t queue : 4; /**< enum esl_urgency or esl_visit_queue */
	uint8_t n_slots;
	uint8_t n_wishes;
	uint8_t n_leds;
	uint8_t display_type;
	uint8_t key_gen;   /**< esl_engine.key_gen when it was given its keys */
	uint8_t time_gen;  /**< time base its clock was set from; 0 = never */
	int8_t shown_slot; /**< ESL_NO_SLOT = not known */
	int8_t prev_slot;  /**< shown before: what a rollback needs */
	uint8_t grade;     /**< enum esl_grade of what is shown */
	int8_t rssi_dbm;
	uint8_t last_error; /**< for reporting each trouble once */
	uint8_t misses;     /**< commands in a row without an answer */
	uint8_t forget_tries;
	uint8_t visit_failures;
	uint8_t n_sensors;
	int8_t battery_sensor, temperature_sensor; /**< ESL_NO_SENSOR = it has none */
	uint8_t sensors_asked;                     /**< a bit for each sensor that is to be read */
	uint8_t sensors_told;                      /**< of these: somebody waits for it */
	uint8_t sensor_tries;
	uint8_t leds_foreign;  /**< LEDs whose timed commands are to be deleted: not ours */
	uint8_t foreign_tries; /**< so often it was too busy for that */
	bool wanted : 1;       /**< not merely restored from an earlier life */
	bool forgetting : 1;   /**< to be unassociated, then dropped */
	bool has_address : 1;
	bool configured : 1; /**< was brought into the train with this address and key */
	bool info_known : 1;
	bool info_stale : 1; /**< read it again at the next visit */
	bool leds_known : 1;
	bool service_needed : 1; /**< it asked for service; Service Reset is due */
	bool service_flag : 1;   /**< it asked when last heard */
	bool coming_back : 1;    /**< visit has written all it had: commands may be tried */
	bool awaiting : 1;       /**< a command went out and was not answered yet */
	bool lost_reported : 1;
	bool queue_known : 1;  /**< it holds no timed command that we did not send */
	bool rekeying : 1;     /**< it was being given keys: nobody knows which it has */
	bool hasty : 1;        /**< it was let go when it should have heard the train, unproven */
	bool call_failed : 1;  /**< through the train: visit_after_us is for the next such call */
	bool image_absent : 1; /**< visit_after_us waits for a picture */
	bool no_timed : 1;     /**< it knows no timed changes: what is due is told at its instant */
};

_Static_assert(ESL_VISIT_QUEUES <= 16, "a queue takes four bits");
_Static_assert(sizeof(struct esl_label) <= 296, "a label has 512 bytes, with all it points to");

TAILQ_HEAD(esl_label_list, esl_label);

/** Whole seconds of an instant, for the fields ending in _s. */
static inline uint32_t esl_seconds(int64_t at_us)
{
	return (uint32_t) ((at_us + US_PER_SEC - 1) / US_PER_SEC);
}

struct esl_label *esl_label_find(const struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES]);
int esl_label_add(struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES],
		  struct esl_label **ret) _must_check_;
void esl_label_drop(struct esl_engine *e, struct esl_label *l);
/** Gives it the lowest free id of the emptiest group. -ENOSPC when the train is full. */
int esl_label_allocate(struct esl_engine *e, struct esl_label *l) _must_check_;
/** Puts it at a known place. -EEXIST if taken, -ERR_RANGE if the train has no such group. */
int esl_label_place(struct esl_engine *e, struct esl_label *l, uint8_t group,
		    uint8_t id) _must_check_;
void esl_label_unplace(struct esl_engine *e, struct esl_label *l);
int esl_label_set_slots(struct esl_label *l, uint8_t n) _must_check_;
/** Nothing is known any more of what its slots hold and its display shows. */
void esl_label_forget_slots(struct esl_label *l);
/** It has forgotten us, and with our bond whatever it was told; its slots may be another's by now.
 */
void esl_label_was_reset(struct esl_label *l);
/** Answers to commands of before now do not count any more. */
void esl_label_cut_flights(struct esl_engine *e, struct esl_label *l);
