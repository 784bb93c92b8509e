/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/esl_wire.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

/** Parameters a command may have, in wire order. */
enum field {
	F_END,
	F_INDEX, /**< sensor, display or LED */
	F_IMAGE,
	F_LED,
	F_TIME,
};

static const struct op_row {
	uint8_t op;
	const char *name;
	enum field fields[4];
	int answer; /**< first byte of the response, or -1 */
} ops[] = {
	{ESL_OP_PING, "Ping", {F_END}, ESL_RSP_BASIC_STATE},
	{ESL_OP_UNASSOCIATE, "Unassociate", {F_END}, ESL_RSP_BASIC_STATE},
	{ESL_OP_SERVICE_RESET, "Service Reset", {F_END}, ESL_RSP_BASIC_STATE},
	{ESL_OP_FACTORY_RESET, "Factory Reset", {F_END}, -1},
	{ESL_OP_UPDATE_COMPLETE, "Update Complete", {F_END}, -1},
	{ESL_OP_READ_SENSOR, "Read Sensor Data", {F_INDEX}, ESL_RSP_SENSOR_VALUE},
	{ESL_OP_REFRESH_DISPLAY, "Refresh Display", {F_INDEX}, ESL_RSP_DISPLAY_STATE},
	{ESL_OP_DISPLAY_IMAGE, "Display Image", {F_INDEX, F_IMAGE}, ESL_RSP_DISPLAY_STATE},
	{ESL_OP_DISPLAY_TIMED,
	 "Display Timed Image",
	 {F_INDEX, F_IMAGE, F_TIME},
	 ESL_RSP_DISPLAY_STATE},
	{ESL_OP_LED_CONTROL, "LED Control", {F_INDEX, F_LED}, ESL_RSP_LED_STATE},
	{ESL_OP_LED_TIMED, "LED Timed Control", {F_INDEX, F_LED, F_TIME}, ESL_RSP_LED_STATE},
};

static const struct op_row vendor_row = {ESL_OP_VENDOR, "vendor command", {F_END}, ESL_RSP_VENDOR};

static const struct error_row {
	uint8_t code;
	const char *name;
	const char *sentence;
} errors[] = {
	{ESL_ERR_UNSPECIFIED, "Unspecified", "The label reported a fault without saying which."},
	{ESL_ERR_INVALID_OPCODE, "Invalid Opcode", "The label does not know this command."},
	{ESL_ERR_INVALID_STATE, "Invalid State", "The label cannot do this in its present state."},
	{ESL_ERR_INVALID_IMAGE_INDEX, "Invalid Image Index",
	 "The label has no such image memory; its picture is sent again."},
	{ESL_ERR_IMAGE_NOT_AVAILABLE, "Image Not Available",
	 "The label has lost the stored picture; it is sent again."},
	{ESL_ERR_INVALID_PARAMETER, "Invalid Parameter(s)",
	 "The label refused a value in the command."},
	{ESL_ERR_CAPACITY, "Capacity Limit",
	 "The label had more to answer than fits in one reply."},
	{ESL_ERR_BATTERY, "Insufficient Battery",
	 "The label's battery is too low to change its display; replace the battery."},
	{ESL_ERR_RESOURCES, "Insufficient Resources",
	 "The label is out of memory for this command."},
	{ESL_ERR_RETRY, "Retry", "The label is busy and asked to be told again."},
	{ESL_ERR_QUEUE_FULL, "Queue Full",
	 "The label still holds another timed change, which is taken back first."},
	{ESL_ERR_IMPLAUSIBLE_TIME, "Implausible Absolute Time",
	 "The label's clock does not agree with the time of the change; its clock is set again."},
};

static const char *const state_names[ESL_LABEL_STATE_COUNT] = {
	"unassociated", "configuring", "synchronized", "updating", "unsynchronized",
};

static const struct op_row *find_op(uint8_t op)
{
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (ops[i].op == op)
			return &ops[i];
	return (op & 0x0f) == ESL_OP_VENDOR ? &vendor_row : NULL;
}

bool esl_op_known(uint8_t op)
{
	return find_op(op) != NULL;
}

const char *esl_op_name(uint8_t op)
{
	const struct op_row *row = find_op(op);

	return row ? row->name : "unknown command";
}

int esl_op_answer(uint8_t op)
{
	const struct op_row *row = find_op(op);

	return row ? row->answer : -ENOENT;
}

const char *esl_rsp_name(uint8_t tag)
{
	switch (tag) {
	case ESL_RSP_ERROR:
		return "Error";
	case ESL_RSP_LED_STATE:
		return "LED State";
	case ESL_RSP_BASIC_STATE:
		return "Basic State";
	case ESL_RSP_DISPLAY_STATE:
		return "Display State";
	}
	if ((tag & 0x0f) == ESL_RSP_SENSOR_VALUE)
		return "Sensor Value";
	return (tag & 0x0f) == ESL_RSP_VENDOR ? "vendor response" : "unknown response";
}

static const struct error_row *find_error(uint8_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].code == code)
			return &errors[i];
	return NULL;
}

const char *esl_error_name(uint8_t error)
{
	const struct error_row *row = find_error(error);

	if (row)
		return row->name;
	return error >= ESL_ERR_VENDOR_FIRST ? "vendor error" : "unknown error";
}

const char *esl_error_sentence(uint8_t error)
{
	const struct error_row *row = find_error(error);

	return row ? row->sentence : "The label reported an error this version does not know.";
}

const char *esl_label_state_name(enum esl_label_state s)
{
	return (unsigned int) s < ESL_LABEL_STATE_COUNT ? state_names[s] : "unknown";
}

/* --- commands --------------------------------------------------------------------------------- */

static uint8_t *put_u32le(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		*p++ = (uint8_t) (v >> 8 * i);
	return p;
}

static uint8_t *put_led(uint8_t *p, const struct esl_led_pattern *led)
{
	*p++ = led->color;
	memcpy(p, led->pattern, ESL_LED_PATTERN);
	p += ESL_LED_PATTERN;
	*p++ = led->off_period;
	*p++ = led->on_period;
	*p++ = (uint8_t) led->repeats;
	*p++ = (uint8_t) (led->repeats >> 8);
	return p;
}

static void get_led(struct wire *w, struct esl_led_pattern *ret)
{
	ret->color = wire_get_u8(w);
	wire_copy(w, ret->pattern, ESL_LED_PATTERN);
	ret->off_period = wire_get_u8(w);
	ret->on_period = wire_get_u8(w);
	ret->repeats = wire_get_u16le(w);
}

int esl_cmd_encode(const struct esl_cmd *c, uint8_t *out, size_t cap)
{
	const struct op_row *row = find_op(c->op);
	uint8_t tlv[ESL_TLV_MAX];
	uint8_t *p = tlv;

	if (!row)
		return -ERR_RANGE;
	if (esl_tlv_len(c->op) > cap)
		return -ENOBUFS;
	*p++ = c->op;
	*p++ = c->esl_id;
	if (row == &vendor_row) {
		memcpy(p, c->raw, c->op >> 4);
		p += c->op >> 4;
	}
	for (const enum field *f = row->fields; *f != F_END; f++) {
		switch (*f) {
		case F_INDEX:
			*p++ = c->index;
			break;
		case F_IMAGE:
			*p++ = c->image;
			break;
		case F_LED:
			p = put_led(p, &c->led);
			break;
		case F_TIME:
			p = put_u32le(p, c->abs_ms);
			break;
		case F_END:
			break;
		}
	}
	memcpy(out, tlv, (size_t) (p - tlv));
	return (int) (p - tlv);
}

void esl_cmd_decode(struct wire *w, struct esl_cmd *ret)
{
	const struct op_row *row;
	struct wire body;

	*ret = (struct esl_cmd){.op = wire_get_u8(w)};
	if (!wire_ok(w))
		return;
	body = wire_sub(w, esl_tlv_len(ret->op) - 1);
	ret->esl_id = wire_get_u8(&body);
	row = find_op(ret->op);
	if (!row || row == &vendor_row) {
		ret->raw_len = ret->op >> 4;
		wire_copy(&body, ret->raw, ret->raw_len);
		return;
	}
	for (const enum field *f = row->fields; *f != F_END; f++) {
		switch (*f) {
		case F_INDEX:
			ret->index = wire_get_u8(&body);
			break;
		case F_IMAGE:
			ret->image = wire_get_u8(&body);
			break;
		case F_LED:
			get_led(&body, &ret->led);
			break;
		case F_TIME:
			ret->abs_ms = wire_get_u32le(&body);
			break;
		case F_END:
			break;
		}
	}
}

/* --- responses -------------------------------------------------------------------------------- */

int esl_rsp_encode(const struct esl_rsp *r, uint8_t *out, size_t cap)
{
	uint8_t tlv[ESL_TLV_MAX];
	size_t len = 2;

	tlv[0] = r->tag;
	switch (r->tag) {
	case ESL_RSP_ERROR:
		tlv[1] = r->error;
		break;
	case ESL_RSP_LED_STATE:
		tlv[1] = r->index;
		break;
	case ESL_RSP_BASIC_STATE:
		tlv[1] = (uint8_t) r->basic;
		tlv[2] = (uint8_t) (r->basic >> 8);
		len = 3;
		break;
	case ESL_RSP_DISPLAY_STATE:
		tlv[1] = r->index;
		tlv[2] = r->image;
		len = 3;
		break;
	case ESL_RSP_SENSOR_VALUE:
		if (r->raw_len > ESL_VENDOR_MAX)
			return -ERR_RANGE;
		tlv[0] = (uint8_t) (r->raw_len << 4 | ESL_RSP_SENSOR_VALUE);
		tlv[1] = r->index;
		memcpy(tlv + 2, r->raw, r->raw_len);
		len = 2u + r->raw_len;
		break;
	case ESL_RSP_VENDOR:
		if (r->raw_len < 1 || r->raw_len > ESL_VENDOR_MAX + 1)
			return -ERR_RANGE;
		tlv[0] = (uint8_t) ((r->raw_len - 1) << 4 | ESL_RSP_VENDOR);
		memcpy(tlv + 1, r->raw, r->raw_len);
		len = 1u + r->raw_len;
		break;
	default:
		return -ERR_RANGE;
	}
	if (len > cap)
		return -ENOBUFS;
	memcpy(out, tlv, len);
	return (int) len;
}

void esl_rsp_decode(struct wire *w, struct esl_rsp *ret)
{
	uint8_t first = wire_get_u8(w);
	struct wire body;

	*ret = (struct esl_rsp){.tag = first};
	if (!wire_ok(w))
		return;
	body = wire_sub(w, esl_tlv_len(first) - 1);
	switch (first) {
	case ESL_RSP_ERROR:
		ret->error = wire_get_u8(&body);
		return;
	case ESL_RSP_LED_STATE:
		ret->index = wire_get_u8(&body);
		return;
	case ESL_RSP_BASIC_STATE:
		ret->basic = wire_get_u16le(&body);
		return;
	case ESL_RSP_DISPLAY_STATE:
		ret->index = wire_get_u8(&body);
		ret->image = wire_get_u8(&body);
		return;
	}
	if ((first & 0x0f) == ESL_RSP_SENSOR_VALUE) {
		ret->tag = ESL_RSP_SENSOR_VALUE;
		ret->index = wire_get_u8(&body);
	} else if ((first & 0x0f) == ESL_RSP_VENDOR) {
		ret->tag = ESL_RSP_VENDOR;
	}
	ret->raw_len = (uint8_t) wire_left(&body);
	wire_copy(&body, ret->raw, ret->raw_len);
}

/* --- packets ---------------------------------------------------------------------------------- */

int esl_ad_encode(const uint8_t *payload, size_t len, uint8_t *out, size_t cap)
{
	if (len > ESL_PACKET_MAX)
		return -ERR_TOO_LARGE;
	if (len + 2 > cap)
		return -ENOBUFS;
	out[0] = (uint8_t) (len + 1);
	out[1] = ESL_AD_TYPE;
	memcpy(out + 2, payload, len);
	return (int) len + 2;
}

int esl_ad_find(const uint8_t *data, size_t len, const uint8_t **ret_payload, size_t *ret_len)
{
	struct wire w;

	wire_init(&w, data, len);
	while (wire_left(&w)) {
		size_t n = wire_get_u8(&w);
		const uint8_t *body;

		if (n == 0) /* early termination: the rest is padding */
			break;
		body = wire_get_bytes(&w, n);
		if (!body || (body[0] == ESL_AD_TYPE && n - 1 > ESL_PACKET_MAX))
			return -ERR_BADMSG;
		if (body[0] == ESL_AD_TYPE) {
			*ret_payload = body + 1;
			*ret_len = n - 1;
			return 0;
		}
	}
	return wire_ok(&w) ? -ENOENT : -ERR_BADMSG;
}

void esl_packet_init(struct esl_packet *p, uint8_t group)
{
	p->data[0] = group & ESL_GROUP_MAX;
	p->len = 1;
	p->n = 0;
}

int esl_packet_add(struct esl_packet *p, const struct esl_cmd *c)
{
	int r = esl_cmd_encode(c, p->data + p->len, sizeof(p->data) - p->len);

	if (r < 0)
		return r;
	p->len += (size_t) r;
	return (int) p->n++;
}
