/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The host's end of a Bluetooth controller: opens its byte stream, brings it from reset to where
 * drivers can work with it, lets their commands go as it gives credits for them, hands them its
 * events and data, and begins anew with back-off whatever goes wrong. Drivers (the train of
 * esl_radio_h4.c, connections of le/) share one host and set up their own part when it is up.
 *
 * Callbacks come from the loop. Within one, a driver may send commands and report a fault; nobody
 * may free the host there.
 */
#pragma once

#include "common/loop.h"
#include "esl-radio/le/hci_conn_wire.h"

struct hci_host;
struct hci_driver;

struct hci_driver_ops {
	/** The controller answers: its features are known, masks are set. */
	void (*up)(struct hci_driver *d);
	/** It went away; commands under way will not be answered. Tried again by itself. */
	void (*down)(struct hci_driver *d, int err, const char *text);
	/** An event other than those about commands. 0, also for what is not the driver's;
	 * negative: it makes no sense, and the stream is given up. */
	int (*event)(struct hci_driver *d, uint8_t code, struct wire *w);
	/** Data of a connection; NULL for drivers without any. */
	void (*acl)(struct hci_driver *d, const struct hci_acl *a);
	/** On a shared port: the other owner of the controller has sent a command. May be NULL. */
	void (*overheard)(struct hci_driver *d, uint16_t opcode, struct wire *w);
};

/** Embedded by a driver. */
struct hci_driver {
	const struct hci_driver_ops *ops;
	uint64_t event_mask, le_event_mask; /**< what it wants to hear */
	struct hci_driver *next;            /**< the host's */
};

/**
 * Where a host's packets go to and come from, if that is not a byte stream. A shared port leads to
 * a controller that a kernel's own stack works with as well: it is never reset, only LE events are
 * unmasked in addition, each packet is one message, and data of connections is not ours.
 */
struct hci_port;
struct hci_port_ops {
	/** Yields a descriptor, not blocking, which the host closes; or a negative code, with a
	 * static sentence for a person. */
	int (*open)(struct hci_port *p, const char **ret_text);
	void (*free)(struct hci_port *p);
};
struct hci_port {
	const struct hci_port_ops *ops;
	struct hci_host *host; /**< set by the host that took it */
};

/** A command's answer. `more` are return parameters after the status; borrowed. */
typedef void (*hci_done_fn)(void *user, uint8_t status, const uint8_t *more, size_t len);

/** At "unix:PATH", "tcp:ADDRESS:PORT" or "uart:DEVICE:BAUD" (hci_port.c). -ERR_SYNTAX for another
 * address. */
int hci_host_new(struct loop *loop, const char *address, struct hci_host **ret) _must_check_;
/** On a shared port, which it takes over, also on failure. */
int hci_host_new_shared(struct loop *loop, struct hci_port *port,
			struct hci_host **ret) _must_check_;
/** One more owner. */
struct hci_host *hci_host_ref(struct hci_host *h);
/** The last owner closes the stream. NULL-safe. Drivers must have left. */
void hci_host_unref(struct hci_host *h);

/** Before hci_host_start(); the driver stays the caller's. */
void hci_host_join(struct hci_host *h, struct hci_driver *d);
void hci_host_leave(struct hci_host *h, struct hci_driver *d);
/** Answers to commands of this user are not told any more: it is about to be freed. */
void hci_host_forget(struct hci_host *h, const void *user);
/** Opens the stream soon, and keeps it open. Once is enough. */
void hci_host_start(struct hci_host *h);

/**
 * Queues a command (a whole packet of hci_wire.h). `done` may be NULL; then nobody waits for the
 * answer, and a controller that owes it is not given up for that. -ERR_STATE while the controller
 * is away.
 */
int hci_host_command(struct hci_host *h, const struct buf *packet, hci_done_fn done,
		     void *user) _must_check_;
/** Sends data at once; counting the controller's buffers is the driver's business. */
int hci_host_data(struct hci_host *h, const struct buf *packet) _must_check_;
/** Bit of the controller's LE features. */
bool hci_host_has_feature(const struct hci_host *h, unsigned int bit);
bool hci_host_is_up(const struct hci_host *h);
/** What the controller says it is; NULL while that is not known. */
const struct hci_version *hci_host_version(const struct hci_host *h);
/** Its stream is there, though perhaps not set up yet. */
bool hci_host_is_open(const struct hci_host *h);
/** A driver's own finding: the stream is closed and opened again later. */
void hci_host_fault(struct hci_host *h, int err, const char *text);
/** The same from the loop, for those who must not call back now; `text` is static. */
void hci_host_fail_soon(struct hci_host *h, int err, const char *text);

/** The next try, if one is waited for, comes now. */
void hci_host_hurry(struct hci_host *h);

/** Opens a byte stream, not blocking, perhaps still connecting. Returns a descriptor, -ERR_SYNTAX
 * for an address of no known kind, or -errno. */
int hci_port_open(const char *address) _must_check_;
/** 0 or -ERR_SYNTAX. */
int hci_port_check(const char *address) _must_check_;
