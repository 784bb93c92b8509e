/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A picture of ours as an OpenEPaperLink access point wants it, and as it hands it on to a label:
 * it takes a JPEG, maps each pixel to the nearest colour of the label's type, turns the result as
 * the panel's memory lies, and sends bit planes, the second one only if there is colour, for some
 * types compressed (zlib or G5); to panels of more colours the numbers of the colours, packed. The
 * same is worked out here, so that what was queued for a label, and what the
 * label says it has (the MD5 of those bytes), can be compared with what was meant, bit by bit.
 */
#pragma once

#include "common/image.h"
#include "esl-radio/oepl/tagdb.h"

/** What we call a panel of this type (common/image.h). */
uint8_t oepl_display_type(const struct oepl_type *t);

/** A baseline JPEG whose every pixel is nearest to the colour that is meant: it is decoded again
 * and compared before it is returned. -ERR_RANGE if the picture does not fit the type, or the
 * type's colours are too close to each other for a JPEG to tell them apart. */
int oepl_jpeg(const struct image *im, const struct oepl_type *t, struct buf *out) _must_check_;

/** True if a label of this type with this firmware is sent plain planes: then oepl_planes() says
 * beforehand what it will get. */
bool oepl_is_plain(const struct oepl_type *t, uint16_t version);
/** The planes that the access point makes of the picture. -ENOTSUP for types whose form is not
 * known here. */
int oepl_planes(const struct image *im, const struct oepl_type *t, struct buf *out) _must_check_;
/** Are these bytes, plain or compressed in whatever way, this picture? 1, 0, or -ENOTSUP when their
 * form is not known here. */
int oepl_same_picture(const void *data, size_t len, const struct image *im,
		      const struct oepl_type *t) _must_check_;
/** The half of the MD5 that access points keep. */
void oepl_hash(const void *data, size_t len, uint8_t ret[OEPL_HASH_BYTES]);
