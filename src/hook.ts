/**
 * Hooks: the receivers of notifications. A chart names them; the deployer sets the address and the secret of each, so no
 * chart can make the service call an address.
 */

/** The name of a hook. */
export const HOOK_NAME = /^[A-Z][A-Z0-9_]{0,62}$/;

/** The variable or secret of a hook: `HOOK_OPS="https://… whsec_…"`. */
export type HookVariable = `HOOK_${string}`;
export const HOOK_VARIABLE = /^HOOK_[A-Z][A-Z0-9_]{0,62}$/;

/** The hooks as the deployer has set them, by their variables. */
export interface HookBindings {
  readonly [variable: HookVariable]: string | null | undefined;
}

/** Where messages to a hook go, and the secrets that sign them. */
export interface Hook {
  readonly ok: true;
  readonly address: string;
  readonly secrets: readonly Uint8Array<ArrayBuffer>[];
}

/** A hook that cannot be told anything, and why. The text contains nothing of the address or the secret. */
export interface NoHook {
  readonly ok: false;
  readonly problem: string;
}

/** Bytes of a secret (Standard Webhooks, "Signature scheme"). */
const SECRET_MIN = 24;
const SECRET_MAX = 64;

export function variableOf(hook: string): HookVariable {
  return `HOOK_${hook}`;
}

/**
 * Reads the value of a hook's variable: an address and at least one secret, separated by white space. With two secrets,
 * each message has two signatures, so that secrets rotate without an outage.
 *
 * @param isLocal whether the deployer's own machine serves: then the address may be `http:` to loopback.
 */
export function readHook(
  variable: HookVariable,
  value: string | null | undefined,
  isLocal: boolean,
): Hook | NoHook {
  const wrong = (what: string): NoHook => ({ ok: false, problem: `${variable} ${what}` });
  if (value === null || value === undefined || value.trim() === '') return wrong('is not set');
  const [address = '', ...words] = value.trim().split(/\s+/);
  const url = URL.parse(address);
  if (url === null) return wrong('does not begin with a URL');
  const isLoopback = url.protocol === 'http:' && LOOPBACK.test(url.hostname);
  if (url.protocol !== 'https:' && !(isLocal && isLoopback)) return wrong('must have an https address');
  if (url.username !== '' || url.password !== '') return wrong('must have an address without a user name');
  const secrets = words.flatMap((word) => readSecret(word) ?? []);
  if (words.length === 0 || secrets.length < words.length) {
    return wrong(
      `must have a secret after the address: whsec_ and the base64 of ${SECRET_MIN} to ${SECRET_MAX} bytes`,
    );
  }
  return { ok: true, address: url.href, secrets };
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

function readSecret(word: string): Uint8Array<ArrayBuffer> | undefined {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(word)?.[1];
  if (base64 === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return bytes.length >= SECRET_MIN && bytes.length <= SECRET_MAX ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** The header of a message that tells the service its own messages, so that no hook leads back to it. */
export const LOOP_HEADER = 'stateservice-hook';

/** Returns the value of `LOOP_HEADER` in messages to a hook: a hash of its address and its secrets. */
export async function loopMark(value: string): Promise<string> {
  const bytes = new TextEncoder().encode(`${LOOP_HEADER}\n${value}`);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...hash.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Whether a message with this mark was sent by a hook of these bindings. */
export async function isOwnMark(mark: string, bindings: HookBindings): Promise<boolean> {
  for (const [name, value] of Object.entries(bindings)) {
    if (name.startsWith('HOOK_') && typeof value === 'string' && (await loopMark(value)) === mark)
      return true;
  }
  return false;
}
