/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/kernel_label.h"

#include "common/err.h"
#include "common/hci_raw.h"
#include "common/log.h"
#include "esl-radio/le/hci_sync_wire.h"
#include "sim/kernel_bluez.h"
#include "sim/kernel_channel.h"
#include "sim/kernel_hci.h"
#include "sim/truth.h"
#include <errno.h>
#include <string.h>

#define ROLE_PERIPHERAL 1
#define END_US          (100 * US_PER_MS) /* so that the last answer is out before the link ends */
#define LOOK_US         (INT64_C(4) * US_PER_SEC)
#define SYNC_TIMEOUT    1000 /* 10 ms each */
#define NO_GROUP        0xff

struct kernel_label {
	struct loop *loop;
	struct kernel_label_config cfg;
	struct kernel_hci *hci;
	struct kernel_bluez *bluez;
	struct kernel_channel *channel;
	struct sim_label *label; /**< NULL until its address, the adapter's, is known */
	struct label_service service;
	struct label_bond bond;
	struct sim_world *world; /**< an empty one */
	struct sim_truth *truth;
	struct loop_timer *tick, *end, *look;
	bool cycling; /**< the adapter is off for a moment, so that its mask is heard */
	bool linked, encrypted;
	uint16_t link;
	uint8_t central[HCI_ADDR_BYTES]; /**< of the present or last link */
	bool synced;
	uint16_t sync;
	uint8_t listened; /**< group whose subevent is listened to */
	enum esl_label_state state;
};

static int64_t now_us(const struct kernel_label *k)
{
	return clock_mono_us(loop_clock(k->loop));
}

static void say(struct kernel_label *k, const struct buf *packet)
{
	int r = kernel_hci_send(k->hci, packet);

	if (r < 0)
		log_write(LOG_INFO, "label", r, "msg=\"a command could not be sent\"");
}

/* --- what follows from what happened ---------------------------------------------------------- */

static void stop_listening(struct kernel_label *k)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!k->synced)
		return;
	k->synced = false;
	hci_put_terminate_sync(&b, k->sync);
	if (kernel_hci_is_up(k->hci))
		say(k, &b);
}

/** The subevent of its group, wherever its address and its train came from first. */
static void listen_to_group(struct kernel_label *k, uint8_t group)
{
	struct hci_sync_subevent c = {.sync = k->sync, .n = 1, .subevents = {group}};
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!k->synced || k->listened == group)
		return;
	k->listened = group;
	hci_put_sync_subevent(&b, &c);
	say(k, &b);
}

static void settle(struct kernel_label *k)
{
	struct sim_label_view v;
	int64_t next;

	if (!k->label)
		return;
	sim_label_advance(k->label, now_us(k));
	sim_label_get(k->label, &v);
	if (v.state != k->state) {
		log_info("label", "state=\"%s\"", esl_label_state_name(v.state));
		if (v.state == ESL_UNASSOCIATED) {
			stop_listening(k);
			kernel_bluez_forget(k->bluez, k->central);
		}
		k->state = v.state;
	}
	listen_to_group(k, v.group);
	kernel_bluez_advertise(k->bluez, v.advertising && !k->linked);
	next = sim_label_next_us(k->label);
	if (next == INT64_MAX)
		loop_timer_stop(k->tick);
	else
		loop_timer_start(k->tick, MAX(next - now_us(k), 0));
}

static void on_tick(void *user)
{
	settle(user);
}

/* --- what the services want ------------------------------------------------------------------- */

static void service_tells(void *user, enum label_value value, const uint8_t *data, size_t len)
{
	struct kernel_label *k = user;

	kernel_bluez_tell(k->bluez, value, data, len);
}

static void service_ends(void *user)
{
	struct kernel_label *k = user;

	loop_timer_start(k->end, END_US);
}

static bool service_in_range(void *user)
{
	return ((struct kernel_label *) user)->synced;
}

static const struct label_service_io service_io = {service_tells, service_ends, service_in_range};

static void on_end(void *user)
{
	struct kernel_label *k = user;
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!k->linked)
		return;
	hci_put_disconnect(
		&b, &(struct hci_disconnect){.handle = k->link, .reason = HCI_ERR_REMOTE_ENDED});
	say(k, &b);
}

/* --- the link --------------------------------------------------------------------------------- */

static void begin_service(struct kernel_label *k)
{
	bool open = k->service.channel_open;

	label_service_done(&k->service);
	label_service_init(&k->service, k->label, &k->bond, &service_io, k);
	k->service.channel_open = open;
}

static void link_encrypted(struct kernel_label *k)
{
	if (!k->linked || k->encrypted)
		return;
	k->encrypted = true;
	begin_service(k);
	sim_label_connected(k->label, now_us(k));
}

static void link_over(struct kernel_label *k)
{
	if (k->encrypted) {
		label_service_content_end(&k->service);
		k->service.channel_open = false;
		sim_label_link_lost(k->label, now_us(k));
	}
	k->linked = k->encrypted = false;
	loop_timer_stop(k->end);
}

static void on_connection(struct kernel_label *k, struct wire *w)
{
	uint8_t status = wire_get_u8(w);
	uint16_t handle = wire_get_u16le(w);
	uint8_t role = wire_get_u8(w), central[HCI_ADDR_BYTES];

	wire_skip(w, 1); /* what kind of address */
	wire_copy(w, central, sizeof(central));
	if (role != ROLE_PERIPHERAL || !wire_ok(w) || status != HCI_OK)
		return;
	memcpy(k->central, central, sizeof(central));
	k->linked = true;
	k->encrypted = false;
	k->link = handle;
}

/* --- the train -------------------------------------------------------------------------------- */

/**
 * The train's first packet may come when the link that handed it over is gone. A controller that
 * follows it passes over every later transfer: whoever refuses this one never hears of another.
 */
static void on_train(struct kernel_label *k, struct wire *w)
{
	struct hci_sync s;

	hci_get_past_received(w, &s);
	if (!wire_ok(w) || s.status != HCI_OK) {
		log_info("label", "status=0x%02x msg=\"no train was handed over\"", s.status);
		return;
	}
	if (k->synced && k->sync != s.sync)
		stop_listening(k);
	log_info("label", "sync=%u subevents=%u msg=\"a train was handed over\"", s.sync,
		 s.subevents);
	k->synced = true;
	k->sync = s.sync;
	k->listened = NO_GROUP;
}

static void on_report(struct kernel_label *k, struct wire *w)
{
	uint8_t answer[SIM_LABEL_ANSWER_MAX];
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct hci_pa_report r;
	unsigned int slot;
	int n;

	hci_get_pa_report(w, &r);
	if (!wire_ok(w) || !k->synced || r.sync != k->sync || r.status != HCI_REPORT_COMPLETE ||
	    r.len == 0 || r.subevent != sim_label_group(k->label))
		return;
	n = sim_label_packet(k->label, r.data, r.len, answer, &slot, now_us(k));
	if (n <= 0)
		return;
	if (hci_put_response_data(&b, &(struct hci_response_data){.sync = r.sync,
								  .event = r.event,
								  .request_subevent = r.subevent,
								  .subevent = r.subevent,
								  .slot = (uint8_t) slot,
								  .len = (uint8_t) n,
								  .data = answer}) == 0)
		say(k, &b);
}

static void sync_over(struct kernel_label *k)
{
	k->synced = false;
	sim_label_sync_lost(k->label, now_us(k));
}

/* --- the controller --------------------------------------------------------------------------- */

static void on_le_event(struct kernel_label *k, struct wire *w)
{
	switch (hci_get_le_event(w)) {
	case HCI_LE_CONNECTION_COMPLETE:
	case HCI_LE_ENHANCED_CONNECTION_COMPLETE:
		on_connection(k, w);
		break;
	case HCI_LE_PAST_RECEIVED_V2:
		on_train(k, w);
		break;
	case HCI_LE_PA_REPORT_V2:
		on_report(k, w);
		break;
	case HCI_LE_PA_SYNC_LOST:
		if (hci_get_sync_lost(w) == k->sync && wire_ok(w) && k->synced)
			sync_over(k);
		break;
	default:
		break;
	}
}

static void hci_event(void *user, uint8_t code, struct wire *w)
{
	struct kernel_label *k = user;
	struct hci_disconnection d;
	struct hci_encryption_change e;

	if (!k->label)
		return;
	switch (code) {
	case HCI_EVT_DISCONNECTION_COMPLETE:
		hci_get_disconnection(w, &d);
		if (wire_ok(w) && d.status == HCI_OK && k->linked && d.handle == k->link)
			link_over(k);
		break;
	case HCI_EVT_ENCRYPTION_CHANGE:
		hci_get_encryption_change(w, &e);
		if (wire_ok(w) && e.status == HCI_OK && e.enabled && e.handle == k->link)
			link_encrypted(k);
		break;
	case HCI_EVT_LE_META:
		on_le_event(k, w);
		break;
	default:
		return;
	}
	settle(k);
}

static void channel_opened(void *user)
{
	((struct kernel_label *) user)->service.channel_open = true;
}

static void channel_content(void *user, const uint8_t *data, size_t len)
{
	struct kernel_label *k = user;

	k->service.now_us = now_us(k);
	label_service_content(&k->service, data, len);
}

static void channel_closed(void *user)
{
	struct kernel_label *k = user;

	k->service.now_us = now_us(k);
	k->service.channel_open = false;
	label_service_content_end(&k->service);
}

/* --- the label comes into being --------------------------------------------------------------- */

static void touched(void *user)
{
	settle(user);
}

static int open_truth(struct kernel_label *k)
{
	struct sim_truth_sources s = {
		.labels = &k->label, .n_labels = 1, .touched = touched, .user = k};
	int r = sim_world_new(loop_clock(k->loop), k->cfg.seed, &k->world);

	if (r == 0)
		r = sim_world_seal(k->world);
	s.world = k->world;
	return r < 0 ? r : sim_truth_new(k->loop, &s, k->cfg.truth_port, &k->truth);
}

static int make_label(struct kernel_label *k, const uint8_t addr[6])
{
	int r = sim_label_new(addr, &k->cfg.model, k->cfg.seed, NULL, NULL, &k->label);

	if (r < 0)
		return r;
	label_service_init(&k->service, k->label, &k->bond, &service_io, k);
	r = open_truth(k);
	if (r == 0) {
		(void) fprintf(k->cfg.ready,
			       "gondola-sim ready {\"truth_port\":%u,\"label\":"
			       "\"%02X%02X%02X%02X%02X%02X\"}\n",
			       sim_truth_port(k->truth), addr[0], addr[1], addr[2], addr[3],
			       addr[4], addr[5]);
		(void) fflush(k->cfg.ready);
	}
	return r;
}

static int arm(struct kernel_label *k, const uint8_t addr[6])
{
	static const struct kernel_channel_callbacks cb = {channel_opened, channel_content,
							   channel_closed};
	const uint64_t ours =
		HCI_LE_MASK(HCI_LE_PA_SYNC_LOST) | HCI_LE_MASK(HCI_LE_PA_SYNC_ESTABLISHED_V2) |
		HCI_LE_MASK(HCI_LE_PA_REPORT_V2) | HCI_LE_MASK(HCI_LE_PAST_RECEIVED_V2);
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = k->label ? 0 : make_label(k, addr);

	if (r == 0)
		r = kernel_hci_hear(k->hci, ours);
	hci_put_default_past_params(
		&b, &(struct hci_past_params){.mode = HCI_PAST_REPORTS, .timeout = SYNC_TIMEOUT});
	if (r == 0)
		r = kernel_hci_send(k->hci, &b);
	if (r == 0 && !k->channel)
		r = kernel_channel_new(k->loop, addr, &cb, k, &k->channel);
	return r;
}

/** A mask that was not heard cannot be added to: the adapter is switched off and on once. */
static void on_look(void *user)
{
	struct kernel_label *k = user;

	if (kernel_hci_is_up(k->hci) && !kernel_hci_mask_known(k->hci)) {
		k->cycling = true;
		kernel_bluez_power(k->bluez, false);
		loop_timer_start(k->look, LOOK_US);
	}
}

static void hci_up(void *user, const uint8_t addr[6])
{
	struct kernel_label *k = user;
	int r;

	if (!kernel_hci_mask_known(k->hci)) {
		on_look(k);
		return;
	}
	loop_timer_stop(k->look);
	r = arm(k, addr);
	if (r < 0) {
		log_write(LOG_ERR, "label", r, "msg=\"the adapter cannot be used\"");
		return;
	}
	log_info("label", "msg=\"the adapter is on\"");
	kernel_bluez_adapter(k->bluez, true);
	settle(k);
}

static void hci_down(void *user)
{
	struct kernel_label *k = user;

	kernel_bluez_adapter(k->bluez, false);
	if (k->label) {
		kernel_channel_free(k->channel);
		k->channel = NULL;
		k->service.now_us = now_us(k);
		link_over(k);
		sync_over(k);
		settle(k);
	}
	if (k->cycling)
		kernel_bluez_power(k->bluez, true);
	k->cycling = false;
}

/* --- bluetoothd ------------------------------------------------------------------------------- */

/** What bluetoothd tells of may follow from what the other sockets have not told yet. */
static void catch_up(struct kernel_label *k)
{
	kernel_hci_catch_up(k->hci);
	if (k->channel)
		kernel_channel_catch_up(k->channel);
	k->service.now_us = now_us(k);
}

static void gatt_read(void *user, enum label_value value, struct buf *out)
{
	struct kernel_label *k = user;

	catch_up(k);
	label_service_read(&k->service, value, out);
}

static uint8_t gatt_write(void *user, enum label_value value, const uint8_t *data, size_t len)
{
	struct kernel_label *k = user;
	uint8_t error;

	catch_up(k);
	error = label_service_write(&k->service, value, data, len);
	settle(k);
	return error;
}

static bool gatt_absent(void *user, enum label_value value)
{
	return label_service_absent(&((struct kernel_label *) user)->service, value);
}

/* --- life ------------------------------------------------------------------------------------- */

int kernel_label_new(struct loop *loop, const struct kernel_label_config *cfg,
		     struct kernel_label **ret)
{
	static const struct kernel_hci_callbacks hci_cb = {hci_up, hci_down, hci_event};
	static const struct kernel_bluez_callbacks bluez_cb = {gatt_read, gatt_write, gatt_absent};
	int adapter = hci_raw_adapter(cfg->adapter), r;
	struct kernel_label *k;

	if (adapter < 0)
		return adapter;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->loop = loop;
	k->cfg = *cfg;
	k->listened = NO_GROUP;
	r = loop_timer_new(loop, on_tick, k, &k->tick);
	if (r == 0)
		r = loop_timer_new(loop, on_end, k, &k->end);
	if (r == 0)
		r = loop_timer_new(loop, on_look, k, &k->look);
	if (r == 0)
		r = kernel_bluez_new(loop, cfg->adapter, &bluez_cb, k, &k->bluez);
	if (r == 0)
		r = kernel_hci_new(loop, (uint16_t) adapter, &hci_cb, k, &k->hci);
	if (r < 0) {
		kernel_label_free(k);
		return r;
	}
	kernel_bluez_power(k->bluez, true);
	*ret = k;
	return 0;
}

void kernel_label_free(struct kernel_label *k)
{
	if (!k)
		return;
	sim_truth_free(k->truth);
	kernel_channel_free(k->channel);
	kernel_hci_free(k->hci);
	kernel_bluez_free(k->bluez);
	loop_timer_free(k->tick);
	loop_timer_free(k->end);
	loop_timer_free(k->look);
	if (k->label)
		label_service_done(&k->service);
	label_bond_drop_kept(&k->bond);
	sim_label_free(k->label);
	sim_world_free(k->world);
	free(k);
}
