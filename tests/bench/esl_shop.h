/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A shop of many labels for benches of the label engine, in virtual time: the engine with its real
 * drivers, HCI packets over a UNIX socket, the virtual controller and its labels. Labels are either
 * put into the train as if they had joined long ago (seeded), or join over the air.
 */
#pragma once

#include "common/loop.h"
#include "esl-radio/engine.h"
#include "sim/radio.h"

#define SHOP_START (INT64_C(1000) * US_PER_SEC)
#define SHOP_UTC   (INT64_C(1790000000) * US_PER_SEC)

struct shop_config {
	struct esl_train train;
	unsigned int labels, max_links;
	double loss, spread_ppm;
	bool corrects_clock;
	uint16_t width, height; /**< of the panels; 0 = 64 x 32 */
	uint8_t type;           /**< 0 = black-white */
	uint64_t seed;
	uint8_t index;     /**< which access point */
	struct loop *loop; /**< shared by several shops; NULL = its own */
};

struct shop {
	struct shop_config cfg;
	struct loop *loop;
	struct sim_radio *radio;
	struct esl_engine *engine;
	char dir[40], hci[80];
	uint64_t saves, lost, errors;
	double bytes_per_label, bond_bytes; /**< of the engine, measured while seeding */
};

/** What the published implementations send by default. */
extern const struct esl_train shop_train_sl, shop_train_nrf;

/** Opens the shop and waits until its train runs. */
void shop_open(struct shop *s, const struct shop_config *cfg);
void shop_close(struct shop *s);
/** All labels hold picture 1, shown, and picture 2. Their clocks are set this moment. */
void shop_seed(struct shop *s);
/** All labels join over the air, show picture 1, and keep it; yields the time it took. */
int64_t shop_join(struct shop *s);
void shop_run(struct shop *s, int64_t us);
int64_t shop_now(const struct shop *s);
int64_t shop_utc(const struct shop *s);
void shop_addr(const struct shop *s, unsigned int i, uint8_t addr[ESL_ADDR_BYTES]);
/** Picture `now` until that instant, picture `later` from then on; 0 = none. */
void shop_want(struct shop *s, unsigned int i, uint32_t now, uint32_t later, int64_t later_utc_us);
/** True if the panel shows that picture. */
bool shop_shows(const struct shop *s, unsigned int i, uint32_t picture);
/** How many labels hold the timed command that they were last told. */
unsigned int shop_acknowledged(const struct shop *s);
/** How many show that picture. */
unsigned int shop_showing(const struct shop *s, uint32_t picture);
/** Seconds of this process on a processor. */
double shop_cpu_s(void);
/** Prints `bench NAME VALUE UNIT` for the median, 99 of 100 and the longest; sorts. */
void shop_print_spread(const char *name, double *values, size_t n, const char *unit);
/** Aborts with a word if it is not so: a bench that went wrong has no figures. */
void shop_must(bool ok, const char *what);
