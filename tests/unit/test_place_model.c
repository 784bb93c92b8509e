/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_common.h"

#include "common/buf.h"
#include "common/err.h"
#include "tests/unit/place_walks.h"
#include <errno.h>
#include <stdio.h>

#define CORNERS 4

static const char *const names[CORNERS] = {"Back room", "Sales floor", "Exit", "Fitting room"};

struct hall {
	struct place_walk walks[CORNERS];
	struct place_model *model;
	struct place_score score;
};

static void walk_hall(struct hall *h, uint64_t seed, size_t n, double gap_ms)
{
	walk_seed = seed;
	for (int i = 0; i < CORNERS; i++)
		h->walks[i] = make_walk(names[i], i, n, gap_ms);
}

static void hall_done(struct hall *h)
{
	for (int i = 0; i < CORNERS; i++)
		trace_done(&h->walks[i].trace);
	place_model_free(h->model);
	h->model = NULL;
}

static void fit(struct hall *h)
{
	const char *why;

	assert_int_equal(place_model_fit(h->walks, CORNERS, &h->model, &h->score, &why), 0);
}

static double accuracy(const struct place_score *s)
{
	return (double) s->right / (double) s->reads;
}

static struct hall here, there;

static void a_fitted_model_names_the_places_of_other_walks(void **state)
{
	(void) state;
	walk_hall(&here, 7, 3200, 40);
	walk_hall(&there, 8, 3200, 40);
	fit(&here);
	assert_int_equal(place_model_score(here.model, there.walks, CORNERS, true, &there.score),
			 0);
	assert_int_equal(there.score.reads, 4 * 3200);
	assert_int_equal(there.score.parts, 16);
	assert_true(accuracy(&there.score) > 0.85);
	assert_in_range(there.score.moves, 15, 30);
	/* What the fit promised on left out parts is about what came. */
	assert_true(fabs(accuracy(&here.score) - accuracy(&there.score)) < 0.1);
	hall_done(&here);
	hall_done(&there);
}

static void walks_of_their_own_begin_without_a_belief(void **state)
{
	struct place_score *s = &there.score;

	(void) state;
	walk_hall(&here, 3, 1200, 40);
	fit(&here);
	assert_int_equal(place_model_score(here.model, here.walks, CORNERS, false, s), 0);
	assert_int_equal(s->parts, 4);
	/* Twelve of the joined life's claims have no cause here. */
	assert_true(s->moves < 8);
	hall_done(&here);
}

static void a_saved_model_names_the_same_places(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct place_model *again;
	struct place_score *s = &there.score;
	unsigned int line;
	size_t right, moves;

	(void) state;
	walk_hall(&here, 5, 800, 40);
	fit(&here);
	place_model_write(here.model, &text);
	assert_true(buf_ok(&text));
	assert_int_equal(place_model_read((const char *) text.data, text.len, &again, &line), 0);
	assert_int_equal(place_model_score(here.model, here.walks, CORNERS, true, s), 0);
	right = s->right;
	moves = s->moves;
	assert_int_equal(place_model_score(again, here.walks, CORNERS, true, s), 0);
	assert_int_equal(s->right, right);
	assert_int_equal(s->moves, moves);
	place_model_free(again);
	hall_done(&here);
}

static void a_cut_or_altered_model_is_refused(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct place_model *m;
	unsigned int line;

	(void) state;
	walk_hall(&here, 5, 200, 40);
	fit(&here);
	place_model_write(here.model, &text);
	for (size_t cut = 0; cut < text.len; cut++)
		assert_true(place_model_read((const char *) text.data, cut, &m, &line) < 0);
	text.data[strlen("gondola-place-model ")] = '9';
	assert_int_equal(place_model_read((const char *) text.data, text.len, &m, &line),
			 -ERR_VERSION);
	assert_int_equal(line, 1);
	hall_done(&here);
}

static void a_model_of_numbers_that_are_none_is_refused(void **state)
{
	static const char text[] = "gondola-place-model 1\nfilter nan 0 1 1 1\n";
	struct place_model *m;
	unsigned int line;

	(void) state;
	assert_int_equal(place_model_read(text, sizeof(text) - 1, &m, &line), -ERR_SYNTAX);
	assert_int_equal(line, 2);
}

static void rarely_read_tags_are_placed_too(void **state)
{
	(void) state;
	walk_hall(&here, 11, 400, 1500);
	fit(&here);
	assert_true(here.model->experts[0].tau_s > 3);
	assert_true(accuracy(&here.score) > 0.7);
	hall_done(&here);
}

static void antennas_the_walks_never_met_say_nothing(void **state)
{
	struct place_track t = {0};

	(void) state;
	walk_hall(&here, 5, 400, 40);
	fit(&here);
	assert_int_equal(place_model_antenna(here.model, "other", 9), PLACE_MODEL_NONE);
	assert_int_equal(place_track_read(here.model, &t, PLACE_MODEL_NONE, -50, 1),
			 PLACE_MODEL_NONE);
	assert_true(place_track_confidence(here.model, &t) == 0.0f);
	/* One reader in all walks: its name does not matter. */
	assert_int_equal(place_model_antenna(here.model, "198.51.100.7:5084", 3), 2);
	hall_done(&here);
}

static void two_readers_are_told_apart(void **state)
{
	(void) state;
	walk_hall(&here, 5, 3200, 40);
	for (int w = 0; w < CORNERS; w++) {
		struct trace *t = &here.walks[w].trace;

		snprintf(t->readers[t->n_readers++], TRACE_NAME_CAP, "192.0.2.2:5084");
		for (size_t i = 0; i < t->n; i++)
			if (t->reads[i].antenna > 2) {
				t->reads[i].antenna = (uint16_t) (t->reads[i].antenna - 2);
				t->reads[i].reader = 1;
			}
	}
	fit(&here);
	assert_int_equal(here.model->n_antennas, 4);
	assert_int_not_equal(place_model_antenna(here.model, "192.0.2.1:5084", 1),
			     place_model_antenna(here.model, "192.0.2.2:5084", 1));
	assert_true(accuracy(&here.score) > 0.7);
	hall_done(&here);
}

static void reads_without_a_level_still_count(void **state)
{
	(void) state;
	walk_hall(&here, 5, 400, 40);
	for (int w = 0; w < CORNERS; w++)
		for (size_t i = 0; i < here.walks[w].trace.n; i++)
			here.walks[w].trace.reads[i].rssi_dbm = TRACE_NO_RSSI;
	fit(&here);
	assert_true(isfinite(here.model->experts[0].gauss.log_det[0]));
	hall_done(&here);
}

static void confidence_is_worth_what_it_says(void **state)
{
	size_t sure = 0, right = 0;

	(void) state;
	walk_hall(&here, 21, 3200, 40);
	walk_hall(&there, 22, 3200, 40);
	fit(&here);
	assert_int_equal(place_model_score(here.model, there.walks, CORNERS, true, &there.score),
			 0);
	for (int i = 9; i < 10; i++) {
		sure += there.score.sure[i];
		right += there.score.sure_right[i];
	}
	assert_true(sure > there.score.reads / 4);
	assert_true((double) right / (double) sure > 0.9);
	hall_done(&here);
	hall_done(&there);
}

static void what_cannot_be_fitted_is_explained(void **state)
{
	struct place_model *m = NULL;
	const char *why = NULL;

	(void) state;
	walk_hall(&here, 5, 40, 40);
	assert_int_equal(place_model_fit(here.walks, CORNERS, &m, NULL, &why), -ERR_RANGE);
	assert_non_null(strstr(why, "reads"));
	hall_done(&here);
	walk_hall(&here, 5, 100, 40);
	assert_int_equal(place_model_fit(here.walks, 1, &m, NULL, &why), -ERR_RANGE);
	assert_non_null(strstr(why, "two places"));
	assert_null(m);
	here.walks[1].place = "";
	assert_int_equal(place_model_fit(here.walks, 2, &m, NULL, &why), -ERR_RANGE);
	hall_done(&here);
}

static void a_place_the_model_lacks_is_refused(void **state)
{
	(void) state;
	walk_hall(&here, 5, 200, 40);
	fit(&here);
	here.walks[2].place = "Moon";
	assert_int_equal(place_model_score(here.model, here.walks, CORNERS, true, &here.score),
			 -ENOENT);
	hall_done(&here);
}

/* The room of the recordings: what holds on parts that the fit was not shown. */
static void recorded_walks_are_placed_well(void **state)
{
	const char *dir = getenv("GONDOLA_DATA"), *must = getenv("REQUIRE_DATA");
	static const struct {
		const char *set;
		double accuracy;
	} sets[] = {{"quad", 0.78}, {"quadz", 0.72}};
	static const char *const places[CORNERS] = {"1", "2", "3", "4"};

	(void) state;
	for (size_t s = 0; s < ARRAY_SIZE(sets); s++) {
		for (int i = 0; i < CORNERS; i++) {
			char file[512];

			snprintf(file, sizeof(file), "%s/rfid-traces/quadrant/%s%d_train.csv",
				 dir ? dir : "", sets[s].set, i + 1);
			here.walks[i].place = places[i];
			if (trace_load(file, NULL, NULL, &here.walks[i].trace) == 0)
				continue;
			if (must && must[0] == '1')
				fail_msg("%s is missing", file);
			skip();
		}
		fit(&here);
		assert_true(accuracy(&here.score) > sets[s].accuracy);
		assert_true(here.score.moves <= 32);
		hall_done(&here);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fitted_model_names_the_places_of_other_walks),
		cmocka_unit_test(walks_of_their_own_begin_without_a_belief),
		cmocka_unit_test(a_saved_model_names_the_same_places),
		cmocka_unit_test(a_cut_or_altered_model_is_refused),
		cmocka_unit_test(a_model_of_numbers_that_are_none_is_refused),
		cmocka_unit_test(rarely_read_tags_are_placed_too),
		cmocka_unit_test(antennas_the_walks_never_met_say_nothing),
		cmocka_unit_test(two_readers_are_told_apart),
		cmocka_unit_test(reads_without_a_level_still_count),
		cmocka_unit_test(confidence_is_worth_what_it_says),
		cmocka_unit_test(what_cannot_be_fitted_is_explained),
		cmocka_unit_test(a_place_the_model_lacks_is_refused),
		cmocka_unit_test(recorded_walks_are_placed_well),
	};

	return cmocka_run_group_tests_name("place_model", tests, NULL, NULL);
}
