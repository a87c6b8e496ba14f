-- wrk's figures as the load programs report theirs: one line of JSON, the last of its output.
-- After `--` stand `same` or `varied`, and the targets that requests have in turn. A target that is a
-- URL is that of a proxy's client. With `varied`, a number that grows stands in each request, and
-- other fields differ from target to target, so that no two requests are of the same bytes.

local browsers = { "Mozilla/5.0", "curl/8.5.0", "Wget/1.21", "python-requests/2.31", "Lynx/2.9" }
local languages = { "en", "de-DE,de;q=0.9,en;q=0.5", "fr", "hi-IN,en;q=0.8", "nl-BE" }

local function written(target, number)
    wrk.headers["Host"] = target:match("//([^/]+)") or wrk.headers["Host"]
    if number then
        wrk.headers["User-Agent"] = browsers[number % #browsers + 1] .. " (" .. number .. ")"
        wrk.headers["Accept-Language"] = languages[number % #languages + 1]
    end
    return wrk.format("GET", target)
end

local function vary(targets)
    local heads, count = {}, 0
    for number, target in ipairs(targets) do
        heads[number] = written(target, number):sub(1, -3) .. "Cookie: visit="
    end
    function request()
        count = count + 1
        return heads[count % #heads + 1] .. count .. "\r\n\r\n"
    end
end

function init(arguments)
    if table.remove(arguments, 1) == "varied" then
        return vary(arguments)
    end
    wrk.path = arguments[1]
    written(wrk.path)
end

function done(summary)
    local failed = summary.errors
    print(string.format(
        '{"seconds": %.6f, "count": %d, "bytes": %d, "errors": %d}',
        summary.duration / 1e6, summary.requests, summary.bytes,
        failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
