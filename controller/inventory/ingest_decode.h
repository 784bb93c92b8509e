/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A decoder for POST /agent/v1/sightings that accepts exactly what proto_sightings_decode() accepts
 * and yields the same values, about ten times as fast: entries are read by hand and EPCs are
 * borrowed from the body. The two are compared by a test and a fuzz target.
 */
#pragma once

#include "controller/inventory/inv_state.h"

/** Reused from batch to batch. Starts zeroed. */
struct ingest_decoder {
	struct proto_source *sources;
	size_t cap_sources;
	struct inv_sighting *sightings;
	size_t cap_sightings;
	uint8_t *odd; /**< EPCs that are not whole bytes, with the bits past their end cleared */
	size_t n_odd, cap_odd;
};

/** *ret borrows from the decoder and from `data`; ret->agent is left 0. */
int ingest_decode(struct ingest_decoder *d, const void *data, size_t len, struct inv_batch *ret,
		  size_t *ret_at) _must_check_;
void ingest_decoder_done(struct ingest_decoder *d);
