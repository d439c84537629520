/** Tokens, and a service that requires them. */
import { env } from 'cloudflare:workers';
import { sign } from 'hono/jwt';
import { answer } from '../src/edge/app.ts';
import type { Env } from '../src/edge/env.ts';
import type { Right } from '../src/grant.ts';
import { hold } from './edge/contract/held.ts';

/** What the service signs with; as long as it has to be. */
export const SECRET = 'a secret that only the tests know of';
export const PREVIOUS_SECRET = 'the secret that was in use before it';

export const GUARDED: Partial<Env> = { AUTH: 'token', TOKEN_SECRET: SECRET };

/** What a token says, as it is signed: everything may be left out or wrong. */
export interface TokenClaims {
  readonly sub?: unknown;
  readonly charts?: unknown;
  readonly can?: unknown;
  readonly by?: unknown;
  readonly exp?: unknown;
  readonly nbf?: unknown;
  readonly iat?: unknown;
}

export function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1_000) + seconds;
}

/** A valid token, except for the given claims. */
export async function tokenWith(claims: TokenClaims = {}, secret = SECRET): Promise<string> {
  const whole = {
    sub: 'tester',
    charts: ['*'],
    can: ['read', 'update', 'operate', 'admin'],
    exp: inSeconds(600),
    ...claims,
  };
  return sign(JSON.parse(JSON.stringify(whole)), secret, 'HS256');
}

/** A token for some machines with some rights. */
export async function tokenFor(
  charts: string | readonly string[],
  ...can: readonly Right[]
): Promise<string> {
  return tokenWith({ charts: [charts].flat(), can });
}

/** Sends a request to the service under other variables than the tests' own. */
export async function sendWith(
  bindings: Partial<Env>,
  method: string,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  const request = new Request(`https://service.test${path}`, { ...init, method });
  const response = await answer(request, { ...env, ...bindings });
  await hold(method, path, response);
  return response;
}

/** Sends a request with a token, or without one, to the service that asks for them. */
export async function sendAs(
  token: string | undefined,
  method: string,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
  return sendWith(GUARDED, method, path, { ...init, headers });
}
