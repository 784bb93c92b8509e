/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/oepl_impl.h"

#include "common/err.h"
#include "sim/shows.h"
#include <errno.h>
#include <string.h>

#define BLOCK_BYTES      4096
#define BLOCK_PARTS      42
#define PART_US          (INT64_C(25) * US_PER_MS) /* 9.5 kB: three blocks in 3.9 s, with their requests */
#define BLOCK_US         (INT64_C(250) * US_PER_MS)
#define GIVES_UP_US      (INT64_C(8) * US_PER_SEC)
#define AIR_RETRY_US     (INT64_C(3) * US_PER_SEC)
#define REDRAW_BW_US     (INT64_C(2) * US_PER_SEC)
#define REDRAW_COLOUR_US (INT64_C(15) * US_PER_SEC)
#define BATTERY_MV       2950
#define AWAKE_S          60

int oepl_tags_init(struct sim_oepl *ap)
{
	double every_s = ap->cfg.sleep_s > ap->cfg.poll_s ? ap->cfg.sleep_s : ap->cfg.poll_s;

	ap->n_tags = ap->cfg.tags;
	ap->tags = calloc(ap->n_tags ? ap->n_tags : 1, sizeof *ap->tags);
	if (!ap->tags)
		return -ENOMEM;
	for (unsigned int i = 0; i < ap->n_tags; i++) {
		struct oepl_tag *t = &ap->tags[i];
		const uint8_t mac[SIM_OEPL_MAC_BYTES] = {0,
							 0,
							 0xe9,
							 0x1a,
							 ap->cfg.index,
							 0,
							 (uint8_t) ((i + 1) >> 8),
							 (uint8_t) (i + 1)};

		memcpy(t->mac, mac, sizeof mac);
		/* A quartz that is a little off, each its own. */
		t->interval_us = (int64_t) (every_s * (0.97 + 0.06 * sim_rng_unit(&ap->rng)) * 1e6);
		t->call_us = oepl_now_us(ap) + (int64_t) (every_s * sim_rng_unit(&ap->rng) * 1e6);
		t->booted = true;
		t->battery_mv = BATTERY_MV;
	}
	return 0;
}

void oepl_tags_done(struct sim_oepl *ap)
{
	for (unsigned int i = 0; ap->tags && i < ap->n_tags; i++) {
		free(ap->tags[i].item.data);
		free(ap->tags[i].frame);
	}
	free(ap->tags);
}

/* --- the access point's side of a call -------------------------------------------------------- */

/** The neighbours hear of it, and that it is not theirs. */
static void tell_peers(struct sim_oepl *ap, const struct oepl_rec *own, bool completed)
{
	for (unsigned int i = 0; i < ap->n_peers; i++) {
		struct sim_oepl *peer = ap->peers[i];
		struct oepl_rec *rec = sim_oepl_is_up(peer) ? oepl_rec_find(peer, own->mac) : NULL;

		if (!rec && sim_oepl_is_up(peer))
			rec = oepl_rec_add(peer, own->mac);
		if (!rec)
			continue;
		rec->external = 1;
		rec->lastseen_s = oepl_now_s(peer);
		rec->nextcheckin_s = own->nextcheckin_s;
		rec->hw_type = own->hw_type;
		rec->version = own->version;
		rec->rssi = own->rssi;
		rec->lqi = own->lqi;
		rec->battery_mv = own->battery_mv;
		rec->wakeup = own->wakeup;
		/* It counts the transfer, but knows nothing of what it was. */
		if (completed) {
			sim_rng_bytes(&peer->rng, rec->md5, sizeof rec->md5);
			rec->updatecount++;
			rec->updatelast_s = oepl_now_s(peer);
		}
		oepl_say_rec(peer, rec);
	}
}

static struct oepl_rec *checked_in(struct sim_oepl *ap, unsigned int i)
{
	struct oepl_tag *t = &ap->tags[i];
	struct oepl_rec *rec = oepl_rec_find(ap, t->mac);
	bool sleeps = ap->cfg.sleep_s > AWAKE_S;

	if (!rec)
		rec = oepl_rec_add(ap, t->mac);
	if (!rec)
		return NULL;
	rec->tag = (int) i;
	rec->lastseen_s = oepl_now_s(ap);
	rec->nextcheckin_s =
		rec->lastseen_s + (sleeps && !rec->n_queue ? (int64_t) ap->cfg.sleep_s : AWAKE_S);
	rec->hw_type = ap->type->id;
	rec->version = ap->type->version;
	rec->rssi = -60 - (int) (i % 25);
	rec->lqi = 180 - (int) (i % 25);
	rec->temperature = 21;
	rec->battery_mv = t->battery_mv;
	rec->wakeup = t->booted ? OEPL_BOOTED : 0;
	if (t->booted && !rec->pending)
		memset(rec->md5, 0, sizeof rec->md5);
	t->booted = false;
	rec->external = 0;
	tell_peers(ap, rec, false);
	return rec;
}

static void completed(struct sim_oepl *ap, struct oepl_rec *rec)
{
	struct oepl_item *first = &rec->queue[0];

	memcpy(rec->md5, first->ver, sizeof rec->md5);
	if (first->kind != OEPL_DATA_CMD) {
		free(rec->kept);
		rec->kept = first->data;
		rec->kept_len = first->len;
		first->data = NULL;
	}
	oepl_queue_drop_first(rec);
	rec->updatecount++;
	rec->updatelast_s = oepl_now_s(ap);
	rec->pending = rec->n_queue;
	rec->wakeup = 0;
	ap->stats.transfers++;
	oepl_say_rec(ap, rec);
	tell_peers(ap, rec, true);
}

/** The radio gave up: what was queued goes, what is told of it stays. */
static void broke(struct sim_oepl *ap, struct oepl_rec *rec)
{
	ap->stats.failed++;
	oepl_queue_clear(rec);
	oepl_say_text(ap, "errMsg", "xfer timeout");
	oepl_say_rec(ap, rec);
}

/* --- the label's side ------------------------------------------------------------------------- */

static int64_t transfer_us(struct sim_oepl *ap, size_t len)
{
	size_t blocks = (len + BLOCK_BYTES - 1) / BLOCK_BYTES, parts = (len + 98) / 99;
	double again = 1 / (1 - (ap->cfg.loss < 0.9 ? ap->cfg.loss : 0.9));

	return (int64_t) (blocks * BLOCK_US * again) + (int64_t) ((double) parts * PART_US * again);
}

static void take_command(struct sim_oepl *ap, struct oepl_tag *t, const struct oepl_item *item)
{
	if (item->len < 12)
		return;
	/* mode and duration, colour, count and speed, delay; repeats in the eleventh byte */
	t->led_colour = item->data[0] & 0x0f ? item->data[1] : 0;
	t->led_until_us = oepl_now_us(ap) + (int64_t) item->data[10] * 1400 * US_PER_MS;
}

static void start_fetch(struct sim_oepl *ap, struct oepl_tag *t, struct oepl_rec *rec)
{
	const struct oepl_item *first = &rec->queue[0];
	int64_t now_us = oepl_now_us(ap), takes_us;

	/* What it has it does not fetch again: its word of it was lost. */
	if (memcmp(t->has, first->ver, sizeof t->has) == 0 && t->unsure) {
		t->unsure = false;
		completed(ap, rec);
		return;
	}
	if (first->kind == OEPL_DATA_CMD) {
		take_command(ap, t, first);
		completed(ap, rec);
		return;
	}
	if (now_us < ap->air_us) {
		t->call_us = now_us + oepl_takes_us(ap, AIR_RETRY_US);
		return; /* another one is being served */
	}
	takes_us = oepl_takes_us(ap, transfer_us(ap, first->len));
	t->item = *first;
	t->item.data = malloc(first->len);
	if (!t->item.data)
		return;
	memcpy(t->item.data, first->data, first->len);
	t->fetching = true;
	t->fetched_us = now_us + MIN(takes_us, GIVES_UP_US * 4);
	ap->air_us = t->fetched_us;
}

static void call(struct sim_oepl *ap, unsigned int i)
{
	struct oepl_tag *t = &ap->tags[i];
	struct oepl_rec *rec;

	t->call_us = oepl_now_us(ap) + t->interval_us;
	if (t->hidden || !sim_oepl_is_up(ap) || sim_rng_chance(&ap->rng, ap->cfg.loss))
		return;
	t->calls++;
	rec = checked_in(ap, i);
	if (!rec)
		return;
	oepl_say_rec(ap, rec);
	/* A lost answer: it sleeps on. */
	if (!rec->n_queue || sim_rng_chance(&ap->rng, ap->cfg.loss))
		return;
	start_fetch(ap, t, rec);
}

static void fetched(struct sim_oepl *ap, unsigned int i)
{
	struct oepl_tag *t = &ap->tags[i];
	struct oepl_rec *rec = oepl_rec_find(ap, t->mac);
	bool there = rec && rec->n_queue && sim_oepl_is_up(ap) &&
		     memcmp(rec->queue[0].ver, t->item.ver, sizeof t->item.ver) == 0;

	t->fetching = false;
	if (!there || ap->breaks) {
		/* Taken back meanwhile, or the radio had enough. */
		free(t->item.data);
		t->item.data = NULL;
		if (there) {
			ap->breaks--;
			broke(ap, rec);
		}
		return;
	}
	memcpy(t->has, t->item.ver, sizeof t->has);
	t->unsure = sim_rng_chance(&ap->rng, ap->cfg.loss);
	if (!t->unsure)
		completed(ap, rec);
	t->drawing = true;
	t->started_us = oepl_now_us(ap);
	t->drawn_us = t->started_us +
		      oepl_takes_us(ap, (ap->type->colours > 2 ? REDRAW_COLOUR_US : REDRAW_BW_US) *
						(int64_t) (90 + sim_rng_below(&ap->rng, 20)) / 100);
	t->call_us = MAX(t->call_us, t->drawn_us + US_PER_SEC);
}

static void drawn(struct sim_oepl *ap, struct oepl_tag *t)
{
	struct buf frame = BUF_INIT;

	t->drawing = false;
	if (oepl_show(ap->type, t->item.kind, t->item.data, t->item.len, &frame) == 0) {
		free(t->frame);
		t->frame = frame.data;
		t->frame_len = frame.len;
		image_hash(t->frame, t->frame_len, t->frame_hash);
		t->shown_at_us = oepl_now_us(ap);
		t->redraws++;
		if (ap->cfg.shows)
			sim_shows_note(ap->cfg.shows, t->mac + 2, t->frame_hash, t->started_us,
				       t->shown_at_us);
	} else {
		buf_done(&frame);
	}
	free(t->item.data);
	t->item.data = NULL;
}

int64_t oepl_tags_run(struct sim_oepl *ap)
{
	int64_t next_us = INT64_MAX;

	for (unsigned int i = 0; i < ap->n_tags; i++) {
		struct oepl_tag *t = &ap->tags[i];
		int64_t now_us = oepl_now_us(ap);

		if (t->gone)
			continue;
		if (t->fetching && now_us >= t->fetched_us)
			fetched(ap, i);
		if (t->drawing && now_us >= t->drawn_us)
			drawn(ap, t);
		if (!t->fetching && !t->drawing && now_us >= t->call_us)
			call(ap, i);
		if (t->led_colour && now_us >= t->led_until_us)
			t->led_colour = 0;
		next_us = MIN(next_us, t->fetching  ? t->fetched_us
				       : t->drawing ? t->drawn_us
						    : t->call_us);
	}
	return next_us;
}

/* --- the truth -------------------------------------------------------------------------------- */

unsigned int sim_oepl_tags(const struct sim_oepl *ap)
{
	return ap->n_tags;
}

void sim_oepl_get(const struct sim_oepl *ap, unsigned int i, struct sim_oepl_view *ret)
{
	const struct oepl_tag *t = &ap->tags[i];

	*ret = (struct sim_oepl_view){.type = ap->type,
				      .gone = t->gone,
				      .frame = t->frame,
				      .frame_len = t->frame_len,
				      .started_us = t->started_us,
				      .shown_at_us = t->shown_at_us,
				      .redrawing = t->drawing,
				      .redraws = t->redraws,
				      .calls = t->calls,
				      .uploads = t->uploads,
				      .battery_mv = t->battery_mv,
				      .led_colour = t->led_colour,
				      .led_until_us = t->led_until_us};
	memcpy(ret->mac, t->mac, sizeof ret->mac);
	memcpy(ret->frame_hash, t->frame_hash, sizeof ret->frame_hash);
}

int sim_oepl_find(const struct sim_oepl *ap, const uint8_t addr[6])
{
	for (unsigned int i = 0; i < ap->n_tags; i++)
		if (!ap->tags[i].gone && memcmp(ap->tags[i].mac + 2, addr, 6) == 0)
			return (int) i;
	return -1;
}

void sim_oepl_restart_tag(struct sim_oepl *ap, unsigned int i)
{
	struct oepl_tag *t = &ap->tags[i];

	/* It shows how it starts, and knows of nothing before. */
	free(t->frame);
	free(t->item.data);
	t->frame = t->item.data = NULL;
	t->frame_len = 0;
	t->fetching = t->drawing = t->unsure = false;
	memset(t->has, 0, sizeof t->has);
	t->booted = true;
	t->call_us = oepl_now_us(ap) + US_PER_SEC;
}

void sim_oepl_hide_tag(struct sim_oepl *ap, unsigned int i, bool hidden)
{
	ap->tags[i].hidden = hidden;
}

int sim_oepl_move_tag(struct sim_oepl *from, unsigned int i, struct sim_oepl *to)
{
	struct oepl_tag *more = realloc(to->tags, (to->n_tags + 1) * sizeof *more);
	struct oepl_tag *t = &from->tags[i];
	struct oepl_rec *rec = oepl_rec_find(from, t->mac);

	if (!more)
		return -ENOMEM;
	to->tags = more;
	free(t->item.data); /* what it was fetching it fetches no more */
	t->item.data = NULL;
	t->fetching = t->drawing = false;
	to->tags[to->n_tags] = *t;
	to->tags[to->n_tags].call_us = oepl_now_us(to) + 5 * US_PER_SEC;
	t->frame = NULL;
	t->gone = true;
	if (rec)
		rec->tag = -1;
	return (int) to->n_tags++;
}

void sim_oepl_befriend(struct sim_oepl *a, struct sim_oepl *b)
{
	a->peers[a->n_peers++ % SIM_OEPL_PEERS] = b;
	b->peers[b->n_peers++ % SIM_OEPL_PEERS] = a;
}

void sim_oepl_set_battery(struct sim_oepl *ap, unsigned int i, uint16_t mv)
{
	ap->tags[i].battery_mv = mv;
}

void sim_oepl_sleep_tag(struct sim_oepl *ap, unsigned int i)
{
	struct oepl_rec *rec = oepl_rec_find(ap, ap->tags[i].mac);

	ap->tags[i].hidden = true;
	if (rec) {
		rec->nextcheckin_s = OEPL_ASLEEP_S;
		oepl_say_rec(ap, rec);
	}
}
