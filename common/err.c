/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include <stdlib.h>
#include <string.h>

static const char *const texts[ERR_LAST - ERR_BASE] = {
	[ERR_BADMSG - ERR_BASE] = "malformed message",
	[ERR_TRUNCATED - ERR_BASE] = "input ends inside a field",
	[ERR_TRAILING - ERR_BASE] = "unexpected bytes after the message",
	[ERR_TOO_LARGE - ERR_BASE] = "larger than allowed",
	[ERR_VERSION - ERR_BASE] = "unsupported version",
	[ERR_RANGE - ERR_BASE] = "value out of range",
	[ERR_CHECK_DIGIT - ERR_BASE] = "wrong check digit",
	[ERR_UTF8 - ERR_BASE] = "not valid UTF-8",
	[ERR_SYNTAX - ERR_BASE] = "cannot be parsed",
	[ERR_AUTH - ERR_BASE] = "not authenticated",
	[ERR_FORBIDDEN - ERR_BASE] = "not permitted",
	[ERR_REVOKED - ERR_BASE] = "revoked",
	[ERR_EXPIRED - ERR_BASE] = "expired",
	[ERR_TLS - ERR_BASE] = "TLS failed",
	[ERR_CRYPTO - ERR_BASE] = "does not authenticate",
	[ERR_DB - ERR_BASE] = "database failure",
	[ERR_CORRUPT - ERR_BASE] = "stored data is damaged",
	[ERR_CONFLICT - ERR_BASE] = "conflicts with what is there",
	[ERR_CONFIG - ERR_BASE] = "configuration is wrong",
	[ERR_PEER - ERR_BASE] = "the other side reported an error",
	[ERR_CLOSED - ERR_BASE] = "the other side closed the connection",
	[ERR_STATE - ERR_BASE] = "not possible now",
};

const char *err_str(int code)
{
	int c = abs(code);

	if (c == 0)
		return "success";
	if (c >= ERR_BASE && c < ERR_LAST)
		return texts[c - ERR_BASE];
	const char *name = strerrordesc_np(c);

	return name ? name : "unknown error";
}
