/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "controller/shop/render.h"
#include "controller/shop/render_barcode.h"
#include "controller/shop/template.h"
#include <pthread.h>
#include <string.h>

/* fontconfig keeps its last pattern for the life of the process. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig";
}

static struct render_facts facts(uint16_t width, uint16_t height, uint8_t type)
{
	struct render_facts f = {.width = width,
				 .height = height,
				 .type = type,
				 .name = "Tartines légères 3 céréales",
				 .gtin = UINT64_C(5400000054012),
				 .has_price = true,
				 .price_minor = 299,
				 .content_micro = 225 * CONTENT_MICRO,
				 .unit = CONTENT_G};

	assert_true(currency_find("EUR", &f.currency));
	return f;
}

static struct image draw(const struct render_facts *f)
{
	struct renderer *r;
	struct image im;

	assert_int_equal(renderer_new(&r), 0);
	assert_int_equal(render_label(r, f, &im), 0);
	renderer_free(r);
	return im;
}

static void *draw_in_thread(void *arg)
{
	struct image *im = malloc(sizeof *im);

	*im = draw(arg);
	return im;
}

static void same_facts_give_the_same_bits_in_any_thread(void **state)
{
	struct render_facts f = facts(296, 128, DISPLAY_RED_BLACK_WHITE);
	struct image a = draw(&f), *b;
	pthread_t threads[3];

	(void) state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, draw_in_thread, &f), 0);
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], (void **) &b);
		assert_memory_equal(a.data, b->data, image_data_bytes(&a));
		image_done(b);
		free(b);
	}
	image_done(&a);
}

static void barcode_modules_are_whole_pixels(void **state)
{
	static const uint8_t first[] = {1, 0, 1}; /* guard bars */
	struct render_facts f = facts(400, 300, DISPLAY_BLACK_WHITE);
	struct template_layout t;
	struct barcode code;
	struct image im = draw(&f);

	(void) state;
	assert_int_equal(barcode_gtin(f.gtin, &code), 0);
	assert_int_equal(code.kind, BARCODE_KIND_EAN13);
	assert_int_equal(code.size.bars, 95);
	assert_memory_equal(code.bits, first, sizeof first);
	template_layout(400, 300, code.size, &t);
	assert_true(t.module >= 2);
	for (int i = 0; i < code.size.bars * t.module; i++)
		assert_int_equal(image_get(&im, 0, (unsigned int) (t.bars.x + i),
					   (unsigned int) t.bars.y + 2),
				 code.bits[i / t.module]);
	/* quiet zones are white */
	for (int i = 1; i <= 7 * t.module; i++)
		assert_false(image_get(&im, 0, (unsigned int) (t.bars.x - i),
				       (unsigned int) t.bars.y + 2));
	image_done(&im);
}

static void other_numbers_have_other_symbols(void **state)
{
	struct barcode code;

	(void) state;
	assert_int_equal(barcode_gtin(54018, &code), 0);
	assert_int_equal(code.kind, BARCODE_KIND_EAN8);
	assert_string_equal(code.text, "00054018");
	assert_int_equal(barcode_gtin(UINT64_C(15400000054019), &code), 0);
	assert_int_equal(code.kind, BARCODE_KIND_ITF14);
	assert_int_equal(barcode_gtin(0, &code), 0);
	assert_int_equal(code.kind, BARCODE_NONE);
	assert_int_equal(barcode_gtin(UINT64_C(100000000000000), &code), -ERR_RANGE);
}

static size_t count(const struct image *im, unsigned int plane)
{
	size_t n = 0;

	for (unsigned int y = 0; y < im->height; y++)
		for (unsigned int x = 0; x < im->width; x++)
			n += image_get(im, plane, x, y);
	return n;
}

static void colour_is_used_and_never_overlaps_black(void **state)
{
	static const uint8_t types[] = {DISPLAY_RED_BLACK_WHITE, DISPLAY_YELLOW_BLACK_WHITE};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct render_facts f = facts(400, 300, types[i]);
		struct image im = draw(&f);
		size_t plane = image_stride(&im) * im.height;

		assert_true(count(&im, 1) > 500);
		for (size_t k = 0; k < plane; k++)
			assert_int_equal(im.data[k] & im.data[plane + k], 0);
		image_done(&im);
	}
}

static void every_size_has_a_price_inside_its_panel(void **state)
{
	static const uint16_t sizes[][2] = {{152, 152}, {152, 296}, {200, 200}, {212, 104},
					    {250, 122}, {296, 128}, {296, 152}, {400, 300},
					    {600, 448}, {640, 384}, {800, 480}, {64, 64}};
	struct renderer *r;

	(void) state;
	assert_int_equal(renderer_new(&r), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		static const int64_t prices[] = {0, 299, 123456, 99999999};

		for (size_t k = 0; k < ARRAY_SIZE(prices); k++) {
			struct render_facts f =
				facts(sizes[i][0], sizes[i][1], DISPLAY_RED_BLACK_WHITE);
			struct image im;
			size_t edge = 0;

			f.price_minor = prices[k];
			assert_int_equal(render_label(r, &f, &im), 0);
			assert_true(count(&im, 1) > 20);
			for (unsigned int y = 0; y < im.height; y++)
				edge += image_get(&im, 1, 0, y) +
					image_get(&im, 1, im.width - 1u, y);
			assert_int_equal(edge, 0);
			image_done(&im);
		}
	}
	renderer_free(r);
}

static struct render_facts reduced(uint16_t width, uint16_t height, uint8_t type)
{
	struct render_facts f = facts(width, height, type);

	f.was_minor = 399;
	f.prior_minor = 349;
	f.has_until = true;
	f.until = (struct walltime){2026, 11, 28, 20, 0, 0};
	return f;
}

static bool same_picture(const struct render_facts *a, const struct render_facts *b)
{
	struct image x = draw(a), y = draw(b);
	bool same = memcmp(x.data, y.data, image_data_bytes(&x)) == 0;

	image_done(&x);
	image_done(&y);
	return same;
}

static void everything_of_a_reduced_price_is_on_the_picture(void **state)
{
	static const uint16_t sizes[][2] = {{152, 152}, {152, 296}, {200, 200}, {212, 104},
					    {250, 122}, {296, 128}, {296, 152}, {400, 300},
					    {600, 448}, {640, 384}, {800, 480}};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct render_facts f = reduced(sizes[i][0], sizes[i][1], DISPLAY_BLACK_WHITE);
		struct render_facts other[5] = {f, f, f, f, f};

		other[0].price_minor = 298;
		other[1].was_minor = 398;
		other[2].prior_minor = 348;
		other[3].until.day = 27;
		other[4].was_minor = 0;
		assert_true(same_picture(&f, &f));
		for (size_t k = 0; k < ARRAY_SIZE(other); k++)
			assert_false(same_picture(&f, &other[k]));
	}
}

static void what_is_not_reduced_looks_as_ever(void **state)
{
	struct render_facts plain = facts(296, 128, DISPLAY_RED_BLACK_WHITE);
	struct render_facts f = reduced(296, 128, DISPLAY_RED_BLACK_WHITE);

	(void) state;
	f.was_minor = f.price_minor;
	assert_true(same_picture(&plain, &f));
}

/* Longest run of set pixels in any row. */
static unsigned int widest_run(const struct image *im, unsigned int plane)
{
	unsigned int widest = 0;

	for (unsigned int y = 0; y < im->height; y++)
		for (unsigned int x = 0, run = 0; x < im->width; x++) {
			run = image_get(im, plane, x, y) ? run + 1 : 0;
			widest = run > widest ? run : widest;
		}
	return widest;
}

static void reduced_price_stands_on_a_field_of_colour(void **state)
{
	static const uint8_t types[] = {DISPLAY_RED_BLACK_WHITE, DISPLAY_YELLOW_BLACK_WHITE};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct render_facts f = reduced(400, 300, types[i]),
				    plain = facts(400, 300, types[i]);
		struct image im = draw(&f), was = draw(&plain);

		assert_true(widest_run(&im, 1) > 300);
		assert_true(widest_run(&was, 1) < 300);
		image_done(&im);
		image_done(&was);
	}
}

static void promotion_until_midnight_lasts_until_the_day_before(void **state)
{
	struct render_facts f = reduced(296, 128, DISPLAY_BLACK_WHITE), g = f;

	(void) state;
	f.until = (struct walltime){2027, 3, 1, 0, 0, 0};
	g.until = (struct walltime){2028, 3, 1, 0, 0, 0}; /* a leap year: the 29th */
	assert_false(same_picture(&f, &g));
	g.until = (struct walltime){2025, 3, 1, 0, 0, 0};
	assert_true(same_picture(&f, &g));
}

static void odd_facts_do_no_harm(void **state)
{
	char name[RENDER_NAME_MAX];
	struct render_facts f = facts(296, 128, DISPLAY_BLACK_WHITE);
	struct renderer *r;
	struct image im;

	(void) state;
	assert_int_equal(renderer_new(&r), 0);
	memset(name, 'W', sizeof name);
	name[sizeof name - 1] = 0;
	f.name = name;
	f.has_price = false;
	f.gtin = UINT64_C(100000000000000);
	assert_int_equal(render_label(r, &f, &im), 0);
	image_done(&im);
	f.name = "\u202e\u0627\u0644 \u0ba8\u0bbf \U0001f34b\u200d";
	assert_int_equal(render_label(r, &f, &im), 0);
	image_done(&im);
	f = reduced(64, 64, DISPLAY_YELLOW_BLACK_WHITE);
	f.was_minor = f.prior_minor = PRICE_MAX_MINOR;
	f.price_minor = PRICE_MAX_MINOR - 1;
	assert_int_equal(render_label(r, &f, &im), 0);
	image_done(&im);
	f.width = 10;
	assert_int_equal(render_label(r, &f, &im), -ERR_RANGE);
	f.width = 296;
	f.type = 0x55;
	assert_int_equal(render_label(r, &f, &im), -ERR_RANGE);
	renderer_free(r);
}

static void unlinked_labels_differ_by_their_id(void **state)
{
	struct render_facts f = facts(296, 128, DISPLAY_BLACK_WHITE);
	struct image a, b;

	(void) state;
	f.label_id = "C0FFEE000001";
	a = draw(&f);
	f.label_id = "C0FFEE000002";
	b = draw(&f);
	assert_memory_not_equal(a.data, b.data, image_data_bytes(&a));
	image_done(&a);
	image_done(&b);
}

static void png_scales_by_whole_pixels(void **state)
{
	struct render_facts f = facts(296, 128, DISPLAY_BLACK_WHITE);
	struct image im = draw(&f);
	struct buf b = BUF_INIT;

	(void) state;
	assert_int_equal(render_png(&im, 3, &b), 0);
	assert_memory_equal(b.data, "\x89PNG\r\n\x1a\n", 8);
	assert_int_equal(b.data[18] << 8 | b.data[19], 3 * 296);
	assert_int_equal(b.data[22] << 8 | b.data[23], 3 * 128);
	assert_int_equal(render_png(&im, 0, &b), -ERR_RANGE);
	assert_int_equal(render_png(&im, 5, &b), -ERR_RANGE);
	buf_done(&b);
	image_done(&im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_facts_give_the_same_bits_in_any_thread),
		cmocka_unit_test(barcode_modules_are_whole_pixels),
		cmocka_unit_test(other_numbers_have_other_symbols),
		cmocka_unit_test(colour_is_used_and_never_overlaps_black),
		cmocka_unit_test(every_size_has_a_price_inside_its_panel),
		cmocka_unit_test(everything_of_a_reduced_price_is_on_the_picture),
		cmocka_unit_test(what_is_not_reduced_looks_as_ever),
		cmocka_unit_test(reduced_price_stands_on_a_field_of_colour),
		cmocka_unit_test(promotion_until_midnight_lasts_until_the_day_before),
		cmocka_unit_test(odd_facts_do_no_harm),
		cmocka_unit_test(unlinked_labels_differ_by_their_id),
		cmocka_unit_test(png_scales_by_whole_pixels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
