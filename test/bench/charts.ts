/** The charts of the bench. None of them ends: every update counts, and nothing moves. */

/** A sequence of so many states. Updates are counted in the first one. */
function counting(states: number): string {
  const names = Array.from({ length: states }, (_, i) => (i === 0 ? 'a' : `s${i}`));
  const written = names.map((name, i) => {
    const next = names[i + 1];
    if (next === undefined) return { name };
    const until = i === 0 ? 1_000_000_000_000_000 : 1;
    return {
      name,
      func: 'increment',
      current: { key: 'n', value: 0 },
      target: { name: next, when: { key: 'n', value: until } },
    };
  });
  // JSON is YAML, and needs no quoting.
  return JSON.stringify({ current_state: 'a', states: written });
}

/** Changes its state at each `go`, so that waits for the other state end. */
const ROUND = `initial: a
states:
  a: {on: {go: b, update: {target: never, quorum: 1000000000}}}
  b: {on: {go: a, update: {target: never, quorum: 1000000000}}}
  never: {}
`;

/** Each report begins a new visit, so that a caller counts again. */
const TURNING = `initial: a
states:
  a: {on: {update: {target: a, reenter: true}}}
`;

/** The served folder: `/bench/small` and so on. Each chart has three states, and `large` has a thousand. */
export const CHARTS: Readonly<Record<string, string>> = {
  small: counting(3),
  large: counting(1_000),
  round: ROUND,
  turning: TURNING,
};
