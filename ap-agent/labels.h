/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * From the wished labels to the label engine, and from its reports to the journal. The engine keeps
 * nothing on disk itself: what it must not forget comes here and goes to the store. A report that
 * came before such a blob is durable before the blob is, so that the engine never remembers having
 * told what was lost.
 */
#pragma once

#include "ap-agent/images.h"
#include "ap-agent/journal.h"
#include "esl-radio/esl.h"

struct labels;

struct labels_config {
	struct esl_engine_config engine;
	struct http_client *http;
	struct store *store;
	struct journal *journal;
	const struct timebase *tb;
	/** A wish came for a label that the engine does not know: true = not yet, it comes again.
	 * May be NULL. */
	bool (*hold)(void *user, const uint8_t addr[LABEL_ADDR_BYTES]);
	void *hold_user;
};

/** Makes the engine and gives it back its blobs and the remembered wishes. `changed` is called when
 * the radio goes up or down; may be NULL. */
int labels_new(struct loop *loop, const struct labels_config *cfg, loop_fn changed, void *user,
	       struct labels **ret) _must_check_;
void labels_free(struct labels *l);
DEFINE_CLEANUP(struct labels *, labels_free)
/** Opens the radio and takes up the remembered wishes; also after labels_rest(). */
int labels_start(struct labels *l) _must_check_;
/** Falls silent: somebody else may have the labels by now. What is kept of them stays kept. */
void labels_rest(struct labels *l);

void labels_want(struct labels *l, const struct proto_desired_label *wish);
/** What another machine kept of a label that is ours now (esl_engine_take_over()). */
int labels_take_over(struct labels *l, const char *key, const void *data, size_t len) _must_check_;
void labels_forget(struct labels *l, const uint8_t addr[LABEL_ADDR_BYTES]);
/** The controller has another database: tells it anew what is known of every label. */
void labels_tell(struct labels *l);
/** The clock was measured, or stepped: tells the engine. */
void labels_clock(struct labels *l);
void labels_online(struct labels *l, bool online);
/** How often the sensors of all labels are read, now and after a rest; 0 = when asked for. */
void labels_set_sensor_period(struct labels *l, int64_t seconds);
/** Data channels the radio is to keep to (bit n = channel n), now and after a rest. */
void labels_set_channels(struct labels *l, uint64_t map);
void labels_health(const struct labels *l, struct proto_health *h);
