/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Going on with a picture whose transfer broke off: which ones did, and how much of such a one its
 * label proves that it has, by the checksum of its beginning (OTS 1.0 3.3.2). A label that offers
 * no checksum, or takes no picture from the middle on, gets it anew. Pure.
 */
#pragma once

#include "esl-radio/le/ots_wire.h"

#define OTS_PARTIALS 16 /**< pictures that broke off; older ones start over */

/** A picture whose transfer broke off: what was sent of it may still be in the label. */
struct ots_partial {
	uint8_t index;
	uint16_t unit; /**< the label takes it in units of so many bytes */
	uint32_t crc;  /**< of the whole picture */
	uint32_t len;  /**< of the whole picture; 0 = there is none */
	uint32_t sent; /**< of it, not all of which need have arrived */
};

struct ots_partials {
	struct {
		uint8_t addr[6];
		struct ots_partial is;
	} rows[OTS_PARTIALS];
	unsigned int next;
};

void ots_partials_put(struct ots_partials *p, const uint8_t addr[6], const struct ots_partial *is);
/** What to go on from with this picture; len 0 = nothing. It is forgotten: whatever happens now is
 * told anew. */
struct ots_partial ots_partials_take(struct ots_partials *p, const uint8_t addr[6], uint8_t index,
				     const void *data, size_t len);

/** An attempt to go on. */
struct ots_resume {
	struct ots_partial kept; /**< from which it may go on; len 0 = from the start */
	size_t asked;            /**< bytes whose checksum was asked for; 0 = none is */
	unsigned int guesses;
};

/** Does a label with this OTS Feature value prove what it has, and go on from there? */
bool ots_resume_offered(const uint8_t *feature, size_t len);
/** Of how many bytes to ask for the checksum first, by the label's Object Size; 0 = from the start.
 */
size_t ots_resume_first(struct ots_resume *r, const uint8_t *size, size_t len);
/** The same when it did not have as many: fewer. */
size_t ots_resume_fewer(struct ots_resume *r);
/** The answer: has it the bytes that were asked for, of this picture? */
bool ots_resume_proven(const struct ots_resume *r, const struct ots_control *c, const uint8_t *data,
		       size_t len);
