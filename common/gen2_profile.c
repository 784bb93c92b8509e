/* SPDX-License-Identifier: Apache-2.0 */
#include "common/gen2_profile.h"

#include "common/util.h"
#include <string.h>

/* Miller 4 is the usual compromise between speed and robustness; more symbols a bit hear weaker
 * tags amid more noise, fewer read more tags a second. */
static const struct gen2_profile profiles[] = {
	{
		.name = "",
		.words = "a shop floor with some hundred tags, most of them at rest",
		.session = 1,
		.population = 32,
		.link_order = {2, 1, 3, 0},
		.adaptive = true,
	},
	{
		.name = "fast-moving",
		.words = "few tags that pass quickly: a conveyor, a fitting room's entrance",
		.session = 0,
		.population = 8,
		.link_order = {0, 1, 2, 3},
	},
	{
		.name = "dense-shelf",
		.words = "hundreds of tags at rest, close together: shelves, rails, a back room",
		.session = 2,
		.population = 256,
		.link_order = {3, 2, 1, 0},
		.adaptive = true,
	},
	{
		.name = "door",
		.words = "tags that walk by, each to be read many times: an exit, a portal",
		.session = 0,
		.population = 16,
		.link_order = {1, 2, 0, 3},
	},
};

const struct gen2_profile *gen2_profile_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++)
		if (strcmp(profiles[i].name, name ? name : "") == 0)
			return &profiles[i];
	return NULL;
}

const struct gen2_profile *gen2_profiles(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(profiles);
	return profiles;
}
