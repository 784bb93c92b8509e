/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/tool/tool.h"

#include "common/err.h"
#include "common/hex.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 12

/* A command by its short name and the numbers that follow the label's. */
static const struct form {
	const char *name;
	uint8_t op;
	const char *args;
	int min, max;
} forms[] = {
	{"ping", ESL_OP_PING, "", 0, 0},
	{"unassociate", ESL_OP_UNASSOCIATE, "", 0, 0},
	{"service-reset", ESL_OP_SERVICE_RESET, "", 0, 0},
	{"factory-reset", ESL_OP_FACTORY_RESET, "", 0, 0},
	{"update-complete", ESL_OP_UPDATE_COMPLETE, "", 0, 0},
	{"sensor", ESL_OP_READ_SENSOR, "SENSOR", 1, 1},
	{"refresh", ESL_OP_REFRESH_DISPLAY, "DISPLAY", 1, 1},
	{"display", ESL_OP_DISPLAY_IMAGE, "DISPLAY IMAGE", 2, 2},
	{"timed", ESL_OP_DISPLAY_TIMED, "DISPLAY IMAGE TIME_MS", 3, 3},
	{"led", ESL_OP_LED_CONTROL, "LED COLOR PATTERN OFF ON REPEATS", 6, 6},
	{"led-timed", ESL_OP_LED_TIMED, "LED COLOR PATTERN OFF ON REPEATS TIME_MS", 7, 7},
	{"vendor", ESL_OP_VENDOR, "[HEX]", 0, 1},
};

/* --- to words --------------------------------------------------------------------------------- */

static void led_words(const struct esl_led_pattern *led, struct buf *b)
{
	char pattern[2 * ESL_LED_PATTERN + 1];
	unsigned int n = led->repeats >> 1;

	buf_printf(b, "brightness %u %%, red %u green %u blue %u, pattern %s, ",
		   25u * (1u + (led->color >> 6)), led->color & 3u, led->color >> 2 & 3u,
		   led->color >> 4 & 3u, hex_encode(led->pattern, ESL_LED_PATTERN, pattern));
	if (led->repeats == 0)
		buf_put_str(b, "off");
	else if (led->repeats == 1)
		buf_put_str(b, "steady on");
	else
		buf_printf(b, "%u ms off, %u ms on a bit, for %u %s", 2u * led->off_period,
			   2u * led->on_period, n, led->repeats & 1 ? "s" : "times");
}

static void raw_words(const uint8_t *raw, size_t len, struct buf *b)
{
	for (size_t i = 0; i < len; i++)
		buf_printf(b, "%s%02x", i ? "" : " ", raw[i]);
}

/* What a buffer holds, cut to the caller's room. */
static const char *settle(struct buf *b, char out[TOOL_WORDS_MAX])
{
	size_t n = buf_ok(b) ? MIN(b->len, (size_t) TOOL_WORDS_MAX - 1) : 0;

	if (n)
		memcpy(out, b->data, n);
	out[n] = '\0';
	buf_done(b);
	return out;
}

const char *tool_command_words(const struct esl_cmd *c, char out[TOOL_WORDS_MAX])
{
	struct buf b = BUF_INIT;

	buf_put_str(&b, esl_op_name(c->op));
	if (!esl_op_known(c->op))
		buf_printf(&b, " 0x%02x", c->op);
	if (c->esl_id == ESL_ID_BROADCAST)
		buf_put_str(&b, ", all labels of the group");
	else
		buf_printf(&b, ", label %u", c->esl_id);
	switch (c->op) {
	case ESL_OP_READ_SENSOR:
		buf_printf(&b, ": sensor %u", c->index);
		break;
	case ESL_OP_REFRESH_DISPLAY:
		buf_printf(&b, ": display %u", c->index);
		break;
	case ESL_OP_DISPLAY_IMAGE:
	case ESL_OP_DISPLAY_TIMED:
		buf_printf(&b, ": display %u, image %u", c->index, c->image);
		break;
	case ESL_OP_LED_CONTROL:
	case ESL_OP_LED_TIMED:
		buf_printf(&b, ": LED %u, ", c->index);
		led_words(&c->led, &b);
		break;
	default:
		raw_words(c->raw, c->raw_len, &b);
	}
	if (c->op == ESL_OP_DISPLAY_TIMED || c->op == ESL_OP_LED_TIMED) {
		if (c->abs_ms)
			buf_printf(&b, ", at %u ms", c->abs_ms);
		else
			buf_put_str(&b, ", take the pending one back");
	}
	return settle(&b, out);
}

static void basic_words(uint16_t basic, struct buf *b)
{
	static const struct {
		uint16_t bit;
		const char *text;
	} bits[] = {
		{ESL_STATE_SERVICE_NEEDED, "service needed"},
		{ESL_STATE_SYNCHRONIZED, "synchronized"},
		{ESL_STATE_ACTIVE_LED, "LED active"},
		{ESL_STATE_PENDING_LED, "LED change pending"},
		{ESL_STATE_PENDING_DISPLAY, "display change pending"},
	};
	const char *between = ": ";

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (basic & bits[i].bit) {
			buf_printf(b, "%s%s", between, bits[i].text);
			between = ", ";
		}
	if (basic >> 5)
		buf_printf(b, "%sreserved bits 0x%04x", between, basic & 0xffe0u);
	else if (basic == 0)
		buf_put_str(b, ": nothing set");
}

const char *tool_response_words(const struct esl_rsp *r, char out[TOOL_WORDS_MAX])
{
	struct buf b = BUF_INIT;

	buf_put_str(&b, esl_rsp_name(r->tag));
	switch (r->tag) {
	case ESL_RSP_ERROR:
		buf_printf(&b, " 0x%02x, %s: %s", r->error, esl_error_name(r->error),
			   esl_error_sentence(r->error));
		break;
	case ESL_RSP_LED_STATE:
		buf_printf(&b, ": LED %u", r->index);
		break;
	case ESL_RSP_BASIC_STATE:
		basic_words(r->basic, &b);
		break;
	case ESL_RSP_DISPLAY_STATE:
		buf_printf(&b, ": display %u shows image %u", r->index, r->image);
		break;
	case ESL_RSP_SENSOR_VALUE:
		buf_printf(&b, ": sensor %u,", r->index);
		raw_words(r->raw, r->raw_len, &b);
		break;
	default:
		if (r->tag != ESL_RSP_VENDOR)
			buf_printf(&b, " 0x%02x", r->tag);
		raw_words(r->raw, r->raw_len, &b);
	}
	return settle(&b, out);
}

/* --- from words ------------------------------------------------------------------------------- */

static int number(const char *word, const char *what, uint64_t max, uint64_t *ret,
		  char why[TOOL_WORDS_MAX])
{
	char *end;

	errno = 0;
	*ret = strtoull(word, &end, 0);
	if (*word < '0' || *word > '9' || *end || errno || *ret > max) {
		(void) snprintf(why, TOOL_WORDS_MAX,
				"\"%.40s\" is no number from 0 to %llu for the %s", word,
				(unsigned long long) max, what);
		return -ERR_SYNTAX;
	}
	return 0;
}

static int fill_led(struct esl_cmd *c, char **word, char why[TOOL_WORDS_MAX])
{
	uint64_t color = 0, off = 0, on = 0, repeats = 0;
	int r = number(word[0], "color", UINT8_MAX, &color, why);

	if (r == 0 && hex_decode(word[1], c->led.pattern, ESL_LED_PATTERN) < 0) {
		(void) snprintf(why, TOOL_WORDS_MAX,
				"\"%.40s\" is no pattern of 10 hexadecimal digits", word[1]);
		return -ERR_SYNTAX;
	}
	if (r == 0)
		r = number(word[2], "off period", UINT8_MAX, &off, why);
	if (r == 0)
		r = number(word[3], "on period", UINT8_MAX, &on, why);
	if (r == 0)
		r = number(word[4], "repeats", UINT16_MAX, &repeats, why);
	c->led.color = (uint8_t) color;
	c->led.off_period = (uint8_t) off;
	c->led.on_period = (uint8_t) on;
	c->led.repeats = (uint16_t) repeats;
	return r;
}

static int fill_vendor(struct esl_cmd *c, const char *hex, char why[TOOL_WORDS_MAX])
{
	size_t n = strlen(hex) / 2;

	if (n > ESL_VENDOR_MAX || hex_decode(hex, c->raw, n) < 0) {
		(void) snprintf(why, TOOL_WORDS_MAX,
				"vendor parameters are up to %d bytes in hexadecimal",
				ESL_VENDOR_MAX);
		return -ERR_SYNTAX;
	}
	c->raw_len = (uint8_t) n;
	c->op = (uint8_t) (n << 4 | ESL_OP_VENDOR);
	return 0;
}

/* `word` are the numbers after the label's. */
static int fill(struct esl_cmd *c, char **word, char why[TOOL_WORDS_MAX])
{
	uint64_t index = 0, image = 0, at = 0;
	int r = number(word[0], c->op == ESL_OP_READ_SENSOR ? "sensor" : "index", UINT8_MAX, &index,
		       why);

	c->index = (uint8_t) index;
	if (r < 0 || c->op == ESL_OP_READ_SENSOR || c->op == ESL_OP_REFRESH_DISPLAY)
		return r;
	if (c->op == ESL_OP_DISPLAY_IMAGE || c->op == ESL_OP_DISPLAY_TIMED)
		r = number(word[1], "image", UINT8_MAX, &image, why);
	else
		r = fill_led(c, word + 1, why);
	c->image = (uint8_t) image;
	if (r == 0 && c->op == ESL_OP_DISPLAY_TIMED)
		r = number(word[2], "time", UINT32_MAX, &at, why);
	if (r == 0 && c->op == ESL_OP_LED_TIMED)
		r = number(word[6], "time", UINT32_MAX, &at, why);
	c->abs_ms = (uint32_t) at;
	return r;
}

static const struct form *find_form(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (strcmp(forms[i].name, name) == 0)
			return &forms[i];
	return NULL;
}

static int parse_words(char **word, int n, struct esl_cmd *ret, char why[TOOL_WORDS_MAX])
{
	const struct form *f = n > 0 ? find_form(word[0]) : NULL;
	uint64_t id = ESL_ID_BROADCAST;
	int r = 0;

	if (!f) {
		(void) snprintf(why, TOOL_WORDS_MAX, "\"%.40s\" is no command",
				n > 0 ? word[0] : "");
		return -ERR_SYNTAX;
	}
	if (n - 2 < f->min || n - 2 > f->max) {
		(void) snprintf(why, TOOL_WORDS_MAX, "%s wants LABEL%s%s", f->name,
				*f->args ? " " : "", f->args);
		return -ERR_SYNTAX;
	}
	if (strcmp(word[1], "all") != 0)
		r = number(word[1], "label (or \"all\")", ESL_ID_MAX, &id, why);
	*ret = (struct esl_cmd){.op = f->op, .esl_id = (uint8_t) id};
	if (r < 0 || n == 2)
		return r;
	return f->op == ESL_OP_VENDOR ? fill_vendor(ret, word[2], why) : fill(ret, word + 2, why);
}

int tool_command_parse(const char *text, struct esl_cmd *ret, char why[TOOL_WORDS_MAX])
{
	_cleanup_free_ char *copy = strdup(text);
	char *word[WORDS_MAX], *rest = NULL;
	int n = 0;

	if (!copy)
		return -ENOMEM;
	for (char *w = strtok_r(copy, " \t", &rest); w && n < WORDS_MAX;
	     w = strtok_r(NULL, " \t", &rest))
		word[n++] = w;
	return parse_words(word, n, ret, why);
}

void tool_command_help(FILE *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		(void) fprintf(out, "    %s LABEL %s\n", forms[i].name, forms[i].args);
}
