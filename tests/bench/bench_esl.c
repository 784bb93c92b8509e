/* SPDX-License-Identifier: Apache-2.0 */
/* What the label engine costs an access point: time for one subevent's packet, memory for a label.
 */
#include "esl-radio/engine.h"
#include "esl-radio/packer.h"
#include "esl-radio/persist.h"
#include "esl-radio/wake.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#define LABELS 6000
#define ROUNDS 2000
#define TAKES  5

static uint64_t saved_bytes;

static int on_save(void *user, const char *key, const void *data, size_t len)
{
	(void) user;
	(void) key;
	(void) data;
	saved_bytes += len;
	return 0;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

/** Median over a few takes of the microseconds one call needs. */
static double time_packets(struct esl_engine *e, struct esl_packet *p)
{
	double took[TAKES];
	uint8_t air[ESL_AD_MAX + EAD_OVERHEAD];

	for (int t = 0; t < TAKES; t++) {
		int64_t start_us = clock_mono_us(clock_system());

		for (int i = 0; i < ROUNDS; i++) {
			struct esl_cmd c = {.op = ESL_OP_DISPLAY_TIMED, .abs_ms = 1000};

			esl_packet_init(p, 3);
			for (c.esl_id = 0; esl_packet_add(p, &c) >= 0; c.esl_id++)
				;
			if (esl_packet_seal(e, p, air, sizeof(air)) < 0)
				abort();
		}
		took[t] = (double) (clock_mono_us(clock_system()) - start_us) / ROUNDS;
	}
	qsort(took, TAKES, sizeof(took[0]), by_size);
	return took[TAKES / 2];
}

static struct esl_label *make_label(struct esl_engine *e, unsigned int i)
{
	struct esl_want w = {.addr = {0xc0, 0xff, 0xee, 0, (uint8_t) (i >> 8), (uint8_t) i},
			     .n = 2};
	struct esl_label *l;

	w.timeline[0].from_us = 1;
	w.timeline[1].from_us = INT64_MAX / 2;
	memset(w.timeline[1].image, 1, IMAGE_HASH_BYTES);
	if (esl_engine_want(e, &w) < 0)
		abort();
	l = esl_label_find(e, w.addr);
	if (esl_label_allocate(e, l) < 0 || esl_label_set_slots(l, 2) < 0)
		abort();
	l->configured = true;
	l->phase = ESL_PHASE_SYNCED;
	if (esl_save_label(e, l) < 0)
		abort();
	esl_reconsider(e, l);
	return l;
}

int main(void)
{
	struct esl_engine_config cfg = {.seed = 1, .hci = "unix:/nonexistent"};
	struct esl_engine_callbacks cb = {.save = on_save};
	struct esl_engine *e;
	struct esl_packet p;
	struct loop *loop;
	size_t before;
	int64_t start_us;

	if (loop_new_virtual(0, 0, &loop) < 0 || esl_engine_new(loop, &cfg, &cb, NULL, &e) < 0)
		return 1;
	printf("# %d labels, 2 image slots and 2 wishes each, default train\n", LABELS);
	printf("bench esl_packet_full %.2f us\n", time_packets(e, &p));
	before = mallinfo2().uordblks;
	saved_bytes = 0;
	for (unsigned int i = 0; i < LABELS; i++)
		(void) make_label(e, i);
	printf("bench esl_label_memory %.0f B\n",
	       (double) (mallinfo2().uordblks - before) / LABELS);
	printf("bench esl_label_saved %.0f B\n", (double) saved_bytes / LABELS);
	start_us = clock_mono_us(clock_system());
	for (int i = 0; i < ROUNDS; i++) {
		struct esl_label *l;

		TAILQ_FOREACH(l, &e->groups[i % 26].ready[ESL_URGENCY_UPKEEP], ready_link)
		l->misses = 0; /* each of them has a ping to be sent every time */
		esl_packer_request(e, (uint8_t) (i % 26), 1);
	}
	printf("bench esl_subevent_of_231_labels %.2f us\n",
	       (double) (clock_mono_us(clock_system()) - start_us) / ROUNDS);
	printf("# %.1f commands to a packet\n",
	       (double) e->stats.commands / (double) MAX(e->stats.packets, 1u));
	esl_engine_free(e);
	loop_free(loop);
	return 0;
}
