/* A connection that carries TLS, or does not: bytes go through `put` and come through `take`, which
 * answer as send() and recv() do.
 *
 * The client of TLS verifies nothing, since what it talks to stands on loopback and has a certificate
 * that was made a moment ago. Handshakes are done while the socket still blocks. */

#ifndef STREAM_H
#define STREAM_H

#include "loopback.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>

struct stream {
    int descriptor;
    SSL *tls; /* NULL where bytes go as they are */
};

/* What TLS begins with: version 1.3, and whole reads of the socket, as few as there can be. */
static inline SSL_CTX *tls_settings(void)
{
    SSL_CTX *settings = SSL_CTX_new(TLS_client_method());
    if (settings == NULL)
        fail("no TLS: %s", ERR_reason_error_string(ERR_get_error()));
    signal(SIGPIPE, SIG_IGN); /* OpenSSL knows no MSG_NOSIGNAL */
    SSL_CTX_set_min_proto_version(settings, TLS1_3_VERSION);
    SSL_CTX_set_verify(settings, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(settings, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(settings, 1);
    return settings;
}

/* Shakes hands on a connected socket; false where that fails. */
static inline bool secure(struct stream *stream, SSL_CTX *settings)
{
    stream->tls = SSL_new(settings);
    return stream->tls != NULL && SSL_set_fd(stream->tls, stream->descriptor) == 1 &&
           SSL_connect(stream->tls) == 1;
}

/* What OpenSSL's `result` would be of a socket: 0 at the end, -1 with errno else. */
static inline ssize_t as_of_socket(struct stream *stream, int result)
{
    if (result > 0)
        return result;
    int why = SSL_get_error(stream->tls, result);
    ERR_clear_error();
    if (why == SSL_ERROR_ZERO_RETURN)
        return 0;
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
    return -1;
}

static inline int bounded(size_t length)
{
    return length > INT_MAX ? INT_MAX : (int)length;
}

static inline ssize_t put(struct stream *stream, const char *bytes, size_t length)
{
    if (stream->tls == NULL)
        return send(stream->descriptor, bytes, length, MSG_NOSIGNAL);
    return as_of_socket(stream, SSL_write(stream->tls, bytes, bounded(length)));
}

/* With `discards` the bytes are taken, and need not be found in `bytes`. */
static inline ssize_t take(struct stream *stream, char *bytes, size_t length, bool discards)
{
    if (stream->tls == NULL)
        return recv(stream->descriptor, bytes, length, discards ? MSG_TRUNC : 0);
    return as_of_socket(stream, SSL_read(stream->tls, bytes, bounded(length)));
}

#endif
