/** `slots` and `lease`: keys that neither the original nor XState has, the same in both dialects. */
import * as z from 'zod';
import { CHART_SLOTS } from '../limits.ts';
import type { Slots } from './model.ts';
import { DEFAULT_LEASE, DURATION, parseDuration } from './time.ts';

const SLOTS = { error: `must be a whole number from 1 to ${CHART_SLOTS}` };
const LEASE = { error: 'must be a duration of at least 1s, such as 90s or 15m' };

/** The shapes of the two keys. */
export const SlotsFields = {
  slots: z
    .int(SLOTS)
    .min(1, SLOTS)
    .max(CHART_SLOTS, SLOTS)
    .optional()
    .describe('How many callers may hold a slot at a time. A caller claims a slot before it reports.'),
  lease: z
    .union([z.number(), z.string().meta({ pattern: DURATION.source })], LEASE)
    .refine((lease) => (parseDuration(String(lease)) ?? 0) >= 1_000, LEASE)
    .optional()
    .describe('How long a claim lasts unless it is renewed: 90s, 15m. Default: 15m.'),
};

/** @param slots and lease from the document, valid or not. */
export function readSlots(slots: unknown, lease: unknown): Slots | undefined {
  if (typeof slots !== 'number') return undefined;
  return {
    count: slots,
    lease:
      (typeof lease === 'string' || typeof lease === 'number' ? parseDuration(String(lease)) : undefined) ??
      DEFAULT_LEASE,
  };
}
