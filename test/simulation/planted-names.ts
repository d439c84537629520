/** The bugs that can be planted (planted-bugs.ts): their names alone, which load nothing of the service. */
export const PLANTED_BUGS = [
  'answers leave before they are durable',
  'a call arrives twice',
  'a failed transaction is not rolled back',
  'a receipt is forgotten',
  'memory is not compared with storage',
  'the alarm is not set again',
  'a missing alarm is not restored',
  'a waiter is not told',
  'one slot too many after a restart',
  'a timer is forgotten by a restart',
  'a lost report without a name is sent again',
  'a message that failed is not sent again',
  'nothing old is dropped',
] as const;

export type PlantedBug = (typeof PLANTED_BUGS)[number];

export function isPlantedBug(name: string): name is PlantedBug {
  return (PLANTED_BUGS as readonly string[]).includes(name);
}
