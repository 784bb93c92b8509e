/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The label engine between two seams that do nothing by themselves: the test plays the radio and
 * the labels, answer by answer, and so can say what no well-behaved label says.
 */
#pragma once

#include "esl-radio/engine.h"
#include "esl-radio/packer.h"

/** An interval of the train and what is added to it. */
#define FAKE_HEARD_US (INT64_C(2) * US_PER_SEC)
#define FAKE_START    (INT64_C(5000) * US_PER_SEC)
#define FAKE_UTC      (INT64_C(1790000000) * US_PER_SEC)
#define FAKE_REPORTS  64
#define FAKE_SETS     32

/** What the engine asks of its connected side. */
enum fake_op {
	FAKE_NOTHING,
	FAKE_CONNECT,
	FAKE_READ_INFO,
	FAKE_CONFIGURE,
	FAKE_WRITE_IMAGE,
	FAKE_ECP,
	FAKE_SET_TIME,
	FAKE_UPDATE_COMPLETE,
	FAKE_DISCONNECT,
};

struct fake_radio {
	struct esl_radio base;
	struct esl_radio_callbacks cb;
	void *user;
	/** What the engine handed over since fake_request(), decrypted. */
	size_t n_sets;
	struct fake_set {
		uint8_t subevent;
		size_t n;
		struct esl_cmd cmd[ESL_RESPONSE_SLOTS];
	} sets[FAKE_SETS];
	struct ead_key train_key;
	bool free_called;
};

struct fake_link {
	struct esl_link base;
	struct esl_link_callbacks cb;
	void *user;
	/** The request that waits for its completion; op 0 = none. */
	uint8_t op;
	uint8_t addr[ESL_ADDR_BYTES];
	struct esl_link_config config;
	int64_t config_us; /**< when that was asked */
	uint8_t index;
	uint8_t subevent;
	uint32_t abs_ms;
	uint8_t tlv[ESL_TLV_MAX];
	size_t tlv_len;
	esl_link_done_fn done;
	void *done_user;
};

struct fake {
	struct loop *loop;
	struct esl_engine *engine;
	struct fake_radio *radio;
	struct fake_link *link;
	struct esl_report reports[FAKE_REPORTS];
	size_t n_reports;
	unsigned int asked, saves;
	int save_err; /**< what comes of a save */
	struct ead_key response_key;
	uint8_t group, id;
	uint8_t max_image_index;
	struct esl_link_result info; /**< what it says of itself */
	uint8_t n_leds, led;         /**< what the label says of its light when it joins */
};

/** The one label. */
extern const uint8_t fake_addr[ESL_ADDR_BYTES];

void fake_open(struct fake *f);
void fake_close(struct fake *f);
void fake_run(struct fake *f, int64_t us);
int64_t fake_utc(const struct fake *f);
/** Name of picture n for the one label; handed over at once when the engine asks. */
void fake_image(uint32_t n, uint8_t ret_hash[IMAGE_HASH_BYTES]);
void fake_want(struct fake *f, uint32_t picture);
void fake_want_two(struct fake *f, uint32_t now, uint32_t later, int64_t later_utc_us);
/** Completes the request that waits, which must be `op`; NULL result = an empty one. */
void fake_done(struct fake *f, uint8_t op, int err, const struct esl_link_result *res);
/** Brings the one label into the train. */
void fake_join(struct fake *f);
/** Plays a visit that uploads `n` pictures and completes. */
void fake_visit(struct fake *f, unsigned int n);
/** One train event; yields the command for the label, or NULL. */
const struct esl_cmd *fake_request(struct fake *f);
/** The label answers the last packet in slot 0. */
void fake_answer(struct fake *f, const struct esl_rsp *r);
void fake_error(struct fake *f, uint8_t code);
void fake_display_state(struct fake *f, uint8_t image);
void fake_basic_state(struct fake *f, uint16_t bits);
const struct esl_report *fake_last(const struct fake *f, enum esl_report_kind kind);
