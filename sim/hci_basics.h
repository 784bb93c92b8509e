/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a full Bluetooth stack asks of any controller, and that means nothing to a simulated one:
 * sizes, lists, defaults. Controllers answer what is their business themselves and hand the rest to
 * this table.
 */
#pragma once

#include "common/buf.h"
#include "common/wire.h"

#define HCI_READ_SUPPORTED_STATES 0x201c
#define HCI_COMMANDS_BYTES        64

/** Is it one of these commands? Then yields its return parameters after the status. */
bool hci_basics_answer(uint16_t opcode, struct wire *w, struct buf *more);
/** Sets the bits of the commands answered here in the list of supported ones. */
void hci_basics_commands(uint8_t supported[HCI_COMMANDS_BYTES]);
/** Sets the bit of one command, if the list has a place for it that we know. */
void hci_commands_add(uint8_t supported[HCI_COMMANDS_BYTES], uint16_t opcode);
