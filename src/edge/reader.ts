/** Who reads a page: for its header, and for what it offers. */
import type { Context } from 'hono';
import type { Address } from '../address.ts';
import { allows, type Grant, type Right } from '../grant.ts';
import type { AppEnv } from './env.ts';
import { isInSession } from './session-cookie.ts';

/** The rights of a request's token at a machine, and whose token it is. */
export function readerOf(c: Context<AppEnv>, address: Address) {
  const grant = c.get('grant');
  const may = (right: Right) => grant === undefined || allows(grant, right, address);
  return {
    rights: { update: may('update'), operate: may('operate'), admin: may('admin') },
    ...viewerOf(c, grant),
  };
}

function viewerOf(c: Context<AppEnv>, grant: Grant | undefined) {
  return grant === undefined ? {} : { viewer: grant, isInSession: isInSession(c.req.raw) };
}

/** @returns the path of a machine without a slash at its end; empty for `default`. */
export function pathOf({ tenant }: Address, name: string): string {
  return tenant === undefined ? '' : `/${name}`;
}
