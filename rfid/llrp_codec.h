/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Any LLRP message as a tree of elements: decode, look at, build, encode. Both a client and a
 * reader (the simulator) are written with it; tag reports in bulk go through llrp_report.h instead.
 *
 * Encoding is strict: sub-parameters leave in the normative order of the table, whatever order they
 * were added in. Decoding is lenient: any order of sub-parameters, unknown TLV and custom ones kept
 * verbatim (they are written back after the known ones). Lengths are checked before anything is
 * allocated, nesting is bounded by LLRP_MAX_DEPTH.
 *
 * A message owns all its elements and bytes; llrp_msg_free() releases them at once. Building has a
 * sticky error: after the first failure (out of memory, a value that does not fit) llrp_add()
 * yields NULL, setters do nothing, and llrp_msg_encode() returns the error. Naming a field or
 * parameter that the table does not have is a programmer's error (assert). Numbers are host order
 * here.
 *
 *     struct llrp_msg *m;
 *     r = llrp_msg_new(LLRP_ADD_ROSPEC, id, &m);
 *     struct llrp_elem *rospec = llrp_add(llrp_root(m), LLRP_P_ROSPEC);
 *     llrp_set(rospec, "ROSpecID", 1);
 *     r = llrp_msg_encode(m, &out);
 */
#pragma once

#include "common/buf.h"
#include "rfid/llrp_table.h"

/** The ten octets in front of every message. */
struct llrp_header {
	uint8_t version;
	uint16_t type;
	uint32_t length; /**< of the whole message, header included */
	uint32_t id;
};

/** -EAGAIN with fewer than ten octets; -ERR_BADMSG for an impossible length or version 0;
 * -ERR_TOO_LARGE past LLRP_MAX_FRAME_BYTES. */
int llrp_header_decode(const uint8_t *data, size_t len, struct llrp_header *ret) _must_check_;

/** One field's value: `num` for numbers, else `data`/`len`. */
struct llrp_value {
	uint64_t num; /**< signed kinds: sign-extended */
	const uint8_t *data;
	uint32_t len; /**< in units of the kind: bits, octets, u16 or u32 */
};

struct llrp_msg;

struct llrp_elem {
	const struct llrp_type *type; /**< NULL: unknown parameter, kept in `raw` */
	uint16_t num;                 /**< type number as on the wire */
	uint16_t raw_len;
	const uint8_t *raw; /**< unknown: content after the parameter header */
	struct llrp_msg *msg;
	struct llrp_elem *parent;
	struct llrp_elem *first, *last; /**< sub-parameters in the order received or added */
	struct llrp_elem *next;
	struct llrp_value values[]; /**< one per field of the type */
};

/** Where and why decoding or validation failed. */
struct llrp_diag {
	size_t at;          /**< offset in the frame (decoding) */
	uint16_t status;    /**< LLRPStatus code that says it */
	uint16_t parameter; /**< type of the parameter at fault, 0 = the message */
	uint16_t in;        /**< type of the element around it */
};

/** `frame` is one whole message. On failure nothing is left allocated; `diag` may be NULL.
 * -ERR_VERSION for a message type the table does not know (status LLRP_M_UNSUPPORTED_MESSAGE). */
int llrp_msg_decode(const uint8_t *frame, size_t len, struct llrp_msg **ret,
		    struct llrp_diag *diag) _must_check_;
int llrp_msg_new(uint16_t type, uint32_t id, struct llrp_msg **ret) _must_check_;
void llrp_msg_free(struct llrp_msg *m);
DEFINE_CLEANUP(struct llrp_msg *, llrp_msg_free)

/** Appends the frame. -ERR_TOO_LARGE past the 16-bit length of a parameter. */
int llrp_msg_encode(const struct llrp_msg *m, struct buf *out) _must_check_;
/** Checks what decoding leaves to taste: required ones there, single ones single, none out of
 * place. 0, or -ERR_BADMSG with the LLRPStatus code a reader owes for it. */
int llrp_msg_validate(const struct llrp_msg *m, struct llrp_diag *diag) _must_check_;

uint16_t llrp_msg_type(const struct llrp_msg *m);
uint32_t llrp_msg_id(const struct llrp_msg *m);
uint8_t llrp_msg_version(const struct llrp_msg *m);
void llrp_msg_set_version(struct llrp_msg *m, uint8_t version);
/** The message itself, whose values are its fields. */
struct llrp_elem *llrp_root(struct llrp_msg *m);

/* --- looking at a tree; every `e` may be NULL and then yields nothing ------------------------- */

/** First sub-parameter of that type, or NULL. */
struct llrp_elem *llrp_find(const struct llrp_elem *e, uint16_t type);
/** Next sibling of the same type (and vendor and subtype, if custom), or NULL. */
struct llrp_elem *llrp_find_next(const struct llrp_elem *e);
/** First sub-parameter that is this custom one (known to the table or not), or NULL. */
struct llrp_elem *llrp_find_custom(const struct llrp_elem *e, uint32_t vendor, uint32_t subtype);
size_t llrp_count(const struct llrp_elem *e, uint16_t type);
/** A number field; 0 without an element. */
uint64_t llrp_get(const struct llrp_elem *e, const char *field);
int64_t llrp_get_signed(const struct llrp_elem *e, const char *field);
/** The octets of a variable field in wire order; *ret_len is in units of the kind. NULL if empty.
 */
const uint8_t *llrp_get_bytes(const struct llrp_elem *e, const char *field, size_t *ret_len);
/** Element i of a U16V or U32V field; 0 past its end. */
uint32_t llrp_get_at(const struct llrp_elem *e, const char *field, size_t i);
/** LLRPStatus of a response; 0xffff if there is none. *ret_text may be NULL, else a copy, cut and
 * made printable. */
uint16_t llrp_msg_status(struct llrp_msg *m, char *text, size_t text_size);

/* --- building --------------------------------------------------------------------------------- */

struct llrp_elem *llrp_add(struct llrp_elem *parent, uint16_t type);
/** A custom parameter that the table knows. */
struct llrp_elem *llrp_add_custom(struct llrp_elem *parent, uint32_t vendor, uint32_t subtype);
/** A number; -ERR_RANGE becomes the sticky error if it does not fit. Signed values as int64_t. */
void llrp_set(struct llrp_elem *e, const char *field, uint64_t value);
void llrp_set_signed(struct llrp_elem *e, const char *field, int64_t value);
/** A variable field or U96, copied; `len` in units of the kind, wire order. */
void llrp_set_bytes(struct llrp_elem *e, const char *field, const void *data, size_t len);
void llrp_set_text(struct llrp_elem *e, const char *field, const char *text);
void llrp_set_u16v(struct llrp_elem *e, const char *field, const uint16_t *v, size_t n);
void llrp_set_u32v(struct llrp_elem *e, const char *field, const uint32_t *v, size_t n);
/** The LLRPStatus every response owes. */
struct llrp_elem *llrp_add_status(struct llrp_elem *parent, uint16_t code, const char *text);
