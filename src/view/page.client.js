// Keeps a machine's page as the machine is: follows its changes over a WebSocket, asks for the page again after them,
// and patches what is different. The server renders everything. Without this script the page is as true as when it was
// loaded.

/** Between two requests for the page, in ms: a busy machine changes far more often than a person can read. */
const REFRESH = 250;

/** After the buttons have changed or a question has appeared, clicks within so many ms were meant for what was there. */
const SETTLE = 700;

/** Where the name of the person is kept who reports: for the browser and not for the tab, so that two tabs count as one. */
const NAME = 'stateservice.name';

const live = document.querySelector('[data-watch]');
const connection = document.querySelector('#connection');
const answer = document.querySelector('#answer');
const DELETED = 'The machine was deleted. This page shows how it was.';
const EXPIRED = 'The token has expired. Load the page again to sign in.';

/** What an answer says that will not change by asking again. */
const ENDS = new Map([
  [401, EXPIRED],
  [403, 'The token may not read this machine any more.'],
  [404, 'There is no machine here any more. This page shows how it was.'],
]);

let hasEnded = false;

/** Requests for the page: when the last began, whether one is under way, and the timer of the next. */
let asked = Number.NEGATIVE_INFINITY;
let asking = false;
let timer;

/** Until when clicks are ignored, by `performance.now`. */
let settled = 0;

/** The report that has no answer yet. */
let sending;

/** The name of the person, where the browser does not keep it. */
let given;

if (live !== null) follow();
for (const form of document.querySelectorAll('form[data-filter]')) filterAsTyped(form);
showName();
countDown();
setInterval(countDown, 1000);

/** Follows the machine until it is deleted, or the token ends. */
function follow() {
  let wait = 1000;
  let seen = live.dataset.seen;
  let told = 0;
  let socket;
  const open = () => {
    if (hasEnded) return;
    let wasOpen = false;
    const url = new URL(`${live.dataset.watch}?after=${seen}`, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    socket = new WebSocket(url);
    socket.onopen = () => {
      wasOpen = true;
      wait = 1000;
      show(true);
      refresh();
    };
    socket.onmessage = ({ data }) => {
      if (data === 'pong') return;
      seen = JSON.parse(data).id ?? seen;
      told += 1;
      if (told % 200 === 0) socket.send('ping');
      refresh();
    };
    socket.onclose = ({ code, reason }) => {
      if (code === 1001 && reason.includes('deleted')) return end(DELETED);
      if (code === 1008) return end(EXPIRED);
      if (hasEnded) return;
      show(false);
      // A refused upgrade does not say why; the page does.
      if (!wasOpen) refresh();
      setTimeout(open, wait);
      wait = Math.min(10_000, wait * 1.6);
    };
  };
  setInterval(() => socket.readyState === WebSocket.OPEN && socket.send('ping'), 20_000);
  const left = Number(live.dataset.until) - Date.now();
  // A timer counts in 31 bits: a later end is left to the server.
  if (left < 2 ** 31) setTimeout(() => end(EXPIRED), Math.max(0, left));
  open();

  /** Stops for good: any further request could start the machine again. */
  function end(message) {
    if (hasEnded) return;
    hasEnded = true;
    connection.textContent = message;
    connection.dataset.state = 'ended';
    document.title = document.title.replace(/^\S+/, '○');
    document.body.toggleAttribute('data-lost', true);
    settleButtons();
    socket?.close();
  }
  document.addEventListener('ended', ({ detail }) => end(detail));
}

function show(isConnected) {
  connection.textContent = isConnected ? 'Live' : 'Not connected: this may be out of date. Trying again…';
  connection.dataset.state = isConnected ? 'live' : 'lost';
  document.body.toggleAttribute('data-lost', !isConnected);
}

/** Asks for the page soon: one request at a time, at most four a second. */
function refresh() {
  if (hasEnded || timer !== undefined) return;
  timer = setTimeout(ask, Math.max(0, asked + REFRESH - performance.now()));
}

async function ask() {
  timer = undefined;
  if (hasEnded) return;
  if (asking) return refresh();
  asking = true;
  asked = performance.now();
  try {
    const response = await fetch(location.href, { headers: { Accept: 'text/html' } });
    const why = ENDS.get(response.status);
    if (why !== undefined) document.dispatchEvent(new CustomEvent('ended', { detail: why }));
    else if (!response.ok) setTimeout(refresh, 2000);
    else {
      const text = await response.text();
      if (!hasEnded) takeOver(new DOMParser().parseFromString(text, 'text/html'));
    }
  } catch {
    // The connection says that it is lost; the page is asked for again when it is there.
  }
  asking = false;
}

function takeOver(next) {
  const before = placesOfButtons();
  const hadFocus = document.activeElement !== document.body;
  document.title = next.title;
  for (const part of document.querySelectorAll('[data-part]')) {
    const fresh = next.querySelector(`[data-part="${part.dataset.part}"]`);
    if (fresh !== null) patch(part, fresh);
  }
  showName();
  countDown();
  if (placesOfButtons() !== before) settled = performance.now() + SETTLE;
  // Where the button is gone that had the focus, a keyboard goes on from its section, and presses nothing there.
  if (hadFocus && document.activeElement === document.body) {
    document.querySelector('[data-part="buttons"]')?.focus({ preventScroll: true });
  }
}

function placesOfButtons() {
  const buttons = [...document.querySelectorAll('button[data-method]')];
  return buttons
    .map((button) => {
      const { x, y } = button.getBoundingClientRect();
      return [button.dataset.key, Math.round(x + scrollX), Math.round(y + scrollY)].join(' ');
    })
    .join('\n');
}

/** Makes `node` what `fresh` is, and touches only what is different: scroll, selection and focus stay. */
function patch(node, fresh) {
  if (node.isEqualNode(fresh)) return;
  if (node.nodeName !== fresh.nodeName || keyOf(node) !== keyOf(fresh)) {
    node.replaceWith(document.adoptNode(fresh));
    return;
  }
  if (node.nodeType !== Node.ELEMENT_NODE) {
    node.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...node.attributes]) if (!fresh.hasAttribute(name)) node.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  // Their text is written by this script.
  if (!node.matches('[data-relative], [data-due], [data-own]')) patchChildren(node, fresh);
}

function patchChildren(node, fresh) {
  const wanted = new Set([...fresh.childNodes].map(keyOf));
  for (const child of [...node.childNodes]) {
    const key = keyOf(child);
    if (key !== undefined && !wanted.has(key)) child.remove();
  }
  const known = new Map([...node.childNodes].map((child) => [keyOf(child), child]));
  let at = node.firstChild;
  for (const want of [...fresh.childNodes]) {
    const key = keyOf(want);
    const match = key === undefined ? matching(at, want) : known.get(key);
    if (match === undefined) node.insertBefore(document.adoptNode(want), at);
    else if (match === at) {
      at = at.nextSibling;
      patch(match, want);
    } else {
      node.insertBefore(match, at);
      patch(match, want);
    }
  }
  while (at !== null) {
    const { nextSibling } = at;
    at.remove();
    at = nextSibling;
  }
}

function matching(at, want) {
  return at !== null && keyOf(at) === undefined && at.nodeName === want.nodeName ? at : undefined;
}

function keyOf(node) {
  return node.dataset?.key ?? (node.id || undefined);
}

document.addEventListener('click', ({ target }) => {
  const button = target.closest?.('button');
  if (button === null || button === undefined) return;
  if (button.dataset.rename !== undefined) askName().then(showName);
  if (button.dataset.method === undefined) return;
  if (performance.now() < settled) say('The buttons have just changed. Nothing was sent.', 'no');
  else if (button.getAttribute('aria-disabled') === 'true') say(button.title || 'Wait for the answer.', 'no');
  else press(button);
});

/** Sends what a button says, after its questions. */
async function press(button) {
  const { method, path, ask: text, title, yes } = { ...button.dataset, title: button.dataset.askTitle };
  const label = button.textContent.trim();
  if (text !== undefined && !(await confirmed({ title, text, yes }))) return;
  const name = nameOf() ?? (await askName());
  showName();
  if (!name || hasEnded) return;
  const url = new URL(path, location.href);
  url.searchParams.set('by', name);
  await send({ method, url, label });
}

/** Asks a question whose answer is no unless the other button is chosen. */
function confirmed({ title, text, yes }) {
  const dialog = document.querySelector('#question');
  dialog.querySelector('h2').textContent = title;
  dialog.querySelector('p').textContent = text;
  dialog.querySelector('[value="yes"]').textContent = yes;
  return answerOf(dialog).then((value) => value === 'yes');
}

/** Asks for a name, and keeps it. */
async function askName() {
  const dialog = document.querySelector('#name');
  const field = dialog.querySelector('input');
  field.value = nameOf() ?? '';
  if ((await answerOf(dialog)) !== 'yes') return undefined;
  const name = field.value.trim();
  if (name === '') return undefined;
  given = name;
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // A browser that keeps nothing: the name holds until the page is left.
  }
  return name;
}

/** Shows a dialog. A second click of a double click does not answer it. */
function answerOf(dialog) {
  const shown = performance.now();
  return new Promise((resolve) => {
    dialog.returnValue = '';
    dialog.onsubmit = (event) => {
      if (event.submitter?.value === 'yes' && performance.now() < shown + SETTLE) event.preventDefault();
    };
    dialog.onclose = () => resolve(dialog.returnValue);
    dialog.showModal();
  });
}

/** The name that reports carry: the token's, or the one that was given. */
function nameOf() {
  if (live?.dataset.by !== undefined) return live.dataset.by;
  try {
    return localStorage.getItem(NAME) ?? given;
  } catch {
    return given;
  }
}

/** Says who reports, and which buttons that name can use. */
function showName() {
  const name = nameOf();
  const told = document.querySelector('[data-own="name"]');
  const text = name === undefined || name === null ? 'Reports carry your name.' : `You report as ${name}.`;
  if (told !== null && told.textContent !== text) told.textContent = text;
  settleButtons();
}

/** A button that can only fail stays where it is, says why, and keeps the focus. */
function settleButtons() {
  for (const button of document.querySelectorAll('button[data-method]')) {
    const why = whyNot(button);
    if (why === undefined) {
      button.removeAttribute('aria-disabled');
      button.removeAttribute('title');
    } else {
      button.setAttribute('aria-disabled', 'true');
      button.title = why;
    }
  }
}

function whyNot({ dataset }) {
  if (hasEnded) return connection.textContent;
  if (sending !== undefined) return 'Wait for the answer.';
  if (dataset.slots === undefined) return undefined;
  const name = nameOf();
  const missing = JSON.parse(dataset.slots).find(({ holders }) => !holders.includes(name));
  return missing && `${name ?? 'Your name'} holds no slot of ${missing.state}. Claim one first.`;
}

async function send({ method, url, label }) {
  sending = url;
  settleButtons();
  try {
    const response = await fetch(url, { method });
    const isProblem = response.headers.get('Content-Type')?.includes('problem');
    const detail = isProblem ? (await response.json()).detail : 'done';
    say(`${label}: ${response.status}, ${detail}`, response.ok ? 'yes' : 'no');
  } catch {
    say(`${label}: there was no answer; it may or may not have been counted.`, 'no');
  }
  sending = undefined;
  settleButtons();
  refresh();
}

function say(text, state) {
  answer.textContent = text;
  answer.dataset.state = state;
}

/** Says how far off moments are, and how long ago. */
function countDown() {
  for (const element of document.querySelectorAll('time[data-relative]')) {
    write(element, relative(Date.parse(element.dateTime) - Date.now()));
  }
  for (const element of document.querySelectorAll('[data-due]')) {
    write(element, `${duration(Math.max(0, Date.parse(element.dataset.due) - Date.now()))} left`);
  }
}

/** Text that is the same is not written again: it may be selected. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function relative(ms) {
  return ms >= 0 ? `in ${duration(ms)}` : `${duration(-ms)} ago`;
}

function duration(ms) {
  const seconds = Math.round(ms / 1000);
  const [days, hours, minutes] = [86_400, 3_600, 60].map((size) => Math.floor(seconds / size));
  if (days > 0) return `${days}d ${hours % 24}h`;
  if (hours > 0) return `${hours}h ${minutes % 60}m`;
  return minutes > 0 ? `${minutes}m ${seconds % 60}s` : `${seconds}s`;
}

/** Rows that do not fit are hidden as one types; the button asks the server, where there is no script. */
function filterAsTyped(form) {
  form.addEventListener('input', () => {
    const [text, state] = ['q', 'state'].map((name) => form.elements[name].value.toLowerCase());
    for (const row of document.querySelectorAll('tr[data-text]')) {
      const states = row.dataset.states.toLowerCase().split('\n');
      row.hidden =
        !row.dataset.text.toLowerCase().includes(text) || (state !== '' && !states.includes(state));
    }
  });
}
