/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A guest in the air of an access point: the controller of a label whose host is not ours. What
 * the host sends and hears is plain HCI (over H4, or from this machine's kernel by sim/vhci.h):
 *
 *     guest_hci.c      its commands
 *     guest_adverts.c  connectable advertising, extended and legacy
 *     guest_link.c     one link as the peripheral: data, encryption
 *     guest_sync.c     the train: sync transfer, subevents, reports, responses
 *
 * Links are made by the access point, through its train or by advertisement; a guest scans nothing
 * and calls nobody. The controller outlives its host, as the access point's does.
 */
#pragma once

#include "sim/radio.h"

#define SIM_GUESTS_MAX 8 /**< in the air of one radio */

struct sim_guest;

/** Stands in the air of that radio, which must outlive it. -ENOSPC past SIM_GUESTS_MAX. */
int sim_guest_new(struct sim_radio *r, struct sim_guest **ret) _must_check_;
/** NULL-safe. Its link breaks. */
void sim_guest_free(struct sim_guest *g);
/** Serves H4 hosts at a UNIX path, one at a time. */
int sim_guest_listen(struct sim_guest *g, const char *path) _must_check_;
/** Serves the host at the other end of this descriptor (owned from now on). */
int sim_guest_attach(struct sim_guest *g, int fd) _must_check_;
/** Keeps everything the controller hears and says from now on in a btsnoop file (H4). */
int sim_guest_capture(struct sim_guest *g, const char *path) _must_check_;
/** Its public address, most significant byte first: C0D0DAB0, access point, number. */
void sim_guest_address(const struct sim_guest *g, uint8_t ret[6]);
/** Its own chances of loss, to it and from it; negative = the radio's. */
void sim_guest_set_loss(struct sim_guest *g, double down, double up);
/** Loses power for a moment: host, link, sync and configuration are gone. */
void sim_guest_power_cycle(struct sim_guest *g);
