/**
 * A moment that is only known to lie between two others, in ms since the epoch: a client knows when it sent a request
 * and when the response came, but not when the machine executed it.
 */
export interface Moment {
  readonly from: number;
  readonly to: number;
}

export function exactly(at: number): Moment {
  return { from: at, to: at };
}

/** @returns the moment that both describe; undefined if they contradict each other. */
export function both(a: Moment, b: Moment): Moment | undefined {
  const from = Math.max(a.from, b.from);
  const to = Math.min(a.to, b.to);
  return from <= to ? { from, to } : undefined;
}

/** @returns a moment that is known to be one of two. */
export function spanning(a: Moment, b: Moment): Moment {
  return { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) };
}

/** @returns the moment, known to be no earlier than `from`. */
export function notBefore(from: number, moment: Moment): Moment {
  return moment.from >= from ? moment : { from, to: Math.max(from, moment.to) };
}
