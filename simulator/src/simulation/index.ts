export { type OpenCrew } from './crew.ts';
export { forecastThreads } from './forecast-threads.ts';
export { FleetModel, idealFleet, phonesAtNight, readFleetModel, type DeviceClass } from './fleet-model.ts';
export { patternExamples, patternsFor } from './pattern-examples.ts';
export { syntheticPopulation, type PopulationOrder } from './population.ts';
export { readDocument, SimulationRefused } from './refused.ts';
export { type CloudStepReport, type Forecast, type RoundReport, type SimulationReport } from './report.ts';
export { freshParams, simulate, type Simulation, type SimulationOptions } from './simulate.ts';
