/* SPDX-License-Identifier: Apache-2.0 */
/** @file What follows when a label refuses a command. Pure. */
#pragma once

#include <stdint.h>

/** Commands, by what their refusal means. */
enum esl_kind {
	ESL_KIND_SHOW,      /**< a picture now */
	ESL_KIND_TIMED,     /**< a picture at an instant */
	ESL_KIND_TAKE_BACK, /**< that deleted, in the train or over a connection */
	ESL_KIND_LED,
	ESL_KIND_SENSOR,
	ESL_KIND_UPKEEP, /**< ping, service reset */
	ESL_KIND_LEAVE,  /**< unassociate */
	ESL_KIND_COUNT
};

enum esl_reaction {
	ESL_REACT_AGAIN = 1, /**< said again at once, then ever more rarely */
	ESL_REACT_LATER,     /**< after a pause that doubles */
	ESL_REACT_BATTERY,   /**< after ten minutes */
	ESL_REACT_RESTAGE,   /**< its picture is sent again */
	ESL_REACT_RELEARN,   /**< what it is made of is read again too */
	ESL_REACT_TAKE_BACK, /**< the change that it holds is taken back first */
	ESL_REACT_RETIME,    /**< its clock is set again first */
	ESL_REACT_BY_HAND,   /**< not said any more: told when it is due instead */
	ESL_REACT_DONE,      /**< as good as done */
	ESL_REACT_GIVE_UP,   /**< told to who asked, and not said again */
};

/** abs_ms tells a timed change from its deletion. */
enum esl_kind esl_kind_of(uint8_t op, uint32_t abs_ms);
/** Any code has a reaction. */
enum esl_reaction esl_reaction_to(enum esl_kind kind, uint8_t code);
