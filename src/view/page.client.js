// Keeps a machine's page as the machine is: follows its changes over a WebSocket, and asks for the page again with each.
// The server renders everything; here it is only put in place. Without this script the page is as true as when it was
// loaded.
const live = document.querySelector('[data-watch]');
const connection = document.querySelector('#connection');
const answer = document.querySelector('#answer');

if (live !== null) follow();
for (const form of document.querySelectorAll('form[data-filter]')) filterAsTyped(form);
countDown();
setInterval(countDown, 1000);

document.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-method]');
  if (button === null) return;
  const question = button.dataset.confirm && document.querySelector(`#${button.dataset.confirm}`);
  if (!question) send(button);
  else {
    question.onclose = () => question.returnValue === 'yes' && send(button);
    question.returnValue = '';
    question.showModal();
  }
});

function follow() {
  let wait = 1000;
  let seen = live.dataset.seen;
  let told = 0;
  let socket;
  const open = () => {
    const url = new URL(`${live.dataset.watch}?after=${seen}`, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    socket = new WebSocket(url);
    socket.onopen = () => {
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
    socket.onclose = () => {
      show(false);
      setTimeout(open, wait);
      wait = Math.min(10_000, wait * 1.6);
    };
  };
  setInterval(() => socket.readyState === WebSocket.OPEN && socket.send('ping'), 20_000);
  open();
}

function show(isConnected) {
  connection.textContent = isConnected ? 'Live' : 'Not connected: this may be out of date. Trying again…';
  connection.dataset.state = isConnected ? 'live' : 'lost';
  document.body.toggleAttribute('data-lost', !isConnected);
}

let asking = false;
let askAgain = false;

/** Asks for the page, one request at a time, and takes over what has changed. */
async function refresh() {
  askAgain = asking;
  if (asking) return;
  asking = true;
  try {
    const response = await fetch(location.href, { headers: { Accept: 'text/html' } });
    if (response.ok) takeOver(new DOMParser().parseFromString(await response.text(), 'text/html'));
  } catch {
    // The connection says that it is lost; it asks again when it is there.
  }
  asking = false;
  if (askAgain) setTimeout(refresh, 100);
}

function takeOver(next) {
  document.title = next.title;
  for (const part of document.querySelectorAll('[data-part]')) {
    const fresh = next.querySelector(`[data-part="${part.dataset.part}"]`);
    if (fresh === null || fresh.outerHTML === part.outerHTML) continue;
    const focused = part.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
    part.replaceWith(document.adoptNode(fresh));
    if (focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }
  countDown();
}

async function send(button) {
  button.disabled = true;
  try {
    const response = await fetch(button.dataset.path, { method: button.dataset.method });
    const isProblem = response.headers.get('Content-Type')?.includes('problem');
    const detail = isProblem ? (await response.json()).detail : 'done';
    answer.textContent = `${button.textContent.trim()}: ${response.status}, ${detail}`;
    answer.dataset.state = response.ok ? 'yes' : 'no';
  } catch {
    answer.textContent = `${button.textContent.trim()}: there was no answer; it may or may not have been counted.`;
    answer.dataset.state = 'no';
  }
  button.disabled = false;
  refresh();
}

/** Says how far off moments are, and how long ago. */
function countDown() {
  for (const element of document.querySelectorAll('time[data-relative]')) {
    element.textContent = relative(Date.parse(element.dateTime) - Date.now());
  }
  for (const element of document.querySelectorAll('[data-due]')) {
    element.textContent = `${duration(Math.max(0, Date.parse(element.dataset.due) - Date.now()))} left`;
  }
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
