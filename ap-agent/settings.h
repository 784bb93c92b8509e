/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * gondola-agent.conf: the schema table and what the agent makes of it. One row of the table says
 * everything about a key; --help-config prints it.
 */
#pragma once

#include "common/conf.h"
#include "common/log.h"
#include "esl-radio/esl.h"

#define SETTINGS_DIAG_MAX 512

struct settings {
	struct conf *conf; /**< owns the strings */
	const char *state_dir;
	const char *controller; /**< "https://host:port" */
	const char *name;       /**< configured, or this machine's host name */
	const char *join_code_file;
	enum log_level log_level;
	uint32_t state_mib;
	uint32_t image_kib;
	bool radio;             /**< there is a label radio */
	char radio_address[32]; /**< "bluez:ADAPTER", when the driver says so */
	struct esl_engine_config engine;
	char host_name[64];
};

/** On failure `diag` has one line: "FILE:LINE: KEY: what is wrong". */
int settings_load(const char *file, struct settings *ret,
		  char diag[SETTINGS_DIAG_MAX]) _must_check_;
void settings_done(struct settings *s);
/** Prints the table of keys. */
void settings_print(FILE *out);
