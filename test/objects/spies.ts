/** Which objects a spy on their class saw: the machines of other tests live in the same isolate, and their alarms fire at any time. */
interface Spy {
  readonly mock: { readonly contexts: readonly unknown[] };
}

/** How often a method was called on the objects of these names: machines' addresses, and tenants. */
export function callsOn(spy: Spy, ...names: readonly string[]): number {
  return spy.mock.contexts.filter((object) => names.includes(nameOf(object))).length;
}

/** The name of an object: a machine's address, or a tenant. */
export function nameOf(object: unknown): string {
  return Reflect.get(Object(object), 'ctx').id.name;
}
