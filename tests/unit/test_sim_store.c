/* SPDX-License-Identifier: Apache-2.0 */
/* The store as a whole: configuration, goods, the seeded script, and what the truth port answers.
 */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "common/gtin.h"
#include "common/hex.h"
#include "sim/sim.h"
#include "sim/simconf.h"
#include "sim/truth.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/gondola-test-sim-XXXXXX";

static int make_dir(void **state)
{
	(void) state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void) state;
	return rmdir(dir);
}

/** Checks a configuration; yields the code, with the diagnostic in `diag`. */
static int check(const char *text, char diag[512])
{
	char path[128];
	FILE *f;
	int r;

	(void) snprintf(path, sizeof path, "%s/sim.conf", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	(void) fputs(text, f);
	(void) fclose(f);
	diag[0] = '\0';
	r = sim_store_check(path, diag, 512);
	(void) unlink(path);
	return r;
}

static void configurations_are_refused_with_the_key_at_fault(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{"radio \"a\" { labels = 1 }", "hci"},
		{"seed = yes", "seed"},
		{"nonsense = 1", "nonsense"},
		{"radio \"a\" { hci = \"h\" loss = 1.5 }", "loss: must be from 0 to 1"},
		{"radio \"a\" { hci = \"h\" labels = 3 type = \"rgb\" }", "'rgb'"},
		{"panel \"p\" { radio = \"z\" labels = 3 }", "no radio \"z\""},
		{"guest \"g\" { radio = \"z\" hci = \"h\" }", "no radio \"z\""},
		{"radio \"a\" { hci = \"h\" } guest \"g\" { radio = \"a\" }", "hci"},
		{"place \"P\" { reader = \"r\" antennas = \"1\" }", "no reader \"r\""},
		{"reader \"r\" { } place \"P\" { reader = \"r\" antennas = \"5\" }", "no antenna"},
		{"place \"nowhere\" { }", "nowhere"},
		{"goods { items = 5 }", "neither gtins nor products"},
		{"goods { items = 5 gtins = \"09506000134353\" }", "09506000134353"},
		{"goods { items = 5 products = \"/nonexistent.csv\" }", "/nonexistent.csv"},
		{"start = \"attic\" goods { items = 5 gtins = \"09506000134352\" }", "attic"},
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char diag[512];
		int r = check(rows[i].text, diag);

		if (r >= 0 || !strstr(diag, rows[i].said))
			fail_msg("%s\n yields %d: '%s'", rows[i].text, r, diag);
	}
}

#define PLANNED "place \"S\" { kind = \"sales-floor\" w = 5 h = 5 } reader \"r\" { antennas = 2 } "

static void a_ground_plan_is_refused_with_the_key_at_fault(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{"place \"P\" { w = 5 }", "place \"P\": h: "},
		{"place \"P\" { w = 5 h = -1 }", "place \"P\": h: must be from 0"},
		{"place \"P\" { x = nan }", "x: "},
		{"place \"P\" { door = \"3\" }", "place \"P\": door: must be \"x,y\""},
		{"place \"P\" { wall_db = -3 }", "place \"P\": wall_db"},
		{PLANNED "antenna \"a\" { number = 1 }", "reader"},
		{PLANNED "antenna \"a\" { reader = \"z\" number = 1 }", "no reader \"z\""},
		{PLANNED "antenna \"a\" { reader = \"r\" number = 3 }",
		 "number: reader \"r\" has 2"},
		{PLANNED "antenna \"a\" { reader = \"r\" number = 1 } "
			 "antenna \"b\" { reader = \"r\" number = 1 }",
		 "antenna \"b\": number: antenna \"a\""},
		{PLANNED "antenna \"a\" { reader = \"r\" number = 1 tilt = 91 }",
		 "antenna \"a\": tilt: must be from -90 to 90"},
		{PLANNED "antenna \"a\" { reader = \"r\" number = 1 beam_deg = 0 }", "beam_deg"},
		{"reader \"r\" { } antenna \"a\" { reader = \"r\" number = 1 }",
		 "no place has x, y, w, h"},
		{PLANNED "room { reflection = 1.5 }", "room: reflection: must be from 0 to 1"},
		{PLANNED "room { region = \"mars\" }", "room: region: 'mars'"},
		{PLANNED "room { dock = \"x,y\" }", "room: dock: "},
		{PLANNED "day { customers_per_h = -1 }", "day: customers_per_h: must be from 0"},
		{PLANNED "day { customers_per_h = 5 }",
		 "day: customers_per_h: needs a place of kind exit"},
		{PLANNED "day { deliveries_per_h = 5 }", "needs a place of kind receiving"},
		{PLANNED "day { speed = 0 }", "day: speed: "},
		{PLANNED "day { till = \"T\" }", "day: till: no place \"T\""},
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char diag[512];
		int r = check(rows[i].text, diag);

		if (r >= 0 || !strstr(diag, rows[i].said))
			fail_msg("%s\n yields %d: '%s'", rows[i].text, r, diag);
	}
}

static void a_store_with_a_ground_plan_is_accepted(void **state)
{
	char diag[512];

	(void) state;
	assert_int_equal(
		check(PLANNED
		      "place \"X\" { kind = \"exit\" x = 5 w = 1 h = 1 door = \"5,0.5\" }\n"
		      "antenna \"a\" { reader = \"r\" number = 2 x = 2 y = 0 direction = 90 }\n"
		      "room { region = \"etsi\" outside = \"9,0.5\" }\n"
		      "day { customers_per_h = 5 try_on = 0 thefts_per_h = 1 till = \"S\" }\n",
		      diag),
		0);
	assert_string_equal(diag, "");
}

static void a_whole_configuration_is_accepted(void **state)
{
	char diag[512];

	(void) state;
	assert_int_equal(
		check("seed = 7\nstart = \"Shelf\"\n"
		      "radio \"a\" { hci = \"h\" labels = 3 loss = 0.02 }\n"
		      "panel \"p\" { radio = \"a\" labels = 2 type = \"bwr\" width = 400 }\n"
		      "guest \"g\" { radio = \"a\" hci = \"g\" }\n"
		      "reader \"r\" { port = 0 antennas = 2 }\n"
		      "place \"Shelf\" { reader = \"r\" antennas = \"1, 2\" kind = \"sales-floor\" "
		      "}\n"
		      "goods { gtins = \"09506000134352\" items = 5 move_every_s = 2 }\n",
		      diag),
		0);
	assert_string_equal(diag, "");
}

/* --- a world of our own ------------------------------------------------------------------------
 */

struct fixture {
	struct loop *loop;
	struct sim_world *world;
	struct sim_radio *radio;
	struct sim_reader *reader;
	struct sim_shows *shows;
	struct sim_truth_sources sources;
};

static void begin(struct fixture *f, uint64_t seed)
{
	static const struct sim_label_model model = {.width = 64,
						     .height = 32,
						     .type = DISPLAY_BLACK_WHITE,
						     .slots = 4,
						     .redraw_us = 1000};
	struct sim_goods goods = {
		.gtins = "09506000134352,04012345678901", .items = 10, .prefix_digits = 7};
	char diag[128];

	*f = (struct fixture){0};
	assert_int_equal(loop_new_virtual(0, 1000 * US_PER_SEC, &f->loop), 0);
	assert_int_equal(sim_world_new(loop_clock(f->loop), seed, &f->world), 0);
	assert_int_equal(sim_world_add_antenna(f->world, "r", 1), 0);
	assert_int_equal(sim_world_add_place(f->world, "Shelf", "sales-floor"), 1);
	assert_int_equal(sim_world_add_place(f->world, "Stock", "back-room"), 2);
	assert_int_equal(sim_world_add_place(f->world, "Shelf", "other"), -17);
	assert_int_equal(sim_world_cover(f->world, 0, 1), 0);
	assert_int_equal(sim_goods_place(f->world, &goods, diag, sizeof diag), 0);
	assert_int_equal(sim_world_seal(f->world), 0);
	assert_int_equal(sim_shows_new(loop_clock(f->loop), &f->shows), 0);
	assert_int_equal(sim_radio_new(f->loop,
				       &(struct sim_radio_config){.name = "ap", .shows = f->shows},
				       &f->radio),
			 0);
	assert_int_equal(sim_radio_add_labels(f->radio, &model, 2), 0);
	assert_int_equal(sim_reader_new(f->loop,
					&(struct sim_reader_config){.name = "r", .n_antennas = 1},
					&f->reader),
			 0);
	f->sources = (struct sim_truth_sources){.world = f->world,
						.radios = &f->radio,
						.n_radios = 1,
						.shows = f->shows,
						.readers = &f->reader,
						.n_readers = 1};
}

static void end(struct fixture *f)
{
	sim_reader_free(f->reader);
	sim_radio_free(f->radio);
	sim_shows_free(f->shows);
	sim_world_free(f->world);
	loop_free(f->loop);
}

static json_t *ask(struct fixture *f, const char *line)
{
	struct buf out = BUF_INIT;
	json_t *o;

	sim_truth_answer(&f->sources, loop_clock(f->loop), line, strlen(line), &out);
	assert_true(buf_ok(&out));
	assert_int_equal(out.data[out.len - 1], '\n');
	o = json_loadb((const char *) out.data, out.len, 0, NULL);
	assert_non_null(o);
	buf_done(&out);
	return o;
}

static void assert_refused(struct fixture *f, const char *line)
{
	json_t *o = ask(f, line);

	assert_non_null(json_object_get(o, "error"));
	json_decref(o);
}

static void a_guest_is_announced_with_its_controller_and_address(void **state)
{
	char config[64], text[512], diag[512] = "";
	struct sim_store *store;
	struct loop *loop;
	_cleanup_free_ char *said = NULL;
	size_t len;
	FILE *out, *in;

	(void) state;
	(void) snprintf(config, sizeof config, "%s/sim.conf", dir);
	(void) snprintf(text, sizeof text,
			"radio \"a\" { hci = \"%s/a\" }\n"
			"radio \"b\" { hci = \"%s/b\" }\n"
			"guest \"shelf\" { radio = \"b\" hci = \"%s/guest\" }\n",
			dir, dir, dir);
	in = fopen(config, "we");
	assert_non_null(in);
	assert_true(fputs(text, in) >= 0);
	assert_int_equal(fclose(in), 0);
	assert_int_equal(loop_new_virtual(0, US_PER_SEC, &loop), 0);
	assert_int_equal(sim_store_new(loop, config, diag, sizeof diag, &store), 0);
	out = open_memstream(&said, &len);
	assert_non_null(out);
	sim_store_print_ready(store, out);
	(void) fclose(out);
	(void) snprintf(
		text, sizeof text,
		"\"guests\":{\"shelf\":{\"hci\":\"%s/guest\",\"address\":\"C0D0DAB00101\"}}", dir);
	assert_non_null(strstr(said, text));
	(void) snprintf(text, sizeof text, "%s/guest", dir);
	assert_int_equal(access(text, F_OK), 0);
	sim_store_free(store);
	loop_run_until(loop, 0);
	loop_free(loop);
	assert_int_equal(access(text, F_OK), -1);
	(void) unlink(config);
}

static void items_are_sgtins_of_the_products_spread_over_the_places(void **state)
{
	struct fixture f;
	struct sgtin s;

	(void) state;
	begin(&f, 1);
	assert_int_equal(f.world->n_items, 10);
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(sgtin96_decode(&f.world->items[i].epc, &s), 0);
		assert_true(s.gtin == (i % 2 ? UINT64_C(4012345678901) : UINT64_C(9506000134352)));
		assert_true(s.serial == i / 2 + 1);
		assert_int_equal(f.world->items[i].place, 1 + i % 2);
		assert_int_equal(sim_world_find_item(f.world, &f.world->items[i].epc), i);
	}
	assert_int_equal(f.world->places[1].n_items, 5);
	end(&f);
}

static void equal_seeds_move_equally_and_others_do_not(void **state)
{
	uint64_t sums[3] = {0};

	(void) state;
	for (unsigned int i = 0; i < 3; i++) {
		struct fixture f;
		const struct sim_move *m;

		begin(&f, i < 2 ? 42 : 43);
		assert_int_equal(sim_world_start_mover(f.world, f.loop, 10), 0);
		loop_run_until(f.loop, 10000 * US_PER_SEC);
		assert_in_range(f.world->n_moves, 850, 1150);
		for (uint64_t k = 0; (m = sim_world_move_at(f.world, k)); k++) {
			assert_true(m->from != m->to && m->to != SIM_NOWHERE);
			sums[i] = sums[i] * 31 + (uint64_t) m->at_us + m->item * 7 + m->to;
		}
		end(&f);
	}
	assert_true(sums[0] == sums[1]);
	assert_true(sums[0] != sums[2]);
}

static void goods_leave_for_good_and_arrive_with_tags_of_their_own(void **state)
{
	struct fixture f;
	char line[256], hex[EPC_HEX_MAX];
	json_t *o;

	(void) state;
	begin(&f, 1);
	assert_int_equal(sim_world_start_mover(f.world, f.loop, 1), 0);
	(void) snprintf(line, sizeof line, "{\"op\":\"leave\",\"epc\":\"%s\",\"how\":\"stolen\"}",
			epc_to_hex(&f.world->items[3].epc, hex));
	json_decref(ask(&f, line));
	assert_int_equal(f.world->items[3].place, SIM_NOWHERE);
	assert_refused(&f, line);
	loop_run_until(f.loop, 1000 * US_PER_SEC);
	assert_int_equal(f.world->items[3].place, SIM_NOWHERE);
	/* More than there were at the start, so that every table grows. */
	json_decref(ask(&f, "{\"op\":\"arrive\",\"gtin\":\"09506000134352\",\"place\":\"Shelf\","
			    "\"n\":400}"));
	assert_int_equal(f.world->n_items, 410);
	sim_world_note_read(f.world, 409, 0, 5);
	assert_int_equal(sim_world_reads(f.world, 409, 0), 1);
	assert_int_equal(sim_world_reads(f.world, 408, 0), 0);
	assert_refused(&f, "{\"op\":\"arrive\",\"gtin\":\"124\",\"place\":\"Shelf\"}");
	assert_refused(&f, "{\"op\":\"arrive\",\"gtin\":\"09506000134352\",\"place\":\"nowhere\"}");
	assert_refused(&f, "{\"op\":\"arrive\",\"gtin\":\"09506000134352\",\"place\":\"Shelf\","
			   "\"n\":100000}");
	(void) snprintf(line, sizeof line, "{\"op\":\"arrive\",\"epc\":\"%s\",\"place\":\"Stock\"}",
			hex);
	json_decref(ask(&f, line));
	assert_refused(&f, line);
	assert_int_equal(f.world->items[3].place, 2);
	o = ask(&f, "{\"op\":\"passages\",\"since_us\":0}");
	assert_int_equal(json_array_size(json_object_get(o, "passages")), 402);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(o, "passages"), 0), "how")),
			    "stolen");
	json_decref(o);
	end(&f);
}

static void an_item_is_moved_and_both_are_told(void **state)
{
	struct fixture f;
	char line[256], hex[EPC_HEX_MAX];
	json_t *o;

	(void) state;
	begin(&f, 1);
	(void) epc_to_hex(&f.world->items[0].epc, hex);
	(void) snprintf(line, sizeof line, "{\"op\":\"move\",\"epc\":\"%s\",\"place\":\"Stock\"}",
			hex);
	o = ask(&f, line);
	assert_int_equal(json_integer_value(json_object_get(o, "at_us")), 1000 * US_PER_SEC);
	json_decref(o);
	(void) snprintf(line, sizeof line, "{\"op\":\"item\",\"epc\":\"%s\"}", hex);
	o = ask(&f, line);
	assert_string_equal(json_string_value(json_object_get(o, "place")), "Stock");
	json_decref(o);
	o = ask(&f, "{\"op\":\"moves\",\"since_us\":0}");
	assert_int_equal(json_array_size(json_object_get(o, "moves")), 1);
	json_decref(o);
	o = ask(&f, "{\"op\":\"moves\",\"since_us\":1000000001}");
	assert_int_equal(json_array_size(json_object_get(o, "moves")), 0);
	json_decref(o);
	(void) snprintf(line, sizeof line, "{\"op\":\"move\",\"epc\":\"%s\",\"place\":\"Moon\"}",
			hex);
	assert_refused(&f, line);
	end(&f);
}

static void labels_and_radio_are_told_and_changed(void **state)
{
	struct fixture f;
	json_t *o, *l;

	(void) state;
	begin(&f, 1);
	o = ask(&f, "{\"op\":\"labels\"}");
	assert_int_equal(json_array_size(json_object_get(o, "labels")), 2);
	l = json_array_get(json_object_get(o, "labels"), 1);
	assert_string_equal(json_string_value(json_object_get(l, "addr")), "C0FFEE000002");
	assert_true(json_is_null(json_object_get(l, "shown_sha256")));
	assert_int_equal(json_array_size(json_object_get(l, "image_slots")), 4);
	json_decref(o);
	o = ask(&f, "{\"op\":\"label\",\"addr\":\"c0ffee000001\"}");
	assert_true(json_is_null(json_object_get(o, "planes_base64")));
	json_decref(o);
	o = ask(&f, "{\"op\":\"set\",\"loss\":0.25}");
	json_decref(o);
	assert_true(sim_radio_loss(f.radio) == 0.25);
	json_decref(ask(&f, "{\"op\":\"label-reset\",\"addr\":\"C0FFEE000001\"}"));
	o = ask(&f, "{\"op\":\"label-reset\",\"addr\":\"C0FFEE000001\",\"factory\":true}");
	assert_string_equal(json_string_value(json_object_get(o, "state")), "unassociated");
	json_decref(o);
	o = ask(&f, "{\"op\":\"radio\"}");
	l = json_array_get(json_object_get(o, "radios"), 0);
	assert_int_equal(json_integer_value(json_object_get(l, "links_most")), 0);
	json_decref(o);
	json_decref(ask(&f, "{\"op\":\"reader\",\"name\":\"r\",\"unplug\":true}"));
	o = ask(&f, "{\"op\":\"readers\"}");
	l = json_array_get(json_object_get(o, "readers"), 0);
	assert_true(json_is_true(json_object_get(l, "unplugged")));
	json_decref(o);
	end(&f);
}

/** The label draws what is in that slot, over a connection. */
static void draw(struct fixture *f, uint8_t slot)
{
	const uint8_t tlv[] = {ESL_OP_DISPLAY_IMAGE, 0, 0, slot}; /* id, display, image */
	struct sim_label *l = sim_radio_label(f->radio, 1);
	int64_t now_us = clock_mono_us(loop_clock(f->loop));
	uint8_t answer[ESL_PACKET_MAX];

	assert_true(sim_label_control_point(l, tlv, sizeof tlv, answer, now_us) > 0);
	sim_radio_touched(f->radio, 1);
	loop_run_until(f->loop, now_us + 100 * US_PER_SEC);
}

static void store_picture(struct fixture *f, uint8_t slot, char ret_hex[IMAGE_HASH_HEX_MAX])
{
	struct buf out = BUF_INIT;
	uint8_t hash[IMAGE_HASH_BYTES];
	struct image im;

	assert_int_equal(image_init(&im, 64, 32, DISPLAY_BLACK_WHITE), 0);
	image_set(&im, 0, slot, 0, true);
	image_encode(&im, &out);
	image_hash(out.data, out.len, hash);
	(void) hex_encode(hash, sizeof hash, ret_hex);
	assert_int_equal(sim_label_write_image(sim_radio_label(f->radio, 1), slot, out.data,
					       out.len, clock_mono_us(loop_clock(f->loop))),
			 0);
	image_done(&im);
	buf_done(&out);
}

static void every_change_of_a_panel_is_told_with_its_instants(void **state)
{
	char hex[2][IMAGE_HASH_HEX_MAX];
	struct fixture f;
	json_t *o, *s;

	(void) state;
	begin(&f, 1);
	loop_run_until(f.loop, 10 * US_PER_SEC);
	sim_label_connected(sim_radio_label(f.radio, 1), 10 * US_PER_SEC);
	store_picture(&f, 0, hex[0]);
	store_picture(&f, 1, hex[1]);
	draw(&f, 0);
	draw(&f, 1);
	o = ask(&f, "{\"op\":\"shows\"}");
	assert_int_equal(json_array_size(json_object_get(o, "shows")), 2);
	assert_int_equal(json_integer_value(json_object_get(o, "next")), 2);
	assert_int_equal(json_integer_value(json_object_get(o, "lost")), 0);
	json_decref(o);
	o = ask(&f, "{\"op\":\"shows\",\"since\":1}");
	s = json_array_get(json_object_get(o, "shows"), 0);
	assert_string_equal(json_string_value(json_object_get(s, "addr")), "C0FFEE000002");
	assert_string_equal(json_string_value(json_object_get(s, "sha256")), hex[1]);
	assert_int_equal(json_integer_value(json_object_get(s, "started_us")), 1110 * US_PER_SEC);
	assert_in_range(json_integer_value(json_object_get(s, "at_us")) - 1110 * US_PER_SEC, 750,
			1250);
	json_decref(o);
	end(&f);
}

static void log_of_panels_forgets_the_oldest_and_says_how_many(void **state)
{
	struct fixture f;
	json_t *o;

	(void) state;
	begin(&f, 1);
	for (unsigned int i = 0; i < SIM_SHOWS_MAX + 3; i++)
		sim_shows_add(f.shows, sim_radio_label(f.radio, i % 2));
	o = ask(&f, "{\"op\":\"shows\",\"since\":1}");
	assert_int_equal(json_integer_value(json_object_get(o, "lost")), 2);
	assert_int_equal(json_integer_value(json_object_get(o, "next")), 5003);
	json_decref(o);
	o = ask(&f, "{\"op\":\"shows\",\"since\":99999999}");
	assert_int_equal(json_array_size(json_object_get(o, "shows")), 0);
	json_decref(o);
	end(&f);
}

static void nonsense_is_answered_with_an_error(void **state)
{
	static const char *const lines[] = {
		"",
		"{",
		"[]",
		"{\"op\":5}",
		"{\"op\":\"open-sesame\"}",
		"{\"op\":\"label\"}",
		"{\"op\":\"label\",\"addr\":\"C0FFEE000003\"}",
		"{\"op\":\"label\",\"addr\":\"C0FFEE0000\"}",
		"{\"op\":\"label-reset\",\"addr\":\"zzzzzzzzzzzz\"}",
		"{\"op\":\"item\",\"epc\":\"30\"}",
		"{\"op\":\"reads\",\"epc\":7}",
		"{\"op\":\"set\",\"loss\":2}",
		"{\"op\":\"set\"}",
		"{\"op\":\"adapter\",\"radio\":\"a\",\"unplug\":true}",
		"{\"op\":\"adapter\",\"radio\":\"a\"}",
		"{\"op\":\"reader\",\"name\":\"q\"}",
	};
	struct fixture f;

	(void) state;
	begin(&f, 1);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_refused(&f, lines[i]);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configurations_are_refused_with_the_key_at_fault),
		cmocka_unit_test(a_whole_configuration_is_accepted),
		cmocka_unit_test(a_ground_plan_is_refused_with_the_key_at_fault),
		cmocka_unit_test(a_store_with_a_ground_plan_is_accepted),
		cmocka_unit_test(a_guest_is_announced_with_its_controller_and_address),
		cmocka_unit_test(items_are_sgtins_of_the_products_spread_over_the_places),
		cmocka_unit_test(equal_seeds_move_equally_and_others_do_not),
		cmocka_unit_test(goods_leave_for_good_and_arrive_with_tags_of_their_own),
		cmocka_unit_test(an_item_is_moved_and_both_are_told),
		cmocka_unit_test(labels_and_radio_are_told_and_changed),
		cmocka_unit_test(every_change_of_a_panel_is_told_with_its_instants),
		cmocka_unit_test(log_of_panels_forgets_the_oldest_and_says_how_many),
		cmocka_unit_test(nonsense_is_answered_with_an_error),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
