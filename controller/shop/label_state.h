/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What we may say about a label: one state and one reason in plain words, from facts alone. Wanted,
 * sent and shown stay apart: nothing counts as shown without the label's own evidence.
 */
#pragma once

#include "common/image.h"

enum label_state {
	LABEL_UNLINKED,      /**< no product: whatever it shows, it means nothing */
	LABEL_STATE_PENDING, /**< the picture has not left the controller */
	LABEL_STATE_SENDING, /**< its access point has it, the label does not show it yet */
	LABEL_STATE_SHOWN,
	LABEL_STATE_ERROR,
	LABEL_STATE_LOST,
	LABEL_STATE_COUNT
};
const char *label_state_text(enum label_state state);

struct label_facts {
	bool linked;
	bool adopted; /**< an access point has it */
	bool agent_online;
	bool agent_has_wish; /**< that access point has fetched the present wish */
	bool has_size;
	bool drawing; /**< marked, picture not made yet */
	bool lost;
	bool retired; /**< another label has taken its place */
	int error;
	const char *agent;     /**< its name */
	const char *text;      /**< of the error or loss */
	const uint8_t *wanted; /**< picture in force, NULL = none */
	const uint8_t *staged;
	const uint8_t *sent;
	const uint8_t *shown;
	int grade; /**< of shown */
};

#define LABEL_REASON_MAX 400
/** The reason is empty where there is nothing to explain. */
enum label_state label_state_of(const struct label_facts *f, char reason[LABEL_REASON_MAX]);
