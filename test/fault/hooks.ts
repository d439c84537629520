/** The receivers of the notifications of a run: they answer late, and refuse a message now and then. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../process/coordination/random.ts';
import { type Behaviour, type Received, SECRET, startReceiver, verify } from '../process/receiver.ts';
import { HOOKS, type Hook } from './shapes.ts';

/** A message that has arrived. */
export interface Delivery {
  readonly hook: Hook;
  /** As JSON. */
  readonly body: string;
  readonly isSigned: boolean;
  /** Whether it was answered with success. */
  isTaken: boolean;
}

/** The longest time that a receiver takes for an answer, in ms. */
const LATE = 15;

/** How often each hook refuses a message, or hangs up: the service sends it again some seconds later. */
const REFUSED: Readonly<Record<Hook, number>> = { OPS: 0.002, AUDIT: 0.05 };

export class Hooks {
  /** In the order of their arrival. */
  readonly deliveries: Delivery[] = [];
  /** The variables of the server. */
  readonly env: Readonly<Record<string, string>>;
  readonly stop: () => void;

  private constructor(url: string, stop: () => void) {
    this.env = Object.fromEntries(HOOKS.map((hook) => [`HOOK_${hook}`, `${url}/${hook} ${SECRET}`]));
    this.stop = stop;
  }

  static async start(random: Random): Promise<Hooks> {
    const receiver = await startReceiver();
    const hooks = new Hooks(receiver.url, () => receiver.stop());
    for (const hook of HOOKS) receiver.behaviours.set(`/${hook}`, hooks.#behaviour(hook, random));
    return hooks;
  }

  #behaviour(hook: Hook, random: Random): Behaviour {
    return async (message, response) => {
      const delivery = { hook, body: message.body, isSigned: isSigned(message), isTaken: false };
      this.deliveries.push(delivery);
      const [isRefused, hangsUp, late] = [
        random.chance(REFUSED[hook]),
        random.chance(0.5),
        random.below(LATE),
      ];
      await pause(late);
      if (isRefused && hangsUp) response.destroy();
      else if (isRefused) response.writeHead(500).end();
      else {
        delivery.isTaken = true;
        response.writeHead(204).end();
      }
    };
  }
}

function isSigned(message: Received): boolean {
  try {
    verify(message);
    return true;
  } catch {
    return false;
  }
}
