/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/llrp_table.h"

#include "common/util.h"

const char *llrp_status_str(uint16_t code)
{
	static const struct {
		uint16_t code;
		const char *text;
	} words[] = {
		{LLRP_M_SUCCESS, "success"},
		{LLRP_M_PARAMETER_ERROR, "an error in a parameter"},
		{LLRP_M_FIELD_ERROR, "an error in a field"},
		{LLRP_M_UNEXPECTED_PARAMETER, "a parameter that does not belong there"},
		{LLRP_M_MISSING_PARAMETER, "a parameter is missing"},
		{LLRP_M_DUPLICATE_PARAMETER, "a parameter came twice"},
		{LLRP_M_OVERFLOW_PARAMETER, "more parameters than the reader can hold"},
		{LLRP_M_OVERFLOW_FIELD, "a field longer than the reader can hold"},
		{LLRP_M_UNKNOWN_PARAMETER, "an unknown parameter"},
		{LLRP_M_UNKNOWN_FIELD, "an unknown field"},
		{LLRP_M_UNSUPPORTED_MESSAGE, "a message the reader does not support"},
		{LLRP_M_UNSUPPORTED_VERSION, "a protocol version the reader does not speak"},
		{LLRP_M_UNSUPPORTED_PARAMETER, "a parameter the reader does not support"},
		{LLRP_M_UNEXPECTED_MESSAGE, "a message that does not belong there"},
		{LLRP_P_STATUS_PARAMETER_ERROR, "an error in a nested parameter"},
		{LLRP_P_STATUS_FIELD_ERROR, "an error in a nested field"},
		{LLRP_P_STATUS_UNEXPECTED_PARAMETER, "a nested parameter in the wrong place"},
		{LLRP_P_STATUS_MISSING_PARAMETER, "a nested parameter is missing"},
		{LLRP_P_STATUS_DUPLICATE_PARAMETER, "a nested parameter came twice"},
		{LLRP_P_STATUS_OVERFLOW_PARAMETER,
		 "more nested parameters than the reader can hold"},
		{LLRP_P_STATUS_OVERFLOW_FIELD, "a nested field longer than the reader can hold"},
		{LLRP_P_STATUS_UNKNOWN_PARAMETER, "an unknown nested parameter"},
		{LLRP_P_STATUS_UNKNOWN_FIELD, "an unknown nested field"},
		{LLRP_P_STATUS_UNSUPPORTED_PARAMETER,
		 "a nested parameter the reader does not support"},
		{LLRP_A_INVALID, "a value that is not valid"},
		{LLRP_A_OUT_OF_RANGE, "a value out of range"},
		{LLRP_R_DEVICE_ERROR, "the reader itself has a fault"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].code == code)
			return words[i].text;
	return "an unlisted status code";
}
