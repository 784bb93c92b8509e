/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One error space for the whole house. Functions return 0 or a positive value for success and a
 * negative code for failure: either a negated errno or one of the ERR_* codes below, negated.
 * Foreign codes (SQLite, LMDB, GnuTLS, curl) are mapped at the seam that calls the library.
 */
#pragma once

enum err {
	ERR_BASE = 1000,
	ERR_BADMSG = ERR_BASE, /**< malformed bytes from outside */
	ERR_TRUNCATED,         /**< input ended inside a field */
	ERR_TRAILING,          /**< bytes left over after a complete message */
	ERR_TOO_LARGE,         /**< a length beyond the stated cap */
	ERR_VERSION,           /**< a protocol or schema version this build does not speak */
	ERR_RANGE,             /**< a value outside its stated range */
	ERR_CHECK_DIGIT,       /**< GTIN check digit is wrong */
	ERR_UTF8,              /**< not valid UTF-8 */
	ERR_SYNTAX,            /**< text that does not parse */
	ERR_AUTH,              /**< who is asking could not be established */
	ERR_FORBIDDEN,         /**< known who, not allowed */
	ERR_REVOKED,           /**< certificate or session taken back */
	ERR_EXPIRED,           /**< certificate, code or session past its time */
	ERR_TLS,               /**< the TLS library refused */
	ERR_CRYPTO,            /**< authentication tag or key is wrong */
	ERR_DB,                /**< the database refused; logged with its own text */
	ERR_CORRUPT,           /**< stored data fails its check */
	ERR_CONFLICT,          /**< someone else changed it first, or it exists already */
	ERR_CONFIG,            /**< configuration is wrong; the diagnostic says where */
	ERR_PEER,              /**< the other side answered with an error of its own */
	ERR_CLOSED,            /**< the other side ended the connection */
	ERR_STATE,             /**< not possible in the present state */
	ERR_LAST
};

/** Text for a code as returned by our functions (negative) or its absolute value. Never NULL. */
const char *err_str(int code);
