/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a reader behind its client's back: cables, transmitters nearby, other people. */
#include "sim/reader_impl.h"

#include <errno.h>
#include <string.h>

#define EVENT_ANTENNA 8
#define HEADER_BYTES  10 /* of the ADD_ROSPEC around the parameter */

bool sim_reader_hears(const struct sim_reader *r, uint16_t antenna, uint16_t channel)
{
	uint32_t port =
		antenna >= 1 && antenna <= SIM_READER_MAX_ANTENNAS ? 1u << (antenna - 1) : 0;
	uint64_t here = channel >= 1 && channel <= 64 ? UINT64_C(1) << (channel - 1) : 0;

	return !((r->cables_off | r->cables_broken) & port || r->jammed & here);
}

bool reader_is_deaf(const struct sim_reader *r, const struct sim_tag_read *read)
{
	return !sim_reader_hears(r, read->antenna, read->channel);
}

static bool antenna_exists(const struct sim_reader *r, uint16_t antenna)
{
	return antenna >= 1 && antenna <= r->cfg.n_antennas;
}

int sim_reader_set_antenna(struct sim_reader *r, uint16_t antenna, bool connected)
{
	uint32_t bit = antenna_exists(r, antenna) ? 1u << (antenna - 1) : 0;
	struct llrp_msg *m;
	struct llrp_elem *e;

	if (!bit)
		return -ENOENT;
	if (connected == !(r->cables_off & bit))
		return 0;
	r->cables_off ^= bit;
	if (!r->client || r->holding || !r->set.notify[EVENT_ANTENNA])
		return 0;
	e = reader_event(r, &m);
	if (m) {
		e = llrp_add(e, LLRP_P_ANTENNA_EVENT);
		llrp_set(e, "EventType", connected);
		llrp_set(e, "AntennaID", antenna);
	}
	reader_event_send(r, m);
	return 0;
}

int sim_reader_set_cable(struct sim_reader *r, uint16_t antenna, bool sound)
{
	uint32_t bit = antenna_exists(r, antenna) ? 1u << (antenna - 1) : 0;

	if (!bit)
		return -ENOENT;
	r->cables_broken = sound ? r->cables_broken & ~bit : r->cables_broken | bit;
	return 0;
}

void sim_reader_jam(struct sim_reader *r, uint64_t channels)
{
	r->jammed = channels;
}

void sim_reader_set_room(struct sim_reader *r, size_t bytes)
{
	r->cfg.held_bytes = bytes;
}

/** The running ROSpec as it would be told after a change of its elements. */
static int rewrite(struct rospec *s)
{
	_cleanup_buf_ struct buf frame = BUF_INIT;
	int e = llrp_msg_encode(s->msg, &frame);
	uint8_t *raw;

	if (e < 0)
		return e;
	raw = malloc(frame.len - HEADER_BYTES);
	if (!raw)
		return -ENOMEM;
	s->raw_len = frame.len - HEADER_BYTES;
	memcpy(raw, frame.data + HEADER_BYTES, s->raw_len);
	free(s->raw);
	s->raw = raw;
	return 0;
}

static void meddle_antenna(struct llrp_elem *antenna, const struct sim_reader_meddling *m)
{
	struct llrp_elem *tx = llrp_find(antenna, LLRP_P_RF_TRANSMITTER);
	const struct llrp_elem *command = llrp_find(antenna, LLRP_P_C1G2_INVENTORY_COMMAND);
	struct llrp_elem *e;

	if (tx && m->power)
		llrp_set(tx, "TransmitPower", m->power);
	e = llrp_find(command, LLRP_P_C1G2_SINGULATION_CONTROL);
	if (e && m->session >= 0)
		llrp_set(e, "Session", (uint64_t) m->session);
}

static int meddle_rospec(struct sim_reader *r, const struct sim_reader_meddling *m)
{
	struct rospec *s = rospec_active(r);
	const struct llrp_elem *inventory =
		s ? llrp_find(s->aispec, LLRP_P_INVENTORY_PARAMETER_SPEC) : NULL;
	struct llrp_elem *antenna = llrp_find(inventory, LLRP_P_ANTENNA_CONFIGURATION);

	for (; antenna; antenna = llrp_find_next(antenna)) {
		meddle_antenna(antenna, m);
		antenna_config_take(r, antenna, r->active_antennas);
	}
	return s ? rewrite(s) : 0;
}

int sim_reader_meddle(struct sim_reader *r, const struct sim_reader_meddling *m)
{
	if (m->power > READER_POWER_LEVELS || m->session > 3)
		return -ERANGE;
	for (unsigned int i = 0; m->power && i < SIM_READER_MAX_ANTENNAS; i++)
		r->set.antennas[i].power = m->power;
	if (m->keepalive_ms >= 0) {
		r->set.keepalive_ms = (uint32_t) m->keepalive_ms;
		reader_keepalive_arm(r);
	}
	if (m->hold >= 0)
		r->set.hold_on_reconnect = m->hold > 0;
	if (m->events >= 0)
		for (unsigned int i = 0; i < READER_EVENT_TYPES; i++)
			r->set.notify[i] = m->events > 0;
	if (m->forget) {
		rospec_delete_all(r);
		return 0;
	}
	return m->power || m->session >= 0 ? meddle_rospec(r, m) : 0;
}
