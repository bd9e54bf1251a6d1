export * from './data/index.ts';
export { openSource, type DataSource } from './devices/data-source.ts';
export {
  launchProcesses,
  startFleet,
  type Fleet,
  type FleetMember,
  type FleetOptions,
} from './devices/fleet.ts';
export { type Moment } from './devices/fate.ts';
