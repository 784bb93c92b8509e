/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "common/gtin.h"
#include "controller/tags/tags.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS   16
#define SERIAL_MAX  ((INT64_C(1) << 38) - 1)
#define TIMEOUT_MAX 600

static const char *const kinds[] = {NULL, "read", "write-epc", "lock"};
static const char *const states[] = {"pending", "running", "done", "failed", "unknown"};
static const char *const banks[] = {"reserved", "epc", "tid", "user"};
static const char *const fields[] = {"kill-password", "access-password", "epc", "tid", "user"};
static const char *const hows[] = {"with-password", "for-ever", "never", "unlock"};

const char *tag_kind_name(unsigned int kind)
{
	return kind < ARRAY_SIZE(kinds) && kinds[kind] ? kinds[kind] : "";
}

const char *tag_state_name(unsigned int state)
{
	return state < ARRAY_SIZE(states) ? states[state] : "unknown";
}

const char *const *tag_bank_names(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(banks);
	return banks;
}

const char *const *tag_field_names(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(fields);
	return fields;
}

const char *const *tag_how_names(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(hows);
	return hows;
}

/* --- one field after the other; the first that is wrong is told --------------------------------
 */

struct asking {
	const json_t *body;
	const char *wrong; /* name of the field */
	const char *why;
};

static void fail(struct asking *a, const char *field, const char *why)
{
	if (!a->wrong) {
		a->wrong = field;
		a->why = why;
	}
}

static const json_t *value(const struct asking *a, const char *field)
{
	const json_t *v = json_object_get(a->body, field);

	return json_is_null(v) ? NULL : v;
}

static int64_t number(struct asking *a, const char *field, int64_t def, int64_t min, int64_t max)
{
	const json_t *v = value(a, field);

	if (!v)
		return def;
	if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max) {
		fail(a, field, "is no number, or out of range");
		return def;
	}
	return json_integer_value(v);
}

static int word(struct asking *a, const char *field, const char *const *names, size_t n, int def)
{
	const json_t *v = value(a, field);
	const char *text = json_string_value(v);

	for (size_t i = 0; text && i < n; i++)
		if (names[i] && !strcmp(names[i], text))
			return (int) i;
	if (v || def < 0)
		fail(a, field, "is none of the words it may be");
	return MAX(def, 0);
}

static void epc_of(struct asking *a, const char *field, struct epc *ret)
{
	const json_t *v = value(a, field);
	const char *text = json_string_value(v);

	if (!v)
		return;
	if (!text || strlen(text) >= EPC_HEX_MAX || epc_from_hex(text, ret) < 0 || ret->bits == 0 ||
	    ret->bits % WORD_BITS)
		fail(a, field, "is no EPC: hexadecimal, four digits for each word of the tag");
}

static uint32_t password_of(struct asking *a)
{
	const json_t *v = value(a, "password");
	const char *text = json_string_value(v);

	if (!v)
		return 0;
	if (!text || strlen(text) != 8 || strspn(text, "0123456789abcdefABCDEF") != 8) {
		fail(a, "password", "has eight hexadecimal digits");
		return 0;
	}
	return (uint32_t) strtoul(text, NULL, 16);
}

/* --- what each kind needs ----------------------------------------------------------------------
 */

static void read_gtin(struct asking *a, struct tag_ask *ask)
{
	const json_t *v = value(a, "gtin");
	const char *text = json_string_value(v);

	if (!v)
		return;
	if (!text || gtin_parse(text, strlen(text), &ask->gtin) < 0 || ask->gtin == 0)
		fail(a, "gtin", "is no GTIN, or its check digit is wrong");
	ask->serial = (uint64_t) number(a, "serial", 0, 1, SERIAL_MAX);
	ask->prefix_digits = (unsigned int) number(a, "prefix_digits", 0, 6, 12);
}

static void read_write(struct asking *a, struct tag_ask *ask)
{
	epc_of(a, "new_epc", &ask->op.epc);
	read_gtin(a, ask);
	ask->again = json_is_true(value(a, "again"));
	if (!ask->gtin == !ask->op.epc.bits)
		fail(a, "new_epc", "or gtin is needed, and not both");
	if (ask->op.epc.bits / WORD_BITS + 1 > PROTO_MAX_OPERATION_WORDS)
		fail(a, "new_epc", "is too long");
}

static void read_read(struct asking *a, struct tag_ask *ask)
{
	static const int64_t usual[] = {4, 8, 6, 4};

	ask->op.bank = (uint8_t) word(a, "bank", banks, ARRAY_SIZE(banks), 2);
	ask->op.pointer = (uint16_t) number(a, "pointer", 0, 0, UINT16_MAX);
	ask->op.n_words =
		(uint16_t) number(a, "words", usual[ask->op.bank], 1, PROTO_MAX_OPERATION_WORDS);
}

static void read_lock(struct asking *a, struct tag_ask *ask)
{
	ask->op.field = (uint8_t) word(a, "field", fields, ARRAY_SIZE(fields), -1);
	ask->op.how = (uint8_t) word(a, "how", hows, ARRAY_SIZE(hows), -1);
	if (!ask->op.tag.bits)
		fail(a, "epc", "is needed: a lock may be for ever");
}

bool tag_ask_read(struct http_request *rq, struct app *app, const json_t *body, struct tag_ask *ret)
{
	struct asking a = {.body = body};
	const char *reader = json_string_value(value(&a, "reader"));

	memset(ret, 0, sizeof(*ret));
	ret->agent_id = number(&a, "agent_id", 0, 1, INT64_MAX);
	if (!ret->agent_id)
		fail(&a, "agent_id", "is needed");
	if (!reader || !*reader || strlen(reader) >= PROTO_NAME_MAX)
		fail(&a, "reader", "is needed: its name");
	else
		snprintf(ret->op.reader, sizeof(ret->op.reader), "%s", reader);
	ret->op.antenna = (uint16_t) number(&a, "antenna", 0, 1, PROTO_MAX_ANTENNAS);
	epc_of(&a, "epc", &ret->op.tag);
	ret->op.kind = (uint8_t) word(&a, "kind", kinds, ARRAY_SIZE(kinds), -1);
	ret->op.password = password_of(&a);
	ret->timeout_us = number(&a, "timeout_s", TAGS_TIMEOUT_S, 5, TIMEOUT_MAX) * US_PER_SEC;
	if (ret->op.kind == OPERATION_WRITE_EPC)
		read_write(&a, ret);
	else if (ret->op.kind == OPERATION_READ)
		read_read(&a, ret);
	else if (ret->op.kind == OPERATION_LOCK)
		read_lock(&a, ret);
	(void) app;
	if (a.wrong)
		http_problem(rq, 422, "bad-operation", "`%s` %s.", a.wrong, a.why);
	return !a.wrong;
}
