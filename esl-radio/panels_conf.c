/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptions of label models: those built in, and those of a file that a person writes. */
#include "esl-radio/esl.h"
#include "esl-radio/pixels.h"

#include "common/conf.h"
#include "common/err.h"
#include "common/hex.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECTION "panel"
#define EACH    SECTION "*"

static const struct conf_row schema[] = {
	{EACH, "model", CONF_STR, "", 0, PIXEL_NAME_MAX - 1,
	 "Recognised by its Model Number String; a '*' at the end stands for any rest."},
	{EACH, "pnp", CONF_STR, "", 0, 32,
	 "Recognised by its PnP ID: bluetooth:VENDOR:PRODUCT or usb:VENDOR:PRODUCT in hex; "
	 "PRODUCT may be '*'."},
	{EACH, "object_type", CONF_STR, "", 0, 36,
	 "Recognised by the UUID that is the type of its image objects."},
	{EACH, "width", CONF_INT, "0", 0, IMAGE_MAX_SIDE,
	 "Only for displays of this width, as the label says it; 0 = any."},
	{EACH, "height", CONF_INT, "0", 0, IMAGE_MAX_SIDE, "And of this height."},
	{EACH, "display_type", CONF_INT, "0", 0, 255,
	 "Only for displays of this type: 1 black and white, 6 red, 7 yellow; 0 = any."},
	{EACH, "format", CONF_STR, "pixels", 1, 16,
	 "pixels: as the keys below say; canonical: Gondola's own form, for labels made for it."},
	{EACH, "rotate", CONF_INT, "0", 0, 270, "Turned clockwise by 0, 90, 180 or 270 degrees."},
	{EACH, "mirror", CONF_STR, "", 0, 2,
	 "Mirrored after that: x, y or xy; empty = not at all."},
	{EACH, "scan", CONF_STR, "rows", 1, 16, "Lines are rows, or columns."},
	{EACH, "bits", CONF_STR, "msb", 1, 8,
	 "The first pixel is in the highest bit of a byte (msb) or in the lowest (lsb)."},
	{EACH, "planes", CONF_STR, "black", 0, 64,
	 "One bit a pixel: planes in their order, of black, colour and white, a '!' before one "
	 "that "
	 "is inverted. Empty: packed, see pixel_bits."},
	{EACH, "pixel_bits", CONF_INT, "2", 1, 8, "Packed: bits a pixel, 1, 2, 4 or 8."},
	{EACH, "codes", CONF_STR, "1 0 2", 1, 32, "Packed: the codes of white, black and colour."},
	{EACH, "line_bits", CONF_INT, "8", 1, 32,
	 "Each line is filled up to a multiple of 1, 8, 16 or 32 bits."},
	{EACH, "pad", CONF_INT, "0", 0, 1, "With this bit."},
	{EACH, "header", CONF_STR, "", 0, 200,
	 "What comes before the pixels, in order: HEX bytes, width, height, length (of the pixels) "
	 "or stored (after compression), each number with :u8, :u16le, :u16be, :u32le or :u32be."},
	{EACH, "compress", CONF_STR, "none", 1, 16, "none, zlib, deflate or packbits."},
	{EACH, "window_bits", CONF_INT, "15", 9, 15,
	 "zlib, deflate: the label's window is so many bits."},
	{0},
};

struct pixel_table {
	size_t n;
	struct pixel_model models[PIXEL_MODELS_MAX];
};

/* --- built in --------------------------------------------------------------------------------- */

/** The two labels of gondola-sim, and Gondola's own form for whatever does not say otherwise. */
static const struct pixel_model built_in[] = {
	{.name = "gondola-sim rotated",
	 .has_type = true,
	 .type = {0x6c, 0x1b, 0x49, 0x02, 0x8d, 0x3e, 0x4f, 0x57, 0x9a, 0x60, 0x21, 0xc4, 0x5e,
		  0xa7, 0x90, 0x01},
	 .rotate = 90,
	 .n_planes = 1,
	 .plane = {PIXEL_BLACK},
	 .invert = {true},
	 .line_bits = 8,
	 .display_type = DISPLAY_BLACK_WHITE},
	{.name = "gondola-sim rotated, two planes",
	 .has_type = true,
	 .type = {0x6c, 0x1b, 0x49, 0x02, 0x8d, 0x3e, 0x4f, 0x57, 0x9a, 0x60, 0x21, 0xc4, 0x5e,
		  0xa7, 0x90, 0x01},
	 .rotate = 90,
	 .n_planes = 2,
	 .plane = {PIXEL_BLACK, PIXEL_COLOUR},
	 .invert = {true, true},
	 .line_bits = 8},
	{.name = "gondola-sim columns",
	 .model = "SIM-COLUMNS*",
	 .columns = true,
	 .lsb_first = true,
	 .n_planes = 2,
	 .plane = {PIXEL_COLOUR, PIXEL_BLACK},
	 .line_bits = 16,
	 .compression = PIXEL_ZLIB,
	 .window_bits = 10,
	 .n_header = 2,
	 .header = {{PIXEL_FIELD_BYTES_AS_IS, 2, false, {0x47, 0x43}},
		    {PIXEL_FIELD_LENGTH, 4, false, {0}}}},
	{.name = "canonical", .canonical = true},
};

/* --- the file --------------------------------------------------------------------------------- */

struct section {
	const char *file, *title;
	const struct conf *conf;
	char *why;
};

static bool begins_with_word(const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncmp(line, word, n) == 0 && !isalnum((unsigned char) line[n]) && line[n] != '_';
}

/** The line of a key in a section; the section's own where the key is not given. */
static unsigned int line_of(const struct section *s, const char *key)
{
	FILE *f = fopen(s->file, "re");
	char line[1024], title[PIXEL_NAME_MAX + 32];
	unsigned int n = 0, found = 0;
	bool inside = false;

	if (!f)
		return 0;
	snprintf(title, sizeof(title), "\"%.48s\"", s->title);
	while (fgets(line, sizeof(line), f)) {
		const char *at = line + strspn(line, " \t");

		n++;
		if (begins_with_word(at, "panel")) {
			if (inside)
				break;
			inside = strstr(at, title) || strstr(at, s->title);
			found = inside ? n : 0;
		}
		if (inside && begins_with_word(at, key)) {
			found = n;
			break;
		}
	}
	fclose(f);
	return found;
}

static int wrong(const struct section *s, const char *key, const char *what)
{
	snprintf(s->why, PIXEL_WHY_MAX, "%.90s:%u: panel \"%.32s\": %.16s: %.140s", s->file,
		 line_of(s, key), s->title, key, what);
	return -ERR_CONFIG;
}

static const char *text_of(const struct section *s, const char *key)
{
	return conf_str(s->conf, SECTION, s->title, key);
}

static int64_t number_of(const struct section *s, const char *key)
{
	return conf_int(s->conf, SECTION, s->title, key);
}

/** Which of a list of words a key has; negative if none of them. */
static int word_of(const struct section *s, const char *key, const char *const *words)
{
	const char *text = text_of(s, key);

	for (int i = 0; words[i]; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	return -1;
}

static int read_pnp(const struct section *s, struct pixel_model *m)
{
	const char *text = text_of(s, "pnp");
	char source[16], product[8];
	unsigned int vendor;
	uint8_t be[2];

	if (!text[0])
		return 0;
	if (sscanf(text, "%15[a-z]:%4x:%7s", source, &vendor, product) != 3 ||
	    (strcmp(source, "bluetooth") != 0 && strcmp(source, "usb") != 0))
		return wrong(s, "pnp", "must be bluetooth:VENDOR:PRODUCT or usb:VENDOR:PRODUCT");
	m->any_product = strcmp(product, "*") == 0;
	if (!m->any_product && hex_decode(product, be, sizeof(be)) < 0)
		return wrong(s, "pnp", "PRODUCT must be four hex digits or *");
	m->has_pnp = true;
	m->vendor_source = source[0] == 'b' ? 1 : 2;
	m->vendor = (uint16_t) vendor;
	m->product = m->any_product ? 0 : (uint16_t) (be[0] << 8 | be[1]);
	return 0;
}

static int read_type(const struct section *s, struct pixel_model *m)
{
	const char *text = text_of(s, "object_type");
	char digits[2 * PIXEL_UUID_BYTES + 1];
	size_t n = 0;

	if (!text[0])
		return 0;
	for (; *text && n < sizeof(digits) - 1; text++)
		if (*text != '-')
			digits[n++] = *text;
	digits[n] = '\0';
	if (*text || n != 2 * PIXEL_UUID_BYTES || hex_decode(digits, m->type, sizeof(m->type)) < 0)
		return wrong(s, "object_type", "must be a UUID of 128 bits");
	m->has_type = true;
	return 0;
}

static int read_planes(const struct section *s, struct pixel_model *m)
{
	static const char *const names[] = {
		[PIXEL_BLACK] = "black", [PIXEL_COLOUR] = "colour", [PIXEL_WHITE] = "white"};
	const char *at = text_of(s, "planes");

	while (*(at += strspn(at, " ,"))) {
		size_t len;
		unsigned int c = 0;

		if (m->n_planes == PIXEL_CHANNEL_COUNT)
			return wrong(s, "planes", "there are three channels at most");
		m->invert[m->n_planes] = *at == '!';
		at += *at == '!';
		len = strcspn(at, " ,");
		while (c < ARRAY_SIZE(names) &&
		       (strlen(names[c]) != len || strncmp(at, names[c], len) != 0))
			c++;
		if (c == ARRAY_SIZE(names))
			return wrong(s, "planes", "black, colour and white are all there is");
		m->plane[m->n_planes++] = (uint8_t) c;
		at += len;
	}
	return 0;
}

static int read_codes(const struct section *s, struct pixel_model *m)
{
	unsigned int white, black, colour;
	char rest;

	if (sscanf(text_of(s, "codes"), "%3u %3u %3u %c", &white, &black, &colour, &rest) != 3 ||
	    white > UINT8_MAX || black > UINT8_MAX || colour > UINT8_MAX)
		return wrong(s, "codes", "must be three numbers: white, black, colour");
	m->code[PIXEL_WHITE] = (uint8_t) white;
	m->code[PIXEL_BLACK] = (uint8_t) black;
	m->code[PIXEL_COLOUR] = (uint8_t) colour;
	return 0;
}

static bool read_field(const char *text, size_t len, struct pixel_field *ret)
{
	static const char *const kinds[] = {[PIXEL_FIELD_WIDTH] = "width:",
					    [PIXEL_FIELD_HEIGHT] = "height:",
					    [PIXEL_FIELD_LENGTH] = "length:",
					    [PIXEL_FIELD_STORED] = "stored:"};
	static const struct {
		const char *name;
		uint8_t bytes;
		bool big_endian;
	} forms[] = {{"u8", 1, false},
		     {"u16le", 2, false},
		     {"u16be", 2, true},
		     {"u32le", 4, false},
		     {"u32be", 4, true}};
	char word[2 * PIXEL_FIELD_BYTES + 1];

	*ret = (struct pixel_field){.kind = PIXEL_FIELD_BYTES_AS_IS};
	if (len == 0 || len >= sizeof(word))
		return false;
	memcpy(word, text, len);
	word[len] = '\0';
	for (unsigned int k = PIXEL_FIELD_WIDTH; k < ARRAY_SIZE(kinds); k++) {
		size_t head = strlen(kinds[k]);

		if (strncmp(word, kinds[k], head) != 0)
			continue;
		for (size_t f = 0; f < ARRAY_SIZE(forms); f++)
			if (strcmp(word + head, forms[f].name) == 0) {
				*ret = (struct pixel_field){.kind = (uint8_t) k,
							    .bytes = forms[f].bytes,
							    .big_endian = forms[f].big_endian};
				return true;
			}
		return false;
	}
	ret->bytes = (uint8_t) (len / 2);
	return len % 2 == 0 && hex_decode(word, ret->as_is, ret->bytes) >= 0;
}

static int read_header(const struct section *s, struct pixel_model *m)
{
	const char *at = text_of(s, "header");

	while (*(at += strspn(at, " ,"))) {
		size_t len = strcspn(at, " ,");

		if (m->n_header == PIXEL_HEADER_MAX)
			return wrong(s, "header", "too many fields");
		if (!read_field(at, len, &m->header[m->n_header]))
			return wrong(s, "header",
				     "a field must be up to 8 bytes in hex, or width, height, "
				     "length or stored with :u8, :u16le, :u16be, :u32le or :u32be");
		m->n_header++;
		at += len;
	}
	return 0;
}

static int read_words(const struct section *s, struct pixel_model *m)
{
	static const char *const formats[] = {"pixels", "canonical", NULL};
	static const char *const mirrors[] = {"", "x", "y", "xy", NULL};
	static const char *const scans[] = {"rows", "columns", NULL};
	static const char *const bits[] = {"msb", "lsb", NULL};
	static const char *const compressions[] = {"none", "zlib", "deflate", "packbits", NULL};
	int mirror = word_of(s, "mirror", mirrors),
	    compression = word_of(s, "compress", compressions);

	if (word_of(s, "format", formats) < 0)
		return wrong(s, "format", "must be pixels or canonical");
	if (mirror < 0)
		return wrong(s, "mirror", "must be x, y, xy or empty");
	if (word_of(s, "scan", scans) < 0)
		return wrong(s, "scan", "must be rows or columns");
	if (word_of(s, "bits", bits) < 0)
		return wrong(s, "bits", "must be msb or lsb");
	if (compression < 0)
		return wrong(s, "compress", "must be none, zlib, deflate or packbits");
	m->canonical = word_of(s, "format", formats) == 1;
	m->mirror_x = mirror & 1;
	m->mirror_y = mirror & 2;
	m->columns = word_of(s, "scan", scans) == 1;
	m->lsb_first = word_of(s, "bits", bits) == 1;
	m->compression = (uint8_t) compression;
	return 0;
}

static int read_model(const struct section *s, struct pixel_model *m)
{
	char what[PIXEL_WHY_MAX], key[16];
	size_t n;
	int r;

	*m = (struct pixel_model){
		.width = (uint16_t) number_of(s, "width"),
		.height = (uint16_t) number_of(s, "height"),
		.display_type = (uint8_t) number_of(s, "display_type"),
		.rotate = (uint16_t) number_of(s, "rotate"),
		.pixel_bits = (uint8_t) number_of(s, "pixel_bits"),
		.line_bits = (uint8_t) number_of(s, "line_bits"),
		.pad = number_of(s, "pad") != 0,
		.window_bits = (uint8_t) number_of(s, "window_bits"),
	};
	snprintf(m->name, sizeof(m->name), "%s", s->title);
	snprintf(m->model, sizeof(m->model), "%s", text_of(s, "model"));
	r = read_words(s, m);
	if (r == 0)
		r = read_pnp(s, m);
	if (r == 0)
		r = read_type(s, m);
	if (r == 0)
		r = read_planes(s, m);
	if (r == 0 && m->n_planes == 0)
		r = read_codes(s, m);
	if (r == 0)
		r = read_header(s, m);
	if (r < 0 || pixel_model_check(m, what) == 0)
		return r;
	n = strcspn(what, ":");
	snprintf(key, sizeof(key), "%.*s", (int) n, what);
	return wrong(s, key, what[n] ? what + n + 2 : what);
}

static int load_file(struct pixel_table *t, const char *file, char why[PIXEL_WHY_MAX])
{
	_cleanup_(conf_freep) struct conf *c = NULL;
	int r = conf_load(file, schema, why, PIXEL_WHY_MAX, &c);

	for (size_t i = 0; r >= 0 && i < conf_count(c, SECTION); i++) {
		struct section s = {
			.file = file, .title = conf_title(c, SECTION, i), .conf = c, .why = why};

		if (t->n + ARRAY_SIZE(built_in) == PIXEL_MODELS_MAX)
			r = wrong(&s, "panel", "too many panels");
		else
			r = read_model(&s, &t->models[t->n++]);
	}
	return r;
}

/* --- the table -------------------------------------------------------------------------------- */

int pixel_table_load(const char *file, char why[PIXEL_WHY_MAX], struct pixel_table **ret)
{
	struct pixel_table *t = calloc(1, sizeof(*t));
	int r = 0;

	why[0] = '\0';
	if (!t)
		return -ENOMEM;
	if (file && file[0])
		r = load_file(t, file, why);
	if (r < 0) {
		free(t);
		return r;
	}
	memcpy(&t->models[t->n], built_in, sizeof(built_in));
	t->n += ARRAY_SIZE(built_in);
	*ret = t;
	return 0;
}

int esl_panels_check(const char *file, char why[2 * ESL_TEXT_MAX])
{
	char text[PIXEL_WHY_MAX];
	struct pixel_table *t = NULL;
	int r = pixel_table_load(file, text, &t);

	pixel_table_free(t);
	if (r < 0)
		snprintf(why, 2 * ESL_TEXT_MAX, "%s", text[0] ? text : err_str(r));
	return r;
}

void pixel_table_free(struct pixel_table *t)
{
	free(t);
}

size_t pixel_table_count(const struct pixel_table *t)
{
	return t->n;
}

const struct pixel_model *pixel_table_at(const struct pixel_table *t, size_t i)
{
	return i < t->n ? &t->models[i] : NULL;
}

static bool model_fits(const char *pattern, const char *model)
{
	size_t n = strlen(pattern);

	if (n > 0 && pattern[n - 1] == '*')
		return strncmp(pattern, model, n - 1) == 0;
	return strcmp(pattern, model) == 0;
}

static bool fits(const struct pixel_model *m, const struct pixel_identity *id)
{
	return (!m->model[0] || (id->model[0] && model_fits(m->model, id->model))) &&
	       (!m->has_pnp ||
		(id->has_pnp && m->vendor_source == id->vendor_source && m->vendor == id->vendor &&
		 (m->any_product || m->product == id->product))) &&
	       (!m->has_type ||
		(id->has_type && memcmp(m->type, id->type, sizeof(m->type)) == 0)) &&
	       (!m->width || (m->width == id->width && m->height == id->height)) &&
	       (!m->display_type || m->display_type == id->display_type);
}

/** A type of the Bluetooth SIG's (16 bits on their base) names no maker's format. */
static bool is_vendors(const struct pixel_identity *id)
{
	static const uint8_t base[] = {0x00, 0x00, 0x10, 0x00, 0x80, 0x00,
				       0x00, 0x80, 0x5f, 0x9b, 0x34, 0xfb};

	return id->has_type && memcmp(id->type + 4, base, sizeof(base)) != 0;
}

int pixel_table_find(const struct pixel_table *t, const struct pixel_identity *id)
{
	size_t last = t->n - 1; /* Gondola's own form, without a condition */

	for (size_t i = 0; i < last; i++)
		if (fits(&t->models[i], id))
			return (int) i;
	return is_vendors(id) ? -ENOENT : (int) last;
}

int pixel_table_by_fingerprint(const struct pixel_table *t, uint32_t fingerprint)
{
	for (size_t i = 0; i < t->n; i++)
		if (pixel_fingerprint(&t->models[i]) == fingerprint)
			return (int) i;
	return -ENOENT;
}
