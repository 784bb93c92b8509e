/* SPDX-License-Identifier: Apache-2.0 */
/** @file AccessSpecs: kept, shown, and carried out on the tags that are read. */
#include "sim/reader_impl.h"

#include <errno.h>
#include <string.h>

#define ACCESSSPEC_STATE_OFFSET 11 /**< of the octet whose top bit is an AccessSpec's state */
#define STOP_AFTER_COUNT        1

static int accessspec_find(const struct sim_reader *r, uint32_t id)
{
	for (unsigned int i = 0; i < r->n_accessspecs; i++) {
		if (r->accessspecs[i].id == id)
			return (int) i;
	}
	return -ENOENT;
}

struct refusal accessspec_add(struct sim_reader *r, struct llrp_msg *m, const uint8_t *frame,
			      size_t len, bool *ret_taken)
{
	struct llrp_elem *e = llrp_find(llrp_root(m), LLRP_P_ACCESSSPEC);
	struct accessspec *a = &r->accessspecs[r->n_accessspecs];
	uint32_t id = (uint32_t) llrp_get(e, "AccessSpecID");

	if (id == 0 || accessspec_find(r, id) >= 0)
		return refuse_field(LLRP_P_ACCESSSPEC, 0, LLRP_A_INVALID,
				    "0, or the id of another AccessSpec");
	if (llrp_get(e, "CurrentState") != 0)
		return refuse_field(LLRP_P_ACCESSSPEC, 3, LLRP_A_INVALID,
				    "an AccessSpec is added in the disabled state");
	if (llrp_get(e, "AntennaID") > r->cfg.n_antennas)
		return refuse_field(LLRP_P_ACCESSSPEC, 1, LLRP_A_OUT_OF_RANGE, "no such antenna");
	if (r->n_accessspecs == READER_MAX_ACCESSSPECS ||
	    len - LLRP_HEADER_BYTES > READER_MAX_SPEC_BYTES)
		return (struct refusal){LLRP_M_OVERFLOW_PARAMETER, LLRP_P_ACCESSSPEC, -1, 0,
					"no room for another AccessSpec"};
	*a = (struct accessspec){.id = id, .msg = m, .elem = e, .raw_len = len - LLRP_HEADER_BYTES};
	a->raw = malloc(a->raw_len);
	if (!a->raw)
		return (struct refusal){LLRP_R_DEVICE_ERROR, 0, -1, 0, "out of memory"};
	memcpy(a->raw, frame + LLRP_HEADER_BYTES, a->raw_len);
	r->n_accessspecs++;
	*ret_taken = true;
	return (struct refusal){0};
}

static void accessspec_remove(struct sim_reader *r, unsigned int i)
{
	struct accessspec *a = &r->accessspecs[i];

	llrp_msg_free(a->msg);
	free(a->raw);
	r->n_accessspecs--;
	memmove(a, a + 1, (r->n_accessspecs - i) * sizeof *a);
}

struct refusal accessspec_change(struct sim_reader *r, uint16_t type, uint32_t id)
{
	if (id != 0 && accessspec_find(r, id) < 0)
		return refuse_field(0, 0, LLRP_A_INVALID, "no AccessSpec has that id");
	for (unsigned int i = r->n_accessspecs; i-- > 0;) {
		struct accessspec *a = &r->accessspecs[i];

		if (id != 0 && a->id != id)
			continue;
		if (type == LLRP_DELETE_ACCESSSPEC) {
			accessspec_remove(r, i);
			continue;
		}
		a->enabled = type == LLRP_ENABLE_ACCESSSPEC;
		if (a->raw_len > ACCESSSPEC_STATE_OFFSET)
			a->raw[ACCESSSPEC_STATE_OFFSET] = a->enabled ? 0x80 : 0;
	}
	return (struct refusal){0};
}

void accessspec_delete_all(struct sim_reader *r)
{
	(void) accessspec_change(r, LLRP_DELETE_ACCESSSPEC, 0);
}

/* --- which tag -------------------------------------------------------------------------------- */

static bool bit(const uint8_t *data, size_t i)
{
	return data[i / 8] >> (7 - i % 8) & 1;
}

/** Does the tag's memory have those bits there (or, without Match, not have them)? */
static bool target_fits(const struct sim_tag *tag, const struct llrp_elem *e)
{
	uint16_t words[SIM_TAG_EPC_WORDS + SIM_TAG_USER_WORDS], n;
	size_t mask_bits, data_bits, at = (size_t) llrp_get(e, "Pointer");
	const uint8_t *mask = llrp_get_bytes(e, "TagMask", &mask_bits);
	const uint8_t *data = llrp_get_bytes(e, "TagData", &data_bits);
	bool match = llrp_get(e, "Match") != 0;

	if (sim_tag_read(tag, 0, (uint8_t) llrp_get(e, "MB"), 0, 0, words, &n) != 0)
		return false;
	for (size_t i = 0; i < MIN(mask_bits, data_bits); i++) {
		size_t k = at + i;

		if (!bit(mask, i))
			continue;
		if (k >= n * 16u || (words[k / 16] >> (15 - k % 16) & 1) != bit(data, i))
			return !match;
	}
	return match;
}

static bool spec_fits(const struct sim_reader *r, const struct accessspec *a,
		      const struct sim_tag_read *read, const struct sim_tag *tag)
{
	uint64_t antenna = llrp_get(a->elem, "AntennaID"), rospec = llrp_get(a->elem, "ROSpecID");
	const struct llrp_elem *e =
		llrp_find(llrp_find(a->elem, LLRP_P_ACCESS_COMMAND), LLRP_P_C1G2_TAG_SPEC);

	if (!a->enabled || (antenna && antenna != read->antenna) || (rospec && rospec != r->active))
		return false;
	/* Two targets: both must fit. */
	for (e = llrp_find(e, LLRP_P_C1G2_TARGET_TAG); e; e = llrp_find_next(e)) {
		if (!target_fits(tag, e))
			return false;
	}
	return true;
}

/* --- what to do ------------------------------------------------------------------------------- */

static void put_result(struct buf *out, uint16_t type, uint8_t code, uint16_t op, uint16_t body)
{
	buf_put_u16be(out, type);
	buf_put_u16be(out, (uint16_t) (7 + body));
	buf_put_u8(out, code);
	buf_put_u16be(out, op);
}

static uint8_t do_read(const struct sim_tag *tag, const struct llrp_elem *e, struct buf *out)
{
	uint16_t words[SIM_TAG_EPC_WORDS + SIM_TAG_USER_WORDS], n;
	uint8_t code =
		sim_tag_read(tag, (uint32_t) llrp_get(e, "AccessPassword"),
			     (uint8_t) llrp_get(e, "MB"), (uint16_t) llrp_get(e, "WordPointer"),
			     (uint16_t) llrp_get(e, "WordCount"), words, &n);

	put_result(out, LLRP_P_C1G2_READ_RESULT, code, (uint16_t) llrp_get(e, "OpSpecID"),
		   (uint16_t) (2 + 2 * n));
	buf_put_u16be(out, n);
	for (uint16_t i = 0; i < n; i++)
		buf_put_u16be(out, words[i]);
	return code;
}

static uint8_t do_write(struct sim_tag *tag, const struct llrp_elem *e, struct buf *out)
{
	uint16_t words[SIM_TAG_EPC_WORDS + SIM_TAG_USER_WORDS], written;
	size_t n;
	uint8_t code;

	(void) llrp_get_bytes(e, "WriteData", &n);
	n = MIN(n, ARRAY_SIZE(words));
	for (size_t i = 0; i < n; i++)
		words[i] = (uint16_t) llrp_get_at(e, "WriteData", i);
	code = sim_tag_write(tag, (uint32_t) llrp_get(e, "AccessPassword"),
			     (uint8_t) llrp_get(e, "MB"), (uint16_t) llrp_get(e, "WordPointer"),
			     words, (uint16_t) n, &written);
	put_result(out, LLRP_P_C1G2_WRITE_RESULT, code, (uint16_t) llrp_get(e, "OpSpecID"), 2);
	buf_put_u16be(out, written);
	return code;
}

static uint8_t do_lock(struct sim_tag *tag, const struct llrp_elem *e, struct buf *out)
{
	const struct llrp_elem *p = llrp_find(e, LLRP_P_C1G2_LOCK_PAYLOAD);
	uint8_t code = 0;

	for (; p && code == 0; p = llrp_find_next(p))
		code = sim_tag_lock(tag, (uint32_t) llrp_get(e, "AccessPassword"),
				    (uint8_t) llrp_get(p, "DataField"),
				    (uint8_t) llrp_get(p, "Privilege"));
	put_result(out, LLRP_P_C1G2_LOCK_RESULT, code, (uint16_t) llrp_get(e, "OpSpecID"), 0);
	return code;
}

/** In order, until one fails; of those after it nothing is reported. */
static void carry_out(const struct accessspec *a, struct sim_tag *tag, struct buf *out)
{
	const struct llrp_elem *e = llrp_find(a->elem, LLRP_P_ACCESS_COMMAND);
	uint8_t code = 0;

	for (e = e->first; e && code == 0; e = e->next) {
		if (e->num == LLRP_P_C1G2_READ)
			code = do_read(tag, e, out);
		else if (e->num == LLRP_P_C1G2_WRITE)
			code = do_write(tag, e, out);
		else if (e->num == LLRP_P_C1G2_LOCK)
			code = do_lock(tag, e, out);
	}
}

/** Counts the operation; after so many the spec is gone (LLRP 1.0.1, 12.2.1.1). */
static void count_operation(struct sim_reader *r, unsigned int i)
{
	struct accessspec *a = &r->accessspecs[i];
	const struct llrp_elem *stop = llrp_find(a->elem, LLRP_P_ACCESSSPEC_STOP_TRIGGER);

	a->operations++;
	if (llrp_get(stop, "AccessSpecStopTriggerType") == STOP_AFTER_COUNT &&
	    a->operations >= llrp_get(stop, "OperationCountValue"))
		accessspec_remove(r, i);
}

bool accessspec_run(struct sim_reader *r, const struct sim_tag_read *read)
{
	_cleanup_buf_ struct buf results = BUF_INIT;
	struct sim_tag *tag;

	if (r->n_accessspecs == 0 || !r->tags)
		return false;
	tag = sim_tags_get(r->tags, read->epc);
	for (unsigned int i = 0; tag && i < r->n_accessspecs; i++) {
		struct sim_tag_read on_air = *read;
		struct epc epc;
		uint32_t id = r->accessspecs[i].id;

		if (!spec_fits(r, &r->accessspecs[i], read, tag))
			continue;
		/* The report names the tag as it was when it was singulated. */
		on_air.epc = sim_tags_on_air(r->tags, read->epc, &epc);
		carry_out(&r->accessspecs[i], tag, &results);
		count_operation(r, i);
		report_access(r, &on_air, id, &results);
		return true;
	}
	return false;
}
