/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside the HCI host: what its files share. */
#pragma once

#include "esl-radio/bluez/hci_shared.h"
#include "esl-radio/hci_host.h"

/** A command in the queue, then among those sent. */
struct command {
	struct command *next;
	uint16_t opcode;
	hci_done_fn done;
	void *user;
	size_t len;
	uint8_t packet[];
};

struct command_list {
	struct command *first, **end;
};

struct hci_host {
	struct loop *loop;
	char *address;
	struct hci_port *shared; /**< instead of an address */
	unsigned int owners;
	struct hci_driver *drivers;
	int fd;
	struct loop_io *io;
	struct loop_timer *retry;    /**< reopening */
	struct loop_timer *watchdog; /**< a command that somebody waits for has no answer */
	struct buf in, out;
	struct command_list queue, sent; /**< waiting for credits; waiting for an answer */
	unsigned int credits;
	unsigned int step; /**< of the script */
	uint8_t features[8];
	struct hci_version version;
	bool version_known;
	struct hci_shared kernel; /**< what is known of the other owner of a shared port */
	bool up;
	int failing; /**< found while somebody called: told from the loop */
	const char *failing_text;
	int64_t backoff_us, up_since_us;
};

/* hci_host.c */
/** Queues a command, also while the script runs. `done` may be NULL. */
int hci_host_queue(struct hci_host *h, const struct buf *packet, hci_done_fn done,
		   void *user) _must_check_;

/* hci_script.c */
/** Says the next command of the script; drivers are told when the last one was answered. */
void hci_script_step(struct hci_host *h);
