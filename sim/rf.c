/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/rf.h"

#include "common/util.h"
#include "sim/rng.h"
#include <math.h>
#include <string.h>

#define LIGHT_M_MHZ     299.792458 /* metres that light goes in a microsecond */
#define POLARISATION_DB 3.0        /* circular to linear */
#define TAG_GAIN_DBI    2.15       /* half-wave dipole, across its axis */
#define MODULATION_DB   6.0        /* of what the tag took comes back as signal */
#define REFERENCE_M     1.0
#define NEAREST_M       0.15
#define FACES           6
#define RAYS            (FACES + RF_SCATTERERS)
#define THINGS          0.6 /* how well a thing reflects, against a face */
#define DIPOLE_REST     0.7 /* field of a ray that comes from anywhere */
#define NULL_FIELD      0.1 /* of a real tag along its axis: it is bent, and stands on something */
#define LEAST_FIELD     0.01
#define SHADOW_CELL_M   1.5
#define BODY_DB         8.0
#define PERSON_DB       9.0
#define PEOPLE_CELL_M   1.0
#define PEOPLE_US       INT64_C(4000000)

/* --- vectors ---------------------------------------------------------------------------------- */

static struct rf_vec minus(const struct rf_vec *a, const struct rf_vec *b)
{
	return (struct rf_vec){a->x - b->x, a->y - b->y, a->z - b->z};
}

static double dot(const struct rf_vec *a, const struct rf_vec *b)
{
	return a->x * b->x + a->y * b->y + a->z * b->z;
}

static double length(const struct rf_vec *a)
{
	return sqrt(dot(a, a));
}

static double distance(const struct rf_vec *a, const struct rf_vec *b)
{
	struct rf_vec d = minus(a, b);

	return MAX(length(&d), NEAREST_M);
}

/* --- the room --------------------------------------------------------------------------------- */

struct rf_room rf_free_space(void)
{
	return (struct rf_room){.exponent = 2, .height = 3};
}

void rf_room_furnish(struct rf_room *room)
{
	for (uint64_t i = 0; i < RF_SCATTERERS; i++) {
		struct rf_vec *s = &room->scatterers[i];

		s->x = room->x0 + (room->x1 - room->x0) * sim_hash_unit(room->seed, i, 1);
		s->y = room->y0 + (room->y1 - room->y0) * sim_hash_unit(room->seed, i, 2);
		s->z = room->height * sim_hash_unit(room->seed, i, 3);
	}
}

static const struct {
	double base_mhz, step_mhz;
	unsigned int n, stride; /**< the FCC's hop table visits every 17th, which comes to all 50 */
} bands[RF_REGIONS] = {
	[RF_FCC] = {902.75, 0.5, RF_MAX_CHANNELS, 17}, [RF_ETSI] = {865.7, 0.6, 4, 1}};

unsigned int rf_channels(enum rf_region region)
{
	return bands[region].n;
}

/** Where in the band a channel is. */
static unsigned int band_position(enum rf_region region, unsigned int channel)
{
	unsigned int n = bands[region].n;

	return (channel + n - 1) % n * bands[region].stride % n;
}

double rf_channel_mhz(enum rf_region region, unsigned int channel)
{
	return bands[region].base_mhz + bands[region].step_mhz * band_position(region, channel);
}

/* --- antennas --------------------------------------------------------------------------------- */

/** Share of the power at that cosine off boresight. */
static double beam(const struct rf_antenna *a, double cosine)
{
	const double behind = pow(10, -RF_FRONT_TO_BACK / 10);
	double half = cos(MIN(a->beam_deg, 170.0) / 2 * M_PI / 180);

	if (cosine <= 0)
		return behind;
	return MAX(pow(cosine, log(0.5) / log(half)), behind);
}

static double share_towards(const struct rf_antenna *a, const struct rf_vec *towards)
{
	double len = length(towards);

	return len > 0 ? beam(a, dot(&a->boresight, towards) / len) : 1;
}

double rf_antenna_gain_dbi(const struct rf_antenna *a, const struct rf_vec *towards)
{
	return a->gain_dbi + 10 * log10(share_towards(a, towards));
}

double rf_dipole(const struct rf_vec *axis, const struct rf_vec *towards)
{
	double len = length(towards);
	double c = len > 0 ? dot(axis, towards) / len : 0;
	double s = sqrt(MAX(1 - c * c, 0));

	/* cos(pi/2 cos t) / sin t */
	return s < 1e-6 ? 0 : cos(M_PI / 2 * c) / s;
}

/* --- what stands in the way ------------------------------------------------------------------- */

static bool inside(const struct rf_walls *w, const struct rf_vec *v)
{
	return v->x >= w->x0 && v->x <= w->x1 && v->y >= w->y0 && v->y <= w->y1;
}

static double walls_db(const struct rf_room *room, const struct rf_vec *a, const struct rf_vec *b)
{
	double db = 0;

	for (size_t i = 0; i < room->n_walls; i++) {
		if (inside(&room->walls[i], a) != inside(&room->walls[i], b))
			db += room->walls[i].loss_db;
	}
	return db;
}

/** About normal, from four uniform numbers of a cell. */
static double cell_normal(uint64_t seed, uint32_t antenna, int64_t x, int64_t y)
{
	double sum = 0;

	for (uint64_t i = 0; i < 4; i++)
		sum += sim_hash_unit(seed ^ antenna << 8 ^ i, (uint64_t) x, (uint64_t) y);
	return (sum - 2) * sqrt(3);
}

/** Shelves: a field that goes smoothly over from one cell of the floor to the next. */
static double shadow_db(const struct rf_room *room, const struct rf_antenna *a,
			const struct rf_vec *at)
{
	double x = at->x / SHADOW_CELL_M, y = at->y / SHADOW_CELL_M;
	int64_t i = (int64_t) floor(x), k = (int64_t) floor(y);
	double u = x - floor(x), v = y - floor(y);
	double sum = 0, norm = 0;

	if (room->shadow_db <= 0)
		return 0;
	for (int corner = 0; corner < 4; corner++) {
		double w = (corner & 1 ? u : 1 - u) * (corner & 2 ? v : 1 - v);

		sum += w * cell_normal(room->seed, a->id, i + (corner & 1), k + (corner >> 1));
		norm += w * w;
	}
	return room->shadow_db * sum / sqrt(norm);
}

/** Whoever carries it goes behind it: antennas ahead see the item, those behind see a body. */
static double carrier_db(const struct rf_antenna *a, const struct rf_tag *tag)
{
	struct rf_vec to = minus(&a->at, &tag->at);
	double speed = length(&tag->velocity), len = length(&to);

	if (!tag->carried || speed <= 0 || len <= 0)
		return 0;
	return BODY_DB * MAX(-dot(&to, &tag->velocity) / (speed * len), 0.0);
}

double rf_people_db(const struct rf_room *room, const struct rf_antenna *a, const struct rf_vec *at,
		    int64_t at_us)
{
	uint64_t x = (uint64_t) (int64_t) floor(at->x / PEOPLE_CELL_M);
	uint64_t y = (uint64_t) (int64_t) floor(at->y / PEOPLE_CELL_M);
	uint64_t cell = (x << 32 ^ y << 8 ^ a->id) + room->seed * 31;
	/* Not all cells change at once. */
	int64_t t = at_us + (int64_t) (sim_hash_unit(cell, 5, 0) * (double) PEOPLE_US);

	if (room->people <= 0)
		return 0;
	return sim_hash_unit(cell, 6, (uint64_t) (t / PEOPLE_US)) < room->people ? PERSON_DB : 0;
}

/* --- rays ------------------------------------------------------------------------------------- */

double rf_mean_tag_db(const struct rf_room *room, const struct rf_antenna *a,
		      const struct rf_tag *tag)
{
	struct rf_vec to = minus(&tag->at, &a->at);
	double d = distance(&a->at, &tag->at);
	double loss =
		20 * log10(4 * M_PI * REFERENCE_M * rf_channel_mhz(room->region, 1) / LIGHT_M_MHZ);

	loss += (d > REFERENCE_M ? 10 * room->exponent : 20) * log10(d / REFERENCE_M);
	return rf_antenna_gain_dbi(a, &to) + TAG_GAIN_DBI - POLARISATION_DB - a->cable_db - loss -
	       walls_db(room, &a->at, &tag->at) - carrier_db(a, tag) + shadow_db(room, a, &tag->at);
}

struct ray {
	double field; /**< against the direct one, across the dipole */
	double m;     /**< its length */
};

/** Light that met a face looks as if it came from behind that face. */
static struct rf_vec mirrored(const struct rf_room *room, const struct rf_vec *v, int face)
{
	struct rf_vec m = *v;
	double at[FACES] = {room->x0, room->x1, room->y0, room->y1, 0, room->height};

	if (face < 2)
		m.x = 2 * at[face] - m.x;
	else if (face < 4)
		m.y = 2 * at[face] - m.y;
	else
		m.z = 2 * at[face] - m.z;
	return m;
}

static size_t rays_of(const struct rf_room *room, const struct rf_antenna *a,
		      const struct rf_tag *tag, struct ray ret[RAYS + 1])
{
	struct rf_vec to = minus(&tag->at, &a->at);
	double direct = distance(&a->at, &tag->at), towards = share_towards(a, &to);
	size_t n = 1;

	ret[0] = (struct ray){MAX(rf_dipole(&tag->axis, &to), NULL_FIELD), direct};
	if (room->reflection <= 0)
		return n;
	for (int face = 0; face < FACES; face++) {
		/* To the mirrored tag is as far as from the mirrored antenna. */
		struct rf_vec image = mirrored(room, &tag->at, face);
		struct rf_vec way = minus(&image, &a->at);
		double m = distance(&a->at, &image);

		/* A reflection turns the field over. */
		ret[n++] = (struct ray){-room->reflection * DIPOLE_REST * (direct / m) *
						sqrt(share_towards(a, &way) / towards),
					m};
	}
	for (size_t i = 0; i < RF_SCATTERERS; i++) {
		struct rf_vec way = minus(&room->scatterers[i], &a->at);
		double m = distance(&a->at, &room->scatterers[i]) +
			   distance(&room->scatterers[i], &tag->at);

		ret[n++] = (struct ray){-room->reflection * THINGS * DIPOLE_REST * (direct / m) *
						sqrt(share_towards(a, &way) / towards),
					m};
	}
	return n;
}

/** Adds up the rays at a wave number (turns a metre). */
static void add_up(const struct ray *rays, size_t n, double per_m, double *ret_re, double *ret_im)
{
	double re = 0, im = 0;

	for (size_t i = 0; i < n; i++) {
		double turns = rays[i].m * per_m;
		double angle = 2 * M_PI * (turns - floor(turns));

		re += rays[i].field * cos(angle);
		im += rays[i].field * sin(angle);
	}
	*ret_re = re;
	*ret_im = im;
}

static double field_db(double re, double im)
{
	return 10 * log10(MAX(re * re + im * im, LEAST_FIELD * LEAST_FIELD));
}

void rf_fading_db(const struct rf_room *room, const struct rf_antenna *a, const struct rf_tag *tag,
		  float ret_db[RF_MAX_CHANNELS])
{
	double re[RF_MAX_CHANNELS] = {0}, im[RF_MAX_CHANNELS] = {0};
	unsigned int n_channels = bands[room->region].n;
	struct ray rays[RAYS + 1];
	size_t n = rays_of(room, a, tag, rays);

	/* Channels lie at equal steps: each ray turns by the same angle from one to the next. */
	for (size_t i = 0; i < n; i++) {
		double turn = 2 * M_PI * rays[i].m / LIGHT_M_MHZ;
		double c = rays[i].field * cos(turn * bands[room->region].base_mhz);
		double s = rays[i].field * sin(turn * bands[room->region].base_mhz);
		double dc = cos(turn * bands[room->region].step_mhz);
		double ds = sin(turn * bands[room->region].step_mhz);

		for (unsigned int k = 0; k < n_channels; k++) {
			double next = c * dc - s * ds;

			re[k] += c;
			im[k] += s;
			s = s * dc + c * ds;
			c = next;
		}
	}
	for (unsigned int channel = 1; channel <= n_channels; channel++) {
		unsigned int k = band_position(room->region, channel);

		ret_db[channel - 1] = (float) field_db(re[k], im[k]);
	}
}

struct rf_link rf_link_on(const struct rf_room *room, const struct rf_antenna *a,
			  const struct rf_tag *tag, unsigned int channel)
{
	double mhz = rf_channel_mhz(room->region, channel), re, im, tag_db;
	struct ray rays[RAYS + 1];
	size_t n = rays_of(room, a, tag, rays);
	struct rf_vec to = minus(&tag->at, &a->at);
	double len = length(&to), offset = sim_hash_unit(room->seed, a->id, 1000 + channel);

	add_up(rays, n, mhz / LIGHT_M_MHZ, &re, &im);
	tag_db = rf_mean_tag_db(room, a, tag) + field_db(re, im);
	return (struct rf_link){
		.tag_db = tag_db,
		/* Back over the same way, with what the antenna and the tag add again. */
		.rssi_db = 2 * tag_db - MODULATION_DB,
		/* What comes back later lags behind. */
		.turns = offset - 2 * atan2(im, re) / (2 * M_PI),
		.radial_m = len > 0 ? dot(&tag->velocity, &to) / len : 0,
	};
}

uint16_t rf_phase_steps(double turns)
{
	return (uint16_t) ((unsigned int) lround((turns - floor(turns)) * RF_PHASE_TURN) %
			   RF_PHASE_TURN);
}

double rf_doppler_16hz(double radial_m, double mhz)
{
	return -2 * radial_m * mhz / LIGHT_M_MHZ * 16;
}
