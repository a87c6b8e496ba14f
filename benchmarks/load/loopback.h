/* What the load programs share: their settings, a clock, sockets on loopback, and the report.
 *
 * The rule they keep: they talk to 127.0.0.1 and to nothing else, every count and wait has a bound,
 * and what they found is one line of JSON on stdout. Exit codes: 0 with a report, 1 where there is
 * none (stderr says why), 142 (SIGALRM) where the program outlived its bound. */

#ifndef LOOPBACK_H
#define LOOPBACK_H

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_CONNECTIONS = 20000,
    MOST_BYTES = 1 << 20,          /* of one message */
    MOST_MILLISECONDS = 60 * 1000, /* of one run */
    PATIENCE = 5,                  /* seconds for an answer that everything else waits for */
    EVENTS = 256,                  /* taken from the kernel at a time */
};

/* One setting, written `--name value`: a number from `low` to `high`, or a text. */
struct setting {
    const char *name;
    long *number;
    long low, high;
    const char **text;
};

__attribute__((noreturn, format(printf, 1, 2))) static inline void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static inline void *allocated(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

static inline void set(const struct setting *setting, const char *value)
{
    if (setting->text != NULL) {
        *setting->text = value;
        return;
    }
    char *end;
    long number = strtol(value, &end, 10);
    if (*value == '\0' || *end != '\0' || number < setting->low || number > setting->high)
        fail("--%s %s: a number from %ld to %ld is right", setting->name, value, setting->low,
             setting->high);
    *setting->number = number;
}

/* Reads the command line into `settings`, which ends with a setting without a name. */
static inline void read_settings(int count, char **words, const struct setting *settings)
{
    for (int at = 1; at < count; at += 2) {
        const struct setting *setting = settings;
        while (setting->name != NULL &&
               (strncmp(words[at], "--", 2) != 0 || strcmp(words[at] + 2, setting->name) != 0))
            setting++;
        if (setting->name == NULL || at + 1 == count)
            fail("%s: not a setting, or without a value", words[at]);
        set(setting, words[at + 1]);
    }
}

/* The program ends at the latest after `milliseconds`, whatever else happens. */
static inline void end_after(long milliseconds)
{
    alarm((unsigned)(milliseconds / 1000 + 1));
}

/* Seconds on the monotonic clock. */
static inline double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Whole milliseconds from now to `deadline`, for epoll_wait; none where it is over. */
static inline int until(double deadline)
{
    double left = deadline - now();
    return left > 0 ? (int)(left * 1000) + 1 : 0;
}

static inline struct sockaddr_in loopback(long port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static inline int tcp_socket(int flags)
{
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (descriptor < 0)
        fail("no socket: %s", strerror(errno));
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return descriptor;
}

/* A socket that blocks waits no longer than PATIENCE. */
static inline void be_patient(int descriptor)
{
    struct timeval patience = {.tv_sec = PATIENCE};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

/* A socket connected to `port`, which blocks, but not for long. */
static inline int connected(long port)
{
    int descriptor = tcp_socket(0);
    struct sockaddr_in address = loopback(port);
    be_patient(descriptor);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0)
        fail("no connection to port %ld: %s", port, strerror(errno));
    return descriptor;
}

static inline void send_all(int descriptor, const char *text, size_t length)
{
    if (send(descriptor, text, length, MSG_NOSIGNAL) != (ssize_t)length)
        fail("not sent: %s", strerror(errno));
}

/* Reads up to the first `wanted` and not a byte further: what follows belongs to somebody else. */
static inline void skip_past(int descriptor, const char *wanted)
{
    char seen[8192];
    size_t length = 0, tail = strlen(wanted);
    while (length < tail || memcmp(seen + length - tail, wanted, tail) != 0) {
        if (length == sizeof seen)
            fail("%.100s: not the answer that was waited for", seen);
        ssize_t got = recv(descriptor, seen + length, 1, 0);
        if (got <= 0)
            fail("no answer: %s", got == 0 ? "closed" : strerror(errno));
        length++;
    }
}

static inline void do_not_block(int descriptor)
{
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

static inline int new_epoll(void)
{
    int descriptor = epoll_create1(EPOLL_CLOEXEC);
    if (descriptor < 0)
        fail("no epoll: %s", strerror(errno));
    return descriptor;
}

/* Watches `descriptor`; `data` comes back with its events. */
static inline void watch(int epoll, int descriptor, uint32_t events, void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = data};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) < 0)
        fail("cannot watch a socket: %s", strerror(errno));
}

static inline bool would_block(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

/* The report: what was counted in `seconds`, and the bytes of it that were received. */
static inline void report(double seconds, long long count, long long bytes, long errors)
{
    printf("{\"seconds\": %.6f, \"count\": %lld, \"bytes\": %lld, \"errors\": %ld}\n", seconds, count,
           bytes, errors);
    fflush(stdout);
}

#endif
