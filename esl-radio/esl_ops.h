/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What stands behind the front door (esl.h): an engine is a table of these functions, one for each
 * function of the door and under the same contract. The labels' own standard, over PAwR, is one
 * (engine.h); the labels of an OpenEPaperLink access point are another (oepl/). The door alone
 * knows which there are.
 */
#pragma once

#include "esl-radio/esl.h"

struct esl_engine_ops {
	int (*restore)(struct esl_engine *e, const char *key, const void *data, size_t len);
	int (*start)(struct esl_engine *e);
	/** NULL: its labels are kept by the access point itself. */
	int (*take_over)(struct esl_engine *e, const char *key, const void *data, size_t len);
	bool (*knows)(const struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES]);
	void (*free)(struct esl_engine *e);
	void (*set_utc)(struct esl_engine *e, int64_t offset_us, int64_t uncertainty_us);
	int (*want)(struct esl_engine *e, const struct esl_want *w);
	void (*forget)(struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES]);
	int (*image)(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES], const void *data,
		     size_t len);
	/** NULL: it reads no sensors. */
	void (*set_sensor_period)(struct esl_engine *e, int64_t seconds);
	/** NULL: it has no keys of its own. */
	int (*rotate_keys)(struct esl_engine *e, int64_t older_than_utc_us);
	/** NULL: it cannot say. */
	int (*outlook)(const struct esl_engine *e, struct esl_outlook *ret);
	void (*tell)(struct esl_engine *e);
	void (*get_stats)(const struct esl_engine *e, struct esl_stats *ret);
	/* An engine without one leaves these NULL. */
	void (*get_view)(const struct esl_engine *e, struct esl_radio_view *ret);
	void (*set_channels)(struct esl_engine *e, uint64_t map);
};

/** The first member of every engine's structure: an engine is known by it. */
struct esl_door {
	const struct esl_engine_ops *ops;
};

/* --- the engines ------------------------------------------------------------------------------ */

/** Labels of the Bluetooth standard, on the radio of cfg->hci (engine.c). */
int esl_pawr_new(struct loop *loop, const struct esl_engine_config *cfg,
		 const struct esl_engine_callbacks *cb, void *user,
		 struct esl_engine **ret) _must_check_;
/** Labels of the OpenEPaperLink access point at cfg->oepl (oepl/oepl.c). */
int esl_oepl_new(struct loop *loop, const struct esl_engine_config *cfg,
		 const struct esl_engine_callbacks *cb, void *user,
		 struct esl_engine **ret) _must_check_;
