/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside of the label radio, shared by radio*.c and guest*.c. Nobody else includes it.
 */
#pragma once

#include "sim/hci_port.h"
#include "sim/label_host.h"
#include "sim/radio.h"
#include "sim/radio_channels.h"
#include "sim/radio_station.h"

#define AIR_DATA_MAX     251
#define RADIO_GUESTS_MAX 8
#define SYNC_EVENTS                                                                                \
	6 /**< packets of a train handed over that are waited for, until one is heard              \
	   */

/** Which list a label is in; packets look only at those they can reach. */
enum radio_place {
	RADIO_NOWHERE,
	RADIO_IN_GROUP, /**< Synchronized */
	RADIO_ADVERTISING,
};

/** A label the simulator plays: its own host is at its end of a link. */
struct radio_label {
	struct radio_station station; /**< first: the one is the other */
	size_t index;                 /**< of it in the table */
	struct sim_label *label;
	struct loop_timer *timer;
	int64_t armed_us;       /**< when `timer` fires, while it is active */
	struct label_bond bond; /**< what it keeps between two links */
	struct label_end *end;  /**< of its link; NULL = none */
	int64_t hear_us;        /**< then it hears the train told of; INT64_MAX = it was not told */
	uint32_t told_of;       /**< generation of that train */
	uint8_t place;          /**< enum radio_place */
	uint8_t group;          /**< of the list it is in */
};

struct subevent_slot {
	bool set;
	uint8_t slot_start, slot_count, len;
	uint8_t data[AIR_DATA_MAX];
};

/** One answer as the access point's receiver got it. */
struct air_response {
	bool heard;
	bool broken; /**< two labels spoke at once, or the packet was lost */
	int8_t rssi;
	uint8_t len;
	uint8_t data[HCI_PARAMS_MAX];
};

/** Answers of the subevent just sent, until its response window closes. */
struct pending_report {
	bool set;
	int64_t due_us;
	uint64_t number; /**< of the subevent, counted through */
	uint8_t subevent, slot_start, slot_count;
	struct air_response responses[256];
};

struct train {
	bool running;
	uint32_t generation;
	uint8_t handle, subevents, slots;
	int64_t interval_us, subevent_us, delay_us, spacing_us;
	int64_t anchor_us; /**< start of subevent 0 of event 0 */
	/* Subevents are counted through: number g is subevent g % subevents of event g / subevents.
	 */
	uint64_t next;      /**< next to be sent */
	uint64_t requested; /**< next to be asked for; [next, requested) take data now */
	struct subevent_slot slot[HCI_SUBEVENTS_MAX];
	struct pending_report report;
	struct loop_timer *timer;
};

/** What the host configured. */
struct host_state {
	bool have_set, have_pa_params, pa_enabled, adv_enabled;
	bool classified;
	int64_t classified_us; /**< when the host last named the channels */
	uint8_t handle;
	struct hci_pa_params pa;
	uint8_t sid, own_type;          /**< of the advertising set */
	uint8_t random[HCI_ADDR_BYTES]; /**< its random address, most significant byte first */
};

struct sim_radio {
	struct loop *loop;
	const struct clock *clock;
	char name[64];
	double loss, drop;
	unsigned int max_links;
	int64_t advert_us;
	unsigned int refuse_sync; /**< so many times still */
	uint8_t index;
	uint8_t machine; /**< so many had its place before */
	uint64_t seed;
	struct sim_shows *shows;
	struct sim_rng rng;
	struct sim_radio_stats stats;
	struct radio_channels channels;

	struct radio_label **labels; /**< each stays where it is: timers and stations point at it */
	size_t n_labels;
	struct radio_station_list in_group[HCI_SUBEVENTS_MAX]; /**< labels, by where they listen */
	struct radio_station_list advertising;
	struct radio_station *guests[RADIO_GUESTS_MAX];
	unsigned int n_guests;
	uint8_t guest_numbers; /**< of the guests there have been */
	struct sim_radio *heard[SIM_RADIO_HEARS_MAX];
	unsigned int n_heard;
	sim_radio_label_fn watch;
	void *watch_user;
	struct loop_timer *sync_timer; /**< labels of an ended train notice when it fires */

	struct hci_port port; /**< the host */
	struct host_state hs;
	struct train train;
	struct radio_links *links; /**< radio_links.h */
};

/* radio_hci.c */
void radio_host_reset(struct sim_radio *r);
extern const struct hci_port_ops radio_port_ops;
/** True if the host wants that LE meta event. */
bool radio_host_wants(const struct sim_radio *r, uint8_t le_event);

/** Type and public address of the controller, most significant byte first. */
void radio_address(const struct sim_radio *r, uint8_t ret[7]);
/** The same of the one that the host chose: its random address when `type` is odd. */
void radio_own_address(const struct sim_radio *r, uint8_t type, uint8_t ret[7]);

/* radio.c */
/** Draws the lottery for one packet of the subevent in the air, to that station or from it. */
bool radio_train_lost_down(struct sim_radio *r, const struct radio_station *s);
bool radio_train_lost_up(struct sim_radio *r, const struct radio_station *s);
/** The same for a packet of its link, which takes the next channel. */
bool radio_lost_down(struct sim_radio *r, const struct radio_station *s);
bool radio_lost_up(struct sim_radio *r, const struct radio_station *s);
/** Signal of that station at the access point, with fading. */
int8_t radio_rssi(struct sim_radio *r, const struct radio_station *s);
/** True if it is in step with the present train. */
bool radio_in_sync(const struct radio_station *s);
/** Who goes by that type and address (most significant byte first) now; NULL = nobody. */
struct radio_station *radio_find(const struct sim_radio *r, const uint8_t addr[7]);
/** True if another train within earshot sends or is answered then, on the channel of ours. */
bool radio_train_drowned(struct sim_radio *r, int64_t from_us, int64_t to_us);

/* radio_label.c */
/** NULL-safe. */
void radio_label_free(struct radio_label *rl);

/* radio_hci.c */
#define RADIO_FEATURES                                                                             \
	(UINT64_C(1) << HCI_LE_FEATURE_ENCRYPTION | UINT64_C(1) << HCI_LE_FEATURE_DATA_LENGTH |    \
	 UINT64_C(1) << HCI_LE_FEATURE_EXT_ADV | UINT64_C(1) << HCI_LE_FEATURE_PERIODIC_ADV |      \
	 UINT64_C(1) << HCI_LE_FEATURE_PAST_SENDER |                                               \
	 UINT64_C(1) << HCI_LE_FEATURE_PAWR_ADVERTISER)

/* radio_train.c */
/** To the channel on which the next interval begins, or the n-th after it. */
void train_tune(struct sim_radio *r, unsigned int n);
/** The answer of a station to the subevent just sent flies to the access point's receiver. */
void train_answer(struct radio_station *s, unsigned int slot, const uint8_t *answer, size_t len);
/** The same for an answer that a host took its time over; yields an HCI status. */
uint8_t train_respond(struct radio_station *s, uint16_t event, uint8_t subevent, uint8_t slot,
		      const uint8_t *data, size_t len);
/** -ERR_RANGE for parameters no controller could keep. */
int train_check(const struct hci_pa_params *p);
void train_start(struct sim_radio *r, const struct hci_pa_params *p);
void train_stop(struct sim_radio *r);
/** Takes data for one subevent; yields an HCI status. */
uint8_t train_set_data(struct sim_radio *r, const struct hci_subevent_data *d);
/** True if this train's packet or its answers fly between the two instants on that channel. */
bool train_on_air(const struct sim_radio *r, int64_t from_us, int64_t to_us, uint8_t channel);
/** How long a label misses the train before it gives it up. */
int64_t train_sync_timeout_us(const struct sim_radio *r);
int train_timer_new(struct sim_radio *r);
/** When the train next needs the radio for itself; `now_us` if it has it. */
int64_t train_wants_us(const struct sim_radio *r, int64_t now_us);
/** How long after that instant the next packet of a subevent goes out; 0 while one does. */
int64_t train_leaves_us(const struct sim_radio *r, int64_t at_us);
