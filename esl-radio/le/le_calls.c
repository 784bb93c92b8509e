/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is to be connected. A label that advertises does so about once a second, and a
 * controller that waits for one of them hears all the others in vain: those that are waited for are
 * put on its accept list together, and whoever advertises first is connected. A call through the
 * train takes but a moment, and goes first.
 */
#include "esl-radio/le/le_central_impl.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define LIST_SHORT      8 /* so few are not left alone on the list while others wait */
#define CANCEL_US       (INT64_C(2) * US_PER_SEC)
#define LISTEN_LEAST_US (INT64_C(100) * US_PER_MS)

static bool advertises(const struct le_link *l)
{
	return l->how.subevent == LE_NO_SUBEVENT;
}

/** The controller says one name of ours to all on its list. */
static bool same_name(const struct le_link *a, const struct le_link *b)
{
	return a->how.own_type == b->how.own_type &&
	       (a->how.own_type == 0 || !memcmp(a->how.own, b->how.own, HCI_ADDR_BYTES));
}

static struct hci_accept accept_of(const struct le_link *l)
{
	struct hci_accept a = {.peer_type = l->how.peer_type};

	for (size_t i = 0; i < HCI_ADDR_BYTES; i++)
		a.peer[i] = l->how.peer[HCI_ADDR_BYTES - 1 - i];
	return a;
}

static bool is_peer(const struct le_link *l, const struct hci_accept *a)
{
	struct hci_accept mine = accept_of(l);

	return mine.peer_type == a->peer_type && !memcmp(mine.peer, a->peer, sizeof(a->peer));
}

static bool is_listed(const struct le_central *c, const struct le_link *l)
{
	for (unsigned int i = 0; i < c->n_listed; i++)
		if (is_peer(l, &c->listed[i]))
			return true;
	return false;
}

static struct le_link *waiting_peer(struct le_central *c, const struct hci_accept *a)
{
	for (size_t i = 0; i < LE_PLACES; i++) {
		struct le_link *l = &c->links[i];

		if (l->state == LINK_WAITING && advertises(l) && is_peer(l, a))
			return l;
	}
	return NULL;
}

/* --- the controller's list -------------------------------------------------------------------- */

void le_calls_reset(struct le_central *c)
{
	c->listing = c->cancelling = c->list_doubted = false;
	c->n_listed = c->list_max = 0; /* a reset has emptied it */
	c->links_able = LE_LINKS_MAX;
}

static void on_size(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct le_central *c = user;

	c->list_max = status == HCI_OK && len >= 1 ? MIN(more[0], LE_CALLS_MAX) : 0;
}

void le_calls_ask(struct le_central *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	hci_put_command(&b, HCI_LE_READ_ACCEPT_LIST_SIZE, NULL, 0);
	le_command(c, &b, on_size, c);
}

/* What is on it now is not known: the next list is made from nothing, and is shorter, if it was
 * only that. */
static void on_listed(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct le_central *c = user;

	(void) more;
	(void) len;
	if (status == HCI_OK || c->list_doubted)
		return;
	c->list_doubted = true;
	c->list_max = status == HCI_ERR_MEMORY ? c->list_max / 2 : 0;
	le_calls_cancel(c);
}

static void tell_list(struct le_central *c, bool add, const struct hci_accept *a)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	hci_put_accept(&b, add, a);
	le_command(c, &b, on_listed, c);
}

/** Takes those off that are not waited for any more, or not under this name. */
static void strike_off(struct le_central *c, const struct le_link *as)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (c->list_doubted) {
		c->list_doubted = false;
		c->n_listed = 0;
		hci_put_command(&b, HCI_LE_CLEAR_ACCEPT_LIST, NULL, 0);
		le_command(c, &b, NULL, NULL);
	}
	for (unsigned int i = 0; i < c->n_listed;) {
		const struct le_link *l = waiting_peer(c, &c->listed[i]);

		if (l && same_name(l, as)) {
			i++;
			continue;
		}
		tell_list(c, false, &c->listed[i]);
		c->listed[i] = c->listed[--c->n_listed];
	}
}

/** The one that has waited longest and is not on it. */
static struct le_link *next_to_list(struct le_central *c, const struct le_link *as)
{
	struct le_link *first = NULL;

	for (size_t i = 0; i < LE_PLACES; i++) {
		struct le_link *l = &c->links[i];

		if (l->state == LINK_WAITING && advertises(l) && !l->given_up && same_name(l, as) &&
		    !is_listed(c, l) && (!first || l->order < first->order))
			first = l;
	}
	return first;
}

static void put_on(struct le_central *c, const struct le_link *as)
{
	const struct le_link *l;

	while (c->n_listed < c->list_max && (l = next_to_list(c, as))) {
		c->listed[c->n_listed] = accept_of(l);
		tell_list(c, true, &c->listed[c->n_listed++]);
	}
}

/* --- whose turn it is ------------------------------------------------------------------------- */

void le_calls_expire(struct le_central *c)
{
	for (size_t i = 0; i < LE_PLACES; i++) {
		struct le_link *l = &c->links[i];

		/* One on a list in use may yet be connected. */
		if (l->state == LINK_WAITING && (l->given_up || l->left_us <= 0) &&
		    !(c->listing && advertises(l)))
			le_link_failed(l, -ETIMEDOUT);
	}
}

static unsigned int links_there(const struct le_central *c)
{
	unsigned int n = 0;

	for (size_t i = 0; i < LE_PLACES; i++)
		n += c->links[i].state == LINK_UP || c->links[i].state == LINK_CLOSING;
	return n;
}

unsigned int le_central_calls(struct le_central *c, unsigned int links, unsigned int kept)
{
	c->links_max = MIN(MAX(links, 1u), LE_LINKS_MAX);
	c->links_kept = kept;
	le_begin_next(c);
	return MAX(c->list_max, 1u);
}

struct le_link *le_calls_next(struct le_central *c)
{
	unsigned int links = links_there(c), most = MIN(c->links_max, c->links_able);
	unsigned int most_by_advert = most - MIN(c->links_kept, most - 1);
	struct le_link *best = NULL;

	for (size_t i = 0; i < LE_PLACES; i++) {
		struct le_link *l = &c->links[i];

		if (l->state != LINK_WAITING || l->given_up ||
		    links >= (advertises(l) ? most_by_advert : most))
			continue;
		if (!best || advertises(best) > advertises(l) ||
		    (advertises(best) == advertises(l) && l->order < best->order))
			best = l;
	}
	return best;
}

bool le_calls_limited(struct le_central *c, uint8_t status)
{
	unsigned int links = links_there(c);

	if (status != HCI_ERR_CONNECTION_LIMIT || links == 0)
		return false;
	c->links_able = links;
	return true;
}

/** Nobody is listened for any more; patience is used up by listening alone. */
static void list_over(struct le_central *c)
{
	int64_t took_us = clock_mono_us(loop_clock(c->loop)) - c->listing_since_us;

	c->listing = c->cancelling = false;
	loop_timer_stop(c->patience);
	for (unsigned int i = 0; i < c->n_listed; i++) {
		struct le_link *l = waiting_peer(c, &c->listed[i]);

		if (l)
			l->left_us -= took_us;
	}
}

/** A controller that cannot make use of its list connects to one after the other. */
static void on_list_status(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct le_central *c = user;

	(void) more;
	(void) len;
	if (status == HCI_OK || !c->listing)
		return;
	list_over(c);
	if (!le_calls_limited(c, status))
		c->list_max = 0;
	le_next_connection(c);
}

bool le_calls_begin(struct le_central *c, struct le_link *l)
{
	int64_t left_us = l->how.timeout_us;

	if (!advertises(l) || c->list_max == 0)
		return false;
	l->state = LINK_WAITING; /* as one of many */
	strike_off(c, l);
	put_on(c, l);
	for (unsigned int i = 0; i < c->n_listed; i++)
		left_us = MIN(left_us, waiting_peer(c, &c->listed[i])->left_us);
	c->listing = true;
	c->cancelling = false;
	c->listing_since_us = clock_mono_us(loop_clock(c->loop));
	loop_timer_start(c->patience, MAX(left_us, LISTEN_LEAST_US));
	le_create(c, l, true, on_list_status);
	return true;
}

void le_cancel_connection(struct le_central *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	hci_put_command(&b, HCI_LE_CREATE_CONNECTION_CANCEL, NULL, 0);
	le_command(c, &b, NULL, NULL); /* the end of the attempt is an event of its own */
}

void le_calls_cancel(struct le_central *c)
{
	if (!c->listing || c->cancelling)
		return;
	c->cancelling = true;
	loop_timer_start(c->patience, CANCEL_US);
	le_cancel_connection(c);
}

void le_calls_make_way(struct le_central *c, const struct le_link *l)
{
	if (!advertises(l) || c->n_listed < MIN(c->list_max, LIST_SHORT))
		le_calls_cancel(c);
}

struct le_link *le_calls_end(struct le_central *c, const struct hci_connection_complete *e)
{
	struct hci_accept who = {.peer_type = e->peer_type};
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct le_link *l;

	list_over(c);
	memcpy(who.peer, e->peer, sizeof(who.peer));
	l = e->status == HCI_OK ? waiting_peer(c, &who) : NULL;
	if (l)
		return l;
	if (e->status == HCI_OK) { /* nobody we know */
		hci_put_disconnect(&b, &(struct hci_disconnect){.handle = e->handle,
								.reason = HCI_ERR_REMOTE_ENDED});
		le_command(c, &b, NULL, NULL);
	}
	le_next_connection(c);
	return NULL;
}
