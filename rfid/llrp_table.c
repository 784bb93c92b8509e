/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The definition table of LLRP 1.0.1 and 1.1 and a few custom parameters of one vendor. Rows are
 * sorted by number (custom ones by vendor and subtype), slots stand in the normative order of
 * clause 16.
 */
#include "rfid/llrp_table.h"

#include "common/util.h"
#include <string.h>

#define U8(n)                                                                                      \
	{                                                                                          \
		LLRP_U8, 0, n                                                                      \
	}
#define U16(n)                                                                                     \
	{                                                                                          \
		LLRP_U16, 0, n                                                                     \
	}
#define U32(n)                                                                                     \
	{                                                                                          \
		LLRP_U32, 0, n                                                                     \
	}
#define U64(n)                                                                                     \
	{                                                                                          \
		LLRP_U64, 0, n                                                                     \
	}
#define S8(n)                                                                                      \
	{                                                                                          \
		LLRP_S8, 0, n                                                                      \
	}
#define S16(n)                                                                                     \
	{                                                                                          \
		LLRP_S16, 0, n                                                                     \
	}
#define U96(n)                                                                                     \
	{                                                                                          \
		LLRP_U96, 0, n                                                                     \
	}
#define BITARRAY(n)                                                                                \
	{                                                                                          \
		LLRP_BITARRAY, 0, n                                                                \
	}
#define U8V(n)                                                                                     \
	{                                                                                          \
		LLRP_U8V, 0, n                                                                     \
	}
#define U16V(n)                                                                                    \
	{                                                                                          \
		LLRP_U16V, 0, n                                                                    \
	}
#define U32V(n)                                                                                    \
	{                                                                                          \
		LLRP_U32V, 0, n                                                                    \
	}
#define UTF8(n)                                                                                    \
	{                                                                                          \
		LLRP_UTF8, 0, n                                                                    \
	}
#define REST(n)                                                                                    \
	{                                                                                          \
		LLRP_REST, 0, n                                                                    \
	}
#define BIT(n)                                                                                     \
	{                                                                                          \
		LLRP_BITS, 1, n                                                                    \
	}
#define BIT2(n)                                                                                    \
	{                                                                                          \
		LLRP_BITS, 2, n                                                                    \
	}
#define PAD(b)                                                                                     \
	{                                                                                          \
		LLRP_BITS, b, NULL                                                                 \
	}
#define PAD8                                                                                       \
	{                                                                                          \
		LLRP_BITS, 8, NULL                                                                 \
	}

#define ONE(...)                                                                                   \
	{                                                                                          \
		{__VA_ARGS__}, true, false                                                         \
	}
#define OPT(...)                                                                                   \
	{                                                                                          \
		{__VA_ARGS__}, false, false                                                        \
	}
#define SOME(...)                                                                                  \
	{                                                                                          \
		{__VA_ARGS__}, true, true                                                          \
	}
#define ANY(...)                                                                                   \
	{                                                                                          \
		{__VA_ARGS__}, false, true                                                         \
	}

#define FIELDS(...)                                                                                \
	.fields = (const struct llrp_field[]){__VA_ARGS__},                                        \
	.n_fields = ARRAY_SIZE(((const struct llrp_field[]){__VA_ARGS__}))
#define SLOTS(...)                                                                                 \
	.slots = (const struct llrp_slot[]){__VA_ARGS__},                                          \
	.n_slots = ARRAY_SIZE(((const struct llrp_slot[]){__VA_ARGS__}))

#define NO_CONTENT  .fields = NULL
#define STATUS_ONLY SLOTS(ONE(LLRP_P_LLRP_STATUS))
#define OPSPECS                                                                                    \
	LLRP_P_C1G2_READ, LLRP_P_C1G2_WRITE, LLRP_P_C1G2_KILL, LLRP_P_C1G2_RECOMMISSION,           \
		LLRP_P_C1G2_LOCK, LLRP_P_C1G2_BLOCK_ERASE, LLRP_P_C1G2_BLOCK_WRITE,                \
		LLRP_P_C1G2_BLOCK_PERMALOCK, LLRP_P_C1G2_GET_BLOCK_PERMALOCK_STATUS,               \
		LLRP_P_CLIENT_REQUEST_OPSPEC, LLRP_P_CUSTOM
#define OPSPEC_RESULTS                                                                             \
	LLRP_P_C1G2_READ_RESULT, LLRP_P_C1G2_WRITE_RESULT, LLRP_P_C1G2_KILL_RESULT,                \
		LLRP_P_C1G2_RECOMMISSION_RESULT, LLRP_P_C1G2_LOCK_RESULT,                          \
		LLRP_P_C1G2_BLOCK_ERASE_RESULT, LLRP_P_C1G2_BLOCK_WRITE_RESULT,                    \
		LLRP_P_C1G2_BLOCK_PERMALOCK_RESULT, LLRP_P_C1G2_GET_BLOCK_PERMALOCK_STATUS_RESULT, \
		LLRP_P_CLIENT_REQUEST_OPSPEC_RESULT, LLRP_P_CUSTOM
#define TIMESTAMP LLRP_P_UTC_TIMESTAMP, LLRP_P_UPTIME
#define CUSTOMS   ANY(LLRP_P_CUSTOM)

/* clang-format off */
static const struct llrp_type messages[] = {
	{"GET_READER_CAPABILITIES", 1, true, FIELDS(U8("RequestedData")), SLOTS(CUSTOMS)},
	{"GET_READER_CONFIG", 2, true,
	 FIELDS(U16("AntennaID"), U8("RequestedData"), U16("GPIPortNum"), U16("GPOPortNum")),
	 SLOTS(CUSTOMS)},
	{"SET_READER_CONFIG", 3, true, FIELDS(BIT("ResetToFactoryDefault"), PAD(7)),
	 SLOTS(OPT(LLRP_P_READER_EVENT_NOTIFICATION_SPEC), ANY(LLRP_P_ANTENNA_PROPERTIES),
	       ANY(LLRP_P_ANTENNA_CONFIGURATION), OPT(LLRP_P_RO_REPORT_SPEC),
	       OPT(LLRP_P_ACCESS_REPORT_SPEC), OPT(LLRP_P_KEEPALIVE_SPEC),
	       ANY(LLRP_P_GPO_WRITE_DATA), ANY(LLRP_P_GPI_PORT_CURRENT_STATE),
	       OPT(LLRP_P_EVENTS_AND_REPORTS), CUSTOMS)},
	{"CLOSE_CONNECTION_RESPONSE", 4, true, STATUS_ONLY},
	{"GET_READER_CAPABILITIES_RESPONSE", 11, true,
	 SLOTS(ONE(LLRP_P_LLRP_STATUS), OPT(LLRP_P_GENERAL_DEVICE_CAPABILITIES),
	       OPT(LLRP_P_LLRP_CAPABILITIES), OPT(LLRP_P_REGULATORY_CAPABILITIES),
	       OPT(LLRP_P_C1G2_LLRP_CAPABILITIES), CUSTOMS)},
	{"GET_READER_CONFIG_RESPONSE", 12, true,
	 SLOTS(ONE(LLRP_P_LLRP_STATUS), OPT(LLRP_P_IDENTIFICATION), ANY(LLRP_P_ANTENNA_PROPERTIES),
	       ANY(LLRP_P_ANTENNA_CONFIGURATION), OPT(LLRP_P_READER_EVENT_NOTIFICATION_SPEC),
	       OPT(LLRP_P_RO_REPORT_SPEC), OPT(LLRP_P_ACCESS_REPORT_SPEC),
	       OPT(LLRP_P_LLRP_CONFIGURATION_STATE_VALUE), OPT(LLRP_P_KEEPALIVE_SPEC),
	       ANY(LLRP_P_GPI_PORT_CURRENT_STATE), ANY(LLRP_P_GPO_WRITE_DATA),
	       OPT(LLRP_P_EVENTS_AND_REPORTS), CUSTOMS)},
	{"SET_READER_CONFIG_RESPONSE", 13, true, STATUS_ONLY},
	{"CLOSE_CONNECTION", 14, true, NO_CONTENT},
	{"ADD_ROSPEC", 20, true, SLOTS(ONE(LLRP_P_ROSPEC))},
	{"DELETE_ROSPEC", 21, true, FIELDS(U32("ROSpecID"))},
	{"START_ROSPEC", 22, true, FIELDS(U32("ROSpecID"))},
	{"STOP_ROSPEC", 23, true, FIELDS(U32("ROSpecID"))},
	{"ENABLE_ROSPEC", 24, true, FIELDS(U32("ROSpecID"))},
	{"DISABLE_ROSPEC", 25, true, FIELDS(U32("ROSpecID"))},
	{"GET_ROSPECS", 26, true, NO_CONTENT},
	{"ADD_ROSPEC_RESPONSE", 30, true, STATUS_ONLY},
	{"DELETE_ROSPEC_RESPONSE", 31, true, STATUS_ONLY},
	{"START_ROSPEC_RESPONSE", 32, true, STATUS_ONLY},
	{"STOP_ROSPEC_RESPONSE", 33, true, STATUS_ONLY},
	{"ENABLE_ROSPEC_RESPONSE", 34, true, STATUS_ONLY},
	{"DISABLE_ROSPEC_RESPONSE", 35, true, STATUS_ONLY},
	{"GET_ROSPECS_RESPONSE", 36, true, SLOTS(ONE(LLRP_P_LLRP_STATUS), ANY(LLRP_P_ROSPEC))},
	{"ADD_ACCESSSPEC", 40, true, SLOTS(ONE(LLRP_P_ACCESSSPEC))},
	{"DELETE_ACCESSSPEC", 41, true, FIELDS(U32("AccessSpecID"))},
	{"ENABLE_ACCESSSPEC", 42, true, FIELDS(U32("AccessSpecID"))},
	{"DISABLE_ACCESSSPEC", 43, true, FIELDS(U32("AccessSpecID"))},
	{"GET_ACCESSSPECS", 44, true, NO_CONTENT},
	{"CLIENT_REQUEST_OP", 45, true, SLOTS(ONE(LLRP_P_TAG_REPORT_DATA))},
	{"GET_SUPPORTED_VERSION", 46, true, NO_CONTENT},
	{"SET_PROTOCOL_VERSION", 47, true, FIELDS(U8("ProtocolVersion"))},
	{"ADD_ACCESSSPEC_RESPONSE", 50, true, STATUS_ONLY},
	{"DELETE_ACCESSSPEC_RESPONSE", 51, true, STATUS_ONLY},
	{"ENABLE_ACCESSSPEC_RESPONSE", 52, true, STATUS_ONLY},
	{"DISABLE_ACCESSSPEC_RESPONSE", 53, true, STATUS_ONLY},
	{"GET_ACCESSSPECS_RESPONSE", 54, true,
	 SLOTS(ONE(LLRP_P_LLRP_STATUS), ANY(LLRP_P_ACCESSSPEC))},
	{"CLIENT_REQUEST_OP_RESPONSE", 55, true, SLOTS(ONE(LLRP_P_CLIENT_REQUEST_RESPONSE))},
	{"GET_SUPPORTED_VERSION_RESPONSE", 56, true,
	 FIELDS(U8("CurrentVersion"), U8("SupportedVersion")), STATUS_ONLY},
	{"SET_PROTOCOL_VERSION_RESPONSE", 57, true, STATUS_ONLY},
	{"GET_REPORT", 60, true, NO_CONTENT},
	{"RO_ACCESS_REPORT", 61, true,
	 SLOTS(ANY(LLRP_P_TAG_REPORT_DATA), ANY(LLRP_P_RF_SURVEY_REPORT_DATA), CUSTOMS)},
	{"KEEPALIVE", 62, true, NO_CONTENT},
	{"READER_EVENT_NOTIFICATION", 63, true, SLOTS(ONE(LLRP_P_READER_EVENT_NOTIFICATION_DATA))},
	{"ENABLE_EVENTS_AND_REPORTS", 64, true, NO_CONTENT},
	{"KEEPALIVE_ACK", 72, true, NO_CONTENT},
	{"ERROR_MESSAGE", 100, true, STATUS_ONLY},
	{"CUSTOM_MESSAGE", 1023, true,
	 FIELDS(U32("VendorIdentifier"), U8("MessageSubtype"), REST("Data"))},
};

static const struct llrp_type parameters[] = {
	{"AntennaID", 1, FIELDS(U16("AntennaID"))},
	{"FirstSeenTimestampUTC", 2, FIELDS(U64("Microseconds"))},
	{"FirstSeenTimestampUptime", 3, FIELDS(U64("Microseconds"))},
	{"LastSeenTimestampUTC", 4, FIELDS(U64("Microseconds"))},
	{"LastSeenTimestampUptime", 5, FIELDS(U64("Microseconds"))},
	{"PeakRSSI", 6, FIELDS(S8("PeakRSSI"))},
	{"ChannelIndex", 7, FIELDS(U16("ChannelIndex"))},
	{"TagSeenCount", 8, FIELDS(U16("TagCount"))},
	{"ROSpecID", 9, FIELDS(U32("ROSpecID"))},
	{"InventoryParameterSpecID", 10, FIELDS(U16("InventoryParameterSpecID"))},
	{"C1G2_CRC", 11, FIELDS(U16("CRC"))},
	{"C1G2_PC", 12, FIELDS(U16("PC_Bits"))},
	{"EPC_96", 13, FIELDS(U96("EPC"))},
	{"SpecIndex", 14, FIELDS(U16("SpecIndex"))},
	{"ClientRequestOpSpecResult", 15, FIELDS(U16("OpSpecID"))},
	{"AccessSpecID", 16, FIELDS(U32("AccessSpecID"))},
	{"OpSpecID", 17, FIELDS(U16("OpSpecID"))},
	{"C1G2SingulationDetails", 18, FIELDS(U16("NumCollisionSlots"), U16("NumEmptySlots"))},
	{"C1G2_XPC_W1", 19, FIELDS(U16("XPC_W1"))},
	{"C1G2_XPC_W2", 20, FIELDS(U16("XPC_W2"))},
	{"UTCTimestamp", 128, FIELDS(U64("Microseconds"))},
	{"Uptime", 129, FIELDS(U64("Microseconds"))},
	{"GeneralDeviceCapabilities", 137,
	 FIELDS(U16("MaxNumberOfAntennaSupported"), BIT("CanSetAntennaProperties"),
		BIT("HasUTCClockCapability"), PAD(6), PAD8, U32("DeviceManufacturerName"),
		U32("ModelName"), UTF8("ReaderFirmwareVersion")),
	 SLOTS(SOME(LLRP_P_RECEIVE_SENSITIVITY_TABLE_ENTRY),
	       ANY(LLRP_P_PER_ANTENNA_RECEIVE_SENSITIVITY_RANGE), ONE(LLRP_P_GPIO_CAPABILITIES),
	       SOME(LLRP_P_PER_ANTENNA_AIR_PROTOCOL), OPT(LLRP_P_MAXIMUM_RECEIVE_SENSITIVITY))},
	{"ReceiveSensitivityTableEntry", 139, FIELDS(U16("Index"), S16("ReceiveSensitivityValue"))},
	{"PerAntennaAirProtocol", 140, FIELDS(U16("AntennaID"), U8V("ProtocolID"))},
	{"GPIOCapabilities", 141, FIELDS(U16("NumGPIs"), U16("NumGPOs"))},
	{"LLRPCapabilities", 142,
	 FIELDS(BIT("CanDoRFSurvey"), BIT("CanReportBufferFillWarning"),
		BIT("SupportsClientRequestOpSpec"), BIT("CanDoTagInventoryStateAwareSingulation"),
		BIT("SupportsEventAndReportHolding"), PAD(3), U8("MaxNumPriorityLevelsSupported"),
		U16("ClientRequestOpSpecTimeout"), U32("MaxNumROSpecs"), U32("MaxNumSpecsPerROSpec"),
		U32("MaxNumInventoryParameterSpecsPerAISpec"), U32("MaxNumAccessSpecs"),
		U32("MaxNumOpSpecsPerAccessSpec"))},
	{"RegulatoryCapabilities", 143, FIELDS(U16("CountryCode"), U16("CommunicationsStandard")),
	 SLOTS(OPT(LLRP_P_UHF_BAND_CAPABILITIES), CUSTOMS)},
	{"UHFBandCapabilities", 144,
	 SLOTS(SOME(LLRP_P_TRANSMIT_POWER_LEVEL_TABLE_ENTRY), ONE(LLRP_P_FREQUENCY_INFORMATION),
	       SOME(LLRP_P_C1G2_UHF_RF_MODE_TABLE),
	       OPT(LLRP_P_RF_SURVEY_FREQUENCY_CAPABILITIES))},
	{"TransmitPowerLevelTableEntry", 145, FIELDS(U16("Index"), S16("TransmitPowerValue"))},
	{"FrequencyInformation", 146, FIELDS(BIT("Hopping"), PAD(7)),
	 SLOTS(ANY(LLRP_P_FREQUENCY_HOP_TABLE), OPT(LLRP_P_FIXED_FREQUENCY_TABLE))},
	{"FrequencyHopTable", 147, FIELDS(U8("HopTableID"), PAD8, U32V("Frequency"))},
	{"FixedFrequencyTable", 148, FIELDS(U32V("Frequency"))},
	{"PerAntennaReceiveSensitivityRange", 149,
	 FIELDS(U16("AntennaID"), U16("ReceiveSensitivityIndexMin"),
		U16("ReceiveSensitivityIndexMax"))},
	{"ROSpec", 177, FIELDS(U32("ROSpecID"), U8("Priority"), U8("CurrentState")),
	 SLOTS(ONE(LLRP_P_RO_BOUNDARY_SPEC),
	       SOME(LLRP_P_AISPEC, LLRP_P_RF_SURVEY_SPEC, LLRP_P_LOOP_SPEC, LLRP_P_CUSTOM),
	       OPT(LLRP_P_RO_REPORT_SPEC))},
	{"ROBoundarySpec", 178,
	 SLOTS(ONE(LLRP_P_ROSPEC_START_TRIGGER), ONE(LLRP_P_ROSPEC_STOP_TRIGGER))},
	{"ROSpecStartTrigger", 179, FIELDS(U8("ROSpecStartTriggerType")),
	 SLOTS(OPT(LLRP_P_PERIODIC_TRIGGER_VALUE), OPT(LLRP_P_GPI_TRIGGER_VALUE))},
	{"PeriodicTriggerValue", 180, FIELDS(U32("Offset"), U32("Period")),
	 SLOTS(OPT(LLRP_P_UTC_TIMESTAMP))},
	{"GPITriggerValue", 181,
	 FIELDS(U16("GPIPortNum"), BIT("GPIEvent"), PAD(7), U32("Timeout"))},
	{"ROSpecStopTrigger", 182, FIELDS(U8("ROSpecStopTriggerType"), U32("DurationTriggerValue")),
	 SLOTS(OPT(LLRP_P_GPI_TRIGGER_VALUE))},
	{"AISpec", 183, FIELDS(U16V("AntennaIDs")),
	 SLOTS(ONE(LLRP_P_AISPEC_STOP_TRIGGER), SOME(LLRP_P_INVENTORY_PARAMETER_SPEC), CUSTOMS)},
	{"AISpecStopTrigger", 184, FIELDS(U8("AISpecStopTriggerType"), U32("DurationTrigger")),
	 SLOTS(OPT(LLRP_P_GPI_TRIGGER_VALUE), OPT(LLRP_P_TAG_OBSERVATION_TRIGGER))},
	{"TagObservationTrigger", 185,
	 FIELDS(U8("TriggerType"), PAD8, U16("NumberOfTags"), U16("NumberOfAttempts"), U16("T"),
		U32("Timeout"))},
	{"InventoryParameterSpec", 186, FIELDS(U16("InventoryParameterSpecID"), U8("ProtocolID")),
	 SLOTS(ANY(LLRP_P_ANTENNA_CONFIGURATION), CUSTOMS)},
	{"RFSurveySpec", 187, FIELDS(U16("AntennaID"), U32("StartFrequency"), U32("EndFrequency")),
	 SLOTS(ONE(LLRP_P_RF_SURVEY_SPEC_STOP_TRIGGER), CUSTOMS)},
	{"RFSurveySpecStopTrigger", 188, FIELDS(U8("StopTriggerType"), U32("DurationPeriod"), U32("N"))},
	{"AccessSpec", 207,
	 FIELDS(U32("AccessSpecID"), U16("AntennaID"), U8("ProtocolID"), BIT("CurrentState"), PAD(7),
		U32("ROSpecID")),
	 SLOTS(ONE(LLRP_P_ACCESSSPEC_STOP_TRIGGER), ONE(LLRP_P_ACCESS_COMMAND),
	       OPT(LLRP_P_ACCESS_REPORT_SPEC), CUSTOMS)},
	{"AccessSpecStopTrigger", 208,
	 FIELDS(U8("AccessSpecStopTriggerType"), U16("OperationCountValue"))},
	{"AccessCommand", 209, SLOTS(ONE(LLRP_P_C1G2_TAG_SPEC), SOME(OPSPECS), CUSTOMS)},
	{"ClientRequestOpSpec", 210, FIELDS(U16("OpSpecID"))},
	{"ClientRequestResponse", 211, FIELDS(U32("AccessSpecID")),
	 SLOTS(ONE(LLRP_P_EPC_DATA, LLRP_P_EPC_96), ANY(OPSPECS))},
	{"LLRPConfigurationStateValue", 217, FIELDS(U32("LLRPConfigurationStateValue"))},
	{"Identification", 218, FIELDS(U8("IDType"), U8V("ReaderID"))},
	{"GPOWriteData", 219, FIELDS(U16("GPOPortNumber"), BIT("GPOData"), PAD(7))},
	{"KeepaliveSpec", 220, FIELDS(U8("KeepaliveTriggerType"), U32("PeriodicTriggerValue"))},
	{"AntennaProperties", 221,
	 FIELDS(BIT("AntennaConnected"), PAD(7), U16("AntennaID"), S16("AntennaGain"))},
	{"AntennaConfiguration", 222, FIELDS(U16("AntennaID")),
	 SLOTS(OPT(LLRP_P_RF_RECEIVER), OPT(LLRP_P_RF_TRANSMITTER),
	       ANY(LLRP_P_C1G2_INVENTORY_COMMAND), CUSTOMS)},
	{"RFReceiver", 223, FIELDS(U16("ReceiverSensitivity"))},
	{"RFTransmitter", 224, FIELDS(U16("HopTableID"), U16("ChannelIndex"), U16("TransmitPower"))},
	{"GPIPortCurrentState", 225, FIELDS(U16("GPIPortNum"), BIT("Config"), PAD(7), U8("State"))},
	{"EventsAndReports", 226, FIELDS(BIT("HoldEventsAndReportsUponReconnect"), PAD(7))},
	{"ROReportSpec", 237, FIELDS(U8("ROReportTrigger"), U16("N")),
	 SLOTS(ONE(LLRP_P_TAG_REPORT_CONTENT_SELECTOR), CUSTOMS)},
	{"TagReportContentSelector", 238,
	 FIELDS(BIT("EnableROSpecID"), BIT("EnableSpecIndex"), BIT("EnableInventoryParameterSpecID"),
		BIT("EnableAntennaID"), BIT("EnableChannelIndex"), BIT("EnablePeakRSSI"),
		BIT("EnableFirstSeenTimestamp"), BIT("EnableLastSeenTimestamp"),
		BIT("EnableTagSeenCount"), BIT("EnableAccessSpecID"), PAD(6)),
	 SLOTS(ANY(LLRP_P_C1G2_EPC_MEMORY_SELECTOR))},
	{"AccessReportSpec", 239, FIELDS(U8("AccessReportTrigger"))},
	{"TagReportData", 240,
	 SLOTS(ONE(LLRP_P_EPC_DATA, LLRP_P_EPC_96), OPT(LLRP_P_ROSPEC_ID), OPT(LLRP_P_SPEC_INDEX),
	       OPT(LLRP_P_INVENTORY_PARAMETER_SPEC_ID), OPT(LLRP_P_ANTENNA_ID),
	       OPT(LLRP_P_PEAK_RSSI), OPT(LLRP_P_CHANNEL_INDEX), OPT(LLRP_P_FIRST_SEEN_UTC),
	       OPT(LLRP_P_FIRST_SEEN_UPTIME), OPT(LLRP_P_LAST_SEEN_UTC),
	       OPT(LLRP_P_LAST_SEEN_UPTIME), OPT(LLRP_P_TAG_SEEN_COUNT),
	       ANY(LLRP_P_C1G2_PC, LLRP_P_C1G2_XPC_W1, LLRP_P_C1G2_XPC_W2, LLRP_P_C1G2_CRC),
	       OPT(LLRP_P_ACCESSSPEC_ID), ANY(OPSPEC_RESULTS), CUSTOMS)},
	{"EPCData", 241, FIELDS(BITARRAY("EPC"))},
	{"RFSurveyReportData", 242,
	 SLOTS(OPT(LLRP_P_ROSPEC_ID), OPT(LLRP_P_SPEC_INDEX),
	       SOME(LLRP_P_FREQUENCY_RSSI_LEVEL_ENTRY), CUSTOMS)},
	{"FrequencyRSSILevelEntry", 243,
	 FIELDS(U32("Frequency"), U32("Bandwidth"), S8("AverageRSSI"), S8("PeakRSSI")),
	 SLOTS(ONE(TIMESTAMP))},
	{"ReaderEventNotificationSpec", 244, SLOTS(SOME(LLRP_P_EVENT_NOTIFICATION_STATE))},
	{"EventNotificationState", 245, FIELDS(U16("EventType"), BIT("NotificationState"), PAD(7))},
	{"ReaderEventNotificationData", 246,
	 SLOTS(ONE(TIMESTAMP), OPT(LLRP_P_HOPPING_EVENT), OPT(LLRP_P_GPI_EVENT),
	       OPT(LLRP_P_ROSPEC_EVENT), OPT(LLRP_P_REPORT_BUFFER_LEVEL_WARNING_EVENT),
	       OPT(LLRP_P_REPORT_BUFFER_OVERFLOW_ERROR_EVENT), OPT(LLRP_P_READER_EXCEPTION_EVENT),
	       OPT(LLRP_P_RF_SURVEY_EVENT), OPT(LLRP_P_AISPEC_EVENT), OPT(LLRP_P_ANTENNA_EVENT),
	       OPT(LLRP_P_CONNECTION_ATTEMPT_EVENT), OPT(LLRP_P_CONNECTION_CLOSE_EVENT),
	       OPT(LLRP_P_SPEC_LOOP_EVENT), CUSTOMS)},
	{"HoppingEvent", 247, FIELDS(U16("HopTableID"), U16("NextChannelIndex"))},
	{"GPIEvent", 248, FIELDS(U16("GPIPortNumber"), BIT("GPIEvent"), PAD(7))},
	{"ROSpecEvent", 249, FIELDS(U8("EventType"), U32("ROSpecID"), U32("PreemptingROSpecID"))},
	{"ReportBufferLevelWarningEvent", 250, FIELDS(U8("ReportBufferPercentageFull"))},
	{"ReportBufferOverflowErrorEvent", 251, NO_CONTENT},
	{"ReaderExceptionEvent", 252, FIELDS(UTF8("Message")),
	 SLOTS(OPT(LLRP_P_ROSPEC_ID), OPT(LLRP_P_SPEC_INDEX),
	       OPT(LLRP_P_INVENTORY_PARAMETER_SPEC_ID), OPT(LLRP_P_ANTENNA_ID),
	       OPT(LLRP_P_ACCESSSPEC_ID), OPT(LLRP_P_OPSPEC_ID), CUSTOMS)},
	{"RFSurveyEvent", 253, FIELDS(U8("EventType"), U32("ROSpecID"), U16("SpecIndex"))},
	{"AISpecEvent", 254, FIELDS(U8("EventType"), U32("ROSpecID"), U16("SpecIndex")),
	 SLOTS(OPT(LLRP_P_C1G2_SINGULATION_DETAILS))},
	{"AntennaEvent", 255, FIELDS(U8("EventType"), U16("AntennaID"))},
	{"ConnectionAttemptEvent", 256, FIELDS(U16("Status"))},
	{"ConnectionCloseEvent", 257, NO_CONTENT},
	{"LLRPStatus", 287, FIELDS(U16("StatusCode"), UTF8("ErrorDescription")),
	 SLOTS(OPT(LLRP_P_FIELD_ERROR), OPT(LLRP_P_PARAMETER_ERROR))},
	{"FieldError", 288, FIELDS(U16("FieldNum"), U16("ErrorCode"))},
	{"ParameterError", 289, FIELDS(U16("ParameterType"), U16("ErrorCode")),
	 SLOTS(OPT(LLRP_P_FIELD_ERROR), OPT(LLRP_P_PARAMETER_ERROR))},
	{"C1G2LLRPCapabilities", 327,
	 FIELDS(BIT("CanSupportBlockErase"), BIT("CanSupportBlockWrite"),
		BIT("CanSupportBlockPermalock"), BIT("CanSupportTagRecommissioning"),
		BIT("CanSupportUMIMethod2"), BIT("CanSupportXPC"), PAD(2),
		U16("MaxNumSelectFiltersPerQuery"))},
	{"C1G2UHFRFModeTable", 328, SLOTS(SOME(LLRP_P_C1G2_UHF_RF_MODE_TABLE_ENTRY))},
	{"C1G2UHFRFModeTableEntry", 329,
	 FIELDS(U32("ModeIdentifier"), BIT("DRValue"), BIT("EPCHAGTCConformance"), PAD(6),
		U8("MValue"), U8("ForwardLinkModulation"), U8("SpectralMaskIndicator"),
		U32("BDRValue"), U32("PIEValue"), U32("MinTariValue"), U32("MaxTariValue"),
		U32("StepTariValue"))},
	{"C1G2InventoryCommand", 330, FIELDS(BIT("TagInventoryStateAware"), PAD(7)),
	 SLOTS(ANY(LLRP_P_C1G2_FILTER), OPT(LLRP_P_C1G2_RF_CONTROL),
	       OPT(LLRP_P_C1G2_SINGULATION_CONTROL), CUSTOMS)},
	{"C1G2Filter", 331, FIELDS(BIT2("T"), PAD(6)),
	 SLOTS(ONE(LLRP_P_C1G2_TAG_INVENTORY_MASK), OPT(LLRP_P_C1G2_STATE_AWARE_FILTER_ACTION),
	       OPT(LLRP_P_C1G2_STATE_UNAWARE_FILTER_ACTION))},
	{"C1G2TagInventoryMask", 332,
	 FIELDS(BIT2("MB"), PAD(6), U16("Pointer"), BITARRAY("TagMask"))},
	{"C1G2TagInventoryStateAwareFilterAction", 333, FIELDS(U8("Target"), U8("Action"))},
	{"C1G2TagInventoryStateUnawareFilterAction", 334, FIELDS(U8("Action"))},
	{"C1G2RFControl", 335, FIELDS(U16("ModeIndex"), U16("Tari"))},
	{"C1G2SingulationControl", 336,
	 FIELDS(BIT2("Session"), PAD(6), U16("TagPopulation"), U32("TagTransitTime")),
	 SLOTS(OPT(LLRP_P_C1G2_STATE_AWARE_SINGULATION_ACTION))},
	{"C1G2TagInventoryStateAwareSingulationAction", 337, FIELDS(BIT("I"), BIT("S"), PAD(6))},
	{"C1G2TagSpec", 338, SLOTS(SOME(LLRP_P_C1G2_TARGET_TAG))},
	{"C1G2TargetTag", 339,
	 FIELDS(BIT2("MB"), BIT("Match"), PAD(5), U16("Pointer"), BITARRAY("TagMask"),
		BITARRAY("TagData"))},
	{"C1G2Read", 341,
	 FIELDS(U16("OpSpecID"), U32("AccessPassword"), BIT2("MB"), PAD(6), U16("WordPointer"),
		U16("WordCount"))},
	{"C1G2Write", 342,
	 FIELDS(U16("OpSpecID"), U32("AccessPassword"), BIT2("MB"), PAD(6), U16("WordPointer"),
		U16V("WriteData"))},
	{"C1G2Kill", 343, FIELDS(U16("OpSpecID"), U32("KillPassword"))},
	{"C1G2Lock", 344, FIELDS(U16("OpSpecID"), U32("AccessPassword")),
	 SLOTS(SOME(LLRP_P_C1G2_LOCK_PAYLOAD))},
	{"C1G2LockPayload", 345, FIELDS(U8("Privilege"), U8("DataField"))},
	{"C1G2BlockErase", 346,
	 FIELDS(U16("OpSpecID"), U32("AccessPassword"), BIT2("MB"), PAD(6), U16("WordPointer"),
		U16("WordCount"))},
	{"C1G2BlockWrite", 347,
	 FIELDS(U16("OpSpecID"), U32("AccessPassword"), BIT2("MB"), PAD(6), U16("WordPointer"),
		U16V("WriteData"))},
	{"C1G2EPCMemorySelector", 348, FIELDS(BIT("EnableCRC"), BIT("EnablePCBits"), BIT("EnableXPCBits"), PAD(5))},
	{"C1G2ReadOpSpecResult", 349, FIELDS(U8("Result"), U16("OpSpecID"), U16V("ReadData"))},
	{"C1G2WriteOpSpecResult", 350,
	 FIELDS(U8("Result"), U16("OpSpecID"), U16("NumWordsWritten"))},
	{"C1G2KillOpSpecResult", 351, FIELDS(U8("Result"), U16("OpSpecID"))},
	{"C1G2LockOpSpecResult", 352, FIELDS(U8("Result"), U16("OpSpecID"))},
	{"C1G2BlockEraseOpSpecResult", 353, FIELDS(U8("Result"), U16("OpSpecID"))},
	{"C1G2BlockWriteOpSpecResult", 354,
	 FIELDS(U8("Result"), U16("OpSpecID"), U16("NumWordsWritten"))},
	{"LoopSpec", 355, FIELDS(U32("LoopCount"))},
	{"SpecLoopEvent", 356, FIELDS(U32("ROSpecID"), U32("LoopCount"))},
	{"C1G2Recommission", 357,
	 FIELDS(U16("OpSpecID"), U32("KillPassword"), PAD(5), BIT("3SB"), BIT("2SB"), BIT("LSB"))},
	{"C1G2BlockPermalock", 358,
	 FIELDS(U16("OpSpecID"), U32("AccessPassword"), BIT2("MB"), PAD(6), U16("BlockPointer"),
		U16V("BlockMask"))},
	{"C1G2GetBlockPermalockStatus", 359,
	 FIELDS(U16("OpSpecID"), U32("AccessPassword"), BIT2("MB"), PAD(6), U16("BlockPointer"),
		U16("BlockRange"))},
	{"C1G2RecommissionOpSpecResult", 360, FIELDS(U8("Result"), U16("OpSpecID"))},
	{"C1G2BlockPermalockOpSpecResult", 361, FIELDS(U8("Result"), U16("OpSpecID"))},
	{"C1G2GetBlockPermalockStatusOpSpecResult", 362,
	 FIELDS(U8("Result"), U16("OpSpecID"), U16V("PermalockStatus"))},
	{"MaximumReceiveSensitivity", 363, FIELDS(S16("MaximumSensitivityValue"))},
	{"RFSurveyFrequencyCapabilities", 365,
	 FIELDS(U32("MinimumFrequency"), U32("MaximumFrequency"))},
	{"Custom", 1023,
	 FIELDS(U32("VendorIdentifier"), U32("ParameterSubtype"), REST("Data"))},
};

#define IMPINJ(subtype) 1023, false, LLRP_VENDOR_IMPINJ, subtype
/* Written from the numbers; content that turns out otherwise is kept verbatim. */
static const struct llrp_type customs[] = {
	{"ImpinjRequestedData", IMPINJ(21), FIELDS(U32("RequestedData"))},
	{"ImpinjSubRegulatoryRegion", IMPINJ(22), FIELDS(U16("RegulatoryRegion"))},
	{"ImpinjInventorySearchMode", IMPINJ(23), FIELDS(U16("InventorySearchMode"))},
	{"ImpinjFixedFrequencyList", IMPINJ(26),
	 FIELDS(U16("FixedFrequencyMode"), U16("Reserved"), U16V("ChannelList"))},
	{"ImpinjReducedPowerFrequencyList", IMPINJ(27),
	 FIELDS(U16("ReducedPowerMode"), U16("Reserved"), U16V("ChannelList"))},
	{"ImpinjLowDutyCycle", IMPINJ(28),
	 FIELDS(U16("LowDutyCycleMode"), U16("EmptyFieldTimeout"), U16("FieldPingInterval"))},
	{"ImpinjDetailedVersion", IMPINJ(29),
	 FIELDS(UTF8("ModelName"), UTF8("SerialNumber"), UTF8("SoftwareVersion"),
		UTF8("FirmwareVersion"), UTF8("FPGAVersion"), UTF8("PCBAVersion")),
	 SLOTS(CUSTOMS)},
	{"ImpinjFrequencyCapabilities", IMPINJ(30), FIELDS(U32V("FrequencyList"))},
	{"ImpinjGPIDebounceConfiguration", IMPINJ(36),
	 FIELDS(U16("GPIPortNum"), U32("GPIDebounceTimerMSec"))},
	{"ImpinjReaderTemperature", IMPINJ(37), FIELDS(S16("Temperature"))},
	{"ImpinjLinkMonitorConfiguration", IMPINJ(38),
	 FIELDS(U16("LinkMonitorMode"), U16("LinkDownThreshold"))},
	{"ImpinjReportBufferConfiguration", IMPINJ(39), FIELDS(U16("ReportBufferMode"))},
	{"ImpinjAccessSpecConfiguration", IMPINJ(40),
	 SLOTS(CUSTOMS)},
	{"ImpinjTagReportContentSelector", IMPINJ(50),
	 SLOTS(CUSTOMS)},
	{"ImpinjEnableSerializedTID", IMPINJ(51), FIELDS(U16("SerializedTIDMode"))},
	{"ImpinjEnableRFPhaseAngle", IMPINJ(52), FIELDS(U16("RFPhaseAngleMode"))},
	{"ImpinjEnablePeakRSSI", IMPINJ(53), FIELDS(U16("PeakRSSIMode"))},
	{"ImpinjSerializedTID", IMPINJ(55), FIELDS(U16V("TID"))},
	{"ImpinjRFPhaseAngle", IMPINJ(56), FIELDS(U16("PhaseAngle"))},
	{"ImpinjPeakRSSI", IMPINJ(57), FIELDS(S16("RSSI"))},
	{"ImpinjEnableOptimizedRead", IMPINJ(65), FIELDS(U16("OptimizedReadMode")),
	 SLOTS(ANY(LLRP_P_C1G2_READ), CUSTOMS)},
	{"ImpinjEnableRFDopplerFrequency", IMPINJ(67), FIELDS(U16("RFDopplerFrequencyMode"))},
	{"ImpinjRFDopplerFrequency", IMPINJ(68), FIELDS(S16("DopplerFrequency"))},
	{"ImpinjEnableTxPower", IMPINJ(72), FIELDS(U16("TxPowerReportingMode"))},
	{"ImpinjTxPower", IMPINJ(73), FIELDS(S16("TxPower"))},
};
/* clang-format on */

static const struct llrp_type *find(const struct llrp_type *rows, size_t n, uint16_t num)
{
	size_t lo = 0;

	while (lo < n) {
		size_t mid = lo + (n - lo) / 2;

		if (rows[mid].num == num)
			return &rows[mid];
		if (rows[mid].num < num)
			lo = mid + 1;
		else
			n = mid;
	}
	return NULL;
}

const struct llrp_type *llrp_message_type(uint16_t num)
{
	return find(messages, ARRAY_SIZE(messages), num);
}

const struct llrp_type *llrp_parameter_type(uint16_t num)
{
	return find(parameters, ARRAY_SIZE(parameters), num);
}

const struct llrp_type *llrp_custom_type(uint32_t vendor, uint32_t subtype)
{
	for (size_t i = 0; i < ARRAY_SIZE(customs); i++)
		if (customs[i].vendor == vendor && customs[i].subtype == subtype)
			return &customs[i];
	return NULL;
}

const struct llrp_type *llrp_type_at(size_t i)
{
	if (i < ARRAY_SIZE(messages))
		return &messages[i];
	i -= ARRAY_SIZE(messages);
	if (i < ARRAY_SIZE(parameters))
		return &parameters[i];
	i -= ARRAY_SIZE(parameters);
	return i < ARRAY_SIZE(customs) ? &customs[i] : NULL;
}

int llrp_field_index(const struct llrp_type *t, const char *name)
{
	for (int i = 0; i < t->n_fields; i++)
		if (t->fields[i].name && strcmp(t->fields[i].name, name) == 0)
			return i;
	return -1;
}

int llrp_slot_index(const struct llrp_type *t, uint16_t num)
{
	for (int i = 0; i < t->n_slots; i++)
		for (size_t j = 0; j < LLRP_MAX_CHOICES && t->slots[i].types[j]; j++)
			if (t->slots[i].types[j] == num)
				return i;
	return -1;
}

static size_t field_min_bits(const struct llrp_field *f)
{
	switch ((enum llrp_field_kind) f->kind) {
	case LLRP_BITS:
		return f->bits;
	case LLRP_U8:
	case LLRP_S8:
		return 8;
	case LLRP_U16:
	case LLRP_S16:
	case LLRP_BITARRAY:
	case LLRP_U8V:
	case LLRP_U16V:
	case LLRP_U32V:
	case LLRP_UTF8:
		return 16;
	case LLRP_U32:
		return 32;
	case LLRP_U64:
		return 64;
	case LLRP_U96:
		return 96;
	case LLRP_REST:
		return 0;
	}
	return 0;
}

size_t llrp_fields_min_bytes(const struct llrp_type *t)
{
	size_t bits = 0;

	for (size_t i = 0; i < t->n_fields; i++)
		bits += field_min_bits(&t->fields[i]);
	return bits / 8;
}

size_t llrp_tv_bytes(uint16_t num)
{
	const struct llrp_type *t = num < LLRP_P_TV_LIMIT ? llrp_parameter_type(num) : NULL;

	return t ? llrp_fields_min_bytes(t) : 0;
}
