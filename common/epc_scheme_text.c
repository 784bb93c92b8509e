/* SPDX-License-Identifier: Apache-2.0 */
/** @file Bits of an EPC, and the ways in which it holds text. */
#include "common/epc_impl.h"

#include "common/err.h"
#include <string.h>

#define LENGTH_BITS 5 /* of all texts that '+' schemes hold (table F) */

static const char hex_upper[] = "0123456789ABCDEF";
static const char hex_lower[] = "0123456789abcdef";
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char code40[] = "\1ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789"; /* 0 is no character */

/* Bits that n decimal digits need. */
static const uint8_t digit_bits[21] = {0,  4,  7,  10, 14, 17, 20, 24, 27, 30, 34,
				       37, 40, 44, 47, 50, 54, 57, 60, 64, 67};

uint64_t epc_get(struct epc_in *in, unsigned int n)
{
	uint64_t v = 0;

	if (in->bad || n > in->end - in->at) {
		in->bad = true;
		return 0;
	}
	for (; n; n--, in->at++)
		v = v << 1 | (in->data[in->at / 8] >> (7 - in->at % 8) & 1u);
	return v;
}

void epc_put(struct epc_out *out, unsigned int n, uint64_t v)
{
	if (out->bad || n > EPC_MAX_BITS - out->at) {
		out->bad = true;
		return;
	}
	for (unsigned int i = 0; i < n; i++, out->at++)
		if (v >> (n - 1 - i) & 1u)
			out->data[out->at / 8] |= (uint8_t) (0x80u >> out->at % 8);
}

int epc_get_text(struct epc_in *in, unsigned int bits, unsigned int max, char *ret)
{
	unsigned int n = 0;
	bool ended = false;

	for (unsigned int i = 0; i < max; i++) {
		char c = (char) epc_get(in, 7);

		if (c == 0)
			ended = true;
		else if (ended || !epc_in_charset(c, EPC_CHARS_82))
			return -ERR_SYNTAX;
		else
			ret[n++] = c;
	}
	ret[n] = 0;
	if (epc_get(in, bits - 7 * max) != 0 || n == 0)
		return -ERR_SYNTAX;
	return in->bad ? -ERR_TRUNCATED : 0;
}

void epc_put_text(struct epc_out *out, unsigned int bits, const char *text)
{
	for (; *text && bits >= 7; text++, bits -= 7)
		epc_put(out, 7, (unsigned char) *text);
	for (; bits > 64; bits -= 64)
		epc_put(out, 64, 0);
	epc_put(out, bits, 0);
}

/* Twenty digits are more than 64 bits: the number is kept as high * 2^32 + low, 32 bits in low. */

int epc_get_digits(struct epc_in *in, unsigned int n, char *ret)
{
	unsigned int bits = digit_bits[n], low_bits = MIN(bits, 32u);
	uint64_t high = epc_get(in, bits - low_bits), low = epc_get(in, low_bits);

	if (in->bad)
		return -ERR_TRUNCATED;
	ret[n] = 0;
	for (unsigned int i = n; i > 0; i--) {
		uint64_t rest = (high % 10) << 32 | low;

		high /= 10;
		low = rest / 10;
		ret[i - 1] = (char) ('0' + rest % 10);
	}
	return high || low ? -ERR_RANGE : 0;
}

void epc_put_digits(struct epc_out *out, const char *digits)
{
	unsigned int bits = digit_bits[strlen(digits)], low_bits = MIN(bits, 32u);
	uint64_t high = 0, low = 0;

	for (; *digits; digits++) {
		low = low * 10 + (uint64_t) (*digits - '0');
		high = high * 10 + (low >> 32);
		low &= UINT32_MAX;
	}
	epc_put(out, bits - low_bits, high);
	epc_put(out, low_bits, low);
}

/* --- methods ---------------------------------------------------------------------------------- */

/** Characters of a method by value; NULL for those that are not a plain list. */
static const char *alphabet(enum epc_method m, unsigned int *ret_bits)
{
	*ret_bits = m == EPC_METHOD_BASE64 ? 6 : 4;
	return m == EPC_METHOD_HEX_UPPER   ? hex_upper
	       : m == EPC_METHOD_HEX_LOWER ? hex_lower
	       : m == EPC_METHOD_BASE64    ? base64
					   : NULL;
}

static bool method_can(enum epc_method m, const char *text)
{
	unsigned int bits;
	const char *list = m == EPC_METHOD_CODE40 ? code40 + 1 : alphabet(m, &bits);

	if (m == EPC_METHOD_DIGITS)
		return epc_all_in(text, EPC_CHARS_DIGITS);
	return m == EPC_METHOD_ASCII || strspn(text, list) == strlen(text);
}

static unsigned int method_bits(enum epc_method m, size_t n)
{
	static const uint8_t per_char[EPC_METHOD_COUNT] = {
		[EPC_METHOD_HEX_UPPER] = 4,
		[EPC_METHOD_HEX_LOWER] = 4,
		[EPC_METHOD_BASE64] = 6,
		[EPC_METHOD_ASCII] = 7,
	};

	if (m == EPC_METHOD_DIGITS)
		return n < ARRAY_SIZE(digit_bits) ? digit_bits[n] : UINT16_MAX;
	if (m == EPC_METHOD_CODE40)
		return (unsigned int) (n + 2) / 3 * 16;
	return per_char[m] * (unsigned int) n;
}

static enum epc_method best_method(const char *text)
{
	enum epc_method best = EPC_METHOD_ASCII;
	size_t n = strlen(text);

	for (int m = EPC_METHOD_DIGITS; m < EPC_METHOD_COUNT; m++)
		if (method_can((enum epc_method) m, text) &&
		    method_bits((enum epc_method) m, n) < method_bits(best, n))
			best = (enum epc_method) m;
	return best;
}

static int get_code40(struct epc_in *in, unsigned int n, char *ret)
{
	unsigned int done = 0;

	while (done < n) {
		unsigned int v = (unsigned int) epc_get(in, 16);
		unsigned int index[3];

		if (v == 0 || v > 64000)
			return -ERR_SYNTAX;
		v--;
		index[0] = v / 1600;
		index[1] = v / 40 % 40;
		index[2] = v % 40;
		for (unsigned int i = 0; i < 3; i++) {
			if ((index[i] == 0) != (done == n))
				return -ERR_SYNTAX; /* filled up too early, or too late */
			if (index[i])
				ret[done++] = code40[index[i]];
		}
	}
	return 0;
}

static void put_code40(struct epc_out *out, const char *text)
{
	while (*text) {
		unsigned int v = 0;

		for (unsigned int i = 0; i < 3; i++) {
			v *= 40;
			if (*text)
				v += (unsigned int) (strchr(code40, *text++) - code40);
		}
		epc_put(out, 16, v + 1);
	}
}

static int get_chars(struct epc_in *in, enum epc_method m, unsigned int n, char *ret)
{
	unsigned int bits;
	const char *list = alphabet(m, &bits);

	for (unsigned int i = 0; i < n; i++) {
		uint64_t v = epc_get(in, m == EPC_METHOD_ASCII ? 7 : bits);

		ret[i] = list ? list[v] : (char) v;
	}
	return 0;
}

int epc_get_method(struct epc_in *in, unsigned int max, enum epc_charset set, char *ret,
		   uint8_t *ret_method)
{
	unsigned int m = (unsigned int) epc_get(in, 3) + 1;
	unsigned int n = (unsigned int) epc_get(in, LENGTH_BITS);
	int r;

	if (in->bad)
		return -ERR_TRUNCATED;
	if (m >= EPC_METHOD_COUNT || n == 0 || n > max)
		return -ERR_RANGE;
	if (m == EPC_METHOD_DIGITS)
		r = n < ARRAY_SIZE(digit_bits) ? epc_get_digits(in, n, ret) : -ERR_RANGE;
	else if (m == EPC_METHOD_CODE40)
		r = get_code40(in, n, ret);
	else
		r = get_chars(in, (enum epc_method) m, n, ret);
	if (in->bad)
		return -ERR_TRUNCATED;
	if (r < 0)
		return r;
	ret[n] = 0;
	*ret_method = (uint8_t) m;
	return strlen(ret) == n && epc_all_in(ret, set) ? 0 : -ERR_SYNTAX;
}

int epc_put_method(struct epc_out *out, const char *text, uint8_t method)
{
	enum epc_method m = method == EPC_METHOD_BEST ? best_method(text) : method;
	unsigned int bits;
	const char *list = alphabet(m, &bits);

	if (!method_can(m, text) || (m == EPC_METHOD_DIGITS && strlen(text) > 20))
		return -ERR_SYNTAX;
	epc_put(out, 3, m - 1u);
	epc_put(out, LENGTH_BITS, strlen(text));
	if (m == EPC_METHOD_DIGITS)
		epc_put_digits(out, text);
	else if (m == EPC_METHOD_CODE40)
		put_code40(out, text);
	else
		for (; *text; text++)
			epc_put(out, list ? bits : 7,
				list ? (uint64_t) (strchr(list, *text) - list)
				     : (unsigned char) *text);
	return 0;
}
