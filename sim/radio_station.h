/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What stands in the air of an access point's radio and can be reached: a label that the simulator
 * plays to its last byte (radio_label.c), or a guest (guest.h), whose link layer is simulated and
 * whose host is somebody else's. Train, scanner and links know both by these calls only.
 *
 * A station has at most one link. What it does to the air it does through radio_links.h and
 * train_answer(), also from within these calls.
 */
#pragma once

#include "esl-radio/le/hci_conn_wire.h"
#include "sim/label.h"
#include <sys/queue.h>

struct sim_radio;
struct one_link;
struct radio_station;

/** One packet of the train on its way past the stations of a subevent. */
struct train_packet {
	struct sim_label_air air; /**< its bytes, and what labels with the same key read in them */
	uint16_t event;           /**< counts the train's intervals */
	uint8_t subevent;
	bool sent; /**< the host had something for it; else it only keeps the beat */
	int64_t at_us;
};

/** How a link comes to be. */
struct station_link {
	struct one_link *link;
	uint16_t handle;
	bool through_train;
	uint8_t central_type;
	uint8_t central[HCI_ADDR_BYTES]; /**< in the order of the packets */
	uint16_t interval, latency;      /**< 1.25 ms; events */
	uint16_t timeout;                /**< 10 ms */
};

/** Of a link layer that can listen to a train with responses, as every label's must. */
#define STATION_FEATURES                                                                           \
	(UINT64_C(1) << HCI_LE_FEATURE_ENCRYPTION | UINT64_C(1) << HCI_LE_FEATURE_DATA_LENGTH |    \
	 UINT64_C(1) << HCI_LE_FEATURE_EXT_ADV | UINT64_C(1) << HCI_LE_FEATURE_PERIODIC_ADV |      \
	 UINT64_C(1) << HCI_LE_FEATURE_PAST_RECIPIENT |                                            \
	 UINT64_C(1) << HCI_LE_FEATURE_PAWR_SCANNER)

struct radio_station_ops {
	uint64_t features; /**< of its link layer */
	/** Type (0 public, 1 random) and address it goes by, most significant byte first. False if
	 * that is another. */
	bool (*is)(const struct radio_station *s, const uint8_t addr[7]);
	/** It advertises now; yields what a scanner hears, with a scan response when it asks. */
	void (*advertise)(struct radio_station *s, bool ask, int8_t rssi, struct buf *events);
	/** Would it take up a connection by its advertisement now? */
	bool (*connectable)(const struct radio_station *s);
	/** Would it hear a call in that subevent? */
	bool (*listens)(const struct radio_station *s, uint8_t subevent);
	/** A packet of the train reached it intact. */
	void (*hear)(struct radio_station *s, struct train_packet *p);
	/** One was lost on its way. */
	void (*miss)(struct radio_station *s, const struct train_packet *p);

	/** A connection is there; negative if it takes none. */
	int (*link_begin)(struct radio_station *s, const struct station_link *how);
	void (*link_data)(struct radio_station *s, const uint8_t *data, size_t len, bool first);
	/** So many of its own packets have arrived. */
	void (*link_sent)(struct radio_station *s, unsigned int n);
	/** The central starts encryption: answered by radio_link_key(). */
	void (*link_key)(struct radio_station *s, const struct hci_enable_encryption *c);
	void (*link_encrypted)(struct radio_station *s, bool again);
	/** The central changed interval, latency and timeout. */
	void (*link_updated)(struct radio_station *s, const struct hci_connection_update *c);
	/** The train's timing was handed over. */
	void (*link_transfer)(struct radio_station *s, uint16_t service_data);
	/** It is over. */
	void (*link_end)(struct radio_station *s, uint8_t reason);
};

struct radio_station {
	const struct radio_station_ops *ops;
	struct sim_radio *radio;
	struct one_link *link; /**< NULL = none */
	uint32_t generation;   /**< of the train it is synchronized to; 0 = none */
	float mean_rssi_dbm;
	float loss_down, loss_up; /**< negative = the radio's */
	int64_t advert_due_us, advert_interval_us;
	TAILQ_ENTRY(radio_station) place; /**< in a group, among those that advertise, or nowhere */
};

TAILQ_HEAD(radio_station_list, radio_station);
