/* SPDX-License-Identifier: Apache-2.0 */
#include "common/sensor.h"

#include "common/util.h"

/** Little-endian numbers; the highest unsigned and the lowest signed one mean "not known". */
static const struct {
	uint16_t property;
	uint8_t bytes;
	bool is_signed;
	double step;
	const char *name, *unit;
} properties[] = {
	{0x0042, 1, false, 0.5, "motion", "%"},
	{0x004d, 1, false, 1, "presence detected", ""},
	{0x004e, 3, false, 0.01, "light", "lx"},
	{0x004f, 1, true, 0.5, "temperature around it", "°C"},
	{0x0054, 2, true, 0.01, "temperature", "°C"},
	{0x0055, 3, false, 0.01, "light", "lx"},
	{0x0056, 1, true, 0.5, "temperature indoors", "°C"},
	{0x0057, 2, false, 0.01, "input current", "A"},
	{0x0059, 2, false, 1.0 / 64, "battery", "V"},
	{0x005b, 1, true, 0.5, "temperature outdoors", "°C"},
	{0x0075, 2, true, 0.01, "temperature around it", "°C"},
	{0x0076, 2, false, 0.01, "relative humidity", "%"},
	{0x0077, 2, false, 1, "carbon dioxide", "ppm"},
	{0x0079, 1, false, 1, "noise", "dB"},
};

bool sensor_decode(const struct sensor_reading *r, struct sensor_value *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(properties) && !r->id.vendor; i++) {
		unsigned int bits = 8u * properties[i].bytes;
		uint32_t raw = 0, sign = 1u << (bits - 1);
		int64_t v;

		if (properties[i].property != r->id.number || properties[i].bytes != r->len)
			continue;
		for (unsigned int k = 0; k < r->len; k++)
			raw |= (uint32_t) r->data[k] << 8 * k;
		if (raw == (properties[i].is_signed ? sign : 2 * sign - 1))
			return false;
		v = properties[i].is_signed && (raw & sign) ? (int64_t) raw - 2 * (int64_t) sign
							    : (int64_t) raw;
		*ret = (struct sensor_value){.name = properties[i].name,
					     .unit = properties[i].unit,
					     .number = (double) v * properties[i].step};
		return true;
	}
	return false;
}

const char *sensor_name(const struct sensor_id *id, const char **ret_unit)
{
	*ret_unit = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(properties) && !id->vendor; i++)
		if (properties[i].property == id->number) {
			*ret_unit = properties[i].unit;
			return properties[i].name;
		}
	return NULL;
}
