/**
 * xstate's `initialTransition` and `transition`, without the actor that each of their calls makes: to make one
 * is to enter the chart's initial state anew, which costs as much as the transition itself and evaluates guards
 * that nobody asked about. What is called is the same method of the machine's logic.
 */
import { type AnyActorScope, createEmptyActor } from 'xstate';
import type { Compiled, EngineEvent, Signal } from './compile.ts';
import type { MachineSnapshot } from './persist.ts';

/** An action that xstate hands back, and the event that it was for. */
export type Action = Signal & { readonly info: { readonly event: EngineEvent } };

type Result = readonly [snapshot: MachineSnapshot, actions: readonly Action[]];

/** Enters the initial state. What goes wrong is thrown. */
export function initialTransition(machine: Compiled['machine']): Result {
  const { scope, actions } = recordingScope();
  const snapshot = machine.getInitialSnapshot(scope);
  if (snapshot.status === 'error') throw snapshot.error;
  return [snapshot, actions];
}

/** Sends one event. */
export function transition(
  machine: Compiled['machine'],
  snapshot: MachineSnapshot,
  event: EngineEvent,
): Result {
  const { scope, actions } = recordingScope();
  return [machine.transition(snapshot, event, scope), actions];
}

/** A place for a machine to run that does nothing and writes down what it was asked to do. */
function recordingScope(): { scope: AnyActorScope; actions: Action[] } {
  const actions: Action[] = [];
  const scope: AnyActorScope = {
    self: nobody,
    system: nobody.system,
    id: '',
    sessionId: '',
    logger: () => {},
    defer: () => {},
    emit: () => {},
    stopChild: () => {},
    actionExecutor: (action) => {
      actions.push(action as unknown as Action);
    },
  };
  return { scope, actions };
}

const nobody = createEmptyActor();
