/** Parses a page of the documentation: the blocks between fences, and the commands in them. */

export interface Block {
  /** The word after the fence: `sh`, `yaml`, … */
  readonly language: string;
  /** The nearest heading above it. */
  readonly heading: string;
  /** Line of its fence, from 1. */
  readonly line: number;
  readonly text: string;
}

/** One command of a block, with its continued lines. */
export interface Command {
  readonly text: string;
  /** The comments directly above it. */
  readonly comments: string;
  /** The output that the page shows, line by line; empty in a block of `sh`. */
  readonly shown: readonly string[];
}

/** @throws if a fence does not end or names no language, so that no block is skipped. */
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

/** @returns the commands of a block. In `sh` every line is a command; in `console` lines after `$ ` are commands, others are output. */
export function commandsOf({ language, text }: Block): readonly Command[] {
  return language === 'console' ? sessionOf(text) : scriptOf(text);
}

/** @returns the expected status of each request of a command: the one in its line or comment, else 2xx. */
export function statusOf({ text, comments }: Command): RegExp {
  const stated = /\| grep (\d{3})\b/.exec(text)?.[1] ?? /^# (\d{3}):/m.exec(comments)?.[1];
  return new RegExp(`^${stated ?? '2..'}$`);
}

function scriptOf(text: string): Command[] {
  const commands: Command[] = [];
  let comments: string[] = [];
  // A line that ends with a backslash continues on the next line.
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
