/* Idle connections: each number on stdin is how many are to be open; once they are, the line
 * {"connections": N, "errors": E} says so. They are held, in silence, until stdin ends or
 * --milliseconds are over. */

#include "loopback.h"

static long open_one(long port)
{
    int descriptor = tcp_socket(0);
    struct sockaddr_in address = loopback(port);
    return connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0;
}

int main(int count, char **words)
{
    long port = 0, milliseconds = 60 * 1000, wanted, opened = 0;
    read_settings(count, words,
                  (struct setting[]){
                      {"port", &port, 1, 65535, NULL},
                      {"milliseconds", &milliseconds, 1, MOST_MILLISECONDS, NULL},
                      {0},
                  });
    end_after(milliseconds);
    while (scanf("%ld", &wanted) == 1) {
        if (wanted < opened || wanted > MOST_CONNECTIONS)
            fail("%ld: not fewer than before, and at most %d, are right", wanted, MOST_CONNECTIONS);
        long errors = 0;
        for (; opened < wanted; opened++)
            errors += open_one(port);
        printf("{\"connections\": %ld, \"errors\": %ld}\n", opened, errors);
        fflush(stdout);
    }
}
