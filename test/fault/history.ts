/**
 * The history of a run: the calls of its clients, and their answers. The verdict on a run depends on nothing else.
 */

/** One call. Times are ms since the epoch, by one clock. */
export interface Operation<Request, Answer> {
  /** The client that called. A client has one call in flight at a time. */
  readonly client: string;
  readonly request: Request;
  readonly called: number;
  readonly outcome: Outcome<Answer>;
}

type Outcome<Answer> =
  | { readonly known: true; readonly answer: Answer; readonly returned: number }
  /**
   * The call died: it took effect at some moment up to `until`, or never. If it took effect, its answer is `heard`.
   * With `hasTakenKey`, a later call was refused because of its key: that is an effect as well.
   */
  | {
      readonly known: false;
      readonly until: number;
      readonly heard?: Answer;
      readonly hasTakenKey?: boolean;
    };

/** The last moment at which a call can have taken effect. */
export function latest({ outcome }: Operation<unknown, unknown>): number {
  return outcome.known ? outcome.returned : outcome.until;
}
