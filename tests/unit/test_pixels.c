/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures as panels want them: whatever a description says, a decoder that was written from the
 * panel's side gets the canonical planes back; and a description that does not hang together is
 * refused with its line.
 */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "esl-radio/pixels.h"
#include "sim/label_pixels.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define ROUNDS 400

static uint32_t seed = 77;

static uint32_t draw(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/** Noise, or stripes that compress. */
static void random_image(struct image *im, uint16_t width, uint16_t height, uint8_t type)
{
	unsigned int grain = draw(3) ? 1 + draw(9) : 1;

	assert_int_equal(image_init(im, width, height, type), 0);
	for (unsigned int y = 0; y < height; y++)
		for (unsigned int x = 0, v = 0; x < width; x++) {
			if (x % grain == 0)
				v = draw(3);
			image_set(im, 0, x, y, v == 1);
			if (im->planes > 1)
				image_set(im, 1, x, y, v == 2);
		}
}

static void same(const struct image *a, const struct image *b)
{
	assert_int_equal(a->width, b->width);
	assert_int_equal(a->height, b->height);
	assert_int_equal(a->planes, b->planes);
	assert_memory_equal(a->data, b->data, image_data_bytes(a));
}

/* --- a decoder of the test's own, from pixel to bit ------------------------------------------- */

static size_t unpack_bits(const uint8_t *p, size_t len, uint8_t *to, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		unsigned int code = p[i++];
		unsigned int count = code < 128 ? code + 1 : 257 - code;

		assert_int_not_equal(code, 128);
		assert_true(n + count <= room && i < len);
		for (unsigned int k = 0; k < count; k++)
			to[n++] = code < 128 ? p[i++] : p[i];
		i += code >= 128;
	}
	return n;
}

static size_t inflated(const struct pixel_model *m, const uint8_t *p, size_t len, uint8_t *to,
		       size_t room)
{
	z_stream z = {.next_in = (Bytef *) p,
		      .avail_in = (uInt) len,
		      .next_out = to,
		      .avail_out = (uInt) room};

	/* No more than the model's window: a stream that needs more fails. */
	assert_int_equal(inflateInit2(&z, m->compression == PIXEL_DEFLATE ? -m->window_bits
									  : m->window_bits),
			 Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	assert_int_equal(inflateEnd(&z), Z_OK);
	return room - z.avail_out;
}

static bool bit_at(const struct pixel_model *m, const uint8_t *p, size_t at)
{
	return m->lsb_first ? p[at / 8] >> at % 8 & 1 : p[at / 8] << at % 8 & 0x80;
}

/** Where the canonical pixel is in the panel's raster: turned clockwise, then mirrored. */
static void place(const struct pixel_model *m, const struct image *im, unsigned int x,
		  unsigned int y, unsigned int *px, unsigned int *py, unsigned int *w,
		  unsigned int *h)
{
	unsigned int width = im->width, height = im->height, t;

	for (unsigned int turned = 0; turned < m->rotate; turned += 90) {
		t = x;
		x = height - 1 - y;
		y = t;
		t = width;
		width = height;
		height = t;
	}
	*px = m->mirror_x ? width - 1 - x : x;
	*py = m->mirror_y ? height - 1 - y : y;
	*w = width;
	*h = height;
}

static unsigned int read_pixel(const struct pixel_model *m, const struct image *im,
			       const uint8_t *raw, size_t plane_bytes, unsigned int x,
			       unsigned int y)
{
	unsigned int px, py, w, h, bits = m->n_planes ? 1 : m->pixel_bits;
	size_t line_bits, at;
	unsigned int code = 0;

	place(m, im, x, y, &px, &py, &w, &h);
	line_bits = ((m->columns ? h : w) * bits + m->line_bits - 1) / m->line_bits * m->line_bits;
	at = m->columns ? px * line_bits + py * bits : py * line_bits + px * bits;
	for (unsigned int p = 0; p < m->n_planes; p++)
		if (bit_at(m, raw + p * plane_bytes, at) != m->invert[p])
			return m->plane[p];
	if (m->n_planes)
		return PIXEL_CHANNEL_COUNT;
	for (unsigned int k = 0; k < bits; k++)
		code |= (unsigned int) bit_at(m, raw, at + k) << (m->lsb_first ? k : bits - 1 - k);
	for (unsigned int c = 0; c < PIXEL_CHANNEL_COUNT; c++)
		if (m->code[c] == code)
			return c;
	return PIXEL_CHANNEL_COUNT;
}

static void decode(const struct pixel_model *m, const struct image *like, const uint8_t *raw,
		   size_t len, struct image *ret)
{
	size_t plane_bytes = m->n_planes ? len / m->n_planes : len;

	assert_int_equal(image_init(ret, like->width, like->height, like->type), 0);
	for (unsigned int y = 0; y < like->height; y++)
		for (unsigned int x = 0; x < like->width; x++) {
			unsigned int c = read_pixel(m, like, raw, plane_bytes, x, y);

			image_set(ret, 0, x, y, c == PIXEL_BLACK);
			if (ret->planes > 1)
				image_set(ret, 1, x, y, c == PIXEL_COLOUR);
		}
}

static struct pixel_model random_model(void)
{
	struct pixel_model m = {.name = "drawn", .model = "X"};

	m.rotate = (uint16_t) (90 * draw(4));
	m.mirror_x = draw(2);
	m.mirror_y = draw(2);
	m.columns = draw(2);
	m.lsb_first = draw(2);
	m.line_bits = (const uint8_t[]){1, 8, 16, 32}[draw(4)];
	m.pad = draw(2);
	m.compression = (uint8_t) draw(PIXEL_COMPRESSION_COUNT);
	m.window_bits = (uint8_t) (9 + draw(7));
	if (draw(2)) {
		m.n_planes = 2;
		m.plane[0] = (uint8_t) draw(2);
		m.plane[1] = (uint8_t) !m.plane[0];
		m.invert[0] = draw(2);
		m.invert[1] = draw(2);
	} else {
		m.pixel_bits = (const uint8_t[]){2, 4, 8}[draw(3)];
		m.code[PIXEL_WHITE] = (uint8_t) draw(4);
		m.code[PIXEL_BLACK] = (uint8_t) ((m.code[PIXEL_WHITE] + 1) % 4);
		m.code[PIXEL_COLOUR] = (uint8_t) ((m.code[PIXEL_WHITE] + 2) % 4);
	}
	if (draw(2)) {
		m.n_header = 2;
		m.header[0] = (struct pixel_field){PIXEL_FIELD_STORED, 4, true, {0}};
		m.header[1] = (struct pixel_field){PIXEL_FIELD_WIDTH, 2, false, {0}};
	}
	return m;
}

static void any_description_is_read_back_from_the_panels_side(void **state)
{
	static uint8_t raw[1 << 20];

	(void) state;
	printf("# seed %u\n", seed);
	for (int i = 0; i < ROUNDS; i++) {
		struct pixel_model m = random_model();
		uint16_t width = (uint16_t) (1 + draw(150)), height = (uint16_t) (1 + draw(90));
		_cleanup_buf_ struct buf out = BUF_INIT;
		char why[PIXEL_WHY_MAX];
		struct image im, back;
		size_t head = m.n_header ? 6 : 0, len;

		random_image(&im, width, height,
			     draw(2) ? DISPLAY_BLACK_WHITE : DISPLAY_RED_BLACK_WHITE);
		assert_int_equal(pixel_model_check(&m, why), 0);
		assert_int_equal(pixel_encode(&m, &im, &out), 0);
		assert_true(out.len > head);
		if (head) {
			assert_int_equal(out.data[2] << 8 | out.data[3], (out.len - head) & 0xffff);
			assert_int_equal(out.data[4] | out.data[5] << 8, width);
		}
		len = out.len - head;
		if (m.compression == PIXEL_PLAIN)
			memcpy(raw, out.data + head, len);
		else if (m.compression == PIXEL_PACKBITS)
			len = unpack_bits(out.data + head, len, raw, sizeof(raw));
		else
			len = inflated(&m, out.data + head, len, raw, sizeof(raw));
		decode(&m, &im, raw, len, &back);
		same(&im, &back);
		image_done(&im);
		image_done(&back);
	}
}

/* --- the two labels of the simulator ---------------------------------------------------------- */

static struct pixel_identity identity_of(const struct sim_label_model *m)
{
	struct pixel_identity id = {
		.width = m->width, .height = m->height, .display_type = m->type};

	if (m->personality == SIM_PERSONALITY_NRF) {
		snprintf(id.model, sizeof(id.model), "%s", SIM_MODEL_NUMBER);
	} else {
		id.has_type = true;
		memcpy(id.type, sim_object_type, sizeof(id.type));
	}
	return id;
}

static void both_simulated_labels_draw_what_was_meant(void **state)
{
	char why[PIXEL_WHY_MAX];
	struct pixel_table *t;

	(void) state;
	assert_int_equal(pixel_table_load(NULL, why, &t), 0);
	for (int i = 0; i < ROUNDS; i++) {
		struct sim_label_model m = {
			.width = (uint16_t) (1 + draw(300)),
			.height = (uint16_t) (1 + draw(130)),
			.type = draw(2) ? DISPLAY_BLACK_WHITE : DISPLAY_YELLOW_BLACK_WHITE,
			.personality = draw(2) ? SIM_PERSONALITY_SL : SIM_PERSONALITY_NRF};
		struct pixel_identity id = identity_of(&m);
		int at = pixel_table_find(t, &id);
		_cleanup_buf_ struct buf out = BUF_INIT;
		struct image im, back;

		assert_true(at >= 0 && !pixel_table_at(t, (size_t) at)->canonical);
		random_image(&im, m.width, m.height, m.type);
		assert_int_equal(pixel_encode(pixel_table_at(t, (size_t) at), &im, &out), 0);
		assert_int_equal(sim_pixels_decode(&m, out.data, out.len, &back), 0);
		same(&im, &back);
		image_done(&back);
		/* The panel takes nothing else for a picture. */
		assert_int_equal(sim_pixels_decode(&m, out.data, out.len - 1, &back), -ERR_BADMSG);
		image_done(&im);
	}
	pixel_table_free(t);
}

/* --- which description it is ------------------------------------------------------------------ */

static struct pixel_table *load(const char *text, int *ret_r, char why[PIXEL_WHY_MAX])
{
	char path[] = "/tmp/panels-XXXXXX";
	int fd = mkstemp(path);
	struct pixel_table *t = NULL;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
	close(fd);
	*ret_r = pixel_table_load(path, why, &t);
	unlink(path);
	return t;
}

static void the_first_description_that_fits_is_taken(void **state)
{
	struct pixel_identity id = {.model = "ACME-29-R2", .width = 296, .height = 128};
	char why[PIXEL_WHY_MAX];
	struct pixel_table *t;
	int r;

	(void) state;
	t = load("panel \"acme small\" { model = \"ACME-29*\" width = 200 height = 200 }\n"
		 "panel \"acme\" { model = \"ACME-29*\" rotate = 270 planes = \"!black, colour\"\n"
		 "  header = \"4749 width:u16le\" compress = \"packbits\" }\n"
		 "panel \"by number\" { pnp = \"usb:1234:*\" planes = \"\" pixel_bits = 2 }\n",
		 &r, why);
	assert_int_equal(r, 0);
	assert_int_equal(pixel_table_find(t, &id), 1);
	assert_int_equal(pixel_table_at(t, 1)->rotate, 270);
	assert_true(pixel_table_at(t, 1)->invert[0] && !pixel_table_at(t, 1)->invert[1]);
	assert_int_equal(pixel_table_at(t, 1)->n_header, 2);
	id = (struct pixel_identity){
		.has_pnp = true, .vendor_source = 2, .vendor = 0x1234, .product = 9};
	assert_int_equal(pixel_table_find(t, &id), 2);
	assert_int_equal(pixel_table_by_fingerprint(t, pixel_fingerprint(pixel_table_at(t, 2))), 2);
	id.vendor_source = 1; /* the same number, of somebody else's */
	assert_true(pixel_table_at(t, (size_t) pixel_table_find(t, &id))->canonical);
	pixel_table_free(t);
}

static void a_makers_format_that_nobody_described_is_not_guessed(void **state)
{
	struct pixel_identity id = {.has_type = true, .type = {1, 2, 3}};
	char why[PIXEL_WHY_MAX];
	struct pixel_table *t;

	(void) state;
	assert_int_equal(pixel_table_load("", why, &t), 0);
	assert_int_equal(pixel_table_find(t, &id), -ENOENT);
	pixel_table_free(t);
}

static void a_description_that_is_wrong_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *where;
	} files[] = {
		{"panel \"a\" {\n model = \"X\"\n rotate = 45\n}\n", ":3: panel \"a\": rotate"},
		{"panel \"a\" {\n rotate = 90\n}\n", ":1: panel \"a\": model"},
		{"panel \"a\" {\n model = \"X\"\n}\npanel \"b\" {\n model = \"Y\"\n"
		 " planes = \"green\"\n}\n",
		 ":6: panel \"b\": planes"},
		{"panel \"a\" {\n model = \"X\"\n planes = \"black white colour black\"\n}\n",
		 ":3: panel \"a\": planes"},
		{"panel \"a\" {\n model = \"X\"\n scan = \"snake\"\n}\n", ":3: panel \"a\": scan"},
		{"panel \"a\" {\n model = \"X\"\n line_bits = 7\n}\n",
		 ":3: panel \"a\": line_bits"},
		{"panel \"a\" {\n model = \"X\"\n header = \"123\"\n}\n",
		 ":3: panel \"a\": header"},
		{"panel \"a\" {\n model = \"X\"\n header = \"width:u64le\"\n}\n",
		 ":3: panel \"a\": header"},
		{"panel \"a\" {\n model = \"X\"\n header = \"01 01 01 01 01 01 01 01 01\"\n}\n",
		 ":3: panel \"a\": header"},
		{"panel \"a\" {\n model = \"X\"\n planes = \"\"\n pixel_bits = 3\n}\n",
		 ":4: panel \"a\": pixel_bits"},
		{"panel \"a\" {\n model = \"X\"\n planes = \"\"\n codes = \"1 2 4\"\n}\n",
		 ":4: panel \"a\": codes"},
		{"panel \"a\" {\n model = \"X\"\n compress = \"lzma\"\n}\n",
		 ":3: panel \"a\": compress"},
		{"panel \"a\" {\n model = \"X\"\n width = 100\n}\n", "panel \"a\": height"},
		{"panel \"a\" {\n object_type = \"zz\"\n}\n", ":2: panel \"a\": object_type"},
		{"panel \"a\" {\n pnp = \"wifi:1:2\"\n}\n", ":2: panel \"a\": pnp"},
		{"panel \"a\" {\n pnp = \"usb:1:2\"\n}\n", ":2: panel \"a\": pnp"},
		{"panel \"a\" {\n model = \"X\"\n window_bits = 8\n}\n", ":3"},
		{"panel \"a\" {\n model = \"X\"\n colours = 3\n}\n", ":3"},
		{"panel \"a\" {\n model \"X\"\n}\n", ":2"},
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char why[PIXEL_WHY_MAX] = "";
		struct pixel_table *t;
		int r;

		t = load(files[i].text, &r, why);
		if (r >= 0)
			fail_msg("taken: %s", files[i].text);
		assert_null(t);
		if (!strstr(why, files[i].where))
			fail_msg("\"%s\" is not in \"%s\"", files[i].where, why);
	}
}

static void a_missing_file_is_an_error(void **state)
{
	char why[PIXEL_WHY_MAX];
	struct pixel_table *t;

	(void) state;
	assert_true(pixel_table_load("/nonexistent/panels.conf", why, &t) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_description_is_read_back_from_the_panels_side),
		cmocka_unit_test(both_simulated_labels_draw_what_was_meant),
		cmocka_unit_test(the_first_description_that_fits_is_taken),
		cmocka_unit_test(a_makers_format_that_nobody_described_is_not_guessed),
		cmocka_unit_test(a_description_that_is_wrong_is_refused_with_its_line),
		cmocka_unit_test(a_missing_file_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
