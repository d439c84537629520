import { relative } from 'node:path';

/** What a command came to, as a value: a throw is a bug. */
export type Outcome<T> = { ok: true; value: T } | Refusal;

/** Why it was not done: the lines for stderr, and the exit code of the process. */
export interface Refusal {
  ok: false;
  exitCode: number;
  lines: string[];
}

/** It was done, and there is nothing to hand over. */
export const DONE: Outcome<void> = { ok: true, value: undefined };

/** 2 says that the command line itself is wrong, as in most Unix tools; 1 is every other failure. */
const EXIT_CODES = { failure: 1, usage: 2 } as const;

/** One plain sentence, named like the program so that it is understood in the middle of npm's own output. */
export function refuse(message: string, kind: keyof typeof EXIT_CODES = 'failure'): Refusal {
  return { ok: false, exitCode: EXIT_CODES[kind], lines: [`stateservice: ${message}`] };
}

/** Many lines, each complete in itself (`file:line:column: …`). */
export function refuseLines(lines: string[]): Refusal {
  return { ok: false, exitCode: EXIT_CODES.failure, lines };
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'it does not exist'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EISDIR', 'it is a folder'],
  ['ENOTDIR', 'it is not a folder'],
  ['EEXIST', 'it is not a folder'],
  ['EROFS', 'the disk is read-only'],
  ['ENOSPC', 'the disk is full'],
]);

/** The code of a system error (`ENOENT`), or undefined for any other thrown value. */
export function errorCode(error: unknown): string | undefined {
  const isCoded = error instanceof Error && 'code' in error && typeof error.code === 'string';
  return isCoded ? String(error.code) : undefined;
}

/** The file or folder that a system error is about. */
export function errorPath(error: unknown): string | undefined {
  return error instanceof Error && 'path' in error ? String(error.path) : undefined;
}

/** Says in words why the system refused a file, a folder or a socket. */
export function reasonOf(error: unknown): string {
  const known = REASONS.get(errorCode(error) ?? '');
  return known ?? (error instanceof Error ? error.message : String(error));
}

/** @returns a path as it is shortest to read: relative where it lies in the current folder. */
export function shown(file: string): string {
  const path = relative('', file);
  return path.startsWith('..') || path === '' ? file : path;
}
