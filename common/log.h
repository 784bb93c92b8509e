/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Structured log on standard error, one line a record:
 *
 *     <6>comp=ingest agent=7 n=120 msg="batch stored"
 *
 * The `<N>` prefix is the syslog priority that journald and procd read; it is left out when
 * standard error is a terminal. Library rooms (common/, rfid/, esl-radio/) log at debug level only
 * and return errors instead; the daemons log. Values are escaped, so that input cannot forge a
 * line. Never log a key, a token, a password or a join code: there is no printer for them.
 */
#pragma once

#include "common/util.h"

enum log_level {
	LOG_ERR = 3,
	LOG_WARN = 4,
	LOG_NOTICE = 5,
	LOG_INFO = 6,
	LOG_DEBUG = 7
};

/** Sets the lowest priority still written. Default LOG_INFO. */
void log_set_level(enum log_level level);
/** Parses "error", "warning", "notice", "info" or "debug". Returns -ERR_SYNTAX otherwise. */
int log_level_parse(const char *text, enum log_level *ret_level) _must_check_;

/**
 * Writes one record. `kv` is a printf format that yields zero or more `key=value` words (values
 * from outside must be passed through log_quote()); `comp` names the component.
 */
void log_write(enum log_level level, const char *comp, int err, const char *fmt, ...)
	_printf_(4, 5);

/** Escapes quotes, backslashes and control characters, cut to fit. Returns buf. */
const char *log_quote(const char *text, char *buf, size_t cap);

#define log_error(comp, ...)  log_write(LOG_ERR, comp, 0, __VA_ARGS__)
#define log_warn(comp, ...)   log_write(LOG_WARN, comp, 0, __VA_ARGS__)
#define log_notice(comp, ...) log_write(LOG_NOTICE, comp, 0, __VA_ARGS__)
#define log_info(comp, ...)   log_write(LOG_INFO, comp, 0, __VA_ARGS__)
#define log_debug(comp, ...)  log_write(LOG_DEBUG, comp, 0, __VA_ARGS__)

/** Logs with `err=` and the code's text, and yields the code: `return log_errno("db", r, "...")`.
 */
#define log_errno(comp, err, ...)                                                                  \
	({                                                                                         \
		int log_err_ = (err);                                                              \
		log_write(LOG_ERR, comp, log_err_, __VA_ARGS__);                                   \
		log_err_;                                                                          \
	})

/** A budget for one call site: at most `burst` lines a `per_us`, then a count of what was held
 * back. */
struct log_limit {
	int64_t window_start_us;
	unsigned int used;
	unsigned int suppressed;
};
/** True when the caller may log now. Reports the suppressed count through *ret_suppressed. */
int log_limit_pass(struct log_limit *limit, int64_t now_us, int64_t per_us, unsigned int burst,
		   unsigned int *ret_suppressed);
