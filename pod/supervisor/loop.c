/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life beside a container: see loop.h. */
#include "supervisor/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/attach.h"
#include "supervisor/handoff_read.h"
#include "supervisor/log_file.h"
#include "supervisor/notify.h"
#include "supervisor/streams.h"

#define TICK_USEC       SECOND_USEC /* only while there is output */
#define DRAIN_IDLE_USEC (SECOND_USEC / 10)
#define DRAIN_MAX_USEC  (2 * SECOND_USEC)
#define STATUS_UNKNOWN  (255 << 8) /* as if it had exited with 255 */

enum {
	POLL_STREAMS,
	POLL_SIGNALS = 2,
	POLL_NOTIFY,
	POLL_FRONT,
	POLL_ATTACH,
	POLL_COUNT = POLL_ATTACH + ATTACH_POLLS,
};

int loop_open_in(const char *directory, const char *name, int flags) {
	int dir_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -1;
	int fd = openat(dir_fd, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	int saved = errno;
	close(dir_fd);
	errno = saved;
	return fd;
}

static void signal_container(const Supervisor *s, int signal_number) {
	(void)syscall(SYS_pidfd_send_signal, s->handoff->init_pidfd, signal_number, NULL, 0);
}

static void write_cgroup(const Supervisor *s, const char *file, const char *word) {
	const char *cgroup = handoff_text(s, s->handoff->cgroup);
	int fd = cgroup ? loop_open_in(cgroup, file, O_WRONLY) : -1;
	if (fd < 0)
		return;
	(void)!write(fd, word, 1);
	close(fd);
}

/* The cgroup first: it takes what has left the first process's reach as well. */
static void kill_container(Supervisor *s) {
	write_cgroup(s, "cgroup.kill", "1");
	signal_container(s, SIGKILL);
	s->kill_usec = TIME_NEVER;
}

static void begin_stop(Supervisor *s) {
	if (s->handoff->stop_timeout_usec == 0) {
		kill_container(s);
		return;
	}
	signal_container(s, (int)s->handoff->stop_signal);
	/* a paused one could not answer */
	write_cgroup(s, "cgroup.freeze", "0");
	uint64_t kill_usec = usec_after(now_usec(), s->handoff->stop_timeout_usec);
	if (kill_usec < s->kill_usec)
		s->kill_usec = kill_usec;
}

/* The file comes first: whoever sees the container gone must see why. */
static void ask_stop(Supervisor *s) {
	int fd = loop_open_in(
		handoff_text(s, s->handoff->run_dir), HANDOFF_STOP_FILE, O_WRONLY | O_CREAT);
	if (fd >= 0)
		close(fd);
	if (s->stop_asked)
		return;
	s->stop_asked = true;
	if (!s->ended)
		begin_stop(s);
}

/* Reaps everything; with a shared pid namespace others than the container may be ours. */
static void reap(Supervisor *s) {
	int status;
	for (;;) {
		pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0 && errno == ECHILD && !s->ended) {
			/* Not our child: nobody will ever tell us more than that it is gone. */
			s->ended = true;
			s->wait_status = STATUS_UNKNOWN;
		}
		if (pid <= 0)
			return;
		if (pid == s->handoff->init_pid && !s->ended) {
			s->ended = true;
			s->wait_status = status;
		}
	}
}

static void handle_signals(Supervisor *s) {
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM)
			ask_stop(s);
		else if (info.ssi_signo == SIGUSR1 && s->handoff->log == HANDOFF_LOG_K8S_FILE)
			log_file_reopen(s);
	}
	reap(s);
}

static uint64_t earlier(uint64_t a, uint64_t b) {
	return a < b ? a : b;
}

static int poll_timeout(uint64_t until) {
	uint64_t now = now_usec();
	if (until == TIME_NEVER)
		return -1;
	if (until <= now)
		return 0;
	uint64_t milliseconds = (until - now + 999) / 1000;
	return milliseconds > 3600000 ? 3600000 : (int)milliseconds;
}

/* A second after the last output half a line is logged as it is and the pages are given back. */
static void tick(Supervisor *s, uint64_t now) {
	streams_log_partial(s, now - TICK_USEC);
	s->tick_usec = now + TICK_USEC;
	if (!s->active && streams_empty(s)) {
		(void)madvise(s->buffers, sizeof(*s->buffers), MADV_DONTNEED);
		s->tick_usec = TIME_NEVER;
	}
	s->active = false;
}

static void handle_timers(Supervisor *s) {
	uint64_t now = now_usec();

	if (now >= s->tick_usec)
		tick(s, now);
	if (now >= s->kill_usec && !s->ended)
		kill_container(s);
	if (now >= s->run_end_usec && !s->ended) {
		s->run_end_usec = TIME_NEVER;
		kill_container(s); /* as podman: it was not asked to end, it has had its time */
	}
}

/* After the end a terminal may still hand over bytes; a front that reads slowly gets its time,
 * until a stop is asked for. */
static void check_drain(Supervisor *s, bool moved, bool hold) {
	uint64_t now = now_usec();
	bool front_waits =
		s->streams[0].front < s->streams[0].end || s->streams[1].front < s->streams[1].end;

	if (s->stop_asked && front_waits)
		streams_close(s);
	if (moved || front_waits || hold)
		s->drain_idle_usec = now + DRAIN_IDLE_USEC;
	if (front_waits)
		s->drain_end_usec = now + DRAIN_MAX_USEC;
	if (now >= s->drain_idle_usec || now >= s->drain_end_usec)
		streams_close(s);
}

static void note_end(Supervisor *s) {
	uint64_t now = now_usec();
	s->kill_usec = s->run_end_usec = TIME_NEVER;
	s->drain_idle_usec = now + DRAIN_IDLE_USEC;
	s->drain_end_usec = now + DRAIN_MAX_USEC;
	streams_container_ended(s);
}

/* Remaining time of a container that may only run so long; the clock may have been set. */
static uint64_t run_end(const Supervisor *s) {
	struct timespec now;
	uint64_t limit = s->handoff->run_timeout_usec;
	if (limit == 0)
		return TIME_NEVER;
	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t real = (uint64_t)now.tv_sec * SECOND_USEC + (uint64_t)now.tv_nsec / 1000;
	uint64_t run = real > s->handoff->started_usec ? real - s->handoff->started_usec : 0;
	return usec_after(s->begun_usec, run < limit ? limit - run : 0);
}

static void note_activity(Supervisor *s) {
	if (s->tick_usec == TIME_NEVER)
		s->tick_usec = now_usec() + TICK_USEC;
	s->active = true;
}

/* The front process says nothing before the container's end; it leaves, or is gone. */
static void handle_front(Supervisor *s) {
	char byte;

	if (recv(s->handoff->front_fd, &byte, sizeof(byte), MSG_DONTWAIT) > 0)
		return;
	streams_drop_front(s);
	(void)shutdown(s->handoff->front_fd, SHUT_RDWR);
	s->front_gone = true;
}

/* What is waited for; returns how many. hold_usec: until when no output is to be read. */
static size_t fill_polls(const Supervisor *s, struct pollfd *polls, uint64_t hold_usec) {
	streams_poll(s, polls + POLL_STREAMS, hold_usec > 0);
	polls[POLL_SIGNALS] = (struct pollfd){.fd = s->signal_fd, .events = POLLIN};
	polls[POLL_NOTIFY] = (struct pollfd){.fd = s->handoff->notify_fd, .events = POLLIN};
	polls[POLL_FRONT] = (struct pollfd){.fd = s->handoff->front_fd, .events = POLLIN};
	if (s->ended || s->handoff->notify != HANDOFF_NOTIFY_CONTAINER)
		polls[POLL_NOTIFY].fd = -1;
	if (s->front_gone)
		polls[POLL_FRONT].fd = -1;
	return POLL_ATTACH + attach_poll(s, polls + POLL_ATTACH);
}

void loop_run(Supervisor *s) {
	struct pollfd polls[POLL_COUNT];

	s->begun_usec = now_usec();
	s->kill_usec = s->tick_usec = s->drain_idle_usec = s->drain_end_usec = TIME_NEVER;
	s->run_end_usec = run_end(s);
	/* It may have ended before the signal had a descriptor. */
	reap(s);
	if (s->ended)
		note_end(s);

	while (!s->ended || !streams_done(s)) {
		uint64_t hold_usec = attach_hold_until(s);
		size_t count = fill_polls(s, polls, hold_usec);
		uint64_t until = earlier(earlier(s->kill_usec, s->run_end_usec),
			earlier(s->tick_usec, earlier(s->drain_idle_usec, s->drain_end_usec)));
		if (hold_usec > 0)
			until = earlier(until, hold_usec);
		int n = poll(polls, count, poll_timeout(until));
		if (n < 0)
			memset(polls, 0, sizeof(polls));

		bool was_ended = s->ended;
		bool moved = n > 0 && streams_handle(s, polls + POLL_STREAMS);
		if (moved)
			note_activity(s);
		if (n > 0 && polls[POLL_NOTIFY].revents)
			notify_forward(s);
		if (n > 0 && polls[POLL_SIGNALS].revents)
			handle_signals(s);
		if (n > 0 && polls[POLL_FRONT].revents)
			handle_front(s);
		if (n > 0)
			attach_handle(s, polls + POLL_ATTACH, count - POLL_ATTACH);
		handle_timers(s);
		if (s->ended && !was_ended)
			note_end(s);
		if (s->ended)
			check_drain(s, moved, hold_usec > 0);
	}
	streams_close(s);
}

bool loop_stop_requested(const Supervisor *s) {
	int fd = loop_open_in(handoff_text(s, s->handoff->run_dir), HANDOFF_STOP_FILE, O_PATH);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool loop_wait_restart(Supervisor *s, uint64_t delay_usec) {
	uint64_t until = usec_after(now_usec(), delay_usec);
	struct pollfd signals = {.fd = s->signal_fd, .events = POLLIN};

	do {
		if (poll(&signals, 1, poll_timeout(until)) > 0)
			handle_signals(s);
	} while (!s->stop_asked && now_usec() < until);
	return !s->stop_asked && !loop_stop_requested(s);
}
