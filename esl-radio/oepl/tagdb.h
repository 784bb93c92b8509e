/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What an OpenEPaperLink access point says of its labels and of itself, as JSON: pages and dumps of
 * its tag database, tag types, its configuration, and the messages of its WebSocket. All of it
 * comes over plain HTTP from a device that anybody on its network can be: lengths are bounded here,
 * a field of the wrong kind counts as absent, and a record without a good MAC is passed over.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

#define OEPL_MAC_BYTES    8
#define OEPL_HASH_BYTES   8 /**< of the MD5 an access point keeps the first half */
#define OEPL_JSON_MAX     (size_t)(4u << 20)
#define OEPL_TAGS_MAX     4096
#define OEPL_COLOURS_MAX  16
#define OEPL_TEXT_MAX     120
/** nextcheckin of a label in deep sleep. */
#define OEPL_SLEEPS_S     INT64_C(3216153600)
/** wakeupReason from here on: it restarted, and its panel with it. */
#define OEPL_WOKE_BY_BOOT 0xe0

struct oepl_record {
	uint8_t mac[OEPL_MAC_BYTES]; /**< most significant byte first, as printed */
	uint8_t hash[OEPL_HASH_BYTES];
	int64_t lastseen_s;    /**< on the access point's clock; 0 = never */
	int64_t nextcheckin_s; /**< likewise */
	int64_t updatelast_s;  /**< likewise: when it last confirmed a transfer */
	uint32_t pending;      /**< things queued for it */
	uint32_t updatecount;  /**< transfers it has confirmed */
	uint8_t hw_type;
	uint8_t wakeup;
	int8_t rssi_dbm; /**< 0 = never heard */
	uint8_t lqi;
	int16_t temperature_c; /**< INT16_MIN = unknown */
	uint16_t battery_mv;   /**< 0 = unknown, or not on a battery */
	uint16_t content_mode;
	uint16_t version;
	uint8_t rotate, invert;
	bool external; /**< another access point's label */
};

/** Called for each good record. */
typedef void (*oepl_record_fn)(void *user, const struct oepl_record *r);

struct oepl_page {
	unsigned int n;   /**< good records */
	unsigned int bad; /**< passed over */
	int32_t next;     /**< position of the next page; -1 = this was the last */
};

/** A page of /get_db, or a "tags" message. */
int oepl_page_parse(const void *json, size_t len, oepl_record_fn fn, void *user,
		    struct oepl_page *ret) _must_check_;
/** The dump of /backup_db: records in an array, each in an array of its own or not. */
int oepl_dump_parse(const void *json, size_t len, oepl_record_fn fn, void *user,
		    struct oepl_page *ret) _must_check_;

struct oepl_type {
	uint16_t width, height; /**< as a person looks at it */
	uint8_t rotatebuffer;   /**< quarter turns between that and the panel's own order */
	uint8_t bpp;
	uint16_t zlib, g5; /**< firmware from which pictures are sent compressed; 0 = never */
	bool led;
	uint8_t n_colours;
	uint8_t colours[OEPL_COLOURS_MAX][3];
};

/** -ERR_RANGE for a panel that no picture of ours fits. */
int oepl_type_parse(const void *json, size_t len, struct oepl_type *ret) _must_check_;

struct oepl_config {
	int apstate;    /**< -1 = not said */
	bool stopsleep; /**< labels stay awake while a WebSocket is open */
	unsigned int maxsleep_min;
	bool stamps;               /**< it prints the time on every picture */
	bool preview;              /**< it keeps the last picture of each label */
	int channel;               /**< of its radio; -1 = not said */
	char alias[OEPL_TEXT_MAX]; /**< printable ASCII, as all texts here */
};

int oepl_config_parse(const void *json, size_t len, struct oepl_config *ret) _must_check_;

/** The version of its firmware, from /sysinfo; empty if it does not say. */
int oepl_info_parse(const void *json, size_t len, char ret[OEPL_TEXT_MAX]) _must_check_;

struct oepl_message {
	unsigned int records;
	bool sys; /**< what follows is there; -1 = not said */
	int64_t currtime_s, uptime_s, heap, storage_free;
	int apstate;
	int wifi_dbm;              /**< 0 = not said */
	char error[OEPL_TEXT_MAX]; /**< an errMsg; printable ASCII; empty if none */
};

int oepl_message_parse(const void *json, size_t len, oepl_record_fn fn, void *user,
		       struct oepl_message *ret) _must_check_;

/** What apstate means, for a person. */
const char *oepl_apstate_text(int apstate);
