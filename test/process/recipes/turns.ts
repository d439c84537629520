/** Turns of `turn.sh` against a server that asks for tokens, for its tests. */
import { expect } from 'vitest';
import { type Guarded, type Ran, recipe, run, startGuarded } from './recipe.ts';

export const TURN = recipe('turn.sh');

export const CHARTS = {
  'acme/turns.yaml': `initial: before
states:
  before: { on: { update: during, skip: after } }
  during:
    on:
      update: { target: after, quorum: 2 }
      fail: failed
  after: { type: final }
  failed: { type: final }
`,
  // Closed now, and for hours.
  'acme/closed.yaml': `initial: during
states:
  during:
    window: { cron: "0 ${(new Date().getUTCHours() + 12) % 24} * * *", for: 1h }
    on: { update: after }
  after: { type: final }
`,
  'acme/rounds.yaml': `initial: during
states:
  during: { on: { update: between } }
  between: { on: { update: during } }
`,
  'acme/zones.yaml': `initial: during
states:
  during:
    only: member.zone == "eu"
    on: { update: { target: after, quorum: all } }
  after: { type: final }
`,
  'acme/slots.yaml': `initial: before
states:
  before: { on: { update: during } }
  during:
    slots: 1
    on: { update: { target: after, quorum: 3 } }
  after: { type: final }
`,
};

export interface Turns {
  readonly server: Guarded;
  /** A file with a token that has `read` and `update`. */
  readonly authorization: string;
  /** @returns the address of a machine that no other test uses. */
  newRun(chart?: 'turns' | 'closed' | 'rounds' | 'zones' | 'slots'): string;
  /** Runs `turn.sh`. */
  turn(machine: string, state: string, options: readonly string[], ...command: string[]): Promise<Ran>;
  /** Sends an event, which is accepted. */
  send(machine: string, state: string, event?: string): Promise<void>;
}

/** Starts a server with the charts. */
export async function startTurns(): Promise<Turns> {
  const server = await startGuarded(CHARTS);
  const authorization = await server.authorization('read', 'update');
  let runs = 0;
  return {
    server,
    authorization,
    newRun(chart = 'turns') {
      runs += 1;
      return `acme/${chart}@${runs}`;
    },
    turn: (machine, state, options, ...command) =>
      run(TURN, ['-t', authorization, '-r', '1', ...options, `${server.url}/${machine}`, state, ...command]),
    async send(machine, state, event = 'update') {
      const { status } = await server.ask('PUT', `/${machine}/state?state=${state}&event=${event}`);
      expect(status).toBe(200);
    },
  };
}
