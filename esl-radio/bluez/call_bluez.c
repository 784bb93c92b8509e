/* SPDX-License-Identifier: Apache-2.0 */
/* How a connection comes about: one after the other, by the controller through the train's
 * subevent, or by bluetoothd for a label that advertises. */
#include "esl-radio/bluez/link_impl.h"

#include "common/err.h"
#include "esl-radio/le/hci_conn_wire.h"
#include <errno.h>

#define ADVERT_US     (INT64_C(15) * US_PER_SEC) /* bluetoothd waits for an advertisement */
#define CALL_US       (INT64_C(6) * US_PER_SEC)  /* its subevent comes within an interval or two */
#define BUSY_RETRY_US (INT64_C(300) * US_PER_MS)
#define CONN_INTERVAL 12  /* 1.25 ms */
#define CONN_TIMEOUT  200 /* 10 ms */
#define SCAN_INTERVAL 160 /* 0.625 ms */
#define SCAN_WINDOW   80

/** Whom the controller is connecting to for us. */
static struct visit *called(const struct bluez_link *k)
{
	return k->calling && k->calling->subevent != ESL_ADVERTISING ? k->calling : NULL;
}

/** Its turn comes again, within the time it had at first. */
static void wait_more(struct visit *v)
{
	int64_t left_us = v->wait_until_us - clock_mono_us(loop_clock(v->k->loop));

	v->stage = VISIT_WAITING;
	loop_timer_start(v->deadline, MAX(left_us, 0));
	loop_timer_start(v->retry, BUSY_RETRY_US);
}

static void on_call_status(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct bluez_link *k = user;
	struct visit *v = called(k);

	(void) more;
	(void) len;
	if (status == HCI_OK || !v)
		return;
	k->calling = NULL;
	/* The kernel is connecting to somebody itself, or looks for labels: its turn, then ours. */
	if (status == HCI_ERR_COMMAND_DISALLOWED)
		wait_more(v);
	else
		bluez_visit_over(v, -ERR_PEER);
}

void bluez_call_cancel(struct visit *v)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	hci_put_command(&b, HCI_LE_CREATE_CONNECTION_CANCEL, NULL, 0);
	ignore_result(hci_host_command(v->k->host, &b, NULL, NULL));
}

static void on_connect(void *user, int err, const char *name, DBusMessage *m)
{
	struct visit *v = user;
	struct bluez_device *d = bluez_visit_device_of(v);

	(void) name;
	(void) m;
	if (err == 0 && d) /* which it may not have told otherwise */
		d->connected = true;
	if (v->k->calling == v)
		v->k->calling = NULL;
	if (err < 0 && !(d && d->connected))
		bluez_visit_give_up(v, err == -ERR_PEER ? -ETIMEDOUT : err);
	else if (d && d->connected && v->stage <= VISIT_SECURING)
		bluez_secure(v, d);
}

/** It advertises: bluetoothd connects. */
static void ask_bluetoothd(struct visit *v)
{
	int r;

	v->k->calling = v;
	v->stage = VISIT_CONNECTING;
	loop_timer_start(v->deadline, ADVERT_US);
	r = bus_send(v->k->bus, bluez_visit_message(v, "Connect"), ADVERT_US, on_connect, v,
		     &v->connect);
	if (r < 0)
		bluez_visit_over(v, r);
}

/** Through the train: nobody but the controller knows how. */
static void call_label(struct visit *v)
{
	struct bluez_link *k = v->k;
	const struct bluez_device *d = bluez_visit_device_of(v);
	const struct bluez_known_label *l = bluez_known_find(&k->known, v->addr);
	struct hci_create_connection p = {.adv_handle = HCI_TRAIN_HANDLE,
					  .subevent = v->subevent,
					  .peer_type = d ? d->random : !l || l->random,
					  .scan_interval = SCAN_INTERVAL,
					  .scan_window = SCAN_WINDOW,
					  .interval_min = CONN_INTERVAL,
					  .interval_max = CONN_INTERVAL,
					  .timeout = CONN_TIMEOUT};
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r;

	for (size_t i = 0; i < ESL_ADDR_BYTES; i++)
		p.peer[i] = v->addr[ESL_ADDR_BYTES - 1 - i];
	k->calling = v;
	v->stage = VISIT_CONNECTING;
	loop_timer_start(v->deadline, CALL_US);
	hci_put_create_connection(&b, &p);
	r = hci_host_command(k->host, &b, on_call_status, k);
	if (r < 0)
		bluez_visit_over(v, r);
}

void bluez_call_next(struct bluez_link *k)
{
	struct visit *first = NULL;

	for (size_t i = 0; i < BLUEZ_VISITS_MAX; i++) {
		struct visit *v = k->visits[i];

		if (v && v->stage == VISIT_WAITING && (!first || v->order < first->order))
			first = v;
	}
	if (!k->up || !first || k->calling || loop_timer_active(first->retry) ||
	    loop_timer_active(k->rest))
		return;
	if (first->subevent == ESL_ADVERTISING)
		ask_bluetoothd(first);
	else
		call_label(first);
}

void bluez_visit_connected(struct bluez_link *k, uint8_t status, uint16_t handle,
			   const uint8_t *addr)
{
	struct visit *v = status == HCI_OK ? bluez_visit_find(k, addr) : called(k);
	struct bluez_device *d = v ? bluez_visit_device_of(v) : NULL;

	if (!v)
		return;
	if (k->calling == v)
		k->calling = NULL;
	if (status != HCI_OK) {
		bluez_visit_over(v, -ETIMEDOUT);
		return;
	}
	v->handle = handle;
	v->linked = true;
	if (v->stage <= VISIT_SECURING) /* bluetoothd may have been quicker */
		loop_timer_start(v->deadline, BLUEZ_SECURE_US);
	if (k->cb.reached)
		k->cb.reached(k->user, v->addr);
	if (d && d->connected && v->stage <= VISIT_SECURING)
		bluez_secure(v, d);
	bluez_call_next(k);
}

void bluez_visit_rested(void *user)
{
	struct bluez_link *k = user;

	if (k->forgets) {
		bluez_bond_forget(k);
		loop_timer_start(k->rest, BLUEZ_REST_US);
	} else {
		bluez_call_next(k);
	}
}
