// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "introspect/emulator.h"
#include "util/cleanup.h"

/* "7.2.22Debian 1:7.2+dfsg-7+deb12u18\r\n", "11.1.0 (Debian 1:11.1.0+ds-1)\r\n" */
static void take_version(const char *text, struct emulator *ret)
{
	size_t len = strspn(text, "0123456789.");

	if (len < sizeof(ret->version))
		memcpy(ret->version, text, len);
}

/* "kvm support: enabled\r\n", "disabled", "not compiled" (hmp_info_kvm(), 7.2 to 11.1) */
static void take_kvm(const char *text, struct emulator *ret)
{
	static const char key[] = "kvm support: ";
	const char *value = strstr(text, key);

	if (!value)
		return;
	value += strlen(key);
	ret->kvm.value = !strncmp(value, "enabled", strlen("enabled"));
	ret->kvm.known = ret->kvm.value || !strncmp(value, "disabled", strlen("disabled")) ||
			 !strncmp(value, "not compiled", strlen("not compiled"));
}

struct kt_error *emulator_ask(struct rsp_client *client, struct emulator *ret)
{
	_cleanup_free_ char *version = NULL, *kvm = NULL;
	struct kt_error *err = rsp_client_monitor(client, "info version", &version);

	*ret = (struct emulator){0};
	if (!err)
		err = rsp_client_monitor(client, "info kvm", &kvm);
	if (err && kt_error_code(err) == KT_ERROR_UNSUPPORTED) {
		kt_error_destroy(err);
		return NULL;
	}
	if (err)
		return err;
	take_version(version, ret);
	take_kvm(kvm, ret);
	return NULL;
}
