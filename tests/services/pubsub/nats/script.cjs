// What NATS's own clients for JavaScript (`nats` by TCP, `nats.ws` by WebSocket) experience at a
// server, as text: the steps of script.py that are a client's.
//
// A program: its argument is JSON with the path of the client's package, the address of one server
// without logins and, if there are any, of others with users and with TLS; what it prints is to be
// the same for every server.
"use strict";

const { once } = require("node:events");
const net = require("node:net");
const { setImmediate: nextTurn } = require("node:timers/promises");

const told = JSON.parse(process.argv[2]);
if (told.websocket) globalThis.WebSocket = require(told.websocket);
const nats = require(told.client);

const PATIENCE = 20_000; // milliseconds
const text = nats.StringCodec();

function tell(...words) {
  const shown = words.map((word) => (typeof word === "string" ? word : JSON.stringify(word)));
  process.stdout.write(`${shown.join(" ")}\n`);
}

function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const readers = new WeakMap(); // a subscription has one iterator in its life

async function next(subscription) {
  if (!readers.has(subscription)) {
    readers.set(subscription, subscription[Symbol.asyncIterator]());
  }
  const { value } = await within(readers.get(subscription).next(), "a message");
  return value;
}

async function got(subscription, count) {
  const found = [];
  while (found.length < count) {
    const message = await next(subscription);
    found.push([message.subject, Boolean(message.reply), text.decode(message.data)]);
  }
  return found;
}

async function refused(what, call) {
  try {
    await call();
    tell(what, "goes");
  } catch (error) {
    tell(what, error.name, error.code);
  }
}

// Publish and subscribe, queues, requests, headers.
async function messages() {
  const one = await nats.connect({ servers: told.plain });
  const two = await nats.connect({ servers: told.plain });
  const everything = two.subscribe("a.>");
  const exact = two.subscribe("a.b");
  await two.flush();
  for (let number = 0; number < 3; number++) {
    one.publish("a.b", text.encode(String(number)));
    one.publish("a.c.d", text.encode("x".repeat(number)));
  }
  tell("wild", await got(everything, 6));
  tell("exact", await got(exact, 3));
  const fields = nats.headers();
  fields.append("One", "1");
  fields.append("Two", "two words");
  fields.append("Two", "again");
  one.publish("a.b", text.encode("headed"), { headers: fields });
  const headed = await next(exact);
  tell("headers", [...headed.headers], text.decode(headed.data));
  const big = "y".repeat(1_000_000);
  one.publish("a.b", text.encode(big));
  tell("big", text.decode((await next(exact)).data) === big);
  await refused("too big", () => one.publish("a.b", new Uint8Array(2_000_000)));
  await queue(one, two);
  const few = two.subscribe("few");
  few.unsubscribe(2);
  await two.flush();
  for (let number = 0; number < 4; number++) one.publish("few", text.encode(String(number)));
  const some = [];
  for await (const message of few) some.push(text.decode(message.data));
  tell("few", some);
  await requests(one, two);
  await one.close();
  await two.close();
}

async function queue(one, two) {
  const work = [];
  const members = [];
  const done = new Promise((resolve) => {
    const callback = (_, message) => {
      work.push(text.decode(message.data));
      if (work.at(-1) === "59") resolve();
    };
    for (let number = 0; number < 3; number++) {
      members.push(two.subscribe("work", { queue: "q", callback }));
    }
  });
  await two.flush();
  for (let number = 0; number < 60; number++) one.publish("work", text.encode(String(number)));
  await within(done, "work");
  await two.flush();
  tell("queue", members.length, new Set(work).size, work.length);
}

// Questions, answers, and nobody to answer.
async function requests(one, two) {
  two.subscribe("ask", {
    callback: (_, message) => message.respond(text.encode(`re: ${text.decode(message.data)}`)),
  });
  await two.flush();
  const ask = (subject, said, more) =>
    one.request(subject, text.encode(said), { timeout: PATIENCE, ...more });
  tell("request", text.decode((await ask("ask", "1")).data));
  tell("old style", text.decode((await ask("ask", "2", { noMux: true })).data));
  await refused("nobody", () => ask("nobody", ""));
  await refused("nobody, old style", () => ask("nobody", "", { noMux: true }));
  await refused("no streams", () => ask("$JS.API.INFO", ""));
  const silent = two.subscribe("silent");
  await two.flush();
  await refused("silent", () => ask("silent", "", { timeout: 100 }));
  tell("silent", await got(silent, 1));
}

// A drained subscription and a drained connection lose nothing that was sent before.
async function drain() {
  const one = await nats.connect({ servers: told.plain });
  const two = await nats.connect({ servers: told.plain });
  const heard = [];
  const slowly = async (subscription) => {
    for await (const message of subscription) {
      await nextTurn();
      heard.push(text.decode(message.data));
    }
  };
  const [d, e, last] = ["d", "e", "last"].map((subject) => two.subscribe(subject));
  const loops = [slowly(d), slowly(e)];
  await two.flush();
  for (let number = 0; number < 50; number++) {
    one.publish("d", text.encode(String(number)));
    one.publish("e", text.encode(String(number)));
  }
  one.publish("last");
  await got(last, 1);
  await d.drain();
  await within(loops[0], "the end of a subscription");
  tell("drained subscription", heard.length >= 50);
  one.publish("d", text.encode("late"));
  await one.flush();
  await two.drain();
  await within(Promise.all(loops), "the end of all subscriptions");
  tell("drained", heard.length, heard.includes("late"), two.isClosed(), await two.closed());
  await one.close();
}

// A client whose connection is cut comes back, with its subscriptions.
async function reconnect() {
  const address = new URL(told.plain);
  const { hostname, port } = address;
  const cut = [];
  const relay = net.createServer((near) => {
    const far = net.connect(Number(port), hostname);
    for (const [side, other] of [[near, far], [far, near]]) {
      cut.push(side);
      side.on("error", () => {}).on("close", () => other.destroy());
      side.pipe(other);
    }
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  address.port = String(relay.address().port);
  const client = await nats.connect({ servers: address.href, reconnectTimeWait: 50 });
  const back = (async () => {
    for await (const status of client.status()) {
      if (status.type === nats.Events.Reconnect) return;
    }
  })();
  const subscription = client.subscribe("again");
  await client.flush();
  for (const side of cut.splice(0)) side.destroy();
  await within(back, "a connection");
  client.publish("again", text.encode("still here"));
  tell("reconnected", await got(subscription, 1));
  await client.close();
  relay.close();
}

async function attempt(what, servers, options) {
  try {
    const client = await nats.connect({ servers, reconnect: false, ...options });
    tell(what, "welcome");
    return client;
  } catch (error) {
    tell(what, error.name, error.code);
    return null;
  }
}

// What the server says about what a client may not do, so many times.
async function violations(client, count) {
  const found = [];
  for await (const status of client.status()) {
    if (status.type === nats.Events.Error) found.push([status.data, status.permissionContext]);
    if (found.length === count) break;
  }
  return found;
}

// Users and passwords, tokens, and what each may do.
async function logins() {
  await attempt("no login", told.users);
  await attempt("wrong password", told.users, { user: "alice", pass: "wrong" });
  await attempt("nobody", told.users, { user: "nobody", pass: "secret" });
  const bob = await attempt("bob", told.users, { user: "bob", pass: "builder" });
  const alice = await attempt("alice", told.users, { user: "alice", pass: "secret" });
  tell("auth_required", alice.info.auth_required);
  const errors = violations(alice, 2);
  const heard = alice.subscribe("open.>");
  bob.subscribe("closed.>");
  await alice.flush();
  alice.publish("closed.x", text.encode("1"));
  const closed = alice.subscribe("closed.x");
  await refused("closed", () => next(closed));
  await alice.flush();
  bob.publish("open.secret", text.encode("2"));
  bob.publish("open.x", text.encode("3"));
  await bob.flush();
  tell("alice heard", await got(heard, 1));
  tell("alice was told", await within(errors, "what is not allowed"));
  await alice.close();
  await bob.close();
  await attempt("wrong token", told.token, { token: "wrong" });
  await (await attempt("token", told.token, { token: "open sesame" })).close();
}

// TLS after INFO, with and without a client's certificate.
async function tls() {
  const trust = { caFile: told.ca };
  const client = await attempt("tls", told.tls, { tls: trust });
  tell("tls_required", client.info.tls_required);
  const subscription = client.subscribe("secure");
  client.publish("secure", text.encode("x".repeat(100_000)));
  tell("over tls", (await next(subscription)).data.length);
  await client.close();
  await attempt("not trusted", told.tls, { tls: {} });
  try {
    await nats.connect({ servers: told.mutual, reconnect: false, tls: trust });
  } catch {
    tell("nobody came in"); // the words depend on who is first to say that it is over
  }
  const own = { ...trust, certFile: told.client_certificate, keyFile: told.client_certificate };
  const carol = await attempt("certificate", told.mutual, { tls: own });
  carol.publish("x");
  await carol.flush();
  await carol.close();
}

const SECTIONS = { messages, drain, reconnect, logins, tls };

async function main() {
  for (const name of told.sections) {
    tell(`== ${name}`);
    await SECTIONS[name]();
  }
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
  process.exit();
});
