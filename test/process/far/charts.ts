/** The charts of the tests with a distance. */

/** Counts reports; never left. */
export const COUNTING = JSON.stringify({
  current_state: 'drain',
  states: [
    {
      name: 'drain',
      func: 'increment',
      current: { key: 'count', value: 0 },
      target: { name: 'done', when: { key: 'count', value: 1_000_000 } },
    },
    { name: 'done' },
  ],
});

/** One of two callers may work. */
export const SLOTTED = `
initial: reboot
states:
  reboot:
    slots: 1
    lease: 10m
    on: { update: done }
  done: {}
`;

/** A state that the first report leaves for another one. */
export const TURNING = `
initial: a
states:
  a: { on: { update: b } }
  b: {}
`;
