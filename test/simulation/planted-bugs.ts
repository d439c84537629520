/**
 * Bugs that are planted in a thread of simulated worlds, to show that the simulation finds them. Each replaces a method of
 * the service, or breaks a promise of the platform.
 */
import { RemoteMachine } from '../../src/edge/remote-machine.ts';
import { Alarm } from '../../src/objects/alarm.ts';
import { Memory } from '../../src/objects/memory.ts';
import { Waits } from '../../src/objects/waits.ts';
import { OptionalTable } from '../../src/store/optional-table.ts';
import { OutboxTable } from '../../src/store/outbox-table.ts';
import { ReceiptTable } from '../../src/store/receipt-table.ts';
import { RunTables } from '../../src/store/run-tables.ts';
import type { PlantedBug } from './planted-names.ts';
import type { PlatformBugs } from './trouble.ts';

/** @returns what the bug breaks of the platform. */
type Plant = () => PlatformBugs;

export const PLANTS: Readonly<Record<PlantedBug, Plant>> = {
  'answers leave before they are durable': () => ({ openGate: true }),
  'a call arrives twice': () => ({ repeatsCalls: true }),
  'a failed transaction is not rolled back': () => ({ keepsFailed: true }),
  'a receipt is forgotten': () => {
    ReceiptTable.prototype.find = () => undefined;
    return {};
  },
  'memory is not compared with storage': () => {
    const { read } = Memory.prototype;
    Memory.prototype.read = function () {
      return this.machine ?? read.call(this);
    };
    return {};
  },
  'the alarm is not set again': () => {
    const { set } = Alarm.prototype;
    const isSet = new WeakSet<Alarm>();
    Alarm.prototype.set = function (due, now, mayBeEarly) {
      if (isSet.has(this) && this.at === undefined) return;
      isSet.add(this);
      set.call(this, due, now, mayBeEarly);
    };
    return {};
  },
  'a missing alarm is not restored': () => {
    Alarm.prototype.restore = async () => {};
    return {};
  },
  'a waiter is not told': () => {
    Waits.prototype.wake = () => {};
    return {};
  },
  'one slot too many after a restart': () => {
    const { claims } = RunTables.prototype;
    RunTables.prototype.claims = function () {
      return claims.call(this).slice(1);
    };
    return {};
  },
  'a timer is forgotten by a restart': () => {
    const { timers } = RunTables.prototype;
    RunTables.prototype.timers = function () {
      return timers.call(this).slice(1);
    };
    return {};
  },
  'a lost report without a name is sent again': () => {
    const { execute } = RemoteMachine.prototype;
    RemoteMachine.prototype.execute = async function (command) {
      const outcome = await execute.call(this, command);
      const isUnknown = !outcome.ok && outcome.code === 'outcome-unknown';
      return (isUnknown ? await execute.call(this, command) : outcome) as never;
    };
    return {};
  },
  'nothing old is dropped': () => {
    const remove = OptionalTable.prototype.delete;
    OptionalTable.prototype.delete = function (statement, ...bindings) {
      if (!statement.includes('number <=')) remove.call(this, statement, ...bindings);
    };
    return {};
  },
  'a message that failed is not sent again': () => {
    OutboxTable.prototype.postpone = function (message, next, attempts, failure) {
      this.settle(message, next, attempts, failure);
    };
    return {};
  },
};
