/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The memory of simulated tags: four banks and their locks (Gen2, 6.3.2.1). A tag is found by the
 * EPC it was born with, which is what the world and the truth port go on calling it; what it says
 * on the air is the EPC that is in its memory now. Tags that nobody worked on cost nothing.
 */
#pragma once

#include "common/epc.h"

#define SIM_TAG_RESERVED_WORDS 4
#define SIM_TAG_TID_WORDS      6
#define SIM_TAG_USER_WORDS     32
#define SIM_TAG_EPC_WORDS      (2 + EPC_MAX_BYTES / 2) /* CRC and PC come first */
#define SIM_TAG_LOCKS          5

enum sim_tag_bank {
	SIM_BANK_RESERVED,
	SIM_BANK_EPC,
	SIM_BANK_TID,
	SIM_BANK_USER
};

struct sim_tag {
	struct epc born;
	uint16_t reserved[SIM_TAG_RESERVED_WORDS]; /**< kill password, access password */
	uint16_t epc[SIM_TAG_EPC_WORDS];
	uint16_t tid[SIM_TAG_TID_WORDS];
	uint16_t user[SIM_TAG_USER_WORDS];
	uint8_t locks[SIM_TAG_LOCKS]; /**< enum sim_tag_lock, by field as in LLRP */
};

enum sim_tag_lock {
	SIM_TAG_UNLOCKED,
	SIM_TAG_LOCKED, /**< written with the access password only */
	SIM_TAG_LOCKED_EVER,
	SIM_TAG_UNLOCKED_EVER
};

struct sim_tags;

struct sim_tags *sim_tags_new(void);
void sim_tags_free(struct sim_tags *t);
/** The memory of the tag that was born so; made when it is not there yet. NULL without memory. */
struct sim_tag *sim_tags_get(struct sim_tags *t, const struct epc *born);
/** What it says on the air: `born` itself unless its memory was changed. Returns ret or born. */
const struct epc *sim_tags_on_air(const struct sim_tags *t, const struct epc *born,
				  struct epc *ret);

/* Operations; the result codes of LLRP (C1G2ReadResult and so on), 0 = success. */

/** n_words 0 = to the end of the bank. `ret` has room for SIM_TAG_EPC_WORDS or more. */
uint8_t sim_tag_read(const struct sim_tag *tag, uint32_t password, uint8_t bank, uint16_t pointer,
		     uint16_t n_words, uint16_t *ret, uint16_t *ret_n);
uint8_t sim_tag_write(struct sim_tag *tag, uint32_t password, uint8_t bank, uint16_t pointer,
		      const uint16_t *words, uint16_t n, uint16_t *ret_written);
uint8_t sim_tag_lock(struct sim_tag *tag, uint32_t password, uint8_t field, uint8_t privilege);
