/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What an EPC names: the schemes of the GS1 EPC Tag Data Standard (TDS 2.3), decoded and encoded,
 * as tag bits, as URIs of both kinds and as GS1 Digital Link. One table (epc_scheme.c) says how
 * each scheme is laid out. Nothing is allocated.
 *
 * An identity is kept the way a barcode has it: the GS1 key with its check digit, and the serial.
 * A tag of the older schemes also says how long the company prefix is; a '+' tag does not, so that
 * its identity has no pure identity URI until somebody fills in `prefix_digits`. To write one
 * identity in another scheme of its family, change `scheme`.
 *
 * A tag that is not one of these is classed by epc_classify(), never guessed at.
 */
#pragma once

#include "common/epc.h"

enum epc_scheme {
	EPC_SCHEME_NONE,
	EPC_SGTIN_96,
	EPC_SGTIN_198,
	EPC_SGTIN_PLUS,
	EPC_DSGTIN_PLUS,
	EPC_SSCC_96,
	EPC_SSCC_PLUS,
	EPC_SGLN_96,
	EPC_SGLN_195,
	EPC_SGLN_PLUS,
	EPC_GRAI_96,
	EPC_GRAI_170,
	EPC_GRAI_PLUS,
	EPC_GIAI_96,
	EPC_GIAI_202,
	EPC_GIAI_PLUS,
	EPC_GSRN_96,
	EPC_GSRN_PLUS,
	EPC_GSRNP_96,
	EPC_GSRNP_PLUS,
	EPC_GDTI_96,
	EPC_GDTI_174,
	EPC_GDTI_PLUS,
	EPC_SGCN_96,
	EPC_SGCN_PLUS,
	EPC_CPI_96,
	EPC_CPI_PLUS,
	EPC_ITIP_110,
	EPC_ITIP_212,
	EPC_ITIP_PLUS,
	EPC_GID_96,
	EPC_SCHEME_COUNT
};

/** How a '+' scheme writes text (TDS 2.3, table E); each has its set of characters. */
enum epc_method {
	EPC_METHOD_BEST, /**< encoding: the shortest that can */
	EPC_METHOD_DIGITS,
	EPC_METHOD_HEX_UPPER,
	EPC_METHOD_HEX_LOWER,
	EPC_METHOD_BASE64,
	EPC_METHOD_ASCII,
	EPC_METHOD_CODE40,
	EPC_METHOD_COUNT
};

#define EPC_KEY_MAX    30 /**< characters of the longest key (GIAI, CPI) */
#define EPC_SERIAL_MAX 20
#define EPC_NAME_MAX   16
#define EPC_URI_SIZE   200 /**< room for any URI made here */

struct epc_id {
	enum epc_scheme scheme;
	uint8_t filter;        /**< 0-7; GID: 0 */
	uint8_t prefix_digits; /**< of the GS1 company prefix, 6-12; 0 = not known */
	uint8_t method;        /**< enum epc_method of the text in a '+' tag */
	bool aidc;             /**< '+': further data follow the EPC in the same memory */
	uint16_t date_ai;      /**< DSGTIN+: 11, 13, 15, 16, 17, 7006 or 7007; else 0 */
	char date[7];          /**< DSGTIN+: YYMMDD; DD may be 00 */
	/** GTIN, SSCC, GLN, GRAI (14 digits), GIAI, GSRN, GDTI and GCN (13), CPI; ITIP: GTIN,
	 * piece, total; GID: "manager.class". */
	char key[EPC_KEY_MAX + 1];
	/** Serial, GLN extension ("0" = none), or empty if the scheme has none. */
	char serial[EPC_SERIAL_MAX + 1];
};

/** "sgtin-96", "sgtin+", ... Never NULL. */
const char *epc_scheme_name(enum epc_scheme s);
bool epc_scheme_is_plus(enum epc_scheme s);
/** Does `id` obey its scheme? 0, -ERR_CHECK_DIGIT, -ERR_SYNTAX (a character it cannot have),
 * -ERR_RANGE. */
int epc_id_check(const struct epc_id *id) _must_check_;

/** How many bits the EPC takes. -ERR_VERSION: no scheme known here (see epc_classify()).
 * -ERR_TRUNCATED: the tag has fewer bits; -ERR_TRAILING: it has others than zeros after it;
 * -ERR_RANGE, -ERR_SYNTAX: bits that the scheme does not allow. */
int epc_decode(const struct epc *e, struct epc_id *ret) _must_check_;
/** How many bits the EPC takes; ret->bits is that filled up with zeros to whole 16-bit words, as
 * tags have it. Errors as epc_id_check(). */
int epc_encode(const struct epc_id *id, struct epc *ret) _must_check_;

/** The GTIN, check digit included, of the schemes that name a trade item; 0 for all others. */
uint64_t epc_id_gtin(const struct epc_id *id);

/* --- URIs: 0; -ERR_TOO_LARGE past `size`; errors as epc_id_check() ---------------------------- */

/** "urn:epc:id:...". -ERR_STATE if the length of the prefix is not known. */
int epc_id_uri(const struct epc_id *id, char *buf, size_t size) _must_check_;
/** "urn:epc:tag:...". -ERR_STATE for '+' schemes, which have none. */
int epc_tag_uri(const struct epc_id *id, char *buf, size_t size) _must_check_;
/** "https://id.gs1.org/01/...". -ERR_STATE for GID, which has none. */
int epc_digital_link(const struct epc_id *id, char *buf, size_t size) _must_check_;
/** Any of the three; a Digital Link of any domain. The scheme is the shortest that can hold an
 * identity URI, the '+' scheme for a Digital Link. -ERR_SYNTAX, or as epc_id_check(). */
int epc_id_parse(const char *uri, struct epc_id *ret) _must_check_;

/* --- tags of others --------------------------------------------------------------------------- */

/** The protocol control word of a Gen2 tag. */
struct epc_pc {
	uint8_t words; /**< 16-bit words of EPC */
	bool user_memory;
	bool xpc;
	bool iso;           /**< not an EPC: `attributes` is the application family (AFI) */
	uint8_t attributes; /**< hazardous material and the like */
};

static inline struct epc_pc epc_pc_read(uint16_t pc)
{
	return (struct epc_pc){
		.words = (uint8_t) (pc >> 11),
		.user_memory = pc & 0x400,
		.xpc = pc & 0x200,
		.iso = pc & 0x100,
		.attributes = (uint8_t) pc,
	};
}

enum epc_class {
	EPC_CLASS_GS1,       /**< decodes */
	EPC_CLASS_BROKEN,    /**< the header of a scheme, and bits that it does not allow */
	EPC_CLASS_OTHER_GS1, /**< a scheme of the standard that is not decoded here */
	EPC_CLASS_ISO,       /**< its PC word says that it is no EPC (library, airline, ...) */
	EPC_CLASS_TID,       /**< begins like a chip's own number (E0, E2): never programmed */
	EPC_CLASS_BLANK,     /**< empty or header 00 */
	EPC_CLASS_UNKNOWN,
	EPC_CLASS_COUNT
};

/** `pc` may be NULL when the reader did not report it. */
enum epc_class epc_classify(const struct epc *e, const uint16_t *pc);
/** In words. Never NULL. */
const char *epc_class_str(enum epc_class c);
