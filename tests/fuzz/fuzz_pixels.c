/* SPDX-License-Identifier: Apache-2.0 */
/* A description of panels may be anything a person types, and a picture anything a radio brings:
 * either is refused or makes sense. */
#include "esl-radio/pixels.h"
#include "sim/label_pixels.h"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** What was taken can draw. */
static void draw(const struct pixel_model *m)
{
	char why[PIXEL_WHY_MAX];
	struct image im;
	struct buf out = BUF_INIT;

	if (pixel_model_check(m, why) < 0 || !pixel_fingerprint(m))
		abort();
	if (image_init(&im, 13, 9, DISPLAY_RED_BLACK_WHITE) < 0)
		return;
	image_set(&im, 0, 3, 4, true);
	if (pixel_encode(m, &im, &out) < 0 || out.len == 0)
		abort();
	buf_done(&out);
	image_done(&im);
}

static void description(const uint8_t *data, size_t size)
{
	struct pixel_table *t = NULL;
	char why[PIXEL_WHY_MAX], path[40];
	int fd = memfd_create("panels", MFD_CLOEXEC);

	if (fd < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t) size && lseek(fd, 0, SEEK_SET) == 0 &&
	    pixel_table_load(path, why, &t) == 0)
		for (size_t i = 0; i + 4 < pixel_table_count(t); i++)
			draw(pixel_table_at(t, i));
	pixel_table_free(t);
	close(fd);
}

static void picture(const uint8_t *data, size_t size, enum sim_personality personality)
{
	const struct sim_label_model m = {.width = 4,
					  .height = 8,
					  .type = DISPLAY_RED_BLACK_WHITE,
					  .personality = personality};
	struct image im;

	if (sim_pixels_decode(&m, data, size, &im) < 0)
		return;
	if (im.width != 4 || im.height != 8)
		abort();
	image_done(&im);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > 4096)
		return 0;
	switch (data[0] % 3) {
	case 0:
		description(data + 1, size - 1);
		break;
	case 1:
		picture(data + 1, size - 1, SIM_PERSONALITY_NRF);
		break;
	default:
		picture(data + 1, size - 1, SIM_PERSONALITY_SL);
		break;
	}
	return 0;
}
