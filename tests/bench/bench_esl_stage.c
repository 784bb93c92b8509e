/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast pictures get into labels: the engine with its own LE central against the simulated
 * controller, in virtual time. Serial means one label after the other, each waiting for its
 * subevent; beside it one connection at a time with all labels to choose the next from, four
 * connections, and what the air would carry if there were nothing but pictures. Labels were visited
 * before, so that their attributes are known. Same seed, same labels, same loss.
 */
#include "tests/sim/esl_world.h"

#include "sim/link_air.h"
#include "sim/radio_impl.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define LABELS 240u
#define LOSS   0.02
#define SEED   20261u
#define ROUNDS 5 /* with seeds that follow: one alone is off by up to a tenth */
#define TICK   (2 * US_PER_MS)
#define STRIDE 7u /* the next label's subevent is anywhere */

/** What the links did with their time. */
enum share {
	SHARE_FREE,
	SHARE_CALL,   /**< until the label answers in its subevent */
	SHARE_SECURE, /**< encryption, attributes, switches */
	SHARE_WRITE,  /**< object chosen, channel opened, picture sent, channel closed */
	SHARE_LEAVE,  /**< clock, timing of the train, Update Complete, the end of the link */
	SHARE_COUNT
};

static const char *const share_names[SHARE_COUNT] = {"free", "call", "secure", "write", "leave"};

static enum share share_of(const struct world *w, const struct esl_visit *v)
{
	if (!v->label)
		return SHARE_FREE;
	switch (v->step) {
	case ESL_STEP_CONNECT: {
		int i = sim_radio_find(w->radio, v->label->addr);

		return i >= 0 && w->radio->labels[i]->station.link ? SHARE_SECURE : SHARE_CALL;
	}
	case ESL_STEP_WRITE:
		return SHARE_WRITE;
	default:
		return SHARE_LEAVE;
	}
}

/** How the labels come to the engine. */
enum manner {
	ONE_BY_ONE, /**< the next one is wished for when the one before it is done */
	ONE_LINK,   /**< all at once, one connection at a time */
	FOUR_LINKS,
	MANNER_COUNT
};

static void want(struct world *w, unsigned int i)
{
	world_want_two(w, i, 1, 1, world_utc(w) + INT64_C(86400) * US_PER_SEC);
}

/** Stages all labels, with that seed; adds to the pictures sent and the time they took. */
static void round_of(const struct sim_label_model *model, enum manner manner, unsigned int seed,
		     double share[], uint64_t *uploads, int64_t *took_us)
{
	unsigned int links = manner == FOUR_LINKS ? 4 : 1, wanted = 0;
	static struct world w;
	struct esl_stats stats;
	int64_t start_us;

	world_open(&w, LABELS, model, LOSS, seed);
	world_adopt_all(&w);
	w.engine->max_links = links;
	while (manner != ONE_BY_ONE && wanted < LABELS)
		want(&w, wanted++);
	start_us = world_now(&w);
	do {
		esl_engine_get_stats(w.engine, &stats);
		if (wanted < LABELS && stats.uploads == wanted)
			want(&w, (wanted++ * STRIDE) % LABELS);
		world_run(&w, TICK);
		for (unsigned int i = 0; i < links; i++)
			share[share_of(&w, &w.engine->visits[i])] += 1;
		esl_engine_get_stats(w.engine, &stats);
	} while (stats.uploads < LABELS && world_now(&w) - start_us < 3600 * US_PER_SEC);
	start_us = world_now(&w) - start_us;
	printf("# %u links: %u of %u pictures in %.1f s of virtual time, %u attempts failed\n",
	       links, (unsigned int) stats.uploads, LABELS, (double) start_us / 1e6,
	       (unsigned int) stats.upload_failures);
	world_close(&w);
	*uploads += stats.uploads;
	*took_us += start_us;
}

/** Labels an hour. */
static double measure(const struct sim_label_model *model, enum manner manner, double share[])
{
	uint64_t uploads = 0;
	int64_t took_us = 0;
	double ticks = 0;

	for (unsigned int i = 0; i < ROUNDS; i++)
		round_of(model, manner, SEED + i, share, &uploads, &took_us);
	for (int s = 0; s < SHARE_COUNT; s++)
		ticks += share[s];
	for (int s = 0; s < SHARE_COUNT; s++)
		share[s] *= 100.0 / ticks;
	return (double) uploads * 3600e6 / (double) took_us;
}

/** Labels an hour if the radio did nothing but carry pictures: each frame of at most 247 bytes is
 * an exchange of its own at 2 Mbit/s, and what is lost either way goes out again. */
static double air_bound(unsigned int bytes)
{
	struct link_air air = {.octets = AIR_OCTETS_MOST, .two_mega = true, .encrypted = true};
	const unsigned int frame = 247, header = 4, unit = 6 * frame - 2; /* of at most 1,494 */
	unsigned int frames = bytes / unit * 6 + (bytes % unit + 2 + frame - 1) / frame;
	double us = frames * (double) air_exchange_us(&air, frame + header, 0);

	return 3600e6 / (us / ((1 - LOSS) * (1 - LOSS)));
}

static void compare(const struct sim_label_model *model, unsigned int bytes)
{
	static const char *const names[] = {"one_by_one", "one_link", "4_links"};
	double share[MANNER_COUNT][SHARE_COUNT] = {{0}}, rate[MANNER_COUNT];

	for (int l = 0; l < MANNER_COUNT; l++) {
		rate[l] = measure(model, (enum manner) l, share[l]);
		printf("bench esl_stage_%u_%s %.0f labels/h\n", bytes, names[l], rate[l]);
	}
	printf("bench esl_stage_%u_ratio %.2f x\n", bytes, rate[FOUR_LINKS] / rate[ONE_BY_ONE]);
	printf("bench esl_stage_%u_ratio_one_link %.2f x\n", bytes,
	       rate[FOUR_LINKS] / rate[ONE_LINK]);
	printf("bench esl_stage_%u_air_bound %.0f labels/h\n", bytes, air_bound(bytes));
	printf("bench esl_stage_%u_4_links_of_bound %.0f %%\n", bytes,
	       100 * rate[FOUR_LINKS] / air_bound(bytes));
	for (int l = 0; l < MANNER_COUNT; l++) {
		printf("# %u B, %s:", bytes, names[l]);
		for (int s = 0; s < SHARE_COUNT; s++)
			printf(" %s %.0f %%", share_names[s], share[l][s]);
		printf("\n");
	}
}

int main(void)
{
	static const struct {
		unsigned int bytes;
		uint16_t width, height;
		uint8_t type;
	} sizes[] = {
		{4736, 296, 128, DISPLAY_BLACK_WHITE},
		{9472, 296, 128, DISPLAY_RED_BLACK_WHITE},
		{30000, 400, 300, DISPLAY_RED_BLACK_WHITE},
	};

	printf("# %u labels, default train, %.0f %% of packets lost each way, %d rounds from seed "
	       "%u\n",
	       LABELS, LOSS * 100, ROUNDS, SEED);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct sim_label_model model = {.width = sizes[i].width,
						.height = sizes[i].height,
						.type = sizes[i].type,
						.slots = 3,
						.leds = 1,
						.personality = SIM_PERSONALITY_SL,
						.redraw_us = US_PER_SEC};

		compare(&model, sizes[i].bytes);
	}
	return 0;
}
