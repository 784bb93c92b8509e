/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/label_service.h"

#include "common/err.h"
#include "esl-radio/le/att_wire.h"
#include "esl-radio/le/ots_wire.h"
#include "sim/label_pixels.h"
#include <string.h>

#define LED_SRGB 0x3f

void label_service_init(struct label_service *s, struct sim_label *label, struct label_bond *bond,
			const struct label_service_io *io, void *user)
{
	*s = (struct label_service){.label = label, .bond = bond, .io = io, .user = user};
	buf_init(&s->content, LABEL_OBJECT_MAX);
}

void label_service_done(struct label_service *s)
{
	label_service_content_end(s);
	buf_done(&s->content);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void put_displays(struct buf *b, const struct sim_label_view *v)
{
	for (unsigned int i = 0; i < MAX(v->model.displays, 1); i++) {
		buf_put_u16le(b, v->model.width);
		buf_put_u16le(b, v->model.height);
		buf_put_u8(b, v->model.type);
	}
}

bool label_service_absent(const struct label_service *s, enum label_value value)
{
	struct sim_label_view v;

	sim_label_get(s->label, &v);
	return (value == VALUE_LEDS && v.model.leds == 0) ||
	       (value == VALUE_IMAGES && v.model.no_image_number) ||
	       (value == VALUE_DATABASE_HASH && v.model.no_database_hash);
}

void label_service_read(const struct label_service *s, enum label_value value, struct buf *b)
{
	struct sim_label_view v;

	sim_label_get(s->label, &v);
	switch (value) {
	case VALUE_NAME:
		buf_put_str(b, "Shelf label");
		break;
	case VALUE_DISPLAYS:
		put_displays(b, &v);
		break;
	case VALUE_IMAGES:
		buf_put_u8(b, (uint8_t) (v.model.slots - 1));
		break;
	case VALUE_SENSORS: /* temperature and input voltage */
		buf_put_u8(b, 0);
		buf_put_u16le(b, 0x0054);
		buf_put_u8(b, 0);
		buf_put_u16le(b, 0x0059);
		break;
	case VALUE_LEDS:
		for (unsigned int i = 0; i < v.model.leds; i++)
			buf_put_u8(b, LED_SRGB);
		break;
	case VALUE_FEATURES: /* and go to */
		buf_put_u32le(b, OACP_FEATURE_WRITE | OACP_FEATURE_ABORT |
					 (v.model.personality == SIM_PERSONALITY_NRF
						  ? OACP_FEATURE_PATCH | OACP_FEATURE_CHECKSUM
						  : OACP_FEATURE_TRUNCATE));
		buf_put_u32le(b, 1u << 0);
		break;
	case VALUE_MODEL:
		if (v.model.personality == SIM_PERSONALITY_NRF)
			buf_put_str(b, SIM_MODEL_NUMBER);
		break;
	case VALUE_PNP:
		buf_put_u8(b, 2); /* numbers of the USB forum: none of anybody's */
		buf_put_u16le(b, 0xffff);
		buf_put_u16le(b, v.model.personality);
		buf_put_u16le(b, 0x0100);
		break;
	case VALUE_OBJECT_TYPE:
		if (v.model.personality == SIM_PERSONALITY_NRF)
			buf_put_u16le(b, 0x2aca); /* unspecified */
		for (size_t i = sizeof(sim_object_type);
		     v.model.personality == SIM_PERSONALITY_SL && i > 0; i--)
			buf_put_u8(b, sim_object_type[i - 1]);
		break;
	case VALUE_OBJECT_SIZE:
		buf_put_u32le(b, sim_label_trouble(s->label, SIM_TROUBLE_SIZE)
					 ? UINT32_MAX
					 : (uint32_t) label_service_object_size(s));
		buf_put_u32le(b, LABEL_OBJECT_MAX);
		break;
	case VALUE_OBJECT_ID:
		buf_put_u32le(b, OTS_FIRST_OBJECT + s->object);
		buf_put_u16le(b, 0);
		break;
	case VALUE_OBJECT_PROPERTIES:
		buf_put_u32le(b, 1u << 3 | 1u << 5); /* write, truncate */
		break;
	default:
		break;
	}
}

/* --- writing ---------------------------------------------------------------------------------- */

/** Configuration counts once all of it is there; a later time alone sets the clock. */
static uint8_t configured(struct label_service *s, enum label_value value)
{
	static const unsigned int all = 1u << VALUE_ADDRESS | 1u << VALUE_TRAIN_KEY |
					1u << VALUE_RESPONSE_KEY | 1u << VALUE_TIME;

	s->have |= 1u << value;
	if ((s->have & all) == all) {
		s->have = 0;
		return sim_label_configure(s->label, s->address, s->response_key, s->train_key,
					   s->abs_ms, s->now_us) < 0
			       ? ATT_ERR_WRITE_REJECTED
			       : 0;
	}
	if (value == VALUE_TIME && s->have == 1u << VALUE_TIME) {
		s->have = 0;
		sim_label_set_time(s->label, s->abs_ms, s->now_us);
	}
	return 0;
}

static uint8_t write_control(struct label_service *s, const uint8_t *data, size_t len)
{
	uint8_t answer[ESL_PACKET_MAX];
	int n;

	if (len == 0 || len > ESL_TLV_MAX)
		return ATT_ERR_INVALID_LENGTH;
	if (data[0] == ESL_OP_UPDATE_COMPLETE) {
		ignore_result(
			sim_label_update_complete(s->label, s->io->in_range(s->user), s->now_us));
		s->io->end(s->user);
		return 0;
	}
	n = sim_label_control_point(s->label, data, len, answer, s->now_us);
	if (n < 0)
		return ATT_ERR_WRITE_REJECTED;
	if (n > 0)
		s->io->tell(s->user, VALUE_CONTROL, answer, (size_t) n);
	if (sim_label_state(s->label) == ESL_UNASSOCIATED) {
		s->bond->has_key = false;
		s->io->end(s->user);
	}
	return 0;
}

uint8_t label_service_write(struct label_service *s, enum label_value value, const uint8_t *data,
			    size_t len)
{
	static const size_t lengths[VALUE_COUNT] = {[VALUE_ADDRESS] = 2,
						    [VALUE_TRAIN_KEY] = EAD_WIRE_KEY_BYTES,
						    [VALUE_RESPONSE_KEY] = EAD_WIRE_KEY_BYTES,
						    [VALUE_TIME] = 4};

	if (lengths[value] && len != lengths[value])
		return ATT_ERR_INVALID_LENGTH;
	switch (value) {
	case VALUE_ADDRESS:
		s->address = att_get_uuid(data, 2);
		return esl_address_id(s->address) == ESL_ID_BROADCAST ? ATT_ERR_WRITE_REJECTED
								      : configured(s, value);
	case VALUE_TRAIN_KEY:
		memcpy(s->train_key, data, len);
		return configured(s, value);
	case VALUE_RESPONSE_KEY:
		memcpy(s->response_key, data, len);
		return configured(s, value);
	case VALUE_TIME:
		s->abs_ms = att_get_uuid(data, 2) | (uint32_t) att_get_uuid(data + 2, 2) << 16;
		return configured(s, value);
	case VALUE_CONTROL:
		return write_control(s, data, len);
	case VALUE_OACP:
		label_service_oacp(s, data, len);
		return 0;
	case VALUE_OLCP:
		label_service_olcp(s, data, len);
		return 0;
	default:
		return ATT_ERR_WRITE_NOT_PERMITTED;
	}
}
