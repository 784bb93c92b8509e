/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of a guest: guest*.c only. */
#pragma once

#include "esl-radio/le/hci_sync_wire.h"
#include "sim/guest.h"
#include "sim/radio_links_impl.h"

#define GUEST_SETS        4
#define GUEST_DATA_MAX    251
#define GUEST_SYNC_HANDLE 0x0001
#define GUEST_LEGACY_SET  0xff /**< number of the set that the older commands speak of */

/** Commands and events that only a peripheral and a listener to a train have, where
 * esl-radio/le/ has no name for them. */
enum guest_opcode {
	HCI_LE_SET_ADV_PARAMS = 0x2006,
	HCI_LE_SET_ADV_DATA = 0x2008,
	HCI_LE_SET_SCAN_RESPONSE = 0x2009,
	HCI_LE_SET_ADV_ENABLE = 0x200a,
	HCI_LE_SET_EXT_SCAN_RESPONSE = 0x2038,
	HCI_LE_READ_NUMBER_OF_SETS = 0x203b,
	HCI_LE_SET_PA_RECEIVE_ENABLE = 0x2059,
};

enum guest_le_event {
	HCI_LE_PA_REPORT = 0x0f,
	HCI_LE_ADV_SET_TERMINATED = 0x12,
	HCI_LE_PAST_RECEIVED = 0x18,
};

struct guest_text {
	uint8_t len;
	uint8_t data[GUEST_DATA_MAX];
};

/** One advertising set. */
struct guest_set {
	struct sim_guest *guest;
	bool used, enabled;
	bool has_random;
	uint8_t handle;
	uint16_t properties; /**< as in LE Set Extended Advertising Parameters */
	uint8_t own_type, sid;
	uint8_t random[HCI_ADDR_BYTES]; /**< in the order of the packets */
	int64_t interval_us;
	struct guest_text data, response;
	struct loop_timer *ends; /**< of an enabling for a time */
};

struct guest_sync {
	bool active, reports;
	bool coming;             /**< handed over, the first packet still to be heard */
	uint32_t coming_of;      /**< generation of the train that was handed over */
	struct loop_timer *vain; /**< it was waited for long enough */
	uint16_t service_data, conn_handle;
	struct hci_past_params how;
	bool chosen; /**< the host named subevents */
	bool subevents[HCI_SUBEVENTS_MAX];
	struct loop_timer *lost;
};

struct guest_key {
	bool asked;
	uint8_t ltk[HCI_KEY_BYTES];
	struct loop_timer *late;
};

struct sim_guest {
	struct radio_station station; /**< first: the one is the other */
	struct hci_port port;
	uint8_t number;
	bool advertising; /**< is in the list of those that do */
	bool has_random;
	uint8_t random[HCI_ADDR_BYTES];
	struct guest_set legacy, sets[GUEST_SETS];
	uint16_t handle; /**< of its link */
	struct guest_key key;
	struct hci_past_params past, default_past; /**< of the link; of links to come */
	struct guest_sync sync;
};

static inline struct sim_guest *guest_of(const struct radio_station *s)
{
	return (struct sim_guest *) s;
}

static inline int64_t guest_now_us(const struct sim_guest *g)
{
	return clock_mono_us(g->port.clock);
}

/** Appends an LE meta event whose parameters `b` holds, if the host wants it, and sends it. */
void guest_le_event(struct sim_guest *g, uint8_t code, const struct buf *b);
/** Sends packets and empties them. */
void guest_tell(struct sim_guest *g, struct buf *b);

/* guest_hci.c */
extern const struct hci_port_ops guest_port_ops;
/** HCI_Reset. */
void guest_reset(struct sim_guest *g);
/** True if that is the handle of its link; else the status says that there is none. */
bool guest_link_known(const struct sim_guest *g, uint16_t handle, struct hci_reply *ret);

/* guest_adverts.c */
int guest_adverts_new(struct sim_guest *g) _must_check_;
void guest_adverts_done(struct sim_guest *g);
void guest_adverts_reset(struct sim_guest *g);
/** The set by which a connection is made: it ends. NULL = none could be. */
struct guest_set *guest_adverts_take(struct sim_guest *g);
/** Tells the host that a set ended, over a connection unless status says why. */
void guest_set_terminated(struct guest_set *s, uint8_t status, uint16_t conn_handle);
bool guest_is(const struct radio_station *s, const uint8_t addr[7]);
bool guest_connectable(const struct radio_station *s);
void guest_advertise(struct radio_station *s, bool ask, int8_t rssi, struct buf *events);
void guest_cmd_random_address(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_adv_params(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_adv_data(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_scan_response(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_adv_enable(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_set_random_address(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_ext_adv_params(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_ext_adv_data(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_ext_scan_response(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_ext_adv_enable(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_remove_set(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_clear_sets(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_number_of_sets(void *guest, struct wire *w, struct hci_reply *ret);

/* guest_link.c */
int guest_link_new(struct sim_guest *g) _must_check_;
int guest_link_begin(struct radio_station *s, const struct station_link *how);
void guest_link_data(struct radio_station *s, const uint8_t *data, size_t len, bool first);
void guest_link_sent(struct radio_station *s, unsigned int n);
void guest_link_key(struct radio_station *s, const struct hci_enable_encryption *c);
void guest_link_encrypted(struct radio_station *s, bool again);
void guest_link_updated(struct radio_station *s, const struct hci_connection_update *c);
void guest_link_end(struct radio_station *s, uint8_t reason);
/** Data from the host. */
void guest_host_data(void *guest, const struct hci_acl *a);
void guest_cmd_disconnect(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_key_reply(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_key_negative(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_remote_features(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_connection_update(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_data_length(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_rssi(void *guest, struct wire *w, struct hci_reply *ret);

/* guest_sync.c */
int guest_sync_new(struct sim_guest *g) _must_check_;
void guest_sync_reset(struct sim_guest *g);
bool guest_listens(const struct radio_station *s, uint8_t subevent);
void guest_hear(struct radio_station *s, struct train_packet *p);
void guest_miss(struct radio_station *s, const struct train_packet *p);
void guest_link_transfer(struct radio_station *s, uint16_t service_data);
void guest_cmd_terminate_sync(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_receive_enable(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_past_params(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_default_past_params(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_response_data(void *guest, struct wire *w, struct hci_reply *ret);
void guest_cmd_sync_subevent(void *guest, struct wire *w, struct hci_reply *ret);
