/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/llrp_access.h"

#include "common/err.h"
#include <string.h>

#define PROTOCOL_C1G2     1
#define STOP_AFTER_COUNT  1
#define REPORT_AT_THE_END 1
#define EPC_BEGINS_AT_BIT 0x20
#define EPC_BEGINS_AT     2 /* words: after CRC and PC */
#define PC_AT             1
#define PC_LENGTH_SHIFT   11
#define WORD_BITS         16

/* --- asking ----------------------------------------------------------------------------------- */

static void add_target(struct llrp_elem *command, const struct epc *tag)
{
	struct llrp_elem *spec = llrp_add(command, LLRP_P_C1G2_TAG_SPEC);
	struct llrp_elem *e = llrp_add(spec, LLRP_P_C1G2_TARGET_TAG);
	uint8_t ones[EPC_MAX_BYTES];

	memset(ones, 0xff, sizeof(ones));
	llrp_set(e, "MB", RFID_BANK_EPC);
	llrp_set(e, "Match", 1);
	llrp_set(e, "Pointer", EPC_BEGINS_AT_BIT);
	llrp_set_bytes(e, "TagMask", ones, tag->bits);
	llrp_set_bytes(e, "TagData", tag->data, tag->bits);
}

static void add_op(struct llrp_elem *command, uint16_t id, uint32_t password,
		   const struct rfid_op *op)
{
	static const uint16_t types[] = {[RFID_OP_READ] = LLRP_P_C1G2_READ,
					 [RFID_OP_WRITE] = LLRP_P_C1G2_WRITE,
					 [RFID_OP_LOCK] = LLRP_P_C1G2_LOCK};
	struct llrp_elem *e = llrp_add(command, types[op->kind]);

	llrp_set(e, "OpSpecID", id);
	llrp_set(e, "AccessPassword", password);
	if (op->kind == RFID_OP_LOCK) {
		e = llrp_add(e, LLRP_P_C1G2_LOCK_PAYLOAD);
		llrp_set(e, "Privilege", op->how);
		llrp_set(e, "DataField", op->field);
		return;
	}
	llrp_set(e, "MB", op->bank);
	llrp_set(e, "WordPointer", op->pointer);
	if (op->kind == RFID_OP_READ)
		llrp_set(e, "WordCount", op->n_words);
	else
		llrp_set_u16v(e, "WriteData", op->words, op->n_words);
}

int llrp_access_add(struct buf *out, uint32_t id, uint32_t spec, const struct rfid_access *access)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	struct llrp_elem *root, *e;
	int r = llrp_msg_new(LLRP_ADD_ACCESSSPEC, id, &m);

	if (r < 0)
		return r;
	root = llrp_add(llrp_root(m), LLRP_P_ACCESSSPEC);
	llrp_set(root, "AccessSpecID", spec);
	llrp_set(root, "AntennaID", access->antenna);
	llrp_set(root, "ProtocolID", PROTOCOL_C1G2);
	e = llrp_add(root, LLRP_P_ACCESSSPEC_STOP_TRIGGER);
	llrp_set(e, "AccessSpecStopTriggerType", STOP_AFTER_COUNT);
	llrp_set(e, "OperationCountValue", 1);
	e = llrp_add(root, LLRP_P_ACCESS_COMMAND);
	add_target(e, &access->tag);
	for (size_t i = 0; i < access->n_ops; i++)
		add_op(e, (uint16_t) (i + 1), access->password, &access->ops[i]);
	e = llrp_add(root, LLRP_P_ACCESS_REPORT_SPEC);
	llrp_set(e, "AccessReportTrigger", REPORT_AT_THE_END);
	return llrp_msg_encode(m, out);
}

int rfid_access_write_epc(const struct epc *tag, const struct epc *now, struct rfid_access *ret)
{
	struct rfid_access a = {.tag = *tag, .n_ops = 1};
	struct rfid_op *op = &a.ops[0];
	bool longer = tag->bits != now->bits;
	size_t n = now->bits / WORD_BITS;

	if (tag->bits == 0 || now->bits == 0 || now->bits % WORD_BITS || n + 1 > RFID_MAX_WORDS)
		return -ERR_RANGE;
	op->kind = RFID_OP_WRITE;
	op->bank = RFID_BANK_EPC;
	op->pointer = longer ? PC_AT : EPC_BEGINS_AT;
	if (longer)
		op->words[op->n_words++] = (uint16_t) (n << PC_LENGTH_SHIFT);
	for (size_t i = 0; i < n; i++)
		op->words[op->n_words++] =
			(uint16_t) (now->data[2 * i] << 8 | now->data[2 * i + 1]);
	*ret = a;
	return 0;
}

/* --- results ---------------------------------------------------------------------------------- */

static const char *result_words(enum rfid_op_kind kind, uint64_t code)
{
	static const char *const read[] = {
		"done",
		"the tag refuses",
		"the tag did not answer",
		"the reader failed",
		"beyond the tag's memory",
		"the memory is locked",
	};
	static const char *const write[] = {
		"done",
		"beyond the tag's memory",
		"the memory is locked",
		"too little power reaches the tag",
		"the tag refuses",
		"the tag did not answer",
		"the reader failed",
	};
	static const char *const lock[] = {
		"done",
		"too little power reaches the tag",
		"the tag refuses",
		"the tag did not answer",
		"the reader failed",
	};

	if (kind == RFID_OP_READ && code < ARRAY_SIZE(read))
		return read[code];
	if (kind == RFID_OP_WRITE && code < ARRAY_SIZE(write))
		return write[code];
	if (kind == RFID_OP_LOCK && code < ARRAY_SIZE(lock))
		return lock[code];
	return "an unlisted result";
}

static void take_op(const struct llrp_elem *e, const struct rfid_access *access,
		    struct rfid_access_result *ret)
{
	static const uint16_t types[] = {[RFID_OP_READ] = LLRP_P_C1G2_READ_RESULT,
					 [RFID_OP_WRITE] = LLRP_P_C1G2_WRITE_RESULT,
					 [RFID_OP_LOCK] = LLRP_P_C1G2_LOCK_RESULT};
	size_t i = (size_t) llrp_get(e, "OpSpecID") - 1, n = 0;
	struct rfid_op_result *op;

	if (i >= access->n_ops || e->num != types[access->ops[i].kind])
		return;
	op = &ret->ops[i];
	op->done = true;
	op->code = (uint8_t) llrp_get(e, "Result");
	op->words_of = result_words(access->ops[i].kind, op->code);
	if (access->ops[i].kind == RFID_OP_WRITE)
		op->n_words = (uint16_t) llrp_get(e, "NumWordsWritten");
	if (access->ops[i].kind != RFID_OP_READ)
		return;
	(void) llrp_get_bytes(e, "ReadData", &n);
	op->n_words = (uint16_t) MIN(n, (size_t) RFID_MAX_WORDS);
	for (size_t k = 0; k < op->n_words; k++)
		op->words[k] = (uint16_t) llrp_get_at(e, "ReadData", k);
}

static bool is_result(const struct llrp_elem *e)
{
	return e->type && (e->num == LLRP_P_C1G2_READ_RESULT ||
			   e->num == LLRP_P_C1G2_WRITE_RESULT || e->num == LLRP_P_C1G2_LOCK_RESULT);
}

static void take_tag(const struct llrp_elem *tag, struct rfid_access_result *ret)
{
	const struct llrp_elem *e = llrp_find(tag, LLRP_P_EPC_96);
	size_t bits = 96;
	const uint8_t *data;

	if (e) {
		data = llrp_get_bytes(e, "EPC", &(size_t){0});
	} else {
		e = llrp_find(tag, LLRP_P_EPC_DATA);
		data = llrp_get_bytes(e, "EPC", &bits);
	}
	if (!data || epc_set(&ret->tag, data, bits) < 0)
		ret->tag = (struct epc){0};
	ret->antenna = (uint16_t) llrp_get(llrp_find(tag, LLRP_P_ANTENNA_ID), "AntennaID");
}

bool llrp_access_take(struct llrp_msg *report, uint32_t spec, const struct rfid_access *access,
		      struct rfid_access_result *ret)
{
	const struct llrp_elem *tag = llrp_find(llrp_root(report), LLRP_P_TAG_REPORT_DATA);

	for (; tag; tag = llrp_find_next(tag)) {
		const struct llrp_elem *id = llrp_find(tag, LLRP_P_ACCESSSPEC_ID);
		bool found = false;

		if (id && llrp_get(id, "AccessSpecID") != spec)
			continue;
		*ret = (struct rfid_access_result){.n = access->n_ops};
		for (size_t i = 0; i < ret->n; i++)
			ret->ops[i].words_of = "not reached";
		for (const struct llrp_elem *e = tag->first; e; e = e->next) {
			if (!is_result(e))
				continue;
			take_op(e, access, ret);
			found = true;
		}
		if (found) {
			take_tag(tag, ret);
			return true;
		}
	}
	return false;
}
