"""The page of the mount: it listens, and publishes, with what every browser has.

Rule: what others have published is put on the page as text, never as HTML; and the page is a client
like any other, which can do nothing that curl could not.
"""

from netkit.http.messages import Request, Response
from netkit.http.pages import html, link, page


def live_page(request: Request, listen: str, publish: str) -> Response:
    """Return the page, which begins with the pattern `listen` and the subject `publish`."""
    base = link(request.base)
    scheme = "https" if request.client.secure else "http"
    authority = request.head.authority.decode("latin-1")
    body = html(
        _BODY,
        base=base,
        url=f"{scheme}://{authority}{base}",
        listen=listen,
        publish=publish,
        example=publish or "a.b",
    )
    return page("Live", body, style=_STYLE, script=_SCRIPT)


_BODY = """<header><h1>Live</h1><output id="state">not connected</output></header>
<noscript><p>This page needs JavaScript; a terminal does without, as shown below.</p></noscript>
<form id="listen" data-base="{base}">
<label for="patterns">Listen to</label>
<div class="row"><input type="text" id="patterns" value="{listen}" spellcheck="false"
 autocapitalize="none" autocomplete="off" aria-describedby="hint"><button>Listen</button></div>
<p class="quiet" id="hint">Subjects like <code>a.b</code>; <code>*</code> is any one word,
 <code>&gt;</code> all that follows. Several with blanks between.</p>
</form>
<form id="say">
<label for="text">Publish</label>
<div class="row"><input type="text" id="subject" value="{publish}" spellcheck="false"
 autocapitalize="none" autocomplete="off" aria-label="Subject" placeholder="subject">
<input type="text" id="text" autocomplete="off" placeholder="message"><button>Send</button></div>
<output id="answer" class="quiet"></output>
</form>
<ol id="messages" aria-live="polite" aria-label="Messages"></ol>
<p class="quiet" id="none">Nothing yet.</p>
<details><summary>From a terminal</summary>
<pre>curl -N '{url}/events?subject={example}'
curl -d hello '{url}/publish/{example}'</pre></details>"""

_STYLE = """
body { padding-top: 2.5rem; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center;
  justify-content: space-between; margin-bottom: 1.25rem; }
header h1 { margin: 0; }
#state { padding: .1rem .8rem; border: 1px solid var(--line); border-radius: 1rem;
  color: var(--quiet); font-size: .875rem; }
#state::before { content: ""; display: inline-block; width: .55em; height: .55em;
  margin-right: .5em; border-radius: 50%; background: currentColor; }
#state.open { color: var(--accent); }
#state.lost { color: #b3261e; }
form { margin-bottom: 1.25rem; }
form label { display: block; margin: 0 0 .3rem; font-weight: 600; }
form p, form output { display: block; margin: .35rem 0 0; font-size: .875rem; }
.row { display: flex; flex-wrap: wrap; gap: .5rem; }
.row input { flex: 3 1 9rem; width: auto; min-width: 0; background: var(--card); }
.row #subject { flex: 1 1 7rem; }
.row button { flex: 0 0 auto; padding: .5rem 1.2rem; }
:is(input, button, summary, #messages div):focus-visible { outline: 2px solid var(--accent);
  outline-offset: 1px; }
code, pre, #patterns, #subject { font-family: ui-monospace, monospace; font-size: .95em; }
#messages { margin: 1.75rem 0 0; padding: 0; list-style: none; border: 1px solid var(--line);
  border-radius: .6rem; background: var(--card); }
#messages:empty { display: none; }
#messages:not(:empty) + #none { display: none; }
#messages li { padding: .55rem 1rem; border-top: 1px solid var(--line); }
#messages li:first-child { border-top: 0; }
#messages p { display: flex; justify-content: space-between; gap: 1rem; margin: 0;
  color: var(--quiet); font-size: .8125rem; }
#messages p b { color: var(--accent); font: 600 .8125rem/1.6 ui-monospace, monospace; }
#messages p time { flex: none; font-variant-numeric: tabular-nums; }
#messages div { max-height: 24rem; overflow: auto; white-space: pre-wrap; tab-size: 4; }
#messages .notice div, #messages .bytes div { color: var(--quiet); font-style: italic; }
details { margin-top: 1.75rem; color: var(--quiet); }
summary { cursor: pointer; }
pre { margin: .5rem 0 0; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .6rem;
  background: var(--card); white-space: pre-wrap; }
@media (prefers-color-scheme: dark) { #state.lost { color: #f2a49f; } }
@media (max-width: 30rem) { body { padding: 1.5rem 1rem; } .row button { flex-grow: 1; } }
"""

_SCRIPT = """
"use strict";
const MOST = 200;
const at = (id) => document.getElementById(id);
const base = at("listen").dataset.base;
let source = null;

function state(name, words) {
  at("state").className = name;
  at("state").textContent = words;
}

function show(kind, subject, text) {
  const item = document.createElement("li");
  const head = item.appendChild(document.createElement("p"));
  head.appendChild(document.createElement("b")).textContent = subject;
  head.appendChild(document.createElement("time")).textContent = new Date().toLocaleTimeString();
  item.appendChild(document.createElement("div")).textContent = text;
  item.className = kind;
  at("messages").prepend(item);
  while (at("messages").childElementCount > MOST) at("messages").lastElementChild.remove();
}

function message(event) {
  const {subject, data, base64} = JSON.parse(event.data);
  if (base64 !== undefined) {
    show("bytes", subject, `${atob(base64).length.toLocaleString()} bytes that are no text`);
  } else if (data === "") show("bytes", subject, "empty");
  else show("text", subject, data);
}

function listen() {
  if (source) source.close();
  at("messages").replaceChildren();
  const patterns = at("patterns").value.split(/\\s+/).filter(Boolean);
  if (!patterns.length) {
    state("", "not connected");
    return;
  }
  const query = new URLSearchParams(patterns.map((each) => ["subject", each]));
  query.append("since", "all");
  state("", "connecting");
  source = new EventSource(`${base}/events?${query}`);
  source.onopen = () => state("open", "live");
  source.onmessage = message;
  for (const name of ["missed", "slow"]) {
    source.addEventListener(name, (event) => show("notice", "", event.data));
  }
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) state("lost", "refused");
    else state("lost", "cut off, trying again");
  };
}

async function say() {
  const answer = at("answer");
  answer.textContent = "";
  try {
    const subject = encodeURIComponent(at("subject").value.trim());
    const said = await fetch(`${base}/publish/${subject}`, {method: "POST", body: at("text").value});
    if (said.ok) at("text").value = "";
    else if (said.status === 403) answer.textContent = "You may not publish to this subject.";
    else if (said.status === 413) answer.textContent = "This is too long.";
    else if (said.status < 500) answer.textContent = "This is no subject to publish to.";
    else answer.textContent = `Not sent: ${said.status} ${said.statusText}`;
  } catch {
    answer.textContent = "Not sent: the server cannot be reached.";
  }
  at("text").focus();
}

at("listen").addEventListener("submit", (event) => {
  event.preventDefault();
  listen();
});
at("say").addEventListener("submit", (event) => {
  event.preventDefault();
  say();
});
listen();
"""
