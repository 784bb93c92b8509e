/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/books/rec_match.h"
#include <errno.h>

#define AT_ONCE 4096 /* sale lines of which the nearest pair is looked for */

/* Units of one sale line that have no item yet, and the free item nearest to it. */
struct unit {
	size_t event;
	int64_t left;
	size_t best;
	int64_t away_us; /* INT64_MAX: there is none within the window */
};

struct matching {
	const struct rec_input *in;
	struct rec_item *const *gone;
	const int64_t *as_of_us;
	size_t n;
	/* The nearest free one at or before (after) each place of the row, as far as is known:
	 * prev[0] and next[n] are the ends. Candidate i stands at prev[i + 1] and next[i]. */
	uint32_t *prev, *next;
	int64_t *taken;
};

/* Follows a chain to its end and shortens it on the way. */
static uint32_t follow(uint32_t *chain, uint32_t i)
{
	uint32_t end = i;

	while (chain[end] != end)
		end = chain[end];
	while (chain[i] != end) {
		uint32_t step = chain[i];

		chain[i] = end;
		i = step;
	}
	return end;
}

/* How many candidates were last seen at or before t. */
static size_t count_until(const struct matching *m, int64_t t)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (rec_item_last(m->gone[mid]) <= t)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void take(struct matching *m, struct unit *u, size_t i)
{
	const struct rec_event *e = &m->in->events[u->event];

	m->gone[i]->reason = REC_SOLD_LIKELY;
	m->gone[i]->sale_ref = e->ref;
	m->gone[i]->event = (uint32_t) u->event;
	m->gone[i]->till_us = e->at_us;
	m->gone[i]->returned = false;
	m->prev[i + 1] = (uint32_t) i;
	m->next[i] = (uint32_t) i + 1;
	m->taken[u->event]++;
	u->left--;
}

/* Finds the free one last seen nearest to the sale, within the window. */
static void look(const struct matching *m, struct unit *u)
{
	int64_t t = m->in->events[u->event].at_us, before = INT64_MAX, after = INT64_MAX;
	size_t at = count_until(m, t);
	uint32_t p = follow(m->prev, (uint32_t) at), q = follow(m->next, (uint32_t) at);

	if (p > 0 && t - rec_item_last(m->gone[p - 1]) <= REC_BEFORE_US)
		before = t - rec_item_last(m->gone[p - 1]);
	if (q < m->n && rec_item_last(m->gone[q]) - t <= REC_AFTER_US)
		after = rec_item_last(m->gone[q]) - t;
	u->best = before <= after ? p - 1 : q;
	u->away_us = MIN(before, after);
}

/* Pairs what is nearest to each other first, so that a sale does not take the item of the next. */
static void take_nearest(struct matching *m, struct unit *units, size_t n)
{
	for (size_t i = 0; i < n; i++)
		look(m, &units[i]);
	for (;;) {
		struct unit *nearest = NULL;
		size_t taken;

		for (size_t i = 0; i < n; i++)
			if (units[i].left > 0 && units[i].away_us < INT64_MAX &&
			    (!nearest || units[i].away_us < nearest->away_us))
				nearest = &units[i];
		if (!nearest)
			return;
		taken = nearest->best;
		take(m, nearest, taken);
		for (size_t i = 0; i < n; i++)
			if (units[i].away_us < INT64_MAX && units[i].best == taken)
				look(m, &units[i]);
	}
}

/* The latest free one that went after the book figure and before the sale. */
static bool take_latest(struct matching *m, struct unit *u)
{
	int64_t t = m->in->events[u->event].at_us;
	uint32_t p = follow(m->prev, (uint32_t) count_until(m, t + REC_AFTER_US));

	while (p > 0 && rec_item_last(m->gone[p - 1]) <= m->as_of_us[p - 1])
		p = follow(m->prev, p - 1);
	if (p == 0)
		return false;
	take(m, u, p - 1);
	return true;
}

/* Sales by GTIN in order of time; a return takes back what was sold last before it. */
static size_t list_units(const struct rec_input *in, int64_t since_us, struct unit *units)
{
	size_t n = 0;

	for (size_t i = 0; i < in->n_events; i++) {
		const struct rec_event *e = &in->events[i];
		int64_t back = e->quantity;

		if (e->key || e->at_us <= since_us)
			continue;
		if (e->kind == REC_SALE)
			units[n++] = (struct unit){.event = i, .left = e->quantity};
		for (size_t k = n; e->kind == REC_RETURN && k-- > 0 && back > 0;) {
			int64_t less = MIN(back, units[k].left);

			units[k].left -= less;
			back -= less;
		}
	}
	return n;
}

static int64_t match(struct matching *m, struct unit *units, size_t n)
{
	const struct rec_input *in = m->in;
	int64_t unmatched = 0;

	for (size_t i = 0; i < n; i += AT_ONCE)
		take_nearest(m, units + i, MIN(n - i, (size_t) AT_ONCE));
	for (size_t i = 0; i < n; i++) {
		bool old = in->now_us - in->events[units[i].event].at_us >= in->grace_us;

		while (old && units[i].left > 0 && take_latest(m, &units[i]))
			continue;
		unmatched += units[i].left;
	}
	return unmatched;
}

int rec_match(const struct rec_input *in, int64_t since_us, struct rec_item *const *gone,
	      const int64_t *as_of_us, size_t n, int64_t *taken, int64_t *ret_unmatched)
{
	struct matching m = {.in = in, .gone = gone, .as_of_us = as_of_us, .n = n, .taken = taken};
	_cleanup_free_ struct unit *units = calloc(in->n_events + 1, sizeof *units);
	_cleanup_free_ uint32_t *prev = calloc(n + 1, sizeof *prev);
	_cleanup_free_ uint32_t *next = calloc(n + 1, sizeof *next);

	if (!units || !prev || !next)
		return -ENOMEM;
	for (size_t i = 0; i <= n; i++)
		prev[i] = next[i] = (uint32_t) i;
	m.prev = prev;
	m.next = next;
	*ret_unmatched = match(&m, units, list_units(in, since_us, units));
	return 0;
}

/* --- returns -----------------------------------------------------------------------------------
 */

static struct rec_item *sold_before(const struct rec_input *in, int64_t at_us)
{
	struct rec_item *best = NULL;

	for (size_t i = 0; i < in->n_items; i++) {
		struct rec_item *it = &in->items[i];

		if (!it->sold || it->till_us > at_us)
			continue;
		if (!best || it->present > best->present ||
		    (it->present == best->present && it->till_us > best->till_us))
			best = it;
	}
	return best;
}

void rec_match_returns(const struct rec_input *in, int64_t since_us)
{
	int64_t open = 0;

	for (size_t i = 0; i < in->n_events; i++) {
		const struct rec_event *e = &in->events[i];
		int64_t back = e->quantity;

		if (e->key || e->at_us <= since_us || e->kind == REC_DELIVERY)
			continue;
		if (e->kind == REC_SALE) {
			open += e->quantity;
			continue;
		}
		for (; back > open; back--) {
			struct rec_item *it = sold_before(in, e->at_us);

			if (!it)
				break;
			it->sold = false;
			it->returned = true;
			it->till_us = e->at_us;
		}
		open -= MIN(back, open);
	}
}
