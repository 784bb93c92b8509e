/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The world that most tests of OpenEPaperLink labels begin with: one access point with five labels,
 * two packets of a hundred lost. Included by one file of a program.
 */
#pragma once

#include "tests/sim/oepl_world.h"
#include "tests/unit/test_common.h"

#define HOUR 3600

static const struct sim_oepl_config five = {
	.name = "ap", .type = 0x01, .tags = 5, .seed = 7, .loss = 0.02};

static struct oepl_world w;

static int start_five(void **state)
{
	(void) state;
	world_start(&w, &five);
	return 0;
}

static int stop(void **state)
{
	(void) state;
	world_stop(&w);
	return 0;
}

#define five_labels(test) cmocka_unit_test_setup_teardown(test, start_five, stop)
#define own_world(test)   cmocka_unit_test_teardown(test, stop)
