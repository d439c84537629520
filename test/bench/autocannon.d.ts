/** The part of autocannon 9 that the bench uses. The package has no types (those of DefinitelyTyped are for 7). */
declare module 'autocannon' {
  interface Options {
    url: string;
    method: 'GET' | 'PUT' | 'POST';
    connections: number;
    /** s */
    duration: number;
    /** How often autocannon checks whether the time is over, ms. */
    sampleInt: number;
    /** The most requests a second, over all connections. */
    overallRate?: number;
    /** Any other body is a mismatch. */
    expectBody?: string;
    body?: string;
    /** `setupRequest` makes each request from the one before it. */
    requests?: {
      method: string;
      setupRequest(request: object): object;
      onResponse(status: number, body: string): void;
    }[];
  }

  interface Result {
    /** Connections that failed, timeouts among them. */
    errors: number;
    /** Answers with a status other than 2xx. */
    non2xx: number;
    /** Answers with a body other than `expectBody`. */
    mismatches: number;
  }

  interface Instance extends Promise<Result> {
    /** @param listener gets the time from the request to the end of its answer, ms. */
    on(
      event: 'response',
      listener: (client: unknown, status: number, bytes: number, milliseconds: number) => void,
    ): this;
  }

  export default function autocannon(options: Options): Instance;
}
