/** What the service serves: paths, their methods, and the contract of each. `mount.ts` serves them. */
import type { Context } from 'hono';
import type { Right } from '../grant.ts';
import type { Refusal } from '../refusal.ts';
import type { Content, Contract } from './contract/contract.ts';
import type { AppEnv } from './env.ts';
import type { RemoteMachine } from './remote-machine.ts';

/** All resources of the service. */
export interface Resources {
  readonly service: readonly ServiceResource[];
  readonly tenant: readonly TenantResource[];
  readonly machine: readonly MachineResource[];
}

/** A path of the service itself, with its `GET`. It shows nothing of any machine and needs no token. */
export interface ServiceResource extends ServiceMethod {
  readonly path: string;
  readonly post?: ServiceMethod;
}

interface ServiceMethod {
  readonly contract: Contract;
  answer(c: Context<AppEnv>): Response | Promise<Response>;
}

/** A path below a tenant. No chart can have its name (`address.ts`). */
export interface TenantResource extends Resource<[tenant: string]> {
  /** Below the tenant's own path: empty for the tenant itself, otherwise with a leading slash. */
  readonly path: string;
}

/** A path below a machine. */
export interface MachineResource extends Resource<[machine: RemoteMachine]> {
  /** Below the machine's own path: empty for the machine itself, otherwise with a leading slash. */
  readonly path: string;
}

export interface Resource<Arguments extends readonly unknown[]> {
  readonly methods: Readonly<Partial<Record<MethodName, Method<Arguments>>>>;
  /** Renders refusals. Default: as problem details. */
  refuse?(refusal: Refusal): Response;
  /** The body of a rendered refusal. */
  readonly refusalContent?: Content;
}

/** `HEAD` comes with `GET`, `OPTIONS` with every path. */
export type MethodName = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';

export interface Method<Arguments extends readonly unknown[]> {
  /** The right that the caller's token must have; `link` where the path itself is the authority, and no token is read. */
  readonly right: Right | 'link';
  readonly contract: Contract;
  /** Whether the method also serves addresses that have no chart. */
  readonly isFirst?: true;
  answer(c: Context<AppEnv>, ...args: Arguments): Response | Promise<Response>;
}
