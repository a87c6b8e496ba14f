/* Idle connections: each number on stdin is how many are to be open; once they are, the line
 * {"connections": N, "errors": E} says so; with --tls 1 each of them has shaken hands by then, and
 * with --send it has got an answer with --expect in it. They are held, in silence, until stdin
 * ends or --milliseconds are over. */

#include "stream.h"

enum { ANSWER = 8192 };

static const char *question = "", *expected = "";

/* Asks the question, if there is one; false where what was expected does not come. */
static bool answered(struct stream *stream)
{
    char seen[ANSWER];
    size_t length = 0, wanted = strlen(expected), asked = strlen(question);
    if (asked == 0)
        return true;
    if (put(stream, question, asked) != (ssize_t)asked)
        return false;
    while (memmem(seen, length, expected, wanted) == NULL) {
        ssize_t more = length < sizeof seen ? take(stream, seen + length, sizeof seen - length, false) : 0;
        if (more <= 0)
            return false;
        length += (size_t)more;
    }
    return true;
}

/* Returns whether that failed. With `settings` there is TLS on the connection. */
static bool open_one(long port, SSL_CTX *settings)
{
    struct stream stream = {.descriptor = tcp_socket(0)};
    struct sockaddr_in address = loopback(port);
    be_patient(stream.descriptor);
    if (connect(stream.descriptor, (struct sockaddr *)&address, sizeof address) < 0)
        return true;
    return (settings != NULL && !secure(&stream, settings)) || !answered(&stream);
}

int main(int count, char **words)
{
    long port = 0, milliseconds = 60 * 1000, wanted, opened = 0, tls = 0;
    read_settings(count, words,
                  (struct setting[]){
                      {"port", &port, 1, 65535, NULL},
                      {"milliseconds", &milliseconds, 1, MOST_MILLISECONDS, NULL},
                      {"tls", &tls, 0, 1, NULL},
                      {"send", NULL, 0, 0, &question},
                      {"expect", NULL, 0, 0, &expected},
                      {0},
                  });
    end_after(milliseconds);
    SSL_CTX *settings = tls ? tls_settings() : NULL;
    while (scanf("%ld", &wanted) == 1) {
        if (wanted < opened || wanted > MOST_CONNECTIONS)
            fail("%ld: not fewer than before, and at most %d, are right", wanted, MOST_CONNECTIONS);
        long errors = 0;
        for (; opened < wanted; opened++)
            errors += open_one(port, settings);
        printf("{\"connections\": %ld, \"errors\": %ld}\n", opened, errors);
        fflush(stdout);
    }
}
