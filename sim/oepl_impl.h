/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of the simulated OpenEPaperLink access point: sim/oepl*.c only. */
#pragma once

#include "sim/oepl.h"
#include "sim/rng.h"

#include <jansson.h>

#define OEPL_QUEUE_MAX   8 /* a label */
#define OEPL_DATA_IMAGE1 0x20
#define OEPL_DATA_IMAGE2 0x21
#define OEPL_DATA_IMAGE3 0x22
#define OEPL_DATA_IMAGE4 0x23
#define OEPL_DATA_ZLIB   0x30
#define OEPL_DATA_G5     0x31
#define OEPL_BPP_PACKED2 5
#define OEPL_DATA_CMD    0xaf
#define OEPL_MODE_REMOTE 12
#define OEPL_ASLEEP_S    3216153600
#define OEPL_BOOTED      0xfc

/** Something that waits for a label. */
struct oepl_item {
	uint8_t kind; /* OEPL_DATA_... */
	uint8_t ver[8];
	uint8_t *data;
	size_t len;
};

/** What the access point knows of a label. */
struct oepl_rec {
	uint8_t mac[SIM_OEPL_MAC_BYTES];
	int tag; /* index of the label that it is; -1 = noise */
	uint8_t md5[8];
	int64_t lastseen_s, nextcheckin_s, updatelast_s;
	unsigned int pending; /* as told: may be wrong */
	uint32_t updatecount;
	uint8_t hw_type, wakeup;
	int rssi, lqi, temperature;
	uint16_t battery_mv, version;
	unsigned int content_mode;
	uint8_t external; /* number, from 1, of the access point that serves it; 0 = this one */
	uint8_t rotate, invert;
	char alias[32];
	uint8_t *upload; /* a JPEG to be drawn */
	size_t upload_len;
	uint8_t dither;
	uint8_t *kept; /* what it got last */
	size_t kept_len;
	struct oepl_item queue[OEPL_QUEUE_MAX];
	unsigned int n_queue;
};

struct oepl_tag {
	uint8_t mac[SIM_OEPL_MAC_BYTES];
	int64_t call_us, interval_us;
	bool hidden, booted, gone;
	bool fetching;
	int64_t fetched_us;
	struct oepl_item item; /* being fetched, or drawn */
	bool drawing;
	int64_t drawn_us;
	uint8_t has[8]; /* version of the last thing it fetched */
	bool unsure;    /* its last "transfer complete" may be lost */
	uint8_t *frame;
	size_t frame_len;
	uint8_t frame_hash[IMAGE_HASH_BYTES];
	int64_t started_us, shown_at_us;
	uint64_t redraws, calls, uploads;
	uint16_t battery_mv;
	uint8_t led_colour;
	int64_t led_until_us;
};

struct sim_oepl {
	struct loop *loop;
	const struct clock *clock;
	struct sim_oepl_config cfg;
	const struct sim_oepl_type *type;
	char name[64];
	struct sim_rng rng;
	struct loop_timer *timer;
	struct oepl_tag *tags;
	unsigned int n_tags;
	struct oepl_rec **recs;
	unsigned int n_recs, recs_cap;
	struct {
		struct sim_oepl_listener cb;
		void *user;
	} listeners[SIM_OEPL_LISTENERS];
	int64_t up_since_us, up_again_us; /* up_again_us in the future: it is down */
	int64_t busy_us, fail_us, sys_us, draw_us, air_us;
	unsigned int starve, breaks, reverts;
	int64_t heap, storage;
	bool stamps;
	struct sim_oepl *peers[SIM_OEPL_PEERS];
	unsigned int n_peers;
	struct sim_oepl_stats stats;
};

/** A duration of real ones, here. */
static inline int64_t oepl_takes_us(const struct sim_oepl *ap, int64_t us)
{
	return (int64_t) ((double) us / ap->cfg.speed);
}
static inline int64_t oepl_now_us(const struct sim_oepl *ap)
{
	return clock_mono_us(ap->clock);
}
static inline int64_t oepl_now_s(const struct sim_oepl *ap)
{
	return clock_real_us(ap->clock) / US_PER_SEC;
}

/* oepl.c */
struct oepl_rec *oepl_rec_find(const struct sim_oepl *ap, const uint8_t mac[SIM_OEPL_MAC_BYTES]);
struct oepl_rec *oepl_rec_add(struct sim_oepl *ap, const uint8_t mac[SIM_OEPL_MAC_BYTES]);
void oepl_rec_delete(struct sim_oepl *ap, struct oepl_rec *rec);
void oepl_queue_clear(struct oepl_rec *rec);
/** Takes `data`. False if there is no room. */
bool oepl_queue_put(struct sim_oepl *ap, struct oepl_rec *rec, const struct oepl_item *item);
void oepl_queue_drop_first(struct oepl_rec *rec);
void oepl_say(struct sim_oepl *ap, json_t *message);
void oepl_say_text(struct sim_oepl *ap, const char *key, const char *text);
void oepl_say_rec(struct sim_oepl *ap, const struct oepl_rec *rec);
json_t *oepl_rec_json(const struct oepl_rec *rec);

/* oepl_tags.c */
int oepl_tags_init(struct sim_oepl *ap) _must_check_;
void oepl_tags_done(struct sim_oepl *ap);
/** Whatever is due now; when to look again. */
int64_t oepl_tags_run(struct sim_oepl *ap);

/* oepl_g5.c */
void oepl_g5_pack(const uint8_t *bits, int width, int height, struct buf *out);
/** `ret` has room for height * width / 8 bytes. */
int oepl_g5_unpack(const uint8_t *data, size_t len, int width, int height,
		   uint8_t *ret) _must_check_;

/* oepl_pixels.c */
/** Of the table of the type; its name. */
const char *oepl_colour(const struct sim_oepl_type *t, int i, int rgb[3]);
/** As the access point draws: 0, or -ERR_BADMSG for what is no JPEG it can read. `poor`: only two
 * colours. `ret` is one plane or two, or those compressed. */
int oepl_draw(const struct sim_oepl_type *t, const void *jpeg, size_t len, unsigned int rotate,
	      bool invert, bool poor, struct buf *ret, uint8_t *ret_kind) _must_check_;
/** As the panel shows it, in the serial form of common/image.h. */
int oepl_show(const struct sim_oepl_type *t, uint8_t kind, const void *data, size_t len,
	      struct buf *ret) _must_check_;
