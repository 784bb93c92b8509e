/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Connections of the virtual controller: it scans, calls labels (through their subevent, or when
 * they advertise), encrypts, and carries data in packets of a link layer, each with its connection
 * event and its retransmissions. At the other end of a link stands the label's own host
 * (sim/label_host.h). There is one radio: the train goes first, and links have what is left between
 * the events of the others (sim/link_air.h). Only real HCI packets pass between here and the access
 * point.
 */
#pragma once

#include "sim/radio_impl.h"

#define RADIO_LINKS_MAX 8
#define RADIO_LINK_DATA HCI_PORT_DATA

struct radio_links;

int radio_links_new(struct sim_radio *r, struct radio_links **ret) _must_check_;
/** NULL-safe. */
void radio_links_free(struct radio_links *k);
/** The controller was reset or lost power: links break without a word to the host. */
void radio_links_reset(struct radio_links *k);
/** Data from the host. */
void radio_links_data(struct radio_links *k, const struct hci_acl *a);
/** A label has begun to advertise. */
void radio_adverts_wake(struct radio_links *k);
/** Has the label a link? Then it does not listen to the train. */
bool radio_links_has(const struct radio_links *k, size_t label);
/** Connections there are. */
size_t radio_links_count(const struct radio_links *k);
/** A label changed by itself: one that left its access point ends its link. */
void radio_links_label(struct radio_links *k, size_t label);
/** Commands; each yields an HCI status. */
void radio_links_scan_kind(struct radio_links *k, bool active);
uint8_t radio_links_scan(struct radio_links *k, bool on);
uint8_t radio_links_create(struct radio_links *k, const struct hci_create_connection *c);
uint8_t radio_links_cancel(struct radio_links *k);
/** Neither scans nor tries to connect. */
bool radio_links_idle(const struct radio_links *k);
uint8_t radio_links_disconnect(struct radio_links *k, const struct hci_disconnect *c);
uint8_t radio_links_encrypt(struct radio_links *k, const struct hci_enable_encryption *c);
uint8_t radio_links_length(struct radio_links *k, const struct hci_data_length *c);
uint8_t radio_links_phy(struct radio_links *k, const struct hci_set_phy *c);
/** HCI_OK when there is such a link. */
uint8_t radio_links_check(struct radio_links *k, uint16_t handle);
uint8_t radio_links_transfer(struct radio_links *k, const struct hci_set_info_transfer *c);
