/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/bluez/hci_shared.h"

/**
 * LE events that Linux unmasks, by what the controller can do. A mask cannot be read back from a
 * controller, so until the kernel is heard setting its own this table stands for it. It asks for a
 * little more than some kernels do; they ignore what they do not know.
 */
static const struct {
	uint8_t event;
	bool feature;      /**< of the LE features, or of the supported commands: */
	uint8_t byte, bit; /**< where it is */
} kernel_events[] = {
	{0x05, true, 0, 0},   /* long term key request: LE encryption */
	{0x06, true, 0, 1},   /* remote connection parameter request */
	{0x07, true, 0, 5},   /* data length change */
	{0x0b, true, 1, 2},   /* directed advertising report: extended scanner filter policies */
	{0x12, true, 1, 4},   /* advertising set terminated: extended advertising */
	{0x0a, true, 1, 4},   /* enhanced connection complete: likewise */
	{0x0a, true, 0, 6},   /* or LL privacy */
	{0x14, true, 1, 6},   /* channel selection algorithm */
	{0x02, false, 26, 3}, /* advertising report: LE Set Scan Enable */
	{0x01, false, 26, 4}, /* connection complete: LE Create Connection */
	{0x03, false, 27, 2}, /* connection update complete */
	{0x04, false, 27, 5}, /* remote features */
	{0x08, false, 34, 1}, /* P-256 public key */
	{0x09, false, 34, 2}, /* Diffie-Hellman key */
	{0x0d, false, 37, 5}, /* extended advertising report */
	{0x0c, false, 35, 5}, /* PHY update complete */
	{0x0c, false, 35, 6}, {0x0e, false, 38, 0}, /* periodic advertising sync established */
	{0x0f, false, 38, 0},                       /* periodic advertising report */
	{0x10, false, 38, 0},                       /* periodic advertising sync lost */
	{0x18, false, 41, 0}, /* periodic advertising sync transfer received */
	{0x19, true, 3, 4},   /* connected isochronous streams: established, and requested */
	{0x1a, true, 3, 5},   {0x1b, true, 3, 6}, /* broadcast streams: created, terminated, */
	{0x1c, true, 3, 6},   {0x1d, true, 3, 7}, /* synchronized, lost, information */
	{0x1e, true, 3, 7},   {0x22, true, 3, 7},
};

uint64_t hci_shared_mask(const struct hci_shared *s, const uint8_t features[8], uint64_t ours)
{
	uint64_t mask = ours;

	if (s->mask_heard)
		mask |= s->heard_mask;
	for (size_t i = 0; !s->mask_heard && i < sizeof(kernel_events) / sizeof(*kernel_events);
	     i++) {
		const uint8_t *from = kernel_events[i].feature ? features : s->commands;

		if (from[kernel_events[i].byte] & 1u << kernel_events[i].bit)
			mask |= HCI_LE_MASK(kernel_events[i].event);
	}
	return mask & ~HCI_LE_MASK(HCI_LE_ENHANCED_CONNECTION_COMPLETE_V2);
}

void hci_shared_overheard(struct hci_shared *s, const struct h4_packet *command)
{
	struct wire w;

	s->their_opcode = command->opcode;
	if (command->opcode != HCI_LE_SET_EVENT_MASK || command->len != 8)
		return;
	wire_init(&w, command->params, command->len);
	s->heard_mask = wire_get_u64le(&w);
	s->mask_heard = true;
}

bool hci_shared_is_theirs(struct hci_shared *s, uint16_t opcode)
{
	bool theirs = opcode && opcode == s->their_opcode;

	if (theirs)
		s->their_opcode = 0;
	return theirs;
}
