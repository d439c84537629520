// Keeps a tenant's page up to date, and filters it on each input. Served behind `page.client.js`, as one module.

/** Between two requests of a visible page, in ms. One that finds the tag unchanged calls no machine. */
const POLL = 5_000;

/** Every so many requests the page is read whole: its counts change without its tag. */
const WHOLE = 6;

const list = document.querySelector('[data-poll]');
let tag;
let polls = 0;
let isPolling = false;

if (list !== null) {
  setInterval(poll, POLL);
  document.addEventListener('visibilitychange', poll);
}
for (const form of document.querySelectorAll('form[data-filter]')) filterAsTyped(form);
for (const form of document.querySelectorAll('form[data-go]')) goWhereTyped(form);

async function poll() {
  if (document.hidden || hasEnded || isPolling) return;
  isPolling = true;
  polls += 1;
  const { href } = location;
  const known = tag === undefined || polls % WHOLE === 0 ? {} : { 'If-None-Match': tag };
  try {
    const response = await fetch(href, { headers: { Accept: 'text/html', ...known }, cache: 'no-store' });
    const why = ENDS.get(response.status);
    if (why !== undefined) endList(why);
    else if (response.status !== 304 && !response.ok) show(false);
    else {
      // Another input has been answered meanwhile.
      if (response.ok && href === location.href) await take(response);
      show(true);
    }
  } catch {
    show(false);
  }
  isPolling = false;
}

async function take(response) {
  tag = response.headers.get('ETag') ?? undefined;
  update(new DOMParser().parseFromString(await response.text(), 'text/html'));
}

function endList(why) {
  hasEnded = true;
  connection.textContent = why;
  connection.append(' ', signInLink());
  connection.dataset.state = 'ended';
  document.body.toggleAttribute('data-lost', true);
}

/** Filters on each input, by the server. Without JavaScript the form's button does. */
function filterAsTyped(form) {
  let typing;
  let asked = 0;
  form.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(async () => {
      asked += 1;
      const own = asked;
      const url = new URL(location.href);
      url.search = String(new URLSearchParams(new FormData(form)));
      const response = await fetch(url, { headers: { Accept: 'text/html' } });
      // A later input has been answered already.
      if (!response.ok || own !== asked) return;
      history.replaceState(null, '', url);
      await take(response);
    }, REFRESH);
  });
}

/** Opens the page of the tenant that was typed. */
function goWhereTyped(form) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    location.assign(`/${encodeURIComponent(form.elements.tenant.value.trim())}`);
  });
}
