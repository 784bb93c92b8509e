/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's advertising: sets by the extended commands, or the one of the older commands, not both
 * (Core Specification 5.4, Vol 4 Part E 3.1.1). */
#include "sim/guest_impl.h"

#include <string.h>

#define LEGACY_DATA_MAX      31
#define REPORT_DATA_MAX      229 /* of one report; the rest comes in another */
#define REPORT_MORE          0x0020
#define INTERVAL_UNIT_US     625
#define INTERVAL_LEAST       0x20
#define LEGACY_INTERVAL_MOST 0x4000
#define DURATION_UNIT_US     (10 * US_PER_MS)
#define LONGEST_US           (10 * US_PER_SEC)    /* an interval counts for no more, */
#define SHORTEST_US          (2 * ADVERT_TICK_US) /* and for no less */
#define PROPERTY_DIRECTED    0x0004
#define PROPERTY_HASTY       0x0008 /* directed, with a high duty cycle */
#define PROPERTIES_KIND      0x001f
#define HANDLE_MOST          0xef
#define HCI_ERR_TIMED_OUT    0x3c

#define OWN_RANDOM(type) ((type) &1)

enum data_operation {
	DATA_MIDDLE,
	DATA_FIRST,
	DATA_LAST,
	DATA_COMPLETE,
	DATA_UNCHANGED
};

/* --- sets ------------------------------------------------------------------------------------- */

static struct guest_set *set_at(struct sim_guest *g, size_t i)
{
	return i < GUEST_SETS ? &g->sets[i] : &g->legacy;
}

static struct guest_set *set_find(struct sim_guest *g, uint8_t handle, struct hci_reply *ret)
{
	for (size_t i = 0; i < GUEST_SETS; i++)
		if (g->sets[i].used && g->sets[i].handle == handle)
			return &g->sets[i];
	ret->status = HCI_ERR_UNKNOWN_ADVERTISER;
	return NULL;
}

/** One family of commands shuts the other out, until a reset. */
static bool family(struct sim_guest *g, bool legacy, struct hci_reply *ret)
{
	bool other = !legacy && g->legacy.used;

	for (size_t i = 0; legacy && i < GUEST_SETS; i++)
		other |= g->sets[i].used;
	if (other)
		ret->status = HCI_ERR_COMMAND_DISALLOWED;
	else if (legacy)
		g->legacy.used = true;
	return !other;
}

/** Into the list of those that advertise, or out of it; how often goes by the fastest set. */
static void follow(struct sim_guest *g)
{
	struct radio_station_list *list = &g->station.radio->advertising;
	int64_t fastest_us = LONGEST_US;
	bool any = false;

	for (size_t i = 0; i <= GUEST_SETS; i++) {
		const struct guest_set *s = set_at(g, i);

		any |= s->enabled;
		if (s->enabled)
			fastest_us = MIN(fastest_us, s->interval_us);
	}
	g->station.advert_interval_us = MAX(fastest_us, SHORTEST_US);
	g->station.advert_due_us = 0;
	if (any != g->advertising) {
		if (any)
			TAILQ_INSERT_TAIL(list, &g->station, place);
		else
			TAILQ_REMOVE(list, &g->station, place);
		g->advertising = any;
	}
	if (any)
		radio_adverts_wake(g->station.radio->links);
}

static void set_enable(struct guest_set *s, bool on, int64_t duration_us)
{
	s->enabled = on;
	loop_timer_stop(s->ends);
	if (on && duration_us > 0)
		loop_timer_start(s->ends, duration_us);
}

void guest_set_terminated(struct guest_set *s, uint8_t status, uint16_t conn_handle)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, status);
	buf_put_u8(&b, s->handle);
	buf_put_u16le(&b, conn_handle);
	buf_put_u8(&b, 0); /* events were not counted */
	guest_le_event(s->guest, HCI_LE_ADV_SET_TERMINATED, &b);
}

static void set_ends(void *user)
{
	struct guest_set *s = user;

	s->enabled = false;
	follow(s->guest);
	guest_set_terminated(s, HCI_ERR_TIMED_OUT, 0);
}

struct guest_set *guest_adverts_take(struct sim_guest *g)
{
	for (size_t i = 0; i <= GUEST_SETS; i++) {
		struct guest_set *s = set_at(g, i);

		if (!s->enabled || !(s->properties & HCI_ADV_CONNECTABLE))
			continue;
		set_enable(s, false, 0);
		follow(g);
		return s;
	}
	return NULL;
}

/* --- as the access point meets it ------------------------------------------------------------- */

/** A set has its own; that of the older commands has the controller's. */
static const uint8_t *random_of(const struct guest_set *s)
{
	const struct sim_guest *g = s->guest;

	if (s == &g->legacy)
		return g->has_random ? g->random : NULL;
	return s->has_random ? s->random : NULL;
}

static bool same(const uint8_t *addr, const uint8_t *packet_order)
{
	for (size_t i = 0; i < HCI_ADDR_BYTES; i++)
		if (addr[i] != packet_order[HCI_ADDR_BYTES - 1 - i])
			return false;
	return true;
}

bool guest_is(const struct radio_station *station, const uint8_t addr[7])
{
	struct sim_guest *g = guest_of(station);
	uint8_t public[HCI_ADDR_BYTES];

	sim_guest_address(g, public);
	if (addr[0] == 0)
		return memcmp(addr + 1, public, sizeof(public)) == 0;
	for (size_t i = 0; i <= GUEST_SETS; i++) {
		const uint8_t *random = random_of(set_at(g, i));

		if (random && same(addr + 1, random))
			return true;
	}
	return false;
}

bool guest_connectable(const struct radio_station *station)
{
	struct sim_guest *g = guest_of(station);

	for (size_t i = 0; i <= GUEST_SETS; i++)
		if (set_at(g, i)->enabled && (set_at(g, i)->properties & HCI_ADV_CONNECTABLE))
			return true;
	return false;
}

/** One advertisement, or the answer to who asks for more; in parts if it is long. */
static void put_reports(struct hci_adv_report *r, const struct guest_text *text, struct buf *events)
{
	uint16_t type = r->type;
	size_t at = 0;

	do {
		size_t n = MIN((size_t) text->len - at, (size_t) REPORT_DATA_MAX);

		r->type = type | (at + n < text->len ? REPORT_MORE : 0);
		r->data = text->data + at;
		r->len = (uint8_t) n;
		ignore_result(hci_put_adv_report(events, r));
		at += n;
	} while (at < text->len);
	r->type = type;
}

static void set_advertise(struct guest_set *s, bool ask, int8_t rssi, struct buf *events)
{
	struct hci_adv_report r = {
		.type = s->properties & (HCI_ADV_CONNECTABLE | HCI_ADV_SCANNABLE | HCI_ADV_LEGACY),
		.extended = !(s->properties & HCI_ADV_LEGACY),
		.sid = s->sid,
		.addr_type = OWN_RANDOM(s->own_type),
		.rssi = rssi};
	uint8_t addr[HCI_ADDR_BYTES];

	sim_guest_address(s->guest, addr);
	for (size_t i = 0; i < HCI_ADDR_BYTES; i++)
		r.addr[i] =
			OWN_RANDOM(s->own_type) ? random_of(s)[i] : addr[HCI_ADDR_BYTES - 1 - i];
	put_reports(&r, &s->data, events);
	r.type |= HCI_ADV_SCAN_RESPONSE;
	if (ask && (s->properties & HCI_ADV_SCANNABLE))
		put_reports(&r, &s->response, events);
}

void guest_advertise(struct radio_station *station, bool ask, int8_t rssi, struct buf *events)
{
	struct sim_guest *g = guest_of(station);

	for (size_t i = 0; i <= GUEST_SETS; i++)
		if (set_at(g, i)->enabled)
			set_advertise(set_at(g, i), ask, rssi, events);
}

/* --- the older commands ----------------------------------------------------------------------- */

void guest_cmd_random_address(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	uint8_t addr[HCI_ADDR_BYTES];

	wire_copy(w, addr, sizeof(addr));
	if (g->legacy.enabled)
		ret->status = HCI_ERR_COMMAND_DISALLOWED;
	if (!wire_ok(w) || ret->status)
		return;
	memcpy(g->random, addr, sizeof(addr));
	g->has_random = true;
}

void guest_cmd_adv_params(void *guest, struct wire *w, struct hci_reply *ret)
{
	/* connectable, directed, scannable, neither, directed: as properties of a set */
	static const uint16_t properties[] = {0x13, 0x1d, 0x12, 0x10, 0x15};
	struct sim_guest *g = guest;
	uint16_t least = wire_get_u16le(w), most = wire_get_u16le(w);
	uint8_t type = wire_get_u8(w), own_type = wire_get_u8(w);

	wire_skip(w, 1 + HCI_ADDR_BYTES + 2); /* whom to, channels, who may */
	if (!wire_ok(w) || !family(g, true, ret))
		return;
	if (g->legacy.enabled)
		ret->status = HCI_ERR_COMMAND_DISALLOWED;
	else if (type >= ARRAY_SIZE(properties) || least < INTERVAL_LEAST || least > most ||
		 most > LEGACY_INTERVAL_MOST || own_type > 3)
		ret->status = HCI_ERR_INVALID_PARAMETERS;
	else if (properties[type] & PROPERTY_DIRECTED)
		ret->status = HCI_ERR_UNSUPPORTED;
	if (ret->status)
		return;
	g->legacy.properties = properties[type];
	g->legacy.own_type = own_type;
	g->legacy.interval_us = (int64_t) most * INTERVAL_UNIT_US;
}

static void legacy_text(struct sim_guest *g, struct guest_text *to, struct wire *w,
			struct hci_reply *ret)
{
	uint8_t len = wire_get_u8(w);
	const uint8_t *data = wire_get_bytes(w, LEGACY_DATA_MAX);

	if (!data || !family(g, true, ret))
		return;
	if (len > LEGACY_DATA_MAX) {
		ret->status = HCI_ERR_INVALID_PARAMETERS;
		return;
	}
	to->len = len;
	memcpy(to->data, data, len);
}

void guest_cmd_adv_data(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;

	legacy_text(g, &g->legacy.data, w, ret);
}

void guest_cmd_scan_response(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;

	legacy_text(g, &g->legacy.response, w, ret);
}

/** A random address that was never set cannot be used. */
static bool may_enable(const struct guest_set *s, struct hci_reply *ret)
{
	if (OWN_RANDOM(s->own_type) && !random_of(s))
		ret->status = HCI_ERR_INVALID_PARAMETERS;
	return ret->status == HCI_OK;
}

void guest_cmd_adv_enable(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	uint8_t on = wire_get_u8(w);

	if (!wire_ok(w) || !family(g, true, ret))
		return;
	if (on > 1)
		ret->status = HCI_ERR_INVALID_PARAMETERS;
	else if (!on || may_enable(&g->legacy, ret))
		set_enable(&g->legacy, on, 0);
	follow(g);
}

/* --- the extended commands -------------------------------------------------------------------- */

void guest_cmd_number_of_sets(void *guest, struct wire *w, struct hci_reply *ret)
{
	(void) guest;
	(void) w;
	reply_u8(ret, GUEST_SETS);
}

void guest_cmd_set_random_address(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct hci_random_address p;
	struct guest_set *s;

	hci_get_adv_random_address(w, &p);
	s = wire_ok(w) ? set_find(guest, p.handle, ret) : NULL;
	if (!s)
		return;
	if (s->enabled && (s->properties & HCI_ADV_CONNECTABLE)) {
		ret->status = HCI_ERR_COMMAND_DISALLOWED;
		return;
	}
	memcpy(s->random, p.addr, sizeof(s->random));
	s->has_random = true;
}

static struct guest_set *set_make(struct sim_guest *g, uint8_t handle, struct hci_reply *ret)
{
	for (size_t i = 0; i < GUEST_SETS; i++)
		if (g->sets[i].used && g->sets[i].handle == handle)
			return &g->sets[i];
	for (size_t i = 0; i < GUEST_SETS; i++)
		if (!g->sets[i].used)
			return &g->sets[i];
	ret->status = HCI_ERR_MEMORY;
	return NULL;
}

/** Packets of the older form are of five kinds; of the newer form none is both connectable and
 * scannable, and none in haste (Vol 4 Part E 7.8.53). */
static bool properties_fit(uint16_t properties)
{
	uint16_t kind = properties & PROPERTIES_KIND;

	if (properties & HCI_ADV_LEGACY)
		return kind == 0x13 || kind == 0x15 || kind == 0x1d || kind == 0x12 || kind == 0x10;
	return (kind & (HCI_ADV_CONNECTABLE | HCI_ADV_SCANNABLE)) !=
		       (HCI_ADV_CONNECTABLE | HCI_ADV_SCANNABLE) &&
	       !(kind & PROPERTY_HASTY);
}

void guest_cmd_ext_adv_params(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	struct hci_ext_adv_params p;
	struct guest_set *s;

	hci_get_ext_adv_params(w, &p);
	reply_u8(ret, (uint8_t) (p.tx_power == 127 ? 8 : p.tx_power));
	if (!wire_ok(w) || !family(g, false, ret))
		return;
	s = set_make(g, p.handle, ret);
	if (!s)
		return;
	if (s->enabled)
		ret->status = HCI_ERR_COMMAND_DISALLOWED;
	else if (p.handle > HANDLE_MOST || p.interval_min < INTERVAL_LEAST ||
		 p.interval_max < p.interval_min || p.own_addr_type > 3 || p.sid > 0x0f ||
		 !properties_fit(p.properties))
		ret->status = HCI_ERR_INVALID_PARAMETERS;
	else if (p.properties & PROPERTY_DIRECTED)
		ret->status = HCI_ERR_UNSUPPORTED;
	if (ret->status)
		return;
	s->used = true;
	s->handle = p.handle;
	s->properties = p.properties;
	s->own_type = p.own_addr_type;
	s->sid = p.sid;
	s->interval_us = (int64_t) p.interval_max * INTERVAL_UNIT_US;
}

/** What a set takes of this piece of a text (Vol 4 Part E 7.8.54, 7.8.55). */
static uint8_t piece_status(const struct guest_set *s, const struct hci_adv_data *p, bool response,
			    size_t have)
{
	bool legacy = s->properties & HCI_ADV_LEGACY;

	if (p->operation == DATA_UNCHANGED)
		return response || legacy || !s->enabled || have == 0 ? HCI_ERR_INVALID_PARAMETERS
								      : HCI_OK;
	if (p->operation > DATA_UNCHANGED || (p->operation != DATA_COMPLETE && p->len == 0) ||
	    (legacy && (p->operation != DATA_COMPLETE || p->len > LEGACY_DATA_MAX)))
		return HCI_ERR_INVALID_PARAMETERS;
	if (s->enabled && p->operation != DATA_COMPLETE)
		return HCI_ERR_COMMAND_DISALLOWED;
	if (p->operation == DATA_FIRST || p->operation == DATA_COMPLETE)
		have = 0;
	return have + p->len > GUEST_DATA_MAX ? HCI_ERR_MEMORY : HCI_OK;
}

static void ext_text(struct sim_guest *g, struct wire *w, bool response, struct hci_reply *ret)
{
	struct guest_text *to;
	struct hci_adv_data p;
	struct guest_set *s;

	hci_get_ext_adv_data(w, &p);
	s = wire_ok(w) ? set_find(g, p.handle, ret) : NULL;
	if (!s)
		return;
	to = response ? &s->response : &s->data;
	ret->status = piece_status(s, &p, response, to->len);
	if (ret->status || p.operation == DATA_UNCHANGED)
		return;
	if (p.operation == DATA_FIRST || p.operation == DATA_COMPLETE)
		to->len = 0;
	memcpy(to->data + to->len, p.data, p.len);
	to->len = (uint8_t) (to->len + p.len);
}

void guest_cmd_ext_adv_data(void *guest, struct wire *w, struct hci_reply *ret)
{
	ext_text(guest, w, false, ret);
}

void guest_cmd_ext_scan_response(void *guest, struct wire *w, struct hci_reply *ret)
{
	ext_text(guest, w, true, ret);
}

static void disable_all(struct sim_guest *g)
{
	for (size_t i = 0; i < GUEST_SETS; i++)
		set_enable(&g->sets[i], false, 0);
}

/** All of the sets that a command names, or none. */
void guest_cmd_ext_adv_enable(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	uint8_t on = wire_get_u8(w), n = wire_get_u8(w);
	struct guest_set *named[GUEST_SETS];
	uint16_t duration[GUEST_SETS];

	if (!wire_ok(w) || !family(g, false, ret))
		return;
	if (on > 1 || n > GUEST_SETS || (on && n == 0)) {
		ret->status = HCI_ERR_INVALID_PARAMETERS;
		wire_skip(w, wire_left(w));
		return;
	}
	for (uint8_t i = 0; i < n; i++) {
		named[i] = set_find(g, wire_get_u8(w), ret);
		duration[i] = wire_get_u16le(w);
		wire_skip(w, 1); /* no limit by events */
		if (named[i] && on)
			(void) may_enable(named[i], ret);
	}
	if (!wire_ok(w) || ret->status)
		return;
	for (uint8_t i = 0; i < n; i++)
		set_enable(named[i], on, duration[i] * DURATION_UNIT_US);
	if (n == 0)
		disable_all(g);
	follow(g);
}

static void set_forget(struct guest_set *s)
{
	set_enable(s, false, 0);
	*s = (struct guest_set){.guest = s->guest, .handle = s->handle, .ends = s->ends};
}

void guest_cmd_remove_set(void *guest, struct wire *w, struct hci_reply *ret)
{
	uint8_t handle = wire_get_u8(w);
	struct guest_set *s = wire_ok(w) ? set_find(guest, handle, ret) : NULL;

	if (s && s->enabled)
		ret->status = HCI_ERR_COMMAND_DISALLOWED;
	else if (s)
		set_forget(s);
}

void guest_cmd_clear_sets(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;

	(void) w;
	for (size_t i = 0; i < GUEST_SETS; i++)
		if (g->sets[i].enabled)
			ret->status = HCI_ERR_COMMAND_DISALLOWED;
	for (size_t i = 0; ret->status == HCI_OK && i < GUEST_SETS; i++)
		set_forget(&g->sets[i]);
}

/* --- life ------------------------------------------------------------------------------------- */

void guest_adverts_reset(struct sim_guest *g)
{
	for (size_t i = 0; i <= GUEST_SETS; i++)
		set_forget(set_at(g, i));
	g->legacy.interval_us = US_PER_SEC;
	g->legacy.properties = HCI_ADV_CONNECTABLE | HCI_ADV_SCANNABLE | HCI_ADV_LEGACY;
	follow(g);
}

int guest_adverts_new(struct sim_guest *g)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i <= GUEST_SETS; i++) {
		struct guest_set *s = set_at(g, i);

		s->guest = g;
		s->handle = GUEST_LEGACY_SET;
		r = loop_timer_new(g->port.loop, set_ends, s, &s->ends);
	}
	if (r == 0)
		guest_adverts_reset(g);
	return r;
}

void guest_adverts_done(struct sim_guest *g)
{
	for (size_t i = 0; i <= GUEST_SETS; i++)
		loop_timer_free(set_at(g, i)->ends);
}
