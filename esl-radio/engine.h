/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside of the label engine; only esl-radio/ includes this. How the room is laid out:
 *
 * - esl.h: the front door; engine.c: behind it, wiring and wishes
 * - esl_radio.h: seam to the broadcast train; esl_radio_h4.c: its driver (HCI over H4)
 * - esl_link.h: seam to single labels; le/esl_link_le.c: its driver (a small LE central)
 * - *_wire.h, ead.h: pure codecs, shared with the simulator
 * - labels.c: the table of labels; who has which group (= subevent) and id
 * - wake.c: who has something to hear or to be visited for, and when the clock changes that
 * - slots.c: what a label should show now and next; which image goes into which of its slots
 * - plan.c: the one next command a label should hear in the train (a pure function of its state)
 * - answers.c: what a label's answer, or its silence, changes in its state
 * - errors.c: what follows when it refuses a command, for each command and each code
 * - packer.c: fills the packet of a subevent with many labels' commands, matches answers to them
 * - pump.c: who is connected to next
 * - visit.c: connections: commissioning, uploads (visit_images.c), setting the clock, step by step
 * - images.c: pictures asked for and held for a moment
 * - timebase.c: UTC, the loop's clock, and the 32-bit millisecond clock of the labels
 * - flash.c, sensor.c: making a label blink, reading what it measures, for who asks
 * - persist.c: what must survive a restart, as versioned blobs
 * - takeover.c: such blobs of another machine, whose labels are ours now
 * - report.c: what the owner of the engine is told
 * - radio_view.c: how the radio does, for a person; hci_channels.c: keeps it off Wi-Fi
 *
 * A wish walks through it one way: esl_engine_want() stores the timeline; slots.c finds a missing
 * image; visit.c connects and uploads it; at the label's next subevent packer.c asks plan.c, which
 * says "display slot 1"; the answer comes back to answers.c, which reports it as shown. Nothing is
 * queued: a command is computed anew for every packet from what is wished and what is known, so
 * that a retry and a change of mind are the same thing, and a stale command cannot be sent.
 *
 * All instants are microseconds of the loop's monotonic clock unless the name says `utc`.
 */
#pragma once

#include "common/clock.h"
#include "esl-radio/ead.h"
#include "esl-radio/errors.h"
#include "esl-radio/esl.h"
#include "esl-radio/esl_link.h"
#include "esl-radio/esl_ops.h"
#include "esl-radio/esl_radio.h"
#include "esl-radio/esl_wire.h"

#include "common/led.h"
#include <sys/queue.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define ESL_GROUPS_MAX       128
#define ESL_IDS_PER_GROUP    255 /**< 0x00 to 0xfe */
#define ESL_SLOTS_MAX        8   /**< image slots we make use of */
#define ESL_RESPONSE_SLOTS   23  /**< more TLVs than this never fit a packet */
#define ESL_LINKS_MAX        8
#define ESL_NEVER            INT64_MAX
#define ESL_NO_SLOT          (-1)
#define ESL_NO_SENSOR        (-1)
#define ESL_NO_PIXELS        0xff /**< nobody has described what its panel wants */
#define ESL_CMD_FORGET_TRIES 20

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

enum esl_flash_state {
	ESL_FLASH_NONE,
	ESL_FLASH_ASKED,
	ESL_FLASH_ON,   /**< acknowledged; it goes out by itself */
	ESL_FLASH_STOP, /**< called off: over when no LED is left to be turned off */
	ESL_FLASH_FAILED,
};

/** The last flash that was wished for, and when the last ones began. */
struct esl_flash {
	int64_t until_utc_us;
	uint8_t colour;
	uint8_t state; /**< enum esl_flash_state */
	bool lived;    /**< there was a wish in this life */
	bool counted;  /**< its command has gone out: the budget has paid for it */
	uint8_t led;   /**< that one was told to blink */
	uint8_t dark;  /**< LEDs to be turned off, a bit each */
	uint8_t error; /**< why it was not done yet; 0 = it did not say */
	uint8_t pause_s;
	uint16_t n;            /**< flashes so far */
	int64_t dark_until_us; /**< UTC: then they are out anyway */
	int64_t again_us;      /**< not told before, after an error */
	int64_t at_utc_us[LED_FLASHES_PER_DAY];
};

struct hci_channels;
struct hci_host;
struct esl_visit;

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
	int64_t heard_us;    /**< last authentic answer */
	int64_t time_set_us; /**< when its clock was last written */
	int64_t wake_at_us;  /**< look at it again then */
	int64_t error_reported_us;
	int64_t status_reported_us;
	int64_t advert_us;        /**< last advertisement */
	int64_t sensors_until_us; /**< UTC: whoever asked waits until then; 0 = nobody does */
	int64_t sensor_due_us;    /**< its sensors are read again then, whoever asks */
	int64_t sensor_again_us;  /**< not asked before, after an error */
	struct esl_pending pending;
	uint32_t wake_index; /**< in esl_engine.wakes */
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
	uint8_t pixels; /**< index of its description in esl_engine.pixels; ESL_NO_PIXELS */
	uint8_t phase;  /**< enum esl_phase */
	uint8_t ready;  /**< enum esl_urgency of the queue it is in */
	uint8_t queue;  /**< enum esl_urgency or esl_visit_queue */
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
	uint8_t leds_foreign; /**< LEDs whose timed commands are to be deleted: not ours */
	bool wanted : 1;      /**< not merely restored from an earlier life */
	bool forgetting : 1;  /**< to be unassociated, then dropped */
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
	bool image_absent : 1; /**< visit_after_us waits for a picture */
	bool no_timed : 1;     /**< it knows no timed changes: what is due is told at its instant */
};

TAILQ_HEAD(esl_label_list, esl_label);

/** What went out in one packet, so that answers find their command. */
struct esl_flight_entry {
	struct esl_label *label; /**< NULL = broadcast, answered, or gone */
	struct esl_cmd_brief {
		uint8_t op;
		uint8_t image; /**< or sensor, or LED */
		uint32_t abs_ms;
	} cmd;
};

struct esl_flight {
	uint8_t n;
	struct esl_flight_entry entry[ESL_RESPONSE_SLOTS];
};

struct esl_group {
	/** Labels that have something to hear, by urgency; the one served longest ago first. */
	struct esl_label_list ready[ESL_URGENCY_COUNT];
	unsigned int n;
	uint8_t used[ESL_IDS_PER_GROUP / 8 + 1]; /**< ids taken, a bit each */
	int64_t last_tx_us[2];       /**< last authentic packet by the present and by the old key */
	unsigned int stale;          /**< labels that hold the old one */
	bool old_turn;               /**< whose turn it was */
	struct esl_flight flight[2]; /**< answers may come after the next packet was asked for */
	uint8_t latest;              /**< index of the newer one */
};

/** A label that advertises and is nobody's yet. */
struct esl_stranger {
	UT_hash_handle hh;
	uint8_t addr[ESL_ADDR_BYTES];
	int64_t reported_us;
};

struct esl_timebase {
	bool utc_known;
	int64_t utc_us; /**< UTC minus monotonic */
	int64_t uncertainty_us;
	uint8_t gen;        /**< present base, 1-255; 0 = none yet */
	bool valid[2];      /**< base[gen & 1], and the one before it */
	int64_t base_us[2]; /**< label time minus monotonic */
	/* Restored from an earlier life whose monotonic clock may have been another: */
	bool saved;
	bool saved_utc_known;
	int64_t saved_minus_utc_us[2]; /**< label time minus UTC */
	int64_t saved_real_minus_mono_us;
};

struct esl_image {
	TAILQ_ENTRY(esl_image) link; /**< most recently used first */
	uint8_t hash[IMAGE_HASH_BYTES];
	uint8_t *data;
	size_t len;
	uint16_t width, height;
	uint8_t type;
	bool asked; /**< wanted, not here yet */
	int64_t asked_us;
};

TAILQ_HEAD(esl_image_list, esl_image);

enum esl_visit_step {
	ESL_STEP_CONNECT,
	ESL_STEP_INFO,
	ESL_STEP_CONFIGURE,
	ESL_STEP_CLEAR_PENDING,
	ESL_STEP_SET_TIME,
	ESL_STEP_WAIT_IMAGE,
	ESL_STEP_WRITE,
	ESL_STEP_COMPLETE,
	ESL_STEP_CLOSE,
};

struct esl_visit {
	struct esl_engine *e;
	struct esl_label *label; /**< NULL = this link is free */
	enum esl_visit_step step;
	bool by_advert;
	bool configure; /**< address, keys and clock, still to be given */
	bool info;      /**< display information, still to be read */
	bool time;      /**< clock, still to be set */
	bool rekeyed;   /**< its keys are new: the owner is to hear of them */
	bool connected; /**< the label is there */
	bool left;      /**< it was told to go, and went */
	bool broken;    /**< the connection was lost while nothing was asked */
	bool busy;      /**< a completion is outstanding */
	uint8_t slot;
	uint8_t new_gen;
	uint8_t key_gen;       /**< of the train key that is being given */
	int64_t time_asked_us; /**< when the clock's value was read that is being written */
	unsigned int writes;
	struct esl_link_result readings; /**< told when the visit is over */
	unsigned int time_tries, clear_tries;
	uint8_t hash[IMAGE_HASH_BYTES]; /**< being written */
	struct loop_timer *timer;       /**< patience while waiting for an image */
};

struct esl_rng {
	uint64_t seed[2]; /**< zero = the system's generator */
};

struct esl_engine {
	struct esl_door door; /**< first */
	struct loop *loop;
	const struct clock *clock;
	struct esl_engine_callbacks cb;
	void *user;
	struct esl_train train;
	int64_t interval_us;
	unsigned int max_links;
	struct esl_radio *radio;
	struct esl_link *link;
	struct pixel_table *pixels;
	const char *driver;            /**< for a person; NULL over seams of a test */
	struct hci_host *host;         /**< borrowed; NULL = not on a controller of ours */
	struct hci_channels *channels; /**< NULL = over seams that have no controller */
	uint32_t armed;                /**< times the train was started */
	int64_t armed_us;
	int64_t sensor_period_us; /**< 0 = sensors are read when somebody asks */
	bool radio_up, link_up, started, train_saved;
	int link_err;                 /**< why there are no connections, while the train may run */
	char link_text[ESL_TEXT_MAX]; /**< in words; empty = there are */
	struct esl_rng rng;
	struct ead_key train_key;
	uint8_t train_key_wire[ESL_KEY_BYTES];
	uint64_t rand_next, rand_end; /**< Randomizers handed out, and how far that is saved */
	/* keys.c: the train's key before this one, which some labels still have */
	bool rotating;
	uint8_t key_gen; /**< of train_key, counted round */
	uint8_t key_stagger;
	unsigned int key_days; /**< 0 = no policy */
	struct ead_key old_key;
	uint8_t old_key_wire[ESL_KEY_BYTES];
	uint64_t old_rand_next, old_rand_end;
	int64_t key_since_utc_us; /**< when train_key was made; 0 = not known */
	int64_t key_look_us;
	uint8_t adopted[ESL_ADDR_BYTES]; /**< takeover.c: whose bond came last */
	struct esl_timebase time;
	struct esl_label **labels; /**< by address: open addressing over label_cap places */
	struct esl_label **wakes;  /**< the same as a heap, the earliest wake_at_us first */
	unsigned int n_labels, label_cap;
	bool all_again; /**< every label is to be reconsidered: a time base began */
	struct esl_label_list visit_queue[ESL_VISIT_QUEUES];
	struct esl_stranger *strangers;
	struct esl_group *groups; /**< train.subevents of them */
	struct esl_image_list images;
	size_t image_bytes;
	struct esl_visit visits[ESL_LINKS_MAX];
	struct esl_visit *calling; /**< the controller makes this connection; NULL = it is free */
	bool beat_known;           /**< from an answer, not guessed from a request */
	int64_t beat_us;           /**< subevent 0 was on air then, give or take whole intervals */
	int64_t beat_heard_us;
	struct loop_timer *wake; /**< for the earliest wake_at_us of all labels */
	struct loop_timer *pump; /**< looks for work for free links, soon */
	int64_t wake_us;
	struct esl_stats stats;
	uint32_t failures[ESL_STEP_CLOSE + 1]; /**< of visits, by the step that failed */
};

/** Every label. The body may change labels, but neither add nor drop one. */
#define ESL_LABELS_FOREACH(e, i, l)                                                                \
	for (unsigned int i = 0; i < (e)->label_cap; i++)                                          \
		if (!((l) = (e)->labels[i]))                                                       \
			continue;                                                                  \
		else

static inline int64_t esl_now(const struct esl_engine *e)
{
	return clock_mono_us(e->clock);
}

/* --- engine.c --------------------------------------------------------------------------------- */

/** The engine over given seams, which it owns from now on (also when this fails). `link` may be
 * NULL. */
int esl_engine_new_over(struct loop *loop, const struct esl_engine_config *cfg,
			const struct esl_engine_callbacks *cb, void *user, struct esl_radio *radio,
			struct esl_link *link, struct esl_engine **ret) _must_check_;

/* --- wake.c ----------------------------------------------------------------------------------- */

/** Something about a label changed: its queues and its wake follow, and the pump looks for work.
 * Whoever changes what esl_plan(), esl_plan_wake() or esl_visit_need() look at calls this. */
void esl_reconsider(struct esl_engine *e, struct esl_label *l);
/** Every label, since a clock or a base changed for all of them. */
void esl_reconsider_all(struct esl_engine *e);
/** Does what the clock alone has made due. */
void esl_wakes_due(struct esl_engine *e);
/** Puts it into the queue of its group; ESL_URGENCY_NONE takes it out. Appends if that changed. */
void esl_set_ready(struct esl_engine *e, struct esl_label *l, enum esl_urgency u);
void esl_set_queue(struct esl_engine *e, struct esl_label *l, unsigned int queue);
int esl_wake_add(struct esl_engine *e, struct esl_label *l) _must_check_;
void esl_wake_remove(struct esl_engine *e, struct esl_label *l);
void esl_wakes_done(struct esl_engine *e);

/* --- radio_view.c ----------------------------------------------------------------------------- */

void esl_view_get(const struct esl_engine *e, struct esl_radio_view *ret);

/* --- train.c ---------------------------------------------------------------------------------- */

void esl_train_defaults(struct esl_train *t);

/* --- random.c --------------------------------------------------------------------------------- */

int esl_random(struct esl_rng *r, void *to, size_t n) _must_check_;
/** A Randomizer never used before under the train key. -ERR_STATE when that cannot be promised. */
int esl_next_randomizer(struct esl_engine *e, uint8_t ret[EAD_RAND_BYTES]) _must_check_;
/** The same under the old key, while there is one. */
int esl_next_old_randomizer(struct esl_engine *e, uint8_t ret[EAD_RAND_BYTES]) _must_check_;
/** So many Randomizers a key has: the direction bit is always set. */
#define ESL_RAND_LIMIT (UINT64_C(1) << (8 * EAD_RAND_BYTES - 1))

/* --- keys.c ----------------------------------------------------------------------------------- */

/** The first train key. */
int esl_keys_make(struct esl_engine *e) _must_check_;
/** esl_engine_rotate_keys(). */
int esl_keys_rotate(struct esl_engine *e, int64_t older_than_utc_us) _must_check_;
/** Begins and ends rotations when it is time; called often. */
void esl_keys_tick(struct esl_engine *e);
/** True if a visit should give the label new keys. */
bool esl_keys_stale(const struct esl_engine *e, const struct esl_label *l);
/** The label has taken the keys of that generation. */
void esl_keys_given(struct esl_engine *e, struct esl_label *l, uint8_t gen);
/** A label comes to its group (1), or leaves it (-1). */
void esl_keys_count(struct esl_engine *e, const struct esl_label *l, int by);
/** All that was kept has been given back. */
void esl_keys_restored(struct esl_engine *e);
void esl_keys_get_stats(const struct esl_engine *e, struct esl_stats *ret);

/* --- labels.c --------------------------------------------------------------------------------- */

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

/* --- slots.c ---------------------------------------------------------------------------------- */

/** Index of the wish that holds now, or -1; *ret_next the one after it, or -1. */
int esl_wish_now(const struct esl_engine *e, const struct esl_label *l, int *ret_next);
/** Slot that holds this image, or ESL_NO_SLOT. */
int esl_slot_of(const struct esl_label *l, const uint8_t image[IMAGE_HASH_BYTES]);

struct esl_upload {
	const uint8_t *image; /**< of the label's wishes */
	uint8_t slot;
	bool clear_pending; /**< the label holds a timed command for that slot: delete it first */
};
/** The next image to write into the label, if any. */
enum esl_urgency esl_next_upload(const struct esl_engine *e, const struct esl_label *l,
				 struct esl_upload *ret);
bool esl_is_shown(const struct esl_label *l, const uint8_t image[IMAGE_HASH_BYTES]);

/* --- plan.c ----------------------------------------------------------------------------------- */

/** The command the label should hear next, ESL_URGENCY_NONE if none. Changes nothing. */
enum esl_urgency esl_plan(const struct esl_engine *e, const struct esl_label *l,
			  struct esl_cmd *ret);
/** When plan or wish change by the clock alone. */
int64_t esl_plan_wake(const struct esl_engine *e, const struct esl_label *l);

/* --- flash.c ---------------------------------------------------------------------------------- */

/** A wish came, or came again; until 0 = that it blinks no more, colour 0 = that what blinks until
 * then is turned off. */
void esl_flash_want(struct esl_engine *e, struct esl_label *l, int64_t until_utc_us,
		    uint8_t colour);
/** Gives up what cannot be, or is over. */
void esl_flash_due(struct esl_engine *e, struct esl_label *l);
int64_t esl_flash_wake(const struct esl_engine *e, const struct esl_label *l);
/** The command that makes it blink for as long as is left, or turns an LED off; false = there is
 * none to give. */
bool esl_flash_plan(const struct esl_engine *e, const struct esl_label *l, struct esl_cmd *ret);
/** Takes back what another access point left behind, when there is nothing better to say. */
bool esl_flash_plan_foreign(const struct esl_label *l, struct esl_cmd *ret);
/** Which flash a command and its answer belong to; 0 = an LED turned off. */
uint32_t esl_flash_tag(const struct esl_label *l);
/** Its command goes out: the budget pays for it, once. False if that could not be kept. */
bool esl_flash_sent(struct esl_engine *e, struct esl_label *l, const struct esl_cmd *c);
/** When the flashes of the last day began (UTC, seconds), for the next life. */
unsigned int esl_flash_spent(const struct esl_engine *e, const struct esl_label *l,
			     uint32_t ret_s[LED_FLASHES_PER_DAY]);
int esl_flash_restore(struct esl_label *l, uint32_t at_s) _must_check_;
/** An LED State, or an error. */
void esl_flash_answered(struct esl_engine *e, struct esl_label *l, const struct esl_cmd_brief *cmd,
			const struct esl_rsp *r);
/** The label may have restarted: it is dark. */
void esl_flash_restarted(struct esl_engine *e, struct esl_label *l);
/** It holds timed LED commands, and we gave it none. */
void esl_flash_foreign(struct esl_label *l);

/* --- sensor.c --------------------------------------------------------------------------------- */

/** What it measures, as it said on a visit. */
void esl_sensors_learn(struct esl_engine *e, struct esl_label *l, const struct esl_link_result *r);
/** A wish came, or came again: the sensors of a bit each, until that instant (UTC); 0 = none. */
void esl_sensors_want(struct esl_engine *e, struct esl_label *l, uint8_t sensors,
		      int64_t until_utc_us);
/** esl_engine_set_sensor_period(). */
void esl_sensors_period(struct esl_engine *e, int64_t period_s);
/** Begins what the clock asks for, gives up what is over. */
void esl_sensors_due(struct esl_engine *e, struct esl_label *l);
int64_t esl_sensors_wake(const struct esl_engine *e, const struct esl_label *l);
bool esl_sensor_plan(const struct esl_engine *e, const struct esl_label *l, struct esl_cmd *ret);
/** False if it was asked often enough. */
bool esl_sensor_sent(struct esl_engine *e, struct esl_label *l, const struct esl_cmd *c);
void esl_sensor_answered(struct esl_engine *e, struct esl_label *l, const struct esl_cmd_brief *cmd,
			 const struct esl_rsp *r);

/* --- outlook.c -------------------------------------------------------------------------------- */

/** esl_engine_outlook(). */
int esl_outlook(const struct esl_engine *e, struct esl_outlook *ret) _must_check_;

/* --- answers.c -------------------------------------------------------------------------------- */

/** A command was handed to the radio. False if it must not go out (its record could not be kept).
 */
bool esl_command_sent(struct esl_engine *e, struct esl_label *l, const struct esl_cmd *c);
/** An authentic answer. */
void esl_answer(struct esl_engine *e, struct esl_label *l, const struct esl_cmd_brief *cmd,
		const struct esl_rsp *r);
/** A pending timed display's instant has passed, or its wish did. */
void esl_pending_due(struct esl_engine *e, struct esl_label *l);
/** Tells SHOWN once the panel has had the time to draw what the label acknowledged. */
void esl_drawn_due(struct esl_engine *e, struct esl_label *l);

/* --- packer.c --------------------------------------------------------------------------------- */

void esl_packer_request(struct esl_engine *e, uint8_t start, uint8_t count);
void esl_packer_response(struct esl_engine *e, uint8_t subevent, uint8_t slot, int8_t rssi_dbm,
			 const uint8_t *data, size_t len);
/** Encrypts one packet as it goes on air. Returns its length. */
int esl_packet_seal(struct esl_engine *e, const struct esl_packet *p, uint8_t *out,
		    size_t cap) _must_check_;

/* --- visit.c ---------------------------------------------------------------------------------- */

/** Connects; the visit must be free. */
void esl_visit_begin(struct esl_visit *v, struct esl_label *l, bool by_advert);
int esl_visits_init(struct esl_engine *e) _must_check_;
void esl_visits_done(struct esl_engine *e);
/** pump.c: how much it needs a connection, whatever pictures are here. *ret_by_advert: as one that
 * advertises. May yield a queue of enum esl_visit_queue. */
unsigned int esl_visit_need(const struct esl_engine *e, const struct esl_label *l,
			    bool *ret_by_advert);
/** pump.c: uses free links for whoever needs one most; drops labels that are to be forgotten. Runs
 * from the pump timer alone, so that no label goes away under somebody's feet. */
void esl_visits_pump(struct esl_engine *e);
void esl_visit_image_here(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES]);
void esl_visit_lost(struct esl_engine *e, struct esl_label *l);
/** The label is going away: its visit ends without it. */
void esl_visits_detach(struct esl_engine *e, struct esl_label *l);

/* --- images.c --------------------------------------------------------------------------------- */

/** The image if it is here; otherwise asks for it (again after 30 s) and returns NULL. */
struct esl_image *esl_image_get(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES]);
/** The image if it is here; never asks. */
struct esl_image *esl_image_peek(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES]);
/** True if it was asked for a while ago and has not come. */
/** The picture as the label's panel wants it. -ENOTSUP where nobody has said how. */
int esl_image_for(const struct esl_engine *e, const struct esl_label *l, const struct esl_image *im,
		  struct buf *ret) _must_check_;
bool esl_image_is_late(const struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES]);
int esl_image_put(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES], const void *data,
		  size_t len);
void esl_images_done(struct esl_engine *e);

/* --- timebase.c ------------------------------------------------------------------------------- */

/** esl_engine_set_utc(). */
void esl_timebase_set_utc(struct esl_engine *e, int64_t offset_us, int64_t uncertainty_us);
int64_t esl_utc(const struct esl_engine *e);
/** Our clock's reading at a UTC instant. */
int64_t esl_mono_of_utc(const struct esl_engine *e, int64_t utc_us);
/** True if the label's clock is known: its time can be computed. */
bool esl_label_time_known(const struct esl_engine *e, const struct esl_label *l);
/** The label's clock at an instant of ours; never 0, which means "delete". */
uint32_t esl_label_time(const struct esl_engine *e, const struct esl_label *l, int64_t mono_us);
/** Value to write into a label's clock now, and the generation it is of. */
int esl_time_to_set(struct esl_engine *e, uint8_t *ret_gen, uint32_t *ret_ms) _must_check_;
/** True if the label's clock should be written when it is visited anyway. */
bool esl_time_is_old(const struct esl_engine *e, const struct esl_label *l);
/** When the label's clock becomes too old for the timed change ahead; ESL_NEVER if it does not. */
int64_t esl_time_fresh_by(const struct esl_engine *e, const struct esl_label *l);
/** When it must have moved to a newer base, since its count wraps. */
int64_t esl_time_must_move_by(const struct esl_engine *e, const struct esl_label *l);
/** True if setting its clock is worth a visit of its own. */
bool esl_time_must_be_set(const struct esl_engine *e, const struct esl_label *l);
/** Makes a base if there is none, a new one when the present one grows towards the wrap. True if
 * something changed that must be saved. */
bool esl_timebase_refresh(struct esl_engine *e);

/* --- visit.c: calls --------------------------------------------------------------------------- */

/** The label of this visit has been reached, or will not be: another may be called. */
void esl_visit_called(struct esl_visit *v);

/* --- pump.c: when a subevent comes ------------------------------------------------------------ */

/** The controller asked for data from subevent `start` on; an answer came in that subevent. */
void esl_beat_requested(struct esl_engine *e, uint8_t start);
void esl_beat_heard(struct esl_engine *e, uint8_t subevent);
/** How long until a call can go out in that group's subevent. */
int64_t esl_beat_wait(const struct esl_engine *e, uint8_t group);

/* --- persist.c -------------------------------------------------------------------------------- */

/* A save that fails where the result is ignored costs a repetition after a restart, never a wrong
 * price. */
int esl_save_train(struct esl_engine *e);
int esl_save_label(struct esl_engine *e, const struct esl_label *l);
int esl_forget_saved(struct esl_engine *e, const struct esl_label *l);
int esl_restore_train(struct esl_engine *e, const void *data, size_t len) _must_check_;
int esl_restore_label(struct esl_engine *e, const char *key, const void *data,
		      size_t len) _must_check_;

/* --- takeover.c ------------------------------------------------------------------------------- */

/** esl_engine_take_over(), esl_engine_knows(). */
int esl_take_over(struct esl_engine *e, const char *key, const void *data, size_t len) _must_check_;
bool esl_knows(const struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES]);

/* --- report.c --------------------------------------------------------------------------------- */

void esl_report_seen(struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES], int8_t rssi_dbm,
		     uint16_t battery_mv);
void esl_report_associated(struct esl_engine *e, const struct esl_label *l);
/** STAGED or SENT. */
void esl_report_image(struct esl_engine *e, const struct esl_label *l, enum esl_report_kind kind,
		      const uint8_t image[IMAGE_HASH_BYTES]);
/** Says that pictures wished for later are in slots already, except those of the wishes `old`: when
 * an earlier wish left them there, and after esl_report_associated(), which takes back all that was
 * said of the label's slots. */
void esl_report_waiting(struct esl_engine *e, const struct esl_label *l, const struct esl_wish *old,
			size_t n_old);
void esl_report_shown(struct esl_engine *e, const struct esl_label *l);
/** A sensor's value, or (len 0) why there is none; of the wish until then, 0 = of nobody's. */
void esl_report_sensor(struct esl_engine *e, const struct esl_label *l, uint8_t sensor,
		       const uint8_t *data, size_t len, int64_t until_utc_us, const char *text);
void esl_report_lost(struct esl_engine *e, struct esl_label *l);
void esl_report_status(struct esl_engine *e, struct esl_label *l);
/** What it measured. */
void esl_report_sensors(struct esl_engine *e, const struct esl_label *l,
			const struct esl_link_result *res);
/** What became of the label's flash; `text` may be NULL. */
void esl_report_led(struct esl_engine *e, const struct esl_label *l, enum esl_led led,
		    const char *text);
/** At most once per ten minutes for the same text (static storage). `image` may be NULL. */
void esl_report_error(struct esl_engine *e, struct esl_label *l, int code, const char *text,
		      const uint8_t *image);
