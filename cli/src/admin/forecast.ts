import type { ForecastRequest, TaskForecast } from '@starling/protocol/api';
import type { Options } from './command.ts';
import { readJson } from './files.ts';
import { record } from './output.ts';

/** What is asked for with the file of a task: its model and its plan. */
export async function forecastRequest(
  file: string,
  { devices, rows, fleet }: Options,
): Promise<ForecastRequest> {
  const { model, ir, plan } = await readJson<ForecastRequest>(file);
  return {
    plan,
    ...(model !== undefined && { model }),
    ...(ir !== undefined && { ir }),
    ...(devices !== undefined && { devices: Number(devices) }),
    ...(rows !== undefined && { rows: Number(rows) }),
    ...(fleet !== undefined && {
      fleet:
        fleet === 'ideal'
          ? fleet
          : await readJson<Exclude<ForecastRequest['fleet'], string | undefined>>(fleet),
    }),
  };
}

/** A forecast as lines; its course is in the JSON alone. */
export function forecastRecord(forecast: TaskForecast): string {
  const { outcome, rounds, roundMs, assumed, virtualMs, asked, counted, dropped } = forecast;
  const { bytesDown, bytesUp, deviceMs, computeMs } = forecast;
  return record({
    ...{ outcome, virtualMs, asked, counted, dropped, bytesDown, bytesUp, deviceMs, computeMs },
    rounds: `${rounds.published} published, ${rounds.abandoned} abandoned; played: ${rounds.played} of ${rounds.planned}`,
    roundMs: `${roundMs.median} in the middle, one in ten above ${roundMs.p90}`,
    assumed: `${assumed.devices} devices with ${assumed.rows} examples each; fleet "${assumed.fleet.name}"`,
  });
}
