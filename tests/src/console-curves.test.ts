import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import type { EvaluationResult, Task, TrainingMetrics } from '@starling/protocol';
import type { ApiKeyWithSecret, Client, CurvePoint, Curves, Job } from '@starling/protocol/api';
import { LocalBackend } from '@starling/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOf } from './testing/client.ts';
import { ConsoleTab, consoleBrowser, consoleFiles, launchBrowser } from './testing/console-tab.ts';
import { marksAt, numbersOf, pictureIn, savedBy } from './testing/drawn-chart.ts';
import { lineOf, tableOf, type Line } from './testing/expected-curves.ts';
import { finished } from './testing/jobs.ts';
import { MadeUpFleet, rowsOf } from './testing/made-up-people.ts';
import { tinyModel, tinyPlan } from './testing/project.ts';
import { temporaryDirectory, testServer, type TestServer } from './testing/servers.ts';
import { completed } from './testing/tasks.ts';
import { wheelPack } from './testing/wheel-pack.ts';

const program = fileURLToPath(import.meta.resolve('@starling/simulator/job-process'));

const trained = (of: keyof TrainingMetrics) => (point: CurvePoint) => point.training?.[of];
const judged =
  (steps: number, read: (result: EvaluationResult) => number | undefined) => (point: CurvePoint) => {
    const result = point.evaluation?.find((each) => each.steps === steps);
    return result && read(result);
  };

/** What the console draws of learning is what the API says of it. */
describe.skipIf(consoleBrowser === undefined)(
  'learning curves in the console (need Chromium: npm test installs it where it may)',
  { timeout: 60_000 },
  () => {
    let place: Awaited<ReturnType<typeof temporaryDirectory>>;
    let world: TestServer;
    let client: Client;
    let browser: Browser;
    let tab: ConsoleTab;
    let page: Page;
    let fleet: MadeUpFleet;
    let bold: Task;
    let careful: Task;
    const rounds = 4;
    const three = { goal: 3, minimum: 3 };
    const curvesOf = ({ id }: Task) => client.call('getCurves', { params: { id } });
    const panel = (title: string) =>
      page.locator('section').filter({ has: page.getByRole('heading', { level: 2, name: title }) });
    const chart = (title: string) => panel(title).getByRole('img', { name: title });
    const along = (axis: string) => page.getByRole('radiogroup', { name: 'Along' }).getByText(axis).click();

    beforeAll(async () => {
      place = await temporaryDirectory();
      const pack = join(place.path, 'wheel');
      await wheelPack(pack);
      const local = new LocalBackend({ programs: { embedded: [process.execPath, program] } });
      const cloud = { backends: [local], dataSets: { 'synthetic-wheel': pack } };
      world = await testServer({ ...consoleFiles, cloud });
      client = clientOf(world.admin);
      const people = [0, 1, 2].map((person) => {
        const rows = rowsOf(person, { muddled: person / 5 });
        return () => Promise.resolve(rows);
      });
      fleet = await MadeUpFleet.started(world, people);
      const { digest: model } = await client.call('uploadModel', { body: tinyModel });
      const run = async (name: string, rate: number) => {
        const plan = tinyPlan({
          learning: { algorithm: 'fedavg', epochs: 1, batchSize: 8, rate },
          rounds,
          cohort: { ...three, overSelection: 1 },
          evaluation: { everyRounds: 1, spec: { ...three, supportShares: [0.5], steps: [1, 4], rate: 0.3 } },
        });
        const { id } = await client.call('createTask', { body: { name, model, plan } });
        await client.call('startTask', { params: { id } });
        await completed(world.admin, { id });
        return client.call('getTask', { params: { id } });
      };
      bold = await run('bold', 0.4);
      careful = await run('careful', 0.05);
      browser = await launchBrowser();
      const body = { name: 'the operator', role: 'operator' } as const;
      const { secret } = await world.admin.post<ApiKeyWithSecret>('/v1/keys', body);
      tab = await ConsoleTab.signedIn(browser, world.server.url, secret);
      ({ page } = tab);
    }, 120_000);
    afterAll(async () => {
      await browser.close();
      await fleet.stop();
      await world.close();
      await place.remove();
    });

    it('stand over each other for two tasks, by rounds, time and bytes, beside what differs and what it cost', async () => {
      await tab.open('/compare');
      const choice = page.getByRole('combobox', { name: 'Tasks' });
      for (const { name } of [bold, careful]) {
        await choice.fill(name);
        await page.getByRole('option', { name }).click();
      }
      await page.keyboard.press('Escape');
      await page.waitForURL(({ search }) => search.includes(bold.id) && search.includes(careful.id));
      const plans = page.getByRole('region', { name: 'Plans' }).locator('tbody tr');
      await plans.first().waitFor();
      expect(await plans.count()).toBe(1);
      await plans.getByRole('rowheader').getByText('Learning rate').waitFor();
      expect(await plans.locator('td').allTextContents()).toEqual(['0.4', '0.05']);
      const figures = page.getByRole('region', { name: 'Figures' });
      const row = (name: string) => figures.getByRole('row', { name }).locator('td').allTextContents();
      for (const [index, { id }] of [bold, careful].entries()) {
        const { updates, bytesUp } = await client.call('getCost', { params: { id } });
        await expect.poll(async () => (await row('Updates counted'))[index]).toBe(String(updates.counted));
        expect((await row('Received'))[index]).toBe(`${Math.round(bytesUp / 100) / 10} kB`);
      }
      const both: [string, Curves][] = [
        ['bold', await curvesOf(bold)],
        ['careful', await curvesOf(careful)],
      ];
      const training = panel('On the devices that train');
      await training.getByRole('img', { name: /bold: After learning.*careful: After learning/ }).waitFor();
      for (const [choose, axis] of [
        ['Bytes', 'Updates received'],
        ['Time', 'Minutes since the first round'],
        ['Rounds', 'Training round'],
      ] as const) {
        await along(choose);
        const lines = both.flatMap(([name, curves]) => [
          lineOf(`${name}: After learning`, curves, trained('accuracyAfter'), axis),
          lineOf(`${name}: Before learning`, curves, trained('accuracyBefore'), axis),
        ]);
        expect(await numbersOf(training)).toEqual(tableOf(axis, lines));
      }
      const { head } = await numbersOf(panel('On devices that judge'));
      expect(head).toEqual(expect.arrayContaining(['bold: After adaptation', 'careful: After adaptation']));
      expect(await tab.axe()).toEqual([]);
      expect(tab.errors).toEqual([]);
    });

    it('are saved as a picture that shows the lines of both tasks', async () => {
      const title = 'On the devices that train';
      await tab.open(`/compare?tasks=${bold.id},${careful.id}`);
      await chart(title).waitFor();
      const { name, bytes } = await savedBy(panel(title), 'PNG');
      expect(name).toBe('On-the-devices-that-train.png');
      expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
      expect(bytes.subarray(12, 16).toString('latin1')).toBe('IHDR');
      const { height: plotHeight = NaN } = (await chart(title).locator('canvas').boundingBox()) ?? {};
      const picture = await pictureIn(page, bytes, plotHeight, ['#0d8f74', '#4f6bed', '#d9730d']);
      expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([picture.width, picture.height]);
      expect(picture.width).toBeGreaterThan(400);
      expect(picture.height).toBeGreaterThan(plotHeight);
      expect(picture.colours).toBeGreaterThan(10);
      expect(picture.opaque).toBe(true);
      const [ofBold, ofCareful, ofAThird] = picture.near;
      for (const { plot = 0, below = 0 } of [ofBold ?? {}, ofCareful ?? {}]) {
        expect(plot).toBeGreaterThan(100);
        expect(below).toBeGreaterThan(20); // beside its name
      }
      expect(ofAThird).toEqual({ plot: 0, below: 0 });
      expect(tab.errors).toEqual([]);
    });

    it('are smoothed without the pull of their start, and as they are without', async () => {
      await tab.open(`/tasks/${bold.id}?tab=learning`);
      const evaluation = panel('On devices that judge');
      await chart('On devices that judge').waitFor();
      const curves = await curvesOf(bold);
      const lines = [
        lineOf(
          'After adaptation',
          curves,
          judged(4, ({ accuracy }) => accuracy),
        ),
        lineOf(
          'Before adaptation',
          curves,
          judged(0, ({ accuracy }) => accuracy),
        ),
        lineOf(
          '90 % of devices below',
          curves,
          judged(4, ({ deciles }) => deciles[8]),
        ),
        lineOf(
          '10 % of devices below',
          curves,
          judged(4, ({ deciles }) => deciles[0]),
        ),
        lineOf(
          'Worst 10 %',
          curves,
          judged(4, ({ worstDecile }) => worstDecile),
        ),
      ];
      const asMeasured = tableOf('Training round', lines);
      expect(asMeasured.rows).toHaveLength(rounds);
      expect(await numbersOf(evaluation)).toEqual(asMeasured);
      const slider = page.getByRole('slider', { name: 'Smoothing' });
      await slider.focus();
      for (let step = 0; step < 12; step++) await page.keyboard.press('ArrowRight');
      const kept = Number(await slider.getAttribute('aria-valuenow'));
      expect(kept).toBeCloseTo(0.6, 9);
      // each point: the mean of all up to it, where each weighs `kept` of the one after it
      const smooth = (values: Line['y']) =>
        values.map((_, last) => {
          const weights = values.slice(0, last + 1).map((__, at) => kept ** (last - at));
          const sum = weights.reduce((total, weight, at) => total + weight * (values[at] ?? NaN), 0);
          return sum / weights.reduce((total, weight) => total + weight, 0);
        });
      const smoothed = await numbersOf(evaluation);
      const expected = tableOf(
        'Training round',
        lines.map((line) => ({ ...line, y: smooth(line.y) })),
      );
      expect(smoothed.rows).not.toEqual(asMeasured.rows);
      expect(smoothed).toEqual({
        ...expected,
        rows: expected.rows.map((row) => row.map((value) => expect.closeTo(value ?? NaN, 9) as number)),
      });
      await slider.focus();
      await page.keyboard.press('Home');
      expect(await numbersOf(evaluation)).toEqual(asMeasured);
      expect(tab.errors).toEqual([]);
    });

    it('are drawn at their values, or at the logarithms of these', async () => {
      await tab.open(`/tasks/${bold.id}?tab=learning`);
      await page.getByRole('radiogroup', { name: 'Measure' }).getByText('Loss').click();
      const training = panel('On the devices that train');
      await chart('On the devices that train').waitFor();
      const { rows } = await numbersOf(training);
      const values = rows.flatMap(([, ...row]) => row.map((value) => value ?? NaN));
      /** How far the marks of the chart are from even steps of `scale`, in pixels at the most. */
      const missOf = async (scale: (value: number) => number) => {
        const heights: number[] = [];
        for (let row = 0; row < rows.length; row++)
          heights.push(...(await marksAt(training, row / (rows.length - 1))));
        expect(heights).toHaveLength(values.length);
        const places = values.map(scale);
        const [least, most] = [Math.min(...places), Math.max(...places)];
        const [top, bottom] = [Math.min(...heights), Math.max(...heights)];
        const misses = places.map((at, index) => {
          const height = bottom - ((at - least) / (most - least)) * (bottom - top);
          return Math.abs(height - heights[index]!);
        });
        return Math.max(...misses);
      };
      expect(await missOf((value) => value)).toBeLessThan(2);
      expect(await missOf(Math.log)).toBeGreaterThan(4);
      await page.getByRole('switch', { name: 'Log scale' }).click();
      expect(await missOf(Math.log)).toBeLessThan(2);
      expect(await missOf((value) => value)).toBeGreaterThan(4);
      expect(await tab.axe()).toEqual([]);
      expect(tab.errors).toEqual([]);
    });

    it('tell the spread over devices of every judging round, after the steps that one chooses', async () => {
      await tab.open(`/tasks/${bold.id}?tab=learning`);
      const { points } = await curvesOf(bold);
      const spread = panel('Spread over devices');
      const drawing = spread.getByRole('img', { name: 'Spread over devices' });
      const resultsAfter = (steps: number) =>
        points.flatMap(({ evaluation }) => evaluation?.filter((each) => each.steps === steps) ?? []);
      const worstOf = (steps: number) => resultsAfter(steps).map(({ worstDecile }) => worstDecile);
      const drawnWorst = () =>
        drawing.evaluate((svg) => {
          const middleOf = (element: Element | undefined) => {
            const { top = NaN, bottom = NaN } = element?.getBoundingClientRect() ?? {};
            return (top + bottom) / 2;
          };
          const texts = [...svg.querySelectorAll('text')];
          const at = (word: string) => middleOf(texts.find(({ textContent }) => textContent === word));
          const circles = [...svg.querySelectorAll('circle')];
          return circles.map((circle) => (at('0%') - middleOf(circle)) / (at('0%') - at('100%')));
        });
      const near = (values: number[]) => values.map((value) => expect.closeTo(value, 2) as number);
      expect(worstOf(1)).not.toEqual(worstOf(4));
      await expect.poll(drawnWorst).toEqual(near(worstOf(4)));
      expect(await drawing.locator('rect').count()).toBe(8 * rounds); // between nine deciles each
      await page.getByRole('combobox', { name: 'Judged after' }).click();
      await page.getByRole('option', { name: '1 step on 50%' }).click();
      await expect.poll(drawnWorst).toEqual(near(worstOf(1)));
      await spread.getByRole('button', { name: 'As a table' }).click();
      const cells = await spread
        .locator('tbody tr')
        .evaluateAll((found) =>
          found.map((row) => [...row.children].map(({ textContent }) => Number.parseFloat(textContent))),
        );
      const percents = resultsAfter(1).map(({ worstDecile, deciles, accuracy }, index) => [
        ...[index + 1, three.goal],
        ...[worstDecile, ...deciles, accuracy].map((share) => expect.closeTo(100 * share, 1) as number),
      ]);
      expect(cells).toEqual(percents);
      expect(tab.errors).toEqual([]);
    });

    it('come out of a simulation on a synthetic data set as its job left them', async () => {
      await tab.open(`/tasks/${careful.id}`);
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Simulate on a data set' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: 'Data set' }).fill('synthetic-wheel');
      await dialog.getByRole('textbox', { name: 'Fold that is held out' }).fill('0');
      await dialog.getByRole('combobox', { name: 'What they are like' }).click();
      await page.getByRole('option', { name: 'Always there, never lost' }).click();
      await dialog.getByRole('button', { name: 'Simulate' }).click();
      await page.getByRole('heading', { level: 1, name: 'Simulation' }).waitFor();
      const training = panel('On the devices that train');
      await chart('On the devices that train').waitFor({ timeout: 40_000 }); // the page hears of the end by itself
      const [listed] = (await client.call('listJobs', {})).items;
      const job = await finished(world.admin, listed as Job); // it was just begun
      expect(job).toMatchObject({ state: 'succeeded', backend: 'local', work: { data: 'synthetic-wheel' } });
      const report = job.metrics as unknown as Report;
      const of = (kind: CurvePoint['kind']) => report.rounds.filter((round) => round.kind === kind);
      const x = of('training').map(({ number }) => number);
      expect(x).toEqual([1, 2, 3, 4]);
      const line = (name: string, read: (metrics: TrainingMetrics) => number) => ({
        ...{ name, x },
        y: of('training').map(({ metrics }) => read(metrics as TrainingMetrics)),
      });
      expect(await numbersOf(training)).toEqual(
        tableOf('Training round', [
          line('After learning', ({ accuracyAfter }) => accuracyAfter),
          line('Before learning', ({ accuracyBefore }) => accuracyBefore),
        ]),
      );
      const after = of('evaluation').map(
        ({ metrics }) =>
          (metrics as { results: EvaluationResult[] }).results.find(({ steps }) => steps === 4)?.accuracy,
      );
      const shown = await numbersOf(panel('On devices that judge'));
      expect(shown.rows.map(([, first]) => first)).toEqual(after);
      const figure = async (name: string) => {
        const whole = page
          .locator('.surface')
          .filter({ has: page.getByRole('button', { name, exact: true }) });
        return (await whole.locator('.figure-value').innerText()).replaceAll(/\s+/g, ' ');
      };
      expect(await figure('Updates counted')).toBe(`${report.forecast.counted} 3 devices`);
      expect(await figure('Rounds abandoned')).toBe('0');
      expect(await figure('Received from devices')).toBe(
        `${Math.round(report.forecast.bytesUp / 100) / 10} kB`,
      );
      expect(await tab.axe()).toEqual([]);
      expect(tab.errors).toEqual([]);
    });
  },
);

/** What is looked at of a simulation's report (docs/simulate.md). */
interface Report {
  readonly rounds: readonly { kind: CurvePoint['kind']; number: number; metrics: object }[];
  readonly forecast: { counted: number; bytesUp: number };
}
