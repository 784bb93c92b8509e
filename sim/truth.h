/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The truth port: what is really so in the simulated store, for tests and for a person with netcat.
 * TCP on loopback; one JSON object a line in, one JSON object a line out; an error is
 * {"error": "..."}. No process of the product may ever read it.
 *
 *     {"op":"labels"}                     every label: state, what it shows since when, its slots,
 *                                         and whether it blinks, in which colours and until when
 *     {"op":"label","addr":"C0FFEE..."}   one of them, with the bits its panel shows
 *     {"op":"shows","since":N}            log of every change of a panel from number N on, at most
 *                                         5,000 an answer; "next" is the N to go on with, "lost"
 *                                         counts those already forgotten
 *     {"op":"items"} {"op":"item","epc":H} where the goods are
 *     {"op":"move","epc":H,"place":NAME}  carries an item; "nowhere" is outside the store
 *     {"op":"moves","since_us":N}         log of all moves
 *     {"op":"leave","epc":H,"how":W}      out of the store for good: "sold" or "stolen"
 *     {"op":"arrive","place":NAME,...}    into it: "epc":H brings one back that left, "gtin":G and
 *                                         "n":N make new items with tags of their own
 *     {"op":"passages","since_us":N}      log of all that left and arrived
 *     {"op":"plan"}                       where places and antennas are, in metres
 *     {"op":"where","epc":H}              where an item is, its speed, and its way if it walks
 *     {"op":"walk","epc":H,"place":NAME,"speed":V?,"how":W?}
 *                                         sends an item on foot; to "nowhere" it goes out by the
 *                                         exit, for good as "sold" or "stolen"
 *     {"op":"events","since":N}           what happened in the store's day, with ways and times,
 *                                         from number N on; "next" and "lost" as for shows
 *     {"op":"reads","epc":H}              per antenna, and the first read at its present place
 *     {"op":"radio"} {"op":"set","loss":P,"radio":NAME?}
 *                                         "channels" are the data channels in use (bit n), with
 *                                         what flew on each, "jammed" what Wi-Fi destroyed
 *     {"op":"wifi","mhz":N,"width":N?,"loss":P,"radio":NAME?}  a Wi-Fi near by; mhz 0 = none
 *     {"op":"label-reset","addr":A}       power-cycles a label; with "factory":true its button is
 *                                         pressed long: it forgets bond, keys and pictures
 *     {"op":"label-battery","addr":A,"mv":N}
 *     {"op":"radio-reset","radio":N}      power-cycles the controller: its host is cut off; with
 *                                         "replace":true another one comes in its place
 *     {"op":"adapter","radio":N,"unplug":BOOL}  pulls the controller out of this machine's kernel,
 *                                         or plugs it in
 *     {"op":"reader","name":N}            one reader; with "unplug":BOOL pulls or plugs it, with
 *                                         "freeze":BOOL it stays connected but mute
 *       with "antenna":A the plug of an antenna is "connected":BOOL (the reader tells), or its
 *       "cable":BOOL sound (it does not); "jam":[channel, ...] drowns these, [] none;
 * "power":INDEX, "session":N, "keepalive_ms":N, "hold":BOOL, "events":BOOL, "forget":true change
 * what its client has set, behind its back; "room":BYTES is what it has for reports that nobody
 * takes
 *     {"op":"oepl","name":N?,...}         an OpenEPaperLink access point, and what is done to it:
 *                                         "loss":P, "busy_s":S answers uploads 409, "fail_s":S
 *                                         answers 500, "restart_s":S is down so long, "forget":true
 *                                         loses its database, "phantoms":N records made of noise,
 *                                         "starve":N pictures drawn without colour, "break":N
 *                                         transfers given up, "babble":N bytes of nonsense
 *     {"op":"oepl-tag","addr":A,...}      one of its labels: "hide":BOOL, "restart":true, "move":N
 *                                         carries it to another such access point
 *     {"op":"readers"} {"op":"places"} {"op":"time"}
 */
#pragma once

#include "sim/day.h"
#include "sim/oepl.h"
#include "sim/radio.h"
#include "sim/reader.h"
#include "sim/vhci.h"
#include "sim/world.h"

/** What there is to tell about; borrowed, must outlive the port. */
struct sim_truth_sources {
	struct sim_world *world;
	struct sim_radio **radios;
	size_t n_radios;
	struct sim_vhci **adapters; /**< one a radio, NULL where it has none; may be NULL */
	struct sim_reader **readers;
	size_t n_readers;
	struct sim_oepl **oepls;
	size_t n_oepls;
	struct sim_label **labels; /**< whose radio is none of these */
	size_t n_labels;
	void (*touched)(void *user); /**< after one of those was changed from here */
	void *user;
	const struct sim_shows *shows; /**< may be NULL */
	struct sim_floor *floor;       /**< NULL = no ground plan */
	const struct sim_day *day;     /**< NULL = nothing happens by itself */
};

struct sim_truth;

int sim_truth_new(struct loop *loop, const struct sim_truth_sources *sources, uint16_t port,
		  struct sim_truth **ret) _must_check_;
void sim_truth_free(struct sim_truth *t);
uint16_t sim_truth_port(const struct sim_truth *t);
/** One request line (without its newline) to one reply line (with it). */
void sim_truth_answer(const struct sim_truth_sources *s, const struct clock *clock,
		      const char *line, size_t len, struct buf *out);
