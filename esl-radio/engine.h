/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside of the label engine: only esl-radio/ includes this and the headers it names. How the room
 * is laid out:
 *
 * - esl.h: the front door; engine.c: behind it, wiring and wishes
 * - label.h: the record of a label; this file: what holds them all together, struct esl_engine
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
 * - led_budget.c: what blinking may cost a battery; label_says.c: what a label says of itself, out
 *   of the values that a driver has read
 * - persist.c: what must survive a restart, as versioned blobs
 * - takeover.c: such blobs of another machine, whose labels are ours now
 * - report.c: what the owner of the engine is told
 * - radio_view.c: how the radio does, for a person; hci_channels.c: keeps it off Wi-Fi
 *
 * What a file offers to the others stands in the header of its name, or of the one it works with:
 * plan.h (slots.c, too), packer.h (answers.c), keys.h (random.c), visit.h (pump.c), persist.h
 * (takeover.c). Here is what is left: of engine.c, radio_view.c, train.c and outlook.c.
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
#include "esl-radio/images.h"
#include "esl-radio/keys.h"
#include "esl-radio/label.h"
#include "esl-radio/timebase.h"
#include "esl-radio/visit.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define ESL_GROUPS_MAX       128
#define ESL_LINKS_MAX        8
#define ESL_CALLS_MAX        32 /**< labels that advertise, called at a time */
#define ESL_VISITS_MAX       (ESL_LINKS_MAX + ESL_CALLS_MAX)
#define ESL_CMD_FORGET_TRIES 20

struct hci_channels;
struct hci_host;

/** A label that advertises and is nobody's yet. */
struct esl_stranger {
	UT_hash_handle hh;
	uint8_t addr[ESL_ADDR_BYTES];
	int64_t reported_us;
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
	struct esl_visit visits[ESL_VISITS_MAX];
	struct esl_visit *calling; /**< the controller makes this connection; NULL = it is free */
	unsigned int n_listening;  /**< visits that wait for an advertisement beside it */
	unsigned int advert_turn;  /**< the place in `labels` of the next of these */
	int64_t advert_came_us;    /**< when one of them was reached */
	int64_t listening_us;      /**< since then there are some */
	int64_t listen_until_us;   /**< nobody is called through the train while they wait */
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

/* --- radio_view.c ----------------------------------------------------------------------------- */

void esl_view_get(const struct esl_engine *e, struct esl_radio_view *ret);

/* --- train.c ---------------------------------------------------------------------------------- */

void esl_train_defaults(struct esl_train *t);

/* --- outlook.c -------------------------------------------------------------------------------- */

/** esl_engine_outlook(). */
int esl_outlook(const struct esl_engine *e, struct esl_outlook *ret) _must_check_;
