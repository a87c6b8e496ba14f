-- wrk's figures as the load programs report theirs: one line of JSON, the last of its output.
-- With a URL after `--`, requests are written as to a proxy, with that URL as their target.

function init(arguments)
    if arguments[1] then
        wrk.path = arguments[1]
        wrk.headers["Host"] = arguments[1]:match("//([^/]+)")
    end
end

function done(summary)
    local failed = summary.errors
    print(string.format(
        '{"seconds": %.6f, "count": %d, "bytes": %d, "errors": %d}',
        summary.duration / 1e6, summary.requests, summary.bytes,
        failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
