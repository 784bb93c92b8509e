/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The radio channel between a reader's antenna and a passive UHF tag, from where they are. Pure:
 * no clock, no chance but what follows from the room's seed, so that equal questions get equal
 * answers.
 *
 * The one-way field at the tag is a sum of rays: the direct one, one off each of the room's six
 * faces (the antenna's mirror images) and a few off things that stand about. Each has its length,
 * and so its own phase at each frequency. That alone makes a tag at rest keep its level on a
 * channel and have another on the next one, and makes a carried tag fade every few centimetres, and
 * it makes phase and strength agree with each other. The way back is the same way (reciprocity):
 * strength counts the field twice, waking the tag counts it once.
 *
 * Level of the direct ray: Friis' equation up to one metre, from there on the room's path loss
 * exponent (2 = free space). Patch antennas fall off as a power of the cosine, half at half their
 * beamwidth, 20 dB less behind; they are circularly polarised and lose 3 dB to a dipole. The tag is
 * a half-wave dipole with its null along its axis. A tag wakes with enough power (forward-limited;
 * an IC of these years needs -18 to -24 dBm); what it sends back is MODULATION_DB below what it
 * took.
 *
 * Channels: FCC 15.247, 902.75 to 927.25 MHz in 500 kHz steps, hopping, 1 W into 6 dBi; ETSI
 * EN 302 208, 865.7, 866.3, 866.9 and 867.5 MHz, 2 W ERP.
 *
 * Not in it: coupling between tags that lie on each other, metal and liquids but as shadows,
 * interference between readers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RF_MAX_CHANNELS  50
#define RF_MAX_WALLS     64
#define RF_SCATTERERS    5
#define RF_PHASE_TURN    4096 /**< steps of phase in a turn */
#define RF_NEVER_DBM     -150.0
#define RF_FRONT_TO_BACK 20.0

struct rf_vec {
	double x, y, z; /**< metres; z upwards */
};

struct rf_antenna {
	struct rf_vec at;
	struct rf_vec boresight; /**< of length 1 */
	double gain_dbi;
	double beam_deg; /**< between the points of half power */
	double cable_db; /**< lost on the way to it */
	uint32_t id;     /**< shadows and phase offsets are its own */
};

struct rf_tag {
	struct rf_vec at;
	struct rf_vec axis;     /**< of the dipole, of length 1 */
	double sensitivity_dbm; /**< needed to wake */
	struct rf_vec velocity; /**< metres a second; 0 = at rest */
	bool carried;           /**< by somebody, who is behind it as it moves */
};

/** A rectangle whose sides dampen what crosses them. */
struct rf_walls {
	double x0, y0, x1, y1, loss_db;
};

enum rf_region {
	RF_FCC,
	RF_ETSI,
	RF_REGIONS
};

struct rf_room {
	uint64_t seed;
	double x0, y0, x1, y1, height; /**< the faces that mirror */
	double exponent;               /**< of path loss beyond a metre; 2 = free space */
	double reflection;             /**< of the field, at a face or thing: 0 = none to 1 */
	double shadow_db;              /**< deviation of what shelves and goods take away or add */
	double people;                 /**< share of the links that somebody stands in: 0 to 1 */
	enum rf_region region;
	struct rf_walls walls[RF_MAX_WALLS];
	size_t n_walls;
	struct rf_vec scatterers[RF_SCATTERERS]; /**< made by rf_room_furnish() */
};

/** What a reader would see of a tag on one channel, at full conducted power of 0 dBm. */
struct rf_link {
	double tag_db;   /**< gain from the transmitter to the tag's chip */
	double rssi_db;  /**< gain from the transmitter to the receiver */
	double turns;    /**< of phase, there and back; falls with distance, as Doppler does */
	double radial_m; /**< metres a second away from the antenna */
};

/** A room without reflections, shadows and people: free space. */
struct rf_room rf_free_space(void);
/** Puts the things that reflect into the room, from its seed. */
void rf_room_furnish(struct rf_room *room);

unsigned int rf_channels(enum rf_region region);
/** Frequency of a channel of the hop table, from 1; wraps. */
double rf_channel_mhz(enum rf_region region, unsigned int channel);

/** Gain towards a direction (need not be of length 1), beam and front-to-back included. */
double rf_antenna_gain_dbi(const struct rf_antenna *a, const struct rf_vec *towards);
/** The field of a dipole, 0 along its axis, 1 across it. */
double rf_dipole(const struct rf_vec *axis, const struct rf_vec *towards);

/** All but the fading: for sorting out what is far too weak. */
double rf_mean_tag_db(const struct rf_room *room, const struct rf_antenna *a,
		      const struct rf_tag *tag);
/** The fading of a channel against rf_mean_tag_db(), one way; 0 without reflections. */
void rf_fading_db(const struct rf_room *room, const struct rf_antenna *a, const struct rf_tag *tag,
		  float ret_db[RF_MAX_CHANNELS]);
struct rf_link rf_link_on(const struct rf_room *room, const struct rf_antenna *a,
			  const struct rf_tag *tag, unsigned int channel);
/** What people in the way take at that instant; holds for a few seconds and a step around. */
double rf_people_db(const struct rf_room *room, const struct rf_antenna *a, const struct rf_vec *at,
		    int64_t at_us);
/** Phase in steps, of turns. */
uint16_t rf_phase_steps(double turns);
/** Doppler shift in 1/16 Hz: against the direction of going away, there and back. */
double rf_doppler_16hz(double radial_m, double mhz);
