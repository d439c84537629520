import autocannon from 'autocannon';

/** One period of load. Each connection sends its next request when it has the answer. */
export interface Load {
  readonly url: string;
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly connections: number;
  /** The only body that counts as an answer; if undefined, any body of a 2xx. */
  readonly body?: string;
  /** The body of the requests. */
  readonly sends?: string;
  /** The path of each request, in turn; if undefined, that of `url`. */
  readonly pathOf?: (request: number) => string;
  /** The most requests a second; if undefined, as many as are answered. */
  readonly rate?: number;
}

/** The result. Latencies are in ms, from the request to the end of its answer. */
export interface Measured {
  readonly answers: number;
  /** Answers a second. */
  readonly throughput: number;
  readonly p50: number;
  readonly p99: number;
}

/** How often autocannon checks whether the time is over, ms. Its default, a second, would round our periods up. */
const SAMPLE = 50;

/**
 * Loads a server.
 *
 * @returns undefined if nothing was answered in the whole period.
 * @throws if a request failed or had a wrong answer: a figure of refusals would be worth nothing.
 */
export async function measure(
  { url, method, connections, body, sends, pathOf, rate }: Load,
  seconds: number,
): Promise<Measured | undefined> {
  // Our own latencies: those of autocannon's histogram are whole milliseconds, which is all that one answer takes.
  const latencies: number[] = [];
  const begun = performance.now();
  let ended = begun;
  let requests = 0;
  let others = 0;
  // autocannon checks bodies only if every request is the same.
  const each = {
    method,
    setupRequest: (request: object) => ({ ...request, path: pathOf?.(requests++) }),
    onResponse(_status: number, text: string) {
      if (body !== undefined && text !== body) others += 1;
    },
  };
  const run = autocannon({
    url,
    method,
    connections,
    duration: seconds,
    sampleInt: SAMPLE,
    ...(rate === undefined ? {} : { overallRate: rate }),
    ...(body === undefined || pathOf !== undefined ? {} : { expectBody: body }),
    ...(sends === undefined ? {} : { body: sends }),
    ...(pathOf === undefined ? {} : { requests: [each] }),
  });
  run.on('response', (_client, _status, _bytes, milliseconds) => {
    latencies.push(milliseconds);
    ended = performance.now();
  });
  const { errors, non2xx, mismatches } = await run;
  const answers = latencies.length;
  if (errors + non2xx + mismatches + others > 0) {
    throw new Error(
      `${method} ${url}: ${errors} errors; of ${answers} answers ${non2xx} not 2xx, ${mismatches + others} with a wrong body`,
    );
  }
  if (answers === 0) return undefined;
  latencies.sort((a, b) => a - b);
  return {
    answers,
    throughput: answers / ((ended - begun) / 1000),
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

/** @param sorted not empty, the smallest first. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
