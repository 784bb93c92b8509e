/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/tool/tool.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define MAX_FILE_BYTES (1u << 30)

int tool_read_file(const char *path, struct buf *ret)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	char chunk[65536];
	size_t n;
	int r = 0;

	if (!f) {
		r = -errno;
		tool_error("%s: %s", path, strerror(errno));
		return r;
	}
	buf_init(ret, MAX_FILE_BYTES);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_put(ret, chunk, n);
	if (ferror(f))
		r = -EIO;
	else if (!buf_ok(ret))
		r = ret->err;
	if (r < 0)
		tool_error("%s: %s", path, err_str(r));
	if (f != stdin)
		fclose(f);
	return r;
}

int tool_each_frame(const char *name, const uint8_t *data, size_t len, tool_frame_fn fn, void *user)
{
	struct tool_frame f = {.number = 1, .time_us = INT64_MIN};

	for (; f.at < len; f.at += f.len, f.number++) {
		struct llrp_header h;
		int r = llrp_header_decode(data + f.at, len - f.at, &h);

		if (r == -EAGAIN) {
			tool_error("%s: frame %zu at offset %zu: the file ends inside the header",
				   name, f.number, f.at);
			return -ERR_TRUNCATED;
		}
		if (r < 0) {
			tool_error("%s: frame %zu at offset %zu: not the header of a message", name,
				   f.number, f.at);
			return r;
		}
		if (h.length > len - f.at) {
			tool_error("%s: frame %zu at offset %zu: %u octets long, but the file has "
				   "%zu more",
				   name, f.number, f.at, h.length, len - f.at);
			return -ERR_TRUNCATED;
		}
		f.data = data + f.at;
		f.len = h.length;
		r = fn(user, &f);
		if (r < 0)
			return r;
	}
	return 0;
}
