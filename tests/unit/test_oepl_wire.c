/* SPDX-License-Identifier: Apache-2.0 */
/* Pure codecs of the engine for OpenEPaperLink labels: its JSON, its pictures, its WebSocket (the
 * examples of RFC 6455), and addresses. */
#include "common/err.h"
#include "common/hex.h"
#include "esl-radio/esl.h"
#include "esl-radio/oepl/g5.h"
#include "esl-radio/oepl/jpeg.h"
#include "esl-radio/oepl/net.h"
#include "esl-radio/oepl/pixels.h"
#include "esl-radio/oepl/ws_wire.h"
#include "sim/oepl_impl.h"
#include "tests/unit/test_common.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- WebSocket -------------------------------------------------------------------------------- */

static const char sample_key[] = "dGhlIHNhbXBsZSBub25jZQ=="; /* RFC 6455 1.3 */

static int granted(const char *answer)
{
	char key[WS_KEY_MAX];

	memcpy(key, sample_key, sizeof(key));
	return ws_granted(answer, strlen(answer), key);
}

static void the_handshake_of_the_rfc_is_granted(void **state)
{
	const char *answer = "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\n"
			     "Connection: Upgrade\r\n"
			     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

	(void) state;
	assert_int_equal(granted(answer), strlen(answer));
	assert_int_equal(granted("HTTP/1.1 101 Switching"), 0);
	assert_int_equal(granted(""), 0);
}

static void other_answers_are_not(void **state)
{
	(void) state;
	assert_int_equal(granted("HTTP/1.1 200 OK\r\n\r\n"), -ERR_PEER);
	assert_int_equal(granted("HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\n\r\n"),
			 -ERR_PEER);
	assert_int_equal(granted("HTTP/1.1 101 X\r\nUpgrade: websocket\r\n"
				 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=\r\n\r\n"),
			 -ERR_PEER);
	assert_int_equal(granted("HTTP/1.1 101 X\r\nUpgrade: websocket\r\n"
				 "Sec-WebSocket-Extensions: permessage-deflate\r\n"
				 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
			 -ERR_PEER);
}

static void a_head_without_end_is_too_large(void **state)
{
	char head[WS_HEAD_MAX + 1], key[WS_KEY_MAX];

	(void) state;
	memcpy(key, sample_key, sizeof(key));
	memset(head, 'x', sizeof(head));
	memcpy(head, "HTTP/1.1 101", 12);
	assert_int_equal(ws_granted(head, sizeof(head), key), -ERR_TOO_LARGE);
}

static void frames_of_the_rfc_are_read_and_written(void **state)
{
	static const uint8_t hello[] = {0x81, 0x05, 'H', 'e', 'l', 'l', 'o'};
	static const uint8_t masked[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d,
					 0x7f, 0x9f, 0x4d, 0x51, 0x58};
	static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct ws_frame f;

	(void) state;
	assert_int_equal(ws_frame_parse(hello, sizeof(hello), 100, &f), sizeof(hello));
	assert_true(f.fin && f.opcode == WS_TEXT && f.len == 5);
	assert_memory_equal(f.data, "Hello", 5);
	for (size_t n = 0; n < sizeof(hello); n++)
		assert_int_equal(ws_frame_parse(hello, n, 100, &f), 0);
	ws_frame_put(&out, WS_TEXT, "Hello", 5, mask);
	assert_int_equal(out.len, sizeof(masked));
	assert_memory_equal(out.data, masked, sizeof(masked));
	/* A server does not mask. */
	assert_int_equal(ws_frame_parse(masked, sizeof(masked), 100, &f), -ERR_BADMSG);
}

static void frames_that_no_server_sends_are_refused(void **state)
{
	static const uint8_t huge[] = {0x81, 127, 0xff, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t bad[][2] = {{0xc1, 0}, {0x83, 0}, {0x8b, 0}, {0x09, 0}, {0x89, 126}};
	struct ws_frame f;

	(void) state;
	assert_int_equal(ws_frame_parse(huge, sizeof(huge), 65536, &f), -ERR_TOO_LARGE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(ws_frame_parse(bad[i], 2, 65536, &f), -ERR_BADMSG);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void keep(void *user, const struct oepl_record *r)
{
	*(struct oepl_record *) user = *r;
}

static int page(const char *json, struct oepl_record *r, struct oepl_page *p)
{
	return oepl_page_parse(json, strlen(json), keep, r, p);
}

static void a_record_is_read_and_what_is_not_known_is_not_made_up(void **state)
{
	struct oepl_record r;
	struct oepl_page p;

	(void) state;
	assert_int_equal(page("{\"tags\":[{\"mac\":\"0000E91A00000001\","
			      "\"hash\":\"0102030405060708ffffffffffffffff\",\"pending\":true,"
			      "\"batteryMv\":1337,\"nextcheckin\":3216153600,\"temperature\":\"x\","
			      "\"RSSI\":-70.0,\"hwType\":999}],\"continu\":11}",
			      &r, &p),
			 0);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.next, 11);
	assert_int_equal(r.mac[2], 0xe9);
	assert_int_equal(r.hash[7], 8);
	assert_int_equal(r.pending, 1);
	assert_int_equal(r.battery_mv, 0); /* on the mains */
	assert_int_equal(r.nextcheckin_s, OEPL_SLEEPS_S);
	assert_int_equal(r.temperature_c, INT16_MIN);
	assert_int_equal(r.rssi_dbm, -70);
	assert_int_equal(r.hw_type, 0);
}

static void records_without_a_good_mac_are_passed_over(void **state)
{
	struct oepl_record r;
	struct oepl_page p;

	(void) state;
	assert_int_equal(page("{\"tags\":[{},7,{\"mac\":\"12\"},{\"mac\":\"GGGGGGGGGGGG\"},"
			      "{\"mac\":\"C0FFEE000001\"}]}",
			      &r, &p),
			 0);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.bad, 4);
	assert_int_equal(p.next, -1);
	assert_int_equal(r.mac[2], 0xc0);
}

static void hostile_documents_are_refused(void **state)
{
	static const char wide[] = "{\"width\":9999,\"height\":1,\"bpp\":1}";
	static char deep[100000];
	struct oepl_record r;
	struct oepl_page p;
	struct oepl_type t;

	(void) state;
	memset(deep, '[', sizeof(deep) - 1);
	assert_int_equal(page(deep, &r, &p), -ERR_BADMSG);
	assert_int_equal(page("{\"tags\":7}", &r, &p), -ERR_BADMSG);
	assert_int_equal(page("", &r, &p), -ERR_BADMSG);
	assert_int_equal(oepl_page_parse(deep, OEPL_JSON_MAX + 1, keep, &r, &p), -ERR_TOO_LARGE);
	assert_int_equal(oepl_type_parse(wide, strlen(wide), &t), -ERR_RANGE);
	assert_int_equal(oepl_type_parse(wide, strlen(wide) - 1, &t), -ERR_BADMSG);
}

/* --- pictures --------------------------------------------------------------------------------- */

static struct oepl_type type_of(const struct sim_oepl_type *s)
{
	struct oepl_type t = {.width = s->width,
			      .height = s->height,
			      .rotatebuffer = s->rotatebuffer,
			      .bpp = s->bpp,
			      .zlib = s->zlib,
			      .g5 = s->g5,
			      .n_colours = s->colours};

	for (int i = 0; i < s->colours; i++) {
		int rgb[3];

		(void) oepl_colour(s, i, rgb);
		for (int k = 0; k < 3; k++)
			t.colours[i][k] = (uint8_t) rgb[k];
	}
	return t;
}

/** Every pixel decided by a small generator: nothing a JPEG likes. */
static void noise(struct image *im, uint32_t seed)
{
	for (unsigned int y = 0; y < im->height; y++) {
		for (unsigned int x = 0; x < im->width; x++) {
			seed = seed * 1664525u + 1013904223u;
			image_set(im, 0, x, y, seed >> 30 == 1);
			if (im->planes > 1)
				image_set(im, 1, x, y, seed >> 30 == 2);
		}
	}
}

static void noise_survives_the_jpeg_bit_by_bit(void **state)
{
	static const uint8_t ids[] = {0x00, 0x01, 0x02, 0x11, 0x12, 0x33,
				      0x36, 0x60, 0xbb, 0xc0, 0xc1, 0xc2};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		const struct sim_oepl_type *s = sim_oepl_type(ids[i]);
		struct oepl_type t = type_of(s);
		_cleanup_buf_ struct buf jpeg = BUF_INIT, drawn = BUF_INIT, shown = BUF_INIT,
					 meant = BUF_INIT, planes = BUF_INIT;
		struct image im;
		uint8_t kind;

		assert_int_equal(image_init(&im, t.width, t.height, oepl_display_type(&t)), 0);
		noise(&im, 7 + (uint32_t) i);
		image_encode(&im, &meant);
		assert_int_equal(oepl_jpeg(&im, &t, &jpeg), 0);
		/* The other decoder, the other turns, the other nearest colours. */
		assert_int_equal(oepl_draw(s, jpeg.data, jpeg.len, 0, false, false, &drawn, &kind),
				 0);
		assert_int_equal(oepl_show(s, kind, drawn.data, drawn.len, &shown), 0);
		assert_int_equal(shown.len, meant.len);
		assert_memory_equal(shown.data, meant.data, meant.len);
		assert_int_equal(oepl_same_picture(drawn.data, drawn.len, &im, &t), 1);
		if (oepl_is_plain(&t, s->version)) {
			assert_int_equal(oepl_planes(&im, &t, &planes), 0);
			assert_int_equal(planes.len, drawn.len);
			assert_memory_equal(planes.data, drawn.data, planes.len);
		}
		drawn.data[drawn.len / 2] ^= 1;
		assert_int_equal(oepl_same_picture(drawn.data, drawn.len, &im, &t), 0);
		image_done(&im);
	}
}

static void a_picture_of_another_size_is_refused(void **state)
{
	struct oepl_type t = type_of(sim_oepl_type(0x01));
	_cleanup_buf_ struct buf jpeg = BUF_INIT;
	struct image im;

	(void) state;
	assert_int_equal(image_init(&im, 400, 300, DISPLAY_BLACK_WHITE), 0);
	assert_int_equal(oepl_jpeg(&im, &t, &jpeg), -ERR_RANGE);
	image_done(&im);
}

static void what_is_no_jpeg_is_refused(void **state)
{
	uint8_t *rgb;
	unsigned int w, h;

	(void) state;
	assert_int_equal(jpeg_unpack("\xff\xd8\xff garbage", 11, &rgb, &w, &h), -ERR_BADMSG);
	assert_int_equal(jpeg_unpack("", 0, &rgb, &w, &h), -ERR_BADMSG);
}

/* --- folded and packed pictures --------------------------------------------------------------- */

/** What the drawing loop below makes, as the firmware's own encoder folds it. */
static const char folded[] = "20e6567f8304647fe084c58065251797dfa213c8fb2923d90ff64380";

static void a_picture_folded_by_the_firmware_is_unfolded(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	uint8_t data[28], want[48] = {0};

	(void) state;
	for (int y = 0; y < 12; y++)
		for (int x = 0; x < 32; x++)
			if (!(x == 3 || y == 5 || (x / 7 + y / 3) % 4 == 0 ||
			      (x > 20 && x == y + 14)))
				want[(y * 32 + x) / 8] |= (uint8_t) (0x80 >> x % 8);
	assert_true(hex_decode(folded, data, sizeof(data)) >= 0);
	assert_int_equal(g5_unpack(data, sizeof(data), 32, 12, &out), 0);
	assert_int_equal(out.len, sizeof(want));
	assert_memory_equal(out.data, want, sizeof(want));
	for (size_t n = 0; n + 3 < sizeof(data); n++) {
		buf_clear(&out);
		assert_int_equal(g5_unpack(data, n, 32, 12, &out), -ERR_BADMSG);
	}
	assert_int_equal(g5_unpack(data, sizeof(data), 30, 12, &out), -ERR_RANGE);
}

/** A type of that many bits, 8 by 2 pixels: black, white, yellow, red. */
static struct oepl_type small_type(uint8_t bpp, uint16_t width)
{
	return (struct oepl_type){
		.width = width,
		.height = 2,
		.bpp = bpp,
		.n_colours = 4,
		.colours = {{0, 0, 0}, {255, 255, 255}, {255, 255, 0}, {255, 0, 0}}};
}

static void numbers_of_colours_follow_each_other_from_row_to_row(void **state)
{
	static const struct {
		uint8_t bpp;
		uint16_t width;
		const char *bytes;
	} cases[] = {
		/* white but for the first pixel, red, and the last but one, black */
		{5, 8, "d5555551"}, {5, 3, "d510"},   {3, 8, "649249249241"},
		{3, 3, "649040"},   {4, 3, "311101"},
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct oepl_type t = small_type(cases[i].bpp, cases[i].width);
		_cleanup_buf_ struct buf out = BUF_INIT;
		struct image im;
		char hex[32];

		assert_int_equal(image_init(&im, t.width, t.height, DISPLAY_RED_BLACK_WHITE), 0);
		image_set(&im, 1, 0, 0, true);
		image_set(&im, 0, t.width - 2u, 1, true);
		assert_int_equal(oepl_planes(&im, &t, &out), 0);
		hex_encode(out.data, out.len, hex);
		assert_string_equal(hex, cases[i].bytes);
		assert_int_equal(oepl_same_picture(out.data, out.len, &im, &t), 1);
		out.data[0] ^= 0x10;
		assert_int_equal(oepl_same_picture(out.data, out.len, &im, &t), 0);
		image_done(&im);
	}
}

static void planes_whose_rows_share_bytes_are_not_vouched_for(void **state)
{
	struct oepl_type t = small_type(2, 10);
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct image im;

	(void) state;
	assert_int_equal(image_init(&im, t.width, t.height, DISPLAY_RED_BLACK_WHITE), 0);
	assert_int_equal(oepl_planes(&im, &t, &out), -ENOTSUP);
	image_done(&im);
}

/* --- addresses -------------------------------------------------------------------------------- */

static void only_plain_http_addresses_are_taken(void **state)
{
	(void) state;
	assert_int_equal(oepl_url_check("http://192.0.2.7"), 0);
	assert_int_equal(oepl_url_check("http://oepl.shop.example:8080"), 0);
	assert_int_equal(oepl_url_check("http://[2001:db8::7]:80"), 0);
	assert_int_equal(oepl_url_check("https://192.0.2.7"), -ERR_SYNTAX);
	assert_int_equal(oepl_url_check("http://"), -ERR_SYNTAX);
	assert_int_equal(oepl_url_check("http://user@192.0.2.7"), -ERR_SYNTAX);
	assert_int_equal(oepl_url_check("http://192.0.2.7/"), -ERR_SYNTAX);
	assert_int_equal(oepl_url_check("http://192.0.2.7:0"), -ERR_SYNTAX);
	assert_int_equal(oepl_url_check("http://192.0.2.7:99999"), -ERR_SYNTAX);
}

static void several_addresses_have_commas_between_them(void **state)
{
	static const char eight[] =
		"http://a,http://b,http://c,http://d,http://e,http://f,http://g,http://h";
	static const char *const good[] = {"http://a", "http://a,http://b",
					   " http://a , http://b:81 ", eight};
	static const char *const bad[] = {"",
					  " ",
					  ",",
					  "http://a,",
					  ",http://a",
					  "http://a,,http://b",
					  "http://a http://b",
					  "http://a,http://a",
					  "http://a,ftp://b"};
	char nine[sizeof(eight) + 16];

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (esl_oepl_check(good[i]) != 0)
			fail_msg("\"%s\" is refused", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (esl_oepl_check(bad[i]) == 0)
			fail_msg("\"%s\" is taken", bad[i]);
	snprintf(nine, sizeof(nine), "%s,http://i", eight);
	assert_true(esl_oepl_check(nine) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_handshake_of_the_rfc_is_granted),
		cmocka_unit_test(other_answers_are_not),
		cmocka_unit_test(a_head_without_end_is_too_large),
		cmocka_unit_test(frames_of_the_rfc_are_read_and_written),
		cmocka_unit_test(frames_that_no_server_sends_are_refused),
		cmocka_unit_test(a_record_is_read_and_what_is_not_known_is_not_made_up),
		cmocka_unit_test(records_without_a_good_mac_are_passed_over),
		cmocka_unit_test(hostile_documents_are_refused),
		cmocka_unit_test(noise_survives_the_jpeg_bit_by_bit),
		cmocka_unit_test(a_picture_of_another_size_is_refused),
		cmocka_unit_test(what_is_no_jpeg_is_refused),
		cmocka_unit_test(a_picture_folded_by_the_firmware_is_unfolded),
		cmocka_unit_test(numbers_of_colours_follow_each_other_from_row_to_row),
		cmocka_unit_test(planes_whose_rows_share_bytes_are_not_vouched_for),
		cmocka_unit_test(only_plain_http_addresses_are_taken),
		cmocka_unit_test(several_addresses_have_commas_between_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
