/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/tool/tool.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

int tool_payload_open(const struct ead_key *key, const uint8_t *ad, size_t len,
		      struct tool_payload *ret)
{
	uint8_t plain[256];
	const uint8_t *body;
	size_t n;
	int r;

	*ret = (struct tool_payload){.encrypted = len > 1 && ad[1] == EAD_AD_TYPE};
	if (ret->encrypted) {
		if (!key)
			return -EACCES;
		r = ead_open(key, ad, len, plain, sizeof(plain));
		if (r < 0)
			return r;
		ad = plain;
		len = (size_t) r;
	}
	r = esl_ad_find(ad, len, &body, &n);
	if (r < 0)
		return r;
	memcpy(ret->plain, body, n);
	ret->len = n;
	return 0;
}

static int say_where(FILE *out, const char *indent, const struct wire *w)
{
	if (wire_ok(w))
		return 0;
	(void) fprintf(out, "%smalformed at byte %zu of %zu: a command or response is cut short\n",
		       indent, w->at, w->len);
	return -ERR_BADMSG;
}

int tool_print_packet(FILE *out, const char *indent, const struct tool_payload *p, uint8_t *ids,
		      size_t *ret_n)
{
	char text[TOOL_WORDS_MAX];
	uint8_t group;
	struct wire w;

	*ret_n = 0;
	wire_init(&w, p->plain, p->len);
	group = wire_get_u8(&w);
	if (!wire_ok(&w))
		return say_where(out, indent, &w);
	(void) fprintf(out, "%sgroup %u%s\n", indent, group & ESL_GROUP_MAX,
		       group > ESL_GROUP_MAX ? " (reserved bit set)" : "");
	while (wire_left(&w)) {
		struct esl_cmd c;

		esl_cmd_decode(&w, &c);
		if (!wire_ok(&w))
			break;
		ids[*ret_n] = c.esl_id;
		(void) fprintf(out, "%s  slot %zu  %s\n", indent, (*ret_n)++,
			       tool_command_words(&c, text));
	}
	return say_where(out, indent, &w);
}

int tool_print_responses(FILE *out, const char *indent, const struct tool_payload *p)
{
	char text[TOOL_WORDS_MAX];
	struct wire w;

	wire_init(&w, p->plain, p->len);
	while (wire_left(&w)) {
		struct esl_rsp r;

		esl_rsp_decode(&w, &r);
		if (!wire_ok(&w))
			break;
		(void) fprintf(out, "%s%s\n", indent, tool_response_words(&r, text));
	}
	return say_where(out, indent, &w);
}
