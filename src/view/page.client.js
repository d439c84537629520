// Keeps a machine's page up to date and sends what its buttons say. It watches the machine over a WebSocket, fetches the
// page again after a change, and patches the differences (`patch.client.js`). The server renders everything.

/** The least time between two fetches of the page, in ms: a busy machine changes more often than a person can read. */
const REFRESH = 250;

/** Clicks are ignored for this time after the buttons have moved or a dialog has opened, in ms: they were meant for what was there before. */
const SETTLE = 700;

/** The part of a deadline's time after which it is marked, as in `chart/deadline.ts`. */
const LATE = 3 / 4;

const live = document.querySelector('[data-watch]');
const connection = document.querySelector('#connection');
const answer = document.querySelector('#answer');

/** The id of the newest entry that the page has. Requests carry it: a machine that was deleted since does not begin again. */
let seen = live?.dataset.seen;
const DELETED = 'The machine was deleted. This page shows its last state.';
const EXPIRED = 'The token has expired.';

/** Statuses after which the page stops fetching, and the message that it shows. */
const ENDS = new Map([
  [401, EXPIRED],
  [403, 'The token no longer allows reading this machine.'],
  [404, DELETED],
]);

let hasEnded = false;

/** Fetches of the page: the start of the last one, whether one is in flight, and the timer of the next. */
let fetchedAt = Number.NEGATIVE_INFINITY;
let isFetching = false;
let timer;

/** Clicks before this time are ignored, by `performance.now`. */
let settledAt = 0;

/** The URL of the request that a button has sent and that has no response yet. */
let sending;

/** The title of the page, without the deadline that is near. */
let { title } = document;

// Without this script nothing can be copied.
document.body.dataset.script = '';
if (live !== null) watch();
showName();
updateTimes();
setInterval(updateTimes, 1000);
if (live !== null) setInterval(followWindows, 1000);

/** Watches the machine until it is deleted or the token expires. */
function watch() {
  let wait = 1000;
  let messages = 0;
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
      // workerd ends the connection of a socket that the service closes only if its client has sent something before.
      socket.send('ping');
      show(true);
      refresh();
    };
    socket.onmessage = ({ data }) => {
      if (data === 'pong') return;
      seen = JSON.parse(data).id ?? seen;
      messages += 1;
      if (messages % 200 === 0) socket.send('ping');
      refresh();
    };
    socket.onclose = ({ code, reason }) => {
      if (code === 1001 && reason.includes('deleted')) return end(DELETED);
      if (code === 1008) return end(EXPIRED);
      if (hasEnded) return;
      show(false);
      // The browser hides why an upgrade was refused; the status of the page tells.
      if (!wasOpen) refresh();
      setTimeout(open, wait);
      wait = Math.min(10_000, wait * 1.6);
    };
  };
  setInterval(() => socket.readyState === WebSocket.OPEN && socket.send('ping'), 20_000);
  const left = Number(live.dataset.until) - Date.now();
  // setTimeout takes 31 bits of ms. The server closes the socket at a later end.
  if (left < 2 ** 31) setTimeout(() => end(EXPIRED), Math.max(0, left));
  open();

  /** Stops for good: another request could create the machine again. */
  function end(message) {
    if (hasEnded) return;
    hasEnded = true;
    connection.textContent = message;
    if (message !== DELETED) connection.append(' ', signInLink());
    connection.dataset.state = 'ended';
    title = title.replace(/^\S+/, '○');
    document.title = title;
    document.body.toggleAttribute('data-lost', true);
    disableButtons();
    socket?.close();
  }
  document.addEventListener('ended', ({ detail }) => end(detail));
}

function signInLink() {
  const link = document.createElement('a');
  link.href = `/signin?to=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = 'Sign in';
  return link;
}

function show(isConnected) {
  connection.textContent = isConnected
    ? 'Live'
    : 'Not connected: this page may be out of date. Reconnecting…';
  connection.dataset.state = isConnected ? 'live' : 'lost';
  if (isConnected) connection.dataset.asOf = new Date().toISOString();
  document.body.toggleAttribute('data-lost', !isConnected);
}

/** Schedules a fetch of the page: one at a time, at most four a second. */
function refresh() {
  if (hasEnded || timer !== undefined) return;
  timer = setTimeout(fetchPage, Math.max(0, fetchedAt + REFRESH - performance.now()));
}

async function fetchPage() {
  timer = undefined;
  if (hasEnded) return;
  if (isFetching) return refresh();
  isFetching = true;
  fetchedAt = performance.now();
  try {
    const url = new URL(location.href);
    url.searchParams.set('after', seen);
    const response = await fetch(url, { headers: { Accept: 'text/html' } });
    const why = ENDS.get(response.status);
    if (why !== undefined) document.dispatchEvent(new CustomEvent('ended', { detail: why }));
    else if (!response.ok) setTimeout(refresh, 2000);
    else {
      const text = await response.text();
      if (!hasEnded) update(new DOMParser().parseFromString(text, 'text/html'));
      connection.dataset.asOf = new Date().toISOString();
    }
  } catch {
    // The socket shows that the connection is lost; its next open fetches the page.
  }
  isFetching = false;
}

/** Patches the page with a newer rendering of it. */
function update(next) {
  const before = buttonPositions();
  const hadFocus = document.activeElement !== document.body;
  ({ title } = next);
  for (const part of document.querySelectorAll('[data-part]')) {
    const fresh = next.querySelector(`[data-part="${part.dataset.part}"]`);
    if (fresh !== null) patch(part, fresh);
  }
  showName();
  updateTimes();
  if (buttonPositions() !== before) settledAt = performance.now() + SETTLE;
  // If the focused button is gone, the focus moves to its section, where a key presses nothing.
  if (hadFocus && document.activeElement === document.body) {
    document.querySelector('[data-part="actions"]')?.focus({ preventScroll: true });
  }
}

function buttonPositions() {
  const buttons = [...document.querySelectorAll('button[data-method]')];
  return buttons
    .map((button) => {
      const { x, y } = button.getBoundingClientRect();
      return [button.dataset.key, Math.round(x + scrollX), Math.round(y + scrollY)].join(' ');
    })
    .join('\n');
}

document.addEventListener('click', ({ target }) => {
  const button = target.closest?.('button');
  if (button === null || button === undefined) return;
  if (button.dataset.rename !== undefined) askName().then(showName);
  if (button.dataset.copy !== undefined) copy(button.previousElementSibling);
  if (button.dataset.method === undefined) return;
  if (performance.now() < settledAt) say('The buttons have just changed, so nothing was sent.', 'no');
  else if (button.getAttribute('aria-disabled') === 'true')
    say(button.title || 'A request is in flight.', 'no');
  else press(button);
});

/** Sends the request of a button, after its dialogs. */
async function press(button) {
  const { method, path, ask: text, askTitle, yes, dialog } = button.dataset;
  const label = button.textContent.trim();
  if (text !== undefined && !(await confirmed({ title: askTitle, text, yes }))) return;
  const url = new URL(path, location.href);
  if (dialog !== undefined) {
    const fields = await fieldsOf(document.getElementById(dialog));
    if (fields === undefined) return;
    for (const [name, value] of fields) if (value.trim() !== '') url.searchParams.set(name, value.trim());
  }
  // A deletion and other inputs take no name.
  if (!['delete', 'inputs'].includes(button.dataset.key)) {
    const name = nameOf() ?? (await askName());
    showName();
    if (!name) return;
    url.searchParams.set('by', name);
  }
  if (!hasEnded) await send({ method, url, label });
}

/** Shows the reporter's name, and disables the buttons that this name cannot use. */
function showName() {
  const name = nameOf();
  const line = document.querySelector('[data-own="name"]');
  const text = name === undefined || name === null ? 'Reports need a name.' : `You report as ${name}.`;
  if (line !== null) write(line, text);
  const by = encodeURIComponent(name ?? 'NAME').replaceAll("'", '%27');
  for (const code of document.querySelectorAll('[data-curl]')) {
    write(code, code.dataset.curl.replace(/by=NAME'$/, `by=${by}'`));
  }
  disableButtons();
}

/** Disables the buttons whose request would be refused. `aria-disabled` keeps the focus, and the title says why. */
function disableButtons() {
  for (const button of document.querySelectorAll('button[data-method]')) {
    const why = reasonDisabled(button);
    if (why === undefined) {
      button.removeAttribute('aria-disabled');
      button.removeAttribute('title');
    } else {
      button.setAttribute('aria-disabled', 'true');
      button.title = why;
    }
  }
}

function reasonDisabled({ dataset }) {
  if (hasEnded) return connection.textContent;
  if (sending !== undefined) return 'A request is in flight.';
  if (dataset.slots === undefined) return undefined;
  const name = nameOf();
  const missing = JSON.parse(dataset.slots).find(({ holders }) => !holders.includes(name));
  return missing && `${name ?? 'Your name'} holds no slot of ${missing.state}. Claim one first.`;
}

async function send({ method, url, label }) {
  sending = url;
  disableButtons();
  try {
    const response = await fetch(url, { method });
    const isProblem = response.headers.get('Content-Type')?.includes('problem');
    const detail = isProblem ? (await response.json()).detail : 'done';
    say(`${label}: ${response.status}, ${detail}`, response.ok ? 'yes' : 'no');
  } catch {
    say(`${label}: no response. The report may or may not have been counted.`, 'no');
  }
  sending = undefined;
  disableButtons();
  refresh();
}

function say(text, state) {
  answer.textContent = text;
  answer.dataset.state = state;
}

/** Updates relative times and the time left on timers, and marks deadlines that are near. */
function updateTimes() {
  for (const element of document.querySelectorAll('time[data-relative]')) {
    write(element, relative(Date.parse(element.dateTime) - Date.now()));
  }
  for (const element of document.querySelectorAll('[data-due]')) {
    write(element, `${duration(Math.max(0, Date.parse(element.dataset.due) - Date.now()))} left`);
  }
  let near = '';
  for (const item of document.querySelectorAll('[data-deadline]')) {
    const [since, at] = [item.dataset.deadline, item.dataset.at].map(Number);
    const isLate = Date.now() >= since + (at - since) * LATE;
    item.classList.toggle('late', isLate);
    if (isLate && near === '' && !hasEnded) near = ` · ⚠ ${relative(at - Date.now())}`;
  }
  if (document.title !== title + near) document.title = title + near;
}

/** Fetches the page again where a window has opened or closed: the machine does not change by it. */
function followWindows() {
  const times = [...document.querySelectorAll('[data-changes]')].map(({ dataset }) =>
    Date.parse(dataset.changes),
  );
  if (times.some((time) => time <= Date.now())) refresh();
}

/** Writes text only where it differs, to keep a selection. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function relative(ms) {
  return ms > 0 ? `in ${duration(ms)}` : `${duration(-ms)} ago`;
}

function duration(ms) {
  const seconds = Math.round(ms / 1000);
  const [days, hours, minutes] = [86_400, 3_600, 60].map((size) => Math.floor(seconds / size));
  if (days > 0) return `${days}d ${hours % 24}h`;
  if (hours > 0) return `${hours}h ${minutes % 60}m`;
  return minutes > 0 ? `${minutes}m ${seconds % 60}s` : `${seconds}s`;
}
