/** What clients have asked, and what they were told: the one thing that a run is judged by. */

/** One call. Times are ms of one clock, the epoch's. */
export interface Operation<Request, Answer> {
  /** Who called; one client has one call under way at a time. */
  readonly client: string;
  readonly request: Request;
  readonly called: number;
  readonly outcome: Outcome<Answer>;
}

type Outcome<Answer> =
  | { readonly known: true; readonly answer: Answer; readonly returned: number }
  /**
   * The call died: it has taken effect at some moment up to `until`, or never. If it has, it was answered as `heard`; and
   * `hasTakenKey` where somebody was told later of its key that it was taken, which is an effect as well.
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
