/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/label_says.h"

#include "common/wire.h"
#include <string.h>

#define DISPLAY_BYTES 5

void label_says_displays(struct esl_link_result *r, const uint8_t *data, size_t len)
{
	struct wire w;

	wire_init(&w, data, len);
	while (wire_left(&w) >= DISPLAY_BYTES && r->n_displays < ESL_DISPLAYS_MAX) {
		struct esl_display *d = &r->displays[r->n_displays++];

		d->width = wire_get_u16le(&w);
		d->height = wire_get_u16le(&w);
		d->type = wire_get_u8(&w);
	}
}

void label_says_images(struct esl_link_result *r, const uint8_t *data, size_t len)
{
	if (len == 1)
		r->max_image_index = data[0];
}

void label_says_leds(struct esl_link_result *r, const uint8_t *data, size_t len)
{
	if (len == 0)
		return;
	r->n_leds = (uint8_t) MIN(len, sizeof(r->leds));
	memcpy(r->leds, data, r->n_leds);
}

void label_says_sensors(struct esl_link_result *r, const uint8_t *data, size_t len)
{
	struct wire w;

	wire_init(&w, data, len);
	while (wire_left(&w) > 0 && r->n_sensors < SENSORS_MAX) {
		struct sensor_id id = {.vendor = wire_get_u8(&w) != 0};

		id.number = wire_get_u16le(&w);
		if (id.vendor)
			id.number = id.number << 16 | wire_get_u16le(&w);
		if (!wire_ok(&w))
			return;
		r->sensors[r->n_sensors++].id = id;
	}
}

void label_says_reading(struct esl_link_result *r, unsigned int n)
{
	struct sensor_reading *to = &r->sensors[n];
	struct esl_rsp rsp = {.tag = 0};
	struct wire w;
	uint16_t value;

	wire_init(&w, r->tlv, r->tlv_len);
	if (r->tlv_len > 0)
		esl_rsp_decode(&w, &rsp);
	r->tlv_len = 0;
	if (wire_finish(&w) < 0 || rsp.tag != ESL_RSP_SENSOR_VALUE ||
	    rsp.raw_len > sizeof(to->data))
		return;
	to->len = rsp.raw_len;
	memcpy(to->data, rsp.raw, rsp.raw_len);
	if (to->id.vendor || to->len != 2)
		return;
	value = (uint16_t) (to->data[0] | to->data[1] << 8);
	if (to->id.number == SENSOR_PROPERTY_TEMPERATURE)
		r->temperature_cc = (int16_t) value;
	else if (to->id.number == SENSOR_PROPERTY_VOLTAGE)
		r->battery_mv = sensor_millivolts(value);
}

void label_says_model(struct pixel_identity *id, const uint8_t *data, size_t len)
{
	size_t n = MIN(len, sizeof(id->model) - 1);

	if (n > 0)
		memcpy(id->model, data, n);
	id->model[strnlen(id->model, n)] = '\0';
}

void label_says_pnp(struct pixel_identity *id, const uint8_t *data, size_t len)
{
	struct wire w;

	wire_init(&w, data, len);
	id->vendor_source = wire_get_u8(&w);
	id->vendor = wire_get_u16le(&w);
	id->product = wire_get_u16le(&w);
	id->has_pnp = wire_ok(&w);
}

void label_says_type(struct pixel_identity *id, const uint8_t *data, size_t len)
{
	static const uint8_t base[PIXEL_UUID_BYTES] = {0,    0, 0, 0,    0,    0,    0x10, 0,
						       0x80, 0, 0, 0x80, 0x5f, 0x9b, 0x34, 0xfb};

	if (len == PIXEL_UUID_BYTES) {
		for (size_t i = 0; i < PIXEL_UUID_BYTES; i++)
			id->type[i] = data[PIXEL_UUID_BYTES - 1 - i];
	} else if (len == 2) {
		memcpy(id->type, base, sizeof(base));
		id->type[2] = data[1];
		id->type[3] = data[0];
	}
	id->has_type |= len == PIXEL_UUID_BYTES || len == 2;
}
