/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/hci_basics.h"

#include "esl-radio/le/hci_conn_wire.h"

#define ACCEPT_LIST_SIZE 64
#define DATA_OCTETS      251
#define DATA_TIME_US     2120
#define ADV_SETS         2
#define ADV_DATA_MAX     251

static void put_one(struct buf *b, uint8_t v)
{
	buf_put_u8(b, v);
}

static void put_data_length(struct buf *b, uint8_t twice)
{
	for (unsigned int i = 0; i < twice; i++) {
		buf_put_u16le(b, DATA_OCTETS);
		buf_put_u16le(b, DATA_TIME_US);
	}
}

static void put_u16(struct buf *b, uint8_t v)
{
	buf_put_u16le(b, v);
}

static void put_all_states(struct buf *b, uint8_t unused)
{
	(void) unused;
	buf_put_u64le(b, UINT64_C(0x000003ffffffffff));
}

static const struct {
	uint16_t opcode;
	void (*put)(struct buf *b, uint8_t v); /**< NULL: a status is all */
	uint8_t v;
} basics[] = {
	{0x0c63, NULL, 0},                   /* Set Event Mask Page 2 */
	{0x2007, put_one, 8},                /* LE Read Advertising Channel TX Power */
	{0x200f, put_one, ACCEPT_LIST_SIZE}, /* LE Read Filter Accept List Size */
	{0x2010, NULL, 0},                   /* LE Clear Filter Accept List */
	{0x2011, NULL, 0},                   /* LE Add Device To Filter Accept List */
	{0x2012, NULL, 0},                   /* LE Remove Device From it */
	{HCI_READ_SUPPORTED_STATES, put_all_states, 0},
	{0x2023, put_data_length, 1},    /* LE Read Suggested Default Data Length */
	{0x2024, NULL, 0},               /* LE Write it */
	{0x202f, put_data_length, 2},    /* LE Read Maximum Data Length */
	{0x203a, put_u16, ADV_DATA_MAX}, /* LE Read Maximum Advertising Data Length */
	{0x203b, put_one, ADV_SETS},     /* LE Read Number of Supported Sets */
};

/** Places in the list of supported commands (Vol 4 Part E 6.27). */
static const struct {
	uint16_t opcode;
	uint8_t byte, bit;
} places[] = {
	{HCI_DISCONNECT, 0, 5},
	{HCI_SET_EVENT_MASK, 5, 6},
	{HCI_RESET, 5, 7},
	{HCI_READ_LOCAL_VERSION, 14, 3},
	{HCI_READ_LOCAL_FEATURES, 14, 5},
	{HCI_READ_BD_ADDR, 15, 1},
	{0x0c63, 22, 2},
	{HCI_LE_SET_EVENT_MASK, 25, 0},
	{HCI_LE_READ_BUFFER_SIZE, 25, 1},
	{HCI_LE_READ_LOCAL_FEATURES, 25, 2},
	{HCI_LE_SET_RANDOM_ADDRESS, 25, 4},
	{0x2006, 25, 5},
	{0x2007, 25, 6},
	{0x2008, 25, 7},
	{0x2009, 26, 0},
	{0x200a, 26, 1},
	{HCI_LE_CREATE_CONNECTION_CANCEL, 26, 5},
	{0x200f, 26, 6},
	{0x2010, 26, 7},
	{0x2011, 27, 0},
	{0x2012, 27, 1},
	{0x2013, 27, 2},
	{0x2014, 27, 3},
	{0x2016, 27, 5},
	{HCI_LE_ENABLE_ENCRYPTION, 28, 0},
	{HCI_LE_LTK_REPLY, 28, 1},
	{HCI_LE_LTK_NEGATIVE_REPLY, 28, 2},
	{HCI_READ_SUPPORTED_STATES, 28, 3},
	{HCI_LE_SET_DATA_LENGTH, 33, 6},
	{0x2023, 33, 7},
	{0x2024, 34, 0},
	{0x202f, 35, 3},
	{HCI_LE_SET_ADV_RANDOM_ADDRESS, 36, 1},
	{HCI_LE_SET_EXT_ADV_PARAMS, 36, 2},
	{HCI_LE_SET_EXT_ADV_DATA, 36, 3},
	{0x2038, 36, 4},
	{HCI_LE_SET_EXT_ADV_ENABLE, 36, 5},
	{0x203a, 36, 6},
	{0x203b, 36, 7},
	{HCI_LE_REMOVE_ADV_SET, 37, 0},
	{HCI_LE_CLEAR_ADV_SETS, 37, 1},
	{HCI_LE_SET_PA_DATA, 37, 3},
	{HCI_LE_SET_PA_ENABLE, 37, 4},
	{HCI_LE_SET_EXT_SCAN_PARAMS, 37, 5},
	{HCI_LE_SET_EXT_SCAN_ENABLE, 37, 6},
	{0x2043, 37, 7},
	{0x2046, 38, 2},
	{0x2059, 40, 5},
	{HCI_LE_PA_SET_INFO_TRANSFER, 40, 7},
	{0x205c, 41, 0},
	{0x205d, 41, 1},
};

bool hci_basics_answer(uint16_t opcode, struct wire *w, struct buf *more)
{
	for (size_t i = 0; i < ARRAY_SIZE(basics); i++) {
		if (basics[i].opcode != opcode)
			continue;
		wire_skip(w, wire_left(w));
		if (basics[i].put)
			basics[i].put(more, basics[i].v);
		return true;
	}
	return false;
}

void hci_commands_add(uint8_t supported[HCI_COMMANDS_BYTES], uint16_t opcode)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (places[i].opcode == opcode)
			supported[places[i].byte] |= (uint8_t) (1u << places[i].bit);
}

void hci_basics_commands(uint8_t supported[HCI_COMMANDS_BYTES])
{
	for (size_t i = 0; i < ARRAY_SIZE(basics); i++)
		hci_commands_add(supported, basics[i].opcode);
}
