/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/label_database.h"

#include "esl-radio/le/le_crypto.h"

/** Services, included services and characteristics with their values, descriptors without. */
static bool counts(uint16_t type, bool *ret_value)
{
	*ret_value = (type >= 0x2800 && type <= 0x2803) || type == 0x2900;
	return *ret_value || (type >= 0x2901 && type <= 0x2905);
}

void database_add(struct buf *message, uint16_t handle, uint16_t type, const void *value,
		  size_t len)
{
	bool with_value;

	if (!counts(type, &with_value))
		return;
	buf_put_u16le(message, handle);
	buf_put_u16le(message, type);
	if (with_value)
		buf_put(message, value, len);
}

void database_hash(const struct buf *message, uint8_t ret[DATABASE_HASH_BYTES])
{
	static const uint8_t key[LE_KEY_BYTES];

	le_cmac(key, message->data, message->len, ret);
}
