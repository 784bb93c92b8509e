/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The broadcast seam: a radio that runs one PAwR train. The engine knows this table and nothing of
 * the driver behind it; esl_radio_h4.c is one, the tests bring another.
 *
 * A radio is started once and then keeps the train running by itself: it reopens its controller
 * after a fault, sets it up again and says up() again. Callbacks come from the loop, never from
 * within a call of the table.
 */
#pragma once

#include "common/loop.h"
#include "esl-radio/esl.h"
#include "esl-radio/hci_wire.h"

struct esl_radio_callbacks {
	/** The train runs: data requests will come. */
	void (*up)(void *user);
	/** It does not any more, or could not be started; the driver tries again by itself. */
	void (*down)(void *user, int err, const char *text);
	/** Subevents `start`, start + 1, ... (`count` of them, wrapping at the train's end) want
	 * data now. */
	void (*data_request)(void *user, uint8_t start, uint8_t count);
	/** What came in one response slot; len 0 if nothing intact did. */
	void (*response)(void *user, uint8_t subevent, uint8_t slot, int8_t rssi_dbm,
			 const uint8_t *data, size_t len);
};

struct esl_radio;

struct esl_radio_ops {
	int (*start)(struct esl_radio *r, const struct esl_train *train,
		     const struct esl_radio_callbacks *cb, void *user);
	/** Data for requested subevents; each is sent once. A set of length 0 keeps labels in step.
	 */
	int (*set_data)(struct esl_radio *r, const struct hci_subevent_data *sets, size_t n);
	void (*free)(struct esl_radio *r);
};

struct esl_radio {
	const struct esl_radio_ops *ops;
};

/** The train's advertising set: high, out of the way of a kernel stack on the same controller. */
#define HCI_TRAIN_HANDLE 0xe0

struct hci_host;

/** The train on a controller that connections may share (hci_host.h). */
int esl_radio_h4_over(struct loop *loop, struct hci_host *host,
		      struct esl_radio **ret) _must_check_;
/** The train on a controller of its own, at an address of hci_host.h. -ERR_SYNTAX for another. */
int esl_radio_h4_new(struct loop *loop, const char *address, struct esl_radio **ret) _must_check_;
