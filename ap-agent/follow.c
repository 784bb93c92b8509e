/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/follow.h"
#include "common/err.h"
#include "common/log.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define LOOK_US   (250 * US_PER_MS)
#define BUCKETS   1024u
#define NONE      UINT16_MAX
#define FIRST_CAP 16u /* reads that every passage has room for */

_Static_assert(FIRST_CAP *FOLLOW_TAGS < FOLLOW_READS, "a new passage always finds room");

struct raw {
	int64_t at_us;
	int16_t rssi_cdbm, doppler;
	uint16_t channel, phase, count;
	uint8_t antenna; /**< index into the walk's sources or the door's antennas */
};

_Static_assert(sizeof(struct raw) == 24, "what a held read costs");

/* What was read of a tag that is carried about, and not handed on yet. */
struct walk {
	struct proto_follow wish;
	size_t n_sources;
	struct proto_source sources[PROTO_MAX_ENTRY_SOURCES];
	size_t n;
	int64_t since_us; /**< of the oldest */
	struct raw reads[FOLLOW_CHUNK];
};

/* A passage that is going on: the last reads, in a ring. */
struct passage {
	struct epc epc;
	uint16_t next; /**< in its bucket, or in the free list */
	uint8_t door;  /**< index into the wish; the door's number may change places */
	uint16_t from, n, cap;
	int64_t last_us;
	struct raw *ring;
};

struct follow {
	struct journal *journal;
	const struct clock *clock;
	const struct timebase *tb;
	struct loop_timer *timer;
	struct proto_watch watch;
	struct walk *walks; /**< n_follow of them */
	struct passage *passages;
	uint16_t free, n_passages;
	uint16_t bucket[BUCKETS];
	size_t held; /**< room of all rings, in reads */
	uint64_t seed, dropped;
	struct log_limit limit;
};

static void tell_drops(struct follow *f, size_t reads, const char *why)
{
	unsigned int held;

	f->dropped += reads;
	if (log_limit_pass(&f->limit, clock_mono_us(f->clock), 60 * US_PER_SEC, 1, &held))
		log_warn("follow",
			 "dropped=%llu msg=\"reads of a walk or a door are given up: %s\"",
			 (unsigned long long) f->dropped, why);
}

static void wake(struct follow *f)
{
	if (!loop_timer_active(f->timer))
		loop_timer_start(f->timer, LOOK_US);
}

/* --- into the journal --------------------------------------------------------------------------
 */

static void put_entry(struct follow *f, struct proto_reads_entry *e)
{
	_cleanup_buf_ struct buf body = BUF_INIT;
	int r;

	if (journal_depth(f->journal, JOURNAL_READS) >= FOLLOW_OWED || journal_error(f->journal)) {
		tell_drops(f, e->n, "the controller is away, or the flash is full");
		return;
	}
	e->dropped = f->dropped;
	r = proto_reads_entry_encode(e, &body);
	if (r >= 0)
		r = journal_add(f->journal, JOURNAL_READS, false, body.data, body.len);
	if (r < 0 && r != -ENOSPC)
		tell_drops(f, e->n, err_str(r));
}

static struct proto_read wire_read(const struct raw *raw, int64_t not_before_us)
{
	return (struct proto_read){.source = raw->antenna,
				   .at_us = MAX(raw->at_us, not_before_us),
				   .rssi_cdbm = raw->rssi_cdbm,
				   .channel = raw->channel,
				   .phase = raw->phase,
				   .doppler = raw->doppler,
				   .count = raw->count};
}

static void flush_walk(struct follow *f, struct walk *w)
{
	struct proto_read reads[FOLLOW_CHUNK];
	struct proto_reads_entry e = {.kind = READS_WALK,
				      .subject = w->wish.walk,
				      .epc = w->wish.epc,
				      .n_sources = w->n_sources,
				      .sources = w->sources,
				      .n = w->n,
				      .reads = reads};

	for (size_t i = 0; i < w->n; i++)
		reads[i] = wire_read(&w->reads[i], i ? reads[i - 1].at_us : INT64_MIN);
	if (w->n)
		put_entry(f, &e);
	w->n = 0;
	w->n_sources = 0;
}

/* --- walks -------------------------------------------------------------------------------------
 */

static int walk_source(struct walk *w, const char *reader, uint16_t antenna)
{
	for (size_t i = 0; i < w->n_sources; i++)
		if (w->sources[i].antenna == antenna && strcmp(w->sources[i].reader, reader) == 0)
			return (int) i;
	if (w->n_sources == PROTO_MAX_ENTRY_SOURCES)
		return -ENOSPC;

	struct proto_source *s = &w->sources[w->n_sources];

	*s = (struct proto_source){.antenna = antenna};
	memcpy(s->reader, reader, strnlen(reader, sizeof(s->reader) - 1));
	return (int) w->n_sources++;
}

static struct raw raw_of(const struct rfid_read *r, uint8_t antenna)
{
	return (struct raw){.at_us = r->last_us,
			    .rssi_cdbm = r->rssi_cdbm,
			    .doppler = r->doppler,
			    .channel = r->channel,
			    .phase = r->phase,
			    .count = r->count,
			    .antenna = antenna};
}

static void walk_read(struct follow *f, struct walk *w, const char *reader,
		      const struct rfid_read *read)
{
	int source;

	if (f->tb->known && timebase_now(f->tb) > w->wish.until_us)
		return;
	source = walk_source(w, reader, read->antenna);

	if (source < 0) {
		flush_walk(f, w);
		source = walk_source(w, reader, read->antenna);
	}
	if (w->n == 0)
		w->since_us = clock_mono_us(f->clock);
	w->reads[w->n++] = raw_of(read, (uint8_t) source);
	if (w->n == FOLLOW_CHUNK)
		flush_walk(f, w);
	else
		wake(f);
}

/* --- passages ----------------------------------------------------------------------------------
 */

/* Keyed: whoever writes tags chooses EPCs. */
static size_t bucket_of(const struct follow *f, uint8_t door, const struct epc *epc)
{
	uint64_t h = f->seed ^ door;

	for (size_t i = 0; i < epc_bytes(epc); i++) {
		h = (h ^ epc->data[i]) * UINT64_C(0x9E3779B97F4A7C15);
		h ^= h >> 29;
	}
	return (size_t) (h % BUCKETS);
}

static uint16_t *find_passage(struct follow *f, uint8_t door, const struct epc *epc)
{
	uint16_t *at = &f->bucket[bucket_of(f, door, epc)];

	while (*at != NONE &&
	       (f->passages[*at].door != door || !epc_equal(&f->passages[*at].epc, epc)))
		at = &f->passages[*at].next;
	return at;
}

static void end_passage(struct follow *f, uint16_t *at)
{
	uint16_t i = *at;
	struct passage *p = &f->passages[i];

	*at = p->next;
	f->held -= p->cap;
	free(p->ring);
	*p = (struct passage){.next = f->free};
	f->free = i;
	f->n_passages--;
}

static struct passage *begin_passage(struct follow *f, uint8_t door, const struct epc *epc)
{
	uint16_t i = f->free, *at = &f->bucket[bucket_of(f, door, epc)];
	struct raw *ring;

	if (i == NONE) {
		tell_drops(f, 1, "more tags near the doors than can be told apart");
		return NULL;
	}
	ring = malloc(FIRST_CAP * sizeof(*ring));
	if (!ring) {
		tell_drops(f, 1, "no memory");
		return NULL;
	}
	f->free = f->passages[i].next;
	f->passages[i] = (struct passage){
		.epc = *epc, .next = *at, .door = door, .cap = FIRST_CAP, .ring = ring};
	*at = i;
	f->held += FIRST_CAP;
	f->n_passages++;
	return &f->passages[i];
}

/* Room for one more read, or the oldest has to go. The last FIRST_CAP reads' worth of every passage
 * that may still begin are kept free. */
static void make_room(struct follow *f, struct passage *p)
{
	size_t cap = MIN((size_t) p->cap * 2, (size_t) PROTO_MAX_ENTRY_READS);
	size_t spare = (size_t) (FOLLOW_TAGS - f->n_passages) * FIRST_CAP;
	struct raw *grown;

	if (p->n < p->cap)
		return;
	grown = cap > p->cap && f->held + cap - p->cap + spare <= FOLLOW_READS
			? malloc(cap * sizeof(*grown))
			: NULL;
	if (!grown) {
		p->from = (uint16_t) ((p->from + 1) % p->cap);
		p->n--;
		return;
	}
	for (size_t i = 0; i < p->n; i++)
		grown[i] = p->ring[(p->from + i) % p->cap];
	free(p->ring);
	f->held += cap - p->cap;
	p->ring = grown;
	p->from = 0;
	p->cap = (uint16_t) cap;
}

static void door_read(struct follow *f, uint8_t door, uint8_t antenna, const struct rfid_read *read)
{
	uint16_t *at = find_passage(f, door, &read->epc);
	struct passage *p = *at != NONE ? &f->passages[*at] : begin_passage(f, door, &read->epc);

	if (!p)
		return;
	make_room(f, p);
	p->ring[(p->from + p->n++) % p->cap] = raw_of(read, antenna);
	p->last_us = MAX(p->last_us, read->last_us);
	wake(f);
}

static void tell_passage(struct follow *f, const struct passage *p)
{
	const struct proto_door *d = &f->watch.doors[p->door];
	struct proto_source sources[PROTO_MAX_DOOR_ANTENNAS];
	struct proto_read reads[PROTO_MAX_ENTRY_READS];
	struct proto_reads_entry e = {.kind = READS_PASSAGE,
				      .subject = d->door,
				      .epc = p->epc,
				      .n_sources = d->n,
				      .sources = sources,
				      .n = p->n,
				      .reads = reads};
	size_t side[DOOR_SIDE_COUNT] = {0};

	for (size_t i = 0; i < d->n; i++) {
		sources[i] = (struct proto_source){.antenna = d->antennas[i].antenna};
		memcpy(sources[i].reader, d->antennas[i].reader, sizeof(sources[i].reader));
	}
	for (size_t i = 0; i < p->n; i++) {
		reads[i] = wire_read(&p->ring[(p->from + i) % p->cap],
				     i ? reads[i - 1].at_us : INT64_MIN);
		side[d->antennas[reads[i].source].side]++;
	}
	if (side[DOOR_INNER] >= FOLLOW_SIDE_READS && side[DOOR_OUTER] >= FOLLOW_SIDE_READS)
		put_entry(f, &e);
}

/* --- reads and time ----------------------------------------------------------------------------
 */

void follow_read(struct follow *f, const char *reader, const struct rfid_read *read)
{
	for (size_t i = 0; i < f->watch.n_follow; i++)
		if (epc_equal(&f->walks[i].wish.epc, &read->epc))
			walk_read(f, &f->walks[i], reader, read);
	for (uint8_t d = 0; d < f->watch.n_doors; d++) {
		const struct proto_door *door = &f->watch.doors[d];

		for (uint8_t a = 0; a < door->n; a++)
			if (door->antennas[a].antenna == read->antenna &&
			    strcmp(door->antennas[a].reader, reader) == 0) {
				door_read(f, d, a, read);
				break;
			}
	}
}

/* Ends the passages for which `ended` says so; tells them first if asked. */
static void sweep(struct follow *f, bool tell,
		  bool (*ended)(const struct follow *f, const struct passage *p, const void *arg),
		  const void *arg)
{
	for (size_t b = 0; b < BUCKETS && f->n_passages; b++)
		for (uint16_t *at = &f->bucket[b]; *at != NONE;) {
			if (!ended(f, &f->passages[*at], arg)) {
				at = &f->passages[*at].next;
				continue;
			}
			if (tell)
				tell_passage(f, &f->passages[*at]);
			end_passage(f, at);
		}
}

static bool is_over(const struct follow *f, const struct passage *p, const void *arg)
{
	(void) f;
	return *(const int64_t *) arg - p->last_us >= FOLLOW_SILENCE_US;
}

static bool is_of_reader(const struct follow *f, const struct passage *p, const void *arg)
{
	const struct proto_door *d = &f->watch.doors[p->door];

	for (size_t a = 0; a < d->n; a++)
		if (strcmp(d->antennas[a].reader, arg) == 0)
			return true;
	return false;
}

static bool is_any(const struct follow *f, const struct passage *p, const void *arg)
{
	(void) f;
	(void) p;
	(void) arg;
	return true;
}

void follow_blind(struct follow *f, const char *reader)
{
	sweep(f, false, is_of_reader, reader);
}

static void on_look(void *user)
{
	struct follow *f = user;
	int64_t now_us = clock_mono_us(f->clock);
	bool busy = false;

	for (size_t i = 0; i < f->watch.n_follow; i++) {
		struct walk *w = &f->walks[i];

		if (w->n && now_us - w->since_us >= FOLLOW_FLUSH_US)
			flush_walk(f, w);
		busy = busy || w->n;
	}
	sweep(f, true, is_over, &now_us);
	if (busy || f->n_passages)
		loop_timer_start(f->timer, LOOK_US);
}

/* --- the wish ----------------------------------------------------------------------------------
 */

static bool same_doors(const struct proto_watch *a, const struct proto_watch *b)
{
	if (a->n_doors != b->n_doors)
		return false;
	for (size_t d = 0; d < a->n_doors; d++) {
		const struct proto_door *x = &a->doors[d], *y = &b->doors[d];

		if (x->door != y->door || x->n != y->n)
			return false;
		for (size_t i = 0; i < x->n; i++)
			if (x->antennas[i].antenna != y->antennas[i].antenna ||
			    x->antennas[i].side != y->antennas[i].side ||
			    strcmp(x->antennas[i].reader, y->antennas[i].reader) != 0)
				return false;
	}
	return true;
}

static void want_walks(struct follow *f, const struct proto_watch *w)
{
	struct walk *walks = NULL;

	if (w->n_follow)
		walks = calloc(w->n_follow, sizeof(*walks));
	for (size_t i = 0; i < f->watch.n_follow; i++)
		flush_walk(f, &f->walks[i]);
	for (size_t i = 0; walks && i < w->n_follow; i++)
		walks[i].wish = w->follow[i];
	free(f->walks);
	f->walks = walks;
	f->watch.n_follow = walks ? w->n_follow : 0;
}

void follow_want(struct follow *f, const struct proto_watch *w)
{
	want_walks(f, w);
	if (same_doors(&f->watch, w))
		return;
	sweep(f, false, is_any, NULL);
	f->watch.n_doors = w->n_doors;
	memcpy(f->watch.doors, w->doors, sizeof(f->watch.doors));
}

int follow_new(struct loop *loop, struct journal *journal, const struct timebase *tb,
	       struct follow **ret)
{
	_cleanup_(follow_freep) struct follow *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	f->journal = journal;
	f->tb = tb;
	f->clock = loop_clock(loop);
	f->passages = calloc(FOLLOW_TAGS, sizeof(*f->passages));
	if (!f->passages)
		return -ENOMEM;
	if (getrandom(&f->seed, sizeof(f->seed), 0) != (ssize_t) sizeof(f->seed))
		return -EIO;
	for (size_t b = 0; b < BUCKETS; b++)
		f->bucket[b] = NONE;
	for (uint16_t i = 0; i < FOLLOW_TAGS; i++)
		f->passages[i].next = i + 1u < FOLLOW_TAGS ? (uint16_t) (i + 1) : NONE;
	r = loop_timer_new(loop, on_look, f, &f->timer);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(f);
	return 0;
}

void follow_free(struct follow *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->watch.n_follow; i++)
		flush_walk(f, &f->walks[i]);
	for (size_t i = 0; f->passages && i < FOLLOW_TAGS; i++)
		free(f->passages[i].ring);
	free(f->passages);
	free(f->walks);
	loop_timer_free(f->timer);
	free(f);
}

uint64_t follow_dropped(const struct follow *f)
{
	return f->dropped;
}

size_t follow_open(const struct follow *f, size_t *ret_reads)
{
	if (ret_reads)
		*ret_reads = f->held;
	return f->n_passages;
}
