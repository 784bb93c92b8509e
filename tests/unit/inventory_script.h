/* SPDX-License-Identifier: Apache-2.0 */
/** @file Sightings in a line each, for the tests of the inventory. */
#pragma once

#include "controller/inventory/inv_state.h"
#include <string.h>

#define SEC US_PER_SEC
#ifndef T0
#define T0 (INT64_C(1700000000) * SEC)
#endif

struct say {
	int item;
	uint16_t antenna; /**< 1-based, of reader "r" */
	uint8_t kind;
	int rssi_dbm;
	int64_t at_us;
	uint32_t reads;
};

static inline struct epc script_epc(int item)
{
	struct sgtin s = {.gtin = 4006381333931, .serial = (uint64_t) item, .prefix_digits = 7};
	struct epc e = {0};

	(void) !sgtin96_encode(&s, &e);
	return e;
}

#define SCRIPT_MAX 64

/** Keeps what a batch borrows. */
struct script {
	struct proto_source sources[4];
	struct epc epcs[SCRIPT_MAX];
	struct inv_sighting sightings[SCRIPT_MAX];
	struct inv_batch batch;
};

static inline const struct inv_batch *script_batch(struct script *sc, uint64_t agent,
						   uint64_t first_seq, const struct say *says,
						   size_t n)
{
	*sc = (struct script){0};
	for (uint16_t i = 0; i < 4; i++) {
		strcpy(sc->sources[i].reader, "r");
		sc->sources[i].antenna = (uint16_t) (i + 1);
	}
	for (size_t i = 0; i < n; i++) {
		sc->epcs[i] = script_epc(says[i].item);
		sc->sightings[i] = (struct inv_sighting){
			.epc = sc->epcs[i].data,
			.bits = sc->epcs[i].bits,
			.kind = says[i].kind,
			.source = (uint16_t) (says[i].antenna - 1),
			.rate_mhz = says[i].kind == SIGHTING_APPEAR ? 0 : 5000,
			.rssi_cdbm = (int16_t) (says[i].rssi_dbm * 100),
			.peak_cdbm = (int16_t) (says[i].rssi_dbm * 100),
			.count = says[i].reads ? says[i].reads : 1,
			.first_us = says[i].at_us,
			.last_us = says[i].at_us,
		};
	}
	sc->batch = (struct inv_batch){
		.agent = agent,
		.journal_id = {7},
		.first_seq = first_seq,
		.n_sources = 4,
		.sources = sc->sources,
		.n = n,
		.sightings = sc->sightings,
	};
	return &sc->batch;
}
