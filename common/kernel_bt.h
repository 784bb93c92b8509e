/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The kernel's Bluetooth sockets, as far as we use them. These numbers are the kernel's ABI; they
 * are written down here since the usual header belongs to a library we do not link.
 */
#pragma once

#include <stdint.h>
#include <sys/ioctl.h>

#define KBT_AF 31 /* AF_BLUETOOTH */

/* Protocols of the family. */
#define KBT_PROTO_L2CAP 0
#define KBT_PROTO_HCI   1

/* HCI sockets. */
#define KBT_SOL_HCI         0
#define KBT_HCI_FILTER      2
#define KBT_HCI_CHANNEL_RAW 0
#define KBT_HCI_DEV_NONE    0xffff
#define KBT_HCI_GET_DEV     _IOR('H', 211, int)
#define KBT_HCI_DEV_UP      (1u << 0) /* of the flags of a device */
#define KBT_PACKET_COMMAND  0x01
#define KBT_PACKET_EVENT    0x04

/* Events the stack itself makes: code 0xfd, type device. */
#define KBT_EVT_STACK        0xfd
#define KBT_STACK_DEVICE     1
#define KBT_STACK_REGISTERED 1
#define KBT_STACK_REMOVED    2
#define KBT_STACK_UP         3
#define KBT_STACK_DOWN       4

struct kbt_sockaddr_hci {
	uint16_t family, dev, channel;
};

struct kbt_hci_filter {
	uint32_t types;
	uint32_t events[2];
	uint16_t opcode;
};

struct kbt_hci_dev_info {
	uint16_t dev;
	char name[8];
	uint8_t addr[6]; /* least significant byte first */
	uint32_t flags;
	uint8_t type, features[8];
	uint32_t packet_type, link_policy, link_mode;
	uint16_t acl_mtu, acl_packets, sco_mtu, sco_packets;
	uint32_t counts[10];
};

/* L2CAP sockets. */
#define KBT_SOL_L2CAP       6
#define KBT_L2CAP_OPTIONS   1
#define KBT_SOL_BLUETOOTH   274
#define KBT_SECURITY        4
#define KBT_SECURITY_MEDIUM 2
#define KBT_SNDMTU          12
#define KBT_RCVMTU          13
#define KBT_ADDR_LE_PUBLIC  1
#define KBT_ADDR_LE_RANDOM  2

struct kbt_sockaddr_l2 {
	uint16_t family;
	uint16_t psm;    /* little-endian */
	uint8_t addr[6]; /* least significant byte first */
	uint16_t cid;
	uint8_t addr_type;
};

struct kbt_security {
	uint8_t level, key_size;
};
