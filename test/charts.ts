/** The tests' own charts: how they are written, and how they get behind the `CHARTS` binding. */
import { env } from 'cloudflare:workers';

/** Puts a chart where the service looks for it: at `tenant/chart`. */
export async function putChart(address: string, text: string): Promise<void> {
  await env.CHARTS.fetch(`https://charts/${address}.yaml`, { method: 'PUT', body: text });
}

/** Takes a chart away again. */
export async function removeChart(address: string): Promise<void> {
  await env.CHARTS.fetch(`https://charts/${address}.yaml`, { method: 'DELETE' });
}

/** Test files run side by side and share the folder; each has a tenant of its own in it. */
const TENANT = `test-${crypto.randomUUID().slice(0, 8)}`;
let charts = 0;

/**
 * Puts a chart at an address that no other test has.
 *
 * @returns the address, such as `test-1a2b3c4d/c7`.
 */
export async function newChart(text: string): Promise<string> {
  const address = newAddress();
  await putChart(address, text);
  return address;
}

/** @returns an address that no other test has, and that has no chart. */
export function newAddress(): string {
  charts += 1;
  return `${TENANT}/c${charts}`;
}

/** Writes a sequence: its states in order, the first one current. It is JSON, which is YAML and needs no quoting. */
export function sequence(...states: readonly object[]): string {
  const [first] = states;
  return JSON.stringify({ current_state: first && 'name' in first ? first.name : undefined, states });
}

/** A state that is left by the update that makes its count `until`. */
export function counting(name: string, target: string, until = 1, from = 0): object {
  return {
    name,
    func: 'increment',
    current: { key: 'count', value: from },
    target: { name: target, when: { key: 'count', value: until } },
  };
}

/** A state that is left by itself at a moment. */
export function timed(name: string, target: string, at: string): object {
  return { name, func: 'time', target: { name: target, when: { key: 'clock', value: at } } };
}

/** A state that is never left. */
export function final(name: string): object {
  return { name };
}
