import type { Context } from 'hono';
import * as z from 'zod/mini';
import type { Lock } from '../../commands.ts';
import { type Refusal, refuse, statusOf } from '../../refusal.ts';
import { FLEETLOCK_BYTES } from '../../request-limits.ts';
import { readText } from '../body.ts';
import { ANY_TYPE, type Parameter } from '../contract/contract.ts';
import { FaultShape, FleetLockShape } from '../contract/fleetlock-documents.ts';
import type { AppEnv } from '../env.ts';
import { checkOwnName, parameter, withSubject } from '../parameters.ts';
import type { RemoteMachine } from '../remote-machine.ts';
import type { MachineResource } from '../resource.ts';
import { refusalHeaders, respond } from '../responses.ts';

const NO_PROTOCOL = 'The header `fleet-lock-protocol: true` is missing.';

const PROTOCOL: Parameter<'true'> = parameter({
  name: 'fleet-lock-protocol',
  in: 'header',
  says: 'The protocol: `true`.',
  isRequired: true,
  shape: z.literal('true', NO_PROTOCOL),
  absent: refuse('wrong-parameter', NO_PROTOCOL),
});

/** The request of both routes, and the refusals that both can answer with. */
const REQUEST = {
  parameters: [PROTOCOL],
  body: { 'application/json': FleetLockShape, ...ANY_TYPE },
} as const;
const REFUSALS = [
  'wrong-parameter',
  'ambiguous-state',
  'too-large',
  'too-slow',
  'not-current',
  'cannot-come',
  'no-slots',
  'paused',
  'no-members',
  'not-a-member',
  'not-for-you',
] as const;

const FAULT = { 'application/json': FaultShape } as const;

/** FleetLock, before a reboot: https://coreos.github.io/zincati/development/fleetlock/protocol/ */
export const preReboot: MachineResource = {
  path: '/v1/pre-reboot',
  methods: {
    POST: {
      right: 'update',
      contract: {
        id: 'preReboot',
        summary: 'FleetLock: takes a slot before a reboot.',
        ...REQUEST,
        answers: { 200: { says: 'The node may reboot.' } },
        refusals: [...REFUSALS, 'closed', 'slots-taken', 'final-state'],
      },
      answer: (c, machine) => answer(c, machine, 'lock'),
    },
  },
  refuse: fault,
  refusalContent: FAULT,
};

/** FleetLock, after a reboot. */
export const steadyState: MachineResource = {
  path: '/v1/steady-state',
  methods: {
    POST: {
      right: 'update',
      contract: {
        id: 'steadyState',
        summary: 'FleetLock: reports after a reboot, and frees the slot.',
        ...REQUEST,
        answers: { 200: { says: 'The slot is free.' } },
        refusals: [...REFUSALS, 'not-taken', 'final-state', 'expression-failed', 'over-bound'],
      },
      answer: (c, machine) => answer(c, machine, 'unlock'),
    },
  },
  refuse: fault,
  refusalContent: FAULT,
};

async function answer(c: Context<AppEnv>, machine: RemoteMachine, type: Lock['type']): Promise<Response> {
  const protocol = PROTOCOL.read(c);
  if (!protocol.ok) return fault(protocol);
  const body = await readText(c, FLEETLOCK_BYTES);
  if (!body.ok) return fault(body);
  const params = parseBody(body.value);
  if (params === undefined) {
    return fault(refuse('wrong-parameter', 'The body must be {"client_params": {"id": "…", "group": "…"}}.'));
  }
  const foreign = checkOwnName(c, params.id);
  if (foreign !== undefined) return fault(foreign);
  const outcome = await machine.execute({ type, ...params, ...withSubject(c) });
  return outcome.ok ? respond(null, 200, {}) : fault(outcome);
}

function parseBody(text: string): { readonly id: string; readonly group: string } | undefined {
  try {
    return FleetLockShape.safeParse(JSON.parse(text)).data?.client_params;
  } catch {
    return undefined;
  }
}

/** Renders a refusal in the protocol's own shape. */
function fault(refusal: Refusal): Response {
  const { code, detail } = refusal;
  const body = JSON.stringify({ kind: code.replaceAll('-', '_'), value: detail });
  return respond(body, statusOf(code), { 'Content-Type': 'application/json', ...refusalHeaders(refusal) });
}
