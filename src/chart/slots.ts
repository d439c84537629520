/** `slots`, `lease` and `cooldown`: keys that neither the original nor XState has, the same in both dialects. */
import * as z from 'zod/mini';
import { CHART_SLOTS } from '../chart-limits.ts';
import { amountShape, parseAmount } from './amount.ts';
import type { Slots } from './model.ts';
import { DEFAULT_LEASE, DURATION, parseDuration } from './time.ts';

const LEASE = { error: 'must be a duration of at least 1s, such as 90s or 15m' };

const DurationShape = z
  .union([z.number(), z.string().check(z.meta({ pattern: DURATION.source }))], LEASE)
  .check(z.refine((duration) => (parseDuration(String(duration)) ?? 0) >= 1_000, LEASE));

/** The shapes of the keys. */
export const SlotsFields = {
  slots: z
    .optional(amountShape(`a whole number from 1 to ${CHART_SLOTS}`, '`10%`', CHART_SLOTS))
    .check(
      z.describe(
        'How many callers may hold a slot at a time: a number, a share of the members (`10%`), or an input (`inputs.batch`). A caller claims a slot before it reports.',
      ),
    ),
  lease: z
    .optional(DurationShape)
    .check(z.describe('How long a claim lasts unless it is renewed: 90s, 15m. Default: 15m.')),
  cooldown: z
    .optional(DurationShape)
    .check(z.describe('How long a slot stays taken after the report that frees it: 5m. It sets the pace.')),
};

/** The keys as a document has them, valid or not. */
export interface SlotsKeys {
  readonly slots?: unknown;
  readonly lease?: unknown;
  readonly cooldown?: unknown;
}

/** Reads the slots of a state. */
export function readSlots({ slots, lease, cooldown }: SlotsKeys): Slots | undefined {
  const count = parseAmount(slots);
  if (count === undefined) return undefined;
  const pause = readDuration(cooldown);
  return {
    count,
    lease: readDuration(lease) ?? DEFAULT_LEASE,
    ...(pause === undefined ? {} : { cooldown: pause }),
  };
}

function readDuration(duration: unknown): number | undefined {
  return typeof duration === 'string' || typeof duration === 'number'
    ? parseDuration(String(duration))
    : undefined;
}
