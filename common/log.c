/* SPDX-License-Identifier: Apache-2.0 */
#include "common/log.h"
#include "common/err.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static _Atomic int lowest = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store(&lowest, (int) level);
}

int log_level_parse(const char *text, enum log_level *ret_level)
{
	static const struct {
		const char *name;
		enum log_level level;
	} names[] = {
		{"error", LOG_ERR}, {"warning", LOG_WARN}, {"notice", LOG_NOTICE},
		{"info", LOG_INFO}, {"debug", LOG_DEBUG},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i].name, text) == 0) {
			*ret_level = names[i].level;
			return 0;
		}
	}
	return -ERR_SYNTAX;
}

static size_t append_escaped(char *line, size_t at, size_t cap, const char *text, const char *also)
{
	for (; *text && at + 5 < cap; text++) {
		unsigned char c = (unsigned char) *text;

		if (c < 0x20 || c == 0x7f) {
			at += (size_t) snprintf(line + at, cap - at, "\\x%02x", c);
			continue;
		}
		if (strchr(also, c))
			line[at++] = '\\';
		line[at++] = (char) c;
	}
	line[at] = 0;
	return at;
}

const char *log_quote(const char *text, char *buf, size_t cap)
{
	if (cap)
		buf[0] = 0;
	(void) append_escaped(buf, 0, cap, text, "\"\\");
	return buf;
}

void log_write(enum log_level level, const char *comp, int err, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES * 2];
	size_t at = 0;
	va_list ap;

	if ((int) level > atomic_load(&lowest))
		return;
	va_start(ap, fmt);
	(void) vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	if (!isatty(STDERR_FILENO))
		at += (size_t) snprintf(line, sizeof(line), "<%d>", level);
	at += (size_t) snprintf(line + at, sizeof(line) - at, "comp=%.32s ", comp);
	if (err)
		at += (size_t) snprintf(line + at, sizeof(line) - at, "err=%d why=\"%s\" ", err,
					err_str(err));
	/* No value can end the line, whoever wrote it. */
	at = append_escaped(line, at, sizeof(line) - 2, text, "");
	line[at++] = '\n';
	/* One write keeps lines of several threads apart. */
	ssize_t n = write(STDERR_FILENO, line, at);

	(void) n;
}

int log_limit_pass(struct log_limit *limit, int64_t now_us, int64_t per_us, unsigned int burst,
		   unsigned int *ret_suppressed)
{
	*ret_suppressed = 0;
	if (limit->window_start_us == 0 || now_us - limit->window_start_us >= per_us) {
		*ret_suppressed = limit->suppressed;
		limit->window_start_us = now_us;
		limit->used = 0;
		limit->suppressed = 0;
	}
	if (limit->used >= burst) {
		limit->suppressed++;
		return 0;
	}
	limit->used++;
	return 1;
}
