/** Writes a chart as a Mermaid state diagram (https://mermaid.js.org/syntax/stateDiagram.html). */
import { FAILED_TAG, type Model, ROOT, type StateNumber } from '../chart/model.ts';
import type { Inputs } from '../chart/terms.ts';
import { type Arrow, amountText, commonOf, type Graph, type Node, textOf } from './graph.ts';
import type { Overlay } from './svg.ts';

/** @returns Mermaid's text, with the inputs of the run, and the active and the visited states marked by classes. */
export function drawMermaid(
  model: Model,
  { root, arrows }: Graph,
  { active, visited, inputs }: Pick<Overlay, 'active' | 'visited' | 'inputs'>,
): string {
  const inside = new Map<StateNumber, LabelledArrow[]>();
  for (const arrow of arrows) {
    // Mermaid wants an arrow inside the innermost state that contains both of its ends.
    const { from, to } = arrow;
    const common = commonOf(model, from, to);
    const around = common === from || common === to ? (model.states[common]?.parent ?? ROOT) : common;
    const labelled = { from, to, label: labelOf(arrow, inputs) };
    const list = inside.get(around);
    if (list === undefined) inside.set(around, [labelled]);
    else list.push(labelled);
  }
  const lines = ['stateDiagram-v2', ...body(root, inside, '  ')];
  const marked = [
    ...[...visited].filter((state) => !active.has(state)).map((state) => [state, 'left'] as const),
    ...[...active].map((state) => [state, classOf(model, state)] as const),
    // Mermaid ignores a class on a composite state.
  ].filter(([state]) => model.states[state]?.last === state);
  const used = new Set<string>(marked.map(([, name]) => name));
  for (const [name, style] of CLASSES) if (used.has(name)) lines.push(`  classDef ${name} ${style}`);
  for (const [state, name] of marked) lines.push(`  class ${idOf(state)} ${name}`);
  return `${lines.join('\n')}\n`;
}

/** Classes of current and visited states, in the colours of the SVG's light scheme. */
const CLASSES = [
  ['left', 'fill:#dfe3e9,color:#1f2733,stroke:#7d8795'],
  ['current', 'fill:#0b57d0,color:#fff,stroke:#0b57d0'],
  ['done', 'fill:#1e6b36,color:#fff,stroke:#1e6b36'],
  ['failed', 'fill:#b3261e,color:#fff,stroke:#b3261e'],
] as const;

function classOf({ states }: Model, state: StateNumber): 'current' | 'done' | 'failed' {
  const { type, tags = [] } = states[state] ?? {};
  if (type !== 'final') return 'current';
  return tags.includes(FAILED_TAG) ? 'failed' : 'done';
}

/** An arrow with its captions as one text, which may be empty. */
interface LabelledArrow {
  readonly from: StateNumber;
  readonly to: StateNumber;
  readonly label: string;
}

function labelOf({ captions }: Arrow, inputs: Inputs): string {
  const texts = captions.map((caption) => {
    const { counter } = caption;
    const text = textOf(caption, inputs);
    return counter?.kind === 'quorum' ? `${text} (${amountText(counter.needed, inputs)})` : text;
  });
  return texts.join(' | ');
}

function body(
  node: Node,
  arrows: ReadonlyMap<StateNumber, readonly LabelledArrow[]>,
  indent: string,
): string[] {
  const lines: string[] = [];
  for (const [i, child] of node.children.entries()) {
    if (node.type === 'parallel' && i > 0) lines.push(`${indent}--`);
    lines.push(...declaration(child, arrows, indent));
  }
  if (node.initial !== undefined) lines.push(`${indent}[*] --> ${idOf(node.initial)}`);
  for (const child of node.children)
    if (child.type === 'final') lines.push(`${indent}${idOf(child.state)} --> [*]`);
  for (const { from, to, label } of arrows.get(node.state) ?? []) {
    if (from === ROOT || to === ROOT) continue;
    lines.push(`${indent}${idOf(from)} --> ${idOf(to)}${label === '' ? '' : ` : ${escaped(label)}`}`);
  }
  return lines;
}

function declaration(
  node: Node,
  arrows: ReadonlyMap<StateNumber, readonly LabelledArrow[]>,
  indent: string,
): string[] {
  const label = node.type === 'history' ? (node.depth === 'deep' ? 'H*' : 'H') : node.label;
  const sign = node.isFailed ? '✗ ' : '';
  const head = `${indent}state "${sign}${escaped(label)}" as ${idOf(node.state)}`;
  if (node.children.length === 0) return [head];
  return [`${head} {`, ...body(node, arrows, `${indent}  `), `${indent}}`];
}

/** Mermaid's ids are words, so the number of the state is used and not its name. */
function idOf(state: StateNumber): string {
  return `s${state}`;
}

/** Escapes all characters that have a meaning in Mermaid, HTML or Markdown as Mermaid's entities (`#35;`). */
function escaped(text: string): string {
  return text.replace(/[^\p{L}\p{N} ._/()|+×-]/gu, (character) => `#${character.codePointAt(0)};`);
}
