/**
 * A moment that is known only to lie between two others, in ms since the epoch: a client sees when it has asked and
 * when it was answered, and not when the machine did it.
 */
export interface Moment {
  readonly from: number;
  readonly to: number;
}

export function exactly(at: number): Moment {
  return { from: at, to: at };
}

/** @returns what both say of one moment; undefined where they contradict each other. */
export function both(a: Moment, b: Moment): Moment | undefined {
  const from = Math.max(a.from, b.from);
  const to = Math.min(a.to, b.to);
  return from <= to ? { from, to } : undefined;
}

/** @returns the moment, known to be no earlier than `from`. */
export function notBefore(from: number, moment: Moment): Moment {
  return moment.from >= from ? moment : { from, to: Math.max(from, moment.to) };
}
