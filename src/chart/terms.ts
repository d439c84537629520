/** The terms of a run: what it is given from outside and not by events. Stored apart from the snapshot, as timers are. */

export type Scalar = string | number | boolean | null;

/** Stands for the value of an input of the run. */
export interface InputReference {
  readonly input: string;
}

/** Reads `inputs.NAME`. @returns undefined for any other text. */
export function parseInputReference(text: string): InputReference | undefined {
  const [, input] = /^inputs\.([A-Za-z_][A-Za-z0-9_]{0,62})$/.exec(text) ?? [];
  return input === undefined ? undefined : { input };
}

/** The values of the chart's `inputs` in this run. */
export type Inputs = { readonly [name: string]: Scalar };

/** What is known of a member: its labels, by name. */
export type Labels = { readonly [label: string]: string };

/** The machines that are expected to take part, by name. A value: a change makes another map. */
export type Members = ReadonlyMap<string, Labels>;

/** A pause of a run. */
export interface Pause {
  /** When it began, ms since the epoch. */
  readonly since: number;
  /** When the run resumes by itself, ms since the epoch. */
  readonly until?: number;
  /** The caller and the subject of its token, if known. */
  readonly by?: string;
  readonly sub?: string;
  readonly reason?: string;
}

export interface Terms {
  readonly inputs: Inputs;
  /** Undefined where the machine has no list of members, and everybody may take part. An empty list is a list of nobody. */
  readonly members: Members | undefined;
  /** Set while the run is paused. */
  readonly paused?: Pause;
}

/** A run without inputs and members. */
export const NO_TERMS: Terms = { inputs: {}, members: undefined };
