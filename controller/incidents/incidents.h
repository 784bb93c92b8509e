/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Incidents: what a person should look at, with the evidence and the next step. An incident is
 * named by its kind and its subject; while one is open, opening it again only renews its evidence,
 * and one that comes back within INCIDENT_SAME_US of its end is the same again, counted.
 *
 *     incidents.c       opening and closing (writer thread), telling browsers, retention
 *     incidents_api.c   /api/v1/incidents
 *
 * Kinds: silent-antenna antenna-off failing-reader interference drifted reader-buffer reader-down
 * agent-silent agent-clock radio-down radio-full radio-channels link-down link-flapping
 * link-half-duplex label-battery exit-unsold, and others with the prefixes
 * label- and radio-. Subjects name things that the controller itself knows ("agent:3/reader:dock/
 * antenna:2", "label:C0FFEE000001", "item:3034..."), so that nobody outside can make them up.
 *
 * A closed incident and its trail are kept for INCIDENT_KEEP_US, an open one for as long as it is.
 */
#pragma once

#include "common/sql.h"
#include "controller/app.h"
#include "controller/http/http.h"

#define INCIDENT_KIND_MAX    40  /**< bytes */
#define INCIDENT_SUBJECT_MAX 200 /**< bytes */
#define INCIDENT_TITLE_MAX   240 /**< bytes, as of the next step; longer ones are cut */
#define INCIDENT_STEP_MAX    480
#define INCIDENT_DETAIL_MAX  4096 /**< bytes of evidence */
#define INCIDENT_TRAIL_MAX   400  /**< changes kept of one; what people did always is */
#define INCIDENT_SAME_US     (INT64_C(1800) * US_PER_SEC)
#define INCIDENT_KEEP_US     (INT64_C(400) * 86400 * US_PER_SEC)

enum incident_severity {
	INCIDENT_NOTICE = 1,  /**< to be known */
	INCIDENT_WARNING = 2, /**< to be looked at in the next days */
	INCIDENT_GRAVE = 3,   /**< something does not work now */
};

struct incident_new {
	const char *kind;
	const char *subject;
	int64_t agent_id; /**< 0 = of none */
	enum incident_severity severity;
	const char *title;     /**< one sentence: what is wrong */
	const char *next_step; /**< what to do about it; may be NULL */
	const char *detail;    /**< the evidence, a JSON object; NULL = none */
};

/**
 * Opens an incident, or renews title, evidence, severity and next step of the one that is open.
 * On the writer thread, within the caller's write; call incidents_look() when that is done.
 * 1 = it was not open before, 0 = it was. -EINVAL if kind or subject are empty or too long.
 */
int incident_open(struct sql *s, const struct incident_new *n, int64_t now_us,
		  int64_t *ret_id) _must_check_;
/** 1 = closed, 0 = there was none open. `why` is a sentence. On the writer thread, likewise. */
int incident_close(struct sql *s, const char *kind, const char *subject, int64_t now_us,
		   const char *why) _must_check_;

/* --- the part, on the loop thread -------------------------------------------------------------
 */

struct incidents;

/** Needs app->loop, clock, db; http and events may be NULL. */
int incidents_new(struct app *app, struct incidents **ret) _must_check_;
void incidents_free(struct incidents *i);
/** Tells browsers what has changed; call it when a write that opened or closed some is done.
 * NULL-safe. Whoever forgets is caught up with within seconds. */
void incidents_look(struct incidents *i);
/** How many are open. */
int64_t incidents_open_count(struct app *app);

extern const struct http_route incident_routes[];

/* --- shared by the files of this room ---------------------------------------------------------
 */

/** Appends to the trail. Beyond INCIDENT_TRAIL_MAX only what people did. */
int incident_trail(struct sql *s, int64_t id, int64_t now_us, const char *what, const char *who,
		   const char *text) _must_check_;
/** Removes closed ones past their time, at most `max`. Returns how many. */
int incidents_prune(struct sql *s, int64_t now_us, size_t max) _must_check_;
const char *incident_severity_name(int64_t severity);
