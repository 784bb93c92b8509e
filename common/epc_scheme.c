/* SPDX-License-Identifier: Apache-2.0 */
#include "common/epc_impl.h"

#include "common/err.h"
#include "common/gtin.h"
#include <errno.h>
#include <string.h>

/* --- the table (TDS 2.3, chapter 14) ---------------------------------------------------------- */

const uint8_t epc_prefix_bits[EPC_PARTITIONS] = {40, 37, 34, 30, 27, 24, 20};

static const uint8_t item_bits[EPC_PARTITIONS] = {4, 7, 10, 14, 17, 20, 24};
static const uint8_t serial_ref_bits[EPC_PARTITIONS] = {18, 21, 24, 28, 31, 34, 38};
static const uint8_t location_bits[EPC_PARTITIONS] = {1, 4, 7, 11, 14, 17, 21};
static const uint8_t asset_bits[EPC_PARTITIONS] = {42, 45, 48, 52, 55, 58, 62};
static const uint8_t asset_text_bits[EPC_PARTITIONS] = {148, 151, 154, 158, 161, 164, 168};
static const uint8_t part_bits[EPC_PARTITIONS] = {11, 14, 17, 21, 24, 27, 31};

const char epc_gid[] = "gid";

enum {
	SGTIN,
	SSCC,
	SGLN,
	GRAI,
	GIAI,
	GSRN,
	GSRNP,
	GDTI,
	SGCN,
	CPI,
	ITIP,
	GID
};

/* clang-format off */
static const struct epc_family families[] = {
	/* name, key, serial, digits, extra, lead, key's characters, serial: most, characters */
	[SGTIN] = {"sgtin", "01", "21", 14, 0, EPC_LEAD_DIGIT, EPC_CHARS_DIGITS, 20, EPC_CHARS_82},
	[SSCC] = {"sscc", "00", NULL, 18, 0, EPC_LEAD_DIGIT, EPC_CHARS_DIGITS, 0, 0},
	[SGLN] = {"sgln", "414", "254", 13, 0, EPC_LEAD_NONE, EPC_CHARS_DIGITS, 20, EPC_CHARS_82},
	[GRAI] = {"grai", "8003", NULL, 14, 0, EPC_LEAD_ZERO, EPC_CHARS_DIGITS, 16, EPC_CHARS_82},
	[GIAI] = {"giai", "8004", NULL, 0, 0, EPC_LEAD_NONE, EPC_CHARS_82, 0, 0},
	[GSRN] = {"gsrn", "8018", NULL, 18, 0, EPC_LEAD_NONE, EPC_CHARS_DIGITS, 0, 0},
	[GSRNP] = {"gsrnp", "8017", NULL, 18, 0, EPC_LEAD_NONE, EPC_CHARS_DIGITS, 0, 0},
	[GDTI] = {"gdti", "253", NULL, 13, 0, EPC_LEAD_NONE, EPC_CHARS_DIGITS, 17, EPC_CHARS_82},
	[SGCN] = {"sgcn", "255", NULL, 13, 0, EPC_LEAD_NONE, EPC_CHARS_DIGITS, 12, EPC_CHARS_DIGITS},
	[CPI] = {"cpi", "8010", "8011", 0, 0, EPC_LEAD_NONE, EPC_CHARS_39, 12, EPC_CHARS_DIGITS},
	[ITIP] = {"itip", "8006", "21", 14, 4, EPC_LEAD_DIGIT, EPC_CHARS_DIGITS, 20, EPC_CHARS_82},
	[GID] = {epc_gid, NULL, NULL, 0, 0, EPC_LEAD_NONE, EPC_CHARS_DIGITS, 11, EPC_CHARS_DIGITS},
};

#define CLASSIC(id, header, refs, ref, ref_digits, serial, bits)                                   \
	&families[id], refs, header, EPC_REF_##ref, ref_digits, EPC_SERIAL_##serial, bits, false, false
#define PLUS(id, header, serial)                                                                   \
	&families[id], NULL, header, EPC_REF_NONE, 0, EPC_SERIAL_##serial, 0, true, false

static const struct epc_layout layouts[EPC_SCHEME_COUNT] = {
	[EPC_SGTIN_96] = {"sgtin-96", CLASSIC(SGTIN, 0x30, item_bits, DIGITS, 0, NUMBER, 38)},
	[EPC_SGTIN_198] = {"sgtin-198", CLASSIC(SGTIN, 0x36, item_bits, DIGITS, 0, TEXT, 140)},
	[EPC_SGTIN_PLUS] = {"sgtin+", PLUS(SGTIN, 0xf7, METHOD)},
	[EPC_DSGTIN_PLUS] = {"dsgtin+", &families[SGTIN], NULL, 0xfb, EPC_REF_NONE, 0,
			     EPC_SERIAL_METHOD, 0, true, true},
	[EPC_SSCC_96] = {"sscc-96", CLASSIC(SSCC, 0x31, serial_ref_bits, DIGITS, 0, ZERO, 24)},
	[EPC_SSCC_PLUS] = {"sscc+", PLUS(SSCC, 0xf9, NONE)},
	[EPC_SGLN_96] = {"sgln-96", CLASSIC(SGLN, 0x32, location_bits, DIGITS, 0, NUMBER, 41)},
	[EPC_SGLN_195] = {"sgln-195", CLASSIC(SGLN, 0x39, location_bits, DIGITS, 0, TEXT, 140)},
	[EPC_SGLN_PLUS] = {"sgln+", PLUS(SGLN, 0xf2, METHOD)},
	[EPC_GRAI_96] = {"grai-96", CLASSIC(GRAI, 0x33, item_bits, DIGITS, 0, NUMBER, 38)},
	[EPC_GRAI_170] = {"grai-170", CLASSIC(GRAI, 0x37, item_bits, DIGITS, 0, TEXT, 112)},
	[EPC_GRAI_PLUS] = {"grai+", PLUS(GRAI, 0xf1, METHOD)},
	[EPC_GIAI_96] = {"giai-96", CLASSIC(GIAI, 0x34, asset_bits, NUMBER, 25, NONE, 0)},
	[EPC_GIAI_202] = {"giai-202", CLASSIC(GIAI, 0x38, asset_text_bits, TEXT, 0, NONE, 0)},
	[EPC_GIAI_PLUS] = {"giai+", PLUS(GIAI, 0xfa, NONE)},
	[EPC_GSRN_96] = {"gsrn-96", CLASSIC(GSRN, 0x2d, serial_ref_bits, DIGITS, 0, ZERO, 24)},
	[EPC_GSRN_PLUS] = {"gsrn+", PLUS(GSRN, 0xf4, NONE)},
	[EPC_GSRNP_96] = {"gsrnp-96", CLASSIC(GSRNP, 0x2e, serial_ref_bits, DIGITS, 0, ZERO, 24)},
	[EPC_GSRNP_PLUS] = {"gsrnp+", PLUS(GSRNP, 0xf5, NONE)},
	[EPC_GDTI_96] = {"gdti-96", CLASSIC(GDTI, 0x2c, location_bits, DIGITS, 0, NUMBER, 41)},
	[EPC_GDTI_174] = {"gdti-174", CLASSIC(GDTI, 0x3e, location_bits, DIGITS, 0, TEXT, 119)},
	[EPC_GDTI_PLUS] = {"gdti+", PLUS(GDTI, 0xf6, METHOD)},
	[EPC_SGCN_96] = {"sgcn-96", CLASSIC(SGCN, 0x3f, location_bits, DIGITS, 0, PREFIXED, 41)},
	[EPC_SGCN_PLUS] = {"sgcn+", PLUS(SGCN, 0xf8, COUNTED)},
	[EPC_CPI_96] = {"cpi-96", CLASSIC(CPI, 0x3c, part_bits, NUMBER, 15, NUMBER, 31)},
	[EPC_CPI_PLUS] = {"cpi+", PLUS(CPI, 0xf0, COUNTED)},
	[EPC_ITIP_110] = {"itip-110", CLASSIC(ITIP, 0x40, item_bits, DIGITS, 0, NUMBER, 38)},
	[EPC_ITIP_212] = {"itip-212", CLASSIC(ITIP, 0x41, item_bits, DIGITS, 0, TEXT, 140)},
	[EPC_ITIP_PLUS] = {"itip+", PLUS(ITIP, 0xf3, METHOD)},
	[EPC_GID_96] = {"gid-96", CLASSIC(GID, 0x35, NULL, NUMBER, 0, NUMBER, 36)},
};
/* clang-format on */

/* Schemes of the standard that are not decoded here: GDTI-113, ADI-var, CPI-var, USDOD-96, and the
 * '++' schemes with a domain name of their own. */
static const uint8_t other_headers[] = {0x3a, 0x3b, 0x3d, 0x2f, 0xe6, 0xe7, 0xe8, 0xe9,
					0xea, 0xeb, 0xec, 0xed, 0xee, 0xef, 0xfc, 0xfd};

const struct epc_layout *epc_layout(enum epc_scheme s)
{
	return s > EPC_SCHEME_NONE && s < EPC_SCHEME_COUNT ? &layouts[s] : NULL;
}

const char *epc_scheme_name(enum epc_scheme s)
{
	const struct epc_layout *l = epc_layout(s);

	return l ? l->name : "none";
}

bool epc_scheme_is_plus(enum epc_scheme s)
{
	const struct epc_layout *l = epc_layout(s);

	return l && l->plus;
}

/* --- values ----------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool epc_in_charset(char c, enum epc_charset set)
{
	bool upper = c >= 'A' && c <= 'Z';

	if (is_digit(c))
		return true;
	switch (set) {
	case EPC_CHARS_DIGITS:
		return false;
	case EPC_CHARS_39:
		return upper || (c && strchr("#-/", c));
	case EPC_CHARS_82:
		return upper || (c >= 'a' && c <= 'z') || (c && strchr("!\"%&'()*+,-./:;<=>?_", c));
	}
	return false;
}

bool epc_all_in(const char *text, enum epc_charset set)
{
	while (*text && epc_in_charset(*text, set))
		text++;
	return *text == 0;
}

uint64_t epc_power10(unsigned int n)
{
	uint64_t v = 1;

	while (n--)
		v *= 10;
	return v;
}

bool epc_number(const char *text, unsigned int bits, uint64_t *ret)
{
	uint64_t v = 0;

	if (!is_digit(*text) || (*text == '0' && text[1]))
		return false;
	for (; *text; text++) {
		if (!is_digit(*text) || v > UINT64_MAX / 10 - 1)
			return false;
		v = v * 10 + (uint64_t) (*text - '0');
	}
	*ret = v;
	return bits >= 64 || v >> bits == 0;
}

/** Of the first n digits (GS1 General Specifications, 7.9). */
static char check_digit(const char *digits, size_t n)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (unsigned int) (digits[i] - '0') * ((n - i) % 2 ? 3 : 1);
	return (char) ('0' + (10 - sum % 10) % 10);
}

static const uint16_t date_ais[] = {11, 13, 15, 16, 17, 7006, 7007};

int epc_date_type(uint16_t ai)
{
	for (size_t i = 0; i < ARRAY_SIZE(date_ais); i++)
		if (date_ais[i] == ai)
			return (int) i;
	return -1;
}

uint16_t epc_date_ai(unsigned int type)
{
	return type < ARRAY_SIZE(date_ais) ? date_ais[type] : 0;
}

bool epc_date_ok(uint16_t ai, const char *date)
{
	static const uint8_t days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int month, day;

	if (epc_date_type(ai) < 0 || strlen(date) != 6 || !epc_all_in(date, EPC_CHARS_DIGITS))
		return false;
	month = (date[2] - '0') * 10 + date[3] - '0';
	day = (date[4] - '0') * 10 + date[5] - '0';
	return month >= 1 && month <= 12 && day <= days[month - 1];
}

/* --- keys ------------------------------------------------------------------------------------- */

unsigned int epc_ref_digits(const struct epc_family *f, unsigned int prefix_digits)
{
	return f->digits - 1u - prefix_digits - (f->lead == EPC_LEAD_ZERO);
}

void epc_split(const struct epc_id *id, char prefix[13], char ref[EPC_KEY_MAX + 1])
{
	const struct epc_family *f = epc_layout(id->scheme)->family;
	unsigned int p = id->prefix_digits, skip = f->lead != EPC_LEAD_NONE;
	size_t n;

	memcpy(prefix, id->key + skip, p);
	prefix[p] = 0;
	if (f->lead == EPC_LEAD_DIGIT)
		*ref++ = id->key[0];
	n = f->digits ? f->digits - 1u - skip - p : strlen(id->key) - p;
	memcpy(ref, id->key + skip + p, n);
	ref[n] = 0;
}

int epc_join(struct epc_id *id, const char *prefix, const char *ref, const char *extra)
{
	const struct epc_family *f = epc_layout(id->scheme)->family;
	size_t p = strlen(prefix), n = strlen(ref), at = 0;

	if (p < 6 || p > 12 || strlen(extra) != f->extra)
		return -ERR_RANGE;
	if (f->digits ? n != epc_ref_digits(f, (unsigned int) p) : n == 0 || p + n > EPC_KEY_MAX)
		return -ERR_RANGE;
	memset(id->key, 0, sizeof(id->key));
	if (f->lead == EPC_LEAD_ZERO)
		id->key[at++] = '0';
	if (f->lead == EPC_LEAD_DIGIT) {
		id->key[at++] = *ref++;
		n--;
	}
	memcpy(id->key + at, prefix, p);
	memcpy(id->key + at + p, ref, n);
	at += p + n;
	if (f->digits) {
		if (!epc_all_in(id->key, EPC_CHARS_DIGITS))
			return -ERR_SYNTAX;
		id->key[at] = check_digit(id->key, at);
		memcpy(id->key + at + 1, extra, f->extra);
	}
	id->prefix_digits = (uint8_t) p;
	return 0;
}

static int check_key(const struct epc_id *id, const struct epc_layout *l)
{
	const struct epc_family *f = l->family;
	size_t n = strnlen(id->key, sizeof(id->key)), prefix = l->plus ? 1 : id->prefix_digits;

	if (n > EPC_KEY_MAX || n == 0)
		return -ERR_RANGE;
	if (!epc_all_in(id->key, (enum epc_charset) f->key_chars))
		return -ERR_SYNTAX;
	if (f->digits) {
		if (n != (size_t) f->digits + f->extra)
			return -ERR_RANGE;
		if (f->lead == EPC_LEAD_ZERO && id->key[0] != '0')
			return -ERR_RANGE;
		if (check_digit(id->key, f->digits - 1u) != id->key[f->digits - 1])
			return -ERR_CHECK_DIGIT;
		return 0;
	}
	/* GIAI and CPI: a prefix of digits, and something after it. */
	prefix = MAX(prefix, id->prefix_digits);
	if (n <= prefix && !(l->plus && n == prefix && !id->prefix_digits))
		return -ERR_RANGE;
	for (size_t i = 0; i < prefix; i++)
		if (!is_digit(id->key[i]))
			return -ERR_SYNTAX;
	return 0;
}

static int check_serial(const struct epc_id *id, const struct epc_layout *l)
{
	const struct epc_family *f = l->family;
	size_t n = strnlen(id->serial, sizeof(id->serial));
	uint64_t number;

	if (n > f->serial_max || (n == 0) != (f->serial_max == 0))
		return -ERR_RANGE;
	if (!epc_all_in(id->serial, (enum epc_charset) f->serial_chars))
		return -ERR_SYNTAX;
	if (l->serial == EPC_SERIAL_NUMBER && !epc_number(id->serial, l->serial_bits, &number))
		return -ERR_RANGE;
	return 0;
}

/** What the scheme asks of the reference beyond what the family does. */
static int check_ref(const struct epc_id *id, const struct epc_layout *l)
{
	char prefix[13], ref[EPC_KEY_MAX + 1];
	uint64_t number;

	if (l->plus || l->ref != EPC_REF_NUMBER)
		return 0;
	epc_split(id, prefix, ref);
	return epc_number(ref, l->ref_bits[12 - id->prefix_digits], &number) &&
			       strlen(ref) <= (size_t) l->ref_digits - id->prefix_digits
		       ? 0
		       : -ERR_RANGE;
}

static int check_gid(const struct epc_id *id)
{
	const char *dot = memchr(id->key, '.', sizeof(id->key));
	char manager[EPC_KEY_MAX + 1];
	uint64_t number;

	if (!dot || !memchr(id->key, 0, sizeof(id->key)) ||
	    strnlen(id->serial, sizeof(id->serial)) > EPC_SERIAL_MAX)
		return -ERR_SYNTAX;
	memcpy(manager, id->key, (size_t) (dot - id->key));
	manager[dot - id->key] = 0;
	if (!epc_number(manager, 28, &number) || !epc_number(dot + 1, 24, &number) ||
	    !epc_number(id->serial, 36, &number) || id->filter || id->prefix_digits)
		return -ERR_RANGE;
	return 0;
}

int epc_id_check(const struct epc_id *id)
{
	const struct epc_layout *l = epc_layout(id->scheme);
	int r;

	if (!l)
		return -ERR_VERSION;
	if (id->filter > 7 || id->method >= EPC_METHOD_COUNT || (id->aidc && !l->plus))
		return -ERR_RANGE;
	if (l->dated ? !epc_date_ok(id->date_ai, id->date) : id->date_ai || id->date[0])
		return -ERR_RANGE;
	if (l->family->name == epc_gid)
		return check_gid(id);
	if ((id->prefix_digits || !l->plus) && (id->prefix_digits < 6 || id->prefix_digits > 12))
		return -ERR_RANGE;
	r = check_key(id, l);
	if (r == 0)
		r = check_serial(id, l);
	return r < 0 ? r : check_ref(id, l);
}

/* --- classes ---------------------------------------------------------------------------------- */

uint64_t epc_id_gtin(const struct epc_id *id)
{
	uint64_t gtin;

	switch (id->scheme) {
	case EPC_SGTIN_96:
	case EPC_SGTIN_198:
	case EPC_SGTIN_PLUS:
	case EPC_DSGTIN_PLUS:
		return gtin_parse(id->key, strlen(id->key), &gtin) < 0 ? 0 : gtin;
	default:
		return 0;
	}
}

enum epc_class epc_classify(const struct epc *e, const uint16_t *pc)
{
	struct epc_id id;
	uint8_t header = e->data[0];

	if (pc && epc_pc_read(*pc).iso)
		return EPC_CLASS_ISO;
	if (e->bits == 0 || header == 0)
		return EPC_CLASS_BLANK;
	if (e->bits < 8)
		return EPC_CLASS_UNKNOWN;
	if (header == 0xe0 || header == 0xe2)
		return EPC_CLASS_TID;
	if (memchr(other_headers, header, sizeof(other_headers)))
		return EPC_CLASS_OTHER_GS1;
	int r = epc_decode(e, &id);

	return r > 0 ? EPC_CLASS_GS1 : r == -ERR_VERSION ? EPC_CLASS_UNKNOWN : EPC_CLASS_BROKEN;
}

const char *epc_class_str(enum epc_class c)
{
	static const char *const words[EPC_CLASS_COUNT] = {
		[EPC_CLASS_GS1] = "a GS1 identity",
		[EPC_CLASS_BROKEN] = "not what its header promises",
		[EPC_CLASS_OTHER_GS1] = "a scheme that is not decoded here",
		[EPC_CLASS_ISO] = "not an EPC but of another application",
		[EPC_CLASS_TID] = "the number of an unprogrammed chip",
		[EPC_CLASS_BLANK] = "blank",
		[EPC_CLASS_UNKNOWN] = "foreign",
	};

	return (unsigned int) c < EPC_CLASS_COUNT ? words[c] : "foreign";
}
