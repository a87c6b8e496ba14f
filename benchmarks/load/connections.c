/* Connection load: --connections at a time connect, send --send, read until the server closes, and
 * begin anew, for --milliseconds.
 *
 * A connection counts where it was answered, the answer has --expect in it, and the end was a clean
 * one; otherwise it is an error. */

#include "loopback.h"

enum { ANSWER = 4096, TOO_MANY_ERRORS = 1000 };

struct visit {
    int descriptor;
    bool asked;
    size_t got;
    char answer[ANSWER];
};

static long port, connections = 200, milliseconds = 1000;
static const char *question = "\r\n", *expected = "";
static long long answered, bytes;
static long errors;
static int epoll;

/* Sends the question; on loopback that mostly works at once after connect. */
static bool ask(struct visit *visit)
{
    size_t length = strlen(question);
    ssize_t sent = send(visit->descriptor, question, length, MSG_NOSIGNAL);
    if (sent < 0 && (would_block(sent) || errno == ENOTCONN))
        return true;
    visit->asked = true;
    return sent == (ssize_t)length;
}

static bool begin(struct visit *visit)
{
    struct sockaddr_in address = loopback(port);
    visit->asked = false;
    visit->got = 0;
    visit->descriptor = tcp_socket(SOCK_NONBLOCK);
    bool started = connect(visit->descriptor, (struct sockaddr *)&address, sizeof address) == 0 ||
                   errno == EINPROGRESS;
    started = started && ask(visit);
    if (started)
        watch(epoll, visit->descriptor, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, visit);
    return started;
}

/* Ends this visit and begins the next, as long as that makes sense. */
static void finish(struct visit *visit, bool good)
{
    for (;;) {
        close(visit->descriptor);
        answered += good;
        errors += !good;
        if (errors >= TOO_MANY_ERRORS || begin(visit))
            return;
        good = false;
    }
}

static bool as_expected(struct visit *visit)
{
    return visit->got > 0 && memmem(visit->answer, visit->got, expected, strlen(expected)) != NULL;
}

static void read_answer(struct visit *visit, bool closed)
{
    for (;;) {
        size_t room = sizeof visit->answer - visit->got;
        ssize_t got = recv(visit->descriptor, visit->answer + visit->got, room, 0);
        if (would_block(got))
            return;
        if (got > 0) {
            visit->got += (size_t)got;
            bytes += got;
            if (visit->got < sizeof visit->answer && !(closed && got < (ssize_t)room))
                continue;
        }
        finish(visit, got >= 0 && visit->got < sizeof visit->answer && as_expected(visit));
        return;
    }
}

static void advance(struct visit *visit, uint32_t events)
{
    if (events & EPOLLERR || (!visit->asked && events & EPOLLOUT && !ask(visit)))
        finish(visit, false);
    else if (events & (EPOLLIN | EPOLLRDHUP))
        read_answer(visit, events & EPOLLRDHUP);
}

int main(int count, char **words)
{
    read_settings(count, words,
                  (struct setting[]){
                      {"port", &port, 1, 65535, NULL},
                      {"connections", &connections, 1, MOST_CONNECTIONS, NULL},
                      {"milliseconds", &milliseconds, 1, MOST_MILLISECONDS, NULL},
                      {"send", NULL, 0, 0, &question},
                      {"expect", NULL, 0, 0, &expected},
                      {0},
                  });
    end_after(milliseconds + 20 * 1000);
    struct visit *visits = allocated((size_t)connections, sizeof *visits);
    epoll = new_epoll();
    double started = now(), deadline = started + (double)milliseconds / 1000;
    for (long at = 0; at < connections; at++)
        if (!begin(&visits[at]))
            finish(&visits[at], false);
    while (errors < TOO_MANY_ERRORS && now() < deadline) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, until(deadline));
        for (int at = 0; at < ready; at++)
            advance(events[at].data.ptr, events[at].events);
    }
    report(now() - started, answered, bytes, errors);
}
