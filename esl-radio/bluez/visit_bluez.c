/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/bluez/link_impl.h"

#include "common/err.h"
#include "esl-radio/le/hci_conn_wire.h"
#include <errno.h>
#include <string.h>

#define WAIT_US    (INT64_C(60) * US_PER_SEC) /* others are called before it */
#define GOODBYE_US (INT64_C(2) * US_PER_SEC)

struct bluez_device *bluez_visit_device_of(const struct visit *v)
{
	return bluez_device_find(v->k->objects, v->addr);
}

DBusMessage *bluez_visit_message(struct visit *v, const char *member)
{
	char path[BLUEZ_PATH_MAX];

	bluez_device_path(v->k->objects, v->addr, path);
	return bus_message(v->k->bus, path, BLUEZ_DEVICE1, member);
}

/* --- the end ---------------------------------------------------------------------------------- */

void bluez_visit_free(struct visit *v)
{
	struct bluez_link *k = v->k;

	for (size_t i = 0; i < BLUEZ_VISITS_MAX; i++)
		if (k->visits[i] == v)
			k->visits[i] = NULL;
	if (k->calling == v)
		k->calling = NULL;
	bus_call_drop(&v->connect);
	bus_call_drop(&v->pair);
	bus_call_drop(&v->told);
	bus_call_drop(&v->call);
	bluez_work_drop(v);
	buf_done(&v->picture);
	loop_timer_free(v->deadline);
	loop_timer_free(v->retry);
	explicit_bzero(v, sizeof(*v));
	free(v);
}

void bluez_visit_over(struct visit *v, int err)
{
	struct bluez_link *k = v->k;
	esl_link_done_fn done = v->done;
	void *user = v->done_user;
	bool was_ready = v->stage == VISIT_READY;
	uint8_t addr[ESL_ADDR_BYTES];

	memcpy(addr, v->addr, sizeof(addr));
	bluez_visit_free(v);
	if (done)
		done(user, err, NULL);
	else if (was_ready)
		k->cb.lost(k->user, addr);
	bluez_call_next(k);
}

/** What there is of a connection, or is on its way, ends: it would come when nobody is there to end
 * it. */
static void call_off(struct visit *v)
{
	const struct bluez_device *d = bluez_visit_device_of(v);

	/* The end of a call is told later, and would pass for the next one's; and bluetoothd 5.66
	 * may fall over a connection that is begun while it buries another. */
	if (!v->linked && (v->connect || v->k->calling == v))
		loop_timer_start(v->k->rest, BLUEZ_REST_US);
	if (!v->linked && v->k->calling == v && v->subevent != ESL_ADVERTISING)
		bluez_call_cancel(v);
	if (v->linked || v->connect || (d && d->connected))
		bus_tell(v->k->bus, bluez_visit_message(v, "Disconnect"));
}

void bluez_visit_give_up(struct visit *v, int err)
{
	call_off(v);
	bluez_visit_over(v, err);
}

void bluez_visit_finish(struct visit *v, int err)
{
	esl_link_done_fn done = v->done;
	struct esl_link_result res = v->res;

	if (v->stage < VISIT_READY && err < 0) {
		bluez_visit_give_up(v, err);
		return;
	}
	loop_timer_stop(v->deadline);
	bluez_work_drop(v);
	v->done = NULL;
	if (done)
		done(v->done_user, err, err == 0 ? &res : NULL);
}

/** bluetoothd holds a connection as long as nobody tells it otherwise, also when we are gone. */
static void let_go(void *user, struct bluez_device *d)
{
	struct bluez_link *k = user;
	char path[BLUEZ_PATH_MAX];

	if (!d->connected || bluez_visit_find(k, d->addr) ||
	    !(d->label || bluez_known_find(&k->known, d->addr)))
		return;
	bluez_device_path(k->objects, d->addr, path);
	bus_tell(k->bus, bus_message(k->bus, path, BLUEZ_DEVICE1, "Disconnect"));
}

void bluez_visits_let_go(struct bluez_link *k)
{
	for (size_t i = 0; i < BLUEZ_VISITS_MAX; i++)
		if (k->visits[i])
			call_off(k->visits[i]);
	bluez_devices_each(k->objects, let_go, k);
}

void bluez_visits_end(struct bluez_link *k)
{
	for (size_t i = 0; i < BLUEZ_VISITS_MAX; i++)
		if (k->visits[i]) /* those begun meanwhile are refused */
			bluez_visit_give_up(k->visits[i], -ERR_CLOSED);
}

void bluez_visit_left(struct visit *v)
{
	bluez_visit_over(v, v->stage == VISIT_LEAVING || v->going ? 0 : -ERR_CLOSED);
}

/* --- limits of time --------------------------------------------------------------------------- */

static void on_deadline(void *user)
{
	struct visit *v = user;

	if (v->stage == VISIT_LEAVING) {
		/* Told to go twice: the second time by bluetoothd; then it counts as gone. */
		if (v->sent_away) {
			bluez_visit_left(v);
			return;
		}
		loop_timer_start(v->deadline, GOODBYE_US);
		ignore_result(bluez_visit_close(v, NULL, NULL));
		return;
	}
	if (v->stage == VISIT_READY)
		bluez_visit_finish(v, -ETIMEDOUT);
	else
		bluez_visit_give_up(v, -ETIMEDOUT);
}

int bluez_visit_begin(struct visit *v, int64_t limit_us, esl_link_done_fn done, void *user)
{
	if (v->done)
		return -EBUSY;
	if (v->stage != VISIT_READY)
		return -ERR_STATE;
	v->done = done;
	v->done_user = user;
	v->res = (struct esl_link_result){.temperature_cc = INT16_MIN};
	loop_timer_start(v->deadline, limit_us);
	return 0;
}

/* --- leaving ---------------------------------------------------------------------------------- */

static void on_disconnected(void *user, int err, const char *name, DBusMessage *m)
{
	struct visit *v = user;

	(void) name;
	(void) m;
	if (err < 0) /* bluetoothd knows of no connection */
		bluez_visit_left(v);
}

void bluez_visit_leave(struct visit *v)
{
	v->stage = VISIT_LEAVING;
	loop_timer_start(v->deadline, GOODBYE_US);
}

int bluez_visit_close(struct visit *v, esl_link_done_fn done, void *user)
{
	if (v->sent_away || (done && v->done))
		return -EBUSY;
	bluez_work_drop(v);
	if (done) {
		v->done = done;
		v->done_user = user;
	}
	v->sent_away = true;
	bluez_visit_leave(v);
	/* One that could not be told counts as gone when the time is up, as one that does not go.
	 */
	ignore_result(bus_send(v->k->bus, bluez_visit_message(v, "Disconnect"), BLUEZ_SECURE_US,
			       on_disconnected, v, &v->connect));
	return 0;
}

/* --- what happens to it ----------------------------------------------------------------------- */

void bluez_visit_device(struct visit *v, struct bluez_device *d, bool gone)
{
	bool here = !gone && d->connected;

	if (here && (v->stage == VISIT_CONNECTING || v->stage == VISIT_SECURING))
		bluez_secure(v, d);
	else if (!here && v->stage >= VISIT_SECURING)
		bluez_visit_left(v);
}

void bluez_visit_disconnected(struct bluez_link *k, uint16_t handle)
{
	for (size_t i = 0; i < BLUEZ_VISITS_MAX; i++)
		if (k->visits[i] && k->visits[i]->handle == handle) {
			struct bluez_device *d = bluez_visit_device_of(k->visits[i]);

			if (d) /* bluetoothd will tell later */
				d->connected = d->resolved = false;
			bluez_visit_left(k->visits[i]);
			return;
		}
}

/* --- the beginning ---------------------------------------------------------------------------- */

static void on_retry(void *user)
{
	struct visit *v = user;

	if (v->stage == VISIT_WAITING)
		bluez_call_next(v->k);
	else
		bluez_work_late(v);
}

static int begin(struct visit *v)
{
	struct bluez_device *d = bluez_visit_device_of(v);

	if (d && d->connected) { /* bluetoothd holds a connection that nobody visits */
		bus_tell(v->k->bus, bluez_visit_message(v, "Disconnect"));
		return -EBUSY;
	}
	if (v->subevent == ESL_ADVERTISING && !d)
		return -ENOENT;
	v->stage = VISIT_WAITING;
	v->wait_until_us = clock_mono_us(loop_clock(v->k->loop)) + WAIT_US;
	loop_timer_start(v->deadline, WAIT_US);
	loop_timer_start(v->retry, 0); /* never from within the call */
	return 0;
}

int bluez_visit_new(struct bluez_link *k, const uint8_t *addr, uint8_t subevent, uint8_t esl_id,
		    esl_link_done_fn done, void *user)
{
	size_t i = 0;
	struct visit *v;
	int r;

	while (i < BLUEZ_VISITS_MAX && k->visits[i])
		i++;
	if (i == BLUEZ_VISITS_MAX)
		return -EBUSY;
	if (bluez_visit_find(k, addr))
		return -EEXIST;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->k = k;
	memcpy(v->addr, addr, ESL_ADDR_BYTES);
	v->subevent = subevent;
	v->esl_id = esl_id;
	v->handle = BLUEZ_NO_HANDLE;
	v->order = ++k->orders;
	v->done = done;
	v->done_user = user;
	v->res.temperature_cc = INT16_MIN;
	r = loop_timer_new(k->loop, on_deadline, v, &v->deadline);
	if (r == 0)
		r = loop_timer_new(k->loop, on_retry, v, &v->retry);
	k->visits[i] = v;
	if (r == 0)
		r = begin(v);
	if (r < 0)
		bluez_visit_free(v);
	return r;
}
