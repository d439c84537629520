// The forms that edit a chart and a list of members, and forms that are sent under the reader's name. Served behind `page.client.js`, as one module.

/** The pause after a key before the text is checked, in ms. */
const TYPING = 400;

const editor = document.querySelector('.lines > textarea');
const gutter = document.querySelector('[data-own="lines"]');

/** The lines that have an issue, from 1. */
let marked = new Set();

if (editor !== null) edit();

/** Numbers the lines of the text, and marks those with an issue. */
function edit() {
  editor.spellcheck = false;
  editor.addEventListener('input', number);
  editor.addEventListener('scroll', () => {
    gutter.scrollTop = editor.scrollTop;
  });
  mark();
  if (editor.dataset.check !== undefined) checkAsTyped();
}

/** Checks the text as it is typed: one check at a time, and one more where the text has changed meanwhile. */
function checkAsTyped() {
  let typing;
  let isChecking = false;
  let isDue = false;
  const check = async () => {
    isDue = isChecking;
    if (isChecking) return;
    isChecking = true;
    try {
      const { dataset, value: body } = editor;
      const response = await fetch(dataset.check, { method: 'PUT', headers: { Accept: 'text/html' }, body });
      const checked = new DOMParser().parseFromString(await response.text(), 'text/html');
      if (checked.querySelector('[data-part="check"]') === null)
        say(`Not checked: ${response.status}.`, 'no');
      else {
        update(checked);
        say('', 'yes');
        // Without a drawing, the one before stays.
        document.body.toggleAttribute('data-stale', checked.querySelector('[data-part="chart"]') === null);
      }
    } catch {
      say('Not checked: no connection.', 'no');
    }
    isChecking = false;
    mark();
    if (isDue) check();
  };
  editor.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(check, TYPING);
  });
  if (document.querySelector('[data-part="check"] [role="status"]') === null) check();
}

/** Marks the lines that have an issue. */
function mark() {
  marked = new Set([...document.querySelectorAll('[data-line]')].map(({ dataset }) => Number(dataset.line)));
  number();
}

/** Numbers the lines beside the text. */
function number() {
  const count = editor.value.split('\n').length;
  const numbers = Array.from({ length: count }, (_, i) => `${marked.has(i + 1) ? '✗ ' : ''}${i + 1}`);
  write(gutter, numbers.join('\n'));
  gutter.scrollTop = editor.scrollTop;
}

/** Puts the cursor where an issue is. @param line and column, from 1. */
function goTo(line, column) {
  const lines = editor.value.split('\n');
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  editor.focus();
  editor.setSelectionRange(start + column - 1, start + column - 1);
  const height = editor.scrollHeight / Math.max(1, lines.length);
  editor.scrollTop = (line - 1) * height - editor.clientHeight / 2;
}

document.addEventListener('click', (event) => {
  const { line, column } = event.target.closest?.('a[data-line]')?.dataset ?? {};
  if (line === undefined || editor === null) return;
  event.preventDefault();
  goTo(Number(line), Number(column));
});

// A file is read into the text.
document.addEventListener('change', async ({ target }) => {
  if (target.dataset.opens === undefined || target.files.length === 0) return;
  editor.value = await target.files[0].text();
  target.value = '';
  editor.dispatchEvent(new Event('input'));
  editor.focus();
});

// Forms that change a machine: after the question of the form or of its button, under the reader's name.
document.addEventListener('submit', async (event) => {
  const { target: form, submitter } = event;
  const { named, ask: text, askTitle: title, yes } = { ...form.dataset, ...submitter?.dataset };
  if (named === undefined) return;
  event.preventDefault();
  // `{at}` stands for what is typed in the field `at`.
  const said = text?.replace(/\{(\w+)\}/g, (_, field) => form.elements[field].value);
  if (said !== undefined && !(await confirmed({ title, text: said, yes }))) return;
  const name = nameOf() ?? (await askName());
  if (!name) return;
  const url = new URL(form.action);
  url.searchParams.set('by', name);
  form.action = url;
  // A script that sends a form leaves its button out.
  if (submitter?.name) form.append(hidden(submitter));
  form.submit();
});

function hidden({ name, value }) {
  const field = document.createElement('input');
  Object.assign(field, { type: 'hidden', name, value });
  return field;
}
