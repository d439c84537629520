/** A pause: the timers stand still, and go on with what was left of them. */
import { changed, counted, type Machine, type Paused } from './machine.ts';
import type { Moment } from './moment.ts';

/** Pauses the machine at `when`. If it is paused already, the pause gets another end and reason. */
export function paused(
  machine: Machine,
  when: Moment,
  words: Pick<Paused, 'until' | 'by' | 'reason'>,
): Machine {
  const { since, left } = machine.paused ?? {
    since: when,
    left: shifted(machine.timers, ({ from, to }) => ({ from: from - when.to, to: to - when.from })),
  };
  const next = { ...machine, timers: new Map(), paused: { ...words, since, left } };
  return changed(counted(next, 'pauses'), when);
}

/** Ends a pause at `when`. */
export function resumed({ paused, ...machine }: Machine, when: Moment): Machine {
  const timers = shifted(paused?.left ?? new Map(), ({ from, to }) => ({
    from: when.from + from,
    to: when.to + to,
  }));
  return changed({ ...machine, timers }, when);
}

function shifted(moments: ReadonlyMap<number, Moment>, shift: (at: Moment) => Moment): Map<number, Moment> {
  return new Map([...moments].map(([id, at]) => [id, shift(at)]));
}
