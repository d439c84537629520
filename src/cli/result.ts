import { relative } from 'node:path';

/** The result of a command or of a step of it: a value, or an expected refusal. A throw is a bug. */
export type Result<T> = { ok: true; value: T } | Refusal;

/** Why it failed: the lines for stderr, and the exit code of the process. */
export interface Refusal {
  ok: false;
  exitCode: number;
  lines: string[];
}

/** Success without a value. */
export const DONE: Result<void> = { ok: true, value: undefined };

/** 2 for a wrong command line, as in most Unix tools; 1 for every other failure. */
const EXIT_CODES = { failure: 1, usage: 2 } as const;

/** Makes a refusal of one sentence, prefixed with the program's name so that it stands out in npm's output. */
export function refuse(message: string, kind: keyof typeof EXIT_CODES = 'failure'): Refusal {
  return { ok: false, exitCode: EXIT_CODES[kind], lines: [`stateservice: ${message}`] };
}

/** Makes a refusal of complete lines (`file:line:column: …`). */
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
  ['EIO', 'the disk fails'],
]);

/** @returns the code of a system error (`ENOENT`); undefined for any other thrown value. */
export function errorCode(error: unknown): string | undefined {
  const isCoded = error instanceof Error && 'code' in error && typeof error.code === 'string';
  return isCoded ? String(error.code) : undefined;
}

/** @returns the path in a system error. */
export function errorPath(error: unknown): string | undefined {
  return error instanceof Error && 'path' in error ? String(error.path) : undefined;
}

/** @returns the reason of a system error in words. */
export function reasonOf(error: unknown): string {
  const known = REASONS.get(errorCode(error) ?? '');
  return known ?? (error instanceof Error ? error.message : String(error));
}

/** @returns a path relative to the current folder where it is inside it, else unchanged. */
export function shown(file: string): string {
  const path = relative('', file);
  return path.startsWith('..') || path === '' ? file : path;
}
