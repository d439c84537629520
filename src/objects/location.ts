/** The location of objects, from the variables LOCATION and JURISDICTION. */
import * as z from 'zod/mini';
import { type Refusal, refuse } from '../refusal.ts';

/** https://developers.cloudflare.com/durable-objects/reference/data-location/ */
export interface PlacementBindings {
  /** A hint of the region in which objects are created: `weur`. Default: near the first caller. */
  readonly LOCATION?: string | null;
  /**
   * The only jurisdiction in which objects run and store: `eu`. The same address in another jurisdiction is another
   * object, so this must be set before the first machine begins.
   */
  readonly JURISDICTION?: string | null;
}

/** Refuses unknown names: a machine outside the intended jurisdiction is worse than none. */
export function checkPlacement({ LOCATION, JURISDICTION }: PlacementBindings): Refusal | undefined {
  if (LOCATION && !LocationShape.safeParse(LOCATION).success) {
    return refuse('not-set-up', `The variable LOCATION must be one of ${LocationShape.options.join(', ')}.`);
  }
  if (JURISDICTION && !JurisdictionShape.safeParse(JURISDICTION).success) {
    const known = JurisdictionShape.options.join(', ');
    return refuse('not-set-up', `The variable JURISDICTION must be one of ${known}.`);
  }
  return undefined;
}

/** Returns the stub of an object at the configured location. @throws if a name is unknown. */
export function stubNamed<Type extends Rpc.DurableObjectBranded>(
  namespace: DurableObjectNamespace<Type>,
  name: string,
  { LOCATION, JURISDICTION }: PlacementBindings,
): DurableObjectStub<Type> {
  if (!LOCATION && !JURISDICTION) return namespace.getByName(name);
  const placed = JURISDICTION ? namespace.jurisdiction(JurisdictionShape.parse(JURISDICTION)) : namespace;
  return placed.getByName(name, LOCATION ? { locationHint: LocationShape.parse(LOCATION) } : {});
}

const LocationShape = z.enum([
  'wnam',
  'enam',
  'sam',
  'weur',
  'eeur',
  'apac',
  'apac-ne',
  'apac-se',
  'oc',
  'afr',
  'me',
]) satisfies z.ZodMiniType<DurableObjectLocationHint>;

const JurisdictionShape = z.enum([
  'eu',
  'us',
  'fedramp',
  'fedramp-high',
]) satisfies z.ZodMiniType<DurableObjectJurisdiction>;
