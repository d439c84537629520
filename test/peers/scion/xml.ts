/** Reads the XML of test charts: elements and attributes. Text is left out: charts have none that matters. */

export interface Element {
  /** Without its prefix. */
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
}

interface Open extends Element {
  readonly children: Open[];
}

/** @throws if the elements are not nested right. */
export function parseXml(text: string): Element {
  const document: Open = { tag: '', attributes: {}, children: [] };
  const open = [document];
  const bare = text.replaceAll(
    /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[[\s\S]*?\]\]>|<!DOCTYPE[^>]*>/g,
    '',
  );
  for (const [, closing, name = '', attributes = '', empty] of bare.matchAll(
    /<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>/g,
  )) {
    const tag = name.slice(name.indexOf(':') + 1);
    if (closing) {
      if (open.pop()?.tag !== tag) throw new Error(`</${tag}> closes another element`);
      continue;
    }
    const element = { tag, attributes: attributesOf(attributes), children: [] };
    open.at(-1)?.children.push(element);
    if (!empty) open.push(element);
  }
  const [root] = document.children;
  if (root === undefined || open.length > 1) throw new Error('the document does not end');
  return root;
}

function attributesOf(text: string): Record<string, string> {
  const all = text.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g);
  return Object.fromEntries(
    Array.from(all, ([, name = '', double, single]) => [name, unescaped(double ?? single ?? '')]),
  );
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replaceAll(/&(\w+);/g, (entity, name: string) => ENTITIES[name] ?? entity);
}
