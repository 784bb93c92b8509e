/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the antennas of the simulated reader are told to work: power, sensitivity, link mode and the
 * settings of Gen2, from AntennaConfiguration; and the tables of capabilities that its indices are
 * about.
 */
#include "sim/gen2.h"
#include "sim/reader_impl.h"

#define COUNTRY_US         840
#define COUNTRY_DE         276
#define STANDARD_FCC       1
#define STANDARD_ETSI      2 /* EN 302 208 */
#define DEFAULT_MODE       1000
#define DEFAULT_SESSION    1
#define DEFAULT_POPULATION 32
#define HOP_TABLE_ID       1
#define SEARCH_SINGLE      1
#define SEARCH_SUPPRESSED  3

/* --- capabilities ----------------------------------------------------------------------------- */

/** The entries say by how many decibels they are less sensitive than the first. */
static int deaf_db(unsigned int index)
{
	return index <= 1 ? 0 : 8 + 2 * (int) index;
}

void reader_put_sensitivities(struct llrp_elem *general)
{
	for (uint16_t i = 1; i <= READER_SENSITIVITIES; i++) {
		struct llrp_elem *e = llrp_add(general, LLRP_P_RECEIVE_SENSITIVITY_TABLE_ENTRY);

		llrp_set(e, "Index", i);
		llrp_set_signed(e, "ReceiveSensitivityValue", deaf_db(i));
	}
}

static void put_frequencies(const struct sim_reader *r, struct llrp_elem *band)
{
	struct llrp_elem *e = llrp_add(band, LLRP_P_FREQUENCY_INFORMATION);
	unsigned int n = rf_channels(r->cfg.region);
	uint32_t khz[RF_MAX_CHANNELS];

	for (unsigned int i = 0; i < n; i++)
		khz[i] = (uint32_t) (rf_channel_mhz(r->cfg.region, i + 1) * 1000 + 0.5);
	if (r->cfg.region == RF_ETSI) {
		llrp_set(e, "Hopping", 0);
		llrp_set_u32v(llrp_add(e, LLRP_P_FIXED_FREQUENCY_TABLE), "Frequency", khz, n);
		return;
	}
	llrp_set(e, "Hopping", 1);
	e = llrp_add(e, LLRP_P_FREQUENCY_HOP_TABLE);
	llrp_set(e, "HopTableID", HOP_TABLE_ID);
	llrp_set_u32v(e, "Frequency", khz, n);
}

static void put_modes(struct llrp_elem *band)
{
	struct llrp_elem *table = llrp_add(band, LLRP_P_C1G2_UHF_RF_MODE_TABLE);
	size_t n;
	const struct gen2_mode *modes = gen2_modes(&n);

	for (size_t i = 0; i < n; i++) {
		struct llrp_elem *m = llrp_add(table, LLRP_P_C1G2_UHF_RF_MODE_TABLE_ENTRY);

		llrp_set(m, "ModeIdentifier", modes[i].id);
		llrp_set(m, "DRValue", 1);
		llrp_set(m, "MValue", modes[i].m);
		llrp_set(m, "ForwardLinkModulation", 2);
		llrp_set(m, "SpectralMaskIndicator", 2);
		llrp_set(m, "BDRValue", modes[i].blf_hz);
		llrp_set(m, "PIEValue", modes[i].pie);
		llrp_set(m, "MinTariValue", modes[i].tari_ns);
		llrp_set(m, "MaxTariValue", modes[i].tari_ns);
	}
}

static int power_cdbm(unsigned int index)
{
	return READER_LOWEST_CDBM + ((int) index - 1) * READER_POWER_STEP_CDBM;
}

void reader_put_regulatory(const struct sim_reader *r, struct llrp_elem *root)
{
	bool etsi = r->cfg.region == RF_ETSI;
	struct llrp_elem *e = llrp_add(root, LLRP_P_REGULATORY_CAPABILITIES), *band, *s;

	llrp_set(e, "CountryCode", etsi ? COUNTRY_DE : COUNTRY_US);
	llrp_set(e, "CommunicationsStandard", etsi ? STANDARD_ETSI : STANDARD_FCC);
	band = llrp_add(e, LLRP_P_UHF_BAND_CAPABILITIES);
	for (uint16_t i = 1; i <= READER_POWER_LEVELS; i++) {
		s = llrp_add(band, LLRP_P_TRANSMIT_POWER_LEVEL_TABLE_ENTRY);
		llrp_set(s, "Index", i);
		llrp_set_signed(s, "TransmitPowerValue", power_cdbm(i));
	}
	put_frequencies(r, band);
	put_modes(band);
}

/* --- settings of an antenna ------------------------------------------------------------------- */

struct antenna_settings antenna_settings_default(void)
{
	return (struct antenna_settings){
		.power = READER_POWER_LEVELS,
		.sensitivity = 1,
		.mode = DEFAULT_MODE,
		.session = DEFAULT_SESSION,
		.population = DEFAULT_POPULATION,
	};
}

void reader_put_antenna(const struct sim_reader *r, struct llrp_elem *root, uint16_t antenna)
{
	const struct antenna_settings *a = &r->set.antennas[antenna - 1];
	struct llrp_elem *e = llrp_add(root, LLRP_P_ANTENNA_CONFIGURATION), *s;

	llrp_set(e, "AntennaID", antenna);
	s = llrp_add(e, LLRP_P_RF_RECEIVER);
	llrp_set(s, "ReceiverSensitivity", a->sensitivity);
	s = llrp_add(e, LLRP_P_RF_TRANSMITTER);
	llrp_set(s, "HopTableID", r->cfg.region == RF_ETSI ? 0 : HOP_TABLE_ID);
	llrp_set(s, "ChannelIndex", r->cfg.region == RF_ETSI ? 1 : 0);
	llrp_set(s, "TransmitPower", a->power);
	s = llrp_add(e, LLRP_P_C1G2_INVENTORY_COMMAND);
	e = llrp_add(s, LLRP_P_C1G2_RF_CONTROL);
	llrp_set(e, "ModeIndex", a->mode);
	e = llrp_add(s, LLRP_P_C1G2_SINGULATION_CONTROL);
	llrp_set(e, "Session", a->session);
	llrp_set(e, "TagPopulation", a->population);
	llrp_set(e, "TagTransitTime", a->transit_ms);
}

static bool mode_known(uint64_t id)
{
	return id <= UINT32_MAX && gen2_mode_find((uint32_t) id)->id == id;
}

struct refusal antenna_config_check(const struct sim_reader *r, const struct llrp_elem *e)
{
	const struct llrp_elem *rx = llrp_find(e, LLRP_P_RF_RECEIVER);
	const struct llrp_elem *tx = llrp_find(e, LLRP_P_RF_TRANSMITTER);
	const struct llrp_elem *rf =
		llrp_find(llrp_find(e, LLRP_P_C1G2_INVENTORY_COMMAND), LLRP_P_C1G2_RF_CONTROL);
	uint64_t power = llrp_get(tx, "TransmitPower");

	if (llrp_get(e, "AntennaID") > r->cfg.n_antennas)
		return refuse_field(LLRP_P_ANTENNA_CONFIGURATION, 0, LLRP_A_OUT_OF_RANGE,
				    "no such antenna");
	if (rx && llrp_get(rx, "ReceiverSensitivity") > READER_SENSITIVITIES)
		return refuse_field(LLRP_P_RF_RECEIVER, 0, LLRP_A_OUT_OF_RANGE,
				    "no such index in the sensitivity table");
	if (tx && (power < 1 || power > READER_POWER_LEVELS))
		return refuse_field(LLRP_P_RF_TRANSMITTER, 2, LLRP_A_OUT_OF_RANGE,
				    "no such index in the power table");
	if (tx && llrp_get(tx, "HopTableID") > HOP_TABLE_ID)
		return refuse_field(LLRP_P_RF_TRANSMITTER, 0, LLRP_A_OUT_OF_RANGE,
				    "no such hop table");
	if (rf && !mode_known(llrp_get(rf, "ModeIndex")))
		return refuse_field(LLRP_P_C1G2_RF_CONTROL, 0, LLRP_A_INVALID, "no such link mode");
	return (struct refusal){0};
}

/** What it says of one antenna; what it leaves out stays. */
static void settings_take(const struct llrp_elem *e, bool impinj, struct antenna_settings *to)
{
	const struct llrp_elem *rx = llrp_find(e, LLRP_P_RF_RECEIVER);
	const struct llrp_elem *tx = llrp_find(e, LLRP_P_RF_TRANSMITTER);
	const struct llrp_elem *command = llrp_find(e, LLRP_P_C1G2_INVENTORY_COMMAND);
	const struct llrp_elem *rf = llrp_find(command, LLRP_P_C1G2_RF_CONTROL);
	const struct llrp_elem *s = llrp_find(command, LLRP_P_C1G2_SINGULATION_CONTROL);
	const struct llrp_elem *aware = llrp_find(s, LLRP_P_C1G2_STATE_AWARE_SINGULATION_ACTION);
	const struct llrp_elem *search = NULL;

	if (command && impinj)
		search = llrp_find_custom(command, LLRP_VENDOR_IMPINJ,
					  LLRP_IMPINJ_INVENTORY_SEARCH_MODE);
	if (rx)
		to->sensitivity = (uint16_t) MAX(llrp_get(rx, "ReceiverSensitivity"), UINT64_C(1));
	if (tx)
		to->power = (uint16_t) llrp_get(tx, "TransmitPower");
	if (rf)
		to->mode = (uint32_t) llrp_get(rf, "ModeIndex");
	if (s) {
		to->session = (uint8_t) llrp_get(s, "Session");
		to->population = (uint16_t) llrp_get(s, "TagPopulation");
		to->transit_ms = (uint32_t) llrp_get(s, "TagTransitTime");
	}
	/* Singulation by state asks for tags at A or at B, and for those alone. */
	if (llrp_get(command, "TagInventoryStateAware") && aware) {
		to->single_target = true;
		to->target_b = llrp_get(aware, "I");
	}
	if (search) {
		uint64_t mode = llrp_get(search, "InventorySearchMode");

		to->single_target = mode == SEARCH_SINGLE || mode == SEARCH_SUPPRESSED;
		to->target_b = false;
	}
}

void antenna_config_take(const struct sim_reader *r, const struct llrp_elem *e,
			 struct antenna_settings to[SIM_READER_MAX_ANTENNAS])
{
	uint16_t antenna = (uint16_t) llrp_get(e, "AntennaID");

	for (uint16_t i = 1; i <= r->cfg.n_antennas; i++) {
		if (antenna == 0 || antenna == i)
			settings_take(e, r->cfg.impinj, &to[i - 1]);
	}
}

/* --- for what feeds the reader ---------------------------------------------------------------- */

double sim_reader_power_db(const struct sim_reader *r, uint16_t antenna)
{
	if (antenna < 1 || antenna > r->cfg.n_antennas)
		return 0;
	return (r->active_antennas[antenna - 1].power - READER_POWER_LEVELS) *
	       READER_POWER_STEP_CDBM / 100.0;
}

void sim_reader_get_air(const struct sim_reader *r, uint16_t antenna, struct sim_reader_air *ret)
{
	struct antenna_settings a = antenna_settings_default();

	if (antenna >= 1 && antenna <= r->cfg.n_antennas)
		a = r->active_antennas[antenna - 1];
	*ret = (struct sim_reader_air){
		.power_dbm = power_cdbm(a.power) / 100.0,
		.deaf_db = deaf_db(a.sensitivity),
		.mode = a.mode,
		.session = a.session,
		.population = a.population,
		.transit_ms = a.transit_ms,
		.dual_target = !a.single_target,
		.target_b = a.target_b,
	};
}
