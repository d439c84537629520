/**
 * xstate's `initialTransition` and `transition`, without the actor that each of their calls makes: to make one
 * is to enter the chart's initial state anew, which costs as much as the transition itself and evaluates guards
 * that nobody asked about. What is called is the same method of the machine's logic.
 */
import { type AnyActorScope, createEmptyActor } from 'xstate';
import type { MachineSnapshot, Program } from './compile.ts';
import type { EngineEvent, Signal } from './xstate-config.ts';

/** An action that xstate hands back, and the event that it was for. */
export type Action = Signal & { readonly info: { readonly event: EngineEvent } };

type Result = readonly [snapshot: MachineSnapshot, actions: readonly Action[]];

/** Enters the initial state. What goes wrong is thrown. */
export function initialTransition({ machine, evaluator }: Program): Result {
  const { scope, actions } = recordingScope(evaluator);
  const snapshot = machine().getInitialSnapshot(scope);
  if (snapshot.status === 'error') throw snapshot.error;
  return [snapshot, actions];
}

/** Sends one event. */
export function transition(
  { machine, evaluator }: Program,
  snapshot: MachineSnapshot,
  event: EngineEvent,
): Result {
  const { scope, actions } = recordingScope(evaluator);
  return [machine().transition(snapshot, event, scope), actions];
}

/** A place for a machine to run that does nothing, writes down what it was asked to do, and has it paid for. */
function recordingScope(evaluator: Program['evaluator']): { scope: AnyActorScope; actions: Action[] } {
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
      const asked = action as unknown as Action;
      // An event that is raised will be looked at, whether or not anything takes it.
      if (asked.type === 'xstate.raise' && asked.params.delay === undefined) evaluator.step();
      else evaluator.act();
      actions.push(asked);
    },
  };
  return { scope, actions };
}

const nobody = createEmptyActor();
