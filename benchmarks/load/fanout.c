/* Fan-out load: one publisher, --subscribers subscribers, messages of --size bytes, for --milliseconds.
 *
 * --protocol says how they talk: line (netkit's, everybody sees every line), nats, or redis. The
 * publisher is at most --window messages ahead of the slowest subscriber: 1 is one message at a time,
 * more is pipelined with a bound on what the server has to keep.
 *
 * The first message tells each subscriber how long a delivery is; the next CHECKED are compared byte
 * by byte. After that deliveries are counted by their bytes and discarded unread, so that the load is
 * no dearer than it must be. A delivery that is missing in the end, or too many, is an error.
 *
 * With --distinct 1 each subscriber names its subscription by a number of its own, all of as many
 * digits, where the protocol has such names. Beside the subscribers there may be --stalled ones, which
 * subscribe first of all, never read a message, and count for nothing: the server may let them go. */

#include "loopback.h"

enum {
    CHECKED = 100,
    BATCH = 1 << 16,      /* bytes of messages that are written at a time */
    DISCARD = 1 << 24,    /* bytes that are discarded at a time */
    LONGEST = 1 << 12,    /* bytes of one delivery */
    STRAY = 6 * 2,        /* bytes of the two PINGs that a NATS server sends unasked */
    DRAINING = 10,        /* seconds for the last deliveries */
    FIRST_NAME = 100000,  /* of a subscription, counted on from there; all have as many digits */
    HELLO = 128,          /* bytes of a subscription */
    NARROW = 4096,        /* bytes of a stalled subscriber's receive buffer */
};

struct protocol {
    const char *name;
    const char *subscribe, *subscribed; /* sent first, with the name in it; the end of what then comes */
    const char *introduce, *introduced; /* the same for the publisher */
    const char *before, *between, *after; /* a message is: before, size, between, text, after */
};

static const struct protocol protocols[] = {
    {"line", "", "", "", "", NULL, "", "\n"},
    {"nats", "CONNECT {\"verbose\":false}\r\nSUB bench %ld\r\nPING\r\n", "PONG\r\n",
     "CONNECT {\"verbose\":false}\r\nPING\r\n", "PONG\r\n", "PUB bench ", "\r\n", "\r\n"},
    {"redis", "SUBSCRIBE bench\r\n", "bench\r\n:1\r\n", "", "", "*3\r\n$7\r\nPUBLISH\r\n$5\r\nbench\r\n$",
     "\r\n", "\r\n"},
};

struct subscriber {
    int descriptor;
    long long bytes;
};

static long port, subscribers = 100, size = 64, milliseconds = 1000, window = 1, distinct, stalled;
static const char *protocol_name = "line";
static const struct protocol *protocol;
static struct subscriber *all;
static int publisher, epoll;
static char text[LONGEST / 2], message[LONGEST], delivery[LONGEST], *batch;
static long long message_length, delivery_length, batch_length, sent;

static void choose_protocol(void)
{
    for (size_t at = 0; at < sizeof protocols / sizeof *protocols; at++)
        if (strcmp(protocols[at].name, protocol_name) == 0)
            protocol = &protocols[at];
    if (protocol == NULL)
        fail("--protocol %s: line, nats or redis is right", protocol_name);
}

static void make_messages(void)
{
    memset(text, 'x', (size_t)size);
    if (protocol->before != NULL)
        message_length = snprintf(message, sizeof message, "%s%ld%s%s%s", protocol->before, size,
                                  protocol->between, text, protocol->after);
    else
        message_length = snprintf(message, sizeof message, "%s%s", text, protocol->after);
    long long count = BATCH / message_length;
    batch_length = count * message_length;
    batch = allocated((size_t)count, (size_t)message_length);
    for (long long at = 0; at < count; at++)
        memcpy(batch + at * message_length, message, (size_t)message_length);
}

static int introduced(const char *hello, const char *answer)
{
    int descriptor = connected(port);
    send_all(descriptor, hello, strlen(hello));
    skip_past(descriptor, answer);
    return descriptor;
}

static long name_of(long subscriber)
{
    return distinct ? FIRST_NAME + subscriber : 1;
}

static int subscribed(long subscriber)
{
    char hello[HELLO];
    snprintf(hello, sizeof hello, protocol->subscribe, name_of(subscriber));
    return introduced(hello, protocol->subscribed);
}

/* The publisher comes last: when the server hears of it, it knows all the others. */
static void open_all(void)
{
    for (long at = 0; at < stalled; at++)
        setsockopt(subscribed(subscribers + at), SOL_SOCKET, SO_RCVBUF, &(int){NARROW}, sizeof(int));
    for (long at = 0; at < subscribers; at++)
        all[at].descriptor = subscribed(at);
    publisher = introduced(protocol->introduce, protocol->introduced);
}

/* Reads one delivery of `length` bytes, or, where that is not known yet, one that has the text. */
static long long read_delivery(struct subscriber *subscriber, char *seen, long long length)
{
    long long got = 0;
    while (length ? got < length : !memmem(seen, (size_t)got, text, (size_t)size) || seen[got - 1] != '\n') {
        ssize_t more = recv(subscriber->descriptor, seen + got,
                            (size_t)((length ? length : LONGEST) - got), 0);
        if (more <= 0)
            fail("a subscriber got no message: %s", more ? strerror(errno) : "closed");
        got += more;
        if (got >= 6 && memcmp(seen, "PING\r\n", 6) == 0) {
            got -= 6;
            memmove(seen, seen + 6, (size_t)got);
        }
    }
    return got;
}

/* Makes `delivery`, which is the first subscriber's, that of another, by its subscription's name. */
static void make_delivery_of(long subscriber)
{
    char name[HELLO];
    int length = snprintf(name, sizeof name, "%ld", name_of(subscriber));
    static char *place; /* of the name in the delivery; NULL where it has none */
    if (subscriber == 0)
        place = distinct ? memmem(delivery, (size_t)delivery_length, name, (size_t)length) : NULL;
    if (place != NULL)
        memcpy(place, name, (size_t)length);
}

static void check_deliveries(void)
{
    char seen[LONGEST];
    send_all(publisher, message, (size_t)message_length);
    delivery_length = read_delivery(&all[0], delivery, 0);
    for (long at = 1; at < subscribers; at++)
        read_delivery(&all[at], seen, delivery_length);
    for (int round = 0; round < CHECKED; round++)
        send_all(publisher, message, (size_t)message_length);
    for (long at = 0; at < subscribers; at++) {
        make_delivery_of(at);
        for (int round = 0; round < CHECKED; round++) {
            read_delivery(&all[at], seen, delivery_length);
            if (memcmp(seen, delivery, (size_t)delivery_length) != 0)
                fail("a subscriber got something else than the message");
        }
    }
}

static void watch_all(void)
{
    do_not_block(publisher);
    watch(epoll, publisher, EPOLLIN | EPOLLOUT | EPOLLET, NULL);
    for (long at = 0; at < subscribers; at++) {
        do_not_block(all[at].descriptor);
        watch(epoll, all[at].descriptor, EPOLLIN, &all[at]);
    }
}

/* Messages that every subscriber has. */
static long long delivered(void)
{
    long long least = all[0].bytes;
    for (long at = 1; at < subscribers; at++)
        if (all[at].bytes < least)
            least = all[at].bytes;
    return least / delivery_length;
}

/* Sends up to the message `last`, whole or a part of it, as much as the server takes. */
static void publish(long long last)
{
    while (sent < last * message_length) {
        long long offset = sent % batch_length, left = last * message_length - sent;
        long long length = batch_length - offset < left ? batch_length - offset : left;
        ssize_t taken = send(publisher, batch + offset, (size_t)length, MSG_NOSIGNAL);
        if (would_block(taken))
            return;
        if (taken < 0)
            fail("the publisher was let go: %s", strerror(errno));
        sent += taken;
    }
}

static void discard(int descriptor, long long *count)
{
    ssize_t got = recv(descriptor, NULL, DISCARD, MSG_TRUNC | MSG_DONTWAIT);
    if (got == 0 || (got < 0 && !would_block(got)))
        fail("a client was let go: %s", got ? strerror(errno) : "closed");
    *count += got > 0 ? got : 0;
}

static void receive(int timeout)
{
    struct epoll_event events[EVENTS];
    long long replies = 0;
    int ready = epoll_wait(epoll, events, EVENTS, timeout);
    for (int at = 0; at < ready; at++) {
        struct subscriber *subscriber = events[at].data.ptr;
        if (subscriber != NULL)
            discard(subscriber->descriptor, &subscriber->bytes);
        else if (events[at].events & EPOLLIN)
            discard(publisher, &replies);
    }
}

/* What is missing or too much, in deliveries. */
static long wrong(long long messages)
{
    long count = 0;
    for (long at = 0; at < subscribers; at++) {
        long long more = all[at].bytes - messages * delivery_length;
        if (more < 0 || more > STRAY)
            count += (long)((more < 0 ? -more : more) / delivery_length) + 1;
    }
    return count;
}

static void run(void)
{
    double started = now(), deadline = started + (double)milliseconds / 1000;
    publish(window);
    while (now() < deadline) {
        receive(until(deadline));
        publish(delivered() + window);
    }
    long long messages = (sent + message_length - 1) / message_length;
    for (deadline += DRAINING; delivered() < messages && now() < deadline;) {
        publish(messages);
        receive(until(deadline));
    }
    double seconds = now() - started;
    long long bytes = 0;
    for (long at = 0; at < subscribers; at++)
        bytes += all[at].bytes;
    report(seconds, bytes / delivery_length, bytes, wrong(messages));
}

int main(int count, char **words)
{
    read_settings(count, words,
                  (struct setting[]){
                      {"port", &port, 1, 65535, NULL},
                      {"protocol", NULL, 0, 0, &protocol_name},
                      {"subscribers", &subscribers, 1, MOST_CONNECTIONS, NULL},
                      {"size", &size, 1, LONGEST / 4, NULL},
                      {"window", &window, 1, 1 << 20, NULL},
                      {"distinct", &distinct, 0, 1, NULL},
                      {"stalled", &stalled, 0, MOST_CONNECTIONS, NULL},
                      {"milliseconds", &milliseconds, 1, MOST_MILLISECONDS, NULL},
                      {0},
                  });
    end_after(milliseconds + 30 * 1000);
    all = allocated((size_t)subscribers, sizeof *all);
    epoll = new_epoll();
    choose_protocol();
    make_messages();
    open_all();
    check_deliveries();
    watch_all();
    run();
}
