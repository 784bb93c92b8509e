/* SPDX-License-Identifier: Apache-2.0 */
/** @file Operations on a tag: from the command line, and what became of them in words. */
#include "rfid/tool/tool.h"

#include "common/err.h"
#include "common/hex.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>

static const char *const banks[RFID_BANK_COUNT] = {"reserved", "epc", "tid", "user"};
static const char *const fields[RFID_LOCK_FIELD_COUNT] = {"kill-password", "access-password", "epc",
							  "tid", "user"};
static const char *const hows[RFID_LOCK_HOW_COUNT] = {"password", "forever", "open-forever",
						      "open"};

/** The name before a ':' or the end; its index, and the rest behind the colon (or NULL). */
static int name_of(const char *text, const char *const *names, size_t n, const char **ret_rest)
{
	size_t len = strcspn(text, ":");

	*ret_rest = text[len] ? text + len + 1 : NULL;
	for (size_t i = 0; i < n; i++)
		if (strlen(names[i]) == len && strncmp(names[i], text, len) == 0)
			return (int) i;
	return -ENOENT;
}

static bool number(const char *text, const char **ret_rest, uint16_t *ret)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	*ret_rest = *end ? end + 1 : NULL;
	*ret = (uint16_t) v;
	return isdigit((unsigned char) *text) && v <= UINT16_MAX && (*end == 0 || *end == ':');
}

static bool take_words(struct rfid_op *op, const char *hex)
{
	uint8_t bytes[2 * RFID_MAX_WORDS];
	size_t n = strlen(hex) / 2;

	if (n == 0 || n % 2 || n > sizeof(bytes) || hex_decode(hex, bytes, n) < 0)
		return false;
	op->n_words = (uint16_t) (n / 2);
	for (size_t i = 0; i < op->n_words; i++)
		op->words[i] = (uint16_t) (bytes[2 * i] << 8 | bytes[2 * i + 1]);
	return true;
}

/** BANK[:POINTER[:WORDS]] */
static bool take_read(struct rfid_op *op, const char *text)
{
	const char *rest;
	int bank = name_of(text, banks, RFID_BANK_COUNT, &rest);

	op->kind = RFID_OP_READ;
	op->bank = (enum rfid_bank) MAX(bank, 0);
	if (bank < 0 || (rest && !number(rest, &rest, &op->pointer)))
		return false;
	return !rest || (number(rest, &rest, &op->n_words) && !rest);
}

/** BANK:POINTER:HEX */
static bool take_write(struct rfid_op *op, const char *text)
{
	const char *rest;
	int bank = name_of(text, banks, RFID_BANK_COUNT, &rest);

	op->kind = RFID_OP_WRITE;
	op->bank = (enum rfid_bank) MAX(bank, 0);
	return bank >= 0 && rest && number(rest, &rest, &op->pointer) && rest &&
	       take_words(op, rest);
}

/** FIELD:HOW */
static bool take_lock(struct rfid_op *op, const char *text)
{
	const char *rest, *none;
	int field = name_of(text, fields, RFID_LOCK_FIELD_COUNT, &rest), how;

	if (field < 0 || !rest)
		return false;
	how = name_of(rest, hows, RFID_LOCK_HOW_COUNT, &none);
	op->kind = RFID_OP_LOCK;
	op->field = (enum rfid_lock_field) field;
	op->how = (enum rfid_lock_how) MAX(how, 0);
	return how >= 0 && !none;
}

static int take_new_epc(struct rfid_access *a, const char *text)
{
	struct rfid_access write;
	struct epc now;

	if (epc_from_hex(text, &now) < 0)
		return tool_usage_error("--new-epc: \"%s\" is no EPC in hexadecimal", text);
	if (rfid_access_write_epc(&a->tag, &now, &write) < 0)
		return tool_usage_error("--new-epc wants --epc before it, and whole words");
	a->ops[a->n_ops++] = write.ops[0];
	return TOOL_OK;
}

int tool_tag_option(struct rfid_access *a, int opt, const char *text)
{
	uint8_t password[4];

	if (opt == 'e')
		return epc_from_hex(text, &a->tag) < 0
			       ? tool_usage_error("--epc: \"%s\" is no EPC in hexadecimal", text)
			       : TOOL_OK;
	if (opt == 'w' + 256) {
		if (hex_decode(text, password, sizeof(password)) < 0)
			return tool_usage_error("--password: eight hexadecimal digits");
		a->password = (uint32_t) password[0] << 24 | (uint32_t) password[1] << 16 |
			      (uint32_t) password[2] << 8 | password[3];
		return TOOL_OK;
	}
	if (a->n_ops == RFID_MAX_OPS)
		return tool_usage_error("tag: at most %d operations", RFID_MAX_OPS);
	if (opt == 'N')
		return take_new_epc(a, text);
	if (opt == 'R'   ? take_read(&a->ops[a->n_ops], text)
	    : opt == 'W' ? take_write(&a->ops[a->n_ops], text)
			 : take_lock(&a->ops[a->n_ops], text)) {
		a->n_ops++;
		return TOOL_OK;
	}
	return tool_usage_error(opt == 'R'   ? "--read: BANK, BANK:POINTER or BANK:POINTER:WORDS"
				: opt == 'W' ? "--write: BANK:POINTER:HEX"
					     : "--lock: FIELD:HOW");
}

static void print_op(const struct rfid_op *op, const struct rfid_op_result *r)
{
	switch (op->kind) {
	case RFID_OP_READ:
		printf("read %s from word %u:", banks[op->bank], op->pointer);
		if (r->code == 0 && r->done) {
			putchar(' ');
			for (size_t i = 0; i < r->n_words; i++)
				printf("%04x", r->words[i]);
			putchar('\n');
			return;
		}
		break;
	case RFID_OP_WRITE:
		printf("write %s from word %u, %u of %u words:", banks[op->bank], op->pointer,
		       r->n_words, op->n_words);
		break;
	case RFID_OP_LOCK:
		printf("lock %s, %s:", fields[op->field], hows[op->how]);
		break;
	}
	printf(" %s\n", r->words_of);
}

int tool_tag_print(const struct rfid_access *a, const struct rfid_access_result *result)
{
	char hex[EPC_HEX_MAX];
	int err = 0;

	if (result->err < 0) {
		tool_error("%s", result->text);
		return result->err;
	}
	printf("tag %s antenna %u\n", epc_to_hex(&result->tag, hex), result->antenna);
	for (size_t i = 0; i < result->n; i++) {
		print_op(&a->ops[i], &result->ops[i]);
		if (!result->ops[i].done || result->ops[i].code != 0)
			err = -EIO;
	}
	return err;
}
