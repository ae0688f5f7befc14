/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The relay. See tty_relay.h. */
#include "cli/tty_relay.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/parse.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	/* A write to a terminal may block even after poll() if it does not fit: small pieces. */
	INPUT_CHUNK = 256,
	OUTPUT_CHUNK = 16384,
	END_OF_TRANSMISSION = 4,
};

static const int relayed_signals[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGWINCH};

typedef struct RelayState {
	const Relay *relay;
	int signal_fd;
	int console_fd, own_console_fd; /* the second is to be closed */
	DetachKeys keys;
	bool input_open, console_open;
	bool left;                                 /* the detach keys were typed */
	char input[INPUT_CHUNK + DETACH_KEYS_MAX]; /* read, not yet written to the console */
	size_t input_size;
} RelayState;

static void fill_mask(sigset_t *mask) {
	sigemptyset(mask);
	array_foreach (signal_number, relayed_signals)
		sigaddset(mask, *signal_number);
}

void tty_session_make_raw(TtySession *session, int fd) {
	if (fd < 0 || tcgetattr(fd, &session->saved) < 0)
		return;
	struct termios changed = session->saved;
	cfmakeraw(&changed);
	if (tcsetattr(fd, TCSADRAIN, &changed) == 0)
		session->raw_fd = fd;
}

TtySession tty_session_begin(int fd) {
	TtySession session = {.raw_fd = -1};
	sigset_t mask;

	fill_mask(&mask);
	sigprocmask(SIG_BLOCK, &mask, &session.saved_mask);
	tty_session_make_raw(&session, fd);
	return session;
}

void tty_session_end(TtySession *session) {
	if (session->raw_fd >= 0)
		(void)tcsetattr(session->raw_fd, TCSADRAIN, &session->saved);
	session->raw_fd = -1;
	sigprocmask(SIG_SETMASK, &session->saved_mask, NULL);
}

int tty_signals_open(GError **err) {
	sigset_t mask;

	fill_mask(&mask);
	int fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		fail_errno(err, errno, "cannot wait for signals");
	return fd;
}

void tty_window_size(int fd, unsigned *ret_rows, unsigned *ret_columns) {
	struct winsize size;

	*ret_rows = *ret_columns = 0;
	if (fd < 0 || ioctl(fd, TIOCGWINSZ, &size) < 0)
		return;
	*ret_rows = size.ws_row;
	*ret_columns = size.ws_col;
}

static void copy_window_size(const RelayState *state) {
	struct winsize size;

	if (state->console_fd >= 0 && state->relay->in_fd >= 0 &&
		ioctl(state->relay->in_fd, TIOCGWINSZ, &size) == 0)
		(void)ioctl(state->console_fd, TIOCSWINSZ, &size);
}

static void use_console(RelayState *state, int console_fd) {
	state->console_fd = console_fd;
	state->console_open = console_fd >= 0;
	state->input_open = state->console_open && state->relay->in_fd >= 0;
	state->input_size = 0;
	copy_window_size(state);
}

static bool set_up(RelayState *state, GError **err) {
	state->signal_fd = tty_signals_open(err);
	if (state->signal_fd < 0)
		return false;
	/* Only what somebody types is looked at: bytes of a pipe may be anything. */
	if (state->relay->in_fd >= 0 && isatty(state->relay->in_fd))
		state->keys = state->relay->keys;
	use_console(state, state->relay->console_fd);
	return true;
}

static bool handle_signals(RelayState *state, GError **err) {
	const Relay *relay = state->relay;
	struct signalfd_siginfo info;

	while (read(state->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		int signal_number = (int)info.ssi_signo;
		if (signal_number == SIGWINCH)
			copy_window_size(state);
		else if (relay->on_signal)
			relay->on_signal(relay->data, signal_number);
		else
			return fail(err, ERROR_FAILED, "interrupted by %s, the container goes on",
				signal_to_string(signal_number));
	}
	return true;
}

static void read_input(RelayState *state) {
	char bytes[INPUT_CHUNK];
	ssize_t size = read(state->relay->in_fd, bytes, sizeof(bytes));

	if (size > 0) {
		state->left = detach_keys_scan(
			&state->keys, bytes, (size_t)size, state->input, &state->input_size);
	} else if (size == 0 || (errno != EINTR && errno != EAGAIN)) {
		/* The end of a pipe is what Ctrl-D is at a keyboard. */
		state->input[0] = END_OF_TRANSMISSION;
		state->input_size = 1;
		state->input_open = false;
	}
}

static void drop_input(RelayState *state) {
	state->input_open = false;
	state->input_size = 0;
}

static void write_input(RelayState *state) {
	ssize_t size = write(state->console_fd, state->input, state->input_size);

	if (size > 0) {
		memmove(state->input, state->input + size, state->input_size - (size_t)size);
		state->input_size -= (size_t)size;
	} else if (size < 0 && errno != EINTR && errno != EAGAIN) {
		drop_input(state);
	}
}

/* EIO is how a pty says that its other side is closed. */
static bool copy_output(RelayState *state, GError **err) {
	char buffer[OUTPUT_CHUNK];
	ssize_t size = read(state->console_fd, buffer, sizeof(buffer));

	if (size < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (size <= 0) {
		state->console_open = false;
		return true;
	}
	return fd_write_all(state->relay->out_fd, buffer, (size_t)size, "standard output", err);
}

static bool drain_output(RelayState *state, GError **err) {
	struct pollfd poll_fd = {.fd = state->console_fd, .events = POLLIN};

	while (state->console_open && state->relay->out_fd >= 0 && poll(&poll_fd, 1, 0) > 0)
		if (!copy_output(state, err))
			return false;
	return true;
}

/* What was typed before the detach keys, unless the console has no room. */
static bool give_last_input(RelayState *state) {
	struct pollfd poll_fd = {.fd = state->console_fd, .events = POLLOUT};

	if (state->input_size > 0 && poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLOUT))
		write_input(state);
	return true;
}

/* True if it goes on with another console. */
static bool take_next_console(RelayState *state) {
	const Relay *relay = state->relay;
	int fd = relay->next_console ? relay->next_console(relay->end_fd) : -1;

	if (fd < 0)
		return false;
	close_fd_ptr(&state->own_console_fd);
	state->own_console_fd = fd;
	use_console(state, fd);
	return true;
}

static bool copy_until_end(RelayState *state, GError **err) {
	const Relay *relay = state->relay;
	bool copies = relay->out_fd >= 0;

	while (relay->end_fd >= 0 && !state->left) {
		short console_events = 0;
		if (state->console_open && copies)
			console_events |= POLLIN;
		if (state->input_size > 0)
			console_events |= POLLOUT;
		struct pollfd fds[] = {
			{.fd = relay->end_fd, .events = POLLIN},
			{.fd = state->signal_fd, .events = POLLIN},
			{.fd = console_events ? state->console_fd : -1, .events = console_events},
			{.fd = state->input_open && state->input_size == 0 ? relay->in_fd : -1,
				.events = POLLIN},
		};
		if (poll(fds, ARRAY_LENGTH(fds), -1) < 0 && errno != EINTR)
			return fail_errno(err, errno, "cannot wait for the container");
		if ((fds[1].revents & POLLIN) && !handle_signals(state, err))
			return false;
		if (fds[3].revents)
			read_input(state);
		if (fds[2].revents & POLLOUT)
			write_input(state);
		if ((fds[2].revents & (POLLIN | POLLHUP | POLLERR)) && copies &&
			!copy_output(state, err))
			return false;
		if ((fds[2].revents & POLLHUP) && !copies)
			drop_input(state);
		if (fds[0].revents && !take_next_console(state))
			break;
	}
	return state->left ? give_last_input(state) : drain_output(state, err);
}

bool tty_relay_run(const Relay *relay, bool *ret_left, GError **err) {
	RelayState state = {
		.relay = relay, .signal_fd = -1, .console_fd = -1, .own_console_fd = -1};

	bool good = set_up(&state, err) && copy_until_end(&state, err);
	close_fd_ptr(&state.signal_fd);
	close_fd_ptr(&state.own_console_fd);
	if (ret_left)
		*ret_left = good && state.left;
	return good;
}
