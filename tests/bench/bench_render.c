/* SPDX-License-Identifier: Apache-2.0 */
/* Labels drawn per second on one thread: layout, text, barcode, planes, serial form and hash. */
#include "controller/shop/render.h"
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define ROUNDS 5
#define LABELS 1000

static const char *const names[] = {"Tartines légères 3 céréales", "Clam Chowder",
				    "All Butter Scottish Shortbread Assortment, family pack",
				    "Organic Steel-Cut Oats", "Chipolatas supérieures"};

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static int draw(struct renderer *r, uint16_t w, uint16_t h, uint8_t type, int i)
{
	struct render_facts f = {.width = w,
				 .height = h,
				 .type = type,
				 .name = names[i % 5],
				 .gtin = UINT64_C(5400000054012),
				 .has_price = true,
				 .price_minor = 99 + i,
				 .content_micro = 750 * CONTENT_MICRO,
				 .unit = CONTENT_G};
	struct image im;
	struct buf b = BUF_INIT;
	uint8_t hash[IMAGE_HASH_BYTES];
	int err;

	(void) currency_find("EUR", &f.currency);
	err = render_label(r, &f, &im);
	if (err < 0)
		return err;
	image_encode(&im, &b);
	image_hash(b.data, b.len, hash);
	image_done(&im);
	buf_done(&b);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return x < y ? -1 : x > y;
}

static int bench(struct renderer *r, const char *name, uint16_t w, uint16_t h, uint8_t type)
{
	double s[ROUNDS];

	for (int k = 0; k < ROUNDS; k++) {
		double start = cpu_s();

		for (int i = 0; i < LABELS; i++)
			if (draw(r, w, h, type, i) < 0)
				return 1;
		s[k] = cpu_s() - start;
	}
	qsort(s, ROUNDS, sizeof s[0], by_value);
	printf("bench %s %.0f labels/s-core\n", name, LABELS / s[ROUNDS / 2]);
	printf("bench %s_cpu %.1f us\n", name, s[ROUNDS / 2] / LABELS * 1e6);
	return 0;
}

int main(void)
{
	struct renderer *r;
	double start = cpu_s();

	if (renderer_new(&r) < 0 || draw(r, 296, 128, DISPLAY_BLACK_WHITE, 0) < 0)
		return 1;
	printf("# five names, price differs on each, EAN-13; median of %d rounds of %d\n", ROUNDS,
	       LABELS);
	printf("bench render_first_label %.1f ms\n", (cpu_s() - start) * 1e3);
	if (bench(r, "render_296x128_bw", 296, 128, DISPLAY_BLACK_WHITE) ||
	    bench(r, "render_296x128_bwr", 296, 128, DISPLAY_RED_BLACK_WHITE) ||
	    bench(r, "render_400x300_bwr", 400, 300, DISPLAY_RED_BLACK_WHITE))
		return 1;
	renderer_free(r);
	return 0;
}
