/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Where the running store says a tag is, on the recorded walks of one room (four quarters, fixed
 * and variable height): recorded reads -> the access point's presence filter -> sightings, handed
 * over five times a second -> the controller's state engine with a model fitted to sightings of the
 * parts that are not played. Quarters of every walk are left out in turn and played joined as the
 * life of one tag, 15 moves. Beside it the same life without a model, with the usual steps of the
 * filter, and the figure of the offline model that sees every read. Asked after every read; nothing
 * is random.
 */
#include "controller/inventory/inv_state.h"
#include "controller/inventory/place_model.h"
#include "rfid/rfid.h"

#include <stdio.h>
#include <string.h>

#define PLACES     4
#define SETS       2
#define PARTS      4
#define TICK_US    (250 * US_PER_MS)
#define HAND_US    (200 * US_PER_MS)
#define GAP_US     (200 * US_PER_MS) /* between two parts of the joined life */
#define BEFORE_US  (1 * US_PER_SEC)  /* beside a part left out that would give it away */
#define AFTER_US   (2 * US_PER_SEC)
#define EVENTS_MAX 20000
#define TELLING    16

static const char *const sets[SETS] = {"fixed_height", "variable_height"};
static const char *const stems[SETS] = {"quad", "quadz"};
static const uint8_t tag[12] = {0x30, 0x34, 0x35, 0xfc, 0x88, 0x03,
				0xd0, 0x56, 0xd1, 0x5b, 0x96, 0x3f};

/* --- an access point ---------------------------------------------------------------------------
 */

struct told {
	int64_t at_us;
	struct presence_sighting s;
};

struct point {
	struct presence *presence;
	int64_t tick_us, now_us;
	struct told told[EVENTS_MAX];
	size_t n;
};

static void on_sighting(void *user, const struct presence_sighting *s)
{
	struct point *p = user;

	if (p->n < EVENTS_MAX)
		p->told[p->n++] = (struct told){.at_us = p->now_us, .s = *s};
}

static bool open_point(struct point *p, bool fine, int64_t start_us)
{
	static const struct presence_config usual;

	p->n = 0;
	p->tick_us = p->now_us = start_us;
	if (presence_new(&usual, on_sighting, p, &p->presence) < 0)
		return false;
	if (fine)
		presence_set_step(p->presence, 300, 500 * US_PER_MS);
	return true;
}

static void hear(struct point *p, const struct trace_read *r, int64_t at_us)
{
	struct rfid_read read = {.antenna = r->antenna,
				 .count = 1,
				 .rssi_cdbm = (int16_t) (r->rssi_dbm * 100.0f),
				 .phase = UINT16_MAX,
				 .doppler = INT16_MIN,
				 .first_us = at_us,
				 .last_us = at_us};

	if (epc_set(&read.epc, tag, 96) < 0)
		return;
	for (; p->tick_us <= at_us; p->tick_us += TICK_US) {
		p->now_us = p->tick_us;
		presence_tick(p->presence, p->tick_us);
	}
	p->now_us = at_us;
	(void) presence_read(p->presence, r->antenna, &read);
}

/* --- fitting -----------------------------------------------------------------------------------
 */

struct lesson {
	struct place_live_event events[EVENTS_MAX];
	size_t n, n_walks;
	struct place_live_walk walks[2 * PLACES];
	size_t starts[2 * PLACES];
};

/* Reads [from, to) of a walk as sightings. */
static void add_walk(struct lesson *l, unsigned int place, const struct trace *t, size_t from,
		     size_t to)
{
	static struct point p;
	struct place_live_walk *w = &l->walks[l->n_walks];

	if (to <= from + PLACE_MODEL_MIN_READS ||
	    t->reads[to - 1].at_us - t->reads[from].at_us < PLACE_LIVE_MIN_S * US_PER_SEC ||
	    !open_point(&p, true, t->reads[from].at_us))
		return;
	for (size_t i = from; i < to; i++)
		hear(&p, &t->reads[i], t->reads[i].at_us);
	presence_free(p.presence);
	*w = (struct place_live_walk){.place = place + 1,
				      .from_us = t->reads[from].at_us,
				      .to_us = t->reads[to - 1].at_us,
				      .n = p.n};
	l->starts[l->n_walks++] = l->n;
	for (size_t i = 0; i < p.n && l->n < EVENTS_MAX; i++)
		l->events[l->n++] = (struct place_live_event){
			.at_us = p.told[i].at_us,
			.antenna = (uint16_t) (p.told[i].s.source - 1),
			.told = {.present = p.told[i].s.kind != PRESENCE_GONE,
				 .rssi_cdbm = p.told[i].s.rssi_cdbm,
				 .rate_mhz = p.told[i].s.rate_mhz}};
}

/* A model that was not shown part `part` of any walk; PARTS = shown all. */
static struct place_live *teach(const struct place_walk *walks, unsigned int part,
				struct place_live_score *score)
{
	static struct lesson l;
	struct place_live_antenna antennas[4];
	struct place_live *m = NULL;
	const char *why = "";

	l.n = l.n_walks = 0;
	memset(antennas, 0, sizeof(antennas));
	for (unsigned int a = 0; a < 4; a++) {
		antennas[a].agent = 1;
		antennas[a].number = (uint16_t) (a + 1);
		strcpy(antennas[a].reader, "r");
	}
	for (unsigned int i = 0; i < PLACES; i++) {
		const struct trace *t = &walks[i].trace;
		size_t from = t->n * part / PARTS, to = MIN(t->n * (part + 1) / PARTS, t->n - 1);
		size_t left = 0, right = t->n;

		if (part == PARTS) {
			add_walk(&l, i, t, 0, t->n);
			continue;
		}
		while (left < from && t->reads[left].at_us < t->reads[from].at_us - BEFORE_US)
			left++;
		while (right > to && t->reads[right - 1].at_us > t->reads[to].at_us + AFTER_US)
			right--;
		add_walk(&l, i, t, 0, left);
		add_walk(&l, i, t, right, t->n);
	}
	for (size_t w = 0; w < l.n_walks; w++)
		l.walks[w].events = l.events + l.starts[w];
	if (place_live_fit(antennas, 4, l.walks, l.n_walks, &m, score, &why) < 0)
		fprintf(stderr, "no model: %s\n", why);
	return m;
}

/* --- a life ------------------------------------------------------------------------------------
 */

struct figures {
	size_t reads, right, moves, told;
	double sure;
	size_t n[10], ok[10];
};

struct life {
	struct point point;
	struct inv_state *state;
	size_t handed;
	int64_t hand_us;
	uint64_t seq;
	uint32_t named;
};

static uint32_t place_of(void *user, const struct inv_antenna *a)
{
	(void) user;
	return a->number;
}

/* What was told by now arrives. */
static void hand_over(struct life *l, int64_t now_us)
{
	struct proto_source sources[4];
	struct inv_sighting s[TELLING];
	struct inv_batch b = {
		.agent = 1, .journal_id = {1}, .n_sources = 4, .sources = sources, .sightings = s};
	uint64_t applied;

	memset(sources, 0, sizeof(sources));
	for (unsigned int a = 0; a < 4; a++) {
		sources[a].antenna = (uint16_t) (a + 1);
		strcpy(sources[a].reader, "r");
	}
	while (l->handed < l->point.n) {
		b.first_seq = l->seq;
		for (b.n = 0; b.n < TELLING && l->handed < l->point.n; b.n++, l->handed++) {
			const struct presence_sighting *t = &l->point.told[l->handed].s;

			s[b.n] = (struct inv_sighting){.epc = tag,
						       .bits = 96,
						       .kind = (uint8_t) t->kind,
						       .source = (uint16_t) (t->source - 1),
						       .rate_mhz = t->rate_mhz,
						       .rssi_cdbm = t->rssi_cdbm,
						       .peak_cdbm = t->peak_cdbm,
						       .count = t->count,
						       .first_us = t->first_us,
						       .last_us = t->last_us};
		}
		l->seq += b.n;
		if (inv_state_apply(l->state, &b, now_us, &applied) < 0)
			abort();
	}
	buf_clear(&l->state->out);
	inv_state_tick(l->state, now_us);
}

static void look(struct life *l, uint32_t truth, int64_t now_us, struct figures *f)
{
	struct belief b =
		l->state->items.n ? inv_item_belief(l->state, 0, now_us) : (struct belief){0};
	double sure = b.confidence / 1000.0;
	unsigned int tenth = MIN((unsigned int) (sure * 10), 9u);

	f->reads++;
	f->right += b.place == truth;
	f->moves += l->named && b.place != l->named;
	f->sure += sure;
	f->n[tenth]++;
	f->ok[tenth] += b.place == truth;
	l->named = b.place;
}

static bool play(const struct place_walk *walks, struct place_live *const *models,
		 struct figures *f)
{
	static struct life l;
	int64_t end_us = walks[0].trace.reads[0].at_us;
	bool begun = false;

	memset(f, 0, sizeof(*f));
	memset(&l, 0, sizeof(l));
	l.seq = 1;
	l.hand_us = end_us;
	if (!open_point(&l.point, models != NULL, end_us) ||
	    inv_state_new(belief_defaults(), 0, &l.state) < 0)
		return false;
	l.state->place_of = place_of;
	for (unsigned int part = 0; part < PARTS; part++) {
		inv_state_set_model(l.state, models ? models[part] : NULL, NULL);
		for (unsigned int i = 0; i < PLACES; i++) {
			const struct trace *t = &walks[i].trace;
			size_t from = t->n * part / PARTS, to = t->n * (part + 1) / PARTS;
			int64_t shift = begun ? end_us + GAP_US - t->reads[from].at_us : 0;

			begun = true;
			for (size_t k = from; k < to; k++) {
				end_us = t->reads[k].at_us + shift;
				for (; l.hand_us <= end_us; l.hand_us += HAND_US)
					hand_over(&l, l.hand_us);
				hear(&l.point, &t->reads[k], end_us);
				look(&l, i + 1, end_us, f);
			}
		}
	}
	f->told = l.point.n;
	presence_free(l.point.presence);
	inv_state_free(l.state);
	return true;
}

/* --- telling -----------------------------------------------------------------------------------
 */

static void say(const char *set, const char *what, const struct figures *f)
{
	printf("bench places_live_%s_%s_accuracy %.3f share\n", set, what,
	       (double) f->right / (double) f->reads);
	printf("bench places_live_%s_%s_moves %zu moves\n", set, what, f->moves);
	printf("bench places_live_%s_%s_confidence %.3f mean\n", set, what,
	       f->sure / (double) f->reads);
	printf("bench places_live_%s_%s_sightings %zu of_%zu_reads\n", set, what, f->told,
	       f->reads);
	for (unsigned int t = 0; t < 10; t++)
		if (f->n[t])
			printf("# %s %s: confidence %.1f to %.1f: right %.3f of %zu\n", set, what,
			       t / 10.0, (t + 1) / 10.0, (double) f->ok[t] / (double) f->n[t],
			       f->n[t]);
}

static int load(unsigned int set, struct place_walk *walks)
{
	static const char *const names[PLACES] = {"1", "2", "3", "4"};
	const char *dir = getenv("GONDOLA_DATA");

	for (unsigned int i = 0; i < PLACES; i++) {
		char file[512];

		snprintf(file, sizeof(file), "%s/rfid-traces/quadrant/%s%u_train.csv",
			 dir ? dir : "../shared/data", stems[set], i + 1);
		walks[i].place = names[i];
		if (trace_load(file, NULL, NULL, &walks[i].trace) < 0) {
			printf("# skipped: %s is missing (GONDOLA_DATA names the folder)\n", file);
			return -1;
		}
	}
	return 0;
}

static int run(unsigned int set, struct place_walk *walks, const struct place_walk *others)
{
	static struct place_score raw;
	static struct place_live_score score;
	struct place_live *models[PARTS] = {NULL}, *other;
	struct place_model *m = NULL;
	struct figures f;
	int failed = 0;

	for (unsigned int p = 0; p < PARTS; p++)
		failed |= !(models[p] = teach(walks, p, NULL));
	if (!failed && play(walks, models, &f))
		say(sets[set], "fitted", &f);
	if (play(walks, NULL, &f))
		say(sets[set], "general_rules", &f);
	if (place_model_fit(walks, PLACES, &m, &raw, NULL) == 0)
		printf("bench places_live_%s_every_read_accuracy %.3f share\n"
		       "bench places_live_%s_every_read_moves %zu moves\n",
		       sets[set], (double) raw.right / (double) raw.reads, sets[set], raw.moves);
	place_model_free(m);
	other = teach(walks, PARTS, &score);
	if (other)
		printf("bench places_live_%s_outlook_accuracy %.3f share\n", sets[set],
		       (double) score.right / (double) score.looks);
	place_live_free(other);
	/* Walks of another week, at the other kind of height. */
	other = teach(others, PARTS, NULL);
	for (unsigned int p = 0; p < PARTS; p++) {
		place_live_free(models[p]);
		models[p] = other;
	}
	if (other && play(walks, models, &f))
		say(sets[set], "fitted_to_the_other_week", &f);
	place_live_free(other);
	return failed;
}

int main(void)
{
	static struct place_walk walks[SETS][PLACES];
	int failed = 0;

	for (unsigned int s = 0; s < SETS; s++)
		if (load(s, walks[s]) < 0)
			return 0;
	printf("# joined, quarters left out in turn, 15 real moves; sightings handed over every "
	       "0.2 s\n");
	for (unsigned int s = 0; s < SETS; s++)
		failed |= run(s, walks[s], walks[!s]);
	for (unsigned int s = 0; s < SETS; s++)
		for (unsigned int i = 0; i < PLACES; i++)
			trace_done(&walks[s][i].trace);
	return failed;
}
