/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The RFID room's front door: keep an LLRP reader inventoried, and turn its reads into sightings.
 * Everything else in rfid/ is behind this header. Runs on the caller's loop; never logs above
 * debug.
 *
 * How the room is laid out, from the wire inwards:
 *
 *     llrp_table     what LLRP looks like on the wire, as data           |
 *     llrp_codec     any message as a tree: decode, build, encode        | libllrpwire.a, which the
 *     llrp_report    the fast path for tag reports, nothing allocated    | simulator uses as well
 *     llrp_setup     what a reader can do, and the messages that follow from it
 *     llrp_session   one connection without IO: bytes in, bytes out, time by an injected clock
 *     llrp_ledger    what became of the reports, and where some may be missing
 *     llrp_normal    a report as sent -> struct rfid_read: carried-forward fields, one clock
 *     reader_link    the connection, made or awaited, with TLS or without (reader_address,
 * common/tls) rfid_reader    the session on such a connection, with reconnect presence       reads
 * in, sightings out (appear, refresh, gone)
 *
 * A read walks: socket -> rfid_reader -> llrp_session -> llrp_report -> llrp_normal -> the caller's
 * reads callback -> presence_read() -> a sighting, perhaps.
 */
#pragma once

#include "common/epc.h"
#include "common/loop.h"
#include "common/tls.h"

#define RFID_MAX_ANTENNAS     32
#define RFID_MAX_CHANNELS     64
#define RFID_DEFAULT_PORT     5084 /**< IANA "llrp" */
#define RFID_DEFAULT_TLS_PORT 5085 /**< IANA "llrp-tls" */

/** One tag report, normalised: what was absent but enabled has been carried forward (LLRP 14.2.3).
 */
struct rfid_read {
	struct epc epc;
	uint16_t antenna;  /**< 1-based */
	uint16_t count;    /**< TagSeenCount, at least 1 */
	int16_t rssi_cdbm; /**< 1/100 dBm; INT16_MIN = unknown */
	uint16_t channel;  /**< channel index; 0 = unknown */
	uint16_t phase;    /**< 4096 steps a turn; UINT16_MAX = unknown */
	int16_t doppler;   /**< 1/16 Hz; INT16_MIN = unknown */
	int64_t first_us;  /**< UTC on the agent's clock, after rebasing the reader's */
	int64_t last_us;
	bool rebased; /**< the reader's clock was off, so the times are those of arrival */
};

enum rfid_reader_state {
	RFID_READER_IDLE, /**< stopped */
	RFID_READER_CONNECTING,
	RFID_READER_NEGOTIATING, /**< connection event, capabilities */
	RFID_READER_CONFIGURING, /**< configuration, ROSpec */
	RFID_READER_RUNNING,     /**< inventory is going on */
	RFID_READER_STOPPING,
	RFID_READER_WAITING, /**< lost; back-off before the next try */
	RFID_READER_STATE_COUNT
};
const char *rfid_reader_state_str(enum rfid_reader_state s);

struct rfid_reader_config {
	const char *name;
	const char *host; /**< numeric address or name */
	uint16_t port;    /**< 0 = RFID_DEFAULT_PORT, or with TLS RFID_DEFAULT_TLS_PORT */
	/** The reader makes the connection, to `port` here (0 = any free one). `host` is the
	 * numeric address it must come from; 0.0.0.0 or :: = any. */
	bool reader_calls;
	bool tls;            /**< from the first byte on: LLRP has no STARTTLS */
	const char *tls_pin; /**< the reader's certificate, common/tls.h; NULL or empty = any */
	/** PEM files shown to a reader that calls; NULL = one made for the occasion. */
	const char *tls_cert, *tls_key;
	size_t n_antennas; /**< 0 = all */
	uint16_t antennas[RFID_MAX_ANTENNAS];
	uint8_t session;       /**< Gen2 session 0-3, where the profile leaves it open */
	const char *profile;   /**< common/gen2_profile.h; NULL = the standard */
	int16_t power_cdbm;    /**< wanted transmit power; 0 = highest; mapped to the nearest table
				  index */
	uint32_t keepalive_ms; /**< 0 = 10 s; the link is given up after three are missed */
	/** Highest LLRP version to agree on: 0 or 1 = 1.0.1 without asking, 2 = 1.1 if the reader
	 * speaks it. */
	uint8_t version;
	uint32_t audit_s; /**< between two looks at whether it is as we set it; 0 = 5 min */
	/** UTC up to which an earlier life of this program heard the reader; 0 = never. What the
	 * reader said after it, and before it is heard again, shows as a gap. */
	int64_t heard_until_us;
};

/** Why reports may be missing. */
enum rfid_gap_cause {
	RFID_GAP_NONE,
	RFID_GAP_CONNECTION, /**< what was under way when the connection, or this program, ended */
	RFID_GAP_OVERFLOW,   /**< the reader's buffer was full */
	RFID_GAP_CAUSE_COUNT
};
const char *rfid_gap_cause_str(enum rfid_gap_cause c);

/** A stretch of time of which reports may be missing: never shorter than the truth. */
struct rfid_gap {
	enum rfid_gap_cause cause;
	int64_t from_us, to_us; /**< UTC on the agent's clock */
};

/**
 * What became of the tag reports: reports = handed_on + strange + unclaimed. LLRP acknowledges no
 * report, so this is all there is to tell a loss by.
 */
struct rfid_ledger {
	uint64_t frames;    /**< report messages with tags in them */
	uint64_t reports;   /**< tag reports in them */
	uint64_t reads;     /**< singulations they stand for: the sum of TagSeenCount */
	uint64_t handed_on; /**< tag reports given to the reads callback */
	uint64_t strange;   /**< ... with an empty or overlong EPC */
	uint64_t unclaimed; /**< ... of an inventory that is not (yet) known to be ours */
	uint64_t held;      /**< of those handed on, made while nobody listened */
	uint64_t resumed;   /**< connections on which our inventory was found running */
	uint64_t warnings;  /**< the reader's buffer was nearly full */
	uint64_t overflows; /**< ... and full */
	uint64_t gaps;
	uint64_t gaps_us; /**< their length together */
	struct rfid_gap last_gap;
	/** UTC up to which nothing is missing but the gaps; 0 = never heard. To be given back as
	 * heard_until_us after a restart. */
	int64_t heard_until_us;
};

struct rfid_reader_stats {
	uint64_t reads; /**< tag reports decoded */
	uint64_t messages;
	uint64_t reconnects;
	uint64_t bad_frames;   /**< frames that cost a connection */
	uint16_t antennas;     /**< from the capabilities */
	uint32_t antennas_off; /**< bit n: the reader says that antenna n + 1 is disconnected */
	uint64_t drifts;       /**< times the reader was not as we had set it */
	uint64_t mended;       /**< ... and then found as we had set it again */
	char drift[224];       /**< what was found last, and what was wanted; empty = never */
	int64_t drift_us;      /**< UTC of that; 0 = never */
	bool drift_mended;
	size_t n_channels; /**< of the hop table, or of the fixed frequencies */
	uint32_t khz[RFID_MAX_CHANNELS];
	uint64_t exceptions; /**< that the reader reported */
	uint8_t version;     /**< LLRP version spoken, as in the header: 1 = 1.0.1, 2 = 1.1 */
	char model[64];      /**< manufacturer/model/firmware in words */
	struct rfid_ledger ledger;
	char tls_peer[TLS_PIN_MAX]; /**< pin of the certificate the reader showed; may be empty */
};

struct rfid_reader_callbacks {
	/** `err` is negative with a sentence in `text` when the state is WAITING; text may be NULL.
	 */
	void (*state)(void *user, enum rfid_reader_state state, int err, const char *text);
	/** A batch in the order received; borrowed for the call. */
	void (*reads)(void *user, const struct rfid_read *reads, size_t n);
	/** Something a person should know: buffer overflow, antenna gone. May be NULL. */
	void (*incident)(void *user, const char *text);
};

struct rfid_reader;

/* --- operations on a tag's memory ------------------------------------------------------------- */

#define RFID_MAX_OPS   4
#define RFID_MAX_WORDS 32

enum rfid_bank {
	RFID_BANK_RESERVED, /**< kill password, access password: two words each */
	RFID_BANK_EPC,      /**< CRC, PC, then the EPC */
	RFID_BANK_TID,      /**< who made the chip, and often its serial number */
	RFID_BANK_USER,
	RFID_BANK_COUNT
};

enum rfid_lock_field {
	RFID_LOCK_KILL_PASSWORD,
	RFID_LOCK_ACCESS_PASSWORD,
	RFID_LOCK_EPC,
	RFID_LOCK_TID,
	RFID_LOCK_USER,
	RFID_LOCK_FIELD_COUNT
};

enum rfid_lock_how {
	RFID_LOCK_WITH_PASSWORD, /**< written only by who knows the access password */
	RFID_LOCK_FOR_EVER,
	RFID_UNLOCK_FOR_EVER,
	RFID_UNLOCK,
	RFID_LOCK_HOW_COUNT
};

enum rfid_op_kind {
	RFID_OP_READ,
	RFID_OP_WRITE,
	RFID_OP_LOCK
};

struct rfid_op {
	enum rfid_op_kind kind;
	enum rfid_bank bank;
	uint16_t pointer; /**< first word */
	uint16_t n_words; /**< to read (0 = to the end of the bank) or in `words` */
	uint16_t words[RFID_MAX_WORDS];
	enum rfid_lock_field field;
	enum rfid_lock_how how;
};

/** What to do with one tag, in order. */
struct rfid_access {
	struct epc tag;     /**< whose EPC this is; 0 bits = whichever comes first */
	uint16_t antenna;   /**< 0 = any */
	uint32_t password;  /**< access password; 0 = none */
	int64_t timeout_us; /**< to find the tag and be done; 0 = 5 s */
	size_t n_ops;
	struct rfid_op ops[RFID_MAX_OPS];
};

struct rfid_op_result {
	bool done;            /**< the tag got to it, well or not */
	uint8_t code;         /**< LLRP's result code; 0 = success */
	const char *words_of; /**< the code in words; never NULL */
	uint16_t n_words;     /**< read, or written */
	uint16_t words[RFID_MAX_WORDS];
};

struct rfid_access_result {
	int err; /**< -ETIMEDOUT: no such tag; -ERR_PEER: the reader refused; -ERR_CLOSED */
	const char *text; /**< in a sentence when err is negative; borrowed */
	struct epc tag;   /**< as it was when it answered */
	uint16_t antenna;
	size_t n;
	struct rfid_op_result ops[RFID_MAX_OPS];
};

/** Called once; `result` is borrowed. */
typedef void (*rfid_access_fn)(void *user, const struct rfid_access_result *result);

/** Makes `ret` give a tag another EPC; its PC too when the length changes. The tag must be named.
 * -ERR_RANGE when it is not, or the new EPC is not of whole words. */
int rfid_access_write_epc(const struct epc *tag, const struct epc *now,
			  struct rfid_access *ret) _must_check_;

/** Starts connecting at once and keeps trying (0.5 s doubling to 30 s, with jitter). Copies cfg. */
int rfid_reader_new(struct loop *loop, const struct rfid_reader_config *cfg,
		    const struct rfid_reader_callbacks *cb, void *user,
		    struct rfid_reader **ret) _must_check_;
/** Stops and deletes the ROSpec, closes politely (at most 2 s), then calls done once. */
void rfid_reader_stop(struct rfid_reader *r, loop_fn done, void *user);
/** As rfid_reader_stop(), but lets the inventory run where the reader can hold its reports until we
 * are back. */
void rfid_reader_leave(struct rfid_reader *r, loop_fn done, void *user);
/** Drops the connection as it is. NULL-safe. */
void rfid_reader_free(struct rfid_reader *r);
/** Works on a tag while the inventory goes on; one at a time (-EBUSY), and only while it runs
 * (-ERR_STATE). */
int rfid_reader_access(struct rfid_reader *r, const struct rfid_access *access, rfid_access_fn fn,
		       void *user) _must_check_;
enum rfid_reader_state rfid_reader_state(const struct rfid_reader *r);
/** Where a reader that makes the connection can call; 0 = nowhere. */
uint16_t rfid_reader_port(const struct rfid_reader *r);
void rfid_reader_get_stats(const struct rfid_reader *r, struct rfid_reader_stats *ret);

/* --- presence --------------------------------------------------------------------------------- */

/** Same values as enum sighting_kind in common/proto.h. */
enum presence_kind {
	PRESENCE_APPEAR = 1,
	PRESENCE_REFRESH = 2,
	PRESENCE_GONE = 3
};

struct presence_sighting {
	enum presence_kind kind;
	uint32_t source;       /**< caller's id of reader and antenna */
	const struct epc *epc; /**< borrowed for the call */
	int64_t first_us, last_us;
	uint32_t count;    /**< reads since the last sighting of this tag here */
	int16_t rssi_cdbm; /**< smoothed over the last few reads */
	int16_t peak_cdbm;
	/** Estimated reads per second * 1000, saturating; 0 = not known yet. Of late, where a
	 * change is told; else as usual. */
	uint16_t rate_mhz;
};

struct presence_config {
	int64_t refresh_us;      /**< say "still here" at least this often; 0 = 60 s */
	int16_t rssi_step_cdbm;  /**< ... and when the smoothed RSSI moved by this; 0 = 6 dB */
	int64_t min_step_us;     /**< ... but not more often than this; 0 = 1 s */
	double miss_probability; /**< chance to call a present tag gone in ten seconds; 0 = 0.001 */
	int64_t min_gone_us; /**< lower and upper bound of the adaptive timeout; 0 = 1 s, 30 s */
	int64_t max_gone_us;
	size_t max_pairs; /**< tag x antenna pairs kept; beyond, new ones are refused; 0 = 65536 */
};

struct presence;
/**
 * APPEAR comes with the first read, REFRESH when a few more have confirmed it, every refresh_us, at
 * a step in RSSI, and for all sources concerned when one has overtaken another in reading the tag;
 * GONE when it has been silent for longer than its rhythm explains. In a quiet store a tag that
 * two antennas hear alike costs about eight sightings a minute, one that a single antenna hears one
 * or two; what comes on top are stray reads, which appear and are gone.
 *
 * Must not call back into the filter. */
typedef void (*presence_fn)(void *user, const struct presence_sighting *s);

int presence_new(const struct presence_config *cfg, presence_fn fn, void *user,
		 struct presence **ret) _must_check_;
void presence_free(struct presence *p);
/** Other steps of RSSI than those it was made with; 0 = the defaults of presence_config. */
void presence_set_step(struct presence *p, int16_t rssi_step_cdbm, int64_t min_step_us);
/** Takes one read. Returns -ENOSPC when max_pairs is reached (the read is counted as dropped). */
int presence_read(struct presence *p, uint32_t source, const struct rfid_read *r);
/** A tag that an earlier life told to be present, without telling it again: if it is not read by
 * its time it is told GONE. Does nothing if it is present already. */
int presence_restore(struct presence *p, uint32_t source, const struct epc *epc, int64_t now_us);
/** Emits what became gone or due by `now_us` (same clock as the reads); call about four times a
 * second. */
void presence_tick(struct presence *p, int64_t now_us);
/** A reader went away: forget (no GONE) its sources' timeouts until it is back, so that a lost
 * connection does not look like an emptied shelf. Resume restarts the timeouts from `now_us`. */
void presence_suspend(struct presence *p, uint32_t source);
void presence_resume(struct presence *p, uint32_t source, int64_t now_us);
size_t presence_pairs(const struct presence *p);
/** Distinct tags present at any antenna. */
size_t presence_tags(const struct presence *p);
