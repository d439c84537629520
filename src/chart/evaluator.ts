/**
 * Evaluates a chart's expressions within a budget. CEL without `matches` always terminates, but not always soon: nested
 * macros multiply their cost, and strings can double. `expression.ts` refuses what has no bounded cost; the rest is
 * charged here, while the chart runs.
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import {
  ACTION_COST,
  ASSIGNMENT_COST,
  CONTEXT_BYTES,
  EVENT_BUDGET,
  EXPRESSION_COST,
  FAILURE_COST,
  FAILURE_LENGTH,
  FAILURES_TOLD,
  MICROSTEP_COST,
  REGION_COST,
} from '../chart-limits.ts';
import {
  type Answers,
  childrenOf,
  createEnvironment,
  createEnvironmentOver,
  MACROS,
  setAnswers,
} from './cel.ts';
import type { Json, Scope } from './expression.ts';
import { type Inputs, type Labels, NO_TERMS, type Terms } from './terms.ts';

/** The reason given for an event that exceeds its budget. */
export const TOO_LONG = 'it takes too many steps';

/** A running chart crossed one of its bounds: the whole event is refused. */
export class BoundError extends Error {}

/** An action's expression has no value, or a value that is not JSON: the whole event is refused. */
export class ExpressionError extends Error {}

const environment = createEnvironment();
const memberEnvironment = createEnvironmentOver('member');

/**
 * Evaluates a chart's expressions, and charges them and the microsteps between them to one budget per event. The budget
 * counts steps and not time, so that a chart behaves the same everywhere.
 */
export class Evaluator {
  readonly #microstep: number;
  #spent = 0;
  #total = 0;
  #failures: string[] = [];
  readonly #compiled = new Map<string, Compiled>();
  readonly #only = new Map<string, Compiled['run']>();
  #terms = NO_TERMS;

  /** @param regions states without children that can be active at once: each microstep examines all of them. */
  constructor(regions: number) {
    this.#microstep = MICROSTEP_COST + REGION_COST * regions;
  }

  /** Charges a transition that is examined, or an event that is raised. */
  step(): true {
    this.#spend(this.#microstep);
    return true;
  }

  /** Charges an action that runs. */
  act(): void {
    this.#spend(ACTION_COST);
  }

  /** The cost of the event so far. */
  get spent(): number {
    return this.#spent;
  }

  /** The cost of all events so far. */
  get total(): number {
    return this.#total;
  }

  /** Begins an event: resets the budget and the list of failed guards. @param terms of the run. */
  begin(terms: Terms): void {
    this.#terms = terms;
    this.#spent = 0;
    this.#failures = [];
  }

  /** The terms of the run whose event it is. */
  get terms(): Terms {
    return this.#terms;
  }

  /** Guards of this event that could not be evaluated, each with its reason. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** Only `true` is true. A guard that cannot be evaluated (a missing key) is false, and listed in `failures`. */
  guard(source: string, scope: Scope, inState: Answers): boolean {
    try {
      setAnswers(inState);
      return this.#run(source, scope) === true;
    } catch (error) {
      if (error instanceof BoundError) throw error;
      this.#spend(FAILURE_COST);
      if (this.#failures.length < FAILURES_TOLD) {
        this.#failures.push(`guard ${source}: ${reasonOf(error)}`.slice(0, FAILURE_LENGTH));
      }
      return false;
    }
  }

  /**
   * Whether an `only` is true of a member. A missing label makes it false. Not charged: it has no macros, and no event asks
   * for more than a few.
   */
  only(source: string, name: string, labels: Labels): boolean {
    let run = this.#only.get(source);
    if (run === undefined) {
      run = memberEnvironment.parse(source);
      this.#only.set(source, run);
    }
    try {
      return run({ member: { ...labels, name } }) === true;
    } catch (error) {
      reasonOf(error);
      return false;
    }
  }

  /**
   * @returns the value as JSON.
   * @throws ExpressionError if it cannot be evaluated or is not JSON: the whole event is refused.
   */
  value(source: string, scope: Scope): Json {
    try {
      return toJson(this.#run(source, scope), 0);
    } catch (error) {
      if (error instanceof BoundError) throw error;
      throw new ExpressionError(`assign ${source}: ${reasonOf(error)}`.slice(0, FAILURE_LENGTH));
    }
  }

  /** Checks the size of a context after an assignment, and charges its growth. */
  admit(context: Scope['context']): void {
    const { bytes } = sizeOf(context);
    if (bytes > CONTEXT_BYTES)
      throw new BoundError(`the context would have more than ${CONTEXT_BYTES} bytes`);
    this.#spend(ASSIGNMENT_COST + bytes / 4);
  }

  #run(source: string, scope: Scope): unknown {
    const compiled = this.#compile(source);
    const { inputs } = this.#terms;
    const { bytes, longest } = sizeOfScope(scope, inputs);
    // A comparison visits all of the data in scope. A text search can visit it once per character. A macro repeats its body
    // for each element.
    const once = 2 + bytes / 64 + (compiled.searches ? (bytes * bytes) / 4_096 : 0);
    const elements = Math.max(longest, compiled.nodes);
    this.#spend(EXPRESSION_COST + compiled.nodes * once * (compiled.hasMacro ? 1 + elements : 1));
    return compiled.run({ context: scope.context, event: scope.event, inputs });
  }

  #spend(cost: number): void {
    this.#spent += cost;
    this.#total += cost;
    if (this.#spent > EVENT_BUDGET) throw new BoundError(TOO_LONG);
  }

  #compile(source: string): Compiled {
    let compiled = this.#compiled.get(source);
    if (compiled === undefined) {
      const run = environment.parse(source);
      compiled = {
        run,
        nodes: countNodes(run.ast),
        hasMacro: calls(run.ast, MACROS),
        searches: calls(run.ast, SEARCHES),
      };
      this.#compiled.set(source, compiled);
    }
    return compiled;
  }
}

interface Compiled {
  readonly run: (scope: Record<string, unknown>) => unknown;
  readonly nodes: number;
  readonly hasMacro: boolean;
  /** Whether it searches a text in a text. */
  readonly searches: boolean;
}

function countNodes(node: ASTNode): number {
  return childrenOf(node).reduce((count, child) => count + countNodes(child), 1);
}

const SEARCHES: ReadonlySet<string> = new Set(['contains']);

/** Whether a method of these names is called. */
function calls(node: ASTNode, names: ReadonlySet<string>): boolean {
  return (
    (node.op === 'rcall' && names.has(node.args[0])) || childrenOf(node).some((child) => calls(child, names))
  );
}

/** The approximate bytes of a value as JSON, and the length of its longest list or mapping. */
interface Size {
  readonly bytes: number;
  readonly longest: number;
}

const sizes = new WeakMap<object, Size>();

/** The size of all variables together. */
function sizeOfScope({ context, event }: Scope, inputs: Inputs): Size {
  const sizes = [sizeOf(context), sizeOf(inputs), ...(event.data === undefined ? [] : [sizeOf(event.data)])];
  return {
    bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0),
    longest: Math.max(...sizes.map(({ longest }) => longest)),
  };
}

function sizeOf(value: Json): Size {
  if (typeof value !== 'object' || value === null) return measure(value);
  let size = sizes.get(value);
  if (size === undefined) {
    size = measure(value);
    sizes.set(value, size);
  }
  return size;
}

/** Stops soon after the bound: a context with shared parts can be far larger as text than in memory. */
function measure(whole: Json): Size {
  let bytes = 0;
  let longest = 0;
  const walk = (value: Json): void => {
    if (bytes > CONTEXT_BYTES) return;
    if (typeof value === 'string')
      bytes += value.length * 3 > CONTEXT_BYTES ? encoder.encode(value).length : value.length + 2;
    else if (typeof value !== 'object' || value === null) bytes += 8;
    else {
      const entries = Object.entries(value);
      longest = Math.max(longest, entries.length);
      for (const [key, inner] of entries) {
        bytes += key.length + 4;
        walk(inner);
      }
    }
  };
  walk(whole);
  return { bytes, longest };
}

const encoder = new TextEncoder();

/** Converts CEL's values to JSON. An int becomes a number if a number can hold it. */
function toJson(value: unknown, depth: number): Json {
  if (depth > 32) throw new ExpressionError('a value is nested more than 32 deep');
  if (typeof value === 'bigint') return toSafeNumber(value);
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new ExpressionError(`${value} is no JSON number`);
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => toJson(item, depth + 1));
  if (value instanceof Map || isPlain(value)) {
    const object: Record<string, Json> = Object.create(null);
    for (const [key, inner] of value instanceof Map ? value : Object.entries(value)) {
      object[String(key)] = toJson(inner, depth + 1);
    }
    return object;
  }
  throw new ExpressionError('the value is no JSON: null, a boolean, a number, a string, a list or a mapping');
}

function toSafeNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new ExpressionError(`${value} is too large for a number`);
  return number;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function reasonOf(error: unknown): string {
  if (error instanceof ExpressionError) return error.message;
  if (error instanceof Error && 'summary' in error && typeof error.summary === 'string') return error.summary;
  // Errors thrown inside CEL: a mapping used as a key, a string longer than V8 allows.
  if (error instanceof TypeError || error instanceof RangeError) return error.message;
  throw error;
}
