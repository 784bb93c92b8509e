/* SPDX-License-Identifier: Apache-2.0 */
/* What an OpenEPaperLink access point says in JSON: database, types, configuration, feed. The first
 * byte chooses. A type that is accepted must be one that pictures can be made for. */
#include "common/image.h"
#include "esl-radio/oepl/pixels.h"
#include "esl-radio/oepl/tagdb.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void on_record(void *user, const struct oepl_record *r)
{
	unsigned int *n = user;

	++*n;
	if (r->rotate > 3 || (r->temperature_c != INT16_MIN && r->temperature_c > 100))
		abort();
}

static void check_type(const uint8_t *data, size_t len)
{
	struct oepl_type t;
	struct image im;
	struct buf planes = BUF_INIT;

	if (oepl_type_parse(data, len, &t) < 0)
		return;
	if (!t.width || t.width > IMAGE_MAX_SIDE || t.n_colours < 2 ||
	    t.n_colours > OEPL_COLOURS_MAX || t.rotatebuffer > 3)
		abort();
	if ((unsigned int) t.width * t.height > 100000 ||
	    image_init(&im, t.width, t.height, oepl_display_type(&t)) < 0)
		return;
	if (oepl_planes(&im, &t, &planes) == 0 &&
	    oepl_same_picture(planes.data, planes.len, &im, &t) != 1)
		abort();
	(void) !oepl_same_picture(data, len, &im, &t);
	buf_done(&planes);
	image_done(&im);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct oepl_page page = {0};
	struct oepl_config config;
	struct oepl_message message;
	char text[OEPL_TEXT_MAX];
	unsigned int n = 0;

	if (!len)
		return 0;
	switch (*data++ % 6) {
	case 0:
		if (oepl_page_parse(data, len - 1, on_record, &n, &page) == 0 && page.n != n)
			abort();
		break;
	case 1:
		if (oepl_dump_parse(data, len - 1, on_record, &n, &page) == 0 && page.n != n)
			abort();
		break;
	case 2:
		check_type(data, len - 1);
		break;
	case 3:
		(void) !oepl_config_parse(data, len - 1, &config);
		break;
	case 4:
		(void) !oepl_info_parse(data, len - 1, text);
		break;
	default:
		(void) !oepl_message_parse(data, len - 1, on_record, &n, &message);
		break;
	}
	return 0;
}
