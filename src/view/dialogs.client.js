// The dialogs of a machine's page, and the name under which its reader reports. Served in front of `page.client.js`, as one module.

/** The key of the reporter's name in localStorage, which all tabs share: two tabs of a person count once. */
const NAME = 'stateservice.name';

/** The reporter's name where localStorage is not available. */
let ownName;

/** Opens a dialog with fields. @returns their names and values; undefined where it was cancelled. */
export async function fieldsOf(dialog) {
  const form = dialog.querySelector('form');
  form.reset();
  return (await answerOf(dialog)) === 'yes' ? new FormData(form) : undefined;
}

/** Copies the text of an element. Without the clipboard, which needs https or loopback, it is selected. */
export async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    say('Copied.', 'yes');
  } catch {
    getSelection().selectAllChildren(element);
    say('Selected: press Ctrl+C to copy.', 'yes');
  }
}

/** Opens the dialog for a confirmation. @returns true only where the confirming button was pressed. */
export function confirmed({ title, text, yes }) {
  const dialog = document.querySelector('#question');
  dialog.querySelector('h2').textContent = title;
  dialog.querySelector('p').textContent = text;
  dialog.querySelector('[value="yes"]').textContent = yes;
  return answerOf(dialog).then((value) => value === 'yes');
}

/** Opens the dialog for the reporter's name, and stores the name. */
export async function askName() {
  const dialog = document.querySelector('#name');
  const field = dialog.querySelector('input');
  field.value = nameOf() ?? '';
  if ((await answerOf(dialog)) !== 'yes') return undefined;
  const name = field.value.trim();
  if (name === '') return undefined;
  ownName = name;
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // Without localStorage the name is kept until the page is left.
  }
  return name;
}

/** Opens a dialog. The second click of a double click does not confirm it. */
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

/** @returns the name in reports: the token's subject, or the stored name. */
export function nameOf() {
  const by = document.querySelector('main')?.dataset.by;
  if (by !== undefined) return by;
  try {
    return localStorage.getItem(NAME) ?? ownName;
  } catch {
    return ownName;
  }
}
