/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The label radio of one access point: a virtual Bluetooth controller that speaks HCI over an H4
 * byte stream, the periodic advertising train with responses (PAwR) it sends, the air with its
 * packet loss, and the labels that listen.
 *
 *     radio_hci.c    what the host's commands do (framing, masks, credits: hci_port.c)
 *     radio_train.c  the clock of the train: asks for data, sends it once, collects the answers
 *     radio.c        labels, air, statistics
 *     radio_channels.c  which channel a packet flies on, and the Wi-Fi there
 *
 * The controller outlives its host: when the byte stream closes the train goes on, as it does
 * beside a real host that crashes. Only HCI_Reset or disabling it stops the train; its labels lose
 * it after six intervals.
 */
#pragma once

#include "common/loop.h"
#include "sim/label.h"
#include "sim/radio_channels.h"
#include "sim/shows.h"

#define SIM_RADIO_MAX_LABELS 32640 /**< 128 groups of 255 */

struct sim_radio_config {
	const char *name;
	double loss;            /**< chance that a packet is lost, each way */
	double drop;            /**< chance that a link breaks, per connection event */
	unsigned int max_links; /**< connections at a time; 0 = 8 */
	unsigned int advert_ms; /**< between two of a label that waits; 0 = 1000 */
	struct radio_wifi wifi; /**< near by; mhz 0 = none */
	uint8_t index;          /**< which access point: the fourth byte of its labels' addresses */
	uint64_t seed;
	struct sim_shows *shows; /**< told of every picture; borrowed, may be NULL */
};

struct sim_radio_stats {
	uint64_t packets;      /**< sent to labels, counted once a listening label */
	uint64_t packets_lost; /**< of these */
	uint64_t responses;
	uint64_t responses_lost;
	uint64_t collisions;
	uint64_t drowned;        /**< lost to another train on the same channel */
	uint64_t late;           /**< subevent data refused as too late or too early */
	uint64_t links_dropped;  /**< broken by chance (`drop`) */
	unsigned int links;      /**< connections now */
	unsigned int links_most; /**< at a time, so far */
	unsigned int links_made; /**< so far */
	bool train_running;
	uint32_t generation; /**< counts the trains started */
	uint64_t channels;   /**< data channels in use, bit n = channel n */
	uint64_t channel_sent[RADIO_DATA_CHANNELS];
	uint64_t jammed; /**< packets and answers that Wi-Fi destroyed */
};

struct sim_radio;

int sim_radio_new(struct loop *loop, const struct sim_radio_config *cfg,
		  struct sim_radio **ret) _must_check_;
void sim_radio_free(struct sim_radio *r);
/** Adds n unassociated labels. Addresses count up: C0FFEE, access point, u16 number from 1. */
int sim_radio_add_labels(struct sim_radio *r, const struct sim_label_model *model,
			 unsigned int n) _must_check_;
/** Serves H4 hosts at a UNIX path, one at a time. */
int sim_radio_listen(struct sim_radio *r, const char *path) _must_check_;
/** Keeps everything the controller hears and says from now on in a btsnoop file (H4). */
int sim_radio_capture(struct sim_radio *r, const char *path) _must_check_;
/** Instead of the Wi-Fi there was; mhz 0 = none. -ERR_RANGE for more than RADIO_WIFI_MAX. */
int sim_radio_set_wifi(struct sim_radio *r, const struct radio_wifi *list,
		       unsigned int n) _must_check_;
void sim_radio_set_drop(struct sim_radio *r, double drop);
/** The next n times that a train's timing is to be handed over the controller says that it cannot.
 */
void sim_radio_refuse_sync(struct sim_radio *r, unsigned int n);
/** Another machine comes to its place: a controller with another public address. The labels are the
 * same. */
void sim_radio_replace(struct sim_radio *r);
/** How often a label has paired. */
unsigned int sim_radio_pairings(const struct sim_radio *r, size_t label);
/** The controller loses power for a moment: host, train and configuration are gone. */
void sim_radio_power_cycle(struct sim_radio *r);
/** Serves the host at the other end of this descriptor (owned from now on). */
int sim_radio_attach(struct sim_radio *r, int fd) _must_check_;

const char *sim_radio_name(const struct sim_radio *r);
void sim_radio_set_loss(struct sim_radio *r, double loss);
/**
 * That label's own chances of loss, to it and from it; negative = the radio's. From 1 on it is out
 * of range of the train: six intervals later it has fallen out of step, unless it is back by then.
 * (Chance alone does not part them: labels wait for ten seconds and more before they give up.)
 */
void sim_radio_set_label_loss(struct sim_radio *r, size_t i, double down, double up);
double sim_radio_loss(const struct sim_radio *r);
void sim_radio_get_stats(const struct sim_radio *r, struct sim_radio_stats *ret);

size_t sim_radio_labels(const struct sim_radio *r);
struct sim_label *sim_radio_label(const struct sim_radio *r, size_t i);
/** Index of a label, or -ENOENT. */
int sim_radio_find(const struct sim_radio *r, const uint8_t addr[SIM_LABEL_ADDR_BYTES]);
/** To be called after somebody else changed the label: arms its timer anew. */
void sim_radio_touched(struct sim_radio *r, size_t i);

/* --- for the connected side ------------------------------------------------------------------- */

/** Told of everything the labels' callbacks say. */
typedef void (*sim_radio_label_fn)(void *user, size_t i, enum sim_label_event event);
void sim_radio_watch(struct sim_radio *r, sim_radio_label_fn fn, void *user);
/**
 * This radio and its labels are within earshot of another's train. Two trains know nothing of each
 * other and hop over the 37 channels each in its own order: what flies while the other train sends
 * or is answered, on the same channel, is lost. Calls for both directions where both hear. At most
 * SIM_RADIO_HEARS_MAX; the other must outlive this one's last turn of the loop.
 */
#define SIM_RADIO_HEARS_MAX 16
int sim_radio_hear(struct sim_radio *r, struct sim_radio *other) _must_check_;
/** Start of the next occurrence of a subevent (monotonic clock), or negative when no train runs. */
int64_t sim_radio_next_occurrence_us(const struct sim_radio *r, uint8_t subevent);
/** True if the label hears the present train. */
bool sim_radio_in_sync(const struct sim_radio *r, size_t i);
/** Hands the train's timing over (sync transfer); -ENOENT when no train runs. */
int sim_radio_sync_label(struct sim_radio *r, size_t i) _must_check_;
