/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/oepl/jpeg.h"

#include "common/err.h"
#include "common/image.h"
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
/* after <stdio.h>, which it needs */
#include <jpeglib.h>

#define ROOM_FOR_HEAD 8192

/** The library ends a process at its first error, unless told where else to go. */
struct trap {
	struct jpeg_error_mgr mgr; /**< first: the library knows no more of this */
	jmp_buf out;
};

static void fail(j_common_ptr cinfo)
{
	longjmp(((struct trap *) cinfo->err)->out, 1);
}

static void stay_silent(j_common_ptr cinfo, int level)
{
	/* A warning is a byte that is not as it should be: for us that is an error. */
	if (level < 0)
		fail(cinfo);
}

static struct jpeg_error_mgr *set_trap(struct trap *t)
{
	struct jpeg_error_mgr *mgr = jpeg_std_error(&t->mgr);

	mgr->error_exit = fail;
	mgr->emit_message = stay_silent;
	return mgr;
}

int jpeg_pack(const uint8_t *rgb, unsigned int width, unsigned int height, int quality,
	      struct buf *out)
{
	struct jpeg_compress_struct c = {0};
	/* Room enough for the worst that can come out: the library then never makes any itself. */
	unsigned long len = (unsigned long) width * height * 6 + ROOM_FOR_HEAD;
	unsigned char *const room = malloc(len);
	unsigned char *data = room;
	struct trap trap;

	if (!room)
		return -ENOMEM;
	c.err = set_trap(&trap);
	if (setjmp(trap.out)) {
		jpeg_destroy_compress(&c);
		free(room);
		return -ENOMEM;
	}
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &data, &len);
	c.image_width = width;
	c.image_height = height;
	c.input_components = 3;
	c.in_color_space = JCS_RGB;
	jpeg_set_defaults(&c);
	jpeg_set_quality(&c, quality, TRUE);
	for (int i = 0; i < c.num_components; i++)
		c.comp_info[i].h_samp_factor = c.comp_info[i].v_samp_factor = 1;
	jpeg_start_compress(&c, TRUE);
	while (c.next_scanline < height) {
		JSAMPROW row = (JSAMPROW) (uintptr_t) (rgb + (size_t) c.next_scanline * width * 3);

		(void) jpeg_write_scanlines(&c, &row, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	buf_put(out, data, len);
	free(room);
	return buf_ok(out) ? 0 : out->err;
}

int jpeg_unpack(const void *data, size_t len, uint8_t **ret_rgb, unsigned int *ret_width,
		unsigned int *ret_height)
{
	struct jpeg_decompress_struct d = {0};
	uint8_t *volatile rgb = NULL;
	struct trap trap;

	d.err = set_trap(&trap);
	if (setjmp(trap.out)) {
		jpeg_destroy_decompress(&d);
		free(rgb);
		return -ERR_BADMSG;
	}
	jpeg_create_decompress(&d);
	jpeg_mem_src(&d, data, len);
	(void) jpeg_read_header(&d, TRUE);
	if (d.image_width > IMAGE_MAX_SIDE || d.image_height > IMAGE_MAX_SIDE) {
		jpeg_destroy_decompress(&d);
		return -ERR_TOO_LARGE;
	}
	d.out_color_space = JCS_RGB;
	(void) jpeg_start_decompress(&d);
	rgb = malloc((size_t) d.output_width * d.output_height * 3);
	if (!rgb) {
		jpeg_destroy_decompress(&d);
		return -ENOMEM;
	}
	while (d.output_scanline < d.output_height) {
		JSAMPROW row = rgb + (size_t) d.output_scanline * d.output_width * 3;

		(void) jpeg_read_scanlines(&d, &row, 1);
	}
	*ret_width = d.output_width;
	*ret_height = d.output_height;
	(void) jpeg_finish_decompress(&d);
	jpeg_destroy_decompress(&d);
	*ret_rgb = rgb;
	return 0;
}
