/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside the protocol: how every message of proto.h is written and read as one CBOR map. Each file
 * proto_*.c holds the messages of one subject and begins with their key numbers.
 */
#pragma once

#include "common/cbor.h"
#include "common/err.h"
#include "common/proto.h"

/*
 * Keys 0 and 1 are the same in every message; from 2 on each message numbers its own. A key that a
 * newer sender adds is skipped; a key that is required and absent makes the message malformed.
 */
enum {
	KEY_VERSION = 0,
	KEY_CAPS = 1
};

#define KEY_BIT(k) (UINT64_C(1) << (k))

/** One pass over a map's pairs: remembers which keys came, refuses one that comes twice. */
struct pp_pairs {
	struct cbor_reader *r;
	size_t left;
	uint64_t seen;
	uint64_t *caps; /**< of a message: where its capabilities go */
};

void pp_begin(struct buf *out, size_t pairs, uint64_t caps);
void pp_put_u(struct buf *out, unsigned int key, uint64_t v);
void pp_put_i(struct buf *out, unsigned int key, int64_t v);
void pp_put_b(struct buf *out, unsigned int key, const void *data, size_t n);
void pp_put_t(struct buf *out, unsigned int key, const char *text);
void pp_put_flag(struct buf *out, unsigned int key, bool v);
/** Of n entries, which the caller puts after it. */
void pp_put_array(struct buf *out, unsigned int key, size_t n);
/** A whole message: its version is checked and its capabilities are read as they come. */
struct pp_pairs pp_open_message(struct cbor_reader *r, const void *data, size_t len,
				uint64_t *ret_caps);
/** A map within a message. */
struct pp_pairs pp_open_pairs(struct cbor_reader *r);
/** Moves to the next key below n_keys, past those of newer senders. False at the end or on failure.
 */
bool pp_next_pair(struct pp_pairs *p, unsigned int *ret_key, unsigned int n_keys);
/** These must have come; and a message's version. */
void pp_require(struct pp_pairs *p, uint64_t keys);
/** Up to `cap` bytes; how many came. */
size_t pp_get_b(struct cbor_reader *r, void *to, size_t cap);
int pp_finish(struct cbor_reader *r, size_t *ret_at);
void *pp_new_array(struct cbor_reader *r, size_t n, size_t size);
void pp_expect_array(struct cbor_reader *r, size_t n);
int16_t pp_get_i16(struct cbor_reader *r);
int8_t pp_get_i8(struct cbor_reader *r);
void pp_put_epc(struct buf *out, const struct epc *e);
void pp_get_epc(struct cbor_reader *r, struct epc *e);
struct proto_operation;
/** `secret`: its password as well. */
void pp_put_operation(struct buf *out, const struct proto_operation *m, bool secret);
void pp_get_operation(struct cbor_reader *r, struct proto_operation *m);
void pp_check_batch(struct cbor_reader *r, uint64_t first_seq, size_t n);

/* proto_radio.c */
void pp_put_radio(struct buf *out, const struct proto_health_radio *radio);
void pp_get_radio(struct cbor_reader *r, struct proto_health_radio *m);
