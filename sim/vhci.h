/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A virtual adapter of this machine's kernel (/dev/vhci): the kernel's own Bluetooth stack becomes
 * the host of a simulated controller, which sees the same byte stream as over a socket.
 */
#pragma once

#include "sim/net.h"

struct sim_vhci;

/** `fn` gets the controller's end of the byte stream at once. -ENOENT without the device. */
int sim_vhci_new(struct loop *loop, net_accept_fn fn, void *user,
		 struct sim_vhci **ret) _must_check_;
/** Pulls the adapter out of the kernel, or plugs it in again. */
int sim_vhci_plug(struct sim_vhci *v, bool in) _must_check_;
/** The adapter goes away. NULL-safe. */
void sim_vhci_free(struct sim_vhci *v);
