// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * qmp SOCKET COMMAND...: has QEMU execute each, a name or an object of JSON, and prints each reply,
 * a line each. qmp SOCKET --hold: keeps the monitor until its stdin ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static FILE *qmp;
static char line[1 << 20];

/* The next line that is no event. */
static const char *hear(void)
{
	do {
		if (!fgets(line, sizeof(line), qmp)) {
			fputs("qmp: QEMU is gone\n", stderr);
			exit(1);
		}
	} while (strstr(line, "\"event\": "));
	return line;
}

static const char *execute(const char *command)
{
	if (*command == '{')
		dprintf(fileno(qmp), "%s\n", command);
	else
		dprintf(fileno(qmp), "{\"execute\": \"%s\"}\n", command);
	return hear();
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte;

	if (argc < 3 || strlen(argv[1]) >= sizeof(addr.sun_path))
		return 2;
	strcpy(addr.sun_path, argv[1]);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    !(qmp = fdopen(fd, "r"))) {
		perror("qmp");
		return 1;
	}
	hear();
	execute("qmp_capabilities");
	if (!strcmp(argv[2], "--hold")) {
		puts("held");
		fflush(stdout);
		return read(0, &byte, 1) < 0;
	}
	for (int i = 2; i < argc; i++)
		fputs(execute(argv[i]), stdout);
	return 0;
}
