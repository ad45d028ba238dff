// SPDX-License-Identifier: LGPL-2.1-or-later
/* Places for programs that see packets of the guest's own: a hook of netfilter, and a route. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/lwtunnel.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "vm/guest/attach_to.h"

#define LO        1           /* the index of the loopback device */
#define OWN       "127.0.0.1" /* an address of lo */
#define ELSEWHERE "192.0.2.1" /* TEST-NET-1, RFC 5737: no host has it */
#define PORT      9           /* discard */

/* As the uapi headers have them in enums: linux/netfilter.h. */
#define PF_IPV4  2 /* NFPROTO_IPV4 */
#define LOCAL_IN 1 /* NF_INET_LOCAL_IN */

/* One packet of UDP. Nobody waits for it, and a program may drop it. */
static void send_packet(const char *address)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	_cleanup_close_ int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return;
	sendto(sock, "try", 3, MSG_DONTWAIT, (const struct sockaddr *)&to, sizeof(to));
}

#if HAS_LIBBPF_1(3)
void attach_netfilter(struct bpf_program *prog, struct attach_result *ret)
{
	DECLARE_LIBBPF_OPTS(bpf_netfilter_opts, opts, .pf = PF_IPV4, .hooknum = LOCAL_IN,
			    .priority = -128);
	struct bpf_link *link = bpf_program__attach_netfilter(prog, &opts);
	int err = errno;

	if (link)
		send_packet(OWN);
	errno = err;
	attach_take_link(link, "netfilter's local input of IPv4", ret);
}
#else
void attach_netfilter(struct bpf_program *prog, struct attach_result *ret)
{
	(void)prog;
	attach_say(ret, KT_ATTACH_NO_PLACE, "the guest's libbpf %s attaches none: 1.3 does",
		   libbpf_version_string());
}
#endif

/* --- a route --- */

struct request {
	struct nlmsghdr header;
	struct rtmsg route;
	char attributes[256];
};

static struct rtattr *put(struct request *r, unsigned short type, const void *data, size_t len)
{
	struct rtattr *a = (void *)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + RTA_ALIGN(a->rta_len);
	return a;
}

static void end_nested(const struct request *r, struct rtattr *a)
{
	a->rta_len = (unsigned short)((const char *)r + r->header.nlmsg_len - (char *)a);
}

/* Sends it, and reads what the kernel says: 0, or an errno. */
static int ask(int sock, struct request *r)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[512];
	} reply;
	ssize_t n;

	r->header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(sock, r, r->header.nlmsg_len, 0) < 0)
		return errno;
	n = recv(sock, &reply, sizeof(reply), 0);
	if (n < 0)
		return errno;
	if ((size_t)n < NLMSG_LENGTH(sizeof(reply.error)) || reply.header.nlmsg_type != NLMSG_ERROR)
		return EPROTO;
	return -reply.error.error;
}

/* "ip route add|del 192.0.2.1 dev lo encap bpf HOOK fd FD", "HOOK" being in, out, or xmit. */
static int change_route(int sock, unsigned short type, int prog_fd, unsigned short hook)
{
	struct request r = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(r.route)), .nlmsg_type = type},
		.route = {.rtm_family = AF_INET,
			  .rtm_dst_len = 32,
			  .rtm_table = RT_TABLE_MAIN,
			  .rtm_protocol = RTPROT_STATIC,
			  .rtm_scope = RT_SCOPE_LINK,
			  .rtm_type = RTN_UNICAST},
	};
	const unsigned short bpf = LWTUNNEL_ENCAP_BPF;
	struct rtattr *encap, *nested;
	struct in_addr to;
	const int lo = LO;

	if (type == RTM_NEWROUTE)
		r.header.nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	inet_pton(AF_INET, ELSEWHERE, &to);
	put(&r, RTA_DST, &to, sizeof(to));
	put(&r, RTA_OIF, &lo, sizeof(lo));
	if (type == RTM_NEWROUTE) {
		put(&r, RTA_ENCAP_TYPE, &bpf, sizeof(bpf));
		encap = put(&r, RTA_ENCAP | NLA_F_NESTED, NULL, 0);
		nested = put(&r, hook | NLA_F_NESTED, NULL, 0);
		put(&r, LWT_BPF_PROG_FD, &prog_fd, sizeof(prog_fd));
		put(&r, LWT_BPF_PROG_NAME, "try", 4);
		end_nested(&r, nested);
		end_nested(&r, encap);
	}
	return ask(sock, &r);
}

static unsigned short hook_of(const struct bpf_program *prog)
{
	switch ((int)bpf_program__type(prog)) {
	case BPF_PROG_TYPE_LWT_IN: return LWT_BPF_IN;
	case BPF_PROG_TYPE_LWT_OUT: return LWT_BPF_OUT;
	default: return LWT_BPF_XMIT;
	}
}

void attach_route(struct bpf_program *prog, struct attach_result *ret)
{
	_cleanup_close_ int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int err = sock < 0 ? errno
			   : change_route(sock, RTM_NEWROUTE, bpf_program__fd(prog), hook_of(prog));

	if (err == EOPNOTSUPP) {
		attach_say(ret, KT_ATTACH_NO_PLACE, "this kernel has no BPF for routes");
		return;
	}
	if (err) {
		attach_say_refused(ret, err, "a route over lo");
		return;
	}
	send_packet(ELSEWHERE);
	change_route(sock, RTM_DELROUTE, -1, 0);
	attach_say(ret, KT_ATTACH_DONE, "a route over lo");
}
