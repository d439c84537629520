import type { Result } from '../src/cli/result.ts';

/** @throws the lines of a refusal. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(result.lines.join('\n'));
}
