/** A page of the documentation as its reader meets it: blocks between fences, and the commands in them. */

export interface Block {
  /** What follows the fence: `sh`, `yaml`, … */
  readonly language: string;
  /** The nearest heading above it. */
  readonly heading: string;
  /** Of its fence, from 1. */
  readonly line: number;
  readonly text: string;
}

/** One command of a block, its continued lines with it. */
export interface Command {
  readonly text: string;
  /** The comments directly above it. */
  readonly comments: string;
  /** What the page shows as its output, line for line; none in a block of `sh`. */
  readonly shown: readonly string[];
}

/** @throws where a fence does not end, or names no language: nothing between fences may be overlooked. */
export function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = [];
  let heading = '';
  let open: { language: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of page.split('\n').entries()) {
    const fence = /^\s*(?:```|~~~)\s*(.*)$/.exec(line)?.[1];
    if (open === undefined) {
      heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
      if (fence === '') throw new Error(`line ${index + 1}: the block names no language`);
      if (fence !== undefined) open = { language: fence, line: index + 1, lines: [] };
    } else if (fence === undefined) {
      open.lines.push(line);
    } else {
      const { language, line: from, lines } = open;
      blocks.push({ language, heading, line: from, text: lines.join('\n') });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`line ${open.line}: the block does not end`);
  return blocks;
}

/** @returns the commands of a block of `sh` (every line is typed), or of `console` (typed after `$ `, or printed). */
export function commandsOf({ language, text }: Block): readonly Command[] {
  return language === 'console' ? sessionOf(text) : scriptOf(text);
}

/** @returns what every request of a command is to be answered: what its line or its comment tells, else 2xx. */
export function statusOf({ text, comments }: Command): RegExp {
  const told = /\| grep (\d{3})\b/.exec(text)?.[1] ?? /^# (\d{3}):/m.exec(comments)?.[1];
  return new RegExp(`^${told ?? '2..'}$`);
}

function scriptOf(text: string): Command[] {
  const commands: Command[] = [];
  let comments: string[] = [];
  // A line that ends with a backslash goes on in the next.
  for (const line of text.match(/(?:.*\\\n)*.+/g) ?? []) {
    if (line.startsWith('#')) {
      comments.push(line);
    } else {
      commands.push({ text: line, comments: comments.join('\n'), shown: [] });
      comments = [];
    }
  }
  return commands;
}

function sessionOf(text: string): Command[] {
  const [before, ...typed] = text.split(/^\$ /m);
  if (before !== '') throw new Error(`a session begins with a command, not with ${before}`);
  return typed.map((part) => {
    const [command = '', ...shown] = part.replace(/\n$/, '').split('\n');
    return { text: command, comments: '', shown };
  });
}
