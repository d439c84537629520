/** How the Worker of an edge calls the Worker of the objects. */

/** A namespace, by its binding. */
export type Namespace = 'MACHINES' | 'TENANTS' | 'BARE';

/** The header with the name of the object that a request is for. */
export const OBJECT_HEADER = 'X-Object';

export interface ObjectsMethods {
  /** Calls a method of an object. */
  call(namespace: Namespace, name: string, method: string, ...args: readonly unknown[]): Promise<unknown>;
}

/** The body of a `POST` to `/-/call` at an edge: a call to an object as a test writes it. */
export interface Call {
  readonly namespace: Namespace;
  readonly name: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Tenants whose calls pass through changed, as if one side were newer than any that there is. By the object's name. */
export const CHANGED = {
  /** Commands and queries have types that no object knows. */
  unknownCalls: 'newer/',
  /** Commands, queries and their results have a field that neither side knows. */
  unknownFields: 'more/',
  /** Refusals have a code that no edge knows. */
  unknownRefusals: 'odd/',
} as const;
