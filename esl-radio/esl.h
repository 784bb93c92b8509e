/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The label room's front door: an engine that makes labels show what is wanted when it is wanted,
 * and says what is known about it. Behind it: ESL payloads (ESLS/ESLP 1.0), encrypted advertising
 * data, the PAwR schedule, image slots, and two radio seams (esl_radio.h: broadcast; esl_link.h:
 * connected); or, instead, an OpenEPaperLink access point with labels of its own kind (oepl/). Runs
 * on the caller's loop; never logs above debug; never writes to disk (the caller keeps what the
 * `save` callback hands it). How the room is laid out: engine.h.
 *
 * Callbacks come from the loop, or from within esl_engine_want(), _set_utc() and _image(); they may
 * call back into the engine, except esl_engine_free().
 */
#pragma once

#include "common/image.h"
#include "common/led.h"
#include "common/loop.h"
#include "common/sensor.h"

#define ESL_ADDR_BYTES   6
#define ESL_KEY_BYTES    24 /**< 16 B session key + 8 B IV, wire order */
#define ESL_TIMELINE_MAX 8
#define ESL_TEXT_MAX     160
#define ESL_LEDS_MAX     8  /**< LEDs of a label we make use of */
#define ESL_SENSORS_MAX  8  /**< sensors of a label we make use of */
#define ESL_SENSOR_MAX   16 /**< bytes of a sensor's value */

/** PAwR train (Core 5.4 Vol 4 Part E 7.8.61 v2). Zero fields = the default train below. */
struct esl_train {
	uint16_t interval;         /**< 1.25 ms; default 1248 = 1560 ms */
	uint8_t subevents;         /**< default 26 */
	uint8_t subevent_interval; /**< 1.25 ms; default 48 = 60 ms */
	uint8_t response_delay;    /**< 1.25 ms; default 34 = 42.5 ms */
	uint8_t response_spacing;  /**< 0.125 ms; default 6 = 0.75 ms */
	uint8_t response_slots;    /**< default 23 */
};

/** Is this where a controller's byte stream can be (see hci below)? 0 or -ERR_SYNTAX. */
int esl_hci_check(const char *address) _must_check_;
/** Are these addresses of OpenEPaperLink access points (see oepl below)? 0 or -ERR_SYNTAX. */
int esl_oepl_check(const char *url) _must_check_;
/** -ERR_RANGE with a sentence in `why` if the train breaks a rule (doc/esl.md has them). */
int esl_train_check(const struct esl_train *t, char why[ESL_TEXT_MAX]) _must_check_;
/** Does the file of label models hang together? -ERR_CONFIG with "FILE:LINE: ..." in `why`. */
int esl_panels_check(const char *file, char why[2 * ESL_TEXT_MAX]) _must_check_;

struct esl_engine_config {
	struct esl_train train;
	/** H4 byte stream of the controller: "unix:PATH", "tcp:ADDRESS:PORT" or
	 * "uart:DEVICE:BAUD"; or "bluez:ADAPTER", an adapter of the system. It sends the train and
	 * makes the connections. */
	const char *hci;
	/** Instead of a controller: OpenEPaperLink access points, which have labels of their own
	 * kind: "http://HOST[:PORT]", up to ESL_STATIONS_MAX with commas between them. The train
	 * and the links mean nothing then. Borrowed. */
	const char *oepl;
	unsigned int max_links; /**< connections at once; 0 = 4 */
	unsigned int key_days;  /**< the train's key is replaced at that age; 0 = when told */
	const char *panels; /**< descriptions of label models (panels.conf); NULL or empty = none */
	uint32_t seed;      /**< for tests; 0 = from the system */
};

/** Same values as enum label_report_kind and enum evidence_grade in common/proto.h. */
enum esl_report_kind {
	ESL_SEEN = 1,
	ESL_ASSOCIATED = 2,
	ESL_STAGED = 3,
	ESL_SENT = 4,
	ESL_SHOWN = 5,
	ESL_ERROR = 6,
	ESL_LOST = 7,
	ESL_STATUS = 8,
};
enum esl_grade {
	ESL_GRADE_NONE,
	ESL_GRADE_ACKNOWLEDGED,
	ESL_GRADE_CONFIRMED,
	ESL_GRADE_READ_BACK
};

/** The first three have the same values as enum led_report in common/proto.h. */
enum esl_led {
	ESL_LED_NONE,
	ESL_LED_ON,
	ESL_LED_FAILED,
	ESL_LED_OFF /**< called off: it is dark, or `text` says why it is not yet */
};

struct esl_report {
	uint8_t addr[ESL_ADDR_BYTES]; /**< most significant byte first */
	enum esl_report_kind kind;
	/** UTC; SHOWN: since when it is shown, the redraw over, whatever the grade of evidence. */
	int64_t at_us;
	uint8_t image[IMAGE_HASH_BYTES];
	enum esl_grade grade;
	uint16_t width, height;
	uint8_t display_type;
	uint8_t slots;
	uint8_t group, id;
	int8_t rssi_dbm;
	uint16_t battery_mv;    /**< 0 = unknown */
	int16_t temperature_cc; /**< INT16_MIN = unknown */
	bool has_keys;
	uint8_t response_key[ESL_KEY_BYTES];
	uint8_t train_key[ESL_KEY_BYTES];
	int error;               /**< positive code for ESL_ERROR */
	char text[ESL_TEXT_MAX]; /**< a sentence for a person; empty if none */
	bool leds_known;         /**< ASSOCIATED, STATUS */
	uint8_t n_leds;
	uint8_t leds[ESL_LEDS_MAX]; /**< an octet each (common/led.h) */
	enum esl_led led;           /**< STATUS: what became of a flash, */
	uint8_t led_colour;         /**< of which colour, */
	int64_t led_until_us;       /**< and until when */
	uint8_t n_sensors;          /**< STATUS: what it measured, as it counts its sensors */
	struct sensor_reading sensors[SENSORS_MAX];
	bool has_sensor;    /**< STATUS: the value of a sensor, */
	uint8_t sensor;     /**< of this number, */
	uint8_t sensor_len; /**< 0 = there is none, and `text` says why */
	uint8_t sensor_data[ESL_SENSOR_MAX];
	int64_t sensor_until_us; /**< of the wish that asked for it; 0 = nobody asked */
};

struct esl_engine_callbacks {
	void (*report)(void *user, const struct esl_report *r);
	/** The engine wants to stage this image; answer (now or later) with esl_engine_image().
	 * Asked again after 30 s without an answer. */
	void (*need_image)(void *user, const uint8_t hash[IMAGE_HASH_BYTES]);
	/** Keep this blob durably under `key` ("train", or a label's address in hex) before
	 * returning; len 0 = forget it. Returns 0 or a negative code, and the engine then holds
	 * back what depends on it. */
	int (*save)(void *user, const char *key, const void *data, size_t len);
	/** Radio went up or down; text may be NULL. One that is up may come with a warning. */
	void (*radio)(void *user, bool up, int err, const char *text);
};

struct esl_want {
	uint8_t addr[ESL_ADDR_BYTES];
	size_t n; /**< timeline, oldest first; 0 = adopt the label, show nothing yet */
	struct {
		uint8_t image[IMAGE_HASH_BYTES];
		int64_t from_us; /**< UTC; at or before now = at once */
	} timeline[ESL_TIMELINE_MAX];
	/** Make it blink, not beyond this instant (UTC); 0 = no. A STATUS report says whether it
	 * does. More of them than common/led.h allows are refused. Without a colour: turn off what
	 * blinks until then. */
	int64_t flash_until_us;
	uint8_t flash_colour; /**< enum led_colour */
	/** Read these sensors (a bit each) once, and give up at this instant (UTC); 0 = none.
	 * STATUS reports bring a value each, or say why there is none. The same instant again is
	 * the same wish. */
	int64_t sensors_until_us;
	uint8_t sensors;
};

struct esl_stats {
	uint32_t labels, synced;
	uint64_t packets, commands, acks, retries, uploads, upload_failures;
	uint64_t resumed;          /**< uploads that went on where a broken link had left them */
	uint64_t decrypt_failures; /**< responses that did not authenticate */
	bool radio_up;
	bool rotating;             /**< labels are being given new keys: */
	uint32_t keys_old;         /**< so many still have the old ones */
	int64_t keys_since_utc_us; /**< the train's key was made then; 0 = not known */
};

/** Answers by their signal: below -95 dBm, then steps of 5 dB, the last one from -45 dBm. */
#define ESL_SIGNAL_STEPS   12
#define ESL_GROUPS_AT_MOST 128
#define ESL_DATA_CHANNELS  37
#define ESL_CHANNELS_ALL   ((UINT64_C(1) << ESL_DATA_CHANNELS) - 1)

#define ESL_STATIONS_MAX     8
#define ESL_STATION_TEXT_MAX 80

/** An access point of another make that is (part of) this radio, as it tells of itself. Numbers
 * below 0 were not told. */
struct esl_station {
	char address[ESL_STATION_TEXT_MAX];
	char name[ESL_STATION_TEXT_MAX];  /**< its alias there; empty = none */
	char state[ESL_STATION_TEXT_MAX]; /**< in a few words */
	bool up;
	int32_t channel;
	int32_t tags;    /**< in its database, */
	uint32_t serves; /**< and of our labels those that it serves, */
	uint32_t queued; /**< of which so many have something waiting there */
	int64_t heap_bytes, storage_bytes;
	int32_t wifi_dbm; /**< how it hears its own Wi-Fi; 0 = not told */
	int32_t low_batteries, timeouts;
	int64_t uptime_s;
	char version[ESL_STATION_TEXT_MAX]; /**< of its firmware; empty = not told */
};

/** The radio as a person looks at it. */
struct esl_radio_view {
	char driver[16];        /**< "h4", ...; empty = this engine tells nothing here */
	char controller[96];    /**< what the controller says it is; empty = not known */
	struct esl_train train; /**< in use, no zero fields; all zero = no train */
	uint32_t capacity;      /**< labels the train has addresses for */
	uint32_t armed;         /**< times the train was started */
	int64_t armed_us;       /**< monotonic; 0 = never */
	bool channels_known;    /**< the controller was told; below what, bit n = data channel n */
	uint64_t channels;
	uint8_t channels_refused;          /**< HCI status of a controller that does not take it */
	uint32_t waiting;                  /**< labels whose wish is not on them yet */
	uint32_t lost;                     /**< silent for long */
	uint16_t groups;                   /**< as many as there are subevents */
	uint8_t group[ESL_GROUPS_AT_MOST]; /**< labels in each */
	uint32_t signal[ESL_SIGNAL_STEPS]; /**< labels by the signal of what was heard last */
	size_t n_stations;                 /**< 0 = it is a controller of ours */
	struct esl_station stations[ESL_STATIONS_MAX];
};

/** What a rollout to every label of this radio would take, each needing one picture of its size. */
struct esl_outlook {
	uint32_t labels;
	uint32_t picture_ms; /**< for one picture, while several go at once */
	uint32_t stage_s;    /**< all of them */
	uint32_t flip_s;     /**< until every label has said that it will flip */
	char why[ESL_TEXT_MAX + 96];
};

struct esl_engine;

int esl_engine_new(struct loop *loop, const struct esl_engine_config *cfg,
		   const struct esl_engine_callbacks *cb, void *user,
		   struct esl_engine **ret) _must_check_;
/** Gives back what `save` was handed in an earlier life, any order, before esl_engine_start(). */
int esl_engine_restore(struct esl_engine *e, const char *key, const void *data,
		       size_t len) _must_check_;
/** What another machine's `save` was handed, whose label is ours now; at any time, the bond before
 * the label. It is saved as ours. -EEXIST for a label that is known here already, -ENOTSUP for what
 * is of no use here, such as a bond that was made under the name of that machine's radio. */
int esl_engine_take_over(struct esl_engine *e, const char *key, const void *data,
			 size_t len) _must_check_;
/** Has it been adopted, or kept from an earlier life? Always true where another keeps the labels.
 */
bool esl_engine_knows(const struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES]);
/** Opens the radio and keeps reopening it (0.5 s doubling to 30 s). */
int esl_engine_start(struct esl_engine *e) _must_check_;
void esl_engine_free(struct esl_engine *e);

/**
 * UTC minus the loop's real clock, as measured on the controller link. Until it is called nothing
 * is flipped that carries a date (from_us > 0), since nobody can vouch that the date has come; it
 * is staged. When the offset changes, timed commands on their way are taken back and sent anew.
 * A negative uncertainty means not measured, and the call is ignored.
 */
void esl_engine_set_utc(struct esl_engine *e, int64_t offset_us, int64_t uncertainty_us);
/** Adopts the label or changes its wish. Idempotent. */
int esl_engine_want(struct esl_engine *e, const struct esl_want *w) _must_check_;
/** Has the sensors of every label read once in so many seconds; 0 = only when asked for. */
void esl_engine_set_sensor_period(struct esl_engine *e, int64_t seconds);
/** No longer ours: its pending commands are dropped; it is unassociated when next heard. */
void esl_engine_forget(struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES]);
/** Keys made before that instant are to be replaced: train and response keys, label by label.
 * Asking again changes nothing. -EBUSY while an older rotation is under way, -ERR_STATE while the
 * date is not known: ask again. */
int esl_engine_rotate_keys(struct esl_engine *e, int64_t older_than_utc_us) _must_check_;
/** Serial form of common/image.h; copied. Ignored when nobody asked. */
int esl_engine_image(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES], const void *data,
		     size_t len);
/** Reports anew what is known of every label, keys and picture, to an owner who may have lost what
 * he was told before. */
void esl_engine_tell(struct esl_engine *e);
/** -ENOTSUP where nothing can be said. */
int esl_engine_outlook(const struct esl_engine *e, struct esl_outlook *ret) _must_check_;
void esl_engine_get_stats(const struct esl_engine *e, struct esl_stats *ret);
void esl_engine_get_view(const struct esl_engine *e, struct esl_radio_view *ret);
/** Which of the 37 data channels others leave free (bit n = channel n); the radio keeps to these,
 * also after its controller was reset. Fewer than two are ignored. */
void esl_engine_set_channels(struct esl_engine *e, uint64_t map);
