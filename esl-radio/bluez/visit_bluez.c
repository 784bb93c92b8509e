/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/bluez/link_impl.h"

#include "common/err.h"
#include "esl-radio/le/hci_conn_wire.h"
#include <errno.h>
#include <string.h>

#define ADVERT_US     (INT64_C(15) * US_PER_SEC) /* bluetoothd waits for an advertisement */
#define CALL_US       (INT64_C(6) * US_PER_SEC)  /* its subevent comes within an interval or two */
#define WAIT_US       (INT64_C(60) * US_PER_SEC) /* others are called before it */
#define SECURE_US     (INT64_C(40) * US_PER_SEC) /* bond, services, switches */
#define GOODBYE_US    (INT64_C(2) * US_PER_SEC)
#define BUSY_RETRY_US (INT64_C(300) * US_PER_MS)
#define REST_US       US_PER_SEC
#define CONN_INTERVAL 12  /* 1.25 ms */
#define CONN_TIMEOUT  200 /* 10 ms */
#define SCAN_INTERVAL 160 /* 0.625 ms */
#define SCAN_WINDOW   80

static void next_call(struct bluez_link *k);

static struct bluez_device *device_of(struct visit *v)
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

/** The connection is no more, or never was: the visit is freed before its owner hears of it. */
static void over(struct visit *v, int err)
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
	next_call(k);
}

/** Gives up before the label could be worked with; bluetoothd lets go of it. */
static void give_up(struct visit *v, int err)
{
	const struct bluez_device *d = device_of(v);

	/* bluetoothd 5.66 may fall over a connection that is begun while it buries another. */
	if (v->connect && !v->linked)
		loop_timer_start(v->k->rest, REST_US);
	if (v->linked || v->connect || (d && d->connected))
		bus_tell(v->k->bus, bluez_visit_message(v, "Disconnect"));
	over(v, err);
}

void bluez_visit_finish(struct visit *v, int err)
{
	esl_link_done_fn done = v->done;
	struct esl_link_result res = v->res;

	if (v->stage < VISIT_READY && err < 0) {
		give_up(v, err);
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

	if (!d->connected || !(d->label || bluez_known_find(&k->known, d->addr)))
		return;
	bluez_device_path(k->objects, d->addr, path);
	bus_tell(k->bus, bus_message(k->bus, path, BLUEZ_DEVICE1, "Disconnect"));
}

static void cancel_call(struct visit *v);

/** A connection that is on its way would come when nobody is there to end it. */
static void call_off(struct visit *v)
{
	const struct bluez_device *d = device_of(v);

	if (v->k->calling == v && v->subevent != ESL_ADVERTISING && !v->linked)
		cancel_call(v);
	else if ((v->linked || v->connect) && !(d && d->connected))
		bus_tell(v->k->bus, bluez_visit_message(v, "Disconnect"));
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
			over(k->visits[i], -ERR_CLOSED);
}

static void left(struct visit *v)
{
	over(v, v->stage == VISIT_LEAVING || v->going ? 0 : -ERR_CLOSED);
}

/* --- limits of time --------------------------------------------------------------------------- */

static void cancel_call(struct visit *v)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	hci_put_command(&b, HCI_LE_CREATE_CONNECTION_CANCEL, NULL, 0);
	ignore_result(hci_host_command(v->k->host, &b, NULL, NULL));
}

static void on_deadline(void *user)
{
	struct visit *v = user;

	if (v->stage == VISIT_LEAVING) {
		/* Told to go twice: the second time by bluetoothd; then it counts as gone. */
		if (v->connect) {
			left(v);
			return;
		}
		loop_timer_start(v->deadline, GOODBYE_US);
		ignore_result(bluez_visit_close(v, NULL, NULL));
		return;
	}
	if (v->k->calling == v && v->subevent != ESL_ADVERTISING)
		cancel_call(v);
	if (v->stage == VISIT_READY)
		bluez_visit_finish(v, -ETIMEDOUT);
	else
		give_up(v, -ETIMEDOUT);
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
		left(v);
}

void bluez_visit_leave(struct visit *v)
{
	v->stage = VISIT_LEAVING;
	loop_timer_start(v->deadline, GOODBYE_US);
}

int bluez_visit_close(struct visit *v, esl_link_done_fn done, void *user)
{
	if (v->connect && v->stage == VISIT_LEAVING)
		return -EBUSY;
	bluez_work_drop(v);
	if (done) {
		if (v->done)
			return -EBUSY;
		v->done = done;
		v->done_user = user;
	}
	v->stage = VISIT_LEAVING;
	loop_timer_start(v->deadline, GOODBYE_US);
	return bus_send(v->k->bus, bluez_visit_message(v, "Disconnect"), SECURE_US, on_disconnected,
			v, &v->connect);
}

/* --- bond and services ------------------------------------------------------------------------ */

static void switch_next(struct visit *v);

static void on_switched(void *user, int err, const char *name, DBusMessage *m)
{
	struct visit *v = user;

	(void) name;
	(void) m;
	if (err < 0) {
		give_up(v, err);
		return;
	}
	v->at++;
	switch_next(v);
}

/** It can be worked with. One that was bonded before and had to be paired anew was reset. */
static void ready(struct visit *v, const struct bluez_device *d)
{
	const struct bluez_known_label *l = bluez_known_find(&v->k->known, v->addr);
	int r = l ? 0 : bluez_known_keep(v->k, v->addr, d && d->random, false);

	if (r < 0) {
		give_up(v, r);
		return;
	}
	v->res.rebonded = l && l->reset;
	v->stage = VISIT_READY;
	bluez_visit_finish(v, 0);
}

/** Turns on what speaks up by itself. */
static void switch_next(struct visit *v)
{
	static const enum bluez_chr speakers[] = {BLUEZ_CONTROL, BLUEZ_OACP, BLUEZ_OLCP};
	struct bluez_device *d = device_of(v);

	while (d && v->at < ARRAY_SIZE(speakers) && !d->chrs[speakers[v->at]].chr)
		v->at++;
	if (v->at == ARRAY_SIZE(speakers)) {
		ready(v, d);
		return;
	}
	int r = d ? bluez_notify(v, speakers[v->at], on_switched) : -ERR_CLOSED;

	if (r < 0)
		give_up(v, r);
}

static void check_services(struct visit *v, const struct bluez_device *d)
{
	static const enum bluez_chr needed[] = {BLUEZ_ADDRESS, BLUEZ_TRAIN_KEY, BLUEZ_RESPONSE_KEY,
						BLUEZ_TIME, BLUEZ_CONTROL};

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!d->chrs[needed[i]].chr) {
			give_up(v, -ENOTSUP); /* it is no shelf label */
			return;
		}
	v->stage = VISIT_SWITCHING;
	v->at = 0;
	switch_next(v);
}

static void on_told(void *user, int err, const char *name, DBusMessage *m)
{
	struct visit *v = user;
	struct bluez_device *d = device_of(v);

	(void) name;
	(void) m;
	if (err < 0)
		give_up(v, err);
	else if (d && d->paired && d->resolved)
		check_services(v, d);
}

/* bluetoothd may say that the services are resolved before it has told them. Whatever it answers
 * comes behind what it has to tell, so that it is asked for something that it knows. */
static void await_services(struct visit *v)
{
	const char *interface = BLUEZ_DEVICE1, *name = "ServicesResolved";
	char path[BLUEZ_PATH_MAX];
	DBusMessage *m;
	int r;

	if (v->told)
		return;
	bluez_device_path(v->k->objects, v->addr, path);
	m = bus_message(v->k->bus, path, BLUEZ_PROPERTIES, "Get");
	if (m && !dbus_message_append_args(m, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &name,
					   DBUS_TYPE_INVALID)) {
		dbus_message_unref(m);
		m = NULL;
	}
	r = bus_send(v->k->bus, m, SECURE_US, on_told, v, &v->told);
	if (r < 0)
		give_up(v, r);
}

static void on_paired(void *user, int err, const char *name, DBusMessage *m)
{
	struct visit *v = user;
	struct bluez_device *d = device_of(v);

	(void) m;
	if (err == -ERR_PEER && strcmp(name, "org.bluez.Error.AlreadyExists") == 0)
		err = 0;
	if (err < 0) {
		give_up(v, err == -ERR_PEER ? -ERR_CRYPTO : err);
		return;
	}
	v->new_key = true;
	if (d && d->paired && d->resolved)
		check_services(v, d);
}

/* Kept before it is paired: whatever happens then, it will be said that it was reset. */
static int pair(struct visit *v, const struct bluez_device *d)
{
	int r = bluez_known_find(&v->k->known, v->addr)
			? bluez_known_keep(v->k, v->addr, d->random, true)
			: 0;

	return r < 0 ? r
		     : bus_send(v->k->bus, bluez_visit_message(v, "Pair"), SECURE_US, on_paired, v,
				&v->pair);
}

/** Goes on as far as what bluetoothd has told allows. */
static void secure(struct visit *v, const struct bluez_device *d)
{
	int r = 0;

	if (v->stage == VISIT_CONNECTING) {
		v->stage = VISIT_SECURING;
		v->linked = true;
		loop_timer_start(v->deadline, SECURE_US);
		if (!d->paired)
			r = pair(v, d);
	}
	if (r < 0)
		give_up(v, r);
	else if (d->paired && d->resolved) {
		/* bluetoothd answers Pair when it has resolved the services, unless it was about it
		 * already: then it never does. What it says of the device is enough. */
		v->new_key |= v->pair != NULL;
		bus_call_drop(&v->pair);
		await_services(v);
	}
}

void bluez_visit_device(struct visit *v, struct bluez_device *d, bool gone)
{
	bool here = !gone && d->connected;

	if (here && (v->stage == VISIT_CONNECTING || v->stage == VISIT_SECURING))
		secure(v, d);
	else if (!here && v->stage >= VISIT_SECURING)
		left(v);
}

/** bluetoothd forgets the label's bond. */
static void forget(struct bluez_link *k)
{
	char path[BLUEZ_PATH_MAX];
	const char *at = path;
	DBusMessage *m;

	k->forgets = false;
	bluez_device_path(k->objects, k->forget, path);
	m = bus_message(k->bus, bluez_adapter_path(k->objects), BLUEZ_ADAPTER1, "RemoveDevice");
	if (m && dbus_message_append_args(m, DBUS_TYPE_OBJECT_PATH, &at, DBUS_TYPE_INVALID))
		bus_tell(k->bus, m);
	else if (m)
		dbus_message_unref(m);
}

void bluez_visit_rested(void *user)
{
	struct bluez_link *k = user;

	if (k->forgets) {
		forget(k);
		loop_timer_start(k->rest, REST_US);
	} else {
		next_call(k);
	}
}

/* The label has another key than ours, or none: bluetoothd forgets it, and it is paired anew when
 * it advertises. Not before the connection is buried: bluetoothd 5.66 may fall over that, too. */
void bluez_visit_encryption(struct bluez_link *k, uint16_t handle, uint8_t status)
{
	struct visit *v = NULL;
	struct bluez_device *d;

	for (size_t i = 0; i < BLUEZ_VISITS_MAX; i++)
		if (k->visits[i] && k->visits[i]->handle == handle)
			v = k->visits[i];
	d = v ? device_of(v) : NULL;
	if (!d || !d->paired || v->new_key ||
	    (status != HCI_ERR_PIN_MISSING && status != HCI_ERR_AUTHENTICATION &&
	     status != HCI_ERR_MIC))
		return;
	if (k->forgets)
		forget(k);
	k->forgets = true;
	memcpy(k->forget, v->addr, sizeof(k->forget));
	loop_timer_start(k->rest, REST_US);
	d->connected = d->resolved = d->paired = false;
	over(v, -ERR_CRYPTO);
}

/* --- connecting ------------------------------------------------------------------------------- */

/** Whom the controller is connecting to for us. */
static struct visit *called(const struct bluez_link *k)
{
	return k->calling && k->calling->subevent != ESL_ADVERTISING ? k->calling : NULL;
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
	if (status == HCI_ERR_COMMAND_DISALLOWED) {
		v->stage = VISIT_WAITING;
		loop_timer_start(v->retry, BUSY_RETRY_US);
		return;
	}
	over(v, -ERR_PEER);
}

static void on_retry(void *user)
{
	struct visit *v = user;

	if (v->stage == VISIT_WAITING)
		next_call(v->k);
	else
		bluez_work_late(v);
}

static void on_connect(void *user, int err, const char *name, DBusMessage *m);

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
		over(v, r);
}

/** Through the train: nobody but the controller knows how. */
static void call_label(struct visit *v)
{
	struct bluez_link *k = v->k;
	const struct bluez_device *d = device_of(v);
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
		over(v, r);
}

static void next_call(struct bluez_link *k)
{
	struct visit *first = NULL;

	for (size_t i = 0; i < BLUEZ_VISITS_MAX; i++) {
		struct visit *v = k->visits[i];

		if (v && v->stage == VISIT_WAITING && (!first || v->order < first->order))
			first = v;
	}
	if (!first || k->calling || loop_timer_active(first->retry) || loop_timer_active(k->rest))
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
	struct bluez_device *d = v ? device_of(v) : NULL;

	if (!v)
		return;
	if (k->calling == v)
		k->calling = NULL;
	if (status != HCI_OK) {
		over(v, -ETIMEDOUT);
		return;
	}
	v->handle = handle;
	v->linked = true;
	if (v->stage <= VISIT_SECURING) /* bluetoothd may have been quicker */
		loop_timer_start(v->deadline, SECURE_US);
	if (k->cb.reached)
		k->cb.reached(k->user, v->addr);
	if (d && d->connected && v->stage <= VISIT_SECURING)
		secure(v, d);
	next_call(k);
}

void bluez_visit_disconnected(struct bluez_link *k, uint16_t handle)
{
	for (size_t i = 0; i < BLUEZ_VISITS_MAX; i++)
		if (k->visits[i] && k->visits[i]->handle == handle) {
			struct bluez_device *d = device_of(k->visits[i]);

			if (d) /* bluetoothd will tell later */
				d->connected = d->resolved = false;
			left(k->visits[i]);
			return;
		}
}

static void on_connect(void *user, int err, const char *name, DBusMessage *m)
{
	struct visit *v = user;
	struct bluez_device *d = device_of(v);

	(void) name;
	(void) m;
	if (err == 0 && d) /* which it may not have told otherwise */
		d->connected = true;
	if (v->k->calling == v)
		v->k->calling = NULL;
	if (err < 0 && !(d && d->connected))
		give_up(v, err == -ERR_PEER ? -ETIMEDOUT : err);
	else if (d && d->connected && v->stage <= VISIT_SECURING)
		secure(v, d);
}

static int begin(struct visit *v)
{
	struct bluez_device *d = device_of(v);

	if (d && d->connected) { /* bluetoothd holds a connection that nobody visits */
		bus_tell(v->k->bus, bluez_visit_message(v, "Disconnect"));
		return -EBUSY;
	}
	if (v->subevent == ESL_ADVERTISING && !d)
		return -ENOENT;
	v->stage = VISIT_WAITING;
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
