/* SPDX-License-Identifier: Apache-2.0 */
/** @file The table of EPC schemes and what its readers share: common/epc_scheme*.c only. */
#pragma once

#include "common/epc_scheme.h"

/** Which characters a value may have. */
enum epc_charset {
	EPC_CHARS_DIGITS,
	EPC_CHARS_82, /**< GS1: letters, digits and punctuation */
	EPC_CHARS_39, /**< capital letters, digits, # - / */
};

/** What comes before the company prefix in a key. */
enum epc_lead {
	EPC_LEAD_NONE,
	EPC_LEAD_DIGIT, /**< indicator or extension digit: first of the reference in a URI */
	EPC_LEAD_ZERO,  /**< a zero that fills up */
};

/** One kind of identity, whatever carries it. */
struct epc_family {
	const char *name;      /**< in URIs */
	const char *ai;        /**< GS1 application identifier of the key; NULL = not GS1 */
	const char *serial_ai; /**< of the serial; NULL: none, or part of the key's value */
	uint8_t digits;        /**< of the key with its check digit; 0 = variable, without one */
	uint8_t extra;         /**< digits of the key after the check digit (ITIP) */
	uint8_t lead;          /**< enum epc_lead */
	uint8_t key_chars;     /**< enum epc_charset */
	uint8_t serial_max;    /**< 0 = has none */
	uint8_t serial_chars;  /**< enum epc_charset */
};

enum epc_ref {
	EPC_REF_DIGITS, /**< as many as the prefix leaves */
	EPC_REF_NUMBER, /**< without leading zeros */
	EPC_REF_TEXT,   /**< 7 bits each, filled up with zeros */
	EPC_REF_NONE,   /**< '+': the key as it is */
};

enum epc_serial {
	EPC_SERIAL_NONE,
	EPC_SERIAL_ZERO,     /**< zero bits */
	EPC_SERIAL_NUMBER,   /**< without leading zeros */
	EPC_SERIAL_PREFIXED, /**< digits after a 1 that keeps their zeros */
	EPC_SERIAL_TEXT,     /**< 7 bits each, filled up with zeros */
	EPC_SERIAL_METHOD,   /**< '+': by one of the methods */
	EPC_SERIAL_COUNTED,  /**< '+': length, digits */
};

/** How a scheme is laid out. */
struct epc_layout {
	const char *name;
	const struct epc_family *family;
	const uint8_t *ref_bits; /**< by partition; NULL for '+' schemes and GID */
	uint8_t header;
	uint8_t ref;         /**< enum epc_ref */
	uint8_t ref_digits;  /**< EPC_REF_NUMBER: most digits, prefix included */
	uint8_t serial;      /**< enum epc_serial */
	uint8_t serial_bits; /**< of the whole field */
	bool plus;
	bool dated;
};

#define EPC_PARTITIONS 7
extern const uint8_t epc_prefix_bits[EPC_PARTITIONS];
extern const char epc_gid[]; /**< name of the one family that is not GS1 */
/** NULL for EPC_SCHEME_NONE and numbers beyond. */
const struct epc_layout *epc_layout(enum epc_scheme s);

bool epc_in_charset(char c, enum epc_charset set);
bool epc_all_in(const char *text, enum epc_charset set);
/** Digits alone, not empty, no leading zero unless it is "0"; fits `bits`. */
bool epc_number(const char *text, unsigned int bits, uint64_t *ret);
uint64_t epc_power10(unsigned int n); /**< n <= 19 */
/** Date of a DSGTIN+: known type and possible day. */
bool epc_date_ok(uint16_t ai, const char *date);
/** Index in the standard's list of date types, or -1; and back (0 if there is none). */
int epc_date_type(uint16_t ai);
uint16_t epc_date_ai(unsigned int type);

/** Digits of a padded reference. */
unsigned int epc_ref_digits(const struct epc_family *f, unsigned int prefix_digits);
/** Key -> company prefix and reference as a URI has them. */
void epc_split(const struct epc_id *id, char prefix[13], char ref[EPC_KEY_MAX + 1]);
/** And back; adds the check digit. `extra` is what follows it. -ERR_RANGE if it does not fit. */
int epc_join(struct epc_id *id, const char *prefix, const char *ref, const char *extra);

/* --- bits ------------------------------------------------------------------------------------- */

struct epc_in {
	const uint8_t *data;
	unsigned int at, end;
	bool bad; /**< read past the end */
};

struct epc_out {
	uint8_t *data; /**< EPC_MAX_BYTES, zeroed */
	unsigned int at;
	bool bad;
};

uint64_t epc_get(struct epc_in *in, unsigned int n); /**< n <= 64 */
void epc_put(struct epc_out *out, unsigned int n, uint64_t v);

/** Text of a fixed field of 7-bit characters. 0, -ERR_SYNTAX, -ERR_TRUNCATED. */
int epc_get_text(struct epc_in *in, unsigned int bits, unsigned int max, char *ret);
void epc_put_text(struct epc_out *out, unsigned int bits, const char *text);
/** Digits written as one number; n <= 20. */
int epc_get_digits(struct epc_in *in, unsigned int n, char *ret);
void epc_put_digits(struct epc_out *out, const char *digits);
/** Indicator, length, text: TDS 14.5.6. */
int epc_get_method(struct epc_in *in, unsigned int max, enum epc_charset set, char *ret,
		   uint8_t *ret_method);
/** -ERR_SYNTAX if that method cannot write it. */
int epc_put_method(struct epc_out *out, const char *text, uint8_t method);
