/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Connections of the virtual controller: it scans, calls labels (through their subevent, or when
 * they advertise), encrypts, and carries data in packets of a link layer, each with its connection
 * event and its retransmissions. At the other end of a link is a station (sim/radio_station.h),
 * such as a label with a host of its own (sim/label_host.h). There is one radio: the train goes
 * first, and links have what is left between the events of the others (sim/link_air.h). Only real
 * HCI packets pass between here and the access point.
 */
#pragma once

#include "sim/radio_impl.h"

#define HCI_ERR_LINK_RESPONSE 0x22 /**< a link layer did not answer: both ends hear of that */

#define RADIO_LINKS_MAX  8
#define RADIO_LINK_DATA  HCI_PORT_DATA
/** Places on the filter accept list. Those of common controllers have 8 to 32. */
#define RADIO_ACCEPT_MAX 16

struct radio_links;

int radio_links_new(struct sim_radio *r, struct radio_links **ret) _must_check_;
/** NULL-safe. */
void radio_links_free(struct radio_links *k);
/** The controller was reset or lost power: links break without a word to the host. */
void radio_links_reset(struct radio_links *k);
/** Data from the host. */
void radio_links_data(struct radio_links *k, const struct hci_acl *a);
/** A station has begun to advertise. */
void radio_adverts_wake(struct radio_links *k);
/** Connections there are. */
size_t radio_links_count(const struct radio_links *k);
/** For the station at a link's far end: a packet of data to the access point, ... */
void radio_link_send(struct one_link *o, const uint8_t *data, size_t len, bool first);
/** (so many of those wait still) ... */
unsigned int radio_link_waiting(const struct one_link *o);
/** (a reason that a host may give for it: Vol 4 Part E 7.1.6) ... */
bool radio_link_may_end(uint8_t reason);
/** ... the end of the link, for a reason the access point is told, ... */
void radio_link_end(struct one_link *o, uint8_t reason);
/** ... and whether it has the key it was asked for: HCI_OK, HCI_ERR_PIN_MISSING, HCI_ERR_MIC for
 * another key, which breaks the link. */
void radio_link_key(struct one_link *o, uint8_t status);
bool radio_link_encrypted(const struct one_link *o);
/** Interval, latency and timeout from now on; the access point's host is told. */
uint8_t radio_link_update(struct one_link *o, const struct hci_connection_update *c);
/** It may send longer packets. */
uint8_t radio_link_length(struct one_link *o, uint16_t octets);
/** The station is no more: its link breaks. */
void radio_link_lose(struct one_link *o);
/** Commands; each yields an HCI status. */
void radio_links_scan_kind(struct radio_links *k, bool active);
uint8_t radio_links_scan(struct radio_links *k, bool on);
uint8_t radio_links_create(struct radio_links *k, const struct hci_create_connection *c);
uint8_t radio_links_cancel(struct radio_links *k);
/** The filter accept list: a connection may be made to whoever on it advertises. It cannot be
 * changed while one is being made by it. */
uint8_t radio_links_accept(struct radio_links *k, bool add, const struct hci_accept *c);
uint8_t radio_links_accept_nobody(struct radio_links *k);
/** Neither scans nor tries to connect. */
bool radio_links_idle(const struct radio_links *k);
uint8_t radio_links_disconnect(struct radio_links *k, const struct hci_disconnect *c);
uint8_t radio_links_encrypt(struct radio_links *k, const struct hci_enable_encryption *c);
uint8_t radio_links_length(struct radio_links *k, const struct hci_data_length *c);
uint8_t radio_links_phy(struct radio_links *k, const struct hci_set_phy *c);
/** HCI_OK when there is such a link. */
uint8_t radio_links_check(struct radio_links *k, uint16_t handle);
/** What the station there can do; 0 without such a link. */
uint64_t radio_links_features(struct radio_links *k, uint16_t handle);
uint8_t radio_links_update(struct radio_links *k, const struct hci_connection_update *c);
uint8_t radio_links_transfer(struct radio_links *k, const struct hci_set_info_transfer *c);
