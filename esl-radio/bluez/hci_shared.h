/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a host has to know of the kernel that works with the same controller: which LE events the
 * kernel has unmasked, so that a mask of ours takes none away from it, and which answers on the
 * socket belong to commands of the kernel. Pure: no socket here.
 */
#pragma once

#include "esl-radio/hci_wire.h"

struct hci_shared {
	uint8_t commands[64];  /**< supported commands (Vol 4 Part E 6.27) */
	bool mask_heard;       /**< the kernel was heard to set its mask */
	uint64_t heard_mask;   /**< as it did */
	uint16_t their_opcode; /**< command of the kernel that is not answered yet; 0 = none */
};

/** The kernel's LE event mask with `ours` added, and never the second version of the connection
 * complete event: kernels do not know it, and would miss their connections. */
uint64_t hci_shared_mask(const struct hci_shared *s, const uint8_t features[8], uint64_t ours);
/** A command of the kernel went by. */
void hci_shared_overheard(struct hci_shared *s, const struct h4_packet *command);
/** An answer came: is it the kernel's? A kernel has one command at the controller at a time. */
bool hci_shared_is_theirs(struct hci_shared *s, uint16_t opcode);
