/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/tool/tool.h"

#include "common/err.h"
#include "common/hex.h"
#include <errno.h>
#include <string.h>

#define LINE_MAX_BYTES 256

int tool_key_parse(const char *hex, struct ead_key *ret)
{
	uint8_t wire[EAD_WIRE_KEY_BYTES];
	int r = strlen(hex) == 2 * sizeof(wire) ? hex_decode(hex, wire, sizeof(wire)) : -ERR_SYNTAX;

	if (r == 0)
		ead_key_from_wire(wire, ret);
	explicit_bzero(wire, sizeof(wire));
	return r;
}

static int add_label(struct tool_keys *k, unsigned int group, unsigned int id, const char *hex)
{
	struct tool_label_key *more, *l;
	int r;

	if (group > ESL_GROUP_MAX || id > ESL_ID_MAX)
		return -ERR_RANGE;
	if (k->n_labels == TOOL_KEYS_MAX)
		return -ERR_TOO_LARGE;
	more = reallocarray(k->labels, k->n_labels + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	k->labels = more;
	l = &more[k->n_labels];
	*l = (struct tool_label_key){.group = (uint8_t) group, .esl_id = (uint8_t) id};
	r = tool_key_parse(hex, &l->key);
	if (r == 0)
		k->n_labels++;
	return r;
}

static int take_line(struct tool_keys *k, const char *line)
{
	char hex[LINE_MAX_BYTES], rest[2];
	unsigned int group, id;

	if (strspn(line, " \t\r\n") == strlen(line) || line[strspn(line, " \t")] == '#')
		return 0;
	if (sscanf(line, " train %255s %1s", hex, rest) == 1) {
		int r = tool_key_parse(hex, &k->train);

		k->has_train = r == 0;
		return r;
	}
	if (sscanf(line, " label %u %u %255s %1s", &group, &id, hex, rest) == 3)
		return add_label(k, group, id, hex);
	return -ERR_SYNTAX;
}

int tool_keys_read(const char *path, struct tool_keys *ret)
{
	FILE *f = fopen(path, "re");
	char line[LINE_MAX_BYTES];
	size_t number = 0;
	int r = 0;

	*ret = (struct tool_keys){.n_labels = 0};
	if (!f) {
		r = -errno;
		tool_error("%s: %s", path, strerror(-r));
		return r;
	}
	while (r == 0 && fgets(line, sizeof(line), f)) {
		number++;
		r = strchr(line, '\n') || feof(f) ? take_line(ret, line) : -ERR_TOO_LARGE;
	}
	explicit_bzero(line, sizeof(line));
	if (r == 0 && ferror(f))
		r = -EIO;
	(void) fclose(f);
	if (r < 0) {
		tool_error("%s: line %zu: %s; wanted: train HEX, or label GROUP ID HEX, 48 "
			   "hexadecimal digits",
			   path, number, err_str(r));
		tool_keys_done(ret);
	}
	return r;
}

void tool_keys_done(struct tool_keys *k)
{
	if (k->labels)
		explicit_bzero(k->labels, k->n_labels * sizeof(*k->labels));
	free(k->labels);
	explicit_bzero(k, sizeof(*k));
}

const struct ead_key *tool_keys_of(const struct tool_keys *k, uint8_t group, uint8_t esl_id)
{
	for (size_t i = 0; i < k->n_labels; i++)
		if (k->labels[i].group == group && k->labels[i].esl_id == esl_id)
			return &k->labels[i].key;
	return NULL;
}
