/** `node --import` of this file gives a server `kept.ts` in place of esbuild. */
import { registerHooks } from 'node:module';

const kept = new URL('./kept.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'esbuild' ? { url: kept, shortCircuit: true } : next(specifier, context),
});
