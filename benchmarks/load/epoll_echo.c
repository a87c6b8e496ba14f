/* The yardstick of echo: a server as plain as one can write it in C, on level-triggered epoll.
 *
 * What does not fit into a client's socket is kept, at most one read of it, and nothing more is read
 * from that client until it is gone. It ends on SIGTERM, or by itself after --milliseconds. */

#include "loopback.h"

enum { READ_SIZE = 1 << 16 };

struct client {
    int descriptor;
    size_t kept, sent; /* bytes of `rest`, and how many of these are gone */
    char *rest;
};

static int epoll;

static void end(struct client *client)
{
    close(client->descriptor);
    free(client->rest);
    free(client);
}

static void wait_for(struct client *client, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = client};
    epoll_ctl(epoll, EPOLL_CTL_MOD, client->descriptor, &event);
}

static void keep(struct client *client, const char *bytes, size_t length)
{
    client->rest = allocated(1, length);
    memcpy(client->rest, bytes, length);
    client->kept = length;
    client->sent = 0;
    wait_for(client, EPOLLOUT);
}

static void echo(struct client *client)
{
    static char buffer[READ_SIZE];
    ssize_t got = recv(client->descriptor, buffer, sizeof buffer, 0);
    if (would_block(got))
        return;
    if (got <= 0) {
        end(client);
        return;
    }
    ssize_t sent = send(client->descriptor, buffer, (size_t)got, MSG_NOSIGNAL);
    if (sent < 0 && !would_block(sent))
        end(client);
    else if (sent < got)
        keep(client, buffer + (sent < 0 ? 0 : sent), (size_t)(got - (sent < 0 ? 0 : sent)));
}

static void send_rest(struct client *client)
{
    ssize_t sent = send(client->descriptor, client->rest + client->sent,
                        client->kept - client->sent, MSG_NOSIGNAL);
    if (would_block(sent))
        return;
    if (sent < 0) {
        end(client);
        return;
    }
    client->sent += (size_t)sent;
    if (client->sent == client->kept) {
        free(client->rest);
        client->rest = NULL;
        wait_for(client, EPOLLIN);
    }
}

static void accept_all(int listener)
{
    int descriptor;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct client *client = allocated(1, sizeof *client);
        client->descriptor = descriptor;
        watch(epoll, descriptor, EPOLLIN, client);
    }
}

static int listening(long port)
{
    int listener = tcp_socket(SOCK_NONBLOCK);
    struct sockaddr_in address = loopback(port);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0)
        fail("cannot listen on port %ld: %s", port, strerror(errno));
    return listener;
}

int main(int count, char **words)
{
    long port = 0, milliseconds = 600 * 1000;
    read_settings(count, words,
                  (struct setting[]){
                      {"port", &port, 1, 65535, NULL},
                      {"milliseconds", &milliseconds, 1, 3600 * 1000, NULL},
                      {0},
                  });
    end_after(milliseconds);
    epoll = new_epoll();
    int listener = listening(port);
    watch(epoll, listener, EPOLLIN, NULL);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int at = 0; at < ready; at++) {
            if (events[at].data.ptr == NULL)
                accept_all(listener);
            else if (events[at].events & EPOLLOUT)
                send_rest(events[at].data.ptr);
            else
                echo(events[at].data.ptr);
        }
    }
}
