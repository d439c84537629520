/** How a fault of a plan hits an object. */
import type { Home } from './homes.ts';
import { type Fault, SLOW_FOR } from './plan.ts';
import type { Scheduler } from './scheduler.ts';

export function hit(home: Home, { kind, machine, amount }: Fault, scheduler: Scheduler): void {
  const { trouble } = home;
  const { now } = scheduler;
  switch (kind) {
    case 'kill':
      home.kill();
      break;
    case 'kill-at-step':
      trouble.killAfter = amount;
      break;
    case 'fail-commit':
      trouble.failCommits += 1;
      break;
    case 'throw':
      trouble.throwAfter = amount;
      break;
    case 'break-storage':
      trouble.brokenUntil = now + amount;
      break;
    case 'second':
    case 'second-shared':
      scheduler.schedule(`fault end ${machine}`, amount, undefined, home.startSecond(kind === 'second'));
      break;
    case 'lose-calls':
      trouble.loseCalls += amount;
      break;
    case 'lose-answers':
      trouble.loseAnswers += amount;
      break;
    case 'slow':
      trouble.slowUntil = now + SLOW_FOR;
      trouble.slowBy = amount;
      break;
    case 'alarm-late':
      trouble.alarmLate = amount;
      break;
    case 'alarm-twice':
      trouble.alarmTwice = true;
      break;
    case 'alarm-dropped':
      trouble.dropAlarm = true;
  }
}
