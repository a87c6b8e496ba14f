/* Echo load: each of --connections connections sends --size bytes, waits until they are back, and
 * sends them again, for --milliseconds.
 *
 * With --connect PORT each first asks, as a client of an HTTP proxy, for a tunnel to that port. With
 * --tls 1 there is TLS on each, and all handshakes are done before the clock starts. The first
 * connection compares every byte that comes back and the others those of their first round; after
 * that they count and discard, so that the load is no dearer than it must be. */

#include "stream.h"

struct connection {
    struct stream stream;
    size_t sent, got; /* of the current round */
    bool compares, ended;
};

static long port, connections = 100, size = 64, milliseconds = 1000, tunnel_to, tls;
static long long rounds, bytes;
static long errors, alive;
static char *message, *returned;

static void end(struct connection *connection)
{
    close(connection->stream.descriptor);
    connection->ended = true;
    errors++;
    alive--;
}

static void send_more(struct connection *connection)
{
    while (connection->sent < (size_t)size) {
        ssize_t sent = put(&connection->stream, message + connection->sent,
                           (size_t)size - connection->sent);
        if (would_block(sent))
            return;
        if (sent < 0) {
            end(connection);
            return;
        }
        connection->sent += (size_t)sent;
    }
}

/* Takes up to the rest of the round; returns false where there is nothing more to take now. */
static bool take_more(struct connection *connection)
{
    size_t wanted = (size_t)size - connection->got;
    ssize_t got = take(&connection->stream, returned, wanted, !connection->compares);
    if (would_block(got))
        return false;
    if (got <= 0 || (connection->compares && memcmp(returned, message + connection->got, (size_t)got))) {
        end(connection);
        return false;
    }
    connection->got += (size_t)got;
    bytes += got;
    return true;
}

static void advance(struct connection *connection, bool first)
{
    send_more(connection);
    while (!connection->ended && take_more(connection)) {
        if (connection->got < (size_t)size)
            continue;
        rounds++;
        connection->sent = connection->got = 0;
        connection->compares = first;
        send_more(connection);
        return; /* what answers this is not here yet, and will be an event of its own */
    }
}

static void open_tunnel(int descriptor)
{
    char request[128];
    int length = snprintf(request, sizeof request,
                          "CONNECT 127.0.0.1:%ld HTTP/1.1\r\nHost: 127.0.0.1:%ld\r\n\r\n", tunnel_to,
                          tunnel_to);
    send_all(descriptor, request, (size_t)length);
    skip_past(descriptor, " 200 ");
    skip_past(descriptor, "\r\n\r\n");
}

static void open_all(struct connection *all, int epoll)
{
    SSL_CTX *settings = tls ? tls_settings() : NULL;
    for (long at = 0; at < connections; at++) {
        int descriptor = all[at].stream.descriptor = connected(port);
        all[at].compares = true;
        if (tunnel_to)
            open_tunnel(descriptor);
        if (settings != NULL && !secure(&all[at].stream, settings))
            fail("no handshake with port %ld", port);
        do_not_block(descriptor);
    }
    for (long at = 0; at < connections; at++)
        watch(epoll, all[at].stream.descriptor, EPOLLIN | EPOLLOUT | EPOLLET, &all[at]);
}

int main(int count, char **words)
{
    read_settings(count, words,
                  (struct setting[]){
                      {"port", &port, 1, 65535, NULL},
                      {"connections", &connections, 1, MOST_CONNECTIONS, NULL},
                      {"size", &size, 1, MOST_BYTES, NULL},
                      {"milliseconds", &milliseconds, 1, MOST_MILLISECONDS, NULL},
                      {"connect", &tunnel_to, 1, 65535, NULL},
                      {"tls", &tls, 0, 1, NULL},
                      {0},
                  });
    end_after(milliseconds + 20 * 1000);
    struct connection *all = allocated((size_t)connections, sizeof *all);
    message = allocated(1, (size_t)size);
    returned = allocated(1, (size_t)size);
    for (long at = 0; at < size; at++)
        message[at] = (char)('!' + at * 31 % 94);
    int epoll = new_epoll();
    open_all(all, epoll);
    alive = connections;
    double started = now(), deadline = started + (double)milliseconds / 1000;
    while (alive && now() < deadline) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, until(deadline));
        for (int at = 0; at < ready; at++)
            if (!((struct connection *)events[at].data.ptr)->ended)
                advance(events[at].data.ptr, events[at].data.ptr == all);
    }
    report(now() - started, rounds, bytes, errors);
}
