/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/follow.h"
#include "ap-agent/readers_impl.h"
#include "ap-agent/sighting.h"
#include "common/err.h"
#include "common/log.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TICK_US                (250 * US_PER_MS)
/* Names and texts come from outside: into the log they go escaped. */
#define QUOTED(text)           log_quote(text, (char[PROTO_TEXT_MAX]){0}, PROTO_TEXT_MAX)
/* How often a mark goes to flash: a gap after a kill is at most this longer than the truth. */
#define SAVE_US                (10 * US_PER_SEC)
#define SAVE_SOON_US           (1 * US_PER_SEC) /* after a tag came or went: only that */
/* For a controller that places items by a fitted model: what makes it as good as raw reads would.
 */
#define FINE_STEP_CDBM         300
#define FINE_STEP_US           (500 * US_PER_MS)
#define SOURCE(entry, antenna) ((uint32_t) (entry) << 8 | (antenna))

/* --- sightings -------------------------------------------------------------------------------- */

static void on_sighting(void *user, const struct presence_sighting *s)
{
	struct readers *r = user;
	size_t at = s->source >> 8;
	_cleanup_buf_ struct buf body = BUF_INIT;
	struct sighting_row row = {.antenna = (uint16_t) (s->source & 0xff),
				   .s = {.kind = (uint8_t) s->kind,
					 .epc = *s->epc,
					 .first_us = s->first_us,
					 .last_us = s->last_us,
					 .count = s->count,
					 .rssi_cdbm = s->rssi_cdbm,
					 .peak_cdbm = s->peak_cdbm,
					 .rate_mhz = s->rate_mhz}};

	if (at >= r->n)
		return;
	r->entries[at]->sightings++;
	if (r->seen && s->kind != PRESENCE_REFRESH)
		seen_note(r->seen, r->entries[at]->wish.name, (uint16_t) (s->source & 0xff), s->epc,
			  s->kind == PRESENCE_APPEAR);
	if (r->seen && s->kind != PRESENCE_REFRESH && !r->save_soon) {
		r->save_soon = true;
		loop_timer_start(r->save, SAVE_SOON_US);
	}
	memcpy(row.reader, r->entries[at]->wish.name, sizeof(row.reader));
	if (sighting_encode(&row, &body) < 0) {
		log_error("readers", "msg=\"no memory for a sighting\"");
		return;
	}
	/* The instants become UTC when they are sent; -ENOSPC is counted and told by the journal.
	 */
	(void) journal_add(r->journal, JOURNAL_SIGHTINGS, false, body.data, body.len);
}

static void on_tick(void *user)
{
	struct readers *r = user;

	presence_tick(r->presence, clock_mono_us(r->clock));
	if (presence_pairs(r->presence))
		loop_timer_start(r->tick, TICK_US);
}

static void on_reads(void *user, const struct rfid_read *reads, size_t n)
{
	struct entry *e = user;
	struct readers *r = e->owner;
	int64_t skew = timebase_skew(r->tb);
	size_t index = 0;

	while (index < r->n && r->entries[index] != e)
		index++;
	if (r->listener)
		r->listener(r->listener_user, e->wish.name, reads, n);
	for (size_t i = 0; i < n; i++) {
		struct rfid_read read = reads[i];

		if (read.antenna == 0 || read.antenna > RFID_MAX_ANTENNAS)
			continue;
		read.first_us -= skew;
		read.last_us -= skew;
		e->heard |= 1u << (read.antenna - 1);
		radio_watch_read(&e->watch, read.antenna, read.count, clock_mono_us(r->clock));
		radio_watch_channel(&e->watch, read.channel, read.count, read.rssi_cdbm);
		if (r->follow)
			follow_read(r->follow, e->wish.name, &read);
		if (presence_read(r->presence, SOURCE(index, read.antenna), &read) < 0)
			r->dropped++;
	}
	if (r->dropped) {
		unsigned int held;

		if (log_limit_pass(&r->drop_limit, clock_mono_us(r->clock), 60 * US_PER_SEC, 1,
				   &held))
			log_warn("readers",
				 "reads=%llu msg=\"more tags in view than this access"
				 " point can follow\"",
				 (unsigned long long) r->dropped);
	}
	if (!loop_timer_active(r->tick))
		loop_timer_start(r->tick, TICK_US);
}

/* --- a reader's life -------------------------------------------------------------------------- */

static void set_sight(struct entry *e, size_t index, bool sees)
{
	struct readers *r = e->owner;

	for (uint32_t a = 1; a <= RFID_MAX_ANTENNAS; a++) {
		if (!(e->heard & 1u << (a - 1)))
			continue;
		if (sees)
			presence_resume(r->presence, SOURCE(index, a), clock_mono_us(r->clock));
		else
			presence_suspend(r->presence, SOURCE(index, a));
	}
}

static size_t index_of(const struct entry *e)
{
	size_t i = 0;

	while (i < e->owner->n && e->owner->entries[i] != e)
		i++;
	return i;
}

static void restore_one(void *user, uint16_t antenna, const struct epc *epc)
{
	struct entry *e = user;
	struct readers *r = e->owner;

	if (antenna < 1 || antenna > RFID_MAX_ANTENNAS)
		return;
	e->heard |= 1u << (antenna - 1);
	if (presence_restore(r->presence, SOURCE(index_of(e), antenna), epc,
			     clock_mono_us(r->clock)) < 0)
		r->dropped++;
}

/** What the controller was told to be in view, and is perhaps no more. */
static void restore_seen(struct entry *e)
{
	struct readers *r = e->owner;

	e->restored = true;
	if (seen_each(r->seen, e->wish.name, restore_one, e) < 0)
		log_warn("readers", "msg=\"cannot recall which tags were where\"");
	if (!loop_timer_active(r->tick))
		loop_timer_start(r->tick, TICK_US);
}

static void on_state(void *user, enum rfid_reader_state state, int err, const char *text)
{
	struct entry *e = user;
	struct readers *r = e->owner;
	bool was = e->state == RFID_READER_RUNNING;
	bool is = state == RFID_READER_RUNNING;
	bool first_error = err < 0 && !was && e->error[0] == '\0';

	e->state = state;
	if (err < 0)
		snprintf(e->error, sizeof(e->error), "%s", text ? text : err_str(err));
	else if (is)
		e->error[0] = '\0';
	if (first_error) /* and not again for each try */
		log_write(LOG_WARN, "readers", err,
			  "reader=\"%s\" reason=\"%s\" msg=\"no inventory\"", QUOTED(e->wish.name),
			  QUOTED(e->error));
	if (was == is)
		return;
	set_sight(e, index_of(e), is);
	if (was && r->follow)
		follow_blind(r->follow, e->wish.name);
	radio_watch_running(&e->watch, is, clock_mono_us(r->clock));
	if (is && r->seen && !e->restored)
		restore_seen(e);
	if (is && r->store) /* from now on a kill would cost something */
		loop_timer_start(r->save, 0);
	if (is)
		log_notice("readers", "reader=\"%s\" msg=\"inventory is running\"",
			   QUOTED(e->wish.name));
	else
		log_write(err < 0 ? LOG_WARN : LOG_NOTICE, "readers", err,
			  "reader=\"%s\" reason=\"%s\" msg=\"inventory has ended\"",
			  QUOTED(e->wish.name), QUOTED(e->error));
	if (r->changed)
		r->changed(r->user);
}

static void on_incident(void *user, const char *text)
{
	struct entry *e = user;

	snprintf(e->error, sizeof(e->error), "%s", text);
	log_warn("readers", "reader=\"%s\" incident=\"%s\" msg=\"a reader complains\"",
		 QUOTED(e->wish.name), QUOTED(text));
}

static void entry_start(struct entry *e)
{
	static const struct rfid_reader_callbacks cb = {
		.state = on_state, .reads = on_reads, .incident = on_incident};
	const struct proto_desired_reader *w = &e->wish;
	struct rfid_reader_config cfg = {.name = w->name,
					 .host = w->host,
					 .port = w->port,
					 .n_antennas = w->n_antennas,
					 .session = w->session,
					 .power_cdbm = w->power_cdbm,
					 .profile = w->profile,
					 .version = w->llrp_version,
					 .reader_calls = w->reader_calls,
					 .tls = w->tls,
					 .tls_pin = w->tls_pin,
					 .tls_cert = e->owner->cert,
					 .tls_key = e->owner->key,
					 .heard_until_us = e->heard_until_us};

	memcpy(cfg.antennas, w->antennas, sizeof(cfg.antennas));
	e->error[0] = '\0';
	radio_watch_init(&e->watch, w->antennas, w->n_antennas);
	e->state = RFID_READER_CONNECTING;

	int r = rfid_reader_new(e->owner->loop, &cfg, &cb, e, &e->reader);

	if (r < 0) {
		e->reader = NULL;
		e->state = RFID_READER_IDLE;
		snprintf(e->error, sizeof(e->error), "%s", err_str(r));
		log_write(LOG_ERR, "readers", r, "reader=\"%s\" msg=\"cannot start the reader\"",
			  QUOTED(w->name));
	}
}

static void on_stopped(void *user)
{
	struct entry *e = user;

	e->stopping = false;
	e->restart = e->wanted;
	loop_timer_start(e->owner->reap, 0);
}

static int64_t entry_heard(const struct entry *e)
{
	struct rfid_reader_stats stats;

	if (!e->reader)
		return e->heard_until_us;
	rfid_reader_get_stats(e->reader, &stats);
	return stats.ledger.heard_until_us;
}

static void entry_drop(struct entry *e)
{
	e->heard_until_us = entry_heard(e);
	rfid_reader_free(e->reader);
	e->reader = NULL;
}

static void entry_leave(struct entry *e)
{
	if (!e->reader || e->stopping)
		return;
	e->stopping = true;
	rfid_reader_leave(e->reader, on_stopped, e);
}

static void entry_stop(struct entry *e)
{
	if (!e->reader || e->stopping)
		return;
	e->stopping = true;
	rfid_reader_stop(e->reader, on_stopped, e);
}

static void save_marks(struct readers *r)
{
	struct heard *h = &r->heard;

	if (!r->store)
		return;
	h->n = 0;
	for (size_t i = 0; i < r->n && i < HEARD_MAX; i++)
		heard_put(h, r->entries[i]->wish.name, entry_heard(r->entries[i]));
	/* What a read led to is durable before it counts as heard. */
	if (journal_flush(r->journal) < 0 || heard_save(h, r->store) < 0 ||
	    (r->seen && seen_flush(r->seen) < 0))
		log_debug("readers", "msg=\"cannot keep up to when the readers were heard\"");
}

static void on_reap(void *user)
{
	struct readers *r = user;
	bool busy = false;

	for (size_t i = 0; i < r->n; i++) {
		struct entry *e = r->entries[i];

		if (e->stopping) {
			busy = true;
			continue;
		}
		if (e->reader && (!e->wanted || e->restart)) {
			entry_drop(e);
			e->state = RFID_READER_IDLE;
		}
		if (!e->wanted) /* what it saw last may leave now */
			set_sight(e, i, true);
		if (e->wanted && !e->reader && !r->done)
			entry_start(e);
		e->restart = false;
	}
	if (r->done && !busy) {
		loop_fn done = r->done;

		save_marks(r);
		r->done = NULL;
		done(r->done_user);
	}
}

/* --- up to when each was heard ------------------------------------------------------------------
 */

static void watch_radios(struct readers *r)
{
	struct rfid_reader_stats stats;

	for (size_t i = 0; i < r->n; i++) {
		if (!r->entries[i]->reader)
			continue;
		rfid_reader_get_stats(r->entries[i]->reader, &stats);
		radio_watch_tick(&r->entries[i]->watch, &stats, clock_mono_us(r->clock));
	}
}

static void on_save(void *user)
{
	struct readers *r = user;
	bool only_seen = r->save_soon && clock_mono_us(r->clock) - r->marked_us < SAVE_US;

	r->save_soon = false;
	if (only_seen) {
		if (journal_flush(r->journal) >= 0 && seen_flush(r->seen) < 0)
			log_debug("readers", "msg=\"cannot keep which tags are where\"");
	} else {
		r->marked_us = clock_mono_us(r->clock);
		save_marks(r);
		watch_radios(r);
	}
	loop_timer_start(r->save, SAVE_US);
}

void readers_forget(struct readers *r)
{
	if (r->seen && seen_forget(r->seen) < 0)
		log_warn("readers", "msg=\"cannot forget which tags were where\"");
}

void readers_show(struct readers *r, struct follow *follow)
{
	r->follow = follow;
}

void readers_fine(struct readers *r, bool fine)
{
	presence_set_step(r->presence, fine ? FINE_STEP_CDBM : 0, fine ? FINE_STEP_US : 0);
}

void readers_identify(struct readers *r, const char *cert, const char *key)
{
	r->cert = cert;
	r->key = key;
}

void readers_remember(struct readers *r, struct store *store)
{
	r->store = store;
	heard_load(&r->heard, store);
	if (seen_new(store, &r->seen) < 0)
		log_warn("readers", "msg=\"cannot remember which tags are where\"");
	loop_timer_start(r->save, SAVE_US);
}

/* --- the list --------------------------------------------------------------------------------- */

static struct entry *find(struct readers *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->entries[i]->wish.name, name) == 0)
			return r->entries[i];
	return NULL;
}

static bool same(const struct proto_desired_reader *a, const struct proto_desired_reader *b)
{
	return strcmp(a->host, b->host) == 0 && a->port == b->port && a->session == b->session &&
	       a->power_cdbm == b->power_cdbm && strcmp(a->profile, b->profile) == 0 &&
	       a->llrp_version == b->llrp_version && a->reader_calls == b->reader_calls &&
	       a->tls == b->tls && strcmp(a->tls_pin, b->tls_pin) == 0 &&
	       a->n_antennas == b->n_antennas &&
	       memcmp(a->antennas, b->antennas, a->n_antennas * sizeof(a->antennas[0])) == 0;
}

static void want_one(struct readers *r, const struct proto_desired_reader *wish)
{
	struct entry *e = find(r, wish->name);

	if (!e) {
		e = r->n < READERS_MAX ? calloc(1, sizeof(*e)) : NULL;
		if (!e) {
			log_error("readers", "msg=\"too many readers\"");
			return;
		}
		e->owner = r;
		e->heard_until_us = heard_get(&r->heard, wish->name, clock_real_us(r->clock));
		r->entries[r->n++] = e;
	}

	bool changed = !same(&e->wish, wish);

	e->wish = *wish;
	e->wanted = true;
	if (!e->reader)
		entry_start(e);
	else if (changed)
		entry_stop(e); /* and starts anew from on_reap() */
}

void readers_want(struct readers *r, const struct proto_desired_reader *list, size_t n)
{
	for (size_t i = 0; i < r->n; i++) {
		bool wanted = false;

		for (size_t k = 0; k < n && !wanted; k++)
			wanted = strcmp(list[k].name, r->entries[i]->wish.name) == 0;
		r->entries[i]->wanted = wanted;
		if (!wanted)
			entry_stop(r->entries[i]);
	}
	for (size_t k = 0; k < n; k++)
		want_one(r, &list[k]);
}

int readers_new(struct loop *loop, struct journal *journal, const struct timebase *tb,
		loop_fn changed, void *user, struct readers **ret)
{
	static const struct presence_config defaults;
	_cleanup_(readers_freep) struct readers *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->loop = loop;
	r->clock = loop_clock(loop);
	r->journal = journal;
	r->tb = tb;
	r->changed = changed;
	r->user = user;

	int err = presence_new(&defaults, on_sighting, r, &r->presence);

	if (err >= 0)
		err = loop_timer_new(loop, on_tick, r, &r->tick);
	if (err >= 0)
		err = loop_timer_new(loop, on_reap, r, &r->reap);
	if (err >= 0)
		err = loop_timer_new(loop, on_save, r, &r->save);
	if (err < 0)
		return err;
	*ret = TAKE_PTR(r);
	return 0;
}

void readers_free(struct readers *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		rfid_reader_free(r->entries[i]->reader);
		free(r->entries[i]);
	}
	presence_free(r->presence);
	seen_free(r->seen);
	loop_timer_free(r->save);
	loop_timer_free(r->tick);
	loop_timer_free(r->reap);
	free(r);
}

void readers_stop(struct readers *r, loop_fn done, void *user)
{
	r->done = done;
	r->done_user = user;
	for (size_t i = 0; i < r->n; i++)
		entry_leave(r->entries[i]);
	loop_timer_start(r->reap, 0);
}

void readers_listen(struct readers *r, readers_fn fn, void *user)
{
	r->listener = fn;
	r->listener_user = user;
}

bool readers_running(const struct readers *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->entries[i]->wish.name, name) == 0)
			return r->entries[i]->reader && !r->entries[i]->stopping &&
			       r->entries[i]->state == RFID_READER_RUNNING;
	return false;
}

int readers_access(struct readers *r, const char *name, const struct rfid_access *access,
		   rfid_access_fn fn, void *user)
{
	struct entry *e = find(r, name);

	if (!e || !e->wanted)
		return -ENOENT;
	return e->reader && !e->stopping ? rfid_reader_access(e->reader, access, fn, user)
					 : -ERR_STATE;
}

uint64_t readers_tags_in_view(const struct readers *r)
{
	return presence_tags(r->presence);
}
