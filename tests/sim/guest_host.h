/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The host of a label behind a guest's controller: what a label's firmware would be on the host's
 * side of HCI. Nothing passes between it and the controller but H4 packets. It advertises while it
 * belongs to nobody or is out of step, pairs and serves its attributes by sim/label_host.h, takes
 * the train's timing, listens to its group's subevent, and answers there.
 */
#pragma once

#include "common/loop.h"
#include "sim/guest.h"
#include "sim/label.h"

struct guest_host;

/** Attaches to the guest as its host, and sets it up. The label goes by a random address. */
void guest_host_open(struct loop *loop, struct sim_guest *g,
		     const uint8_t addr[SIM_LABEL_ADDR_BYTES], const struct sim_label_model *model,
		     struct guest_host **ret);
void guest_host_close(struct guest_host *h);
/** It lost power: everything but slots and bond is gone, and the controller is reset. */
void guest_host_reboot(struct guest_host *h);
struct sim_label *guest_host_label(const struct guest_host *h);

struct guest_host_counts {
	unsigned int connections, through_train, disconnections, encryptions, key_requests;
	unsigned int transfers, sync_losses, reports, lost, responses, refused;
	unsigned int packets_sent, packets_done; /**< of data */
};
void guest_host_get(const struct guest_host *h, struct guest_host_counts *ret);
