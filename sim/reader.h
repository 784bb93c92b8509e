/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A simulated LLRP reader on a TCP port; it speaks 1.0.1, and 1.1 when asked to, if so configured.
 * It keeps the protocol; where its reads come from is the business of a source (sim/air.h: the
 * simulated store; sim/player.h: a recording), which is told when an inventory runs and feeds reads
 * while it does.
 *
 *     reader.c          port, one client at a time, framing, keepalives, events
 *     reader_call.c     connections that the reader makes
 *     reader_request.c  what each request does, and what is answered to a wrong one
 *     reader_config.c   capabilities and configuration
 *     reader_air.c      per antenna: power, sensitivity, and how Gen2 is spoken
 *     reader_rospec.c   ROSpecs: their states, triggers and antenna lists
 *     reader_access.c   AccessSpecs: reading, writing and locking the memory of tags
 *     reader_meddle.c   what happens to it behind its client's back
 *     reader_report.c   tag reports: selection of fields, accumulation, triggers, holding
 *
 * ROSpecs and configuration belong to the reader and outlive a connection (LLRP 1.0.1, 6 and 9);
 * pulling the plug loses them.
 */
#pragma once

#include "common/epc.h"
#include "common/loop.h"
#include "sim/rf.h"

#define SIM_READER_MAX_ANTENNAS 32

struct sim_reader_config {
	const char *name;
	uint16_t n_antennas;
	bool carry_forward; /**< leave out optional fields that did not change since the last report
			     */
	bool impinj;        /**< name that manufacturer and take its extensions: phase, Doppler */
	uint8_t version;    /**< highest it speaks: 0 or 1 = 1.0.1, 2 = 1.1 */
	bool tls;           /**< on every connection, with a certificate of its own */
	size_t held_bytes;  /**< room for reports that nobody takes; 0 = 2 MiB */
	enum rf_region region;
};

/** One singulation of a tag. */
struct sim_tag_read {
	const struct epc *epc; /**< borrowed */
	uint16_t antenna;      /**< 1-based */
	int8_t rssi_dbm;
	int16_t rssi_cdbm; /**< the same, finer; 0 = rssi_dbm is all there is */
	uint16_t channel;  /**< 1-based index into the hop table */
	uint16_t phase;    /**< 4096 a turn */
	int16_t doppler;   /**< 1/16 Hz */
	int64_t at_us;     /**< UTC */
};

/** How an antenna of the running inventory is told to work. */
struct sim_reader_air {
	double power_dbm;    /**< conducted */
	double deaf_db;      /**< less sensitive than it can be */
	uint32_t mode;       /**< id, see gen2_mode_find() */
	uint8_t session;     /**< 0 to 3 */
	uint16_t population; /**< tags expected; 0 = unknown */
	uint32_t transit_ms; /**< how long a tag stays in the field; 0 = unknown */
	bool dual_target;    /**< reads A, then B, and again; else only what is at `target_b` */
	bool target_b;
};

struct sim_reader_source {
	/** An inventory begins on these antennas, goes over to others, or ends (n = 0). */
	void (*inventory)(void *user, const uint16_t *antennas, size_t n);
	/** The client is gone or there again. May be NULL. */
	void (*client)(void *user, bool connected);
	void *user;
};

struct sim_reader_stats {
	uint64_t reads;    /**< fed while an inventory ran */
	uint64_t reported; /**< tag reports handed to the connection */
	uint64_t dropped;  /**< lost: buffer full, or nobody there to take them */
	uint64_t connections, errors_sent;
	uint64_t held;     /**< tag reports that had to wait for a client */
	uint64_t warnings; /**< times the room for them was nearly used up */
	bool connected, unplugged, frozen, inventory;
};

/** What another client may change in a reader; -1 (power: 0) = not this. */
struct sim_reader_meddling {
	uint16_t power; /**< index into the power table, of the running inventory too */
	int session;
	int keepalive_ms;
	int hold, events;
	bool forget; /**< all ROSpecs */
};

struct sim_reader;
struct sim_tags;

int sim_reader_new(struct loop *loop, const struct sim_reader_config *cfg,
		   struct sim_reader **ret) _must_check_;
void sim_reader_free(struct sim_reader *r);
/** The memory of the tags, borrowed: without it no operation on tags finds one. */
void sim_reader_set_tags(struct sim_reader *r, struct sim_tags *tags);
void sim_reader_set_source(struct sim_reader *r, const struct sim_reader_source *source);
/** Serves clients on loopback; port 0 = any free one. */
int sim_reader_listen(struct sim_reader *r, uint16_t port) _must_check_;
uint16_t sim_reader_port(const struct sim_reader *r);
const char *sim_reader_name(const struct sim_reader *r);
/** Calls a client that listens on this port of loopback, and again whenever no client is there. It
 * may listen itself as well: then whoever comes first is served. */
int sim_reader_call(struct sim_reader *r, uint16_t port) _must_check_;
/** What names its certificate (common/tls.h); "" without TLS. */
const char *sim_reader_pin(const struct sim_reader *r);
/** Serves the client at the other end of this descriptor (owned from now on), or refuses it as LLRP
 * says when there is one already. */
int sim_reader_attach(struct sim_reader *r, int fd) _must_check_;

/** Reads, oldest first. Without a running inventory they are ignored. */
void sim_reader_feed(struct sim_reader *r, const struct sim_tag_read *reads, size_t n);
/** Sends out what waits for its report trigger, as at the end of an AISpec. */
void sim_reader_flush(struct sim_reader *r);
/** Transmit power at that antenna of the running inventory, below the reader's highest: 0 or less.
 */
double sim_reader_power_db(const struct sim_reader *r, uint16_t antenna);
void sim_reader_get_air(const struct sim_reader *r, uint16_t antenna, struct sim_reader_air *ret);
/** Cable sound, and nobody else on that channel? */
bool sim_reader_hears(const struct sim_reader *r, uint16_t antenna, uint16_t channel);
/** Bytes of reports that the client has not taken yet. */
size_t sim_reader_backlog(const struct sim_reader *r);
/** Ends the connection by the reader's own will, with a ConnectionCloseEvent. */
void sim_reader_hang_up(struct sim_reader *r);
/** Pulls the plug: half a message may be the last thing the client gets, ROSpecs and configuration
 * are lost, nobody listens. Plugging in again listens on the same port. */
int sim_reader_set_unplugged(struct sim_reader *r, bool unplugged) _must_check_;
/** Pulls or plugs an antenna; the reader notices and tells. -ENOENT. */
int sim_reader_set_antenna(struct sim_reader *r, uint16_t antenna, bool connected) _must_check_;
/** A cable breaks, or is mended; the reader does not notice. -ENOENT. */
int sim_reader_set_cable(struct sim_reader *r, uint16_t antenna, bool sound) _must_check_;
/** Nothing is read on these channels: bit n is number n + 1 of the hop table. */
void sim_reader_jam(struct sim_reader *r, uint64_t channels);
/** Bytes there are for reports that nobody takes. */
void sim_reader_set_room(struct sim_reader *r, size_t bytes);
/** Changes what its client has set, without telling it. -ERANGE. */
int sim_reader_meddle(struct sim_reader *r, const struct sim_reader_meddling *m) _must_check_;
/** Freezes it: connections stay open, nothing is answered, sent or noticed any more. */
void sim_reader_set_frozen(struct sim_reader *r, bool frozen);
void sim_reader_get_stats(const struct sim_reader *r, struct sim_reader_stats *ret);
