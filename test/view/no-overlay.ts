/** The overlay of a drawing of a machine that has not begun. */
export const NO_OVERLAY = {
  active: new Set<number>(),
  visited: new Set<number>(),
  counts: new Map(),
  due: new Map(),
  inputs: {},
  now: 0,
};
