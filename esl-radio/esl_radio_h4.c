/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broadcast driver for an HCI controller behind a byte stream. A script of commands starts the
 * train when the controller is up; afterwards the driver only carries subevent data and reports.
 * Whatever goes wrong ends in the same way: the host opens its stream anew, and the script begins
 * again.
 */
#include "esl-radio/esl_radio.h"
#include "esl-radio/hci_host.h"

#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SILENCE_INTERVALS 4
#define SILENCE_LEAST_US  (INT64_C(10) * US_PER_SEC)

struct radio_h4 {
	struct esl_radio base;
	struct hci_driver driver;
	struct hci_host *host;
	struct loop *loop;
	struct esl_radio_callbacks cb;
	void *user;
	struct esl_train train;
	struct loop_timer *watchdog; /**< a train without requests */
	unsigned int step;           /**< of the script */
	bool up;
};

static struct radio_h4 *radio_of(struct hci_driver *d)
{
	return (struct radio_h4 *) ((char *) d - offsetof(struct radio_h4, driver));
}

/* --- the script ------------------------------------------------------------------------------- */

static void put_adv_params(struct radio_h4 *r, struct buf *b)
{
	struct hci_ext_adv_params p = {
		.handle = HCI_TRAIN_HANDLE,
		.interval_min =
			0x0640, /* 1 s: nobody needs the advertisement but a scanner's user */
		.interval_max = 0x0640,
		.channels = 7,
		.tx_power = 127,
		.primary_phy = 1,
		.secondary_phy = 2,
		.sid = 1,
	};

	(void) r;
	hci_put_ext_adv_params(b, &p);
}

static void put_pa_params(struct radio_h4 *r, struct buf *b)
{
	struct hci_pa_params p = {
		.handle = HCI_TRAIN_HANDLE,
		.interval_min = r->train.interval,
		.interval_max = r->train.interval,
		.subevents = r->train.subevents,
		.subevent_interval = r->train.subevent_interval,
		.response_delay = r->train.response_delay,
		.response_spacing = r->train.response_spacing,
		.response_slots = r->train.response_slots,
	};

	hci_put_pa_params(b, &p);
}

static void put_pa_enable(struct radio_h4 *r, struct buf *b)
{
	struct hci_adv_enable p = {.enable = true, .handle = HCI_TRAIN_HANDLE};

	(void) r;
	hci_put_pa_enable(b, &p);
}

static void put_adv_enable(struct radio_h4 *r, struct buf *b)
{
	struct hci_adv_enable p = {.enable = true, .handle = HCI_TRAIN_HANDLE};

	(void) r;
	hci_put_ext_adv_enable(b, &p);
}

/** From a controller that answers to a running train. */
static const struct script_row {
	uint16_t opcode;
	void (*put)(struct radio_h4 *r, struct buf *b);
} script[] = {
	{HCI_LE_SET_EXT_ADV_PARAMS, put_adv_params},
	{HCI_LE_SET_PA_PARAMS_V2, put_pa_params},
	{HCI_LE_SET_PA_ENABLE, put_pa_enable},
	{HCI_LE_SET_EXT_ADV_ENABLE, put_adv_enable},
};

static void step_done(void *user, uint8_t status, const uint8_t *more, size_t len);

static void run_step(struct radio_h4 *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	script[r->step].put(r, &b);
	if (hci_host_command(r->host, &b, step_done, r) < 0)
		hci_host_fail_soon(r->host, -ENOMEM, "The access point is out of memory.");
}

static void feed_watchdog(struct radio_h4 *r)
{
	int64_t silence_us = r->train.interval * INT64_C(1250) * SILENCE_INTERVALS;

	loop_timer_start(r->watchdog, MAX(silence_us, SILENCE_LEAST_US));
}

static void step_done(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct radio_h4 *r = user;
	char text[ESL_TEXT_MAX];

	(void) more;
	(void) len;
	if (status != HCI_OK) {
		(void) snprintf(text, sizeof(text), "The radio's controller refused %s: %s.",
				hci_opcode_name(script[r->step].opcode), hci_status_name(status));
		hci_host_fault(r->host, -ERR_PEER, text);
		return;
	}
	if (++r->step < ARRAY_SIZE(script)) {
		run_step(r);
		return;
	}
	r->up = true;
	feed_watchdog(r);
	r->cb.up(r->user);
}

static void host_up(struct hci_driver *d)
{
	struct radio_h4 *r = radio_of(d);

	r->step = 0;
	if (hci_host_has_feature(r->host, HCI_LE_FEATURE_PAWR_ADVERTISER))
		run_step(r);
	else
		hci_host_fault(r->host, -ENOTSUP,
			       "The radio's controller cannot send periodic advertising with "
			       "responses.");
}

static void host_down(struct hci_driver *d, int err, const char *text)
{
	struct radio_h4 *r = radio_of(d);

	r->up = false;
	loop_timer_stop(r->watchdog);
	r->cb.down(r->user, err, text);
}

static void on_watchdog(void *user)
{
	struct radio_h4 *r = user;

	hci_host_fault(r->host, -ETIMEDOUT, "The radio's controller has stopped asking for data.");
}

/* --- receiving -------------------------------------------------------------------------------- */

/** Reports every response of one event; they are borrowed from the input, which stays in place. */
static int on_response_report(struct radio_h4 *r, struct wire *w)
{
	struct hci_response_report report;

	hci_get_response_report(w, &report);
	for (unsigned int i = 0; i < report.n && r->up; i++) {
		struct hci_response one;

		hci_get_response(w, &one);
		if (!wire_ok(w))
			break;
		if (report.handle == HCI_TRAIN_HANDLE && one.status == HCI_RESPONSE_COMPLETE)
			r->cb.response(r->user, report.subevent, one.slot, one.rssi, one.data,
				       one.len);
	}
	return wire_finish(w);
}

static int on_event(struct hci_driver *d, uint8_t code, struct wire *w)
{
	struct radio_h4 *r = radio_of(d);
	struct hci_data_request request;

	if (code != HCI_EVT_LE_META)
		return 0;
	switch (hci_get_le_event(w)) {
	case HCI_LE_PA_SUBEVENT_DATA_REQUEST:
		hci_get_data_request(w, &request);
		if (wire_finish(w) < 0)
			return -ERR_BADMSG;
		if (r->up && request.handle == HCI_TRAIN_HANDLE) {
			feed_watchdog(r);
			r->cb.data_request(r->user, request.start, request.count);
		}
		return 0;
	case HCI_LE_PA_RESPONSE_REPORT:
		return r->up ? on_response_report(r, w) : 0;
	default:
		return wire_ok(w) ? 0 : -ERR_BADMSG; /* not ours */
	}
}

static const struct hci_driver_ops driver_ops = {
	.up = host_up,
	.down = host_down,
	.event = on_event,
};

/* --- the seam --------------------------------------------------------------------------------- */

static int h4_start(struct esl_radio *base, const struct esl_train *train,
		    const struct esl_radio_callbacks *cb, void *user)
{
	struct radio_h4 *r = (struct radio_h4 *) base;

	r->train = *train;
	r->cb = *cb;
	r->user = user;
	hci_host_start(r->host);
	return 0;
}

static int h4_set_data(struct esl_radio *base, const struct hci_subevent_data *sets, size_t n)
{
	struct radio_h4 *r = (struct radio_h4 *) base;
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t done = 0;

	if (!r->up)
		return -ERR_STATE;
	/* As many sets to a command as its 255 bytes hold. */
	while (done < n) {
		size_t take = 1, bytes = 2 + 4u + sets[done].len;
		int e;

		while (done + take < n && take < HCI_SUBEVENTS_PER_CMD &&
		       bytes + 4u + sets[done + take].len <= HCI_PARAMS_MAX) {
			bytes += 4u + sets[done + take].len;
			take++;
		}
		buf_clear(&b);
		e = hci_put_subevent_data(&b, HCI_TRAIN_HANDLE, sets + done, take);
		if (e == 0)
			e = hci_host_command(r->host, &b, NULL, NULL);
		if (e < 0)
			return e;
		done += take;
	}
	return 0;
}

static void h4_free(struct esl_radio *base)
{
	struct radio_h4 *r = (struct radio_h4 *) base;

	hci_host_leave(r->host, &r->driver);
	hci_host_unref(r->host);
	loop_timer_free(r->watchdog);
	free(r);
}

static const struct esl_radio_ops h4_ops = {
	.start = h4_start,
	.set_data = h4_set_data,
	.free = h4_free,
};

int esl_radio_h4_over(struct loop *loop, struct hci_host *host, struct esl_radio **ret)
{
	struct radio_h4 *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return -ENOMEM;
	r->base.ops = &h4_ops;
	r->loop = loop;
	/* Never bit 40 (connection complete v2): a kernel stack beside us would miss its
	 * connections. */
	r->driver =
		(struct hci_driver){.ops = &driver_ops,
				    .le_event_mask = HCI_LE_MASK(HCI_LE_PA_SUBEVENT_DATA_REQUEST) |
						     HCI_LE_MASK(HCI_LE_PA_RESPONSE_REPORT)};
	e = loop_timer_new(loop, on_watchdog, r, &r->watchdog);
	if (e < 0) {
		free(r);
		return e;
	}
	r->host = hci_host_ref(host);
	hci_host_join(host, &r->driver);
	*ret = &r->base;
	return 0;
}

int esl_radio_h4_new(struct loop *loop, const char *address, struct esl_radio **ret)
{
	struct hci_host *host;
	int e = hci_host_new(loop, address, &host);

	if (e < 0)
		return e;
	e = esl_radio_h4_over(loop, host, ret);
	hci_host_unref(host);
	return e;
}
