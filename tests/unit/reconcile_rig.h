/* SPDX-License-Identifier: Apache-2.0 */
/** @file One product of a store with all that may be known of it. */
#pragma once

#include "tests/unit/test_common.h"

#include "controller/books/reconcile.h"
#include <string.h>

#define MIN_US (60 * US_PER_SEC)
#define NOON   (INT64_C(1795000000) * US_PER_SEC)
#define AT(m)  (NOON + (m) *MIN_US)

/* One product of a store in which it is 18:00 and goods wait half an hour for their sale. */
struct facts {
	struct rec_book books[4];
	struct rec_event events[16];
	struct rec_item items[16];
	struct rec_input in;
	struct rec_result r;
};

static inline void facts_init(struct facts *f)
{
	memset(f, 0, sizeof *f);
	f->in = (struct rec_input){.now_us = AT(360),
				   .grace_us = 30 * MIN_US,
				   .look_back_us = 86400 * US_PER_SEC,
				   .books = f->books,
				   .events = f->events,
				   .items = f->items};
}

static inline void book(struct facts *f, uint32_t place, int64_t quantity, int minute)
{
	f->books[f->in.n_books] = (struct rec_book){.place = place,
						    .quantity = quantity,
						    .as_of_us = AT(minute),
						    .id = (int64_t) f->in.n_books + 1};
	f->in.n_books++;
}

static inline void event(struct facts *f, enum rec_kind kind, int64_t quantity, int minute,
			 uint64_t key)
{
	f->events[f->in.n_events] = (struct rec_event){.kind = (uint8_t) kind,
						       .quantity = quantity,
						       .at_us = AT(minute),
						       .ref = (int64_t) f->in.n_events + 100,
						       .key = key};
	f->in.n_events++;
}

/* An item that is there, or that was seen last at that minute. */
static inline struct rec_item *item(struct facts *f, uint64_t key, uint32_t place, int gone_at)
{
	struct rec_item *it = &f->items[f->in.n_items++];

	*it = (struct rec_item){.key = key,
				.place = place,
				.present = gone_at < 0,
				.last_us = gone_at < 0 ? f->in.now_us : AT(gone_at)};
	return it;
}

static inline void present(struct facts *f, int n, uint32_t place)
{
	for (int i = 0; i < n; i++)
		item(f, 1000 + f->in.n_items, place, -1);
}

/* So many in the books since noon, and so many there, in the first place. */
static inline void open_store(struct facts *f, int64_t quantity, int there)
{
	facts_init(f);
	book(f, 0, quantity, 0);
	present(f, there, 1);
}

static inline struct rec_item *sold(struct rec_item *it, int minute)
{
	it->sold = it->ever_sold = true;
	it->till_us = AT(minute);
	return it;
}

static inline void run(struct facts *f, enum rec_reason reason, int64_t expected,
		       int64_t difference)
{
	assert_int_equal(reconcile(&f->in, &f->r), 0);
	assert_string_equal(rec_reason_str(f->r.reason), rec_reason_str(reason));
	assert_int_equal(f->r.f.expected, expected);
	assert_int_equal(f->r.f.difference, difference);
}
