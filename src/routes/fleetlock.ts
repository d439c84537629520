import type { Context } from 'hono';
import * as z from 'zod';
import { refusalHeaders, respond } from '../answers.ts';
import { checkCaller } from '../arguments.ts';
import type { AppEnv } from '../env.ts';
import { CALLER_LENGTH, FLEETLOCK_BYTES } from '../limits.ts';
import { type Refusal, refuse, statusOf } from '../refusal.ts';
import type { Yes } from '../turn.ts';
import { readText } from './body.ts';
import { subject } from './parameters.ts';
import type { MachineResource } from './resource.ts';

/** FleetLock: https://coreos.github.io/zincati/development/fleetlock/protocol/ */
export const preReboot: MachineResource = {
  path: '/v1/pre-reboot',
  methods: {
    POST: {
      right: 'update',
      answer: (c, machine) => answer(c, (group, id) => machine.lock(group, id, subject(c))),
    },
  },
  refuse: fault,
};

export const steadyState: MachineResource = {
  path: '/v1/steady-state',
  methods: {
    POST: {
      right: 'update',
      answer: (c, machine) => answer(c, (group, id) => machine.unlock(group, id, subject(c))),
    },
  },
  refuse: fault,
};

/** A group as the protocol has it, and `_`, which names of states have. */
const GROUP = /^[A-Za-z0-9._-]+$/;

const BodyShape = z.object({
  client_params: z.object({
    id: z.string().refine((id) => checkCaller(id) === undefined),
    group: z.string().max(CALLER_LENGTH).regex(GROUP),
  }),
});

async function answer(
  c: Context<AppEnv>,
  ask: (group: string, id: string) => Promise<Yes | Refusal>,
): Promise<Response> {
  if (c.req.header('fleet-lock-protocol') !== 'true') {
    return fault(refuse('wrong-parameter', 'The header `fleet-lock-protocol: true` is missing.'));
  }
  const body = await readText(c, FLEETLOCK_BYTES);
  if (!body.ok) return fault(body);
  const params = parseBody(body.value);
  if (params === undefined) {
    return fault(refuse('wrong-parameter', 'The body must be {"client_params": {"id": "…", "group": "…"}}.'));
  }
  const result = await ask(params.group, params.id);
  return result.ok ? respond(null, 200, {}) : fault(result);
}

function parseBody(text: string): { readonly id: string; readonly group: string } | undefined {
  try {
    return BodyShape.safeParse(JSON.parse(text)).data?.client_params;
  } catch {
    return undefined;
  }
}

/** The protocol's own shape of an error: never a 2xx, also for "not yet". */
function fault(refusal: Refusal): Response {
  const { code, detail } = refusal;
  const body = JSON.stringify({ kind: code.replaceAll('-', '_'), value: detail });
  return respond(body, statusOf(code), { 'Content-Type': 'application/json', ...refusalHeaders(refusal) });
}
