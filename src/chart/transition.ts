/**
 * xstate's `initialTransition` and `transition` without an actor. xstate's own functions create an actor per call, which
 * enters the initial state: as costly as the transition itself, and it evaluates guards that do not concern the event.
 * Both call the same methods of the machine.
 */
import { type AnyActorScope, createEmptyActor } from 'xstate';
import type { MachineSnapshot, Program } from './compile.ts';
import { sortActive } from './persist.ts';
import type { EngineEvent, Signal } from './xstate-config.ts';

/** An action that xstate hands back, and the event that caused it. */
export type Action = Signal & { readonly info: { readonly event: EngineEvent } };

type Result = readonly [snapshot: MachineSnapshot, actions: readonly Action[]];

/** Enters the initial state. Throws the errors of guards and actions. */
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

/** An actor scope that executes no action: it records the actions, and charges them. */
function recordingScope(evaluator: Program['evaluator']): { scope: AnyActorScope; actions: Action[] } {
  const actions: Action[] = [];
  const scope: AnyActorScope = {
    self: emptyActor,
    system: emptyActor.system,
    id: '',
    sessionId: '',
    logger: () => {},
    defer: () => {},
    emit: () => {},
    stopChild: () => {},
    actionExecutor: (action) => {
      const asked = action as unknown as Action;
      // A raised event is examined, whether or not a transition takes it.
      if (asked.type === 'xstate.raise' && asked.params.delay === undefined) evaluator.step();
      else evaluator.act();
      actions.push(asked);
    },
  };
  return { scope, actions };
}

const emptyActor = createEmptyActor();

// Between the microsteps of one event, xstate (5.33.3) has the active states in the order in which they were entered.
emptyActor.system.inspect((event) => {
  if (event.type === '@xstate.microstep') sortActive(event.snapshot as MachineSnapshot);
});
