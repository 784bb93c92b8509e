/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The bonds of a central by the labels' addresses, each with what is remembered of its label, and
 * the form in which one is stored. Nothing of a key is left behind where it lay.
 */
#pragma once

#include "common/buf.h"
#include "common/wire.h"
#include "esl-radio/le/esl_peer.h"

/** There may be as many as there are labels, so that they lie one behind the other. */
struct le_bond {
	uint8_t addr[ESL_ADDR_BYTES];
	struct esl_bond is;
	uint16_t kind; /**< what is remembered: in the table of kinds, or ESL_NO_KIND */
};

/** Embedded by its owner; zeroed before the first use. */
struct le_bonds {
	struct le_bond *row; /**< by address */
	size_t n, cap;
	struct esl_kinds kinds;
};

/** NULL if there is none. Good until one is added or dropped. */
struct le_bond *le_bonds_find(const struct le_bonds *t, const uint8_t *addr);
/** Adds or replaces one. -ENOSPC, -ENOMEM. */
int le_bonds_keep(struct le_bonds *t, const uint8_t *addr, const struct esl_bond *is) _must_check_;
void le_bonds_drop(struct le_bonds *t, struct le_bond *b);
/** Remembers that, or nothing (`known` false), of the label. False if nothing changed. */
bool le_bonds_remember(struct le_bonds *t, struct le_bond *b, const struct esl_kind *kind);
/** False if nothing is remembered of it. */
bool le_bonds_recall(const struct le_bonds *t, const struct le_bond *b, struct esl_kind *ret);
void le_bonds_done(struct le_bonds *t);

/** One as it is stored, with its key: to be wiped. */
void le_bonds_put(const struct le_bonds *t, const struct le_bond *b, struct buf *out);
/** Adds one from that form, of any version. -ERR_VERSION, -ERR_BADMSG. */
int le_bonds_get(struct le_bonds *t, const uint8_t *addr, struct wire *w) _must_check_;
