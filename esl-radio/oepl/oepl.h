/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside of the engine for labels of OpenEPaperLink access points; only oepl/ includes this.
 *
 *     oepl.c     behind the front door: wishes, clockwork, which job is next
 *     ap.c       an access point: its configuration, tag database, types, feed, its moods
 *     home.c     which of several access points serves a label, and what one that did must forget
 *     label.c    what a record says of a label, and what that proves
 *     send.c     the way of a picture: chosen, taken, queued, compared, arrived, or tried again
 *     draw.c     a picture made ready for that, off the loop
 *     flash.c    its light
 *     picture.c  pictures asked for and held for a moment
 *     keep.c     what must survive a restart
 *     tell.c     what the owner of the engine is told
 *     view.c     what a person is shown of it
 *     net.h      seam: requests and the feed                  http.c, ws.c  its driver
 *     tagdb.h, pixels.h, ws_wire.h, jpeg.h                    pure codecs
 *
 * Everything is asked for by polling or seen in the feed, and the answer "200" proves nothing. A
 * picture counts as shown when the access point's record of the label says that nothing is pending
 * any more, that one more transfer was confirmed, and that what the label has is, by its MD5, what
 * was meant; as confirmed when the label has called again after its redraw.
 *
 * One request at a time to each: these access points are small. A label polls when it wakes, so
 * nothing can be shown at an instant; a picture with a date is handed over as soon as the label is
 * not expected before that date, never so that it would be shown early.
 *
 * All instants are microseconds of the loop's monotonic clock unless the name says otherwise.
 */
#pragma once

#include "esl-radio/esl_ops.h"
#include "esl-radio/led_budget.h"
#include "esl-radio/oepl/net.h"
#include "esl-radio/oepl/tagdb.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define OEPL_APS_MAX   ESL_STATIONS_MAX
#define OEPL_URL_MAX   256
#define OEPL_PICTURES  16
#define OEPL_AWAKE_S   60 /**< nextcheckin of a label that does not sleep is this far off, */
#define OEPL_POLL_S    40 /**< and this often it polls */
#define OEPL_LONG_S    600
#define OEPL_KEEPS     "oepl:"
#define OEPL_AP_ONLINE 1
#define OEPL_PATIENCE  3 /**< check-ins that may fail before a picture counts as not fetched */
#define OEPL_SECOND_US US_PER_SEC

struct oepl_draw;

enum oepl_job {
	OEPL_JOB_NONE,
	OEPL_JOB_CONFIG, /**< /get_ap_config */
	OEPL_JOB_INFO,   /**< /sysinfo */
	OEPL_JOB_PAGE,   /**< /get_db?pos= */
	OEPL_JOB_DUMP,   /**< /backup_db */
	OEPL_JOB_TYPE,   /**< /tagtypes/XX.json */
	OEPL_JOB_ASK,    /**< /get_db?mac= */
	OEPL_JOB_CLEAR,  /**< /tag_cmd: nothing queued any more */
	OEPL_JOB_TIDY,   /**< the same, at an access point that served it before */
	OEPL_JOB_UPLOAD, /**< /imgupload */
	OEPL_JOB_READ,   /**< /getdata: what is queued */
	OEPL_JOB_KEPT,   /**< /current/MAC.raw: what it got last */
	OEPL_JOB_FLASH,  /**< /led_flash */
};

enum oepl_sending_state {
	OEPL_SENDING_NONE,
	OEPL_SENDING_TAKEN,  /**< the access point said 200 */
	OEPL_SENDING_QUEUED, /**< and had it queued for the label */
};

struct oepl_sending {
	enum oepl_sending_state state;
	uint8_t image[IMAGE_HASH_BYTES];
	bool hash_known;
	uint8_t hash[OEPL_HASH_BYTES]; /**< of the bytes the label will get */
	bool exact;                    /**< those bytes are the picture, bit by bit */
	bool read;                     /**< what is queued was looked at */
	bool kept;                     /**< and what the access point keeps of what it got */
	bool doubtful;                 /**< the access point may have restarted since */
	uint32_t count_before;         /**< updatecount before the upload */
	unsigned int crowd;            /**< at most so many labels waited for the radio with it */
	int64_t since_us;
};

struct oepl_shown {
	bool known;
	bool told; /**< SHOWN was reported, with this grade */
	uint8_t image[IMAGE_HASH_BYTES];
	uint8_t hash[OEPL_HASH_BYTES]; /**< what the access point says the label has */
	bool exact;
	enum esl_grade grade;
	int64_t since_utc_us; /**< the redraw over */
	int64_t drawn_us;
};

enum oepl_flash_state {
	OEPL_FLASH_NONE,
	OEPL_FLASH_WANTED,
	OEPL_FLASH_SENT, /**< queued; the label has not called yet */
	OEPL_FLASH_OVER, /**< reported, one way or the other */
};

struct oepl_flash {
	enum oepl_flash_state state;
	uint8_t colour;
	int64_t until_utc_us;
	uint32_t count_before;
	uint8_t marker[OEPL_HASH_BYTES]; /**< the hash of its record once it has taken it */
	bool paid;                       /**< this one is in the budget */
	bool queued;               /**< its command is at the access point, as far as we know */
	struct led_budget *budget; /**< NULL = it never blinked */
};

struct oepl_wish {
	uint8_t image[IMAGE_HASH_BYTES];
	int64_t from_us; /**< UTC */
};

struct oepl_label {
	UT_hash_handle hh;
	uint8_t addr[ESL_ADDR_BYTES]; /**< the last six bytes of its MAC */
	uint8_t mac[OEPL_MAC_BYTES];
	bool has_mac;
	struct oepl_record rec;
	bool present;         /**< in that one's database */
	struct oepl_ap *ap;   /**< who serves it; NULL = nobody that we know of */
	uint32_t home;        /**< id of the one that serves it, or did last; 0 = none ever did */
	bool elsewhere;       /**< one that is not ours serves it */
	bool called;          /**< since this one serves it */
	uint8_t stale;        /**< bit n: it may have been left something at access point n */
	uint8_t rival;        /**< number of another one that says it serves it, */
	int64_t rival_s;      /**< having heard it then, on its own clock */
	int64_t tidy_us;      /**< not to be taken back there before */
	uint32_t gen;         /**< sync in which it was last in the database of ap */
	int64_t rec_us;       /**< when rec came */
	int64_t heard_us;     /**< when the label last called; 0 = not known */
	int64_t first_seen_s; /**< lastseen when we first met it */
	uint16_t width, height;
	uint8_t display_type; /**< 0 = not known yet */
	bool wanted, forgetting, associated, lost_told;
	uint8_t n_wishes;
	struct oepl_wish wishes[ESL_TIMELINE_MAX];
	struct oepl_sending sending;
	struct oepl_shown shown;
	struct oepl_flash flash;
	uint8_t tries;
	int64_t hold_us; /**< no new upload before */
	int64_t asked_us;
	int64_t told_seen_us, told_status_us, told_error_us;
	const char *told_error; /**< static storage */
};

enum oepl_type_state {
	OEPL_TYPE_UNKNOWN,
	OEPL_TYPE_GOOD,
	OEPL_TYPE_BAD, /**< there is none, or it is of no use; asked again later */
};

struct oepl_type_slot {
	enum oepl_type_state state;
	struct oepl_type type;
	int64_t again_us;
};

struct oepl_picture {
	bool used;
	uint8_t hash[IMAGE_HASH_BYTES];
	uint8_t *data; /**< NULL while it is asked for */
	size_t len;
	int64_t at_us; /**< asked, or last used */
};

/** An access point. */
struct oepl_ap {
	struct oepl *o;
	uint8_t number;
	uint32_t id; /**< by which it is known again after a restart: of its address */
	char url[OEPL_URL_MAX];
	struct oepl_net *net;
	enum oepl_job job; /**< under way */
	uint8_t job_addr[ESL_ADDR_BYTES], job_type;
	struct oepl_sending job_sending; /**< of the upload under way */
	struct oepl_draw *draw;          /**< a picture being made ready, or that is */
	struct oepl_label *turn;         /**< whose turn it is next; NULL = the first one's */
	unsigned int in_flight;          /**< labels we wait for */
	bool up, silent;                 /**< neither: it was not asked yet */
	unsigned int failures;
	int64_t retry_us;
	struct oepl_config config;
	int64_t config_us; /**< when to ask for it again */
	bool info_asked;
	int apstate; /**< -1 = not known */
	bool feed, feed_asked;
	int64_t feed_us; /**< not to be opened before */
	bool zero_known;
	int64_t zero_us; /**< our clock when its clock was 0 */
	int64_t uptime_s;
	bool storage_full;
	struct oepl_message said; /**< what its feed said of it last, for a person */
	char version[OEPL_TEXT_MAX];
	/* syncing the tag database */
	bool syncing, dump;
	int32_t pos;
	uint32_t gen;
	unsigned int n;
	unsigned int n_known; /* n when it was read to its end */
	unsigned int syncs;   /* since it came up */
	int64_t sync_us, synced_us;
	int64_t upload_us; /**< no upload before */
	unsigned int refusals;
};

struct oepl {
	struct esl_door door; /**< first */
	struct loop *loop;
	const struct clock *clock;
	struct esl_engine_callbacks cb;
	void *user;
	struct loop_timer *tick, *soon;
	bool started, utc_known;
	int64_t utc_us;        /**< UTC minus monotonic */
	unsigned int homeless; /**< labels wanted that nobody serves */
	size_t n_aps;
	struct oepl_ap aps[OEPL_APS_MAX];
	bool told, told_up;           /**< how the radio was last told to be, */
	char told_text[ESL_TEXT_MAX]; /**< and with which words */
	struct oepl_type_slot types[256];
	struct oepl_label *labels; /**< uthash by address */
	struct oepl_picture pictures[OEPL_PICTURES];
	struct esl_stats stats;
};

static inline int64_t oepl_now(const struct oepl *o)
{
	return clock_mono_us(o->clock);
}
static inline int64_t oepl_utc(const struct oepl *o)
{
	return oepl_now(o) + o->utc_us;
}

/* --- oepl.c ----------------------------------------------------------------------------------- */

/** An access point, and the way to it. */
struct oepl_way {
	char url[OEPL_URL_MAX];
	struct oepl_net *net;
};

/** The engine over given seams, which it owns from now on (also when this fails). */
int oepl_new_over(struct loop *loop, const struct esl_engine_callbacks *cb, void *user,
		  const struct oepl_way *ways, size_t n, struct esl_engine **ret) _must_check_;
struct oepl_label *oepl_find(const struct oepl *o, const uint8_t addr[ESL_ADDR_BYTES]);
struct oepl_label *oepl_find_or_add(struct oepl *o, const uint8_t addr[ESL_ADDR_BYTES]);
void oepl_drop(struct oepl *o, struct oepl_label *l);
/** Looks for work, soon. */
void oepl_pump_soon(struct oepl *o);
/** Sends the request of a job; one that cannot be sent counts as not answered. */
void oepl_ask(struct oepl_ap *ap, enum oepl_job job, const struct oepl_label *l,
	      const struct oepl_request *req);
/** Its type, or NULL while that is not known. */
const struct oepl_type *oepl_type_of(const struct oepl *o, const struct oepl_label *l);

/* --- ap.c ------------------------------------------------------------------------------------- */

/** The next thing to ask of the access point itself, if any. True if something was. */
bool oepl_ap_work(struct oepl_ap *ap);
void oepl_ap_answer(struct oepl_ap *ap, enum oepl_job job, const struct oepl_reply *reply);
/** Is there an answer at all? False: it was seen to. */
bool oepl_ap_answered(struct oepl_ap *ap, const struct oepl_reply *reply);
void oepl_ap_feed(struct oepl_ap *ap, bool up);
void oepl_ap_message(struct oepl_ap *ap, const uint8_t *text, size_t len);
/** It will take no upload for a while. */
void oepl_ap_refused(struct oepl_ap *ap);
/** What is wrong with it, for a person; NULL = nothing. */
const char *oepl_ap_trouble(const struct oepl_ap *ap, char text[ESL_TEXT_MAX]);

/* --- home.c ----------------------------------------------------------------------------------- */

/** That access point has a record of this label, who may be somebody else's: true if it is the one
 * that serves it, maybe from now on. */
bool oepl_home_take(struct oepl_ap *ap, struct oepl_label *l, const struct oepl_record *rec);
/** Nobody serves it any more. What was left for it there is to be taken back. */
void oepl_home_leave(struct oepl *o, struct oepl_label *l);
/** Has nobody, of all that answer, this label? */
bool oepl_home_is_nowhere(const struct oepl *o, const struct oepl_label *l);
/** What this access point must forget of labels that others serve. True if something was asked. */
bool oepl_home_tidy(struct oepl_ap *ap);
void oepl_home_tidied(struct oepl_ap *ap, struct oepl_label *l, const struct oepl_reply *reply);
struct oepl_ap *oepl_home_by_id(struct oepl *o, uint32_t id);

/* --- label.c ---------------------------------------------------------------------------------- */

/** oepl_record_fn; user is the access point. */
void oepl_record_came(void *user, const struct oepl_record *rec);
/** Seconds between two of its calls. */
int64_t oepl_interval_s(const struct oepl_label *l);
/** Not before this instant will it call, as far as is known. */
int64_t oepl_not_before(const struct oepl *o, const struct oepl_label *l);
/** Nothing was heard of it for too long. */
bool oepl_is_lost(const struct oepl *o, const struct oepl_label *l);
/** Something is expected of it: a picture on its way, or its word that it is well after one. */
bool oepl_is_awaited(const struct oepl *o, const struct oepl_label *l);
/** What time alone changes. */
void oepl_label_tick(struct oepl *o, struct oepl_label *l);
/** Once its type and its wish are known: it is ours. */
void oepl_label_meet(struct oepl *o, struct oepl_label *l);

/* --- send.c ----------------------------------------------------------------------------------- */

/** The wish that should be on its way, or NULL. */
const struct oepl_wish *oepl_target(const struct oepl *o, const struct oepl_label *l);
/** Asks for the next thing this label needs. True if something was asked for. */
bool oepl_send_work(struct oepl *o, struct oepl_label *l);
void oepl_send_answer(struct oepl_ap *ap, struct oepl_label *l, enum oepl_job job,
		      const struct oepl_reply *reply);
/** No answer came: what it was to tell is asked for again. */
void oepl_send_unanswered(const struct oepl_ap *ap, struct oepl_label *l, enum oepl_job job);
/** Everything that waits for it at this access point is to be taken back. */
void oepl_send_clear(struct oepl_ap *ap, enum oepl_job job, const struct oepl_label *l);
/** A record came: what it says of the picture on its way. */
void oepl_send_evidence(struct oepl *o, struct oepl_label *l);
/** Gives up what has waited too long. */
void oepl_send_tick(struct oepl *o, struct oepl_label *l);

/* --- flash.c ---------------------------------------------------------------------------------- */

void oepl_flash_want(struct oepl *o, struct oepl_label *l, int64_t until_utc_us, uint8_t colour);
bool oepl_flash_work(struct oepl *o, struct oepl_label *l);
void oepl_flash_answer(struct oepl *o, struct oepl_label *l, const struct oepl_reply *reply);
void oepl_flash_evidence(struct oepl *o, struct oepl_label *l);
void oepl_flash_tick(struct oepl *o, struct oepl_label *l);

/* --- draw.c ----------------------------------------------------------------------------------- */

/** The picture as the label's access point wants it, and what is known beforehand of what comes of
 * it. -EAGAIN while it is made, or another one is. */
int oepl_draw_take(struct oepl *o, struct oepl_label *l, const uint8_t hash[IMAGE_HASH_BYTES],
		   struct buf *ret_jpeg, struct oepl_sending *ret_made) _must_check_;
/** Nobody waits for it any more. */
void oepl_draw_drop(struct oepl_ap *ap);

/* --- picture.c -------------------------------------------------------------------------------- */

/** The picture, to be image_done(); -EAGAIN while it is asked for. */
int oepl_picture_get(struct oepl *o, const uint8_t hash[IMAGE_HASH_BYTES],
		     struct image *ret) _must_check_;
int oepl_picture_put(struct oepl *o, const uint8_t hash[IMAGE_HASH_BYTES], const void *data,
		     size_t len) _must_check_;
void oepl_pictures_done(struct oepl *o);

/* --- keep.c ----------------------------------------------------------------------------------- */

/* A save that fails costs a repetition after a restart, never a wrong price. */
void oepl_save(struct oepl *o, const struct oepl_label *l);
void oepl_forget_saved(struct oepl *o, const struct oepl_label *l);
int oepl_restore(struct oepl *o, const char *key, const void *data, size_t len) _must_check_;

/* --- tell.c ----------------------------------------------------------------------------------- */

/** How the radio is, all access points of it, if that is news. */
void oepl_tell_radio(struct oepl *o);
void oepl_tell_seen(struct oepl *o, struct oepl_label *l);
void oepl_tell_associated(struct oepl *o, const struct oepl_label *l);
void oepl_tell_sent(struct oepl *o, const struct oepl_label *l);
void oepl_tell_shown(struct oepl *o, const struct oepl_label *l);
void oepl_tell_status(struct oepl *o, struct oepl_label *l);
void oepl_tell_lost(struct oepl *o, const struct oepl_label *l);
void oepl_tell_led(struct oepl *o, const struct oepl_label *l, enum esl_led led, int64_t until_us,
		   const char *text);
/** At most once per ten minutes for the same text (static storage). `image` may be NULL. */
void oepl_tell_error(struct oepl *o, struct oepl_label *l, int code, const char *text,
		     const uint8_t *image);

/* --- view.c ----------------------------------------------------------------------------------- */

void oepl_get_view(const struct esl_engine *e, struct esl_radio_view *ret);
