/** A chart as Mermaid's text (https://mermaid.js.org/syntax/stateDiagram.html), with its current states marked. */
import { type Model, ROOT, type StateNumber } from '../chart/model.ts';
import { type Arrow, commonOf, type Graph, type Node } from './graph.ts';

export function drawMermaid(model: Model, { root, arrows }: Graph, active: ReadonlySet<StateNumber>): string {
  const inside = new Map<StateNumber, Arrow[]>();
  for (const arrow of arrows) {
    // Mermaid takes an arrow where both of its ends are in sight: in the innermost state around them.
    const { from, to } = arrow;
    const common = commonOf(model, from, to);
    const around = common === from || common === to ? (model.states[common]?.parent ?? ROOT) : common;
    const list = inside.get(around);
    if (list === undefined) inside.set(around, [arrow]);
    else list.push(arrow);
  }
  const lines = ['stateDiagram-v2', ...body(root, inside, '  ')];
  lines.push('  classDef current fill:#0b57d0,color:#fff,stroke:#0b57d0');
  for (const state of active) {
    // A class on a state with states in it is drawn by no version of Mermaid.
    const isLeaf = model.states[state]?.last === state;
    if (isLeaf) lines.push(`  class ${idOf(state)} current`);
  }
  return `${lines.join('\n')}\n`;
}

function body(node: Node, arrows: ReadonlyMap<StateNumber, readonly Arrow[]>, indent: string): string[] {
  const lines: string[] = [];
  for (const [i, child] of node.children.entries()) {
    if (node.type === 'parallel' && i > 0) lines.push(`${indent}--`);
    lines.push(...declaration(child, arrows, indent));
  }
  if (node.initial !== undefined) lines.push(`${indent}[*] --> ${idOf(node.initial)}`);
  for (const child of node.children)
    if (child.type === 'final') lines.push(`${indent}${idOf(child.state)} --> [*]`);
  for (const { from, to, captions } of arrows.get(node.state) ?? []) {
    if (from === ROOT || to === ROOT) continue;
    const label = captions.map(({ text, counter }) =>
      counter?.kind === 'quorum' ? `${text} (${counter.until}×)` : text,
    );
    const words = label.length === 0 ? '' : ` : ${escaped(label.join(' | '))}`;
    lines.push(`${indent}${idOf(from)} --> ${idOf(to)}${words}`);
  }
  return lines;
}

function declaration(
  node: Node,
  arrows: ReadonlyMap<StateNumber, readonly Arrow[]>,
  indent: string,
): string[] {
  const label = node.type === 'history' ? (node.depth === 'deep' ? 'H*' : 'H') : node.label;
  const head = `${indent}state "${escaped(label)}" as ${idOf(node.state)}`;
  if (node.children.length === 0) return [head];
  return [`${head} {`, ...body(node, arrows, `${indent}  `), `${indent}}`];
}

/** A name is data; Mermaid's ids are words. */
function idOf(state: StateNumber): string {
  return `s${state}`;
}

/** Mermaid's own entities (`#35;`), for everything that it, HTML or Markdown could take for its own. */
function escaped(text: string): string {
  return text.replace(/[^\p{L}\p{N} ._/()|+×-]/gu, (character) => `#${character.codePointAt(0)};`);
}
