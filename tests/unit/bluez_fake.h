/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A test plays bluetoothd, on a bus of its own, and the kernel, on a raw socket, for one label,
 * which is a simulated one (sim/label_service.h). No Bluetooth is needed; only dbus-daemon.
 */
#pragma once

#include "common/loop.h"
#include "esl-radio/hci_host.h"
#include "sim/label_service.h"
#include <dbus/dbus.h>

#define BLUEZ_FAKE_ADAPTER "/org/bluez/hci0"
#define BLUEZ_FAKE_DEVICE  BLUEZ_FAKE_ADAPTER "/dev_C0_FF_EE_00_00_01"
#define BLUEZ_FAKE_HANDLE  0x0040

extern const uint8_t bluez_fake_label[SIM_LABEL_ADDR_BYTES];

struct bluez_fake {
	struct loop *loop;
	DBusConnection *bluez; /**< bluetoothd's connection */
	int kernel;
	/* how it is, set by the test */
	bool refuse_agent;
	bool holds;          /**< it is connected to the label from before */
	bool silent;         /**< a connection is told by the answer to Connect alone */
	bool late;           /**< the kernel tells a connection when it is in use already */
	bool owes;           /**< Pair is carried out, and never answered */
	bool stalls;         /**< connections get no further than being there */
	bool no_transfer;    /**< the label has no object transfer */
	bool hasty;          /**< services count as resolved before they are told */
	bool forgets;        /**< it takes a connection for ended that the controller has */
	unsigned int busy;   /**< so often it cannot scan: the kernel does for one that died */
	bool random;         /**< the adapter's address is */
	const char *refuses; /**< this member, whenever it is called */
	uint8_t call_status; /**< what comes of a call through the train, before it is made */
	/* what was asked of it */
	bool agent_asked, hangs_up;
	unsigned int removed, transfers, discoveries, refused;
	unsigned int calls, cancels; /**< through the train */
	char writes[128];            /**< UUIDs of what was written, with a blank behind each */
	/* the label */
	struct sim_label *label;
	struct label_bond bond;
	struct label_service service;
	bool linked;
	bool paired; /**< for bluetoothd; bond.has_key: for the label */
};

/** Takes its name on the bus; the label comes of this model. */
void bluez_fake_open(struct bluez_fake *f, struct loop *loop, const struct sim_label_model *model);
void bluez_fake_close(struct bluez_fake *f);
/** The driver's raw socket; the caller's. */
struct hci_port *bluez_fake_port(struct bluez_fake *f);
/** Answers what was asked meanwhile. */
void bluez_fake_step(struct bluez_fake *f);
/** A connection to the label comes about. */
void bluez_fake_link(struct bluez_fake *f);
/** It breaks: the kernel says so, then bluetoothd. */
void bluez_fake_cut(struct bluez_fake *f);
/** bluetoothd comes and goes. */
void bluez_fake_own_name(struct bluez_fake *f, bool own);
/** A label comes into range: its object, its services' names, that it is paired if it is, its
 * signal of -60 dBm. */
void bluez_fake_show_label(struct bluez_fake *f);
/** Somebody scans, or nobody does any more. */
void bluez_fake_discovers(struct bluez_fake *f, bool does);
/** The label's key is not bluetoothd's. */
void bluez_fake_key_missing(struct bluez_fake *f);
