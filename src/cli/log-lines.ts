/** Bounds what workerd's stderr adds to a log: clients can cause a line with each frame, and with each connection. */
import { StringDecoder } from 'node:string_decoder';

/** The bounds hold for a minute, which begins with a line. */
const PERIOD = 60_000;
/** How often a line is written. Lines that differ only in their numbers are the same. */
const REPEATS = 10;
/** The lines that are written in all. At `LINE_LENGTH` they are half a megabyte. */
const LINES = 500;
/** The characters that are kept of a line. */
const LINE_LENGTH = 1_000;

/** A line that belongs to the line before: of a stack trace. */
const CONTINUED = /^(?:\s|stack:)/;

/** Passes the lines of a log on, and counts those beyond the bounds instead. */
export class LogLines {
  readonly #write: (text: string) => void;
  readonly #decoder = new StringDecoder();
  /** The line that has not ended, up to `LINE_LENGTH`. */
  #open = '';
  /** How often each line came in this period; empty between periods. */
  readonly #counts = new Map<string, number>();
  #written = 0;
  #withheld = 0;
  #isWritten = true;
  #period: NodeJS.Timeout | undefined;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Takes the next part of the log. */
  add(bytes: Buffer): void {
    const [first = '', ...others] = this.#decoder.write(bytes).split('\n');
    this.#extend(first);
    for (const text of others) {
      this.#line(this.#open);
      this.#open = '';
      this.#extend(text);
    }
  }

  /** Takes the end of the log, which may lack the end of its last line. */
  end(): void {
    if (this.#open !== '') this.#line(this.#open);
    this.#open = '';
    this.#endPeriod();
  }

  #extend(text: string): void {
    this.#open += text.slice(0, LINE_LENGTH - this.#open.length);
  }

  #line(line: string): void {
    this.#period ??= setTimeout(() => this.#endPeriod(), PERIOD).unref();
    if (!CONTINUED.test(line)) this.#isWritten = this.#count(line) <= REPEATS;
    if (this.#isWritten && this.#written < LINES) {
      this.#written += 1;
      this.#write(`${line}\n`);
    } else {
      this.#withheld += 1;
    }
  }

  /** Counts a line. When the period has its `LINES`, others are withheld without being remembered. */
  #count(line: string): number {
    if (this.#written >= LINES) return 0;
    const kind = line.replace(/\d+/g, '0');
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    return count;
  }

  #endPeriod(): void {
    clearTimeout(this.#period);
    this.#period = undefined;
    if (this.#withheld > 0) {
      const seconds = PERIOD / 1_000;
      this.#write(
        `stateservice: ${this.#withheld} more lines of workerd in ${seconds} s, most of them as above\n`,
      );
    }
    this.#counts.clear();
    this.#written = 0;
    this.#withheld = 0;
  }
}
