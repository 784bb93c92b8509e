/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of the simulated reader, shared by reader*.c only. */
#pragma once

#include "common/buf.h"
#include "rfid/llrp_codec.h"
#include "sim/net.h"
#include "sim/reader.h"
#include "sim/tags.h"

#define READER_MAX_ROSPECS     8
#define READER_MAX_ACCESSSPECS 8
#define READER_MAX_SPEC_BYTES  65535
#define READER_QUEUE_MAX       (8u << 20) /**< bytes a client may leave unread */
#define READER_HELD_MAX        (2u << 20) /**< bytes of reports held while no client takes them */
#define READER_HELD_WARN       80         /**< per cent of it at which the reader warns */
#define READER_PENDING_MAX     20000      /**< tag reports that wait for their trigger */
#define READER_EVENT_TYPES     9
#define READER_POWER_LEVELS    81 /**< 10 to 30 dBm ... */
#define READER_POWER_STEP_CDBM 25 /**< ... in quarters of a decibel */
#define READER_LOWEST_CDBM     1000
#define READER_SENSITIVITIES   11

/** Bits of what a report carries, in the order of TagReportContentSelector. */
enum report_field {
	FIELD_ROSPEC_ID = 1 << 0,
	FIELD_SPEC_INDEX = 1 << 1,
	FIELD_INVENTORY_SPEC_ID = 1 << 2,
	FIELD_ANTENNA = 1 << 3,
	FIELD_CHANNEL = 1 << 4,
	FIELD_RSSI = 1 << 5,
	FIELD_FIRST_SEEN = 1 << 6,
	FIELD_LAST_SEEN = 1 << 7,
	FIELD_SEEN_COUNT = 1 << 8,
	FIELD_ACCESSSPEC_ID = 1 << 9,
	FIELD_CRC = 1 << 10,
	FIELD_PC = 1 << 11,
	FIELD_IMPINJ_PHASE = 1 << 12,
	FIELD_IMPINJ_RSSI = 1 << 13,
	FIELD_IMPINJ_DOPPLER = 1 << 14,
};

struct report_spec {
	uint8_t trigger; /**< 0 none, 1 N tags or end of AISpec, 2 N tags or end of ROSpec */
	uint16_t n;      /**< 0 = no count */
	uint32_t fields; /**< enum report_field */
};

enum rospec_state {
	ROSPEC_DISABLED,
	ROSPEC_INACTIVE,
	ROSPEC_ACTIVE
};

struct rospec {
	uint32_t id;
	uint8_t priority;
	enum rospec_state state;
	struct llrp_msg *msg;   /**< the ADD_ROSPEC it came with; owned */
	struct llrp_elem *elem; /**< its ROSpec parameter */
	uint8_t *raw;           /**< that parameter as received, for GET_ROSPECS */
	size_t raw_len;
	struct llrp_elem *aispec; /**< the one that runs */
	uint16_t spec_index;      /**< its position, from 1 */
	uint16_t inventory_spec;  /**< id of its InventoryParameterSpec */
	uint32_t observed;        /**< tag reports since it began */
};

struct accessspec {
	uint32_t id;
	struct llrp_msg *msg;   /**< the ADD_ACCESSSPEC it came with; owned */
	struct llrp_elem *elem; /**< its AccessSpec parameter */
	uint8_t *raw;           /**< that parameter as received */
	size_t raw_len;
	bool enabled;
	uint32_t operations; /**< carried out */
};

/** A tag report that may still take up equal ones. */
struct pending_tag {
	struct epc epc;
	uint16_t antenna, channel, phase, count;
	uint16_t spec_index, inventory_spec; /**< 0 where it is not reported, as antenna is */
	int16_t doppler;
	int8_t peak_rssi;
	int16_t peak_cdbm;
	uint32_t rospec_id;
	int64_t first_us, last_us;
};

/** What the last report said, for leaving out what is unchanged. */
struct last_report {
	bool set;
	struct pending_tag tag;
};

/** What an AntennaConfiguration says of an antenna. */
struct antenna_settings {
	uint16_t power, sensitivity; /**< indices into their tables, from 1 */
	uint32_t mode;
	uint8_t session;
	uint16_t population;
	uint32_t transit_ms;
	bool single_target, target_b;
};

struct reader_settings {
	struct report_spec report;
	uint32_t keepalive_ms; /**< 0 = none */
	bool hold_on_reconnect;
	bool notify[READER_EVENT_TYPES];
	uint8_t access_report_trigger;
	struct antenna_settings antennas[SIM_READER_MAX_ANTENNAS];
	uint16_t state_value;
};

struct sim_reader {
	struct loop *loop;
	const struct clock *clock;
	char name[64];
	struct sim_reader_config cfg;
	struct sim_reader_source source;
	struct sim_reader_stats stats;
	int64_t started_us;

	struct net_listener *listener;
	uint16_t port;
	struct net_conn *client;
	bool called;        /**< it was we who made the connection */
	uint16_t call_port; /**< 0 = we call nobody */
	struct net_dial *dial;
	struct loop_timer *call_timer;
	struct tls_identity *identity;
	char pin[TLS_PIN_MAX];
	struct buf in;
	struct loop_timer *keepalive_timer;
	unsigned int keepalives_missed;
	uint32_t next_id; /**< of messages the reader starts */
	bool holding;     /**< reports wait for ENABLE_EVENTS_AND_REPORTS */
	uint8_t version;  /**< of this connection, as in the header */
	bool version_set; /**< by SET_PROTOCOL_VERSION, once */
	bool extensions;  /**< this client enabled the vendor's */
	bool corked;      /**< what is sent waits in cork until reader_uncork() */
	struct buf cork;

	struct reader_settings set;
	struct rospec rospecs[READER_MAX_ROSPECS];
	unsigned int n_rospecs;
	struct accessspec accessspecs[READER_MAX_ACCESSSPECS];
	unsigned int n_accessspecs;
	struct sim_tags *tags; /**< memory of the tags, shared with other readers; NULL = none */

	uint32_t active;                 /**< id of the active ROSpec; 0 = none */
	struct loop_timer *spec_timer;   /**< duration of the running AISpec */
	struct loop_timer *rospec_timer; /**< duration or period of the ROSpec */
	struct report_spec active_report;
	struct antenna_settings
		active_antennas[SIM_READER_MAX_ANTENNAS]; /**< in the running AISpec */

	struct pending_tag *pending;
	size_t n_pending, cap_pending;
	uint32_t *pending_index; /**< open-addressed hash over pending, n + 1 */
	size_t index_size;
	struct last_report last;
	struct buf held; /**< whole frames kept while holding or without a client */
	bool overflowed, warned;

	uint32_t cables_off, cables_broken; /**< bit n: antenna n + 1 */
	uint64_t jammed;                    /**< bit n: channel n + 1 */
};

/* reader.c */
/** Sends a message and frees it. */
void reader_send(struct sim_reader *r, struct llrp_msg *m);
/** Sends ready-made frames; drops the client if it does not read. */
void reader_send_bytes(struct sim_reader *r, const void *data, size_t len);
void reader_uncork(struct sim_reader *r);
/** A READER_EVENT_NOTIFICATION with the time; the caller adds its event to the returned element. */
struct llrp_elem *reader_event(struct sim_reader *r, struct llrp_msg **ret);
void reader_event_send(struct sim_reader *r, struct llrp_msg *m);
/** Event types of EventNotificationState that we can notify. */
enum {
	EVENT_ROSPEC = 2,
	EVENT_BUFFER_WARNING = 3,
	EVENT_EXCEPTION = 4,
	EVENT_AISPEC = 6
};
void reader_client_gone(struct sim_reader *r);
void reader_keepalive_arm(struct sim_reader *r);

/** Serves that descriptor; `called`: we made the connection. */
int reader_serve(struct sim_reader *r, int fd, bool called);

/* reader_call.c */
/** Nobody is connected any more: calls again, if that is our way. */
void reader_call_again(struct sim_reader *r);
/** Calls nobody for now. */
void reader_call_stop(struct sim_reader *r);
void reader_call_done(struct sim_reader *r);

/* reader_request.c */
void reader_request(struct sim_reader *r, const uint8_t *frame, size_t len);

/** Why a request is refused; code 0 = it is not. */
struct refusal {
	uint16_t code;      /**< LLRPStatus code */
	uint16_t parameter; /**< type at fault; 0 = a field of the message itself */
	int field;          /**< its number; -1 = none */
	uint16_t error;     /**< what is wrong with the field */
	const char *text;
};
struct refusal refuse_field(uint16_t parameter, int field, uint16_t error, const char *text);

/* reader_config.c */
void reader_settings_default(struct sim_reader *r);
void reader_put_capabilities(const struct sim_reader *r, struct llrp_msg *m, uint8_t what);
void reader_put_config(const struct sim_reader *r, struct llrp_msg *m, uint8_t what,
		       uint16_t antenna);
struct refusal reader_check_config(const struct sim_reader *r, struct llrp_elem *root);
void reader_take_config(struct sim_reader *r, struct llrp_elem *root);
void report_spec_read(const struct llrp_elem *e, bool extensions, struct report_spec *ret);
struct refusal report_spec_check(const struct llrp_elem *e);

/* reader_air.c */
struct antenna_settings antenna_settings_default(void);
void reader_put_regulatory(const struct sim_reader *r, struct llrp_elem *root);
void reader_put_sensitivities(struct llrp_elem *general);
/** The AntennaConfiguration as it stands. */
void reader_put_antenna(const struct sim_reader *r, struct llrp_elem *root, uint16_t antenna);
/** Antenna and indices of one AntennaConfiguration. */
struct refusal antenna_config_check(const struct sim_reader *r, const struct llrp_elem *e);
/** Writes what it says over the settings of those antennas that it is about. */
void antenna_config_take(const struct sim_reader *r, const struct llrp_elem *e,
			 struct antenna_settings to[SIM_READER_MAX_ANTENNAS]);

/* reader_rospec.c */
struct refusal rospec_add(struct sim_reader *r, struct llrp_msg *m, const uint8_t *frame,
			  size_t len, bool *ret_taken);
struct refusal rospec_delete(struct sim_reader *r, uint32_t id);
struct refusal rospec_enable(struct sim_reader *r, uint32_t id);
struct refusal rospec_disable(struct sim_reader *r, uint32_t id);
struct refusal rospec_start(struct sim_reader *r, uint32_t id);
struct refusal rospec_stop(struct sim_reader *r, uint32_t id);
void rospec_delete_all(struct sim_reader *r);
int rospec_timers_new(struct sim_reader *r);
/** One more tag report of the running AISpec: its observation trigger may end it. */
void rospec_observed(struct sim_reader *r);
struct rospec *rospec_active(struct sim_reader *r);

/* reader_access.c */
struct refusal accessspec_add(struct sim_reader *r, struct llrp_msg *m, const uint8_t *frame,
			      size_t len, bool *ret_taken);
/** Enables, disables or deletes one, or all (0). */
struct refusal accessspec_change(struct sim_reader *r, uint16_t type, uint32_t id);
void accessspec_delete_all(struct sim_reader *r);
/** Works on the tag that is being read, if a spec wants it; then the read is reported already. */
bool accessspec_run(struct sim_reader *r, const struct sim_tag_read *read);

/* reader_meddle.c */
/** That read does not come about: its antenna is off, or its channel drowned. */
bool reader_is_deaf(const struct sim_reader *r, const struct sim_tag_read *read);

/* reader_report.c */
/** One read with the results of the operations on it, at once. */
void report_access(struct sim_reader *r, const struct sim_tag_read *read, uint32_t accessspec,
		   const struct buf *results);
/** The room for held reports. */
size_t report_room(const struct sim_reader *r);
/** The client left: fields are not carried over to the next one. */
void report_forget(struct sim_reader *r);
void report_flush(struct sim_reader *r, bool even_if_empty);
/** Sends what was held. */
void report_release(struct sim_reader *r);
void report_reset(struct sim_reader *r);
/** A new ROSpec: what waited is gone (it was flushed), and so is the room it took. */
void report_begin(struct sim_reader *r);
