/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/le_central_impl.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

/* 15 ms is what labels like: short enough for an upload, long enough for several links at once. */
#define CONN_INTERVAL   12  /* 1.25 ms */
#define CONN_TIMEOUT    200 /* 10 ms */
#define SCAN_INTERVAL   160 /* 0.625 ms */
#define SCAN_WINDOW     80
#define EVENT_BIT(code) (UINT64_C(1) << ((code) -1))
#define DATA_OCTETS     251
#define DATA_TIME_US    2120
#define HEADER_BYTES    L2CAP_HEADER

static void set_scan(struct le_central *c, bool on);

static struct le_central *central_of(struct hci_driver *d)
{
	return (struct le_central *) ((char *) d - offsetof(struct le_central, driver));
}

static void reverse(uint8_t *to, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = from[n - 1 - i];
}

void le_command(struct le_central *c, const struct buf *b, hci_done_fn done, void *user)
{
	if (hci_host_command(c->host, b, done, user) == -ENOMEM)
		hci_host_fail_soon(c->host, -ENOMEM, "The access point is out of memory.");
}

/* --- links ------------------------------------------------------------------------------------ */

static void link_free(struct le_link *l)
{
	buf_done(&l->out);
	buf_done(&l->in);
	*l = (struct le_link){.c = l->c};
}

struct le_link *le_link_in(struct le_central *c, enum link_state state)
{
	struct le_link *first = NULL;

	for (size_t i = 0; i < LE_PLACES; i++)
		if (c->links[i].state == state && (!first || c->links[i].order < first->order))
			first = &c->links[i];
	return first;
}

void le_link_failed(struct le_link *l, int err)
{
	struct le_link was = *l;

	l->out = l->in = BUF_INIT;
	link_free(l);
	buf_done(&was.out);
	buf_done(&was.in);
	was.cb.connected(was.user, err);
}

static void link_ended(struct le_link *l, uint8_t reason)
{
	void (*closed)(void *user, uint8_t reason) = l->cb.closed;
	void *user = l->user;

	link_free(l);
	closed(user, reason);
}

/* --- connecting ------------------------------------------------------------------------------- */

static void on_create_status(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct le_central *c = user;
	struct le_link *l = le_link_in(c, LINK_CONNECTING);

	(void) more;
	(void) len;
	if (status == HCI_OK || !l)
		return;
	loop_timer_stop(c->patience);
	if (le_calls_limited(c, status))
		l->state = LINK_WAITING;
	else
		le_link_failed(l, -ERR_PEER);
	le_next_connection(c);
}

void le_create(struct le_central *c, const struct le_link *l, bool listed, hci_done_fn done)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct hci_create_connection p = {.listed = listed,
					  .own_type = l->how.own_type,
					  .peer_type = l->how.peer_type,
					  .subevent = l->how.subevent,
					  .scan_interval = SCAN_INTERVAL,
					  .scan_window = SCAN_WINDOW,
					  .interval_min = CONN_INTERVAL,
					  .interval_max = CONN_INTERVAL,
					  .timeout = CONN_TIMEOUT};

	p.adv_handle = l->how.subevent == LE_NO_SUBEVENT ? LE_NO_SUBEVENT : l->how.adv_handle;
	if (!listed)
		reverse(p.peer, l->how.peer, HCI_ADDR_BYTES);
	hci_put_create_connection(&b, &p);
	le_command(c, &b, done, c);
}

/** By its own name; who advertises, with all others that are waited for under ours. */
static void create_connection(struct le_central *c, struct le_link *l)
{
	if (!le_calls_begin(c, l))
		le_create(c, l, false, on_create_status);
}

/* Called by another name than the one it bonded with, a label would take us for a stranger. */
static void on_random_set(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct le_central *c = user;
	struct le_link *l = le_link_in(c, LINK_CONNECTING);

	(void) more;
	(void) len;
	c->naming = false;
	set_scan(c, c->scan_wanted);
	if (!l)
		return;
	if (status == HCI_OK && !l->given_up) {
		memcpy(c->random, l->how.own, HCI_ADDR_BYTES);
		c->random_set = true;
		create_connection(c, l);
		return;
	}
	loop_timer_stop(c->patience);
	le_link_failed(l, status == HCI_OK ? -ETIMEDOUT : -ERR_PEER);
	le_next_connection(c);
}

/** A controller takes no other address while it scans. */
static void set_random(struct le_central *c, const struct le_link *l)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint8_t addr[HCI_ADDR_BYTES];

	c->random_set = false;
	c->naming = true;
	set_scan(c, false);
	reverse(addr, l->how.own, HCI_ADDR_BYTES);
	hci_put_set_random_address(&b, addr);
	le_command(c, &b, on_random_set, c);
}

void le_begin_next(struct le_central *c)
{
	struct le_link *l;

	if (!c->up || c->listing || le_link_in(c, LINK_CONNECTING))
		return;
	l = le_calls_next(c);
	if (!l)
		return;
	l->state = LINK_CONNECTING;
	loop_timer_start(c->patience, l->how.timeout_us);
	if (l->how.own_type == 0 ||
	    (c->random_set && memcmp(c->random, l->how.own, HCI_ADDR_BYTES) == 0))
		create_connection(c, l);
	else
		set_random(c, l);
}

void le_next_connection(struct le_central *c)
{
	le_calls_expire(c);
	le_begin_next(c);
}

static void on_impatience(void *user)
{
	struct le_central *c = user;
	struct le_link *l = le_link_in(c, LINK_CONNECTING);

	if (c->listing && !c->cancelling) {
		le_calls_cancel(c);
		return;
	}
	if (!l && !c->listing) { /* somebody waits no longer */
		le_next_connection(c);
		return;
	}
	if (c->listing || l->given_up) { /* not even the end of the attempt is told */
		hci_host_fault(c->host, -ETIMEDOUT, "The radio's controller does not answer.");
		return;
	}
	l->given_up = true;
	loop_timer_start(c->patience, 2 * US_PER_SEC);
	le_cancel_connection(c);
}

/** Longer packets at twice the rate make uploads faster; a controller or label without them goes on
 * as it is. */
static void ask_for_speed(struct le_link *l)
{
	struct hci_data_length p = {
		.handle = l->handle, .octets = DATA_OCTETS, .time_us = DATA_TIME_US};
	_cleanup_buf_ struct buf b = BUF_INIT;

	hci_put_data_length(&b, &p);
	le_command(l->c, &b, NULL, NULL);
	buf_clear(&b);
	if (l->state != LINK_UP) /* the controller went away over the first */
		return;
	hci_put_set_phy(
		&b, &(struct hci_set_phy){.handle = l->handle, .tx = HCI_PHY_2M, .rx = HCI_PHY_2M});
	le_command(l->c, &b, NULL, NULL);
}

static void on_connection(struct le_central *c, const struct hci_connection_complete *e)
{
	struct le_link *l = c->listing ? le_calls_end(c, e) : le_link_in(c, LINK_CONNECTING);
	bool given_up;

	if (!l)
		return;
	loop_timer_stop(c->patience);
	given_up = l->given_up;
	if (e->status != HCI_OK) {
		le_link_failed(l, -ETIMEDOUT);
		le_next_connection(c);
		return;
	}
	l->state = LINK_UP;
	l->handle = e->handle;
	if (given_up) { /* it came about after all, too late */
		l->cb.connected(l->user, -ETIMEDOUT);
		l->cb = (struct le_link_callbacks){.connected = NULL};
		le_link_close(l);
	} else {
		ask_for_speed(l);
		if (l->state == LINK_UP)
			l->cb.connected(l->user, 0);
	}
	le_next_connection(c);
}

int le_central_connect(struct le_central *c, const struct le_connect *how,
		       const struct le_link_callbacks *cb, void *user, struct le_link **ret)
{
	struct le_link *l = NULL;

	if (!c->up)
		return -ERR_STATE;
	for (size_t i = 0; i < LE_PLACES; i++) {
		struct le_link *o = &c->links[i];

		if (o->state != LINK_FREE && !memcmp(o->how.peer, how->peer, HCI_ADDR_BYTES))
			return -EEXIST;
		if (o->state == LINK_FREE && !l)
			l = o;
	}
	if (!l)
		return -EBUSY;
	l->state = LINK_WAITING;
	l->how = *how;
	l->cb = *cb;
	l->user = user;
	l->order = ++c->orders;
	l->left_us = how->timeout_us;
	*ret = l;
	le_calls_make_way(c, l);
	le_begin_next(c);
	return 0;
}

void le_link_close(struct le_link *l)
{
	struct le_central *c = l->c;
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (l->state == LINK_WAITING) {
		l->given_up = true; /* told when the controller is free */
		if (!c->cancelling && !le_link_in(c, LINK_CONNECTING))
			loop_timer_start(c->patience, 0);
	} else if (l->state == LINK_CONNECTING && !l->given_up) {
		loop_timer_start(c->patience, 0);
	} else if (l->state == LINK_UP) {
		l->state = LINK_CLOSING;
		buf_clear(&l->out);
		l->out_begun = false;
		hci_put_disconnect(&b, &(struct hci_disconnect){.handle = l->handle,
								.reason = HCI_ERR_REMOTE_ENDED});
		le_command(c, &b, NULL, NULL);
	}
}

/* --- events ----------------------------------------------------------------------------------- */

static void on_disconnection(struct le_central *c, const struct hci_disconnection *e)
{
	struct le_link *l = le_link_by_handle(c, e->handle);

	if (!l || e->status != HCI_OK)
		return;
	c->in_flight -= MIN(c->in_flight, l->in_flight);
	if (l->cb.closed)
		link_ended(l, e->reason);
	else
		link_free(l);
	le_data_pump(c);
	le_next_connection(c); /* one more may be listened for */
}

static void on_encryption(struct le_central *c, const struct hci_encryption_change *e)
{
	struct le_link *l = le_link_by_handle(c, e->handle);
	bool key = e->status == HCI_ERR_PIN_MISSING || e->status == HCI_ERR_AUTHENTICATION ||
		   e->status == HCI_ERR_MIC;

	if (l && l->state == LINK_UP)
		l->cb.encrypted(l->user, e->status == HCI_OK && e->enabled ? 0
					 : key                             ? -ERR_CRYPTO
									   : -ERR_PEER);
}

static void on_adverts(struct le_central *c, struct wire *w)
{
	size_t n = hci_get_adv_reports(w);

	while (n-- && wire_ok(w)) {
		struct hci_adv_report r;

		hci_get_adv_report(w, &r);
		if (wire_ok(w) && c->scan_wanted)
			c->cb.advert(c->user, &r);
	}
}

static int on_le_event(struct le_central *c, struct wire *w)
{
	struct hci_connection_complete complete;

	switch (hci_get_le_event(w)) {
	case HCI_LE_ENHANCED_CONNECTION_COMPLETE:
		hci_get_connection_complete(w, false, &complete);
		break;
	case HCI_LE_ENHANCED_CONNECTION_COMPLETE_V2:
		hci_get_connection_complete(w, true, &complete);
		break;
	case HCI_LE_EXT_ADV_REPORT:
		on_adverts(c, w);
		return wire_finish(w);
	default:
		return 0;
	}
	if (wire_finish(w) < 0)
		return -ERR_BADMSG;
	on_connection(c, &complete);
	return 0;
}

static void on_acl(struct hci_driver *d, const struct hci_acl *a)
{
	le_data_in(central_of(d), a);
}

static int on_event(struct hci_driver *d, uint8_t code, struct wire *w)
{
	struct le_central *c = central_of(d);
	struct hci_disconnection gone;
	struct hci_encryption_change change;

	switch (code) {
	case HCI_EVT_LE_META:
		return on_le_event(c, w);
	case HCI_EVT_COMPLETED_PACKETS:
		le_data_sent(c, w);
		return wire_finish(w);
	case HCI_EVT_DISCONNECTION_COMPLETE:
		hci_get_disconnection(w, &gone);
		if (wire_finish(w) < 0)
			return -ERR_BADMSG;
		on_disconnection(c, &gone);
		return 0;
	case HCI_EVT_ENCRYPTION_CHANGE:
		hci_get_encryption_change(w, &change);
		if (wire_finish(w) < 0)
			return -ERR_BADMSG;
		on_encryption(c, &change);
		return 0;
	case HCI_EVT_ENCRYPTION_REFRESH: /* status and handle: an encrypted link got a new key */
		change = (struct hci_encryption_change){.status = wire_get_u8(w), .enabled = true};
		change.handle = wire_get_u16le(w);
		if (wire_finish(w) < 0)
			return -ERR_BADMSG;
		on_encryption(c, &change);
		return 0;
	default:
		return 0;
	}
}

int le_link_encrypt(struct le_link *l, const uint8_t ltk[HCI_KEY_BYTES])
{
	struct hci_enable_encryption p = {.handle = l->handle};
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r;

	if (l->state != LINK_UP)
		return -ERR_STATE;
	reverse(p.ltk, ltk, HCI_KEY_BYTES);
	hci_put_enable_encryption(&b, &p);
	r = hci_host_command(l->c->host, &b, NULL, NULL);
	explicit_bzero(&p, sizeof(p));
	return r;
}

/* The answer names the link, which may be gone by now. */
static void on_transferred(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct le_central *c = user;
	struct le_link *l =
		len >= 2 ? le_link_by_handle(c, (uint16_t) (more[0] | more[1] << 8)) : NULL;
	hci_done_fn done = l ? l->synced : NULL;

	if (!done)
		return;
	l->synced = NULL;
	done(l->synced_user, status, more, len);
}

int le_link_transfer_sync(struct le_link *l, uint8_t adv_handle, hci_done_fn done, void *user)
{
	struct hci_set_info_transfer p = {.handle = l->handle, .adv_handle = adv_handle};
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (l->state != LINK_UP)
		return -ERR_STATE;
	l->synced = done;
	l->synced_user = user;
	hci_put_set_info_transfer(&b, &p);
	return hci_host_command(l->c->host, &b, on_transferred, l->c);
}

/* --- scanning --------------------------------------------------------------------------------- */

static void set_scan(struct le_central *c, bool on)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!c->up || c->scanning == on)
		return;
	c->scanning = on;
	hci_put_ext_scan_enable(&b, &(struct hci_scan_enable){.enable = on});
	le_command(c, &b, NULL, NULL);
}

void le_central_scan(struct le_central *c, bool on)
{
	c->scan_wanted = on;
	if (!c->naming)
		set_scan(c, on);
}

/* --- the controller comes and goes ------------------------------------------------------------ */

static void ready(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct le_central *c = user;

	(void) more;
	(void) len;
	if (status != HCI_OK) {
		hci_host_fault(c->host, -ERR_PEER, "The radio's controller cannot scan.");
		return;
	}
	c->up = true;
	set_scan(c, c->scan_wanted);
	if (c->up)
		c->cb.up(c->user);
}

static void on_address(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct le_central *c = user;
	struct hci_ext_scan p = {.interval = SCAN_INTERVAL, .window = SCAN_WINDOW};
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (status != HCI_OK || len < HCI_ADDR_BYTES) {
		hci_host_fault(c->host, -ERR_PEER, "The radio's controller has no address.");
		return;
	}
	reverse(c->address, more, HCI_ADDR_BYTES);
	le_calls_ask(c);
	hci_put_ext_scan_params(&b, &p);
	le_command(c, &b, ready, c);
}

static void on_buffers(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct le_central *c = user;
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (status != HCI_OK || hci_read_buffer_size(more, len, &c->buffers) < 0 ||
	    c->buffers.len < 27 || c->buffers.packets == 0) {
		hci_host_fault(c->host, -ENOTSUP,
			       "The radio's controller has no buffers for data.");
		return;
	}
	hci_put_command(&b, HCI_READ_BD_ADDR, NULL, 0);
	le_command(c, &b, on_address, c);
}

static void host_up(struct hci_driver *d)
{
	struct le_central *c = central_of(d);
	_cleanup_buf_ struct buf b = BUF_INIT;

	c->scanning = c->random_set = c->naming = false;
	le_calls_reset(c);
	c->in_flight = 0;
	hci_put_command(&b, HCI_LE_READ_BUFFER_SIZE, NULL, 0);
	le_command(c, &b, on_buffers, c);
}

static void host_down(struct hci_driver *d, int err, const char *text)
{
	struct le_central *c = central_of(d);

	c->up = c->scanning = false;
	c->in_flight = 0;
	le_calls_reset(c);
	loop_timer_stop(c->patience);
	for (size_t i = 0; i < LE_PLACES; i++) {
		struct le_link *l = &c->links[i];

		if (l->state == LINK_WAITING || l->state == LINK_CONNECTING)
			le_link_failed(l, -ERR_CLOSED);
		else if (l->state != LINK_FREE && l->cb.closed)
			link_ended(l, 0);
		else
			link_free(l);
	}
	c->cb.down(c->user, err, text);
}

static const struct hci_driver_ops driver_ops = {
	.up = host_up,
	.down = host_down,
	.event = on_event,
	.acl = on_acl,
};

int le_central_new(struct loop *loop, struct hci_host *host, const struct le_central_callbacks *cb,
		   void *user, struct le_central **ret)
{
	struct le_central *c = calloc(1, sizeof(*c));
	int e;

	if (!c)
		return -ENOMEM;
	c->loop = loop;
	c->cb = *cb;
	c->user = user;
	c->links_max = c->links_able = LE_LINKS_MAX;
	for (size_t i = 0; i < LE_PLACES; i++)
		c->links[i].c = c;
	c->driver = (struct hci_driver){.ops = &driver_ops,
					.event_mask = EVENT_BIT(HCI_EVT_DISCONNECTION_COMPLETE) |
						      EVENT_BIT(HCI_EVT_ENCRYPTION_CHANGE) |
						      EVENT_BIT(HCI_EVT_ENCRYPTION_REFRESH),
					.le_event_mask =
						HCI_LE_MASK(HCI_LE_ENHANCED_CONNECTION_COMPLETE) |
						HCI_LE_MASK(HCI_LE_EXT_ADV_REPORT)};
	e = loop_timer_new(loop, on_impatience, c, &c->patience);
	if (e < 0) {
		free(c);
		return e;
	}
	c->host = hci_host_ref(host);
	hci_host_join(host, &c->driver);
	*ret = c;
	return 0;
}

void le_central_free(struct le_central *c)
{
	if (!c)
		return;
	hci_host_leave(c->host, &c->driver);
	hci_host_unref(c->host);
	loop_timer_free(c->patience);
	for (size_t i = 0; i < LE_PLACES; i++)
		link_free(&c->links[i]);
	free(c);
}

bool le_central_is_up(const struct le_central *c)
{
	return c->up;
}

const uint8_t *le_central_address(const struct le_central *c)
{
	return c->address;
}
