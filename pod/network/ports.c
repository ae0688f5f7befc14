/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Claims of host ports. See ports.h. */
#include "network/ports.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "network/owner.h"
#include "network/subnet.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>

enum { CHOICES = 128, FIRST_CHOICE = 32768, LAST_CHOICE = 60999 };

typedef struct Claim {
	char *name;
	PortProtocol protocol;
	unsigned first, last;
	uint32_t address; /* 0: every address */
} Claim;

static void claim_free(Claim *claim) {
	g_free(claim->name);
	g_free(claim);
}

static const char *address_of(const PortMapping *port) {
	return port->host_address ? port->host_address : "0.0.0.0";
}

static Claim *claim_of(const PortMapping *port) {
	Claim *claim = g_new0(Claim, 1);

	claim->protocol = port->protocol;
	claim->first = port->host_port;
	claim->last = port->host_port + port->count - 1U;
	if (!subnet_parse_address(address_of(port), &claim->address))
		claim->address = 0;
	claim->name = g_strdup_printf("%s-%u-%u-%s", port_protocol_to_string(port->protocol),
		claim->first, claim->last, address_of(port));
	return claim;
}

static Claim *claim_parse(const char *name) {
	static const PortProtocol protocols[] = {PORT_TCP, PORT_UDP, PORT_SCTP};
	char word[8], address[16];
	Claim claim = {0};

	if (sscanf(name, "%7[a-z]-%u-%u-%15[0-9.]", word, &claim.first, &claim.last, address) !=
			4 ||
		!subnet_parse_address(address, &claim.address))
		return NULL;
	array_foreach (protocol, protocols) {
		if (strcmp(port_protocol_to_string(*protocol), word) == 0) {
			claim.protocol = *protocol;
			claim.name = g_strdup(name);
			return g_memdup2(&claim, sizeof claim);
		}
	}
	return NULL;
}

/* As bind(2) has it: the wildcard address meets every other. */
static bool claims_meet(const Claim *a, const Claim *b) {
	return a->protocol == b->protocol && a->first <= b->last && b->first <= a->last &&
	       (a->address == b->address || a->address == 0 || b->address == 0);
}

static int open_ports(int state_fd, GError **err) {
	_cleanup_close_ int dir_fd = fd_open_dir(state_fd, "ports", err);

	if (dir_fd < 0)
		return -1;
	if (flock(dir_fd, LOCK_EX) < 0) {
		fail_errno(err, errno, "cannot lock the ports");
		return -1;
	}
	return steal_fd(&dir_fd);
}

/* Every claim but the owner's own. */
static GPtrArray *load_claims(int dir_fd, const char *id, GError **err) {
	g_auto(GStrv) names = fd_list_dir(dir_fd, ".", err);

	if (!names)
		return NULL;
	GPtrArray *claims = g_ptr_array_new_with_free_func((GDestroyNotify)claim_free);
	for (char **name = names; *name; name++) {
		Claim *claim = owner_holds(dir_fd, *name, id) ? NULL : claim_parse(*name);
		if (claim)
			g_ptr_array_add(claims, claim);
	}
	return claims;
}

static const Claim *find_meeting(const GPtrArray *claims, const Claim *wanted) {
	for (guint i = 0; i < claims->len; i++)
		if (claims_meet(claims->pdata[i], wanted))
			return claims->pdata[i];
	return NULL;
}

/* Binds for a moment, as the only sure test that nobody of the host has the port. Returns 0, or an
 * errno; *port 0 is replaced by the kernel's choice. */
static int probe_bind(const PortMapping *mapping, uint16_t *port) {
	static const int types[] = {
		[PORT_TCP] = SOCK_STREAM, [PORT_UDP] = SOCK_DGRAM, [PORT_SCTP] = SOCK_STREAM};
	_cleanup_close_ int fd = socket(AF_INET, types[mapping->protocol] | SOCK_CLOEXEC,
		mapping->protocol == PORT_SCTP ? IPPROTO_SCTP : 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
	socklen_t size = sizeof address;

	if (fd < 0) /* a kernel without SCTP sockets has no process that listens on one */
		return mapping->protocol == PORT_SCTP && *port != 0 ? 0 : errno;
	/* connections in TIME_WAIT do not matter, listeners still do; for UDP the option would hide
	 * other users of it */
	if (mapping->protocol != PORT_UDP)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	inet_pton(AF_INET, address_of(mapping), &address.sin_addr);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return errno;
	if (*port == 0 && getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return errno;
	*port = ntohs(address.sin_port);
	return 0;
}

/* Free of listeners on every port of the range; *ret_port is the first that is not. */
static int probe_range(const PortMapping *mapping, unsigned *ret_port) {
	for (unsigned offset = 0; offset < mapping->count; offset++) {
		uint16_t port = (uint16_t)(mapping->host_port + offset);
		int errnum = probe_bind(mapping, &port);
		if (errnum != 0) {
			*ret_port = port;
			return errnum;
		}
	}
	return 0;
}

static unsigned choose_candidate(const PortMapping *mapping) {
	uint16_t port = 0, noise = 0;

	if (mapping->count == 1)
		return probe_bind(mapping, &port) == 0 ? port : 0;
	if (getrandom(&noise, sizeof noise, GRND_NONBLOCK) < 0)
		noise = 0;
	unsigned span = LAST_CHOICE - FIRST_CHOICE + 1U;
	return mapping->count < span ? FIRST_CHOICE + noise % (span - mapping->count) : 0;
}

static bool choose_port(const GPtrArray *claims, PortMapping *mapping, GError **err) {
	for (unsigned round = 0; round < CHOICES; round++) {
		unsigned candidate = choose_candidate(mapping), busy;
		if (candidate == 0)
			break;
		mapping->host_port = (uint16_t)candidate;
		Claim *claim = claim_of(mapping);
		bool met = find_meeting(claims, claim) != NULL;
		claim_free(claim);
		if (!met && (mapping->count == 1 || probe_range(mapping, &busy) == 0))
			return true;
	}
	mapping->host_port = 0;
	return fail(err, ERROR_IN_USE, "cannot publish port %u/%s: no free host port",
		mapping->container_port, port_protocol_to_string(mapping->protocol));
}

static bool check_port(int dir_fd, const GPtrArray *claims, const Claim *claim,
	const PortMapping *port, GError **err) {
	const char *protocol = port_protocol_to_string(port->protocol);
	const Claim *met = find_meeting(claims, claim);
	char holder[65] = "";
	unsigned busy;

	if (met) {
		ssize_t length = readlinkat(dir_fd, met->name, holder, sizeof holder - 1);
		holder[MAX(length, 0)] = '\0';
		return fail(err, ERROR_IN_USE, "cannot publish port %u/%s: in use by %.12s",
			MAX(claim->first, met->first), protocol, holder);
	}
	int errnum = probe_range(port, &busy);
	if (errnum == EADDRINUSE)
		return fail(err, ERROR_IN_USE, "cannot publish port %u/%s: address already in use",
			busy, protocol);
	if (errnum != 0)
		return fail_errno(err, errnum, "cannot publish port %s:%u/%s", address_of(port),
			busy, protocol);
	return true;
}

static bool claim_one(
	int dir_fd, const char *id, GPtrArray *claims, PortMapping *port, GError **err) {
	bool chosen = port->host_port == 0;

	if (chosen && !choose_port(claims, port, err))
		return false;
	Claim *claim = claim_of(port);
	if (!chosen && !check_port(dir_fd, claims, claim, port, err)) {
		claim_free(claim);
		return false;
	}
	g_ptr_array_add(claims, claim);
	if (symlinkat(id, dir_fd, claim->name) < 0 &&
		!(errno == EEXIST && owner_holds(dir_fd, claim->name, id)))
		return fail_errno(err, errno, "cannot publish port %u/%s", port->host_port,
			port_protocol_to_string(port->protocol));
	return true;
}

static bool release(
	int dir_fd, const char *id, const PortMapping *ports, size_t n_ports, GError **err) {
	for (size_t i = 0; i < n_ports; i++) {
		Claim *claim = claim_of(&ports[i]);
		int errnum = 0;
		if (owner_holds(dir_fd, claim->name, id) && unlinkat(dir_fd, claim->name, 0) < 0)
			errnum = errno;
		claim_free(claim);
		if (errnum != 0)
			return fail_errno(
				err, errnum, "cannot give back port %u", ports[i].host_port);
	}
	return true;
}

bool ports_claim(int state_fd, const char *id, PortMapping *ports, size_t n_ports, GError **err) {
	if (n_ports == 0)
		return true;
	_cleanup_close_ int dir_fd = open_ports(state_fd, err);
	if (dir_fd < 0)
		return false;
	g_autoptr(GPtrArray) claims = load_claims(dir_fd, id, err);
	if (!claims)
		return false;
	for (size_t i = 0; i < n_ports; i++) {
		if (!claim_one(dir_fd, id, claims, &ports[i], err)) {
			release(dir_fd, id, ports, i, NULL);
			return false;
		}
	}
	return true;
}

bool ports_release(
	int state_fd, const char *id, const PortMapping *ports, size_t n_ports, GError **err) {
	if (n_ports == 0)
		return true;
	_cleanup_close_ int dir_fd = fd_open_dir(state_fd, "ports", err);
	return dir_fd >= 0 && release(dir_fd, id, ports, n_ports, err);
}

bool ports_release_all(int state_fd, const char *id, GError **err) {
	_cleanup_close_ int dir_fd = fd_open_dir(state_fd, "ports", err);
	g_auto(GStrv) names = dir_fd >= 0 ? fd_list_dir(dir_fd, ".", err) : NULL;

	if (!names)
		return false;
	for (char **name = names; *name; name++)
		if (owner_holds(dir_fd, *name, id) && unlinkat(dir_fd, *name, 0) < 0)
			return fail_errno(err, errno, "cannot give back \"%s\"", *name);
	return true;
}

bool ports_is_claimed(int state_fd, const char *id, const PortMapping *port) {
	_cleanup_close_ int dir_fd = fd_open_dir(state_fd, "ports", NULL);
	Claim *claim = claim_of(port);
	bool claimed = dir_fd >= 0 && owner_holds(dir_fd, claim->name, id);

	claim_free(claim);
	return claimed;
}
