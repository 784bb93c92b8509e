/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A simulated OpenEPaperLink access point with its labels: what it answers to requests, what it
 * says in its feed, and its weaknesses. It knows nothing of sockets (oepl_web.h has those), so that
 * a test may ask it directly and let hours pass in a moment.
 *
 *     oepl.c         its life: records of labels, its queue, drawing, restarts, what can be
 * injected oepl_api.c     requests and their answers oepl_tags.c    labels: they poll, fetch, draw;
 * the air loses things oepl_pixels.c  a JPEG as the access point makes planes of it, and those as a
 * panel shows them
 *
 * What is like the firmware on purpose: positions in the database count in eight bits, a picture is
 * taken ("200") long before it is drawn and queued, a new one is queued behind the old one, one
 * with the same MD5 is not queued at all, a transfer given up leaves its count of pending things
 * standing, the record keeps half an MD5, and everything is forgotten but the records when it
 * crashes.
 */
#pragma once

#include "common/buf.h"
#include "common/image.h"
#include "common/loop.h"

#define SIM_OEPL_MAC_BYTES 8
#define SIM_OEPL_MAX_TAGS  4000

struct sim_oepl;
struct sim_shows;

struct sim_oepl_config {
	const char *name;
	uint8_t type; /**< of its labels: see sim_oepl_type() */
	unsigned int tags;
	double poll_s;  /**< between two calls of a label; 0 = 40 */
	double sleep_s; /**< more than that: labels that sleep; 0 = they do not */
	double loss;    /**< chance that a packet is lost */
	double speed;   /**< so many times faster than life does it draw, send and redraw; 0 = 1 */
	uint8_t index;  /**< part of the MACs, so that two access points have different ones */
	uint64_t seed;
	bool stopsleep;
	struct sim_shows *shows; /**< may be NULL */
};

struct sim_oepl_colour {
	const char *name;
	uint8_t rgb[3];
};

struct sim_oepl_type {
	uint8_t id;
	const char *name;
	uint16_t width, height;
	uint8_t rotatebuffer, bpp;
	uint16_t zlib; /**< firmware from which it takes compressed pictures; 0 = never */
	bool led;
	uint8_t colours; /**< white, black, then red; or yellow */
	bool yellow;
	uint16_t version; /**< firmware of the labels */
	uint16_t g5;      /**< firmware from which it takes pictures compressed that way */
	const struct sim_oepl_colour *palette; /**< NULL = as above */
};

/** NULL for one that there is not. */
const struct sim_oepl_type *sim_oepl_type(unsigned int id);

int sim_oepl_new(struct loop *loop, const struct sim_oepl_config *cfg,
		 struct sim_oepl **ret) _must_check_;
void sim_oepl_free(struct sim_oepl *ap);
const char *sim_oepl_name(const struct sim_oepl *ap);

/* --- its interfaces --------------------------------------------------------------------------- */

struct sim_oepl_param {
	const char *name;
	const void *value;
	size_t len;
	bool file;
};

struct sim_oepl_request {
	bool post;
	const char *path;                    /**< without the query */
	const struct sim_oepl_param *params; /**< of query and body, in their order */
	size_t n;
};

struct sim_oepl_reply {
	unsigned int status; /**< 0 = it does not answer at all: it is down */
	const char *type;
	struct buf body;
};

/** `ret` is empty, and to be buf_done(). */
void sim_oepl_answer(struct sim_oepl *ap, const struct sim_oepl_request *req,
		     struct sim_oepl_reply *ret);

struct sim_oepl_listener {
	void (*message)(void *user, const char *text, size_t len);
	/** It hung up. */
	void (*closed)(void *user);
};

#define SIM_OEPL_LISTENERS 8

/** A WebSocket was opened. -ENOSPC past SIM_OEPL_LISTENERS, -ERR_CLOSED while it is down. */
int sim_oepl_listen(struct sim_oepl *ap, const struct sim_oepl_listener *cb,
		    void *user) _must_check_;
void sim_oepl_unlisten(struct sim_oepl *ap, void *user);
bool sim_oepl_is_up(const struct sim_oepl *ap);

/* --- the truth -------------------------------------------------------------------------------- */

struct sim_oepl_view {
	uint8_t mac[SIM_OEPL_MAC_BYTES];
	const struct sim_oepl_type *type;
	bool gone;            /**< carried elsewhere */
	const uint8_t *frame; /**< serial form of what the panel shows; NULL before the first */
	size_t frame_len;
	uint8_t frame_hash[IMAGE_HASH_BYTES];
	int64_t started_us, shown_at_us; /**< monotonic: the redraw began, the picture is there */
	bool redrawing;
	uint64_t redraws, calls;
	uint64_t uploads; /**< pictures taken for it */
	uint16_t battery_mv;
	uint8_t led_colour; /**< RGB332; 0 = dark */
	int64_t led_until_us;
};

unsigned int sim_oepl_tags(const struct sim_oepl *ap);
void sim_oepl_get(const struct sim_oepl *ap, unsigned int i, struct sim_oepl_view *ret);
/** By the last six bytes of its MAC; -1 if there is none. */
int sim_oepl_find(const struct sim_oepl *ap, const uint8_t addr[6]);

struct sim_oepl_stats {
	uint64_t requests, uploads, refused, drawn, same, queued, transfers, failed, wraps;
	uint64_t messages;
	uint32_t records, pending;
};

void sim_oepl_get_stats(const struct sim_oepl *ap, struct sim_oepl_stats *ret);

/* --- what can go wrong ------------------------------------------------------------------------ */

void sim_oepl_set_loss(struct sim_oepl *ap, double loss);
/** Gone for so long; its queue is forgotten. */
void sim_oepl_restart(struct sim_oepl *ap, int64_t down_us);
/** Its database is lost: labels appear in it as they call. */
void sim_oepl_forget(struct sim_oepl *ap);
/** Answers uploads with 409 for so long. */
void sim_oepl_busy(struct sim_oepl *ap, int64_t for_us);
/** Records that noise made up. */
void sim_oepl_phantoms(struct sim_oepl *ap, unsigned int n);
/** The next so many pictures it draws lose their colour, for want of memory. */
void sim_oepl_starve(struct sim_oepl *ap, unsigned int n);
/** The next so many transfers are given up by the radio. */
void sim_oepl_break_transfers(struct sim_oepl *ap, unsigned int n);
/** Says so many bytes of nonsense in its feed. */
void sim_oepl_babble(struct sim_oepl *ap, unsigned int n);
/** Everything answered 500 for so long. */
void sim_oepl_fail(struct sim_oepl *ap, int64_t for_us);
void sim_oepl_restart_tag(struct sim_oepl *ap, unsigned int i);
/** It prints the time on every picture, or does not. */
void sim_oepl_stamp(struct sim_oepl *ap, bool on);
/** The next so many uploads are taken, and then another one's wish for the label counts instead. */
void sim_oepl_revert(struct sim_oepl *ap, unsigned int n);
/** What it says is left of its memory and its storage. */
void sim_oepl_set_memory(struct sim_oepl *ap, int64_t heap, int64_t storage);
void sim_oepl_set_battery(struct sim_oepl *ap, unsigned int i, uint16_t mv);
/** Into deep sleep: it calls no more until it is brought on the air again. */
void sim_oepl_sleep_tag(struct sim_oepl *ap, unsigned int i);
/** Off the air, or on it again. */
void sim_oepl_hide_tag(struct sim_oepl *ap, unsigned int i, bool hidden);
/** Carried to where another access point hears it, without a restart; its number there. Negative if
 * there is no room. */
int sim_oepl_move_tag(struct sim_oepl *from, unsigned int i, struct sim_oepl *to) _must_check_;

#define SIM_OEPL_PEERS 4

/** Both hear from now on of what the other one does, and show its labels as external. */
void sim_oepl_befriend(struct sim_oepl *a, struct sim_oepl *b);
