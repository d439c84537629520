/** Makes a plan that fails smaller: fewer faults and requests with which it fails in the same way. */
import type { Action, Fault, Plan } from './plan.ts';
import { type Options, run } from './world.ts';

/** @returns what is wrong, without names and numbers; undefined if nothing is. */
function kindOf(violations: readonly string[]): string | undefined {
  return violations[0]
    ?.split('\n')[0]
    ?.replace(/^\S+: /, '')
    .replace(/\S*\d\S*/g, '#');
}

/**
 * Leaves out parts of a plan, halves first and then less and less, for as long as the rest still fails.
 *
 * @param isOver whether to stop: what was found by then is returned.
 */
export async function shrink(plan: Plan, options: Options, isOver: () => boolean): Promise<Plan> {
  const kind = kindOf((await run(plan, options)).violations);
  const fails: Fails = async (smaller) => kindOf((await run(smaller, options)).violations) === kind;
  let present = plan;
  for (const machine of new Set(plan.actions.map((action) => action.machine))) {
    const others = (part: Action | Fault) => part.machine !== machine;
    const smaller = {
      ...present,
      actions: present.actions.filter(others),
      faults: present.faults.filter(others),
    };
    if (!isOver() && (await fails(smaller))) present = smaller;
  }
  for (let before = Number.POSITIVE_INFINITY; sizeOf(present) < before && !isOver(); ) {
    before = sizeOf(present);
    present = await shorterOf(present, fails, isOver);
    present = await lessOf(present, 'faults', fails, isOver);
    present = await lessOf(present, 'actions', fails, isOver);
  }
  return present;
}

type Fails = (smaller: Plan) => Promise<boolean>;

/** Ends a plan earlier: its last parts are left out. */
async function shorterOf(plan: Plan, fails: Fails, isOver: () => boolean): Promise<Plan> {
  const ends = [...plan.actions, ...plan.faults].map(({ at }) => at).sort((one, other) => one - other);
  let present = plan;
  let [low, high] = [0, ends.length];
  while (low < high && !isOver()) {
    const middle = Math.floor((low + high) / 2);
    const length = (ends[middle] ?? 0) + 1_000;
    const isWithin = ({ at }: Action | Fault) => at <= length;
    const smaller = {
      ...plan,
      length,
      actions: plan.actions.filter(isWithin),
      faults: plan.faults.filter(isWithin),
    };
    if (await fails(smaller)) [present, high] = [smaller, middle];
    else low = middle + 1;
  }
  return present;
}

function sizeOf({ actions, faults }: Plan): number {
  return actions.length + faults.length;
}

async function lessOf<Part extends 'faults' | 'actions'>(
  plan: Plan,
  part: Part,
  fails: Fails,
  isOver: () => boolean,
): Promise<Plan> {
  let present = plan;
  for (let size = Math.ceil(plan[part].length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < present[part].length && !isOver(); ) {
      const items: readonly unknown[] = present[part];
      const smaller = { ...present, [part]: items.toSpliced(at, size) };
      if (await fails(smaller)) present = smaller;
      else at += size;
    }
  }
  return present;
}
