/** Pages as a person sees them, in a real Chromium, and what they do that they should not. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

let browser: Browser | undefined;

/** A page, and everything about it that nobody should ever see. */
export interface Watched {
  readonly page: Page;
  /** Errors on the console, violations of the policy among them; faults of the script; requests elsewhere. */
  readonly faults: string[];
}

/**
 * Opens a page in a browser of its own.
 *
 * @param reporter the name that was given for reports before; undefined for a browser that was asked for none yet.
 */
export async function openPage(
  url: string,
  options: BrowserContextOptions = {},
  reporter: string | undefined = undefined,
): Promise<Watched> {
  browser ??= await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  if (reporter !== undefined) {
    await context.addInitScript((name) => localStorage.setItem('stateservice.name', name), reporter);
  }
  const page = await context.newPage();
  const faults: string[] = [];
  const { origin, host } = new URL(url);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:'))
      faults.push(request.url());
  });
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).host !== host) faults.push(socket.url());
  });
  page.on('dialog', (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  return { page, faults };
}

/** For `afterAll`. */
export async function closeBrowser(): Promise<void> {
  await browser?.close();
  browser = undefined;
}

/** Waits until the page follows its machine. */
export async function whenLive({ page }: Watched): Promise<void> {
  await page.locator('#connection[data-state="live"]').waitFor();
}

/** Answers a question with its button, once a second click of a double click is over. */
export async function answer(page: Page, button: string): Promise<void> {
  await page.waitForTimeout(SETTLE);
  await page.getByRole('dialog').getByRole('button', { name: button }).click();
}

/** A little longer than the page ignores clicks for that were meant for what was there before. */
export const SETTLE = 750;

/** The state that is lit in the drawing. */
export function lit(page: Page, state: string) {
  return page.locator(`.state.current[data-state="${state}"]`);
}
