/* SPDX-License-Identifier: Apache-2.0 */
/* bluetoothd asks somebody about every pairing, even where there is nothing to compare (labels have
 * neither display nor keys for that). Labels this access point is visiting may pair; nobody else,
 * nor does anybody get a service of ours. */
#include "esl-radio/bluez/link_impl.h"

#include <string.h>

static bool is_visited(struct bluez_link *k, const char *path)
{
	char mine[BLUEZ_PATH_MAX];

	for (size_t i = 0; i < BLUEZ_VISITS_MAX; i++) {
		if (!k->visits[i])
			continue;
		bluez_device_path(k->objects, k->visits[i]->addr, mine);
		if (strcmp(mine, path) == 0)
			return true;
	}
	return false;
}

static DBusMessage *refuse(DBusMessage *m)
{
	return dbus_message_new_error(m, "org.bluez.Error.Rejected",
				      "Gondola pairs with the labels it visits, without codes.");
}

DBusMessage *bluez_agent_called(struct bluez_link *k, DBusMessage *m)
{
	const char *member = dbus_message_get_member(m), *path = NULL;
	DBusMessageIter i;

	if (!dbus_message_has_path(m, BLUEZ_AGENT_PATH) ||
	    !dbus_message_has_interface(m, BLUEZ_AGENT) || !member)
		return NULL;
	if (strcmp(member, "Release") == 0) {
		k->have_agent = false; /* bluetoothd goes, or wants no agent of ours any more */
		bluez_link_settle(k);
		return dbus_message_new_method_return(m);
	}
	if (strcmp(member, "Cancel") == 0)
		return dbus_message_new_method_return(m);
	if (strcmp(member, "RequestConfirmation") != 0 &&
	    strcmp(member, "RequestAuthorization") != 0)
		return refuse(m);
	if (dbus_message_iter_init(m, &i) &&
	    dbus_message_iter_get_arg_type(&i) == DBUS_TYPE_OBJECT_PATH)
		dbus_message_iter_get_basic(&i, &path);
	return path && is_visited(k, path) ? dbus_message_new_method_return(m) : refuse(m);
}
