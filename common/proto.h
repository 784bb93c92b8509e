/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The link between agent and controller: the one place where both sides meet. HTTPS with mutual TLS
 * on the agents' listener; every body is one CBOR map with small integer keys. Key 0 is the
 * protocol version, key 1 the sender's capability bits. Unknown keys are skipped, so that agent N
 * talks with controller N-1 to N+1; a body of another major version is refused with 400.
 *
 *   POST /agent/v1/enroll      proto_enroll_request  -> proto_enroll_response   (no client
 * certificate) POST /agent/v1/renew       proto_enroll_request  -> proto_enroll_response   (code
 * empty) POST /agent/v1/sightings   proto_sightings       -> proto_ack     200 only after the
 * commit POST /agent/v1/labels      proto_label_reports   -> proto_ack     200 only after the
 * commit GET  /agent/v1/desired?epoch=E&after=REV&wait=S  -> proto_desired long poll, S <= 60 GET
 * /agent/v1/images/{sha256 hex}               -> serial form of common/image.h POST
 * /agent/v1/health      proto_health          -> proto_health_response
 *
 * A replayable stream is named by (agent, journal id, stream); its entries are numbered from 1
 * without gaps. The receiver keeps a high-water mark per stream, committed with the data; entries
 * at or below it are dropped, so a replay is counted once. The ack names the highest sequence that
 * is durable.
 *
 * Of some tags the controller asks for raw reads (proto_watch): POST /agent/v1/reads carries
 * proto_reads -> proto_ack, a stream like the others.
 *
 * Instants are int64 microseconds UTC as the agent knows the controller's clock.
 *
 * Encoders append to a struct buf. Decoders check everything against the stated caps; on failure
 * they return a negative code, leave nothing allocated and set *ret_at (if not NULL) to the byte
 * offset. What a decoder yields is owned by the caller and released with the matching _done().
 */
#pragma once

#include "common/buf.h"
#include "common/epc.h"
#include "common/image.h"
#include "common/led.h"
#include "common/sensor.h"

#define PROTO_VERSION    1u
/** Capability bits of key 1. */
#define PROTO_CAP_LABELS 1u /**< agent drives a label radio */
#define PROTO_CAP_RFID   2u /**< agent drives LLRP readers */

#define PROTO_CONTENT_TYPE     "application/cbor"
#define PROTO_MAX_BODY         (1u << 20)
#define PROTO_JOURNAL_ID_BYTES 16
#define PROTO_PIN_MAX          65
#define PROTO_NAME_MAX         64  /**< agent, reader and interface names, NUL included */
#define PROTO_TEXT_MAX         256 /**< error texts and versions, NUL included */
#define PROTO_MAX_SIGHTINGS    4096
#define PROTO_MAX_SOURCES      1024
#define PROTO_MAX_REPORTS      1024
#define PROTO_MAX_LABELS       8192
#define PROTO_MAX_TIMELINE     8
#define PROTO_MAX_READERS      16
#define PROTO_MAX_ANTENNAS     32
#define PROTO_MAX_INTERFACES   16
#define PROTO_MAX_DER          8192
#define PROTO_CODE_MAX         128
#define PROTO_MAX_LEDS         8
#define LABEL_ADDR_BYTES       6

/* --- enrolment -------------------------------------------------------------------------------- */

struct proto_enroll_request {
	uint64_t caps;
	char code[PROTO_CODE_MAX]; /**< join code as typed; empty when renewing */
	char name[PROTO_NAME_MAX]; /**< what the agent would like to be called */
	char version[PROTO_TEXT_MAX];
	uint8_t csr[PROTO_MAX_DER]; /**< PKCS#10, DER */
	size_t csr_len;
};

struct proto_enroll_response {
	uint64_t caps;
	uint64_t agent_id;
	char name[PROTO_NAME_MAX];   /**< the name the controller gave it */
	uint8_t cert[PROTO_MAX_DER]; /**< X.509, DER */
	size_t cert_len;
	uint8_t ca[PROTO_MAX_DER]; /**< the store CA's certificate, DER */
	size_t ca_len;
	int64_t server_time_us;
};

int proto_enroll_request_encode(const struct proto_enroll_request *m, struct buf *out) _must_check_;
int proto_enroll_request_decode(const void *data, size_t len, struct proto_enroll_request *ret,
				size_t *ret_at) _must_check_;
int proto_enroll_response_encode(const struct proto_enroll_response *m,
				 struct buf *out) _must_check_;
int proto_enroll_response_decode(const void *data, size_t len, struct proto_enroll_response *ret,
				 size_t *ret_at) _must_check_;

/* --- sightings -------------------------------------------------------------------------------- */

enum sighting_kind {
	SIGHTING_APPEAR = 1,  /**< first read of this tag at this antenna */
	SIGHTING_REFRESH = 2, /**< still there: evidence changed, or a long time passed */
	SIGHTING_GONE = 3,    /**< not read for longer than its own read rate allows */
	SIGHTING_KIND_COUNT
};

/** One antenna of one reader, as named in this message. */
struct proto_source {
	char reader[PROTO_NAME_MAX];
	uint16_t antenna; /**< 1-based, as LLRP counts */
};

struct proto_sighting {
	struct epc epc;
	uint8_t kind;      /**< enum sighting_kind */
	uint16_t source;   /**< index into the message's sources */
	int64_t first_us;  /**< first read of this presence */
	int64_t last_us;   /**< last read so far */
	uint32_t count;    /**< reads since the last sighting of this tag here */
	int16_t rssi_cdbm; /**< mean of those reads, 1/100 dBm */
	int16_t peak_cdbm; /**< strongest of those reads, 1/100 dBm */
	uint16_t rate_mhz; /**< estimated reads per second times 1000, saturating */
};

struct proto_sightings {
	uint64_t caps;
	uint8_t journal_id[PROTO_JOURNAL_ID_BYTES];
	uint64_t first_seq; /**< sequence of entry 0; the others follow without gaps */
	size_t n_sources;
	struct proto_source *sources;
	size_t n;
	struct proto_sighting *sightings;
};

int proto_sightings_encode(const struct proto_sightings *m, struct buf *out) _must_check_;
int proto_sightings_decode(const void *data, size_t len, struct proto_sightings *ret,
			   size_t *ret_at) _must_check_;
void proto_sightings_done(struct proto_sightings *m);

struct proto_ack {
	uint64_t caps;
	uint64_t acked; /**< highest sequence of the stream that is durable */
	int64_t server_time_us;
};

int proto_ack_encode(const struct proto_ack *m, struct buf *out) _must_check_;
int proto_ack_decode(const void *data, size_t len, struct proto_ack *ret,
		     size_t *ret_at) _must_check_;

/* --- labels ----------------------------------------------------------------------------------- */

enum label_report_kind {
	LABEL_SEEN = 1,       /**< advertises, belongs to nobody yet (or lost sync) */
	LABEL_ASSOCIATED = 2, /**< configured and synchronized; carries display and keys */
	LABEL_STAGED = 3,     /**< image is in a slot of the label, not necessarily visible */
	LABEL_SENT = 4,       /**< display command for the image went out, no answer yet */
	LABEL_SHOWN = 5,      /**< evidence that the image is (or at from_us will be) visible */
	LABEL_ERROR = 6,      /**< could not; text says why; the engine goes on trying */
	LABEL_LOST = 7,       /**< no answer for long */
	LABEL_STATUS = 8,     /**< battery, temperature, RSSI */
	LABEL_REPORT_KIND_COUNT
};

/** How well we know that a label shows something, weakest first. */
enum evidence_grade {
	EVIDENCE_NONE = 0,
	EVIDENCE_ACKNOWLEDGED = 1, /**< the label answered Display State to the command */
	EVIDENCE_CONFIRMED = 2,    /**< a later Ping found nothing pending and no service needed */
	EVIDENCE_READ_BACK = 3,    /**< Refresh answered with this image's slot, or pixels read */
	EVIDENCE_GRADE_COUNT
};

/** What became of a flash that was asked for. */
enum led_report {
	LED_REPORT_NONE = 0,
	LED_REPORT_ON = 1,     /**< the label acknowledged: it blinks until led_until_us */
	LED_REPORT_FAILED = 2, /**< it will not; text says why */
	LED_REPORT_COUNT
};

#define PROTO_KEY_BYTES 24 /**< session key and IV of one key material (ESLS 1.0) */

struct proto_label_report {
	uint8_t addr[LABEL_ADDR_BYTES];  /**< Bluetooth address, most significant byte first */
	uint8_t kind;                    /**< enum label_report_kind */
	int64_t at_us;                   /**< when it happened */
	uint8_t image[IMAGE_HASH_BYTES]; /**< STAGED, SENT, SHOWN, ERROR; zero if none */
	uint8_t grade;                   /**< SHOWN: enum evidence_grade */
	uint16_t width, height;          /**< SEEN if known, ASSOCIATED */
	uint8_t display_type;            /**< enum display_type */
	uint8_t slots;                   /**< image slots, ASSOCIATED */
	uint8_t esl_group, esl_id;       /**< ASSOCIATED */
	int8_t rssi_dbm;                 /**< 0 = unknown */
	uint16_t battery_mv;             /**< 0 = unknown */
	int16_t temperature_cc;          /**< 1/100 degree Celsius; INT16_MIN = unknown */
	bool has_keys;                   /**< ASSOCIATED: response key follows, for escrow */
	uint8_t response_key[PROTO_KEY_BYTES];
	uint8_t train_key[PROTO_KEY_BYTES];
	int error;                 /**< ERROR: positive ERR_* or errno */
	char text[PROTO_TEXT_MAX]; /**< ERROR, LOST, a failed flash: a sentence for a person */
	/* Keys that an older controller passes over. */
	bool has_leds; /**< ASSOCIATED, STATUS: the label has said which LEDs it has */
	uint8_t n_leds;
	uint8_t leds[PROTO_MAX_LEDS]; /**< an octet each (common/led.h) */
	uint8_t led;                  /**< STATUS: enum led_report */
	uint8_t led_colour;           /**< of that flash */
	int64_t led_until_us;         /**< of that flash */
	uint8_t n_sensors;            /**< STATUS: what it measured, as it counts its sensors */
	struct sensor_reading sensors[SENSORS_MAX];
	int64_t led_off_us; /**< STATUS: the flash until then was called off, and is over; `text`
			     * says if its LED is not dark yet; 0 = nothing of that */
	bool has_reading;   /**< STATUS: one sensor's value, read in the train: */
	uint8_t reading;    /**< its number, */
	int64_t reading_until_us; /**< the wish that asked for it; 0 = nobody did, */
	uint8_t reading_len;      /**< 0 = there is none, and `text` says why */
	uint8_t reading_data[SENSOR_DATA_MAX];
};

struct proto_label_reports {
	uint64_t caps;
	uint8_t journal_id[PROTO_JOURNAL_ID_BYTES];
	uint64_t first_seq;
	size_t n;
	struct proto_label_report *reports;
};

int proto_label_reports_encode(const struct proto_label_reports *m, struct buf *out) _must_check_;
int proto_label_reports_decode(const void *data, size_t len, struct proto_label_reports *ret,
			       size_t *ret_at) _must_check_;
void proto_label_reports_done(struct proto_label_reports *m);
/** One report alone, as the agent's journal stores it. */
int proto_label_report_encode(const struct proto_label_report *m, struct buf *out) _must_check_;
int proto_label_report_decode(const void *data, size_t len,
			      struct proto_label_report *ret) _must_check_;

/* --- desired state ---------------------------------------------------------------------------- */

/** An instant that never comes: what a timeline has from then on is staged on the label, and kept
 * there, but not shown until a later timeline gives it a date. */
#define PROTO_HOLD_US INT64_C(253370764800000000) /* the year 9999 */

struct proto_timeline {
	uint8_t image[IMAGE_HASH_BYTES];
	int64_t from_us; /**< shown from this instant; at or before now = at once */
};

struct proto_desired_label {
	uint8_t addr[LABEL_ADDR_BYTES];
	uint64_t rev; /**< revision at which this label's wish last changed */
	bool forget;  /**< no longer this agent's label */
	size_t n;     /**< timeline length, oldest first; 0 = adopt, show nothing yet */
	struct proto_timeline timeline[PROTO_MAX_TIMELINE];
	/** Make it blink, not beyond this instant; 0 = no. An older agent passes it over. */
	int64_t flash_until_us;
	uint8_t flash_colour; /**< enum led_colour; LED_NONE = turn off what blinks until then */
	/** Read these sensors (a bit each) once, not beyond this instant; 0 = none. An older agent
	 * passes it over. */
	int64_t sensors_until_us;
	uint8_t sensors;
};

struct proto_desired_reader {
	char name[PROTO_NAME_MAX];
	char host[PROTO_TEXT_MAX];
	uint16_t port;
	size_t n_antennas; /**< 0 = all the reader has */
	uint16_t antennas[PROTO_MAX_ANTENNAS];
	uint8_t session;              /**< Gen2 session 0-3 */
	int16_t power_cdbm;           /**< 0 = the reader's highest */
	char profile[PROTO_NAME_MAX]; /**< common/gen2_profile.h; empty = the standard */
	uint8_t llrp_version;         /**< highest to agree on: 0, 1 = 1.0.1, 2 = 1.1 */
	bool reader_calls;            /**< the reader connects to the agent, not the other way */
	bool tls;
	char tls_pin[PROTO_PIN_MAX]; /**< SHA-256 of its certificate in hex; empty = any */
};

#define PROTO_MAX_FOLLOW        16
#define PROTO_MAX_DOORS         16
#define PROTO_MAX_DOOR_ANTENNAS 16

/** Whose raw reads are asked for until then: a tag that somebody carries about. */
struct proto_follow {
	uint32_t walk;
	struct epc epc;
	int64_t until_us;
};

enum door_side {
	DOOR_INNER = 1,
	DOOR_OUTER = 2,
	DOOR_SIDE_COUNT
};

struct proto_door_antenna {
	char reader[PROTO_NAME_MAX];
	uint16_t antenna;
	uint8_t side; /**< enum door_side */
};

/** A door: passages of tags through its antennas are told read by read. */
struct proto_door {
	uint32_t door;
	size_t n;
	struct proto_door_antenna antennas[PROTO_MAX_DOOR_ANTENNAS];
};

struct proto_watch {
	bool fine; /**< sightings in finer steps: the controller has a model that can use them */
	size_t n_follow;
	struct proto_follow follow[PROTO_MAX_FOLLOW];
	size_t n_doors;
	struct proto_door doors[PROTO_MAX_DOORS];
};

struct proto_operation; /* common/proto_operations.h */

struct proto_desired {
	uint64_t caps;
	uint64_t epoch; /**< identity of the controller's database; a change means start over */
	uint64_t rev;   /**< revision this answer brings the agent to */
	bool full;      /**< the lists are complete, not changes: forget what is not in them */
	bool has_readers;
	size_t n_readers;
	struct proto_desired_reader *readers;
	size_t n_labels;
	struct proto_desired_label *labels;
	int64_t server_time_us;
	struct proto_watch *watch; /**< NULL = unchanged. An older agent passes it over. */
	/** The list is told: all operations on tags that are to be carried out. An older agent
	 * passes it over. */
	bool has_operations;
	size_t n_operations;
	struct proto_operation *operations;
	/** Keys of labels made before that instant are to be replaced; 0 = nobody asked. An older
	 * agent passes it over. */
	int64_t rotate_keys_us;
	/** Sensors of all labels are read once in so many seconds; negative = only when asked for,
	 * 0 = unchanged. An older agent passes it over. */
	int64_t sensor_period_s;
};

int proto_desired_encode(const struct proto_desired *m, struct buf *out) _must_check_;
int proto_desired_decode(const void *data, size_t len, struct proto_desired *ret,
			 size_t *ret_at) _must_check_;
void proto_desired_done(struct proto_desired *m);

/* --- raw reads of some tags ------------------------------------------------------------------- */

#define PROTO_MAX_READS         4096 /**< of a message */
#define PROTO_MAX_ENTRY_READS   400  /**< of one entry */
#define PROTO_MAX_READ_ENTRIES  256
#define PROTO_MAX_ENTRY_SOURCES 32
/** An entry as encoded is never longer. */
#define PROTO_MAX_READ_ENTRY    12288

enum reads_kind {
	READS_WALK = 1,    /**< the next reads of a tag that is followed */
	READS_PASSAGE = 2, /**< one passage of a tag through a door */
	READS_KIND_COUNT
};

struct proto_read {
	uint8_t source;    /**< index into its entry's sources */
	int64_t at_us;     /**< not before the read ahead of it */
	int16_t rssi_cdbm; /**< INT16_MIN = unknown */
	uint16_t channel;  /**< 0 = unknown */
	uint16_t phase;    /**< 4096 a turn; UINT16_MAX = unknown */
	int16_t doppler;   /**< 1/16 Hz; INT16_MIN = unknown */
	uint16_t count;    /**< reads that the reader merged into this one */
};

struct proto_reads_entry {
	uint8_t kind;     /**< enum reads_kind */
	uint32_t subject; /**< the walk's or the door's number, as wished */
	struct epc epc;
	uint64_t dropped; /**< reads that found no room since the agent started, of all entries */
	size_t n_sources;
	struct proto_source *sources;
	size_t n;
	struct proto_read *reads;
};

struct proto_reads {
	uint64_t caps;
	uint8_t journal_id[PROTO_JOURNAL_ID_BYTES];
	uint64_t first_seq; /**< sequence of entry 0; the others follow without gaps */
	size_t n;
	struct proto_reads_entry *entries;
};

int proto_reads_encode(const struct proto_reads *m, struct buf *out) _must_check_;
int proto_reads_decode(const void *data, size_t len, struct proto_reads *ret,
		       size_t *ret_at) _must_check_;
void proto_reads_done(struct proto_reads *m);
/** One entry alone, as the agent's journal stores it. */
int proto_reads_entry_encode(const struct proto_reads_entry *e, struct buf *out) _must_check_;
int proto_reads_entry_decode(const void *data, size_t len,
			     struct proto_reads_entry *ret) _must_check_;
void proto_reads_entry_done(struct proto_reads_entry *e);

/* --- health ----------------------------------------------------------------------------------- */

#define PROTO_MAX_TROUBLES 6
#define PROTO_MAX_CHANNELS 64
#define PROTO_SSID_MAX     33
#define PROTO_MAX_GROUPS   128
#define PROTO_MAX_SIGNAL   12
#define PROTO_BUSY_UNKNOWN 255
#define PROTO_CHANNELS     37
#define PROTO_CHANNELS_ALL ((UINT64_C(1) << PROTO_CHANNELS) - 1)

/** Something wrong with a reader's radio. Codes: ap-agent/radio_watch.h. */
struct proto_trouble {
	char code[PROTO_NAME_MAX];
	uint16_t antenna;          /**< 0 = all of the reader */
	int64_t since_us;          /**< UTC on the agent's clock; 0 = unknown */
	char text[PROTO_TEXT_MAX]; /**< the evidence, a sentence */
};

/** What an antenna reads, now and usually. */
struct proto_health_antenna {
	uint16_t antenna;
	uint32_t usual_mhz, now_mhz; /**< reads a second times 1000 */
	int64_t last_us;             /**< UTC on the agent's clock; 0 = never */
	bool off;                    /**< the reader says that nothing is connected */
};

/** What a channel of the reader's hop table reads, now and usually. */
struct proto_health_channel {
	uint16_t channel;             /**< 1-based */
	uint32_t khz;                 /**< 0 = not told */
	uint32_t usual_ppm, now_ppm;  /**< of all reads */
	int16_t usual_cdbm, now_cdbm; /**< mean signal strength; 0 = unknown */
	bool failing;
};

struct proto_health_reader {
	char name[PROTO_NAME_MAX];
	char state[PROTO_NAME_MAX]; /**< "running", "connecting", "failed", ... */
	char model[PROTO_NAME_MAX];
	char error[PROTO_TEXT_MAX];
	uint64_t reads;
	uint64_t reconnects;
	uint8_t llrp_version; /**< as on the wire: 1 = 1.0.1, 2 = 1.1; 0 = not told */
	/* what became of the tag reports, rfid/rfid.h: struct rfid_ledger */
	uint64_t reports, handed_on, unclaimed, strange, held, resumed;
	uint64_t sightings; /**< that they led to, sent on */
	uint64_t buffer_warnings, buffer_overflows;
	uint64_t gaps, gaps_us;
	char gap_cause[PROTO_NAME_MAX]; /**< of the last one; empty = there was none */
	int64_t gap_from_us, gap_to_us; /**< UTC on the agent's clock */
	char tls_peer[PROTO_PIN_MAX];   /**< pin of the certificate the reader showed */
	size_t n_troubles;
	struct proto_trouble troubles[PROTO_MAX_TROUBLES];
	/* Keys that an older controller passes over. */
	uint64_t drifts, mended; /**< times it was not as set, and was set right again */
	size_t n_antennas;
	struct proto_health_antenna antennas[PROTO_MAX_ANTENNAS];
	size_t n_channels;
	struct proto_health_channel channels[PROTO_MAX_CHANNELS];
};

struct proto_health_interface {
	char name[PROTO_NAME_MAX];
	bool up; /**< operational */
	bool wireless;
	char address[PROTO_NAME_MAX]; /**< first global address as text; empty if none */
	uint32_t frequency_mhz;       /**< Wi-Fi channel; 0 = unknown */
	int8_t signal_dbm;            /**< 0 = unknown */
	bool carrier;                 /**< something is at the other end */
	bool was_up;                  /**< it has carried since the agent began to watch */
	uint32_t speed_mbps;          /**< 0 = unknown */
	uint8_t duplex;               /**< enum proto_duplex */
	uint8_t role;                 /**< enum proto_wifi_role */
	char ssid[PROTO_SSID_MAX];    /**< as text; what is no text in it is shown as '?' */
	uint32_t centre_mhz;          /**< of the whole width; 0 = unknown */
	uint32_t width_mhz;           /**< 0 = unknown */
	int8_t noise_dbm;             /**< 0 = unknown */
	uint8_t busy_percent;         /**< share of the time the channel is taken; 255 = unknown */
	uint16_t changes;             /**< times it went up or down within ten minutes */
	int64_t changed_us;           /**< last of these, UTC on the agent's clock; 0 = none seen */
};

enum proto_duplex {
	PROTO_DUPLEX_UNKNOWN,
	PROTO_DUPLEX_HALF,
	PROTO_DUPLEX_FULL
};
enum proto_wifi_role {
	PROTO_WIFI_NONE,
	PROTO_WIFI_STATION,
	PROTO_WIFI_AP,
	PROTO_WIFI_MESH,
	PROTO_WIFI_MONITOR, /**< listens only */
	PROTO_WIFI_OTHER
};

#define PROTO_MAX_STATIONS 8
#define PROTO_STATION_TEXT 80

/** An access point of another make that is (part of) the label radio, as it tells of itself.
 * Numbers below 0 were not told. */
struct proto_station {
	char address[PROTO_STATION_TEXT];
	char name[PROTO_STATION_TEXT];
	char state[PROTO_STATION_TEXT]; /**< in a few words */
	char version[PROTO_STATION_TEXT];
	bool up;
	int64_t channel;
	int64_t tags;           /**< in its database, */
	int64_t serves, queued; /**< of ours, and those of them for whom something waits there */
	int64_t heap_bytes, storage_bytes;
	int64_t wifi_dbm; /**< 0 = not told */
	int64_t low_batteries, timeouts;
	int64_t uptime_s;
};

/** The label radio, as esl-radio/esl.h tells it. */
struct proto_health_radio {
	char driver[PROTO_NAME_MAX]; /**< empty = nothing of this was told */
	char controller[PROTO_TEXT_MAX];
	/* the train; units of esl-radio/esl.h; interval 0 = it has none */
	uint16_t interval;
	uint8_t subevents, subevent_interval, response_delay, response_spacing, response_slots;
	uint32_t capacity, labels, synced, waiting, lost;
	uint32_t armed;      /**< times the train was started */
	int64_t armed_us;    /**< last of these, UTC on the agent's clock; 0 = never */
	bool channels_known; /**< the controller took `channels` */
	uint64_t channels;   /**< data channels in use, bit n = channel n */
	uint64_t wanted;     /**< data channels that should be */
	uint8_t refused;     /**< why it takes none, as an HCI status; 0 = it does */
	uint64_t packets, commands, acks, retries, uploads, upload_failures, decrypt_failures;
	size_t n_groups;
	uint8_t groups[PROTO_MAX_GROUPS]; /**< labels in each */
	size_t n_signal;
	uint32_t signal[PROTO_MAX_SIGNAL]; /**< labels by signal: below -95 dBm, then 5 dB each */
	bool keys_rotating;                /**< labels are being given new keys: */
	uint32_t keys_old;                 /**< so many still have the old ones */
	int64_t keys_since_us; /**< the present ones were made then, UTC; 0 = not known */
	/* A rollout to all of its labels, each needing one picture; 0 = not known: */
	uint32_t picture_ms; /**< for one picture, while several go at once */
	uint32_t flip_s;     /**< until every label has said that it will flip */
	size_t n_stations;   /**< 0 = its controller is the agent's own */
	struct proto_station stations[PROTO_MAX_STATIONS];
	/** Bonds and keys of labels that the controller has not yet; nothing when the next is -1.
	 */
	uint32_t unescrowed;
	/** Labels whose bond it has not: they would have to be paired anew if this machine died
	 * now. -1 = not told, by agents of before. */
	int64_t unescrowed_bonds;
};

struct proto_health {
	uint64_t caps;
	char version[PROTO_TEXT_MAX];
	int64_t uptime_us;
	int64_t clock_offset_us;      /**< controller minus agent, as measured on this link */
	int64_t clock_uncertainty_us; /**< half the best round trip; negative = not measured yet */
	uint64_t journal_depth;       /**< entries not acknowledged yet, both streams */
	uint64_t journal_dropped;     /**< entries given up because the flash was full */
	uint64_t rss_kib;
	uint64_t tags_in_view;
	uint32_t labels_synced;
	char radio_state[PROTO_NAME_MAX]; /**< "running", "down", "none" */
	char radio_error[PROTO_TEXT_MAX];
	char last_error[PROTO_TEXT_MAX];
	int64_t cert_not_after_us;
	size_t n_readers;
	struct proto_health_reader readers[PROTO_MAX_READERS];
	size_t n_interfaces;
	struct proto_health_interface interfaces[PROTO_MAX_INTERFACES];
	struct proto_health_radio radio;
};

struct proto_health_response {
	uint64_t caps;
	int64_t server_time_us;
};

int proto_health_encode(const struct proto_health *m, struct buf *out) _must_check_;
int proto_health_decode(const void *data, size_t len, struct proto_health *ret,
			size_t *ret_at) _must_check_;
int proto_health_response_encode(const struct proto_health_response *m,
				 struct buf *out) _must_check_;
int proto_health_response_decode(const void *data, size_t len, struct proto_health_response *ret,
				 size_t *ret_at) _must_check_;
