/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Is a reader's radio well? What each antenna usually reads is learned slowly, and what differs
 * from it is told as a trouble, with the evidence in words and since when:
 *
 *     silent-antenna   one that read, or should, reads nothing while others of its reader do
 *     antenna-off      the reader says that nothing is connected there
 *     failing-reader   it is lost again and again, or reports faults of its own
 *     interference     all antennas read far less than usual, though none is silent; or some
 *                      channels do, while others read as ever
 *     reader-buffer    reports did not fit into the reader, or nearly so
 *     drifted          something there was not as the agent had set it
 *
 * Without a clock and without IO: the caller says what happened when (monotonic microseconds).
 */
#pragma once

#include "common/proto.h"
#include "rfid/rfid.h"

#define RADIO_WATCH_TICK_US   (10 * US_PER_SEC)
#define RADIO_WATCH_SILENT_US (90 * US_PER_SEC)   /**< at least so long, and 30 usual gaps */
#define RADIO_WATCH_NEVER_US  (600 * US_PER_SEC)  /**< for one that never read anything */
#define RADIO_WATCH_LOW_US    (180 * US_PER_SEC)  /**< before few reads are interference */
#define RADIO_WATCH_LOSSES    4                   /**< of the connection ... */
#define RADIO_WATCH_LOSS_US   (600 * US_PER_SEC)  /**< ... within this */
#define RADIO_WATCH_DRIFT_US  (3600 * US_PER_SEC) /**< how long a drift is told */
#define RADIO_WATCH_BUFFER_US (600 * US_PER_SEC)  /**< how long a full buffer is */
#define RADIO_WATCH_LEARN_US  (600 * US_PER_SEC)  /**< before channels are judged */

struct radio_watch {
	struct {
		uint32_t reads;  /**< since the last tick */
		float usual;     /**< reads a second */
		float now;       /**< of late, about a minute */
		int64_t last_us; /**< 0 = never */
	} antennas[RFID_MAX_ANTENNAS];
	struct {
		uint32_t reads;         /**< since the last tick */
		float of_late;          /**< reads within about a minute, older ones fading */
		float usual;            /**< share of all reads */
		float rssi, usual_rssi; /**< dBm; 0 = not known */
		int64_t failing_us;     /**< reads far less than its share since; 0 = it does not */
	} channels[RFID_MAX_CHANNELS];
	float of_late;      /**< reads of all channels within about a minute */
	int64_t learned_us; /**< time that went into the channels' usual shares */
	uint32_t wanted;    /**< bit n: antenna n + 1 should read */
	bool running;
	int64_t running_us, ticked_us, low_us;
	int64_t losses[RADIO_WATCH_LOSSES];
	size_t n_losses;
	uint64_t drifts, exceptions, warnings, overflows;
	int64_t drift_us, exception_us, buffer_us;
	bool overflowed; /**< what buffer_us tells of */
};

/** `wanted`: the antennas the reader is to use; n 0 = whichever it has. */
void radio_watch_init(struct radio_watch *w, const uint16_t *wanted, size_t n);
void radio_watch_read(struct radio_watch *w, uint16_t antenna, unsigned int count, int64_t now_us);
/** `channel` counts from 1, 0 = not told; rssi_cdbm INT16_MIN = unknown. */
void radio_watch_channel(struct radio_watch *w, uint16_t channel, unsigned int count,
			 int16_t rssi_cdbm);
/** The inventory began to run, or the reader was lost. */
void radio_watch_running(struct radio_watch *w, bool running, int64_t now_us);
/** Call every RADIO_WATCH_TICK_US. */
void radio_watch_tick(struct radio_watch *w, const struct rfid_reader_stats *stats, int64_t now_us);
/** How an antenna and a channel are, for people; `n` counts from 1. */
void radio_watch_antenna(const struct radio_watch *w, const struct rfid_reader_stats *stats,
			 uint16_t n, struct proto_health_antenna *ret);
/** False if that channel was never read. */
bool radio_watch_channel_health(const struct radio_watch *w, const struct rfid_reader_stats *stats,
				uint16_t n, int64_t now_us, struct proto_health_channel *ret);
/** Fills at most `max`, the gravest first; since_us is monotonic. Returns how many. */
size_t radio_watch_troubles(const struct radio_watch *w, const struct rfid_reader_stats *stats,
			    int64_t now_us, struct proto_trouble *ret, size_t max);
