/** Moments to which the tests restore machines, and restores as an administrator sends them. */
import { send } from '../service.ts';
import { resource } from './callers.ts';
import { type PointInTime, standIn } from './point-in-time.ts';

let standing: PointInTime | undefined;

/** The stand-in for the platform's recovery, in place since the first `moment` of the test. */
export function platform(): PointInTime {
  if (standing === undefined) throw new Error('no moment was kept');
  return standing;
}

/** Takes the stand-in away, after each test. */
export function removeStandIn(): void {
  standing?.remove();
  standing = undefined;
}

/** Keeps a copy of the machine as it is now. @returns the moment, with which nothing later coincides. */
export async function moment(address: string): Promise<number> {
  standing ??= await standIn(address);
  await standing.keep(address);
  const at = Date.now();
  await scheduler.wait(3);
  return at;
}

export function restore(address: string, at: number, by?: string): Promise<Response> {
  return send('POST', resource(address, 'restore', { at: new Date(at).toISOString(), by }));
}
