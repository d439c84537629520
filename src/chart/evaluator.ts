/**
 * Evaluation of a chart's expressions, within a budget: `matches` aside, CEL always ends, but not soon. Macros multiply
 * with each other, and strings double. What `expression.ts` lets pass is paid for while the chart runs.
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
} from '../limits.ts';
import { type Answers, childrenOf, createEnvironment, MACROS, setAnswers } from './cel.ts';
import type { Json, Scope } from './expression.ts';

/** What is said of an event that is stopped for its cost. */
export const TOO_LONG = 'it takes too many steps';

/** A running chart has crossed one of its bounds: the event is refused whole. */
export class BoundError extends Error {}

/** An action's expression has no value, or one that is no JSON: the event is refused whole. */
export class ExpressionError extends Error {}

const environment = createEnvironment();

/**
 * Evaluates a chart's expressions, and pays for them and for the microsteps between them: one budget for each
 * event. Counted in steps and not in time, so that a chart does the same everywhere.
 */
export class Evaluator {
  readonly #microstep: number;
  #spent = 0;
  #failures: string[] = [];
  readonly #compiled = new Map<string, Compiled>();

  /** @param regions states without children that can be active at once: each microstep looks at all of them. */
  constructor(regions: number) {
    this.#microstep = MICROSTEP_COST + REGION_COST * regions;
  }

  /** Pays for a transition that is looked at, or an event that is raised. */
  step(): true {
    this.#spend(this.#microstep);
    return true;
  }

  /** Pays for an action that is run. */
  act(): void {
    this.#spend(ACTION_COST);
  }

  /** What the event has cost so far. */
  get spent(): number {
    return this.#spent;
  }

  /** Begins an event: the budget is whole again, and no guard has failed. */
  begin(): void {
    this.#spent = 0;
    this.#failures = [];
  }

  /** Guards of this event that could not be evaluated, each with its reason. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** Only `true` is true; what cannot be evaluated (a key that is not there) is false, and is told. */
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
   * @returns the value as JSON.
   * @throws ExpressionError where it cannot be evaluated or is no JSON: the event is refused whole.
   */
  value(source: string, scope: Scope): Json {
    try {
      return toJson(this.#run(source, scope), 0);
    } catch (error) {
      if (error instanceof BoundError) throw error;
      throw new ExpressionError(`assign ${source}: ${reasonOf(error)}`.slice(0, FAILURE_LENGTH));
    }
  }

  /** Checks a context that an assignment has made. Growing it is paid for like evaluating. */
  admit(context: Scope['context']): void {
    const { bytes } = sizeOf(context);
    if (bytes > CONTEXT_BYTES)
      throw new BoundError(`the context would have more than ${CONTEXT_BYTES} bytes`);
    this.#spend(ASSIGNMENT_COST + bytes / 4);
  }

  #run(source: string, scope: Scope): unknown {
    const compiled = this.#compile(source);
    const { bytes, longest } = sizeOf(scope.context);
    // Comparing goes over all of it, searching a text can go over it for each of its characters, and a macro does what
    // is in it for each element.
    const once = 2 + bytes / 64 + (compiled.searches ? (bytes * bytes) / 4_096 : 0);
    const elements = Math.max(longest, compiled.nodes);
    this.#spend(EXPRESSION_COST + compiled.nodes * once * (compiled.hasMacro ? 1 + elements : 1));
    return compiled.run({ context: scope.context, event: scope.event });
  }

  #spend(cost: number): void {
    this.#spent += cost;
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
  /** Whether it looks for a text in a text. */
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

const sizes = new WeakMap<object, { readonly bytes: number; readonly longest: number }>();

/** Bytes of a context as JSON, about, and the length of its longest list or mapping. */
function sizeOf(context: Scope['context']): { readonly bytes: number; readonly longest: number } {
  let size = sizes.get(context);
  if (size === undefined) {
    size = measure(context);
    sizes.set(context, size);
  }
  return size;
}

/** Stops counting soon after the bound: a context that shares parts may be far larger as text than in memory. */
function measure(context: Json): { bytes: number; longest: number } {
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
  walk(context);
  return { bytes, longest };
}

const encoder = new TextEncoder();

/** CEL's values -> JSON. An int becomes a number, where it is one. */
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
  // What CEL stumbles over itself: a mapping for a key, a string longer than V8 allows.
  if (error instanceof TypeError || error instanceof RangeError) return error.message;
  throw error;
}
