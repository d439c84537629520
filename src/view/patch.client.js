// Patches the DOM with a newer rendering of the same page. Served in front of `page.client.js`, as one module.

/** Makes `node` equal to `fresh`. Equal nodes are not touched, so scroll positions, selection and focus stay. */
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
  for (const { name } of [...node.attributes]) {
    // What a reader has unfolded stays so.
    if (!fresh.hasAttribute(name) && name !== 'open') node.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  // The page's script writes the text of these.
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

/** @returns the node at `at` where it can become `want`: neither has a key, and both have the same name. */
function matching(at, want) {
  return at !== null && keyOf(at) === undefined && at.nodeName === want.nodeName ? at : undefined;
}

/** Children with a key are matched by it, wherever they are; children without one by their order. */
function keyOf(node) {
  return node.dataset?.key ?? (node.id || undefined);
}
