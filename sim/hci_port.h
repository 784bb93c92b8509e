/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The host's side of a simulated controller: the H4 byte stream (a socket, or an adapter of this
 * machine's kernel), commands and their answers, event masks, and a record of all of it. What a
 * command does is the controller's business, which names its commands in a table; what means
 * nothing to a simulated one is answered here (sim/hci_basics.h).
 *
 * Hosts come and go, one at a time; the controller outlives them.
 */
#pragma once

#include "common/buf.h"
#include "common/wire.h"
#include "esl-radio/hci_wire.h"
#include "esl-radio/le/hci_conn_wire.h"
#include "sim/net.h"
#include <stdio.h>

#define HCI_PORT_DATA    251 /**< longest data of one packet, */
#define HCI_PORT_BUFFERS 12  /**< and so many of them are taken at a time */

/** What one command yields: a status, and return parameters after it. */
struct hci_reply {
	uint8_t status;
	uint8_t more[64];
	size_t more_len;
	struct buf after; /**< events that follow the answer */
};

void reply_u8(struct hci_reply *p, uint8_t v);
void reply_u16(struct hci_reply *p, uint16_t v);
void reply_u64(struct hci_reply *p, uint64_t v);

struct hci_port_command {
	uint16_t opcode;
	void (*fn)(void *controller, struct wire *w, struct hci_reply *ret);
	bool status; /**< answered with Command Status: what comes of it is an event of its own */
};

struct hci_port_ops {
	const struct hci_port_command *commands;
	size_t n_commands;
	/** Data from the host. */
	void (*data)(void *controller, const struct hci_acl *a);
};

struct hci_port {
	struct loop *loop;
	const struct clock *clock;
	const struct hci_port_ops *ops;
	void *controller;
	struct net_listener *listener;
	struct net_conn *host;
	struct buf in;
	FILE *capture;
	uint64_t event_mask, le_event_mask;
};

void hci_port_init(struct hci_port *p, struct loop *loop, const struct hci_port_ops *ops,
		   void *controller);
void hci_port_done(struct hci_port *p);
/** After a reset: the masks as every controller has them. */
void hci_port_reset(struct hci_port *p);
/** The host is gone. */
void hci_port_drop(struct hci_port *p);
/** Serves hosts at a UNIX path, one at a time. */
int hci_port_listen(struct hci_port *p, const char *path) _must_check_;
/** Serves the host at the other end of this descriptor (owned from now on). */
int hci_port_attach(struct hci_port *p, int fd) _must_check_;
/** Sends packets to the host, if one is there, but for events that it has masked off. A host that
 * does not read is cut off. */
void hci_port_send(struct hci_port *p, const struct buf *packets);
/** The host sent data for which there was no buffer (HCI_PORT_BUFFERS): it is told, and that is
 * lost. */
void hci_port_overflow(struct hci_port *p);
/** True if there is a host and it wants that LE meta event: of those that come in several forms the
 * newest one is told. */
bool hci_port_wants(const struct hci_port *p, uint8_t le_event);

/* hci_capture.c */
/** Keeps everything that passes from now on in a btsnoop file (H4). */
int hci_port_capture(struct hci_port *p, const char *path) _must_check_;
void hci_capture(struct hci_port *p, bool to_host, const uint8_t *packet, size_t len);
